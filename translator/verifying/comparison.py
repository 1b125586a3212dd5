"""A network compared with a specification or with another network: the claims, from what the methods found.

Where all lengths are asked for, or none, methods that decide every length at once come first; what they leave open is decided
length by length. A difference is a shortest one, and is replayed through every representation before it is reported.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from circuits.inputs import decode_inputs, encode_inputs, input_limits
from circuits.network import Network
from logic.comparing.choosing import Step, decide_everywhere, decide_lengths, named, obstacles
from logic.comparing.methods import Limit
from logic.comparing.problem import Problem, decided_by
from logic.comparing.registry import METHODS, UNBOUNDED
from logic.comparing.specification import Specification
from logic.verdicts import Claim, Counterexample, Holds, Refuted, Unknown, Verdict
from translator.sides import Source
from translator.telling import Progress, seldom
from translator.verifying.question import Question
from translator.verifying.replaying import Replay
from translator.verifying.rivals import Rival, read_rival
from translator.verifying.scope import Scope

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_LISTED = 10_000
STATIC_BITS = 20
SAMPLED = 1 << 14
SHARE_FOR_ALL_LENGTHS = 0.5


class Comparison:
    """One run: network and rival, the scope, and the claims, notes and failures so far."""

    def __init__(self, source: Source, question: Question, progress: Progress) -> None:
        self.source = source
        self.network = source.network
        self.question = question
        self.progress = seldom(progress)
        self.replay = Replay(source)
        self.scope = Scope(self.network, question)
        self.rival: Rival = read_rival(question.against or "", self.network, progress)
        self.scope.restriction = self.rival.restriction
        self.notes: list[str] = list(self.rival.notes)
        self.claims: list[Claim] = []
        self.failures: list[Counterexample] = []
        self.known: set[int] = set()
        if isinstance(self.rival.compared, Network):
            domain = self.rival.compared.domain
            self.scope.lengths = [n for n in self.scope.lengths if domain.admits(n)]
        self.deadline = time.monotonic() + question.timeout_s

    def settled(self) -> bool:
        """Tell whether the claims that hold cover the whole scope."""
        scopes = {claim.scope for claim in self.claims if isinstance(claim.verdict, Holds)}
        if scopes & {self.scope.text, self.scope.everywhere + self.scope.restrictions}:
            return True
        bounded = self.scope.text == self.scope.restricted(self.scope.lengths)
        return bounded and self.known >= set(self.scope.lengths)

    def answer(self) -> None:
        """Make the claims."""
        if self.scope.static:
            self.compare_static()
            return
        if not self.scope.lengths:
            raise self.scope.no_common_length()
        if self.question.list_failures:
            self.list_failures()
            return
        problem = Problem(self.network, self.rival.compared, self.scope.where, self.scope.at)
        if self.question.method == "auto":
            self.automatic(problem)
        else:
            unbounded = [method for method in UNBOUNDED if method.name == self.question.method]
            if unbounded:
                self.every_length(problem, unbounded, 1.0)
            else:
                self.some_lengths(problem, [named(self.question.method, METHODS, UNBOUNDED)])

    def automatic(self, problem: Problem) -> None:
        """All lengths at once, if that is what is asked and can be done; else one after the other."""
        wanted = self.question.all_lengths or self.question.max_length is None
        if wanted and not self.scope.covers_domain and self.every_length(problem, UNBOUNDED, SHARE_FOR_ALL_LENGTHS):
            return
        self.some_lengths(problem, METHODS)

    def every_length(self, problem: Problem, methods: Any, share: float) -> bool:
        """Decide every length at once; whether that settled the question."""
        limit = Limit(time.monotonic() + share * (self.deadline - time.monotonic()), progress=self.progress)
        scope = self.scope.everywhere + self.scope.restrictions
        for step in decide_everywhere(problem, limit, methods):
            if step.finding.word is not None:
                self.claim(step, scope, self.contradicted(step.finding.word))
                return True
            if step.finding.everywhere:
                self.claim(step, scope, Holds())
                return True
            self.notes.append(f"{step.method} did not decide every length: {step.finding.reason}")
        for name, why in obstacles(problem, methods).items():
            if why:
                self.notes.append(f"{name} does not decide every length here: {why}")
        return False

    def some_lengths(self, problem: Problem, methods: Any) -> None:
        """Decide the lengths of the scope, shortest first, and say which methods were chosen and why."""
        limit = Limit(self.deadline, progress=self.progress)
        for name, why in obstacles(problem, methods).items():
            if why and len(methods) == 1:
                self.notes.append(f"{name} does not apply: {why}")
        considered = 0
        reason = ""
        for step in decide_lengths(problem, self.scope.lengths, limit, methods):
            finding = step.finding
            self.known.update(finding.decided)
            considered += int(finding.facts.get("considered", 1))
            reason = finding.reason
            if finding.word is not None:
                self.claim(step, self.scope.restricted(list(finding.decided)), self.contradicted(finding.word))
                return
            if finding.decided:
                self.claim(step, self.scope.restricted(list(finding.decided)), Holds())
            self.explain(step)
        left = [n for n in self.scope.lengths if n not in self.known]
        if left:
            why = reason or (
                "the time limit was reached" if limit.left <= 0 else "no method decides this length in reach"
            )
            open_ = Unknown(f"n = {left[0]} and longer were not decided: {why}")
            self.claims.append(
                Claim("network", self.rival.side, self.scope.restricted(left), self.question.method, open_, 0.0)
            )
        elif not considered:
            raise self.scope.no_words()

    def explain(self, step: Step) -> None:
        """Note the choice of a method, where there was one."""
        others = {name: forecast for name, forecast in step.forecasts.items() if name != step.method}
        if others and step.finding.decided:
            shown = ", ".join(f"{name} {duration(forecast)}" for name, forecast in others.items())
            own = duration(step.forecasts[step.method])
            self.notes.append(f"{step.method} was chosen at n = {step.finding.decided[0]}: forecast {own}; {shown}")

    def claim(self, step: Step, scope: str, verdict: Verdict) -> None:
        """Record what a method found."""
        facts = dict(step.finding.facts)
        if step.finding.obligations:
            facts["obligations"] = len(step.finding.obligations)
        seconds = round(step.seconds, 3)
        theorem = step.finding.theorem if step.finding.everywhere else ""
        self.claims.append(
            Claim("network", self.rival.side, scope, step.method, verdict, seconds, theorem=theorem, facts=facts)
        )

    def contradicted(self, row: Integers) -> Refuted:
        """A word on which network and rival differ, replayed."""
        return Refuted(Counterexample(self.replay.show(row), {**self.replay.decisions(row), **self.rival.answers(row)}))

    def list_failures(self) -> None:
        """Compare all words of the scope, and list those on which network and rival differ."""
        problem = Problem(self.network, self.rival.compared, self.scope.where, self.scope.at)
        started = time.perf_counter()
        counted = failed = 0
        first: Integers | None = None
        for n in self.scope.lengths:
            self.progress(f"comparing all words of length {n}")
            for words in self.scope.inputs(n):
                counted += len(words)
                wrong = words[problem.differs(words)]
                failed += len(wrong)
                first = wrong[0] if first is None and len(wrong) else first
                self.keep_failures(wrong)
        if not counted:
            raise self.scope.no_words()
        self.notes.append(f"{failed:,} of {counted:,} inputs fail" if failed else f"all {counted:,} inputs agree")
        if failed > MOST_LISTED:
            self.notes.append(f"the first {MOST_LISTED:,} of them are listed")
        verdict = Holds() if first is None else self.contradicted(first)
        seconds = round(time.perf_counter() - started, 3)
        scope = self.scope.restricted(self.scope.lengths)
        self.claims.append(Claim("network", self.rival.side, scope, "exhaustive", verdict, seconds))

    def keep_failures(self, words: Integers) -> None:
        """Keep failures for the list, up to `MOST_LISTED`."""
        words = words[: MOST_LISTED - len(self.failures)]
        if not len(words):
            return
        compared = self.rival.compared
        if isinstance(compared, Specification):
            answers = [compared.answer(truth) for truth in compared.truth(words)]
        else:
            answers = decided_by(compared, words).tolist()
        onnx = self.replay.sides.decide("onnx", self.replay.sides.raw(words))
        for row, answer, own, original in zip(words, answers, decided_by(self.network, words), onnx, strict=True):
            shown = {self.rival.side: answer, "network": own.tolist(), "onnx": original.tolist()}
            self.failures.append(Counterexample(self.replay.show(row), shown))

    def compare_static(self) -> None:
        """Compare two networks of fixed-size inputs: on every input code of this one, or on random ones."""
        other = self.rival.compared
        if not isinstance(other, Network):
            raise TypeError("a specification of a static network is refused when it is read")
        started = time.perf_counter()
        bits = int(self.scope.input_bits.sum())
        everything = bits <= STATIC_BITS
        counted = failed = 0
        first: Integers | None = None
        for codes in self.scope.inputs(1) if everything else self.random_inputs():
            reals = decode_inputs(self.network.inputs, codes)
            wrong = decided_by(self.network, codes) != decided_by(other, encode_inputs(other.inputs, reals))
            rows = codes[wrong.reshape(len(codes), -1).any(axis=1)]
            counted, failed = counted + len(codes), failed + len(rows)
            first = rows[0] if first is None and len(rows) else first
            if len(rows) and not self.question.list_failures:
                break
        seconds = round(time.perf_counter() - started, 3)
        if first is not None:
            verdict: Verdict = self.contradicted_static(first)
        elif everything:
            verdict = Holds()
        else:
            verdict = Unknown(
                f"{counted:,} random inputs agree, which proves nothing about the others (2^{bits} in all)"
            )
        self.notes.append(f"{counted:,} inputs compared, {failed:,} differ")
        method = "exhaustive" if everything else "search"
        self.claims.append(Claim("network", self.rival.side, "every input", method, verdict, seconds))

    def random_inputs(self) -> Iterator[Integers]:
        """Random codes of the inputs."""
        low, high = input_limits(self.network.inputs)
        yield np.random.default_rng(0).integers(low, high + 1, (SAMPLED, len(low)))

    def contradicted_static(self, row: Integers) -> Refuted:
        """An input of fixed size on which two networks differ, replayed."""
        other = self.rival.compared
        answers = self.replay.decisions(row)
        if isinstance(other, Network):
            reals = decode_inputs(self.network.inputs, row[None])
            answers |= self.rival.answers(encode_inputs(other.inputs, reals)[0])
        return Refuted(Counterexample(self.replay.show(row), answers))


def duration(seconds: float) -> str:
    """Seconds for a reader."""
    if seconds == float("inf"):
        return "out of reach"
    return f"{seconds:.1f} s" if seconds < 1000 else f"{seconds:,.0f} s"
