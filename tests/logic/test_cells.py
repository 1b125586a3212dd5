"""Every length by cells of counts, against enumeration of all short words and another reading of the scripts."""

import itertools

import numpy as np
import pytest
import z3

from circuits.network import Network
from circuits.positions import TRUE, AtLeast, Congruent, Equals, Guard
from logic.comparing import cells
from logic.comparing.cells import Cells
from logic.comparing.cells_trace import Undecided, trace
from logic.comparing.counts_cases import cases_of
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Finding, seconds
from logic.comparing.problem import Problem, decided_by
from logic.comparing.specification import Specification
from logic.parser import parse
from logic.syntax import Sentence
from tests.logic.counting_networks import Answer, X, Y, random_network

CAUSAL = AtLeast(X + (Y * -1))
FIRST = Equals(X - 1)
ODD = Congruent(X - 1, 2)
DEEP = 7


def sentence(text: str, letters: tuple[str, ...]) -> Sentence:
    found = parse(text)
    return Sentence(letters, (), found.definitions, found.formula)


def specified(network: Network, text: str, where: str | None = None) -> Problem:
    rival = Specification(sentence(text, network.alphabet), (1,), ("",), True)
    return Problem(network, rival, None if where is None else sentence(where, network.alphabet))


def require_same(problem: Problem, found: Finding) -> None:
    """What is found agrees with all words up to some length, and the scripts are unsatisfiable."""
    assert not found.reason
    oracle = Exhaustive().decide(problem, range(1, DEEP + 1), seconds(60))
    if oracle.word is not None:
        assert found.word is not None
        assert len(found.word) == len(oracle.word)
        assert not found.everywhere
    elif found.word is not None:
        assert len(found.word) > DEEP
        assert problem.differs(found.word[None])[0]
    else:
        assert found.everywhere
        assert found.theorem
        assert found.obligations
        for obligation in found.obligations:
            solver = z3.SimpleSolver()
            solver.from_string(obligation.script)
            assert solver.check() == z3.unsat, obligation.statement


