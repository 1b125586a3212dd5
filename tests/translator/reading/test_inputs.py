"""Inputs beside the word: bound to constants, part of the letters, or further static tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from circuits.diagnostics import FomError
from tests.translator.reading.whole import evaluated, same_as_runtime
from tests.translator.reading_graphs import RNG, WIDTH, Step, build, refused_of, save, session
from translator.fidelity import observe, words_up_to
from translator.oracle import Oracle
from translator.pipeline import translate
from translator.reading import read
from translator.real import Features

INT, FLOAT = TensorProto.INT64, TensorProto.FLOAT
WORD = ("batch", "n")
TYPES = RNG.normal(size=(3, WIDTH)).astype(np.float32)


def test_token_types_become_part_of_the_letters(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Gather", "embed tokens", "e"),
        ("Gather", "types token_type_ids", "t"),
        ("Add", "e t", "h"),
        ("Relu", "h", "out"),
    ]
    inputs = {"tokens": (INT, WORD), "token_type_ids": (INT, WORD)}
    path = save(build(steps, ("out", ["batch", "n", WIDTH]), {"types": TYPES}, start=[], inputs=inputs), tmp_path)
    assert read(path).alphabet_size == 3
    assert any("token_type_ids" in note for note in read(path).notes)
    network = same_as_runtime(path, tracks={"token_type_ids": "letters"})
    assert network.alphabet_size == 9
    assert [(given.name, given.stride, given.count) for given in network.inputs] == [
        ("tokens", 3, 3), ("token_type_ids", 1, 3),
    ]  # fmt: skip


def test_a_mask_of_bits_is_applied_to_the_scores(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("Gather", "embed tokens", "e"),
        ("Transpose", "e", "k", {"perm": [0, 2, 1]}),
        ("MatMul", "e k", "scores"),
        ("Cast", "attention_mask", "keep", {"to": TensorProto.BOOL}),
        ("Unsqueeze", "keep one", "row"),
        ("Where", "row none huge", "bias"),
        ("Add", "scores bias", "masked"),
        ("Softmax", "masked", "weights"),
        ("MatMul", "weights e", "out"),
    ]
    inputs = {"tokens": (INT, WORD), "attention_mask": (INT, WORD)}
    weights = {"huge": np.array(np.finfo(np.float32).min, np.float32)}
    path = save(build(steps, ("out", ["batch", "n", WIDTH]), weights, start=[], inputs=inputs), tmp_path)
    network = same_as_runtime(path, tracks={"attention_mask": "bits"})
    assert network.alphabet_size == 6
    decision = read(path, tracks={"attention_mask": "bits"})
    bounds = observe(decision, words_up_to(decision, 3))
    assert min(low for low, _ in bounds.values()) > -60, "no number of the size of the mask's constant is left"


def test_symbols_are_bound_to_numbers_and_to_each_other(tmp_path: Path) -> None:
    steps: list[Step] = [("Gather", "embed tokens", "e"), ("Gather", "types other", "t"), ("Add", "e t", "out")]
    inputs = {"tokens": (INT, ("batch", "n")), "other": (INT, ("batch", "m"))}
    path = save(build(steps, ("out", ["batch", "n", WIDTH]), {"types": TYPES}, start=[], inputs=inputs), tmp_path)
    same_as_runtime(path, bind={"m": "n"}, tracks={"other": "letters"})


def test_an_image_of_symbolic_size_needs_its_sizes(tmp_path: Path) -> None:
    steps: list[Step] = [("Relu", "x", "y"), ("ReduceMean", "y axes", "out", {"keepdims": 0})]
    inputs = {"x": (FLOAT, ("batch", 2, "height", "width"))}
    path = save(build(steps, ("out", ["batch", 2]), {"axes": np.array([2, 3])}, start=[], inputs=inputs), tmp_path)
    with pytest.raises(FomError, match="several axes of symbolic length"):
        read(path)
    network = read(path, bind={"height": 3, "width": np.array(4)}, whole=True)
    image = RNG.normal(size=(2, 2, 3, 4)).astype(np.float32)
    expected = session(path).run(None, {"x": image})[0]
    found = evaluated(network, image.reshape(2, -1))[0][:, 0]
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_several_static_inputs(tmp_path: Path) -> None:
    steps: list[Step] = [("MatMul", "a b", "p"), ("Add", "p c", "out")]
    inputs = {"a": (FLOAT, (2, 3)), "b": (FLOAT, (3, 2)), "c": (FLOAT, ())}
    path = save(build(steps, ("out", [2, 2]), start=[], inputs=inputs), tmp_path)
    network = read(path, whole=True)
    assert [node.shape for node in network.nodes if isinstance(node, Features)] == [(2, 3), (3, 2), ()]
    given = {name: RNG.normal(size=shape).astype(np.float32) for name, (_, shape) in inputs.items()}
    flat = np.concatenate([given[name].ravel() for name in "abc"])[None]
    np.testing.assert_allclose(evaluated(network, flat)[0][0], session(path).run(None, given)[0], atol=1e-6)


def test_a_sequence_of_vectors(tmp_path: Path) -> None:
    steps: list[Step] = [("MatMul", "x w", "y"), ("Relu", "y", "z"), ("ReduceMax", "z one", "out", {"keepdims": 0})]
    inputs = {"x": (FLOAT, ("batch", "n", WIDTH))}
    path = save(build(steps, ("out", ["batch", WIDTH]), start=[], inputs=inputs), tmp_path)
    network = read(path, whole=True)
    for n in (1, 4, 7):
        given = RNG.normal(size=(3, n, WIDTH)).astype(np.float32)
        expected = session(path).run(None, {"x": given})[0]
        np.testing.assert_allclose(evaluated(network, given)[0][:, 0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("bind", "message"),
    [({"nobody": 3}, "no input `nobody`"), ({"tokens": np.zeros((2, 3, 4))}, "bound to an array of shape")],
)
def test_bindings_that_do_not_fit(tmp_path: Path, bind: dict[str, object], message: str) -> None:
    steps: list[Step] = [("Gather", "embed tokens", "out")]
    path = save(build(steps, ("out", ["batch", "n", WIDTH]), start=[]), tmp_path)
    with pytest.raises(FomError, match=message):
        read(path, bind=bind)


def test_a_sequence_of_vectors_is_translated_at_one_length(tmp_path: Path) -> None:
    steps: list[Step] = [
        ("MatMul", "x w", "y"),
        ("Unsqueeze", "attention_mask two", "m"),
        ("Cast", "m", "keep", {"to": FLOAT}),
        ("Mul", "y keep", "z"),
        ("ReduceMax", "z one", "out", {"keepdims": 0}),
    ]
    inputs = {"x": (FLOAT, ("batch", "n", WIDTH)), "attention_mask": (INT, WORD)}
    path = save(build(steps, ("out", ["batch", WIDTH]), start=[], inputs=inputs), tmp_path)
    with pytest.raises(FomError, match="sequence of vectors of 4 real numbers"):
        translate(path, precision="fixed:6")
    translation = translate(path, precision="fixed:6", bind={"n": 2})
    assert sum(node.size for node in translation.network.inputs) == 2 * WIDTH
    assert any("attention_mask" in note for note in translation.notes)
    assert translation.fidelity.agree > 900


def test_a_first_axis_that_no_output_has_is_the_sequence(tmp_path: Path) -> None:
    inputs = {"x": (FLOAT, ("n", WIDTH))}
    steps: list[Step] = [("Relu", "x", "y"), ("ReduceMean", "y zero", "out", {"keepdims": 0})]
    path = save(build(steps, ("out", [WIDTH]), start=[], inputs=inputs), tmp_path)
    network = read(path, whole=True)
    for n in (1, 4):
        given = RNG.normal(size=(2, n, WIDTH)).astype(np.float32)
        expected = np.stack([session(path).run(None, {"x": row})[0] for row in given])
        np.testing.assert_allclose(evaluated(network, given)[0], expected, atol=1e-6)


def test_a_recurrence_along_a_first_axis_is_refused(tmp_path: Path) -> None:
    inputs = {"x": (FLOAT, ("n", 1, WIDTH))}
    weights = {"wx": np.zeros((1, 8, WIDTH), np.float32), "wh": np.zeros((1, 8, 2), np.float32)}
    steps: list[Step] = [("LSTM", "x wx wh", "all last", {"hidden_size": 2}), ("Squeeze", "last zero", "out")]
    (finding,) = refused_of(save(build(steps, ("out", [1, 2]), weights, start=[], inputs=inputs), tmp_path))
    assert finding.code == "N014"


def test_the_runtime_is_asked_row_by_row_where_a_batch_would_mix(tmp_path: Path) -> None:
    inputs = {"x": (FLOAT, ("batch", WIDTH))}
    steps: list[Step] = [("MatMul", "x w", "y"), ("Reshape", "y flat", "out")]
    path = save(build(steps, ("out", ["m"]), {"flat": np.array([-1])}, start=[], inputs=inputs), tmp_path)
    rows = RNG.normal(size=(5, WIDTH))
    assert Oracle(path, "classes", 0).logits(rows).shape == (5, WIDTH)
