"""One word for each vector of counts, instead of all words.

A network that is symmetric (`logic.comparing.symmetry`) decides the same on all words with the same counts of types. So does a
symmetric rival, and then one word for each vector is enough: 47,905 words of 64 letters from an alphabet of 4 instead of
4^64.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from logic.comparing.cells_layouts import Layout, NotSymmetric
from logic.comparing.counts_cases import Case, Cases, cases_of
from logic.comparing.methods import Finding, Limit, OutOfTime
from logic.comparing.problem import Problem

Integers = np.ndarray[Any, np.dtype[np.int64]]

ELEMENTS = 1 << 21
PROBED = 64
MOST_VECTORS = 1 << 40


class Counts:
    """Network and symmetric rival on one word for each vector of counts."""

    name = "counts"

    def obstacle(self, problem: Problem) -> str:
        """What depends on more than counts."""
        try:
            cases_of(problem)
        except NotSymmetric as refusal:
            return str(refusal)
        return ""

    def forecast(self, problem: Problem, n: int) -> float:
        """The time for some words, for as many as there are vectors."""
        cases = cases_of(problem)
        total = vectors(cases, n)
        if total > MOST_VECTORS:
            return math.inf
        sample = next(words_of(cases, n, PROBED), None)
        if sample is None:
            return float("inf") if n < cases.shortest else 0.0
        problem.differs(sample[:1])
        started = time.perf_counter()
        problem.differs(sample)
        return (time.perf_counter() - started) * total / len(sample)

    def decide(self, problem: Problem, lengths: Sequence[int], limit: Limit) -> Finding:
        """Compare one word for each vector of counts, length after length."""
        try:
            cases = cases_of(problem)
        except NotSymmetric as refusal:
            return Finding((), reason=str(refusal))
        decided: list[int] = []
        counted = considered = 0
        facts: dict[str, Any] = {"words": 0, "considered": 0}
        for n in lengths:
            limit.progress(f"comparing {vectors(cases, n):,} words of length {n}, one for each vector of counts")
            if n < cases.shortest:
                return Finding(tuple(decided), reason=f"words of length {n} are enumerated", facts=facts)
            for words in words_of(cases, n, max(1, ELEMENTS // (n * n))):
                try:
                    limit.check()
                except OutOfTime:
                    return Finding(tuple(decided), reason=f"out of time at n = {n}", facts=facts)
                kept = words[problem.considered(words)]
                counted, considered = counted + len(words), considered + len(kept)
                facts = {"words": counted, "considered": considered}
                different = problem.differs(kept) if len(kept) else np.zeros(0, dtype=bool)
                if different.any():
                    return Finding((*decided, n), kept[int(np.argmax(different))], facts=facts)
            decided.append(n)
        return Finding(tuple(decided), facts=facts)


def vectors(cases: Cases, n: int) -> int:
    """How many words stand for all words of length n."""
    return sum(
        math.prod(math.comb(size + case.letters - 1, case.letters - 1) for size in sizes)
        for case in cases.cases
        for sizes in sizes_of(case.layout, n)
    )


def sizes_of(layout: Layout, n: int) -> Iterator[tuple[int, ...]]:
    """The sizes of the classes in the words of length n of a layout, in all ways."""
    rest = n - layout.length[0]
    if rest < 0 or rest % layout.period or (rest and not layout.n_stretches):
        return
    for repeats in compositions(rest // layout.period, layout.n_stretches):
        yield tuple(
            one.size[0] + sum(a * b for a, b in zip(one.size[1:], repeats, strict=True)) for one in layout.classes
        )


def compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    """The ways to write a number as an ordered sum."""
    if parts <= 1:
        yield (total,) * parts
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in compositions(total - first, parts - 1))


def words_of(cases: Cases, n: int, chunk: int) -> Iterator[Integers]:
    """One word of length n for each vector of counts of each case: ``(B, n)``."""
    for case in cases.cases:
        for sizes in sizes_of(case.layout, n):
            yield from words_of_sizes(case, sizes, n, chunk)


def words_of_sizes(case: Case, sizes: tuple[int, ...], n: int, chunk: int) -> Iterator[Integers]:
    """One word for each vector of counts, for given sizes of the classes."""
    columns, start = [], 0
    groups = itertools.groupby(range(len(sizes)), key=lambda number: (case.layout.classes[number].stretch, 0)
                               if not case.layout.classes[number].single else (-1, number))  # fmt: skip
    for _, members in groups:
        inside = list(members)
        total = sum(sizes[number] for number in inside)
        columns += [np.arange(start, start + total)[offset :: len(inside)] for offset in range(len(inside))]
        start += total
    parts = [sorted_words(case.letters, size) for size in sizes]
    counts = [len(part) for part in parts]
    for begin in range(0, math.prod(counts), chunk):
        chosen = np.unravel_index(np.arange(begin, min(begin + chunk, math.prod(counts))), counts)
        words = np.zeros((len(chosen[0]), n), dtype=np.int64)
        for part, index, places in zip(parts, chosen, columns, strict=True):
            words[:, places] = part[index]
        yield words


def sorted_words(n_letters: int, size: int) -> Integers:
    """All words of a length whose letters are in order: ``(comb(size + A - 1, A - 1), size)``."""
    counts = np.array(list(compositions(size, n_letters)), dtype=np.int64)
    ends = np.cumsum(counts, axis=1)[:, :-1, None]
    found: Integers = (np.arange(size) >= ends).sum(axis=1)
    return found
