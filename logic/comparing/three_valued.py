"""Three-valued truth of a sentence on partial words: true on all of the words, false on all of them, or not known.

A formula has two truth values, whether it must hold and whether it can hold; a counting term has an interval. So connectives
are Kleene's (*Introduction to Metamathematics*, 1952, section 64), and a linear counting atom compares the ends of an
interval. On a partial word that allows one letter at each position both values are the truth. Values are arrays with one axis
for the partial words and one for each variable of a definition, of extent 1 where nothing depends on it. Input propositions
are false.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from logic.syntax import (
    And,
    Bit,
    Call,
    Compare,
    Count,
    Definition,
    Exists,
    Forall,
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
from logic.walk import Part, postorder

Array = np.ndarray[Any, Any]
Masks = np.ndarray[Any, np.dtype[np.bool_]]
Ends = tuple[Array, Array]
"""The least and the largest value."""

WIDE = 1 << 62


def bounds(sentence: Sentence, allowed: Masks, wanted: Sequence[str]) -> dict[str, Ends]:
    """Evaluate a checked sentence on partial words.

    Args:
        allowed: ``(B, n, L)``, which letters may stand at each position, at least one.
        wanted: names of definitions; "" is the last formula.

    Returns:
        For each name two arrays of truth values, ``(B,)``, or ``(B, n, ..)`` with one axis for each parameter: whether it must
        hold, and whether it can hold.
    """
    last = Definition("", sentence.free, sentence.formula)
    needed = needed_definitions((*sentence.definitions, last), set(wanted))
    known: dict[str, Ends] = {}
    for definition in needed:
        known[definition.name] = Evaluation(sentence, definition, allowed, known).run()
    return {name: known[name] for name in wanted}


def needed_definitions(definitions: Sequence[Definition], wanted: set[str]) -> list[Definition]:
    """The definitions that those wanted depend on, in order."""
    found = []
    for definition in reversed(definitions):
        if definition.name in wanted:
            found.append(definition)
            wanted |= {node.name for node in postorder(definition.body) if isinstance(node, Call | SumCall)}
    return found[::-1]


@dataclass(slots=True)
class Evaluation:
    """The evaluation of one definition, from those before it."""

    sentence: Sentence
    definition: Definition
    allowed: Masks
    known: dict[str, Ends]

    def run(self) -> Ends:
        """Two arrays with an axis for the partial words and one for each parameter, at full length."""
        nodes = list(postorder(self.definition.body))
        axes: dict[str, int] = {name: 1 + index for index, name in enumerate(self.definition.params)}
        for node in nodes:
            if isinstance(node, Forall | Exists | Majority | Count) and node.variable not in axes:
                axes[node.variable] = 1 + len(axes)
        values: dict[Part, Ends] = {}
        for node in nodes:
            values[node] = self.value(node, values, axes)
        k = len(self.definition.params)
        batch, n, _ = self.allowed.shape
        found = values[self.definition.body]
        kept = [end.reshape(end.shape[: 1 + k]) for end in found]
        low, high = (np.broadcast_to(end, (batch, *(n,) * k)) for end in kept)
        return low, high

    def value(self, node: Part, values: dict[Part, Ends], axes: dict[str, int]) -> Ends:
        """The bounds of one node from those of its parts."""
        n = self.allowed.shape[1]
        match node:
            case Truth(value):
                return same(np.full((1,) * (1 + len(axes)), value))
            case Letter(name, term):
                letter = self.sentence.letters.index(name)
                can = self.allowed[:, :, letter]
                must = can & (self.allowed.sum(axis=2) == 1)
                return self.read((must, can), (term,), axes)
            case Call(name, ()) if name in self.sentence.propositions:
                return same(np.zeros((1,) * (1 + len(axes)), dtype=bool))
            case Call(name, args) | SumCall(name, args):
                return self.read(self.known[name], args, axes)
            case Compare(op, left, right):
                one, other = self.term(left, axes), self.term(right, axes)
                return same(one == other if op == "=" else one < other if op == "<" else one <= other)
            case Bit(number, index):
                whole, place = self.term(number, axes), self.term(index, axes)
                shifted = whole >> np.clip(place - 1, 0, 62)
                return same((whole >= 0) & (place >= 1) & (place <= 63) & (shifted & 1 == 1))
            case Not(body):
                low, high = values[body]
                return ~high, ~low
            case And(parts):
                return folded(np.logical_and, [values[part] for part in parts])
            case Or(parts):
                return folded(np.logical_or, [values[part] for part in parts])
            case Implies(left_side, right_side):
                (a, b), (c, d) = values[left_side], values[right_side]
                return ~b | c, ~a | d
            case Iff(left_side, right_side):
                (a, b), (c, d) = values[left_side], values[right_side]
                return (a & c) | ~(b | d), ~((a & ~d) | (~b & c))
            case Forall(variable, body):
                return ends(values[body], lambda end: end.all(axis=axes[variable], keepdims=True))
            case Exists(variable, body):
                return ends(values[body], lambda end: end.any(axis=axes[variable], keepdims=True))
            case Majority(variable, body):
                counted = self.add_up(values[body], axes[variable])
                return ends(counted, lambda end: 2 * end >= n)
            case Indicator(formula):
                return ends(values[formula], lambda end: end.astype(np.int64))
            case Count(variable, condition, weight):
                (must, can), (low, high) = values[condition], values[weight]
                least = np.where(must, low, np.where(can, np.minimum(low, 0), 0))
                return self.add_up((least, np.where(must, high, np.where(can, np.maximum(high, 0), 0))), axes[variable])
            case Linear(total, bound):
                return ends(values[total], lambda end: np.asarray(end >= bound, dtype=bool))
            case Sum(items, length, const):
                return self.sum([(coef, values[item]) for coef, item in items], length * n + const, len(axes))
            case _:
                raise TypeError(f"not a formula: {type(node).__name__}")

    def term(self, term: Term, axes: dict[str, int]) -> Array:
        """An index term at all positions of its variables."""
        n = self.allowed.shape[1]
        total = np.full((1,) * (1 + len(axes)), term.n * n + term.const, dtype=np.int64)
        for name, coef in term.coefs:
            shape = [1] * (1 + len(axes))
            shape[axes[name]] = n
            total = total + coef * np.arange(1, n + 1).reshape(shape)
        return total

    def read(self, found: Ends, args: Sequence[Term], axes: dict[str, int]) -> Ends:
        """A value of one axis for each argument, read at index terms: false or 0 outside of the word."""
        n = self.allowed.shape[1]
        if not args:
            return ends(found, lambda end: end.reshape(-1, *(1,) * len(axes)))
        places = [self.term(arg, axes)[0] for arg in args]
        inside = np.ones((1,) * len(axes), dtype=bool)
        for place in places:
            inside = inside & (place >= 1) & (place <= n)
        index = tuple(np.clip(place, 1, n) - 1 for place in places)
        return ends(found, lambda end: np.where(inside, end[(slice(None), *index)], end.dtype.type(0)))

    def add_up(self, found: Ends, axis: int) -> Ends:
        """The sum over the positions of a variable."""
        n = self.allowed.shape[1]

        def total(end: Array) -> Array:
            kind = np.dtype(object) if n * magnitude(end) >= WIDE else np.dtype(np.int64)
            whole: Array = end.astype(kind).sum(axis=axis, keepdims=True)
            return whole * n if end.shape[axis] == 1 else whole

        return ends(found, total)

    def sum(self, items: Sequence[tuple[int, Ends]], const: int, n_axes: int) -> Ends:
        """A linear combination, in Python's integers where it could leave 62 bits."""
        reach = abs(const) + sum(abs(coef) * max(map(magnitude, found)) for coef, found in items)
        kind = np.dtype(object) if reach >= WIDE else np.dtype(np.int64)
        low = np.full((1,) * (1 + n_axes), const, dtype=kind)
        high = low
        for coef, (least, largest) in items:
            near, far = (least, largest) if coef >= 0 else (largest, least)
            low = low + coef * near.astype(kind)
            high = high + coef * far.astype(kind)
        return low, high


def same(value: Array) -> Ends:
    """What is known."""
    return value, value


def ends(found: Ends, function: Any) -> Ends:
    """Apply a function that never decreases to both ends."""
    low = function(found[0])
    return low, low if found[0] is found[1] else function(found[1])


def folded(operation: np.ufunc, parts: Sequence[Ends]) -> Ends:
    """A conjunction or disjunction."""
    low, high = parts[0]
    for other, another in parts[1:]:
        low, high = operation(low, other), operation(high, another)
    return low, high


def magnitude(values: Array) -> int:
    """The largest absolute value."""
    return max(abs(int(values.min())), abs(int(values.max()))) if values.size else 0
