"""The choice of methods: for each length the one that should be quickest, as it says itself; shortest lengths first.

A method that applies forecasts its time for a length. Neighbouring lengths with the same choice are decided in one go. A method
that gives up before its time is over is not asked for that length again, so that the next best has its turn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from logic.comparing.methods import Finding, Limit, Method, Unbounded
from logic.comparing.problem import Problem

HOPELESS_S = 1e9
QUICK_S = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """One method at work: what it found, how long it took, and what it and the others forecast for its first length."""

    method: str
    finding: Finding
    seconds: float
    forecasts: dict[str, float]


def obstacles(problem: Problem, methods: Sequence[Method | Unbounded]) -> dict[str, str]:
    """Why methods do not apply; nothing for those that do."""
    return {method.name: method.obstacle(problem) for method in methods}


def decide_everywhere(problem: Problem, limit: Limit, methods: Sequence[Unbounded]) -> Iterator[Step]:
    """Ask the methods that decide all lengths at once, until one does."""
    for method in methods:
        if method.obstacle(problem):
            continue
        started = time.monotonic()
        limit.progress(f"deciding every length by {method.name}")
        finding = method.decide_all(problem, limit)
        yield Step(method.name, finding, time.monotonic() - started, {})
        if finding.everywhere or finding.word is not None:
            return


def decide_lengths(problem: Problem, lengths: Sequence[int], limit: Limit, methods: Sequence[Method]) -> Iterator[Step]:
    """Decide lengths, in increasing order, by the methods that should be quickest; stop at a difference or when time is over."""
    choice = Choice(problem, methods)
    remaining = list(lengths)
    while remaining and limit.left > 0:
        chosen = choice.at(remaining[0])
        if chosen is None:
            return
        run = [remaining[0]]
        for n in remaining[1:]:
            if choice.at(n) is not chosen:
                break
            run.append(n)
        started = time.monotonic()
        finding = chosen.decide(problem, run, limit)
        yield Step(chosen.name, finding, time.monotonic() - started, choice.forecasts(run[0]))
        if finding.word is not None:
            return
        remaining = [n for n in remaining if n not in finding.decided]
        choice.given_up |= {(chosen.name, n) for n in run if n not in finding.decided}


class Choice:
    """The quickest method for each length, by forecasts that are made once.

    Methods come in the order of what a forecast costs them; once one is quick enough, the others are not asked.
    """

    def __init__(self, problem: Problem, methods: Sequence[Method]) -> None:
        self.problem, self.methods = problem, methods
        self.given_up: set[tuple[str, int]] = set()
        self.able: dict[str, bool] = {}
        self.known: dict[tuple[str, int], float] = {}

    def forecasts(self, n: int) -> dict[str, float]:
        """What is known of the methods that have not given a length up."""
        names = [method.name for method in self.methods if (method.name, n) not in self.given_up]
        return {name: self.known[name, n] for name in names if (name, n) in self.known and self.able[name]}

    def forecast(self, method: Method, n: int) -> float:
        """What a method forecasts for a length; infinite if it does not apply."""
        if (method.name, n) not in self.known:
            able = self.applies(method)
            self.known[method.name, n] = method.forecast(self.problem, n) if able else float("inf")
        return self.known[method.name, n]

    def applies(self, method: Method) -> bool:
        """Whether a method applies: asked when it is needed, since that may take long to tell."""
        if method.name not in self.able:
            self.able[method.name] = not method.obstacle(self.problem)
        return self.able[method.name]

    def at(self, n: int) -> Method | None:
        """The method for a length; None if there is none left. A single method is asked whatever it forecasts."""
        usable = [method for method in self.methods if (method.name, n) not in self.given_up]
        if len(self.methods) == 1:
            return usable[0] if usable and self.applies(usable[0]) else None
        for method in usable:
            if self.forecast(method, n) <= QUICK_S:
                return method
        best = min(usable, key=lambda method: self.known[method.name, n], default=None)
        return best if best is not None and self.known[best.name, n] < HOPELESS_S else None
