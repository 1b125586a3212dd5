"""Words as arrays of letter numbers: all words of a length, and random ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

Integers = np.ndarray[Any, np.dtype[np.int64]]


def count_words(n_letters: int, least: int, most: int) -> int:
    """Number of words of lengths `least` to `most`."""
    return sum(n_letters**n for n in range(least, most + 1))


def all_words(n_letters: int, n: int, chunk: int = 1 << 14) -> Iterator[Integers]:
    """Every word of length n, in lexicographic order, in arrays of shape ``(at most chunk, n)``."""
    powers = n_letters ** np.arange(n - 1, -1, -1, dtype=np.int64)
    total = n_letters**n
    for start in range(0, total, chunk):
        numbers = np.arange(start, min(start + chunk, total), dtype=np.int64)
        yield (numbers[:, None] // powers) % n_letters


def random_words(n_letters: int, n: int, count: int, seed: int) -> Integers:
    """`count` uniformly random words of length n."""
    return np.random.default_rng(seed).integers(0, n_letters, (count, n), dtype=np.int64)
