"""Data movement: reshape, transpose, slice, expand. Nothing is computed; references are rearranged.

Static axes are permutations of elements; position axes are renamed variables; cutting a sequence changes the segments of its
axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.positions import Term, substitute, var
from translator.axes import PRE, RUN, Axis, Key, keys, part_shape
from translator.lengths import Quotient, divided, most_for
from translator.reading.context import (
    Context,
    axis_of_length,
    dims_of,
    ints,
    part_at,
)
from translator.reading.entries import pick
from translator.reading.positional import (
    join,
    of_array,
    table,
    term_array,
)
from translator.reading.refusing import Refusal
from translator.reading.regions import satisfiable
from translator.reading.regrouping import match_positions, solve
from translator.reading.reversing import FAR, reverse, reversed_bounds
from translator.reading.values import Array, Data, Part, Positional, Value


def reshape(context: Context, value: Value, target: Array, allow_zero: bool) -> Value:
    """Regroup axes in row-major order; a position axis stays an axis of its own."""
    dims = dims_of(value)
    wanted = list(term_array(target).ravel())
    if not allow_zero:
        wanted = [dims[i] if dim == Term() else dim for i, dim in enumerate(wanted)]
    result = solve(dims, wanted)
    if isinstance(value, np.ndarray):
        return value.reshape([dim.const for dim in result])
    match = match_positions(dims, result)
    if isinstance(value, Positional):
        at = [var(match.get(axis, 0)) for axis in range(len(dims))]
        static = tuple(1 if dim.n_coef else dim.const for dim in result)
        pieces = tuple(
            (substitute(guard, at), piece.substitute(at) if isinstance(piece, Term) else piece.reshape(static))
            for guard, piece in value.pieces
        )
        return Positional(result, pieces, value.dtype)
    back = {new: old for old, new in match.items()}
    axes = tuple(value.axes[back[axis]] if axis in back else Axis(dim.const) for axis, dim in enumerate(result))
    at_terms = tuple(var(match.get(axis, 0)) for axis in range(len(dims)))
    parts = {
        tuple(key[back[axis]] if axis in back else PRE for axis in range(len(result))): part.move(at_terms)
        for key, part in value.parts.items()
    }
    return Data(axes, parts)


def transpose(context: Context, value: Value, perm: Sequence[int]) -> Value:
    """Permute axes: new axis t is old axis ``perm[t]``."""
    if sorted(perm) != list(range(len(dims_of(value)))):
        axes = len(dims_of(value))
        raise Refusal("N006", f"{list(perm)} is no permutation of {axes} axes", help="export the network again")
    if isinstance(value, np.ndarray):
        return value.transpose(perm)
    back = {old: new for new, old in enumerate(perm)}
    at = tuple(var(back[axis]) for axis in range(len(perm)))
    if isinstance(value, Positional):
        pieces = tuple(
            (substitute(guard, at), piece.substitute(at) if isinstance(piece, Term) else piece.transpose(perm))
            for guard, piece in value.pieces
        )
        return Positional(tuple(value.dims[axis] for axis in perm), pieces, value.dtype)
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        shape = part_shape(value.axes, key)
        index = np.arange(int(np.prod(shape))).reshape(shape).transpose(perm).ravel()
        parts[tuple(key[axis] for axis in perm)] = part.take(index).move(at)
    return Data(tuple(value.axes[axis] for axis in perm), parts)


def take_static(context: Context, value: Value, axis: int, index: Array) -> Value:
    """Take entries with known indices along a static axis; `index` may have any rank, as in Gather."""
    if isinstance(value, np.ndarray):
        return np.asarray(np.take(value, index, axis=axis), dtype=value.dtype)
    if isinstance(value, Positional):
        rank = index.ndim - 1
        at = tuple(var(v if v <= axis else v + rank) for v in range(len(value.dims)))
        pieces = tuple(
            (
                substitute(guard, at),
                piece.substitute(at)
                if isinstance(piece, Term)
                else np.take(np.broadcast_to(piece, value.static_shape), index, axis=axis),
            )
            for guard, piece in value.pieces
        )
        dims = (*value.dims[:axis], *(Term((), 0, s) for s in index.shape), *value.dims[axis + 1 :])
        return Positional(dims, pieces, value.dtype)
    rank = index.ndim - 1
    at = tuple(var(v if v <= axis else v + rank) for v in range(len(value.axes)))
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        shape = part_shape(value.axes, key)
        chosen = np.take(np.arange(int(np.prod(shape))).reshape(shape), index, axis=axis).ravel()
        parts[(*key[:axis], *(PRE,) * index.ndim, *key[axis + 1 :])] = part.take(chosen).move(at)
    axes = (*value.axes[:axis], *(Axis(s) for s in index.shape), *value.axes[axis + 1 :])
    return Data(axes, parts)


def take_fixed(context: Context, value: Value, axis: int, index: Array) -> Value:
    """Take entries with known indices along the sequence: first, last, ..; negative ones count from the end."""
    if not index.size:
        raise Refusal("N043", "no entry of the sequence is taken", help="leave the empty slice out of the network")
    if isinstance(value, Positional):
        length = value.dims[axis]
        if isinstance(length, Quotient) and index.min() < 0:
            raise Refusal("N043", f"an entry is read from the end of a tensor of positions of length {length}")
        picked = []
        for entry in index.ravel():
            place = Term((), 0, int(entry)) if entry >= 0 else length + int(entry)
            at = [var(v) for v in range(len(value.dims))]
            at[axis] = place
            pieces = [
                (guard, piece.substitute(at) if isinstance(piece, Term) else piece)
                for old, piece in value.pieces
                if satisfiable(guard := substitute(old, at))
            ]
            dims = tuple(Term((), 0, 1) if other == axis else dim for other, dim in enumerate(value.dims))
            picked.append(Positional(dims, join(pieces), value.dtype))
        stacked: Value = picked[0] if len(picked) == 1 else _join(context, picked, axis)
    else:
        if not isinstance(value, Data):
            raise Refusal("N043", "a stored table is read at the length of the input")
        axes = tuple(Axis(1) if other == axis else own for other, own in enumerate(value.axes))
        columns = []
        for entry in index.ravel():
            from_end = bool(entry < 0)
            columns.append(Data(axes, pick(context, value, axis, int(-entry - 1 if from_end else entry), from_end)))
        stacked = columns[0] if len(columns) == 1 else _join(context, columns, axis)
    if index.ndim == 1:
        return stacked
    dims = dims_of(stacked)
    new = (*dims[:axis], *(Term((), 0, s) for s in index.shape), *dims[axis + 1 :])
    return reshape(context, stacked, term_array(list(new)), True)


def slice_axis(context: Context, value: Value, axis: int, start: Term, end: Term, step: int) -> Value:
    """Cut one axis, with ONNX's clamping."""
    length = dims_of(value)[axis]
    if not length.n_coef:
        size = length.const
        if start.n_coef == 0 and end.n_coef == 0:
            return take_static(context, value, axis, slice_indices(start.const, end.const, step, size))
        if isinstance(value, np.ndarray) and step == 1 and end.n_coef == 1 and start in (Term(), Term((), 0, -size)):
            context.require_most(
                most_for(end, size), f"a stored table of {size} rows is cut to the length of the input"
            )
            return table(value, (axis,), (end,))
        if (
            isinstance(value, Positional)
            and value.stored is not None
            and step == 1
            and end.n_coef == 1
            and start == Term()
        ):
            array, cut = value.stored
            context.require_most(most_for(end, size), "a stored mask is cut to the length of the input")
            lengths = tuple(value.dims[other] if other != axis else end for other in sorted((*cut, axis)))
            return table(array, tuple(sorted((*cut, axis))), lengths)
        raise Refusal("N043", f"an axis of {size} entries is cut from {start} to {end}, which depends on n")
    if step < 0:
        return slice_axis(context, reverse(value, axis), axis, *reversed_bounds(start, end), -step)
    if step > 1:
        return every(context, slice_axis(context, value, axis, start, end, 1), axis, step)
    low = _resolve(start, length)
    high = _resolve(end, length)
    if low is None:
        low = Term()
    if high is None:
        high = length
    if low == Term() and high == length:
        return value
    if not low.n_coef and not high.n_coef:
        return take_fixed(context, value, axis, np.arange(low.const, high.const))
    if low.n_coef and high.n_coef:
        back_low, back_high = low - length, high - length
        return take_fixed(context, value, axis, np.arange(back_low.const, min(back_high.const, 0)))
    if low.n_coef:
        raise Refusal("N043", f"the sequence is cut from {low} to {high}, which depends on n in another way")
    tail = (length - high).const
    if tail < 0:
        tail = 0
    return _trim(context, value, axis, low.const, tail)


