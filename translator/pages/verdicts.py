"""What is known of an explanation, in plain words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logic.verdicts import Claim, Counterexample, Holds, Refuted, Unknown
from translator.claims import decided_scope, decision_text

if TYPE_CHECKING:
    from translator.explanations.explanation import Explained, Explanation
    from translator.verifying.question import Report

METHODS = {
    "exhaustive": "every word was evaluated",
    "counts": "the answer depends on the counts of letters only, and one word was evaluated for each vector of counts",
    "cells": "by cells of letter counts, which a solver showed to cover all words",
    "windows": "every answer depends on a window of letters, and the words that decide all others were compared",
    "prefixes": "all words were read letter by letter, prefixes in equal states together",
    "partial": "by branch and bound over partial words",
    "smt": "a solver was asked once for each length, with what depends on few letters tabulated",
    "monolithic": "a solver was asked once for each length",
}
KINDS = {"holds": "good", "refuted": "bad", "unknown": "open", "inexact": "bad", "not verified": "open"}
"""Each word for a verdict, and how it is coloured."""


@dataclass(frozen=True, slots=True)
class Told:
    """A verdict: one word, what it means, and what stands behind it, line by line."""

    word: str
    meaning: str
    reasons: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """How it is coloured."""
        return KINDS[self.word]


def told(explained: Explained) -> Told:
    """What is known of the chosen sentence."""
    chosen, report = explained.chosen, explained.report
    if chosen.wrong:
        share = f"{chosen.wrong:,} of the {chosen.total:,} answers searched ({explained.searched})"
        return Told("inexact", f"the network answers otherwise on {share}")
    if report is None:
        return Told("not verified", f"right on all {chosen.total:,} answers searched ({explained.searched})")
    equivalence = f"the network answers {explained.name} exactly where the formula holds"
    match report.verdict:
        case "holds":
            scope = decided_scope(report) or report.scope
            beyond = f"; it departs from it first on: {explained.departs}" if explained.departs else ""
            return Told("holds", f"{equivalence}, for {scope}{beyond}", reasons(report))
        case "refuted":
            return Told("refuted", f"network and formula differ on: {shortest(report).word}", reasons(report))
        case _:
            return Told("unknown", f"not decided whether {equivalence}, for {report.scope}", reasons(report))


def common_scope(explanation: Explanation) -> str:
    """The words on which everything inside the network is said, if they are the same for all of it; else empty."""
    scopes = {scope for _, _, scope in explanation.inside}
    return scopes.pop() if len(scopes) == 1 else ""


def reasons(report: Report) -> tuple[str, ...]:
    """A line for each claim, then the notes."""
    return (*(line for claim in report.claims for line in claim_texts(claim)), *report.notes)


def claim_texts(claim: Claim) -> list[str]:
    """How one claim was decided, and why that covers its scope."""
    how = METHODS.get(claim.method, f"by the method {claim.method}")
    match claim.verdict:
        case Holds():
            return [f"{claim.scope}: {how}", *([claim.theorem] if claim.theorem else [])]
        case Refuted(found):
            sides = ", ".join(f"{side}: {decision_text(value)}" for side, value in found.decisions.items())
            return [f"{claim.scope}: a difference was found ({sides})"]
        case Unknown(reason):
            return [f"{claim.scope}: {reason}"]


def shortest(report: Report) -> Counterexample:
    """The shortest counterexample of a report that refutes."""
    found = [claim.verdict.counterexample for claim in report.claims if isinstance(claim.verdict, Refuted)]
    return min(found, key=lambda one: len(one.word.split()))
