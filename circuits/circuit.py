"""One threshold circuit, for one length, and its simulation.

A circuit is the instance of a family at n. Objects of an entry are numbered ``position tuple * size + element`` with the first
position slowest; `Block` holds the weights of one entry as sparse integer matrices over its sources' objects. Shared sums stay
shared: an accumulator block computes integers, a gate block compares integers with thresholds. `simulate` evaluates the same
gates without these matrices (`circuits.simulation`), and `simulate_as_defined` with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.diagnostics import fail
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits, Wires, points_read
from circuits.family import Family
from circuits.flattening import reads_once
from circuits.inputs import input_limits
from circuits.network import Readout
from circuits.positions import grid, holds
from circuits.simulation import Simulation, input_values
from circuits.written_sums import written_sums

Integers = np.ndarray[Any, np.dtype[np.int64]]

CHUNK_WEIGHTS = 1 << 20


@dataclass(frozen=True, eq=False)
class Block:
    """All objects of one entry: its wires added to `const`, compared with `thresholds` when they are gates.

    Everything is written out when it is first asked for.
    """

    family: Family
    entry: Entry
    n: int

    @property
    def level(self) -> int:
        """The level of the entry in the family."""
        return self.family.levels[self.entry.name]

    @property
    def count(self) -> int:
        """Number of objects."""
        return self.entry.size * int(self.n**self.entry.n_positions)

    @cached_property
    def bundles(self) -> tuple[tuple[str, csr_array], ...]:
        """The weights of each bundle of wires, with its source, in the smallest integers that hold them."""
        if not isinstance(self.entry, Gates | Accumulator):
            return ()
        return tuple((wires.source, connect(self.family, self.entry, wires, self.n)) for wires in self.entry.wires)

    @property
    def weights(self) -> list[tuple[str, csr_array]]:
        """The weights of each bundle of wires, with its source, as int64."""
        return [(source, csr_array(weights.astype(np.int64))) for source, weights in self.bundles]

    @property
    def const(self) -> Integers:
        """What each object adds to its wires: the truth of a predicate, the constant of a shared sum."""
        match self.entry:
            case PredicateBits(guards=guards, n_positions=k):
                points = grid(self.n, k)
                truth = [np.broadcast_to(holds(guard, self.n, points), (self.n,) * k) for guard in guards]
                return np.stack(truth, axis=-1).ravel().astype(np.int64)
            case Accumulator(const=const, length=length, n_positions=k):
                return np.tile(const + self.n * length, self.n**k)
            case _:
                return np.zeros(self.count, dtype=np.int64)

    @property
    def thresholds(self) -> Integers | None:
        """The threshold of each gate; None for other objects."""
        return np.tile(self.entry.thresholds, self.n**self.entry.n_positions) if isinstance(self.entry, Gates) else None


@dataclass(frozen=True)
class Circuit:
    """The threshold circuit for words of length `n`."""

    family: Family
    n: int
    blocks: tuple[Block, ...]

    @property
    def readout(self) -> Readout:
        """What the circuit answers."""
        return self.family.readout

    @property
    def n_gates(self) -> int:
        """Number of gates."""
        return sum(block.count for block in self.blocks if isinstance(block.entry, Gates))

    @cached_property
    def n_wires(self) -> int:
        """Number of wires, counted on this circuit: pairs of a gate and a bit that it reads with a weight other than 0."""
        return sum(found.n_wires for found in written_sums(self.blocks) if isinstance(found.entry, Gates))

    @property
    def depth(self) -> int:
        """Length of the longest path of gates, found from the wires of this circuit."""
        level: dict[str, int] = {}
        for block in self.blocks:
            below = max((level[source] for source, weights in block.bundles if weights.nnz), default=0)
            level[block.entry.name] = below + isinstance(block.entry, Gates)
        return max(level.values(), default=0)

    def _repr_html_(self) -> str:
        from circuits.rendering import circuit_html

        return circuit_html(self)

    def _repr_svg_(self) -> str | None:
        from circuits.rendering import circuit_svg

        return circuit_svg(self)

    @cached_property
    def simulation(self) -> Simulation:
        """What `simulate` runs."""
        return Simulation(self.family, self.n)

    def simulate(self, inputs: Integers, wanted: tuple[str, ...] = ()) -> dict[str, Integers]:
        """Evaluate every gate on a batch, template after template.

        Args:
            inputs: letter numbers of shape ``(B, n)``, or codes ``(B, total)`` of the fixed-size inputs, one after the other.
            wanted: entries to return beside the readout's.

        Returns:
            Arrays of shape ``(B, n, .., n, size)``: 0 and 1 for gates, integers for accumulators.

        Raises:
            FomError: inputs of another length, or that are no letters or codes of the input.
        """
        inputs, kept = self.admitted(inputs, wanted)
        chunk = self.simulation.chunk
        parts = [self.simulation.run(inputs[at : at + chunk], kept) for at in range(0, max(1, len(inputs)), chunk)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def simulate_as_defined(self, inputs: Integers, wanted: tuple[str, ...] = ()) -> dict[str, Integers]:
        """The same as `simulate`, by the matrices of the blocks: the oracle, slower by far.

        Raises:
            FomError: as `simulate` does.
        """
        inputs, kept = self.admitted(inputs, wanted)
        values: dict[str, Integers] = {}
        for block in self.blocks:
            entry = block.entry
            if isinstance(entry, InputBits):
                value: Integers = input_bits(self.family, entry, inputs)
            else:
                value = np.repeat(block.const[:, None], len(inputs), axis=1)
                for source, weights in block.weights:
                    value = value + weights @ values[source]
                if block.thresholds is not None:
                    value = (value >= block.thresholds[:, None]).astype(np.int64)
            values[entry.name] = value
        shapes = {name: (self.n,) * self.family.by_name[name].n_positions for name in kept}
        return {name: values[name].T.reshape(len(inputs), *shapes[name], -1) for name in kept}

    def admitted(self, inputs: Integers, wanted: tuple[str, ...]) -> tuple[Integers, set[str]]:
        """The inputs, and the entries to return: those wanted with the readout's.

        Raises:
            FomError: inputs of another length, or that are no letters or codes of the input.
        """
        inputs = np.asarray(inputs)
        if not self.family.inputs and inputs.shape[1] != self.n:
            raise fail("C040", f"the circuit reads words of length {self.n}, not {inputs.shape[1]}")
        check_codes(self.family, inputs)
        kept = {self.readout.decision, self.readout.scores, *wanted}
        if self.readout.denominator is not None:
            kept.add(self.readout.denominator)
        return inputs, kept


def check_codes(family: Family, inputs: Integers) -> None:
    """Refuse letters outside the alphabet and codes outside the input format.

    Raises:
        FomError: naming the first one found.
    """
    if family.inputs:
        low, high = input_limits(family.inputs)
        if inputs.shape[1:] != low.shape:
            raise fail("C040", f"the circuit reads {len(low)} numbers, not an array of shape {inputs.shape[1:]}")
    else:
        letters = next(entry for entry in family.entries if isinstance(entry, InputBits))
        low, high = np.zeros(inputs.shape[1], dtype=np.int64), np.full(inputs.shape[1], letters.size - 1)
    outside = np.argwhere((inputs < low) | (inputs > high))
    if len(outside):
        case, place = (int(index) for index in outside[0])
        found = int(inputs[case, place])
        message = f"the circuit reads {low[place]} to {high[place]}, not {found}"
        raise fail("C041", message, where=f"input {case}, place {place + 1}")


def input_bits(family: Family, entry: InputBits, inputs: Integers) -> Integers:
    """The bits of an input entry, one row for each object, one column for each input of the batch."""
    if not family.inputs:
        hot = inputs[:, :, None] == np.arange(entry.size)
        return hot.reshape(len(inputs), inputs.shape[1] * entry.size).T.astype(np.int64)
    return input_values(family, entry, inputs).astype(np.int64)


def instantiate(family: Family, n: int) -> Circuit:
    """The circuit for length n; its blocks are written out when they are asked for.

    Raises:
        FomError: n is outside the domain.
    """
    family.domain.require(n)
    return Circuit(family, n, tuple(Block(family, entry, n) for entry in family.entries))


def connect(family: Family, entry: Gates | Accumulator, wires: Wires, n: int) -> csr_array:
    """The weights of one bundle of wires between all objects of the reader and all objects of the source.

    They are written row by row into arrays of their final size: at each place (x, y) where there are wires, row (x, i) gets the
    template's row i, behind those of smaller y. Where different y read the same object, weights are added.
    """
    source, k = family.by_name[wires.source], entry.n_positions
    points, positions = points_read(wires, k, n)
    reader, read = points[0], positions[0]
    for axis in points[1 : k + 1]:
        reader = reader * n + (axis - 1)
    for position in positions[1:]:
        read = read * n + (position - 1)
    template = wires.matrix
    shape = (entry.size * n**k, source.size * n**source.n_positions)
    once = reads_once(wires.at, wires.guard, k)
    most = int(np.abs(template.data).max(initial=0)) * (1 if once else n)
    kind = next(kind for kind in (np.int8, np.int16, np.int32, np.int64) if most <= np.iinfo(kind).max)
    index = np.int32 if max(*shape, len(reader) * template.nnz) < 1 << 31 else np.int64
    counts = np.diff(template.indptr)
    times = np.bincount(reader, minlength=n**k)
    starts = np.zeros(shape[0] + 1, dtype=index)
    np.cumsum(np.multiply.outer(times, counts).ravel(), out=starts[1:])
    columns, data = np.empty(int(starts[-1]), dtype=index), np.empty(int(starts[-1]), dtype=kind)
    if wires.guard is None:
        np.add.outer(
            (read * source.size).astype(index), template.indices, out=columns.reshape(len(reader), template.nnz)
        )
        data.reshape(len(reader), template.nnz)[...] = template.data
    else:
        rank = np.arange(len(reader)) - np.repeat(np.cumsum(times) - times, times)
        row = np.repeat(np.arange(entry.size), counts)
        within = np.arange(template.nnz) - template.indptr[row]
        step = max(1, CHUNK_WEIGHTS // max(1, template.nnz))
        for first in range(0, len(reader), step):
            part = slice(first, first + step)
            places = starts[reader[part, None] * entry.size + row] + rank[part, None] * counts[row] + within
            columns[places] = read[part, None] * source.size + template.indices
            data[places] = template.data
    connected: csr_array = csr_array((data, columns, starts), shape=shape)
    if not once:
        connected.sum_duplicates()
    return connected
