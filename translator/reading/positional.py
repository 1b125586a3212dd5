"""Arithmetic on positional tensors: piecewise-constant functions of indices and n, and integer terms.

Every operation keeps the pieces disjoint and complete, drops the impossible ones, and joins those of equal value. Position
tables sliced to n (learned or sinusoidal positions, mask buffers) become pieces here too; they bound n.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from circuits.positions import (
    FALSE,
    TRUE,
    AtLeast,
    Equals,
    Guard,
    Not,
    Term,
    conjunction,
    holds,
    negation,
    substitute,
    var,
)
from translator.axes import RUN, Axis, Key, part_shape
from translator.lengths import Quotient, at_least, equal
from translator.reading.refusing import Refusal
from translator.reading.regions import satisfiable, tidy, unite
from translator.reading.thinned import guard_at, term_at
from translator.reading.values import Array, Data, Piece, Positional, Value

MOST_PIECES = 5000


def term_array(values: Any) -> Array:
    """Make an object array of terms of integers or terms."""
    array = np.asarray(values, dtype=object)
    flat = [value if isinstance(value, Term) else Term((), 0, int(value)) for value in array.ravel()]
    result = np.empty(array.shape, dtype=object)
    for index, value in zip(np.ndindex(array.shape), flat, strict=True):
        result[index] = value
    return result


def is_terms(value: Any) -> bool:
    """Whether the value is an array of terms."""
    return isinstance(value, np.ndarray) and value.dtype == object


def settle_terms(array: Array) -> Array:
    """Terms without n become plain integers."""
    if array.dtype == object and all(not term.n_coef and not term.coefs for term in array.ravel()):
        return np.array([term.const for term in array.ravel()], dtype=np.int64).reshape(array.shape)
    return array


def settle_known(value: Value) -> Value:
    """Write a value in the simplest of its forms: known integers, terms, known arrays. Functions of n stay functions."""
    if type(value) is Positional and not any(dim.n_coef for dim in value.dims) and len(value.pieces) == 1:
        shape = tuple(dim.const for dim in value.dims)
        piece = value.pieces[0][1]
        value = np.broadcast_to(term_array(piece) if isinstance(piece, Term) else piece, shape)
    return settle_terms(value) if isinstance(value, np.ndarray) else value


def of_array(array: Array) -> Positional:
    """A known array, or an array of terms, as a positional tensor."""
    dims = tuple(Term((), 0, size) for size in array.shape)
    if array.dtype == object:
        if array.size != 1:
            raise Refusal("N030", "several lengths are used as numbers at once")
        return Positional(dims, ((TRUE, array.ravel()[0]),), "int")
    return Positional(dims, ((TRUE, array),), kind_of(array))


def as_positional(value: Value) -> Positional:
    """A value that does not depend on the input, as a positional tensor."""
    if isinstance(value, Data):
        raise TypeError("a tensor that depends on the input is not positional")
    return of_array(value) if isinstance(value, np.ndarray) else value


def kind_of(array: Array) -> str:
    """bool, int or float."""
    return {"b": "bool", "i": "int", "u": "int"}.get(array.dtype.kind, "float")


def broadcast_dims(*shapes: tuple[Term, ...]) -> tuple[Term, ...]:
    """Broadcast symbolic shapes."""
    rank = max(map(len, shapes))
    result = [Term((), 0, 1)] * rank
    for shape in shapes:
        for axis, dim in enumerate(shape, rank - len(shape)):
            if dim == Term((), 0, 1) or dim == result[axis]:
                continue
            if result[axis] != Term((), 0, 1):
                raise Refusal("N031", f"axes of lengths {result[axis]} and {dim} do not broadcast for every n")
            result[axis] = dim
    return tuple(result)


def raise_rank(value: Positional, rank: int) -> Positional:
    """Add leading axes of length 1."""
    extra = rank - len(value.dims)
    if not extra:
        return value
    at = tuple(var(axis + extra) for axis in range(len(value.dims)))
    pieces = tuple(
        (
            substitute(guard, at),
            piece.substitute(at) if isinstance(piece, Term) else piece.reshape((1,) * extra + piece.shape),
        )
        for guard, piece in value.pieces
    )
    return Positional((Term((), 0, 1),) * extra + value.dims, pieces, value.dtype)


def join(pieces: list[Piece]) -> tuple[Piece, ...]:
    """Drop impossible pieces and unite those of equal value."""
    groups: dict[Any, tuple[list[Guard], Array | Term]] = {}
    for guard, value in pieces:
        if not satisfiable(guard):
            continue
        key = value if isinstance(value, Term) else (value.shape, value.tobytes())
        groups.setdefault(key, ([], value))[0].append(guard)
    if len(groups) > MOST_PIECES:
        raise Refusal("N032", f"a positional tensor has more than {MOST_PIECES} different pieces")
    if len(groups) == 1:
        ((_, value),) = groups.values()
        return ((TRUE, value),)
    return tuple((tidy(guards[0]) if len(guards) == 1 else unite(guards), value) for guards, value in groups.values())


def elementwise(
    function: Callable[..., Any], *values: Positional, dtype: str, on_terms: Callable[..., list[Piece] | None]
) -> Positional:
    """Apply a function pointwise; `on_terms` decides pieces of which one is a term."""
    dims = broadcast_dims(*(value.dims for value in values))
    raised = [raise_rank(value, len(dims)) for value in values]
    combined: list[tuple[Guard, tuple[Array | Term, ...]]] = [(TRUE, ())]
    for value in raised:
        combined = [
            (both, (*row, piece))
            for guard, row in combined
            for other, piece in value.pieces
            if satisfiable(both := conjunction(guard, other))
        ]
        if len(combined) > MOST_PIECES:
            raise Refusal("N032", f"a positional tensor has more than {MOST_PIECES} different pieces")
    pieces: list[Piece] = []
    for guard, row in combined:
        if any(isinstance(piece, Term) for piece in row):
            found = on_terms(*row)
            if found is None:
                raise Refusal("N033", "a number that grows with the position goes through a nonlinear function")
            pieces += [(conjunction(guard, inner), value) for inner, value in found]
        else:
            with np.errstate(all="ignore"):
                pieces.append((guard, np.asarray(function(*row))))
    return Positional(dims, join(pieces), dtype)


def as_term(piece: Array | Term) -> Term | None:
    """A piece as an integer term, if it is one number."""
    if isinstance(piece, Term):
        return piece
    if piece.size == 1 and float(piece.ravel()[0]) == int(piece.ravel()[0]):
        return Term((), 0, int(piece.ravel()[0]))
    return None


def arithmetic(op: str, left: Array | Term, right: Array | Term) -> list[Piece] | None:
    """Compute with terms: sums, multiples, comparisons, minima, maxima and remainders."""
    a, b = as_term(left), as_term(right)
    if a is None or b is None:
        return None
    yes, no = np.array(True), np.array(False)
    match op:
        case "add":
            return [(TRUE, a + b)]
        case "sub":
            return [(TRUE, a - b)]
        case "mul" if not a.coefs and not a.n_coef:
            return [(TRUE, b * a.const)]
        case "mul" if not b.coefs and not b.n_coef:
            return [(TRUE, a * b.const)]
        case "div" if b == Term((), 0, 1):
            return [(TRUE, a)]
        case "ge":
            return _cases(at_least(a, b), yes, no)
        case "gt":
            return _cases(at_least(a, b + 1), yes, no)
        case "le":
            return _cases(at_least(b, a), yes, no)
        case "lt":
            return _cases(at_least(b, a + 1), yes, no)
        case "eq" if isinstance(a, Quotient) or isinstance(b, Quotient):
            return _cases(equal(a, b), yes, no)
        case "eq":
            return _cases(Equals(a - b), yes, no)
        case "max":
            return _cases(at_least(a, b), a, b)
        case "min":
            return _cases(at_least(b, a), a, b)
        case "mod" if not isinstance(a, Quotient) and not b.coefs and not b.n_coef and 1 <= b.const <= 64:
            from circuits.positions import Congruent

            if b.const == 1:
                return [(TRUE, np.array(0))]
            return [(Congruent(a - r, b.const), np.array(r)) for r in range(b.const)]
        case _:
            return None


def _cases(guard: Guard, yes: Array | Term, no: Array | Term) -> list[Piece]:
    from circuits.positions import simplify

    decided = simplify(guard)
    if decided == TRUE:
        return [(TRUE, yes)]
    if decided == FALSE:
        return [(TRUE, no)]
    return [(decided, yes), (negation(decided), no)]


def specialise(value: Positional, axes: tuple[Axis, ...], key: Key) -> list[tuple[Guard, Array, Array | Term]]:
    """Read a positional tensor on one part of a data tensor with the given axes (of the broadcast shape).

    Returns (guard over the position variables, flat selector, flat values or a term): where guard and selector hold, the
    elements have these values.
    """
    value = raise_rank(value, len(axes))
    shape = part_shape(axes, key)
    result: list[tuple[Guard, Array, Array | Term]] = []
    slotted = [axis for axis, dim in enumerate(value.dims) if dim.n_coef and not (axes[axis].run and key[axis] == 1)]
    for slots in np.ndindex(*(shape[axis] for axis in slotted)):
        at = []
        for axis in range(len(axes)):
            slot = slots[slotted.index(axis)] if axis in slotted else 0
            step = axes[axis].step if key[axis] == RUN else 1
            at.append((axes[axis].index(key[axis], slot, axis), step))
        chosen = np.ones(shape, dtype=bool)
        for axis, slot in zip(slotted, slots, strict=True):
            mask = np.arange(shape[axis]) == slot
            chosen &= mask.reshape([-1 if other == axis else 1 for other in range(len(axes))])
        for guard, piece in value.pieces:
            moved = guard_at(guard, at)
            if not satisfiable(moved):
                continue
            filled = term_at(piece, at) if isinstance(piece, Term) else np.broadcast_to(piece, shape).ravel()
            result.append((moved, chosen.ravel(), filled))
    return result


def table(array: Array, axes: tuple[int, ...], lengths: tuple[Term, ...]) -> Positional:
    """Cut a stored array to the given lengths along some axes: ``array[:n]``, ``array[:n, :n]``; masks become order guards."""
    dims = [Term((), 0, size) for size in array.shape]
    for axis, length in zip(axes, lengths, strict=True):
        dims[axis] = length
    if len(axes) == 1:
        (axis,) = axes
        pieces: list[Piece] = [
            (Equals(var(axis) - k), np.take(array, [k], axis=axis)) for k in range(array.shape[axis])
        ]
        return Positional(tuple(dims), join_table(pieces, array, axes), kind_of(array), (array, axes))
    return Positional(tuple(dims), join_table([], array, axes), kind_of(array), (array, axes))


def join_table(pieces: list[Piece], array: Array, axes: tuple[int, ...]) -> tuple[Piece, ...]:
    """Find the shortest description: constant, by the difference of two axes (with one-sided ends), or entry by entry."""
    moved = np.moveaxis(array, axes, range(len(axes)))
    flat = moved.reshape(*moved.shape[: len(axes)], -1)
    static = tuple(1 if axis in axes else size for axis, size in enumerate(array.shape))
    if (flat == flat[(0,) * len(axes)]).all():
        return ((TRUE, flat[(0,) * len(axes)].reshape(static)),)
    if len(axes) == 2:
        rows, columns = flat.shape[:2]
        difference = np.subtract.outer(np.arange(rows), np.arange(columns))
        values = {d: flat[difference == d] for d in range(1 - columns, rows)}
        if all((entries == entries[0]).all() for entries in values.values()):
            gap = var(axes[0]) - var(axes[1])
            runs: list[tuple[int, int, Array]] = []
            for d in range(1 - columns, rows):
                if runs and np.array_equal(runs[-1][2], values[d][0]):
                    runs[-1] = (runs[-1][0], d, runs[-1][2])
                else:
                    runs.append((d, d, values[d][0]))
            result: list[Piece] = []
            for low, high, entry in runs:
                parts: list[Guard] = []
                if low == high and low not in (1 - columns, rows - 1):
                    parts.append(Equals(gap - low))
                else:
                    if low > 1 - columns:
                        parts.append(AtLeast(gap - low))
                    if high < rows - 1:
                        parts.append(AtLeast(-gap + high))
                result.append((conjunction(*parts), entry.reshape(static)))
            return join(result)
        pieces = [
            (conjunction(Equals(var(axes[0]) - i), Equals(var(axes[1]) - j)), flat[i, j].reshape(static))
            for i in range(rows)
            for j in range(columns)
        ]
    groups: dict[bytes, tuple[list[Guard], Array]] = {}
    for guard, value in pieces:
        if isinstance(value, Term):
            raise TypeError("a stored table holds numbers")
        groups.setdefault(value.tobytes(), ([], value))[0].append(guard)
    return tuple((_compact(guards), value) for guards, value in groups.values())


def _compact(guards: list[Guard]) -> Guard:
    return guards[0] if len(guards) == 1 else unite_plain(guards)


def unite_plain(guards: list[Guard]) -> Guard:
    """Disjoin without deciding anything."""
    from circuits.positions import disjunction

    return disjunction(*guards)


def lookup(array: Array, index: Positional, axis: int = 0) -> tuple[Positional, int | None]:
    """Gather from a stored array at positional indices; also the largest n for which every index is inside (None: all)."""
    size = array.shape[axis]
    front = array.shape[:axis]
    if front:
        array = np.moveaxis(array, axis, 0)
    rank = len(index.dims)
    pieces: list[Piece] = []
    most: int | None = None
    for guard, value in index.pieces:
        if isinstance(value, Term):
            for k in range(size):
                here = conjunction(guard, Equals(value - k))
                if satisfiable(here):
                    pieces.append((tidy(here), array[k].reshape((1,) * rank + array.shape[1:])))
            negative = conjunction(guard, AtLeast(-value - 1))
            beyond = conjunction(guard, AtLeast(value - size))
            if satisfiable(negative) or satisfiable(beyond):
                bound = _largest_length(
                    index.dims,
                    conjunction(guard, Not(conjunction(AtLeast(value), AtLeast(-value + size - 1)))),
                    (4 * size + 16) * max([1, *(dim.divisor for dim in index.dims if isinstance(dim, Quotient))]),
                )
                if bound is not None:
                    most = bound if most is None else min(most, bound)
        else:
            pieces.append((guard, array[value.astype(np.int64)]))
    result = Positional((*index.dims, *(Term((), 0, s) for s in array.shape[1:])), join(pieces), kind_of(array))
    if front:
        raise Refusal("N034", "a position table is gathered along an inner axis")
    return result, most


def _largest_length(dims: tuple[Term, ...], bad: Guard, limit: int) -> int | None:
    """The largest n such that nothing bad happens up to n; None if nothing bad happens up to the limit."""
    for n in range(1, limit + 1):
        grids = np.ogrid[tuple(slice(0, dim.evaluate(n, ()) if dim.n_coef else 1) for dim in dims)] if dims else ()
        if holds(bad, n, list(grids)).any():
            return n - 1
    return None
