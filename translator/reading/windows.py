"""Windows that slide over static axes, and pooling: every output element reads the input elements in its window.

All windows are one table of element numbers, made by arithmetic on whole axes. Along a run of positions the windows of
`translator.reading.sliding` are used instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import TRUE
from circuits.scalar import Scalar, X
from translator.axes import Axis, Key, part_shape
from translator.reading.context import Context, dims_of, plain, to_data
from translator.reading.contraction import dense_rows
from translator.reading.elementwise import unary
from translator.reading.loading import Operator
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed
from translator.reading.values import Data, Index, Part, Value, View


class Window:
    """Kernel, stride, dilation and padding for each spatial axis, and the output size that follows."""

    __slots__ = ("dilations", "kernel", "out", "pads", "strides")

    def __init__(self, operator: Operator, kernel: Sequence[int], spatial: Sequence[int]) -> None:
        rank = len(spatial)
        given = operator.attributes
        self.kernel = list(kernel)
        self.strides = list(given.get("strides") or [1] * rank)
        self.dilations = list(given.get("dilations") or [1] * rank)
        self.pads = list(given.get("pads") or [0] * 2 * rank)
        ceil = bool(given.get("ceil_mode", 0))
        auto = given.get("auto_pad", "NOTSET")
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            for axis in range(rank):
                out = -(-spatial[axis] // self.strides[axis])
                total = max((out - 1) * self.strides[axis] + self.reach(axis) - spatial[axis], 0)
                small, large = total // 2, total - total // 2
                self.pads[axis], self.pads[axis + rank] = (small, large) if auto == "SAME_UPPER" else (large, small)
        elif auto == "VALID":
            self.pads = [0] * 2 * rank
        self.out = []
        for axis in range(rank):
            span = spatial[axis] + self.pads[axis] + self.pads[axis + rank] - self.reach(axis)
            size = (-(-span // self.strides[axis]) if ceil else span // self.strides[axis]) + 1
            if ceil and (size - 1) * self.strides[axis] >= spatial[axis] + self.pads[axis]:
                size -= 1  # a window that would start in the padding behind the input is dropped
            self.out.append(max(size, 0))

    def reach(self, axis: int) -> int:
        """How many entries a window spans."""
        return (self.kernel[axis] - 1) * self.dilations[axis] + 1

    def table(self, spatial: Sequence[int], *, padded: bool = False, places: Sequence[int] | None = None) -> Index:
        """The input element that each window reads with each tap: shape (windows, taps), -1 outside of the input.

        With `padded`, 0 marks the padding that the operator declares and -1 only what lies beyond it.
        """
        rank = len(spatial)
        flat = np.zeros((1, 1), dtype=np.int64)
        inside = np.ones((1, 1), dtype=bool)
        for axis, size in enumerate(spatial):
            place = np.arange((places or self.out)[axis]) * self.strides[axis] - self.pads[axis]
            index = place[:, None] + np.arange(self.kernel[axis]) * self.dilations[axis]
            end = size + (self.pads[axis + rank] if padded else 0)
            here = (index >= (-self.pads[axis] if padded else 0)) & (index < end)
            shape = (flat.shape[0] * index.shape[0], flat.shape[1] * index.shape[1])
            flat = (flat[:, None, :, None] * size + index[None, :, None, :]).reshape(shape)
            inside = (inside[:, None, :, None] & here[None, :, None, :]).reshape(shape)
        return np.where(inside, 0 if padded else flat, -1)


def pool(context: Context, operator: Operator, value: Value) -> Value:
    """MaxPool, AveragePool and LpPool."""
    from translator.reading.sliding import pool_along

    data = to_data(context, value)
    if operator.op_type == "LpPool":
        return _power_pool(context, operator, data)
    return pool_along(context, operator, data) if any(a.run for a in data.axes[2:]) else _pool(context, operator, data)


def _pool(context: Context, operator: Operator, data: Data) -> Data:
    spatial = [axis.pre for axis in data.axes[2:]]
    window = Window(operator, operator.attributes["kernel_shape"], spatial)
    table = window.table(spatial)
    counts = None
    if operator.op_type == "AveragePool":
        counted = window.table(spatial, padded=True) if operator.attributes.get("count_include_pad", 0) else table
        counts = (counted >= 0).sum(axis=1)
    axes = (*data.axes[:2], *(Axis(size) for size in window.out))
    if operator.op_type == "MaxPool":
        return over_parts(context, data, axes, lambda view, outer: _largest(context, view, table, outer, prod(spatial)))
    return over_parts(context, data, axes, lambda view, outer: sums(context, view, table, counts, outer, prod(spatial)))


def over_parts(context: Context, data: Data, axes: tuple[Axis, ...], step: Callable[[View, int], View]) -> Data:
    """Apply a step to each part of a tensor whose spatial axes are static; it is told how many images the part holds."""
    parts: dict[Key, Part] = {}
    for key, part in data.parts.items():
        outer = prod(part_shape(data.axes, key)[:2])
        parts[key] = (
            Part(step(plain(context, part), outer)) if prod(part_shape(axes, key)) else part.take(np.zeros(0, int))
        )
    return Data(axes, parts)


def filled(table: Index) -> Index:
    """Put another entry of the window in the place of what lies outside: a maximum stays the same."""
    first = np.take_along_axis(table, np.argmax(table >= 0, axis=1)[:, None], axis=1)
    if (first < 0).any():
        raise Refusal("N028", "a window of MaxPool lies in the padding alone", help="pad by less than the kernel")
    return np.where(table < 0, first, table)


def _largest(context: Context, view: View, table: Index, outer: int, cells: int) -> View:
    groups = (np.arange(outer)[:, None, None] * cells + filled(table)).reshape(-1, table.shape[1])
    return context.assembly.maximum(view, groups, None, TRUE, [])


def sums(context: Context, view: View, table: Index, counts: Index | None, outer: int, cells: int) -> View:
    """The sum of each window, or its mean where counts are given."""
    inside = table >= 0
    if counts is not None and len(set(counts.tolist())) == 1:  # division by a number stays one
        total = sums(context, view, table, None, outer, cells)
        return View(total.source, total.at, total.index, divisor=float(counts[0]))
    rows = np.repeat(np.arange(len(table)), inside.sum(axis=1))
    columns = table[inside]
    weights = np.ones(len(columns)) if counts is None else 1.0 / counts[rows]
    images = np.arange(outer)[:, None]
    matrix = csr_array(
        (np.tile(weights, outer), ((images * len(table) + rows).ravel(), (images * cells + columns).ravel())),
        shape=(outer * len(table), view.size),
    )
    return context.assembly.view_of(dense_rows(context, view).apply(matrix))


def _power_pool(context: Context, operator: Operator, data: Data) -> Value:
    """LpPool: the p-norm of each window, padding counts as 0."""
    from translator.reading.sliding import pool_along

    p = float(operator.attributes.get("p", 2))
    powers = unary(context, power_of_absolute(p), data)
    sums = (pool_along if any(axis.run for axis in data.axes[2:]) else _pool)(
        context, operator, to_data(context, powers)
    )
    return unary(context, root(p), sums)


@lowering("MaxPool", "AveragePool", "LpPool")
def _pool_entry(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    from translator.reading.code_means import mean_of_codes
    from translator.reading.pooling_places import pool_places

    x = needed(values, 0)
    mean = mean_of_codes(context, operator, to_data(context, x)) if operator.op_type == "AveragePool" else None
    results = [pool(context, operator, x) if mean is None else mean]
    if len(operator.outputs) > 1 and operator.outputs[1]:
        results.append(pool_places(context, operator, to_data(context, x)))
    return results


@lowering("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def _global_pool(context: Context, operator: Operator, values: Inputs) -> Value:
    value = needed(values, 0)
    axes = list(range(2, len(dims_of(value))))
    if operator.op_type == "GlobalAveragePool":
        from translator.reading.code_means import mean_of_codes

        mean = mean_of_codes(context, operator, to_data(context, value))
        if mean is not None:
            return mean
    if operator.op_type != "GlobalLpPool":
        return reduce(context, "mean" if operator.op_type == "GlobalAveragePool" else "max", value, axes, True)
    p = float(operator.attributes.get("p", 2))
    powers = unary(context, power_of_absolute(p), value)
    return unary(context, root(p), reduce(context, "sum", powers, axes, True))


def power_of_absolute(p: float) -> Scalar:
    """``|x| ** p`` as a scalar function."""
    return call("abs", X) if p == 1 else call("mul", X, X) if p == 2 else call("pow", call("abs", X), p)


def root(p: float) -> Scalar:
    """``x ** (1 / p)`` as a scalar function."""
    return X if p == 1 else call("sqrt", X) if p == 2 else call("pow", X, 1.0 / p)
