"""The meaning of FO(M): `satisfies` reads like M&S 2023, Def. 4, and is the oracle for everything faster.

Positions are 1..n and index terms are evaluated in Z. A letter, a defined relation or a defined sum read at a position outside
1..n is false or 0; at n = 0 every `forall` and every `M` is true and every `exists` false. Each definition is evaluated
once for each tuple of positions it is asked for, so the time is linear in the shared size of the sentence.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from circuits.diagnostics import fail
from logic.syntax import (
    And,
    Bit,
    Call,
    Compare,
    Count,
    Definition,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Indicator,
    Item,
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

_FRAMES = 100_000

Assignment = Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Word:
    """A word: its letters, the one of position 1 first, and the propositions that hold in it."""

    letters: tuple[str, ...]
    propositions: frozenset[str] = frozenset()

    @property
    def n(self) -> int:
        """The length."""
        return len(self.letters)


def satisfies(word: Word, phi: Sentence | Formula, assignment: Assignment | None = None) -> bool:
    """Tell whether `phi` holds in `word` under an assignment of positions to its free variables.

    Raises `FomError` if a free variable has no position, or a formula is nested deeper than about 20 000 levels.
    """
    sentence = phi if isinstance(phi, Sentence) else Sentence((), (), (), phi)
    values = dict(assignment or {})
    missing = sorted(sentence.formula.free - values.keys())
    if missing:
        raise fail("L014", f"the free variable `{missing[0]}` has no position", help="give one in the assignment")
    with deep_recursion():
        return _Meaning(word, sentence).holds(sentence.formula, values)


class _Meaning:
    """The meaning of formulas in one word, and what is known of the definitions so far."""

    def __init__(self, word: Word, sentence: Sentence) -> None:
        self.word = word
        self.n = word.n
        self.definitions: dict[str, Definition] = {definition.name: definition for definition in sentence.definitions}
        self.known: dict[tuple[str, tuple[int, ...]], int] = {}

    def holds(self, phi: Formula, v: Assignment) -> bool:
        """Tell whether `phi` holds under the assignment `v`."""
        match phi:
            case Truth(value):
                return value
            case Letter(name, t):
                position = t.evaluate(self.n, v)
                return 1 <= position <= self.n and self.word.letters[position - 1] == name
            case Call(name, args):
                return bool(self.defined(name, args, v))
            case Compare("=", s, t):
                return s.evaluate(self.n, v) == t.evaluate(self.n, v)
            case Compare("<", s, t):
                return s.evaluate(self.n, v) < t.evaluate(self.n, v)
            case Compare("<=", s, t):
                return s.evaluate(self.n, v) <= t.evaluate(self.n, v)
            case Bit(t, index):
                number, i = t.evaluate(self.n, v), index.evaluate(self.n, v)
                return number >= 0 and i >= 1 and number >> (i - 1) & 1 == 1
            case Not(psi):
                return not self.holds(psi, v)
            case And(parts):
                for part in parts:  # noqa: SIM110 - a generator would nest on the C stack
                    if not self.holds(part, v):
                        return False
                return True
            case Or(parts):
                for part in parts:  # noqa: SIM110
                    if self.holds(part, v):
                        return True
                return False
            case Implies(left, right):
                return not self.holds(left, v) or self.holds(right, v)
            case Iff(left, right):
                return self.holds(left, v) == self.holds(right, v)
            case Forall(x, psi):
                return self.count(x, psi, v) == self.n
            case Exists(x, psi):
                return self.count(x, psi, v) >= 1
            case Majority(x, psi):
                return 2 * self.count(x, psi, v) >= self.n
            case Linear(total, bound):
                return self.value(total, v) >= bound
            case _:
                raise TypeError(f"not a formula: {type(phi).__name__}")

    def count(self, x: str, psi: Formula, v: Assignment) -> int:
        """Count the positions that make `psi` true as the value of x."""
        total = 0
        for position in range(1, self.n + 1):
            if self.holds(psi, {**v, x: position}):
                total += 1
        return total

    def value(self, total: Sum, v: Assignment) -> int:
        """Evaluate a counting term."""
        result = total.length * self.n + total.const
        for coef, item in total.items:
            result += coef * self.item(item, v)
        return result

    def item(self, item: Item, v: Assignment) -> int:
        """Evaluate what a sum adds up."""
        match item:
            case Indicator(phi):
                return 1 if self.holds(phi, v) else 0
            case Count(y, condition, weight):
                result = 0
                for position in range(1, self.n + 1):
                    extended = {**v, y: position}
                    if self.holds(condition, extended):
                        result += self.value(weight, extended)
                return result
            case SumCall(name, args):
                return self.defined(name, args, v)
            case _:
                raise TypeError(f"not an item: {type(item).__name__}")

    def defined(self, name: str, args: tuple[Term, ...], v: Assignment) -> int:
        """Evaluate a defined relation or sum, or an input proposition, as an integer."""
        positions = tuple([t.evaluate(self.n, v) for t in args])
        for position in positions:
            if not 1 <= position <= self.n:
                return 0
        definition = self.definitions.get(name)
        if definition is None:
            if args:
                raise fail("L010", f"the relation `{name}` is not defined")
            return int(name in self.word.propositions)
        key = name, positions
        if key not in self.known:
            inner = dict(zip(definition.params, positions, strict=True))
            body = definition.body
            self.known[key] = self.value(body, inner) if isinstance(body, Sum) else int(self.holds(body, inner))
        return self.known[key]


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Allow deep nesting: calls between Python functions use no C stack since 3.11. Restore the limit afterwards."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _FRAMES))
    try:
        yield
    except RecursionError:
        raise fail("L020", "the formula is nested too deeply", help="name its parts with definitions") from None
    finally:
        sys.setrecursionlimit(limit)
