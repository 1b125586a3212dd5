"""Verification: network = circuit = sentence, from the emitted files.

Two methods answer each claim. *Exhaustive*: every input of the lengths asked for, while that is cheap. *Compositional*: one lemma
for every kind of gadget and a comparison of linear forms, which holds for every length. A refutation is a concrete input,
replayed through all representations; what is neither proved nor refuted is unknown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.inputs import input_limits
from circuits.words import all_words, random_words
from logic.comparing.specification import Specification
from logic.syntax import Call, Iff, Sentence, var
from logic.verdicts import Claim, Counterexample, Holds, Proof, Refuted, Unknown, Verdict
from translator.domains import word_filter
from translator.sentences import read_sentence
from translator.sides import Sides, Source
from translator.specification import read_specification
from translator.words import format_word

Integers = np.ndarray[Any, np.dtype[np.int64]]
Progress = Callable[[str], None]

DEFAULT_LENGTH = 8
METHODS = ("auto", "exhaustive", "compositional", "monolithic")
BUDGET = 800_000_000
SEARCH_WORDS = 400
SEARCH_BEYOND = 8
STATIC_BITS = 20
MOST_LISTED = 10_000
PAIRS = (("network", "circuit"), ("circuit", "sentence"))


@dataclass(frozen=True, slots=True)
class Report:
    """All claims, and the verdict on what was asked: every pair of sides, on the scope asked for.

    `failures` are the inputs on which the network does not meet a specification, where the list of them was asked for.
    """

    verdict: str
    scope: str
    claims: tuple[Claim, ...]
    notes: tuple[str, ...]
    failures: tuple[Counterexample, ...] | None = None


def silent(message: str) -> None:
    """Report nothing."""


@dataclass(frozen=True, slots=True)
class Question:
    """What to verify.

    Attributes:
        max_length: longest words; None: 8, or the domain's bound.
        method: one of `METHODS`.
        where: a sentence that restricts the words, or None.
        at: a formula with one free variable that restricts the positions compared (taggers), or None.
        all_lengths: whether the verdict must hold for every length.
        timeout_s: limit of the monolithic query.
        against: a specification to compare the network with instead, or None; see `logic.comparing.specification`.
        list_failures: whether to list every input on which the network does not meet the specification.
    """

    max_length: int | None = None
    method: str = "auto"
    where: str | None = None
    at: str | None = None
    all_lengths: bool = False
    timeout_s: float = 60.0
    against: str | None = None
    list_failures: bool = False


def verify(source: Source, progress: Progress = silent, **options: Any) -> Report:
    """Verify a translation.

    Raises:
        FomError: a question that cannot be asked, or an artifact that cannot be evaluated.
    """
    question = Question(**options)
    if question.method not in METHODS:
        raise fail("T061", f"unknown method `{question.method}`", help=f"choose one of {', '.join(METHODS)}")
    if question.list_failures and question.against is None:
        raise fail("T061", "--list is about a specification, and none is given", help="add --against SPEC.fom")
    return Verifier(source, question, progress).run()


class Verifier:
    """One run: the sides, the lengths, the words considered, and the claims so far."""

    def __init__(self, source: Source, question: Question, progress: Progress) -> None:
        self.source = source
        self.question = question
        self.progress = progress
        self.sides = Sides(source)
        self.network = source.network
        self.static = bool(self.network.inputs)
        self.claims: list[Claim] = []
        self.notes: list[str] = []
        self.failures: list[Counterexample] = []
        self.classes = ""
        self.keep = word_filter(question.where, self.network.alphabet) if question.where else None
        self.at = self.position_filter()
        self.lengths = self.lengths_asked()

    def position_filter(self) -> Callable[[Integers], Any] | None:
        """The positions compared, from ``--at``."""
        from logic.batch import evaluate

        if self.question.at is None:
            return None
        sentence = read_sentence(self.question.at, self.network.alphabet, "network")
        if len(sentence.free) != 1 or self.network.decided.n_positions != 1:
            raise fail(
                "T062", "--at takes a formula with one free variable, for a network that answers at every position",
                where=self.question.at,
            )  # fmt: skip
        return lambda words: evaluate(sentence, words)[""]

    def lengths_asked(self) -> list[int]:
        """The lengths of the scope."""
        domain = self.network.domain
        if self.static:
            return [1]
        most = self.question.max_length if self.question.max_length is not None else DEFAULT_LENGTH
        if domain.most is not None:
            most = min(most, domain.most)
        if domain.least == domain.most:
            most = domain.least
        if most < domain.least:
            raise fail("T063", f"no word of the domain is as short as {most}", note=domain.reason)
        return list(range(domain.least, most + 1))

    @property
    def scope(self) -> str:
        """The scope asked for, in words."""
        if self.static:
            return "every input"
        if self.question.all_lengths and not self.covers_domain:
            return "every length"
        return self.restricted(self.lengths)

    @property
    def covers_domain(self) -> bool:
        """Tell whether the lengths asked for are all that the network accepts."""
        return self.network.domain.most is not None and self.lengths[-1] >= self.network.domain.most

    def restricted(self, lengths: list[int]) -> str:
        """Lengths with the words, positions and classes considered, in words."""
        where = f", where {self.question.where}" if self.question.where else ""
        return span(lengths) + where + (f", at {self.question.at}" if self.question.at else "") + self.classes

    @property
    def everywhere(self) -> str:
        """The scope of the compositional proof, in words."""
        domain = self.network.domain
        if self.static:
            return "every input"
        if domain.least == domain.most:
            return f"n = {domain.most}, the only length of the domain"
        return f"every n in the domain (n <= {domain.most})" if domain.most is not None else "every length n"

    def run(self) -> Report:
        """Answer the question."""
        if self.question.against is not None:
            self.against(self.question.against)
            return self.report([("network", "spec")])
        method = self.question.method
        if method == "monolithic":
            self.monolithic()
            return self.report([("network", "sentence")])
        if method in ("auto", "exhaustive"):
            self.exhaustive(forced=method == "exhaustive")
        if method in ("auto", "compositional"):
            self.compositional()
        return self.report(list(PAIRS))

    def report(self, pairs: list[tuple[str, str]]) -> Report:
        """Sum up: refuted if any claim is, holds if each pair has a proof on the whole scope, else unknown."""
        if any(isinstance(claim.verdict, Refuted) for claim in self.claims):
            verdict = "refuted"
        else:
            settled = [
                any(
                    (claim.left, claim.right) == pair
                    and isinstance(claim.verdict, Holds)
                    and claim.scope in (self.everywhere, self.scope)
                    for claim in self.claims
                )
                for pair in pairs
            ]
            verdict = "holds" if all(settled) else "unknown"
        failures = tuple(self.failures) if self.question.list_failures else None
        return Report(verdict, self.scope, tuple(self.claims), tuple(self.notes), failures)

    def exhaustive(self, forced: bool) -> None:
        """Compare decisions on every input, for as many lengths as the budget allows (all of them when forced)."""
        costs = np.cumsum([float(self.cost(n)) for n in self.lengths])
        cheap = self.lengths if forced else [n for n, cost in zip(self.lengths, costs, strict=True) if cost <= BUDGET]
        if self.static and not cheap:
            self.sample_inputs()
            return
        if not cheap:
            self.notes.append(f"exhaustive comparison is too expensive from n = {self.lengths[0]} on")
            return
        scope = self.restricted(cheap)
        if self.static:
            scope = "every input"
        started = time.perf_counter()
        spent = dict.fromkeys(PAIRS, 0.0)
        verdicts: dict[tuple[str, str], Verdict] = {}
        counted = 0
        for n in cheap:
            self.progress(f"comparing all inputs of length {n}" if not self.static else "comparing all inputs")
            for words in self.inputs(n):
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
                            verdicts[left, right] = self.refute(words[found])
                        elif (
                            right == "sentence" and (found := self.formula_difference(words, values[right])) is not None
                        ):
                            verdicts[left, right] = self.refute(words[found], "formula")
            if len(verdicts) == len(PAIRS):
                break
        total = time.perf_counter() - started
        if not counted:
            raise self.no_words()
        self.notes.append(f"{counted:,} inputs compared in {total:.1f} s")
        for pair in PAIRS:
            verdict = verdicts.get(pair, Holds())
            self.claims.append(Claim(*pair, scope, "exhaustive", verdict, round(spent[pair], 3)))

    def inputs(self, n: int) -> Iterator[Integers]:
        """All inputs of a length, in the domain considered."""
        if self.static:
            low, high = input_limits(self.network.inputs)
            ends = np.cumsum(self.input_bits())
            total = 1 << int(ends[-1])
            for numbers in np.array_split(np.arange(total), max(1, total >> 12)):
                yield (numbers[:, None] >> (ends - self.input_bits())) % (high - low + 1) + low
            return
        for words in all_words(len(self.network.alphabet), n, 1 << 12):
            kept = words if self.keep is None else words[self.keep(words)]
            if len(kept):
                yield kept

    def input_bits(self) -> Integers:
        """The bits of every number of a static input."""
        return np.repeat(
            [node.format.bits for node in self.network.inputs], [node.size for node in self.network.inputs]
        )

    def no_words(self) -> FomError:
        """The diagnostic for a scope without words: a claim about nothing would hold."""
        return fail(
            "T063",
            f"no word of the scope ({span(self.lengths)}) satisfies --where",
            where=self.question.where or "",
            help="ask for longer words, or restrict less",
        )

    def cost(self, n: int) -> int:
        """Gate evaluations that an exhaustive comparison of length n takes."""
        if self.static:
            bits = int(self.input_bits().sum())
            return BUDGET + 1 if bits > STATIC_BITS else self.source.family.gates(1) << bits
        return self.source.family.gates(n) * len(self.network.alphabet) ** n

    def difference(self, words: Integers, left: Integers, right: Integers) -> int | None:
        """The first input on which decision words differ, at a position considered."""
        return first_of(self.rows_considered(words, (left != right).any(axis=-1)))

    def rows_considered(self, words: Integers, differs: Any) -> Any:
        """The words on which something differs, at a position considered: from ``(B,)`` or ``(B, n)`` to ``(B,)``."""
        if self.at is not None:
            differs = differs & self.at(words)
        return differs.reshape(len(words), -1).any(axis=1)

    def formula_difference(self, words: Integers, values: Integers) -> int | None:
        """The first input on which the last formula is not the decision bit that the manifest says it names."""
        truth = self.sides.formula_truth(words)
        expected = self.expected_formula(values)
        if truth.shape != expected.shape:
            raise fail("T060", "the last formula of the sentence has other free variables than the readout")
        return first_of(self.rows_considered(words, truth != expected))

    def expected_formula(self, values: Integers) -> Any:
        """The truth of the decision bit that the sentence should decide, from decision words."""
        from logic.family_to_sentence import decision_labels

        family = self.source.family
        place = decision_labels(family).index(self.decided())
        if self.network.decided.kind != "value":
            return values[..., place].astype(bool)
        element, bit = divmod(place, family.decision_format.bits)
        return ((values[..., element] - family.decision_format.lo) >> bit & 1).astype(bool)

    def decided(self) -> str:
        """The decision bit that the last formula should be: as the manifest or the settings say, or the default."""
        from logic.family_to_sentence import decision_labels, default_decision
        from translator.pipeline import readout_label

        labels = decision_labels(self.source.family)
        manifest, settings = getattr(self.source, "manifest", None), getattr(self.source, "settings", None)
        named = manifest["readout"]["formula"] if manifest else None
        if settings is not None:
            named = readout_label(self.source.family, settings.readout)
        if named is None:
            return labels[default_decision(self.source.family)]
        if named not in labels:
            raise fail(
                "T060",
                f"the manifest says that the sentence decides `{named}`, which is no decision",
                help="translate again",
            )
        return str(named)

    def refute(self, row: Integers, what: str = "decision") -> Refuted:
        """Replay an input through every representation."""
        inputs = row[None]
        raw = self.sides.raw(inputs)
        replayed: dict[str, Any] = {"onnx": self.sides.decide("onnx", raw)[0].tolist()}
        for side in ("network", "circuit", "sentence"):
            replayed[side] = self.sides.decide(side, raw)[0].tolist()
        if replayed["network"] == replayed["circuit"] == replayed["sentence"] and what == "decision":
            for side in ("network", "circuit", "sentence"):
                replayed[f"{side} word"] = getattr(self.sides, f"{side}_words")(inputs)[0].tolist()
        if what == "formula":
            replayed["formula"] = np.asarray(self.sides.formula_truth(inputs))[0].tolist()
        return Refuted(Counterexample(self.show(row), replayed))

    def show(self, row: Integers) -> str:
        """An input as text: the word, or the codes of a static input."""
        if self.static:
            return " ".join(map(str, row.tolist()))
        return format_word(row, self.network.alphabet)

    def sample_inputs(self) -> None:
        """Look for a difference on random inputs of a static network; finding none proves nothing."""
        low, high = input_limits(self.network.inputs)
        codes = np.random.default_rng(0).integers(low, high + 1, (SEARCH_WORDS, len(low)))
        self.search([codes], f"{SEARCH_WORDS} random inputs")

    def search(self, batches: list[Integers], what: str) -> None:
        """Look for a difference on some inputs; a difference refutes, and its absence is only noted."""
        for words in batches:
            values = {side: getattr(self.sides, f"{side}_words")(words) for side in ("network", "circuit", "sentence")}
            for left, right in PAIRS:
                found, kind = self.difference(words, values[left], values[right]), "decision"
                if found is None and right == "sentence":
                    found, kind = self.formula_difference(words, values[right]), "formula"
                known = any((c.left, c.right) == (left, right) and isinstance(c.verdict, Refuted) for c in self.claims)
                if found is not None and not known:
                    scope = "every input" if self.static else f"n = {words.shape[1]}"
                    self.claims.append(Claim(left, right, scope, "search", self.refute(words[found], kind), 0.0))
        self.notes.append(f"a search on {what} ended; it proves nothing by itself")

    def compositional(self) -> None:
        """Prove both pairs for every length; where a proof stays open, search for a difference."""
        from logic.proving.circuit_sentence import prove_circuit_sentence
        from logic.proving.network_circuit import prove_network_circuit

        opened = False
        tell = seldom(self.progress)
        provers: tuple[tuple[tuple[str, str], Callable[[], Proof]], ...] = (
            (PAIRS[0], lambda: prove_network_circuit(self.network, self.source.family, tell)),
            (PAIRS[1], lambda: prove_circuit_sentence(self.source.family, self.source.sentence, tell, self.decided())),
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
                self.claims.append(Claim(*pair, self.everywhere, "compositional", verdict, seconds, notes))
        settled = any(isinstance(claim.verdict, Refuted) for claim in self.claims)
        if opened and not settled and not self.static:
            self.progress("searching longer words for a difference")
            last = self.lengths[-1]
            most = self.network.domain.most
            longer = [n for n in range(self.lengths[0], last + SEARCH_BEYOND + 1) if most is None or n <= most]
            letters = len(self.network.alphabet)
            batches = [random_words(letters, n, SEARCH_WORDS, n) for n in longer]
            if self.keep is not None:
                batches = [words[self.keep(words)] for words in batches]
            self.search(
                [words for words in batches if len(words)], f"{SEARCH_WORDS} random words of each n <= {longer[-1]}"
            )

    def monolithic(self) -> None:
        """One query for each length: both sides grounded, nothing shared."""
        from logic.smt.monolithic import decide_monolithic

        started = time.perf_counter()
        sentence = self.deciding_sentence()
        verdict: Verdict = Holds()
        reached = 0
        for n in self.lengths:
            left = self.question.timeout_s - (time.perf_counter() - started)
            self.progress("one query for all inputs" if self.static else f"one query for n = {n}")
            verdict = (
                decide_monolithic(self.network, sentence, n, left)
                if left > 0
                else Unknown(f"the time limit of {self.question.timeout_s:g} s was reached before n = {n}")
            )
            if isinstance(verdict, Refuted):
                letters = verdict.counterexample.word.split()
                numbers = {letter: number for number, letter in enumerate(self.network.alphabet)}
                codes = [int(letter) if self.static else numbers[letter] for letter in letters]
                verdict = self.confirm(np.array(codes, dtype=np.int64))
            if not isinstance(verdict, Holds):
                break
            reached = n
        seconds = round(time.perf_counter() - started, 3)
        if reached and not isinstance(verdict, Refuted) and reached < self.lengths[-1]:
            proved = [n for n in self.lengths if n <= reached]
            self.claims.append(Claim("network", "sentence", self.restricted(proved), "monolithic", Holds(), seconds))
        scope = self.scope if self.static else self.restricted(self.lengths)
        self.claims.append(Claim("network", "sentence", scope, "monolithic", verdict, seconds))

    def deciding_sentence(self) -> Sentence:
        """The sentence, with a last formula that the monolithic query compares as it is meant.

        The query compares a formula that is no decision bit with the default bit d. Another formula f, which should be the bit
        b, is therefore replaced by ``(f <-> b) <-> d``: the query also compares d, so that the rest says ``f <-> b``.
        """
        from logic.family_to_sentence import decision_labels, default_decision

        sentence, labels = self.source.sentence, decision_labels(self.source.family)
        free = tuple(map(var, sentence.free))
        meant = Call(self.decided(), free)
        arity = {definition.name: len(definition.params) for definition in sentence.definitions}
        if sentence.formula == meant or any(arity.get(name) != len(free) for name in labels):
            return sentence
        default = Call(labels[default_decision(self.source.family)], free)
        return replace(sentence, formula=Iff(Iff(sentence.formula, meant), default))

    def confirm(self, row: Integers) -> Verdict:
        """Replay a word that a solver found: it refutes if it is considered, and decisions or the last formula differ."""
        words = row[None]
        if self.keep is None or self.keep(words)[0]:
            values = self.sides.network_words(words)
            if self.difference(words, values, self.sides.sentence_words(words)) is not None:
                return self.refute(row)
            if self.formula_difference(words, values) is not None:
                return self.refute(row, "formula")
        return Unknown(
            f"the solver found a difference on `{self.show(row)}`, at no position considered; there may be others"
        )

    def against(self, text: str) -> None:
        """Compare the network with a user's specification on every word of the scope, up to the first failure or all."""
        spec = read_specification(text, self.network)
        self.classes = spec.restriction
        started = time.perf_counter()
        counted = failed = 0
        verdict: Verdict | None = None
        for n in self.lengths:
            self.progress(f"comparing all words of length {n}")
            for words in self.inputs(n):
                counted += len(words)
                truth, decided = spec.truth(words), self.sides.decide("network", words)
                wrong = np.flatnonzero(self.rows_considered(words, spec.differs(truth, decided)))
                failed += len(wrong)
                if len(wrong) and verdict is None:
                    verdict = self.contradicted(words[wrong[0]], spec.answer(truth[wrong[0]]))
                self.keep_failures(words[wrong], truth[wrong], decided[wrong], spec)
                if len(wrong) and not self.question.list_failures:
                    break
            if verdict is not None and not self.question.list_failures:
                break
        if not counted:
            raise self.no_words()
        if self.question.list_failures:
            self.notes.append(f"{failed:,} of {counted:,} inputs fail" if failed else f"all {counted:,} inputs agree")
            if failed > MOST_LISTED:
                self.notes.append(f"the first {MOST_LISTED:,} of them are listed")
        seconds = round(time.perf_counter() - started, 3)
        self.claims.append(
            Claim("network", "spec", self.restricted(self.lengths), "exhaustive", verdict or Holds(), seconds)
        )

    def contradicted(self, row: Integers, answer: Any) -> Refuted:
        """A word on which the network does not decide what is specified, replayed."""
        refuted = self.refute(row, "spec").counterexample
        return Refuted(Counterexample(refuted.word, {**refuted.decisions, "spec": answer}))

    def keep_failures(self, words: Integers, truth: Any, decided: Integers, spec: Specification) -> None:
        """Keep failures for the list, if it is asked for, up to `MOST_LISTED`."""
        room = MOST_LISTED - len(self.failures)
        if not self.question.list_failures or not len(words) or room <= 0:
            return
        onnx = self.sides.decide("onnx", self.sides.raw(words[:room]))
        for row, holds, network, original in zip(words, truth, decided, onnx, strict=False):
            shown = {"spec": spec.answer(holds), "network": network.tolist(), "onnx": original.tolist()}
            self.failures.append(Counterexample(self.show(row), shown))


def seldom(progress: Progress, seconds: float = 2.0) -> Progress:
    """Pass on what is said after a pause: a proof names each of its many parts."""
    last = time.perf_counter()

    def tell(message: str) -> None:
        nonlocal last
        if time.perf_counter() - last >= seconds:
            progress(message)
            last = time.perf_counter()

    return tell


def first_of(rows: Any) -> int | None:
    """The first row that is true."""
    return int(np.argmax(rows)) if rows.any() else None


def span(lengths: list[int]) -> str:
    """A range of lengths in words."""
    return f"n = {lengths[0]}" if len(lengths) == 1 else f"n = {lengths[0]}..{lengths[-1]}"
