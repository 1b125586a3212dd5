"""Scores of classes as a sum over variables, and which of these variables the answer depends on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from logic.searching.hard_programs import Integers, Scores
from logic.searching.hard_search import MOST_VALUES, Variables

Reals = np.ndarray[Any, np.dtype[np.float64]]
EXACT = 1e-6
DIGITS = (2, 3, 4, 6, 9)
Contribution = tuple[str, Integers | None, Reals, Reals]
"""Variable, its values (None for a number), their rows or the row of one unit, and what it adds at every point."""


def find_scores(variables: Variables, names: Sequence[str], scores: Reals, decided: Integers) -> Scores | None:
    """The scores ``(points, classes)`` as a sum over named variables, as few as keep all answers; None if they are no sum."""
    for as_numbers in (True, False):
        numbers = {name for name in names if as_numbers and variables.is_sum(name)}
        found = fit(variables, names, numbers, scores)
        if found is not None:
            constant, parts = found
            if not agree(constant + sum_of(parts, scores.shape), decided):
                return None
            kept, constant = without_idle(constant, parts, decided, scores.shape)
            return rounded(variables, as_scores(constant, kept), decided)
    return None


def fit(
    variables: Variables, names: Sequence[str], numbers: set[str], scores: Reals
) -> tuple[Reals, list[Contribution]] | None:
    """Scores as a constant and contributions of variables; None if they are no such sum."""
    columns: list[Reals] = [np.ones((len(scores), 1))]
    owners: list[tuple[str, Integers | None]] = []
    for name in names:
        values = variables.values[name]
        levels = np.unique(values)
        if name in numbers:
            owners.append((name, None))
            columns.append(values[:, None].astype(np.float64))
        elif 1 < len(levels) <= MOST_VALUES:
            owners.append((name, levels))
            columns.append((values[:, None] == levels[1:]).astype(np.float64))
    matrix = np.concatenate(columns, axis=1)
    solution: Reals = np.linalg.lstsq(matrix, scores, rcond=None)[0].astype(np.float64)
    if np.abs(matrix @ solution - scores).max(initial=0.0) > EXACT * max(1.0, float(np.abs(scores).max(initial=0.0))):
        return None
    parts: list[Contribution] = []
    start = 1
    for (name, levels_), block in zip(owners, columns[1:], strict=True):
        rows = solution[start : start + block.shape[1]]
        start += block.shape[1]
        # the first value of a variable is the one that adds nothing
        shown = rows if levels_ is None else np.concatenate([np.zeros((1, rows.shape[1])), rows])
        parts.append((name, levels_, shown, block @ rows))
    return solution[0], parts


def sum_of(parts: Sequence[Contribution], shape: tuple[int, ...]) -> Reals:
    """What all parts add."""
    total = np.zeros(shape)
    for *_, added in parts:
        total = total + added
    return total


def agree(scores: Reals, decided: Integers) -> bool:
    """Whether the first largest score is that of the class decided."""
    return bool((scores.argmax(axis=1) == decided).all())


def without_idle(
    constant: Reals, parts: list[Contribution], decided: Integers, shape: tuple[int, ...]
) -> tuple[list[Contribution], Reals]:
    """Drop variables, the last first, whose mean contribution does as well; then their mean is part of the constant."""
    kept = list(parts)
    for part in reversed(parts):
        others = [other for other in kept if other[0] != part[0]]
        mean = constant + part[3].mean(axis=0)
        if agree(mean + sum_of(others, shape), decided):
            kept, constant = others, mean
    return kept, constant


def as_scores(constant: Reals, parts: Sequence[Contribution]) -> Scores:
    """Contributions as scores."""
    rows, weights = [], []
    for name, levels, block, _ in parts:
        if levels is None:
            weights.append((name, tuple(block[0].tolist())))
        else:
            rows.append((name, tuple((int(v), tuple(row.tolist())) for v, row in zip(levels, block, strict=True))))
    return Scores(tuple(rows), tuple(weights), tuple(constant.tolist()))


def rounded(variables: Variables, scores: Scores, decided: Integers) -> Scores:
    """Scores with as few digits as keep all answers."""
    from logic.searching.hard_programs import scores_of

    flat = {name: values[None] for name, values in variables.values.items()}
    for digits in DIGITS:
        short = replace(
            scores,
            rows=tuple((n, tuple((v, cut(row, digits)) for v, row in rows)) for n, rows in scores.rows),
            weights=tuple((n, cut(row, digits)) for n, row in scores.weights),
            constant=cut(scores.constant, digits),
        )
        if agree(scores_of(short, flat)[0], decided):
            return short
    return scores


def cut(row: tuple[float, ...], digits: int) -> tuple[float, ...]:
    """Numbers with so many digits behind the point."""
    return tuple(round(value, digits) + 0.0 for value in row)
