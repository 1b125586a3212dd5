"""Searches over vectors of counts, several truths at once, and lines along which a truth changes."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.words import all_words
from logic.batch import evaluate
from logic.comparing.methods import Limit
from logic.comparing.problem import decided_by
from logic.parser import parse
from logic.searching.aiming import count_wrong
from logic.searching.bordering import Borders, Line, exclusive, neighbours, simplest
from logic.searching.grammar import Grammar
from logic.searching.growing import Growth
from logic.searching.points import Points, Tallies, pack, points_of
from logic.searching.samples import Samples
from logic.searching.search import Searching, search
from logic.searching.symmetric import first_of_letters, symmetric, vectors, words_of_vectors
from logic.syntax import Sentence
from translator.pipeline import translate


def tallied(text: str, lengths: range, letters: str = "ab") -> Samples:
    """A word for each vector of counts, with the truth of a sentence."""
    sentence = parse(f"letters {', '.join(letters)}; {text}")
    words = tuple(words_of_vectors(len(letters), n, None) for n in lengths)
    truth = tuple(np.asarray(evaluate(sentence, batch)[""], dtype=bool) for batch in words)
    seen = tuple(first_of_letters(w) if t.ndim == 2 else np.ones_like(t) for w, t in zip(words, truth, strict=True))
    return Samples(tuple(letters), words, truth, seen, symmetric=True)


def plane(longest: int, letters: int = 2) -> Any:
    """All vectors of counts of words up to a length."""
    found = [v for v in itertools.product(range(longest + 1), repeat=letters) if 1 <= sum(v) <= longest]
    return np.array(found, dtype=np.int64)


class TestTallies:
    def test_a_letter_counts_as_often_as_it_occurs(self) -> None:
        samples = tallied("#x[a(x)] >= 2", range(1, 6), "abc")
        points, all_of_them = points_of(samples), Points(samples)
        assert isinstance(points, Tallies)
        for letter in range(3):
            expected = all_of_them.totals((all_of_them.letter == letter)[None])
            np.testing.assert_array_equal(points.totals((points.letter == letter)[None]), expected)
            np.testing.assert_array_equal(points.vectors[:, letter], expected[0])

    @pytest.mark.parametrize("text", ["M x. a(x)", "3*#x[a(x)] - n >= 1", "#x[c(x)] = 2"])
    def test_sentences_about_counts_are_found_and_hold_for_all_words(self, text: str) -> None:
        best = list(search(tallied(text, range(1, 8), "abc"), Limit(), Grammar(cost=14)))[-1]
        assert best.wrong == 0
        words = np.concatenate(list(all_words(3, 8)))
        sentence = parse(f"letters a, b, c; {text}")
        np.testing.assert_array_equal(evaluate(best.sentence, words)[""], evaluate(sentence, words)[""])

    def test_a_tagger_is_a_function_of_its_letter_and_the_counts(self) -> None:
        text = "#y[a(x) <-> a(y)] >= 3"
        best = list(search(tallied(text, range(1, 7)), Limit()))[-1]
        assert best.wrong == 0
        words = np.concatenate(list(all_words(2, 7)))
        expected = evaluate(parse("letters a, b; " + text), words)[""]
        np.testing.assert_array_equal(evaluate(best.sentence, words)[""], expected)

    def test_nothing_in_the_banks_depends_on_the_order_of_letters(self) -> None:
        samples = tallied("M x. a(x)", range(1, 5))
        growth = Growth(points_of(samples), samples.alphabet, Grammar(), Limit(memory=1 << 22))
        for cost in range(1, 9):
            for _ in growth.grow(cost):
                pass
        rng = np.random.default_rng(0)
        words = np.concatenate(list(all_words(2, 4)))
        shuffled = np.sort(words, axis=1)
        for number in rng.choice(growth.closed.size, 60, replace=False).tolist():
            sentence = Sentence(samples.alphabet, (), (), growth.spelling.closed(number, 0))
            found = evaluate(sentence, words)[""]
            np.testing.assert_array_equal(found, evaluate(sentence, shuffled)[""], str(sentence))


class TestSeveralTruths:
    def test_one_search_finds_what_many_find(self) -> None:
        base = tallied("M x. a(x)", range(1, 7))
        texts = ["exists x. a(x)", "#x[a(x)] = 2", "2 <= n"]
        samples = [base, *(base.of(tallied(text, range(1, 7)).truth) for text in texts)]
        searching = Searching(samples, Limit(), Grammar(cost=14))
        fronts: dict[int, Any] = {}
        for number, candidate in searching.run():
            fronts.setdefault(number, []).append(candidate)
        for number, one in enumerate(samples):
            assert fronts[number][-1].wrong == count_wrong(fronts[number][-1].sentence, one) == 0
            alone = list(search(one, Limit(), Grammar(cost=14)))[-1]
            assert fronts[number][-1].size == alone.size

    def test_how_far_it_is_complete(self) -> None:
        """No formula that the banks hold up to that cost is exact, and the exact one is larger."""
        samples = tallied("#x[a(x)] = 2", range(1, 7))
        searching = Searching([samples], Limit())
        best = [candidate for _, candidate in searching.run()][-1]
        (complete,) = searching.complete
        assert 0 < complete < best.size + 4
        growth = Growth(points_of(samples), samples.alphabet, Grammar(), Limit())
        target = pack(np.concatenate(samples.truth)[None])[0]
        for cost in range(1, complete + 1):
            for _ in growth.grow(cost):
                pass
        assert not (growth.closed.values[: growth.closed.size] == target).all(axis=1).any()
        assert growth.complete(growth.closed) == complete

    def test_truths_of_other_words_are_refused(self) -> None:
        with pytest.raises(FomError, match="L095"):
            Searching([tallied("M x. a(x)", range(1, 4)), tallied("M x. a(x)", range(1, 4))], Limit())
        with pytest.raises(FomError, match="L095"):
            Searching([], Limit())


class TestBorders:
    def test_neighbours_are_a_letter_more_or_one_replaced(self) -> None:
        given_ = plane(4, 3)
        found = {tuple(sorted(pair)) for pair in neighbours(given_).T.tolist()}
        expected = set()
        for one, other in itertools.combinations(range(len(given_)), 2):
            step = sorted((given_[one] - given_[other]).tolist())
            if step in ([-1, 0, 0], [0, 0, 1], [-1, 0, 1]):
                expected.add((one, other))
        assert found == expected

    @settings(max_examples=12, deadline=None)
    @given(st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), min_size=1, max_size=5), st.integers(0, 1))
    def test_a_truth_of_the_share_is_divided_exactly(self, shares: list[tuple[int, int]], bound: int) -> None:
        counts = plane(12)
        truth = np.zeros(len(counts), dtype=bool)
        for part, rest in shares:
            truth ^= Line((-part, rest), bound).holds(counts)
        formulas = Borders(counts, truth, Limit()).formulas("ab")
        if truth.all() or not truth.any():
            assert not formulas
            return
        words = [np.repeat([0, 1], vector)[None] for vector in counts]
        sentence = Sentence(("a", "b"), (), (), formulas[-1][1])
        assert [bool(evaluate(sentence, word)[""][0]) for word in words] == truth.tolist()

    def test_three_letters_are_divided_by_planes(self) -> None:
        counts = plane(7, 3)
        truth = Line((1, -1, 0), 1).holds(counts) ^ Line((0, 1, -2), 0).holds(counts)
        _, formula = Borders(counts, truth, Limit()).formulas("abc")[-1]
        words = [np.repeat([0, 1, 2], vector)[None] for vector in counts]
        sentence = Sentence(("a", "b", "c"), (), (), formula)
        assert [bool(evaluate(sentence, word)[""][0]) for word in words] == truth.tolist()

    @settings(max_examples=20, deadline=None)
    @given(
        st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3), st.integers(-4, 4)), min_size=1, max_size=4),
        st.booleans(),
    )
    def test_an_exclusive_disjunction_is_written_as_one(self, rows: list[tuple[int, int, int]], negated: bool) -> None:
        counts = plane(6)
        lines = [Line((a, b), bound) for a, b, bound in rows if (a, b) != (0, 0)]
        if not lines:
            return
        values = [line.holds(counts) for line in lines]
        formula = exclusive(list(zip(lines, values, strict=True)), negated, "ab")
        words = [np.repeat([0, 1], vector)[None] for vector in counts]
        found = [bool(evaluate(Sentence(("a", "b"), (), (), formula), word)[""][0]) for word in words]
        assert found == (np.logical_xor.reduce(values) ^ negated).tolist()

    @pytest.mark.parametrize(
        ("low", "high", "found"), [((1, 3), (1, 2), (1, 2)), ((2, 7), (3, 10), (2, 7)), ((3, 5), (5, 8), (3, 5))]
    )
    def test_the_simplest_fraction(self, low: tuple[int, int], high: tuple[int, int], found: tuple[int, int]) -> None:
        assert simplest(*low, *high) == found


class TestNetworks:
    def test_the_line_of_a_network_is_exact_far_beyond(self) -> None:
        """The mean is rounded to four bits: the line of the trace is right for words that nothing has seen."""
        made = translate("examples/half_a/model.onnx", precision="fixed:*.4", max_length=4)
        known = symmetric(made.network)
        assert known is not None
        (line,) = known.lines([(np.array([3, 1]), np.array([1, 3]))], 1, Limit())
        for n in (5, 33, 34, 60, 97):
            words = words_of_vectors(2, n, None)
            counts = np.stack([(words == letter).sum(axis=1) for letter in (0, 1)], axis=1)
            decided = decided_by(made.network, words) == 1
            assert (line.holds(counts) == decided).all() or (line.holds(counts) != decided).all()

    def test_networks_that_tell_positions_apart_are_not_symmetric(self) -> None:
        made = translate("examples/first_letter/model.onnx", precision="fixed:4", max_length=3)
        assert symmetric(made.network) is None

    def test_a_word_for_each_vector_in_which_a_sentence_holds(self) -> None:
        where = parse("letters a, b, c; c(1)")
        found = words_of_vectors(3, 4, where)
        assert (found[:, 0] == 2).all()
        assert len({tuple(np.bincount(word, minlength=3)) for word in found}) == len(found) == vectors(3, 3)
