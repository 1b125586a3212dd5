"""Files that fom has to refuse with a diagnostic: one function per kind of badness, each writes into a folder.

Apart from its one flaw each file is a correct ONNX model.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "majority" / "model.onnx"
OPSET = 20
WIDTH = 4


def missing_file(folder: Path) -> Path:
    """The path names nothing."""
    return folder / "missing.onnx"


def folder_without_translation(folder: Path) -> Path:
    """The path names an empty folder."""
    path = folder / "empty_folder"
    path.mkdir()
    return path


def empty_file(folder: Path) -> Path:
    """No bytes at all: protobuf reads them as a model without a graph."""
    path = folder / "empty.onnx"
    path.write_bytes(b"")
    return path


def text_file(folder: Path) -> Path:
    """Text under the name of a model."""
    path = folder / "text.onnx"
    path.write_text("version https://example.com/spec/v1\nsize 12345\n", encoding="utf-8")
    return path


def truncated_protobuf(folder: Path) -> Path:
    """A real network whose download stopped half way."""
    path = folder / "truncated.onnx"
    data = EXAMPLE.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def lstm(folder: Path) -> Path:
    """An LSTM over the sequence: its depth grows with n."""
    nodes = [
        helper.make_node("Gather", ["embedding", "tokens"], ["x"], name="/embed"),
        helper.make_node("Transpose", ["x"], ["time_first"], perm=[1, 0, 2]),
        helper.make_node("LSTM", ["time_first", "W", "R"], ["", "last"], name="/rnn/LSTM", hidden_size=WIDTH),
        helper.make_node("Squeeze", ["last", "zero"], ["pooled"]),
        _head(),
    ]
    weights = _weights() | {
        "W": _random(1, 4 * WIDTH, WIDTH),
        "R": _random(1, 4 * WIDTH, WIDTH),
        "zero": np.array([0]),
    }
    return _write(folder / "lstm.onnx", nodes, weights)


def loop(folder: Path) -> Path:
    """A Loop whose trip count is the sequence length."""
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["state", "step"], ["moved"]),
            helper.make_node("Relu", ["moved"], ["next"]),
            helper.make_node("Identity", ["going"], ["still_going"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", TensorProto.FLOAT, ["batch", WIDTH]),
        ],
        [
            helper.make_tensor_value_info("still_going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, ["batch", WIDTH]),
        ],
    )
    nodes = [
        helper.make_node("Gather", ["embedding", "tokens"], ["x"], name="/embed"),
        helper.make_node("ReduceMean", ["x", "one"], ["start"], keepdims=0),
        helper.make_node("Shape", ["tokens"], ["shape"]),
        helper.make_node("Gather", ["shape", "index"], ["n"]),
        helper.make_node("Loop", ["n", "", "start"], ["pooled"], name="/rnn/Loop", body=body),
        _head(),
    ]
    weights = _weights() | {"one": np.array([1]), "index": np.array(1), "step": _random(WIDTH, WIDTH)}
    return _write(folder / "loop.onnx", nodes, weights)


def nan_weights(folder: Path) -> Path:
    """One weight is not a number."""
    weights = _weights() | {"one": np.array([1])}
    weights["head"][1, 0] = np.nan
    return _write(folder / "nan.onnx", _mean_pooling(), weights)


def unknown_domain(folder: Path) -> Path:
    """An operator of a domain nobody has heard of."""
    nodes = [
        helper.make_node("Gather", ["embedding", "tokens"], ["x"], name="/embed"),
        helper.make_node("FancyGelu", ["x"], ["y"], name="/act/FancyGelu", domain="com.example"),
        helper.make_node("ReduceMean", ["y", "one"], ["pooled"], keepdims=0),
        _head(),
    ]
    opsets = {"": OPSET, "com.example": 1}
    return _write(folder / "unknown_domain.onnx", nodes, _weights() | {"one": np.array([1])}, opsets=opsets)


def external_data_missing(folder: Path) -> Path:
    """The weights are said to lie in a file that was not copied along."""
    path = _write(folder / "external.onnx", _mean_pooling(), _weights() | {"one": np.array([1])})
    model = onnx.load(path)
    embedding = next(tensor for tensor in model.graph.initializer if tensor.name == "embedding")
    size = len(embedding.raw_data)
    embedding.ClearField("raw_data")
    embedding.data_location = TensorProto.EXTERNAL
    for key, value in {"location": "weights.bin", "offset": "0", "length": str(size)}.items():
        embedding.external_data.add(key=key, value=value)
    path.write_bytes(model.SerializeToString())
    return path


def unsupported_operator(folder: Path) -> Path:
    """NonMaxSuppression: how many rows come out depends on the data."""
    nodes = [
        helper.make_node("NonMaxSuppression", ["boxes", "scores", "most"], ["chosen"], name="/detect/Nms"),
        helper.make_node("Cast", ["chosen"], ["logits"], to=TensorProto.FLOAT),
    ]
    boxes = helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, 6, 4])
    rows = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["chosen", 3])
    weights = {"scores": np.abs(_random(1, 2, 6)), "most": np.array([3])}
    return _write(folder / "nms.onnx", nodes, weights, inputs=[boxes], outputs=[rows])


def string_input(folder: Path) -> Path:
    """The words come as strings and are looked up inside the network."""
    words = helper.make_tensor_value_info("words", TensorProto.STRING, ["batch", "seq"])
    encode = helper.make_node(
        "LabelEncoder",
        ["words"],
        ["tokens"],
        name="/encode",
        domain="ai.onnx.ml",
        keys_strings=["a", "b"],
        values_int64s=[0, 1],
        default_int64=0,
    )
    nodes = [encode, *_mean_pooling()]
    weights = _weights() | {"one": np.array([1])}
    return _write(folder / "strings.onnx", nodes, weights, inputs=[words], opsets={"": OPSET, "ai.onnx.ml": 3})


def baked_length(folder: Path) -> Path:
    """The length is declared symbolic, but a Reshape has the traced one (5) in it."""
    nodes = [
        helper.make_node("Gather", ["embedding", "tokens"], ["x"], name="/embed"),
        helper.make_node("Reshape", ["x", "traced"], ["heads"], name="/attention/Reshape"),
        helper.make_node("ReduceMean", ["heads", "one"], ["pooled_heads"], keepdims=0),
        helper.make_node("Reshape", ["pooled_heads", "flat"], ["pooled"]),
        _head(),
    ]
    weights = _weights() | {
        "traced": np.array([-1, 5, 2, WIDTH // 2]),
        "one": np.array([1]),
        "flat": np.array([-1, WIDTH]),
    }
    return _write(folder / "baked_length.onnx", nodes, weights)


def real_sequence(folder: Path) -> Path:
    """A sequence of real vectors: there is no alphabet for a word of letters."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", "seq", WIDTH])
    nodes = [helper.make_node("ReduceMean", ["x", "one"], ["pooled"], keepdims=0), _head()]
    weights = {"head": _random(WIDTH, 2), "one": np.array([1])}
    return _write(folder / "real_sequence.onnx", nodes, weights, inputs=[x])


