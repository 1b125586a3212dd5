"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from circuits.diagnostics import fail


def require_file_place(path: Path) -> None:
    """Refuse a file that could not be written, before the work is done.

    Raises:
        FomError: it is a folder, or its folder does not exist or cannot be written.
    """
    folder = path.resolve().parent
    if path.is_dir():
        raise fail("T051", "the output is a folder", where=str(path), help="name a file in it")
    if not folder.is_dir():
        raise fail(
            "T051", "the folder that should hold the output does not exist", where=str(folder), help="make it first"
        )
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise fail("T051", "the output cannot be written", where=str(path), help="name another file")


@contextmanager
def replacing_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream whose contents take the place of a file if nothing is raised; otherwise the file stays as it was.

    A link stays a link, and a file keeps its permissions. What is no regular file (a device, a pipe) is written to directly.

    Raises:
        FomError: the file cannot be written.
    """
    require_file_place(path)
    target = path.resolve()
    if target.exists() and not target.is_file():
        with target.open("wb") as out:
            yield out
        return
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise fail(
            "T051", f"the output cannot be written: {error.strerror}", where=str(path), help="name another file"
        ) from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
        temporary.chmod(target.stat().st_mode & 0o7777 if target.exists() else 0o644)
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
