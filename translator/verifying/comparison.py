"""A network compared with a specification or with another network: the claims, from what the methods found.

A difference is a shortest one, and is replayed through every representation before it is reported. Networks of fixed-size inputs
are compared on all codes, where these are few, or on random ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.inputs import decode_inputs, encode_inputs, input_limits
from circuits.network import Network
from logic.comparing.problem import Problem, decided_by
from logic.comparing.specification import Specification
from logic.telling import Progress
from logic.verdicts import Claim, Counterexample, Holds, Refuted, Unknown, Verdict
from translator.sides import Source
from translator.verifying.deciding import Deciding
from translator.verifying.question import Question
from translator.verifying.rivals import Rival
from translator.verifying.scope import Scope

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_LISTED = 10_000
STATIC_BITS = 20
SAMPLED = 1 << 14


class Comparison(Deciding):
    """One run: network and rival, and the failures so far."""

    def __init__(
        self, source: Source, question: Question, rival: Rival, progress: Progress, replayed: bool = True
    ) -> None:
        other = rival.compared if isinstance(rival.compared, Network) else None
        scope = Scope(source.network, question, other)
        scope.restriction = rival.restriction
        super().__init__(source, question, scope, rival.side, progress)
        self.rival = rival
        self.replayed = replayed
        self.failures: list[Counterexample] = []
        self.notes += rival.notes

    def answer(self) -> None:
        """Make the claims."""
        if self.scope.static:
            self.compare_static()
        elif self.question.list_failures:
            self.list_failures()
        else:
            self.decide(self.problem)
            if self.vacuous:
                raise self.scope.no_words()

    @property
    def problem(self) -> Problem:
        """What methods decide."""
        return Problem(self.network, self.rival.compared, self.scope.where, self.scope.at)

    def contradicted(self, row: Integers) -> Refuted:
        """A word on which network and rival differ, replayed, unless only the word is wanted."""
        if self.replayed:
            answers = self.replay.decisions(row)
        else:
            answers = {"network": decided_by(self.network, row[None])[0].tolist()}
        return Refuted(Counterexample(self.replay.show(row), {**answers, **self.rival.answers(row)}))

    def list_failures(self) -> None:
        """Compare all words of the scope, and list those on which network and rival differ."""
        self.only_some_lengths()
        started = time.perf_counter()
        counted = failed = 0
        first: Integers | None = None
        decided: list[int] = []
        for n in self.scope.lengths:
            self.progress(f"comparing all words of length {n}")
            for words in self.scope.inputs(n):
                if self.late:
                    break
                counted += len(words)
                wrong = words[self.problem.differs(words)]
                failed += len(wrong)
                first = wrong[0] if first is None and len(wrong) else first
                self.keep_failures(wrong)
            if self.late:
                break
            decided.append(n)
        left = self.scope.lengths[len(decided) :]
        if not counted and not left:
            raise self.scope.no_words()
        self.notes.append(f"{failed:,} of {counted:,} inputs fail" if failed else f"all {counted:,} inputs agree")
        if failed > MOST_LISTED:
            self.notes.append(f"the first {MOST_LISTED:,} of them are listed")
        seconds = round(time.perf_counter() - started, 3)
        if decided or first is not None:
            verdict = Holds() if first is None else self.contradicted(first)
            scope = self.scope.restricted(decided or left[:1])
            self.claims.append(Claim("network", self.rival.side, scope, "exhaustive", verdict, seconds))
        if left:
            self.complete = False
            open_ = Unknown(f"the time limit was reached at n = {left[0]}")
            self.claims.append(
                Claim("network", self.rival.side, self.scope.restricted(left), "exhaustive", open_, seconds)
            )

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
        if self.question.method not in ("auto", "exhaustive"):
            raise fail(
                "T061", f"the method {self.question.method} is about words, and this network reads an input of fixed size",
                help="choose auto or exhaustive",
            )  # fmt: skip
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
