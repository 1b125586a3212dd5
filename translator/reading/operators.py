"""The whole table of operators: products, reductions, normalizations and windows here, the rest in two modules beside.

Importing this module fills the table.
"""

from __future__ import annotations

import numpy as np

from circuits.positions import AtLeast, Term, negation, var
from circuits.scalar import X
from translator.reading import (
    arithmetic,
    contraction,
    control_flow,
    conversions,
    convolution,
    layout_operators,
    microsoft_quantized,
    movement,
    normalizing,
    products,
    quantized,
    rearranging,
    recurrent,
    resizing,
    scalar_operators,
    scattering,
    sequences,
    sorting,
    windows,
)
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import unary
from translator.reading.loading import Operator
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.softmax import softmax
from translator.reading.table import OPERATORS, Inputs, call, lowering, needed, number, optional
from translator.reading.values import Positional, Value

__all__ = ["OPERATORS"]

FILLED_BY = (
    arithmetic,
    conversions,
    scalar_operators,
    layout_operators,
    quantized,
    control_flow,
    recurrent,
    sequences,
    rearranging,
    scattering,
    sorting,
    resizing,
    convolution,
    microsoft_quantized,
    products,
    windows,
)


@lowering("Softmax", "LogSoftmax")
def _softmax(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    rank = len(dims_of(x))
    axis = operator.attributes.get("axis", 1 if context.opset < 13 else -1) % rank
    if context.opset < 13 and axis != rank - 1 and not all(d == Term((), 0, 1) for d in dims_of(x)[axis + 1 :]):
        raise Refusal(
            "N026", "Softmax before opset 13 normalizes over several axes at once", help="export with a newer opset"
        )
    result = softmax(context, x, axis)
    return unary(context, call("log", X), result) if operator.op_type == "LogSoftmax" else result


@lowering("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin")
def _reduce(context: Context, operator: Operator, values: Inputs) -> Value:
    axes = movement.known_ints(optional(values, 1))
    if axes is None:
        axes = operator.attributes.get("axes")
    if not axes and operator.attributes.get("noop_with_empty_axes", 0):
        return needed(values, 0)
    how = operator.op_type.removeprefix("Reduce").lower()
    return reduce(context, how, needed(values, 0), axes or None, bool(operator.attributes.get("keepdims", 1)))


@lowering("ReduceSumSquare", "ReduceL2", "ReduceL1")
def _reduce_norm(context: Context, operator: Operator, values: Inputs) -> Value:
    axes = movement.known_ints(optional(values, 1)) or operator.attributes.get("axes")
    inner = call("abs", X) if operator.op_type == "ReduceL1" else call("mul", X, X)
    total = reduce(
        context, "sum", unary(context, inner, needed(values, 0)), axes, bool(operator.attributes.get("keepdims", 1))
    )
    return unary(context, call("sqrt", X), total) if operator.op_type == "ReduceL2" else total


@lowering("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def _layer_norm(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    return [normalizing.layer_normalization(context, operator, values)]


@lowering("BatchNormalization")
def _batch_norm(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    return [normalizing.batch_normalization(context, operator, values)]


@lowering("InstanceNormalization", "GroupNormalization", "MeanVarianceNormalization")
def _unsupported_norm(context: Context, operator: Operator, values: Inputs) -> Value:
    raise Refusal(
        "N011", f"{operator.op_type} is not supported yet", help="LayerNormalization and BatchNormalization are"
    )


@lowering("Attention")
def _attention(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    return [normalizing.attention(context, operator, values)]


@lowering("RotaryEmbedding")
def _rotary(context: Context, operator: Operator, values: Inputs) -> Value:
    return normalizing.rotary_embedding(context, operator, values)


@lowering("CumSum")
def _cumsum(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    axis = int(number(needed(values, 1))) % len(dims_of(x))
    exclusive, reverse = (bool(operator.attributes.get(name, 0)) for name in ("exclusive", "reverse"))
    length = dims_of(x)[axis]
    gap = (var(0) - var(1)) * (-1 if reverse else 1) - int(exclusive)
    rank = len(dims_of(x))
    if length.n_coef:
        mask: Value = Positional(
            (length, length), ((AtLeast(gap), np.ones((1, 1))), (negation(AtLeast(gap)), np.zeros((1, 1)))), "float"
        )
    else:
        lower = np.tril(np.ones((length.const, length.const)), -1 if exclusive else 0)
        mask = lower.T if reverse else lower
    labels = list(range(rank))
    out = [rank if label == axis else label for label in labels]
    return contraction.contract(context, mask, [rank, axis], x, labels, out)
