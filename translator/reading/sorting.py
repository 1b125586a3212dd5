"""Order: ArgMax, ArgMin, Hardmax, TopK, and where the maximum of a window stands.

An entry's rank is the number of entries that come before it, so sorting is counting comparisons: depth does not grow with the
number of entries. Ties go to the lowest index.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import AtLeast, Term, negation, var
from circuits.scalar import X
from translator.reading.context import Context, dims_of
from translator.reading.contraction import contract
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.movement import known_ints, reshape, take_static, unsqueeze
from translator.reading.positional import term_array
from translator.reading.reduction import NEG, argmax_positions, reduce
from translator.reading.refusing import Refusal
from translator.reading.selecting import apply_along, equals, keep, places
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.values import Data, Positional, Value

ZERO = np.array(0.0)


def along(axis: int, rank: int, value: Value) -> Value:
    """A tensor of one axis as an axis of a tensor of `rank` axes."""
    if isinstance(value, Positional):
        at = [var(axis)]
        pieces = tuple(
            (guard, piece.substitute(at) if isinstance(piece, Term) else piece) for guard, piece in value.pieces
        )
        one = Term((), 0, 1)
        return Positional(tuple(value.dims[0] if a == axis else one for a in range(rank)), pieces, value.dtype)
    return np.asarray(value).reshape([-1 if other == axis else 1 for other in range(rank)])


def arg_max(context: Context, value: Value, axis: int, *, last: bool = False) -> Value:
    """The index of the largest entry along an axis, which keeps length 1; on ties the first, or the last."""
    rank, length = len(dims_of(value)), dims_of(value)[axis]
    if length == Term():
        raise Refusal("N050", "the largest entry of an empty axis is asked for")
    value = keep(value)
    top = reduce(context, "max", value, [axis], True)
    reached = unary(context, call("ge", X, 0.0), binary(context, "sub", value, top))
    index = along(axis, rank, places(length))
    if last:
        return reduce(context, "max", binary(context, "mul", reached, index), [axis], True)
    end: Value = term_array(length) if length.n_coef else np.array(length.const)
    left = binary(context, "sub", end, index)
    return binary(context, "sub", end, reduce(context, "max", binary(context, "mul", reached, left), [axis], True))


@lowering("ArgMax", "ArgMin")
def _arg_max(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    axis = operator.attributes.get("axis", 0) % len(dims_of(x))
    keepdims, last = (
        bool(operator.attributes.get(name, other)) for name, other in (("keepdims", 1), ("select_last_index", 0))
    )
    if not isinstance(x, Data):
        if operator.op_type == "ArgMin" or last or not isinstance(x, Positional) or not x.dims[axis].n_coef:
            raise Refusal("N050", f"{operator.op_type} of a tensor of positions with these attributes")
        return argmax_positions(x, axis, keepdims)
    if operator.op_type == "ArgMin":
        x = unary(context, NEG, x)
    found = arg_max(context, x, axis, last=last)
    if keepdims:
        return found
    rest = [dim for other, dim in enumerate(dims_of(x)) if other != axis]
    return reshape(context, found, term_array(rest), True)


@lowering("Hardmax")
def _hardmax(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    dims = dims_of(x)
    axis = operator.attributes.get("axis", 1 if context.opset < 13 else -1) % len(dims)
    if context.opset < 13 and axis != len(dims) - 1:
        if any(dim.n_coef for dim in dims[axis:]):
            raise Refusal("N026", "Hardmax before opset 13 runs over several axes at once", help="use a newer opset")
        merged = [*dims[:axis], int(np.prod([dim.const for dim in dims[axis:]]))]
        flat = _one_hot_maximum(context, reshape(context, x, term_array(merged), True), axis)
        return reshape(context, flat, term_array(list(dims)), True)
    return _one_hot_maximum(context, x, axis)


def _one_hot_maximum(context: Context, value: Value, axis: int) -> Value:
    rank = len(dims_of(value))
    found = arg_max(context, value, axis)
    return equals(context, found, along(axis, rank, places(dims_of(value)[axis])))


@lowering("TopK")
def _top_k(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    x = needed(values, 0)
    if not isinstance(x, Data):
        raise Refusal("N050", "TopK of a tensor of positions")
    given = known_ints(optional(values, 1))
    (k,) = given if given is not None else [operator.attributes["k"]]
    axis = operator.attributes.get("axis", -1) % len(x.axes)
    length = dims_of(x)[axis]
    if not length.n_coef and not 0 <= k <= length.const:
        raise Refusal("N050", f"TopK takes the {k} largest of {length.const} entries")
    context.require_least(k - length.const if length.n_coef else 1, f"the {k} largest entries are taken")
    return list(largest(context, x, axis, k, bool(operator.attributes.get("largest", 1))))


def largest(context: Context, value: Data, axis: int, k: int, is_largest: bool) -> tuple[Value, Value]:
    """The k largest (or smallest) entries along an axis in order, and their indices."""
    rank, length = len(value.axes), dims_of(value)[axis]
    keep(value)
    labels = list(range(rank))
    key: Value = value if is_largest else unary(context, NEG, value)
    if k == 1:
        index = arg_max(context, key, axis)
        top = reduce(context, "max" if is_largest else "min", value, [axis], True)
        return top, index
    place = rank_along_sequence(context, key, axis) if length.n_coef else rank_along(context, key, axis)
    gap = binary(context, "sub", unsqueeze(context, place, [-1]), np.arange(k))
    chosen = keep(binary(context, "eq", gap, ZERO))
    out = [rank if label == axis else label for label in labels]
    top = contract(context, value, labels, chosen, [*labels, rank], out)
    if not length.n_coef:
        return top, contract(context, np.arange(float(length.const)), [axis], chosen, [*labels, rank], out)
    numbered = binary(context, "mul", chosen, along(axis, rank + 1, places(length)))
    summed = reduce(context, "sum", numbered, [axis], False)
    back = [*range(axis), rank - 1, *range(axis, rank - 1)]
    from translator.reading.movement import transpose

    return top, transpose(context, summed, back)


def rank_along(context: Context, value: Value, axis: int) -> Value:
    """How many entries come before each entry of a static axis; every pair is compared once."""
    size = dims_of(value)[axis].const
    first, second = np.triu_indices(size, 1)
    count = len(first)
    gap = binary(context, "sub", take_static(context, value, axis, first), take_static(context, value, axis, second))
    wins = unary(context, call("ge", X, 0.0), gap)
    pairs = np.arange(count)
    matrix = csr_array(
        (
            np.concatenate([np.ones(count), -np.ones(count)]),
            (np.concatenate([second, first]), np.concatenate([pairs] * 2)),
        ),
        shape=(size, count),
    )
    behind = size - 1 - np.arange(size)
    return binary(context, "add", apply_along(context, wins, axis, matrix), along(axis, len(dims_of(value)), behind))


def rank_along_sequence(context: Context, value: Value, axis: int) -> Value:
    """How many positions come before each position."""
    length = dims_of(value)[axis]
    mine, other = unsqueeze(context, value, [axis + 1]), unsqueeze(context, value, [axis])
    gap = keep(binary(context, "sub", other, mine))
    rank = len(dims_of(gap))
    earlier = AtLeast(var(axis) - var(axis + 1) - 1)
    one = Term((), 0, 1)
    dims = tuple(length if a in (axis, axis + 1) else one for a in range(rank))
    static = (1,) * rank
    before = Positional(dims, ((earlier, np.ones(static)), (negation(earlier), np.zeros(static))), "float")
    ties = binary(context, "mul", unary(context, call("eq", X, 0.0), gap), before)
    wins = binary(context, "add", unary(context, call("gt", X, 0.0), gap), ties)
    return reduce(context, "sum", wins, [axis + 1], False)
