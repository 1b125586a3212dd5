"""Answers: the decisions and outputs of one side on words that were typed or on a file of inputs."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.diagnostics import fail
from circuits.division import Divisions
from circuits.readout import decisions, scores
from logic.telling import Progress, seldom, silent
from translator.certifying import certify, real_network_of
from translator.fidelity import encode
from translator.inputs import features_of, load_inputs, split_words
from translator.terminal import Line, plain, table_to_lines
from translator.words import format_word, parse_word

if TYPE_CHECKING:
    from translator.real import RealNetwork
    from translator.sides import Sides

SIDES = ("onnx", "network", "circuit", "division", "sentence")
CHUNK_POSITIONS = 1 << 20
CHUNK_CASES = 1 << 12
MOST_SHOWN = 20


@dataclass(frozen=True)
class Cases:
    """Inputs in the order of their file, in groups of one length, with the places of each group's rows."""

    groups: tuple[Any, ...]
    places: tuple[Any, ...]
    shown: tuple[str, ...]


@dataclass(frozen=True)
class Answers:
    """One decision and one output for each case; with error bounds also a bound for each output, and what is certified.

    `divisions` are those that decide one of the longest cases, if it was done by division.
    """

    cases: Cases
    decisions: list[Any]
    outputs: list[Any]
    bounds: list[Any] | None = None
    certified: list[Any] | None = None
    divisions: Divisions | None = field(default=None, kw_only=True)


def cases_of_word(sides: Sides, text: str) -> Cases:
    """A single word that was typed.

    Raises:
        FomError: the network reads numbers, or a letter is not in its alphabet.
    """
    if sides.network.inputs:
        raise fail(
            "T071",
            f"the network reads {sum(node.size for node in sides.network.inputs)} numbers, not words",
            help="give an .npz file: --inputs FILE.npz",
        )
    word = parse_word(text, sides.network.alphabet)
    sides.network.domain.require(len(word))
    return Cases((word[None],), (np.zeros(1, dtype=np.int64),), (format_word(word, sides.network.alphabet),))


def cases_of_file(sides: Sides, path: Path) -> Cases:
    """The inputs of an .npz file.

    Raises:
        FomError: they do not fit the network.
    """
    array = load_inputs(path, sides.source.feeding, sides.oracle.session.get_inputs()[0].name)
    if sides.network.inputs:
        flat = features_of(array, path, sum(node.size for node in sides.network.inputs))
        return Cases((flat,), (np.arange(len(flat)),), tuple(map(numbers_text, flat[:MOST_SHOWN])))
    alphabet = sides.network.alphabet
    groups, places = split_words(array, path, len(alphabet))
    for group in groups:
        sides.network.domain.require(group.shape[1])
    first = [np.asarray(row) for row in np.asarray(array)[:MOST_SHOWN]]
    return Cases(groups, places, tuple(format_word(row[row >= 0], alphabet) for row in first))


def numbers_text(row: Any) -> str:
    """The first numbers of an input."""
    return " ".join(f"{value:g}" for value in row[:6]) + (" ..." if len(row) > 6 else "")


