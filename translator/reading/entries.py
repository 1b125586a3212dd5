"""Entries of a sequence axis at any place: neighbours, ends, every k-th one.

A place is a position of the axis continued over its slots: entry i stands at position ``1 + lo + step * (i - pre)``, also where
that is no position of the word. So a neighbour is a shift, and slots are equations or bounds on the place.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np

from circuits.positions import TRUE, AtLeast, Congruent, Equals, Guard, Term, conjunction, simplify, var
from translator.axes import POST, PRE, RUN, Axis, Key, keys, part_shape
from translator.lengths import divided, least_for
from translator.reading.context import Context, axis_of_length, plain, restrict, shifted_to
from translator.reading.joining import _stack
from translator.reading.regions import implies, satisfiable
from translator.reading.values import Data, Part, View

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


def along(
    context: Context,
    data: Data,
    number: int,
    new: tuple[Axis, ...],
    first: int,
    step: Callable[[Key, Term, Guard], Part],
) -> Data:
    """Make a tensor whose axis `number` has an entry for every window along that axis of `data`.

    The window of entry j begins at the place of index ``first + j * stride`` of the old axis, where the stride is the quotient
    of the steps. `step` makes the entries from the segments, the place, and the guard under which they exist.
    """
    old, own = data.axes[number], new[number]
    parts: dict[Key, Part] = {}
    for key in keys(new):
        if key[number] == RUN:
            shift = old.lo - own.lo + own.step * own.pre + old.step * (first - old.pre)
            within = conjunction(AtLeast(var(number) - 1), AtLeast(LENGTH - var(number)), own.guard(number))
            parts[key] = step(key, var(number) + shift, within)
            continue
        shape = part_shape(new, key)
        single = tuple(1 if axis == number else size for axis, size in enumerate(shape))
        slots = []
        for slot in range(shape[number]):
            index = own.index(key[number], slot, number) * (own.step // old.step) + first
            slots.append((step(key, place_of_index(old, index), TRUE), single))
        parts[key] = _stack(context, slots, number)
    return Data(new, parts, data.dtype)


def sampled(context: Context, data: Data, number: int, stride: int = 1) -> Data:
    """Every `stride`-th entry of a sequence axis, on the axis that `axis_of_length` makes."""
    old = data.axes[number]
    if not old.pre and not old.post and stride > 1:
        thinned = Axis(0, True, old.lo, old.hi, 0, old.step * stride)
        return Data(_with(data.axes, number, thinned), data.parts, data.dtype)
    length = divided(old.length, stride, up=True)
    context.require_least(least_for(length, 1), "entries of the sequence are read")

    def step(key: Key, place: Term, within: Guard) -> Part:
        return Part(read_entry(context, data, key, number, place, within=within))

    return along(context, data, number, _with(data.axes, number, axis_of_length(length)), 0, step)


def _with(axes: tuple[Axis, ...], number: int, own: Axis) -> tuple[Axis, ...]:
    return tuple(own if other == number else axis for other, axis in enumerate(axes))
