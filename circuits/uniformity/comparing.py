"""Comparing the programs with circuits: wire for wire where a circuit can be written out, gate by gate at random elsewhere."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from circuits.circuit import Circuit, input_bits
from circuits.entries import Gates, InputBits
from circuits.family import Family
from circuits.inputs import input_limits
from circuits.uniformity.checks import Observed
from circuits.uniformity.description import Description
from circuits.uniformity.graph import Graph, circuit_graph, first_difference, ids_of, place_text, unrolled_graph
from circuits.uniformity.programs import edge, threshold
from circuits.uniformity.walking import GateWires, gate_wires

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_INPUTS = 32
MOST_BUNDLES = 40
MOST_ASKED = 500
MOST_PAIRS = 250_000
MOST_READ = 300_000


@dataclass(frozen=True)
class Compared:
    """What comparing at one length found: how much was asked for, and the first difference in words."""

    n: int
    gates: int
    wires: int
    pairs: int
    every_pair: bool
    inputs: int
    every_input: bool
    path: int | None
    observed: tuple[Observed, ...]
    difference: str
    left_out: int = 0


def compare_circuit(family: Family, description: Description, circuit: Circuit, rng: random.Random) -> Compared:
    """Compare all wires, thresholds and constants of a circuit with the graph of the programs, and simulate both.

    Beside the unrolled graph, `edge` itself is asked for every pair of nodes where these are few, else for wires and pairs of
    nodes at random.
    """
    n = circuit.n
    wanted, found = circuit_graph(circuit), unrolled_graph(description, n)
    difference = first_difference(description, found, wanted)
    nodes = sum(kind.size * n**kind.n_positions for kind in description.kinds)
    every_pair = nodes * nodes <= MOST_PAIRS
    asked, wrong = ask_every_pair(description, wanted) if every_pair else ask_some_pairs(description, wanted, rng)
    inputs, every_input = some_inputs(family, n, rng)
    difference = difference or wrong or simulated_difference(family, description, circuit, found, inputs)
    observed = tuple(
        Observed(
            n, name, np.arange(len(flat.fan_in)) % description.kinds[description.number_of[name]].size, flat.fan_in
        )
        for name, flat in wanted.gates.items()
    )
    return Compared(
        n,
        circuit.n_gates,
        wanted.n_wires,
        asked,
        every_pair,
        len(inputs),
        every_input,
        found.depth,
        observed,
        difference,
    )


def ask_every_pair(description: Description, wanted: Graph) -> tuple[int, str]:
    """Ask `edge` for all pairs of nodes of a small circuit."""
    n = wanted.n
    ids = np.concatenate([ids_of(description, kind, n) for kind in description.kinds])
    first = np.cumsum([0, *(kind.size * n**kind.n_positions for kind in description.kinds)])
    expected = np.zeros((len(ids), len(ids)), dtype=np.int64)
    for name, flat in wanted.gates.items():
        for source, matrix in flat.wires.items():
            row, column = first[description.number_of[name]], first[description.number_of[source]]
            expected[row : row + matrix.shape[0], column : column + matrix.shape[1]] = matrix.toarray()
    readers, sources = (each.ravel() for each in np.indices(expected.shape))
    found = edge(description, n, ids[sources], ids[readers])
    wrong = np.flatnonzero(found != expected.ravel())
    if not len(wrong):
        return expected.size, ""
    at = int(wrong[0])
    between = f"node {ids[sources[at]]:#x} to node {ids[readers[at]]:#x}"
    return expected.size, wire_text(between, n, int(found[at]), int(expected.ravel()[at]))


def ask_some_pairs(description: Description, wanted: Graph, rng: random.Random) -> tuple[int, str]:
    """Ask `edge` for wires of a circuit at random, and for as many pairs of nodes of the same kinds at random."""
    n = wanted.n
    generator = np.random.default_rng(rng.getrandbits(32))
    sources, readers, weights = [], [], []
    bundles = [(name, source, matrix) for name, flat in wanted.gates.items() for source, matrix in flat.wires.items()]
    for name, source_name, matrix in rng.sample(bundles, min(len(bundles), MOST_BUNDLES)):
        reader = description.kinds[description.number_of[name]]
        source = description.kinds[description.number_of[source_name]]
        chosen = generator.integers(0, matrix.nnz, min(matrix.nnz, MOST_ASKED))
        rows = np.searchsorted(matrix.indptr, chosen, side="right") - 1
        other_rows = generator.integers(0, matrix.shape[0], len(chosen))
        other_columns = generator.integers(0, matrix.shape[1], len(chosen))
        columns = matrix.indices[chosen].astype(np.int64)
        sources += [ids_of(description, source, n, each) for each in (columns, other_columns)]
        readers += [ids_of(description, reader, n, each) for each in (rows, other_rows)]
        weights += [matrix.data[chosen], np.asarray(matrix[other_rows, other_columns]).ravel()]
    if not sources:
        return 0, ""
    i, j, expected = (np.concatenate(parts) for parts in (sources, readers, weights))
    found = edge(description, n, i, j)
    wrong = np.flatnonzero(found != expected)
    if not len(wrong):
        return len(i), ""
    at = int(wrong[0])
    return len(i), wire_text(f"node {i[at]:#x} to node {j[at]:#x}", n, int(found[at]), int(expected[at]))


def wire_text(between: str, n: int, found: int, expected: int) -> str:
    """A wire that differs, in words."""
    return f"n = {n}: the wire from {between} has weight {found}, in the circuit {expected}"


def some_inputs(family: Family, n: int, rng: random.Random) -> tuple[Integers, bool]:
    """All inputs of a length where these are few, else some at random."""
    if family.inputs:
        low, high = input_limits(family.inputs)
        ranges = [(int(a), int(b)) for a, b in zip(low, high, strict=True)]
    else:
        ranges = [(0, len(family.alphabet) - 1)] * n
    total = 1
    for a, b in ranges:
        total = min(total * (b - a + 1), MOST_INPUTS + 1)
    if total <= MOST_INPUTS:
        return np.array(list(product(*(range(a, b + 1) for a, b in ranges))), dtype=np.int64), True
    words = [[rng.randint(a, b) for a, b in ranges] for _ in range(MOST_INPUTS)]
    return np.array(words, dtype=np.int64), False


def simulated_difference(
    family: Family, description: Description, circuit: Circuit, graph: Graph, inputs: Integers
) -> str:
    """Simulate the unrolled graph beside the circuit and compare every gate on every input."""
    bits = {entry.name: input_bits(family, entry, inputs) for entry in family.entries if isinstance(entry, InputBits)}
    found = graph.simulate(bits)
    wanted = circuit.simulate(inputs, wanted=tuple(gates.name for gates in family.templates))
    for gates in family.templates:
        wrong = np.argwhere(found[gates.name].T != wanted[gates.name].reshape(len(inputs), -1))
        if len(wrong):
            case, number = (int(each) for each in wrong[0])
            kind = description.kinds[description.number_of[gates.name]]
            return f"n = {circuit.n}: gate {place_text(kind, circuit.n, number)} differs on the input {inputs[case].tolist()}"
    return ""


def compare_gates(
    family: Family,
    description: Description,
    n: int,
    templates: Sequence[Gates],
    rng: random.Random,
    most_read: int = MOST_READ,
) -> Compared:
    """Compare a random gate of each of some templates: all its wires, as many ids that are close to these, its threshold.

    The gates' wires are found by walking down the family. A gate of more than `most_read` wires is left out.
    """
    wires = pairs = gates = 0
    observed: list[Observed] = []
    difference = ""
    for chosen in templates:
        positions = tuple(rng.randint(1, n) for _ in range(chosen.n_positions))
        element = rng.randrange(chosen.size)
        if most_wires(description, chosen, element, n) > most_read:
            continue
        walked = gate_wires(family, n, chosen, positions, element)
        number = description.number_of[chosen.name]
        reader = description.layout.encode(n, number, positions, element)
        ids, weights = merged_wires(description, n, walked)
        wires += len(ids)
        observed.append(Observed(n, chosen.name, np.array([element]), np.array([np.count_nonzero(weights)])))
        others = perturbed(description, n, ids, rng)
        asked = np.concatenate([ids, others])
        place = np.minimum(np.searchsorted(ids, asked), max(0, len(ids) - 1))
        expected = (
            np.where(ids[place] == asked, weights[place], 0) if len(ids) else np.zeros(len(asked), dtype=np.int64)
        )
        readers = np.full(len(asked), reader, dtype=asked.dtype)
        found = edge(description, n, asked, readers)
        pairs += len(asked)
        gates += 1
        wrong = np.flatnonzero(found != expected)
        if len(wrong) and not difference:
            at = int(wrong[0])
            between = f"node {int(asked[at]):#x} to node {int(reader):#x}"
            difference = wire_text(between, n, int(found[at]), int(expected[at]))
        own = threshold(description, n, reader)
        if own != walked.threshold and not difference:
            difference = f"n = {n}: node {int(reader):#x} has threshold {own}, in the family {walked.threshold}"
    left_out = len(templates) - gates
    return Compared(n, gates, wires, pairs, False, 0, False, None, tuple(observed), difference, left_out)


def most_wires(description: Description, gates: Gates, element: int, n: int) -> int:
    """At most how many wires a gate has at a length."""
    kind = description.kinds[description.number_of[gates.name]]
    return sum(int(rule.table.row_sizes[element]) * (n if rule.places.guard is not None else 1) for rule in kind.rules)


def merged_wires(description: Description, n: int, walked: GateWires) -> tuple[np.ndarray[Any, Any], Integers]:
    """The ids that a gate reads, in order, with the sums of their weights (which may be 0)."""
    layout = description.layout
    exact: Any = np.int64 if layout.fits_machine(n) else object
    ids: list[Any] = [np.zeros(0, dtype=exact)]
    weights: list[Any] = [np.zeros(0, dtype=np.int64)]
    for reading in walked.readings:
        positions = [column[:, None].astype(exact) for column in reading.positions.T]
        template = np.full((len(reading.positions), 1), description.number_of[reading.source], dtype=exact)
        number = layout.encode(n, template, positions, reading.weights.indices[None, :].astype(exact))
        ids.append(np.asarray(number).ravel())
        weights.append(np.tile(reading.weights.data, len(reading.positions)))
    distinct, inverse = np.unique(np.concatenate(ids), return_inverse=True)
    total = np.zeros(len(distinct), dtype=np.int64)
    np.add.at(total, inverse, np.concatenate(weights))
    return distinct, total


def perturbed(description: Description, n: int, ids: np.ndarray[Any, Any], rng: random.Random) -> np.ndarray[Any, Any]:
    """Ids close to given ones: the element, a position or the template moved by one, so that most are no wires."""
    layout = description.layout
    bit_of = [0, layout.element_bits + layout.n_positions * n.bit_length()]
    bit_of += [layout.element_bits + place * n.bit_length() for place in range(layout.n_positions)]
    steps = np.array([1 << bit for bit in bit_of], dtype=ids.dtype)
    generator = np.random.default_rng(rng.getrandbits(32))
    moved = steps[generator.integers(0, len(steps), len(ids))] * (2 * generator.integers(0, 2, len(ids)) - 1)
    return np.maximum(ids + moved, 0)