@pytest.fixture(autouse=True)
def no_enumeration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the cells find everything."""
    monkeypatch.setattr(cells, "ENUMERATED", -1)


SENTENCES = ["M i. b(i)", "#i[a(i)] >= 2", "exists k. #i[b(i)] = k & bit(k, 1)"]
SETTINGS: list[tuple[Guard, Answer, tuple[Guard, ...]]] = [
    (TRUE, "mean", ()), (CAUSAL, "last", ()), (TRUE, "mean", (FIRST,)), (TRUE, "last", (ODD,)),
]  # fmt: skip


@pytest.mark.parametrize("seed", [0])
@pytest.mark.parametrize(("guard", "answer", "places"), SETTINGS)
def test_one_answer_agrees_with_all_words(guard: Guard, answer: Answer, places: tuple[Guard, ...], seed: int) -> None:
    network = random_network(seed, "ab", guard, answer, places)
    for text in SENTENCES[: 1 if places else 3]:
        problem = specified(network, text)
        require_same(problem, Cells().decide_all(problem, seconds(60)))


@pytest.mark.parametrize("guard", [TRUE, CAUSAL])
def test_an_answer_at_each_position_agrees_with_all_words(guard: Guard) -> None:
    network = random_network(3, "ab", guard, "each")
    problem = specified(network, "#y[y <= x & a(y)] > #y[y <= x & b(y)]" if guard != TRUE else "#y[a(y)] >= 2 & b(x)")
    require_same(problem, Cells().decide_all(problem, seconds(60)))


@pytest.mark.parametrize("seed", [0, 1])
def test_a_network_is_itself_at_every_length(seed: int) -> None:
    network = random_network(seed)
    found = Cells().decide_all(Problem(network, network), seconds(60))
    assert found.everywhere
    require_same(Problem(network, network), found)


def test_two_networks_differ_where_enumeration_says() -> None:
    networks = [random_network(seed) for seed in range(3)]
    for left, right in itertools.pairwise(networks):
        problem = Problem(left, right)
        require_same(problem, Cells().decide_all(problem, seconds(60)))


def test_only_words_considered_are_compared() -> None:
    network = random_network(1)
    everywhere = specified(network, "M i. b(i)")
    wrong = Cells().decide_all(everywhere, seconds(60)).word
    assert wrong is not None
    count = int((wrong == 1).sum())
    longer = specified(network, "M i. b(i)", f"~(#i[b(i)] = {count} & n = {len(wrong)})")
    require_same(longer, Cells().decide_all(longer, seconds(60)))


@pytest.mark.parametrize("slack", [0, 2, None])
@pytest.mark.parametrize(("guard", "answer", "places"), SETTINGS)
def test_a_cell_has_one_decision(guard: Guard, answer: Answer, places: tuple[Guard, ...], slack: int | None) -> None:
    """On all words whose counts lie in a cell, the network decides what it does where the cell came from."""
    network = random_network(5, "ab", guard, answer, places)
    cases = cases_of(Problem(network, network)).cases
    rng = np.random.default_rng(0)
    for case in cases:
        length = case.layout.length[0] + 6 * case.layout.period
        words = []
        for n in range(case.layout.length[0] + case.layout.period, length + 1, case.layout.period):
            sizes = [one.size[0] + one.size[1] * (n - case.layout.length[0]) // case.layout.period
                     for one in case.layout.classes]  # fmt: skip
            for _ in range(4):
                letters = [rng.integers(0, 2, size) for size in sizes]
                counts = np.array([int((one == letter).sum()) for one in letters for letter in (0, 1)])
                present = np.flatnonzero(counts)
                words.append((counts, case.word(present, counts[present])))
        decided = [int(decided_by(network, word[None])[0]) for _, word in words]
        checked = 0
        for counts, word in words:
            present = np.flatnonzero(counts)
            try:
                found = trace(network, case.network, present, counts[present], slack)
            except Undecided:
                assert slack != 0
                continue
            assert found.decision == int(decided_by(network, word[None])[0])
            for (others, _), decision in zip(words, decided, strict=True):
                inside = np.concatenate([[1], others[present]])
                if others[present].all() and others.sum() == others[present].sum() and (found.rows @ inside >= 0).all():
                    assert decision == found.decision
                    checked += 1
        assert checked or slack != 0


def test_a_network_that_tells_the_order_of_letters_is_refused() -> None:
    network = random_network(0, "ab", CAUSAL, "mean")
    assert Cells().obstacle(Problem(network, network)) == "`num` tells positions apart: y <= x"


def test_a_sentence_that_tells_the_order_of_letters_is_refused() -> None:
    problem = specified(random_network(0), "exists x. a(x) & exists y. x < y & b(y)")
    assert "compares positions" in Cells().obstacle(problem)


SYMMETRIC = [
    "exists x. a(x) & b(x)", "exists x. exists y. a(x) & a(y) & ~(x = y)", "forall x. b(x)", "b(1) & a(n)",
    "M x. M y. (a(x) <-> a(y))", "#x[a(x) : 2] - #x[b(x)] >= n - 3", "#x[a(x) & #y[b(y)] >= 2] >= 2",
    "exists k. #i[b(i)] = 2*k", "forall k. ~(#i[b(i)] = k & bit(k, 2))", "exists m. 2*m = n", "exists x. b(x) & bit(x, 1)",
    "let two(x, y) := ~(x = y) & a(x) & a(y); exists x. #y[two(x, y)] = 1",
    "sum more(x) := #y[a(y)] - [b(x)]; exists x. more(x) >= 2", "a(2) | n < 2",
    "exists x. exists y. exists z. b(x) & b(y) & b(z) & ~(x = y) & ~(x = z) & ~(y = z)",
]  # fmt: skip


@pytest.mark.parametrize("text", SYMMETRIC)
def test_a_symmetric_sentence_is_a_formula_of_counts(text: str) -> None:
    """The cells of a network that always says no give the shortest word of the sentence."""
    network = random_network(0)
    never = Specification(sentence("false", ("a", "b")), (1,), ("",), True)
    problem = Problem(network, never, sentence(text, ("a", "b")))
    found = Cells().decide_all(problem, seconds(60))
    require_same(problem, found)
