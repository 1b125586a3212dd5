"""Reading and checking a certificate: hashes, replay of every claim, and the answers of other programs.

A certificate is a folder: ``certificate.json``, and under ``artifacts``, ``obligations`` and ``lemmas`` the files that it lists
with their SHA-256. It has a list of claims; a claim has a `kind`, and `KINDS` has the function that replays each kind.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from circuits.diagnostics import FomError, fail
from circuits.family import Family
from circuits.family_text import family_of_text
from circuits.network import Network
from circuits.network_text import network_of_text
from logic.checker.composition import replay_network
from logic.checker.definitions import replay_sentence
from logic.checker.exhaustive import replay_length
from logic.checker.programs import PROGRAMS, decide, find, takes
from logic.checker.record import Record, Rejected, require, sha256
from logic.syntax import Sentence

SCHEMA = 1
MAIN = "certificate.json"
ARTIFACTS = ("network.jsonl", "family.jsonl", "sentence.fom", "manifest.json")
FOLDERS = ("artifacts", "obligations", "lemmas")
MOST_BYTES = 1 << 32

Claim = dict[str, Any]


@dataclass(frozen=True)
class Certificate:
    """A certificate as read: the object of ``certificate.json`` and the text of all files."""

    data: dict[str, Any]
    files: dict[str, dict[str, str]]

    def artifact(self, name: str) -> str:
        """The text of an artifact."""
        require(name in self.files["artifacts"], f"artifacts/{name}", "it is missing")
        return self.files["artifacts"][name]

    @cached_property
    def network(self) -> Network:
        """The network."""
        return network_of_text(self.artifact("network.jsonl"), "network.jsonl")

    @cached_property
    def family(self) -> Family:
        """The family."""
        return family_of_text(self.artifact("family.jsonl"), "family.jsonl")

    @cached_property
    def sentence(self) -> Sentence:
        """The sentence."""
        from logic.parser import parse

        return parse(self.artifact("sentence.fom"), "sentence.fom")

    @cached_property
    def decided(self) -> str:
        """The decision bit that the sentence is, as the manifest says."""
        try:
            manifest = json.loads(self.artifact("manifest.json"))
            decided = str(manifest["readout"]["formula"])
        except (KeyError, TypeError, ValueError) as error:
            raise Rejected("artifacts/manifest.json", f"it is damaged: {error}") from None
        return decided


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


def scope_of(network: Network) -> str:
    """The scope of a claim for all inputs, in words."""
    domain = network.domain
    if network.inputs:
        return "every input"
    if domain.least == domain.most:
        return f"n = {domain.most}, the only length of the domain"
    return f"every n in the domain (n <= {domain.most})" if domain.most is not None else "every length n"


def claim_composition(certificate: Certificate, claim: Claim, record: Record) -> Claim:
    """Replay network = circuit, or circuit = sentence, at every length."""
    network, family = certificate.network, certificate.family
    sides = [claim.get("left"), claim.get("right")]
    scope = scope_of(network)
    if sides == ["network", "circuit"]:
        given = {str(step.get("node")): step for step in claim.get("steps", []) if isinstance(step, dict)}
        steps = replay_network(network, family, record, given)
    elif sides == ["circuit", "sentence"]:
        steps = replay_sentence(family, certificate.sentence, record, certificate.decided)
    else:
        raise Rejected("the claim", f"there is no composition of {sides}")
    return {"kind": "composition", "left": sides[0], "right": sides[1], "scope": scope, "steps": steps}


def claim_exhaustive(certificate: Certificate, claim: Claim, record: Record) -> Claim:
    """Replay the decisions on all inputs of the lengths listed."""
    lengths = [item.get("n") if isinstance(item, dict) else None for item in claim.get("lengths", [])]
    admitted = all(type(n) is int and certificate.network.domain.admits(n) for n in lengths)
    require(
        lengths and admitted and lengths == sorted({n for n in lengths if n is not None}),
        "the claim",
        "its lengths are malformed",
    )
    require(not certificate.network.inputs or lengths == [1], "the claim", "a static input has no length")
    given = certificate.network, certificate.family, certificate.sentence
    found = [replay_length(*given, record, certificate.decided, n) for n in lengths if n is not None]
    scope = "every input" if certificate.network.inputs else "n = " + ", ".join(map(str, lengths))
    return {"kind": "exhaustive", "scope": scope, "lengths": found}


def claim_obligations(certificate: Certificate, claim: Claim, record: Record) -> Claim:
    """Rely on the scripts listed. That they imply the conclusion is stated by the certificate, and not derived here."""
    names, conclusion = claim.get("obligations"), claim.get("conclusion")
    require(isinstance(names, list) and names and isinstance(conclusion, str), "the claim", "it is malformed")
    for name in names or ():
        require(name in certificate.files["obligations"], f"obligations/{name}", "it is missing")
        record.obligation(certificate.files["obligations"][name])
    scope = f"if {len(names or ())} obligations imply it: {conclusion}"
    return {"kind": "obligations", "scope": scope, "conclusion": conclusion, "obligations": names}


KINDS: dict[str, Callable[[Certificate, Claim, Record], Claim]] = {
    "composition": claim_composition,
    "exhaustive": claim_exhaustive,
    "obligations": claim_obligations,
}


def canonical_text(data: Any) -> str:
    """The only text that ``certificate.json`` may have."""
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def read(folder: Path) -> Certificate:
    """Read a certificate.

    Raises:
        FomError: the folder is none, or cannot be read.
        Rejected: its files are not those that it lists.
    """
    path = folder / MAIN
    if not path.is_file():
        raise fail(
            "L080", f"the folder is no certificate: it has no {MAIN}", where=str(folder),
            help="fom verify DIR --certificate OUT makes one",
        )  # fmt: skip
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text)
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise Rejected(MAIN, f"it is damaged: {error}") from None
    lists: Any = data.get("files") if isinstance(data, dict) else None
    shaped = isinstance(lists, dict) and set(lists) == set(FOLDERS) and isinstance(data.get("claims"), list)
    require(shaped and all(isinstance(lists[name], dict) for name in FOLDERS), MAIN, "it is no object of a certificate")
    require(data.get("schema") == SCHEMA, MAIN, f"its schema is not {SCHEMA}")
    require(set(data) == {"schema", "files", "claims"}, MAIN, "it has other keys than schema, files and claims")
    require(canonical_text(data) == text, MAIN, "it is not written in the canonical form")
    found = {str(each.relative_to(folder)) for each in folder.rglob("*") if not each.is_dir()}
    listed = {MAIN, *(f"{name}/{each}" for name in FOLDERS for each in lists[name])}
    for name in sorted(found ^ listed):
        raise Rejected(name, "it is not listed" if name in found else "it is missing")
    files: dict[str, dict[str, str]] = {name: {} for name in FOLDERS}
    for kind in FOLDERS:
        for name, digest in lists[kind].items():
            content = (folder / kind / name).read_bytes()
            require(sha256(content) == digest, f"{kind}/{name}", "its SHA-256 is not the one listed")
            try:
                files[kind][name] = content.decode("utf-8")
            except UnicodeDecodeError:
                raise Rejected(f"{kind}/{name}", "it is no text") from None
    require(set(files["artifacts"]) == set(ARTIFACTS), "artifacts", f"they are not {', '.join(ARTIFACTS)}")
    return Certificate(data, files)


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
        if found != claim:
            raise Rejected(f"{where}{first_difference(found, claim)}", "it is not what the replay finds")
        counted = ", ".join(f"{count:,} {what}" for what, count in own.counts.items())
        what = " = ".join(side for side in (claim.get("left"), claim.get("right")) if side) or str(kind)
        spent = time.perf_counter() - started
        result.parts.append(Part(f"{what}: {counted or 'stated'}", "fom", sum(own.counts.values()), spent, "accepted"))
        result.scopes.append(f"{what}: {found['scope']}")
        record.obligations.update(own.obligations)
        record.lemmas.update(own.lemmas)
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
        for number, (name, text) in enumerate(sorted(chosen.items())):
            progress(f"{program}: {number + 1} of {len(chosen)}")
            answer = decide(program)(text)
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
