"""``--precision auto``: words of 4 to 20 bits first, then words of any number of bits, as long as they fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from circuits.diagnostics import FomError
from circuits.forecast import forecast
from tests.translator.reading_graphs import build
from translator.pipeline import AUTO_PRECISIONS, OPEN_PRECISIONS, translate

CLOSED = len(AUTO_PRECISIONS) - len(OPEN_PRECISIONS)


def near_ties(folder: Path) -> dict[str, Any]:
    """Which of two numbers is larger? They are up to 1000, and some differ by 2**-14 only, which words of 20 bits cannot tell."""
    inputs = {"x": (TensorProto.FLOAT, ("batch", 2))}
    weights = {"w": np.array([[1.0], [-1.0]], dtype=np.float32)}
    path = folder / "model.onnx"
    steps: list[Any] = [("MatMul", "x w", "y"), ("Relu", "y", "out")]
    onnx.save(build(steps, ("out", ("batch", 1)), weights, start=(), inputs=inputs), path)
    lower = np.linspace(600.1, 950.7, 20).astype(np.float32)
    pairs = np.stack([np.nextafter(lower, np.float32(1000)), lower], axis=1)
    rows = np.concatenate([np.array([[0, 1], [1000, 2]], dtype=np.float32), pairs])
    np.savez(folder / "inputs.npz", x=rows)
    return {"model": path, "inputs": folder / "inputs.npz"}


def test_open_words_come_last(tmp_path: Path) -> None:
    made = translate(**near_ties(tmp_path))
    assert [str(precision) for precision, _ in made.tried] == list(AUTO_PRECISIONS[: CLOSED + 1])
    assert [found.complete for _, found in made.tried if found] == [False] * CLOSED + [True]
    assert str(made.precision) == OPEN_PRECISIONS[0]
    assert made.fidelity.complete


def test_open_words_that_do_not_fit_are_left(tmp_path: Path) -> None:
    given = near_ties(tmp_path)
    memory = forecast(translate(**given).network, "compact").memory - 1
    lines: list[str] = []
    made = translate(**given, progress=lines.append, memory=memory)
    assert [str(precision) for precision, _ in made.tried] == list(AUTO_PRECISIONS)
    assert [found for _, found in made.tried[CLOSED:]] == [None] * len(OPEN_PRECISIONS)
    assert str(made.precision) in AUTO_PRECISIONS[:CLOSED]
    assert not made.fidelity.complete
    assert any(line.startswith("fixed:*.20: the translation needs about") for line in lines)
    with pytest.raises(FomError, match="C060"):
        translate(**given, precision="fixed:*.16", memory=memory)
