"""Smaller weights for more levels: a gate of large weights becomes two levels of gates with half as many bits to a weight.

Write every weight as ``w = R * high + low`` and the threshold as ``t = R * top + rest`` with R a power of two. Then
``sum w x >= t`` iff ``H + floor((L - rest) / R) >= top``, where H and L are the sums with the high and the low parts. The
quotient takes as many values as there are wires, at most; the first level compares L with each multiple of R, and the second
adds these comparisons, with weight 1, to H. This is the first step of iterated addition by Siu & Roychowdhury 1994 ("On
optimal depth threshold circuits for multiplication and related problems", SIAM J. Discrete Math. 7), cut after one block of
columns. Each round halves the bits of the weights and at most doubles the depth; so log2(p / log N) rounds bring weights of
p bits down to the number N of wires of a gate. For unbounded p depth 2 suffices (Goldmann & Karpinski 1998); a sum here never
has more than 62 bits, so the number of rounds is bounded as it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array, hstack

from circuits.aig import Integers, spans
from circuits.bases.flat import CONSTANTS, FlatCircuit, Level, canonical_gates, in_order, row_sums
from circuits.bases.majority import padding
from circuits.matrices import canonical


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Gates with their weights cut after some bits.

    Attributes:
        low, high: the two parts of the weights.
        gate: for every comparison of the first level, the gate that it belongs to.
        compared: what it compares the low sum with.
        top: the thresholds of the second level.
    """

    low: csr_array
    high: csr_array
    gate: Integers
    compared: Integers
    top: Integers


def cut(level: Level, bits: int) -> Cut:
    """Cut the weights of gates after `bits` bits."""
    weights, radix = level.weights, 1 << bits
    low_data = np.sign(weights.data) * (np.abs(weights.data) & (radix - 1))
    low = csr_array((low_data, weights.indices, weights.indptr), shape=weights.shape)
    high = csr_array(((weights.data - low_data) >> bits, weights.indices, weights.indptr), shape=weights.shape)
    top, rest = level.thresholds >> bits, level.thresholds & (radix - 1)
    least = (row_sums(np.minimum(low_data, 0), weights.indptr) - rest) >> bits
    most = (row_sums(np.maximum(low_data, 0), weights.indptr) - rest) >> bits
    gate = np.repeat(np.arange(level.n_gates), most - least)
    multiple = spans(least + 1, most + 1)
    return Cut(canonical(low), canonical(high), gate, rest[gate] + multiple * radix, top - least)


def unit_wires(level: Level) -> Integers:
    """How many unit-weight wires each gate has as a majority."""
    zeros, ones = padding(level)
    return row_sums(np.abs(level.weights.data), level.weights.indptr) + zeros + ones


def second_level(parts: Cut, n_comparisons: int) -> Level:
    """The gates that add the comparisons, whose columns come last, to the high parts."""
    ones = np.ones(n_comparisons, dtype=np.int64)
    shape = (len(parts.top), n_comparisons)
    carries = csr_array((ones, (parts.gate, np.arange(n_comparisons))), shape=shape)
    return Level(csr_array(hstack([parts.high, carries], format="csr")), parts.top)


def cheapest(level: Level) -> Integers:
    """For every gate after how many bits to cut its weights so that it has the fewest unit-weight wires; 0: not at all."""
    cost, choice = unit_wires(level).astype(np.float64), np.zeros(level.n_gates, dtype=np.int64)
    largest = int(np.abs(level.weights.data).max(initial=0))
    for bits in range(1, largest.bit_length()):
        parts = cut(level, bits)
        compared = unit_wires(Level(csr_array(parts.low[parts.gate]), parts.compared))
        split = unit_wires(second_level(parts, len(parts.gate)))
        split = split + np.bincount(parts.gate, weights=compared, minlength=level.n_gates)
        smaller = split < cost
        cost, choice = np.where(smaller, split, cost), np.where(smaller, bits, choice)
    return choice


def split_weights(flat: FlatCircuit) -> FlatCircuit:
    """Cut the weights of every gate that has fewer unit-weight wires as two levels."""
    total = CONSTANTS + flat.n_inputs
    number = np.arange(total)
    levels: list[list[tuple[csr_array, Integers, Integers]]] = []
    cuts = [cheapest(level) for level in flat.levels]
    pieces = [
        [(rows, bits, cut(rows_of(level, rows), bits) if bits else None) for bits, rows in groups(choice)]
        for level, choice in zip(flat.levels, cuts, strict=True)
    ]
    n_signals = total + flat.n_gates + sum(len(parts.gate) for level in pieces for _, _, parts in level if parts)
    for level, groups_ in zip(flat.levels, pieces, strict=True):
        first: list[tuple[csr_array, Integers, Integers]] = []
        second: list[tuple[csr_array, Integers, Integers]] = []
        own = np.zeros(level.n_gates, dtype=np.int64)
        for rows, _, parts in groups_:
            gates, columns = rows_of(level, rows), number
            if parts is not None:
                signals = np.arange(total, total + len(parts.gate))
                total += len(signals)
                below = csr_array(parts.low[parts.gate])
                first.append((*canonical_gates(*renamed(below, parts.compared, columns, n_signals)), signals))
                gates, columns = second_level(parts, len(signals)), np.concatenate([number, signals])
            own[rows] = np.arange(total, total + len(rows))
            total += len(rows)
            second.append((*canonical_gates(*renamed(gates.weights, gates.thresholds, columns, n_signals)), own[rows]))
        levels += [group for group in (first, second) if group]
        number = np.concatenate([number, own])
    return in_order(flat.n_inputs, levels, number[flat.outputs], n_signals)


def groups(choice: Integers) -> list[tuple[int, Integers]]:
    """The gates of each choice."""
    return [(int(bits), np.flatnonzero(choice == bits)) for bits in np.unique(choice)]


def rows_of(level: Level, rows: Integers) -> Level:
    """Some gates of a level."""
    return Level(csr_array(level.weights[rows]), level.thresholds[rows])


def renamed(weights: csr_array, thresholds: Integers, number: Integers, total: int) -> tuple[csr_array, Integers]:
    """Gates over signals with other numbers."""
    columns = number[weights.indices]
    return canonical(csr_array((weights.data, columns, weights.indptr), shape=(len(thresholds), total))), thresholds
