"""Positional tensors on axes that strides have thinned out: an index is ``(x - c) / step``, so conditions are multiplied by it.

A comparison of indices multiplied by a positive number says the same of positions; no division is needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import gcd, lcm
from typing import assert_never

from circuits.positions import (
    FALSE,
    All,
    Any_,
    AtLeast,
    Bit,
    Congruent,
    Equals,
    Guard,
    Not,
    Term,
    conjunction,
    disjunction,
    negation,
    simplify,
)
from translator.lengths import Quotient, at_least, equal
from translator.reading.refusing import Refusal

Places = Sequence[tuple[Term, int]]
"""For each index variable a term and the number by which it is divided."""


def guard_at(guard: Guard, places: Places) -> Guard:
    """Replace index variable v by ``places[v]``."""
    match guard:
        case AtLeast(term):
            moved, factor = _multiple(term, places)
            if isinstance(moved, Quotient):
                return at_least(moved, Term())
            unit = _unit(moved) or 1 if factor > 1 else 1
            return simplify(AtLeast(_divided(moved, unit)))
        case Equals(term):
            moved, factor = _multiple(term, places)
            if isinstance(moved, Quotient):
                return equal(moved, Term())
            unit = _unit(moved) or 1 if factor > 1 else 1
            return FALSE if moved.const % unit else simplify(Equals(_divided(moved, unit)))
        case Congruent(term, modulus):
            moved, factor = _multiple(term, places)
            unit = gcd(_unit(moved), moved.const, modulus * factor) if factor > 1 else 1
            return simplify(Congruent(_divided(moved, unit), modulus * factor // unit))
        case Bit(number, place):
            return simplify(Bit(term_at(number, places), term_at(place, places)))
        case Not(part):
            return negation(guard_at(part, places))
        case All(parts):
            return conjunction(*(guard_at(part, places) for part in parts))
        case Any_(parts):
            return disjunction(*(guard_at(part, places) for part in parts))
        case _:
            assert_never(guard)


def term_at(term: Term, places: Places) -> Term:
    """Replace index variables in a term that is used as a number.

    Raises:
        Refusal: the number is no whole combination of positions.
    """
    moved, factor = _multiple(term, places)
    if isinstance(moved, Quotient) or factor == 1:
        return moved
    if gcd(_unit(moved), moved.const) % factor:
        raise Refusal(
            "N033",
            "the number of an entry is used on an axis that strides have thinned out",
            help="compare the numbers of entries, or use stride 1 along the sequence",
        )
    return _divided(moved, factor)


def _multiple(term: Term, places: Places) -> tuple[Term, int]:
    """The term at the places, times the least number that makes it whole."""
    if isinstance(term, Quotient):
        return term, 1
    factor = lcm(*(places[variable][1] for variable, _ in term.coefs))
    result = Term((), term.n_coef * factor, term.const * factor)
    for variable, coef in term.coefs:
        place, divisor = places[variable]
        result = result + place * (coef * (factor // divisor))
    return result, factor


def _unit(term: Term) -> int:
    return gcd(term.n_coef, *(coef for _, coef in term.coefs))


def _divided(term: Term, unit: int) -> Term:
    """Divide by a common divisor of the coefficients; the constant is rounded down."""
    coefs = tuple((variable, coef // unit) for variable, coef in term.coefs)
    return Term(coefs, term.n_coef // unit, term.const // unit)
