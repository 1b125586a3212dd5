"""VNN-LIB files: reading, refusals with places, writing, and deciding against onnxruntime and all codes."""

from __future__ import annotations

import gzip
from fractions import Fraction
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.inputs import decode_inputs, encode_inputs
from circuits.readout import decisions
from logic.verdicts import Holds, Refuted, Unknown
from translator.box_properties import codes_within, decide_property, decide_robustness, decide_vnnlib
from translator.pipeline import Translation, translate
from translator.vnnlib import Case, InputBound, OutputInequality, Property, parse_property, property_text, read_property

EXAMPLES = Path(__file__).parents[2] / "examples"
HEAD = "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n(declare-const Y_1 Real)\n"
BOX = "(assert (>= X_0 -1.0))\n(assert (<= X_0 1.0))\n"


def quiet(text: str) -> None:
    """Report nothing."""


@pytest.fixture(scope="module")
def xor() -> Translation:
    return translate(EXAMPLES / "mlp_xor" / "model.onnx", precision="fixed:6")


def test_assertions_become_boxes_with_violations() -> None:
    text = """; two boxes, two ways to violate
    (declare-const X_0 Real) (declare-const Y_0 Real) (declare-const Y_1 Real)
    (assert (or (and (<= X_0 0.25) (>= X_0 -1e-1)) (and (< X_0 3) (> X_0 2) (<= X_0 9))))
    (assert (or (<= (+ Y_0 (* 2.0 Y_1) 1) (- Y_0 4)) (and (>= Y_0 Y_1) (= Y_1 0.5))))
    (assert (<= 1.0 2.0))
    """
    read = parse_property(text)
    first = InputBound(Fraction(-1, 10), Fraction(1, 4))
    second = InputBound(Fraction(2), Fraction(3), low_strict=True, high_strict=True)
    one, half = Fraction(1), Fraction(1, 2)
    violations = (
        (OutputInequality(((1, Fraction(2)),), Fraction(-5)),),
        (
            OutputInequality(((0, -one), (1, one)), Fraction(0)),
            OutputInequality(((1, one),), half),
            OutputInequality(((1, -one),), -half),
        ),
    )
    assert read == Property(1, 2, (Case((first,), violations), Case((second,), violations)))


def test_a_compressed_file_reads_as_the_plain_one(tmp_path: Path) -> None:
    text = HEAD + BOX + "(assert (<= Y_0 Y_1))"
    (tmp_path / "p.vnnlib").write_text(text)
    (tmp_path / "p.vnnlib.gz").write_bytes(gzip.compress(text.encode()))
    assert read_property(tmp_path / "p.vnnlib") == read_property(tmp_path / "p.vnnlib.gz") == parse_property(text)


@pytest.mark.parametrize(
    ("code", "place", "text"),
    [
        ("T111", "line 4, column 1", HEAD + "(assert (<= X_0 1)"),
        ("T111", "line 4, column 1", HEAD + "assert"),
        ("T111", "line 4, column 1", HEAD + "(forall x)"),
        ("T111", "line 1, column 1", "(vnnlib-version <2.0>)"),
        ("T111", "line 4, column 9", HEAD + "(assert (=> X_0 1))"),
        ("T111", "line 4, column 13", HEAD + "(assert (<= (sin Y_0) 1))"),
        ("T111", "line 4, column 9", HEAD + "(assert (<= Y_0 1 2))"),
        ("T112", "line 4, column 13", HEAD + "(assert (<= Z 1))"),
        ("T112", "line 4, column 16", HEAD + "(declare-const X_00 Real)"),
        ("T112", "line 4, column 16", HEAD + "(declare-const Y_1 Real)"),
        ("T112", "X_1", HEAD + "(declare-const X_2 Real)"),
        ("T113", "X_0 has no lower", HEAD + "(assert (<= X_0 1))"),
        ("T113", "X_0 has no upper", HEAD + "(assert (or (and (<= X_0 1) (>= X_0 0)) (>= X_0 0)))"),
        ("T114", "131,072", HEAD + BOX + "(assert (or (<= Y_0 1) (<= Y_1 1)))" * 17),
        ("T115", "line 4, column 13", HEAD + "(assert (<= (* Y_0 Y_1) 1))"),
        ("T115", "line 4, column 9", HEAD + "(assert (<= X_0 Y_1))"),
        ("T115", "line 4, column 13", HEAD + "(assert (<= (/ Y_0 0) 1))"),
        ("T111", "200 parentheses", HEAD + "(assert " + "(and " * 300 + ")" * 301),
    ],
)
def test_a_text_that_is_none_is_refused_with_its_place(code: str, place: str, text: str) -> None:
    with pytest.raises(FomError) as raised:
        parse_property(text, "p.vnnlib")
    assert raised.value.diagnostics[0].code == code
    assert place in str(raised.value)


