"""Counting a variable without an axis of its own: what is under a quantifier is split into factors, bounds and two matrices.

Every quantifier and every count asks for the number of positions v at which a conjunction of literals holds; `forall` asks
whether its negation holds nowhere. Literals that do not mention v stand outside. If the literals that do have the other
variables X and Y, neither containing the other, the number is an entry of the product of a matrix over (X, v) and one over
(v, Y). Comparisons such as ``v <= t`` bound v from below and above: if they alone bring in further variables, the number is
the difference of two prefix sums, read at the bounds. What remains is counted entry by entry.

Calls of a definition that nothing else reads, with the names of its parameters, are unfolded while literals are collected.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from logic.syntax import (
    ONE,
    And,
    Call,
    Compare,
    Count,
    Exists,
    Forall,
    Formula,
    Implies,
    Majority,
    Not,
    Or,
    Sum,
    Term,
    all_of,
)
from logic.walk import Part

Unfold = Callable[[Call], Formula | None]
Quantifier = Forall | Exists | Majority | Count


@dataclass(frozen=True, slots=True, eq=False)
class Counting:
    """The number of positions with `inside`, `across` and the bounds, times `weight`; 0 where `outside` is false.

    `inside` and `weight` are one matrix, `across` the other. The variable is at least each of `lower` and at most each of
    `upper`; there are no bounds beside `across`.
    """

    variable: str
    outside: Formula | None
    inside: Formula
    across: Formula | None
    weight: Sum | None
    lower: tuple[Term, ...]
    upper: tuple[Term, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """What is to be evaluated first."""
        return tuple(part for part in (self.outside, self.inside, self.across, self.weight) if part is not None)


def counting_of(node: Quantifier, unfold: Unfold) -> Counting | None:
    """Split what a quantifier counts (for `forall`, what it forbids); None if that is best done entry by entry."""
    v = node.variable
    body = node.condition if isinstance(node, Count) else node.body
    weight = node.weight if isinstance(node, Count) and node.weight is not ONE else None
    literals = conjuncts(body, not isinstance(node, Forall), unfold)
    outside = [one for one in literals if v not in one.free]
    guards = [(one, bound) for one in literals if (bound := bounds(one, v))]
    guarded = {one for one, _ in guards}
    plain = [one for one in literals if v in one.free and one not in guarded]
    return _split(v, outside, guards, plain, weight)


def _split(
    v: str,
    outside: list[Formula],
    guards: list[tuple[Formula, tuple[tuple[Term, ...], tuple[Term, ...]]]],
    plain: list[Formula],
    weight: Sum | None,
) -> Counting | None:
    others = [one.free - {v} for one in plain]
    first = weight.free - {v} if weight is not None else max(others, key=len, default=frozenset())
    near = [one for one, free in zip(plain, others, strict=True) if free <= first]
    far = [one for one, free in zip(plain, others, strict=True) if not free <= first]
    second: frozenset[str] = frozenset().union(*(one.free for one in far)) - {v}
    if far and first <= second:
        near, far, first, second = plain, [], second, frozenset()
    left = []
    for guard in guards:
        free = guard[0].free - {v}
        if free <= first:
            near.append(guard[0])
        elif far and free <= second:
            far.append(guard[0])
        else:
            left.append(guard)
    if far:
        far += [one for one, _ in left]
        second = second.union(*(one.free for one, _ in left)) - {v}
        left = []
        if first <= second:
            near, far, first = near + far, [], second
    if not far and not left and all(one.free <= first for one in outside):
        return None
    lower = tuple(term for _, (below, _) in left for term in below)
    upper = tuple(term for _, (_, above) in left for term in above)
    return Counting(
        v, all_of(outside) if outside else None, all_of(near), all_of(far) if far else None, weight, lower, upper
    )


def conjuncts(phi: Formula, positive: bool, unfold: Unfold) -> list[Formula]:
    """Flatten a formula, or its negation, into the literals whose conjunction it is, each once."""
    found: dict[Formula, None] = {}
    stack = [(phi, positive)]
    while stack:
        node, sign = stack.pop()
        match node, sign:
            case Not(body), _:
                stack.append((body, not sign))
            case (And(parts), True) | (Or(parts), False):
                stack.extend((part, sign) for part in reversed(parts))
            case Implies(left, right), False:
                stack.extend([(right, False), (left, True)])
            case Compare("<", left, right), False:
                found[Compare("<=", right, left)] = None
            case Compare("<=", left, right), False:
                found[Compare("<", right, left)] = None
            case Call(), _ if (unfolded := unfold(node)) is not None:
                stack.append((unfolded, sign))
            case _:
                found[node if sign else Not(node)] = None
    return list(found)


def bounds(literal: Formula, v: str) -> tuple[tuple[Term, ...], tuple[Term, ...]] | None:
    """Return the terms that v is at least and at most, if that is all that the literal says and it is about others too."""
    if not isinstance(literal, Compare) or v not in literal.free or literal.free == {v}:
        return None
    gap = literal.right - literal.left
    coef = dict(gap.coefs).get(v, 0)
    if abs(coef) != 1:
        return None
    rest = gap - Term.make({v: coef})
    if literal.op == "<":
        rest = rest - 1
    lower, upper = ((rest * -1,), ()) if coef == 1 else ((), (rest,))
    if literal.op == "=":
        value = rest * -coef
        lower, upper = (value,), (value,)
    return lower, upper
