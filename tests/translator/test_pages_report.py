"""The page of a translation: sound HTML of bounded size, drawings that agree with network and family."""

from __future__ import annotations

import copy
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.circuit import instantiate
from circuits.matrices import identity
from circuits.network import Affine, Domain, Letters, Network, Node, Operand
from circuits.positions import Ref, var
from logic.printer import UNICODE, write
from logic.syntax import And, Call, Definition, Sentence, Truth
from tests.translator.page_reading import read, shown
from translator.pages import report_html
from translator.pages.depth_chart import gates_at_levels
from translator.pages.grouping import MOST_DRAWN, groups_of
from translator.pages.layering import columns_of, layered, settle
from translator.pages.network_drawing import network_drawing
from translator.pages.report_page import MOST_DEFINITIONS
from translator.pipeline import Translation, translate
from translator.report import manifest_of

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ("majority", "dyck1", "lenet_digits")


@cache
def made(name: str) -> tuple[Translation, dict[str, Any]]:
    """An example translated to 4 bits, with its manifest; little is measured."""
    longest = None if name == "lenet_digits" else 3
    translation = translate(EXAMPLES / name / "model.onnx", precision="fixed:4", max_length=longest)
    return translation, manifest_of(translation)


def report(name: str) -> str:
    translation, manifest = made(name)
    return report_html(manifest, translation.network, translation.family, translation.sentence)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_is_sound_small_and_says_what_was_built(name: str) -> None:
    translation, _ = made(name)
    page = report(name)
    said = shown(page)
    assert len(page) < 3_000_000
    assert page == report(name)
    assert f"depth {translation.family.depth}" in said
    for node in translation.network.nodes:
        assert f"{node.name}: {type(node).__name__}" in said
    definitions = translation.sentence.definitions
    assert page.count("<details>") == 2 + min(len(definitions), MOST_DEFINITIONS)
    assert f"{len(definitions) - MOST_DEFINITIONS:,} more in sentence.fom" in said
    assert f"{translation.fidelity.agree:,} of {translation.fidelity.inputs:,} decisions agree" in said


def test_hashes_are_shown_once_they_are_known() -> None:
    translation, manifest = made("majority")
    known = copy.deepcopy(manifest)
    known["hashes"] = {"sentence.fom": "0123abcd"}
    page = report_html(known, translation.network, translation.family, translation.sentence)
    assert "sentence.fom 0123abcd" in " ".join(shown(page.replace("</td>", " </td>")).split())
    assert "SHA-256" not in report("majority")


def test_names_with_signs_of_html_are_escaped() -> None:
    translation, manifest = made("majority")
    odd = copy.deepcopy(manifest)
    odd["model"], odd["notes"], odd["alphabet"] = "<m>/x&y.onnx", ["<n> & 'x'"], ["<b>", '"']
    sentence = Sentence(("<b>",), (), (Definition("p", (), Truth(True), "<c> & more"),), Call("p"))
    page = report_html(odd, translation.network, translation.family, sentence)
    assert not {"m", "n", "c", "b"} & {tag for tag, _ in read(page).tags}
    for part in ("<m>/x&y.onnx", "<n> & 'x'", "<c> & more", '<b> "'):
        assert part in shown(page)


def test_long_definitions_are_cut_and_short_ones_are_not() -> None:
    translation, manifest = made("majority")
    count = 3_000
    long = Definition("long", (), And(tuple(Call(f"p{number}") for number in range(count))))
    short = Definition("short", (), Call("p0") | Call("p1"))
    sentence = Sentence((), tuple(f"p{number}" for number in range(count)), (short, long), Call("long"))
    said = shown(report_html(manifest, translation.network, translation.family, sentence))
    assert write(short.body, UNICODE) in said
    assert f"p{count - 1}" in write(long.body, UNICODE)
    assert "..." in said
    assert "2 of 2 definitions" in said


@pytest.mark.parametrize("name", NAMES)
def test_the_chart_counts_every_gate(name: str) -> None:
    translation, _ = made(name)
    for n in (1,) if name == "lenet_digits" else (1, 3):
        circuit = instantiate(translation.family, n)
        assert sum(gates_at_levels(translation.family, n)) == circuit.n_gates


