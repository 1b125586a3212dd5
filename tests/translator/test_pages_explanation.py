"""Pages of explanations: everything that was found is said, nothing is said that was not, and the page is sound HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logic.comparing.registry import METHODS, UNBOUNDED
from logic.measure import measure
from logic.parser import parse
from logic.printer import UNICODE, write
from logic.searching.aiming import Candidate
from logic.syntax import Sentence
from logic.verdicts import Claim, Counterexample, Holds, Refuted, Unknown
from tests.translator.page_reading import Balanced, read, shown
from translator.explanations.explanation import Explained, Explanation
from translator.pages import explanation_html, explanation_lines
from translator.pages.elements import element, text
from translator.pages.example_words import examples_of
from translator.pages.formulas import chunks
from translator.pages.front_chart import percent
from translator.pages.verdicts import METHODS as WORDS
from translator.verifying.question import Report

SEARCHED = "all 510 words of length 1 to 8"
RIVAL = ("network", "spec")


def candidate(formula: str, wrong: int, total: int = 510, letters: str = "letters a, b;") -> Candidate:
    sentence = parse(f"{letters} {formula}")
    return Candidate(sentence, measure(sentence).nodes, wrong, total)


def report(verdict: str, *claims: Claim) -> Report:
    return Report(verdict, "n = 1..8", claims, ("a note",))


FRONT = (
    candidate("true", 255),
    candidate("exists x. b(x)", 247),
    candidate("exists x. b(x) & forall y. y < x -> a(y)", 121),
    candidate("let more := #x[b(x)] - #x[a(x)] >= 1; more | ~more & false", 0),
)
CELLS = report("holds", Claim(*RIVAL, "every length n", "cells", Holds(), 1.25, theorem="a theorem"))
EXACT = Explained("class[1]", FRONT, FRONT[-1], CELLS, SEARCHED, 2, (), 3.4)
INEXACT = Explained("class[0]", FRONT[:3], FRONT[2], None, SEARCHED, 0, ("b", "a b"), 9.0)
SHARES = ((1.0, 0.0, 0.0), (0.5, 0.5, 0.0), (0.25, 0.25, 0.5))
EXPLANATION = Explanation(
    "models/majority/model.onnx", "fixed:5", ("a", "b"), "every n >= 1", (EXACT, INEXACT),
    (("blocks0.head[1]", "the share of b", "all words of length 6"),),
    "answer = width(b) > width(a)\n", "def answer(word):\n    return word.count('b') > word.count('a')\n",
    "a b b", (("head 0", SHARES), ("head 1", SHARES[::-1])), {"search": 3.4},
)  # fmt: skip


def lines(explanation: Explanation) -> str:
    return "\n".join("".join(part for part, _ in line) for line in explanation_lines(explanation))


def test_the_page_says_all_that_was_found() -> None:
    said = shown(explanation_html(EXPLANATION))
    for one in EXPLANATION.explained:
        for found in one.front:
            assert write(found.sentence.formula, UNICODE) in said
            assert percent(found) in said
    assert "more := #x[b(x)] - #x[a(x)] ≥ 1" in said
    for part in ("models", "a theorem", "cells of letter counts", "for every length n", "2 times refined", "fixed:5",
                 "the share of b", "head 0", "head 1", "answer = width(b) > width(a)", "word.count('b')"):  # fmt: skip
        assert (part in said) == (part != "models"), part


def test_the_terminal_says_the_same_within_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = lines(EXPLANATION)
    together = " ".join(said.split())
    for one in EXPLANATION.explained:
        for found in one.front:
            assert write(found.sentence.formula, UNICODE) in together
    assert max(map(len, said.split("\n"))) <= 80
    assert "holds: the network answers class[1] exactly where the formula holds, for every length n" in together
    assert "wrong on b, a b, ..." in together


def test_pages_are_deterministic() -> None:
    assert explanation_html(EXPLANATION) == explanation_html(EXPLANATION)


@pytest.mark.parametrize(
    ("found", "word", "meaning"),
    [
        (EXACT, "holds", "for every length n"),
        (INEXACT, "inexact", "121 of the 510 answers searched"),
        (replace(EXACT, report=None), "not verified", "right on all 510"),
        (replace(EXACT, report=report("unknown", Claim(*RIVAL, "n = 8", "auto", Unknown("the time is over"), 0))),
         "unknown", "not decided whether"),
        (replace(EXACT, report=report("refuted", *(
            Claim(*RIVAL, "n = 9", "exhaustive", Refuted(Counterexample(word, {"network": True, "spec": False})), 0)
            for word in ("a b a", "a b")))), "refuted", "network and formula differ on: a b"),
    ],
)  # fmt: skip
def test_a_verdict_is_said_as_strongly_as_it_is(found: Explained, word: str, meaning: str) -> None:
    explanation = replace(EXPLANATION, explained=(found,))
    page = explanation_html(explanation)
    assert f">{word}</span>" in page
    assert meaning in shown(page)
    assert ("exactly where the formula holds, for" in shown(page).replace("not decided whether the network answers "
            "class[1] exactly where the formula holds, for", "")) == (word == "holds")  # fmt: skip
    assert (f"{found.name} exactly where" in lines(explanation).split("\n\n")[1]) == (word == "holds")
    assert f"\n{word}: " in lines(explanation)
    if word == "refuted":
        assert "differ on: a b a" not in shown(page)


def test_letters_with_signs_of_html_are_escaped() -> None:
    letters = "letters '<b>', '&\"';"
    one = candidate("'<b>'(x) | exists y. '&\"'(y)", 0, letters=letters)
    found = Explained('class["<i>"]', (one,), one, None, "<searched>", 0, ('<b> &"',), 0.1)
    explanation = Explanation(
        "<m>/a&b.onnx", "fixed:4", ("<b>", '&"'), "1 <= n <= 16", (found,), (("<w>", "'<b>'(x)", "n < 3"),),
        "<rasp>", "if a < b & c: pass", '<b> &"', (("<head>", ((1.0, 0.0), (0.0, -1.0))),),
    )  # fmt: skip
    page = explanation_html(explanation)
    tags = {tag for tag, _ in read(page).tags}
    assert not {"w", "i", "m", "rasp", "head>"} & tags
    assert page.count("<b>") == sum(tag == "b" for tag, _ in read(page).tags)
    assert "'<b>'(x) ∨ (∃y. '&\"'(y))" in shown(page)
    assert "1 <= n <= 16" in shown(page)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_comes_back(content: str, attribute: str) -> None:
    parser = Balanced()
    parser.feed(element("p", text(content), title=attribute))
    parser.close()
    assert parser.tags == [("p", {"title": attribute})] or "\r" in attribute
    assert unescape(text(content)) == content or "\0" in content


@given(st.sampled_from(FRONT))
def test_chunks_are_the_formula(found: Candidate) -> None:
    assert " ".join(chunks(found.sentence.formula)) == write(found.sentence.formula, UNICODE)


def test_examples_are_the_shortest_words_of_either_kind() -> None:
    found = examples_of(parse("letters a, b; #x[b(x)] - #x[a(x)] >= 1"), ("a", "b"))
    words = [["".join(letter for letter, _ in word) for word in kind] for kind in (found.yes, found.no)]
    assert words[0][:4] == ["b", "bb", "abb", "bab"]
    assert words[1][:4] == ["a", "aa", "ab", "ba"]
    assert len(words[0]) == len(words[1]) == 10
    marked = examples_of(parse("letters a, b; exists y. y < x & a(y)"), ("a", "b"))
    assert marked.yes[0] == (("a", False), ("a", True))
    assert marked.no[0] == (("a", False),)


def test_large_alphabets_have_no_examples() -> None:
    letters = tuple(f"t{number}" for number in range(6_000))
    found = examples_of(Sentence(letters, (), (), FRONT[0].sentence.formula), letters)
    assert not found.yes
    assert not found.no


def percents(page: str) -> Sequence[str]:
    return re.findall(r"(\d+(?:\.\d)?)% *</td>", page)


@pytest.mark.parametrize(
    ("wrong", "total", "said"), [(0, 10, "100%"), (1, 100_000, "99.9%"), (1, 3, "66.6%"), (0, 0, "100%")]
)
def test_only_what_is_never_wrong_is_100_percent(wrong: int, total: int, said: str) -> None:
    one = candidate("true", wrong, total)
    found = Explained("class[1]", (one,), one, None, SEARCHED, 0, (), 0.0)
    page = explanation_html(Explanation("m.onnx", "fixed:4", ("a", "b"), "every n", (found,)))
    assert percents(page) == [said[:-1]]


def test_attention_is_drawn_weight_by_weight() -> None:
    page = explanation_html(EXPLANATION)
    cells = [attributes for tag, attributes in read(page).tags if tag == "rect" and attributes["class"] == "cell"]
    weights = [weight for row in (*SHARES, *SHARES[::-1]) for weight in row if weight]
    assert [float(cell["fill-opacity"] or "") for cell in cells] == weights
    assert "b at 2 reads a at 1: 0.500" in shown(page)


def test_large_attention_is_cut() -> None:
    n = 100
    weights = tuple(tuple(1.0 / n for _ in range(n)) for _ in range(n))
    long = replace(EXPLANATION, word=" ".join("ab" * (n // 2)), attention=tuple((f"h{i}", weights) for i in range(30)))
    page = explanation_html(long)
    assert "25 more heads are not drawn" in page
    assert "h0, the first 48 of 100 positions" in page
    assert len(page) < 3_000_000
    assert "too many for the terminal" in lines(long)


def test_a_closed_formula_of_a_tagger_speaks_of_positions_too() -> None:
    front = (candidate("false", 9), candidate("a(x)", 4))
    found = Explained("class[1]", front, front[0], None, SEARCHED, 0, (), 0.0)
    assert "class[1] at position x nearly where" in lines(replace(EXPLANATION, explained=(found,)))
    assert "class[0] nearly where" in lines(EXPLANATION)


def test_words_are_not_broken_in_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    words = tuple(" ".join("ab"[i % 2] * (5 + i)) for i in range(8))
    said = lines(replace(EXPLANATION, explained=(replace(INEXACT, wrong=words),)))
    assert all(f"{word}," in said for word in words)


def test_a_long_list_of_what_is_inside_is_cut_and_counted() -> None:
    many = replace(EXPLANATION, inside=tuple((f"w[{i}]", f"a({i})", "n < 9") for i in range(450)))
    said = shown(explanation_html(many))
    assert "w[399]" in said
    assert "w[400]" not in said
    assert "50 more are not listed" in said
    assert "w[23]" in lines(many)
    assert "w[24]" not in lines(many)
    assert "426 more are not listed" in lines(many)


def test_every_method_has_words() -> None:
    assert {method.name for method in METHODS} | {method.name for method in UNBOUNDED} <= WORDS.keys()
