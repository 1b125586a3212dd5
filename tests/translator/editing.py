"""Random single edits of the files of a translation, by kind: one number, name, sign or connective becomes another."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from typing import Any

SENTENCE, FAMILY, NETWORK = "sentence.fom", "family.jsonl", "network.jsonl"
Edit = Callable[[str, random.Random], str | None]

VARIABLE = re.compile(r"(?<=[(, ])[xy](?=[,)])")
COMPARISONS = {">=": ("<=", "<"), "<=": (">=", "<"), "<": (">=", "<="), "=": ("<", ">="), ">": ("<=",)}


def replaced(text: str, pattern: str, make: Callable[[re.Match[str]], str], rng: random.Random) -> str | None:
    """Replace one random match outside of comments and of the names that a line defines; None if there is none."""
    lines = text.split("\n")
    places = []
    for number, line in enumerate(lines):
        if line.startswith(("--", "letters")):
            continue
        start = line.find(":=") + 2 if ":=" in line else 0
        places += [(number, match) for match in re.compile(pattern).finditer(line, start)]
    if not places:
        return None
    # Near the readout an edit is more likely to change a decision: half of them are made in the last tenth.
    number, match = rng.choice(places[-max(1, len(places) // 10) :] if rng.random() < 0.5 else places)
    line = lines[number]
    lines[number] = line[: match.start()] + make(match) + line[match.end() :]
    return "\n".join(lines)


def other(rng: random.Random, value: int) -> int:
    """A different number: next to it, its negation, or far away."""
    chosen = [value + 1, value - 1, -value, value * 3 + 7, value - 1000, value + 1000]
    return rng.choice([number for number in chosen if number != value])


def natural(rng: random.Random, value: int) -> int:
    """A different number that is not negative."""
    return rng.choice(
        [number for number in (value + 1, value - 1, 0, 3 * value + 2) if number >= 0 and number != value]
    )


def in_sentence(pattern: str, make: Callable[[re.Match[str], random.Random], str]) -> Edit:
    """An edit of the text of a sentence."""
    return lambda text, rng: replaced(text, pattern, lambda match: make(match, rng), rng)


def last_formula(text: str, rng: random.Random) -> str:
    """Another last formula."""
    body, formula = text.rstrip("\n").rsplit("\n", 1)
    others = (
        f"~{formula}",
        formula.replace("[1]", "[0]"),
        f"{formula} & a(1)",
        f"{formula} | n = 2",
        "true",
        "M x. a(x)",
    )
    return f"{body}\n{rng.choice(others)}\n"


SENTENCE_EDITS: dict[str, Edit] = {
    "weight": in_sentence(r"\b\d+(?=\*)", lambda match, rng: str(natural(rng, int(match[0])))),
    "constant": in_sentence(r"(?<=[+-] )\d+(?=;)", lambda match, rng: str(natural(rng, int(match[0])))),
    "threshold": in_sentence(r"(?<=>= )-?\d+(?=;)", lambda match, rng: str(other(rng, int(match[0])))),
    "comparison": in_sentence(r"(?<= )(>=|<=|<|=|>)(?= )", lambda match, rng: rng.choice(COMPARISONS[match[0]])),
    "sign": in_sentence(r"(?<= )[+-](?= )", lambda match, _: "+" if match[0] == "-" else "-"),
    "quantifier": in_sentence(
        r"\b(exists|forall)\b", lambda match, rng: rng.choice([q for q in ("exists", "forall", "M") if q != match[0]])
    ),
    "index": in_sentence(r"(?<=\[)\d+(?=\])", lambda match, rng: str(natural(rng, int(match[0])))),
    "bit": in_sentence(r"(?<=\]\.)\d+", lambda match, rng: str(natural(rng, int(match[0])))),
    "letter": in_sentence(r"\b[ab](?=\([xy]\))", lambda match, _: "a" if match[0] == "b" else "b"),
    "variable": in_sentence(
        VARIABLE.pattern, lambda match, rng: rng.choice(["y" if match[0] == "x" else "x", "n", "1"])
    ),
    "connective": in_sentence(r"(?<= )[&|](?= )", lambda match, _: "|" if match[0] == "&" else "&"),
    "last formula": last_formula,
}


def numbers_at(data: Any, path: tuple[str, ...]) -> Iterator[tuple[list[Any], int]]:
    """All integers below a path of keys, ``*`` standing for every item, as (list or object, key)."""
    if isinstance(data, dict) and path and path[0] in data:
        held = data[path[0]]
        if len(path) == 1 and type(held) is int:
            yield data, path[0]  # type: ignore[misc]
        else:
            yield from numbers_at(held, path[1:])
    elif isinstance(data, list):
        for place, item in enumerate(data):
            if type(item) is int:
                yield data, place
            else:
                yield from numbers_at(item, path[1:] if path[:1] == ("*",) else path)


def in_lines(*paths: str, make: Callable[[random.Random, int], int] = other) -> Edit:
    """An edit of one number in a file of JSON lines, found under one of some paths of keys."""

    def edit(text: str, rng: random.Random) -> str | None:
        lines = text.split("\n")
        numbers = list(range(1, len(lines) - 1))
        items = {number: json.loads(lines[number]) for number in numbers}
        able = [n for n in numbers if any(True for path in paths for _ in numbers_at(items[n], tuple(path.split("."))))]
        if not able:
            return None
        number = rng.choice(able[-max(1, len(able) // 4) :] if rng.random() < 0.5 else able)
        places = [found for path in paths for found in numbers_at(items[number], tuple(path.split(".")))]
        holder, key = rng.choice(places)
        holder[key] = make(rng, holder[key])
        lines[number] = json.dumps(items[number], separators=(",", ":"))
        return "\n".join(lines)

    return edit


def guard_edit(text: str, rng: random.Random) -> str | None:
    """Negate a guard, or replace it by one that always or never holds."""
    places = [match.span() for match in re.finditer(r'"guard":(\[.*?\])(?=[,}]("|\]|$))', text)]
    if not places:
        return None
    start, end = rng.choice(places)
    given = text[start:end].partition(":")[2]
    guards = [f'["not",{given}]', '["or"]', '["and"]', '["eq",[0,0,1,-1]]']
    return text[:start] + '"guard":' + rng.choice([guard for guard in guards if guard != given]) + text[end:]


FAMILY_EDITS: dict[str, Edit] = {
    "matrix weight": in_lines("wires.matrix.weights"),
    "column": in_lines("wires.matrix.columns", make=natural),
    "threshold": in_lines("thresholds"),
    "position term": in_lines("wires.at"),
    "guard": guard_edit,
    "constant": in_lines("const", "length"),
}
NETWORK_EDITS: dict[str, Edit] = {
    "matrix weight": in_lines("operands.matrix.weights"),
    "break": in_lines("breaks"),
    "code": in_lines("codes", make=natural),
    "shift": in_lines("shift"),
    "format": in_lines("format.lo", "format.bits", "format.frac"),
    "constant": in_lines("const", "length"),
    "index": in_lines("left_index", "right_index", "den_index", "groups", make=natural),
    "position term": in_lines("operand.at", "operands.ref.at", "left.at", "right.at", "num.at"),
    "guard": guard_edit,
}
EDITS = {SENTENCE: SENTENCE_EDITS, FAMILY: FAMILY_EDITS, NETWORK: NETWORK_EDITS}
