"""The finite description that the uniformity programs read: kinds of nodes, and the rules by which wires lead between them.

It is compiled once from a family and does not mention n. A kind is an entry whose objects are bits: inputs, constants and gate
templates. Shared sums are no nodes: a gate's rules lead through them, and what they add as constants is taken off its threshold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.entries import Accumulator, Gates, InputBits, PredicateBits, Wires
from circuits.family import Family
from circuits.flattening import flatten, through
from circuits.matrices import Matrix
from circuits.positions import FALSE, Guard, Term
from circuits.positions import substitute as substitute_guard
from circuits.uniformity.layout import Layout
from circuits.uniformity.tables import Table

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Places:
    """Where the wires of a rule come from: the terms `at`, once or for every y with the guard.

    The variables are the reader's positions, and after these y.
    """

    n_positions: int
    at: tuple[Term, ...]
    guard: Guard | None = None

    @cached_property
    def solved(self) -> int | None:
        """The term that tells y from the source's position, one with the coefficient 1 or -1 if there is one."""
        found = [(abs(c), place) for place, term in enumerate(self.at) for v, c in term.coefs if v == self.n_positions]
        return min(found)[1] if found else None

    @property
    def counted(self) -> bool:
        """Tell whether several places y lead to the same source, so that they must be counted."""
        return self.guard is not None and self.solved is None


@dataclass(frozen=True, eq=False)
class Rule:
    """Wires between two kinds: at `places`, with the weights of `table`."""

    source: int
    places: Places
    table: Table


@dataclass(frozen=True, eq=False)
class Threshold:
    """For each element ``const + length * n``, and for each guard ``(each + by_length * n) * (how many y satisfy it)``."""

    const: Integers
    length: Integers
    counts: tuple[Count, ...] = ()


