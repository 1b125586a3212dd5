"""Certificates of comparisons: what holds is accepted, what does not is rejected, and so is what was changed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import z3

from circuits.diagnostics import FomError
from circuits.family_text import family_to_text
from circuits.network import Network
from circuits.network_text import network_to_text
from circuits.network_to_family import network_to_family
from circuits.positions import AtLeast, var
from logic.certificate.write import cells_claim, exhaustive_claim, obligations_claim, write
from logic.checker import comparison
from logic.checker.cells import replay_cells
from logic.checker.claims import Claim
from logic.checker.comparison import specification_of
from logic.checker.files import MAIN
from logic.checker.record import Record, Rejected
from logic.comparing.methods import seconds
from logic.comparing.problem import Problem
from logic.comparing.properties import Property
from logic.family_to_sentence import decision_labels, default_decision, family_to_sentence
from logic.parser import parse
from logic.printer import to_ascii
from logic.syntax import Not
from tests.logic.corrupting import change_number, change_value, near, odd, rehash, replayed
from tests.logic.counting_networks import random_network

Other = Callable[[Any, np.random.Generator], Any]
NETWORK = random_network(1)
TAGGER = random_network(3, guard=AtLeast(var(0) - var(1)), answer="each")
WHERE = "exists x. a(x)"


def own_sentence(network: Network) -> str:
    """What a network decides, as a formula over its own sentence."""
    return to_ascii(family_to_sentence(network_to_family(network)))


def artifacts_of(network: Network, **others: str) -> dict[str, bytes]:
    """The artifacts of a translation, and what it is compared with."""
    family = network_to_family(network)
    formula = decision_labels(family)[default_decision(family)]
    texts = {
        "network.jsonl": network_to_text(network),
        "family.jsonl": family_to_text(family),
        "sentence.fom": to_ascii(family_to_sentence(family)),
        "manifest.json": json.dumps({"readout": {"formula": formula}}),
    }
    named = {f"{name}.{'jsonl' if name == 'other' else 'fom'}": text for name, text in others.items()}
    return {name: text.encode() for name, text in {**texts, **named}.items()}


def made(folder: Path, network: Network, claim: Claim, **others: str) -> Path:
    """A certificate with one claim."""
    folder.mkdir()
    write(folder, artifacts_of(network, **others), lambda _: [claim])
    return folder


@pytest.fixture(scope="module")
def enumerated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of an enumeration against a specification, on some words."""
    folder = tmp_path_factory.mktemp("certificates") / "enumerated"
    return made(folder, NETWORK, exhaustive_claim([1, 2, 4], "spec"), spec=own_sentence(NETWORK), where=WHERE)


