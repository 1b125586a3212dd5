"""Networks that are tables over letters, from file to law: constructed ones, with one answer made wrong, and an example."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.evaluate import evaluate as evaluate_network
from circuits.formats import BIT, Format
from circuits.matrices import canonical
from circuits.network import Affine, Domain, Letters, Network, Operand, Readout, Table
from circuits.positions import Ref, Term
from circuits.words import all_words
from logic.batch import evaluate
from logic.comparing.problem import decided_by
from logic.telling import silent
from translator.cli import execute
from translator.explanations.explaining import Search
from translator.explanations.modular import inside_table
from translator.explanations.tables import Tabled, explain_table
from translator.pipeline import translate

P = 5
LETTERS = tuple("abcde=")


def at(place: int) -> Term:
    return Term((), 0, place)


def network(answers: Any, signs: Any) -> Network:
    """A network of words of length 3: answers[a, b] where the third letter is `=`, else signs[a, b]."""
    pairs = [(a, b, sign) for a in range(P + 1) for b in range(P + 1) for sign in (0, 1)]
    first, second, third = (np.zeros((len(pairs), P + 1), dtype=np.int64) for _ in range(3))
    for row, (a, b, sign) in enumerate(pairs):
        first[row, a] = second[row, b] = 1
        third[row] = [1] * P + [0] if sign == 0 else [0] * P + [1]
    classes = np.zeros((P, len(pairs)), dtype=np.int64)
    for row, (a, b, sign) in enumerate(pairs):
        classes[(answers if sign else signs)[a, b], row] = 1
    zero = np.zeros(len(pairs), np.int64)
    read = tuple(
        Operand(Ref("tokens", (at(place),)), canonical(one)) for place, one in enumerate((first, second, third), 1)
    )
    nodes = (
        Letters("tokens", P + 1),
        Affine("pairs", 0, len(pairs), read, zero, zero, 0),
        Table("both", 0, len(pairs), Ref("pairs", ()), np.array([3]), np.array([0, 1]), BIT),
        Affine("logits", 0, P, (Operand(Ref("both", ()), canonical(classes)),), np.zeros(P, np.int64), np.zeros(P, np.int64), 0),
        Table("class", 0, P, Ref("logits", ()), np.array([1]), np.array([0, 1]), Format(1, 0, 0)),
    )  # fmt: skip
    found = Network(nodes, Readout("classes", "class", "logits", None, P, 0), Domain(3, 3), LETTERS)
    found.check()
    return found


def sums() -> Any:
    answers = np.random.default_rng(0).integers(0, P, (P + 1, P + 1))
    answers[:P, :P] = np.add.outer(np.arange(P), np.arange(P)) % P
    return answers


NOISE = np.random.default_rng(1).integers(0, P, (P + 1, P + 1))


def explained(net: Network, **asked: Any) -> Tabled:
    found = explain_table(SimpleNamespace(network=net), Search(**asked), silent)
    assert found is not None
    return found


class TestLaw:
    def test_the_law_its_words_and_the_others(self) -> None:
        net = network(sums(), NOISE)
        found = explained(net)
        assert found.verified
        assert found.fit.law.text == "(v1 + v2) mod 5"
        assert (found.fit.right, found.fit.seen) == (25, 25)
        assert found.where == "~'='(1) & ~'='(2) & '='(3)"
        assert found.reads == (1, 2)
        words = np.concatenate(list(all_words(P + 1, 3)))
        decided = decided_by(net, words)
        inside = (words[:, 0] < P) & (words[:, 1] < P) & (words[:, 2] == P)
        said = (words[:, 0] < P) & (words[:, 1] < P) & ~inside
        right = (words[:, 0] + words[:, 1]) % P == decided
        elsewhere = found.elsewhere
        assert (elsewhere.words, elsewhere.said, elsewhere.sampled) == (6**3 - 25, int(said.sum()), False)
        assert elsewhere.right == int((right & said).sum())
        assert elsewhere.reads == (1, 2, 3)

    @pytest.mark.parametrize(("a", "b"), [(0, 0), (2, 4), (4, 1)])
    def test_one_wrong_answer_is_named(self, a: int, b: int) -> None:
        answers = sums()
        law, answers[a, b] = answers[a, b], (answers[a, b] + 2) % P
        found = explained(network(answers, NOISE))
        assert not found.verified
        assert (found.fit.law.text, found.fit.right, found.fit.seen) == ("(v1 + v2) mod 5", 24, 25)
        (wrong,) = found.wrong
        assert (wrong.word, wrong.says, wrong.decides) == (f"{LETTERS[a]} {LETTERS[b]} =", law, answers[a, b])
        assert found.report.verdict == "holds"  # the formulas are those of the network

    def test_the_formulas_are_what_it_decides(self) -> None:
        answers = sums()
        answers[1, 1] = 0
        net = network(answers, NOISE)
        found = explained(net)
        words = found.found.shape.words()
        decided = decided_by(net, words)
        assert [number for number, _ in found.formulas] == list(range(P))
        for number, sentence in found.formulas:
            assert np.array_equal(np.asarray(evaluate(sentence, words)[""]), decided == number)

    def test_the_program_is_the_law(self) -> None:
        found = explained(network(sums(), NOISE))
        words = found.found.shape.words()
        assert np.array_equal(found.program.run(words).numerator, (words[:, 0] + words[:, 1]) % P)
        assert "output = (number_1 + number_2) % 5" in found.program.rasp

    def test_a_sign_that_does_not_matter(self) -> None:
        found = explained(network(sums(), sums()))
        assert found.where == "~'='(1) & ~'='(2)"
        assert (found.fit.seen, found.verified) == (150, True)

    def test_classes_chosen(self) -> None:
        found = explained(network(sums(), NOISE), classes=(3,))
        assert [number for number, _ in found.formulas] == [3]
        assert found.verified
        assert found.report.scope.endswith("class 3 only")

    def test_noise_is_no_table_with_a_law(self) -> None:
        net = network(np.random.default_rng(4).integers(0, P, (P + 1, P + 1)), NOISE)
        assert explain_table(SimpleNamespace(network=net), Search(), silent) is None


class TestRestriction:
    def test_words_that_the_user_chooses(self) -> None:
        where = "'='(3) & ~'='(1) & ~'='(2)"
        found = explained(network(sums(), NOISE), where=where)
        assert (found.where, found.fit.seen, found.elsewhere.words) == (where, 25, 0)

    def test_some_of_the_words_of_the_shape(self) -> None:
        found = explained(network(sums(), NOISE), where="'='(3) & ~a(1)")
        assert (found.fit.seen, found.verified) == (20, True)
        assert found.where == "'='(3) & ~a(1) & ~'='(1) & ~'='(2)"

    def test_no_words(self) -> None:
        with pytest.raises(FomError) as caught:
            explained(network(sums(), NOISE), where="a(1) & b(1)")
        assert caught.value.diagnostics[0].code == "T063"

    def test_shorter_words_are_not_the_law_s(self) -> None:
        net = replace(network(sums(), NOISE), domain=Domain(1, 3))
        found = explained(net)
        assert found.verified
        assert found.where == "~'='(1) & ~'='(2) & '='(3)"
        assert found.report.scope == "n = 1..3, where ~'='(1) & ~'='(2) & '='(3)"


class TestInside:
    def test_units_of_the_table(self) -> None:
        net = network(sums(), NOISE)
        found = explained(net)
        entries = {name: text for name, text, _ in inside_table(net, found.found, (), silent)}
        assert list(entries) == ["both", "logits"]
        words = found.found.shape.words()
        values = evaluate_network(net, words, ["both"])["both"]
        constant = int((values == values[:1]).all(axis=0).sum())
        assert entries["both"].startswith(f"72 units: {constant} constant [")
        assert entries["logits"].startswith("5 units: all functions of (v1 + v2) mod 5; measured: frequencies ")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("modular") / "out"
    translate("examples/modular_addition/model.onnx", precision="fixed:11", max_length=3).save(folder)
    return folder


class TestCommand:
    def test_on_the_terminal(self, example: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert execute(["explain", str(example)]) == 0
        shown = capsys.readouterr().out
        assert "(v1 + v2) mod 5\n" in shown
        assert "~f(1) & ~f(2) & f(3)" in shown
        assert "holds: the law is right on all 25 of these words" in shown
        assert "and 4 more formulas of the same kind" in shown
        assert "output = (number_1 + number_2) % 5" in shown

    def test_as_json_and_page(self, example: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        page = tmp_path / "page.html"
        assert execute(["explain", str(example), "--json", "--html", str(page)]) == 0
        facts = json.loads(capsys.readouterr().out)
        assert facts["explained"] == []
        found = facts["table"]
        assert (found["law"], found["right"], found["words"], found["wrong"]) == ("(v1 + v2) mod 5", 25, 25, [])
        assert found["formulas"]["class[0]"] == "a(1) & a(2) | b(1) & e(2) | c(1) & d(2) | d(1) & c(2) | e(1) & b(2)"
        assert found["verdict"] == "holds"
        names = {entry["name"] for entry in facts["inside"]}
        assert "blocks0.attention.head.0" in names
        assert "(v1 + v2) mod 5" in page.read_text(encoding="utf-8")
