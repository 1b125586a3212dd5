"""Bounds of a static network on many boxes of input codes at once: intervals forward, linear bounds backward.

Every node gets an interval for each of its elements, from those of its sources: affine maps by centre and radius, step functions
by their exact range, products and quotients by their corners, maxima by the maxima. Then the argument of each step function that
is not settled is bounded again, where the network is not too wide for that: its sum is followed backwards to the inputs, a step
function being replaced by the line above or below it (`logic.boxes.steps`) that the sign of its coefficient asks for, a maximum
by its largest candidate, and what is left by its interval; at the inputs the linear function has its extreme in a corner. This is
the backward analysis of DeepPoly (Singh et al. 2019) and CROWN (Zhang et al., *Efficient Neural Network Robustness Certification
with General Activation Functions*, NeurIPS 2018), on a network whose roundings are part of the function.

Soundness: every bound holds for the exact integers of `circuits.evaluate` on every input in the box. Arithmetic is in float64,
and what it can lose is added outward (`logic.boxes.outward`). On an input where the network has no value, because a function is
not a number there or a denominator is not positive, nothing is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.evaluate import evaluate_node
from circuits.functions import table_of
from circuits.inputs import input_columns
from circuits.network import (
    Affine,
    Function,
    Inputs,
    Maximum,
    Network,
    Node,
    Predicates,
    Product,
    Quotient,
    Round,
    Table,
    Word,
    references,
)
from circuits.ranges import require_ranges
from logic.boxes import forward
from logic.boxes.backward import Backward
from logic.boxes.maps import AffineMap
from logic.boxes.outward import Integers, Reals, Span, floats_of, gamma, magnitude
from logic.boxes.steps import Lines, Rounding, Steps

MOST_WORK = 1 << 24  # multiplications for one box, about, shared equally among the step functions


@dataclass(slots=True, eq=False)
class Bounds:
    """What is known about the nodes on a batch of boxes."""

    spans: dict[str, Span] = field(default_factory=dict)
    lines: dict[str, Lines] = field(default_factory=dict)
    summands: dict[str, Reals] = field(default_factory=dict)
    linear: dict[str, forward.Linear] = field(default_factory=dict)
    ranges: dict[str, forward.Ranges] = field(default_factory=dict)


class Bounder:
    """Bounds the nodes on which `wanted` nodes depend.

    Raises:
        FomError: the network reads words, or has positions.
    """

    def __init__(self, network: Network, wanted: tuple[str, ...]) -> None:
        require_static(network)
        require_ranges(network, 1)
        self.network = network
        self.columns = input_columns(network.inputs)
        self.nodes = ancestors(network, wanted)
        self.maps: dict[str, AffineMap] = {}
        self.steps: dict[str, Rounding | Steps] = {}
        self.operands: dict[str, str] = {}
        for node in self.nodes:
            if isinstance(node, Affine):
                self.maps[node.name] = AffineMap.of(node)
            steps = steps_of(network, node)
            if steps is not None and isinstance(node, Round | Table | Function):
                self.steps[node.name], self.operands[node.name] = steps, node.operand.node
        self.backward = Backward(self.nodes, self.maps, self.operands, self.columns)
        others = [node for node in self.nodes if isinstance(node, Product | Quotient | Maximum | Function)]
        self.forward = self.backward.total <= forward.MOST_INPUTS and all(node.name in self.steps for node in others)
        """Whether linear functions are followed forward: few inputs, and lines around all that is not affine."""
        each = 0 if self.forward else MOST_WORK // max(1, len(self.steps))
        self.worth = {
            name for name, given in self.maps.items() if given.size * self.backward.cost[name] <= each and self._reads_steps(name)
        }  # fmt: skip

    def bounds(self, low: Integers, high: Integers) -> Bounds:
        """Bound every node on the boxes ``low <= codes <= high``, both of shape ``(B, total)``."""
        known = Bounds()
        for node in self.nodes:
            name = node.name
            if isinstance(node, Inputs):
                own = self.columns[name]
                known.spans[name] = (floats_of(low[:, own])[0], floats_of(high[:, own])[1])
                if self.forward:
                    known.linear[name] = forward.linear_of_input(known.spans[name], own.start, self.backward.total)
            elif name in self.maps:
                known.spans[name], known.summands[name] = self.maps[name].forward(known.spans, len(low))
                if self.forward:
                    self._follow_map(name, known)
            elif name in self.steps:
                self._bound_step(name, known)
            else:
                known.spans[name] = interval(node, known.spans, len(low))
                if self.forward:
                    known.linear[name] = forward.linear_of_interval(known.spans[name], self.backward.total)
        return known

    def _follow_map(self, name: str, known: Bounds) -> None:
        """Bound an affine node by linear functions of the inputs."""
        low, high = known.spans[name]
        known.linear[name], ranges = forward.through_map(
            self.maps[name], known.linear, (self.backward.total + 1, len(low))
        )
        known.spans[name] = (np.maximum(low, ranges[0][0]), np.minimum(high, ranges[1][1]))
        known.ranges[name] = ranges

    def _bound_step(self, name: str, known: Bounds) -> None:
        """Bound a step function, its argument a second time if that can help."""
        steps, operand = self.steps[name], self.operands[name]
        words = steps.words(known.spans[operand])
        lines, gap = steps.shape.lines(known.spans[operand], words)
        if operand in self.worth:
            least = steps.shape.below + steps.shape.above
            boxes, rows = np.nonzero(gap > 1.5 * least)
            if len(boxes):
                self._tighten(operand, boxes, rows, known)
                words = steps.words(known.spans[operand])
                lines, _ = steps.shape.lines(known.spans[operand], words)
        known.spans[name], known.lines[name] = words, lines
        if self.forward:
            given = known.linear[operand]
            ranges = known.ranges.get(operand) or (forward.range_of(given.low), forward.range_of(given.high))
            known.linear[name] = forward.through_steps(steps.shape, given, ranges, known.spans[operand], words)

    def _tighten(self, name: str, boxes: Integers, rows: Integers, known: Bounds) -> None:
        """Bound some elements of an affine node on some boxes backwards."""
        low, high = (bound.copy() for bound in known.spans[name])
        above, _ = self.backward.of_rows(name, boxes, rows, 1.0, known)
        below, _ = self.backward.of_rows(name, boxes, rows, -1.0, known)
        high[boxes, rows] = np.minimum(high[boxes, rows], np.floor(above))
        low[boxes, rows] = np.maximum(low[boxes, rows], np.ceil(-below))
        known.spans[name] = (low, high)

    def _reads_steps(self, name: str) -> bool:
        """Tell whether an affine node depends on more than inputs, so that its interval may be too wide."""
        sources = [source for source, _ in self.maps[name].operands]
        return any(
            self._reads_steps(source) if source in self.maps else not isinstance(self.network.by_name[source], Inputs)
            for source in sources
        )


def require_static(network: Network) -> None:
    """Refuse a network that reads a word, or computes something at positions.

    Raises:
        FomError: naming the node.
    """
    if not network.inputs:
        raise fail(
            "L098",
            "boxes of input codes are decided for networks of fixed-size inputs, and this one reads a word",
            help="state the property as a sentence: `fom verify --spec`",
        )
    for node in network.nodes:
        guarded = isinstance(node, Maximum) and node.guard is not None
        if node.n_positions or guarded or any(ref.at for ref, _ in references(node)):
            raise fail("L098", "boxes are decided for networks without positions", where=f"node `{node.name}`")


def ancestors(network: Network, wanted: tuple[str, ...]) -> tuple[Node, ...]:
    """The nodes on which some nodes depend, themselves included, in order."""
    needed = set(wanted)
    for node in reversed(network.nodes):
        if node.name in needed:
            needed |= {ref.node for ref, _ in references(node)}
    return tuple(node for node in network.nodes if node.name in needed)


def steps_of(network: Network, node: Node) -> Rounding | Steps | None:
    """The step function of a node, if it is one; none for a function of which the table cannot be written out."""
    if isinstance(node, Round):
        return Rounding.of(node)
    if isinstance(node, Table):
        return Steps.of(node)
    if isinstance(node, Function):
        try:
            return Steps.of(table_of(network, node))
        except FomError:
            return None
    return None


def interval(node: Node, known: dict[str, Span], n_boxes: int) -> Span:
    """Bounds of a node that is neither affine nor a step function; a function without a table has those of its format."""
    match node:
        case Product(left=left, left_index=left_index, right=right, right_index=right_index):
            (a, b), (c, d) = known[left.node], known[right.node]
            a, b, c, d = a[:, left_index], b[:, left_index], c[:, right_index], d[:, right_index]
            corners = np.stack([a * c, a * d, b * c, b * d])
            low, high = corners.min(axis=0), corners.max(axis=0)
            square = (left == right) & (left_index == right_index)
            low = np.where(square, np.where((a <= 0) & (b >= 0), 0.0, np.minimum(a * a, b * b)), low)
            slack = magnitude((low, high)) * gamma(0)
            return np.where(np.abs(low) < 2**53, low, low - slack), np.where(np.abs(high) < 2**53, high, high + slack)
        case Quotient(num=num, den=den, den_index=den_index, shift=shift):
            top = tuple(np.ldexp(bound, shift) for bound in known[num.node])
            bottom = tuple(np.maximum(bound[:, den_index], 1.0) for bound in known[den.node])
            corners = np.stack([above / below for above in top for below in bottom])
            slack = gamma(0) * np.abs(corners).max(axis=0)
            low, high = np.rint(corners.min(axis=0) - slack), np.rint(corners.max(axis=0) + slack)
            return clamped(node, low, high)
        case Maximum():
            spans = [tuple(bound[:, index] for bound in known[name]) for name, index in candidates(node)]
            low = np.max([span[0].max(axis=-1) for span in spans], axis=0)
            return low, np.max([span[1].max(axis=-1) for span in spans], axis=0)
        case Predicates():
            values = evaluate_node(node, {}, np.zeros((1, 0), dtype=np.int64), 1, 0)
            same = np.broadcast_to(values.astype(np.float64), (n_boxes, node.size))
            return same, same
        case Function(size=size):
            return clamped(node, np.full((n_boxes, size), -np.inf), np.full((n_boxes, size), np.inf))
        case _:
            raise fail("L098", f"no bounds are known for {type(node).__name__}", where=f"node `{node.name}`")


def clamped(node: Word, low: Reals, high: Reals) -> Span:
    """Saturate bounds to the format of a word."""
    least, most = floats_of(np.array(node.format.lo))[0], floats_of(np.array(node.format.hi))[1]
    return np.clip(low, least, most), np.clip(high, least, most)


def candidates(node: Maximum) -> list[tuple[str, Any]]:
    """The words that a maximum compares: nodes, with one row of elements for each result."""
    return [(node.operand.node, node.groups), *((ref.node, index) for ref, index in node.segments)]
