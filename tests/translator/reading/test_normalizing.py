"""Normalizations, softmax at old opsets and linear attention: other axes, shapes and opsets, and along the sequence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from circuits.diagnostics import FomError
from tests.translator.reading.differential import check, ours, single
from tests.translator.reading_graphs import WIDTH, Step, agree, build, save
from translator.reading import read
from translator.real_evaluate import outputs

RNG = np.random.default_rng(9)
FLOAT = onnx.TensorProto.FLOAT


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("constants", [(), (1, 2), (0,), (0, 2)])
def test_layers(axis: int, constants: tuple[int, ...]) -> None:
    shape = (2, 3, 4)[axis:]
    inputs = [normal(2, 3, 4), normal(*shape), normal(*shape)]
    check("LayerNormalization", inputs, constants=constants, axis=axis, outputs=[FLOAT] * 3, opset=17)


def test_types_of_statistics() -> None:
    inputs = [normal(2, 3).astype(np.float16), normal(3).astype(np.float16)]
    outputs_ = [onnx.TensorProto.FLOAT16, FLOAT, FLOAT]
    found = ours(single("LayerNormalization", inputs, opset=17, outputs=outputs_), inputs)
    assert [array.dtype for array in found] == [np.float16, np.float32, np.float32]


def test_root_mean_squares() -> None:
    check("RMSNormalization", [normal(2, 3, 4), normal(3, 4)], axis=1, opset=23, runtime=False)


def test_instances() -> None:
    check("InstanceNormalization", [normal(2, 3, 4, 5), normal(3), normal(3)], constants=(2,), epsilon=0.1)


@pytest.mark.parametrize(("opset", "size"), [(18, 2), (21, 6)])
@pytest.mark.parametrize("spatial", [(4,), (3, 2), ()])
def test_groups(opset: int, size: int, spatial: tuple[int, ...]) -> None:
    inputs = [normal(2, 6, *spatial), normal(size), normal(size)]
    found = ours(single("GroupNormalization", inputs, opset=opset, num_groups=2), inputs)[0]
    x = inputs[0].astype(np.float64).reshape(2, 2, -1)
    unit = (x - x.mean(axis=2, keepdims=True)) / np.sqrt(x.var(axis=2, keepdims=True) + 1e-5)
    gain, bias = (np.repeat(value, 6 // size).reshape(6, *(1,) * len(spatial)) for value in inputs[1:])
    np.testing.assert_allclose(found, unit.reshape(inputs[0].shape) * gain + bias, rtol=1e-5, atol=1e-5)


def test_a_deviation_is_not_the_difference_of_two_large_numbers() -> None:
    inputs = [np.array([[[1e6, 1e6 + 1, 1e6 + 2]]], np.float64), np.ones(1), np.zeros(1)]
    kind = [onnx.TensorProto.DOUBLE]
    found = ours(single("InstanceNormalization", inputs, outputs=kind, epsilon=0.0), inputs)[0]
    np.testing.assert_allclose(found.ravel(), np.array([-1, 0, 1]) * np.sqrt(1.5), atol=1e-8)


@pytest.mark.parametrize("axes", [[1], [0, 2, 3], [2, 3]])
def test_means_and_variances(axes: list[int]) -> None:
    check("MeanVarianceNormalization", [normal(2, 3, 4, 5)], axes=axes, opset=13)


@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_norms(p: int, axis: int) -> None:
    given = normal(3, 4, 2)
    given[1] = 0
    given[:, 1] = 0
    given[..., 1] = 0
    check("LpNormalization", [given], p=p, axis=axis, opset=13)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_local_responses(size: int) -> None:
    x = normal(2, 6, 3, 2)
    attributes: dict[str, Any] = {"size": size, "alpha": 0.3, "beta": 0.6, "bias": 1.5}
    found = ours(single("LRN", [x], opset=13, **attributes), [x])[0]
    squares = np.pad(x.astype(np.float64) ** 2, ((0, 0), ((size - 1) // 2, size // 2), (0, 0), (0, 0)))
    sums = sum(squares[:, start : start + 6] for start in range(size))
    np.testing.assert_allclose(found, x / (1.5 + 0.3 / size * sums) ** 0.6, rtol=1e-5)
    if size % 2:
        check("LRN", [x], opset=13, **attributes)


@pytest.mark.parametrize("opset", [7, 9, 14, 15])
@pytest.mark.parametrize("constants", [(), (1, 2, 3, 4), (3, 4), (1, 2), (0,)])
def test_batches(opset: int, constants: tuple[int, ...]) -> None:
    inputs = [normal(2, 3, 4), normal(3), normal(3), normal(3), np.abs(normal(3))]
    check("BatchNormalization", inputs, constants=constants, opset=opset, epsilon=0.01)


@pytest.mark.parametrize("operator", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset", [7, 11, 13])
@pytest.mark.parametrize("axis", [None, 0, 1, 2, -1, -2])
def test_softmax(operator: str, opset: int, axis: int | None) -> None:
    attributes: dict[str, Any] = {} if axis is None else {"axis": axis}
    check(operator, [3 * normal(2, 3, 4)], opset=opset, **attributes)


def test_the_logarithm_of_a_tiny_weight_is_finite() -> None:
    given = np.array([[0.0, 2000.0]], np.float32)
    check("LogSoftmax", [given])


STEPS: dict[str, list[Step]] = {
    "instance": [("Transpose", "h", "x", {"perm": [0, 2, 1]}), ("InstanceNormalization", "x gain bias", "y")],
    "groups": [
        ("Transpose", "h", "x", {"perm": [0, 2, 1]}),
        ("GroupNormalization", "x gain bias", "y", {"num_groups": 2}),
    ],
    "norm": [("LpNormalization", "h", "x", {"axis": 1}), ("Transpose", "x", "y", {"perm": [0, 2, 1]})],
    "norm1": [("LpNormalization", "h", "x", {"axis": 2, "p": 1}), ("Transpose", "x", "y", {"perm": [0, 2, 1]})],
    "logsoftmax": [("Transpose", "h", "x", {"perm": [0, 2, 1]}), ("LogSoftmax", "x", "y", {"axis": -1})],
    "local": [
        ("Transpose", "h", "x", {"perm": [0, 2, 1]}),
        ("Unsqueeze", "x last", "x4"),
        ("LRN", "x4", "y4", {"size": 3, "alpha": 0.5}),
        ("Squeeze", "y4 last", "y"),
    ],
}


@pytest.mark.parametrize("name", STEPS)
def test_along_the_sequence(name: str, tmp_path: Path) -> None:
    weights = {"gain": normal(WIDTH), "bias": normal(WIDTH), "last": np.array([3]), "scale": normal(12)}
    steps: list[Step] = [*STEPS[name], ("Mul", "y y", "y2"), ("ReduceSum", "y2 two", "out", {"keepdims": 0})]
    agree(build(steps, ("out", ["batch", WIDTH]), weights, opset=21), tmp_path, (1, 2, 5), 2e-4)


RULES = ["linear", "gated", "delta", "gated_delta"]


def linear_attention(rule: str, heads: int, own: int, time: int, wide: bool, state: bool) -> list[Any]:
    """Inputs of LinearAttention for keys of 3 and values of 2 elements."""
    decay = -np.abs(normal(2, time, own * (3 if wide else 1))) if "gated" in rule else None
    beta = np.abs(normal(2, time, own)) if "delta" in rule else None
    past = normal(2, own, 3, 2) if state else None
    return [normal(2, time, heads * 3), normal(2, time, own * 3), normal(2, time, own * 2), past, decay, beta]


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(("heads", "own"), [(2, 2), (4, 2)])
@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("state", [False, True])
def test_linear_attention(rule: str, heads: int, own: int, wide: bool, state: bool) -> None:
    inputs = linear_attention(rule, heads, own, 4, wide, state)
    while inputs[-1] is None:
        inputs.pop()
    options: dict[str, Any] = {"q_num_heads": heads, "kv_num_heads": own, "update_rule": rule}
    check("LinearAttention", inputs, opset=27, runtime=False, outputs=[FLOAT, FLOAT], tolerance=1e-4, **options)


def summed(steps: list[Step], weights: dict[str, Any], tmp_path: Path) -> None:
    model = build(
        [*steps, ("Einsum", "y", "out", {"equation": "bnd->bd"})], ("out", ["batch", WIDTH]), weights, opset=27
    )
    network = read(save(model, tmp_path))
    reference = ReferenceEvaluator(model)
    for n in (2, 3, 5):
        words = RNG.integers(0, 3, (3, n))
        expected = np.concatenate([np.asarray(*reference.run(None, {"tokens": word[None]})) for word in words])
        np.testing.assert_allclose(outputs(network, words=words), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rule", ["linear", "gated"])
@pytest.mark.parametrize("state", [False, True])
def test_linear_attention_along_the_sequence(rule: str, state: bool, tmp_path: Path) -> None:
    options = {"q_num_heads": 2, "kv_num_heads": 2, "update_rule": rule}
    names = f"h h h {'s' if state else '_'}" + (" g" if rule == "gated" else "")
    steps: list[Step] = [("Mul", "h h", "g0"), ("Neg", "g0", "g"), ("LinearAttention", names, "y present", options)]
    summed(steps if rule == "gated" else steps[2:], {"s": normal(1, 2, 2, 2)}, tmp_path)


def test_the_delta_rule_along_the_sequence_is_refused(tmp_path: Path) -> None:
    options = {"q_num_heads": 2, "kv_num_heads": 2, "update_rule": "delta"}
    steps: list[Step] = [
        ("MatMul", "h wb", "b"),
        ("LinearAttention", "h h h _ _ b", "y present", options),
        ("Einsum", "y", "out", {"equation": "bnd->bd"}),
    ]
    model = build(steps, ("out", ["batch", WIDTH]), {"wb": normal(WIDTH, 2)}, opset=27)
    with pytest.raises(FomError) as caught:
        read(save(model, tmp_path))
    assert [finding.code for finding in caught.value.diagnostics] == ["N014"]


@pytest.mark.parametrize("state", [False, True])
def test_causal_convolution_with_a_state_along_the_sequence(state: bool, tmp_path: Path) -> None:
    weights = {"k": normal(WIDTH, 1, 3), "b": normal(WIDTH), "s": normal(1, WIDTH, 2)}
    steps: list[Step] = [
        ("Transpose", "h", "x", {"perm": [0, 2, 1]}),
        ("CausalConvWithState", f"x k b {'s' if state else '_'}", "c present", {"activation": "silu"}),
        ("Concat", "c present", "d", {"axis": 2}),
        ("Transpose", "d", "y", {"perm": [0, 2, 1]}),
    ]
    summed(steps, weights, tmp_path)
