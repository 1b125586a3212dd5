"""Transformers with weights set by hand: both spellings are translated, decide as onnxruntime, and ties are named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from examples.train import hand_built
from logic.comparing.problem import decided_by
from translator.fidelity import observe, words_up_to
from translator.fixing import fitted
from translator.pipeline import Translation, translate
from translator.precision import Precision
from translator.reading import read
from translator.real_evaluate import outputs
from translator.report import facts_of, fidelity_text

Array = np.ndarray[Any, Any]

SPELLINGS = ("dynamo", "torchscript")
CLS = {"parity": "back", "first": "front"}
IN_FRAME = {
    "parity": "c(n) & forall x. (c(x) -> x = n)",
    "first": "c(1) & forall x. (c(x) -> x = 1)",
}


BUILT = sorted(Path("examples/built").iterdir())


@pytest.mark.parametrize("folder", BUILT, ids=lambda folder: str(folder.name))
def test_the_stored_examples(folder: Path) -> None:
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    with np.load(folder / "inputs.npz") as inputs, np.load(folder / "expected.npz") as expected:
        tokens, logits, decision = inputs["tokens"], expected["logits"], expected["decision"]
    assert len(tokens) == len(logits) >= 50
    for word, stored, decided in zip(tokens, logits, decision, strict=True):
        n = int((word >= 0).sum())
        (found,) = session.run(None, {"tokens": word[None, :n]})
        rows = slice(None) if stored.ndim == 1 else slice(n)
        np.testing.assert_allclose(found[0], stored[rows], atol=1e-4)
        assert np.array_equal(found[0].argmax(axis=-1), decided[rows] if stored.ndim > 1 else decided)


def save(name: str, spelling: str, folder: Path) -> Path:
    path = folder / "model.onnx"
    onnx.save(getattr(hand_built, name)(spelling), path)
    return path


def fed(name: str, words: Array) -> Array:
    """Words of 0 and 1 with CLS where the network wants it."""
    cls = np.full((len(words), 1), 2)
    if name not in CLS:
        return words
    return np.concatenate([words, cls] if CLS[name] == "back" else [cls, words], axis=1)


def language(name: str, words: Array) -> Array:
    match name:
        case "parity":
            return words.sum(axis=1) % 2 == 1
        case "first":
            return words[:, 0] == 1
        case "more_a":
            return (words == 0).sum(axis=1) > (words == 1).sum(axis=1)
        case _:
            return np.array([hand_built.is_ab_block(word) for word in words])


def every(n: int) -> Array:
    return (np.arange(2**n)[:, None] >> np.arange(n)) & 1


def accepted(session: onnxruntime.InferenceSession, tokens: Array) -> Array:
    (logits,) = session.run(None, {"tokens": tokens})
    return np.asarray(logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1) == 1)


def translated(name: str, spelling: str, folder: Path, **options: Any) -> Translation:
    return translate(save(name, spelling, folder), where=IN_FRAME.get(name), **options)


@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("name", ["parity", "first", "ab_blocks"])
class TestLanguages:
    def test_the_file_accepts_its_language(self, name: str, spelling: str, tmp_path: Path) -> None:
        session = onnxruntime.InferenceSession(str(save(name, spelling, tmp_path)))
        for n in range(1, 10):
            words = every(n)
            assert (accepted(session, fed(name, words)) == language(name, words)).all()

    def test_the_translation_decides_as_the_file(self, name: str, spelling: str, tmp_path: Path) -> None:
        """16 bits: parity has margins of the order of 1/n^2; C-RASP programs are exact up to length 16 only."""
        real = read(save(name, spelling, tmp_path))
        bounds = observe(real, words_up_to(real, 5 if name in CLS else 8))
        _, fixed = fitted(real, Precision(16, None, 20), bounds, tuple("abc")[: real.alphabet_size])
        rng = np.random.default_rng(5)
        for n in (*range(1, 9), *((16,) if name == "ab_blocks" else (21, 39))):
            words = rng.integers(0, 2, (40, n)) if n > 8 else every(n)
            if name == "ab_blocks":
                words = np.concatenate([words, (np.arange(n) >= n // 2)[None].astype(np.int64)])
            found = np.asarray(decided_by(fixed, fed(name, words)))
            assert (found == language(name, words)).all()


def test_places_over_the_length_need_no_table(tmp_path: Path) -> None:
    """With (-1)^i from a remainder, i/N keeps every length, and is the exact quotient."""
    real = read(save("parity", "torchscript", tmp_path))
    assert (real.domain.least, real.domain.most) == (1, None)
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"))
    for n in (1, 5, 90):
        tokens = fed("parity", np.random.default_rng(n).integers(0, 2, (20, n)))
        (found,) = session.run(None, {"tokens": tokens})
        np.testing.assert_allclose(outputs(real, tokens), found, atol=1e-6)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_tie_that_float_rounding_decides_is_named(spelling: str, tmp_path: Path) -> None:
    made = translated("more_a", spelling, tmp_path, precision="fixed:6", max_length=10)
    wrong = made.fidelity.inputs - made.fidelity.agree
    assert made.fidelity.ties == len(made.fidelity.differing) == min(wrong, 64) > 0
    for word, _ in made.fidelity.differing:
        assert (word == 0).sum() == (word == 1).sum()
    assert "the rounding of floats decides" in fidelity_text(facts_of(made)["fidelity"])


def test_a_disagreement_of_low_precision_is_no_tie(tmp_path: Path) -> None:
    made = translated("parity", "dynamo", tmp_path, precision="fixed:4", max_length=6)
    assert made.fidelity.differing
    assert made.fidelity.ties == 0
    assert "rounding of floats" not in fidelity_text(facts_of(made)["fidelity"])
