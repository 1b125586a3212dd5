"""Refining: for one class, rounds of verification and of searches with the words that refute what was found.

Two attempts may be worth showing: a short sentence with the word where the network departs from it, and a longer one, right
farther, or at every length.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from logic.searching.aiming import Candidate
from logic.searching.samples import Samples
from logic.syntax import Sentence
from logic.verdicts import Refuted
from translator.explanations.decided import Decided
from translator.explanations.explanation import Explained
from translator.verifying.question import Report
from translator.words import format_word, parse_word

if TYPE_CHECKING:
    from translator.explanations.explaining import Explainer

Integers = np.ndarray[Any, np.dtype[np.int64]]

MUCH_LONGER = 1.5
FEW = 10
"""Characters that do not matter."""
FAR = 1.5
MOST_WRONG = 12
MOST_NEAR = 4
MOST_VERIFIED = 8_000
LEAST_S = 1.0
BEYOND = 2


@dataclass(frozen=True)
class Attempt:
    """A front whose last candidate is right on all words searched, its verification, and the word that refutes it, if any.

    Attributes:
        searched: the words, in words, and the length up to which they were all searched.
        complete: see `Explained`.
    """

    front: tuple[Candidate, ...]
    report: Report
    word: str | None
    searched: tuple[str, int] = ("", 0)
    complete: int = 0

    @property
    def candidate(self) -> Candidate:
        """The candidate that was verified."""
        return self.front[-1]

    @property
    def length(self) -> int:
        """Characters of the formula: one of few nodes with large coefficients is long, too."""
        return len(str(self.candidate.sentence.formula))

    @property
    def reach(self) -> float:
        """The length of the word that refutes it."""
        return float("inf") if self.word is None else len(self.word.split())


def best_of(attempts: list[Attempt]) -> Attempt | None:
    """The last attempt, if nothing refutes it and it is not much longer than the first; else the one that is right longest.

    A network often departs from what it learned on words longer than those of its training. A sentence that follows it there
    says less about it than a short one with the word where it departs, all the more if that is long.
    """
    if not attempts:
        return None
    first, last = attempts[0], attempts[-1]
    more = last.length - MUCH_LONGER * first.length
    learned = first.reach > FAR * first.searched[1]
    if last.word is None and more <= (0 if learned else FEW):
        return last
    if learned:
        return first
    refuted = [attempt for attempt in attempts if attempt.word is not None]
    shortest = min(attempt.length for attempt in refuted)
    short = [attempt for attempt in refuted if attempt.length <= MUCH_LONGER * shortest + FEW]
    return max(short, key=lambda attempt: attempt.reach)


@dataclass
class Clock:
    """Seconds that are left: for all searches, and for all verifications."""

    search: float
    verification: float
    given: tuple[float, float] = (0.0, 0.0)

    def share(self, parts: int, most: float) -> Clock:
        """The seconds for one of some parts: twice what it would have if all had the same, but not more than `most`."""
        search, verification = (
            min(most, max(left, 0.0) * min(1, 2 / parts)) for left in (self.search, self.verification)
        )
        return Clock(search, verification, (search, verification))

    def spend(self, part: Clock) -> None:
        """Take off what a part has spent."""
        self.search -= part.given[0] - part.search
        self.verification -= part.given[1] - part.verification


@dataclass(frozen=True)
class Round:
    """A front found on words."""

    front: tuple[Candidate, ...]
    complete: int
    words: Decided
    searched: tuple[str, int]


class OneClass:
    """One class: rounds of search and verification, refined by counterexamples."""

    def __init__(self, explainer: Explainer, number: int, clock: Clock, started: float) -> None:
        self.explainer, self.number, self.clock, self.started = explainer, number, clock, started
        self.attempts: list[Attempt] = []
        self.refuting: list[Integers] = []

    def explain(self, first: Round) -> Explained:
        """Verify, refine, and choose."""
        found: Round | None = first
        last = first
        while found is not None and found.front:
            last = found
            if found.front[-1].wrong:
                found = self.farther(found)
                continue
            self.tell(f"verifying {found.front[-1].sentence.formula}")
            outcome = self.verified(found.front[-1].sentence)
            attempt = Attempt(found.front, outcome, counterexample(outcome), found.searched, found.complete)
            self.attempts.append(attempt)
            found = None if attempt.word is None else self.refined(found, attempt.word)
        chosen = best_of(self.attempts)
        return self.unverified(last) if chosen is None else self.explained(chosen)

    def farther(self, found: Round) -> Round | None:
        """The search on words as long as there are not too many, where letters may be exchanged."""
        if not self.may_go_on or not self.explainer.longer:
            return None
        words, searched = self.explainer.searched()
        return None if searched == found.searched else self.search(words, searched)

    def refined(self, found: Round, word: str) -> Round | None:
        """The search with a word more.

        Where letters may be exchanged all words up to its length join, as long as what is found is not much longer than the
        first; then those of all lengths.
        """
        if not self.may_go_on:
            return None
        words, searched = found.words, found.searched
        self.refuting.append(parse_word(word, self.explainer.network.alphabet)[None])
        added = self.refuting[-1:]
        if self.explainer.longer:
            first, last = self.attempts[0].candidate.size, self.attempts[-1].candidate.size
            near = last <= MUCH_LONGER * first + 2 and len(self.attempts) < MOST_NEAR
            words, searched = self.explainer.searched(len(word.split()) if near else None)
            added = self.refuting
        for one in added:
            words = words.and_(one, *self.explainer.sample(one))
        return self.search(words, searched)

    @property
    def may_go_on(self) -> bool:
        """Whether there is time left."""
        return self.clock.search > 0 and self.clock.verification > 0

    def search(self, words: Decided, searched: tuple[str, int]) -> Round | None:
        """One more search."""
        self.tell(f"searching, round {len(self.attempts) + 1}")
        began = time.monotonic()
        found = self.explainer.search(words, (self.number,), self.clock.search, far=True)
        self.clock.search -= time.monotonic() - began
        return Round(tuple(found.fronts[0]), found.complete[0], words, searched)

    def verified(self, sentence: Sentence) -> Report:
        """Verify a sentence, where it is searched on vectors of counts up to many letters if not every length is decided."""
        found = self.verify(sentence)
        asked = self.explainer.asked.max_length
        if not self.explainer.longer or asked is not None or found.everywhere or found.verdict == "refuted":
            return found
        longer = self.verify(sentence, self.explainer.lengths_of_vectors(MOST_VERIFIED)[-1])
        return found if longer.verdict == "unknown" else longer

    def verify(self, sentence: Sentence, max_length: int | None = None) -> Report:
        """Verify a sentence with what is left of the time, for every length asked for or up to one."""
        began = time.monotonic()
        question = replace(self.explainer.question, timeout_s=max(self.clock.verification, LEAST_S))
        if max_length is not None:
            question = replace(question, max_length=max_length, all_lengths=False)
        found = self.explainer.verify(sentence, self.number, question)
        self.clock.verification -= time.monotonic() - began
        return found

    def unverified(self, found: Round) -> Explained:
        """The best that was found, where nothing is exact."""
        best = found.front[-1]
        samples = found.words.samples(self.explainer.network.alphabet, self.number)
        wrong, spent = wrong_words(samples, best), time.monotonic() - self.started
        return Explained(
            self.name, found.front, best, None, found.searched[0], 0, wrong, spent, complete=found.complete
        )

    def explained(self, chosen: Attempt) -> Explained:
        """The attempt chosen, and the one that is right farther, if it is another."""
        farthest = max(self.attempts, key=lambda attempt: attempt.reach)
        further = self.beyond(farthest, len((chosen.word or "").split())) if farthest.reach > chosen.reach else None
        return replace(self.of(chosen), further=further, seconds=time.monotonic() - self.started)

    def beyond(self, attempt: Attempt, n: int) -> Explained | None:
        """What is known of an attempt that is right on all words of length n and on longer ones, if that is known."""
        found = self.of(attempt)
        if (
            found.report is not None
            and found.report.verdict == "holds"
            and not found.report.everywhere
            and not found.departs
        ):
            found = replace(found, report=self.verify(attempt.candidate.sentence, n + BEYOND))
        return found if found.report is not None and found.report.verdict == "holds" else None

    def of(self, attempt: Attempt) -> Explained:
        """What is known of an attempt: if it was refuted, that it is right on all shorter words."""
        departs, outcome = attempt.word or "", attempt.report
        if departs:
            outcome = self.verify(attempt.candidate.sentence, len(departs.split()) - 1)
        rounds, searched, spent = self.attempts.index(attempt), attempt.searched[0], time.monotonic() - self.started
        return Explained(
            self.name, attempt.front, attempt.candidate, outcome, searched, rounds, (), spent, departs, attempt.complete
        )

    @property
    def name(self) -> str:
        """The class, such as ``class[1]``."""
        return f"class[{self.number}]"

    def tell(self, message: str) -> None:
        """Say what is being done, and for which class."""
        self.explainer.progress(f"{self.explainer.label}: {message}")


def wrong_words(samples: Samples, candidate: Candidate) -> tuple[str, ...]:
    """The first words on which a candidate is wrong."""
    from logic.batch import evaluate

    found: list[str] = []
    for words, truth, considered in zip(samples.words, samples.truth, samples.considered, strict=True):
        rows_of = (len(words), -1)
        holds = np.asarray(evaluate(candidate.sentence, words)[""], dtype=bool).reshape(rows_of)
        differs = (holds != truth.reshape(rows_of)) & considered.reshape(rows_of)
        rows = words[differs.any(axis=1)]
        found += [format_word(row, samples.alphabet) for row in rows[: MOST_WRONG - len(found)]]
        if len(found) >= MOST_WRONG:
            break
    return tuple(found)


def counterexample(found: Report) -> str | None:
    """The shortest word on which a sentence was refuted, if it was."""
    words = [claim.verdict.counterexample.word for claim in found.claims if isinstance(claim.verdict, Refuted)]
    return min(words, key=lambda word: len(word.split()), default=None)
