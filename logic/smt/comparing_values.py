"""Values of a network as sums of tables over choices, and how formulas are made of them.

A value is a vector of integers, the sum of *factors*: each is an array with one axis for each of a few choices and a last one for
the elements. What depends on few choices altogether is computed entry by entry, by the definition of its node (`pointwise`); a
long sum stays a sum, and only its comparisons become linear constraints (`at_least`), split by the choices that several of its
factors have in common.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from pysmt.fnode import FNode

from circuits import matrices
from circuits.matrices import Matrix
from logic.smt.comparing_choices import Choices

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]
Key = tuple[int, ...]
Factors = dict[Key, Integers]

MOST_SPLIT = 1 << 10
"""Cases into which a comparison is split."""


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A sum of tables; the keys are increasing."""

    factors: Factors
    size: int

    def range(self) -> tuple[Integers, Integers]:
        """Bounds of every element."""
        low, high = np.zeros(self.size, dtype=np.int64), np.zeros(self.size, dtype=np.int64)
        for table in self.factors.values():
            flat = table.reshape(-1, self.size)
            low, high = low + flat.min(axis=0), high + flat.max(axis=0)
        return low, high

    def take(self, index: Integers) -> Value:
        """Some of the elements."""
        return Value({key: table[..., index] for key, table in self.factors.items()}, len(index))

    def only(self, column: int) -> Value:
        """The same element, and 0 for the others."""
        mask = np.arange(self.size) == column
        return Value({key: table * mask for key, table in self.factors.items()}, self.size)

    def scaled(self, factor: int) -> Value:
        """A multiple."""
        return Value({key: table * factor for key, table in self.factors.items()}, self.size)

    def times(self, weights: Matrix) -> Value:
        """The product with a matrix."""
        found = {key: matrices.multiply(weights, table) for key, table in self.factors.items()}
        return Value(found, weights.shape[0])


def constant(numbers: Integers) -> Value:
    """A value that does not depend on the word."""
    return Value({(): numbers}, len(numbers))


def total(values: Sequence[Value], size: int) -> Value:
    """The sum of values."""
    found: Factors = {(): np.zeros(size, dtype=np.int64)}
    for value in values:
        for key, table in value.factors.items():
            found[key] = found[key] + table if key in found else table
    return Value(found, size)


def simplified(value: Value) -> Value:
    """The same value without axes along which nothing changes, and without tables of zeros."""
    parts = []
    for key, table in value.factors.items():
        kept = list(range(len(key)))
        for axis in reversed(range(len(key))):
            first = table.take([0], axis=axis)
            if (table == first).all():
                table = first.reshape(table.shape[:axis] + table.shape[axis + 1 :])
                kept.remove(axis)
        parts.append(Value({tuple(key[axis] for axis in kept): table}, value.size))
    found = total(parts, value.size)
    nonzero = {key: table for key, table in found.factors.items() if table.any()}
    return Value(nonzero or {(): np.zeros(value.size, dtype=np.int64)}, value.size)


def dense(value: Value, key: Key, columns: Integers, choices: Choices) -> Integers:
    """Some elements as one table over choices; along others nothing of them changes."""
    shape = (*[choices.sizes[choice] for choice in key], len(columns))
    found = np.zeros(shape, dtype=np.int64)
    for own, table in value.factors.items():
        part = table[(*[slice(None) if choice in key else 0 for choice in own], slice(None))][..., columns]
        found += part.reshape((*[choices.sizes[choice] if choice in own else 1 for choice in key], len(columns)))
    return found


def supports(values: Sequence[Value], size: int) -> dict[Key, Integers]:
    """The elements by the choices on which they depend."""
    depend: list[set[int]] = [set() for _ in range(size)]
    for value in values:
        for key, table in value.factors.items():
            for axis, choice in enumerate(key):
                changes = (table != table.take([0], axis=axis)).any(axis=tuple(range(len(key))))
                for column in np.flatnonzero(changes).tolist():
                    depend[column].add(choice)
    found: dict[Key, list[int]] = {}
    for column, one in enumerate(depend):
        found.setdefault(tuple(sorted(one)), []).append(column)
    return {key: np.array(columns, dtype=np.int64) for key, columns in found.items()}


