"""Checking a certificate: hashes, replay of every claim, and the answers of other programs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from circuits.diagnostics import FomError
from logic.checker.claims import KINDS, SPOKEN_OF
from logic.checker.files import ARTIFACTS, MAIN, Certificate, canonical_text, read
from logic.checker.programs import PROGRAMS, decide, find, takes
from logic.checker.record import Record, Rejected, require

PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the report: what was re-checked by which program; `outcome` is "accepted", "rejected" or "not checked"."""

    what: str
    program: str
    count: int
    seconds: float
    outcome: str


@dataclass(slots=True)
class Result:
    """The verdict ("accepted", "rejected" or "unknown") with its parts, the scope of every claim, and what is wrong."""

    verdict: str = "accepted"
    scopes: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    findings: list[tuple[str, str]] = field(default_factory=list)
    without: list[str] = field(default_factory=list)


def check(folder: Path, without: Sequence[str] = (), progress: Callable[[str], None] = lambda _: None) -> Result:
    """Re-check a certificate.

    Args:
        without: programs of `PROGRAMS` that are deliberately not asked.

    Raises:
        FomError: the folder is no certificate.
    """
    result = Result(without=list(without))
    started = time.perf_counter()
    try:
        certificate = read(folder)
        count = sum(map(len, certificate.files.values()))
        result.parts.append(Part("files have their SHA-256", "fom", count, time.perf_counter() - started, "accepted"))
        record = replay(certificate, result, progress)
    except Rejected as error:
        result.findings.append((error.where, error.what))
        result.verdict = "rejected"
        return result
    ask(record, result, without, progress)
    return result


def replay(certificate: Certificate, result: Result, progress: Callable[[str], None]) -> Record:
    """Replay all claims; what they rely on, which is exactly what the certificate has."""
    record = Record()
    require(certificate.data["claims"], MAIN, "it claims nothing")
    for number, claim in enumerate(certificate.data["claims"]):
        where = f"{MAIN}: claim {number}"
        kind = claim.get("kind") if isinstance(claim, dict) else None
        require(isinstance(kind, str) and kind in KINDS, where, f"its kind `{kind}` is unknown")
        progress(f"replaying claim {number}: {kind}")
        started = time.perf_counter()
        own = Record()
        try:
            found = KINDS[str(kind)](certificate, claim, own)
        except FomError as error:
            diagnostic = error.diagnostics[0]
            raise Rejected(diagnostic.where or where, diagnostic.message) from None
        except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
            raise Rejected(where, f"it is malformed: {error}") from None
        if canonical_text(found) != canonical_text(claim):
            raise Rejected(f"{where}{first_difference(found, claim)}", "it is not what the replay finds")
        counted = ", ".join(f"{count:,} {what}" for what, count in own.counts.items())
        what = " = ".join(side for side in (claim.get("left"), claim.get("right")) if side) or str(kind)
        spent = time.perf_counter() - started
        result.parts.append(Part(f"{what}: {counted or 'stated'}", "fom", sum(own.counts.values()), spent, "accepted"))
        result.scopes.append(f"{what}: {found['scope']}")
        record.obligations.update(own.obligations)
        record.lemmas.update(own.lemmas)
    spoken = {SPOKEN_OF[str(c["right"])] for c in certificate.data["claims"] if c.get("right") in SPOKEN_OF}
    restricting = {name for name in ("where.fom", "at.fom") if spoken}
    for name in sorted(set(certificate.files["artifacts"]) - set(ARTIFACTS) - spoken - restricting):
        raise Rejected(f"artifacts/{name}", "no claim speaks of it")
    for folder, relied in (("obligations", record.obligations), ("lemmas", record.lemmas)):
        given = certificate.files[folder]
        for name in sorted(set(relied) ^ set(given)):
            what = "no claim relies on it" if name in given else "a claim relies on it and it is missing"
            raise Rejected(f"{folder}/{name}", what)
        for name, text in relied.items():
            require(given[name] == text, f"{folder}/{name}", "it does not state what the replay relies on")
    return record


def first_difference(left: Any, right: Any) -> str:
    """Where two JSON values differ first, as a path."""
    if isinstance(left, dict) and isinstance(right, dict) and set(left) == set(right):
        for key in left:
            if left[key] != right[key]:
                return f".{key}{first_difference(left[key], right[key])}"
    if isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        for place, (one, two) in enumerate(zip(left, right, strict=True)):
            if one != two:
                return f"[{place}]{first_difference(one, two)}"
    return ""


def ask(record: Record, result: Result, without: Sequence[str], progress: Callable[[str], None]) -> None:
    """Give every obligation and lemma to the programs that take it."""
    files = {**record.obligations, **record.lemmas}
    for program in PROGRAMS:
        chosen = {name: text for name, text in files.items() if takes(program, name, text)}
        what = "lemmas compiled" if program == "coq" else "obligations unsatisfiable"
        found = None if program in without else find(program)
        if found is None or not chosen:
            outcome = "accepted" if not chosen else "not checked"
            result.parts.append(Part(what, program, len(chosen), 0.0, outcome))
            if chosen and program not in without:
                result.verdict = "unknown"
                result.findings.append((program, "it is not installed, so nothing was given to it"))
            continue
        started, wrong = time.perf_counter(), 0
        progress(f"{program}: {len(chosen)} files")
        for name, answer in answers(program, chosen):
            if answer in ("unsat", "proved"):
                continue
            wrong += 1
            refuted = answer == "sat" or answer.startswith("error")
            result.findings.append((name, f"{program} answers {answer}"))
            if refuted:
                result.verdict = "rejected"
            elif result.verdict == "accepted":
                result.verdict = "unknown"
        outcome = "accepted" if not wrong else result.verdict
        result.parts.append(Part(what, f"{program} {found}", len(chosen), time.perf_counter() - started, outcome))


def answers(program: str, files: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What a program answers to each file, in the order of their names; some processes at once for those that are started."""
    names = sorted(files)
    if program != "coq":
        yield from ((name, decide(program)(files[name])) for name in names)
        return
    with ThreadPoolExecutor(PROCESSES) as pool:
        yield from zip(names, pool.map(decide(program), (files[name] for name in names)), strict=True)
