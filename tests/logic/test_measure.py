"""Measures: shared size, ranks through definitions, and the exact size of the tree that is never built."""

from __future__ import annotations

import time

from hypothesis import given, settings

from logic import Measures, Sentence, measure, parse
from logic.syntax import Call, Count, Exists, Forall, Majority, SumCall
from logic.walk import Part, children
from tests.logic.examples import sentences


def test_a_formula() -> None:
    assert measure(parse("M x. exists y. a(x) & a(y)")) == Measures(0, 5, 2, 1, 5)
    assert measure(parse("forall x. #y[a(y)] >= 1")) == Measures(0, 6, 2, 1, 6)
    assert measure(parse("true")) == Measures(0, 1, 0, 0, 1)


def test_ranks_go_through_definitions() -> None:
    sentence = parse("let p(x) := M y. y <= x; sum s(x) := #y[p(y)]; exists x. s(x) >= 1")
    made = measure(sentence)
    assert (made.definitions, made.quantifier_rank, made.majority_rank) == (2, 3, 2)


def test_the_unfolded_size_is_exact_and_never_built() -> None:
    text = "let d0(x) := a(x);" + "".join(f"let d{k + 1}(x) := d{k}(x) & d{k}(n - x);" for k in range(1000))
    started = time.perf_counter()
    made = measure(parse(text + "d1000(1)"))
    assert made.unfolded_nodes == 2**1001 - 1
    assert made.nodes == 3002
    assert time.perf_counter() - started < 5


def unfolded(sentence: Sentence, node: Part) -> int:
    """Count the nodes of the tree, by building it."""
    bodies = {definition.name: definition.body for definition in sentence.definitions}
    if isinstance(node, Call | SumCall) and node.name in bodies:
        return unfolded(sentence, bodies[node.name])
    return 1 + sum(unfolded(sentence, child) for child in children(node))


def rank(sentence: Sentence, node: Part, kinds: tuple[type, ...]) -> int:
    bodies = {definition.name: definition.body for definition in sentence.definitions}
    if isinstance(node, Call | SumCall):
        return rank(sentence, bodies[node.name], kinds) if node.name in bodies else 0
    return isinstance(node, kinds) + max((rank(sentence, child, kinds) for child in children(node)), default=0)


@given(sentences())
@settings(max_examples=100, deadline=None)
def test_against_the_unfolded_tree(sentence: Sentence) -> None:
    made = measure(sentence)
    roots = [*(definition.body for definition in sentence.definitions), sentence.formula]
    assert made.unfolded_nodes == unfolded(sentence, sentence.formula)
    assert made.quantifier_rank == max(rank(sentence, root, (Forall, Exists, Majority, Count)) for root in roots)
    assert made.majority_rank == max(rank(sentence, root, (Majority, Count)) for root in roots)
