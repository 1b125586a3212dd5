"""Formulas of VNN-LIB files: disjunctions of conjunctions of bounds of one input and linear inequalities over outputs."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod

from circuits.diagnostics import fail
from translator.vnnlib_text import Expression, Node, refused

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?")
MOST_DISJUNCTS = 100_000
RELATIONS = ("<=", ">=", "<", ">", "=")


@dataclass(frozen=True, slots=True)
class Bound:
    """``X_number <= value`` (upper) or ``>=``, or strictly."""

    number: int
    upper: bool
    value: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class LinearAtom:
    """``sum(factor * Y_output) <= bound``, or strictly."""

    coefs: tuple[tuple[int, Fraction], ...]
    bound: Fraction
    strict: bool


Atom = Bound | LinearAtom
Conjunction = tuple[Atom, ...]
Asserted = list[Conjunction]
Linear = tuple[dict[str, Fraction], Fraction]


def disjuncts(formula: Node | Expression, declared: Container[str], source: str) -> Asserted:
    """The disjunctive normal form of a formula.

    Raises:
        FomError: it is no formula, is not linear, relates inputs with each other or with outputs, or has too many disjuncts.
    """
    if isinstance(formula, Node):
        if formula.text in ("true", "false"):
            return [()] if formula.text == "true" else []
        raise refused("T111", f"`{formula.text}` stands where a formula is expected", formula, source)
    if formula.head in ("and", "or"):
        parts = [disjuncts(part, declared, source) for part in formula.items[1:]]
        return conjoined(parts, source) if formula.head == "and" else [one for part in parts for one in part]
    if formula.head not in RELATIONS:
        raise refused(
            "T111", f"`{formula.head}` is not supported in a formula", formula, source,
            help=f"and, or, {', '.join(RELATIONS)}",
        )  # fmt: skip
    if len(formula.items) != 3:
        raise refused("T111", f"`{formula.head}` compares two terms", formula, source)
    left, right = (linear(part, declared, source) for part in formula.items[1:])
    if formula.head == "=":
        return [(atom(left, right, False, formula, source)[0] + atom(right, left, False, formula, source)[0])]
    if formula.head in (">=", ">"):
        left, right = right, left
    return atom(left, right, formula.head in ("<", ">"), formula, source)


def conjoined(parts: Iterable[Asserted], source: str) -> Asserted:
    """The conjunction of disjunctive normal forms.

    Raises:
        FomError: it has too many disjuncts.
    """
    given = list(parts)
    common = tuple(one for part in given if len(part) == 1 for one in part[0])
    choices = [part for part in given if len(part) != 1]
    if (count := prod(len(part) for part in choices)) > MOST_DISJUNCTS:
        raise fail(
            "T114", f"the property has {count:,} disjuncts, and at most {MOST_DISJUNCTS:,} are read", where=source
        )
    return [common + tuple(one for chosen in picked for one in chosen) for picked in product(*choices)]


def atom(left: Linear, right: Linear, strict: bool, at: Expression, source: str) -> Asserted:
    """``left <= right`` as a bound or an inequality; a comparison of numbers is true or false.

    Raises:
        FomError: it relates inputs with each other or with outputs.
    """
    coefs = {name: left[0].get(name, Fraction(0)) - right[0].get(name, Fraction(0)) for name in {**left[0], **right[0]}}
    coefs = {name: factor for name, factor in coefs.items() if factor}
    bound = right[1] - left[1]
    inputs = [name for name in coefs if name[0] == "X"]
    if not inputs:
        if not coefs:
            return [()] if (bound > 0 if strict else bound >= 0) else []
        pairs = sorted((int(name[2:]), factor) for name, factor in coefs.items())
        return [(LinearAtom(tuple(pairs), bound, strict),)]
    if len(coefs) > 1:
        raise refused(
            "T115", "an inequality relates an input with another variable", at, source,
            help="inputs lie in boxes: compare an input with a number",
        )  # fmt: skip
    factor = coefs[inputs[0]]
    return [(Bound(int(inputs[0][2:]), factor > 0, bound / factor, strict),)]


def linear(term: Node | Expression, declared: Container[str], source: str) -> Linear:
    """A term as a linear function.

    Raises:
        FomError: it is no term, not linear, or has a variable that is not declared.
    """
    if isinstance(term, Node):
        if NUMBER.fullmatch(term.text):
            return {}, Fraction(term.text)
        if term.text not in declared:
            raise refused("T112", f"`{term.text}` is not declared", term, source)
        return {term.text: Fraction(1)}, Fraction(0)
    parts = [linear(part, declared, source) for part in term.items[1:]]
    match term.head, parts:
        case "+", [_, *_]:
            return total(parts)
        case "-", [only]:
            return scaled(only, Fraction(-1))
        case "-", [first, *rest]:
            return total([first, *(scaled(part, Fraction(-1)) for part in rest)])
        case "*", [first, *rest]:
            for part in rest:
                if first[0] and part[0]:
                    raise refused("T115", "a product of two variables is not linear", term, source)
                first = scaled(first, part[1]) if not part[0] else scaled(part, first[1])
            return first
        case "/", [first, (over, by)]:
            if over or not by:
                raise refused("T115", "a term is divided by a variable or by 0", term, source)
            return scaled(first, 1 / by)
        case _:
            raise refused(
                "T111", f"`{term.head}` is not supported in a term", term, source, help="+, -, *, and / by a number"
            )


def total(parts: list[Linear]) -> Linear:
    """The sum of linear functions."""
    coefs: dict[str, Fraction] = {}
    for part, _ in parts:
        for name, factor in part.items():
            coefs[name] = coefs.get(name, Fraction(0)) + factor
    return coefs, sum((const for _, const in parts), Fraction(0))


def scaled(part: Linear, factor: Fraction) -> Linear:
    """A multiple of a linear function."""
    return {name: own * factor for name, own in part[0].items()}, part[1] * factor
