"""The values that expressions of a program have together on some words."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from logic.searching.programs import Program
from logic.searching.programs_run import Machine

Integers = np.ndarray[Any, np.dtype[np.int64]]
Answer = Fraction | str

ROWS = 1 << 12


class Observed:
    """A program, run on words."""

    def __init__(self, program: Program, words: Sequence[Integers]) -> None:
        self.program = program
        self.words = [np.asarray(batch[at : at + ROWS]) for batch in words for at in range(0, len(batch), ROWS)]

    def joint(self, nodes: Sequence[ast.expr]) -> list[tuple[Answer | None, ...]]:
        """The combinations of values that expressions have at positions, in increasing order; None comes last."""
        found: set[tuple[int, ...]] = set()
        are_letters = [False] * len(nodes)
        for batch in self.words:
            machine = self.machine(batch)
            columns = []
            for place, node in enumerate(nodes):
                value = machine.value(node)
                are_letters[place] = value.letters
                columns += [
                    np.broadcast_to(part, batch.shape).reshape(-1) for part in (value.numerator, value.denominator)
                ]
            found |= {tuple(row) for row in np.unique(np.stack(columns, axis=1), axis=0).tolist()}
        rows = [
            tuple(self.answer(row[2 * place], row[2 * place + 1], letter) for place, letter in enumerate(are_letters))
            for row in found
        ]
        return sorted(rows, key=lambda row: [(one is None, isinstance(one, str), one or 0) for one in row])

    def machine(self, batch: Integers) -> Machine:
        """The machine after all assignments of the program."""
        made = Machine(self.program, batch.astype(np.int64))
        for name, expression in self.program.lines:
            made.values[name] = made.value(expression)
        return made

    def answer(self, numerator: int, denominator: int, is_letter: bool) -> Answer | None:
        """A value as a letter, a number, or None."""
        if is_letter:
            return self.program.letters[numerator] if numerator >= 0 else None
        return Fraction(numerator, denominator) if denominator else None
