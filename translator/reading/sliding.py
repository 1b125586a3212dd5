"""Windows that slide along the sequence: every tap is a read at a shifted position, also where the sequence has been thinned out.

A stride s leaves every s-th position of the run. Where padding makes the output longer than the positions hold, its further
entries are slots: behind a run without steps, before one with steps.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import prod

import numpy as np

from circuits.positions import (
    FALSE,
    TRUE,
    AtLeast,
    Equals,
    Guard,
    Term,
    conjunction,
    disjunction,
    holds,
    negation,
    var,
)
from translator.axes import RUN, Axis, Key, part_shape
from translator.lengths import divided, least_for
from translator.reading.context import Context, axis_of_length, plain, realign, restrict
from translator.reading.convolution import Kernel, correlate, joints_of
from translator.reading.entries import bounds, read_entry
from translator.reading.joining import _stack
from translator.reading.loading import Operator
from translator.reading.refusing import Refusal
from translator.reading.regions import implies
from translator.reading.striding import along
from translator.reading.values import Affine, Data, Index, Part, View, constant
from translator.reading.windows import Window, filled, sums

TRIED_PERIODS = 3


class _Slide:
    """The window of an operator whose spatial axis number `place` is the sequence."""

    def __init__(self, context: Context, operator: Operator, data: Data, taps: Sequence[int]) -> None:
        running = [axis for axis in range(2, len(data.axes)) if data.axes[axis].run]
        if len(running) > 1:
            raise Refusal("N028", "a convolution or pooling runs along two sequence axes at once")
        (self.axis,) = running
        self.data, self.place = data, self.axis - 2
        self.old = data.axes[self.axis]
        self.spatial = [axis.pre for axis in data.axes[2:]]
        self.spatial[self.place] = 1
        self.window = window = Window(operator, taps, self.spatial)
        self.n_taps, self.dilation = taps[self.place], window.dilations[self.place]
        self.stride, self.reach = window.strides[self.place], window.reach(self.place)
        auto = operator.attributes.get("auto_pad", "NOTSET")
        if auto in ("SAME_UPPER", "SAME_LOWER"):
            self.front = _same_front(self.stride, self.reach, upper=auto == "SAME_UPPER")
            self.back = 0
            self.length = divided(self.old.length, self.stride, up=True)
        else:
            self.front, self.back = window.pads[self.place], window.pads[self.place + len(taps)]
            padded = self.old.length + (self.front + self.back - self.reach)
            if operator.attributes.get("ceil_mode", 0):
                # A window that would start in the padding behind the input is dropped.
                more = min(2 * self.stride - 1, self.reach - self.back + self.stride - 1)
                self.length = divided(padded + more, self.stride)
            else:
                self.length = divided(padded, self.stride) + 1
        for sizes, size in ((window.kernel, 1), (window.pads, 0), (window.out, 1)):
            sizes[self.place] = size
        window.pads[self.place + len(taps)] = 0
        self.own = axis_of_length(self.length)
        self.step = self.old.step * self.dilation
        context.require_least(least_for(self.length, 1), "windows without padding shorten the sequence")

    def axes(self, channels: int) -> tuple[Axis, ...]:
        """The axes of the output."""
        sizes = (self.own if place == self.place else Axis(size) for place, size in enumerate(self.window.out))
        return (self.data.axes[0], Axis(channels), *sizes)

    def table(self) -> Index:
        """The windows on the other spatial axes."""
        return self.window.table(self.spatial)

    def shape(self, key: Key) -> tuple[int, ...]:
        """The shape of what one tap reads."""
        return part_shape(self.data.axes, tuple(RUN if axis == self.axis else own for axis, own in enumerate(key)))

    def read(self, context: Context, key: Key, start: Term, tap: int, within: Guard) -> View:
        """What a tap of the window that starts at a place reads; 0 outside of the input."""
        return read_entry(context, self.data, key, self.axis, start + tap * self.step, within=within)

    def inside(self, start: Term, tap: int, within: Guard, *, padded: bool = False) -> Guard:
        """Whether a tap reads an entry that exists, or one of the declared padding."""
        extra = (self.front, self.back) if padded else (0, 0)
        parts = bounds(self.old, start + tap * self.step, *extra)
        return conjunction(*(part for part in parts if not implies(within, part)))

    def build(self, context: Context, channels: int, step: Callable[[Key, Term, Guard], Part]) -> Data:
        """Make each part of the output; the step is told where the window starts, and where the window exists."""
        return along(context, self.data, self.axis, self.axes(channels), -self.front, step)

    def reached(self, n: int) -> tuple[bool, bool]:
        """At length n, whether every window reads an entry, and whether it would at all other positions as well."""
        count, length = int(self.length.evaluate(n, ())), int(self.old.length.evaluate(n, ()))
        reach = np.arange(self.n_taps) * self.dilation - self.front
        index = np.arange(max(count, 0))[:, None] * self.stride + reach
        every = bool(((index >= 0) & (index < length)).any(axis=1).all())
        shift = self.old.lo - self.own.lo + self.own.step * self.own.pre - self.old.step * (self.front + self.old.pre)
        places = np.arange(1, n + 1)[:, None] + shift + np.arange(self.n_taps) * self.step
        found = holds(conjunction(*bounds(self.old, var(0))), n, [places])
        return every, bool(np.broadcast_to(found, places.shape).any(axis=1).all())

    def tried(self) -> range:
        """Lengths after which nothing new happens."""
        span = self.old.step * (self.reach + self.front + self.back + self.old.pre + self.old.post + self.stride)
        return range(1, TRIED_PERIODS * (span + self.old.lo + self.old.hi + self.own.step) + 2)

    def beyond(self, context: Context) -> Guard:
        """Where no window exists, if one that reads nothing would stand there: its result does not matter, but it has one."""
        exists = self.own.guard(self.axis)
        lengths = [n for n in self.tried() if n >= context.least]
        return FALSE if exists == TRUE or all(self.reached(n)[1] for n in lengths) else negation(exists)


def _same_front(stride: int, reach: int, *, upper: bool) -> int:
    """The padding in front of the input that gives one window for every `stride` entries, for every length.

    Raises:
        Refusal: it depends on the remainder of the length.
    """
    totals = [max(reach - (rest or stride), 0) for rest in range(stride)]
    fronts = {total // 2 if upper else total - total // 2 for total in totals}
    if len(fronts) > 1:
        raise Refusal(
            "N028",
            f"automatic padding along the sequence depends on the remainder of its length by the stride {stride}",
            note="windows of a stride above 1 would stand at other places for each remainder",
            help="export with explicit padding",
        )
    return fronts.pop()


def convolve_along(context: Context, operator: Operator, data: Data, kernel: Kernel, taps: Sequence[int]) -> Data:
    """Conv along the sequence: the sum over the taps along it of convolutions of the other axes."""
    slide = _Slide(context, operator, data, taps)
    joints = joints_of(slide.table(), prod(slide.spatial))
    n_out, per_group = kernel.index.shape[:2]
    by_tap = kernel.index.reshape(n_out, per_group, *taps)

    def step(key: Key, start: Term, within: Guard) -> Part:
        images, channels = slide.shape(key)[:2]
        total = constant(np.zeros(images * n_out * joints.out_cells))
        for tap in range(slide.n_taps):
            chosen = np.take(by_tap, tap, axis=2 + slide.place).reshape(n_out, per_group, -1)
            view = slide.read(context, key, start, tap, within)
            found = correlate(context, view, images, channels, replace(kernel, index=chosen), joints)
            total = total.plus(context.assembly.rows(found))
        return Part(context.assembly.view_of(total))

    return slide.build(context, n_out, step)


def pool_along(context: Context, operator: Operator, data: Data) -> Data:
    """MaxPool, AveragePool and LpPool (the sums) along the sequence."""
    taps = operator.attributes["kernel_shape"]
    slide = _Slide(context, operator, data, taps)
    if operator.op_type == "MaxPool":
        return _largest_along(context, slide)
    table, cells = slide.table(), prod(slide.spatial)
    mean, include = operator.op_type == "AveragePool", bool(operator.attributes.get("count_include_pad", 0))
    counted = slide.window.table(slide.spatial, padded=True) if include else table
    others = (counted >= 0).sum(axis=1)
    channels, beyond = data.axes[1].pre, slide.beyond(context)

    def step(key: Key, start: Term, within: Guard) -> Part:
        outer = prod(slide.shape(key)[:2])
        fixed, guards = _inside_guards(slide, start, within, beyond, padded=include)
        counts = others * (1 if guards else fixed) if mean else None
        total = constant(np.zeros(outer * len(table)))
        for tap in range(slide.n_taps):
            found = sums(context, slide.read(context, key, start, tap, within), table, counts, outer, cells)
            total = total.plus(context.assembly.rows(found))
        view = context.assembly.view_of(total, context.assembly.hint)
        if not mean or not guards:
            return Part(view)
        count = Affine((), np.full(1, float(fixed)), np.zeros(1), tuple((guard, np.ones(1)) for guard in guards))
        here = context.assembly.view_of(count, context.assembly.named("count"))
        return Part(view, here.take(np.zeros(view.size, dtype=np.int64)))

    return slide.build(context, channels, step)


def _inside_guards(
    slide: _Slide, start: Term, within: Guard, beyond: Guard, *, padded: bool
) -> tuple[int, list[Guard]]:
    """How many taps of a window always read an entry that exists, and when each of the others does."""
    guards = [slide.inside(start, tap, within, padded=padded) for tap in range(slide.n_taps)]
    return guards.count(TRUE), [disjunction(guard, beyond) for guard in guards if guard not in (TRUE, FALSE)]


def _largest_along(context: Context, slide: _Slide) -> Data:
    """Maxima over the positions that a window reaches; padding takes no part."""
    context.require_least(_least_length(slide), "every window of a maximum needs an entry")
    data, number = slide.data, slide.axis
    if slide.old.pre or slide.old.post:
        data = realign(context, data, number)
    axis, bound = data.axes[number], len(data.axes)
    if axis.pre or axis.post:
        return _largest_of_taps(context, slide)
    table, cells = slide.table(), prod(slide.spatial)
    shift = axis.lo - slide.old.lo + axis.step * slide.old.pre  # from the places of the old axis to those of this one
    beyond = slide.beyond(context)

    def step(key: Key, start: Term, within: Guard) -> Part:
        outer = prod(slide.shape(key)[:2])
        own = tuple(RUN if other == number else segment for other, segment in enumerate(key))
        at = tuple(var(bound if other == number else other) for other in range(bound))
        view = plain(context, data.parts[own]).move(at)
        y, first = var(bound), start + shift
        last = first + (slide.n_taps - 1) * slide.step
        if slide.step == 1:
            window = conjunction(AtLeast(y - first), AtLeast(last - y))
        else:
            window = disjunction(*(Equals(y - first - tap * slide.step) for tap in range(slide.n_taps)))
        if axis.lo and not implies(within, AtLeast(first - 1 - axis.lo)):
            window = conjunction(window, AtLeast(y - 1 - axis.lo))
        if axis.hi and not implies(within, AtLeast(Term((), 1, -axis.hi) - last)):
            window = conjunction(window, AtLeast(Term((), 1, -axis.hi) - y))
        groups = (np.arange(outer)[:, None, None] * cells + filled(table)).reshape(-1, table.shape[1])
        return Part(context.assembly.maximum(view, groups, bound, disjunction(window, beyond), []))

    return slide.build(context, data.axes[1].pre, step)


def _largest_of_taps(context: Context, slide: _Slide) -> Data:
    """Maxima over what the taps read, where slots stand beside the positions; a tap in the padding reads as another one."""
    assembly = context.assembly
    table, cells = slide.table(), prod(slide.spatial)

    def step(key: Key, start: Term, within: Guard) -> Part:
        outer = prod(slide.shape(key)[:2])
        size = outer * cells
        taps = range(slide.n_taps)
        views = [slide.read(context, key, start, tap, within) for tap in taps]
        guards = [slide.inside(start, tap, within) for tap in taps]
        first, found = constant(np.zeros(size)), negation(TRUE)
        for view, guard in zip(views, guards, strict=True):
            here = conjunction(guard, negation(found))
            first = first.plus(assembly.rows(restrict(context, view, (here,) * size)))
            found = disjunction(found, guard)
        another = assembly.view_of(first, assembly.named("first"))
        another.source.shared = True
        candidates = []
        for view, guard in zip(views, guards, strict=True):
            rest = restrict(context, another, (negation(guard),) * size)
            filling = assembly.rows(rest) if guard != TRUE else constant(np.zeros(size))
            candidates.append(Part(assembly.view_of(assembly.rows(view).plus(filling))))
        whole = plain(context, _stack(context, [(candidate, (1, size)) for candidate in candidates], 0))
        inner = (np.arange(outer)[:, None, None] * cells + filled(table)).reshape(-1, table.shape[1])
        groups = np.concatenate([inner + tap * size for tap in taps], axis=1)
        return Part(assembly.maximum(whole, groups, None, TRUE, []))

    return slide.build(context, slide.data.axes[1].pre, step)


def _least_length(slide: _Slide) -> int:
    """The least n from which on every window holds an entry."""
    missed = [n for n in slide.tried() if not slide.reached(n)[0]]
    if missed and missed[-1] == slide.tried()[-1]:
        raise Refusal("N028", "a window of MaxPool lies in the padding alone", help="pad by less than the kernel")
    return missed[-1] + 1 if missed else 1
