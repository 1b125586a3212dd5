"""Formatting: the same sentence and comments, idempotent, within the width, and as written here."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from logic import Sentence, parse, to_ascii, to_unicode
from logic.formatting import format_text
from logic.lalr import tables
from logic.printer import ASCII, UNICODE
from tests.logic.examples import EXAMPLES, sentences

MESSY = """\
//top

letters a,  b ; -- beside
propositions p.1;



-- how many
sum   seen(x):=#y[y<=x and a(y)];let q := ! M  i . a(i) or ⊤; -- behind
let far(x) := exists y , z.(seen(y) - - 3>=seen(z)-2 * n) -- inside
  -- alone
  & b(x)-> p.1;
-- before the formula
exists x.far(x)|(~b(1) & b(2)) -- behind the formula
--
-- the end"""

ASCII_80 = """\
-- top

letters a, b; -- beside
propositions p.1;

-- how many
sum seen(x) := #y[y <= x & a(y)];
let q := ~M i. a(i) | true; -- behind
let far(x) :=
  exists y, z.
      (seen(y) - -3 >= seen(z) - 2*n) -- inside
      -- alone
      & b(x)
    -> p.1;
-- before the formula
exists x. far(x) | (~b(1) & b(2)) -- behind the formula
--
-- the end
"""

UNICODE_50 = """\
-- top

letters a, b; -- beside
propositions p.1;

-- how many
sum seen(x) := #y[y ≤ x ∧ a(y)];
let q := ¬M i. a(i) ∨ ⊤; -- behind
let far(x) :=
  ∃y, z.
      (seen(y) - -3 ≥ seen(z) - 2*n) -- inside
      -- alone
      ∧ b(x)
    → p.1;
-- before the formula
∃x. far(x) ∨ (¬b(1) ∧ b(2)) -- behind the formula
--
-- the end
"""


def comments(text: str) -> list[str]:
    """All comments of a text, in order, without their signs."""
    found = [match["COMMENT"] for match in tables().scanner.finditer(text) if match["COMMENT"]]
    return [one[2:].removeprefix(" ") for one in found]


def check(text: str, width: int) -> str:
    laid_out = format_text(text, width=width)
    before, after = parse(text, check=False), parse(laid_out, check=False)
    assert before == after
    assert before.definitions == after.definitions
    assert format_text(laid_out, width=width) == laid_out
    assert comments(laid_out) == comments(text)
    return laid_out


def test_a_messy_file() -> None:
    assert format_text(MESSY, notation=ASCII, width=80) == ASCII_80
    assert format_text(MESSY, width=50) == UNICODE_50
    assert format_text(ASCII_80, notation=UNICODE, width=50) == UNICODE_50
    assert format_text(UNICODE_50, notation=ASCII, width=80) == ASCII_80


@pytest.mark.parametrize(
    ("text", "laid_out"),
    [
        ("true", "true\n"),
        ("a(1) ;", "a(1);\n"),
        ("p(1)&q(2)&(r(1)|s(2))", "p(1) & q(2)\n& (r(1) | s(2))\n"),
        ("forall x.exists y.a(x)&b(y)->c(x)", "forall x. exists y.\n    a(x) & b(y)\n  -> c(x)\n"),
        ("2*[a(1)]-3*#y[b(y):#z[a(z)]]+n>=4", "2*[a(1)]\n  - 3*#y[b(y)\n    : #z[a(z)]] + n\n  >= 4\n"),
        ("let p(x,y,z,u,v,w):=true;p(1,2,3,4,5,6)", "let p(x, y, z, u, v,\n  w) :=\n  true;\np(1, 2, 3, 4, 5, 6)\n"),
        ("letters a,'b c',d,e,f,g,h;a(1)", "letters a, 'b c', d,\n  e, f, g, h;\na(1)\n"),
        ("a(1)->b(1)->(c(1)->d(1))", "a(1) -> b(1)\n-> (c(1) -> d(1))\n"),
    ],
)
def test_layouts(text: str, laid_out: str) -> None:
    assert check(text, 20) == laid_out


def test_long_operands_stand_below_each_other() -> None:
    long, short = "a_letter_with_a_long_name(1)", "a(1)"
    assert check(f"{long} & {short} & {long}", 50) == f"{long}\n& {short}\n& {long}\n"
    assert (
        check(" | ".join([short] * 12), 40) == " | ".join([short] * 6) + "\n| " + " | ".join([short] * 5) + "\n| a(1)\n"
    )


@pytest.mark.parametrize("text", [*EXAMPLES, MESSY])
@pytest.mark.parametrize("width", [20, 60, 120])
def test_examples_stay_themselves(text: str, width: int) -> None:
    check(text, width)


@given(sentences(), st.sampled_from([20, 50, 120]), st.booleans(), st.data())
@settings(max_examples=60, deadline=None)
def test_random_sentences_with_comments_stay_themselves(
    sentence: Sentence, width: int, unicode: bool, data: st.DataObject
) -> None:
    """Comments and line breaks are put between any two tokens."""
    text = to_unicode(sentence) if unicode else to_ascii(sentence)
    pieces: list[str] = []
    gaps = st.sampled_from(["", "", "", "", "\n", "\n\n", " -- c\n", "\n-- own\n", "\n\n//far\n\n", " --\n--  two\n"])
    for match in tables().scanner.finditer(text):
        pieces.append(match[0])
        if match.lastgroup not in ("COMMENT", "SPACE"):
            pieces.append(data.draw(gaps))
    check("".join(pieces), width)


@given(sentences(), st.sampled_from([40, 80]))
@settings(max_examples=60, deadline=None)
def test_lines_keep_the_width(sentence: Sentence, width: int) -> None:
    """A longer line holds one thing that cannot be broken: few tokens, or deep inside."""
    for line in format_text(to_ascii(sentence), width=width).splitlines():
        assert len(line) <= width or line.startswith("--") or len(line.split()) <= 12


def test_deep_nesting_and_long_chains() -> None:
    deep = "(" * 5_000 + "a(1) & b(1)" + ")" * 5_000
    assert parse(format_text(deep)) == parse(deep)
    chain = " & ".join(["a(1)"] * 5_000)
    assert parse(format_text(chain)) == parse(chain)


def test_errors() -> None:
    with pytest.raises(FomError, match=r"f.fom:1:7"):
        format_text("a(1) &", "f.fom")
    with pytest.raises(FomError, match="L004"):
        format_text("a(1)", width=5)
