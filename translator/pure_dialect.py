"""The majority dialect: a translation's sentence in pure FO(M), measured and compared with the counting sentence."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.words import all_words, count_words
from logic.batch import evaluate
from logic.measure import Measures, measure
from logic.pure import to_pure
from logic.syntax import Sentence

PURE_DIALECTS = ("majority", "minimal")
MOST_WORDS = 1 << 12
LONGEST = 8
COMPARED_S = 10.0


@dataclass(frozen=True)
class PureSentence:
    """A sentence without counting atoms, and on how many inputs it was compared with the one it was made of."""

    dialect: str
    sentence: Sentence
    measures: Measures
    compared: int
    longest: int


def pure_of(sentence: Sentence, dialect: str, least: int, most: int | None) -> PureSentence:
    """Rewrite a sentence into a pure dialect, and compare both on short words of the domain.

    The comparison goes on to longer words while it takes less than `COMPARED_S` seconds.

    Raises:
        FomError: no such dialect, or a sentence that pure FO(M) does not say in polynomial size.
        RuntimeError: the sentences differ, which is a bug.
    """
    if dialect not in PURE_DIALECTS:
        raise fail("T070", f"unknown dialect `{dialect}`", help=f"choose counting, {', '.join(PURE_DIALECTS)}")
    pure = to_pure(sentence, minimal=dialect == "minimal")
    started, compared, longest = time.monotonic(), 0, 0
    for words, given in batches(sentence, least, most):
        if not np.array_equal(evaluate(sentence, words, given)[""], evaluate(pure, words, given)[""]):
            raise RuntimeError(
                f"the sentence in pure FO(M) differs from the counting sentence at length {words.shape[1]}"
            )
        compared, longest = compared + len(words), words.shape[1]
        if time.monotonic() - started > COMPARED_S:
            break
    return PureSentence(dialect, pure, measure(pure), compared, longest)


def batches(sentence: Sentence, least: int, most: int | None) -> Any:
    """All short words, by length; random propositions for a sentence that reads no word."""
    if not sentence.letters:
        bits = np.random.default_rng(0).random((MOST_WORDS, len(sentence.propositions))) < 0.5
        yield np.full((MOST_WORDS, 1), -1), bits
        return
    left = MOST_WORDS
    for n in range(least, min(most or least + LONGEST, least + LONGEST) + 1):
        left -= count_words(len(sentence.letters), n, n)
        if left < 0:
            return
        for words in all_words(len(sentence.letters), n):
            yield words, None
