"""What the units of a network compute on words of one shape: as functions of the numbers that stand at a few positions.

A unit is a row of values, one for each word. It is constant, a function of one number, of ``(h v + k w) mod m`` for some h and
k, of the distance or another simple key, a sum ``f(v) + g(w)``, such a sum clipped at 0, or else a table of some rank. These are
exact, and each unit is put under the first that holds. Frequencies are measured: the share of a unit's variance that its
discrete Fourier transform over the numbers has at one frequency. A network that adds on a clock has units of few frequencies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from math import gcd
from typing import Any

import numpy as np
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

Integers = np.ndarray[Any, np.dtype[np.int64]]
Reals = np.ndarray[Any, np.dtype[np.float64]]

PROBED = 64
ALL_MULTIPLES = 40
"""Modulus up to which all pairs of factors are tried, not only those of which one is 1."""


@dataclass(frozen=True)
class Numbers:
    """The words that units are asked about: a full grid of numbers.

    Attributes:
        names: what stands for the number on each axis, such as v1.
        values: the numbers on each axis.
        modulus: of sums; 0 if there is none.
    """

    names: tuple[str, ...]
    values: tuple[Integers, ...]
    modulus: int

    @property
    def extent(self) -> tuple[int, ...]:
        """The axes."""
        return tuple(len(one) for one in self.values)

    @property
    def size(self) -> int:
        """The words."""
        return int(np.prod(self.extent))

    def spread(self) -> list[Integers]:
        """The number on each axis at each word ``(size,)``."""
        return [axis.reshape(-1) for axis in np.meshgrid(*self.values, indexing="ij")]

    def places(self) -> list[Integers]:
        """The place on each axis at each word."""
        return [axis.reshape(-1) for axis in np.indices(self.extent)]

    @property
    def is_periodic(self) -> bool:
        """Whether every axis runs once through all remainders, in order."""
        return self.modulus > 1 and all(
            len(one) == self.modulus and (np.diff(one) == 1).all() for one in self.values
        )  # fmt: skip


def keys(numbers: Numbers) -> Iterator[tuple[str, Integers]]:
    """What a unit may be a function of, with a name, the coarse before the fine where that is known."""
    at, values, names = numbers.places(), numbers.spread(), numbers.names
    yield from zip(names, at, strict=True)
    pairs = list(combinations(range(len(names)), 2))
    m = numbers.modulus
    if m > 1:
        for one, other in pairs:
            for h, k in multiples(m):
                yield (
                    f"({summed(h, k, m, names[one], names[other])}) mod {m}",
                    (h * values[one] + k * values[other]) % m,
                )
        if len(names) > 2:
            yield f"({' + '.join(names)}) mod {m}", sum(values, np.zeros(1, np.int64)) % m
    for one, other in pairs:
        v, w, left, right = values[one], values[other], names[one], names[other]
        yield f"|{left} - {right}|", np.abs(v - w)
        yield f"max({left}, {right})", np.maximum(v, w)
        yield f"min({left}, {right})", np.minimum(v, w)
        if m > 1:
            yield f"{left}*{right} mod {m}", v * w % m
        yield f"{left} + {right}", v + w
        yield f"{left} - {right}", v - w
    for one, other in pairs if len(names) > 2 else []:
        yield f"{names[one]} and {names[other]}", at[one] * (at[other].max() + 1) + at[other]


def multiples(m: int) -> Iterator[tuple[int, int]]:
    """Factors h and k of sums modulo m, one pair for each line of multiples of one another."""
    first = [(1, 1), (1, m - 1)] if m > 2 else [(1, 1)]
    yield from first
    seen = set(first)
    if m <= ALL_MULTIPLES:
        units = [unit for unit in range(1, m) if gcd(unit, m) == 1]
        tried = {min((unit * h % m, unit * k % m) for unit in units) for h in range(1, m) for k in range(1, m)}
        yield from sorted(tried - seen)
    else:
        yield from ((1, k) for k in range(2, m - 1))


def summed(h: int, k: int, m: int, left: str, right: str) -> str:
    """``h v + k w``, with -w for (m - 1) w."""
    one = left if h == 1 else f"{h}*{left}"
    return f"{one} - {right}" if k == m - 1 else f"{one} + {right}" if k == 1 else f"{one} + {k}*{right}"


def functions_of(rows: Any, key: Integers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which rows ``(U, N)`` have equal values wherever a key has."""
    order = np.argsort(key, kind="stable")
    alike = np.flatnonzero(key[order][1:] == key[order][:-1])
    some = alike[np.linspace(0, len(alike) - 1, min(PROBED, len(alike))).astype(np.int64)]
    found = (rows[:, order[some]] == rows[:, order[some + 1]]).all(axis=1)
    able = np.flatnonzero(found)
    found[able] = (rows[able][:, order[alike]] == rows[able][:, order[alike + 1]]).all(axis=1)
    return np.asarray(found, dtype=bool)


