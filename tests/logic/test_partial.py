"""Partial words against every word: three-valued truth, and branch and bound against the exhaustive method."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.formats import BIT, Format
from circuits.matrices import identity
from circuits.network import Affine, Network, Operand, Readout, Round, Table
from circuits.positions import FIRST, Ref
from circuits.words import all_words
from logic.batch import evaluate
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Limit, seconds
from logic.comparing.partial import Partial, Search
from logic.comparing.problem import Problem
from logic.comparing.specification import Specification
from logic.comparing.three_valued import bounds
from logic.parser import parse
from logic.syntax import Sentence
from tests.circuits.small import X, attention, integers, network, words_of
from tests.circuits.test_word_intervals import partial_words, softmax
from tests.logic.examples import sentences

ONE_BY_ONE = property(lambda search: 1)


def sentence(text: str) -> Sentence:
    return parse(f"letters a, b; {text}")


def specification(text: str) -> Specification:
    return Specification(sentence(text), (1,), ("",), True)


@given(sentences(), st.integers(0, 1 << 30), st.integers(1, 3))
@settings(max_examples=25, deadline=None)
def test_truth_on_partial_words(phi: Sentence, seed: int, n: int) -> None:
    """What must hold holds in every word, what cannot hold in none; on a single word both are the truth."""
    words = next(all_words(len(phi.letters), n))
    relations = tuple(d.name for d in phi.definitions if not hasattr(d.body, "items"))
    expected = evaluate(phi, words, np.zeros((len(words), len(phi.propositions)), dtype=bool), relations)
    allowed = np.concatenate([partial_words(3, n, len(phi.letters), share, seed) for share in (0.0, 0.4)])
    found = bounds(phi, allowed, ("", *relations))
    for name, (must, can) in found.items():
        for index, some in enumerate(allowed):
            mine = expected[name][some[np.arange(n), words].all(axis=1)]
            assert (must[index] <= mine.min(axis=0)).all(), name
            assert (can[index] >= mine.max(axis=0)).all(), name
            if len(mine) == 1:
                assert (must[index] == can[index]).all(), name


def test_huge_sums_are_exact() -> None:
    phi = sentence(f"{1 << 61}*#x[a(x)] + {1 << 61}*#x[a(x)] >= {1 << 62}")
    allowed = np.array([[[True, True], [True, False]], [[True, True], [True, True]], [[False, True], [False, True]]])
    must, can = bounds(phi, allowed, ("",))[""]
    assert must.tolist() == [True, False, False]
    assert can.tolist() == [True, True, False]


def logit(seed: int, *, causal: bool = True, n_positions: int = 0) -> Network:
    """A softmax head with a decision of one bit, read at the last position or at each."""
    made = softmax(seed, causal=causal)
    kept = made.nodes[:-2]
    logits, decision = made.nodes[-2:]
    assert isinstance(logits, Affine)
    assert isinstance(decision, Table | Round)
    at = (X,) * n_positions
    operand = replace(logits.operands[0], ref=replace(logits.operands[0].ref, at=at or logits.operands[0].ref.at))
    operand = replace(operand, matrix=operand.matrix[:1])
    zero = integers(0)
    logits = replace(logits, n_positions=n_positions, size=1, operands=(operand,), const=zero, length=zero)
    decision = replace(decision, n_positions=n_positions, size=1, operand=replace(decision.operand, at=at))
    return Network(
        (*kept, logits, decision), Readout("logit", "class", "logits", None, 2, n_positions), made.domain, ("a", "b")
    )


SPECIFICATIONS = ("a(n)", "#x[a(x)] > #x[b(x)]", "exists x. a(x) & b(x + 1)", "true", "M x. a(x)")
TAGS = ("a(x)", "2*#y[y <= x & a(y)] >= x", "a(1) | b(x)")


def assert_same(problem: Problem, lengths: range) -> None:
    """The method finds what comparing all words finds."""
    expected = Exhaustive().decide(problem, lengths, Limit())
    found = Partial().decide(problem, lengths, Limit())
    assert found.decided == expected.decided
    assert (found.word is None) == (expected.word is None)
    assert not found.reason
    assert not found.everywhere
    if found.word is not None:
        assert len(found.word) == expected.decided[-1]
        assert problem.differs(found.word[None])[0]


@pytest.fixture(autouse=True)
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Partial words are split down to single words, and their positions ordered, also where there are few."""
    monkeypatch.setattr(Search, "few", ONE_BY_ONE)
    monkeypatch.setattr(Search, "ratio", property(lambda search: 0.01))
    monkeypatch.setattr("logic.comparing.partial.FEW", 1)
    monkeypatch.setattr("logic.comparing.partial.PROBED", 1)


