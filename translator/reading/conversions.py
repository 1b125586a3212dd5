"""Conversions between number types: Cast, CastLike and BitCast, and the tests IsNaN and IsInf.

Types of floating-point numbers of 16 bits and more all hold the real numbers, so a cast between them changes nothing. One to 8 or
4 bits is a rounding to the numbers of that type. A cast to whole numbers truncates toward 0, one between whole numbers wraps.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx

from circuits.positions import TRUE
from circuits.scalar import Scalar, X, const
from circuits.small_floats import SMALL_FLOATS, overflow_of
from translator.reading.calling import typed
from translator.reading.combining import truncated
from translator.reading.context import Context, dims_of
from translator.reading.curves import Curve, apply
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.positional import as_positional, elementwise, is_terms
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, call, lowering, needed
from translator.reading.types import dtype_of, is_whole, number_name
from translator.reading.values import Array, Data, Part, Positional, Value, constant
from translator.reading.whole_numbers import width, wrap, wrapped
from translator.real import Features

# Bits of the fraction, and the exponent's bias.
FORMATS = {"float16": (10, 15), "bfloat16": (7, 127), "float": (23, 127), "double": (52, 1023)}
CODES = {"float16": "int16", "bfloat16": "int16", "float": "int32", "double": "int64"}
WIDTHS = (8, 16, 32, 64)
PARTIAL = frozenset(
    ["log", "div", "sqrt", "pow", "reciprocal", "mod", "tan", "asin", "acos", "acosh", "atanh", "exp", "sinh", "cosh"]
)
"""Functions that are undefined or infinite somewhere."""


@lowering("Cast")
def _cast(context: Context, operator: Operator, values: Inputs) -> Value:
    to, saturates = number_name(operator.attributes["to"]), bool(operator.attributes.get("saturate", 1))
    return convert(context, needed(values, 0), to, saturates)


@lowering("CastLike")
def _cast_like(context: Context, operator: Operator, values: Inputs) -> Value:
    saturates = bool(operator.attributes.get("saturate", 1))
    return convert(context, needed(values, 0), dtype_of(needed(values, 1)), saturates)


def convert(context: Context, value: Value, to: str, saturates: bool = True) -> Value:
    """The numbers of a tensor as numbers of another ONNX type; `saturates` is about types of 8 bits.

    Raises:
        Refusal: no real numbers, whole numbers or truth values are stored in that type.
    """
    given = dtype_of(value)
    for dtype in (given, to):
        if dtype == "string":
            raise Refusal("N017", "strings are not supported")
    if to in SMALL_FLOATS:
        return typed(to_small_float(context, value, to, saturates), to)
    if isinstance(value, np.ndarray) and not is_terms(value):
        with np.errstate(all="ignore"):
            return value.astype(onnx.helper.tensor_dtype_to_np_dtype(onnx.TensorProto.DataType.Value(to.upper())))
    if to not in FORMATS and to != "bool" and (not is_whole(to) or width(to) not in WIDTHS):
        raise Refusal(
            "N080",
            f"numbers that depend on the input are cast to {to}",
            help="cast to a floating-point type, to a whole number of 8 or more bits, or use QuantizeLinear",
        )
    if isinstance(value, Data):
        if to == "bool":
            return value if given == "bool" else unary(context, call("sub", 1.0, call("eq", X, 0.0)), value)
        if not is_whole(to) or given == "bool" or to == given:
            return value
        if is_whole(given):
            return wrapped(context, value, to)
        return value if _is_integer(context, value) else unary(context, truncated(X), value)
    kind = "bool" if to == "bool" else "int" if is_whole(to) else "float"
    if isinstance(value, Curve):
        nonzero = call("sub", 1.0, call("eq", X, 0.0))
        return apply({"bool": nonzero, "int": truncated(X), "float": X}[kind], value, kind)
    if to == "bool":
        equal = binary(context, "eq", value, np.array(0))
        return elementwise(np.logical_not, as_positional(equal), dtype="bool", on_terms=lambda a: None)
    if isinstance(value, np.ndarray):
        return value

    def piece(numbers: Array) -> Array:
        wide = np.asarray(numbers, dtype=np.float64)
        return np.trunc(wide).astype(np.int64) if kind == "int" else wide

    return elementwise(piece, value, dtype=kind, on_terms=lambda a: [(TRUE, a)])


def to_small_float(context: Context, value: Value, to: str, saturates: bool = True, function: Scalar = X) -> Value:
    """A function of a tensor, rounded to the numbers of a type of 8 or 4 bits, as a node of its own: these are codes.

    Where nothing saturates, a number beyond the type is infinite, or no number in a type without infinity.
    """
    number = call(to, function)
    if not saturates and to != "float4e2m1":
        end, ties_go_up = overflow_of(to)
        beyond = call("ge" if ties_go_up else "gt", call("abs", function), end)
        infinite = call("div", function, 0.0) if to == "float8e5m2" else call("div", 0.0, 0.0)
        number = call("where", beyond, infinite, number)
    result = unary(context, number, value)
    if not isinstance(result, Data):
        return result
    views = {key: context.assembly.tabulate(context.assembly.settle(part)) for key, part in result.parts.items()}
    return Data(result.axes, {key: Part(view) for key, view in views.items()}, to)


def _is_integer(context: Context, value: Data) -> bool:
    """Whether the numbers are whole because the letters are."""
    for part in value.parts.values():
        affine = part.view.source.affine
        if affine is None or not part.view.is_plain or part.denominator is not None:
            return False
        if (affine.const % 1).any() or (affine.length % 1).any() or any((v % 1).any() for _, v in affine.pieces):
            return False
        if any(ref.node != context.assembly.letters or (matrix.data % 1).any() for ref, matrix in affine.operands):
            return False
    return True


@lowering("BitCast")
def _bit_cast(context: Context, operator: Operator, values: Inputs) -> Value:
    value = needed(values, 0)
    given, to = dtype_of(value), number_name(operator.attributes["to"])
    if given == to:
        return value
    for dtype in (given, to):
        if dtype not in FORMATS and dtype != "bool" and (not is_whole(dtype) or width(dtype) not in WIDTHS):
            raise Refusal("N080", f"the bits of {given} are read as {to}", help="convert the numbers with Cast")
    if to == "bool":
        return unary(context, call("sub", 1.0, call("eq", X, 0.0)), value)
    function = X if given not in FORMATS else code_of(*FORMATS[given])
    if given in FORMATS or (to in FORMATS and given != CODES[to]):
        function = function.then(wrap(CODES.get(to, to)))
    elif is_whole(to) and given != "bool":
        function = wrap(to)
    if to in FORMATS:
        function = function.then(number_of(*FORMATS[to]))
    return unary(context, function, value)


def code_of(bits: int, bias: int) -> Scalar:
    """The signed integer whose bits store a number: ``2**bits * (e + bias - 1 + |x| / 2**e)``, less 2**(w-1) if negative.

    The exponent e is at least 1 - bias. A number that is not stored exactly is rounded.
    """
    size = call("abs", X)
    normal = call("max", size, 2.0 ** (1 - bias))
    guess = call("round", call("div", call("log", normal), float(np.log(2.0))))
    exponent = call("sub", guess, call("gt", call("pow", 2.0, guess), normal))
    fraction = call("div", size, call("pow", 2.0, exponent))
    code = call("round", call("mul", 2.0**bits, call("add", call("add", exponent, bias - 1.0), fraction)))
    return call("add", code, call("mul", -(2.0 ** (bits + (bias + 1).bit_length())), call("gt", 0.0, X)))


def number_of(bits: int, bias: int) -> Scalar:
    """The number that the bits of a signed integer store."""
    sign = 2.0 ** (bits + (bias + 1).bit_length())
    negative = call("gt", 0.0, X)
    field = call("div", call("add", X, call("mul", sign, negative)), 2.0**bits)
    exponent = call("floor", field)
    fraction = call("sub", field, exponent)
    normal = call("mul", call("add", 1.0, fraction), call("pow", 2.0, call("sub", exponent, float(bias))))
    size = call("where", call("gt", exponent, 0.0), normal, call("mul", fraction, 2.0 ** (1 - bias)))
    return call("mul", size, call("sub", 1.0, call("mul", 2.0, negative)))


@lowering("IsNaN", "IsInf")
def _is_not_finite(context: Context, operator: Operator, values: Inputs) -> Value:
    """Real numbers are finite; a function of one variable that is undefined or infinite somewhere says where."""
    x = needed(values, 0)
    if operator.op_type == "IsNaN":
        test = call("sub", 1.0, call("eq", X, X))
    else:
        ends = [(name, sign) for name, sign in (("detect_positive", 1), ("detect_negative", -1))]
        found = [call("eq", X, sign * np.inf) for name, sign in ends if operator.attributes.get(name, 1)]
        test = call("max", *found) if len(found) == 2 else found[0] if found else const(0.0)
    if isinstance(x, Data) and any(_may_be_undefined(context, part) for part in x.parts.values()):
        parts = {
            key: Part(part.view.with_function(part.view.scalar.then(test)))
            if _may_be_undefined(context, part)
            else Part(context.assembly.view_of(constant(np.zeros(part.view.size))))
            for key, part in x.parts.items()
        }
        return Data(x.axes, parts)
    dims = dims_of(x)
    static = tuple(1 if dim.n_coef else dim.const for dim in dims)
    if any(dim.n_coef for dim in dims):
        return Positional(dims, ((TRUE, np.zeros(static, dtype=bool)),), "bool")
    return np.zeros(static, dtype=bool)


def _may_be_undefined(context: Context, part: Part) -> bool:
    """Whether an element is an entry of an input, or a function of one variable that is undefined somewhere."""
    if part.denominator is not None or part.allowed is not None:
        return False
    affine = part.view.source.affine
    inputs = {node.name for node in context.assembly.nodes if isinstance(node, Features)}
    read = {part.view.source.name} if affine is None else {ref.node for ref, _ in affine.operands}
    if read and read <= inputs and all((np.diff(m.indptr) <= 1).all() for _, m in (affine.operands if affine else ())):
        return True
    stack: list[Any] = [part.view.function] if part.view.function is not None else []
    while stack:
        term = stack.pop()
        if term.op in PARTIAL:
            return True
        stack.extend(term.args)
    return False
