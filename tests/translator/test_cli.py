"""The command line: results, JSON, exit codes, and what it leaves on disk."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.bases.ports import decisions_of, input_matrix
from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.exchange.aiger import read_aiger
from circuits.readout import decisions
from circuits.wiring import circuit_to_data
from logic.parser import parse
from logic.pure import violations
from tests.bad_inputs import BAD_INPUTS
from translator import cli, report, store, terminal
from translator.commands import options
from translator.explaining import explain
from translator.pipeline import translate

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"
CHOICES = {
    "majority": [],
    "more_a": ["--depth", "balanced", "--inputs", str(EXAMPLES / "more_a" / "inputs.npz")],
    "mlp_xor": ["--inputs", str(EXAMPLES / "mlp_xor" / "inputs.npz")],
}
FILES = {"manifest.json", "model.onnx", "network.jsonl", "family.jsonl", "sentence.fom", "report.html"}


@dataclass(frozen=True)
class Result:
    """What one run of fom said."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


Fom = Callable[..., Result]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Translations of a classifier, a tagger, and a network of numbers."""
    base = tmp_path_factory.mktemp("translations")
    for name, chosen in CHOICES.items():
        path = EXAMPLES / name / "model.onnx"
        assert cli.execute(["translate", str(path), "-o", str(base / name), *chosen]) == 0
    return {name: base / name for name in CHOICES}


@pytest.fixture
def fom(capsys: pytest.CaptureFixture[str]) -> Fom:
    """Run fom in this process."""

    def run(*arguments: object) -> Result:
        capsys.readouterr()
        code = cli.execute([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return run


def expected(name: str) -> Any:
    """The decisions of the example's onnxruntime outputs, as lists without padding."""
    rows = np.load(EXAMPLES / name / "expected.npz")["decision"].tolist()
    return [[value for value in row if value >= 0] for row in rows] if isinstance(rows[0], list) else rows


