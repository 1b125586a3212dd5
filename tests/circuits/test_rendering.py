"""What notebooks show of families, circuits and networks: well-formed, escaped, bounded, and with the right numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from circuits.circuit import instantiate
from circuits.entries import Gates
from circuits.rendering import MOST_DRAWN_WIRES, MOST_ROWS
from circuits.sizes import size_polynomials
from translator.pipeline import Translation, translate

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def majority() -> Translation:
    return translate(EXAMPLES / "majority" / "model.onnx", precision="fixed:3", alphabet="<,&", max_length=3)


@pytest.fixture(scope="module")
def gates() -> Translation:
    return translate(
        EXAMPLES / "mlp_xor" / "model.onnx", precision="fixed:3", inputs=EXAMPLES / "mlp_xor" / "inputs.npz"
    )


def rows(table: ET.Element) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in table.iter("tr")]


def text(root: ET.Element) -> str:
    return " ".join(root.itertext())


def test_a_family(majority: Translation) -> None:
    family = majority.family
    shown = ET.fromstring(family._repr_html_())
    assert f"depth {family.depth}" in text(shown)
    assert "2 letters (< &)" in text(shown)
    assert str(size_polynomials(family)["gates"]) in text(shown)
    histogram, templates = map(rows, shown.iter("table"))
    assert sum(int(row[1].replace(",", "")) for row in histogram[1:]) == len(family.templates)
    assert [int(row[0]) for row in histogram[1:]] == sorted({family.levels[one.name] for one in family.templates})
    assert len(templates) - 1 == min(len(family.templates), MOST_ROWS + 1)
    first = family.templates[0]
    assert templates[1][:2] == [first.name, str(family.levels[first.name])]


def test_a_long_family_is_cut(majority: Translation) -> None:
    family = majority.family
    many = [
        replace(one, name=f"{one.name}'{k}") for k in range(100) for one in family.entries if isinstance(one, Gates)
    ]
    shown = ET.fromstring(replace(family, entries=(*family.entries, *many))._repr_html_())
    *_, templates = map(rows, shown.iter("table"))
    assert len(templates) == MOST_ROWS + 2
    assert templates[-1] == [f"… {len(many) + len(family.templates) - MOST_ROWS:,} more"]


def test_a_network(majority: Translation, gates: Translation) -> None:
    shown = ET.fromstring(majority.network._repr_html_())
    (nodes,) = map(rows, shown.iter("table"))
    assert [row[:3] for row in nodes[1:]] == [
        [node.name, type(node).__name__, f"{node.size:,}"] for node in majority.network.nodes[:MOST_ROWS]
    ]
    assert {row[4] for row in nodes[1:]} >= {"exact", "1 bit"}
    assert "4 numbers of 3 bits (x)" in text(ET.fromstring(gates.network._repr_html_()))


def test_a_circuit(majority: Translation, gates: Translation) -> None:
    large = instantiate(majority.family, 3)
    shown = ET.fromstring(large._repr_html_())
    assert f"n = 3: {large.n_gates:,} gates, {large.n_wires:,} wires, depth {large.depth}" in text(shown)
    (levels,) = map(rows, shown.iter("table"))
    assert sum(int(row[1].replace(",", "")) for row in levels[1:]) == large.n_gates
    assert large.n_wires > MOST_DRAWN_WIRES
    assert large._repr_svg_() is None


def test_a_small_circuit_is_drawn(gates: Translation) -> None:
    circuit = instantiate(gates.family, 1)
    drawn = circuit._repr_svg_()
    assert circuit.n_wires <= MOST_DRAWN_WIRES
    assert drawn is not None
    root = ET.fromstring(drawn)
    assert len(root.findall(f"{SVG}path")) == circuit.n_wires
    boxes = [one for one in root.findall(f"{SVG}rect") if one.get("class") in ("b", "d")]
    assert len(boxes) == circuit.n_gates
    assert sum(one.get("class") == "d" for one in boxes) == 2
