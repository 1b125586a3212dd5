"""Bounds of a network's values that hold at every length: linear functions of n, for every element.

A lower bound (c, m) says that the value is at least ``c + m * n`` for every n >= 1; minus infinity where nothing is known.
Numbers are float64 and exact below 2**52; anything larger counts as unknown.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.network import Affine, Network, Node, Product, Sum, Table
from circuits.positions import TRUE, Ref, is_safe

Floats = np.ndarray[Any, np.dtype[np.float64]]
Linear = tuple[Floats, Floats]

EXACT = 2.0**52


class Bounds:
    """Lower and upper bounds of the nodes of a network, found when asked for."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.known: dict[str, tuple[Linear, Linear]] = {}

    def of(self, name: str) -> tuple[Linear, Linear]:
        """The lower and upper bounds of a node."""
        if not self.known:
            for node in self.network.nodes:
                low, high = self.find(node)
                self.known[node.name] = settled(low, -np.inf), settled(high, np.inf)
        return self.known[name]

    def read(self, ref: Ref) -> tuple[Linear, Linear]:
        """The bounds of a reference, which is 0 outside the word."""
        (low, low_n), (high, high_n) = self.known[ref.node]
        if all(is_safe(term, self.network.domain.least) for term in ref.at):
            return (low, low_n), (high, high_n)
        return (np.minimum(low, 0), np.minimum(low_n, 0)), (np.maximum(high, 0), np.maximum(high_n, 0))

    def find(self, node: Node) -> tuple[Linear, Linear]:
        """The bounds of a node from those of its sources."""
        zero = np.zeros(node.size)
        match node:
            case Affine(operands=operands, const=const, length=length):
                low, low_n = const.astype(np.float64), length.astype(np.float64)
                high, high_n = low.copy(), low_n.copy()
                for operand in operands:
                    (a, a_n), (b, b_n) = self.read(operand.ref)
                    weights = operand.matrix.astype(np.float64)
                    plus, minus = weights.maximum(0), weights.minimum(0)
                    plus.eliminate_zeros()
                    minus.eliminate_zeros()
                    low, low_n = low + plus @ a + minus @ b, low_n + plus @ a_n + minus @ b_n
                    high, high_n = high + plus @ b + minus @ a, high_n + plus @ b_n + minus @ a_n
                return (low, low_n), (high, high_n)
            case Product(left=left, left_index=i, right=right, right_index=j):
                ((a, _), (b, _)), ((c, _), (d, _)) = self.read(left), self.read(right)
                corners = np.stack([a[i] * c[j], a[i] * d[j], b[i] * c[j], b[i] * d[j]])
                square = (i == j) & (left == right)
                return (np.where(square, np.maximum(corners.min(axis=0), 0), corners.min(axis=0)), zero), (
                    corners.max(axis=0),
                    zero,
                )
            case Sum(operand=operand, guard=guard):
                low_bound, high_bound = self.read(operand)
                high, high_n = total((-high_bound[0], -high_bound[1]), guard == TRUE)
                return total(low_bound, guard == TRUE), (-high, -high_n)
            case Table(codes=codes):
                return (zero + codes.min(), zero), (zero + codes.max(), zero)
            case _:
                return (zero + node.format.lo, zero), (zero + node.format.hi, zero)


def settled(bound: Linear, unknown: float) -> Linear:
    """A bound with numbers that may not be exact replaced by the unknown."""
    vague = ~(np.maximum(np.abs(bound[0]), np.abs(bound[1])) < EXACT)
    return np.where(vague, unknown, bound[0]), np.where(vague, 0.0, bound[1])


def total(low: Linear, everywhere: bool) -> Linear:
    """A lower bound of a sum over positions; over all of them when `everywhere`."""
    const, slope = low
    least = np.where(slope >= 0, const + slope, -np.inf)
    zero = np.zeros(len(const))
    if everywhere:
        rising = (slope == 0) | (least >= 0)
        per_position = np.where(slope == 0, const, np.maximum(least, 0))
    else:
        rising = (slope == 0) | (least >= 0)
        per_position = np.where(slope == 0, np.minimum(const, 0), 0)
    known = rising & np.isfinite(per_position)
    return np.where(known, 0.0, -np.inf), np.where(known, per_position, zero)
