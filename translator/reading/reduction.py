"""Reductions: sums, means, maxima and minima over static axes, positions, or both; ArgMax of positional tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import (
    TRUE,
    AtLeast,
    Equals,
    Guard,
    Term,
    conjunction,
    disjunction,
    negation,
    substitute,
    var,
)
from circuits.scalar import Scalar, X
from translator.axes import PRE, RUN, Axis, Key, part_shape
from translator.lengths import Quotient
from translator.reading.context import Context, dims_of, plain
from translator.reading.elementwise import binary, binary_terms, unary
from translator.reading.movement import reshape
from translator.reading.positional import join, of_array, term_array
from translator.reading.refusing import Refusal
from translator.reading.regions import satisfiable, tidy
from translator.reading.table import call
from translator.reading.types import dtype_of, is_whole
from translator.reading.values import Data, Index, Part, Piece, Positional, Value, View, selection
from translator.reading.whole_numbers import range_of

NEG = Scalar("neg", (X,))


def reduce(context: Context, how: str, value: Value, axes: Sequence[int] | None, keepdims: bool) -> Value:
    """Reduce by `how`: sum, mean, max, min or prod."""
    rank = len(dims_of(value))
    gone = sorted({a % rank for a in axes}) if axes is not None else list(range(rank))
    if isinstance(value, np.ndarray) and value.dtype != object:
        function: Callable[..., Any] = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "prod": np.prod}[
            how
        ]  # type: ignore[assignment]
        return np.asarray(function(value, axis=tuple(gone), keepdims=keepdims))
    if isinstance(value, Data) and any(dims_of(value)[axis] == Term() for axis in gone):
        return _of_nothing(how, dims_of(value), gone, keepdims, dtype_of(value))
    if how == "min":
        return unary(context, NEG, reduce(context, "max", unary(context, NEG, value), axes, keepdims))
    if not isinstance(value, Data):
        return _reduce_positional(how, of_array(value) if isinstance(value, np.ndarray) else value, gone, keepdims)
    match how:
        case "max":
            result: Value = _max(context, value, gone)
        case "prod":
            result = _prod(context, value, gone)
        case _:
            result = _sum(context, value, gone)
    if how == "mean":
        count: Value = np.array(1.0)
        for axis in gone:
            length = dims_of(value)[axis]
            if isinstance(length, Quotient):
                continue
            factor = term_array(length) if length.n_coef else np.array(float(length.const))
            count = (
                factor
                if isinstance(count, np.ndarray) and count.dtype != object and count == 1
                else binary_terms("mul", np.asarray(count), np.asarray(factor))
            )
        hint = context.assembly.hint
        result = binary(context, "div", result, count)
        for axis in gone:
            if isinstance(length := dims_of(value)[axis], Quotient):
                result = binary(context, "div", result, term_array(length))
        context.assembly.hint = hint
    if keepdims:
        return result
    kept = [dim for axis, dim in enumerate(dims_of(result)) if axis not in gone]
    return reshape(context, result, term_array(kept), True)


def log_sum_exp(context: Context, value: Value, axes: Sequence[int] | None, keepdims: bool) -> Value:
    """The logarithm of the sum of exponentials, relative to the maximum."""
    most = reduce(context, "max", value, axes, True)
    total = reduce(context, "sum", unary(context, call("exp", X), binary(context, "sub", value, most)), axes, True)
    result = binary(context, "add", unary(context, call("log", X), total), most)
    if keepdims:
        return result
    rank = len(dims_of(value))
    gone = {a % rank for a in axes} if axes is not None else set(range(rank))
    kept = [dim for axis, dim in enumerate(dims_of(result)) if axis not in gone]
    return reshape(context, result, term_array(kept), True)


def product_by_logarithms(context: Context, value: Value, total: Callable[[Value], Value]) -> Value:
    """A product along the positions: the exponential of a sum of logarithms, a sign, and 0 where a factor is 0."""
    is_zero, is_negative = call("eq", X, 0.0), call("gt", 0.0, X)
    logarithms = total(unary(context, call("log", call("add", call("abs", X), is_zero)), value))
    negatives = total(unary(context, is_negative, value))
    zeros = total(unary(context, is_zero, value))
    size: Value = unary(context, call("exp", X), logarithms)
    if is_whole(dtype_of(value)):
        size = unary(context, call("round", X), size)
    sign = unary(context, call("sub", 1.0, call("mul", 2.0, call("mod", X, 2.0))), negatives)
    return binary(context, "mul", binary(context, "mul", size, sign), unary(context, is_zero, zeros))


def _of_nothing(how: str, dims: tuple[Term, ...], gone: list[int], keepdims: bool, dtype: str) -> Value:
    """The reduction of no numbers at all."""
    if how == "mean":
        raise Refusal("N037", "the mean of no numbers is undefined", help="reduce over an axis that is not empty")
    least, most = range_of(dtype)
    fill = {"sum": 0.0, "prod": 1.0, "max": least, "min": most}[how]
    rest = [Term((), 0, 1) if axis in gone else dim for axis, dim in enumerate(dims) if keepdims or axis not in gone]
    filled = np.full([1 if dim.n_coef else dim.const for dim in rest], fill)
    return Positional(tuple(rest), ((TRUE, filled),), "float") if any(dim.n_coef for dim in rest) else filled


def _grouped(value: Data, gone: list[int]) -> dict[Key, dict[Key, Part]]:
    groups: dict[Key, dict[Key, Part]] = {}
    for key, part in value.parts.items():
        rest = tuple(PRE if axis in gone else segment for axis, segment in enumerate(key))
        groups.setdefault(rest, {})[key] = part
    return groups


def _rows(shape: tuple[int, ...], gone: list[int]) -> Index:
    """The elements that meet in each element of the result, one row for each."""
    kept = [axis for axis in range(len(shape)) if axis not in gone]
    order = np.arange(int(np.prod(shape))).reshape(shape).transpose(*kept, *gone)
    return order.reshape(int(np.prod([shape[axis] for axis in kept])), -1)


def _sum(context: Context, value: Data, gone: list[int]) -> Data:
    assembly = context.assembly
    axes = tuple(Axis(1) if axis in gone else own for axis, own in enumerate(value.axes))
    parts: dict[Key, Part] = {}
    for rest, members in _grouped(value, gone).items():
        contributions: list[Part] = []
        for key, part in members.items():
            rows = _rows(part_shape(value.axes, key), gone)
            n_out, size = len(rows), rows.size
            running = [axis for axis in gone if key[axis] == RUN]
            guard: Guard = conjunction(*(value.axes[axis].guard(axis) for axis in running))
            denominator = None
            if part.denominator is not None and not part.denominator.variables() & set(gone):
                shared = part.denominator.index[rows]
                if (shared == shared[:, :1]).all():
                    denominator = part.denominator.take(rows[:, 0])
                    part = Part(part.view, None, part.allowed, part.outside)
            if part.allowed is not None and part.outside == 0 and running and len(set(part.allowed)) == 1:
                guard = conjunction(guard, part.allowed[0])
                part = Part(part.view, part.denominator)
            view = plain(context, part)
            if size != n_out:
                ends = np.arange(0, size + 1, rows.shape[1])
                matrix = csr_array((np.ones(size), rows.ravel(), ends), shape=(n_out, size))
                view = assembly.view_of(assembly.rows(view).apply(matrix))
            for axis in running:
                view = assembly.total(
                    view, axis, guard, assembly.named("sum") if denominator is None else assembly.named("num")
                )
                guard = TRUE
            contributions.append(Part(view, denominator))
        from translator.reading.contraction import _add_parts

        parts[rest] = _add_parts(context, contributions)
    return Data(axes, parts)


def _max(context: Context, value: Data, gone: list[int]) -> Data:
    assembly = context.assembly
    running = [axis for axis in gone if value.axes[axis].run]
    if len(running) > 1:
        first = _max(context, value, [axis for axis in gone if axis not in running[1:]])
        return _max(context, first, running[1:])
    axes = tuple(Axis(1) if axis in gone else own for axis, own in enumerate(value.axes))
    parts: dict[Key, Part] = {}
    for rest, members in _grouped(value, gone).items():
        candidates = []
        main = None
        for key, part in members.items():
            rows = _rows(part_shape(value.axes, key), gone)
            is_running = any(key[axis] == RUN for axis in gone)
            guard: Guard = conjunction(*(value.axes[axis].guard(axis) for axis in gone if key[axis] == RUN))
            if part.allowed is not None and part.outside < 0 and is_running and len(set(part.allowed)) == 1:
                guard = conjunction(guard, part.allowed[0])
                part = Part(part.view, part.denominator)
            view = plain(context, part)
            if is_running:
                main = (view, rows, running[0], guard)
            else:
                candidates.append((view, rows))
        if main is not None:
            view, rows, axis, guard = main
            parts[rest] = Part(assembly.maximum(view, rows, axis, guard, candidates))
        elif len(candidates) == 1 and candidates[0][1].shape[1] == 1:
            parts[rest] = Part(candidates[0][0].take(candidates[0][1][:, 0]))
        else:
            (view, rows), *others = candidates
            parts[rest] = Part(assembly.maximum(view, rows, None, TRUE, others))
    return Data(axes, parts)


def _prod(context: Context, value: Data, gone: list[int]) -> Value:
    running = [axis for axis in gone if value.axes[axis].run]
    if running:
        over = product_by_logarithms(context, value, lambda x: reduce(context, "sum", x, running, True))
        if not isinstance(over, Data):
            raise TypeError("a product of data is data")
        return _prod(context, over, [axis for axis in gone if axis not in running])
    axes = tuple(Axis(1) if axis in gone else own for axis, own in enumerate(value.axes))
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        rows = _rows(part_shape(value.axes, key), gone)
        parts[key] = Part(_tree(context, plain(context, part).take(rows.ravel()), rows.shape[1]))
    return Data(axes, parts)


def _tree(context: Context, view: View, count: int) -> View:
    """Multiply each row of `count` elements, pair by pair."""
    assembly = context.assembly
    while count > 1:
        index = np.arange(view.size).reshape(-1, count)
        half, odd = count // 2, count % 2
        products = assembly.multiply(view, view, index[:, :half].ravel(), index[:, half : 2 * half].ravel())
        if odd:
            places = np.arange(len(index) * (half + 1)).reshape(-1, half + 1)
            put = [csr_array(selection(at.ravel(), places.size).T) for at in (places[:, :half], places[:, half])]
            last = assembly.rows(view.take(index[:, -1]))
            products = assembly.view_of(assembly.rows(products).apply(put[0]).plus(last.apply(put[1])))
        view, count = products, half + odd
    return view


def _reduce_positional(how: str, value: Positional, gone: list[int], keepdims: bool) -> Value:
    if any(value.dims[axis].n_coef for axis in gone):
        raise Refusal("N049", "a tensor of positions is reduced over the sequence")
    function: Callable[..., Any] = {"sum": np.sum, "mean": np.mean, "max": np.max}[how]  # type: ignore[assignment]
    pieces: list[Piece] = []
    for guard, piece in value.pieces:
        if isinstance(piece, Term):
            raise Refusal("N049", "position numbers are reduced")
        pieces.append((guard, function(np.broadcast_to(piece, value.static_shape), axis=tuple(gone), keepdims=True)))
    dims = tuple(Term((), 0, 1) if axis in gone else dim for axis, dim in enumerate(value.dims))
    result = Positional(dims, join(pieces), "float")
    if keepdims:
        return result
    rest = term_array([dim for axis, dim in enumerate(dims) if axis not in gone])
    return reshape(None, result, rest, True)  # type: ignore[arg-type]


def argmax_positions(value: Positional, axis: int, keepdims: bool) -> Value:
    """The first index of the largest entry along the sequence: hard attention by relative position.

    The largest value is attained where its guard can be solved for the axis; where that index does not exist, the next largest
    counts.
    """
    length = value.dims[axis]
    order = []
    for guard, piece in value.pieces:
        if isinstance(piece, Term) or piece.size != 1:
            raise Refusal("N050", "ArgMax over the sequence of a tensor with static axes")
        order.append((float(piece.ravel()[0]), guard))
    order.sort(key=lambda entry: -entry[0])
    at_zero = [var(v) for v in range(len(value.dims))]
    at_zero[axis] = Term()
    world = _bounds(value, axis)
    open_: Guard = TRUE
    pieces: list[Piece] = []
    for number, guard in order:
        if not satisfiable(conjunction(open_, world)):
            break
        if sum(other == number for other, _ in order) > 1:
            raise Refusal("N050", f"ArgMax over the sequence has ties at {number:g}")
        place = _place(guard, axis)
        if place is None:
            raise Refusal(
                "N050",
                "ArgMax over the sequence: where the largest entry stands is no fixed offset",
                help="use a softmax",
            )
        at = list(at_zero)
        at[axis] = place
        here = conjunction(substitute(guard, at), AtLeast(place), AtLeast(length - 1 - place))
        now = conjunction(open_, here)
        if satisfiable(conjunction(now, world)):
            needed = [part for part in _parts(now) if satisfiable(conjunction(world, negation(part)))]
            pieces.append((tidy(conjunction(*needed)), place))
            missing = disjunction(
                *(negation(part) for part in _parts(here) if satisfiable(conjunction(world, negation(part))))
            )
            open_ = conjunction(open_, missing)
    if satisfiable(conjunction(open_, world)):
        raise Refusal(
            "N050", "ArgMax over the sequence: where the largest entry stands is not decided for every position"
        )
    dims = tuple(Term((), 0, 1) if other == axis else dim for other, dim in enumerate(value.dims))
    result = Positional(dims, join(pieces), "int")
    if keepdims:
        return result
    rest = term_array([dim for other, dim in enumerate(dims) if other != axis])
    return reshape(None, result, rest, True)  # type: ignore[arg-type]


def _parts(guard: Guard) -> tuple[Guard, ...]:
    from circuits.positions import All

    return guard.parts if isinstance(guard, All) else (guard,)


def _bounds(value: Positional, axis: int) -> Guard:
    """The range of the other indices."""
    parts: list[Guard] = []
    for other, dim in enumerate(value.dims):
        if dim.n_coef and other != axis:
            parts += [AtLeast(var(other)), AtLeast(dim - 1 - var(other))]
    return conjunction(*parts)


def _place(guard: Guard, axis: int) -> Term | None:
    for part in _parts(guard):
        if isinstance(part, Equals):
            coef = dict(part.term.coefs).get(axis, 0)
            if coef in (1, -1):
                return (part.term - var(axis) * coef) * -coef
    return None
