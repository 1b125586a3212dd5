"""The short sentence of a network: search on short words, verify on long ones, refine by counterexamples.

For each class that a network decides (for two classes: class 1) the words of the search are all words of the shortest lengths.
A sentence that is right on all of them is verified by the methods of ``fom verify``; a word on which it differs from the network
joins the words of the search, which goes on. Where no sentence is right, the best is kept, with the words on which it is wrong.

If a network decides by the counts of letters only, one word is searched for each vector of counts: short ones first, to find
what it does on the words that it was made for, and then words as long as there are not too many vectors.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.network import Network
from circuits.pairs import n_classes
from circuits.words import all_words
from logic.comparing.methods import Limit
from logic.comparing.problem import Problem, decided_by
from logic.comparing.specification import Specification
from logic.searching.aiming import Candidate
from logic.searching.bordering import Line
from logic.searching.grammar import DEFAULT, Grammar
from logic.searching.samples import Samples
from logic.searching.search import Searching
from logic.searching.search import front as pareto
from logic.searching.symmetric import symmetric, vectors, words_of_vectors
from logic.syntax import TRUE, Definition, Sentence
from logic.telling import Progress, seldom
from logic.verdicts import Refuted
from translator.explanations.decided import Decided
from translator.explanations.explanation import Explained
from translator.sides import Source
from translator.verification import report
from translator.verifying.comparison import Comparison
from translator.verifying.question import Question, Report
from translator.verifying.rivals import SpecifiedRival
from translator.verifying.scope import Scope
from translator.words import format_word, parse_word

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_POSITIONS = 6_100
MUCH_LONGER = 1.5
MOST_WRONG = 12
MOST_VECTORS = 2_000
MOST_NEAR = 4
MOST_VERIFIED = 8_000
FAR = 1.5
SHARE_OF_SHORT = 0.3
LEAST_S = 5.0
GRAMMAR_OF_COUNTS = Grammar(moduli=(2, 3, 4, 5))


@dataclass(frozen=True, slots=True)
class Search:
    """What to search for.

    Attributes:
        search_length: longest words of the search; None: as long as there are not more than `MOST_POSITIONS` positions.
        max_length: longest words of the verification; None: every length, where that can be decided, else 8.
        where: a sentence that restricts the words, or None.
        at: a formula that restricts the positions, or None.
        classes: the classes explained, or None for all (class 1 of two).
        timeout_s: for all searches for a class, of which the first is for all classes at once, and as much again for all
            verifications.
    """

    search_length: int | None = None
    max_length: int | None = None
    where: str | None = None
    at: str | None = None
    classes: tuple[int, ...] | None = None
    timeout_s: float = 60.0


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
    more = last.candidate.size - MUCH_LONGER * first.candidate.size
    learned = first.reach > FAR * first.searched[1]
    if last.word is None and more <= (0 if learned else 2):
        return last
    if learned:
        return first
    refuted = [attempt for attempt in attempts if attempt.word is not None]
    shortest = min(attempt.candidate.size for attempt in refuted)
    short = [attempt for attempt in refuted if attempt.candidate.size <= MUCH_LONGER * shortest + 2]
    return max(short, key=lambda attempt: attempt.reach)


@dataclass
class Clock:
    """Seconds that are left for one class: for all its searches, and for all its verifications."""

    search: float
    verification: float


class Explainer:
    """One run for a network that reads words and decides between classes."""

    def __init__(self, source: Source, asked: Search, progress: Progress) -> None:
        self.source, self.asked = source, asked
        self.network: Network = source.network
        self.progress = seldom(progress)
        if self.network.inputs or self.network.decided.kind == "value":
            raise fail(
                "T068", "a sentence explains a network that reads words and decides between classes",
                note="this one reads an input of fixed size" if self.network.inputs else "this one answers with numbers",
            )  # fmt: skip
        self.question = Question(max_length=asked.max_length, where=asked.where, at=asked.at, timeout_s=asked.timeout_s)
        self.scope = Scope(self.network, self.question)
        self.lengths = self.lengths_searched()
        self.symmetric = symmetric(self.network)
        self.label = ""

    def lengths_searched(self) -> list[int]:
        """The lengths of the search: as many as there is room for, unless they are given."""
        letters, domain = len(self.network.alphabet), self.network.domain
        lengths: list[int] = []
        total = 0
        for n in range(domain.least, (domain.most or 64) + 1):
            total += n * letters**n
            wanted = self.asked.search_length
            if (lengths and total > MOST_POSITIONS and wanted is None) or (wanted is not None and n > wanted):
                break
            lengths.append(n)
        if not lengths:
            raise fail("T063", f"no word of the domain is as short as {self.asked.search_length}", note=domain.reason)
        return lengths

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes to explain."""
        count = n_classes(self.network)
        for number in self.asked.classes or ():
            if number >= count:
                raise fail("T066", f"the network has the classes 0 to {count - 1}, not {number}")
        return self.asked.classes or ((1,) if count == 2 else tuple(range(count)))

    @cached_property
    def decided(self) -> Decided:
        """All words of the search, and what the network decides on them."""
        words = tuple(np.concatenate(list(all_words(len(self.network.alphabet), n))) for n in self.lengths)
        return self.decide(words)

    def decide(self, words: Sequence[Integers]) -> Decided:
        """What the network decides on words, a batch for each length, and where that is considered.

        Raises:
            FomError: no word is considered (T063).
        """
        found = Decided(tuple(words), *zip(*map(self.sample, words), strict=True))
        if not any(considered.any() for considered in found.considered):
            raise self.scope.no_words()
        return found

    def sample(self, words: Integers) -> tuple[Any, Any]:
        """What the network decides on words, and where that is considered."""
        never = Specification(Sentence(self.network.alphabet, (), (), TRUE), (), (), False)
        problem = Problem(self.network, never, self.scope.where, self.scope.at)
        return decided_by(self.network, words), problem.places_considered(words)

    def samples(self, number: int) -> Samples:
        """All words of the search, and where the network decides a class."""
        return self.decided.samples(self.network.alphabet, number)

    def searched(self, longest: int | None = None) -> tuple[Decided, tuple[str, int]]:
        """The words of a search, and their scope.

        For a symmetric network they are one for each vector of counts, up to a length, or as long as there are not too many.
        """
        if self.symmetric is None:
            return self.decided, (self.scope.restricted(self.lengths), self.lengths[-1])
        letters, where = len(self.network.alphabet), self.scope.where
        lengths = [n for n in self.lengths_of_vectors(MOST_VECTORS) if longest is None or n <= longest]
        words = [batch for n in lengths if len(batch := words_of_vectors(letters, n, where))]
        if not words:
            raise self.scope.no_words()
        return self.decide(words), (self.scope.restricted(lengths) + ", a word for each vector of counts", lengths[-1])

    @property
    def longer(self) -> bool:
        """Whether longer words are searched, too, as many as there are vectors of counts."""
        return self.symmetric is not None and self.asked.search_length is None

    def lengths_of_vectors(self, most: int) -> list[int]:
        """The lengths of words with not too many vectors of counts, and those searched at least."""
        lengths: list[int] = []
        total = 0
        for n in range(self.network.domain.least, (self.network.domain.most or most) + 1):
            total += vectors(len(self.network.alphabet), n)
            if n > self.lengths[-1] and total > most:
                break
            lengths.append(n)
        return lengths

    def explain(self) -> tuple[Explained, ...]:
        """Search and verify: for all classes at once, then for each where a counterexample was found."""
        classes = self.classes
        self.progress(
            f"searching for {len(classes)} classes" if len(classes) > 1 else f"searching for class[{classes[0]}]"
        )
        words, scope = self.searched(self.lengths[-1])
        started = time.monotonic()
        budget = self.asked.timeout_s * (SHARE_OF_SHORT if self.symmetric is not None else 1)
        found = self.search(words, classes, budget, far=False)
        outcome = []
        for place, number in enumerate(classes):
            clock = Clock(self.asked.timeout_s - found.seconds[place], self.asked.timeout_s)
            self.label = f"class {place + 1} of {len(classes)}" if len(classes) > 1 else f"class[{number}]"
            one = _One(self, number, clock, started)
            outcome.append(one.explain(Round(tuple(found.fronts[place]), found.complete[place], words, scope)))
            started = time.monotonic()
        return tuple(outcome)

    def search(self, words: Decided, classes: Sequence[int], budget: float, far: bool) -> Together:
        """Search for several classes at once; `far` beyond the shortest words, for what is exact at every length."""
        started = time.monotonic()
        truths = words.samples(self.network.alphabet, classes[0], self.symmetric is not None)
        samples = [truths, *(truths.of(words.truth(number)) for number in classes[1:])]
        limit = Limit(started + max(budget, 0.0), progress=self.progress)
        lines = partial(self.lines, classes, limit) if far and self.symmetric is not None else None
        searching = Searching(samples, limit, GRAMMAR_OF_COUNTS if self.symmetric else DEFAULT, between=lines)
        found = Together([[] for _ in classes], [0.0] * len(classes), searching.complete)
        for place, candidate in searching.run():
            found.fronts[place].append(candidate)
            found.seconds[place] = time.monotonic() - started
        for place, front in enumerate(found.fronts):
            found.fronts[place] = pareto(front)
            if front[-1].wrong:
                found.seconds[place] = time.monotonic() - started
        return found

    def lines(self, classes: Sequence[int], limit: Limit, place: int, pairs: Any) -> Sequence[Line]:
        """The lines between vectors of counts on which the network decides differently on a class."""
        return [] if self.symmetric is None else self.symmetric.lines(pairs, classes[place], limit)

    def verify(self, sentence: Sentence, number: int, question: Question) -> Report:
        """Verify that the network decides a class exactly where a sentence holds."""
        rival = SpecifiedRival(specification(self.network, sentence, number))
        return report(Comparison(self.source, question, rival, self.progress, replayed=False))


