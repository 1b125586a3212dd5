"""Bitwise operators: a bit of a whole number is a step function of it, and two bits meet in a product.

Whole numbers are in two's complement, so that ``a or b = a + b - (a and b)`` and ``a xor b = a + b - 2 (a and b)``.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from circuits.scalar import Scalar, X, const
from translator.reading.assembly import scaled
from translator.reading.combining import apply_to_view
from translator.reading.context import Context, known
from translator.reading.elementwise import binary, unary, zipped
from translator.reading.loading import Operator
from translator.reading.table import Inputs, call, lowering, needed
from translator.reading.types import dtype_of
from translator.reading.values import Value, View, constant
from translator.reading.whole_numbers import bounds, range_of, width, wrap

DIGIT = 16
COMMON = {"BitwiseAnd": (0.0, 1.0), "BitwiseOr": (1.0, -1.0), "BitwiseXor": (1.0, -2.0)}
"""What of the sum, and of the common bits, the result is."""


@lowering("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def _bitwise(context: Context, operator: Operator, values: Inputs) -> Value:
    left, right = needed(values, 0), needed(values, 1)
    dtype = dtype_of(left)
    total, common = COMMON[operator.op_type]

    def combine(a: View, b: View) -> View:
        assembly = context.assembly
        for view, other in ((a, b), (b, a)):
            mask = known(context, other)
            if mask is not None and mask.size and (mask == mask[0]).all():
                both = call("mul", common, masked(int(mask[0]), dtype))
                rest = call("mul", total, call("add", X, float(mask[0])))
                return apply_to_view(context, view, call("add", both, rest) if total else masked(int(mask[0]), dtype))
        rows = scaled(assembly.rows(_common_bits(context, a, b, dtype)), common, 0.0)
        if total:
            rows = rows.plus(assembly.rows(a)).plus(assembly.rows(b))
        return assembly.view_of(rows)

    return zipped(context, combine, left, right)


def masked(mask: int, dtype: str) -> Scalar:
    """The bits of a number that a mask selects, run by run."""
    bits = width(dtype)
    result = const(0.0)
    low = 0
    while low < bits:
        high = low
        while high < bits and mask >> high & 1:
            high += 1
        if high > low:
            run = call("floor", call("div", X, 2.0**low))
            if high < bits:
                run = call("mod", run, 2.0 ** (high - low))
            part = call("mul", run, 2.0**low)
            result = part if result == const(0.0) else call("add", result, part)
        low = high + 1
    return result


def _common_bits(context: Context, a: View, b: View, dtype: str) -> View:
    """The bits that two numbers share."""
    assembly = context.assembly
    (low_a, high_a), (low_b, high_b) = bounds(context, a), bounds(context, b)
    low, high = min(low_a.min(initial=0), low_b.min(initial=0)), max(high_a.max(initial=0), high_b.max(initial=0))
    least, most = range_of(dtype)
    low, high = int(max(low, least)), min(int(min(high, most)), (1 << width(dtype)) - 1)
    count = max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0, 1) + (low < 0)
    total = constant(np.zeros(a.size))
    # The highest digits come first: they nearly cancel in a negative number, and float64 adds in this order.
    for place in reversed(range(0, count, DIGIT)):
        size = min(DIGIT, count - place)
        weights = 2.0 ** (place + np.arange(size))
        if low < 0 and place + size == count:
            weights[-1] = -weights[-1]
        every = np.arange(a.size * size)
        joined = csr_array((np.tile(weights, a.size), every, np.arange(0, len(every) + 1, size)), (a.size, len(every)))
        left, right = (_bits(context, view, place, size) for view in (a, b))
        total = total.plus(assembly.rows(assembly.multiply(left, right, every, every)).apply(joined))
    return assembly.view_of(total)


def _bits(context: Context, view: View, place: int, size: int) -> View:
    """Bits from a place on of every number, in two's complement: those of a digit, of which the halves stay small."""
    assembly = context.assembly
    digit = call("mod", call("floor", call("div", X, 2.0**place)), 2.0**DIGIT)
    every = np.arange(view.size * size)
    halves = np.tile(2.0 ** -np.arange(size), view.size)
    spread = csr_array((halves, every // size, np.arange(len(every) + 1)), shape=(len(every), view.size))
    rows = assembly.rows(apply_to_view(context, view, digit)).apply(spread)
    return apply_to_view(context, assembly.view_of(rows, assembly.named("bits")), call("mod", call("floor", X), 2.0))


@lowering("BitwiseNot")
def _not(context: Context, operator: Operator, values: Inputs) -> Value:
    value = needed(values, 0)
    low, high = range_of(dtype_of(value))
    return unary(context, call("sub", low + high, X), value)


@lowering("BitShift")
def _shift(context: Context, operator: Operator, values: Inputs) -> Value:
    """Shift by 1, 2, 4, .. bits where the count has that bit; by a negative number or by all bits, only the sign is left."""
    value, count = needed(values, 0), needed(values, 1)
    dtype = dtype_of(value)
    bits = width(dtype)
    left = operator.attributes["direction"] == "LEFT"
    places = unary(context, call("where", call("gt", 0.0, X), float(bits), call("min", X, float(bits))), count)
    steps: list[tuple[Scalar, Scalar]] = []
    for step in (1 << place for place in range(bits.bit_length() - 1)):
        shifted = call("mul", X, 2.0**step).then(wrap(dtype)) if left else call("floor", call("div", X, 2.0**step))
        steps.append((call("mod", call("floor", call("div", X, float(step))), 2.0), shifted))
    steps.append((call("ge", X, float(bits)), const(0.0) if left else call("neg", call("gt", 0.0, X))))
    for applies, shifted in steps:
        flag = unary(context, applies, places)
        if isinstance(flag, np.ndarray) and not flag.any():
            continue
        change = unary(context, call("sub", shifted, X), value)
        value = binary(context, "add", value, binary(context, "mul", flag, change))
    return value
