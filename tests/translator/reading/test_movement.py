"""Selecting, scattering, sorting and moving data on axes of fixed size, against onnxruntime at several opsets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from tests.translator.reading.against_runtime import compare, found_here, single

Array = np.ndarray[Any, Any]
RNG = np.random.default_rng(0)


def real(*shape: int) -> Array:
    return RNG.normal(size=shape).astype(np.float32)


def few(*shape: int) -> Array:
    """Few different numbers, so that there are ties."""
    return RNG.integers(-2, 3, shape).astype(np.float32)


def whole(low: int, high: int, *shape: int) -> Array:
    return RNG.integers(low, high, shape)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_gather(axis: int) -> None:
    size = (2, 3, 4)[axis]
    compare("Gather", [real(2, 3, 4), whole(-size, size, 2, 2)], {"axis": axis})
    compare("Gather", [whole(0, 9, size, size, size).astype(np.int32), whole(0, size)], {"axis": axis}, opset=7)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_gather_elements(axis: int) -> None:
    size = (2, 3, 4)[axis]
    for extent in (1, size, size + 2):
        shape = [2, 3, 4]
        shape[axis] = extent
        compare("GatherElements", [real(2, 3, 4), whole(-size, size, *shape)], {"axis": axis})
    narrow = [1, 2, 3]
    compare("GatherElements", [real(2, 3, 4), whole(-size, size, *narrow)], {"axis": axis})


@pytest.mark.parametrize(
    ("batch_dims", "shape", "index"),
    [(0, (2, 3, 4), (5, 2)), (0, (2, 3, 4), (5, 1)), (0, (2, 3, 4), (2, 2, 3)), (1, (2, 3, 4), (2, 5, 1)),
     (1, (2, 3, 4, 2), (2, 3, 2)), (2, (2, 3, 4), (2, 3, 1))],
)  # fmt: skip
def test_gather_nd(batch_dims: int, shape: tuple[int, ...], index: tuple[int, ...]) -> None:
    compare("GatherND", [real(*shape), whole(-2, 2, *index)], {"batch_dims": batch_dims})


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_scatter_elements(axis: int, reduction: str) -> None:
    size = (3, 3, 4)[axis]
    values = [real(3, 3, 4), whole(-size, size, 2, 3, 2), real(2, 3, 2)]
    compare("ScatterElements", values, {"axis": axis, "reduction": reduction}, opset=18)


@pytest.mark.parametrize("reduction", ["none", "add", "mul", "max", "min"])
def test_scatter_nd(reduction: str) -> None:
    for data, index, updates in (
        (real(3, 4), np.array([[0], [2], [-3]]), real(3, 4)),
        (real(3, 4), np.array([[0, 1], [2, -1], [0, 1]]), real(3)),
        (real(3, 4, 2), np.array([[[0, 1], [2, -1]]]), real(1, 2, 2)),
    ):
        compare("ScatterND", [data, index, updates], {"reduction": reduction}, opset=18)


def test_scatter_of_whole_numbers_and_of_old() -> None:
    compare("ScatterElements", [whole(0, 9, 4), whole(0, 4, 6), whole(0, 9, 6)], opset=11)
    compare("Scatter", [real(3, 3), whole(0, 3, 2, 3), real(2, 3)], {"axis": 1}, opset=9)


@pytest.mark.parametrize("mode", ["linear", "circular"])
def test_tensor_scatter_by_its_definition(mode: str) -> None:
    cache, update = real(2, 3, 5, 2), real(2, 3, 3, 2)
    start = np.array([2, 1] if mode == "linear" else [4, 1])
    expected = cache.copy()
    for batch, first in enumerate(start):
        for step in range(3):
            expected[batch, :, (first + step) % 5] = update[batch, :, step]
    for stored in ([], [2], [0, 1]):
        model, inputs = single("TensorScatter", [cache, update, start], {"mode": mode}, opset=24, stored=stored)
        (found,) = found_here(model, inputs)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_one_hot(axis: int) -> None:
    compare("OneHot", [whole(-6, 7, 2, 3), np.array(5), real(2)], {"axis": axis}, opset=11, shaping=[1])
    compare("OneHot", [few(2), np.array([5]), np.array([0, 1])], opset=9, shaping=[1], splits=[[], [2]])


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("largest", [0, 1])
def test_top_k(axis: int, largest: int) -> None:
    for k in (1, 2):
        attributes = {"axis": axis, "largest": largest}
        compare("TopK", [few(2, 3, 4), np.array([k])], attributes, opset=11, shaping=[1], n_outputs=2)


def test_top_k_of_old_and_of_whole_numbers() -> None:
    compare("TopK", [few(3, 5), np.array([5])], opset=10, shaping=[1], n_outputs=2)
    compare("TopK", [few(3, 5)], {"k": 3}, opset=7, n_outputs=2)
    compare("TopK", [whole(-3, 3, 3, 5), np.array([4])], opset=11, shaping=[1], n_outputs=2)


@pytest.mark.parametrize("op_type", ["ArgMax", "ArgMin"])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_arg_max(op_type: str, axis: int) -> None:
    for keepdims in (0, 1):
        for last in (0, 1):
            attributes = {"axis": axis, "keepdims": keepdims, "select_last_index": last}
            compare(op_type, [few(2, 3, 4)], attributes, opset=13)


@pytest.mark.parametrize("opset", [7, 11, 13])
def test_hardmax(opset: int) -> None:
    for axis in (0, 1, 2):
        compare("Hardmax", [few(2, 3, 4)], {"axis": axis}, opset=opset)
    compare("Hardmax", [few(2, 3, 4)], opset=opset)


@pytest.mark.parametrize("storage_order", [0, 1])
@pytest.mark.parametrize("stride", [1, 2])
def test_places_of_maxima(storage_order: int, stride: int) -> None:
    for pads in ([0] * 4, [1, 0, 0, 1]):
        attributes = {"kernel_shape": [2, 2], "strides": [stride] * 2, "pads": pads, "storage_order": storage_order}
        compare("MaxPool", [few(2, 2, 5, 4)], attributes, opset=12, n_outputs=2)
    compare("MaxPool", [few(1, 2, 5)], {"kernel_shape": [3], "dilations": [2]}, opset=12, n_outputs=2)
    solid = {"kernel_shape": [2, 2, 2], "ceil_mode": 1, "strides": [2, 2, 2]}
    compare("MaxPool", [few(1, 2, 3, 4, 3)], solid, opset=12, n_outputs=2)


def test_max_unpool() -> None:
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2]}
    places = np.array([[[[5, 7], [13, 15]], [[16, 18], [24, 26]]]])
    compare("MaxUnpool", [real(1, 2, 2, 2), places], attributes, opset=11)


@pytest.mark.parametrize("k", [-5, -1, 0, 1, 7])
def test_triangles(k: int) -> None:
    for upper in (0, 1):
        compare("Trilu", [real(2, 3, 4), np.array(k)], {"upper": upper}, opset=14, shaping=[1])
    compare("EyeLike", [real(3, 4)], {"k": k, "dtype": 7}, opset=9)


@pytest.mark.parametrize(("time", "lengths"), [(0, [1, 4, 2]), (1, [1, 3, 2, 0])])
def test_reverse_sequence(time: int, lengths: list[int]) -> None:
    attributes = {"time_axis": time, "batch_axis": 1 - time}
    compare("ReverseSequence", [real(4, 3, 2), np.array(lengths)], attributes, opset=10)


@pytest.mark.parametrize("mode", ["constant", "reflect", "edge", "wrap"])
def test_pads(mode: str) -> None:
    for pads in ([1, 2, 1, 1], [-1, 2, 0, -1]):
        compare("Pad", [real(3, 4), np.array(pads)], {"mode": mode}, opset=19, shaping=[1])
    if mode != "wrap":
        compare("Pad", [real(3, 4)], {"mode": mode, "pads": [0, 1, 2, 1]}, opset=7)


def test_pads_with_a_number() -> None:
    fill, axes = np.array(2.5, np.float32), np.array([-1])
    compare("Pad", [real(3, 4), np.array([1, 2]), fill, axes], opset=18, shaping=[1, 3])
    compare("Pad", [whole(0, 9, 3, 4), np.array([1, 2, 0, 0]), np.array(7)], opset=13, shaping=[1])
    compare("Pad", [real(3, 4)], {"pads": [0, 1, 2, 1], "value": 1.5}, opset=7)


@pytest.mark.parametrize("start", [[3, -1], [0, 5], [2, -9]])
@pytest.mark.parametrize("end", [[-9, 0], [9, -(2**31)]])
def test_slices_that_run_backwards(start: list[int], end: list[int]) -> None:
    values = [real(4, 5), *map(np.array, (start, end, [0, 1], [-1, -2]))]
    compare("Slice", values, opset=13, shaping=[1, 2, 3, 4])


def test_blocks() -> None:
    for mode in ("DCR", "CRD"):
        compare("DepthToSpace", [real(2, 8, 2, 3)], {"blocksize": 2, "mode": mode}, opset=13)
    compare("DepthToSpace", [real(2, 8, 2, 3)], {"blocksize": 2}, opset=7)
    compare("SpaceToDepth", [real(2, 2, 4, 6)], {"blocksize": 2}, opset=7)
    shape = [np.array([4, 5]), np.array([2, 3])]
    compare("Col2Im", [real(2, 6, 9), *shape], opset=18, shaping=[1, 2])
    moved = {"strides": [2, 1], "pads": [1, 0, 1, 1]}
    compare("Col2Im", [real(1, 6, 12), np.array([5, 5]), shape[1]], moved, opset=18, shaping=[1, 2])
    compare("CenterCropPad", [real(5, 4, 3), np.array([3, 7])], {"axes": [0, -1]}, opset=18, shaping=[1])


@pytest.mark.parametrize("opset", [7, 13])
def test_tiles(opset: int) -> None:
    compare("Tile", [real(2, 3), np.array([2, 3])], opset=opset, shaping=[1])
    compare("Tile", [real(2, 1), np.array([0, 3])], opset=opset, shaping=[1])


def test_shapes_with_zeros_and_negative_axes() -> None:
    compare("Flatten", [real(2, 3, 4)], {"axis": -1}, opset=13)
    compare("Flatten", [real(2, 3, 4)], {"axis": 3}, opset=13)
    compare("Reshape", [real(0, 3), np.array([3, 0])], {"allowzero": 1}, opset=14, shaping=[1])
    compare("Squeeze", [real(1, 3, 1)], {"axes": [0, -1]}, opset=11)
    compare("Unsqueeze", [real(3)], {"axes": [0, 2]}, opset=7)
    compare("Split", [real(2, 6)], {"axis": 1, "split": [1, 0, 5]}, opset=7, n_outputs=3)
    compare("Split", [real(2, 7)], {"axis": 1, "num_outputs": 3}, opset=18, n_outputs=3)
    compare("Concat", [real(2, 3), real(2, 1), real(2, 0)], {"axis": -1}, opset=13)


def test_more_entries_than_there_are() -> None:
    model, inputs = single("TopK", [real(2, 3), np.array([4])], {}, opset=11, stored=[1], n_outputs=2)
    with pytest.raises(FomError, match="the 4 largest of 3 entries"):
        found_here(model, inputs)
