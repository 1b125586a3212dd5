"""Layouts: words of infinitely many lengths, with classes of positions that guards and references do not tell apart.

A *layout* describes words by a few single positions at both ends, and stretches of any length between them, whose positions
are told apart by their remainder modulo a period only. Its *classes* are the single positions and the remainders of the
stretches; a *type* is a class with a letter. For an answer at a position x, x is one of the single positions: the layouts put
it in every place it can have.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from circuits.positions import All, Any_, AtLeast, Bit, Congruent, Equals, Guard, Not, Term, format_term

Linear = tuple[int, ...]
"""``(const, coefficient of each stretch)``: a number that grows with how often each stretch repeats its period."""

MOST_SINGLE = 6
MOST_PERIOD = 12
OUTSIDE, UNKNOWN = -1, -2


class NotSymmetric(Exception):
    """Something depends on more than the number of positions of each type; the message says what, for a reader."""


@dataclass(frozen=True, slots=True)
class Class:
    """Positions that are not told apart.

    Attributes:
        low, high: between which they lie, both included.
        size: how many there are.
        residue: what they are modulo the period of the layout.
        single: whether it is one position.
        stretch: the number of its stretch; -1 for a single position.
    """

    low: Linear
    high: Linear
    size: Linear
    residue: int
    single: bool
    stretch: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Words of infinitely many lengths: classes of positions from left to right, those of a stretch interleaved.

    Attributes:
        length: the length of the words.
        here: the class of the position that is asked for an answer, or None.
    """

    classes: tuple[Class, ...]
    period: int
    n_stretches: int
    length: Linear
    here: int | None

    def truth(self, guard: Guard, classes: Sequence[int]) -> bool | None:
        """Whether a guard holds for all positions of the classes given for its variables; None if that is not decided."""
        match guard:
            case AtLeast(term):
                return self.at_least(term, classes)
            case Equals(Term(((x, a), (y, b)), 0, 0)) if a + b == 0 and classes[x] != classes[y]:
                return False
            case Equals(term):
                above, below = self.at_least(term, classes), self.at_least(-term, classes)
                return False if above is False or below is False else True if above and below else None
            case Congruent(term, modulus):
                return self.remainder(term, classes) % modulus == 0 if self.period % modulus == 0 else None
            case Bit(number, Term((), 0, place)):
                if place < 1 or self.at_least(number, classes) is False:
                    return False
                known = self.at_least(number, classes) is not None and self.period % (1 << min(place, 30)) == 0
                return bool(self.remainder(number, classes) >> (place - 1) & 1) if known else None
            case Bit():
                return None
            case Not(part):
                found = self.truth(part, classes)
                return None if found is None else not found
            case All(parts):
                truths = [self.truth(part, classes) for part in parts]
                return False if False in truths else None if None in truths else True
            case Any_(parts):
                truths = [self.truth(part, classes) for part in parts]
                return True if True in truths else None if None in truths else False
            case _:
                assert_never(guard)

    def at_least(self, term: Term, classes: Sequence[int]) -> bool | None:
        """Whether a term is at least 0 for all positions of the classes."""
        low, high = self.bounds(term, classes)
        if low[0] >= 0 and min(low) >= 0:
            return True
        if high[0] < 0 and max(high[1:], default=0) <= 0:
            return False
        return None

    def bounds(self, term: Term, classes: Sequence[int]) -> tuple[Linear, Linear]:
        """Between which values a term lies, both included."""
        low = high = plus((term.const, *(0,) * self.n_stretches), self.length, term.n_coef)
        for variable, coef in term.coefs:
            here = self.classes[classes[variable]]
            low = plus(low, here.low if coef > 0 else here.high, coef)
            high = plus(high, here.high if coef > 0 else here.low, coef)
        return low, high

    def remainder(self, term: Term, classes: Sequence[int]) -> int:
        """What a term is modulo the period."""
        total = term.const + term.n_coef * self.length[0]
        return (total + sum(coef * self.classes[classes[v]].residue for v, coef in term.coefs)) % self.period

    def place(self, term: Term, classes: Sequence[int]) -> int:
        """The class of the single position that a term is; `OUTSIDE` the word, or `UNKNOWN`."""
        low, high = self.bounds(term, classes)
        if low == high:
            for number, one in enumerate(self.classes):
                if one.single and one.low == one.high == low:
                    return number
        before, after = self.at_least(term - 1, classes), self.at_least(Term((), 1, 0) - term, classes)
        return OUTSIDE if before is False or after is False else UNKNOWN


def plus(left: Linear, right: Linear, factor: int = 1) -> Linear:
    """``left + factor * right``."""
    return tuple(a + factor * b for a, b in zip(left, right, strict=True))


def layout(parts: Sequence[int | None], period: int, here: int | None = None) -> Layout:
    """Make a layout of single positions (None) and stretches, each given by its length modulo the period.

    `here` is the place of the position asked for among the single positions.
    """
    n_stretches = sum(part is not None for part in parts)
    start: Linear = (1, *(0,) * n_stretches)
    classes: list[Class] = []
    singles: list[int] = []
    stretch = 0
    for part in parts:
        one = (1, *(0,) * n_stretches)
        if part is None:
            singles.append(len(classes))
            classes.append(Class(start, start, one, start[0] % period, True, -1))
            start = plus(start, one)
            continue
        repeats = tuple(int(axis == stretch + 1) for axis in range(n_stretches + 1))
        after = plus(plus(start, repeats, period), one, part)
        for offset in range(period):
            size = plus(repeats, one, int(offset < part))
            last = plus(after, one, -1)
            classes.append(Class(start, last, size, (start[0] + offset) % period, False, stretch))
        start, stretch = after, stretch + 1
    length = plus(start, (1, *(0,) * n_stretches), -1)
    return Layout(tuple(classes), period, n_stretches, length, None if here is None else singles[here])


