"""Selecting, sorting and moving data beside and along a sequence of symbolic length, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from circuits.diagnostics import FomError
from tests.translator.reading_graphs import LETTERS, WIDTH, Step, agree, build, save
from translator.reading import read

MEAN: Step = ("ReduceMean", "y one", "out", {"keepdims": 0})
WEIGHTS: dict[str, Any] = {
    "two_": np.array([2]),
    "depth": np.array(LETTERS),
    "ends": np.array([-1.0, 2.0], dtype=np.float32),
    "project": np.linspace(-1, 1, LETTERS * WIDTH, dtype=np.float32).reshape(LETTERS, WIDTH),
    "last": np.array([-1]),
    "far": np.array([-(2**63)]),
    "first": np.array([0]),
    "second": np.array([1]),
    "four": np.array([-2]),
    "fill": np.array(0.5, dtype=np.float32),
    "none_": np.zeros(0, dtype=np.float32),
    "scales": np.array([1, 1, 1.5], dtype=np.float32),
    "shift": np.array(1),
    "thrice": np.array([1, 1, 3]),
    "half": np.array(0.5, dtype=np.float32),
}


def check(tmp_path: Path, steps: list[Step], *, lengths: tuple[int, ...] = (1, 2, 3, 5, 8), **options: Any) -> None:
    """Compare ``out`` of shape (batch, WIDTH) or (batch, n, .)."""
    agree(build(steps, ("out", options.get("shape", ["batch", WIDTH])), WEIGHTS), tmp_path, lengths=lengths)


ALONG: list[int | str] = ["batch", "n", WIDTH]


@pytest.mark.parametrize("last", [0, 1])
@pytest.mark.parametrize("op_type", ["ArgMax", "ArgMin"])
def test_an_entry_at_a_computed_position(op_type: str, last: int, tmp_path: Path) -> None:
    steps: list[Step] = [
        (op_type, "tokens", "at", {"axis": 1, "keepdims": 0, "select_last_index": last}),
        ("Gather", "h at", "y", {"axis": 1}),
        MEAN,
    ]
    check(tmp_path, steps)


def test_an_entry_at_a_position_counted_from_the_end(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("ArgMax", "tokens", "at", {"axis": 1, "keepdims": 0}),
        ("Neg", "at", "back"),
        ("Sub", "back one", "behind"),
        ("Gather", "h behind", "y", {"axis": 1}),
        MEAN,
    ]
    check(tmp_path, steps)


@pytest.mark.parametrize("form", ["backwards", "next", "features"])
def test_entries_at_positions_computed_from_positions(form: str, tmp_path: Path) -> None:
    steps: list[Step] = [("Squeeze", "length", "len"), ("Sub", "len i1", "end")]
    if form == "backwards":
        steps.append(("Range", "end m1 m1", "at"))
    else:
        steps += [
            ("Range", "i0 len i1", "r"),
            ("Add", "r i1", "later"),
            ("Min", "later end" if form == "next" else "r i3", "at"),
        ]
    steps.append(("Gather", "h at", "g", {"axis": 2 if form == "features" else 1}))
    steps.append(("ReduceSum", "g two_", "m") if form == "features" else ("Identity", "g", "m"))
    steps.append(("Sub", "h m", "out"))
    weights = {**WEIGHTS, "i0": np.array(0), "i1": np.array(1), "i3": np.array(3), "m1": np.array(-1)}
    agree(build(steps, ("out", ALONG), weights), tmp_path)


def test_pairs_of_indices(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("ArgMax", "tokens", "at", {"axis": 1, "keepdims": 1}),
        ("Mul", "at zero", "row"),
        ("Concat", "row at", "pair", {"axis": 1}),
        ("GatherND", "h pair", "out"),
    ]
    check(tmp_path, steps)


@pytest.mark.parametrize("axis", [1, 2])
def test_elements_at_the_largest(axis: int, tmp_path: Path) -> None:
    steps: list[Step] = [
        ("ArgMax", "h", "at", {"axis": axis, "keepdims": 1}),
        ("GatherElements", "h at", "found", {"axis": axis}),
        ("Add", "h found", "y"),
        MEAN,
    ]
    check(tmp_path, steps)


@pytest.mark.parametrize("axis", [1, 2])
@pytest.mark.parametrize("largest", [0, 1])
def test_two_largest(axis: int, largest: int, tmp_path: Path) -> None:
    steps: list[Step] = [
        ("TopK", "h two_", "v i", {"axis": axis, "largest": largest}),
        ("Cast", "i", "f", {"to": TensorProto.FLOAT}),
        ("Add", "v f", "y"),
        ("ReduceSum", "y one", "out", {"keepdims": 0}),
    ]
    check(tmp_path, steps, lengths=(2, 3, 6), shape=["batch", WIDTH if axis == 1 else 2])


def test_two_largest_with_ties(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Gather", "embed tokens", "e2"),
        ("TopK", "e2 two_", "v i", {"axis": 1}),
        ("Cast", "i", "f", {"to": TensorProto.FLOAT}),
        ("ReduceSum", "f one", "out", {"keepdims": 0}),
    ]
    check(tmp_path, steps, lengths=(2, 3, 6))


@pytest.mark.parametrize("axis", [1, 2])
def test_hardmax(axis: int, tmp_path: Path) -> None:
    check(tmp_path, [("Hardmax", "h", "y", {"axis": axis}), ("Mul", "y h", "out")], shape=ALONG)


@pytest.mark.parametrize("axis", [-1, 1])
def test_letters_as_one_hot_rows(axis: int, tmp_path: Path) -> None:
    steps: list[Step] = [("OneHot", "tokens depth ends", "hot", {"axis": axis})]
    if axis == 1:
        steps.append(("Transpose", "hot", "rows", {"perm": [0, 2, 1]}))
    steps.append(("MatMul", "rows project" if axis == 1 else "hot project", "out"))
    check(tmp_path, steps, shape=ALONG)


def test_writing_beside_the_sequence(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("ArgMax", "h", "at", {"axis": 2, "keepdims": 1}),
        ("Cast", "at", "f", {"to": TensorProto.FLOAT}),
        ("ScatterElements", "h at f", "out", {"axis": 2, "reduction": "add"}),
    ]
    check(tmp_path, steps, shape=ALONG)


def test_writing_along_the_sequence(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("ArgMax", "h", "at", {"axis": 1, "keepdims": 1}),
        ("Cast", "at", "f", {"to": TensorProto.FLOAT}),
        ("ScatterElements", "h at f", "out", {"axis": 1}),
    ]
    check(tmp_path, steps, shape=ALONG)


@pytest.mark.parametrize("upper", [0, 1])
@pytest.mark.parametrize("shift", [-2, 0, 1, 5])
def test_triangles_of_positions_and_features(upper: int, shift: int, tmp_path: Path) -> None:
    weights = {**WEIGHTS, "shift": np.array(shift)}
    either: list[list[Step]] = [
        [("Trilu", "h shift", "out", {"upper": upper})],
        [
            ("Transpose", "h", "t", {"perm": [0, 2, 1]}),
            ("Trilu", "t shift", "u", {"upper": upper}),
            ("Transpose", "u", "out", {"perm": [0, 2, 1]}),
        ],
    ]
    for steps in either:
        agree(build(steps, ("out", ALONG), weights), tmp_path, lengths=(1, 3, 6))


@pytest.mark.parametrize("k", [-1, 0, 2])
def test_diagonals_of_positions_and_features(k: int, tmp_path: Path) -> None:
    steps: list[Step] = [("Squeeze", "h zero", "m"), ("EyeLike", "m", "eye", {"k": k}), ("Add", "h eye", "out")]
    check(tmp_path, steps, shape=ALONG)


@pytest.mark.parametrize("mode", ["constant", "edge", "reflect", "wrap"])
@pytest.mark.parametrize("pads", [(0, 2, 0, 0, 1, 0), (0, 0, 1, 0, 0, 2), (0, -1, 0, 0, 1, 0)])
def test_borders(mode: str, pads: tuple[int, ...], tmp_path: Path) -> None:
    weights = {**WEIGHTS, "pads": np.array(pads)}
    steps: list[Step] = [
        ("Pad", "h pads fill" if mode == "constant" else "h pads", "y", {"mode": mode}),
        ("ReduceMean", "y one", "m", {"keepdims": 0}),
        ("ReduceMax", "y one", "x", {"keepdims": 0}),
        ("Add", "m x", "out"),
    ]
    width = WIDTH + pads[2] + pads[5]
    agree(build(steps, ("out", ["batch", width]), weights), tmp_path, lengths=(4, 6))


def test_a_constant_that_depends_on_the_input_as_border(tmp_path: Path) -> None:
    weights = {**WEIGHTS, "pads": np.array([0, 1, 1, 0, 0, 0])}
    steps: list[Step] = [
        ("ReduceMax", "h", "top", {"keepdims": 0}),
        ("Pad", "h pads top", "y"),
        MEAN,
    ]
    agree(build(steps, ("out", ["batch", WIDTH + 1]), weights), tmp_path)


@pytest.mark.parametrize(("start", "end"), [("last", "far"), ("last", "first"), ("four", "far"), ("second", "far")])
def test_backwards(start: str, end: str, tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Slice", f"h {start} {end} one last", "back"),
        ("ReduceMax", "back one", "a", {"keepdims": 0}),
        ("Slice", "back zero one one", "b"),
        ("Squeeze", "b one", "c"),
        ("Mul", "a c", "out"),
    ]
    check(tmp_path, steps, lengths=(3, 5))


def test_backwards_with_a_slot(tmp_path: Path) -> None:
    weights = {**WEIGHTS, "cls": np.ones((1, 1, WIDTH), dtype=np.float32)}
    steps: list[Step] = [
        ("Concat", "cls h", "long", {"axis": 1}),
        ("Slice", "long last far one last", "back"),
        ("Slice", "back one two_ one", "y"),
        MEAN,
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path, lengths=(2, 4))


def test_reversed_as_a_whole(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("ReverseSequence", "h length", "back", {"time_axis": 1, "batch_axis": 0}),
        ("Sub", "h back", "out"),
    ]
    check(tmp_path, steps, shape=ALONG)


def test_reversed_up_to_a_computed_length(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("ArgMax", "tokens", "at", {"axis": 1, "keepdims": 0}),
        ("ReverseSequence", "h at", "back", {"time_axis": 1, "batch_axis": 0}),
        ("Sub", "h back", "out"),
    ]
    check(tmp_path, steps, shape=ALONG)


@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_resizing_beside_the_sequence(mode: str, tmp_path: Path) -> None:
    steps: list[Step] = [("Resize", "h none_ scales", "y", {"mode": mode}), MEAN]
    if mode == "cubic":
        steps = [
            ("Unsqueeze", "h zero", "h4"),
            ("Resize", "h4 none_ scales4", "y4", {"mode": mode}),
            ("Squeeze", "y4 zero", "y"),
        ]
        steps.append(MEAN)
    weights = {**WEIGHTS, "scales4": np.array([1, 1, 1, 1.5], dtype=np.float32)}
    agree(build(steps, ("out", ["batch", WIDTH * 3 // 2]), weights), tmp_path)


def test_tiles_beside_the_sequence(tmp_path: Path) -> None:
    steps: list[Step] = [("Tile", "h thrice", "y"), MEAN]
    check(tmp_path, steps, shape=["batch", 3 * WIDTH])


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([("Resize", "h none_ longer", "y"), MEAN], "N028"),
        ([("Tile", "h twice", "y"), MEAN], "N023"),
        ([("Slice", "h first last one back", "y"), MEAN], "N043"),
        ([("TopK", "h five", "y i", {"axis": 2}), MEAN], "N050"),
    ],
)
def test_what_has_no_meaning_for_every_length(steps: list[Step], code: str, tmp_path: Path) -> None:
    weights = {
        **WEIGHTS,
        "longer": np.array([1, 2, 1], dtype=np.float32),
        "twice": np.array([1, 2, 1]),
        "back": np.array([-2]),
        "five": np.array([WIDTH + 1]),
    }
    with pytest.raises(FomError) as caught:
        read(save(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path))
    assert code in {diagnostic.code for diagnostic in caught.value.diagnostics}
