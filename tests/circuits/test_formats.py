"""Formats and roundings, against definitions with fractions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.formats import BIT, Format, divide_half_even, round_half_even, threshold

SUMS = np.arange(-70, 71)
SHIFTS = range(-3, 6)


def half_even(number: Fraction) -> int:
    """The nearest integer, the even one of two: a definition by distance."""
    floor = number.numerator // number.denominator
    return min((floor, floor + 1), key=lambda integer: (abs(number - integer), integer % 2))


@pytest.mark.parametrize("shift", SHIFTS)
def test_round_half_even(shift: int) -> None:
    expected = [half_even(Fraction(int(s)) / Fraction(2) ** shift) for s in SUMS]
    assert round_half_even(SUMS, shift).tolist() == expected


@pytest.mark.parametrize("shift", SHIFTS)
@pytest.mark.parametrize("code", range(-5, 6))
def test_threshold_compares_the_rounded_sum(code: int, shift: int) -> None:
    scale, least = threshold(code, shift)
    expected = [half_even(Fraction(int(s)) / Fraction(2) ** shift) >= code for s in SUMS]
    assert (scale * SUMS >= least).tolist() == expected


@pytest.mark.parametrize("den", range(1, 13))
def test_divide_half_even(den: int) -> None:
    expected = [half_even(Fraction(int(s), den)) for s in SUMS]
    assert divide_half_even(SUMS, np.full_like(SUMS, den)).tolist() == expected


@pytest.mark.parametrize(
    "format_", [BIT, Format(1, -1, 0), Format(1, 5, 2), Format(3, -4, 1), Format(4, 3, -2)], ids=str
)
def test_codes_saturate(format_: Format) -> None:
    codes = range(format_.lo, format_.hi + 1)
    assert len(codes) == 2**format_.bits
    clamped = format_.clamp(SUMS)
    assert clamped.tolist() == [min(max(int(s), format_.lo), format_.hi) for s in SUMS]
    values = np.array([float(format_.value(code)) for code in codes])
    assert format_.encode(values).tolist() == list(codes)
    assert format_.encode(np.array([-1e9, 1e9, -np.inf, np.inf])).tolist() == [format_.lo, format_.hi] * 2


def test_encode_rounds_half_to_even() -> None:
    eighths = np.arange(-40, 41) / 8
    expected = [min(max(half_even(Fraction(float(v)) * 2), -4), 3) for v in eighths]
    assert Format(3, -4, 1).encode(eighths).tolist() == expected


@pytest.mark.parametrize("bits", [0, 63, -1])
def test_a_word_has_1_to_62_bits(bits: int) -> None:
    with pytest.raises(FomError, match=r"C001.*1 to 62 bits"):
        Format(bits, 0, 0)
