"""Sampling an image between its entries, at places that depend on the input: AffineGrid, GridSample, DeformConv.

A sample is a sum over the entries of each spatial axis, weighted with a function of the distance to the place: the axes are
contracted one after the other. Along an axis, every entry that a sample can read has its weight, a scalar function of the place.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np
from scipy.sparse import csr_array

from circuits.scalar import Scalar, X
from translator.reading.context import Context, dims_of
from translator.reading.contraction import Labels, contract
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.movement import known_ints, reshape, take_static, transpose, unsqueeze
from translator.reading.positional import term_array
from translator.reading.refusing import Refusal
from translator.reading.selecting import apply_along, numbers
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.values import Array, Value

CUBIC = -0.75
DISTANCE = call("abs", X)
LINEAR = call("max", call("sub", 1.0, DISTANCE), 0.0)
MODES = {"bilinear": "linear", "bicubic": "cubic"}


def cubic(a: float) -> Scalar:
    """The cubic convolution kernel with coefficient `a` (Keys 1981), a function of the distance."""
    d = DISTANCE
    near = call("add", call("mul", call("mul", call("sub", call("mul", a + 2, d), a + 3), d), d), 1.0)
    far = call("sub", call("mul", call("add", call("mul", call("sub", call("mul", a, d), 5 * a), d), 8 * a), d), 4 * a)
    return call("where", call("ge", 1.0, d), near, call("where", call("gt", 2.0, d), far, 0.0))


def clamp(low: float, high: float, inner: Scalar = X) -> Scalar:
    """The nearest number between two bounds."""
    return call("min", call("max", inner, low), high)


def reflect(low: float, high: float) -> Scalar:
    """Mirror at two bounds, as often as it takes."""
    span = high - low
    if span <= 0:
        return call("mul", X, 0.0) if low == 0 else call("add", call("mul", X, 0.0), low)
    turned = call("mod", call("abs", call("sub", X, low)), 2 * span)
    return call("add", call("min", turned, call("sub", 2 * span, turned)), low)


def fold(padding: str, size: int, mode: str, *, align_corners: bool) -> Scalar:
    """What becomes of a place outside of the image.

    A cubic kernel reads the border entry only, whatever the place, from one entry outside of the image on.

    Raises:
        Refusal: the padding mode is not one of ONNX's.
    """
    low, high = (0.0, size - 1.0) if align_corners else (-0.5, size - 0.5)
    match padding:
        case "zeros":
            return X
        case "border":
            return clamp(-1.0, float(size)) if mode == "cubic" else clamp(0.0, size - 1.0)
        case "reflection":
            return reflect(low, high)
        case _:
            raise Refusal("N029", f"the padding mode `{padding}` is unknown")


def taps(padding: str, size: int, *, align_corners: bool) -> tuple[Array, csr_array]:
    """The entries that a sample can read, those beyond the image too, and the matrix that says which entries these are."""
    if padding == "zeros":
        return np.arange(size), csr_array(np.eye(size))
    tap = np.arange(-2, size + 2)
    if padding == "border":
        real = np.clip(tap, 0, size - 1)
    else:
        # A mirrored entry is the one at the mirrored place, rounded toward zero.
        mirrored = fold(padding, size, "linear", align_corners=align_corners)(tap.astype(np.float64))
        real = np.clip(np.trunc(mirrored).astype(np.int64), 0, size - 1)
    return tap, csr_array((np.ones(len(tap)), (real, np.arange(len(tap)))), shape=(size, len(tap)))


def weights(context: Context, place: Value, size: int, mode: str, padding: str, *, align_corners: bool) -> Value:
    """How much each entry of an axis counts at a place: a new last axis.

    Raises:
        Refusal: the mode is not one of ONNX's.
    """
    kernels = {"linear": LINEAR, "cubic": cubic(CUBIC), "nearest": call("eq", X, 0.0)}
    if mode not in kernels:
        raise Refusal("N029", f"the mode `{mode}` of sampling is unknown")
    if mode == "nearest":
        place = unary(context, call("round", X), place)
    place = unary(context, fold(padding, size, mode, align_corners=align_corners), place)
    tap, real = taps(padding, size, align_corners=align_corners)
    gap = binary(context, "sub", unsqueeze(context, place, [-1]), tap.astype(np.float64))
    found = unary(context, kernels[mode], gap)
    return found if padding == "zeros" else apply_along(context, found, len(dims_of(found)) - 1, real)


def sample(
    context: Context, image: Value, image_labels: Labels, axes: Sequence[tuple[int, Value]], place_labels: Labels
) -> tuple[Value, Labels]:
    """Contract the spatial axes (labels) of an image with weights on (places, axis); the place labels come last."""
    result, labels = numbers(image), list(image_labels)
    for label, weight in axes:
        rest = [other for other in labels if other != label and other not in place_labels]
        out = [*rest, *place_labels]
        result = contract(context, result, labels, weight, [*place_labels, label], out)
        labels = out
    return result, labels


def component(context: Context, value: Value, axis: int, index: int) -> Value:
    """One entry of an axis, which disappears."""
    return take_static(context, value, axis, np.array(index))


def sizes_of(value: Value, what: str) -> list[int]:
    """The sizes of a tensor without a sequence axis.

    Raises:
        Refusal: it has one.
    """
    dims = dims_of(value)
    if any(dim.n_coef for dim in dims):
        raise Refusal("N028", f"{what} along the sequence", help="sample along axes of fixed size")
    return [dim.const for dim in dims]


@lowering("AffineGrid")
def _affine_grid(context: Context, operator: Operator, values: Inputs) -> Value:
    theta, sizes = needed(values, 0), known_ints(needed(values, 1)) or []
    spatial = sizes[2:]
    lines = []
    for size in spatial:
        if operator.attributes.get("align_corners", 0):
            lines.append(np.linspace(-1.0, 1.0, size) if size > 1 else np.array([-1.0]))
        else:
            lines.append((2 * np.arange(size) + 1) / size - 1)
    grid = np.stack([*np.meshgrid(*lines, indexing="ij")[::-1], np.ones(spatial)], axis=-1)
    rank = len(spatial)
    places = list(range(rank))
    batch, row, column = rank, rank + 1, rank + 2
    return contract(context, grid, [*places, column], numbers(theta), [batch, row, column], [batch, *places, row])


@lowering("GridSample")
def _grid_sample(context: Context, operator: Operator, values: Inputs) -> Value:
    x, grid = needed(values, 0), needed(values, 1)
    given = operator.attributes
    mode = given.get("mode", "bilinear" if context.opset < 20 else "linear")
    padding, corners = given.get("padding_mode", "zeros"), bool(given.get("align_corners", 0))
    spatial = sizes_of(x, "GridSample samples")[2:]
    rank = len(spatial)
    n_places = len(dims_of(grid)) - 2
    places = [0, *range(2 + rank, 2 + rank + n_places)]
    axes = []
    for axis, size in enumerate(spatial):
        entry = component(context, numbers(grid), n_places + 1, rank - 1 - axis)
        slope = (size - 1) / 2 if corners else size / 2
        place = binary(context, "add", binary(context, "mul", entry, np.array(slope)), np.array((size - 1) / 2))
        axes.append((2 + axis, weights(context, place, size, MODES.get(mode, mode), padding, align_corners=corners)))
    result, labels = sample(context, x, list(range(2 + rank)), axes, places)

    return transpose(context, result, [1, 0, *range(2, len(labels))])


@lowering("DeformConv")
def _deform_conv(context: Context, operator: Operator, values: Inputs) -> Value:
    x, kernel, offset = (needed(values, place) for place in range(3))
    bias, mask = optional(values, 3), optional(values, 4)
    given = operator.attributes
    batch, channels, *spatial = sizes_of(x, "DeformConv samples")
    rank = len(spatial)
    n_out, per_group, *taps_ = sizes_of(kernel, "the kernel of DeformConv runs")
    out = sizes_of(offset, "DeformConv samples")[2:]
    strides, dilations = (given.get(name) or [1] * rank for name in ("strides", "dilations"))
    pads = given.get("pads") or [0] * 2 * rank
    group, offset_group = given.get("group", 1), given.get("offset_group", 1)
    n_taps, n_places = prod(taps_), prod(out)
    corner = np.indices(out).reshape(rank, 1, n_places)
    tap = np.indices(taps_).reshape(rank, n_taps, 1)
    moved = reshape(context, numbers(offset), term_array([batch, offset_group, n_taps, rank, n_places]), True)
    # Labels: 0 batch, 1 offset group, 2 channel in it, 3 tap, 4 place, 5.. spatial axes.
    axes = []
    for axis, size in enumerate(spatial):
        base = corner[axis] * strides[axis] - pads[axis] + tap[axis] * dilations[axis]
        place = binary(context, "add", component(context, moved, 3, axis), base.astype(np.float64))
        axes.append((5 + axis, weights(context, place, size, "linear", "zeros", align_corners=True)))
    split = reshape(context, x, term_array([batch, offset_group, channels // offset_group, *spatial]), True)
    places = [0, 1, 3, 4]
    found, labels = sample(context, split, [0, 1, 2, *range(5, 5 + rank)], axes, places)
    if mask is not None:
        scale = reshape(context, numbers(mask), term_array([batch, offset_group, n_taps, n_places]), True)
        found = contract(context, found, labels, scale, places, labels)

    ordered = transpose(context, found, [list(labels).index(label) for label in (0, 1, 2, 3, 4)])
    grouped = reshape(context, ordered, term_array([batch, group, per_group, n_taps, n_places]), True)
    filters = reshape(context, numbers(kernel), term_array([group, n_out // group, per_group, n_taps]), True)
    total = contract(context, grouped, [0, 1, 2, 3, 4], filters, [1, 5, 2, 3], [0, 1, 5, 4])
    result = reshape(context, total, term_array([batch, n_out, *out]), True)
    if bias is not None:
        spread = reshape(context, numbers(bias), term_array([1, n_out, *([1] * rank)]), True)
        result = binary(context, "add", result, spread)
    return result
