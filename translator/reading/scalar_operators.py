"""Functions of one variable: mathematical functions and activations."""

from __future__ import annotations

from math import pi, sqrt

from circuits.scalar import Scalar, X
from translator.reading.context import Context
from translator.reading.elementwise import unary
from translator.reading.loading import Operator
from translator.reading.table import OPERATORS, Inputs, call, lowering, needed
from translator.reading.values import Value

SCALARS: dict[str, Scalar] = {
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
    "HardSwish": call("mul", X, call("max", 0.0, call("min", 1.0, call("add", call("mul", X, 1 / 6), 0.5)))),
    "Mish": call("mul", X, call("tanh", call("softplus", X))),
}


def _scalar(context: Context, operator: Operator, values: Inputs) -> Value:
    return unary(context, SCALARS[operator.op_type], needed(values, 0))


for _name in SCALARS:
    OPERATORS[_name] = _scalar


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
