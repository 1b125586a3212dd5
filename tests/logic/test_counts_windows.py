"""Networks whose answers depend on windows: what is claimed for every length holds on longer words."""

import numpy as np
import pytest

from circuits.formats import BIT
from circuits.matrices import canonical
from circuits.network import Affine, Domain, Letters, Network, Operand, Predicates, Readout, Sum, Table
from circuits.positions import AtLeast, Equals, Guard, Ref, conjunction, var
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import seconds
from logic.comparing.problem import Problem
from logic.comparing.specification import Specification
from logic.comparing.windows import Windows
from logic.parser import parse
from logic.syntax import Sentence
from tests.logic.counting_networks import random_network

X, Y = var(0), var(1)
START = Equals(X - 1)


def windowed(guard: Guard, least: int, predicate: Guard = START) -> Network:
    """At each position: at least so many b in the window that a guard describes, counting 2 where a predicate holds."""
    nodes = (
        Letters("tokens", 2),
        Predicates("edge", 1, (predicate,)),
        Sum("count", 1, 2, Ref("tokens", (Y,)), guard, 0),
        Affine(
            "scores", 1, 1,
            (Operand(Ref("count", (X,)), canonical([[0, 1]])), Operand(Ref("edge", (X,)), canonical([[2]]))),
            np.zeros(1, np.int64), np.zeros(1, np.int64), 0,
        ),
        Table("decision", 1, 1, Ref("scores", (X,)), np.array([least]), np.array([0, 1]), BIT),
    )  # fmt: skip
    network = Network(nodes, Readout("logit", "decision", "scores", None, 2, 1), Domain(), ("a", "b"))
    network.check()
    return network


def specified(network: Network, text: str) -> Problem:
    found = parse(text)
    return Problem(
        network, Specification(Sentence(("a", "b"), (), found.definitions, found.formula), (1,), ("",), True)
    )


LAST_TWO = conjunction(AtLeast(X - Y), AtLeast(Y - X + 1))
NEAR = conjunction(AtLeast(X - Y + 1), AtLeast(Y - X + 1))


@pytest.mark.parametrize(
    ("guard", "least", "text", "holds"),
    [
        (LAST_TWO, 2, "b(x) & b(x-1) | x = 1", True),
        (LAST_TWO, 2, "b(x) & b(x-1)", False),
        (NEAR, 3, "x = 1 & (b(1) | b(2)) | b(x-1) & b(x) & b(x+1)", True),
        (NEAR, 2, "x = 1 | #y[x <= y + 1 & y <= x + 1 & b(y)] >= 2", True),
        (NEAR, 2, "x = 1 | (exists y. x <= y + 1 & y < x & b(y) & b(x)) | b(x) & b(x+1) | b(x-1) & b(x+1)", True),
        (NEAR, 2, "let two(y) := b(y) & b(y+1); two(x) | two(x-1) | b(x-1) & b(x+1) | x = 1", True),
        (NEAR, 2, "let two(y) := b(y) & b(y+1); two(x) | two(x-1) | b(x-1) & b(x+1) | x = 1 | x = 5", False),
    ],
)
def test_windows_decide_what_longer_words_decide(guard: Guard, least: int, text: str, holds: bool) -> None:
    problem = specified(windowed(guard, least), text)
    assert Windows().obstacle(problem) == ""
    found = Windows().decide_all(problem, seconds(60))
    oracle = Exhaustive().decide(problem, range(1, 11), seconds(60))
    assert found.everywhere == holds
    assert found.everywhere == (oracle.word is None)
    if oracle.word is not None:
        assert found.word is not None
        assert len(found.word) == len(oracle.word)


def test_an_end_far_away_is_seen() -> None:
    near, far = windowed(LAST_TWO, 2, Equals(X - 1)), windowed(LAST_TWO, 2, Equals(X - 6))
    found = Windows().decide_all(Problem(near, far), seconds(60))
    assert found.word is not None
    far_end = windowed(LAST_TWO, 2, Equals(var(0) * 1 - 6))
    assert Windows().decide_all(Problem(far, far_end), seconds(60)).everywhere


@pytest.mark.parametrize("text", ["exists y. b(y)", "M y. b(y)", "#y[b(y) & y <= x] >= 1", "b(x) & x + x = n"])
def test_sentences_that_read_at_any_distance_are_refused(text: str) -> None:
    assert Windows().obstacle(specified(windowed(LAST_TWO, 2), text)).startswith("the sentence reads")


def test_networks_that_read_at_any_distance_are_refused() -> None:
    network = random_network(0)
    assert Windows().obstacle(Problem(network, network)) == "`pooled` reads all positions"
    causal = random_network(0, "ab", AtLeast(X - Y), "each")
    assert "y <= x" in Windows().obstacle(Problem(causal, causal))
