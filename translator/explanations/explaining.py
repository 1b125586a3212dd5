"""The short sentence of a network: search on short words, verify on long ones, refine by counterexamples.

For each class that a network decides (for two classes: class 1) the words of the search are all words of the shortest lengths.
A sentence that is right on all of them is verified by the methods of ``fom verify``; a word on which it differs from the network
joins the words of the search, which goes on. Where no sentence is right, the best is kept, with the words on which it is wrong.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.network import Network
from circuits.pairs import n_classes
from circuits.words import all_words
from logic.comparing.methods import Limit
from logic.comparing.problem import Problem, decided_by
from logic.comparing.specification import Specification
from logic.searching.samples import Samples
from logic.searching.search import Candidate, search
from logic.searching.search import front as pareto
from logic.syntax import TRUE, Definition, Sentence
from logic.telling import Progress, seldom
from logic.verdicts import Refuted
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


@dataclass(frozen=True, slots=True)
class Search:
    """What to search for.

    Attributes:
        search_length: longest words of the search; None: as long as there are not more than `MOST_POSITIONS` positions.
        max_length: longest words of the verification; None: every length, where that can be decided, else 8.
        where: a sentence that restricts the words, or None.
        at: a formula that restricts the positions, or None.
        classes: the classes explained, or None for all (class 1 of two).
        timeout_s: for the search for each class, and as much again for its verification.
    """

    search_length: int | None = None
    max_length: int | None = None
    where: str | None = None
    at: str | None = None
    classes: tuple[int, ...] | None = None
    timeout_s: float = 60.0


@dataclass(frozen=True)
class Attempt:
    """A front whose last candidate is right on all words searched, its verification, and the word that refutes it, if any."""

    front: tuple[Candidate, ...]
    report: Report
    word: str | None

    @property
    def candidate(self) -> Candidate:
        """The candidate that was verified."""
        return self.front[-1]


def best_of(attempts: list[Attempt]) -> Attempt | None:
    """The last attempt, if nothing refutes it and it is not much longer than the first; else the one that is right longest.

    A network often departs from what it learned on words longer than those of its training. A sentence that follows it there
    says less about it than a short one with the word where it departs.
    """
    if not attempts:
        return None
    first, last = attempts[0], attempts[-1]
    if last.word is None and last.candidate.size <= MUCH_LONGER * first.candidate.size + 2:
        return last
    refuted = [attempt for attempt in attempts if attempt.word is not None]
    shortest = min(attempt.candidate.size for attempt in refuted)
    short = [attempt for attempt in refuted if attempt.candidate.size <= MUCH_LONGER * shortest + 2]
    return max(short, key=lambda attempt: len((attempt.word or "").split()))


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

    def samples(self, number: int) -> Samples:
        """All words of the search, and where the network decides a class."""
        words = [np.concatenate(list(all_words(len(self.network.alphabet), n))) for n in self.lengths]
        parts = [self.sample(batch, number) for batch in words]
        if not any(considered.any() for _, considered in parts):
            raise self.scope.no_words()
        return Samples(
            self.network.alphabet, tuple(words), tuple(truth for truth, _ in parts), tuple(seen for _, seen in parts)
        )

    def sample(self, words: Integers, number: int) -> tuple[Any, Any]:
        """Where the network decides a class on words, and where that is considered."""
        truth = decided_by(self.network, words) == number
        never = Specification(Sentence(self.network.alphabet, (), (), TRUE), (), (), False)
        problem = Problem(self.network, never, self.scope.where, self.scope.at)
        return truth, problem.places_considered(words)

    def explain(self, number: int) -> Explained:
        """Search and verify for one class."""
        started = time.monotonic()
        deadline = started + self.asked.timeout_s
        samples = self.samples(number)
        attempts: list[Attempt] = []
        front: tuple[Candidate, ...] = ()
        while True:
            self.progress(f"searching for class[{number}]" + (f", round {len(attempts) + 1}" if attempts else ""))
            found = tuple(pareto(list(search(samples, Limit(deadline, progress=self.progress)))))
            front = found or front
            if not found or found[-1].wrong:
                break
            self.progress(f"verifying {found[-1].sentence.formula}")
            outcome = self.verify(found[-1].sentence, number, self.question)
            attempts.append(Attempt(found, outcome, counterexample(outcome)))
            if attempts[-1].word is None or time.monotonic() >= deadline:
                break
            samples = self.with_word(samples, attempts[-1].word, number)
        chosen = best_of(attempts)
        if chosen is None:
            wrong = self.wrong_words(samples, front[-1])
            spent = time.monotonic() - started
            return Explained(f"class[{number}]", front, front[-1], None, self.searched, 0, wrong, spent)
        departs = chosen.word or ""
        outcome = chosen.report
        if departs:
            shorter = replace(self.question, max_length=len(departs.split()) - 1, all_lengths=False)
            outcome = self.verify(chosen.candidate.sentence, number, shorter)
        rounds = attempts.index(chosen)
        name, spent = f"class[{number}]", time.monotonic() - started
        return Explained(name, chosen.front, chosen.candidate, outcome, self.searched, rounds, (), spent, departs)

    def with_word(self, samples: Samples, word: str, number: int) -> Samples:
        """The samples and one more word."""
        added = parse_word(word, self.network.alphabet)[None]
        return samples.with_words(added, *self.sample(added, number))

    @property
    def searched(self) -> str:
        """The scope of the search, in words."""
        return self.scope.restricted(self.lengths)

    def verify(self, sentence: Sentence, number: int, question: Question) -> Report:
        """Verify that the network decides a class exactly where a sentence holds."""
        rival = SpecifiedRival(specification(self.network, sentence, number))
        return report(Comparison(self.source, question, rival, self.progress, replayed=False))

    def wrong_words(self, samples: Samples, candidate: Candidate) -> tuple[str, ...]:
        """The first words on which a candidate is wrong."""
        from logic.batch import evaluate

        found: list[str] = []
        for words, truth, considered in zip(samples.words, samples.truth, samples.considered, strict=True):
            rows_of = (len(words), -1)
            holds = np.asarray(evaluate(candidate.sentence, words)[""], dtype=bool).reshape(rows_of)
            differs = (holds != truth.reshape(rows_of)) & considered.reshape(rows_of)
            rows = words[differs.any(axis=1)]
            found += [format_word(row, self.network.alphabet) for row in rows[: MOST_WRONG - len(found)]]
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
