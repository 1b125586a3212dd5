"""Inputs that hold NaN or infinity: what reads nothing else is a constant, what reads real numbers as well is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from circuits.diagnostics import FomError
from tests.translator.reading.differential import Array, ours, single

X = np.array([[1.5, np.nan, -np.inf], [np.inf, 0.0, -2.5]], np.float32)


def after(op_type: str, kind: int = onnx.TensorProto.FLOAT, **attributes: Any) -> onnx.ModelProto:
    """The operator, transposed: data movement keeps entries apart."""
    model = single(op_type, [X], **attributes)
    model.graph.node.append(onnx.helper.make_node("Transpose", ["o0"], ["o1"]))
    model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("o1", kind, None))
    return model


@pytest.mark.parametrize(
    ("op_type", "wanted"),
    [("IsNaN", np.isnan(X)), ("IsInf", np.isinf(X)), ("Abs", np.abs(X)), ("Relu", np.maximum(X, 0)), ("Neg", -X)],
)
def test_each_entry_for_itself(op_type: str, wanted: Array) -> None:
    kind = onnx.TensorProto.BOOL if wanted.dtype == bool else onnx.TensorProto.FLOAT
    np.testing.assert_array_equal(ours(after(op_type, kind), [X])[0], wanted.T)


def test_a_row_with_real_numbers_is_refused() -> None:
    model = single("ReduceSum", [X, np.array([1])], constants=(1,))
    with pytest.raises(FomError, match="reads real numbers as well"):
        ours(model, [X])


def test_a_row_without_real_numbers_is_folded() -> None:
    x = np.array([[np.inf, np.nan], [2.0, 3.0]], np.float32)
    model = single("ReduceSum", [x, np.array([1])], constants=(1,), keepdims=0)
    np.testing.assert_array_equal(ours(model, [x])[0], [np.nan, 5.0])


def test_what_vanishes_over_the_reals_is_refused() -> None:
    model = single("Sub", [X, X])
    model.graph.node[0].input[1] = "i0"
    del model.graph.input[1]
    with pytest.raises(FomError, match="undefined"):
        ours(model, [X])
