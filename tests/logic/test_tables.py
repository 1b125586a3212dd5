"""Tables over letters: laws are found, also where the table is wrong in a cell, and formulas are exact."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logic import Sentence, evaluate
from logic.comparing.methods import seconds
from logic.searching.programs import program
from logic.searching.tables import UNSEEN, Shape, number_sets, numerals, places_read, shapes, table_formula
from logic.searching.tables_laws import Fit, Law, best, fits
from logic.searching.tables_search import FoundLaw, Table, find_law

Grid = np.ndarray[Any, np.dtype[np.int64]]


def table(function: Callable[..., Any], *sizes: int) -> Grid:
    axes = np.meshgrid(*map(np.arange, sizes), indexing="ij")
    return np.asarray(function(*axes), dtype=np.int64)


def law_of(decided: Grid) -> Fit | None:
    values = [np.arange(size) for size in decided.shape]
    return best(list(fits(decided, tuple(range(decided.ndim)), values, int(decided.max()) + 1)), 0.75)


LAWS: list[tuple[str, Callable[..., Any], tuple[int, ...]]] = [
    ("(v1 + v2) mod 7", lambda a, b: (a + b) % 7, (7, 7)),
    ("(v1 - v2) mod 7", lambda a, b: (a - b) % 7, (7, 7)),
    ("(3*v1 + 5*v2 + 2) mod 7", lambda a, b: (3 * a + 5 * b + 2) % 7, (7, 7)),
    ("(v1 + 2*v2 + v3) mod 5", lambda a, b, c: (a + 2 * b + c) % 5, (5, 5, 5)),
    ("(v1 + v2) mod 6", lambda a, b: (a + b) % 6, (6, 6)),
    ("(v1*v2) mod 7", lambda a, b: a * b % 7, (7, 7)),
    ("(v1*v1 + v2*v2) mod 7", lambda a, b: (a * a + b * b) % 7, (7, 7)),
    ("v1 + v2", lambda a, b: a + b, (4, 4)),
    ("v1 + v2, but at least 0 and at most 5", lambda a, b: np.minimum(a + b, 5), (6, 6)),
    ("max(v1, v2)", np.maximum, (5, 5)),
    ("min(v1, v2)", np.minimum, (5, 5)),
    ("|v1 - v2|", lambda a, b: abs(a - b), (5, 5)),
    ("1 where v1 < v2, else 0", lambda a, b: a < b, (5, 5)),
    ("1 where v1 = v2, else 0", lambda a, b: a == b, (5, 5)),
    ("1 where v1 != v2, else 0", lambda a, b: a != b, (5, 5)),
    ("1 where v1 + v2 >= 5, else 0", lambda a, b: a + b >= 5, (5, 5)),
    ("v2", lambda a, b: b, (5, 5)),
    ("middle(v1, v2, v3)", lambda *all_: np.sort(np.stack(all_), axis=0)[1], (4, 4, 4)),
]


class TestLaws:
    @pytest.mark.parametrize(("text", "function", "sizes"), LAWS, ids=[one[0] for one in LAWS])
    def test_a_law_is_found(self, text: str, function: Callable[..., Any], sizes: tuple[int, ...]) -> None:
        decided = table(function, *sizes)
        found = law_of(decided)
        assert found is not None
        assert (found.law.text, found.exact) == (text, True)

    @pytest.mark.parametrize(("text", "function", "sizes"), LAWS, ids=[one[0] for one in LAWS])
    def test_programs_say_the_same(self, text: str, function: Callable[..., Any], sizes: tuple[int, ...]) -> None:
        decided = table(function, *sizes)
        found = law_of(decided)
        assert found is not None
        letters = tuple(map(str, range(max(sizes))))
        names = [f"number_{place}" for place in found.law.places]
        lines = [("number", f"{{{', '.join(f'{letter!r}: {letter}' for letter in letters)}}}[tokens]")]
        lines += [(f"number_{one}", f"aggregate(select(indices, {one}, EQ), number)") for one in found.law.places]
        lines.append(("output", found.law.spelled(names, True)))
        words = np.indices(sizes).reshape(len(sizes), -1).T
        values = program(letters, lines, False).run(words)
        assert np.array_equal(values.numerator, decided.reshape(-1))
        assert (values.denominator == 1).all()

    @given(st.integers(0, 48), st.integers(1, 6), st.integers(1, 6))
    def test_one_wrong_cell_is_named(self, cell: int, shift: int, factor: int) -> None:
        decided = table(lambda a, b: (factor * a + b) % 7, 7, 7)
        right = decided.copy()
        decided.reshape(-1)[cell] = (decided.reshape(-1)[cell] + shift) % 7
        found = law_of(decided)
        assert found is not None
        assert (found.right, found.seen) == (48, 49)
        said = found.law.values([np.arange(7)[:, None], np.arange(7)[None]])
        assert np.array_equal(said, right)

    def test_noise_has_no_law(self) -> None:
        assert law_of(np.random.default_rng(0).integers(0, 7, (7, 7))) is None

    def test_cells_that_are_not_seen_do_not_count(self) -> None:
        decided = table(lambda a, b: (a + b) % 7, 7, 7)
        decided[2, 3:5] = UNSEEN
        found = law_of(decided)
        assert found is not None
        assert (found.law.text, found.right, found.seen) == ("(v1 + v2) mod 7", 47, 47)


def searched(decide: Callable[[Grid], Grid], alphabet: tuple[str, ...], n: int, n_classes: int) -> FoundLaw | None:
    return find_law(Table(decide, alphabet, n), n_classes, seconds(20), lambda shape: True)


class TestShapes:
    def test_numbers_and_a_sign(self) -> None:
        noise = np.random.default_rng(3).integers(0, 5, (6, 6, 6))

        def decide(words: Grid) -> Grid:
            a, b, sign = words.T
            return np.where((a < 5) & (b < 5) & (sign == 5), (a + b) % 5, noise[a, b, sign])

        found = searched(decide, tuple("abcdef"), 3, 5)
        assert found is not None
        assert found.fit.exact
        assert found.fit.law.text == "(v1 + v2) mod 5"
        assert str(found.shape.formula(tuple("abcdef"))) == "~f(1) & ~f(2) & f(3)"

    def test_a_position_that_does_not_matter_is_free(self) -> None:
        found = searched(lambda words: (words[:, 0] + words[:, 2]) % 4, tuple("abcd+"), 3, 4)
        assert found is not None
        assert found.fit.law.places == (0, 2)
        assert found.shape.letters[1] == (0, 1, 2, 3, 4)

    def test_names_are_numbers(self) -> None:
        alphabet = ("+", "3", "1", "2", "0")
        values, named = numerals(alphabet)
        assert named == (1, 2, 3, 4)
        found = searched(lambda words: np.maximum(values[words[:, 0]], values[words[:, 1]]), alphabet, 2, 4)
        assert found is not None
        assert found.fit.law.text == "max(v1, v2)"
        assert found.shape.letters == ((1, 2, 3, 4), (1, 2, 3, 4))

    def test_shapes_have_a_number(self) -> None:
        (first, *_) = number_sets(tuple("abc"), 2)
        assert first == (0, 1, 2)
        found = shapes((0, 1), 3, 2)
        assert [one.letters for one in found] == [((0, 1), (0, 1)), ((0, 1), (2,)), ((2,), (0, 1))]


class TestFormulas:
    @given(st.integers(0, 2**12 - 1), st.integers(1, 2**12 - 1))
    def test_formulas_are_exact_where_seen(self, truth: int, seen: int) -> None:
        shape = Shape(((0, 2, 3), (0, 1), (1, 2)), (0, 1, 2))
        bits = np.arange(12)
        truths = (truth >> bits & 1).astype(bool).reshape(3, 2, 2)
        considered = (seen >> bits & 1).astype(bool).reshape(3, 2, 2)
        formula = table_formula(truths, considered, shape, tuple("abcd"))
        found = np.asarray(evaluate(Sentence(tuple("abcd"), (), (), formula), shape.words())[""]).reshape(3, 2, 2)
        assert np.array_equal(found[considered], truths[considered])

    def test_letters_with_the_same_rest_stand_together(self) -> None:
        shape = Shape(((0, 1, 2, 3), (0, 1, 2, 3)), (0, 1))
        truth = table(np.maximum, 4, 4) >= 2
        formula = table_formula(truth, np.ones((4, 4), dtype=bool), shape, tuple("abcd"))
        assert str(formula) == "(a(1) | b(1)) & (c(2) | d(2)) | (c(1) | d(1))"

    def test_the_positions_read(self) -> None:
        assert places_read(table(lambda a, b, c: (a + c) % 3, 3, 4, 3)) == (0, 2)
        assert places_read(np.zeros((3, 3), dtype=np.int64)) == ()
        diagonal = np.where(np.eye(3, dtype=bool), table(lambda a, b: a, 3, 3), UNSEEN)
        assert places_read(diagonal) == (0,)


def test_laws_are_functions_of_their_numbers() -> None:
    law = Law("comparison", (0, 1), (((0,), 1), ((1,), -2)), 1, low=3, high=8)
    numbers = [np.arange(4)[:, None], np.arange(3)[None]]
    expected = np.where(numbers[0] - 2 * numbers[1] >= 1, 8, 3)
    assert np.array_equal(law.values(numbers), expected)
    assert law.text == "8 where v1 >= 2*v2 + 1, else 3"
