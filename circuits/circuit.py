"""One threshold circuit, for one length, and its simulation.

A circuit is the instance of a family at n. Objects of an entry are numbered ``position tuple * size + element`` with the first
position slowest; `Block` holds the weights of one entry as sparse integer matrices over its sources' objects. Shared sums stay
shared: an accumulator block computes integers, a gate block compares integers with thresholds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array, hstack

from circuits.diagnostics import fail
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits, Wires, points_read
from circuits.family import Family
from circuits.inputs import input_columns, input_limits
from circuits.network import Readout
from circuits.positions import grid, holds

Integers = np.ndarray[Any, np.dtype[np.int64]]

CHUNK_ELEMENTS = 1 << 23


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """All objects of one entry: ``stacked @ sources + const``, compared with `thresholds` when they are gates.

    The columns of `stacked` are the objects of one source after the other; `sources` names these, with their numbers of
    objects, once for each bundle of wires.
    """

    entry: Entry
    level: int
    sources: tuple[tuple[str, int], ...]
    stacked: csr_array
    const: Integers
    thresholds: Integers | None

    @property
    def weights(self) -> list[tuple[str, csr_array]]:
        """The weights of each bundle of wires, with its source."""
        columns = self.stacked.tocsc()
        ends = np.cumsum([0, *(count for _, count in self.sources)])
        return [
            (name, csr_array(columns[:, first:last]))
            for (name, _), first, last in zip(self.sources, ends[:-1], ends[1:], strict=True)
        ]

    @property
    def count(self) -> int:
        """Number of objects."""
        return len(self.const)


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
        return sum(block.count for block in self.blocks if block.thresholds is not None)

    @cached_property
    def n_wires(self) -> int:
        """Number of wires, counted on this circuit: pairs of a gate and a bit that it reads with a weight other than 0."""
        flat: dict[str, dict[str, csr_array]] = {}
        total = 0
        for block in self.blocks:
            sums: dict[str, csr_array] = {}
            for source, weights in block.weights:
                for bits, product in flatten_block(source, weights, flat):
                    sums[bits] = sums[bits] + product if bits in sums else product
            if isinstance(block.entry, Accumulator):
                flat[block.entry.name] = sums
            elif block.thresholds is not None:
                total += sum(int(np.count_nonzero(weights.data)) for weights in sums.values())
        return total

    @property
    def depth(self) -> int:
        """Length of the longest path of gates, found from the wires of this circuit."""
        level: dict[str, int] = {}
        for block in self.blocks:
            used = np.unique(block.stacked.indices)
            ends = np.cumsum([count for _, count in block.sources])
            read = {block.sources[place][0] for place in np.unique(np.searchsorted(ends, used, side="right")).tolist()}
            below = max((level[source] for source in read), default=0)
            level[block.entry.name] = below + (block.thresholds is not None)
        return max(level.values(), default=0)

    def simulate(self, inputs: Integers, wanted: tuple[str, ...] = ()) -> dict[str, Integers]:
        """Evaluate the circuit on a batch, block after block.

        Args:
            inputs: letter numbers of shape ``(B, n)``, or codes ``(B, total)`` of the fixed-size inputs, one after the other.
            wanted: entries to return beside the readout's.

        Returns:
            Arrays of shape ``(B, n, .., n, size)``: 0 and 1 for gates, integers for accumulators.

        Raises:
            FomError: inputs of another length, or that are no letters or codes of the input.
        """
        inputs = np.asarray(inputs)
        if not self.family.inputs and inputs.shape[1] != self.n:
            raise fail("C040", f"the circuit reads words of length {self.n}, not {inputs.shape[1]}")
        check_codes(self.family, inputs)
        widest = max(block.count for block in self.blocks)
        chunk = max(1, CHUNK_ELEMENTS // widest)
        readout = self.readout
        kept = {readout.decision, readout.scores, *wanted}
        if readout.denominator is not None:
            kept.add(readout.denominator)
        parts = [self.simulate_chunk(inputs[at : at + chunk], kept) for at in range(0, max(1, len(inputs)), chunk)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def simulate_chunk(self, inputs: Integers, kept: set[str]) -> dict[str, Integers]:
        """Evaluate on a batch that fits in memory, dropping values that nobody reads any more."""
        last_use = {source: place for place, block in enumerate(self.blocks) for source, _ in block.sources}
        values: dict[str, Integers] = {}
        result: dict[str, Integers] = {}
        for place, block in enumerate(self.blocks):
            entry = block.entry
            if isinstance(entry, InputBits):
                value = input_bits(self.family, entry, inputs)
            else:
                value = np.repeat(block.const[:, None], len(inputs), axis=1)
                if block.sources:
                    value += block.stacked @ np.concatenate([values[source] for source, _ in block.sources])
                if block.thresholds is not None:
                    value = (value >= block.thresholds[:, None]).astype(np.int64)
            values[entry.name] = value
            if entry.name in kept:
                result[entry.name] = value.T.reshape(len(inputs), *(self.n,) * entry.n_positions, entry.size)
            for source in {source for source, _ in block.sources}:
                if last_use[source] == place:
                    del values[source]
        return result


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


def flatten_block(
    source: str, weights: csr_array, flat: dict[str, dict[str, csr_array]]
) -> Iterator[tuple[str, csr_array]]:
    """Weights over bits: those of an accumulator are composed with the accumulator's own."""
    if source not in flat:
        yield source, weights
        return
    for bits, inner in flat[source].items():
        yield bits, csr_array(weights @ inner)


