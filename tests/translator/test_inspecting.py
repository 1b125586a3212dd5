"""``fom show MODEL.onnx``: shapes as expressions, operators, what is read and what stands in the way."""

from __future__ import annotations

from pathlib import Path

from onnx import TensorProto

from tests.translator.reading_graphs import WIDTH, Step, build, save
from translator.inspecting import rows_of_model


def text(path: Path, **bind: object) -> tuple[str, str]:
    """The rows as text, and the findings."""
    rows, refused = rows_of_model(path, bind, {})
    return "\n".join(f"{label} {content}" for label, content in rows), "" if refused is None else str(refused)


def test_shapes_sizes_and_what_is_read(tmp_path: Path) -> None:
    path = save(build([("ReduceSum", "h one", "out", {"keepdims": 0})], ("out", ["batch", WIDTH])), tmp_path)
    shown, refused = text(path)
    assert not refused
    assert "input tokens: int64[batch, n]" in shown
    assert f"output out: float[batch, {WIDTH}]" in shown
    assert "n <= 12" in shown
    assert "operators 6 at opset 20" in shown
    assert "reads words over 3 letters, 1 <= n <= 12" in shown


def test_what_stands_in_the_way(tmp_path: Path) -> None:
    steps: list[Step] = [("Relu", "x", "y"), ("NonZero", "y", "z"), ("Cast", "z", "out", {"to": TensorProto.FLOAT})]
    inputs = {"x": (TensorProto.FLOAT, ("batch", "rows", 3))}
    path = save(build(steps, ("out", [3, "k"]), start=[], inputs=inputs), tmp_path)
    shown, refused = text(path)
    assert "undecided" in shown
    assert "N019" in refused


def test_sizes_are_bound(tmp_path: Path) -> None:
    inputs = {"x": (TensorProto.FLOAT, ("batch", "rows", "columns"))}
    steps: list[Step] = [("ReduceMax", "x one", "out", {"keepdims": 0})]
    path = save(build(steps, ("out", ["batch", "columns"]), start=[], inputs=inputs), tmp_path)
    assert "several axes" in text(path)[1]
    shown, refused = text(path, rows=4, columns=2)
    assert not refused
    assert "reads 8 numbers" in shown
