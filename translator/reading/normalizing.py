"""Operators that are defined by others: normalizations (centred, so that nothing is cancelled) and the Attention operator."""

from __future__ import annotations

from math import sqrt

import numpy as np

from circuits.positions import AtLeast, Term, negation, var
from circuits.scalar import Scalar, X, const
from translator.reading.context import Context, dims_of
from translator.reading.contraction import matmul
from translator.reading.elementwise import binary, unary
from translator.reading.gathering import gather
from translator.reading.joining import concat
from translator.reading.loading import Operator
from translator.reading.movement import reshape, take_static, transpose, unsqueeze
from translator.reading.positional import term_array
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.softmax import softmax
from translator.reading.table import needed
from translator.reading.values import Data, Positional, Value

Inputs = list[Value | None]
RSQRT = Scalar("div", (const(1.0), Scalar("sqrt", (X,))))
SQUARE = Scalar("mul", (X, X))


def layer_normalization(context: Context, operator: Operator, values: Inputs) -> Value:
    """Centre, divide by the root of the mean square plus epsilon, gain, bias."""
    assembly = context.assembly
    x, gain = needed(values, 0), values[1]
    bias = values[2] if len(values) > 2 else None
    rank = len(dims_of(x))
    axes = list(range(operator.attributes.get("axis", -1) % rank, rank))
    hint = assembly.hint
    _share(x)
    if operator.op_type == "LayerNormalization":
        assembly.hint = f"{hint}.centred"
        x = binary(context, "sub", x, reduce(context, "mean", x, axes, True))
        _share(x)
    assembly.hint = f"{hint}.variance"
    variance = reduce(context, "mean", unary(context, SQUARE, x), axes, True)
    shifted = binary(context, "add", variance, np.array(float(operator.attributes.get("epsilon", 1e-5))))
    assembly.hint = f"{hint}.scaled"
    result = binary(context, "mul", x, unary(context, RSQRT, shifted))
    assembly.hint = hint
    if gain is not None:
        result = binary(context, "mul", result, gain)
    return binary(context, "add", result, bias) if bias is not None else result


def _share(value: Value) -> None:
    """Say that several operators read the value."""
    if isinstance(value, Data):
        for part in value.parts.values():
            part.view.source.shared = True


def batch_normalization(context: Context, operator: Operator, values: Inputs) -> Value:
    """An affine map of each channel, with the stored statistics."""
    x = needed(values, 0)
    if operator.attributes.get("training_mode", 0):
        raise Refusal(
            "N016", "BatchNormalization runs in training mode", help="export in evaluation mode: model.eval()"
        )
    stored = []
    for value in values[1:5]:
        if not isinstance(value, np.ndarray):
            raise Refusal("N039", "the statistics of BatchNormalization depend on the input")
        stored.append(np.asarray(value, dtype=np.float64))
    scale, bias, mean, variance = stored
    factor = scale / np.sqrt(variance + float(operator.attributes.get("epsilon", 1e-5)))
    shape = (1, -1, *(1,) * (len(dims_of(x)) - 2))
    result = binary(context, "mul", x, factor.reshape(shape))
    return binary(context, "add", result, (bias - mean * factor).reshape(shape))


