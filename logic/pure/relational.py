"""The last step to the minimal dialect: the terms that pure sentences are made with, as relations over <, = and bit.

Addition is `derived.plus`, with its carries in a definition of their own. Constants have definitions: 1 has no position before
it, n none behind.
"""

from __future__ import annotations

from collections.abc import Callable

from logic.pure import derived
from logic.pure.connectives import conj, disj, neg
from logic.pure.rewriting import rewrite
from logic.pure.store import Store
from logic.syntax import Call, Compare, Exists, Formula, Letter, Sentence, Term, var
from logic.walk import Part

Shape = tuple[tuple[int, ...], int, int]
"""The coefficients of the variables, of n and of 1."""

FIRST, LAST, NEXT, BEFORE, PLUS, TWICE, LESS, MIRROR, MIRROR_SWAPPED, LESS_SWAPPED, ODD, VARIABLE = (
    ((), 0, 1),
    ((), 1, 0),
    ((1,), 0, 1),
    ((1,), 0, -1),
    ((1, 1), 0, 0),
    ((2,), 0, 0),
    ((1, -1), 0, 0),
    ((2, -1), 0, 0),
    ((-1, 2), 0, 0),
    ((-1, 1), 0, 0),
    ((2,), 0, -1),
    ((1,), 0, 0),
)
TWICE_PLUS = ((2, 2), 0, 0)
N = Term((), 1)
SIMPLE = {FIRST, LAST, NEXT, BEFORE, PLUS, TWICE, LESS, MIRROR, MIRROR_SWAPPED, LESS_SWAPPED, ODD, VARIABLE}


def shape(term: Term) -> Shape:
    """The coefficients of a term, without the names of its variables."""
    return tuple(coef for _, coef in term.coefs), term.n, term.const


def is_simple(term: Term) -> bool:
    """Tell whether there is a relation that says ``z = term``."""
    return shape(term) in SIMPLE


def is_simple_comparison(op: str, s: Term, t: Term) -> bool:
    """Tell whether a comparison is one of variables, an equation with a simple term, or a bound on a sum of variables."""
    if s.variable or t.variable:
        return bool(s.variable and t.variable) or (op == "=" and is_simple(s) and is_simple(t))
    bounded = {N: (PLUS, TWICE), N + 1: (TWICE, TWICE_PLUS)}.get(t, ())
    return op == "<=" and shape(s) in bounded


def terms_to_relations(sentence: Sentence) -> Sentence:
    """Replace the simple index terms of a pure sentence by relations."""
    store = Store(sentence)
    return rewrite(sentence, store, _Relations(store).atom)


