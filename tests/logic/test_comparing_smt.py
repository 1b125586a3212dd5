"""Queries for words on which a network and its rival differ answer what all words answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.network import Network
from circuits.words import all_words
from logic.comparing.baseline import Naive
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Finding, Method, seconds
from logic.comparing.problem import Problem
from logic.comparing.solved import Solved
from logic.comparing.specification import Specification
from logic.parser import parse
from logic.smt.monolithic import solve
from tests.circuits.small import attention
from tests.circuits.strategies import networks

METHODS = [Naive(), Solved()]
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
@settings(max_examples=25)
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
    require_same(problem, lengths_of(network, 4), method)
