"""A threshold circuit by division: one division of two large integers for each level of gates.

Write the summands of a level, |weight| times a bit or its complement, as digits in base ``2**L``: digit i of the dividend is
summand i. Since ``2**(L*i)`` is 1 modulo ``2**L - 1``, block j of the quotient ``dividend // (2**L - 1)`` is the sum of all
digits above j, if the digits together are less than ``2**L - 1``: no block carries into the next, and the remainders together
stay below the divisor. The summands of gate g stand side by side, so its sum is a difference of two blocks, and the gate is a
comparison of numbers of L bits. Nothing else is computed with numbers longer than that: the circuit is as many divisions as it
has levels, with bits moved in between. That division is as hard as this is due to Hesse 2001; M&S 2023, Cor. 2.1 speak of one
division of first-order definable numbers, which in this form holds for one level (`docs/division.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, vstack

from circuits.circuit import Block, Circuit, check_codes, input_bits
from circuits.diagnostics import fail
from circuits.entries import InputBits, PredicateBits
from circuits.written_sums import WrittenSums, written_sums

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bits = np.ndarray[Any, np.dtype[np.bool_]]

MOST_SUM = 1 << 62
WORD = 8


@dataclass(frozen=True, slots=True)
class Divisions:
    """How many divisions evaluate a circuit, and the bits of dividend and divisor of each, level after level."""

    count: int
    dividend_bits: tuple[int, ...]
    divisor_bits: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """Sums of bits: ``weights @ bits + const``, the bits being all objects of the circuit one after the other."""

    weights: csr_array
    const: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """The gates of one level as one division.

    Gate g stands at ``bits[gates[g]]``. Its summands are the digits ``starts[g] .. starts[g + 1]``, digit i being ``sizes[i]``
    times bit ``sources[i]``, or times its complement where ``flipped[i]``; it fires iff they add up to ``thresholds[g]``.
    """

    gates: Integers
    starts: Integers
    sources: Integers
    flipped: Bits
    sizes: Integers
    thresholds: Integers
    digit_bytes: int

    @property
    def dividend_bits(self) -> int:
        """Bits that hold every dividend."""
        return 8 * self.digit_bytes * (len(self.sizes) + 1)

    @property
    def divisor_bits(self) -> int:
        """Bits of the divisor, which are all 1."""
        return 8 * self.digit_bytes

    def fire(self, bits: Bits) -> Bits:
        """Which gates fire, found by one division."""
        digits = np.where(bits[self.sources] != self.flipped, self.sizes, 0)
        return self.compare(self.dividend(digits) // ((1 << self.divisor_bits) - 1))

    def dividend(self, digits: Integers) -> int:
        """The number with these digits, the first one in place 1."""
        written = np.zeros((len(digits) + 1, self.digit_bytes), dtype=np.uint8)
        low = digits.astype("<u8").view(np.uint8).reshape(-1, WORD)[:, : self.digit_bytes]
        written[1:, : low.shape[1]] = low
        return int.from_bytes(written.tobytes(), "little")

    def compare(self, quotient: int) -> Bits:
        """The gates' sums as differences of blocks, against their thresholds.

        A sum is less than 2**62, so the lowest 64 bits of the blocks are enough.
        """
        read = quotient.to_bytes((len(self.sizes) + 1) * self.digit_bytes, "little")
        blocks = np.zeros((len(self.sizes) + 1, WORD), dtype=np.uint8)
        kept = min(WORD, self.digit_bytes)
        blocks[:, :kept] = np.frombuffer(read, dtype=np.uint8).reshape(-1, self.digit_bytes)[:, :kept]
        above = blocks.view("<u8")[:, 0]
        sums = above[self.starts[:-1]] - above[self.starts[1:]]
        return sums.astype(np.int64) >= self.thresholds


class Divider:
    """A circuit written as divisions, ready to evaluate words."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        ends = np.cumsum([0, *(block.count for block in circuit.blocks)])
        self.slices = {
            block.entry.name: slice(int(first), int(last))
            for block, first, last in zip(circuit.blocks, ends[:-1], ends[1:], strict=True)
        }
        self.n_objects = int(ends[-1])
        by_level: dict[int, list[tuple[Block, Flat]]] = {}
        self.answer: Flat | None = None
        by_name = {block.entry.name: block for block in circuit.blocks}
        for found in written_sums(circuit.blocks):
            block = by_name[found.entry.name]
            if block.thresholds is not None:
                by_level.setdefault(block.level, []).append((block, self.flat(found)))
            elif block.entry.name == circuit.readout.decision:
                self.answer = self.flat(found)
        self.levels = [self.level(by_level[number]) for number in sorted(by_level)]

    @property
    def divisions(self) -> Divisions:
        """How many divisions it takes, and how large they are."""
        return Divisions(
            len(self.levels),
            tuple(level.dividend_bits for level in self.levels),
            tuple(level.divisor_bits for level in self.levels),
        )

    def flat(self, sums: WrittenSums) -> Flat:
        """Sums of the objects of single entries as sums over all objects."""
        found = [(self.slices[source].start, weights.tocoo()) for source, weights in sums.weights.items()]
        empty = np.zeros(0, dtype=np.int64)
        rows: Any = np.concatenate([empty, *(weights.coords[0] for _, weights in found)])
        columns: Any = np.concatenate(
            [empty, *(weights.coords[1].astype(np.int64) + first for first, weights in found)]
        )
        data: Any = np.concatenate([empty, *(weights.data for _, weights in found)])
        shape = (len(sums.const), self.n_objects)
        return Flat(csr_array((data, (rows, columns)), shape=shape, dtype=np.int64), sums.const)

    def level(self, parts: list[tuple[Block, Flat]]) -> Level:
        """The gates of one level as one division.

        Raises:
            FomError: the weights of a gate are too large.
        """
        weights: csr_array = csr_array(vstack([flat.weights for _, flat in parts], format="csr"))
        places = [self.slices[block.entry.name] for block, _ in parts]
        reached = np.concatenate([block.thresholds for block, _ in parts if block.thresholds is not None])
        const = np.concatenate([flat.const for _, flat in parts])
        sizes, flipped = np.abs(weights.data), weights.data < 0
        sums = sums_of_rows(sizes.astype(np.float64), weights.indptr)
        reach = np.abs(reached).astype(np.float64) + np.abs(const)
        if max(sums.max(initial=0), reach.max(initial=0)) >= MOST_SUM:
            raise fail(
                "C042",
                "the weights of a gate add up to 2^62 or more, which is more than simulation adds exactly",
                help="lower --precision or --weight-bits, or use shorter words",
            )
        below = sums_of_rows(np.where(flipped, sizes, 0), weights.indptr)
        total = (int((sizes >> 31).sum()) << 31) + int((sizes & ((1 << 31) - 1)).sum())
        return Level(
            np.concatenate([np.arange(place.start, place.stop) for place in places]),
            weights.indptr.astype(np.int64),
            weights.indices.astype(np.int64),
            flipped,
            sizes,
            reached - const + below,
            ((total + 1).bit_length() + 7) // 8,
        )

    def decide(self, inputs: Integers) -> Integers:
        """The readout's decision bits or words, of shape ``(B, n, .., size)``.

        Raises:
            FomError: inputs of another length, or that are no letters or codes of the input.
        """
        family, n = self.circuit.family, self.circuit.n
        inputs = np.asarray(inputs)
        if not family.inputs and inputs.shape[1] != n:
            raise fail("C040", f"the circuit reads words of length {n}, not {inputs.shape[1]}")
        check_codes(family, inputs)
        decision = family.by_name[family.readout.decision]
        answers = [self.decide_one(inputs[row : row + 1]) for row in range(len(inputs))]
        shape = (len(inputs), *(n,) * decision.n_positions, decision.size)
        return np.array(answers, dtype=np.int64).reshape(shape)

    def decide_one(self, one: Integers) -> Integers:
        """The decision on a batch of one input."""
        bits = np.zeros(self.n_objects, dtype=bool)
        for block in self.circuit.blocks:
            if isinstance(block.entry, InputBits):
                bits[self.slices[block.entry.name]] = input_bits(self.circuit.family, block.entry, one)[:, 0]
            elif isinstance(block.entry, PredicateBits):
                bits[self.slices[block.entry.name]] = block.const
        for level in self.levels:
            bits[level.gates] = level.fire(bits)
        if self.answer is None:
            return bits[self.slices[self.circuit.readout.decision]].astype(np.int64)
        word: Integers = self.answer.weights @ bits.astype(np.int64) + self.answer.const
        return word


def sums_of_rows(values: Any, starts: Any) -> Any:
    """The sum of ``values[starts[g] : starts[g + 1]]`` for each g."""
    return np.diff(np.concatenate([np.zeros(1, dtype=values.dtype), np.cumsum(values)])[starts])


def evaluate_by_division(circuit: Circuit, inputs: Integers) -> tuple[Integers, Divisions]:
    """Evaluate a circuit on a batch, with one division for each word and each level.

    Args:
        inputs: as for `Circuit.simulate`.

    Returns:
        The decision as `Circuit.simulate` gives it, and the divisions of one word.
    """
    divider = Divider(circuit)
    return divider.decide(inputs), divider.divisions
