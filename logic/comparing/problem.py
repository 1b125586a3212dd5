"""What is asked: does a network decide what its rival decides, on the words and at the positions considered?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.evaluate import evaluate as evaluate_network
from circuits.network import Domain, Network
from circuits.pairs import common_domain
from circuits.readout import decisions
from logic.batch import evaluate as evaluate_sentence
from logic.comparing.specification import Specification
from logic.syntax import Sentence

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Problem:
    """A network that reads words, and what it is compared with.

    Attributes:
        rival: a specification, or another network with the same alphabet that answers once, or at every position, too.
        where: a sentence; only words in which it holds are considered. All, if it is None.
        at: a formula with one free variable, for networks that answer at every position; only positions at which it holds are
            considered.

    The letters of all sentences are the network's alphabet, in its order.
    """

    network: Network
    rival: Specification | Network
    where: Sentence | None = None
    at: Sentence | None = None

    @property
    def domain(self) -> Domain:
        """The lengths that are compared: those that the network accepts, and its rival too if it is a network."""
        own = self.network.domain
        return common_domain(own, self.rival.domain) if isinstance(self.rival, Network) else own

    def considered(self, words: Integers) -> Truth:
        """The words considered, among words of shape ``(B, n)``: ``(B,)``."""
        if self.where is None:
            return np.ones(len(words), dtype=bool)
        return np.asarray(evaluate_sentence(self.where, words)[""], dtype=bool)

    def different(self, words: Integers) -> Truth:
        """Where network and rival differ, considered or not: ``(B,)``, or ``(B, n)`` for answers at every position."""
        decided = decided_by(self.network, words)
        if isinstance(self.rival, Network):
            return np.not_equal(decided, decided_by(self.rival, words))
        return self.rival.differs(self.rival.truth(words), decided)

    def places_considered(self, words: Integers) -> Truth:
        """What is considered: ``(B,)``, or ``(B, n)`` for answers at every position."""
        kept = self.considered(words)
        if not self.network.decided.n_positions:
            return kept
        places = np.repeat(kept[:, None], words.shape[1], axis=1)
        if self.at is not None:
            places &= np.asarray(evaluate_sentence(self.at, words)[""], dtype=bool)
        return places

    def wrong(self, words: Integers) -> Truth:
        """Where network and rival differ and are considered: ``(B,)``, or ``(B, n)`` for answers at every position."""
        return np.logical_and(self.different(words), self.places_considered(words))

    def differs(self, words: Integers) -> Truth:
        """The words, of shape ``(B, n)``, on which network and rival differ at some position considered: ``(B,)``."""
        wrong = self.wrong(words)
        found: Truth = np.asarray(wrong.any(axis=tuple(range(1, wrong.ndim))))
        return found


def decided_by(network: Network, words: Integers) -> Integers:
    """What a network decides on words of shape ``(B, n)``: ``(B,)`` or ``(B, n)``."""
    readout = network.decided
    format_ = network.word(readout.decision).format
    return decisions(readout, format_, evaluate_network(network, words)[readout.decision])
