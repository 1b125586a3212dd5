"""``fom circuit``: circuits as files, their sizes, and their uniformity."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from circuits.bases.ports import decisions_of, input_matrix
from circuits.circuit import instantiate
from circuits.exchange.aiger import read_aiger
from circuits.readout import decisions
from circuits.wiring import circuit_to_data
from tests.translator.command_line import Fom
from translator import store


class TestCircuit:
    @pytest.mark.parametrize(("name", "n"), [("majority", 2), ("more_a", 2), ("mlp_xor", 1)])
    def test_gates_compute_the_decisions(self, folders: dict[str, Path], name: str, n: int) -> None:
        family = store.load(folders[name]).family
        data = circuit_to_data(family, n)
        circuit = instantiate(family, n)
        assert (data["gates"], data["wires"], data["depth"]) == (circuit.n_gates, circuit.n_wires, circuit.depth)
        rng = np.random.default_rng(0)
        for _ in range(5):
            if not family.inputs:
                inputs = rng.integers(0, len(family.alphabet), (1, n))
                values = {
                    bit["id"]: int(bit["name"] == f"{family.alphabet[letter]}({place + 1})")
                    for place, letter in enumerate(inputs[0].tolist())
                    for bit in data["inputs"][place * len(family.alphabet) : (place + 1) * len(family.alphabet)]
                }
            else:
                format_ = family.inputs[0].format
                inputs = rng.integers(format_.lo, format_.hi + 1, (1, 4))
                values = {
                    bit["id"]: int(inputs[0, i % 4] - format_.lo) >> i // 4 & 1 for i, bit in enumerate(data["inputs"])
                }
            values |= {bit["id"]: bit["value"] for bit in data["constants"]}
            for level in data["levels"]:
                assert level
                values |= {
                    gate["id"]: int(
                        sum(weight * values[source] for source, weight in gate["wires"]) >= gate["threshold"]
                    )
                    for gate in level
                }
            wanted = circuit.simulate(inputs)[family.readout.decision].ravel().tolist()
            assert [values[gate] for gate in data["readout"]["decision"]] == wanted

    def test_files(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        path = tmp_path / "circuit.json"
        assert fom("circuit", folders["majority"], "--length", 2, "--format", "json", "-o", path).code == 0
        assert json.loads(path.read_text())["n"] == 2
        found = fom("circuit", folders["mlp_xor"], "--length", 1, "--format", "dot")
        assert found.out.startswith("digraph")
        assert found.out.count(" -> ") == instantiate(store.load(folders["mlp_xor"]).family, 1).n_wires

    @pytest.mark.parametrize(
        ("options", "word"),
        [
            (["--length", 400, "--format", "json"], "wires"),
            (["--length", 3, "--format", "josn"], "did you mean `json`"),
            (["--length", 3, "--format", "json", "--gates", "majority"], "not written with majority gates"),
            (["--length", 3, "--format", "verilog", "--thresholds", "adder"], "are not made of ANDs"),
            (["--length", 3, "--format", "aag", "--assert", "1"], "states no assertion"),
            (["--length", 3, "--gates", "and"], "choose a --format"),
            (["--length", 300, "--uniformity"], "up to length 64"),
            (["--length", 3, "--uniformity", "--format", "json"], "either --uniformity or --format"),
            (["--length", 3, "--alphabet", "a,b"], "a translation has its own"),
            (["--format", "json"], "--length"),
        ],
    )
    def test_what_cannot_be_written(self, fom: Fom, folders: dict[str, Path], options: list[object], word: str) -> None:
        found = fom("circuit", folders["majority"], *options)
        assert found.code == 2
        assert word in found.err

    @pytest.mark.parametrize("form", ["svg", "aiger", "aag", "blif", "verilog", "opb"])
    def test_every_format_is_written(self, fom: Fom, folders: dict[str, Path], tmp_path: Path, form: str) -> None:
        path = tmp_path / "circuit"
        found = fom("circuit", folders["mlp_xor"], "--format", form, "-o", path)
        assert (found.code, found.out) == (0, "")
        assert ", depth" in found.err
        assert path.read_bytes()

    def test_a_written_graph_decides_as_the_circuit(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        path = tmp_path / "circuit.aig"
        assert fom("circuit", folders["majority"], "--length", 2, "--format", "aiger", "-o", path).code == 0
        aig, _ = read_aiger(path.read_bytes())
        circuit = instantiate(store.load(folders["majority"]).family, 2)
        words = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
        outputs = aig.evaluate(input_matrix(circuit, words))
        wanted = decisions(circuit.readout, circuit.family.decision_format, circuit.simulate(words)["class"])
        assert decisions_of(circuit, outputs).tolist() == wanted.tolist()

    def test_sizes(self, fom: Fom, folders: dict[str, Path]) -> None:
        family = store.load(folders["majority"]).family
        found = json.loads(fom("circuit", folders["majority"], "--length", 3, "--json").out)
        assert (found["gates"], found["wires"], found["depth"]) == (family.gates(3), family.wires(3), family.depth)
        assert sum(found["templates"].values()) == found["gates"]
        assert "the same for every n" in fom("circuit", folders["majority"], "--length", 3).out

    def test_a_sentence_and_its_file(self, fom: Fom, tmp_path: Path) -> None:
        path = tmp_path / "spec.fom"
        path.write_text("letters a, b;\nM x. a(x)\n")
        for argument in (path, "M x. a(x)"):
            found = json.loads(fom("circuit", argument, "--length", 5, "--json").out)
            assert (found["gates"], found["depth"], found["polynomials"]["wires"]) == (1, 1, "n")
        assert fom("circuit", "M x. a(x", "--length", 5).code == 2
        assert "no such folder" in fom("circuit", tmp_path / "none", "--length", 5).err
        assert "fom translate" in fom("circuit", "model.onnx", "--length", 5).err

    def test_uniformity(self, fom: Fom) -> None:
        found = fom("circuit", "forall x. exists y. y < x & a(y)", "--uniformity", "--length", 6)
        assert found.code == 0
        assert [line.split()[1] for line in found.out.splitlines() if re.match(r"U\d ", line)] == ["holds"] * 6
        facts = json.loads(fom("circuit", "M x. a(x)", "--uniformity", "--length", 4, "--json").out)
        assert facts["schema"] == 1
        assert facts["holds"] is True
