"""Writing a certificate: copies of the artifacts, the claims, and every file that they rely on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from circuits.functions import written_out
from logic.certificate.lines import denominator_lines
from logic.checker.claims import KINDS, Claim
from logic.checker.files import MAIN, SCHEMA, Certificate, canonical_text
from logic.checker.forms import Reader
from logic.checker.record import Record
from logic.comparing.cells import covering
from logic.comparing.cells_layouts import NotSymmetric
from logic.comparing.methods import Limit
from logic.comparing.problem import Problem


def composition_claims(certificate: Certificate) -> list[Claim]:
    """The claims network = circuit and circuit = sentence, still without the steps that do not need to be given."""
    network = written_out(certificate.network)
    reader = Reader(network, certificate.family)
    given = [{"node": name, **lines} for name, lines in denominator_lines(reader, network).items()]
    return [
        {"kind": "composition", "left": "network", "right": "circuit", "steps": given},
        {"kind": "composition", "left": "circuit", "right": "sentence"},
    ]


def exhaustive_claim(lengths: Sequence[int], right: str | None = None) -> Claim:
    """The claim that on all inputs of some lengths all three decide the same, or the network what the right side says."""
    listed: Claim = {"kind": "exhaustive", "lengths": [{"n": n} for n in lengths]}
    return listed if right is None else {**listed, "left": "network", "right": right}


def cells_claim(problem: Problem, right: str, limit: Limit) -> Claim | None:
    """The claim that the network decides what its rival decides on words of every length; None if no cells were found."""
    try:
        regions = covering(problem, limit)
    except NotSymmetric:
        return None
    if regions is None:
        return None
    layouts = [
        {"points": [{"types": list(c.types), "counts": list(c.counts), "slack": c.slack} for c in region.cells]}
        for region in regions
    ]
    return {"kind": "cells", "left": "network", "right": right, "layouts": layouts}


def obligations_claim(right: str, conclusion: str, names: Sequence[str]) -> Claim:
    """A conclusion that follows if some scripts, given as further obligations, are unsatisfiable."""
    return {"kind": "obligations", "right": right, "conclusion": conclusion, "obligations": list(names)}


def write(
    folder: Path,
    artifacts: Mapping[str, bytes],
    claims: Callable[[Certificate], Sequence[Claim]],
    obligations: Mapping[str, str] | None = None,
) -> None:
    """Write a certificate to an empty folder.

    Args:
        artifacts: the contents of `ARTIFACTS`, and of those of `COMPARED` that there are, by name.
        claims: the claims, which are completed by the same functions that replay them.
        obligations: further SMT-LIB scripts, by the name that `Record.obligation` gives them.

    Raises:
        Rejected: a claim cannot be replayed.
        FomError: an artifact is damaged.
    """
    texts = {name: content.decode("utf-8") for name, content in artifacts.items()}
    certificate = Certificate({}, {"artifacts": texts, "obligations": dict(obligations or {}), "lemmas": {}})
    record = Record()
    complete = [KINDS[str(claim["kind"])](certificate, claim, record) for claim in claims(certificate)]
    files: dict[str, dict[str, bytes]] = {
        "artifacts": dict(artifacts),
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
