"""Fast evaluation against the definition of the nodes: the same integers, the same refusals."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings

from circuits import evaluate as evaluation
from circuits import fast_evaluate
from circuits.diagnostics import FomError
from circuits.evaluate import evaluate, evaluate_as_defined
from circuits.fast_evaluate import FLOAT32, FLOAT64, INT64, Plan, plan_of
from circuits.formats import Format
from circuits.inputs import input_limits
from circuits.matrices import matrix
from circuits.network import Affine, Network, Node, Operand, Product, Quotient, Round, Sum, Table
from circuits.positions import LAST, TRUE, AtLeast, Equals, Ref
from tests.circuits.small import CAUSAL, X, Y, attention, integers, network, words_of
from tests.circuits.strategies import fixed_size_networks, networks


def words(n: int) -> np.ndarray:
    """All words of two letters."""
    return np.array(list(product((0, 1), repeat=n)), dtype=np.int64).reshape(-1, n)


def assert_equal(whole: Network, inputs: np.ndarray, wanted: tuple[str, ...] = ()) -> None:
    """Both evaluations give the same arrays."""
    expected, found = evaluate_as_defined(whole, inputs, wanted), evaluate(whole, inputs, wanted)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == np.int64
        assert found[name].shape == values.shape
        assert np.array_equal(found[name], values), name


@settings(max_examples=30, deadline=None)
@given(networks(most_nodes=8))
def test_random_networks(whole: Network) -> None:
    every = tuple(node.name for node in whole.nodes)
    for n in range(whole.domain.least, 5):
        assert_equal(whole, words(n))
        assert_equal(whole, words(n)[: 2 ** (n - 1)], every)


@settings(max_examples=20, deadline=None)
@given(fixed_size_networks())
def test_fixed_size_networks(whole: Network) -> None:
    low, high = input_limits(whole.inputs)
    codes = [range(first, last + 1) for first, last in zip(low.tolist(), high.tolist(), strict=True)]
    assert_equal(whole, np.array(list(product(*codes)), dtype=np.int64), tuple(node.name for node in whole.nodes))


@pytest.mark.parametrize("chunk", [1, 7, 31])
def test_chunks(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(fast_evaluate, "CHUNK_ELEMENTS", chunk * 25)
    whole = attention(3, 4)
    assert Plan(whole, 5, frozenset(("class",))).chunk == chunk
    assert_equal(whole, words(5))


def pairs(left: int, right: int) -> list[Node]:
    """Two words `a` and `b` of 12 bits, and their products at every pair of positions."""
    signed = Format(12, -2048, 0)
    return [
        *words_of("a", signed, left, -3),
        *words_of("b", signed, 5, right),
        Product("ab", 2, Ref("a", (X,)), integers(0, 0, 0), Ref("b", (Y,)), integers(0, 0, 0), 0),
    ]


@pytest.mark.parametrize("guard", [CAUSAL, TRUE, AtLeast(X - Y - 1), Equals(X - LAST)])
def test_contractions(guard: object) -> None:
    """Products that are summed over elements and over positions, in one network; a product that is wanted is stored."""
    scores = matrix([0, 0, 1], [0, 1, 2], integers(2, -1, 1), (2, 3))
    whole = network(
        *pairs(7, 2),
        Affine("s", 2, 2, (Operand(Ref("ab", (X, Y)), scores),), integers(1, -1), integers(0, 1), 0),
        Sum("t", 1, 3, Ref("ab", (X, Y)), guard, 0),  # type: ignore[arg-type]
        Sum("u", 1, 2, Ref("s", (X, Y)), guard, 0),  # type: ignore[arg-type]
        Affine("both", 1, 2, (Operand(Ref("t", (X,)), scores), Operand(Ref("u", (X,)), scores[:, :2])), integers(0, 0),
               integers(0, 0), 0),
    )  # fmt: skip
    assert "ab" in plan_of(whole, 4, ("class",)).inlined
    assert_equal(whole, words(4), ("t", "u"))
    assert "ab" not in plan_of(whole, 4, ("class", "ab")).inlined
    assert_equal(whole, words(4), ("ab", "both"))


@pytest.mark.parametrize(("weight", "kind"), [(2**11, FLOAT32), (2**13, FLOAT64), (2**42, INT64)])
def test_exact_types(weight: int, kind: np.dtype) -> None:
    """Sums next to a power of two keep their last bit, ties go to the even code, whatever the type of the sum."""
    big = Format(12, 0, 0)
    rows = matrix([0, 0, 1], [0, 0, 0], integers(weight, 1, weight), (2, 1))
    whole = network(
        *words_of("a", big, 4095, 4094),
        Affine("s", 1, 2, (Operand(Ref("a", (X,)), rows),), integers(-1, weight // 2), integers(0, 0), 0),
        Round("r", 1, 2, Ref("s", (X,)), int(weight).bit_length() - 1, Format(13, 0, 0)),
    )
    assert plan_of(whole, 3, ("s", "r", "class")).types["s"] == kind
    assert_equal(whole, words(3), ("s", "r"))


@pytest.mark.parametrize("weight", [1, 2**9, 2**20, 2**40])
def test_quotients_around_ties(weight: int) -> None:
    """All quotients of two small words, times a weight that takes the numerator beyond float32 and float64, are half to even."""
    zero = integers(0)
    for bits, shift in ((4, 0), (7, 1), (3, -2)):
        nodes: list[Node] = [*words_of("a", Format(bits, 0, 0), 1, 2), *words_of("b", Format(3, 1, 0), 3, 5)]
        count = matrix([0], [0], integers(1), (1, 1))
        sums: list[Node] = [
            Sum("top", 0, 1, Ref("a", (X,)), TRUE, 0),
            Sum("below", 0, 1, Ref("b", (X,)), TRUE, 0),
            Affine("num", 0, 1, (Operand(Ref("top"), count * weight),), zero, zero, 0),
            Affine("den", 0, 1, (Operand(Ref("below"), count * weight),), zero, zero, 0),
            Quotient("q", 0, 1, Ref("num"), Ref("den"), zero, shift, Format(6, -32, 0)),
        ]
        assert_equal(network(*nodes, *sums), words(6), ("q", "num"))


def test_wide_tables() -> None:
    """A table whose argument has too many values to look up."""
    breaks = integers(-(2**40), -1, 0, 3 * 2**33, 2**50)
    whole = network(
        *words_of("a", Format(4, -8, 0), 7, -8),
        Affine("s", 1, 1, (Operand(Ref("a", (X,)), matrix([0], [0], 2**33, (1, 1))),), integers(-1), integers(1), 0),
        Table("t", 1, 1, Ref("s", (X,)), breaks, integers(5, 1, 3, 0, 7, 2), Format(3, 0, 0)),
    )
    assert_equal(whole, words(4), ("t", "s"))


def test_the_same_refusals() -> None:
    """A denominator of 0 is refused with the number of the first such input, wherever the chunk begins."""
    zero = integers(0)
    nodes = words_of("a", Format(2, 0, 0), 1, 0)
    below = Sum("den", 0, 1, Ref("a", (X,)), TRUE, 0)
    whole = network(*nodes, below, Quotient("q", 0, 1, Ref("den"), Ref("den"), zero, 0, Format(2, 0, 0)))
    inputs = words(3)
    for run in (evaluate, evaluate_as_defined):
        with pytest.raises(FomError) as caught:
            run(whole, inputs)
        assert str(caught.value) == "error[C025]: a denominator is not positive\n  --> node `q`, input 7"
    assert_equal(whole, inputs[:7])


def test_the_reference_is_left_alone() -> None:
    """The definition does not go through the fast evaluation."""
    assert "plan_of" not in evaluation.evaluate_as_defined.__code__.co_names
    assert "plan_of" in evaluation.evaluate.__code__.co_names
