"""Normalizations: centred before they are squared, so that nothing cancels; along static axes or the positions."""

from __future__ import annotations

import numpy as np

from circuits.positions import Term
from circuits.scalar import Scalar, X, const
from translator.axes import Key
from translator.reading.context import Context, dims_of, part_at, plain, to_data
from translator.reading.contraction import contract
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.movement import reshape
from translator.reading.positional import is_terms, term_array
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.values import Data, Part, Value
from translator.reading.walking import share

ONE = Term((), 0, 1)
RSQRT = Scalar("div", (const(1.0), Scalar("sqrt", (X,))))
SQUARE = Scalar("mul", (X, X))


def _epsilon(operator: Operator) -> np.ndarray:
    return np.array(float(operator.attributes.get("epsilon", 1e-5)))


def centred(context: Context, x: Value, axes: list[int]) -> tuple[Value, Value]:
    """The value minus its mean along the axes, and the mean."""
    assembly, hint = context.assembly, context.assembly.hint
    share(x, 2)
    mean = reduce(context, "mean", x, axes, True)
    assembly.hint = f"{hint}.centred"
    result = binary(context, "sub", x, mean)
    assembly.hint = hint
    share(result, 2)
    return result, mean


def variance(context: Context, x: Value, axes: list[int]) -> Value:
    """The mean square of what is centred."""
    assembly, hint = context.assembly, context.assembly.hint
    assembly.hint = f"{hint}.variance"
    result = reduce(context, "mean", unary(context, SQUARE, x), axes, True)
    assembly.hint = hint
    return result


def standardized(context: Context, operator: Operator, x: Value, axes: list[int]) -> tuple[Value, Value]:
    """Divide by the root of the mean square plus epsilon; also the inverse of that root."""
    assembly, hint = context.assembly, context.assembly.hint
    inverse = unary(context, RSQRT, binary(context, "add", variance(context, x, axes), _epsilon(operator)))
    assembly.hint = f"{hint}.scaled"
    result = binary(context, "mul", x, inverse)
    assembly.hint = hint
    return result, inverse


def affine(context: Context, x: Value, gain: Value | None, bias: Value | None) -> Value:
    """``x * gain + bias``, where given."""
    if gain is not None:
        x = binary(context, "mul", x, gain)
    return binary(context, "add", x, bias) if bias is not None else x


