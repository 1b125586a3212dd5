"""A threshold circuit as ANDs with negation: sums become binary words, and a gate is the highest bit of one.

Every shared sum is built once, as a word that its readers add with their own weights. A sum S of weighted bits and words is
written ``S = least + V`` with ``V = sum |w| * literal``, the literals of negative weights negated; a gate ``S >= t`` is bit w of
``V + least - t + 2**w``, where w is such that this needs no more than w + 1 bits. Words are added up by full adders (`addition`)
or by sorting networks (`sorting`). All objects of an entry, at all positions, are built together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from scipy.sparse import csr_array

from circuits.aig import Aig, Integers, spans
from circuits.bases.addition import Columns, Counters, add, together
from circuits.bases.ports import output_ports
from circuits.bases.rows import Rows, given_rows, rows_of
from circuits.bases.sorting import count
from circuits.bases.strash import FALSE, TRUE, Builder, swept
from circuits.circuit import Circuit
from circuits.diagnostics import fail
from circuits.matrices import MOST, canonical

Thresholds = Literal["adder", "sorter"]

GIVEN, GATES = "given", "gates"


@dataclass(frozen=True, slots=True, eq=False)
class Numbers:
    """The objects of an entry as numbers: ``base + sum of 2**column * literal``, between `low` and `high`.

    Literals stand object after object, those of object i from ``starts[i]`` up.
    """

    base: Integers
    low: Integers
    high: Integers
    starts: Integers
    column: Integers
    literal: Integers

    @property
    def top(self) -> Integers:
        """The number that is reached when every literal is 1."""
        sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(1 << self.column)])
        return self.base + sums[self.starts[1:]] - sums[self.starts[:-1]]


def bits_as_numbers(literals: Integers) -> Numbers:
    """Objects that are one bit each."""
    zero, one = np.zeros(len(literals), dtype=np.int64), np.ones(len(literals), dtype=np.int64)
    return Numbers(zero, zero, one, np.arange(len(literals) + 1), zero, literals)


def words_as_numbers(words: Integers, base: Integers, low: Integers, high: Integers) -> Numbers:
    """Objects that are words, literals of shape (count, width)."""
    row, column = np.nonzero(words)
    starts = np.searchsorted(row, np.arange(len(words) + 1))
    return Numbers(base, low, high, starts, column, words[row, column])


def side_by_side(parts: list[Numbers]) -> Numbers:
    """The objects of several entries, one after the other."""
    offsets = np.cumsum([0, *(len(part.literal) for part in parts)])
    starts = [part.starts[:-1] + offset for part, offset in zip(parts, offsets[:-1], strict=True)]
    return Numbers(
        np.concatenate([part.base for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
        np.concatenate([*starts, offsets[-1:]]),
        np.concatenate([part.column for part in parts]),
        np.concatenate([part.literal for part in parts]),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Total:
    """The sums of a block: ``S = least + sum of 2**column * literal``, between `low` and `high`."""

    bits: Columns
    least: Integers
    low: Integers
    high: Integers

    @property
    def top(self) -> Integers:
        """The sums when every literal is 1 that is not the constant 0."""
        top = self.least.copy()
        kept = np.flatnonzero(self.bits.literal != FALSE)
        np.add.at(top, self.bits.row[kept], 1 << self.bits.column[kept])
        return top


def weighted(block: Rows, sources: Numbers) -> Total:
    """The sums of a block over the literals of its sources.

    Raises:
        FomError: a sum may need more than 62 bits.
    """
    weights = block.weights
    top = sources.top
    largest = np.maximum.reduce([np.abs(found.astype(np.float64)) for found in (sources.base, top)])
    if (abs(weights).astype(np.float64) @ largest).max(initial=0.0) >= float(MOST) / 4:
        raise fail("C026", "a sum needs more than 60 bits", where=f"entry `{block.name}`")
    up, down = weights.maximum(0), weights.minimum(0)
    least = block.const + up @ sources.base + down @ top
    low, high = (
        block.const + up @ sources.low + down @ sources.high,
        block.const + up @ sources.high + down @ sources.low,
    )
    row = np.repeat(np.arange(block.count), np.diff(weights.indptr))
    first, last = sources.starts[weights.indices], sources.starts[weights.indices + 1]
    read = spans(first, last)
    row, weight = np.repeat(row, last - first), np.repeat(weights.data, last - first)
    literal, column = sources.literal[read] ^ (weight < 0), sources.column[read]
    size = np.abs(weight)
    parts = [
        Columns(row[at], column[at] + bit, literal[at])
        for bit in range(int(size.max(initial=0)).bit_length())
        for at in [np.flatnonzero((size >> bit) & 1)]
    ]
    empty = np.zeros(0, dtype=np.int64)
    return Total(together([Columns(empty, empty, empty), *parts]), least, low, high)


def bit_lengths(numbers: Integers) -> Integers:
    """How many bits nonnegative numbers have."""
    lengths = np.zeros(len(numbers), dtype=np.int64)
    for bit in range(62):
        lengths += numbers >> bit > 0
    return lengths


@dataclass(frozen=True, slots=True, eq=False)
class Summed:
    """One block as it was built, for a proof: ``S + offset = sum of 2**column * words``, by `counters`.

    Attributes:
        name: the entry.
        rows: the objects that were built; of a gate that is constant nothing is.
        offset: what is added to each of their sums.
        bits: the literals that are added, constants included.
        words: literals ``(len(rows), width)``; 0 beyond the width of a row.
        widths: the width of every row.
        counters: full adders, or sorters.
    """

    name: str
    rows: Integers
    offset: Integers
    bits: Columns
    words: Integers
    widths: Integers
    counters: list[Counters]


@dataclass(frozen=True, slots=True, eq=False)
class Built:
    """A graph with everything that was made on the way.

    Attributes:
        whole: the graph before ANDs that no output depends on were left out; `record` and `literals` refer to it.
        aig: the graph without them.
        number: the variable in `aig` of each variable in `whole`; -1 where it is gone.
        literals: for every entry of bits, the literal of each object.
        record: the blocks of sums and gates.
    """

    whole: Aig
    aig: Aig
    number: Integers
    literals: Mapping[str, Integers]
    record: tuple[Summed, ...]


@dataclass(eq=False)
class Expansion:
    """Builds one block after the other."""

    builder: Builder
    thresholds: Thresholds
    numbers: dict[str, Numbers] = field(default_factory=dict)
    literals: dict[str, Integers] = field(default_factory=dict)
    record: list[Summed] = field(default_factory=list)

    def bits(self, name: str, literals: Integers) -> None:
        """An entry whose objects are bits."""
        self.literals[name] = literals
        self.numbers[name] = bits_as_numbers(literals)

    def sums(self, block: Rows) -> None:
        """A shared sum, or gates."""
        name = block.name
        parts = [self.numbers[source] for source in block.sources]
        total = weighted(block, side_by_side(parts) if parts else bits_as_numbers(np.zeros(0, dtype=np.int64)))
        if block.thresholds is None:
            low, high = np.maximum(total.low, total.least), np.minimum(total.high, total.top)
            words = self.words(name, total, np.arange(block.count), -total.least, bit_lengths(high - total.least))
            self.numbers[name] = words_as_numbers(words, total.least, low, high)
            return
        over, under = total.high - block.thresholds, block.thresholds - total.least
        literals = np.where(total.low >= block.thresholds, TRUE, FALSE)
        rows = np.flatnonzero((total.low < block.thresholds) & (over >= 0))
        place = np.maximum(bit_lengths(over[rows]), bit_lengths(under[rows] - 1))
        words = self.words(name, total, rows, (1 << place) - block.thresholds[rows], place + 1, digits=False)
        literals[rows] = words[np.arange(len(rows)), place]
        self.bits(name, literals)

    def words(
        self, name: str, total: Total, rows: Integers, offset: Integers, widths: Integers, digits: bool = True
    ) -> Integers:
        """The words of ``S + offset`` for some of the sums; without `digits`, only their highest bits matter."""
        number = np.full(len(total.least), -1, dtype=np.int64)
        number[rows] = np.arange(len(rows))
        const = offset + total.least[rows]
        chosen = total.bits.take(np.flatnonzero((number[total.bits.row] >= 0) & (total.bits.literal != FALSE)))
        constant = chosen.literal == TRUE
        np.add.at(const, number[chosen.row[constant]], 1 << chosen.column[constant])
        chosen = chosen.take(np.flatnonzero(~constant))
        parts = [Columns(number[chosen.row], chosen.column, chosen.literal)]
        for bit in range(int(const.max(initial=0)).bit_length()):
            where = np.flatnonzero(const >> bit & 1)
            parts.append(Columns(where, np.full(len(where), bit), np.full(len(where), TRUE)))
        bits = together(parts)
        counters: list[Counters] = []
        if self.thresholds == "adder":
            words = add(self.builder, bits, widths, counters)
        else:
            words = count(self.builder, bits, widths, digits, counters)
        self.record.append(Summed(name, rows, offset, bits, words, widths, counters))
        return words


def expand(circuit: Circuit, thresholds: Thresholds = "adder") -> Built:
    """Build the graph of a circuit, and keep what a proof needs.

    Raises:
        FomError: an unknown construction, too many ANDs, or a sum of more than 60 bits.
    """
    return expand_rows(rows_of(circuit), [name for name, _ in output_ports(circuit)], thresholds)


def expand_gates(weights: csr_array, thresholds: Integers, method: Thresholds = "adder") -> Built:
    """Build the graph of threshold gates side by side, over as many inputs as there are columns."""
    count, n_inputs = weights.shape
    gates = Rows(GATES, 1, "gate", (GIVEN,), canonical(weights), np.zeros(count, dtype=np.int64), thresholds)
    return expand_rows((given_rows(GIVEN, n_inputs), gates), [GATES], method)


def expand_rows(blocks: Iterable[Rows], outputs: Sequence[str], thresholds: Thresholds) -> Built:
    """Build the graph of entries in topological order; all objects of the entries `outputs` are outputs."""
    if thresholds not in get_args(Thresholds):
        choices = " or ".join(get_args(Thresholds))
        raise fail("C074", f"unknown construction of thresholds `{thresholds}`", help=f"choose {choices}")
    blocks = list(blocks)
    builder = Builder(sum(block.count for block in blocks if block.kind == "input"))
    expansion = Expansion(builder, thresholds)
    given = builder.inputs()
    for block in blocks:
        if block.kind == "input":
            expansion.bits(block.name, given[: block.count])
            given = given[block.count :]
        elif block.kind == "constant":
            expansion.bits(block.name, block.const)
        else:
            expansion.sums(block)
    whole = builder.graph(np.concatenate([expansion.literals[name] for name in outputs]))
    aig, number = swept(whole)
    return Built(whole, aig, number, expansion.literals, tuple(expansion.record))


def circuit_to_aig(circuit: Circuit, thresholds: Thresholds = "adder") -> Aig:
    """Write a circuit as ANDs of two inputs with negation; inputs and outputs are in the order of `ports`.

    Args:
        circuit: the threshold circuit.
        thresholds: "adder" adds weighted bits up by full adders, "sorter" by sorting networks.

    Raises:
        FomError: an unknown construction, too many ANDs, or a sum of more than 60 bits.
    """
    return expand(circuit, thresholds).aig
