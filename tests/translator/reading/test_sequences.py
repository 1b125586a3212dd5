"""Lists of tensors and optionals, against onnxruntime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from circuits.diagnostics import FomError
from tests.translator.reading_graphs import WIDTH, Step, agree, build
from tests.translator.running import model_of, run
from translator.backend import FomBackend

Array = np.ndarray[Any, Any]
X = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
Y = np.random.default_rng(1).normal(size=(5, 4)).astype(np.float32)
PLACES = {
    "first": np.array(0),
    "second": np.array(1),
    "last": np.array(-1),
    "far": np.array(9),
    "two": np.array(2),
    "split": np.array([1, 3, 1]),
}


def compare(steps: list[Step], kind: int = TensorProto.FLOAT) -> None:
    """Run the steps on x and y in onnxruntime and here; the result is called z."""
    model = model_with(steps)
    model.graph.output[0].type.tensor_type.elem_type = kind
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": X, "y": Y})[0]
    found = run(model, {"x": X, "y": Y})["z"]
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert found.dtype == expected.dtype


def model_with(steps: list[Step]) -> Any:
    nodes = [
        helper.make_node(op, [n if n != "_" else "" for n in given.split()], made.split(), **(rest[0] if rest else {}))
        for op, given, made, *rest in steps
    ]
    used = {name for node in nodes for name in node.input}
    return model_of(nodes, {"x": X, "y": Y}, ["z"], {name: value for name, value in PLACES.items() if name in used})


PAIR: Step = ("SequenceConstruct", "x y", "s")


@pytest.mark.parametrize("place", ["first", "second", "last"])
def test_at(place: str) -> None:
    compare([PAIR, ("SequenceAt", f"s {place}", "z")])


@pytest.mark.parametrize("place", ["_", "first", "second", "last"])
def test_insert_and_erase(place: str) -> None:
    sum_: Step = ("Add", "x y", "t")
    join: Step = ("ConcatFromSequence", "u", "z", {"axis": 1})
    compare([PAIR, sum_, ("SequenceInsert", f"s t {place}", "u"), join])
    compare([PAIR, sum_, ("SequenceInsert", "s t", "v"), ("SequenceErase", f"v {place}", "u"), join])


def test_length_of_a_list() -> None:
    compare([PAIR, ("SequenceLength", "s", "n"), ("Cast", "n", "f", {"to": 1}), ("Mul", "x f", "z")])
    compare(
        [("SequenceEmpty", "", "s"), ("SequenceInsert", "s x", "t"), ("SequenceLength", "t", "z")], TensorProto.INT64
    )


@pytest.mark.parametrize("axis", [0, 1, -1, -3])
def test_new_axis(axis: int) -> None:
    compare([PAIR, ("ConcatFromSequence", "s", "z", {"axis": axis, "new_axis": 1})])


@pytest.mark.parametrize(("given", "keep"), [("x", 0), ("x", 1), ("x split", 0), ("x split", 1), ("x two", 1)])
@pytest.mark.parametrize("axis", [0, -2])
def test_split(given: str, keep: int, axis: int) -> None:
    split: Step = ("SplitToSequence", given, "s", {"axis": axis, "keepdims": keep})
    for place in ("first", "last"):
        compare([split, ("SequenceAt", f"s {place}", "z")])


def test_map() -> None:
    body = helper.make_graph(
        [helper.make_node("Mul", ["a", "b"], ["c"]), helper.make_node("Sub", ["c", "y"], ["d"])],
        "body",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "ab"],
        [helper.make_tensor_value_info("d", TensorProto.FLOAT, None)],
    )
    mapped: list[Step] = [
        PAIR,
        ("SequenceMap", "s x", "t", {"body": body}),
        ("ConcatFromSequence", "t", "z", {"axis": 0}),
    ]
    found = run(model_with(mapped), {"x": X, "y": Y})["z"]
    np.testing.assert_allclose(found, np.concatenate([X * X - Y, Y * X - Y]), rtol=1e-6)


def test_optionals() -> None:
    model = model_with([("Optional", "x", "o"), ("OptionalHasElement", "o", "h"), ("OptionalGetElement", "o", "e"),
                        ("Where", "h e y", "z")])  # fmt: skip
    np.testing.assert_array_equal(run(model, {"x": X, "y": Y})["z"], X)


def test_an_empty_optional() -> None:
    kind = helper.make_optional_type_proto(helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    empty: Step = ("Optional", "", "o", {"type": kind})
    model = model_with([empty, ("OptionalHasElement", "o", "h"), ("Where", "h x y", "z")])
    np.testing.assert_array_equal(run(model, {"x": X, "y": Y})["z"], Y)
    assert code([empty, ("OptionalGetElement", "o", "z")]) == "N068"


def code(steps: list[Step]) -> str:
    with pytest.raises(FomError) as caught:
        run(model_with(steps), {"x": X, "y": Y})
    return caught.value.diagnostics[0].code


def test_what_is_refused() -> None:
    assert code([PAIR, ("SequenceAt", "s far", "z")]) == "N068"
    assert code([PAIR, ("SequenceErase", "s far", "t"), ("SequenceAt", "t first", "z")]) == "N068"
    assert code([("SequenceEmpty", "", "s"), ("ConcatFromSequence", "s", "z", {"axis": 0})]) == "N068"
    assert code([PAIR, ("Relu", "s", "z")]) == "N018"
    assert code([("SequenceAt", "x first", "z")]) == "N018"
    assert (
        code(
            [("ReduceMax", "x", "m", {"keepdims": 0}), ("Cast", "m", "i", {"to": 7}), PAIR, ("SequenceAt", "s i", "z")]
        )
        == "N039"
    )


def test_lists_go_in_and_out() -> None:
    node = helper.make_node("SequenceInsert", ["s", "x"], ["z"])
    model = model_of([node], {"x": X}, ["z"])
    model.graph.input.append(helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, None))
    model.graph.output[0].CopyFrom(helper.make_tensor_sequence_value_info("z", TensorProto.FLOAT, None))
    (found,) = FomBackend.prepare(model).run({"x": X, "s": [Y, Y[:2]]})
    assert len(found) == 3
    for one, other in zip(found, [Y, Y[:2], X], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_lists_of_sequences(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("SplitToSequence", "h pair", "s", {"axis": 2}),
        ("SequenceAt", "s zero0", "a"),
        ("SequenceAt", "s last0", "b"),
        ("Mul", "a b", "c"),
        ("SequenceInsert", "s c", "t"),
        ("ConcatFromSequence", "t", "y", {"axis": -1}),
        ("ReduceMean", "y one", "out", {"keepdims": 0}),
    ]
    stored = {"pair": np.array(2), "zero0": np.array(0), "last0": np.array(-1)}
    agree(build(steps, ("out", ["batch", WIDTH + 2]), stored), tmp_path)
