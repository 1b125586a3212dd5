"""Corruptions of certificates: a value, or a number of an artifact, is changed, and the hashes are brought up to date."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from logic.checker.certificate import Result, check
from logic.checker.files import MAIN, canonical_text

Generator = np.random.Generator


def replayed(folder: Path) -> Result:
    """Everything but the other programs."""
    return check(folder, ("cvc5", "bitwuzla", "coq"))


def rehash(folder: Path) -> None:
    """Bring the hashes up to date."""
    data = json.loads((folder / MAIN).read_text())
    for kind, names in data["files"].items():
        for name in names:
            names[name] = hashlib.sha256((folder / kind / name).read_bytes()).hexdigest()
    (folder / MAIN).write_text(canonical_text(data))


def places_of(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all values inside a value."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in items:
        yield (*path, key)
        yield from places_of(value, (*path, key))


def change_value(folder: Path, random: Generator, other: Callable[[Any, Generator], Any]) -> str:
    """Put another value somewhere into the claims; where."""
    data = json.loads((folder / MAIN).read_text())
    places = list(places_of(data["claims"]))
    *path, last = places[int(random.integers(len(places)))]
    inner = data["claims"]
    for key in path:
        inner = inner[key]
    inner[last] = other(inner[last], random)
    (folder / MAIN).write_text(canonical_text(data))
    return f"{[*path, last]} := {inner[last]!r}"


def near(value: Any, random: Generator) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool) or value is None:
        return 1 if value is None else not value
    if isinstance(value, int):
        return value + int(random.choice([-1, 1]))
    if isinstance(value, str):
        place = int(random.integers(len(value) + 1))
        return value[:place] + "0" + value[place:]
    if isinstance(value, list):
        return value[:-1] if value else [0]
    return {**value, "more": 0}


ODD: tuple[Any, ...] = (None, True, -1, 0, 2**70, 1.5, "", "x", "\ud800", [], [[]], [None], {}, {"n": None}, "network")


def odd(value: Any, random: Generator) -> Any:
    """Something of any kind."""
    found = ODD[int(random.integers(len(ODD)))]
    return "other" if repr(found) == repr(value) else found


def change_number(folder: Path, random: Generator, names: tuple[str, ...]) -> str:
    """Change a number of an artifact; where."""
    name = names[int(random.integers(len(names)))]
    path = folder / "artifacts" / name
    text = path.read_text()
    found = [
        match for match in re.finditer(r"(?<![\w.\[])\d+(?![\w.\]]*\()", text) if not in_comment(text, match.start())
    ]
    match = found[int(random.integers(len(found)))]
    path.write_text(text[: match.start()] + str(int(match[0]) + 1) + text[match.end() :])
    rehash(folder)
    return f"{name}: ..{text[max(0, match.start() - 60) : match.end() + 20]}.."


def in_comment(text: str, place: int) -> bool:
    """Whether a place is in a comment of a sentence."""
    return text[text.rfind("\n", 0, place) + 1 :].startswith("--")