@dataclass(frozen=True)
class Group:
    """Units that compute the same sort of thing.

    Attributes:
        text: what one of them is.
        units: their numbers.
    """

    text: str
    units: tuple[int, ...]


def groups(rows: Integers, numbers: Numbers) -> list[Group]:
    """The units with the values ``(U, N)`` over the words, each in the first group that fits it."""
    open_ = np.arange(len(rows))
    found: list[Group] = []

    def take(text: str, fits: Any) -> None:
        nonlocal open_
        if fits.any():
            found.append(Group(text, tuple(open_[fits].tolist())))
            open_ = open_[~fits]

    constant = (rows == rows[:, :1]).all(axis=1)
    take("constant", constant)
    for name, key in keys(numbers):
        if not len(open_):
            return found
        take(f"a function of {name}", functions_of(rows[open_], key))
    names = numbers.names
    if not len(open_) or len(names) != 2:
        if len(open_):
            take("a function of all of them, with no simpler form", np.ones(len(open_), dtype=bool))
        return found
    grids = rows.reshape(len(rows), *numbers.extent)
    total = f"f({names[0]}) + g({names[1]})"
    take(f"a sum {total}", additive(grids[open_]))
    take(f"a sum {total} clipped at 0", np.array([is_clipped_sum(one) for one in grids[open_]], dtype=bool))
    if np.array_equal(numbers.values[0], numbers.values[1]):
        symmetric = (grids[open_] == grids[open_].transpose(0, 2, 1)).all(axis=(1, 2))
        take(f"a symmetric table of {names[0]} and {names[1]}", symmetric)
    if len(open_):
        ranks = [int(np.linalg.matrix_rank(grids[unit].astype(np.float64))) for unit in open_]
        between = f"{min(ranks)}" if min(ranks) == max(ranks) else f"{min(ranks)} to {max(ranks)}"
        found.append(Group(f"a table of {names[0]} and {names[1]} of rank {between}", tuple(open_.tolist())))
    return found