class TestTranslate:
    def test_json_has_the_keys_of_the_contract(self, fom: Fom, tmp_path: Path) -> None:
        found = fom("translate", EXAMPLES / "majority" / "model.onnx", "-o", tmp_path / "out", "--json").data
        assert found["schema"] == 1
        assert set(found) >= {
            "model", "precision", "weight_bits", "readout", "alphabet", "network", "family", "sentence", "fidelity",
            "files", "seconds",
        }  # fmt: skip
        assert set(found["network"]) == {"nodes", "words", "roundings"}
        assert set(found["family"]) >= {"templates", "gates", "wires", "depth"}
        assert set(found["sentence"]) >= {"definitions", "nodes", "quantifier_rank", "majority_rank"}
        assert set(found["fidelity"]) >= {"inputs", "agree", "max_abs_error"}
        assert found["fidelity"]["inputs"] == found["fidelity"]["agree"] == 2**9 - 2
        assert found["alphabet"] == ["a", "b"]
        assert found["readout"]["decides"] == "class:1"
        assert {Path(path).name for path in found["files"].values()} == FILES
        assert all(Path(path).is_file() for path in found["files"].values())
        assert set(found["seconds"]) >= {"read", "build", "emit"}

    def test_sizes_are_those_of_the_circuits(self, fom: Fom, folders: dict[str, Path]) -> None:
        manifest = json.loads((folders["majority"] / "manifest.json").read_text())
        family = store.load(folders["majority"]).family
        circuit = instantiate(family, 8)
        assert manifest["family"]["gates"]["at"]["8"] == circuit.n_gates
        assert manifest["family"]["wires"]["at"]["8"] == circuit.n_wires
        assert manifest["family"]["depth"] == circuit.depth

    def test_summary_is_plain_and_fits_80_columns(self, fom: Fom, tmp_path: Path) -> None:
        found = fom("translate", EXAMPLES / "majority" / "model.onnx")
        assert found.code == 0
        assert "\033" not in found.out + found.err
        assert terminal.NO_BREAK not in found.out
        assert max(map(len, found.out.splitlines())) <= 80
        for word in ("fixed:", "not certified", "510 of 510", "templates", "n = 64", "quantifier rank", "none written"):
            assert word in found.out
        assert "reading" in found.err
        assert not list(tmp_path.iterdir())

    def test_readout_chooses_the_formula(self, fom: Fom, tmp_path: Path) -> None:
        model = EXAMPLES / "mlp_xor" / "model.onnx"
        options = ["--precision", "fixed:6", "--readout", "class:0"]
        assert fom("translate", model, "-o", tmp_path / "out", *options).code == 0
        assert (tmp_path / "out" / "sentence.fom").read_text().rstrip().endswith("class[0]")
        assert fom("verify", tmp_path / "out").code == 0
        assert "class:0 to class:1" in fom("translate", model, "--readout", "class:7").err

    @pytest.mark.parametrize("kind", BAD_INPUTS)
    def test_bad_inputs_are_refused_and_leave_nothing(self, fom: Fom, kind: str, tmp_path: Path) -> None:
        (tmp_path / "given").mkdir()
        path = BAD_INPUTS[kind](tmp_path / "given")
        found = fom("translate", path, "-o", tmp_path / "out", "--json")
        assert found.code == 2
        assert found.err.count("error[") == len(found.data["error"]) >= 1
        assert set(found.data["error"][0]) == {"code", "message", "where", "note", "help"}
        assert "Traceback" not in found.err
        assert [entry.name for entry in tmp_path.iterdir()] == ["given"]

    def test_replaces_a_translation_and_nothing_else(self, fom: Fom, tmp_path: Path) -> None:
        model, out = EXAMPLES / "mlp_xor" / "model.onnx", tmp_path / "out"
        assert fom("translate", model, "-o", out, "--precision", "fixed:5").code == 0
        assert fom("translate", model, "-o", out, "--precision", "fixed:6").code == 0
        assert json.loads((out / "manifest.json").read_text())["precision"] == "fixed:6"
        assert {entry.name for entry in out.iterdir()} == FILES
        other = tmp_path / "thesis"
        other.mkdir()
        (other / "chapter1.tex").write_text("x")
        found = fom("translate", model, "-o", other)
        assert found.code == 2
        assert "T051" in found.err
        assert "reading" not in found.err, "refused before the work is done"
        assert [entry.name for entry in other.iterdir()] == ["chapter1.tex"]
        assert {entry.name for entry in tmp_path.iterdir()} == {"out", "thesis"}

    @pytest.mark.parametrize(
        ("options", "code"),
        [
            (["--dialect", "pure"], "T070"),
            (["--depth", "shalow"], "T070"),
            (["--memory", "much"], "T070"),
            (["--memory", "1kB"], "C060"),
            (["--precision", "float:e5m11"], "T020"),
            (["--alphabet", "a,b,c"], "T010"),
            (["--where", "a(x)"], "T017"),
            (["--max-length", "0"], "T070"),
            (["--colour"], "T070"),
        ],
    )
    def test_options_that_cannot_be_used(self, fom: Fom, options: list[str], code: str) -> None:
        found = fom("translate", EXAMPLES / "majority" / "model.onnx", *options, "--json")
        assert (found.code, found.data["error"][0]["code"]) == (2, code)

    def test_interrupt_leaves_nothing(self, tmp_path: Path) -> None:
        process = start(
            ["translate", str(EXAMPLES / "contains_ab" / "model.onnx"), "-o", "out", "--max-length", "16"], tmp_path
        )
        assert process.stderr is not None
        process.stderr.readline()
        time.sleep(0.3)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 130
        assert "interrupted; nothing was written" in err
        assert "Traceback" not in err
        assert not list(tmp_path.iterdir())


