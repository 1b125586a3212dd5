"""Elementwise operators along the sequence: letters as whole numbers, two tensors of positions, positions as numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from tests.translator.reading_graphs import WIDTH, Step, agree, build

FINISH: Step = ("ReduceMean", "y one", "out", {"keepdims": 0})
FLOAT = {"to": TensorProto.FLOAT}
# Two tensors of positions: h of any sign, k positive.
TWO: list[Step] = [("MatMul", "h w", "t"), ("Softplus", "t", "k")]


@pytest.mark.parametrize(
    ("op_type", "given", "attributes"),
    [
        ("Div", "x two", {}),
        ("Div", "three x1", {}),
        ("Mod", "x three", {}),
        ("Mod", "x three", {"fmod": 1}),
        ("Mul", "x x", {}),
        ("Pow", "x two", {}),
        ("Pow", "two x", {}),
        ("BitwiseAnd", "x three", {}),
        ("BitwiseOr", "x last", {}),
        ("BitwiseXor", "last x", {}),
        ("Max", "x last", {}),
        ("Sub", "x last", {}),
    ],
)
def test_letters_as_whole_numbers(op_type: str, given: str, attributes: dict[str, Any], tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Identity", "tokens", "x"),
        ("Add", "x one", "x1"),
        ("Slice", "x minus limit one", "last"),
        (op_type, given, "whole", attributes),
        ("Cast", "whole", "out", FLOAT),
    ]
    weights = {"three": np.array(3), "limit": np.array([2**31]), "two": np.array(2)}
    agree(build(steps, ("out", ["batch", "n"]), weights, start=[]), tmp_path, alphabet_size=7)


@pytest.mark.parametrize("dtype", [TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32])
def test_letters_in_few_bits_wrap(dtype: int, tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Cast", "tokens", "x", {"to": dtype}),
        ("Mul", "x x", "y"),
        ("Mul", "y y", "z"),
        ("Cast", "z", "out", FLOAT),
    ]
    agree(build(steps, ("out", ["batch", "n"]), start=[]), tmp_path, alphabet_size=7)


@pytest.mark.parametrize("op_type", ["Div", "Max", "Min", "Less", "GreaterOrEqual"])
def test_two_tensors_of_positions(op_type: str, tmp_path: Path) -> None:
    steps: list[Step] = [*TWO, (op_type, "h k", "v"), ("Cast", "v", "y", FLOAT), FINISH]
    agree(build(steps, ("out", ["batch", WIDTH])), tmp_path)


def test_powers_of_two_tensors_of_positions(tmp_path: Path) -> None:
    agree(build([*TWO, ("Pow", "k h", "y"), FINISH], ("out", ["batch", WIDTH])), tmp_path)


def test_remainders_of_two_tensors_of_positions(tmp_path: Path) -> None:
    agree(build([*TWO, ("Mod", "h k", "y", {"fmod": 1}), FINISH], ("out", ["batch", WIDTH])), tmp_path)


def test_many_constants_along_the_sequence(tmp_path: Path) -> None:
    weights = {"c": np.array([2.0, 3.0, 1.0, 2.0], np.float32)}
    for steps in ([("Pow", "h c", "y")], [*TWO, ("Pow", "c h", "y")], [("Mod", "h c", "y", {"fmod": 1})]):
        agree(build([*steps, FINISH], ("out", ["batch", WIDTH]), weights), tmp_path)
