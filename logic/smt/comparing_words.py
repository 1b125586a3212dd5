"""A network for the solver as `logic.smt.network_ground` writes it: every word an integer with its bits, nothing tabulated."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

from pysmt.fnode import FNode

from circuits.network import Network
from logic.smt.comparing import Shared
from logic.smt.network_ground import NetworkGrounding, Place

MOST_NUMBERS = 1 << 10


def unreadable(network: Network) -> str:
    """Why the decisions of a network cannot be told apart by a formula for each number; nothing if they can."""
    if network.inputs:
        return "it reads numbers, not words"
    readout = network.decided
    if readout.kind != "value":
        return ""
    word = network.word(readout.decision)
    if word.size > 1:
        return f"it answers with {word.size} numbers at once"
    if word.format.frac > 0:
        return "it answers with a number that is rounded again when it is read"
    if word.format.bits > MOST_NUMBERS.bit_length() - 1:
        return f"it answers with a number of {word.format.bits} bits"
    return ""


def numbers_of(network: Network) -> range:
    """All that a network can decide."""
    readout = network.decided
    if readout.kind == "classes":
        return range(readout.n_classes)
    if readout.kind == "logit":
        return range(2)
    format_ = network.word(readout.decision).format
    unit = 1 << -format_.frac
    return range(format_.lo * unit, format_.hi * unit + 1, unit)


class GroundedWords:
    """The decisions of a network whose words are all integers of the solver."""

    def __init__(self, network: Network, shared: Shared) -> None:
        self.network, self.smt = network, _manager(shared)
        grounding = NetworkGrounding(network, shared.n, shared.env, shared.letters, self.no_input)
        self.elements = grounding.decision()
        self.constraints = grounding.constraints

    def no_input(self, name: str) -> FNode:
        """The networks compared read words."""
        raise TypeError(f"`{name}` is a proposition")

    def numbers(self) -> Sequence[int]:
        """All that it can decide."""
        return numbers_of(self.network)

    def decided(self, place: Place, number: int) -> FNode:
        """Whether it decides a number at a place."""
        kind, elements = self.network.decided.kind, self.elements[place]
        if number not in self.numbers():
            return self.smt.FALSE()
        if kind == "classes":
            return first_set([element.bits[0] for element in elements], number, self.smt)
        word = elements[0]
        if kind == "logit":
            return word.bits[0] if number else self.smt.Not(word.bits[0])
        format_ = self.network.word(self.network.decided.decision).format
        offset = (number >> -format_.frac) - format_.lo
        bits = [bit if offset >> i & 1 else self.smt.Not(bit) for i, bit in enumerate(word.bits)]
        return self.smt.And(bits)


def first_set(bits: Sequence[FNode], number: int, smt: Any) -> FNode:
    """Whether a bit is the first that is set, or bit 0 if none is: what the classes of a network decide."""
    earlier = [smt.Not(bit) for bit in bits[:number]]
    if number:
        return smt.And([bits[number], *earlier])
    return smt.Or(bits[0], smt.Not(smt.Or(bits)))


def places_of(network: Network, n: int) -> list[Place]:
    """The places of a network's decisions."""
    return list(product(range(1, n + 1), repeat=network.decided.n_positions))


def _manager(shared: Shared) -> Any:
    return shared.env.formula_manager
