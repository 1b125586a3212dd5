"""Convolutions and pooling: the number of places of a window along each spatial axis."""

from __future__ import annotations

from collections.abc import Sequence

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.expressions import Size, ceil_div, floor_div, minimum, minus, plus, times, total
from translator.shapes.rules.sizes import sizes_of
from translator.shapes.values import Dims, Tensor, misfit


def places(call: Call, image: Dims, kernel: Sequence[Size]) -> list[Size]:
    """How many places the window has along each axis."""
    rank = len(image)
    strides, dilations = _per_axis(call, "strides", rank), _per_axis(call, "dilations", rank)
    pads = padding(call, rank)
    automatic = call.attribute("auto_pad", "NOTSET")
    result: list[Size] = []
    for axis, size in enumerate(image):
        window = plus(times(minus(kernel[axis], 1), dilations[axis]), 1)
        stride = strides[axis]
        if automatic in ("SAME_UPPER", "SAME_LOWER"):
            result.append(ceil_div(size, stride))
            continue
        before, after = (0, 0) if automatic == "VALID" else (pads[axis], pads[axis + rank])
        room = minus(total([size, before, after]), window)
        rounded_up = call.attribute("ceil_mode", 0)
        spare = plus(room, stride - 1) if rounded_up else room
        call.constraints.at_least(spare, 0, f"the window of `{call.op}` fits into its input")
        if rounded_up:  # no window starts in the padding behind the input
            most = ceil_div(plus(size, before), stride)
            result.append(minimum(plus(ceil_div(room, stride), 1), most))
        else:
            result.append(plus(floor_div(room, stride), 1))
    return result


def padding(call: Call, rank: int) -> list[int]:
    """The attribute `pads`, one number for each end."""
    pads = [int(size) for size in call.attribute("pads", [0] * (2 * rank))]
    if len(pads) != 2 * rank:
        raise misfit(f"`{call.op}` has {len(pads)} pads for {rank} axes")
    return pads


def _per_axis(call: Call, name: str, rank: int) -> list[int]:
    values = [int(size) for size in call.attribute(name, [1] * rank)]
    if len(values) != rank or min(values, default=1) < 1:
        raise misfit(f"`{call.op}` has `{name}` {values} for {rank} axes")
    return values


def window(call: Call, rank: int, weights: Dims = ()) -> list[Size]:
    """The size of the window, which the weights may say."""
    stored = list(weights[2:])
    if "kernel_shape" not in call.node.attributes:
        if not stored and rank:
            return [int(size) for size in call.required("kernel_shape")]
        kernel: list[Size] = stored
    else:
        kernel = [int(size) for size in call.required("kernel_shape")]
        if stored:
            kernel = list(call.constraints.same_dims(tuple(kernel), tuple(stored), f"`kernel_shape` of `{call.op}`"))
    if len(kernel) != rank:
        raise misfit(f"`{call.op}` has a window of {len(kernel)} axes for {rank}")
    return kernel


def convolved(call: Call, image: Dims, weights: Dims) -> list[Size]:
    """The shape of a convolution."""
    group = call.attribute("group", 1)
    call.constraints.same(image[1], times(weights[1], group), f"the channels of `{call.op}`")
    kernel = window(call, len(image) - 2, weights)
    return [image[0], weights[0], *places(call, image[2:], kernel)]


@rule("Conv", "ConvInteger", "DeformConv")
def convolution(call: Call) -> Tensor:
    """A window of weights."""
    dims = convolved(call, call.rank_at_least(0, 3), call.rank_at_least(1, 3))
    return shaped(dims, "int32" if call.op == "ConvInteger" else "")


@rule("QLinearConv")
def quantized_convolution(call: Call) -> Tensor:
    """A window of quantized weights."""
    return shaped(convolved(call, call.rank_at_least(0, 3), call.rank_at_least(3, 3)), call.tensor(7).dtype)


@rule("ConvTranspose")
def transposed_convolution(call: Call) -> Tensor:
    """The shape that a convolution would have come from."""
    image, weights = call.rank_at_least(0, 3), call.rank_at_least(1, 3)
    rank = len(image) - 2
    call.constraints.same(image[1], weights[0], "the channels of `ConvTranspose`")
    channels = times(weights[1], call.attribute("group", 1))
    kernel = window(call, rank, weights)
    strides, dilations = _per_axis(call, "strides", rank), _per_axis(call, "dilations", rank)
    if "output_shape" in call.node.attributes:
        given = [int(size) for size in call.required("output_shape")]
        return shaped([image[0], channels, *given[-rank:]])
    automatic = call.attribute("auto_pad", "NOTSET")
    pads, extra = padding(call, rank), call.attribute("output_padding", [0] * rank)
    result: list[Size] = []
    for axis, size in enumerate(image[2:]):
        if automatic in ("SAME_UPPER", "SAME_LOWER"):
            result.append(times(size, strides[axis]))
            continue
        lost = 0 if automatic == "VALID" else pads[axis] + pads[axis + rank]
        spread = times(minus(kernel[axis], 1), dilations[axis])
        result.append(total([times(minus(size, 1), strides[axis]), extra[axis], spread, 1, -lost]))
    return shaped([image[0], channels, *result])


@rule("MaxPool", "AveragePool", "LpPool")
def pooling(call: Call) -> list[Tensor | None]:
    """A window, for each channel; `MaxPool` says also where the greatest entry is."""
    image = call.rank_at_least(0, 3)
    dims = (*image[:2], *places(call, image[2:], window(call, len(image) - 2)))
    return [Tensor("", dims), Tensor("int64", dims)]


@rule("MaxUnpool")
def unpooling(call: Call) -> Tensor:
    """A given shape, or the greatest one that the pooling could have had."""
    image = call.rank_at_least(0, 3)
    rank = len(image) - 2
    if call.has(2):
        return shaped(sizes_of(call, 2))
    kernel, strides, pads = window(call, rank), _per_axis(call, "strides", rank), padding(call, rank)
    spatial = [
        total([times(minus(size, 1), strides[axis]), kernel[axis], -pads[axis] - pads[axis + rank]])
        for axis, size in enumerate(image[2:])
    ]
    return shaped([*image[:2], *spatial])


@rule("RoiAlign", "MaxRoiPool")
def regions(call: Call) -> Tensor:
    """One small image for each region."""
    channels, count = call.dims(0, 4)[1], call.dims(1, 2)[0]
    if call.op == "RoiAlign":
        count = call.constraints.same(count, call.dims(2, 1)[0], "`RoiAlign` takes one index for each region")
        return shaped([count, channels, call.attribute("output_height", 1), call.attribute("output_width", 1)])
    return shaped([count, channels, *call.required("pooled_shape")])
