"""Operators that reduce axes."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from translator.shapes import entries
from translator.shapes.calls import Call, rule, shaped
from translator.shapes.rules.layout import reordered
from translator.shapes.values import Array, Dims, Tensor

ON_ENTRIES = {
    "ReduceSum": entries.add,
    "ReduceProd": entries.multiply,
    "ReduceMin": entries.least,
    "ReduceMax": entries.greatest,
}


@rule(
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceMax",
    "ReduceMean",
    "ReduceMin",
    "ReduceProd",
    "ReduceSum",
    "ReduceSumSquare",
)
def reduction(call: Call) -> Tensor:
    """Reduce the listed axes, or all of them."""
    data, dims = call.tensor(0), call.dims(0)
    listed = call.listed("axes", 1)
    if not listed and call.attribute("noop_with_empty_axes", 0):
        return Tensor("", dims)
    axes = {call.axis(axis, len(dims)) for axis in listed or range(len(dims))}
    result = without(dims, axes, bool(call.attribute("keepdims", 1)))
    content = None
    if data.content is not None and call.op in ON_ENTRIES and len(axes) == len(dims) and data.content.size:
        content = reordered(_all_entries(ON_ENTRIES[call.op], data.content), result)
    return Tensor("", result, content)


def _all_entries(how: Any, content: Array) -> Array | None:
    values = content.ravel().tolist()
    if any(value is None for value in values):
        return None
    return np.array([reduce(lambda a, b: None if a is None else how(a, b), values)], dtype=object)


def without(dims: Dims, axes: set[int], keep: bool) -> Dims:
    """The shape without the reduced axes, or with size 1 in their place."""
    if keep:
        return tuple(1 if axis in axes else dim for axis, dim in enumerate(dims))
    return tuple(dim for axis, dim in enumerate(dims) if axis not in axes)


@rule("ArgMax", "ArgMin")
def arg_max(call: Call) -> Tensor:
    """The place of the greatest or least entry along an axis."""
    dims = call.rank_at_least(0, 1)
    axis = call.axis(call.attribute("axis", 0), len(dims))
    return Tensor("int64", without(dims, {axis}, bool(call.attribute("keepdims", 1))))


@rule("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(call: Call) -> Tensor:
    """Reduce all spatial axes."""
    dims = call.rank_at_least(0, 2)
    return shaped([*dims[:2], *[1] * (len(dims) - 2)])


@rule("Det")
def determinant(call: Call) -> Tensor:
    """Square matrices, along the last two axes."""
    dims = call.rank_at_least(0, 2)
    call.constraints.same(dims[-2], dims[-1], "`Det` takes square matrices")
    return shaped(dims[:-2])
