"""The arithmetic of ONNX's integer types: what is outside of a type wraps, as in two's complement.

A sum stays affine where its bounds prove that it is inside. The 64-bit types do not wrap: they stand for all whole numbers.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from circuits.positions import Ref
from circuits.scalar import Scalar, X, const
from translator.intervals import Interval
from translator.reading.assembly import Assembly
from translator.reading.context import Context
from translator.reading.elementwise import apply_function
from translator.reading.types import is_whole
from translator.reading.values import Affine, Data, Value, Vector, View
from translator.real import Features, Letters, Linear, Map, Maximum, Multiply, Operand, Predicates, RealNode, Sum
from translator.scalar_intervals import enclose_scalar

Bounds = tuple[Vector, Vector]

_KNOWN: WeakKeyDictionary[Assembly, dict[str, Bounds]] = WeakKeyDictionary()


def width(dtype: str) -> int:
    """How many bits a type of whole numbers or truth values has."""
    return 1 if dtype == "bool" else int(dtype.lstrip("uint"))


def range_of(dtype: str) -> tuple[float, float]:
    """The least and the largest number of an ONNX type."""
    if not is_whole(dtype):
        return -np.inf, np.inf
    bits = width(dtype)
    return (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if dtype.startswith("int") else (0.0, 2.0**bits - 1)


def wrap(dtype: str) -> Scalar:
    """The number of the type that is congruent to a whole number."""
    low, high = range_of(dtype)
    period = const(high - low + 1)
    if not low:
        return Scalar("mod", (X, period))
    periods = Scalar("floor", (Scalar("add", (Scalar("div", (X, period)), const(0.5))),))
    return Scalar("sub", (X, Scalar("mul", (period, periods))))


def wrapped(context: Context, value: Value, dtype: str) -> Value:
    """Whole numbers as numbers of the type."""
    if not isinstance(value, Data) or not is_whole(dtype) or width(dtype) == 64:
        return value
    low, high = range_of(dtype)
    parts = {}
    for key, part in value.parts.items():
        least, most = bounds(context, part.view) if part.denominator is None else (np.array(-np.inf), np.array(np.inf))
        inside = bool((least > low - 0.5).all() and (most < high + 0.5).all())
        parts[key] = part if inside else apply_function(context, part, wrap(dtype))
    return Data(value.axes, parts)


def bounds(context: Context, view: View) -> Bounds:
    """The least and the largest number that each element may be, for every input of the declared types."""
    source = view.source
    if source.affine is not None and not source.name:
        _bound_nodes(context.assembly, [ref.node for ref, _ in source.affine.operands])
        low, high = _affine(context.assembly, source.affine)
    else:
        _bound_nodes(context.assembly, [source.name])
        low, high = _KNOWN[context.assembly][source.name]
    found = enclose_scalar(view.scalar, Interval(low[view.index], high[view.index]))
    return _numbers(found.lo, found.hi)


def _numbers(low: Any, high: Any) -> Bounds:
    """What has no bound is bounded by the infinities."""
    return np.where(np.isnan(low), -np.inf, low), np.where(np.isnan(high), np.inf, high)


def _bound_nodes(assembly: Assembly, names: list[str]) -> None:
    """Bound nodes and all that they read, in order."""
    done = _KNOWN.setdefault(assembly, {})
    if all(name in done for name in names):
        return
    for node in assembly.nodes:
        if node.name not in done:
            done[node.name] = _node(node, done)


def _affine(assembly: Assembly, affine: Affine) -> Bounds:
    done = _KNOWN[assembly]
    low, high = _linear([Operand(ref, matrix) for ref, matrix in affine.operands], affine.const, affine.length, done)
    for _, vector in affine.pieces:
        low, high = low + np.minimum(vector, 0), high + np.maximum(vector, 0)
    return low, high


def _linear(operands: list[Operand], shift: Vector, length: Vector, done: dict[str, Bounds]) -> Bounds:
    low = shift + np.where(length < 0, -np.inf, np.maximum(length, 0))
    high = shift + np.where(length > 0, np.inf, np.minimum(length, 0))
    for operand in operands:
        least, most = _read(operand.ref, done)
        above, below = operand.matrix.maximum(0), operand.matrix.minimum(0)
        with np.errstate(invalid="ignore"):
            low, high = low + above @ least + below @ most, high + above @ most + below @ least
    return _numbers(low, high)


def _read(ref: Ref, done: dict[str, Bounds]) -> Bounds:
    """A node at any place: outside of the word it is 0."""
    low, high = done[ref.node]
    return (np.minimum(low, 0), np.maximum(high, 0)) if ref.at else (low, high)


def _node(node: RealNode, done: dict[str, Bounds]) -> Bounds:
    size = node.size
    match node:
        case Letters() | Predicates():
            return np.zeros(size), np.ones(size)
        case Features(dtype=dtype):
            least, most = range_of(dtype)
            return np.full(size, least), np.full(size, most)
        case Linear():
            return _linear(list(node.operands), node.const, node.length, done)
        case Multiply():
            (a, b), (c, d) = _read(node.left, done), _read(node.right, done)
            i, j = node.left_index, node.right_index
            with np.errstate(invalid="ignore"):
                products = np.stack([a[i] * c[j], a[i] * d[j], b[i] * c[j], b[i] * d[j]])
            products = np.where(np.isnan(products), 0.0, products)
            return products.min(axis=0), products.max(axis=0)
        case Map():
            low, high = _read(node.operand, done)
            found = enclose_scalar(node.function, Interval(low, high))
            return _numbers(found.lo, found.hi)
        case Sum():
            low, high = _read(node.operand, done)
            return np.where(low < 0, -np.inf, 0.0), np.where(high > 0, np.inf, 0.0)
        case Maximum():
            read = [(_read(node.operand, done), node.groups)]
            read += [(_read(ref, done), groups) for ref, groups in node.segments]
            low = np.max([least[groups].max(axis=1) for (least, _), groups in read], axis=0)
            high = np.max([most[groups].max(axis=1) for (_, most), groups in read], axis=0)
            return low, high
        case _:
            return np.full(size, -np.inf), np.full(size, np.inf)
