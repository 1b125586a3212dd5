"""The folder of a translation: network, family, sentence, a copy of the model, and a manifest with settings and hashes.

Writing is atomic: everything goes to a temporary folder beside the target, which then takes its place. A folder that fom did not
write is never replaced.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from circuits.diagnostics import fail
from circuits.family import Family
from circuits.family_text import family_of_text, family_to_text
from circuits.network import Network
from circuits.network_text import network_of_text, network_to_text
from logic.syntax import Sentence
from translator.feeding import Feeding, feeding_of_data

if TYPE_CHECKING:
    from translator.pipeline import Translation

MODEL, NETWORK, FAMILY = "model.onnx", "network.jsonl", "family.jsonl"
SENTENCE, MANIFEST = "sentence.fom", "manifest.json"
FILES = (MODEL, NETWORK, FAMILY, SENTENCE)
REPORT = "report.html"
PURE, SIMPLIFIED = "sentence.{dialect}.fom", "sentence.simplified.fom"


@dataclass(frozen=True)
class Artifacts:
    """What a folder holds, as read back from its files."""

    folder: Path
    manifest: dict[str, Any]
    network: Network
    family: Family
    edited: tuple[str, ...]

    @property
    def applied(self) -> str:
        """The operator at the end of the ONNX file that the network leaves out, if any."""
        return str(self.manifest.get("applied", ""))

    @property
    def feeding(self) -> Feeding:
        """How the ONNX file is fed."""
        return feeding_of_data(self.manifest["feeding"]) if "feeding" in self.manifest else Feeding()

    @property
    def model(self) -> Path:
        """The copy of the ONNX file."""
        return self.folder / MODEL

    @cached_property
    def sentence(self) -> Sentence:
        """The sentence, parsed from its file.

        Raises:
            FomError: a syntax error.
        """
        from logic.parser import parse

        path = self.folder / SENTENCE
        return parse(read_text(path), str(path))


def tool_version() -> str:
    """The installed version of fom."""
    try:
        return version("fom-translator")
    except PackageNotFoundError:
        return "unknown"


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_text(path: Path) -> str:
    """Read a text file.

    Raises:
        FomError: it is missing or no UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise fail("T050", "a file of the translation is missing", where=str(path), help="translate again") from None
    except (OSError, UnicodeDecodeError) as error:
        raise fail("T050", f"the file cannot be read: {error}", where=str(path), help="translate again") from None


def require_writable(folder: Path) -> None:
    """Refuse to write over something that is no translation.

    Raises:
        FomError: the folder exists and fom did not write it, or its parent does not exist.
    """
    if folder.exists() and not (folder.is_dir() and ((folder / MANIFEST).is_file() or not any(folder.iterdir()))):
        raise fail(
            "T051",
            "the output exists and is not a translation, so it is not replaced",
            where=str(folder),
            help="name another folder with -o",
        )
    if not folder.absolute().parent.is_dir():
        raise fail(
            "T051", "the folder that should hold the output does not exist", where=str(folder.absolute().parent),
            help="make it first",
        )  # fmt: skip
    if not os.access(folder.resolve().parent, os.W_OK):
        raise fail(
            "T051", "the folder that should hold the output cannot be written", where=str(folder.resolve().parent),
            help="name another folder with -o",
        )  # fmt: skip


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that becomes `folder` if nothing is raised, and vanishes otherwise; a link stays a link."""
    require_writable(folder)
    target = folder.resolve()
    try:
        temporary = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    except OSError as error:
        raise fail(
            "T051",
            f"the output cannot be written: {error.strerror}",
            where=str(folder),
            help="name another folder with -o",
        ) from None
    try:
        yield temporary
        temporary.chmod(0o755)
        if target.exists():
            old = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent)) / "old"
            target.rename(old)
            try:
                temporary.rename(target)
            except BaseException:
                old.rename(target)
                raise
            finally:
                shutil.rmtree(old.parent, ignore_errors=True)
        else:
            temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def save(translation: Translation, folder: Path) -> dict[str, str]:
    """Write a translation.

    Returns:
        The paths of the files, by kind.

    Raises:
        FomError: the folder holds something else, or cannot be written.
    """
    from logic.printer import to_ascii
    from translator.pages import report_html
    from translator.reading import copy_model
    from translator.report import manifest_of

    with replacing(folder) as temporary:
        copy_model(translation.model, temporary / MODEL)
        for name, text in (
            (NETWORK, network_to_text(translation.network)),
            (FAMILY, family_to_text(translation.family)),
            (SENTENCE, to_ascii(translation.sentence)),
        ):
            (temporary / name).write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8")
        named = dict(zip(("model", "network", "family", "sentence"), FILES, strict=True))
        if translation.pure is not None:
            named["pure"] = PURE.format(dialect=translation.pure.dialect)
            (temporary / named["pure"]).write_text(to_ascii(translation.pure.sentence) + "\n", encoding="utf-8")
        if translation.simplified is not None:
            named["simplified"] = SIMPLIFIED
            (temporary / SIMPLIFIED).write_text(to_ascii(translation.simplified.sentence) + "\n", encoding="utf-8")
        manifest = manifest_of(translation)
        manifest["hashes"] = {name: digest(temporary / name) for name in named.values()}
        page = report_html(manifest, translation.network, translation.family, translation.sentence)
        (temporary / REPORT).write_text(page, encoding="utf-8")
        (temporary / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return {
        kind: os.path.join(folder, name) for kind, name in [*named.items(), ("manifest", MANIFEST), ("report", REPORT)]
    }


def load(folder: str | Path) -> Artifacts:
    """Read a translation back.

    Raises:
        FomError: the folder is no translation, or one of its files is damaged.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise fail(
            "T052", "there is no such folder", where=str(folder), help="fom translate MODEL.onnx -o DIR makes one"
        )
    path = folder / MANIFEST
    if not path.is_file():
        raise fail(
            "T052", "the folder is no translation: it has no manifest.json", where=str(folder),
            help="fom translate MODEL.onnx -o DIR makes one",
        )  # fmt: skip
    try:
        manifest = json.loads(read_text(path))
        hashes = dict(manifest["hashes"])
        str(manifest["readout"]["formula"])
        if manifest["schema"] != 1:
            raise fail(
                "T053", f"the manifest has schema {manifest['schema']}, this version reads 1", where=str(path),
                help="translate again with this version",
            )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise fail("T053", f"the manifest is damaged: {error}", where=str(path), help="translate again") from None
    for name in FILES:
        if not (folder / name).is_file():
            raise fail("T050", "a file of the translation is missing", where=str(folder / name), help="translate again")
    network = network_of_text(read_text(folder / NETWORK), str(folder / NETWORK))
    family = family_of_text(read_text(folder / FAMILY), str(folder / FAMILY))
    edited = tuple(name for name in FILES if digest(folder / name) != hashes.get(name))
    return Artifacts(folder, manifest, network, family, edited)
