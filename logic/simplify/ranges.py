"""Ranges: between which multiples of n an index term or a sum lies, whatever the word.

A bound ``(c, m)`` stands for c + m*n and holds at every n >= 0; None is no bound.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from logic.syntax import Compare, Count, Definition, Formula, Indicator, Item, Sum, SumCall, Term, Truth

Bound = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Range:
    """A lower and an upper bound; where one is missing the range is open."""

    low: Bound | None
    high: Bound | None

    def always_at_least(self, bound: int, least: int) -> bool:
        """Tell whether everything in the range is at least `bound` at every n >= `least`."""
        return self.low is not None and self.low[1] >= 0 and self.low[0] + self.low[1] * least >= bound

    def never_at_least(self, bound: int, least: int) -> bool:
        """Tell whether everything in the range is below `bound` at every n >= `least`."""
        return self.high is not None and self.high[1] <= 0 and self.high[0] + self.high[1] * least < bound

    def __add__(self, other: Range) -> Range:
        return Range(_plus(self.low, other.low), _plus(self.high, other.high))

    def __mul__(self, factor: int) -> Range:
        low, high = _times(self.low, factor), _times(self.high, factor)
        return Range(low, high) if factor >= 0 else Range(high, low)

    def with_zero(self) -> Range:
        """The smallest range of this shape that holds 0 as well."""
        low = None if self.low is None else (min(self.low[0], 0), min(self.low[1], 0))
        high = None if self.high is None else (max(self.high[0], 0), max(self.high[1], 0))
        return Range(low, high)


def _plus(one: Bound | None, other: Bound | None) -> Bound | None:
    return None if one is None or other is None else (one[0] + other[0], one[1] + other[1])


def _times(bound: Bound | None, factor: int) -> Bound | None:
    if not factor:
        return 0, 0
    return None if bound is None else (bound[0] * factor, bound[1] * factor)


BIT = Range((0, 0), (1, 0))
OPEN = Range(None, None)


def range_of_term(term: Term) -> Range:
    """The range of an index term whose variables are positions."""
    result = Range((term.const, term.n), (term.const, term.n))
    for _, coef in term.coefs:
        result = result + Range((1, 0), (0, 1)) * coef
    return result


def least_length(free: frozenset[str]) -> int:
    """The least length at which a node with these free variables is evaluated: a position needs a word of length 1."""
    return 1 if free else 0


def is_inside(term: Term) -> bool:
    """Tell whether a term is a position of every word that gives its variables positions."""
    if term.variable is not None:
        return True
    least = least_length(term.free)
    inside = range_of_term(term)
    return inside.always_at_least(1, least) and (inside * -1 + Range((0, 1), (0, 1))).always_at_least(0, least)


def is_outside(term: Term) -> bool:
    """Tell whether a term is never a position."""
    if term.variable is not None:
        return False
    least = least_length(term.free)
    inside = range_of_term(term)
    return inside.never_at_least(1, least) or (inside * -1 + Range((0, 1), (0, 1))).never_at_least(0, least)


def all_inside(args: Sequence[Term]) -> bool:
    """Tell whether all terms are positions of every word."""
    return all(map(is_inside, args))


def inside(term: Term) -> list[Formula]:
    """The comparisons that say that a term is a position, without those that always hold."""
    if term.variable is not None:
        return []
    parts: list[Formula] = []
    for low, high in ((Term((), 0, 1), term), (term, Term((), 1, 0))):
        if not range_of_term(high - low).always_at_least(0, least_length(term.free)):
            parts.append(Compare("<=", low, high))
    return parts


def range_of_sum(total: Sum, known: Mapping[str, Range]) -> Range:
    """The range of a counting term, given the ranges of the defined sums it reads."""
    low = high = total.const
    low_n = high_n = total.length
    low_open = high_open = False
    for coef, item in total.items:
        if type(item) is Indicator and type(item.formula) is not Truth:
            if coef > 0:
                high += coef
            else:
                low += coef
            continue
        found = range_of_item(item, known)
        least, most = (found.low, found.high) if coef >= 0 else (found.high, found.low)
        if least is None:
            low_open |= coef != 0
        else:
            low, low_n = low + coef * least[0], low_n + coef * least[1]
        if most is None:
            high_open |= coef != 0
        else:
            high, high_n = high + coef * most[0], high_n + coef * most[1]
    return Range(None if low_open else (low, low_n), None if high_open else (high, high_n))


def range_of_item(item: Item, known: Mapping[str, Range]) -> Range:
    """The range of an item."""
    match item:
        case Indicator(Truth(value)):
            return Range((int(value), 0), (int(value), 0))
        case Indicator():
            return BIT
        case Count(_, _, weight):
            return counted(range_of_sum(weight, known))
        case SumCall(name, args):
            found = known.get(name, OPEN)
            return found if all_inside(args) else found.with_zero()
        case _:
            raise TypeError(f"not an item: {type(item).__name__}")


def counted(weight: Range) -> Range:
    """The range of a sum over any number of positions, up to n, of values in a range."""
    low, high = weight.with_zero().low, weight.with_zero().high
    return Range(
        None if low is None or low[1] else (0, low[0]),
        None if high is None or high[1] else (0, high[0]),
    )


def ranges_of(definitions: Sequence[Definition]) -> dict[str, Range]:
    """The ranges of all defined sums, from the first definition on."""
    known: dict[str, Range] = {}
    for definition in definitions:
        if isinstance(definition.body, Sum):
            known[definition.name] = range_of_sum(definition.body, known)
    return known
