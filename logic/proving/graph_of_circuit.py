"""A circuit and the and-inverter graph that was made of it decide the same: a proof on the graph itself.

The graph comes with a record (`circuits.bases.to_aig.Built`) which is checked, not trusted. For every shared sum and every
block of gates it says which literals are added up with which weights, by which full adders or sorters, to which words.

1. *The start*: the literals with their weights are the circuit's own wires, and the constant fits: an identity of linear forms.
2. *The steps*: a full adder or sorter is found in the graph AND by AND. That it counts is a lemma of its own: for the full
   adder all 8 cases; for a sorter every merge is tried on all pairs of sorted inputs, and induction over the merges gives all
   inputs.
3. *The sum*: the equations ``sum(inputs) = digit + 2 * sum(carries)`` of all steps, with their weights, add up to "word = sum of
   the literals", coefficient by coefficient. What is carried out of a word is 0, since the sum lies below by its range.
4. *The gate*: the highest bit of ``S - t + 2**w``, which has w + 1 bits, is ``S >= t``.
5. *The sweep*: the smaller graph has the same ANDs and outputs.

Induction along the entries of the circuit gives equality for all bits of the input, at the length of the circuit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.aig import Aig, Integers
from circuits.bases.addition import Counters
from circuits.bases.ports import output_ports
from circuits.bases.rows import Rows, rows_of
from circuits.bases.sorting import parity, sort
from circuits.bases.strash import FALSE, TRUE, Builder
from circuits.bases.to_aig import Built, Summed
from circuits.circuit import Circuit
from circuits.diagnostics import FomError
from logic.proving.graph_steps import counts_adder, rules_hold, sorts
from logic.proving.linear import Unfit
from logic.verdicts import Lemma, Proof

CONSTANT = -1
HALF = 31


class Finder(Builder):
    """Finds ANDs in a graph that is given; nothing can be added."""

    def __init__(self, aig: Aig) -> None:
        super().__init__(aig.n_inputs)
        keys, first = np.unique(aig.left << 32 | aig.right, return_index=True)
        self.table.insert(keys, 2 * (aig.n_inputs + 1 + first))

    def literals(self, keys: Integers) -> Integers:
        """The literals of ANDs by their keys.

        Raises:
            Unfit: the graph has no such AND.
        """
        found = self.table.find(keys)
        if (found < 0).any():
            missing = int(keys[found < 0][0])
            raise Unfit(f"the graph has no AND of {missing >> 32} and {missing & 0xFFFFFFFF}")
        return found


def prove_graph(circuit: Circuit, built: Built) -> Proof:
    """Prove that a circuit and its graph decide the same on all bits of the input."""
    names = [name for name, _ in output_ports(circuit)]
    return prove_rows(list(rows_of(circuit)), names, built)


def prove_rows(blocks: Sequence[Rows], outputs: Sequence[str], built: Built) -> Proof:
    """Prove that entries and their graph agree; the outputs are the objects of the entries `outputs`."""
    try:
        built.whole.check()
        built.aig.check()
    except FomError as error:
        return Proof((), tuple(found.message for found in error.diagnostics))
    proof = GraphProof(built)
    try:
        for block in blocks:
            proof.block(block)
        proof.outputs(outputs)
        proof.sweep()
    except Unfit as error:
        return Proof(tuple(proof.lemmas), (str(error),))
    return Proof(tuple(proof.lemmas), ())


def require(holds: Any, message: str) -> None:
    """Stop the proof unless something holds.

    Raises:
        Unfit: with the message.
    """
    if not np.all(holds):
        raise Unfit(message)


class GraphProof:
    """Goes along the entries; `ranges` and `words` hold what is known of sums."""

    def __init__(self, built: Built) -> None:
        self.built = built
        self.finder = Finder(built.whole)
        self.record = {summed.name: summed for summed in built.record}
        self.lemmas: list[Lemma] = []
        self.kinds: dict[str, str] = {}
        self.ranges: dict[str, tuple[Integers, Integers]] = {}
        self.given = 0
        self.known: set[int] = set()
        require(rules_hold(), "the rules for constants do not hold")

    def literals(self, name: str, count: int) -> Integers:
        """The literals of an entry of bits."""
        literals = self.built.literals.get(name)
        if literals is None or literals.shape != (count,):
            raise Unfit(f"`{name}`: there is no literal for each object")
        past = 2 * (1 + self.built.whole.n_inputs + self.built.whole.n_ands)
        require((literals >= 0) & (literals < past), f"`{name}`: a literal is nowhere in the graph")
        return literals

    def block(self, block: Rows) -> None:
        """Prove one entry."""
        started, name = time.perf_counter(), block.name
        self.kinds[name] = block.kind
        if block.kind != "sum":
            literals = self.literals(name, block.count)
            self.ranges[name] = np.zeros(block.count, dtype=np.int64), np.ones(block.count, dtype=np.int64)
        if block.kind == "input":
            own = 2 * np.arange(1 + self.given, 1 + self.given + block.count)
            require(literals == own, f"`{name}`: the inputs are in another order")
            self.given += block.count
            return
        if block.kind == "constant":
            require(literals == block.const, f"`{name}`: a constant differs")
            return
        low, high = self.range_of(block)
        summed = self.record.get(name)
        if summed is None:
            raise Unfit(f"`{name}`: there is no record of its sums")
        rows = summed.rows
        self.start(block, summed)
        if block.thresholds is None:
            require(np.array_equal(rows, np.arange(block.count)), f"`{name}`: a sum is missing")
            low, high = self.ranges[name] = narrowed(low, high, summed)
        else:
            place = summed.widths - 1
            require(summed.offset == (1 << place) - block.thresholds[rows], f"`{name}`: a threshold differs")
            top = summed.words[np.arange(len(rows)), place]
            expected = np.where(low >= block.thresholds, TRUE, FALSE)
            undecided = np.flatnonzero((low < block.thresholds) & (high >= block.thresholds))
            require(np.isin(undecided, rows), f"`{name}`: a gate is missing")
            expected[rows] = top
            require(literals == expected, f"`{name}`: a gate is not the highest bit of its word")
        most = high[rows] + summed.offset
        require(
            (summed.widths >= 0) & (most >> summed.widths == 0), f"`{name}`: a sum needs more bits than its word has"
        )
        self.steps(name, summed)
        self.telescope(name, summed)
        kind = "a gate is the highest bit of a sum" if block.thresholds is not None else "a word is a sum"
        self.lemmas.append(
            Lemma(f"`{name}`: {kind}, step by step", "coefficients", block.count, time.perf_counter() - started)
        )

    def range_of(self, block: Rows) -> tuple[Integers, Integers]:
        """The least and the greatest number that each object of a block can be.

        Raises:
            Unfit: it may need more than 61 bits.
        """
        if not block.sources:
            return block.const, block.const
        low, high = (np.concatenate([self.ranges[source][side] for source in block.sources]) for side in (0, 1))
        largest = np.maximum(np.abs(low.astype(np.float64)), np.abs(high.astype(np.float64)))
        require(abs(block.weights).astype(np.float64) @ largest < 2.0**61, f"`{block.name}`: more than 61 bits")
        up, down = block.weights.maximum(0), block.weights.minimum(0)
        return block.const + up @ low + down @ high, block.const + up @ high + down @ low

    def start(self, block: Rows, summed: Summed) -> None:
        """The literals that are added up are the wires of the circuit, and the constants fit."""
        place = np.full(block.count, -1, dtype=np.int64)
        place[summed.rows] = np.arange(len(summed.rows))
        form = Terms()
        form.constants(np.arange(len(summed.rows)), block.const[summed.rows] + summed.offset)
        column = 0
        for source in block.sources:
            count = len(self.ranges[source][0])
            weights = csr_array(block.weights[:, column : column + count])
            column += count
            row = place[np.repeat(np.arange(block.count), np.diff(weights.indptr))]
            kept = np.flatnonzero(row >= 0)
            row, read, weight = row[kept], weights.indices[kept], weights.data[kept]
            if self.kinds[source] == "sum":
                words = self.record[source]
                form.constants(row, -weight * words.offset[read])
                for bit in range(words.words.shape[1]):
                    form.add(row, words.words[read, bit], weight << bit)
            else:
                form.add(row, self.built.literals[source][read], weight)
        bits = summed.bits
        form.add(bits.row, bits.literal, -(1 << bits.column))
        require(form.vanishes(), f"`{block.name}`: what is added up is not what the circuit adds up")

    def steps(self, name: str, summed: Summed) -> None:
        """Every full adder or sorter is in the graph, AND by AND."""
        for counters in summed.counters:
            fan_in, count = counters.inputs.shape
            if (fan_in, len(counters.carries)) == (3, 1) and self.adds(counters):
                self.lemma_of(3, True)
                continue
            self.lemma_of(fan_in, False)
            ordered = sort(self.finder, counters.inputs.T)
            require(
                len(counters.carries) == fan_in // 2 and np.array_equal(ordered[:, 1::2], counters.carries.T),
                f"`{name}`: a sorter is not in the graph",
            )
            made = np.flatnonzero(counters.digit >= 0)
            require(
                parity(self.finder, ordered[made]) == counters.digit[made],
                f"`{name}`: a parity is not in the graph",
            )
            require(counters.row.shape == counters.column.shape == (count,), f"`{name}`: the record is damaged")

    def adds(self, counters: Counters) -> bool:
        """Tell whether steps of three bits are full adders of the graph."""
        try:
            digit, carry = self.finder.full_adder(*counters.inputs)
        except Unfit:
            return False
        return np.array_equal(digit, counters.digit) and np.array_equal(carry, counters.carries[0])

    def telescope(self, name: str, summed: Summed) -> None:
        """The equations of the steps add up to: the bits, weighted, are the word, and what it carries out.

        Of a gate only the highest digit has to be made; of the others it suffices that they are 0 or 1.
        """
        form = Terms()
        bits, words = summed.bits, summed.words
        form.add(bits.row, bits.literal, 1 << bits.column)
        row_of, column_of = np.nonzero(words)
        require(column_of < summed.widths[row_of], f"`{name}`: a word is too wide")
        free = np.zeros(words.shape, dtype=bool)
        for counters in summed.counters:
            row, weight = counters.row, 1 << counters.column
            for inputs in counters.inputs:
                form.add(row, inputs, -weight)
            inside = np.flatnonzero(counters.column + 1 < summed.widths[row])
            for carries in counters.carries:
                form.add(row[inside], carries[inside], 2 * weight[inside])
            made, unmade = np.flatnonzero(counters.digit >= 0), np.flatnonzero(counters.digit < 0)
            form.add(row[made], counters.digit[made], weight[made])
            missing = row[unmade], counters.column[unmade]
            require((self.kinds[name] == "gate") & ~free[missing], f"`{name}`: a digit is missing")
            require(missing[1] + 1 < summed.widths[missing[0]], f"`{name}`: the highest digit is missing")
            free[missing] = True
        form.add(row_of, words[row_of, column_of], -(1 << column_of))
        require(~free[row_of, column_of], f"`{name}`: a digit counts twice")
        require(form.vanishes(), f"`{name}`: the steps do not add up to the word")

    def lemma_of(self, fan_in: int, adder: bool) -> None:
        """The lemma about the steps of one shape, proved once."""
        key = 0 if adder else fan_in
        if key in self.known:
            return
        started = time.perf_counter()
        self.known.add(key)
        if adder:
            require(counts_adder(), "a full adder does not count")
            text, method = "a + b + c = sum + 2 carry for the seven ANDs of a full adder", "enumeration"
        else:
            require(sorts(fan_in), f"{fan_in} bits are not sorted")
            text, method = f"a sorter of {fan_in} bits sorts, and its digit and carries are its count", "enumeration"
        self.lemmas.append(Lemma(text, method, 0, time.perf_counter() - started))

    def outputs(self, names: Sequence[str]) -> None:
        """The outputs of the graph are the literals of the decision."""
        expected = np.concatenate([self.built.literals[name] for name in names])
        require(self.given == self.built.whole.n_inputs, "the graph has another number of inputs")
        require(np.array_equal(self.built.whole.outputs, expected), "an output is not a bit of the decision")

    def sweep(self) -> None:
        """The smaller graph is a part of the whole."""
        started = time.perf_counter()
        whole, aig, number = self.built.whole, self.built.aig, self.built.number
        first = 1 + whole.n_inputs
        require(aig.n_inputs == whole.n_inputs and np.array_equal(number[:first], np.arange(first)), "inputs differ")
        kept = np.flatnonzero(number[first:] >= 0)
        require(np.array_equal(number[first + kept], first + np.arange(aig.n_ands)), "ANDs are numbered otherwise")
        pairs = ((whole.left[kept], aig.left), (whole.right[kept], aig.right), (whole.outputs, aig.outputs))
        for old, new in pairs:
            there = number[old >> 1]
            require((there >= 0).all() and np.array_equal(2 * there + (old & 1), new), "the smaller graph differs")
        text = f"{aig.n_ands:,} of {whole.n_ands:,} ANDs are those that outputs depend on"
        self.lemmas.append(Lemma(text, "structure", aig.n_ands, time.perf_counter() - started))


def narrowed(low: Integers, high: Integers, summed: Summed) -> tuple[Integers, Integers]:
    """The range of sums, once they are known to be literals with weights above 0 less an offset."""
    most = np.zeros(len(low), dtype=np.int64)
    np.add.at(most, summed.bits.row, 1 << summed.bits.column)
    return np.maximum(low, -summed.offset), np.minimum(high, most - summed.offset)


class Terms:
    """Linear forms over the variables of a graph, one for each row: terms ``weight * literal``."""

    def __init__(self) -> None:
        self.parts: list[tuple[Integers, Integers, Integers]] = []

    def add(self, row: Integers, literal: Integers, weight: Integers) -> None:
        """Add terms; ``weight * (1 - x)`` for a negated literal."""
        kept = np.flatnonzero(literal >> 1)
        variable = literal >> 1
        self.parts.append((row[kept], variable[kept], np.where(literal & 1, -weight, weight)[kept]))
        odd = np.flatnonzero(literal & 1)
        self.parts.append((row[odd], np.full(len(odd), CONSTANT), weight[odd]))

    def constants(self, row: Integers, number: Integers) -> None:
        """Add constants."""
        self.parts.append((row, np.full(len(row), CONSTANT), number))

    def vanishes(self) -> bool:
        """Tell whether all forms are 0. Weights are added in two halves, so that no sum leaves 64 bits."""
        row, variable, weight = (np.concatenate([part[k] for part in self.parts]) for k in range(3))
        if not len(row):
            return True
        order = np.lexsort((variable, row))
        row, variable, weight = row[order], variable[order], weight[order]
        starts = np.flatnonzero((np.diff(row, prepend=-1) != 0) | (np.diff(variable, prepend=-2) != 0))
        low = np.add.reduceat(weight & ((1 << HALF) - 1), starts)
        high = np.add.reduceat(weight >> HALF, starts)
        return bool(((low & ((1 << HALF) - 1)) == 0).all() and (high == -(low >> HALF)).all())
