"""Text: what is printed parses back to the identical object, in ASCII and in Unicode."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from lark import Lark

from logic import Sentence, parse, parse_formula, to_ascii, to_unicode
from logic.lalr import tables
from logic.syntax import (
    ONE,
    And,
    Call,
    Compare,
    Count,
    Exists,
    Forall,
    Iff,
    Implies,
    Indicator,
    Letter,
    Linear,
    Majority,
    Not,
    Or,
    Sum,
    SumCall,
    Term,
    var,
)
from tests.logic.examples import EXAMPLES, sentences

A, B, C = Letter("a", Term((), 0, 1)), Letter("b", Term((), 0, 1)), Letter("c", Term((), 0, 1))
X, Y = var("x"), var("y")


def same(left: Sentence, right: Sentence) -> bool:
    bodies = [(one.body, other.body) for one, other in zip(left.definitions, right.definitions, strict=True)]
    return left == right and left.formula is right.formula and all(one is other for one, other in bodies)


@pytest.mark.parametrize("text", EXAMPLES)
def test_examples_round_trip(text: str) -> None:
    sentence = parse(text)
    assert same(parse(to_ascii(sentence)), sentence)
    assert same(parse(to_unicode(sentence)), sentence)
    assert to_ascii(parse(to_unicode(sentence))) == to_ascii(sentence)
    assert to_ascii(sentence).isascii()


@given(sentences())
@settings(max_examples=150, deadline=None)
def test_random_sentences_round_trip(sentence: Sentence) -> None:
    assert same(parse(to_ascii(sentence)), sentence)
    assert same(parse(to_unicode(sentence)), sentence)


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("a(1) & b(1) & c(1)", And((A, B, C))),
        ("(a(1) & b(1)) & c(1)", And((And((A, B)), C))),
        ("a(1) & b(1) | c(1)", Or((And((A, B)), C))),
        ("a(1) | b(1) & c(1)", Or((A, And((B, C))))),
        ("a(1) -> b(1) -> c(1)", Implies(A, Implies(B, C))),
        ("a(1) <-> b(1) -> c(1)", Iff(A, Implies(B, C))),
        ("a(1) <-> b(1) <-> c(1)", Iff(A, Iff(B, C))),
        ("~a(1) & b(1)", And((Not(A), B))),
        ("! not ¬ a(1)", Not(Not(Not(A)))),
        ("a(1) and b(1) or c(1)", Or((And((A, B)), C))),
        ("a(1) & forall x. b(1) | c(1)", And((A, Forall("x", Or((B, C)))))),
        ("~forall x. b(1) -> c(1)", Not(Forall("x", Implies(B, C)))),
        ("forall x, y. a(1)", Forall("x", Forall("y", A))),
        ("M i.b(i)", Majority("i", Letter("b", var("i")))),
        ("M x.x.a(x)", Majority("x", Letter("x.a", X))),
        ("∃x.M(x)", Exists("x", Letter("M", X))),
        ("android(1)", Letter("android", Term((), 0, 1))),
        ("'('(n - 1)", Letter("(", Term((), 1, -1))),
        ("h[3].2(x)", Letter("h[3].2", X)),
        ("p.x", Call("p.x")),
        ("x + 1 <= 2*y", Compare("<=", X + 1, Y * 2)),
        ("2*(x - y) + 3 > n", Compare("<", Term((), 1), (X - Y) * 2 + 3)),
        ("x != y", Not(Compare("=", X, Y))),
        ("x ≠ y", Not(Compare("=", X, Y))),
        ("[a(1)] >= 1", Linear(Sum(((1, Indicator(A)),)), 1)),
        ("[a(1)] > 1", Linear(Sum(((1, Indicator(A)),)), 2)),
        ("[a(1)] <= 1", Linear(Sum(((-1, Indicator(A)),)), -1)),
        ("[a(1)] < 1", Linear(Sum(((-1, Indicator(A)),)), 0)),
        ("1 <= [a(1)]", Linear(Sum(((1, Indicator(A)),)), 1)),
        (
            "[a(1)] = 1",
            And((Linear(Sum(((1, Indicator(A)),)), 1), Linear(Sum(((-1, Indicator(A)),)), -1))),
        ),
        ("#x[a(1)] >= n", Linear(Sum(((1, Count("x", A)),), -1), 0)),
        ("[a(1)] >= y", Linear(Sum(((1, Indicator(A)), (-1, Count("z", Compare("<=", var("z"), Y))))), 0)),
        ("[a(1)] >= x", Linear(Sum(((1, Indicator(A)), (-1, Count("y", Compare("<=", Y, X))))), 0)),
        ("2*(3*[a(1)] - #x[b(1) : 2]) >= 0", Linear(Sum(((6, Indicator(A)), (-2, Count("x", B, Sum((), 0, 2))))), 0)),
        ("#x[a(1) : 1] >= 0", Linear(Sum(((1, Count("x", A, ONE)),)), 0)),
        ("-[a(1)]*2 >= 0", Linear(Sum(((-2, Indicator(A)),)), 0)),
    ],
)
def test_parsing(text: str, formula: object) -> None:
    assert parse_formula(text) is formula


def test_names_are_resolved_by_their_definitions() -> None:
    sentence = parse("let p(x) := a(x); sum s(x) := 2*[p(x)]; let q := s(1) >= 2; q & p(n)")
    assert sentence.letters == ("a",)
    assert sentence.formula is And((Call("q"), Call("p", (Term((), 1),))))
    assert sentence.definitions[2].body is Linear(Sum(((1, SumCall("s", (Term((), 0, 1),))),)), 2)
    assert parse_formula("s(2) >= 1 & q", sentence) is And(
        (Linear(Sum(((1, SumCall("s", (Term((), 0, 2),))),)), 1), Call("q"))
    )


def test_letters_and_propositions_are_collected_or_declared() -> None:
    assert parse("b(1) & a(1) & p").letters == ("a", "b")
    assert parse("b(1) & a(1) & p").propositions == ("p",)
    assert parse("letters b, a, c; b(1)").letters == ("b", "a", "c")
    assert parse("propositions q, p; true").propositions == ("q", "p")


@pytest.mark.parametrize(
    ("text", "comment"),
    [
        ("-- one\n-- two\nlet p := true; p", "one\ntwo"),
        ("//one\nlet p := true; p", "one"),
        ("-- far\n\nlet p := true; p", ""),
        ("-- far\n\n-- near\nlet p := true; p", "near"),
        ("letters a; -- beside\nlet p := true; p", ""),
        ("let q := true; -- beside\n-- above\nlet p := true; p", "above"),
        ("--   indented\n  sum p() := 1; p() >= 1", "  indented"),
    ],
)
def test_a_comment_directly_above_a_definition_is_kept(text: str, comment: str) -> None:
    assert parse(text).definitions[-1].comment == comment


@pytest.mark.parametrize("text", EXAMPLES)
def test_lark_itself_accepts_what_we_parse(text: str) -> None:
    """Our driver reads lark's tables; lark's own driver is the second witness of the grammar."""
    from importlib.resources import files

    grammar = files("logic").joinpath("grammar.lark").read_text(encoding="utf-8")
    stock = Lark(grammar, parser="lalr", lexer="basic")
    for printed in (text, to_ascii(parse(text)), to_unicode(parse(text))):
        stock.parse(printed)
    assert tables() is tables()


def test_nesting_is_limited_by_memory_alone() -> None:
    depth = 30_000
    deep = parse("~" * depth + "a(1)").formula
    assert str(deep) == "~" * depth + "a(1)"
    assert parse("(" * depth + "a(1)" + ")" * depth).formula is A
    assert parse_formula(" & ".join(["a(1)"] * depth)) is And((A,) * depth)
    assert len(repr(deep)) < 200


def test_large_integers() -> None:
    big = 10**300
    assert parse_formula(f"{big}*[a(1)] >= -{big}") is Linear(Sum(((big, Indicator(A)),)), -big)
