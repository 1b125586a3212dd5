"""The same circuit in two gate bases: proofs that they decide the same.

* *Threshold gates and majorities*: a majority's wires are the gate's, rail by rail; an identity of linear forms over the signals.
* *Weights cut in two*: the parts make up the weights, and every interval between two comparisons is tried.
* *Gates and ANDs, shape by shape*: gates with the same weights and threshold are one shape. Its graph is evaluated on all inputs
  where they are few; otherwise it is proved step by step (`graph_of_circuit`), as whole circuits are.
* *Two graphs* (a miter): all inputs where they are few, otherwise one query.
"""

from __future__ import annotations

import time

import numpy as np
from scipy.sparse import csr_array

from circuits.aig import Aig, Bits, Integers
from circuits.bases.flat import CONSTANTS, FlatCircuit, Level, row_sums
from circuits.bases.majority import MajorityCircuit
from circuits.bases.rows import Rows, given_rows
from circuits.bases.splitting import Cut
from circuits.bases.to_aig import GATES, GIVEN, Thresholds, expand_gates
from circuits.matrices import canonical, equal
from logic.proving.graph_of_circuit import prove_rows, require
from logic.proving.linear import Unfit
from logic.smt.graphs import prove_equal
from logic.smt.lemmas import Countermodel, Proved
from logic.verdicts import Counterexample, Holds, Lemma, Proof, Refuted, Unknown, Verdict

MOST_INPUTS = 20
CASES = 1 << 16


def prove_majority(flat: FlatCircuit, majority: MajorityCircuit) -> Proof:
    """Prove that a circuit of majorities decides what the threshold circuit decides, on all inputs."""
    lemmas: list[Lemma] = []
    try:
        rails, inputs = majority.rails, CONSTANTS + flat.n_inputs
        own = np.arange(inputs, inputs + flat.n_inputs)
        require(rails.shape == (2, inputs + flat.n_gates), "the rails are those of another circuit")
        require(majority.n_inputs == flat.n_inputs, "the inputs differ")
        require(rails[0, :inputs] == np.arange(inputs), "an input is another signal")
        require(rails[1, :inputs] == np.concatenate([[1, 0], own]), "a complement is another signal")
        require(len(majority.levels) == len(flat.levels), "the levels differ")
        signal, total = inputs, inputs + flat.n_inputs
        origin = np.full((2, total + majority.n_gates), -1, dtype=np.int64)
        origin[:, :inputs] = [np.arange(inputs), np.zeros(inputs)]
        origin[:, inputs:total] = [np.arange(CONSTANTS, inputs), np.ones(flat.n_inputs)]
        for number, (level, wires) in enumerate(zip(flat.levels, majority.levels, strict=True), start=1):
            started = time.perf_counter()
            for rail in (0, 1):
                gates = np.flatnonzero(rails[rail, signal : signal + level.n_gates] >= 0)
                origin[0, rails[rail, signal + gates]] = signal + gates
                origin[1, rails[rail, signal + gates]] = rail
            made = origin[:, total : total + wires.shape[0]]
            require((made[0] >= signal) & (made[0] < signal + level.n_gates), f"level {number}: a gate has no origin")
            same_level(level, wires, made[0] - signal, made[1], origin)
            signal, total = signal + level.n_gates, total + wires.shape[0]
            text = f"level {number}: at least half of the wires is the weighted sum and its threshold"
            lemmas.append(Lemma(text, "coefficients", wires.shape[0], time.perf_counter() - started))
        require(np.array_equal(majority.outputs, rails[0, flat.outputs]), "an output is another gate")
    except Unfit as error:
        return Proof(tuple(lemmas), (str(error),))
    return Proof(tuple(lemmas), ())


