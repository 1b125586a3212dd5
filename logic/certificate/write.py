"""Writing a certificate: copies of the artifacts, the claims, and every file that they rely on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from circuits.functions import written_out
from logic.certificate.lines import denominator_lines
from logic.checker.certificate import ARTIFACTS, KINDS, MAIN, SCHEMA, Certificate, Claim, canonical_text
from logic.checker.forms import Reader
from logic.checker.record import Record


def composition_claims(certificate: Certificate) -> list[Claim]:
    """The claims network = circuit and circuit = sentence, still without the steps that do not need to be given."""
    network = written_out(certificate.network)
    reader = Reader(network, certificate.family)
    given = [{"node": name, **lines} for name, lines in denominator_lines(reader, network).items()]
    return [
        {"kind": "composition", "left": "network", "right": "circuit", "steps": given},
        {"kind": "composition", "left": "circuit", "right": "sentence"},
    ]


def exhaustive_claim(lengths: Sequence[int]) -> Claim:
    """The claim that all three decide the same on all inputs of some lengths."""
    return {"kind": "exhaustive", "lengths": [{"n": n} for n in lengths]}


def obligations_claim(conclusion: str, names: Sequence[str]) -> Claim:
    """A conclusion that follows if some scripts, given as further obligations, are unsatisfiable."""
    return {"kind": "obligations", "conclusion": conclusion, "obligations": list(names)}


def write(
    folder: Path,
    artifacts: Mapping[str, bytes],
    claims: Callable[[Certificate], Sequence[Claim]],
    obligations: Mapping[str, str] | None = None,
) -> None:
    """Write a certificate to an empty folder.

    Args:
        artifacts: the contents of `ARTIFACTS`, by name.
        claims: the claims, which are completed by the same functions that replay them.
        obligations: further SMT-LIB scripts, by the name that `Record.obligation` gives them.

    Raises:
        Rejected: a claim cannot be replayed.
        FomError: an artifact is damaged.
    """
    texts = {name: artifacts[name].decode("utf-8") for name in ARTIFACTS}
    certificate = Certificate({}, {"artifacts": texts, "obligations": dict(obligations or {}), "lemmas": {}})
    record = Record()
    complete = [KINDS[str(claim["kind"])](certificate, claim, record) for claim in claims(certificate)]
    files: dict[str, dict[str, bytes]] = {
        "artifacts": {name: artifacts[name] for name in ARTIFACTS},
        "obligations": {name: text.encode() for name, text in record.obligations.items()},
        "lemmas": {name: text.encode() for name, text in record.lemmas.items()},
    }
    listed: dict[str, Any] = {}
    for kind, contents in files.items():
        (folder / kind).mkdir()
        for name, content in contents.items():
            (folder / kind / name).write_bytes(content)
        listed[kind] = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}
    data = {"schema": SCHEMA, "files": listed, "claims": complete}
    (folder / MAIN).write_text(canonical_text(data), encoding="utf-8")
