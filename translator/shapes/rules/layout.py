"""Operators that rearrange axes and entries: Reshape, Transpose, Squeeze, Slice, Expand, Tile, Pad and the like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sympy

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.constraints import without_common
from translator.shapes.expressions import (
    Size,
    at_least,
    ceil_div,
    floor_div,
    maximum,
    minimum,
    minus,
    plus,
    product,
    quotient,
    times,
    total,
)
from translator.shapes.rules.sizes import sizes_of
from translator.shapes.values import MOST_ENTRIES, Array, Dims, Tensor, Undecided, known, misfit

NO_LIMIT = 10**9


def reordered(content: Array | None, dims: Sequence[Size]) -> Array | None:
    """The same entries in another shape."""
    if content is None or not all(isinstance(dim, int) for dim in dims):
        return None
    return content.reshape([int(dim) for dim in dims])


@rule("Reshape")
def reshape(call: Call) -> Tensor:
    """Another shape with equally many entries; 0 copies a size and -1 stands for what is left."""
    data, dims = call.tensor(0), call.dims(0)
    wanted: list[Size] = (
        [int(size) for size in call.required("shape")] if "shape" in call.node.attributes else call.sizes(1)
    )
    if not call.attribute("allowzero", 0):
        for axis, size in enumerate(wanted):
            if size == 0:
                if axis >= len(dims):
                    raise misfit(f"`Reshape` copies axis {axis}, and there are {len(dims)}")
                wanted[axis] = dims[axis]
    for size in wanted:
        if isinstance(size, sympy.Expr):
            call.constraints.at_least(size, 1, "`Reshape` takes a positive size")
    if wanted.count(-1) > 1:
        raise misfit("`Reshape` has several sizes of -1")
    if -1 in wanted:
        left, right = without_common(dims, [size for size in wanted if size != -1])
        wanted[wanted.index(-1)] = divided(call, product(left), product(right))
    else:
        call.constraints.same_count(dims, wanted, "`Reshape` keeps the number of entries")
    return Tensor("", tuple(wanted), reordered(data.content, wanted), data.span)


def divided(call: Call, count: Size, parts: Size) -> Size:
    """``count / parts``, which has to be a whole number."""
    if parts == 0:
        return 0
    exact = quotient(count, parts)
    if exact is not None:
        return exact
    call.constraints.divides(parts, count, f"`{call.op}` divides the entries")
    return floor_div(count, parts)


@rule("Transpose")
def transpose(call: Call) -> Tensor:
    """The axes in another order."""
    data, dims = call.tensor(0), call.dims(0)
    order = [call.axis(axis, len(dims)) for axis in call.attribute("perm", range(len(dims))[::-1])]
    if sorted(order) != list(range(len(dims))):
        raise misfit(f"`Transpose` has `perm` {order} for {len(dims)} axes")
    content = None if data.content is None else data.content.transpose(order)
    return Tensor("", tuple(dims[axis] for axis in order), content, data.span)


@rule("Squeeze")
def squeeze(call: Call) -> Tensor:
    """Leave out axes of size 1; without `axes`, all of them."""
    data, dims = call.tensor(0), call.dims(0)
    listed = call.listed("axes", 1)
    if listed is None:
        axes = {axis for axis, dim in enumerate(dims) if dim == 1}
        for axis in set(range(len(dims))) - axes:
            if not isinstance(dims[axis], int) and not at_least(dims[axis], 2):
                call.constraints.at_least(dims[axis], 2, "`Squeeze` without axes would leave out an axis of size 1")
    else:
        axes = {call.axis(axis, len(dims)) for axis in listed}
        for axis in axes:
            call.constraints.same(dims[axis], 1, "`Squeeze` leaves out an axis of size 1")
    result = tuple(dim for axis, dim in enumerate(dims) if axis not in axes)
    return Tensor("", result, reordered(data.content, result), data.span)


@rule("Unsqueeze")
def unsqueeze(call: Call) -> Tensor:
    """Insert axes of size 1."""
    data, dims = call.tensor(0), call.dims(0)
    listed = call.listed("axes", 1) or []
    rank = len(dims) + len(listed)
    axes = {call.axis(axis, rank) for axis in listed}
    if len(axes) != len(listed):
        raise misfit(f"`Unsqueeze` names an axis twice: {listed}")
    rest = iter(dims)
    result: Dims = tuple(1 if axis in axes else next(rest) for axis in range(rank))
    return Tensor("", result, reordered(data.content, result), data.span)


@rule("Flatten")
def flatten(call: Call) -> Tensor:
    """A matrix."""
    data, dims = call.tensor(0), call.dims(0)
    axis = call.attribute("axis", 1)
    if not -len(dims) <= axis <= len(dims):
        raise misfit(f"axis {axis} of `Flatten` is not among {len(dims)} axes")
    axis = axis + len(dims) if axis < 0 else axis
    result = (product(dims[:axis]), product(dims[axis:]))
    return Tensor("", result, reordered(data.content, result), data.span)


@rule("Expand")
def expand(call: Call) -> Tensor:
    """Broadcast to a shape."""
    data = call.tensor(0)
    dims = call.constraints.broadcast([call.dims(0), tuple(sizes_of(call, 1))], "`Expand` broadcasts to a shape")
    content = None
    if data.content is not None and all(isinstance(dim, int) for dim in dims):
        content = _broadcast(data.content, [int(dim) for dim in dims])
    return Tensor("", dims, content, data.span)


def _broadcast(content: Array, dims: list[int]) -> Array | None:
    return np.broadcast_to(content, dims) if np.prod(dims, dtype=float) <= MOST_ENTRIES else None


@rule("Tile")
def tile(call: Call) -> Tensor:
    """Repeat along each axis."""
    data, dims = call.tensor(0), call.dims(0)
    repeats = sizes_of(call, 1)
    if len(repeats) != len(dims):
        raise misfit(f"`Tile` has {len(repeats)} repeats for {len(dims)} axes")
    result = tuple(times(dim, repeat) for dim, repeat in zip(dims, repeats, strict=True))
    sizes = [size for size in result if isinstance(size, int)]
    if data.content is not None and len(sizes) == len(result) and np.prod(sizes, dtype=float) <= MOST_ENTRIES:
        return known(data.dtype, np.tile(data.content, [int(repeat) for repeat in repeats]))
    return shaped(result)


@rule("Pad")
def pad(call: Call) -> Tensor:
    """Entries before and after, or fewer where a number is negative."""
    dims = call.dims(0)
    pads = [int(size) for size in call.required("pads")] if "pads" in call.node.attributes else call.sizes(1)
    listed = call.integers(3) if call.has(3) else list(range(len(dims)))
    axes = [call.axis(axis, len(dims)) for axis in listed]
    if len(pads) != 2 * len(axes):
        raise misfit(f"`Pad` has {len(pads)} numbers for {len(axes)} axes")
    result = list(dims)
    for index, axis in enumerate(axes):
        result[axis] = total([dims[axis], pads[index], pads[index + len(axes)]])
        call.constraints.at_least(result[axis], 0, "`Pad` leaves a size")
    return shaped(result)


@rule("Slice")
def slice_(call: Call) -> Tensor:
    """Every so many entries between two places along some axes."""
    data, dims = call.tensor(0), call.dims(0)
    if "starts" in call.node.attributes:
        starts: list[Size] = [int(each) for each in call.required("starts")]
        ends: list[Size] = [int(each) for each in call.required("ends")]
    else:
        starts, ends = call.sizes(1), call.sizes(2)
    listed = call.listed("axes", 3)
    axes = [call.axis(axis, len(dims)) for axis in (range(len(starts)) if listed is None else listed)]
    steps = call.integers(4) if call.has(4) else [1] * len(starts)
    if not len(starts) == len(ends) == len(axes) == len(steps):
        raise misfit("`Slice` has different numbers of starts, ends, axes and steps")
    result = list(dims)
    cuts = [slice(None)] * len(dims)
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if step == 0:
            raise misfit("`Slice` has step 0")
        result[axis] = sliced(dims[axis], start, end, step)
        cuts[axis] = slice(start, _numpy_end(end, dims[axis], step), step)
    content = data.content
    if content is not None:
        bounded = all(isinstance(each, int) for each in [*starts, *ends])
        content = content[tuple(cuts)] if bounded else None
    return Tensor("", tuple(result), content)


def _numpy_end(end: Size, size: Size, step: int) -> Size | None:
    """The end that Python's slices understand: before the first entry is None when going backwards."""
    before_first = isinstance(end, int) and isinstance(size, int) and end < -size
    return None if step < 0 and before_first else end


