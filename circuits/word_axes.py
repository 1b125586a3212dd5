"""Bounds of a node's values on sets of words, tabulated by letters: how they are stored, read elsewhere, and settled.

A *partial word* allows a set of letters at each position, independently: an array of bits ``(n, L)``. The bounds of a node with
k position variables are two integer arrays ``(B, P_1, .., P_k, L_1, .., L_k, size)``: one entry for each position of variable v
and each letter that may stand there. An axis on which nothing depends has extent 1, also the first, which counts the partial
words. So a node that reads letters only where it stands has exact values, the same for all partial words.

An entry says nothing where its letter is not allowed, or where two variables are one position and have different letters.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.positions import Grid, Ref, Term

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]

FAR = 1 << 62


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Lower and upper bounds; where they are known to be equal, they are one array."""

    low: Integers
    high: Integers

    @property
    def exact(self) -> bool:
        """Whether these are values."""
        return self.low is self.high

    def map(self, function: Any) -> Bounds:
        """Apply a function of an array that never decreases, or moves entries."""
        low = function(self.low)
        return Bounds(low, low if self.exact else function(self.high))


@dataclass(frozen=True, slots=True, eq=False)
class Variables:
    """The position variables of a reader: where each of them is asked for, and how many letters there are."""

    n: int
    positions: tuple[Integers, ...]

    @property
    def grid(self) -> tuple[Grid, ...]:
        """Open grids, one array for each variable."""
        return tuple(np.ix_(*self.positions)) if self.positions else ()


def plain_variables(at: tuple[Term, ...]) -> list[int | None]:
    """The variable that each term is, or None where it is anything else, or not the first with that variable."""
    found: list[int | None] = []
    for term in at:
        match term:
            case Term(((v, 1),), 0, 0) if v not in found:
                found.append(v)
            case _:
                found.append(None)
    return found


def read(source: Bounds, stored: tuple[Integers, ...], ref: Ref, reader: Variables, allowed: Truth) -> Bounds:
    """The bounds of a referenced node over the variables of its reader.

    Where a term is a variable of the reader, the letter there stays an axis; elsewhere the letters allowed are settled. A
    position outside of the word reads as 0.
    """
    k, wide = len(ref.at), len(reader.positions)
    plain = plain_variables(ref.at)
    for axis, variable in enumerate(plain):
        if variable is None:
            source = settle(source, k, axis, allowed[:, stored[axis] - 1])
    places = [np.asarray(term.evaluate(reader.n, reader.grid)) for term in ref.at]
    shape = (1,) * wide
    indices = []
    for axis, place in enumerate(places):
        if source.low.shape[1 + axis] == 1:
            place = np.ones((1,) * wide, dtype=np.int64) * stored[axis][0]
        place = place.reshape((1,) * (wide - place.ndim) + place.shape)
        shape = np.broadcast_shapes(shape, place.shape)
        index = np.minimum(np.searchsorted(stored[axis], place), source.low.shape[1 + axis] - 1)
        indices.append(index)
    inside = np.ones((1,) * wide, dtype=bool)
    for term in ref.at:
        value = np.asarray(term.evaluate(reader.n, reader.grid))
        value = value.reshape((1,) * (wide - value.ndim) + value.shape)
        inside = inside & (value >= 1) & (value <= reader.n)
    letters = [plain.index(v) if v in plain else None for v in range(wide)]

    def move(values: Integers) -> Integers:
        entries: tuple[Any, ...] = (slice(None), *(np.broadcast_to(index, shape) for index in indices))
        taken = values[entries] if k else values.reshape((values.shape[0], *(1,) * wide, values.shape[-1]))
        kept = [axis for axis in letters if axis is not None]
        gone = [axis for axis in range(k) if axis not in kept]
        order = [0, *range(1, 1 + wide), *(1 + wide + axis for axis in (*kept, *gone)), 1 + wide + k]
        moved = taken.transpose(order)
        extents = [1 if axis is None else values.shape[1 + k + axis] for axis in letters]
        moved = moved.reshape((*moved.shape[: 1 + wide], *extents, values.shape[-1]))
        if inside.all():
            return moved
        return moved * inside.reshape((1, *inside.shape, *(1,) * wide, 1))

    return source.map(move)


def settle(source: Bounds, k: int, axis: int, allowed: Truth) -> Bounds:
    """Bounds over all letters allowed at variable number `axis` of k; `allowed` has shape ``(B, P, L)``.

    The letter axis stays with extent 1. Where another variable is the same position, use `settle_last`.
    """
    place = 1 + k + axis
    if source.low.shape[place] == 1:
        return source
    shape = [1] * source.low.ndim
    shape[0], shape[1 + axis], shape[place] = allowed.shape
    mask = allowed.reshape(shape)
    low = np.where(mask, source.low, FAR).min(axis=place, keepdims=True)
    return Bounds(low, np.where(mask, source.high, -FAR).max(axis=place, keepdims=True))


def settle_last(source: Bounds, variables: Variables, allowed: Truth) -> Bounds:
    """Bounds over all letters at the last variable, which has the letter of another variable at the same position.

    The letter axis is gone: ``(B, P_1, .., P_k, L_1, .., L_(k-1), size)``.
    """
    k = len(variables.positions)
    place = 2 * k
    if source.low.shape[place] == 1:
        return source.map(lambda values: values.squeeze(place))
    settled = settle(source, k, k - 1, allowed[:, variables.positions[-1] - 1])
    low, high = (np.squeeze(values, place) for values in (settled.low, settled.high))
    n_letters = allowed.shape[2]
    for other in range(k - 1):
        rows, columns = np.nonzero(variables.positions[other][:, None] == variables.positions[-1][None, :])
        if not len(rows):
            continue
        full = list(low.shape)
        full[1 + other], full[k], full[1 + k + other] = (
            len(variables.positions[other]),
            len(variables.positions[-1]),
            n_letters,
        )
        low, high = np.broadcast_to(low, full).copy(), np.broadcast_to(high, full).copy()
        for letter in range(n_letters):
            where: list[Any] = [slice(None)] * low.ndim
            where[1 + other], where[k], where[1 + k + other] = rows, columns, letter
            given: list[Any] = [slice(None)] * source.low.ndim
            given[1 + other] = rows if source.low.shape[1 + other] > 1 else np.zeros_like(rows)
            given[k] = columns if source.low.shape[k] > 1 else np.zeros_like(columns)
            given[1 + k + other] = letter if source.low.shape[1 + k + other] > 1 else 0
            given[place] = letter
            low[tuple(where)] = source.low[tuple(given)]
            high[tuple(where)] = source.high[tuple(given)]
    return Bounds(low, high)
