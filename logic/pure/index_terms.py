"""Index terms as counting: the second step to the minimal dialect, after which their counting atoms are rewritten.

``s <= t`` compares numbers in Z, and so does a linear counting atom, in which a variable x is ``#y[y <= x]``. A relation at a
term is the relation at the position that equals it. What remains has terms of the few forms in `relational`.

A bit of a term t: with ``|t| < 2^C * (n + 1)``, t = 2^C * h + l where ``h >= p iff t >= 2^C * p``, so that h is the count of such
p. The bits of l follow from the highest to the lowest, each a comparison of t less what is known already. Bit i of t is bit i
of l for i <= C, and bit i - C of h, which is a position, for i > C.
"""

from __future__ import annotations

from logic.pure.connectives import conj, disj, neg
from logic.pure.relational import is_simple, is_simple_comparison
from logic.pure.rewriting import rewrite
from logic.pure.store import Store
from logic.syntax import (
    FALSE,
    TRUE,
    Bit,
    Call,
    Compare,
    Count,
    Exists,
    Formula,
    Indicator,
    Item,
    Letter,
    Linear,
    Sentence,
    Sum,
    Term,
    var,
)
from logic.walk import Part


def terms_to_counts(sentence: Sentence) -> Sentence:
    """Replace all index terms of a pure sentence but simple ones by linear counting atoms."""
    store = Store(sentence)
    return rewrite(sentence, store, _Terms(store).atom)


class _Terms:
    """The atoms of one sentence."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def atom(self, node: Part) -> Part:
        """An atom without difficult terms."""
        match node:
            case Letter(name, t):
                if is_simple(t):
                    return node
                (z,) = self.store.fresh(t.free)
                return Exists(z, conj(self.compare("=", var(z), t), Letter(name, var(z))))
            case Call(name, args):
                return self.call(name, args)
            case Compare(op, s, t):
                return self.compare(op, s, t)
            case Bit(number, index):
                return self.bit(number, index)
            case _:
                return node

    def places(self, args: tuple[Term, ...]) -> tuple[list[str], list[Formula], tuple[Term, ...]]:
        """Variables for the difficult arguments, what they equal, and the arguments with them."""
        names = iter(self.store.fresh(frozenset().union(*(arg.free for arg in args)), len(args)))
        bound: list[str] = []
        equal: list[Formula] = []
        moved: list[Term] = []
        for arg in args:
            if is_simple(arg):
                moved.append(arg)
            else:
                bound.append(next(names))
                moved.append(var(bound[-1]))
                equal.append(self.compare("=", moved[-1], arg))
        return bound, equal, tuple(moved)

    def call(self, name: str, args: tuple[Term, ...]) -> Formula:
        """A relation at terms: positions that equal the terms are related."""
        bound, equal, moved = self.places(args)
        phi = conj(*equal, Call(name, moved))
        for z in reversed(bound):
            phi = Exists(z, phi)
        return phi

    def compare(self, op: str, s: Term, t: Term) -> Formula:
        """A comparison of terms, as counting unless it is simple."""
        if is_simple_comparison(op, s, t):
            return Compare(op, s, t)
        if op == "=":
            return conj(self.at_least(t - s, 0), self.at_least(s - t, 0))
        return self.at_least(t - s, 1 if op == "<" else 0)

    def at_least(self, t: Term, bound: int) -> Formula:
        """A term is at least an integer."""
        items = self.items(t)
        if not items:
            return TRUE if t.const >= bound else FALSE
        return Linear(Sum(items, 0, t.const), bound)

    def items(self, t: Term) -> tuple[tuple[int, Item], ...]:
        """The part of a term with variables and n, as counts."""
        items: list[tuple[int, Item]] = []
        for name, coef in t.coefs:
            (y,) = self.store.fresh((name,))
            items.append((coef, Count(y, Compare("<=", var(y), var(name)))))
        if t.n:
            (y,) = self.store.fresh(())
            items.append((t.n, Count(y, TRUE)))
        return tuple(items)

    def bit(self, number: Term, index: Term) -> Formula:
        """A bit of a term."""
        if not number.free and not number.n:
            places = [place for place in range(number.const.bit_length()) if number.const >> place & 1]
            return disj(*(self.compare("=", index, Term((), 0, place + 1)) for place in places if number.const > 0))
        if number.variable or (number.n == 1 and number == Term((), 1)):
            return self.at_index(number, index)
        largest = abs(number.n) + sum(abs(coef) for _, coef in number.coefs)
        width = max((largest - 1).bit_length(), abs(number.const).bit_length())
        params = tuple(sorted(number.free))
        (p,) = self.store.fresh(params)
        high = self.store.define("high", (p, *params), self.at_least(number - var(p) * (1 << width), 0))
        items = [*self.items(number), (-1 << width, Count(p, high))]
        low: list[Formula] = []
        for place in reversed(range(width)):
            body = Linear(Sum(tuple(items), 0, number.const), 1 << place)
            low.append(self.store.define("low", params, body))
            items.append((-1 << place, Indicator(low[-1])))
        of_low = [conj(bit, self.compare("=", index, Term((), 0, width - step))) for step, bit in enumerate(low)]
        h, i = self.store.fresh(params + tuple(index.free), 2)
        last = conj(Call(high.name, (var(h), *map(var, params))), neg(Call(high.name, (var(h) + 1, *map(var, params)))))
        of_high = Exists(h, Exists(i, conj(last, self.compare("=", var(i), index - width), Bit(var(h), var(i)))))
        return conj(self.at_least(number, 0), disj(*of_low, of_high))

    def at_index(self, number: Term, index: Term) -> Formula:
        """A bit of a position: its place is a position too, as 2^n > n."""
        z, i = self.store.fresh(number.free | index.free, 2)
        phi: Formula = Bit(number if number.variable else var(z), index if index.variable else var(i))
        if not index.variable:
            phi = Exists(i, conj(self.compare("=", var(i), index), phi))
        return phi if number.variable else Exists(z, conj(Compare("=", var(z), number), phi))
