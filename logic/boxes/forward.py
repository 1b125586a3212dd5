"""Linear functions of the inputs below and above every node, forward: for networks of few inputs, thousands of boxes at once.

An input x of a box is ``centre + radius * t`` with t in -1..1. For every element of a node two linear functions of t are kept,
one below and one above it. An affine map acts on their mean by its matrix, on half their distance by the magnitudes of its
matrix; a step function takes the line below it for the lower function and the line above it for the upper one, each over the
range of that function alone where the steps only rise (for ``max(x, 0)``: Wang et al., *Efficient Formal Safety Analysis of
Neural Networks*, NeurIPS 2018). That is one matrix product for each input and node, where following functions backwards
(`logic.boxes.backward`) takes one for each element; the bounds are wider, so more boxes are needed.

What float64 can lose is taken off the constants at every node, so that the functions are bounds in exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from logic.boxes.maps import AffineMap
from logic.boxes.outward import Reals, Span, gamma, magnitude
from logic.boxes.steps import Shape

MOST_INPUTS = 16
Ranges = tuple[Span, Span]
"""Integers between which the functions below lie, and those above."""


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Functions below and above a node: arrays of shape ``(inputs + 1, B, size)`` with the constants last.

    `reach`, of shape ``(B, size)``, is at least the sum of the magnitudes of the coefficients of either function, but for a
    relative error of a few roundings.
    """

    low: Reals
    high: Reals
    reach: Reals


def range_of(given: Reals) -> Span:
    """Integers between which linear functions lie."""
    spread = np.abs(given[:-1]).sum(axis=0)
    spread += 2 * gamma(len(given)) * (np.abs(given[-1]) + spread)
    return np.floor(given[-1] - spread), np.ceil(given[-1] + spread)


def linear_of_input(span: Span, first: int, total: int) -> Linear:
    """The numbers of an input, the first of which has this number among so many."""
    low, high = span
    centre = (low + high) / 2
    # `centre` may be rounded, so the radius is measured from what it is
    radius = np.maximum(high - centre, centre - low) * (1 + 4 * gamma(0))
    both = np.zeros((total + 1, *low.shape))
    for number in range(low.shape[1]):
        both[first + number, :, number] = radius[:, number]
    both[-1] = centre
    return Linear(both, both, np.abs(centre) + radius)


def linear_of_interval(span: Span, total: int) -> Linear:
    """A node of which the interval is all that is known."""
    low, high = (np.concatenate([np.zeros((total, *bound.shape)), bound[None]]) for bound in span)
    return Linear(low, high, magnitude(span))


def through_map(affine: AffineMap, known: Mapping[str, Linear], shape: tuple[int, int]) -> tuple[Linear, Ranges]:
    """The functions of an affine node, ``(inputs + 1, B)`` for each element, from those of its operands, with their ranges."""
    layers, boxes = shape
    middle: Reals = np.zeros((*shape, affine.size))
    half: Reals = np.zeros_like(middle)
    summands: Reals = np.zeros((boxes, affine.size))
    for name, weights in affine.operands:
        given = known[name]
        flat = (layers * boxes, given.low.shape[2])
        middle += weights.forward((given.low + given.high).reshape(flat)).reshape(middle.shape)
        half += weights.forward((given.high - given.low).reshape(flat), absolute=True).reshape(middle.shape)
        summands += given.reach.max(axis=1, initial=0.0)[:, None] * weights.sums
    middle *= 0.5
    half *= 0.5
    middle[-1] += affine.const
    summands += np.abs(affine.const)
    # half the sum and half the difference of two numbers are together as large as the larger one: twice `summands` bounds all
    slack = 4 * gamma(affine.terms + 2 * len(affine.operands)) * summands
    half[-1] += slack
    low, high = middle - half, middle + half
    ranges = range_of(low), range_of(high)
    return Linear(low, high, np.maximum(magnitude(ranges[0]), magnitude(ranges[1]))), ranges


def through_steps(shape: Shape, operand: Linear, ranges: Ranges, span: Span, words: Span) -> Linear:
    """The functions of the words of a step function, from those of its argument with their ranges, and the intervals of both."""
    if shape.rising:
        below, (low_slope, low_const) = operand.low, shape.line_below(*ranges[0], words[0])
        above, (high_slope, high_const) = operand.high, shape.line_above(*ranges[1], words[1])
    else:
        (low_slope, low_const), (high_slope, high_const) = (
            shape.line_below(*span, words[0]),
            shape.line_above(*span, words[1]),
        )
        below = np.where(low_slope >= 0, operand.low, operand.high)
        above = np.where(high_slope >= 0, operand.high, operand.low)
    reach_of_low = np.abs(low_slope) * operand.reach + np.abs(low_const)
    reach_of_high = np.abs(high_slope) * operand.reach + np.abs(high_const)
    low, high = below * low_slope, above * high_slope
    low[-1] += low_const - 4 * gamma(0) * reach_of_low
    high[-1] += high_const + 4 * gamma(0) * reach_of_high
    return Linear(low, high, np.maximum(reach_of_low, reach_of_high))
