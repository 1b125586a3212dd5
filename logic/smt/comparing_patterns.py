"""What is computed at one place found again at the others: values are remembered by the pattern of their operands.

Two operands have the same pattern if their tables are the same objects and their choices come in the same order; what was
computed from the one is then that of the other under its names. So equal tables are kept as one object.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from logic.smt.comparing import Hopeless
from logic.smt.comparing_choices import Choices, CountChoice
from logic.smt.comparing_values import Value, pointwise
from logic.smt.monolithic import OutOfTime

Integers = np.ndarray[Any, np.dtype[np.int64]]
Key = tuple[int, ...]

MOST_CELLS = 1 << 17
"""Entries of a table, without its elements."""
MOST_JOINED = 1 << 8
"""Entries of a table over several words that are known by thresholds."""
MOST_NAMED = 1 << 6
"""Entries from which on a word is better a choice of its own, in a network that cannot be tabulated as a whole."""
MOST_MERGED = 1 << 15
"""Entries of the table into which the parts of a summand are joined."""


class Patterns:
    """The values of a network that are known by their operands, within a bound on the memory of their tables."""

    def __init__(self, choices: Choices, memory: int, most_cells: int, most_named: int) -> None:
        self.choices, self.left, self.most_cells, self.most_named = choices, memory, most_cells, most_named
        self.n = choices.shared.n
        self.known: dict[Any, tuple[Key, Value | None, list[Value]]] = {}
        self.tables: dict[tuple[tuple[int, ...], bytes], Integers] = {}

    def once(self, name: str, operands: list[Value], compute: Callable[[list[Value]], Value]) -> Value:
        """Compute a value, or rename the choices of the same one at another place.

        A value that makes choices or constraints is computed at every place.

        Raises:
            OutOfTime: the deadline has passed.
            Hopeless: the tables take too much memory.
        """
        names = sorted({choice for operand in operands for key in operand.factors for choice in key})
        short = {choice: number for number, choice in enumerate(names)}
        shapes = [
            tuple([(tuple([short[choice] for choice in key]), id(table)) for key, table in operand.factors.items()])
            for operand in operands
        ]
        signature = name, tuple([self.choices.sizes[choice] for choice in names]), tuple(shapes)
        old, value, _ = self.known.get(signature, ((), None, []))
        if value is not None:
            renamed = dict(zip(old, names, strict=True))
            factors = {tuple([renamed[choice] for choice in key]): table for key, table in value.factors.items()}
            return Value(factors, value.size)
        if time.monotonic() > self.choices.shared.env.formula_manager.deadline:
            raise OutOfTime
        before = len(self.choices.known), len(self.choices.constraints)
        value = compute(operands)
        self.left -= sum(table.nbytes for table in value.factors.values())
        if self.left < 0:
            raise Hopeless("the tables over letters take more memory than the limit")
        pure = before == (len(self.choices.known), len(self.choices.constraints))
        pure = pure and {choice for key in value.factors for choice in key} <= set(names)
        self.known[signature] = (tuple(names), value if pure else None, operands)
        return value

    def shared(self, table: Integers) -> Integers:
        """The one object that stands for equal tables."""
        return self.tables.setdefault((table.shape, table.tobytes()), table)

    def interned(self, value: Value) -> Value:
        """The same value with tables that are one object where they are equal."""
        return Value({key: self.shared(table) for key, table in value.factors.items()}, value.size)

    def fits(self, key: Key, n_columns: int) -> bool:
        """Whether a table over choices is small enough, smaller still for words known by thresholds."""
        known, cells = self.choices.known, self.choices.n_cells(key)
        words = sum(choice >= self.n and not isinstance(known[choice], CountChoice) for choice in key)
        most = MOST_JOINED if words > 1 else MOST_CELLS
        return cells <= most and self.letter_cells(key) <= self.most_cells and 8 * cells * n_columns <= self.left

    def letter_cells(self, key: Key) -> int:
        """The number of joint options of the letters among choices."""
        return self.choices.n_cells([choice for choice in key if choice < self.n])

    def named(self, key: Key) -> bool:
        """Whether a word is better a choice of its own than a table over so many letters."""
        return self.letter_cells(key) > self.most_named

    def joined(self, value: Value) -> Value:
        """The same value as one table, if that is small."""
        return self.once("", [value], self.join)

    def join(self, operands: list[Value]) -> Value:
        """One table for the factors of a value, if it is small."""
        (value,) = operands
        key = tuple(sorted({choice for own in value.factors for choice in own}))
        small = self.choices.n_cells(key) <= MOST_MERGED and self.fits(key, value.size)
        if len(value.factors) == 1 or not small:
            return value
        columns = np.arange(value.size)
        return pointwise(lambda tables, _: tables[0], [value], key, columns, value.size, self.choices)
