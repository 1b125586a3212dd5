"""Interval extensions of the scalar operations: one entry for each entry of `circuits.scalar.OPERATIONS`.

Given intervals of the arguments, an extension encloses every value that the operation takes on them in exact real arithmetic.
Rounding, comparing and selecting are exact. What numpy and scipy compute with an error (exp, erf, sin, ...) is widened by `ULPS`
units in the last place on both sides; tests compare them with 50 digits and find fewer than half as many. A step function
whose argument straddles a step gives both values.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from circuits.scalar import OPERATIONS, Scalar
from circuits.small_floats import SMALL_FLOATS
from translator import intervals
from translator.intervals import EPS, Interval, Reals, down, point, settled, up

ULPS = 4.0
PI = float(np.pi)


def enclose_scalar(function: Scalar, x: Interval) -> Interval:
    """Enclose a scalar function of intervals by its natural interval extension."""

    def visit(term: Scalar, args: tuple[Interval, ...]) -> Interval:
        if term.op == "x":
            return x
        return point(term.value) if term.op == "const" else ENCLOSURES[term.op](*args)

    with np.errstate(all="ignore"):
        found = function.fold(visit)
    shape = x.lo.shape
    if found.lo.shape == shape:
        return found
    lo = np.broadcast_to(found.lo, shape)
    return Interval(lo, lo if found.is_point else np.broadcast_to(found.hi, shape))


def increasing(
    function: Callable[[Reals], Reals],
    anchor: tuple[float, float] = (0.0, 0.0),
    values: tuple[float, float] = (-np.inf, np.inf),
    domain: tuple[float, float] = (-np.inf, np.inf),
) -> Callable[[Interval], Interval]:
    """The extension of an increasing function computed with an error of fewer than `ULPS` units.

    Args:
        anchor: an argument with its exact value: rounding does not take a result to the other side of it.
        values: smallest and largest value.
        domain: smallest and largest argument; unknown outside.
    """

    def enclose(a: Interval) -> Interval:
        least, most = function(a.lo), function(a.hi)
        lower, upper = np.maximum(down(least, ULPS), values[0]), np.minimum(up(most, ULPS), values[1])
        lower = np.where((a.lo >= anchor[0]) & (lower < anchor[1]), anchor[1], lower)
        upper = np.where((a.hi <= anchor[0]) & (upper > anchor[1]), anchor[1], upper)
        return settled(lower, upper, (a.lo < domain[0]) | (a.hi > domain[1]))

    return enclose


def steps(function: Callable[[Reals], Reals]) -> Callable[[Interval], Interval]:
    """The extension of an increasing function that is computed exactly."""

    def enclose(a: Interval) -> Interval:
        lo = function(a.lo)
        return Interval(lo, lo if a.is_point else function(a.hi))

    return enclose


def each_end(function: Callable[[Reals, Reals], Reals]) -> Callable[[Interval, Interval], Interval]:
    """The extension of an exact function that increases in both arguments."""

    def enclose(a: Interval, b: Interval) -> Interval:
        lo = function(a.lo, b.lo)
        return Interval(lo, lo if a.is_point and b.is_point else function(a.hi, b.hi))

    return enclose


def multiples(a: Interval, offset: float, period: float) -> Any:
    """Tell whether an interval may contain a number ``offset + k * period`` with an integer k."""
    first, last = (a.lo - offset) / period, (a.hi - offset) / period
    first, last = first - 8 * EPS * (1 + np.abs(first)), last + 8 * EPS * (1 + np.abs(last))
    return ~(np.floor(last) < np.ceil(first))


def wave(function: Callable[[Reals], Reals], crest: float) -> Callable[[Interval], Interval]:
    """The extension of sine or cosine, which is 1 at `crest`."""

    def enclose(a: Interval) -> Interval:
        left, right = function(a.lo), function(a.hi)
        lower, upper = down(np.minimum(left, right), ULPS), up(np.maximum(left, right), ULPS)
        lower = np.where(multiples(a, crest - PI, 2 * PI), -1.0, np.maximum(lower, -1.0))
        upper = np.where(multiples(a, crest, 2 * PI), 1.0, np.minimum(upper, 1.0))
        return settled(lower, upper, np.isnan(a.lo) | np.isinf(a.lo) | np.isinf(a.hi))

    return enclose


def tangent(a: Interval) -> Interval:
    """The tangent; unknown where a pole may lie in the interval."""
    return settled(down(np.tan(a.lo), ULPS), up(np.tan(a.hi), ULPS), multiples(a, PI / 2, PI))


def power(a: Interval, b: Interval) -> Interval:
    """``a ** b``: for one whole exponent every base, for others positive bases."""
    if b.is_point and (b.lo == 2).all():
        return intervals.multiply(a, a)
    if b.is_point and (b.lo == 1).all():
        return a
    exponent = b.lo
    whole = (b.lo == b.hi) & (exponent == np.rint(exponent))
    even = whole & (exponent % 2 == 0)
    size = intervals.magnitude(a)
    base_lo, base_hi = np.where(even, size.lo, a.lo), np.where(even, size.hi, a.hi)
    zero = (a.lo <= 0) & (a.hi >= 0)
    unknown = np.where(whole, (exponent < 0) & zero, (a.lo < 0) | ((a.lo == 0) & (b.lo <= 0)))
    corners = [np.power(base, end) for base in (base_lo, base_hi) for end in (b.lo, b.hi)]
    lower = down(np.minimum.reduce(corners), ULPS)
    upper = up(np.maximum.reduce(corners), ULPS)
    lower = np.where((even | (a.lo >= 0)) & (lower < 0), 0.0, lower)
    upper = np.where(whole & ~even & (a.hi <= 0) & (upper > 0), 0.0, upper)
    none = whole & (exponent == 0)
    return settled(np.where(none, 1.0, lower), np.where(none, 1.0, upper), unknown | np.isnan(a.lo))


def modulo(a: Interval, b: Interval) -> Interval:
    """``a - b * floor(a / b)``: near a jump everything between 0 and b."""
    quotient = intervals.divide(a, b)
    times, last = np.floor(quotient.lo), np.floor(quotient.hi)
    exact = intervals.subtract(a, intervals.multiply(b, point(times)))
    least, most = np.minimum(b.lo, 0.0), np.maximum(b.hi, 0.0)
    if exact.is_point and np.array_equal(times, last):
        return exact
    lower = np.where(times == last, np.clip(exact.lo, least, most), least)
    upper = np.where(times == last, np.clip(exact.hi, least, most), most)
    return settled(lower, upper, np.isnan(quotient.lo) | np.isinf(times) | np.isinf(last))


def truth(always: Any, never: Any, unknown: Any) -> Interval:
    """A comparison: 1, 0, or either."""
    always, never = np.asarray(always), np.asarray(never)
    if (always | never).all():
        return point(always)
    return settled(always.astype(np.float64), 1.0 - never, unknown)


def at_least(a: Interval, b: Interval) -> Interval:
    """``a >= b``."""
    return truth(a.lo >= b.hi, a.hi < b.lo, np.isnan(a.lo) | np.isnan(b.lo))


def greater(a: Interval, b: Interval) -> Interval:
    """``a > b``."""
    return truth(a.lo > b.hi, a.hi <= b.lo, np.isnan(a.lo) | np.isnan(b.lo))


def equal(a: Interval, b: Interval) -> Interval:
    """``a = b``."""
    same = (a.lo == a.hi) & (b.lo == b.hi) & (a.lo == b.lo)
    return truth(same, (a.hi < b.lo) | (b.hi < a.lo), np.isnan(a.lo) | np.isnan(b.lo))


def choose(condition: Interval, a: Interval, b: Interval) -> Interval:
    """``a`` where the condition is not 0, else ``b``; both where that is open."""
    yes, no = (condition.lo > 0) | (condition.hi < 0), (condition.lo == 0) & (condition.hi == 0)
    lower = np.where(yes, a.lo, np.where(no, b.lo, np.minimum(a.lo, b.lo)))
    if a.is_point and b.is_point and (yes | no).all():
        return point(lower)
    upper = np.where(yes, a.hi, np.where(no, b.hi, np.maximum(a.hi, b.hi)))
    return settled(lower, upper, np.isnan(condition.lo))


def arccosine(a: Interval) -> Interval:
    """The inverse of the cosine, which decreases."""
    return intervals.negate(NEGATED_ARCCOSINE(a))


def hyperbolic_cosine(a: Interval) -> Interval:
    """The hyperbolic cosine: it increases with the magnitude."""
    return COSH_OF_MAGNITUDE(intervals.magnitude(a))


def softplus(x: Reals) -> Reals:
    """``log(1 + exp x)``."""
    return np.logaddexp(0.0, x)


NEGATED_ARCCOSINE = increasing(lambda x: -np.arccos(x), (1.0, 0.0), domain=(-1.0, 1.0))
COSH_OF_MAGNITUDE = increasing(np.cosh, (0.0, 1.0))

ENCLOSURES: dict[str, Callable[..., Interval]] = {
    "add": intervals.add,
    "sub": intervals.subtract,
    "mul": intervals.multiply,
    "div": intervals.divide,
    "pow": power,
    "min": each_end(np.minimum),
    "max": each_end(np.maximum),
    "mod": modulo,
    "neg": intervals.negate,
    "abs": intervals.magnitude,
    "sign": steps(np.sign),
    "exp": increasing(np.exp, (0.0, 1.0), values=(0.0, np.inf)),
    "log": increasing(np.log, (1.0, 0.0), domain=(0.0, np.inf)),
    "sqrt": intervals.root,
    "reciprocal": lambda a: intervals.divide(point(1.0), a),
    "erf": increasing(special.erf, values=(-1.0, 1.0)),
    "tanh": increasing(np.tanh, values=(-1.0, 1.0)),
    "sigmoid": increasing(special.expit, (0.0, 0.5), values=(0.0, 1.0)),
    "softplus": increasing(softplus, values=(0.0, np.inf), anchor=(-np.inf, 0.0)),
    "sin": wave(np.sin, PI / 2),
    "cos": wave(np.cos, 0.0),
    "tan": tangent,
    "asin": increasing(np.arcsin, domain=(-1.0, 1.0)),
    "acos": arccosine,
    "atan": increasing(np.arctan),
    "sinh": increasing(np.sinh),
    "cosh": hyperbolic_cosine,
    "asinh": increasing(np.arcsinh),
    "acosh": increasing(np.arccosh, (1.0, 0.0), domain=(1.0, np.inf)),
    "atanh": increasing(np.arctanh, domain=(-1.0, 1.0)),
    "round": steps(np.rint),
    "float32": steps(OPERATIONS["float32"]),
    **{name: steps(OPERATIONS[name]) for name in SMALL_FLOATS},
    "floor": steps(np.floor),
    "ceil": steps(np.ceil),
    "ge": at_least,
    "gt": greater,
    "eq": equal,
    "where": choose,
}
