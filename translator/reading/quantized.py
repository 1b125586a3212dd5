"""Quantized operators of ONNX: codes of small integer types, scales and zero points.

A code is a step function of an exact number. ONNX's runtime computes the number before the step in float32, and near a tie that
decides the code; so the rounding to float32 is part of the function, as the operation `float32`. It costs nothing there: the
step is one table with it or without. Sums of products of codes stay exact integers, and a code minus its zero point times its
scale stays affine, so that what cancels, cancels.
"""

from __future__ import annotations

import re

import numpy as np

from circuits.positions import Term
from circuits.scalar import Scalar, X
from circuits.small_floats import SMALL_FLOATS
from translator.reading.calling import along, call_one, typed
from translator.reading.context import Context, dims_of
from translator.reading.conversions import to_small_float
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.movement import take_static, unsqueeze
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed, optional, wide
from translator.reading.types import dtype_of, number_name
from translator.reading.values import Array, Data, Part, Value
from translator.reading.walking import share

SINGLE = call("float32", X)
EXACT_SINGLE = 1 << 24


def limits(dtype: str) -> tuple[int, int]:
    """The least and the largest code of an integer type.

    Raises:
        Refusal: it is no integer type.
    """
    found = re.fullmatch(r"(u?)int(\d+)", dtype)
    if found is None:
        raise Refusal(
            "N011",
            f"quantization to the type {dtype} is not supported",
            note="codes are int2 to int32, uint2 to uint32, float8 or float4",
            help="quantize to int8 or uint8",
        )
    bits = int(found[2])
    return (0, (1 << bits) - 1) if found[1] else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


def uniform(value: Value) -> float | None:
    """The one number that a known value holds everywhere."""
    if not isinstance(value, np.ndarray) or value.dtype == object or not value.size:
        return None
    numbers = np.asarray(value, dtype=np.float64).ravel()
    return float(numbers[0]) if (numbers == numbers[0]).all() else None


def saturate(context: Context, number: Scalar, value: Value, zero: Value | None, dtype: str) -> Value:
    """The code ``clip(half_even(number(value)) + zero)`` of an integer type."""
    low, high = limits(dtype)
    point = 0.0 if zero is None else uniform(wide(zero))
    step = call("round", number)
    if point is None:  # codes that go beyond the range at any zero point need not be told apart
        step = clip(step, low - high - 1, high - low)
        codes = binary(context, "add", unary(context, step, value), wide(zero) if zero is not None else np.array(0))
        return unary(context, clip(X, low, high), codes)
    codes = unary(context, clip(step, low - point, high - point), value)
    return binary(context, "add", codes, np.array(point)) if point else codes


def clip(function: Scalar, low: float, high: float) -> Scalar:
    """``min(max(function, low), high)``."""
    return call("min", call("max", function, low), high)


def centred(context: Context, codes: Value, zero: Value | None) -> Value:
    """Codes minus their zero point, as whole numbers that do not wrap."""
    if dtype_of(codes) in SMALL_FLOATS:
        return codes.astype(np.float64) if isinstance(codes, np.ndarray) else codes
    if zero is None or uniform(zero) == 0:
        return wide(codes)
    return binary(context, "sub", wide(codes), wide(zero))


def quantize(
    context: Context, value: Value, scale: Value, zero: Value | None, dtype: str, saturates: bool = True
) -> Value:
    """``clip(half_even(value / scale) + zero)``; the quotient is a float32. It is rounded to a small float if `dtype` is one."""
    number = uniform(scale)
    if dtype in SMALL_FLOATS:
        point = None if zero is None or uniform(zero) == 0 else zero
        if isinstance(point, np.ndarray):
            raise Refusal("N011", f"a zero point of {dtype} that is not 0", help="quantize without a zero point")
        if number is None or point is not None:
            single = unary(context, SINGLE, binary(context, "div", value, scale))
            shifted = single if point is None else binary(context, "add", single, point)
            return to_small_float(context, shifted, dtype, saturates)
        return to_small_float(context, value, dtype, saturates, call("float32", call("div", SINGLE, number)))
    if number is not None:
        return saturate(context, call("float32", call("div", SINGLE, number)), value, zero, dtype)
    return saturate(context, SINGLE, binary(context, "div", value, scale), zero, dtype)


def dequantize(context: Context, codes: Value, scale: Value, zero: Value | None) -> Value:
    """``(codes - zero) * scale``; known numbers are float32, as the runtime makes them."""
    whole = centred(context, codes, zero)
    if isinstance(whole, np.ndarray) and isinstance(scale, np.ndarray) and whole.dtype != object:
        return np.asarray(whole.astype(np.float32) * scale.astype(np.float32))
    return binary(context, "mul", whole, scale)


