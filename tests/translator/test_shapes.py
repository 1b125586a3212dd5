"""Shapes as expressions: idioms of exporters, unification, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from circuits.diagnostics import FomError
from translator.shapes import Shapes, infer

Step = tuple[Any, ...]
Dims = list[int | str | None]


def model(
    steps: list[Step], inputs: dict[str, tuple[int, Dims]], stored: dict[str, Any] | None = None, opset: int = 20
) -> onnx.ModelProto:
    """A graph of steps ``(op, inputs, outputs, attributes)``, whose outputs are those of the last step."""
    nodes = []
    for op, read, made, *attributes in steps:
        domain, _, name = op.rpartition(":")
        given = attributes[0] if attributes else {}
        read = ["" if each == "-" else each for each in read.split()]
        nodes.append(helper.make_node(name, read, made.split(), domain=domain, **given))
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(name, dtype, dims) for name, (dtype, dims) in inputs.items()],
        [onnx.ValueInfoProto(name=name) for name in nodes[-1].output],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (stored or {}).items()],
    )
    imports = [helper.make_opsetid("", opset), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=imports, ir_version=10)


def data(*dims: int | str | None) -> tuple[int, Dims]:
    """A tensor of floats."""
    return TensorProto.FLOAT, list(dims)


def shown(shapes: Shapes, name: str) -> str:
    """A shape as text."""
    return str(shapes.tensors[name])


def relations(shapes: Shapes) -> list[str]:
    """The constraints as text, without reasons."""
    return [str(each).partition(" (")[0] for each in shapes.constraints]


X = {"x": data("batch", "seq", 64)}


@pytest.mark.parametrize(
    ("shape", "expected", "needed"),
    [
        ([0, 0, 4, 16], "float[batch, seq, 4, 16]", []),
        ([0, -1, 4, 16], "float[batch, seq, 4, 16]", []),
        ([-1, 64], "float[batch*seq, 64]", []),
        ([-1], "float[64*batch*seq]", []),
        ([16, -1, 4], "float[16, batch*seq, 4]", []),
        ([-1, 6, 64], "float[floor(batch*seq/6), 6, 64]", ["Mod(batch*seq, 6) == 0"]),
        ([0, 6, 64], "float[batch, 6, 64]", ["seq == 6"]),
    ],
)
def test_reshape(shape: list[int], expected: str, needed: list[str]) -> None:
    shapes = infer(model([("Reshape", "x s", "y")], X, {"s": np.array(shape)}))
    assert shown(shapes, "y") == expected
    assert relations(shapes) == needed
    assert shapes.symbols == ("batch", "seq")


def test_a_baked_length_is_a_constraint() -> None:
    """The number of entries says it: 16 * batch * seq == 96 * batch."""
    steps: list[Step] = [("Shape", "x", "b", {"start": 0, "end": 1}), ("Concat", "b k", "s", {"axis": 0})]
    made = model([*steps, ("Reshape", "x s", "y")], {"x": data("batch", "seq", 16)}, {"k": np.array([6, 16])})
    shapes = infer(made)
    assert relations(shapes) == ["seq == 6"]
    assert shapes.admits({"batch": 3, "seq": 6}) == []
    assert [each.relation for each in shapes.admits({"batch": 3, "seq": 7})] == [shapes.constraints[0].relation]
    assert "`y` (Reshape)" in shapes.constraints[0].reason


def test_the_expand_idiom_of_torchscript_is_decided() -> None:
    """``Where(Equal(shape, -1), ones, shape)``: no size is -1."""
    steps: list[Step] = [
        ("Shape", "x", "d", {"start": 0, "end": 2}),
        ("Concat", "one d", "s", {"axis": 0}),
        ("Shape", "s", "k"),
        ("ConstantOfShape", "k", "ones", {"value": numpy_helper.from_array(np.array([1]))}),
        ("Mul", "ones minus", "test"),
        ("Equal", "s test", "open"),
        ("Where", "open ones s", "t"),
        ("Expand", "m t", "y"),
    ]
    stored = {"one": np.array([1]), "minus": np.array(-1), "m": np.ones((1, 1, 1), np.float32)}
    shapes = infer(model(steps, X, stored))
    assert shown(shapes, "y") == "float[1, batch, seq]"
    assert not shapes.constraints


@pytest.mark.parametrize(
    ("start", "end", "step", "expected"),
    [
        (0, 2**63 - 1, 1, "seq"),
        (1, 2**31 - 1, 1, "seq - 1"),
        (1, 10**9, 1, "seq - 1"),
        (0, -1, 1, "seq - 1"),
        (-1, 2**63 - 1, 1, "1"),
        (0, 1, 1, "1"),
        (0, 3, 1, "Min(3, seq)"),
        (3, 2**63 - 1, 1, "seq - Min(3, seq)"),
        (0, 2**63 - 1, 2, "floor(seq/2 + 1/2)"),
        (-1, -(2**63) + 1, -1, "seq"),
        (-1, -(2**63) + 1, -2, "floor(seq/2 + 1/2)"),
    ],
)
def test_slice(start: int, end: int, step: int, expected: str) -> None:
    stored = {"a": np.array([start]), "b": np.array([end]), "axis": np.array([1]), "by": np.array([step])}
    shapes = infer(model([("Slice", "x a b axis by", "y")], X, stored))
    assert shown(shapes, "y") == f"float[batch, {expected}, 64]"
    for size in range(1, 9):
        counted = len(range(size)[slice(start, end, step)])
        assert shapes.evaluate("y", {"batch": 2, "seq": size}) == (2, counted, 64)


def test_a_position_buffer_bounds_the_length() -> None:
    steps: list[Step] = [
        ("Shape", "x", "n", {"start": 1, "end": 2}),
        ("Slice", "table zero n one", "p"),
        ("Add", "x p", "y"),
    ]
    stored = {"table": np.ones((1, 48, 64), np.float32), "zero": np.array([0]), "one": np.array([1])}
    shapes = infer(model(steps, X, stored))
    assert shown(shapes, "p") == "float[1, Min(48, seq), 64]"
    assert shown(shapes, "y") == "float[batch, seq, 64]"
    assert relations(shapes) == ["seq <= 48"]
    assert shapes.admits({"seq": 48}) == []
    assert len(shapes.admits({"seq": 49})) == 1


@pytest.mark.parametrize(("first", "needed"), [(0, "seq <= 48"), (2, "seq <= 46")])
def test_positions_bound_the_table_they_are_taken_from(first: int, needed: str) -> None:
    steps: list[Step] = [
        ("Shape", "x", "d"),
        ("Gather", "d one", "n"),
        ("Range", "zero n one", "r"),
        ("Add", "r first", "q"),
        ("Unsqueeze", "q axes", "u"),
        ("Gather", "table u", "p"),
        ("Add", "x p", "y"),
    ]
    stored = {
        "table": np.ones((48, 64), np.float32),
        "zero": np.array(0),
        "one": np.array(1),
        "first": np.array(first),
        "axes": np.array([0]),
    }
    shapes = infer(model(steps, X, stored))
    assert shown(shapes, "p") == "float[1, seq, 64]"
    assert relations(shapes) == [needed]


def test_range_with_a_float_limit() -> None:
    steps: list[Step] = [
        ("Shape", "x", "d"),
        ("Gather", "d one", "n"),
        ("Cast", "n", "f", {"to": TensorProto.FLOAT}),
        ("Div", "f two", "h"),
        ("Range", "zero h by", "y"),
    ]
    stored = {"one": np.array(1), "two": np.float32(2), "zero": np.float32(0), "by": np.float32(0.25)}
    shapes = infer(model(steps, X, stored))
    assert shown(shapes, "y") == "float[2*seq]"


@pytest.mark.parametrize("factor", [0.5, 0.7, 0.1, 2.0, 1 / 3, 1.7, 0.6])
def test_factors_round_as_single_precision_does(factor: float) -> None:
    """``Floor(Cast(H) * 0.7)`` is 7 for H = 10, although the float 0.7 is less than seven tenths."""
    steps: list[Step] = [
        ("Shape", "x", "s", {"start": 2, "end": 3}),
        ("Cast", "s", "f", {"to": TensorProto.FLOAT}),
        ("Mul", "f factor", "g"),
        ("Floor", "g", "h"),
        ("Cast", "h", "i", {"to": TensorProto.INT64}),
        ("ConstantOfShape", "i", "made"),
        ("Resize", "x - scales", "y"),
    ]
    stored = {"factor": np.float32(factor), "scales": np.array([1, 1, factor, 1], np.float32)}
    shapes = infer(model(steps, {"x": data(1, 3, "H", "W")}, stored))
    for size in range(1, 200):
        expected = int(np.floor(np.float32(size) * np.float32(factor)))
        assert shapes.evaluate("made", {"H": size}) == (expected,)
        assert shapes.evaluate("y", {"H": size, "W": 5}) == (1, 3, expected, 5)


def test_two_lengths_and_unnamed_dimensions() -> None:
    inputs = {"q": data("batch", "dec", 32), "k": data(None, "enc", 32), "b": data(None, "enc", 32)}
    steps: list[Step] = [
        ("Transpose", "k", "t", {"perm": [0, 2, 1]}),
        ("MatMul", "q t", "s"),
        ("Softmax", "s", "p"),
        ("MatMul", "p b", "y"),
    ]
    shapes = infer(model(steps, inputs))
    assert shapes.symbols == ("batch", "dec", "k_0", "enc", "b_0")
    assert shown(shapes, "s") == "float[Max(batch, k_0), dec, enc]"
    assert shapes.evaluate("y", {"batch": 1, "k_0": 4, "b_0": 4, "dec": 3, "enc": 5}) == (4, 3, 32)
    assert relations(shapes)[0] == "batch == 1 or batch == k_0 or k_0 == 1"
    assert len(shapes.admits({"batch": 2, "k_0": 4, "b_0": 4})) == 1


def test_broadcasting_with_a_number_gives_the_number() -> None:
    shapes = infer(model([("Add", "x c", "y")], {"x": data("n", 8)}, {"c": np.ones((5, 1), np.float32)}))
    assert shown(shapes, "y") == "float[5, 8]"
    assert relations(shapes) == ["n == 1 or n == 5"]


def test_images_give_the_least_size() -> None:
    steps: list[Step] = [
        ("Conv", "x w", "a", {"strides": [2, 2]}),
        ("MaxPool", "a", "b", {"kernel_shape": [3, 3], "strides": [2, 2]}),
        ("GlobalAveragePool", "b", "y"),
    ]
    stored = {"w": np.ones((4, 3, 7, 7), np.float32)}
    shapes = infer(model(steps, {"x": data("N", 3, "H", "W")}, stored))
    assert shown(shapes, "a") == "float[N, 4, floor(H/2 - 7/2) + 1, floor(W/2 - 7/2) + 1]"
    assert sorted(relations(shapes)) == ["H >= 11", "W >= 11"]
    assert shown(shapes, "y") == "float[N, 4, 1, 1]"


def test_squeeze_without_axes_needs_a_size_other_than_one() -> None:
    shapes = infer(model([("Squeeze", "x", "y")], {"x": data("n", 1, 8)}, opset=11))
    assert shown(shapes, "y") == "float[n, 8]"
    assert relations(shapes) == ["n >= 2"]


def test_data_dependent_shapes_are_named() -> None:
    steps: list[Step] = [("NonZero", "x", "z"), ("Transpose", "z", "t"), ("Shape", "t", "s"), ("Abs", "x", "y")]
    shapes = infer(model(steps, X))
    assert [(each.outputs, each.data_dependent) for each in shapes.unknown] == [
        (("z",), True),
        (("t",), False),
        (("s",), False),
    ]
    assert shapes.tensors["z"].dtype == "int64"
    assert shown(shapes, "y") == "float[batch, seq, 64]"
    with pytest.raises(FomError, match="N094"):
        shapes.evaluate("z", {})


def test_a_shape_that_is_an_input_is_bound() -> None:
    made = model([("Reshape", "x s", "y")], X | {"s": (TensorProto.INT64, [3])})
    open_shapes = infer(made)
    assert open_shapes.unknown[0].data_dependent
    shapes = infer(made, {"s": np.array([0, -1, 32])})
    assert shown(shapes, "y") == "float[batch, 2*seq, 32]"
    assert not shapes.unknown


@pytest.mark.parametrize(
    ("name", "array"),
    [("t", np.array([1])), ("s", np.array([1.0])), ("s", np.array([[1]])), ("s", np.array([1, 2]))],
)
def test_a_constant_that_does_not_fit(name: str, array: np.ndarray[Any, Any]) -> None:
    made = model([("Reshape", "x s", "y")], X | {"s": (TensorProto.INT64, [3])})
    with pytest.raises(FomError, match="N092"):
        infer(made, {name: array})


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([("Add", "x c", "y")], "N090"),
        ([("MatMul", "x c", "y")], "N090"),
        ([("Transpose", "x", "y", {"perm": [0, 0, 1]})], "N091"),
        ([("Concat", "x x", "y", {"axis": 7})], "N091"),
        ([("Squeeze", "x axes", "y")], "N090"),
        ([("Cast", "x", "y")], "N020"),
        ([("Add", "x", "y")], "N020"),
        ([("Add", "x nowhere", "y")], "N006"),
    ],
)
def test_operands_that_never_fit(steps: list[Step], code: str) -> None:
    stored = {"c": np.ones((3, 5), np.float32), "axes": np.array([2])}
    with pytest.raises(FomError, match=code):
        infer(model(steps, X, stored))


def test_all_findings_are_reported_at_once() -> None:
    steps: list[Step] = [("Add", "x c", "y"), ("MatMul", "x c", "z"), ("Add", "z y", "out")]
    with pytest.raises(FomError) as caught:
        infer(model(steps, X, {"c": np.ones((3, 5), np.float32)}))
    assert [each.where for each in caught.value.diagnostics] == [
        "graph `g`, node 0 `y` (Add)",
        "graph `g`, node 1 `z` (MatMul)",
    ]


def test_sizes_are_checked() -> None:
    shapes = infer(model([("Abs", "x", "y")], X))
    for sizes in ({"batch": 1}, {"batch": 1, "seq": -1}, {"batch": 1, "seq": 2, "other": 3}):
        with pytest.raises(FomError, match="N093"):
            shapes.evaluate("y", sizes)
    with pytest.raises(FomError, match="N093"):
        shapes.evaluate("z", {"batch": 1, "seq": 2})


def test_quantized_operators_of_the_runtime() -> None:
    steps: list[Step] = [
        ("QuantizeLinear", "x sc zp", "q"),
        ("com.microsoft:QLinearAdd", "q sc zp r sc zp sc zp", "a"),
        ("com.microsoft:QLinearConcat", "sc zp a sc zp q sc zp", "c", {"axis": 1}),
        ("com.microsoft:QLinearSoftmax", "c sc zp sc zp", "s", {"axis": -1, "opset": 13}),
        ("Flatten", "s", "f", {"axis": 2}),
        ("com.microsoft:QGemm", "f sc zp w sc zp - sc zp", "g", {"transB": 1}),
        ("DequantizeLinear", "g sc zp", "y"),
    ]
    stored = {
        "sc": np.float32(0.5),
        "zp": np.uint8(3),
        "r": np.ones((1, 64), np.uint8),
        "w": np.ones((10, 64), np.uint8),
    }
    shapes = infer(model(steps, X, stored))
    assert shown(shapes, "c") == "uint8[batch, 2*seq, 64]"
    assert shown(shapes, "g") == "uint8[2*batch*seq, 10]"
    assert shown(shapes, "y") == "float[2*batch*seq, 10]"


def test_sequences_that_are_known_lists() -> None:
    steps: list[Step] = [
        ("SplitToSequence", "x parts", "s", {"axis": 2}),
        ("SequenceAt", "s one", "a"),
        ("SequenceConstruct", "a x", "t"),
        ("ConcatFromSequence", "t", "y", {"axis": 2}),
    ]
    shapes = infer(model(steps, X, {"parts": np.array([16, 48]), "one": np.array(1)}))
    assert shown(shapes, "s[0]") == "float[batch, seq, 16]"
    assert shown(shapes, "y") == "float[batch, seq, 112]"


def _branch(name: str, op: str) -> onnx.GraphProto:
    node = helper.make_node(op, ["x", "x"] if op == "Add" else ["x"], [name])
    return helper.make_graph([node], name, [], [onnx.ValueInfoProto(name=name)])


@pytest.mark.parametrize(("other", "condition", "expected"), [("Shape", True, "float"), ("Shape", False, "int64")])
def test_a_constant_condition_chooses_the_branch(other: str, condition: bool, expected: str) -> None:
    branches = {"then_branch": _branch("a", "Add"), "else_branch": _branch("b", other)}
    shapes = infer(model([("If", "c", "y", branches)], X, {"c": np.array(condition)}))
    assert shapes.tensors["y"].dtype == expected


def test_an_open_condition_is_decided_where_the_branches_agree() -> None:
    inputs = X | {"c": (TensorProto.BOOL, [])}
    same = {"then_branch": _branch("a", "Add"), "else_branch": _branch("b", "Abs")}
    assert shown(infer(model([("If", "c", "y", same)], inputs)), "y") == "float[batch, seq, 64]"
    other = {"then_branch": _branch("a", "Add"), "else_branch": _branch("b", "Shape")}
    shapes = infer(model([("If", "c", "y", other)], inputs))
    assert shapes.unknown[0].data_dependent


@pytest.mark.parametrize(("steps", "expected"), [(3, "float[batch, seq, 512]"), (0, "float[batch, seq, 64]")])
def test_a_loop_of_known_length_is_unrolled(steps: int, expected: str) -> None:
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["goes"]),
            helper.make_node("Concat", ["h", "h"], ["k"], axis=2),
        ],
        "body",
        [onnx.ValueInfoProto(name=name) for name in ("i", "go", "h")],
        [onnx.ValueInfoProto(name=name) for name in ("goes", "k")],
    )
    for value in body.input:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    shapes = infer(model([("Loop", "m - x", "y", {"body": body})], X, {"m": np.array(steps)}))
    assert shown(shapes, "y") == expected


def test_a_loop_along_the_sequence_keeps_its_shapes() -> None:
    body = helper.make_graph(
        [
            helper.make_node("Constant", [], ["goes"], value=numpy_helper.from_array(np.array(True))),
            helper.make_node("Tanh", ["h"], ["k"]),
            helper.make_node("ReduceMax", ["k"], ["out"], keepdims=0),
        ],
        "body",
        [onnx.ValueInfoProto(name=name) for name in ("i", "go", "h")],
        [onnx.ValueInfoProto(name=name) for name in ("goes", "k", "out")],
    )
    for value in body.input:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    steps: list[Step] = [
        ("Shape", "x", "n", {"start": 1, "end": 2}),
        ("Squeeze", "n", "m"),
        ("Loop", "m - x", "h rows", {"body": body}),
    ]
    shapes = infer(model(steps, X))
    assert shown(shapes, "h") == "float[batch, seq, 64]"
    assert shown(shapes, "rows") == "float[seq]"


def test_recurrent_layers() -> None:
    stored = {"w": np.ones((2, 40, 64), np.float32), "r": np.ones((2, 40, 10), np.float32)}
    attributes = {"hidden_size": 10, "direction": "bidirectional"}
    shapes = infer(model([("LSTM", "x w r", "y h c", attributes)], X, stored))
    assert [shown(shapes, name) for name in "yhc"] == [
        "float[batch, 2, seq, 10]",
        "float[2, seq, 10]",
        "float[2, seq, 10]",
    ]


def test_a_foreign_operator_is_unknown() -> None:
    shapes = infer(model([("com.microsoft:Foreign", "x", "y"), ("Abs", "y", "z")], X))
    assert "no rule" in shapes.unknown[0].reason
    assert shapes.tensors["z"].dims is None
