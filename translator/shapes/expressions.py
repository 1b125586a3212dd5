"""Sizes: integers and sympy expressions in positive integer symbols, with the few laws that shapes need.

An integer stays a Python `int`; everything else is an expanded `sympy.Expr`. Every symbol stands for an integer of at least 1,
and the questions asked here (is this difference never negative? do these two never meet?) are answered *yes* only if
they hold for all such values. An answer *no* means not proved.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TypeAlias

import sympy
from sympy import Max, Min, Mod, ceiling, floor

Size: TypeAlias = "int | sympy.Expr"

cache = lru_cache(maxsize=1 << 16)

ATOMS = (Min, Max, floor, ceiling, Mod)
DEPTH = 8
BELOW_ONE = sympy.Rational(999, 1000)


def symbol(name: str) -> sympy.Symbol:
    """The symbol of a dimension: an integer of at least 1."""
    return sympy.Symbol(name, integer=True, positive=True)


def reduced(value: sympy.Expr) -> Size:
    """An expression, or the `int` that it is."""
    return int(value) if value.is_Integer else value


@cache
def _expanded(value: sympy.Expr) -> Size:
    return reduced(sympy.expand(value))


def plus(a: Size, b: Size) -> Size:
    """``a + b``."""
    if isinstance(a, int) and isinstance(b, int):
        return a + b
    return _expanded(sympy.Add(a, b))


def minus(a: Size, b: Size) -> Size:
    """``a - b``."""
    return plus(a, times(-1, b))


@cache
def times(a: Size, b: Size) -> Size:
    """``a * b``."""
    if isinstance(a, int) and isinstance(b, int):
        return a * b
    return _expanded(sympy.Mul(a, b))


def product(sizes: Iterable[Size]) -> Size:
    """The product of all sizes; 1 if there are none."""
    known: int = 1
    rest: Size = 1
    for size in sizes:
        if isinstance(size, int):
            known *= size
        else:
            rest = times(rest, size)
    return times(known, rest)


def total(sizes: Iterable[Size]) -> Size:
    """The sum of all sizes."""
    result: Size = 0
    for size in sizes:
        result = plus(result, size)
    return result


def equal(a: Size, b: Size) -> bool:
    """Tell whether the two are one expression."""
    if isinstance(a, int) and isinstance(b, int):
        return a == b
    return a is b or minus(a, b) == 0


@cache
def never_negative(value: Size) -> bool:
    """Tell whether ``value >= 0`` can be proved."""
    if isinstance(value, int):
        return value >= 0
    # an integer above -1 is not negative
    return _proved(value + BELOW_ONE if value.is_integer else value, DEPTH)


def at_least(a: Size, b: Size) -> bool:
    """Tell whether ``a >= b`` can be proved."""
    return never_negative(minus(a, b))


def never_equal(a: Size, b: Size) -> bool:
    """Tell whether ``a != b`` can be proved."""
    return at_least(minus(a, b), 1) or at_least(minus(b, a), 1)


def _proved(value: sympy.Expr, depth: int) -> bool:
    """Bound Min, Max, floor, ceiling and Mod by what they lie between, one at a time, until a polynomial is left."""
    value = sympy.expand(value)
    if value.is_number:
        return bool(value >= 0)
    for term in sympy.Add.make_args(value):
        for atom in sympy.Mul.make_args(term):
            if not isinstance(atom, ATOMS):
                continue
            if depth == 0:
                return False
            factor = sympy.expand(term / atom)
            if factor.is_nonnegative:
                some, bounds = _lower(atom)
            elif factor.is_nonpositive:
                some, bounds = _upper(atom)
            else:
                return False
            rest = value - term
            cases = (_proved(rest + factor * bound, depth - 1) for bound in bounds)
            return any(cases) if some else all(cases)
    return _positive_polynomial(value)


def _lower(atom: sympy.Expr) -> tuple[bool, tuple[sympy.Expr, ...]]:
    """Lower bounds of an atom, and whether each of them is one (else only the least of them is)."""
    if isinstance(atom, Min):
        return False, atom.args
    if isinstance(atom, Max):
        return True, atom.args
    if isinstance(atom, floor):
        argument = atom.args[0]
        return True, (argument - 1 + sympy.Integer(1) / _denominator(argument),)
    if isinstance(atom, ceiling):
        return True, (atom.args[0],)
    return True, (sympy.Integer(0),)


def _upper(atom: sympy.Expr) -> tuple[bool, tuple[sympy.Expr, ...]]:
    """Upper bounds of an atom, and whether each of them is one (else only the greatest of them is)."""
    if isinstance(atom, Min):
        return True, atom.args
    if isinstance(atom, Max):
        return False, atom.args
    if isinstance(atom, floor):
        return True, (atom.args[0],)
    if isinstance(atom, ceiling):
        argument = atom.args[0]
        return True, (argument + 1 - sympy.Integer(1) / _denominator(argument),)
    return True, (atom.args[1] - 1,)


def _denominator(value: sympy.Expr) -> sympy.Expr:
    """A positive number whose inverse is the distance to the next integer at most; it is an integer for linear terms."""
    denominator = sympy.fraction(sympy.together(value))[1]
    return denominator if denominator.is_Integer else sympy.oo


def _positive_polynomial(value: sympy.Expr) -> bool:
    """Write every symbol as 1 + t with t >= 0: a polynomial without negative coefficients is never negative."""
    if not value.is_polynomial(*value.free_symbols):
        return bool(value.is_nonnegative)
    moved = sympy.expand(value.xreplace({each: each + 1 for each in value.free_symbols}))
    return all(bool(factor >= 0) for factor in moved.as_coefficients_dict().values())


@cache
def minimum(a: Size, b: Size) -> Size:
    """The smaller one, decided if that can be proved."""
    if at_least(b, a):
        return a
    if at_least(a, b):
        return b
    return reduced(Min(a, b))


@cache
def maximum(a: Size, b: Size) -> Size:
    """The greater one, decided if that can be proved."""
    if at_least(a, b):
        return a
    if at_least(b, a):
        return b
    return reduced(Max(a, b))


@cache
def quotient(a: Size, b: Size) -> Size | None:
    """``a / b`` if that is a polynomial with integer coefficients."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b if b and a % b == 0 else None
    if b == 0:
        return None
    whole = sympy.sympify(b)
    result = sympy.cancel(sympy.sympify(a) / whole) if isinstance(whole, sympy.Add) else sympy.expand(a / whole)
    return reduced(result) if _is_integral(result) else None


