"""Answers with error bounds for a reader: outputs as ``value ± bound``, and whether the decision is certified.

What is printed is rounded so that it stays true: the bound grows by what rounding the value takes away, and is rounded up.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from translator.answering import MOST_SHOWN, Answers, decision_text
from translator.terminal import Line, plain, round_up, table_to_lines

MOST_OUTPUTS = 4
LEAST_DIGITS, MOST_DIGITS = 6, 17


def answer_lines(answers: Answers) -> list[Line]:
    """One line for each decision of the first inputs, and how many are certified."""
    bounds, certified = answers.bounds or [], answers.certified or []
    shown = answers.cases.shown[:MOST_SHOWN]
    header: tuple[str, ...] = ("decision", "status", "outputs", "input")
    rows: list[tuple[str, ...]] = []
    for text, *case in zip(shown, answers.decisions, certified, answers.outputs, bounds, strict=False):
        found = rows_of(*case)
        places = [f", position {place}" for place in range(1, len(found) + 1)] if len(found) > 1 else [""]
        rows += [(*row, text + place) for row, place in zip(found, places, strict=True)]
    lines = table_to_lines(header, rows)
    left = len(answers.decisions) - len(shown)
    if left > 0:
        lines.append(plain(f"... and {left:,} more (--json gives all of them)"))
    count = sum(bool(np.all(one)) for one in certified)
    worst = max((float(np.max(one)) for one in bounds), default=0.0)
    off = "an output may be off by any amount" if math.isinf(worst) else f"outputs are off by at most {round_up(worst)}"
    return [*lines, plain(), plain(f"{count:,} of {len(certified):,} certified; {off}")]


def rows_of(decision: Any, certified: Any, outputs: Any, bounds: Any) -> list[tuple[str, ...]]:
    """Decision, status and outputs of an input, or of each position of it."""
    if isinstance(outputs[0], list):
        return [row for each in zip(decision, certified, outputs, bounds, strict=True) for row in rows_of(*each)]
    pairs = [with_bound(*pair) for pair in zip(outputs[:MOST_OUTPUTS], bounds, strict=False)]
    more = ["..."] if len(outputs) > MOST_OUTPUTS else []
    return [(decision_text(decision), "certified" if np.all(certified) else "open", "  ".join([*pairs, *more]))]


def with_bound(value: float, bound: float) -> str:
    """A value and the bound of its error, such as ``0.25 ± 0.0131``."""
    if math.isinf(bound):
        return f"{value:.{LEAST_DIGITS}g} ± unknown"
    digits = math.ceil(math.log10(abs(value) / bound)) + 2 if value and bound else LEAST_DIGITS
    text = f"{value:.{min(max(digits, LEAST_DIGITS), MOST_DIGITS)}g}"
    return f"{text} ± {round_up(Fraction(bound) + abs(Fraction(text) - Fraction(value)))}"
