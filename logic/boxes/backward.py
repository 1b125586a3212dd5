"""Linear functions of nodes followed backwards to the inputs: upper bounds of ``sum(coefs * node)`` on boxes.

Rows are pairs of a box and a linear function, so that only what is asked for is computed. Every row carries the coefficients of
the nodes that are still to be replaced, a constant, and the error that float64 may have made so far.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from circuits.network import Inputs, Maximum, Node
from logic.boxes.maps import AffineMap
from logic.boxes.outward import EPS, TINY, Integers, Reals, Span, gamma, magnitude
from logic.boxes.steps import Lines

CHUNK = 1 << 22


class Known(Protocol):
    """Spans of all nodes, lines of the step functions, and sums of magnitudes of the affine nodes."""

    @property
    def spans(self) -> Mapping[str, Span]: ...

    @property
    def lines(self) -> Mapping[str, Lines]: ...

    @property
    def summands(self) -> Mapping[str, Reals]: ...


class Rows:
    """Linear functions on boxes while they are followed backwards."""

    def __init__(self, boxes: Integers, known: Known) -> None:
        self.boxes, self.known = boxes, known
        self.coefs: dict[str, Reals] = {}
        self.const = np.zeros(len(boxes))
        self.error = np.zeros(len(boxes))

    def at(self, array: Reals) -> Reals:
        """The row of each pair's box."""
        return array if len(array) == 1 else array[self.boxes]

    def reach(self, name: str) -> Reals:
        """The largest magnitude of any element of a node, on each pair's box."""
        return self.at(magnitude(self.known.spans[name]).max(axis=1, initial=0.0))

    def doubt(self, coefs: Reals, terms: int, magnitudes: Reals) -> None:
        """Count the error of a sum of products with coefficients, each of at most a magnitude for its row."""
        self.error += gamma(terms) * np.abs(coefs).sum(axis=1) * magnitudes

    def add(self, name: str, coefs: Reals) -> None:
        """Add a multiple of a node."""
        if name in self.coefs:
            coefs = self.coefs[name] + coefs
            self.doubt(coefs, 0, self.reach(name))
        self.coefs[name] = coefs

    def add_const(self, coefs: Reals, values: Reals) -> None:
        """Add ``sum(coefs * values)``, a number; the caller counts the error of the sum."""
        self.const += np.einsum("ij,ij->i", coefs, np.broadcast_to(values, coefs.shape))
        self.error += 2 * EPS * np.abs(self.const)

    def replace_by_interval(self, name: str, coefs: Reals) -> None:
        """Replace a node by the ends of its interval."""
        low, high = self.known.spans[name]
        self.doubt(coefs, coefs.shape[1], self.reach(name))
        self.add_const(coefs, np.where(coefs > 0, self.at(high), self.at(low)))


