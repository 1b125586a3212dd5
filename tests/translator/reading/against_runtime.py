"""One operator in onnxruntime and here, with every split of its inputs into stored ones and ones from outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from translator.backend import FomBackend

Array = np.ndarray[Any, Any]


def single(
    op_type: str,
    values: Sequence[Array | None],
    attributes: dict[str, Any],
    *,
    opset: int,
    stored: Sequence[int] = (),
    n_outputs: int = 1,
) -> tuple[onnx.ModelProto, dict[str, Array]]:
    """A model of one operator, and what is fed to it; the inputs `stored` are constants of the file."""
    names = [f"x{place}" if value is not None else "" for place, value in enumerate(values)]
    given = {name: value for name, value in zip(names, values, strict=True) if value is not None}
    kept = {f"x{place}" for place in stored}
    made = [f"y{place}" for place in range(n_outputs)]
    node = helper.make_node(op_type, names, made, **attributes)
    graph = helper.make_graph(
        [node],
        "single",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in given.items()
            if name not in kept
        ],
        [helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in made],
        [numpy_helper.from_array(value, name) for name, value in given.items() if name in kept],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
    model = onnx.shape_inference.infer_shapes(model)
    return model, {name: value for name, value in given.items() if name not in kept}


def found_here(model: onnx.ModelProto, inputs: dict[str, Array]) -> list[Array]:
    """The outputs of the network that is read, in exact float64."""
    return list(FomBackend.prepare(model, fraction=None).run(inputs))


def found_there(model: onnx.ModelProto, inputs: dict[str, Array]) -> list[Array]:
    """The outputs of onnxruntime."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [np.asarray(value) for value in session.run(None, inputs)]


def compare(
    op_type: str,
    values: Sequence[Array | None],
    attributes: dict[str, Any] | None = None,
    *,
    opset: int = 20,
    shaping: Sequence[int] = (),
    n_outputs: int = 1,
    tolerance: float = 1e-5,
    splits: Sequence[Sequence[int]] | None = None,
) -> None:
    """Compare with onnxruntime: all from outside, and each input but `shaping` (which are always stored) stored alone."""
    places = [place for place, value in enumerate(values) if value is not None and place not in shaping]
    if splits is None:
        splits = [[], *([place] for place in places if len(places) > 1)]
    for split in splits:
        stored = [*shaping, *split]
        model, inputs = single(op_type, values, attributes or {}, opset=opset, stored=stored, n_outputs=n_outputs)
        for one, other in zip(found_there(model, inputs), found_here(model, inputs), strict=True):
            assert (other.shape, other.dtype) == (one.shape, one.dtype), split
            np.testing.assert_allclose(
                other.astype(np.float64), one.astype(np.float64), rtol=tolerance, atol=tolerance, err_msg=str(split)
            )
