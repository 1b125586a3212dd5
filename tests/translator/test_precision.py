"""Formats reach what was seen, weights are rounded half to even, and settings are read strictly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from translator.precision import LEAST_TABLE_BITS, Precision, default_weight_bits, parse_precision, parse_weight_bits

REALS = st.floats(-1e6, 1e6, allow_nan=False, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-6)
SINGLES = st.floats(-1e3, 1e3, width=32, allow_subnormal=False).filter(lambda x: x == 0 or abs(x) > 1e-3)


@given(st.integers(2, 16), REALS, REALS)
def test_a_chosen_format_reaches_both_ends(bits: int, one: float, two: float) -> None:
    low, high = min(one, two), max(one, two)
    format_ = Precision(bits, None, 8).format_for(low, high)
    assert format_.bits == bits
    half = Fraction(1, 2) / Fraction(2) ** format_.frac
    for value in (low, high):
        code = int(format_.encode(np.array([value]))[0])
        assert abs(format_.value(code) - Fraction(value)) <= half


@given(st.integers(2, 16), REALS, REALS)
def test_a_chosen_format_is_the_finest(bits: int, one: float, two: float) -> None:
    low, high = min(one, two), max(one, two)
    format_ = Precision(bits, None, 8).reaching(low, high)
    if low < high and Fraction(high) - Fraction(low) > Fraction(max(abs(low), abs(high))) / 2**bits:
        codes = np.rint(np.ldexp([low, high], format_.frac + 1))
        assert codes[1] - codes[0] > (1 << bits) - 1


@pytest.mark.parametrize(("low", "lo"), [(-1.0, -16), (0.0, 0), (2.0, 0)])
def test_a_given_format_is_signed_where_values_are(low: float, lo: int) -> None:
    format_ = Precision(5, 2, 8).format_for(low, 3.0)
    assert (format_.bits, format_.lo, format_.frac) == (5, lo, 2)


def test_a_value_that_is_always_0_has_a_format() -> None:
    assert Precision(4, None, 8).format_for(0.0, 0.0).value(0) == 0


@given(st.lists(SINGLES, min_size=1, max_size=6), st.integers(2, 16))
def test_rounded_weights(values: list[float], bits: int) -> None:
    codes, frac = Precision(8, None, bits).weights(np.array(values))
    largest = max(map(abs, values))
    assert np.abs(codes).max() <= 1 << bits - 1
    if largest:
        step = Fraction(2) ** -frac
        coarsest = Fraction(largest) * 2 / (1 << bits - 1)
        for value, code in zip(values, codes.tolist(), strict=True):
            assert abs(code * step - Fraction(value)) <= coarsest
        if codes.any() and frac > 0:
            assert (codes % 2).any(), "a common factor of two is left"


@pytest.mark.parametrize(("value", "code"), [(2.5, 2), (3.5, 4), (-2.5, -2), (-3.5, -4), (2.75, 3), (-2.25, -2)])
def test_weights_are_rounded_half_to_even(value: float, code: int) -> None:
    codes, frac = Precision(8, None, 4).weights(np.array([8.0, 7.0, value]))
    assert (codes.tolist(), frac) == ([8, 7, code], 0)


@given(st.lists(SINGLES, min_size=1, max_size=6))
def test_exact_weights_lose_nothing(values: list[float]) -> None:
    codes, frac = Precision(8, None, None).weights(np.array(values))
    assert [Fraction(code) / Fraction(2) ** frac for code in codes.tolist()] == [Fraction(value) for value in values]


def test_exact_weights_that_span_too_many_bits_are_refused() -> None:
    with pytest.raises(FomError, match=r"T021.*exact weights need"):
        Precision(8, None, None).weights(np.array([2.0**40, 2.0**-40]))


def test_wide_tables_get_fewer_bits() -> None:
    precision = Precision(14, None, 8)
    assert precision.for_table(1).bits == 14
    assert precision.for_table(1 << 7).bits == 9
    assert precision.for_table(1 << 20).bits == LEAST_TABLE_BITS
    assert Precision(6, None, 8).for_table(1 << 20).bits == 6
    assert Precision(14, 3, 8).for_table(1 << 20).bits == 14


def test_settings() -> None:
    assert parse_precision("auto", "auto") is None
    assert parse_precision("fixed:6", "auto") == Precision(6, None, default_weight_bits(6))
    assert parse_precision("fixed:6.-2", "exact") == Precision(6, -2, None)
    assert parse_precision("fixed:6.4", "9") == Precision(6, 4, 9)
    assert str(Precision(6, -2, None)) == "fixed:6.-2"
    assert parse_weight_bits("auto") == 0


@pytest.mark.parametrize(
    "text", ["", "fixed", "fixed:", "fixed:x", "fixed:1", "fixed:21", "fixed:4.x", "float:e5m11", "AUTO"]
)
def test_unknown_precision(text: str) -> None:
    with pytest.raises(FomError, match=r"T020"):
        parse_precision(text, "auto")


@pytest.mark.parametrize("text", ["", "1", "25", "-3", "x", "8.5"])
def test_unknown_weight_bits(text: str) -> None:
    with pytest.raises(FomError, match=r"T020"):
        parse_precision("auto", text)
