"""The layout of every value before it is computed: extents, the type of its numbers, and what computing it takes besides.

An axis on which a value does not depend has extent 1. Sums are stored in the smallest integers that hold every partial sum, and
as Python integers where 64 bits might not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from logic.plan import Plan
from logic.syntax import (
    ONE,
    And,
    Bit,
    Call,
    Compare,
    Count,
    Exists,
    Forall,
    Iff,
    Implies,
    Letter,
    Linear,
    Majority,
    Not,
    Or,
    Sum,
    SumCall,
    Term,
    Truth,
)
from logic.walk import Part

Shape = tuple[int, ...]

STACK = 1 << 13  # arrays up to this size are stacked for a dot product, larger ones added one by one
STACKED = 1 << 17  # numbers stacked at once
EXACT_FLOAT = 1 << 53  # below this float64 is exact and has a fast dot product
_EXACT_SINGLE = 1 << 24
_WIDE = 1 << 62  # from here on int64 might overflow: Python integers instead
_IN_PLACE = frozenset([Linear, And, Or, Not, Iff, Truth])
_OBJECT = 56  # bytes of a Python integer and of the reference to it


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape and type of a value, and an upper bound, at least 1, of the absolute values of its numbers."""

    shape: Shape
    kind: np.dtype[Any]
    bound: int = 1
    bytes: int = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bytes", math.prod(self.shape) * width(self.kind))


def width(kind: np.dtype[Any]) -> int:
    """The bytes of one number."""
    return _OBJECT if kind.hasobject else kind.itemsize


def integers(bound: int) -> np.dtype[Any]:
    """The smallest type for sums of which no partial sum exceeds `bound`."""
    for kind in (np.int16, np.int32):
        if bound <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.int64 if bound < _WIDE else object)


def factors(bound: int) -> np.dtype[Any]:
    """The type in which a matrix product is exact, the fastest if there are several."""
    if bound < _EXACT_SINGLE:
        return np.dtype(np.float32)
    return np.dtype(np.float64) if bound < EXACT_FLOAT else integers(bound)


def term_bound(term: Term, n: int) -> int:
    """An upper bound of the absolute values of an index term at length n, with all partial sums, and of n."""
    return abs(term.const) + (abs(term.n) + sum([abs(coef) for _, coef in term.coefs], 1)) * n


def compare_sides(phi: Compare) -> tuple[Term, Term]:
    """Write a comparison with at most one variable on the left: an array over two variables is never needed for two."""
    gap = phi.right - phi.left
    first = Term(gap.coefs[:1]) * -1
    return first, gap + first


