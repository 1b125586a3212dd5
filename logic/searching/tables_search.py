"""The law of a table: on which words the decision follows one, and which.

Shapes of words are tried with the numbers that their letters may stand for; the law that is right in most words beyond chance is
kept, on the shape in which it is right most often. Positions that it does not need are then freed, as far as it stays right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from logic.comparing.methods import Limit
from logic.searching.tables import UNSEEN, Decide, Integers, Shape, number_sets, numerals, shapes
from logic.searching.tables_laws import Fit, best, fits

MOST_WORDS = 40_000
"""Words of a table that are all decided."""
COSTLY = 4_000
ENOUGH, CLEAR = 0.75, 0.9
EVIDENT = 10.0
"""Bits of evidence that a law needs."""


@dataclass(frozen=True)
class FoundLaw:
    """A law of the words of a shape.

    Attributes:
        number_of: the number of each letter.
        decided: the decision on each word of the shape, in its grid; -1 where it is not considered.
        fit: the law and how often it is right.
    """

    shape: Shape
    number_of: Integers
    decided: Integers
    fit: Fit

    def said(self, words: Integers) -> Integers:
        """What the law says on words ``(B, n)`` whose letters at its positions are numbers."""
        return self.fit.law.values([self.number_of[words[:, place]] for place in self.fit.law.places])

    def applies(self, words: Integers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """The words whose letters at the law's positions are numbers."""
        numbers = self.shape.letters[self.fit.law.places[0]]
        return np.asarray(np.isin(words[:, list(self.fit.law.places)], numbers).all(axis=1), dtype=bool)


class Table:
    """Decisions on the words of one length, decided when they are asked for."""

    def __init__(self, decide: Decide, alphabet: tuple[str, ...], n: int) -> None:
        self.decide, self.alphabet, self.n = decide, alphabet, n
        letters = tuple(range(len(alphabet)))
        self.everything = Shape((letters,) * n, tuple(range(n)))
        self.is_small = self.everything.size <= MOST_WORDS
        self.whole = decide(self.everything.words()).reshape(self.everything.extent) if self.is_small else None
        self.known: dict[Shape, Integers] = {}

    def grid(self, shape: Shape) -> Integers:
        """The decisions on all words of a shape."""
        if self.whole is not None:
            return self.whole[np.ix_(*shape.letters)]
        if shape not in self.known:
            self.known[shape] = self.decide(shape.words()).reshape(shape.extent)
        return self.known[shape]


def find_law(table: Table, n_classes: int, limit: Limit, admitted: Callable[[Shape], bool]) -> FoundLaw | None:
    """The law of a table on the words of some shape that is admitted, or None if it has none."""
    number_of, _ = numerals(table.alphabet)
    found: list[FoundLaw] = []
    for numbers in number_sets(table.alphabet, n_classes):
        if limit.left <= 0:
            break
        clear = any(one.fit.share >= CLEAR for one in found)
        for shape in shapes(numbers, len(table.alphabet), table.n):
            costly = table.whole is None and shape.size > COSTLY and (clear or any(one.fit.exact for one in found))
            if shape.size > MOST_WORDS or costly or limit.left <= 0 or not admitted(shape):
                continue
            limit.progress(f"looking for a law of {shape.size:,} words")
            grid = table.grid(shape)
            squeezed = grid.reshape([len(shape.letters[place]) for place in shape.numbers])
            fit = best(list(fits(squeezed, shape.numbers, shape.values(number_of), n_classes)), ENOUGH)
            if fit is not None and is_evident(table, grid, fit):
                found.append(FoundLaw(shape, number_of, grid, fit))
        if any(one.fit.exact for one in found):
            break
    if not found:
        return None
    chosen = min(found, key=lambda one: (one.fit.share < CLEAR, one.fit.chance - one.fit.right, one.fit.law.cost))
    numbers = chosen.shape.letters[chosen.fit.law.places[0]]
    alike = [
        one for one in found
        if one.fit.law == chosen.fit.law and one.shape.letters[one.fit.law.places[0]] == numbers
    ]  # fmt: skip
    return freed(table, max(alike, key=lambda one: (one.fit.share, one.fit.seen)))


def is_evident(table: Table, grid: Integers, fit: Fit) -> bool:
    """Tell whether a law is no coincidence: so many laws and shapes are tried that one on few words says nothing.

    What counts is how improbable its right cells are for a guess that is right as often as a constant (Chernoff's bound, in
    bits), less what it takes to write its coefficients; words that differ only in letters that are alike count once. A law on
    all words that are considered is taken as it is.
    """
    seen = grid != UNSEEN
    if table.whole is not None and np.count_nonzero(table.whole != UNSEEN) == fit.seen:
        return True
    single = np.prod([distinct(grid, axis) for axis in range(grid.ndim)], dtype=np.float64) / grid.size
    share, chance = fit.share, fit.chance / fit.seen
    surprise = share * np.log2(share / chance) + (1 - share) * np.log2(max(1 - share, 1e-300) / (1 - chance))
    law = fit.law
    factor = np.log2(max(len(np.unique(grid[seen])), law.modulus))
    said = sum(len(places) + (factor if coefficient != 1 else 0) for places, coefficient in law.terms)
    return bool(fit.seen * single * surprise - said - factor * bool(law.constant) >= EVIDENT)


def distinct(grid: Integers, axis: int) -> int:
    """How many of the letters of an axis differ from one another in the decisions that they lead to."""
    return len(np.unique(np.moveaxis(grid, axis, 0).reshape(grid.shape[axis], -1), axis=0))


def freed(table: Table, found: FoundLaw) -> FoundLaw:
    """The same law without restrictions on positions that it does not read, where it is right on all words then, too."""
    if not found.fit.exact:
        return found
    everything = table.everything.letters[0]
    for place in range(table.n):
        if place in found.fit.law.places or found.shape.letters[place] == everything:
            continue
        wider = found.shape.at(place, everything)
        if wider.size > MOST_WORDS:
            continue
        grid, words = table.grid(wider), wider.words()
        decided = grid.reshape(-1)
        seen = decided != UNSEEN
        right = int((found.said(words) == decided)[seen].sum())
        if right == seen.sum():
            chance = int(np.bincount(decided[seen]).max())
            numbers = tuple(one for one in wider.numbers if one != place)
            fit = Fit(found.fit.law, right, right, chance)
            found = FoundLaw(Shape(wider.letters, numbers), found.number_of, grid, fit)
    return found
