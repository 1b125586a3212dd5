"""Laws of sums and of linear counting atoms.

In normal form the items of a sum differ, none is a constant or a negation, and an atom has no constant on its left side and no
common divisor.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import gcd

from logic.simplify.quantifiers import count_at_one_point
from logic.simplify.ranges import is_outside, least_length, range_of_sum
from logic.simplify.rules import Facts, Law
from logic.syntax import (
    FALSE,
    ONE,
    TRUE,
    Count,
    Exists,
    Forall,
    Formula,
    Indicator,
    Item,
    Linear,
    Majority,
    Not,
    Sum,
    SumCall,
    Truth,
    all_of,
    any_of,
    at_least,
)

Expansion = Callable[[Item, Facts], Sum | None]


def added(parts: list[tuple[int, Sum]], length: int, const: int) -> Sum:
    """Add multiples of sums to ``length * n + const``."""
    items = [(factor * coef, item) for factor, part in parts for coef, item in part.items]
    length += sum(factor * part.length for factor, part in parts)
    return Sum(tuple(items), length, const + sum(factor * part.const for factor, part in parts))


@dataclass(frozen=True, slots=True)
class Itemwise:
    """The rule that puts sums in the place of items. It looks at each item by itself, so that none needs it twice."""

    expand: Expansion

    def __call__(self, total: Sum, facts: Facts) -> Sum | None:
        found = [(coef, item, self.expand(item, facts)) for coef, item in total.items]
        if all(one is None for _, _, one in found):
            return None
        parts = [(coef, Sum(((1, item),)) if one is None else one) for coef, item, one in found]
        return added(parts, total.length, total.const)


def constant_indicator(item: Item, _: Facts) -> Sum | None:
    match item:
        case Indicator(Truth(value)):
            return Sum((), 0, int(value))
    return None


def negated_indicator(item: Item, _: Facts) -> Sum | None:
    match item:
        case Indicator(Not(body)):
            return Sum(((-1, Indicator(body)),), 0, 1)
    return None


def empty_count(item: Item, _: Facts) -> Sum | None:
    match item:
        case Count(_, Truth(False), _) | Count(_, _, Sum((), 0, 0)):
            return Sum()
    return None


def full_count(item: Item, _: Facts) -> Sum | None:
    return Sum((), 1, 0) if isinstance(item, Count) and item.condition is TRUE and item.weight is ONE else None


def negated_count(item: Item, _: Facts) -> Sum | None:
    match item:
        case Count(variable, Not(body), weight) if weight is ONE:
            return Sum(((-1, Count(variable, body)),), 1, 0)
    return None


def weight_of_count(item: Item, _: Facts) -> Sum | None:
    if not isinstance(item, Count) or item.weight is ONE:
        return None
    weight = item.weight
    factor = gcd(weight.length, weight.const, *(coef for coef, _ in weight.items))
    if factor <= 1 and not (weight.items == () and not weight.length and weight.const < 0):
        return None
    if not weight.items and not weight.length:
        factor = weight.const
    items = tuple([(coef // factor, inner) for coef, inner in weight.items])
    return Sum(
        ((factor, Count(item.variable, item.condition, Sum(items, weight.length // factor, weight.const // factor))),)
    )


def counted_indicator(item: Item, _: Facts) -> Sum | None:
    match item:
        case Count(variable, condition, Sum(((coef, Indicator(phi)),), 0, 0)):
            parts = [part for part in (condition, phi) if part is not TRUE]
            return Sum(((coef, Count(variable, all_of(parts))),))
    return None


def one_counted_point(item: Item, _: Facts) -> Sum | None:
    return count_at_one_point(item) if isinstance(item, Count) and item.weight is ONE else None


def sum_outside(item: Item, _: Facts) -> Sum | None:
    return Sum() if isinstance(item, SumCall) and any(map(is_outside, item.args)) else None


def equal_items(total: Sum, _: Facts) -> Sum | None:
    merged: dict[Item, int] = {}
    for coef, item in total.items:
        merged[item] = merged.get(item, 0) + coef
    if len(merged) == len(total.items):
        return None
    return Sum(tuple([(coef, item) for item, coef in merged.items()]), total.length, total.const)


def zero_coefficients(total: Sum, _: Facts) -> Sum | None:
    if all(coef for coef, _ in total.items):
        return None
    return Sum(tuple([(coef, item) for coef, item in total.items if coef]), total.length, total.const)


# Atoms.


def moved_constant(node: Linear, _: Facts) -> Formula | None:
    total = node.sum
    return at_least(Sum(total.items, total.length, 0), node.bound - total.const) if total.const else None


def decided_atom(node: Linear, facts: Facts) -> Formula | None:
    least, within = least_length(node.free), range_of_sum(node.sum, facts.ranges)
    if within.always_at_least(node.bound, least):
        return TRUE
    return FALSE if within.never_at_least(node.bound, least) else None


def common_divisor(node: Linear, _: Facts) -> Formula | None:
    total = node.sum
    by = gcd(total.length, *(coef for coef, _ in total.items))
    if by <= 1 or total.const:
        return None
    items = tuple([(coef // by, item) for coef, item in total.items])
    return Linear(Sum(items, total.length // by, 0), -(-node.bound // by))


def indicators_of(node: Linear) -> list[tuple[int, Formula]] | None:
    """Coefficients and formulas, if an atom adds up indicators only."""
    if node.sum.length or node.sum.const:
        return None
    found = [(coef, item.formula) for coef, item in node.sum.items if isinstance(item, Indicator) and coef]
    return found if len(found) == len(node.sum.items) else None


def literal(coef: int, phi: Formula) -> Formula:
    return phi if coef > 0 else Not(phi)


def conjunction_atom(node: Linear, _: Facts) -> Formula | None:
    found = indicators_of(node)
    if found is None:
        return None
    most = sum(coef for coef, _ in found if coef > 0)
    if not most - min(abs(coef) for coef, _ in found) < node.bound <= most:
        return None
    return all_of([literal(coef, phi) for coef, phi in found])


def disjunction_atom(node: Linear, _: Facts) -> Formula | None:
    found = indicators_of(node)
    if found is None:
        return None
    least = sum(coef for coef, _ in found if coef < 0)
    if not least < node.bound <= least + min(abs(coef) for coef, _ in found):
        return None
    return any_of([literal(coef, phi) for coef, phi in found])


def witness(item: Item) -> Formula | None:
    """The formula that says that an indicator or a count is at least 1."""
    match item:
        case Indicator(phi):
            return phi
        case Count(variable, condition, weight) if weight is ONE:
            return Exists(variable, condition)
    return None


def at_least_one(node: Linear, _: Facts) -> Formula | None:
    total = node.sum
    if total.length or total.const or not 1 <= node.bound <= min(coef for coef, _ in total.items):
        return None
    parts = [part for part in [witness(item) for _, item in total.items] if part is not None]
    return any_of(parts) if len(parts) == len(total.items) else None


def none_at_all(node: Linear, _: Facts) -> Formula | None:
    total = node.sum
    if total.length or total.const or max(coef for coef, _ in total.items) >= node.bound or node.bound > 0:
        return None
    parts = [part for part in [witness(item) for _, item in total.items] if part is not None]
    return Not(any_of(parts)) if len(parts) == len(total.items) else None


def whole_count(node: Linear, _: Facts) -> Formula | None:
    match node.sum:
        case Sum(((coef, Count(variable, condition, weight)),), length, 0) if weight is ONE:
            if coef == -length > 0 and -coef < node.bound <= 0:
                return Forall(variable, condition)
            if (coef, length, node.bound) == (2, -1, 0):
                return Majority(variable, condition)
    return None


def negated_atom(node: Not, _: Facts) -> Formula | None:
    match node.body:
        case Linear(Sum(items, length, const), bound):
            return Linear(Sum(tuple([(-coef, item) for coef, item in items]), -length, -const), 1 - bound)
    return None


ITEMS = (
    Law("constant indicator", "[true] ≡ 1;  [false] ≡ 0", (Sum,), Itemwise(constant_indicator),
        (("2*[true] + [p] + 3*[false]", "[p] + 2"),)),
    Law("negated indicator", "[~p] ≡ 1 - [p]", (Sum,), Itemwise(negated_indicator), (("3*[~p] + s(x)", "-3*[p] + s(x) + 3"),)),
    Law("empty count", "#y[false : s] ≡ 0;  #y[p : 0] ≡ 0", (Sum,), Itemwise(empty_count),
        (("#y[false : s(y)] + [p]", "[p]"), ("#y[a(y) : 0] + [p]", "[p]"))),
    Law("full count", "#y[true] ≡ n", (Sum,), Itemwise(full_count), (("2*#y[true] + [p]", "[p] + 2*n"),)),
    Law("negated count", "#y[~a(y)] ≡ n - #y[a(y)]", (Sum,), Itemwise(negated_count),
        (("2*#y[~a(y)] + [p]", "-2*#y[a(y)] + [p] + 2*n"),)),
    Law("weight of a count", "#y[p : c] ≡ c*#y[p];  #y[p : c*s] ≡ c*#y[p : s]", (Sum,), Itemwise(weight_of_count),
        (("#y[a(y) : 3]", "3*#y[a(y)]"), ("#y[a(y) : 0 - 1]", "-#y[a(y)]"),
         ("#y[a(y) : 4*s(y) - 6]", "2*#y[a(y) : 2*s(y) - 3]")), "c is a number"),
    Law("counted indicator", "#y[a(y) : c*[b(y)]] ≡ c*#y[a(y) & b(y)]", (Sum,), Itemwise(counted_indicator),
        (("#y[a(y) : 3*[b(y)]]", "3*#y[a(y) & b(y)]"), ("#y[true : [b(y)]]", "#y[b(y)]"))),
    Law("one counted point", "#y[y = t & a(y)] ≡ [1 <= t & t <= n & a(t)]", (Sum,), Itemwise(one_counted_point),
        (("#y[y = x & a(y)]", "[a(x)]"), ("2*#y[y = x + 1 & a(y)]", "2*[x + 1 <= n & a(x + 1)]")),
        "comparisons that always hold are left out"),
    Law("sum outside", "s(0) ≡ 0;  s(n + 1) ≡ 0", (Sum,), Itemwise(sum_outside), (("2*s(0) + [p]", "[p]"),),
        "a term is never in 1..n"),
    Law("equal items", "2*s + 3*s ≡ 5*s", (Sum,), equal_items,
        (("2*s(x) + [p] + 3*s(x)", "5*s(x) + [p]"), ("[p] + 2*[p]", "3*[p]"))),
    Law("zero coefficient", "0*s + t ≡ t", (Sum,), zero_coefficients, (("0*s(x) + t(x)", "t(x)"),)),
)  # fmt: skip

ATOMS = (
    Law("moved constant", "s + 2 >= 5 ≡ s >= 3", (Linear,), moved_constant, (("s(x) + 2 >= 5", "s(x) >= 3"),)),
    Law("decided atom", "[p] + [q] >= 3 ≡ false;  #y[a(y)] >= 0 ≡ true;  n - #y[a(y)] >= 0 ≡ true", (Linear,),
        decided_atom,
        (("[p] + [q] >= 3", "false"), ("#y[a(y)] >= 0", "true"), ("0 - #y[a(y)] + n >= 0", "true"),
         ("#y[a(y)] - n >= 1", "false"), ("2*[p] - [q] >= 0 - 1", "true")),
        "the ranges of items decide it: 0..1, 0..n, and those of defined sums"),
    Law("common divisor", "2*s >= 3 ≡ s >= 2", (Linear,), common_divisor,
        (("2*s(x) >= 3", "s(x) >= 2"), ("6*s(x) - 4*[p] + 2*n >= 0 - 3", "3*s(x) - 2*[p] + n >= 0 - 1"))),
    Law("conjunction as an atom", "[p] + [q] >= 2 ≡ p & q;  [p] - [q] >= 1 ≡ p & ~q;  [p] >= 1 ≡ p", (Linear,),
        conjunction_atom,
        (("[p] + [q] >= 2", "p & q"), ("2*[p] - [q] >= 2", "p & ~q"), ("[p] >= 1", "p"), ("0 - 2*[p] >= 0", "~p"))),
    Law("disjunction as an atom", "[p] + [q] >= 1 ≡ p | q;  [p] - [q] >= 0 ≡ p | ~q", (Linear,), disjunction_atom,
        (("[p] + [q] >= 1", "p | q"), ("[p] - 3*[q] >= 0 - 2", "p | ~q"))),
    Law("at least one", "#y[a(y)] >= 1 ≡ exists y. a(y);  2*#y[a(y)] + 3*[p] >= 1 ≡ (exists y. a(y)) | p", (Linear,),
        at_least_one,
        (("#y[a(y)] >= 1", "exists y. a(y)"), ("2*#y[a(y)] + 3*[p] >= 2", "(exists y. a(y)) | p"))),
    Law("none at all", "-#y[a(y)] >= 0 ≡ ~(exists y. a(y))", (Linear,), none_at_all,
        (("0 - #y[a(y)] >= 0", "~(exists y. a(y))"),
         ("0 - 2*#y[a(y)] - 3*[p] >= 0 - 1", "~((exists y. a(y)) | p)"))),
    Law("all or half", "#y[a(y)] - n >= 0 ≡ forall y. a(y);  2*#y[a(y)] - n >= 0 ≡ M y. a(y)", (Linear,), whole_count,
        (("#y[a(y)] - n >= 0", "forall y. a(y)"), ("3*#y[a(y)] - 3*n >= 0 - 2", "forall y. a(y)"),
         ("2*#y[a(y)] - n >= 0", "M y. a(y)"))),
    Law("negated atom", "~(s >= 2) ≡ -s >= -1", (Not,), negated_atom, (("~(s(x) - [p] >= 2)", "0 - s(x) + [p] >= 0 - 1"),)),
)  # fmt: skip

LAWS = ITEMS + ATOMS
