"""Number formats: which real numbers a word of p bits stands for.

A format is a monotone codebook. `Format` is the uniform one: the codes are the integers ``lo .. lo + 2**bits - 1`` and code c
stands for ``c * 2**-frac``. A word stores the offset ``u = c - lo`` in binary, bit 0 the least significant, so that a
larger number has a larger word and rounding is a chain of comparisons. Two's complement is ``lo = -2**(bits-1)`` with the
top bit inverted. Rounding is half to even; overflow saturates.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from circuits.diagnostics import fail

Integers = np.ndarray[Any, np.dtype[np.int64]]

MAX_BITS = 62


@dataclass(frozen=True, slots=True)
class Format:
    """Fixed point: `bits` bits, smallest code `lo`, `frac` fractional bits (negative: multiples of a power of two)."""

    bits: int
    lo: int
    frac: int

    def __post_init__(self) -> None:
        if not 1 <= self.bits <= MAX_BITS:
            raise fail("C001", f"a word has 1 to {MAX_BITS} bits, not {self.bits}", help="choose another --precision")

    @property
    def hi(self) -> int:
        """The largest code."""
        return self.lo + (1 << self.bits) - 1

    def value(self, code: int) -> Fraction:
        """The real number that a code stands for."""
        return Fraction(code) / Fraction(2) ** self.frac

    def clamp(self, codes: Integers) -> Integers:
        """Saturate integers to the codes of the format."""
        return np.clip(codes, self.lo, self.hi)

    def encode(self, values: np.ndarray[Any, Any]) -> Integers:
        """Round reals to codes: half to even, saturating. Integers are encoded exactly where there are no fractional bits."""
        given = np.asarray(values)
        if given.dtype.kind in "iub" and self.frac == 0:
            held = np.minimum(given, np.uint64(np.iinfo(np.int64).max)) if given.dtype == np.uint64 else given
            return self.clamp(held.astype(np.int64))
        scaled = np.rint(np.ldexp(given.astype(np.float64), self.frac))
        return self.clamp(np.clip(scaled, -(2.0**MAX_BITS), 2.0**MAX_BITS).astype(np.int64))

    def __str__(self) -> str:
        return f"{self.bits} bits, {self.frac} fractional, codes {self.lo}..{self.hi}"


BIT = Format(1, 0, 0)


def threshold(code: int, shift: int) -> tuple[int, int]:
    """The integers (scale, t) with: round(S / 2**shift) >= code if and only if scale * S >= t, half to even, every integer S.

    A tie, S exactly half-way below `code`, goes up to `code` when `code` is even and stays below when it is odd.
    """
    if shift <= 0:
        return 1 << -shift, code
    return 1, (2 * code - 1) * (1 << (shift - 1)) + code % 2


def round_half_even(sums: Integers, shift: int) -> Integers:
    """``sums / 2**shift`` to the nearest integer, ties to even; a negative shift multiplies."""
    if shift <= 0:
        return sums << -shift
    floor = sums >> shift
    rest = sums - (floor << shift)
    half = 1 << (shift - 1)
    return floor + ((rest > half) | ((rest == half) & (floor % 2 == 1)))


def divide_half_even(num: Integers, den: Integers) -> Integers:
    """``num / den`` to the nearest integer, ties to even, for positive `den`."""
    floor = num // den
    rest = 2 * (num - floor * den)
    return floor + ((rest > den) | ((rest == den) & (floor % 2 == 1)))
