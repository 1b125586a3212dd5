"""Rounds of division beside the other sides, and circuits of sentences that were typed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.division import Divider
from translator import answering, cli
from translator.pipeline import translate
from translator.sentence_circuits import circuit_of_file, decide_by_division, family_of_file
from translator.sides import Sides
from translator.store import load

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture
def folder(folders: dict[str, Path]) -> Path:
    """A translation of a small network of words."""
    return folders["majority"]


def test_divisions_decide_as_the_network(folder: Path) -> None:
    sides = Sides(load(folder))
    for n in (1, 2, 5):
        words = np.random.default_rng(n).integers(0, 2, (6, n))
        assert sides.decide("division", words).tolist() == sides.decide("network", words).tolist()
        assert sides.outputs("division", words) == sides.outputs("circuit", words)
    assert sides.divider_at(5).divisions.count == sides.family.depth


def test_the_command_says_how_many_divisions(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    assert cli.execute(["run", str(folder), "--as", "division", "--word", "a b b"]) == 0
    decision, divisions = capfd.readouterr().out.splitlines()
    assert decision == "1"
    depth = load(folder).family.depth
    assert divisions.startswith(f"{depth} divisions, one for each level of gates: dividends of ")
    assert cli.execute(["run", str(folder), "--as", "division", "--word", "a b b", "--json"]) == 0
    data = json.loads(capfd.readouterr().out)
    expected = Divider(Sides(load(folder)).circuit_at(3)).divisions
    assert (data["as"], data["decisions"]) == ("division", [1])
    assert data["divisions"] == {
        "count": depth,
        "dividend_bits": list(expected.dividend_bits),
        "divisor_bits": list(expected.divisor_bits),
    }


def test_other_sides_name_no_divisions(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    capfd.readouterr()
    assert cli.execute(["run", str(folder), "--as", "circuit", "--word", "a b b", "--json"]) == 0
    assert "divisions" not in json.loads(capfd.readouterr().out)


def test_of_several_words_the_longest_is_named(folder: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "words.npz", tokens=np.array([[1, 1, 0, 0], [0, -1, -1, -1], [1, 0, 1, -1]]))
    sides = Sides(load(folder))
    answers = answering.answer(sides, "division", answering.cases_of_file(sides, tmp_path / "words.npz"))
    assert answers.decisions == [1, 0, 1]
    assert answers.divisions == Divider(sides.circuit_at(4)).divisions
    assert "divisions" in str(answering.answer_lines(answers)[-1])


def test_a_network_of_numbers() -> None:
    sides = Sides(translate(EXAMPLES / "mlp_xor" / "model.onnx"))
    inputs = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    assert sides.decide("division", inputs).tolist() == sides.decide("network", inputs).tolist()


def test_a_sentence_by_division(tmp_path: Path) -> None:
    """A sentence that was typed, or its file, as a family, a circuit and divisions."""
    path = tmp_path / "parity.fom"
    path.write_text("letters a, b; exists k. #i[b(i)] = k & bit(k, 1)", encoding="utf-8")
    family = family_of_file(str(path))
    assert (family.alphabet, family.depth) == (("a", "b"), 3)
    for word in ("a", "b", "bb", "abba", "babab", "a b a"):
        decisions, divisions = decide_by_division(str(path), word)
        assert decisions == [word.count("b") % 2]
        assert divisions.count == 3
    assert decide_by_division("#y[y <= x & a(y)] >= 2", "abaa", "a,b")[0] == [0, 0, 1, 1]
    assert circuit_of_file("M x. b(x)", 7).n_gates == 1


@pytest.mark.parametrize(
    ("formula", "alphabet", "code"),
    [
        ("missing.fom", None, "T015"),
        ("a(1", None, "L001"),
        ("a(x) & a(y)", None, "L014"),
        ("c(1)", "a,b", "T016"),
        ("let a(x) := b(x); a(1)", "a,b", "L015"),
        ("n = 3", None, "L064"),
        ("#x[a(x) : x] >= 3", None, "L063"),
    ],
)
def test_sentences_without_a_family(formula: str, alphabet: str | None, code: str) -> None:
    with pytest.raises(FomError) as caught:
        family_of_file(formula, alphabet)
    assert caught.value.diagnostics[0].code == code


def test_words_that_are_not_read() -> None:
    with pytest.raises(FomError, match="T011"):
        decide_by_division("a(1)", "abc", "a,b")
    with pytest.raises(FomError, match="C020"):
        decide_by_division("a(1)", "")
    with pytest.raises(FomError, match="T077"):
        decide_by_division("p & q", "a")
    with pytest.raises(FomError, match="C020"):
        circuit_of_file("a(1)", 0)
