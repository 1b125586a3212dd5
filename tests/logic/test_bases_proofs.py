"""Proofs that a circuit is the same in another basis, and mutants that none of them may let pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from circuits.aig import Aig
from circuits.bases.flat import CONSTANTS, Level, canonical_gates, circuit_to_flat
from circuits.bases.majority import flat_to_majority
from circuits.bases.sorting import merge_exchange
from circuits.bases.splitting import cut
from circuits.bases.strash import Builder
from circuits.bases.to_aig import Built, Thresholds, circuit_to_aig, expand, expand_gates
from circuits.circuit import Circuit, instantiate
from circuits.formats import Format
from circuits.network import Round, Sum
from circuits.network_to_family import network_to_family
from circuits.positions import Ref
from logic.proving import bases, graph_steps
from logic.proving.bases import decide_equal, prove_cut, prove_majority, prove_shapes
from logic.proving.graph_of_circuit import Terms, prove_graph
from logic.proving.graph_steps import sorts
from logic.verdicts import Holds, Refuted, Unknown
from tests.circuits.small import CAUSAL, X, Y, attention, integers, network, words_of
from tests.circuits.strategies import fixed_size_networks, networks
from tests.circuits.test_bases import METHODS, circuit_of, levels

SMALL = instantiate(network_to_family(attention(2, 2)), 2)
FLAT = circuit_to_flat(SMALL)
TINY = instantiate(
    network_to_family(
        network(
            *words_of("h", Format(3, -4, 0), 3, -5),
            Sum("sums", 1, 1, Ref("h", (Y,)), CAUSAL, 0),
            Round("q", 1, 1, Ref("sums", (X,)), 1, Format(2, -2, 0)),
        )
    ),
    3,
)
BUILT = {method: expand(TINY, method) for method in METHODS}


@settings(max_examples=3, deadline=None)
@given(networks(), st.integers(0, 1))
def test_graphs_of_random_networks(given_network: Any, more: int) -> None:
    family = network_to_family(given_network)
    assert_proved(instantiate(family, family.domain.least + more))


@settings(max_examples=3, deadline=None)
@given(fixed_size_networks())
def test_graphs_of_random_networks_of_fixed_size(given_network: Any) -> None:
    assert_proved(instantiate(network_to_family(given_network), 1))


def assert_proved(circuit: Circuit) -> None:
    for method in METHODS:
        assert not prove_graph(circuit, expand(circuit, method)).open
    flat = circuit_to_flat(circuit)
    assert not prove_majority(flat, flat_to_majority(flat)).open
    one, other = (circuit_to_aig(circuit, method) for method in METHODS)
    if one.n_inputs <= 8:
        assert isinstance(decide_equal(one, other, 5.0), Holds)


def test_attention_is_proved() -> None:
    assert_proved(SMALL)


def flipped(literals: Any, place: int) -> Any:
    changed = literals.copy()
    changed[place] ^= 1
    return changed


def with_circuit(change: Callable[[Any], Any]) -> Circuit:
    """The tiny circuit with a change in one entry."""
    family = TINY.family
    entry = change(family.by_name["q.0"])
    return instantiate(replace(family, entries=tuple(entry if e.name == "q.0" else e for e in family.entries)), 3)


def other_weight(entry: Any) -> Any:
    wires = entry.wires[0]
    weights = wires.matrix.copy()
    weights.data = weights.data + 1
    return replace(entry, wires=(replace(wires, matrix=weights), *entry.wires[1:]))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "change", [lambda entry: replace(entry, thresholds=entry.thresholds + (np.arange(entry.size) == 0)), other_weight]
)
def test_another_threshold_or_weight_is_noticed(method: Thresholds, change: Callable[[Any], Any]) -> None:
    proof = prove_graph(with_circuit(change), BUILT[method])
    assert proof.open
    assert proof.open[0].startswith("`q.0`")


def graph_mutants(built: Built) -> list[Built]:
    """One literal of the record, of the graph, or of the smaller graph is another one."""
    whole, aig = built.whole, built.aig
    ands = np.linspace(0, whole.n_ands - 1, 6).astype(int).tolist()
    kept = np.linspace(0, aig.n_ands - 1, 6).astype(int).tolist()
    mutants = [replace(built, whole=replace(whole, right=flipped(whole.right, place))) for place in ands]
    mutants += [replace(built, aig=replace(aig, left=flipped(aig.left, place))) for place in kept]
    mutants.append(replace(built, aig=replace(aig, outputs=flipped(aig.outputs, 0))))
    mutants.append(replace(built, whole=replace(whole, outputs=flipped(whole.outputs, 0))))
    literals = {name: {**built.literals, name: flipped(built.literals[name], 0)} for name in ("q.1", "class", "w")}
    mutants += [replace(built, literals=changed) for changed in literals.values()]
    for place, summed in enumerate(built.record):
        adding = [k for k, step in enumerate(summed.counters) if ((step.inputs > 1).sum(axis=0) > 1).all()]
        if not adding:
            continue
        first = adding[0]
        before, counters, after = summed.counters[:first], summed.counters[first], summed.counters[first + 1 :]
        damaged = [
            replace(summed, bits=replace(summed.bits, column=flipped(summed.bits.column, 0))),
            replace(summed, bits=replace(summed.bits, literal=flipped(summed.bits.literal, -1))),
            replace(summed, offset=summed.offset + 1),
            replace(summed, counters=[*before, replace(counters, column=counters.column + 1), *after]),
            replace(summed, counters=[*before, *after]),
        ]
        mutants += [replace(built, record=(*built.record[:place], d, *built.record[place + 1 :])) for d in damaged]
    return mutants


@pytest.mark.parametrize("method", METHODS)
def test_mutants_of_a_graph_are_rejected(method: Thresholds) -> None:
    mutants = graph_mutants(BUILT[method])
    assert len(mutants) > 25
    assert all(prove_graph(TINY, mutant).open for mutant in mutants)


def test_a_step_that_miscounts_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lemma about sorters fails when a comparator is missing."""
    assert all(sorts(count) for count in range(1, 30))
    phases = merge_exchange(9)
    p, steps = phases[-1]
    for damaged in ((*phases[:-1], (p, steps[:-1])), phases[1:]):
        sorts.cache_clear()
        monkeypatch.setattr(graph_steps, "merge_exchange", lambda count, given=damaged: given)
        assert not sorts(9)
    sorts.cache_clear()


