"""The majority dialect: a translation's sentence in pure FO(M), measured and compared with the counting sentence."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from logic.batch import evaluate
from logic.measure import Measures, measure
from logic.pure import to_pure
from logic.syntax import Sentence

DIALECTS = ("counting", "majority", "minimal")
MOST_WORDS = 1 << 12
LONGEST = 8
BATCH = MOST_WORDS
COMPARED_S = 10.0


@dataclass(frozen=True)
class PureSentence:
    """A sentence without counting atoms, and on how many inputs it was compared with the one it was made of."""

    dialect: str
    sentence: Sentence
    measures: Measures
    compared: int
    longest: int


def pure_of(sentence: Sentence, dialect: str, least: int, most: int | None) -> PureSentence | None:
    """Rewrite a sentence into a dialect, and compare both on short words of the domain; None for the counting dialect.

    The comparison goes on to longer words while it takes less than `COMPARED_S` seconds.

    Raises:
        FomError: no such dialect, a sentence that pure FO(M) does not say in polynomial size, or one that differs (a bug in fom).
    """
    if dialect == "counting":
        return None
    pure = to_pure(sentence, minimal=dialect == "minimal")
    started, compared, longest = time.monotonic(), 0, 0
    for words, given in batches(sentence, least, most):
        if not np.array_equal(evaluate(sentence, words, given)[""], evaluate(pure, words, given)[""]):
            raise fail("T083", "the sentence in pure FO(M) differs from the counting sentence: a bug in fom",
                       where=f"a word of length {words.shape[1]}", help="please report; leave out --dialect")  # fmt: skip
        compared, longest = compared + len(words), words.shape[1]
        if time.monotonic() - started > COMPARED_S:
            break
    return PureSentence(dialect, pure, measure(pure), compared, longest)


def batches(sentence: Sentence, least: int, most: int | None) -> Any:
    """All short words, by length; random propositions for a sentence that reads no word."""
    if not sentence.letters:
        rng = np.random.default_rng(0)
        for _ in range(MOST_WORDS // BATCH):
            yield np.full((BATCH, 1), -1), rng.random((BATCH, len(sentence.propositions))) < 0.5
        return
    left = MOST_WORDS
    for n in range(least, min(most or least + LONGEST, least + LONGEST) + 1):
        left -= len(sentence.letters) ** n
        if left < 0:
            return
        words = np.array(list(itertools.product(range(len(sentence.letters)), repeat=n)), dtype=np.int64)
        for at in range(0, len(words), BATCH):
            yield words[at : at + BATCH], None
