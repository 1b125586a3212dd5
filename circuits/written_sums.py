"""The blocks of a circuit with their shared sums written out: the wires of a gate lead to bits only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
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


@dataclass(frozen=True, eq=False)
class WrittenSums:
    """The gates or shared sums of one entry: ``matrix @ bits + const``, where bits are those of entries side by side.

    Attributes:
        matrix: in row order, without duplicates and zeros.
        columns: for each entry of bits the first of its columns and the one behind its last.
    """

    entry: Gates | Accumulator
    matrix: csr_array
    columns: dict[str, tuple[int, int]]
    const: Integers

    @property
    def n_wires(self) -> int:
        """Number of weights other than 0."""
        return int(self.matrix.nnz)

    @cached_property
    def weights(self) -> dict[str, csr_array]:
        """The matrix of each entry of bits; one of which no bit is read is left out."""
        by_column = self.matrix.tocsc()
        parts = {
            source: by_column[:, start:stop]
            for source, (start, stop) in self.columns.items()
            if by_column.indptr[start] < by_column.indptr[stop]
        }
        return {source: canonical(part) for source, part in parts.items()}


def written_sums(blocks: Iterable[Summed]) -> Iterator[WrittenSums]:
    """The gates and shared sums of a circuit, in order."""
    known: dict[str, WrittenSums] = {}
    for block in blocks:
        if not isinstance(block.entry, Gates | Accumulator):
            continue
        columns: dict[str, tuple[int, int]] = {}
        parts: list[csr_array] = []
        const = block.const
        for source, weights in block.weights:
            inner = known.get(source)
            if inner is None:
                parts.append(placed(weights, columns, {source: (0, weights.shape[1])}))
            else:
                const = const + weights @ inner.const
                parts.append(placed(weights @ inner.matrix, columns, inner.columns))
        found = WrittenSums(block.entry, joined(parts, len(const), columns), columns, const)
        if isinstance(block.entry, Accumulator):
            known[block.entry.name] = found
        yield found


def placed(weights: csr_array, columns: dict[str, tuple[int, int]], own: Mapping[str, tuple[int, int]]) -> csr_array:
    """A matrix with its columns where those of the same entries are; entries that have none yet get them."""
    width = max((stop for _, stop in columns.values()), default=0)
    moved = np.zeros(weights.shape[1], dtype=np.int64)
    for source, (start, stop) in own.items():
        if source not in columns:
            columns[source] = width, width + stop - start
            width += stop - start
        moved[start:stop] = np.arange(*columns[source])
    return csr_array((weights.data, moved[weights.indices], weights.indptr), shape=(weights.shape[0], width))


def joined(parts: Sequence[csr_array], height: int, columns: Mapping[str, tuple[int, int]]) -> csr_array:
    """The sum of matrices, of which later ones have more columns."""
    width = max((stop for _, stop in columns.values()), default=0)
    total = csr_array((height, width), dtype=np.int64)
    for number, part in enumerate(parts):
        wide = csr_array((part.data, part.indices, part.indptr), shape=(height, width))
        total = csr_array(total + wide) if number else wide
    return canonical(total)
