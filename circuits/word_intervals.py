"""Exact integer interval evaluation of a network on partial words: many sets of words at once, without looking at each word.

Bounds are kept for each letter at the node's own positions (`circuits.word_axes`), so what a node computes from the letter
where it stands stays exact, and sums over positions have exact bounds where their summands are, since letters at different
positions are independent. Affine maps of affine maps are composed first, which keeps what two paths have in common. Averages
are bounded as such (`circuits.word_averages`). Elsewhere this is interval arithmetic.

Only positions that the readout depends on are computed. Words on which a denominator is not positive have no value, and the
bounds do not speak of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from typing import Any, assert_never

import numpy as np

from circuits import matrices
from circuits.diagnostics import FomError
from circuits.formats import round_half_even
from circuits.network import (
    Affine,
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
from circuits.positions import Guard, Ref, holds, is_safe
from circuits.ranges import range_of, ranges
from circuits.word_arithmetic import RangeTable, add, larger, product, quotient, scale
from circuits.word_averages import Average, average_bounds, average_of, softmax_weights
from circuits.word_axes import Bounds, Integers, Truth, Variables, read, settle_last

ROWS = 1 << 15  # numbers in one array of an average
COPIES = 8  # arrays of the widest node that live at once, at most


class WordIntervals:
    """Bounds of the nodes of a network on partial words of one length.

    Raises:
        FomError: a sum beyond 62 bits, or a length outside the domain.
    """

    def __init__(self, network: Network, n: int) -> None:
        network.domain.require(n)
        self.network, self.n = network, n
        self.nodes = composed(network, n)
        self.averages: dict[str, Average] = {}
        for node in network.nodes:
            if isinstance(node, Quotient) and (average := average_of(network, node)) is not None:
                self.averages[node.name] = average
        self.wanted = network.decided.decision, network.decided.scores
        self.asked = self.demand(self.wanted)
        self.order = [node for node in self.nodes.values() if node.name in self.asked]
        self.ranges = {node.name: RangeTable.of(node) for node in self.order if isinstance(node, Table)}
        self.last_use = {ref.node: node.name for node in self.order for ref, _ in self.reads(node)}
        self.shared: dict[str, Bounds] = {}

    def reads(self, node: Node) -> list[tuple[Ref, Guard | None]]:
        """What a node reads; with a guard if it reads over one more variable."""
        average = self.averages.get(node.name)
        if average is None:
            guard = node.guard if isinstance(node, Sum | Maximum) else None
            return [(ref, guard if more else None) for ref, more in references(node)]
        found: list[tuple[Ref, Guard | None]] = [(average.value, average.guard)]
        if average.softmax is None:
            return [*found, (average.weight, average.guard)]
        return [*found, (average.softmax.score, average.guard), (average.softmax.largest, None)]

    def demand(self, wanted: Iterable[str]) -> dict[str, tuple[Integers, ...]]:
        """The positions of each variable at which nodes are needed; nodes that are not needed are left out."""
        every = np.arange(1, self.n + 1)
        asked = {name: tuple(every for _ in range(self.nodes[name].n_positions)) for name in wanted}
        for node in reversed(self.nodes.values()):
            if node.name not in asked:
                continue
            for ref, guard in self.reads(node):
                reader = self.variables(asked[node.name], guard)
                found = []
                for axis, term in enumerate(ref.at):
                    places = np.unique(np.asarray(term.evaluate(self.n, reader.grid)))
                    places = places[(places >= 1) & (places <= self.n)]
                    before = asked[ref.node][axis] if ref.node in asked else places[:0]
                    union = np.union1d(places, before).astype(np.int64)
                    found.append(union if len(union) else every[:1])
                asked[ref.node] = tuple(found)
        return asked

    def variables(self, own: tuple[Integers, ...], guard: Guard | None) -> Variables:
        """The variables of a node, with those positions of the bound one that its guard admits anywhere."""
        if guard is None:
            return Variables(self.n, own)
        full = Variables(self.n, (*own, np.arange(1, self.n + 1)))
        some = (
            np.broadcast_to(holds(guard, self.n, full.grid), (*map(len, own), self.n)).reshape(-1, self.n).any(axis=0)
        )
        return Variables(self.n, (*own, np.nonzero(some)[0] + 1 if some.any() else np.ones(1, dtype=np.int64)))

    def bounds(self, allowed: Truth) -> dict[str, tuple[Integers, Integers]]:
        """Bounds of decision and scores on partial words ``(B, n, L)``: two arrays ``(B, size)``, or ``(B, n, size)``."""
        values: dict[str, Bounds] = dict(self.shared)
        for node in self.order:
            if node.name in values:
                continue
            found = self.evaluate(node, values, allowed)
            values[node.name] = found
            if found.exact and found.low.shape[0] == 1 and self.is_shared(node):
                self.shared[node.name] = found
            for ref, _ in self.reads(node):
                if self.last_use[ref.node] == node.name and ref.node not in self.wanted:
                    values.pop(ref.node, None)
        return {name: self.answer(self.nodes[name], values[name], allowed) for name in self.wanted}

    def bytes(self, n_letters: int) -> int:
        """About the memory that one partial word needs: the two bounds of the widest node, a few times."""
        widest = 0
        for node in self.order:
            for ref, guard in [(Ref(node.name), None), *self.reads(node)]:
                asked = self.variables(self.asked[node.name], guard).positions
                size = self.nodes[ref.node].size
                widest = max(
                    widest, size * int(np.prod([len(places) * n_letters for places in asked], dtype=np.float64))
                )
        return 16 * COPIES * widest

    def answer(self, node: Node, found: Bounds, allowed: Truth) -> tuple[Integers, Integers]:
        """The bounds over all letters, at full length."""
        k = node.n_positions
        if k:
            found = settle_last(found, Variables(self.n, self.asked[node.name]), allowed)
        shape = (len(allowed), *(self.n,) * k, node.size)
        return np.broadcast_to(found.low, shape), np.broadcast_to(found.high, shape)

    def is_shared(self, node: Node) -> bool:
        """Whether a node reads letters only where it stands, so that its exact values are those of all partial words."""
        match node:
            case Letters() | Predicates():
                return True
            case Sum() | Maximum() if any(guard is not None for _, guard in self.reads(node)):
                return False
            case _:
                return node.name not in self.averages and all(ref.node in self.shared for ref, _ in self.reads(node))

    def evaluate(self, node: Node, values: dict[str, Bounds], allowed: Truth) -> Bounds:
        """The bounds of one node from those of its sources."""
        own = self.variables(self.asked[node.name], None)
        k = node.n_positions

        def source(ref: Ref, reader: Variables = own) -> Bounds:
            return read(values[ref.node], self.asked[ref.node], ref, reader, allowed)

        match node:
            case Letters(size=size):
                one_hot = np.eye(size, dtype=np.int64).reshape(1, 1, size, size)
                return Bounds(one_hot, one_hot)
            case Predicates(guards=guards):
                shape = tuple(len(positions) for positions in own.positions)
                truths = [np.broadcast_to(holds(guard, self.n, own.grid), shape) for guard in guards]
                bits = np.stack(truths, axis=-1).astype(np.int64).reshape(1, *shape, *(1,) * k, len(guards))
                return Bounds(bits, bits)
            case Affine(operands=operands, const=const, length=length):
                total = (const + self.n * length).reshape((1,) * (2 * k + 1) + (-1,))
                result = Bounds(total, total)
                for operand in operands:
                    result = add(result, scale(operand.matrix, source(operand.ref)))
                return result
            case Product(left=left, left_index=left_index, right=right, right_index=right_index):
                same = left == right and np.array_equal(left_index, right_index)
                one, other = source(left), source(right)
                return product(one.map(lambda v: v[..., left_index]), other.map(lambda v: v[..., right_index]), same)
            case Sum(operand=operand, guard=guard):
                return self.over_positions(source, operand, guard, own, allowed, None)
            case Round(operand=operand, shift=shift, format=format_):
                return source(operand).map(lambda v: format_.clamp(round_half_even(v, shift)))
            case Table(operand=operand):
                return self.ranges[node.name].over(source(operand))
            case Quotient(num=num, den=den, den_index=den_index):
                if (average := self.averages.get(node.name)) is not None:
                    return self.average(node, average, values, allowed)
                return quotient(node, source(num), source(den).map(lambda v: v[..., den_index]))
            case Maximum(operand=operand, groups=groups, guard=guard, segments=segments, format=format_):
                parts = [source(ref).map(lambda v, index=index: v[..., index].max(axis=-1)) for ref, index in segments]
                if guard is None:
                    parts.append(source(operand).map(lambda v: v[..., groups].max(axis=-1)))
                else:
                    parts.append(self.over_positions(source, operand, guard, own, allowed, node))
                return reduce(larger, parts)
            case Inputs() | Function():
                raise ValueError(f"`{node.name}` has no bounds on partial words")
            case _:
                assert_never(node)

    def over_positions(
        self, source: Any, operand: Ref, guard: Guard, own: Variables, allowed: Truth, largest: Maximum | None
    ) -> Bounds:
        """The bounds of a sum or a maximum over positions."""
        k = len(own.positions)
        reader = self.variables(own.positions, guard)
        read_bounds: Bounds = source(operand, reader)
        if largest is not None:
            read_bounds = read_bounds.map(lambda v: v[..., largest.groups].max(axis=-1))
        settled = settle_last(read_bounds, reader, allowed)
        shape = tuple(len(positions) for positions in reader.positions)
        admitted = np.broadcast_to(holds(guard, self.n, reader.grid), shape).reshape(1, *shape, *(1,) * k, 1)
        if largest is not None:
            floor = largest.format.lo
            return settled.map(lambda v: np.where(admitted, v, floor).max(axis=k + 1))
        return settled.map(lambda v: (v * admitted).sum(axis=k + 1))

    def average(self, node: Quotient, average: Average, values: dict[str, Bounds], allowed: Truth) -> Bounds:
        """The bounds of an average, for each letter at its position; entries of letters not allowed are 0."""
        own = self.variables(self.asked[node.name], None)
        reader = self.variables(own.positions, average.guard)
        k, (batch, _, n_letters) = node.n_positions, allowed.shape
        bound = reader.positions[-1]
        here = allowed[:, own.positions[0] - 1] if k else np.ones((batch, 1, 1), dtype=bool)
        rows = np.nonzero(here)
        shape = tuple(len(positions) for positions in reader.positions)
        counted_all = np.broadcast_to(holds(average.guard, self.n, reader.grid), shape).reshape(-1, len(bound))

        def source(ref: Ref, over: Variables) -> Bounds:
            return read(values[ref.node], self.asked[ref.node], ref, over, allowed)

        def laid_out(given: Bounds, axes: int) -> Bounds:
            """Axes for a word, a position, the bound position, a letter here, a letter there and the elements, whatever k is."""
            if axes == 1:
                return given.map(lambda v: v.reshape(v.shape[0], v.shape[1], 1, v.shape[2], 1, v.shape[3]) if k else v)
            if not k:
                return given.map(lambda v: v.reshape(v.shape[0], 1, v.shape[1], 1, v.shape[2], v.shape[3]))
            return given

        weights: list[Bounds]
        if average.softmax is None:
            weights = [laid_out(source(average.weight, reader), 2)]
        else:
            scores = laid_out(source(average.softmax.score, reader), 2)
            largest = source(average.softmax.largest, own)
            if not k:
                largest = largest.map(lambda v: v.reshape(v.shape[0], 1, 1, 1, 1, v.shape[1]))
            else:
                largest = laid_out(largest, 1)
            weights = [scores, largest]
        value = laid_out(source(average.value, reader), 2)
        result = np.zeros((2, *here.shape, node.size), dtype=np.int64)
        chunk = max(1, ROWS // max(1, len(bound) * node.size))
        for start in range(0, len(rows[0]), chunk):
            words, places, letters = (axis[start : start + chunk] for axis in rows)

            at = words, places, letters
            possible = np.array(allowed[words][:, bound - 1])
            if k:
                row, column = np.nonzero(own.positions[0][places][:, None] == bound[None, :])
                possible[row, column] = np.arange(n_letters) == letters[row][:, None]
            counted = counted_all[places]
            parts = [(rows_of(part.low, at), rows_of(part.high, at)) for part in weights]
            if average.softmax is None:
                weight = parts[0][0].astype(np.float64), parts[0][1].astype(np.float64)
            else:
                weight = softmax_weights(average.softmax.ratio, parts[0], parts[1])
            ends_of = [rows_of(end, at)[..., average.value_index].astype(np.float64) for end in (value.low, value.high)]
            low, high = average_bounds(
                (weight[0][..., average.weight_index], weight[1][..., average.weight_index]),
                (ends_of[0], ends_of[1]),
                possible,
                counted,
            )
            for side, ends in enumerate((low, high)):
                codes = np.rint(np.clip(np.ldexp(ends, node.shift), -(2.0**61), 2.0**61)).astype(np.int64)
                result[side, words, places, letters] = node.format.clamp(codes)
        if not k:
            result = result.reshape(2, batch, node.size)
        return Bounds(result[0], result[1])


def composed(network: Network, n: int) -> dict[str, Node]:
    """The nodes, with affine maps of affine maps in one step, wherever the sums stay small enough."""
    found: dict[str, Node] = {}
    known = ranges(network, n)
    for node in network.nodes:
        found[node.name] = node
        if not isinstance(node, Affine):
            continue
        const, length = node.const, node.length
        parts: dict[Ref, matrices.Matrix] = {}
        for operand in node.operands:
            inner = found[operand.ref.node]
            inside = isinstance(inner, Affine) and all(is_safe(term, n) for term in operand.ref.at)
            if isinstance(inner, Affine) and inside:
                const, length = const + operand.matrix @ inner.const, length + operand.matrix @ inner.length
                more = [(o.ref.substitute(operand.ref.at), operand.matrix @ o.matrix) for o in inner.operands]
            else:
                more = [(operand.ref, operand.matrix)]
            for ref, weights in more:
                parts[ref] = parts[ref] + weights if ref in parts else weights
        operands = tuple(Operand(ref, matrices.canonical(weights)) for ref, weights in parts.items())
        whole = replace(node, operands=operands, const=const, length=length)
        try:
            range_of(whole, known, n)
        except FomError:
            continue
        found[node.name] = whole
    return found


def rows_of(values: Integers, at: tuple[Integers, Integers, Integers]) -> Integers:
    """Take entries ``(B, X, Y, A, L, size)`` at partial words, positions and letters, giving ``(R, Y, L, size)``, or one row."""
    words, places, letters = (
        index if values.shape[axis] > 1 else np.zeros_like(index) for index, axis in zip(at, (0, 1, 3), strict=True)
    )
    if values.shape[0] == values.shape[1] == values.shape[3] == 1:
        return values[:, 0, :, 0]
    return values[words, places, :, letters]
