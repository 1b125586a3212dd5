"""Two-argument operations on parts and views of equal size: what is affine stays affine, what has one variable one function.

A product of two variables is a `Multiply`, a quotient a `Ratio` where the sign of the denominator can be split off, a maximum a
difference and a `Map`, a power the exponential of a multiple of a logarithm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.scalar import OPERATIONS, Scalar, X, const
from translator.reading.assembly import _diagonal, scaled
from translator.reading.context import Context, known, plain
from translator.reading.refusing import Refusal
from translator.reading.values import Part, Vector, View, constant, selection

MOST_CONSTANTS = 16
"""A function with more different constants than this is computed as one of two variables."""


def operation(op: str) -> Callable[..., Any]:
    """An operation on arrays."""
    return ARRAYS.get(op) or OPERATIONS[op]


def truncated(x: Scalar) -> Scalar:
    """Drop the fraction."""
    return Scalar("mul", (Scalar("sign", (x,)), Scalar("floor", (Scalar("abs", (x,)),))))


def formula(op: str, left: Scalar, right: Scalar) -> Scalar:
    """An operation of two scalar functions as one scalar function."""
    match op:
        case "le":
            return Scalar("ge", (right, left))
        case "lt":
            return Scalar("gt", (right, left))
        case "quotient":
            return truncated(Scalar("div", (left, right)))
        case "fmod":
            rest = Scalar("mod", (Scalar("abs", (left,)), Scalar("abs", (right,))))
            return Scalar("mul", (Scalar("sign", (left,)), rest))
        case "pow" if right == const(2.0):
            return Scalar("mul", (left, left))
        case "pow" if right == const(1.0):
            return left
        case _:
            return Scalar(op, (left, right))


ARRAYS: dict[str, Callable[..., Any]] = {
    "le": np.less_equal,
    "lt": np.less,
    "and": np.logical_and,
    "or": np.logical_or,
    "xor": np.logical_xor,
    "quotient": lambda a, b: np.trunc(np.divide(a, b)),
    "fmod": np.fmod,
}


def composed(view: View, function: Scalar) -> View:
    """A function of a view; what is affine stays affine."""
    affine = as_affine(function)
    if affine is None:
        return view.with_function(view.scalar.then(function))
    scale, shift, divisor = affine
    return View(
        view.source,
        view.at,
        view.index,
        view.function,
        view.scale * scale,
        view.shift * scale / divisor + shift,
        view.divisor * divisor,
    )


def apply_to_view(context: Context, view: View, function: Scalar) -> View:
    """A function of a view, evaluated where the view is known."""
    values = known(context, view)
    return composed(view, function) if values is None else context.assembly.view_of(constant(function(values)))


def as_affine(function: Scalar) -> tuple[float, float, float] | None:
    """Recognize ``scale * x / divisor + shift``."""
    match function:
        case Scalar("x"):
            return 1.0, 0.0, 1.0
        case Scalar("neg", (Scalar("x"),)):
            return -1.0, 0.0, 1.0
        case Scalar("mul", (Scalar("const", (), value), Scalar("x"))) | Scalar(
            "mul", (Scalar("x"), Scalar("const", (), value))
        ):
            return value, 0.0, 1.0
        case Scalar("add", (Scalar("x"), Scalar("const", (), value))) | Scalar(
            "add", (Scalar("const", (), value), Scalar("x"))
        ):
            return 1.0, value, 1.0
        case Scalar("sub", (Scalar("x"), Scalar("const", (), value))):
            return 1.0, -value, 1.0
        case Scalar("sub", (Scalar("const", (), value), Scalar("x"))):
            return -1.0, value, 1.0
        case Scalar("div", (Scalar("x"), Scalar("const", (), value))) if value:
            return 1.0, 0.0, value
        case _:
            return None


def combine(context: Context, op: str, left: Part, right: Part) -> Part:
    """Combine two parts of equal size."""
    allowed, outside = None, 0.0
    if left.allowed is not None or right.allowed is not None:
        result = _combine_masked(context, op, left, right)
        if result is not None:
            return result
        left, right = Part(plain(context, left)), Part(plain(context, right))
    if op == "div":
        quotient = _quotient(context, left, right)
        if quotient is not None:
            return quotient
    a, b = context.assembly.settle(left), context.assembly.settle(right)
    return Part(combine_views(context, op, a, b), None, allowed, outside)


def _combine_masked(context: Context, op: str, left: Part, right: Part) -> Part | None:
    """Keep the guard of a masked operand where the operation allows it."""
    for mine, other, is_left in ((left, right, True), (right, left, False)):
        if mine.allowed is None or (other.allowed is not None and other.allowed != mine.allowed):
            continue
        values = known(context, other.view) if other.denominator is None else None
        bare = Part(mine.view, mine.denominator)
        free = Part(other.view, other.denominator)
        pair = (bare, free) if is_left else (free, bare)
        if mine.outside == 0 and (op == "mul" or (op == "div" and is_left)):
            inner = combine(context, op, *pair)
            return Part(inner.view, inner.denominator, mine.allowed, 0.0)
        if mine.outside < 0:
            keeps = op == "add" or (op == "sub" and is_left)
            keeps = keeps or (op in ("mul", "div") and is_left and values is not None and bool((values > 0).all()))
            keeps = keeps or (op == "mul" and values is not None and bool((values > 0).all()))
            if keeps and other.allowed is None:
                inner = combine(context, op, *pair)
                return Part(inner.view, inner.denominator, mine.allowed, mine.outside)
    return None


def _quotient(context: Context, left: Part, right: Part) -> Part | None:
    """Keep a division by something positive as a quotient, if it is no function of one variable."""
    assembly = context.assembly
    if right.denominator is not None or left.denominator is not None or known(context, right.view) is not None:
        return None
    if left.view.is_same_base(right.view):
        return None
    den = right.view
    if den.function is not None:
        return None
    affine = den.source.affine
    is_length = affine is not None and not affine.operands and not affine.pieces and bool(affine.length.any())
    if not is_length and not (den.source.positive and den.scale / den.divisor > 0 and den.shift >= 0):
        return None
    if not is_length and known(context, left.view) is not None:
        return None
    if is_length:
        rows = assembly.rows(den)
        unique = rows.select(np.zeros(1, dtype=np.int64))
        if (rows.length == rows.length[0]).all() and (rows.const == rows.const[0]).all():
            return Part(left.view, assembly.length_view(unique).take(np.zeros(rows.size, dtype=np.int64)))
    if den.shift or den.scale != den.divisor:
        den = assembly.view_of(assembly.rows(den), assembly.named("den"))
    return Part(left.view, den)


def combine_views(context: Context, op: str, a: View, b: View) -> View:
    """Combine two views of equal size."""
    assembly = context.assembly
    left, right = known(context, a), known(context, b)
    if left is not None and right is not None:
        with np.errstate(all="ignore"):
            return assembly.view_of(constant(operation(op)(left, right)))
    infinite = any(values is not None and not np.isfinite(values).all() for values in (left, right))
    if infinite and op in ("add", "sub", "mul"):
        raise Refusal(
            "N037",
            f"`{op}` of numbers that depend on the input and infinite constants",
            help="mask scores before a softmax, nothing else",
        )
    if op == "le":
        return combine_views(context, "ge", b, a)
    if op == "lt":
        return combine_views(context, "gt", b, a)
    if op in ("and", "or", "xor"):
        return _logical(context, op, a, b)
    if right is not None and _is_uniform(right):
        return composed(a, formula(op, X, const(right[0])))
    if left is not None and _is_uniform(left):
        return composed(b, formula(op, const(left[0]), X))
    if a.is_same_base(b) and (op not in ("add", "sub") or a.function is not None or b.function is not None):
        return a.with_function(formula(op, a.scalar, b.scalar))
    if op in ("add", "sub"):
        return assembly.view_of(assembly.rows(a).plus(scaled(assembly.rows(b), 1.0 if op == "add" else -1.0, 0.0)))
    if op != "mul":
        letters = assembly.letter_table(a, b, operation(op))
        if letters is not None:
            return letters
    if infinite or op in ("pow", "mod", "fmod", "quotient"):
        for view, values, swapped in ((a, right, False), (b, left, True)):
            if values is not None and len(np.unique(values)) <= MOST_CONSTANTS:
                return _by_constant(context, op, view, values, swapped)
    every = np.arange(a.size)
    match op:
        case "mul":
            return assembly.multiply(a, b, every, every)
        case "div" if right is not None:
            return assembly.view_of(assembly.rows(a).apply(csr_array(_diagonal(1.0 / right))))
        case "div":
            return assembly.multiply(a, composed(b, Scalar("div", (const(1.0), X))), every, every)
        case "quotient":
            return composed(_ratio(context, a, b, whole=True), truncated(X))
        case "mod" | "fmod":
            function = Scalar("floor", (X,)) if op == "mod" else truncated(X)
            times = composed(_ratio(context, a, b, whole=False), function)
            return combine_views(context, "sub", a, combine_views(context, "mul", b, times))
        case "pow":
            return _power(context, a, b)
    difference = assembly.view_of(
        assembly.rows(a).plus(scaled(assembly.rows(b), -1.0, 0.0)), assembly.named("difference")
    )
    match op:
        case "ge" | "gt" | "eq":
            return difference.with_function(Scalar(op, (X, const(0.0))))
        case "max":
            excess = difference.with_function(Scalar("max", (X, const(0.0))))
            return assembly.view_of(assembly.rows(b).plus(assembly.rows(excess)))
        case "min":
            excess = difference.with_function(Scalar("max", (X, const(0.0))))
            return assembly.view_of(assembly.rows(a).plus(scaled(assembly.rows(excess), -1.0, 0.0)))
        case _:
            raise Refusal("N040", f"`{op}` of two variables is not supported", help="one operand has to be a constant")


def _is_uniform(values: Vector) -> bool:
    return bool(values.size) and bool((values == values[0]).all())


def _by_constant(context: Context, op: str, view: View, values: Vector, swapped: bool) -> View:
    """One function for each constant, on the elements that it belongs to."""
    assembly = context.assembly
    total = constant(np.zeros(view.size))
    for value in np.unique(values):
        chosen = np.flatnonzero(values == value)
        function = formula(op, const(value), X) if swapped else formula(op, X, const(value))
        rows = assembly.rows(composed(view.take(chosen), function))
        total = total.plus(rows.apply(csr_array(selection(chosen, view.size).T)))
    return assembly.view_of(total)


def _ratio(context: Context, a: View, b: View, *, whole: bool) -> View:
    """A quotient whose denominator has any sign; that of whole numbers is never 0."""
    magnitude = Scalar("abs", (X,))
    if whole:
        magnitude = Scalar("max", (magnitude, const(1.0)))
    signed = combine_views(context, "mul", a, apply_to_view(context, b, Scalar("sign", (X,))))
    return context.assembly.settle(Part(signed, apply_to_view(context, b, magnitude)))


def _power(context: Context, base: View, exponent: View) -> View:
    """``|x| ** y`` is ``exp(y * log |x|)``; a negative base gives a sign to whole exponents, base 0 tells if y is 0."""

    def both(op: str, left: View, right: View) -> View:
        return combine_views(context, op, left, right)

    def of(view: View, function: Scalar) -> View:
        return apply_to_view(context, view, function)

    zero, one = Scalar("eq", (X, const(0.0))), const(1.0)
    half = Scalar("mul", (X, const(0.5)))
    whole = Scalar("eq", (X, Scalar("floor", (X,))))
    even = Scalar("eq", (half, Scalar("floor", (half,))))
    logarithm = of(base, Scalar("log", (Scalar("add", (Scalar("abs", (X,)), zero)),)))
    size = of(both("mul", exponent, logarithm), Scalar("exp", (X,)))
    # What a negative base adds to the factor 1: 0 for even, -2 for odd exponents; at -1 the power is undefined.
    change = of(exponent, Scalar("where", (whole, Scalar("where", (even, const(0.0), const(-2.0))), const(-1.0))))
    negative = of(base, Scalar("gt", (const(0.0), X)))
    changed = Scalar("add", (X, one))
    sign = of(both("mul", negative, change), Scalar("div", (changed, Scalar("abs", (changed,)))))
    nonzero = of(base, Scalar("sub", (one, zero)))
    power = both("mul", both("mul", size, sign), nonzero)
    # Powers of 0: 1 for the exponent 0, 0 for positive ones, infinite for negative ones.
    case = Scalar("where", (zero, one, Scalar("where", (Scalar("gt", (X, const(0.0))), const(0.0), const(2.0)))))
    of_zero = of(both("mul", of(base, zero), of(exponent, case)), Scalar("div", (X, Scalar("sub", (const(2.0), X)))))
    return both("add", power, of_zero)


def _logical(context: Context, op: str, a: View, b: View) -> View:
    assembly = context.assembly
    both = combine_views(context, "mul", a, b)
    if op == "and":
        return both
    weight = -1.0 if op == "or" else -2.0
    total = assembly.rows(a).plus(assembly.rows(b)).plus(scaled(assembly.rows(both), weight, 0.0))
    return assembly.view_of(total)
