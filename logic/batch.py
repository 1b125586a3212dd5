"""Fast evaluation: a sentence on many words of one length at once, each shared node once.

The value of a node is an array with one axis for the words of the batch and one for each variable; an axis on which the
value does not depend has extent 1, so that numpy's broadcasting does all the bookkeeping and a formula in x alone never costs
n². Names that never meet in one definition share an axis. Values are freed after their last use. `logic.batch_counting` says
what becomes of quantifiers, `logic.batch_program` in which order and in which slabs the work is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.forecast import half_of_memory
from logic.batch_arrays import Array, between, gather, matrix_product, weighted_sum
from logic.batch_counting import Counting
from logic.batch_layout import compare_sides, integers, term_bound
from logic.batch_program import Program, Region, Window, program
from logic.collecting import uncollected
from logic.plan import plan
from logic.syntax import (
    ONE,
    And,
    Bit,
    Call,
    Compare,
    Count,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Letter,
    Linear,
    Majority,
    Not,
    Or,
    Sentence,
    Sum,
    SumCall,
    Term,
    Truth,
)
from logic.walk import Part


@dataclass(frozen=True, slots=True)
class Need:
    """The memory that an evaluation needs, in bytes, and the definition of the largest value then ("" for the formula)."""

    bytes: int
    definition: str


def need(sentence: Sentence, n_words: int, n: int, wanted: Sequence[str] = ()) -> Need:
    """State what evaluating a checked sentence on a batch of `n_words` words of length `n` will need, without doing it."""
    made = program(plan(sentence, tuple(wanted)), n_words, n)
    return Need(made.bytes, made.largest)


@uncollected()
def evaluate(
    sentence: Sentence,
    words: Array,
    propositions: Array | None = None,
    wanted: Sequence[str] = (),
    memory: int | None = None,
) -> dict[str, Array]:
    """Evaluate a checked sentence on a batch of words of one length.

    `words` has shape ``(B, n)`` and holds indices into ``sentence.letters``; any other number, such as -1, is a position
    without a letter. `propositions` has shape ``(B, P)``. The result maps "" to the truth of the final formula, of shape
    ``(B,)``, or ``(B, n)`` if it has a free variable (axes in the order of ``sentence.free``), and each name in `wanted` to
    the value of that definition, of shape ``(B, n, ..., n)`` with an axis for each parameter: bool for a relation,
    int64 for a sum (Python integers where int64 could overflow). A batch that would need more than `memory` bytes (by
    default half of the machine's) is evaluated in parts.

    Raises `FomError` for arrays of the wrong shape, for wanted names that are not defined, and, before anything is
    computed, if a single word would need more than `memory`.
    """
    words = np.asarray(words)
    if words.ndim != 2 or (words.size and words.dtype.kind not in "iu"):
        raise fail("L021", f"words must be integers of shape (B, n), found {words.dtype} of shape {words.shape}")
    given = np.zeros((len(words), 0), bool) if propositions is None else np.asarray(propositions, bool)
    if given.shape != (len(words), len(sentence.propositions)):
        raise fail("L021", f"propositions must have shape (B, P) = ({len(words)}, {len(sentence.propositions)}), "
                   f"found {given.shape}")  # fmt: skip
    limit = half_of_memory() if memory is None else memory
    size = fitting(sentence, len(words), words.shape[1], limit, wanted)
    made = plan(sentence, tuple(wanted))
    parts = [
        _Run(program(made, len(words[low : low + size]), words.shape[1]), words[low : low + size],
             given[low : low + size]).results()
        for low in range(0, max(len(words), 1), max(size, 1))
    ]  # fmt: skip
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def fitting(sentence: Sentence, n_words: int, n: int, limit: int, wanted: Sequence[str] = ()) -> int:
    """Return how many of the words can be evaluated at once within the limit.

    Raises `FomError` if not even one can be.
    """
    size = n_words
    while size > 1 and need(sentence, size, n, wanted).bytes > limit:
        size = -(-size // 2)
    found = need(sentence, size, n, wanted)
    if found.bytes > limit:
        low, high = 0, n
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if need(sentence, size, middle, wanted).bytes <= limit else (low, middle)
        where = f"definition `{found.definition}`" if found.definition else "the last formula"
        raise fail(
            "L022",
            f"a word of length {n:,} needs about {found.bytes:,} bytes, the limit is {limit:,}",
            where=where,
            note=f"words of length up to {low:,} would fit",
            help="a shorter word, fewer variables in this definition, or a higher limit (--memory)",
        )
    return size


class _Run:
    """One evaluation. Arrays have ``1 + number of axes`` dimensions throughout, the batch first."""

    def __init__(self, made: Program, words: Array, propositions: Array) -> None:
        sentence = made.plan.sentence
        self.program, self.plan, self.words, self.n = made, made.plan, words, words.shape[1]
        self.of, self.axes, self.same, self.ndim = made.layouts.of, made.plan.axes, made.plan.same, made.plan.ndim
        self.index = {letter: number for number, letter in enumerate(sentence.letters)}
        self.letters: dict[str, Array] = {}
        self.propositions: dict[str, Array] = {
            name: propositions[:, number].reshape(-1, *made.layouts.ones[1:])
            for number, name in enumerate(sentence.propositions)
        }
        self.stored: dict[Part, Array] = {}
        self.inner: dict[Part, Array] = {}
        self.window: Window = {}
        value = self.value
        self.methods: dict[type, Callable[[Any], Array]] = {
            Truth: lambda phi: np.full(made.layouts.ones, phi.value),
            Letter: self.letter,
            Call: self.call,
            SumCall: self.call,
            Compare: self.compare,
            Bit: self.bit,
            Not: lambda phi: ~value(phi.body),
            And: lambda phi: self.fold(np.logical_and, phi.parts),
            Or: lambda phi: self.fold(np.logical_or, phi.parts),
            Implies: lambda phi: ~value(phi.left) | value(phi.right),
            Iff: lambda phi: value(phi.left) == value(phi.right),
            Forall: self.forall,
            Exists: self.exists,
            Majority: lambda phi: self.how_many(phi, phi.body) >= (self.n + 1) // 2,
            Count: self.count,
            Sum: self.sum,
            Linear: lambda phi: np.asarray(value(phi.sum) >= phi.bound, bool),
        }

    # The order of evaluation.

    def results(self) -> dict[str, Array]:
        """Evaluate region by region and return what is asked for."""
        for region in self.program.regions:
            self.stored[region.result] = self.region(region)
            for node in region.done:
                del self.stored[node]
        asked = [("", self.plan.sentence.free), *((name, self.plan.params[name]) for name in self.plan.wanted)]
        return {name: self.full(self.plan.roots[name], params) for name, params in asked}

    def region(self, region: Region) -> Array:
        """Evaluate the steps of a region, slab by slab, and return its result."""
        if not region.pieces:
            return self.slab(region)
        layout = self.of[region.result]
        result = np.empty(layout.shape, layout.kind)
        for self.window in region.windows():
            result[self.cut(result)] = self.slab(region)
        self.window = {}
        return result

    def slab(self, region: Region) -> Array:
        """Evaluate the steps of a region within the window, releasing what no other step will read."""
        inner, methods = self.inner, self.methods
        for step, releases in zip(region.steps, region.releases, strict=True):
            inner[step.node] = methods[type(step.node)](step.node)
            for node in releases:
                del inner[node]
        return inner.pop(region.result)

    def value(self, node: Part) -> Array:
        """The value of a node that was evaluated, within the window."""
        node = self.same.get(node, node)
        if node in self.inner:
            return self.inner[node]
        found = self.stored[node]
        return found[self.cut(found)] if self.window else found

    def cut(self, value: Array) -> tuple[slice, ...]:
        """The slices of an array of full extents that the window leaves of it."""
        window = self.window
        return tuple([
            window[axis] if axis in window and extent > 1 else slice(None) for axis, extent in enumerate(value.shape)
        ])  # fmt: skip

    def full(self, node: Part, params: Sequence[str]) -> Array:
        """Return a value with exactly the axes (B, one of extent n for each parameter), and 64 bits for sums."""
        value = self.stored[self.same.get(node, node)]
        table = self.table(value, params)
        kind = np.dtype(np.int64) if value.dtype.kind == "i" else value.dtype
        return np.array(np.broadcast_to(table, (len(self.words), *table.shape[1:])), dtype=kind)

    # Positions.

    def table(self, value: Array, params: Sequence[str]) -> Array:
        """Bring the axes of `params` into their order, with extent n, and drop the others."""
        axes = [self.axes[name] for name in params]
        rest = [axis for axis in range(1, self.ndim) if axis not in axes]
        moved = value.transpose([0, *axes, *rest]).reshape(len(value), *(value.shape[axis] for axis in axes))
        return np.broadcast_to(moved, (len(value), *[self.n] * len(axes)))

    def term(self, term: Term) -> Array:
        """Evaluate an index term for all values of its variables, within the window."""
        kind = integers(term_bound(term, self.n))
        total = np.full((1,) * self.ndim, term.n * self.n + term.const, dtype=kind)
        for name, coef in term.coefs:
            axis = self.axes[name]
            positions = np.arange(1, self.n + 1)
            if axis in self.window and self.n > 1:
                positions = positions[self.window[axis]]
            total = total + (positions.astype(kind) * coef).reshape(
                [-1 if one == axis else 1 for one in range(self.ndim)]
            )
        return total

    def read(self, table: Array, args: Sequence[Term]) -> Array:
        """Read a table of shape (B or 1, n, ..., n) at index terms."""
        if 0 in self.window and len(table) > 1:
            table = table[self.window[0]]
        return gather(table, [self.term(arg)[0] for arg in args], self.n)

    # Formulas.

    def letter(self, phi: Letter) -> Array:
        table = self.letters.get(phi.name)
        if table is None:
            index = self.index.get(phi.name)
            table = np.zeros(self.words.shape, bool) if index is None else self.words == index
            self.letters[phi.name] = table
        variable = phi.term.variable
        if variable is None:
            return self.read(table, (phi.term,))
        shape = [1] * self.ndim
        shape[0], shape[self.axes[variable]] = len(table), self.n
        value = table.reshape(shape)
        return value[self.cut(value)] if self.window else value

    def call(self, call: Call | SumCall) -> Array:
        root = self.plan.roots.get(call.name)
        if root is None:
            value = self.propositions[call.name]
            return value[self.cut(value)] if self.window else value
        value, move = self.stored[self.same.get(root, root)], self.plan.moves[call]
        if move is None:
            return self.read(self.table(value, self.plan.params[call.name]), call.args)
        value = value.transpose(move)
        return value[self.cut(value)] if self.window else value

    def compare(self, phi: Compare) -> Array:
        left, right = map(self.term, compare_sides(phi))
        result = left == right if phi.op == "=" else left < right if phi.op == "<" else left <= right
        return np.asarray(result, bool)

    def bit(self, phi: Bit) -> Array:
        number, index = self.term(phi.number), self.term(phi.index)
        width = term_bound(phi.number, self.n).bit_length() + 1
        inside = (number >= 0) & (index >= 1) & (index <= width)
        shift = np.minimum(np.maximum(index - 1, 0), width - 1)
        if number.dtype != object:
            number = number.astype(np.int64)
        return np.asarray(inside, bool) & np.asarray((number >> shift) & 1 == 1, bool)

    def fold(self, operation: np.ufunc, parts: Sequence[Formula]) -> Array:
        """Combine many values, in place once the result is our own and has its final shape."""
        result: Array = operation(self.value(parts[0]), self.value(parts[1]))
        for part in parts[2:]:
            other = self.value(part)
            if np.broadcast_shapes(other.shape, result.shape) == result.shape:
                operation(result, other, out=result)
            else:
                result = operation(result, other)
        return result

    def exists(self, phi: Exists) -> Array:
        if phi in self.plan.counting:
            return np.asarray(self.how_many(phi, phi.body) >= 1)
        return self.reduce(np.logical_or, self.value(phi.body), phi.variable)

    def forall(self, phi: Forall) -> Array:
        if phi in self.plan.counting:
            return np.asarray(self.how_many(phi, phi.body) == 0)
        return self.reduce(np.logical_and, self.value(phi.body), phi.variable)

    def reduce(self, operation: np.ufunc, value: Array, variable: str) -> Array:
        """Fold the values of a variable; one on which nothing depends counts only if there is a position."""
        axis = self.axes[variable]
        if value.shape[axis] == 1 and self.n == 0:
            return np.full_like(value, operation is np.logical_and)
        return np.asarray(operation.reduce(value, axis=axis, keepdims=True))

    # Sums.

    def how_many(self, phi: Forall | Exists | Majority, body: Formula) -> Array:
        """Count the positions at which the body holds, or, for `forall` over factors, those at which it does not."""
        counting = self.plan.counting.get(phi)
        if counting is not None:
            return self.split_count(counting, self.n, integers(self.n))
        return self.add_up(self.value(body), phi.variable, integers(self.n))

    def add_up(self, value: Array, variable: str, kind: np.dtype[Any]) -> Array:
        """Sum over the values of a variable."""
        axis = self.axes[variable]
        if value.shape[axis] == 1 and self.n != 1:
            return np.asarray(value.astype(kind) * self.n)
        return np.asarray(np.add.reduce(value, axis=axis, dtype=kind, keepdims=True))

    def count(self, item: Count) -> Array:
        layout, counting = self.of[item], self.plan.counting.get(item)
        if counting is not None:
            return self.split_count(counting, layout.bound, layout.kind)
        condition = self.value(item.condition)
        if item.weight is ONE:
            return self.add_up(condition, item.variable, layout.kind)
        return self.add_up(np.where(condition, self.value(item.weight), 0), item.variable, layout.kind)

    def split_count(self, counting: Counting, bound: int, kind: np.dtype[Any]) -> Array:
        """Count between bounds, or by a matrix product."""
        axis = self.axes[counting.variable]
        inside = self.value(counting.inside)
        if counting.weight is not None:
            inside = np.where(inside, self.value(counting.weight), 0)
        if counting.across is not None:
            result = matrix_product(inside, self.value(counting.across), axis, self.n, kind, bound)
        elif counting.lower or counting.upper:
            lower = self.extreme(np.maximum, counting.lower)
            result = between(inside, axis, self.n, lower, self.extreme(np.minimum, counting.upper), kind)
        else:
            result = self.add_up(inside, counting.variable, kind)
        return result if counting.outside is None else np.where(self.value(counting.outside), result, 0)

    def extreme(self, operation: np.ufunc, terms: Sequence[Term]) -> Array | None:
        """The largest or smallest of some index terms, entry by entry."""
        result: Array | None = None
        for term in terms:
            result = self.term(term) if result is None else operation(result, self.term(term))
        return result

    def sum(self, total: Sum) -> Array:
        layout = self.of[total]
        products = [(coef, self.value(item)) for coef, item in total.items if coef]
        shape = np.broadcast_shapes((1,) * self.ndim, *{value.shape for _, value in products})
        return weighted_sum(total.length * self.n + total.const, products, shape, layout.kind, layout.bound)
