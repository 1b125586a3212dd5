"""Weights of affine maps: which numbers they are, and ternary and binary matrices kept as matrices of -1, 0 and 1.

A matrix whose entries other than 0 have one magnitude is a scale times a matrix of signs. `with_sign_matrices` writes an
affine map with such a matrix as two: the signs first, then the scale. The values are the same, integer for integer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import numpy as np
from scipy.sparse import block_array
from scipy.sparse.csgraph import connected_components

from circuits.matrices import Matrix, canonical, identity
from circuits.network import Affine, Network, Node, Operand
from circuits.positions import Ref, var

INT8 = (-128, 127)


@dataclass(frozen=True, slots=True)
class Weights:
    """What the entries of an integer matrix are: `scale` times integers without a common divisor.

    Attributes:
        scale: the greatest common divisor of the entries.
        values: how many different integers other than 0.
        least: the smallest of them.
        most: the largest of them.
        nonzero: entries other than 0.
        places: entries of the blocks of the matrix: of the smallest rectangles, apart in rows and columns, that hold what is
            not 0. A map that is applied to every slot of a sequence is one block for each slot.
    """

    scale: int
    values: int
    least: int
    most: int
    nonzero: int
    places: int

    @property
    def signs(self) -> bool:
        """Tell whether the integers are -1 and 1."""
        return (self.least, self.most, self.values) == (-1, 1, 2)

    @property
    def bits(self) -> int:
        """Bits of an integer, in two's complement."""
        return max(self.most.bit_length(), (-self.least - 1).bit_length()) + 1 if self.values else 0

    @property
    def alphabet(self) -> str:
        """The integers in words."""
        full = self.nonzero == self.places
        if not self.values:
            return "{0}"
        if self.signs:
            return "binary {-1, 1}" if full else "ternary {-1, 0, 1}"
        if self.values == 1:
            return f"{{{self.most}}}" if full else f"{{0, {self.most}}}"
        if INT8[0] <= self.least and self.most <= INT8[1]:
            return f"int8, {self.values + (not full)} values"
        return f"fixed-point, {self.bits} bits"


def weights_of(matrix: Matrix) -> Weights:
    """Look at the entries of a canonical matrix."""
    if not matrix.nnz:
        return Weights(0, 0, 0, 0, 0, 0)
    scale = int(np.gcd.reduce(matrix.data))
    different = np.unique(matrix.data // scale)
    return Weights(scale, len(different), int(different[0]), int(different[-1]), matrix.nnz, places(matrix))


def places(matrix: Matrix) -> int:
    """The entries of the blocks of a matrix, apart in rows and columns, that hold what is not 0."""
    graph: Any = block_array([[None, matrix], [matrix.T, None]], format="csr")
    _, block = connected_components(graph, directed=False)
    of_row, of_column = block[: matrix.shape[0]], block[matrix.shape[0] :]
    n_blocks = int(block.max()) + 1
    rows, columns = np.bincount(of_row, minlength=n_blocks), np.bincount(of_column, minlength=n_blocks)
    return int((rows * columns).sum())


def mixes(matrix: Matrix) -> bool:
    """Tell whether some row adds several entries: others only copy."""
    return bool((np.diff(matrix.indptr) > 1).any())


def with_sign_matrices(network: Network) -> Network:
    """The same network with every matrix of one magnitude and both signs as signs, then a scale.

    Powers of two are left alone: they only say where the binary point is.
    """
    nodes: list[Node] = []
    names = set(network.by_name)
    for node in network.nodes:
        if isinstance(node, Affine):
            operands = []
            for operand in node.operands:
                signs, scaled = split(network, node, operand, names)
                nodes.extend(signs)
                operands.append(scaled)
            node = replace(node, operands=tuple(operands))
        nodes.append(node)
    return Network(tuple(nodes), network.readout, network.domain, network.alphabet)


def split(network: Network, node: Affine, operand: Operand, names: set[str]) -> tuple[list[Affine], Operand]:
    """The node of signs of an operand, if it is one, and the operand that reads it."""
    matrix = operand.matrix
    if not mixes(matrix):
        return [], operand
    scale = int(np.abs(matrix.data).max())
    if scale & scale - 1 == 0 or np.abs(matrix.data).min() < scale or matrix.data.min() > 0 or matrix.data.max() < 0:
        return [], operand
    known = (f"{node.name}.signs{number or ''}" for number in count())
    name = next(one for one in known if one not in names)
    names.add(name)
    signs = canonical(matrix)
    signs.data //= scale
    zero = np.zeros(node.size, dtype=np.int64)
    frac = network.frac(operand.ref.node)
    added = Affine(name, node.n_positions, node.size, (Operand(operand.ref, signs),), zero, zero, frac)
    at = tuple(var(index) for index in range(node.n_positions))
    return [added], Operand(Ref(name, at), identity(node.size, scale))
