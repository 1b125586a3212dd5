"""Programs found for values: each variable as an expression of those before it.

Given are words, and variables with a value at each position: named directions of a residual stream, or what a network decides.
Expressions are tried from the plainest on: a variable found before, a table of it, the width of a selector, the mean over
one, sums, differences and maxima of two, a table of two. They are evaluated by the interpreter of programs, so what is found
is what the text says. A value agrees if it is nearer than half of the least distance between fractions whose denominators are
lengths of the words: then no other such fraction could be meant.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.diagnostics import FomError
from logic.searching.programs import OUTPUT, RESERVED, Program, program
from logic.searching.programs_run import Machine

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]
Reals = np.ndarray[Any, np.dtype[np.float64]]

MOST_CASES = 64
OFFSETS = (1, 2, -1)


@dataclass(frozen=True)
class Variable:
    """A value at each position of some words: numbers, or letters by their numbers.

    Attributes:
        values: ``(B, n)`` for each batch of words.
        considered: of the same shapes, where it has a meaning.
        letters: whether the numbers are those of letters.
    """

    name: str
    values: tuple[Reals, ...]
    considered: tuple[Truth, ...]
    letters: bool = False


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


def find_program(letters: Sequence[str], words: Sequence[Integers], variables: Sequence[Variable]) -> FoundProgram:
    """Find expressions for variables, in their order; the last one is the output of the program."""
    finder = Finder(tuple(letters), words)
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
            wanted |= {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
    return kept[::-1]


class Finder:
    """The search over expressions, on some words."""

    def __init__(self, letters: tuple[str, ...], words: Sequence[Integers]) -> None:
        self.letters = letters
        empty = Program(letters, (), True)
        self.machines = [Machine(empty, np.asarray(batch, dtype=np.int64)) for batch in words]
        longest = max(batch.shape[1] for batch in words)
        self.tolerance = 1 / (2 * longest * max(longest - 1, 1)) if longest > 1 else 0.25
        self.lines: list[tuple[str, str]] = []
        self.numbers, self.lettered = ["indices"], ["tokens"]
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
        for machine in self.machines:
            machine.values[name] = machine.value(node)
        (self.lettered if self.machines[0].values[name].letters else self.numbers).append(name)

    def find(self, variable: Variable) -> tuple[str, float] | None:
        """The first expression with the values of a variable, and how far it is from them."""
        for text in self.expressions(variable):
            deviation = self.deviation(text, variable)
            if deviation is not None and deviation < self.tolerance:
                return text, deviation
        return None

    def deviation(self, text: str, variable: Variable) -> float | None:
        """How far the values of an expression are from those of a variable at most; None if it has none."""
        worst = 0.0
        node = ast.parse(text, mode="eval").body
        for machine, values, seen in zip(self.machines, variable.values, variable.considered, strict=True):
            if not seen.any():
                continue
            try:
                found = machine.value(node)
            except FomError:
                return None
            if found.letters != variable.letters:
                return None
            difference = np.abs(found.numerator / found.denominator - values)
            worst = max(worst, float(np.broadcast_to(difference, seen.shape)[seen].max()))
            if worst >= max(self.tolerance, 1e-9):
                return None
        return worst

    # Expressions.

    def expressions(self, variable: Variable) -> Iterator[str]:
        """Expressions to try, the plainest first."""
        values = np.concatenate([v[s] for v, s in zip(variable.values, variable.considered, strict=True)])
        if len(values) and (np.abs(values - np.round(values[0])) < self.tolerance).all() and not variable.letters:
            yield str(int(np.round(values[0])))
        if variable.letters:
            yield from self.lettered
        else:
            yield from self.numbers
            yield "length"
            yield from (f"1 * (tokens == {letter!r})" for letter in self.letters)
        for one in (*self.lettered, *self.numbers):
            yield from self.table(variable, (one,))
        if not variable.letters:
            yield from (f"selector_width({one})" for one in self.selectors())
        averaged = (
            self.lettered if variable.letters else [*self.numbers, *(f"tokens == {one!r}" for one in self.letters)]
        )
        for selector in self.selectors():
            yield from (f"aggregate({selector}, {one})" for one in averaged)
        if not variable.letters:
            yield from self.of_two()
        for place, one in enumerate(self.numbers):
            for other in (*self.lettered, *self.numbers[:place]):
                yield from self.table(variable, (other, one))

    def selectors(self) -> Iterator[str]:
        """Selectors: by equal letters, by letters, by offsets, by comparing two variables; then also of what is not later."""
        yield "select(True, True, EQ)"
        plain = ["select(tokens, tokens, EQ)", *(f"select(tokens, {letter!r}, EQ)" for letter in self.letters)]
        yield from plain
        yield "select(tokens, tokens, NEQ)"
        for predicate in ("LEQ", "LT", "GEQ", "GT"):
            yield f"select(indices, indices, {predicate})"
        for offset in OFFSETS:
            yield f"select(indices, indices {'-' if offset > 0 else '+'} {abs(offset)}, EQ)"
        for keys in self.numbers:
            for queries in self.numbers:
                for predicate in ("EQ", "LT", "LEQ", "GT", "GEQ"):
                    if (keys, queries) != ("indices", "indices"):
                        yield f"select({keys}, {queries}, {predicate})"
        for predicate in ("LEQ", "LT"):
            yield from (f"select(indices, indices, {predicate}) and {one}" for one in plain)

    def of_two(self) -> Iterator[str]:
        """Sums, differences and maxima of two numbers."""
        for place, one in enumerate(self.numbers):
            for other in self.numbers[:place]:
                yield from (f"{one} + {other}", f"{one} - {other}", f"{other} - {one}", f"max({one}, {other})")
                yield f"-max(-{one}, -{other})"

    def table(self, variable: Variable, columns: tuple[str, ...]) -> Iterator[str]:
        """The table of a variable by others, if it is a function of them and its values are whole numbers or letters."""
        cases: dict[tuple[int, ...], int] = {}
        for machine, values, seen in zip(self.machines, variable.values, variable.considered, strict=True):
            found = [machine.values[name] for name in columns]
            if any((one.denominator != 1).any() for one in found):
                return
            keys = np.stack([np.broadcast_to(one.numerator, seen.shape)[seen] for one in found], axis=1)
            whole = np.round(values[seen])
            if len(whole) and np.abs(values[seen] - whole).max() >= self.tolerance:
                return
            rows = np.unique(np.concatenate([keys, whole[:, None].astype(np.int64)], axis=1), axis=0)
            for *key, value in rows.tolist():
                if cases.setdefault(tuple(key), value) != value or len(cases) > MOST_CASES:
                    return
        are_letters = [self.machines[0].values[name].letters for name in columns]
        entries = []
        for key, value in sorted(cases.items()):
            shown = [self.shown(part, letter) for part, letter in zip(key, are_letters, strict=True)]
            joined = shown[0] if len(shown) == 1 else "(" + ", ".join(shown) + ")"
            entries.append(f"{joined}: {self.shown(value, variable.letters)}")
        yield f"{{{', '.join(entries)}}}[{', '.join(columns)}]"

    def shown(self, value: int, is_letter: bool) -> str:
        """A number, or the letter with this number."""
        return repr(self.letters[value]) if is_letter and value >= 0 else str(value)
