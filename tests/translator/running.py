"""Run a whole ONNX model of static shapes as a network over the reals: arrays in, arrays out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper

from translator.backend import feed, typed
from translator.reading.loading import graph_of
from translator.reading.reader import read_graph
from translator.real_evaluate import evaluate
from translator.tensors import assemble

Array = np.ndarray[Any, Any]


def run(model: onnx.ModelProto, inputs: Mapping[str, Array], bind: Mapping[str, Any] | None = None) -> dict[str, Array]:
    """The outputs by name, in the types that the model declares; the inputs `bind` are constants of the network."""
    network = read_graph(graph_of(model, "model.onnx"), bind=bind, whole=True)
    wanted = sorted({ref.node for tensor in network.outputs for _, ref in tensor.parts})
    values = evaluate(network, features=feed(network, inputs), wanted=wanted)
    return {tensor.name: typed(tensor, assemble(tensor, 1, values, 1)[0]) for tensor in network.outputs}


def model_of(
    nodes: list[onnx.NodeProto],
    inputs: Mapping[str, Array],
    outputs: list[str],
    stored: Mapping[str, Array] | None = None,
    *,
    opset: int = 17,
) -> onnx.ModelProto:
    """A model whose inputs have the types and shapes of the arrays."""
    graph = helper.make_graph(
        nodes,
        "graph",
        [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
            for name, value in inputs.items()
        ],
        [onnx.ValueInfoProto(name=name) for name in outputs],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in (stored or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)
