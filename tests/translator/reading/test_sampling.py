"""Reading images between their entries, against onnxruntime: all modes, paddings and coordinate transformations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from tests.translator.reading.against_runtime import compare, found_here, single

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(1)
NOTHING = np.zeros(0, dtype=np.float32)
COORDINATES = ["half_pixel", "half_pixel_symmetric", "pytorch_half_pixel", "align_corners", "asymmetric"]
REGIONS = np.array([[0, 0, 4, 3], [1.5, 0.2, 3.3, 5], [-3, -2, 1, 9], [2, 2, 2.1, 2.1]], dtype=np.float32)


def real(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def resize(attributes: dict[str, Any], x: Array, scales: list[float], sizes: list[int], opset: int = 19) -> None:
    values = [x, NOTHING, np.array(scales, dtype=np.float32), np.array(sizes, dtype=np.int64)]
    kept = values[:3] if scales else values
    compare("Resize", kept, attributes, opset=opset, shaping=range(1, len(kept)), tolerance=1e-4)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_resize(mode: str, coordinates: str) -> None:
    attributes = {"mode": mode, "coordinate_transformation_mode": coordinates}
    for sizes in ([1, 2, 3, 7], [1, 2, 1, 4], [1, 2, 10, 2]):
        resize(attributes, real(1, 2, 5, 4), [], sizes)
    if coordinates != "align_corners":
        # With a scale, onnxruntime aligns the corners of the rounded size, ONNX's own cases those of the exact one.
        resize(attributes, real(1, 2, 5, 10), [1, 1, 0.6, 1.7], [])


def test_the_length_follows_from_the_scale_in_single_precision() -> None:
    resize({"mode": "linear"}, real(1, 1, 3, 10), [1, 1, 1, 0.7], [])


@pytest.mark.parametrize("nearest", ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"])
def test_nearest(nearest: str) -> None:
    for scales in ([1.0, 1.0, 0.5, 1.5], [1.0, 1.0, 2.0, 3.0]):
        resize({"mode": "nearest", "nearest_mode": nearest}, real(1, 2, 6, 8), scales, [], 13)


@pytest.mark.parametrize("mode", ["linear", "cubic"])
def test_antialiasing(mode: str) -> None:
    for exclude in (0, 1):
        for scales in ([1, 1, 0.6, 0.8], [1, 1, 0.3, 1.5]):
            resize({"mode": mode, "antialias": 1, "exclude_outside": exclude}, real(1, 2, 10, 10), scales, [])


def test_further_attributes() -> None:
    resize({"mode": "cubic", "exclude_outside": 1, "cubic_coeff_a": -0.5}, real(1, 2, 9, 9), [1, 1, 0.6, 1.5], [])
    for policy in ("not_larger", "not_smaller", "stretch"):
        attributes = {"mode": "linear", "axes": [2, 3], "keep_aspect_ratio_policy": policy}
        resize(attributes, real(1, 1, 5, 4), [], [7, 9], 18)
    region = np.array([0, 0, 0.1, -0.2, 1, 1, 0.8, 1.1], dtype=np.float32)
    crop = {"mode": "linear", "coordinate_transformation_mode": "tf_crop_and_resize", "extrapolation_value": 9.0}
    values = [real(1, 1, 5, 4), region, NOTHING, np.array([1, 1, 3, 7])]
    compare("Resize", values, crop, opset=13, shaping=[1, 2, 3], tolerance=1e-4)


@pytest.mark.parametrize("mode", ["nearest", "linear"])
def test_old_operators(mode: str) -> None:
    for scales in ([1, 1, 2, 3], [1, 1, 0.6, 0.6], [1, 1, 1.5, 0.5]):
        values = [real(1, 2, 4, 6), np.array(scales, dtype=np.float32)]
        compare("Resize", values, {"mode": mode}, opset=10, shaping=[1], tolerance=1e-4)
    values = [real(1, 2, 4, 6), np.array([1, 1, 2, 1.5], dtype=np.float32)]
    compare("Upsample", values, {"mode": mode}, opset=9, shaping=[1], tolerance=1e-4)
    compare("Upsample", [real(1, 2, 4, 6)], {"mode": mode, "scales": [1.0, 1.0, 2.0, 3.0]}, opset=7, tolerance=1e-4)


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
def test_grid_sample(padding: str, corners: int) -> None:
    for mode in ("bilinear", "bicubic", "nearest"):
        attributes = {"mode": mode, "padding_mode": padding, "align_corners": corners}
        compare("GridSample", [real(2, 2, 3, 4), 1.3 * real(2, 2, 3, 2)], attributes, opset=16, tolerance=1e-4)
    for mode in ("linear", "nearest"):
        attributes = {"mode": mode, "padding_mode": padding, "align_corners": corners}
        compare("GridSample", [real(1, 2, 3, 4, 2), 1.3 * real(1, 2, 1, 2, 3)], attributes, tolerance=1e-4)


@pytest.mark.parametrize("corners", [0, 1])
def test_affine_grid(corners: int) -> None:
    for theta, size in ((real(2, 2, 3), [2, 1, 3, 4]), (real(2, 3, 4), [2, 1, 2, 3, 4])):
        compare("AffineGrid", [theta, np.array(size)], {"align_corners": corners}, opset=20, shaping=[1])


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("coordinates", ["half_pixel", "output_half_pixel"])
def test_aligned_regions(mode: str, coordinates: str) -> None:
    values = [real(2, 3, 5, 6), REGIONS, np.array([0, 1, 1, 0])]
    attributes = {
        "mode": mode, "coordinate_transformation_mode": coordinates, "output_height": 2, "output_width": 3,
        "spatial_scale": 0.9,
    }  # fmt: skip
    compare("RoiAlign", values, {**attributes, "sampling_ratio": 2}, opset=16, tolerance=1e-4)
    compare("RoiAlign", values, attributes, opset=16, shaping=[1], tolerance=1e-4)
    model, inputs = single("RoiAlign", values, attributes, opset=16)
    with pytest.raises(FomError, match="as many samples as its regions are large"):
        found_here(model, inputs)


def test_maxima_over_regions() -> None:
    regions = [[0, 0, 0, 4, 3], [1, 1, 2, 5, 9], [1, 3, 3, 3, 3], [0, -3, -3, 1, 1], [0, 8, 8, 9, 9]]
    values = [real(2, 3, 5, 6), np.array(regions, dtype=np.float32)]
    compare("MaxRoiPool", values, {"pooled_shape": [2, 3], "spatial_scale": 0.8}, opset=7)


def test_deformed_convolutions() -> None:
    values = [real(2, 4, 5, 5), real(2, 2, 2, 2), 0.7 * real(2, 16, 4, 4), real(2), real(2, 8, 4, 4)]
    compare("DeformConv", values, {"group": 2, "offset_group": 2}, opset=19, tolerance=1e-4)
    attributes = {"strides": [2, 1], "pads": [1, 1, 0, 1], "dilations": [1, 2]}
    compare("DeformConv", [real(1, 2, 6, 5), real(3, 2, 2, 2), 0.7 * real(1, 8, 3, 5)], attributes, tolerance=1e-4)
