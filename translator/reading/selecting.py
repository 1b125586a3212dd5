"""Reading at places that depend on the input: a comparison with every place, times what stands there, summed.

``hot[.., j]`` is 1 where the index is j, so that ``sum_j hot[.., j] * value[j]`` reads the value at the index. Along the sequence
the comparison is with the position and the sum runs over all positions. Everything else here is exact data movement.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array, eye_array, kron

from circuits.positions import TRUE, Term, var
from circuits.scalar import Scalar, X
from translator.axes import PRE, Axis, Key, part_shape
from translator.reading.context import Context, dims_of, plain
from translator.reading.contraction import Labels, contract
from translator.reading.elementwise import binary, unary
from translator.reading.movement import transpose, unsqueeze
from translator.reading.positional import lookup, term_array
from translator.reading.refusing import Refusal
from translator.reading.table import call
from translator.reading.types import dtype_of
from translator.reading.values import Data, Index, Part, Positional, Value

ZERO = np.array(0.0)


def places(length: Term) -> Value:
    """The indices 0 .. length-1 of an axis."""
    if length.n_coef:
        return Positional((length,), ((TRUE, var(0)),), "int")
    return np.arange(length.const)


def numbers(value: Value) -> Value:
    """Known truth values and small integers as float64; other values as they are."""
    return value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype != object else value


def keep(value: Value) -> Value:
    """Make a tensor that is read several times a node of its own."""
    if isinstance(value, Data):
        for part in value.parts.values():
            part.view.source.shared = True
    return value


def equals(context: Context, left: Value, right: Value) -> Value:
    """1 where two tensors are equal, else 0."""
    return numbers(binary(context, "eq", binary(context, "sub", left, right), ZERO))


def hot(context: Context, index: Value, length: Term, *, wraps: bool = True) -> Value:
    """1 where the index is j, for each j on a new last axis of the given length; with `wraps`, -1 is the last entry."""
    if isinstance(index, Positional) and not length.n_coef:
        found, most = lookup(np.eye(length.const), index)
        context.require_most(most, f"entries of an axis of length {length} are read at positions")
        return found
    gap = binary(context, "sub", unsqueeze(context, index, [-1]), places(length))
    wraps = wraps and not dtype_of(index).startswith("uint")
    if wraps and isinstance(gap, Data) and not length.n_coef:
        is_here, is_behind = call("eq", X, 0.0), call("eq", X, float(-length.const))
        return unary(context, Scalar("add", (is_here, is_behind)), gap)
    here = numbers(binary(context, "eq", gap, ZERO))
    if not wraps:
        return here
    behind = binary(context, "eq", binary(context, "add", gap, term_array(length)), ZERO)
    return binary(context, "add", here, numbers(behind))


def select(context: Context, value: Value, index: Value, axis: int) -> Value:
    """Replace an axis by the entries at an index of any shape."""
    rank, more = len(dims_of(value)), len(dims_of(index))
    chosen = hot(context, index, dims_of(value)[axis])
    fresh = list(range(rank, rank + more))
    out = [*range(axis), *fresh, *range(axis + 1, rank)]
    return contract(context, numbers(value), list(range(rank)), chosen, [*fresh, axis], out)


def spread(context: Context, value: Value, labels: Labels, out: Labels) -> Value:
    """Order the axes as in `out`, with axes of length 1 where the value has none."""
    own = list(labels)
    order = [own.index(label) for label in out if label in own]
    moved = transpose(context, value, order)
    return unsqueeze(context, moved, [place for place, label in enumerate(out) if label not in own])


def without(value: Value, mine: str) -> Data:
    """A tensor that depends on the input and has static axes only.

    Raises:
        Refusal: it has a sequence axis; `mine` says what would have to happen along it.
    """
    if not isinstance(value, Data) or any(axis.run for axis in value.axes):
        raise Refusal(
            "N028",
            f"{mine} along the sequence",
            note="this is done on axes of fixed size only",
            help="keep the sequence on an axis that the operator does not touch",
        )
    return value


def rearranged(value: Value, index: Index) -> Value:
    """Take elements of a tensor of static axes by their numbers in row-major order; the result has the shape of `index`."""
    if isinstance(value, np.ndarray):
        return np.asarray(value.ravel()[index])
    data = without(value, "elements are rearranged")
    axes = tuple(Axis(size) for size in index.shape)
    return Data(axes, {(PRE,) * len(axes): data.only.take(index.ravel())}, data.dtype)


def apply_along(context: Context, value: Value, axis: int, matrix: csr_array) -> Value:
    """Multiply a static axis by a sparse matrix from the left."""
    if isinstance(value, np.ndarray):
        moved = np.moveaxis(np.asarray(value, dtype=np.float64), axis, 0)
        flat = matrix @ moved.reshape(moved.shape[0], int(np.prod(moved.shape[1:])))
        return np.moveaxis(np.asarray(flat).reshape(matrix.shape[0], *moved.shape[1:]), 0, axis)
    if isinstance(value, Positional):
        rank = len(value.dims)
        return contract(context, matrix.toarray(), [rank, axis], value, list(range(rank)), _renamed(rank, axis))
    if value.axes[axis].run:
        raise Refusal("N028", "a linear map of fixed size runs along the sequence")
    assembly = context.assembly
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        shape = part_shape(value.axes, key)
        before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
        whole = csr_array(kron(kron(eye_array(before), matrix), eye_array(after)))
        parts[key] = Part(assembly.view_of(assembly.rows(plain(context, part)).apply(whole)))
    axes = (*value.axes[:axis], Axis(matrix.shape[0]), *value.axes[axis + 1 :])
    return Data(axes, parts)


def _renamed(rank: int, axis: int) -> list[int]:
    return [rank if label == axis else label for label in range(rank)]


def filled(context: Context, dims: Sequence[Term], fill: float) -> Value:
    """A tensor of one number."""
    static = tuple(1 if dim.n_coef else dim.const for dim in dims)
    array = np.full(static, fill)
    return Positional(tuple(dims), ((TRUE, array),)) if any(dim.n_coef for dim in dims) else array
