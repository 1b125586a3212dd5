"""Flattening: the wires of a gate through shared sums, down to bits, and how many there are at a length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.entries import Accumulator, Entry, Gates, Wires, places, points_read
from circuits.matrices import canonical
from circuits.positions import Guard, Term
from circuits.positions import substitute as substitute_guard

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Bundle:
    """Flat wires of one template from one source: how many weights other than 0, and where they exist."""

    source: str
    at: tuple[Term, ...]
    guard: Guard | None
    nnz: int

    def places(self, n_positions: int, n: int) -> int:
        """At how many tuples of positions the wires exist."""
        return int(places(Wires(self.source, self.at, canonical([[0]]), self.guard), n_positions, n).sum())


class WireCounter:
    """Counts the wires of a family at any length.

    A template whose gates each read one element of accumulators with different sources (a thermometer, a bit of a rounding) is
    counted from the accumulators' rows; only other templates are flattened.
    """

    def __init__(self, entries: Sequence[Entry], by_name: Mapping[str, Entry]) -> None:
        self.counted: list[tuple[int, Bundle]] = []
        self.flat: list[tuple[int, list[Wires]]] = []
        memo: dict[str, tuple[Wires, ...]] = {}
        for entry in entries:
            if isinstance(entry, Accumulator):
                memo[entry.name] = flatten(by_name, entry, memo)
            elif isinstance(entry, Gates):
                self.add(by_name, entry, memo)

    def add(self, by_name: Mapping[str, Entry], gates: Gates, memo: dict[str, tuple[Wires, ...]]) -> None:
        """Count one template by rows, or flatten it."""
        k = gates.n_positions
        bundles = list(row_counts(by_name, gates, memo))
        sources = [bundle.source for bundle in bundles]
        single = all((np.diff(wires.matrix.indptr) <= 1).all() for wires in gates.wires)
        apart = len(set(sources)) == len(sources) and all(reads_once(b.at, b.guard, k) for b in bundles)
        if single and apart:
            self.counted.extend((k, bundle) for bundle in bundles)
            return
        flat = flatten(by_name, gates, memo)
        for source in dict.fromkeys(wires.source for wires in flat):
            group = [wires for wires in flat if wires.source == source]
            first = group[0]
            if len(group) == 1 and reads_once(first.at, first.guard, k):
                self.counted.append((k, Bundle(source, first.at, first.guard, first.matrix.nnz)))
            else:
                self.flat.append((k, group))

    def __call__(self, n: int) -> int:
        """The number of wires at length n."""
        counts: dict[Any, int] = {}
        total = 0
        for k, bundle in self.counted:
            key = (k, bundle.at, bundle.guard)
            if key not in counts:
                counts[key] = bundle.places(k, n)
            total += bundle.nnz * counts[key]
        return total + sum(count_pairs(group, k, n) for k, group in self.flat)


def row_counts(by_name: Mapping[str, Entry], gates: Gates, memo: dict[str, tuple[Wires, ...]]) -> Iterator[Bundle]:
    """The flat wires of a template of which every gate reads at most one element of each source."""
    for wires in gates.wires:
        if not isinstance(by_name[wires.source], Accumulator):
            yield Bundle(wires.source, wires.at, wires.guard, wires.matrix.nnz)
            continue
        for inner in memo[wires.source]:
            at, guard = through(gates.n_positions, wires, inner)
            nnz = int(np.diff(inner.matrix.indptr)[wires.matrix.indices].sum())
            if nnz:
                yield Bundle(inner.source, tuple(term.substitute(at) for term in inner.at), guard, nnz)


def through(n_positions: int, wires: Wires, inner: Wires) -> tuple[tuple[Term, ...], Guard | None]:
    """The positions of an accumulator's inner variables as the reader sees them, and the guard of the composed wires."""
    if inner.guard is None:
        return wires.at, wires.guard
    at = (*wires.at, Term(((n_positions, 1),)))
    return at, substitute_guard(inner.guard, at)


