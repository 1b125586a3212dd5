"""Array operations of evaluation: reading at index terms, weighted sums, prefix sums between bounds, matrix products.

All arrays have the same number of axes, the words first; an axis on which a value does not depend has extent 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from logic.batch_layout import EXACT_FLOAT, STACK, STACKED, factors

Array = np.ndarray[Any, Any]
Kind = np.dtype[Any]


def gather(table: Array, indices: Sequence[Array], n: int) -> Array:
    """Read a table of shape (B or 1, n, ..., n) at positions; outside 1..n it is false or 0."""
    inside: Any = True
    for index in indices:
        inside = inside & np.asarray((index >= 1) & (index <= n), bool)
    if n == 0:
        return np.zeros((len(table), *inside.shape), table.dtype)
    safe = [np.clip(index - 1, 0, n - 1).astype(np.int64) for index in indices]
    at: tuple[Any, ...] = (slice(None), *np.broadcast_arrays(*safe))
    read: Array = table[at]
    if table.dtype == bool:
        read &= inside
        return read
    return np.asarray(np.where(inside, read, 0))


def weighted_sum(
    constant: int, products: Sequence[tuple[int, Array]], shape: tuple[int, ...], kind: Kind, bound: int
) -> Array:
    """Add up a constant and products of integers and arrays; every partial sum is at most `bound`."""
    groups: dict[tuple[int, ...], list[tuple[int, Array]]] = {}
    for coef, value in products:
        groups.setdefault(value.shape, []).append((coef, value))
    result = np.full(shape, constant, dtype=kind)
    for own, group in groups.items():
        if len(group) >= 4 and group[0][1].size <= STACK and bound < EXACT_FLOAT:
            result += _dot(group).reshape(own).astype(kind)
        elif own == shape:
            _add(result, group)
        else:
            part = np.zeros(own, kind)
            _add(part, group)
            result += part
    return result


def _dot(group: Sequence[tuple[int, Array]]) -> Array:
    """Add up products of integers and small arrays of one shape, many at once."""
    size = max(group[0][1].size, 1)
    step = max(4, STACKED // size)
    total = np.zeros(group[0][1].size)
    for low in range(0, len(group), step):
        part = group[low : low + step]
        stacked = np.concatenate([value.reshape(1, -1) for _, value in part], dtype=np.float64)
        total += np.array([coef for coef, _ in part], dtype=np.float64) @ stacked
    return total


def _add(result: Array, group: Sequence[tuple[int, Array]]) -> None:
    scratch: Array | None = None
    for coef, value in group:
        if abs(coef) == 1:
            (np.add if coef == 1 else np.subtract)(result, value, out=result, casting="same_kind")
        elif result.dtype == object:
            result += value.astype(object) * coef
        else:
            scratch = np.multiply(value, coef, out=scratch, dtype=result.dtype, casting="same_kind")
            result += scratch


def between(values: Array, axis: int, n: int, lower: Array | None, upper: Array | None, kind: Kind) -> Array:
    """Add up the values along an axis at positions lower..upper, both included and cut to 1..n."""
    shape = list(values.shape)
    shape[axis] = n
    sums = np.zeros([extent + (number == axis) for number, extent in enumerate(shape)], kind)
    rest = tuple([slice(1, None) if number == axis else slice(None) for number in range(len(shape))])
    np.add.accumulate(np.broadcast_to(values, shape), axis=axis, dtype=kind, out=sums[rest])
    high: Array = np.full((1,) * len(shape), n) if upper is None else np.clip(upper, 0, n).astype(np.int64)
    if lower is None:
        return _take(sums, high, axis)
    low = np.clip(lower - 1, 0, n).astype(np.int64)
    result = _take(sums, np.maximum(high, low), axis)
    return np.asarray(result - _take(sums, low, axis))


def _take(sums: Array, index: Array, axis: int) -> Array:
    """Read along an axis; the other axes of the index and of the sums are combined."""
    at = [np.arange(extent).reshape([-1 if number == other else 1 for other in range(sums.ndim)])
          for number, extent in enumerate(sums.shape)]  # fmt: skip
    at[axis] = index
    return np.asarray(sums[tuple(at)])


def matrix_product(left: Array, right: Array, axis: int, n: int, kind: Kind, bound: int) -> Array:
    """Add up the products of two values along an axis, which the result does not have; all sums are at most `bound`."""
    shared: list[int] = []
    rows: list[int] = []
    columns: list[int] = []
    for number, (one, other) in enumerate(zip(left.shape, right.shape, strict=True)):
        if number != axis:
            (shared if one != 1 and other != 1 else columns if other != 1 else rows).append(number)
    first = _matrix(left, shared, rows, axis, n, factors(bound))
    second = _matrix(right, shared, columns, axis, n, factors(bound)).swapaxes(-1, -2)
    product = np.matmul(first, second).astype(kind)
    order = [*shared, *rows, *columns]
    extents = [max(left.shape[number], right.shape[number]) if min(left.shape[number], right.shape[number]) else 0
               for number in order]  # fmt: skip
    full = product.reshape([*extents, 1])
    place = {number: where for where, number in enumerate([*order, axis])}
    return full.transpose([place[number] for number in range(left.ndim)])


def _matrix(values: Array, shared: list[int], rows: list[int], axis: int, n: int, kind: Kind) -> Array:
    """Lay a value out as matrices of shape (shared..., rows, n)."""
    others = [number for number in range(values.ndim) if number not in (*shared, *rows, axis)]
    moved = values.transpose([*shared, *rows, *others, axis])
    extents = [values.shape[number] for number in shared]
    size = 1
    for number in rows:
        size *= values.shape[number]
    matrix = moved.reshape([*extents, size, values.shape[axis]])
    return np.broadcast_to(matrix, [*extents, size, n]).astype(kind)
