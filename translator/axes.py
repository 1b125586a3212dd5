"""Axes of an ONNX tensor along the sequence: a run of positions, possibly with static slots before and after it.

A run that strides have thinned out keeps its position variable over 1..n: entries stand at every `step`-th position only, and
a reference to a neighbour is ``x + step``.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from circuits.positions import AtLeast, Congruent, Guard, Term, conjunction, var
from translator.lengths import part_of_length

Key = tuple[int, ...]

PRE, RUN, POST = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Axis:
    """`pre` slots, then each `step`-th of the positions 1+lo .. n-hi if `run`, then `post` slots; without a run, slots only."""

    pre: int
    run: bool = False
    lo: int = 0
    hi: int = 0
    post: int = 0
    step: int = 1

    @property
    def length(self) -> Term:
        """The number of entries; it depends on n if the axis has a run."""
        if not self.run:
            return Term((), 0, self.pre + self.post)
        return part_of_length(self.step * (self.pre + self.post + 1) - 1 - self.lo - self.hi, self.step)

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
        if self.step > 1:
            parts.append(Congruent(var(variable) - 1 - self.lo, self.step))
        return conjunction(*parts)

    def index(self, segment: int, slot: int, variable: int) -> Term:
        """The 0-based index of an entry as a term, times the step in the run.

        Behind a run with steps no term is the index of a slot; there the length of the axis without the slots has to do.
        """
        if segment == RUN:
            return var(variable) + (self.step * self.pre - self.lo - 1)
        if segment == PRE:
            return Term((), 0, slot)
        return part_of_length(self.step * (self.pre + slot + 1) - 1 - self.lo - self.hi, self.step)

    def place(self, segment: int, n: int) -> slice:
        """Where a segment stands on the axis at length n."""
        taken = len(range(*self.cut(n).indices(n))) if self.run else 0
        ends = (0, self.pre, self.pre + taken)
        stop = (self.pre, ends[2], ends[2] + self.post)[segment]
        return slice(ends[segment], stop)

    def cut(self, n: int) -> slice:
        """The positions of the run among 1..n, 0-based."""
        return slice(self.lo, max(n - self.hi, self.lo), self.step)


SEQUENCE = Axis(0, True)


def keys(axes: tuple[Axis, ...]) -> Iterator[Key]:
    """All choices of a segment on each axis."""
    return itertools.product(*(axis.segments() for axis in axes))


def part_shape(axes: tuple[Axis, ...], key: Key) -> tuple[int, ...]:
    """The static shape of one part."""
    return tuple(axis.slots(segment) for axis, segment in zip(axes, key, strict=True))
