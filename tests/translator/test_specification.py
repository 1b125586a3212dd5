"""Specifications of several classes: every failure is found, and only failures, against a brute force over all words."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from logic.verdicts import Refuted
from translator.claims import report_facts, report_lines
from translator.cli import execute
from translator.pipeline import translate
from translator.sides import Sides
from translator.specification import read_specification
from translator.store import Artifacts, load
from translator.verification import verify
from translator.verifying.question import Report

FOLDER = Path("examples/modular_addition")
SUMS = "~f(1) & ~f(2) & f(3)"
FIRST = "let class[0] := a(1); let class[1] := b(1); let class[2] := c(1); true"


@pytest.fixture(scope="module")
def first_letter(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    folder = tmp_path_factory.mktemp("first") / "out"
    translate("examples/first_letter/model.onnx", precision="fixed:4", max_length=3).save(folder)
    return load(folder)


@pytest.fixture(scope="module")
def sums(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    folder = tmp_path_factory.mktemp("sums") / "out"
    translate(FOLDER / "model.onnx", where=SUMS).save(folder)
    return load(folder)


def words_up_to(letters: str, longest: int) -> list[tuple[str, ...]]:
    return [word for n in range(1, longest + 1) for word in product(letters, repeat=n)]


def decided(artifacts: Artifacts, word: tuple[str, ...]) -> int:
    numbers = np.array([[artifacts.network.alphabet.index(letter) for letter in word]])
    return int(Sides(artifacts).decide("network", numbers)[0])


def failures(report: Report) -> list[str]:
    assert report.failures is not None
    return [found.word for found in report.failures]


class TestModularAddition:
    def test_the_network_adds(self, sums: Artifacts) -> None:
        report = verify(sums, against=str(FOLDER / "spec.fom"), where=SUMS, max_length=3)
        assert (report.verdict, report.failures) == ("holds", None)
        (claim,) = report.claims
        assert (claim.left, claim.right, claim.scope) == ("network", "spec", f"n = 1..3, where {SUMS}")

    def test_every_length_of_the_domain(self, sums: Artifacts) -> None:
        """The file has three positions: words of up to three letters are all there are, of up to two they are not."""
        spec = str(FOLDER / "spec.fom")
        report = verify(sums, against=spec, where=SUMS, all_lengths=True)
        assert (report.verdict, report.scope) == ("holds", f"n = 1..3, where {SUMS}")
        asked: dict[str, Any] = {
            "against": "class[0] := n = 9",
            "where": "e(1) & f(2)",
            "max_length": 2,
            "all_lengths": True,
        }
        short = verify(sums, method="exhaustive", **asked)
        assert (short.verdict, short.scope) == ("unknown", "every length")

    def test_all_sides_add(self, sums: Artifacts) -> None:
        pairs = np.array([[a, b, 5] for a in range(5) for b in range(5)])
        for side in ("onnx", "network", "circuit", "sentence"):
            assert (Sides(sums).decide(side, pairs) == pairs[:, :2].sum(1) % 5).all(), side

    def test_without_the_domain_words_that_are_no_sums_fail(self, sums: Artifacts) -> None:
        report = verify(sums, against=str(FOLDER / "spec.fom"), max_length=3, list_failures=True)
        assert report.verdict == "refuted"
        wrong = {" ".join(w) for w in words_up_to("abcdef", 3) if len(w) < 2 or "f" in w[:2]}
        assert wrong <= set(failures(report))
        assert not any(word.endswith(" f") and word not in wrong for word in failures(report))

    def test_the_bundled_specification_is_what_the_script_writes(self) -> None:
        made = subprocess.run(
            [sys.executable, str(FOLDER / "make_spec.py"), "5"], capture_output=True, text=True, check=True
        )
        assert made.stdout == (FOLDER / "spec.fom").read_text(encoding="utf-8")

    def test_letters_of_any_name(self, tmp_path: Path) -> None:
        made = subprocess.run(
            [sys.executable, str(FOLDER / "make_spec.py"), "5", "0,1,2,3,4,="],
            capture_output=True,
            text=True,
            check=True,
        )
        (tmp_path / "spec.fom").write_text(made.stdout, encoding="utf-8")
        made_of = translate(FOLDER / "model.onnx", precision="fixed:11", alphabet="0,1,2,3,4,=", max_length=1)
        spec = read_specification(str(tmp_path / "spec.fom"), made_of.network)
        words = np.array(list(product(range(6), repeat=3)))
        truth = spec.truth(words)
        adds = (words[:, :2] < 5).all(1)
        assert (truth.sum(axis=1) == adds).all()
        assert (truth[adds].argmax(axis=1) == words[adds, :2].sum(1) % 5).all()


class TestClasses:
    def test_every_failure_is_listed_and_nothing_else(self, first_letter: Artifacts) -> None:
        wrong = "let class[0] := a(1) & n = 1; let class[1] := b(n); let class[2] := c(1); true"
        report = verify(first_letter, against=wrong, max_length=3, list_failures=True)
        expected = []
        for word in words_up_to("abc", 3):
            holding = [word[0] == "a" and len(word) == 1, word[-1] == "b", word[0] == "c"]
            if holding != [decided(first_letter, word) == number for number in range(3)]:
                expected.append(" ".join(word))
        assert failures(report) == expected
        assert len(expected) > 10
        (claim,) = report.claims
        assert isinstance(claim.verdict, Refuted)
        shown = claim.verdict.counterexample
        assert shown.word == expected[0]
        assert {"onnx", "network", "circuit", "sentence", "spec"} == set(shown.decisions)
        assert shown.decisions["network"] == shown.decisions["circuit"] == shown.decisions["sentence"]
        assert any(note == f"{len(expected)} of 39 inputs fail" for note in report.notes)

    def test_the_right_one_holds(self, first_letter: Artifacts) -> None:
        right = [decided(first_letter, word) == "abc".index(word[0]) for word in words_up_to("abc", 3)]
        report = verify(first_letter, against=FIRST, max_length=3, list_failures=True)
        assert report.verdict == ("holds" if all(right) else "refuted")
        assert len(failures(report)) == right.count(False)

    def test_a_sentence_of_a_translation_is_a_specification(self, first_letter: Artifacts) -> None:
        own = first_letter.folder / "sentence.fom"
        assert verify(first_letter, against=str(own), max_length=3).verdict == "holds"

    def test_no_class_and_two_classes_are_met_by_no_network(self, first_letter: Artifacts) -> None:
        both = "let class[0] := true; let class[1] := b(1); let class[2] := c(1); true"
        report = verify(first_letter, against=both, max_length=1, list_failures=True)
        assert failures(report) == ["b", "c"]
        assert report.failures is not None
        assert [found.decisions["spec"] for found in report.failures] == [[0, 1], [0, 2]]

    @pytest.mark.parametrize(("against", "verdict"), [("class[2] := c(1)", "holds"), ("class[2] := c(n)", "refuted")])
    def test_one_class_alone(self, first_letter: Artifacts, against: str, verdict: str) -> None:
        report = verify(first_letter, against=against, max_length=2)
        assert (report.verdict, report.scope) == (verdict, "n = 1..2, class 2 only")

    def test_two_classes_by_name(self) -> None:
        made = translate("examples/majority/model.onnx", precision="fixed:5", max_length=4)
        named = "let class[0] := ~M x. b(x); let class[1] := M x. b(x); true"
        assert made.verify(against=named, max_length=4).verdict == "holds"
        assert made.verify(against="class[0] := M x. b(x)", max_length=4).verdict == "refuted"

    def test_every_position(self) -> None:
        made = translate("examples/more_a/model.onnx", precision="fixed:4", max_length=3)
        more = "#y[y <= x & a(y)] - #y[y <= x & b(y)] >= 1"
        one = made.verify(against=more, max_length=3, list_failures=True)
        two = made.verify(against=f"class[1](x) := {more}", max_length=3, list_failures=True)
        assert one.verdict == two.verdict
        assert failures(one) == failures(two)
        wrong = made.verify(against="class[1](x) := a(x)", max_length=2, list_failures=True)
        assert failures(wrong) == ["b a"]

    @pytest.mark.parametrize(
        ("against", "code"),
        [
            ("a(1)", "T065"),
            ("class[3] := a(1)", "T066"),
            ("class[0](x) := a(x)", "T065"),
            ("let class[0] := a(1); let class[1] := b(1); a(n)", "T066"),
            ("class[0] := d(1)", "T016"),
            ("class[0] := (", "L00"),
        ],
    )
    def test_what_does_not_fit_is_refused(self, first_letter: Artifacts, against: str, code: str) -> None:
        with pytest.raises(FomError, match=code):
            verify(first_letter, against=against)

    def test_a_list_needs_a_specification(self, first_letter: Artifacts) -> None:
        with pytest.raises(FomError, match="T061"):
            verify(first_letter, list_failures=True)


class TestReport:
    def test_json(self, first_letter: Artifacts) -> None:
        report = verify(first_letter, against="class[0] := a(n)", max_length=2, list_failures=True)
        facts = json.loads(json.dumps(report_facts(report, ())))
        assert facts["verdict"] == "refuted"
        assert facts["claims"][0]["counterexample"]["word"] == facts["failures"][0]["word"] == "a b"
        assert {"left", "right", "scope", "method", "verdict"} <= set(facts["claims"][0])
        assert facts["failures"][0]["decisions"] == {"spec": [], "network": 0, "onnx": 0}
        unlisted = report_facts(verify(first_letter, against="class[0] := a(n)", max_length=2), ())
        assert "failures" not in unlisted

    def test_lines(self, first_letter: Artifacts) -> None:
        report = verify(first_letter, against="class[0] := a(n)", max_length=2, list_failures=True)
        text = "\n".join("".join(part for part, _ in line) for line in report_lines(report))
        assert all(word in text for word in ("a b ", "b a ", "a c ", "c a "))
        assert "4 of 12 inputs fail" in text

    def test_command_line(self, first_letter: Artifacts, capsys: pytest.CaptureFixture[str]) -> None:
        question = ["--against", "class[0] := a(n)", "--max-length", "2", "--list"]
        assert execute(["verify", str(first_letter.folder), *question]) == 1
        assert "4 of 12 inputs fail" in capsys.readouterr().out
