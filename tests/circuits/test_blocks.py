"""Arithmetic blocks: the right numbers on every input, or on random ones where there are too many, within stated bounds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits import blocks
from circuits.blocks import Block, Bound
from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.network import Network
from circuits.network_to_family import DEPTH_CHOICES

Make = Callable[[], Block]

RANDOM = np.random.default_rng(7)
VALUES = {k: RANDOM.integers(0, 11, 1 << k).tolist() for k in (1, 3, 5, 8)}

EVERY_INPUT: list[Make] = [
    *(lambda n=n: blocks.comparison(n) for n in (1, 2, 6)),
    *(lambda n=n: blocks.comparison_small_weights(n) for n in (1, 2, 3, 5, 6)),
    *(lambda n=n: blocks.addition(n) for n in (1, 2, 3, 8)),
    *(lambda n=n: blocks.look_ahead(n) for n in (1, 2, 3, 7)),
    *(lambda n=n: blocks.addition_small_weights(n) for n in (1, 2, 3, 5)),
    *(lambda m=m, n=n: blocks.iterated_addition(m, n) for m, n in ((1, 1), (1, 4), (2, 4), (3, 4), (5, 2), (12, 1))),
    *(lambda m=m: blocks.counting(m) for m in (1, 2, 3, 4, 7, 13)),
    *(lambda n=n: blocks.multiplication(n) for n in (1, 2, 3, 4, 6)),
    *(lambda m=m, n=n: blocks.maximum_of_pairs(m, n) for m, n in ((2, 1), (2, 3), (3, 4), (5, 2))),
    *(lambda m=m, n=n: blocks.sorting(m, n) for m, n in ((2, 1), (2, 3), (3, 4), (5, 2))),
    *(lambda k=k: blocks.parity(k) for k in (1, 2, 3, 12)),
    *(lambda k=k: blocks.majority(k) for k in (1, 2, 3, 12)),
    *(lambda v=v: blocks.symmetric(v) for v in ([0, 0, 1, 1], [1, 1, 1], [1, 0], [3, 0, 2, 7, 7, 1])),
    *(lambda v=v: blocks.table(v) for v in (*VALUES.values(), [0, 0, 1, 1], [0, 3, 3, 3], [1, 1])),
    *(lambda v=v: blocks.normal_form(v) for v in (*VALUES.values(), [0, 0, 1, 1])),
    *(
        lambda q=q, p=p, shift=shift, depth=depth: blocks.rounding(q, p, shift, depth)
        for q, p, shift in ((6, 3, 1), (8, 4, 2), (4, 4, 0), (5, 1, 3), (10, 6, 4), (3, 2, 0))
        for depth in DEPTH_CHOICES
    ),
    *(
        lambda q=q, d=d, p=p, depth=depth: blocks.quotient(q, d, p, depth)
        for q, d, p in ((6, 3, 3), (8, 4, 4), (5, 1, 3), (8, 5, 1), (6, 4, 6))
        for depth in DEPTH_CHOICES
    ),
    *(
        lambda m=m, n=n, depth=depth: blocks.maximum(m, n, depth)
        for m, n in ((1, 3), (3, 2), (3, 3), (4, 3), (4, 1))
        for depth in DEPTH_CHOICES
    ),
]

SAMPLED: list[Make] = [
    lambda: blocks.comparison(32),
    lambda: blocks.comparison(60),
    lambda: blocks.comparison_small_weights(12),
    lambda: blocks.addition(32),
    lambda: blocks.look_ahead(32),
    lambda: blocks.addition_small_weights(10),
    lambda: blocks.iterated_addition(8, 8),
    lambda: blocks.iterated_addition(100, 4),
    lambda: blocks.counting(200),
    lambda: blocks.multiplication(16),
    lambda: blocks.sorting(8, 6),
    lambda: blocks.maximum_of_pairs(12, 8),
    lambda: blocks.maximum(20, 8, "balanced"),
    lambda: blocks.quotient(16, 8, 6, "balanced"),
    lambda: blocks.quotient(16, 8, 6, "compact"),
]


def reference(block: Block, numbers: np.ndarray) -> np.ndarray:
    return np.array([list(block.reference(row)) for row in numbers.tolist()])


@cache
def built(place: int) -> Block:
    return EVERY_INPUT[place]()


@pytest.mark.parametrize("place", range(len(EVERY_INPUT)))
def test_a_block_computes_its_function_on_every_input(place: int) -> None:
    block = built(place)
    numbers = block.every_input()
    assert len(numbers) <= 1 << 16
    assert np.array_equal(block.compute(numbers), reference(block, numbers)), block.name


@pytest.mark.parametrize("place", range(len(SAMPLED)))
def test_a_larger_block_computes_its_function_on_random_inputs(place: int) -> None:
    block = SAMPLED[place]()
    formats = [argument.format for argument in block.arguments for _ in range(argument.numbers)]
    low = np.array([format_.lo for format_ in formats])
    high = np.array([format_.hi for format_ in formats])
    random = np.random.default_rng(place)
    numbers = random.integers(low, high + 1, (60, len(low)))
    near = np.clip(numbers[:, :1] + random.integers(-2, 3, numbers.shape), low, high)  # almost equal ones
    extreme = np.where(random.integers(0, 2, numbers.shape), low, high)
    numbers = np.concatenate([numbers, near, extreme])
    assert np.array_equal(block.compute(numbers), reference(block, numbers)), block.name
    assert not blocks.excesses(block)


@pytest.mark.parametrize("place", range(len(EVERY_INPUT)))
def test_bounds_are_kept_and_their_formulas_give_them(place: int) -> None:
    block = built(place)
    assert not blocks.excesses(block)
    for what in ("depth", "gates", "wires", "weight"):
        bound = getattr(block.bounds, what)
        scope = {"bits": int.bit_length, "halves": halves, **block.parameters}
        assert eval(bound.formula, scope) == bound.value, (block.name, what)


def halves(p: int) -> list[int]:
    return [width for width in (p - p // 2, p // 2) if width]


@pytest.mark.parametrize("place", range(0, len(EVERY_INPUT), 6))
def test_what_is_measured_is_what_the_circuit_has(place: int) -> None:
    block = built(place)
    circuit = instantiate(block.family, 1)
    found = blocks.measure(block.family)
    assert (found.depth, found.gates, found.wires) == (circuit.depth, circuit.n_gates, circuit.n_wires)
    block.family.check()


def test_the_network_of_a_block_means_its_function() -> None:
    for block in (blocks.sorting(3, 3), blocks.addition_small_weights(3), blocks.quotient(5, 3, 3)):
        numbers = block.every_input()
        network: Network = block.network
        values = evaluate(network, block.encode(numbers), [block.family.readout.decision])
        assert np.array_equal(block.decode(values[block.family.readout.decision]), reference(block, numbers))


def test_a_bound_that_is_exceeded_or_missed_is_reported() -> None:
    block = blocks.addition(4)
    for what in ("depth", "gates", "wires", "weight"):
        stated = getattr(block.bounds, what)
        below = replace(block.bounds, **{what: Bound(stated.value - 1, "?", exact=False)})
        above = replace(block.bounds, **{what: Bound(stated.value + 1, "?")})
        loose = replace(block.bounds, **{what: Bound(stated.value + 1, "?", exact=False)})
        assert len(blocks.excesses(replace(block, bounds=below))) == 1
        assert len(blocks.excesses(replace(block, bounds=above))) == 1
        assert not blocks.excesses(replace(block, bounds=loose))


def test_depth_does_not_grow_with_the_numbers() -> None:
    for make in (blocks.addition, blocks.look_ahead, blocks.multiplication, blocks.counting, blocks.parity):
        assert len({blocks.measure(make(n).family).depth for n in (4, 6, 9)}) == 1
    assert {blocks.measure(blocks.sorting(m, n).family).depth for m in (2, 5) for n in (2, 4)} == {3}
    assert {blocks.measure(blocks.iterated_addition(m, n).family).depth for m in (2, 9) for n in (2, 6)} == {2}


def test_small_weights_stay_small() -> None:
    for n in (8, 12, 16):
        assert blocks.measure(blocks.comparison_small_weights(n).family).weight < n * n
    assert blocks.measure(blocks.look_ahead(40).family).weight == 2


@given(st.integers(1, 9), st.data())
@settings(max_examples=20)
def test_symmetric_functions_and_counts_of_any_bits(k: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, 40), min_size=k + 1, max_size=k + 1))
    block = blocks.symmetric(values)
    numbers = block.every_input()
    assert np.array_equal(block.compute(numbers)[:, 0], np.array(values)[numbers.sum(axis=1)])
    assert not blocks.excesses(block)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: blocks.comparison(0), "C038"),
        (lambda: blocks.addition(0), "C038"),
        (lambda: blocks.sorting(1, 4), "C038"),
        (lambda: blocks.symmetric([1]), "C038"),
        (lambda: blocks.symmetric([0, -1]), "C038"),
        (lambda: blocks.table([0, 1, 1]), "C038"),
        (lambda: blocks.normal_form([0, 0]), "C038"),
        (lambda: blocks.rounding(4, 2, -1), "C038"),
        (lambda: blocks.rounding(4, 2, 1, "deep"), "C034"),
        (lambda: blocks.maximum(2, 30, "shallow"), "C037"),
        (lambda: blocks.comparison(61), "C026"),
        (lambda: blocks.comparison(63), "C001"),
        (lambda: blocks.addition(61), "C026"),
        (lambda: blocks.multiplication(32), "C026"),
        (lambda: blocks.iterated_addition(5, 60), "C026"),
    ],
)
def test_what_cannot_be_built_is_refused(make: Make, code: str) -> None:
    with pytest.raises(FomError) as error:
        make()
    assert [found.code for found in error.value.diagnostics] == [code]