def test_files_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    (tmp_path / "latin").write_bytes(b"\xff\xfe(")
    for name in ("missing", "cut.gz", "latin"):
        with pytest.raises(FomError, match="T110"):
            read_property(tmp_path / name)


def random_property(seed: int) -> Property:
    """Boxes with violations, with decimals and other quotients."""
    rng = np.random.default_rng(seed)

    def number() -> Fraction:
        return Fraction(int(rng.integers(-999, 999)), int(rng.choice([1, 8, 10, 12, 125, 7])))

    def interval() -> InputBound:
        low, high = sorted([number(), number()])
        return InputBound(low, high, *(bool(bit) for bit in rng.integers(0, 2, 2)))

    def inequality() -> OutputInequality:
        chosen = sorted(rng.choice(3, rng.integers(1, 4), replace=False).tolist())
        coefs = tuple((output, number() or Fraction(1)) for output in chosen)
        return OutputInequality(coefs, number(), bool(rng.integers(0, 2)))

    def violations() -> tuple[tuple[OutputInequality, ...], ...]:
        return tuple(tuple(inequality() for _ in range(rng.integers(1, 4))) for _ in range(rng.integers(1, 4)))

    cases = tuple(Case((interval(), interval()), violations()) for _ in range(rng.integers(1, 4)))
    return Property(2, 3, cases)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6))
def test_a_written_property_reads_back(seed: int) -> None:
    written = random_property(seed)
    assert parse_property(property_text(written)) == written


@settings(max_examples=8, deadline=None)
@given(st.integers(-20, 20), st.integers(0, 6), st.integers(-8, 8), st.booleans())
def test_decided_as_all_codes_are(xor: Translation, start: int, width: int, bound: int, strict: bool) -> None:
    network = xor.network
    low, high = Fraction(start, 10), Fraction(start + width, 10)
    one = OutputInequality(((0, Fraction(2)), (1, Fraction(-1, 3))), Fraction(bound, 3), strict)
    asked = Property(4, 2, (Case((InputBound(low, high, strict, strict),) * 4, ((one,),)),))
    axis = [
        code for code in range(-34, 30)
        if (low < Fraction(code, 8) < high if strict else low <= Fraction(code, 8) <= high)
    ]  # fmt: skip
    codes = np.array(np.meshgrid(*[axis] * 4)).reshape(4, -1).T.astype(np.int64)
    decided = decide_property(xor, asked, "p", 60.0, quiet)
    assert decided.n_codes == len(codes)
    if not len(codes):
        assert isinstance(decided.claim.verdict, Unknown)
        return
    name = network.decided.scores
    scores = evaluate(network, codes)[name]
    scale = Fraction(2) ** network.frac(name)
    sides = [2 * Fraction(first) / scale - Fraction(second) / scale / 3 for first, second in scores.tolist()]
    violated = any(side < one.bound if strict else side <= one.bound for side in sides)
    assert isinstance(decided.claim.verdict, Refuted if violated else Holds)


def test_robustness_is_the_decision_on_every_code(xor: Translation) -> None:
    network = xor.network
    answers = set()
    for centre in np.random.default_rng(4).uniform(-2, 2, (8, 4)):
        code = encode_inputs(network.inputs, centre[None])
        offsets = np.array(np.meshgrid(*[range(-1, 2)] * 4)).reshape(4, -1).T
        exact = decode_inputs(network.inputs, code)[0]
        words = evaluate(network, code + offsets)[network.decided.decision]
        stays = len(set(decisions(network.decided, network.word(network.decided.decision).format, words).tolist())) == 1
        decided = decide_robustness(xor, exact, Fraction(1, 8), None, 60.0, quiet)
        assert isinstance(decided.claim.verdict, Holds if stays else Refuted)
        assert decided.n_codes == len(offsets)
        answers.add(stays)
    assert answers == {True, False}


