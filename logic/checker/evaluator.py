"""What a sentence says on many words at once, following `logic.semantics` with an array for every definition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from logic import syntax as fo

Array = np.ndarray[Any, np.dtype[Any]]
Scope = dict[str, int]


class Evaluator:
    """Evaluates a sentence on B words of length n: arrays of shape ``(B, n, .., n)``, one axis for each variable in scope.

    Args:
        shape: ``(B, n)``.
        letters: where each letter stands, ``(B, n)``.
        propositions: where each proposition holds, ``(B,)``.
    """

    def __init__(
        self,
        sentence: fo.Sentence,
        shape: tuple[int, int],
        letters: Mapping[str, Array],
        propositions: Mapping[str, Array] = MappingProxyType({}),
    ) -> None:
        self.batch, self.n = shape
        self.letters = letters
        self.tables: dict[str, Array] = dict(propositions)
        for definition in sentence.definitions:
            scope = {name: place for place, name in enumerate(definition.params)}
            body = definition.body
            self.tables[definition.name] = (
                self.sum(body, scope) if isinstance(body, fo.Sum) else self.holds(body, scope)
            )
        self.formula = self.holds(sentence.formula, {name: place for place, name in enumerate(sentence.free)})

    def shape(self, scope: Scope) -> tuple[int, ...]:
        """The shape of a value."""
        return (self.batch, *(self.n for _ in scope))

    def term(self, term: fo.Term, scope: Scope) -> Array:
        """An index term, without the axis of the batch."""
        total = np.full((self.n,) * len(scope), term.n * self.n + term.const, dtype=np.int64)
        for name, coef in term.coefs:
            axis = np.arange(1, self.n + 1).reshape(
                [self.n if scope[name] == place else 1 for place in range(len(scope))]
            )
            total = total + coef * axis
        return total

    def read(self, table: Array, args: tuple[fo.Term, ...], scope: Scope) -> Array:
        """A table at some places; 0 outside of the word."""
        found = table
        places = [self.term(arg, scope) for arg in args]
        inside = np.ones((self.n,) * len(scope), dtype=bool)
        for place in places:
            inside = inside & (place >= 1) & (place <= self.n)
        index: list[Any] = [np.clip(place, 1, max(self.n, 1)) - 1 for place in places]
        found = found[(slice(None), *index)] if places else found.reshape(self.batch, *(1 for _ in scope))
        if not inside.all():
            found = np.where(inside, found, np.zeros((), dtype=found.dtype))
        return np.broadcast_to(found, self.shape(scope))

    def holds(self, phi: fo.Formula, scope: Scope) -> Array:
        """The truth of a formula."""
        match phi:
            case fo.Truth(value):
                return np.full(self.shape(scope), value)
            case fo.Letter(name, term):
                return self.read(self.letters[name], (term,), scope).astype(bool)
            case fo.Call(name, args):
                return self.read(self.tables[name], args, scope).astype(bool)
            case fo.Compare(op, left, right):
                one, two = self.term(left, scope), self.term(right, scope)
                truth = one == two if op == "=" else one < two if op == "<" else one <= two
                return np.broadcast_to(truth, self.shape(scope))
            case fo.Bit(number, index):
                whole, place = self.term(number, scope), self.term(index, scope)
                bit = (whole >= 0) & (place >= 1) & (place <= 63) & (whole >> np.clip(place - 1, 0, 62) & 1 == 1)
                return np.broadcast_to(bit, self.shape(scope))
            case fo.Not(body):
                return ~self.holds(body, scope)
            case fo.And(parts) | fo.Or(parts):
                fold = np.logical_and if isinstance(phi, fo.And) else np.logical_or
                result = self.holds(parts[0], scope)
                for part in parts[1:]:
                    result = fold(result, self.holds(part, scope))
                return result
            case fo.Implies(left, right):
                return ~self.holds(left, scope) | self.holds(right, scope)
            case fo.Iff(left, right):
                return self.holds(left, scope) == self.holds(right, scope)
            case fo.Exists(variable, body) | fo.Forall(variable, body) | fo.Majority(variable, body):
                many = self.holds(body, {**without(scope, variable), variable: len(scope)}).sum(axis=-1)
                if isinstance(phi, fo.Majority):
                    return 2 * many >= self.n
                return many >= 1 if isinstance(phi, fo.Exists) else many == self.n
            case fo.Linear(total, bound):
                return self.sum(total, scope) >= bound
            case _:
                raise TypeError(f"not a formula: {type(phi).__name__}")

    def sum(self, total: fo.Sum, scope: Scope) -> Array:
        """The value of a counting term."""
        result = np.full(self.shape(scope), total.length * self.n + total.const, dtype=np.int64)
        for coef, item in total.items:
            match item:
                case fo.Indicator(phi):
                    value = self.holds(phi, scope).astype(np.int64)
                case fo.SumCall(name, args):
                    value = self.read(self.tables[name], args, scope)
                case fo.Count(variable, condition, weight):
                    inner = {**without(scope, variable), variable: len(scope)}
                    value = (self.holds(condition, inner) * self.sum(weight, inner)).sum(axis=-1)
                case _:
                    raise TypeError(f"not an item: {type(item).__name__}")
            result = result + coef * value
        return result


def without(scope: Scope, variable: str) -> Scope:
    """A scope whose variable of that name is hidden by another: its axis stays, under a name of its own."""
    return {f"{name}'" if name == variable else name: axis for name, axis in scope.items()}


def letters_of(words: Array, alphabet: Sequence[str]) -> dict[str, Array]:
    """Where each letter stands in words of letter numbers."""
    return {name: words == number for number, name in enumerate(alphabet)}