BAD_INPUTS: dict[str, Callable[[Path], Path]] = {
    "missing file": missing_file,
    "folder without a translation": folder_without_translation,
    "empty file": empty_file,
    "text file": text_file,
    "truncated protobuf": truncated_protobuf,
    "LSTM over a symbolic sequence": lstm,
    "Loop with trip count n": loop,
    "NaN weights": nan_weights,
    "unknown operator domain": unknown_domain,
    "external data missing": external_data_missing,
    "unsupported operator": unsupported_operator,
    "string input": string_input,
    "Reshape with a baked-in length": baked_length,
    "real input with a symbolic sequence": real_sequence,
}


def _random(*shape: int) -> Array:
    return np.random.default_rng(0).standard_normal(shape).astype(np.float32)


def _weights() -> dict[str, Array]:
    """An embedding of two letters and a linear readout of two classes."""
    return {"embedding": _random(2, WIDTH), "head": _random(WIDTH, 2)}


def _head() -> onnx.NodeProto:
    return helper.make_node("MatMul", ["pooled", "head"], ["logits"], name="/head")


def _mean_pooling() -> list[onnx.NodeProto]:
    """The least network that reads a word."""
    return [
        helper.make_node("Gather", ["embedding", "tokens"], ["x"], name="/embed"),
        helper.make_node("ReduceMean", ["x", "one"], ["pooled"], keepdims=0),
        _head(),
    ]


def _write(
    path: Path,
    nodes: Sequence[onnx.NodeProto],
    weights: dict[str, Array],
    *,
    inputs: Sequence[onnx.ValueInfoProto] | None = None,
    outputs: Sequence[onnx.ValueInfoProto] | None = None,
    opsets: dict[str, int] | None = None,
) -> Path:
    """Save a model; by default from tokens ``(batch, seq)`` to logits ``(batch, 2)``."""
    tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "seq"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
    graph = helper.make_graph(
        nodes,
        "main",
        [tokens] if inputs is None else inputs,
        [logits] if outputs is None else outputs,
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    opset_imports = [helper.make_opsetid(domain, version) for domain, version in (opsets or {"": OPSET}).items()]
    model = helper.make_model(graph, opset_imports=opset_imports, ir_version=10)
    path.write_bytes(model.SerializeToString())
    return path
