"""The example networks are what their folders say: onnxruntime repeats `expected.npz`, no file tells its origin."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
FILES = sorted([*EXAMPLES.glob("*/model.onnx"), *EXAMPLES.glob("families/*/model*.onnx")])
FOLDERS = sorted({path.parent for path in FILES})


@pytest.fixture(params=FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def file(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_onnxruntime_repeats_the_stored_answers(file: Path) -> None:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    name, *masks = (value.name for value in session.get_inputs())
    with np.load(file.with_name("inputs.npz")) as inputs, np.load(file.with_name("expected.npz")) as expected:
        cases, logits, decisions = inputs[name], expected["logits"], expected["decision"]
    assert len(cases) == len(logits) == len(decisions) >= 50
    lengths = (cases >= 0).sum(1) if cases.dtype == np.int64 else np.zeros(len(cases), dtype=np.int64)
    for n in np.unique(lengths):
        rows = lengths == n
        batch = cases[rows][:, :n] if n else cases[rows]
        (answer,) = session.run(None, {name: batch} | {mask: np.ones(batch.shape, dtype=np.int64) for mask in masks})
        stored, decided = logits[rows], decisions[rows]
        if decided.ndim == 2:
            stored, decided = stored[:, :n], decided[:, :n]
        # Another build may sum in another order; the decisions have margins far above that.
        np.testing.assert_allclose(answer, stored, rtol=1e-4, atol=1e-4)
        assert (answer.argmax(-1) == decided).all()


def test_file_has_no_trace_of_its_origin(file: Path) -> None:
    model = onnx.load(file)
    items = [model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info]
    assert not any(item.doc_string for item in items)
    assert {entry.key for item in items for entry in item.metadata_props} <= {"pkg.torch.onnx.name_scopes"}
    assert b".py" not in file.read_bytes()


@pytest.mark.parametrize("example", FOLDERS, ids=lambda folder: folder.name)
def test_task_names_a_letter_for_each_token(example: Path) -> None:
    task = json.loads((example / "task.json").read_text(encoding="utf-8"))
    assert task["name"] == example.name
    with np.load(example / "inputs.npz") as inputs:
        (cases,) = inputs.values()
    assert len(task.get("letters", [])) == (cases.max() + 1 if cases.dtype == np.int64 else 0)