def input_bits(family: Family, entry: InputBits, inputs: Integers) -> Integers:
    """The bits of an input entry, one row for each object, one column for each input of the batch."""
    if not family.inputs:
        hot = inputs[:, :, None] == np.arange(entry.size)
        return hot.reshape(len(inputs), inputs.shape[1] * entry.size).T.astype(np.int64)
    bit = int(entry.name[len(entry.base) + 1 :] or 0)
    source = next(node for node in family.inputs if node.name == entry.base)
    codes = inputs[:, input_columns(family.inputs)[entry.base]]
    return ((codes - source.format.lo >> bit) & 1).T.astype(np.int64)


def instantiate(family: Family, n: int) -> Circuit:
    """Write out the circuit for length n.

    Raises:
        FomError: n is outside the domain.
    """
    family.domain.require(n)
    blocks: list[Block] = []
    for entry in family.entries:
        count = entry.size * n**entry.n_positions
        thresholds: Integers | None = None
        sources: tuple[tuple[str, int], ...] = ()
        stacked = csr_array((count, 0), dtype=np.int64)
        const = np.zeros(count, dtype=np.int64)
        match entry:
            case PredicateBits(guards=guards, n_positions=k):
                points = grid(n, k)
                truth = [np.broadcast_to(holds(guard, n, points), (n,) * k) for guard in guards]
                const = np.stack(truth, axis=-1).ravel().astype(np.int64)
            case Gates() | Accumulator():
                bundles = [connect(family, entry, wires, n) for wires in entry.wires]
                sources = tuple((w.source, bundle.shape[1]) for w, bundle in zip(entry.wires, bundles, strict=True))
                if bundles:
                    stacked = csr_array(hstack(bundles, format="csr"))
                positions = n**entry.n_positions
                if isinstance(entry, Gates):
                    thresholds = np.tile(entry.thresholds, positions)
                else:
                    const = np.tile(entry.const + n * entry.length, positions)
            case InputBits():
                pass
        blocks.append(Block(entry, family.levels[entry.name], sources, stacked, const, thresholds))
    return Circuit(family, n, tuple(blocks))


def connect(family: Family, entry: Gates | Accumulator, wires: Wires, n: int) -> csr_array:
    """The weights of one bundle of wires between all objects of the reader and all objects of the source."""
    source = family.by_name[wires.source]
    k = entry.n_positions
    points, positions = points_read(wires, k, n)
    reader, read = points[0], positions[0]
    for axis in points[1 : k + 1]:
        reader = reader * n + (axis - 1)
    for position in positions[1:]:
        read = read * n + (position - 1)
    template = wires.matrix.tocoo()
    rows, columns = template.coords
    all_rows: Any = (reader[:, None] * entry.size + rows).ravel()
    all_columns: Any = (read[:, None] * source.size + columns).ravel()
    data: Any = np.tile(template.data, len(reader))
    shape = (entry.size * n**k, source.size * n**source.n_positions)
    connected: csr_array = csr_array((data, (all_rows, all_columns)), shape=shape, dtype=np.int64)
    return connected
