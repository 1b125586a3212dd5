"""Pooling over regions of an image that depend on the input: RoiAlign and MaxRoiPool.

A region has one weight for each row and one for each column, so that both axes are contracted (or maximized over) in turn.
"""

from __future__ import annotations

import numpy as np

from circuits.scalar import Scalar, X
from translator.reading.context import Context
from translator.reading.contraction import contract
from translator.reading.elementwise import binary, unary
from translator.reading.joining import concat
from translator.reading.loading import Operator
from translator.reading.movement import take_static, unsqueeze
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.sampling import LINEAR, clamp, component, sizes_of
from translator.reading.selecting import keep, numbers, select, spread
from translator.reading.table import Inputs, call, lowering, needed
from translator.reading.values import Array, Value

AWAY = -2.0
HALF_AWAY = call("mul", call("sign", X), call("floor", call("add", call("abs", X), 0.5)))
# The two entries around a place, as functions of the signed distance from the entry to it.
BELOW = call("mul", call("mul", call("ge", X, 0.0), call("gt", 1.0, X)), call("sub", 1.0, X))
ABOVE = call("mul", call("mul", call("ge", X, -1.0), call("gt", 0.0, X)), call("add", 1.0, X))


def inside(size: int) -> Scalar:
    """A place brought into the image; more than one entry away from it, a place that reads nothing."""
    near = call("mul", call("ge", X, -1.0), call("ge", float(size), X))
    return call("where", near, clamp(0.0, size - 1.0), AWAY)


def sides(context: Context, regions: Value, first: int, scale: float, offset: float) -> tuple[Value, Value]:
    """The start and the end of the regions along one axis; columns `first` and `first + 2` hold them."""
    scaled = call("sub", call("mul", X, scale), offset)
    return tuple(unary(context, scaled, component(context, regions, 1, place)) for place in (first, first + 2))  # type: ignore[return-value]


def places(context: Context, start: Value, length: Value, bins: int, samples: int) -> Value:
    """Where the samples stand: shape (regions, bins, samples)."""
    steps = (np.arange(bins)[:, None] + (np.arange(samples) + 0.5) / samples) / bins
    wide = unsqueeze(context, length, [1, 2])
    return binary(context, "add", unsqueeze(context, start, [1, 2]), binary(context, "mul", wide, steps))


def is_centred(context: Context, operator: Operator) -> bool:
    """Whether RoiAlign counts places from the middle of the first entry; before opset 16 it never does."""
    default = "half_pixel" if context.opset >= 16 else "output_half_pixel"
    return bool(operator.attributes.get("coordinate_transformation_mode", default) == "half_pixel")


def align(context: Context, images: Value, regions: Value, operator: Operator, samples: tuple[int, int]) -> Value:
    """RoiAlign of images that are one for each region, with a fixed number of samples along each axis."""
    given, half = operator.attributes, is_centred(context, operator)
    scale = float(given.get("spatial_scale", 1.0))
    sizes = sizes_of(images, "RoiAlign samples")[2:]
    bins = (given.get("output_height", 1), given.get("output_width", 1))
    gaps = []
    for axis in (0, 1):
        start, end = sides(context, regions, 1 - axis, scale, 0.5 if half else 0.0)
        length = binary(context, "sub", end, start)
        if not half:
            length = unary(context, call("max", X, 1.0), length)
        at = unary(context, inside(sizes[axis]), places(context, start, length, bins[axis], samples[axis]))
        gaps.append(keep(binary(context, "sub", unsqueeze(context, at, [-1]), np.arange(float(sizes[axis])))))
    if given.get("mode", "avg").lower() == "avg":
        # Labels: 0 region, 1 channel, 2 row, 3 column, 4 and 5 bins, 6 and 7 samples.
        rows, columns = (reduce(context, "mean", unary(context, LINEAR, gap), [2], False) for gap in gaps)
        half_way = contract(context, images, [0, 1, 2, 3], rows, [0, 4, 2], [0, 1, 4, 3])
        return contract(context, half_way, [0, 1, 4, 3], columns, [0, 5, 3], [0, 1, 4, 5])
    candidates = []
    for row in (BELOW, ABOVE):
        rows = unary(context, row, gaps[0])
        half_way = keep(contract(context, images, [0, 1, 2, 3], rows, [0, 4, 6, 2], [0, 1, 4, 6, 3]))
        for column in (BELOW, ABOVE):
            columns = unary(context, column, gaps[1])
            out = [0, 1, 4, 5, 6, 7]
            value = contract(context, half_way, [0, 1, 4, 6, 3], columns, [0, 5, 7, 3], out)
            candidates.append(unsqueeze(context, value, [-1]))
    return reduce(context, "max", concat(context, candidates, 6), [4, 5, 6], False)


