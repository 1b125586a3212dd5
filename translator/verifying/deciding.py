"""A run about words that decides problems by the methods of comparison: claims, notes on what was chosen, and what remains open.

Where all lengths are asked for, or none, methods that decide every length at once come first; what they leave open is decided
length by length, shortest first.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from logic.comparing.choosing import Step, decide_everywhere, decide_lengths, obstacles
from logic.comparing.methods import Limit, Method, Unbounded
from logic.comparing.problem import Problem
from logic.comparing.registry import METHODS, UNBOUNDED
from logic.telling import Progress, seldom
from logic.verdicts import Claim, Holds, Refuted, Unknown, Verdict
from translator.sides import Source
from translator.verifying.question import Question
from translator.verifying.replaying import Replay
from translator.verifying.scope import Scope

Integers = np.ndarray[Any, np.dtype[np.int64]]

SHARE_FOR_ALL_LENGTHS = 0.5


class Deciding(ABC):
    """One run that decides problems, of which none may have a difference.

    Attributes:
        side: the name of what the network is compared with.
        complete: whether the claims so far are about the whole scope asked for.
        at_every_length: for each problem, whether it was decided at every length at once.
    """

    def __init__(self, source: Source, question: Question, scope: Scope, side: str, progress: Progress) -> None:
        self.network = source.network
        self.question, self.scope, self.side = question, scope, side
        self.progress = seldom(progress)
        self.replay = Replay(source)
        self.deadline = time.monotonic() + question.timeout_s
        self.lengths = list(scope.lengths)
        self.considered = False
        self.complete = True
        self.at_every_length: list[bool] = []
        self.claims: list[Claim] = []
        self.notes: list[str] = []

    @abstractmethod
    def answer(self) -> None:
        """Make the claims."""

    @abstractmethod
    def contradicted(self, row: Integers) -> Refuted:
        """The refutation by a word with a difference, replayed."""

    def settled(self) -> bool:
        """Tell whether the claims that hold cover the whole scope."""
        return self.complete

    @property
    def scope_text(self) -> str:
        """The scope that was answered about, in words: every length, if all problems were decided at every length."""
        return self.scope.everywhere + self.scope.restrictions if self.everywhere else self.scope.text

    @property
    def everywhere(self) -> bool:
        """Tell whether all problems were decided at every length."""
        return bool(self.at_every_length) and all(self.at_every_length)

    @property
    def vacuous(self) -> bool:
        """Tell whether all claims hold and none of them is about any word."""
        holding = all(isinstance(claim.verdict, Holds) for claim in self.claims)
        return bool(self.claims) and holding and not self.considered

    def decide(self, problem: Problem, label: str = "") -> None:
        """Decide one problem; `label` names it in the scope. After a difference, later problems are decided for shorter words."""
        method = self.question.method
        unbounded = [one for one in UNBOUNDED if method in ("auto", one.name)]
        bounded: Sequence[Method] = METHODS
        if method != "auto":
            bounded = [one for one in METHODS if one.name == method]
        self.at_every_length.append(False)
        if self.asks_every_length(method) and unbounded and self.every_length(problem, unbounded, label):
            return
        self.only_some_lengths()
        if bounded:
            self.some_lengths(problem, bounded, label)
        else:
            self.complete = False
            open_ = Unknown(f"{method} did not decide it; see the notes")
            scope = self.scope.everywhere + self.scope.restrictions + label
            self.claims.append(Claim("network", self.side, scope, method, open_, 0.0))

    @property
    def late(self) -> bool:
        """Tell whether the time is over."""
        return time.monotonic() > self.deadline

    def only_some_lengths(self) -> None:
        """What follows is about the lengths of the scope only, which may be fewer than were asked for."""
        if self.question.all_lengths and not self.scope.covers_domain:
            self.complete = False

    def asks_every_length(self, method: str) -> bool:
        """Tell whether to decide every length at once: asked for, no length given, or a method named that does."""
        if any(one.name == method for one in UNBOUNDED):
            return True
        return (self.question.all_lengths or self.question.max_length is None) and not self.scope.covers_domain

    def beyond_asked(self, n: int) -> bool:
        """Tell whether words of length n are longer than those that were asked about."""
        return self.question.max_length is not None and not self.question.all_lengths and n > self.scope.lengths[-1]

    def every_length(self, problem: Problem, methods: Sequence[Unbounded], label: str) -> bool:
        """Decide every length at once; whether that settled the problem."""
        share = SHARE_FOR_ALL_LENGTHS if self.question.method == "auto" else 1.0
        limit = Limit(time.monotonic() + share * (self.deadline - time.monotonic()), progress=self.progress)
        scope = self.scope.everywhere + self.scope.restrictions + label
        for step in decide_everywhere(problem, limit, methods):
            if step.finding.word is not None:
                if not self.beyond_asked(len(step.finding.word)):
                    self.at_every_length[-1] = True
                    self.refute(step, scope)
                    return True
                self.considered = True
                self.note(f"{step.method}: the shortest difference has length {len(step.finding.word)}")
                self.claim(step, self.scope.restricted(self.lengths) + label, Holds())
                return True
            if step.finding.everywhere:
                self.considered = self.at_every_length[-1] = True
                if not step.finding.facts.get("considered", 1):
                    self.note("none of the words compared satisfies --where: this may be about no word at all")
                self.claim(step, scope, Holds())
                return True
            self.note(f"{step.method} did not decide every length: {step.finding.reason}")
        for name, why in obstacles(problem, methods).items():
            if why:
                self.note(f"{name} does not decide every length here: {why}")
        return False

    def some_lengths(self, problem: Problem, methods: Sequence[Method], label: str) -> None:
        """Decide the lengths of the scope, shortest first."""
        limit = Limit(self.deadline, progress=self.progress)
        if self.question.method != "auto":
            for name, why in obstacles(problem, methods).items():
                if why:
                    self.note(f"{name} does not apply: {why}")
        known: set[int] = set()
        reason = ""
        for step in decide_lengths(problem, self.lengths, limit, methods):
            finding = step.finding
            if finding.word is not None:
                self.refute(step, self.scope.restricted(list(finding.decided)) + label)
                return
            known.update(finding.decided)
            reason = finding.reason
            self.considered |= bool(finding.facts.get("considered", 1))
            if finding.decided:
                self.claim(step, self.scope.restricted(list(finding.decided)) + label, Holds())
                self.explain(step)
        left = [n for n in self.lengths if n not in known]
        if left:
            self.complete = False
            why = reason or ("the time limit was reached" if limit.left <= 0 else "no method has it within reach")
            open_ = Unknown(f"not decided from n = {left[0]} on: {why}")
            scope = self.scope.restricted(left) + label
            self.claims.append(Claim("network", self.side, scope, self.question.method, open_, 0.0))

    def refute(self, step: Step, scope: str) -> None:
        """Record a difference; what comes later is decided for shorter words only."""
        word = step.finding.word
        if word is None:
            return
        self.claim(step, scope, self.contradicted(word))
        if step.finding.reason:
            self.note(f"{step.method}: {step.finding.reason}")
        self.lengths = [n for n in self.lengths if n < len(word)]

    def explain(self, step: Step) -> None:
        """Note the choice of a method, where there was one."""
        others = {name: forecast for name, forecast in step.forecasts.items() if name != step.method}
        if others:
            shown = ", ".join(f"{name} {duration(forecast)}" for name, forecast in others.items())
            own = duration(step.forecasts[step.method])
            self.note(f"{step.method} was chosen from n = {step.finding.decided[0]} on: forecast {own}; {shown}")

    def note(self, text: str) -> None:
        """Note something once."""
        if text not in self.notes:
            self.notes.append(text)

    def claim(self, step: Step, scope: str, verdict: Verdict) -> None:
        """Record what a method found."""
        facts = dict(step.finding.facts)
        evidence = tuple((one.statement, one.script) for one in step.finding.obligations)
        if evidence:
            facts["obligations"] = len(evidence)
        theorem = step.finding.theorem
        seconds = round(step.seconds, 3)
        self.claims.append(
            Claim(
                "network",
                self.side,
                scope,
                step.method,
                verdict,
                seconds,
                theorem=theorem,
                facts=facts,
                evidence=evidence,
            )
        )


def duration(seconds: float) -> str:
    """Seconds for a reader."""
    if seconds == float("inf"):
        return "out of reach"
    return f"{seconds:.1f} s" if seconds < 1000 else f"{seconds:,.0f} s"
