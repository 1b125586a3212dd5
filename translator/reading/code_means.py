"""Means of few codes, with the additions of onnxruntime's pooling, each rounded to float32.

A mean of a few codes is often half-way between two codes, and there float32's own errors decide. So where pooling stands
between DequantizeLinear and QuantizeLinear, the order of its additions is part of the meaning:

* from opset 19 on, the elements of a window one after the other, in row-major order;
* before, if the last stride is at most 2, each column of the window first, then the columns from left to right; else row by row;
* before, if the window is the whole input, and always for GlobalAveragePool: in four lanes, element i in lane i modulo 4; then
  lanes 0 and 2, 1 and 3, and both sums; then what is left over.

Padding counts as 0, which changes no sum. The sum is divided by the number of elements.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from scipy.sparse import csr_array

from circuits.scalar import X
from translator.axes import Axis
from translator.reading.combining import composed
from translator.reading.context import Context
from translator.reading.elementwise import unary
from translator.reading.loading import Operator
from translator.reading.table import call
from translator.reading.values import Data, Index, Value, View
from translator.reading.windows import Window, over_parts

SINGLE = call("float32", X)
MOST_TAPS = 64
NEW_KERNEL = 19
LANES = 4


@dataclass(frozen=True, slots=True)
class Order:
    """How the taps of a window are added: every row of `lanes` one after the other, then the lanes, then the taps in `rest`.

    With `halves` the first half of the lanes is added to the second half until one is left, else they are added in order.
    """

    lanes: Index
    halves: bool = False
    rest: tuple[int, ...] = ()


def order_of(kernel: Sequence[int], strides: Sequence[int], whole: bool, opset: int) -> Order:
    """The order of additions for windows of a kernel; `whole` if the window is the whole input."""
    taps = np.arange(prod(kernel))
    if whole and opset < NEW_KERNEL and len(taps) >= LANES:
        even = len(taps) // LANES * LANES
        return Order(taps[:even].reshape(-1, LANES).T, True, tuple(taps[even:].tolist()))
    if opset < NEW_KERNEL and not whole and len(kernel) > 1 and strides[-1] <= 2:
        return Order(taps.reshape(-1, kernel[-1]).T)
    return Order(taps[None, :])


def means_of_codes(operators: Sequence[Operator]) -> frozenset[str]:
    """The outputs of average pooling that stand between DequantizeLinear and QuantizeLinear."""
    producers = {name: operator for operator in operators for name in operator.outputs if name}
    readers: dict[str, list[Operator]] = {}
    for operator in operators:
        for name in operator.reads:
            readers.setdefault(name, []).append(operator)
    found = set()
    for operator in operators:
        if operator.op_type in ("AveragePool", "GlobalAveragePool") and not operator.domain:
            source, target = producers.get(operator.inputs[0]), readers.get(operator.outputs[0], [])
            ends = [source, *target] if source is not None and target else []
            types = [end.op_type for end in ends]
            if types and types[0] == "DequantizeLinear" and set(types[1:]) == {"QuantizeLinear"}:
                found.add(operator.outputs[0])
    return frozenset(found)


def mean_of_codes(context: Context, operator: Operator, data: Data) -> Value | None:
    """The mean as onnxruntime adds; None if the operator is no mean of few codes of one scale over static windows."""
    if context.operator is not operator or operator.outputs[0] not in context.means_of_codes:
        return None
    spatial = [axis.pre for axis in data.axes[2:]]
    if any(axis.run for axis in data.axes[2:]):
        return None
    everywhere = operator.op_type == "GlobalAveragePool"
    window = Window(operator, spatial if everywhere else operator.attributes["kernel_shape"], spatial)
    include = bool(operator.attributes.get("count_include_pad", 0))
    table = window.table(spatial)
    counts = set((window.table(spatial, padded=include) >= 0).sum(axis=1).tolist())
    views = [context.assembly.tabulate(context.assembly.settle(part)) for part in data.parts.values()]
    one_scale = all(view.source.affine is None for view in views)
    if len(counts) != 1 or table.shape[1] > MOST_TAPS or not one_scale:
        return None
    whole = list(window.kernel) == spatial and not any(window.pads)
    order = order_of(window.kernel, window.strides, whole, 0 if everywhere else context.opset)
    axes = (*data.axes[:2], *(Axis(size) for size in window.out))
    cells = prod(spatial)
    sums = over_parts(context, data, axes, lambda view, outer: _sum(context, view, table, order, outer, cells))
    return unary(context, call("float32", call("div", X, float(counts.pop()))), sums)


def _sum(context: Context, codes: View, table: Index, order: Order, outer: int, cells: int) -> View:
    """The sum of each window, rounded to float32 after each addition."""
    assembly = context.assembly
    given = assembly.rows(composed(assembly.tabulate(codes), SINGLE))

    def taps(numbers: Index) -> View:
        """The elements that some taps read in each window, 0 outside of the input."""
        chosen = table[:, numbers] + np.arange(outer)[:, None, None] * cells
        chosen = np.where(table[:, numbers] >= 0, chosen, -1).ravel()
        rows = np.flatnonzero(chosen >= 0)
        matrix = csr_array((np.ones(len(rows)), (rows, chosen[rows])), shape=(len(chosen), given.size))
        return assembly.view_of(given.apply(matrix), hint)

    def add(left: View, right: View) -> View:
        return composed(assembly.view_of(assembly.rows(left).plus(assembly.rows(right)), hint), SINGLE)

    hint = assembly.hint
    total = taps(order.lanes[:, 0])
    for term in range(1, order.lanes.shape[1]):
        total = add(total, taps(order.lanes[:, term]))
    n_lanes = len(order.lanes)
    total = assembly.tabulate(total) if n_lanes > 1 else total
    windows = np.arange(total.size // n_lanes) * n_lanes
    lanes = [total.take(windows + lane) for lane in range(n_lanes)]
    while order.halves and len(lanes) > 1:
        half = len(lanes) // 2
        lanes = [add(first, second) for first, second in zip(lanes[:half], lanes[half:], strict=True)]
    total = lanes[0]
    for more in (*lanes[1:], *(taps(np.array([tap])) for tap in order.rest)):
        total = add(total, more)
    return total
