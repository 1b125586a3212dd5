"""Circuits in other bases: every gate of them against the threshold circuit that they were made from."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from circuits.aig import Aig
from circuits.bases import flat as flat_circuits
from circuits.bases.flat import CONSTANTS, FlatCircuit, Level, canonical_gates, circuit_to_flat
from circuits.bases.majority import MajorityCircuit, flat_to_majority, padding
from circuits.bases.ports import decision_words, decisions_of, input_matrix, input_ports, output_ports
from circuits.bases.sorting import merge_exchange, sort
from circuits.bases.splitting import split_weights
from circuits.bases.strash import Builder, Table
from circuits.bases.to_aig import Thresholds, circuit_to_aig, expand
from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import FomError
from circuits.entries import Gates
from circuits.formats import Format
from circuits.inputs import input_limits
from circuits.network import Domain, Inputs, Network, Readout, Round
from circuits.network_to_family import network_to_family
from circuits.positions import Ref
from circuits.readout import decisions
from tests.circuits.small import attention, integers, network, words_of
from tests.circuits.strategies import fixed_size_networks, networks

METHODS: tuple[Thresholds, ...] = ("adder", "sorter")
DEPTHS = st.sampled_from(["compact", "balanced", "shallow"])


def inputs_of(circuit: Circuit, most: int = 64) -> Any:
    """All inputs of a circuit, or some."""
    if circuit.family.inputs:
        low, high = input_limits(circuit.family.inputs)
    else:
        low, high = np.zeros(circuit.n, dtype=np.int64), np.full(circuit.n, len(circuit.family.alphabet) - 1)
    if (high - low + 1.0).prod() <= most:
        return np.array(list(product(*(range(a, b + 1) for a, b in zip(low, high, strict=True)))), dtype=np.int64)
    return np.random.default_rng(0).integers(low, high + 1, (most, len(low)))


def any_bits(count: int) -> Any:
    """Bits for the inputs, whether they are letters or not."""
    if count <= 6:
        return np.array(list(product((False, True), repeat=count)), dtype=bool).reshape(-1, count)
    return np.random.default_rng(1).random((64, count)) < 0.5


def all_bases(circuit: Circuit) -> list[FlatCircuit | MajorityCircuit | Aig]:
    flat = circuit_to_flat(circuit)
    split = split_weights(flat)
    return [
        flat,
        split,
        split_weights(split),
        flat_to_majority(flat),
        flat_to_majority(split),
        *(circuit_to_aig(circuit, method) for method in METHODS),
    ]


def assert_same(circuit: Circuit) -> None:
    """All bases agree on all bits, and decide what the circuit decides; so does every gate of the graphs."""
    inputs = inputs_of(circuit)
    bits = input_matrix(circuit, inputs)
    gates = tuple(block.entry.name for block in circuit.blocks if isinstance(block.entry, Gates))
    simulated = circuit.simulate(inputs, gates)
    words = simulated[circuit.readout.decision]
    decided = decisions(circuit.readout, circuit.family.decision_format, words)
    every = any_bits(bits.shape[1])
    bases = all_bases(circuit)
    expected = bases[0].evaluate(every)
    for form in bases:
        found = form.evaluate(bits)
        assert found.shape == (len(bits), sum(count for _, count in output_ports(circuit)))
        assert np.array_equal(decision_words(circuit, found), words)
        assert np.array_equal(decisions_of(circuit, found), decided)
        assert np.array_equal(form.evaluate(every), expected)
    for method in METHODS:
        built = expand(circuit, method)
        built.whole.check()
        built.aig.check()
        for name in gates:
            whole = Aig(built.whole.n_inputs, built.whole.left, built.whole.right, built.literals[name])
            assert np.array_equal(whole.evaluate(bits), simulated[name].reshape(len(bits), -1)), (method, name)


@settings(max_examples=5, deadline=None)
@given(networks(), DEPTHS, st.integers(0, 2))
def test_random_networks(given_network: Network, depth: str, more: int) -> None:
    family = network_to_family(given_network, depth)
    assert_same(instantiate(family, family.domain.least + more))


@settings(max_examples=5, deadline=None)
@given(fixed_size_networks(), DEPTHS)
def test_random_networks_of_fixed_size(given_network: Network, depth: str) -> None:
    assert_same(instantiate(network_to_family(given_network, depth), 1))


def test_attention() -> None:
    circuit = instantiate(network_to_family(attention(2, 2)), 2)
    assert_same(circuit)
    flat = circuit_to_flat(circuit)
    assert flat.n_gates <= circuit.n_gates
    assert flat.depth <= circuit.depth
    assert flat_to_majority(flat).depth == flat.depth


def test_a_word_is_decided_from_its_lowest_bit_up() -> None:
    """A decision of several words: the outputs are all lowest bits, then all second bits, and so on."""
    format_ = Format(3, -2, 0)
    given_word = Inputs("v", 2, format_)
    copied = Round("out", 0, 2, Ref("v"), 0, format_)
    readout = Readout("value", "out", "v", None, 0, 0)
    family = network_to_family(Network((given_word, copied), readout, Domain(1, 1), ()))
    circuit = instantiate(family, 1)
    assert input_ports(circuit) == [("v.0", 2), ("v.1", 2), ("v.2", 2)]
    assert output_ports(circuit) == [("out.0", 2), ("out.1", 2), ("out.2", 2)]
    codes = inputs_of(circuit)
    assert len(codes) == 64
    for form in all_bases(circuit):
        assert np.array_equal(form.evaluate(input_matrix(circuit, codes)), input_matrix(circuit, codes))
    assert np.array_equal(decisions_of(circuit, input_matrix(circuit, codes)), codes)


def test_letters_stand_position_by_position() -> None:
    circuit = instantiate(network_to_family(network(*words_of("h", Format(2, 0, 0), 1, 2))), 3)
    assert input_ports(circuit) == [("w", 6)]
    assert input_matrix(circuit, np.array([[0, 1, 1]])).tolist() == [[True, False, False, True, False, True]]
    with pytest.raises(FomError, match="C040"):
        input_matrix(circuit, np.array([[0, 1]]))
    with pytest.raises(FomError, match="C041"):
        input_matrix(circuit, np.array([[0, 1, 2]]))


@st.composite
def levels(draw: st.DrawFn, largest: int = 40) -> Level:
    """Gates over the constants and up to 7 inputs, none of which is constant."""
    width = draw(st.integers(1, 7))
    rows, thresholds = [], []
    for _ in range(draw(st.integers(1, 4))):
        nonzero = st.integers(-largest, largest).filter(bool)
        row = draw(st.lists(st.one_of(nonzero, st.just(0)), min_size=width, max_size=width).filter(any))
        low, high = sum(min(w, 0) for w in row), sum(max(w, 0) for w in row)
        rows.append([0] * CONSTANTS + row)
        thresholds.append(draw(st.integers(low + 1, high)))
    return Level(csr_array(np.array(rows, dtype=np.int64)), integers(*thresholds))


def circuit_of(level: Level) -> FlatCircuit:
    width = level.weights.shape[1]
    return FlatCircuit(width - CONSTANTS, (level,), np.arange(width, width + level.n_gates))


@settings(max_examples=20, deadline=None)
@given(levels())
def test_canonical_gates_decide_the_same(level: Level) -> None:
    small = Level(*canonical_gates(level.weights, level.thresholds))
    circuit, reduced = circuit_of(level), circuit_of(small)
    bits = any_bits(7)[:, : circuit.n_inputs] if circuit.n_inputs == 7 else any_bits(circuit.n_inputs)
    assert np.array_equal(circuit.evaluate(bits), reduced.evaluate(bits))
    weights = small.weights.toarray()
    reach = small.thresholds - np.minimum(weights, 0).sum(axis=1)
    total = np.abs(weights).sum(axis=1)
    assert (np.gcd.reduce(weights, axis=1) == 1).all()
    assert (np.abs(weights).max(axis=1) <= np.minimum(reach, total - reach + 1)).all()
    assert (np.abs(weights) <= np.abs(level.weights.toarray())).all()


@settings(max_examples=20, deadline=None)
@given(levels())
def test_majorities_hold_with_exactly_half(level: Level) -> None:
    """Against lists of wires and the definition; the padding is the least that does it."""
    circuit = circuit_of(level)
    found = flat_to_majority(circuit)
    bits = any_bits(min(circuit.n_inputs, 6))
    bits = np.concatenate([bits, np.zeros((len(bits), circuit.n_inputs - bits.shape[1]), dtype=bool)], axis=1)
    starts, signals = found.written_out()[0]
    assert len(signals) == found.n_wires == int(starts[-1])
    for row, expected in zip(bits, circuit.evaluate(bits), strict=True):
        values = [False, True, *row, *~row]
        wires = [[values[signal] for signal in signals[a:b]] for a, b in pairwise(starts)]
        assert [2 * sum(given_wires) >= len(given_wires) for given_wires in wires] == expected.tolist()
    assert np.array_equal(found.evaluate(bits), circuit.evaluate(bits))
    zeros, ones = padding(level)
    reach = level.thresholds - np.minimum(level.weights.toarray(), 0).sum(axis=1)
    total = np.abs(level.weights.toarray()).sum(axis=1)
    for z, o, t, w in zip(zeros, ones, reach, total, strict=True):
        fits = [d for d in range(-w, w + 1) if -(-(w + abs(d)) // 2) - max(-d, 0) == t]
        assert int(z + o) == min(map(abs, fits))


def test_majority_of_a_tie_and_of_its_complement() -> None:
    half = Level(csr_array(integers(0, 0, 1, 1).reshape(1, 4)), integers(1))
    either = flat_to_majority(circuit_of(half))
    assert either.n_wires == 2
    assert either.evaluate(np.array([[0, 1], [0, 0]], dtype=bool)).tolist() == [[True], [False]]
    negated = FlatCircuit(2, (half, Level(csr_array(integers(0, 0, 0, 0, -1).reshape(1, 5)), integers(0))), integers(5))
    neither = flat_to_majority(negated)
    assert (neither.n_gates, neither.depth) == (2, 2)
    assert neither.evaluate(np.array([[0, 1], [0, 0]], dtype=bool)).tolist() == [[False], [True]]


def test_wires_beyond_a_limit_are_counted_and_refused() -> None:
    gate = Level(csr_array(integers(0, 0, 1 << 40, 1 << 40, 1).reshape(1, 5)), integers(1 << 40))
    found = flat_to_majority(circuit_of(gate))
    assert found.n_wires == 2 * ((1 << 40) + (1 << 40) + 1 - (1 << 40))
    with pytest.raises(FomError, match=f"C072.*{found.n_wires:,} wires"):
        found.written_out()


def test_too_many_wires_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = instantiate(network_to_family(attention(2, 3)), 2)
    monkeypatch.setattr(flat_circuits, "MOST_WIRES", 10)
    with pytest.raises(FomError, match="C071"):
        circuit_to_flat(circuit)


@settings(max_examples=20, deadline=None)
@given(levels(largest=1 << 20))
def test_split_weights_decide_the_same_with_fewer_wires(level: Level) -> None:
    circuit = circuit_of(Level(*canonical_gates(level.weights, level.thresholds)))
    split = split_weights(circuit)
    twice = split_weights(split)
    bits = any_bits(min(circuit.n_inputs, 6))
    bits = np.concatenate([bits, np.ones((len(bits), circuit.n_inputs - bits.shape[1]), dtype=bool)], axis=1)
    for form in (split, twice, flat_to_majority(twice)):
        assert np.array_equal(form.evaluate(bits), circuit.evaluate(bits))
    sizes = [flat_to_majority(form).n_wires for form in (circuit, split, twice)]
    assert sizes == sorted(sizes, reverse=True)
    assert split.depth <= 2
    assert twice.depth <= 4


def test_splitting_makes_large_weights_small() -> None:
    weights = np.random.default_rng(0).integers(-(1 << 30), 1 << 30, (1, 12))
    level = Level(
        csr_array(np.concatenate([np.zeros((1, CONSTANTS), dtype=np.int64), weights], axis=1)), integers(12345)
    )
    circuit = circuit_of(level)
    bits = np.random.default_rng(1).random((4096, 12)) < 0.5
    rounds = 3
    for _ in range(rounds):
        circuit, before = split_weights(circuit), circuit
        assert np.array_equal(circuit.evaluate(bits), before.evaluate(bits))
    assert circuit.largest_weight <= 1 << 6
    assert circuit.depth <= 2**rounds


@pytest.mark.parametrize("count", range(1, 11))
def test_sorters_sort(count: int) -> None:
    """All 0-1 inputs: by the zero-one principle, the comparators sort anything."""
    builder = Builder(count)
    ordered = sort(builder, builder.inputs()[None])[0]
    bits = np.array(list(product((False, True), repeat=count)), dtype=bool).reshape(-1, count)
    found = builder.graph(ordered).evaluate(bits)
    assert np.array_equal(found, -np.sort(-bits.astype(np.int64), axis=1) == 1)
    assert all(len(np.unique([p, p + d])) == 2 * len(p) for _, steps in merge_exchange(count) for d, p in steps)


@given(st.lists(st.lists(st.integers(0, 1 << 40), max_size=60), max_size=40))
def test_the_table_is_a_dictionary(batches: list[list[int]]) -> None:
    table, known = Table(), dict[int, int]()
    for batch in batches:
        keys = integers(*sorted(set(batch)))
        assert table.find(keys).tolist() == [known.get(int(key), -1) for key in keys]
        new = integers(*(int(key) for key in keys if int(key) not in known))
        values = np.arange(len(known), len(known) + len(new))
        table.insert(new, values)
        known.update(zip(new.tolist(), values.tolist(), strict=True))
    assert table.find(integers(*known)).tolist() == list(known.values())


def test_a_full_adder_has_seven_ands_and_equal_ones_are_shared() -> None:
    builder = Builder(3)
    one, other, third = (builder.inputs()[k : k + 1] for k in range(3))
    total, carry = builder.full_adder(one, other, third)
    assert builder.n_ands == 7
    builder.full_adder(other, one, third)
    assert builder.n_ands == 7
    bits = any_bits(3)
    found = builder.graph(np.concatenate([total, carry])).evaluate(bits)
    assert np.array_equal(found[:, 0] + 2 * found[:, 1].astype(int), bits.sum(axis=1))
    assert builder.all_of(one, one ^ 1).tolist() == [0]
    assert builder.full_adder(one, one ^ 1, integers(1))[1].tolist() == [1]
    assert builder.n_ands == 7


def test_a_shared_sum_is_built_once() -> None:
    """Both bits of a word read the same sum of two literals: as its word, and the lower one with the higher."""
    circuit = instantiate(network_to_family(network(*words_of("h", Format(2, 0, 0), 3, 1))), 2)
    record = {summed.name: summed for summed in expand(circuit).record}
    shared = record["h.sum"].words
    assert shared.shape == (2, 3)
    for bit, own in (("h.1", 0), ("h.0", 1)):
        read = record[bit].bits
        assert set(read.literal[read.literal > 1].tolist()) <= set(shared.ravel().tolist()) | set(
            shared.ravel() ^ 1
        ) | set(record["h.1"].words[:, -1] ^ 1)
        assert len(read.literal[(read.literal > 1) & (read.row == 0)]) == 3 + own


def test_an_unknown_construction_is_refused() -> None:
    circuit = instantiate(network_to_family(network(*words_of("h", Format(2, 0, 0), 1, 2))), 1)
    with pytest.raises(FomError, match="C074"):
        circuit_to_aig(circuit, "table")  # type: ignore[arg-type]


def test_too_many_variables_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("circuits.bases.strash.MOST_VARIABLES", 20)
    circuit = instantiate(network_to_family(attention(2, 3)), 2)
    with pytest.raises(FomError, match="C073"):
        circuit_to_aig(circuit)
