"""Errors: what a user reads when a sentence cannot be used. The texts are golden."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from logic import Sentence, parse, parse_formula
from logic.syntax import TRUE, Definition, Letter, Term, var

SYNTAX = [
    (
        "forall x a(x)",
        """\
error[L001]: expected a variable and a dot after the quantifier, found `x`
  --> f.fom:1:8
   |
 1 | forall x a(x)
   |        ^
   = help: a quantifier is followed by its variables and a dot: `forall x, y. phi`""",
    ),
    (
        "letters a;\nlet p(x) := a(x) &;\np(1)",
        """\
error[L001]: expected a formula or a sum, found `;`
  --> f.fom:2:19
   |
 2 | let p(x) := a(x) &;
   |                   ^""",
    ),
    (
        "M x. (a(x) | b(x)",
        """\
error[L001]: expected `)`, found the end of the text
  --> f.fom:1:18
   |
 1 | M x. (a(x) | b(x)
   |                  ^
   = help: the `(` at line 1, column 6 is not closed""",
    ),
    (
        "1 < x < n",
        """\
error[L001]: expected an operator, `;` or the end, found `<`
  --> f.fom:1:7
   |
 1 | 1 < x < n
   |       ^
   = help: comparisons do not chain: write `s <= t & t <= u`""",
    ),
    (
        "#y a(y) >= 2",
        """\
error[L001]: expected a definition, a formula or a sum, found `#`
  --> f.fom:1:1
   |
 1 | #y a(y) >= 2
   | ^
   = help: a count names its variable: `#y[phi]`""",
    ),
    (
        "a(1) $ b(1)",
        """\
error[L001]: the character `$` does not belong to the language
  --> f.fom:1:6
   |
 1 | a(1) $ b(1)
   |      ^
   = note: expected an operator, `;` or the end""",
    ),
    (
        "a(1) + 1 >= 2",
        """\
error[L003]: the formula `a(1)` stands where a number is expected
  --> f.fom:1:1
   |
 1 | a(1) + 1 >= 2
   | ^
   = help: write [a(1)] for its 0 or 1, or define `a` with `sum` above""",
    ),
    (
        "exists x. x + 1",
        """\
error[L003]: a sum stands where a formula is expected
  --> f.fom:1:11
   |
 1 | exists x. x + 1
   |           ^
   = help: compare it with something: `... >= 1`""",
    ),
    (
        "exists x, y. x * y = n",
        """\
error[L003]: two terms are multiplied, and neither is an integer
  --> f.fom:1:14
   |
 1 | exists x, y. x * y = n
   |              ^
   = help: FO(M) has no products of counts or positions""",
    ),
    (
        "a(#y[b(y)])",
        """\
error[L003]: a count stands where an index term is expected
  --> f.fom:1:3
   |
 1 | a(#y[b(y)])
   |   ^
   = help: an index term has only variables, n and integers""",
    ),
    (
        "bit(1)",
        """\
error[L011]: `bit` takes a number and the index of a bit, found 1 argument
  --> f.fom:1:1
   |
 1 | bit(1)
   | ^""",
    ),
]


@pytest.mark.parametrize(("text", "message"), SYNTAX)
def test_syntax(text: str, message: str) -> None:
    with pytest.raises(FomError) as caught:
        parse(text, "f.fom")
    assert str(caught.value) == message


def test_long_lines_are_cut_around_the_caret() -> None:
    with pytest.raises(FomError) as caught:
        parse("a(1) & " * 100 + "& b(1)" + " & a(2)" * 100)
    line, caret = str(caught.value).splitlines()[-2:]
    assert line.startswith(" 1 | ...")
    assert line.endswith("...")
    assert line[caret.index("^")] == "&"
    assert len(line) < 110


CHECKS = [
    (
        "letters aa, b; ab(1)",
        """\
error[L016]: `ab` is neither a letter nor a definition
  --> formula:1:16, the final formula
   |
 1 | letters aa, b; ab(1)
   |                ^
   = note: the letters are aa, b
   = help: did you mean `b`?""",
    ),
    (
        "let head(x) := a(x); hed(1, 2)",
        """\
error[L010]: the relation `hed` is not defined
  --> formula:1:22, the final formula
   |
 1 | let head(x) := a(x); hed(1, 2)
   |                      ^
   = help: did you mean `head`?""",
    ),
    (
        "propositions flag; flga",
        """\
error[L010]: the relation or proposition `flga` is not defined
  --> formula:1:20, the final formula
   |
 1 | propositions flag; flga
   |                    ^
   = help: did you mean `flag`?""",
    ),
    (
        "let p(x) := a(x); p(1, 2) | p",
        """\
error[L011]: `p` takes 1 argument, found 2
  --> formula:1:19, the final formula
   |
 1 | let p(x) := a(x); p(1, 2) | p
   |                   ^
error[L011]: `p` takes 1 argument, found 0
  --> formula:1:29, the final formula
   |
 1 | let p(x) := a(x); p(1, 2) | p
   |                             ^""",
    ),
    (
        "let p(x) := a(y) & forall z. a(z); p(1)",
        """\
error[L014]: the variable `y` is not bound
  --> formula:1:15, definition `p`
   |
 1 | let p(x) := a(y) & forall z. a(z); p(1)
   |               ^
   = help: quantify it, count it, or make it a parameter""",
    ),
    (
        "a(x) & a(y)",
        """\
error[L014]: 2 variables are not bound: `x`, `y`
  --> formula:1:10, the final formula
   |
 1 | a(x) & a(y)
   |          ^
   = note: a sentence has no free variable, or one if it decides something at each position""",
    ),
    (
        "let p := q; let q := p; let r := r; p",
        """\
error[L013]: `q` is used before its definition
  --> formula:1:10, definition `p`
   |
 1 | let p := q; let q := p; let r := r; p
   |          ^
   = note: a definition may only use the definitions above it
error[L013]: `r` is used in its own definition
  --> formula:1:34, definition `r`
   |
 1 | let p := q; let q := p; let r := r; p
   |                                  ^
   = note: a definition may only use the definitions above it""",
    ),
    (
        "letters a; let a(x) := true; let p(x, x) := a(x); let p := true; p(1, 1)",
        """\
error[L015]: `a` is a definition and a letter
  --> formula:1:16, definition `a`
   |
 1 | letters a; let a(x) := true; let p(x, x) := a(x); let p := true; p(1, 1)
   |                ^
   = help: rename one of them
error[L015]: `p` is defined twice
  --> formula:1:55, definition `p`
   |
 1 | letters a; let a(x) := true; let p(x, x) := a(x); let p := true; p(1, 1)
   |                                                       ^
   = help: rename one of them
error[L015]: the parameter `x` occurs twice
  --> formula:1:39, definition `p`
   |
 1 | letters a; let a(x) := true; let p(x, x) := a(x); let p := true; p(1, 1)
   |                                       ^""",
    ),
    (
        "letters a, a; propositions x; exists x. a(x) & x",
        """\
error[L015]: the letter `a` is declared twice
  --> formula:1:12, the header
   |
 1 | letters a, a; propositions x; exists x. a(x) & x
   |            ^
error[L015]: `x` is a variable and a proposition
  --> formula:1:38, the final formula
   |
 1 | letters a, a; propositions x; exists x. a(x) & x
   |                                      ^
   = help: rename one of them""",
    ),
    (
        "let bit(x) := a(x); let p(q.1) := true; exists true1, n. a(true1)",
        """\
error[L017]: `bit` is a word of the language and cannot be a name
  --> formula:1:5, definition `bit`
   |
 1 | let bit(x) := a(x); let p(q.1) := true; exists true1, n. a(true1)
   |     ^
error[L017]: `q.1` cannot be a variable
  --> formula:1:27, definition `p`
   |
 1 | let bit(x) := a(x); let p(q.1) := true; exists true1, n. a(true1)
   |                           ^
   = note: a variable is a simple identifier other than n and the words of the language
error[L017]: `n` cannot be a variable
  --> formula:1:55, the final formula
   |
 1 | let bit(x) := a(x); let p(q.1) := true; exists true1, n. a(true1)
   |                                                       ^
   = note: a variable is a simple identifier other than n and the words of the language""",
    ),
]


PLACES = [
    ("letters a;\nlet p(x) :=\n  (exists y. a(y)) & #y[a(y) : 2*[a(y)]] >= 1\n  & a(y);\np(1)", "4:7"),
    ("#y[exists z. a(z) : [b(z)]] >= 1 & a(x)", "1:24"),
    ("letters a; -- q(1, 2)\n a(1) | q(1) | q(a, 1, n)", "2:9 2:16"),
    ("letters a;\nlet r(x) := r(x) | a(x); r(1)", "2:13"),
    ("letters '(', '('; '('(1)", "1:14"),
    ("letters a;\npropositions p, a; p", "2:17"),
    ("propositions p; let q(x) := #y, p[p <= x] >= 1; q(1)", "1:33"),
    ("letters a; '('(1) & '(x'(1)", "1:12 1:21"),
    ("sum s(x) := 1; sum t() := s(1) + [u(2, 3)] + s(1, 2); t() >= 1", "1:35 1:46"),
]


@pytest.mark.parametrize(("text", "places"), PLACES)
def test_places(text: str, places: str) -> None:
    with pytest.raises(FomError) as caught:
        parse(text, "f.fom")
    assert " ".join(one.where.split(",")[0].removeprefix("f.fom:") for one in caught.value.diagnostics) == places


@pytest.mark.parametrize(("text", "message"), CHECKS)
def test_checks(text: str, message: str) -> None:
    with pytest.raises(FomError) as caught:
        parse(text)
    assert str(caught.value) == message


def test_kinds_are_checked_in_sentences_not_made_by_the_parser() -> None:
    from logic.syntax import Call, Indicator, Linear, Sum, SumCall

    used_as_sum = Linear(Sum(((1, SumCall("p", (var("x"),))), (1, Indicator(Call("s", (var("x"),)))))), 1)
    definitions = (Definition("p", ("x",), Letter("a", var("x"))), Definition("s", ("x",), Sum((), 0, 1)))
    with pytest.raises(FomError) as caught:
        Sentence(("a",), (), definitions, used_as_sum).check("f.fom")
    assert str(caught.value) == (
        "error[L012]: the relation `p` is used as a sum\n"
        "  --> f.fom: the final formula\n"
        "   = help: write [p(...)] for its 0 or 1\n"
        "error[L012]: the sum `s` is used as a relation\n"
        "  --> f.fom: the final formula\n"
        "   = help: compare it: s(...) >= 1"
    )


def test_a_shared_node_cannot_hide_an_early_use() -> None:
    """The same interned node stands in two definitions, and only the first use is too early."""
    from logic.syntax import Call

    use = Call("late", (Term((), 0, 1),))
    made = (Definition("early", (), use), Definition("late", ("x",), TRUE), Definition("after", (), use))
    with pytest.raises(FomError) as caught:
        Sentence((), (), made, use).check()
    assert [one.code for one in caught.value.diagnostics] == ["L013"]


def test_a_formula_is_not_a_file() -> None:
    with pytest.raises(FomError, match="L002"):
        parse_formula("let p := true; p")
    with pytest.raises(FomError, match="5000 digits"):
        parse("9" * 5000 + "*[a(1)] >= 1")


PIECES = [
    "a(",
    ")",
    "x",
    "&",
    "~",
    "M x.",
    "#y[",
    "]",
    "3",
    "*",
    ">=",
    "let p :=",
    ";",
    "∀",
    "'",
    "-",
    ":",
    "forall",
    "n",
    "(",
]


@given(st.lists(st.sampled_from(PIECES), max_size=8).map(" ".join) | st.text(max_size=10))
@settings(max_examples=300, deadline=None)
def test_any_text_parses_or_is_refused_with_a_diagnostic(text: str) -> None:
    try:
        sentence = parse(text)
    except FomError as error:
        found = error.diagnostics
    else:
        found = ()
        assert parse(str(sentence)) == sentence
    assert all(one.code.startswith("L") and one.message for one in found)