def sliced(size: Size, start: Size, end: Size, step: int) -> Size:
    """How many entries a slice of an axis has."""
    if step > 0:
        low, high = clamped(start, size, 0, size), clamped(end, size, 0, size)
        return maximum(0, ceil_div(minus(high, low), step))
    last = minus(size, 1)
    low, high = clamped(start, size, 0, last), clamped(end, size, -1, last)
    return maximum(0, ceil_div(minus(low, high), -step))


def clamped(place: Size, size: Size, least: Size, most: Size) -> Size:
    """A place on an axis: counted from its end where negative, then moved between the two bounds."""
    if isinstance(place, int):
        if place >= NO_LIMIT:
            return most
        if place <= -NO_LIMIT:
            return least
    if at_least(place, 0):
        return minimum(place, most) if at_least(place, least) else maximum(least, minimum(place, most))
    if at_least(-1, place):
        return maximum(least, minimum(plus(size, place), most))
    raise Undecided(f"whether the place {place} of `Slice` is counted from the end depends on the sizes")


@rule("DepthToSpace")
def depth_to_space(call: Call) -> Tensor:
    """Channels become blocks of pixels."""
    batch, channels, height, width = call.dims(0, 4)
    block = call.required("blocksize")
    return shaped([batch, divided(call, channels, block * block), times(height, block), times(width, block)])


@rule("SpaceToDepth")
def space_to_depth(call: Call) -> Tensor:
    """Blocks of pixels become channels."""
    batch, channels, height, width = call.dims(0, 4)
    block = call.required("blocksize")
    return shaped([batch, times(channels, block * block), divided(call, height, block), divided(call, width, block)])


@rule("CenterCropPad")
def center_crop_pad(call: Call) -> Tensor:
    """Given sizes for some axes."""
    dims = call.dims(0)
    wanted = sizes_of(call, 1)
    axes = [call.axis(axis, len(dims)) for axis in call.attribute("axes", range(len(dims)))]
    if len(axes) != len(wanted):
        raise misfit(f"`CenterCropPad` has {len(wanted)} sizes for {len(axes)} axes")
    result = list(dims)
    for axis, size in zip(axes, wanted, strict=True):
        result[axis] = size
    return shaped(result)


@rule("Col2Im")
def col2im(call: Call) -> Tensor:
    """Columns become an image."""
    batch, rows, _ = call.dims(0, 3)
    image, block = sizes_of(call, 1), sizes_of(call, 2)
    return shaped([batch, divided(call, rows, product(block)), *image])
