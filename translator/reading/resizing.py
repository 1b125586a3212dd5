"""Resize and Upsample: one sparse matrix for each axis that changes.

An output entry stands at a place of the input axis, which the coordinate transformation says; it is the entry nearest to it, or
a combination of the entries around it: 2 (linear), 4 (cubic), or as many as an antialiasing kernel covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import Term
from translator.reading.context import Context, dims_of
from translator.reading.elementwise import binary
from translator.reading.loading import Operator
from translator.reading.movement import known_ints
from translator.reading.positional import term_array
from translator.reading.refusing import Refusal
from translator.reading.selecting import apply_along
from translator.reading.table import Inputs, lowering, needed, optional
from translator.reading.types import dtype_of, is_whole
from translator.reading.values import Array, Value, Vector


@dataclass(frozen=True, slots=True)
class Method:
    """How entries between entries are made, as the attributes of Resize say."""

    mode: str = "nearest"
    coordinates: str = "half_pixel"
    nearest: str = "round_prefer_floor"
    cubic: float = -0.75
    antialias: bool = False
    exclude_outside: bool = False
    extrapolation: float = 0.0


@dataclass(frozen=True, slots=True)
class Stretch:
    """One axis: its size, the size wanted, the scale, and the region of interest."""

    size: int
    wanted: int
    scale: float
    region: tuple[float, float] = (0.0, 1.0)

    def sources(self, coordinates: str) -> Vector:
        """The place on the input axis of each output entry.

        Raises:
            Refusal: the coordinate transformation is not one of ONNX's.
        """
        x = np.arange(self.wanted, dtype=np.float64)
        length = self.scale * self.size
        match coordinates:
            case "align_corners":
                return np.zeros(self.wanted) if length == 1 else x * (self.size - 1) / (length - 1)
            case "asymmetric":
                return x / self.scale
            case "tf_crop_and_resize":
                low, high = self.region
                inner = (high - low) * (self.size - 1)
                return low * (self.size - 1) + (
                    np.full(self.wanted, inner / 2) if length == 1 else x * inner / (length - 1)
                )
            case "pytorch_half_pixel" if self.wanted == 1:
                return np.zeros(self.wanted)
            case "half_pixel" | "pytorch_half_pixel":
                return (x + 0.5) / self.scale - 0.5
            case "half_pixel_symmetric":
                offset = self.size / 2 * (1 - self.wanted / length)
                return offset + (x + 0.5) / self.scale - 0.5
            case _:
                raise Refusal("N029", f"the coordinate transformation mode `{coordinates}` is unknown")


def nearest_index(places: Vector, mode: str, scale: float) -> Array:
    """The entry nearest to each place; "old" is what Resize did before it had modes.

    Raises:
        Refusal: the mode is not one of ONNX's.
    """
    match mode:
        case "round_prefer_floor":
            return np.ceil(places - 0.5).astype(np.int64)
        case "round_prefer_ceil":
            return np.floor(places + 0.5).astype(np.int64)
        case "floor":
            return np.floor(places).astype(np.int64)
        case "old" if scale >= 1:
            return np.floor(places).astype(np.int64)
        case "ceil" | "old":
            return np.ceil(places).astype(np.int64)
        case _:
            raise Refusal("N029", f"the nearest mode `{mode}` is unknown")


def cubic_kernel(distance: Array, a: float) -> Array:
    """The cubic convolution kernel with coefficient `a` (Keys 1981)."""
    x = np.abs(distance)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


def interpolation(stretch: Stretch, method: Method) -> csr_array:
    """The matrix of one axis; rows of entries outside of the region of interest are empty.

    Raises:
        Refusal: the mode is not one of ONNX's.
    """
    places = stretch.sources(method.coordinates)
    if method.mode == "nearest":
        index, weights = nearest_index(places, method.nearest, stretch.scale)[:, None], np.ones((stretch.wanted, 1))
    elif method.mode in ("linear", "cubic"):
        reach = 1.0 if method.mode == "linear" else 2.0
        shrink = min(stretch.scale, 1.0) if method.antialias else 1.0
        taps = int(np.ceil(reach / shrink))
        index = np.floor(places)[:, None].astype(np.int64) + np.arange(1 - taps, taps + 1)
        distance = (index - places[:, None]) * shrink
        kernel = np.maximum(1 - np.abs(distance), 0.0)
        weights = kernel if method.mode == "linear" else cubic_kernel(distance, method.cubic)
        if method.antialias:
            weights = weights / weights.sum(axis=1, keepdims=True)
        if method.exclude_outside:
            weights = np.where((index >= 0) & (index < stretch.size), weights, 0.0)
            weights = weights / weights.sum(axis=1, keepdims=True)
    else:
        raise Refusal("N029", f"the mode `{method.mode}` of Resize is unknown")
    weights = np.where(outside(stretch, method)[:, None], 0.0, weights)
    rows = np.broadcast_to(np.arange(stretch.wanted)[:, None], index.shape)
    columns = np.clip(index, 0, stretch.size - 1)
    matrix = csr_array((weights.ravel(), (rows.ravel(), columns.ravel())), shape=(stretch.wanted, stretch.size))
    matrix.eliminate_zeros()
    return matrix


def outside(stretch: Stretch, method: Method) -> Array:
    """The output entries that are extrapolated."""
    if method.coordinates != "tf_crop_and_resize":
        return np.zeros(stretch.wanted, dtype=bool)
    places = stretch.sources(method.coordinates)
    return (places < 0) | (places > stretch.size - 1)


def resize(context: Context, value: Value, stretches: Sequence[tuple[int, Stretch]], method: Method) -> Value:
    """Resize several axes of fixed size, one after the other."""
    rank = len(dims_of(value))
    beyond: Array = np.zeros((1,) * rank, dtype=bool)
    for axis, stretch in stretches:
        value = apply_along(context, value, axis, interpolation(stretch, method))
        shape = [-1 if other == axis else 1 for other in range(rank)]
        beyond = beyond | outside(stretch, method).reshape(shape)
    if not beyond.any() or not method.extrapolation:
        return value
    return binary(context, "add", value, np.where(beyond, method.extrapolation, 0.0))


@lowering("Resize", "Upsample")
def _resize(context: Context, operator: Operator, values: Inputs) -> Value:
    x, given = needed(values, 0), operator.attributes
    dims = dims_of(x)
    has_region = operator.op_type == "Resize" and context.opset > 10
    region = optional(values, 1) if has_region else None
    scales = optional(values, 2 if has_region else 1)
    if scales is None and "scales" in given:
        scales = np.array(given["scales"])
    sizes = optional(values, 3)
    axes = [axis % len(dims) for axis in given.get("axes") or range(len(dims))]
    if operator.op_type == "Upsample" or context.opset <= 10:
        method = Method(given.get("mode", "nearest"), "asymmetric", "old")
    else:
        method = Method(
            given.get("mode", "nearest"),
            given.get("coordinate_transformation_mode", "half_pixel"),
            given.get("nearest_mode", "round_prefer_floor"),
            float(given.get("cubic_coeff_a", -0.75)),
            bool(given.get("antialias", 0)),
            bool(given.get("exclude_outside", 0)),
            float(given.get("extrapolation_value", 0.0)),
        )
    found = _stretches(dims, axes, scales, sizes, _numbers(region), given.get("keep_aspect_ratio_policy", "stretch"))
    is_crop = method.coordinates == "tf_crop_and_resize"
    kept = [
        (axis, stretch)
        for axis, stretch in found
        if stretch.wanted != stretch.size or stretch.scale != 1 or (is_crop and stretch.region != (0.0, 1.0))
    ]
    if is_whole(dtype_of(x)) and method.mode != "nearest":
        raise Refusal("N029", "Resize of whole numbers between entries", help="cast to float before, and back after")
    return resize(context, x, kept, method)


def _numbers(value: Value | None) -> list[float]:
    if value is None:
        return []
    if not isinstance(value, np.ndarray) or value.dtype == object:
        raise Refusal("N039", "the scales and regions of Resize have to be constants")
    return [float(entry) for entry in value.ravel()]


def _stretches(
    dims: tuple[Term, ...],
    axes: Sequence[int],
    scales: Value | None,
    sizes: Value | None,
    region: Sequence[float],
    policy: str,
) -> list[tuple[int, Stretch]]:
    """The axes of fixed size, with what becomes of them; an axis along the sequence stays as it is."""
    factors = _numbers(scales)
    wanted = list(term_array(sizes).ravel()) if isinstance(sizes, np.ndarray) and sizes.size else []
    if sizes is not None and not isinstance(sizes, np.ndarray):
        known_ints(sizes)
    common = None
    if wanted and policy != "stretch":
        if any(term.n_coef or dims[axis].n_coef for axis, term in zip(axes, wanted, strict=True)):
            raise Refusal("N028", "Resize keeps the aspect ratio of the sequence")
        ratios = [term.const / dims[axis].const for axis, term in zip(axes, wanted, strict=True)]
        common = min(ratios) if policy == "not_larger" else max(ratios)
    found = []
    for place, axis in enumerate(axes):
        part = (region[place], region[place + len(axes)]) if region else (0.0, 1.0)
        size = dims[axis]
        is_same = wanted[place] == size if wanted else factors[place] == 1
        if size.n_coef:
            if not is_same:
                raise Refusal("N028", "Resize changes the length of the sequence", help="resize axes of fixed size")
            continue
        if common is not None:
            found.append((axis, Stretch(size.const, int(common * size.const + 0.5), common, part)))
        elif wanted:
            if wanted[place].n_coef:
                raise Refusal("N028", f"Resize to the length {wanted[place]}")
            found.append((axis, Stretch(size.const, wanted[place].const, wanted[place].const / size.const, part)))
        else:
            # The length follows from the scale as it is stored, in single precision.
            length = int(np.floor(np.float32(size.const) * np.float32(factors[place])))
            found.append((axis, Stretch(size.const, length, factors[place], part)))
    return found
