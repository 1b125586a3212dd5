"""Positions: linear index terms, and guards, the conditions on positions that do not depend on the input.

Position variables are numbered 0, 1, 2 ... inside each node and range over 1..n (M&S 2023, Def. 3). A `Term` is an
integer combination of the variables, the length n and 1; a `Guard` is a Boolean combination of comparisons of terms. Both
are evaluated on whole grids of positions at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np

from circuits.diagnostics import fail

Grid = np.ndarray[Any, Any]

MOST = 1 << 31  # numbers in terms read from a file stay below: times a length, they fit 64 bits
WIDEST = 63  # bits of a number of 64 bits that is not negative


@dataclass(frozen=True, slots=True)
class Term:
    """The index term ``sum(coefs[v] * v) + n_coef * n + const``; `coefs` are sorted (variable, coefficient) pairs, none 0."""

    coefs: tuple[tuple[int, int], ...] = ()
    n_coef: int = 0
    const: int = 0

    def __add__(self, other: Term | int) -> Term:
        if isinstance(other, int):
            return Term(self.coefs, self.n_coef, self.const + other)
        merged = dict(self.coefs)
        for variable, coef in other.coefs:
            merged[variable] = merged.get(variable, 0) + coef
        return Term(
            tuple(sorted((v, c) for v, c in merged.items() if c)), self.n_coef + other.n_coef, self.const + other.const
        )

    def __mul__(self, factor: int) -> Term:
        if factor == 0:
            return Term()
        return Term(tuple((v, c * factor) for v, c in self.coefs), self.n_coef * factor, self.const * factor)

    def __neg__(self) -> Term:
        return self * -1

    def __sub__(self, other: Term | int) -> Term:
        return self + (-other)

    def substitute(self, at: Places) -> Term:
        """Replace variable v by ``at[v]``."""
        result = Term((), self.n_coef, self.const)
        for variable, coef in self.coefs:
            result = result + at[variable] * coef
        return result

    def evaluate(self, n: int, values: Sequence[Grid | int]) -> Grid | int:
        """Evaluate on integers or broadcastable integer arrays, ``values[v]`` for variable v."""
        total: Grid | int = self.n_coef * n + self.const
        for variable, coef in self.coefs:
            total = total + coef * values[variable]
        return total

    def __str__(self) -> str:
        return format_term(self, tuple(f"x{v}" for v in range(1 + max((v for v, _ in self.coefs), default=0))))


def var(index: int) -> Term:
    """The position variable number `index`."""
    return Term(((index, 1),))


Places = Sequence[Term] | Mapping[int, Term]
"""A term for each variable."""


FIRST = Term((), 0, 1)
LAST = Term((), 1, 0)


def is_safe(term: Term, least: int = 1) -> bool:
    """Tell whether a term always lies inside the word: a variable, or a place that every word of `least` letters has."""
    match term:
        case Term(((_, 1),), 0, 0):
            return True
        case Term((), 0, const):
            return 1 <= const <= least
        case Term((), 1, const):
            return 1 - least <= const <= 0
        case _:
            return False


@dataclass(frozen=True, slots=True)
class Ref:
    """A node read at position terms, one for each position variable of that node.

    The terms speak of the reader's variables. A position outside 1..n reads as 0, like a letter outside the word.
    """

    node: str
    at: tuple[Term, ...] = ()

    def substitute(self, at: Sequence[Term]) -> Ref:
        """Move the reference to other positions: variable v of the terms becomes ``at[v]``."""
        return Ref(self.node, tuple(term.substitute(at) for term in self.at))


def format_term(term: Term, names: Sequence[str]) -> str:
    """Write a term with the given variable names, e.g. ``x-1`` or ``n-y+1``."""
    parts = [(coef, names[variable]) for variable, coef in term.coefs]
    if term.n_coef:
        parts.append((term.n_coef, "n"))
    text = ""
    for coef, name in parts:
        for _ in range(abs(coef)):
            text += ("-" if coef < 0 else "+" if text else "") + name
    if term.const or not text:
        text += f"+{term.const}" if text and term.const > 0 else str(term.const)
    return text


@dataclass(frozen=True, slots=True)
class AtLeast:
    """``term >= 0``."""

    term: Term


@dataclass(frozen=True, slots=True)
class Equals:
    """``term = 0``."""

    term: Term


@dataclass(frozen=True, slots=True)
class Congruent:
    """``term`` is congruent to 0 modulo `modulus` (>= 2)."""

    term: Term
    modulus: int


@dataclass(frozen=True, slots=True)
class Bit:
    """Bit number `place` of `number` in binary is 1, place 1 the least significant; false if place < 1 or number < 0."""

    number: Term
    place: Term


@dataclass(frozen=True, slots=True)
class Not:
    part: Guard


@dataclass(frozen=True, slots=True)
class All:
    """Conjunction; ``All(())`` is true."""

    parts: tuple[Guard, ...]


@dataclass(frozen=True, slots=True)
class Any_:
    """Disjunction; ``Any_(())`` is false."""

    parts: tuple[Guard, ...]


Guard = AtLeast | Equals | Congruent | Bit | Not | All | Any_

TRUE = All(())
FALSE = Any_(())


def conjunction(*parts: Guard) -> Guard:
    """Conjoin guards, dropping trivial ones."""
    flat: list[Guard] = []
    for part in parts:
        for inner in part.parts if isinstance(part, All) else (part,):
            simple = simplify(inner)
            if simple == FALSE:
                return FALSE
            if simple != TRUE and simple not in flat:
                flat.append(simple)
    return flat[0] if len(flat) == 1 else All(tuple(flat))


def disjunction(*parts: Guard) -> Guard:
    """Disjoin guards, dropping trivial ones."""
    flat: list[Guard] = []
    for part in parts:
        for inner in part.parts if isinstance(part, Any_) else (part,):
            simple = simplify(inner)
            if simple == TRUE:
                return TRUE
            if simple != FALSE and simple not in flat:
                flat.append(simple)
    return flat[0] if len(flat) == 1 else Any_(tuple(flat))


def negation(part: Guard) -> Guard:
    """Negate a guard; a negated `>=` becomes a `>=` again."""
    match part:
        case Not(inner):
            return inner
        case AtLeast(term):
            return simplify(AtLeast(-term - 1))
        case All(()):
            return FALSE
        case Any_(()):
            return TRUE
        case _:
            return Not(part)


def simplify(guard: Guard) -> Guard:
    """Decide atoms without variables and without n; everything else stays."""
    match guard:
        case AtLeast(Term((), 0, const)):
            return TRUE if const >= 0 else FALSE
        case Equals(Term((), 0, const)):
            return TRUE if const == 0 else FALSE
        case Congruent(Term((), 0, const), modulus):
            return TRUE if const % modulus == 0 else FALSE
        case Bit(Term((), 0, _), Term((), 0, _)):
            return TRUE if holds(guard, 0, ()) else FALSE
        case _:
            return guard


def substitute(guard: Guard, at: Places) -> Guard:
    """Replace variable v by ``at[v]`` everywhere."""
    match guard:
        case AtLeast(term):
            return simplify(AtLeast(term.substitute(at)))
        case Equals(term):
            return simplify(Equals(term.substitute(at)))
        case Congruent(term, modulus):
            return simplify(Congruent(term.substitute(at), modulus))
        case Bit(number, place):
            return simplify(Bit(number.substitute(at), place.substitute(at)))
        case Not(part):
            return negation(substitute(part, at))
        case All(parts):
            return conjunction(*(substitute(part, at) for part in parts))
        case Any_(parts):
            return disjunction(*(substitute(part, at) for part in parts))
        case _:
            assert_never(guard)


def holds(guard: Guard, n: int, values: Sequence[Grid | int]) -> Grid:
    """Evaluate a guard at length n on integers or broadcastable arrays of positions; the result is Boolean."""
    match guard:
        case AtLeast(term):
            return np.asarray(term.evaluate(n, values)) >= 0
        case Equals(term):
            return np.asarray(term.evaluate(n, values)) == 0
        case Congruent(term, modulus):
            return np.asarray(term.evaluate(n, values)) % modulus == 0
        case Bit(number, place):
            whole, index = np.asarray(number.evaluate(n, values)), np.asarray(place.evaluate(n, values))
            shifted = whole >> np.clip(index - 1, 0, WIDEST - 1)
            return (whole >= 0) & (index >= 1) & (index <= WIDEST) & (shifted & 1 == 1)
        case Not(part):
            return ~holds(part, n, values)
        case All(parts):
            result = np.asarray(True)
            for part in parts:
                result = result & holds(part, n, values)
            return result
        case Any_(parts):
            result = np.asarray(False)
            for part in parts:
                result = result | holds(part, n, values)
            return result
        case _:
            assert_never(guard)


def guard_terms(guard: Guard) -> list[Term]:
    """The terms that a guard compares."""
    match guard:
        case AtLeast(term) | Equals(term) | Congruent(term, _):
            return [term]
        case Bit(number, place):
            return [number, place]
        case Not(part):
            return guard_terms(part)
        case All(parts) | Any_(parts):
            return [term for part in parts for term in guard_terms(part)]
        case _:
            assert_never(guard)


def variables_of(terms: Sequence[Term]) -> set[int]:
    """The position variables that terms use."""
    return {variable for term in terms for variable, _ in term.coefs}


def grid(n: int, n_positions: int) -> tuple[Grid, ...]:
    """Open grids of the positions 1..n, one array for each variable, broadcasting to ``(n,) * n_positions``."""
    return tuple(np.ogrid[tuple(slice(1, n + 1) for _ in range(n_positions))]) if n_positions else ()


def guard_to_data(guard: Guard) -> list[Any]:
    """Write a guard as nested lists, for JSON."""
    match guard:
        case AtLeast(term):
            return [">=", *term_to_data(term)]
        case Equals(term):
            return ["=", *term_to_data(term)]
        case Congruent(term, modulus):
            return ["mod", modulus, *term_to_data(term)]
        case Bit(number, place):
            return ["bit", term_to_data(number), term_to_data(place)]
        case Not(part):
            return ["not", guard_to_data(part)]
        case All(parts):
            return ["and", *map(guard_to_data, parts)]
        case Any_(parts):
            return ["or", *map(guard_to_data, parts)]
        case _:
            assert_never(guard)


def guard_of_data(data: Any) -> Guard:
    """Read what `guard_to_data` wrote.

    Raises:
        FomError: the data is no guard.
    """
    match data:
        case [">=", *term]:
            return AtLeast(term_of_data(term))
        case ["=", *term]:
            return Equals(term_of_data(term))
        case ["mod", int(modulus), *term] if type(modulus) is int and 2 <= modulus < MOST:
            return Congruent(term_of_data(term), modulus)
        case ["bit", number, place]:
            return Bit(term_of_data(number), term_of_data(place))
        case ["not", list(part)]:
            return Not(guard_of_data(part))
        case ["and", *parts]:
            return All(tuple(map(guard_of_data, parts)))
        case ["or", *parts]:
            return Any_(tuple(map(guard_of_data, parts)))
        case _:
            raise fail(
                "C010", f"not a guard: {data!r}", help="the file was edited by hand or is damaged: translate again"
            )


def term_to_data(term: Term) -> list[Any]:
    """Write a term as ``[const, n_coef, variable, coef, variable, coef, ...]``."""
    return [term.const, term.n_coef, *(number for pair in term.coefs for number in pair)]


def term_of_data(data: Any) -> Term:
    """Read what `term_to_data` wrote.

    Raises:
        FomError: the data is no term.
    """
    numbers = isinstance(data, list) and all(type(number) is int and abs(number) < MOST for number in data)
    variables = data[2::2] if numbers else []
    in_order = all(a < b for a, b in zip([-1, *variables], variables, strict=False))
    if not numbers or len(data) < 2 or len(data) % 2 or not in_order or 0 in data[3::2]:
        raise fail(
            "C010", f"not a position term: {data!r}", help="the file was edited by hand or is damaged: translate again"
        )
    return Term(tuple(zip(variables, data[3::2], strict=True)), data[1], data[0])
