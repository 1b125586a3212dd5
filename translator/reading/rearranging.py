"""Triangles, borders, reversed runs and overlapping blocks: Trilu, EyeLike, Pad, ReverseSequence, OneHot, Col2Im."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import onnx
from scipy.sparse import csr_array

from circuits.positions import AtLeast, Equals, Guard, Term, negation, var
from translator.reading.context import Context, dims_of
from translator.reading.contraction import contract
from translator.reading.elementwise import binary, where
from translator.reading.joining import concat, pad
from translator.reading.loading import Operator
from translator.reading.movement import (
    expand,
    known_ints,
    reshape,
    slice_axis,
    take_fixed,
    take_static,
    transpose,
    unsqueeze,
)
from translator.reading.positional import term_array
from translator.reading.refusing import Refusal
from translator.reading.selecting import apply_along, hot, numbers, places
from translator.reading.table import Inputs, lowering, needed, number, optional
from translator.reading.types import dtype_of
from translator.reading.values import Array, Piece, Positional, Value


def triangle(dims: tuple[Term, ...], k: int, *, upper: bool) -> Value:
    """Truth values of a matrix: on and above (or below) diagonal k."""
    rows, columns = dims
    gap = var(1) - var(0) - k if upper else var(0) - var(1) + k
    if rows.n_coef and columns.n_coef:
        return _pieces(dims, [(AtLeast(gap), np.array([[True]])), (negation(AtLeast(gap)), np.array([[False]]))])
    if not rows.n_coef and not columns.n_coef:
        full = np.ones((rows.const, columns.const), dtype=bool)
        return np.triu(full, k) if upper else np.tril(full, k)
    axis = 0 if rows.n_coef else 1
    size = (columns if rows.n_coef else rows).const
    low, high = (min(-k, 0), max(size - k, 0)) if rows.n_coef else (min(k, 0), max(size + k, 0))
    cells: list[Piece] = []
    for place in range(low, high + 1):
        line = np.arange(size)
        on = line - place - k >= 0 if rows.n_coef else place - line - k >= 0
        on = on if upper else (line - place - k <= 0 if rows.n_coef else place - line - k <= 0)
        guard: Guard = AtLeast(var(axis) - place) if place == high else Equals(var(axis) - place)
        if place >= 0:
            cells.append((guard, np.expand_dims(on, axis)))
    return _pieces(dims, cells)


def _pieces(dims: tuple[Term, ...], cells: list[Piece]) -> Positional:
    return Positional(dims, tuple(cells), "bool")


@lowering("Trilu")
def _trilu(context: Context, operator: Operator, values: Inputs) -> Value:
    x, shift = needed(values, 0), optional(values, 1)
    k = int(number(shift)) if shift is not None else 0
    upper = bool(operator.attributes.get("upper", 1))
    dims = dims_of(x)
    if isinstance(x, np.ndarray):
        return np.triu(x, k) if upper else np.tril(x, k)
    zero = np.zeros((), dtype=bool) if isinstance(x, Positional) and x.dtype == "bool" else np.array(0.0)
    return where(context, triangle(dims[-2:], k, upper=upper), x, zero)


@lowering("EyeLike")
def _eye_like(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    dims, k = dims_of(x), operator.attributes.get("k", 0)
    on = triangle(dims, k, upper=True)
    off = triangle(dims, k + 1, upper=True)
    if isinstance(on, np.ndarray) and isinstance(off, np.ndarray):
        name = operator.attributes.get("dtype") or onnx.TensorProto.DataType.Value(dtype_of(x).upper())
        return np.asarray(on & ~off).astype(onnx.helper.tensor_dtype_to_np_dtype(name))
    return where(context, on, where(context, off, np.array(0.0), np.array(1.0)), np.array(0.0))


@lowering("Pad")
def _pad(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    rank = len(dims_of(x))
    pads = known_ints(optional(values, 1))
    if pads is None:
        pads = list(operator.attributes["pads" if "pads" in operator.attributes else "paddings"])
    axes = known_ints(optional(values, 3))
    before, after = [0] * rank, [0] * rank
    for place, axis in enumerate(axes if axes is not None else range(rank)):
        before[axis % rank], after[axis % rank] = pads[place], pads[place + len(pads) // 2]
    mode = operator.attributes.get("mode", "constant")
    if mode == "constant":
        fill = optional(values, 2)
        if fill is None:
            fill = np.array(operator.attributes.get("value", 0.0))
        return pad(context, x, before, after, fill)
    for axis, (front, back) in enumerate(zip(before, after, strict=True)):
        x = _continued(context, x, axis, front, back, mode)
    return x


def _continued(context: Context, value: Value, axis: int, front: int, back: int, mode: str) -> Value:
    """Extend one axis by its own entries; negative amounts cut."""
    if front < 0 or back < 0:
        length = dims_of(value)[axis]
        value = slice_axis(context, value, axis, Term((), 0, max(-front, 0)), length - max(-back, 0), 1)
        front, back = max(front, 0), max(back, 0)
    if not front and not back:
        return value
    length = dims_of(value)[axis]
    if not length.n_coef:
        if not length.const:
            raise Refusal("N024", f"Pad with mode `{mode}` extends an empty axis")
        return take_static(context, value, axis, np.pad(np.arange(length.const), (front, back), mode=mode))  # type: ignore[call-overload]
    at_front, at_back = np.arange(1, front + 1)[::-1], -np.arange(2, back + 2)
    if mode == "edge":
        at_front, at_back = np.zeros(front, dtype=np.int64), np.full(back, -1)
    elif mode == "wrap":
        at_front, at_back = np.arange(-front, 0), np.arange(back)
    parts = [value]
    if front:
        parts.insert(0, take_fixed(context, value, axis, at_front))
    if back:
        parts.append(take_fixed(context, value, axis, at_back))
    return concat(context, parts, axis)


@lowering("ReverseSequence")
def _reverse_sequence(context: Context, operator: Operator, values: Inputs) -> Value:
    x, lengths = needed(values, 0), needed(values, 1)
    rank = len(dims_of(x))
    time, batch = operator.attributes.get("time_axis", 0) % rank, operator.attributes.get("batch_axis", 1) % rank
    extent = dims_of(x)[time]
    here, there = _line(context, places(extent), 1), _line(context, places(extent), 2)
    count = unsqueeze(context, lengths, [1, 2])
    # Entry t is read at j if t + j + 1 is the length (then t is inside), or if t = j is beyond the length.
    mirrored = binary(context, "eq", binary(context, "sub", count, _next(context, here, there)), np.array(0.0))
    beyond = binary(context, "ge", binary(context, "sub", here, count), np.array(0.0))
    same = binary(context, "eq", binary(context, "sub", here, there), np.array(0.0))
    chosen = binary(context, "add", numbers(mirrored), binary(context, "mul", numbers(beyond), numbers(same)))
    labels = list(range(rank))
    out = [rank if label == time else label for label in labels]
    return contract(context, numbers(x), labels, chosen, [batch, rank, time], out)


def _line(context: Context, value: Value, axis: int) -> Value:
    return reshape(context, value, term_array([dims_of(value)[0] if a == axis else 1 for a in range(3)]), True)


def _next(context: Context, here: Value, there: Value) -> Value:
    return binary(context, "add", binary(context, "add", here, there), np.array(1))


@lowering("OneHot")
def _one_hot(context: Context, operator: Operator, values: Inputs) -> Value:
    index, ends = needed(values, 0), numbers(needed(values, 2))
    depth = int(number(needed(values, 1)))
    rank = len(dims_of(index)) + 1
    axis = operator.attributes.get("axis", -1) % rank
    chosen = hot(context, index, Term((), 0, depth))
    chosen = transpose(context, chosen, [*range(axis), rank - 1, *range(axis, rank - 1)])
    off, on = (take_static(context, ends, 0, np.array(place)) for place in (0, 1))
    return binary(context, "add", off, binary(context, "mul", chosen, binary(context, "sub", on, off)))


@lowering("Tile")
def _tile(context: Context, operator: Operator, values: Inputs) -> Value:
    x, repeats = needed(values, 0), needed(values, 1)
    if not isinstance(repeats, np.ndarray):
        raise Refusal("N039", "the repeats of Tile depend on the input")
    given = term_array(repeats).ravel()
    if len(values) == 3:
        # Opset 1 repeats one axis: its inputs are the tensor, how often, and the axis.
        axis = int(number(needed(values, 2)))
        given = term_array([given[0] if other == axis else 1 for other in range(len(dims_of(x)))])
    for axis, times in enumerate(given):
        length = dims_of(x)[axis]
        if times == Term((), 0, 1):
            continue
        if length == Term((), 0, 1):
            x = expand_axis(context, x, axis, times)
        elif times.n_coef or length.n_coef:
            raise Refusal("N023", "Tile repeats along the sequence")
        else:
            x = take_static(context, x, axis, np.tile(np.arange(length.const), times.const))
    return x


def expand_axis(context: Context, value: Value, axis: int, length: Term) -> Value:
    """Repeat an axis of length 1."""
    if not length.n_coef:
        return take_static(context, value, axis, np.zeros(length.const, dtype=np.int64))
    dims = [length if other == axis else dim for other, dim in enumerate(dims_of(value))]
    return expand(context, value, term_array(dims))


@lowering("DepthToSpace", "SpaceToDepth")
def _depth_and_space(context: Context, operator: Operator, values: Inputs) -> Value:
    x, side = needed(values, 0), operator.attributes["blocksize"]
    batch, channels, rows, columns = dims_of(x)
    if channels.n_coef or rows.n_coef or columns.n_coef:
        raise Refusal("N042", f"`{operator.op_type}` mixes the sequence with the channels")
    c, h, w = channels.const, rows.const, columns.const
    by_depth = operator.attributes.get("mode", "DCR") == "DCR"
    if operator.op_type == "SpaceToDepth":
        split = [batch, c, h // side, side, w // side, side]
        perm = [0, 3, 5, 1, 2, 4] if by_depth else [0, 1, 3, 5, 2, 4]
        result = [batch, c * side * side, h // side, w // side]
    else:
        depth = c // (side * side)
        split = [batch, side, side, depth, h, w] if by_depth else [batch, depth, side, side, h, w]
        perm = [0, 3, 4, 1, 5, 2] if by_depth else [0, 1, 4, 2, 5, 3]
        result = [batch, depth, h * side, w * side]
    blocks = transpose(context, reshape(context, x, term_array(split), True), perm)
    return reshape(context, blocks, term_array(result), True)


@lowering("Col2Im")
def _col2im(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    image, block = known_ints(needed(values, 1)) or [], known_ints(needed(values, 2)) or []
    rank = len(image)
    pads = operator.attributes.get("pads") or [0] * 2 * rank
    strides = operator.attributes.get("strides") or [1] * rank
    dilations = operator.attributes.get("dilations") or [1] * rank
    dims = dims_of(x)
    if dims[1].n_coef or dims[2].n_coef:
        raise Refusal("N028", "Col2Im puts blocks together along the sequence")
    channels = dims[1].const // int(np.prod(block))
    matrix = overlap(image, block, pads, strides, dilations)
    columns = reshape(context, x, term_array([dims[0], channels, matrix.shape[1]]), True)
    return reshape(context, apply_along(context, columns, 2, matrix), term_array([dims[0], channels, *image]), True)


def overlap(
    image: Sequence[int], block: Sequence[int], pads: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> csr_array:
    """The matrix that adds blocks to an image: columns are (entry of the block, number of the block)."""
    rank = len(image)
    spans = [size + pads[a] + pads[a + rank] - (block[a] - 1) * dilations[a] - 1 for a, size in enumerate(image)]
    counts = [span // stride + 1 for span, stride in zip(spans, strides, strict=True)]
    starts: Array = np.indices(counts).reshape(rank, -1)
    rows, columns = [], []
    n_blocks = starts.shape[1]
    for number_, tap in enumerate(product(*map(range, block))):
        at = [starts[a] * strides[a] + tap[a] * dilations[a] - pads[a] for a in range(rank)]
        inside = np.all([(place >= 0) & (place < size) for place, size in zip(at, image, strict=True)], axis=0)
        rows.append(np.ravel_multi_index([place[inside] for place in at], tuple(image)))
        columns.append(number_ * n_blocks + np.flatnonzero(inside))
    row, column = np.concatenate(rows), np.concatenate(columns)
    shape = (int(np.prod(image)), int(np.prod(block)) * n_blocks)
    return csr_array((np.ones(len(row)), (row, column)), shape=shape)
