"""Network = circuit = sentence, from the emitted files.

Two methods answer each claim. *Exhaustive*: every input of the lengths asked for, while that is cheap. *Compositional*: one lemma
for every kind of gadget and a comparison of linear forms, which holds for every length. A refutation is a concrete input,
replayed through all representations; what is neither proved nor refuted is unknown. *Monolithic* is one query for each length.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.inputs import input_limits
from circuits.words import random_words
from logic.proving.ledger import Ledger
from logic.syntax import Call, Iff, Sentence, var
from logic.telling import Progress, seldom
from logic.verdicts import Claim, Holds, Proof, Refuted, Unknown, Verdict
from translator.sides import Source
from translator.verifying.question import Question
from translator.verifying.replaying import REPRESENTATIONS, Replay
from translator.verifying.scope import Scope

Integers = np.ndarray[Any, np.dtype[np.int64]]

BUDGET = 800_000_000
SEARCH_WORDS = 400
SEARCH_BEYOND = 8
STATIC_BITS = 20
PAIRS = (("network", "circuit"), ("circuit", "sentence"))


class Equality:
    """One run: the sides, the scope, and the claims and notes so far."""

    def __init__(self, source: Source, question: Question, progress: Progress) -> None:
        self.source = source
        self.question = question
        self.progress = progress
        self.replay = Replay(source)
        self.sides = self.replay.sides
        self.scope = Scope(source.network, question)
        self.claims: list[Claim] = []
        self.notes: list[str] = []

    def answer(self) -> None:
        """Make the claims."""
        method = self.question.method
        if method == "monolithic":
            self.monolithic()
        if method in ("auto", "exhaustive"):
            self.exhaustive(forced=method == "exhaustive")
        if method in ("auto", "compositional"):
            self.compositional()

    @property
    def scope_text(self) -> str:
        """The scope asked for, in words."""
        return self.scope.text

    def settled(self) -> bool:
        """Tell whether each pair of sides has a proof on the whole scope."""
        monolithic = self.question.method == "monolithic"
        proved = {
            (claim.left, claim.right)
            for claim in self.claims
            if isinstance(claim.verdict, Holds) and claim.scope in (self.scope.text, self.scope.everywhere)
        }
        return proved >= ({("network", "sentence")} if monolithic else set(PAIRS))

    def exhaustive(self, forced: bool) -> None:
        """Compare decisions on every input, for as many lengths as the budget allows (all of them when forced)."""
        costs = np.cumsum([float(self.cost(n)) for n in self.scope.lengths])
        cheap = (
            self.scope.lengths
            if forced
            else [n for n, cost in zip(self.scope.lengths, costs, strict=True) if cost <= BUDGET]
        )
        if self.scope.static and not cheap:
            self.sample_inputs()
            return
        if not cheap:
            self.notes.append(f"exhaustive comparison is too expensive from n = {self.scope.lengths[0]} on")
            return
        scope = self.scope.restricted(cheap)
        if self.scope.static:
            scope = "every input"
        started = time.perf_counter()
        spent = dict.fromkeys(PAIRS, 0.0)
        verdicts: dict[tuple[str, str], Verdict] = {}
        counted = 0
        for n in cheap:
            self.progress(f"comparing all inputs of length {n}" if not self.scope.static else "comparing all inputs")
            for words in self.scope.inputs(n):
                counted += len(words)
                values = {"network": self.sides.network_words(words)}
                for left, right in PAIRS:
                    began = time.perf_counter()
                    if right not in values:
                        values[right] = getattr(self.sides, f"{right}_words")(words)
                    spent[left, right] += time.perf_counter() - began
                    if (left, right) not in verdicts:
                        found = self.difference(words, values[left], values[right])
                        if found is not None:
                            verdicts[left, right] = self.replay.refute(words[found])
                        elif (
                            right == "sentence" and (found := self.formula_difference(words, values[right])) is not None
                        ):
                            verdicts[left, right] = self.replay.refute(words[found], "formula")
            if len(verdicts) == len(PAIRS):
                break
        total = time.perf_counter() - started
        if not counted:
            raise self.scope.no_words()
        self.notes.append(f"{counted:,} inputs compared in {total:.1f} s")
        for pair in PAIRS:
            verdict = verdicts.get(pair, Holds())
            self.claims.append(Claim(*pair, scope, "exhaustive", verdict, round(spent[pair], 3)))

    def cost(self, n: int) -> int:
        """Gate evaluations that an exhaustive comparison of length n takes."""
        if self.scope.static:
            bits = int(self.scope.input_bits.sum())
            return BUDGET + 1 if bits > STATIC_BITS else self.source.family.gates(1) << bits
        return self.source.family.gates(n) * len(self.source.network.alphabet) ** n

    def difference(self, words: Integers, left: Integers, right: Integers) -> int | None:
        """The first input on which decision words differ, at a position considered."""
        return first_of(self.scope.rows_considered((left != right).any(axis=-1), words))

    def formula_difference(self, words: Integers, values: Integers) -> int | None:
        """The first input on which the last formula is not the decision bit that the manifest says it names."""
        truth = self.sides.formula_truth(words)
        expected = self.expected_formula(values)
        if truth.shape != expected.shape:
            raise fail("T060", "the last formula of the sentence has other free variables than the readout")
        return first_of(self.scope.rows_considered(truth != expected, words))

    def expected_formula(self, values: Integers) -> Any:
        """The truth of the decision bit that the sentence should decide, from decision words."""
        from logic.family_to_sentence import decision_labels

        family = self.source.family
        place = decision_labels(family).index(self.replay.decided())
        if self.source.network.decided.kind != "value":
            return values[..., place].astype(bool)
        element, bit = divmod(place, family.decision_format.bits)
        return ((values[..., element] - family.decision_format.lo) >> bit & 1).astype(bool)

    def sample_inputs(self) -> None:
        """Look for a difference on random inputs of a static network; finding none proves nothing."""
        low, high = input_limits(self.source.network.inputs)
        codes = np.random.default_rng(0).integers(low, high + 1, (SEARCH_WORDS, len(low)))
        self.search([codes], f"{SEARCH_WORDS} random inputs")

    def search(self, batches: list[Integers], what: str) -> None:
        """Look for a difference on some inputs; a difference refutes, and its absence is only noted."""
        for words in batches:
            values = {side: getattr(self.sides, f"{side}_words")(words) for side in REPRESENTATIONS}
            for left, right in PAIRS:
                found, kind = self.difference(words, values[left], values[right]), "decision"
                if found is None and right == "sentence":
                    found, kind = self.formula_difference(words, values[right]), "formula"
                known = any((c.left, c.right) == (left, right) and isinstance(c.verdict, Refuted) for c in self.claims)
                if found is not None and not known:
                    scope = "every input" if self.scope.static else f"n = {words.shape[1]}"
                    self.claims.append(Claim(left, right, scope, "search", self.replay.refute(words[found], kind), 0.0))
        self.notes.append(f"a search on {what} ended; it proves nothing by itself")

    def compositional(self) -> None:
        """Prove both pairs for every length; where a proof stays open, search for a difference."""
        from logic.proving.network_circuit import prove_network_circuit

        opened = False
        asked = self.question
        ledger = None if asked.ledger is None else Ledger(asked.ledger, asked.fresh)
        tell = seldom(self.progress)
        provers: tuple[tuple[tuple[str, str], Callable[[], Proof]], ...] = (
            (
                PAIRS[0],
                lambda: prove_network_circuit(
                    self.source.network, self.source.family, tell, jobs=asked.jobs, ledger=ledger
                ),
            ),
            (PAIRS[1], lambda: self.prove_sentence(tell, ledger)),
        )
        for pair, prove in provers:
            self.progress(f"proving {pair[0]} = {pair[1]} for every length")
            started = time.perf_counter()
            proof = prove()
            seconds = round(time.perf_counter() - started, 3)
            verdict: Verdict = Holds(proof)
            notes: tuple[str, ...] = ()
            if not proof.complete:
                opened = True
                verdict = Unknown(f"{len(proof.open)} obligations stay open; first: {proof.open[0]}")
                notes = proof.open[:5]
            refuted = any((c.left, c.right) == pair and isinstance(c.verdict, Refuted) for c in self.claims)
            if proof.complete or not refuted:
                self.claims.append(Claim(*pair, self.scope.everywhere, "compositional", verdict, seconds, notes))
        if ledger is not None:
            self.notes.append(ledger.summary)
        settled = any(isinstance(claim.verdict, Refuted) for claim in self.claims)
        if opened and not settled and not self.scope.static:
            self.progress("searching longer words for a difference")
            last = self.scope.lengths[-1]
            most = self.source.network.domain.most
            longer = [n for n in range(self.scope.lengths[0], last + SEARCH_BEYOND + 1) if most is None or n <= most]
            letters = len(self.source.network.alphabet)
            batches = [random_words(letters, n, SEARCH_WORDS, n) for n in longer]
            batches = [self.scope.kept(words) for words in batches]
            self.search(
                [words for words in batches if len(words)], f"{SEARCH_WORDS} random words of each n <= {longer[-1]}"
            )

    def prove_sentence(self, tell: Progress, ledger: Ledger | None) -> Proof:
        """Prove circuit = sentence: from the sentence's file, definition by definition, or from memory where there is no file."""
        from logic.proving.circuit_sentence import prove_circuit_sentence
        from logic.proving.streaming import prove_circuit_file
        from translator.store import SENTENCE

        folder = getattr(self.source, "folder", None)
        if folder is None:
            return prove_circuit_sentence(self.source.family, self.source.sentence, tell, self.replay.decided())
        path = folder / SENTENCE
        return prove_circuit_file(
            self.source.family, path, tell, self.replay.decided(), jobs=self.question.jobs, ledger=ledger
        )

    def monolithic(self) -> None:
        """One query for each length: both sides grounded, nothing shared."""
        from logic.smt.monolithic import decide_monolithic

        started = time.perf_counter()
        sentence = self.deciding_sentence()
        verdict: Verdict = Holds()
        reached = 0
        for n in self.scope.lengths:
            left = self.question.timeout_s - (time.perf_counter() - started)
            self.progress("one query for all inputs" if self.scope.static else f"one query for n = {n}")
            verdict = (
                decide_monolithic(self.source.network, sentence, n, left)
                if left > 0
                else Unknown(f"the time limit of {self.question.timeout_s:g} s was reached before n = {n}")
            )
            if isinstance(verdict, Refuted):
                letters = verdict.counterexample.word.split()
                numbers = {letter: number for number, letter in enumerate(self.source.network.alphabet)}
                codes = [int(letter) if self.scope.static else numbers[letter] for letter in letters]
                verdict = self.confirm(np.array(codes, dtype=np.int64))
            if not isinstance(verdict, Holds):
                break
            reached = n
        seconds = round(time.perf_counter() - started, 3)
        if reached and not isinstance(verdict, Refuted) and reached < self.scope.lengths[-1]:
            proved = [n for n in self.scope.lengths if n <= reached]
            self.claims.append(
                Claim("network", "sentence", self.scope.restricted(proved), "monolithic", Holds(), seconds)
            )
        scope = self.scope.text if self.scope.static else self.scope.restricted(self.scope.lengths)
        self.claims.append(Claim("network", "sentence", scope, "monolithic", verdict, seconds))

    def deciding_sentence(self) -> Sentence:
        """The sentence, with a last formula that the monolithic query compares as it is meant.

        The query compares a formula that is no decision bit with the default bit d. Another formula f, which should be the bit
        b, is therefore replaced by ``(f <-> b) <-> d``: the query also compares d, so that the rest says ``f <-> b``.
        """
        from logic.family_to_sentence import decision_labels, default_decision

        sentence, labels = self.source.sentence, decision_labels(self.source.family)
        free = tuple(map(var, sentence.free))
        meant = Call(self.replay.decided(), free)
        arity = {definition.name: len(definition.params) for definition in sentence.definitions}
        if sentence.formula == meant or any(arity.get(name) != len(free) for name in labels):
            return sentence
        default = Call(labels[default_decision(self.source.family)], free)
        return replace(sentence, formula=Iff(Iff(sentence.formula, meant), default))

    def confirm(self, row: Integers) -> Verdict:
        """Replay a word that a solver found: it refutes if it is considered, and decisions or the last formula differ."""
        words = row[None]
        if len(self.scope.kept(words)):
            values = self.sides.network_words(words)
            if self.difference(words, values, self.sides.sentence_words(words)) is not None:
                return self.replay.refute(row)
            if self.formula_difference(words, values) is not None:
                return self.replay.refute(row, "formula")
        return Unknown(
            f"the solver found a difference on `{self.replay.show(row)}`, at no position considered; there may be others"
        )


def first_of(rows: Any) -> int | None:
    """The first row that is true."""
    return int(np.argmax(rows)) if rows.any() else None
