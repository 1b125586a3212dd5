"""The choice of methods: for each length the one that should be quickest, as it says itself; shortest lengths first.

A method that applies forecasts its time for a length. Neighbouring lengths with the same choice are decided in one go. A method
that gives up before its time is over is not asked for that length again, so that the next best has its turn.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from circuits.diagnostics import fail
from logic.comparing.methods import Finding, Limit, Method, Unbounded
from logic.comparing.problem import Problem

HOPELESS = 1e9


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
    applicable = [method for method in methods if not method.obstacle(problem)]
    given_up: set[tuple[str, int]] = set()
    remaining = list(lengths)
    while remaining and limit.left > 0:
        chosen, forecasts = quickest(problem, remaining[0], applicable, given_up)
        if chosen is None:
            return
        run = [remaining[0]]
        for n in remaining[1:]:
            if quickest(problem, n, applicable, given_up)[0] is not chosen:
                break
            run.append(n)
        started = time.monotonic()
        finding = chosen.decide(problem, run, limit)
        yield Step(chosen.name, finding, time.monotonic() - started, forecasts)
        if finding.word is not None:
            return
        remaining = [n for n in remaining if n not in finding.decided]
        given_up |= {(chosen.name, n) for n in run if n not in finding.decided}


def quickest(
    problem: Problem, n: int, methods: Sequence[Method], given_up: set[tuple[str, int]]
) -> tuple[Method | None, dict[str, float]]:
    """The method with the smallest forecast for a length, of those that have not given it up, and all forecasts."""
    forecasts = {method.name: method.forecast(problem, n) for method in methods if (method.name, n) not in given_up}
    usable = [method for method in methods if forecasts.get(method.name, float("inf")) < HOPELESS]
    return min(usable, key=lambda method: forecasts[method.name], default=None), forecasts


def named(name: str, methods: Sequence[Method], others: Sequence[Unbounded]) -> Method:
    """The method of a name, among those that decide one length after the other.

    Raises:
        FomError: there is none.
    """
    for method in methods:
        if method.name == name:
            return method
    known = ", ".join(dict.fromkeys([one.name for one in methods] + [one.name for one in others]))
    raise fail("T061", f"unknown method `{name}`", help=f"choose one of auto, {known}")
