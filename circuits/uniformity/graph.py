"""Flat graphs of one length: every wire of every gate as sparse matrices, unrolled from the programs or taken from a circuit.

Nodes of a kind are numbered ``position tuple * size + element`` with the first position slowest, as in a circuit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.circuit import Circuit
from circuits.entries import Gates, PredicateBits
from circuits.matrices import Matrix, canonical, equal
from circuits.positions import grid
from circuits.uniformity.description import Description, Kind, Places
from circuits.uniformity.layout import Layout
from circuits.uniformity.machine import Machine
from circuits.uniformity.programs import constant, multiplicity, threshold
from circuits.written_sums import written_sums

Integers = np.ndarray[Any, np.dtype[np.int64]]


Occurrences = tuple[Integers, Integers, Integers]
"""Rows, columns and values."""


@dataclass(frozen=True, eq=False)
class FlatGates:
    """The gates of one kind: wires from each kind of source, and thresholds."""

    wires: dict[str, csr_array]
    thresholds: Integers

    @property
    def n_wires(self) -> int:
        """Number of wires."""
        return sum(weights.nnz for weights in self.wires.values())

    @property
    def fan_in(self) -> Integers:
        """Number of wires of each gate."""
        total = np.zeros(len(self.thresholds), dtype=np.int64)
        for weights in self.wires.values():
            total += np.diff(weights.indptr)
        return total


@dataclass(frozen=True, eq=False)
class Graph:
    """The gates of one length by kind, in topological order, and the values of the constants."""

    n: int
    gates: dict[str, FlatGates]
    constants: dict[str, Integers]

    @property
    def n_wires(self) -> int:
        """Number of wires."""
        return sum(flat.n_wires for flat in self.gates.values())

    @property
    def depth(self) -> int:
        """Length of the longest path of gates, gate by gate."""
        level: dict[str, Integers] = {}
        for name, flat in self.gates.items():
            below = np.zeros(len(flat.thresholds), dtype=np.int64)
            for source, weights in flat.wires.items():
                if source in level and weights.nnz:
                    raised = csr_array(
                        (level[source][weights.indices], weights.indices, weights.indptr), shape=weights.shape
                    )
                    below = np.maximum(below, raised.max(axis=1).toarray().ravel())
            level[name] = below + 1
        return max((int(levels.max(initial=0)) for levels in level.values()), default=0)

    def simulate(self, inputs: dict[str, Integers]) -> dict[str, Integers]:
        """The values of all nodes, of shape ``(nodes of the kind, batch)``, from those of the input kinds."""
        values = dict(inputs)
        batch = next(iter(inputs.values())).shape[1]
        values.update({name: np.repeat(each[:, None], batch, axis=1) for name, each in self.constants.items()})
        for name, flat in self.gates.items():
            total = np.zeros((len(flat.thresholds), batch), dtype=np.int64)
            for source, weights in flat.wires.items():
                total += weights @ values[source]
            values[name] = (total >= flat.thresholds[:, None]).astype(np.int64)
        return values


def circuit_graph(circuit: Circuit) -> Graph:
    """The flat graph of a circuit: its shared sums are multiplied out, and their constants taken off the thresholds."""
    thresholds = {block.entry.name: block.thresholds for block in circuit.blocks if block.thresholds is not None}
    gates = {
        found.entry.name: FlatGates(found.weights, thresholds[found.entry.name] - found.const)
        for found in written_sums(circuit.blocks)
        if found.entry.name in thresholds
    }
    constants = {block.entry.name: block.const for block in circuit.blocks if isinstance(block.entry, PredicateBits)}
    return Graph(circuit.n, gates, constants)


def unrolled_graph(description: Description, n: int) -> Graph:
    """The graph of the programs: where a rule applies is asked for all positions at once, its table gives the weights."""
    present: dict[tuple[int, Places], Occurrences] = {}
    gates: dict[str, FlatGates] = {}
    for kind in description.kinds:
        if not isinstance(kind.entry, Gates):
            continue
        parts: dict[int, list[Occurrences]] = {}
        for rule in kind.rules:
            source = description.kinds[rule.source]
            key = (source.n_positions, rule.places)
            if key not in present:
                present[key] = applies(rule.places, source.n_positions, n)
            parts.setdefault(rule.source, []).append(spread(present[key], rule.table.matrix))
        wires: dict[str, csr_array] = {}
        for number, found in parts.items():
            source = description.kinds[number]
            rows, columns, weights = (np.concatenate(each) for each in zip(*found, strict=True))
            shape = (kind.size * n**kind.n_positions, source.size * n**source.n_positions)
            wires[source.name] = canonical(csr_array((weights, (rows, columns)), shape=shape))
        thresholds = threshold(description, n, ids_of(description, kind, n)).astype(np.int64)
        gates[kind.name] = FlatGates({s: w for s, w in wires.items() if w.nnz}, thresholds)
    constants = {
        kind.name: constant(description, n, ids_of(description, kind, n)).astype(np.int64)
        for kind in description.kinds
        if isinstance(kind.entry, PredicateBits)
    }
    return Graph(n, gates, constants)


def applies(places: Places, source_positions: int, n: int) -> Occurrences:
    """How often a rule applies to each pair of position tuples, the reader's and the source's, where it does at all."""
    often = multiplicities(places, source_positions, n).reshape(n**places.n_positions, n**source_positions)
    reader, source = np.nonzero(often)
    return reader, source, often[reader, source]


def multiplicities(places: Places, source_positions: int, n: int) -> Integers:
    """How often a rule applies, for all positions: one axis for each of the reader's positions and then of the source's."""
    total = places.n_positions + source_positions
    points = grid(n, total)
    often = multiplicity(Machine(), n, places, points[: places.n_positions], points[places.n_positions :])
    return np.broadcast_to(np.asarray(often), (n,) * total).astype(np.int64)


def spread(present: Occurrences, table: Matrix) -> Occurrences:
    """The wires of a rule: its table at every pair of positions at which it applies."""
    reader, source, often = present
    weights = table.tocoo()
    row, column = (each.astype(np.int64) for each in weights.coords)
    size, width = table.shape
    return (
        (reader[:, None] * size + row).ravel(),
        (source[:, None] * width + column).ravel(),
        (often[:, None] * weights.data).ravel(),
    )


def ids_of(description: Description, kind: Kind, n: int, index: Integers | None = None) -> np.ndarray[Any, Any]:
    """The ids of nodes of a kind, given by their numbers in the graph (all of them by default)."""
    number = np.arange(kind.size * n**kind.n_positions) if index is None else index
    layout: Layout = description.layout
    tuples, element = np.divmod(number, kind.size)
    positions: list[Any] = []
    for _ in range(kind.n_positions):
        tuples, position = np.divmod(tuples, n)
        positions.append(position + 1)
    exact = np.int64 if layout.fits_machine(n) else object
    template = np.full(number.shape, description.number_of[kind.name], dtype=exact)
    return np.asarray(
        layout.encode(n, template, [word.astype(exact) for word in reversed(positions)], element.astype(exact))
    )


def first_difference(description: Description, found: Graph, wanted: Graph) -> str:
    """The first wire, threshold or constant in which two graphs of one length differ, in words; empty if there is none."""
    n = found.n
    for name, flat in wanted.gates.items():
        own, kind = found.gates[name], description.kinds[description.number_of[name]]
        for source in {**flat.wires, **own.wires}:
            left, right = own.wires.get(source), flat.wires.get(source)
            if left is not None and right is not None and equal(left, right):
                continue
            known = left if left is not None else right
            if known is None:
                continue
            zero = csr_array(known.shape, dtype=np.int64)
            off = canonical((left if left is not None else zero) - (right if right is not None else zero))
            if not off.nnz:
                continue
            row = int(np.flatnonzero(np.diff(off.indptr))[0])
            column = int(off.indices[off.indptr[row]])
            values = [int(each[row, column]) if each is not None else 0 for each in (left, right)]
            read = description.kinds[description.number_of[source]]
            return (
                f"n = {n}: the wire from {place_text(read, n, column)} to {place_text(kind, n, row)} "
                f"has weight {values[0]}, in the circuit {values[1]}"
            )
        wrong = np.flatnonzero(own.thresholds != flat.thresholds)
        if len(wrong):
            at = int(wrong[0])
            return (
                f"n = {n}: {place_text(kind, n, at)} has threshold {own.thresholds[at]}, "
                f"in the circuit {flat.thresholds[at]}"
            )
    for name, values_of in wanted.constants.items():
        wrong = np.flatnonzero(found.constants[name] != values_of)
        if len(wrong):
            kind = description.kinds[description.number_of[name]]
            return f"n = {n}: the constant {place_text(kind, n, int(wrong[0]))} differs from the circuit's"
    return ""


def place_text(kind: Kind, n: int, number: int) -> str:
    """A node by the name of its kind, its positions and its element, e.g. ``h.2(3,1)[7]``."""
    tuples, element = divmod(number, kind.size)
    positions: list[int] = []
    for _ in range(kind.n_positions):
        tuples, position = divmod(tuples, n)
        positions.append(position + 1)
    at = "(" + ",".join(map(str, reversed(positions))) + ")" if positions else ""
    return f"{kind.name}{at}[{element}]"
