"""Queries for words on which a network and its rival differ answer what all words answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.formats import Format
from circuits.matrices import matrix
from circuits.network import Affine, Domain, Letters, Network, Operand, Readout, Round, Sum
from circuits.positions import TRUE, Ref, var
from circuits.words import all_words
from logic.comparing.baseline import Naive
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Finding, Method, seconds
from logic.comparing.problem import Problem
from logic.comparing.solved import Solved
from logic.comparing.specification import Specification
from logic.parser import parse
from logic.smt.comparing import Shared, ask
from logic.smt.comparing_choices import Choices, CountChoice
from logic.smt.comparing_network import Limits, Tabulating
from logic.smt.ground import ground
from logic.smt.monolithic import TimedEnvironment, solve
from tests.circuits.small import attention
from tests.circuits.small import network as small
from tests.circuits.strategies import networks

ZERO = np.zeros(1, dtype=np.int64)
METHODS: list[Method] = [Naive(), Solved()]
FORMULAS = (
    "true",
    "M x. b(x)",
    "exists x. a(x) & b(x + 1)",
    "#x[b(x)] = 2",
    "forall x. #y[y <= x & a(y)] >= #y[y <= x & b(y)]",
    "b(1)",
)

FORMULAS_AT = ("a(x)", "b(x) | b(x - 1)", "#y[y <= x & b(y)] = 1", "M y. a(y) <-> a(x)")


def of_formula(text: str) -> Specification:
    """A specification of class 1 of two."""
    return Specification(parse(f"letters a, b; {text}"), (1,), ("",), True)


def of_pairs(problem: Problem, lengths: list[int], method: Method) -> tuple[Finding, Finding]:
    """What a method finds, and what all words say."""
    return method.decide(problem, lengths, seconds(60)), Exhaustive().decide(problem, lengths, seconds(60))


def require_same(problem: Problem, lengths: list[int], method: Method) -> Finding:
    """A method decides what all words decide."""
    found, expected = of_pairs(problem, lengths, method)
    assert not found.reason
    assert found.decided == expected.decided
    assert (found.word is None) == (expected.word is None)
    if found.word is not None:
        assert problem.differs(found.word[None])[0]
    return found


def lengths_of(network: Network, most: int) -> list[int]:
    """The first lengths of the domain."""
    domain = network.domain
    return list(range(domain.least, min(most, domain.most or most) + 1))


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@given(data=st.data())
@settings(max_examples=6)
def test_random_networks_against_formulas(method: Any, data: Any) -> None:
    network = data.draw(networks())
    at_positions = network.decided.n_positions == 1
    formula = data.draw(st.sampled_from(FORMULAS_AT if at_positions else FORMULAS))
    where = data.draw(st.sampled_from((None, "exists x. a(x)")))
    at = data.draw(st.sampled_from((None, "a(x)"))) if at_positions else None
    given_ = [None if text is None else parse(f"letters a, b; {text}") for text in (where, at)]
    problem = Problem(network, of_formula(formula), *given_)
    if method.obstacle(problem):
        return
    require_same(problem, lengths_of(network, 3), method)


NARROW = Limits(most_cells=8, most_named=2)


@given(data=st.data())
@settings(max_examples=6)
def test_words_by_thresholds(data: Any) -> None:
    """Where next to nothing may be tabulated, linear constraints say the same."""
    network = data.draw(networks())
    formula = data.draw(st.sampled_from(FORMULAS_AT if network.decided.n_positions else FORMULAS))
    problem = Problem(network, of_formula(formula))
    if Solved().obstacle(problem):
        return
    for n in lengths_of(network, 3):
        answer = ask(problem, n, Tabulating(NARROW), seconds(60))
        if "multiplies" in answer.result or "too many words" in answer.result:
            return
        expected = Exhaustive().decide(problem, [n], seconds(60))
        assert answer.result == ("unsat" if expected.word is None else "sat")
        if answer.word is not None:
            assert problem.differs(answer.word[None])[0]


@pytest.mark.parametrize("limits", [None, Limits(most_cells=64, most_named=8)], ids=["tables", "thresholds"])
def test_attention(limits: Limits | None) -> None:
    """A causal head with a softmax, whose denominator and maximum depend on all letters."""
    problem = Problem(attention(2, 3, seed=1), of_formula("M x. b(x)"))
    for n in (1, 2, 3):
        answer = ask(problem, n, Tabulating(limits), seconds(60))
        differing = all_differences(problem, n)
        assert answer.result == ("sat" if differing else "unsat")
        assert answer.word is None or tuple(answer.word.tolist()) in differing


def all_differences(problem: Problem, n: int) -> set[tuple[int, ...]]:
    """All words of a length on which network and rival differ."""
    (words,) = all_words(len(problem.network.alphabet), n, 1 << n)
    return {tuple(word) for word in words[problem.differs(words)].tolist()}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_two_networks(method: Method) -> None:
    one, other = attention(2, 2, seed=1), attention(2, 2, seed=2)
    assert require_same(Problem(one, one), [1, 2], method).word is None
    assert require_same(Problem(one, other), [1, 2], method).word is not None


def test_networks_that_count_are_tables() -> None:
    """A network that sees numbers of letters only is a table over them, far beyond what all words could decide."""
    count = Sum("count", 0, 2, Ref("w", (var(0),)), TRUE, 0)
    network = small(count)
    problem = Problem(network, of_formula("#x[b(x)] > 100"))
    found = Solved().decide(problem, [100], seconds(60))
    assert found.word is not None
    assert found.word.tolist() == [1] * 100
    met = Solved().decide(Problem(network, of_formula("#x[a(x)] = 0")), [100], seconds(60))
    assert met.decided == (100,)
    assert met.word is None


def test_obligations_are_unsatisfiable() -> None:
    one = attention(2, 2, seed=1)
    for method in METHODS:
        found = method.decide(Problem(one, one), [2], seconds(60))
        assert [solve(obligation.script, 20.0) for obligation in found.obligations] == ["unsat"]


def test_time_is_kept() -> None:
    problem = Problem(attention(4, 4), of_formula("M x. b(x)"))
    for method in METHODS:
        assert not method.decide(problem, [9], seconds(0.0)).decided
        assert method.decide(problem, [9], seconds(0.003)).reason


def test_forecasts_grow() -> None:
    problem = Problem(attention(2, 3), of_formula("M x. b(x)"))
    assert Solved().forecast(problem, 3) < Solved().forecast(problem, 60)
    assert Naive().forecast(problem, 3) == float("inf")


def test_numbers_are_an_obstacle() -> None:
    """What reads numbers or answers with a wide number is told before anything is tried."""
    wide = Round("count", 1, 1, Ref("w", (var(0),)), 0, Format(20, 0, 0))
    for method in METHODS:
        problem = Problem(answering(wide), answering(wide))
        assert "20 bits" in method.obstacle(problem)


@given(seed=st.integers(0, 1 << 16), n=st.integers(1, 5))
@settings(max_examples=10)
def test_sets_of_counts(seed: int, n: int) -> None:
    """The formula of a set of count vectors holds for the words with these counts."""
    random = np.random.default_rng(seed)
    alphabet = ("a", "b", "c")
    env = TimedEnvironment()
    made = ground(parse("letters a, b, c; true"), n, alphabet, env=env)
    choices = Choices(Shared(env, n, made.letters), alphabet)
    choice = choices.count(tuple(range(1, n + 1)))
    assert choice is not None
    known = choices.known[choice]
    assert isinstance(known, CountChoice)
    options = random.integers(0, 2, len(known.vectors)).astype(bool)
    formula = choices.among(choice, options)
    for vector, inside in zip(known.vectors.tolist(), options.tolist(), strict=True):
        values = dict(zip(known.counts, map(env.formula_manager.Int, vector), strict=True))
        assert env.simplifier.simplify(env.substituter.substitute(formula, values)).is_true() == inside


def answering(word: Round) -> Network:
    """A network that answers with the number of a word at every position."""
    weights = Affine("value", 1, 1, (Operand(Ref("w", (var(0),)), matrix([0], [0], [1], (1, 2))),), ZERO, ZERO, 0)
    readout = Readout("value", word.name, "value", None, 0, 1)
    nodes = (Letters("w", 2), weights, replace(word, operand=Ref("value", (var(0),))))
    return Network(nodes, readout, Domain(), ("a", "b"))
