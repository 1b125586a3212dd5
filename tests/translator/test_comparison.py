"""Networks against other networks and against properties: shortest differences, replayed, and what is refused."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from circuits.diagnostics import FomError
from logic.comparing.registry import METHODS, UNBOUNDED
from logic.verdicts import Refuted
from translator.claims import report_facts, report_lines
from translator.cli import execute
from translator.pipeline import translate
from translator.sides import Sides
from translator.store import Artifacts, load
from translator.verification import verify
from translator.verifying.question import COMPARISON_METHODS, Report

MAJORITY = Path("examples/majority/model.onnx")


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    folder = tmp_path_factory.mktemp("fine") / "out"
    translate(MAJORITY, precision="fixed:5", max_length=4).save(folder)
    return load(folder)


@pytest.fixture(scope="module")
def coarse(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """The same file at a precision at which it decides otherwise."""
    folder = tmp_path_factory.mktemp("coarse") / "out"
    translate(MAJORITY, precision="fixed:2", weight_bits="2", max_length=4).save(folder)
    return load(folder)


@pytest.fixture(scope="module")
def xor(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    folder = tmp_path_factory.mktemp("xor") / "out"
    inputs = Path("examples/mlp_xor/inputs.npz")
    translate("examples/mlp_xor/model.onnx", precision="fixed:6", inputs=inputs).save(folder)
    return load(folder)


def decided(artifacts: Artifacts, word: tuple[int, ...]) -> int:
    return int(Sides(artifacts).decide("network", np.array([word]))[0])


def words_up_to(longest: int) -> list[tuple[int, ...]]:
    return [word for n in range(1, longest + 1) for word in product(range(2), repeat=n)]


def text(report: Report) -> str:
    return "\n".join("".join(part for part, _ in line) for line in report_lines(report))


class TestTwoNetworks:
    def test_the_shortest_difference(self, fine: Artifacts, coarse: Artifacts) -> None:
        report = verify(fine, against=str(coarse.folder), max_length=6)
        differing = [word for word in words_up_to(6) if decided(fine, word) != decided(coarse, word)]
        assert differing
        assert report.verdict == "refuted"
        (claim,) = report.claims
        assert isinstance(claim.verdict, Refuted)
        shown = claim.verdict.counterexample
        found = tuple("ab".index(letter) for letter in shown.word.split())
        assert found in differing
        assert len(found) == len(differing[0])
        assert shown.decisions["network"] != shown.decisions["other network"]
        assert set(shown.decisions) == {
            f"{whose}{side}" for whose in ("", "other ") for side in ("onnx", "network", "circuit", "sentence")
        }

    def test_every_difference(self, fine: Artifacts, coarse: Artifacts) -> None:
        report = verify(fine, against=str(coarse.folder), max_length=5, list_failures=True)
        differing = [word for word in words_up_to(5) if decided(fine, word) != decided(coarse, word)]
        assert report.failures is not None
        assert [one.word for one in report.failures] == [
            " ".join("ab"[letter] for letter in word) for word in differing
        ]
        assert f"{len(differing)} of 62 inputs fail" in text(report)

    def test_a_network_is_itself(self, fine: Artifacts) -> None:
        report = verify(fine, against=str(fine.folder), max_length=5)
        assert (report.verdict, report.scope) == ("holds", "n = 1..5")
        assert "network = other network" in text(report)

    def test_an_onnx_file(self, fine: Artifacts) -> None:
        assert verify(fine, against=str(MAJORITY), max_length=4).verdict == "holds"

    def test_only_words_considered(self, fine: Artifacts, coarse: Artifacts) -> None:
        report = verify(fine, against=str(coarse.folder), where="forall x. b(x)", max_length=4)
        same = all(decided(fine, (1,) * n) == decided(coarse, (1,) * n) for n in range(1, 5))
        assert report.verdict == ("holds" if same else "refuted")

    @pytest.mark.parametrize("name", ["more_a", "first_letter", "mlp_xor"])
    def test_networks_of_another_kind(self, fine: Artifacts, name: str, tmp_path: Path) -> None:
        options = {"inputs": Path("examples/mlp_xor/inputs.npz")} if name == "mlp_xor" else {"max_length": 2}
        translate(f"examples/{name}/model.onnx", precision="fixed:4", **options).save(tmp_path / "other")
        with pytest.raises(FomError, match="T074"):
            verify(fine, against=str(tmp_path / "other"))

    def test_fixed_size_inputs(self, tmp_path: Path) -> None:
        inputs = Path("examples/mlp_xor/inputs.npz")
        model = Path("examples/mlp_xor/model.onnx")
        for bits in (4, 6):
            translate(model, precision=f"fixed:{bits}", inputs=inputs).save(tmp_path / str(bits))
        one = load(tmp_path / "4")
        report = verify(one, against=str(tmp_path / "6"))
        assert report.verdict == "refuted"
        (claim,) = report.claims
        assert (claim.scope, claim.method) == ("every input", "exhaustive")
        assert isinstance(claim.verdict, Refuted)
        answers = claim.verdict.counterexample.decisions
        assert answers["network"] != answers["other network"]
        assert verify(one, against=str(tmp_path / "4")).verdict == "holds"


class TestProperties:
    def test_monotone(self, fine: Artifacts) -> None:
        report = verify(fine, property_="(forall x. b(x) -> b.2(x)) -> (class[1] -> class[1].2)", max_length=5)
        expected = all(
            decided(fine, u) <= decided(fine, v)
            for n in range(1, 6)
            for u in product(range(2), repeat=n)
            for v in product(range(2), repeat=n)
            if all(x <= y for x, y in zip(u, v, strict=True))
        )
        assert report.verdict == ("holds" if expected else "refuted")

    def test_a_violation_is_a_shortest_one(self, fine: Artifacts) -> None:
        report = verify(fine, property_="class[1] -> b(1)", max_length=6)
        broken = [word for word in words_up_to(6) if decided(fine, word) == 1 and word[0] == 0]
        (claim,) = [claim for claim in report.claims if isinstance(claim.verdict, Refuted)]
        assert isinstance(claim.verdict, Refuted)
        assert len(claim.verdict.counterexample.word.split()) == len(broken[0])
        assert "violated" in text(report)

    def test_two_words_are_shown(self, fine: Artifacts) -> None:
        report = verify(fine, property_="class[0] | class[0].2", max_length=3)
        facts = json.loads(json.dumps(report_facts(report, ())))
        (claim,) = [claim for claim in facts["claims"] if claim["verdict"] == "refuted"]
        assert claim["counterexample"]["word"] == "b / b"
        assert claim["counterexample"]["decisions"]["network, second word"] == 1

    def test_several_positions(self, tmp_path: Path) -> None:
        translate("examples/more_a/model.onnx", precision="fixed:4", max_length=3).save(tmp_path / "out")
        artifacts = load(tmp_path / "out")
        held = verify(artifacts, property_="class[1](1) -> exists x. a(x)", max_length=4)
        assert (held.verdict, held.claims[0].method) == ("holds", "exhaustive")
        broken = verify(artifacts, property_="(exists x. class[1](x)) -> class[1](n)", max_length=4)
        (claim,) = broken.claims
        assert isinstance(claim.verdict, Refuted)
        assert claim.verdict.counterexample.word == "a b"

    def test_what_no_decision_can_break(self, fine: Artifacts) -> None:
        report = verify(fine, property_="class[0] | class[1]", max_length=3)
        assert (report.verdict, report.claims[0].method) == ("holds", "simplification")

    @pytest.mark.parametrize(
        ("text", "code"), [("class[7]", "T067"), ("class[1](x)", "T067"), ("b(", "L00"), ("M x.", "L00")]
    )
    def test_what_means_nothing(self, fine: Artifacts, text: str, code: str) -> None:
        with pytest.raises(FomError, match=code):
            verify(fine, property_=text)

    def test_not_both(self, fine: Artifacts) -> None:
        with pytest.raises(FomError, match="T061"):
            verify(fine, property_="class[0]", against="M x. b(x)")


class TestCommand:
    def test_a_property(self, fine: Artifacts, capsys: pytest.CaptureFixture[str]) -> None:
        assert (
            execute(["verify", str(fine.folder), "--property", "class[1] -> exists x. b(x)", "--max-length", "4"]) == 0
        )
        assert "holds: the network has the property, n = 1..4" in capsys.readouterr().out

    def test_methods_are_those_there_are(self) -> None:
        names = [method.name for method in METHODS] + [method.name for method in UNBOUNDED]
        assert tuple(names) == COMPARISON_METHODS

    def test_an_unknown_method(self, fine: Artifacts, capsys: pytest.CaptureFixture[str]) -> None:
        assert execute(["verify", str(fine.folder), "--against", "M x. b(x)", "--method", "magic"]) == 2
        assert "exhaustive" in capsys.readouterr().err


class TestBoxes:
    def test_a_file_and_the_command(self, xor: Artifacts, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        names = [f"X_{number}" for number in range(4)]
        lines = [f"(declare-const {name} Real)" for name in (*names, "Y_0", "Y_1")]
        lines += [f"(assert (>= {name} 0.5)) (assert (<= {name} 0.75))" for name in names]
        for claimed, answer in (("(>= Y_0 Y_1)", {0, 1}), ("(and (>= Y_0 Y_1) (> Y_1 Y_0))", {0})):
            path = tmp_path / "box.vnnlib"
            path.write_text("\n".join([*lines, f"(assert {claimed})"]), encoding="utf-8")
            assert execute(["verify", str(xor.folder), "--property", str(path), "--json"]) in answer
            facts = json.loads(capsys.readouterr().out)
            assert facts["claims"][0]["method"] == "boxes"
            assert facts["verdict"] in ("holds", "refuted")

    def test_robust_around_inputs(self, xor: Artifacts, tmp_path: Path) -> None:
        inputs = np.array([[0.75, 0.0, 0.5, -0.25], [0.0, 0.25, 0.0, 0.75]])
        np.savez(tmp_path / "two.npz", x=inputs)
        still = verify(xor, robust=0.0, inputs=tmp_path / "two.npz")
        assert (still.verdict, len(still.claims)) == ("holds", 2)
        moved = verify(xor, robust=8.0, inputs=tmp_path / "two.npz")
        assert moved.verdict == "refuted"

    def test_what_is_missing(self, xor: Artifacts, fine: Artifacts, tmp_path: Path) -> None:
        with pytest.raises(FomError, match="T061"):
            verify(xor, robust=0.1)
        with pytest.raises(FomError, match="T061"):
            verify(fine, robust=0.1, inputs=tmp_path / "none.npz")
        with pytest.raises(FomError, match="T067"):
            verify(xor, property_="class[1]")
