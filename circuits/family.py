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
from circuits.formats import Format
from circuits.matrices import Matrix, canonical
from circuits.network import Domain, Readout
from circuits.positions import Guard, Term, grid, holds
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
            below = max((levels[wires.source] for wires in entry.wires), default=0)
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

    def check(self) -> None:
        """Verify that the parts fit together.

        Raises:
            FomError: with every defect found.
        """
        found: list[Diagnostic] = []
        known: dict[str, Entry] = {}
        for entry in self.entries:
            where = f"entry `{entry.name}`"
            if entry.name in known:
                found.append(Diagnostic("C032", "the name is used twice", where=where))
            if isinstance(entry, Gates | Accumulator):
                for wires in entry.wires:
                    source = known.get(wires.source)
                    variables = entry.n_positions + (wires.guard is not None)
                    used = {variable for term in wires.at for variable, _ in term.coefs}
                    if source is None:
                        found.append(Diagnostic("C032", f"`{wires.source}` is not an earlier entry", where=where))
                    elif wires.matrix.shape != (entry.size, source.size):
                        found.append(Diagnostic("C032", f"the weights of `{wires.source}` do not fit", where=where))
                    elif len(wires.at) != source.n_positions or not all(0 <= v < variables for v in used):
                        found.append(Diagnostic("C032", f"`{wires.source}` is read at wrong positions", where=where))
                    elif isinstance(source, Accumulator) and not all(is_safe(term) for term in wires.at):
                        found.append(Diagnostic("C032", f"the sum `{wires.source}` is read outside the word", where=where))
            known[entry.name] = entry
        for name in (self.readout.decision, self.readout.scores, self.readout.denominator):
            if name is not None and name not in known:
                found.append(Diagnostic("C032", f"the readout `{name}` is no entry", where="readout"))
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
    """Count the pairs (gate, bit) with a weight other than 0, where several bundles may read the same bit."""
    total: dict[tuple[int, ...], Matrix] = {}
    for wires in group:
        reader, read = points_read(wires, n_positions, n)
        for row in range(len(reader[0])):
            own = tuple(int(axis[row]) for axis in reader[: n_positions + 1])
            key = (*own, *(int(position[row]) for position in read))
            total[key] = total[key] + wires.matrix if key in total else wires.matrix
    return sum(int(np.count_nonzero(weights.data)) for weights in total.values())


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
                inner.source, tuple(term.substitute(at) for term in inner.at), canonical(wires.matrix @ inner.matrix), guard
            )


def is_safe(term: Term) -> bool:
    """Tell whether a term always lies inside the word: a variable, or a place counted from one of the ends."""
    if len(term.coefs) == 1:
        return term.coefs[0][1] == 1 and not term.n_coef and not term.const
    return not term.coefs


def merge(wires: Iterator[Wires]) -> tuple[Wires, ...]:
    """Add wires that read the same source at the same positions."""
    merged: dict[Any, Wires] = {}
    for item in wires:
        key = (item.source, item.at, item.guard)
        found = merged.get(key)
        merged[key] = item if found is None else replace(found, matrix=canonical(found.matrix + item.matrix))
    return tuple(item for item in merged.values() if item.matrix.nnz)
