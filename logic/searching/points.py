"""Points: every position of every word of the samples, in one row, and formulas as packed bits over points or words.

Words stand one after the other, the positions of a word side by side, so that counting over a word is a difference of
prefix sums, whatever the lengths are. A closed formula has a bit for each word, a formula with one free variable a bit for
each point.
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
        start: for each word its first point; `length`: its length.
        target: the truth to be explained, by point or by word; `considered`: where it matters.
    """

    def __init__(self, samples: Samples) -> None:
        kept = [considered.reshape(len(considered), -1).any(axis=1) for considered in samples.considered]
        if not any(rows.any() for rows in kept):
            kept = [np.ones_like(rows) for rows in kept]
        batches = [words[rows] for words, rows in zip(samples.words, kept, strict=True)]
        lengths = [np.full(len(words), words.shape[1], dtype=np.int64) for words in batches]
        self.length: Integers = np.concatenate(lengths)
        self.letter: Integers = np.concatenate([words.reshape(-1) for words in batches]).astype(np.int64)
        self.words, self.size = len(self.length), len(self.letter)
        self.start: Integers = np.cumsum(self.length) - self.length
        self.word: Integers = np.repeat(np.arange(self.words), self.length)
        self.place: Integers = np.arange(self.size) - self.start[self.word] + 1
        self.n: Integers = self.length[self.word]
        self.target: Truth = np.concatenate([t[rows].reshape(-1) for t, rows in zip(samples.truth, kept, strict=True)])
        self.considered: Truth = np.concatenate(
            [c[rows].reshape(-1) for c, rows in zip(samples.considered, kept, strict=True)]
        )

    def read(self, table: Truth, at: Integers) -> Truth:
        """Read values ``(N,)`` at position ``at[p]`` of the word of each point p; false outside of the word."""
        inside = (at >= 1) & (at <= self.n)
        found = table[np.where(inside, self.start[self.word] + at - 1, 0)]
        return np.logical_and(found, inside)

    def totals(self, values: Truth) -> Counts:
        """Count over each word: ``(K, N)`` to ``(K, W)``."""
        sums = self._sums(values)
        return sums[:, self.start + self.length] - sums[:, self.start]

    def until(self, values: Truth) -> Counts:
        """Count over the positions up to and including each point: ``(K, N)`` to ``(K, N)``."""
        sums = self._sums(values)
        return sums[:, 1:] - sums[:, self.start[self.word]]

    @staticmethod
    def _sums(values: Truth) -> Counts:
        sums = np.zeros((len(values), values.shape[1] + 1), dtype=np.int32)
        np.cumsum(values, axis=1, dtype=np.int32, out=sums[:, 1:])
        return sums
