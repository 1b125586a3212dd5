"""Specifications: what a user says that a network decides, class by class, as formulas of FO(M).

A specification of a network of two classes is one formula, true where the network should decide 1. For any number of classes
it is a list of definitions ``class[0]``, ``class[1]``, ... (with one parameter if the network answers at every position)
whose last formula is ``true`` or one of these: the network meets it on a word if it decides c exactly where ``class[c]``
holds, for every class c defined. So if all classes are defined, no network meets it on a word where none or two of them
hold. The sentence of a translation, ``sentence.fom``, is such a list.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from logic.batch import evaluate
from logic.syntax import Sentence

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Specification:
    """A specification of some classes of a network.

    Attributes:
        sentence: where the formulas stand.
        classes: the classes that it speaks about, in increasing order.
        relations: the definition of each of them; "" for the last formula.
        complete: whether it speaks about every class, so that it names the decision.
    """

    sentence: Sentence
    classes: tuple[int, ...]
    relations: tuple[str, ...]
    complete: bool

    def truth(self, words: Integers) -> Truth:
        """Where the formula of each class holds: ``(B, C)``, or ``(B, n, C)`` for an answer at every position."""
        found = evaluate(self.sentence, words, None, tuple(name for name in self.relations if name))
        return np.stack([np.asarray(found[name], dtype=bool) for name in self.relations], axis=-1)

    def differs(self, truth: Truth, decided: Integers) -> Truth:
        """Where decisions are not what the formulas say."""
        different: Truth = (truth != (decided[..., None] == np.array(self.classes))).any(axis=-1)
        return different

    def answer(self, truth: Truth) -> Any:
        """What is specified for one word: a class, or the list of classes whose formulas hold; one for each position."""
        if truth.ndim > 1:
            return [self.answer(part) for part in truth]
        if self.relations == ("",):
            return int(truth[0])
        holding = [number for number, holds in zip(self.classes, truth.tolist(), strict=True) if holds]
        return holding[0] if self.complete and len(holding) == 1 else holding

    @property
    def restriction(self) -> str:
        """The classes spoken about, in words; nothing if these are all."""
        if self.complete:
            return ""
        return f", {'class' if len(self.classes) == 1 else 'classes'} {', '.join(map(str, self.classes))} only"
