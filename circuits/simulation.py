"""Simulation of a circuit on many inputs: every gate of every template, without the matrices over all positions.

A template has the same weights at all positions, so its gates are evaluated by one small matrix and the values of its sources,
read at the positions where they are wired (`circuits.simulation_arrays`). Every gate has its own bit and every shared sum its
own integer.

* **Small integers.** Bits are int8. The sums of an entry have the smallest signed type that holds twice their largest
  magnitude, which the weights bound; so no partial sum wraps.
* **Sums stay small as long as they can.** Wires that read at x alone and wires that read at y alone are added apart, in arrays
  over one position. The gate at (x, y) then compares the two: one comparison for each gate, not one addition for each wire.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.entries import Accumulator, Gates, InputBits, PredicateBits, Wires
from circuits.family import Family
from circuits.inputs import input_columns
from circuits.matrices import Matrix
from circuits.positions import Guard, Term
from circuits.simulation_arrays import (
    Array,
    Integers,
    allowed_at,
    column,
    inputs_first,
    multiply_as,
    read_at,
    sum_over,
    take_rows,
)

Type = np.dtype[Any]
Reals = np.ndarray[Any, np.dtype[np.float64]]
Values = dict[str, Array]

CHUNK_ELEMENTS = 1 << 24
BLOCK_ELEMENTS = 1 << 19
BIT, INT64 = np.dtype(np.int8), np.dtype(np.int64)
INTEGERS = (BIT, np.dtype(np.int16), np.dtype(np.int32))


def integer_type(reach: float) -> Type:
    """The smallest signed integers that hold twice the magnitude `reach`, with room for a threshold just beyond it."""
    return next((kind for kind in INTEGERS if 2 * reach + 2 <= np.iinfo(kind).max), INT64)


@dataclass(frozen=True, slots=True, eq=False)
class Bundle:
    """Wires from several sources, read at the same positions: ``weights @ sources``, the sources one below the other.

    With a guard they are summed over the bound position. `rows` are the elements of the reader that have such wires; `matrix` are
    their weights, or `columns` and `weights` where each of them has exactly one. `reads` is the type of the sums of what is
    read, before weights.
    """

    sources: tuple[str, ...]
    at: tuple[Term, ...]
    n_positions: int
    guard: Guard | None
    rows: Array
    columns: Array
    weights: Array
    matrix: Matrix | None
    kind: Type
    reads: Type

    def __call__(self, values: Values, n: int) -> Array:
        """What the wires add to the elements `rows`, over the reader's positions."""
        k = self.n_positions
        given = [read_at(self.at, k + (self.guard is not None), values[source], n) for source in self.sources]
        read = given[0] if len(given) == 1 else np.concatenate(matched(given))
        if self.guard is None:
            return self.weigh(read)
        if len(read) <= len(self.rows):
            return self.weigh(sum_over(read.astype(self.reads, copy=False), self.guard, n, k))
        return sum_over(self.weigh(read), self.guard, n, k)

    def weigh(self, read: Array) -> Array:
        """The weighted sums of elements."""
        matrix = self.matrix
        if matrix is None:
            taken = take_rows(read, self.columns)
            if (self.weights == 1).all():
                return taken.astype(self.kind, copy=False)
            return multiply_as(self.kind, taken, column(self.weights, taken.ndim - 2))
        flat = np.ascontiguousarray(read).reshape(len(read), math.prod(read.shape[1:]))
        if flat.size <= BLOCK_ELEMENTS or flat.dtype == self.kind:
            whole: Array = matrix @ flat.astype(self.kind, copy=False)
            return whole.reshape(len(self.rows), *read.shape[1:])
        result = np.empty((len(self.rows), flat.shape[1]), dtype=self.kind)
        step = max(1, BLOCK_ELEMENTS // max(1, flat.shape[1]))
        for first, last in row_blocks(matrix, step):
            block = matrix[first:last]
            used = np.unique(block.indices)
            low, high = int(used[0]), int(used[-1]) + 1
            result[first:last] = block[:, low:high] @ flat[low:high].astype(self.kind, copy=False)
        return result.reshape(len(self.rows), *read.shape[1:])


def bundles_of(entry: Gates | Accumulator, reach: dict[str, Reals], kind: Type, n: int) -> tuple[Bundle, ...]:
    """The wires of an entry; those that are read at the same positions by different elements are taken together."""
    groups: list[list[Wires]] = []
    read: list[Integers] = []
    for wires in entry.wires:
        counts = np.diff(wires.matrix.indptr).astype(np.int64)
        if not counts.any():
            continue
        for place, group in enumerate(groups):
            same = (group[0].at, group[0].guard) == (wires.at, wires.guard)
            if same and (read[place] + counts).max() <= 1:
                group.append(wires)
                read[place] = read[place] + counts
                break
        else:
            groups.append([wires])
            read.append(counts)
    return tuple(
        bundle_of(group, counts, entry.n_positions, reach, kind, n) for group, counts in zip(groups, read, strict=True)
    )


def bundle_of(
    group: list[Wires], counts: Integers, n_positions: int, reach: dict[str, Reals], kind: Type, n: int
) -> Bundle:
    """Wires at the same positions, with the number of weights that each element has."""
    rows = np.flatnonzero(counts)
    reads = integer_type(n * max(float(reach[wires.source].max(initial=0.0)) for wires in group))
    sources = tuple(wires.source for wires in group)
    at, guard = group[0].at, group[0].guard
    if (counts[rows] > 1).any():
        given = group[0].matrix
        starts = np.concatenate([[0], np.cumsum(counts[rows])]).astype(given.indptr.dtype)
        matrix = csr_array((given.data.astype(kind), given.indices, starts), shape=(len(rows), given.shape[1]))
        return Bundle(sources, at, n_positions, guard, rows, matrix.indices, matrix.data, matrix, kind, reads)
    columns, weights = np.zeros(len(counts), dtype=np.int64), np.zeros(len(counts), dtype=kind)
    offset = 0
    for wires in group:
        own = np.diff(wires.matrix.indptr) > 0
        columns[own], weights[own] = wires.matrix.indices + offset, wires.matrix.data
        offset += wires.matrix.shape[1]
    return Bundle(sources, at, n_positions, guard, rows, columns[rows], weights[rows], None, kind, reads)


def matched(parts: list[Array]) -> list[Array]:
    """The arrays, broadcast to one shape behind the first axis."""
    shape = np.broadcast_shapes(*(part.shape[1:] for part in parts))
    return [np.broadcast_to(part, (len(part), *shape)) for part in parts]


def row_blocks(matrix: Matrix, step: int) -> list[tuple[int, int]]:
    """Consecutive rows in blocks that read about `step` entries each, and at least one row."""
    blocks = []
    first, n_rows = 0, matrix.shape[0]
    while first < n_rows:
        last = max(first + 1, int(np.searchsorted(matrix.indptr, matrix.indptr[first] + step, side="right")) - 1)
        blocks.append((first, last))
        first = last
    return blocks


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The objects of one entry that has wires: sums, compared with `thresholds` when they are gates."""

    name: str
    n_positions: int
    size: int
    bundles: tuple[Bundle, ...]
    const: Array
    thresholds: Array | None
    kind: Type

    def __call__(self, values: Values, n: int) -> Array:
        """The bits or the integers of the entry."""
        parts: dict[tuple[int, ...], Array] = {}
        for bundle in self.bundles:
            part = bundle(values, n)
            shape = (self.size, *part.shape[1:])
            whole = len(bundle.rows) == self.size
            if shape not in parts:
                parts[shape] = part.copy() if whole else np.zeros(shape, dtype=self.kind)
                if whole:
                    continue
            if whole:
                parts[shape] += part
            else:
                parts[shape][bundle.rows] += part
        small = column(self.const, self.n_positions)
        ordered = sorted(parts.values(), key=lambda part: part.size)
        compared = self.thresholds is not None and self.kind != INT64 and bool(ordered)
        for part in ordered[: len(ordered) - compared]:
            small = part + small
        if self.thresholds is None:
            return small
        bounds = column(self.thresholds, self.n_positions)
        fires = ordered[-1] >= bounds - small if compared else small >= bounds
        return fires.view(BIT)


class Simulation:
    """A family at one length, ready to be simulated."""

    def __init__(self, family: Family, n: int) -> None:
        self.family, self.n = family, n
        reach: dict[str, Reals] = {}
        self.templates: dict[str, Template] = {}
        for entry in family.entries:
            reach[entry.name] = np.ones(entry.size)
            if isinstance(entry, Gates | Accumulator):
                reached = magnitude(entry, reach, n)
                self.templates[entry.name] = template_of(entry, reach, float(reached.max(initial=0.0)), n)
                if isinstance(entry, Accumulator):
                    reach[entry.name] = reached
        self.last_use = {
            wires.source: place
            for place, entry in enumerate(family.entries)
            if isinstance(entry, Gates | Accumulator)
            for wires in entry.wires
        }
        widest = max((entry.size * n**entry.n_positions for entry in family.entries), default=1)
        self.chunk = max(1, CHUNK_ELEMENTS // max(1, widest))

    def run(self, inputs: Integers, kept: set[str]) -> dict[str, Integers]:
        """Evaluate on a batch that fits in memory, dropping values that nobody reads any more."""
        values: Values = {}
        result: dict[str, Integers] = {}
        for place, entry in enumerate(self.family.entries):
            match entry:
                case InputBits():
                    values[entry.name] = input_values(self.family, entry, inputs)
                case PredicateBits(guards=guards, n_positions=k):
                    truth = [allowed_at(guard, self.n, k) for guard in guards]
                    values[entry.name] = np.concatenate(truth).astype(BIT)
                case Gates() | Accumulator():
                    values[entry.name] = self.templates[entry.name](values, self.n)
                    for source in {wires.source for wires in entry.wires}:
                        if self.last_use[source] == place:
                            del values[source]
            if entry.name in kept:
                result[entry.name] = inputs_first(values[entry.name], len(inputs), self.n)
        return result


def magnitude(entry: Gates | Accumulator, reach: dict[str, Reals], n: int) -> Reals:
    """A bound on the sums of every element and on all their partial sums."""
    total: Reals = np.zeros(entry.size)
    if isinstance(entry, Accumulator):
        total = np.abs(entry.const).astype(np.float64) + n * np.abs(entry.length).astype(np.float64)
    for wires in entry.wires:
        times = 1 if wires.guard is None else n
        row = np.repeat(np.arange(entry.size), np.diff(wires.matrix.indptr))
        sums = np.abs(wires.matrix.data).astype(np.float64) * np.maximum(reach[wires.source], 1.0)[wires.matrix.indices]
        total = total + times * np.bincount(row, weights=sums, minlength=entry.size)
    return total


def template_of(entry: Gates | Accumulator, reach: dict[str, Reals], most: float, n: int) -> Template:
    """The simulation of one entry whose sums stay within `most`; `reach` bounds those that it reads."""
    kind = integer_type(most)
    bundles = bundles_of(entry, reach, kind, n)
    if isinstance(entry, Accumulator):
        const = (entry.const + n * entry.length).astype(kind)
        return Template(entry.name, entry.n_positions, entry.size, bundles, const, None, kind)
    thresholds = entry.thresholds
    if kind != INT64:
        thresholds = np.clip(thresholds, -int(most), int(most) + 1)
    zero = np.zeros(entry.size, dtype=kind)
    return Template(entry.name, entry.n_positions, entry.size, bundles, zero, thresholds.astype(kind), kind)


def input_values(family: Family, entry: InputBits, inputs: Integers) -> Array:
    """The bits of an input entry."""
    if not family.inputs:
        letters: Array = inputs.T == np.arange(entry.size)[:, None, None]
        return letters.view(BIT)
    bit = int(entry.name[len(entry.base) + 1 :] or 0)
    source = next(node for node in family.inputs if node.name == entry.base)
    codes = inputs[:, input_columns(family.inputs)[entry.base]]
    return ((codes - source.format.lo >> bit) & 1).T.astype(BIT)
