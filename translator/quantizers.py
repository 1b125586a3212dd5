"""Quantizers among scalar functions: a rounding to integer codes of an increasing function, and what is computed of the code.

``clip(round(g(x)))`` with increasing g is a step function with one break for each code, so bisection finds every break for
certain, float32 roundings included.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.formats import Format
from circuits.scalar import Scalar, X

Integers = np.ndarray[Any, np.dtype[np.int64]]

CODE_BITS = 17


@dataclass(frozen=True, slots=True)
class Quantizer:
    """``min(max(round(inner(x)), low), high)`` with increasing `inner` and whole bounds."""

    function: Scalar
    inner: Scalar
    low: int
    high: int

    @property
    def format(self) -> Format | None:
        """The format that has exactly these codes, if there is one."""
        codes = self.high - self.low + 1
        return Format(codes.bit_length() - 1, self.low, 0) if codes >= 2 and codes & (codes - 1) == 0 else None


def bounded(function: Scalar) -> tuple[Scalar, float, float]:
    """Take clips by constants off a function: what is clipped, and the bounds."""
    low, high = -math.inf, math.inf
    while function.op in ("min", "max"):
        constants = [arg.value for arg in function.args if arg.op == "const"]
        inner = [arg for arg in function.args if arg.op != "const"]
        if len(constants) != 1 or len(inner) != 1:
            break
        if function.op == "min":
            low, high = low, min(high, max(constants[0], low))
        else:
            low, high = max(low, min(constants[0], high)), high
        function = inner[0]
    return function, low, high


def quantizer_of(function: Scalar) -> Quantizer | None:
    """Recognize a quantizer: a rounding that is clipped, before or after it, by whole numbers."""
    rounded, low, high = bounded(function)
    if rounded.op != "round":
        return None
    inner, least, most = bounded(rounded.args[0])
    low, high = max(low, min(least, high)), min(high, max(most, low))
    if not (math.isfinite(low) and math.isfinite(high) and low.is_integer() and high.is_integer()):
        return None
    if high - low >= 1 << CODE_BITS or not is_increasing(inner):
        return None
    return Quantizer(function, inner, int(low), int(high))


def is_increasing(function: Scalar) -> bool:
    """Tell whether a function never decreases, in floating point as well: roundings, clips, positive factors and shifts."""
    while function.op != "x":
        match function:
            case Scalar("float32" | "round" | "floor" | "ceil", (inner,)):
                function = inner
            case Scalar("min" | "max" | "add", (inner, Scalar("const")) | (Scalar("const"), inner)):
                function = inner
            case Scalar("sub", (inner, Scalar("const"))):
                function = inner
            case Scalar("mul", (inner, Scalar("const", (), factor)) | (Scalar("const", (), factor), inner)) if (
                factor > 0
            ):
                function = inner
            case Scalar("div", (inner, Scalar("const", (), factor))) if factor > 0:
                function = inner
            case _:
                return False
    return True


def affine_of(function: Scalar) -> tuple[float, float] | None:
    """Factor and shift of an increasing function that is linear but for roundings to float32, else None."""
    factor, shift = 1.0, 0.0
    while function.op != "x":
        match function:
            case Scalar("float32", (inner,)):
                function = inner
            case Scalar("add", (inner, Scalar("const", (), value)) | (Scalar("const", (), value), inner)):
                shift, function = shift + factor * value, inner
            case Scalar("sub", (inner, Scalar("const", (), value))):
                shift, function = shift - factor * value, inner
            case Scalar("mul", (inner, Scalar("const", (), value)) | (Scalar("const", (), value), inner)) if value > 0:
                factor, function = factor * value, inner
            case Scalar("div", (inner, Scalar("const", (), value))) if value > 0:
                factor, function = factor / value, inner
            case _:
                return None
    return factor, shift


def first_quantizer(function: Scalar) -> tuple[Quantizer, Scalar] | None:
    """Split a function into a quantizer of its argument and a function of the code; None if it reads the argument otherwise."""
    found: list[Quantizer] = []
    memo: dict[Scalar, Scalar] = {}
    stack = [function]
    while stack:
        term = stack[-1]
        if term not in memo and reads_argument_once(term):
            own = quantizer_of(term)
            if own is not None and first_code(own):
                found.append(own)
                memo[term] = X
        if term in memo:
            stack.pop()
            continue
        missing = [arg for arg in term.args if arg not in memo]
        if missing:
            stack.extend(missing)
            continue
        stack.pop()
        if term.op == "x":
            return None
        memo[term] = Scalar(term.op, tuple(memo[arg] for arg in term.args), term.value)
    return (found[0], memo[function]) if found and len({own.function for own in found}) == 1 else None


def reads_argument_once(term: Scalar) -> bool:
    """Tell whether a term begins a quantizer: a rounding, or clips of one."""
    return bounded(term)[0].op == "round"


def first_code(own: Quantizer) -> bool:
    """Tell whether no other rounding to codes is inside of a quantizer."""
    stack = [own.inner]
    while stack:
        term = stack.pop()
        if term.op in ("round", "floor", "ceil"):
            return False
        stack.extend(term.args)
    return True


def breaks_of(quantizer: Quantizer, frac: int, low: int, high: int) -> tuple[Integers, Integers]:
    """The steps of a quantizer of ``S * 2**-frac`` for integers S from `low` to `high`, by bisection.

    Returns:
        Increasing breaks, and the codes below, between and above them (one more than breaks).
    """

    def code(sums: Integers) -> Integers:
        return quantizer.function(np.ldexp(sums.astype(np.float64), -frac)).astype(np.int64)

    first, last = (int(found) for found in code(np.array([low, high], dtype=np.int64)))
    wanted = np.arange(first + 1, last + 1, dtype=np.int64)
    below, above = np.full(len(wanted), low, dtype=np.int64), np.full(len(wanted), high, dtype=np.int64)
    while (above - below > 1).any():
        middle = below + (above - below) // 2
        reached = code(middle) >= wanted
        above, below = np.where(reached, middle, above), np.where(reached, below, middle)
    breaks = np.unique(above)
    return breaks, np.concatenate([[first], code(breaks)]).astype(np.int64)
