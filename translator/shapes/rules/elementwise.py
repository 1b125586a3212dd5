"""Operators that act on each entry: the shapes are broadcast, and entries of shape arithmetic are computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from translator.shapes import entries
from translator.shapes.calls import Call, rule, shaped
from translator.shapes.entries import FLOATS, exact, in_type, is_symbolic
from translator.shapes.expressions import Size, minus, plus
from translator.shapes.graph import dtype_name
from translator.shapes.values import MOST_ENTRIES, Array, Entry, Tensor

SAME = [
    "Abs",
    "Acos",
    "Acosh",
    "Asin",
    "Asinh",
    "Atan",
    "Atanh",
    "BitwiseNot",
    "Ceil",
    "Celu",
    "Cos",
    "Cosh",
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "LeakyRelu",
    "Log",
    "Mish",
    "Neg",
    "Not",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Shrink",
    "Sigmoid",
    "Sign",
    "Sin",
    "Sinh",
    "Softplus",
    "Softsign",
    "Sqrt",
    "Swish",
    "Tan",
    "Tanh",
    "ThresholdedRelu",
    "Clip",
    "IsInf",
    "IsNaN",
    "BitCast",
    "Cast",
    "CastLike",
]
BROADCAST = [
    "Add",
    "And",
    "BitShift",
    "BitwiseAnd",
    "BitwiseOr",
    "BitwiseXor",
    "Div",
    "Equal",
    "Greater",
    "GreaterOrEqual",
    "Less",
    "LessOrEqual",
    "Max",
    "Mean",
    "Min",
    "Mod",
    "Mul",
    "Or",
    "PRelu",
    "Pow",
    "Sub",
    "Sum",
    "Where",
    "Xor",
]

Operation = Callable[..., Entry]


def _plain(how: Callable[[Any], Any]) -> Operation:
    """A function of known numbers only."""
    return lambda value, dtype: None if is_symbolic(value) else how(value)


def _chain(how: Callable[[Any, Any], Entry]) -> Operation:
    """A variadic operator as its binary one."""

    def fold(*values: Any) -> Entry:
        result: Entry = values[0]
        for value in values[1:-1]:
            result = None if result is None else how(result, value)
        return result

    return fold


def _binary(how: Callable[[Any, Any], Entry]) -> Operation:
    return lambda a, b, dtype: how(a, b)


# Each takes the entries and, last, the element type of its first operand; none of the entries is None.
ON_ENTRIES: dict[str, Operation] = {
    "Abs": lambda a, dtype: entries.greatest(a, entries.subtract(0, a)),
    "Add": _binary(entries.add),
    "And": _binary(entries.both),
    "Ceil": lambda a, dtype: entries.rounded_up(a),
    "Div": entries.divide,
    "Equal": _binary(entries.same),
    "Floor": lambda a, dtype: entries.rounded(a),
    "Greater": lambda a, b, dtype: entries.less(b, a),
    "GreaterOrEqual": lambda a, b, dtype: entries.no(entries.less(a, b)),
    "Less": _binary(entries.less),
    "LessOrEqual": lambda a, b, dtype: entries.no(entries.less(b, a)),
    "Max": _chain(entries.greatest),
    "Min": _chain(entries.least),
    "Mod": entries.remainder,
    "Mul": entries.scaled,
    "Neg": lambda a, dtype: entries.subtract(0, a),
    "Not": lambda a, dtype: entries.no(a),
    "Or": _binary(entries.either),
    "Pow": entries.power,
    "Reciprocal": lambda a, dtype: entries.divide(1.0, a, dtype),
    "Relu": lambda a, dtype: entries.greatest(a, 0),
    "Round": _plain(lambda a: float(np.round(a))),
    "Sign": _plain(lambda a: (a > 0) - (a < 0)),
    "Sqrt": _plain(lambda a: a**0.5 if a >= 0 else None),
    "Sub": _binary(entries.subtract),
    "Sum": _chain(entries.add),
    "Xor": _plain(lambda a: None),
}
DECIDED_EARLY = {"And": entries.both, "Or": entries.either}


@rule(*SAME)
def same(call: Call) -> Tensor:
    """One tensor; further inputs are numbers."""
    operand = call.tensor(0)
    dims = call.dims(0)
    dtype = _cast_to(call)
    if call.op in ("Cast", "CastLike"):
        content = _each(lambda a: _converted(a, dtype), operand.content)
        return Tensor(dtype, dims, content, operand.span if dtype.startswith(("int", "uint")) else None)
    how = ON_ENTRIES.get(call.op)
    content = None
    if call.op == "Clip":
        content = _clipped(call)
    elif how is not None:
        content = _each(lambda a: _computed(how, (a,), operand.dtype), operand.content)
    return Tensor(dtype, dims, content)


def _cast_to(call: Call) -> str:
    if call.op in ("Cast", "BitCast"):
        return dtype_name(call.required("to"))
    return call.tensor(1).dtype if call.op == "CastLike" else ""


def _each(how: Callable[..., Entry], *contents: Array | None) -> Array | None:
    """Apply a function to the entries of broadcast contents."""
    if any(content is None for content in contents):
        return None
    arrays = np.broadcast_arrays(*[content for content in contents if content is not None])
    result = np.empty(arrays[0].shape, dtype=object)
    if result.size > MOST_ENTRIES:
        return None
    flat = [array.ravel().tolist() for array in arrays]
    result.ravel()[...] = [None] * result.size
    for index, values in enumerate(zip(*flat, strict=True)):
        result.flat[index] = how(*values)
    return result


def _computed(how: Operation, values: tuple[Entry, ...], dtype: str) -> Entry:
    """One entry of the result, as its type holds it."""
    if any(value is None for value in values):
        return None
    result = how(*values, dtype)
    return result if isinstance(result, bool) else in_type(result, dtype)


def _converted(value: Entry, dtype: str) -> Entry:
    """``Cast`` of one entry."""
    if value is None:
        return None
    if dtype == "bool":
        return entries.no(entries.same(value, 0))
    if dtype in FLOATS:
        return in_type(value, dtype)
    if is_symbolic(value) and dtype.startswith(("int", "uint")):
        return entries.truncated(value)
    return in_type(value, dtype)


def _clipped(call: Call) -> Array | None:
    content = call.tensor(0).content
    for index, name, how in ((1, "min", entries.greatest), (2, "max", entries.least)):
        if call.has(index):
            bound = call.tensor(index).content
        elif name in call.node.attributes:
            bound = np.array(call.attribute(name, 0), dtype=object)
        else:
            continue
        content = _each(lambda a, b, how=how: None if a is None or b is None else how(a, b), content, bound)
    return content


@rule(*BROADCAST)
def broadcast(call: Call) -> Tensor:
    """Several tensors of broadcast shapes."""
    operands = [call.tensor(index) for index in range(len(call.inputs))]
    if call.op == "Where":
        call.dims(2)
    if call.version < 7 and (call.op == "PRelu" or "broadcast" in call.node.attributes):
        return shaped(call.dims(0))  # until opset 6 the second operand is laid along an axis of the first
    dims = call.constraints.broadcast(
        [call.dims(index) for index in range(len(operands))], f"`{call.op}` broadcasts its operands"
    )
    if call.op == "PRelu":
        dims = call.dims(0)
    dtype = operands[1 if call.op == "Where" else 0].dtype
    contents = [operand.content for operand in operands]
    content = None
    if call.op == "Where":
        content = _each(entries.chosen, *contents)
    elif call.op in DECIDED_EARLY:
        content = _each(DECIDED_EARLY[call.op], *contents)
    elif call.op in ON_ENTRIES and call.op != "Xor":
        how = ON_ENTRIES[call.op]
        content = _each(lambda *values: _computed(how, values, dtype), *contents)
    return Tensor("", dims, content, _moved_span(call, operands))


def _moved_span(call: Call, operands: list[Tensor]) -> tuple[Size, Size] | None:
    """Positions with a number added."""
    if call.op not in ("Add", "Sub"):
        return None
    a, b = operands
    if call.op == "Add" and a.span is None:
        a, b = b, a
    if a.span is None or b.content is None or b.content.size != 1:
        return None
    number = exact(b.content.item())
    if number is None:
        return None
    how = plus if call.op == "Add" else minus
    return how(a.span[0], number), how(a.span[1], number)


@rule("Identity")
def identity(call: Call) -> Any:
    """The value itself, of any kind."""
    return call.value(0)


@rule("Dropout")
def dropout(call: Call) -> list[Any]:
    """The value itself, and the mask."""
    operand = call.tensor(0)
    mask = "bool" if call.version >= 10 else operand.dtype
    return [operand, Tensor(mask, operand.dims)]


@rule("SwiGLU")
def swiglu(call: Call) -> Tensor:
    """Two tensors of the same shape."""
    return shaped(call.constraints.same_dims(call.dims(0), call.dims(1), "`SwiGLU` takes equal shapes"))


@rule("Trilu", "CumSum", "CumProd", "ReverseSequence", "DynamicQuantizeLinear")
def kept(call: Call) -> Any:
    """The shape of the first input; `DynamicQuantizeLinear` adds a scale and a zero point."""
    dims = call.rank_at_least(0, 2) if call.op in ("Trilu", "ReverseSequence") else call.dims(0)
    if call.op != "DynamicQuantizeLinear":
        return shaped(dims)
    return [Tensor("uint8", dims), Tensor("float", ()), Tensor("uint8", ())]


@rule("EyeLike")
def eye_like(call: Call) -> Tensor:
    """The shape of a matrix."""
    dims = call.dims(0, 2)
    element = call.attribute("dtype", None)
    return Tensor(call.tensor(0).dtype if element is None else dtype_name(element), dims)