class TestVerify:
    @pytest.mark.parametrize("name", CHOICES)
    def test_examples_hold(self, fom: Fom, folders: dict[str, Path], name: str) -> None:
        found = fom("verify", folders[name], "--max-length", "3", "--json")
        assert (found.code, found.data["verdict"]) == (0, "holds")
        for claim in found.data["claims"]:
            assert set(claim) >= {"left", "right", "scope", "method", "verdict", "seconds"}
        assert {(claim["left"], claim["right"]) for claim in found.data["claims"]} == {
            ("network", "circuit"),
            ("circuit", "sentence"),
        }
        proofs = [claim["lemmas"] for claim in found.data["claims"] if claim["method"] == "compositional"]
        assert len(proofs) == 2
        assert all(sum(proof["by_method"].values()) == proof["total"] > 0 for proof in proofs)

    def test_last_line_is_the_verdict_with_its_scope(self, fom: Fom, folders: dict[str, Path]) -> None:
        lines = fom("verify", folders["majority"], "--max-length", "3").out.splitlines()
        assert lines[-1].startswith("holds: network = circuit = sentence, n = 1..3")
        assert "every length" in lines[-1]
        restricted = fom("verify", folders["more_a"], "--max-length", "3", "--method", "exhaustive", "--at", "x > 1",
                         "--where", "exists x. a(x)")  # fmt: skip
        assert restricted.out.splitlines()[-1] == (
            "holds: network = circuit = sentence, n = 1..3, where exists x. a(x), at x > 1"
        )

    def test_an_edited_sentence_is_noticed_and_refuted(
        self, fom: Fom, folders: dict[str, Path], tmp_path: Path
    ) -> None:
        folder = tmp_path / "edited"
        shutil.copytree(folders["majority"], folder)
        path = folder / "sentence.fom"
        text = path.read_text()
        swapped = text.replace("let class[1] := lead[1]()", "let class[1] := lead[0]()")
        path.write_text(swapped.replace("let class[0] := lead[0]()", "let class[0] := lead[1]()"))
        assert path.read_text() != text
        found = fom("verify", folder, "--max-length", "3", "--json")
        assert (found.code, found.data["verdict"], found.data["edited"]) == (1, "refuted", ["sentence.fom"])
        assert "sentence.fom was edited" in found.err
        refuted = next(claim for claim in found.data["claims"] if claim["verdict"] == "refuted")
        decisions = refuted["counterexample"]["decisions"]
        assert decisions["onnx"] == decisions["network"] == decisions["circuit"] != decisions["sentence"]
        shown = fom("verify", folder, "--max-length", "3").out
        assert shown.splitlines()[-1].startswith("refuted: circuit and sentence differ on: ")

    def test_notes_say_what_was_searched(self, fom: Fom, folders: dict[str, Path]) -> None:
        assert "400 random inputs" in fom("verify", folders["mlp_xor"]).out

    def test_unknown_is_not_success(self, fom: Fom, folders: dict[str, Path]) -> None:
        found = fom("verify", folders["majority"], "--max-length", "2", "--method", "exhaustive", "--all-lengths")
        assert found.code == 3
        assert found.out.splitlines()[-1].startswith("unknown: ")

    def test_against_a_specification(self, fom: Fom, folders: dict[str, Path]) -> None:
        assert fom("verify", folders["majority"], "--against", "M x. b(x)", "--max-length", "6").code == 0
        found = fom("verify", folders["majority"], "--against", "M x. a(x)", "--json")
        assert found.code == 1
        assert found.data["claims"][0]["counterexample"]["word"] in ("a", "b")
        assert fom("verify", folders["majority"], "--against", "other.onnx").code == 2
        assert fom("verify", folders["majority"], "--against", "M x. q(x)").code == 2

    def test_a_model_is_translated_first(self, fom: Fom) -> None:
        found = fom("verify", EXAMPLES / "majority" / "model.onnx", "--max-length", "2", "--json")
        assert (found.code, found.data["edited"]) == (0, [])

    def test_what_cannot_be_verified(self, fom: Fom, tmp_path: Path) -> None:
        assert fom("verify", tmp_path / "missing").code == 2
        assert "no manifest.json" in fom("verify", tmp_path).err
        assert "did you mean `auto`" in fom("verify", tmp_path, "--method", "auot").err


