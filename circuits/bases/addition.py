"""Sums of many bits as binary words: columns of bits are reduced by full adders until one bit is left in each.

All rows (one for each sum) and all columns (bits of one weight ``2**column``) are reduced at the same time. *Carry-save*
rounds turn three bits of a column into one there and one in the next; when no column has more than two, the carries ripple.

References: Wallace, "A suggestion for a fast multiplier", IEEE Trans. Electronic Computers 13, 1964; Dadda 1965.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.aig import Integers
from circuits.bases.strash import FALSE, Builder


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Bits with their weights: bit number i belongs to the sum ``row[i]`` and counts ``2**column[i]`` there."""

    row: Integers
    column: Integers
    literal: Integers

    def take(self, chosen: Integers) -> Columns:
        """Some of the bits."""
        return Columns(self.row[chosen], self.column[chosen], self.literal[chosen])


@dataclass(frozen=True, slots=True, eq=False)
class Counters:
    """Steps of equal shape, each at a row and column: ``sum(inputs) = digit + 2 * sum(carries)``.

    Attributes:
        row, column: where each step counts.
        inputs: literals of shape ``(fan_in, count)``.
        digit: one literal for each step; -1 where nobody wants it.
        carries: literals ``(n_carries, count)``; they belong to the next column, or are 0 where there is none.
    """

    row: Integers
    column: Integers
    inputs: Integers
    digit: Integers
    carries: Integers


def together(parts: list[Columns]) -> Columns:
    """The bits of several parts."""
    joined = [np.concatenate([getattr(part, name) for part in parts]) for name in ("row", "column", "literal")]
    return Columns(*joined)


def in_columns(bits: Columns, width: int) -> tuple[Columns, Integers, Integers]:
    """The bits ordered by row and column, the rank of each in its column, and how many its column has."""
    place = bits.row * width + bits.column
    order = np.argsort(place, kind="stable")
    place = place[order]
    starts = np.flatnonzero(np.diff(place, prepend=-1))
    counts = np.diff(starts, append=len(place))
    return bits.take(order), np.arange(len(place)) - np.repeat(starts, counts), np.repeat(counts, counts)


def add(builder: Builder, bits: Columns, widths: Integers, record: list[Counters]) -> Integers:
    """The sums as words: literals of shape ``(n_rows, width)``, lowest bit first.

    Args:
        builder: where ANDs are added.
        bits: the summands, none of them the constant 0.
        widths: for each row how many bits its sum has; what would be carried beyond is 0 and is left out.
        record: the full adders are appended here.
    """
    width = int(widths.max(initial=0))
    while True:
        bits, rank, count = in_columns(bits, max(1, width))
        if count.max(initial=0) <= 2:
            break
        full = (count - count % 3) > rank
        first = np.flatnonzero(full & (rank % 3 == 0))
        inputs = np.stack([bits.literal[first + k] for k in range(3)])
        row, column = bits.row[first], bits.column[first]
        total, carry = builder.full_adder(*inputs)
        record.append(Counters(row, column, inputs, total, carry[None]))
        carried = np.flatnonzero((carry != FALSE) & (column + 1 < widths[row]))
        remaining = np.flatnonzero(total != FALSE)
        bits = together(
            [
                bits.take(np.flatnonzero(~full)),
                Columns(row[remaining], column[remaining], total[remaining]),
                Columns(row[carried], column[carried] + 1, carry[carried]),
            ]
        )
    summands = np.zeros((2, len(widths), width), dtype=np.int64)
    summands[rank, bits.row, bits.column] = bits.literal
    return rippled(builder, summands, widths, record)


def rippled(builder: Builder, summands: Integers, widths: Integers, record: list[Counters]) -> Integers:
    """The sums of two words, of shape (2, n_rows, width), column after column."""
    words = np.zeros(summands.shape[1:], dtype=np.int64)
    carry = np.zeros(len(widths), dtype=np.int64)
    for column in range(words.shape[1]):
        row = np.flatnonzero(column < widths)
        inputs = np.stack([summands[0, row, column], summands[1, row, column], carry[row]])
        words[row, column], carry[row] = builder.full_adder(*inputs)
        record.append(Counters(row, np.full(len(row), column), inputs, words[row, column], carry[row][None]))
    return words
