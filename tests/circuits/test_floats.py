"""Small float formats: against the types of ml_dtypes and numpy, and against a definition with fractions."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.floats import Codebook, FloatFormat
from circuits.formats import Format, round_half_even
from circuits.inputs import encode_inputs
from circuits.network import Domain, Inputs, Network
from circuits.network_text import network_of_text, network_to_text

TYPES: dict[str, Any] = {
    "e2m1": ml_dtypes.float4_e2m1fn,
    "e2m3": ml_dtypes.float6_e2m3fn,
    "e3m2": ml_dtypes.float6_e3m2fn,
    "e3m4": ml_dtypes.float8_e3m4,
    "e4m3": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e5m10": np.float16,
    "e8m7": ml_dtypes.bfloat16,
    "e8m23": np.float32,
}
NARROW = [name for name in TYPES if name not in ("e8m7", "e8m23")]
SMALL = [name for name in NARROW if name != "e5m10"]
OTHERS = ["e2m2", "e3m1", "e4m1", "e5m1", "e2m10"]


def nearest(codes: list[int], number: Fraction) -> int:
    """The nearest code, of two equally near ones that of even index from 0: a definition by distance."""
    zero, place = codes.index(0), bisect_left(codes, number)
    around = range(max(place - 1, 0), min(place, len(codes) - 1) + 1)
    return codes[min(around, key=lambda i: (abs(number - codes[i]), (i - zero) % 2))]


def values_of(name: str) -> np.ndarray[Any, Any]:
    """All finite values of a type, by its bit patterns."""
    bits = FloatFormat.parse(name).bits
    patterns = np.arange(1 << bits, dtype=np.uint16 if bits > 8 else np.uint8).view(TYPES[name]).astype(np.float64)
    return np.unique(patterns[np.isfinite(patterns)]) + 0.0


@pytest.mark.parametrize("name", TYPES)
def test_ends_are_those_of_the_type(name: str) -> None:
    floats = FloatFormat.parse(name)
    assert str(floats) == name
    info: Any = ml_dtypes.finfo(TYPES[name])  # type: ignore[no-untyped-call]
    assert float(floats.largest) == float(info.max)
    assert float(floats.step) == float(info.smallest_subnormal)


@pytest.mark.parametrize("name", NARROW)
def test_codes_are_the_values_of_the_type(name: str) -> None:
    floats = FloatFormat.parse(name)
    codes = floats.codes()
    assert np.array_equal(np.ldexp(codes.astype(np.float64), -floats.frac), values_of(name))
    assert np.array_equal(floats.codebook.codes_at(floats.codebook.indices(codes)), codes)
    everything = np.arange(-5000, 5001)
    assert np.array_equal(floats.codebook.contains(everything), np.isin(everything, codes))


@pytest.mark.parametrize("name", TYPES)
def test_random_numbers_are_rounded_as_the_type_rounds_them(name: str) -> None:
    floats, numbers = FloatFormat.parse(name), np.random.default_rng(0)
    scaled = numbers.standard_normal(50_000) * 2.0 ** numbers.integers(-150, 120, 50_000)
    largest = float(floats.largest)
    singles = np.clip(scaled, -largest, largest).astype(np.float32)
    assert np.array_equal(floats.round(singles.astype(np.float64)), singles.astype(TYPES[name]).astype(np.float64))


@pytest.mark.parametrize("name", NARROW)
def test_boundaries(name: str) -> None:
    """The middles between neighbours, which the type rounds by itself, and their neighbours among float64."""
    floats, values = FloatFormat.parse(name), values_of(name)
    middles = (values[1:] + values[:-1]) / 2
    expected = middles.astype(np.float32).astype(TYPES[name]).astype(np.float64)
    assert np.array_equal(floats.round(middles), expected)
    assert np.array_equal(floats.round(np.nextafter(middles, np.inf)), values[1:])
    assert np.array_equal(floats.round(np.nextafter(middles, -np.inf)), values[:-1])
    largest = float(floats.largest)
    assert floats.round(np.array([np.inf, -np.inf, 1e300, -0.0])).tolist() == [largest, -largest, largest, 0.0]


@pytest.mark.parametrize("name", [*SMALL, *OTHERS])
def test_breaks_are_where_the_nearest_value_changes(name: str) -> None:
    codebook = FloatFormat.parse(name).codebook
    codes = codebook.codes().tolist()
    for frac in (codebook.frac - 3, codebook.frac, codebook.frac + 1, codebook.frac + 3):
        for low, high in ((-300, 300), (-90, -13), (5, 200), (0, 0)):
            breaks, steps = codebook.breaks(frac, low, high)
            assert len(steps) == len(breaks) + 1
            assert (np.diff(steps) > 0).all()
            sums = np.arange(low, high + 1)
            found = steps[np.searchsorted(breaks, sums, side="right")]
            step = Fraction(2) ** (codebook.frac - frac)
            assert found.tolist() == [nearest(codes, int(s) * step) for s in sums]


def test_breaks_of_wide_sums() -> None:
    """Sums of 62 bits are exact, where float64 would put them on a tie."""
    codebook, most = FloatFormat.parse("e4m3").codebook, (1 << 62) - 1
    breaks, codes = codebook.breaks(54, -most, most)
    assert len(codes) == len(codebook.codes()[np.abs(codebook.codes()) <= 256 << 9])
    middle = 17 << 54  # of 16 and 18: down, to the even significand 8
    for s, code in ((middle, 16), (middle + 1, 18), (middle - 1, 16), (19 << 54, 20), (-middle, -16)):
        assert codes[np.searchsorted(breaks, s, side="right")] == code << 9
    assert FloatFormat.parse("e2m1").codebook.breaks(200, -most, most)[1].tolist() == [0]


@pytest.mark.parametrize("name", ["e2m1", "e4m3", "e5m2", "e5m10"])
@given(number=st.fractions(-500, 500, max_denominator=1 << 30), nudge=st.integers(-1, 1), data=st.data())
def test_roundings_rise_to_the_nearest_value(name: str, number: Fraction, nudge: int, data: st.DataObject) -> None:
    """At numbers, at middles of neighbours and right beside them; in exact integers as a `Round` computes."""
    codebook = FloatFormat.parse(name).codebook
    codes = codebook.codes()
    if nudge or name == "e5m10":
        place = data.draw(st.integers(0, len(codes) - 2))
        number = Fraction(int(codes[place] + codes[place + 1]), 2) / 2**codebook.frac + Fraction(nudge, 1 << 40)
    frac = 40
    sums = np.array([round(number * 2**frac)])
    rises = codebook.lo
    for piece in codebook.roundings():
        rounded = int(piece.clamp(round_half_even(sums, frac - piece.frac))[0])
        rises += (rounded - piece.lo) << codebook.frac - piece.frac
    assert rises == nearest(codes.tolist(), Fraction(int(sums[0]), 1 << frac - codebook.frac))


@pytest.mark.parametrize("name", ["e5m10", "e8m7", "e4m3", "e8m1"])
@pytest.mark.parametrize("largest", [0.0, 1e-6, 0.75, 1.9999, 448.0, 60000.0])
@pytest.mark.parametrize("span", [12, 20])
def test_windows(name: str, largest: float, span: int) -> None:
    floats = FloatFormat.parse(name)
    window = floats.window(largest, span)
    assert max(window.hi, -window.lo).bit_length() <= span
    assert window.contains(np.array([window.lo, window.hi, 0])).all()
    reached = float(floats.round(np.array(largest)))
    assert float(window.value(window.hi)) >= reached
    assert window.frac <= floats.frac
    if window.frac < floats.frac:
        assert float(window.value(window.hi)) < 2 * 2.0 ** np.frexp(reached)[1], "the step could be finer"
    kept = window.codes()
    assert np.array_equal(
        floats.round(np.ldexp(kept.astype(np.float64), -window.frac)), np.ldexp(kept * 1.0, -window.frac)
    )
    coarser = window.coarser()
    assert set(coarser.codes().tolist()) <= set(kept.tolist())
    assert len(coarser.codes()) < len(kept)


def test_codes_that_are_reached() -> None:
    codebook = FloatFormat.parse("e4m3").codebook
    assert codebook.within(-0.01, 2.05) == Codebook(3, 9, -5, 1024)
    assert codebook.within(3.0, 3.0).lo == 0
    assert codebook.above_zero().format == Format(18, 0, 9)
    assert codebook.format == Format(19, -(1 << 18), 9)


@pytest.mark.parametrize("text", ["", "e4", "4m3", "e4m3fn", "e1m3", "e9m3", "e4m0", "e4m24", "e٤m3"])
def test_no_float_format(text: str) -> None:
    with pytest.raises(FomError, match=r"C002"):
        FloatFormat.parse(text)


def test_codes_of_more_than_62_bits_are_refused() -> None:
    with pytest.raises(FomError, match=r"C001"):
        FloatFormat.parse("e8m7").codes()
    with pytest.raises(FomError, match=r"C001"):
        FloatFormat.parse("e8m7").codebook.encode(np.array([1.0]))


def test_inputs_are_rounded_to_the_codebook() -> None:
    codebook = FloatFormat.parse("e4m3").codebook
    node = Inputs("x", 3, codebook.format, codebook=codebook)
    numbers = np.array([[0.3, -1000.0, 17.0]])
    expected = numbers.clip(-448, 448).astype(np.float32).astype(ml_dtypes.float8_e4m3fn).astype(np.float64)
    assert np.array_equal(encode_inputs((node,), numbers) * 2.0**-9, expected)
    network = Network((node,), None, Domain(1, 1), ())
    network.check()
    assert network_of_text(network_to_text(network)).inputs == (node,)
    broken = (
        Inputs("x", 3, Format(18, 0, 9), codebook=codebook),
        Inputs("x", 3, Format(19, -(1 << 18), 8), codebook=codebook),
        Inputs("x", 3, codebook.format, codebook=Codebook(3, 9, -17, 16)),
        Inputs("x", 3, codebook.format, scale=0.5, codebook=codebook),
    )
    for wrong in broken:
        with pytest.raises(FomError, match=r"C022"):
            Network((wrong,), None, Domain(1, 1), ()).check()
