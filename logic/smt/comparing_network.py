"""A network for the solver, with everything that depends on few choices tabulated.

What depends on the letters at one or two positions is a table by letters: embeddings, queries, keys, scores and exponentials of
a first layer never reach the solver. A sum or maximum over positions of tables that differ in the letter only depends on how
often each letter stands there; so that number is a choice too (`Choices.count`), and a network without positions, or the first
layer of one that counts, becomes a table over it. Only what remains is put to the solver: a word of a long sum by the thresholds
that it can reach, each a linear constraint. A quotient reaches a threshold where a multiple of the denominator does, so no
product of variables is left.

What is computed at one place is found again at the others, under their names of the choices, so a node is computed as often as
there are patterns, not places.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np
from pysmt.fnode import FNode

from circuits.formats import divide_half_even, round_half_even
from circuits.network import (
    Affine,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Predicates,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
    references,
)
from circuits.positions import Ref, holds
from circuits.readout import decisions
from logic.smt.comparing import Hopeless, Shared, Side
from logic.smt.comparing_choices import Choices
from logic.smt.comparing_patterns import MOST_CELLS, MOST_NAMED, Patterns
from logic.smt.comparing_positions import OverPositions
from logic.smt.comparing_thresholds import maximum_by_thresholds, name_word, word_by_thresholds
from logic.smt.comparing_values import Value, as_table, constant, dense, pointwise, simplified, supports, total
from logic.smt.comparing_words import first_set, numbers_of, places_of
from logic.smt.ground import ground
from logic.smt.monolithic import TimedEnvironment
from logic.smt.network_ground import NetworkGrounding, Place
from logic.syntax import TRUE, Sentence

Integers = np.ndarray[Any, np.dtype[np.int64]]
Key = tuple[int, ...]

MOST_CELLS_IN_PART = 1 << 13
"""Entries of a table in a network that cannot be tabulated as a whole."""
MEMORY = 1 << 31
"""Bytes of tables, by default."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What is tabulated.

    Attributes:
        memory: bytes of all tables.
        most_cells: joint letters in a table.
        most_named: joint letters from which on a word becomes a choice of its own.
    """

    memory: int = MEMORY
    most_cells: int = MOST_CELLS
    most_named: int = MOST_CELLS


def limits_of(network: Network, n: int, memory: int = MEMORY) -> Limits:
    """Tables over all letters where they are small enough, else small tables."""
    if len(network.alphabet) ** n <= MOST_CELLS:
        return Limits(memory)
    return Limits(memory, MOST_CELLS_IN_PART, MOST_NAMED)


class TabulatedNetwork:
    """The decisions of a network at one length.

    Raises:
        Hopeless: a word of a long sum has too many thresholds, or the tables take too much memory.
        OutOfTime: the deadline of the environment has passed.
    """

    def __init__(self, network: Network, shared: Shared, choices: Choices, limits: Limits) -> None:
        self.choices, self.n, self.smt = choices, shared.n, choices.smt
        self.frame = NetworkGrounding(network, shared.n, shared.env, shared.letters, _no_input)
        self.network = self.frame.network
        self.values: dict[tuple[str, Place], Value] = {}
        self.patterns = Patterns(choices, limits.memory, limits.most_cells, limits.most_named)
        self.compute()

    @property
    def constraints(self) -> list[FNode]:
        """What defines the choices."""
        return self.choices.constraints

    def numbers(self) -> Sequence[int]:
        """All that it can decide."""
        return numbers_of(self.network)

    def decided(self, place: Place, number: int) -> FNode:
        """Whether it decides a number at a place."""
        readout = self.network.decided
        value = self.values[readout.decision, place]
        key = tuple(sorted({choice for own in value.factors for choice in own}))
        if self.patterns.fits(key, value.size):
            table = dense(value, key, np.arange(value.size), self.choices)
            found = decisions(readout, self.network.word(readout.decision).format, table)
            return self.choices.cells(key, np.asarray(found == number))
        if readout.kind != "classes":
            raise Hopeless(f"`{readout.decision}` is a number of too many words")
        bits = [as_table(value.take(np.array([column])), self.choices) for column in range(value.size)]
        return first_set([self.choices.cells(key, table == 1) for key, table in bits], number, self.smt)

    # Places.

    def compute(self) -> None:
        """The values of all nodes at the places where they are read."""
        network = self.network
        needed = self.frame.needed(network.decided.decision, places_of(network, self.n))
        last = {ref.node: node.name for node in network.nodes for ref, _ in references(node)}
        last.pop(network.decided.decision, None)
        for node in network.nodes:
            for place in sorted(needed[node.name]):
                self.values[node.name, place] = self.value(node, place)
            gone = {name for name, reader in last.items() if reader == node.name}
            for name in gone:
                for place in needed[name]:
                    self.values.pop((name, place), None)

    def read(self, ref: Ref, place: Place) -> Value:
        """What a reference reads; outside the word it is 0."""
        at = self.frame.place(ref, place)
        if at is not None:
            return self.values[ref.node, at]
        return constant(np.zeros(self.network.by_name[ref.node].size, dtype=np.int64))

    def value(self, node: Node, place: Place) -> Value:
        """The value of a node at a place."""
        match node:
            case Letters(size=size):
                return self.patterns.interned(
                    Value({(self.choices.letter(place[0]),): np.eye(size, dtype=np.int64)}, size)
                )
            case Inputs() | Function():
                raise TypeError(f"`{node.name}` is no node of a network that reads words, written out")
            case Predicates(guards=guards):
                truths = np.array([int(holds(guard, self.n, place)) for guard in guards], dtype=np.int64)
                return self.patterns.interned(constant(truths))
            case Affine(operands=operands):
                given = [self.read(one.ref, place) for one in operands]
                return self.patterns.once(node.name, given, lambda given: self.affine(node, given))
            case Product(left=left, left_index=left_index, right=right, right_index=right_index):
                sides = [self.read(left, place), self.read(right, place)]
                return self.patterns.once(node.name, sides, lambda given: self.word(
                    node, [given[0].take(left_index), given[1].take(right_index)]))  # fmt: skip
            case Quotient(num=num, den=den, den_index=den_index):
                sides = [self.read(num, place), self.read(den, place)]
                return self.patterns.once(
                    node.name, sides, lambda given: self.word(node, [given[0], given[1].take(den_index)])
                )
            case Round(operand=operand) | Table(operand=operand):
                return self.patterns.once(node.name, [self.read(operand, place)], lambda given: self.word(node, given))
            case Sum(operand=operand, guard=guard):
                found = {y: self.read(operand, (*place, y)) for y in self.frame.where(guard, place)}
                return self.patterns.interned(
                    total(OverPositions(found, node.size, False, self.patterns).parts(), node.size)
                )
            case Maximum(operand=operand, guard=guard, groups=groups, segments=segments):
                parts = [self.best(self.read(ref, place), index, node) for ref, index in segments]
                if guard is None:
                    parts.append(self.best(self.read(operand, place), groups, node))
                else:
                    own = {y: self.best(self.read(operand, (*place, y)), groups, node)
                           for y in self.frame.where(guard, place)}  # fmt: skip
                    low = constant(np.full(node.size, node.format.lo, dtype=np.int64))
                    parts += OverPositions(own, node.size, True, self.patterns).parts() or [low]
                return self.patterns.interned(self.maximum(node, parts))
            case _:
                assert_never(node)

    # Nodes.

    def affine(self, node: Affine, operands: list[Value]) -> Value:
        """``sum(matrix @ operand) + const + length * n``."""
        parts = [given.times(one.matrix) for one, given in zip(node.operands, operands, strict=True)]
        return simplified(total([*parts, constant(node.const + self.n * node.length)], node.size))

    def word(self, node: Product | Round | Table | Quotient, operands: list[Value]) -> Value:
        """A word, or a product, element by element: from tables where these are small, else by thresholds."""
        parts = []
        for key, columns in supports(operands, node.size).items():
            if self.patterns.fits(key, len(columns)):
                if isinstance(node, Quotient):
                    self.require_positive(operands[1], key, columns)
                found = pointwise(_computing(node), operands, key, columns, node.size, self.choices)
                named = self.patterns.named(key) and not isinstance(node, Product)
                parts += [name_word(found, int(column), self.choices) for column in columns] if named else [found]
                continue
            if isinstance(node, Product):
                raise Hopeless(f"`{node.name}` multiplies words of long sums")
            parts += [
                word_by_thresholds(
                    node, [one.take(columns[i : i + 1]) for one in operands], int(columns[i]), self.choices
                )
                for i in range(len(columns))
            ]
        return simplified(total(parts, node.size))

    def require_positive(self, denominator: Value, key: Key, columns: Integers) -> None:
        """Leave out the words for which a denominator is not positive."""
        bad = np.asarray((dense(denominator, key, columns, self.choices) < 1).any(axis=-1))
        if bad.any():
            self.choices.constraints.append(self.smt.Not(self.choices.cells(key, bad)))

    def best(self, value: Value, groups: Integers, node: Maximum) -> Value:
        """The largest element of each group."""
        if groups.shape[1] == 1:
            return value.take(groups[:, 0])
        return self.maximum(node, [value.take(column) for column in groups.T])

    def maximum(self, node: Maximum, parts: list[Value]) -> Value:
        """The largest of values, element by element."""
        if len(parts) == 1:
            return parts[0]
        found = []
        for key, columns in supports(parts, node.size).items():
            if self.patterns.fits(key, len(columns)):
                found.append(pointwise(_maximum, parts, key, columns, node.size, self.choices))
                continue
            found += [
                maximum_by_thresholds(
                    node, [one.take(columns[i : i + 1]) for one in parts], int(columns[i]), self.choices
                )
                for i in range(len(columns))
            ]
        return simplified(total(found, node.size))


def _no_input(name: str) -> FNode:
    raise TypeError(f"`{name}` is a proposition")


def _maximum(tables: Sequence[Integers], _: Integers) -> Integers:
    found = tables[0]
    for table in tables[1:]:
        found = np.maximum(found, table)
    return found


def _computing(node: Product | Round | Table | Quotient) -> Callable[[Sequence[Integers], Integers], Integers]:
    """A node's definition, on tables of its operands."""
    match node:
        case Product():
            return lambda tables, _: tables[0] * tables[1]
        case Round(shift=shift, format=format_):
            return lambda tables, _: format_.clamp(round_half_even(tables[0], shift))
        case Table(breaks=breaks, codes=codes):
            return lambda tables, _: codes[np.searchsorted(breaks, tables[0], side="right")]
        case Quotient(shift=shift, format=format_):
            return lambda tables, _: format_.clamp(
                divide_half_even(tables[0] << max(shift, 0), np.maximum(tables[1], 1) << max(-shift, 0))
            )


class Tabulating:
    """The encoding of one query, whose networks share their choices."""

    def __init__(self, limits: Limits | None = None, memory: int = MEMORY) -> None:
        self.choices: Choices | None = None
        self.limits, self.memory = limits, memory

    def __call__(self, network: Network, shared: Shared) -> Side:
        """A network of the query."""
        if self.choices is None:
            self.choices = Choices(shared, network.alphabet)
        limits = self.limits if self.limits is not None else limits_of(network, shared.n, self.memory)
        return TabulatedNetwork(network, shared, self.choices, limits)


def hopeless(network: Network, n: int) -> str:
    """Why a network is out of reach of the encoding at a length; nothing if it is not."""
    env = TimedEnvironment()
    made = ground(Sentence(network.alphabet, (), (), TRUE), n, network.alphabet, env=env)
    try:
        Tabulating()(network, Shared(env, n, made.letters))
    except Hopeless as reason:
        return str(reason)
    return ""
