"""Inputs of unusual kinds and shapes: what they are taken for, what onnxruntime says of them, or why they are refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from circuits.diagnostics import FomError
from translator.inputs import FEW_WHOLE
from translator.pipeline import translate

TABLE = np.array([[1, -2], [-1, 3], [0.5, 0]], dtype=np.float32)
WEIGHTS = np.array([[1, -1], [2, 0.5], [-3, 1], [0.25, -0.5]], dtype=np.float32)


def tagger(path: Path, table: np.ndarray, shape: list[str | int] | None) -> Path:
    """A network that looks each token up in a table."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "tokens"], ["out"])],
        "graph",
        [helper.make_tensor_value_info("tokens", TensorProto.INT64, shape)],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [*(shape or ["b", "n"]), table.shape[1]])],
        [numpy_helper.from_array(table, "table")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def linear(path: Path, kind: int) -> Path:
    """A linear classifier that reads four numbers of an element type."""
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["x"], ["real"], to=TensorProto.FLOAT),
            helper.make_node("MatMul", ["real", "weights"], ["out"]),
        ],
        "graph",
        [helper.make_tensor_value_info("x", kind, ["batch", 4])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(WEIGHTS, "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def refused(path: Path) -> tuple[str, str]:
    """The code and the text of the only diagnostic."""
    with pytest.raises(FomError) as caught:
        translate(path)
    (found,) = caught.value.diagnostics
    assert found.help
    return found.code, found.message


def test_a_word_without_a_batch_runs_alone(tmp_path: Path) -> None:
    path = tagger(tmp_path / "model.onnx", TABLE, ["n"])
    translation = translate(path, max_length=3)
    assert translation.fidelity.agree == translation.fidelity.inputs == 3 + 9 + 27
    words = np.array([[0, 1, 2], [2, 2, 0]])
    assert np.array_equal(translation.oracle.logits(words), TABLE[words])


def test_a_table_without_rows_has_no_letters(tmp_path: Path) -> None:
    code, message = refused(tagger(tmp_path / "model.onnx", TABLE[:0], ["b", "n"]))
    assert code == "N012"
    assert "no rows" in message


def test_an_input_of_unknown_rank(tmp_path: Path) -> None:
    code, message = refused(tagger(tmp_path / "model.onnx", TABLE, None))
    assert code == "N012"
    assert "how many axes" in message


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        (TensorProto.BOOL, 0, 1),
        (TensorProto.UINT8, 0, 255),
        (TensorProto.INT8, -128, 127),
        (TensorProto.INT64, -FEW_WHOLE // 2, FEW_WHOLE // 2 - 1),
        (TensorProto.UINT16, 0, FEW_WHOLE - 1),
    ],
)
def test_fidelity_of_whole_numbers_is_measured_on_whole_numbers(
    kind: int, least: int, most: int, tmp_path: Path
) -> None:
    translation = translate(linear(tmp_path / "model.onnx", kind), precision="fixed:12")
    assert translation.fidelity.agree == translation.fidelity.inputs
    assert f"from {least} to {most}" in translation.fidelity.description


def test_what_onnxruntime_refuses_has_a_way_out(tmp_path: Path) -> None:
    path = linear(tmp_path / "model.onnx", TensorProto.FLOAT)
    model = onnx.load(path)
    del model.opset_import[:]
    onnx.save(model, path)
    assert refused(path)[0] == "T040"
