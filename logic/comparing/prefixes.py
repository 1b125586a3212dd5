"""Prefixes: a causal network reads the tree of all words, one letter at a time, and equal states are read on once.

What a causal network computes at a position serves every word that continues there, so the words of length n cost as many
evaluations of one position as there are prefixes, and not n times the words. Beyond that, two prefixes of one length whose
states are equal - what later positions can read, of the network, of its rival and of the restriction of words - have the same
continuations, so one of them is enough: the tree becomes a graph, often with polynomially many nodes.

The rival's state is that of `logic.comparing.monitors` for a sentence of past form, that of the machine of a causal network,
and else the whole word; then nothing is merged. States that do not fit the memory are not kept: the words below each of them
are visited again for each length.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from circuits.network import Network
from logic.batch import evaluate as evaluate_sentence
from logic.comparing.causality import not_causal
from logic.comparing.methods import Finding, Limit, OutOfTime
from logic.comparing.monitors import Monitor, not_past
from logic.comparing.prefixes_machine import Machine, NetworkMachine, State, WordMachine, joined, taken
from logic.comparing.prefixes_rows import distinct
from logic.comparing.problem import Problem, decided_by
from logic.comparing.specification import Specification
from logic.syntax import Sentence

Array = np.ndarray[Any, Any]
Integers = np.ndarray[Any, np.dtype[np.int64]]

BATCH = 1 << 15
TRIED = 0.3
PROBED = 1 << 10
SLOWER = 0.98
MOST_DOUBLINGS = 1000.0
WRONG = "wrong"


@dataclass(frozen=True)
class Level:
    """Different states after words of one length, with the words: for each state the one before it, and the last letter."""

    m: int
    states: dict[str, State]
    before: Array
    letters: Array

    def __len__(self) -> int:
        return len(self.letters)

    @property
    def bytes(self) -> int:
        """The memory that the states take."""
        return sum(array.nbytes for state in self.states.values() for array in state.values())


class Joint:
    """The network, its rival and the restrictions, reading together."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.tags = problem.network.decided.n_positions == 1
        self.n_letters = len(problem.network.alphabet)
        self.machines: dict[str, Machine] = {"network": NetworkMachine(problem.network), "rival": self.rival()}
        if problem.where is not None:
            self.machines["where"] = monitor_of(problem.where, ("",), self.by_words(problem.where))
        if problem.at is not None:
            self.machines["at"] = Monitor(problem.at, ("",))

    @staticmethod
    def by_words(sentence: Sentence) -> WordMachine:
        """A sentence decided of whole words."""
        return WordMachine(lambda words: np.asarray(evaluate_sentence(sentence, words)[""], dtype=bool)[:, None])

    def rival(self) -> Machine:
        """The machine of the rival."""
        rival = self.problem.rival
        if isinstance(rival, Specification):
            return monitor_of(rival.sentence, rival.relations, WordMachine(rival.truth))
        return WordMachine(partial(decided_by, rival)) if not_causal(rival) else NetworkMachine(rival)

    def start(self) -> Level:
        """Before the first letter."""
        states = {name: machine.start() for name, machine in self.machines.items()}
        states[WRONG] = {WRONG: np.zeros((1, 1), dtype=bool)}
        return Level(0, states, np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64))

    def read(self, level: Level, keep: bool, answer: bool, limit: Limit) -> Iterator[tuple[Level, Array]]:
        """Read one more letter after every word of a level, in batches; with where network and rival differ, if wanted."""
        for start in range(0, len(level) * self.n_letters, BATCH):
            limit.check()
            numbers = np.arange(start, min(start + BATCH, len(level) * self.n_letters))
            before, letters = numbers // self.n_letters, numbers % self.n_letters
            yield self.read_batch(level, before, letters, keep, answer)

    def read_batch(
        self, level: Level, before: Integers, letters: Integers, keep: bool, answer: bool
    ) -> tuple[Level, Array]:
        """Read one letter after each of some words."""
        m, states = level.m + 1, {}
        found: dict[str, Array | None] = {}
        for name, machine in self.machines.items():
            asked = answer if name == "where" else answer or self.tags
            states[name], found[name] = machine.read(taken(level.states[name], before), letters, m, keep, asked)
        different = np.zeros(len(letters), dtype=bool)
        if answer or self.tags:
            different = self.differ(found)
        if self.tags:
            different |= level.states[WRONG][WRONG][before, 0]
        states[WRONG] = {WRONG: different[:, None] & self.tags}
        where = found.get("where")
        if where is not None:
            different = different & where[:, 0]
        smallest = np.min_scalar_type(len(level)), np.min_scalar_type(self.n_letters)
        return Level(m, states, before.astype(smallest[0]), letters.astype(smallest[1])), different

    def differ(self, found: dict[str, Array | None]) -> Array:
        """Where the decisions differ, at a position considered."""
        decided, rivals, at = found["network"], found["rival"], found.get("at")
        if decided is None or rivals is None:
            raise TypeError("network and rival decide at the same time")
        rival = self.problem.rival
        different = rival.differs(rivals, decided) if isinstance(rival, Specification) else decided != rivals
        different = different.any(axis=1) if different.ndim == 2 else different
        return np.asarray(different if at is None else different & at[:, 0])


