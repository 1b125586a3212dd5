"""Words found digit by digit: an induction over the digits of a word, from the highest to the lowest.

A digit of w bits from bit `low` on is found by ``2**w - 1`` comparisons: number m is to say whether the offset of the code is at
least ``h + m * 2**low``, h being what the bits above the digit add up to. If all these bits are right, then the offset is less
than ``h + 2**(low + w)``, and the comparisons that hold are those with m up to the digit. The digit's bits are the comparison
itself (w = 1), or sums of the comparisons, which are right if they are for each of the ``2**w`` digits. What the comparisons have
to be is the matter of each kind of node; here is found which gates they are, and that the bits are right if they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from logic.proving.gadgets import Block, Gadget
from logic.proving.linear import Unfit

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Digit:
    """The `width` bits of a word from bit `low` on, found by comparisons; `own` has the weights of the word's bits in them."""

    low: int
    width: int
    block: Block
    own: dict[int, Integers]

    @property
    def end(self) -> int:
        """The lowest bit above the digit."""
        return self.low + self.width

    @property
    def steps(self) -> Integers:
        """What each comparison adds to the bits above the digit: ``m * 2**low`` for m = 1, 2, ..."""
        return np.arange(1, 1 << self.width, dtype=np.int64) << self.low

    def require(self, what: str, found: Integers, wanted: Integers | int) -> None:
        """Require numbers of the comparisons.

        Raises:
            Unfit: some number is another one.
        """
        if np.any(found != wanted):
            raise Unfit(f"the {what} of the comparisons for bits {self.low}..{self.end - 1} are others")

    def require_own(self, bits: int, slope: int) -> None:
        """Require that every bit k above the digit has the weight ``-slope * 2**k`` in all comparisons, and all others none.

        Raises:
            Unfit: some weight is another one.
        """
        none = np.zeros(1, dtype=np.int64)
        for bit in range(bits):
            wanted = -slope << bit if bit >= self.end else 0
            self.require(f"weights of bit {bit}", self.own.get(bit, none), wanted)


def digits_of(gadget: Gadget) -> Iterator[Digit]:
    """The digits of a gadget's word, each with bits that are right whenever its comparisons are.

    Raises:
        Unfit: the word is not found digit by digit.
    """
    bit_of = {place: bit for bit, place in enumerate(gadget.bits)}
    found: dict[int, list[int]] = {}
    for bit, place in enumerate(gadget.bits):
        block = gadget.blocks[place]
        found.setdefault(place if block.external.any() else only_source(block, bit), []).append(bit)
    if set(found) | set(bit_of) != set(range(len(gadget.blocks))):
        raise Unfit("there are gates between comparisons and bits")
    for place, bits in found.items():
        block, low, width = gadget.blocks[place], bits[0], len(bits)
        if bits != list(range(low, low + width)) or len(block.thresholds) != (1 << width) - 1:
            raise Unfit(f"bits {bits} are no digit of {len(block.thresholds)} comparisons")
        for bit in bits:
            if gadget.bits[bit] != place:
                require_spelled(gadget.blocks[gadget.bits[bit]], bit - low, width)
        own = {}
        for source, weights in block.wires:
            if source not in bit_of:
                raise Unfit("a comparison reads other comparisons")
            own[bit_of[source]] = weights.toarray().ravel()
        yield Digit(low, width, block, own)


def only_source(block: Block, bit: int) -> int:
    """The block that a bit without comparisons of its own reads."""
    if len(block.wires) != 1:
        raise Unfit(f"bit {bit} reads {len(block.wires)} other entries")
    return block.wires[0][0]


def require_spelled(block: Block, bit: int, width: int) -> None:
    """Require that a gate is one bit of the number of comparisons that hold, if those hold that have the least numbers.

    Raises:
        Unfit: it is not.
    """
    weights = block.wires[0][1].toarray().ravel()
    if np.abs(weights.astype(np.float64)).sum() >= 2.0**61:
        raise Unfit("its sums need more than 62 bits")
    sums = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(weights)])
    digits = np.arange(1 << width, dtype=np.int64)
    if ((sums >= block.thresholds[0]) != (digits >> bit & 1 == 1)).any():
        raise Unfit(f"bit {bit} of a digit is not spelled by its comparisons")


def telling_offsets(bits: int) -> Integers:
    """Offsets at which wrong gates of a wide word show: 0, powers of 2, and sums of two of them."""
    powers = np.concatenate([[0], 1 << np.arange(bits, dtype=np.int64)])
    return np.unique(powers[:, None] | powers)
