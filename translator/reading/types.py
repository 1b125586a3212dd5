"""Element types: the ONNX dtype of every result, from the operator and the dtypes of what it reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from translator.reading.loading import Operator
from translator.reading.values import Data, Positional, Value

TRUTHS = frozenset(
    ["Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf",
     "OptionalHasElement"]
)  # fmt: skip
INDICES = frozenset(["Shape", "Size", "ArgMax", "ArgMin", "NonZero", "SequenceLength"])
OF_SECOND = frozenset(["CastLike", "Where"])
NUMPY_NAMES = {
    "float32": "float", "float64": "double", "float8_e4m3fn": "float8e4m3fn", "float8_e4m3fnuz": "float8e4m3fnuz",
    "float8_e5m2": "float8e5m2", "float8_e5m2fnuz": "float8e5m2fnuz", "float4_e2m1fn": "float4e2m1",
}  # fmt: skip


def dtype_name(dtype: np.dtype[Any]) -> str:
    """ONNX's name of a numpy dtype."""
    return NUMPY_NAMES.get(dtype.name, dtype.name)


def number_name(number: int) -> str:
    """ONNX's name of an element type given by its number."""
    return str(onnx.TensorProto.DataType.Name(number)).lower()


def dtype_of(value: Value | None) -> str:
    """The ONNX element type of a value."""
    if isinstance(value, Data):
        return value.dtype
    if isinstance(value, Positional):
        return {"int": "int64"}.get(value.dtype, value.dtype)
    if value is None or value.dtype == object:
        return "int64"
    return dtype_name(value.dtype)


def is_whole(dtype: str) -> bool:
    """Whether the type holds whole numbers or truth values."""
    return dtype == "bool" or dtype.startswith(("int", "uint"))


def result_types(operator: Operator, values: Sequence[Value | None]) -> list[str]:
    """The ONNX element type of each output."""
    count = len(operator.outputs)
    name, attributes = operator.op_type, operator.attributes
    given = [dtype_of(value) for value in values if value is not None]
    first = given[0] if given else "float"
    if name in TRUTHS:
        return ["bool"] * count
    if name in INDICES:
        return ["int64"] * count
    if name in OF_SECOND:
        return [dtype_of(values[1])] * count
    match name:
        case "Cast" | "BitCast":
            return [number_name(attributes["to"])]
        case "TopK":
            return [first, "int64"]
        case "MaxPool":
            return [first, "int64"]
        case "LayerNormalization":
            return [first, *[number_name(attributes.get("stash_type", 1))] * (count - 1)]
        case "Attention":
            return [first, dtype_of(values[1]), dtype_of(values[2]), first]
        case "LinearAttention" if len(values) > 3 and values[3] is not None:
            return [first, dtype_of(values[3])]
        case "OneHot":
            return [dtype_of(values[2])]
        case "ConstantOfShape":
            return [dtype_name(np.asarray(attributes.get("value", np.zeros(1, dtype=np.float32))).dtype)]
        case "EyeLike" if "dtype" in attributes:
            return [number_name(attributes["dtype"])]
        case "QuantizeLinear":
            zero = values[2] if len(values) > 2 else None
            if zero is not None:
                return [dtype_of(zero)]
            return [number_name(attributes["output_dtype"]) if attributes.get("output_dtype") else "uint8"]
        case "DequantizeLinear":
            return [number_name(attributes["output_dtype"]) if attributes.get("output_dtype") else dtype_of(values[1])]
        case "DynamicQuantizeLinear":
            return ["uint8", "float", "uint8"]
        case "QLinearMatMul" | "QLinearConv":
            return [dtype_of(values[7])]
        case "MatMulInteger" | "ConvInteger":
            return ["int32"] * count
        case "HannWindow" | "HammingWindow" | "BlackmanWindow" | "MelWeightMatrix":
            return [number_name(attributes["output_datatype"]) if attributes.get("output_datatype") else "float"]
        case _:
            return [first] * count
