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
            found = whole(network, words).reshape(-1, *expected.shape[1:]) if expected.ndim else whole(network, words)
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
