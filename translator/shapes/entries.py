"""Arithmetic on the entries of shape tensors: numbers, expressions, or None where an entry is unknown.

Integers follow ONNX: division truncates toward zero, known values wrap in their type, floats are rounded to it.
A question that holds for some sizes only is answered None.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
import sympy

from translator.shapes.expressions import (
    at_least,
    equal,
    floor_div,
    maximum,
    minimum,
    minus,
    modulo,
    never_equal,
    never_negative,
    plus,
    reduced,
    rounded_down,
    times,
)
from translator.shapes.graph import numpy_type
from translator.shapes.values import Entry

CHECKED_SIZES = np.arange(1, 1 << 14)
FLOATS = ("float16", "float", "double", "bfloat16")


def is_symbolic(entry: Entry) -> bool:
    """Tell whether an entry is an expression."""
    return isinstance(entry, sympy.Expr)


def exact(entry: Any) -> Any:
    """A number that may meet an expression: floats become the fractions that they are; infinities become None."""
    if isinstance(entry, bool):
        return int(entry)
    if isinstance(entry, float):
        return reduced(sympy.Rational(entry)) if math.isfinite(entry) else None
    return entry


def in_type(value: Entry, dtype: str) -> Entry:
    """A known number as an element type holds it; expressions stay."""
    if value is None or is_symbolic(value):
        return value
    if dtype == "bool":
        return bool(value)
    if dtype in FLOATS:
        with np.errstate(all="ignore"):
            return float(np.asarray(value).astype(numpy_type(dtype)))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not dtype.startswith(("int", "uint")):
        return None
    whole = int(value)
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    low = 0 if dtype.startswith("uint") else -(1 << (bits - 1))
    return (whole - low) % (1 << bits) + low


def divide(a: Any, b: Any, dtype: str) -> Entry:
    """Quotients: exact for floats, truncated for integers."""
    if not is_symbolic(a) and not is_symbolic(b):
        if b == 0:
            return None
        if dtype in FLOATS:
            return float(a) / float(b)
        return abs(int(a)) // abs(int(b)) * (1 if (a < 0) == (b < 0) else -1)
    a, b = exact(a), exact(b)
    if a is None or b is None or b == 0:
        return None
    if dtype in FLOATS:
        return reduced(sympy.sympify(a) / b)
    if at_least(0, b) and not equal(b, 0):
        a, b = minus(0, a), minus(0, b)
    if not at_least(b, 1):
        return None
    if never_negative(a):
        return floor_div(a, b)
    if never_negative(minus(0, a)):
        return minus(0, floor_div(minus(0, a), b))
    return None


@cache
def simplest(factor: float) -> Fraction | None:
    """The fraction of least denominator that multiplies every size as the float does; None if none was found."""
    single = np.floor(CHECKED_SIZES.astype(np.float32) * np.float32(factor)).astype(np.int64)
    for limit in (16, 256, 4096, 1 << 24):
        fraction = Fraction(factor).limit_denominator(limit)
        if np.array_equal(CHECKED_SIZES * fraction.numerator // fraction.denominator, single):
            return fraction
    return None


def scaled(a: Any, b: Any, dtype: str) -> Entry:
    """``Mul``; a float times an expression is taken as the fraction that the float was rounded from."""
    if dtype in FLOATS and is_symbolic(a) != is_symbolic(b):
        size, factor = (a, b) if is_symbolic(a) else (b, a)
        fraction = simplest(float(factor)) if math.isfinite(factor) else None
        return None if fraction is None else times(size, reduced(sympy.Rational(fraction)))
    return multiply(a, b)


def remainder(a: Any, b: Any, dtype: str) -> Entry:
    """``Mod`` of integers with the sign of the divisor."""
    if dtype in FLOATS or b == 0:
        return None
    if is_symbolic(a) or is_symbolic(b):
        return modulo(a, b) if at_least(b, 1) else None
    return a % b


def power(a: Any, b: Any, dtype: str) -> Entry:
    """``Pow``; of expressions to small whole exponents only."""
    if is_symbolic(b) or (is_symbolic(a) and not (float(b).is_integer() and 0 <= b <= 8)):
        return None
    if is_symbolic(a):
        return reduced(sympy.expand(a ** int(b)))
    try:
        value = a**b
    except (OverflowError, ZeroDivisionError):
        return None
    return value if isinstance(value, int | float) else None


def truncated(value: Any) -> Entry:
    """``Cast`` to an integer: toward zero."""
    if not is_symbolic(value):
        return int(value) if math.isfinite(value) else None
    if value.is_integer:
        return reduced(value)
    return rounded_down(value) if never_negative(value) else None


def rounded(value: Any) -> Entry:
    """``Floor``."""
    return rounded_down(value) if is_symbolic(value) else _whole(value, math.floor)


def rounded_up(value: Any) -> Entry:
    """``Ceil``."""
    return minus(0, rounded_down(-value)) if is_symbolic(value) else _whole(value, math.ceil)


def _whole(value: float, how: Callable[[float], int]) -> Entry:
    return float(how(value)) if math.isfinite(value) else value


def same(a: Any, b: Any) -> bool | None:
    """``Equal``."""
    if not is_symbolic(a) and not is_symbolic(b):
        return bool(a == b)
    a, b = exact(a), exact(b)
    if a is None or b is None:
        return False
    if equal(a, b):
        return True
    return False if never_equal(a, b) else None


def less(a: Any, b: Any) -> bool | None:
    """``Less``."""
    if not is_symbolic(a) and not is_symbolic(b):
        return bool(a < b)
    if isinstance(a, float) and math.isinf(a):
        return a < 0
    if isinstance(b, float) and math.isinf(b):
        return b > 0
    a, b = exact(a), exact(b)
    if a is None or b is None:
        return None
    if at_least(a, b):
        return False
    if at_least(minus(b, a), 1) or (never_negative(minus(b, a)) and never_equal(a, b)):
        return True
    return None


def no(a: bool | None) -> bool | None:
    """``Not``."""
    return None if a is None else not a


def both(a: bool | None, b: bool | None) -> bool | None:
    """``And``, decided by one False."""
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def either(a: bool | None, b: bool | None) -> bool | None:
    """``Or``, decided by one True."""
    return no(both(no(a), no(b)))


def chosen(condition: bool | None, a: Entry, b: Entry) -> Entry:
    """``Where``; an open condition does not matter between equal entries."""
    if condition is None:
        return a if a is not None and b is not None and same(a, b) else None
    return a if condition else b


def _numbers(how: Callable[[Any, Any], Any], plain: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Entry]:
    """Combine two entries: known ones plainly, others exactly."""

    def combine(a: Any, b: Any) -> Entry:
        if not is_symbolic(a) and not is_symbolic(b):
            return plain(a, b)
        a, b = exact(a), exact(b)
        return None if a is None or b is None else how(a, b)

    return combine


add = _numbers(plus, lambda a, b: a + b)
subtract = _numbers(minus, lambda a, b: a - b)
multiply = _numbers(times, lambda a, b: a * b)
least = _numbers(minimum, min)
greatest = _numbers(maximum, max)
