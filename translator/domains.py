"""Domains of words given by a sentence: ``--where``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from circuits.diagnostics import fail
from translator.sentences import read_sentence

if TYPE_CHECKING:
    from logic.syntax import Sentence


def read_domain(text: str, alphabet: tuple[str, ...]) -> Sentence:
    """Parse a sentence, or the file it names, that says which words are considered.

    Raises:
        FomError: the formula has a free variable.
    """
    sentence = read_sentence(text, alphabet, "network")
    if sentence.free:
        raise fail("T017", f"a domain is a sentence, but `{sentence.free[0]}` is free", where=text, help="quantify it")
    return sentence


def word_filter(text: str, alphabet: tuple[str, ...]) -> Callable[[Any], Any]:
    """A filter that keeps the words in which the sentence holds.

    Raises:
        FomError: the formula has a free variable.
    """
    from logic.batch import evaluate

    sentence = read_domain(text, alphabet)
    return lambda words: evaluate(sentence, words)[""]
