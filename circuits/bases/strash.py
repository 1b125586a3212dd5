"""Building and-inverter graphs many gates at a time, with constants propagated and equal ANDs made once.

*Structural hashing*: an AND is found by its pair of literals in a table with open addressing, which is searched and
filled for whole arrays of literals at once. Literals are int64 arrays; negation is ``literal ^ 1``.

Reference: Kuehlmann, Paruthi, Krohm & Ganai, "Robust Boolean reasoning for equivalence checking", TCAD 21, 2002.
"""

from __future__ import annotations

import numpy as np

from circuits.aig import Aig, Integers
from circuits.diagnostics import fail

FALSE, TRUE = 0, 1
MOST_VARIABLES = 1 << 28
EMPTY = -1
FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Table:
    """A hash table from nonnegative int64 keys to int64 values, searched and filled by arrays."""

    def __init__(self) -> None:
        self.count = 0
        self.keys = np.full(1 << 10, EMPTY, dtype=np.int64)
        self.values = np.zeros(1 << 10, dtype=np.int64)

    def slots(self, keys: Integers) -> Integers:
        """Where a search for each key begins."""
        shift = np.uint64(64 - (len(self.keys).bit_length() - 1))
        return (keys.astype(np.uint64) * FACTOR >> shift).astype(np.int64)

    def find(self, keys: Integers) -> Integers:
        """The value of each key, or `EMPTY`."""
        slots, found = self.slots(keys), np.full(len(keys), EMPTY, dtype=np.int64)
        searching = np.arange(len(keys))
        while len(searching):
            there = self.keys[slots[searching]]
            hit = there == keys[searching]
            found[searching[hit]] = self.values[slots[searching[hit]]]
            searching = searching[~hit & (there != EMPTY)]
            slots[searching] = (slots[searching] + 1) & (len(self.keys) - 1)
        return found

    def insert(self, keys: Integers, values: Integers) -> None:
        """Add keys that are different from each other and from those in the table."""
        self.count += len(keys)
        if 2 * self.count > len(self.keys):
            used = self.keys != EMPTY
            keys, values = np.concatenate([self.keys[used], keys]), np.concatenate([self.values[used], values])
            size = 1 << (4 * self.count).bit_length()
            self.keys, self.values = np.full(size, EMPTY, dtype=np.int64), np.zeros(size, dtype=np.int64)
        slots, waiting = self.slots(keys), np.arange(len(keys))
        while len(waiting):
            free = waiting[self.keys[slots[waiting]] == EMPTY]
            self.keys[slots[free]] = keys[free]
            placed = self.keys[slots[waiting]] == keys[waiting]
            self.values[slots[waiting[placed]]] = values[waiting[placed]]
            waiting = waiting[~placed]
            slots[waiting] = (slots[waiting] + 1) & (len(self.keys) - 1)


class Builder:
    """An and-inverter graph under construction."""

    def __init__(self, n_inputs: int) -> None:
        self.n_inputs = n_inputs
        self.n_ands = 0
        self.left = np.zeros(1 << 10, dtype=np.int64)
        self.right = np.zeros(1 << 10, dtype=np.int64)
        self.table = Table()

    def inputs(self) -> Integers:
        """The literals of the inputs."""
        return 2 * np.arange(1, self.n_inputs + 1)

    def all_of(self, one: Integers, other: Integers) -> Integers:
        """The literals of ANDs, pair by pair."""
        high, low = np.maximum(one, other), np.minimum(one, other)
        result = np.where((low == FALSE) | (high ^ low == 1), FALSE, high)
        fresh = np.flatnonzero((low > TRUE) & (high >> 1 != low >> 1))
        if len(fresh):
            keys, place = np.unique(high[fresh] << 32 | low[fresh], return_inverse=True)
            result[fresh] = self.literals(keys)[place]
        return result

    def literals(self, keys: Integers) -> Integers:
        """The literals of ANDs by their keys, which are sorted and different; missing ones are added."""
        found = self.table.find(keys)
        missing = np.flatnonzero(found == EMPTY)
        end = self.n_ands + len(missing)
        if self.n_inputs + end >= MOST_VARIABLES:
            raise fail(
                "C073",
                f"the and-inverter graph would have more than {MOST_VARIABLES:,} variables",
                help="choose a shorter length, or translate with a lower --precision",
            )
        if end > len(self.left):
            grown = np.zeros(max(end, 2 * len(self.left)), dtype=np.int64)
            self.left, self.right = (np.concatenate([kept, grown]) for kept in (self.left, self.right))
        self.left[self.n_ands : end] = keys[missing] >> 32
        self.right[self.n_ands : end] = keys[missing] & 0xFFFFFFFF
        found[missing] = 2 * (self.n_inputs + 1 + np.arange(self.n_ands, end))
        self.table.insert(keys[missing], found[missing])
        self.n_ands = end
        return found

    def any_of(self, one: Integers, other: Integers) -> Integers:
        """The literals of ORs, pair by pair."""
        return self.all_of(one ^ 1, other ^ 1) ^ 1

    def half_adder(self, one: Integers, other: Integers) -> tuple[Integers, Integers]:
        """Sum and carry of two bits: three ANDs."""
        carry = self.all_of(one, other)
        return self.all_of(carry ^ 1, self.any_of(one, other)), carry

    def full_adder(self, one: Integers, other: Integers, third: Integers) -> tuple[Integers, Integers]:
        """Sum and carry of three bits: seven ANDs."""
        half, first = self.half_adder(one, other)
        total, second = self.half_adder(half, third)
        return total, self.any_of(first, second)

    def graph(self, outputs: Integers) -> Aig:
        """The graph built so far."""
        return Aig(self.n_inputs, self.left[: self.n_ands].copy(), self.right[: self.n_ands].copy(), outputs)


def swept(aig: Aig) -> tuple[Aig, Integers]:
    """The graph without ANDs that no output depends on, and the new variable of each old one, -1 where it is gone."""
    first = aig.n_inputs + 1
    needed = np.zeros(first + aig.n_ands, dtype=bool)
    needed[:first] = True
    needed[aig.outputs >> 1] = True
    for ands in reversed(aig.by_level):
        kept = ands[needed[first + ands]]
        needed[aig.left[kept] >> 1] = True
        needed[aig.right[kept] >> 1] = True
    number = np.where(needed, np.cumsum(needed) - 1, -1)
    ands = np.flatnonzero(needed[first:])

    def renumbered(literals: Integers) -> Integers:
        return 2 * number[literals >> 1] + (literals & 1)

    small = Aig(aig.n_inputs, renumbered(aig.left[ands]), renumbered(aig.right[ands]), renumbered(aig.outputs))
    return small, number
