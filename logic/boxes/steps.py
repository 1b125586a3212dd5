"""Step functions between straight lines: what a `Round` or a `Table` can be on an interval of its argument.

A step function is held between two copies of one piecewise linear function with few knots: for every integer s,
``shape(s) - below <= step(s) <= shape(s) + above``. For a `Round` the shape is the clamped quotient and both distances are one
half. For a `Table` knots are added where the corners of the steps are farthest from the shape, and the distances are measured at
every corner, so that they hold however the knots were chosen. On an interval, a linear function differs from the shape most at a
knot or at an end; so two lines with any slopes become bounds by moving them there. Among a few slopes (of both end pieces, of the
chord, and the constants of the exact range) those are taken whose value in the middle is best, which for ``max(x, 0)`` are the
lines of DeepPoly (Singh et al., *An Abstract Domain for Certifying Neural Networks*, POPL 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from circuits.formats import Format
from circuits.network import Round, Table
from logic.boxes.outward import EXACT, LARGEST, Integers, Reals, Span, floats_of, gamma

MOST_KNOTS = 16
CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """For each element of each box: ``low_slope * s + low_const <= word <= high_slope * s + high_const``."""

    low_slope: Reals
    low_const: Reals
    high_slope: Reals
    high_const: Reals

    @property
    def largest_const(self) -> Reals:
        """For each box the largest magnitude of a constant."""
        return np.maximum(np.abs(self.low_const), np.abs(self.high_const)).max(axis=1, initial=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """A piecewise linear function, constant outside of its knots, and how far the step function is from it."""

    knots: Reals
    values: Reals
    below: float
    above: float

    @property
    def steepest(self) -> float:
        """The largest slope of a piece."""
        return float(np.abs(np.diff(self.values) / np.diff(self.knots)).max())

    def lines(self, operand: Span, words: Span) -> tuple[Lines, Reals]:
        """Lines around the step function for arguments and words in the given spans, with the distance in the middle."""
        size = operand[0].shape[1]
        rows = max(1, CHUNK // (size * (len(self.knots) + 2)))
        starts = range(0, len(operand[0]), rows)
        parts = [self._lines(*(bound[start : start + rows] for bound in (*operand, *words))) for start in starts]
        fields = [np.concatenate([part[place] for part in parts]) for place in range(5)]
        return Lines(*fields[:4]), fields[4]

    def _lines(self, low: Reals, high: Reals, least: Reals, most: Reals) -> tuple[Reals, ...]:
        knots = np.clip(self.knots[:, None, None], low, high)
        places = np.concatenate([low[None], high[None], knots])
        values = np.interp(places, self.knots, self.values)
        width = high - low
        chord = np.where(width > 0, (values[1] - values[0]) / np.maximum(width, 1), 0.0)
        middle = low + width / 2
        scale = np.maximum(np.abs(low), np.abs(high))
        height = np.abs(self.values).max() + self.below + self.above
        best = [np.zeros_like(low), least, least, np.zeros_like(low), most, most]
        for slope in (chord, self._slope(low, 1), self._slope(high, -1)):
            rest = values - slope * places
            slack = 8 * gamma(0) * ((np.abs(slope) + self.steepest) * scale + height)
            lower = rest.min(axis=0) - self.below - slack
            upper = rest.max(axis=0) + self.above + slack
            below, above = slope * middle + lower, slope * middle + upper
            better = below > best[2]
            best[:3] = [np.where(better, new, old) for new, old in zip((slope, lower, below), best[:3], strict=True)]
            better = above < best[5]
            best[3:] = [np.where(better, new, old) for new, old in zip((slope, upper, above), best[3:], strict=True)]
        return best[0], best[1], best[3], best[4], best[5] - best[2]

    def _slope(self, places: Reals, side: int) -> Reals:
        """The slope of the piece to the right (1) or to the left (-1) of a place."""
        slopes = np.concatenate([[0.0], np.diff(self.values) / np.diff(self.knots), [0.0]])
        return slopes[np.searchsorted(self.knots, places, side="right" if side > 0 else "left")]


@dataclass(frozen=True, slots=True, eq=False)
class Rounding:
    """The step function of a `Round` node."""

    shift: int
    format: Format
    shape: Shape

    @classmethod
    def of(cls, node: Round) -> Rounding:
        """Rounding differs from the clamped quotient by at most one half, and by nothing if nothing is cut off."""
        ends, _ = floats_of(np.array([node.format.lo, node.format.hi]))
        off = 0.5 if node.shift > 0 else 0.0
        off += float(np.abs(ends).max()) * 4 * gamma(0) if node.format.bits > 52 else 0.0
        return cls(node.shift, node.format, Shape(np.ldexp(ends, node.shift), ends, off, off))

    def words(self, operand: Span) -> Span:
        """Bounds of the words; rounding and saturating never decrease."""
        low, high = (np.rint(np.ldexp(bound, -self.shift)) for bound in operand)
        (least, _), (_, most) = (floats_of(np.array(code)) for code in (self.format.lo, self.format.hi))
        return np.clip(low, least, most), np.clip(high, least, most)


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The step function of a `Table` node: `least` and `most` answer for runs of steps of lengths 1, 2, 4, ..."""

    breaks: Integers
    least: tuple[Integers, ...]
    most: tuple[Integers, ...]
    shape: Shape

    @classmethod
    def of(cls, node: Table) -> Steps:
        """Prepare a table."""
        return cls(node.breaks, doubled(node.codes, np.minimum), doubled(node.codes, np.maximum), fitted(node))

    def words(self, operand: Span) -> Span:
        """The exact range of the words between two arguments."""
        first, last = (
            np.searchsorted(self.breaks, np.clip(bound, -LARGEST, LARGEST).astype(np.int64), side="right")
            for bound in operand
        )
        last = np.maximum(first, last)
        level = np.frexp((last - first + 1).astype(np.float64))[1] - 1
        low, high = np.empty(first.shape, dtype=np.int64), np.empty(first.shape, dtype=np.int64)
        for number in np.unique(level):
            here = level == number
            start, end = first[here], last[here] - (1 << int(number)) + 1
            low[here] = np.minimum(self.least[number][start], self.least[number][end])
            high[here] = np.maximum(self.most[number][start], self.most[number][end])
        return floats_of(low)[0], floats_of(high)[1]


