"""Samples: words, and the truth to be explained, once for each word or at every position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.diagnostics import fail

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Samples:
    """Words with the truth to be explained.

    Attributes:
        alphabet: the letters.
        words: letter numbers, a batch of shape ``(B, n)`` for each length, all lengths different.
        truth: for each batch ``(B,)``, or ``(B, n)`` for a truth at every position.
        considered: of the same shapes, where the truth matters.
        symmetric: whether the truth depends on how often each letter occurs only, and on the letter at x: then any word stands
            for all with the same letters, and sentences are searched that depend on nothing else either.

    Raises:
        FomError: shapes that do not fit together, letters outside of the alphabet, or no words (L095).
    """

    alphabet: tuple[str, ...]
    words: tuple[Integers, ...]
    truth: tuple[Truth, ...]
    considered: tuple[Truth, ...]
    symmetric: bool = False

    def __post_init__(self) -> None:
        if not self.words or not len(self.words) == len(self.truth) == len(self.considered):
            raise fail("L095", "samples are one or more batches of words, each with its truth and where that matters")
        ranks = {truth.ndim for truth in self.truth}
        for words, truth, considered in zip(self.words, self.truth, self.considered, strict=True):
            if words.ndim != 2 or words.dtype.kind not in "iu" or words.shape[1] < 1:
                raise fail("L095", "the words of samples are integers of shape (B, n) with n at least 1",
                           note=f"found {words.dtype} of shape {words.shape}")  # fmt: skip
            if truth.shape != words.shape[: truth.ndim] or truth.shape != considered.shape or ranks not in ({1}, {2}):
                raise fail("L095", "the truth of samples has the shape (B,) for all words, or (B, n) for all",
                           note=f"words of shape {words.shape}, truth {truth.shape}, considered {considered.shape}")  # fmt: skip
            if truth.dtype != bool or considered.dtype != bool:
                raise fail("L095", "truth and where it is considered are arrays of bool")
            if words.size and not 0 <= words.min() <= words.max() < len(self.alphabet):
                raise fail("L095", f"letters are numbers from 0 to {len(self.alphabet) - 1}",
                           note=f"found {words.min()} to {words.max()}")  # fmt: skip
        if len({words.shape[1] for words in self.words}) < len(self.words):
            raise fail("L095", "the batches of samples have different lengths")

    @property
    def at_positions(self) -> bool:
        """Whether the truth is one for every position, so that a formula with a free variable explains it."""
        return self.truth[0].ndim == 2

    @property
    def total(self) -> int:
        """How many samples are considered."""
        return sum(int(considered.sum()) for considered in self.considered)

    def of(self, truth: tuple[Truth, ...]) -> Samples:
        """The same words with another truth."""
        return Samples(self.alphabet, self.words, truth, self.considered, self.symmetric)
