"""Words of long sums, known to the solver by the thresholds that they can reach."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pysmt.fnode import FNode

from circuits.formats import divide_half_even, round_half_even, threshold
from circuits.network import Maximum, Quotient, Round, Table
from logic.smt.comparing import Hopeless
from logic.smt.comparing_choices import Choices
from logic.smt.comparing_values import Value, as_table, at_least, simplified, total

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_THRESHOLDS = 1 << 8
"""Thresholds of one word."""


def word_by_thresholds(
    node: Round | Table | Quotient, operands: Sequence[Value], column: int, choices: Choices
) -> Value:
    """Element `column` of a word, from the operands of this element.

    Raises:
        Hopeless: it has too many thresholds.
    """
    first, last = steps_of(node, operands, choices)
    if last - first > MOST_THRESHOLDS:
        raise Hopeless(f"an element of `{node.name}`, the word of a long sum, has {last - first} thresholds")
    reached = [reaches(node, operands, step, choices) for step in range(first + 1, last + 1)]
    first += sum(formula.is_true() for formula in reached)
    uncertain = [formula for formula in reached if not formula.is_bool_constant()]
    numbers = np.arange(first, first + len(uncertain) + 1, dtype=np.int64)
    return chosen(uncertain, node.codes[numbers] if isinstance(node, Table) else numbers, column, node.size, choices)


def chosen(reached: Sequence[FNode], codes: Integers, column: int, size: int, choices: Choices) -> Value:
    """A value whose element `column` is the code numbered by how many thresholds are reached, and whose others are 0."""
    table = np.zeros((len(codes), size), dtype=np.int64)
    table[:, column] = codes
    return Value({(choices.word(reached),): table} if reached else {(): table[0]}, size)


def name_word(value: Value, column: int, choices: Choices) -> Value:
    """Element `column` of a table as a choice of its own, if it is not already a table of few codes over little."""
    key, table = as_table(value.take(np.array([column])), choices)
    codes = np.unique(table)
    if len(codes) - 1 > MOST_THRESHOLDS:
        return value.only(column)
    reached = [choices.cells(key, table >= code) for code in codes[1:].tolist()]
    return chosen(reached, codes, column, value.size, choices)


def steps_of(node: Round | Table | Quotient, operands: Sequence[Value], choices: Choices) -> tuple[int, int]:
    """Bounds of the codes, or of the numbers of codes of a table."""
    low, high = operands[0].range()
    match node:
        case Table(breaks=breaks):
            return int(np.searchsorted(breaks, low[0], side="right")), int(
                np.searchsorted(breaks, high[0], side="right")
            )
        case Round(shift=shift, format=format_):
            codes = format_.clamp(round_half_even(np.concatenate([low, high]), shift))
        case Quotient(shift=shift, format=format_):
            least, most = operands[1].range()
            if int(least[0]) < 1:  # words for which the denominator is not positive are left out
                choices.constraints.append(at_least(operands[1], 1, choices))
            tops = np.concatenate([low, high, low, high]) << max(shift, 0)
            bottoms = np.maximum(np.concatenate([least, least, most, most]), 1) << max(-shift, 0)
            codes = format_.clamp(divide_half_even(tops, bottoms))
    return int(codes.min()), int(codes.max())


def reaches(node: Round | Table | Quotient, operands: Sequence[Value], step: int, choices: Choices) -> FNode:
    """Whether a word reaches a code, or a table a code's number.

    A quotient does if ``2 top >= (2 code - 1) bottom``, and an odd code not on ties.
    """
    match node:
        case Table(breaks=breaks):
            return at_least(operands[0], int(breaks[step - 1]), choices)
        case Round(shift=shift):
            scale, bound = threshold(step, shift)
            return at_least(operands[0], -(-bound // scale), choices)
        case Quotient(shift=shift):
            top, bottom = operands
            doubled = top.scaled(2 << max(shift, 0))
            compared = bottom.scaled(-(2 * step - 1) << max(-shift, 0))
            return at_least(simplified(total([doubled, compared], 1)), step % 2, choices)


def maximum_by_thresholds(node: Maximum, parts: Sequence[Value], column: int, choices: Choices) -> Value:
    """Element `column` of a maximum: it reaches a code where one of its candidates does.

    Raises:
        Hopeless: it has too many thresholds.
    """
    found = set().union(*[np.unique(as_table(part, choices)[1]).tolist() for part in parts])
    least = max(int(part.range()[0][0]) for part in parts)
    codes = np.array(sorted({least, *(code for code in found if code > least)}), dtype=np.int64)
    if len(codes) > MOST_THRESHOLDS:
        raise Hopeless(f"an element of `{node.name}`, a maximum of many words, has {len(codes) - 1} thresholds")
    reached = [(choices.either([at_least(part, code, choices) for part in parts]), code) for code in codes[1:].tolist()]
    kept = [(formula, code) for formula, code in reached if not formula.is_false()]
    codes = np.array([least, *(code for _, code in kept)], dtype=np.int64)
    return chosen([formula for formula, _ in kept], codes, column, node.size, choices)
