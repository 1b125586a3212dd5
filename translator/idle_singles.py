"""Roundings to float32 that decide nothing: chains of additions of codes whose errors never reach a half-way point.

A mean of codes that goes into a quantizer is read with a rounding to float32 after every addition. The exact mean is a multiple
of one step, plus a constant. If every such number is farther from the half-way points between two codes than all float32 errors
together, then the exact mean has the same code at every input, and one rounding of integers replaces the chain. This is decided
here by trying every multiple. Where means may be too near, the chain stays.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import Ref, var
from circuits.scalar import Scalar
from translator import real
from translator.fixing_singles import linear_of
from translator.quantizers import Quantizer, affine_of, first_quantizer, quantizer_of
from translator.relevance import reads

Reals = np.ndarray[Any, np.dtype[np.float64]]
Bounds = dict[str, tuple[float, float]]

UNIT = 2.0**-24
SLACK = 1.0 + 2.0**-20
MOST_MULTIPLES = 1 << 23


@dataclass(frozen=True, slots=True)
class Chain:
    """A sum of codes computed in float32.

    Attributes:
        ref: the codes, read at their own positions.
        low: the smallest code.
        high: the largest code.
        matrix: the exact sum is ``matrix @ codes + const``.
        const: its constant.
        error: how far the computed sum is from it at most.
    """

    ref: Ref
    low: float
    high: float
    matrix: csr_array
    const: Reals
    error: Reals

    @property
    def magnitude(self) -> Reals:
        """The largest magnitude of each exact sum."""
        ends = [self.const + self.matrix.sum(axis=1) * end for end in (self.low, self.high)]
        spread = abs(self.matrix).sum(axis=1) * (self.high - self.low)
        return np.asarray(np.maximum(np.abs(ends[0]), np.abs(ends[1])) + spread)

    def rounded(self) -> Chain:
        """The sum with one more rounding."""
        return replace(self, error=(self.error + UNIT * (self.magnitude + self.error)) * SLACK)


def without_idle_singles(
    network: real.RealNetwork, bounds: Bounds, keep: tuple[str, ...]
) -> tuple[real.RealNetwork, Bounds]:
    """Let quantizers of float32 sums read the exact sums wherever that is the same, and leave out what nobody reads then.

    Args:
        bounds: smallest and largest value seen of every node.
        keep: nodes that are outputs.

    Returns:
        The network, and the bounds of its nodes.
    """
    chains: dict[str, Chain] = {}
    codes: dict[str, tuple[float, float]] = {}
    nodes: list[real.RealNode] = []
    found = dict(bounds)
    for node in network.nodes:
        nodes.append(node)
        if isinstance(node, real.Linear):
            chain = sum_of(node, chains)
        elif isinstance(node, real.Map):
            last, first = quantizer_of(node.function), first_quantizer(node.function)
            if last is not None:
                codes[node.name] = float(last.low), float(last.high)
            source = chains.get(node.operand.node) if is_own(node.operand, node.n_positions) else None
            if first is not None and source is not None and is_exact(first[0], source):
                name = f"{node.name}.mean"
                own = tuple(var(v) for v in range(node.n_positions))
                operand = real.Operand(source.ref, source.matrix)
                exact = real.Linear(name, node.n_positions, node.size, (operand,), source.const, 0 * source.const)
                nodes[-1:] = [exact, replace(node, operand=Ref(name, own))]
                if node.operand.node in found:
                    found[name] = found[node.operand.node]
            chain = step_of(node, source, codes)
        else:
            continue
        if chain is not None:
            chains[node.name] = chain
    return (
        (network, bounds) if len(nodes) == len(network.nodes) else (pruned(network, nodes, {*chains} - {*keep}), found)
    )


def pruned(network: real.RealNetwork, nodes: list[real.RealNode], chains: set[str]) -> real.RealNetwork:
    """The network of these nodes, less chains that nobody reads."""
    wanted = {ref.node for tensor in network.outputs for _, ref in tensor.parts}
    if network.output is not None:
        wanted.add(network.output.ref.node)
    kept: list[real.RealNode] = []
    for node in reversed(nodes):
        if node.name not in chains or node.name in wanted:
            kept.append(node)
            wanted |= {ref.node for ref, _ in reads(node)}
    return replace(network, nodes=tuple(reversed(kept)))


def is_own(ref: Ref, n_positions: int) -> bool:
    """Tell whether a node reads another one at its own positions."""
    return ref.at == tuple(var(v) for v in range(n_positions))


def step_of(node: real.Map, source: Chain | None, codes: dict[str, tuple[float, float]]) -> Chain | None:
    """The chain that a rounding to float32 begins or goes on."""
    if node.function.op != "float32" or not is_own(node.operand, node.n_positions):
        return None
    if source is not None:
        return source.rounded() if node.function == Scalar("float32", (Scalar("x"),)) else None
    line = linear_of(node.function.args[0])
    if line is None or node.operand.node not in codes:
        return None
    low, high = codes[node.operand.node]
    each, zero = np.arange(node.size), np.zeros(node.size)
    matrix = csr_array((zero + float(line[0]), (each, each)), shape=(node.size, node.size))
    return Chain(node.operand, low, high, matrix, zero + float(line[1]), zero).rounded()


def sum_of(node: real.Linear, chains: dict[str, Chain]) -> Chain | None:
    """The chain of a sum of elements of chains that begin with the same codes."""
    if node.length.any() or node.const.any() or not node.operands:
        return None
    if not all(
        operand.ref.node in chains and is_own(operand.ref, node.n_positions) and (operand.matrix.data == 1).all()
        for operand in node.operands
    ):
        return None
    parts = [(operand.matrix, chains[operand.ref.node]) for operand in node.operands]
    first = parts[0][1]
    if any((chain.ref, chain.low, chain.high) != (first.ref, first.low, first.high) for _, chain in parts):
        return None
    matrix = parts[0][0] @ first.matrix
    for rows, chain in parts[1:]:
        matrix = matrix + rows @ chain.matrix
    const = np.sum([rows @ chain.const for rows, chain in parts], axis=0)
    return replace(
        first,
        matrix=csr_array(matrix),
        const=const,
        error=np.sum([rows @ chain.error for rows, chain in parts], axis=0),
    )


def is_exact(quantizer: Quantizer, chain: Chain) -> bool:
    """Tell whether a quantizer has the same code for a float32 sum and for the exact one.

    In units of a code the exact argument is ``step * j + start`` with a whole number j.
    """
    line = affine_of(quantizer.inner)
    weights = np.unique(chain.matrix.data)
    if line is None or len(weights) != 1:
        return False
    count = quantizer.inner.fold(lambda term, counts: sum(counts) + (term.op == "float32"))
    step = float(weights[0]) * line[0]
    taps = np.diff(chain.matrix.indptr)
    largest = max(abs(quantizer.low), abs(quantizer.high)) + 1
    own = (line[0] * chain.error + count * UNIT * largest) * SLACK + 1e-9
    for number, const, error in {
        (int(a), float(b), float(c)) for a, b, c in zip(taps, chain.const * line[0] + line[1], own, strict=True)
    }:
        low, high = int(chain.low) * number, int(chain.high) * number
        if high - low > MOST_MULTIPLES:
            return False
        values = np.arange(low, high + 1) * step + const
        near = np.abs(values - np.floor(values) - 0.5) <= error
        if (near & (values > quantizer.low - 1) & (values < quantizer.high + 1)).any():
            return False
    return True
