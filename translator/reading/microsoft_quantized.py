"""Quantized operators of onnxruntime (domain com.microsoft), with the roundings of its kernels.

Each is what its float operator does on ``(code - zero) * scale``, made a code again. Where a kernel adds the zero point before
it rounds (QLinearAdd, QLinearMul, QLinearAveragePool), a tie goes to the even *code*.
"""

from __future__ import annotations

import numpy as np

from circuits.scalar import Scalar, X
from translator.reading.calling import along, call_one, call_operator, typed
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary, unary, where
from translator.reading.joining import concat
from translator.reading.loading import Operator
from translator.reading.movement import transpose
from translator.reading.quantized import (
    centred,
    product,
    quantize,
    quotient,
    range_of,
    reach,
    requantize,
    saturate,
    uniform,
)
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed, optional, wide
from translator.reading.types import dtype_of
from translator.reading.values import Value
from translator.reading.walking import share


def single(value: Value, what: str) -> float:
    """A known scale or zero point of a whole tensor.

    Raises:
        Refusal: it depends on the input, or there are several.
    """
    number = uniform(value)
    if number is None:
        raise Refusal("N039", f"the {what} has to be one known number", help="quantize with constant scales")
    return number


def scalar(context: Context, value: Value) -> Value:
    """A parameter of the whole tensor, without axes."""
    return along(context, value, 0, 0)


def again(
    context: Context,
    codes: Value,
    scale: Value,
    zero: Value | None,
    new_scale: Value,
    new_zero: Value | None,
    dtype: str,
    function: Scalar = X,
) -> Value:
    """A function of dequantized codes, quantized: one table from code to code."""
    number = call("float32", call("mul", X, single(scale, "scale")))
    if function != X:
        number = call("float32", number.then(function))
    result = call("float32", call("div", number, single(new_scale, "scale")))
    return typed(saturate(context, result, centred(context, codes, zero), new_zero, dtype), dtype)


@lowering("com.microsoft::QGemm")
def _qgemm(context: Context, operator: Operator, values: Inputs) -> Value:
    a, a_scale, a_zero, b, b_scale, b_zero = (needed(values, place) for place in range(6))
    bias, y_scale, y_zero = (optional(values, place) for place in (6, 7, 8))
    kind = dtype_of(a)
    if operator.attributes.get("transA", 0):
        a = typed(transpose(context, a, [1, 0]), kind)
    if operator.attributes.get("transB", 0):
        b = transpose(context, b, [1, 0])
    total = product(context, a, scalar(context, a_zero), b, b_zero)
    if bias is not None:
        total = binary(context, "add", total, wide(bias))
    alpha = float(operator.attributes.get("alpha", 1.0))
    factor = quotient(context, scalar(context, a_scale), b_scale, y_scale, alpha)
    if y_scale is None:
        return typed(binary(context, "mul", total, factor), dtype_of(a_scale))
    dtype = dtype_of(y_zero) if y_zero is not None else kind
    zero = None if y_zero is None else scalar(context, y_zero)
    return typed(requantize(context, total, factor, zero, dtype, reach(a, b)), dtype)


@lowering("com.microsoft::QLinearAdd")
def _qlinear_add(context: Context, operator: Operator, values: Inputs) -> Value:
    a, b, dtype = needed(values, 0), needed(values, 3), dtype_of(needed(values, 0))
    scales = [np.float32(single(needed(values, place), "scale")) for place in (1, 4, 6)]
    zeros = [np.float32(0 if value is None else single(value, "zero point")) for value in _zeros(values, (2, 5, 7))]
    first, second = scales[0] / scales[2], scales[1] / scales[2]
    fixed = zeros[2] - (first * zeros[0] + second * zeros[1])
    total = binary(
        context,
        "add",
        binary(context, "mul", wide(a), np.array(float(first))),
        binary(context, "mul", wide(b), np.array(float(second))),
    )
    number = call("float32", call("add", X, float(fixed)))
    return typed(saturate(context, number, total, None, dtype), dtype)


def _zeros(values: Inputs, places: tuple[int, ...]) -> list[Value | None]:
    return [optional(values, place) for place in places]


@lowering("com.microsoft::QLinearMul")
def _qlinear_mul(context: Context, operator: Operator, values: Inputs) -> Value:
    a, b, dtype = needed(values, 0), needed(values, 3), dtype_of(needed(values, 0))
    scales = [np.float32(single(needed(values, place), "scale")) for place in (1, 4, 6)]
    zero_a, zero_b, zero = _zeros(values, (2, 5, 7))
    whole = binary(context, "mul", centred(context, a, zero_a), centred(context, b, zero_b))
    factor = float(scales[0] * scales[1] / scales[2])
    point = 0.0 if zero is None else single(zero, "zero point")
    number = call("float32", call("add", call("float32", call("mul", X, factor)), point))
    return typed(saturate(context, number, whole, None, dtype), dtype)