def test_forms_vanish_only_if_every_coefficient_is_zero() -> None:
    rows = integers(0, 0, 0)
    form = Terms()
    form.add(rows, integers(2, 3, 1), integers(1 << 61, 1 << 61, -(1 << 61)))
    assert form.vanishes()
    form.add(integers(0, 0), integers(4, 4), integers(1 << 62, 1 << 62))
    form.add(integers(0, 0), integers(4, 4), integers(1 << 62, 1 << 62))
    assert not form.vanishes()


@settings(max_examples=20, deadline=None)
@given(levels(), st.integers(0, 3), st.integers(0, 40))
def test_majorities_are_proved_and_their_mutants_are_not(level: Level, kind: int, place: int) -> None:
    flat = circuit_of(Level(*canonical_gates(level.weights, level.thresholds)))
    majority = flat_to_majority(flat)
    assert not prove_majority(flat, majority).open
    wires = majority.levels[0].copy()
    place %= wires.nnz
    match kind:
        case 0:
            wires.data[place] += 2
            mutant = replace(majority, levels=(wires,))
        case 1:
            width = flat.n_inputs
            read = wires.indices[place]
            wires.indices[place] = (
                (read + width if read < CONSTANTS + width else read - width) if read > 1 else 1 - read
            )
            mutant = replace(majority, levels=(wires,))
        case 2:
            mutant = replace(majority, outputs=majority.outputs[::-1] if flat.n_gates > 1 else majority.outputs - 1)
        case _:
            thresholds = flat.levels[0].thresholds + 1
            flat = replace(flat, levels=(Level(flat.levels[0].weights, thresholds),))
            mutant = majority
    assert prove_majority(flat, mutant).open


