"""A network as a graph small enough to be drawn: runs of nodes that are neighbours and share a prefix of their names.

A group is an interval of the topological order, so no cycle can arise between groups.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from circuits.network import Exact, Letters, Maximum, Network, Node, Predicates, references

MOST_DRAWN = 150


@dataclass(frozen=True, slots=True)
class Group:
    """Some neighbouring nodes, drawn as one box.

    Attributes:
        reads: the numbers of the groups that it reads, itself left out.
    """

    name: str
    nodes: tuple[Node, ...]
    reads: tuple[int, ...]

    @property
    def roundings(self) -> int:
        """How many of its nodes round."""
        return sum(rounds(node) for node in self.nodes)


def rounds(node: Node) -> bool:
    """Whether a node is a rounding point: numbers read are rounded, too; a maximum takes words as they are."""
    return not isinstance(node, Exact | Letters | Predicates | Maximum)


def groups_of(network: Network, most: int = MOST_DRAWN) -> list[Group]:
    """The nodes, in groups if there are more than `most`: by the longest prefixes that make few enough, else by equal runs."""
    nodes = network.nodes
    if len(nodes) <= most:
        return connected([(node.name, [node]) for node in nodes])
    for n_parts in range(max(node.name.count(".") for node in nodes), 0, -1):
        runs = prefix_runs(nodes, n_parts)
        if len(runs) <= most:
            return connected(runs)
    size = math.ceil(len(nodes) / most)
    chunks = [list(nodes[start : start + size]) for start in range(0, len(nodes), size)]
    return connected([(name_of(chunk), chunk) for chunk in chunks])


def name_of(run: Sequence[Node]) -> str:
    """The names of the first and the last of some nodes."""
    return run[0].name if len(run) == 1 else f"{run[0].name} … {run[-1].name}"


def prefix_runs(nodes: Sequence[Node], n_parts: int) -> list[tuple[str, list[Node]]]:
    """Neighbouring nodes that share the first parts of their names."""
    runs = groupby(nodes, lambda node: ".".join(node.name.split(".")[:n_parts]))
    return [(prefix, list(run)) for prefix, run in runs]


def connected(runs: Sequence[tuple[str, list[Node]]]) -> list[Group]:
    """Groups with the groups they read."""
    place = {node.name: number for number, (_, run) in enumerate(runs) for node in run}
    found = []
    for number, (name, run) in enumerate(runs):
        reads = {place[ref.node] for node in run for ref, _ in references(node)}
        found.append(Group(name, tuple(run), tuple(sorted(reads - {number}))))
    return found