@lowering("RoiAlign")
def _roi_align(context: Context, operator: Operator, values: Inputs) -> Value:
    x, regions, batch = (needed(values, place) for place in range(3))
    images, regions = select(context, x, batch, 0), numbers(regions)
    ratio = operator.attributes.get("sampling_ratio", 0)
    if ratio > 0:
        return align(context, images, regions, operator, (ratio, ratio))
    if not isinstance(regions, np.ndarray):
        raise Refusal(
            "N039",
            "RoiAlign takes as many samples as its regions are large, and these depend on the input",
            note="a fixed-depth network computes the same nodes for every input",
            help="export with sampling_ratio of at least 1, or bind the regions to constants",
        )
    results = []
    for number, counts in enumerate(_counts(regions, operator, is_centred(context, operator))):
        one = np.array([number])
        if min(counts):
            image = take_static(context, images, 0, one)
            results.append(align(context, image, regions[one], operator, counts))
        else:
            shape = sizes_of(images, "RoiAlign samples")[1:2]
            bins = (operator.attributes.get(name, 1) for name in ("output_height", "output_width"))
            results.append(np.zeros((1, *shape, *bins)))
    return concat(context, results, 0)


def _counts(regions: Array, operator: Operator, half: bool) -> list[tuple[int, int]]:
    """How many samples along each axis a known region takes."""
    given = operator.attributes
    scale = float(given.get("spatial_scale", 1.0))
    lengths = (regions[:, 2:4] - regions[:, 0:2]) * scale
    if not half:
        lengths = np.maximum(lengths, 1.0)
    bins = np.array([given.get("output_width", 1), given.get("output_height", 1)])
    counts = np.maximum(np.ceil(lengths / bins), 0).astype(np.int64)
    return [(int(rows), int(columns)) for columns, rows in counts]


@lowering("MaxRoiPool")
def _max_roi_pool(context: Context, operator: Operator, values: Inputs) -> Value:
    x, regions = needed(values, 0), numbers(needed(values, 1))
    scale = float(operator.attributes.get("spatial_scale", 1.0))
    bins = operator.attributes["pooled_shape"]
    images = keep(select(context, x, component(context, regions, 1, 0), 0))
    sizes = sizes_of(images, "MaxRoiPool takes maxima")[2:]
    least = reduce(context, "min", images, [2, 3], True)
    found: Value = binary(context, "sub", images, least)
    is_filled: list[Value] = []
    # Above their least entry, entries are not negative, so that those outside of the bin count as 0.
    # Labels: 0 region, 1 channel, 2 row, 3 column, 4 and 5 bins.
    labels = [0, 1, 2, 3]
    for axis in (0, 1):
        member = _members(context, regions, 2 - axis, scale, sizes[axis], bins[axis])
        out = [4 + axis if label == 2 + axis else label for label in labels]
        wide = [*out, 2 + axis]
        products = binary(
            context,
            "mul",
            spread(context, found, labels, wide),
            spread(context, member, [0, 4 + axis, 2 + axis], wide),
        )
        found, labels = reduce(context, "max", products, [4], False), out
        any_entry = reduce(context, "max", member, [2], False)
        is_filled.append(spread(context, any_entry, [0, 4 + axis], [0, 1, 4, 5]))
    base = binary(context, "mul", binary(context, "mul", *is_filled), least)
    return binary(context, "add", found, base)


def _members(context: Context, regions: Value, first: int, scale: float, size: int, bins: int) -> Value:
    """1 where an entry of an axis is in a bin of a region: shape (regions, bins, size)."""
    start, end = (unary(context, HALF_AWAY, side) for side in sides(context, regions, first, scale, 0.0))
    start = keep(start)
    length = unary(context, call("max", call("add", X, 1.0), 1.0), binary(context, "sub", end, start))
    edges = []
    for shift, rounding in ((0, "floor"), (1, "ceil")):
        multiple = binary(context, "mul", unsqueeze(context, length, [1]), np.arange(bins) + float(shift))
        edge = unary(context, call(rounding, call("div", X, float(bins))), multiple)
        place = binary(context, "add", edge, unsqueeze(context, start, [1]))
        edges.append(binary(context, "sub", np.arange(float(size)), unsqueeze(context, place, [-1])))
    after = unary(context, call("ge", X, 0.0), edges[0])
    before = unary(context, call("gt", 0.0, X), edges[1])
    return binary(context, "mul", after, before)