def small(tmp_path: Path, applied: str = "") -> Translation:
    """Two outputs, x + 1/2 and 1/4 - x (rounded at a product of variables nowhere), of an input of shape (1, 1)."""
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y" if not applied else "s"])]
    nodes += [helper.make_node(applied, ["s"], ["y"], axis=1)] if applied else []
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2])],
        [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("w", [[1, -1]]), ("b", [0.5, 0.25]))],
    )  # fmt: skip
    path = tmp_path / f"model{applied}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return translate(path, precision="fixed:12.8")


def test_a_file_is_decided_with_its_counterexample(tmp_path: Path) -> None:
    source = small(tmp_path)
    path = tmp_path / "p.vnnlib"
    path.write_text(HEAD + BOX + "(assert (>= Y_0 1.5))")
    decided = decide_vnnlib(source, path, 60.0, quiet)
    verdict = decided.claim.verdict
    assert isinstance(verdict, Refuted)
    assert verdict.counterexample.word == "(1)"
    assert (
        verdict.counterexample.decisions["network"] == verdict.counterexample.decisions["onnxruntime"] == [1.5, -0.75]
    )
    assert verdict.counterexample.decisions["in float32"] == "violated too"
    assert decided.claim.scope == "every one of the 513 input codes in the box"
    path.write_text(HEAD + BOX + "(assert (> Y_0 1.5))")
    assert isinstance(decide_vnnlib(source, path, 60.0, quiet).claim.verdict, Holds)


def test_a_violation_of_the_precision_alone_is_said(tmp_path: Path) -> None:
    model = onnx.load(small(tmp_path).model)
    model.graph.initializer[1].CopyFrom(numpy_helper.from_array(np.array([0.5001, 0.25], np.float32), "b"))
    onnx.save(model, tmp_path / "model.onnx")
    source = translate(tmp_path / "model.onnx", precision="fixed:12.8", weight_bits="8")
    given = parse_property(HEAD + BOX + "(assert (<= Y_0 -0.49995))")
    decided = decide_property(source, given, "p", 60.0, quiet)
    assert isinstance(decided.claim.verdict, Refuted)
    assert decided.claim.verdict.counterexample.decisions["in float32"].startswith("not violated")


def test_what_does_not_fit_the_network_is_refused(tmp_path: Path) -> None:
    source = small(tmp_path)
    wide = parse_property("(declare-const X_0 Real)(declare-const Y_0 Real)" + BOX + "(assert (<= Y_0 1))")
    with pytest.raises(FomError, match=r"T116.*1 inputs and 1 outputs"):
        decide_property(source, wide, "p", 1.0, quiet)
    softmax = small(tmp_path, "Softmax")
    assert softmax.applied == "Softmax"
    with pytest.raises(FomError, match=r"T116.*Softmax"):
        decide_property(softmax, parse_property(HEAD + BOX + "(assert (<= Y_0 0.5))"), "p", 1.0, quiet)
    order = parse_property(HEAD + "(assert (>= X_0 0.0))(assert (<= X_0 1))(assert (<= Y_0 Y_1))")
    assert isinstance(decide_property(softmax, order, "p", 9.0, quiet).claim.verdict, Holds)
    words = translate(EXAMPLES / "majority" / "model.onnx", precision="fixed:4")
    with pytest.raises(FomError, match="L098"):
        decide_property(words, order, "p", 1.0, quiet)


def test_a_box_between_two_codes_is_no_proof(tmp_path: Path) -> None:
    source = small(tmp_path)
    given = parse_property(HEAD + "(assert (>= X_0 0.001))(assert (<= X_0 0.002))(assert (<= Y_0 -9))")
    verdict = decide_property(source, given, "p", 9.0, quiet).claim.verdict
    assert isinstance(verdict, Unknown)
    assert "no input code" in verdict.reason


def test_a_box_beyond_the_numbers_of_the_network_is_noted(tmp_path: Path) -> None:
    source = small(tmp_path)
    given = parse_property(HEAD + "(assert (>= X_0 0))(assert (<= X_0 1000))(assert (<= Y_0 -9))")
    decided = decide_property(source, given, "p", 9.0, quiet)
    assert isinstance(decided.claim.verdict, Holds)
    assert "saturates" in decided.notes[0]
    low, high = codes_within(source.network.inputs, given.cases[0].box)
    assert (low[0], high[0]) == (0, source.network.inputs[0].format.hi)
