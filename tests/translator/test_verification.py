"""Claims, scopes and verdicts: what is said to hold was shown on the scope named, and what was not shown is unknown."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from logic.verdicts import Claim, Holds, Refuted, Unknown
from tests.translator.test_pipeline import linear_model
from tests.translator.tiny_transformers import Shape, save
from translator.claims import EXIT_CODES
from translator.pipeline import translate
from translator.sides import Sides
from translator.store import Artifacts, load
from translator.verification import verify
from translator.verifying.question import Report

MORE = "#y[y <= x & a(y)] - #y[y <= x & b(y)] >= 1"
MAJORITY = "M x. b(x)"

Folders = Callable[[str], Path]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folders:
    """Translations by name, made when first asked for."""

    def make(name: str) -> Path:
        base = tmp_path_factory.mktemp(name)
        options: dict[str, Any] = {"precision": "fixed:4"}
        if name == "mean":
            model = linear_model(base, np.array([[0.5, -0.25], [-1.0, 0.75]]), np.array([0.1, 0.2]))
            options["max_length"] = 4
        elif name == "tiny":
            model = save(Shape(width=2, seed=5), base)
            options |= {"precision": "fixed:2", "max_length": 3}
        else:
            model = Path(f"examples/{name}/model.onnx")
            if name == "mlp_xor":
                options |= {"precision": "fixed:6", "inputs": Path("examples/mlp_xor/inputs.npz")}
            elif name == "majority":
                options["precision"] = "fixed:5"
        translate(model, **options).save(base / "out")
        return base / "out"

    return cache(make)


def with_formula(folder: Path, base: Path, change: Callable[[str], str]) -> Artifacts:
    """A copy of a folder whose sentence has another last formula."""
    shutil.copytree(folder, base / "edited")
    path = base / "edited" / "sentence.fom"
    body, formula = path.read_text().rstrip("\n").rsplit("\n", 1)
    path.write_text(f"{body}\n{change(formula)}\n")
    return load(base / "edited")


def found(report: Report, method: str) -> list[Claim]:
    return [claim for claim in report.claims if claim.method == method]


def test_exit_codes() -> None:
    assert EXIT_CODES == {"holds": 0, "refuted": 1, "unknown": 3}


class TestMethods:
    def test_by_default_both_methods_answer(self, folder: Folders) -> None:
        report = verify(load(folder("majority")), max_length=4)
        assert (report.verdict, report.scope) == ("holds", "n = 1..4")
        pairs = [("network", "circuit"), ("circuit", "sentence")]
        for method, scope in (("exhaustive", "n = 1..4"), ("compositional", "every length n")):
            claims = found(report, method)
            assert [(claim.left, claim.right) for claim in claims] == pairs
            assert {claim.scope for claim in claims} == {scope}
            assert {claim.word for claim in claims} == {"holds"}
        for claim in found(report, "compositional"):
            assert isinstance(claim.verdict, Holds)
            assert claim.verdict.proof is not None
            assert claim.verdict.proof.complete
            assert claim.verdict.proof.lemmas

    def test_exhaustive(self, folder: Folders) -> None:
        report = verify(load(folder("majority")), max_length=5, method="exhaustive")
        assert report.verdict == "holds"
        assert {claim.method for claim in report.claims} == {"exhaustive"}
        assert any(note.startswith("62 inputs compared") for note in report.notes)

    def test_words_do_not_prove_every_length(self, folder: Folders) -> None:
        report = verify(load(folder("majority")), max_length=4, method="exhaustive", all_lengths=True)
        assert (report.verdict, report.scope) == ("unknown", "every length")
        assert {claim.scope for claim in report.claims} == {"n = 1..4"}

    def test_lemmas_prove_every_length(self, folder: Folders) -> None:
        report = verify(load(folder("majority")), method="compositional", all_lengths=True)
        assert (report.verdict, report.scope) == ("holds", "every length")

    def test_unknown_methods_and_empty_scopes_are_refused(self, folder: Folders) -> None:
        with pytest.raises(FomError, match=r"T061"):
            verify(load(folder("majority")), method="guess")
        with pytest.raises(FomError, match=r"T063"):
            verify(load(folder("majority")), max_length=0)

    def test_a_bounded_domain_is_said(self, folder: Folders) -> None:
        report = verify(load(folder("first_letter")), max_length=3)
        assert {claim.scope for claim in found(report, "compositional")} == {"every n in the domain (n <= 16)"}
        assert report.scope == "n = 1..3"

    def test_static_networks(self, folder: Folders) -> None:
        """Too many inputs to try them all: a sample proves nothing, the lemmas do."""
        report = verify(load(folder("mlp_xor")))
        assert (report.verdict, report.scope) == ("holds", "every input")
        assert not found(report, "exhaustive")
        assert any("proves nothing by itself" in note for note in report.notes)


class TestMonolithic:
    def test_a_small_network(self, folder: Folders) -> None:
        report = verify(load(folder("mean")), max_length=3, method="monolithic", timeout_s=60)
        assert report.verdict == "holds"
        assert [(c.left, c.right, c.scope) for c in report.claims] == [("network", "sentence", "n = 1..3")]

    def test_it_does_not_answer_for_every_length(self, folder: Folders) -> None:
        report = verify(load(folder("mean")), max_length=2, method="monolithic", all_lengths=True)
        assert report.verdict == "unknown"
        assert {claim.scope for claim in report.claims} == {"n = 1..2"}

    def test_no_time_is_unknown(self, folder: Folders) -> None:
        report = verify(load(folder("tiny")), max_length=4, method="monolithic", timeout_s=0.001)
        assert report.verdict == "unknown"
        last = report.claims[-1].verdict
        assert isinstance(last, Unknown)
        assert last.reason

    def test_a_refutation_is_replayed(self, folder: Folders, tmp_path: Path) -> None:
        edited = with_formula(folder("mean"), tmp_path, lambda formula: f"{formula} & ~(n = 2)")
        report = verify(edited, max_length=3, method="monolithic")
        assert report.verdict == "refuted"
        verdict = report.claims[-1].verdict
        assert isinstance(verdict, Refuted)
        assert len(verdict.counterexample.word.split()) == 2
        assert verdict.counterexample.decisions["sentence"] == 1
        assert verdict.counterexample.decisions["formula"] is False

    def test_another_decision_bit_as_the_last_formula(self, folder: Folders, tmp_path: Path) -> None:
        edited = with_formula(folder("mean"), tmp_path, lambda formula: formula.replace("[1]", "[0]"))
        assert verify(edited, max_length=2, method="monolithic").verdict == "refuted"

    def test_a_difference_outside_of_the_words_considered(self, folder: Folders, tmp_path: Path) -> None:
        edited = with_formula(folder("mean"), tmp_path, lambda formula: f"{formula} & ~(n = 2)")
        report = verify(edited, max_length=3, method="monolithic", where="~(n = 2)")
        assert report.verdict == "unknown"
        assert verify(edited, max_length=3, method="exhaustive", where="~(n = 2)").verdict == "holds"


class TestSpecification:
    def test_the_task_of_the_example(self, folder: Folders) -> None:
        report = verify(load(folder("majority")), against=MAJORITY, max_length=8)
        assert (report.verdict, report.scope) == ("holds", "n = 1..8")
        assert [(c.left, c.right, c.scope) for c in report.claims] == [("network", "spec", "n = 1..8")]

    def test_without_a_length_every_length_is_asked_for(self, folder: Folders) -> None:
        report = verify(load(folder("majority")), against=MAJORITY)
        assert (report.verdict, report.scope) == ("refuted", "every length n")
        (claim,) = report.claims
        assert isinstance(claim.verdict, Refuted)
        assert len(claim.verdict.counterexample.word.split()) == 11

    @pytest.mark.parametrize("against", ["exists x. b(x)", "#x[b(x)] - #x[a(x)] >= 1", "b(n)", "forall x. b(x)"])
    def test_a_wrong_one_is_refuted_by_the_first_word(self, folder: Folders, against: str) -> None:
        wanted: dict[str, Callable[[tuple[str, ...]], bool]] = {
            "exists x. b(x)": lambda word: "b" in word,
            "#x[b(x)] - #x[a(x)] >= 1": lambda word: word.count("b") > word.count("a"),
            "b(n)": lambda word: word[-1] == "b",
            "forall x. b(x)": lambda word: "a" not in word,
        }
        words = [word for n in range(1, 5) for word in product("ab", repeat=n)]
        first = next(w for w in words if wanted[against](w) != (2 * w.count("b") >= len(w)))
        report = verify(load(folder("majority")), against=against)
        assert report.verdict == "refuted"
        (claim,) = report.claims
        assert isinstance(claim.verdict, Refuted)
        shown = claim.verdict.counterexample
        assert shown.word == " ".join(first)
        assert shown.decisions["spec"] == int(wanted[against](first)) != shown.decisions["network"]

    def test_words_do_not_prove_every_length(self, folder: Folders) -> None:
        asked: dict[str, Any] = {"against": MAJORITY, "max_length": 4, "all_lengths": True}
        report = verify(load(folder("majority")), method="exhaustive", **asked)
        assert report.verdict == "unknown"

    def test_a_domain_makes_it_right(self, folder: Folders) -> None:
        artifacts = load(folder("majority"))
        where = "b(1) & n = 1 | forall x. a(x)"
        report = verify(artifacts, against="b(n)", where=where, max_length=4)
        assert report.verdict == "holds"
        assert report.scope == f"n = 1..4, where {where}" == report.claims[0].scope

    @pytest.mark.parametrize("against", ["a(x)", "exists x. c(x)", "exists x. ("])
    def test_what_is_no_specification_is_refused(self, folder: Folders, against: str) -> None:
        with pytest.raises(FomError):
            verify(load(folder("majority")), against=against)

    def test_more_classes_have_no_specification(self, folder: Folders) -> None:
        with pytest.raises(FomError, match=r"T065"):
            verify(load(folder("first_letter")), against="a(1)")


class TestTagger:
    def test_the_task_of_the_example(self, folder: Folders) -> None:
        report = verify(load(folder("more_a")), against=MORE, max_length=5)
        assert report.verdict in ("holds", "refuted")
        sides = Sides(load(folder("more_a")))
        right = True
        for n in range(1, 6):
            words = np.array(list(product((0, 1), repeat=n)))
            lead = np.cumsum(1 - 2 * words, axis=1) >= 1
            right = right and bool(np.array_equal(sides.decide("network", words), lead.astype(int)))
        assert report.verdict == ("holds" if right else "refuted")

    def test_positions_can_be_restricted(self, folder: Folders) -> None:
        artifacts = load(folder("more_a"))
        assert verify(artifacts, against="a(x)", max_length=4).verdict == "refuted"
        report = verify(artifacts, against="a(x)", at="x = 1", max_length=4)
        assert (report.verdict, report.scope) == ("holds", "n = 1..4, at x = 1")

    def test_a_last_formula_that_differs_elsewhere(self, folder: Folders, tmp_path: Path) -> None:
        edited = with_formula(folder("more_a"), tmp_path, lambda formula: f"{formula} & ~(x = 3)")
        assert verify(edited, max_length=4, method="exhaustive").verdict == "refuted"
        report = verify(edited, max_length=4, method="exhaustive", at="x <= 2")
        assert (report.verdict, report.scope) == ("holds", "n = 1..4, at x <= 2")

    def test_both_methods(self, folder: Folders) -> None:
        report = verify(load(folder("more_a")), max_length=3)
        assert report.verdict == "holds"
        assert len(report.claims) == 4

    @pytest.mark.parametrize(("name", "at"), [("majority", "x = 1"), ("more_a", "a(1)"), ("more_a", "x = y")])
    def test_what_are_no_positions_is_refused(self, folder: Folders, name: str, at: str) -> None:
        with pytest.raises(FomError, match=r"T062|L014"):
            verify(load(folder(name)), at=at, max_length=2)


class TestHonesty:
    """A sentence that is equal on short words and different on longer ones is never said to hold for longer ones."""

    def test_a_difference_at_longer_words_is_searched_and_found(self, folder: Folders, tmp_path: Path) -> None:
        edited = with_formula(folder("mean"), tmp_path, lambda formula: f"{formula} & ~(n = 9)")
        report = verify(edited, max_length=4)
        assert report.verdict == "refuted"
        (claim,) = found(report, "search")
        assert claim.scope == "n = 9"
        assert isinstance(claim.verdict, Refuted)
        assert len(claim.verdict.counterexample.word.split()) == 9

    @pytest.mark.parametrize("all_lengths", [False, True])
    def test_a_difference_that_is_not_found_stays_unknown(
        self, folder: Folders, tmp_path: Path, all_lengths: bool
    ) -> None:
        edited = with_formula(folder("mean"), tmp_path, lambda formula: f"{formula} & ~(n = 90)")
        report = verify(edited, max_length=4, all_lengths=all_lengths)
        assert report.verdict == ("unknown" if all_lengths else "holds")
        half = found(report, "compositional")[1]
        assert half.word == "unknown"
        assert isinstance(half.verdict, Unknown)
        assert half.verdict.reason
        assert half.notes
        for claim in report.claims:
            if claim.word == "holds" and claim.right == "sentence":
                assert claim.scope == "n = 1..4"

    def test_by_lemmas_alone_it_stays_unknown(self, folder: Folders, tmp_path: Path) -> None:
        edited = with_formula(folder("mean"), tmp_path, lambda formula: f"{formula} & ~(n = 90)")
        report = verify(edited, max_length=3, method="compositional")
        assert report.verdict == "unknown"

    def test_a_rare_word_is_not_found_by_search(self, folder: Folders, tmp_path: Path) -> None:
        rare = "(forall x. (b(x) <-> exists y. (y + y = x))) & n = 12"
        edited = with_formula(folder("mean"), tmp_path, lambda formula: f"{formula} & ~({rare})")
        report = verify(edited, max_length=3, all_lengths=True)
        assert report.verdict in ("unknown", "refuted")

    def test_equivalent_sentences_hold_on_words(self, folder: Folders, tmp_path: Path) -> None:
        edited = with_formula(folder("mean"), tmp_path, lambda formula: f"~~{formula} & (true | n = 9)")
        assert edited.edited == ("sentence.fom",)
        report = verify(edited, max_length=4)
        assert report.verdict == "holds"

    def test_a_domain_is_part_of_every_scope(self, folder: Folders) -> None:
        report = verify(load(folder("mean")), max_length=3, where="a(1)", method="exhaustive")
        assert report.scope == "n = 1..3, where a(1)"
        assert {claim.scope for claim in report.claims} == {report.scope}
        assert any(note.startswith("7 inputs compared") for note in report.notes)

    def test_a_domain_does_not_hide_what_lies_in_it(self, folder: Folders, tmp_path: Path) -> None:
        edited = with_formula(folder("mean"), tmp_path, lambda formula: f"{formula} & ~(b(1) & n = 3)")
        assert verify(edited, max_length=3, where="a(1)", method="exhaustive").verdict == "holds"
        assert verify(edited, max_length=3, where="b(1)", method="exhaustive").verdict == "refuted"

    def test_letters_may_be_listed_in_another_order(self, folder: Folders, tmp_path: Path) -> None:
        shutil.copytree(folder("mean"), tmp_path / "edited")
        path = tmp_path / "edited" / "sentence.fom"
        path.write_text(path.read_text().replace("letters a, b;", "letters b, a;"))
        assert verify(load(tmp_path / "edited"), max_length=3).verdict == "holds"

    def test_a_translation_in_memory_says_the_same(self) -> None:
        made = translate("examples/majority/model.onnx", precision="fixed:3", max_length=3)
        report = made.verify(max_length=3)
        assert (report.verdict, report.scope, len(report.claims)) == ("holds", "n = 1..3", 4)


@pytest.mark.parametrize("options", [{}, {"against": MAJORITY}])
def test_a_scope_without_words_is_refused(folder: Folders, options: dict[str, Any]) -> None:
    with pytest.raises(FomError, match="T063"):
        verify(load(folder("majority")), max_length=3, where="a(1) & b(1)", **options)
