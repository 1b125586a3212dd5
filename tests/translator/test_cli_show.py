"""``fom show``: overviews, single definitions, and what they mean in words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.translator.command_line import CHOICES, EXAMPLES, Fom
from translator.explaining import explain
from translator.pipeline import translate


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