def attention(context: Context, operator: Operator, values: Inputs) -> Value:
    """The Attention operator (opset 23) without past keys: scores, mask, softmax, values."""
    q, k, v = (needed(values, place) for place in range(3))
    mask = values[3] if len(values) > 3 else None
    windows = {"left_window_size", "right_window_size"} | {name for name in operator.attributes if "window" in name}
    if windows & set(operator.attributes):
        raise Refusal("N027", "Attention with a window", help="export the window as a mask")
    if any(value is not None for value in values[4:]) or operator.attributes.get("softcap", 0.0):
        raise Refusal("N027", "Attention with past keys, padding lengths or softcap")
    flat = len(dims_of(q)) == 3
    if flat:
        heads, kv = operator.attributes["q_num_heads"], operator.attributes["kv_num_heads"]
        q, k, v = (_split_heads(context, t, h) for t, h in ((q, heads), (k, kv), (v, kv)))
    if dims_of(q)[1] != dims_of(k)[1]:
        raise Refusal("N027", "Attention with grouped keys")
    size = dims_of(q)[3].const
    scale = float(operator.attributes.get("scale", 1 / sqrt(size)))
    scores = matmul(context, binary(context, "mul", q, np.array(scale)), transpose(context, k, [0, 1, 3, 2]))
    if mask is not None:
        if isinstance(mask, (Positional, np.ndarray)) and _is_bool(mask):
            from translator.reading.elementwise import where

            scores = where(context, mask, scores, np.array(-np.inf))
        else:
            scores = binary(context, "add", scores, mask)
    if operator.attributes.get("is_causal", 0):
        from translator.reading.elementwise import where

        length = dims_of(scores)[-1]
        if length.n_coef:
            on = AtLeast(var(0) - var(1))
            causal: Value = Positional(
                (length, length), ((on, np.array([[True]])), (negation(on), np.array([[False]]))), "bool"
            )
        else:
            causal = np.tril(np.ones((length.const, length.const), dtype=bool))
        scores = where(context, causal, scores, np.array(-np.inf))
    result = matmul(context, softmax(context, scores, 3), v)
    if not flat:
        return result
    merged = transpose(context, result, [0, 2, 1, 3])
    dims = dims_of(merged)
    return reshape(context, merged, term_array([dims[0], dims[1], Term((), 0, dims[2].const * dims[3].const)]), True)


def _is_bool(mask: Value) -> bool:
    return (
        mask.dtype == "bool"
        if isinstance(mask, Positional)
        else bool(isinstance(mask, np.ndarray) and mask.dtype == bool)
    )


def _split_heads(context: Context, value: Value, heads: int) -> Value:
    dims = dims_of(value)
    split = [dims[0], dims[1], Term((), 0, heads), Term((), 0, dims[2].const // heads)]
    return transpose(context, reshape(context, value, term_array(split), True), [0, 2, 1, 3])


def rotary_embedding(context: Context, operator: Operator, values: Inputs) -> Value:
    """Rotate pairs of elements by tabulated angles; cosines and sines come as positional tensors."""
    x = needed(values, 0)
    flat = len(dims_of(x)) == 3
    if flat:
        x = _split_heads(context, x, operator.attributes["num_heads"])
    angles = []
    for place in (1, 2):
        cache = needed(values, place)
        if len(values) > 3 and values[3] is not None:
            cache = gather(context, cache, values[3], 0)
        angles.append(unsqueeze(context, cache, [1]))
    cosine, sine = angles
    size = operator.attributes.get("rotary_embedding_dim", 0) or dims_of(x)[3].const
    turned = (
        np.arange(size).reshape(-1, 2).T
        if operator.attributes.get("interleaved", 0)
        else np.arange(size).reshape(2, -1)
    )
    first, second = (take_static(context, x, 3, index) for index in turned)

    def rotated(one: Value, other: Value, op: str) -> Value:
        return binary(context, op, binary(context, "mul", one, cosine), binary(context, "mul", other, sine))

    parts = [rotated(first, second, "sub"), rotated(second, first, "add")]
    back = np.argsort(turned.ravel())
    result = take_static(context, concat(context, parts, 3), 3, back)
    if size < dims_of(x)[3].const:
        rest = take_static(context, x, 3, np.arange(size, dims_of(x)[3].const))
        result = concat(context, [result, rest], 3)
    if not flat:
        return result
    merged = transpose(context, result, [0, 2, 1, 3])
    dims = dims_of(merged)
    return reshape(context, merged, term_array([dims[0], dims[1], Term((), 0, dims[2].const * dims[3].const)]), True)
