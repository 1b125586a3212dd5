"""Places and bounds relative to the last position read, in sentences of past form."""

from __future__ import annotations

from dataclasses import dataclass

from logic.syntax import Compare, Formula, Term, var


class NotPast(Exception):
    """A sentence is not of past form, and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """So many letters back, at a fixed position, or outside of every word."""

    back: int = 0
    fixed: int = 0
    outside: bool = False


def place_of(term: Term, x: str | None) -> Place:
    """The place that a term names when x is the last position read, or when the word ends there.

    Raises:
        NotPast: the place is after x, or not known from x.
    """
    at_end = x is None
    last = Term((), 1, 0) if x is None else var(x)
    distance = last - term
    if not distance.coefs and not distance.n:
        if distance.const >= 0:
            return Place(back=distance.const)
        if at_end:
            return Place(outside=True)
    if not term.coefs and not term.n:
        if term.const < 1:
            return Place(outside=True)
        if term.const == 1 or at_end:
            return Place(fixed=term.const)
    raise NotPast(f"position `{term}` is not known when " + ("the word ends" if at_end else f"`{x}` is read"))


class Bounds:
    """Where a variable y ranges, relative to the last position: up to so many letters back, and how many of them.

    Attributes:
        back: how far the last position counted is.
        window: how many positions before that one, and it, are counted; None for all.
        is_bounded: whether y is kept from going beyond the last position.
    """

    def __init__(self) -> None:
        self.back = 0
        self.least: int | None = None
        self.is_bounded = False

    @property
    def window(self) -> int | None:
        """How many positions are counted; None for all."""
        return None if self.least is None else max(0, self.least - self.back + 1)

    def take(self, part: Formula, sign: bool, y: str, x: str | None) -> bool:
        """Take a comparison of y with x, or with the length at the end; tell whether it was one."""
        if not isinstance(part, Compare):
            return False
        last = Term((), 1, 0) if x is None else var(x)
        distance = part.right - part.left
        if part.op == "=":
            return self.take_equal(distance, sign, last - var(y), x is None)
        slack = distance if part.op == "<=" else distance - 1
        if not sign:
            slack = slack * -1 - 1
        return self.take_at_least(slack, last - var(y))

    def take_at_least(self, slack: Term, gap: Term) -> bool:
        """Take ``slack >= 0``, if that bounds the gap from y to the last position."""
        above, below = slack - gap, slack + gap
        if not above.coefs and not above.n:  # gap + c >= 0
            if above.const > 0:
                return False
            self.back, self.is_bounded = max(self.back, -above.const), True
            return True
        if not below.coefs and not below.n:  # c - gap >= 0
            self.least = below.const if self.least is None else min(self.least, below.const)
            return True
        return False

    def take_equal(self, distance: Term, sign: bool, gap: Term, at_end: bool) -> bool:
        """Take ``distance = 0`` or its negation, if that fixes the gap, or excludes the last position."""
        for difference in (distance, distance * -1):
            rest = difference - gap
            if rest.coefs or rest.n:
                continue
            if sign:  # gap = -rest
                return self.take_at_least(gap + rest.const, gap) and self.take_at_least(gap * -1 - rest.const, gap)
            if rest.const == 0 and at_end:
                return self.take_at_least(gap - 1, gap)
        return False
