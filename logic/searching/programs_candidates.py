"""Expressions to try for a variable, given those found before it, the plainest first.

A constant, a variable found before, linear combinations, comparisons and tables of one, the width of a selector, the mean over
one, the same of two, and at last conjunctions of selectors. Coefficients, thresholds and the cases of tables are computed from
the values and not tried.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, Literal

import numpy as np

from logic.searching.programs_of_sentences import signed
from logic.searching.programs_run import Machine, Value

Truth = np.ndarray[Any, np.dtype[np.bool_]]
Reals = np.ndarray[Any, np.dtype[np.float64]]

MOST_CASES = 100
MOST_COEFFICIENT = 64
MOST_SCALE = 1000
FEW = 4
DIVISORS = (2, 3, 4)
SLOPES = ((1, -1), (1, 1), (2, -1), (1, -2))
OFFSETS = (1, 2, 3, -1, -2, -3)
NONE = -(1 << 40)
"""None in the columns of a table."""
BEFORE = "select(indices, indices, LEQ)"


@dataclass(frozen=True)
class Variable:
    """A value at each position of some words: numbers, or letters by their numbers; NaN for None.

    Attributes:
        values: ``(B, n)`` for each batch of words.
        considered: of the same shapes, where it has a meaning.
        letters: whether the numbers are those of letters.
        origin: "head" if it is known that a selector reads it, "units" if it is computed at each position by itself, or nothing.
    """

    name: str
    values: tuple[Reals, ...]
    considered: tuple[Truth, ...]
    letters: bool = False
    origin: Literal["head", "units", ""] = ""

    @property
    def seen(self) -> Reals:
        """The values that have a meaning, one after the other."""
        return np.concatenate([v[s] for v, s in zip(self.values, self.considered, strict=True)])


class Candidates:
    """What is assigned so far on some words, and the expressions that can be made of it."""

    def __init__(self, letters: Sequence[str], machines: Sequence[Machine], tolerance: float, causal: bool) -> None:
        self.letters, self.machines, self.tolerance, self.causal = letters, machines, tolerance, causal
        self.numbers = ["indices"] if causal else ["indices", "length"]
        self.lettered = ["tokens"]

    def add(self, name: str) -> None:
        """A name that has a value now."""
        (self.lettered if self.machines[0].values[name].letters else self.numbers).append(name)

    def expressions(self, variable: Variable) -> Iterator[str]:
        """Expressions to try, the plainest first."""
        values = variable.seen
        optional = bool(np.isnan(values).any())
        plain = not variable.letters and not optional
        if plain and len(values) and (np.abs(values - np.round(values[0])) < self.tolerance).all():
            yield str(int(np.round(values[0])))
        if variable.letters:
            yield from self.lettered
        else:
            yield from self.numbers
            yield from (f"1 * (tokens == {letter!r})" for letter in self.letters)
        if plain:
            whole = np.abs(values - np.round(values)).max(initial=0) < self.tolerance
            yield from self.linear(variable, (1,), 2 if whole else 0)
            yield from self.thresholds(variable)
            yield from (f"{name} % {divisor}" for name in self.numbers for divisor in DIVISORS)
        selectors = self.selectors()
        if variable.origin == "head":
            yield from self.aggregates(variable, selectors, optional)
        every = [*self.lettered, *self.numbers]
        yield from self.tables(variable, ((one,) for one in every))
        if plain and variable.origin == "units":
            yield from self.linear(variable, (1, 2))
        if plain:
            yield from (f"selector_width({one})" for one in selectors)
        if not variable.origin:
            yield from self.aggregates(variable, selectors, optional)
        if plain:
            yield from self.linear(variable, (1, 2))
            yield from self.of_two()
            yield from self.divided(variable)
        yield from self.tables(variable, combinations(every, 2))
        joined = [f"{one} and {other}" for one, other in combinations(self.simple(), 2)]
        if plain:
            yield from (f"selector_width({one})" for one in self.masked(joined))
        yield from self.aggregates(variable, selectors if variable.origin == "units" else self.masked(joined), optional)

    # Attention.

    def masked(self, selectors: Iterable[str]) -> list[str]:
        """Selectors of what is not later, if that is all a program reads."""
        return [one if not self.causal or BEFORE in one else f"{BEFORE} and {one}" for one in selectors]

    def aggregates(self, variable: Variable, selectors: Sequence[str], optional: bool) -> Iterator[str]:
        """Aggregates over selectors."""
        if variable.letters:
            yield from (f"aggregate({one}, {values})" for one in selectors for values in self.lettered)
            return
        end = ", None" if optional else ""
        averaged = [*self.numbers, *(f"tokens == {one!r}" for one in self.letters)]
        yield from (f"aggregate({one}, {values}{end})" for one in selectors for values in averaged)

    def selectors(self) -> list[str]:
        """Selectors, the plainest first."""
        return self.masked(self.comparisons())

    def comparisons(self) -> Iterator[str]:
        """Selectors by equal letters, by letters, by offsets, by comparing two variables; then also of what is not later."""
        yield BEFORE if self.causal else "select(True, True, EQ)"
        plain = ["select(tokens, tokens, EQ)", *(f"select(tokens, {letter!r}, EQ)" for letter in self.letters)]
        yield from plain
        yield "select(tokens, tokens, NEQ)"
        for predicate in ("LEQ", "LT", "GEQ", "GT"):
            yield f"select(indices, indices, {predicate})"
        for offset in OFFSETS:
            yield f"select(indices, indices {'-' if offset > 0 else '+'} {abs(offset)}, EQ)"
        for keys in self.lettered:
            for queries in self.lettered:
                if (keys, queries) != ("tokens", "tokens"):
                    yield f"select({keys}, {queries}, EQ)"
        yield from self.constants()
        for keys in self.numbers:
            for queries in self.numbers:
                for predicate in ("EQ", "NEQ", "LT", "LEQ", "GT", "GEQ"):
                    if (keys, queries) != ("indices", "indices") and keys != "length":
                        yield f"select({keys}, {queries}, {predicate})"
        for predicate in ("LEQ", "LT"):
            yield from (f"select(indices, indices, {predicate}) and {one}" for one in plain)

    def constants(self) -> Iterator[str]:
        """Selectors of keys with one value, of the first and of the last position."""
        yield "select(indices, 0, EQ)"
        if not self.causal:
            yield "select(indices, length - 1, EQ)"
        for name in self.numbers:
            values = self.values_of(name)
            if name not in ("indices", "length") and len(values) <= FEW:
                yield from (f"select({name}, {value}, EQ)" for value in sorted(values))

    def values_of(self, name: str) -> set[int]:
        """The whole values of a name, as far as they are whole."""
        found = [machine.values[name] for machine in self.machines]
        parts = [one.numerator[np.broadcast_to(one.denominator == 1, one.numerator.shape)] for one in found]
        return {int(value) for part in parts for value in np.unique(part).tolist()}

    def simple(self) -> list[str]:
        """Selectors that are worth a conjunction: by equal values, by one value, by order."""
        same = [f"select({name}, {name}, EQ)" for name in (*self.lettered, *self.numbers[2 - self.causal :])]
        letters = [f"select(tokens, {letter!r}, EQ)" for letter in self.letters]
        order = [f"select(indices, indices, {predicate})" for predicate in ("LT", "LEQ", "GT", "GEQ")]
        return [*order, *same, *letters, *self.constants()]

    # Arithmetic.

    def linear(self, variable: Variable, sizes: Sequence[int], most: int | None = None) -> list[str]:
        """Linear combinations of so many numbers, with whole coefficients, by least squares; the plainest first."""
        values = variable.seen
        columns = {name: column for name in self.numbers if not np.isnan(column := self.column(name, variable)).any()}
        found: list[tuple[int, str]] = []
        for names in (names for size in sizes for names in combinations(reversed(columns), size)):
            table = np.stack([*(columns[name] for name in names), np.ones(len(values))], axis=1)
            solution = np.round(np.linalg.lstsq(table, values, rcond=None)[0])
            *factors, const = (int(one) for one in solution)
            if 0 in factors or max(map(abs, factors), default=0) > MOST_COEFFICIENT:
                continue
            if len(values) and np.abs(table @ solution - values).max() < self.tolerance:
                cost = len(names) + 2 * sum(abs(factor) - 1 for factor in factors) + min(abs(const), 1)
                found.append((cost, signed(list(zip(factors, names, strict=True)), const)))
        return [text for cost, text in sorted(found, key=lambda pair: pair[0]) if most is None or cost <= most]

    def column(self, name: str, variable: Variable) -> Reals:
        """The values of a name where a variable has a meaning."""
        parts = [
            np.broadcast_to(machine.values[name].reals, seen.shape)[seen]
            for machine, seen in zip(self.machines, variable.considered, strict=True)
        ]
        return np.concatenate(parts)

    def thresholds(self, variable: Variable) -> Iterator[str]:
        """For a variable of truth values, comparisons of a number with a constant."""
        values = variable.seen
        true = np.abs(values - 1) < self.tolerance
        if not (true | (np.abs(values) < self.tolerance)).all() or true.all() or not true.any():
            return
        found = []
        for name in reversed(self.numbers):
            column = self.column(name, variable)
            if np.isnan(column).any() or name == "indices":
                continue
            inside, outside = column[true], column[~true]
            single = bool(inside.min() == inside.max())
            if inside.max() < outside.min():
                found.append(comparison(name, "<", inside.max(), outside.min(), single))
            elif inside.min() > outside.max():
                found.append(comparison(name, ">", outside.max(), inside.min(), single))
            elif single:
                found.append(scaled(name, "==", inside[0]))
            elif outside.min() == outside.max():
                found.append(scaled(name, "!=", outside[0]))
        yield from sorted(found, key=lambda text: " * " in text.removeprefix("1 * "))

    def of_two(self) -> Iterator[str]:
        """Conjunctions and disjunctions of two truth values, larger and smaller ones of two numbers, and which is larger."""
        flags = [name for name in self.numbers if self.values_of(name) == {0, 1}]
        for one, other in combinations(flags, 2):
            yield from (f"1 * ({one} and {other})", f"1 * ({one} or {other})", f"1 * ({one} != {other})")
        for place, one in enumerate(self.numbers):
            for other in self.numbers[:place]:
                yield f"max({one}, {other})"
                yield f"-max(-{one}, -{other})"
                yield from (f"1 * ({one} {sign} {other})" for sign in ("==", "!=", "<", "<=", ">", ">="))

    def divided(self, variable: Variable) -> Iterator[str]:
        """For a variable of truth values, a line between the values of two numbers."""
        values = variable.seen
        true = np.abs(values - 1) < self.tolerance
        if not (true | (np.abs(values) < self.tolerance)).all() or true.all() or not true.any():
            return
        for one, other in combinations(self.numbers, 2):
            for slopes in SLOPES:
                column = slopes[0] * self.column(one, variable) + slopes[1] * self.column(other, variable)
                inside, outside = column[true], column[~true]
                total = signed([(slopes[0], one), (slopes[1], other)], 0)
                if inside.max() < outside.min():
                    yield comparison(total, "<", inside.max(), outside.min(), False)
                elif inside.min() > outside.max():
                    yield comparison(total, ">", outside.max(), inside.min(), False)

    # Tables.

    def tables(self, variable: Variable, columns: Iterable[tuple[str, ...]]) -> list[str]:
        """The tables of a variable by others, those with the fewest cases first."""
        found = [table for names in columns if (table := self.table(variable, names)) is not None]
        return [text for _, text in sorted(found, key=lambda pair: pair[0])]

    def table(self, variable: Variable, names: tuple[str, ...]) -> tuple[int, str] | None:
        """The table of a variable by others, if it is a function of them and its values are whole numbers or letters."""
        scales = [self.scale(name) for name in names]
        if max(scales) > MOST_SCALE:
            return None
        cases: dict[tuple[int, ...], int] = {}
        for machine, values, seen in zip(self.machines, variable.values, variable.considered, strict=True):
            whole = np.where(np.isnan(values[seen]), NONE, np.round(values[seen]))
            if len(whole) and np.nanmax(np.abs(values[seen] - whole), initial=0, where=whole != NONE) >= self.tolerance:
                return None
            keys = [entries(machine.values[name], scale, seen) for name, scale in zip(names, scales, strict=True)]
            rows = np.unique(np.stack([*keys, whole.astype(np.int64)], axis=1), axis=0)
            for *key, value in rows.tolist():
                if cases.setdefault(tuple(key), value) != value or len(cases) > MOST_CASES:
                    return None
        are_letters = [self.machines[0].values[name].letters for name in names]
        listed = []
        for key, value in sorted(cases.items()):
            shown = [self.shown(part, letter) for part, letter in zip(key, are_letters, strict=True)]
            joined = shown[0] if len(shown) == 1 else "(" + ", ".join(shown) + ")"
            listed.append(f"{joined}: {self.shown(value, variable.letters)}")
        columns = [name if scale == 1 else f"{scale} * {name}" for name, scale in zip(names, scales, strict=True)]
        return len(listed), f"{{{', '.join(listed)}}}[{', '.join(columns)}]"

    def scale(self, name: str) -> int:
        """The least common denominator of a name's values."""
        found = {int(one) for machine in self.machines for one in np.unique(machine.values[name].denominator)} - {0}
        return math.lcm(*found)

    def shown(self, value: int, is_letter: bool) -> str:
        """A number, or the letter with this number, or None."""
        if value == NONE or (is_letter and value < 0):
            return "None"
        return repr(self.letters[value]) if is_letter else str(value)