def slice_indices(start: int, end: int, step: int, size: int) -> Array:
    """The indices that a slice takes, with ONNX's clamping: a start before the first entry is the first entry."""
    first, last = (0, size) if step > 0 else (-1, size - 1)
    low = min(max(start + size if start < 0 else start, 0), max(last, 0))
    high = min(max(end + size if end < 0 else end, first), last)
    return np.arange(low, high, step) if size else np.zeros(0, dtype=np.int64)


def _resolve(bound: Term, length: Term) -> Term | None:
    """A slice bound as an index from the front; None for the far ends."""
    if bound.n_coef:
        return length + bound if bound.n_coef < 0 else bound
    if bound.const >= FAR or bound.const <= -FAR:
        return None
    return length + bound.const if bound.const < 0 else bound


def _trim(context: Context, value: Value, axis: int, front: int, back: int) -> Value:
    if isinstance(value, Positional):
        at = [var(v) for v in range(len(value.dims))]
        at[axis] = var(axis) + front
        pieces = [
            (substitute(guard, at), piece.substitute(at) if isinstance(piece, Term) else piece)
            for guard, piece in value.pieces
        ]
        dims = tuple(dim - front - back if other == axis else dim for other, dim in enumerate(value.dims))
        return Positional(dims, join(pieces), value.dtype)
    if not isinstance(value, Data):
        raise Refusal("N043", "a stored table is cut along the sequence")
    old = value.axes[axis]
    pre_cut, post_cut = min(front, old.pre), min(back, old.post)
    lo, hi = old.lo + old.step * (front - pre_cut), old.hi + old.step * (back - post_cut)
    new = Axis(old.pre - pre_cut, True, lo, hi, old.post - post_cut, old.step)
    context.require_least(max(1, lo + hi + 1 - old.step), "entries are cut off the sequence")
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        segment = key[axis]
        if segment == RUN:
            parts[key] = part
            continue
        shape = part_shape(value.axes, key)
        keep = range(pre_cut, old.pre) if segment == PRE else range(old.post - post_cut)
        if len(keep):
            index = np.take(np.arange(int(np.prod(shape))).reshape(shape), list(keep), axis=axis).ravel()
            parts[key] = part.take(index)
    return Data(tuple(new if other == axis else own for other, own in enumerate(value.axes)), parts)


