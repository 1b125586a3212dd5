"""The files that a command reads: those of a folder, or of a model that is translated for the occasion."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from circuits.diagnostics import fail
from translator.commands.options import refuse_reading_options

if TYPE_CHECKING:
    from translator.store import Artifacts

PrecisionOfModel = Annotated[
    str,
    typer.Option(
        "--precision",
        metavar="auto|fixed:P[.F]|float:eEmM",
        help="The precision at which MODEL.onnx is translated.",
    ),
]


@contextmanager
def artifacts_of(
    source: Path,
    tell: Callable[[str], None],
    bind: list[str] | None,
    input_: list[str] | None,
    where: str | None = None,
    precision: str = "auto",
) -> Iterator[Artifacts]:
    """Yield what was written for a network, read back from files.

    Raises:
        FomError: the folder or the model cannot be used, or an option says how a model is read and a folder is given.
    """
    from translator import store

    if source.is_dir():
        refuse_reading_options(bind, input_)
        if precision != "auto":
            raise fail("T075", "this folder was translated already, with a precision of its own", help="give the model")
        yield store.load(source)
        return
    from translator import feeding, pipeline

    choices = {"bind": feeding.parse_bindings(bind or ()), "tracks": feeding.parse_tracks(input_ or ())}
    translation = pipeline.translate(source, tell, where=where, precision=precision, **choices)
    with tempfile.TemporaryDirectory(prefix="fom.") as temporary:
        store.save(translation, Path(temporary) / "translation")
        yield store.load(Path(temporary) / "translation")
