"""Explanations: the short sentence that a network computes, verified, with the word where it departs from it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.words import all_words
from logic.batch import evaluate
from logic.comparing.problem import decided_by
from logic.comparing.specification import Specification
from logic.parser import parse
from logic.telling import silent
from translator.cli import execute
from translator.explanations.decided import Decided
from translator.explanations.explaining import Explainer, Search, specification, verified
from translator.explanations.explanation import Explanation
from translator.explanations.refining import Attempt, best_of
from translator.explanations.whole import Look, explain
from translator.pipeline import Translation, translate
from translator.verifying.question import Report

WITHOUT = Look(inside=False)


@pytest.fixture(scope="module")
def first_letter() -> Translation:
    return translate("examples/first_letter/model.onnx", precision="fixed:4", max_length=3)


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("half") / "out"
    translate("examples/half_a/model.onnx", precision="fixed:*.4", max_length=4).save(folder)
    return folder


def only(found: Explanation) -> str:
    (one,) = found.explained
    return str(one.chosen.sentence.formula)


class TestSentences:
    def test_a_sentence_for_each_class(self, first_letter: Translation) -> None:
        found = explain(first_letter, Search(search_length=3, max_length=4), silent, WITHOUT)
        assert [one.name for one in found.explained] == ["class[0]", "class[1]", "class[2]"]
        assert [str(one.chosen.sentence.formula) for one in found.explained] == ["a(1)", "b(1)", "c(1)"]
        assert all(verified(one) for one in found.explained)

    def test_the_sentence_is_what_the_network_computes(self, first_letter: Translation) -> None:
        found = explain(first_letter, Search(search_length=3, max_length=4, classes=(1,)), silent, WITHOUT)
        (one,) = found.explained
        for n in (1, 2, 4):
            words = np.concatenate(list(all_words(3, n)))
            assert (evaluate(one.chosen.sentence, words)[""] == (decided_by(first_letter.network, words) == 1)).all()

    def test_where_it_departs(self, half: Path) -> None:
        """The mean is rounded to four fractional bits: more b than a, up to 32 letters."""
        from translator.store import load

        found = explain(load(half), Search(search_length=5), silent, WITHOUT)
        (one,) = found.explained
        assert only(found) == "~(M x. a(x))"
        assert one.departs.split().count("b") == 17
        assert len(one.departs.split()) == 33
        assert verified(one)
        assert one.report is not None
        assert one.report.scope == "n = 1..32"

    def test_a_longer_sentence_is_right_at_every_length(self, half: Path) -> None:
        from translator.store import load

        source = load(half)
        (one,) = explain(source, Search(timeout_s=30), silent, WITHOUT).explained
        assert str(one.chosen.sentence.formula) == "~(M x. a(x))"
        assert one.complete == one.chosen.size - 1
        assert one.further is not None
        assert verified(one.further)
        assert one.further.report is not None
        assert one.further.report.scope == "every length n"
        words = np.where(np.arange(40) < np.arange(41)[:, None], 0, 1)
        assert (evaluate(one.further.chosen.sentence, words)[""] == (decided_by(source.network, words) == 1)).all()

    def test_what_is_told_names_the_class(self, first_letter: Translation) -> None:
        told: list[str] = []
        explainer = Explainer(first_letter, Search(search_length=3, max_length=3), told.append)
        explainer.progress = told.append
        assert len(explainer.explain()) == 3
        assert [line[:12] for line in told if "verifying" in line] == ["class 1 of 3", "class 2 of 3", "class 3 of 3"]

    def test_a_budget_is_for_all_rounds(self) -> None:
        made = translate("examples/more_a/model.onnx", precision="fixed:4", max_length=3)
        explainer = Explainer(made, Search(search_length=4, max_length=5, timeout_s=0.0), silent)
        started = time.monotonic()
        (one,) = explainer.explain()
        assert time.monotonic() - started < 5
        assert one.rounds == 0
        assert not verified(one)

    def test_every_position(self) -> None:
        made = translate("examples/more_a/model.onnx", precision="fixed:4", max_length=3)
        found = explain(made, Search(search_length=4, max_length=5), silent, WITHOUT)
        (one,) = found.explained
        assert one.chosen.sentence.free == ("x",)
        assert verified(one)

    def test_only_words_considered(self, first_letter: Translation) -> None:
        asked = Search(search_length=3, max_length=3, where="a(1) | b(1)", classes=(2,))
        found = explain(first_letter, asked, silent, WITHOUT)
        assert only(found) == "false"


class TestAnswers:
    def test_networks_that_no_sentence_explains(self) -> None:
        made = translate("examples/mlp_xor/model.onnx", precision="fixed:4", inputs=Path("examples/mlp_xor/inputs.npz"))
        with pytest.raises(FomError, match="T068"):
            explain(made, Search(), silent)

    def test_classes_there_are_none_of(self, first_letter: Translation) -> None:
        with pytest.raises(FomError, match="T066"):
            explain(first_letter, Search(classes=(3,)), silent)

    def test_the_specification_of_a_class(self, first_letter: Translation) -> None:
        spec = specification(first_letter.network, parse("letters a, b, c; a(1)"), 0)
        assert isinstance(spec, Specification)
        words = np.array([[0, 1], [1, 0]])
        assert spec.differs(spec.truth(words), np.array([0, 1])).tolist() == [False, False]
        assert spec.differs(spec.truth(words), np.array([1, 0])).tolist() == [True, True]

    def test_more_words_join_those_of_their_length(self) -> None:
        words = tuple(np.concatenate(list(all_words(2, n))) for n in (1, 2, 3))
        one = Decided(words, tuple(batch[:, 0] for batch in words), tuple(batch[:, 0] >= 0 for batch in words))
        more = one.and_(np.array([[0, 1, 1]]), np.array([1]), np.array([True]))
        assert [len(batch) for batch in more.words] == [2, 4, 9]
        assert more.classes[2].tolist() == [*one.classes[2].tolist(), 1]
        longer = more.and_(np.array([[0, 1, 1, 0]]), np.array([0]), np.array([True]))
        assert [batch.shape for batch in longer.words] == [(2, 1), (4, 2), (9, 3), (1, 4)]
        assert longer.truth(1)[0].tolist() == [False, True]

    def test_a_short_sentence_with_its_departure_is_preferred_to_a_long_one(self, first_letter: Translation) -> None:
        from logic.searching.aiming import Candidate

        def attempt(size: int, word: str | None) -> Attempt:
            candidate = Candidate(parse("letters a, b, c; " + " & ".join(["a(1)"] * size)), size, 0, 10)
            return Attempt((candidate,), Report("holds", "", (), ()), word, ("n = 1..3", 3))

        short, longer, long_ = attempt(4, "a a a"), attempt(5, "a a a a"), attempt(40, None)
        assert best_of([]) is None
        assert best_of([short, long_]) is short
        assert best_of([short, longer, long_]) is longer
        assert best_of([short, attempt(7, None)]) != short


class TestInside:
    def test_heads_a_word_and_a_program(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("translator.explanations.whole.INSIDE_S", 1.0)
        made = translate("examples/more_a/model.onnx", precision="fixed:4", max_length=3)
        found = explain(made, Search(search_length=4, max_length=4), silent, Look(word="a b a"))
        (head,) = [name for name, _ in found.attention]
        assert any(name == head for name, _, _ in found.inside)
        assert found.word == "a b a"
        assert all(len(row) == 3 for _, rows in found.attention for row in rows)
        assert "def " in found.python
        assert found.rasp
        assert found.program_scope


class TestCommand:
    def test_json_and_page(self, half: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        page = tmp_path / "page.html"
        arguments = ["explain", str(half), "--search-length", "5", "--max-length", "6", "--html", str(page), "--json"]
        assert execute(arguments) == 0
        facts = json.loads(capsys.readouterr().out)
        (one,) = facts["explained"]
        assert one["sentence"].splitlines()[-1].rstrip(";") == "~(M x. a(x))"
        assert (one["wrong"], one["verdict"], facts["schema"]) == (0, "holds", 1)
        assert "M x. a(x)" in page.read_text(encoding="utf-8")

    def test_for_a_reader(self, half: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert execute(["explain", str(half), "--search-length", "4", "--max-length", "5"]) == 0
        assert "The network answers class[1] exactly where" in capsys.readouterr().out
