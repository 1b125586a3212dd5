"""Entries at computed positions: masks and tables of the input that exporters read with index tensors built from Range.

An index tensor for GatherND is a stack of position terms and constants; each entry of the result is the tensor at that place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.positions import Term, is_safe, var
from translator.axes import PRE, RUN, SEQUENCE, Axis, Key, part_shape
from translator.reading.context import Context, plain, realign
from translator.reading.refusing import Refusal
from translator.reading.values import Data, Part, Piece, Positional


class Stacked(Positional):
    """Positional tensors side by side on a last axis, one entry each: the index components of GatherND."""

    __slots__ = ("components",)
    components: tuple[Positional, ...]

    def __init__(self, dims: tuple[Term, ...], components: tuple[Positional, ...]) -> None:
        for name, value in (("dims", dims), ("components", components), ("dtype", "int"), ("stored", None)):
            object.__setattr__(self, name, value)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """Not available: position numbers are no numbers to compute with side by side.

        Raises:
            Refusal: always.
        """
        raise Refusal("N033", "position numbers side by side are used for something else than GatherND")


def place_of(index: Positional) -> Term | None:
    """The 0-based place that all entries of an index tensor name, as a term; None if it is not one term."""
    if len(index.pieces) != 1:
        return None
    piece = index.pieces[0][1]
    if isinstance(piece, Term):
        return piece
    numbers = np.unique(piece)
    return Term((), 0, int(numbers[0])) if numbers.size == 1 and float(numbers[0]).is_integer() else None


def entries_at(context: Context, value: Data, first: int, places: Sequence[Term], dims: tuple[Term, ...]) -> Data:
    """Replace the axes from `first` on, one for each place, by the entries at the places; `dims` are the axes that come instead.

    The variables of the places are 0-based indices on `dims`.

    Raises:
        Refusal: a place may lie outside the axis, or an axis has another length than n.
    """
    count = len(places)
    for axis in range(first, first + count):
        if value.axes[axis].run:
            value = realign(context, value, axis)
    if any(dim.n_coef and dim != SEQUENCE.length for dim in dims):
        raise Refusal("N051", "entries are gathered for a sequence of another length than n")
    fresh = tuple(SEQUENCE if dim.n_coef else Axis(dim.const) for dim in dims)
    axes = (*value.axes[:first], *fresh, *value.axes[first + count :])
    inner = [var(first + axis) - 1 if own.run else Term() for axis, own in enumerate(fresh)]
    at: list[Term] = [var(axis) for axis in range(first)]
    slots: list[int] = []
    for axis, place in enumerate(places, first):
        own = value.axes[axis]
        if place.coefs and any(not fresh[v].run for v, _ in place.coefs):
            raise Refusal("N051", "entries are gathered at a place that depends on a static index")
        position = place.substitute(inner) + 1
        if own.run:
            if not is_safe(position, context.least):
                raise Refusal("N051", f"entries of the sequence are gathered at {place}, which may lie outside of it")
            slots.append(0)
        else:
            if position.coefs or position.n_coef:
                raise Refusal("N051", f"entries of a static axis are gathered at {place}")
            slots.append((position.const - 1) % own.pre)
        at.append(position if own.run else Term())
    at += [var(axis) for axis in range(first + len(fresh), len(axes))]
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        shape = part_shape(value.axes, key)
        numbers = np.arange(int(np.prod(shape))).reshape(shape)
        for axis in reversed(range(first, first + count)):
            numbers = np.take(numbers, slots[axis - first], axis=axis)
        rest = (*shape[:first], *(1,) * len(fresh), *shape[first + count :])
        own_key = (*key[:first], *(RUN if own.run else PRE for own in fresh), *key[first + count :])
        index = np.broadcast_to(numbers.reshape(rest), part_shape(axes, own_key)).ravel()
        parts[own_key] = Part(plain(context, part).move(tuple(at)).take(index))
    return Data(axes, parts, value.dtype)
