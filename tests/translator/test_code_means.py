"""Means of codes: float32's additions in onnxruntime's order, bit for bit, and where they need not be followed."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto

from circuits.evaluate import evaluate
from circuits.network import Domain, Inputs, Network, Round
from circuits.positions import Ref
from circuits.readout import scores
from circuits.scalar import X
from tests.translator.reading_graphs import build
from translator import real
from translator.feeding import feeding_of
from translator.fidelity import InputSet, encode, observe
from translator.fixing import Fixer, fix
from translator.fixing_singles import add_single, linear_of
from translator.integers import Rewritten
from translator.oracle import Oracle
from translator.pipeline import translate
from translator.precision import Precision, covering
from translator.reading import read
from translator.reading.code_means import order_of
from translator.reading.table import call
from translator.sides import Sides

Array = np.ndarray[Any, Any]

CHANNELS, INPUT_SCALE = 2, np.float32(0.0123)
NOTHING = Rewritten(real.RealNetwork((), None, real.Domain(), (), 0, ()), {}, {}, frozenset())


def pooled(
    size: tuple[int, ...],
    attributes: dict[str, Any],
    opset: int,
    *,
    scales: tuple[Any, Any] = (INPUT_SCALE, INPUT_SCALE),
    zeros: tuple[Any, Any] = (np.int8(-7), np.int8(-7)),
    op_type: str = "AveragePool",
) -> onnx.ModelProto:
    """Codes, pooling, codes."""
    steps: list[Any] = [
        ("QuantizeLinear", "x s0 z0", "q"),
        ("DequantizeLinear", "q s0 z0", "d"),
        (op_type, "d", "m", attributes),
        ("QuantizeLinear", "m s1 z1", "c"),
        ("DequantizeLinear", "c s1 z1", "f"),
        ("Flatten", "f", "out"),
    ]
    constants = {"s0": scales[0], "z0": zeros[0], "s1": scales[1], "z1": zeros[1]}
    constants = {name: np.asarray(value) for name, value in constants.items()}
    inputs: dict[str, Any] = {"x": (TensorProto.FLOAT, ("batch", CHANNELS, *size))}
    return build(steps, ("out", ("batch", "classes")), constants, start=(), inputs=inputs, opset=opset)


def compare(model: onnx.ModelProto, folder: Path, count: int = 60) -> Network:
    """Compare all codes with onnxruntime's on random codes; the fixed network."""
    path = folder / "model.onnx"
    onnx.save(model, path)
    network = read(path)
    size = sum(node.size for node in network.features)
    rows = (np.random.default_rng(3).integers(-121, 135, (count, size)) * INPUT_SCALE).astype(np.float32)
    bounds = observe(network, InputSet((rows,), "", None))
    decision = network.decision
    oracle = Oracle(path, decision.kind, decision.n_positions, decision.applied, feeding_of(network, {}))
    fixed = fix(network, Precision(4, None, 8), bounds, ())
    expected = oracle.logits(rows)
    step = float(
        next(init for init in map(onnx.numpy_helper.to_array, model.graph.initializer) if init.dtype == "float32")
    )
    found = scores(fixed, evaluate(fixed, encode(fixed, rows)))
    assert np.abs(found - expected).max() < 1e-3 * step
    assert len(np.unique(expected)) > 20
    return fixed


WINDOWS: list[tuple[tuple[int, ...], dict[str, Any], int]] = [
    ((6, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}, 17),
    ((6, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}, 20),
    ((7, 8), {"kernel_shape": [2, 2], "strides": [3, 3]}, 17),
    ((5, 6), {"kernel_shape": [4, 2], "strides": [1, 1]}, 18),
    ((6, 7), {"kernel_shape": [2, 4], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}, 17),
    ((6, 7), {"kernel_shape": [2, 4], "strides": [2, 2], "pads": [1, 1, 1, 1], "count_include_pad": 1}, 22),
    ((4, 4), {"kernel_shape": [4, 4]}, 17),
    ((4, 4), {"kernel_shape": [4, 4]}, 21),
    ((2, 5), {"kernel_shape": [2, 5]}, 13),
    ((9,), {"kernel_shape": [4], "strides": [1]}, 17),
    ((3, 3, 4), {"kernel_shape": [2, 2, 2]}, 17),
    ((7, 7), {"kernel_shape": [2, 2], "dilations": [2, 3]}, 19),
]


@pytest.mark.parametrize(("size", "attributes", "opset"), WINDOWS)
def test_every_code_behind_a_pool(
    size: tuple[int, ...], attributes: dict[str, Any], opset: int, tmp_path: Path
) -> None:
    compare(pooled(size, attributes, opset), tmp_path)


@pytest.mark.parametrize("size", [(2, 2), (2, 3), (3, 5), (4, 6)])
def test_every_code_behind_a_global_pool(size: tuple[int, ...], tmp_path: Path) -> None:
    compare(pooled(size, {}, 21, op_type="GlobalAveragePool"), tmp_path, 200)


