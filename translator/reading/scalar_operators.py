"""Entries of the table that work element by element: functions, arithmetic, comparisons, conversions, quantization."""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from circuits.positions import TRUE
from circuits.scalar import Scalar, X
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary, unary, where
from translator.reading.loading import Operator
from translator.reading.positional import elementwise, is_terms, of_array
from translator.reading.refusing import Refusal
from translator.reading.table import OPERATORS, Inputs, call, lowering, needed, number, optional
from translator.reading.values import Array, Data, Positional, Value

SCALARS: dict[str, Scalar] = {
    "Neg": call("neg", X),
    "Abs": call("abs", X),
    "Sqrt": call("sqrt", X),
    "Reciprocal": call("div", 1.0, X),
    "Exp": call("exp", X),
    "Log": call("log", X),
    "Erf": call("erf", X),
    "Tanh": call("tanh", X),
    "Sigmoid": call("sigmoid", X),
    "Softplus": call("softplus", X),
    "Softsign": call("div", X, call("add", 1.0, call("abs", X))),
    "Round": call("round", X),
    "Floor": call("floor", X),
    "Ceil": call("ceil", X),
    "Sign": call("sign", X),
    "Sin": call("sin", X),
    "Cos": call("cos", X),
    **{
        name: call(name.lower(), X)
        for name in ("Tan", "Asin", "Acos", "Atan", "Sinh", "Cosh", "Asinh", "Acosh", "Atanh")
    },
    "Relu": call("max", X, 0.0),
    "Not": call("sub", 1.0, X),
    "HardSwish": call("mul", X, call("max", 0.0, call("min", 1.0, call("add", call("mul", X, 1 / 6), 0.5)))),
    "Mish": call("mul", X, call("tanh", call("softplus", X))),
}


BOOLEAN = {"Not"}


def _scalar(context: Context, operator: Operator, values: Inputs) -> Value:
    value = needed(values, 0)
    if operator.op_type == "Not" and not isinstance(value, Data):
        value = of_array(value) if isinstance(value, np.ndarray) else value
        return elementwise(np.logical_not, value, dtype="bool", on_terms=lambda a: None)
    return unary(context, SCALARS[operator.op_type], value)


for _name in SCALARS:
    OPERATORS[_name] = _scalar


