"""Fast evaluation: a sentence on many words of one length at once, each shared node once.

The value of a node is an array with one axis for the words of the batch and one for each variable; an axis on which the
value does not depend has extent 1, so that numpy's broadcasting does all the bookkeeping and a formula in x alone never costs
n². Names that never meet in one definition share an axis. Values are freed after their last use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from logic.plan import Plan, Stage, plan
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
    Indicator,
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

Array = np.ndarray[Any, Any]

_WIDE = 1 << 62  # from here on int64 might overflow: Python integers instead
_EXACT_FLOAT = 1 << 53  # below this float64 is exact and has a fast dot product
_STACK = 1 << 15  # arrays up to this size are stacked for a dot product, larger ones added one by one


def evaluate(
    sentence: Sentence, words: Array, propositions: Array | None = None, wanted: Sequence[str] = ()
) -> dict[str, Array]:
    """Evaluate a checked sentence on a batch of words of one length.

    `words` has shape ``(B, n)`` and holds indices into ``sentence.letters``; any other number, such as -1, is a position
    without a letter. `propositions` has shape ``(B, P)``. The result maps "" to the truth of the final formula, of shape
    ``(B,)``, or ``(B, n)`` if it has a free variable (axes in the order of ``sentence.free``), and each name in `wanted` to
    the value of that definition, of shape ``(B, n, ..., n)`` with an axis for each parameter: bool for a relation,
    int64 for a sum (Python integers where int64 could overflow).

    Raises `FomError` for arrays of the wrong shape and for wanted names that are not defined.
    """
    words = np.asarray(words)
    if words.ndim != 2 or (words.size and words.dtype.kind not in "iu"):
        raise fail("L021", f"words must be integers of shape (B, n), found {words.dtype} of shape {words.shape}")
    given = np.zeros((len(words), 0), bool) if propositions is None else np.asarray(propositions, bool)
    if given.shape != (len(words), len(sentence.propositions)):
        raise fail("L021", f"propositions must have shape (B, P) = ({len(words)}, {len(sentence.propositions)}), "
                   f"found {given.shape}")  # fmt: skip
    return _Run(plan(sentence, tuple(wanted)), words, given).results()


class _Run:
    """One evaluation. Arrays have ``1 + number of axes`` dimensions throughout, the batch first."""

    def __init__(self, made: Plan, words: Array, propositions: Array) -> None:
        sentence = made.sentence
        self.plan, self.words, self.n = made, words, words.shape[1]
        self.axes = made.axes
        self.ndim = 1 + max(made.axes.values(), default=0)
        self.index = {letter: number for number, letter in enumerate(sentence.letters)}
        self.params = {one.name: one.params for one in sentence.definitions} | dict.fromkeys(sentence.propositions, ())
        self.calls_left = dict(made.calls)
        self.uses_left = dict(made.uses)
        self.values: dict[Part, Array] = {}
        self.bounds: dict[Part | str, int] = {}  # largest absolute values of sums
        self.letters: dict[str, Array] = {}
        self.terms: dict[Term, Array] = {}
        self.moves: dict[tuple[tuple[str, ...], tuple[Term, ...]], tuple[int, ...] | None] = {}
        self.relations: dict[str, Array] = {
            name: propositions[:, number].reshape(-1, *self.ones[1:])
            for number, name in enumerate(sentence.propositions)
        }
        values = self.values
        self.methods: dict[type, Callable[[Any], Array]] = {
            Truth: lambda phi: np.full(self.ones, phi.value),
            Letter: self.letter,
            Call: self.call,
            SumCall: self.call,
            Compare: self.compare,
            Bit: self.bit,
            Not: lambda phi: ~values[phi.body],
            And: lambda phi: self.fold(np.logical_and, phi.parts),
            Or: lambda phi: self.fold(np.logical_or, phi.parts),
            Implies: lambda phi: ~values[phi.left] | values[phi.right],
            Iff: lambda phi: values[phi.left] == values[phi.right],
            Forall: lambda phi: self.how_many(phi) == self.n,
            Exists: lambda phi: self.how_many(phi) >= 1,
            Majority: lambda phi: 2 * self.how_many(phi) >= self.n,
            Indicator: lambda item: values[item.formula],
            Count: self.count,
            Sum: self.sum,
            Linear: lambda phi: np.asarray(values[phi.sum] >= phi.bound, bool),
        }

    @property
    def ones(self) -> tuple[int, ...]:
        """The shape of a value that depends on nothing."""
        return (1,) * self.ndim

    # The order of evaluation.

    def results(self) -> dict[str, Array]:
        """Evaluate stage by stage and collect what is asked for."""
        wanted = set(self.plan.wanted)
        results: dict[str, Array] = {}
        for stage in self.plan.stages:
            value = self.stage(stage)
            definition = stage.definition
            if definition is None:
                results[""] = self.full(value, self.plan.sentence.free)
                break
            name = definition.name
            if isinstance(stage.root, Sum):
                self.bounds[name] = self.bounds[stage.root]
            self.relations[name] = value
            if name in wanted:
                results[name] = self.full(value, definition.params)
                self.read(name)
        return results

    def stage(self, stage: Stage) -> Array:
        """Evaluate the new nodes of one definition, releasing what nobody will read again."""
        values, left, methods = self.values, self.uses_left, self.methods
        for node, below in stage.nodes:
            kind = type(node)
            values[node] = methods[kind](node)
            for child in below:
                left[child] -= 1
                if not left[child]:
                    del values[child]
            if kind is Call or kind is SumCall:
                self.read(node.name)  # type: ignore[union-attr]
        value = values[stage.root]
        left[stage.root] -= 1
        if not left[stage.root]:
            del values[stage.root]
        return value

    def read(self, name: str) -> None:
        """Note that a definition was read once, and release it after the last time."""
        self.calls_left[name] -= 1
        if not self.calls_left[name]:
            self.relations.pop(name, None)

    def full(self, value: Array, params: Sequence[str]) -> Array:
        """Return a value with exactly the axes (B, one of extent n for each parameter)."""
        table = self.table(value, params)
        return np.broadcast_to(table, (len(self.words), *table.shape[1:])).copy()

    # Positions.

    def table(self, value: Array, params: Sequence[str]) -> Array:
        """Bring the axes of `params` into their order, with extent n, and drop the others."""
        axes = [self.axes[name] for name in params]
        rest = [axis for axis in range(1, self.ndim) if axis not in axes]
        moved = value.transpose([0, *axes, *rest]).reshape(len(value), *(value.shape[axis] for axis in axes))
        return np.broadcast_to(moved, (len(value), *[self.n] * len(axes)))

    def term(self, term: Term) -> Array:
        """Evaluate an index term for all values of its variables."""
        known = self.terms.get(term)
        if known is None:
            kind = np.int64 if self.term_bound(term) < _WIDE else object
            known = np.full(self.ones, term.n * self.n + term.const, dtype=kind)
            for name, coef in term.coefs:
                known = known + coef * self.along(np.arange(1, self.n + 1), name).astype(kind)
            self.terms[term] = known
        return known

    def term_bound(self, term: Term) -> int:
        return abs(term.const) + (abs(term.n) + sum(abs(coef) for _, coef in term.coefs)) * self.n

    def along(self, values: Array, name: str) -> Array:
        """Lay an array of shape (n,) or (B, n) along the axis of a variable."""
        shape = list(self.ones)
        shape[self.axes[name]] = self.n
        if values.ndim == 2:
            shape[0] = len(values)
        return values.reshape(shape)

    def gather(self, table: Array, args: Sequence[Term]) -> Array:
        """Read a table of shape (B or 1, n, ..., n) at index terms; outside 1..n it is false or 0."""
        indices = [self.term(arg)[0] for arg in args]
        inside: Any = True
        for index in indices:
            inside = inside & np.asarray((index >= 1) & (index <= self.n), bool)
        if self.n == 0:
            return np.zeros((len(table), *inside.shape), table.dtype)
        safe = [np.clip(index - 1, 0, self.n - 1).astype(np.int64) for index in indices]
        at: tuple[Any, ...] = (slice(None), *np.broadcast_arrays(*safe))
        read = table[at]
        return read & inside if table.dtype == bool else np.where(inside, read, 0)

    # Formulas.

    def letter(self, phi: Letter) -> Array:
        table = self.letters.get(phi.name)
        if table is None:
            index = self.index.get(phi.name)
            table = np.zeros(self.words.shape, bool) if index is None else self.words == index
            self.letters[phi.name] = table
        variable = phi.term.variable
        return self.gather(table, (phi.term,)) if variable is None else self.along(table, variable)

    def call(self, call: Call | SumCall) -> Array:
        if isinstance(call, SumCall):
            self.bounds[call] = self.bounds[call.name]
        value, params, args = self.relations[call.name], self.params[call.name], call.args
        key = params, args
        if key not in self.moves:
            self.moves[key] = self.move(params, args)
        move = self.moves[key]
        if move is None:
            return self.gather(self.table(value, params), args)
        return value.transpose(move) if move else value

    def move(self, params: tuple[str, ...], args: tuple[Term, ...]) -> tuple[int, ...] | None:
        """Return the permutation of axes that renames the parameters, () for none, None if that is not enough."""
        variables = [arg.variable for arg in args]
        if None in variables or len(set(variables)) < len(variables):
            return None
        source = [self.axes[name] for name in params]
        target = [self.axes[name] for name in variables if name is not None]
        if source == target:
            return ()
        others = iter([axis for axis in range(1, self.ndim) if axis not in source])
        place = dict(zip(target, source, strict=True))
        return (0, *(place[axis] if axis in place else next(others) for axis in range(1, self.ndim)))

    def compare(self, phi: Compare) -> Array:
        left, right = self.term(phi.left), self.term(phi.right)
        result = left == right if phi.op == "=" else left < right if phi.op == "<" else left <= right
        return np.asarray(result, bool)

    def bit(self, phi: Bit) -> Array:
        number, index = self.term(phi.number), self.term(phi.index)
        width = self.term_bound(phi.number).bit_length() + 1
        inside = (number >= 0) & (index >= 1) & (index <= width)
        shift = np.minimum(np.maximum(index - 1, 0), width - 1)
        return np.asarray(inside, bool) & np.asarray((number >> shift) & 1 == 1, bool)

    def fold(self, operation: np.ufunc, parts: Sequence[Formula]) -> Array:
        """Combine many values, in place once the result is our own and has its final shape."""
        values = self.values
        result: Array = operation(values[parts[0]], values[parts[1]])
        for part in parts[2:]:
            other = values[part]
            if other.shape == result.shape:
                operation(result, other, out=result)
            else:
                result = operation(result, other)
        return result

    def how_many(self, phi: Forall | Exists | Majority) -> Array:
        return self.add_up(self.values[phi.body], phi.variable)

    def add_up(self, value: Array, variable: str) -> Array:
        """Sum over the values of a variable."""
        axis = self.axes[variable]
        kind = object if value.dtype == object else np.int64
        if value.shape[axis] == 1 and self.n != 1:
            return value.astype(kind) * self.n
        return np.asarray(np.add.reduce(value, axis=axis, dtype=kind, keepdims=True))

    # Sums.

    def count(self, item: Count) -> Array:
        condition, weight = self.values[item.condition], self.values[item.weight]
        self.bounds[item] = bound = self.n * self.bounds[item.weight]
        if item.weight is ONE:
            return self.add_up(condition, item.variable)
        weighted = np.where(condition, weight, 0)
        return self.add_up(weighted.astype(object) if bound >= _WIDE else weighted, item.variable)

    def sum(self, total: Sum) -> Array:
        bounds, values = self.bounds, self.values
        constant = total.length * self.n + total.const
        bound = abs(constant)
        groups: dict[tuple[int, ...], list[tuple[int, Array]]] = {}
        for coef, item in total.items:
            bound += abs(coef) * bounds.get(item, 1)
            value = values[item]
            groups.setdefault(value.shape, []).append((coef, value))
        bounds[total] = bound
        kind: Any = np.int64 if bound < _WIDE else object
        result: Array = np.full(self.ones, constant, dtype=kind)
        for shape, products in groups.items():
            result = result + _dot(products, shape, kind, bound)
        return result


def _dot(products: list[tuple[int, Array]], shape: tuple[int, ...], kind: Any, bound: int) -> Array:
    """Add up the products of coefficients and arrays of one shape; every partial sum is at most `bound`."""
    coef, value = products[0]
    if kind is object:
        wide = value.astype(object) * coef
        for coef, value in products[1:]:
            wide = wide + value.astype(object) * coef
        return wide
    if len(products) >= 4 and value.size <= _STACK and bound < _EXACT_FLOAT:
        coefs = np.array([coef for coef, _ in products], dtype=np.float64)
        stacked = np.concatenate([value.reshape(1, -1) for _, value in products], dtype=np.float64)
        return (coefs @ stacked).astype(np.int64).reshape(shape)
    result: Array = np.multiply(value, coef, dtype=np.int64)
    scratch = np.empty_like(result)
    for coef, value in products[1:]:
        np.multiply(value, coef, out=scratch, dtype=np.int64)
        result += scratch
    return result
