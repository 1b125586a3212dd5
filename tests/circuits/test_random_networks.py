"""Random networks: the evaluator against a slow reference, families and circuits against the evaluator, text forms."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from circuits.circuit import connect, instantiate
from circuits.entries import Accumulator, Gates, places
from circuits.evaluate import evaluate
from circuits.family import Family
from circuits.family_text import family_of_text, family_to_text
from circuits.flattening import flatten
from circuits.inputs import input_limits
from circuits.network import Network
from circuits.network_text import network_of_text, network_to_text
from circuits.network_to_family import DEPTH_CHOICES, network_to_family
from circuits.ranges import ranges
from tests.circuits.reference import Reference
from tests.circuits.strategies import fixed_size_networks, networks

LONGEST = 4


def words(n: int) -> np.ndarray:
    """All words of two letters."""
    return np.array(list(product((0, 1), repeat=n)), dtype=np.int64).reshape(-1, n)


def vectors(network: Network) -> np.ndarray:
    """All inputs of a network of two numbers."""
    low, high = input_limits(network.inputs)
    codes = [range(first, last + 1) for first, last in zip(low.tolist(), high.tolist(), strict=True)]
    return np.array(list(product(*codes)), dtype=np.int64)


def lengths(network: Network) -> range:
    return range(network.domain.least, LONGEST + 1)


def assert_same(network: Network, family: Family, inputs: np.ndarray, n: int) -> None:
    """The instance computes every value that the network and the family both have."""
    circuit = instantiate(family, n)
    common = tuple(node.name for node in network.nodes if node.name in family.by_name)
    expected = evaluate(network, inputs, common)
    found = circuit.simulate(inputs, common)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert np.array_equal(found[name], values), (family.depth_choice, n, name)
    assert circuit.n_gates == family.gates(n)
    assert circuit.n_wires == family.wires(n)
    assert circuit.depth <= family.depth


def assert_flat(family: Family, n: int) -> None:
    """The flat wires, written out, are the wires of the circuit composed through its accumulators."""
    circuit = instantiate(family, n)
    flat: dict[str, dict[str, csr_array]] = {}
    for block in circuit.blocks:
        composed: dict[str, csr_array] = {}
        for source, weights in block.weights:
            inner = (
                {bits: weights @ below for bits, below in flat[source].items()} if source in flat else {source: weights}
            )
            for bits, part in inner.items():
                composed[bits] = composed[bits] + part if bits in composed else part
        if isinstance(block.entry, Accumulator):
            flat[block.entry.name] = composed
        elif isinstance(block.entry, Gates):
            for wires in flatten(family.by_name, block.entry, {}):
                composed[wires.source] = composed[wires.source] - connect(family, block.entry, wires, n)
            assert all(not difference.count_nonzero() for difference in composed.values()), block.entry.name


def depth_at(family: Family, n: int) -> int:
    """The family's depth, without wires that exist nowhere at length n: a guard may be false at every position."""
    level: dict[str, int] = {}
    for entry in family.entries:
        wires = entry.wires if isinstance(entry, Gates | Accumulator) else ()
        read = [w.source for w in wires if w.matrix.nnz and places(w, entry.n_positions, n).any()]
        level[entry.name] = max((level[source] for source in read), default=0) + isinstance(entry, Gates)
    found = max(level.values())
    assert found <= family.depth
    return found


@settings(max_examples=40)
@given(networks())
def test_evaluate_is_the_reference(network: Network) -> None:
    for n in list(lengths(network))[:3]:
        inputs = words(n)
        names = [node.name for node in network.nodes]
        found = evaluate(network, inputs, names)
        for case in {0, len(inputs) // 3, len(inputs) - 1}:
            reference = Reference(network, inputs[case].tolist(), n)
            for name in names:
                assert found[name][case].ravel().tolist() == reference.table(name), (n, case, name)


@settings(max_examples=20)
@given(fixed_size_networks())
def test_fixed_size_networks(network: Network) -> None:
    inputs = vectors(network)
    names = [node.name for node in network.nodes]
    found = evaluate(network, inputs, names)
    for case in (0, len(inputs) // 2):
        reference = Reference(network, inputs[case].tolist(), 1)
        assert all(found[name][case].tolist() == reference.table(name) for name in names)
    for depth in DEPTH_CHOICES:
        family = network_to_family(network, depth)
        family.check()
        assert_same(network, family, inputs, 1)
        again = family_of_text(family_to_text(family))
        assert_same(network, again, inputs[:9], 1)
    assert network_to_text(network_of_text(network_to_text(network))) == network_to_text(network)


@settings(max_examples=40)
@given(networks())
def test_values_lie_in_their_ranges(network: Network) -> None:
    names = [node.name for node in network.nodes]
    for n in lengths(network):
        found = evaluate(network, words(n), names)
        for name, (low, high) in ranges(network, n).items():
            assert (low <= found[name]).all(), name
            assert (found[name] <= high).all(), name


@settings(max_examples=15)
@given(networks())
def test_circuits_are_the_network(network: Network) -> None:
    for depth in DEPTH_CHOICES:
        family = network_to_family(network, depth)
        family.check()
        for n in lengths(network):
            assert_same(network, family, words(n), n)
        assert_flat(family, 2)
        assert_flat(family, 3)
        assert instantiate(family, 6).depth == depth_at(family, 6)


@settings(max_examples=8)
@given(networks(least=1, most_nodes=3), st.sampled_from(DEPTH_CHOICES))
def test_long_words(network: Network, depth: str) -> None:
    family = network_to_family(network, depth)
    inputs = np.random.default_rng(0).integers(0, 2, (3, 16))
    assert_same(network, family, inputs, 16)
    assert instantiate(family, 16).depth == depth_at(family, 16)


@settings(max_examples=25)
@given(networks(), st.sampled_from(DEPTH_CHOICES))
def test_text_round_trip(network: Network, depth: str) -> None:
    text = network_to_text(network)
    again = network_of_text(text)
    assert network_to_text(again) == text
    family = network_to_family(network, depth)
    family_text = family_to_text(family)
    family_again = family_of_text(family_text)
    assert family_to_text(family_again) == family_text
    assert family_to_text(network_to_family(again, depth)) == family_text
    n = network.domain.least + 1
    names = [node.name for node in network.nodes]
    before, after = evaluate(network, words(n), names), evaluate(again, words(n), names)
    assert all(np.array_equal(before[name], after[name]) for name in names)
    assert_same(again, family_again, words(n), n)


def test_every_kind_is_drawn() -> None:
    """The strategy reaches every node kind, in one sweep of its examples."""
    seen: set[str] = set()

    @settings(max_examples=60, database=None, derandomize=True)
    @given(networks())
    def collect(network: Network) -> None:
        seen.update(type(node).__name__ for node in network.nodes)

    collect()
    kinds = {"Letters", "Predicates", "Affine", "Product", "Sum", "Round", "Table", "Quotient", "Maximum"}
    assert seen == kinds


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(networks(most_nodes=9))
def test_many_networks(network: Network) -> None:
    for depth in DEPTH_CHOICES:
        family = network_to_family(network, depth)
        family.check()
        for n in lengths(network):
            assert_same(network, family, words(n), n)
        assert_flat(family, 3)
        assert instantiate(family, 6).depth == depth_at(family, 6)
