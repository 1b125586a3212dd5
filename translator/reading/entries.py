"""Entries of a sequence axis at any place: neighbours, ends, every k-th one.

A place is a position of the axis continued over its slots: entry i stands at position ``1 + lo + step * (i - pre)``, also where
that is no position of the word. So a neighbour is a shift, and slots are equations or bounds on the place.
"""

from __future__ import annotations

from math import prod

import numpy as np

from circuits.positions import FIRST, TRUE, AtLeast, Congruent, Equals, Guard, Term, conjunction, simplify, var
from translator.axes import POST, PRE, RUN, Axis, Key, part_shape
from translator.reading.context import Context, plain, restrict, shifted_to
from translator.reading.regions import implies, satisfiable
from translator.reading.values import Data, Index, Part, View

LENGTH = Term((), 1, 0)


def place_of_index(axis: Axis, index: Term) -> Term:
    """The place of an entry of an axis, by its 0-based index."""
    return index * axis.step + (1 + axis.lo - axis.step * axis.pre)


def place_of_entry(axis: Axis, segment: int, slot: int, variable: int) -> Term:
    """The place of an entry of an axis, by its segment; slots behind a run with steps have no such term."""
    if segment == RUN:
        return var(variable)
    return place_of_index(axis, axis.index(segment, slot, variable))


def bounds(axis: Axis, place: Term, before: int = 0, after: int = 0) -> list[Guard]:
    """Say that an entry stands at the place, or one of so many further ones before or after the axis."""
    front, back = axis.pre + before, axis.post + after
    return [
        simplify(AtLeast(place - 1 - axis.lo + axis.step * front)),
        simplify(AtLeast(LENGTH - axis.hi + axis.step * back - place)),
    ]


def read_entry(
    context: Context, data: Data, key: Key, number: int, place: Term, *, within: Guard = TRUE, aligned: bool = True
) -> View:
    """The entries at one place of a sequence axis, on the segments `key` of the other axes; 0 where there is no entry.

    Only where `within` holds does the result matter. An `aligned` place is one of those of the axis or of its continuation.
    """
    assembly = context.assembly
    axis = data.axes[number]

    def segment(which: int) -> Key:
        return tuple(which if other == number else own for other, own in enumerate(key))

    view = plain(context, data.parts[segment(RUN)])
    size = view.size
    inside: list[Guard] = []
    if number not in view.variables():
        inside += [AtLeast(place - 1), AtLeast(LENGTH - place)]
    if axis.lo:
        inside.append(AtLeast(place - 1 - axis.lo))
    if axis.hi:
        inside.append(AtLeast(LENGTH - axis.hi - place))
    if axis.step > 1 and not aligned:
        inside.append(Congruent(place - 1 - axis.lo, axis.step))
    guard = conjunction(*(part for part in map(simplify, inside) if not implies(within, part)))
    total = assembly.rows(restrict(context, shifted_to(context, view, number, place), (guard,) * size))
    for which, count in ((PRE, axis.pre), (POST, axis.post)):
        for slot in range(count):
            here = _at_slot(axis, which, slot, place)
            if not satisfiable(conjunction(within, here)):
                continue
            shape = part_shape(data.axes, segment(which))
            chosen = np.take(np.arange(prod(shape)).reshape(shape), [slot], axis=number).ravel()
            source = plain(context, data.parts[segment(which)].take(chosen))
            total = total.plus(assembly.rows(restrict(context, source, (here,) * size)))
    return assembly.view_of(total)


def _at_slot(axis: Axis, segment: int, slot: int, place: Term) -> Guard:
    """Say that a place is that of a slot."""
    if segment == PRE or axis.step == 1:
        return simplify(Equals(place - place_of_entry(axis, segment, slot, 0)))
    past = place - axis.step * slot - LENGTH + axis.hi  # 1 .. step: the first place behind the run
    return conjunction(AtLeast(past - 1), AtLeast(-past + axis.step))


def last_entry(context: Context, data: Data, key: Key, number: int, back: int) -> View:
    """The entry of a run with steps before which `back` entries come, counted from its end: one case for each remainder of n."""
    assembly, axis = context.assembly, data.axes[number]
    total = None
    for rest in range(axis.step):
        place = LENGTH - axis.hi - rest - axis.step * back
        rows = assembly.rows(read_entry(context, data, key, number, place, aligned=False))
        total = rows if total is None else total.plus(rows)
    if total is None:
        raise TypeError("a step is positive")
    return assembly.view_of(total)


def slot_place(axis: Axis, index: int, from_end: bool) -> tuple[int, int, Term]:
    """Where a constant index stands: (segment, slot, position term); from the end, index 0 is the last entry.

    From the end of a run with steps the position is the largest that the entry may have: it depends on remainders of n.
    """
    if not axis.run:
        return PRE, index, Term()
    if not from_end:
        return (
            (PRE, index, Term()) if index < axis.pre else (RUN, 0, FIRST + (axis.lo + axis.step * (index - axis.pre)))
        )
    if index < axis.post:
        return POST, axis.post - 1 - index, Term()
    return RUN, 0, Term((), 1, -(axis.hi + axis.step * (index - axis.post)))


def pick(context: Context, value: Data, number: int, index: int, from_end: bool) -> dict[Key, Part]:
    """Take one entry along an axis: the parts keep a slot of size 1 there."""
    axis = value.axes[number]
    segment, slot, place = slot_place(axis, index, from_end)
    if segment == RUN:
        count = index + 1 - (axis.post if from_end else axis.pre)  # entries that the run has to have
        least = axis.step * (count - 1) + 1 + axis.lo + axis.hi
        context.require_least(least, "entries at fixed places are read")
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        if key[number] != segment:
            continue
        if segment == RUN and from_end and axis.step > 1:
            own = tuple(PRE if other == number else which for other, which in enumerate(key))
            parts[own] = Part(last_entry(context, value, key, number, index - axis.post))
            continue
        shape = part_shape(value.axes, key)
        take: Index = np.take(np.arange(int(np.prod(shape))).reshape(shape), [slot], axis=number).ravel()
        chosen = part.take(take)
        if segment == RUN:
            at = [var(v) for v in range(len(value.axes))]
            at[number] = place
            chosen = chosen.move(tuple(at))
        parts[tuple(PRE if other == number else own for other, own in enumerate(key))] = chosen
    return parts
