"""Gather and its relatives: embeddings of letters, position tables, entries at fixed places, shifted reads."""

from __future__ import annotations

import numpy as np

from circuits.positions import TRUE, Term, var
from translator.axes import Axis, Key
from translator.reading.assembly import letters_to_affine
from translator.reading.context import Context, dims_of
from translator.reading.movement import reshape, take_fixed, take_static
from translator.reading.positional import is_terms, lookup, term_array
from translator.reading.refusing import Refusal
from translator.reading.values import Array, Data, Part, Positional, Value


def gather(context: Context, value: Value, index: Value, axis: int) -> Value:
    """ONNX Gather: `index` replaces the axis."""
    axis %= len(dims_of(value))
    if isinstance(index, np.ndarray) and is_terms(index):
        return _gather_terms(context, value, index, axis)
    if isinstance(index, Data):
        if not isinstance(value, np.ndarray) or axis:
            raise Refusal(
                "N051",
                "entries are gathered at indices that depend on the input",
                note="content-based addressing of positions is no fixed-depth attention in this file",
                help="use attention (Softmax, MatMul) instead",
            )
        return embed(context, value, index)
    if isinstance(index, Positional):
        return _gather_positional(context, value, index, axis)
    if dims_of(value)[axis].n_coef:
        return take_fixed(context, value, axis, np.asarray(index))
    size = dims_of(value)[axis].const
    return take_static(
        context, value, axis, np.where(np.asarray(index) < 0, np.asarray(index) + size, index).astype(np.int64)
    )


def _gather_terms(context: Context, value: Value, index: Array, axis: int) -> Value:
    length = dims_of(value)[axis]
    if index.size == 1:
        from_end = index.ravel()[0] - length
        if not from_end.n_coef and length.n_coef:
            return take_fixed(context, value, axis, np.full(index.shape, from_end.const))
        if not length.n_coef and isinstance(value, np.ndarray) and axis == 0:
            scalar = Positional((), ((TRUE, index.ravel()[0]),), "int")
            found, most = lookup(value, scalar)
            context.require_most(most, "a stored table is read at the length of the input")
            return found
    raise Refusal("N051", f"entries are gathered at {index.ravel()[0]}")


def _gather_positional(context: Context, value: Value, index: Positional, axis: int) -> Value:
    if isinstance(value, np.ndarray) and not is_terms(value):
        if axis:
            raise Refusal("N034", "a position table is gathered along an inner axis")
        found, most = lookup(value, index)
        context.require_most(most, f"a stored table has {value.shape[0]} rows, one for each position")
        return found
    if isinstance(value, Positional) and len(value.pieces) == 1 and not isinstance(value.pieces[0][1], Term):
        dims = (*value.dims[:axis], *index.dims, *value.dims[axis + 1 :])
        static = tuple(1 if d.n_coef else d.const for d in dims)
        return Positional(dims, ((TRUE, np.broadcast_to(value.pieces[0][1].ravel()[:1], static)),), value.dtype)
    identity = len(index.pieces) == 1 and index.pieces[0][1] == var(len(index.dims) - 1)
    if identity and len(index.dims) == 1 and dims_of(value)[axis] == index.dims[0]:
        return value
    raise Refusal("N051", "entries of the sequence are gathered at computed positions")


def embed(context: Context, array: Array, index: Data) -> Data:
    """Look letters up in a table: row `letter` of `array`."""
    assembly = context.assembly
    width = int(np.prod(array.shape[1:], dtype=np.int64))
    flat = np.asarray(array, dtype=np.float64).reshape(array.shape[0], width)
    parts: dict[Key, Part] = {}
    for key, part in index.parts.items():
        found = assembly._letter_function(part.view) if part.denominator is None else None
        if found is None:
            raise Refusal(
                "N051",
                "a table is read at an index computed from several letters",
                help="only functions of one letter can be looked up",
            )
        refs, numbers, outside = found
        size = array.shape[0]
        rows = np.clip(np.where(numbers < 0, numbers + size, numbers), 0, size - 1).astype(np.int64)
        blank = np.clip(np.where(outside < 0, outside + size, outside), 0, size - 1).astype(np.int64)
        values = flat[rows].transpose(0, 2, 1).reshape(len(refs) * width, -1)
        away = flat[blank].reshape(len(refs) * width)
        spread = [ref for ref in refs for _ in range(width)]
        view = assembly.view_of(letters_to_affine(spread, values, away))
        parts[(*key, *(0,) * (array.ndim - 1))] = Part(view)
    axes = (*index.axes, *(Axis(size) for size in array.shape[1:]))
    return Data(axes, parts)


def gather_nd(context: Context, value: Value, index: Value, batch_dims: int) -> Value:
    """GatherND whose index has one component, or reads a constant tensor."""
    depth = dims_of(index)[-1]
    if batch_dims == 0 and depth == Term((), 0, 1):
        return gather(context, value, reshape(context, index, term_array(list(dims_of(index)[:-1])), True), 0)
    if batch_dims == 0 and isinstance(value, Positional) and len(value.pieces) == 1 and not depth.n_coef:
        piece = value.pieces[0][1]
        dims = (*dims_of(index)[:-1], *value.dims[depth.const :])
        if not isinstance(piece, Term) and (piece == piece.ravel()[0]).all():
            static = tuple(1 if d.n_coef else d.const for d in dims)
            return Positional(dims, ((TRUE, np.full(static, piece.ravel()[0])),), value.dtype)
    raise Refusal("N051", f"GatherND with {depth} index components", help="only constant tensors can be read this way")


def gather_elements(context: Context, value: Value, index: Value, axis: int) -> Value:
    """GatherElements of a table whose rows are all equal, or at the identity."""
    axis %= len(dims_of(value))
    if isinstance(value, Positional) and len(value.pieces) == 1 and not isinstance(value.pieces[0][1], Term):
        piece = value.pieces[0][1]
        if (piece == piece.ravel()[0]).all():
            dims = dims_of(index)
            static = tuple(1 if d.n_coef else d.const for d in dims)
            return Positional(dims, ((TRUE, np.full(static, piece.ravel()[0])),), value.dtype)
    if isinstance(value, np.ndarray) and value.dtype != object and (value == value.ravel()[0]).all():
        dims = dims_of(index)
        static = tuple(1 if d.n_coef else d.const for d in dims)
        return Positional(dims, ((TRUE, np.full(static, value.ravel()[0])),), "int")
    if (
        isinstance(value, np.ndarray)
        and isinstance(index, Positional)
        and all(s == 1 for a, s in enumerate(value.shape) if a != axis)
    ):
        found, most = lookup(value.ravel(), index)
        context.require_most(most, "a stored table is cut to the length of the input")
        return found
    raise Refusal("N051", "GatherElements at indices that depend on the input or on several axes")
