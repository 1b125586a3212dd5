"""Programs as formulas: a formula for each answer holds exactly where the program gives it, behind a first letter too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from circuits.words import all_words
from logic import evaluate
from logic.searching.formulas_of_programs import ProgramFormulas, formulas_of
from logic.searching.programs import Program, read_program
from logic.searching.programs_writer import Alphabet

LETTERS = ("a", "b")
DIGITS = ("1", "2", "3")
WITH_START = Alphabet(("^", "p", "q", "r"), ("q", "p"), 1)

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
