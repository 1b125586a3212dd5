"""Casts between all number types, the bits of numbers, and bitwise operators on data and constants."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest

from circuits.diagnostics import FomError
from circuits.scalar import X, const
from tests.translator.reading.differential import Array, check, ours, single
from translator.reading.combining import truncated
from translator.reading.conversions import FORMATS, code_of, number_of

RNG = np.random.default_rng(5)
WHOLE = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
BOTH = [(), (0,), (1,)]


def kind(dtype: str) -> int:
    return int(onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))


def ends(dtype: str) -> Array:
    info = np.iinfo(dtype)
    middle = RNG.integers(max(info.min, -(2**40)), min(info.max, 2**40), 20, dtype=np.int64)
    return np.array([max(info.min, -(2**40)), min(info.max, 2**40), 0, 1, *middle]).astype(dtype)


@pytest.mark.parametrize("to", [*WHOLE, "bool", "float16", "float32", "float64"])
@pytest.mark.parametrize("given", ["float32", "float16", "float64", "bool"])
def test_casts_of_numbers_in_range(given: str, to: str) -> None:
    x = np.array([0.0, 0.6, 1.5, 2.5, 100.9, *([] if to.startswith("u") else [-0.6, -1.5, -100.9])]).astype(given)
    check("Cast", [x], to=kind(to), outputs=[kind(to)], tolerance=1e-3)
    check("CastLike", [x, np.zeros(1, to)], outputs=[kind(to)], tolerance=1e-3)
    check("CastLike", [x, np.zeros(1, to)], constants=(0,), outputs=[kind(to)], tolerance=1e-3)


@pytest.mark.parametrize("to", [*WHOLE, "bool", "float32"])
@pytest.mark.parametrize("given", WHOLE)
def test_casts_of_whole_numbers_wrap(given: str, to: str) -> None:
    x = ends(given)
    if to == "uint64":
        x = np.maximum(x, 0)
    (found,) = ours(single("Cast", [x], to=kind(to), outputs=[kind(to)]), [x])
    assert found.dtype == to
    assert (found == x.astype(to)).all()


def test_a_cast_to_few_bits_is_refused() -> None:
    x = np.zeros(3, np.float32)
    with pytest.raises(FomError, match="N080"):
        ours(single("Cast", [x], to=onnx.TensorProto.INT4, outputs=[onnx.TensorProto.INT4]), [x])


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_codes_of_numbers(dtype: str) -> None:
    bits, bias = FORMATS[{"float32": "float", "float64": "double"}.get(dtype, dtype)]
    info = np.finfo(dtype)
    powers = np.ldexp(1.0, np.arange(1 - bias - bits, bias + 1)).astype(dtype)
    near = np.concatenate([powers, np.nextafter(powers, powers.dtype.type(0)), np.nextafter(powers, info.max)])
    x = np.concatenate([[0.0, info.max, info.smallest_subnormal], near, -near, RNG.normal(size=200)]).astype(dtype)
    x = x[(x != 0) | ~np.signbit(x)]
    codes = x.view({"float16": np.int16, "float32": np.int32, "float64": np.int64}[dtype])
    found = code_of(bits, bias)(x.astype(np.float64))
    if dtype == "float64":
        np.testing.assert_allclose(found, codes.astype(np.float64), rtol=2.0**-51)
        exact = codes % 2048 == 0
        assert (found[exact] == codes[exact]).all()
        assert (number_of(bits, bias)(codes[exact].astype(np.float64)) == x[exact]).all()
    else:
        assert (found == codes).all()
        assert (number_of(bits, bias)(codes.astype(np.float64)) == x).all()


@pytest.mark.parametrize(
    ("given", "to"),
    [("float32", "uint32"), ("uint32", "float32"), ("int16", "float16"), ("float16", "int16"), ("uint8", "int8"),
     ("int64", "uint64"), ("int32", "uint32"), ("bool", "uint8")],
)  # fmt: skip
def test_bits_read_as_another_type(given: str, to: str) -> None:
    x = np.array([1, 0, 3, 5, 100]).astype(given)
    if given.startswith("float"):
        x = np.array([-2.5, 1.0, 0.0, 3.75]).astype(given)
    elif to.startswith("float"):
        x = np.array([-2.5, 1.0, 0.0, 3.75]).astype(to).view(given)
    elif given in ("int32", "uint8"):
        x = np.array([255, 128, 127, 0]).astype(given)
    model = single("BitCast", [x], to=kind(to), outputs=[kind(to)], opset=26)
    (found,) = ours(model, [x])
    assert found.dtype == to
    assert (found == x.view(to)).all()


def test_truncation() -> None:
    x = np.array([-2.5, -0.5, 0.0, 0.5, 2.5])
    assert truncated(X)(x).tolist() == np.trunc(x).tolist()
    assert const(1.0)(x).tolist() == [1.0] * 5


@pytest.mark.parametrize("dtype", WHOLE)
@pytest.mark.parametrize("op_type", ["BitwiseAnd", "BitwiseOr", "BitwiseXor"])
def test_bitwise(op_type: str, dtype: str) -> None:
    x, y = ends(dtype), ends(dtype)[::-1].copy()
    function = {"BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor}[op_type]
    for constants in BOTH:
        (found,) = ours(single(op_type, [x, y], constants=constants, outputs=[kind(dtype)]), [x, y], constants)
        assert found.dtype == dtype
        assert (found == function(x, y)).all()
    for mask in (5, 0, 127, 96, *((-1, -128, -6) if dtype.startswith("i") else (255,))):
        one = np.array(mask, dtype)
        (found,) = ours(single(op_type, [x, one], constants=(1,), outputs=[kind(dtype)]), [x, one], (1,))
        assert (found == function(x, one)).all()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint32"])
def test_the_complement(dtype: str) -> None:
    x = ends(dtype)
    (found,) = ours(single("BitwiseNot", [x], outputs=[kind(dtype)]), [x])
    assert (found == np.bitwise_not(x)).all()


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int32", "uint32"])
@pytest.mark.parametrize("direction", ["LEFT", "RIGHT"])
def test_shifts(direction: str, dtype: str) -> None:
    info = np.iinfo(dtype)
    x = np.array([info.min, info.max, 0, 1, 5, info.max // 3, info.min // 2 + 1], dtype)[:, None]
    counts = [0, 1, 2, 5, info.bits - 1, info.bits, *([-1, 100] if info.min else [])]
    y = np.array(counts, dtype)[None]
    sure = np.array([count if 0 <= count < info.bits else info.bits for count in counts], np.int64)
    wide = x.astype(np.int64)
    exact = (wide * 2**sure).astype(dtype) if direction == "LEFT" else (wide >> sure).astype(dtype)
    for constants in BOTH:
        model = single("BitShift", [x, y], constants=constants, direction=direction, outputs=[kind(dtype)], opset=11)
        (found,) = ours(model, [x, y], constants)
        assert (found == exact).all()


def test_undefined_functions_say_where() -> None:
    x = np.array([-1.0, 0.0, 2.0], np.float32)
    for op_type, wanted in (("IsNaN", [True, False, False]), ("IsInf", [False, True, False])):
        model = single("Log", [x])
        model.graph.node.append(onnx.helper.make_node(op_type, ["o0"], ["o1"]))
        model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("o1", onnx.TensorProto.BOOL, None))
        assert ours(model, [x])[0].tolist() == wanted


@pytest.mark.parametrize("detected", [(0, 1), (1, 0), (0, 0)])
def test_one_sided_infinity(detected: tuple[int, int]) -> None:
    x = np.array([-1.0, 0.0, 2.0], np.float32)
    model = single("Log", [x])
    attributes: dict[str, Any] = dict(zip(("detect_negative", "detect_positive"), detected, strict=True))
    model.graph.node.append(onnx.helper.make_node("IsInf", ["o0"], ["o1"], **attributes))
    model.graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info("o1", onnx.TensorProto.BOOL, None))
    assert ours(model, [x])[0].tolist() == [False, bool(detected[0]), False]
