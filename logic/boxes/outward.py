"""Float64 arithmetic whose errors are counted: bounds of exact integers that are rounded away from them.

A sum of k products of float64 numbers, in any order, is off by at most ``gamma(k) * sum(|products|)`` (Higham, *Accuracy and
Stability of Numerical Algorithms*, section 3.1); what is called with it here is larger by a few units, so that the computation
of the bound itself is covered as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Integers = np.ndarray[Any, np.dtype[np.int64]]
Reals = np.ndarray[Any, np.dtype[np.float64]]
Span = tuple[Reals, Reals]
"""Lower and upper bounds, each of shape ``(B, size)``."""

EPS = 2.0**-53
EXACT = 1 << 53
TINY = 1e-290  # above what underflow can lose in a sum
LARGEST = 2.0**62


def gamma(terms: int) -> float:
    """A factor that bounds the relative error of a sum of `terms` products, with room for computing the bound."""
    return (terms + 8) * EPS * 1.01


def floats_of(codes: Integers) -> Span:
    """Floats at most and at least the integers; equal to them below 2**53."""
    near = codes.astype(np.float64)
    if not codes.size or max(-int(codes.min()), int(codes.max())) <= EXACT:
        return near, near
    return np.nextafter(near, -np.inf), np.nextafter(near, np.inf)


def integers_within(low: Reals, high: Reals) -> Span:
    """Narrow real bounds of integers to the integers between them."""
    return np.ceil(low), np.floor(high)


def magnitude(span: Span) -> Reals:
    """The largest magnitude between the bounds."""
    return np.maximum(np.abs(span[0]), np.abs(span[1]))
