"""Programs found for values: each variable as an expression of those before it.

Given are words, and variables with a value at each position: named directions of a residual stream, or what a network decides.
Expressions are evaluated by the interpreter of programs, so what is found is what the text says: first on some of the words, then
on all. A value agrees if it is nearer than half of the least distance between fractions whose denominators are lengths of the
words: then no other such fraction could be meant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from circuits.diagnostics import FomError
from logic.searching.programs import OUTPUT, RESERVED, Program, program
from logic.searching.programs_candidates import Candidates, Reals, Truth, Variable, names_in
from logic.searching.programs_run import Machine

Integers = np.ndarray[Any, np.dtype[np.int64]]

SCREEN = 48
"""Words of each length on which an expression is tried first."""


@dataclass(frozen=True)
class Line:
    """The expression found for a variable, and how far its values are from those observed, at most."""

    variable: str
    name: str
    text: str
    deviation: float


@dataclass(frozen=True)
class FoundProgram:
    """What was found: an expression for each variable that has one, and the program for the last variable if that has one.

    Attributes:
        places: positions of words at which the program was compared with the last variable.
    """

    lines: tuple[Line, ...]
    missing: tuple[str, ...]
    program: Program | None
    places: int


def find_program(
    letters: Sequence[str], words: Sequence[Integers], variables: Sequence[Variable], causal: bool = False
) -> FoundProgram:
    """Find expressions for variables, in their order; the last one is the output of the program.

    Of a causal program, nothing at a position depends on what comes after it.
    """
    finder = Finder(tuple(letters), words, causal)
    lines: list[Line] = []
    missing: list[str] = []
    for number, variable in enumerate(variables):
        is_last = number == len(variables) - 1
        found = finder.find(variable)
        if found is None:
            missing.append(variable.name)
            continue
        text, deviation = found
        name = OUTPUT if is_last else finder.keep(variable, text)
        lines.append(Line(variable.name, name, text, deviation))
    places = sum(int(part.sum()) for part in variables[-1].considered)
    if not lines or lines[-1].name != OUTPUT:
        return FoundProgram(tuple(lines), tuple(missing), None, places)
    every = [*finder.lines, (OUTPUT, lines[-1].text)]
    return FoundProgram(tuple(lines), tuple(missing), program(letters, needed(every), True), places)


def needed(lines: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The assignments that the last one depends on."""
    wanted = {lines[-1][0]}
    kept: list[tuple[str, str]] = []
    for name, text in reversed(lines):
        if name in wanted:
            kept.append((name, text))
            wanted |= names_in(text)
    return kept[::-1]


class Finder:
    """The search over expressions, on some words."""

    def __init__(self, letters: tuple[str, ...], words: Sequence[Integers], causal: bool = False) -> None:
        empty = Program(letters, (), True)
        batches = [np.asarray(batch, dtype=np.int64) for batch in words]
        self.rows = [np.unique(np.linspace(0, len(batch) - 1, SCREEN).astype(int)) for batch in batches]
        self.machines = [Machine(empty, batch) for batch in batches]
        self.screens = [Machine(empty, batch[rows]) for batch, rows in zip(batches, self.rows, strict=True)]
        longest = max(batch.shape[1] for batch in batches)
        self.tolerance = 1 / (2 * longest * max(longest - 1, 1)) if longest > 1 else 0.25
        self.lines: list[tuple[str, str]] = []
        self.candidates = Candidates(letters, self.machines, self.tolerance, causal)
        if all(re.fullmatch(r"-?\d{1,9}", letter) for letter in letters):
            table = ", ".join(f"{letter!r}: {int(letter)}" for letter in letters)
            self.assign("number", f"{{{table}}}[tokens]")

    def keep(self, variable: Variable, text: str) -> str:
        """Assign an expression to a name for a variable, unless the expression is a name already."""
        if text.isidentifier() and text not in ("True", "False"):
            return text
        plain = re.sub(r"\W", "_", variable.name)
        name = plain if plain.isidentifier() and plain not in RESERVED else f"v_{plain}"
        taken = {one for one, _ in self.lines} | {OUTPUT}
        while name in taken:
            name += "_"
        self.assign(name, text)
        return name

    def assign(self, name: str, text: str) -> None:
        """Add an assignment, whose value later expressions may use."""
        self.lines.append((name, text))
        node = ast.parse(text, mode="eval").body
        for machine in (*self.machines, *self.screens):
            machine.values[name] = machine.value(node)
        self.candidates.add(name)

    def find(self, variable: Variable) -> tuple[str, float] | None:
        """The first expression with the values of a variable, and how far it is from them."""
        parts = list(zip(variable.values, variable.considered, self.rows, strict=True))
        values, seen = tuple(v[rows] for v, _, rows in parts), tuple(s[rows] for _, s, rows in parts)
        some = replace(variable, values=values, considered=seen)
        for text in self.candidates.expressions(variable):
            node = ast.parse(text, mode="eval").body
            if self.deviation(node, some, self.screens) is None:
                continue
            deviation = self.deviation(node, variable, self.machines)
            if deviation is not None:
                return text, deviation
        return None

    def deviation(self, node: ast.expr, variable: Variable, machines: Sequence[Machine]) -> float | None:
        """How far the values of an expression are from those of a variable at most; None if they are not the same."""
        worst = 0.0
        for machine, values, seen in zip(machines, variable.values, variable.considered, strict=True):
            if not seen.any():
                continue
            try:
                found = machine.value(node)
            except FomError:
                return None
            if found.letters != variable.letters:
                return None
            distance = distances(np.broadcast_to(found.reals, seen.shape)[seen], values[seen])
            worst = max(worst, float(distance.max()))
            if worst >= self.tolerance:
                return None
        return worst


def distances(found: Reals, wanted: Reals) -> Reals:
    """How far values are from others: None is infinitely far from numbers."""
    missing, expected = np.isnan(found), np.isnan(wanted)
    return np.where(missing | expected, np.where(missing & expected, 0.0, np.inf), np.abs(found - wanted))


__all__ = ["Finder", "FoundProgram", "Integers", "Line", "Reals", "Truth", "Variable", "find_program"]
