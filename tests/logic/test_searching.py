"""The search for short sentences: what it finds, and that it evaluates what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.diagnostics import FomError
from circuits.words import all_words
from logic.batch import evaluate
from logic.check import check
from logic.comparing.methods import Limit, seconds
from logic.measure import measure
from logic.parser import parse
from logic.searching.aiming import Candidate, count_wrong
from logic.searching.bank import Bank
from logic.searching.grammar import Grammar
from logic.searching.growing import Growth
from logic.searching.points import Points, ones, pack, unpack
from logic.searching.samples import Samples
from logic.searching.search import search
from logic.syntax import Sentence

LANGUAGES = Path(__file__).resolve().parents[2] / "examples" / "languages"


def language(name: str) -> Sentence:
    """A sentence of the library."""
    return parse((LANGUAGES / f"{name}.fom").read_text(encoding="utf-8"), name)


def samples_of(sentence: Sentence, lengths: range) -> Samples:
    """All words of some lengths, with the truth of a sentence."""
    words = [np.concatenate(list(all_words(len(sentence.letters), n))) for n in lengths]
    truth = [evaluate(sentence, batch)[""] for batch in words]
    return Samples(sentence.letters, tuple(words), tuple(truth), tuple(np.ones_like(one) for one in truth))


def found_for(samples: Samples, **options: Any) -> list[Candidate]:
    """The front of a search that is stopped by its largest cost."""
    return list(search(samples, Limit(), Grammar(**options)))


# The size that is expected is that of the shortest sentence known; a larger one means that the search has become worse.
FOUND = {
    "majority": (7, 2),
    "strict_majority": (7, 3),
    "minority": (7, 3),
    "exactly_half": (6, 5),
    "threshold_two": (6, 5),
    "first": (4, 1),
    "last": (4, 1),
    "contains_a": (4, 2),
    "bigram_ab": (5, 4),
    "bigram_ab_of_3": (5, 4),
    "a_star_b_star": (6, 4),
    "even_length": (9, 2),
    "tomita_1": (6, 2),
    "ab_star": (6, 4),
    "agreement": (5, 5),
    "equal_bigrams": (7, 3),
    "parity": (5, 11),
}


@pytest.mark.parametrize("name", sorted(FOUND))
def test_a_language_is_found_back_and_holds_for_longer_words(name: str) -> None:
    longest, size = FOUND[name]
    sentence = language(name)
    front = found_for(samples_of(sentence, range(1, longest + 1)))
    best = front[-1]
    assert best.wrong == 0
    assert best.size <= size
    check(best.sentence)
    assert best.sentence == parse(str(best.sentence))
    for n in range(longest + 1, longest + 4):
        words = np.concatenate(list(all_words(len(sentence.letters), n)))
        np.testing.assert_array_equal(evaluate(best.sentence, words)[""], evaluate(sentence, words)[""])


def test_a_front_has_fewer_wrong_samples_at_every_larger_size_and_states_both() -> None:
    samples = samples_of(language("exactly_half"), range(1, 7))
    front = found_for(samples)
    assert len(front) > 2
    for candidate in front:
        assert candidate.size == measure(candidate.sentence).nodes
        assert candidate.wrong == count_wrong(candidate.sentence, samples)
        assert candidate.total == samples.total == 126
    assert [one.wrong for one in front] == sorted({one.wrong for one in front}, reverse=True)
    assert [one.size for one in front] == sorted({one.size for one in front})


def test_linear_comparisons_are_found_for_a_truth_and_not_tried() -> None:
    sentence = parse("letters a, b; 3*#x[a(x)] - n >= 1")
    best = found_for(samples_of(sentence, range(1, 7)))[-1]
    assert (best.wrong, best.size) == (0, measure(sentence).nodes)
    longer = samples_of(sentence, range(7, 11))
    assert count_wrong(best.sentence, longer) == 0


def test_letters_that_are_the_same_are_counted() -> None:
    sentence = parse("letters a, b; #y[a(x) <-> a(y)] >= 2")
    best = found_for(samples_of(sentence, range(1, 5)), neighbours=(0,), moduli=())[-1]
    assert best.wrong == 0
    assert count_wrong(best.sentence, samples_of(sentence, range(5, 9))) == 0


@pytest.mark.parametrize("text", ["n = 3", "x = 2", "n <= 2*x", "4 <= n", "x + 1 = n"])
def test_positions_and_lengths_are_compared_without_counts(text: str) -> None:
    best = found_for(samples_of(parse("letters a, b; " + text), range(1, 7)))[-1]
    assert (best.wrong, best.size) == (0, 1)


def test_what_is_not_considered_does_not_matter() -> None:
    truth = samples_of(language("majority"), range(1, 6))
    first = tuple(words[:, 0] == 1 for words in truth.words)
    samples = Samples(
        truth.alphabet, truth.words, tuple(np.where(f, t, ~t) for f, t in zip(first, truth.truth, strict=True)), first
    )
    best = found_for(samples)[-1]
    assert (best.wrong, best.total) == (0, samples.total)
    assert samples.total == sum(int(one.sum()) for one in first)
    nothing = Samples(truth.alphabet, truth.words, truth.truth, tuple(np.zeros_like(one) for one in first))
    assert [one.wrong for one in found_for(nothing)] == [0]


@pytest.mark.parametrize("wrong", [0, 17, 61])
def test_a_wrong_bit_is_seen(wrong: int) -> None:
    exact = samples_of(language("majority"), range(1, 6))
    truth = [one.copy() for one in exact.truth]
    flat = wrong
    for one in truth:
        if flat < one.size:
            one[flat] ^= True
            break
        flat -= one.size
    front = found_for(Samples(exact.alphabet, exact.words, tuple(truth), exact.considered), cost=4)
    assert all(one.sentence != parse("letters a, b; M x. b(x)") or one.wrong == 1 for one in front)
    assert front[-1].wrong >= 1 or count_wrong(front[-1].sentence, exact) == 1


def test_a_search_gives_the_same_each_time_and_ends_in_time() -> None:
    samples = samples_of(language("prefix_majority"), range(1, 6))
    assert found_for(samples, cost=5) == found_for(samples, cost=5)
    hard = samples_of(language("parity"), range(1, 7))
    limit = seconds(0.5)
    front = list(search(hard, limit))
    assert front
    assert front[-1].wrong > 0
    assert limit.left > -2


@st.composite
def words_of_samples(draw: st.DrawFn) -> tuple[int, list[Any]]:
    """Some words of several lengths over up to three letters."""
    letters = draw(st.integers(1, 3))
    lengths = draw(st.lists(st.integers(1, 6), min_size=1, max_size=3, unique=True))
    seed = draw(st.integers(0, 2**20))
    rng = np.random.default_rng(seed)
    return letters, [rng.integers(0, letters, (int(rng.integers(1, 8)), n)) for n in lengths]


@settings(max_examples=3, deadline=None)
@given(words_of_samples(), st.integers(0, 2**20))
def test_every_formula_of_the_banks_means_what_it_is_kept_for(given_: tuple[int, list[Any]], seed: int) -> None:
    letters, words = given_
    truth = tuple(np.zeros(len(batch), bool) for batch in words)
    samples = Samples(tuple("abc"[:letters]), tuple(words), truth, tuple(~one for one in truth))
    points = Points(samples)
    growth = Growth(points, samples.alphabet, Grammar(), Limit(memory=1 << 20))
    for cost in range(1, 13):
        for _ in growth.grow(cost):
            pass
    rng = np.random.default_rng(seed)
    for bank, spell in ((growth.open, growth.spelling.open), (growth.closed, growth.spelling.closed)):
        kinds = bank.origin[: bank.size, 0]
        chosen = [rng.choice(np.flatnonzero(kinds == kind), 4).tolist() for kind in np.unique(kinds)]
        for number in sorted({one for some in chosen for one in some}):
            sentence = Sentence(samples.alphabet, (), (), spell(number, 0))
            check(sentence)
            assert measure(sentence).nodes <= bank.cost[number]
            values = [evaluate(sentence, batch)[""] for batch in words]
            if bank is growth.open and not sentence.free:
                values = [np.repeat(one[:, None], batch.shape[1], 1) for one, batch in zip(values, words, strict=True)]
            expected = np.concatenate([one.reshape(-1) for one in values])
            np.testing.assert_array_equal(unpack(bank.values[number][None], bank.width)[0], expected, str(sentence))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 200), st.integers(0, 2**20))
def test_packing_keeps_bits_and_a_bank_one_of_each(width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2, (6, width)).astype(bool)
    values[3] = values[1]
    packed = pack(values)
    np.testing.assert_array_equal(unpack(packed, width), values)
    np.testing.assert_array_equal(ones(packed), values.sum(axis=1))
    bank = Bank(width, 1 << 20)
    fresh = bank.add(packed, np.zeros((6, 3), dtype=np.int64), 1)
    assert len(fresh) == len(np.unique(values, axis=0)) == bank.size
    assert len(bank.add(packed, np.zeros((6, 3), dtype=np.int64), 2)) == 0


@pytest.mark.parametrize(
    ("words", "truth"),
    [
        (np.zeros((2, 3)), np.zeros(2, bool)),
        (np.full((2, 3), 5), np.zeros(2, bool)),
        (np.zeros((2, 3), int), np.zeros(3, bool)),
        (np.zeros((2, 3), int), np.zeros((2, 2), bool)),
        (np.zeros((2, 3), int), np.zeros(2, int)),
        (np.zeros((2, 0), int), np.zeros(2, bool)),
    ],
)
def test_samples_that_do_not_fit_together_are_refused(words: Any, truth: Any) -> None:
    with pytest.raises(FomError, match="L095"):
        Samples(("a", "b"), (words,), (truth,), (truth,))
