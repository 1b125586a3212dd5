"""Properties of one word and of two, against brute force; and the problems that they are."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

from circuits.diagnostics import FomError
from circuits.network import Network
from circuits.pairs import side_by_side
from circuits.words import all_words
from logic.comparing.problem import Problem, decided_by
from logic.comparing.properties import Property
from logic.comparing.property_problems import problems_of
from logic.parser import parse
from tests.logic.comparing_networks import counter, tagger

Words = np.ndarray[Any, np.dtype[np.int64]]


def words_of(n: int) -> Words:
    return np.concatenate(list(all_words(2, n)))


def violated_by_problems(problems: list[Problem], words: Words) -> Words:
    found: Words = np.logical_or.reduce([problem.differs(words) for problem in problems])
    return found


ONE_WORD: dict[str, Callable[[Words, int], bool]] = {
    "class[1] -> exists x. b(x)": lambda word, c: not c or 1 in word,
    "class[0] | b(n)": lambda word, c: c == 0 or word[-1] == 1,
    "class[1] <-> M x. b(x)": lambda word, c: (c == 1) == (2 * (word == 1).sum() >= len(word)),
    "let p(x) := b(x) & x > 1; exists x. p(x) | class[0]": lambda word, c: 1 in word[1:] or c == 0,
    "class[0] | class[1]": lambda word, c: True,
}

TWO_WORDS: dict[str, Callable[[Words, Words, int, int], bool]] = {
    "(forall x. b(x) -> b.2(x)) -> (class[1] -> class[1].2)": lambda u, v, c, d: not (u <= v).all() or c <= d,
    "(forall x. a(x) <-> a.2(n + 1 - x)) -> (class[1] <-> class[1].2)": lambda u, v, c, d: (
        not (u == v[::-1]).all() or c == d
    ),
    "(b(1) & a.2(1) & forall x. x = 1 | (a(x) <-> a.2(x))) -> class[0].2": lambda u, v, c, d: (
        not (u[0] == 1 and v[0] == 0 and (u[1:] == v[1:]).all()) or d == 0
    ),
}


class TestOneWord:
    @pytest.mark.parametrize("text", ONE_WORD)
    def test_it_holds_where_it_should(self, text: str) -> None:
        network = counter(weight=3, threshold=4)
        property_ = Property(network, parse(text))
        problems = problems_of(property_, None, None)
        assert isinstance(problems, list)
        for n in range(1, 6):
            words = words_of(n)
            expected = [
                ONE_WORD[text](word, c) for word, c in zip(words, decided_by(network, words).tolist(), strict=True)
            ]
            assert property_.holds(words).tolist() == expected
            if problems:
                assert (~violated_by_problems(problems, words)).tolist() == expected
            else:
                assert all(expected)

    def test_only_words_considered(self) -> None:
        network = counter(weight=3, threshold=4)
        where = parse("letters a, b; let p(x) := a(x); exists x. p(x)")
        problems = problems_of(Property(network, parse("let p(x) := b(x); class[0] | forall x. p(x)")), where, None)
        assert isinstance(problems, list)
        words = words_of(4)
        expected = [
            (c == 0 or (word == 1).all()) or not (word == 0).any()
            for word, c in zip(words, decided_by(network, words), strict=True)
        ]
        assert (~violated_by_problems(problems, words)).tolist() == expected

    def test_bits_of_words_inside(self) -> None:
        network = counter(weight=3, threshold=4)
        property_ = Property(network, parse("count[0].0 | class[0] | class[1]"))
        assert property_.holds(words_of(3)).all()
        low = Property(network, parse("count[0].1"))
        assert isinstance(problems_of(low, None, None), str)
        words = words_of(3)
        counts = np.minimum(3 * (words == 1).sum(axis=1), 15)
        assert low.holds(words).tolist() == (counts >> 1 & 1 == 1).tolist()


class TestTwoWords:
    @pytest.mark.parametrize("text", TWO_WORDS)
    def test_it_holds_where_it_should(self, text: str) -> None:
        network = counter(weight=3, threshold=4)
        property_ = Property(network, parse(text))
        problems = problems_of(property_, None, None)
        assert property_.copies == 2
        assert isinstance(problems, list)
        for n in range(1, 4):
            one, two = (np.array(side) for side in zip(*product(words_of(n), repeat=2), strict=True))
            decided = decided_by(network, one), decided_by(network, two)
            expected = [TWO_WORDS[text](*row) for row in zip(one, two, *decided, strict=True)]
            assert property_.holds(one, two).tolist() == expected
            assert (~violated_by_problems(problems, 2 * one + two)).tolist() == expected

    def test_restrictions_are_of_both_words(self) -> None:
        network = counter(weight=3, threshold=4)
        where = parse("letters a, b; b(1)")
        problems = problems_of(Property(network, parse("class[0] | class[0].2")), where, None)
        assert isinstance(problems, list)
        one, two = (np.array(side) for side in zip(*product(words_of(3), repeat=2), strict=True))
        expected = (
            (decided_by(network, one) == 1) & (decided_by(network, two) == 1) & (one[:, 0] == 1) & (two[:, 0] == 1)
        )
        assert violated_by_problems(problems, 2 * one + two).tolist() == expected.tolist()


class TestPositions:
    def test_at_its_own_position(self) -> None:
        network = tagger()
        property_ = Property(network, parse("class[1](y) -> exists x. (x <= y & b(x))"))
        problems = problems_of(property_, None, parse("letters a, b; x > 1"))
        assert isinstance(problems, list)
        words = words_of(4)
        decided = decided_by(network, words)
        expected = (decided == 0) | (np.cumsum(words == 1, axis=1) > 0)
        assert (property_.holds(words) == expected).all()
        wrong: Words = np.logical_or.reduce([problem.wrong(words) for problem in problems])
        assert (wrong[:, 1:] == ~expected[:, 1:]).all()
        assert not wrong[:, 0].any()

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("exists x. class[1](x)", lambda bits: bits.any(axis=1)),
            ("M x. class[1](x)", lambda bits: 2 * bits.sum(axis=1) >= bits.shape[1]),
            ("class[1](n)", lambda bits: bits[:, -1]),
        ],
    )
    def test_several_positions(self, text: str, expected: Callable[[Words], Words]) -> None:
        network = tagger()
        property_ = Property(network, parse(text))
        assert isinstance(problems_of(property_, None, None), str)
        words = words_of(4)
        assert (property_.holds(words) == expected(decided_by(network, words) == 1)).all()


class TestPairs:
    def test_side_by_side(self) -> None:
        one, two = counter(weight=3, threshold=4), counter(weight=1, threshold=2)
        pair = side_by_side(one, two)
        for n in (1, 2, 4):
            words = np.concatenate(list(all_words(4, n)))
            expected = 2 * decided_by(one, words // 2) + decided_by(two, words % 2)
            assert (decided_by(pair, words) == expected).all()

    def test_answers_at_other_places(self) -> None:
        with pytest.raises(FomError, match="C039"):
            side_by_side(tagger(), counter(weight=1, threshold=1))


@pytest.mark.parametrize(
    "text",
    [
        "class[2]",
        "c(1)",
        "count[0].9",
        "class[1](1)",
        "count[1].0",
        "b.3(1)",
        "class[0].2.2",
        "count[0](x)",
        "total[0].0",
    ],
)
def test_unknown_atoms(text: str) -> None:
    network: Network = counter(weight=3, threshold=4)
    with pytest.raises(FomError, match="T067"):
        Property(network, parse(text))
