"""Symmetric networks: words as vectors of counts, and the lines where a decision changes, exact at every length.

A network that no guard and no reference tells positions apart for (`logic.comparing.symmetry`) decides by the counts of letters,
and at a position by the letter there, too. One word for each vector of counts is then all there is to search.

Between two vectors on which it decides differently a trace of the network (`logic.comparing.cells_trace`) knows the linear
inequalities that come between; asking at vectors between them leaves the one at which the decision changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, permutations
from typing import Any

import numpy as np

from circuits.network import Network
from logic.batch import evaluate
from logic.comparing.cells_layouts import NotSymmetric
from logic.comparing.cells_trace import Undecided, trace
from logic.comparing.counts import sorted_words
from logic.comparing.counts_cases import Case, cases_of
from logic.comparing.methods import Limit
from logic.comparing.problem import Problem
from logic.comparing.specification import Specification
from logic.searching.bordering import Line, simplest
from logic.searching.samples import Integers, Truth
from logic.syntax import TRUE, Sentence

MOST_STEPS = 24
MOST_ORDERS = 24
LARGEST_WEIGHT = 100_000
LARGEST_SUM = 1 << 30


@dataclass(frozen=True)
class Symmetric:
    """A network that decides by counts of letters, and by the letter at x if it answers at every position."""

    network: Network
    case: Case

    def lines(self, pairs: Sequence[tuple[Integers, Integers]], number: int, limit: Limit) -> list[Line]:
        """For pairs of vectors of counts, on one of which a class is decided: the line between them where that changes."""
        found: dict[Line, None] = {}
        for one, other in pairs:
            limit.check()
            try:
                line = self.between(one, other, number)
            except Undecided:
                continue
            if line is not None and max(map(abs, line.weights)) <= LARGEST_WEIGHT:
                found[line] = None
        return list(found)

    def between(self, one: Any, other: Any, number: int) -> Line | None:
        """The line between two vectors at which the decision on a class changes, or None if it is not found.

        Raises:
            Undecided: a quotient has no value on the way.
        """
        left, right = self.known(one), self.known(other)
        for _ in range(MOST_STEPS):
            crossed = [*crossings(left, right), *((1 - at, row) for at, row in crossings(right, left))]
            where = sorted({at for at, _ in crossed})
            if len(where) <= 1:
                break
            below, above = where[(len(where) - 1) // 2], where[(len(where) - 1) // 2 + 1]
            third = (above - below) / 3
            part, whole = simplest(*(below + third).as_integer_ratio(), *(above - third).as_integer_ratio())
            vector = (whole - part) * left.vector + part * right.vector
            vector //= np.gcd.reduce(vector)
            if vector.sum() > LARGEST_SUM:
                break
            asked = self.known(vector)
            if (asked.decided == number) == (left.decided == number):
                left = asked
            else:
                right = asked
        rows = [row for _, row in crossings(left, right)]
        if not rows:
            return None
        const, *weights = min(rows, key=lambda row: max(map(abs, row)))
        return Line(tuple(weights), -const)

    def known(self, vector: Any) -> Known:
        """What the network decides on a vector, and the inequalities of its trace there."""
        present = np.flatnonzero(vector)
        counts = np.array([int(one) for one in vector[present]], dtype=object)
        small = sum(counts) < 1 << 16
        found = trace(self.network, self.case.network, present, counts.astype(np.int64) if small else counts, 0)
        rows = np.zeros((len(found.rows), 1 + len(vector)), dtype=object)
        rows[:, 0] = found.rows[:, 0]
        rows[:, 1 + present] = found.rows[:, 1:]
        return Known(np.asarray(vector, dtype=object), found.decision, rows)


@dataclass(frozen=True)
class Known:
    """A vector of counts, the class decided there, and inequalities ``(const, weights)`` with which the same is decided."""

    vector: Any
    decided: Any
    rows: Any


def crossings(left: Known, right: Known) -> Iterator[tuple[Fraction, tuple[int, ...]]]:
    """The inequalities of one vector that do not hold on another: where they end on the way, and which they are."""
    here, there = (left.rows[:, 0] + left.rows[:, 1:] @ known.vector for known in (left, right))
    for row, first, second in zip(left.rows.tolist(), here.tolist(), there.tolist(), strict=True):
        if second < 0:
            yield Fraction(first, first - second), tuple(row)


def symmetric(network: Network) -> Symmetric | None:
    """A network that decides by counts on all words; None for all others."""
    never = Specification(Sentence(network.alphabet, (), (), TRUE), (), (), False)
    try:
        cases = cases_of(Problem(network, never))
    except NotSymmetric:
        return None
    if len(cases.cases) != 1:
        return None
    (case,) = cases.cases
    places = [one for number, one in enumerate(case.layout.classes) if number != case.layout.here]
    return Symmetric(network, case) if len(places) == 1 and not places[0].single and case.layout.period == 1 else None


def vectors(letters: int, n: int) -> int:
    """How many vectors of counts of so many letters there are for words of length n."""
    return math.comb(n + letters - 1, n)


def words_of_vectors(letters: int, n: int, where: Sentence | None) -> Integers:
    """One word of length n for each vector of counts: ``(V, n)``, the letters one after the other.

    With `where`, only words in which that holds: the letters are tried in several orders, and words that only another order
    would make satisfy it are missing.
    """
    words = sorted_words(letters, n)
    if where is None:
        return words
    found: list[Integers] = []
    for order in islice(permutations(range(letters)), MOST_ORDERS):
        ordered = np.take_along_axis(words, np.argsort(np.argsort(order)[words], axis=1, kind="stable"), axis=1)
        holds = np.asarray(evaluate(where, ordered)[""], dtype=bool)
        found.append(ordered[holds])
        words = words[~holds]
    return np.concatenate(found)


def first_of_letters(words: Integers) -> Truth:
    """Of positions with the same letter in a word the first one: ``(B, n)``."""
    earlier = (words[:, :, None] == words[:, None, :]) & np.tri(words.shape[1], k=-1, dtype=bool)
    found: Truth = ~earlier.any(axis=2)
    return found
