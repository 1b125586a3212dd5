"""Families of threshold circuits: one finite description, independent of n, of a circuit for every length.

A family is a list of entries in topological order. An entry stands for ``size`` objects at every tuple of positions:

* `InputBits`: the bits the circuit reads (letters at positions, or the bits of a fixed-size input);
* `PredicateBits`: constants that depend on positions and n alone;
* `Gates`: threshold gates ``[sum of weights * wires >= threshold]`` with integer weights: the *templates*;
* `Accumulator`: an integer sum of wires that several gates share. It is no gate: a gate that reads an accumulator has, as its
  wires, all wires of that accumulator (`flatten`). Sharing sums keeps a family as small as the network it came from.

Wires lead from a source entry at substituted positions, or from *all* positions y that satisfy a guard (the unbounded fan-in).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from circuits.diagnostics import Diagnostic, FomError, fail
from circuits.formats import BIT, Format
from circuits.matrices import Matrix, canonical
from circuits.network import Domain, Readout
from circuits.positions import Guard, Term, grid, guard_terms, holds, is_safe, variables_of
from circuits.positions import substitute as substitute_guard

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """Weighted wires from `source`, read at `at`; matrix of shape (size of the reader, size of the source).

    With a guard, wires come from every position y that satisfies it; y is the variable after the reader's own.
    """

    source: str
    at: tuple[Term, ...]
    matrix: Matrix
    guard: Guard | None = None


@dataclass(frozen=True, slots=True, eq=False)
class InputBits:
    """Bits of the input: `letters` (one position) or the bits of a fixed-size input (none)."""

    name: str
    base: str
    n_positions: int
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class PredicateBits:
    """Bits that depend on positions alone, one guard for each element."""

    name: str
    base: str
    n_positions: int
    guards: tuple[Guard, ...]

    @property
    def size(self) -> int:
        return len(self.guards)


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """A template: `size` threshold gates at every tuple of positions; gate i fires iff its wires add up to ``thresholds[i]``."""

    name: str
    base: str
    n_positions: int
    wires: tuple[Wires, ...]
    thresholds: Integers

    @property
    def size(self) -> int:
        return len(self.thresholds)


@dataclass(frozen=True, slots=True, eq=False)
class Accumulator:
    """A shared integer sum: wires plus ``const + length * n``."""

    name: str
    base: str
    n_positions: int
    wires: tuple[Wires, ...]
    const: Integers
    length: Integers

    @property
    def size(self) -> int:
        return len(self.const)


Entry = InputBits | PredicateBits | Gates | Accumulator


def label(entry: Entry, element: int) -> str:
    """The name of one element: ``h[3].2`` is element 3 of entry ``h.2``, whose base is ``h``."""
    return f"{entry.base}[{element}]{entry.name[len(entry.base) :]}"


@dataclass(frozen=True)
class Family:
    """Entries in topological order with the readout and the domain of n.

    `alphabet` names the letters; `input_format` is the format of each number of a fixed-size input. `formats` gives, for each
    word that the readout needs, its format.
    """

    entries: tuple[Entry, ...]
    readout: Readout
    decision_format: Format
    domain: Domain
    alphabet: tuple[str, ...]
    input_format: Format | None
    depth_choice: str
    by_name: dict[str, Entry] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {entry.name: entry for entry in self.entries})

    @cached_property
    def levels(self) -> dict[str, int]:
        """Level of every entry: 0 for inputs; a gate is one above everything it reads. The same for every n."""
        levels: dict[str, int] = {}
        for entry in self.entries:
            if isinstance(entry, InputBits | PredicateBits):
                levels[entry.name] = 0
                continue
            below = max((levels[wires.source] for wires in entry.wires if wires.matrix.nnz), default=0)
            levels[entry.name] = below + 1 if isinstance(entry, Gates) else below
        return levels

    @property
    def depth(self) -> int:
        """Number of gate levels, independent of n."""
        return max(self.levels.values(), default=0)

    @property
    def templates(self) -> tuple[Gates, ...]:
        """The gate templates."""
        return tuple(entry for entry in self.entries if isinstance(entry, Gates))

    def gates(self, n: int) -> int:
        """Number of gates at length n."""
        return sum(gates.size * n**gates.n_positions for gates in self.templates)

    @cached_property
    def flat_wires(self) -> dict[str, tuple[Wires, ...]]:
        """The wires of every template, through accumulators, down to bits."""
        memo: dict[str, tuple[Wires, ...]] = {}
        return {gates.name: flatten(self, gates, memo) for gates in self.templates}

    def wires(self, n: int) -> int:
        """Number of wires at length n: pairs of a gate and a bit that it reads with a weight other than 0."""
        total = 0
        counts: dict[Any, int] = {}
        for gates in self.templates:
            flat = self.flat_wires[gates.name]
            sources = [wires.source for wires in flat]
            for wires in flat:
                if sources.count(wires.source) == 1 and reads_once(wires, gates.n_positions):
                    key = (gates.n_positions, wires.at, wires.guard)
                    if key not in counts:
                        counts[key] = int(places(wires, gates.n_positions, n).sum())
                    total += wires.matrix.nnz * counts[key]
            for source in set(sources):
                group = [wires for wires in flat if wires.source == source]
                if len(group) > 1 or not reads_once(group[0], gates.n_positions):
                    total += count_pairs(group, gates.n_positions, n)
        return total

    def is_input(self, entry: InputBits) -> bool:
        """Tell whether an input entry is the letters of this alphabet, or one bit of the input format."""
        if self.input_format is None:
            return entry.n_positions == 1 and entry.size == len(self.alphabet)
        if self.input_format == BIT:
            return entry.n_positions == 0 and entry.name == entry.base
        bits = [f"{entry.base}.{bit}" for bit in range(self.input_format.bits)]
        return entry.n_positions == 0 and entry.name in bits

    def check(self) -> None:
        """Verify that the parts fit together.

        Raises:
            FomError: with every defect found.
        """
        found: list[Diagnostic] = []
        known: dict[str, Entry] = {}
        summing: set[str] = set()
        if not any(isinstance(entry, InputBits) for entry in self.entries):
            found.append(Diagnostic("C032", "no entry is an input"))
        if self.domain.least < 1:
            found.append(Diagnostic("C032", "the least length is at least 1", where="domain"))
        for entry in self.entries:
            where = f"entry `{entry.name}`"
            if entry.name in known:
                found.append(Diagnostic("C032", "the name is used twice", where=where))
            guards = [(guard, 0) for guard in entry.guards] if isinstance(entry, PredicateBits) else []
            if isinstance(entry, Accumulator) and len(entry.length) != entry.size:
                found.append(Diagnostic("C032", "the constants differ in length", where=where))
            if isinstance(entry, InputBits) and not self.is_input(entry):
                found.append(Diagnostic("C032", "the bits do not fit the input", where=where))
            if isinstance(entry, Gates | Accumulator):
                guards = [(wires.guard, 1) for wires in entry.wires if wires.guard is not None]
                for wires in entry.wires:
                    source = known.get(wires.source)
                    variables = entry.n_positions + (wires.guard is not None)
                    used = variables_of(wires.at)
                    if wires.source in summing:
                        if wires.guard is not None:
                            found.append(
                                Diagnostic("C033", f"`{wires.source}` sums over positions already", where=where)
                            )
                        if isinstance(entry, Accumulator):
                            summing.add(entry.name)
                    elif wires.guard is not None and isinstance(entry, Accumulator):
                        summing.add(entry.name)
                    if source is None:
                        found.append(Diagnostic("C032", f"`{wires.source}` is not an earlier entry", where=where))
                    elif wires.matrix.shape != (entry.size, source.size):
                        found.append(Diagnostic("C032", f"the weights of `{wires.source}` do not fit", where=where))
                    elif len(wires.at) != source.n_positions or not all(0 <= v < variables for v in used):
                        found.append(Diagnostic("C032", f"`{wires.source}` is read at wrong positions", where=where))
                    elif isinstance(source, Accumulator) and not all(
                        is_safe(term, self.domain.least) for term in wires.at
                    ):
                        found.append(
                            Diagnostic("C032", f"the sum `{wires.source}` is read outside the word", where=where)
                        )
            for guard, extra in guards:
                if not all(0 <= v < entry.n_positions + extra for v in variables_of(guard_terms(guard))):
                    found.append(Diagnostic("C032", "a guard has an unbound position", where=where))
            known[entry.name] = entry
        named = (self.readout.decision, self.readout.scores, self.readout.denominator)
        found.extend(
            Diagnostic("C032", f"the readout `{name}` is no entry", where="readout")
            for name in named
            if name is not None and name not in known
        )
        if found:
            raise FomError(*found)


def places(wires: Wires, n_positions: int, n: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The position tuples (with the bound one last, if any) at which wires exist: guard true, source inside the word."""
    variables = n_positions + (wires.guard is not None)
    points = grid(n, variables)
    present = np.ones((n,) * variables, dtype=bool)
    if wires.guard is not None:
        present = present & holds(wires.guard, n, points)
    for term in wires.at:
        position = np.asarray(term.evaluate(n, points))
        present = present & (position >= 1) & (position <= n)
    return present


