"""Sums of many bits by sorting: each column of bits is sorted, and every second bit is carried to the next column.

A sorted column (ones first) is its count in unary: bit 2k says that there are more than 2k ones. So the odd-numbered bits, each
standing for two ones, are the carries, and the column's digit, the parity of the count, is the OR of ``bit[2k] and not
bit[2k + 1]``. These are the sorters of minisat+ with radix 2: Eén & Sörensson, "Translating pseudo-Boolean constraints into SAT",
JSAT 2, 2006, section 5.

The network is Batcher's merge exchange for any number of bits: Knuth, TAOCP vol. 3, 5.2.2, Algorithm M.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from circuits.aig import Integers
from circuits.bases.addition import Columns, Counters, in_columns, together
from circuits.bases.strash import FALSE, Builder


@cache
def merge_exchange(count: int) -> tuple[tuple[int, tuple[tuple[int, Integers], ...]], ...]:
    """The comparators that sort `count` bits: phases (p, steps), in each step (d, i) bits i and i + d are compared.

    After phase p the bits at distance p from each other are sorted.
    """
    phases = []
    start = 1 << max(0, (count - 1).bit_length() - 1)
    p = start if count > 1 else 0
    while p:
        q, r, d = start, 0, p
        steps = []
        while True:
            places = np.arange(count - d)
            steps.append((d, places[places & p == r]))
            if q == p:
                break
            d, q, r = q - p, q >> 1, p
        phases.append((p, tuple(steps)))
        p >>= 1
    return tuple(phases)


def sort(builder: Builder, bits: Integers) -> Integers:
    """Rows of literals ``(n_rows, count)`` sorted, ones first."""
    bits = bits.copy()
    for _, steps in merge_exchange(bits.shape[1]):
        for distance, places in steps:
            one, other = bits[:, places].ravel(), bits[:, places + distance].ravel()
            shape = (len(bits), len(places))
            bits[:, places] = builder.any_of(one, other).reshape(shape)
            bits[:, places + distance] = builder.all_of(one, other).reshape(shape)
    return bits


def parity(builder: Builder, ordered: Integers) -> Integers:
    """Whether the number of ones in sorted rows is odd."""
    odd = np.zeros(len(ordered), dtype=np.int64)
    for place in range(0, ordered.shape[1], 2):
        last = place + 1 == ordered.shape[1]
        only = ordered[:, place] if last else builder.all_of(ordered[:, place], ordered[:, place + 1] ^ 1)
        odd = builder.any_of(odd, only)
    return odd


def count(builder: Builder, bits: Columns, widths: Integers, digits: bool, record: list[Counters]) -> Integers:
    """The sums as words: literals of shape ``(n_rows, width)``, lowest bit first.

    Args:
        builder: where ANDs are added.
        bits: the summands, none of them the constant 0.
        widths: for each row how many bits its sum has; what would be carried beyond is 0 and is left out.
        digits: whether all bits are wanted; otherwise only the highest one of every row is made.
        record: the sorters are appended here.
    """
    width = int(widths.max(initial=0))
    words = np.zeros((len(widths), width), dtype=np.int64)
    for column in range(width):
        here = bits.take(np.flatnonzero(bits.column == column))
        carries = [bits.take(np.flatnonzero(bits.column > column))]
        for rows, literals in of_equal_size(here):
            ordered = sort(builder, literals)
            wanted = np.flatnonzero(digits | (widths[rows] == column + 1))
            digit = np.full(len(rows), -1, dtype=np.int64)
            digit[wanted] = parity(builder, ordered[wanted])
            words[rows[wanted], column] = digit[wanted]
            carried = ordered[:, 1::2]
            record.append(Counters(rows, np.full(len(rows), column), literals.T, digit, carried.T))
            row = np.repeat(rows, carried.shape[1])
            kept = np.flatnonzero((carried.ravel() != FALSE) & (column + 1 < widths[row]))
            carries.append(Columns(row[kept], np.full(len(kept), column + 1), carried.ravel()[kept]))
        bits = together(carries)
    return words


def of_equal_size(bits: Columns) -> Iterator[tuple[Integers, Integers]]:
    """The bits of one column as arrays: rows with equally many bits, and their literals ``(n_rows, count)``."""
    ordered, _, sizes = in_columns(Columns(bits.row, np.zeros_like(bits.column), bits.literal), 1)
    for size in np.unique(sizes).tolist():
        chosen = sizes == size
        literals = np.sort(ordered.literal[chosen].reshape(-1, size), axis=1)
        yield ordered.row[chosen][::size], literals
