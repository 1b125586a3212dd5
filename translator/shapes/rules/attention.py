"""Attention in its forms, rotary positions, and convolution with a carried state."""

from __future__ import annotations

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.expressions import Size, minus, plus, times
from translator.shapes.rules.layout import divided
from translator.shapes.values import Dims, Tensor


def heads(call: Call, index: int, name: str) -> Dims:
    """An operand as (batch, heads, length, width); with three axes the heads stand in the last one."""
    dims = call.dims(index, 3, 4)
    if len(dims) == 4:
        return dims
    count = call.required(name)
    return dims[0], count, dims[1], divided(call, dims[2], count)


@rule("Attention")
def attention(call: Call) -> list[Tensor | None]:
    """The values as the queries mix them, the keys and values so far, and the scores."""
    flat = len(call.dims(0, 3, 4)) == 3
    query, key, value = (
        heads(call, index, name) for index, name in enumerate(("q_num_heads", "kv_num_heads", "kv_num_heads"))
    )
    same = call.constraints.same
    batch = same(query[0], key[0], "`Attention` has one batch size")
    batch = same(batch, value[0], "`Attention` has one batch size")
    same(query[3], key[3], "`Attention` compares queries and keys of equal size")
    same(key[2], value[2], "`Attention` has one value for each key")
    length: Size = key[2]
    if call.has(4):
        length = plus(call.dims(4, 4)[2], length)
    if call.has(3):
        mask = call.dims(3)
        padded = (*mask[:-1], length) if mask else mask  # a short mask is padded with -inf
        scores = (batch, query[1], query[2], length)
        result = call.constraints.broadcast([scores, padded], "`Attention` broadcasts its mask")
        call.constraints.same_dims(scores, result, "the mask of `Attention` is no greater than the scores")
    width = value[3]
    mixed = [batch, query[2], times(query[1], width)] if flat else [batch, query[1], query[2], width]
    return [
        shaped(mixed),
        shaped([batch, key[1], length, query[3]]),
        shaped([batch, value[1], length, width]),
        shaped([batch, query[1], query[2], length]),
    ]


@rule("FlexAttention", domain="ai.onnx.preview")
def flex_attention(call: Call) -> Tensor:
    """The values as the queries mix them."""
    query, value = call.dims(0, 4), call.dims(2, 4)
    return shaped([*query[:3], value[3]])


@rule("RotaryEmbedding")
def rotary(call: Call) -> Tensor:
    """The shape stays; without positions there is one angle for each place, perhaps for each element of the batch."""
    dims = call.dims(0, 3, 4)
    if not call.has(3):
        batch, length, _ = call.dims(1, 3)
        place = (dims[0], dims[2] if len(dims) == 4 else dims[1])
        angles = call.constraints.broadcast([place, (batch, length)], "`RotaryEmbedding` has one angle for each place")
        call.constraints.same_dims(place, angles, "`RotaryEmbedding` has no more angles than places")
    return shaped(dims)


@rule("LinearAttention")
def linear_attention(call: Call) -> list[Tensor | None]:
    """Outputs along the sequence, and the state behind it."""
    query, key, value = (call.dims(index, 3) for index in range(3))
    q_heads, kv_heads = call.required("q_num_heads"), call.required("kv_num_heads")
    batch = call.constraints.same(query[0], key[0], "`LinearAttention` has one batch size")
    width = divided(call, value[2], kv_heads)
    state = shaped([batch, kv_heads, divided(call, key[2], kv_heads), width], call.tensor(0).dtype)
    if call.has(3):
        state = shaped(call.dims(3, 4), call.tensor(3).dtype)
    return [shaped([batch, query[1], times(width, q_heads)]), state]


@rule("CausalConvWithState")
def causal_convolution(call: Call) -> list[Tensor | None]:
    """The shape stays; the state holds the last entries of each channel."""
    dims, weights = call.dims(0, 3), call.dims(1, 3)
    channels = call.constraints.same(dims[1], weights[0], "`CausalConvWithState` has one kernel for each channel")
    if not isinstance(weights[2], int) and call.has(3):
        return [shaped(dims), shaped(call.dims(3, 3))]
    return [shaped(dims), shaped([dims[0], channels, minus(weights[2], 1)])]
