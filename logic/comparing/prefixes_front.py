"""What a causal network computes when one more letter is read, as a network of its own.

Let a word have m letters. A `Front` is the network that computes what the last position adds, from the letter there and from
what earlier positions left. A position variable is either *pinned* to m or *ranges* over 1..m, and a node becomes one node for
each way in which it is read: pinned variables vanish, so that values at the last position have no positions, and scores
between it and all others have one. What earlier positions left comes in three forms:

* **totals**: a sum, or maximum, over y <= x (or y < x, or all y for an answer) of something that depends on y alone is kept
  as one running value;
* **rows**: any other value at one position that is read at a ranging variable is kept for every position;
* **numbers**: a value read at one position, so many before the last or at a fixed place, is kept by itself.

Rows that are read together are a group. If nothing tells one earlier position from another - guards say y <= x, y < x or
nothing - a group is a multiset, and else a list.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, assert_never

import numpy as np

from circuits import matrices
from circuits.formats import Format
from circuits.network import (
    Affine,
    Domain,
    Exact,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Operand,
    Predicates,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
    references,
)
from circuits.positions import LAST, AtLeast, Ref, conjunction, holds, substitute, var
from circuits.ranges import Range, ranges
from logic.comparing.prefixes_reading import (
    LISTED,
    PINNED,
    Fixed,
    Key,
    Moved,
    Offset,
    Places,
    Running,
    name_of,
    ranging,
    read_by,
    reading,
    running,
    tells_apart,
)

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class Front:
    """The network of the last position, and where what is kept comes from.

    Attributes:
        network: without readout, over inputs (the last letter and numbers kept) and rows, written as `Letters`.
        letter: the input that is the last letter; "" if nothing reads it.
        rows: for each node of which rows are kept, the node that computes the newest one.
        groups: the rows that are kept together, and whether as a list.
        kept: for each number kept, the node that computes the next one.
        fixed: for each number kept at a fixed position, that position.
        starts: for each total, its value before the first letter; all other numbers start with 0.
        decision: the node of the answer.
    """

    network: Network
    letter: str = ""
    rows: dict[str, str] = field(default_factory=dict)
    groups: tuple[tuple[tuple[str, ...], bool], ...] = ()
    kept: dict[str, str] = field(default_factory=dict)
    fixed: dict[str, int] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    decision: str = ""

    def needed(self, wanted: set[str]) -> Network:
        """The part of the network that computes some of its nodes."""
        found = set(wanted)
        kept = []
        for node in reversed(self.network.nodes):
            if node.name in found:
                found.update(ref.node for ref, _ in references(node))
                if node.name in self.rows:
                    found.add(self.rows[node.name])
                kept.append(node)
        return Network(tuple(reversed(kept)), None, self.network.domain, ())

    def serves(self, m: int) -> bool:
        """Tell whether the network is the same for position m: it reads no position, no length and no rows."""
        for node in self.network.nodes:
            match node:
                case Letters() | Predicates() | Sum():
                    return False
                case Affine(length=length) if length.any():
                    return False
                case Maximum(guard=guard) if guard is not None:
                    return False
        return m not in self.fixed.values()


def front(network: Network, m: int, longest: int) -> Front:
    """The network of position m of a causal network that decides something, with formats for words of a longest length."""
    return Building(network, m, longest).made


def keys_needed(network: Network) -> dict[str, list[Key]]:
    """The ways in which each node is read, by the answer and all that it needs; for the last position alone first."""
    readout = network.decided
    pinned: dict[str, Key] = {node.name: (node.name, (PINNED,) * node.n_positions) for node in network.nodes}
    found: dict[str, dict[Key, None]] = {name: {} for name in network.by_name}
    found[readout.decision][pinned[readout.decision]] = None
    for node in reversed(network.nodes):
        pending = list(found[node.name])
        while pending:
            for key in needs(network, node, pending.pop()):
                if key not in found[key[0]]:
                    found[key[0]][key] = None
                    if key[0] == node.name:
                        pending.append(key)
    return {name: sorted(keys, key=lambda key: key != pinned[name]) for name, keys in found.items()}


def needs(network: Network, node: Node, key: Key) -> list[Key]:
    """What one way of reading a node reads."""
    name, way = key
    match way:
        case Moved():
            return []
        case Offset(distance):
            return [(name, Offset(distance - 1)) if distance > 1 else (name, (PINNED,))]
        case Fixed() | (0,):
            return [(name, (PINNED,))]
        case _:
            return [reading(network, ref, inner)[0] for ref, inner in read_by(node, way)]


class Building:
    """A front in the making."""

    def __init__(self, network: Network, m: int, longest: int) -> None:
        self.source, self.m = network, m
        self.ranges: dict[str, Range] = ranges(network, longest)
        self.nodes: list[Node] = []
        self.names: dict[Key, str] = {}
        self.together: dict[str, frozenset[str]] = {}
        self.sets: list[frozenset[str]] = []
        self.made = Front(network)
        keys = keys_needed(network)
        for node in network.nodes:
            for key in keys[node.name]:
                self.names[key] = self.build(node, key, name_of(key))
        readout = network.decided
        self.made.decision = self.names[(readout.decision, (PINNED,) * readout.n_positions)]
        self.made.network = Network(tuple(self.nodes), None, Domain(), ())
        self.made.groups = self.grouped()

    def grouped(self) -> tuple[tuple[tuple[str, ...], bool], ...]:
        """The rows in groups: what is read together anywhere is in one."""
        groups: list[frozenset[str]] = [frozenset([name]) for name in self.made.rows]
        for found in self.sets:
            touched = [group for group in groups if group & found]
            groups = [group for group in groups if not group & found] + [found.union(*touched)]
        kept = [(tuple(name for name in self.made.rows if name in group), LISTED in group) for group in groups]
        return tuple(sorted(one for one in kept if one[0]))

    def add(self, node: Node) -> str:
        """Add a node."""
        self.nodes.append(node)
        return node.name

    def format_of(self, node: Node) -> Format:
        """A format that holds all values of a node, and 0."""
        if not isinstance(node, Exact):
            return node.format
        low, high = self.ranges[node.name]
        least, most = min(int(low.min()), 0), max(int(high.max()), 0)
        return Format(max(1, (most - least).bit_length()), least, node.frac)

    def build(self, node: Node, key: Key, name: str) -> str:
        """Add one way of reading a node; return what to read."""
        made, (_, way) = self.made, key
        match way:
            case Offset(distance):
                earlier: Key = (node.name, Offset(distance - 1)) if distance > 1 else (node.name, (PINNED,))
                made.kept[name] = self.names.get(earlier, name_of(earlier))
                return self.add(Inputs(name, node.size, self.format_of(node)))
            case Fixed(position):
                current = self.names[(node.name, (PINNED,))]
                made.kept[name], made.fixed[name] = current, position
                self.add(Inputs(name, node.size, self.format_of(node)))
                return current if position == self.m else name
            case Moved(at, n_positions) if isinstance(node, Predicates):
                inside = conjunction(*(AtLeast(end) for term in at for end in (term - 1, LAST - term)))
                guards = tuple(conjunction(inside, substitute(guard, at)) for guard in node.guards)
                self.together[name] = frozenset([LISTED] if n_positions else ())
                return self.add(Predicates(name, n_positions, guards, node.format))
            case (0,):
                made.rows[name] = self.names[(node.name, (PINNED,))]
                self.together[name] = frozenset([name])
                return self.add(Letters(name, node.size, format=self.format_of(node)))
            case tuple():
                return self.instance(node, way, name)
            case _:
                raise TypeError(f"`{node.name}` is read in no way that there is")

    def refs(self, node: Node, places: Places) -> list[Ref]:
        """The references of a node, moved; what they read together is noted."""
        refs: list[Ref] = []
        together: set[str] = set()
        for ref, inner in read_by(node, places):
            key, moved, apart = reading(self.source, ref, inner)
            name = self.names[key]
            refs.append(Ref(name, moved.at))
            together |= self.together.get(name, frozenset())
            if apart:
                together.add(LISTED)
        guard = node.guard if isinstance(node, Sum | Maximum) and running(node) is None else None
        if guard is not None and tells_apart(guard, (*places, ranging(places))):
            together.add(LISTED)
        if isinstance(node, Predicates) and ranging(places):
            together.add(LISTED)
        self.sets.append(frozenset(together))
        self.together[self.name] = frozenset(together) if ranging(places) else frozenset()
        return refs

    def instance(self, node: Node, places: Places, name: str) -> str:
        """Add a node at pinned and ranging positions."""
        self.name = name
        k, at = ranging(places), [LAST if place == PINNED else var(place) for place in places]
        refs = self.refs(node, places)
        runs = running(node)
        match node:
            case Letters():
                self.made.letter = name
                return self.add(Inputs(name, node.size, node.format))
            case Inputs():
                raise TypeError("a network that reads words has no fixed-size inputs")
            case Predicates():
                return self.add(Predicates(name, k, tuple(substitute(one, at) for one in node.guards), node.format))
            case Affine():
                operands = tuple(Operand(ref, one.matrix) for ref, one in zip(refs, node.operands, strict=True))
                return self.add(replace(node, name=name, n_positions=k, operands=operands))
            case Product():
                return self.add(replace(node, name=name, n_positions=k, left=refs[0], right=refs[1]))
            case Round() | Table() | Function():
                return self.add(replace(node, name=name, n_positions=k, operand=refs[0]))
            case Quotient():
                return self.add(replace(node, name=name, n_positions=k, num=refs[0], den=refs[1]))
            case Sum():
                if runs is not None:
                    return self.running_sum(node, runs, refs[0], name)
                guard = substitute(node.guard, [*at, var(k)])
                return self.add(replace(node, name=name, n_positions=k, operand=refs[0], guard=guard))
            case Maximum():
                segments = tuple((ref, groups) for ref, (_, groups) in zip(refs[1:], node.segments, strict=True))
                if runs is not None:
                    return self.running_maximum(node, runs, refs[0], segments, name)
                bound = None if node.guard is None else substitute(node.guard, [*at, var(k)])
                made = replace(node, name=name, n_positions=k, operand=refs[0], guard=bound, segments=segments)
                return self.add(made)
            case _:
                assert_never(node)

    def before(self, node: Sum | Maximum, name: str, start: int) -> str:
        """Add the running value before the last position."""
        given = f"{name}:before"
        self.made.starts[given] = start
        return self.add(Inputs(given, node.size, self.format_of(node)))

    def counts_last(self, node: Node, runs: Running) -> bool:
        """Tell whether the last position takes part in a running value."""
        places = [self.m] * (node.n_positions + 1)
        return bool(holds(runs.condition, self.m, places))

    def running_sum(self, node: Sum, runs: Running, operand: Ref, name: str) -> str:
        """Add a running sum."""
        before = self.before(node, name, 0)
        one = matrices.identity(node.size)
        read = [Operand(Ref(before), one)]
        if self.counts_last(node, runs):
            read.append(Operand(operand, one))
        none = np.zeros(node.size, dtype=np.int64)
        total = self.add(Affine(f"{name}:total", 0, node.size, tuple(read), none, none, node.frac))
        self.made.kept[before] = total
        return before if runs.strict else total

    def running_maximum(
        self, node: Maximum, runs: Running, operand: Ref, segments: tuple[tuple[Ref, Integers], ...], name: str
    ) -> str:
        """Add a running maximum, and the segments to what is read of it."""
        before = self.before(node, name, node.format.lo)
        own = np.arange(node.size)[:, None]
        newest = ((operand, node.groups),) if self.counts_last(node, runs) else ()
        total = self.add(Maximum(f"{name}:total", 0, node.size, Ref(before), own, None, newest, node.format))
        self.made.kept[before] = total
        read = before if runs.strict else total
        return self.add(Maximum(name, 0, node.size, Ref(read), own, None, segments, node.format)) if segments else read
