"""Decisions as tables over the letters at fixed positions: which positions matter, and words that have a shape.

A network that answers once for a word of a known short length is a table: a decision for each choice of letters. A `Shape` says
which letters may stand at each position, such as numbers at the first two and one sign at the third; its words are a grid with an
axis for each position. All is exact, on arrays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np

from logic.syntax import TRUE, Formula, Letter, Not, Term, all_of, any_of

Integers = np.ndarray[Any, np.dtype[np.int64]]
Decide = Callable[[Integers], Integers]
"""From words ``(B, n)`` to decisions ``(B,)``, -1 where a word is not considered."""

UNSEEN = -1
MOST_SIGNS = 3
NUMERAL = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True)
class Shape:
    """Words of one length, with the letters that may stand at each position.

    Attributes:
        letters: for each position the numbers of its letters, in increasing order.
        numbers: the positions, from 0, at which the letters stand for numbers that may vary.
    """

    letters: tuple[tuple[int, ...], ...]
    numbers: tuple[int, ...]

    @property
    def size(self) -> int:
        """How many words have the shape."""
        return int(np.prod([len(one) for one in self.letters], dtype=object))

    @property
    def extent(self) -> tuple[int, ...]:
        """The axes of the grid: one for each position."""
        return tuple(len(one) for one in self.letters)

    def words(self) -> Integers:
        """All words of the shape ``(size, n)``, in the order of the grid."""
        axes = np.meshgrid(*(np.array(one, dtype=np.int64) for one in self.letters), indexing="ij")
        return np.stack([axis.reshape(-1) for axis in axes], axis=1)

    def random_words(self, count: int, seed: int) -> Integers:
        """Random words of the shape."""
        random = np.random.default_rng(seed)
        return np.stack([random.choice(np.array(one, dtype=np.int64), count) for one in self.letters], axis=1)

    def has(self, words: Integers) -> Any:
        """Which of some words have the shape."""
        return np.all([np.isin(words[:, place], one) for place, one in enumerate(self.letters)], axis=0)

    def values(self, number_of: Integers) -> list[Integers]:
        """For each position of `numbers` the numbers of its letters."""
        return [number_of[list(self.letters[place])] for place in self.numbers]

    def at(self, place: int, letters: Sequence[int]) -> Shape:
        """The same shape with other letters at a position."""
        changed = tuple(tuple(letters) if one == place else kept for one, kept in enumerate(self.letters))
        return Shape(changed, self.numbers)

    def formula(self, alphabet: Sequence[str]) -> Formula:
        """That a word of this length has the shape."""
        return all_of(
            part
            for place, letters in enumerate(self.letters)
            if (part := one_of(letters, range(len(alphabet)), place, alphabet)) != TRUE
        )


def one_of(letters: Sequence[int], among: Sequence[int], place: int, alphabet: Sequence[str]) -> Formula:
    """That one of some letters stands at a position (from 0), where one of `among` does: the shorter way to say so."""
    if len(letters) == len(among):
        return TRUE
    here = Term((), 0, place + 1)
    rest = [letter for letter in among if letter not in set(letters)]
    if 2 * len(letters) <= len(among) + 1 or len(letters) == 1:
        return any_of(Letter(alphabet[letter], here) for letter in letters)
    return all_of(Not(Letter(alphabet[letter], here)) for letter in rest)


def numerals(alphabet: Sequence[str]) -> tuple[Integers, tuple[int, ...]]:
    """The number of each letter, and the letters that are numerals: those named so, else none, and numbers are places."""
    named = tuple(place for place, letter in enumerate(alphabet) if NUMERAL.fullmatch(letter))
    if len(named) < 2:
        return np.arange(len(alphabet)), ()
    return np.array([int(letter) if place in named else place for place, letter in enumerate(alphabet)]), named


def number_sets(alphabet: Sequence[str], n_classes: int) -> list[tuple[int, ...]]:
    """Which letters may be the numbers, most letters first.

    They are those whose names are numerals; without such names more than half: all, all but a few of the last or first, or as
    many as classes.
    """
    count = len(alphabet)
    _, named = numerals(alphabet)
    if named:
        return [named]
    sets = [tuple(range(count))]
    for cut in range(1, MOST_SIGNS + 1):
        sets += [tuple(range(count - cut)), tuple(range(cut, count))]
    sets.append(tuple(range(min(n_classes, count))))
    return [one for one in dict.fromkeys(sets) if 2 * len(one) > count and len(one) >= 2]


def shapes(numbers: tuple[int, ...], count: int, n: int) -> list[Shape]:
    """The words of length n over `count` letters with a number, or one sign, at each position; at least one number.

    Signs are the letters that are no numbers; more than `MOST_SIGNS` are not tried.
    """
    signs = [letter for letter in range(count) if letter not in set(numbers)]
    kinds = [numbers, *((sign,) for sign in signs)] if len(signs) <= MOST_SIGNS else [numbers]
    found = []
    for chosen in product(range(len(kinds)), repeat=n):
        places = tuple(place for place, kind in enumerate(chosen) if kind == 0)
        if places:
            found.append(Shape(tuple(kinds[kind] for kind in chosen), places))
    return found


def places_read(decided: Integers) -> tuple[int, ...]:
    """The fewest axes of a grid of decisions that determine them, wherever they are seen."""
    seen = decided != UNSEEN
    rows = np.argwhere(seen)
    values = decided[seen]
    for count in range(decided.ndim + 1):
        for axes in combinations(range(decided.ndim), count):
            key = np.zeros(len(rows), dtype=np.int64)
            for axis in axes:
                key = key * decided.shape[axis] + rows[:, axis]
            if is_function(key, values):
                return axes
    return tuple(range(decided.ndim))


def is_function(key: Integers, values: Integers) -> bool:
    """Tell whether values are the same wherever keys are."""
    _, first, inverse = np.unique(key, return_index=True, return_inverse=True)
    return bool((values[first][inverse.reshape(-1)] == values).all())


def table_formula(truth: Any, seen: Any, shape: Shape, alphabet: Sequence[str]) -> Formula:
    """A formula that holds, on the words of a shape that are seen, where a grid does; letters alike stand together."""
    return Factoring(shape, alphabet).formula(truth, seen, 0)


class Factoring:
    """The formulas of grids over a shape, axis by axis."""

    def __init__(self, shape: Shape, alphabet: Sequence[str]) -> None:
        self.shape, self.alphabet = shape, alphabet

    def formula(self, truth: Any, seen: Any, place: int) -> Formula:
        """The formula of a grid whose first axis is a position."""
        if truth[seen].all():
            return TRUE
        letters = self.shape.letters[place]
        known: dict[bytes, list[int]] = {}
        for number in range(len(letters)):
            if seen[number].any():
                rest = np.where(seen[number], truth[number], 2).astype(np.int8)
                known.setdefault(rest.tobytes(), []).append(number)
        among = [letters[number] for numbers in known.values() for number in numbers]
        parts = []
        for numbers in known.values():
            number = numbers[0]
            if not (truth[number] & seen[number]).any():
                continue
            inner = self.formula(truth[number], seen[number], place + 1) if truth.ndim > 1 else TRUE
            chosen = one_of(sorted(letters[one] for one in numbers), sorted(among), place, self.alphabet)
            parts.append(all_of(part for part in (chosen, inner) if part != TRUE))
        return any_of(parts)
