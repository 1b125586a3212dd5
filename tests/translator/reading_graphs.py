"""Small ONNX graphs for the reader's tests, and the comparison with onnxruntime that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from circuits.diagnostics import Diagnostic, FomError
from translator.reading import read
from translator.real import Letters, RealNetwork
from translator.real_evaluate import outputs

Array = np.ndarray[Any, Any]
Step = tuple[str, str, str] | tuple[str, str, str, dict[str, Any]]

LETTERS, WIDTH, ROWS = 3, 4, 12
RNG = np.random.default_rng(7)
EMBED = RNG.normal(size=(LETTERS, WIDTH)).astype(np.float32)
PLACE = RNG.normal(size=(ROWS, WIDTH)).astype(np.float32)
SQUARE = RNG.normal(size=(WIDTH, WIDTH)).astype(np.float32)

# h: (batch, n, WIDTH), a function of letter and position.
START: list[Step] = [
    ("Gather", "embed tokens", "e"),
    ("Shape", "tokens", "shape"),
    ("Slice", "shape one two zero", "length"),
    ("Slice", "place zero length zero", "p"),
    ("Add", "e p", "h"),
]
COMMON = {
    "embed": EMBED,
    "place": PLACE,
    "w": SQUARE,
    "zero": np.array([0]),
    "one": np.array([1]),
    "two": np.array([2]),
    "minus": np.array([-1]),
    "none": np.array(0.0, dtype=np.float32),
}


def build(
    steps: Sequence[Step],
    output: tuple[str, Sequence[int | str]],
    weights: dict[str, Any] | None = None,
    *,
    opset: int = 20,
    start: Sequence[Step] = START,
    inputs: Mapping[str, tuple[int, Sequence[int | str]]] | None = None,
    output_type: int = TensorProto.FLOAT,
    extra_nodes: Sequence[Any] = (),
) -> onnx.ModelProto:
    """Make a model of (op_type, inputs, outputs, attributes) steps; words come in as `tokens` by default."""
    nodes = []
    for number, (op_type, given, made, *attributes) in enumerate([*start, *steps]):
        names = [name if name != "_" else "" for name in given.split()]
        nodes.append(
            helper.make_node(
                op_type, names, made.split(), name=f"node{number}", **(attributes[0] if attributes else {})
            )
        )
    nodes += list(extra_nodes)
    used = {name for node in nodes for name in node.input}
    constants = {**COMMON, **(weights or {})}
    declared: Mapping[str, tuple[int, Sequence[int | str]]] = (
        inputs if inputs is not None else {"tokens": (TensorProto.INT64, ("batch", "n"))}
    )
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, kind, list(shape)) for name, (kind, shape) in declared.items()],
        [helper.make_tensor_value_info(output[0], output_type, list(output[1]))],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items() if name in used],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def save(model: onnx.ModelProto, folder: Path) -> Path:
    """Write the model to a file."""
    path = folder / "model.onnx"
    onnx.save(model, str(path))
    return path


def session(path: Path) -> onnxruntime.InferenceSession:
    """Run the file as it is written, without graph optimizations."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def agree(
    model: onnx.ModelProto,
    folder: Path,
    lengths: Sequence[int] = (1, 2, 3, 5, 8),
    tolerance: float = 1e-4,
    **options: Any,
) -> RealNetwork:
    """Read the model and compare its outputs with onnxruntime at several lengths; returns what was read."""
    path = save(model, folder)
    network = read(path, **options)
    runtime = session(path)
    rng = np.random.default_rng(1)
    source = network.nodes[0]
    if isinstance(source, Letters):
        for n in lengths:
            words = rng.integers(0, source.size, (4, n))
            expected = np.concatenate(
                [
                    runtime.run(None, {network.input_name: word[None].astype(np.int64)})[0].reshape(1, -1)
                    for word in words
                ]
            )
            _close(outputs(network, words=words).reshape(4, -1), expected, tolerance)
    else:
        for _ in range(3):
            features = rng.normal(size=(1, source.size)).astype(np.float32)
            shape = [dim if isinstance(dim, int) else 1 for dim in runtime.get_inputs()[0].shape]
            expected = runtime.run(None, {network.input_name: features.reshape(shape)})[0]
            _close(outputs(network, features=features).reshape(1, -1), expected.reshape(1, -1), tolerance)
    return network


def refused_of(path: Path, **options: Any) -> tuple[Diagnostic, ...]:
    """The findings about a file that has to be refused."""
    try:
        read(path, **options)
    except FomError as error:
        return error.diagnostics
    raise AssertionError("the file was read")


def _close(found: Array, expected: Array, tolerance: float) -> None:
    np.testing.assert_allclose(found, expected.astype(np.float64), rtol=tolerance, atol=tolerance)


def kinds(network: RealNetwork) -> dict[str, int]:
    """How many nodes of each kind."""
    names = [type(node).__name__ for node in network.nodes]
    return {name: names.count(name) for name in names}
