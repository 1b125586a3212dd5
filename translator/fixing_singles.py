"""Rounding to float32 in fixed precision: exact values to the nearest float32, ties to even, by saturating roundings.

A number of fewer than 2^24 of the exact value's steps is a float32. Above, the float32 between two powers of two are multiples of
one step, so that the nearest one is a sum of saturating roundings (`circuits.floats.Codebook.roundings`), exact again: chains of
float32 additions are networks without errors.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.floats import Codebook
from circuits.formats import Format
from circuits.matrices import selection
from circuits.network import Affine, Operand, Round, Table
from circuits.positions import Ref, var
from circuits.ranges import LIMIT_BITS
from circuits.scalar import Scalar
from translator import real
from translator.fixing_floats import put_sum
from translator.precision import covering

if TYPE_CHECKING:
    from translator.fixing import Fixer

Integers = np.ndarray[Any, np.dtype[np.int64]]

FEW = 1 << 9
SUM_BITS = 3  # the magnitudes of all rises together, more than their sum can be
MANTISSA = 24
LEAST_EXPONENT = -149
MOST_EXPONENT = 127


def linear_of(function: Scalar) -> tuple[Fraction, Fraction] | None:
    """Factor and shift of a function that is exactly linear, else None."""

    def visit(term: Scalar, args: tuple[tuple[Fraction, Fraction] | None, ...]) -> tuple[Fraction, Fraction] | None:
        if term.op == "x":
            return Fraction(1), Fraction(0)
        if term.op == "const":
            return (Fraction(0), Fraction(term.value)) if np.isfinite(term.value) else None
        if None in args or len(args) != 2:
            return None
        (a, b), (c, d) = args  # type: ignore[misc]
        match term.op:
            case "add":
                return a + c, b + d
            case "sub":
                return a - c, b - d
            case "mul" if not a or not c:
                return a * d + c * b, b * d
            case "div" if not c and d:
                return a / d, b / d
            case _:
                return None

    return function.fold(visit)


def add_single(fixer: Fixer, node: real.Map, ref: Ref) -> bool:
    """Append the rounding to float32 of a linear function of an exact value; tell whether the function is one and fits."""
    if node.function.op != "float32":
        return False
    line = linear_of(node.function.args[0])
    if line is None or any(part.denominator & (part.denominator - 1) for part in line):
        return False
    factor = line[0] / Fraction(2) ** fixer.frac(ref.node)
    frac = max(part.denominator.bit_length() - 1 for part in (factor, line[1]))
    weight, const = int(factor * (1 << frac)), int(line[1] * (1 << frac))
    ranges = fixer.ranges[ref.node]
    ends = [int(ranges[0].min()), int(ranges[1].max()), *([] if fixer.inside(ref) else [0])]
    least, most = min(weight * end + const for end in ends), max(weight * end + const for end in ends)
    largest = max(-least, most).bit_length()
    if largest >= LIMIT_BITS - SUM_BITS or -frac < LEAST_EXPONENT or largest - frac > MOST_EXPONENT:
        return False
    k, size = node.n_positions, node.size
    own, zero = tuple(var(v) for v in range(k)), np.zeros(size, dtype=np.int64)
    if max(ends) - min(ends) < FEW:
        fixer.put(tabulated(node, ref, range(min(ends), max(ends) + 1), (weight, const), frac))
        return True
    exact = node.name if largest <= MANTISSA else fixer.fresh(f"{node.name}.exact")
    if (weight, const) != (1, 0) or exact == node.name:
        scaled = Operand(ref, selection(np.arange(size), size, weight))
        fixer.put(Affine(exact, k, size, (scaled,), zero + const, zero, frac))
        ref = Ref(exact, own)
    if exact == node.name:
        return True
    lowest, highest = -(1 << (-least).bit_length()) if least < 0 else 0, 1 << max(most, 1).bit_length()

    def part(name: str, piece: Format) -> None:
        fixer.put(Round(name, k, size, ref, frac - piece.frac, piece))

    put_sum(fixer, node.name, k, size, Codebook(MANTISSA - 1, frac, lowest, highest), part)
    return True


def tabulated(node: real.Map, ref: Ref, arguments: range, line: tuple[int, int], frac: int) -> Table:
    """The rounding of few integers as a table: one word, where many roundings would have several for who adds them."""
    given = np.arange(arguments.start, arguments.stop, dtype=np.int64)
    values = (line[0] * given + line[1]).astype(np.float32).astype(np.int64)
    least, most = min(int(values.min()), 0), max(int(values.max()), 0)
    shift = trailing_zeros(values)
    format_ = covering(least >> shift, most >> shift, 0)
    steps = np.flatnonzero(np.diff(values)) + 1
    codes = np.concatenate([values[:1], values[steps]]) >> shift
    own = Format(format_.bits, format_.lo, frac - shift)
    return Table(node.name, node.n_positions, node.size, ref, given[steps], codes, own)


def trailing_zeros(values: Integers) -> int:
    """How many times all of some integers can be halved."""
    together = int(np.bitwise_or.reduce(values, initial=0))
    return (together & -together).bit_length() - 1 if together else 0
