"""Certificates of verifications: which claims of a report are written, with what they speak of, and which are left out."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from circuits.diagnostics import fail
from circuits.network import Network
from circuits.network_text import network_to_text
from logic import verdicts
from logic.checker.claims import Claim
from logic.checker.files import ARTIFACTS, MAIN, Certificate
from logic.checker.record import Record, Rejected
from logic.comparing.methods import seconds
from logic.comparing.problem import Problem
from logic.parser import parse
from logic.printer import to_ascii
from logic.telling import Progress, silent
from logic.verdicts import Holds
from translator.sentences import read_formula
from translator.store import Artifacts
from translator.verifying.question import Question, Report
from translator.verifying.rivals import read_rival
from translator.verifying.scope import Scope

EQUALITY = {("network", "circuit"), ("circuit", "sentence")}
RIVALS = ("spec", "other", "property")
MOST_INPUTS = {"exhaustive": 1 << 20}
FEW_INPUTS = (1 << 16) - 1
"""So many inputs are enumerated by the checker: of claims that were found by enumeration, and of others."""


@dataclass
class Plan:
    """What is written: further artifacts, scripts, and functions that make claims; and what is left out, with reasons."""

    artifacts: dict[str, str] = field(default_factory=dict)
    obligations: dict[str, str] = field(default_factory=dict)
    makers: list[Callable[[Certificate], Sequence[Claim]]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def leave_out(self, claim: verdicts.Claim, reason: str) -> None:
        """Leave out a claim."""
        self.left_out.append(f"{claim.left} = {claim.right}, {claim.scope}: {reason}")


def write_certificate(
    report: Report, artifacts: Artifacts, out: Path, question: Question | None = None, progress: Progress = silent
) -> list[str]:
    """Write what a report says as a certificate, with copies of the artifacts; a certificate at `out` is replaced.

    Args:
        question: what the report answers.

    Returns:
        The claims of the report that hold and are not in the certificate, each with the reason.

    Raises:
        FomError: `out` is something else, nothing of the report can be certified, or a proof has a shape that the checker does
            not replay.
    """
    from logic.certificate.write import write

    require_free(out)
    plan = plan_of(report, artifacts, question or Question(), progress)
    if not plan.makers:
        raise fail(
            "T091", "nothing in this verification can be certified", note="; ".join(plan.left_out) or "no claim holds",
            help="see docs/certificates.md for what can",
        )  # fmt: skip
    temporary = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.absolute().parent))
    try:
        progress("writing the certificate")
        contents = {name: (artifacts.folder / name).read_bytes() for name in ARTIFACTS}
        contents |= {name: text.encode() for name, text in plan.artifacts.items()}
        write(
            temporary, contents, lambda read: [claim for make in plan.makers for claim in make(read)], plan.obligations
        )
        temporary.chmod(0o755)
        shutil.rmtree(out, ignore_errors=True)
        temporary.rename(out)
    except Rejected as error:
        raise fail(
            "T091", f"the proof cannot be certified: {error.what}", where=error.where,
            note="the checker replays the constructions that fom builds, and no others",
            help="fom verify without --certificate proves more shapes",
        ) from None  # fmt: skip
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return plan.left_out


def require_free(out: Path) -> None:
    """Refuse to write over something that is no certificate.

    Raises:
        FomError: it is something else, or its parent does not exist.
    """
    if out.exists() and not (out.is_dir() and ((out / MAIN).is_file() or not any(out.iterdir()))):
        raise fail(
            "T051", "the output exists and is no certificate, so it is not replaced", where=str(out),
            help="name another folder with --certificate",
        )  # fmt: skip
    if not out.absolute().parent.is_dir():
        raise fail(
            "T051", "the folder that should hold the output does not exist", where=str(out.absolute().parent),
            help="make it first",
        )  # fmt: skip


def plan_of(report: Report, artifacts: Artifacts, question: Question, progress: Progress) -> Plan:
    """What to write of a report."""
    plan = Plan()
    holds = [claim for claim in report.claims if isinstance(claim.verdict, Holds)]
    plan_equality(plan, [claim for claim in holds if (claim.left, claim.right) in EQUALITY])
    others = [claim for claim in holds if (claim.left, claim.right) not in EQUALITY]
    words = question.against is not None or not artifacts.network.inputs
    if others and words and all(claim.right in RIVALS for claim in others):
        plan_comparison(plan, report, others, artifacts.network, question, progress)
    else:
        for claim in others:
            plan.leave_out(claim, f"the method {claim.method} has no certificate")
    return plan


def plan_equality(plan: Plan, holds: Sequence[verdicts.Claim]) -> None:
    """Plan network = circuit = sentence: by composition, and on all inputs of lengths of which both equalities are known."""
    from logic.certificate.write import composition_claims, exhaustive_claim

    pairs = {(claim.left, claim.right) for claim in holds if claim.method == "compositional"}
    if pairs:
        plan.makers.append(lambda read: [c for c in composition_claims(read) if (c["left"], c["right"]) in pairs])
    counted: dict[str, set[tuple[str, str]]] = {}
    for claim in holds:
        if claim.method == "exhaustive":
            counted.setdefault(claim.scope, set()).add((claim.left, claim.right))
        elif claim.method != "compositional":
            plan.leave_out(claim, f"proved by the method {claim.method}, which has no certificate")
    whole = {scope: lengths_of(scope, restricted=False) for scope, found in counted.items() if found == EQUALITY}
    lengths = sorted({n for found in whole.values() for n in found})
    if lengths:
        plan.makers.append(lambda _: [exhaustive_claim(lengths)])
    for claim in holds:
        if claim.method == "exhaustive" and not whole.get(claim.scope):
            plan.leave_out(claim, "only some inputs, or only one of the two equalities")


def plan_comparison(
    plan: Plan,
    report: Report,
    holds: Sequence[verdicts.Claim],
    network: Network,
    question: Question,
    progress: Progress,
) -> None:
    """Plan claims against a specification, another network or a property."""
    from logic.certificate.write import cells_claim, exhaustive_claim

    scope = Scope(network, question)
    side = holds[0].right
    problem: Problem | None = None
    copies = 1
    if question.against is not None:
        rival = read_rival(question.against, network, progress).compared
        problem = Problem(network, rival, scope.where, scope.at)
        name, text = (
            ("other.jsonl", network_to_text(rival))
            if isinstance(rival, Network)
            else ("spec.fom", to_ascii(rival.sentence))
        )
    else:
        from logic.comparing.properties import Property

        sentence = parse(*read_formula(question.property_ or ""))
        copies = Property(network, sentence).copies
        name, text = "property.fom", to_ascii(sentence)
    plan.artifacts[name] = text
    for restriction, given in (("where.fom", scope.where), ("at.fom", scope.at)):
        if given is not None:
            plan.artifacts[restriction] = to_ascii(given)
    if scope.at is not None and copies == 2:
        plan.artifacts.clear()
        for claim in holds:
            plan.leave_out(claim, "a property of two words, restricted to some positions, has no certificate")
        return
    enumerated: set[int] = set()
    bounded = [claim for claim in holds if lengths_of(claim.scope)]
    refuted = any(claim.word == "refuted" for claim in report.claims)
    for claim in holds:
        lengths = lengths_of(claim.scope)
        if problem is not None and claim.method == "cells" and not lengths:
            limit = seconds(max(question.timeout_s, 1.0), progress=progress)
            found = cells_claim(problem, side, limit)
            if found is None:
                plan.leave_out(claim, "its cells were not found again in the time limit")
            else:
                plan.makers.append(lambda _, found=found: [found])  # type: ignore[misc]
            continue
        others = [lengths_of(one.scope) for one in bounded if label_of(one.scope) != label_of(claim.scope)]
        within = within_reach(network, lengths, copies, MOST_INPUTS.get(claim.method, FEW_INPUTS))
        known = [n for n in within if not refuted or all(n in other for other in others)]
        enumerated.update(known)
        if lengths and known == lengths:
            continue
        if claim.evidence:
            plan_obligations(plan, claim)
        else:
            rest = [n for n in lengths if n not in known]
            beyond = f"from n = {rest[0]} on there are too many inputs to enumerate, and " if rest else ""
            plan.leave_out(claim, f"{beyond}the method {claim.method} has no certificate")
    if enumerated:
        plan.makers.append(lambda _: [exhaustive_claim(sorted(enumerated), side)])
    if not plan.makers:
        plan.artifacts.clear()


def plan_obligations(plan: Plan, claim: verdicts.Claim) -> None:
    """Plan a claim whose scripts are decided again, and imply it by the method that made them."""
    from logic.certificate.write import obligations_claim

    names = [Record().obligation(script) for _, script in claim.evidence]
    plan.obligations.update(zip(names, (script for _, script in claim.evidence), strict=True))
    conclusion = f"{claim.left} = {claim.right}, {claim.scope}, by the method {claim.method}"
    made = obligations_claim(claim.right, conclusion, list(dict.fromkeys(names)))
    plan.makers.append(lambda _: [made])


def within_reach(network: Network, lengths: Sequence[int], copies: int, most: int) -> list[int]:
    """The lengths, shortest first, that have few inputs together."""
    found: list[int] = []
    total = 0.0
    for n in lengths:
        bits = sum(node.format.bits * node.size for node in network.inputs)
        total += 2.0**bits if network.inputs else float(len(network.alphabet)) ** (n * copies) if n < 1000 else inf
        if total > most:
            break
        found.append(n)
    return found


def label_of(scope: str) -> str:
    """What a scope says behind its lengths and restrictions: which decision it speaks of."""
    return scope.rpartition(", decision ")[2] if ", decision " in scope else ""


def lengths_of(scope: str, restricted: bool = True) -> list[int]:
    """The lengths of a scope; none if it has no bound, or is of some inputs of a length only.

    Args:
        restricted: whether words, positions and classes may be restricted as a claim says.
    """
    if scope == "every input":
        return [1]
    ends = re.match(r"n = (\d+)(?:\.\.(\d+))?(?=$|, (?:where|at|class|classes|decision) )", scope)
    if ends is None or not (restricted or ends[0] == scope):
        return []
    return list(range(int(ends[1]), int(ends[2] or ends[1]) + 1))
