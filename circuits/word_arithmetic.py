"""Interval arithmetic on bounds: sums, matrices, products, quotients, step functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits import matrices
from circuits.formats import divide_half_even
from circuits.network import Quotient, Table
from circuits.word_axes import Bounds, Integers


def add(left: Bounds, right: Bounds) -> Bounds:
    """The bounds of a sum."""
    low = left.low + right.low
    return Bounds(low, low if left.exact and right.exact else left.high + right.high)


def scale(weights: matrices.Matrix, given: Bounds) -> Bounds:
    """The bounds of a matrix times a vector."""
    if given.exact:
        return given.map(lambda v: matrices.multiply(weights, v))
    positive, negative = matrices.canonical(weights.maximum(0)), matrices.canonical(weights.minimum(0))
    ends = np.stack([given.low, given.high])
    above, below = matrices.multiply(positive, ends), matrices.multiply(negative, ends)
    return Bounds(above[0] + below[1], above[1] + below[0])


def product(left: Bounds, right: Bounds, same: bool) -> Bounds:
    """The bounds of a product, or of a square."""
    if left.exact and right.exact:
        return Bounds(values := left.low * right.low, values)
    if same:
        ends = left.low * left.low, left.high * left.high
        crosses = (left.low <= 0) & (left.high >= 0)
        return Bounds(np.where(crosses, 0, np.minimum(*ends)), np.maximum(*ends))
    corners = [one * other for one in {id(v): v for v in (left.low, left.high)}.values()
               for other in {id(v): v for v in (right.low, right.high)}.values()]  # fmt: skip
    low, high = corners[0], corners[0]
    for corner in corners[1:]:
        low, high = np.minimum(low, corner), np.maximum(high, corner)
    return Bounds(low, high)


def quotient(node: Quotient, num: Bounds, den: Bounds) -> Bounds:
    """The bounds of a quotient by a positive denominator."""
    top = num.map(lambda v: v << max(node.shift, 0))
    bottom = den.map(lambda v: np.maximum(v, 1) << max(-node.shift, 0))
    low = divide_half_even(top.low, np.where(top.low >= 0, bottom.high, bottom.low))
    if num.exact and den.exact:
        return Bounds(low, low).map(node.format.clamp)
    high = divide_half_even(top.high, np.where(top.high >= 0, bottom.low, bottom.high))
    return Bounds(node.format.clamp(low), node.format.clamp(high))


@dataclass(frozen=True, slots=True, eq=False)
class RangeTable:
    """A step function with the least and the largest codes over ranges of 2**j steps, unless it never decreases."""

    breaks: Integers
    codes: Integers
    least: tuple[Integers, ...]
    largest: tuple[Integers, ...]

    @staticmethod
    def of(node: Table) -> RangeTable:
        """The ranges of a table."""
        least, largest = [node.codes], [node.codes]
        step = 1
        while 2 * step <= len(node.codes) and (np.diff(node.codes) < 0).any():
            least.append(np.minimum(least[-1][:-step], least[-1][step:]))
            largest.append(np.maximum(largest[-1][:-step], largest[-1][step:]))
            step *= 2
        return RangeTable(node.breaks, node.codes, tuple(least), tuple(largest))

    def over(self, given: Bounds) -> Bounds:
        """The bounds of the step function."""
        first = np.searchsorted(self.breaks, given.low, side="right")
        if given.exact:
            return Bounds(values := self.codes[first], values)
        last = np.searchsorted(self.breaks, given.high, side="right")
        if len(self.least) == 1:
            return Bounds(self.codes[first], self.codes[last])
        low, high = np.empty(first.shape, dtype=np.int64), np.empty(first.shape, dtype=np.int64)
        levels = np.frexp(last - first + 1)[1] - 1
        for level in np.unique(levels[levels >= 0]):
            here = levels == level
            start, end = first[here], last[here] - (1 << int(level)) + 1
            low[here] = np.minimum(self.least[level][start], self.least[level][end])
            high[here] = np.maximum(self.largest[level][start], self.largest[level][end])
        impossible = levels < 0  # what no word reaches
        low[impossible], high[impossible] = self.codes.min(), self.codes.max()
        return Bounds(low, high)


def larger(left: Bounds, right: Bounds) -> Bounds:
    """The bounds of a maximum."""
    low = np.maximum(left.low, right.low)
    return Bounds(low, low if left.exact and right.exact else np.maximum(left.high, right.high))
