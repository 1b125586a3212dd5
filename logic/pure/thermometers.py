"""Numbers 0..n as relations: ``u(p, x)`` says that the number u of x is at least p, for p in 1..n.

0 is the relation that is false everywhere, so no number lacks a witness, and a relation that is read outside the word, which is
false there, is the number 0. Each operation below is one definition over its arguments, with at most one quantifier:

    half:  floor(u / 2) >= p        iff  u >= 2p
    mean:  floor((u + v) / 2) >= p  iff  u >= 2p, or v >= 2p, or u >= q and v >= 2p - q for some q in 1..n
    sum:   u + v >= p               iff  u >= p, or v >= p, or u >= q and v >= p - q for some q in 1..n
    odd:   u is odd                 iff  u >= 2p - 1 and not u >= 2p for some p in 1..n

From right to left each line is addition (an argument outside of 1..n makes its atom false). From left to right: in the second, if
neither u nor v reaches 2p, then u >= 1 (else v >= 2p), q = u has 1 <= 2p - q, and v >= 2p - q as u + v >= 2p; likewise the
third. In the last p = (u + 1) / 2.
"""

from __future__ import annotations

from dataclasses import dataclass

from logic.pure import derived
from logic.pure.connectives import conj, disj, neg
from logic.pure.store import Store
from logic.syntax import TRUE, Call, Compare, Exists, Forall, Formula, Term, var

ONE = Term((), 0, 1)


@dataclass(frozen=True, slots=True)
class Thermometer:
    """A number 0..n: the relation `name`, applied to a position and `args`."""

    name: str
    args: tuple[Term, ...] = ()

    def reaches(self, place: Term) -> Formula:
        """The number is at least `place`; false unless `place` is in 1..n."""
        return Call(self.name, (place, *self.args))

    @property
    def free(self) -> frozenset[str]:
        """The variables it depends on."""
        return frozenset().union(*(arg.free for arg in self.args))


def thermometer(store: Store, kind: str, p: str, body: Formula) -> Thermometer:
    """The number that is at least p iff `body` holds."""
    params = tuple(sorted(body.free - {p}))
    return Thermometer(store.define(kind, (p, *params), body).name, tuple(map(var, params)))


def length(store: Store) -> Thermometer:
    """The number n."""
    (p,) = store.fresh(())
    return Thermometer(store.define("length", (p,), TRUE, "the length of the word", "length").name)


def counted(store: Store, variable: str, phi: Formula) -> Thermometer:
    """The number of positions `variable` with `phi`.

    The halves of the word are counted by M (`derived.lower_half`, `derived.upper_half`) and added.
    """
    if phi is TRUE:
        return length(store)
    (p,) = store.fresh(phi.free | {variable})
    if isinstance(phi, Compare) and phi.op == "<=" and phi.left is var(variable) and _is_position(phi.right, variable):
        return thermometer(store, "upto", p, Compare("<=", var(p), phi.right))
    phi = store.named("which", phi)
    (p,) = store.fresh(phi.free | {variable})
    counts = (("lower", derived.lower_half), ("upper", derived.upper_half))
    halves = [thermometer(store, kind, p, half(var(p), variable, phi)) for kind, half in counts]
    return added(store, halves[0], halves[1], "count")


def _is_position(term: Term, variable: str) -> bool:
    return term.variable not in (None, variable)


def halved(store: Store, u: Thermometer) -> Thermometer:
    """Half of a number, rounded down."""
    (p,) = store.fresh(u.free)
    return thermometer(store, "half", p, u.reaches(var(p) * 2))


def odd(store: Store, u: Thermometer) -> Formula:
    """A number is odd."""
    (p,) = store.fresh(u.free)
    body = Exists(p, conj(u.reaches(var(p) * 2 - 1), neg(u.reaches(var(p) * 2))))
    return store.define("odd", tuple(sorted(u.free)), body)


def mean(store: Store, u: Thermometer, v: Thermometer) -> Thermometer:
    """Half of the sum of two numbers, rounded down."""
    return _combined(store, "mean", u, v, 2)


def added(store: Store, u: Thermometer, v: Thermometer, kind: str = "total") -> Thermometer:
    """The sum of two numbers, where it is at most n."""
    return _combined(store, kind, u, v, 1)


def _combined(store: Store, kind: str, u: Thermometer, v: Thermometer, factor: int) -> Thermometer:
    p, q = store.fresh(u.free | v.free, 2)
    goal = var(p) * factor
    split = Exists(q, conj(u.reaches(var(q)), v.reaches(goal - var(q))))
    return thermometer(store, kind, p, disj(u.reaches(goal), v.reaches(goal), split))


def incremented(store: Store, u: Thermometer, bit: Formula) -> Thermometer:
    """A number, plus 1 if a formula holds, where that is at most n."""
    (p,) = store.fresh(u.free | bit.free)
    place = var(p)
    more = disj(Compare("=", place, ONE), u.reaches(place - 1))
    return thermometer(store, "next", p, disj(u.reaches(place), conj(bit, more)))


def above(store: Store, u: Thermometer | None, v: Thermometer | None) -> Formula:
    """The first number is greater than the second; None is 0."""
    if u is None:
        return neg(TRUE)
    if v is None:
        return u.reaches(ONE)
    (p,) = store.fresh(u.free | v.free)
    return Exists(p, conj(u.reaches(var(p)), neg(v.reaches(var(p)))))


def at_least(store: Store, u: Thermometer | None, v: Thermometer | None) -> Formula:
    """The first number is at least the second (Rescher's quantifier, if both are counts); None is 0."""
    if v is None:
        return TRUE
    if u is None:
        return neg(v.reaches(ONE))
    (p,) = store.fresh(u.free | v.free)
    return Forall(p, disj(neg(v.reaches(var(p))), u.reaches(var(p))))
