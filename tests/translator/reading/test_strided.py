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
from tests.translator.reading_graphs import LETTERS, Step, build, save, session
from translator.pipeline import translate
from translator.reading import read
from translator.real import RealNetwork
from translator.real_evaluate import evaluate
from translator.store import load
from translator.tensors import assemble
from translator.verification import verify

Array = np.ndarray[Any, Any]

LENGTHS = range(1, 21)
FEWER = (1, 2, 3, 4, 5, 6, 7, 8, 11, 13, 16)
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
    lengths: Sequence[int] = FEWER,
    least: int | None = None,
    opset: int = 20,
    weights: dict[str, Any] | None = None,
    output_type: int = onnx.TensorProto.FLOAT,
) -> RealNetwork:
    """Compare whole outputs, with their shapes, at the lengths that the network accepts, which are all from `least` on."""
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
    network = agree([conv], tmp_path, lengths=LENGTHS)
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
    agree([(operator, "x", "y", attributes)], tmp_path, lengths=LENGTHS)


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
CAUSAL: list[Step] = [
    ("Transpose", "a", "h", {"perm": [0, 2, 1]}),
    ("MatMul", "h a", "scores"),
    ("Shape", "a", "shape"),
    ("Slice", "shape last far", "length"),
    ("Concat", "length length", "square", {"axis": 0}),
    ("ConstantOfShape", "square", "ones", {"value": onnx.helper.make_tensor("o", 1, [1], [1.0])}),
    ("Trilu", "ones", "mask", {"upper": 0}),
    ("Cast", "mask", "truth", {"to": onnx.TensorProto.BOOL}),
    ("Where", "truth scores minus_infinity", "masked"),
    ("Softmax", "masked", "weights", {"axis": -1}),
    ("MatMul", "weights h", "y"),
]
FILL = {"minus_infinity": np.array(-np.inf, dtype=np.float32)}


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
        agree([first, *CAUSAL], tmp_path, ["batch", "m", CHANNELS], weights=FILL)

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


def test_rows_that_do_not_exist_are_not_masked(tmp_path: Path) -> None:
    """Causal attention over entries 1, 2, ..: position 1 has no row, and nobody may say that it is masked."""
    steps: list[Step] = [
        ("Slice", "x two_ far axis", "a"),
        *CAUSAL,
    ]
    agree(steps, tmp_path, ["batch", "m", CHANNELS], weights=FILL | {"two_": np.array([1])}, lengths=range(2, 12))


@pytest.mark.parametrize("bounds", [(0, 2**31 - 1, 2), (1, -1, 3), (-1, -(2**31), -2), (-5, 2**31 - 1, 2), (2, 5, 2)])
def test_slices_with_steps(bounds: tuple[int, int, int], tmp_path: Path) -> None:
    weights = dict(zip(("from", "to", "step"), map(np.array, zip(bounds, strict=True)), strict=True))
    agree([("Slice", "x from to axis step", "y")], tmp_path, weights=weights, lengths=range(5, 16))


def test_a_slice_with_steps_of_padded_entries(tmp_path: Path) -> None:
    weights = {"pads": np.array([0, 0, 1, 0, 0, 2]), "from": np.array([0]), "step": np.array([2])}
    agree([("Pad", "x pads", "a"), ("Slice", "a from far axis step", "y")], tmp_path, weights=weights)


def test_a_table_sliced_with_steps(tmp_path: Path) -> None:
    """Every second row of a table of positions, beside every second entry."""
    steps: list[Step] = [
        ("Slice", "x zero far axis two", "a"),
        ("Shape", "tokens", "shape"),
        ("Slice", "shape one two zero", "length"),
        ("Slice", "table zero length zero", "p"),
        ("Slice", "p zero length zero two", "half"),
        ("Transpose", "half", "pt", {"perm": [1, 0]}),
        ("Add", "a pt", "y"),
    ]
    network = agree_up_to_table(steps, tmp_path)
    assert network.domain.most == 5


def test_skips_of_equal_length_meet(tmp_path: Path) -> None:
    """One branch has its entries at positions 1, 3, .., the other at 2, 4, ..: lengths are equal for every n."""
    steps: list[Step] = [
        ("Conv", "x k3", "a", {"strides": [2]}),
        ("Slice", "x one minus axis", "inner"),
        ("Slice", "inner zero far axis two", "b"),
        ("Add", "a b", "s"),
        ("Concat", "s b", "t", {"axis": 1}),
        ("Transpose", "b", "bt", {"perm": [0, 2, 1]}),
        ("MatMul", "a bt", "u"),
        ("MatMul", "u s", "y"),
    ]
    agree(steps, tmp_path, least=3)


