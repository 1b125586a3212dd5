"""The operators of ai.onnx.ml that work on vectors of features."""

from __future__ import annotations

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.expressions import product
from translator.shapes.values import Tensor

ML = "ai.onnx.ml"
VALUES = {"values_strings": "string", "values_int64s": "int64", "values_floats": "float"}


@rule("Scaler", "Normalizer", domain=ML)
def scaled(call: Call) -> Tensor:
    """Floats of the same shape."""
    return Tensor("float", call.dims(0))


@rule("Imputer", "Binarizer", domain=ML)
def same(call: Call) -> Tensor:
    """The shape and type stay."""
    return Tensor(call.tensor(0).dtype, call.dims(0))


@rule("ArrayFeatureExtractor", domain=ML)
def extracted(call: Call) -> Tensor:
    """As many columns of the last axis as there are indices; a vector becomes a row."""
    dims = call.rank_at_least(0, 1)
    rows = dims[:-1] if len(dims) > 1 else (1,)
    return shaped([*rows, product(call.dims(1))], call.tensor(0).dtype)


@rule("LabelEncoder", domain=ML)
def encoded(call: Call) -> Tensor:
    """The shape stays; the type is that of the attribute that holds the labels."""
    dtype = next((dtype for name, dtype in VALUES.items() if name in call.node.attributes), "")
    stored = call.attribute("values_tensor", None)
    return Tensor(stored.dtype if isinstance(stored, Tensor) else dtype, call.dims(0))


@rule("LinearRegressor", domain=ML)
def regressed(call: Call) -> Tensor:
    """One number for each target."""
    return shaped([call.dims(0, 2)[0], call.attribute("targets", 1)], "float")
