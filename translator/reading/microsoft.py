"""Float operators of onnxruntime (domain com.microsoft), as optimizers and exporters write them: compositions of ONNX's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.positions import Term
from circuits.scalar import X
from translator.reading.calling import call_one, call_operator, typed
from translator.reading.context import Context, dims_of
from translator.reading.contraction import matmul
from translator.reading.elementwise import binary, unary
from translator.reading.gathering import gather
from translator.reading.loading import Operator
from translator.reading.movement import slice_axis, transpose
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.types import dtype_of
from translator.reading.values import Array, Value
from translator.reading.walking import share


def add(context: Context, left: Value, right: Value | None) -> Value:
    """The sum, where the second operand may be absent."""
    return left if right is None else binary(context, "add", left, right)


@lowering("com.microsoft::Gelu", "com.microsoft::BiasGelu", "com.microsoft::FastGelu")
def _gelu(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    approximate = "tanh" if operator.op_type == "FastGelu" else "none"
    return typed(call_one(context, "Gelu", add(context, x, optional(values, 1)), approximate=approximate), dtype_of(x))


@lowering("com.microsoft::QuickGelu")
def _quick_gelu(context: Context, operator: Operator, values: Inputs) -> Value:
    x, slope = needed(values, 0), float(operator.attributes.get("alpha", 1.702))
    return typed(unary(context, call("mul", X, call("sigmoid", call("mul", slope, X))), x), dtype_of(x))


@lowering("com.microsoft::BiasSplitGelu")
def _bias_split_gelu(context: Context, operator: Operator, values: Inputs) -> Value:
    x = binary(context, "add", needed(values, 0), needed(values, 1))
    size = dims_of(x)[-1]
    half, last = Term((), 0, size.const // 2), len(dims_of(x)) - 1
    left = slice_axis(context, x, last, Term(), half, 1)
    right = slice_axis(context, x, last, half, size, 1)
    result = binary(context, "mul", left, call_one(context, "Gelu", right))
    return typed(result, dtype_of(needed(values, 0)))


def activate(context: Context, operator: Operator, value: Value, parameters: list[float]) -> Value:
    """The activation that was fused into an operator."""
    name = operator.attributes.get("activation", "")
    if not name:
        return value
    names = {
        "LeakyRelu": ("alpha",),
        "HardSigmoid": ("alpha", "beta"),
        "Clip": (),
        "Elu": ("alpha",),
        "ThresholdedRelu": ("alpha",),
    }.get(name, ())
    if name == "Clip":
        bounds = [np.array(bound, dtype=np.float32) for bound in parameters[:2]]
        return call_one(context, "Clip", value, *bounds)
    return call_one(context, name, value, **dict(zip(names, parameters, strict=False)))


@lowering("com.microsoft::FusedMatMul", "com.microsoft::TransposeMatMul")
def _fused_matmul(context: Context, operator: Operator, values: Inputs) -> Value:
    a, b, given = needed(values, 0), needed(values, 1), operator.attributes
    left = _oriented(context, a, bool(given.get("transA", 0)), bool(given.get("transBatchA", 0)))
    right = _oriented(context, b, bool(given.get("transB", 0)), bool(given.get("transBatchB", 0)))
    product, alpha = matmul(context, left, right), float(given.get("alpha", 1.0))
    return typed(product if alpha == 1 else binary(context, "mul", product, np.array(alpha)), dtype_of(a))


def _oriented(context: Context, value: Value, transposed: bool, batch: bool) -> Value:
    """With `batch`, the first axis of (m, batch.., k) goes behind the others; then the last two may change places."""
    order = list(range(len(dims_of(value))))
    if len(order) < 2:
        return value
    if batch:
        order = [*order[1:-1], order[0], order[-1]]
    if transposed:
        order = [*order[:-2], order[-1], order[-2]]
    return value if order == sorted(order) else transpose(context, value, order)


@lowering("com.microsoft::FusedGemm")
def _fused_gemm(context: Context, operator: Operator, values: Inputs) -> Value:
    given = {name: v for name, v in operator.attributes.items() if name in ("alpha", "beta", "transA", "transB")}
    result = call_one(context, "Gemm", *values, **given)
    kept = ("activation_alpha", "activation_beta", "activation_gamma")
    parameters = [float(operator.attributes[name]) for name in kept if name in operator.attributes]
    return typed(activate(context, operator, result, parameters), dtype_of(needed(values, 0)))


@lowering("com.microsoft::FusedConv")
def _fused_conv(context: Context, operator: Operator, values: Inputs) -> Value:
    given = {
        name: value for name, value in operator.attributes.items() if name not in ("activation", "activation_params")
    }
    result = add(context, call_one(context, "Conv", *values[:3], **given), optional(values, 3))
    parameters = list(operator.attributes.get("activation_params", []))
    return typed(activate(context, operator, result, parameters), dtype_of(needed(values, 0)))


def normalized(
    context: Context, operator: Operator, x: Value, gain: Value, bias: Value | None, *, centre: bool
) -> list[Value]:
    """A normalization over the last axis: the result, its mean, and one over its deviation."""
    epsilon = float(operator.attributes.get("epsilon", 1e-12))
    share(x, 2)
    if centre:
        asked = 3 if any(operator.outputs[1:3]) else 1
        return call_operator(context, "LayerNormalization", [x, gain, bias], outputs=asked, axis=-1, epsilon=epsilon)
    return call_operator(context, "RMSNormalization", [x, gain], axis=-1, epsilon=epsilon)


@lowering("com.microsoft::SkipLayerNormalization", "com.microsoft::SkipSimplifiedLayerNormalization")
def _skip_normalization(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    centre = operator.op_type == "SkipLayerNormalization"
    x, gain = needed(values, 0), needed(values, 2)
    beta, bias = (optional(values, 3), optional(values, 4)) if centre else (None, optional(values, 3))
    total = add(context, binary(context, "add", x, needed(values, 1)), bias)
    made = normalized(context, operator, total, gain, beta, centre=centre)
    if any(operator.outputs[1:3]) and not centre:
        raise Refusal("N066", "the statistics of SkipSimplifiedLayerNormalization", help="leave out these outputs")
    filled = [*made, *[made[0]] * (3 - len(made)), total]
    return [typed(value, dtype_of(x)) for value in filled]


@lowering("com.microsoft::EmbedLayerNormalization")
def _embed_normalization(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    letters, segments = needed(values, 0), optional(values, 1)
    words, places, kinds = needed(values, 2), needed(values, 3), optional(values, 4)
    gain, bias, mask, positions = needed(values, 5), needed(values, 6), optional(values, 7), optional(values, 8)
    length = dims_of(letters)[1]
    rows = (
        gather(context, places, positions, 0)
        if positions is not None
        else slice_axis(context, places, 0, Term(), length, 1)
    )
    total = binary(context, "add", gather(context, words, letters, 0), rows)
    if segments is not None and kinds is not None:
        total = binary(context, "add", total, gather(context, kinds, segments, 0))
    made = normalized(context, operator, total, gain, bias, centre=True)
    counted: Value = np.zeros(1, dtype=np.int32)
    if mask is not None and int(operator.attributes.get("mask_index_type", 1)) == 1:
        counted = reduce(context, "sum", mask, [1], False)
    kind = dtype_of(words)
    return [typed(made[0], kind), typed(counted, "int32"), typed(total, kind)]


@lowering("com.microsoft::MatMulNBits")
def _matmul_n_bits(context: Context, operator: Operator, values: Inputs) -> Value:
    a = needed(values, 0)
    if optional(values, 4) is not None:
        raise Refusal("N011", "MatMulNBits with group indices is not supported", help="quantize without reordering")
    weights = unpacked(operator.attributes, *(_known(value) for value in [*values[1:4], None][:3]))
    return typed(add(context, matmul(context, a, weights.T), optional(values, 5)), dtype_of(a))


def _known(value: Value | None) -> Array | None:
    if value is not None and (not isinstance(value, np.ndarray) or value.dtype == object):
        raise Refusal("N039", "the weights of MatMulNBits depend on the input", help="store them in the file")
    return value


def unpacked(attributes: dict[str, Any], packed: Array | None, scales: Array | None, zeros: Array | None) -> Array:
    """The weights of MatMulNBits, shape (N, K): codes of a few bits, the lowest bits first, in blocks with a scale each."""
    if packed is None or scales is None:
        raise Refusal("N020", "MatMulNBits needs packed weights and scales")
    rows, columns = int(attributes["N"]), int(attributes["K"])
    bits, block = int(attributes.get("bits", 4)), int(attributes["block_size"])
    blocks = -(-columns // block)
    codes = unpack(packed.reshape(rows * blocks, -1), bits, block).reshape(rows, blocks, block)
    if zeros is None:
        points = np.full((rows, blocks), 1 << (bits - 1), dtype=np.float64)
    elif zeros.dtype.kind == "u":
        points = unpack(zeros.reshape(rows, -1), bits, blocks).astype(np.float64)
    else:
        points = zeros.reshape(rows, blocks).astype(np.float64)
    values = (codes - points[:, :, None]) * scales.reshape(rows, blocks, 1).astype(np.float64)
    return np.asarray(values.reshape(rows, blocks * block)[:, :columns])


def unpack(packed: Array, bits: int, count: int) -> Array:
    """The first `count` codes of each row of bytes."""
    single = np.unpackbits(packed.astype(np.uint8), axis=1, bitorder="little")[:, : count * bits]
    weights = 1 << np.arange(bits)
    return np.asarray((single.reshape(len(packed), count, bits) * weights).sum(axis=2))


@lowering("com.microsoft::RotaryEmbedding")
def _rotary(context: Context, operator: Operator, values: Inputs) -> Value:
    x, positions, cosines, sines = (needed(values, place) for place in range(4))
    given = operator.attributes
    if float(given.get("scale", 1.0)) != 1:
        raise Refusal("N027", "RotaryEmbedding with a scale", help="export without position scaling")
    heads, size = int(given.get("num_heads", 0)), int(given.get("rotary_embedding_dim", 0))
    if len(dims_of(x)) == 3 and not heads:
        heads = dims_of(x)[2].const // (2 * dims_of(cosines)[1].const)
    if len(dims_of(positions)) == 1:
        length = dims_of(x)[-2]
        span = call_one(context, "Range", np.array(0), length_of(length), np.array(1))
        positions = binary(context, "add", call_one(context, "Unsqueeze", span, np.array([0])), positions)
    kept: dict[str, int] = {"interleaved": int(given.get("interleaved", 0)), "rotary_embedding_dim": size}
    if len(dims_of(x)) == 3:
        kept["num_heads"] = heads
    return typed(call_one(context, "RotaryEmbedding", x, cosines, sines, positions, **kept), dtype_of(x))


def length_of(length: Term) -> Array:
    """A length as a value: a number, or a term with n."""
    result = np.empty((), dtype=object)
    result[()] = length
    return result if length.n_coef else np.array(length.const)
