"""Showing: from a weight of the ONNX file to the sentence and back."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.network import Affine, Letters
from translator import showing, store
from translator.file_weights import FileWeights
from translator.pipeline import translate
from translator.reading.loading import load

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> showing.Shown:
    folder = tmp_path_factory.mktemp("showing") / "majority"
    translate(EXAMPLES / "majority" / "model.onnx", precision="fixed:5").save(folder)
    return showing.Shown(store.load(folder), "ascii", full=False)


def text_of(shown: showing.Shown, name: str) -> str:
    return "\n".join("".join(text for text, _ in line) for line in showing.details(shown, name))


def test_every_weight_that_is_named_agrees_with_the_file(shown: showing.Shown) -> None:
    """The file is read again, and each map is multiplied out by hand."""
    tensors = load(EXAMPLES / "majority" / "model.onnx").constants
    maps = shown.file_weights.maps
    assert {tensor.name for tensor in maps.values()} >= {"val_3", "blocks.0.attention.query.bias", "embedding.weight"}
    for (name, source), found in maps.items():
        node = shown.network.by_name[name]
        assert isinstance(node, Affine)
        for row in range(node.size):
            if not source:
                assert abs(node.const[row] / 2**node.frac - tensors[found.name][found.entry(row, None)]) < 2**-6
                continue
            operand = next(one for one in node.operands if one.ref.node == source)
            unit = 2.0 ** (shown.network.frac(source) - node.frac)
            base = node.const[row] if isinstance(shown.network.by_name[source], Letters) else 0
            for column, weight in enumerate(operand.matrix.toarray()[row]):
                assert abs((weight + base) * unit - tensors[found.name][found.entry(row, column)]) < 2**-6


def test_from_the_file_to_the_sentence_and_back(shown: showing.Shown) -> None:
    there = text_of(shown, "val_3[3,5]")
    assert "is the weight of `embedding[3]` in `blocks0.attention.query[5]`" in there
    back = text_of(shown, "blocks0.attention.query[5]")
    number = load(EXAMPLES / "majority" / "model.onnx").constants["val_3"][3, 5]
    assert f"val_3[3, 5] = {number:.6g}" in back
    integer = re.search(r"([+-]?) ?(\d+)\*embedding\[3\]\(x\)", back)
    assert integer is not None
    assert abs(int(integer[1] + integer[2]) / 2**11 - number) <= 2**-11
    assert "blocks.0.attention.query.bias[5]" in text_of(shown, "blocks.0.attention.query.bias[5]")


def test_a_bit_says_when_it_is_true(shown: showing.Shown) -> None:
    text = re.sub(r"\s+", " ", text_of(shown, "blocks0.attention.score.r[0].3"))
    assert "bit 3 of word `blocks0.attention.score.r` element 0" in text
    assert "one step is 2^-13" in text
    definition = shown.definitions["blocks0.attention.score.r[0].3"]
    assert f"reaches {definition.body.bound:,} * 2^-25" in text  # type: ignore[union-attr]


def test_what_is_no_weight(shown: showing.Shown) -> None:
    assert "no linear map has its numbers" in text_of(shown, "val_27")
    with pytest.raises(FomError, match="T073"):
        text_of(shown, "val_3[8,0]")
    with pytest.raises(FomError, match=r"embedding\.weight"):
        text_of(shown, "embedding.weigth")


def test_a_tensor_with_other_numbers_is_not_named(shown: showing.Shown) -> None:
    weights = FileWeights(shown.artifacts.model, shown.network)
    numbers = np.array(weights.tensors["val_3"])
    numbers[0, 0] += 0.1
    weights.tensors["val_3"] = numbers
    assert "val_3" not in {tensor.name for tensor in weights.maps.values()}


def test_latex_of_an_excerpt_and_of_a_name(shown: showing.Shown) -> None:
    assert "more definitions" in showing.latex(shown, None)
    text = showing.latex(shown, "class")
    assert text.startswith("\\begin{align*}\n")
    assert text.count(r"\mathsf{class[") == 2
