"""Windows and samples along a sequence axis: an entry for every s-th entry leaves every s-th position of the run."""

from __future__ import annotations

from collections.abc import Callable

from circuits.positions import TRUE, AtLeast, Guard, Term, conjunction, var
from translator.axes import RUN, Axis, Key, keys, part_shape
from translator.lengths import divided, least_for
from translator.reading.context import Context, axis_of_length
from translator.reading.entries import LENGTH, place_of_index, read_entry
from translator.reading.joining import _stack
from translator.reading.values import Data, Part


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
