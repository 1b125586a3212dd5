"""Equal sums without quantifiers: their items are paired, and the conditions of each pair compared at one more position.

Counts of equivalent conditions are equal, so ``8*#y[p(x, y)] + 4*#y[q(x, y)] = 8*#y[r(x, y)] + 4*#y[s(x, y)]`` follows from
``p(x, y) <-> r(x, y)`` and ``q(x, y) <-> s(x, y)`` at all positions. Items that are the same cancel first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from logic.simplify.ranges import all_inside
from logic.simplify.substitution import instantiate, substitute
from logic.syntax import ONE, Call, Count, Definition, Formula, Indicator, Item, Linear, Not, Sum, SumCall, Truth, var

Equivalent = Callable[[tuple[str, ...], Formula, Formula], bool]
"""Tells whether two formulas are shown to be equivalent at all positions of the variables given."""


class Difference:
    """A sum less another one: coefficients of items, n and 1. Names in `unfolded` are read as their bodies."""

    def __init__(self, unfolded: Mapping[str, Definition]) -> None:
        self.unfolded = unfolded
        self.items: dict[Item, int] = {}
        self.length = 0
        self.const = 0

    def add(self, total: Sum, factor: int) -> None:
        """Add a multiple of a sum."""
        waiting = [(factor * coef, item) for coef, item in reversed(total.items)]
        self.length += factor * total.length
        self.const += factor * total.const
        while waiting:
            coef, item = waiting.pop()
            match item:
                case SumCall(name, args) if name in self.unfolded and all_inside(args):
                    body = instantiate(self.unfolded[name], args)
                    if not isinstance(body, Sum):
                        raise TypeError("a sum is called as one")
                    waiting.extend([(coef * inner, one) for inner, one in reversed(body.items)])
                    self.length += coef * body.length
                    self.const += coef * body.const
                case Indicator(Call(name, args)) if name in self.unfolded and all_inside(args):
                    waiting.append((coef, Indicator(as_formula(instantiate(self.unfolded[name], args)))))
                case Indicator(Truth(value)):
                    self.const += coef * value
                case Indicator(Not(body)):
                    self.const += coef
                    waiting.append((-coef, Indicator(body)))
                case Count(variable, Not(body), weight) if weight is ONE:
                    self.length += coef
                    waiting.append((-coef, Count(variable, body)))
                case _:
                    self.items[item] = self.items.get(item, 0) + coef

    def vanishes(self, params: tuple[str, ...], equivalent: Equivalent) -> bool:
        """Tell whether the difference is 0 because its items cancel in pairs of equal ones."""
        if self.length or self.const:
            return False
        waiting: dict[tuple[int, type], list[Item]] = {}
        for item, coef in self.items.items():
            if coef:
                opposite = waiting.get((-coef, type(item)), [])
                place = next((k for k, other in enumerate(opposite) if same(item, other, params, equivalent)), None)
                if place is None:
                    waiting.setdefault((coef, type(item)), []).append(item)
                else:
                    del opposite[place]
        return not any(waiting.values())


def same(one: Item, other: Item, params: tuple[str, ...], equivalent: Equivalent) -> bool:
    """Tell whether two indicators, or two counts of weight 1, are shown to be equal."""
    match one, other:
        case Indicator(Linear(total, bound)), Indicator(Linear(second, least)) if total == second and bound != least:
            return False  # a sum against two bounds: it takes a solver long not to show that none of its values lies between
        case Indicator(left), Indicator(right):
            return equivalent(params, left, right)
        case Count(x, left, weight), Count(y, right, second) if weight is second is ONE:
            taken = {*params, *left.free, *right.free}
            fresh = next(name for name in (f"y{k}" for k in range(len(taken) + 1)) if name not in taken)
            here, there = (
                as_formula(substitute(condition, {name: var(fresh)})) for name, condition in ((x, left), (y, right))
            )
            return equivalent((*params, fresh), here, there)
    return False


def equal_in_pairs(
    params: tuple[str, ...],
    old: Formula | Sum,
    new: Formula | Sum,
    unfolded: Mapping[str, Definition],
    equivalent: Equivalent,
) -> bool:
    """Tell whether two sums, or the sums of two atoms less their bounds, have equal items."""
    if isinstance(new, Call) and new.name in unfolded and all_inside(new.args):
        new = as_formula(instantiate(unfolded[new.name], new.args))
    difference = Difference(unfolded)
    for side, factor in ((old, 1), (new, -1)):
        match side:
            case Linear(total, bound):
                difference.const -= factor * bound
            case Sum():
                total = side
            case _:
                return False
        difference.add(total, factor)
    return difference.vanishes(params, equivalent)


def as_formula(part: object) -> Formula:
    """A node that is known to be a formula."""
    if not isinstance(part, Formula):
        raise TypeError("a condition is a formula")
    return part
