"""Turning the sequence around: position x is read at n + 1 - x, and slots before it stand behind it."""

from __future__ import annotations

import numpy as np

from circuits.positions import Term, substitute, var
from translator.axes import POST, RUN, Axis, Key, part_shape
from translator.reading.refusing import Refusal
from translator.reading.values import Data, Part, Positional, Value

FAR = 2**31 - 1


def reverse(value: Value, axis: int) -> Value:
    """Turn a sequence axis around."""
    if isinstance(value, np.ndarray):
        return np.flip(value, axis)
    rank = len(value.dims)
    at = [var(v) for v in range(rank)]
    if isinstance(value, Positional):
        at[axis] = value.dims[axis] - 1 - var(axis)
        pieces = tuple(
            (substitute(guard, at), piece.substitute(at) if isinstance(piece, Term) else piece)
            for guard, piece in value.pieces
        )
        return Positional(value.dims, pieces, value.dtype)
    old = value.axes[axis]
    if old.step > 1:
        raise Refusal(
            "N043",
            f"a sequence of length {old.length} is turned around",
            note="where its last entry stands depends on the remainder of n by the stride",
            help="turn it around before the strides",
        )
    new = Axis(old.post, True, old.hi, old.lo, old.pre)
    at[axis] = Term((), 1, 1) - var(axis)
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        if key[axis] == RUN:
            parts[key] = part.move(tuple(at))
            continue
        shape = part_shape(value.axes, key)
        index = np.flip(np.arange(int(np.prod(shape))).reshape(shape), axis).ravel()
        parts[tuple(POST - s if other == axis else s for other, s in enumerate(key))] = part.take(index)
    return Data(tuple(new if other == axis else own for other, own in enumerate(value.axes)), parts, value.dtype)


def reversed_bounds(start: Term, end: Term) -> tuple[Term, Term]:
    """The bounds, on the reversed axis, of what a slice with step -1 takes.

    Raises:
        Refusal: the bounds are at the wrong ends, so that nothing is taken.
    """
    if (not start.n_coef and start.const <= -FAR) or (not end.n_coef and end.const >= FAR):
        raise Refusal("N043", f"the sequence is cut from {start} back to {end}, where nothing is")
    return _mirrored(start), _mirrored(end)


def _mirrored(bound: Term) -> Term:
    """Index i from the front is index -1 - i from the end."""
    if not bound.n_coef and abs(bound.const) >= FAR:
        return Term((), 0, FAR if bound.const < 0 else 0)
    if bound.n_coef == 1:
        return Term((), 0, max(-1 - bound.const, 0))
    return Term((), 0, -1 - bound.const) if not bound.n_coef else Term((), 0, 0) - bound - 1