def test_lengths_computed_by_division(tmp_path: Path) -> None:
    """``(n - 1) // 2 + 1`` is the length that a stride of 2 leaves."""
    steps: list[Step] = [
        HALVED,
        ("Shape", "tokens", "shape"),
        ("Slice", "shape one two zero", "length"),
        ("Sub", "length one", "before"),
        ("Div", "before two", "half"),
        ("Add", "half one", "count"),
        ("Concat", "one two count", "target", {"axis": 0}),
        ("Reshape", "a target", "y"),
    ]
    agree(steps, tmp_path)


REFUSED: dict[str, tuple[list[Step], str]] = {
    "an entry for every position": ([HALVED, ("Add", "a x", "y")], "N031"),
    "turned around": ([HALVED, ("Slice", "a minus lowest axis minus", "y")], "N043"),
    "mixed with channels": ([HALVED, ("Flatten", "a", "y")], "N042"),
    "one length": ([HALVED, ("Reshape", "a fixed", "y")], "N041"),
    "arithmetic": ([HALVED, ("Size", "a", "count"), ("Cast", "count", "y", {"to": 1})], "N086"),
    "a part of a length": (
        [("Shape", "x", "s"), ("Cast", "s", "f", {"to": 1}), ("Mul", "f half", "g"), ("Floor", "g", "y")],
        "N039",
    ),
    "numbers of entries": ([HALVED, ("ArgMax", "a", "y", {"axis": 2, "select_last_index": 1})], "N033"),
    "automatic padding": ([("Conv", "x k3", "y", {"strides": [2], "auto_pad": "SAME_UPPER"})], "N028"),
    "padding alone": ([("MaxPool", "x", "y", {"strides": [2], "kernel_shape": [2], "pads": [2, 2]})], "N028"),
    "transposed": ([HALVED, ("ConvTranspose", "a k2", "y", {"strides": [2]})], "N028"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refusals(name: str, tmp_path: Path) -> None:
    steps, code = REFUSED[name]
    weights = {"lowest": np.array([-(2**31)]), "fixed": np.array([1, 2, 5]), "half": np.array(0.5, dtype=np.float32)}
    path = save(build(steps, ("y", ANY), WEIGHTS | weights, start=START), tmp_path)
    with pytest.raises(FomError) as caught:
        read(path, whole=True)
    assert [finding.code for finding in caught.value.diagnostics] == [code]
    assert caught.value.diagnostics[0].help


def test_one_decision_for_every_second_position_is_refused(tmp_path: Path) -> None:
    path = save(
        build([HALVED, ("Transpose", "a", "y", {"perm": [0, 2, 1]})], ("y", ANY), WEIGHTS, start=START), tmp_path
    )
    with pytest.raises(FomError) as caught:
        read(path)
    assert [finding.code for finding in caught.value.diagnostics] == ["N013"]


def test_a_classifier_is_proved(tmp_path: Path) -> None:
    """Embedding, strided convolution, pooling, mean and a linear layer: network, circuit and sentence agree at every length."""
    steps: list[Step] = [
        ("Conv", "x k3 bias", "a", {"strides": [2], "pads": [1, 1]}),
        ("Relu", "a", "r"),
        ("MaxPool", "r", "m", {"strides": [2], "kernel_shape": [2]}),
        ("GlobalAveragePool", "m", "g"),
        ("Flatten", "g", "f"),
        ("MatMul", "f query", "y"),
    ]
    letters = {"small": WEIGHTS["small"][:2]}
    model = save(build(steps, ("y", ["batch", CHANNELS]), WEIGHTS | letters, start=START), tmp_path)
    translate(model, precision="fixed:3", max_length=6).save(tmp_path / "out")
    report = verify(load(tmp_path / "out"), max_length=6)
    assert (report.verdict, report.scope) == ("holds", "n = 3..6")
    proved = {(claim.left, claim.right): claim for claim in report.claims if claim.method == "compositional"}
    assert set(proved) == {("network", "circuit"), ("circuit", "sentence")}
    assert {(claim.word, claim.scope) for claim in proved.values()} == {("holds", "every length n")}
