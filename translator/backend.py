"""fom as an ONNX backend: whole tensors in, whole tensors out, each with a certified bound.

A model is read when its inputs are there, because ONNX's own test cases feed operands that shape the graph (axes, pads, k) as
graph inputs: these are bound to their values, all others stay inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.base import Backend, BackendRep

from circuits.diagnostics import fail
from translator.reading.loading import graph_of
from translator.reading.reader import read_graph
from translator.reading.types import is_whole
from translator.real import RealNetwork, Tensor
from translator.real_evaluate import evaluate
from translator.tensors import assemble

Array = np.ndarray[Any, Any]

# The inputs of an operator that shape its graph: axes, shapes, pads, counts, limits.
SHAPING: dict[str, tuple[int, ...]] = {
    "AffineGrid": (1,), "BlackmanWindow": (0,), "CenterCropPad": (1,), "Col2Im": (1, 2), "ConstantOfShape": (0,),
    "CumProd": (1,), "CumSum": (1,), "DFT": (1, 2), "Dropout": (1, 2), "Expand": (1,), "HammingWindow": (0,),
    "HannWindow": (0,), "If": (0,), "Loop": (0, 1), "MaxUnpool": (2,), "MelWeightMatrix": (0, 1, 2, 3, 4), "OneHot": (1,),
    "Pad": (1, 3), "Range": (0, 1, 2), "ReduceL1": (1,), "ReduceL2": (1,), "ReduceLogSum": (1,), "ReduceLogSumExp": (1,),
    "ReduceMax": (1,), "ReduceMean": (1,), "ReduceMin": (1,), "ReduceProd": (1,), "ReduceSum": (1,),
    "ReduceSumSquare": (1,), "Reshape": (1,), "Resize": (1, 2, 3), "STFT": (1, 3), "SequenceAt": (1,),
    "SequenceErase": (1,), "SequenceInsert": (2,), "Slice": (1, 2, 3, 4), "Split": (1,), "SplitToSequence": (1,),
    "Squeeze": (1,), "Tile": (1,), "TopK": (1,), "Trilu": (1,), "Unsqueeze": (1,), "Upsample": (1,),
}  # fmt: skip


def shaping_inputs(model: onnx.ModelProto) -> set[str]:
    """The graph inputs that are read as operands that shape the graph, also through the nodes of a function's body."""
    given = {value.name for value in model.graph.input}
    found: set[str] = set()
    for node in model.graph.node:
        for place in SHAPING.get(node.op_type, ()):
            if place < len(node.input) and node.input[place] in given:
                found.add(node.input[place])
    return found


def feed(network: RealNetwork, inputs: Mapping[str, Array]) -> Array:
    """The flat features of one case.

    Raises:
        FomError: an input is missing or not finite.
    """
    parts = []
    for given in network.inputs:
        if given.name not in inputs:
            raise fail("N062", f"no value for the input `{given.name}`", help="give one array for each input")
        flat = np.asarray(inputs[given.name], dtype=np.float64).ravel()
        if not np.isfinite(flat).all():
            raise fail("N065", f"the input `{given.name}` holds NaN or infinity", help="give finite numbers")
        parts.append(flat)
    return np.concatenate([np.zeros(0), *parts])[None]


def typed(tensor: Tensor, values: Array) -> Array:
    """Numbers with the element type that the file declares."""
    if tensor.dtype == "bool":
        return np.asarray(values != 0)
    target = onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(tensor.dtype.upper()))
    return np.asarray(np.rint(values) if is_whole(tensor.dtype) and values.dtype.kind == "f" else values).astype(target)


class FomRep(BackendRep):
    """One model, read anew for each set of values of the inputs that shape it."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model

    def run(self, inputs: Any, **options: Any) -> tuple[Array, ...]:
        """Evaluate the outputs on arrays, in the order of the graph's inputs (or by name)."""
        stored = {tensor.name for tensor in self.model.graph.initializer}
        names = [value.name for value in self.model.graph.input if value.name not in stored]
        given = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(names, _listed(inputs), strict=False))
        given = {name: _array(value) for name, value in given.items()}
        shaping = shaping_inputs(self.model)
        graph = graph_of(self.model, "model.onnx")
        network = read_graph(graph, bind={name: given[name] for name in shaping if name in given}, whole=True)
        values = evaluate(network, features=feed(network, given))
        return tuple(typed(tensor, assemble(tensor, 1, values, 1)[0]) for tensor in network.outputs)


def _array(value: Any) -> Array:
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def _listed(inputs: Any) -> Sequence[Any]:
    return inputs if isinstance(inputs, list | tuple) else [inputs]


class FomBackend(Backend):
    """The backend that ONNX's test runner drives."""

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Only the CPU."""
        return device == "CPU"

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **options: Any) -> FomRep:
        """Keep the model; it is read when its inputs are known."""
        return FomRep(model)
