"""Attention at one length: the share of each position in what a head reads, as an array over words.

Where the length of the words is fixed, attention may have been written out: a quotient of sums over elements, with no position
variable left. Such a head is found by its denominator, a sum of weights; which position each weight belongs to is told by the
letters that it may depend on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.evaluate import evaluate
from circuits.network import Affine, Exact, Function, Maximum, Network, Quotient, Round, Table
from logic.searching.inside_heads import attention, heads
from logic.searching.inside_reach import Truth, linked

Integers = np.ndarray[Any, np.dtype[np.int64]]
Reals = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Shares:
    """What a head reads at one position, on some words.

    Attributes:
        name: the quotient of the head, with a number if it has several.
        query: the position that attends, from 1; 0 if it is not known.
        keys: what is read: positions, or numbers of weights where their positions are not known.
        values: the shares ``(B, keys)``.
        node: the node of the weights.
    """

    name: str
    query: int
    keys: tuple[str, ...]
    values: Reals
    node: str


def all_shares(
    network: Network, words: Integers, needed: Mapping[str, Truth], depends: Mapping[str, Truth]
) -> list[Shares]:
    """The heads that reach the decision, on words of one length ``(B, n)``."""
    n = words.shape[1]
    found: list[Shares] = []
    for head in heads(network):
        if head.weights is None:
            continue
        weights, _ = attention(network, head, words)
        for x in np.flatnonzero(needed[head.node][:, list(head.elements)].any(axis=1)).tolist():
            keys = tuple(f"position {y + 1}" for y in range(n))
            found.append(Shares(head.name, x + 1, keys, divided(weights[:, x]), head.weights[0]))
    for node in network.nodes:
        if isinstance(node, Quotient) and node.n_positions == 0:
            found += folded(network, node, words, needed, depends)
    return found


def divided(weights: Integers) -> Reals:
    """Weights as shares of their sum."""
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1))


def folded(
    network: Network, node: Quotient, words: Integers, needed: Mapping[str, Truth], depends: Mapping[str, Truth]
) -> list[Shares]:
    """The heads of a quotient without positions."""
    bottom = network.by_name[node.den.node]
    if not isinstance(bottom, Affine) or bottom.n_positions or len(bottom.operands) != 1 or bottom.const.any():
        return []
    operand = bottom.operands[0]
    source = network.by_name[operand.ref.node]
    if isinstance(source, Exact) or source.n_positions:
        return []
    rows = np.unique(node.den_index[needed[node.name]])
    if not len(rows):
        return []
    weights = evaluate(network, words, [source.name])[source.name]
    found: list[Shares] = []
    for number, row in enumerate(rows.tolist()):
        start, end = operand.matrix.indptr[row], operand.matrix.indptr[row + 1]
        elements, factors = operand.matrix.indices[start:end].astype(np.int64), operand.matrix.data[start:end]
        if not len(elements) or (factors != factors[0]).any() or factors[0] < 1:
            continue
        query, keys = places(joined_positions(network, source.name, elements, depends))
        name = node.name if len(rows) == 1 else f"{node.name}.{number}"
        found.append(Shares(name, query, keys, divided(weights[:, elements]), source.name))
    return found


def joined_positions(network: Network, name: str, elements: Integers, depends: Mapping[str, Truth]) -> Truth:
    """On which positions ``(elements, n)`` weights may depend, before the largest of all scores is subtracted."""
    node = network.by_name[name]
    while isinstance(node, Table | Function | Round):
        node = network.by_name[node.operand.node]
    if isinstance(node, Affine):
        kept = [one for one in node.operands if not isinstance(network.by_name[one.ref.node], Maximum)]
        if kept and len(kept) < len(node.operands):
            found = np.zeros((len(elements), depends[name].shape[-1]), dtype=bool)
            for one in kept:
                found |= linked(one.matrix[elements].T, depends[one.ref.node].T).T
            return found
    return np.asarray(depends[name][elements])


def places(depends: Truth) -> tuple[int, tuple[str, ...]]:
    """The position that attends, and those read, from the positions ``(keys, n)`` that the weights may depend on.

    A weight depends on the two positions that it joins, so the one that attends is common to all.
    """
    common = np.flatnonzero(depends.all(axis=0))
    count = len(depends)
    if len(common) == 1:
        query = int(common[0])
        others = [np.flatnonzero(row & (np.arange(len(row)) != query)) for row in depends]
        if all(len(one) <= 1 for one in others):
            keys = [int(one[0]) if len(one) else query for one in others]
            if len(set(keys)) == count:
                return query + 1, tuple(f"position {key + 1}" for key in keys)
    return 0, tuple(f"weight {number + 1}" for number in range(count))
