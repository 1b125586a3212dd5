"""A table of the weights of a network: for every linear map its size, its weights, how many are 0, and its scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from circuits.network import Affine, Network, Operand
from circuits.weights import Weights, mixes, weights_of
from translator.terminal import Line, table_to_lines


@dataclass(frozen=True, slots=True)
class LinearMap:
    """One matrix of the network: the node that it computes or is added to, what it reads, and its weights.

    `scale` is the real number that an integer of `weights` stands for, less the power of two that `weights.scale` has.
    """

    name: str
    source: str
    rows: int
    columns: int
    weights: Weights
    scale: float

    def to_data(self) -> dict[str, Any]:
        """The map, ready for JSON."""
        return {
            "name": self.name,
            "reads": self.source,
            "shape": [self.rows, self.columns],
            "alphabet": self.weights.alphabet,
            "bits": self.weights.bits,
            "nonzero": self.weights.nonzero,
            "places": self.weights.places,
            "scale": self.scale,
        }


def linear_maps(network: Network) -> Iterator[LinearMap]:
    """The matrices that add several numbers, up to the scores; the scale of a matrix of signs is where it is applied."""
    scaled = {
        operand.ref.node: operand_scale(network, node, operand)
        for node in network.nodes
        if isinstance(node, Affine)
        for operand in node.operands
        if not mixes(operand.matrix)
    }
    last = len(network.nodes)
    if network.readout is not None:
        last = 1 + network.nodes.index(network.by_name[network.readout.scores])
    for node in network.nodes[:last]:
        if not isinstance(node, Affine):
            continue
        for operand in node.operands:
            if mixes(operand.matrix):
                found = weights_of(operand.matrix)
                scale = operand_scale(network, node, operand, found)
                if found.signs and len(node.operands) == 1 and node.name in scaled:
                    scale *= scaled[node.name]
                rows, columns = operand.matrix.shape
                yield LinearMap(node.name, operand.ref.node, rows, columns, found, scale)


def operand_scale(network: Network, node: Affine, operand: Operand, found: Weights | None = None) -> float:
    """The real number that the common divisor of an operand's weights stands for."""
    weights = found or weights_of(operand.matrix)
    return float(weights.scale) * 2.0 ** (network.frac(operand.ref.node) - node.frac)


def weights_table(network: Network) -> list[Line]:
    """The linear maps for a reader; nothing if there are none."""
    rows = [
        (
            found.name,
            found.source,
            f"{found.rows:,} x {found.columns:,}",
            found.weights.alphabet,
            f"{found.weights.nonzero / found.weights.places:.0%}",
            f"{found.scale:.6g}",
        )
        for found in linear_maps(network)
    ]
    if not rows:
        return []
    return table_to_lines(("linear map", "reads", "shape", "weights", "not 0", "scale"), rows, right=(2, 4, 5))