def test_the_order_of_additions_decides_codes(tmp_path: Path) -> None:
    """The two kernels of the runtime differ on these codes, so that following only one of them would be seen."""
    made = [pooled((6, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}, opset) for opset in (17, 20)]
    codes = []
    for place, model in enumerate(made):
        folder = tmp_path / str(place)
        folder.mkdir()
        fixed = compare(model, folder)
        rows = (np.random.default_rng(3).integers(-121, 135, (60, 72)) * INPUT_SCALE).astype(np.float32)
        codes.append(scores(fixed, evaluate(fixed, encode(fixed, rows))))
    assert (codes[0] != codes[1]).any()


def roundings(fixed: Network) -> int:
    """How many nodes round to the significand of a float32."""
    return sum(isinstance(node, Round) and node.format.bits >= 23 for node in fixed.nodes)


def test_means_that_cannot_be_ties_are_one_rounding(tmp_path: Path) -> None:
    """Of nine equally scaled codes the mean is never half-way between two; of four it is."""
    nine = compare(pooled((6, 6), {"kernel_shape": [3, 3], "strides": [3, 3]}, 17), tmp_path)
    assert roundings(nine) == 0
    assert len(nine.nodes) < 10
    four = compare(pooled((6, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}, 17), tmp_path)
    assert roundings(four) > 5


@pytest.mark.parametrize("scale", [0.0117, 0.009, 0.01845, 0.0246])
def test_other_scales(scale: float, tmp_path: Path) -> None:
    scales, zeros = (INPUT_SCALE, np.float32(scale)), (np.int8(-7), np.int8(12))
    compare(pooled((6, 6), {"kernel_shape": [2, 2], "strides": [2, 2]}, 17, scales=scales, zeros=zeros), tmp_path)


def test_circuit_and_sentence_add_as_float32(tmp_path: Path) -> None:
    model = pooled((2, 2), {"kernel_shape": [2, 1]}, 17, zeros=(np.uint8(120), np.uint8(120)))
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    sides = Sides(translate(path))
    rows = (np.random.default_rng(8).integers(-120, 136, (60, 8)) * INPUT_SCALE).astype(np.float32)
    expected = sides.decide("network", rows)
    assert len(np.unique(expected)) == 4
    for side in ("circuit", "sentence"):
        assert np.array_equal(sides.decide(side, rows), expected)


@given(st.integers(-(1 << 40), 1 << 40), st.integers(0, 1 << 40), st.floats(2.0**-9, 8.0, width=32), st.data())
@settings(max_examples=10, deadline=None)
def test_sums_of_roundings_are_float32(least: int, span: int, factor: float, data: st.DataObject) -> None:
    most, shift = least + span, float(data.draw(st.sampled_from([0.0, -3.5, 1024.25])))
    near = [sign * ((1 << power) + off) for power in range(20, 42) for sign in (1, -1) for off in range(-5, 6)]
    drawn = [data.draw(st.integers(least, most)) for _ in range(20)]
    given_ = np.array([least, most, *drawn, *(number for number in near if least <= number <= most)])
    function = call("float32", call("add", call("mul", X, factor), shift))
    node = real.Map("y", 0, 1, Ref("x", ()), function)
    holding = covering(least, most, 0)
    fixer = Fixer(real.RealNetwork((node,), None, real.Domain(), (), 0, ()), Precision(8, None, 8), {}, NOTHING)
    fixer.put(Inputs("x", 1, holding))
    assume(add_single(fixer, node, Ref("x", ())))
    fixed = Network(tuple(fixer.nodes), None, Domain(), ())
    found = evaluate(fixed, given_[:, None], ["y"])["y"][:, 0]
    assert np.array_equal(np.ldexp(found.astype(np.float64), -fixed.frac("y")), function(given_.astype(np.float64)))


def test_exactly_linear_functions() -> None:
    assert linear_of(call("add", call("mul", X, 0.25), 3.0)) == (Fraction(1, 4), Fraction(3))
    assert linear_of(call("sub", 1.0, call("div", X, 4.0))) == (Fraction(-1, 4), Fraction(1))
    assert linear_of(call("mul", X, X)) is None
    assert linear_of(call("div", 1.0, X)) is None
    assert linear_of(call("round", X)) is None


@pytest.mark.parametrize("opset", [17, 19])
@pytest.mark.parametrize("whole", [False, True])
def test_orders_have_every_tap_once(opset: int, whole: bool) -> None:
    for kernel in ([7], [2, 3], [3, 3], [4, 4], [2, 2, 3]):
        order = order_of(kernel, [1] * len(kernel), whole, opset)
        assert sorted([*order.lanes.ravel().tolist(), *order.rest]) == list(range(int(np.prod(kernel))))