def every(context: Context, value: Value, axis: int, step: int) -> Value:
    """Take each `step`-th entry along an axis, the first one included."""
    length = dims_of(value)[axis]
    if not length.n_coef:
        return take_static(context, value, axis, np.arange(0, length.const, step))
    if isinstance(value, Data):
        from translator.reading.striding import sampled

        return sampled(context, value, axis, step)
    if not isinstance(value, Positional):
        raise Refusal("N043", "a stored table is cut along the sequence")
    at = [var(v) * (step if v == axis else 1) for v in range(len(value.dims))]
    pieces = [
        (substitute(guard, at), piece.substitute(at) if isinstance(piece, Term) else piece)
        for guard, piece in value.pieces
    ]
    dims = tuple(divided(dim, step, up=True) if other == axis else dim for other, dim in enumerate(value.dims))
    return Positional(dims, join(pieces), value.dtype)


def expand(context: Context, value: Value, target: Array) -> Value:
    """Broadcast to a shape."""
    from translator.reading.positional import broadcast_dims, raise_rank

    wanted = tuple(term_array(target).ravel())
    dims = broadcast_dims(dims_of(value), wanted)
    if dims == dims_of(value):
        return value
    if not isinstance(value, Data):
        if not any(dim.n_coef for dim in dims) and isinstance(value, np.ndarray):
            return np.broadcast_to(value, [dim.const for dim in dims]).copy()
        raised = raise_rank(of_array(value) if isinstance(value, np.ndarray) else value, len(dims))
        static = tuple(1 if dim.n_coef else dim.const for dim in dims)
        pieces = tuple(
            (guard, piece if isinstance(piece, Term) else np.broadcast_to(piece, static))
            for guard, piece in raised.pieces
        )
        return Positional(dims, pieces, raised.dtype)
    offset = len(dims) - len(value.axes)
    axes = tuple(
        value.axes[axis - offset] if axis >= offset and value.axes[axis - offset].run else axis_of_length(dim)
        for axis, dim in enumerate(dims)
    )
    return Data(axes, {key: part_at(context, value, axes, key) for key in keys(axes)})


def squeeze(context: Context, value: Value, axes: Sequence[int] | None) -> Value:
    """Remove axes of length 1."""
    dims = dims_of(value)
    gone = {a % len(dims) for a in axes} if axes is not None else {i for i, d in enumerate(dims) if d == Term((), 0, 1)}
    return reshape(context, value, term_array([dim for i, dim in enumerate(dims) if i not in gone]), True)


def unsqueeze(context: Context, value: Value, axes: Sequence[int]) -> Value:
    """Insert axes of length 1."""
    rank = len(dims_of(value)) + len(axes)
    places = {a % rank for a in axes}
    rest = iter(dims_of(value))
    return reshape(
        context, value, term_array([Term((), 0, 1) if i in places else next(rest) for i in range(rank)]), True
    )


def known_ints(value: Value | None) -> list[int] | None:
    """A known integer vector, or None if absent."""
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        raise Refusal("N039", "a constant is needed here, and a value that depends on the input was found")
    return ints(value)


def _join(context: Context, values: Sequence[Value], axis: int) -> Value:
    from translator.reading.joining import concat

    return concat(context, values, axis)
