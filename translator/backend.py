"""fom as an ONNX backend: whole tensors in, whole tensors out, each with a certified bound.

A model is read when its inputs are there, because ONNX's own test cases feed operands that shape the graph (axes, pads, k) as
graph inputs: these are bound to their values, all others stay inputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count, takewhile
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.base import Backend, BackendRep

from circuits.diagnostics import fail
from circuits.evaluate import evaluate as evaluate_fixed
from circuits.inputs import encode_inputs, input_columns
from circuits.readout import decoded
from translator.enclosure import enclose
from translator.fidelity import InputSet, observe
from translator.fixing import fix
from translator.precision import Precision, parse_precision
from translator.reading.exceptional import folded
from translator.reading.loading import Declared, graph_of
from translator.reading.reader import read_graph
from translator.reading.types import is_whole
from translator.real import RealNetwork, Tensor
from translator.real_evaluate import evaluate
from translator.tensors import assemble

Array = np.ndarray[Any, Any]

WHOLE_TYPES = frozenset(
    onnx.TensorProto.DataType.Value(f"{sign}INT{bits}") for sign in ("", "U") for bits in (8, 16, 32, 64)
)
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
    """The graph inputs that shape the graph: lists, what `SHAPING` names, and the whole or single numbers behind that."""
    given = {value.name: value.type for value in model.graph.input}
    shaping = {name for name, kind in given.items() if kind.WhichOneof("value") != "tensor_type"}
    derived: set[str] = set()
    for node in reversed(model.graph.node):
        places = {place for place in SHAPING.get(node.op_type, ()) if place < len(node.input)}
        shaping |= {node.input[place] for place in places}
        derived |= {node.input[place] for place in places}
        if derived.intersection(node.output) and node.op_type not in ("Shape", "Size"):
            derived |= set(node.input)
    for name in derived & given.keys():
        tensor = given[name].tensor_type
        if tensor.elem_type in WHOLE_TYPES or not tensor.shape.dim:
            shaping.add(name)
    return shaping & given.keys()


@dataclass(frozen=True, slots=True)
class Answer:
    """The outputs of one run, in the order of the graph, each with a certified bound for every element.

    A bound is the distance from the value in exact real arithmetic, at most; 0 for whole numbers and truth values that are exact.
    """

    values: tuple[Any, ...]
    bounds: tuple[Any, ...]


def feed(network: RealNetwork, inputs: Mapping[str, Array]) -> Array:
    """The flat features of one case; entries that are no real numbers count as 0, see `translator.reading.exceptional`.

    Raises:
        FomError: an input is missing.
    """
    parts = []
    for given in network.inputs:
        if given.name not in inputs:
            raise fail("N062", f"no value for the input `{given.name}`", help="give one array for each input")
        flat = np.asarray(inputs[given.name], dtype=np.float64).ravel()
        parts.append(np.where(np.isfinite(flat), flat, 0.0))
    return np.concatenate([np.zeros(0), *parts])[None]


def beyond_float64(network: RealNetwork, inputs: Mapping[str, Array]) -> Array:
    """Which features are whole numbers that no float64 needs to be."""
    arrays = [np.asarray(inputs[given.name]).ravel() for given in network.inputs]
    parts = [
        np.abs(array.astype(np.float64)) > 2.0**53 if array.dtype.kind in "iu" else array != array for array in arrays
    ]
    return np.concatenate([np.zeros(0, dtype=bool), *parts])[None]


def fixed_values(
    network: RealNetwork, features: Array, inputs: Mapping[str, Array], precision: Precision
) -> dict[str, Array]:
    """The nodes of the fixed-precision network that the outputs are read from, as numbers.

    Formats are chosen for the values seen on this one input. Whole numbers are read from `inputs`, where they are exact.
    """
    bounds = observe(network, InputSet((features,), "one input", None))
    fixed = fix(network, precision, bounds, ())
    codes = encode_inputs(fixed.inputs, features)
    columns = input_columns(fixed.inputs)
    for given in network.inputs:
        array = np.asarray(inputs[given.name])
        if array.dtype.kind in "iu" and fixed.frac(given.node) == 0:
            codes[:, columns[given.node]] = fixed.word(given.node).format.encode(array.ravel())
    values = evaluate_fixed(fixed, codes)
    wanted = {ref.node for tensor in network.outputs for _, ref in tensor.parts}
    return {name: decoded(fixed, values, name) for name in wanted}


def typed(tensor: Tensor, values: Array) -> Array:
    """Numbers with the element type that the file declares."""
    if tensor.dtype == "bool":
        return np.asarray(values != 0)
    target = onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(tensor.dtype.upper()))
    return np.asarray(np.rint(values) if is_whole(tensor.dtype) and values.dtype.kind == "f" else values).astype(target)


class FomRep(BackendRep):
    """One model, read anew for each set of values of the inputs that shape it.

    It is evaluated in fixed precision at `fraction` fractional bits, or in float64 if that is None.
    """

    def __init__(self, model: onnx.ModelProto, fraction: int | None) -> None:
        self.model = model
        self.precision = None if fraction is None else parse_precision(f"fixed:*.{fraction}", "auto")

    def run(self, inputs: Any, **options: Any) -> tuple[Any, ...]:
        """Evaluate the outputs on arrays, in the order of the graph's inputs (or by name).

        Lists of arrays and None stand for ONNX's sequences and empty optionals; as inputs they shape the graph.
        """
        return self.answer(inputs).values

    def answer(self, inputs: Any) -> Answer:
        """Evaluate the outputs with their bounds.

        Raises:
            FomError: the model is outside of what fom reads, or the inputs do not fit it.
        """
        stored = {tensor.name for tensor in self.model.graph.initializer}
        names = [value.name for value in self.model.graph.input if value.name not in stored]
        given = dict(inputs) if isinstance(inputs, Mapping) else dict(zip(names, _listed(inputs), strict=False))
        given = {name: _array(value) for name, value in given.items()}
        bind: dict[str, Any] = {name: given[name] for name in shaping_inputs(self.model) if name in given}
        graph = graph_of(self.model, "model.onnx")
        shapes = {name: value.shape for name, value in given.items() if isinstance(value, np.ndarray)}
        sized = tuple(replace(own, dims=shapes.get(own.name, own.dims)) for own in graph.inputs)
        network = read_graph(replace(graph, inputs=sized), bind=bind, whole=True)
        features = feed(network, given)
        constants = folded(network, self.model, given)
        wanted = sorted({ref.node for tensor in network.outputs for _, ref in tensor.parts})
        values: dict[str, Array] = {}
        low: dict[str, Array] = {}
        high: dict[str, Array] = {}
        if wanted:
            if self.precision is None:
                values = evaluate(network, features=features, wanted=wanted)
            else:
                values = fixed_values(network, features, given, self.precision)
            enclosures = enclose(network, features, wanted, beyond_float64(network, given))
            low = {name: enclosures[name].lo for name in wanted}
            high = {name: enclosures[name].hi for name in wanted}
        results, bounds = [], []
        for tensor in network.outputs:
            found = assemble(tensor, 1, values, 1)[0]
            results.append(typed(tensor, found))
            if tensor.values is not None:
                bounds.append(np.zeros(found.shape))
                continue
            reals = results[-1].astype(np.float64)  # as rounded to the declared type
            below, above = assemble(tensor, 1, low, 1)[0], assemble(tensor, 1, high, 1)[0]
            distance = np.nextafter(np.maximum(np.abs(reals - below), np.abs(above - reals)), np.inf)
            if is_whole(tensor.dtype):
                # The exact value is a whole number, so one within less than half is the one found.
                distance = np.where(
                    distance < 0.5, 0.0, distance + np.where(np.abs(reals) > 2.0**53, np.spacing(reals), 0.0)
                )
            bounds.append(np.where(np.isnan(below), np.inf, distance))
            if tensor.name in constants:
                chosen, exact = constants[tensor.name]
                results[-1] = np.where(chosen, exact, results[-1]).astype(results[-1].dtype)
                bounds[-1] = np.where(chosen, 0.0, bounds[-1])
        made = {tensor.name: pair for tensor, *pair in zip(network.outputs, results, bounds, strict=True)}
        each = [_collected(declared, made) for declared in graph.outputs]
        return Answer(tuple(value for value, _ in each), tuple(bound for _, bound in each))


def _collected(declared: Declared, made: Mapping[str, Sequence[Any]]) -> Sequence[Any]:
    """An output and its bounds as ONNX's runner expects them: arrays, lists of arrays, or None for an empty optional."""
    if declared.name in made:
        return made[declared.name]
    names = list(takewhile(made.__contains__, (f"{declared.name}[{place}]" for place in count())))
    if declared.dtype.startswith("optional(") and not names:
        return None, None
    return [made[name][0] for name in names], [made[name][1] for name in names]


def _array(value: Any) -> Any:
    if value is None or isinstance(value, list):
        return value
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def _listed(inputs: Any) -> Sequence[Any]:
    return inputs if isinstance(inputs, list | tuple) else [inputs]


class FomBackend(Backend):
    """The backend that ONNX's test runner drives."""

    fraction: int | None = 24

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Only the CPU."""
        return device == "CPU"

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **options: Any) -> FomRep:
        """Keep the model; it is read when its inputs are known."""
        return FomRep(model, options.get("fraction", cls.fraction))
