"""Attention as onnxruntime spells it (com.microsoft): projections, biases and masks beside ONNX's `Attention`."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from circuits.positions import Term
from circuits.scalar import X
from translator.reading.calling import call_one, call_operator, typed
from translator.reading.context import Context, dims_of
from translator.reading.contraction import matmul
from translator.reading.elementwise import binary, unary
from translator.reading.joining import concat
from translator.reading.loading import Operator
from translator.reading.microsoft import add, length_of
from translator.reading.movement import slice_axis, unsqueeze
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.types import dtype_of
from translator.reading.values import Value
from translator.reading.walking import share


def attend(
    context: Context,
    operator: Operator,
    query: Value,
    key: Value,
    value: Value,
    bias: Value | None,
    past: tuple[Value, Value] | None,
) -> list[Value]:
    """ONNX's Attention on tensors (batch, length, heads * size), with the number of heads of this operator."""
    given, heads = operator.attributes, int(operator.attributes["num_heads"])
    kept: dict[str, Any] = {"is_causal": int(given.get("unidirectional", 0))}
    if float(given.get("scale", 0.0)):
        kept["scale"] = float(given["scale"])
    if len(dims_of(query)) == 3:
        kept |= {"q_num_heads": heads, "kv_num_heads": heads}
    values = [query, key, value, bias, *(past or ())]
    asked = 3 if any(operator.outputs[1:]) or past is not None else 1
    scores, context.toward_softmax = context.toward_softmax, context.toward_softmax | {operator.outputs[0]}
    try:
        return call_operator(context, "Attention", values, outputs=asked, **kept)
    finally:
        context.toward_softmax = scores


def mask_bias(context: Context, operator: Operator, mask: Value | None, total: Term) -> Value | None:
    """What a mask adds to the scores (batch, heads, query, key): 0, or a huge negative number.

    A mask of one axis holds lengths, or ends and starts, of the words without padding; other masks hold 0 and 1.
    """
    if mask is None:
        return None
    filler = float(operator.attributes.get("mask_filter_value", -10000.0))
    dims = dims_of(mask)
    if len(dims) == 1:
        span = unsqueeze(context, call_one(context, "Range", np.array(0), length_of(total), np.array(1)), [0])
        ends = dims[0].const
        if dims[0].n_coef or ends > 2:
            raise Refusal(
                "N027", f"a mask of {dims[0]} lengths", note="the batch is 1", help="export with a mask of 0 and 1"
            )
        end = unsqueeze(context, slice_axis(context, mask, 0, Term(), Term((), 0, 1), 1), [1])
        on = binary(context, "gt", end, span)
        if ends == 2:
            start = unsqueeze(context, slice_axis(context, mask, 0, Term((), 0, 1), Term((), 0, 2), 1), [1])
            on = binary(context, "mul", _numbers(context, on), _numbers(context, binary(context, "ge", span, start)))
        mask, dims = on, dims_of(on)
    places = {2: [1, 2], 3: [1], 4: []}.get(len(dims))
    if places is None:
        raise Refusal("N027", f"a mask with {len(dims)} axes")
    shaped = unsqueeze(context, mask, places) if places else mask
    return unary(context, call("mul", filler, call("eq", X, 0.0)), _numbers(context, shaped))


def _numbers(context: Context, value: Value) -> Value:
    """Truth values as 0 and 1."""
    return call_one(context, "Cast", value, to=1)


def _joined(context: Context, mask: Value | None, bias: Value | None) -> Value | None:
    """Mask and further bias in one."""
    if mask is None or bias is None:
        return bias if mask is None else mask
    return binary(context, "add", bias, mask)


@lowering("com.microsoft::Attention")
def _attention(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    x, weights, given = needed(values, 0), needed(values, 1), operator.attributes
    if given.get("do_rotary", 0) or given.get("past_present_share_buffer", 0):
        raise Refusal("N027", "Attention with rotary positions or a shared buffer", help="export without this fusion")
    merged = add(context, matmul(context, x, weights), optional(values, 2))
    share(merged, 3)
    sizes = given.get("qkv_hidden_sizes") or [dims_of(merged)[-1].const // 3] * 3
    q, k, v = split(context, merged, sizes)
    past = optional(values, 4)
    held = None
    total = dims_of(x)[1]
    if past is not None:
        rank = len(dims_of(past))
        halves = [slice_axis(context, past, 0, Term((), 0, i), Term((), 0, i + 1), 1) for i in range(2)]
        held = tuple(call_one(context, "Squeeze", half, np.array([0])) for half in halves)
        total = total + dims_of(past)[rank - 2]
    bias = _joined(context, mask_bias(context, operator, optional(values, 3), total), optional(values, 5))
    made = attend(context, operator, q, k, v, bias, held)  # type: ignore[arg-type]
    if any(operator.outputs[1:]):
        made = [made[0], concat(context, [unsqueeze(context, part, [0]) for part in made[1:3]], 0)]
    return [typed(value, dtype_of(x)) for value in made]


def split(context: Context, merged: Value, sizes: list[int]) -> list[Value]:
    """Cut the last axis."""
    last, ends = len(dims_of(merged)) - 1, np.cumsum([0, *sizes])
    return [
        slice_axis(context, merged, last, Term((), 0, int(low)), Term((), 0, int(high)), 1)
        for low, high in pairwise(ends)
    ]


@lowering("com.microsoft::MultiHeadAttention")
def _multi_head(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    query, key, value, bias, mask, extra, past_key, past_value = (optional(values, place) for place in range(8))
    if query is None or key is None or value is None:
        raise Refusal("N027", "MultiHeadAttention with packed keys and values", help="export unpacked")
    if len(values) > 8 and any(given is not None for given in values[8:]):
        raise Refusal("N027", "MultiHeadAttention with a shared buffer", help="export without a buffer")
    if len(dims_of(query)) != 3 or len(dims_of(value)) not in (3, 4):
        raise Refusal("N027", "MultiHeadAttention with packed queries", help="export unpacked")
    if bias is not None:
        sizes = [dims_of(query)[2].const, *[dims_of(query)[2].const] * (len(dims_of(key)) == 3)]
        sizes += [dims_of(value)[2].const] * (len(dims_of(value)) == 3)
        parts = split(context, bias, sizes)
        query = binary(context, "add", query, parts[0])
        if len(parts) == 3:
            key, value = binary(context, "add", key, parts[1]), binary(context, "add", value, parts[2])
    if len(dims_of(key)) == 4:
        heads = int(operator.attributes["num_heads"])
        shape = np.array([0, 0, heads, -1])
        query = call_one(context, "Transpose", call_one(context, "Reshape", query, shape), perm=[0, 2, 1, 3])
    length = dims_of(key)[-2]
    total = length + dims_of(past_key)[2] if past_key is not None else length
    added = _joined(context, mask_bias(context, operator, mask, total), extra)
    past = (past_key, past_value) if past_key is not None and past_value is not None else None
    made = attend(context, operator, query, key, value, added, past)
    if len(dims_of(made[0])) == 4:
        flat = call_one(context, "Transpose", made[0], perm=[0, 2, 1, 3])
        made[0] = call_one(context, "Reshape", flat, np.array([0, 0, -1]))
    return [typed(value, dtype_of(query)) for value in made]
