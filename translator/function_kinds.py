"""Kinds of scalar functions and number types: what decides formats and tables."""

from __future__ import annotations

from circuits.scalar import Scalar

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


def is_truth(function: Scalar) -> bool:
    """Tell whether a function is a comparison."""
    return function.op in ("ge", "gt", "eq")


def is_threshold(function: Scalar) -> bool:
    """Tell whether a function compares its argument with a constant, so that it has one step."""
    return function.op in ("ge", "gt") and {arg.op for arg in function.args} == {"x", "const"}


def is_smooth(function: Scalar) -> bool:
    """Tell whether a function has no jumps and does not oscillate."""
    stack = [function]
    while stack:
        term = stack.pop()
        if term.op not in SMOOTH:
            return False
        stack.extend(term.args)
    return True


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
