"""Bordering: a truth about counts of letters divided along the lines where it changes.

Words whose letters may be exchanged are vectors of counts. Two of them are neighbours if one letter is added or replaced, and
the border of a truth are the neighbours on which it differs. The border of an exclusive disjunction is the symmetric difference
of the borders of its parts. So lines are taken away one by one, each the one that leaves the least border, until nothing is
left. If each comparison implies the next one, the truth holds between them, and is written so.

Of two letters, a truth is often a function of the share of the second one: as long as attention and means are quotients of sums,
a word and the same word twice are decided alike. Then the lines are the shares at which the truth changes, and need no search.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise, product
from math import gcd
from typing import Any

import numpy as np

from logic.comparing.methods import Limit
from logic.measure import measure
from logic.searching.samples import Integers, Truth
from logic.syntax import (
    ONE,
    Compare,
    Count,
    Formula,
    Iff,
    Letter,
    Linear,
    Sentence,
    Sum,
    Term,
    all_of,
    any_of,
    var,
)

LARGEST = {1: 1, 2: 24, 3: 5, 4: 2, 5: 1, 6: 1}
"""The largest weight tried, by the number of letters."""
MOST_SPAN = 1 << 20
MOST_LINES = 12
MOST_SUBSETS = 9


@dataclass(frozen=True)
class Line:
    """``sum(weight * count) >= bound``, one weight for each letter."""

    weights: tuple[int, ...]
    bound: int

    def holds(self, vectors: Integers) -> Truth:
        """Where it holds."""
        found: Truth = vectors @ np.array(self.weights, dtype=np.int64) >= self.bound
        return found

    @property
    def opposite(self) -> Line:
        """Where it does not hold."""
        return Line(tuple(-weight for weight in self.weights), 1 - self.bound)

    def formula(self, letters: Sequence[str]) -> Formula:
        """Write it with the length of the word in the place of the first count."""
        first, *others = self.weights
        kept = [(weight - first, letter) for weight, letter in zip(others, letters[1:], strict=True) if weight != first]
        if not kept:
            factor = abs(first)
            least = -(-self.bound // factor) if first > 0 else -self.bound // factor
            sides = Term((), 0, least), Term((), 1, 0)
            return Compare("<=", *(sides if first > 0 else sides[::-1]))
        items = tuple([(weight, Count("x", Letter(letter, var("x")), ONE)) for weight, letter in kept])
        return Linear(Sum(items, first, 0), self.bound)


class Borders:
    """Vectors of counts ``(W, A)``, all different, with a truth; lines that are known are tried beside the small ones."""

    def __init__(self, vectors: Integers, truth: Truth, limit: Limit, known: Sequence[Line] = ()) -> None:
        self.vectors, self.truth, self.limit, self.known = vectors, truth, limit, tuple(known)
        self.edges = neighbours(vectors)
        self.shares = shares(vectors, truth) if vectors.shape[1] == 2 else None

    def pairs(self, most: int) -> list[tuple[Integers, Integers]]:
        """Pairs of vectors between which the truth changes, the longest if there are many."""
        if self.shares is not None:
            return [(np.array([n - b, b]), np.array([m - c, c])) for (b, n), (c, m) in self.shares][:most]
        cut = self.edges[:, self.truth[self.edges[0]] != self.truth[self.edges[1]]]
        longest = np.argsort(-self.vectors[cut].sum(axis=(0, 2)), kind="stable")[:most]
        return [(self.vectors[one], self.vectors[other]) for one, other in cut[:, longest].T.tolist()]

    def lines(self) -> list[Line]:
        """Lines whose exclusive disjunction, or its negation, is the truth, or as near to it as was found."""
        if self.shares is not None:
            return [self.line_of_shares(*shares_) for shares_ in self.shares][:MOST_LINES]
        letters = self.vectors.shape[1]
        small = small_directions(letters, LARGEST.get(letters, 0))
        known = np.array([line.weights for line in self.known], dtype=np.int64).reshape(-1, letters)
        directions = np.concatenate([small, known])
        found: list[Line] = []
        rest = self.truth
        while len(found) < MOST_LINES:
            cut = rest[self.edges[0]] != rest[self.edges[1]]
            line = self.best(cut, directions) if cut.any() else None
            if line is None:
                break
            found.append(line)
            rest = rest ^ line.holds(self.vectors)
        return found

    def line_of_shares(self, low: tuple[int, int], high: tuple[int, int]) -> Line:
        """The line between two shares ``(b, n)`` of the second letter: a known one if there is one, else the simplest."""
        ends = np.array([(n - b, b) for b, n in (low, high)], dtype=np.int64)
        for line in self.known:
            if line.holds(ends).tolist() in ([False, True], [True, False]):
                return line
        part, whole = simplest(*low, *high)
        return Line((-part, whole - part), 0 if part * low[1] > low[0] * whole else 1)

    def best(self, cut: Truth, directions: Integers) -> Line | None:
        """The line that leaves the least border, if it leaves less."""
        best, most = None, 0
        signs = np.where(cut, 1, -1)
        for weights in directions:
            self.limit.check()
            ends = (self.vectors @ weights)[self.edges]
            low, high = ends.min(axis=0), ends.max(axis=0)
            base = int(low.min())
            span = int(high.max()) - base + 2
            if span > MOST_SPAN:
                continue
            gains = np.cumsum(np.bincount(low - base + 1, signs, span) - np.bincount(high - base + 1, signs, span))
            top = int(gains.max())
            if top > most:
                bounds = np.flatnonzero(gains == top) + base
                best, most = Line(tuple(weights.tolist()), int(bounds[np.argmin(np.abs(bounds))])), top
        return best

    def formulas(self, letters: Sequence[str]) -> list[tuple[int, Formula]]:
        """Formulas for the truth, with their sizes: the best for each number of lines, smallest first."""
        lines = self.lines()
        if not lines:
            return []
        corner = self.vectors[np.argmax(self.vectors[:, 0])][None]
        lines = [line.opposite if line.holds(corner)[0] else line for line in lines]
        values = np.stack([line.holds(self.vectors) for line in lines])
        found: list[tuple[int, Formula]] = []
        least = len(self.truth) + 1
        for chosen in subsets(len(lines)):
            wrong = int(np.count_nonzero(np.logical_xor.reduce(values[list(chosen)], axis=0) ^ self.truth))
            flipped = len(self.truth) - wrong
            if min(wrong, flipped) < least:
                least = min(wrong, flipped)
                kept = [(lines[number], values[number]) for number in chosen]
                formula = exclusive(kept, flipped < wrong, letters)
                found.append((measure(Sentence(tuple(letters), (), (), formula)).nodes, formula))
        return found


def shares(vectors: Integers, truth: Truth) -> list[tuple[tuple[int, int], tuple[int, int]]] | None:
    """Between which shares ``(b, n)`` of the second of two letters a truth changes, if it is a function of the share."""
    total = vectors.sum(axis=1)
    order = np.argsort(total, kind="stable")
    part = vectors[order, 1] / total[order]  # quotients of equal fractions are equal, and others are farther apart
    _, first, inverse = np.unique(part, return_index=True, return_inverse=True)
    told = truth[order]
    if (told[first][inverse] != told).any():
        return None
    known = [(int(vectors[order[one], 1]), int(total[order[one]])) for one in first.tolist()]
    changes = np.flatnonzero(told[first][1:] != told[first][:-1])
    return [(known[place], known[place + 1]) for place in changes.tolist()]


def simplest(b: int, n: int, c: int, m: int) -> tuple[int, int]:
    """The fraction with the least denominator from ``b / n`` up to ``c / m``, both included."""
    low, high = (0, 1), (1, 0)
    while True:
        part, whole = low[0] + high[0], low[1] + high[1]
        if part * n < b * whole:
            low = part, whole
        elif part * m > c * whole:
            high = part, whole
        else:
            return part, whole


def subsets(size: int) -> Iterator[tuple[int, ...]]:
    """Subsets of so many lines that are not empty, small ones first; only those of the first if there are many."""
    if size > MOST_SUBSETS:
        yield from (tuple(range(count)) for count in range(1, size + 1))
        return
    for count in range(1, size + 1):
        yield from combinations(range(size), count)


def exclusive(lines: Sequence[tuple[Line, Truth]], negated: bool, letters: Sequence[str]) -> Formula:
    """The exclusive disjunction of lines with their values, or its negation."""
    ordered = sorted(lines, key=lambda pair: (-int(pair[1].sum()), pair[0].weights))
    nested = not any((inner & ~outer).any() for (_, outer), (_, inner) in pairwise(ordered))
    chain = [line for line, _ in ordered]
    if not nested:
        if negated == (len(chain) % 2 == 1):  # a chain of equivalences is an exclusive disjunction of an odd number
            chain[0] = chain[0].opposite
        formula = chain[0].formula(letters)
        for line in chain[1:]:
            formula = Iff(formula, line.formula(letters))
        return formula
    parts: list[Formula] = []
    if negated:
        parts.append(chain.pop(0).opposite.formula(letters))
    for outer, inner in zip(chain[::2], [*chain[1::2], None], strict=False):
        between = [outer.formula(letters)] + ([inner.opposite.formula(letters)] if inner is not None else [])
        parts.append(all_of(between))
    return any_of(parts)


def neighbours(vectors: Integers) -> Integers:
    """Pairs of rows that are a letter more, or one letter replaced: ``(2, E)``."""
    letters = vectors.shape[1]
    base = int(vectors.max(initial=0)) + 3
    powers: Any = np.array(
        [base**place for place in range(letters)], dtype=np.int64 if base**letters < 1 << 62 else object
    )
    keys = (vectors + 1) @ powers
    order = np.argsort(keys, kind="stable")
    steps = [powers[more] for more in range(letters)]
    steps += [powers[more] - powers[less] for more, less in combinations(range(letters), 2)]
    pairs = []
    for step in steps:
        place = np.minimum(np.searchsorted(keys, keys + step, sorter=order), len(keys) - 1)
        other = order[place]
        first = np.flatnonzero(keys[other] == keys + step)
        pairs.append(np.stack([first, other[first]]))
    return np.concatenate(pairs, axis=1)


def small_directions(letters: int, most: int) -> Integers:
    """Weights up to a size without a common factor, one of each two opposite ones, small ones first: ``(D, A)``."""
    found = [
        weights
        for weights in product(range(-most, most + 1), repeat=letters)
        if gcd(*weights) == 1 and weights > tuple(-one for one in weights)
    ]
    found.sort(key=lambda weights: (sum(map(abs, weights)), [-one for one in weights]))
    return np.array(found, dtype=np.int64).reshape(-1, letters)
