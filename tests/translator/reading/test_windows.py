"""Convolutions and pools: attributes that ONNX's suite does not have, kernels as data, and windows along the sequence."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from circuits.diagnostics import FomError
from tests.translator.reading.differential import check, ours, single
from tests.translator.reading_graphs import WIDTH, Step, agree, build

RNG = np.random.default_rng(5)
MEAN: Step = ("ReduceMean", "y", "out", {"keepdims": 0, "axes": [2]})


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


CONVOLUTIONS: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "plain": ((2, 3, 7), (4, 3, 3), {}),
    "strides": ((2, 3, 7, 6), (4, 3, 3, 2), {"strides": [2, 3], "pads": [1, 0, 2, 1]}),
    "dilated": ((1, 2, 9, 8), (3, 2, 3, 2), {"dilations": [2, 3], "pads": [2, 1, 0, 3]}),
    "groups": ((2, 6, 5), (4, 3, 2), {"group": 2, "strides": [2]}),
    "depthwise": ((1, 3, 5, 5), (6, 1, 3, 3), {"group": 3, "pads": [1, 1, 1, 1]}),
    "same_upper": ((1, 2, 7, 6), (2, 2, 4, 3), {"auto_pad": "SAME_UPPER", "strides": [2, 2]}),
    "same_lower": ((1, 2, 7, 6), (2, 2, 4, 3), {"auto_pad": "SAME_LOWER", "strides": [2, 3]}),
    "valid": ((1, 2, 7, 6), (2, 2, 4, 3), {"auto_pad": "VALID", "strides": [2, 3]}),
    "three": ((1, 2, 4, 5, 3), (2, 2, 2, 3, 2), {"pads": [1, 0, 1, 0, 1, 0]}),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
@pytest.mark.parametrize("constants", [(), (0,), (1,), (1, 2)])
def test_convolutions(name: str, constants: tuple[int, ...]) -> None:
    image, kernel, attributes = CONVOLUTIONS[name]
    check("Conv", [normal(*image), normal(*kernel), normal(kernel[0])], constants=constants, **attributes)


TRANSPOSED: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = {
    "plain": ((2, 3, 5), (3, 4, 3), {}),
    "strides": ((2, 3, 4, 3), (3, 2, 3, 2), {"strides": [2, 3], "pads": [1, 0, 0, 1]}),
    "output_padding": ((1, 2, 3, 3), (2, 2, 3, 3), {"strides": [3, 2], "output_padding": [2, 1]}),
    "dilated": ((1, 2, 4), (2, 3, 3), {"dilations": [2], "strides": [2], "pads": [1, 2]}),
    "groups": ((1, 4, 4), (4, 3, 2), {"group": 2, "strides": [2]}),
    "output_shape": ((1, 1, 3, 3), (1, 2, 3, 3), {"strides": [3, 2], "output_shape": [8, 6]}),
    "same_upper": ((1, 1, 3, 3), (1, 2, 4, 3), {"strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "same_lower": ((1, 1, 3, 3), (1, 2, 4, 3), {"strides": [2, 2], "auto_pad": "SAME_LOWER"}),
}


@pytest.mark.parametrize("name", TRANSPOSED)
@pytest.mark.parametrize("constants", [(), (1, 2)])
def test_transposed_convolutions(name: str, constants: tuple[int, ...]) -> None:
    image, kernel, attributes = TRANSPOSED[name]
    channels = kernel[1] * attributes.get("group", 1)
    check("ConvTranspose", [normal(*image), normal(*kernel), normal(channels)], constants=constants, **attributes)


@settings(max_examples=40, deadline=None)
@given(
    operator=st.sampled_from(["MaxPool", "AveragePool", "LpPool"]),
    size=st.integers(4, 8),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    before=st.integers(0, 1),
    after=st.integers(0, 1),
    ceil=st.integers(0, 1),
    include=st.integers(0, 1),
)
def test_pools(
    operator: str, size: int, kernel: int, stride: int, dilation: int, before: int, after: int, ceil: int, include: int
) -> None:
    if max(before, after) >= kernel or (kernel - 1) * dilation + 1 > size:
        return
    attributes: dict[str, Any] = {
        "kernel_shape": [kernel, 2],
        "strides": [stride, 1],
        "pads": [before, 0, after, 0],
        "dilations": [dilation, 1],
        "ceil_mode": ceil,
    }
    if operator == "AveragePool":
        attributes["count_include_pad"] = include
    if operator == "LpPool":
        attributes["p"] = 1 + include
        attributes["ceil_mode"] = 0
    check(operator, [normal(2, 2, size, 3)], opset=20, **attributes)


def test_a_kernel_of_another_shape_than_stated_is_refused() -> None:
    with pytest.raises(FomError, match="`kernel_shape` is"):
        check("Conv", [normal(1, 2, 5, 5), normal(3, 2, 3, 3)], constants=(1,), opset=13, kernel_shape=[3, 5])


@pytest.mark.parametrize("operator", ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"])
def test_global_pools(operator: str) -> None:
    check(operator, [normal(2, 3, 4, 2)], opset=20)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8])
def test_maxima_of_whole_numbers(dtype: type) -> None:
    given_: Any = RNG.integers(0, 100, (1, 2, 5, 5)).astype(dtype)
    kind = TensorProto.UINT8 if dtype is np.uint8 else TensorProto.INT8
    check("MaxPool", [given_], kernel_shape=[3, 2], pads=[1, 0, 1, 1], outputs=[kind])


def test_a_large_image_is_convolved_quickly() -> None:
    inputs = [np.zeros((1, 3, 224, 224), np.float32), normal(8, 3, 3, 3)]
    start = time.perf_counter()
    ours(single("Conv", inputs, constants=(1,), strides=[2, 2], pads=[1, 1, 1, 1]), inputs, (1,))
    assert time.perf_counter() - start < 15, "no loop over pixels"


ALONG: dict[str, dict[str, Any]] = {
    "causal": {"pads": [2, 0]},
    "zero": {"pads": [1, 1]},
    "none": {},
    "wide": {"pads": [2, 3]},
    "dilated": {"pads": [4, 1], "dilations": [2]},
    "same": {"auto_pad": "SAME_UPPER"},
}


@pytest.mark.parametrize("name", ALONG)
@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_along_the_sequence(name: str, groups: int, tmp_path: Path) -> None:
    weights = {"k": normal(6, WIDTH // groups, 3), "b": normal(6)}
    steps: list[Step] = [
        ("Transpose", "h", "x", {"perm": [0, 2, 1]}),
        ("Conv", "x k b", "y", {"group": groups, **ALONG[name]}),
        MEAN,
    ]
    model = build(steps, ("out", ["batch", 6]), weights, opset=13)
    agree(model, tmp_path, (3, 4, 6, 9))


def test_convolutions_of_what_padding_made_longer_and_shorter(tmp_path: Path) -> None:
    weights = {"k": normal(WIDTH, WIDTH, 3), "front": np.array([0]), "cut": np.array([-2]), "last": np.array([2])}
    steps: list[Step] = [
        ("Transpose", "h", "x", {"perm": [0, 2, 1]}),
        ("Conv", "x k", "a", {"pads": [2, 2]}),  # n + 2 entries
        ("Conv", "a k", "b", {"pads": [0, 1]}),  # n + 1
        ("Conv", "b k", "c", {}),  # n - 1
        ("Conv", "c k", "d", {"pads": [1, 2]}),  # n
        ("Slice", "a front cut last", "z"),  # the trimmed output of a causal convolution
        ("Add", "d z", "y"),
        MEAN,
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), weights, opset=13), tmp_path, (2, 3, 5, 8), 2e-4)


@pytest.mark.parametrize(
    ("operator", "attributes"),
    [
        ("MaxPool", {"pads": [1, 1]}),
        ("MaxPool", {"pads": [2, 0]}),
        ("MaxPool", {"dilations": [2], "pads": [2, 2]}),
        ("MaxPool", {}),
        ("AveragePool", {"pads": [1, 1]}),
        ("AveragePool", {"pads": [2, 1], "count_include_pad": 1}),
        ("AveragePool", {}),
        ("LpPool", {"pads": [1, 1], "p": 2}),
    ],
)
def test_pools_along_the_sequence(operator: str, attributes: dict[str, Any], tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Transpose", "h", "x", {"perm": [0, 2, 1]}),
        (operator, "x", "y", {"kernel_shape": [3], **attributes}),
        MEAN,
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), opset=13), tmp_path, (3, 4, 6, 9))


@pytest.mark.parametrize("operator", ["GlobalAveragePool", "GlobalMaxPool"])
def test_global_pools_over_the_sequence(operator: str, tmp_path: Path) -> None:
    steps: list[Step] = [("Transpose", "h", "x", {"perm": [0, 2, 1]}), (operator, "x", "y"), MEAN]
    agree(build(steps, ("out", ["batch", WIDTH]), opset=13), tmp_path)
