"""Domains of words given by a sentence: ``--where``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from circuits.diagnostics import fail


def read_sentence(text: str, alphabet: tuple[str, ...]) -> Any:
    """Parse a formula, or the file it names, over an alphabet.

    Raises:
        FomError: a syntax error, or letters outside the alphabet.
    """
    from dataclasses import replace

    from logic.parser import parse

    path = Path(text)
    if text.endswith(".fom"):
        if not path.is_file():
            raise fail("T015", "the file of the sentence does not exist", where=text)
        source, name = path.read_text(encoding="utf-8"), text
    else:
        source, name = text, "formula"
    sentence = parse(source, name)
    unknown = [letter for letter in sentence.letters if letter not in alphabet]
    if unknown:
        raise fail(
            "T016",
            f"`{unknown[0]}` is neither defined nor a letter of the network",
            where=name,
            note=f"the letters are: {' '.join(alphabet)}",
        )
    return replace(sentence, letters=alphabet)


def word_filter(text: str, alphabet: tuple[str, ...]) -> Callable[[Any], Any]:
    """A filter that keeps the words in which the sentence holds.

    Raises:
        FomError: the formula has a free variable.
    """
    from logic.batch import evaluate

    sentence = read_sentence(text, alphabet)
    if sentence.free:
        raise fail("T017", f"a domain is a sentence, but `{sentence.free[0]}` is free", where=text, help="quantify it")
    return lambda words: evaluate(sentence, words)[""]