class TestRun:
    @pytest.mark.parametrize("side", ["onnx", "network", "circuit", "sentence"])
    @pytest.mark.parametrize("name", CHOICES)
    def test_decisions_are_those_of_the_example(self, fom: Fom, folders: dict[str, Path], name: str, side: str) -> None:
        found = fom("run", folders[name], "--as", side, "--inputs", EXAMPLES / name / "inputs.npz", "--json")
        assert found.code == 0
        assert found.data["decisions"] == expected(name)
        assert len(found.data["outputs"]) == len(found.data["decisions"])

    def test_outputs_come_in_the_order_of_the_file(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        words = np.array([[0, 1, 1], [1, -1, -1], [0, 0, -1], [1, 0, 1], [0, -1, -1]])
        np.savez(tmp_path / "words.npz", tokens=words)
        data = fom("run", folders["majority"], "--as", "network", "--inputs", tmp_path / "words.npz", "--json").data
        assert data["decisions"] == [1, 1, 0, 1, 0]
        single = fom("run", folders["majority"], "--as", "network", "--word", "a a", "--json").data
        assert single["outputs"] == [data["outputs"][2]]

    def test_one_word(self, fom: Fom, folders: dict[str, Path]) -> None:
        assert fom("run", folders["majority"], "--as", "sentence", "--word", "abb").out == "1\n"
        assert fom("run", folders["more_a"], "--as", "circuit", "--word", "a b a a").out == "1 0 1 1\n"
        assert fom("run", EXAMPLES / "majority" / "model.onnx", "--as", "onnx", "--word", "a a b").out == "0\n"

    def test_a_long_file_is_listed_in_part(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        words = np.random.default_rng(0).integers(0, 2, (20_000, 6))
        np.savez(tmp_path / "words.npz", words)
        found = fom("run", folders["majority"], "--as", "sentence", "--inputs", tmp_path / "words.npz")
        assert "19,980 more" in found.out
        assert len(found.out.splitlines()) < 30

    def test_what_cannot_be_run(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        run = ["run", folders["majority"], "--as"]
        assert "not in the alphabet" in fom(*run, "network", "--word", "a c").err
        assert "at least 1" in fom(*run, "network", "--word", "").err
        assert "did you mean `sentence`" in fom(*run, "sentense", "--word", "a").err
        assert fom(*run, "network").code == 2
        assert fom(*run, "network", "--inputs", tmp_path / "missing.npz").code == 2
        assert "reads 4 numbers" in fom("run", folders["mlp_xor"], "--as", "network", "--word", "a").err
        assert "did you mean" not in fom("run", tmp_path, "--as", "onnx", "--word", "a").out

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((0, 4), int),
            np.array(3.0),
            np.array([["a", "b", "a", "b"]]),
            np.array([[1j] * 4]),
            np.array([[np.nan] * 4]),
            np.array([[0, -1, 1, 1]]),
            np.array([[-1, -1, -1, -1, -1]]),
            np.array([[0, 2, 0, 0, 0]]),
        ],
        ids=lambda array: f"{array.dtype}{array.shape}",
    )
    @pytest.mark.parametrize("name", ["majority", "mlp_xor"])
    def test_arrays_that_are_no_inputs(
        self, fom: Fom, folders: dict[str, Path], name: str, array: Any, tmp_path: Path
    ) -> None:
        if name == "mlp_xor" and array.dtype.kind == "i" and array.shape == (1, 4):
            pytest.skip("four integers are four numbers")
        np.savez(tmp_path / "inputs.npz", array)
        found = fom("run", folders[name], "--as", "network", "--inputs", tmp_path / "inputs.npz")
        assert found.code == 2
        assert "error[" in found.err
        if not array.size:
            model = EXAMPLES / name / "model.onnx"
            assert fom("translate", model, "--inputs", tmp_path / "inputs.npz").code == 2

    def test_an_array_without_a_zip_around_it(self, fom: Fom, folders: dict[str, Path], tmp_path: Path) -> None:
        np.save(tmp_path / "inputs.npy", np.array([[0, 1], [0, 0]]))
        found = fom("run", folders["majority"], "--as", "network", "--inputs", tmp_path / "inputs.npy", "--json")
        assert found.data["decisions"] == [1, 0]


class TestShow:
    @pytest.mark.parametrize("name", CHOICES)
    def test_overview(self, fom: Fom, folders: dict[str, Path], name: str) -> None:
        found = fom("show", folders[name])
        assert found.code == 0
        assert "more definitions" in found.out
        assert found.out.rstrip().splitlines()[-1].startswith("class[1]")

    def test_full_text_is_the_sentence(self, fom: Fom, folders: dict[str, Path]) -> None:
        assert (folders["mlp_xor"] / "sentence.fom").read_text().rstrip() in fom(
            "show", folders["mlp_xor"], "--full"
        ).out

    def test_one_definition(self, fom: Fom, folders: dict[str, Path]) -> None:
        found = fom("show", folders["majority"], "class[1]").out
        assert "let class[1] := lead[1]() >= 0;" in found
        assert "reads       lead[1]" in found
        assert "the last formula" in found
        assert "≥" in fom("show", folders["majority"], "class[1]", "--unicode").out

    def test_bits_and_sums_in_words(self, fom: Fom, folders: dict[str, Path]) -> None:
        folder = folders["majority"]
        manifest = json.loads((folder / "manifest.json").read_text())
        bits = manifest["precision"].removeprefix("fixed:")
        assert "bit 1 of word `blocks0.relu` element 5, " in fom("show", folder, "blocks0.relu[5].1").out
        assert f"{bits} bits" in fom("show", folder, "blocks0.relu[5].1").out
        assert "AND of bit 0 of" in fom("show", folder, "blocks0.attention.products.and").out
        assert "exact sum at" in fom("show", folder, "embedding").out
        assert "the letter b stands" in fom("show", folder, "b").out

    def test_latex(self, fom: Fom, folders: dict[str, Path]) -> None:
        for arguments in ([], ["class"], ["--full"]):
            found = fom("show", folders["mlp_xor"], "--latex", *arguments)
            assert found.out.startswith("\\begin{align*}")
            assert found.out.endswith("\\end{align*}\n")

    def test_did_you_mean(self, fom: Fom, folders: dict[str, Path]) -> None:
        found = fom("show", folders["majority"], "blocks0.rellu")
        assert found.code == 2
        assert "did you mean `blocks0.relu`" in found.err

    @pytest.mark.parametrize("depth", ["compact", "balanced", "shallow"])
    @pytest.mark.parametrize("name", ["first_letter"])
    def test_every_element_can_be_explained(self, name: str, depth: str) -> None:
        path = EXAMPLES / name / "model.onnx"
        translation = translate(path, precision="fixed:4", depth=depth, max_length=3)
        for entry in translation.family.entries:
            for element in (0, entry.size - 1):
                assert explain(translation.network, translation.family, entry, element), entry.name

    @pytest.mark.parametrize("depth", ["compact", "balanced", "shallow"])
    def test_a_comparison_says_what_the_bits_say(self, depth: str) -> None:
        translation = translate(EXAMPLES / "majority" / "model.onnx", precision="fixed:5", depth=depth, max_length=3)
        entry = translation.family.by_name.get("blocks0.relu.ge0")
        if depth == "compact":
            assert entry is None
            return
        assert entry is not None
        node = translation.network.word("blocks0.relu")
        per_word = entry.size // node.size
        text = explain(translation.network, translation.family, entry, per_word + 2)
        assert text.startswith(f"the code of `blocks0.relu` element 1 is at least {node.format.lo + 3}")


class TestEval:
    @pytest.mark.parametrize("options", [[], ["--reference"]])
    def test_truth_in_words(self, fom: Fom, options: Sequence[str]) -> None:
        found = fom("eval", "M x. b(x)", "aba", "b a b", "b", "", *options)
        assert (found.code, found.out.split()) == (0, ["false", "true", "true", "true"])
        assert fom("eval", "exists x. a(x)", "bbb", *options).out == "false\n"
        assert fom("eval", "x > 1 & a(x)", "aab", *options).out == "false true false\n"
        assert fom("eval", "p & exists x. a(x)", "a", "--true", "p", *options).out == "true\n"

    def test_json(self, fom: Fom) -> None:
        data = fom("eval", "a(x)", "ab", "", "--json").data
        assert {"schema": 1, "words": [["a", "b"], []], "results": [[True, False], []]}.items() <= data.items()

    def test_a_file(self, fom: Fom, folders: dict[str, Path]) -> None:
        found = fom("eval", folders["majority"] / "sentence.fom", "abb", "a", "b a")
        assert found.out.split() == ["true", "false", "true"]
        assert fom("eval", folders["majority"] / "sentence.fom", "abc").code == 2

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["M x. b(x", "a"], "L001"),
            (["missing.fom", "a"], "T015"),
            (["a(x)", "abc", "--alphabet", "a,b"], "T011"),
            (["c(x)", "ab", "--alphabet", "a,b"], "T016"),
            (["p", "a"], "T077"),
            (["p", "a", "--true", "q"], "T077"),
            (["M x. b(x)"], "T070"),
        ],
    )
    def test_what_cannot_be_evaluated(self, fom: Fom, arguments: list[str], code: str) -> None:
        found = fom("eval", *arguments, "--json")
        assert (found.code, found.data["error"][0]["code"]) == (2, code)


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


