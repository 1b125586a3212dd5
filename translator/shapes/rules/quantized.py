"""Quantization, in ONNX and in com.microsoft, whose operators have no schema: the output has the type of its zero point."""

from __future__ import annotations

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.graph import dtype_name
from translator.shapes.rules.contraction import matrices
from translator.shapes.rules.joining import joined
from translator.shapes.rules.windows import places, window
from translator.shapes.values import Tensor

MICROSOFT = "com.microsoft"


@rule("QuantizeLinear")
@rule("QuantizeLinear", domain=MICROSOFT)
def quantize(call: Call) -> Tensor:
    """Entries in a smaller type: the attribute's, the zero point's, or bytes."""
    element = call.attribute("output_dtype", 0)
    if element:
        dtype = dtype_name(element)
    else:
        dtype = call.tensor(2).dtype if call.has(2) else "uint8"
    return Tensor(dtype, call.dims(0))


@rule("DequantizeLinear")
@rule("DequantizeLinear", domain=MICROSOFT)
def dequantize(call: Call) -> Tensor:
    """Entries in the type of the scale."""
    element = call.attribute("output_dtype", 0)
    return Tensor(dtype_name(element) if element else call.tensor(1).dtype, call.dims(0))


@rule("QLinearAdd", "QLinearMul", domain=MICROSOFT)
def quantized_broadcast(call: Call) -> Tensor:
    """Two operands, each followed by its scale and zero point."""
    why = f"`{call.op}` broadcasts its operands"
    return shaped(call.constraints.broadcast([call.dims(0), call.dims(3)], why), call.tensor(0).dtype)


@rule("QLinearSigmoid", "QLinearLeakyRelu", "QLinearSoftmax", domain=MICROSOFT)
def quantized_same(call: Call) -> Tensor:
    """The shape stays."""
    return shaped(call.dims(0), call.tensor(0).dtype)


@rule("QLinearConcat", domain=MICROSOFT)
def quantized_concat(call: Call) -> Tensor:
    """Scale and zero point of the output, then operands with theirs."""
    indices = range(2, len(call.inputs), 3)
    shapes = [call.dims(index) for index in indices]
    return shaped(joined(call, shapes, call.axis(call.required("axis"), len(shapes[0]))), call.tensor(1).dtype)


@rule("QLinearAveragePool", domain=MICROSOFT)
def quantized_pool(call: Call) -> Tensor:
    """A window; the channels may stand last."""
    image = call.rank_at_least(0, 3)
    last = call.attribute("channels_last", 0)
    inner = image[1:-1] if last else image[2:]
    spatial = places(call, inner, window(call, len(inner)))
    dims = [image[0], *spatial, image[-1]] if last else [*image[:2], *spatial]
    return shaped(dims, call.tensor(0).dtype)


@rule("QLinearGlobalAveragePool", domain=MICROSOFT)
def quantized_global_pool(call: Call) -> Tensor:
    """All spatial axes; the channels may stand last."""
    image = call.rank_at_least(0, 3)
    ones = [1] * (len(image) - 2)
    dims = [image[0], *ones, image[-1]] if call.attribute("channels_last", 0) else [*image[:2], *ones]
    return shaped(dims, call.tensor(0).dtype)


@rule("QGemm", domain=MICROSOFT)
def quantized_gemm(call: Call) -> Tensor:
    """Two matrices with scales and zero points; without a scale for the output it is in floats."""
    dims = matrices(call, call.dims(0, 2), call.dims(3, 2))
    return shaped(dims, call.tensor(8).dtype if call.has(8) else "float")
