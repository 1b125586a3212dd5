"""Quantized operators and onnxruntime's own ones on words of every length, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.translator.reading.other_domains import single
from tests.translator.reading_graphs import WIDTH, Step, agree, build, save
from translator.reading import read
from translator.real_evaluate import outputs

RNG = np.random.default_rng(3)
OUTPUT: tuple[str, list[int | str]] = ("y", ["batch", "n", WIDTH])
CODES = {
    "wq": RNG.integers(-127, 128, (WIDTH, WIDTH)).astype(np.int8),
    "ws": (0.005 + RNG.random(WIDTH) / 100).astype(np.float32),
    "wz": np.zeros(WIDTH, dtype=np.int8),
    "s": np.array(0.03, dtype=np.float32),
    "t": np.array(0.05, dtype=np.float32),
    "z": np.array(120, dtype=np.uint8),
}


def with_domain(model: onnx.ModelProto, *nodes: int) -> onnx.ModelProto:
    """Put the nodes numbered so into onnxruntime's domain."""
    for place in nodes:
        model.graph.node[place].domain = "com.microsoft"
    model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    return model


def test_static_quantization(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("QuantizeLinear", "h s z", "codes"),
        ("QLinearMatMul", "codes s z wq ws wz t z", "made"),
        ("DequantizeLinear", "made t z", "y"),
    ]
    agree(build(steps, OUTPUT, CODES), tmp_path)


def test_dynamic_quantization_takes_the_range_of_all_positions(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("DynamicQuantizeLinear", "h", "codes scale point"),
        ("MatMulInteger", "codes wq point wz", "made"),
        ("Cast", "made", "f", {"to": 1}),
        ("Mul", "scale ws", "both"),
        ("Mul", "f both", "y"),
    ]
    agree(build(steps, OUTPUT, CODES), tmp_path)


def test_dynamic_matmul(tmp_path: Path) -> None:
    steps: list[Step] = [("DynamicQuantizeMatMul", "h wq ws wz", "y")]
    agree(with_domain(build(steps, OUTPUT, CODES), 5), tmp_path)


@pytest.mark.parametrize("causal", [0, 1])
def test_attention(tmp_path: Path, causal: int) -> None:
    weights = {
        "qkv": RNG.normal(size=(WIDTH, 3 * WIDTH)).astype(np.float32),
        "b": RNG.normal(size=3 * WIDTH).astype(np.float32),
    }
    steps: list[Step] = [("Attention", "h qkv b", "y", {"num_heads": 2, "unidirectional": causal})]
    agree(with_domain(build(steps, OUTPUT, weights), 5), tmp_path)


def test_skip_normalization(tmp_path: Path) -> None:
    weights = {"g": np.ones(WIDTH, np.float32), "o": np.zeros(WIDTH, np.float32)}
    steps: list[Step] = [
        ("MatMul", "h w", "k"),
        ("SkipLayerNormalization", "h k g o", "y", {"epsilon": 1e-5}),
    ]
    agree(with_domain(build(steps, OUTPUT, weights), 6), tmp_path)


def test_the_alphabet_is_the_table_of_an_embedding(tmp_path: Path) -> None:
    tables: list[Any] = [RNG.normal(size=(rows, WIDTH)).astype(np.float32) for rows in (6, 9)]
    gain = np.ones(WIDTH, np.float32)
    given = [np.zeros((1, 4), np.int32), None, *tables, None, gain, 0 * gain]
    model = single("com.microsoft", "EmbedLayerNormalization", given, constants=range(2, 7), epsilon=1e-5,
                   outputs=[TensorProto.FLOAT, TensorProto.INT32])  # fmt: skip
    model.graph.input[0].type.CopyFrom(helper.make_tensor_type_proto(TensorProto.INT32, ["batch", "n"]))
    network = read(save(model, tmp_path))
    assert network.alphabet_size == 6
    assert network.domain.most == 9


def test_the_label_of_a_classifier_is_a_decision(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["scores"]),
        helper.make_node("ArgMax", ["scores"], ["best"], axis=1),
        helper.make_node("ArrayFeatureExtractor", ["classes", "best"], ["found"], domain="ai.onnx.ml"),
        helper.make_node("Reshape", ["found", "flat"], ["label"]),
    ]
    weights = RNG.normal(size=(4, 3)).astype(np.float32)
    stored: dict[str, Any] = {"w": weights, "classes": np.arange(3), "flat": np.array([-1])}
    graph = helper.make_graph(
        nodes,
        "labels",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 4])],
        [helper.make_tensor_value_info("label", TensorProto.INT64, [None])],
        [numpy_helper.from_array(value, name) for name, value in stored.items()],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 1)]
    network = read(save(helper.make_model(graph, opset_imports=imports, ir_version=8), tmp_path))
    assert network.decision.applied == "ArgMax"
    assert network.decision.n_classes == 3
    x = RNG.normal(size=(10, 4))
    np.testing.assert_allclose(outputs(network, features=x), x @ weights, rtol=1e-6)
