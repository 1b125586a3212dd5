"""Data movement: reshape, transpose, slice, concatenate, pad, expand. Nothing is computed; references are rearranged.

Static axes are permutations of elements; position axes are renamed variables; cutting or extending a sequence changes the
segments of its axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import TRUE, Equals, Term, conjunction, substitute, var
from translator.reading.context import (
    Context,
    axis_of_length,
    dims_of,
    ints,
    part_at,
    pick,
    plain,
    realign,
    to_data,
)
from translator.reading.positional import (
    is_terms,
    join,
    of_array,
    settle_terms,
    table,
    term_array,
)
from translator.reading.refusing import Refusal
from translator.reading.regions import satisfiable
from translator.reading.values import (
    PRE,
    RUN,
    SEQUENCE,
    Array,
    Axis,
    Data,
    Key,
    Part,
    Positional,
    Value,
    constant,
    keys,
    part_shape,
    selection,
)

FAR = 2**31 - 1


def reshape(context: Context, value: Value, target: Array, allow_zero: bool) -> Value:
    """Regroup axes in row-major order; a position axis stays an axis of its own."""
    dims = dims_of(value)
    wanted = list(term_array(target).ravel())
    if not allow_zero:
        wanted = [dims[i] if dim == Term() else dim for i, dim in enumerate(wanted)]
    result = _solve(dims, wanted)
    if isinstance(value, np.ndarray):
        return value.reshape([dim.const for dim in result])
    match = _match_positions(dims, result)
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


def _solve(dims: tuple[Term, ...], wanted: list[Term]) -> tuple[Term, ...]:
    """Fill in -1."""
    static = 1
    positions: list[Term] = []
    for dim in dims:
        if dim.n_coef:
            positions.append(dim)
        else:
            static *= dim.const
    unknown = [axis for axis, dim in enumerate(wanted) if dim == Term((), 0, -1)]
    rest = list(positions)
    product = 1
    for axis, dim in enumerate(wanted):
        if axis in unknown:
            continue
        if dim.n_coef:
            if dim not in rest:
                raise _merged(dims, wanted)
            rest.remove(dim)
        else:
            product *= dim.const
    if not unknown:
        if rest or product != static:
            raise _merged(dims, wanted)
        return tuple(wanted)
    if len(unknown) > 1 or not product or static % product:
        raise _merged(dims, wanted, baked=bool(rest))
    left = static // product
    if len(rest) > 1 or (rest and left != 1):
        raise _merged(dims, wanted)
    result = list(wanted)
    result[unknown[0]] = rest[0] if rest else Term((), 0, left)
    return tuple(result)


def _merged(dims: Sequence[Term], wanted: Sequence[Term], *, baked: bool = False) -> Refusal:
    old, new = (", ".join(map(str, shape)) for shape in (dims, wanted))
    forced = any(dim.n_coef for dim in dims) and all(dim.n_coef == 0 and dim.const >= 0 for dim in wanted)
    if baked or forced:
        return Refusal(
            "N041",
            f"a tensor of shape ({old}) is reshaped to ({new}), which fits one sequence length only",
            note="the length of the example input was baked into the file although its axis is declared dynamic",
            help="export with dynamic shapes (torch.onnx.export(..., dynamo=True), nn.MultiheadAttention's fast path off)",
        )
    return Refusal(
        "N042",
        f"a tensor of shape ({old}) is reshaped to ({new}), which mixes the sequence axis with another axis",
        help="keep the sequence on an axis of its own",
    )


def _match_positions(old: tuple[Term, ...], new: tuple[Term, ...]) -> dict[int, int]:
    """Match position axes, old to new, and check that what stands between them is the same."""

    def groups(dims: tuple[Term, ...]) -> tuple[list[int], list[int]]:
        found, sizes = [], [1]
        for axis, dim in enumerate(dims):
            if dim.n_coef:
                found.append(axis)
                sizes.append(1)
            else:
                sizes[-1] *= dim.const
        return found, sizes

    (here, sizes), (there, new_sizes) = groups(old), groups(new)
    if [old[axis] for axis in here] != [new[axis] for axis in there] or sizes != new_sizes:
        raise _merged(old, new)
    return dict(zip(here, there, strict=True))


def transpose(context: Context, value: Value, perm: Sequence[int]) -> Value:
    """Permute axes: new axis t is old axis ``perm[t]``."""
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
    if isinstance(value, Positional):
        length = value.dims[axis]
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
        stacked: Value = picked[0] if len(picked) == 1 else concat(context, picked, axis)
    else:
        assert isinstance(value, Data)
        axes = tuple(Axis(1) if other == axis else own for other, own in enumerate(value.axes))
        columns = []
        for entry in index.ravel():
            from_end = bool(entry < 0)
            columns.append(Data(axes, pick(context, value, axis, int(-entry - 1 if from_end else entry), from_end)))
        stacked = columns[0] if len(columns) == 1 else concat(context, columns, axis)
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
            index = np.arange(size)[slice(_bound(start.const), _bound(end.const), step)]
            return take_static(context, value, axis, index)
        if isinstance(value, np.ndarray) and step == 1 and end.n_coef == 1 and start in (Term(), Term((), 0, -size)):
            most = size - end.const
            context.require_most(most, f"a stored table of {size} rows is cut to the length of the input")
            return table(value, (axis,), (end,))
        if (
            isinstance(value, Positional)
            and value.stored is not None
            and step == 1
            and end.n_coef == 1
            and start == Term()
        ):
            array, cut = value.stored
            context.require_most(size - end.const, "a stored mask is cut to the length of the input")
            lengths = tuple(value.dims[other] if other != axis else end for other in sorted((*cut, axis)))
            return table(array, tuple(sorted((*cut, axis))), lengths)
        raise Refusal("N043", f"an axis of {size} entries is cut from {start} to {end}, which depends on n")
    if step != 1:
        raise Refusal("N043", f"the sequence is cut with step {step}")
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


def _bound(value: int) -> int | None:
    return None if value >= FAR or value <= -FAR else value


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
    assert isinstance(value, Data)
    old = value.axes[axis]
    pre_cut, post_cut = min(front, old.pre), min(back, old.post)
    new = Axis(old.pre - pre_cut, True, old.lo + front - pre_cut, old.hi + back - post_cut, old.post - post_cut)
    context.require_least(max(1, new.lo + new.hi - new.pre - new.post), "entries are cut off the sequence")
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


def concat(context: Context, values: Sequence[Value], axis: int) -> Value:
    """Concatenate; along the sequence, static entries before or after it become slots."""
    if all(isinstance(value, np.ndarray) for value in values):
        if any(is_terms(value) for value in values):
            return settle_terms(np.concatenate([term_array(value) for value in values], axis=axis))
        return np.concatenate(list(values), axis=axis)
    if not any(isinstance(value, Data) for value in values):
        return _concat_positional([of_array(v) if isinstance(v, np.ndarray) else v for v in values], axis)
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
    new = Axis(old.pre + before, True, old.lo, old.hi, old.post + after)
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
        result.append(found[0] if all(own == found[0] for own in found) else SEQUENCE)
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
        and (view.function, view.scale, view.shift) == (first.function, first.scale, first.shift)
        for view in views
    )
    if same:
        index = np.concatenate([view.index for view in views])
        from translator.reading.values import View

        return Part(View(first.source, first.at, index, first.function, first.scale, first.shift).take(order))
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
    if any(isinstance(piece, Term) for value in values for _, piece in value.pieces):
        # An index tensor for GatherND. Only constant tensors are read with it, so its entries are not kept: NaN is refused
        # wherever numbers are needed.
        unknown = np.full(tuple(1 if dim.n_coef else dim.const for dim in dims), np.nan)
        return Positional(tuple(dims), ((TRUE, unknown),), "index")
    combined: list[tuple[object, tuple[Array, ...]]] = [(TRUE, ())]
    for value in values:
        longer = []
        for guard, row in combined:
            for other, piece in value.pieces:
                both = conjunction(guard, other)  # type: ignore[arg-type]
                if not satisfiable(both):
                    continue
                assert not isinstance(piece, Term)
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


def pad(context: Context, value: Value, before: Sequence[int], after: Sequence[int], fill: float) -> Value:
    """Extend axes by constants; negative amounts cut."""
    for axis, (front, back) in enumerate(zip(before, after, strict=True)):
        if front < 0 or back < 0:
            length = dims_of(value)[axis]
            value = slice_axis(context, value, axis, Term((), 0, max(-front, 0)), length - max(-back, 0), 1)
        if front <= 0 and back <= 0:
            continue
        shape = list(dims_of(value))
        parts: list[Value] = [value]
        for count, place in ((front, 0), (back, len(parts))):
            if count > 0:
                dims = tuple(Term((), 0, count) if other == axis else dim for other, dim in enumerate(shape))
                static = tuple(1 if dim.n_coef else dim.const for dim in dims)
                filler: Value = Positional(dims, ((TRUE, np.full(static, fill)),))
                if not any(dim.n_coef for dim in dims):
                    filler = np.full(static, fill)
                parts.insert(place if place == 0 else len(parts), filler)
        value = concat(context, parts, axis)
    return value


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