class _Relations:
    """The atoms of one sentence, and the relations of arithmetic that they need."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def atom(self, node: Part) -> Part:
        """An atom over variables only."""
        match node:
            case Letter(name, t):
                return self.at((t,), lambda args: Letter(name, args[0]))
            case Call(name, args):
                return self.at(args, lambda moved: Call(name, moved))
            case Compare(op, s, t):
                return self.compare(op, s, t)
            case _:
                return node

    def at(self, terms: tuple[Term, ...], phi: Callable[[tuple[Term, ...]], Formula]) -> Formula:
        """An atom at the positions that equal terms."""
        if all(term.variable for term in terms):
            return phi(terms)
        names = iter(self.store.fresh(frozenset().union(*(term.free for term in terms)), len(terms)))
        bound = [None if term.variable else next(names) for term in terms]
        moved = tuple(term if z is None else var(z) for z, term in zip(bound, terms, strict=True))
        result = phi(moved)
        for z, term in reversed(list(zip(bound, terms, strict=True))):
            if z is not None:
                result = Exists(z, conj(self.equals(var(z), term), result))
        return result

    def compare(self, op: str, s: Term, t: Term) -> Formula:
        """A simple comparison."""
        if not is_simple_comparison(op, s, t):
            raise TypeError(f"not a simple comparison: {s} {op} {t}")
        if s.variable and t.variable:
            return neg(Compare("<", t, s)) if op == "<=" else Compare(op, s, t)
        if op == "=":
            return self.equals(s, t) if s.variable else self.equals(t, s)
        (z,) = self.store.fresh(s.free)
        if t is N:
            return Exists(z, self.equals(var(z), s))
        if shape(s) == TWICE_PLUS:
            total = Term(tuple((name, 1) for name, _ in s.coefs))
            return Exists(z, conj(self.equals(var(z), total), self.compare(op, var(z) * 2, t)))
        return Exists(z, self.equals(var(z), s - 1))

    def equals(self, z: Term, t: Term) -> Formula:
        """The position z equals a simple term."""
        args = [var(name) for name, _ in t.coefs]
        kind = shape(t)
        if kind == VARIABLE:
            return Compare("=", z, t)
        if kind in (FIRST, LAST):
            return self.first(z) if kind == FIRST else self.last(z)
        if kind in (NEXT, BEFORE):
            return self.next(args[0], z) if kind == NEXT else self.next(z, args[0])
        if kind in (PLUS, TWICE):
            return self.plus(args[0], args[-1], z)
        if kind in (LESS, LESS_SWAPPED):
            large, small = args if kind == LESS else reversed(args)
            return self.plus(small, z, large)
        if kind == ODD:
            return self.odd(args[0], z)
        if kind in (MIRROR, MIRROR_SWAPPED):
            middle, other = args if kind == MIRROR else reversed(args)
            return self.mirror(middle, other, z)
        raise TypeError(f"not a simple term: {t}")

    def relation(
        self, name: str, params: tuple[str, ...], body: Formula, comment: str, args: tuple[Term, ...]
    ) -> Formula:
        """A relation of arithmetic at some variables."""
        return Call(self.store.define("arithmetic", params, body, comment, name).name, args)

    def first(self, x: Term) -> Formula:
        """The first position."""
        u, v = self.store.fresh((), 2)
        return self.relation("first", (u,), neg(Exists(v, less(v, u))), f"{u} = 1", (x,))

    def last(self, x: Term) -> Formula:
        """The last position."""
        u, v = self.store.fresh((), 2)
        return self.relation("last", (u,), neg(Exists(v, less(u, v))), f"{u} = n", (x,))

    def next(self, x: Term, y: Term) -> Formula:
        """Y follows x."""
        u, v, w = self.store.fresh((), 3)
        body = conj(less(u, v), neg(Exists(w, conj(less(u, w), less(w, v)))))
        return self.relation("next", (u, v), body, f"{v} = {u} + 1", (x, y))

    def plus(self, x: Term, y: Term, z: Term) -> Formula:
        """X + y = z, by carry look-ahead."""
        u, v, w, b, c, d = self.store.fresh((), 6)
        body = derived.carries(var(u), var(v), var(b), (c, d))
        comment = f"{u} + {v} carries into bit {b}"
        carry = self.relation("carry", (u, v, b), body, comment, (var(u), var(v), var(b)))
        body = derived.plus(var(u), var(v), var(w), carry, b)
        return self.relation("plus", (u, v, w), body, f"{w} = {u} + {v}", (x, y, z))

    def odd(self, x: Term, z: Term) -> Formula:
        """Z = 2x - 1."""
        u, w, v = self.store.fresh((), 3)
        body = disj(
            conj(self.first(var(u)), self.first(var(w))),
            Exists(v, conj(self.next(var(v), var(u)), self.plus(var(u), var(v), var(w)))),
        )
        return self.relation("odd", (u, w), body, f"{w} = 2{u} - 1", (x, z))

    def mirror(self, middle: Term, other: Term, z: Term) -> Formula:
        """Z = 2 middle - other: both are the middle, or as far from it on different sides."""
        m, u, w, d = self.store.fresh((), 4)
        sides = [
            conj(self.plus(var(m), var(d), var(a)), self.plus(var(b), var(d), var(m))) for a, b in ((u, w), (w, u))
        ]
        body = disj(conj(Compare("=", var(u), var(m)), Compare("=", var(w), var(m))), Exists(d, disj(*sides)))
        return self.relation("mirror", (m, u, w), body, f"{w} = 2{m} - {u}", (middle, other, z))


def less(x: str, y: str) -> Formula:
    """Build ``x < y``."""
    return Compare("<", var(x), var(y))