def answer(sides: Sides, side: str, cases: Cases, progress: Progress = silent, error_bounds: bool = False) -> Answers:
    """Ask one side for every case, in batches of one length.

    Raises:
        FomError: error bounds of another side than the network, or of a network that is not the model's.
    """
    if error_bounds and side != "network":
        raise fail(
            "T070",
            f"--error-bounds are those of the network's outputs, not of the {side}'s",
            note="circuit, divisions and sentence decide as the network does" if side != "onnx" else "",
            help="write --as network",
        )
    real = real_network_of(sides.source) if error_bounds else None
    tell, done = seldom(progress), 0
    count = sum(len(group) for group in cases.groups)
    columns: list[list[Any]] = [[None] * count for _ in range(2 if real is None else 4)]
    for group, places in zip(cases.groups, cases.places, strict=True):
        chunk = max(1, min(CHUNK_CASES, CHUNK_POSITIONS // max(1, group.shape[1] ** 2)))
        for start in range(0, len(group), chunk):
            part = group[start : start + chunk]
            found = ask(sides, side, part) if real is None else ask_certified(sides, real, part)
            done += len(part)
            tell(f"{done:,} of {count:,} inputs")
            for column, values in zip(columns, found, strict=True):
                for place, value in zip(places[start : start + chunk].tolist(), values.tolist(), strict=True):
                    column[place] = value
    answers = Answers(cases, *columns)
    return replace(answers, divisions=divisions_of(sides, cases)) if side == "division" and cases.groups else answers


def divisions_of(sides: Sides, cases: Cases) -> Divisions:
    """The divisions for the longest cases."""
    return sides.divider_at(max(sides.length(group) for group in cases.groups)).divisions


def ask(sides: Sides, side: str, inputs: Any) -> tuple[Any, Any]:
    """Decisions and outputs of one batch: logits of onnxruntime and the network, decision words of circuit and sentence."""
    readout, format_ = sides.readout, sides.family.decision_format
    if side == "onnx":
        logits = sides.oracle.logits(inputs)
        return sides.oracle.decide(logits), logits
    codes = encode(sides.network, inputs)
    if side == "network":
        from circuits.evaluate import evaluate

        values = evaluate(sides.network, codes)
        return decisions(readout, format_, values[readout.decision]), scores(sides.network, values)
    words = sides.words(side, codes)
    return decisions(readout, format_, words), np.ldexp(words.astype(np.float64), -format_.frac)


def ask_certified(sides: Sides, real: RealNetwork, inputs: Any) -> tuple[Any, ...]:
    """Decisions and outputs of the network on one batch, bounds of the outputs' errors, and which decisions are certified."""
    found = certify(real, sides.network, inputs)
    return found.decisions, found.values, found.bounds, found.certified


def answer_facts(answers: Answers) -> dict[str, Any]:
    """The answers, ready for JSON: a bound is null where nothing is known."""
    facts: dict[str, Any] = {"decisions": answers.decisions, "outputs": answers.outputs}
    if answers.divisions is not None:
        facts["divisions"] = asdict(answers.divisions)
    if answers.bounds is None:
        return facts
    return {**facts, "bounds": finite(answers.bounds), "certified": answers.certified}


def finite(value: Any) -> Any:
    """Nested lists of numbers with None for what is infinite."""
    if isinstance(value, list):
        return [finite(part) for part in value]
    return value if np.isfinite(value) else None


def answer_lines(answers: Answers) -> list[Line]:
    """Decisions for a reader: one line for each case, the first ones of many."""
    shown, beneath = answers.cases.shown[:MOST_SHOWN], division_lines(answers.divisions)
    if len(answers.decisions) == 1:
        return [plain(decision_text(answers.decisions[0])), *beneath]
    rows = [(decision_text(decision), text) for decision, text in zip(answers.decisions, shown, strict=False)]
    lines = table_to_lines(("decision", "input"), [(first, text) for first, text in rows])
    left = len(answers.decisions) - len(rows)
    if left:
        lines.append(plain(f"... and {left:,} more (--json gives all of them)"))
    if not isinstance(answers.decisions[0], list):
        values, counts = np.unique(np.array(answers.decisions), return_counts=True)
        if len(values) <= MOST_SHOWN:
            parts = [f"{value} for {count:,}" for value, count in zip(values.tolist(), counts.tolist(), strict=True)]
            lines += [plain(), plain(f"{len(answers.decisions):,} inputs: {', '.join(parts)}")]
    return lines + beneath


def division_lines(divisions: Divisions | None) -> list[Line]:
    """How many divisions decided, and how large they were."""
    if divisions is None:
        return []
    times = "1 division" if divisions.count == 1 else f"{divisions.count:,} divisions, one for each level of gates"
    sizes = f"dividends of {span(divisions.dividend_bits)} bits, divisors of {span(divisions.divisor_bits)} bits"
    return [plain(f"{times}: {sizes}")]


def span(numbers: tuple[int, ...]) -> str:
    """The smallest and the largest of some numbers."""
    low, high = min(numbers, default=0), max(numbers, default=0)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def decision_text(value: Any) -> str:
    """A decision, or one for each position."""
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)
