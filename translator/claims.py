"""Verdicts for a reader: the object of `fom verify --json`, and the same as a table with a last line that sums up."""

from __future__ import annotations

import re
from typing import Any

from logic.verdicts import Claim, Counterexample, Holds, Proof, Refuted, Unknown
from translator.terminal import Line, plain, rows_to_lines, table_to_lines
from translator.verifying.question import Report

EXIT_CODES = {"holds": 0, "refuted": 1, "unknown": 3}
MOST_OPEN = 5
SIDES = {"spec": "network = spec", "other": "network = other network", "property": "the network has the property"}


def report_facts(report: Report, edited: tuple[str, ...]) -> dict[str, Any]:
    """The report, ready for JSON; failures only where a list of them was asked for."""
    facts: dict[str, Any] = {
        "schema": 1,
        "verdict": report.verdict,
        "scope": report.scope,
        "claims": [claim_facts(claim) for claim in report.claims],
        "notes": list(report.notes),
        "edited": list(edited),
    }
    if report.failures is not None:
        facts["failures"] = [counterexample_facts(failure) for failure in report.failures]
    return facts


def counterexample_facts(found: Counterexample) -> dict[str, Any]:
    """A counterexample, ready for JSON."""
    return {"word": found.word, "decisions": found.decisions}


def claim_facts(claim: Claim) -> dict[str, Any]:
    """One claim, ready for JSON; a counterexample, a reason or lemmas only where there are any."""
    facts: dict[str, Any] = {
        "left": claim.left,
        "right": claim.right,
        "scope": claim.scope,
        "method": claim.method,
        "verdict": claim.word,
        "seconds": claim.seconds,
    }
    match claim.verdict:
        case Refuted(counterexample):
            facts["counterexample"] = counterexample_facts(counterexample)
        case Unknown(reason):
            facts["reason"] = reason
        case Holds(proof):
            if proof is not None:
                facts["lemmas"] = lemma_facts(proof)
    if claim.notes:
        facts["open"] = list(claim.notes)
    if claim.theorem:
        facts["theorem"] = claim.theorem
    if claim.facts:
        facts["facts"] = claim.facts
    return facts


def lemma_facts(proof: Proof) -> dict[str, Any]:
    """How many lemmas a proof has, by method, and how many elements of the family they speak about."""
    return {
        "total": len(proof.lemmas),
        "by_method": proof.by_method(),
        "covers": sum(lemma.covers for lemma in proof.lemmas),
    }


def report_lines(report: Report) -> list[Line]:
    """The report for a reader; the last line is the verdict."""
    rows: list[tuple[str, ...]] = [
        (claim_name(claim), short_scope(claim.scope), claim.method, claim.word, f"{claim.seconds:.2f} s")
        for claim in report.claims
    ]
    lines = table_to_lines(("claim", "scope", "method", "verdict", "time"), rows, right=(4,))
    for claim in report.claims:
        lines += claim_lines(claim)
    if report.failures:
        sides = list(report.failures[0].decisions)
        listed = [(one.word, *(decision_text(one.decisions[side]) for side in sides)) for one in report.failures]
        lines += [plain(), *table_to_lines(("failure", *sides), listed)]
    if report.notes:
        lines += [plain(), *rows_to_lines([("note", note) for note in report.notes], label_width=6)]
    return [*lines, plain(), verdict_line(report)]


def claim_name(claim: Claim) -> str:
    """What a claim says, in short."""
    return "property" if claim.right == "property" else f"{claim.left} = {claim.right}"


def short_scope(scope: str) -> str:
    """A scope without the words that the table can do without."""
    return re.sub(r"every n in the domain \((.*?)\)", r"every \1", scope)


def claim_lines(claim: Claim) -> list[Line]:
    """What stands behind a claim, if there is more to say than its verdict."""
    title = f"{claim_name(claim)}, {claim.method}"
    match claim.verdict:
        case Holds(proof) if proof is not None:
            facts = lemma_facts(proof)
            methods = ", ".join(f"{count:,} by {method}" for method, count in facts["by_method"].items())
            text = f"{facts['total']:,} lemmas ({methods}) on {facts['covers']:,} gates, sums and definitions"
            return [plain(), plain(title, "bold"), *rows_to_lines([("", text)], label_width=2)]
        case Refuted(counterexample):
            shown = [(side, decision_text(value)) for side, value in counterexample.decisions.items()]
            word = counterexample.word
            width = max([len(side) for side, _ in shown] + [5]) + 4
            rows = [("  input", word), *((f"  {side}", text) for side, text in shown)]
            what = "violated" if claim.right == "property" else "decisions differ"
            return [plain(), plain(f"{title}: {what}", "bold"), *rows_to_lines(rows, label_width=width)]
        case Holds() if claim.theorem or claim.facts:
            figures = ", ".join(
                f"{count:,} {what}" if isinstance(count, int) else f"{what} {count}"
                for what, count in claim.facts.items()
            )
            rows = [("  ", text) for text in (figures, claim.theorem) if text]
            return [plain(), plain(title, "bold"), *rows_to_lines(rows, label_width=4)]
        case Unknown(reason):
            rows = [("  open", note) for note in claim.notes[:MOST_OPEN]] or [("  ", reason)]
            head = plain(f"{title}: {reason.split(';')[0]}" if claim.notes else title, "bold")
            return [plain(), head, *rows_to_lines(rows, label_width=8)]
    return []


def decision_text(value: Any) -> str:
    """A decision, or one for each position."""
    if isinstance(value, list):
        return " ".join(map(decision_text, value)) if value else "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def verdict_line(report: Report) -> Line:
    """The verdict with its scope, or with the input that refutes."""
    word = report.verdict
    if word == "refuted":
        found, refuted = min(
            (
                (claim.verdict.counterexample.word, claim)
                for claim in report.claims
                if isinstance(claim.verdict, Refuted)
            ),
            key=lambda one: len(one[0].split()),
        )
        told = (
            "the property is violated by"
            if refuted.right == "property"
            else f"{refuted.left} and {refuted.right} differ on"
        )
        return [(word, "bold red"), (f": {told}: {found}", "")]
    sides = next((SIDES[claim.right] for claim in report.claims if claim.right in SIDES), "")
    if not sides:
        monolithic = {claim.method for claim in report.claims} == {"monolithic"}
        sides = "network = sentence" if monolithic else "network = circuit = sentence"
    wider = decided_scope(report)
    text = f": {sides}, {wider or report.scope}" if word == "holds" else f": {sides}, {report.scope}"
    composed = proved_scope(report)
    if word == "holds" and composed is not None and composed != report.scope:
        text += f"; by composition for {composed}"
    elif word == "holds" and any(isinstance(claim.verdict, Unknown) for claim in report.claims):
        text += "; beyond that unknown"
    return [(word, f"bold {'green' if word == 'holds' else 'yellow'}"), (text, "")]


def decided_scope(report: Report) -> str | None:
    """The scope of a comparison of all lengths, if all its claims hold there."""
    scopes = {claim.scope for claim in report.claims if claim.right in SIDES and isinstance(claim.verdict, Holds)}
    return next(iter(scopes)) if len(scopes) == 1 and next(iter(scopes)).startswith("every") else None


def proved_scope(report: Report) -> str | None:
    """The scope of the compositional proof, if both of its halves are there."""
    scopes = {
        (claim.left, claim.right): claim.scope
        for claim in report.claims
        if claim.method == "compositional" and isinstance(claim.verdict, Holds)
    }
    return next(iter(scopes.values())) if len(scopes) == 2 else None
