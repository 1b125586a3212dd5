"""The blocks of a circuit with their shared sums written out: the wires of a gate lead to bits only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.sparse import csr_array

from circuits.entries import Accumulator, Entry, Gates
from circuits.matrices import canonical

Integers = np.ndarray[Any, np.dtype[np.int64]]


class Summed(Protocol):
    """The part of a block that is read here."""

    @property
    def entry(self) -> Entry: ...
    @property
    def weights(self) -> list[tuple[str, csr_array]]: ...
    @property
    def const(self) -> Integers: ...


@dataclass(frozen=True, slots=True, eq=False)
class WrittenSums:
    """The gates or shared sums of one entry: ``sum of weights[source] @ source + const``, where every source is an entry of bits.

    Matrices are in row order, without duplicates and zeros; an entry of which no bit is read is left out.
    """

    entry: Gates | Accumulator
    weights: dict[str, csr_array]
    const: Integers

    @property
    def n_wires(self) -> int:
        """Number of weights other than 0."""
        return sum(int(weights.nnz) for weights in self.weights.values())


def written_sums(blocks: Iterable[Summed]) -> Iterator[WrittenSums]:
    """The gates and shared sums of a circuit, in order."""
    known: dict[str, WrittenSums] = {}
    for block in blocks:
        if not isinstance(block.entry, Gates | Accumulator):
            continue
        sums: dict[str, csr_array] = {}
        const = block.const
        for source, weights in block.weights:
            inner = known.get(source)
            if inner is None:
                add(sums, source, weights)
                continue
            const = const + weights @ inner.const
            for bits, product in inner.weights.items():
                add(sums, bits, csr_array(weights @ product))
        found = WrittenSums(
            block.entry, {source: tidy for source, weights in sums.items() if (tidy := canonical(weights)).nnz}, const
        )
        if isinstance(block.entry, Accumulator):
            known[block.entry.name] = found
        yield found


def add(sums: dict[str, csr_array], source: str, weights: csr_array) -> None:
    """Add weights to those of the same source."""
    sums[source] = csr_array(sums[source] + weights) if source in sums else weights
