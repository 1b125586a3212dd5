"""Forecast: how large a family and its sentence become, from the network alone, before anything large is built."""

from __future__ import annotations

import os
from dataclasses import dataclass

from circuits.diagnostics import fail
from circuits.formats import BIT
from circuits.functions import written_out
from circuits.network import (
    Affine,
    Exact,
    Maximum,
    Network,
    Product,
    Quotient,
    Round,
    Table,
)
from circuits.network_to_family import digits

BYTES_PER_WEIGHT = 60
BYTES_PER_DEFINITION = 2_500


@dataclass(frozen=True, slots=True)
class Forecast:
    """Estimates: definitions (one for each gate and sum of the templates), weights stored, bytes needed to build them."""

    words: int
    definitions: int
    weights: int

    @property
    def memory(self) -> int:
        """Estimated bytes at the peak."""
        return self.definitions * BYTES_PER_DEFINITION + self.weights * BYTES_PER_WEIGHT

    def require(self, limit: int | None) -> None:
        """Refuse a translation that would not fit.

        Raises:
            FomError: the forecast is above the limit (by default half of the machine's memory).
        """
        allowed = limit if limit is not None else half_of_memory()
        if self.memory > allowed:
            raise fail(
                "C060",
                f"the translation needs about {self.memory / 1e9:.1f} GB, the limit is {allowed / 1e9:.1f} GB",
                note=str(self),
                help="lower --precision, choose --depth compact, or raise --memory",
            )

    def __str__(self) -> str:
        return f"about {self.words:,} words, {self.definitions:,} definitions, {self.memory / 1e6:,.0f} MB"


def half_of_memory() -> int:
    """Half of the machine's memory, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def forecast(network: Network, depth: str) -> Forecast:
    """Estimate the family and sentence of a network."""
    words = definitions = weights = 0
    for node in written_out(network).nodes:
        if not isinstance(node, Exact):
            words += node.size
        match node:
            case Affine(size=size, operands=operands):
                definitions += size
                weights += sum(operand.matrix.nnz for operand in operands)
            case Product(left=left, right=right):
                pairs = network.word(left.node).format.bits * network.word(right.node).format.bits
                definitions += node.size * (pairs + 1)
                weights += 3 * node.size * pairs
            case Round() | Maximum() | Quotient():
                bits = node.format.bits
                gates = sum((1 << width) - 1 + (width if width > 1 else 0) for _, width in digits(bits, depth))
                fan_in = bits
                if isinstance(node, Maximum):
                    fan_in = bits * node.groups.shape[1]
                    gates *= 1 + node.groups.shape[1]
                if isinstance(node, Quotient) and depth != "shallow":
                    gates += bits * bits
                definitions += node.size * (gates + 1)
                weights += node.size * gates * fan_in
            case Table(breaks=breaks, format=format_):
                gates = len(breaks) + (format_.bits if format_ != BIT else 0)
                definitions += node.size * (gates + 1)
                weights += node.size * len(breaks) * (1 + format_.bits // 2)
            case _:
                definitions += node.size
    return Forecast(words, definitions, weights)