def doubled(codes: Integers, best: Any) -> tuple[Integers, ...]:
    """For every power of two, the best code of each run of that many."""
    found = [codes]
    while 2 << (len(found) - 1) <= len(codes):
        half = 1 << (len(found) - 1)
        found.append(best(found[-1][:-half], found[-1][half:]))
    return tuple(found)


def fitted(node: Table) -> Shape:
    """A shape through the middles of a table's steps, and its distances, measured at both corners of every step."""
    codes, _ = floats_of(node.codes)
    if not len(node.breaks):
        return Shape(np.array([0.0, 1.0]), np.repeat(codes[0], 2), 0.0, 0.0)
    rises, _ = floats_of(node.breaks)
    if np.abs(rises).max() >= EXACT / 4:  # places between integers are no floats
        return Shape(np.array([0.0, 1.0]), np.zeros(2), LARGEST * 2, LARGEST * 2)
    middles = np.concatenate([[rises[0] - 1.5], rises - 0.5, [rises[-1] + 0.5]])
    heights = np.concatenate([codes[:1], (codes[1:] + codes[:-1]) / 2, codes[-1:]])
    middles, kept = np.unique(middles, return_index=True)
    heights = heights[kept]
    chosen = [0, len(middles) - 1]
    while len(chosen) < min(MOST_KNOTS, len(middles)):
        off = np.abs(heights - np.interp(middles, middles[chosen], heights[chosen]))
        if off.max() <= 0.25 * np.abs(np.diff(codes)).max():
            break
        chosen = sorted({*chosen, int(off.argmax())})
    knots, values = middles[chosen], heights[chosen]
    # between two integers no argument lies: knots are there, so the shape is straight on every step
    starts, ends = np.concatenate([rises[:1] - 1, rises]), np.concatenate([rises - 1, rises[-1:]])
    off = np.concatenate([codes - np.interp(places, knots, values) for places in (starts, ends)])
    shape = Shape(knots, values, max(0.0, -float(off.min())), max(0.0, float(off.max())))
    pad = 16 * gamma(0) * (float(np.abs(codes).max()) + shape.steepest * float(np.abs(knots).max()))
    return replace(shape, below=shape.below + pad, above=shape.above + pad)
