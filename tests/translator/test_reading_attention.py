"""Attention, masks, normalizations and reductions against onnxruntime, and what they become."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, numpy_helper

from circuits.diagnostics import FomError
from circuits.positions import TRUE, AtLeast, var
from tests.translator.reading_graphs import ROWS, WIDTH, Step, agree, build, kinds, save
from translator.reading import read
from translator.real import Maximum, Ratio, Sum

MEAN: Step = ("ReduceMean", "y one", "out", {"keepdims": 0})
SHAPES = {"heads": np.array([0, 0, 2, 2]), "flat": np.array([0, 0, 4]), "root": np.array(1.4142135, np.float32)}
SCORES: list[Step] = [
    ("MatMul", "h w", "q0"),
    ("Reshape", "q0 heads", "q1"),
    ("Transpose", "q1", "q", {"perm": [0, 2, 1, 3]}),
    ("Reshape", "h heads", "k1"),
    ("Transpose", "k1", "k", {"perm": [0, 2, 3, 1]}),
    ("Transpose", "k1", "v", {"perm": [0, 2, 1, 3]}),
    ("MatMul", "q k", "s0"),
    ("Div", "s0 root", "s"),
]
APPLY: list[Step] = [
    ("MatMul", "a v", "z0"),
    ("Transpose", "z0", "z1", {"perm": [0, 2, 1, 3]}),
    ("Reshape", "z1 flat", "y"),
    MEAN,
]
SQUARE_SHAPE: Step = ("Concat", "length length", "nn", {"axis": 0})


def attend(*middle: Step) -> list[Step]:
    """Scores to weights by the given steps, from `s` to `a`."""
    return [*SCORES, *middle, *APPLY]


def test_an_attention_head_is_one_ratio(tmp_path: Path) -> None:
    network = agree(build(attend(("Softmax", "s", "a", {"axis": -1})), ("out", ["batch", WIDTH]), SHAPES), tmp_path)
    assert kinds(network)["Ratio"] == 2, "one head quotient, one mean"
    assert kinds(network)["Map"] == 1
    assert network.domain.most == ROWS


def test_decomposed_softmax_is_the_same(tmp_path: Path) -> None:
    steps = attend(
        ("ReduceMax", "s minus", "m", {"keepdims": 1}),
        ("Sub", "s m", "d"),
        ("Exp", "d", "x"),
        ("ReduceSum", "x minus", "t", {"keepdims": 1}),
        ("Div", "x t", "a"),
    )
    network = agree(build(steps, ("out", ["batch", WIDTH]), SHAPES), tmp_path)
    assert kinds(network)["Ratio"] == 2
    assert kinds(network)["Map"] == 1


def test_softmax_without_shift(tmp_path: Path) -> None:
    steps = attend(("Exp", "s", "x"), ("ReduceSum", "x minus", "t", {"keepdims": 1}), ("Div", "x t", "a"))
    assert kinds(agree(build(steps, ("out", ["batch", WIDTH]), SHAPES), tmp_path))["Ratio"] == 2


MASKS: dict[str, list[Step]] = {
    "trilu": [
        SQUARE_SHAPE,
        ("Expand", "huge nn", "full"),
        ("Trilu", "full k1s", "m", {"upper": 1}),
        ("Add", "s m", "t"),
    ],
    "constant_of_shape": [
        SQUARE_SHAPE,
        ("ConstantOfShape", "nn", "full", {"value": numpy_helper.from_array(np.array([1.0], np.float32))}),
        ("Trilu", "full", "low", {"upper": 0}),
        ("Sub", "unit low", "gap"),
        ("Mul", "gap huge", "m"),
        ("Add", "m s", "t"),
    ],
    "range": [
        ("Squeeze", "length", "len"),
        ("Range", "i0 len i1", "r"),
        ("Unsqueeze", "r one", "rows"),
        ("Unsqueeze", "r zero", "columns"),
        ("GreaterOrEqual", "rows columns", "ok"),
        ("Where", "ok s infinity", "t"),
    ],
    "buffer": [
        ("Slice", "tri zero length zero", "tri1"),
        ("Slice", "tri1 zero length one", "tri2"),
        ("Not", "tri2", "bad"),
        ("Where", "bad infinity s", "t"),
    ],
    "float_buffer": [("Slice", "fmask zz ll ax", "m"), ("Add", "s m", "t")],
}
MASK_WEIGHTS = {
    **SHAPES,
    "huge": np.array(-1e9, np.float32),
    "unit": np.array(1.0, np.float32),
    "k1s": np.array(1),
    "i0": np.array(0),
    "i1": np.array(1),
    "infinity": np.array(-np.inf, np.float32),
    "tri": np.tril(np.ones((ROWS, ROWS), dtype=bool)),
    "fmask": np.triu(np.full((ROWS, ROWS), -np.inf, np.float32), 1),
    "zz": np.array([0, 0]),
    "ax": np.array([0, 1]),
}


@pytest.mark.parametrize("name", MASKS)
def test_every_spelling_of_a_causal_mask_is_the_same_guard(name: str, tmp_path: Path) -> None:
    steps = attend(("Concat", "length length", "ll", {"axis": 0}), *MASKS[name], ("Softmax", "t", "a", {"axis": -1}))
    network = agree(build(steps, ("out", ["batch", WIDTH]), MASK_WEIGHTS), tmp_path)
    guards = [node.guard for node in network.nodes if isinstance(node, Sum) and node.n_positions == 1]
    guards += [node.guard for node in network.nodes if isinstance(node, Maximum)]  # type: ignore[misc]
    assert guards == [AtLeast(var(0) - var(1))] * 3


def test_mask_by_distance_and_finite_bias(tmp_path: Path) -> None:
    rows = np.arange(ROWS)
    gap = rows[:, None] - rows[None, :]
    mask = np.where(np.abs(gap) <= 2, -0.5 * np.abs(gap), -1e30).astype(np.float32)
    steps = attend(
        ("Concat", "length length", "ll", {"axis": 0}),
        ("Slice", "mask zz ll ax", "m"),
        ("Add", "s m", "t"),
        ("Softmax", "t", "a", {"axis": -1}),
    )
    weights = {**MASK_WEIGHTS, "mask": mask}
    agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path, lengths=(1, 2, 3, 5, 12))


def test_fully_masked_rows_are_refused(tmp_path: Path) -> None:
    mask = np.triu(np.full((ROWS, ROWS), -np.inf, np.float32), 0)
    steps = attend(
        ("Concat", "length length", "ll", {"axis": 0}),
        ("Slice", "mask zz ll ax", "m"),
        ("Add", "s m", "t"),
        ("Softmax", "t", "a", {"axis": -1}),
    )
    path = save(build(steps, ("out", ["batch", WIDTH]), {**MASK_WEIGHTS, "mask": mask}), tmp_path)
    with pytest.raises(FomError, match="every position is masked"):
        read(path)


def test_mask_that_depends_on_a_letter(tmp_path: Path) -> None:
    steps = attend(
        ("Equal", "tokens pad", "p0"),
        ("Unsqueeze", "p0 axes12", "p1"),
        ("Where", "p1 huge s", "t"),
        ("Softmax", "t", "a", {"axis": -1}),
    )
    weights = {**MASK_WEIGHTS, "pad": np.array(2), "axes12": np.array([1, 2])}
    network = agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path, lengths=(7, 8, 9))
    assert any("mask that depends on the input" in note for note in network.notes)


def test_constant_scores_are_uniform_attention(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("MatMul", "h nothing", "q"),
        ("Transpose", "h", "k", {"perm": [0, 2, 1]}),
        ("MatMul", "q k", "s"),
        SQUARE_SHAPE,
        ("Expand", "huge nn", "full"),
        ("Trilu", "full k1s", "m", {"upper": 1}),
        ("Add", "s m", "t"),
        ("Softmax", "t", "a", {"axis": -1}),
        ("MatMul", "a h", "y"),
        ("ReduceMax", "y one", "out", {"keepdims": 0}),
    ]
    weights = {**MASK_WEIGHTS, "nothing": np.zeros((WIDTH, WIDTH), np.float32)}
    network = agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path)
    assert "Map" not in kinds(network)


@pytest.mark.parametrize("op_type", ["LayerNormalization", "RMSNormalization"])
def test_normalizations(op_type: str, tmp_path: Path) -> None:
    given = "h gain bias" if op_type == "LayerNormalization" else "h gain"
    weights = {"gain": np.array([1, 2, -1, 0.5], np.float32), "bias": np.array([0, 1, 2, 3], np.float32)}
    steps: list[Step] = [(op_type, given, "y", {"epsilon": 1e-3, "axis": -1}), MEAN]
    network = agree(build(steps, ("out", ["batch", WIDTH]), weights, opset=23), tmp_path)
    assert (kinds(network)["Map"], kinds(network)["Multiply"]) == (1, 2)


def test_decomposed_rms_norm(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Pow", "h two_f", "a"),
        ("ReduceMean", "a minus", "b", {"keepdims": 1}),
        ("Add", "b eps", "c"),
        ("Sqrt", "c", "d"),
        ("Reciprocal", "d", "f"),
        ("Mul", "h f", "y"),
        MEAN,
    ]
    weights = {"two_f": np.array(2.0, np.float32), "eps": np.array(1e-3, np.float32)}
    network = agree(build(steps, ("out", ["batch", WIDTH]), weights), tmp_path)
    assert (kinds(network)["Map"], kinds(network)["Multiply"]) == (1, 2)


@pytest.mark.parametrize(
    "op_type", ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceSumSquare"]
)
@pytest.mark.parametrize("axes", [[1], [2], [1, 2]])
def test_reductions(op_type: str, axes: list[int], tmp_path: Path) -> None:
    steps: list[Step] = [
        (op_type, "h axes", "y", {"keepdims": 1}),
        ("Mul", "h y", "z"),
        ("ReduceMax", "z one", "out", {"keepdims": 0}),
    ]
    agree(build(steps, ("out", ["batch", WIDTH]), {"axes": np.array(axes)}), tmp_path)


@pytest.mark.parametrize("op_type", ["ReduceSum", "ReduceMean", "ReduceMax"])
def test_axes_as_attributes(op_type: str, tmp_path: Path) -> None:
    steps: list[Step] = [(op_type, "h", "out", {"axes": [1], "keepdims": 0})]
    agree(build(steps, ("out", ["batch", WIDTH]), opset=12), tmp_path)


def test_mean_over_positions_is_a_quotient_by_n(tmp_path: Path) -> None:
    network = agree(build([("ReduceMean", "h one", "out", {"keepdims": 0})], ("out", ["batch", WIDTH])), tmp_path)
    (ratio,) = [node for node in network.nodes if isinstance(node, Ratio)]
    length = network.node(ratio.den.node)
    assert (length.length.tolist(), length.const.tolist()) == ([1.0], [0.0])  # type: ignore[union-attr]
    (total,) = [node for node in network.nodes if isinstance(node, Sum)]
    assert total.guard == TRUE


def test_attention_operator(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("MatMul", "h w", "q"),
        ("Attention", "q h h", "y", {"q_num_heads": 2, "kv_num_heads": 2, "is_causal": 1}),
        MEAN,
    ]
    network = agree(build(steps, ("out", ["batch", WIDTH]), opset=23), tmp_path)
    assert kinds(network)["Ratio"] == 2


def test_hard_attention_by_comparison_with_the_maximum(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("MatMul", "e w", "q"),
        ("Transpose", "e", "k", {"perm": [0, 2, 1]}),
        ("MatMul", "q k", "s"),
        ("ReduceMax", "s minus", "m", {"keepdims": 1}),
        ("Sub", "m eps", "bound"),
        ("GreaterOrEqual", "s bound", "hit"),
        ("Cast", "hit", "f", {"to": TensorProto.FLOAT}),
        ("ReduceSum", "f minus", "count", {"keepdims": 1}),
        ("Div", "f count", "a"),
        ("MatMul", "a e", "y"),
        MEAN,
    ]
    network = agree(build(steps, ("out", ["batch", WIDTH]), {"eps": np.array(1e-3, np.float32)}), tmp_path)
    assert kinds(network)["Ratio"] == 2


def test_hard_routing_by_relative_position(tmp_path: Path) -> None:
    """A window of offsets chosen by ArgMax, as trained by hard routing: the relation y = x - 1, and nothing else."""
    steps: list[Step] = [
        ("Cast", "tokens", "x", {"to": TensorProto.FLOAT}),
        ("Shape", "tokens", "shape"),
        ("Gather", "shape i1", "len", {"axis": 0}),
        ("Range", "i0 len i1", "r"),
        ("Unsqueeze", "r one", "rows"),
        ("Add", "len i4", "longer"),
        ("Range", "i0 longer i1", "c"),
        ("Unsqueeze", "c zero", "columns"),
        ("Sub", "columns i4", "shifted"),
        ("Sub", "rows shifted", "gap"),
        ("GreaterOrEqual", "gap i0", "low"),
        ("Less", "gap i4", "high"),
        ("And", "low high", "inside"),
        ("Clip", "gap i0 i3", "offset"),
        ("Gather", "table offset", "score"),
        ("Where", "inside score far", "masked"),
        ("ArgMax", "masked", "best", {"axis": -1, "keepdims": 1}),
        ("Equal", "columns best", "hit"),
        ("Cast", "hit", "f", {"to": TensorProto.FLOAT}),
        ("Pad", "x pads", "padded"),
        ("Unsqueeze", "padded two", "v"),
        ("MatMul", "f v", "y"),
        ("Gather", "y i0", "out", {"axis": 2}),
    ]
    weights = {
        **{f"i{k}": np.array(k) for k in (0, 1, 3, 4)},
        "table": np.array([-1.0, 5.0, -3.0, 2.0], np.float32),
        "far": np.array(-1000.0, np.float32),
        "pads": np.array([0, 4, 0, 0]),
    }
    network = agree(build(steps, ("out", ["batch", "n"]), weights, start=[]), tmp_path, alphabet_size=4)
    assert set(kinds(network)) == {"Letters", "Linear"}
