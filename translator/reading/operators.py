"""The table of operators: ONNX's `op_type` to the lowering, with attributes and optional inputs read for every opset.

An entry takes the context, the operator and its input values, and returns the outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi, sqrt

import numpy as np

from circuits.positions import TRUE, AtLeast, Equals, Term, negation, var
from translator.reading import contraction, movement, normalizing, windows
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary, unary, where
from translator.reading.gathering import gather, gather_elements, gather_nd
from translator.reading.loading import Operator
from translator.reading.positional import elementwise, is_terms, kind_of, of_array, term_array
from translator.reading.reduction import argmax_positions, reduce
from translator.reading.refusing import Refusal
from translator.reading.softmax import softmax
from translator.reading.values import Array, Data, Positional, Value
from translator.scalar import Scalar, X, const

Inputs = list[Value | None]
Lowering = Callable[[Context, Operator, Inputs], "Value | list[Value]"]

OPERATORS: dict[str, Lowering] = {}


def lowering(*names: str) -> Callable[[Lowering], Lowering]:
    """Enter a lowering into the table."""

    def enter(function: Lowering) -> Lowering:
        for name in names:
            OPERATORS[name] = function
        return function

    return enter


def needed(values: Inputs, index: int) -> Value:
    """A required input."""
    if index >= len(values) or values[index] is None:
        raise Refusal("N020", f"input {index} is required and missing")
    value = values[index]
    assert value is not None
    return value


def optional(values: Inputs, index: int) -> Value | None:
    """An optional input."""
    return values[index] if index < len(values) else None


def number(value: Value) -> float:
    """A known scalar."""
    if not isinstance(value, np.ndarray) or value.dtype == object or value.size != 1:
        raise Refusal("N039", "a constant number is needed here")
    return float(value.ravel()[0])


def call(op: str, *args: Scalar | float) -> Scalar:
    """Build a scalar function."""
    return Scalar(op, tuple(arg if isinstance(arg, Scalar) else const(arg) for arg in args))


SCALARS: dict[str, Scalar] = {
    "Identity": X,
    "Neg": call("neg", X),
    "Abs": call("abs", X),
    "Sqrt": call("sqrt", X),
    "Reciprocal": call("div", 1.0, X),
    "Exp": call("exp", X),
    "Log": call("log", X),
    "Erf": call("erf", X),
    "Tanh": call("tanh", X),
    "Sigmoid": call("sigmoid", X),
    "Softplus": call("softplus", X),
    "Softsign": call("div", X, call("add", 1.0, call("abs", X))),
    "Round": call("round", X),
    "Floor": call("floor", X),
    "Ceil": call("ceil", X),
    "Sign": call("sign", X),
    "Sin": call("sin", X),
    "Cos": call("cos", X),
    "Relu": call("max", X, 0.0),
    "Not": call("sub", 1.0, X),
    "HardSwish": call("mul", X, call("max", 0.0, call("min", 1.0, call("add", call("mul", X, 1 / 6), 0.5)))),
    "Mish": call("mul", X, call("tanh", call("softplus", X))),
}
BOOLEAN = {"Not"}


def _scalar(context: Context, operator: Operator, values: Inputs) -> Value:
    value = needed(values, 0)
    if operator.op_type == "Not" and not isinstance(value, Data):
        value = of_array(value) if isinstance(value, np.ndarray) else value
        return elementwise(np.logical_not, value, dtype="bool", on_terms=lambda a: None)
    return unary(context, SCALARS[operator.op_type], value)


for _name in SCALARS:
    OPERATORS[_name] = _scalar


@lowering("Dropout", "CastLike")
def _first(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    if operator.op_type == "Dropout" and optional(values, 2) is not None and number(needed(values, 2)):
        raise Refusal(
            "N016", "Dropout runs in training mode", help="export the network in evaluation mode: model.eval()"
        )
    return [needed(values, 0)]


@lowering("Elu", "Celu", "Selu", "LeakyRelu", "ThresholdedRelu", "HardSigmoid", "Gelu", "Swish", "QuickGelu", "Shrink")
def _parametric(context: Context, operator: Operator, values: Inputs) -> Value:
    def attribute(name: str, default: float) -> float:
        return float(operator.attributes.get(name, default))

    below, above = call("min", X, 0.0), call("max", X, 0.0)
    match operator.op_type:
        case "Elu":
            f = call("add", above, call("mul", attribute("alpha", 1.0), call("sub", call("exp", below), 1.0)))
        case "Celu":
            a = attribute("alpha", 1.0)
            f = call("add", above, call("mul", a, call("sub", call("exp", call("div", below, a)), 1.0)))
        case "Selu":
            a, g = attribute("alpha", 1.67326319217681884765625), attribute("gamma", 1.05070102214813232421875)
            f = call("mul", g, call("add", above, call("mul", a, call("sub", call("exp", below), 1.0))))
        case "LeakyRelu":
            f = call("add", above, call("mul", attribute("alpha", 0.01), below))
        case "ThresholdedRelu":
            f = call("mul", X, call("gt", X, attribute("alpha", 1.0)))
        case "HardSigmoid":
            line = call("add", call("mul", attribute("alpha", 0.2), X), attribute("beta", 0.5))
            f = call("max", 0.0, call("min", 1.0, line))
        case "Shrink":
            b, lam = attribute("bias", 0.0), attribute("lambd", 0.5)
            f = call(
                "where",
                call("gt", X, lam),
                call("sub", X, b),
                call("where", call("gt", -lam, X), call("add", X, b), 0.0),
            )
        case "Gelu" if operator.attributes.get("approximate", "none") == "tanh":
            inner = call("mul", sqrt(2 / pi), call("add", X, call("mul", 0.044715, call("pow", X, 3.0))))
            f = call("mul", call("mul", 0.5, X), call("add", 1.0, call("tanh", inner)))
        case "Gelu":
            f = call("mul", call("mul", 0.5, X), call("add", 1.0, call("erf", call("div", X, sqrt(2)))))
        case _:
            f = call(
                "mul",
                X,
                call("sigmoid", call("mul", attribute("alpha", 1.702 if operator.op_type == "QuickGelu" else 1.0), X)),
            )
    return unary(context, f, needed(values, 0))


BINARY = {
    "Add": "add", "Sub": "sub", "Mul": "mul", "Div": "div", "Pow": "pow", "Greater": "gt", "GreaterOrEqual": "ge",
    "Less": "lt", "LessOrEqual": "le", "Equal": "eq", "And": "and", "Or": "or", "Xor": "xor",
}  # fmt: skip


def _binary(context: Context, operator: Operator, values: Inputs) -> Value:
    return binary(context, BINARY[operator.op_type], needed(values, 0), needed(values, 1))


for _name in BINARY:
    OPERATORS[_name] = _binary


@lowering("Mod")
def _mod(context: Context, operator: Operator, values: Inputs) -> Value:
    if operator.attributes.get("fmod", 0):
        raise Refusal("N021", "Mod with fmod=1 is not supported", help="use the integer remainder")
    return binary(context, "mod", needed(values, 0), needed(values, 1))


@lowering("Max", "Min", "Sum", "Mean")
def _variadic(context: Context, operator: Operator, values: Inputs) -> Value:
    op = {"Max": "max", "Min": "min"}.get(operator.op_type, "add")
    result = needed(values, 0)
    for index in range(1, len(values)):
        result = binary(context, op, result, needed(values, index))
    if operator.op_type == "Mean":
        result = binary(context, "div", result, np.array(float(len(values))))
    return result


@lowering("Clip")
def _clip(context: Context, operator: Operator, values: Inputs) -> Value:
    result = needed(values, 0)
    low, high = optional(values, 1), optional(values, 2)
    if low is None and "min" in operator.attributes:
        low = np.array(operator.attributes["min"])
    if high is None and "max" in operator.attributes:
        high = np.array(operator.attributes["max"])
    if low is not None:
        result = binary(context, "max", result, low)
    return binary(context, "min", result, high) if high is not None else result


@lowering("PRelu")
def _prelu(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    above = unary(context, call("max", X, 0.0), x)
    below = unary(context, call("min", X, 0.0), x)
    return binary(context, "add", above, binary(context, "mul", below, needed(values, 1)))


@lowering("Where")
def _where(context: Context, operator: Operator, values: Inputs) -> Value:
    return where(context, needed(values, 0), needed(values, 1), needed(values, 2))


@lowering("IsNaN", "IsInf")
def _is_nan(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    dims = dims_of(x)
    static = tuple(1 if dim.n_coef else dim.const for dim in dims)
    if any(dim.n_coef for dim in dims):
        return Positional(dims, ((TRUE, np.zeros(static, dtype=bool)),), "bool")
    return np.zeros(static, dtype=bool)


@lowering("Cast")
def _cast(context: Context, operator: Operator, values: Inputs) -> Value:
    import onnx

    x = needed(values, 0)
    to = onnx.TensorProto.DataType.Name(operator.attributes["to"]).lower()
    kind = "bool" if to == "bool" else "int" if to.startswith(("int", "uint")) else "float"
    if to == "string":
        raise Refusal("N017", "strings are not supported")
    if isinstance(x, Data):
        if kind == "bool":
            return unary(context, call("sub", 1.0, call("eq", X, 0.0)), x) if not _is_boolean(x) else x
        if kind == "int" and not _is_boolean(x) and not _is_integer(context, x):
            return unary(context, call("mul", call("sign", X), call("floor", call("abs", X))), x)
        return x
    if is_terms(x):
        return x
    value = of_array(x) if isinstance(x, np.ndarray) else x

    def convert(piece: Array) -> Array:
        if kind == "bool":
            return piece != 0
        return (
            np.trunc(np.asarray(piece, dtype=np.float64)).astype(np.int64)
            if kind == "int"
            else piece.astype(np.float64)
        )

    return elementwise(convert, value, dtype=kind, on_terms=lambda a: [(TRUE, a)] if kind != "bool" else None)


def _is_boolean(value: Data) -> bool:
    functions = {part.view.function.op if part.view.function else "" for part in value.parts.values()}
    return functions <= {"ge", "gt", "eq"} and all(
        part.view.shift == 0 and part.view.scale == 1 for part in value.parts.values()
    )


def _is_integer(context: Context, value: Data) -> bool:
    for part in value.parts.values():
        affine = part.view.source.affine
        if affine is None or part.view.function is not None:
            return False
        if any(ref.node != context.assembly.letters or (matrix.data % 1).any() for ref, matrix in affine.operands):
            return False
    return True


@lowering("Shape")
def _shape(context: Context, operator: Operator, values: Inputs) -> Value:
    dims = dims_of(needed(values, 0))
    start, end = operator.attributes.get("start", 0), operator.attributes.get("end", len(dims))
    return (
        np.array([*term_array(list(dims[start:end]))], dtype=object) if dims[start:end] else np.zeros(0, dtype=np.int64)
    )


@lowering("Size")
def _size(context: Context, operator: Operator, values: Inputs) -> Value:
    total: Value = np.array(1)
    for dim in dims_of(needed(values, 0)):
        total = binary(context, "mul", total, term_array(dim))
    return total


@lowering("ConstantOfShape")
def _constant_of_shape(context: Context, operator: Operator, values: Inputs) -> Value:
    fill = np.asarray(operator.attributes.get("value", np.zeros(1, dtype=np.float32))).ravel()[0]
    dims = tuple(term_array(needed(values, 0)).ravel())
    static = tuple(1 if dim.n_coef else dim.const for dim in dims)
    array = np.full(static, fill)
    return Positional(dims, ((TRUE, array),), kind_of(array)) if any(d.n_coef for d in dims) else array


@lowering("Range")
def _range(context: Context, operator: Operator, values: Inputs) -> Value:
    start, limit, delta = (needed(values, i) for i in range(3))
    if any(not isinstance(value, np.ndarray) or value.size != 1 for value in (start, limit, delta)):
        raise Refusal("N039", "the limits of Range depend on the input")
    a, b, d = (term_array(np.asarray(value)).ravel()[0] for value in (start, limit, delta))
    if not (a.n_coef or b.n_coef or d.n_coef):
        return np.arange(a.const, b.const, d.const)
    if d.n_coef or d.const not in (1, -1) or (b - a).n_coef != d.const:
        raise Refusal("N039", f"Range from {a} to {b} in steps of {d}")
    return Positional(((b - a) * d.const,), ((TRUE, a + var(0) * d.const),), "int")


@lowering("EyeLike")
def _eye(context: Context, operator: Operator, values: Inputs) -> Value:
    dims, k = dims_of(needed(values, 0)), operator.attributes.get("k", 0)
    on = Equals(var(1) - var(0) - k)
    return Positional(dims, ((on, np.ones((1, 1))), (negation(on), np.zeros((1, 1)))), "float")


@lowering("Trilu")
def _trilu(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    shift = optional(values, 1)
    k = int(number(shift)) if shift is not None else 0
    dims = dims_of(x)
    if isinstance(x, np.ndarray):
        return np.triu(x, k) if operator.attributes.get("upper", 1) else np.tril(x, k)
    row, column = var(len(dims) - 2), var(len(dims) - 1)
    gap = column - row - k
    keep = AtLeast(gap) if operator.attributes.get("upper", 1) else AtLeast(-gap)
    if not (dims[-1].n_coef and dims[-2].n_coef):
        raise Refusal("N022", "Trilu along a static axis of a tensor with positions")
    mask = Positional(dims[-2:], ((TRUE, var(1) - var(0)),), "int")
    condition = Positional(
        dims[-2:],
        (
            (
                AtLeast(var(1) - var(0) - k) if keep == AtLeast(gap) else AtLeast(var(0) - var(1) + k),
                np.array([[True]]),
            ),
            (
                negation(AtLeast(var(1) - var(0) - k))
                if keep == AtLeast(gap)
                else negation(AtLeast(var(0) - var(1) + k)),
                np.array([[False]]),
            ),
        ),
        "bool",
    )
    del mask
    zero = np.zeros((), dtype=bool) if isinstance(x, Positional) and x.dtype == "bool" else np.array(0.0)
    return where(context, condition, x, zero)


@lowering("Reshape")
def _reshape(context: Context, operator: Operator, values: Inputs) -> Value:
    target = optional(values, 1)
    if target is None:
        target = np.array(operator.attributes["shape"])
    if not isinstance(target, np.ndarray):
        raise Refusal("N039", "the shape depends on the input")
    return movement.reshape(context, needed(values, 0), target, bool(operator.attributes.get("allowzero", 0)))


@lowering("Flatten")
def _flatten(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    dims = dims_of(x)
    axis = operator.attributes.get("axis", 1) % (len(dims) + 1)
    sizes: list[Term] = []
    for group in (dims[:axis], dims[axis:]):
        symbolic = [dim for dim in group if dim.n_coef]
        static = int(np.prod([dim.const for dim in group if not dim.n_coef]))
        if symbolic and (static != 1 or len(symbolic) > 1):
            raise Refusal("N042", "Flatten mixes the sequence axis with another axis")
        sizes.append(symbolic[0] if symbolic else Term((), 0, static))
    return movement.reshape(context, x, term_array(sizes), True)


@lowering("Transpose")
def _transpose(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    return movement.transpose(context, x, operator.attributes.get("perm") or list(range(len(dims_of(x))))[::-1])


@lowering("Squeeze", "Unsqueeze")
def _squeeze(context: Context, operator: Operator, values: Inputs) -> Value:
    axes = movement.known_ints(optional(values, 1))
    if axes is None:
        axes = operator.attributes.get("axes")
    if operator.op_type == "Squeeze":
        return movement.squeeze(context, needed(values, 0), axes)
    return movement.unsqueeze(context, needed(values, 0), axes or [])


@lowering("Expand")
def _expand(context: Context, operator: Operator, values: Inputs) -> Value:
    target = needed(values, 1)
    if not isinstance(target, np.ndarray):
        raise Refusal("N039", "the shape depends on the input")
    return movement.expand(context, needed(values, 0), target)


@lowering("Tile")
def _tile(context: Context, operator: Operator, values: Inputs) -> Value:
    x, repeats = needed(values, 0), needed(values, 1)
    assert isinstance(repeats, np.ndarray)
    for axis, times in enumerate(term_array(repeats).ravel()):
        if times == Term((), 0, 1):
            continue
        dims = list(dims_of(x))
        if dims[axis] == Term((), 0, 1):
            dims[axis] = times
            x = movement.expand(context, x, term_array(dims))
        elif times.n_coef or dims[axis].n_coef:
            raise Refusal("N023", "Tile repeats along the sequence")
        else:
            x = movement.concat(context, [x] * times.const, axis)
    return x


@lowering("Concat")
def _concat(context: Context, operator: Operator, values: Inputs) -> Value:
    given = [value for value in values if value is not None]
    return movement.concat(context, given, operator.attributes["axis"] % len(dims_of(given[0])))


@lowering("Split")
def _split(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    x = needed(values, 0)
    axis = operator.attributes.get("axis", 0) % len(dims_of(x))
    sizes = movement.known_ints(optional(values, 1)) or operator.attributes.get("split")
    length = dims_of(x)[axis]
    if sizes is None:
        if length.n_coef:
            raise Refusal("N023", "Split cuts the sequence into equal parts")
        parts = operator.attributes.get("num_outputs", len(operator.outputs))
        each = -(-length.const // parts)
        sizes = [min(each, length.const - each * i) for i in range(parts)]
    ends = np.cumsum([0, *sizes])
    return [
        movement.slice_axis(context, x, axis, Term((), 0, int(low)), Term((), 0, int(high)), 1)
        for low, high in zip(ends[:-1], ends[1:], strict=True)
    ]


@lowering("Slice")
def _slice(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    if "starts" in operator.attributes:
        starts, ends = (term_array(operator.attributes[name]).ravel() for name in ("starts", "ends"))
        axes, steps = operator.attributes.get("axes"), None
    else:
        given = (needed(values, 1), needed(values, 2))
        if not all(isinstance(value, np.ndarray) for value in given):
            raise Refusal("N039", "the bounds of Slice depend on the input")
        starts, ends = (term_array(value).ravel() for value in given)
        axes, steps = movement.known_ints(optional(values, 3)), movement.known_ints(optional(values, 4))
    axes = axes if axes is not None else list(range(len(starts)))
    steps = steps if steps is not None else [1] * len(starts)
    rank = len(dims_of(x))
    if isinstance(x, np.ndarray) and x.dtype != object and sum(bool(end.n_coef) for end in ends) > 1:
        return _square(context, x, [a % rank for a in axes], starts, ends)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        x = movement.slice_axis(context, x, axis % rank, start, end, step)
    return x


def _square(context: Context, x: Array, axes: Sequence[int], starts: Array, ends: Array) -> Value:
    from translator.reading.positional import table

    symbolic = [i for i, end in enumerate(ends) if end.n_coef]
    if len(symbolic) != 2 or any(starts[i] != Term() for i in symbolic):
        raise Refusal("N043", "a stored table is cut in more than two axes, or not from its start")
    for i in symbolic:
        context.require_most(x.shape[axes[i]] - ends[i].const, "a stored mask is cut to the length of the input")
    return table(x, tuple(axes[i] for i in symbolic), tuple(ends[i] for i in symbolic))


@lowering("Pad")
def _pad(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    if operator.attributes.get("mode", "constant") != "constant":
        raise Refusal("N024", f"Pad with mode `{operator.attributes['mode']}`", help="pad with a constant")
    rank = len(dims_of(x))
    pads = movement.known_ints(optional(values, 1))
    if pads is None:
        pads = list(operator.attributes["pads"])
    fill = optional(values, 2)
    value = number(fill) if fill is not None else float(operator.attributes.get("value", 0.0))
    axes = movement.known_ints(optional(values, 3))
    before, after = [0] * rank, [0] * rank
    for place, axis in enumerate(axes if axes is not None else range(rank)):
        before[axis % rank], after[axis % rank] = pads[place], pads[place + len(pads) // 2]
    return movement.pad(context, x, before, after, value)


@lowering("Gather")
def _gather(context: Context, operator: Operator, values: Inputs) -> Value:
    return gather(context, needed(values, 0), needed(values, 1), operator.attributes.get("axis", 0))


@lowering("GatherND")
def _gather_nd(context: Context, operator: Operator, values: Inputs) -> Value:
    return gather_nd(context, needed(values, 0), needed(values, 1), operator.attributes.get("batch_dims", 0))


@lowering("GatherElements")
def _gather_elements(context: Context, operator: Operator, values: Inputs) -> Value:
    return gather_elements(context, needed(values, 0), needed(values, 1), operator.attributes.get("axis", 0))


@lowering("OneHot")
def _one_hot(context: Context, operator: Operator, values: Inputs) -> Value:
    depth, ends = int(number(needed(values, 1))), needed(values, 2)
    assert isinstance(ends, np.ndarray)
    index = needed(values, 0)
    axis = operator.attributes.get("axis", -1)
    if axis not in (-1, len(dims_of(index))):
        raise Refusal("N025", "OneHot along an inner axis")
    table = np.full((depth, depth), float(ends[0])) + np.eye(depth) * (float(ends[1]) - float(ends[0]))
    return gather(context, table, index, 0)


@lowering("MatMul")
def _matmul(context: Context, operator: Operator, values: Inputs) -> Value:
    return contraction.matmul(context, needed(values, 0), needed(values, 1))


@lowering("MatMulInteger")
def _matmul_integer(context: Context, operator: Operator, values: Inputs) -> Value:
    a, b = needed(values, 0), needed(values, 1)
    zero_a, zero_b = optional(values, 2), optional(values, 3)
    if zero_a is not None:
        a = binary(context, "sub", a, _wide(zero_a))
    if zero_b is not None:
        b = binary(context, "sub", _wide(b), _wide(zero_b))
    return contraction.matmul(context, a, _wide(b))


def _wide(value: Value) -> Value:
    return value.astype(np.int64) if isinstance(value, np.ndarray) and value.dtype != object else value


@lowering("DequantizeLinear")
def _dequantize(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    zero = optional(values, 2)
    if zero is not None:
        x = binary(context, "sub", x, _wide(_along(operator, zero, len(dims_of(x)))))
    return binary(context, "mul", x, _along(operator, needed(values, 1), len(dims_of(x))))


@lowering("QuantizeLinear")
def _quantize(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    rank = len(dims_of(x))
    zero = optional(values, 2)
    info = np.iinfo(zero.dtype if isinstance(zero, np.ndarray) and zero.dtype.kind in "iu" else np.uint8)
    result = unary(context, SCALARS["Round"], binary(context, "div", x, _along(operator, needed(values, 1), rank)))
    if zero is not None:
        result = binary(context, "add", result, _wide(_along(operator, zero, rank)))
    return unary(context, call("min", call("max", X, float(info.min)), float(info.max)), result)


def _along(operator: Operator, value: Value, rank: int) -> Value:
    """A scale or zero point of one axis, broadcast to the tensor."""
    if not isinstance(value, np.ndarray) or value.ndim == 0 or value.size == 1:
        return value.reshape(()) if isinstance(value, np.ndarray) else value
    shape = [1] * rank
    shape[operator.attributes.get("axis", 1) % rank] = value.size
    return value.reshape(shape)


@lowering("Gemm")
def _gemm(context: Context, operator: Operator, values: Inputs) -> Value:
    return contraction.gemm(context, values, operator.attributes)


@lowering("Einsum")
def _einsum(context: Context, operator: Operator, values: Inputs) -> Value:
    return contraction.einsum(context, [v for v in values if v is not None], operator.attributes["equation"])


@lowering("Softmax", "LogSoftmax")
def _softmax(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    rank = len(dims_of(x))
    axis = operator.attributes.get("axis", 1 if context.opset < 13 else -1) % rank
    if context.opset < 13 and axis != rank - 1 and not all(d == Term((), 0, 1) for d in dims_of(x)[axis + 1 :]):
        raise Refusal(
            "N026", "Softmax before opset 13 normalizes over several axes at once", help="export with a newer opset"
        )
    result = softmax(context, x, axis)
    return unary(context, call("log", X), result) if operator.op_type == "LogSoftmax" else result


@lowering("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin")
def _reduce(context: Context, operator: Operator, values: Inputs) -> Value:
    axes = movement.known_ints(optional(values, 1))
    if axes is None:
        axes = operator.attributes.get("axes")
    if not axes and operator.attributes.get("noop_with_empty_axes", 0):
        return needed(values, 0)
    how = operator.op_type.removeprefix("Reduce").lower()
    return reduce(context, how, needed(values, 0), axes or None, bool(operator.attributes.get("keepdims", 1)))


@lowering("ReduceSumSquare", "ReduceL2", "ReduceL1")
def _reduce_norm(context: Context, operator: Operator, values: Inputs) -> Value:
    axes = movement.known_ints(optional(values, 1)) or operator.attributes.get("axes")
    inner = call("abs", X) if operator.op_type == "ReduceL1" else call("mul", X, X)
    total = reduce(
        context, "sum", unary(context, inner, needed(values, 0)), axes, bool(operator.attributes.get("keepdims", 1))
    )
    return unary(context, call("sqrt", X), total) if operator.op_type == "ReduceL2" else total


@lowering("ArgMax", "ArgMin")
def _argmax(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    axis = operator.attributes.get("axis", 0) % len(dims_of(x))
    if operator.op_type == "ArgMin" or operator.attributes.get("select_last_index", 0):
        raise Refusal("N050", f"{operator.op_type} with these attributes is not supported")
    if isinstance(x, Positional) and dims_of(x)[axis].n_coef:
        return argmax_positions(x, axis, bool(operator.attributes.get("keepdims", 1)))
    raise Refusal(
        "N050",
        "ArgMax of values that depend on the input is only supported as the network's output",
        help="export the logits",
    )


@lowering("LayerNormalization", "RMSNormalization", "SimplifiedLayerNormalization")
def _layer_norm(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    return [normalizing.layer_normalization(context, operator, values)]


@lowering("BatchNormalization")
def _batch_norm(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    return [normalizing.batch_normalization(context, operator, values)]


@lowering("InstanceNormalization", "GroupNormalization", "MeanVarianceNormalization")
def _unsupported_norm(context: Context, operator: Operator, values: Inputs) -> Value:
    raise Refusal(
        "N011", f"{operator.op_type} is not supported yet", help="LayerNormalization and BatchNormalization are"
    )


@lowering("Conv")
def _conv(context: Context, operator: Operator, values: Inputs) -> Value:
    return windows.convolve(context, operator, values)


@lowering("MaxPool", "AveragePool")
def _pool(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    return [windows.pool(context, operator, needed(values, 0))]


@lowering("GlobalAveragePool", "GlobalMaxPool")
def _global_pool(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    how = "mean" if operator.op_type == "GlobalAveragePool" else "max"
    return reduce(context, how, x, list(range(2, len(dims_of(x)))), True)


@lowering("Attention")
def _attention(context: Context, operator: Operator, values: Inputs) -> list[Value]:
    return [normalizing.attention(context, operator, values)]


@lowering("CumSum")
def _cumsum(context: Context, operator: Operator, values: Inputs) -> Value:
    x = needed(values, 0)
    axis = int(number(needed(values, 1))) % len(dims_of(x))
    exclusive, reverse = (bool(operator.attributes.get(name, 0)) for name in ("exclusive", "reverse"))
    length = dims_of(x)[axis]
    gap = (var(0) - var(1)) * (-1 if reverse else 1) - int(exclusive)
    rank = len(dims_of(x))
    if length.n_coef:
        mask: Value = Positional(
            (length, length), ((AtLeast(gap), np.ones((1, 1))), (negation(AtLeast(gap)), np.zeros((1, 1)))), "float"
        )
    else:
        lower = np.tril(np.ones((length.const, length.const)), -1 if exclusive else 0)
        mask = lower.T if reverse else lower
    labels = list(range(rank))
    out = [rank if label == axis else label for label in labels]
    return contraction.contract(context, mask, [rank, axis], x, labels, out)
