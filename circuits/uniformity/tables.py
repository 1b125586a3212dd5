"""Weight tables: constant-size tables indexed by the element of a gate and the element of what it reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.matrices import Matrix, canonical
from circuits.uniformity.machine import TABLE, Machine, Word

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, eq=False)
class Table:
    """The weights ``factors[i] * weights[rows[i], j]``.

    Many gates read one row of a shared sum with different thresholds: the row is stored once. `rows` and `factors` are None
    where element i has row i.
    """

    weights: Matrix
    rows: Integers | None = None
    factors: Integers | None = None

    @staticmethod
    def of_product(left: Matrix, right: Matrix) -> Table:
        """The table ``left @ right``, kept as a choice of rows where each row of `left` has at most one weight."""
        counts = np.diff(left.indptr)
        if not len(counts) or int(counts.max()) > 1:
            return Table(canonical(left @ right))
        rows, factors = np.zeros(len(counts), dtype=np.int64), np.zeros(len(counts), dtype=np.int64)
        rows[counts == 1], factors[counts == 1] = left.indices, left.data
        return Table(right, rows, factors)

    @cached_property
    def keys(self) -> Integers:
        """The places of the stored weights, in order: ``row * number of columns + column``, and last one behind all."""
        size, width = self.weights.shape
        rows = np.repeat(np.arange(size, dtype=np.int64), np.diff(self.weights.indptr))
        return np.append(rows * width + self.weights.indices, size * width)

    @cached_property
    def values(self) -> Integers:
        """The stored weights, and 0 for the last key."""
        return np.append(self.weights.data, 0)

    @cached_property
    def matrix(self) -> Matrix:
        """The table written out."""
        if self.rows is None or self.factors is None:
            return self.weights
        counts = np.where(self.factors != 0, np.diff(self.weights.indptr)[self.rows], 0)
        starts = np.concatenate([[0], np.cumsum(counts)])
        offsets = np.arange(starts[-1]) - np.repeat(starts[:-1], counts)
        at = np.repeat(self.weights.indptr[self.rows].astype(np.int64), counts) + offsets
        data = self.weights.data[at] * np.repeat(self.factors, counts)
        shape = (len(self.rows), self.weights.shape[1])
        return canonical(csr_array((data, self.weights.indices[at], starts), shape=shape))

    @cached_property
    def row_sizes(self) -> Integers:
        """How many weights other than 0 each element has."""
        counts = np.diff(self.weights.indptr).astype(np.int64)
        if self.rows is None or self.factors is None:
            return counts
        return np.where(self.factors != 0, counts[self.rows], 0)

    @cached_property
    def bits(self) -> int:
        """The bits of the largest weight, without its sign."""
        largest = int(np.abs(self.weights.data).max(initial=0))
        if self.factors is not None:
            largest *= int(np.abs(self.factors).max(initial=0))
        return largest.bit_length()

    def look_up(self, machine: Machine, element: Word, source: Word) -> Word:
        """The weight of the wire from element `source` to element `element`."""
        row = element if self.rows is None else machine.look_up(self.rows, element)
        found = self._weight(machine, row, source)
        return (
            found if self.factors is None else machine.product_of_entries(found, machine.look_up(self.factors, element))
        )

    def _weight(self, machine: Machine, row: Word, column: Word) -> Word:
        key = row * self.weights.shape[1] + column
        if isinstance(key, np.ndarray):
            key = key.astype(np.int64)
            place = np.searchsorted(self.keys, key)
            return machine.done(TABLE, np.where(self.keys[place] == key, self.values[place], 0))
        at = int(np.searchsorted(self.keys, key))
        return machine.done(TABLE, int(self.values[at]) if int(self.keys[at]) == key else 0)
