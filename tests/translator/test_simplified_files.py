"""``fom fmt --simplify``: an equal sentence, its comments kept or named, and nothing written where it is not proved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from circuits.diagnostics import FomError
from logic import evaluate, parse
from logic.comments import comments_of
from translator.commands.fmt import fmt
from translator.simplified import simplified_text

TEXT = """\
-- The language: enough of b.

letters a, b; -- beside
-- what is
-- seen
let seen(x) := a(x);
-- stays
let far(x) := exists y. y < x & seen(y) & b(y + 1)
  -- inside
  | forall z. z <= x -> b(z);

-- the claim
(exists x. far(x) & seen(x)) & far(1) & far(n) -- behind
"""

SIMPLIFIED = """\
-- The language: enough of b.

letters a, b;
-- stays
let far(x) := (exists y. y < x & a(y) & b(y + 1)) | (forall z. z <= x -> b(z));
-- the claim
-- behind
(exists x. far(x) & a(x)) & far(1) & far(n)
"""


def run(path: Path, **changes: bool) -> None:
    flags = {"unicode": False, "ascii_": False, "check": False, "simplify": True} | changes
    fmt([str(path)], width=120, **flags)


def test_a_file_is_simplified_in_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "far.fom"
    path.write_text(TEXT)
    run(path)
    assert path.read_text() == SIMPLIFIED
    assert capsys.readouterr().err == (
        f"{path}: definitions 2 -> 1, nodes 18 -> 17, proved equal\n"
        f"{path}:4: this comment is left out, since `seen` is gone: -- what is\n"
        f"{path}:5: this comment is left out, since `seen` is gone: -- seen\n"
        f"{path}:3: this comment is left out, since what it stands at is rewritten: -- beside\n"
        f"{path}:9: this comment is left out, since what it stands at is rewritten: -- inside\n"
        f"laid out {path}\n"
    )
    before, after = parse(TEXT), parse(SIMPLIFIED)
    for n in range(6):
        words = np.array(list(np.ndindex(*(2,) * n))).reshape(2**n, n)
        assert np.array_equal(evaluate(before, words)[""], evaluate(after, words)[""])
    run(path)
    assert path.read_text() == SIMPLIFIED
    run(path, unicode=True)
    assert "∀z. z ≤ x → b(z)" in path.read_text()


def test_nothing_is_written_that_is_not_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from logic.verdicts import Proof

    monkeypatch.setattr("translator.simplified.prove_simplified", lambda *_: Proof((), ("`far` is another one",)))
    path = tmp_path / "far.fom"
    path.write_text(TEXT)
    with pytest.raises(FomError, match=r"T093.*not proved equal(.|\n)*far.fom(.|\n)*another one"):
        run(path)
    assert path.read_text() == TEXT


def test_where_comments_belong() -> None:
    found = comments_of(TEXT)
    assert [str(one) for one in found.top] == ["-- The language: enough of b."]
    assert {name: [one.text for one in its] for name, its in found.of_definitions.items()} == {
        "seen": ["what is", "seen"], "far": ["stays"],
    }  # fmt: skip
    assert [(one.text, one.line) for one in found.elsewhere] == [("beside", 3), ("inside", 9)]
    assert [one.text for one in found.of_formula] == ["the claim", "behind"]


@pytest.mark.parametrize(
    "text",
    [
        "-- first\nlet p := true; -- beside\n-- above\nlet q := p;\n\n-- apart\n\nlet r := q; r",
        "letters a;\n//\n// two\nsum s() := #x[a(x)]; -- beside\nlet t := -- in\n true; s() >= 1",
        "propositions p; let q := p; -- one\n-- two\nlet r := q; -- three\n q & r",
    ],
)
def test_definitions_have_the_comments_that_the_parser_gives_them(text: str) -> None:
    found = comments_of(text)
    for definition in parse(text).definitions:
        assert "\n".join(one.text for one in found.of_definitions[definition.name]) == definition.comment
    every = [
        *found.top,
        *found.elsewhere,
        *found.of_formula,
        *(c for its in found.of_definitions.values() for c in its),
    ]
    assert len(every) == text.count("--") + text.count("//")


def test_a_sentence_without_definitions() -> None:
    found = simplified_text("-- all\n¬¬∀x. a(x) ∧ a(x)", "formula", None, 80)
    assert found.text == "-- all\n\nletters a;\n∀x. a(x)\n"
    assert parse("exists x. ~~a(x)").simplified().sentence == parse("exists x. a(x)")
