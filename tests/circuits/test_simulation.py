"""Simulation against the circuit's matrices, and the matrices against a placement of every weight one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circuits import circuit as instances
from circuits import simulation
from circuits.circuit import connect, instantiate
from circuits.entries import Accumulator, Gates, Wires, places
from circuits.family import Family
from circuits.formats import BIT, Format
from circuits.inputs import input_limits
from circuits.matrices import identity, matrix
from circuits.network import Affine, Network, Node, Operand, Readout, Round, Sum, Table
from circuits.network_to_family import DEPTH_CHOICES, network_to_family
from circuits.positions import FIRST, LAST, TRUE, AtLeast, Equals, Guard, Ref, Term
from circuits.simulation import INT64, Simulation, integer_type
from tests.circuits.small import CAUSAL, X, Y, attention, integers, network, words_of
from tests.circuits.strategies import fixed_size_networks, networks


def words(n: int) -> np.ndarray:
    """All words of two letters."""
    return np.array(list(product((0, 1), repeat=n)), dtype=np.int64).reshape(-1, n)


def assert_equal(family: Family, inputs: np.ndarray, n: int) -> None:
    """Every entry has the same values in both simulations."""
    every = tuple(entry.name for entry in family.entries)
    circuit = instantiate(family, n)
    expected, found = circuit.simulate_as_defined(inputs, every), circuit.simulate(inputs, every)
    assert found.keys() == expected.keys()
    for name, values in expected.items():
        assert found[name].dtype == np.int64
        assert found[name].shape == values.shape, name
        assert np.array_equal(found[name], values), (n, name)
    decided = circuit.simulate(inputs)
    assert all(np.array_equal(values, expected[name]) for name, values in decided.items())


@settings(max_examples=12, deadline=None)
@given(networks(), st.sampled_from(DEPTH_CHOICES))
def test_random_families(whole: Network, depth: str) -> None:
    family = network_to_family(whole, depth)
    for n in range(whole.domain.least, 5):
        assert_equal(family, words(n), n)


@settings(max_examples=6, deadline=None)
@given(fixed_size_networks(), st.sampled_from(DEPTH_CHOICES))
def test_families_of_numbers(whole: Network, depth: str) -> None:
    low, high = input_limits(whole.inputs)
    codes = [range(first, last + 1) for first, last in zip(low.tolist(), high.tolist(), strict=True)]
    assert_equal(network_to_family(whole, depth), np.array(list(product(*codes)), dtype=np.int64), 1)


def per_position() -> Network:
    """A network that answers at every position: is there an earlier b?"""
    nodes: list[Node] = [
        *words_of("v", Format(2, 0, 0), 0, 3),
        Sum("s", 1, 1, Ref("v", (Y,)), AtLeast(X - Y - 1), 0),
        Table("class", 1, 1, Ref("s", (X,)), integers(1), integers(0, 1), BIT),
    ]
    whole = network(*nodes)
    return replace(
        whole, nodes=(whole.nodes[0], *nodes), readout=Readout("logit", "class", "s", None, 2, 1)
    )  # fmt: skip


def test_answers_at_every_position() -> None:
    family = network_to_family(per_position())
    for n in (1, 2, 6):
        assert_equal(family, words(n), n)
        decided = instantiate(family, n).simulate(words(n))["class"]
        earlier = np.cumsum(words(n), axis=1) - words(n) > 0
        assert np.array_equal(decided[..., 0], earlier)


@pytest.mark.parametrize("chunk", [1, 5, 32])
def test_chunks(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    """Chunks of inputs, of weights and of rows, down to one."""
    family = network_to_family(attention(2, 3))
    n = 4
    widest = max(entry.size * n**entry.n_positions for entry in family.entries)
    monkeypatch.setattr(simulation, "CHUNK_ELEMENTS", chunk * widest)
    monkeypatch.setattr(simulation, "BLOCK_ELEMENTS", chunk)
    monkeypatch.setattr(instances, "CHUNK_WEIGHTS", chunk)
    assert Simulation(family, n).chunk == chunk
    assert_equal(family, words(n)[1:], n)


@pytest.mark.parametrize("weight", [1, 31, 32, 2**13, 2**14, 2**28, 2**29, 2**45])
def test_sums_at_the_ends_of_types(weight: int) -> None:
    """Sums as large as the types hold, of both signs, and thresholds around them and far beyond."""
    zero = integers(0, 0)
    letters = matrix([0, 0, 1, 1], [0, 1, 0, 1], integers(weight, -weight, -weight + 1, weight), (2, 2))
    whole = network(
        Affine("s", 1, 2, (Operand(Ref("w", (X,)), letters),), zero, zero, 0),
        Sum("t", 1, 2, Ref("s", (Y,)), CAUSAL, 0),
        Table("b", 1, 2, Ref("t", (X,)), np.unique(integers(-(2**50), -3 * weight, -weight, 0, weight, 3 * weight, 2**50)),
              np.arange(len(np.unique(integers(-(2**50), -3 * weight, -weight, 0, weight, 3 * weight, 2**50))) + 1),
              Format(3, 0, 0)),
    )  # fmt: skip
    assert_equal(network_to_family(whole), words(3), 3)


def test_types() -> None:
    """Twice a sum and a threshold beyond it fit."""
    for bits in (8, 16, 32):
        most = 2 ** (bits - 2) - 2
        assert integer_type(most).itemsize == bits // 8
        assert integer_type(most + 1).itemsize == bits // 4
    assert integer_type(2.0**70) == INT64


GUARDS: list[Guard | None] = [None, TRUE, CAUSAL, AtLeast(X - Y - 1), Equals(Y - FIRST)]


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("at", [(X,), (Y,), (X - 1,), (LAST,), (LAST + 1 - X,), (X - Y + 1,)])
def test_matrices(guard: Guard | None, at: tuple[Term, ...]) -> None:
    """`connect` puts every weight where the wires lead, and adds those between the same two objects."""
    if guard is None and at != (X,) and any(variable == 1 for term in at for variable, _ in term.coefs):
        at = (X * 2,)
    weights = matrix([0, 0, 2], [0, 1, 1], integers(100, -7, 3), (3, 2))
    whole = network(*words_of("v", Format(2, 0, 0), 0, 3))
    family = network_to_family(whole)
    for n in (1, 2, 5):
        wires = Wires("w", at, weights, guard)
        entry = Accumulator("sum", "sum", 1, (wires,), integers(0, 0, 0), integers(0, 0, 0))
        expected = np.zeros((n, 3, n, 2), dtype=np.int64)
        for place in np.argwhere(places(wires, 1, n)) + 1:
            read = at[0].evaluate(n, [int(x) for x in place])
            expected[place[0] - 1, :, int(np.asarray(read)) - 1] += weights.toarray()
        found = connect(family, entry, wires, n)
        assert found.dtype.itemsize <= 2
        assert found.indices.dtype == np.int32
        assert np.array_equal(found.toarray(), expected.reshape(3 * n, 2 * n))


@pytest.mark.parametrize("guard", GUARDS)
def test_no_wires(guard: Guard | None) -> None:
    """Weights that are all 0, and guards that hold nowhere."""
    family = network_to_family(network(*words_of("v", Format(2, 0, 0), 0, 3)))
    wires = Wires("w", (X,), matrix([], [], 1, (3, 2)), guard)
    entry = Accumulator("sum", "sum", 1, (wires,), integers(0, 0, 0), integers(0, 0, 0))
    for n in (1, 4):
        found = connect(family, entry, wires, n)
        assert found.nnz == 0
        assert found.shape == (3 * n, 2 * n)


def test_nothing_is_written_out_to_simulate(monkeypatch: pytest.MonkeyPatch) -> None:
    """Simulation needs no matrices, so a circuit too large to be written out can be simulated."""
    circuit = instantiate(network_to_family(attention(2, 3)), 24)
    monkeypatch.setattr(instances, "connect", None)
    found = circuit.simulate(np.zeros((2, 24), dtype=np.int64))
    assert found["class"].shape == (2, 2)
    with pytest.raises(TypeError):
        circuit.simulate_as_defined(np.zeros((2, 24), dtype=np.int64))


def test_a_changed_gate_is_seen() -> None:
    """The simulation reads thresholds and weights of the family it is given."""
    family = network_to_family(
        network(*words_of("v", Format(2, 0, 0), 0, 3), Round("r", 1, 1, Ref("v", (X,)), 0, Format(2, 0, 0)))
    )
    before = instantiate(family, 2).simulate(words(2), ("r.0",))["r.0"]
    for change in ("threshold", "weight"):
        entries = [
            entry
            if entry.name != "r.0" or not isinstance(entry, Gates)
            else replace(entry, thresholds=entry.thresholds + 9)
            if change == "threshold"
            else replace(entry, wires=(replace(entry.wires[0], matrix=identity(1, -5)), *entry.wires[1:]))
            for entry in family.entries
        ]
        after = instantiate(replace(family, entries=tuple(entries)), 2).simulate(words(2), ("r.0",))["r.0"]
        assert not np.array_equal(before, after)
