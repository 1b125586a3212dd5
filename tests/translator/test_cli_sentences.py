"""``fom eval``, ``fom fmt`` and ``fom ground``: sentences without a network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.translator.command_line import Fom


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
