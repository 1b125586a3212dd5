"""Writing a block down: layers of threshold gates over bits, as nodes of a fixed-precision network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from circuits.blocks.block import LENGTH, Argument, Block, Bounds, Reference
from circuits.diagnostics import fail
from circuits.formats import BIT, Format
from circuits.matrices import Matrix, canonical, matrix
from circuits.network import Affine, Domain, Exact, Inputs, Network, Node, Operand, Product, Readout, Table
from circuits.network_to_family import network_to_family
from circuits.positions import Ref
from circuits.ranges import require_ranges

Integers = np.ndarray[Any, np.dtype[np.int64]]
Weights = Mapping[str, Any]


class Wiring:
    """The nodes of a block under construction; every method returns the name of the node that it appends."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.sizes: dict[str, int] = {}
        self.arguments: list[Argument] = []

    def put(self, node: Node) -> str:
        """Append a node."""
        self.nodes.append(node)
        self.sizes[node.name] = node.size
        return node.name

    def argument(self, name: str, numbers: int, bits: int) -> str:
        """Numbers from 0 to ``2**bits - 1``, every bit an element."""
        self.arguments.append(Argument(name, numbers, Format(bits, 0, 0)))
        return self.put(Inputs(name, numbers * bits, BIT))

    def words(self, name: str, numbers: int, format_: Format) -> str:
        """Numbers as words of a format."""
        self.arguments.append(Argument(name, numbers, format_, spread=False))
        return self.put(Inputs(name, numbers, format_))

    def sums(self, name: str, weights: Weights, const: Any = 0) -> str:
        """Exact sums: one row of the weights for each."""
        operands = tuple(Operand(Ref(source), as_matrix(given)) for source, given in weights.items())
        size = operands[0].matrix.shape[0]
        constants = np.broadcast_to(np.asarray(const, dtype=np.int64), (size,)).copy()
        return self.put(Affine(name, 0, size, operands, constants, np.zeros(size, dtype=np.int64), 0))

    def gates(self, name: str, weights: Weights, thresholds: Any) -> str:
        """Threshold gates: gate i fires iff row i of the weights adds up to ``thresholds[i]``."""
        source = self.sums(f"{name}.sum", weights, -np.asarray(thresholds, dtype=np.int64))
        return self.steps(name, source, np.zeros(1, dtype=np.int64), np.arange(2), BIT)

    def steps(self, name: str, source: str, breaks: Any, codes: Any, format_: Format) -> str:
        """A step function of every element of a sum."""
        given = np.asarray(breaks, dtype=np.int64), np.asarray(codes, dtype=np.int64)
        return self.put(Table(name, 0, self.sizes[source], Ref(source), *given, format_))

    def conjunctions(self, name: str, left: str, left_index: Integers, right: str, right_index: Integers) -> str:
        """ANDs of pairs of bits, as products."""
        return self.put(Product(name, 0, Ref(left), left_index, Ref(right), right_index, 0))

    def block(
        self,
        name: str,
        decision: str,
        results: tuple[int, Format],
        reference: Reference,
        parameters: Mapping[str, int],
        source: str,
        bounds: Bounds,
        depth: str = "shallow",
    ) -> Block:
        """The block whose results are the words, or the bits, of one node.

        Raises:
            FomError: a sum needs more than 62 bits, or a digit has too many.
        """
        scores = next(node.name for node in reversed(self.nodes) if isinstance(node, Exact | Inputs))
        readout = Readout("value", decision, scores, None, self.sizes[decision], 0)
        network = Network(tuple(self.nodes), readout, Domain(), ())
        network.check()
        require_ranges(network, LENGTH)
        family = network_to_family(network, depth)
        return Block(name, parameters, source, bounds, network, family, tuple(self.arguments), results, reference)


def as_matrix(given: Any) -> Matrix:
    """A sparse integer matrix of what may be dense."""
    return canonical(np.asarray(given, dtype=np.int64) if isinstance(given, np.ndarray | list) else given)


def rows_of(index: Any, weights: Any, n_columns: int, n_rows: int, rows: Any = None) -> Matrix:
    """The matrix with ``weights[k]`` at row ``rows[k]`` (k by default) and column ``index[k]``."""
    index = np.asarray(index)
    return matrix(np.arange(len(index)) if rows is None else rows, index, weights, (n_rows, n_columns))


def require_sizes(name: str, least: Mapping[str, int], given: Mapping[str, int]) -> None:
    """Refuse parameters below their least value.

    Raises:
        FomError: naming the first one.
    """
    for parameter, low in least.items():
        if given[parameter] < low:
            raise fail("C038", f"{name} needs {parameter} >= {low}, not {given[parameter]}")


def numbers_of(given: Sequence[int], *counts: int) -> list[list[int]]:
    """Cut the numbers of all arguments into those of each."""
    parts, start = [], 0
    for count in counts:
        parts.append(list(given[start : start + count]))
        start += count
    return parts
