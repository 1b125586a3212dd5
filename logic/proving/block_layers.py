"""Reading blocks: layers of gates as matrices, and formulas for their gates.

What is proved of a block is proved of the arrays of its network, which `logic.proving.network_circuit` compares with the
family's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.formats import BIT
from circuits.matrices import Matrix
from circuits.network import Affine, Network, Table
from logic.proving.linear import Unfit
from logic.proving.session import Session
from logic.smt.lemmas import Build, Countermodel, Formula, Manager, integer, weighted

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Gates of one node: gate i fires iff the rows i of `weights`, by source, add up to ``thresholds[i]``; or sums, less it."""

    weights: dict[str, Matrix]
    thresholds: Integers

    def only(self, *sources: str) -> list[Matrix]:
        """The weights of the given sources, which must be all.

        Raises:
            Unfit: the layer reads others.
        """
        if set(self.weights) != set(sources):
            raise Unfit(f"it reads {', '.join(self.weights)}, not {', '.join(sources)}")
        return [self.weights[source] for source in sources]

    def row(self, row: int) -> dict[str, tuple[list[int], list[int]]]:
        """The columns and weights of one row, by source."""
        found = {}
        for source, weights in self.weights.items():
            first, last = weights.indptr[row], weights.indptr[row + 1]
            found[source] = weights.indices[first:last].tolist(), weights.data[first:last].tolist()
        return found


def sums(network: Network, name: str) -> Layer:
    """The sums of an affine node; thresholds are its constants, negated.

    Raises:
        Unfit: it is another kind of node.
    """
    node = network.by_name.get(name)
    if not isinstance(node, Affine) or node.length.any():
        raise Unfit(f"`{name}` is no sum")
    weights: dict[str, Matrix] = {}
    for operand in node.operands:
        if operand.ref.node in weights:
            raise Unfit(f"`{name}` reads `{operand.ref.node}` twice")
        weights[operand.ref.node] = operand.matrix
    return Layer(weights, -node.const)


def layer(network: Network, name: str) -> Layer:
    """The gates of a node.

    Raises:
        Unfit: it is no node of gates over one sum each.
    """
    node = network.by_name.get(name)
    if not isinstance(node, Table) or node.format != BIT or node.codes.tolist() != [0, 1]:
        raise Unfit(f"`{name}` is no layer of gates")
    found = sums(network, node.operand.node)
    return Layer(found.weights, found.thresholds + node.breaks[0])


def fires(manager: Manager, gates: Layer, row: int, symbols: Mapping[str, Any]) -> Formula:
    """The gate: its weighted symbols, ``symbols[source][column]``, reach its threshold."""
    terms = [
        (weight, symbols[source][column])
        for source, (columns, weights) in gates.row(row).items()
        for column, weight in zip(columns, weights, strict=True)
    ]
    return manager.GE(weighted(manager, terms), manager.Int(int(gates.thresholds[row])))


def bits(manager: Manager, name: str, count: int) -> tuple[list[Formula], Formula]:
    """Integer symbols for bits, lowest first, and that they are 0 or 1.

    Sums of many bits stay linear in them, so that the solver sees a sum that stands on both sides as one.
    """
    symbols = [integer(manager, f"{name}{bit}") for bit in range(count)]
    zero, one = manager.Int(0), manager.Int(1)
    return symbols, manager.And([manager.And(manager.GE(bit, zero), manager.LE(bit, one)) for bit in symbols])


def spelled(manager: Manager, given: Sequence[Formula]) -> Formula:
    """The number that bits spell."""
    return weighted(manager, [(1 << bit, symbol) for bit, symbol in enumerate(given)])


def ask(session: Session, statement: str, build: Build) -> None:
    """Prove a claim and record it, or what speaks against it."""
    answer, lemma = session.solve(statement, build)
    if lemma is not None:
        session.add(lemma.statement, lemma.method, 1, lemma.seconds)
    elif isinstance(answer, Countermodel):
        values = ", ".join(f"{name} = {value}" for name, value in answer.values.items())
        session.trouble(f"not so: {statement}; {values}")
    else:
        session.trouble(f"not decided: {statement}")


def require(condition: bool, message: str) -> None:
    """Stop where the arrays of a block are not what the argument is about.

    Raises:
        Unfit: the condition is false.
    """
    if not condition:
        raise Unfit(message)
