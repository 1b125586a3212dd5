"""Convolution and pooling over static axes: every output element is a sparse combination of the inputs in its window."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import TRUE
from translator.axes import PRE, RUN, Axis
from translator.reading.context import Context, plain, realign, shifted
from translator.reading.loading import Operator
from translator.reading.refusing import Refusal
from translator.reading.table import needed
from translator.reading.values import Array, Data, Part, Value, constant


class Window:
    """Kernel, stride, dilation and padding for each spatial axis, and the output size that follows."""

    __slots__ = ("ceil", "dilations", "kernel", "out", "pads", "strides")

    def __init__(self, operator: Operator, kernel: Sequence[int], spatial: Sequence[int]) -> None:
        rank = len(spatial)
        given = operator.attributes
        self.kernel = list(kernel)
        self.strides = list(given.get("strides", [1] * rank))
        self.dilations = list(given.get("dilations", [1] * rank))
        self.pads = list(given.get("pads", [0] * 2 * rank))
        self.ceil = bool(given.get("ceil_mode", 0))
        reach = [(k - 1) * d + 1 for k, d in zip(self.kernel, self.dilations, strict=True)]
        auto = given.get("auto_pad", "NOTSET")
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            for axis in range(rank):
                out = -(-spatial[axis] // self.strides[axis])
                total = max((out - 1) * self.strides[axis] + reach[axis] - spatial[axis], 0)
                small, large = total // 2, total - total // 2
                self.pads[axis], self.pads[axis + rank] = (small, large) if auto == "SAME_UPPER" else (large, small)
        elif auto == "VALID":
            self.pads = [0] * 2 * rank
        self.out = []
        for axis in range(rank):
            span = spatial[axis] + self.pads[axis] + self.pads[axis + rank] - reach[axis]
            size = (-(-span // self.strides[axis]) if self.ceil else span // self.strides[axis]) + 1
            if self.ceil and (size - 1) * self.strides[axis] >= spatial[axis] + self.pads[axis]:
                size -= 1
            self.out.append(size)

    def entries(self, place: Sequence[int], spatial: Sequence[int]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """The (kernel index, input index) pairs of one window that lie inside the input."""
        result = []
        for tap in itertools.product(*map(range, self.kernel)):
            index = tuple(
                p * s + t * d - pad
                for p, s, t, d, pad in zip(place, self.strides, tap, self.dilations, self.pads, strict=False)
            )
            if all(0 <= i < size for i, size in zip(index, spatial, strict=True)):
                result.append((tap, index))
        return result


def _static(value: Value) -> tuple[Data, tuple[int, ...]]:
    if not isinstance(value, Data) or any(axis.run for axis in value.axes):
        raise Refusal(
            "N028",
            "a convolution or pooling runs along the sequence",
            help="fixed-size inputs are supported; over a sequence use attention or shifts",
        )
    return value, tuple(axis.pre for axis in value.axes)


def convolve(context: Context, operator: Operator, values: list[Value | None]) -> Value:
    """Conv with groups, pads, strides and dilations, as one sparse matrix."""
    x, w = needed(values, 0), needed(values, 1)
    if not isinstance(w, np.ndarray):
        raise Refusal("N039", "the kernel of Conv depends on the input")
    weights = np.asarray(w, dtype=np.float64)
    if isinstance(x, Data) and len(x.axes) == 3 and x.axes[2].run:
        return _along_sequence(context, operator, x, weights, values[2] if len(values) > 2 else None)
    data, shape = _static(x)
    spatial = shape[2:]
    window = Window(operator, weights.shape[2:], spatial)
    groups = operator.attributes.get("group", 1)
    n_out, per_group = weights.shape[0], weights.shape[1]
    rows, columns, data_values = [], [], []
    out_cells, in_cells = int(np.prod(window.out)), int(np.prod(spatial))
    channels = np.arange(n_out)
    first = (channels // (n_out // groups)) * per_group
    for cell, place in enumerate(np.ndindex(*window.out)):
        for tap, index in window.entries(place, spatial):
            flat = int(np.ravel_multi_index(index, spatial))
            for c in range(per_group):
                rows.append(channels * out_cells + cell)
                columns.append((first + c) * in_cells + flat)
                data_values.append(weights[(channels, c, *tap)])
    batch = shape[0]
    if batch != 1:
        raise Refusal("N028", "a convolution with a batch axis of fixed size other than 1")
    matrix = csr_array(
        (np.concatenate(data_values), (np.concatenate(rows), np.concatenate(columns))),
        shape=(n_out * out_cells, int(np.prod(shape))),
    )
    assembly = context.assembly
    view = plain(context, data.only)
    from translator.reading.contraction import _dense_rows

    result = _dense_rows(context, view).apply(matrix)
    bias = values[2] if len(values) > 2 else None
    if bias is not None:
        if not isinstance(bias, np.ndarray):
            raise Refusal("N039", "the bias of Conv depends on the input")
        result = result.plus(constant(np.repeat(np.asarray(bias, dtype=np.float64), out_cells)))
    axes = (Axis(1), Axis(n_out), *(Axis(size) for size in window.out))
    return Data(axes, {(0,) * len(axes): Part(assembly.view_of(result))})


def _along_sequence(context: Context, operator: Operator, x: Data, weights: Array, bias: Value | None) -> Value:
    """Conv of one dimension along the sequence: each tap reads at a shifted position; outside the word it reads 0."""
    x = realign(context, x, 2)
    given = operator.attributes
    groups, taps = given.get("group", 1), weights.shape[2]
    dilation, pads = given.get("dilations", [1])[0], given.get("pads", [0, 0])
    lost = (taps - 1) * dilation - pads[0] - pads[1]
    if given.get("strides", [1])[0] != 1 or given.get("auto_pad", "NOTSET") != "NOTSET" or lost < 0:
        raise Refusal(
            "N028",
            "a convolution along the sequence has strides, automatic padding or more padding than its kernel",
            help="use stride 1 and explicit pads of at most the kernel's reach",
        )
    assembly = context.assembly
    n_out, per_group = weights.shape[:2]
    total = constant(np.zeros(n_out))
    view = plain(context, x.only)
    for tap in range(taps):
        matrix = np.zeros((n_out, view.size))
        for channel in range(n_out):
            start = channel // (n_out // groups) * per_group
            matrix[channel, start : start + per_group] = weights[channel, :, tap]
        moved = shifted(context, view, 2, tap * dilation - pads[0])
        total = total.plus(assembly.rows(moved).apply(csr_array(matrix)))
    if isinstance(bias, np.ndarray):
        total = total.plus(constant(bias))
    if lost:
        context.require_least(lost + 1, "a convolution without padding shortens the sequence")
    axes = (Axis(1), Axis(n_out), Axis(0, True, 0, lost))
    return Data(axes, {(PRE, PRE, RUN): Part(assembly.view_of(total))})


def pool(context: Context, operator: Operator, value: Value) -> Value:
    """MaxPool and AveragePool."""
    data, shape = _static(value)
    spatial = shape[2:]
    window = Window(operator, operator.attributes["kernel_shape"], spatial)
    view = plain(context, data.only)
    outer = shape[0] * shape[1]
    in_cells, taps = int(np.prod(spatial)), int(np.prod(window.kernel))
    groups: list[Array] = []
    counts = []
    for place in np.ndindex(*window.out):
        found = [int(np.ravel_multi_index(index, spatial)) for _, index in window.entries(place, spatial)]
        groups.append(np.array(found))
        counts.append(taps if operator.attributes.get("count_include_pad", 0) else len(found))
    assembly = context.assembly
    axes = (*data.axes[:2], *(Axis(size) for size in window.out))
    key = (0,) * len(axes)
    every = [group + channel * in_cells for channel in range(outer) for group in groups]
    if operator.op_type == "MaxPool":
        width = max(map(len, every))
        return Data(
            axes, {key: Part(assembly.maximum(view, np.stack([np.resize(g, width) for g in every]), None, TRUE, []))}
        )
    rows = np.concatenate([np.full(len(group), i) for i, group in enumerate(every)])
    weights = np.concatenate([np.full(len(group), 1.0 / counts[i % len(counts)]) for i, group in enumerate(every)])
    matrix = csr_array((weights, (rows, np.concatenate(every))), shape=(len(every), view.size))
    from translator.reading.contraction import _dense_rows

    return Data(axes, {key: Part(assembly.view_of(_dense_rows(context, view).apply(matrix)))})