def _is_integral(value: sympy.Expr) -> bool:
    """Tell whether all coefficients are integers and no symbol is divided by."""
    for term, factor in value.as_coefficients_dict().items():
        if not factor.is_Integer:
            return False
        for part in sympy.Mul.make_args(term):
            base, exponent = part.as_base_exp()
            if not exponent.is_Integer or exponent < 0 or not base.is_integer:
                return False
    return True


@cache
def floor_div(a: Size, b: Size) -> Size:
    """The greatest integer of at most ``a / b``, for ``b >= 1``."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    exact = quotient(a, b)
    if exact is not None:
        return exact
    top = sympy.sympify(a)
    if isinstance(b, int):  # floor((floor(x) + r) / b) = floor((x + r) / b) for integers b and r
        for term in sympy.Add.make_args(top):
            if isinstance(term, floor):
                top = top - term + term.args[0]
                break
    return rounded_down(sympy.expand(top / b))


def ceil_div(a: Size, b: Size) -> Size:
    """The least integer of at least ``a / b``, for ``b >= 1``."""
    return floor_div(minus(plus(a, b), 1), b)


def rounded_down(value: sympy.Expr) -> Size:
    """``floor(value)``; a value that is an integer stays itself."""
    return reduced(value) if value.is_integer else reduced(floor(value))


@cache
def modulo(a: Size, b: Size) -> Size:
    """``a - b * floor(a / b)``, the remainder with the sign of b."""
    if isinstance(a, int) and isinstance(b, int):
        return a % b
    if quotient(a, b) is not None:
        return 0
    return reduced(Mod(a, b))