def reads_once(at: tuple[Term, ...], guard: Guard | None, n_positions: int) -> bool:
    """Tell whether different places of a bundle read different source positions for the same gate."""
    return guard is None or any(variable >= n_positions for term in at for variable, _ in term.coefs)


def count_pairs(group: list[Wires], n_positions: int, n: int) -> int:
    """Count the pairs (gate, bit) with a weight other than 0, where several bundles may read the same bit.

    Two places that read each bundle equally often have the same sum of weights, which is therefore formed once.
    """
    links = []
    for wires in group:
        reader, read = points_read(wires, n_positions, n)
        link = np.zeros(len(reader[0]), dtype=np.int64)
        for axis in (*reader[1 : n_positions + 1], *read[1:]):
            link = link * n + axis - 1
        links.append(link)
    pairs, place = np.unique(np.concatenate(links), return_inverse=True)
    bundle = np.repeat(np.arange(len(group)), [len(link) for link in links])
    times = np.zeros((len(pairs), len(group)), dtype=np.int64)
    np.add.at(times, (place, bundle), 1)
    total = 0
    for row, count in zip(*np.unique(times, axis=0, return_counts=True), strict=True):
        weights = sum(
            (wires.matrix * int(often) for wires, often in zip(group, row, strict=True)), start=group[0].matrix * 0
        )
        total += int(np.count_nonzero(weights.data)) * int(count)
    return total


def flatten(
    by_name: Mapping[str, Entry], entry: Gates | Accumulator, memo: dict[str, tuple[Wires, ...]]
) -> tuple[Wires, ...]:
    """The wires of a gate template or an accumulator, through accumulators, down to bits.

    Wires from the same source at the same positions are added; weights that cancel vanish.

    Raises:
        FomError: an accumulator sums over positions something that itself sums over positions.
    """
    order = [
        other
        for other in reachable(by_name, entry)
        if isinstance(other, Accumulator) and other.name not in memo and other is not entry
    ]
    for accumulator in order:
        memo[accumulator.name] = merge(expand(by_name, accumulator, memo))
    return merge(expand(by_name, entry, memo))


def reachable(by_name: Mapping[str, Entry], entry: Entry) -> list[Entry]:
    """The accumulators that an entry reads, directly or through accumulators, sources first."""
    seen: dict[str, Entry] = {}
    stack: list[tuple[Entry, bool]] = [(entry, False)]
    while stack:
        current, done = stack.pop()
        if done:
            seen[current.name] = current
            continue
        if current.name in seen:
            continue
        stack.append((current, True))
        if isinstance(current, Gates | Accumulator):
            for wires in current.wires:
                source = by_name[wires.source]
                if isinstance(source, Accumulator):
                    stack.append((source, False))
    return list(seen.values())


def expand(
    by_name: Mapping[str, Entry], entry: Gates | Accumulator, memo: dict[str, tuple[Wires, ...]]
) -> Iterator[Wires]:
    """Replace every accumulator that is read by its own flat wires."""
    for wires in entry.wires:
        if not isinstance(by_name[wires.source], Accumulator):
            yield wires
            continue
        for inner in memo[wires.source]:
            if inner.guard is not None and wires.guard is not None:
                raise fail("C033", "a sum over positions inside a sum over positions", where=f"entry `{entry.name}`")
            at, guard = through(entry.n_positions, wires, inner)
            yield Wires(
                inner.source,
                tuple(term.substitute(at) for term in inner.at),
                canonical(wires.matrix @ inner.matrix),
                guard,
            )


def merge(wires: Iterator[Wires]) -> tuple[Wires, ...]:
    """Add wires that read the same source at the same positions."""
    merged: dict[Any, Wires] = {}
    for item in wires:
        key = (item.source, item.at, item.guard)
        found = merged.get(key)
        merged[key] = item if found is None else replace(found, matrix=canonical(found.matrix + item.matrix))
    return tuple(item for item in merged.values() if item.matrix.nnz)
