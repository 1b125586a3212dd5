"""Concatenation and padding: static axes are stacked, entries beside the sequence become slots of its axis."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import TRUE, Equals, Term, conjunction, substitute, var
from translator.axes import PRE, RUN, Axis, Key, keys, part_shape
from translator.reading.context import (
    Context,
    axis_of_length,
    dims_of,
    part_at,
    plain,
    realign,
    to_data,
)
from translator.reading.movement import expand, reshape, slice_axis
from translator.reading.placing import Stacked
from translator.reading.positional import (
    as_positional,
    is_terms,
    join,
    settle_terms,
    term_array,
)
from translator.reading.refusing import Refusal
from translator.reading.regions import satisfiable
from translator.reading.values import Array, Data, Part, Positional, Value, constant, selection


def concat(context: Context, values: Sequence[Value], axis: int) -> Value:
    """Concatenate; along the sequence, static entries before or after it become slots."""
    if all(isinstance(value, np.ndarray) for value in values):
        if any(is_terms(value) for value in values):
            return settle_terms(np.concatenate([term_array(value) for value in values], axis=axis))
        return np.concatenate(list(values), axis=axis)
    if not any(isinstance(value, Data) for value in values):
        return _concat_positional([as_positional(value) for value in values], axis)
    runs = [value for value in values if dims_of(value)[axis].n_coef]
    if len(runs) > 1:
        raise Refusal("N044", "two sequences are concatenated", help="fom reads one sequence of length n")
    axes_of_rest = _rest_axes(context, values, axis)
    values = [_fit(context, value, axes_of_rest, axis) for value in values]
    if not runs:
        return _concat_static(context, values, axes_of_rest, axis)
    where = next(i for i, value in enumerate(values) if dims_of(value)[axis].n_coef)
    middle = values[where]
    data = middle if isinstance(middle, Data) else to_data(context, middle)
    old = data.axes[axis]
    before = sum(dims_of(value)[axis].const for value in values[:where])
    after = sum(dims_of(value)[axis].const for value in values[where + 1 :])
    new = Axis(old.pre + before, True, old.lo, old.hi, old.post + after, old.step)
    axes = tuple(new if other == axis else own for other, own in enumerate(axes_of_rest))
    parts: dict[Key, Part] = {}
    for key in keys(axes):
        if key[axis] == RUN:
            parts[key] = data.parts[key]
            continue
        pieces = [values[i] for i in (range(where) if key[axis] == PRE else range(where + 1, len(values)))]
        if key[axis] == PRE and old.pre:
            pieces.append(data)
        if key[axis] != PRE and old.post:
            pieces.insert(0, data)
        chosen = []
        for value in pieces:
            own = data.axes[axis] if value is data else Axis(dims_of(value)[axis].const)
            own_axes = tuple(own if other == axis else fitted for other, fitted in enumerate(axes_of_rest))
            own_key = key if value is data else tuple(PRE if other == axis else s for other, s in enumerate(key))
            chosen.append((part_at(context, value, own_axes, own_key), part_shape(own_axes, own_key)))
        parts[key] = _stack(context, chosen, axis)
    return Data(axes, parts)


def _rest_axes(context: Context, values: Sequence[Value], axis: int) -> list[Axis]:
    rank = len(dims_of(values[0]))
    result = []
    for other in range(rank):
        if other == axis:
            result.append(Axis(1))
            continue
        found = [value.axes[other] for value in values if isinstance(value, Data)]
        lengths = {dims_of(value)[other] for value in values}
        if len(lengths) > 1:
            raise Refusal("N031", f"axes of lengths {', '.join(map(str, lengths))} are concatenated side by side")
        result.append(found[0] if all(own == found[0] for own in found) else axis_of_length(found[0].length))
    return result


def _fit(context: Context, value: Value, axes: list[Axis], axis: int) -> Value:
    if isinstance(value, Data):
        for other, wanted in enumerate(axes):
            if other != axis and value.axes[other] != wanted:
                value = realign(context, value, other)
    return value


def _concat_static(context: Context, values: Sequence[Value], rest: list[Axis], axis: int) -> Value:
    total = sum(dims_of(value)[axis].const for value in values)
    axes = tuple(Axis(total) if other == axis else own for other, own in enumerate(rest))
    parts: dict[Key, Part] = {}
    for key in keys(axes):
        chosen = []
        for value in values:
            size = dims_of(value)[axis].const
            own_axes = tuple(Axis(size) if other == axis else own for other, own in enumerate(rest))
            chosen.append((part_at(context, value, own_axes, key), part_shape(own_axes, key)))
        parts[key] = _stack(context, chosen, axis)
    return Data(axes, parts)


def _stack(context: Context, parts: list[tuple[Part, tuple[int, ...]]], axis: int) -> Part:
    """Concatenate parts along a static axis: views of one source stay one view."""
    parts = [(part, shape) for part, shape in parts if np.prod(shape)]
    if len(parts) == 1:
        return parts[0][0]
    assembly = context.assembly
    offsets = np.cumsum([0, *(int(np.prod(shape)) for _, shape in parts)])
    order = np.concatenate(
        [np.arange(offsets[i], offsets[i + 1]).reshape(shape) for i, (_, shape) in enumerate(parts)], axis=axis
    ).ravel()
    masked = [part for part, _ in parts if part.allowed is not None]
    if (
        masked
        and all(part.allowed is None or part.outside == masked[0].outside for part, _ in parts)
        and all(part.denominator is None for part, _ in parts)
    ):
        guards = tuple(g for part, _ in parts for g in (part.allowed or (TRUE,) * part.view.size))
        bare = _stack(context, [(Part(part.view), shape) for part, shape in parts], axis)
        return Part(bare.view, None, tuple(guards[i] for i in order), masked[0].outside)
    views = [plain(context, part) for part, _ in parts]
    first = views[0]
    same = all(
        view.source is first.source
        and view.at == first.at
        and (view.function, view.scale, view.shift, view.divisor)
        == (first.function, first.scale, first.shift, first.divisor)
        for view in views
    )
    if same:
        index = np.concatenate([view.index for view in views])
        from translator.reading.values import View

        whole = View(first.source, first.at, index, first.function, first.scale, first.shift, first.divisor)
        return Part(whole.take(order))
    total = constant(np.zeros(offsets[-1]))
    for i, view in enumerate(views):
        place = selection(np.arange(view.size), view.size)
        shift = csr_array(
            (place.data, (np.arange(offsets[i], offsets[i + 1]), np.arange(view.size))), shape=(offsets[-1], view.size)
        )
        total = total.plus(assembly.rows(view).apply(shift))
    return Part(assembly.view_of(total.select(order)))


def _concat_positional(values: list[Positional], axis: int) -> Value:
    lengths = [value.dims[axis] for value in values]
    if any(length.n_coef for length in lengths):
        return _concat_along(values, axis)
    return _concat_pieces(values, axis)


def _without(dims: tuple[Term, ...], axis: int) -> tuple[Term, ...]:
    return tuple(Term((), 0, 1) if other == axis else dim for other, dim in enumerate(dims))


def _concat_pieces(values: list[Positional], axis: int) -> Positional:
    from translator.reading.positional import broadcast_dims

    dims = list(broadcast_dims(*(_without(value.dims, axis) for value in values)))
    dims[axis] = Term((), 0, sum(value.dims[axis].const for value in values))
    is_last = axis == len(dims) - 1 and all(value.dims[axis] == Term((), 0, 1) for value in values)
    if is_last and any(isinstance(piece, Term) for value in values for _, piece in value.pieces):
        return Stacked(tuple(dims), tuple(values))
    combined: list[tuple[object, tuple[Array, ...]]] = [(TRUE, ())]
    for value in values:
        longer = []
        for guard, row in combined:
            for other, piece in value.pieces:
                both = conjunction(guard, other)  # type: ignore[arg-type]
                if not satisfiable(both):
                    continue
                if not isinstance(piece, Term):
                    longer.append((both, (*row, np.broadcast_to(piece, value.static_shape))))
        combined = longer  # type: ignore[assignment]
    pieces = [(guard, np.concatenate(row, axis=axis)) for guard, row in combined]
    return Positional(tuple(dims), join(pieces), values[0].dtype)  # type: ignore[arg-type]


def _concat_along(values: list[Positional], axis: int) -> Positional:
    from circuits.positions import AtLeast

    total = Term()
    pieces = []
    for value in values:
        length = value.dims[axis]
        at = [var(v) for v in range(len(value.dims))]
        at[axis] = var(axis) - total
        inside = conjunction(AtLeast(var(axis) - total), AtLeast(total + length - 1 - var(axis)))
        if length.n_coef:
            for guard, piece in value.pieces:
                moved = piece.substitute(at) if isinstance(piece, Term) else piece
                pieces.append((conjunction(inside, substitute(guard, at)), moved))
        else:
            for k in range(length.const):
                here = Equals(var(axis) - total - k)
                for guard, piece in value.pieces:
                    entry = (
                        piece
                        if isinstance(piece, Term)
                        else np.take(np.broadcast_to(piece, value.static_shape), [k], axis=axis)
                    )
                    pieces.append((conjunction(here, guard), entry))
        total = total + length
    dims = tuple(total if other == axis else dim for other, dim in enumerate(values[0].dims))
    return Positional(dims, join(pieces), values[0].dtype)


def pad(context: Context, value: Value, before: Sequence[int], after: Sequence[int], fill: Value) -> Value:
    """Extend axes by one number, which may depend on the input; negative amounts cut."""
    fill = reshape(context, fill, term_array([]), True)
    for axis, (front, back) in enumerate(zip(before, after, strict=True)):
        if front < 0 or back < 0:
            length = dims_of(value)[axis]
            value = slice_axis(context, value, axis, Term((), 0, max(-front, 0)), length - max(-back, 0), 1)
        parts: list[Value] = [value]
        for count, place in ((front, 0), (back, 2)):
            if count > 0:
                parts.insert(place, _border(context, fill, value, axis, count))
        if len(parts) > 1:
            value = concat(context, parts, axis)
    return value


def _border(context: Context, fill: Value, value: Value, axis: int, count: int) -> Value:
    """One number as a tensor that stands beside `value` along an axis."""
    if isinstance(fill, Data) and isinstance(value, Data):
        axes = tuple(Axis(count) if other == axis else own for other, own in enumerate(value.axes))
        return Data(axes, {key: part_at(context, fill, axes, key) for key in keys(axes)})
    dims = [Term((), 0, count) if other == axis else dim for other, dim in enumerate(dims_of(value))]
    return expand(context, fill, term_array(dims))
