"""Nodes are interned: equal means identical, also through pickling, and unused nodes are forgotten."""

from __future__ import annotations

import copy
import gc
import pickle

import pytest
from hypothesis import given, settings

from circuits.diagnostics import FomError
from logic.syntax import (
    FALSE,
    TRUE,
    And,
    Compare,
    Forall,
    Formula,
    Indicator,
    Letter,
    Linear,
    Not,
    Or,
    Sentence,
    Sum,
    Term,
    Truth,
    all_of,
    any_of,
    at_least,
    var,
)
from logic.walk import children, postorder
from tests.logic.examples import sentences


def test_equal_nodes_are_one() -> None:
    assert Letter("a", var("x")) is Letter("a", Term.make({"x": 1, "y": 0}))
    assert Letter(name="a", term=var("x")) is Letter("a", var("x"))
    assert Letter("a", var("x")) != Letter("a", var("y"))
    assert Sum() is Sum((), 0, 0)


def test_the_type_of_a_field_is_part_of_the_key() -> None:
    assert Truth(True) is not Truth(1)  # type: ignore[arg-type]
    assert type(Truth(True).value) is bool


@given(sentences())
@settings(max_examples=50, deadline=None)
def test_pickling_and_copying_keep_identity(sentence: Sentence) -> None:
    assert pickle.loads(pickle.dumps(sentence.formula)) is sentence.formula  # noqa: S301
    assert copy.deepcopy(sentence).formula is sentence.formula


def test_unused_nodes_are_forgotten() -> None:
    gc.collect()  # what other tests left behind
    table = Letter._table
    before = len(table)
    made = [Letter(f"unused{number}", var("x")) for number in range(100)]
    assert len(table) == before + 100
    del made
    gc.collect()
    assert len(table) == before


def test_free_variables() -> None:
    phi = And((Forall("x", Compare("<", var("x"), var("y"))), Letter("a", var("z") - var("x"))))
    assert phi.free == {"x", "y", "z"}
    assert Forall("x", Letter("a", var("x"))).free == frozenset()


def test_postorder_visits_shared_nodes_once() -> None:
    phi: Formula = Letter("a", Term((), 0, 1))
    for _ in range(200):
        phi = And((phi, Not(phi)))
    order = list(postorder(phi))
    place = {node: number for number, node in enumerate(order)}
    assert len(order) == len(place) == 401
    assert all(place[child] < place[node] for node in order for child in children(node))


def test_builders() -> None:
    a, b = Letter("a", var("x")), Letter("b", var("x"))
    assert all_of([]) is TRUE
    assert any_of([]) is FALSE
    assert all_of([a]) is a
    assert (a & b) is all_of([a, b])
    assert (a | b) is any_of([a, b])
    assert ~a is Not(a)
    assert at_least(Sum((), 2, 3), 4) is Compare("<=", Term((), 0, 4), Term((), 2, 3))
    assert at_least(Sum((), 0, 3), 3) is TRUE
    assert at_least(Sum((), 0, 3), 4) is FALSE
    assert at_least(Sum(((1, Indicator(a)),)), 4) is Linear(Sum(((1, Indicator(a)),)), 4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: And(()),
        lambda: Or((TRUE,)),
        lambda: Compare(">", var("x"), var("y")),
        lambda: Term((("y", 1), ("x", 1))),
        lambda: Term((("x", 0),)),
        lambda: Linear(Sum((), 1, 0), 3),
    ],
)
def test_ill_formed_nodes_are_refused(make: object) -> None:
    with pytest.raises(FomError, match="L018"):
        make()  # type: ignore[operator]


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="Letter needs the field `term`"):
        Letter("a")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Letter has the fields name, term"):
        Letter("a", var("x"), var("y"))  # type: ignore[call-arg]
