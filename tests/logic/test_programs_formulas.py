"""Programs as formulas: a formula for each answer holds exactly where the program gives it, behind a first letter too."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.words import all_words
from logic import evaluate
from logic.searching.formulas_of_programs import ProgramFormulas, formulas_of
from logic.searching.programs import Program, read_program
from logic.searching.programs_of_values import Variable, find_program
from logic.searching.programs_writer import Alphabet
from tests.logic.test_programs import loaded

LETTERS = ("a", "b")
DIGITS = ("1", "2", "3")

PROGRAMS = {
    "count": "output = selector_width(select(tokens, 'a', EQ))",
    "histogram": "output = selector_width(select(tokens, tokens, EQ))",
    "length": "output = length",
    "letters": "output = aggregate(select(indices, length - indices - 1, EQ), tokens)",
    "all the same": "output = aggregate(select(tokens, tokens, EQ), tokens)",
    "first seen": "f = aggregate(select(indices, indices - 1, EQ), tokens)\noutput = {None: 2, 'a': 0, 'b': 1}[f]",
    "disagreeing": "output = aggregate(select(indices, indices, LT), tokens)",
    "numbers that are not there": (
        "c = selector_width(select(indices, indices, LEQ) and select(tokens, 'a', EQ))\n"
        "p = aggregate(select(c, indices, EQ), indices, None)\n"
        "q = aggregate(select(p, indices, EQ), p, None)\n"
        "r = aggregate(select(p, indices, NEQ), c, None)\n"
        "s = aggregate(select(indices, p, LT), tokens)\n"
        "output = {(None, None): None, (0, None): 1, (1, None): 2, (2, None): 3, (3, None): 4, (0, 'a'): 5, (1, 'a'): 6, "
        "(2, 'a'): 7, (3, 'a'): 8, (0, 'b'): 9, (1, 'b'): 10, (2, 'b'): 11, (3, 'b'): 12, (None, 'a'): None, "
        "(None, 'b'): None}[p, s]"
    ),
    "shares": "output = aggregate(select(indices, indices, LEQ), tokens == 'a')",
    "shares of nothing": "output = aggregate(select(indices, indices, LT), 1 * (tokens == 'a'))",
    "differences": (
        "one = aggregate(select(indices, indices, LEQ), tokens == 'a')\n"
        "other = aggregate(select(indices, indices, LEQ), tokens == 'b')\noutput = one - other"
    ),
    "means of other means": (
        "one = aggregate(select(indices, indices, LEQ), tokens == 'a')\n"
        "output = aggregate(select(tokens, tokens, EQ), one)"
    ),
    "shares compared": (
        "one = aggregate(select(indices, indices, LT), tokens == 'a')\n"
        "other = aggregate(select(indices, indices, GEQ), tokens == 'a')\n"
        "output = (one < other) + 2 * (3 * one >= 1) + 4 * (one != 0)"
    ),
    "sums of shares": (
        "one = aggregate(select(indices, indices, LT), tokens == 'a')\n"
        "other = aggregate(select(indices, indices, GEQ), tokens == 'a')\noutput = one + other"
    ),
    "arithmetic": (
        "c = selector_width(select(tokens, 'a', EQ))\nd = selector_width(select(indices, indices, LT))\n"
        "output = max(c * d, 2 * c - d) + c // 2 + d % 2"
    ),
    "selectors by name": (
        "s = select(tokens, tokens, EQ) and not select(indices, indices, EQ)\n"
        "c = selector_width(s or select(indices, 0, EQ))\noutput = selector_width(select(c, c, LEQ))"
    ),
    "truth values": (
        "f = tokens == 'a' and indices > 0\ng = not f or length == 2\nh = f == g\n"
        "output = (1 * h) + 2 * g + selector_width(select(f, True, EQ))"
    ),
    "nested": "output = selector_width(select(selector_width(select(tokens, tokens, EQ)), indices, LEQ))",
    "weights": "w = {'a': 3, 'b': -1}[tokens]\noutput = aggregate(select(indices, indices, LEQ), w)",
    "names that are taken": "a = selector_width(select(tokens, 'a', EQ))\nM = a + length\nletters = M - 1\noutput = letters",
}  # fmt: skip

NUMBERED = {
    "sort": (
        "number = {'1': 1, '2': 2, '3': 3}[tokens]\n"
        "target = selector_width(select(number, number, LT)) + "
        "selector_width(select(number, number, EQ) and select(indices, indices, LT))\n"
        "output = aggregate(select(target, indices, EQ), tokens)"
    ),
}


def words_up_to(letters: int, longest: int) -> list[Any]:
    return [np.concatenate(list(all_words(letters, n))) for n in range(1, longest + 1)]


def agree(program: Program, found: ProgramFormulas, words: list[Any], alphabet: Alphabet) -> int:
    """Compare formulas and program at every position; the number of answers."""
    names = [name for name, _ in found.answers]
    codes = np.array([alphabet.letters.index(name) for name in alphabet.named])
    answered = 0
    for batch in words:
        before = np.full((len(batch), alphabet.start), alphabet.letters.index("^") if alphabet.start else 0)
        fed = np.concatenate([before, codes[batch]], axis=1)
        truth = evaluate(found.sentence, fed, None, (*names, *([found.answered] if found.answered else [])))
        answers = program.run(batch)
        for name, value in found.answers:
            holds = np.broadcast_to(np.asarray(truth[name]), fed.shape)[:, alphabet.start :]
            if isinstance(value, str):
                expected = (answers.numerator == program.letters.index(value)) & answers.letters
            else:
                expected = answers.present & (answers.numerator == value.numerator)
                expected &= answers.denominator == value.denominator
            assert np.array_equal(holds, expected), (name, str(found.sentence))
            answered += int(holds.sum())
        present = np.broadcast_to(answers.present, batch.shape)
        if found.answered:
            assert np.array_equal(truth[found.answered][:, alphabet.start :], present), str(found.sentence)
        else:
            assert present.all()
    return answered


@pytest.mark.parametrize("name", [*PROGRAMS, *NUMBERED])
def test_formulas_say_what_the_program_says(name: str) -> None:
    letters = LETTERS if name in PROGRAMS else DIGITS
    program = read_program({**PROGRAMS, **NUMBERED}[name], letters, True)
    words = words_up_to(len(letters), 4)
    for alphabet in (Alphabet.of(program), Alphabet(("^", "p", "q", "r"), ("q", "p", "r")[: len(letters)], 1)):
        found = formulas_of(program, words, alphabet=alphabet)
        assert agree(program, found, words, alphabet) > 0


@pytest.mark.parametrize("name", PROGRAMS)
def test_python_says_what_the_program_says(name: str, tmp_path: Path) -> None:
    program = read_program(PROGRAMS[name], LETTERS, True)
    function = loaded(program.python, tmp_path)
    for batch in words_up_to(2, 4):
        found = program.run(batch)
        parts = [np.broadcast_to(part, batch.shape) for part in (found.numerator, found.denominator, found.present)]
        for row, word in enumerate(batch):
            said = function([LETTERS[code] for code in word])
            for top, bottom, present, answer in zip(*(part[row].tolist() for part in parts), said, strict=True):
                expected = LETTERS[top] if found.letters and present else Fraction(top, bottom) if present else None
                assert answer == expected


COUNT = "c = selector_width(select(tokens, 'a', EQ))\n"


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ("", "length - indices - 1"),
        (COUNT, "c % 2"),
        (COUNT, "1 * (c > 1)"),
        (COUNT, "1 * (length - 2 * c < 1)"),
        (COUNT, "-max(-c, -indices)"),
        (COUNT + "d = aggregate(select(indices, indices, LEQ), tokens == 'a')\n", "1 * (3 * d >= 1)"),
        (COUNT + "d = aggregate(select(indices, indices, LEQ), tokens == 'a')\n", "1 * (2 * d == 1)"),
        ("", "aggregate(select(indices, indices - 1, EQ), tokens)"),
        ("", "aggregate(select(indices, indices - 2, EQ), indices, None)"),
        (COUNT, "aggregate(select(c, indices, EQ), tokens)"),
    ],
)
def test_a_value_is_found_as_it_was_written(before: str, text: str) -> None:
    lines = [*(line.split(" = ") for line in before.splitlines()), ("output", text)]
    words = words_up_to(2, 5)
    seen = tuple(np.ones(batch.shape, dtype=bool) for batch in words)
    origin: Literal["head", "units"] = "head" if "select" in text else "units"
    variables = []
    for name, _ in lines:
        made = read_program(before + (f"output = {text}" if name == "output" else f"output = {name}"), LETTERS, True)
        runs = [made.run(batch) for batch in words]
        values = tuple(np.broadcast_to(run.reals, batch.shape) for run, batch in zip(runs, words, strict=True))
        variables.append(Variable(name, values, seen, runs[0].letters, origin=origin if name == "output" else ""))
    found = find_program(LETTERS, words, variables)
    assert found.program is not None
    assert found.lines[-1].text == text


def test_a_causal_program_reads_nothing_later() -> None:
    words = words_up_to(2, 4)
    seen = tuple(np.ones(batch.shape, dtype=bool) for batch in words)
    before = tuple(np.cumsum(batch == 0, axis=1).astype(float) for batch in words)
    found = find_program(LETTERS, words, [Variable("answer", before, seen)], causal=True)
    assert found.program is not None
    text = found.program.rasp
    assert text == "output = selector_width(select(indices, indices, LEQ) and select(tokens, 'a', EQ))\n"


@pytest.mark.parametrize(
    "text",
    [
        "output = None",
        "output = aggregate(select(indices, indices, LT), tokens, 0)",
        "output = aggregate(select(indices, indices, LT), tokens, None, None)",
    ],
)
def test_none_stands_in_tables_and_aggregates_only(text: str) -> None:
    with pytest.raises(FomError, match="L097"):
        read_program(text, LETTERS, True)


@pytest.mark.parametrize("text", ["p + 1", "p < 1", "max(p, 1)", "aggregate(select(True, True, EQ), p)", "p % 2"])
def test_none_is_no_number(text: str) -> None:
    made = read_program(
        f"p = aggregate(select(indices, indices - 1, EQ), indices, None)\noutput = {text}", LETTERS, True
    )
    with pytest.raises(FomError, match="L097"):
        made.run(np.zeros((1, 3), np.int64))


def test_too_many_cases_are_refused() -> None:
    text = "c = selector_width(select(tokens, tokens, EQ))\noutput = c * indices * (c + 1) * (length + 40 * indices)"
    made = read_program(text, LETTERS, True)
    words = [np.zeros((1, n), np.int64) for n in range(1, 64)]
    with pytest.raises(FomError, match="at most 400"):
        formulas_of(made, words)
