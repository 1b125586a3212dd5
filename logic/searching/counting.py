"""What can be counted: formulas over a word, up to a point, or from it, with the values on the samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from logic.searching.bank import Bank
from logic.searching.points import Counts, Points, unpack
from logic.searching.samples import Integers
from logic.searching.spelling import (
    EARLIER,
    FROM,
    LATER,
    PLACE,
    SAME,
    SAME_EARLIER,
    SAME_UNTIL,
    TOTAL,
    UNTIL,
    Atom,
    Counted,
)


class Table:
    """Counts with pairwise different values, over the words or over the points, cheapest first.

    Attributes:
        counted: what is counted; `values`: ``(F, N)``.
    """

    def __init__(self, points: Points, bank: Bank, at_points: bool, most: int) -> None:
        self.points, self.bank, self.at_points, self.most = points, bank, at_points, most
        self.width = points.size if at_points else points.words
        self.counted: list[Counted] = []
        self.values: Counts = np.zeros((0, self.width), dtype=np.int32)
        self._known: set[bytes] = {np.zeros(self.width, dtype=np.int32).tobytes()}

    @property
    def is_full(self) -> bool:
        """Whether no more counts are kept."""
        return len(self.counted) >= self.most

    def add(self, numbers: Integers, cost: int) -> None:
        """Count formulas of the bank of one cost."""
        for low in range(0, len(numbers), 64):
            if self.is_full:
                return
            chosen = numbers[low : low + 64]
            values = unpack(self.bank.values[chosen], self.points.size)
            for kind, counts in self._counts(values):
                for number, row in zip(chosen.tolist(), counts, strict=True):
                    self._keep(Counted(kind, number, cost), row)

    def add_same(self, letters: int) -> None:
        """Count the letters that are the same as at the point, where so many different letters occur."""
        if letters < 2 or not self.at_points:
            return
        cost = 3 * (letters - 1) + (letters > 2)
        values = self.points.letter[None, :] == np.arange(self.points.letter.max() + 1)[:, None]
        own = self.points.letter, np.arange(self.width)
        self._keep(Counted(SAME, -1, cost), self.points.totals(values)[:, self.points.word][own])
        if not self.points.ordered:
            return
        until = self.points.until(values)[own]
        self._keep(Counted(SAME_UNTIL, -1, cost), until)
        self._keep(Counted(SAME_EARLIER, -1, cost), until - 1)

    def _counts(self, values: Any) -> list[tuple[int, Counts]]:
        totals = self.points.totals(values)
        if not self.at_points:
            return [(TOTAL, totals)]
        spread = totals[:, self.points.word]
        if not self.points.ordered:
            return [(TOTAL, spread)]
        until = self.points.until(values)
        return [(TOTAL, spread), (UNTIL, until), (EARLIER, until - values), (FROM, spread - until + values),
                (LATER, spread - until)]  # fmt: skip

    def _keep(self, counted: Counted, row: Counts) -> None:
        key = np.ascontiguousarray(row, dtype=np.int32).tobytes()
        if key in self._known or self.is_full or (row == row[0]).all():
            return
        self._known.add(key)
        if len(self.counted) == len(self.values):
            grown = np.zeros((max(32, 2 * len(self.values)), self.width), dtype=np.int32)
            grown[: len(self.values)] = self.values
            self.values = grown
        self.values[len(self.counted)] = row
        self.counted.append(counted)


def value_of(atom: Atom, rows: Sequence[Any], points: Points, at_points: bool) -> Any:
    """The truth of an atom, given the values of what it counts."""
    lengths = points.n if at_points else points.length
    total = atom.length * lengths
    for (coef, _), row in zip(atom.counted, rows, strict=True):
        total = total + coef * row
    if atom.modulus:
        return (
            ((total - atom.bound) % atom.modulus == 0)
            & (total - atom.bound >= atom.modulus)
            & (total - atom.bound <= atom.modulus * lengths)
        )
    return total == atom.bound if atom.equal else total >= atom.bound


def place() -> Counted:
    """The number of a position, as a count."""
    return Counted(PLACE, -1, 0)