def reads_once(wires: Wires, n_positions: int) -> bool:
    """Tell whether different places of the bundle read different source positions for the same gate."""
    bound = {variable for term in wires.at for variable, _ in term.coefs if variable >= n_positions}
    return wires.guard is None or bool(bound)


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


def points_read(wires: Wires, n_positions: int, n: int) -> tuple[list[Integers], list[Integers]]:
    """Where wires exist: the reader's positions with the bound one, and the positions of the source, one array for each.

    Both lists begin with a column of zeros, so that they have a length even where there is no position.
    """
    present = places(wires, n_positions, n)
    reader = [axis + 1 for axis in np.nonzero(present)] if present.ndim else []
    count = int(present.sum())
    source = [np.broadcast_to(np.asarray(term.evaluate(n, reader)), (count,)) for term in wires.at]
    return [np.zeros(count, dtype=np.int64), *reader], [np.zeros(count, dtype=np.int64), *source]


def flatten(family: Family, entry: Gates | Accumulator, memo: dict[str, tuple[Wires, ...]]) -> tuple[Wires, ...]:
    """The wires of a gate template or an accumulator, through accumulators, down to bits.

    Wires from the same source at the same positions are added; weights that cancel vanish.

    Raises:
        FomError: an accumulator sums over positions something that itself sums over positions.
    """
    order = [
        other
        for other in reachable(family, entry)
        if isinstance(other, Accumulator) and other.name not in memo and other is not entry
    ]
    for accumulator in order:
        memo[accumulator.name] = merge(expand(family, accumulator, memo))
    return merge(expand(family, entry, memo))


def reachable(family: Family, entry: Entry) -> list[Entry]:
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
                source = family.by_name[wires.source]
                if isinstance(source, Accumulator):
                    stack.append((source, False))
    return list(seen.values())


def expand(family: Family, entry: Gates | Accumulator, memo: dict[str, tuple[Wires, ...]]) -> Iterator[Wires]:
    """Replace every accumulator that is read by its own flat wires."""
    for wires in entry.wires:
        if not isinstance(family.by_name[wires.source], Accumulator):
            yield wires
            continue
        for inner in memo[wires.source]:
            if inner.guard is not None and wires.guard is not None:
                raise fail("C033", "a sum over positions inside a sum over positions", where=f"entry `{entry.name}`")
            own = entry.n_positions
            at = wires.at if inner.guard is None else (*wires.at, Term(((own, 1),)))
            guard = wires.guard if inner.guard is None else substitute_guard(inner.guard, at)
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
