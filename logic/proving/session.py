"""The record of one proof: lemmas, what stayed open, and outcomes that equal patterns share."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace

from circuits.entries import label
from circuits.family import Family
from logic.smt.lemmas import Answer, Build, Proved, prove, smtlib
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


class Session:
    """Collects the lemmas of a proof; obligations with the same key are decided once."""

    def __init__(
        self,
        family: Family,
        progress: Callable[[str], None] | None = None,
        evidence: Callable[[str, str], None] | None = None,
    ) -> None:
        self.family = family
        self.progress = progress or (lambda message: None)
        self.evidence = evidence
        self.lemmas: list[Lemma] = []
        self.open: list[str] = []
        self.suppressed = 0
        self.outcomes: dict[Hashable, tuple[Outcome, list[int]]] = {}

    def add(self, statement: str, method: str, covers: int, seconds: float) -> None:
        """Record a lemma."""
        self.lemmas.append(Lemma(statement, method, covers, seconds))

    def trouble(self, message: str) -> None:
        """Record what could not be proved."""
        if message in self.open:
            return
        if len(self.open) < MOST_OPEN:
            self.open.append(message)
        else:
            self.suppressed += 1

    def trouble_at(self, entry: str, element: int, message: str) -> None:
        """Record what could not be proved of one element of an entry."""
        found = self.family.by_name.get(entry)
        name = f" (`{label(found, element)}`)" if found is not None and found.size > 1 else ""
        self.trouble(f"`{entry}` element {element}{name}: {message}")

    def once(self, key: Hashable, covers: int, decide: Callable[[], Outcome]) -> Outcome:
        """The outcome of an obligation, decided when its key is new; `covers` elements more speak of it."""
        if key not in self.outcomes:
            outcome = decide()
            places = list(range(len(self.lemmas), len(self.lemmas) + len(outcome.lemmas)))
            self.lemmas.extend(replace(lemma, covers=0) for lemma in outcome.lemmas)
            self.outcomes[key] = (outcome, places)
        outcome, places = self.outcomes[key]
        for place in places:
            self.lemmas[place] = replace(self.lemmas[place], covers=self.lemmas[place].covers + covers)
        return outcome

    def solve(self, statement: str, build: Build) -> tuple[Answer, Lemma | None]:
        """Ask the solver for a claim; the lemma if it is proved, with its script as evidence."""
        start = time.perf_counter()
        answer = prove(build)
        if not isinstance(answer, Proved):
            return answer, None
        if self.evidence is not None:
            self.evidence(statement, smtlib(build))
        return answer, Lemma(statement, "z3", 0, time.perf_counter() - start)

    def proof(self) -> Proof:
        """What was proved and what stayed open."""
        more = (f"{self.suppressed} more that are not listed",) if self.suppressed else ()
        return Proof(tuple(self.lemmas), (*self.open, *more))
