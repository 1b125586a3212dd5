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
from translator.reading.context import Context, dims_of, plain
from translator.reading.elementwise import binary, unary
from translator.reading.movement import reshape
from translator.reading.positional import join, of_array, term_array
from translator.reading.refusing import Refusal
from translator.reading.regions import satisfiable, tidy
from translator.reading.values import Data, Part, Piece, Positional, Value

NEG = Scalar("neg", (X,))


def reduce(context: Context, how: str, value: Value, axes: Sequence[int] | None, keepdims: bool) -> Value:
    """Reduce by `how`: sum, mean, max or min."""
    rank = len(dims_of(value))
    gone = sorted({a % rank for a in axes}) if axes is not None else list(range(rank))
    if isinstance(value, np.ndarray) and value.dtype != object:
        function: Callable[..., Any] = {"sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min}[how]  # type: ignore[assignment]
        return np.asarray(function(value, axis=tuple(gone), keepdims=keepdims))
    if how == "min":
        return unary(context, NEG, reduce(context, "max", unary(context, NEG, value), axes, keepdims))
    if not isinstance(value, Data):
        return _reduce_positional(how, of_array(value) if isinstance(value, np.ndarray) else value, gone, keepdims)
    result: Value = _sum(context, value, gone) if how in ("sum", "mean") else _max(context, value, gone)
    if how == "mean":
        count: Value = np.array(1.0)
        for axis in gone:
            length = dims_of(value)[axis]
            factor = term_array(length) if length.n_coef else np.array(float(length.const))
            count = (
                factor
                if isinstance(count, np.ndarray) and count.dtype != object and count == 1
                else _times(count, factor)
            )
        hint = context.assembly.hint
        result = binary(context, "div", result, count)
        context.assembly.hint = hint
    if keepdims:
        return result
    kept = [dim for axis, dim in enumerate(dims_of(result)) if axis not in gone]
    return reshape(context, result, term_array(kept), True)


def _times(count: Value, factor: Value) -> Value:
    from translator.reading.elementwise import binary_terms

    return binary_terms("mul", np.asarray(count), np.asarray(factor))


def _grouped(value: Data, gone: list[int]) -> dict[Key, dict[Key, Part]]:
    groups: dict[Key, dict[Key, Part]] = {}
    for key, part in value.parts.items():
        rest = tuple(PRE if axis in gone else segment for axis, segment in enumerate(key))
        groups.setdefault(rest, {})[key] = part
    return groups


def _sum(context: Context, value: Data, gone: list[int]) -> Data:
    assembly = context.assembly
    axes = tuple(Axis(1) if axis in gone else own for axis, own in enumerate(value.axes))
    parts: dict[Key, Part] = {}
    for rest, members in _grouped(value, gone).items():
        contributions: list[Part] = []
        for key, part in members.items():
            shape = part_shape(value.axes, key)
            outer = tuple(1 if axis in gone else size for axis, size in enumerate(shape))
            n_out = int(np.prod(outer))
            group = np.broadcast_to(np.arange(n_out).reshape(outer), shape).ravel()
            running = [axis for axis in gone if key[axis] == RUN]
            guard: Guard = conjunction(*(value.axes[axis].guard(axis) for axis in running))
            denominator = None
            if part.denominator is not None and not part.denominator.variables() & set(gone):
                first = np.array([np.flatnonzero(group == g)[0] for g in range(n_out)])
                if (part.denominator.index == part.denominator.index[first][group]).all():
                    denominator = part.denominator.take(first)
                    part = Part(part.view, None, part.allowed, part.outside)
            if part.allowed is not None and part.outside == 0 and running and len(set(part.allowed)) == 1:
                guard = conjunction(guard, part.allowed[0])
                part = Part(part.view, part.denominator)
            view = plain(context, part)
            if len(group) != n_out:
                matrix = csr_array((np.ones(len(group)), (group, np.arange(len(group)))), shape=(n_out, len(group)))
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
    axes = tuple(Axis(1) if axis in gone else own for axis, own in enumerate(value.axes))
    parts: dict[Key, Part] = {}
    for rest, members in _grouped(value, gone).items():
        candidates = []
        main = None
        for key, part in members.items():
            shape = part_shape(value.axes, key)
            outer = tuple(1 if axis in gone else size for axis, size in enumerate(shape))
            n_out = int(np.prod(outer))
            group = np.broadcast_to(np.arange(n_out).reshape(outer), shape).ravel()
            rows = np.stack([np.flatnonzero(group == g) for g in range(n_out)])
            running = [axis for axis in gone if key[axis] == RUN]
            guard: Guard = conjunction(*(value.axes[axis].guard(axis) for axis in running))
            if part.allowed is not None and part.outside < 0 and running and len(set(part.allowed)) == 1:
                guard = conjunction(guard, part.allowed[0])
                part = Part(part.view, part.denominator)
            view = plain(context, part)
            if len(running) > 1:
                raise Refusal("N048", "a maximum over two sequence axes at once")
            if running:
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
