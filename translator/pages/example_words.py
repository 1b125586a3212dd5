"""Short words with what a sentence says about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from circuits.words import all_words
from logic.batch import evaluate
from logic.syntax import Sentence

MOST_WORDS = 5_000
MOST_SHOWN = 10

Marked = tuple[tuple[str, bool], ...]
"""The letters of a word, each with whether it is marked."""


@dataclass(frozen=True, slots=True)
class Examples:
    """Words on which a closed sentence holds, or positions at which an open one does are marked; and the other words."""

    yes: tuple[Marked, ...]
    no: tuple[Marked, ...]


def examples_of(sentence: Sentence, alphabet: tuple[str, ...]) -> Examples:
    """The shortest words of both kinds, as far as all words of a length are few."""
    yes: list[Marked] = []
    no: list[Marked] = []
    total = 0
    for n in range(1, 13):
        total += len(alphabet) ** n
        if total > MOST_WORDS or min(len(yes), len(no)) >= MOST_SHOWN:
            break
        words = np.concatenate(list(all_words(len(alphabet), n)))
        truth = np.asarray(evaluate(sentence, words)[""], dtype=bool)
        per_word = truth.reshape(len(words), -1)
        for found, rows in ((yes, per_word.any(axis=1)), (no, ~per_word.any(axis=1))):
            for row in np.flatnonzero(rows)[: MOST_SHOWN - len(found)]:
                marks = truth[row] if truth.ndim == 2 else np.zeros(n, dtype=bool)
                found.append(
                    tuple((alphabet[letter], bool(mark)) for letter, mark in zip(words[row], marks, strict=True))
                )
    return Examples(tuple(yes), tuple(no))
