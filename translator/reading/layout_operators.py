"""Entries of the table that move data or compute shapes; attributes and optional inputs are read for every opset."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from circuits.positions import TRUE, Term, var
from translator.lengths import most_for
from translator.reading import joining, movement
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary
from translator.reading.gathering import gather, gather_elements, gather_nd
from translator.reading.loading import Operator
from translator.reading.positional import kind_of, term_array
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, lowering, needed, optional
from translator.reading.values import Array, Positional, Value


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
    shape = needed(values, 0)
    if not isinstance(shape, np.ndarray):
        raise Refusal("N039", "the shape depends on the input")
    dims = tuple(term_array(shape).ravel())
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
    axis = operator.attributes.get("axis", 1)
    axis += len(dims) if axis < 0 else 0
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


@lowering("Concat")
def _concat(context: Context, operator: Operator, values: Inputs) -> Value:
    given = [value for value in values if value is not None]
    return joining.concat(context, given, operator.attributes["axis"] % len(dims_of(given[0])))


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
        for low, high in pairwise(ends)
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
        context.require_most(most_for(ends[i], x.shape[axes[i]]), "a stored mask is cut to the length of the input")
    return table(x, tuple(axes[i] for i in symbolic), tuple(ends[i] for i in symbolic))


@lowering("Gather")
def _gather(context: Context, operator: Operator, values: Inputs) -> Value:
    return gather(context, needed(values, 0), needed(values, 1), operator.attributes.get("axis", 0))


@lowering("GatherND")
def _gather_nd(context: Context, operator: Operator, values: Inputs) -> Value:
    return gather_nd(context, needed(values, 0), needed(values, 1), operator.attributes.get("batch_dims", 0))


@lowering("GatherElements")
def _gather_elements(context: Context, operator: Operator, values: Inputs) -> Value:
    return gather_elements(context, needed(values, 0), needed(values, 1), operator.attributes.get("axis", 0))
