"""Separating: linear comparisons of counts, found for a truth that is given instead of tried blindly.

Samples with equal counts and equal length form a cell. What no function of some counts can be right about, the smaller
side of every cell, is known before any weights are: counts whose cells are pure enough are rare. For these all small weights are
tried at once, each with its best bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations_with_replacement, islice, product
from math import gcd
from operator import lt
from typing import Any

import numpy as np

from logic.comparing.methods import Limit
from logic.searching.counting import Table, place
from logic.searching.grammar import Grammar
from logic.searching.points import Counts, Points
from logic.searching.samples import Truth
from logic.searching.spelling import Atom, Counted

MOST_WORK = 20_000_000  # samples counted into cells, for one truth and one cost
MOST_SETS = 10_000  # sets of counts tried, for one truth and one cost
MOST_CELLS = 2_000_000  # cells counted at once
MOST_KEPT = 24  # sets of counts, of one cost, for which weights are tried
MOST_SAMPLES = 6_000  # samples by which sets of counts are ranked


@dataclass(frozen=True)
class Found:
    """A comparison, what it counts on the samples, its cost, and on how many samples it is wrong."""

    atom: Atom
    rows: tuple[Any, ...]
    cost: int
    wrong: int


class Separator:
    """Comparisons over the words, or over the points, of some samples."""

    def __init__(self, points: Points, table: Table, grammar: Grammar, limit: Limit) -> None:
        self.points, self.table, self.grammar, self.limit = points, table, grammar, limit
        self.lengths = points.n if table.at_points else points.length
        self.tried = 0

    @property
    def counted(self) -> list[Counted]:
        """What can be counted: the table, and the number of the position last."""
        return [*self.table.counted, *([place()] if self.table.at_points else [])]

    def row(self, number: int) -> Any:
        """The values of a count."""
        return self.table.values[number] if number < len(self.table.counted) else self.points.place

    def find(self, target: Truth, where: Truth, cost: int, below: int, most: int = MOST_SETS) -> Iterator[Found]:
        """Comparisons of a cost (three more for equalities) that are wrong on fewer than `below` samples `where` it matters."""
        seen = np.flatnonzero(where)
        if below <= 0 or not len(seen):
            return
        ranked = seen[:: -(-len(seen) // MOST_SAMPLES)]
        sets = list(islice(self._sets(cost), min(most, max(MOST_WORK // len(ranked), 1))))
        bounds = self._impurities(sets, ranked, target)
        order = np.argsort(bounds, kind="stable")
        for number in order[bounds[order] < below][:MOST_KEPT].tolist():
            self.limit.check()
            yield from self._weigh(sets[number], seen, target, below)

    def _sets(self, cost: int) -> Iterator[tuple[int, ...]]:
        """Sets of up to three counts whose comparison has the cost, small sets first."""
        counted = self.counted
        if cost == 1:
            yield ()
            if self.table.at_points:
                yield (len(counted) - 1,)
        groups: dict[tuple[int, int], list[int]] = {}
        for number, one in enumerate(counted):
            groups.setdefault((one.cost, one.kind), []).append(number)
        for size in (1, 2, 3):
            for chosen in combinations_with_replacement(sorted(groups), size):
                if cost > 1 and sum(one for one, _ in chosen) + 3 + size <= cost:
                    first = tuple((1, counted[groups[group][0]]) for group in chosen)
                    if Atom(first, 0, 0).cost == cost:
                        for numbers in product(*(groups[group] for group in chosen)):
                            if all(map(lt, numbers, numbers[1:])) or len(set(numbers)) == len(set(chosen)) == size:
                                yield numbers

    def _impurities(self, sets: list[tuple[int, ...]], samples: Any, target: Truth) -> Any:
        """For each set of counts, on how many samples every function of them and of the length is wrong."""
        truth = target[samples].astype(np.int64)
        base = int(self.lengths.max()) + 1
        used = sorted({number for chosen in sets for number in chosen})
        place_of = {number: row for row, number in enumerate(used)}
        rows = np.array([self.row(number)[samples] for number in used], dtype=np.int64).reshape(len(used), len(samples))
        result = np.zeros(len(sets), dtype=np.int64)
        by_size: dict[int, list[int]] = {}
        for number, chosen in enumerate(sets):
            by_size.setdefault(len(chosen), []).append(number)
        for size, numbers in by_size.items():
            cells = base ** (size + 1)
            dense = cells <= 4 * len(samples) + 4096
            together = max(1, MOST_CELLS // (2 * cells if dense else 8 * len(samples)))
            for low in range(0, len(numbers), together):
                self.limit.check()
                batch = numbers[low : low + together]
                parts = np.array([[place_of[one] for one in sets[number]] for number in batch], dtype=np.int64)
                key = np.broadcast_to(self.lengths[samples], (len(batch), len(samples)))
                for part in parts.reshape(len(batch), size).T:
                    key = key * base + rows[part]
                result[batch] = _dense(key, truth, cells) if dense else _sparse(key, truth)
        return result

    def _weigh(self, chosen: tuple[int, ...], samples: Any, target: Truth, below: int) -> Iterator[Found]:
        """The best weights for a set of counts, and for an equality."""
        columns = np.stack([self.lengths[samples], *(self.row(number)[samples] for number in chosen)], axis=1)
        cells, inverse = np.unique(columns, axis=0, return_inverse=True)
        inverse = inverse.reshape(-1)
        truth = target[samples]
        true = np.bincount(inverse[truth], minlength=len(cells))
        false = np.bincount(inverse[~truth], minlength=len(cells))
        weights = weight_vectors(len(chosen) + 1, self.grammar.weight if len(chosen) < 3 else 2)
        values = cells @ weights.T
        low = int(values.min())
        span = int(values.max()) - low + 2
        number = (values - low + np.arange(len(weights)) * span).reshape(-1)
        shape = len(weights), span
        trues = np.bincount(number, np.repeat(true, len(weights)), span * len(weights)).reshape(shape).astype(np.int64)
        falses = (
            np.bincount(number, np.repeat(false, len(weights)), span * len(weights)).reshape(shape).astype(np.int64)
        )
        self.tried += 2 * span * len(weights)
        missed = np.cumsum(trues, axis=1) - trues
        passed = false.sum() - (np.cumsum(falses, axis=1) - falses)
        counted = self.counted
        rows = tuple(self.row(one) for one in chosen)
        for wrong, equal in ((missed + passed, False), (true.sum() - trues + falses, True)):
            best = int(wrong.min())
            if best >= below:
                continue
            row = int(np.argmax(wrong.min(axis=1) == best))
            bounds = np.flatnonzero(wrong[row] == best) + low
            bound = int(bounds[np.lexsort((bounds, np.abs(bounds)))[0]])
            length, *coefs = weights[row].tolist()
            atom = Atom(tuple(zip(coefs, (counted[one] for one in chosen), strict=True)), length, bound, equal)
            yield Found(atom, rows, atom.cost, best)


def _dense(key: Any, truth: Any, cells: int) -> Any:
    """For each row of keys below `cells`, the sum of the smaller sides of all cells."""
    number = 2 * (key + np.arange(len(key))[:, None] * cells) + truth
    counts = np.bincount(number.reshape(-1), minlength=2 * cells * len(key)).reshape(len(key), cells, 2)
    return np.minimum(counts[:, :, 0], counts[:, :, 1]).sum(axis=1)


def _sparse(key: Any, truth: Any) -> Any:
    """The same for keys of any size: equal ones are brought together by sorting."""
    keyed = np.sort(2 * key + truth, axis=1)
    first = np.ones(keyed.shape, dtype=bool)
    first[:, 1:] = keyed[:, 1:] >> 1 != keyed[:, :-1] >> 1
    starts = np.flatnonzero(first)
    true = np.add.reduceat((keyed & 1).reshape(-1), starts)
    sizes = np.diff(np.append(starts, keyed.size))
    return np.bincount(starts // keyed.shape[1], np.minimum(true, sizes - true), len(key)).astype(np.int64)


@cache
def weight_vectors(size: int, most: int) -> Counts:
    """Weights of the length (may be 0) and of counts (are not 0), without a common factor, small ones first."""
    numbers = range(-most, most + 1)
    found = [vector for vector in product(numbers, repeat=size) if all(vector[1:]) and gcd(*vector) == 1]
    found.sort(key=lambda vector: (sum(map(abs, vector)), [abs(one) for one in vector], [-one for one in vector]))
    return np.array(found, dtype=np.int32)
