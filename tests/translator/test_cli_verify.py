"""``fom verify``: verdicts, exit codes, and edited files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.translator.command_line import CHOICES, EXAMPLES, Fom


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
