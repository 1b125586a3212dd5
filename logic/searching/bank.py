"""The bank: one formula for each value on the samples (observational equivalence), the cheapest.

A formula is its packed value, its cost, and where it comes from: an operation and the numbers of what it is made of. Nothing
is an object each. Two values with the same 64-bit hash are taken for one; what that could lose is a candidate, never that a
candidate is right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logic.searching.points import Packed
from logic.searching.samples import Integers

ATOM, NOT, AND, OR, IFF, IMPLIES, FORALL, EXISTS, MAJORITY, LIFT, PAST, BEFORE, FUTURE, AFTER = range(14)
BINARY = (AND, OR, IFF, IMPLIES)

Hashes = np.ndarray[Any, np.dtype[np.uint64]]


def combine(operation: int, left: Packed, right: Packed, full: Packed) -> Packed:
    """The value of a connective; `full` is the value of truth."""
    if operation == AND:
        return left & right
    if operation == OR:
        return left | right
    if operation == IFF:
        return left ^ right ^ full
    return (left ^ full) | right


class Bank:
    """Formulas with pairwise different values over `width` bits, in the order found, which is that of their costs.

    Attributes:
        values: packed, ``(capacity, words)``, of which `size` rows are in use; `cost` and `origin` likewise.
        origin: operation, and the numbers of its operands: formulas of this bank or of the other one, or an atom.
        full: the value of truth.
    """

    def __init__(self, width: int, memory: int) -> None:
        self.width, self.blocks = width, -(-width // 64)
        self.most = max(memory // (8 * self.blocks + 40), 64)
        self.values: Packed = np.zeros((1024, self.blocks), dtype=np.uint64)
        self.cost: Integers = np.zeros(1024, dtype=np.int64)
        self.origin: Integers = np.zeros((1024, 3), dtype=np.int64)
        self.size = 0
        self._known: Hashes = np.zeros(0, dtype=np.uint64)
        rng = np.random.default_rng(0)
        self._odd: Hashes = rng.integers(0, 1 << 63, (2, self.blocks), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
        wide = np.zeros(self.blocks * 64, dtype=np.uint8)
        wide[:width] = 1
        self.full: Packed = np.packbits(wide).view(np.uint64)

    @property
    def is_full(self) -> bool:
        """Whether no more formulas are kept."""
        return self.size >= self.most

    def of_cost(self, cost: int) -> Integers:
        """The numbers of the formulas of a cost."""
        return np.flatnonzero(self.cost[: self.size] == cost)

    def add(self, values: Packed, origins: Integers, cost: int) -> Integers:
        """Keep those of the formulas ``(K, words)`` whose values are new; return their numbers."""
        hashes = self._hash(values)
        _, first = np.unique(hashes, return_index=True)
        first.sort()
        if len(self._known):
            found = np.minimum(np.searchsorted(self._known, hashes[first]), len(self._known) - 1)
            first = first[self._known[found] != hashes[first]]
        first = first[: max(self.most - self.size, 0)]
        stop = self.size + len(first)
        self._reserve(stop)
        self.values[self.size : stop] = values[first]
        self.origin[self.size : stop] = origins[first]
        self.cost[self.size : stop] = cost
        fresh = np.arange(self.size, stop)
        self.size = stop
        new = np.sort(hashes[first])
        self._known = np.insert(self._known, np.searchsorted(self._known, new), new)
        return fresh

    def _hash(self, values: Packed) -> Hashes:
        mixed = values * self._odd[0]
        mixed ^= mixed >> np.uint64(29)
        mixed *= self._odd[1]
        mixed ^= mixed >> np.uint64(32)
        return np.asarray(mixed.sum(axis=1, dtype=np.uint64))

    def _reserve(self, size: int) -> None:
        if size <= len(self.values):
            return
        capacity = min(max(2 * len(self.values), size), max(self.most, size))
        for name in ("values", "cost", "origin"):
            old = getattr(self, name)
            new = np.zeros((capacity, *old.shape[1:]), dtype=old.dtype)
            new[: self.size] = old[: self.size]
            setattr(self, name, new)