@pytest.fixture(scope="module")
def covered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of a comparison by cells with a network."""
    claim = cells_claim(Problem(NETWORK, NETWORK), "other", seconds(60))
    assert claim is not None
    folder = tmp_path_factory.mktemp("certificates") / "covered"
    return made(folder, NETWORK, claim, other=network_to_text(NETWORK))


def unsatisfiable(script: str) -> bool:
    solver = z3.Solver()
    solver.from_string(script)
    return bool(solver.check() == z3.unsat)


def test_enumerated(enumerated: Path) -> None:
    result = replayed(enumerated)
    assert (result.verdict, result.findings) == ("accepted", [])
    assert result.scopes == ["network = spec: n = 1, 2, 4, where artifacts/where.fom"]
    (claim,) = json.loads((enumerated / MAIN).read_text())["claims"]
    assert [length["considered"] for length in claim["lengths"]] == [2**n - 1 for n in (1, 2, 4)]


def test_covered(covered: Path) -> None:
    assert replayed(covered).verdict == "accepted"
    scripts = [path.read_text() for path in (covered / "obligations").iterdir()]
    assert scripts
    assert all(map(unsatisfiable, scripts))


def test_cells_that_leave_words_out_have_a_script_that_is_satisfiable(covered: Path) -> None:
    (claim,) = json.loads((covered / MAIN).read_text())["claims"]
    points = claim["layouts"][0]["points"]
    record = Record()
    for left_out in range(len(points)):
        fewer = [{"points": [point for place, point in enumerate(points) if place != left_out]}]
        subject = comparison.Subject(NETWORK, NETWORK, None, None)
        replay_cells(subject, record, fewer)
    assert not all(map(unsatisfiable, record.obligations.values()))


@pytest.mark.parametrize("fixture", ["enumerated", "covered"])
@pytest.mark.parametrize(("other", "seed"), [(near, 5), (odd, 6)])
def test_changed_claims_are_rejected(
    fixture: str, other: Other, seed: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    check_changes(request.getfixturevalue(fixture), tmp_path, other, seed, 5)


def check_changes(folder: Path, to: Path, other: Other, seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    for number in range(count):
        copy = to / str(number)
        shutil.copytree(folder, copy)
        what = change_value(copy, random, other)
        assert replayed(copy).verdict == "rejected", what


@pytest.mark.slow
@pytest.mark.parametrize("fixture", ["enumerated", "covered"])
def test_many_changes_are_rejected(fixture: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    for seed, other in enumerate((near, odd)):
        (tmp_path / str(seed)).mkdir()
        check_changes(request.getfixturevalue(fixture), tmp_path / str(seed), other, seed, 25)


@pytest.mark.slow
def test_many_changes_of_a_translated_network_are_rejected(tmp_path: Path) -> None:
    from translator import cli

    model = Path(__file__).resolve().parents[2] / "examples" / "majority" / "model.onnx"
    out = tmp_path / "certificate"
    assert cli.execute(["verify", str(model), "--max-length", "3", "--certificate", str(out)]) == 0
    random = np.random.default_rng(8)
    for number in range(20):
        copy = tmp_path / str(number)
        shutil.copytree(out, copy)
        what = change_number(copy, random, ("family.jsonl", "sentence.fom"))
        assert replayed(copy).verdict == "rejected", what
        shutil.rmtree(copy)
    check_changes(out, tmp_path, near, 9, 20)


def test_a_wrong_specification_is_rejected(tmp_path: Path) -> None:
    own = parse(own_sentence(NETWORK), "own")
    wrong = to_ascii(replace(own, formula=Not(own.formula)))
    with pytest.raises(Rejected, match="it is wrong on input"):
        made(tmp_path / "c", NETWORK, exhaustive_claim([3], "spec"), spec=wrong)


def test_another_network_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match="wrong on input"):
        made(tmp_path / "c", NETWORK, exhaustive_claim([1, 2, 3], "other"), other=network_to_text(random_network(2)))


def test_positions(tmp_path: Path) -> None:
    spec = own_sentence(TAGGER)
    result = replayed(made(tmp_path / "c", TAGGER, exhaustive_claim([1, 3], "spec"), spec=spec, at="x <= 2"))
    assert (result.verdict, result.scopes) == ("accepted", ["network = spec: n = 1, 3, at artifacts/at.fom"])


@pytest.mark.parametrize("text", ["class[0] | class[1]", "(forall x. a(x) <-> a.2(x)) -> (class[1] <-> class[1].2)"])
def test_properties(text: str, tmp_path: Path) -> None:
    claim = exhaustive_claim([1, 2, 3], "property")
    assert replayed(made(tmp_path / "c", NETWORK, claim, property=text)).verdict == "accepted"
    with pytest.raises(Rejected, match="wrong on input"):
        made(tmp_path / "d", NETWORK, claim, property=f"!({text})")


@pytest.mark.parametrize(
    "text", ["b(x) -> class[1](x)", "exists x. class[0](x) | a.2(x)", "class[1](1) <-> class[1].2(1)"]
)
def test_properties_are_those_of_every_word(text: str) -> None:
    given = Property(TAGGER, parse(text, "property"))
    words = np.indices((2,) * 3).reshape(3, -1).T
    second = words if given.copies == 1 else np.tile(words, (8, 1))
    first = words if given.copies == 1 else np.repeat(words, 8, axis=0)
    _, found, wrong = comparison.on_property(TAGGER, given, words, True, Record())
    assert np.array_equal(found, given.holds(first, second))
    assert np.array_equal(found, ~wrong)


def test_many_inputs_are_evaluated_fast_and_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    subject = comparison.Subject(NETWORK, specification_of(parse(own_sentence(NETWORK), "own"), NETWORK), None, None)
    record = Record()
    slow = comparison.compare_length(subject, record, 6)
    monkeypatch.setattr(comparison, "DEFINED", 16)
    monkeypatch.setattr(comparison, "SAMPLED", 10)
    fast = comparison.compare_length(subject, record, 6)
    assert slow == fast
    assert record.counts == {"inputs": 128, "inputs as defined": 74}
    monkeypatch.setattr(comparison, "evaluate", lambda *given: {"decision": np.full((64, 1), 7), "scores": None})
    with pytest.raises(Rejected, match="the evaluators differ"):
        comparison.compare_length(subject, Record(), 6)


def test_obligations_are_stated(tmp_path: Path) -> None:
    script = "(set-logic QF_LIA)\n(assert false)\n(check-sat)\n"
    name = Record().obligation(script)
    folder = tmp_path / "c"
    folder.mkdir()
    artifacts = artifacts_of(NETWORK, spec=own_sentence(NETWORK))
    write(folder, artifacts, lambda _: [obligations_claim("spec", "it holds", [name])], {name: script})
    result = replayed(folder)
    assert result.verdict == "accepted"
    assert "stated and not re-checked" in result.scopes[0]
    (folder / "obligations" / name).write_text(script.replace("false", "true"))
    rehash(folder)
    assert replayed(folder).findings == [(f"obligations/{name}", "its name is not that of its contents")]


def test_an_artifact_that_no_claim_speaks_of_is_rejected(tmp_path: Path) -> None:
    folder = made(tmp_path / "c", NETWORK, exhaustive_claim([1]), spec="true")
    assert replayed(folder).findings == [("artifacts/spec.fom", "no claim speaks of it")]


@pytest.mark.parametrize(
    ("name", "text"), [("spec", "exists x. c(x)"), ("spec", "a(x)"), ("where", "a(x)"), ("at", "a(x)"), ("spec", "a(")]
)
def test_what_does_not_fit_the_network_is_rejected(name: str, text: str, tmp_path: Path) -> None:
    with pytest.raises((Rejected, FomError)):
        made(tmp_path / "c", NETWORK, exhaustive_claim([1], "spec"), **{"spec": "true", name: text})
