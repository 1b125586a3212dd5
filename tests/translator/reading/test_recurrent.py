"""RNN, GRU and LSTM over a fixed number of steps, against onnxruntime; along the sequence they are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from circuits.diagnostics import FomError
from tests.translator.reading_graphs import LETTERS, WIDTH, agree, build, save, session
from tests.translator.running import model_of, run
from translator.reading import read
from translator.reading.unrolling import MOST_UNROLLED
from translator.real_evaluate import outputs

Array = np.ndarray[Any, Any]
STEPS, BATCH, INPUTS, HIDDEN = 4, 2, 3, 2
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def weights(kind: str, directions: int, names: list[str], seed: int) -> dict[str, Array]:
    """Random weights for the inputs named."""
    rng = np.random.default_rng(seed)
    gates = GATES[kind] * HIDDEN
    shapes = {
        "W": (directions, gates, INPUTS), "R": (directions, gates, HIDDEN), "B": (directions, 2 * gates),
        "H": (directions, BATCH, HIDDEN), "C": (directions, BATCH, HIDDEN), "P": (directions, 3 * HIDDEN),
    }  # fmt: skip
    found: dict[str, Array] = {
        name: rng.normal(size=shapes[name]).astype(np.float32) for name in names if name in shapes
    }
    if "lens" in names:
        found["lens"] = np.array([STEPS - 1, 2], np.int32)
    return found


def compare(kind: str, names: list[str], attributes: dict[str, Any], fed: tuple[str, ...] = ()) -> None:
    """Run one cell in onnxruntime and here; the inputs `fed` come from outside, the others are stored."""
    values = weights(kind, 2 if attributes.get("direction") == "bidirectional" else 1, names, 3)
    order = ["X", "W", "R", "B", "lens", "H", "C", "P"][: 6 if kind != "LSTM" else 8]
    given = [name if name == "X" or name in values else "" for name in order]
    while not given[-1]:
        given.pop()
    made = ["Y", "Y_h", *(["Y_c"] if kind == "LSTM" else [])]
    node = helper.make_node(kind, given, made, hidden_size=HIDDEN, **attributes)
    x = np.random.default_rng(5).normal(size=(STEPS, BATCH, INPUTS)).astype(np.float32)
    inputs = {"X": x, **{name: values[name] for name in fed}}
    model = model_of([node], inputs, made, {name: value for name, value in values.items() if name not in fed})
    for value in model.graph.output:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    runtime = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    found = run(model, inputs)
    for name, one in zip(made, runtime.run(None, inputs), strict=True):
        other = found[name]
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=1e-5)
        assert other.dtype == one.dtype


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
def test_directions_with_all_inputs(kind: str, direction: str) -> None:
    names = ["W", "R", "B", "lens", "H", *(["C", "P"] if kind == "LSTM" else [])]
    compare(kind, names, {"direction": direction})


@pytest.mark.parametrize("kind", GATES)
def test_weights_and_lengths_from_outside(kind: str) -> None:
    compare(kind, ["W", "R", "B", "lens", "H"], {}, fed=("lens", "H", "R"))


@pytest.mark.parametrize("kind", GATES)
def test_clipping(kind: str) -> None:
    compare(kind, ["W", "R", "B", "H"], {"clip": 0.3})


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("names", [["W", "R"], ["W", "R", "B"], ["W", "R", "B", "H"], ["W", "R", "H"]])
def test_linear_before_reset(before: int, names: list[str]) -> None:
    compare("GRU", names, {"linear_before_reset": before})


def test_input_forget() -> None:
    compare("LSTM", ["W", "R", "B", "H", "C"], {"input_forget": 1})


@pytest.mark.parametrize(
    ("names", "alpha", "beta"),
    [
        (["Relu", "Softsign"], [], []),
        (["HardSigmoid", "ScaledTanh"], [0.3, 1.5], [0.4, 0.7]),
        (["HardSigmoid", "Affine"], [0.1, 0.5], [0.6, 0.25]),
        (["Sigmoid", "LeakyRelu"], [0.2], []),
        (["Sigmoid", "ThresholdedRelu"], [0.3], []),
        (["Softplus", "Elu"], [0.4], []),
        (["HardSigmoid", "Elu"], [], []),
    ],
)
def test_activations(names: list[str], alpha: list[float], beta: list[float]) -> None:
    attributes: dict[str, Any] = {"activations": names}
    if alpha:
        attributes["activation_alpha"] = alpha
    if beta:
        attributes["activation_beta"] = beta
    compare("GRU", ["W", "R", "B", "H"], attributes)


def test_each_direction_has_its_activations() -> None:
    attributes = {"activations": ["LeakyRelu", "Affine"], "activation_alpha": [0.3, 0.5], "activation_beta": [0.1]}
    compare("RNN", ["W", "R", "B"], {"direction": "bidirectional", **attributes})


@pytest.mark.parametrize("kind", GATES)
def test_batch_first(kind: str) -> None:
    """Onnxruntime lacks this layout; the same cell on transposed tensors is the oracle."""
    values = weights(kind, 2, ["W", "R", "B", "H"], 4)
    x = np.random.default_rng(6).normal(size=(STEPS, BATCH, INPUTS)).astype(np.float32)
    results = []
    for layout in (0, 1):
        node = helper.make_node(
            kind,
            ["X", "W", "R", "B", "", "H"],
            ["Y", "last"],
            hidden_size=HIDDEN,
            direction="bidirectional",
            layout=layout,
        )
        given = {"X": x, **values}
        if layout:
            given |= {"X": x.transpose(1, 0, 2), "H": values["H"].transpose(1, 0, 2)}
        found = run(model_of([node], given, ["Y", "last"]), given)
        results.append((found["Y"], found["last"]))
    (y, last), (y_first, last_first) = results
    np.testing.assert_allclose(y_first, y.transpose(2, 0, 1, 3), atol=1e-7)
    np.testing.assert_allclose(last_first, last.transpose(1, 0, 2), atol=1e-7)


def cell(along_tokens: bool) -> onnx.ModelProto:
    """An LSTM whose steps are the tokens, or one whose batch axis they are: one step at each of them."""
    rng = np.random.default_rng(0)
    stored = {
        "W": rng.normal(size=(1, 4 * HIDDEN, WIDTH)).astype(np.float32),
        "R": rng.normal(size=(1, 4 * HIDDEN, HIDDEN)).astype(np.float32),
        "axes": np.array([0, 1]),
    }
    steps: list[Any] = [
        ("Transpose", "h", "t", {"perm": [1, 0, 2] if along_tokens else [0, 1, 2]}),
        ("LSTM", "t W R", "Y last", {"hidden_size": HIDDEN}),
        ("ReduceSum", "Y axes", "s", {"keepdims": 0}),
        ("ReduceMean", "s zero", "out", {"keepdims": 1}),
    ]
    return build(steps, ("out", ["batch", HIDDEN]), stored)


def test_along_the_sequence_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FomError) as caught:
        read(save(cell(along_tokens=True), tmp_path))
    (finding,) = caught.value.diagnostics
    assert finding.code == "N014"
    assert "grow with the sequence length" in finding.message


def test_one_step_at_every_token(tmp_path: Path) -> None:
    agree(cell(along_tokens=False), tmp_path)


def test_a_fixed_length_is_unrolled(tmp_path: Path) -> None:
    path = save(cell(along_tokens=True), tmp_path)
    network = read(path, bind={"n": 3})
    assert (network.domain.least, network.domain.most) == (3, 3)
    word = np.random.default_rng(2).integers(0, LETTERS, (1, 3))
    expected = session(path).run(None, {"tokens": word})[0]
    np.testing.assert_allclose(outputs(network, words=word).ravel(), expected.ravel(), rtol=1e-4, atol=1e-5)


def test_too_many_steps() -> None:
    node = helper.make_node("RNN", ["X", "W", "R"], ["Y"], hidden_size=HIDDEN)
    x = np.zeros((MOST_UNROLLED, 1, INPUTS), np.float32)
    model = model_of([node], {"X": x}, ["Y"], weights("RNN", 1, ["W", "R"], 0))
    with pytest.raises(FomError) as caught:
        run(model, {"X": x})
    assert [finding.code for finding in caught.value.diagnostics] == ["N067"]
