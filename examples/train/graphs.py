"""ONNX graphs written node by node, without a framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 20


class Graph:
    """A graph that reads `tokens`, shape ``(batch, n)``; every node is named by its place."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.nodes: list[onnx.NodeProto] = []
        self.weights: dict[str, onnx.TensorProto] = {}

    def constant(self, value: Any, dtype: type = np.float32) -> str:
        """The name of a weight; equal ones are stored once."""
        array: np.ndarray[Any, np.dtype[Any]] = np.asarray(value, dtype=dtype)
        for name, known in self.weights.items():
            is_same = known.dims == list(array.shape) and known.raw_data == array.tobytes()
            if is_same and known.data_type == helper.np_dtype_to_tensor_dtype(array.dtype):
                return name
        name = f"w{len(self.weights)}"
        self.weights[name] = numpy_helper.from_array(array, name)
        return name

    def integers(self, *values: int) -> str:
        """The name of a weight of integers."""
        return self.constant(values, np.int64)

    def add(self, op_type: str, *given: str, **attributes: Any) -> str:
        """The name of the only output of a new node."""
        made = f"{op_type.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, list(given), [made], name=f"node_{made}", **attributes))
        return made

    def model(self, output: str, shape: Sequence[int | str], name: str = "logits") -> onnx.ModelProto:
        """The checked model, whose output is renamed to `name`."""
        self.nodes.append(helper.make_node("Identity", [output], [name], name=f"node_{name}"))
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "n"])],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(shape))],
            list(self.weights.values()),
        )
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
        onnx.checker.check_model(made, full_check=True)
        return made
