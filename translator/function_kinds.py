"""Kinds of scalar functions and number types: what decides formats and tables."""

from __future__ import annotations

import math

from circuits.scalar import Scalar, X, const

RECTIFIERS = (Scalar("max", (X, const(0.0))), Scalar("max", (const(0.0), X)))
SMOOTH = frozenset(
    {
        *("x", "const", "add", "sub", "mul", "neg", "abs", "min", "max"),
        *("exp", "log", "sqrt", "erf", "tanh", "sigmoid", "softplus", "atan", "sinh", "cosh", "asinh"),
    }
)
WHOLE = frozenset({"round", "floor", "ceil", "sign", "ge", "gt", "eq"})


def is_integer(dtype: str) -> bool:
    """Tell whether an ONNX element type has whole numbers or truth values only."""
    return dtype == "bool" or dtype.startswith(("int", "uint"))


def is_rectifier(function: Scalar) -> bool:
    """Tell whether a function is ``max(x, 0)``, which a rounding that saturates at 0 computes."""
    return function in RECTIFIERS or (function.op == "abs" and function.args[0] in RECTIFIERS)


def is_truth(function: Scalar) -> bool:
    """Tell whether a function is a comparison."""
    return function.op in ("ge", "gt", "eq")


def is_reciprocal(function: Scalar) -> bool:
    """Tell whether a function is a constant over something."""
    return function.op == "reciprocal" or (function.op == "div" and function.args[0].op == "const")


def is_threshold(function: Scalar) -> bool:
    """Tell whether a function compares its argument with a constant, so that it has one step."""
    return function.op in ("ge", "gt") and {arg.op for arg in function.args} == {"x", "const"}


def operations(function: Scalar) -> set[str]:
    """The operations of a function."""
    stack, found = [function], set()
    while stack:
        term = stack.pop()
        found.add(term.op)
        stack.extend(term.args)
    return found


def is_smooth(function: Scalar) -> bool:
    """Tell whether a function has no jumps and does not oscillate."""
    return operations(function) <= SMOOTH


def is_whole(function: Scalar, of_whole: bool = False) -> bool:
    """Tell whether a function only takes whole values: a rounding, or a clip of one by whole bounds.

    With `of_whole` its argument is whole, and then so are sums, products and remainders of it.
    """
    stack = [function]
    while stack:
        term = stack.pop()
        if term.op in WHOLE or (of_whole and term.op == "x"):
            continue
        if term.op in ("min", "max", "neg", "abs") or (of_whole and term.op in ("add", "sub", "mul", "mod")):
            stack.extend(term.args)
        elif of_whole and term.op == "where":
            stack.extend(term.args[1:])
        elif term.op != "const" or not float(term.value).is_integer():
            return False
    return True


def is_stepped(function: Scalar) -> bool:
    """Tell whether a function is constant between neighbouring multiples of 1/2.

    So are roundings, and comparisons with multiples of 1/2, of what keeps its argument between such multiples, and whatever is
    computed of these.
    """
    stack, found = [function], False
    while stack:
        term = stack.pop()
        if term.op in WHOLE and all(map(keeps_halves, term.args)):
            found = True
        elif term.op == "x":
            return False
        else:
            stack.extend(term.args)
    return found


def keeps_halves(function: Scalar) -> bool:
    """Tell whether a function of which arguments are between two multiples of 1/2 is so itself: a sign, a shift, or a clip."""
    match function:
        case Scalar("x"):
            return True
        case Scalar("const"):
            return (2 * function.value).is_integer()
        case Scalar("neg" | "abs", (inner,)):
            return keeps_halves(inner)
        case Scalar("min" | "max" | "add" | "sub", (left, right)) if "const" in (left.op, right.op):
            return keeps_halves(left) and keeps_halves(right)
        case _:
            return False


def whole_part(function: Scalar) -> tuple[str, int] | None:
    """Recognize a rounding of ``x / 2**k``: "floor", "ceil" or "round", and k."""
    if function.op not in ("floor", "ceil", "round"):
        return None
    match function.args[0]:
        case Scalar("x"):
            return function.op, 0
        case Scalar("div", (Scalar("x"), Scalar("const", (), value))) if value > 0 and math.frexp(value)[0] == 0.5:
            return function.op, math.frexp(value)[1] - 1
        case Scalar("mul", (Scalar("x"), Scalar("const", (), value)) | (Scalar("const", (), value), Scalar("x"))) if (
            value > 0 and math.frexp(value)[0] == 0.5
        ):
            return function.op, 1 - math.frexp(value)[1]
        case _:
            return None
