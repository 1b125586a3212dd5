"""The wires of one gate, found by walking down the family as it is written, without any of the programs.

This is the reference where a circuit is too large to be written out: at one length, for one gate, every shared sum that it reads
is followed through all its wires, position by position.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.entries import Accumulator, Gates, Wires
from circuits.family import Family
from circuits.positions import holds

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, eq=False)
class Reading:
    """Something read with the same weights at several positions: positions of shape ``(places, k)``, a row of weights."""

    source: str
    positions: Integers
    weights: csr_array


@dataclass(frozen=True, eq=False)
class GateWires:
    """The bits that a gate reads, and its threshold after all constants."""

    readings: tuple[Reading, ...]
    threshold: int

    @property
    def count(self) -> int:
        """How many weights there are, where several may be those of one wire."""
        return sum(len(reading.positions) * reading.weights.nnz for reading in self.readings)


def gate_wires(family: Family, n: int, gates: Gates, positions: tuple[int, ...], element: int) -> GateWires:
    """Walk down from one gate to all bits that it reads at length n."""
    bits: list[Reading] = []
    threshold = int(gates.thresholds[element])
    chosen = csr_array(([1], ([0], [element])), shape=(1, gates.size), dtype=np.int64)
    pending = [Reading(gates.name, np.array([positions], dtype=np.int64).reshape(1, -1), chosen)]
    while pending:
        reading = pending.pop()
        entry = family.by_name[reading.source]
        if not isinstance(entry, Gates | Accumulator) or (entry is not gates and isinstance(entry, Gates)):
            bits.append(reading)
            continue
        if isinstance(entry, Accumulator):
            constants = reading.weights @ (entry.const + n * entry.length)
            threshold -= len(reading.positions) * int(constants[0])
        for wires in entry.wires:
            weights = csr_array(reading.weights @ wires.matrix)
            weights.eliminate_zeros()
            if weights.nnz:
                pending.append(Reading(wires.source, positions_read(wires, reading.positions, n), weights))
    return GateWires(tuple(bits), threshold)


def positions_read(wires: Wires, reader: Integers, n: int) -> Integers:
    """The positions that wires read from each of the reader's positions; those outside the word are left out."""
    if wires.guard is not None:
        reader = np.column_stack([np.repeat(reader, n, axis=0), np.tile(np.arange(1, n + 1), len(reader))])
        reader = reader[np.broadcast_to(holds(wires.guard, n, list(reader.T)), (len(reader),))]
    columns = [np.broadcast_to(np.asarray(term.evaluate(n, list(reader.T))), (len(reader),)) for term in wires.at]
    read = np.column_stack(columns) if columns else np.zeros((len(reader), 0), dtype=np.int64)
    inside: Integers = read[((read >= 1) & (read <= n)).all(axis=1)]
    return inside