class TestProgram:
    def test_help_is_quick_and_imports_nothing_heavy(self) -> None:
        script = (
            "import sys\nfrom translator import cli\ncli.execute(['--help'])\n"
            "heavy = {'numpy', 'onnx', 'onnxruntime', 'z3', 'rich'} & set(sys.modules)\nsys.exit(str(heavy) if heavy else 0)"
        )
        process = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (process.returncode, process.stderr) == (0, "")
        assert "translate" in process.stdout

    def test_usage(self, fom: Fom) -> None:
        assert fom("--help").code == 0
        assert fom().code == 2
        assert fom("--version").out.startswith("fom ")
        assert "error[T070]" in fom("transalte").err
        assert "error[T070]" in fom("translate").err
        assert "error[L080]" in fom("check", "out").err

    def test_a_bug_is_told_apart(self, fom: Fom, folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        def broken(*_: object) -> None:
            raise IndexError("no such thing")

        monkeypatch.setattr("translator.store.load", broken)
        found = fom("show", folders["majority"])
        assert found.code == 70
        assert "a bug in fom: please report" in found.err
        assert "IndexError" in found.err

    def test_a_closed_pipe_is_no_error(self, folders: dict[str, Path]) -> None:
        with start(["show", str(folders["majority"]), "--full"], ROOT) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == ""
            assert process.wait(timeout=20) == cli.OUTPUT_CLOSED

    @pytest.mark.parametrize(
        ("text", "amount"), [("8GB", 8 * 10**9), ("500 mb", 5 * 10**8), ("2GiB", 2 << 30), ("1.5k", 1500), ("77", 77)]
    )
    def test_memory(self, text: str, amount: int) -> None:
        assert options.parse_memory(text) == amount

    def test_no_memory(self) -> None:
        with pytest.raises(FomError, match="amount of memory"):
            options.parse_memory("8 apples")

    @pytest.mark.parametrize(
        ("number", "text"),
        [(0, "0"), (9_999_999, "9,999,999"), (10**7, "1.0e7"), (99_999_999, "1.0e8"), (12 * 10**3000, "1.2e3001")],
    )
    def test_magnitude(self, number: int, text: str) -> None:
        assert report.magnitude(number) == text


def test_card(folders: dict[str, Path]) -> None:
    """The card of a notebook is well-formed and escapes what it shows."""
    from xml.etree import ElementTree as ET

    translation = translate(folders["majority"] / "model.onnx", precision="fixed:5", alphabet="<,&", max_length=3)
    card = translation._repr_html_()
    ET.fromstring(card.replace("<br>", "<br/>"))
    assert "&lt; &amp;" in card
    assert "fixed:5" in card


def start(arguments: list[str], folder: Path) -> subprocess.Popen[str]:
    """Start fom as a program of its own."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "translator.cli", *arguments]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


class TestSentences:
    def test_files_are_laid_out_in_place(self, fom: Fom, tmp_path: Path) -> None:
        path = tmp_path / "spec.fom"
        path.write_text("letters a,b;\n-- at least half\nM x.a(x)\n")
        assert fom("fmt", "--check", path).code == 1
        assert fom("fmt", path).code == 0
        assert path.read_text() == "letters a, b;\n-- at least half\nM x. a(x)\n"
        assert fom("fmt", "--check", path).code == 0
        assert fom("fmt", tmp_path / "none.fom").code == 2

    def test_problems_for_other_provers(self, fom: Fom, folders: dict[str, Path]) -> None:
        found = fom("ground", "M x. a(x)", "--length", 2)
        assert (found.code, found.out.splitlines()[-1]) == (0, "(check-sat)")
        assert "tff(" in fom("ground", "M x. a(x)", "--format", "tptp").out
        assert "names" in fom("ground", folders["majority"], "--length", 100_000).err

    def test_other_forms_of_a_sentence(self, fom: Fom, tmp_path: Path) -> None:
        out = tmp_path / "out"
        model = EXAMPLES / "mlp_xor" / "model.onnx"
        choices = ["--inputs", model.with_name("inputs.npz"), "--precision", "fixed:4"]
        found = fom("translate", model, "-o", out, "--dialect", "majority", "--simplify", "--json", *choices)
        facts = json.loads(found.out)
        assert (facts["pure"]["dialect"], facts["simplified"]["proved"]) == ("majority", True)
        assert facts["pure"]["definitions"] > facts["sentence"]["definitions"] > facts["simplified"]["definitions"]
        assert set(facts["files"]) == {
            "model",
            "network",
            "family",
            "sentence",
            "pure",
            "simplified",
            "manifest",
            "report",
        }
        for name in ("sentence.majority.fom", "sentence.simplified.fom"):
            assert parse((out / name).read_text()).propositions
        assert not list(violations(parse((out / "sentence.majority.fom").read_text())))
        assert fom("verify", out, "--method", "compositional").code == 0