@settings(max_examples=20, deadline=None)
@given(levels(largest=1 << 12), st.integers(1, 12), st.integers(0, 30))
def test_cuts_are_proved_and_their_mutants_are_not(level: Level, bits: int, place: int) -> None:
    parts = cut(level, bits)
    assert not prove_cut(level, bits, parts).open
    assert prove_cut(Level(level.weights, level.thresholds + (1 << bits)), bits, parts).open
    assert prove_cut(level, bits, replace(parts, top=parts.top - 1)).open
    assert prove_cut(Level(csr_array(-level.weights), level.thresholds), bits, parts).open
    if len(parts.compared):
        later = parts.compared + (np.arange(len(parts.compared)) == place % len(parts.compared))
        reached = np.maximum(parts.low.toarray(), 0).sum(axis=1)[parts.gate]
        if (later <= reached).all():
            assert prove_cut(level, bits, replace(parts, compared=later)).open


@pytest.mark.parametrize("method", METHODS)
def test_shapes_are_proved(method: Thresholds) -> None:
    """By trying all inputs, and step by step; each shape once, and all gates are covered."""
    for most_inputs in (12, 0):
        proof = prove_shapes(FLAT, method, most_inputs)
        assert not proof.open
        assert sum(lemma.covers for lemma in proof.lemmas) == FLAT.n_gates
        assert len(proof.lemmas) < FLAT.n_gates
        assert ("coefficients" in proof.by_method()) == (most_inputs == 0)


def test_a_wrong_shape_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph of a gate with another threshold, or with one literal flipped, is no proof."""

    def off_by_one(weights: Any, thresholds: Any, method: Thresholds) -> Built:
        return expand_gates(weights, thresholds + 1, method)

    def flipped_and(weights: Any, thresholds: Any, method: Thresholds) -> Built:
        built = expand_gates(weights, thresholds, method)
        return replace(built, aig=replace(built.aig, outputs=built.aig.outputs ^ 1))

    for wrong in (off_by_one, flipped_and):
        monkeypatch.setattr(bases, "expand_gates", wrong)
        for most_inputs in (20, 0):
            proof = prove_shapes(
                circuit_of(Level(csr_array(integers(0, 0, 2, 2, 1).reshape(1, 5)), integers(3))), "adder", most_inputs
            )
            assert len(proof.open) == 1


def chain(order: list[int]) -> Aig:
    """The parity of 24 inputs, in some order."""
    builder = Builder(24)
    total = np.zeros(1, dtype=np.int64)
    for place in order:
        total, _ = builder.half_adder(total, builder.inputs()[place : place + 1])
    return builder.graph(total)


def test_miters() -> None:
    """All inputs where they are few; a query where they are many; both kinds of answer."""
    one, other = (circuit_to_aig(SMALL, method) for method in METHODS)
    assert isinstance(decide_equal(one, other, 5.0), Holds)
    verdict = decide_equal(one, replace(other, outputs=flipped(other.outputs, 1)), 5.0)
    assert isinstance(verdict, Refuted)
    assert isinstance(decide_equal(one, other, 20.0, most_inputs=0), Holds)
    wide, same = chain(list(range(24))), chain([1, 0, *range(2, 24)])
    assert isinstance(decide_equal(wide, same, 10.0), Holds)
    wrong = chain([1, 0, *range(2, 23)])
    verdict = decide_equal(wide, wrong, 10.0)
    assert isinstance(verdict, Refuted)
    assert verdict.counterexample.word[23] == "1"
    assert isinstance(decide_equal(wide, one, 1.0), Unknown)
