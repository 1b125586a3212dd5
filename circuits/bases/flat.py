"""Flat threshold circuits: levels of gates whose wires lead to inputs and gates only, with shared sums composed away.

*Signals* are numbered: 0 is the constant 0, 1 the constant 1, then the inputs, then the gates, level after level. Gates are in
canonical form: no constant gate is left, no wire leads from a constant, weights have no common divisor, and a weight is no
larger than it takes to decide the gate alone. Gates that no output depends on are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from circuits.aig import Bits, Integers, spans
from circuits.bases.ports import input_ports, output_ports
from circuits.bases.rows import rows_of
from circuits.circuit import Circuit
from circuits.diagnostics import fail
from circuits.matrices import MOST, canonical, matrix

MOST_WIRES = 1 << 26
CHUNK_ELEMENTS = 1 << 23
CONSTANTS = 2


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """Gates side by side: gate i fires iff ``weights[i] @ signals >= thresholds[i]``; columns are the signals below."""

    weights: csr_array
    thresholds: Integers

    @property
    def n_gates(self) -> int:
        """Number of gates."""
        return len(self.thresholds)


@dataclass(frozen=True, slots=True, eq=False)
class FlatCircuit:
    """Threshold gates in levels; `outputs` are signals."""

    n_inputs: int
    levels: tuple[Level, ...]
    outputs: Integers

    @property
    def n_gates(self) -> int:
        """Number of gates."""
        return sum(level.n_gates for level in self.levels)

    @property
    def n_wires(self) -> int:
        """Number of wires, each with a weight."""
        return sum(level.weights.nnz for level in self.levels)

    @property
    def depth(self) -> int:
        """Number of levels."""
        return len(self.levels)

    @property
    def largest_weight(self) -> int:
        """The largest absolute weight."""
        return max((int(np.abs(level.weights.data).max(initial=0)) for level in self.levels), default=0)

    def evaluate(self, bits: Bits) -> Bits:
        """The outputs, ``(B, n_outputs)``, for inputs ``(B, n_inputs)``: every gate compares its sum with its threshold."""
        return in_chunks(self.evaluate_chunk, bits, self.n_inputs, self.n_gates)

    def evaluate_chunk(self, bits: Bits) -> Bits:
        """Evaluate a batch that fits in memory."""
        ones = np.ones((1, len(bits)), dtype=np.int64)
        values = np.concatenate([0 * ones, ones, bits.T.astype(np.int64)])
        for level in self.levels:
            fired = level.weights @ values >= level.thresholds[:, None]
            values = np.concatenate([values, fired.astype(np.int64)])
        return values[self.outputs].T.astype(bool)


def in_chunks(evaluate: Any, bits: Bits, n_inputs: int, n_gates: int) -> Bits:
    """Evaluate batches that fit in memory, one after the other.

    Raises:
        FomError: inputs of another number.
    """
    bits = np.asarray(bits, dtype=bool)
    if bits.ndim != 2 or bits.shape[1] != n_inputs:
        raise fail("C040", f"the circuit reads {n_inputs} bits, not an array of shape {bits.shape}")
    rows = max(1, CHUNK_ELEMENTS // (CONSTANTS + n_inputs + n_gates))
    return np.concatenate([evaluate(bits[at : at + rows]) for at in range(0, max(1, len(bits)), rows)])


def circuit_to_flat(circuit: Circuit) -> FlatCircuit:
    """Compose the shared sums of a circuit, and bring its gates to canonical form.

    Raises:
        FomError: too many wires, or weights of one gate that add up to more than 62 bits.
    """
    wires = circuit.family.wires(circuit.n)
    if wires > MOST_WIRES:
        message = f"the circuit for n = {circuit.n} has {wires:,} wires; at most {MOST_WIRES:,} are written out"
        raise fail("C071", message, help="choose a shorter length, or translate with a lower --precision")
    n_inputs = sum(count for _, count in input_ports(circuit))
    total = CONSTANTS + n_inputs + circuit.n_gates
    values: dict[str, tuple[csr_array, Integers]] = {}
    first_input, first_gate = CONSTANTS, CONSTANTS + n_inputs
    levels: dict[int, list[tuple[csr_array, Integers, Integers]]] = {}
    for block in rows_of(circuit):
        name = block.name
        if block.kind == "input":
            signals = np.arange(first_input, first_input + block.count)
            values[name] = placed(signals, total), np.zeros(block.count, dtype=np.int64)
            first_input += block.count
            continue
        weights, const = csr_array((block.count, total), dtype=np.int64), block.const
        if block.sources:
            weights = canonical(block.weights @ vstack([values[source][0] for source in block.sources], format="csr"))
            const = const + block.weights @ np.concatenate([values[source][1] for source in block.sources])
        if block.thresholds is None:
            values[name] = weights, const
            continue
        thresholds = block.thresholds - const
        low, high = extremes(weights, name)
        always, never = low >= thresholds, high < thresholds
        kept = np.flatnonzero(~always & ~never)
        signals = np.zeros(block.count, dtype=np.int64)
        signals[kept] = np.arange(first_gate, first_gate + len(kept))
        first_gate += len(kept)
        values[name] = placed(signals, total), always.astype(np.int64)
        if len(kept):
            rows = canonical_gates(csr_array(weights[kept]), thresholds[kept])
            levels.setdefault(block.level, []).append((*rows, signals[kept]))
    outputs = np.concatenate([constant_or_signal(*values[name]) for name, _ in output_ports(circuit)])
    return in_order(n_inputs, [levels[level] for level in sorted(levels)], outputs, total)


def placed(signals: Integers, total: int) -> csr_array:
    """One row for each object, with a 1 at its signal; objects of signal 0 have none."""
    rows = np.flatnonzero(signals)
    return matrix(rows, signals[rows], 1, (len(signals), total))


def constant_or_signal(weights: csr_array, const: Integers) -> Integers:
    """The signals of objects that are one bit each: a signal, or a constant."""
    signals = const.copy()
    signals[np.diff(weights.indptr) > 0] = weights.indices
    return signals


def extremes(weights: csr_array, where: str) -> tuple[Integers, Integers]:
    """The least and the greatest sum of every row.

    Raises:
        FomError: they may need more than 62 bits.
    """
    ones = np.ones(weights.shape[1])
    if (abs(weights).astype(np.float64) @ ones).max(initial=0.0) >= float(MOST):
        raise fail("C026", "the weights of one gate add up to more than 62 bits", where=f"entry `{where}`")
    count = np.ones(weights.shape[1], dtype=np.int64)
    high = weights.maximum(0) @ count
    return high - abs(weights) @ count, high


def canonical_gates(weights: csr_array, thresholds: Integers) -> tuple[csr_array, Integers]:
    """The same gates with smaller weights; none of them may be constant.

    With ``x`` replaced by ``1 - x`` where its weight is negative, a gate asks whether weights above 0 add up to T. A weight
    beyond T decides alone, and so does T; likewise for the complement of the gate. Then a common divisor is taken out and the
    threshold rounded up.
    """
    data, starts = np.abs(weights.data), weights.indptr.astype(np.int64)
    sign, row = np.sign(weights.data), np.repeat(np.arange(len(thresholds)), np.diff(starts))
    reach = thresholds - row_sums(np.minimum(weights.data, 0), starts)
    while True:
        before = data
        data = np.minimum(data, reach[row])
        complement = row_sums(data, starts) - reach + 1
        data = np.minimum(data, complement[row])
        reach = row_sums(data, starts) - complement + 1
        divisor = np.gcd.reduceat(data, starts[:-1]) if len(data) else np.ones(0, dtype=np.int64)
        data, reach = data // divisor[row], -(-reach // divisor)
        if np.array_equal(data, before):
            break
    small = csr_array((data * sign, weights.indices, weights.indptr), shape=weights.shape)
    return small, reach + row_sums(np.minimum(small.data, 0), starts)


def row_sums(data: Any, starts: Any) -> Integers:
    """The sum of each row of a matrix in compressed rows; exact where a row needs no more than 62 bits."""
    sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(data)])
    return sums[starts[1:]] - sums[starts[:-1]]


def in_order(
    n_inputs: int, levels: Sequence[Sequence[tuple[csr_array, Integers, Integers]]], outputs: Integers, total: int
) -> FlatCircuit:
    """Number the signals level after level, leaving out gates that no output depends on.

    Args:
        n_inputs: signals below ``CONSTANTS + n_inputs`` keep their numbers.
        levels: groups of gates (weights over all signals, thresholds, own signals).
        outputs: signals.
        total: number of signals.
    """
    needed = np.zeros(total, dtype=bool)
    needed[: CONSTANTS + n_inputs] = True
    needed[outputs] = True
    for level in reversed(levels):
        for weights, _, signals in level:
            rows = np.flatnonzero(needed[signals])
            needed[weights.indices[spans(weights.indptr[rows], weights.indptr[rows + 1])]] = True
    number = np.full(total, -1, dtype=np.int64)
    number[: CONSTANTS + n_inputs] = np.arange(CONSTANTS + n_inputs)
    count = CONSTANTS + n_inputs
    result = []
    for level in levels:
        kept = [np.flatnonzero(needed[signals]) for _, _, signals in level]
        if not any(map(len, kept)):
            continue
        weights = canonical(vstack([w[rows] for (w, _, _), rows in zip(level, kept, strict=True)], format="csr"))
        thresholds = np.concatenate([t[rows] for (_, t, _), rows in zip(level, kept, strict=True)])
        below = csr_array((weights.data, number[weights.indices], weights.indptr), shape=(len(thresholds), count))
        result.append(Level(canonical(below), thresholds))
        for (_, _, signals), rows in zip(level, kept, strict=True):
            number[signals[rows]] = np.arange(count, count + len(rows))
            count += len(rows)
    return FlatCircuit(n_inputs, tuple(result), number[outputs])
