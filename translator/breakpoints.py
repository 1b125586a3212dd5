"""Tables: a scalar function and the rounding of its result, as a step function of an exact integer.

The function is sampled on a grid that is dense where the data lies, and between neighbouring samples with different codes every
step is found by bisection. The resulting table *is* the meaning from then on; how well it follows the function is part of
the measured fidelity.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.floats import Codebook, Codes
from circuits.scalar import Scalar

Integers = np.ndarray[Any, np.dtype[np.int64]]

ALL_POINTS = 1 << 16
GRID_POINTS = 1 << 13


def breakpoints(
    function: Scalar, frac: int, low: int, high: int, focus: tuple[float, float], target: Codes
) -> tuple[Integers, Integers]:
    """Find the steps of ``encode(function(S * 2**-frac))`` for integers S from `low` to `high`.

    Args:
        focus: the real interval in which arguments were seen.
        target: the codes that results are rounded to, once.

    Returns:
        Increasing breaks, and the codes below, between and above them (one more than breaks).
    """

    def code(sums: Integers) -> Integers:
        values = function(np.ldexp(sums.astype(np.float64), -frac))
        limits = (float(target.value(target.lo)), float(target.value(target.hi)))
        found = target.encode(np.clip(np.nan_to_num(values, nan=0.0, posinf=limits[1], neginf=limits[0]), *limits))
        return target.indices(found) if isinstance(target, Codebook) else found

    points = sample_points(frac, low, high, focus)
    codes = code(points)
    left, right = points[:-1], points[1:]
    change = np.flatnonzero(codes[:-1] != codes[1:])
    starts, counts = codes[change], np.abs(np.diff(codes))[change]
    owner = np.repeat(change, counts)
    number = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts) + 1
    direction = np.repeat(np.sign(np.diff(codes))[change], counts)
    level = np.repeat(starts, counts) + direction * number
    below, above = left[owner].copy(), right[owner].copy()
    while True:
        open_ = above - below > 1
        if not open_.any():
            break
        middle = below + (above - below) // 2
        reached = (code(middle) - level) * direction >= 0
        above = np.where(open_ & reached, middle, above)
        below = np.where(open_ & ~reached, middle, below)
    breaks = np.unique(above)
    after = np.concatenate([codes[:1], code(breaks)]) if len(breaks) else codes[:1]
    keep = np.flatnonzero(np.diff(after))
    steps = np.concatenate([after[:1], after[1:][keep]])
    return breaks[keep], target.codes_at(steps) if isinstance(target, Codebook) else steps


def sample_points(frac: int, low: int, high: int, focus: tuple[float, float]) -> Integers:
    """Increasing integers from `low` to `high`: all of them if few, else dense in the focus and around 0."""
    if high - low < ALL_POINTS:
        return np.arange(low, high + 1, dtype=np.int64)
    width = max(focus[1] - focus[0], 1e-9)
    near = np.linspace(focus[0] - width, focus[1] + width, GRID_POINTS)
    powers = 2.0 ** np.linspace(-frac, max(np.log2(float(max(abs(low), abs(high)))) - frac, 1 - frac), GRID_POINTS // 8)
    reals = np.concatenate([near, powers, -powers, [0.0, 1.0, -1.0]])
    integers = np.rint(np.clip(np.ldexp(reals, frac), low, high)).astype(np.int64)
    uniform = low + (np.arange(GRID_POINTS // 8) * ((high - low) // (GRID_POINTS // 8 - 1)))
    candidates = np.concatenate([integers, integers + 1, integers - 1, uniform, [low, high]])
    return np.unique(np.clip(candidates, low, high))