@dataclass
class Together:
    """What a search for several classes found: fronts, the seconds until each was complete, and how far none is missed."""

    fronts: list[list[Candidate]]
    seconds: list[float]
    complete: list[int]


@dataclass(frozen=True)
class Round:
    """A front found on words."""

    front: tuple[Candidate, ...]
    complete: int
    words: Decided
    searched: tuple[str, int]


class _One:
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
            outcome = self.verify(found.front[-1].sentence)
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
        further = self.of(farthest) if farthest.reach > chosen.reach else None
        return replace(self.of(chosen), further=further, seconds=time.monotonic() - self.started)

    def of(self, attempt: Attempt) -> Explained:
        """What is known of an attempt: if it was refuted, that it is right on all shorter words."""
        departs, outcome = attempt.word or "", attempt.report
        if departs:
            outcome = self.verify(attempt.candidate.sentence, len(departs.split()) - 1)
        elif self.explainer.longer and outcome.verdict == "unknown":
            outcome = self.verify(attempt.candidate.sentence, self.explainer.lengths_of_vectors(MOST_VERIFIED)[-1])
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


def specification(network: Network, sentence: Sentence, number: int) -> Specification:
    """That a network decides a class exactly where a sentence holds; for two classes that says it all."""
    name = f"class[{number}]"
    params = sentence.free or ("x",)[: network.decided.n_positions]
    defined = Definition(name, params, sentence.formula)
    stated = replace(sentence, letters=network.alphabet, definitions=(*sentence.definitions, defined), formula=TRUE)
    return Specification(stated, (number,), (name,), n_classes(network) == 2)


def verified(explained: Explained) -> bool:
    """Tell whether the sentence chosen is right on all words searched, and holds on the scope of its verification."""
    return not explained.chosen.wrong and explained.report is not None and explained.report.verdict == "holds"


def counterexample(found: Report) -> str | None:
    """The shortest word on which a sentence was refuted, if it was."""
    words = [claim.verdict.counterexample.word for claim in found.claims if isinstance(claim.verdict, Refuted)]
    return min(words, key=lambda word: len(word.split()), default=None)
