"""Every word of a length, in batches."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np

from circuits.words import all_words
from logic.comparing.methods import Finding, Limit, OutOfTime
from logic.comparing.problem import Problem

CHUNK = 1 << 12
MOST_WORDS = 1 << 40
PROBED = 256


class Exhaustive:
    """Network and rival on all words. It applies always, and ends where there are too many words."""

    name = "exhaustive"

    def obstacle(self, problem: Problem) -> str:
        """None: every network can be evaluated."""
        return ""

    def forecast(self, problem: Problem, n: int) -> float:
        """The time for a few random words, for all of them."""
        letters = len(problem.network.alphabet)
        if letters**n > MOST_WORDS:
            return float("inf")
        words = np.random.default_rng(n).integers(0, letters, (min(PROBED, letters**n), n))
        problem.differs(words[:1])  # what is prepared once for a length is not for each word
        started = time.perf_counter()
        problem.differs(words)
        return (time.perf_counter() - started) * letters**n / len(words)

    def decide(self, problem: Problem, lengths: Sequence[int], limit: Limit) -> Finding:
        """Compare all words of each length in lexicographic order."""
        letters = len(problem.network.alphabet)
        decided: list[int] = []
        counted = considered = 0
        for n in lengths:
            limit.progress(f"comparing all {letters**n:,} words of length {n}")
            for words in all_words(letters, n, CHUNK):
                try:
                    limit.check()
                except OutOfTime:
                    facts = {"words": counted, "considered": considered}
                    return Finding(tuple(decided), reason=f"out of time at n = {n}", facts=facts)
                kept = words[problem.considered(words)]
                counted, considered = counted + len(words), considered + len(kept)
                different = problem.differs(kept) if len(kept) else np.zeros(0, dtype=bool)
                if different.any():
                    facts = {"words": counted, "considered": considered}
                    return Finding((*decided, n), kept[int(np.argmax(different))], facts=facts)
            decided.append(n)
        return Finding(tuple(decided), facts={"words": counted, "considered": considered})
