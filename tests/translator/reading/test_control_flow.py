"""If, Loop and Scan: branches chosen or selected, loops unrolled, against onnxruntime; what has no fixed depth is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from circuits.diagnostics import Diagnostic, FomError
from tests.translator.reading_graphs import WIDTH, Step, agree, build
from tests.translator.running import model_of, run
from translator.reading.unrolling import MOST_UNROLLED

Array = np.ndarray[Any, Any]
FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
OUT: tuple[str, Sequence[int | str]] = ("out", ["batch", WIDTH])
MEAN: Step = ("ReduceMean", "y one", "out", {"keepdims": 0})
X = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
TRUE, COUNT = np.array(True), np.array(3)


def info(name: str, kind: int = FLOAT, shape: Sequence[int | str] | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def graph(
    nodes: list[onnx.NodeProto], inputs: list[Any], outputs: list[Any], stored: dict[str, Array] | None = None
) -> Any:
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in (stored or {}).items()]
    return helper.make_graph(nodes, "body", inputs, outputs, weights)


def node(op: str, given: str, made: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, [n if n != "_" else "" for n in given.split()], made.split(), **attributes)


def compare(
    nodes: list[onnx.NodeProto], inputs: dict[str, Array], made: dict[str, int], stored: dict[str, Array] | None = None,
    *, opset: int = 17, bind: Sequence[str] = (),
) -> None:  # fmt: skip
    """Run a model in onnxruntime and here."""
    model = model_of(nodes, inputs, list(made), stored, opset=opset)
    for value in model.graph.output:
        value.type.tensor_type.elem_type = made[value.name]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    runtime = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = run(model, inputs, {name: inputs[name] for name in bind})
    for name, one in zip(made, runtime.run(None, inputs), strict=True):
        np.testing.assert_allclose(found[name], one, rtol=1e-5, atol=1e-6)
        assert found[name].dtype == one.dtype


def refused(nodes: list[onnx.NodeProto], inputs: dict[str, Array], made: list[str], **stored: Array) -> Diagnostic:
    with pytest.raises(FomError) as caught:
        run(model_of(nodes, inputs, made, stored), inputs)
    return caught.value.diagnostics[0]


def branches(*, shapes: tuple[str, str] = ("x", "x")) -> dict[str, Any]:
    """Two branches that read a tensor of the graph around them."""
    yes = graph([node("Mul", f"{shapes[0]} two", "a")], [], [info("a")], {"two": np.array(2, np.float32)})
    no = graph([node("Exp", shapes[1], "b")], [], [info("b")])
    return {"then_branch": yes, "else_branch": no}


@pytest.mark.parametrize("condition", [True, False])
def test_if_with_a_constant(condition: bool) -> None:
    compare([node("If", "c", "y", **branches())], {"x": X}, {"y": FLOAT}, {"c": np.array(condition)})


@pytest.mark.parametrize("shift", [10.0, -10.0])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_if_on_the_input_selects(shift: float, shape: tuple[int, ...]) -> None:
    nodes = [
        node("ReduceSum", "x", "s", keepdims=0), node("Reshape", "s shape", "t"), node("Add", "t shift", "u"),
        node("Greater", "u zero", "c"), node("If", "c", "y", **branches()),
    ]  # fmt: skip
    stored: dict[str, Array] = {"shift": np.array(shift, np.float32), "zero": np.array(0, np.float32)}
    stored["shape"] = np.array(shape, np.int64)
    compare(nodes, {"x": X}, {"y": FLOAT}, stored)


def test_if_on_the_input_with_different_shapes_is_refused() -> None:
    nodes = [node("ReduceSum", "x", "s", keepdims=0), node("Cast", "s", "c", to=BOOL)]
    finding = refused([*nodes, node("If", "c", "y", **branches(shapes=("x", "s")))], {"x": X}, ["y"])
    assert finding.code == "N015"
    assert "(3, 2)" in finding.message


def counting(*, scans: bool = True) -> Any:
    """The state grows by the step and a tensor of the graph around; the scan output is its square."""
    nodes = [
        node("Cast", "i", "step", to=FLOAT), node("Add", "s step", "t"), node("Add", "t x", "next"),
        node("Identity", "c", "again"), node("Mul", "next next", "square"),
    ]  # fmt: skip
    outputs = [info("again", BOOL), info("next"), *([info("square")] if scans else [])]
    return graph(nodes, [info("i", INT64, []), info("c", BOOL, []), info("s")], outputs)


@pytest.mark.parametrize("given", ["count true", "count _"])
@pytest.mark.parametrize("shape", [(), (1,)])
def test_loop_is_unrolled(given: str, shape: tuple[int, ...]) -> None:
    stored = {"count": COUNT.reshape(shape), "true": TRUE, "zero": np.zeros((3, 2), np.float32)}
    compare(
        [node("Loop", f"{given} zero", "last rows", body=counting())], {"x": X}, {"last": FLOAT, "rows": FLOAT}, stored
    )


@pytest.mark.parametrize("stored", [{"count": np.array(0)}, {"count": np.array(-4)}, {"true": np.array(False)}])
def test_loop_without_steps(stored: dict[str, Array]) -> None:
    body = counting()
    body.output[2].CopyFrom(info("square", FLOAT, [3, 2]))
    start = {"count": COUNT, "true": TRUE, "zero": np.ones((3, 2), np.float32)}
    nodes = [node("Loop", "count true zero", "last rows", body=body), node("Add", "last x", "y")]
    compare(nodes, {"x": X}, {"y": FLOAT, "rows": FLOAT}, {**start, **stored})


def halting(threshold: str) -> Any:
    """Doubles the state while it is below a threshold."""
    nodes = [
        node("Add", "s s", "next"),
        node("ReduceMax", "next", "top", keepdims=0),
        node("Less", f"top {threshold}", "again"),
    ]
    return graph(nodes, [info("i", INT64, []), info("c", BOOL, []), info("s")], [info("again", BOOL), info("next")])


def test_loop_until_a_known_condition_fails() -> None:
    nodes = [node("Loop", "_ true one", "last", body=halting("limit")), node("Mul", "last x", "y")]
    stored = {"true": TRUE, "one": np.ones(2, np.float32), "limit": np.array(20, np.float32)}
    compare(nodes, {"x": X}, {"y": FLOAT}, stored)


@pytest.mark.parametrize("start", [0.1, 3.0, 20.0])
def test_loop_that_stops_on_the_input_keeps_its_state(start: float) -> None:
    nodes = [node("Loop", "count true x", "last", body=halting("limit"))]
    stored = {"count": np.array(5), "true": TRUE, "limit": np.array(20, np.float32)}
    compare(nodes, {"x": np.full((2,), start, np.float32)}, {"last": FLOAT}, stored)


def test_loop_that_stops_on_the_input_without_a_bound_is_refused() -> None:
    stored = {"true": TRUE, "limit": np.array(20, np.float32)}
    finding = refused([node("Loop", "_ true x", "last", body=halting("limit"))], {"x": X}, ["last"], **stored)
    assert finding.code == "N014"
    assert "no bound" in finding.message


def test_rows_that_depend_on_the_input_are_refused() -> None:
    body = halting("limit")
    body.node.append(node("Identity", "next", "row"))
    body.output.append(info("row"))
    stored = {"true": TRUE, "limit": np.array(20, np.float32), "count": COUNT}
    finding = refused([node("Loop", "count true x", "last rows", body=body)], {"x": X}, ["last", "rows"], **stored)
    assert finding.code == "N019"


def test_a_trip_count_from_the_input_is_refused() -> None:
    nodes = [node("Cast", "x", "count", to=INT64), node("Loop", "count true zero", "y", body=counting(scans=False))]
    finding = refused(nodes, {"x": np.ones((), np.float32)}, ["y"], true=TRUE, zero=np.zeros((), np.float32))
    assert finding.code == "N014"


@pytest.mark.parametrize("count", [MOST_UNROLLED, 2**62])
def test_too_many_steps_are_refused(count: int) -> None:
    stored = {"count": np.array(count), "true": TRUE, "zero": np.zeros((), np.float32)}
    body = graph(
        [node("Identity", "s", "t")],
        [info("i", INT64, []), info("c", BOOL, []), info("s")],
        [info("c", BOOL), info("t")],
    )
    nodes = [node("Loop", "count true zero", "z", body=body), node("Add", "z x", "y")]
    assert refused(nodes, {"x": X}, ["y"], **stored).code == "N067"


def test_nested_loops_and_branches() -> None:
    """A loop in a loop in a branch, each reading tensors of all graphs around it."""
    inner = graph(
        [node("Mul", "s x", "m"), node("Add", "m outer", "t")],
        [info("j", INT64, []), info("d", BOOL, []), info("s")],
        [info("d", BOOL), info("t")],
    )
    outer = graph(
        [node("Cast", "i", "outer", to=FLOAT), node("Loop", "two c r", "u", body=inner)],
        [info("i", INT64, []), info("c", BOOL, []), info("r")],
        [info("c", BOOL), info("u")],
    )
    yes = graph([node("Loop", "count true x", "v", body=outer)], [], [info("v")])
    no = graph([node("Identity", "x", "w")], [], [info("w")])
    nodes = [node("If", "true", "y", then_branch=yes, else_branch=no)]
    compare(nodes, {"x": X}, {"y": FLOAT}, {"count": COUNT, "two": np.array(2), "true": TRUE})


def test_control_flow_in_a_local_function() -> None:
    body = node("Loop", "count true x", "last", body=counting(scans=False))
    function = helper.make_function(
        "own",
        "Twice",
        ["count", "true", "x"],
        ["y"],
        [body, node("Add", "last last", "y")],
        [helper.make_opsetid("", 17)],
    )
    call = node("Twice", "count true x", "y", domain="own")
    model = model_of([call], {"x": X}, ["y"], {"count": COUNT, "true": TRUE})
    model.functions.append(function)
    model.opset_import.append(helper.make_opsetid("own", 1))
    model.graph.output[0].type.tensor_type.elem_type = FLOAT
    expected = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": X})[0]
    np.testing.assert_allclose(run(model, {"x": X})["y"], expected, rtol=1e-5)


def summing() -> Any:
    """Running sums: the state, and a row of each step."""
    return graph(
        [node("Mul", "s half", "h"), node("Add", "h a", "t"), node("Sub", "t b", "row")],
        [info("s"), info("a"), info("b")],
        [info("t"), info("row")],
        {"half": np.array(0.5, np.float32)},
    )


@pytest.mark.parametrize("axes", [[0, 1], [-2, -1]])
@pytest.mark.parametrize("directions", [[0, 0], [0, 1], [1, 0]])
@pytest.mark.parametrize("output", [(0, 0), (1, 0), (0, 1), (-1, 1)])
def test_scan(axes: list[int], directions: list[int], output: tuple[int, int]) -> None:
    inputs = {"s": X[0], "a": X, "b": X.T.copy() * 3}
    scan = node(
        "Scan", "s a b", "last rows", body=summing(), num_scan_inputs=2, scan_input_axes=axes,
        scan_input_directions=directions, scan_output_axes=[output[0]], scan_output_directions=[output[1]],
    )  # fmt: skip
    compare([scan], inputs, {"last": FLOAT, "rows": FLOAT})


@pytest.mark.parametrize("directions", [[0, 0], [1, 0]])
@pytest.mark.parametrize("lengths", [None, [3, 2]])
def test_scan_with_a_batch(directions: list[int], lengths: list[int] | None) -> None:
    rng = np.random.default_rng(1)
    inputs = {name: rng.normal(size=(2, 3, 2)).astype(np.float32) for name in "ab"} | {"s": X[:2]}
    first = "_" if lengths is None else "lens"
    scan = node("Scan", f"{first} s a b", "last rows", body=summing(), num_scan_inputs=2, directions=directions)
    stored = {} if lengths is None else {"lens": np.array(lengths, np.int64)}
    compare([scan], inputs, {"last": FLOAT, "rows": FLOAT}, stored, opset=8)


def test_along_the_sequence_is_refused(tmp_path: Path) -> None:
    scan: Step = ("Scan", "z h h", "last y", {"body": summing(), "num_scan_inputs": 2, "scan_input_axes": [1, 1]})
    body = graph(
        [node("Add", "s s", "t")], [info("i", INT64, []), info("c", BOOL, []), info("s")], [info("c", BOOL), info("t")]
    )
    loop: Step = ("Loop", "count true h", "y", {"body": body})
    for steps in ([scan, MEAN], [("Squeeze", "length", "count"), loop, MEAN]):
        model = build(steps, OUT, {"z": np.zeros((1, WIDTH), np.float32), "true": TRUE})
        path = tmp_path / "model.onnx"
        onnx.save(model, str(path))
        with pytest.raises(FomError) as caught:
            agree(model, tmp_path)
        assert [finding.code for finding in caught.value.diagnostics] == ["N014"]
        assert "would grow with the sequence length" in caught.value.diagnostics[0].message


def test_loop_over_layers_of_a_sequence(tmp_path: Path) -> None:
    """Weights stacked over layers, one step each: every token goes through all of them."""
    body = graph(
        [
            node("Gather", "layers i", "w", axis=0),
            node("MatMul", "s w", "m"),
            node("Tanh", "m", "a"),
            node("Add", "a s", "t"),
        ],
        [info("i", INT64, []), info("c", BOOL, []), info("s")],
        [info("c", BOOL), info("t"), info("a")],
        {"layers": np.random.default_rng(2).normal(size=(3, WIDTH, WIDTH)).astype(np.float32)},
    )
    stored = {
        "count": COUNT,
        "true": TRUE,
    }
    steps: list[Step] = [
        ("Loop", "count true h", "last rows", {"body": body}),
        ("ReduceSum", "rows zero", "r", {"keepdims": 0}),
        ("Add", "last r", "y"),
        MEAN,
    ]
    agree(build(steps, OUT, stored), tmp_path)


def test_softmax_with_a_mask_inside_a_branch(tmp_path: Path) -> None:
    nodes = [
        node("Transpose", "h", "k", perm=[0, 2, 1]), node("MatMul", "h k", "scores"), node("Trilu", "scores", "lower", upper=0),
        node("Equal", "lower scores", "on"), node("Where", "on scores far", "masked"),
        node("Softmax", "masked", "weights", axis=-1),
        node("MatMul", "weights h", "v"),
    ]  # fmt: skip
    yes = graph(nodes, [], [info("v")], {"far": np.array(-1e9, np.float32)})
    no = graph([node("Identity", "h", "w")], [], [info("w")])
    steps: list[Step] = [("If", "true", "y", {"then_branch": yes, "else_branch": no}), MEAN]
    agree(build(steps, OUT, {"true": TRUE}), tmp_path, lengths=(1, 2, 4))


def test_what_is_wrong_in_a_body_is_named() -> None:
    body = graph(
        [helper.make_node("Mystery", ["s"], ["t"], name="inner")],
        [info("i", INT64, []), info("c", BOOL, []), info("s")],
        [info("c", BOOL), info("t")],
    )
    finding = refused([node("Loop", "count true x", "y", body=body)], {"x": X}, ["y"], count=COUNT, true=TRUE)
    assert finding.code == "N011"
    assert "`inner` (Mystery)" in finding.note


def test_an_undefined_tensor_in_a_body() -> None:
    yes = graph([node("Add", "x ghost", "a")], [], [info("a")])
    finding = refused([node("If", "true", "y", then_branch=yes, else_branch=yes)], {"x": X}, ["y"], true=TRUE)
    assert finding.code == "N006"
    assert "`ghost`" in finding.message
