"""The Attention operator: grouped heads, masks of all kinds, windows, caches.

What may be attended to is a conjunction of conditions. Those that are known become guards on positions, as in any masked
softmax; those that depend on the input weigh the exponentials by 0 or 1, with the maximum taken over the allowed scores alone:
where nothing is allowed the result is 0/0, which is 0, as the operator says.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np

from circuits.positions import TRUE, Term, var
from circuits.scalar import X
from translator.axes import keys
from translator.reading.context import Context, dims_of, part_at, plain, to_data
from translator.reading.contraction import matmul
from translator.reading.elementwise import binary, unary, where
from translator.reading.heads import count_of, join_heads, split_heads
from translator.reading.joining import concat, pad
from translator.reading.loading import Operator
from translator.reading.movement import reshape, take_static, transpose
from translator.reading.positional import is_terms, term_array
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.softmax import softmax
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.types import dtype_of
from translator.reading.values import Data, Part, Positional, Value
from translator.reading.walking import share

ONE = Term((), 0, 1)
RAW, CAPPED, MASKED, WEIGHTS = range(4)


@lowering("Attention")
def attention(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    """Scores, soft cap, masks, softmax, values; also the caches and the scores at the stage that the file asks for."""
    given = operator.attributes
    q, k, v = (needed(values, place) for place in range(3))
    packed = len(dims_of(q)) == 3
    if packed:
        q = split_heads(context, q, count_of(operator, "q_num_heads"))
        k, v = (split_heads(context, value, count_of(operator, "kv_num_heads")) for value in (k, v))
    past = dims_of(needed(values, 4))[2] if optional(values, 4) is not None else None
    if past is not None:
        k, v = (concat(context, [needed(values, place), new], 2) for place, new in ((4, k), (5, v)))
    present = [k, v]
    k, v = (_repeat_heads(context, q, value) for value in (k, v))
    size = dims_of(q)[3].const
    scale = float(given.get("scale", 1 / sqrt(size)))
    scores = matmul(context, binary(context, "mul", q, np.array(scale)), transpose(context, k, [0, 1, 3, 2]))
    raw = scores
    cap = float(given.get("softcap", 0.0))
    if cap:
        scores = unary(context, call("mul", cap, call("tanh", call("div", X, cap))), scores)
    conditions = _conditions(context, operator, values, dims_of(scores), past)
    capped = scores
    scores, from_mask = _biased(context, scores, optional(values, 3))
    allowed = _conjunction(context, [*conditions, *from_mask])
    asked = len(operator.outputs) > 3 and bool(operator.outputs[3])
    stage = given.get("qk_matmul_output_mode", RAW)
    weights = _weights(context, scores, allowed)
    if asked and stage == MASKED and allowed is not None:
        raise Refusal("N037", "masked scores are an output, and -inf is no number", help="ask for another stage")
    if asked:
        share(weights if stage == WEIGHTS else scores, 2)
    result = matmul(context, weights, v)
    if packed:
        result = join_heads(context, result)
    return [result, *present, (raw, capped, scores, weights)[stage]]


def _repeat_heads(context: Context, q: Value, value: Value) -> Value:
    """Each head of the keys and values serves a group of heads of the queries."""
    heads, own = dims_of(q)[1].const, dims_of(value)[1].const
    if heads == own:
        return value
    if not own or heads % own:
        raise Refusal("N031", f"{heads} heads of queries do not fall into groups for {own} heads of keys")
    return take_static(context, value, 1, np.repeat(np.arange(own), heads // own))


def _conditions(
    context: Context, operator: Operator, values: Inputs, dims: Sequence[Term], past: Term | None
) -> list[Value]:
    """What the attributes and the lengths of the keys allow, against (batch, heads, queries, keys)."""
    rows, columns = dims[2], dims[3]
    query, key = _indices(context, rows, 2), _indices(context, columns, 3)
    fixed = [axis for axis in (2, 3) if not dims[axis].n_coef and dims[axis].const > 1]
    if len(fixed) != 1 or rows.n_coef == columns.n_coef:
        return _conditions_at(context, operator, values, rows, past, query, key)
    # One side is the sequence and the other is not: one column of conditions for each entry of the other.
    entries = []
    for number in range(dims[fixed[0]].const):
        at = np.full((1, 1, 1, 1), number)
        pair = (at, key) if fixed == [2] else (query, at)
        entries.append(_conditions_at(context, operator, values, rows, past, *pair))
    return [concat(context, column, fixed[0]) for column in zip(*entries, strict=True)]


def _indices(context: Context, length: Term, axis: int) -> Value:
    """The numbers 0, 1, .. along one of four axes."""
    numbers: Value = Positional((length,), ((TRUE, var(0)),), "int") if length.n_coef else np.arange(length.const)
    return reshape(context, numbers, term_array([length if other == axis else ONE for other in range(4)]), True)


def _conditions_at(
    context: Context, operator: Operator, values: Inputs, rows: Term, past: Term | None, query: Value, key: Value
) -> list[Value]:
    given, lengths = operator.attributes, optional(values, 6)
    found: list[Value] = []
    offset = _number(past if past is not None else Term())
    if lengths is not None:
        count = reshape(context, lengths, term_array([*dims_of(lengths), ONE, ONE, ONE]), True)
        found.append(binary(context, "gt", count, key))
        if past is None:
            offset = binary(context, "sub", count, _number(rows))
    left, right = given.get("left_window_size", -1), given.get("right_window_size", -1)
    if not (given.get("is_causal", 0) or left >= 0 or right >= 0):
        return found
    gap = binary(context, "sub", binary(context, "add", query, offset), key)  # how far the key is behind the query
    if given.get("is_causal", 0):
        found.append(binary(context, "ge", gap, np.array(0)))
    if left >= 0:
        found.append(binary(context, "ge", np.array(left), gap))
    if right >= 0:
        found.append(binary(context, "ge", gap, np.array(-right)))
    return found


def _number(length: Term) -> Value:
    return term_array(length) if length.n_coef else np.array(length.const)


def _biased(context: Context, scores: Value, mask: Value | None) -> tuple[Value, list[Value]]:
    """Add a mask of numbers; a mask of truth values, and -inf among known numbers, are conditions."""
    if mask is None:
        return scores, []
    missing = dims_of(scores)[-1] - dims_of(mask)[-1]
    truth = dtype_of(mask) == "bool"
    if not missing.n_coef and missing.const > 0 and dims_of(mask)[-1] != ONE:
        rank = len(dims_of(mask))
        if not truth and isinstance(mask, Data):
            inside = binary(context, "gt", _number(dims_of(mask)[-1]), _indices(context, dims_of(scores)[-1], 3))
            padded = pad(context, mask, [0] * rank, [0] * (rank - 1) + [missing.const], np.array(0.0))
            return binary(context, "add", scores, padded), [inside]
        mask = pad(context, mask, [0] * rank, [0] * (rank - 1) + [missing.const], np.array(0.0 if truth else -np.inf))
        mask = mask.astype(bool) if truth and isinstance(mask, np.ndarray) else mask
    if truth:
        return scores, [mask]
    if isinstance(mask, np.ndarray) and not is_terms(mask):
        numbers = np.asarray(mask, dtype=np.float64)
        open_ = numbers > -np.inf
        return binary(context, "add", scores, np.where(open_, numbers, 0.0)), [] if open_.all() else [open_]
    return binary(context, "add", scores, mask), []


def _conjunction(context: Context, conditions: Sequence[Value]) -> Value | None:
    """All conditions at once; the known ones are joined first."""
    result: Value | None = None
    for condition in sorted(conditions, key=lambda value: isinstance(value, Data)):
        result = condition if result is None else both(context, result, condition)
    return result


def both(context: Context, left: Value, right: Value) -> Value:
    """The conjunction of two tensors of truth values."""
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return np.logical_and(left, right)
    return binary(context, "and", left, right)


def _weights(context: Context, scores: Value, allowed: Value | None) -> Value:
    """The softmax over the allowed keys; 0 where no key is allowed."""
    if allowed is None:
        return softmax(context, scores, 3)
    scores = to_data(context, scores)
    if isinstance(allowed, Data):
        return _weighed(context, scores, allowed)
    if isinstance(allowed, np.ndarray):
        alive = allowed.any(axis=-1, keepdims=True)
        if allowed.all():
            return softmax(context, scores, 3)
        open_ = np.asarray(allowed | ~alive)
        weights: Value = softmax(context, where(context, open_, scores, np.array(-np.inf)), 3)
        return weights if alive.all() else where(context, np.asarray(alive), weights, np.array(0.0))
    try:
        return softmax(context, where(context, allowed, scores, np.array(-np.inf)), 3)
    except Refusal as refusal:
        if refusal.code != "N047":  # rows in which nothing is allowed
            raise
    return _weighed(context, scores, to_data(context, allowed))


def _weighed(context: Context, scores: Value, allowed: Data) -> Value:
    """Exponentials times conditions that depend on the input, over their sum."""
    share(scores, 2)
    share(allowed, 2)
    low = reduce(context, "min", scores, [3], True)
    share(low, 2)
    lifted = binary(context, "mul", allowed, binary(context, "sub", scores, low))
    top = binary(context, "add", reduce(context, "max", lifted, [3], True), low)  # the largest allowed score
    shifted = binary(context, "sub", scores, top)
    weights = binary(context, "mul", allowed, unary(context, call("exp", call("min", X, 0.0)), shifted))
    share(weights, 2)
    sums = to_data(context, reduce(context, "sum", weights, [3], True))
    data = to_data(context, weights)
    return Data(
        data.axes,
        {
            key: Part(plain(context, data.parts[key]), plain(context, part_at(context, sums, data.axes, key)))
            for key in keys(data.axes)
        },
    )
