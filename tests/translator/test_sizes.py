"""One description for every length: depth does not grow, sizes are the printed polynomials, and nothing is built from n."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from circuits.circuit import instantiate
from circuits.family_text import family_to_text
from circuits.sizes import Polynomial
from circuits.words import all_words
from logic.printer import to_ascii
from tests.translator.tiny_transformers import Shape, save
from translator.pipeline import Translation, translate

EXAMPLES = {"majority": 3, "cls_majority": 4, "more_a": 2, "first_letter": 3}
LENGTHS = (4, 16, 64)
CAUSAL = Shape(layers=2, heads=2, norm="pre", causal=True, readout="last")


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Translation]:
    """Examples, and a random causal transformer of two layers, at low precision."""

    def make(name: str) -> Translation:
        if name in EXAMPLES:
            return translate(f"examples/{name}/model.onnx", precision=f"fixed:{EXAMPLES[name]}", max_length=4)
        return translate(save(CAUSAL, tmp_path_factory.mktemp(name)), precision="fixed:2", max_length=4)

    return cache(make)


def evaluated(text: str, n: int) -> int:
    """The value of a printed polynomial: its numbers and powers are read, nothing is imported from its class."""
    source = re.sub(r"\^", "**", text)
    assert re.fullmatch(r"[-+*/()n 0-9]+", source)
    value = eval(source, {"n": n})
    assert value == int(value)
    return int(value)


@pytest.mark.parametrize("name", [*EXAMPLES, "causal"])
def test_depth_and_sizes(translated: Callable[[str], Translation], name: str) -> None:
    translation = translated(name)
    most = translation.network.domain.most
    gates, wires = translation.sizes["gates"], translation.sizes["wires"]
    for n in LENGTHS:
        if most is not None and n > most:
            continue
        circuit = instantiate(translation.family, n)
        assert circuit.depth == translation.family.depth
        assert circuit.n_gates == evaluated(str(gates), n) == translation.family.gates(n)
        if n <= 16 or name != "causal":
            assert circuit.n_wires == evaluated(str(wires), n) == translation.family.wires(n)


@pytest.mark.parametrize("depth", ["compact", "balanced", "shallow"])
def test_depth_is_the_same_from_the_shortest_word_on(depth: str) -> None:
    translation = translate("examples/majority/model.onnx", precision="fixed:3", max_length=3, depth=depth)
    depths = {instantiate(translation.family, n).depth for n in (2, 3, 5, 9)}
    assert depths == {translation.family.depth}


def test_shallower_choices_are_shallower() -> None:
    found = [
        translate("examples/majority/model.onnx", precision="fixed:4", max_length=3, depth=depth).family.depth
        for depth in ("compact", "balanced", "shallow")
    ]
    assert found == sorted(found, reverse=True)
    assert found[0] > found[-1]


def test_family_and_sentence_do_not_depend_on_the_lengths_tried(tmp_path: Path) -> None:
    words = np.concatenate(list(all_words(2, 5)))
    np.savez(tmp_path / "inputs.npz", tokens=words)
    texts = set()
    for longest in (3, 9):
        translation = translate(
            "examples/majority/model.onnx", precision="fixed:5.2", inputs=tmp_path / "inputs.npz", max_length=longest
        )
        texts.add((family_to_text(translation.family), to_ascii(translation.sentence)))
    assert len(texts) == 1


def test_instances_change_nothing() -> None:
    translation = translate("examples/majority/model.onnx", precision="fixed:3", max_length=3)
    before = family_to_text(translation.family), to_ascii(translation.sentence)
    for n in (1, 5, 12):
        translation.circuit(n)
    assert (family_to_text(translation.family), to_ascii(translation.sentence)) == before


def test_a_polynomial_prints_as_it_counts() -> None:
    from fractions import Fraction

    polynomial = Polynomial((Fraction(0), Fraction(-1, 2), Fraction(3, 2)))
    assert str(polynomial) == "(3*n^2 - n)/2"
    assert [polynomial(n) for n in (1, 2, 5)] == [evaluated(str(polynomial), n) for n in (1, 2, 5)]
