"""And-inverter graphs: circuits of AND gates of two inputs, with negation on the wires.

The numbering is AIGER's: variable 0 is false, variables ``1..n_inputs`` are the inputs, then the ANDs follow in topological
order, and a literal is ``2 * variable + negation``; so literal 0 is false and literal 1 is true.

References: Biere, Heljanko & Wieringa, "AIGER 1.9 and beyond", 2011; Mishchenko, Chatterjee & Brayton, "DAG-aware AIG
rewriting", DAC 2006.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from circuits.diagnostics import fail

Integers = np.ndarray[Any, np.dtype[np.int64]]
Words = np.ndarray[Any, np.dtype[np.uint64]]
Bits = np.ndarray[Any, np.dtype[np.bool_]]

WORDS_IN_MEMORY = 1 << 25


@dataclass(frozen=True, eq=False)
class Aig:
    """An and-inverter graph: variable 0 is false, variables 1..n_inputs are inputs, ``n_inputs + 1 + k`` is AND number k.

    Attributes:
        n_inputs: how many inputs there are.
        left: for each AND its greater literal, below ``2 * (n_inputs + 1 + k)``; int64.
        right: for each AND its smaller literal; int64.
        outputs: literals; int64.
    """

    n_inputs: int
    left: Integers
    right: Integers
    outputs: Integers

    @property
    def n_ands(self) -> int:
        """Number of ANDs."""
        return len(self.left)

    def check(self) -> None:
        """Verify the order of the ANDs and the range of every literal.

        Raises:
            FomError: naming the first AND or output that is wrong.
        """
        for name, literals in (("left", self.left), ("right", self.right), ("outputs", self.outputs)):
            if literals.ndim != 1 or literals.dtype != np.int64:
                raise fail("C070", f"`{name}` is not a row of int64 literals", where="and-inverter graph")
        if self.n_inputs < 0 or len(self.left) != len(self.right):
            raise fail("C070", "every AND has two literals", where="and-inverter graph")
        own = 2 * (self.n_inputs + 1 + np.arange(self.n_ands))
        for number in np.flatnonzero((self.right < 0) | (self.right > self.left) | (self.left >= own))[:1]:
            raise fail(
                "C070",
                f"an AND of the literals {self.left[number]} and {self.right[number]}",
                where=f"AND {number}, literal {own[number]}",
                note="the greater literal comes first, and both are below the AND's own",
            )
        past = 2 * (self.n_inputs + 1 + self.n_ands)
        for number in np.flatnonzero((self.outputs < 0) | (self.outputs >= past))[:1]:
            raise fail("C070", f"literal {self.outputs[number]} is not below {past}", where=f"output {number}")

    @cached_property
    def levels(self) -> Integers:
        """For every variable the number of ANDs on the longest path to it."""
        first = self.n_inputs + 1
        sources = np.stack([self.left >> 1, self.right >> 1], axis=1) - first
        reader, place = np.nonzero(sources >= 0)
        read = sources[reader, place]
        order = np.argsort(read, kind="stable")
        readers = reader[order]
        starts = np.searchsorted(read[order], np.arange(self.n_ands + 1))
        waiting = (sources >= 0).sum(axis=1)
        levels = np.zeros(first + self.n_ands, dtype=np.int64)
        frontier = np.flatnonzero(waiting == 0)
        level = 0
        while len(frontier):
            level += 1
            levels[first + frontier] = level
            freed, times = np.unique(readers[spans(starts[frontier], starts[frontier + 1])], return_counts=True)
            waiting[freed] -= times
            frontier = freed[waiting[freed] == 0]
        return levels

    @property
    def depth(self) -> int:
        """Number of ANDs on the longest path to an output."""
        return int(self.levels[self.outputs >> 1].max(initial=0))

    def evaluate(self, bits: Bits) -> Bits:
        """The outputs, ``(B, n_outputs)``, for inputs ``(B, n_inputs)``; 64 inputs to a word, level by level.

        Raises:
            FomError: inputs of another number.
        """
        bits = np.asarray(bits, dtype=bool)
        if bits.ndim != 2 or bits.shape[1] != self.n_inputs:
            message = f"the graph reads {self.n_inputs} bits, not an array of shape {bits.shape}"
            raise fail("C040", message)
        rows = 64 * max(1, WORDS_IN_MEMORY // (1 + self.n_inputs + self.n_ands))
        parts = [self.evaluate_words(pack(bits[at : at + rows])) for at in range(0, max(1, len(bits)), rows)]
        unpacked = [unpack(part, min(rows, len(bits) - at * rows)) for at, part in enumerate(parts)]
        return np.concatenate(unpacked)

    def evaluate_words(self, inputs: Words) -> Words:
        """The outputs as words ``(n_outputs, W)`` for inputs ``(n_inputs, W)``: bit b of a word belongs to case b."""
        values = self.variables_on(inputs)
        return literals_of(values, self.outputs)

    def variables_on(self, inputs: Words) -> Words:
        """The words of all variables."""
        first = self.n_inputs + 1
        values = np.zeros((first + self.n_ands, inputs.shape[1]), dtype=np.uint64)
        values[1:first] = inputs
        for ands in self.by_level:
            left = literals_of(values, self.left[ands])
            left &= literals_of(values, self.right[ands])
            values[first + ands] = left
        return values

    @cached_property
    def by_level(self) -> list[Integers]:
        """The numbers of the ANDs of each level, from level 1 up."""
        levels = self.levels[self.n_inputs + 1 :]
        order = np.argsort(levels, kind="stable")
        ends = np.searchsorted(levels[order], np.arange(1, int(levels.max(initial=0)) + 2))
        return [order[first:last] for first, last in pairwise(ends)]


def literals_of(values: Words, literals: Integers) -> Words:
    """The words of literals, from those of the variables."""
    return values[literals >> 1] ^ (-(literals & 1)).astype(np.uint64)[:, None]


def pack(bits: Bits) -> Words:
    """Cases ``(B, count)`` as words ``(count, W)``, lowest bit first."""
    padded = np.zeros((bits.shape[1], -(-len(bits) // 64) * 64), dtype=bool)
    padded[:, : len(bits)] = bits.T
    return np.packbits(padded, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def unpack(words: Words, count: int) -> Bits:
    """The first `count` cases of words, as ``(count, n)``."""
    octets = np.ascontiguousarray(words.astype("<u8")).view(np.uint8).reshape(len(words), words.shape[1] * 8)
    return np.unpackbits(octets, axis=1, count=count, bitorder="little").astype(bool).T


def spans(starts: Any, ends: Any) -> Integers:
    """The numbers from each start up to its end, exclusive, one span after the other."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    return np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths)
