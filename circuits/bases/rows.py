"""A circuit as rows of weights: one matrix for every entry, over the objects of its sources side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.sparse import csr_array, hstack

from circuits.aig import Integers
from circuits.circuit import Circuit
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits
from circuits.matrices import canonical

Kind = Literal["input", "constant", "sum", "gate"]
KINDS: dict[type[Entry], Kind] = {
    InputBits: "input",
    PredicateBits: "constant",
    Accumulator: "sum",
    Gates: "gate",
}


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """The objects of one entry: ``weights @ sources + const``, compared with `thresholds` when they are gates.

    Attributes:
        name: the entry.
        level: 0 for inputs, constants and sums of these.
        kind: inputs and constants are bits without wires, a sum is a number.
        sources: the entries whose objects are the columns, one after the other; empty for inputs and constants.
        weights: one row for each object, in canonical form.
        const: what is added.
        thresholds: None where the objects are no gates.
    """

    name: str
    level: int
    kind: Kind
    sources: tuple[str, ...]
    weights: csr_array
    const: Integers
    thresholds: Integers | None

    @property
    def count(self) -> int:
        """Number of objects."""
        return len(self.const)


def rows_of(circuit: Circuit) -> Iterator[Rows]:
    """The entries of a circuit, in order."""
    for block in circuit.blocks:
        entry, bundles = block.entry, block.weights
        weights = csr_array((block.count, 0), dtype=np.int64)
        if bundles:
            weights = canonical(hstack([found for _, found in bundles], format="csr"))
        sources = tuple(source for source, _ in bundles)
        kind = KINDS[type(entry)]
        yield Rows(entry.name, block.level, kind, sources, weights, block.const, block.thresholds)


def given_rows(name: str, count: int) -> Rows:
    """Inputs."""
    return Rows(name, 0, "input", (), csr_array((count, 0), dtype=np.int64), np.zeros(count, dtype=np.int64), None)
