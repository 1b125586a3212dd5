"""``fom eval`` on long words: files of words, memory stated and refused, positions in few lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from translator import cli, model_checking

DYCK = (
    "letters o, c; sum up(x) := #y[y <= x & o(y)] - #y[y <= x & c(y)]; "
    "(forall x. up(x) >= 0) & #x[o(x)] = #x[c(x)]"
)  # fmt: skip
CUBE = "let d(x, y, z) := a(x) & b(y) | x + y = z; exists x. #y, z[d(x, y, z)] >= 3 & forall y. d(x, y, x)"


def file_of(folder: Path, *words: str) -> str:
    path = folder / "words.txt"
    path.write_text("".join(word + "\n" for word in words), encoding="utf-8")
    return str(path)


def test_words_of_a_file_follow_those_given(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path, "oc" * 1000, "", "o c o", "c" * 1000 + "o" * 1000)
    assert cli.execute(["eval", DYCK, "oc", "co", "--words", path]) == 0
    assert capsys.readouterr().out.split() == ["true", "false", "true", "true", "false", "false"]


def test_effort_is_stated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path, "oc" * 500)
    assert cli.execute(["eval", DYCK, "--words", path, "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["results"] == [True]
    assert data["seconds"] > 0
    assert 1000 < data["memory"] < 10**6
    assert cli.execute(["eval", DYCK, "--words", path, "--verbose"]) == 0
    found = capsys.readouterr()
    assert found.out == "true\n"
    assert found.err.endswith(f" seconds, at most {data['memory'] / 1e6:,.1f} MB\n")
    assert cli.execute(["eval", DYCK, "oc", "--reference", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["memory"] is None


def test_what_does_not_fit_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = file_of(tmp_path, "ab" * 50, "ab" * 100)
    assert cli.execute(["eval", CUBE, "--words", path, "--memory", "2MB", "--json"]) == 2
    (found,) = json.loads(capsys.readouterr().out)["error"]
    assert (found["code"], found["where"]) == ("L022", "definition `d`")
    assert "length 200" in found["message"]
    assert "limit is 2,000,000" in found["message"]
    assert cli.execute(["eval", CUBE, "ab" * 50, "--memory", "2MB"]) == 0


def test_many_words_are_evaluated_in_parts(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["ab" * 20, "ba" * 20] * 20
    asked = model_checking.question(CUBE, words, None, None)
    whole = model_checking.memory_needed(asked)
    assert model_checking.memory_needed(asked, whole // 4) <= whole // 4
    assert model_checking.answer(asked, False, whole // 4) == model_checking.answer(asked, False)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["true", "--words", "missing.txt"], "T018"),
        (["true", "--words", "."], "T018"),
        (["true"], "T070"),
        (["true", "a", "--memory", "much"], "T070"),
    ],
)
def test_what_cannot_be_used(arguments: list[str], code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["eval", *arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"][0]["code"] == code


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([True, False, True], "true false true"),
        ([], ""),
        ([False] * 41, "none of 41"),
        ([True] * 41, "1-41 of 41"),
        ([False, True, True, False, True] + [False] * 40, "2-3, 5 of 45"),
        ([False] * 44 + [True], "45 of 45"),
    ],
)
def test_positions(values: list[bool], text: str) -> None:
    assert model_checking.positions_text(values) == text


def test_a_long_word_beside_its_result() -> None:
    assert model_checking.shortened(()) == "(empty word)"
    assert model_checking.shortened(("a",) * 40) == " ".join("a" * 40)
    assert model_checking.shortened(("a",) * 41) == " ".join("a" * 20) + " ... (41 letters)"