@pytest.mark.parametrize("name", NAMES)
def test_the_drawing_marks_every_rounding_point(name: str) -> None:
    translation, manifest = made(name)
    drawing = read(network_drawing(translation.network))
    kinds = [str(attributes.get("class")).split() for tag, attributes in drawing.tags if tag == "rect"]
    assert len(kinds) == len(translation.network.nodes)
    assert sum("answer" in kind for kind in kinds) == 1
    assert sum(tag == "circle" for tag, _ in drawing.tags) == manifest["network"]["roundings"]


def chain(names: list[str]) -> Network:
    """A network in which every node reads the one before, and the first but one also the letters."""
    nodes: list[Node] = [Letters("tokens", 2)]
    for name in names:
        sources = dict.fromkeys([nodes[-1].name, "tokens"])
        operands = tuple(Operand(Ref(source, (var(0),)), identity(2)) for source in sources)
        zeros = np.zeros(2, dtype=np.int64)
        nodes.append(Affine(name, 1, 2, operands, zeros, zeros, 0))
    return Network(tuple(nodes), None, Domain(), ("a", "b"))


@pytest.mark.parametrize(
    ("names", "count", "last"),
    [
        ([f"b{i}.m{i % 3}.x" for i in range(20)], 21, "b19.m1.x"),
        ([f"b{i // 40}.m{i // 5}.x{i}" for i in range(400)], 81, "b9.m79"),
        ([f"b{i // 40}.m{i}.x" for i in range(400)], 11, "b9"),
        ([f"x{i}" for i in range(500)], 126, "x499"),
    ],
)
def test_large_networks_are_drawn_in_groups(names: list[str], count: int, last: str) -> None:
    network = chain(names)
    groups = groups_of(network)
    assert len(groups) == count <= MOST_DRAWN
    assert groups[-1].name == last
    assert [node for group in groups for node in group.nodes] == list(network.nodes)
    for number, group in enumerate(groups):
        assert group.reads == tuple(sorted({0, number - 1} if number else ()))
    read(network_drawing(network))


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[int, ...]]:
    """What each box reads: earlier ones."""
    count = draw(st.integers(1, 25))
    return [
        tuple(sorted(draw(st.sets(st.integers(0, number - 1), max_size=3)))) if number else ()
        for number in range(count)
    ]


@settings(max_examples=50)
@given(graphs())
def test_boxes_do_not_overlap_and_edges_lead_to_the_right(reads: list[tuple[int, ...]]) -> None:
    placed = layered(reads, 10, 2)
    for number, sources in enumerate(reads):
        assert all(placed.column[source] < placed.column[number] for source in sources)
    for source, target in placed.links:
        assert source[1] + 1 == target[1]
    joined: dict[tuple[int, int], set[int]] = {}
    for source, target in placed.links:
        if placed.column[target[0]] == target[1]:
            joined.setdefault(target, set()).add(source[0])
    assert {target[0]: found for target, found in joined.items()} == {k: set(r) for k, r in enumerate(reads) if r}
    for at in range(placed.n_columns):
        row = sorted((middle, place) for place, middle in placed.middle.items() if place[1] == at)
        half = [5 if placed.column[place[0]] == at else 1 for _, place in row]
        for ((above, _), (below, _)), (first, second) in zip(pairwise(row), pairwise(half), strict=True):
            assert below - above >= first + second - 1e-6


def test_what_reads_nothing_stands_before_its_first_reader() -> None:
    assert columns_of([(), (0,), (1,), (), (2, 3), (3, 4), ()]) == [0, 1, 2, 2, 3, 4, 0]


@given(st.lists(st.integers(-20, 20), min_size=1, max_size=6))
def test_settled_heights_are_the_nearest_that_do_not_overlap(wishes: list[int]) -> None:
    """Isotonic regression by its formula: the maximum over starts of the minimum over ends of the means in between."""
    row = [(number, 0) for number in range(len(wishes))]
    middle: dict[tuple[int, int], float] = {}
    settle(row, dict(zip(row, map(float, wishes), strict=True)), dict.fromkeys(row, 3.0), middle)
    free = [wish - 3 * number for number, wish in enumerate(wishes)]
    for k in range(len(free)):
        best = max(min(float(np.mean(free[i : j + 1])) for j in range(k, len(free))) for i in range(k + 1))
        assert middle[k, 0] == pytest.approx(best + 3 * k)
