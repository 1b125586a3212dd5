"""Bounds on partial words hold for every word, are values where there is one, and are those of averages in attention heads."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits.evaluate import evaluate
from circuits.formats import BIT, Format
from circuits.matrices import canonical, identity, matrix
from circuits.network import Affine, Maximum, Network, Operand, Product, Quotient, Readout, Round, Sum, Table
from circuits.positions import TRUE, Ref
from circuits.word_averages import Ratio, average_bounds
from circuits.word_intervals import WordIntervals
from tests.circuits.small import CAUSAL, X, Y, attention, integers, network, words_of
from tests.circuits.strategies import networks


def completions(allowed: np.ndarray) -> np.ndarray:
    """All words of one partial word."""
    return np.array(list(product(*(np.nonzero(letters)[0] for letters in allowed))), dtype=np.int64)


def partial_words(count: int, n: int, n_letters: int, share: float, seed: int) -> np.ndarray:
    """Random partial words, each with a letter at every position and others with a probability."""
    random = np.random.default_rng(seed)
    some = np.eye(n_letters, dtype=bool)[random.integers(0, n_letters, (count, n))]
    return some | (random.random((count, n, n_letters)) < share)


def assert_holds(given_network: Network, allowed: np.ndarray) -> float:
    """Bounds hold; the share of those that are as near as any could be."""
    side = WordIntervals(given_network, allowed.shape[1])
    found = side.bounds(allowed)
    tight = 0
    words = completions(np.ones(allowed.shape[1:], dtype=bool))
    values = evaluate(given_network, words)
    places = np.arange(allowed.shape[1])
    for index, some in enumerate(allowed):
        mine = some[places, words].all(axis=1)
        for name in side.wanted:
            low, high = found[name][0][index], found[name][1][index]
            assert (low <= values[name][mine]).all(), name
            assert (values[name][mine] <= high).all(), name
            if mine.sum() == 1 and not side.averages:
                assert (low == high).all(), name
        decided = values[given_network.decided.decision][mine]
        low, high = (end[index] for end in found[given_network.decided.decision])
        tight += bool((low == decided.min(axis=0)).all() and (high == decided.max(axis=0)).all())
    return tight / len(allowed)


@given(networks(), st.integers(0, 1 << 30))
@settings(max_examples=20, deadline=None)
def test_random_networks(given_network: Network, seed: int) -> None:
    for n in (given_network.domain.least, 4):
        assert_holds(given_network, np.concatenate([partial_words(2, n, 2, share, seed) for share in (0.0, 0.4, 1.0)]))


def softmax(seed: int, *, causal: bool, layers: int = 1, bits: int = 5) -> Network:
    """Softmax heads over three letters, as translations have them, with a table for the exponential."""
    random = np.random.default_rng(seed)
    word = Format(bits, -(1 << bits - 1), 2)
    guard = CAUSAL if causal else TRUE
    steps = np.arange(-40, 1)
    codes = np.rint(31 * np.exp(steps / 4.0)).astype(np.int64)
    changes = np.nonzero(np.diff(codes))[0]
    breaks, codes = steps[changes + 1], codes[np.concatenate([changes, [len(codes) - 1]])]
    nodes: list[Any] = []
    before = "w"
    for layer in range(layers):
        size = 2 if layer == 0 else 3
        for name, width in (("q", 2), ("k", 2), ("v", 3)):
            nodes += random_words(random, f"{name}{layer}", before, size, width, word)
        zero = integers(0)
        q, k, v, e = (f"{name}{layer}" for name in "qkve")
        nodes += [
            Product(f"p{layer}", 2, Ref(q, (X,)), integers(0, 1), Ref(k, (Y,)), integers(0, 1), 4),
            Affine(f"s{layer}", 2, 1, (Operand(Ref(f"p{layer}", (X, Y)), matrix([0, 0], [0, 1], 1, (1, 2))),), zero, zero, 4),
            Round(f"sr{layer}", 2, 1, Ref(f"s{layer}", (X, Y)), 2, word),
            Maximum(f"m{layer}", 1, 1, Ref(f"sr{layer}", (X, Y)), integers(0)[:, None], guard, (), word),
            Affine(
                f"d{layer}", 2, 1,
                (Operand(Ref(f"sr{layer}", (X, Y)), identity(1)), Operand(Ref(f"m{layer}", (X,)), identity(1, -1))),
                zero, zero, 2,
            ),
            Table(e, 2, 1, Ref(f"d{layer}", (X, Y)), breaks, codes, Format(5, 0, 5)),
            Sum(f"den{layer}", 1, 1, Ref(e, (X, Y)), guard, 5),
            Product(f"w{layer}", 2, Ref(e, (X, Y)), integers(0, 0, 0), Ref(v, (Y,)), integers(0, 1, 2), 7),
            Sum(f"num{layer}", 1, 3, Ref(f"w{layer}", (X, Y)), guard, 7),
            Quotient(f"h{layer}", 1, 3, Ref(f"num{layer}", (X,)), Ref(f"den{layer}", (X,)), integers(0, 0, 0), 0, word),
        ]  # fmt: skip
        before = f"h{layer}"
    return network(*nodes)


def random_words(random: np.random.Generator, name: str, before: str, size: int, width: int, word: Format) -> list[Any]:
    """A random linear map of a node, rounded."""
    weights = canonical(random.integers(-9, 10, (width, size)))
    const = random.integers(-3, 4, width)
    affine = Affine(f"{name}.a", 1, width, (Operand(Ref(before, (X,)), weights),), const, 0 * const, 2)
    return [affine, Round(name, 1, width, Ref(f"{name}.a", (X,)), 0, word)]


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_softmax_heads(causal: bool, layers: int) -> None:
    shares = []
    for seed in range(3):
        made = softmax(seed, causal=causal, layers=layers)
        side = WordIntervals(made, 4)
        assert len(side.averages) == layers
        assert all(average.softmax is not None for average in side.averages.values())
        shares += [assert_holds(made, partial_words(12, n, 2, 0.4, seed)) for n in (1, 3, 5)]
    assert np.mean(shares) > (0.9 if layers == 1 else 0.5)


def test_weights_that_are_no_softmax() -> None:
    made = attention(2, 4)
    shifted = [
        replace(node, const=integers(1)) if isinstance(node, Affine) and node.name == "less" else node
        for node in made.nodes
    ]
    made = replace(made, nodes=tuple(shifted))
    side = WordIntervals(made, 5)
    assert side.averages
    assert all(average.softmax is None for average in side.averages.values())
    assert_holds(made, partial_words(20, 5, 2, 0.4, 1))


@given(st.integers(0, 1 << 30))
@settings(max_examples=60, deadline=None)
def test_averages_are_the_extremes(seed: int) -> None:
    """With known weights and values the bounds are the least and the largest average, up to the margin."""
    random = np.random.default_rng(seed)
    weights = random.integers(1, 30, (1, 4, 3, 2)).astype(float)
    values = random.integers(-20, 20, (1, 4, 3, 2)).astype(float)
    possible = partial_words(1, 4, 3, 0.5, seed)
    counted = np.array([[True, True, False, True]])
    low, high = average_bounds((weights, weights), (values, values), possible, counted)
    averages = []
    for word in completions(possible[0]):
        at = [(0, y, letter) for y, letter in enumerate(word) if counted[0, y]]
        e, v = np.array([weights[i] for i in at]), np.array([values[i] for i in at])
        averages.append((e * v).sum(axis=0) / e.sum(axis=0))
    assert np.allclose(low[0], np.min(averages, axis=0), rtol=0, atol=1e-4)
    assert (low[0] <= np.min(averages, axis=0)).all()
    assert np.allclose(high[0], np.max(averages, axis=0), rtol=0, atol=1e-4)
    assert (high[0] >= np.max(averages, axis=0)).all()


def test_ratios_of_what_is_no_exponential() -> None:
    """A table that stays positive far below has no narrow quotients: none are made."""
    falling = Table("t", 0, 1, Ref("s"), np.arange(-20, 0), np.arange(5, 26), Format(5, 0, 0))
    assert Ratio.of(falling, 1, 14) is None
    assert Ratio.of(falling, 1, 4) is not None


def test_copied_letters_are_one_letter() -> None:
    """A product over pairs of positions knows that a position has one letter: the least sum of squares is not 0 - 1."""
    size_one = words_of("q", Format(3, -4, 0), 1, -1)
    squares = Product("p", 2, Ref("q", (X,)), integers(0), Ref("q", (Y,)), integers(0), 0)
    total = Sum("t", 1, 1, Ref("p", (X, Y)), TRUE, 0)
    made = network(*size_one, squares, total)
    low, high = WordIntervals(made, 3).bounds(np.ones((1, 3, 2), dtype=bool))["logits"]
    assert (low.item(), high.item()) == (-1, 3)


def test_composed_maps_cancel() -> None:
    """What two paths have in common is not counted twice."""
    zero = integers(0)
    word = words_of("q", Format(3, -4, 0), 1, -1)
    twice = Affine("u", 1, 1, (Operand(Ref("q", (X,)), identity(1, 2)),), zero, zero, 0)
    rest = Affine(
        "r", 1, 1, (Operand(Ref("u", (X,)), identity(1)), Operand(Ref("q", (X,)), identity(1, -2))), zero, zero, 0
    )
    made = network(*word, Maximum("m", 0, 1, Ref("q", (X,)), zero[:, None], TRUE, (), Format(3, -4, 0)), twice, rest)
    low, high = WordIntervals(made, 3).bounds(np.ones((2, 3, 2), dtype=bool))["logits"]
    assert not low.any()
    assert not high.any()


def test_readouts_at_every_position() -> None:
    made = softmax(3, causal=True)
    head = Table("bits", 1, 3, Ref("h0", (X,)), integers(1), integers(0, 1), BIT)
    decided = Readout("classes", "bits", "h0", None, 3, 1)
    tagger = replace(made, nodes=(*made.nodes[:-2], head), readout=decided)
    assert assert_holds(tagger, partial_words(30, 5, 2, 0.3, 7)) > 0.7
