"""Options that several commands share, and what is checked of their values."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from circuits.diagnostics import fail
from translator.terminal import is_unicode, progress, write

if TYPE_CHECKING:
    from translator.sides import Sides

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}

MOST_LENGTH = 1_000_000
"""The longest words that an option can name: lengths are listed one by one."""

JsonFlag = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Where = Annotated[
    str | None,
    typer.Option("--where", metavar="φ", help="Consider only words in which this sentence (or .fom file) holds."),
]

Bind = Annotated[
    list[str] | None,
    typer.Option(
        "--bind",
        metavar="NAME=VALUE",
        help="Fix a graph input or a symbolic dimension. May be repeated.",
        show_default=False,
    ),
]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="NAME=letters|bits",
        help="Read a further input along with the word: its numbers become part of the letters.",
        show_default=False,
    ),
]


def refuse_reading_options(bind: list[str] | None, input_: list[str] | None) -> None:
    """A folder was read already.

    Raises:
        FomError: --bind or --input is given.
    """
    if bind or input_:
        raise fail(
            "T075", "--bind and --input say how a model is read; this folder was translated already",
            help="translate again with them",
        )  # fmt: skip


def check_choice(option: str, value: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that is none of the choices.

    Raises:
        FomError: with the nearest choice.
    """
    if value in choices:
        return
    import difflib

    close = difflib.get_close_matches(value, choices, n=1)
    raise fail(
        "T070",
        f"{option} is one of {', '.join(choices)}, not `{value}`",
        help=f"did you mean `{close[0]}`?" if close else f"choose one of them, or leave {option} out",
    )


def parse_memory(text: str) -> int:
    """Read ``8GB``, ``500 MB``, ``2GiB`` or a number of bytes.

    Raises:
        FomError: it is none of these.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?", text.strip().upper())
    if not found or found[2] not in UNITS:
        raise fail("T070", f"`{text}` is no amount of memory", help="write --memory 8GB")
    return int(float(found[1]) * UNITS[found[2]])


def sides_of(source: Path, bind: list[str] | None = None, input_: list[str] | None = None) -> Sides:
    """All representations of a network: read from its folder, or translated in memory."""
    from translator.sides import Sides

    if source.is_dir():
        from translator.store import load

        refuse_reading_options(bind, input_)
        return Sides(load(source))
    from translator import feeding
    from translator.pipeline import translate as translate_model

    with progress() as tell:
        choices = {"bind": feeding.parse_bindings(bind or ()), "tracks": feeding.parse_tracks(input_ or ())}
        return Sides(translate_model(source, tell, **choices))


def write_json(data: dict[str, Any]) -> None:
    """Write one JSON object to stdout."""
    write(json.dumps(data, ensure_ascii=sys.stdout is None or not is_unicode(sys.stdout)) + "\n")
