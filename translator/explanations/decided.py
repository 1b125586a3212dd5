"""Words with what a network decides on them: the samples of a search, for any class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from logic.searching.samples import Samples
from logic.searching.symmetric import first_of_letters

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Decided:
    """Words, a batch of shape ``(B, n)`` for each length, the classes decided, ``(B,)`` or ``(B, n)``, and where they matter."""

    words: tuple[Integers, ...]
    classes: tuple[Integers, ...]
    considered: tuple[Truth, ...]

    def truth(self, number: int) -> tuple[Truth, ...]:
        """Where a class is decided."""
        return tuple(np.asarray(one == number) for one in self.classes)

    def samples(self, alphabet: Sequence[str], number: int, symmetric: bool = False) -> Samples:
        """The samples for a class; of a symmetric network equal letters of a word are considered once."""
        seen = self.considered
        if symmetric and seen[0].ndim == 2:
            seen = tuple(one & first_of_letters(words) for one, words in zip(seen, self.words, strict=True))
        return Samples(tuple(alphabet), self.words, self.truth(number), seen, symmetric)

    def and_(self, words: Integers, classes: Integers, considered: Truth) -> Decided:
        """These words and a batch more."""
        added = words, classes, considered
        batches = list(zip(self.words, self.classes, self.considered, strict=True))
        same = [place for place, batch in enumerate(batches) if batch[0].shape[1] == words.shape[1]]
        if same:
            joined = [np.concatenate(pair) for pair in zip(batches[same[0]], added, strict=True)]
            batches[same[0]] = joined[0], joined[1], joined[2]
        else:
            batches.append(added)
        return Decided(*(tuple(part) for part in zip(*batches, strict=True)))
