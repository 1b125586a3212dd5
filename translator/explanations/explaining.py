"""The short sentence of a network: search on short words, verify on long ones, refine by counterexamples.

For each class that a network decides (for two classes: class 1) the words of the search are all words of the shortest lengths.
A sentence that is right on all of them is verified by the methods of ``fom verify``; a word on which it differs from the network
joins the words of the search, which goes on. Where no sentence is right, the best is kept, with the words on which it is wrong.

If a network decides by the counts of letters only, one word is searched for each vector of counts: short ones first, to find
what it does on the words that it was made for, and then words as long as there are not too many vectors.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.network import Network
from circuits.pairs import n_classes
from circuits.words import all_words, random_words
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
from translator.explanations.decided import Decided
from translator.explanations.explanation import Explained
from translator.explanations.refining import Clock, OneClass, Round
from translator.sides import Source
from translator.verification import report
from translator.verifying.comparison import Comparison
from translator.verifying.question import Question, Report
from translator.verifying.rivals import SpecifiedRival
from translator.verifying.scope import Scope

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_POSITIONS = 6_100
MOST_ASKED = 1_000_000
"""Positions of all words of a search whose length is given."""
MOST_LISTED = 2_000_000
"""Words of the shortest length that are all looked at, to find those that are considered."""
MOST_RANDOM = 2_000
MOST_VECTORS = 2_000
SHARE_OF_SHORT = 0.3
AT_ONCE = 4
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
            verifications; for more than `AT_ONCE` classes together not more than for so many.
    """

    search_length: int | None = None
    max_length: int | None = None
    where: str | None = None
    at: str | None = None
    classes: tuple[int, ...] | None = None
    timeout_s: float = 60.0


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
            if wanted is not None and lengths and total > MOST_ASKED:
                raise fail(
                    "T063", f"the words up to length {n} have more than {MOST_ASKED:,} letters, too many for a search",
                    help=f"choose a shorter --search-length, such as {lengths[-1]}",
                )  # fmt: skip
            lengths.append(n)
        if not lengths:
            raise fail(
                "T063", f"no word of the domain is as short as {self.asked.search_length}", note=domain.reason,
                help=f"the shortest have length {domain.least}: choose a longer --search-length",
            )  # fmt: skip
        return lengths

    @property
    def classes(self) -> tuple[int, ...]:
        """The classes to explain."""
        count = n_classes(self.network)
        for number in self.asked.classes or ():
            if number >= count:
                raise fail(
                    "T066", f"the network has the classes 0 to {count - 1}, not {number}", help="choose one of them"
                )
        return self.asked.classes or ((1,) if count == 2 else tuple(range(count)))

    @cached_property
    def decided(self) -> Decided:
        """All words of the search, and what the network decides on them."""
        return self.decide([*self.shortest, *(np.concatenate(list(self.listed(n))) for n in self.lengths[1:])])

    def listed(self, n: int) -> Iterator[Integers]:
        """All words of a length."""
        return all_words(len(self.network.alphabet), n)

    @cached_property
    def shortest(self) -> list[Integers]:
        """The words of the shortest length, which is searched however many there are: random ones if there are too many."""
        letters, n = len(self.network.alphabet), self.lengths[0]
        if n * letters**n <= MOST_ASKED:
            return [np.concatenate(list(self.listed(n)))]
        if self.scope.where is not None and letters**n <= MOST_LISTED:
            words = np.concatenate([self.scope.kept(batch) for batch in self.listed(n)])
        else:
            words = random_words(letters, n, MOST_RANDOM, 0)
        if len(words) > MOST_RANDOM:
            words = words[np.sort(np.random.default_rng(0).choice(len(words), MOST_RANDOM, replace=False))]
        return [words]

    @property
    def scope_searched(self) -> str:
        """The words of the search, in words."""
        lengths = self.scope.restricted(self.lengths)
        letters, n = len(self.network.alphabet), self.lengths[0]
        whole = n * letters**n <= MOST_ASKED
        return lengths if whole else f"{len(self.shortest[0]):,} of the words, {lengths}"

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
            return self.decided, (self.scope_searched, self.lengths[-1])
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
        most = self.asked.timeout_s * min(len(classes), AT_ONCE)
        left = Clock(most - max(found.seconds), most)
        for place, number in enumerate(classes):
            clock = left.share(len(classes) - place, self.asked.timeout_s)
            self.label = f"class {place + 1} of {len(classes)}" if len(classes) > 1 else f"class[{number}]"
            one = OneClass(self, number, clock, started)
            outcome.append(one.explain(Round(tuple(found.fronts[place]), found.complete[place], words, scope)))
            left.spend(clock)
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