def requantize(
    context: Context, total: Value, factor: Value, zero: Value | None, dtype: str, largest: float = np.inf
) -> Value:
    """``clip(half_even(total * factor) + zero)`` of an exact integer, in float32.

    Args:
        total: whole numbers.
        factor: the quotient of scales, made by `quotient`.
        largest: a bound of the whole numbers: below 2^24 they are float32 already.
    """
    number = uniform(factor)
    if number is not None:
        return saturate(context, call("float32", call("mul", SINGLE, number)), total, zero, dtype)
    if largest > EXACT_SINGLE:
        total = unary(context, SINGLE, total)
    return saturate(context, SINGLE, binary(context, "mul", total, factor), zero, dtype)


def quotient(context: Context, left: Value, right: Value, result: Value | None, alpha: float = 1.0) -> Value:
    """The factor ``alpha * left * right / result`` of scales, rounded to float32 after each operation."""
    if all(part is None or (isinstance(part, np.ndarray) and part.dtype != object) for part in (left, right, result)):
        single = [None if part is None else np.asarray(part, dtype=np.float32) for part in (left, right, result)]
        product = np.float32(alpha) * np.asarray(single[0]) * np.asarray(single[1])
        return np.asarray(product if single[2] is None else product / single[2], dtype=np.float32)
    product_ = binary(context, "mul", left, right)
    if alpha != 1:
        product_ = binary(context, "mul", product_, np.array(alpha))
    return product_ if result is None else binary(context, "div", product_, result)


