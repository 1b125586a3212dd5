"""Uniformity: the programs against brute force and against circuits of random families, and mutants that must be caught."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circuits.circuit import instantiate
from circuits.diagnostics import FomError
from circuits.entries import Gates, PredicateBits
from circuits.family import Family
from circuits.matrices import canonical
from circuits.network import Function, Network
from circuits.network_to_family import DEPTH_CHOICES, network_to_family
from circuits.positions import TRUE, AtLeast, Bit, Congruent, Guard, Term, conjunction, holds, var
from circuits.uniformity import NONE, Description, Machine, constant, describe, edge, node, report, threshold
from circuits.uniformity.checks import bounded_operations
from circuits.uniformity.comparing import compare_circuit, compare_gates
from circuits.uniformity.conditions import count_places, guard_truth
from circuits.uniformity.description import Kind, Rule
from circuits.uniformity.graph import circuit_graph, first_difference, ids_of, unrolled_graph
from circuits.uniformity.layout import Layout
from circuits.uniformity.tables import Table
from circuits.uniformity.walking import gate_wires
from tests.circuits.small import attention
from tests.circuits.strategies import fixed_size_networks, guards, networks


@cache
def head() -> tuple[Family, Description]:
    """A family with sums over earlier positions, products of pairs, shared sums and constants."""
    family = network_to_family(attention(2, 2), "compact")
    return family, describe(family)


def nodes_of(description: Description, n: int) -> dict[int, tuple[int, tuple[int, ...], int]]:
    """All ids of a length with their fields, from the definition."""
    found = {}
    for number, kind in enumerate(description.kinds):
        for place in np.ndindex(*(n,) * kind.n_positions):
            positions = tuple(one + 1 for one in place)
            for element in range(kind.size):
                found[description.layout.encode(n, number, positions, element)] = (number, positions, element)
    return found


@settings(max_examples=60)
@given(st.data(), st.integers(1, 12))
def test_guards_are_counted(data: st.DataObject, n: int) -> None:
    guard = data.draw(guards(2))
    guard = data.draw(st.sampled_from([guard, conjunction(guard, Bit(var(1) * 3 + var(0) - 2, Term((), 0, 2)))]))
    values = np.arange(1, n + 1)
    table = np.broadcast_to(holds(guard, n, [values[:, None], values[None, :]]), (n, n))
    assert np.array_equal(count_places(Machine(), guard, n, [values]) + 0 * values, table.sum(axis=1))
    machines = [Machine() for _ in values]
    assert [count_places(one, guard, n, [x]) for one, x in zip(machines, values.tolist(), strict=True)] == list(
        table.sum(axis=1)
    )
    assert len({one.operations for one in machines}) == 1
    truth = guard_truth(Machine(), guard, n, [values[:, None], values[None, :]])
    assert np.array_equal(np.broadcast_to(truth, (n, n)), table)


def test_what_cannot_be_counted_is_refused() -> None:
    for guard in (Bit(var(1), var(0)), Congruent(var(1), 5000), Bit(var(1), Term((), 0, 20))):
        with pytest.raises(FomError, match="C080"):
            count_places(Machine(), guard, 9, [3])
    far = count_places(Machine(), conjunction(Congruent(var(1), 3), AtLeast(var(0) - var(1))), 1 << 40, [1 << 39])
    assert far == (1 << 39) // 3


@given(st.integers(0, 1 << 20), st.integers(-40, 40), st.integers(-(1 << 7), 1 << 7))
def test_products_are_shifts_and_additions(word: int, factor: int, entry: int) -> None:
    machine = Machine()
    assert machine.times(word, factor) == word * factor
    assert machine.product(word, entry, 8) == word * entry
    assert "table lookups" not in machine.counts
    again = Machine()
    again.times(word + 1, factor)
    again.product(0, -entry, 8)
    assert again.counts == machine.counts


@settings(max_examples=8)
@given(st.data(), networks())
def test_programs_are_the_circuits(data: st.DataObject, network: Network) -> None:
    family = network_to_family(network, data.draw(st.sampled_from(DEPTH_CHOICES)))
    description = describe(family)
    rng = random.Random(0)
    for n in {family.domain.least, family.domain.least + 2}:
        found = compare_circuit(family, description, instantiate(family, n), rng)
        assert not found.difference
        assert found.wires == family.wires(n)
        assert not compare_gates(family, description, n, family.templates, rng).difference
    assert not compare_gates(family, description, 23, family.templates[:3], rng).difference


@settings(max_examples=2)
@given(fixed_size_networks())
def test_programs_of_networks_without_positions(network: Network) -> None:
    assume(not any(isinstance(node, Function) for node in network.nodes))
    family = network_to_family(network, "balanced")
    found = compare_circuit(family, describe(family), instantiate(family, 1), random.Random(0))
    assert not found.difference
    assert found.wires == family.wires(1)


def test_nodes_are_the_ids_of_the_layout() -> None:
    _, description = head()
    for n in (1, 2, 3):
        known = nodes_of(description, n)
        every = 1 << description.layout.width(n)
        found = node(description, n, np.arange(every))
        assert {number: int(found[number]) for number in np.flatnonzero(found != NONE).tolist()} == {
            number: fields[0] for number, fields in known.items()
        }
        assert [node(description, n, number) for number in (-1, every, every + 3)] == [NONE] * 3
        assert list(known) == sorted(known)


def test_one_id_and_many_ids_are_the_same_program() -> None:
    family, description = head()
    rng = random.Random(1)
    for n in (3, 6):
        ids = [rng.choice(list(nodes_of(description, n))) for _ in range(40)]
        ids += [rng.getrandbits(description.layout.width(n)) for _ in range(10)]
        many = np.array(ids)
        for program in (node, threshold, constant):
            assert [program(description, n, one) for one in ids] == program(description, n, many).tolist()
        pairs = [(i, j) for i in ids for j in ids]
        left, right = (np.array(side) for side in zip(*pairs, strict=True))
        weights = edge(description, n, left, right)
        assert [edge(description, n, i, j) for i, j in pairs] == weights.tolist()
        wide = edge(description, n, left.astype(object), right.astype(object))
        assert wide.tolist() == weights.tolist()
    assert family.by_name


def test_edges_lead_upwards_and_constants_have_their_values() -> None:
    family, description = head()
    n = 3
    ids = np.array(list(nodes_of(description, n)))
    i, j = (side.ravel() for side in np.meshgrid(ids, ids))
    weights = edge(description, n, i, j)
    assert int(np.count_nonzero(weights)) == family.wires(n)
    assert (i[weights != 0] < j[weights != 0]).all()
    for entry in family.entries:
        if isinstance(entry, PredicateBits):
            kind = description.kinds[description.number_of[entry.name]]
            assert (
                constant(description, n, ids_of(description, kind, n)).sum()
                == circuit_graph(instantiate(family, n)).constants[entry.name].sum()
            )


def test_operations_do_not_depend_on_n() -> None:
    _, description = head()
    check = bounded_operations(description, [*range(1, 33), 1 << 20, 1 << 40, (1 << 61) - 1])
    assert check.holds
    counts = set()
    for n in (1, 7, 1 << 40, 1 << 90):
        machine = Machine()
        last = description.layout.encode(n, len(description.kinds) - 1, (), 0)
        edge(description, n, 0, last, machine)
        counts.add(machine.operations)
    assert len(counts) == 1


def test_a_program_that_looks_at_n_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    _, description = head()

    def times(self: Machine, word: int, factor: int) -> int:
        for _ in range(word.bit_length()):
            self.add(word, 0)
        return word * factor

    monkeypatch.setattr(Machine, "times", times)
    check = bounded_operations(description, [1, 5, 90])
    assert not check.holds
    assert "operations at n" in check.counterexample


def test_wires_far_away() -> None:
    """At lengths that no array holds: a gate that sums over earlier positions reads exactly these."""
    _, description = head()
    n = 1 << 50
    rules = [(reader, rule) for reader, kind in enumerate(description.kinds) for rule in kind.rules]
    reader, rule = next((reader, rule) for reader, rule in rules if rule.places.guard not in (None, TRUE))
    k = description.kinds[reader].n_positions
    element = int(np.flatnonzero(rule.table.row_sizes)[0])
    read = int(rule.table.matrix[[element]].indices[0])
    encode = description.layout.encode
    weights = []
    for y in (1, n // 2 - 1, n // 2, n // 2 + 1, n):
        at = [term.evaluate(n, [n // 2] * k + [y]) for term in rule.places.at]
        weights.append(edge(description, n, encode(n, rule.source, at, read), encode(n, reader, [n // 2] * k, element)))
    weight = int(rule.table.matrix[element, read])
    assert weights == [weight, weight, weight, 0, 0]


def test_walking_counts_what_a_circuit_has() -> None:
    family, description = head()
    circuit = circuit_graph(instantiate(family, 4))
    for gates in family.templates:
        kind = description.kinds[description.number_of[gates.name]]
        positions = (3,) * kind.n_positions
        walked = gate_wires(family, 4, gates, positions, kind.size - 1)
        number = (2 * (4**kind.n_positions - 1) // 3) * kind.size + kind.size - 1
        assert walked.threshold == circuit.gates[gates.name].thresholds[number]
        assert walked.count >= circuit.gates[gates.name].fan_in[number]


def moved(rule: Rule) -> Rule:
    """A term shifted by one."""
    at = (rule.places.at[0] + 1, *rule.places.at[1:])
    return replace(rule, places=replace(rule.places, at=at))


def widened(rule: Rule) -> Rule:
    """The bound of a guard shifted by one, or a guard where there is none."""
    bound = var(rule.places.n_positions)
    guard: Guard = AtLeast(bound - 2) if rule.places.guard == TRUE else AtLeast(var(0) - bound - 1)
    return replace(rule, places=replace(rule.places, guard=guard))


def table_mutant(rule: Rule, what: str) -> Rule:
    """A changed, swapped or missing weight."""
    dense = rule.table.matrix.toarray()
    row, column = (int(axis[0]) for axis in np.nonzero(dense))
    if what == "weight":
        dense[row, column] += 1
    elif what == "missing":
        dense[row, column] = 0
    else:
        other = (column + 1) % dense.shape[1]
        assume(dense[row, column] != dense[row, other])
        dense[row, [column, other]] = dense[row, [other, column]]
    return replace(rule, table=Table(canonical(dense)))


def mutant(description: Description, place: tuple[int, int], what: str) -> Description:
    """A description with a fault in one rule."""
    number, which = place
    kind = description.kinds[number]
    rule = kind.rules[which]
    if what == "dropped":
        rules = kind.rules[:which] + kind.rules[which + 1 :]
    else:
        if what == "moved":
            assume(rule.places.at)
            changed = moved(rule)
        elif what == "widened":
            assume(rule.places.guard is not None)
            changed = widened(rule)
        else:
            changed = table_mutant(rule, what)
        rules = (*kind.rules[:which], changed, *kind.rules[which + 1 :])
    kinds: list[Kind] = list(description.kinds)
    kinds[number] = replace(kind, rules=rules)
    return Description(tuple(kinds), description.layout)


MUTATIONS = ("moved", "widened", "weight", "missing", "swapped", "dropped")


@settings(max_examples=14)
@given(st.data(), st.sampled_from(MUTATIONS))
def test_a_fault_in_a_rule_is_caught(data: st.DataObject, what: str) -> None:
    family, description = head()
    rules = [(number, which) for number, kind in enumerate(description.kinds) for which in range(len(kind.rules))]
    if what == "widened":
        rules = [(a, b) for a, b in rules if description.kinds[a].rules[b].places.guard is not None]
    changed, which = data.draw(st.sampled_from(rules))
    wrong = mutant(description, (changed, which), what)
    n = 2
    found = first_difference(wrong, unrolled_graph(wrong, n), circuit_graph(instantiate(family, n)))
    assert found.startswith("n = 2: the wire from ")
    assert compare_circuit(family, wrong, instantiate(family, n), random.Random(0)).difference
    if what in ("moved", "widened", "dropped"):
        reader = wrong.kinds[changed].entry
        assert isinstance(reader, Gates)
        assert compare_gates(family, wrong, 9, [reader] * 25, random.Random(0)).difference


def test_a_wrong_threshold_is_caught() -> None:
    family, description = head()
    number = next(number for number, kind in enumerate(description.kinds) if kind.threshold is not None)
    kind = description.kinds[number]
    assert kind.threshold is not None
    off = replace(kind, threshold=replace(kind.threshold, const=kind.threshold.const + 1))
    wrong = Description((*description.kinds[:number], off, *description.kinds[number + 1 :]), description.layout)
    n = 2
    assert "threshold" in first_difference(wrong, unrolled_graph(wrong, n), circuit_graph(instantiate(family, n)))
    generator = random.Random(0)
    off_gates = [gates for gates in family.templates if gates.name == kind.name]
    assert "has threshold" in compare_gates(family, wrong, 40, off_gates, generator).difference


def test_edge_itself_is_asked() -> None:
    """A fault in `edge` that the unrolled graph does not share is found by asking for pairs of nodes."""
    family, description = head()
    layout = description.layout
    shifted = Description(description.kinds, Layout(layout.template_bits, layout.n_positions, layout.element_bits))
    shifted.__dict__["rules"] = {pair: rules[:-1] for pair, rules in description.rules.items()}
    for n in (1, 4):
        found = compare_circuit(family, shifted, instantiate(family, n), random.Random(0))
        assert "the wire from node" in found.difference


def test_report_says_what_was_looked_at() -> None:
    family, description = head()
    checks = report(family, description, most_n=5, most_wires=family.wires(1) + family.wires(2)).checks
    assert [check.name for check in checks] == ["U1", "U2", "U3", "U4", "U5"]
    assert all(check.holds for check in checks)
    assert checks[4].figures["wires compared"] == family.wires(1) + family.wires(2)
    assert "n = 1..2" in checks[4].scope
    assert "a random gate of each template at n = 3; random gates at n = 4..5" in checks[4].scope
    gates = [entry for entry in family.entries if isinstance(entry, Gates)]
    assert checks[1].figures["kinds of gates"] == len(gates)