@lowering("Dropout", "CastLike")
def _first(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    if operator.op_type == "Dropout" and optional(values, 2) is not None and number(needed(values, 2)):
        raise Refusal(
            "N016", "Dropout runs in training mode", help="export the network in evaluation mode: model.eval()"
        )
    return [needed(values, 0)]


@lowering("Elu", "Celu", "Selu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "Gelu", "Swish", "QuickGelu", "Shrink")
def _parametric(context: Context, operator: Operator, values: Inputs) -> Value:
    def attribute(name: str, default: float) -> float:
        return float(operator.attributes.get(name, default))

    below, above = call("min", X, 0.0), call("max", X, 0.0)
    match operator.op_type:
        case "Elu":
            f = call("add", above, call("mul", attribute("alpha", 1.0), call("sub", call("exp", below), 1.0)))
        case "Celu":
            a = attribute("alpha", 1.0)
            f = call("add", above, call("mul", a, call("sub", call("exp", call("div", below, a)), 1.0)))
        case "Selu":
            a, g = attribute("alpha", 1.67326319217681884765625), attribute("gamma", 1.05070102214813232421875)
            f = call("mul", g, call("add", above, call("mul", a, call("sub", call("exp", below), 1.0))))
        case "LeakyRelu":
            f = call("add", above, call("mul", attribute("alpha", 0.01), below))
        case "ThresholdedRelu":
            f = call("mul", X, call("gt", X, attribute("alpha", 1.0)))
        case "HardSigmoid":
            line = call("add", call("mul", attribute("alpha", 0.2), X), attribute("beta", 0.5))
            f = call("max", 0.0, call("min", 1.0, line))
        case "Shrink":
            b, lam = attribute("bias", 0.0), attribute("lambd", 0.5)
            f = call(
                "where",
                call("gt", X, lam),
                call("sub", X, b),
                call("where", call("gt", -lam, X), call("add", X, b), 0.0),
            )
        case "Gelu" if operator.attributes.get("approximate", "none") == "tanh":
            inner = call("mul", sqrt(2 / pi), call("add", X, call("mul", 0.044715, call("pow", X, 3.0))))
            f = call("mul", call("mul", 0.5, X), call("add", 1.0, call("tanh", inner)))
        case "Gelu":
            f = call("mul", call("mul", 0.5, X), call("add", 1.0, call("erf", call("div", X, sqrt(2)))))
        case _:
            f = call(
                "mul",
                X,
                call("sigmoid", call("mul", attribute("alpha", 1.702 if operator.op_type == "QuickGelu" else 1.0), X)),
            )
    return unary(context, f, needed(values, 0))


BINARY = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Greater": "gt", "GreaterOrEqual": "ge",
    "Less": "lt", "LessOrEqual": "le", "Equal": "eq", "And": "and", "Or": "or", "Xor": "xor",
}  # fmt: skip


def _binary(context: Context, operator: Operator, values: Inputs) -> Value:
    return binary(context, BINARY[operator.op_type], needed(values, 0), needed(values, 1))


for _name in BINARY:
    OPERATORS[_name] = _binary


@lowering("Mod")
def _mod(context: Context, operator: Operator, values: Inputs) -> Value:
    if operator.attributes.get("fmod", 0):
        raise Refusal("N021", "Mod with fmod=1 is not supported", help="use the integer remainder")
    return binary(context, "mod", needed(values, 0), needed(values, 1))


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
    x = needed(values, 0)
    above = unary(context, call("max", X, 0.0), x)
    below = unary(context, call("min", X, 0.0), x)
    return binary(context, "add", above, binary(context, "mul", below, needed(values, 1)))


@lowering("Where")
def _where(context: Context, operator: Operator, values: Inputs) -> Value:
    return where(context, needed(values, 0), needed(values, 1), needed(values, 2))


@lowering("IsNaN", "IsInf")
def _is_nan(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    dims = dims_of(x)
    static = tuple(1 if dim.n_coef else dim.const for dim in dims)
    if any(dim.n_coef for dim in dims):
        return Positional(dims, ((TRUE, np.zeros(static, dtype=bool)),), "bool")
    return np.zeros(static, dtype=bool)


@lowering("Cast")
def _cast(context: Context, operator: Operator, values: Inputs) -> Value:
    import onnx

    x = needed(values, 0)
    to = onnx.TensorProto.DataType.Name(operator.attributes["to"]).lower()
    kind = "bool" if to == "bool" else "int" if to.startswith(("int", "uint")) else "float"
    if to == "string":
        raise Refusal("N017", "strings are not supported")
    if isinstance(x, Data):
        if kind == "bool":
            return unary(context, call("sub", 1.0, call("eq", X, 0.0)), x) if not _is_boolean(x) else x
        if kind == "int" and not _is_boolean(x) and not _is_integer(context, x):
            return unary(context, call("mul", call("sign", X), call("floor", call("abs", X))), x)
        return x
    if is_terms(x):
        return x
    value = of_array(x) if isinstance(x, np.ndarray) else x

    def convert(piece: Array) -> Array:
        if kind == "bool":
            return piece != 0
        return (
            np.trunc(np.asarray(piece, dtype=np.float64)).astype(np.int64)
            if kind == "int"
            else piece.astype(np.float64)
        )

    return elementwise(convert, value, dtype=kind, on_terms=lambda a: [(TRUE, a)] if kind != "bool" else None)


def _is_boolean(value: Data) -> bool:
    functions = {part.view.function.op if part.view.function else "" for part in value.parts.values()}
    return functions <= {"ge", "gt", "eq"} and all(
        (part.view.shift, part.view.scale, part.view.divisor) == (0, 1, 1) for part in value.parts.values()
    )


def _is_integer(context: Context, value: Data) -> bool:
    for part in value.parts.values():
        affine = part.view.source.affine
        if affine is None or part.view.function is not None:
            return False
        if any(ref.node != context.assembly.letters or (matrix.data % 1).any() for ref, matrix in affine.operands):
            return False
    return True
