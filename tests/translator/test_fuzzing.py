"""A sample of mutated files: each gives a diagnostic, or a network that agrees with onnxruntime; nothing crashes or hangs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.translator.fuzzing import check, mutate, seeds

COUNT = 144
SEEDS = seeds()


@pytest.mark.parametrize("number", range(len(SEEDS)))
def test_the_models_that_are_mutated_are_read(number: int, tmp_path: Path) -> None:
    outcome = check(SEEDS[number].SerializeToString(), tmp_path / "model.onnx")
    assert outcome.kind == "agrees", outcome.detail


@pytest.mark.parametrize("number", range(len(SEEDS)))
@pytest.mark.filterwarnings("ignore")
def test_mutations(number: int, tmp_path: Path) -> None:
    for mutation in range(number, COUNT, len(SEEDS)):
        content = mutate(SEEDS[number], np.random.default_rng([7, mutation]))
        outcome = check(content, tmp_path / "model.onnx")
        assert outcome.kind in ("agrees", "refused", "unchecked"), f"mutation {mutation}: {outcome}"
