"""``fom check``: exit codes, and what is not installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from logic.checker import certificate, programs
from logic.checker.record import Record
from logic.checker.statements import WORDS, Law, quotient_law, rounding_law, words_lemmas
from translator.cli import execute

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def test_no_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["check", str(tmp_path), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"][0]["code"] == "L080"


def test_what_is_not_installed_is_not_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "find", lambda program: None)
    record, result = Record(lemmas={WORDS: words_lemmas()}), certificate.Result()
    certificate.ask(record, result, (), lambda _: None)
    assert (result.verdict, result.findings[0][0]) == ("unknown", "coq")
    allowed = certificate.Result()
    certificate.ask(record, allowed, ("coq",), lambda _: None)
    assert (allowed.verdict, allowed.parts[-1].outcome) == ("accepted", "not checked")


@pytest.mark.interop
@pytest.mark.parametrize("law", [rounding_law(3), rounding_law(-2), rounding_law(0), quotient_law(1), quotient_law(-1)])
def test_laws_are_proved_by_coq_and_cvc5(law: Law) -> None:
    assert programs.decide("coq")(law.coq()) == "proved"
    assert programs.decide("cvc5")(law.smt()) == "unsat"


@pytest.mark.interop
def test_a_wrong_law_is_not_proved() -> None:
    from dataclasses import replace

    wrong = replace(rounding_law(3), const=-3)
    assert programs.decide("coq")(wrong.coq()).startswith("error")
    assert programs.decide("cvc5")(wrong.smt()) == "sat"


@pytest.fixture(scope="module")
def half_a(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network that compares the letters, at a precision that its specification fits."""
    out = tmp_path_factory.mktemp("half_a") / "translation"
    model = str(EXAMPLES / "half_a" / "model.onnx")
    assert execute(["translate", model, "--precision", "fixed:*.4", "--max-length", "3", "-o", str(out)]) == 0
    return out


def checked(out: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What the checker says without other programs."""
    capsys.readouterr()
    assert execute(["check", str(out), "--json", *(f"--without={name}" for name in programs.PROGRAMS)]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


SPEC = "32*#x[b(x)] - 32*#x[a(x)] > n"


@pytest.mark.parametrize(
    ("options", "claim"),
    [
        (["--against", SPEC], "network = spec: every length n"),
        (["--against", SPEC, "--max-length", "3", "--where", "exists x. a(x)"],
         "network = spec: n = 1, 2, 3, where artifacts/where.fom"),
        (["--property", "(forall x. b(x) -> b.2(x)) -> (class[1] -> class[1].2)", "--max-length", "2"],
         "network = property: n = 1, 2"),
        (["--property", "(forall x. b(x)) -> class[1]"],
         "network = property: if 2 obligations imply it, which is stated and not re-checked: network = property, every length n, "
         "by the method cells"),
        (["--against", "SELF", "--max-length", "4", "--method", "counts"], "network = other: n = 1, 2, 3, 4"),
    ],
)  # fmt: skip
def test_comparisons_are_certified(
    options: list[str], claim: str, half_a: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "certificate"
    given = [str(half_a) if option == "SELF" else option for option in options]
    assert execute(["verify", str(half_a), *given, "--certificate", str(out)]) == 0
    assert "leaves out" not in capsys.readouterr().err
    assert checked(out, capsys)["claims"] == [claim]


def test_what_is_left_out_is_said(half_a: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "certificate"
    options = ["--against", SPEC, "--max-length", "17", "--method", "counts"]
    assert execute(["verify", str(half_a), *options, "--certificate", str(out)]) == 0
    told = capsys.readouterr().err
    assert (
        "note: the certificate leaves out network = spec, n = 1..17: from n = 16 on there are too many inputs"
        in " ".join(told.split())
    )


def test_nothing_is_certified(half_a: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "certificate"
    wrong = ["verify", str(half_a), "--against", "exists x. a(x)", "--max-length", "3", "--certificate", str(out)]
    assert execute(wrong) == 1
    assert "no certificate was written" in capsys.readouterr().err
    assert not out.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    assert execute(["verify", str(half_a), "--certificate", str(tmp_path / "other")]) == 2
    assert "T051" in capsys.readouterr().err
