"""An answer is about what was compared: the lengths that both sides accept, the positions considered, the time that there was."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.network import Domain
from logic.verdicts import Holds, Refuted, Unknown
from translator.pipeline import translate
from translator.sides import Sides
from translator.store import Artifacts, load
from translator.verification import report, verify
from translator.verifying.comparison import Comparison
from translator.verifying.question import Question
from translator.verifying.rivals import NetworkRival


def translated(folder: Path, name: str, precision: str = "fixed:5") -> Artifacts:
    translate(f"examples/{name}/model.onnx", precision=precision, max_length=3).save(folder)
    return load(folder)


@pytest.fixture(scope="module")
def majority(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return translated(tmp_path_factory.mktemp("majority") / "out", "majority")


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    return translated(tmp_path_factory.mktemp("more_a") / "out", "more_a", "fixed:4")


def bounded(artifacts: Artifacts, least: int, most: int | None) -> Artifacts:
    return replace(artifacts, network=replace(artifacts.network, domain=Domain(least, most, "a test says so")))


def against(artifacts: Artifacts, other: Artifacts, **options: Any) -> Comparison:
    return Comparison(artifacts, Question(**options), NetworkRival(other), lambda text: None)


class TestLengthsOfBoth:
    def test_only_common_lengths_are_compared(self, majority: Artifacts) -> None:
        found = report(against(majority, bounded(majority, 2, 4)))
        assert (found.verdict, found.scope) == ("holds", "n = 2..4")

    def test_all_common_lengths_are_all_lengths(self, majority: Artifacts) -> None:
        found = report(against(majority, bounded(majority, 2, 4), all_lengths=True))
        assert found.verdict == "holds"
        assert all(isinstance(claim.verdict, Holds) for claim in found.claims)

    def test_fewer_than_all_lengths_are_not(self, majority: Artifacts) -> None:
        found = report(against(majority, bounded(majority, 2, 9), all_lengths=True, max_length=4, method="exhaustive"))
        assert (found.verdict, found.scope) == ("unknown", "every length")

    def test_no_common_length(self, majority: Artifacts) -> None:
        with pytest.raises(FomError, match="T063"):
            against(bounded(majority, 1, 3), bounded(majority, 4, 6))


class TestNoClaimAboutLengthsThatWereNotCompared:
    def test_a_list_of_failures(self, majority: Artifacts) -> None:
        options: dict[str, Any] = {"list_failures": True, "max_length": 4}
        assert report(against(majority, majority, **options)).verdict == "holds"
        found = report(against(majority, majority, all_lengths=True, **options))
        assert (found.verdict, found.failures) == ("unknown", ())

    def test_a_property_decided_on_every_word(self, tagger: Artifacts) -> None:
        options: dict[str, Any] = {"property_": "class[1](1) -> exists x. a(x)", "max_length": 3}
        assert verify(tagger, **options).verdict == "holds"
        found = verify(tagger, all_lengths=True, **options)
        assert found.verdict == "unknown"
        assert [claim.scope for claim in found.claims] == ["n = 1..3"]

    def test_no_time(self, tagger: Artifacts, majority: Artifacts) -> None:
        found = verify(tagger, property_="class[1](1) -> exists x. a(x)", max_length=3, timeout_s=0)
        assert (found.verdict, len(found.claims)) == ("unknown", 1)
        assert isinstance(found.claims[0].verdict, Unknown)
        listed = report(against(majority, majority, list_failures=True, max_length=3, timeout_s=0))
        assert (listed.verdict, [type(claim.verdict) for claim in listed.claims]) == ("unknown", [Unknown])


class TestPositions:
    TEXT = "(class[1](x) & exists y. class[1].2(y)) -> a(x) | a.2(x)"

    def test_they_are_those_of_both_words(self, tagger: Artifacts) -> None:
        """A position counts where --at holds in the first word and in the second."""
        found = verify(tagger, property_=self.TEXT, at="b(x)", max_length=3)
        expected = not any(
            self.broken(tagger, one, two, x)
            for n in range(1, 4)
            for one in product(range(2), repeat=n)
            for two in product(range(2), repeat=n)
            for x in range(n)
            if one[x] == two[x] == 1
        )
        assert found.verdict == ("holds" if expected else "refuted")
        first_only = verify(tagger, property_="class[0](x) | exists y. class[0].2(y)", at="a(x)", max_length=2)
        (claim,) = first_only.claims
        assert isinstance(claim.verdict, Refuted)
        one, two = claim.verdict.counterexample.word.split(" / ")
        assert any(u == v == "a" for u, v in zip(one.split(), two.split(), strict=True))

    @staticmethod
    def broken(artifacts: Artifacts, one: tuple[int, ...], two: tuple[int, ...], x: int) -> bool:
        sides = Sides(artifacts)
        decided = [sides.decide("network", np.array([word]))[0] for word in (one, two)]
        return bool(decided[0][x] == 1 and (decided[1] == 1).any() and one[x] != 0 and two[x] != 0)

    def test_a_closed_property_has_none(self, tagger: Artifacts) -> None:
        with pytest.raises(FomError, match="T062"):
            verify(tagger, property_="class[1](1)", at="a(x)")


class TestMethods:
    @pytest.mark.parametrize("asked", [{"against": "M x. b(x)"}, {"property_": "class[0]"}, {}])
    def test_an_unknown_one(self, majority: Artifacts, asked: dict[str, Any]) -> None:
        with pytest.raises(FomError, match="T061"):
            verify(majority, method="magic", **asked)


class TestLengthsAskedFor:
    def test_a_longer_difference_does_not_refute(self, counting: Artifacts) -> None:
        """A method that decides every length finds the shortest difference, which may be longer than the words asked about."""
        found = verify(counting, against="~(M x. a(x))", method="cells")
        (claim,) = found.claims
        assert isinstance(claim.verdict, Refuted)
        first = len(claim.verdict.counterexample.word.split())
        assert first == 33
        shorter = verify(counting, against="~(M x. a(x))", method="cells", max_length=first - 1)
        assert (shorter.verdict, shorter.scope, shorter.everywhere) == ("holds", f"n = 1..{first - 1}", False)
        assert f"length {first}" in " ".join(shorter.notes)
        assert verify(counting, against="~(M x. a(x))", method="cells", max_length=first).verdict == "refuted"

    def test_every_length(self, counting: Artifacts) -> None:
        found = verify(counting, against=str(counting.folder), method="cells")
        assert (found.verdict, found.everywhere) == ("holds", True)
        assert not verify(counting, against=str(counting.folder), max_length=3).everywhere

    def test_a_long_formula_is_no_path(self, majority: Artifacts) -> None:
        text = " & ".join(["(M x. b(x))"] * 40)
        assert len(text) > 300
        found, short = (verify(majority, against=one, max_length=4) for one in (text, "M x. b(x)"))
        assert (found.verdict, len(found.claims)) == (short.verdict, len(short.claims))

    def test_deep_restrictions(self, majority: Artifacts) -> None:
        assert (
            verify(majority, against=str(majority.folder), where="~" * 2000 + "true", max_length=3).verdict == "holds"
        )


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Artifacts:
    """A network that decides by the counts of letters, at a coarse precision."""
    folder = tmp_path_factory.mktemp("half_a") / "out"
    translate("examples/half_a/model.onnx", precision="fixed:*.4").save(folder)
    return load(folder)


class TestFixedSizeInputs:
    @pytest.mark.parametrize("options", [{"where": "true"}, {"at": "x > 1"}, {"against": "itself", "method": "cells"}])
    def test_what_is_about_words_is_refused(self, options: dict[str, Any], tmp_path: Path) -> None:
        inputs = Path("examples/mlp_xor/inputs.npz")
        translate("examples/mlp_xor/model.onnx", precision="fixed:4", inputs=inputs).save(tmp_path / "out")
        against = {"against": str(tmp_path / "out")} if "against" in options else {}
        with pytest.raises(FomError, match="T061"):
            verify(load(tmp_path / "out"), **{**options, **against})