def same_level(level: Level, wires: csr_array, gate: Integers, rail: Integers, origin: Integers) -> None:
    """Majorities are gates, or their complements: ``2 * (wires that are 1) >= wires`` is ``weights @ x >= threshold``.

    Raises:
        Unfit: one of them is not.
    """
    require(wires.data > 0, "a wire is repeated less than once")
    read = origin[0, wires.indices]
    require(read >= 0, "a wire leads from a gate that has no origin")
    row = np.repeat(np.arange(wires.shape[0]), np.diff(wires.indptr))
    negated = origin[1, wires.indices] == 1
    sign = np.where(negated, -1, 1) * wires.data
    const = np.bincount(row[negated], weights=wires.data[negated], minlength=len(gate))
    require(const < 2.0**53, "there are more than 2^53 wires")
    fixed = const.astype(np.int64)
    one = np.flatnonzero(read == 1)
    np.add.at(fixed, row[one], sign[one])
    bits = np.flatnonzero(read >= CONSTANTS)
    shape = (wires.shape[0], level.weights.shape[1])
    require(read < shape[1], "a wire leads from the same level")
    found = canonical(csr_array((sign[bits], (row[bits], read[bits])), shape=shape))
    half = -(-row_sums(wires.data, wires.indptr) // 2)
    flip = np.where(rail == 1, -1, 1)
    given = csr_array(level.weights[gate])
    expected = csr_array(
        (given.data * np.repeat(flip, np.diff(given.indptr)), given.indices, given.indptr), shape=shape
    )
    require(equal(found, canonical(expected)), "a wire has another weight")
    threshold = np.where(rail == 1, 1 - level.thresholds[gate], level.thresholds[gate])
    require(half - fixed == threshold, "a threshold differs")


def prove_cut(level: Level, bits: int, parts: Cut) -> Proof:
    """Prove that gates with weights cut in two decide the same: for all values of the high sums and of the low ones.

    Between two comparisons the second level sees the same, and what it has to see does not change: both ends of every interval of
    low sums are tried. With H the high sum, ``R * H + L >= t`` iff ``H >= ceil((t - L) / R)``.
    """
    started = time.perf_counter()
    try:
        require(equal(canonical(parts.low + parts.high * (1 << bits)), canonical(level.weights)), "a weight differs")
        least = row_sums(np.minimum(parts.low.data, 0), parts.low.indptr)
        most = row_sums(np.maximum(parts.low.data, 0), parts.low.indptr)
        order = np.lexsort((parts.compared, parts.gate))
        require(order == np.arange(len(order)), "comparisons are out of order")
        gate = np.concatenate([np.arange(level.n_gates), parts.gate])
        first = np.concatenate([least, parts.compared])
        order = np.argsort(gate, kind="stable")
        gate, first = gate[order], first[order]
        starts = np.searchsorted(gate, np.arange(level.n_gates))
        fired = np.arange(len(gate)) - starts[gate]
        last = np.where(np.append(gate[1:], -1) == gate, np.append(first[1:], 0) - 1, most[gate])
        for low in (first, last):
            needed = -((low - level.thresholds[gate]) >> bits)
            require((needed == parts.top[gate] - fired) | (first > last), "a comparison is at another place")
        require((first >= least[gate]) & (last <= most[gate]), "a comparison is out of range")
    except Unfit as error:
        return Proof((), (str(error),))
    text = f"weights cut after {bits} bits: the comparisons carry what the low parts add up to"
    return Proof((Lemma(text, "enumeration", level.n_gates, time.perf_counter() - started),), ())


def shapes(flat: FlatCircuit) -> list[tuple[Integers, int, int]]:
    """The different gates of a circuit: weights above 0 in falling order, how many have to be reached, and how often."""
    found: dict[bytes, tuple[Integers, int, int]] = {}
    for level in flat.levels:
        weights = level.weights
        reach = level.thresholds - row_sums(np.minimum(weights.data, 0), weights.indptr)
        row = np.repeat(np.arange(level.n_gates), np.diff(weights.indptr))
        size = np.abs(weights.data)
        size = size[np.lexsort((-size, row))]
        for gate, (start, end) in enumerate(zip(weights.indptr[:-1], weights.indptr[1:], strict=True)):
            key = size[start:end].tobytes() + int(reach[gate]).to_bytes(8)
            _, _, times = found.get(key, (size, 0, 0))
            found[key] = size[start:end], int(reach[gate]), times + 1
    return list(found.values())


def prove_shapes(flat: FlatCircuit, thresholds: Thresholds = "adder", most_inputs: int = MOST_INPUTS) -> Proof:
    """Prove for every different gate of a circuit that its graph of ANDs is the gate."""
    lemmas: list[Lemma] = []
    open_: list[str] = []
    for weights, reach, times in shapes(flat):
        started = time.perf_counter()
        count = len(weights)
        text = f"[{count} weights up to {weights[0]}, sum >= {reach}] is its graph of ANDs"
        row, bound = csr_array(weights[None]), np.array([reach])
        built = expand_gates(row, bound, thresholds)
        if count <= most_inputs:
            method, trouble = "enumeration", differing_input(built.aig, row, bound)
        else:
            gates = Rows(GATES, 1, "gate", (GIVEN,), row, np.zeros(1, dtype=np.int64), bound)
            proof = prove_rows([given_rows(GIVEN, count), gates], [GATES], built)
            method, trouble = "coefficients", "; ".join(proof.open)
        if trouble:
            open_.append(f"{text}: {trouble}")
        else:
            lemmas.append(Lemma(text, method, times, time.perf_counter() - started))
    return Proof(tuple(lemmas), tuple(open_))


def every_input(count: int) -> list[Bits]:
    """All inputs of `count` bits, in pieces."""
    places = np.arange(count)
    return [
        (np.arange(first, min(first + CASES, 1 << count))[:, None] >> places & 1).astype(bool)
        for first in range(0, 1 << count, CASES)
    ]


def differing_input(aig: Aig, weights: csr_array, thresholds: Integers) -> str:
    """An input on which a graph is not its threshold gates, or nothing."""
    for bits in every_input(aig.n_inputs):
        expected = (weights @ bits.T.astype(np.int64) >= thresholds[:, None]).T
        wrong = np.flatnonzero((aig.evaluate(bits) != expected).any(axis=1))
        if len(wrong):
            return f"they differ on {spelled(bits[wrong[0]])}"
    return ""


def spelled(bits: Bits) -> str:
    """Bits as digits, input 0 first."""
    return "".join("01"[int(bit)] for bit in bits)


def decide_equal(left: Aig, right: Aig, timeout_s: float, most_inputs: int = MOST_INPUTS) -> Verdict:
    """Decide whether two graphs agree on all inputs, by trying all of them or by one query; a counterexample is replayed.

    Raises:
        FomError: the graphs are too large for a query.
    """
    if (left.n_inputs, len(left.outputs)) != (right.n_inputs, len(right.outputs)):
        return Unknown("the graphs have other inputs or outputs")
    started = time.perf_counter()
    if left.n_inputs <= most_inputs:
        for bits in every_input(left.n_inputs):
            wrong = np.flatnonzero((left.evaluate(bits) != right.evaluate(bits)).any(axis=1))
            if len(wrong):
                return replayed(left, right, bits[wrong[0]])
        text, method = f"all {1 << left.n_inputs:,} inputs", "enumeration"
    else:
        answer = prove_equal(left, right, timeout_s)
        if isinstance(answer, Countermodel):
            return replayed(left, right, np.array([answer.values[f"x{i}"] for i in range(left.n_inputs)], dtype=bool))
        if not isinstance(answer, Proved):
            return Unknown(answer.reason)
        text, method = "no input makes an output differ", "z3"
    return Holds(Proof((Lemma(text, method, len(left.outputs), time.perf_counter() - started),), ()))


def replayed(left: Aig, right: Aig, bits: Bits) -> Verdict:
    """The verdict on an input on which two graphs are said to differ."""
    one, other = (spelled(aig.evaluate(bits[None])[0]) for aig in (left, right))
    if one == other:
        return Unknown(f"the solver's input {spelled(bits)} makes no difference")
    return Refuted(Counterexample(spelled(bits), {"left": one, "right": other}))
