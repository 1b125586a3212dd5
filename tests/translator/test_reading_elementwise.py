"""Elementwise operators against onnxruntime, and what stays one table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from tests.translator.reading_graphs import SQUARE, WIDTH, Step, agree, build, kinds
from translator.real import Map

FINISH: Step = ("ReduceMean", "y one", "out", {"keepdims": 0})
UNARY: list[tuple[str, dict[str, Any]]] = [
    *(
        (name, {})
        for name in ("Neg", "Abs", "Exp", "Erf", "Tanh", "Sigmoid", "Softplus", "Softsign", "Relu", "Identity")
    ),
    *((name, {}) for name in ("Floor", "Ceil", "Round", "Sign", "Sin", "Cos", "HardSwish", "Mish")),
    ("Elu", {"alpha": 0.7}),
    ("Celu", {"alpha": 0.7}),
    ("Selu", {}),
    ("LeakyRelu", {"alpha": 0.2}),
    ("ThresholdedRelu", {"alpha": 0.3}),
    ("HardSigmoid", {"alpha": 0.3, "beta": 0.4}),
    ("Shrink", {"bias": 0.1, "lambd": 0.4}),
    ("Gelu", {}),
    ("Gelu", {"approximate": "tanh"}),
]


@pytest.mark.parametrize(("op_type", "attributes"), UNARY, ids=[f"{name}{len(a)}" for name, a in UNARY])
def test_unary_operators(op_type: str, attributes: dict[str, Any], tmp_path: Path) -> None:
    network = agree(build([(op_type, "h", "y", attributes), FINISH], ("out", ["batch", WIDTH])), tmp_path)
    assert kinds(network).get("Map", 0) <= 1


@pytest.mark.parametrize("op_type", ["Sqrt", "Log", "Reciprocal"])
def test_functions_of_positive_numbers(op_type: str, tmp_path: Path) -> None:
    steps: list[Step] = [("Exp", "h", "x"), (op_type, "x", "y"), FINISH]
    network = agree(build(steps, ("out", ["batch", WIDTH])), tmp_path)
    assert kinds(network)["Map"] == 1, "a function of a function is one table"


@pytest.mark.parametrize("op_type", ["Add", "Sub", "Mul", "Max", "Min", "Div"])
@pytest.mark.parametrize("other", ["h2", "vector", "scalar"])
def test_binary_operators(op_type: str, other: str, tmp_path: Path) -> None:
    steps: list[Step] = [
        ("MatMul", "h w", "t"),
        ("Softplus", "t", "h2"),
        (op_type, f"h {other}", "y"),
        FINISH,
    ]
    weights = {"vector": np.array([0.5, 2.0, -1.0, 0.25], np.float32), "scalar": np.array(-1.5, np.float32)}
    agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path)


@pytest.mark.parametrize("op_type", ["Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal"])
def test_comparisons_and_logic(op_type: str, tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Round", "h", "r"),
        (op_type, "r half", "a"),
        ("Greater", "h none", "b"),
        ("And", "a b", "c"),
        ("Or", "c a", "d"),
        ("Xor", "d b", "x"),
        ("Not", "x", "z"),
        ("Where", "z h e", "w1"),
        ("Cast", "z", "f", {"to": TensorProto.FLOAT}),
        ("Add", "w1 f", "y"),
        FINISH,
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), {"half": np.array(1.0, np.float32)}), tmp_path)


@pytest.mark.parametrize("exponent", [1.0, 2.0, 3.0])
def test_powers(exponent: float, tmp_path: Path) -> None:
    steps: list[Step] = [("Pow", "h k", "y"), FINISH]
    network = agree(build(steps, ("out", ["batch", WIDTH]), {"k": np.array(exponent, np.float32)}), tmp_path)
    assert kinds(network).get("Multiply", 0) == (1 if exponent == 2 else 0), (
        "a square is a product, feeding sums exactly"
    )


def gelu_steps(tanh: bool) -> list[Step]:
    if not tanh:
        return [
            ("Div", "t root", "a"),
            ("Erf", "a", "b"),
            ("Add", "b unit", "c"),
            ("Mul", "t c", "d"),
            ("Mul", "d half", "y"),
        ]
    return [
        ("Pow", "t three", "a"),
        ("Mul", "a small", "b"),
        ("Add", "t b", "c"),
        ("Mul", "c root", "d"),
        ("Tanh", "d", "f"),
        ("Add", "f unit", "g"),
        ("Mul", "t half", "i"),
        ("Mul", "i g", "y"),
    ]


@pytest.mark.parametrize("tanh", [False, True])
def test_decomposed_gelu_is_one_table(tanh: bool, tmp_path: Path) -> None:
    numbers = {
        "root": 1.4142135 if not tanh else 0.7978845608,
        "unit": 1.0,
        "half": 0.5,
        "three": 3.0,
        "small": 0.044715,
    }
    steps: list[Step] = [("MatMul", "h w", "t"), *gelu_steps(tanh), FINISH]
    network = agree(
        build(steps, ("out", ["batch", WIDTH]), {name: np.array(v, np.float32) for name, v in numbers.items()}),
        tmp_path,
    )
    assert kinds(network)["Map"] == 1
    assert kinds(network).get("Multiply", 0) == 0


def test_difference_of_relus_is_one_table(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Relu", "h", "a"),
        ("Sub", "h unit", "b"),
        ("Relu", "b", "c"),
        ("Sub", "a c", "y"),
        FINISH,
    ]
    network = agree(build(steps, ("out", ["batch", WIDTH]), {"unit": np.array(1.0, np.float32)}), tmp_path)
    assert kinds(network)["Map"] == 1


def test_residual_addition_stays_linear(tmp_path: Path) -> None:
    steps: list[Step] = [("Add", "h h", "a"), ("Add", "a e", "y"), FINISH]
    assert "Map" not in kinds(agree(build(steps, ("out", ["batch", WIDTH])), tmp_path))


def test_functions_of_one_letter_are_free(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Exp", "e", "a"),
        ("Mul", "a e", "b"),
        ("Tanh", "b", "y"),
        FINISH,
    ]
    network = agree(build(steps, ("out", ["batch", WIDTH])), tmp_path)
    assert set(kinds(network)) <= {"Letters", "Linear", "Sum", "Ratio"}


def test_clip_with_one_bound_and_prelu(tmp_path: Path) -> None:
    weights = {"low": np.array(-0.2, np.float32), "slope": np.array([0.1, 0.2, 0.3, 0.4], np.float32)}
    steps: list[Step] = [("Clip", "h low", "c"), ("PRelu", "h slope", "d"), ("Sum", "c d h", "y"), FINISH]
    agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path)


def test_letters_as_numbers(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Cast", "tokens", "x", {"to": TensorProto.FLOAT}),
        ("Equal", "tokens one", "is_one"),
        ("Cast", "is_one", "f", {"to": TensorProto.FLOAT}),
        ("Sub", "x f", "out"),
    ]
    network = agree(build(steps, ("out", ["batch", "n"]), start=[]), tmp_path, alphabet_size=5)
    assert (network.decision.kind, network.decision.n_positions, network.alphabet_size) == ("value", 1, 5)


def test_maps_carry_their_function(tmp_path: Path) -> None:
    steps: list[Step] = [("MatMul", "h w", "t"), ("Relu", "t", "y"), ("ReduceMax", "y one", "out", {"keepdims": 0})]
    network = agree(build(steps, ("out", ["batch", WIDTH])), tmp_path)
    (table,) = [node for node in network.nodes if isinstance(node, Map)]
    assert table.function(np.array([-2.0, 3.0])).tolist() == [0.0, 3.0]
    assert SQUARE.shape == (WIDTH, WIDTH)
