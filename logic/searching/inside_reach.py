"""Which values of a network reach its decision, and on which positions of a word each may depend, at one length.

Both are read off the graph: a value reaches the decision if a chain of weights that are not zero leads there, and may depend on a
position if such a chain comes from its letter. What the numbers do on words is another question (`inside_tables`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.network import (
    Affine,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Predicates,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
)
from circuits.positions import Guard, Ref, grid, holds

Truth = np.ndarray[Any, np.dtype[np.bool_]]


def shape_of(node: Node, n: int) -> tuple[int, ...]:
    """The axes of a node's value for one word of length n."""
    return (*(n,) * node.n_positions, node.size)


class Places:
    """Where the cells of a reader stand in what it reads."""

    def __init__(self, ref: Ref, n: int, variables: int) -> None:
        self.shape = (n,) * variables
        found = [np.broadcast_to(np.asarray(term.evaluate(n, grid(n, variables))), self.shape) for term in ref.at]
        self.inside = np.ones(self.shape, dtype=bool)
        for one in found:
            self.inside &= (one >= 1) & (one <= n)
        self.index = tuple(np.clip(one, 1, n) - 1 for one in found)

    def gather(self, source: Any) -> Any:
        """What the reader's cells read; nothing outside of the word."""
        if not self.index:
            return np.broadcast_to(source, (*self.shape, *source.shape))
        found = source[self.index]
        return found & self.inside.reshape(*self.shape, *(1,) * (found.ndim - len(self.shape)))

    def scatter(self, onto: Truth, rows: Truth) -> None:
        """Mark what the reader's cells read."""
        rows = rows & self.inside[..., None]
        if self.index:
            np.logical_or.at(onto, self.index, rows)
        else:
            onto |= rows.any(axis=tuple(range(len(self.shape))))


def linked(matrix: Any, rows: Truth) -> Truth:
    """The columns that some of the rows have weights in: ``(.., rows)`` to ``(.., columns)``."""
    flat = rows.reshape(-1, rows.shape[-1])
    found: Truth = np.asarray((abs(matrix).T @ flat.T.astype(np.int64)).T != 0).reshape(
        *rows.shape[:-1], matrix.shape[1]
    )
    return found


def reaching(network: Network, n: int) -> dict[str, Truth]:
    """For each node, which of its values reach the decision: arrays ``(n, .., n, size)``."""
    needed = {node.name: np.zeros(shape_of(node, n), dtype=bool) for node in network.nodes}
    decided = network.decided
    needed[decided.decision][...] = True
    for node in reversed(network.nodes):
        rows = needed[node.name]
        for ref, part in read_by(node, rows, n):
            Places(ref, n, part.ndim - 1).scatter(needed[ref.node][..., : part.shape[-1]], part)
    return needed


def read_by(node: Node, rows: Truth, n: int) -> list[tuple[Ref, Truth]]:
    """What the chosen values of a node read of each operand, over the reader's variables."""
    k = node.n_positions
    match node:
        case Letters() | Inputs() | Predicates():
            return []
        case Affine(operands=operands):
            return [(one.ref, linked(one.matrix, rows)) for one in operands]
        case Product(left=left, left_index=left_index, right=right, right_index=right_index):
            return [(left, chosen(rows, left_index)), (right, chosen(rows, right_index))]
        case Sum(operand=operand, guard=guard):
            return [(operand, bound(rows, guard, n, k))]
        case Round(operand=operand) | Table(operand=operand) | Function(operand=operand):
            return [(operand, rows)]
        case Quotient(num=num, den=den, den_index=den_index):
            return [(num, rows), (den, chosen(rows, den_index))]
        case Maximum(operand=operand, groups=groups, guard=guard, segments=segments):
            over = rows if guard is None else bound(rows, guard, n, k)
            return [(operand, grouped(over, groups)), *((ref, grouped(rows, index)) for ref, index in segments)]


def bound(rows: Truth, guard: Guard, n: int, k: int) -> Truth:
    """Rows of a node that ranges over y, with an axis for y."""
    allowed = np.broadcast_to(holds(guard, n, grid(n, k + 1)), (n,) * (k + 1))
    return np.asarray(rows[..., None, :] & allowed[..., None])


def chosen(rows: Truth, index: Any) -> Truth:
    """The elements that an index chooses, for rows."""
    found = np.zeros((*rows.shape[:-1], int(index.max(initial=0)) + 1), dtype=bool)
    np.logical_or.at(found, places_of(found, index), rows)
    return found


def grouped(rows: Truth, groups: Any) -> Truth:
    """The elements that stand in the groups of rows."""
    found = np.zeros((*rows.shape[:-1], int(groups.max(initial=0)) + 1), dtype=bool)
    for column in groups.T:
        np.logical_or.at(found, places_of(found, column), rows)
    return found


def places_of(found: Truth, index: Any) -> Any:
    """The places of elements in an array whose last axis they are."""
    return (..., index)


def positions_of(network: Network, n: int) -> dict[str, Truth]:
    """For each node, on which positions each of its values may depend: arrays ``(n, .., n, size, n)``."""
    known: dict[str, Truth] = {}
    for node in network.nodes:
        found = depends(node, known, n)
        known[node.name] = np.broadcast_to(found, (*shape_of(node, n), n))
    return known


def depends(node: Node, known: dict[str, Truth], n: int) -> Truth:
    """The same for one node, given those before it."""
    k = node.n_positions

    def read(ref: Ref, variables: int = k) -> Truth:
        return np.asarray(Places(ref, n, variables).gather(known[ref.node]))

    match node:
        case Letters(size=size):
            return np.broadcast_to(np.eye(n, dtype=bool)[:, None, :], (n, size, n))
        case Inputs() | Predicates():
            return np.zeros((*shape_of(node, n), n), dtype=bool)
        case Affine(operands=operands):
            total = np.zeros((*shape_of(node, n), n), dtype=bool)
            for one in operands:
                total |= np.swapaxes(linked(one.matrix.T, np.swapaxes(read(one.ref), -1, -2)), -1, -2)
            return total
        case Product(left=left, left_index=left_index, right=right, right_index=right_index):
            return np.asarray(read(left)[..., left_index, :] | read(right)[..., right_index, :])
        case Sum(operand=operand, guard=guard):
            return over_bound(read(operand, k + 1), guard, n, k)
        case Round(operand=operand) | Table(operand=operand) | Function(operand=operand):
            return read(operand)
        case Quotient(num=num, den=den, den_index=den_index):
            return np.asarray(read(num) | read(den)[..., den_index, :])
        case Maximum(operand=operand, groups=groups, guard=guard, segments=segments):
            parts = [read(ref)[..., index, :].any(axis=-2) for ref, index in segments]
            candidates = np.asarray(read(operand, k if guard is None else k + 1)[..., groups, :].any(axis=-2))
            parts.append(candidates if guard is None else over_bound(candidates, guard, n, k))
            return np.asarray(np.logical_or.reduce(np.broadcast_arrays(*parts)))


def over_bound(values: Truth, guard: Guard, n: int, k: int) -> Truth:
    """What is true at some y with the guard."""
    allowed = np.broadcast_to(holds(guard, n, grid(n, k + 1)), (n,) * (k + 1))
    return np.asarray((values & allowed[..., None, None]).any(axis=k))
