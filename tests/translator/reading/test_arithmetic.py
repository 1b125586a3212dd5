"""Arithmetic with ONNX's number types: division, remainders, powers, wrapping, old broadcasting, on data and constants."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.translator.reading.differential import check, expected, ours, single
from translator.reading.loading import graph_of
from translator.reading.reader import read_graph
from translator.real import Map

RNG = np.random.default_rng(3)
TYPES = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
BOTH = [(), (0,), (1,)]


def kind(dtype: str) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def numbers(dtype: str, shape: tuple[int, ...], *, nonzero: bool = False) -> np.ndarray:
    low = 0 if dtype.startswith("u") else -20
    found = RNG.integers(low, 21, shape)
    return np.where(found == 0, 7, found).astype(dtype) if nonzero else found.astype(dtype)


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "int8"])
@pytest.mark.parametrize("constants", BOTH)
def test_division_of_whole_numbers_truncates(dtype: str, constants: tuple[int, ...]) -> None:
    inputs = [numbers(dtype, (4, 30)), numbers(dtype, (30,), nonzero=True)]
    check("Div", inputs, constants=constants, outputs=[kind(dtype)])


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("fmod", [0, 1])
def test_remainders_of_whole_numbers(dtype: str, fmod: int) -> None:
    inputs = [numbers(dtype, (4, 30)), numbers(dtype, (30,), nonzero=True)]
    for constants in BOTH:
        check("Mod", inputs, constants=constants, outputs=[kind(dtype)], fmod=fmod)


@pytest.mark.parametrize("constants", BOTH)
def test_remainders_of_fractions_have_the_sign_of_the_dividend(constants: tuple[int, ...]) -> None:
    inputs = [
        np.array([-4.3, 7.2, 5.0, 4.3, -7.2, 8.0], np.float32),
        np.array([2.1, -3.4, 8.0, -2.1, 3.4, 5.0], np.float32),
    ]
    check("Mod", inputs, constants=constants, fmod=1)


@pytest.mark.parametrize("constants", BOTH)
def test_division_by_numbers_of_either_sign(constants: tuple[int, ...]) -> None:
    inputs = [RNG.normal(size=(3, 5)).astype(np.float32), np.array([-2.0, 0.5, 3.0, -0.1, 7.0], np.float32)]
    check("Div", inputs, constants=constants)


@pytest.mark.parametrize("constants", BOTH)
def test_powers_of_two_variables(constants: tuple[int, ...]) -> None:
    base = np.array([[2.0, -3.0, 0.0, 0.0, -1.5, 4.0, -2.0, 1.0]], np.float32)
    exponent = np.array([[0.5], [3.0], [-2.0], [0.0]], np.float32)
    check("Pow", [base[:, :2], np.array([[3.0], [2.0], [-2.0], [0.0]], np.float32)], constants=constants)
    check("Pow", [np.abs(base) + 0.25, exponent], constants=constants)
    check("Pow", [np.array([0.0, 0.0, -2.0], np.float32), np.array([2.0, 0.0, 3.0], np.float32)], constants=constants)


def test_an_undefined_power_is_no_number() -> None:
    inputs = [np.array([-2.0, 0.0, 2.0], np.float32), np.array([0.5, -1.0, 0.5], np.float32)]
    with np.errstate(all="ignore"):
        (found,) = ours(single("Pow", inputs), inputs)
    assert np.isnan(found[0])
    assert found[1:] == pytest.approx([np.inf, 2**0.5])


@pytest.mark.parametrize("exponents", ["int32", "int64", "float32"])
@pytest.mark.parametrize("constants", BOTH)
def test_powers_have_the_type_of_the_base(exponents: str, constants: tuple[int, ...]) -> None:
    inputs = [np.array([[-3], [2], [7], [0]], np.int32), np.array([0, 1, 2, 5], exponents)]
    check("Pow", inputs, constants=constants, outputs=[kind("int32")])


def test_many_different_exponents_are_one_function_of_two_variables() -> None:
    inputs = [RNG.uniform(0.5, 2, 40).astype(np.float32), np.linspace(-2, 2, 40).astype(np.float32)]
    check("Pow", inputs, constants=(1,))


@pytest.mark.parametrize("op_type", ["Add", "Sub", "Mul"])
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32"])
def test_what_leaves_a_type_wraps(op_type: str, dtype: str) -> None:
    info = np.iinfo(dtype)
    ends = np.array([info.min, info.max, info.max // 3, 1, 0, info.max - 1], dtype)
    inputs = [ends[:, None], ends[None]]
    if op_type == "Mul" and info.bits == 32:
        inputs[1] = inputs[1][:, 3:5]  # float64 holds products of up to 53 bits
    check(op_type, inputs, outputs=[kind(dtype)], runtime=False)
    check(op_type, inputs, outputs=[kind(dtype)], runtime=False, constants=(1,))


def test_sums_inside_of_a_type_stay_linear() -> None:
    x = np.array([1, 0], bool)
    model = single("Cast", [x], to=onnx.TensorProto.UINT8, outputs=[onnx.TensorProto.UINT8])
    model.graph.node.append(onnx.helper.make_node("Add", ["o0", "o0"], ["o1"]))
    model.graph.output[0].name = "o1"
    network = read_graph(graph_of(model, "m"), whole=True)
    assert not any(isinstance(node, Map) for node in network.nodes)


@given(st.data())
@settings(max_examples=25, deadline=None)
def test_broadcasting(data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), min_size=0, max_size=3))
    other = [d if data.draw(st.booleans()) else 1 for d in shape][data.draw(st.integers(0, len(shape))) :]
    op_type = data.draw(st.sampled_from(["Add", "Sub", "Mul", "Div", "Max", "Min"]))
    inputs = [RNG.normal(size=shape).astype(np.float32), RNG.uniform(0.5, 2, other).astype(np.float32)]
    if data.draw(st.booleans()):
        inputs.reverse()
    check(op_type, inputs, constants=data.draw(st.sampled_from(BOTH)))


@pytest.mark.parametrize("op_type", ["Add", "Sub", "Mul", "Div", "Pow"])
def test_broadcasting_along_an_axis_before_opset_7(op_type: str) -> None:
    x, y = RNG.uniform(0.5, 2, (2, 3, 4)).astype(np.float32), RNG.uniform(0.5, 2, 3).astype(np.float32)
    function = {"Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.divide, "Pow": np.power}[op_type]
    model = single(op_type, [x, y], opset=6, broadcast=1, axis=1)
    (found,) = ours(model, [x, y])
    np.testing.assert_allclose(found, function(x, y[None, :, None]), rtol=1e-5)


def test_slopes_of_channels_before_opset_7() -> None:
    x, slope = RNG.normal(size=(2, 3, 4)).astype(np.float32), np.array([0.1, 0.2, 0.3], np.float32)
    (found,) = ours(single("PRelu", [x, slope], opset=6), [x, slope])
    np.testing.assert_allclose(found, np.where(x < 0, slope[:, None] * x, x), rtol=1e-5)


@pytest.mark.parametrize("op_type", ["Max", "Min"])
@pytest.mark.parametrize("dtype", ["float32", "int8", "uint64"])
def test_many_operands(op_type: str, dtype: str) -> None:
    inputs = [numbers(dtype, (3, 1)), numbers(dtype, (4,)), numbers(dtype, (3, 4)), numbers(dtype, ())]
    check(op_type, inputs, outputs=[kind(dtype)], runtime=dtype != "int8")


@pytest.mark.parametrize("op_type", ["Sum", "Mean"])
def test_sums_of_many_operands(op_type: str) -> None:
    check(op_type, [RNG.normal(size=s).astype(np.float32) for s in ((3, 1), (4,), (3, 4))], constants=(1,))


@pytest.mark.parametrize("limits", [(-1.0, 1.0), (2.0, -2.0)])
@pytest.mark.parametrize("constants", [(), (1, 2)])
def test_clip_with_bounds_in_any_order(limits: tuple[float, float], constants: tuple[int, ...]) -> None:
    inputs = [RNG.normal(size=9).astype(np.float32) * 2, *(np.array(v, np.float32) for v in limits)]
    check("Clip", inputs, constants=constants)


@pytest.mark.parametrize("dtype", ["int8", "int32", "float32"])
def test_signs(dtype: str) -> None:
    for op_type in ("Neg", "Abs", "Sign"):
        check(op_type, [numbers(dtype, (9,))], outputs=[kind(dtype)])
    low = np.array([-128, 127], np.int8)
    assert ours(single("Neg", [low], outputs=[kind("int8")]), [low])[0].tolist() == [-128, -127]


@pytest.mark.parametrize("op_type", ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"])
@pytest.mark.parametrize("dtype", ["int32", "uint8", "float64"])
def test_comparisons(op_type: str, dtype: str) -> None:
    inputs = [RNG.integers(0, 3, (4, 5)).astype(dtype), RNG.integers(0, 3, 5).astype(dtype)]
    for constants in BOTH:
        check(op_type, inputs, constants=constants, outputs=[onnx.TensorProto.BOOL], runtime=dtype != "uint8")


@pytest.mark.parametrize("op_type", ["And", "Or", "Xor", "Equal"])
def test_truth_values(op_type: str) -> None:
    inputs = [np.array([[True], [False]]), np.array([True, False])]
    for constants in BOTH:
        check(op_type, inputs, constants=constants, outputs=[onnx.TensorProto.BOOL])


@pytest.mark.parametrize("dtype", ["float32", "int64", "bool"])
@pytest.mark.parametrize("constants", [(), (0,), (1,), (1, 2), (0, 2)])
def test_where(dtype: str, constants: tuple[int, ...]) -> None:
    inputs = [
        RNG.random((2, 3)) < 0.5,
        numbers(dtype, (2, 1)) if dtype != "bool" else np.ones((2, 1), bool),
        numbers(dtype, (3,)),
    ]
    check("Where", inputs, constants=constants, outputs=[kind(dtype)], runtime=dtype != "bool")


def test_a_dropped_mask_is_all_true() -> None:
    x = RNG.normal(size=(2, 3)).astype(np.float32)
    check("Dropout", [x], outputs=[onnx.TensorProto.FLOAT, onnx.TensorProto.BOOL])
    assert expected(single("Dropout", [x], opset=10), [x])[0].shape == (2, 3)