@lowering("com.microsoft::QLinearSigmoid", "com.microsoft::QLinearLeakyRelu")
def _qlinear_function(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    function = call("sigmoid", X)
    if operator.op_type == "QLinearLeakyRelu":
        slope = float(operator.attributes.get("alpha", 0.01))
        function = call("where", call("ge", X, 0.0), X, call("float32", call("mul", X, slope)))
    new_scale, new_zero = needed(values, 3), optional(values, 4)
    return again(context, x, needed(values, 1), optional(values, 2), new_scale, new_zero, dtype_of(x), function)


@lowering("com.microsoft::QLinearConcat")
def _qlinear_concat(context: Context, operator: Operator, values: Inputs) -> Value:
    new_scale, new_zero, dtype = needed(values, 0), needed(values, 1), dtype_of(needed(values, 1))
    pieces = [
        again(context, needed(values, place), needed(values, place + 1), optional(values, place + 2), new_scale, new_zero, dtype)
        for place in range(2, len(values), 3)
    ]  # fmt: skip
    return typed(concat(context, pieces, operator.attributes["axis"] % len(dims_of(pieces[0]))), dtype)


@lowering("com.microsoft::QLinearWhere")
def _qlinear_where(context: Context, operator: Operator, values: Inputs) -> Value:
    new_scale, new_zero, dtype = needed(values, 7), optional(values, 8), dtype_of(needed(values, 1))
    yes, no = (
        again(context, needed(values, place), needed(values, place + 1), optional(values, place + 2), new_scale, new_zero, dtype)
        for place in (1, 4)
    )  # fmt: skip
    return typed(where(context, needed(values, 0), yes, no), dtype)


@lowering("com.microsoft::QLinearAveragePool")
def _qlinear_average_pool(context: Context, operator: Operator, values: Inputs) -> Value:
    x, rank, dtype = needed(values, 0), len(dims_of(needed(values, 0))), dtype_of(needed(values, 0))
    taken = {name: value for name, value in operator.attributes.items() if name != "channels_last"}
    inward, outward = [0, rank - 1, *range(1, rank - 1)], [0, *range(2, rank), 1]
    last = bool(operator.attributes.get("channels_last", 0))
    codes = centred(context, transpose(context, x, inward) if last else x, optional(values, 2))
    mean = call_one(context, "AveragePool", codes, **taken)
    zero = optional(values, 4)
    number = call("float32", call("mul", X, single(needed(values, 1), "scale")))
    number = call("float32", call("div", number, single(needed(values, 3), "scale")))
    number = call("float32", call("add", number, 0.0 if zero is None else single(zero, "zero point")))
    result = saturate(context, number, mean, None, dtype)
    return typed(transpose(context, result, outward) if last else result, dtype)


@lowering("com.microsoft::QLinearGlobalAveragePool")
def _qlinear_global_average_pool(context: Context, operator: Operator, values: Inputs) -> Value:
    x, rank, dtype = needed(values, 0), len(dims_of(needed(values, 0))), dtype_of(needed(values, 0))
    axes = list(range(1, rank - 1)) if operator.attributes.get("channels_last", 0) else list(range(2, rank))
    sizes = [dims_of(x)[axis] for axis in axes]
    if any(size.n_coef for size in sizes):
        raise Refusal("N028", "QLinearGlobalAveragePool along the sequence", help="use the float operator there")
    count = np.float32(np.prod([size.const for size in sizes]))
    total = reduce(context, "sum", centred(context, x, optional(values, 2)), axes, True)
    scale, new_scale = (np.float32(single(needed(values, place), "scale")) for place in (1, 3))
    factor = np.asarray(scale / (new_scale * count))
    return typed(requantize(context, total, factor, optional(values, 4), dtype), dtype)


@lowering("com.microsoft::QLinearSoftmax")
def _qlinear_softmax(context: Context, operator: Operator, values: Inputs) -> Value:
    x, dtype = needed(values, 0), dtype_of(needed(values, 0))
    opset = int(operator.attributes["opset"])
    scores = binary(context, "mul", wide(x), np.array(single(needed(values, 1), "scale")))
    axis = int(operator.attributes.get("axis", 1 if opset < 13 else -1))
    (weights,) = call_operator(context, "Softmax", [scores], opset=opset, axis=axis)
    steps = float(np.floor(np.float32(1) / np.float32(single(needed(values, 3), "scale"))))
    return typed(saturate(context, call("float32", call("mul", X, steps)), weights, optional(values, 4), dtype), dtype)


@lowering("com.microsoft::DynamicQuantizeMatMul")
def _dynamic_matmul(context: Context, operator: Operator, values: Inputs) -> Value:
    a = needed(values, 0)
    share(a, 2)
    scale, zero = range_of(context, a, 0.0, 255.0)
    share(zero, 2)
    codes = quantize(context, a, scale, zero, "uint8")
    total = product(context, codes, zero, needed(values, 1), optional(values, 3))
    return _to_float(context, total, scale, needed(values, 2), optional(values, 4), dtype_of(a))


@lowering("com.microsoft::MatMulIntegerToFloat")
def _matmul_to_float(context: Context, operator: Operator, values: Inputs) -> Value:
    a, b, a_scale, b_scale = (needed(values, place) for place in range(4))
    total = product(context, a, optional(values, 4), b, optional(values, 5))
    return _to_float(context, total, a_scale, b_scale, optional(values, 6), dtype_of(a_scale))


def _to_float(context: Context, total: Value, scale: Value, other: Value, bias: Value | None, dtype: str) -> Value:
    result = binary(context, "mul", total, quotient(context, scale, other, None))
    return typed(result if bias is None else binary(context, "add", result, bias), dtype)


@lowering("com.microsoft::MulInteger")
def _mul_integer(context: Context, operator: Operator, values: Inputs) -> Value:
    left = centred(context, needed(values, 0), optional(values, 1))
    return typed(binary(context, "mul", left, centred(context, needed(values, 2), optional(values, 3))), "int32")


@lowering("com.microsoft::ReduceSumInteger")
def _reduce_sum_integer(context: Context, operator: Operator, values: Inputs) -> Value:
    axes, keep = operator.attributes["axes"], bool(operator.attributes["keepdims"])
    return typed(reduce(context, "sum", unary(context, X, wide(needed(values, 0))), axes, keep), "int32")