@dataclass(frozen=True, eq=False)
class Count:
    """A number for each element, and a multiple of n, for every position that satisfies a guard."""

    guard: Guard
    each: Integers
    by_length: Integers

    def moved(self, at: Sequence[Term], weights: Matrix) -> Count:
        """The same read at other positions with weights."""
        return Count(substitute_guard(self.guard, at), weights @ self.each, weights @ self.by_length)


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of nodes: the input bits, constants or gates of an entry of the family."""

    entry: InputBits | PredicateBits | Gates
    level: int
    rules: tuple[Rule, ...] = ()
    threshold: Threshold | None = None

    @property
    def name(self) -> str:
        """The name of the entry."""
        return self.entry.name

    @property
    def n_positions(self) -> int:
        """How many positions a node of this kind has."""
        return self.entry.n_positions

    @property
    def size(self) -> int:
        """How many nodes there are at every tuple of positions."""
        return self.entry.size


@dataclass(frozen=True, eq=False)
class Description:
    """All kinds of nodes, level by level, and the layout of their ids."""

    kinds: tuple[Kind, ...]
    layout: Layout

    @cached_property
    def number_of(self) -> dict[str, int]:
        """The number of every kind."""
        return {kind.name: number for number, kind in enumerate(self.kinds)}

    @cached_property
    def sizes(self) -> Integers:
        """The size of every kind, and 0 for a number that is no kind."""
        return np.array([*(kind.size for kind in self.kinds), 0], dtype=np.int64)

    @cached_property
    def has_position(self) -> tuple[Integers, ...]:
        """For every position field, 1 for the kinds that have it."""
        return tuple(
            np.array([*(int(kind.n_positions > place) for kind in self.kinds), 0], dtype=np.int64)
            for place in range(self.layout.n_positions)
        )

    @cached_property
    def rules(self) -> dict[tuple[int, int], tuple[Rule, ...]]:
        """The rules between every pair of kinds that has any: (reader, source)."""
        found: dict[tuple[int, int], list[Rule]] = {}
        for reader, kind in enumerate(self.kinds):
            for rule in kind.rules:
                found.setdefault((reader, rule.source), []).append(rule)
        return {pair: tuple(rules) for pair, rules in found.items()}


def describe(family: Family) -> Description:
    """Compile a family into its finite description.

    Raises:
        FomError: a sum over positions of a sum over positions.
    """
    nodes = [entry for entry in family.entries if not isinstance(entry, Accumulator)]
    nodes.sort(key=lambda entry: family.levels[entry.name])
    number_of = {entry.name: number for number, entry in enumerate(nodes)}
    flat: dict[str, tuple[Wires, ...]] = {}
    constants: dict[str, Threshold] = {}
    kinds: dict[str, Kind] = {}
    for entry in family.entries:
        level = family.levels[entry.name]
        if isinstance(entry, Accumulator):
            flat[entry.name] = flatten(family.by_name, entry, flat)
            constants[entry.name] = constants_of(entry, constants)
        elif isinstance(entry, Gates):
            added = constants_of(entry, constants)
            counts = tuple(Count(one.guard, -one.each, -one.by_length) for one in added.counts)
            threshold = Threshold(entry.thresholds - added.const, -added.length, counts)
            kinds[entry.name] = Kind(entry, level, rules_of(entry, flat, number_of), threshold)
        else:
            kinds[entry.name] = Kind(entry, level)
    layout = Layout(
        (len(nodes) - 1).bit_length(),
        max(entry.n_positions for entry in nodes),
        max((entry.size - 1).bit_length() for entry in nodes),
    )
    return Description(tuple(kinds[entry.name] for entry in nodes), layout)


def rules_of(gates: Gates, flat: Mapping[str, tuple[Wires, ...]], number_of: Mapping[str, int]) -> tuple[Rule, ...]:
    """The rules of a template: its wires, through shared sums, down to bits."""
    rules: list[Rule] = []
    for wires in gates.wires:
        if wires.source not in flat:
            rules.append(
                Rule(number_of[wires.source], Places(gates.n_positions, wires.at, wires.guard), Table(wires.matrix))
            )
            continue
        for inner in flat[wires.source]:
            if wires.guard is not None and inner.guard is not None:
                raise fail("C033", "a sum over positions inside a sum over positions", where=f"entry `{gates.name}`")
            at, guard = through(gates.n_positions, wires, inner)
            places = Places(gates.n_positions, tuple(term.substitute(at) for term in inner.at), guard)
            rules.append(Rule(number_of[inner.source], places, Table.of_product(wires.matrix, inner.matrix)))
    return tuple(rule for rule in rules if rule.places.guard != FALSE and rule.table.row_sizes.any())


def constants_of(entry: Gates | Accumulator, constants: Mapping[str, Threshold]) -> Threshold:
    """What an entry adds up beside its wires to bits: its own constants and those of the shared sums that it reads."""
    const = np.zeros(entry.size, dtype=np.int64)
    length = np.zeros(entry.size, dtype=np.int64)
    if isinstance(entry, Accumulator):
        const, length = const + entry.const, length + entry.length
    counts: list[Count] = []
    for wires in entry.wires:
        inner = constants.get(wires.source)
        if inner is None:
            continue
        if wires.guard is None:
            const, length = const + wires.matrix @ inner.const, length + wires.matrix @ inner.length
            at = (*wires.at, Term(((entry.n_positions, 1),)))
            counts += [count.moved(at, wires.matrix) for count in inner.counts]
        elif inner.counts:
            raise fail("C033", "a sum over positions inside a sum over positions", where=f"entry `{entry.name}`")
        else:
            counts.append(Count(wires.guard, wires.matrix @ inner.const, wires.matrix @ inner.length))
    return Threshold(const, length, merged(counts))


def merged(counts: Sequence[Count]) -> tuple[Count, ...]:
    """Add what is counted with the same guard, and leave out what counts nothing."""
    found: dict[Guard, Count] = {}
    for one in counts:
        other = found.get(one.guard)
        if other is not None:
            one = Count(one.guard, one.each + other.each, one.by_length + other.by_length)
        found[one.guard] = one
    return tuple(one for one in found.values() if one.each.any() or one.by_length.any())
