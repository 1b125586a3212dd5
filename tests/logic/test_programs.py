"""Programs say what their sentences say: on all short words, by the interpreter and as Python."""

from __future__ import annotations

import importlib.util
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from circuits.diagnostics import FomError
from circuits.words import all_words
from logic import Sentence, evaluate, parse
from logic.searching.programs import Program, program, read_program
from logic.searching.programs_of_sentences import program_of
from tests.logic.examples import sentences

SENTENCES = [
    "letters a, b; forall x. #y[y <= x & a(y)] >= #y[y <= x & b(y)]",
    "letters a, b; exists x. a(x) & b(x+1) & x = n - 1",
    "letters a, b; M x. a(x)",
    "letters a, b, c; #y[a(x) & a(y) | b(x) & b(y) | c(x) & c(y)] = 2 & ~a(1)",
    "letters a, b; let p(x) := exists y. y < x & a(y) & (b(x) -> b(y)); p(x-1) & bit(x,1)",
    "letters a, b; sum s(x) := 3*#y[y<=x & a(y) : 2 - [b(y)]] - 2*n; s(x) >= 2 | forall y. (a(y) <-> a(x)) | 2*y <= x",
    "letters a, b; exists x. forall x. a(x)",
    "letters a, b; #y[a(y) <-> (b(x) | x = y)] - #y[#z[a(z) & z <= y] >= #z[b(z) & x = x] ] + [a(n)] >= 1 - n",
    "letters a, b; bit(n - x, 2) | x + n = 5 | 3 - x < 0",
    "letters 'it''s', b; b(n - 1)".replace("''", "\\'"),
    "letters a, b; sum s(x) := #y[y < x]; s(x + 1) = 2 | a(x) & M y. (y <= x -> a(y))",
    "letters a, b; exists y. #z[a(z)] + #z[b(z) & z <= x] - 2*#z[z < y] >= 1",
]


def loaded(text: str, folder: Path) -> Any:
    path = folder / "module.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("module", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.program


def agree(sentence: Sentence, made: Program, longest: int) -> None:
    for n in range(1, longest + 1):
        for words in all_words(len(sentence.letters), n):
            assert np.array_equal(made.run(words).truth, evaluate(sentence, words)[""]), (str(sentence), made.rasp)


@pytest.mark.parametrize("text", SENTENCES)
def test_sentence_program_and_python_agree(text: str, tmp_path: Path) -> None:
    sentence = parse(text)
    made = program_of(sentence)
    agree(sentence, made, 5)
    assert read_program(made.rasp, made.letters, made.at_positions) == made
    function = loaded(made.python, tmp_path)
    for n in (1, 2, 4):
        for word in np.concatenate(list(all_words(len(sentence.letters), n))):
            expected = evaluate(sentence, word[None])[""][0]
            assert np.array_equal(function([sentence.letters[code] for code in word]), expected)


def test_letters_outside_of_the_alphabet_are_refused() -> None:
    with pytest.raises(FomError, match="L097"):
        program(("a",), [("output", "1")], True).run(np.array([[0, 1]]))


@settings(max_examples=25, deadline=None)
@given(sentences())
def test_a_sentence_has_its_program_or_is_refused(sentence: Sentence) -> None:
    if sentence.propositions or len(sentence.free) > 1:
        with pytest.raises(FomError, match="L096"):
            program_of(sentence)
        return
    made = program_or_refusal(sentence)
    if isinstance(made, FomError):
        assert {one.code for one in made.diagnostics} == {"L096"}
    else:
        agree(sentence, made, 3)


def program_or_refusal(sentence: Sentence) -> Program | FomError:
    try:
        return program_of(sentence)
    except FomError as error:
        return error


def test_a_deep_sentence_is_refused() -> None:
    with pytest.raises(FomError, match=r"L09[67]"):
        program_of(parse("letters a, b; " + "~(" * 900 + "a(1)" + ")" * 900))


def test_the_text_is_short_where_the_sentence_is() -> None:
    made = program_of(parse("letters a, b; #y[y <= x & a(y)] >= #y[y <= x & b(y)]"))
    assert made.rasp == (
        "count_1 = selector_width(select(indices, indices, LEQ) and select(tokens == 'a', True, EQ))\n"
        "count_2 = selector_width(select(indices, indices, LEQ) and select(tokens == 'b', True, EQ))\n"
        "output = count_1 >= count_2\n"
    )
    same = program_of(parse("letters a, b; #y[a(x) & a(y) | b(x) & b(y)] = 2"))
    assert same.rasp == "count_1 = selector_width(select(tokens, tokens, EQ))\noutput = count_1 == 2\n"
    text = "letters a, b, c; #y[y <= x & (a(x) <-> a(y)) & (b(x) <-> b(y))] = 2"
    before = "select(indices, indices, LEQ) and select(tokens, tokens, EQ)"
    assert program_of(parse(text)).rasp == f"count_1 = selector_width({before})\noutput = count_1 == 2\n"
    agree(parse(text), program_of(parse(text)), 4)
    partly = parse("letters a, b, c; #y[y <= x & (a(x) <-> a(y))] = 2")
    assert "select(tokens, tokens, EQ)" not in program_of(partly).rasp
    agree(partly, program_of(partly), 4)


LETTERS = ("(", ")")
FRACTIONS = """value = {'(': 1, ')': -1}[tokens]
open = aggregate(select(indices, indices, LEQ), value)
copy = aggregate(select(indices, indices - 1, EQ), tokens)
both = {(0, 1): 5, (1, 1): -7}[indices % 2, 1]
output = max(open * both, 1 * (copy == '(')) + (value and both) - (not length)
"""


def test_fractions_tables_and_letters_are_exact(tmp_path: Path) -> None:
    made = read_program(FRACTIONS, LETTERS, True)
    function = loaded(made.python, tmp_path)
    for word in all_words(2, 5).__next__():
        found = made.run(word[None])
        values = [Fraction(int(a), int(b)) for a, b in zip(found.numerator[0], found.denominator[0], strict=True)]
        assert values == function([LETTERS[code] for code in word])
    assert values[2] == 1


@pytest.mark.parametrize(
    "text",
    [
        "output = word",
        "output = tokens == missing",
        "output = __import__('os')",
        "output = tokens.real",
        "output = [1]",
        "output = select(tokens, tokens, TRUE)",
        "output = {indices: 1}[indices]",
        "output = {(0, 1): 1}[indices]",
        "select = indices\noutput = 1",
        "a = 1",
        "a = 1\na = 2\noutput = 1",
        "output = 1 <",
        "import os\noutput = 1",
        "output = 1.5",
        "",
        "output = " + "(" * 300 + "1" + ")" * 300,
        "output = max(1, 2, 3)",
        "output = aggregate(tokens)",
    ],
)
def test_what_is_no_program_is_refused(text: str) -> None:
    with pytest.raises(FomError, match="L097"):
        read_program(text, ("a",), True)


@pytest.mark.parametrize(
    "text",
    [
        "select(indices, indices, EQ)",
        "tokens < 'a'",
        "tokens + 1",
        "tokens == 1",
        "{7: 1}[indices]",
        "indices // indices",
        "selector_width(indices)",
        "length * 99999999 * 99999999 * 99999999",
    ],
)
def test_what_has_no_value_is_refused(text: str) -> None:
    made = program(("a",), [("output", text)], True)
    with pytest.raises(FomError, match="L097"):
        made.run(np.zeros((1, 3), np.int64))
