"""One-operator models, and their whole outputs compared with onnxruntime or with ONNX's reference implementation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from translator.backend import FomRep

Array = np.ndarray[Any, Any]


def element_type(array: Array) -> int:
    """ONNX's number of the type of an array."""
    return int(helper.np_dtype_to_tensor_dtype(array.dtype))


def single(
    op_type: str,
    inputs: Sequence[Array | None],
    *,
    constants: Sequence[int] = (),
    opset: int = 21,
    outputs: Sequence[int] = (onnx.TensorProto.FLOAT,),
    **attributes: Any,
) -> onnx.ModelProto:
    """A model of one operator on inputs of these shapes and types; those numbered in `constants` are initializers."""
    names = [f"i{number}" if value is not None else "" for number, value in enumerate(inputs)]
    made = [f"o{number}" for number in range(len(outputs))]
    given = [(number, value) for number, value in enumerate(inputs) if value is not None]
    graph = helper.make_graph(
        [helper.make_node(op_type, names, made, **attributes)],
        "single",
        [
            helper.make_tensor_value_info(f"i{number}", element_type(value), value.shape)
            for number, value in given
            if number not in constants
        ],
        [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(made, outputs, strict=True)],
        [numpy_helper.from_array(value, f"i{number}") for number, value in given if number in constants],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def ours(model: onnx.ModelProto, inputs: Sequence[Array | None], constants: Sequence[int] = ()) -> tuple[Any, ...]:
    """The outputs over the reals."""
    return FomRep(model, None).run([v for n, v in enumerate(inputs) if v is not None and n not in constants])


def expected(
    model: onnx.ModelProto, inputs: Sequence[Array | None], constants: Sequence[int] = (), runtime: bool = True
) -> list[Array]:
    """The outputs of onnxruntime, or of ONNX's reference implementation."""
    feeds = {f"i{n}": v for n, v in enumerate(inputs) if v is not None and n not in constants}
    if not runtime:
        return [np.asarray(value) for value in ReferenceEvaluator(model).run(None, feeds)]
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(value) for value in session.run(None, feeds)]


def check(
    op_type: str,
    inputs: Sequence[Array | None],
    *,
    constants: Sequence[int] = (),
    runtime: bool = True,
    tolerance: float = 1e-5,
    **options: Any,
) -> None:
    """Compare all outputs: shapes, types, and numbers; whole numbers exactly."""
    model = single(op_type, inputs, constants=constants, **options)
    found, wanted = ours(model, inputs, constants), expected(model, inputs, constants, runtime)
    assert len(found) == len(wanted)
    for mine, his in zip(found, wanted, strict=True):
        assert (mine.dtype, mine.shape) == (his.dtype, his.shape)
        exact = mine.dtype.kind in "iub"
        np.testing.assert_allclose(
            mine.astype(np.float64),
            his.astype(np.float64),
            rtol=0 if exact else tolerance,
            atol=0 if exact else tolerance,
        )
