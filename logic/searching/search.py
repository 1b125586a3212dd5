"""The search for short sentences that agree with samples."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from logic.batch import evaluate
from logic.comparing.methods import Limit
from logic.measure import measure
from logic.searching.grammar import DEFAULT, Grammar
from logic.searching.samples import Samples
from logic.syntax import Exists, Forall, Formula, Letter, Majority, Sentence, Term, var


@dataclass(frozen=True)
class Candidate:
    """A sentence, its size as `logic.measure` counts it, and on how many of the samples considered it is wrong."""

    sentence: Sentence
    size: int
    wrong: int
    total: int


def wrong(sentence: Sentence, samples: Samples) -> int:
    """On how many of the samples considered a sentence is wrong."""
    total = 0
    for words, truth, considered in zip(samples.words, samples.truth, samples.considered, strict=True):
        found = np.asarray(evaluate(sentence, words)[""], dtype=bool)
        if samples.at_positions and not sentence.free:
            found = np.broadcast_to(found[:, None], truth.shape)
        total += int(np.count_nonzero((found != truth) & considered))
    return total


def search(samples: Samples, limit: Limit, grammar: Grammar = DEFAULT) -> Iterator[Candidate]:
    """Yield candidates of the Pareto front of size and agreement, smallest first, each with fewer wrong samples than all before."""
    best = samples.total + 1
    for formula in _simple(samples, grammar):
        if limit.left <= 0:
            return
        sentence = Sentence(samples.alphabet, (), (), formula)
        if sentence.free and not samples.at_positions:
            continue
        found = wrong(sentence, samples)
        if found < best:
            best = found
            yield Candidate(sentence, measure(sentence).nodes, found, samples.total)
        if not best:
            return


def _simple(samples: Samples, grammar: Grammar) -> Iterator[Formula]:
    x = var("x")
    for letter in samples.alphabet:
        for place in (Term((), 0, 1), Term((), 1, 0), *(x + offset for offset in grammar.neighbours)):
            yield Letter(letter, place)
    for quantifier in (Exists, Forall, Majority):
        for letter in samples.alphabet:
            yield quantifier("x", Letter(letter, x))
