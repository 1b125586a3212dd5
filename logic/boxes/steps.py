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
        return float(np.abs(self.slopes).max())

    @property
    def slopes(self) -> Reals:
        """The slope of each piece between knots."""
        return np.diff(self.values) / np.diff(self.knots)

    @property
    def rising(self) -> bool:
        """Whether the shape never decreases."""
        return bool((np.diff(self.values) >= 0).all())

    @property
    def mirrored(self) -> Shape:
        """The shape of ``-step(-s)``."""
        return Shape(-self.knots[::-1], -self.values[::-1], self.above, self.below)

    def lines(self, operand: Span, words: Span) -> tuple[Lines, Reals]:
        """Lines around the step function for arguments and words in the given spans, with the distance in the middle."""
        low_slope, low_const = self.line_below(*operand, words[0])
        high_slope, high_const = self.line_above(*operand, words[1])
        middle = operand[0] + (operand[1] - operand[0]) / 2
        gap = (high_slope - low_slope) * middle + (high_const - low_const)
        return Lines(low_slope, low_const, high_slope, high_const), gap

    def line_below(self, low: Reals, high: Reals, least: Reals) -> Span:
        """Slope and constant of a line below the step function between two arguments, where it is at least `least`."""
        slope, const = self.mirrored.line_above(-high, -low, -least)
        return slope, -const

    def line_above(self, low: Reals, high: Reals, most: Reals) -> Span:
        """Slope and constant of a line above the step function for arguments from `low` to `high`, where it is at most `most`.

        Both ends are integers, so that they are equal or not close.
        """
        if len(self.knots) == 2 and self.rising:
            return self._better(low, high, (np.zeros_like(low), most), *self._over_ramp(low, high))
        rows = max(1, CHUNK // (low.shape[1] * (len(self.knots) + 2)))
        parts = [
            self._line_above(*(bound[start : start + rows] for bound in (low, high, most)))
            for start in range(0, len(low), rows)
        ]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _over_ramp(self, low: Reals, high: Reals) -> Span:
        """From the value at `low` to the upper knot or `high`: until there the shape is convex, from there on it is constant."""
        (first, last), (least, most) = self.knots, self.values
        steep = self.steepest
        end = np.clip(last, low, high)
        start = np.clip(least + (low - first) * steep, least, most)
        rise = np.clip(least + (end - first) * steep, least, most) - start
        slope = rise / np.maximum(end - low, 1.0)
        return slope, start - slope * low

    def _line_above(self, low: Reals, high: Reals, most: Reals) -> Span:
        knots = np.clip(self.knots[:, None, None], low, high)
        places = np.concatenate([low[None], high[None], knots])
        values = np.interp(places, self.knots, self.values)
        chord = (values[1] - values[0]) / np.maximum(high - low, 1.0)
        best: Span = (np.zeros_like(low), most)
        for slope in (chord, self._slope(low, 1), self._slope(high, -1)):
            best = self._better(low, high, best, slope, (values - slope * places).max(axis=0))
        return best

    def _better(self, low: Reals, high: Reals, best: Span, slope: Reals, const: Reals) -> Span:
        """Of two lines above, the lower one in the middle; the second is above the shape but for rounding."""
        scale = np.maximum(np.abs(low), np.abs(high))
        height = np.abs(self.values).max() + self.below + self.above
        const = const + self.above + 8 * gamma(0) * ((np.abs(slope) + self.steepest) * scale + height)
        middle = low + (high - low) / 2
        better = slope * middle + const < best[0] * middle + best[1]
        return np.where(better, slope, best[0]), np.where(better, const, best[1])

    def _slope(self, places: Reals, side: int) -> Reals:
        """The slope of the piece to the right (1) or to the left (-1) of a place."""
        slopes = np.concatenate([[0.0], self.slopes, [0.0]])
        return slopes[np.searchsorted(self.knots, places, side="right" if side > 0 else "left")]

    def slope_range(self, low: Reals, high: Reals) -> Span:
        """The least and the largest slope of a piece that meets the arguments from `low` to `high`, about."""
        least, most = np.full_like(low, np.inf), np.full_like(low, -np.inf)
        ends = np.concatenate([[-np.inf], self.knots, [np.inf]])
        for slope, start, end in zip([0.0, *self.slopes.tolist(), 0.0], ends[:-1], ends[1:], strict=True):
            meets = (low < end) & (high > start) | (low == high) & (low == start)
            least[meets & (least > slope)] = slope
            most[meets & (most < slope)] = slope
        return least, most


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
