"""Softmax and LogSoftmax at every opset."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from circuits.positions import Term
from circuits.scalar import X
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.movement import reshape
from translator.reading.positional import term_array
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.softmax import softmax
from translator.reading.table import Inputs, call, lowering, needed
from translator.reading.values import Value
from translator.reading.walking import share

ONE = Term((), 0, 1)


@lowering("Softmax", "LogSoftmax")
def _softmax(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    dims = dims_of(x)
    axis = operator.attributes.get("axis", 1 if context.opset < 13 else -1)
    axis = axis % len(dims) if dims else 0
    if not dims:
        x, dims = reshape(context, x, term_array([ONE]), True), (ONE,)
        return reshape(context, normalized(context, operator, x, 0), term_array([]), True)
    if context.opset >= 13 or all(dim == ONE for dim in dims[axis + 1 :]):
        return normalized(context, operator, x, axis)
    # Before opset 13 the axes from `axis` on are normalized together.
    flat = reshape(context, x, term_array([*dims[:axis], _joined(dims[axis:])]), True)
    return reshape(context, normalized(context, operator, flat, axis), term_array(list(dims)), True)


def _joined(dims: Sequence[Term]) -> Term:
    moving = [dim for dim in dims if dim.n_coef]
    static = prod(dim.const for dim in dims if not dim.n_coef)
    if moving and (static != 1 or len(moving) > 1):
        raise Refusal(
            "N026",
            "Softmax before opset 13 normalizes over the sequence and another axis at once",
            help="export with opset 13 or newer",
        )
    return moving[0] if moving else Term((), 0, static)


def normalized(context: Context, operator: Operator, x: Value, axis: int) -> Value:
    """Softmax along one axis, or its logarithm: ``x - max - log(sum(exp(x - max)))``."""
    if operator.op_type == "Softmax":
        return softmax(context, x, axis)
    share(x, 2)
    shifted = binary(context, "sub", x, reduce(context, "max", x, [axis], True))
    share(shifted, 2)
    total = reduce(context, "sum", unary(context, call("exp", X), shifted), [axis], True)
    return binary(context, "sub", shifted, unary(context, call("log", X), total))
