"""Branch and bound over partial words: sets of words decided at once.

A *partial word* has a set of letters at each position. Network and rival are bounded on all of its words together
(`circuits.word_intervals`, `logic.comparing.three_valued`). If they cannot differ there on anything considered, it is done; if
they must differ, any of its words is a difference; otherwise one of its positions is split, letter by letter. Partial
words with few words are compared word by word, so what is decided does not depend on how good the bounds are.

Positions are split in one order for each length, found before: at each depth the position whose letters leave the least open on a
few samples. How few words are few is measured: as many as are evaluated in the time of a partial word and of its parts. So
bounds that decide nothing at most double the time that all words take.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.network import Function, Network
from circuits.word_intervals import WordIntervals
from logic.comparing.methods import Finding, Limit, OutOfTime
from logic.comparing.problem import Problem
from logic.comparing.three_valued import bounds
from logic.syntax import Sentence

Integers = np.ndarray[Any, np.dtype[np.int64]]
Reals = np.ndarray[Any, np.dtype[np.float64]]
Truth = np.ndarray[Any, np.dtype[np.bool_]]

BATCH = 1 << 8
CHUNK = 1 << 12
SAMPLES = 2
PROBED = 1 << 8
FEW = 64
MOST_FEW = 1 << 13
REPORT_EVERY_S = 0.5


class Partial:
    """Network and rival on sets of words. It applies to networks that decide between classes."""

    name = "partial"

    def obstacle(self, problem: Problem) -> str:
        """Networks of numbers, of tables not written out, and of decisions that are no class."""
        for network in networks_of(problem):
            if network.inputs:
                return "the network reads numbers, not words"
            if network.decided.kind == "value":
                return "the network answers with a number, not with a class"
            functions = [node.name for node in network.nodes if isinstance(node, Function)]
            if functions:
                return f"`{functions[0]}` is a function that is not written out as a table"
        return ""

    def forecast(self, problem: Problem, n: int) -> float:
        """The time for as many partial words and words as stay open on a few dives, if all are alike."""
        search = Search(problem, n, Limit())
        return search.forecast() if search.batch else float("inf")

    def decide(self, problem: Problem, lengths: Sequence[int], limit: Limit) -> Finding:
        """Decide each length by branch and bound."""
        decided: list[int] = []
        counts = {"partial words": 0, "words": 0}
        for n in lengths:
            search = Search(problem, n, limit)
            if not search.batch:
                return Finding(tuple(decided), reason=f"partial words of length {n} need more memory", facts=counts)
            try:
                word = search.run()
            except OutOfTime:
                word = None
                return Finding(tuple(decided), reason=f"out of time at n = {n}", facts=search.added(counts))
            counts = search.added(counts)
            decided.append(n)
            if word is not None:
                return Finding(tuple(decided), word, facts=counts)
        return Finding(tuple(decided), facts=counts)


def networks_of(problem: Problem) -> list[Network]:
    """The network, and the rival if it is one."""
    return [problem.network, *([problem.rival] if isinstance(problem.rival, Network) else [])]


@dataclass(slots=True)
class Search:
    """Branch and bound at one length."""

    problem: Problem
    n: int
    limit: Limit
    sides: list[WordIntervals] = field(init=False)
    order: list[int] = field(init=False)
    batch: int = field(init=False)
    partial_words: int = 0
    words: int = 0
    bounding_s: float = 0.0
    comparing_s: float = 0.0
    reported: float = 0.0

    def __post_init__(self) -> None:
        self.sides = [WordIntervals(network, self.n) for network in networks_of(self.problem)]
        self.order = list(range(self.n))
        needed = max(side.bytes(len(side.network.alphabet)) for side in self.sides)
        self.batch = min(BATCH, self.limit.memory // max(1, needed))

    def added(self, counts: dict[str, int]) -> dict[str, int]:
        """Figures with those of lengths before."""
        return {"partial words": counts["partial words"] + self.partial_words, "words": counts["words"] + self.words}

    @property
    def few(self) -> int:
        """How many words are compared one by one: as many as cost what a partial word and its parts do."""
        return int(np.clip(2 * self.ratio, 1, MOST_FEW)) if self.partial_words and self.words else FEW

    @property
    def ratio(self) -> float:
        """The time of a partial word in times of a word."""
        return (self.bounding_s / self.partial_words) / (self.comparing_s / self.words)

    def probe(self, n_letters: int) -> Integers | None:
        """Compare a few random words, which takes no time where differences are frequent, and tells what a word costs."""
        self.limit.check()
        words = np.random.default_rng(self.n).integers(0, n_letters, (PROBED, self.n))
        self.problem.differs(words[:1])  # what is prepared once for a length is not for each word
        started = time.perf_counter()
        different = self.problem.differs(words)
        self.comparing_s, self.words = time.perf_counter() - started, len(words)
        return np.array(words[int(np.argmax(different))]) if different.any() else None

    def run(self) -> Integers | None:
        """A word on which network and rival differ, or None if there is none.

        Raises:
            OutOfTime: the deadline has passed.
        """
        n_letters = len(self.problem.network.alphabet)
        whole = np.ones((1, self.n, n_letters), dtype=bool)
        if n_letters**self.n > FEW:
            if (word := self.probe(n_letters)) is not None:
                return word
            self.bound(whole)
            samples = SAMPLES * n_letters * self.n**2 / 2
            if n_letters**self.n > samples * self.ratio:
                self.order = self.find_order(whole)
        waiting = [whole]
        while waiting:
            self.limit.check()
            self.report(waiting)
            taken = waiting.pop()
            if len(taken) > self.batch:
                waiting.append(taken[self.batch :])
                taken = taken[: self.batch]
            sizes = np.prod(taken.sum(axis=2).astype(np.float64), axis=1)
            small = sizes <= self.few
            if small.any() and (word := self.compare(taken[small])) is not None:
                return word
            taken = taken[~small]
            if not len(taken):
                continue
            open_, sure = self.bound(taken)
            if sure.any() and (word := self.compare_some(taken[sure])) is not None:
                return word
            if open_.any():
                waiting.append(self.split(taken[open_]))
        return None

    def report(self, waiting: list[Truth]) -> None:
        """Tell how far it is, now and then."""
        now = time.monotonic()
        if now - self.reported >= REPORT_EVERY_S:
            self.reported = now
            left = sum(np.prod(part.sum(axis=2).astype(np.float64), axis=1).sum() for part in waiting)
            share = 1 - left / float(len(self.problem.network.alphabet)) ** self.n
            self.limit.progress(f"n = {self.n}: {self.partial_words:,} partial words, {share:.1%} of the words decided")

    def bound(self, allowed: Truth) -> tuple[Truth, Truth]:
        """The partial words that stay open, and those on which network and rival differ for certain."""
        parts = [self.bound_batch(allowed[start : start + self.batch]) for start in range(0, len(allowed), self.batch)]
        return np.concatenate([open_ for open_, _ in parts]), np.concatenate([sure for _, sure in parts])

    def bound_batch(self, allowed: Truth) -> tuple[Truth, Truth]:
        """The same for a batch; the network is not bounded where no word is considered."""
        self.limit.check()
        started = time.perf_counter()
        must, can = np.ones(len(allowed), dtype=bool), np.ones(len(allowed), dtype=bool)
        if self.problem.where is not None:
            must, can = sentence_bounds(self.problem.where, allowed)
        open_, sure = np.array(can), can & must
        if can.any():
            can_agree, can_differ = self.verdicts(allowed[can])
            if can_differ.ndim == 2:
                must_at = can_at = np.ones(can_differ.shape, dtype=bool)
                if self.problem.at is not None:
                    must_at, can_at = sentence_bounds(self.problem.at, allowed[can])
                can_agree = np.asarray((can_agree | ~must_at).all(axis=1))
                can_differ = np.asarray((can_differ & can_at).any(axis=1))
            open_[can], sure[can] = can_differ, ~can_agree & must[can]
        self.partial_words += len(allowed)
        self.bounding_s += time.perf_counter() - started
        return open_, sure

    def verdicts(self, allowed: Truth) -> tuple[Truth, Truth]:
        """Whether network and rival can agree, and can differ: ``(B,)``, or ``(B, n)``."""
        decided = possible_decisions(self.sides[0], allowed)
        rival = self.problem.rival
        if isinstance(rival, Network):
            other = possible_decisions(self.sides[1], allowed)
            one = (decided.sum(axis=-1) == 1) & (decided == other).all(axis=-1)
            return np.asarray((decided & other).any(axis=-1)), np.asarray(~one)
        found = bounds(rival.sentence, allowed, rival.relations)
        must = np.stack([found[name][0] for name in rival.relations], axis=-1)
        can = np.stack([found[name][1] for name in rival.relations], axis=-1)
        can_be = decided[..., list(rival.classes)]
        must_be = can_be & (decided.sum(axis=-1) == 1)[..., None]
        agree = ((can & can_be) | ~(must | must_be)).all(axis=-1)
        differ = ((can & ~must_be) | (~must & can_be)).any(axis=-1)
        return np.asarray(agree), np.asarray(differ)

    def compare(self, allowed: Truth) -> Integers | None:
        """Compare all words of some partial words."""
        for words in words_of(allowed, CHUNK):
            self.limit.check()
            started = time.perf_counter()
            kept = words[self.problem.considered(words)]
            different = self.problem.differs(kept) if len(kept) else np.zeros(0, dtype=bool)
            self.words += len(words)
            self.comparing_s += time.perf_counter() - started
            if different.any():
                return np.array(kept[int(np.argmax(different))])
        return None

    def compare_some(self, allowed: Truth) -> Integers | None:
        """Check one word of each partial word."""
        words = allowed.argmax(axis=2)
        different = self.problem.differs(words)
        self.words += len(words)
        return np.array(words[int(np.argmax(different))]) if different.any() else None

    def split(self, allowed: Truth) -> Truth:
        """Split each partial word at its first position, in order, of several letters: its letters, one by one."""
        undecided = allowed.sum(axis=2)[:, self.order] > 1
        return split_at(allowed, np.array(self.order)[undecided.argmax(axis=1)])

    def find_order(self, whole: Truth) -> list[int]:
        """An order of positions: at each depth the one that leaves the least open on a few samples."""
        random = np.random.default_rng(self.n)
        samples, left, order = whole, list(range(self.n)), []
        while len(left) > 1 and len(samples):
            self.limit.check()
            candidates = [split_at(samples, np.full(len(samples), position)) for position in left]
            parts = np.concatenate(candidates)
            open_, _ = self.bound(parts)
            spread = np.zeros(len(parts))
            if open_.any():
                spread[open_] = self.spread(parts[open_])
            ends = np.cumsum([len(some) for some in candidates])
            best = min(
                range(len(left)),
                key=lambda index: (
                    open_[ends[index] - len(candidates[index]) : ends[index]].sum(),
                    spread[ends[index] - len(candidates[index]) : ends[index]].sum(),
                ),
            )
            order.append(left.pop(best))
            samples = candidates[best][open_[ends[best] - len(candidates[best]) : ends[best]]]
            if len(samples) > SAMPLES:
                samples = samples[random.choice(len(samples), SAMPLES, replace=False)]
        return order + left

    def spread(self, allowed: Truth) -> Reals:
        """How far apart the bounds of the network's scores are, for each partial word."""
        side, found = self.sides[0], []
        for start in range(0, len(allowed), self.batch):
            low, high = side.bounds(allowed[start : start + self.batch])[side.network.decided.scores]
            found.append((high - low).reshape(len(low), -1).mean(axis=1))
        return np.concatenate(found)

    def forecast(self) -> float:
        """Seconds, from a few random dives (Knuth 1975, *Estimating the efficiency of backtrack programs*)."""
        n_letters = len(self.problem.network.alphabet)
        self.probe(n_letters)
        word_s = self.comparing_s / self.words
        random = np.random.default_rng(self.n)
        samples, weight, nodes, words = np.ones((1, self.n, n_letters), dtype=bool), 1.0, 0.0, 0.0
        while True:
            sizes = np.prod(samples.sum(axis=2).astype(np.float64), axis=1)
            if sizes.max() <= self.few:
                words = weight * float(sizes.mean())
                break
            open_, _ = self.bound(samples)
            nodes += weight
            if not open_.any():
                break
            parts = self.split(samples[open_])
            weight *= len(parts) / len(samples)
            samples = parts[random.choice(len(parts), min(SAMPLES, len(parts)), replace=False)]
        bounded = self.bounding_s / self.partial_words * nodes if nodes else 0.0
        return bounded + words * word_s


