"""fom as an ONNX backend: a sample of ONNX's own cases in fixed precision, with the certified bound of every output."""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.backend.test import BackendTest
from onnx.backend.test.case import node as node_cases

from benchmarks.conformance import Case, decimal_place, is_listed, run
from circuits.diagnostics import FomError
from translator.backend import FomBackend, FomRep, shaping_inputs

FRACTION = 24

# Modules of the suite that generate cases of one operator, and how many of their cases are taken, evenly spread.
SAMPLE = {
    "add": 3, "and_": 1, "argmax": 3, "attention": 4, "globalaveragepool": 1,
    "batch_normalization": 1, "bitshift": 6, "bitwiseand": 3,
    "bitwiseor": 1, "bitwisexor": 2, "cast": 4, "ceil": 1, "celu": 1, "clip": 3, "concat": 2, "conv": 1, "cumsum": 2, "not_": 1,
    "div": 4, "dynamicquantizelinear": 3, "einsum": 2, "elu": 1, "equal": 1, "erf": 1, "exp": 1, "expand": 1, "floor": 1,
    "gather": 2, "gatherelements": 1, "gelu": 2, "gemm": 2, "greater": 1, "groupnormalization": 1, "hardmax": 1,
    "instance_normalization": 1, "layernormalization": 1, "log": 1, "logsoftmax": 1, "lrn": 1, "matmul": 1,
    "matmulinteger": 1, "max": 2, "globalmaxpool": 1, "min": 1, "prelu": 1, "mean": 1,
    "mish": 1, "mod": 3, "mul": 2, "neg": 1, "onehot": 1, "pad": 1,
    "pow": 2, "qlinearmatmul": 1, "quantizelinear": 2, "reciprocal": 1, "reduce_log_sum_exp": 2, "reducel2": 1, "reducemax": 1,
    "reducemean": 1, "relu": 1, "reshape": 2, "resize": 2, "rmsnormalization": 1, "round": 1, "scatternd": 1, "selu": 1,
    "shape": 1, "sigmoid": 1, "sign": 1, "slice": 2, "softmax": 2, "softplus": 1, "spacetodepth": 1, "split": 1, "sqrt": 1,
    "squeeze": 1, "sub": 2, "sum": 1, "tanh": 1, "tile": 1, "topk": 1, "transpose": 1, "trilu": 1, "unsqueeze": 1, "where": 1,
    "xor": 1, "lpnormalization": 2,
}  # fmt: skip

# What is outside of fixed precision: numbers that are none.
REFUSED = re.compile("edge_cases|neginf")


