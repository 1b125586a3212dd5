"""Build a network, without training, that decides "more b than a" and goes wrong for the first time at length 33.

    python examples/train/half_a.py

One uniform average: a is -1 and b is 1, and the answer is 1 if the mean over all positions, after a ReLU, is above 0. In exact
arithmetic that is right at every length. A mean rounded to 4 fractional bits is 0 for one b more than a from length 33 on,
because 1/33 is less than half of 1/16: no test on words up to length 32 can find it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

FOLDER = Path(__file__).resolve().parent.parent / "half_a"
LENGTHS = range(1, 41)
PER_LENGTH = 4
LETTERS = ["a", "b"]


def model() -> onnx.ModelProto:
    """The network."""
    nodes = [
        helper.make_node("Gather", ["embedding.weight", "tokens"], ["embedded"], name="embedding"),
        helper.make_node("ReduceMean", ["embedded"], ["mean"], name="mean", axes=[1], keepdims=0),
        helper.make_node("Relu", ["mean"], ["positive"], name="relu"),
        helper.make_node("MatMul", ["positive", "head.weight"], ["logits"], name="head"),
    ]
    weights = [
        numpy_helper.from_array(np.array([[-1.0], [1.0]], dtype=np.float32), "embedding.weight"),
        numpy_helper.from_array(np.array([[0.0, 1.0]], dtype=np.float32), "head.weight"),
    ]
    tokens = helper.make_tensor_value_info("tokens", TensorProto.INT64, ["batch", "n"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])
    graph = helper.make_graph(nodes, "half_a", [tokens], [logits], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(made, full_check=True)
    return made


def main() -> None:
    """Write the network, some words, and what onnxruntime answers."""
    FOLDER.mkdir(exist_ok=True)
    made = model()
    onnx.save(made, FOLDER / "model.onnx")
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(0)
    tokens = np.full((len(LENGTHS) * PER_LENGTH, LENGTHS[-1]), -1, dtype=np.int64)
    logits = np.zeros((len(tokens), 2), dtype=np.float32)
    for row in range(len(tokens)):
        n = LENGTHS[row // PER_LENGTH]
        tokens[row, :n] = rng.integers(0, 2, n)
        (logits[row : row + 1],) = session.run(None, {"tokens": tokens[row : row + 1, :n]})
    np.savez_compressed(FOLDER / "inputs.npz", tokens=tokens)
    np.savez_compressed(FOLDER / "expected.npz", logits=logits, decision=logits.argmax(-1))
    task = {
        "name": "half_a",
        "task": "1 iff there are more b than a",
        "letters": LETTERS,
        "architecture": "mean of -1 and 1 over all positions, ReLU, linear map to two classes",
        "exporter": "built node by node, opset 17",
    }
    (FOLDER / "task.json").write_text(json.dumps(task, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
