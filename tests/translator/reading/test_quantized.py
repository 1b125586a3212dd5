"""Quantized operators against onnxruntime, bit for bit, with ties."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from tests.translator.reading.differential import check, expected, ours, single

RNG = np.random.default_rng(5)
KINDS: dict[str, int] = {
    "uint8": TensorProto.UINT8, "int8": TensorProto.INT8, "uint16": TensorProto.UINT16, "int16": TensorProto.INT16
}  # fmt: skip


def f32(*values: float) -> np.ndarray[Any, Any]:
    return np.array(values, dtype=np.float32)


def codes(dtype: str, *shape: int) -> np.ndarray[Any, Any]:
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("constants", [(1, 2), (2,), ()])
def test_quantize_rounds_ties_and_saturates(dtype: str, constants: tuple[int, ...]) -> None:
    scale = np.float32(0.1)
    x = np.concatenate([np.arange(-40, 40) * scale * np.float32(0.5), f32(-1e9, 1e9, 0.05, 0.15, 0.25)])
    values = [x.astype(np.float32), np.array(scale), np.array(3, dtype=dtype)]
    check("QuantizeLinear", values, constants=constants, outputs=[KINDS[dtype]])


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("stored", [True, False])
def test_quantize_and_dequantize_per_axis(axis: int, stored: bool) -> None:
    shape = (3, 4, 2)
    x = RNG.normal(0, 2, shape).astype(np.float32)
    scale = (0.05 + RNG.random(shape[axis])).astype(np.float32)
    zero = RNG.integers(-5, 5, shape[axis]).astype(np.int8)
    constants = (1, 2) if stored else ()
    check("QuantizeLinear", [x, scale, zero], constants=constants, outputs=[TensorProto.INT8], axis=axis, opset=13)
    check("DequantizeLinear", [codes("int8", *shape), scale, zero], constants=constants, axis=axis, opset=13)


@pytest.mark.parametrize("axis", [0, 1])
def test_blocks(axis: int) -> None:
    x = RNG.normal(0, 2, (4, 6)).astype(np.float32)
    shape = (2, 6) if axis == 0 else (4, 3)
    scale = (0.1 + RNG.random(shape)).astype(np.float32)
    zero = codes("uint8", *shape)
    options: dict[str, Any] = {"axis": axis, "block_size": 2, "constants": (1, 2), "opset": 21}
    check("QuantizeLinear", [x, scale, zero], outputs=[TensorProto.UINT8], **options)
    check("DequantizeLinear", [codes("uint8", 4, 6), scale, zero], **options)


def test_output_dtype_without_zero_point() -> None:
    check("QuantizeLinear", [f32(-300, -0.5, 0.5, 1.5, 300), np.array(np.float32(1))], constants=(1,),
          outputs=[TensorProto.INT8], output_dtype=TensorProto.INT8, opset=21)  # fmt: skip


def test_every_code_survives_dequantizing_and_quantizing() -> None:
    every = np.arange(256, dtype=np.uint8)
    scales = [np.array(s, dtype=np.float32) for s in (0.1, 0.2, 0.017, 1 / 3)]
    zero = np.array(7, dtype=np.uint8)
    for first in scales:
        for second in scales:
            nodes = [
                onnx.helper.make_node("DequantizeLinear", ["x", "s", "z"], ["r"]),
                onnx.helper.make_node("QuantizeLinear", ["r", "t", "z"], ["y"]),
            ]
            stored: dict[str, Any] = {"s": first, "t": second, "z": zero}
            graph = onnx.helper.make_graph(
                nodes,
                "pair",
                [onnx.helper.make_tensor_value_info("x", TensorProto.UINT8, [256])],
                [onnx.helper.make_tensor_value_info("y", TensorProto.UINT8, [256])],
                [onnx.numpy_helper.from_array(value, name) for name, value in stored.items()],
            )
            model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 13)], ir_version=8)
            real = (every.astype(np.float32) - np.float32(7)) * first
            wanted = np.clip(np.rint(real / second) + 7, 0, 255)
            assert (ours(model, [every])[0] == wanted).all()


@pytest.mark.parametrize("kind", ["uint8", "int8"])
@pytest.mark.parametrize("weights", ["matrix", "columns"])
@pytest.mark.parametrize("stored", [True, False])
def test_qlinear_matmul(kind: str, weights: str, stored: bool) -> None:
    a, b = codes(kind, 2, 3, 5), codes("int8", 5, 4)
    columns = weights == "columns"
    b_scale = (0.01 + RNG.random(4) / 50).astype(np.float32) if columns else np.array(0.03125, dtype=np.float32)
    b_zero = RNG.integers(-3, 3, 4).astype(np.int8) if columns else np.array(2, dtype=np.int8)
    scale, zero = np.array(0.5, dtype=np.float32), np.array(5, dtype=kind)
    values = [a, scale, zero, b, b_scale, b_zero, np.array(1.0, dtype=np.float32), np.array(1, dtype=kind)]
    constants = (1, 2, 3, 4, 5, 6, 7) if stored else (1, 2, 4, 5, 6, 7)
    check("QLinearMatMul", values, constants=constants, outputs=[KINDS[kind]], opset=10)


@pytest.mark.parametrize(
    "attributes", [{}, {"pads": [1, 0, 1, 2], "strides": [2, 1]}, {"group": 2, "dilations": [1, 2]}]
)
def test_qlinear_conv(attributes: dict[str, Any]) -> None:
    group = attributes.get("group", 1)
    x, w = codes("uint8", 2, 4, 6, 6), codes("int8", 4, 4 // group, 3, 2)
    w_scale = (0.001 + RNG.random(4) / 500).astype(np.float32)
    bias = RNG.integers(-2000, 2000, 4).astype(np.int32)
    values = [x, np.array(0.02, dtype=np.float32), np.array(120, dtype=np.uint8), w, w_scale, np.zeros(4, dtype=np.int8),
              np.array(0.01, dtype=np.float32), np.array(128, dtype=np.uint8), bias]  # fmt: skip
    check("QLinearConv", values, constants=range(1, 9), outputs=[TensorProto.UINT8], opset=10, **attributes)


@pytest.mark.parametrize("rows", [False, True])
@pytest.mark.parametrize("stored", [True, False])
def test_matmul_integer_zero_points(rows: bool, stored: bool) -> None:
    a, b = codes("uint8", 3, 4), codes("int8", 4, 2)
    zeros = [codes("uint8", 3) if rows else np.array(9, dtype=np.uint8), np.array([3, -4], dtype=np.int8)]
    constants = (1, 2, 3) if stored else ()
    model = single("MatMulInteger", [a, b, *zeros], constants=constants, outputs=[TensorProto.INT32], opset=10)
    left = a.astype(np.int64) - (zeros[0][:, None] if rows else zeros[0])
    wanted = left @ (b.astype(np.int64) - zeros[1])
    assert np.array_equal(ours(model, [a, b, *zeros], constants)[0], wanted)


def test_conv_integer_pads_with_the_zero_point() -> None:
    values = [
        codes("uint8", 1, 2, 5, 4),
        codes("uint8", 3, 2, 2, 2),
        np.array(11, dtype=np.uint8),
        np.array(4, dtype=np.uint8),
    ]
    check("ConvInteger", values, constants=(1, 2, 3), outputs=[TensorProto.INT32], opset=10, pads=[1, 1, 0, 1])


@pytest.mark.parametrize(
    "x", [f32(0, 0, 0), f32(1, 2, 3.5), f32(-3, -1), f32(-1, 0.25, 1.5), RNG.normal(0, 3, 200).astype(np.float32)]
)
def test_dynamic_quantization(x: np.ndarray[Any, Any]) -> None:
    model = single(
        "DynamicQuantizeLinear", [x], outputs=[TensorProto.UINT8, TensorProto.FLOAT, TensorProto.UINT8], opset=11
    )
    found, wanted = ours(model, [x]), expected(model, [x])
    for mine, his in zip(found, wanted, strict=True):
        assert mine.dtype == his.dtype
        assert np.array_equal(mine, his)


def test_scales_of_masks_are_refused() -> None:
    from circuits.diagnostics import FomError

    for scale in (np.inf, 1e36, 0.0, -1.0):
        values = [f32(1, 2), np.array(scale, dtype=np.float32), np.array(0, dtype=np.uint8)]
        model = single("QuantizeLinear", values, constants=(1, 2), outputs=[TensorProto.UINT8])
        with pytest.raises(FomError) as refused:
            ours(model, values, (1, 2))
        assert {finding.code for finding in refused.value.diagnostics} == {"N007"}
