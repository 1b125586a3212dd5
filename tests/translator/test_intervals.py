"""Interval arithmetic encloses exact rational arithmetic, and keeps exact what float64 computes exactly."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from translator import intervals
from translator.intervals import Interval, Weights, affine, point, total, unit

Array = np.ndarray[Any, Any]

numbers = st.one_of(
    st.integers(-8, 8).map(float),
    st.floats(-100, 100, allow_subnormal=True),
    st.sampled_from([0.1, 0.2, 1 / 3, -1e-300, 5e-324, 2.0**-1022, 1e200, -1e308, 1 + 2.0**-52, 2.0**53 + 2]),
)
OPERATIONS: dict[str, tuple[Callable[[Interval, Interval], Interval], Callable[[Fraction, Fraction], Fraction]]] = {
    "add": (intervals.add, lambda a, b: a + b),
    "subtract": (intervals.subtract, lambda a, b: a - b),
    "multiply": (intervals.multiply, lambda a, b: a * b),
    "divide": (intervals.divide, lambda a, b: a / b),
}


def interval(ends: tuple[float, float]) -> Interval:
    """The interval between two numbers, a point if they are equal."""
    if ends[0] == ends[1]:
        return point([ends[0]])
    return Interval(np.array([min(ends)]), np.array([max(ends)]))


def contains(found: Interval, exact: Fraction, place: Any = 0) -> bool:
    """Tell whether an exact number is inside, or nothing is said of it."""
    lo, hi = float(found.lo[place]), float(found.hi[place])
    if np.isnan(lo) or np.isnan(hi):
        return bool(np.isnan(lo) and np.isnan(hi))
    return (lo == -np.inf or Fraction(lo) <= exact) and (hi == np.inf or exact <= Fraction(hi))


def between(ends: tuple[float, float]) -> list[Fraction]:
    """Both ends and some numbers between them."""
    first, last = sorted(map(Fraction, ends))
    return [first + (last - first) * Fraction(part, 7) for part in (0, 1, 3, 7)]


pairs = st.tuples(numbers, numbers) | numbers.map(lambda a: (a, a))


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=40)
@given(a=pairs, b=pairs)
def test_operations_enclose_exact_ones(name: str, a: tuple[float, float], b: tuple[float, float]) -> None:
    operation, exact = OPERATIONS[name]
    with np.errstate(all="ignore"):
        found = operation(interval(a), interval(b))
    for left in between(a):
        for right in between(b):
            if name == "divide" and min(b) <= 0 <= max(b):
                assert np.isnan(found.lo[0])
            else:
                assert contains(found, exact(left, right))


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=40)
@given(a=st.floats(-100, 100), b=st.floats(0.001, 100))
def test_operations_on_points_are_exact_or_one_unit_wide(name: str, a: float, b: float) -> None:
    operation, exact = OPERATIONS[name]
    found = operation(point([a]), point([b]))
    true = exact(Fraction(a), Fraction(b))
    assert contains(found, true)
    if abs(true) > 1e-250:
        assert found.is_point == (Fraction(float(true)) == true)
        assert found.hi[0] - found.lo[0] <= 3 * np.spacing(abs(float(true)))


@settings(max_examples=40)
@given(a=pairs)
def test_square_of_one_object_is_never_negative(a: tuple[float, float]) -> None:
    x = interval(a)
    with np.errstate(all="ignore"):
        found = intervals.multiply(x, x)
    assert not found.lo[0] < 0
    assert all(contains(found, value * value) for value in between(a))


@settings(max_examples=40)
@given(a=st.floats(0, 1e300) | st.integers(0, 1000).map(lambda k: float(k * k)))
def test_root_encloses_the_exact_root(a: float) -> None:
    found = intervals.root(point([a]))
    assert found.lo[0] >= 0
    assert Fraction(found.lo[0]) ** 2 <= Fraction(a) <= Fraction(found.hi[0]) ** 2
    assert found.is_point or found.lo[0] < found.hi[0]
    if float(a).is_integer() and a < 1e6 and float(np.sqrt(a)).is_integer():
        assert found.is_point


def test_root_of_negative_numbers_is_unknown() -> None:
    with np.errstate(all="ignore"):
        assert np.isnan(intervals.root(Interval(np.array([-1e-9]), np.array([4.0]))).hi[0])


def test_what_may_be_infinity_less_infinity_is_unknown() -> None:
    above = Interval(np.array([1.0]), np.array([np.inf]))
    with np.errstate(all="ignore"):
        assert np.isnan(intervals.subtract(above, above).lo[0])
        assert intervals.add(above, above).lo[0] == 2.0
        assert intervals.add(above, above).hi[0] == np.inf
        assert np.isnan(intervals.multiply(above, point([0.0])).lo[0])


@settings(max_examples=40)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6))
def test_unit_divides_all_numbers(values: list[float]) -> None:
    step = Fraction(2) ** unit(np.array(values))
    assert all((Fraction(value) / step).denominator == 1 for value in values)


SMALL = st.one_of(st.integers(-4, 4).map(float), st.floats(-3, 3, width=32), st.sampled_from([1e-300, 1e-20, 0.1]))


@settings(max_examples=40)
@given(data=st.data(), rows=st.integers(1, 3), columns=st.integers(1, 5), exact=st.booleans())
def test_affine_maps_enclose_exact_ones(data: st.DataObject, rows: int, columns: int, exact: bool) -> None:
    weights = np.array(
        data.draw(st.lists(st.lists(SMALL, min_size=columns, max_size=columns), min_size=rows, max_size=rows))
    )
    const = np.array(data.draw(st.lists(SMALL, min_size=rows, max_size=rows)))
    ends = data.draw(st.lists(st.tuples(SMALL, SMALL), min_size=columns, max_size=columns))
    lo, hi = np.array([min(pair) for pair in ends])[None], np.array([max(pair) for pair in ends])[None]
    given_ = point(lo) if exact else Interval(lo, hi)
    found = affine([(Weights.of(csr_array(weights)), given_)], [const[None], np.zeros((1, rows))])
    for chosen in (lo, lo if exact else hi):
        for row in range(rows):
            true = Fraction(const[row]) + sum(
                (Fraction(w) * Fraction(v) for w, v in zip(weights[row], chosen[0], strict=True)), Fraction(0)
            )
            assert contains(found, true, (0, row))


def test_affine_maps_of_points_are_exact_where_float64_does_not_round() -> None:
    weights = np.array([[0.75, -2.5, 3.0], [1.0, 0.0, -1.0]])
    found = affine([(Weights.of(csr_array(weights)), point([[0.5, 1.25, -7.0]]))], [np.array([[0.25, 0.0]])])
    assert found.is_point
    assert found.lo.tolist() == [[-23.5, 7.5]]
    rounded = affine([(Weights.of(csr_array(weights)), point([[0.1, 0.2, 0.3]]))], [np.array([[0.25, 0.0]])])
    assert not rounded.is_point
    assert contains(rounded, sum((Fraction(w) * Fraction(v) for w, v in zip(weights[0], (0.1, 0.2, 0.3), strict=True)),
                                 Fraction(0.25)), (0, 0))  # fmt: skip
    assert (rounded.hi - rounded.lo).max() < 1e-14


@settings(max_examples=40)
@given(values=st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=40), wide=st.booleans())
def test_totals_enclose_exact_ones(values: list[float], wide: bool) -> None:
    lo = np.array(values)[:, None]
    found = total(Interval(lo, lo + 1.5) if wide else point(lo), 0)
    exact = sum(map(Fraction, values), Fraction(0))
    above = sum(map(Fraction, (lo + 1.5).ravel().tolist()), Fraction(0))
    assert contains(found, exact)
    assert not wide or contains(found, above)


def test_totals_of_whole_numbers_are_exact() -> None:
    assert total(point(np.arange(10.0)[:, None]), 0).is_point
    assert not total(point(np.full((10, 1), 0.1)), 0).is_point
