"""A block: a circuit of constant depth for one arithmetic function, with what is claimed of it.

A block is a fixed-precision network without positions and the family that `network_to_family` builds of it, so that its gates
are those of every translated network. Its bounds are stated by whoever builds it; `measure` counts on the gates, and
`excesses` compares the two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.circuit import instantiate
from circuits.entries import Accumulator, Gates, Wires
from circuits.family import Family
from circuits.flattening import flatten
from circuits.formats import Format
from circuits.network import Network

Integers = np.ndarray[Any, np.dtype[np.int64]]
Reference = Callable[[Sequence[int]], Sequence[int]]

LENGTH = 1  # blocks have no positions: their circuit is the same for every n


@dataclass(frozen=True, slots=True)
class Argument:
    """Numbers that a block reads: `numbers` of them, each a code of `format`.

    With `spread`, every bit is an element of the input, lowest first, number after number; otherwise every number is a word.
    """

    name: str
    numbers: int
    format: Format
    spread: bool = True

    def encode(self, numbers: Integers) -> Integers:
        """The inputs of shape ``(B, size)`` for numbers of shape ``(B, numbers)``."""
        if not self.spread:
            return numbers
        bits = numbers[:, :, None] >> np.arange(self.format.bits) & 1
        return bits.reshape(len(numbers), -1)


@dataclass(frozen=True, slots=True)
class Bound:
    """A number and the formula in the parameters that gives it; `exact` if it is reached, else it is an upper bound."""

    value: int
    formula: str
    exact: bool = True

    def __str__(self) -> str:
        return f"{'' if self.exact else '<= '}{self.formula} = {self.value}"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is stated of a block: its depth, its gates, its wires and the largest magnitude of a weight."""

    depth: Bound
    gates: Bound
    wires: Bound
    weight: Bound


@dataclass(frozen=True, slots=True)
class Measured:
    """What a block has, counted on its gates."""

    depth: int
    gates: int
    wires: int
    weight: int


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """An arithmetic function as a family of threshold circuits.

    Attributes:
        parameters: the sizes that the formulas of the bounds speak of.
        source: where the construction comes from.
        results: how many numbers it gives, and of which format; the readout's decision is these words, or all their bits.
        reference: the function on Python's integers, from the numbers of all arguments, one after the other.
    """

    name: str
    parameters: Mapping[str, int]
    source: str
    bounds: Bounds
    network: Network
    family: Family
    arguments: tuple[Argument, ...]
    results: tuple[int, Format]
    reference: Reference

    def encode(self, numbers: Integers) -> Integers:
        """The inputs of the circuit for the numbers of all arguments, shape ``(B, total)``."""
        ends = np.cumsum([argument.numbers for argument in self.arguments])[:-1]
        parts = np.split(np.asarray(numbers, dtype=np.int64), ends, axis=1)
        return np.concatenate(
            [argument.encode(part) for argument, part in zip(self.arguments, parts, strict=True)], axis=1
        )

    def decode(self, values: Integers) -> Integers:
        """The results, shape ``(B, numbers)``, from the values of the readout's decision."""
        count, format_ = self.results
        if values.shape[1] == count:
            return values
        return values.reshape(len(values), count, format_.bits) @ (1 << np.arange(format_.bits)) + format_.lo

    def compute(self, numbers: Integers) -> Integers:
        """Simulate the circuit on numbers of shape ``(B, total)``."""
        decision = self.family.readout.decision
        return self.decode(instantiate(self.family, LENGTH).simulate(self.encode(numbers))[decision])

    def every_input(self) -> Integers:
        """All numbers of all arguments: one row for each input of the circuit."""
        formats = [argument.format for argument in self.arguments for _ in range(argument.numbers)]
        grid = np.indices([1 << format_.bits for format_ in formats], dtype=np.int64)
        return grid.reshape(len(formats), -1).T + np.array([format_.lo for format_ in formats])


def measure(family: Family) -> Measured:
    """Count depth, gates, wires and the largest weight of a family without positions, through its shared sums."""
    memo: dict[str, tuple[Wires, ...]] = {}
    largest = 0
    for entry in family.entries:
        if isinstance(entry, Accumulator):
            memo[entry.name] = flatten(family.by_name, entry, memo)
        elif isinstance(entry, Gates):
            for wires in flatten(family.by_name, entry, memo):
                largest = max(largest, int(np.abs(wires.matrix.data).max(initial=0)))
    return Measured(family.depth, family.gates(LENGTH), family.wires(LENGTH), largest)


def excesses(block: Block) -> list[str]:
    """What of a block is not as stated: above its bound, or other than a bound that is to be reached."""
    found = measure(block.family)
    result = []
    for what in ("depth", "gates", "wires", "weight"):
        stated, counted = getattr(block.bounds, what), getattr(found, what)
        if counted > stated.value or (stated.exact and counted != stated.value):
            result.append(f"{block.name}: {what} {counted}, stated {stated}")
    return result