@lowering("LayerNormalization")
def layer_normalization(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    """Centre, divide by the standard deviation, gain, bias; also the mean and the inverse standard deviation."""
    axes = _last_axes(operator, values)
    x, mean = centred(context, to_data(context, needed(values, 0)), axes)
    result, inverse = standardized(context, operator, x, axes)
    return [affine(context, result, optional(values, 1), optional(values, 2)), mean, inverse]


@lowering("RMSNormalization", "SimplifiedLayerNormalization")
def _rms_normalization(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    axes, x = _last_axes(operator, values), needed(values, 0)
    share(x, 2)
    result, inverse = standardized(context, operator, x, axes)
    return [affine(context, result, optional(values, 1), optional(values, 2)), inverse]


def _last_axes(operator: Operator, values: Inputs) -> list[int]:
    rank = len(dims_of(needed(values, 0)))
    return list(range(operator.attributes.get("axis", -1) % rank, rank))


@lowering("InstanceNormalization")
def _instance_normalization(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    axes = list(range(2, len(dims_of(x))))
    result, _ = standardized(context, operator, centred(context, x, axes)[0], axes)
    return affine(context, result, *(_channels(context, needed(values, place), len(axes)) for place in (1, 2)))


def _channels(context: Context, value: Value, spatial: int) -> Value:
    """One number for each channel, against axes (batch, channel, spatial..)."""
    return reshape(context, value, term_array([*dims_of(value), *(ONE,) * spatial]), True)


@lowering("GroupNormalization")
def _group_normalization(context: Context, operator: Operator, values: Inputs) -> Value:
    x, gain, bias = (needed(values, place) for place in range(3))
    dims, groups = dims_of(x), operator.attributes["num_groups"]
    if dims[1].n_coef or dims[1].const % groups:
        raise Refusal("N031", f"{dims[1]} channels do not fall into {groups} groups", help="check num_groups")
    each = Term((), 0, dims[1].const // groups)
    split = [dims[0], Term((), 0, groups), each, *dims[2:]]
    x = reshape(context, x, term_array(split), True)
    axes = list(range(2, len(split)))
    result, _ = standardized(context, operator, centred(context, x, axes)[0], axes)
    if context.opset >= 21:  # one number for each channel; before, for each group
        result = reshape(context, result, term_array(list(dims)), True)
        return affine(context, result, *(_channels(context, value, len(dims) - 2) for value in (gain, bias)))
    result = affine(context, result, *(_channels(context, value, len(dims) - 1) for value in (gain, bias)))
    return reshape(context, result, term_array(list(dims)), True)


@lowering("MeanVarianceNormalization")
def _mean_variance_normalization(context: Context, operator: Operator, values: Inputs) -> Value:
    """``(x - mean) / (deviation + 1e-9)``, as the body in ONNX's text says."""
    x = needed(values, 0)
    axes = [axis % len(dims_of(x)) for axis in operator.attributes.get("axes", [0, 2, 3])]
    x, _ = centred(context, x, axes)
    inverse = call("div", 1.0, call("add", call("sqrt", X), 1e-9))
    return binary(context, "mul", x, unary(context, inverse, variance(context, x, axes)))


@lowering("LpNormalization")
def _lp_normalization(context: Context, operator: Operator, values: Inputs) -> Value:
    """Divide by the 1-norm or the 2-norm along an axis; 0 stays 0."""
    x = needed(values, 0)
    axis, p = operator.attributes.get("axis", -1) % len(dims_of(x)), operator.attributes.get("p", 2)
    if p not in (1, 2):
        raise Refusal("N081", f"LpNormalization with p = {p}", help="p is 1 or 2")
    share(x, 2)
    norm = reduce(context, "sum", unary(context, call("abs", X) if p == 1 else SQUARE, x), [axis], True)
    return quotient(context, x, unary(context, call("sqrt", X), norm) if p == 2 else norm)


def quotient(context: Context, x: Value, by: Value) -> Data:
    """``x / by`` where `by` is at least 0, and 0 only where x is: 0 / 0 is 0."""
    data = to_data(context, x)
    denominator = to_data(context, by)
    parts: dict[Key, Part] = {}
    for key, part in data.parts.items():
        den = plain(context, part_at(context, denominator, data.axes, key))
        parts[key] = Part(plain(context, part), den)
    return Data(data.axes, parts)


@lowering("LRN")
def _local_response_normalization(context: Context, operator: Operator, values: Inputs) -> Value:
    """Divide by a power of the sum of squares in a window of channels."""
    x, given = needed(values, 0), operator.attributes
    size, rank = given["size"], len(dims_of(x))
    alpha, beta, bias = (float(given.get(name, default)) for name, default in PARAMETERS)
    channels = dims_of(x)[1]
    if channels.n_coef:
        raise Refusal("N028", "LRN runs along the sequence", help="transpose, so that the channels are on axis 1")
    gap = np.subtract.outer(np.arange(channels.const), np.arange(channels.const))  # output channel minus input channel
    window = ((gap <= (size - 1) // 2) & (-gap <= size // 2)).astype(np.float64)
    labels = list(range(rank))
    out = [rank if label == 1 else label for label in labels]
    share(x, 2)
    sums = contract(context, window, [rank, 1], unary(context, SQUARE, x), labels, out)
    factor = call("pow", call("add", bias, call("mul", alpha / size, X)), -beta)
    return binary(context, "mul", x, unary(context, factor, sums))


PARAMETERS = (("alpha", 1e-4), ("beta", 0.75), ("bias", 1.0))


@lowering("BatchNormalization")
def _batch_normalization(context: Context, operator: Operator, values: Inputs) -> Value:
    """An affine map of each channel, if the statistics are stored; a function of them, if they are inputs."""
    x = needed(values, 0)
    if operator.attributes.get("training_mode", 0) or any(operator.outputs[1:]):
        raise Refusal(
            "N016", "BatchNormalization runs in training mode", help="export in evaluation mode: model.eval()"
        )
    rank = len(dims_of(x))
    scale, bias, mean, spread = (_statistic(context, needed(values, place), rank) for place in range(1, 5))
    inverse = unary(context, RSQRT, binary(context, "add", spread, _epsilon(operator)))
    if isinstance(mean, np.ndarray):  # with stored statistics: one factor and one summand
        factor = binary(context, "mul", scale, inverse)
        return affine(context, x, factor, binary(context, "sub", bias, binary(context, "mul", mean, factor)))
    shifted = binary(context, "mul", binary(context, "sub", x, mean), inverse)
    return affine(context, shifted, scale, bias)


def _statistic(context: Context, value: Value, rank: int) -> Value:
    """Statistics of each channel (or, with `spatial` off before opset 9, of each element) against the input's axes."""
    if isinstance(value, np.ndarray) and not is_terms(value):
        value = np.asarray(value, dtype=np.float64)
    own = len(dims_of(value))
    return reshape(context, value, term_array([ONE, *dims_of(value), *(ONE,) * (rank - 1 - own)]), True)