class Backward:
    """Follows linear functions backwards through the nodes of a network."""

    def __init__(
        self, nodes: tuple[Node, ...], maps: dict[str, AffineMap], operands: dict[str, str], columns: dict[str, slice]
    ) -> None:
        self.nodes, self.maps, self.operands, self.columns = nodes, maps, operands, columns
        self.total = max(own.stop for own in columns.values())
        self.widest = max(node.size for node in nodes)
        self.cost: dict[str, int] = {}
        """Multiplications for one row that starts at each node, about."""
        spent = 0
        for node in nodes:
            spent += node.size * (8 + (maps[node.name].terms if node.name in maps else 0))
            self.cost[node.name] = spent

    def of_rows(self, name: str, boxes: Integers, rows: Integers, sign: float, known: Known) -> tuple[Reals, Reals]:
        """Upper bounds of ``sign * element`` of an affine node, with the coefficients of the inputs."""
        affine = self.maps[name]

        def start(chosen: slice) -> Rows:
            state = Rows(boxes[chosen], known)
            state.const += sign * affine.const[rows[chosen]]
            for source, weights in affine.operands:
                picked = sign * weights.rows(rows[chosen])
                state.add(source, picked)
            state.error += gamma(len(affine.operands)) * known.summands[name][state.boxes, rows[chosen]]
            return state

        return self._chunks(len(boxes), start)

    def of_sums(self, coefs: dict[str, Reals], boxes: Integers, known: Known) -> tuple[Reals, Reals]:
        """Upper bounds of sums of multiples of nodes, one row of coefficients for each pair; these may be rounded once."""

        def start(chosen: slice) -> Rows:
            state = Rows(boxes[chosen], known)
            for name, given in coefs.items():
                state.add(name, given[chosen])
                state.doubt(given[chosen], 0, state.reach(name))
            return state

        return self._chunks(len(boxes), start)

    def _chunks(self, count: int, start: Any) -> tuple[Reals, Reals]:
        rows = max(1, CHUNK // self.widest)
        parts = [self._follow(start(slice(first, min(first + rows, count)))) for first in range(0, max(count, 1), rows)]
        return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])

    def _follow(self, state: Rows) -> tuple[Reals, Reals]:
        """Replace node after node, until only inputs are left."""
        inputs = np.zeros((len(state.boxes), self.total))
        for node in reversed(self.nodes):
            coefs = state.coefs.pop(node.name, None)
            if coefs is None:
                continue
            if isinstance(node, Inputs):
                state.replace_by_interval(node.name, coefs)
                inputs[:, self.columns[node.name]] = coefs
            elif node.name in self.maps:
                self._through_map(node.name, coefs, state)
            elif node.name in state.known.lines:
                self._through_lines(node.name, coefs, state)
            elif isinstance(node, Maximum):
                through_maximum(node, coefs, state)
            else:
                state.replace_by_interval(node.name, coefs)
        bound = state.const + state.error * (1 + 64 * EPS * len(self.nodes)) + TINY
        return np.nextafter(bound, np.inf), inputs

    def _through_map(self, name: str, coefs: Reals, state: Rows) -> None:
        affine = self.maps[name]
        state.doubt(coefs, 2 * affine.size + 4, state.at(state.known.summands[name].max(axis=1, initial=0.0)))
        state.add_const(coefs, affine.const[None])
        for source, weights in affine.operands:
            state.add(source, weights.backward(coefs))

    def _through_lines(self, name: str, coefs: Reals, state: Rows) -> None:
        lines, operand = state.known.lines[name], self.operands[name]
        upper = coefs > 0
        through = coefs * np.where(upper, state.at(lines.high_slope), state.at(lines.low_slope))
        state.doubt(coefs, coefs.shape[1], state.at(lines.largest_const))
        state.doubt(through, 0, state.reach(operand))
        state.add_const(coefs, np.where(upper, state.at(lines.high_const), state.at(lines.low_const)))
        state.add(operand, through)


def through_maximum(node: Maximum, coefs: Reals, state: Rows) -> None:
    """Replace a maximum: from below by its best candidate, from above too where no other can be larger."""
    spans = state.known.spans
    sources = [(node.operand.node, node.groups), *((ref.node, index) for ref, index in node.segments)]
    lows = np.concatenate([spans[name][0][:, index] for name, index in sources], axis=-1)
    highs = np.concatenate([spans[name][1][:, index] for name, index in sources], axis=-1)
    best = lows.argmax(axis=-1)
    others = highs.copy()
    np.put_along_axis(others, best[..., None], -np.inf, axis=-1)
    settled = np.take_along_axis(lows, best[..., None], axis=-1)[..., 0] >= others.max(axis=-1)
    exact = settled[state.boxes] | (coefs < 0)
    state.doubt(coefs, node.size, state.reach(node.name))
    state.add_const(np.where(exact, 0.0, coefs), state.at(spans[node.name][1]))
    passed, chosen = np.where(exact, coefs, 0.0), best[state.boxes]
    start = 0
    for name, index in sources:
        width = index.shape[1]
        here = (chosen >= start) & (chosen < start + width) & (passed != 0)
        pairs, elements = np.nonzero(here)
        targets = index[elements, chosen[pairs, elements] - start]
        size = spans[name][0].shape[1]
        flat = np.zeros((len(passed), size))
        np.add.at(flat, (pairs, targets), passed[pairs, elements])
        magnitudes = np.zeros((len(passed), size))
        np.add.at(magnitudes, (pairs, targets), np.abs(passed[pairs, elements]))
        state.doubt(magnitudes, node.size, state.reach(name))
        state.add(name, flat)
        start += width
