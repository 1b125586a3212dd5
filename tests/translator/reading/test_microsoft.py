"""onnxruntime's own operators against onnxruntime."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from circuits.diagnostics import FomError
from tests.translator.reading import other_domains
from tests.translator.reading.differential import ours

RNG = np.random.default_rng(11)
FLOAT, U8, S8, INT32 = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32
KIND = {"uint8": U8, "int8": S8}
Array = np.ndarray[Any, Any]


def check(op_type: str, inputs: Sequence[Array | None], **options: Any) -> None:
    other_domains.check("com.microsoft", op_type, inputs, **options)


def codes(dtype: str, *shape: int) -> Array:
    info = np.iinfo(dtype)
    return RNG.integers(info.min, info.max, shape, endpoint=True).astype(dtype)


def normal(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def scale(value: float) -> Array:
    return np.array(value, dtype=np.float32)


def every_pair(dtype: str) -> tuple[Array, Array]:
    info = np.iinfo(dtype)
    values = np.arange(info.min, info.max + 1).astype(dtype)
    return np.repeat(values, 256).reshape(256, 256), np.tile(values, 256).reshape(256, 256)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int16"])
def test_quantize_and_dequantize(dtype: str) -> None:
    kind = {**KIND, "uint16": TensorProto.UINT16, "int16": TensorProto.INT16}[dtype]
    zero = np.array(3, dtype=dtype)
    x = (normal(200) * 100).astype(np.float32)
    check("QuantizeLinear", [x, scale(0.05), zero], constants=(1, 2), outputs=[kind])
    check("DequantizeLinear", [codes(dtype, 20), scale(0.05), zero], constants=(1, 2))


@pytest.mark.parametrize("dtype", KIND)
@pytest.mark.parametrize("op_type", ["QLinearAdd", "QLinearMul"])
@pytest.mark.parametrize("scales", [(0.1, 0.1, 0.1), (0.5, 0.25, 0.75), (0.0173, 0.0291, 0.0411), (0.25, 0.25, 0.5)])
def test_all_pairs_of_codes(dtype: str, op_type: str, scales: tuple[float, ...]) -> None:
    a, b = every_pair(dtype)
    zeros = [np.array(value, dtype=dtype) for value in (3, 17, 101)]
    values = [a, scale(scales[0]), zeros[0], b, scale(scales[1]), zeros[1], scale(scales[2]), zeros[2]]
    check(op_type, values, constants=(1, 2, 4, 5, 6, 7), outputs=[KIND[dtype]])


@pytest.mark.parametrize("dtype", KIND)
@pytest.mark.parametrize("attributes", [{"op_type": "QLinearSigmoid"}, {"op_type": "QLinearLeakyRelu", "alpha": 0.125}])
def test_functions_of_codes(dtype: str, attributes: dict[str, Any]) -> None:
    info = np.iinfo(dtype)
    x = np.arange(info.min, info.max + 1).astype(dtype)
    values = [x, scale(0.04), np.array(5, dtype=dtype), scale(0.0078), np.array(info.min, dtype=dtype)]
    options = dict(attributes)
    check(options.pop("op_type"), values, constants=(1, 2, 3, 4), outputs=[KIND[dtype]], **options)


def test_concat_and_where() -> None:
    x, y = codes("uint8", 2, 3), codes("uint8", 2, 3)
    zero = np.array(4, dtype=np.uint8)
    values = [scale(0.1), zero, x, scale(0.1), zero, y, scale(0.07), np.array(9, dtype=np.uint8)]
    check("QLinearConcat", values, constants=(0, 1, 3, 4, 6, 7), outputs=[U8], axis=1)
    condition = RNG.random((2, 3)) > 0.5
    values = [condition, x, scale(0.1), zero, y, scale(0.07), zero, scale(0.09), zero]
    check("QLinearWhere", values, constants=(2, 3, 5, 6, 7, 8), outputs=[U8])


@pytest.mark.parametrize("dtype", KIND)
@pytest.mark.parametrize("attributes", [{}, {"transB": 1, "alpha": 0.5}, {"transA": 1}])
@pytest.mark.parametrize("columns", [True, False])
@pytest.mark.parametrize("quantized", [True, False])
def test_qgemm(dtype: str, attributes: dict[str, Any], columns: bool, quantized: bool) -> None:
    a, b = codes(dtype, *(7, 3) if attributes.get("transA") else (3, 7)), codes("int8", 7, 5)
    if attributes.get("transB"):
        b = np.ascontiguousarray(b.T)
    b_scale = (0.001 + RNG.random(5) / 300).astype(np.float32) if columns else scale(0.0041)
    b_zero = np.zeros(5, dtype=np.int8) if columns else np.array(3, dtype=np.int8)
    bias = RNG.integers(-3000, 3000, 5).astype(np.int32)
    values: list[Any] = [a, scale(0.02), np.array(9, dtype=dtype), b, b_scale, b_zero, bias]
    if quantized:
        values += [scale(0.03), np.array(100, dtype=dtype)]
    constants = tuple(range(1, len(values)))
    check("QGemm", values, constants=constants, outputs=[KIND[dtype] if quantized else FLOAT], **attributes)


@pytest.mark.parametrize("last", [0, 1])
def test_pools(last: int) -> None:
    x = codes("uint8", 1, 3, 6, 6) if not last else codes("uint8", 1, 6, 6, 3)
    values = [x, scale(0.031), np.array(7, dtype=np.uint8), scale(0.017), np.array(3, dtype=np.uint8)]
    options: dict[str, Any] = {"constants": (1, 2, 3, 4), "outputs": [U8], "channels_last": last}
    check("QLinearAveragePool", values, kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 0], **options)
    check("QLinearAveragePool", values, kernel_shape=[2, 2], pads=[1, 1, 0, 0], count_include_pad=1, **options)
    check("QLinearGlobalAveragePool", values, **options)


@pytest.mark.parametrize("opset", [11, 13])
def test_softmax_of_codes(opset: int) -> None:
    values = [
        codes("uint8", 4, 9),
        scale(0.05),
        np.array(128, dtype=np.uint8),
        scale(1 / 256),
        np.array(0, dtype=np.uint8),
    ]
    check("QLinearSoftmax", values, constants=(1, 2, 3, 4), outputs=[U8], axis=-1, opset=opset)


def test_products_with_floats() -> None:
    b, zero, bias = codes("int8", 6, 4), np.array(2, dtype=np.int8), normal(4)
    b_scale = (0.01 + RNG.random(4) / 50).astype(np.float32)
    check("DynamicQuantizeMatMul", [normal(3, 6), b, b_scale, np.zeros(4, np.int8), bias], constants=(1, 2, 3, 4))
    values = [codes("uint8", 3, 6), b, scale(0.02), scale(0.03), np.array(77, dtype=np.uint8), zero, bias]
    check("MatMulIntegerToFloat", values, constants=(1, 2, 3, 4, 5, 6))


def test_activations() -> None:
    x, bias = (normal(3, 8) * 3).astype(np.float32), normal(8)
    check("Gelu", [x])
    check("QuickGelu", [x], alpha=1.5)
    check("BiasGelu", [x, bias], constants=(1,))
    check("FastGelu", [x, bias], constants=(1,), tolerance=1e-4)


@pytest.mark.parametrize("transposed", [{"transA": 1}, {"transB": 1}, {"transBatchA": 1}, {"transB": 1, "alpha": 0.25}])
def test_fused_matmul(transposed: dict[str, Any]) -> None:
    a, b = normal(2, 3, 4), normal(2, 4, 5)
    if "transA" in transposed:
        a = np.ascontiguousarray(a.transpose(0, 2, 1))
    if "transB" in transposed:
        b = np.ascontiguousarray(b.transpose(0, 2, 1))
    if "transBatchA" in transposed:
        a = np.ascontiguousarray(a.transpose(1, 0, 2))
    check("FusedMatMul", [a, b], **transposed)


@pytest.mark.parametrize("activation", [{"activation": "Relu"}, {"activation": "LeakyRelu", "activation_alpha": 0.25}])
def test_fused_gemm(activation: dict[str, Any]) -> None:
    check("FusedGemm", [normal(3, 4), normal(5, 4), normal(5)], constants=(1, 2), transB=1, alpha=0.5, **activation)


@pytest.mark.parametrize("parameters", [[], [0.25], [0.0, 1.0]])
def test_fused_conv(parameters: list[float]) -> None:
    name = ("Relu", "LeakyRelu", "Clip")[len(parameters)]
    given: dict[str, Any] = {"activation": name, "pads": [1, 1, 1, 1]}
    if parameters:
        given["activation_params"] = parameters
    check("FusedConv", [normal(1, 2, 4, 4), normal(3, 2, 3, 3), normal(3)], constants=(1, 2), **given)


def test_skip_normalizations() -> None:
    x, skip, gain, beta, bias = normal(2, 3, 8), normal(2, 3, 8), normal(8), normal(8), normal(8)
    outputs = [FLOAT, 0, 0, FLOAT]
    check("SkipLayerNormalization", [x, skip, gain, beta, bias], constants=(2, 3, 4), outputs=outputs, epsilon=1e-5)
    check("SkipSimplifiedLayerNormalization", [x, skip, gain, bias], constants=(2, 3), outputs=outputs, epsilon=1e-5)


@pytest.mark.parametrize("options", [{}, {"unidirectional": 1}, {"scale": 0.3}])
@pytest.mark.parametrize("mask", ["none", "raw", "cube", "lengths"])
def test_attention(options: dict[str, Any], mask: str) -> None:
    x, weights, bias = normal(1, 5, 8), normal(8, 24), normal(24)
    raw = np.array([[1, 1, 0, 1, 0]], dtype=np.int32)
    given: dict[str, Any] = {
        "none": None,
        "raw": raw,
        "cube": np.repeat(raw[:, None], 5, axis=1),
        "lengths": np.array([3], dtype=np.int32),
    }
    if given[mask] is not None:
        given[mask][..., 0] = 3 if mask == "lengths" else 1
    check("Attention", [x, weights, bias, given[mask]], constants=(1, 2), num_heads=2, **options)


def test_attention_with_past_and_sizes() -> None:
    x, past = normal(1, 3, 8), normal(2, 1, 2, 4, 4)
    check("Attention", [x, normal(8, 24), normal(24), None, past], constants=(1, 2), outputs=[FLOAT, FLOAT],
          num_heads=2, unidirectional=1)  # fmt: skip
    check("Attention", [x, normal(8, 28), normal(28)], constants=(1, 2), num_heads=2, qkv_hidden_sizes=[8, 8, 12])


@pytest.mark.parametrize("options", [{}, {"unidirectional": 1}])
def test_multi_head_attention(options: dict[str, Any]) -> None:
    q, k, v, bias = normal(1, 4, 8), normal(1, 4, 8), normal(1, 4, 8), normal(24)
    mask = np.array([[1, 1, 0, 1]], dtype=np.int32)
    extra = normal(1, 2, 4, 4)
    check("MultiHeadAttention", [q, k, v, bias], constants=(3,), num_heads=2, **options)
    check("MultiHeadAttention", [q, k, v, None, mask, extra], num_heads=2, **options)


@pytest.mark.parametrize("interleaved", [0, 1])
@pytest.mark.parametrize("positions", [[[2, 0, 1]], [3]])
def test_rotary(interleaved: int, positions: list[Any]) -> None:
    angles = RNG.random((10, 4)).astype(np.float32)
    values = [normal(1, 3, 16), np.array(positions, dtype=np.int64), np.cos(angles), np.sin(angles)]
    check("RotaryEmbedding", values, constants=(1, 2, 3), interleaved=interleaved)


@pytest.mark.parametrize("zeros", ["none", "packed"])
@pytest.mark.parametrize("bits", [4, 8])
def test_matmul_of_few_bits(zeros: str, bits: int) -> None:
    rows, columns, block = 5, 40, 16
    blocks = -(-columns // block)
    packed = codes("uint8", rows, blocks, block * bits // 8)
    scales = RNG.random((rows, blocks)).astype(np.float32)
    points = codes("uint8", rows, -(-blocks * bits // 8)) if zeros == "packed" else None
    values: list[Any] = [normal(2, columns), packed, scales, points]
    check("MatMulNBits", values, constants=(1, 2, 3), K=columns, N=rows, bits=bits, block_size=block, tolerance=1e-3)


def test_embedding() -> None:
    words, places, kinds, gain, beta = normal(7, 8), normal(9, 8), normal(2, 8), normal(8), normal(8)
    letters, types = RNG.integers(0, 7, (1, 5)).astype(np.int32), RNG.integers(0, 2, (1, 5)).astype(np.int32)
    values = [letters, types, words, places, kinds, gain, beta]
    check("EmbedLayerNormalization", values, constants=range(7), outputs=[FLOAT, INT32], epsilon=1e-5)


def test_unknown_operators_are_refused_by_name() -> None:
    model = other_domains.single("com.microsoft", "DynamicQuantizeLSTM", [normal(1, 2, 3)], hidden_size=2)
    with pytest.raises(FomError) as refused:
        ours(model, [normal(1, 2, 3)])
    (finding,) = refused.value.diagnostics
    assert finding.code == "N010"
    assert "DynamicQuantizeLSTM" in finding.message
    assert finding.help
