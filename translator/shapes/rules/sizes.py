"""Where shapes become values and values become shapes: Shape, Size, Constant, ConstantOfShape, Range."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import sympy

from translator.shapes.calls import Call, rule
from translator.shapes.entries import exact
from translator.shapes.expressions import (
    Size,
    at_least,
    ceil_div,
    equal,
    maximum,
    minus,
    plus,
    product,
    rounded_down,
    times,
)
from translator.shapes.values import MOST_ENTRIES, Tensor, Undecided, known, misfit


@rule("Shape")
def shape(call: Call) -> Tensor:
    """The sizes of some axes."""
    dims = call.dims(0)
    rank = len(dims)
    start, end = (
        min(max(index + rank if index < 0 else index, 0), rank)
        for index in (call.attribute("start", 0), call.attribute("end", rank))
    )
    return known("int64", list(dims[start:end]))


@rule("Size")
def size(call: Call) -> Tensor:
    """The number of entries."""
    return known("int64", np.array(product(call.dims(0)), dtype=object))


@rule("Constant")
def constant(call: Call) -> Tensor:
    """A stored value."""
    for name, dtype in (
        ("value_int", "int64"),
        ("value_ints", "int64"),
        ("value_float", "float"),
        ("value_floats", "float"),
    ):
        if name in call.node.attributes:
            return known(dtype, np.array(call.required(name), dtype=object))
    for name in ("value_string", "value_strings"):
        if name in call.node.attributes:
            value = call.required(name)
            return Tensor("string", () if name == "value_string" else (len(value),))
    stored: Tensor = call.required("sparse_value" if "sparse_value" in call.node.attributes else "value")
    return stored


@rule("ConstantOfShape")
def constant_of_shape(call: Call) -> Tensor:
    """One value repeated."""
    value: Tensor = call.attribute("value", known("float", [0.0]))
    dims = sizes_of(call, 0)
    number = None if value.content is None else value.content.ravel()[0]
    if all(isinstance(dim, int) for dim in dims) and math.prod(dims) <= MOST_ENTRIES and number is not None:
        return known(value.dtype, np.full(dims, number, dtype=object))
    return Tensor(value.dtype, tuple(dims))


def sizes_of(call: Call, index: int) -> list[Size]:
    """The entries of an operand that are sizes: none may be negative."""
    result = call.sizes(index)
    for each in result:
        if isinstance(each, int) and each < 0:
            raise misfit(f"`{call.op}` takes sizes in `{call.name(index)}`, and one is {each}")
        call.constraints.at_least(each, 0, f"`{call.op}` takes sizes")
    return result


@rule("Range")
def range_(call: Call) -> Tensor:
    """Equally spaced numbers, as many as fit."""
    dtype = call.tensor(0).dtype
    start, limit, step = (_number(call, index) for index in range(3))
    if isinstance(start, float | int) and isinstance(limit, float | int) and isinstance(step, float | int):
        return _known_range(call, start, limit, step)
    first, last, by = exact(start), exact(limit), exact(step)
    if first is None or last is None or by is None:
        raise Undecided("`Range` has an infinite bound")
    count = _count(first, last, by)
    span = None
    if dtype.startswith("int") and at_least(count, 1) and isinstance(by, int):
        ends = first, plus(first, times(minus(count, 1), by))
        span = ends if by > 0 else (ends[1], ends[0])
    return Tensor("", (count,), None, span)


def _number(call: Call, index: int) -> Any:
    entries = call.entries(index)
    if len(entries) != 1:
        raise misfit(f"`Range` takes one number in `{call.name(index)}`, and it has {len(entries)}")
    if entries[0] is None:
        raise call.open(index)
    return entries[0]


def _known_range(call: Call, start: float, limit: float, step: float) -> Tensor:
    if step == 0:
        raise misfit("`Range` has step 0")
    count = max(0, math.ceil((limit - start) / step))
    if count > MOST_ENTRIES:
        return Tensor("", (count,))
    return known("", [start + index * step for index in range(count)])


def _count(first: Size, last: Size, step: Size) -> Size:
    """``max(0, ceil((last - first) / step))``."""
    distance = minus(last, first)
    if at_least(-1, step):
        distance, step = minus(0, distance), minus(0, step)
    if isinstance(step, int) and step == 0:
        raise misfit("`Range` has step 0")
    if equal(step, 1) and (isinstance(distance, int) or distance.is_integer):
        return maximum(0, distance)
    if at_least(step, 1) and isinstance(step, int) and (isinstance(distance, int) or distance.is_integer):
        return maximum(0, ceil_div(distance, step))
    if isinstance(step, int) or step.is_positive:
        whole = minus(0, rounded_down(-(sympy.sympify(distance) / step)))
        return maximum(0, whole)
    raise Undecided(f"the sign of the step {step} of `Range` is not known")