def monitor_of(sentence: Sentence, relations: tuple[str, ...], otherwise: WordMachine) -> Machine:
    """The monitor of a sentence of past form; otherwise what decides whole words."""
    return otherwise if not_past(sentence, relations) else Monitor(sentence, relations)


def merged(parts: list[Level]) -> Level:
    """Batches of a level in one, with equal states once."""
    states = {name: joined([part.states[name] for part in parts]) for name in parts[0].states}
    before = np.concatenate([part.before for part in parts])
    letters = np.concatenate([part.letters for part in parts])
    kept = distinct([array for state in states.values() for array in state.values()])
    if len(kept) < len(letters):
        states = {name: taken(state, kept) for name, state in states.items()}
        before, letters = before[kept], letters[kept]
    return Level(parts[0].m, states, before, letters)


class Search:
    """The levels read so far: states of the last one kept, and for earlier ones how each state was reached."""

    def __init__(self, problem: Problem, limit: Limit) -> None:
        self.joint, self.limit = Joint(problem), limit
        self.level = self.joint.start()
        self.reached: list[tuple[Array, Array]] = []
        self.by_length = [1]
        self.visited = 0
        self.told = time.monotonic()

    def tell(self, m: int, n: int) -> None:
        """Report progress, twice a second at most."""
        if time.monotonic() - self.told > 0.5:
            self.told = time.monotonic()
            self.limit.progress(f"prefixes of length {m} for words of length {n}: {self.visited:,} states so far")

    @property
    def fits(self) -> bool:
        """Whether the states after one more letter fit the memory, with those before and a copy."""
        taken_now = self.level.bytes + 64 * len(self.level) + sum(before.nbytes for before, _ in self.reached)
        return 3 * self.joint.n_letters * taken_now < self.limit.memory

    def word(self, path: list[tuple[Array, Array]], last: int) -> Integers:
        """The word of a state at the end of a path of levels."""
        letters = []
        for before, read in reversed(path):
            letters.append(int(read[last]))
            last = int(before[last])
        return np.array(letters[::-1], dtype=np.int64)

    def decide(self, n: int, more: bool) -> Integers | None:
        """A word of length n on which network and rival differ, or None; `more` keeps the states for longer words.

        Raises:
            OutOfTime: the deadline has passed.
        """
        while self.level.m < n - (not more) and self.fits:
            found = self.advance(n)
            if found is not None:
                return found
        return None if self.level.m == n else self.below(n)

    def advance(self, n: int) -> Integers | None:
        """Read one more letter; a word on which network and rival differ, if the words have n letters then and there is one.

        Raises:
            OutOfTime: the deadline has passed.
        """
        parts = []
        for part, different in self.joint.read(self.level, True, self.level.m + 1 == n, self.limit):
            self.visited += len(part)
            self.tell(part.m, n)
            if part.m == n and different.any():
                return self.word([*self.reached, (part.before, part.letters)], int(np.argmax(different)))
            parts.append(part)
        self.level = merged(parts)
        self.by_length.append(len(self.level))
        self.reached.append((self.level.before, self.level.letters))
        return None

    def below(self, n: int) -> Integers | None:
        """A difference among the words of length n, without keeping more states than those of a batch for each length.

        Raises:
            OutOfTime: the deadline has passed.
        """
        stack = [(self.reading(self.level, n), self.reached)]
        while stack:
            batches, path = stack[-1]
            found = next(batches, None)
            if found is None:
                stack.pop()
                continue
            part, different = found
            self.visited += len(part)
            self.tell(part.m, n)
            if part.m < n:
                part = merged([part])
                stack.append((self.reading(part, n), [*path, (part.before, part.letters)]))
            elif different.any():
                return self.word([*path, (part.before, part.letters)], int(np.argmax(different)))
        return None

    def reading(self, level: Level, n: int) -> Iterator[tuple[Level, Array]]:
        """Read one more letter on the way to words of length n."""
        return self.joint.read(level, level.m + 1 < n, level.m + 1 == n, self.limit)


