"""Linear functions of counts as arrays, and inequalities between them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from circuits.matrices import Matrix, multiply
from circuits.network import Operand

Integers = np.ndarray[Any, np.dtype[np.int64]]


def applied(matrix: Matrix, values: Any) -> Any:
    """A matrix applied to the last axis."""
    return multiply(matrix, np.ascontiguousarray(values))


@lru_cache(maxsize=1 << 10)
def halves(operand: Operand) -> tuple[Matrix, Matrix]:
    """The positive and the negative weights of an operand."""
    return operand.matrix.maximum(0), operand.matrix.minimum(0)


def widened(linear: Any, width: int) -> Any:
    """A linear function with room for the coefficients of counts."""
    missing = width - linear.shape[-2]
    return linear if not missing else np.pad(linear, [(0, 0)] * (linear.ndim - 2) + [(0, missing), (0, 0)])


def added(parts: list[Any]) -> Any:
    """The sum of arrays that broadcast."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def thresholds(codes: Any, shift: int) -> Any:
    """`circuits.formats.threshold` of an array of codes."""
    if shift <= 0:
        return codes
    return (2 * codes.astype(object) - 1) * (1 << (shift - 1)) + codes % 2


def extremes(codes: Integers, first: Any, last: Any) -> tuple[Any, Any]:
    """The least and the greatest code of the steps from `first` to `last`."""
    low, high = codes[first].copy(), codes[last].copy()
    low, high = np.minimum(low, high), np.maximum(low, high)
    for place in map(tuple, np.argwhere(last - first > 1)):
        between = codes[first[place] : last[place] + 1]
        low[place], high[place] = between.min(), between.max()
    return low, high


def reduced(rows: Integers) -> Integers:
    """The same inequalities over counts, which are at least 0, in lowest terms; of parallel ones, the strictest."""
    strictest: dict[tuple[int, ...], int] = {}
    for row in rows.tolist():
        const, *coefs = row
        if min([const, *coefs]) >= 0:
            continue
        divisor = int(np.gcd.reduce(np.array(coefs, dtype=object))) or 1
        key = tuple(coef // divisor for coef in coefs)
        const = const // divisor
        strictest[key] = min(const, strictest.get(key, const))
    return np.array([(const, *key) for key, const in strictest.items()], dtype=object).reshape(-1, rows.shape[1])
