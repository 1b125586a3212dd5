"""Axes of an ONNX tensor whose lengths are affine in n: a run of positions, possibly with static slots before and after it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from circuits.positions import AtLeast, Guard, Term, conjunction, var

Key = tuple[int, ...]

PRE, RUN, POST = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Axis:
    """`pre` slots, then the positions 1+lo .. n-hi if `run`, then `post` slots; a static axis has slots only."""

    pre: int
    run: bool = False
    lo: int = 0
    hi: int = 0
    post: int = 0

    @property
    def length(self) -> Term:
        return Term((), int(self.run), self.pre + self.post - self.lo - self.hi)

    def segments(self) -> tuple[int, ...]:
        """The segments that exist."""
        if not self.run:
            return (PRE,)
        return ((PRE,) if self.pre else ()) + (RUN,) + ((POST,) if self.post else ())

    def slots(self, segment: int) -> int:
        """How many static entries a segment has; a run counts as one entry with a variable."""
        return (self.pre, 1, self.post)[segment]

    def guard(self, variable: int) -> Guard:
        """Say that the variable is in the run."""
        parts: list[Guard] = []
        if self.lo:
            parts.append(AtLeast(var(variable) - 1 - self.lo))
        if self.hi:
            parts.append(AtLeast(Term((), 1, -self.hi) - var(variable)))
        return conjunction(*parts)

    def index(self, segment: int, slot: int, variable: int) -> Term:
        """The 0-based index of an entry as a term."""
        if segment == RUN:
            return var(variable) + (self.pre - self.lo - 1)
        return Term((), 0, slot) if segment == PRE else Term((), 1, self.pre - self.lo - self.hi + slot)

    def place(self, segment: int, n: int) -> slice:
        """Where a segment stands on the axis at length n."""
        ends = (0, self.pre, self.pre + n - self.lo - self.hi if self.run else self.pre)
        stop = (self.pre, ends[2], ends[2] + self.post)[segment]
        return slice(ends[segment], stop)


SEQUENCE = Axis(0, True)


def keys(axes: tuple[Axis, ...]) -> Iterator[Key]:
    """All choices of a segment on each axis."""
    return itertools.product(*(axis.segments() for axis in axes))


def part_shape(axes: tuple[Axis, ...], key: Key) -> tuple[int, ...]:
    """The static shape of one part."""
    return tuple(axis.slots(segment) for axis, segment in zip(axes, key, strict=True))