def additive(grids: Integers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which grids ``(U, p, q)`` are sums of a function of the row and one of the column."""
    rest = grids - grids[:, :, :1] - grids[:, :1, :] + grids[:, :1, :1]
    return np.asarray((rest == 0).all(axis=(1, 2)), dtype=bool)


def is_clipped_sum(grid: Integers) -> bool:
    """Tell whether a grid is ``max(0, f(row) + g(column))``, for some f and g.

    Where it is positive, f + g is known; that settles them up to one shift for each component of rows and columns that are
    joined by positive cells. The shifts have to make f + g at most 0 in the cells that are 0: a system of differences, which has
    a solution if it has no negative cycle (Bellman, Ford).
    """
    if grid.min() != 0:
        return False
    rows, columns = grid.shape
    i, j = np.nonzero(grid)
    graph = coo_array((np.ones(len(i)), (i, j + rows)), shape=(rows + columns, rows + columns))
    count, part = connected_components(graph, directed=False)
    potential = np.zeros(rows + columns, dtype=np.int64)  # f of rows, -g of columns: f(i) + g(j) = grid[i, j]
    known = np.zeros(rows + columns, dtype=bool)
    known[np.unique(part, return_index=True)[1]] = True
    while True:
        onward = known[i] & ~known[j + rows]
        potential[j[onward] + rows] = potential[i[onward]] - grid[i[onward], j[onward]]
        known[j[onward] + rows] = True
        back = known[j + rows] & ~known[i]
        potential[i[back]] = potential[j[back] + rows] + grid[i[back], j[back]]
        known[i[back]] = True
        if not onward.any() and not back.any():
            break
    total = potential[:rows, None] - potential[None, rows:]
    if (total[i, j] != grid[i, j]).any():
        return False
    # At a cell of 0 in the components s (its row's) and t (its column's): total + shift[s] - shift[t] <= 0.
    zero_i, zero_j = np.nonzero(grid == 0)
    bounds = np.full((count, count), np.inf)
    np.minimum.at(bounds, (part[zero_i], part[zero_j + rows]), -total[zero_i, zero_j].astype(np.float64))
    shift = np.zeros(count)
    for _ in range(count + 1):
        better = np.minimum(shift, (bounds + shift[None, :]).min(axis=1))
        if (better == shift).all():
            return True
        shift = better
    return False


@dataclass(frozen=True)
class Frequencies:
    """For each unit that is not constant, its dominant frequency and the share of its variance there; measured."""

    units: Integers
    frequency: Integers
    share: Reals

    @property
    def text(self) -> str:
        """How many units have each frequency."""
        found, counts = np.unique(self.frequency, return_counts=True)
        order = np.argsort(-counts, kind="stable")
        shown = [f"{found[one]} in {counts[one]:,}" for one in order[:12].tolist()]
        more = f" and {len(order) - 12} others" if len(order) > 12 else ""
        mean, least = 100 * float(self.share.mean()), 100 * float(self.share.min())
        return f"{', '.join(shown)}{more}, with {mean:.0f} % of a unit's variance on average, at least {least:.0f} %"


def frequencies(rows: Integers, numbers: Numbers) -> Frequencies | None:
    """The dominant frequency of each unit that is not constant, if the numbers run through all remainders of the modulus.

    Frequency w stands for the cosines and sines of ``2 pi (i v + j w') / m`` with i and j among 0, w and -w.
    """
    if not numbers.is_periodic or len(numbers.extent) > 2:
        return None
    m = numbers.modulus
    units = np.flatnonzero((rows != rows[:, :1]).any(axis=1))
    if not len(units) or m < 4:
        return None
    axes = tuple(range(1, 1 + len(numbers.extent)))
    shares = []
    for chunk in np.array_split(units, max(1, len(units) * rows.shape[1] // (1 << 22))):
        grids = rows[chunk].reshape(len(chunk), *numbers.extent).astype(np.float64)
        power = np.abs(np.fft.fftn(grids - grids.mean(axis=axes, keepdims=True), axes=axes)) ** 2
        total = power.sum(axis=axes)
        chosen = [power[np.ix_(range(len(chunk)), *(sorted({0, w, m - w}),) * len(axes))].sum(axis=axes)
                  for w in range(1, m // 2 + 1)]  # fmt: skip
        shares.append(np.array(chosen).T / total[:, None])
    share = np.concatenate(shares)
    return Frequencies(units, share.argmax(axis=1) + 1, share.max(axis=1))


def explained(rows: Integers, key: Integers) -> float:
    """The share of the variance that a function of a key can have, averaged over the rows that are not constant; measured."""
    values = rows[(rows != rows[:, :1]).any(axis=1)].astype(np.float64)
    if not len(values):
        return 0.0
    _, inverse = np.unique(key, return_inverse=True)
    member = csr_array((np.ones(len(key)), (np.arange(len(key)), inverse.reshape(-1))))
    sizes: Integers = np.bincount(inverse.reshape(-1))
    centred = values - values.mean(axis=1, keepdims=True)
    between = ((centred @ member) ** 2 / sizes).sum(axis=1)
    return float((between / (centred**2).sum(axis=1)).mean())
