"""A network against a property: a sentence about words and what is answered on them, or about two words and both answers.

A property of the classes decided becomes problems that all methods of comparison know, one for each decision. Any other property
is evaluated on every word, or on every pair of words, of the scope.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.pairs import n_classes
from logic.comparing.properties import Property
from logic.comparing.property_problems import problems_of
from logic.comparing.specification import Specification
from logic.parser import parse
from logic.telling import Progress
from logic.verdicts import Claim, Counterexample, Holds, Refuted, Unknown, Verdict
from translator.sentences import read_formula
from translator.sides import Source
from translator.verifying.deciding import Deciding
from translator.verifying.question import Question
from translator.verifying.scope import Scope

Integers = np.ndarray[Any, np.dtype[np.int64]]

PAIRS_AT_ONCE = 1 << 12
SIDE = "property"


class PropertyCheck(Deciding):
    """One run for a property."""

    def __init__(self, source: Source, question: Question, progress: Progress) -> None:
        super().__init__(source, question, Scope(source.network, question), SIDE, progress)
        self.property_ = self.read()

    def read(self) -> Property:
        """The property asked for.

        Raises:
            FomError: a static network, a syntax error, or atoms that mean nothing.
        """
        if self.scope.static:
            raise fail(
                "T067", "a property in FO(M) is about words, and this network reads an input of fixed size",
                help="give a property in VNN-LIB: --property FILE.vnnlib",
            )  # fmt: skip
        text, name = read_formula(self.question.property_ or "")
        property_ = Property(self.network, parse(text, name))
        if self.scope.at is not None and not property_.sentence.free:
            raise fail(
                "T062", "--at restricts positions, and the property has no free variable",
                where=name, help="state the property for a position x, or leave out --at",
            )  # fmt: skip
        return property_

    def answer(self) -> None:
        """Make the claims."""
        problems = problems_of(self.property_, self.scope.where, self.scope.at)
        if isinstance(problems, str):
            self.notes.append(f"decided on every {self.inputs_named}, because {problems}")
            self.on_every_word()
            return
        if not problems:
            self.notes.append("the property holds whatever the network decides")
            self.at_every_length.append(True)
            everywhere = self.scope.everywhere + self.scope.restrictions
            self.claims.append(Claim("network", SIDE, everywhere, "simplification", Holds(), 0.0))
        for problem in problems:
            (number,) = problem.rival.classes if isinstance(problem.rival, Specification) else ()
            label = "" if len(problems) == 1 else f", decision {self.decision_name(number)}"
            self.decide(problem, label)

    @property
    def inputs_named(self) -> str:
        """What the property speaks about."""
        return "word" if self.property_.copies == 1 else "pair of words"

    def decision_name(self, number: int) -> str:
        """A decision, or the decisions on both words."""
        if self.property_.copies == 1:
            return str(number)
        return "{} and {}".format(*divmod(number, n_classes(self.network)))

    def on_every_word(self) -> None:
        """Evaluate the property on every word, or pair of words, of the scope, shortest first."""
        self.only_some_lengths()
        started = time.perf_counter()
        counted = 0
        decided: list[int] = []
        for n in self.scope.lengths:
            self.progress(f"the property on every {self.inputs_named} of length {n}")
            for one, two in self.pairs(n):
                if self.late:
                    break
                counted += len(one)
                broken = self.scope.rows_considered(~self.property_.holds(one, two), one, two)
                if broken.any():
                    place = int(np.argmax(broken))
                    refuted = self.violated(one[place], two[place])
                    self.record(self.scope.restricted([*decided, n]), refuted, started, counted)
                    return
            if self.late:
                break
            decided.append(n)
        left = self.scope.lengths[len(decided) :]
        if not counted and not left:
            raise self.scope.no_words()
        if decided:
            self.record(self.scope.restricted(decided), Holds(), started, counted)
        if left:
            self.complete = False
            open_ = Unknown(f"the time limit was reached at n = {left[0]}")
            self.record(self.scope.restricted(left), open_, started, counted)

    def pairs(self, n: int) -> Iterator[tuple[Integers, Integers]]:
        """Words of a length with their second words; with themselves, where the property speaks about one word only."""
        for words in self.scope.inputs(n):
            if self.property_.copies == 1:
                yield words, words
                continue
            for others in self.scope.inputs(n):
                step = max(1, PAIRS_AT_ONCE // len(others))
                for start in range(0, len(words), step):
                    part = words[start : start + step]
                    yield np.repeat(part, len(others), axis=0), np.tile(others, (len(part), 1))

    def record(self, scope: str, verdict: Verdict, started: float, counted: int) -> None:
        """Record what the words showed."""
        seconds = round(time.perf_counter() - started, 3)
        facts = {"words" if self.property_.copies == 1 else "pairs of words": counted}
        self.claims.append(Claim("network", SIDE, scope, "exhaustive", verdict, seconds, facts=facts))

    def contradicted(self, row: Integers) -> Refuted:
        """A word, or a word over pairs of letters, that violates the property, replayed."""
        if self.property_.copies == 1:
            return self.violated(row, row)
        return self.violated(*np.divmod(row, len(self.network.alphabet)))

    def violated(self, one: Integers, two: Integers) -> Refuted:
        """A word, or two, that violate the property, replayed."""
        decided = self.replay.decisions(one)
        if self.property_.copies == 1:
            return Refuted(Counterexample(self.replay.show(one), {**decided, SIDE: False}))
        decided |= {f"{side}, second word": value for side, value in self.replay.decisions(two).items()}
        return Refuted(Counterexample(f"{self.replay.show(one)} / {self.replay.show(two)}", {**decided, SIDE: False}))
