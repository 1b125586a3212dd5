"""Verdicts: what a verification answers, on which scope and by which method.

A verdict is `Holds`, `Refuted` or `Unknown`; unknown never looks like success. A proof lists its lemmas, so that "holds" can be
taken apart, and what it could not prove, so that "unknown" says why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Lemma:
    """One proved obligation.

    `statement` says what holds, in words with its numbers. `method` is "z3" (unsatisfiable negation), "enumeration" (every case
    evaluated), "coefficients" (two polynomials or linear forms with the same coefficients) or "structure" (the same wires).
    `covers` is the number of family elements (gates, sums, definitions) that the lemma speaks about.
    """

    statement: str
    method: str
    covers: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Proof:
    """Lemmas, and what stayed open; the claim holds at every length iff nothing is open."""

    lemmas: tuple[Lemma, ...]
    open: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Tell whether everything was proved."""
        return not self.open

    def by_method(self) -> dict[str, int]:
        """Number of lemmas by method."""
        return dict(Counter(lemma.method for lemma in self.lemmas))


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An input on which two sides differ, with the decision of every representation on it (replayed)."""

    word: str
    decisions: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Holds:
    """The claim is proved on its scope."""

    proof: Proof | None = None


@dataclass(frozen=True, slots=True)
class Refuted:
    """The claim is false; the counterexample was replayed."""

    counterexample: Counterexample


@dataclass(frozen=True, slots=True)
class Unknown:
    """Neither proved nor refuted, and why."""

    reason: str


Verdict = Holds | Refuted | Unknown


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim between two sides with its answer.

    Attributes:
        notes: what stayed open.
        theorem: why the answer covers every length, where that is not a proof by composition.
        facts: figures of the method, such as how many words were compared.
        evidence: what another solver can decide again: statements with SMT-LIB scripts that are unsatisfiable if these hold.
    """

    left: str
    right: str
    scope: str
    method: str
    verdict: Verdict
    seconds: float
    notes: tuple[str, ...] = field(default=())
    theorem: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    evidence: tuple[tuple[str, str], ...] = ()

    @property
    def word(self) -> str:
        """The verdict as one word."""
        return {Holds: "holds", Refuted: "refuted", Unknown: "unknown"}[type(self.verdict)]