class Prefixes:
    """A causal network on the tree of all words, with equal states read on once."""

    name = "prefixes"

    def obstacle(self, problem: Problem) -> str:
        """The network is not causal; or it answers at every position, and what it is compared with is not of past form."""
        if why := not_causal(problem.network):
            return why
        if problem.network.decided.n_positions == 0:
            return ""
        if isinstance(problem.rival, Network):
            why = not_causal(problem.rival)
        else:
            why = not_past(problem.rival.sentence, problem.rival.relations)
        if not why and problem.at is not None:
            why = not_past(problem.at, ("",))
        return why

    def forecast(self, problem: Problem, n: int) -> float:
        """What short words take, continued: by the growth of the number of states from half of the length reached to all."""
        return tried(problem).forecast(n)

    def decide(self, problem: Problem, lengths: Sequence[int], limit: Limit) -> Finding:
        """Read all words letter by letter; decide each length asked for on the way."""
        search = Search(problem, limit)
        decided: list[int] = []
        word, reason = None, ""
        for n in lengths:
            try:
                word = search.decide(n, n != lengths[-1])
            except OutOfTime:
                reason = f"out of time at n = {n}"
                break
            decided.append(n)
            if word is not None:
                break
        if word is not None and not problem.differs(word[None]).all():
            raise RuntimeError(f"network and rival do not differ on {word.tolist()}, which is a bug")
        facts = {"states": search.visited, "most states of one length": max(search.by_length)}
        return Finding(tuple(decided), word, reason=reason, facts=facts)


@dataclass(frozen=True)
class Trial:
    """How the first lengths went.

    Attributes:
        by_length: the number of states of each length, from 0 on.
        seconds: the time until each length was done.
        for_a_state: the time to read one letter after one state of the last of these lengths, among many.
    """

    n_letters: int
    by_length: list[int]
    seconds: list[float]
    for_a_state: float

    def forecast(self, n: int) -> float:
        """The seconds that all levels up to n take."""
        reached = len(self.by_length) - 1
        if n <= reached:
            return self.seconds[n]
        lengths = np.arange(reached, n, dtype=np.float64)
        states = self.n_letters * self.by_length[-1] * self.growth(lengths) * (lengths + 1) / (reached + 1)
        step = self.seconds[-1] / max(reached, 1)
        return self.seconds[-1] + step * len(lengths) + self.for_a_state * float(states.sum())

    def growth(self, lengths: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
        """How many times as many states there may be at some lengths as at the last one.

        They grow like the power of the length that they followed from half of it to all, if their growth became slower; else
        by the last factor from length to length.
        """
        reached = len(self.by_length) - 1
        half = reached // 2
        if half < 1:
            factor, slower = float(self.n_letters), False
        else:
            factor = self.by_length[-1] / self.by_length[-2]
            slower = factor < SLOWER * (self.by_length[half] / self.by_length[half - 1]) or factor <= 1
        if slower:
            power = np.log2(self.by_length[-1] / self.by_length[half]) / np.log2(reached / half)
            return np.asarray((lengths / reached) ** power)
        return np.asarray(np.exp2(np.minimum((lengths - reached) * np.log2(factor), MOST_DOUBLINGS)))


@lru_cache(maxsize=4)
def tried(problem: Problem) -> Trial:
    """Read the first few lengths, and one letter after many states."""
    started = time.monotonic()
    search, seconds = Search(problem, Limit(started + TRIED)), [0.0]
    most = problem.domain.most
    try:
        while (most is None or search.level.m < most) and search.fits:
            search.advance(0)
            seconds.append(time.monotonic() - started)
    except OutOfTime:
        pass
    joint = search.joint
    before, letters = np.arange(PROBED) % len(search.level), np.arange(PROBED) % joint.n_letters
    if most is None or search.level.m < most:
        joint.read_batch(search.level, before[:1], letters[:1], True, False)  # makes the plan
        started = time.monotonic()
        joint.read_batch(search.level, before, letters, True, False)
    return Trial(joint.n_letters, search.by_length, seconds, (time.monotonic() - started) / PROBED)