def floating(prefix: int, suffix: int) -> Layout:
    """The layout of a position asked for anywhere in one stretch between single positions at both ends."""
    made = layout([*(None,) * prefix, 0, None, *(None,) * suffix], 1, prefix)
    classes = list(made.classes)
    inner, here = classes[prefix], classes[prefix + 1]
    classes[prefix] = Class(inner.low, here.high, inner.size, 0, False, 0)
    classes[prefix + 1] = Class(inner.low, here.high, here.size, 0, True, -1)
    return Layout(tuple(classes), 1, 1, made.length, prefix + 1)


@dataclass(frozen=True, slots=True)
class Needs:
    """How many positions at both ends, and which period, guards and references tell apart."""

    prefix: int = 0
    suffix: int = 0
    period: int = 1

    def __or__(self, other: Needs) -> Needs:
        return Needs(
            max(self.prefix, other.prefix), max(self.suffix, other.suffix), math.lcm(self.period, other.period)
        )


def needs_of_guard(guard: Guard) -> Needs:
    """What a guard on positions tells apart; comparisons of several variables tell nothing apart by themselves."""
    match guard:
        case AtLeast(Term(((_, sign),), 0, const)) if abs(sign) == 1:
            return Needs(prefix=max(0, -const - 1 if sign == 1 else const))
        case AtLeast(Term(((_, sign),), n_coef, const)) if abs(sign) == 1 and n_coef == -sign:
            return Needs(suffix=max(0, const + 1 if sign == 1 else -const))
        case Equals(Term(((_, sign),), 0, const)) if abs(sign) == 1:
            return Needs(prefix=max(0, -const * sign))
        case Equals(Term(((_, sign),), n_coef, const)) if abs(sign) == 1 and n_coef == -sign:
            return Needs(suffix=max(0, const * sign + 1))
        case Congruent(_, modulus):
            return Needs(period=modulus)
        case Bit(_, Term((), 0, place)) if 1 <= place <= MOST_PERIOD:
            return Needs(period=1 << place)
        case AtLeast() | Equals() | Bit():
            return Needs()
        case Not(part):
            return needs_of_guard(part)
        case All(parts) | Any_(parts):
            return all_needs(needs_of_guard(part) for part in parts)
        case _:
            assert_never(guard)


def needs_of_term(term: Term) -> Needs:
    """The single position that a term without variables is."""
    match term:
        case Term((), 0, const):
            return Needs(prefix=max(0, const))
        case Term((), 1, const):
            return Needs(suffix=max(0, 1 - const))
        case _:
            return Needs()


def all_needs(parts: Iterable[Needs]) -> Needs:
    """What several parts tell apart together."""
    total = Needs()
    for part in parts:
        total |= part
    return total


def require_few(needs: Needs, who: str) -> None:
    """Refuse to tell many positions apart.

    Raises:
        NotSymmetric: there are too many.
    """
    if needs.prefix + needs.suffix > MOST_SINGLE:
        raise NotSymmetric(f"{who} tells {needs.prefix + needs.suffix} positions from all others")
    if needs.period > MOST_PERIOD:
        raise NotSymmetric(f"{who} tells positions apart modulo {needs.period}")


def layouts(needs: Needs, n_positions: int, split: bool) -> list[Layout]:
    """Layouts that together describe all words of at least ``prefix + suffix`` letters, with a position asked for, if any.

    Args:
        n_positions: 0 for one answer, 1 for an answer at every position.
        split: whether a position asked for in the middle divides it into what is before and what is after.
    """
    ends = [None] * needs.prefix, [None] * needs.suffix
    rests = range(needs.period)
    once = [[*ends[0], rest, *ends[1]] for rest in rests]
    if n_positions == 0:
        return [layout(parts, needs.period) for parts in once]
    at_ends = [layout(parts, needs.period, h) for parts in once for h in range(needs.prefix + needs.suffix)]
    if not split and needs.period == 1:
        return [*at_ends, floating(needs.prefix, needs.suffix)]
    inside = [
        layout([*ends[0], before, None, after, *ends[1]], needs.period, needs.prefix)
        for before, after in itertools.product(rests, rests)
    ]
    return [*at_ends, *inside]


def spelled(guard: Guard) -> str:
    """A guard as a reader writes it."""
    match guard:
        case AtLeast(Term(coefs, n_coef, const)):
            right = Term(tuple((v, c) for v, c in coefs if c > 0), max(n_coef, 0), max(const, 0))
            left = right - Term(coefs, n_coef, const)
            return f"{format_term(left, 'xyzuvw')} <= {format_term(right, 'xyzuvw')}"
        case Equals(term):
            return f"{format_term(term, 'xyzuvw')} = 0"
        case Congruent(term, modulus):
            return f"{modulus} divides {format_term(term, 'xyzuvw')}"
        case Bit(number, place):
            return f"bit({format_term(number, 'xyzuvw')}, {format_term(place, 'xyzuvw')})"
        case Not(part):
            return f"not {spelled(part)}"
        case All(parts):
            return " and ".join(map(spelled, parts))
        case Any_(parts):
            return " or ".join(map(spelled, parts))
        case _:
            assert_never(guard)