class Layouts:
    """The layouts of all values of a plan, for `n_words` words of length `n`."""

    def __init__(self, made: Plan, n_words: int, n: int) -> None:
        self.plan, self.n_words, self.n = made, n_words, n
        self.ones = (1,) * made.ndim
        self.of: dict[Part, Layout] = {}
        boolean, broadcast = np.dtype(bool), self.broadcast
        self._methods: dict[type, Callable[[Any], Layout]] = {
            Truth: lambda phi: Layout(self.ones, boolean),
            Letter: lambda phi: Layout((n_words, *self.along(phi.term)[1:]), boolean),
            Call: self._call,
            SumCall: self._call,
            Compare: lambda phi: Layout(self.along(*compare_sides(phi)), boolean),
            Bit: lambda phi: Layout(self.along(phi.number, phi.index), boolean),
            Not: lambda phi: Layout(self[phi.body].shape, boolean),
            And: lambda phi: Layout(broadcast(phi.parts), boolean),
            Or: lambda phi: Layout(broadcast(phi.parts), boolean),
            Implies: lambda phi: Layout(broadcast((phi.left, phi.right)), boolean),
            Iff: lambda phi: Layout(broadcast((phi.left, phi.right)), boolean),
            Linear: lambda phi: Layout(self[phi.sum].shape, boolean),
            Sum: self._sum,
            Count: self._count,
            **dict.fromkeys((Forall, Exists, Majority), lambda phi: Layout(self._counted(phi, (phi.body,)), boolean)),
        }
        for step in made.steps:
            self.of[step.node] = self._methods[type(step.node)](step.node)

    def __getitem__(self, node: Part) -> Layout:
        return self.of[self.plan.same.get(node, node)]

    def broadcast(self, nodes: tuple[Part, ...]) -> Shape:
        """The shape of a value with an entry for each combination of entries of others."""
        shapes = {self[node].shape for node in nodes}
        return shapes.pop() if len(shapes) == 1 else np.broadcast_shapes(*shapes)

    def along(self, *terms: Term) -> Shape:
        """The shape of a value that depends on the variables of index terms."""
        shape = list(self.ones)
        for term in terms:
            for name, _ in term.coefs:
                shape[self.plan.axes[name]] = self.n
        return tuple(shape)

    def _counted(self, node: Forall | Exists | Majority | Count, parts: tuple[Part, ...]) -> Shape:
        counting = self.plan.counting.get(node)
        shape = list(self.broadcast(parts if counting is None else counting.parts))
        if counting is not None:
            shape = list(np.broadcast_shapes(tuple(shape), self.along(*counting.lower, *counting.upper)))
        shape[self.plan.axes[node.variable]] = 1
        return tuple(shape)

    def _call(self, call: Call | SumCall) -> Layout:
        root = self.plan.roots.get(call.name)
        if root is None:
            return Layout((self.n_words, *self.ones[1:]), np.dtype(bool))
        value, move = self[root], self.plan.moves[call]
        if move is None:
            return Layout((value.shape[0], *self.along(*call.args)[1:]), value.kind, value.bound)
        return Layout(tuple(value.shape[axis] for axis in move), value.kind, value.bound)

    def _count(self, item: Count) -> Layout:
        bound = max(1, self.n) * (1 if item.weight is ONE else self[item.weight].bound)
        return Layout(self._counted(item, (item.condition, item.weight)), integers(bound), bound)

    def _sum(self, total: Sum) -> Layout:
        items = tuple((coef, item) for coef, item in total.items if coef)
        bound = abs(total.length * self.n + total.const) + sum(abs(coef) * self[item].bound for coef, item in items)
        shape = self.broadcast(tuple(item for _, item in items)) if items else self.ones
        return Layout(shape, integers(bound), max(bound, 1))

    # What a step needs besides its operands and its value, at the extents `cut`.

    def scratch(self, node: Part, cut: Mapping[int, int]) -> int:
        """The bytes of temporary arrays while a node is evaluated with some axes cut to a part."""
        if type(node) in _IN_PLACE:
            return 0
        layout = self.of[node]
        size = math.prod(self.windowed(layout.shape, cut))
        match node:
            case Sum():
                stacked = 16 * min(STACKED, min(size, STACK) * len(node.items)) if len(node.items) >= 4 else 0
                return 2 * size * width(layout.kind) + stacked
            case Letter(_, term) if term.variable is None:
                return 27 * size
            case Call(name, args) | SumCall(name, args) if name in self.plan.roots and self.plan.moves[node] is None:
                return (10 + 17 * len(args)) * size
            case Compare():
                sides = compare_sides(node)
                numbers = max(width(integers(term_bound(side, self.n))) for side in sides)
                return 3 * numbers * sum(math.prod(self.windowed(self.along(side), cut)) for side in sides)
            case Bit(number, _):
                return 6 * width(integers(max(1 << 40, term_bound(number, self.n)))) * size
            case Forall() | Exists() | Majority() | Count():
                return self._counting_scratch(node, cut)
            case Implies():
                return size
            case _:
                return 0

    def part(self, node: Part, cut: Mapping[int, int]) -> int:
        """The bytes of the part of a value."""
        layout = self.of[node]
        return math.prod(self.windowed(layout.shape, cut)) * width(layout.kind) if cut else layout.bytes

    def windowed(self, shape: Shape, cut: Mapping[int, int]) -> Shape:
        """The shape of the part of a value."""
        if not cut:
            return shape
        return tuple([cut.get(axis, extent) if extent > 1 else extent for axis, extent in enumerate(shape)])

    def _counting_scratch(self, node: Forall | Exists | Majority | Count, cut: Mapping[int, int]) -> int:
        counting = self.plan.counting.get(node)
        result = math.prod(self.windowed(self.of[node].shape, cut))
        own = self.of[node].bound if isinstance(node, Count) else self.n
        axis = self.plan.axes[node.variable]
        if counting is None:
            if not isinstance(node, Count) or node.weight is ONE:
                return 2 * width(integers(self.n)) * result + 8 * result
            full = math.prod(self.windowed(self.broadcast((node.condition, node.weight)), cut))
            return width(self[node.weight].kind) * full + 8 * result
        parts = [part for part in (counting.inside, counting.weight) if part is not None]
        matrix = list(self.windowed(self.broadcast(tuple(parts)), cut))
        matrix[axis] = self.n
        numbers = width(integers(own))
        if counting.across is not None:
            across = list(self.windowed(self[counting.across].shape, cut))
            across[axis] = self.n
            kind = width(factors(own))
            return (2 * kind + numbers) * (math.prod(matrix) + math.prod(across)) + (kind + 2 * numbers) * result
        index = math.prod(self.windowed(self.along(*counting.lower, *counting.upper), cut))
        return 3 * numbers * math.prod(matrix) + 40 * index + 3 * numbers * result