def entries(value: Value, scale: int, seen: Truth) -> Any:
    """The whole numbers, letters and Nones of a column of a table."""
    numerator, denominator = (
        np.broadcast_to(value.numerator, seen.shape),
        np.broadcast_to(value.denominator, seen.shape),
    )
    present = np.broadcast_to(value.present, seen.shape)
    return np.where(present, numerator * (scale // np.maximum(denominator, 1)), NONE)[seen]


def comparison(name: str, sign: str, below: float, above: float, single: bool) -> str:
    """That a number is at most `below` (sign ``<``), or at least `above` (``>``), where it is never between.

    Where only that is taken (`single`), it may be said to be equal.
    """
    near = 1e-9
    whole = math.floor(above + near) if sign == "<" else math.ceil(below - near)
    if below + near < whole if sign == "<" else whole < above - near:
        return f"1 * ({name} {sign} {whole})"
    return scaled(name, "==" if single else sign + "=", below if sign == "<" else above)


def scaled(name: str, sign: str, bound: float) -> str:
    """The comparison of a number with a fraction."""
    fraction = Fraction(bound).limit_denominator(MOST_SCALE)
    factor = name if name.isidentifier() else f"({name})"
    left = name if fraction.denominator == 1 else f"{fraction.denominator} * {factor}"
    return f"1 * ({left} {sign} {fraction.numerator})"


def names_in(text: str) -> set[str]:
    """The names in an expression."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
