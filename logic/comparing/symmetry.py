"""Symmetry: which networks depend on how often a letter stands in a class of positions, and on nothing else.

A network whose guards and references are decided by the classes of a layout (`logic.comparing.cells_layouts`) is a function
of the number of positions of each type: without positions and masks, of the number of each letter. A causal network of one
attention layer is symmetric, too: the positions before x are a class, and y <= x holds in all of it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.network import Affine, Exact, Function, Network, Node, Product, Sum, guards_of, references
from circuits.positions import Guard, Ref, Term, format_term
from logic.comparing.cells_layouts import (
    OUTSIDE,
    UNKNOWN,
    Layout,
    Needs,
    NotSymmetric,
    all_needs,
    needs_of_guard,
    needs_of_term,
    require_few,
    spelled,
)

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]


def needs_of_network(network: Network) -> Needs:
    """What the guards and references of a network tell apart.

    Raises:
        NotSymmetric: too many positions, or too long a period.
    """
    total = Needs()
    for node in network.nodes:
        here = all_needs(needs_of_guard(guard) for guard, _ in guards_of(node))
        here |= all_needs(needs_of_term(term) for ref, _ in references(node) for term in ref.at)
        require_few(here, f"`{node.name}`")
        total |= here
    require_few(total, "the network")
    return total


@dataclass(frozen=True)
class Reading:
    """A reference in a layout: for each term the reader's variable that it is, or else the class read for each reader."""

    variables: tuple[int | None, ...]
    places: tuple[Integers | None, ...]


@dataclass(frozen=True)
class Symmetry:
    """A network in a layout: what is needed of each node, and what guards and references are for classes.

    Attributes:
        needed: by node, for which classes of its positions its value takes part in the decision: ``(C,) * k``.
        holding: by node, where its guards hold, over its positions and the bound one: ``(C,) * (k + 1)`` for each guard.
        readings: by node and reference.
        counting: the exact nodes whose values depend on counts.
    """

    layout: Layout
    needed: dict[str, Truth]
    holding: dict[str, tuple[Truth, ...]]
    readings: dict[tuple[str, Ref], Reading]
    counting: frozenset[str]


def symmetry(network: Network, where: Layout) -> Symmetry:
    """Find out that the network's answer is a function of how many positions there are of each type.

    Raises:
        NotSymmetric: naming the first node, from the readout on, that depends on more.
    """
    return _Analysis(network, where).run()


class _Analysis:
    def __init__(self, network: Network, where: Layout) -> None:
        self.network, self.layout, self.n_classes = network, where, len(where.classes)
        self.needed = {node.name: np.zeros((self.n_classes,) * node.n_positions, bool) for node in network.nodes}
        self.holding: dict[str, tuple[Truth, ...]] = {}
        self.readings: dict[tuple[str, Ref], Reading] = {}

    def run(self) -> Symmetry:
        readout = self.network.decided
        self.needed[readout.decision][() if readout.n_positions == 0 else (self.layout.here,)] = True
        for node in reversed(self.network.nodes):
            if self.needed[node.name].any():
                self.visit(node)
        return Symmetry(self.layout, self.needed, self.holding, self.readings, self.counting())

    def visit(self, node: Node) -> None:
        """Pass on what is needed of a node to the nodes it reads."""
        needed = self.needed[node.name]
        self.holding[node.name] = tuple(self.guard(node, guard, bound, needed) for guard, bound in guards_of(node))
        for ref, bound in references(node):
            wanted = needed
            if bound:
                wanted = self.holding[node.name][0] & needed[..., None]
            self.readings[node.name, ref] = self.read(node, ref, wanted)

    def guard(self, node: Node, guard: Guard, bound: int, needed: Truth) -> Truth:
        """Where a guard holds, decided wherever the node is needed."""
        found = np.zeros((self.n_classes,) * (node.n_positions + bound), bool)
        for classes in itertools.product(range(self.n_classes), repeat=found.ndim):
            if needed[classes[: node.n_positions]]:
                truth = self.layout.truth(guard, classes)
                if truth is None:
                    raise NotSymmetric(f"`{node.name}` tells positions apart: {spelled(guard)}")
                found[classes] = truth
        return found

    def read(self, node: Node, ref: Ref, wanted: Truth) -> Reading:
        """The classes that a reference reads, which are needed then."""
        variables = tuple(plain_variable(term) for term in ref.at)
        places: list[Integers | None] = []
        for term, variable in zip(ref.at, variables, strict=True):
            if variable is not None:
                places.append(None)
                continue
            found = np.full(wanted.shape, UNKNOWN, dtype=np.int64)
            for classes in map(tuple, np.argwhere(wanted)):
                found[classes] = self.layout.place(term, classes)
                if found[classes] == UNKNOWN:
                    names = "xyzuvw"[: max(node.n_positions + 1, 1)]
                    raise NotSymmetric(f"`{node.name}` reads `{ref.node}` at {format_term(term, names)}")
            places.append(found)
        for classes in map(tuple, np.argwhere(wanted)):
            read = [
                classes[variable] if variable is not None else int(at[classes])  # type: ignore[index]
                for variable, at in zip(variables, places, strict=True)
            ]
            if OUTSIDE not in read:
                self.needed[ref.node][tuple(read)] = True
        return Reading(variables, tuple(places))

    def counting(self) -> frozenset[str]:
        """The exact nodes whose values depend on counts; nothing but sums of them is allowed before a rounding."""
        found: set[str] = set()
        for node in self.network.nodes:
            if not self.needed[node.name].any():
                continue
            reads = [ref.node for ref, _ in references(node) if ref.node in found]
            if reads and isinstance(node, Sum | Product | Function):
                does = {Sum: "adds up", Product: "multiplies", Function: "is a function, not a table, of"}[type(node)]
                raise NotSymmetric(f"`{node.name}` {does} `{reads[0]}`, which grows with the length of the word")
            if (
                isinstance(node, Sum)
                or (isinstance(node, Affine) and (reads or node.length.any()))
                or (isinstance(node, Exact) and reads)
            ):
                found.add(node.name)
        return frozenset(found)


def plain_variable(term: Term) -> int | None:
    """The variable that a term is, or None."""
    return term.coefs[0][0] if len(term.coefs) == 1 and term == Term(((term.coefs[0][0], 1),)) else None
