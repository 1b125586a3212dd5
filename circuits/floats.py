"""Small floating-point formats, as sets of integers.

A value of a float format with m mantissa bits is an integer of at most m + 1 significant bits times a power of two. So all
values are integers, the *codes*, in units of the smallest one. A `Codebook` is the set of such integers between two ends.
Rounding to it is a monotone step function: to the nearest code, ties to the even significand, subnormal values included, overflow
saturates. There is no infinity, no NaN, and one zero.

`FloatFormat` says which codebook a name such as ``e4m3`` stands for. Its largest value is that of ONNX's ``FLOAT8E4M3FN`` for
e4m3, of the OCP microscaling formats for e2m1, e2m3 and e3m2 (all patterns are numbers), and of IEEE 754 for all others (the top
exponent is reserved): e5m10 is float16, e8m7 bfloat16, e8m23 float32.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.formats import Format

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]
Reals = np.ndarray[Any, np.dtype[np.float64]]

EXPONENT_BITS = range(2, 9)
MANTISSA_BITS = range(1, 24)
ALL_PATTERNS = ((2, 1), (2, 3), (3, 2))
ONE_PATTERN_RESERVED = (4, 3)


@dataclass(frozen=True, slots=True)
class Codebook:
    """The integers from `lo` <= 0 to `hi` > 0 of at most ``mantissa_bits + 1`` significant bits, in units of ``2**-frac``.

    Both ends are codes themselves.
    """

    mantissa_bits: int
    frac: int
    lo: int
    hi: int

    @property
    def format(self) -> Format:
        """The smallest uniform format that holds all codes: without sign, or two's complement.

        Raises:
            FomError: it has more than 62 bits.
        """
        if self.lo == 0:
            return Format(self.hi.bit_length(), 0, self.frac)
        bits = 1 + max(self.hi.bit_length(), (-self.lo - 1).bit_length())
        return Format(bits, -(1 << bits - 1), self.frac)

    def index(self, code: int) -> int:
        """The number of a code among all codes, counted from that of 0. It is even exactly where the significand is."""
        exponent = max(abs(code).bit_length() - self.mantissa_bits - 1, 0)
        number = (abs(code) >> exponent) + (exponent << self.mantissa_bits)
        return number if code >= 0 else -number

    def indices(self, codes: Integers) -> Integers:
        """The numbers of codes, as `index` counts them."""
        exponents = self.exponents(codes)
        return np.sign(codes) * ((np.abs(codes) >> exponents) + (exponents << self.mantissa_bits))

    def codes_at(self, indices: Integers) -> Integers:
        """The codes that have these numbers.

        Raises:
            FomError: a word of all codes has more than 62 bits.
        """
        _ = self.format
        exponents = np.maximum((np.abs(indices) >> self.mantissa_bits) - 1, 0)
        return np.sign(indices) * ((np.abs(indices) - (exponents << self.mantissa_bits)) << exponents)

    def codes(self) -> Integers:
        """All codes, increasing.

        Raises:
            FomError: a word of them has more than 62 bits.
        """
        return self.codes_at(np.arange(self.index(self.lo), self.index(self.hi) + 1, dtype=np.int64))

    def exponents(self, codes: Integers) -> Integers:
        """The exponents e of the multiples of ``2**e`` to which integers of these magnitudes are rounded."""
        _, bits = np.frexp(codes.astype(np.float64))
        return np.maximum(bits - self.mantissa_bits - 1, 0).astype(np.int64)

    def contains(self, codes: Integers) -> Truths:
        """Tell which integers are codes."""
        exponents = self.exponents(codes)
        return (codes >= self.lo) & (codes <= self.hi) & (codes >> exponents << exponents == codes)

    def within(self, low: float, high: float) -> Codebook:
        """The codes to which reals from `low` to `high` are rounded, and 0, and at least one above it."""
        ends = self.encode(np.array([min(low, 0.0), max(high, 0.0)]))
        return replace(self, lo=int(ends[0]), hi=max(int(ends[1]), 1))

    def above_zero(self) -> Codebook:
        """The codes that are not negative."""
        return replace(self, lo=0)

    def coarser(self) -> Codebook:
        """The codes of one mantissa bit less."""
        kept = self.mantissa_bits
        lo, hi = (end >> (drop := max(end.bit_length() - kept, 0)) << drop for end in (-self.lo, self.hi))
        return Codebook(kept - 1, self.frac, -lo, hi)

    def value(self, code: int) -> Fraction:
        """The real number that a code stands for."""
        return Fraction(code) / Fraction(2) ** self.frac

    def round(self, values: Reals) -> Reals:
        """The nearest value of the codebook to each real, exactly; infinities saturate, NaN stays NaN."""
        given = np.clip(np.asarray(values, dtype=np.float64), float(self.value(self.lo)), float(self.value(self.hi)))
        _, exponents = np.frexp(given)
        quantum = np.maximum(exponents - self.mantissa_bits - 1, -self.frac)
        return np.ldexp(np.rint(np.ldexp(given, -quantum)), quantum) + 0.0

    def encode(self, values: Reals) -> Integers:
        """The nearest code to each real that is not NaN.

        Raises:
            FomError: a word of the codes has more than 62 bits.
        """
        _ = self.format
        return np.ldexp(self.round(values), self.frac).astype(np.int64)

    def breaks(self, frac: int, low: int, high: int) -> tuple[Integers, Integers]:
        """The steps of rounding ``S * 2**-frac`` to the codebook, for integers S from `low` to `high` of at most 62 bits.

        Returns:
            Increasing breaks in (low, high], and the codes below, between and above them (one more than breaks).

        Raises:
            FomError: a word of the codes has more than 62 bits.
        """
        codes = self.codes()
        twice = codes[:-1] + codes[1:]
        shift = frac - self.frac - 1  # the middle of two codes is at S = twice * 2**shift
        if shift >= 0:
            near = np.flatnonzero(np.abs(twice) <= (max(abs(low), abs(high)) >> shift) + (shift < 62))
            middles, ties = twice[near] << min(shift, 62), np.ones(len(near), dtype=bool)
        else:
            near, down = np.arange(len(twice)), min(-shift, 63)
            middles = twice >> down
            ties = middles << down == twice
        if not len(near):
            return near, np.zeros(1, dtype=np.int64)
        upper_is_even = (near + 1 + self.index(self.lo)) % 2 == 0
        reached = middles + ~(ties & upper_is_even)
        first = near[0] + int(np.count_nonzero(reached <= low))
        counted = (reached > low) & (reached <= high)
        breaks, above = reached[counted], near[counted] + 1
        last = np.append(np.diff(breaks) > 0, True)[: len(breaks)]
        return breaks[last], codes[np.concatenate([[first], above[last]])]

    def roundings(self) -> list[Format]:
        """Uniform formats that make up the codebook: it rounds x to ``lo * 2**-frac`` plus the rises of all of them at x.

        The rise of a format at x is what x, rounded to it with saturation, is above its smallest code. Every run of equally
        spaced codes has its formats; neighbouring runs share a code, which is even in both of them, so that ties agree.
        """
        found = []
        for exponent, first, last in self.runs():
            while first < last:
                bits = (last - first + 1).bit_length() - 1
                found.append(Format(bits, first, self.frac - exponent))
                first += (1 << bits) - 1
        return found

    def runs(self) -> list[tuple[int, int, int]]:
        """Runs of equally spaced codes, from below: each (e, first, last) has codes ``first * 2**e .. last * 2**e``."""
        full = 2 << self.mantissa_bits
        upward, downward = self.outer_runs(self.hi), self.outer_runs(-self.lo)
        middle = (0, max(self.lo, -full), min(self.hi, full))
        return [*((e, -last, -first) for e, first, last in reversed(downward)), middle, *upward]

    def outer_runs(self, most: int) -> list[tuple[int, int, int]]:
        """The runs of positive codes up to `most` that are more than one unit apart."""
        half = 1 << self.mantissa_bits
        exponents = range(1, most.bit_length() - self.mantissa_bits)
        return [(e, half, min(most >> e, 2 * half)) for e in exponents if most >> e > half]


Codes = Format | Codebook


@dataclass(frozen=True, slots=True)
class FloatFormat:
    """A floating-point format of a sign, `exponent_bits` and `mantissa_bits`, without infinity, NaN and -0."""

    exponent_bits: int
    mantissa_bits: int

    def __post_init__(self) -> None:
        if self.exponent_bits not in EXPONENT_BITS or self.mantissa_bits not in MANTISSA_BITS:
            raise fail(
                "C002",
                f"a float format of {self.exponent_bits} exponent and {self.mantissa_bits} mantissa bits",
                help=f"choose {EXPONENT_BITS[0]} to {EXPONENT_BITS[-1]} exponent bits "
                f"and {MANTISSA_BITS[0]} to {MANTISSA_BITS[-1]} mantissa bits",
            )

    @classmethod
    def parse(cls, text: str) -> FloatFormat:
        """Read a name such as ``e4m3``.

        Raises:
            FomError: it is none, or a number is out of range.
        """
        found = re.fullmatch(r"e(\d{1,3})m(\d{1,3})", text, re.ASCII)
        if not found:
            raise fail("C002", f"unknown float format `{text}`", help="write exponent and mantissa bits, e.g. e4m3")
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"e{self.exponent_bits}m{self.mantissa_bits}"

    @property
    def bits(self) -> int:
        """Bits of a stored number, with the sign."""
        return 1 + self.exponent_bits + self.mantissa_bits

    @property
    def frac(self) -> int:
        """Fractional bits of the smallest positive value, which is ``2**-frac``."""
        return (1 << self.exponent_bits - 1) - 2 + self.mantissa_bits

    @property
    def step(self) -> Fraction:
        """The smallest positive value."""
        return Fraction(1, 1 << self.frac)

    @property
    def largest(self) -> Fraction:
        """The largest value."""
        pair = (self.exponent_bits, self.mantissa_bits)
        reserved = 0 if pair in ALL_PATTERNS or pair == ONE_PATTERN_RESERVED else 1
        exponent = (1 << self.exponent_bits - 1) - reserved
        significand = (2 << self.mantissa_bits) - (2 if pair == ONE_PATTERN_RESERVED else 1)
        return Fraction(significand * (1 << exponent), 1 << self.mantissa_bits)

    @property
    def codebook(self) -> Codebook:
        """All values, in units of the smallest one."""
        most = int(self.largest / self.step)
        return Codebook(self.mantissa_bits, self.frac, -most, most)

    def window(self, largest: float, span: int) -> Codebook:
        """Codes of at most `span` bits and a sign that reach `largest`: all values, if they have no more bits.

        Otherwise the step is the smallest one for which `span` bits reach `largest`; numbers below are rounded to its multiples,
        as subnormal numbers are. Bits that are left over reach above `largest`, up to the largest value.
        """
        full = self.codebook
        if full.hi.bit_length() <= span:
            return full
        _, exponent = np.frexp(full.round(np.array(largest)))
        frac = min(full.frac, span - int(exponent))
        most = full.hi >> full.frac - frac if full.frac > frac else full.hi
        most = min(most, (2 << self.mantissa_bits) - 1 << span - self.mantissa_bits - 1)
        return Codebook(self.mantissa_bits, frac, -most, most)

    def codes(self) -> Integers:
        """All values in units of the smallest one, increasing.

        Raises:
            FomError: a word of them has more than 62 bits.
        """
        return self.codebook.codes()

    def round(self, values: Reals) -> Reals:
        """The nearest value to each real, exactly: ties to the even significand, infinities saturate, NaN stays NaN."""
        return self.codebook.round(values)

    def breaks(self, frac: int, low: int, high: int) -> tuple[Integers, Integers]:
        """The steps of rounding ``S * 2**-frac``, and the codes between them: see `Codebook.breaks`."""
        return self.codebook.breaks(frac, low, high)
