"""The record of one proof: lemmas, what stayed open, and outcomes that equal patterns share."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from circuits.entries import label
from circuits.family import Family
from logic.proving.digests import digest, prover
from logic.proving.ledger import Ledger, Step
from logic.smt.lemmas import Answer, Build, Proved, prove, smtlib
from logic.telling import Progress, silent
from logic.verdicts import Lemma, Proof

MOST_OPEN = 20


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one obligation.

    Attributes:
        trouble: empty when it was proved, else what is wrong, e.g. "for S = 17 it gives code 4 instead of 5".
        bit: the bit to blame, if one.
    """

    lemmas: tuple[Lemma, ...]
    trouble: str = ""
    bit: int | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What was found of one part of a proof: lemmas, and what stayed open.

    `decided` are the obligations of patterns that were proved for the first time, with their digests.
    """

    steps: tuple[Step, ...]
    open: tuple[str, ...] = ()
    decided: tuple[tuple[str, tuple[Step, ...]], ...] = ()


class Session:
    """Collects the lemmas of a proof; obligations with the same key are decided once.

    The proofs of patterns in a ledger are used, unless evidence is asked for.
    """

    def __init__(
        self,
        family: Family,
        progress: Progress = silent,
        evidence: Callable[[str, str], None] | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.family = family
        self.progress = progress
        self.evidence = evidence
        self.ledger = ledger
        self.steps: list[Step] = []
        self.open: dict[str, None] = {}
        self.decided: list[tuple[str, tuple[Step, ...]]] = []
        self.outcomes: dict[str, tuple[Outcome, tuple[Step, ...]]] = {}

    def add(self, statement: str, method: str, covers: int, seconds: float) -> None:
        """Record a lemma."""
        self.steps.append(Step((Lemma(statement, method, covers, seconds),)))

    def trouble(self, message: str) -> None:
        """Record what could not be proved."""
        self.open[message] = None

    def trouble_at(self, entry: str, element: int, message: str) -> None:
        """Record what could not be proved of one element of an entry."""
        found = self.family.by_name.get(entry)
        name = f" (`{label(found, element)}`)" if found is not None and found.size > 1 else ""
        self.trouble(f"`{entry}` element {element}{name}: {message}")

    def once(self, key: Hashable, covers: int, decide: Callable[[], Outcome]) -> Outcome:
        """The outcome of an obligation, decided when its key is new; `covers` elements more speak of it.

        Its steps begin with those of the obligations that deciding it needed.
        """
        name = digest("pattern", prover(), key)
        if name not in self.outcomes:
            self.outcomes[name] = self.decide(name, decide)
        outcome, steps = self.outcomes[name]
        self.steps += [*steps[:-1], replace(steps[-1], covers=covers)]
        return outcome

    def decide(self, name: str, decide: Callable[[], Outcome]) -> tuple[Outcome, tuple[Step, ...]]:
        """Decide an obligation, or find it in the ledger."""
        if self.ledger is not None and self.evidence is None:
            known = self.ledger.known.get(name)
            if known is not None:
                return Outcome(known[-1].lemmas), known
        before, self.steps = self.steps, []
        outcome = decide()
        steps = (*self.steps, Step(tuple(replace(lemma, covers=0) for lemma in outcome.lemmas), name))
        self.steps = before
        if not outcome.trouble:
            self.decided.append((name, steps))
        return outcome, steps

    def solve(self, statement: str, build: Build) -> tuple[Answer, Lemma | None]:
        """Ask the solver for a claim; the lemma if it is proved, with its script as evidence."""
        start = time.perf_counter()
        answer = prove(build)
        if not isinstance(answer, Proved):
            return answer, None
        if self.evidence is not None:
            self.evidence(statement, smtlib(build))
        return answer, Lemma(statement, "z3", 0, time.perf_counter() - start)

    def take(self) -> Record:
        """What was found since the last time."""
        record = Record(tuple(self.steps), tuple(self.open), tuple(self.decided))
        self.steps, self.open, self.decided = [], {}, []
        return record

    def proof(self) -> Proof:
        """What was proved and what stayed open."""
        return proof_of([self.take()])


def proof_of(records: list[Record], most_open: int = MOST_OPEN) -> Proof:
    """Put the parts of a proof together, in their order; an obligation that several share is listed once."""
    lemmas: list[Lemma] = []
    places: dict[str, range] = {}
    for step in (step for record in records for step in record.steps):
        if step.key not in places or not step.key:
            places[step.key] = range(len(lemmas), len(lemmas) + len(step.lemmas))
            lemmas += step.lemmas
        for place in places[step.key] if step.key else ():
            lemmas[place] = replace(lemmas[place], covers=lemmas[place].covers + step.covers)
    found = list(dict.fromkeys(message for record in records for message in record.open))
    more = (f"{len(found) - most_open} more that are not listed",) if len(found) > most_open else ()
    return Proof(tuple(lemmas), (*found[:most_open], *more))
