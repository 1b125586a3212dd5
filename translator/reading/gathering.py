"""Gather and its relatives: embeddings of letters, position tables, entries at fixed places, shifted reads.

An index that depends on the input is compared with every place of the axis (`selecting`), also along the sequence.
"""

from __future__ import annotations

import numpy as np

from circuits.positions import TRUE, AtLeast, Not, Term, conjunction, var
from translator.axes import Axis, Key
from translator.reading.assembly import letters_to_affine
from translator.reading.context import Context, dims_of
from translator.reading.contraction import contract
from translator.reading.movement import reshape, slice_axis, take_fixed, take_static
from translator.reading.placing import Stacked, entries_at, place_of
from translator.reading.positional import _largest_length, is_terms, kind_of, lookup, term_array
from translator.reading.refusing import Refusal
from translator.reading.selecting import hot, numbers, rearranged, select
from translator.reading.values import Array, Data, Part, Positional, Value

TRIED_LENGTHS = 64


def gather(context: Context, value: Value, index: Value, axis: int) -> Value:
    """ONNX Gather: `index` replaces the axis."""
    axis %= len(dims_of(value))
    if isinstance(index, np.ndarray) and is_terms(index):
        return _gather_terms(context, value, index, axis)
    if isinstance(index, Data):
        if isinstance(value, np.ndarray) and not is_terms(value) and not axis and is_of_letters(context, index):
            return embed(context, value, index)
        return select(context, value, index, axis)
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
    if not isinstance(value, Data):
        raise Refusal("N051", "entries of a tensor of positions are gathered at computed positions")
    place = place_of(index)
    if place is not None and all(coef == 1 for _, coef in place.coefs):
        return entries_at(context, value, axis, [place], index.dims)
    _require_inside(context, index, dims_of(value)[axis])
    return select(context, value, index, axis)


def _require_inside(context: Context, index: Positional, length: Term) -> None:
    """Accept only lengths n at which every index is inside of an axis."""
    for guard, piece in index.pieces:
        ends = [piece] if isinstance(piece, Term) else [Term((), 0, int(end)) for end in (piece.min(), piece.max())]
        for end in ends:
            is_inside = conjunction(AtLeast(end + length), AtLeast(length - 1 - end))
            most = _largest_length(index.dims, conjunction(guard, Not(is_inside)), TRIED_LENGTHS)
            if most is not None and most < context.least:
                raise Refusal("N051", f"entries are gathered at {end}, outside of an axis of length {length}")
            context.require_most(most, f"entries are gathered at {end} of an axis of length {length}")


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


def is_of_letters(context: Context, index: Data) -> bool:
    """Whether every entry is a function of one letter."""
    read = context.assembly._letter_function
    return all(part.denominator is None and read(part.view) is not None for part in index.parts.values())


def gather_nd(context: Context, value: Value, index: Value, batch_dims: int) -> Value:
    """GatherND: the last axis of `index` holds one index for each of the axes after the batch axes."""
    dims, depth = dims_of(value), dims_of(index)[-1]
    if depth.n_coef:
        raise Refusal("N051", f"GatherND with {depth} index components", help="their number has to be fixed")
    if not isinstance(index, Data) and batch_dims == 0:
        if depth.const == 1:
            return gather(context, value, reshape(context, index, term_array(list(dims_of(index)[:-1])), True), 0)
        constant = _constant_at(value, (*dims_of(index)[:-1], *dims[depth.const :]))
        if constant is not None:
            return constant
    lead = dims[: batch_dims + depth.const]
    if isinstance(index, Stacked) and isinstance(value, Data) and batch_dims == 0:
        found = [place_of(component) for component in index.components]
        known_places = [place for place in found if place is not None]
        if len(known_places) == len(found):
            return entries_at(context, value, 0, known_places, index.dims[:-1])
    if isinstance(index, np.ndarray) and not is_terms(index) and not any(dim.n_coef for dim in lead):
        sizes = [dim.const for dim in lead]
        flat = reshape(context, value, term_array([int(np.prod(sizes)), *dims[len(lead) :]]), True)
        return take_static(context, flat, 0, _numbers_of(index, sizes, batch_dims))
    labels = list(range(len(dims)))
    fresh = [len(dims) + number for number in range(len(dims_of(index)) - 1 - batch_dims)]
    batch = labels[:batch_dims]
    result = numbers(value)
    for component in range(depth.const):
        axis = batch_dims + component
        here = take_static(context, index, len(dims_of(index)) - 1, np.array(component))
        chosen = hot(context, here, dims[axis])
        out = [*batch, *fresh, *labels[axis + 1 :]]
        held = labels[axis:] if not component else [*fresh, *labels[axis:]]
        result = contract(context, result, [*batch, *held], chosen, [*batch, *fresh, axis], out)
    return result


def _numbers_of(index: Array, sizes: list[int], batch_dims: int) -> Array:
    """Row-major numbers of the entries that the last axis of `index` names."""
    shape = index.shape[:-1]
    columns: list[Array] = [
        np.arange(shape[axis]).reshape([-1 if other == axis else 1 for other in range(len(shape))])
        for axis in range(batch_dims)
    ]
    columns += [index[..., component] for component in range(index.shape[-1])]
    flat = np.zeros(shape, dtype=np.int64)
    for column, size in zip(columns, sizes, strict=True):
        flat = flat * size + np.where(column < 0, column + size, column)
    return flat


def _constant_at(value: Value, dims: tuple[Term, ...]) -> Value | None:
    """Any entry of a tensor whose entries are all equal."""
    if isinstance(value, Positional) and len(value.pieces) == 1 and not isinstance(value.pieces[0][1], Term):
        piece, dtype = value.pieces[0][1], value.dtype
    elif isinstance(value, np.ndarray) and value.dtype != object and value.size:
        piece, dtype = value, kind_of(value)
    else:
        return None
    if not (piece == piece.ravel()[0]).all():
        return None
    static = tuple(1 if dim.n_coef else dim.const for dim in dims)
    return Positional(dims, ((TRUE, np.full(static, piece.ravel()[0])),), dtype)


def gather_elements(context: Context, value: Value, index: Value, axis: int) -> Value:
    """GatherElements: the entry at each place has its own index along the axis."""
    dims, wanted = dims_of(value), dims_of(index)
    axis %= len(dims)
    constant = _constant_at(value, wanted) if not isinstance(index, Data) else None
    if constant is not None:
        return constant
    if (
        isinstance(value, np.ndarray)
        and isinstance(index, Positional)
        and all(s == 1 for a, s in enumerate(value.shape) if a != axis)
    ):
        found, most = lookup(value.ravel(), index)
        context.require_most(most, "a stored table is cut to the length of the input")
        return found
    for other, (have, want) in enumerate(zip(dims, wanted, strict=True)):
        if other != axis and have != want:
            value = slice_axis(context, value, other, Term(), want, 1)
    if isinstance(index, np.ndarray) and not is_terms(index) and not any(dim.n_coef for dim in dims_of(value)):
        shape = [dim.const for dim in dims_of(value)]
        chosen = np.where(index < 0, index + shape[axis], index).astype(np.int64)
        return rearranged(value, np.take_along_axis(np.arange(int(np.prod(shape))).reshape(shape), chosen, axis))
    if not isinstance(value, Data) and not isinstance(index, Data):
        raise Refusal("N051", "GatherElements of a tensor of positions at computed positions")
    rank = len(dims)
    labels = list(range(rank))
    out = [rank if label == axis else label for label in labels]
    return contract(context, numbers(value), labels, hot(context, index, dims[axis]), [*out, axis], out)
