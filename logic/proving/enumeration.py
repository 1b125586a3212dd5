"""Complete enumeration: a gadget that reads one number S changes only at finitely many S, so every S is covered by finitely many.

With the local wires of a gate fixed, ``scale * S + claimed >= t`` changes once, at a number that follows from the weights.
Collected for every gate and every sum that its local wires can have, these numbers cut the integers into intervals on each of
which all gates are constant: by induction along the gates, whatever their values are. One point of each interval therefore
decides the gadget for every integer S. No assumption on the range of S is made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.matrices import Matrix, identity
from logic.proving.gadgets import Block, Gadget
from logic.proving.linear import Unfit

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_BREAKS = 1 << 18
CHUNK = 1 << 22


def breaks_of(gadget: Gadget) -> Integers:
    """Numbers such that all gates are constant for S from one of them up to the next, exclusive; sorted.

    Raises:
        Unfit: there are too many.
    """
    found: list[Integers] = [np.zeros(0, dtype=np.int64)]
    for block in gadget.blocks:
        scale = block.external[:, 0]
        plain = scale != 0
        if block.wires:
            fed = np.flatnonzero(plain & reads(block.wires, len(scale)))
            for row in fed:
                sums = claimed_sums(block.wires, int(row))
                found.append(crossings(int(scale[row]), int(block.thresholds[row]) - sums))
            plain = plain.copy()
            plain[fed] = False
        values = np.unique(scale[plain])
        found += [crossings(int(value), block.thresholds[plain & (scale == value)]) for value in values]
        if sum(map(len, found)) > MOST_BREAKS:
            raise Unfit(f"more than {MOST_BREAKS} cases to enumerate")
    return np.unique(np.concatenate(found))


def crossings(scale: int, thresholds: Integers) -> Integers:
    """Where ``scale * S >= t`` changes: the least S that satisfies it, or for a negative scale the least that does not."""
    if scale > 0:
        return -(-thresholds // scale)
    return -thresholds // -scale + 1


def reads(wires: tuple[tuple[int, Matrix], ...], count: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which gates of a block have local wires."""
    result = np.zeros(count, dtype=bool)
    for _, weights in wires:
        result |= np.diff(weights.indptr) > 0
    return result


def claimed_sums(wires: tuple[tuple[int, Matrix], ...], row: int) -> Integers:
    """Every sum that subsets of one gate's local wires can have.

    Raises:
        Unfit: there are too many, or they need more than 62 bits.
    """
    given = np.concatenate([weights.data[weights.indptr[row] : weights.indptr[row + 1]] for _, weights in wires])
    if np.abs(given.astype(np.float64)).sum() >= 2.0**61:
        raise Unfit("its sums need more than 62 bits")
    sums = np.zeros(1, dtype=np.int64)
    for weight in given:
        sums = np.unique(np.concatenate([sums, sums + weight]))
        if len(sums) > MOST_BREAKS:
            raise Unfit(f"more than {MOST_BREAKS} cases to enumerate")
    return sums


def offsets_at(gadget: Gadget, points: Integers) -> Integers:
    """The offset that a gadget finds for each column of quantities."""
    if len(points) == 1 and (np.diff(points[0]) > 0).all():
        widest = max((len(block.thresholds) for block in gadget.blocks if block.wires), default=1)
        if widest * points.shape[1] <= CHUNK:
            return offsets_along(gadget, points[0])
    width = max(1, CHUNK // max(1, gadget.n_gates))
    pieces = [gadget.fire(points[:, start : start + width]) for start in range(0, points.shape[1], width)]
    return np.concatenate(pieces)


@dataclass(frozen=True, slots=True)
class Steps:
    """Gates without local wires, along ascending S: gate j is ``initial[j]``, and adds ``change[j]`` at point ``place[j]``."""

    initial: Integers
    change: Integers
    place: Integers

    def weighted(self, weights: Matrix, count: int) -> Integers:
        """Weighted sums of the gates at all points: running sums of what changes, not a row for each gate."""
        coo = weights.tocoo()
        rows, columns = coo.coords
        changes = np.zeros((weights.shape[0], count + 1), dtype=np.int64)
        changes[:, 0] = weights @ self.initial
        np.add.at(changes, (rows, self.place[columns]), coo.data * self.change[columns])
        return np.cumsum(changes[:, :count], axis=1)


def steps_of(block: Block, points: Integers) -> Steps:
    """The gates of a block without local wires, along ascending points."""
    scale, thresholds = block.external[:, 0], block.thresholds
    place = np.zeros(len(scale), dtype=np.int64)
    for value in np.unique(scale[scale != 0]):
        rows = np.flatnonzero(scale == value)
        place[rows] = np.searchsorted(points, crossings(int(value), thresholds[rows]))
    initial = (scale < 0) | ((scale == 0) & (thresholds <= 0))
    return Steps(initial.astype(np.int64), np.sign(scale), place)


def offsets_along(gadget: Gadget, points: Integers) -> Integers:
    """The offset that a gadget finds at ascending values of its only quantity.

    Raises:
        Unfit: a sum may need more than 62 bits.
    """
    largest = np.abs(points[None].astype(np.float64)).max(axis=1, initial=0.0)
    fired: list[Steps | Integers] = []
    for block in gadget.blocks:
        block.require_small(largest)
        if not block.wires:
            fired.append(steps_of(block, points))
            continue
        total = block.external @ points[None]
        for source, wires in block.wires:
            given = fired[source]
            total += given.weighted(wires, len(points)) if isinstance(given, Steps) else wires @ given
        fired.append((total >= block.thresholds[:, None]).astype(np.int64))
    result = np.zeros(len(points), dtype=np.int64)
    for bit, place in enumerate(gadget.bits):
        given = fired[place]
        found = given.weighted(identity(1), len(points)) if isinstance(given, Steps) else given
        result += found[0] << bit
    return result


def intervals(breaks: Integers) -> tuple[Integers, Integers]:
    """First and last integer of each interval between breaks; the outer two are cut to one point, next to a break."""
    if not len(breaks):
        return np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64)
    if np.abs(breaks.astype(np.float64)).max() >= 2.0**61:
        raise Unfit("its thresholds need more than 61 bits")
    first = np.concatenate([breaks[:1] - 1, breaks])
    last = np.concatenate([breaks - 1, breaks[-1:]])
    return first, last
