"""Arithmetic, comparisons and logic of two or more tensors, with the rules of ONNX's number types and of its old broadcasting."""

from __future__ import annotations

import numpy as np

from circuits.positions import TRUE, Term
from circuits.scalar import Scalar, X
from translator.reading.combining import truncated
from translator.reading.context import Context, dims_of
from translator.reading.curves import Curve, apply
from translator.reading.elementwise import binary, unary, where
from translator.reading.loading import Operator
from translator.reading.movement import reshape
from translator.reading.positional import as_positional, elementwise, term_array
from translator.reading.refusing import Refusal
from translator.reading.table import OPERATORS, Inputs, call, lowering, needed, number, optional
from translator.reading.types import dtype_of, is_whole
from translator.reading.values import Data, Positional, Value
from translator.reading.whole_numbers import wrapped

BINARY = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Greater": "gt", "GreaterOrEqual": "ge",
    "Less": "lt", "LessOrEqual": "le", "Equal": "eq", "And": "and", "Or": "or", "Xor": "xor",
}  # fmt: skip
WRAPPING = frozenset(["Add", "Sub", "Mul"])


def aligned(context: Context, operator: Operator, values: Inputs) -> tuple[Value, Value]:
    """The two operands; before opset 7 the second one is broadcast from a given axis on, if an attribute says so."""
    left, right = needed(values, 0), needed(values, 1)
    axis = operator.attributes.get("axis")
    if context.opset >= 7 or axis is None or not operator.attributes.get("broadcast", 0):
        return left, right
    behind = len(dims_of(left)) - axis % len(dims_of(left)) - len(dims_of(right))
    return left, with_trailing(context, right, behind)


def with_trailing(context: Context, value: Value, count: int) -> Value:
    """The tensor with axes of size 1 behind its own."""
    if count <= 0:
        return value
    return reshape(context, value, term_array([*dims_of(value), *[Term((), 0, 1)] * count]), True)


def _binary(context: Context, operator: Operator, values: Inputs) -> Value:
    left, right = aligned(context, operator, values)
    dtype = dtype_of(left)
    op = BINARY[operator.op_type]
    if op == "div" and is_whole(dtype):
        op = "quotient"
    result = binary(context, op, left, right)
    return wrapped(context, result, dtype) if operator.op_type in WRAPPING else result


for _name in BINARY:
    OPERATORS[_name] = _binary


@lowering("Mod")
def _mod(context: Context, operator: Operator, values: Inputs) -> Value:
    return binary(
        context, "fmod" if operator.attributes.get("fmod", 0) else "mod", needed(values, 0), needed(values, 1)
    )


@lowering("Pow")
def _pow(context: Context, operator: Operator, values: Inputs) -> Value:
    base, exponent = aligned(context, operator, values)
    power = binary(context, "pow", base, exponent)
    dtype = dtype_of(base)
    if not is_whole(dtype) or not isinstance(power, Data):
        return power
    if isinstance(exponent, np.ndarray) and exponent.dtype != object:
        numbers = np.asarray(exponent, dtype=np.float64)
        if (numbers < 0).any() or (numbers % 1).any():
            power = unary(context, truncated(X), power)
    elif is_whole(dtype_of(exponent)):
        power = unary(context, call("round", X), power)
    else:
        # a whole exponent gives a whole power: half of one more before what is behind the point is cut off
        half = unary(context, call("where", call("eq", call("floor", X), X), 0.5, 0.0), exponent)
        away = binary(context, "mul", half, unary(context, call("sign", X), power))
        power = unary(context, truncated(X), binary(context, "add", power, away))
    return wrapped(context, power, dtype)


@lowering("Max", "Min", "Sum", "Mean")
def _variadic(context: Context, operator: Operator, values: Inputs) -> Value:
    op = {"Max": "max", "Min": "min"}.get(operator.op_type, "add")
    result = needed(values, 0)
    for index in range(1, len(values)):
        result = binary(context, op, result, needed(values, index))
    if operator.op_type == "Mean":
        result = binary(context, "div", result, np.array(float(len(values))))
    return result


@lowering("Clip")
def _clip(context: Context, operator: Operator, values: Inputs) -> Value:
    result = needed(values, 0)
    low, high = optional(values, 1), optional(values, 2)
    if low is None and "min" in operator.attributes:
        low = np.array(operator.attributes["min"])
    if high is None and "max" in operator.attributes:
        high = np.array(operator.attributes["max"])
    if low is not None:
        result = binary(context, "max", result, low)
    return binary(context, "min", result, high) if high is not None else result


@lowering("PRelu")
def _prelu(context: Context, operator: Operator, values: Inputs) -> Value:
    x, slope = needed(values, 0), needed(values, 1)
    if context.opset < 7 and len(dims_of(slope)) == 1 and dims_of(slope)[0] != Term((), 0, 1):
        slope = with_trailing(context, slope, len(dims_of(x)) - 2)
    above = unary(context, call("max", X, 0.0), x)
    below = unary(context, call("min", X, 0.0), x)
    dtype = dtype_of(x)
    return wrapped(context, binary(context, "add", above, binary(context, "mul", below, slope)), dtype)


@lowering("Where")
def _where(context: Context, operator: Operator, values: Inputs) -> Value:
    return where(context, needed(values, 0), needed(values, 1), needed(values, 2))


@lowering("Neg", "Abs")
def _sign(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    return wrapped(context, unary(context, Scalar(operator.op_type.lower(), (X,)), x), dtype_of(x))


@lowering("Not")
def _not(context: Context, operator: Operator, values: Inputs) -> Value:
    value = needed(values, 0)
    if isinstance(value, Data):
        return unary(context, call("sub", 1.0, X), value)
    if isinstance(value, Curve):
        return apply(call("sub", 1.0, X), value, "bool")
    return elementwise(np.logical_not, as_positional(value), dtype="bool", on_terms=lambda a: None)


@lowering("Dropout")
def _dropout(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    training = optional(values, 2)
    if training is not None and number(training):
        raise Refusal(
            "N016", "Dropout runs in training mode", help="export the network in evaluation mode: model.eval()"
        )
    value = needed(values, 0)
    dims = dims_of(value)
    mask: Value = Positional(dims, ((TRUE, np.ones([1 if d.n_coef else d.const for d in dims], dtype=bool)),), "bool")
    return [value, mask][: len(operator.outputs)]