def spread(key: Key, table: Integers, columns: Integers, size: int) -> Value:
    """A value whose elements beside some are 0."""
    found = np.zeros((*table.shape[:-1], size), dtype=np.int64)
    found[..., columns] = table
    return Value({key: found}, size)


def as_table(value: Value, choices: Choices) -> tuple[Key, Integers]:
    """A value of one element as one table over all the choices on which it depends."""
    ((key, columns),) = supports([value], 1).items()
    return key, dense(value, key, columns, choices)[..., 0]


Pointwise = Callable[[Sequence[Integers], Integers], Integers]


def pointwise(
    compute: Pointwise, operands: Sequence[Value], key: Key, columns: Integers, size: int, choices: Choices
) -> Value:
    """Compute elements entry by entry, from the operands' tables and the numbers of the elements."""
    tables = [dense(operand, key, columns, choices) for operand in operands]
    return spread(key, compute(tables, columns), columns, size)


def at_least(value: Value, bound: int, choices: Choices) -> FNode:
    """Whether a value of one element reaches a bound."""
    low, high = (int(limit[0]) for limit in value.range())
    if low >= bound or high < bound:
        return choices.smt.Bool(low >= bound)
    factors = {key: table[..., 0] for key, table in value.factors.items() if key}
    offset = int(value.factors[()][0]) if () in value.factors else 0
    uses = Counter(choice for key in factors for choice in key)
    shared = tuple(sorted(choice for choice, count in uses.items() if count > 1))
    if len(factors) == 1:
        ((key, table),) = factors.items()
        return choices.cells(key, table + offset >= bound)
    while choices.n_cells(shared) > MOST_SPLIT:
        shared = tuple(choice for choice in shared if choice != max(shared, key=choices.sizes.__getitem__))
    shape = tuple(choices.sizes[choice] for choice in shared)
    cases: dict[FNode, Truth] = {}
    for cell in np.ndindex(shape):
        chosen = dict(zip(shared, cell, strict=True))
        atom = linear_at_least(factors, chosen, bound - offset, choices)
        cases.setdefault(atom, np.zeros(shape, dtype=bool))[cell] = True
    return choices.either([choices.both([choices.cells(shared, where), atom]) for atom, where in cases.items()])


def linear_at_least(factors: Factors, chosen: dict[int, int], bound: int, choices: Choices) -> FNode:
    """Whether a sum of tables reaches a bound, some choices being made: one linear constraint on the others."""
    smt = choices.smt
    weights: Counter[FNode] = Counter()
    rest: dict[Key, Integers] = {}
    for key, table in factors.items():
        open_key = tuple(choice for choice in key if choice not in chosen)
        part = table[tuple(chosen.get(choice, slice(None)) for choice in key)]
        rest[open_key] = rest[open_key] + part if open_key in rest else part
    for key, table in rest.items():
        numbers = np.unique(table)
        base = int(numbers[0])
        bound -= base
        for number in numbers[1:].tolist():
            weights[choices.cells(key, table == number)] += number - base
    if bound <= 0 or sum(weights.values()) < bound:
        if bound <= 0 or not weights:
            return smt.Bool(bound <= 0)
        return smt.FALSE()
    unit = gcd(*weights.values())
    bound = -(-bound // unit)
    terms = []
    for literal, weight in weights.items():
        one = choices.bit(literal)
        terms.append(one if weight == unit else smt.Times(smt.Int(weight // unit), one))
    return smt.GE(smt.Plus(terms) if len(terms) > 1 else terms[0], smt.Int(bound))
