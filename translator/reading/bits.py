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
from translator.reading.values import Value, View
from translator.reading.whole_numbers import bounds, range_of, width, wrap

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
    low, high = int(max(low, least)), int(min(high, most))
    count = max(high.bit_length(), (-low - 1).bit_length() if low < 0 else 0, 1) + (low < 0)
    powers = 2.0 ** np.arange(count)
    every = np.arange(a.size * count)
    spread = csr_array(
        (np.tile(1 / powers, a.size), every // count, np.arange(len(every) + 1)), shape=(len(every), a.size)
    )
    bit = call("mod", call("floor", X), 2.0)
    flags = [
        apply_to_view(context, assembly.view_of(assembly.rows(view).apply(spread), assembly.named("bits")), bit)
        for view in (a, b)
    ]
    weights = powers.copy()
    if low < 0:
        weights[-1] = -weights[-1]
    joined = csr_array(
        (np.tile(weights, a.size), every, np.arange(0, len(every) + 1, count)), shape=(a.size, len(every))
    )
    both = assembly.multiply(flags[0], flags[1], every, every)
    return assembly.view_of(assembly.rows(both).apply(joined))


@lowering("BitwiseNot")
def _not(context: Context, operator: Operator, values: Inputs) -> Value:
    value = needed(values, 0)
    low, high = range_of(dtype_of(value))
    return unary(context, call("sub", low + high, X), value)


@lowering("BitShift")
def _shift(context: Context, operator: Operator, values: Inputs) -> Value:
    """Multiply by a power of two; a shift by a negative number or by all bits leaves the sign alone."""
    value, count = needed(values, 0), needed(values, 1)
    dtype = dtype_of(value)
    bits = float(width(dtype))
    places = call("where", call("gt", 0.0, X), bits, call("min", X, bits))
    if operator.attributes["direction"] == "LEFT":
        return unary(
            context, wrap(dtype), binary(context, "mul", value, unary(context, call("pow", 2.0, places), count))
        )
    factor = unary(context, call("pow", 2.0, call("neg", places)), count)
    return unary(context, call("floor", X), binary(context, "mul", value, factor))
