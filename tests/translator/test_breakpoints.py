"""Tables: the steps found are those of the rounded function, at every integer of a small range.

In a large range all steps of monotone functions are found, and those of others where the data lies.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuits.formats import BIT, Format
from circuits.scalar import Scalar, X, const
from translator import breakpoints as module
from translator.breakpoints import breakpoints

SIGMOID, EXP, TANH = Scalar("sigmoid", (X,)), Scalar("exp", (X,)), Scalar("tanh", (X,))
SILU = Scalar("mul", (X, SIGMOID))
MONOTONE = {
    "identity": X,
    "sigmoid": SIGMOID,
    "exp": EXP,
    "tanh": TANH,
    "erf": Scalar("erf", (X,)),
    "falling": Scalar("neg", (TANH,)),
    "relu": Scalar("max", (X, const(0.0))),
    "positive": Scalar("gt", (X, const(0.0))),
    "constant": const(0.7),
}
WAVY = {
    "silu": SILU,
    "gelu": Scalar("mul", (X, Scalar("add", (const(0.5), Scalar("mul", (const(0.5), Scalar("erf", (X,)))))))),
    "abs": Scalar("abs", (X,)),
    "sin": Scalar("sin", (X,)),
    "square": Scalar("mul", (X, X)),
    "reciprocal": Scalar("reciprocal", (X,)),
    "log": Scalar("log", (X,)),
}
FORMATS = (BIT, Format(3, -4, 1), Format(4, 0, 4), Format(6, -20, 3))


def table(breaks: Any, codes: Any, sums: Any) -> Any:
    return codes[np.searchsorted(breaks, sums, side="right")]


def rounded(function: Scalar, sums: Any, frac: int, format_: Format) -> Any:
    """The function rounded half to even and saturated, computed at every integer."""
    values = function(np.ldexp(np.asarray(sums, dtype=np.float64), -frac))
    values = np.nan_to_num(values, nan=0.0, posinf=1e300, neginf=-1e300)
    with np.errstate(over="ignore"):
        return np.clip(np.rint(values * 2.0**format_.frac), format_.lo, format_.hi).astype(np.int64)


def assert_steps(breaks: Any, codes: Any, low: int, high: int) -> None:
    """Breaks are increasing, inside the range, and none is superfluous."""
    assert len(codes) == len(breaks) + 1
    assert (np.diff(breaks) > 0).all()
    assert (codes[:-1] != codes[1:]).all()
    assert not len(breaks) or (low < breaks[0] and breaks[-1] <= high)


@pytest.mark.parametrize("name", [*MONOTONE, *WAVY])
@given(low=st.integers(-300, 300), width=st.integers(0, 300), frac=st.integers(-2, 8))
def test_every_integer_of_a_small_range(name: str, low: int, width: int, frac: int) -> None:
    function = (MONOTONE | WAVY)[name]
    sums = np.arange(low, low + width + 1)
    for format_ in FORMATS:
        breaks, codes = breakpoints(function, frac, low, low + width, (-1.0, 1.0), format_)
        assert_steps(breaks, codes, low, low + width)
        assert np.array_equal(table(breaks, codes, sums), rounded(function, sums, frac, format_)), format_


@pytest.mark.parametrize("name", MONOTONE)
@pytest.mark.parametrize("format_", FORMATS, ids=str)
def test_bisection_finds_all_steps_of_a_monotone_function(
    name: str, format_: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALL_POINTS", 0)
    monkeypatch.setattr(module, "GRID_POINTS", 32)
    low, high, frac = -20_000, 30_000, 11
    breaks, codes = breakpoints(MONOTONE[name], frac, low, high, (-0.5, 2.0), format_)
    assert_steps(breaks, codes, low, high)
    sums = np.arange(low, high + 1)
    assert np.array_equal(table(breaks, codes, sums), rounded(MONOTONE[name], sums, frac, format_))


@pytest.mark.parametrize("name", [*MONOTONE, *WAVY])
def test_a_wide_range_agrees_where_the_data_lies(name: str) -> None:
    function, format_, frac = (MONOTONE | WAVY)[name], Format(7, -64, 4), 30
    low, high = -(1 << 40), 1 << 40
    breaks, codes = breakpoints(function, frac, low, high, (-3.0, 3.0), format_)
    assert_steps(breaks, codes, low, high)
    sums = np.random.default_rng(0).integers(-3 << 30, 3 << 30, 20_000)
    assert np.array_equal(table(breaks, codes, sums), rounded(function, sums, frac, format_))


@given(st.lists(st.integers(-40, 40), min_size=2, max_size=6), st.integers(1, 40))
def test_steps_of_a_polygon_by_brute_force(heights: list[int], width: int) -> None:
    """A function that rises and falls, sampled at every integer."""
    steps = np.interp(np.arange(width * (len(heights) - 1) + 1), np.arange(len(heights)) * width, heights)

    def polygon(x: Any) -> Any:
        return steps[np.clip(np.rint(x).astype(int), 0, len(steps) - 1)]

    given_: Callable[[Any], Any] = polygon
    format_ = Format(5, -16, 0)
    breaks, codes = breakpoints(given_, 0, 0, len(steps) - 1, (0.0, 1.0), format_)  # type: ignore[arg-type]
    sums = np.arange(len(steps))
    assert np.array_equal(table(breaks, codes, sums), np.clip(np.rint(steps), -16, 15).astype(np.int64))
