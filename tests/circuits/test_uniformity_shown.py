"""The evidence of uniformity as text and as JSON."""

from __future__ import annotations

import json
from functools import cache

from circuits.network_to_family import network_to_family
from tests.circuits.small import attention
from translator.uniformity import Evidence, evidence, evidence_facts, render


@cache
def shown() -> Evidence:
    return evidence(network_to_family(attention(2, 2), "compact"), most_n=3)


def text(full: bool = False) -> str:
    return "\n".join("".join(part for part, _ in line) for line in render(shown(), full=full))


def test_the_picture_is_the_id() -> None:
    example = shown().example
    number = 0
    for _, bits, value in example.fields:
        assert 0 <= value < 1 << bits or (bits, value) == (0, 0)
        number = (number << bits) + value
    assert number == example.number
    row = next(line for line in text().splitlines() if f"= {number} = {example.gate}" in line)
    digits = [cell.strip() for cell in row.split("  = ")[0].strip("|").split("|")]
    assert int("".join(digit for digit in digits if digit != "-"), 2) == number


def test_two_wires_and_what_is_none() -> None:
    weights = [answer.weight for answer in shown().example.answers]
    assert len(weights) == 3
    assert all(weights[:2])
    assert weights[2] == 0
    assert all(
        answer.operations <= int(shown().checks[0].figures["edge at most"]) for answer in shown().example.answers
    )


def test_all_checks_are_shown() -> None:
    assert shown().holds
    lines = text().splitlines()
    for name in ("U1", "U2", "U3", "U4", "U5", "U6"):
        assert sum(line.startswith(f"{name}  holds") for line in lines) == 1
    assert "at every y with y <= x" in text() or "for every y with y <= x" in text()


def test_everything_is_shown_when_asked_for() -> None:
    names = [kind.name for kind in shown().description.kinds]
    assert sum(f"let {edge.name}" in text() for edge in shown().language.edges) == shown().language.shapes
    assert all(f" {name} " in text(full=True) for name in names)
    assert all(f"{edge.name}" in text(full=True) for edge in shown().language.edges)


def test_json_says_the_same() -> None:
    data = json.loads(json.dumps(evidence_facts(shown())))
    assert data["holds"] is True
    assert [check["name"] for check in data["checks"]] == ["U1", "U2", "U3", "U4", "U5", "U6"]
    assert [kind["name"] for kind in data["kinds"]] == [kind.name for kind in shown().description.kinds]
    assert data["example"]["number"] == shown().example.number
    assert len(data["formulas"]) == len(shown().language.sentence.definitions)
