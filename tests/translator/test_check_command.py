"""``fom check``: exit codes, and what is not installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from logic.checker import certificate, programs
from logic.checker.record import Record
from logic.checker.statements import WORDS, Law, quotient_law, rounding_law, words_lemmas
from translator.cli import execute


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
