"""Concat and Split, along one axis."""

from __future__ import annotations

import numpy as np

from translator.shapes.calls import Call, rule
from translator.shapes.expressions import Size, ceil_div, equal, minus, quotient, times, total
from translator.shapes.values import MOST_ENTRIES, Array, Dims, Tensor, misfit


@rule("Concat")
def concat(call: Call) -> Tensor:
    """Tensors one after the other; an entry that is not known does not hide those beside it."""
    operands = [call.tensor(index) for index in range(len(call.inputs))]
    shapes = [call.dims(index) for index in range(len(call.inputs))]
    axis = call.axis(call.attribute("axis", 1), len(shapes[0]))
    return Tensor("", joined(call, shapes, axis), _joined_content(operands, axis))


def joined(call: Call, shapes: list[Dims], axis: int) -> Dims:
    """The shape of tensors that are joined along an axis."""
    result = list(shapes[0])
    for dims in shapes[1:]:
        if len(dims) != len(result):
            raise misfit(f"`{call.op}` joins tensors with {len(result)} and {len(dims)} axes")
        for other, dim in enumerate(dims):
            if other != axis:
                result[other] = call.constraints.same(result[other], dim, f"`{call.op}` joins equal sizes")
    result[axis] = total(dims[axis] for dims in shapes)
    return tuple(result)


def _joined_content(operands: list[Tensor], axis: int) -> Array | None:
    parts = []
    for operand in operands:
        part = operand.content
        if part is None:
            dims = [dim for dim in operand.dims or () if isinstance(dim, int)]
            if len(dims) != len(operand.dims or ()) or np.prod(dims, dtype=float) > MOST_ENTRIES:
                return None
            part = np.full(dims, None, dtype=object)
        parts.append(part)
    if all(operand.content is None for operand in operands):
        return None
    content = np.concatenate(parts, axis=axis)
    return content if content.size <= MOST_ENTRIES else None


@rule("Split")
def split(call: Call) -> list[Tensor | None]:
    """Parts of given sizes, or equal ones."""
    data, dims = call.tensor(0), call.rank_at_least(0, 1)
    axis = call.axis(call.attribute("axis", 0), len(dims))
    count = len(call.node.outputs)
    if "split" in call.node.attributes:
        parts: list[Size] = [int(size) for size in call.required("split")]
    elif call.has(1):
        parts = call.sizes(1)
    else:
        parts = equal_parts(call, dims[axis], call.attribute("num_outputs", count))
    if len(parts) != count:
        raise misfit(f"`Split` has {len(parts)} sizes for {count} outputs")
    call.constraints.same(total(parts), dims[axis], "the sizes of `Split` make up the axis")
    return list(cut(data, dims, axis, parts))


def equal_parts(call: Call, size: Size, count: int) -> list[Size]:
    """Sizes of `count` parts; from opset 18 on the last one may be smaller."""
    if count < 1:
        raise misfit(f"`{call.op}` has {count} outputs")
    exact = quotient(size, count)
    if exact is not None:
        return [exact] * count
    if "num_outputs" not in call.node.attributes:
        call.constraints.divides(count, size, "`Split` into equal parts")
    part = ceil_div(size, count)
    last = minus(size, times(count - 1, part))
    call.constraints.at_least(last, 0, "the last part of `Split`")
    return [part] * (count - 1) + [last]


def cut(data: Tensor, dims: Dims, axis: int, parts: list[Size]) -> list[Tensor]:
    """The parts of a tensor."""
    result = []
    start: int | None = 0
    fits = equal(total(parts), dims[axis])
    for part in parts:
        content = None
        if data.content is not None and start is not None and isinstance(part, int) and fits:
            content = np.take(data.content, range(start, start + part), axis=axis)
        start = start + part if start is not None and isinstance(part, int) else None
        result.append(Tensor(data.dtype, (*dims[:axis], part, *dims[axis + 1 :]), content))
    return result
