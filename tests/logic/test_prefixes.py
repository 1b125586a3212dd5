"""Causal networks read letter by letter: the same decisions as on whole words, and the same shortest differences."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from circuits.diagnostics import FomError
from circuits.evaluate import evaluate_as_defined
from circuits.matrices import matrix
from circuits.network import (
    Affine,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Predicates,
    Product,
    Quotient,
    Sum,
    Table,
    references,
)
from circuits.positions import FIRST, LAST, TRUE, AtLeast, Equals, Guard, Ref, Term, conjunction, grid, holds, var
from circuits.readout import decisions
from circuits.words import all_words
from logic.comparing import prefixes_rows
from logic.comparing.causality import keeps_before, never_after, not_causal
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Limit
from logic.comparing.prefixes import Prefixes, Search, Trial
from logic.comparing.prefixes_machine import NetworkMachine
from logic.comparing.prefixes_rows import Rows, distinct
from logic.comparing.problem import Problem
from logic.comparing.specification import Specification
from logic.parser import parse
from tests.circuits.strategies import guards, networks
from tests.logic.comparing_networks import counter, deciding, tagger

LONGEST = 5


def pulled_back(network: Network) -> Network:
    """A network in which nothing with positions reads what is after its own, as far as moving references does that."""

    def term(given_term: Term, n_variables: int) -> Term:
        return var(0) if given_term.n_coef or not never_after(given_term, n_variables) else given_term

    def ref(given_ref: Ref, n_variables: int) -> Ref:
        source = network.by_name[given_ref.node]
        if source.n_positions > 1 and not isinstance(source, Predicates):
            own = [one if one in map(var, range(n_variables)) else var(0) for one in given_ref.at]
            return Ref(given_ref.node, tuple(own))
        return Ref(given_ref.node, tuple(term(one, n_variables) for one in given_ref.at))

    def guard(given_guard: Guard, k: int) -> Guard:
        ordered = AtLeast(var(0) - var(k))
        if "n_coef=1" in str(given_guard) or "n_coef=-1" in str(given_guard):
            return ordered
        return given_guard if keeps_before(given_guard, k) else conjunction(given_guard, ordered)

    nodes: list[Node] = []
    for node in network.nodes:
        k = node.n_positions
        if k:
            match node:
                case Predicates(guards=given_guards):
                    kept = tuple(
                        one if "n_coef=0" in str(one) and "n_coef=1" not in str(one) else TRUE for one in given_guards
                    )
                    node = replace(node, guards=kept)
                case Affine(operands=operands, length=length):
                    moved = tuple(Operand(ref(one.ref, k), one.matrix) for one in operands)
                    node = replace(node, operands=moved, length=0 * length)
                case Product(left=left, right=right):
                    node = replace(node, left=ref(left, k), right=ref(right, k))
                case Sum(operand=operand, guard=given_guard):
                    node = replace(node, operand=ref(operand, k + 1), guard=guard(given_guard, k))
                case Quotient(num=num, den=den):
                    node = replace(node, num=ref(num, k), den=ref(den, k))
                case Maximum(operand=operand, guard=bound, segments=segments):
                    moved_segments = tuple((ref(one, k), groups) for one, groups in segments)
                    read = ref(operand, k + (bound is not None))
                    bound = None if bound is None else guard(bound, k)
                    node = replace(node, operand=read, guard=bound, segments=moved_segments)
                case Letters():
                    pass
                case _:
                    node = replace(node, operand=ref(node.operand, k))  # type: ignore[union-attr,arg-type]
        nodes.append(node)
    return replace(network, nodes=tuple(nodes))


def causal(network: Network) -> Network:
    """A causal network of the same shape, if moving references is enough to make one that has values."""
    made = pulled_back(network)
    assume(not not_causal(made))
    try:
        made.check()
        for n in range(made.domain.least, LONGEST + 2):
            evaluate_as_defined(made, np.concatenate(list(all_words(2, n))))
    except FomError:
        assume(False)
    return made


def decided(network: Network, words: np.ndarray) -> np.ndarray:
    """What a network decides by its definition, at the last position if it answers at every position."""
    readout = network.decided
    values = evaluate_as_defined(network, words)[readout.decision]
    answers = decisions(readout, network.word(readout.decision).format, values)
    return answers[:, -1] if readout.n_positions else answers


@settings(max_examples=15)
@given(networks(most_nodes=7))
def test_letter_by_letter_is_the_definition(drawn: Network) -> None:
    network = causal(drawn)
    words = np.concatenate(list(all_words(2, LONGEST)))
    machine = NetworkMachine(network)
    state = {name: np.repeat(array, len(words), axis=0) for name, array in machine.start().items()}
    for m in range(1, LONGEST + 1):
        state, answers = machine.read(state, words[:, m - 1], m, True, m >= network.domain.least)
        if m >= network.domain.least:
            assert answers is not None
            assert np.array_equal(answers, decided(network, words[:, :m]))


@settings(max_examples=6)
@given(networks(most_nodes=7))
def test_differences_are_those_of_all_words(drawn: Network) -> None:
    network = causal(drawn)
    *others, last = network.nodes
    assert isinstance(last, Table)
    rival = replace(network, nodes=(*others, replace(last, breaks=last.breaks + 2)))
    problem = Problem(network, rival)
    lengths = range(network.domain.least, LONGEST + 2)
    assert_same(problem, lengths, Limit())
    assert_same(problem, lengths, Limit(memory=0))


def assert_same(problem: Problem, lengths: Any, limit: Limit) -> None:
    """Prefixes find a difference at the same length as all words do."""
    assert Prefixes().obstacle(problem) == ""
    found, wanted = Prefixes().decide(problem, lengths, limit), Exhaustive().decide(problem, lengths, Limit())
    assert found.decided == wanted.decided
    assert (found.word is None) == (wanted.word is None)
    if found.word is not None:
        assert len(found.word) == found.decided[-1]
        assert problem.differs(found.word[None]).all()


def specified(text: str) -> Specification:
    """A specification of two classes that is one formula."""
    return Specification(parse(f"letters a, b; {text}"), (1,), ("",), True)


@pytest.mark.parametrize(
    ("network", "rival", "where", "at"),
    [
        (counter(1, 3), "#x[b(x)] >= 3", None, None),
        (counter(1, 3), "#x[b(x)] >= 4", None, None),
        (counter(4, 16), "#x[b(x)] >= 4", None, None),
        (counter(1, 3), "#x[b(x)] >= 4", "#x[b(x)] != 3 | a(1)", None),
        (counter(1, 3), "#x[b(x)] >= 4", "exists x. a(x) & a(x + 2)", None),
        (counter(1, 3), "exists x. b(x) & b(x + 1) & b(x + 2)", None, None),
        (counter(1, 3), counter(2, 5), None, None),
        (counter(1, 3), counter(2, 9), None, None),
        (counter(1, 3), deciding(0, AtLeast(LAST - var(0) - 1), 1, 3), None, None),
        (tagger(), "#y[y <= x & b(y)] >= 2", None, None),
        (tagger(), "#y[y < x & b(y)] >= 2", None, None),
        (tagger(), "#y[y < x & b(y)] >= 2", None, "a(x)"),
        (tagger(), "#y[y < x & b(y)] >= 2", "a(n) & a(n - 1)", None),
        (tagger(), "#y[y < x & b(y)] >= 2", "forall x. b(x) -> a(x + 1)", "x = 4 | x = 6"),
        (tagger(), deciding(1, AtLeast(var(0) - var(1) - 1), 1, 2), None, "b(x)"),
        (tagger(), deciding(1, AtLeast(var(0) - var(1)), 1, 3), "#x[b(x)] < 3", None),
    ],
)
def test_rivals_and_restrictions(network: Network, rival: Any, where: str | None, at: str | None) -> None:
    against = specified(rival) if isinstance(rival, str) else rival
    words = None if where is None else parse(f"letters a, b; {where}")
    places = None if at is None else parse(f"letters a, b; {at}")
    problem = Problem(network, against, words, places)
    for limit in (Limit(), Limit(memory=0)):
        assert_same(problem, range(1, 8), limit)
        assert_same(problem, [3, 7], limit)


def test_equal_states_are_read_once() -> None:
    problem = Problem(tagger(), specified("#y[y <= x & b(y)] >= 2"))
    search = Search(problem, Limit())
    assert search.decide(150, True) is None
    assert search.by_length == [m + 1 for m in range(151)]
    finding = Prefixes().decide(problem, range(1, 151), Limit())
    assert finding.decided == tuple(range(1, 151))
    assert finding.word is None
    assert finding.facts["most states of one length"] == 150
    by_words = Search(Problem(counter(1, 3), specified("exists x. b(x) & a(x + 1)")), Limit())
    assert [by_words.advance(0) for _ in range(6)] == [None] * 6
    assert by_words.by_length[-1] == 64


def test_forecasts_follow_the_growth_of_states() -> None:
    seconds = [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
    linear = Trial(2, [m + 1 for m in range(9)], seconds, 1e-3)
    doubling = Trial(2, [2**m for m in range(9)], seconds, 1e-3)
    assert linear.forecast(3) == doubling.forecast(3) == 0.3
    assert 0.8 < linear.forecast(16) < linear.forecast(160) < 16 + 1e-3 * 2 * 160**3
    assert doubling.forecast(16) > 1e-3 * 2**16
    assert doubling.forecast(60) > 1e-3 * 2**60
    assert Trial(2, [1], [0.0], 1e-3).forecast(2) == 1e-3 * (2 + 4 * 2)


def test_forecasts_of_networks() -> None:
    merging = Problem(tagger(), specified("#y[y <= x & b(y)] >= 2"))
    assert Prefixes().forecast(merging, 1) <= Prefixes().forecast(merging, 40)
    unmerged = Problem(counter(1, 3), specified("exists x. b(x) & a(x + 1)"))
    assert Prefixes().forecast(unmerged, 60) > 1e6


def test_what_is_decided_in_time_remains() -> None:
    problem = Problem(tagger(), specified("#y[y <= x & b(y)] >= 2"))
    late = Prefixes().decide(problem, [1, 2], Limit(time.monotonic()))
    assert (late.decided, late.word, late.reason) == ((), None, "out of time at n = 1")
    told: list[str] = []
    some = Prefixes().decide(problem, range(1, 100_000), Limit(time.monotonic() + 1.2, progress=told.append))
    assert 0 < len(some.decided) < 99_999
    assert some.decided == tuple(range(1, len(some.decided) + 1))
    assert some.reason == f"out of time at n = {len(some.decided) + 1}"
    assert 1 <= len(told) <= 3


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (
            Problem(deciding(1, TRUE, 1, 2), tagger()),
            "the network is not causal: `total` ranges over positions after its own",
        ),
        (Problem(tagger(), deciding(1, TRUE, 1, 2)), "the network is not causal: `total` ranges"),
        (Problem(tagger(), specified("#y[b(y)] >= 2 & a(x)")), "positions `y` after `x` are counted"),
        (Problem(tagger(), tagger(), None, parse("letters a, b; a(x + 1)")), "position `x + 1` is not known"),
    ],
)
def test_obstacles(problem: Problem, reason: str) -> None:
    assert Prefixes().obstacle(problem).startswith(reason)


def reads(k: int, ref: Ref) -> Network:
    """A network of a node of k positions that reads the letters."""
    letters = Letters("letters", 2)
    none = np.zeros(1, dtype=np.int64)
    whole = Sum("whole", 0, 2, Ref("letters", (var(0),)), TRUE, 0)
    node = Affine("node", k, 1, (Operand(ref, matrix([0], [1], 1, (1, 2))),), none, none, 0)
    return replace(tagger(), nodes=(letters, whole, node))


@pytest.mark.parametrize(
    ("network", "why"),
    [
        (reads(1, Ref("letters", (var(0),))), ""),
        (reads(1, Ref("letters", (var(0) - 3,))), ""),
        (reads(1, Ref("letters", (FIRST,))), ""),
        (reads(2, Ref("letters", (var(1),))), ""),
        (reads(0, Ref("letters", (LAST - 1,))), ""),
        (reads(0, Ref("whole")), ""),
        (reads(1, Ref("letters", (var(0) + 1,))), "reads `letters` after its own position"),
        (reads(1, Ref("letters", (var(0) * 2,))), "reads `letters` after its own position"),
        (reads(1, Ref("letters", (FIRST + 1,))), "reads `letters` after its own position"),
        (reads(1, Ref("letters", (LAST,))), "reads `letters` at a position that depends on the length of the word"),
        (reads(1, Ref("whole")), "reads `whole`, which depends on the whole word"),
    ],
)
def test_causality_of_references(network: Network, why: str) -> None:
    assert [len(references(node)) for node in network.nodes] == [0, 1, 1]
    assert not_causal(network) == (why and f"the network is not causal: `node` {why}")


@given(guards(2))
def test_guards_that_keep_before(guard: Guard) -> None:
    violated = any((holds(guard, n, grid(n, 2)) & (grid(n, 2)[1] > grid(n, 2)[0])).any() for n in range(1, 7))
    assert not (keeps_before(guard, 1) and violated)
    exact = (AtLeast(var(0) - var(1)), AtLeast(var(0) - var(1) - 1), Equals(var(0) - var(1)), Equals(var(1) - FIRST))
    assert guard not in exact or keeps_before(guard, 1)


def test_equal_hashes_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = prefixes_rows.hashes
    tried = []

    def poor(parts: Any, seed: int) -> np.ndarray:
        tried.append(seed)
        found = honest(parts, seed)
        return found % np.uint64(7) if seed < 2 else found

    monkeypatch.setattr(prefixes_rows, "hashes", poor)
    random = np.random.default_rng(1)
    left, right = random.integers(0, 6, (500, 2)), random.integers(0, 3, (500, 1))
    whole = np.concatenate([left, right], axis=1)
    kept = distinct([left, right])
    assert np.array_equal(kept, np.sort(np.unique(whole, axis=0, return_index=True)[1]))
    rows = Rows(3)
    numbers = np.concatenate([rows.numbers(whole[start : start + 50]) for start in range(0, 500, 50)])
    assert np.array_equal(rows.stored[numbers], whole)
    assert len(rows) == len(kept)
    assert max(tried) == 2
    assert len(np.unique(rows.stored, axis=0)) == len(rows)
