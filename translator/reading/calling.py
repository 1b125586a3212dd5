"""Lowering by other operators: an operator that is a composition of standard ones calls these by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from circuits.positions import Term
from translator.reading.context import Context, dims_of
from translator.reading.loading import operator_of
from translator.reading.movement import reshape
from translator.reading.positional import term_array
from translator.reading.refusing import Refusal
from translator.reading.types import NUMPY_NAMES, is_whole
from translator.reading.values import Absent, Data, Listed, Positional, Value
from translator.reading.walking import lower

OPSET = 23
NUMPY_OF = {name: numpy for numpy, name in NUMPY_NAMES.items()}


def call_operator(
    context: Context,
    op_type: str,
    values: Sequence[Value | None],
    *,
    outputs: int = 1,
    opset: int = OPSET,
    **attributes: Any,
) -> list[Value]:
    """Lower one operator of ONNX's default domain on the given tensors.

    Raises:
        Refusal: this use of the operator is not supported.
    """
    inputs = [f"input{place}" if value is not None else "" for place, value in enumerate(values)]
    names = [f"output{place}" for place in range(outputs)]
    operator = operator_of(0, onnx.helper.make_node(op_type, inputs, names, **attributes))
    outer, context.opset = context.opset, opset
    try:
        return [value for value in lower(context, operator, list(values)) if not isinstance(value, Listed | Absent)]
    finally:
        context.opset = outer


def call_one(context: Context, op_type: str, *values: Value | None, **attributes: Any) -> Value:
    """The first output of `call_operator`."""
    return call_operator(context, op_type, values, **attributes)[0]


def typed(value: Value, dtype: str) -> Value:
    """The value with an ONNX element type; known numbers are converted."""
    if isinstance(value, Data):
        return replace(value, dtype=dtype)
    if isinstance(value, Positional):
        kind = "bool" if dtype == "bool" else "int" if is_whole(dtype) else "float"
        return replace(value, dtype=kind)
    return value if value.dtype == object else value.astype(NUMPY_OF.get(dtype, dtype))


def along(context: Context, value: Value, axis: int, rank: int) -> Value:
    """A vector laid along one axis of a tensor of `rank` axes; a single number stays one.

    Raises:
        Refusal: there is no such axis.
    """
    dims = dims_of(value)
    if len(dims) == 0 or all(dim == Term((), 0, 1) for dim in dims):
        return reshape(context, value, np.zeros(0, dtype=np.int64), True)
    if len(dims) > 1 or not rank:
        raise Refusal("N031", f"one number is needed here, and {len(dims)} axes of them are given")
    target = [Term((), 0, 1)] * rank
    target[axis % rank] = dims[0]
    return reshape(context, value, term_array(target), True)
