"""Sums and maxima over positions: tables that differ only in whose letter they read become one over the numbers of letters."""

from __future__ import annotations

from typing import Any

import numpy as np

from logic.smt.comparing_choices import CountChoice
from logic.smt.comparing_patterns import Patterns
from logic.smt.comparing_values import Value, simplified, total

Integers = np.ndarray[Any, np.dtype[np.int64]]
Key = tuple[int, ...]


class OverPositions:
    """The sum, or with `largest` the maximum, of values at positions, as that of fewer values."""

    def __init__(self, found: dict[int, Value], size: int, largest: bool, patterns: Patterns) -> None:
        self.size, self.largest, self.patterns, self.choices = size, largest, patterns, patterns.choices
        self.values = {y: patterns.joined(value) for y, value in found.items()}

    def parts(self) -> list[Value]:
        """The values whose sum or maximum it is."""
        parts: list[Value] = []
        absorbed: set[int] = set()
        for others, table, positions in self.groups():
            own = [y for y in positions if y not in absorbed]
            readers = [choice + 1 for choice in others if choice + 1 in self.values and choice + 1 not in absorbed]
            own += [x for x in readers if self.looks_like(x, others, table)]
            absorbed.update(own)
            if own:
                parts += self.counted(others, table, sorted(own))
        return parts + [value for y, value in self.values.items() if y not in absorbed]

    def groups(self) -> list[tuple[Key, Integers, list[int]]]:
        """Positions with the same table over other choices and the letter there, which has the last axis but one; large first."""
        alike: dict[tuple[Key, int, int], list[int]] = {}
        for y, value in self.values.items():
            if len(value.factors) == 1:
                ((key, table),) = value.factors.items()
                if self.choices.letter(y) in key:
                    axis = key.index(self.choices.letter(y))
                    alike.setdefault((key[:axis] + key[axis + 1 :], id(table), axis), []).append(y)
        groups: dict[tuple[Key, int], tuple[Integers, list[int]]] = {}
        for (others, _, axis), positions in alike.items():
            (whole,) = self.values[positions[0]].factors.values()
            table = self.patterns.shared(np.ascontiguousarray(np.moveaxis(whole, axis, -2)))
            groups.setdefault((others, id(table)), (table, []))[1].extend(positions)
        found = [(others, table, positions) for (others, _), (table, positions) in groups.items()]
        return sorted(found, key=lambda group: -len(group[2]))

    def looks_like(self, x: int, others: Key, table: Integers) -> bool:
        """Whether the value at a reader's own position is that of a table over its letter and the letter at another position."""
        value = self.values[x]
        if self.largest and len(value.factors) > 1:
            return False
        own = Value({others: -diagonal(table, others.index(self.choices.letter(x)))}, self.size)
        difference = simplified(total([value, own], self.size))
        return not any(part.any() for part in difference.factors.values())

    def counted(self, others: Key, table: Integers, positions: list[int]) -> list[Value]:
        """Equal tables at positions: one over the numbers of letters if that is small, else one for each position."""
        choice = self.choices.count(tuple(positions)) if len(positions) > 1 else None
        known = None if choice is None else self.choices.known[choice]
        if choice is not None and isinstance(known, CountChoice):
            key = tuple(sorted({*others, choice}))
            if self.patterns.fits(key, self.size):
                place = key.index(choice)
                wide = table if choice in others else np.expand_dims(table, place)
                vectors = known.vectors.reshape(len(known.vectors), *(1,) * (len(key) - place - 1), -1, 1)
                return [Value({key: self.reduced(wide, vectors)}, self.size)]
        return [self.read(others, table, self.choices.letter(y)) for y in positions]

    def reduced(self, table: Integers, vectors: Integers) -> Integers:
        """Reduce the axis of the letter: by how often each letter stands there, or by whether it does."""
        if not self.largest:
            return (table * vectors).sum(axis=-2)
        least = np.iinfo(np.int64).min
        return np.where(vectors > 0, table, least).max(axis=-2)

    def read(self, others: Key, table: Integers, letter: int) -> Value:
        """A table at one position."""
        if letter in others:
            return Value({others: diagonal(table, others.index(letter))}, self.size)
        key = tuple(sorted((*others, letter)))
        return Value({key: np.moveaxis(table, -2, key.index(letter))}, self.size)


def diagonal(table: Integers, axis: int) -> Integers:
    """A table where the last axis but one has the same option as another."""
    return np.moveaxis(np.diagonal(table, axis1=axis, axis2=table.ndim - 2), -1, axis)