@cache
def sampled() -> tuple[Case, ...]:
    """The sample; only the modules named are run, because all of them take long."""
    made: list[Case] = []
    for module in SAMPLE:
        before = len(node_cases._NodeTestCases)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the suite's own: casts that overflow
            importlib.import_module(f"{node_cases.__name__}.{module}")
        found = [case for case in cases_of(node_cases._NodeTestCases[before:]) if is_listed(case)]
        assert found, module
        count = min(SAMPLE[module], len(found))
        made += [found[place * len(found) // count] for place in range(count)]
    return tuple(made)


def cases_of(tests: list[Any]) -> Iterator[Case]:
    for test in tests:
        sets = tuple(
            ([as_array(x) for x in given], [as_array(y) for y in expected]) for given, expected in test.data_sets
        )
        yield Case(test.name, "node", test.model, sets, test.rtol, test.atol)


def as_array(value: Any) -> Any:
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else value


def test_sample_is_within_bounds_and_tolerance() -> None:
    """Every sampled case is accepted, inside of its certified bounds, and inside of the suite's tolerance."""
    cases = sampled()
    assert len(cases) >= 120
    with np.errstate(all="ignore"):
        verdicts = {case.name: run(case, FRACTION) for case in cases}
    missed = {name: verdict for name, verdict in verdicts.items() if verdict.kind != "right"}
    assert {name for name in missed if not REFUSED.search(name)} == set(), missed
    assert all(verdict.kind == "refused" for verdict in missed.values()), missed


def single(op: str, inputs: dict[str, Any], output: int, **attributes: Any) -> FomRep:
    """A model of one node with fed inputs."""
    given = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in inputs.items()
    ]
    made = helper.make_node(op, list(inputs), ["z"], **attributes)
    graph = helper.make_graph([made], "g", given, [helper.make_tensor_value_info("z", output, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    return FomBackend.prepare(model, fraction=FRACTION)


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
def test_sums_of_whole_numbers_are_exact_beyond_float64(dtype: Any) -> None:
    """A float64 does not hold them; the answer does, and its bound is no smaller than what float64 cannot tell."""
    x = np.array([2**53 + 1, 2**56 - 1, 12345678901234567, 3], dtype=dtype)
    y = np.array([1, 2, 4, 5], dtype=dtype)
    answer = single("Add", {"x": x, "y": y}, helper.np_dtype_to_tensor_dtype(x.dtype)).answer([x, y])
    assert answer.values[0].dtype == dtype
    assert answer.values[0].tolist() == (x + y).tolist()
    assert (answer.bounds[0] >= 0).all()
    assert answer.bounds[0][3] == 0


def test_whole_numbers_beyond_62_bits_are_refused() -> None:
    x = np.array([2**63 + 5], dtype=np.uint64)
    with pytest.raises(FomError):
        single("Identity", {"x": x}, TensorProto.UINT64).answer([x])


def test_integer_division_is_exact() -> None:
    """One less than a multiple stays below it, whatever the number of fractional bits."""
    rng = np.random.default_rng(0)
    y = rng.integers(1, 40_000, 200).astype(np.int32) * rng.choice([-1, 1], 200).astype(np.int32)
    times = rng.integers(-10_000, 10_000, 200).astype(np.int32)
    x = y * times + rng.integers(-1, 2, 200).astype(np.int32)
    expected = (np.sign(x) * np.sign(y) * (np.abs(x) // np.abs(y))).astype(np.int32)
    answer = single("Div", {"x": x, "y": y}, TensorProto.INT32).answer([x, y])
    assert (answer.values[0] == expected).all()


def test_rounding_of_quotients_is_decided_by_the_exact_quotient() -> None:
    """A quotient 2**-30 below a half is rounded down, though 24 fractional bits do not tell it from the half."""
    x, y = np.array([2**29 - 1, 2**29, 2**29 + 1], dtype=np.float32), np.array([2.0**30] * 3, dtype=np.float32)
    given = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in "xy"]
    nodes = [helper.make_node("Abs", ["y"], ["a"]), helper.make_node("Div", ["x", "a"], ["q"])]
    for op in ("Round", "Floor", "Ceil"):
        graph = helper.make_graph(
            [*nodes, helper.make_node(op, ["q"], ["z"])],
            "g",
            given,
            [helper.make_tensor_value_info("z", TensorProto.FLOAT, [3])],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
        found = FomBackend.prepare(model, fraction=FRACTION).run([x, y])[0]
        quotient = x.astype(np.float64) / y
        expected = {"Round": np.rint, "Floor": np.floor, "Ceil": np.ceil}[op](quotient)
        assert found.tolist() == expected.tolist(), op


@pytest.mark.parametrize("op", ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
def test_bits_of_32_bit_numbers(op: str) -> None:
    rng = np.random.default_rng(1)
    x, y = (rng.integers(-(2**31), 2**31, 40).astype(np.int32) for _ in range(2))
    expected = {"BitwiseAnd": x & y, "BitwiseOr": x | y, "BitwiseXor": x ^ y}[op]
    answer = single(op, {"x": x, "y": y}, TensorProto.INT32).answer([x, y])
    assert (answer.values[0] == expected).all()
    assert not answer.bounds[0].any()


@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_shifts_of_32_bit_numbers(direction: str) -> None:
    rng = np.random.default_rng(2)
    x = rng.integers(0, 2**32, 60).astype(np.uint32)
    count = np.concatenate([np.arange(32), rng.integers(0, 32, 28)]).astype(np.uint32)
    answer = single("BitShift", {"x": x, "y": count}, TensorProto.UINT32, direction=direction).answer([x, count])
    expected = x << count if direction == "LEFT" else x >> count
    assert (answer.values[0] == expected).all()


def test_zero_over_zero_is_zero() -> None:
    x = np.array([[0.0, 0.0], [3.0, 4.0]], dtype=np.float32)
    answer = single("LpNormalization", {"x": x}, TensorProto.FLOAT, axis=1).answer([x])
    assert np.allclose(answer.values[0], np.array([[0, 0], [0.6, 0.8]]), atol=2.0**-20)


def test_numbers_behind_a_shape_are_bound() -> None:
    """A whole number that reaches a shape through other nodes shapes the graph; a tensor is not bound by its shape."""
    nodes = [
        helper.make_node("Shape", ["x"], ["s"]),
        helper.make_node("Concat", ["s", "k"], ["t"], axis=0),
        helper.make_node("Reshape", ["x", "t"], ["z"]),
    ]
    given = [
        helper.make_tensor_value_info("x", TensorProto.INT64, [4]),
        helper.make_tensor_value_info("k", TensorProto.INT64, [1]),
    ]
    graph = helper.make_graph(nodes, "g", given, [helper.make_tensor_value_info("z", TensorProto.INT64, None)])
    assert shaping_inputs(helper.make_model(graph)) == {"k"}


def test_decimals_of_stored_numbers() -> None:
    written = np.array([0.3828, 1.5, -0.1406], dtype=np.float32)
    assert decimal_place(written) == 1e-4
    assert decimal_place(written + np.float32(2.0**-20)) == 0.0
    assert decimal_place(np.array([0.25, 1.5], dtype=np.float32)) == 0.0


def test_the_runner_of_the_suite_accepts_the_outputs() -> None:
    """The Backend interface, compared as ONNX's own runner compares: types, shapes, tolerances."""
    for case in sampled()[::12]:
        if REFUSED.search(case.name):
            continue
        for inputs, expected in case.sets:
            BackendTest.assert_similar_outputs(
                expected, FomBackend.prepare(case.model, "CPU").run(inputs), case.rtol, case.atol
            )
    assert FomBackend.supports_device("CPU")
    assert not FomBackend.supports_device("CUDA")
