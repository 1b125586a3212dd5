"""A network evaluated on the number of positions of each type, with linear inequalities under which the same comes out.

Every word is known up to an interval of codes, every exact value lies between two linear functions of the counts. Where a
rounding, a table or a quotient turns a linear function into a code, the code is confined to an interval around the one it has
at the given counts, and the inequalities that say so are kept. Where they all hold, so does everything computed from them: the
counts that satisfy them are a *cell*, on which the network decides the same. With no slack, intervals are single codes and
the cell is that of one trace of the network; the more slack, the fewer inequalities, as long as the decision remains.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never

import numpy as np

from circuits.formats import Format, divide_half_even, round_half_even, threshold
from circuits.functions import evaluate_function
from circuits.network import (
    Affine,
    Exact,
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
from circuits.positions import Ref
from circuits.readout import decisions
from logic.comparing.cells_layouts import OUTSIDE
from logic.comparing.cells_rows import added, applied, extremes, halves, reduced, thresholds, widened
from logic.comparing.symmetry import Symmetry

Integers = np.ndarray[Any, np.dtype[np.int64]]

SMALL = 1 << 16
"""Counts up to here are computed with in 64 bits; larger ones in integers of any size."""


class Undecided(Exception):
    """The intervals are too wide: they do not determine the decision."""


@dataclass(frozen=True, slots=True)
class Values:
    """What is known of a node, for present types: ``(P,) * k + (size,)`` for words, ``(P,) * k + (1 or 1 + P, size)`` if exact.

    Exact values are linear functions of the counts of the present types: a constant, then a coefficient for each count.
    """

    low: Integers
    high: Integers


@dataclass(frozen=True)
class Trace:
    """What the network decides, and the rows ``(const, coefficients)`` whose value is at least 0 in the cell."""

    decision: Any
    rows: Integers


def trace(network: Network, known: Symmetry, present: Integers, counts: Integers, slack: int | None) -> Trace:
    """Evaluate a symmetric network on counts.

    Args:
        present: the types with a positive count, increasing; type ``c * A + a`` is letter number a in class c.
        counts: how many positions each of them has.
        slack: by how many codes the words that depend on counts may differ from what they are at these counts, but for the
            decision; None for any number.

    Raises:
        Undecided: with this slack the decision is not determined.
    """
    return _Evaluation(network, known, present, counts, slack).run()


class _Evaluation:
    def __init__(
        self, network: Network, known: Symmetry, present: Integers, counts: Integers, slack: int | None
    ) -> None:
        self.network, self.known, self.slack = network, known, slack
        self.classes, self.letters = present // len(network.alphabet), present % len(network.alphabet)
        large = int(counts.sum()) > SMALL
        self.point = np.concatenate([[1], counts]).astype(object if large else np.int64)
        self.values: dict[str, Values] = {}
        self.rows: list[Integers] = []

    def run(self) -> Trace:
        readout = self.network.decided
        for node in self.network.nodes:
            if self.known.needed[node.name].any():
                self.values[node.name] = self.node(node)
        found = self.values[readout.decision]
        asked = self.chosen(readout.decision)
        low, high = found.low[asked], found.high[asked]
        if not np.array_equal(low, high):
            raise Undecided
        decided = decisions(readout, self.network.word(readout.decision).format, low[:1].astype(np.int64))[0]
        rows = np.concatenate([np.zeros((0, len(self.point)), dtype=object), *self.rows])
        return Trace(decided.tolist(), reduced(rows))

    def chosen(self, name: str) -> Any:
        """Where a node is needed: ``(P,) * k``."""
        needed = self.known.needed[name]
        return needed[tuple(np.ix_(*[self.classes] * needed.ndim))] if needed.ndim else np.asarray(needed)

    def node(self, node: Node) -> Values:
        """The values of one node."""
        match node:
            case Letters(size=size):
                one_hot = (self.letters[:, None] == np.arange(size)).astype(np.int64)
                return Values(one_hot, one_hot)
            case Predicates():
                found = np.stack([self.mask(held) for held in self.known.holding[node.name]], axis=-1).astype(np.int64)
                return Values(found, found)
            case Affine():
                return self.affine(node)
            case Product():
                return self.product(node)
            case Sum(operand=operand, n_positions=k):
                given, held = self.read(node, operand, k + 1), self.mask(self.known.holding[node.name][0])
                return Values(self.summed(given.low, held), self.summed(given.high, held))
            case Round(operand=operand, shift=shift, format=format_, n_positions=k):
                return self.rounded(node, self.read(node, operand, k), shift, format_)
            case Table(operand=operand, n_positions=k):
                return self.table(node, self.read(node, operand, k))
            case Function(operand=operand, n_positions=k):
                return self.function(node, self.read(node, operand, k))
            case Quotient():
                return self.quotient(node)
            case Maximum():
                return self.maximum(node)
            case Inputs():
                raise Undecided
            case _:
                assert_never(node)

    def mask(self, held: Any) -> Any:
        """A condition on classes as a condition on present types."""
        return held[np.ix_(*[self.classes] * held.ndim)] if held.ndim else held

    def read(self, node: Node, ref: Ref, k: int) -> Values:
        """What a reference reads, over k variables of the reader (axes may have length 1); 0 outside the word."""
        given, reading = self.values.get(ref.node), self.known.readings[node.name, ref]
        if given is None:  # every place read lies outside the word
            shape = (1,) * k + ((1,) if isinstance(self.network.by_name[ref.node], Exact) else ())
            nothing = np.zeros((*shape, self.network.by_name[ref.node].size), dtype=np.int64)
            return Values(nothing, nothing)
        n_types = len(self.classes)
        index: list[Any] = []
        inside: Any = np.ones((1,) * k, dtype=bool)
        for variable, places in zip(reading.variables, reading.places, strict=True):
            if variable is not None:
                index.append(np.arange(n_types).reshape([n_types if axis == variable else 1 for axis in range(k)]))
                continue
            at = self.mask(places)
            of_class = np.full(len(self.known.layout.classes) + 2, 0, dtype=np.int64)
            of_class[self.classes] = np.arange(n_types)
            index.append(of_class[at])
            inside = inside & (at != OUTSIDE)
        if not index:
            return Values(*(array[(None,) * k] for array in (given.low, given.high)))
        low, high = given.low[tuple(index)], given.high[tuple(index)]
        if not inside.all():
            kept = inside.reshape(*inside.shape, *(1,) * (low.ndim - inside.ndim))
            low, high = low * kept, high * kept
        return Values(low, high)

    # Exact values.

    def linear(self, node_name: str, values: Any) -> Any:
        """Words as linear functions without counts; exact values as they are."""
        return values if isinstance(self.network.by_name[node_name], Exact) else values[..., None, :]

    def affine(self, node: Affine) -> Values:
        """``sum(matrix @ operand) + const + length * n``, between bounds."""
        width = len(self.point) if node.name in self.known.counting else 1
        start = np.zeros((width, node.size), dtype=np.int64)
        start[0] = node.const
        start[1:] += node.length
        low, high = [start], [start]
        for operand in node.operands:
            given = self.read(node, operand.ref, node.n_positions)
            below, above = self.linear(operand.ref.node, given.low), self.linear(operand.ref.node, given.high)
            if np.array_equal(below, above):
                both = widened(applied(operand.matrix, below), width)
                low.append(both)
                high.append(both)
                continue
            positive, negative = halves(operand)
            low.append(widened(applied(positive, below) + applied(negative, above), width))
            high.append(widened(applied(positive, above) + applied(negative, below), width))
        return Values(*(self.full(added(parts), node.n_positions) for parts in (low, high)))

    def full(self, array: Any, k: int) -> Any:
        """Make the first k axes as long as there are types."""
        missing = k - (array.ndim - 2)
        array = array.reshape((1,) * missing + array.shape)
        return np.broadcast_to(array, (len(self.classes),) * k + array.shape[k:])

    def product(self, node: Product) -> Values:
        """Products of words, between the least and the greatest of the corners."""
        k = node.n_positions
        left, right = self.read(node, node.left, k), self.read(node, node.right, k)
        a, b = left.low[..., node.left_index], left.high[..., node.left_index]
        c, d = right.low[..., node.right_index], right.high[..., node.right_index]
        if np.array_equal(a, b) and np.array_equal(c, d):
            low = high = a * c
        else:
            corners = np.stack(np.broadcast_arrays(a * c, a * d, b * c, b * d))
            low, high = corners.min(axis=0), corners.max(axis=0)
        return Values(self.full(low[..., None, :], k), self.full(high[..., None, :], k))

    def summed(self, given: Any, held: Any) -> Any:
        """The sum over the types of the bound position: a coefficient for each count."""
        n_types, k = len(self.classes), held.ndim - 1
        if given.ndim == k + 3:  # exact values, without counts
            given = given[..., 0, :]
        given = np.broadcast_to(given, (*held.shape, given.shape[-1]))
        found = np.zeros((*held.shape[:-1], 1 + n_types, given.shape[-1]), dtype=np.int64)
        found[..., 1:, :] = given * held[..., None]
        return found

    # Words.

    def at_point(self, linear: Any) -> Any:
        """The value of linear functions at the counts."""
        if linear.shape[-2] == 1:
            return linear[..., 0, :]
        return np.tensordot(linear, self.point.astype(linear.dtype) if self.point.dtype != object else self.point,
                            axes=([linear.ndim - 2], [0]))  # fmt: skip

    def keep(self, node: Node, linear: Any, factor: Any, bound: Any, where: Any) -> None:
        """Keep the inequalities ``factor * linear >= bound`` of the elements chosen, if they speak of counts.

        Raises:
            Undecided: one of them does not hold at the counts.
        """
        if linear.shape[-2] == 1:
            return
        where = where & self.chosen(node.name)[..., None]
        if not where.any():
            return
        rows = np.moveaxis(linear, -2, -1)[np.broadcast_to(where, linear.shape[:-2] + linear.shape[-1:])]
        rows = rows.astype(object) * np.broadcast_to(factor, where.shape)[where][:, None]
        rows[:, 0] -= np.broadcast_to(bound, where.shape)[where]
        self.add_rows(rows)

    def add_rows(self, rows: Any) -> None:
        """Keep inequalities.

        Raises:
            Undecided: one of them does not hold at the counts.
        """
        if (rows @ self.point.astype(object) < 0).any():
            raise Undecided
        self.rows.append(rows)

    def confined(self, node: Node, low: Any, high: Any, least: Any, most: Any) -> tuple[Any, Any]:
        """The interval of codes to which a word is confined around what it is at the counts."""
        if node.name == self.network.decided.decision:
            return low, high
        if self.slack is None:
            return np.full_like(low, least), np.full_like(high, most)
        return np.clip(low - self.slack, least, most), np.clip(high + self.slack, least, most)

    def rounded(self, node: Round, given: Values, shift: int, format_: Format) -> Values:
        """Round linear functions."""
        source = node.operand.node
        below, above = self.linear(source, given.low), self.linear(source, given.high)
        low = format_.clamp(round_half_even(self.at_point(below), shift))
        high = format_.clamp(round_half_even(self.at_point(above), shift))
        if below.shape[-2] > 1:
            low, high = self.confined(node, low, high, format_.lo, format_.hi)
            scale, _ = threshold(0, shift)
            self.keep(node, below, scale, thresholds(low, shift), low > format_.lo)
            self.keep(node, above, -scale, 1 - thresholds(high + 1, shift), high < format_.hi)
        return self.words(node, low, high)

    def words(self, node: Node, low: Any, high: Any) -> Values:
        """The values of a word node."""
        shape = (len(self.classes),) * node.n_positions + (node.size,)
        return Values(*(np.broadcast_to(array.astype(np.int64), shape) for array in (low, high)))

    def table(self, node: Table, given: Values) -> Values:
        """Find the steps of linear functions."""
        source = node.operand.node
        below, above = self.linear(source, given.low), self.linear(source, given.high)
        first = np.searchsorted(node.breaks, self.at_point(below).astype(node.breaks.dtype), side="right")
        last = np.searchsorted(node.breaks, self.at_point(above).astype(node.breaks.dtype), side="right")
        if below.shape[-2] > 1:
            first, last = self.confined(node, first, last, 0, len(node.breaks))
            bounds = np.concatenate([[0], node.breaks, [0]]).astype(object)
            self.keep(node, below, 1, bounds[first], first > 0)
            self.keep(node, above, -1, 1 - bounds[last + 1], last < len(node.breaks))
        return self.words(node, *extremes(node.codes, first, last))

    def function(self, node: Function, given: Values) -> Values:
        """Apply a function to exact values that do not depend on counts."""
        source = node.operand.node
        low, high = (self.linear(source, side)[..., 0, :] for side in (given.low, given.high))
        if not np.array_equal(low, high):
            raise Undecided
        chosen = self.chosen(node.name)[..., None]
        codes = evaluate_function(node, np.where(chosen, np.broadcast_to(low, (*chosen.shape[:-1], node.size)), 0), 0)
        return self.words(node, codes, codes)

    def quotient(self, node: Quotient) -> Values:
        """Divide linear functions by positive ones."""
        k, format_ = node.n_positions, node.format
        num, den = self.read(node, node.num, k), self.read(node, node.den, k)
        top = [self.linear(node.num.node, side) << max(node.shift, 0) for side in (num.low, num.high)]
        bottom = [
            self.linear(node.den.node, side)[..., node.den_index] << max(-node.shift, 0) for side in (den.low, den.high)
        ]
        width = max(side.shape[-2] for side in (*top, *bottom))
        top, bottom = [widened(side, width) for side in top], [widened(side, width) for side in bottom]
        chosen = self.chosen(node.name)[..., None]
        below = [np.where(chosen, self.at_point(side), 1) for side in bottom]
        if (below[0] < 1).any():
            raise Undecided
        above = [self.at_point(side) for side in top]
        low = np.minimum(divide_half_even(above[0], below[0]), divide_half_even(above[0], below[1]))
        high = np.maximum(divide_half_even(above[1], below[0]), divide_half_even(above[1], below[1]))
        low, high = format_.clamp(low), format_.clamp(high)
        if width > 1:
            low, high = self.confined(node, low, high, format_.lo, format_.hi)
            self.keep(node, bottom[0], 1, 1, np.ones(low.shape, dtype=bool))
            self.ratio(node, top[0], bottom, low, 1, low > format_.lo)
            self.ratio(node, top[1], bottom, high + 1, -1, high < format_.hi)
        return self.words(node, low, high)

    def ratio(self, node: Quotient, top: Any, bottom: list[Any], codes: Any, sign: int, where: Any) -> None:
        """Keep that a quotient is at least a code (sign 1), or less than it (sign -1).

        It is at least c if ``2 * top - (2 * c - 1) * bottom >= c % 2``.
        """
        slope = (2 * codes - 1)[..., None, :]
        largest = np.where(slope * sign > 0, bottom[1], bottom[0])
        linear = (2 * top.astype(object) - slope * largest.astype(object)) * sign
        odd = np.asarray(codes) % 2
        self.keep(node, linear, 1, odd if sign == 1 else 1 - odd, where)

    def maximum(self, node: Maximum) -> Values:
        """The largest of several words, all of whose types are present."""
        k = node.n_positions
        sides: list[Any] = []
        given = self.read(node, node.operand, k if node.guard is None else k + 1)
        others = [(self.read(node, ref, k), index) for ref, index in node.segments]
        for side in ("low", "high"):
            best = getattr(given, side)[..., node.groups].max(axis=-1)
            if node.guard is not None:
                held = self.mask(self.known.holding[node.name][0])[..., None]
                best = np.where(held, best, node.format.lo).max(axis=k)
            for other, index in others:
                best = np.maximum(best, getattr(other, side)[..., index].max(axis=-1))
            sides.append(best)
        return self.words(node, sides[0], sides[1])
