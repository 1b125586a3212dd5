"""Circuits of one kind of gate: majority of unit-weight wires.

A gate fires iff *at least half* of its wires are 1, the convention of FO(M)'s majority quantifier (Merrill & Sabharwal 2023,
"A logic for expressing log-precision transformers", Def. 4). A wire may be repeated, and may be a constant; there is no
negation. ``W`` wires of which ``T`` have to be 1 become a majority by padding: with ``2T - W - 1`` more wires that are 0, or
with ``W - 2T`` more that are 1.

Negation goes to the inputs (*dual rail*): the complement of a threshold gate is a threshold gate of the complements, so where
a gate is read with a negative weight its complement is computed beside it. The depth stays the same, the size at most
doubles; the complements of the inputs are inputs. This is how threshold circuits are made monotone in Wegener, "The
Complexity of Boolean Functions", 1987, ch. 11, and it keeps the basis to a single gate, where NOT gates would add levels.

*Signals*: 0 is the constant 0, 1 the constant 1, then the inputs, their complements, and the gates, level after level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, vstack

from circuits.aig import Bits, Integers, spans
from circuits.bases.flat import CONSTANTS, FlatCircuit, Level, in_chunks, row_sums
from circuits.diagnostics import fail
from circuits.matrices import canonical

MOST_WRITTEN = 10_000_000


@dataclass(frozen=True, slots=True, eq=False)
class MajorityCircuit:
    """Majority gates in levels: ``levels[l][i, s]`` says how often gate i of level l reads signal s; `outputs` are signals.

    `rails` says where it came from: ``rails[0, s]`` is the signal that stands for signal s of the flat circuit, ``rails[1, s]``
    the one for its complement, -1 where there is none.
    """

    n_inputs: int
    levels: tuple[csr_array, ...]
    outputs: Integers
    rails: Integers

    @property
    def n_gates(self) -> int:
        """Number of gates, complements counted."""
        return sum(level.shape[0] for level in self.levels)

    @property
    def n_wires(self) -> int:
        """Number of wires, with repetition and with those from constants."""
        return sum(total(level.data) for level in self.levels)

    @property
    def depth(self) -> int:
        """Number of levels."""
        return len(self.levels)

    def evaluate(self, bits: Bits) -> Bits:
        """The outputs, ``(B, n_outputs)``, for inputs ``(B, n_inputs)``: at least half of every gate's wires are 1."""
        return in_chunks(self.evaluate_chunk, bits, self.n_inputs, self.n_inputs + self.n_gates)

    def evaluate_chunk(self, bits: Bits) -> Bits:
        """Evaluate a batch that fits in memory."""
        ones, given = np.ones((1, len(bits)), dtype=np.int64), bits.T.astype(np.int64)
        values = np.concatenate([0 * ones, ones, given, 1 - given])
        for level in self.levels:
            wires = row_sums(level.data, level.indptr)
            fired = level @ values >= (wires - wires // 2)[:, None]
            values = np.concatenate([values, fired.astype(np.int64)])
        return values[self.outputs].T.astype(bool)

    def written_out(self, most: int = MOST_WRITTEN) -> list[tuple[Integers, Integers]]:
        """For each level (starts, signals): gate i reads ``signals[starts[i]:starts[i + 1]]``, repetitions written out.

        Raises:
            FomError: there are more than `most` wires.
        """
        if self.n_wires > most:
            raise fail(
                "C072",
                f"the majority circuit has {self.n_wires:,} wires; at most {most:,} are written out",
                help="split large weights, or choose a shorter length",
            )
        result = []
        for level in self.levels:
            starts = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(row_sums(level.data, level.indptr))])
            result.append((starts, np.repeat(level.indices.astype(np.int64), level.data)))
        return result


def total(numbers: Integers) -> int:
    """The sum of nonnegative numbers, however large."""
    return (int((numbers >> 32).sum()) << 32) + int((numbers & 0xFFFFFFFF).sum())


def flat_to_majority(flat: FlatCircuit) -> MajorityCircuit:
    """Write every gate as a majority of unit-weight wires, with complements where they are read."""
    inputs = CONSTANTS + flat.n_inputs
    n_signals = inputs + flat.n_gates
    starts = np.cumsum([inputs, *(level.n_gates for level in flat.levels)])
    needed = np.zeros((2, n_signals), dtype=bool)
    needed[0, flat.outputs] = True
    for level, start in zip(reversed(flat.levels), reversed(starts[:-1].tolist()), strict=True):
        for rail in (0, 1):
            rows = np.flatnonzero(needed[rail, start : start + level.n_gates])
            wires = spans(level.weights.indptr[rows], level.weights.indptr[rows + 1])
            needed[(level.weights.data[wires] < 0) ^ rail, level.weights.indices[wires]] = True
    signal = np.full((2, n_signals), -1, dtype=np.int64)
    signal[:, :CONSTANTS] = [[0, 1], [1, 0]]
    signal[:, CONSTANTS:inputs] = CONSTANTS + np.arange(2 * flat.n_inputs).reshape(2, -1)
    count = CONSTANTS + 2 * flat.n_inputs
    levels = []
    for level, start in zip(flat.levels, starts[:-1].tolist(), strict=True):
        rows, complements = (np.flatnonzero(needed[rail, start : start + level.n_gates]) for rail in (0, 1))
        both = csr_array(vstack([level.weights[rows], -level.weights[complements]], format="csr"))
        thresholds = np.concatenate([level.thresholds[rows], 1 - level.thresholds[complements]])
        levels.append(majorities(Level(both, thresholds), signal, count))
        signal[0, start + rows] = np.arange(count, count + len(rows))
        signal[1, start + complements] = np.arange(count + len(rows), count + len(thresholds))
        count += len(thresholds)
    return MajorityCircuit(flat.n_inputs, tuple(levels), signal[0, flat.outputs], signal)


def majorities(level: Level, signal: Integers, count: int) -> csr_array:
    """The wires of threshold gates as majorities; ``signal[rail, s]`` is the number of a signal or of its complement."""
    weights, every = level.weights, np.arange(level.n_gates)
    columns = signal[(weights.data < 0).astype(np.int64), weights.indices]
    times = np.abs(weights.data)
    zeros, ones = padding(level)
    rows = np.concatenate([np.repeat(every, np.diff(weights.indptr)), every, every])
    columns = np.concatenate([columns, np.zeros_like(every), np.ones_like(every)])
    return canonical(csr_array((np.concatenate([times, zeros, ones]), (rows, columns)), shape=(len(every), count)))


def padding(level: Level) -> tuple[Integers, Integers]:
    """How many constant wires make each gate a majority: zeros, and ones."""
    weights = level.weights
    reach = level.thresholds - row_sums(np.minimum(weights.data, 0), weights.indptr)
    surplus = 2 * reach - row_sums(np.abs(weights.data), weights.indptr)
    return np.maximum(surplus - 1, 0), np.maximum(-surplus, 0)
