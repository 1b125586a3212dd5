"""The kinds of claims, each with the function that replays it: it computes the claim anew, and returns it as it must be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from circuits.network import Network
from logic.checker.cells import replay_cells
from logic.checker.comparison import Subject, compare_length
from logic.checker.composition import replay_network
from logic.checker.definitions import replay_sentence
from logic.checker.exhaustive import replay_length
from logic.checker.files import Certificate
from logic.checker.record import Record, Rejected, require
from logic.comparing.specification import Specification

Claim = dict[str, Any]


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


def lengths_of(network: Network, given: Any) -> list[int]:
    """The lengths that a claim lists."""
    require(isinstance(given, list) and given, "the claim", "it has no lengths")
    lengths: list[int] = []
    for item in given:
        n = item.get("n") if isinstance(item, dict) else None
        increasing = type(n) is int and network.domain.admits(n) and (not lengths or n > lengths[-1])
        require(increasing, "the claim", "its lengths are malformed")
        lengths += [n] if isinstance(n, int) else []
    require(not network.inputs or lengths == [1], "the claim", "a static input has no length")
    return lengths


def scope_of_lengths(network: Network, lengths: Sequence[int]) -> str:
    """The scope of a claim for some lengths, in words."""
    return "every input" if network.inputs else "n = " + ", ".join(map(str, lengths))


def restrictions(certificate: Certificate, subject: Subject) -> str:
    """The restrictions of words, positions and classes, in words."""
    given = certificate.files["artifacts"]
    named = "".join(f", {name} artifacts/{name}.fom" for name in ("where", "at") if f"{name}.fom" in given)
    return named + (subject.right.restriction if isinstance(subject.right, Specification) else "")


def claim_exhaustive(certificate: Certificate, claim: Claim, record: Record) -> Claim:
    """Replay the decisions on all inputs of the lengths listed: of all three, or of the network and what it is compared with."""
    network, right = certificate.network, claim.get("right")
    lengths = lengths_of(network, claim.get("lengths"))
    scope = scope_of_lengths(network, lengths)
    if right is None:
        given = network, certificate.family, certificate.sentence
        found = [replay_length(*given, record, certificate.decided, n) for n in lengths]
        return {"kind": "exhaustive", "scope": scope, "lengths": found}
    subject = certificate.subject(right)
    found = [compare_length(subject, record, n) for n in lengths]
    require(any(length["considered"] for length in found), "the claim", "it considers no input")
    scope += restrictions(certificate, subject)
    return {"kind": "exhaustive", "left": "network", "right": right, "scope": scope, "lengths": found}


def claim_cells(certificate: Certificate, claim: Claim, record: Record) -> Claim:
    """Replay the comparison with a specification or another network on words of every length."""
    right = claim.get("right")
    require(right in ("spec", "other"), "the claim", f"there are no cells of `{right}`")
    subject = certificate.subject(str(right))
    found = replay_cells(subject, record, claim.get("layouts"))
    scope = scope_of(certificate.network) + restrictions(certificate, subject)
    if isinstance(subject.right, Network) and subject.right.domain != certificate.network.domain:
        scope += f", that the other network accepts ({scope_of(subject.right)})"
    return {"kind": "cells", "left": "network", "right": right, "scope": scope, **found}


def claim_obligations(certificate: Certificate, claim: Claim, record: Record) -> Claim:
    """Rely on the scripts listed. That they imply the conclusion is stated by the certificate, and not derived here."""
    names, conclusion, right = claim.get("obligations"), claim.get("conclusion"), claim.get("right")
    listed = isinstance(names, list) and names and all(isinstance(name, str) for name in names)
    require(listed and isinstance(conclusion, str), "the claim", "it is malformed")
    certificate.subject(str(right))
    for name in names or ():
        require(name in certificate.files["obligations"], f"obligations/{name}", "it is missing")
        found = record.obligation(certificate.files["obligations"][name])
        require(found == name, f"obligations/{name}", "its name is not that of its contents")
    scope = f"if {len(names or ())} obligations imply it, which is stated and not re-checked: {conclusion}"
    return {"kind": "obligations", "left": "network", "right": right, "scope": scope, "conclusion": conclusion,
            "obligations": names}  # fmt: skip


KINDS: dict[str, Callable[[Certificate, Claim, Record], Claim]] = {
    "composition": claim_composition,
    "exhaustive": claim_exhaustive,
    "cells": claim_cells,
    "obligations": claim_obligations,
}
"""The function that replays a claim, by its kind."""

SPOKEN_OF = {"spec": "spec.fom", "other": "other.jsonl", "property": "property.fom"}
"""The artifact of each right side."""
