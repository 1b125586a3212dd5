"""Scalar functions of one real variable, kept as terms so that chains of elementwise operators stay one function.

Gelu as one operator and as ``x * 0.5 * (1 + Erf(x / sqrt 2))`` become the same kind of object and are rounded once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from scipy import special

from circuits.floats import Codebook
from circuits.small_floats import SMALL_FLOATS

Array = np.ndarray[Any, np.dtype[np.float64]]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Scalar:
    """The operation `op` of other scalar functions; ``Scalar("x")`` is the variable, ``Scalar("const", (), c)`` a constant."""

    op: str
    args: tuple[Scalar, ...] = ()
    value: float = 0.0

    def __call__(self, x: Array) -> Array:
        """Evaluate elementwise in float64."""

        def visit(term: Scalar, args: tuple[Array, ...]) -> Array:
            if term.op == "x":
                return np.asarray(x, dtype=np.float64)
            if term.op == "const":
                return np.full(np.shape(x), term.value)
            return np.asarray(OPERATIONS[term.op](*args), dtype=np.float64)

        with np.errstate(all="ignore"):
            return self.fold(visit)

    def then(self, outer: Scalar) -> Scalar:
        """The function ``outer(self(x))``."""
        return outer.fold(lambda term, args: self if term.op == "x" else Scalar(term.op, args, term.value))

    def fold(self, visit: Callable[[Scalar, tuple[Result, ...]], Result]) -> Result:
        """Visit every term once, after its arguments and with what they gave; terms may be nested to any depth."""
        memo: dict[Scalar, Result] = {}
        stack = [self]
        while stack:
            term = stack[-1]
            missing = [arg for arg in term.args if arg not in memo]
            if missing:
                stack.extend(missing)
                continue
            stack.pop()
            if term not in memo:
                memo[term] = visit(term, tuple(memo[arg] for arg in term.args))
        return memo[self]


X = Scalar("x")


def const(value: float) -> Scalar:
    """The constant function."""
    return Scalar("const", (), float(value))


def rounded_to(codebook: Codebook) -> Callable[..., Any]:
    """The rounding to the numbers of a small floating-point type."""
    return lambda x: codebook.round(np.asarray(x, dtype=np.float64))


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "min": np.minimum,
    "max": np.maximum,
    "mod": np.mod,
    "neg": np.negative,
    "abs": np.abs,
    "sign": np.sign,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "reciprocal": np.reciprocal,
    "erf": special.erf,
    "tanh": np.tanh,
    "sigmoid": special.expit,
    "softplus": lambda x: np.logaddexp(0.0, x),
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "round": np.rint,
    "float32": lambda x: np.asarray(x, dtype=np.float32).astype(np.float64),
    **{name: rounded_to(codebook) for name, codebook in SMALL_FLOATS.items()},
    "floor": np.floor,
    "ceil": np.ceil,
    "ge": lambda a, b: a >= b,
    "gt": lambda a, b: a > b,
    "eq": lambda a, b: a == b,
    "where": lambda c, a, b: np.where(c != 0, a, b),
}


def arity(op: str) -> int:
    """How many arguments an operation takes."""
    function: Any = OPERATIONS[op]
    return int(function.nin if isinstance(function, np.ufunc) else function.__code__.co_argcount)
