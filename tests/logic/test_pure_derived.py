"""Derived quantifiers from M, on every subset of up to ten positions, and arithmetic from bit."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from logic import Formula, Sentence, evaluate
from logic.pure import derived
from logic.syntax import (
    And,
    Bit,
    Compare,
    Definition,
    Exists,
    Forall,
    Iff,
    Implies,
    Letter,
    Majority,
    Not,
    Or,
    Term,
    any_of,
    var,
)
from logic.walk import postorder

LONGEST = 10
A, B, K = Letter("a", var("x")), Letter("b", var("x")), var("k")


def subsets(n: int) -> np.ndarray:
    """The words of length n over a and something else."""
    return np.array(list(itertools.product((0, -1), repeat=n)), dtype=int).reshape(2**n, n)


def truth(phi: Formula, words: np.ndarray) -> np.ndarray:
    sentence = Sentence(("a", "b"), (), (), phi)
    return evaluate(sentence, words)[""]


def table(phi: Formula, params: tuple[str, ...], words: np.ndarray) -> np.ndarray:
    """The values of a formula at all positions of its free variables."""
    sentence = Sentence(("a", "b"), (), (Definition("it", params, phi),), derived.strict_majority("x", A))
    return evaluate(sentence, words, wanted=["it"])["it"]


@pytest.mark.parametrize("n", range(LONGEST + 1))
def test_counting_quantifiers(n: int) -> None:
    words = subsets(n)
    counts, k = (words == 0).sum(1)[:, None], np.arange(1, n + 1)
    lower, upper = (words[:, : n // 2] == 0).sum(1)[:, None], (words[:, n // 2 :] == 0).sum(1)[:, None]
    assert (table(derived.at_least(K, "x", A), ("k",), words) == (counts >= k)).all()
    assert (table(derived.exactly(K, "x", A), ("k",), words) == (counts == k)).all()
    assert (table(derived.lower_half(K, "x", A), ("k",), words) == (lower >= k)).all()
    assert (table(derived.upper_half(K, "x", A), ("k",), words) == (upper >= k)).all()
    assert (truth(derived.strict_majority("x", A), words) == (2 * counts[:, 0] > n)).all()


@pytest.mark.parametrize("n", range(LONGEST + 1))
@pytest.mark.parametrize(("remainder", "modulus"), [(0, 1), (0, 2), (1, 2), (0, 3), (2, 3), (4, 5)])
def test_counting_modulo(n: int, remainder: int, modulus: int) -> None:
    words = subsets(n)
    expected = (words == 0).sum(1) % modulus == remainder
    assert (truth(derived.congruent(remainder, modulus, "x", A), words) == expected).all()


def pairs(n: int) -> np.ndarray:
    """One word for each pair of counts of a and b, and some further words, at length n."""
    rows = [[0] * a + [1] * b + [-1] * (n - a - b) for a in range(n + 1) for b in range(n - a + 1)]
    by_count = np.array(rows, dtype=int).reshape(len(rows), n)
    return np.concatenate([by_count, np.random.default_rng(n).permuted(by_count, axis=1)])


@pytest.mark.parametrize("n", range(LONGEST + 1))
def test_comparing_counts(n: int) -> None:
    words = pairs(n)
    a, b = (words == 0).sum(1), (words == 1).sum(1)
    assert (truth(derived.at_least_as_many("x", A, B), words) == (a >= b)).all()
    assert (truth(derived.equal_counts("x", A, B), words) == (a == b)).all()


@pytest.mark.parametrize("n", range(LONGEST + 1))
def test_conditional_majority(n: int) -> None:
    words = pairs(n)
    a, b = (words == 0).sum(1), (words == 1).sum(1)
    either = any_of([A, B])
    assert (truth(derived.conditional_majority("x", either, A), words) == (2 * a >= a + b)).all()
    assert (truth(derived.conditional_majority("x", A, either), words) == (a >= 0)).all()


def test_conditional_majority_as_printed_fails_for_odd_counts_and_zero() -> None:
    """M&S 2023, Prop. 2: there are k and k' with 2k' = k, exactly k have phi, and at least k' have phi and psi."""
    k, h = var("k"), var("p")
    parts = (derived.exactly(k, "x", A), derived.at_least(h, "x", A), Compare("=", h * 2, k))
    printed = Exists("k", Exists("p", And(parts)))
    for n in range(6):
        words = subsets(n)
        counts = (words == 0).sum(1)
        assert (truth(printed, words) == ((counts % 2 == 0) & (counts > 0))).all()


def test_naming_a_count_of_zero_fails() -> None:
    """M&S 2023, Ex. 4, says that two counts are equal by naming their number, which no position does for 0."""
    named = Exists("k", And((derived.exactly(K, "x", A), derived.exactly(K, "x", B))))
    word = np.array([[-1, -1]])
    assert not truth(named, word)[0]
    assert truth(derived.equal_counts("x", A, B), word)[0]


@pytest.mark.parametrize("n", range(13))
def test_addition(n: int) -> None:
    x, y, z = np.ogrid[1 : n + 1, 1 : n + 1, 1 : n + 1]
    found = table(derived.plus(var("x"), var("y"), var("z")), ("x", "y", "z"), np.zeros((1, n), int))
    assert (found[0] == (x + y == z)).all()


def test_addition_without_the_passing_of_carries_is_wrong() -> None:
    """Leave out the carries that pass through a bit."""
    x, y, c, b = var("x"), var("y"), var("c"), var("b")
    carry = Exists("c", And((Compare("=", c + 1, b), Bit(x, c), Bit(y, c))))
    found = table(derived.plus(x, y, var("z"), carry), ("x", "y", "z"), np.zeros((1, 12), int))[0]
    assert not found[1 - 1, 3 - 1, 4 - 1]


def test_forms_are_made_of_the_primitives() -> None:
    forms = [
        derived.at_least(K, "x", A), derived.exactly(K, "x", A), derived.equal_counts("x", A, B),
        derived.conditional_majority("x", A, B), derived.congruent(1, 3, "x", A),
    ]  # fmt: skip
    allowed = {Letter, Not, And, Or, Compare, Majority, Exists, Forall, Implies, Iff}
    for form in forms:
        kinds = {type(node) for node in postorder(form)}
        assert kinds <= allowed
        assert Majority in kinds


def test_bound_variables_are_fresh() -> None:
    """A formula with the free variables k and j is counted at the index j."""
    phi = any_of([A, Compare("=", var("x"), var("k"))])
    words = subsets(4)
    found = table(derived.at_least(var("j"), "x", phi), ("j", "k"), words)
    for word, values in zip(words, found, strict=True):
        for j, k in itertools.product(range(1, 5), repeat=2):
            count = sum(word[x - 1] == 0 or x == k for x in range(1, 5))
            assert values[j - 1, k - 1] == (count >= j)
    assert derived.at_least(Term((), 0, 1), "x", A).free == frozenset()
