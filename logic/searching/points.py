"""Points: every position of every word of the samples, in one row, and formulas as packed bits over points or words.

Words stand one after the other, the positions of a word side by side, so that counting over a word is a sum over a segment,
whatever the lengths are. A closed formula has a bit for each word, a formula with one free variable a bit for each point.

Where the order of the letters does not matter, the points of a word are its different letters, each as often as it occurs
(`Tallies`): words of sixty letters cost no more than short ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logic.searching.samples import Integers, Samples, Truth

Packed = np.ndarray[Any, np.dtype[np.uint64]]
Counts = np.ndarray[Any, np.dtype[np.int32]]


def pack(values: Truth) -> Packed:
    """Pack truth values ``(K, N)`` into ``(K, ceil(N / 64))`` words of 64 bits; the bits left over are 0."""
    rows, width = values.shape
    wide = np.zeros((rows, -(-width // 64) * 8), dtype=np.uint8)
    packed = np.packbits(values, axis=1)
    wide[:, : packed.shape[1]] = packed
    return wide.view(np.uint64)


def unpack(packed: Packed, width: int) -> Truth:
    """Undo `pack`."""
    return np.unpackbits(packed.view(np.uint8), axis=1, count=width).view(bool)


def ones(packed: Packed) -> Counts:
    """How many bits of each row are 1."""
    return np.bitwise_count(packed).sum(axis=-1, dtype=np.int32)


class Points:
    """All positions of those words of some samples of which something is considered.

    Attributes:
        words: how many words; `size`: how many points.
        letter: the letter number at each point; `place`: its position in its word, 1..n; `word`: its word.
        n: the length of its word at each point.
        start: for each word its first point; `length`: its length.
        considered: where a truth matters, by point or by word.
        ordered: whether points are positions, so that there are places and neighbours.
    """

    ordered = True

    def __init__(self, samples: Samples) -> None:
        kept = _kept(samples)
        batches = [words[rows] for words, rows in zip(samples.words, kept, strict=True)]
        lengths = [np.full(len(words), words.shape[1], dtype=np.int64) for words in batches]
        self.length: Integers = np.concatenate(lengths)
        self.letter: Integers = np.concatenate([words.reshape(-1) for words in batches]).astype(np.int64)
        self.words, self.size = len(self.length), len(self.letter)
        self.longest = int(self.length.max())
        self.start: Integers = np.cumsum(self.length) - self.length
        self.word: Integers = np.repeat(np.arange(self.words), self.length)
        self.place: Integers = np.arange(self.size) - self.start[self.word] + 1
        self.n: Integers = self.length[self.word]
        self.considered: Truth = np.concatenate(
            [c[rows].reshape(-1) for c, rows in zip(samples.considered, kept, strict=True)]
        )

    def of_truths(self, samples: Samples) -> Truth:
        """The truth of samples of the same words, by point or by word."""
        return np.concatenate([t[rows].reshape(-1) for t, rows in zip(samples.truth, _kept(samples), strict=True)])

    def read(self, table: Truth, at: Integers) -> Truth:
        """Read values ``(N,)`` at position ``at[p]`` of the word of each point p; false outside of the word."""
        inside = (at >= 1) & (at <= self.n)
        found = table[np.where(inside, self.start[self.word] + at - 1, 0)]
        return np.logical_and(found, inside)

    def totals(self, values: Truth) -> Counts:
        """Count over each word: ``(K, N)`` to ``(K, W)``."""
        sums = self._sums(values)
        found: Counts = (sums[:, self.start + self.length] - sums[:, self.start]).astype(np.int32)
        return found

    def until(self, values: Truth) -> Counts:
        """Count over the positions up to and including each point: ``(K, N)`` to ``(K, N)``."""
        sums = self._sums(values)
        found: Counts = (sums[:, 1:] - sums[:, self.start[self.word]]).astype(np.int32)
        return found

    def _sums(self, values: Truth) -> Any:
        """Prefix sums, modulo 256 if no count is larger: their differences are right all the same, and four times as fast."""
        kind = np.uint8 if self.longest < 256 else np.int32
        sums = np.zeros((len(values), values.shape[1] + 1), dtype=kind)
        np.cumsum(values, axis=1, dtype=kind, out=sums[:, 1:])
        return sums


class Tallies(Points):
    """The different letters of the words of symmetric samples: each is a point that counts as often as it occurs.

    Attributes:
        often: how often the letter of each point occurs in its word.
        vectors: for each word how often each letter occurs: ``(W, A)``.
    """

    ordered = False

    def __init__(self, samples: Samples) -> None:
        super().__init__(samples)
        letters = len(samples.alphabet)
        tallies = np.bincount(self.word * letters + self.letter, minlength=self.words * letters)
        types = np.flatnonzero(tallies)
        self.often: Counts = tallies[types].astype(np.int32)
        self.vectors: Integers = tallies.reshape(self.words, letters)
        self._point_of = np.cumsum(tallies > 0)[self.word * letters + self.letter] - 1
        self.letter, self.word = types % letters, types // letters
        self.size, self.n = len(types), self.length[self.word]
        self.place = np.zeros(self.size, dtype=np.int64)
        self.start = np.searchsorted(self.word, np.arange(self.words))
        if samples.at_positions:
            self._asked = self.considered
            self.considered = self._any(self._asked)

    def of_truths(self, samples: Samples) -> Truth:
        truth = super().of_truths(samples)
        return self._any(truth & self._asked) if samples.at_positions else truth

    def _any(self, positions: Truth) -> Truth:
        """For each point whether some position of its word with its letter is one of those given."""
        found: Truth = np.bincount(self._point_of[positions], minlength=self.size) > 0
        return found

    def totals(self, values: Truth) -> Counts:
        """Count over each word: ``(K, N)`` to ``(K, W)``."""
        found: Counts = np.add.reduceat(values * self.often, self.start, axis=1)
        return found


def points_of(samples: Samples) -> Points:
    """The points of samples: positions, or letters with how often they occur where nothing else matters."""
    return Tallies(samples) if samples.symmetric else Points(samples)


def _kept(samples: Samples) -> list[Truth]:
    """The words of which something is considered; all if that are none."""
    kept: list[Truth] = [np.asarray(one.reshape(len(one), -1).any(axis=1)) for one in samples.considered]
    return kept if any(rows.any() for rows in kept) else [np.ones_like(rows) for rows in kept]
