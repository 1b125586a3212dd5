"""Convolutions, also transposed ones: sums of products of an image and a kernel over the cells that a window joins.

A constant kernel makes one sparse matrix; where image and kernel both depend on the input, each product is a variable.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import Term
from translator.axes import Axis, Key, part_shape
from translator.reading.context import Context, dims_of, plain, to_data
from translator.reading.contraction import dense_rows
from translator.reading.elementwise import binary
from translator.reading.loading import Operator
from translator.reading.movement import reshape
from translator.reading.positional import is_terms, term_array
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, lowering, needed, optional
from translator.reading.values import Affine, Array, Data, Index, Part, Value, View
from translator.reading.windows import Window


@dataclass(frozen=True, slots=True, eq=False)
class Kernel:
    """The weights of a convolution: numbers, or a view of as many elements.

    Output channel o reads input channel ``first[o] + i`` through the weights ``index[o, i, tap]``.
    """

    weights: Array | View
    index: Index
    first: Index


@dataclass(frozen=True, slots=True, eq=False)
class Joints:
    """Which output cell reads which input cell through which tap, in the order of the output cells."""

    out: Index
    read: Index
    tap: Index
    out_cells: int
    read_cells: int


def joints_of(table: Index, read_cells: int) -> Joints:
    """The joints of windows that read: one row of `table` for each output cell."""
    out, tap = np.nonzero(table >= 0)
    return Joints(out, table[out, tap], tap, len(table), read_cells)


def joints_into(table: Index, out_cells: int) -> Joints:
    """The joints of windows that write: one row of `table` for each input cell."""
    read, tap = np.nonzero(table >= 0)
    out = table[read, tap]
    order = np.argsort(out, kind="stable")
    return Joints(out[order], read[order], tap[order], out_cells, len(table))


def kernel_of(context: Context, value: Value, groups: int, *, transposed: bool = False) -> Kernel:
    """Read the weights: (M, C/group, taps..) for a convolution, (C, M/group, taps..) for a transposed one."""
    dims = dims_of(value)
    if any(dim.n_coef for dim in dims):
        raise Refusal("N028", "the kernel of a convolution has a sequence axis", help="use a kernel of fixed size")
    shape = [dim.const for dim in dims]
    index = np.arange(prod(shape)).reshape(*shape[:2], prod(shape[2:]))
    per_group = shape[1]
    if transposed:
        per_group = shape[0] // groups
        split = index.reshape(groups, per_group, shape[1], -1)
        index = split.transpose(0, 2, 1, 3).reshape(groups * shape[1], per_group, -1)
    first = np.arange(len(index)) // max(len(index) // groups, 1) * per_group
    known = isinstance(value, np.ndarray) and not is_terms(value)
    weights = np.asarray(value, dtype=np.float64).ravel() if known else plain(context, to_data(context, value).only)
    return Kernel(weights, index, first)


def correlate(context: Context, image: View, images: int, channels: int, kernel: Kernel, joints: Joints) -> View:
    """Convolve `images` images of `channels` channels, flat in this order; the result is flat in the same way."""
    assembly = context.assembly
    out_size = images * len(kernel.index) * joints.out_cells
    if isinstance(kernel.weights, View):
        return _products(context, image, images, channels, kernel, joints)
    matrix = _matrix(kernel, kernel.weights, channels, joints)
    if images > 1:
        matrix = _repeated(matrix, images)
    if not kernel.weights.all():
        matrix.eliminate_zeros()
    if matrix.shape != (out_size, image.size):
        raise Refusal("N031", f"a convolution of {image.size} numbers expects {matrix.shape[1]}")
    return assembly.view_of(_applied(matrix, dense_rows(context, image)))


def _applied(matrix: csr_array, image: Affine) -> Affine:
    """``matrix @ image``; of a mere choice of elements without a product of matrices, which would cost as much again."""
    if len(image.operands) != 1 or image.const.any() or image.length.any() or image.pieces:
        return image.apply(matrix)
    ((ref, chosen),) = image.operands
    if chosen.nnz != image.size or (np.diff(chosen.indptr) != 1).any() or (chosen.data != 1).any():
        return image.apply(matrix)
    moved = csr_array((matrix.data, chosen.indices[matrix.indices], matrix.indptr), (matrix.shape[0], chosen.shape[1]))
    zero = np.zeros(matrix.shape[0])
    if len(np.unique(chosen.indices)) < len(chosen.indices):
        moved.sum_duplicates()
    return Affine(((ref, moved),) if moved.nnz else (), zero, zero)


def _matrix(kernel: Kernel, weights: Array, channels: int, joints: Joints) -> csr_array:
    """The matrix of one image, made in place: for a large image these are the largest arrays of all."""
    n_out, per_group, _ = kernel.index.shape
    width = channels * joints.read_cells
    inner = np.arange(per_group) * joints.read_cells
    base = (joints.read[:, None] + inner).ravel().astype(np.int32 if width < 2**31 else np.int64)
    columns = np.empty((n_out, len(base)), dtype=base.dtype)
    entries = np.empty((n_out, len(joints.tap), per_group))
    for o in range(n_out):
        columns[o] = base + kernel.first[o] * joints.read_cells
        entries[o] = weights[kernel.index[o]][:, joints.tap].T
    counts = np.tile(np.bincount(joints.out, minlength=joints.out_cells) * per_group, n_out)
    pointers = np.concatenate([[0], np.cumsum(counts)])
    shape = (n_out * joints.out_cells, width)
    return csr_array((entries.ravel(), columns.ravel(), pointers), shape=shape)


def _repeated(matrix: csr_array, images: int) -> csr_array:
    """The same matrix for each image."""
    rows, columns = matrix.shape
    offsets = np.arange(images)[:, None]
    return csr_array(
        (
            np.tile(matrix.data, images),
            (matrix.indices + offsets * columns).ravel(),
            np.concatenate([[0], (matrix.indptr[1:] + offsets * matrix.nnz).ravel()]),
        ),
        shape=(images * rows, images * columns),
    )


def _products(context: Context, image: View, images: int, channels: int, kernel: Kernel, joints: Joints) -> View:
    """Image and kernel are variables, or the image is known and the kernel is not."""
    if not isinstance(kernel.weights, View):
        raise TypeError("the kernel is known")
    assembly, n_out = context.assembly, len(kernel.index)
    number, o, i, joint = np.ogrid[:images, :n_out, : kernel.index.shape[1], : len(joints.out)]
    shape = (images, n_out, kernel.index.shape[1], len(joints.out))
    row = np.broadcast_to((number * n_out + o) * joints.out_cells + joints.out[joint], shape).ravel()
    channel = number * channels + kernel.first[o] + i
    read = np.broadcast_to(channel * joints.read_cells + joints.read[joint], shape).ravel()
    weight = np.broadcast_to(kernel.index[o, i, joints.tap[joint]], shape).ravel()
    hint, assembly.hint = assembly.hint, assembly.named("products")
    product = assembly.multiply(image, kernel.weights, read, weight)
    assembly.hint = hint
    size = images * n_out * joints.out_cells
    matrix = csr_array((np.ones(len(row)), (row, np.arange(len(row)))), shape=(size, len(row)))
    return assembly.view_of(assembly.rows(product).apply(matrix))


def convolve(context: Context, operator: Operator, x: Value, w: Value, bias: Value | None = None) -> Value:
    """Conv: groups, strides, dilations, padding; also along the sequence."""
    from translator.reading.sliding import convolve_along

    groups = operator.attributes.get("group", 1)
    data = to_data(context, x)
    taps = [dim.const for dim in dims_of(w)[2:]]
    stated = list(operator.attributes.get("kernel_shape") or taps)
    if stated != taps:
        raise Refusal("N006", f"`kernel_shape` is {stated}, and the kernel has {taps}", help="export the network again")
    kernel = kernel_of(context, w, groups)
    if any(axis.run for axis in data.axes[1:2]):
        raise Refusal("N028", "the channels of a convolution are the sequence", help="transpose, so that it is spatial")
    if any(axis.run for axis in data.axes[2:]):
        result = convolve_along(context, operator, data, kernel, taps)
    else:
        spatial = [axis.pre for axis in data.axes[2:]]
        window = Window(operator, taps, spatial)
        result = _over_parts(context, data, kernel, joints_of(window.table(spatial), prod(spatial)), window.out)
    return with_bias(context, result, bias)


def _over_parts(context: Context, data: Data, kernel: Kernel, joints: Joints, out: list[int]) -> Data:
    axes = (data.axes[0], Axis(len(kernel.index)), *(Axis(size) for size in out))
    parts: dict[Key, Part] = {}
    for key, part in data.parts.items():
        images, channels = part_shape(data.axes, key)[:2]
        parts[key] = Part(correlate(context, plain(context, part), images, channels, kernel, joints))
    return Data(axes, parts)


def with_bias(context: Context, value: Value, bias: Value | None) -> Value:
    """Add one number for each channel."""
    if bias is None:
        return value
    rank = len(dims_of(value))
    column = reshape(context, bias, term_array([*dims_of(bias), *(Term((), 0, 1),) * (rank - 2)]), True)
    return binary(context, "add", value, column)


@lowering("Conv")
def _conv(context: Context, operator: Operator, values: Inputs) -> Value:
    return convolve(context, operator, needed(values, 0), needed(values, 1), optional(values, 2))


@lowering("ConvTranspose")
def _conv_transpose(context: Context, operator: Operator, values: Inputs) -> Value:
    """Each input cell is spread over the output cells of its window."""
    data, w = to_data(context, needed(values, 0)), needed(values, 1)
    if any(axis.run for axis in data.axes[1:]):
        raise Refusal(
            "N028",
            "a transposed convolution runs along the sequence",
            note="its output is longer than the sequence by a factor or by a shift",
            help="use a convolution with stride 1, or a fixed length",
        )
    given = operator.attributes
    spatial = [axis.pre for axis in data.axes[2:]]
    taps = [dim.const for dim in dims_of(w)[2:]]
    rank = len(spatial)
    window = Window(_bare(operator), taps, spatial)
    extra = list(given.get("output_padding") or [0] * rank)[:rank]
    full = [window.strides[a] * (spatial[a] - 1) + extra[a] + window.reach(a) for a in range(rank)]
    auto = given.get("auto_pad", "NOTSET")
    wanted = given.get("output_shape")
    if wanted is None and auto in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [spatial[a] * window.strides[a] for a in range(rank)]
    if wanted is not None:
        cut = [max(full[a] - size, 0) for a, size in enumerate(list(wanted)[-rank:])]
        front = [size // 2 if auto == "SAME_UPPER" else size - size // 2 for size in cut]
        window.pads = [*front, *(size - start for size, start in zip(cut, front, strict=True))]
        out = list(wanted)[-rank:]
    else:
        out = [full[a] - window.pads[a] - window.pads[a + rank] for a in range(rank)]
    joints = joints_into(window.table(out, places=spatial), prod(out))
    kernel = kernel_of(context, w, given.get("group", 1), transposed=True)
    return with_bias(context, _over_parts(context, data, kernel, joints, out), optional(values, 2))


def _bare(operator: Operator) -> Operator:
    """The operator without automatic padding, which means something else for a transposed convolution."""
    attributes = {name: value for name, value in operator.attributes.items() if name != "auto_pad"}
    return replace(operator, attributes=attributes)
