"""Verilog and OPB say what the circuit computes: their texts are evaluated by a few lines that know nothing of circuits."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.bases.ports import decision_words, input_matrix
from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import FomError
from circuits.exchange.opb import codes_that_round_to
from circuits.exchange.ports import ports_of
from circuits.exchange.verilog import terms
from circuits.family import Family
from circuits.formats import Format, round_half_even
from circuits.network_to_family import network_to_family
from tests.circuits import small
from translator.exchange import GATES, save_circuit, write_circuit

FAMILIES = {
    "letters": network_to_family(small.network()),
    "attention": network_to_family(small.attention(2, 2)),
}


def text_of(family: Family, n: int, form: str, **options: str) -> str:
    """A circuit as text."""
    out = io.BytesIO()
    write_circuit(family, n, form, out, **options)
    return out.getvalue().decode()


def words(circuit: Circuit) -> Any:
    """All words of the length of the circuit."""
    return np.indices((len(circuit.family.alphabet),) * circuit.n).reshape(circuit.n, -1).T


def evaluate_verilog(text: str, bits: dict[str, int]) -> dict[str, int]:
    """Evaluate the assignments of a module one after the other; every constant and every sum has to fit its width."""
    values: dict[str, Any] = dict(bits)

    def sized(found: re.Match[str]) -> str:
        width, number = int(found[1]), int(found[2])
        assert number < 1 << max(1, width - 1), found[0]
        return str(number)

    for line in text.splitlines():
        line = re.sub(r"//.*", "", line).strip()
        for declared in re.finditer(r"wire (\w+); (and|or|not) \((.*?)\);", line):
            target, *operands = [name.strip() for name in declared[3].split(",")]
            assert target == declared[1]
            read = [values[name] for name in operands]
            values[target] = {"and": min(read), "or": max(read), "not": 1 - read[0]}[declared[2]]
        found = re.fullmatch(r"(?:wire|assign)(?: signed \[(\d+):0\])? (\w+) = (.*);", line)
        if found is not None:
            bit = re.fullmatch(r"\{1'b0, (.*)\}", found[3])
            expression = re.sub(r"(\d+)'sd(\d+)", sized, bit[1] if bit else found[3])
            expression = re.sub(r"1'b|\[0\]", "", expression).replace("~", "1 - ").strip()
            values[found[2]] = int(eval(expression, {}, values))
            if found[1] is not None:
                assert -(1 << int(found[1])) <= values[found[2]] < 1 << int(found[1])
    return values


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("gates", GATES["verilog"])
def test_verilog_computes_the_decisions(name: str, gates: str) -> None:
    circuit = instantiate(FAMILIES[name], 2)
    text, ports, inputs = text_of(FAMILIES[name], 2, "verilog", gates=gates), ports_of(circuit), words(circuit)
    wanted = circuit.simulate(inputs)[circuit.readout.decision]
    for row, word in zip(input_matrix(circuit, inputs).astype(int).tolist(), wanted, strict=True):
        values = evaluate_verilog(text, dict(zip(ports.inputs, row, strict=True)))
        outputs = np.array([[values[output] for output in ports.outputs]])
        assert (decision_words(circuit, outputs)[0] == word).all()


@pytest.mark.parametrize("length", [0, 1, 63, 64, 65, 64 * 64, 64 * 64 + 1, 70_000])
def test_long_sums_are_nested(length: int) -> None:
    pattern = terms(length, True)
    assert pattern.count("%d") == length
    depth = np.cumsum([(char == "(") - (char == ")") for char in pattern])
    assert depth[-1] == 0
    assert depth.max() <= 3
    assert max((group.count("%d") for group in re.split(r"[()]", pattern)), default=0) <= 64


def constraints(text: str) -> list[tuple[dict[int, int], str, int]]:
    """The constraints of a file, after its comments."""
    head, *lines = text.splitlines()
    counts = re.fullmatch(r"\* #variable= (\d+) #constraint= (\d+)", head)
    assert counts is not None
    found = []
    for line in lines:
        if line.startswith("*"):
            continue
        left, relation, bound = re.fullmatch(r"(.*) (>=|=) (-?\d+) ;", line).groups()  # type: ignore[union-attr]
        pairs = re.findall(r"([+-]\d+) x(\d+)", left)
        assert " ".join(f"{weight} x{variable}" for weight, variable in pairs) == left
        found.append(({int(variable): int(weight) for weight, variable in pairs}, relation, int(bound)))
    assert len(found) == int(counts[2])
    assert max(max(weights) for weights, _, _ in found) <= int(counts[1])
    return found


def completed(given: list[tuple[dict[int, int], str, int]], row: Any) -> dict[int, int]:
    """Input bits with the gates, of which the constraints leave each exactly one value."""
    value = dict(enumerate(row.astype(int).tolist(), start=1))
    for gate in range(len(row) + 1, max(max(weights) for weights, _, _ in given) + 1):
        own = [item for item in given if max(item[0]) == gate]
        fits = [all(holds(item, {**value, gate: bit}) for item in own) for bit in (0, 1)]
        assert fits[0] != fits[1]
        value[gate] = int(fits[1])
    return value


def holds(constraint: tuple[dict[int, int], str, int], value: dict[int, int]) -> bool:
    """Whether a constraint holds."""
    weights, relation, bound = constraint
    total = sum(weight * value[variable] for variable, weight in weights.items())
    return total == bound if relation == "=" else total >= bound


@pytest.mark.parametrize("name", FAMILIES)
def test_opb_is_satisfied_by_the_words_of_a_decision(name: str) -> None:
    circuit = instantiate(FAMILIES[name], 2)
    inputs = words(circuit)
    bits, wanted = input_matrix(circuit, inputs), circuit.simulate(inputs)[circuit.readout.decision]
    free = constraints(text_of(FAMILIES[name], 2, "opb"))
    values = [completed(free, row) for row in bits]
    assert all(holds(item, value) for item in free for value in values)
    assert not any(all(holds(item, completed(free, row)) for item in free) for row in np.zeros_like(bits[:1]))
    for decision in range(circuit.readout.n_classes):
        *same, asserted = constraints(text_of(FAMILIES[name], 2, "opb", assertion=f"class={decision}"))
        assert same == free
        assert [holds(asserted, value) for value in values] == (wanted[:, decision] == 1).tolist()


@pytest.mark.parametrize("frac", [-1, 0, 1, 3])
def test_codes_that_round_to_a_number(frac: int) -> None:
    codes = np.arange(-40, 40)
    for answer in range(-4, 5):
        low, high = codes_that_round_to(answer, Format(8, -128, frac))
        assert ((codes >= low) & (codes <= high)).tolist() == (round_half_even(codes, frac) == answer).tolist()


@pytest.mark.parametrize("assertion", ["class=9", "value=1", "1@1", "x", "class=-1", "0@0"])
def test_assertions_that_are_no_answers(assertion: str) -> None:
    with pytest.raises(FomError, match="C092"):
        text_of(FAMILIES["letters"], 2, "opb", assertion=assertion)


@pytest.mark.parametrize(
    ("form", "options", "code"),
    [
        ("vhdl", {}, "T070"),
        ("blif", {"gates": "threshold"}, "T079"),
        ("opb", {"thresholds": "sorter"}, "T079"),
        ("aiger", {"thresholds": "bdd"}, "T070"),
        ("verilog", {"assertion": "1"}, "T079"),
    ],
)
def test_what_cannot_be_written(form: str, options: dict[str, str], code: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("kept")
    with pytest.raises(FomError, match=code):
        save_circuit(FAMILIES["letters"], 2, form, path, **options)
    assert ([file.name for file in tmp_path.iterdir()], path.read_text()) == (["file"], "kept")
    with pytest.raises(FomError, match="T051"):
        save_circuit(FAMILIES["letters"], 2, "json", tmp_path / "nowhere" / "file")


@pytest.mark.parametrize("form", GATES)
def test_every_format_is_written_with_every_kind_of_gates(form: str, tmp_path: Path) -> None:
    for gates in GATES[form]:
        path = tmp_path / f"{form}.{gates}"
        written = save_circuit(FAMILIES["attention"], 2, form, path, gates=gates)
        assert path.stat().st_size > 0
        assert written.gates == gates
        assert written.n_gates > 0


def test_a_drawing_has_every_gate_and_every_wire() -> None:
    circuit = instantiate(FAMILIES["letters"], 2)
    root = ET.fromstring(text_of(FAMILIES["letters"], 2, "svg"))
    space = "{http://www.w3.org/2000/svg}"
    assert len(root.findall(f"{space}path")) == circuit.n_wires
    boxes = [box for box in root.findall(f"{space}rect") if box.get("class")]
    assert len(boxes) == circuit.n_gates
    assert sum(box.get("class") == "d" for box in boxes) == circuit.readout.n_classes