def parameter(context: Context, operator: Operator, value: Value, like: Value) -> Value:
    """A scale or zero point, broadcast to the tensor: one number, one for each entry of an axis, or one for each block."""
    rank, dims = len(dims_of(like)), dims_of(value)
    axis = operator.attributes.get("axis", 1)
    if len(dims) < 2 and rank:
        return along(context, value, axis, rank)
    axis %= max(rank, 1)
    block = operator.attributes.get("block_size", 0)
    length = dims_of(like)[axis] if rank else Term((), 0, 1)
    if len(dims) != rank or dims == dims_of(like) or not block:
        return value
    if length.n_coef:
        raise Refusal(
            "N023",
            "quantization in blocks along the sequence",
            note="the blocks would be other ones at each length",
            help="quantize in blocks along a static axis",
        )
    return take_static(context, value, axis, np.arange(length.const) // block)


@lowering("QuantizeLinear", "com.microsoft::QuantizeLinear")
def _quantize(context: Context, operator: Operator, values: Inputs) -> Value:
    x, zero = needed(values, 0), optional(values, 2)
    given = operator.attributes.get("output_dtype", 0)
    dtype = dtype_of(zero) if zero is not None else number_name(given) if given else "uint8"
    scale = parameter(context, operator, needed(values, 1), x)
    point = None if zero is None else parameter(context, operator, zero, x)
    saturates = bool(operator.attributes.get("saturate", 1))
    return typed(quantize(context, x, scale, point, dtype, saturates), dtype)


@lowering("DequantizeLinear", "com.microsoft::DequantizeLinear")
def _dequantize(context: Context, operator: Operator, values: Inputs) -> Value:
    x, zero = needed(values, 0), optional(values, 2)
    scale = parameter(context, operator, needed(values, 1), x)
    given = operator.attributes.get("output_dtype", 0)
    point = None if zero is None else parameter(context, operator, zero, x)
    dtype = number_name(given) if given else dtype_of(needed(values, 1))
    scores, context.toward_softmax = context.toward_softmax, frozenset()  # a zero point is no mask, however low it is
    try:
        return typed(dequantize(context, x, scale, point), dtype)
    finally:
        context.toward_softmax = scores


def range_of(context: Context, x: Value, low: float, high: float) -> tuple[Value, Value]:
    """Scale and zero point from the range of the whole tensor, as DynamicQuantizeLinear's text says; scale 1 for zeros."""
    zero = np.array(0.0)
    most = binary(context, "max", reduce(context, "max", x, None, False), zero)
    least = binary(context, "min", reduce(context, "min", x, None, False), zero)
    share(least, 2)
    width = binary(context, "sub", most, least)
    step = call("float32", call("div", SINGLE, high - low))
    scale = unary(context, call("where", call("gt", X, 0.0), step, 1.0), width)
    scale = positive(context, scale)
    below = binary(context, "div", binary(context, "mul", least, np.array(-1.0)), scale)
    number = SINGLE if low == 0 else call("float32", call("add", SINGLE, low))
    return scale, unary(context, call("round", clip(number, low, high)), below)


def positive(context: Context, value: Value) -> Value:
    """Make a node of what is known to be positive, so that a division by it is a quotient."""
    if not isinstance(value, Data):
        return value
    parts = {}
    for key, part in value.parts.items():
        view = context.assembly.tabulate(context.assembly.settle(part))
        context.assembly.emit(view.source)
        context.assembly.mark_positive(view.source)
        parts[key] = Part(view)
    return Data(value.axes, parts, value.dtype)


@lowering("DynamicQuantizeLinear")
def _dynamic_quantize(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    x = needed(values, 0)
    share(x, 2)
    scale, zero = range_of(context, x, 0.0, 255.0)
    share(zero, 2)
    return [quantize(context, x, scale, zero, "uint8"), scale, zero]


@lowering("MatMulInteger")
def _matmul_integer(context: Context, operator: Operator, values: Inputs) -> Value:
    return product(context, needed(values, 0), optional(values, 2), needed(values, 1), optional(values, 3))


def product(context: Context, a: Value, zero_a: Value | None, b: Value, zero_b: Value | None) -> Value:
    """The matrix product of two matrices of codes: whole numbers."""
    left = centred(context, a, None if zero_a is None else rows(context, zero_a))
    return call_one(context, "MatMul", left, centred(context, b, zero_b))


def rows(context: Context, value: Value) -> Value:
    """A parameter of the rows of a matrix: a vector stands along the last axis but one."""
    dims = dims_of(value)
    if len(dims) != 1 or dims[0] == Term((), 0, 1):
        return along(context, value, 0, 0) if len(dims) == 1 else value
    return unsqueeze(context, value, [1])


@lowering("ConvInteger")
def _conv_integer(context: Context, operator: Operator, values: Inputs) -> Value:
    return convolution(
        context, operator, needed(values, 0), optional(values, 2), needed(values, 1), optional(values, 3)
    )


def convolution(
    context: Context,
    operator: Operator,
    x: Value,
    zero: Value | None,
    kernel: Value,
    kernel_zero: Value | None,
    bias: Value | None = None,
) -> Value:
    """The convolution of codes: whole numbers. The padding holds zero points."""
    if kernel_zero is not None:
        kernel_zero = along(context, kernel_zero, 0, len(dims_of(kernel)))
    taps = centred(context, kernel, kernel_zero)
    taken = {
        name: operator.attributes[name]
        for name in ("auto_pad", "dilations", "group", "kernel_shape", "pads", "strides")
        if name in operator.attributes
    }
    given = centred(context, x, None if zero is None else along(context, zero, 0, 0))
    return call_one(context, "Conv", given, taps, None if bias is None else wide(bias), **taken)


@lowering("QLinearMatMul")
def _qlinear_matmul(context: Context, operator: Operator, values: Inputs) -> Value:
    a, a_scale, a_zero, b, b_scale, b_zero, y_scale, y_zero = (needed(values, place) for place in range(8))
    factor = quotient(context, rows(context, a_scale), b_scale, y_scale)
    total = product(context, a, a_zero, b, b_zero)
    return requantize(context, total, factor, rows(context, y_zero), dtype_of(y_zero), reach(a, b))


@lowering("QLinearConv", "com.microsoft::QLinearConv")
def _qlinear_conv(context: Context, operator: Operator, values: Inputs) -> Value:
    x, x_scale, x_zero, w, w_scale, w_zero, y_scale, y_zero = (needed(values, place) for place in range(8))
    if operator.attributes.get("channels_last", 0):
        raise Refusal("N011", "QLinearConv with channels last", help="export without layout optimizations")
    total = convolution(context, operator, x, x_zero, w, w_zero, optional(values, 8))
    factor = along(context, quotient(context, x_scale, w_scale, y_scale), 1, len(dims_of(x)))
    zero, dtype = along(context, y_zero, 0, 0), dtype_of(y_zero)
    return typed(requantize(context, total, factor, zero, dtype, reach(x, w, kernel=True)), dtype)


def reach(a: Value, b: Value, kernel: bool = False) -> float:
    """A bound of the sums of products of two tensors of codes, without a bias."""
    low, high = limits(dtype_of(a))
    span = high - low
    if not isinstance(b, np.ndarray):
        return np.inf
    weights: Array = np.abs(np.asarray(b, dtype=np.float64)) + 255
    total = weights.sum(axis=tuple(range(1, b.ndim)) if kernel else (-2 if b.ndim > 1 else None))
    return float(span * np.max(total, initial=0.0)) + 1
