"""Windows that slide along the sequence with stride 1: every tap is a read at a shifted position.

Where padding makes the output longer than the word, its further entries are slots behind the positions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from circuits.positions import AtLeast, Equals, Guard, Term, conjunction, disjunction, simplify, substitute, var
from translator.axes import POST, PRE, RUN, Axis, Key, keys, part_shape
from translator.reading.context import Context, plain, realign, restrict, shifted_to
from translator.reading.convolution import Kernel, correlate, joints_of
from translator.reading.joining import _stack
from translator.reading.loading import Operator
from translator.reading.refusing import Refusal
from translator.reading.values import Affine, Data, Index, Part, View, constant
from translator.reading.windows import Window, filled, sums

LENGTH = Term((), 1, 0)


class _Slide:
    """The window of an operator whose spatial axis number `place` is the sequence."""

    def __init__(self, operator: Operator, data: Data, taps: Sequence[int]) -> None:
        running = [axis for axis in range(2, len(data.axes)) if data.axes[axis].run]
        if len(running) > 1:
            raise Refusal("N028", "a convolution or pooling runs along two sequence axes at once")
        (self.axis,) = running
        self.data, self.place = data, self.axis - 2
        spatial = [axis.pre for axis in data.axes[2:]]
        spatial[self.place] = probe = 1 + sum(taps) * max(operator.attributes.get("dilations") or [1])
        self.window = Window(operator, taps, spatial)
        if self.window.strides[self.place] != 1:
            raise Refusal(
                "N028",
                f"a convolution or pooling takes every {self.window.strides[self.place]}th position of the sequence",
                note="its output has about n / stride entries, and no length of a tensor may be other than n plus a constant",
                help="use stride 1 along the sequence",
            )
        self.n_taps, self.dilation = taps[self.place], self.window.dilations[self.place]
        self.front = self.window.pads[self.place]
        self.input_length = data.axes[self.axis].length
        self.length = self.input_length + (self.window.out[self.place] - probe)
        self.out = list(self.window.out)
        self.spatial = spatial
        for sizes, size in ((self.window.kernel, 1), (self.window.pads, 0), (self.out, 1), (self.spatial, 1)):
            sizes[self.place] = size
        self.window.pads[self.place + len(taps)] = 0
        self.window.out = self.out

    def axes(self, context: Context, channels: int) -> tuple[Axis, ...]:
        """The axes of the output."""
        extra = self.length.const
        if extra < 0:
            context.require_least(1 - extra, "windows without padding shorten the sequence")
        along = Axis(0, True, 0, max(-extra, 0), max(extra, 0))
        sizes = (along if place == self.place else Axis(size) for place, size in enumerate(self.out))
        return (self.data.axes[0], Axis(channels), *sizes)

    def table(self) -> Index:
        """The windows on the other spatial axes."""
        return self.window.table(self.spatial)

    def index(self, first: Term, tap: int) -> Term:
        """The index that a tap of the window number `first` reads."""
        return first + (tap * self.dilation - self.front)

    def build(self, context: Context, channels: int, step: Callable[[Key, Term], Part]) -> Data:
        """Make each part of the output; the step is told the part of the input, and the number of the window."""
        axes = self.axes(context, channels)
        parts: dict[Key, Part] = {}
        for key in keys(axes):
            if key[self.axis] == RUN:
                parts[key] = step(key, var(self.axis) - 1)
                continue
            shape = part_shape(axes, key)
            single = tuple(1 if axis == self.axis else size for axis, size in enumerate(shape))
            slots = [(step(key, LENGTH + slot), single) for slot in range(shape[self.axis])]
            parts[key] = _stack(context, slots, self.axis)
        return Data(axes, parts)


def read_entry(context: Context, data: Data, key: Key, number: int, index: Term) -> View:
    """The entries at one index of a sequence axis, on the segments `key` of the other axes; 0 where there is no such index."""
    assembly = context.assembly
    axis = data.axes[number]
    at = [var(v) for v in range(len(data.axes))]

    def segment(which: int) -> Key:
        return tuple(which if other == number else own for other, own in enumerate(key))

    place = index + (1 + axis.lo - axis.pre)
    at[number] = place
    view = plain(context, data.parts[segment(RUN)])
    size = view.size
    inside: list[Guard] = []
    if number not in view.variables():
        inside += [AtLeast(place - 1), AtLeast(LENGTH - place)]
    if axis.lo or axis.hi:
        inside.append(substitute(axis.guard(number), at))
    guard = simplify(conjunction(*inside))
    total = assembly.rows(restrict(context, shifted_to(context, view, number, place), (guard,) * size))
    for which, count in ((PRE, axis.pre), (POST, axis.post)):
        for slot in range(count):
            shape = part_shape(data.axes, segment(which))
            chosen = np.take(np.arange(prod(shape)).reshape(shape), [slot], axis=number).ravel()
            here = simplify(Equals(index - axis.index(which, slot, number)))
            source = plain(context, data.parts[segment(which)].take(chosen))
            total = total.plus(assembly.rows(restrict(context, source, (here,) * size)))
    return assembly.view_of(total)


def convolve_along(context: Context, operator: Operator, data: Data, kernel: Kernel, taps: Sequence[int]) -> Data:
    """Conv along the sequence: the sum over the taps along it of convolutions of the other axes."""
    slide = _Slide(operator, data, taps)
    joints = joints_of(slide.table(), prod(slide.spatial))
    n_out, per_group = kernel.index.shape[:2]
    by_tap = kernel.index.reshape(n_out, per_group, *taps)

    def step(key: Key, first: Term) -> Part:
        shape = part_shape(data.axes, tuple(RUN if axis == slide.axis else own for axis, own in enumerate(key)))
        total = constant(np.zeros(shape[0] * n_out * joints.out_cells))
        for tap in range(slide.n_taps):
            chosen = np.take(by_tap, tap, axis=2 + slide.place).reshape(n_out, per_group, -1)
            view = read_entry(context, data, key, slide.axis, slide.index(first, tap))
            found = correlate(context, view, shape[0], shape[1], replace(kernel, index=chosen), joints)
            total = total.plus(context.assembly.rows(found))
        return Part(context.assembly.view_of(total))

    return slide.build(context, n_out, step)


def pool_along(context: Context, operator: Operator, data: Data) -> Data:
    """MaxPool, AveragePool and LpPool (the sums) along the sequence."""
    taps = operator.attributes["kernel_shape"]
    slide = _Slide(operator, data, taps)
    if operator.op_type == "MaxPool":
        return _largest_along(context, slide)
    table, cells = slide.table(), prod(slide.spatial)
    mean, include = operator.op_type == "AveragePool", bool(operator.attributes.get("count_include_pad", 0))
    counted = slide.window.table(slide.spatial, padded=True) if include else table
    counts = (counted >= 0).sum(axis=1) * (slide.n_taps if include else 1) if mean else None
    channels = data.axes[1].pre

    def step(key: Key, first: Term) -> Part:
        shape = part_shape(data.axes, tuple(RUN if axis == slide.axis else own for axis, own in enumerate(key)))
        total = constant(np.zeros(shape[0] * shape[1] * len(table)))
        for tap in range(slide.n_taps):
            view = read_entry(context, data, key, slide.axis, slide.index(first, tap))
            found = sums(context, view, table, counts, shape[0] * shape[1], cells)
            total = total.plus(context.assembly.rows(found))
        view = context.assembly.view_of(total, context.assembly.hint)
        if not mean or include:
            return Part(view)
        return Part(view, _inside_counts(context, slide, first).take(np.zeros(view.size, dtype=np.int64)))

    return slide.build(context, channels, step)


def _inside_counts(context: Context, slide: _Slide, first: Term) -> View:
    """How many taps of the window number `first` read an entry that exists."""
    total = constant([0.0])
    for tap in range(slide.n_taps):
        index = slide.index(first, tap)
        guard = simplify(conjunction(AtLeast(index), AtLeast(slide.input_length - 1 - index)))
        total = total.plus(Affine((), np.zeros(1), np.zeros(1), ((guard, np.ones(1)),)))
    return context.assembly.view_of(total, context.assembly.named("count"))


def _largest_along(context: Context, slide: _Slide) -> Data:
    """Maxima over the positions that a window reaches; padding takes no part."""
    data = slide.data
    if data.axes[slide.axis].pre or data.axes[slide.axis].post:
        data = realign(context, data, slide.axis)
    axis, bound = data.axes[slide.axis], len(data.axes)
    table, cells = slide.table(), prod(slide.spatial)
    context.require_least(_least_length(slide), "every window of a maximum needs an entry")

    def step(key: Key, first: Term) -> Part:
        own = tuple(RUN if number == slide.axis else segment for number, segment in enumerate(key))
        outer = prod(part_shape(data.axes, own)[:2])
        at = tuple(var(bound if number == slide.axis else number) for number in range(bound))
        view = plain(context, data.parts[own]).move(at)
        start = slide.index(first, 0) + (1 + axis.lo)
        if slide.dilation == 1:
            window = conjunction(AtLeast(var(bound) - start), AtLeast(start + (slide.n_taps - 1) - var(bound)))
        else:
            window = disjunction(*(Equals(var(bound) - start - t * slide.dilation) for t in range(slide.n_taps)))
        groups = (np.arange(outer)[:, None, None] * cells + filled(table)).reshape(-1, table.shape[1])
        guard = conjunction(window, axis.guard(bound))
        return Part(context.assembly.maximum(view, groups, bound, guard, []))

    return slide.build(context, data.axes[1].pre, step)


def _least_length(slide: _Slide) -> int:
    """The least n from which on every window holds an entry."""
    reach = np.arange(slide.n_taps) * slide.dilation - slide.front
    span = slide.n_taps * slide.dilation + abs(slide.front)
    enough = 1
    for n in range(1, 2 * span + 2):
        length, count = n + slide.input_length.const, n + slide.length.const
        index = np.arange(max(count, 0))[:, None] + reach
        if length < 1 or not ((index >= 0) & (index < length)).any(axis=1).all():
            enough = n + 1
    if enough > 2 * span + 1:
        raise Refusal("N028", "a window of MaxPool lies in the padding alone", help="pad by less than the kernel")
    return enough
