"""Bordering: a truth about counts of letters divided along the lines where it changes.

Words whose letters may be exchanged are vectors of counts. Two of them are neighbours if one letter is added or replaced, and the
border of a truth are the neighbours on which it differs. The border of an exclusive disjunction is the symmetric difference of the
borders of its parts. So a truth is an exclusive disjunction of linear comparisons if and only if their borders together,
those that coincide cancelled, are its own: lines are taken away one by one, each the one that leaves the least border, until
nothing is left. If each comparison that remains implies the next one, the truth holds between them, and is written so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
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
MOST_SUBSETS = 8


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
    """Vectors of counts ``(W, A)``, all different, and which are neighbours; directions are tried beside the small ones."""

    def __init__(self, vectors: Integers, limit: Limit, directions: Integers | None = None) -> None:
        self.vectors, self.limit = vectors, limit
        self.edges = neighbours(vectors)
        letters = vectors.shape[1]
        small = small_directions(letters, LARGEST.get(letters, 0))
        self.directions = small if directions is None else np.concatenate([small, directions])

    def lines(self, truth: Truth) -> tuple[list[Line], bool]:
        """Lines whose exclusive disjunction is the truth, and whether it is (else they are the best found)."""
        found: list[Line] = []
        rest = truth
        while len(found) < MOST_LINES:
            cut = rest[self.edges[0]] != rest[self.edges[1]]
            if not cut.any():
                return found, True
            line = self.best(cut)
            if line is None:
                break
            found.append(line)
            rest = rest ^ line.holds(self.vectors)
        return found, False

    def best(self, cut: Truth) -> Line | None:
        """The line that leaves the least border, if it leaves less."""
        best, most = None, 0
        signs = np.where(cut, 1, -1)
        for weights in self.directions:
            self.limit.check()
            values = self.vectors @ weights
            ends = values[self.edges]
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

    def formulas(self, truth: Truth, considered: Truth, letters: Sequence[str]) -> list[tuple[int, Formula]]:
        """Formulas for a truth, with their sizes: the best for each number of lines, smallest first."""
        lines, _ = self.lines(truth)
        if not lines:
            return []
        corner = self.vectors[np.argmax(self.vectors[:, 0])][None]
        lines = [line.opposite if line.holds(corner)[0] else line for line in lines]
        values = np.stack([line.holds(self.vectors) for line in lines])
        found: list[tuple[int, Formula]] = []
        least = int(np.count_nonzero(considered)) + 1
        for chosen in subsets(len(lines)):
            together = np.logical_xor.reduce(values[list(chosen)], axis=0) ^ truth
            wrong = int(np.count_nonzero(together & considered))
            flipped = int(np.count_nonzero(~together & considered))
            if min(wrong, flipped) < least:
                least = min(wrong, flipped)
                kept = [(lines[number], values[number]) for number in chosen]
                formula = exclusive(kept, flipped < wrong, letters)
                found.append((measure(Sentence(tuple(letters), (), (), formula)).nodes, formula))
        return found


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
    nested = not any((inner & ~outer).any() for (_, outer), (_, inner) in zip(ordered, ordered[1:], strict=False))
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
    powers: Any = np.array([base**place for place in range(letters)], dtype=np.int64 if base**letters < 1 << 62 else object)
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
