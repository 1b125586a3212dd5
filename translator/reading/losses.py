"""Losses of classifiers: the label selects a class by comparison with each of them."""

from __future__ import annotations

import numpy as np

from circuits.positions import Term
from circuits.scalar import X
from translator.reading.context import Context, dims_of
from translator.reading.conversions import convert
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.movement import reshape
from translator.reading.positional import term_array
from translator.reading.reduction import log_sum_exp, reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.types import dtype_of
from translator.reading.values import Value


@lowering("NegativeLogLikelihoodLoss")
def _likelihood(context: Context, operator: Operator, values: Inputs) -> Value:
    return loss(context, operator, needed(values, 0), needed(values, 1), optional(values, 2))


@lowering("SoftmaxCrossEntropyLoss")
def _cross_entropy(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    scores = needed(values, 0)
    likelihood = binary(context, "sub", scores, log_sum_exp(context, scores, [1], True))
    likelihood = convert(context, likelihood, dtype_of(scores))
    found = loss(context, operator, likelihood, needed(values, 1), optional(values, 2))
    return [found, likelihood][: len(operator.outputs)]


def loss(context: Context, operator: Operator, likelihood: Value, labels: Value, weight: Value | None) -> Value:
    """Minus the weighted logarithm of the likelihood of the labelled class, reduced as the attribute says.

    Raises:
        Refusal: the number of classes depends on n.
    """
    dims = dims_of(likelihood)
    if dims[1].n_coef:
        raise Refusal("N039", f"there are {dims[1]} classes", help="the classes are a static axis")
    classes = np.arange(dims[1].const)
    behind = (1,) * (len(dims) - 2)
    one = Term((), 0, 1)
    spread = reshape(context, labels, term_array([dims[0], one, *dims[2:]]), True)
    chosen = binary(context, "eq", spread, classes.reshape(1, -1, *behind))
    counted = np.where(classes == operator.attributes.get("ignore_index", dims[1].const), 0.0, 1.0)
    chosen = binary(context, "mul", chosen, counted.reshape(1, -1, *behind))
    if weight is not None:
        shaped = reshape(context, weight, term_array([1, dims[1].const, *behind]), True)
        chosen = binary(context, "mul", chosen, shaped)
    losses = reduce(
        context, "sum", unary(context, call("neg", X), binary(context, "mul", chosen, likelihood)), [1], False
    )
    how = operator.attributes.get("reduction", "mean")
    if how == "none":
        return losses
    total = reduce(context, "sum", losses, None, False)
    return total if how == "sum" else binary(context, "div", total, reduce(context, "sum", chosen, None, False))
