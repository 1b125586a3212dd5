"""One word for each vector of counts, against all words."""

import math

import numpy as np
import pytest

from circuits.positions import TRUE, AtLeast, Congruent, Equals, Guard
from logic.comparing.counts import Counts, vectors, words_of
from logic.comparing.counts_cases import cases_of
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import seconds
from logic.comparing.problem import Problem
from tests.logic.counting_networks import Answer, X, Y, random_network
from tests.logic.test_cells import specified

CAUSAL = AtLeast(X + (Y * -1))
SETTINGS: list[tuple[Guard, Answer, tuple[Guard, ...]]] = [
    (TRUE, "mean", ()), (CAUSAL, "last", ()), (TRUE, "mean", (Equals(X - 1),)), (TRUE, "last", (Congruent(X, 2),)),
    (CAUSAL, "each", ()), (TRUE, "each", ()),
]  # fmt: skip


@pytest.mark.parametrize(("guard", "answer", "places"), SETTINGS)
@pytest.mark.parametrize("seed", [0, 1])
def test_counts_decide_what_all_words_decide(
    guard: Guard, answer: Answer, places: tuple[Guard, ...], seed: int
) -> None:
    left, right = (
        random_network(seed, "ab", guard, answer, places),
        random_network(seed + 7, "ab", guard, answer, places),
    )
    problem = Problem(left, right)
    start = cases_of(problem).shortest
    lengths = range(max(1, start), 8)
    found = Counts().decide(problem, lengths, seconds(60))
    oracle = Exhaustive().decide(problem, lengths, seconds(60))
    assert not found.reason
    assert found.decided == oracle.decided
    assert (found.word is None) == (oracle.word is None)


def test_every_vector_has_one_word() -> None:
    network = random_network(0, "abc")
    cases = cases_of(Problem(network, network))
    words = np.concatenate(list(words_of(cases, 9, 7)))
    assert len(words) == len(np.unique(np.sort(words, axis=1), axis=0)) == vectors(cases, 9) == math.comb(11, 2)


def test_out_of_time_keeps_what_is_decided() -> None:
    network = random_network(0)
    problem = Problem(network, network)
    found = Counts().decide(problem, range(1, 6), seconds(0))
    assert not found.decided
    assert "out of time" in found.reason
    assert Counts().forecast(problem, 12) < Exhaustive().forecast(problem, 24)


def test_an_obstacle_names_the_node() -> None:
    network = random_network(0, "ab", CAUSAL, "mean")
    assert "`num`" in Counts().obstacle(Problem(network, network))
    assert Counts().obstacle(specified(random_network(0), "exists x. a(x) & b(x+1)"))
