"""Strides along the sequence: whole tensors against onnxruntime at every length."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from tests.translator.reading_graphs import COMMON, LETTERS, Step, build, save, session
from translator.pipeline import translate
from translator.reading import read
from translator.real import RealNetwork
from translator.real_evaluate import evaluate
from translator.store import load
from translator.tensors import assemble
from translator.verification import verify

Array = np.ndarray[Any, Any]

LENGTHS = range(1, 21)
CHANNELS = 2
RNG = np.random.default_rng(11)
START: list[Step] = [("Gather", "small tokens", "e"), ("Transpose", "e", "x", {"perm": [0, 2, 1]})]
WEIGHTS: dict[str, Any] = {
    "small": RNG.normal(size=(LETTERS, CHANNELS)).astype(np.float32),
    "query": RNG.normal(size=(CHANNELS, CHANNELS)).astype(np.float32),
    **{f"k{size}": RNG.normal(size=(CHANNELS, CHANNELS, size)).astype(np.float32) for size in range(1, 6)},
    "bias": RNG.normal(size=CHANNELS).astype(np.float32),
    "last": np.array([2]),
    "far": np.array([2**31 - 1]),
    "axis": np.array([2]),
}
ANY: list[int | str] = ["batch", CHANNELS, "m"]


def whole(network: RealNetwork, words: Array) -> Array:
    """The whole output on a batch of words."""
    (tensor,) = network.outputs
    values = evaluate(network, words, wanted=list({ref.node for _, ref in tensor.parts}))
    return assemble(tensor, words.shape[1], values, len(words))


def agree(
    steps: Sequence[Step],
    folder: Path,
    shape: Sequence[int | str] = ANY,
    *,
    lengths: Sequence[int] = LENGTHS,
    least: int | None = None,
    opset: int = 20,
    weights: dict[str, Any] | None = None,
    output_type: int = onnx.TensorProto.FLOAT,
) -> RealNetwork:
    """Compare whole outputs, with their shapes, at all lengths that the network accepts, which are all from `least` on."""
    model = build(steps, ("y", shape), WEIGHTS | (weights or {}), opset=opset, start=START, output_type=output_type)
    path = save(model, folder)
    network = read(path, whole=True)
    runtime = session(path)
    rng = np.random.default_rng(1)
    if least is not None:
        assert (network.domain.least, network.domain.most) == (least, None)
    for n in lengths:
        if n < network.domain.least:
            continue
        words = rng.integers(0, LETTERS, (2, n))
        expected = np.concatenate([runtime.run(None, {"tokens": word[None].astype(np.int64)})[0] for word in words])
        with np.errstate(all="raise"):
            found = whole(network, words)
        found = found.reshape(2 * found.shape[1], *found.shape[2:]) if expected.ndim and found.ndim > 1 else found
        assert found.shape == expected.shape, n
        np.testing.assert_allclose(found, expected.astype(np.float64), rtol=1e-4, atol=1e-4, err_msg=f"n = {n}")
    return network


def output_length(n: int, kernel: int, stride: int, pads: tuple[int, int], dilation: int = 1) -> int:
    """As ONNX defines it."""
    return (n + sum(pads) - dilation * (kernel - 1) - 1) // stride + 1


WINDOW = {
    "kernel": st.integers(1, 5),
    "stride": st.integers(2, 4),
    "pads": st.tuples(st.integers(0, 3), st.integers(0, 3)),
    "dilation": st.integers(1, 2),
}
HYPOTHESIS = settings(
    max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@HYPOTHESIS
@given(**WINDOW)
def test_convolutions(kernel: int, stride: int, pads: tuple[int, int], dilation: int, tmp_path: Path) -> None:
    conv: Step = ("Conv", f"x k{kernel} bias", "y", {"strides": [stride], "pads": list(pads), "dilations": [dilation]})
    network = agree([conv], tmp_path)
    for n in LENGTHS:
        has_output = output_length(n, kernel, stride, pads, dilation) > 0
        assert has_output == (n >= network.domain.least), "every length with an output is accepted"


@HYPOTHESIS
@given(**WINDOW, operator=st.sampled_from(["MaxPool", "AveragePool", "LpPool"]), ceil=st.integers(0, 1))
def test_pools(
    operator: str, kernel: int, stride: int, pads: tuple[int, int], dilation: int, ceil: int, tmp_path: Path
) -> None:
    assume(max(pads) < kernel)
    attributes: dict[str, Any] = {
        "kernel_shape": [kernel],
        "strides": [stride],
        "pads": list(pads),
        "dilations": [dilation],
    }
    if operator != "LpPool":
        attributes["ceil_mode"] = ceil
    if operator == "AveragePool":
        attributes["count_include_pad"] = kernel % 2
    agree([(operator, "x", "y", attributes)], tmp_path)


SECOND = {
    "kernel2": st.integers(1, 4),
    "stride2": st.integers(1, 3),
    "pads2": st.tuples(st.integers(0, 2), st.integers(0, 2)),
}


@HYPOTHESIS
@given(**WINDOW, **SECOND, operator=st.sampled_from(["Conv", "MaxPool", "AveragePool"]), include=st.integers(0, 1))
def test_windows_over_windows(
    operator: str,
    include: int,
    kernel: int,
    stride: int,
    pads: tuple[int, int],
    dilation: int,
    kernel2: int,
    stride2: int,
    pads2: tuple[int, int],
    tmp_path: Path,
) -> None:
    assume(operator == "Conv" or max(pads2) < kernel2)
    first: dict[str, Any] = {"strides": [stride], "pads": list(pads), "dilations": [dilation]}
    second: dict[str, Any] = {"strides": [stride2], "pads": list(pads2)}
    if operator != "Conv":
        second["kernel_shape"] = [kernel2]
    if operator == "AveragePool":
        second["count_include_pad"] = include
    steps: list[Step] = [
        ("Conv", f"x k{kernel} bias", "a", first),
        ("Relu", "a", "b"),
        (operator, f"b k{kernel2}" if operator == "Conv" else "b", "y", second),
    ]
    agree(steps, tmp_path, lengths=[n for n in LENGTHS if output_length(n, kernel, stride, pads, dilation) > 0])


HALVED: Step = ("Conv", "x k3 bias", "a", {"strides": [2], "pads": [1, 1]})
PADDED: Step = ("Conv", "x k2", "a", {"strides": [2], "pads": [1, 1]})  # floor(n/2) + 1 entries: one before the run
CUT: Step = ("Conv", "x k4", "a", {"strides": [3]})


@pytest.mark.parametrize("first", [HALVED, PADDED, CUT], ids=["halved", "padded", "cut"])
class TestAfterStrides:
    @pytest.mark.parametrize("operator", ["GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"])
    def test_global_pools(self, first: Step, operator: str, tmp_path: Path) -> None:
        agree([first, (operator, "a", "y")], tmp_path, ["batch", CHANNELS, 1])

    @pytest.mark.parametrize("operator", ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceLogSumExp"])
    def test_reductions(self, first: Step, operator: str, tmp_path: Path) -> None:
        agree([first, (operator, "a axis", "y", {"keepdims": 0})], tmp_path, ["batch", CHANNELS])

    def test_means_over_all_axes(self, first: Step, tmp_path: Path) -> None:
        agree([first, ("ReduceMean", "a all", "y", {"keepdims": 0})], tmp_path, [], weights={"all": np.array([1, 2])})

    def test_softmax(self, first: Step, tmp_path: Path) -> None:
        agree([first, ("Softmax", "a", "y", {"axis": 2})], tmp_path)

    def test_attention(self, first: Step, tmp_path: Path) -> None:
        steps: list[Step] = [
            first,
            ("Transpose", "a", "h", {"perm": [0, 2, 1]}),
            ("MatMul", "h query", "q"),
            ("MatMul", "q a", "scores"),
            ("Softmax", "scores", "weights", {"axis": -1}),
            ("MatMul", "weights h", "y"),
        ]
        agree(steps, tmp_path, ["batch", "m", CHANNELS])

    def test_causal_attention(self, first: Step, tmp_path: Path) -> None:
        steps: list[Step] = [
            first,
            ("Transpose", "a", "h", {"perm": [0, 2, 1]}),
            ("MatMul", "h a", "scores"),
            ("Shape", "a", "shape"),
            ("Gather", "shape last", "length"),
            ("Concat", "length length", "square", {"axis": 0}),
            ("ConstantOfShape", "square", "ones", {"value": onnx.helper.make_tensor("o", 1, [1], [1.0])}),
            ("Trilu", "ones", "mask", {"upper": 0}),
            ("Cast", "mask", "truth", {"to": onnx.TensorProto.BOOL}),
            ("Where", "truth scores minus_infinity", "masked"),
            ("Softmax", "masked", "weights", {"axis": -1}),
            ("MatMul", "weights h", "y"),
        ]
        fill = {"minus_infinity": np.array(-np.inf, dtype=np.float32)}
        agree(steps, tmp_path, ["batch", "m", CHANNELS], weights=fill)

    def test_linear_layers_and_normalization(self, first: Step, tmp_path: Path) -> None:
        steps: list[Step] = [
            first,
            ("Transpose", "a", "h", {"perm": [0, 2, 1]}),
            ("Relu", "h", "r"),
            ("MatMul", "r query", "l"),
            ("Add", "l h", "s"),
            ("LayerNormalization", "s bias", "y", {"epsilon": 0.1}),
        ]
        agree(steps, tmp_path, ["batch", "m", CHANNELS])

    @pytest.mark.parametrize("bounds", [(0, -1), (1, 2**31 - 1), (-2, 2**31 - 1), (0, 2), (1, -1), (-1, 2**31 - 1)])
    def test_slices(self, first: Step, bounds: tuple[int, int], tmp_path: Path) -> None:
        weights = {"from": np.array(bounds[:1]), "to": np.array(bounds[1:])}
        agree([first, ("Slice", "a from to axis", "y")], tmp_path, weights=weights)

    def test_single_entries(self, first: Step, tmp_path: Path) -> None:
        for index in (0, 1, -1, -2):
            steps: list[Step] = [first, ("Gather", "a at", "y", {"axis": 2})]
            agree(steps, tmp_path, ["batch", CHANNELS], weights={"at": np.array(index)})

    @pytest.mark.parametrize("pads", [(1, 0), (0, 1), (2, 1), (-1, 1)])
    @pytest.mark.parametrize("then", ["", "Conv", "MaxPool", "ReduceMean"])
    def test_padding(self, first: Step, pads: tuple[int, int], then: str, tmp_path: Path) -> None:
        weights = {"pads": np.array([0, 0, pads[0], 0, 0, pads[1]])}
        rest: dict[str, list[Step]] = {
            "": [("Identity", "b", "y")],
            "Conv": [("Conv", "b k2", "y", {"strides": [2]})],
            "MaxPool": [("MaxPool", "b", "y", {"strides": [2], "kernel_shape": [2]})],
            "ReduceMean": [("ReduceMean", "b axis", "y")],
        }
        agree([first, ("Pad", "a pads", "b"), *rest[then]], tmp_path, weights=weights)

    def test_positions(self, first: Step, tmp_path: Path) -> None:
        """A stored table of positions, read for as many entries as there are."""
        steps: list[Step] = [
            first,
            ("Shape", "a", "shape"),
            ("Slice", "shape last far", "length"),
            ("Slice", "table zero length zero", "p"),
            ("Transpose", "p", "pt", {"perm": [1, 0]}),
            ("Add", "a pt", "y"),
        ]
        network = agree_up_to_table(steps, tmp_path)
        assert network.domain.most is not None

    def test_computed_positions(self, first: Step, tmp_path: Path) -> None:
        steps: list[Step] = [
            first,
            ("Shape", "a", "shape"),
            ("Gather", "shape two_", "length"),
            ("Range", "nought length unit", "ids"),
            ("Gather", "table ids", "p"),
            ("Transpose", "p", "pt", {"perm": [1, 0]}),
            ("Add", "a pt", "y"),
        ]
        network = agree_up_to_table(steps, tmp_path)
        assert network.domain.most is not None

    def test_a_mean_by_the_length(self, first: Step, tmp_path: Path) -> None:
        steps: list[Step] = [
            first,
            ("ReduceSum", "a axis", "total"),
            ("Shape", "a", "shape"),
            ("Gather", "shape two_", "length"),
            ("Cast", "length", "count", {"to": onnx.TensorProto.FLOAT}),
            ("Div", "total count", "y"),
        ]
        agree(steps, tmp_path, ["batch", CHANNELS, 1], weights={"two_": np.array(2)})

    def test_reshaping_with_the_length(self, first: Step, tmp_path: Path) -> None:
        steps: list[Step] = [
            first,
            ("Shape", "a", "shape"),
            ("Slice", "shape last far", "length"),
            ("Concat", "one length both", "target", {"axis": 0}),
            ("Transpose", "a", "h", {"perm": [0, 2, 1]}),
            ("Reshape", "h target", "y"),
        ]
        agree(steps, tmp_path, [1, "m", 1, CHANNELS], weights={"both": np.array([1, CHANNELS])})


TABLE = {
    "table": RNG.normal(size=(5, CHANNELS)).astype(np.float32),
    "two_": np.array(2),
    "nought": np.array(0),
    "unit": np.array(1),
}


def agree_up_to_table(steps: list[Step], folder: Path) -> RealNetwork:
    """Compare at the lengths for which a table of 5 rows suffices."""
    model = build(steps, ("y", ANY), WEIGHTS | TABLE, start=START)
    most = read(save(model, folder), whole=True).domain.most
    assert most is not None
    return agree(steps, folder, lengths=range(1, most + 1), weights=TABLE)
