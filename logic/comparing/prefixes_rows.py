"""Equal rows of integer matrices: which are equal, and numbers for them that stay.

Rows are compared by hashes of 64 bits, sums of the entries times odd random numbers. Rows of equal hashes are then compared
themselves; if two of them differ, other random numbers are drawn. So nothing rests on the hash but speed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Integers = np.ndarray[Any, np.dtype[np.int64]]
Hashes = np.ndarray[Any, np.dtype[np.uint64]]

MIX = np.uint64(0x9E3779B97F4A7C15)
BLOCK = 1 << 16


def hashes(parts: Sequence[Array], seed: int) -> Hashes:
    """Hashes of the rows that stand in several matrices of as many rows, side by side."""
    random = np.random.default_rng(seed)
    total = np.zeros(len(parts[0]), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for part in parts:
            factors = random.integers(1, 1 << 63, part.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
            for start in range(0, len(part), BLOCK):
                block = part[start : start + BLOCK].astype(np.int64).view(np.uint64)
                total[start : start + BLOCK] += scrambled(block) @ factors
    return total


def scrambled(numbers: Hashes) -> Hashes:
    """The numbers with their bits mixed, so that sums of neighbouring numbers do not cancel."""
    mixed = (numbers + MIX) * MIX
    return mixed ^ (mixed >> np.uint64(29))


def same_rows(parts: Sequence[Array], left: Array, right: Array) -> bool:
    """Tell whether the rows numbered `left` are those numbered `right`, one after the other."""
    for start in range(0, len(left), BLOCK):
        one, other = left[start : start + BLOCK], right[start : start + BLOCK]
        if not all(np.array_equal(part[one], part[other]) for part in parts):
            return False
    return True


def distinct(parts: Sequence[Array]) -> Array:
    """The number of the first of each set of equal rows, in increasing order; the rows stand in matrices side by side."""
    seed = 0
    while True:
        found, first, inverse = np.unique(hashes(parts, seed), return_index=True, return_inverse=True)
        if len(found) == len(parts[0]):
            return np.arange(len(found))
        if same_rows(parts, first[inverse], np.arange(len(parts[0]))):
            return np.sort(first)
        seed += 1


class Rows:
    """Rows with numbers, in the order in which they first came."""

    def __init__(self, width: int) -> None:
        self.stored = np.zeros((0, width), dtype=np.int64)
        self.seed = 0
        self.hashed = np.zeros(0, dtype=np.uint64)
        self.sorted = np.zeros(0, dtype=np.uint64)
        self.order = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.stored)

    def numbers(self, rows: Integers) -> Integers:
        """The numbers of rows; new ones are added."""
        first = distinct([rows]) if len(rows) else np.zeros(0, dtype=np.int64)
        while True:
            known = self.find(rows[first])
            fresh = first[known < 0]
            if self.add(rows[fresh]) and (numbers := self.verified(rows)) is not None:
                return numbers
            self.seed += 1
            self.hashed = self.hashed[:0]
            self.index()

    def find(self, rows: Integers) -> Integers:
        """The numbers of the rows of the same hashes, or -1."""
        if not len(self):
            return np.full(len(rows), -1, dtype=np.int64)
        wanted = hashes([rows], self.seed)
        place = np.minimum(np.searchsorted(self.sorted, wanted), len(self) - 1)
        return np.where(self.sorted[place] == wanted, self.order[place], -1)

    def add(self, rows: Integers) -> bool:
        """Add rows; tell whether all hashes differ."""
        if len(rows):
            self.stored = np.concatenate([self.stored, rows])
            self.index()
        return bool((self.sorted[1:] != self.sorted[:-1]).all())

    def index(self) -> None:
        """Hash the rows that are not hashed yet, and sort all hashes."""
        fresh = hashes([self.stored[len(self.hashed) :]], self.seed)
        self.hashed = np.concatenate([self.hashed, fresh])
        self.order = np.argsort(self.hashed, kind="stable")
        self.sorted = self.hashed[self.order]

    def verified(self, rows: Integers) -> Integers | None:
        """The numbers of rows that are all stored; None if two rows have the same hash."""
        numbers = self.find(rows)
        for start in range(0, len(rows), BLOCK):
            block = numbers[start : start + BLOCK]
            if (block < 0).any() or not np.array_equal(self.stored[block], rows[start : start + BLOCK]):
                return None
        return numbers