def sentence_bounds(sentence: Sentence, allowed: Truth) -> tuple[Truth, Truth]:
    """Whether a sentence must hold, and can hold."""
    return bounds(sentence, allowed, ("",))[""]


def possible_decisions(side: WordIntervals, allowed: Truth) -> Truth:
    """The classes that a network can decide on: ``(B, C)``, or ``(B, n, C)``."""
    low, high = side.bounds(allowed)[side.network.decided.decision]
    if side.network.decided.kind == "logit":
        return np.concatenate([low == 0, high == 1], axis=-1)
    others = low.sum(axis=-1, keepdims=True) - low
    return (high == 1) & (others == 0)


def split_at(allowed: Truth, positions: Integers) -> Truth:
    """Split each partial word at its position into one for each letter allowed there."""
    rows = np.arange(len(allowed))
    words, letters = np.nonzero(allowed[rows, positions])
    parts = allowed[words]
    parts[np.arange(len(words)), positions[words]] = np.eye(allowed.shape[2], dtype=bool)[letters]
    return parts


def words_of(allowed: Truth, chunk: int) -> Any:
    """All words of partial words, in arrays of about `chunk` words."""
    parts = allowed
    for position in range(allowed.shape[1]):
        parts = split_at(parts, np.full(len(parts), position))
    words = parts.argmax(axis=2)
    for start in range(0, len(words), chunk):
        yield words[start : start + chunk]
