"""The reductions of the table, with their element types and their old and new ways of naming axes."""

from __future__ import annotations

import numpy as np

from circuits.scalar import Scalar, X
from translator.reading import movement
from translator.reading.combining import truncated
from translator.reading.context import Context
from translator.reading.conversions import convert
from translator.reading.elementwise import unary
from translator.reading.loading import Operator
from translator.reading.reduction import log_sum_exp, reduce
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.types import dtype_of, is_whole
from translator.reading.values import Data, Value
from translator.reading.whole_numbers import wrapped

BEFORE: dict[str, Scalar] = {
    "ReduceL1": call("abs", X),
    "ReduceL2": call("mul", X, X),
    "ReduceSumSquare": call("mul", X, X),
}
AFTER: dict[str, Scalar] = {"ReduceL2": call("sqrt", X), "ReduceLogSum": call("log", X)}
HOW = {"ReduceMean": "mean", "ReduceMax": "max", "ReduceMin": "min", "ReduceProd": "prod"}
FRACTIONAL = frozenset(["ReduceMean", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp"])


@lowering(
    "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceLogSum",
    "ReduceLogSumExp", "ReduceSumSquare",
)  # fmt: skip
def _reduce(context: Context, operator: Operator, values: Inputs) -> Value:
    name, x = operator.op_type, needed(values, 0)
    dtype = dtype_of(x)
    axes = movement.known_ints(optional(values, 1)) or operator.attributes.get("axes") or None
    keeps = bool(operator.attributes.get("keepdims", 1))
    is_noop = axes is None and bool(operator.attributes.get("noop_with_empty_axes", 0))
    if name == "ReduceLogSumExp":
        result = x if is_noop else log_sum_exp(context, x, axes, keeps)
    else:
        result = unary(context, BEFORE[name], x) if name in BEFORE else x
        if not is_noop:
            result = reduce(context, HOW.get(name, "sum"), result, axes, keeps)
        if name in AFTER:
            result = unary(context, AFTER[name], result)
    if isinstance(result, np.ndarray):
        return convert(context, result, dtype)
    if not is_whole(dtype) or not isinstance(result, Data):
        return result
    if name in FRACTIONAL:
        return unary(context, truncated(X), result)
    return wrapped(context, result, dtype)
