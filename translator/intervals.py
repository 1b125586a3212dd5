"""Interval arithmetic on arrays: two float64 ends that enclose exact real numbers, rounded outward.

An `Interval` is an array of intervals; a *point* is one whose two ends are the same array, so that its numbers are known
exactly. Both ends are NaN where nothing is known: the number may be unbounded, or may not exist (a division by an interval that
contains 0, the root of a negative number). What is computed from such a number is unknown as well.

Additions find their rounding error exactly, and so do products, quotients and roots of points (Dekker 1971), so that what
float64 computes exactly stays exact. Everything else is widened by one unit in the last place and
the smallest normal number. Sums of many terms are bounded by ``gamma_k * sum |terms|`` (Higham 2002, section 3.1), in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

Reals = np.ndarray[Any, Any]
Index = np.ndarray[Any, Any]

EPS = 2.0**-52
TINY = 2.0**-1022
FLOOR, LEAST_WEIGHT = 2.0**-700, 2.0**-270
LARGEST = float(np.finfo(np.float64).max)
SPLITTER = 2.0**27 + 1
LEAST_PRODUCT, MOST_PRODUCT = 2.0**-960, 2.0**960
MOST_UNIT, LEAST_UNIT = 900, -1000


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """The real numbers from `lo` to `hi`, elementwise; both NaN where nothing is known."""

    lo: Reals
    hi: Reals

    @property
    def is_point(self) -> bool:
        """Tell whether the numbers are known exactly."""
        return self.lo is self.hi

    def __getitem__(self, place: Any) -> Interval:
        lo = self.lo[place]
        return Interval(lo, lo if self.is_point else self.hi[place])


def point(values: Any) -> Interval:
    """The numbers themselves."""
    array = np.asarray(values, dtype=np.float64)
    return Interval(array, array)


def settled(lo: Reals, hi: Reals, unknown: Any = False) -> Interval:
    """The interval of two ends; unknown where an end is NaN, where both are infinite, and where it is said to be."""
    lost = np.isnan(lo) | np.isnan(hi) | ((lo == -np.inf) & (hi == np.inf)) | unknown
    if lost.any():
        lo, hi = np.where(lost, np.nan, lo), np.where(lost, np.nan, hi)
    return Interval(lo, hi)


def down(values: Reals, ulps: float = 1.0) -> Reals:
    """A number below: by units in the last place and the smallest normal number; infinity becomes the largest number."""
    below = np.minimum(values, LARGEST)
    return below - (np.abs(below) * (ulps * EPS) + TINY)


def up(values: Reals, ulps: float = 1.0) -> Reals:
    """A number above; see `down`."""
    above = np.maximum(values, -LARGEST)
    return above + (np.abs(above) * (ulps * EPS) + TINY)


def directed(values: Reals, error: Reals) -> Interval:
    """The ends of rounded values plus an error of which the sign is right, NaN where even that is unknown."""
    inexact = ~(error == 0)
    if not inexact.any():
        return Interval(values, values)
    return settled(np.where(error >= 0, values, down(values)), np.where(error <= 0, values, up(values)))


def sum_error(a: Reals, b: Reals, total: Reals) -> Reals:
    """The rounding error of a sum (Knuth): exactly ``a + b - total``, NaN at infinities."""
    rest = total - a
    return (a - (total - rest)) + (b - rest)


def product_error(a: Reals, b: Reals, product: Reals) -> Reals:
    """The rounding error of a product (Dekker): exactly ``a * b - product``, NaN where it could underflow or overflow."""
    shifted = SPLITTER * a
    a_high = shifted - (shifted - a)
    a_low = a - a_high
    shifted = SPLITTER * b
    b_high = shifted - (shifted - b)
    b_low = b - b_high
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    size = np.abs(product)
    safe = (size >= LEAST_PRODUCT) & (size <= MOST_PRODUCT)
    return np.where(safe, error, np.where((a == 0) | (b == 0), 0.0 * product, np.nan))


def add(a: Interval, b: Interval) -> Interval:
    """``a + b``."""
    lower = a.lo + b.lo
    error = sum_error(a.lo, b.lo, lower)
    if a.is_point and b.is_point:
        return directed(lower, error)
    upper = a.hi + b.hi
    above = sum_error(a.hi, b.hi, upper)
    return settled(np.where(error >= 0, lower, down(lower)), np.where(above <= 0, upper, up(upper)))


def negate(a: Interval) -> Interval:
    """``-a``."""
    hi = -a.lo
    return Interval(hi if a.is_point else -a.hi, hi)


def subtract(a: Interval, b: Interval) -> Interval:
    """``a - b``."""
    return add(a, negate(b))


def multiply(a: Interval, b: Interval) -> Interval:
    """``a * b``; a square if both are the same object."""
    if a.is_point and b.is_point:
        product = a.lo * b.lo
        found = directed(product, product_error(a.lo, b.lo, product))
        return found if found.is_point else with_sign(found.lo, found.hi, a, b)
    if a is b:
        size = magnitude(a)
        return settled(np.maximum(down(size.lo * size.lo), 0.0), up(size.hi * size.hi))
    return widened_hull((a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi), a, b)


def widened_hull(corners: tuple[Reals, ...], a: Interval, b: Interval) -> Interval:
    """The hull of rounded products or quotients of ends; it has the sign that a and b give it."""
    lower, upper = corners[0], corners[0]
    for corner in corners[1:]:
        lower, upper = np.minimum(lower, corner), np.maximum(upper, corner)
    return with_sign(down(lower), up(upper), a, b)


def with_sign(lower: Reals, upper: Reals, a: Interval, b: Interval) -> Interval:
    """The interval of two ends that has the sign of a product or quotient of a and b."""
    same = ((a.lo >= 0) & (b.lo >= 0)) | ((a.hi <= 0) & (b.hi <= 0))
    opposite = ((a.lo >= 0) & (b.hi <= 0)) | ((a.hi <= 0) & (b.lo >= 0))
    return settled(np.where(same & (lower < 0), 0.0, lower), np.where(opposite & (upper > 0), 0.0, upper))


def divide(a: Interval, b: Interval) -> Interval:
    """``a / b``; unknown where b contains 0."""
    zero = (b.lo <= 0) & (b.hi >= 0)
    if a.is_point and b.is_point:
        quotient = a.lo / b.lo
        product = quotient * b.lo
        rest = (a.lo - product) - product_error(quotient, b.lo, product)
        found = directed(quotient, rest * np.sign(b.lo))
    else:
        found = widened_hull((a.lo / b.lo, a.lo / b.hi, a.hi / b.lo, a.hi / b.hi), a, b)
    return settled(found.lo, found.hi, zero) if zero.any() else found


def root(a: Interval) -> Interval:
    """The square root; unknown where a reaches below 0."""
    lower = root_of_points(a.lo)
    return lower if a.is_point else settled(lower.lo, root_of_points(a.hi).hi)


def root_of_points(values: Reals) -> Interval:
    """The square root of exact numbers."""
    rounded = np.sqrt(values)
    square = rounded * rounded
    found = directed(rounded, (values - square) - product_error(rounded, rounded, square))
    return found if found.is_point else Interval(np.maximum(found.lo, 0.0), found.hi)


def magnitude(a: Interval) -> Interval:
    """``|a|``."""
    if a.is_point:
        return point(np.abs(a.lo))
    left, right = np.abs(a.lo), np.abs(a.hi)
    inside = (a.lo <= 0) & (a.hi >= 0)
    return Interval(np.where(inside, 0.0, np.minimum(left, right)), np.maximum(left, right))


def unit(values: Reals) -> int:
    """An exponent e, as large as is found easily, such that all numbers are multiples of ``2**e``."""
    used = values[values != 0]
    if not used.size:
        return MOST_UNIT
    if (np.abs(used) < 2.0**52).all() and (used == np.rint(used)).all():
        return 0
    mantissas, exponents = np.frexp(used[np.isfinite(used)])
    integers = np.ldexp(mantissas, 53).astype(np.int64)
    lowest = np.log2((integers & -integers).astype(np.float64)).astype(np.int64) + exponents - 53
    return min(int(lowest.min(initial=MOST_UNIT)), MOST_UNIT)


def apply(matrix: csr_array, values: Reals) -> Reals:
    """A sparse matrix times the last axis."""
    flat = values.reshape(-1, values.shape[-1])
    return np.asarray((matrix @ flat.T).T).reshape(*values.shape[:-1], matrix.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """A sparse matrix, its absolute values, and what bounding a product with it needs to know.

    `terms` is the largest number of weights in a row; all weights are multiples of ``2**unit``; `tiny` tells that products with
    one of them may underflow.
    """

    matrix: csr_array
    positive: csr_array
    terms: int
    unit: int
    tiny: bool

    @classmethod
    def of(cls, matrix: csr_array) -> Weights:
        """Prepare a matrix."""
        stored = csr_array(matrix)
        positive = abs(stored)
        tiny = bool(((positive.data > 0) & (positive.data < LEAST_WEIGHT)).any())
        return cls(stored, positive, int(np.diff(stored.indptr).max(initial=0)), unit(stored.data), tiny)


def affine(operands: Sequence[tuple[Weights, Interval]], const: Sequence[Reals]) -> Interval:
    """The sum of matrices times intervals, along the last axis, and of constants.

    A sum of points is exact where all terms are multiples of one power of two and their magnitudes add up to fewer than 2**53 of
    it, because float64 does not round there.
    """
    terms = max(1, sum(weights.terms for weights, _ in operands) + sum(bool(part.any()) for part in const))
    gamma, slack = terms * EPS / 2, 1 + (terms + 8) * 4 * EPS  # slack: rounding of the bound itself
    centre, radius = np.sum(np.broadcast_arrays(*const), axis=0), np.zeros(())
    for part in const:
        radius = radius + gamma * np.abs(part)
    step = min([MOST_UNIT, *map(unit, const)])
    all_points = all(given.is_point for _, given in operands)
    for weights, given in operands:
        if all_points:
            step = min(step, weights.unit + unit(given.lo))
            centre = centre + apply(weights.matrix, given.lo)
            radius = radius + gamma * apply(weights.positive, np.abs(given.lo))
            continue
        middle = given.lo + (given.hi - given.lo) * 0.5
        wide = np.maximum(given.hi - middle, middle - given.lo) * (1 + 2 * EPS)
        # one product for both: how wide the interval is, and what rounding adds; where the data is not 0, nothing underflows
        wide = wide + gamma * np.abs(middle) + FLOOR * ((given.lo != 0) | (given.hi != 0))
        centre, radius = centre + apply(weights.matrix, middle), radius + apply(weights.positive, wide)
        if weights.tiny:
            radius = radius + FLOOR
    if not all_points:
        return bounded(centre, radius * slack)
    exact = radius < gamma * 2.0 ** (min(step, MOST_UNIT) + 52) if step >= LEAST_UNIT else np.zeros((), dtype=bool)
    if exact.all():
        return point(centre)
    found = bounded(centre, radius * slack + FLOOR)
    return settled(np.where(exact, centre, found.lo), np.where(exact, centre, found.hi))


def total(given: Interval, axis: int) -> Interval:
    """The sum along an axis; exact for points as in `affine`."""
    terms = given.lo.shape[axis]
    gamma = (terms - 1) * EPS / 2 * (1 + (terms + 8) * 4 * EPS)
    lower, reach = given.lo.sum(axis=axis), np.abs(given.lo).sum(axis=axis)
    if given.is_point:
        step = unit(given.lo)
        if step >= LEAST_UNIT and (reach < 2.0 ** (step + 52)).all():
            return point(lower)
        return bounded(lower, gamma * reach)
    upper, above = given.hi.sum(axis=axis), np.abs(given.hi).sum(axis=axis)
    return settled(bounded(lower, gamma * reach).lo, bounded(upper, gamma * above).hi)


def bounded(centre: Reals, radius: Reals) -> Interval:
    """From ``centre - radius`` to ``centre + radius``, where 0 less 0 stays 0; unknown where that is not finite."""
    lower, upper = centre - radius, centre + radius
    unknown = ~(np.isfinite(lower) & np.isfinite(upper))
    return settled(lower - np.abs(lower) * EPS, upper + np.abs(upper) * EPS, unknown)