@pytest.mark.parametrize("text", SPECIFICATIONS)
def test_specifications(text: str) -> None:
    for seed in range(3):
        assert_same(Problem(logit(seed), specification(text)), range(1, 7))


@pytest.mark.parametrize("text", TAGS)
def test_taggers(text: str) -> None:
    for seed in range(2):
        tagger = logit(seed, n_positions=1)
        assert_same(Problem(tagger, specification(text)), range(1, 6))
        assert_same(Problem(tagger, specification(text), at=sentence("x = 1 | b(x)")), range(1, 6))


def test_where() -> None:
    """Only words considered count, also where everything else differs."""
    made = logit(1)
    for text in ("a(1) & ~b(2)", "n = 4 & M x. b(x)"):
        assert_same(Problem(made, specification("true"), where=sentence(text)), range(1, 6))
        assert_same(Problem(made, specification("false"), where=sentence(text)), range(1, 6))


def test_rivals_that_are_networks() -> None:
    for seed in range(2):
        assert_same(Problem(logit(seed), logit(seed + 1)), range(1, 6))
    assert_same(Problem(logit(0), logit(0)), range(1, 6))


def test_classes() -> None:
    """A specification of all classes, and of some."""
    made = logit(2)
    both = sentence("let class[0] := b(n); let class[1] := a(n); true")
    names = ("class[0]", "class[1]")
    assert_same(Problem(made, Specification(both, (0, 1), names, True)), range(1, 6))
    assert_same(Problem(made, Specification(both, (1,), names[1:], False)), range(1, 6))


def test_equal_on_long_words_is_found_without_looking_at_each() -> None:
    """The first letter decides, and 2**40 words are decided by a few partial words."""
    zero = integers(0)
    logits = Affine("logits", 0, 1, (Operand(Ref("q", (FIRST,)), identity(1)),), zero, zero, 0)
    nodes = (*network().nodes[:1], *words_of("q", Format(3, -4, 0), 1, -1), logits,
             Table("class", 0, 1, Ref("logits"), integers(1), integers(0, 1), BIT))  # fmt: skip
    made = Network(nodes, Readout("logit", "class", "logits", None, 2, 0), network().domain, ("a", "b"))
    found = Partial().decide(Problem(made, specification("a(1)")), [40], Limit())
    assert found.decided == (40,)
    assert found.word is None
    assert found.facts["partial words"] < 1000
    assert found.facts["words"] == 1
    other = Partial().decide(Problem(made, specification("a(1) & ~(b(20) & b(21) & b(22))")), [40], Limit())
    assert other.word is not None
    assert other.word[[0, 19, 20, 21]].tolist() == [0, 1, 1, 1]


def test_deadline() -> None:
    problem = Problem(logit(0), specification("#x[a(x)] > #x[b(x)] | ~(#x[a(x)] > #x[b(x)]) & a(n)"))
    found = Partial().decide(problem, [3, 4], Limit(time.monotonic() - 1))
    assert found.decided == ()
    assert found.word is None
    assert found.reason == "out of time at n = 3"
    assert Partial().decide(problem, [1], seconds(30)).reason == ""


def test_progress_and_forecast() -> None:
    said: list[str] = []
    problem = Problem(logit(0), logit(0))
    Partial().decide(problem, [5], Limit(progress=said.append))
    assert said
    assert said[0].startswith("n = 5: ")
    assert 0 < Partial().forecast(problem, 5) < 60


def test_obstacles() -> None:
    assert Partial().obstacle(Problem(logit(0), logit(1))) == ""
    made = attention(2, 3)
    value = replace(made, readout=replace(made.decided, kind="value"))
    assert "number" in Partial().obstacle(Problem(made, value))


def test_memory() -> None:
    """Batches are as small as the memory asks for, and too little is said so."""
    problem = Problem(logit(0), specification("a(n)"))
    found = Partial().decide(problem, [4], Limit(memory=1000))
    assert found.decided == ()
    assert "memory" in found.reason
    small = Partial().decide(problem, [1, 2, 3, 4], Limit(memory=3 * Search(problem, 4, Limit()).sides[0].bytes(2)))
    assert small.decided == Partial().decide(problem, [1, 2, 3, 4], Limit()).decided
