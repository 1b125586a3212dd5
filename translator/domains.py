"""Domains of words given by a sentence: ``--where``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from circuits.diagnostics import fail
from translator.sentences import read_sentence


def word_filter(text: str, alphabet: tuple[str, ...]) -> Callable[[Any], Any]:
    """A filter that keeps the words in which the sentence holds.

    Raises:
        FomError: the formula has a free variable.
    """
    from logic.batch import evaluate

    sentence = read_sentence(text, alphabet, "network")
    if sentence.free:
        raise fail("T017", f"a domain is a sentence, but `{sentence.free[0]}` is free", where=text, help="quantify it")
    return lambda words: evaluate(sentence, words)[""]
