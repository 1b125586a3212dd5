"""The entries of a family: input bits, predicates of positions, gate templates, shared sums, and the wires between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.matrices import Matrix
from circuits.positions import Guard, Term, grid, holds

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """Weighted wires from `source`, read at `at`; matrix of shape (size of the reader, size of the source).

    With a guard, wires come from every position y that satisfies it; y is the variable after the reader's own.
    """

    source: str
    at: tuple[Term, ...]
    matrix: Matrix
    guard: Guard | None = None


@dataclass(frozen=True, slots=True, eq=False)
class InputBits:
    """Bits of the input: `letters` (one position) or the bits of a fixed-size input (none)."""

    name: str
    base: str
    n_positions: int
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class PredicateBits:
    """Bits that depend on positions alone, one guard for each element."""

    name: str
    base: str
    n_positions: int
    guards: tuple[Guard, ...]

    @property
    def size(self) -> int:
        return len(self.guards)


@dataclass(frozen=True, slots=True, eq=False)
class Gates:
    """A template: `size` threshold gates at every tuple of positions; gate i fires iff its wires add up to ``thresholds[i]``."""

    name: str
    base: str
    n_positions: int
    wires: tuple[Wires, ...]
    thresholds: Integers

    @property
    def size(self) -> int:
        return len(self.thresholds)


@dataclass(frozen=True, slots=True, eq=False)
class Accumulator:
    """A shared integer sum: wires plus ``const + length * n``."""

    name: str
    base: str
    n_positions: int
    wires: tuple[Wires, ...]
    const: Integers
    length: Integers

    @property
    def size(self) -> int:
        return len(self.const)


Entry = InputBits | PredicateBits | Gates | Accumulator


def label(entry: Entry, element: int) -> str:
    """The name of one element: ``h[3].2`` is element 3 of entry ``h.2``, whose base is ``h``."""
    return f"{entry.base}[{element}]{entry.name[len(entry.base) :]}"


def places(wires: Wires, n_positions: int, n: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The position tuples (with the bound one last, if any) at which wires exist: guard true, source inside the word."""
    variables = n_positions + (wires.guard is not None)
    points = grid(n, variables)
    present = np.ones((n,) * variables, dtype=bool)
    if wires.guard is not None:
        present = present & holds(wires.guard, n, points)
    for term in wires.at:
        position = np.asarray(term.evaluate(n, points))
        present = present & (position >= 1) & (position <= n)
    return present


def points_read(wires: Wires, n_positions: int, n: int) -> tuple[list[Integers], list[Integers]]:
    """Where wires exist: the reader's positions with the bound one, and the positions of the source, one array for each.

    Both lists begin with a column of zeros, so that they have a length even where there is no position.
    """
    present = places(wires, n_positions, n)
    reader = [axis + 1 for axis in np.nonzero(present)] if present.ndim else []
    count = int(present.sum())
    source = [np.broadcast_to(np.asarray(term.evaluate(n, reader)), (count,)) for term in wires.at]
    return [np.zeros(count, dtype=np.int64), *reader], [np.zeros(count, dtype=np.int64), *source]
