"""Tiny transformers with random weights, as ONNX files: layers, heads, norm, mask and readout can be chosen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]

MASKED = np.array(-np.inf, dtype=np.float32)


@dataclass(frozen=True)
class Shape:
    """What a tiny transformer is made of.

    Attributes:
        norm: "none", "pre" or "post".
        readout: "mean", "last", "max", or "each" for an answer at every position.
        gain: factor of the weights of queries and keys; a large one makes attention nearly hard.
    """

    layers: int = 1
    heads: int = 1
    norm: str = "none"
    causal: bool = False
    readout: str = "mean"
    letters: int = 2
    classes: int = 2
    width: int = 4
    gain: float = 1.0
    seed: int = 0


class Writer:
    """Collects nodes and weights of one graph."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[Any] = []
        self.weights: dict[str, Array] = {}

    def put(self, op_type: str, *inputs: str, **attributes: Any) -> str:
        """Append a node; returns the name of its output."""
        name = f"{op_type.lower()}{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: Any) -> str:
        """Store a constant once."""
        self.weights.setdefault(name, np.asarray(value))
        return name

    def random(self, name: str, *shape: int, gain: float = 1.0) -> str:
        """Store random weights."""
        return self.constant(name, (gain * self.rng.normal(size=shape)).astype(np.float32))

    def norm(self, x: str, name: str, width: int) -> str:
        """A LayerNorm with random scale and shift."""
        scale, shift = self.random(f"{name}.scale", width), self.random(f"{name}.shift", width)
        return self.put("LayerNormalization", x, scale, shift, axis=-1)

    def attention(self, x: str, name: str, shape: Shape) -> str:
        """Softmax attention with all heads in one product."""
        width, heads = shape.width, shape.heads
        split = self.constant("split", [0, -1, heads, width // heads])
        join = self.constant("join", [0, -1, width])
        parts = []
        for kind, gain, order in (
            ("q", shape.gain, [0, 2, 1, 3]),
            ("k", shape.gain, [0, 2, 3, 1]),
            ("v", 1.0, [0, 2, 1, 3]),
        ):
            projected = self.put("MatMul", x, self.random(f"{name}.{kind}", width, width, gain=gain))
            parts.append(self.put("Transpose", self.put("Reshape", projected, split), perm=order))
        scores = self.put("MatMul", parts[0], parts[1])
        scores = self.put("Mul", scores, self.constant("scale", np.float32((width // heads) ** -0.5)))
        if shape.causal:
            scores = self.put("Where", self.before(), scores, self.constant("masked", MASKED))
        weights = self.put("Softmax", scores, axis=-1)
        mixed = self.put("Transpose", self.put("MatMul", weights, parts[2]), perm=[0, 2, 1, 3])
        return self.put("MatMul", self.put("Reshape", mixed, join), self.random(f"{name}.o", width, width))

    def before(self) -> str:
        """The mask of the positions up to one's own, of shape (n, n)."""
        length = self.put("Gather", self.put("Shape", "tokens"), self.constant("index", 1))
        zero, one = self.constant("zero", 0), self.constant("one", 1)
        places = self.put("Range", zero, length, one)
        rows = self.put("Unsqueeze", places, self.constant("last_axis", [1]))
        columns = self.put("Unsqueeze", places, self.constant("first_axis", [0]))
        return self.put("GreaterOrEqual", rows, columns)

    def feed_forward(self, x: str, name: str, width: int) -> str:
        """Two linear maps with a ReLU between them."""
        up = self.put(
            "Add",
            self.put("MatMul", x, self.random(f"{name}.up", width, 2 * width)),
            self.random(f"{name}.b", 2 * width),
        )
        return self.put("MatMul", self.put("Relu", up), self.random(f"{name}.down", 2 * width, width))


def transformer(shape: Shape) -> onnx.ModelProto:
    """Make a model that reads words ``tokens`` and answers with logits."""
    writer = Writer(shape.seed)
    x = writer.put("Gather", writer.random("embedding", shape.letters, shape.width), "tokens")
    for layer in range(shape.layers):
        for part in ("attention", "mlp"):
            name = f"{part}{layer}"
            given = writer.norm(x, f"{name}.norm", shape.width) if shape.norm == "pre" else x
            if part == "attention":
                made = writer.attention(given, name, shape)
            else:
                made = writer.feed_forward(given, name, shape.width)
            x = writer.put("Add", x, made)
            if shape.norm == "post":
                x = writer.norm(x, f"{name}.norm", shape.width)
    axis = writer.constant("middle", [1])
    if shape.readout == "mean":
        x = writer.put("ReduceMean", x, axis, keepdims=0)
    elif shape.readout == "max":
        x = writer.put("ReduceMax", x, axis, keepdims=0)
    elif shape.readout == "last":
        x = writer.put("Gather", x, writer.constant("end", -1), axis=1)
    logits = writer.put("MatMul", x, writer.random("head", shape.width, shape.classes))
    logits = writer.put("Add", logits, writer.random("head.b", shape.classes))
    dims: list[str | int | None] = (
        ["batch", "n", shape.classes] if shape.readout == "each" else ["batch", shape.classes]
    )
    graph = helper.make_graph(
        writer.nodes,
        "tiny",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "n"])],
        [helper.make_tensor_value_info(logits, TensorProto.FLOAT, dims)],
        [numpy_helper.from_array(value, name) for name, value in writer.weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def save(shape: Shape, folder: Path) -> Path:
    """Write the model of a shape to a file."""
    path = folder / "model.onnx"
    onnx.save(transformer(shape), str(path))
    return path
