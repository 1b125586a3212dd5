"""The domain ai.onnx.ml: scaling, encoding, and labels of classes. Linear models, vector machines and trees stand beside.

A label that is a string is the number of its string in the operator's list; its element type stays `string`, and whoever asks
for the string itself is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np

from circuits.positions import Term
from circuits.scalar import Scalar, X
from translator.reading.calling import call_one, typed
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary, unary
from translator.reading.gathering import gather
from translator.reading.joining import concat
from translator.reading.loading import Operator
from translator.reading.movement import unsqueeze
from translator.reading.quantized import positive
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed
from translator.reading.types import dtype_of, is_whole
from translator.reading.values import Array, Value
from translator.reading.walking import share

ONE = Term((), 0, 1)


def listed(operator: Operator, name: str, dtype: Any = np.float64) -> Array:
    """A list attribute, or the tensor that stands for it; empty if it is absent."""
    for spelling in (name, f"{name}_as_tensor"):
        if spelling in operator.attributes:
            return np.asarray(operator.attributes[spelling]).astype(dtype).ravel()
    return np.zeros(0, dtype=dtype)


def text(value: Any) -> str:
    """A string attribute, or one of a list of them."""
    return value.decode() if isinstance(value, bytes) else str(value)


def rows_of(context: Context, value: Value) -> Value:
    """The input as a matrix of one row for each case: a vector is one case."""
    return unsqueeze(context, value, [0]) if len(dims_of(value)) == 1 else value


def labels_of(operator: Operator, name: str) -> tuple[Array, str]:
    """The labels of the classes: whole numbers; strings are numbered from 0."""
    for spelling in (f"{name}_ints", f"{name}_int64s"):
        if operator.attributes.get(spelling):
            return np.asarray(operator.attributes[spelling], dtype=np.int64), "int64"
    strings = operator.attributes.get(f"{name}_strings") or []
    return np.arange(len(strings)), "string"


def named(context: Context, labels: Array, dtype: str, operator: Operator, attribute: str) -> None:
    """Note which number stands for which string."""
    if dtype == "string":
        names = [text(entry) for entry in operator.attributes[attribute]]
        told = ", ".join(f"{number} = {name}" for number, name in zip(labels.tolist(), names, strict=True))
        context.assembly.notes.append(f"labels are numbers: {told}")


def best(context: Context, scores: Value, labels: Array, dtype: str) -> Value:
    """The label of the first largest score of each row."""
    place = call_one(context, "ArgMax", scores, axis=1, keepdims=0)
    if np.array_equal(labels, np.arange(len(labels))):
        return typed(place, dtype)
    return typed(gather(context, labels, place, 0), dtype)


def transformed(context: Context, scores: Value, name: str) -> Value:
    """The scores of each row after `post_transform`.

    Raises:
        Refusal: it is PROBIT, whose inverse error function has no exact form that runtimes agree on.
    """
    match name:
        case "NONE":
            return scores
        case "LOGISTIC":
            return unary(context, call("sigmoid", X), scores)
        case "SOFTMAX":
            return call_one(context, "Softmax", scores, axis=-1)
        case "SOFTMAX_ZERO":
            return _softmax_zero(context, scores)
        case _:
            raise Refusal(
                "N011",
                f"the transform {name} is not supported",
                note="runtimes approximate the inverse error function, each in its way",
                help="export the scores",
            )


def _softmax_zero(context: Context, scores: Value) -> Value:
    """A softmax in which scores of 0 (up to 1e-7) stay next to 0."""
    share(scores, 3)
    top = reduce(context, "max", scores, [-1], True)
    large = call("gt", call("abs", X), 1e-7)
    chosen = unary(context, large, scores)
    weights = unary(context, call("exp", X), binary(context, "sub", scores, top))
    small = unary(context, call("mul", X, call("sub", 1.0, large)), scores)
    counted = binary(context, "mul", chosen, weights)
    share(counted, 2)
    shrunk = binary(context, "mul", small, unary(context, call("exp", call("neg", X)), top))
    total = positive(context, reduce(context, "sum", counted, [-1], True))
    return binary(context, "div", binary(context, "add", counted, shrunk), total)


def pair(context: Context, low: Value, high: Value) -> Value:
    """Two columns of one entry each, beside each other."""
    return concat(context, [low, high], 1)


@lowering("ai.onnx.ml::Scaler")
def _scaler(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    offset, scale = listed(operator, "offset"), listed(operator, "scale")
    if offset.size:
        x = binary(context, "sub", x, offset if offset.size > 1 else offset.reshape(()))
    return typed(
        binary(context, "mul", x, scale if scale.size > 1 else scale.reshape(())) if scale.size else x, "float"
    )


@lowering("ai.onnx.ml::Normalizer")
def _normalizer(context: Context, operator: Operator, values: Inputs) -> Value:
    x, norm = needed(values, 0), text(operator.attributes.get("norm", "MAX"))
    share(x, 2)
    if norm == "MAX":
        size = reduce(context, "max", x, [-1], True)
        return typed(binary(context, "div", x, unary(context, _or_one(X), size)), "float")
    inner = call("abs", X) if norm == "L1" else call("mul", X, X)
    size = reduce(context, "sum", unary(context, inner, x), [-1], True)
    length = _or_one(X if norm == "L1" else call("sqrt", X))
    return typed(binary(context, "div", x, positive(context, unary(context, length, size))), "float")


def _or_one(function: Scalar) -> Scalar:
    """The function, and 1 where it is 0: zeros stay zeros."""
    return call("where", call("eq", function, 0.0), 1.0, function)


@lowering("ai.onnx.ml::Binarizer")
def _binarizer(context: Context, operator: Operator, values: Inputs) -> Value:
    x, threshold = needed(values, 0), float(operator.attributes.get("threshold", 0.0))
    return typed(unary(context, call("gt", X, threshold), x), dtype_of(x))


@lowering("ai.onnx.ml::Imputer")
def _imputer(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    whole = is_whole(dtype_of(x))
    kind = "int64" if whole else "float"
    filled = listed(operator, f"imputed_value_{kind}s")
    missing = float(operator.attributes.get(f"replaced_value_{kind}", 0))
    if isnan(missing):
        return x  # every number that fom reads is finite
    if not filled.size:
        raise Refusal("N020", f"the attribute `imputed_value_{kind}s` is required and missing")
    if filled.size == 1:
        return typed(unary(context, call("where", call("eq", X, missing), float(filled[0]), X), x), dtype_of(x))
    share(x, 2)
    kept = unary(context, call("mul", X, call("sub", 1.0, call("eq", X, missing))), x)
    added = binary(context, "mul", unary(context, call("eq", X, missing), x), filled)
    return typed(binary(context, "add", kept, added), dtype_of(x))


@lowering("ai.onnx.ml::ArrayFeatureExtractor")
def _extractor(context: Context, operator: Operator, values: Inputs) -> Value:
    x, index = needed(values, 0), needed(values, 1)
    dtype = dtype_of(x)
    if isinstance(x, np.ndarray) and x.dtype.kind in "OSU" and not isinstance(x.ravel()[0], Term):
        names = [text(entry) for entry in x.ravel()]
        context.assembly.notes.append(f"labels are numbers: {', '.join(f'{i} = {n}' for i, n in enumerate(names))}")
        x, dtype = np.arange(x.size).reshape(x.shape), "string"
    flat = call_one(context, "Reshape", index, np.array([-1]))
    return typed(gather(context, rows_of(context, x), flat, len(dims_of(rows_of(context, x))) - 1), dtype)


@lowering("ai.onnx.ml::FeatureVectorizer")
def _vectorizer(context: Context, operator: Operator, values: Inputs) -> Value:
    pieces = [rows_of(context, value) for value in values if value is not None]
    flat = [call_one(context, "Flatten", piece, axis=1) for piece in pieces]
    return typed(concat(context, flat, 1), "float")


@lowering("ai.onnx.ml::OneHotEncoder")
def _one_hot(context: Context, operator: Operator, values: Inputs) -> Value:
    x, classes = needed(values, 0), listed(operator, "cats_int64s")
    if not classes.size:
        raise Refusal("N017", "OneHotEncoder reads strings", help="encode the strings as numbers before")
    wide = unsqueeze(context, x, [len(dims_of(x))])
    return typed(binary(context, "eq", wide, classes), "float")


@lowering("ai.onnx.ml::LabelEncoder")
def _label_encoder(context: Context, operator: Operator, values: Inputs) -> Value:
    x, given = needed(values, 0), operator.attributes
    keys, _ = _column(given, "keys")
    found, kind = _column(given, "values")
    default = {"int64": given.get("default_int64", -1), "float": given.get("default_float", -0.0)}[kind]
    if "default_tensor" in given:
        default = np.asarray(given["default_tensor"]).ravel()[0]
    dtype = dtype_of(np.asarray(given["values_tensor"])) if "values_tensor" in given else kind
    function = call("add", call("mul", X, 0.0), float(default))
    for key, value in zip(keys[::-1], found[::-1], strict=True):
        function = call("where", call("eq", X, float(key)), float(value), function)
    return typed(unary(context, function, x), dtype)


def _column(given: dict[str, Any], side: str) -> tuple[Sequence[float], str]:
    """The keys or the values of a LabelEncoder."""
    for suffix, kind in (("int64s", "int64"), ("floats", "float"), ("tensor", "")):
        if f"{side}_{suffix}" in given:
            array = np.asarray(given[f"{side}_{suffix}"]).ravel()
            if array.dtype.kind in "OSU":
                break
            return array.tolist(), kind or ("float" if array.dtype.kind == "f" else "int64")
    raise Refusal("N017", "LabelEncoder reads or makes strings", help="export the numbers of the classes")


@lowering("ai.onnx.ml::CastMap", "ai.onnx.ml::DictVectorizer", "ai.onnx.ml::CategoryMapper")
def _strings(context: Context, operator: Operator, values: Inputs) -> Value:
    raise Refusal("N017", f"`{operator.op_type}` works on maps or strings", help="export from the numbers on")


@lowering("ai.onnx.ml::ZipMap")
def _zip_map(context: Context, operator: Operator, values: Inputs) -> Value:
    context.assembly.notes.append("ZipMap only names the columns: the scores are read as they are")
    return needed(values, 0)
