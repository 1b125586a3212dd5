"""``fom translate``: its report, what it leaves on disk, and what it refuses."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest

from circuits.circuit import instantiate
from logic.parser import parse
from logic.pure import violations
from tests.bad_inputs import BAD_INPUTS
from tests.translator.command_line import EXAMPLES, Fom, start
from translator import store, terminal
from translator.pipeline import translate

FILES = {"manifest.json", "model.onnx", "network.jsonl", "family.jsonl", "sentence.fom", "report.html"}


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


def test_card(folders: dict[str, Path]) -> None:
    """The card of a notebook is well-formed and escapes what it shows."""
    from xml.etree import ElementTree as ET

    translation = translate(folders["majority"] / "model.onnx", precision="fixed:5", alphabet="<,&", max_length=3)
    card = translation._repr_html_()
    ET.fromstring(card.replace("<br>", "<br/>"))
    assert "&lt; &amp;" in card
    assert "fixed:5" in card
