"""Printing many sentences: parsing what was printed, in every notation and layout, gives the identical object."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from logic import Sentence, parse, to_ascii, to_unicode
from logic.formatting import format_text
from tests.logic.examples import sentences

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def round_trip(sentence: Sentence) -> None:
    for text in (to_ascii(sentence), to_unicode(sentence)):
        for spelled in (text, format_text(text, width=60)):
            read = parse(spelled)
            assert read == sentence
            assert read.definitions == sentence.definitions
            assert read.formula is sentence.formula


@given(sentences())
@settings(max_examples=100, deadline=None)
def test_some_random_sentences(sentence: Sentence) -> None:
    round_trip(sentence)


@pytest.mark.slow
@given(sentences())
@settings(max_examples=10_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_ten_thousand_random_sentences(sentence: Sentence) -> None:
    round_trip(sentence)


@pytest.mark.slow
@pytest.mark.parametrize("example", ["majority", "more_a", "mlp_xor", "first_letter", "contains_ab"])
def test_emitted_sentences(example: str) -> None:
    from translator.pipeline import translate

    inputs = EXAMPLES / example / "inputs.npz"
    choices: dict[str, Any] = {"inputs": inputs} if example == "mlp_xor" else {}
    round_trip(translate(EXAMPLES / example / "model.onnx", **choices).sentence)
