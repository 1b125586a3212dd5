"""Reductions, cumulative operators and losses: axes, types, empty sets, the sequence axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translator.reading.differential import check, ours, single
from tests.translator.reading_graphs import WIDTH, Step, agree, build

RNG = np.random.default_rng(11)
ALL = ["Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "LogSum", "LogSumExp", "SumSquare"]


def kind(dtype: str) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_reductions(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(ALL))
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    axes = data.draw(
        st.lists(st.integers(-len(shape), len(shape) - 1), max_size=len(shape), unique_by=lambda a: a % len(shape))
    )
    x = RNG.uniform(0.2, 2, shape).astype(np.float32)
    if name not in ("LogSum",):
        x = x * np.where(RNG.random(shape) < 0.4, -1, 1).astype(np.float32)
    keepdims = data.draw(st.integers(0, 1))
    if data.draw(st.booleans()):
        given_axes = np.array(axes, np.int64)
        noop = data.draw(st.integers(0, 1)) if axes else 0
        check(f"Reduce{name}", [x, given_axes], constants=(1,), keepdims=keepdims, noop_with_empty_axes=noop, opset=18)
    else:
        attributes: dict[str, Any] = {"axes": axes} if axes else {}
        check(f"Reduce{name}", [x], keepdims=keepdims, opset=12 if name != "Sum" else 11, **attributes)


@pytest.mark.parametrize("name", ALL)
def test_no_axes_and_no_operation(name: str) -> None:
    x = RNG.uniform(0.2, 2, (2, 3)).astype(np.float32)
    check(f"Reduce{name}", [x], noop_with_empty_axes=1, opset=18, runtime=False)


@pytest.mark.parametrize("name", ["Sum", "Mean", "Max", "Min", "Prod", "SumSquare", "L1"])
@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_reductions_of_whole_numbers(name: str, dtype: str) -> None:
    x = RNG.integers(-6, 7, (3, 4)).astype(dtype)
    check(f"Reduce{name}", [x, np.array([1])], constants=(1,), opset=18, outputs=[kind(dtype)], runtime=name != "L1")


@pytest.mark.parametrize("name", ["Max", "Min"])
def test_reductions_of_truth_values_and_bytes(name: str) -> None:
    check(f"Reduce{name}", [RNG.random((5, 3)) < 0.4, np.array([1])], constants=(1,), opset=20, outputs=[kind("bool")])
    x = RNG.integers(0, 256, (5, 3)).astype(np.uint8)
    check(f"Reduce{name}", [x, np.array([0])], constants=(1,), opset=20, outputs=[kind("uint8")])


def test_reductions_of_an_empty_slice() -> None:
    x = RNG.normal(size=(2, 3)).astype(np.float32)
    for name, wanted in (("Sum", 0.0), ("Prod", 1.0), ("Max", -np.inf), ("Min", np.inf)):
        model = single("Slice", [x, np.array([1]), np.array([1]), np.array([1])], constants=(1, 2, 3), opset=18)
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([1]), "axis"))
        model.graph.node.append(onnx.helper.make_node(f"Reduce{name}", ["o0", "axis"], ["o1"], keepdims=0))
        model.graph.output[0].name = "o1"
        (found,) = ours(model, [x])
        assert found.dtype == np.float32
        assert found.tolist() == [wanted, wanted]


def test_logarithm_of_a_sum_of_large_exponentials() -> None:
    x = np.array([[1000.0, 999.0], [-1000.0, -1001.0]], np.float32)
    check("ReduceLogSumExp", [x, np.array([1])], constants=(1,), opset=18, runtime=False)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("exclusive", [0, 1])
@pytest.mark.parametrize("reverse", [0, 1])
def test_cumulative_operators(axis: int, exclusive: int, reverse: int) -> None:
    x = RNG.normal(size=(3, 7)).astype(np.float32)
    inputs = [x, np.array(axis)]
    options: dict[str, Any] = {"constants": (1,), "exclusive": exclusive, "reverse": reverse}
    check("CumSum", inputs, opset=14, **options)
    check("CumProd", inputs, opset=26, runtime=False, **options)
    check("CumSum", [(x * 5).astype(np.int32), inputs[1]], opset=14, outputs=[kind("int32")], **options)


@pytest.mark.parametrize("name", ["Sum", "Mean", "Max", "Min", "L1", "L2", "LogSumExp", "SumSquare"])
def test_reductions_over_the_sequence(name: str, tmp_path: Path) -> None:
    steps: list[Step] = [(f"Reduce{name}", "h one", "out", {"keepdims": 0})]
    agree(build(steps, ("out", ["batch", WIDTH])), tmp_path)


def test_a_product_over_the_sequence(tmp_path: Path) -> None:
    steps: list[Step] = [("ReduceProd", "h one", "out", {"keepdims": 0})]
    agree(build(steps, ("out", ["batch", WIDTH])), tmp_path)


def test_a_maximum_over_two_sequence_axes(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Transpose", "h", "t", {"perm": [0, 2, 1]}),
        ("MatMul", "h t", "scores"),
        ("ReduceMax", "scores both", "out", {"keepdims": 0}),
    ]
    agree(build(steps, ("out", ["batch"]), {"both": np.array([1, 2])}), tmp_path)


@pytest.mark.parametrize("reverse", [0, 1])
def test_sums_along_the_sequence(reverse: int, tmp_path: Path) -> None:
    steps: list[Step] = [
        ("CumSum", "h axis", "sums", {"reverse": reverse}),
        ("ReduceMax", "sums one", "out", {"keepdims": 0}),
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), {"axis": np.array(1)}), tmp_path)


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 5)])
def test_losses(reduction: str, weighted: bool, shape: tuple[int, ...]) -> None:
    x = RNG.normal(size=shape).astype(np.float32)
    labels = RNG.integers(0, 3, (shape[0], *shape[2:]))
    inputs: list[Any] = [x, labels, *([np.array([0.5, 2.0, 1.5], np.float32)] if weighted else [])]
    for attributes in ({}, {"ignore_index": 1}):
        for constants in ((), (0,), (1,)):
            options: dict[str, Any] = {"constants": constants, "reduction": reduction, "opset": 13, **attributes}
            check("NegativeLogLikelihoodLoss", inputs, **options)
            check("SoftmaxCrossEntropyLoss", inputs, outputs=[1, 1], **options)


def test_labels_that_are_ignored_may_be_outside(tmp_path: Path) -> None:
    x, labels = RNG.normal(size=(3, 4)).astype(np.float32), np.array([2, -100, 1])
    check("NegativeLogLikelihoodLoss", [x, labels], opset=13, ignore_index=-100)
