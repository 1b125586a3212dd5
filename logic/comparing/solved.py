"""One query to a solver for each length, with everything that depends on few letters tabulated beforehand.

How a network is put to the solver is told in `logic.smt.comparing_network`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from circuits.diagnostics import fail
from circuits.network import Network
from logic.comparing.baseline import networks_obstacle
from logic.comparing.methods import Finding, Limit, Obligation, seconds
from logic.comparing.problem import Problem

if TYPE_CHECKING:
    from logic.smt.comparing import Encoding

PROBED = (2, 4, 6, 8)
"""Lengths by whose times the others are forecast."""
PROBE_S = 1.0
MOST_S = 1e7


class Solved:
    """Tables over letters and their numbers; what is left is asked of z3."""

    name = "smt"

    def obstacle(self, problem: Problem) -> str:
        """A word of a long sum that reaches too many thresholds, tried at the shortest length where there is one."""
        if found := networks_obstacle(problem):
            return found
        from logic.smt.comparing_network import hopeless

        domain = problem.domain
        n = next((n for n in (3, 2, 1) if problem.domain.admits(n)), domain.least)
        networks = [problem.network, *([problem.rival] if isinstance(problem.rival, Network) else [])]
        return next((why for network in networks if (why := hopeless(network, n))), "")

    def forecast(self, problem: Problem, n: int) -> float:
        """By the times of a few shorter lengths, growing from the last as between the last two."""
        times = [(m, spent) for m, spent in probed(problem) if m < n] or [(n, first_try(problem, n))]
        (last, spent), (before, earlier) = times[-1], times[-2 if len(times) > 1 else -1]
        if spent == float("inf"):
            return spent
        growth = max(1.1, spent / earlier) ** (1 / max(1, last - before))
        try:
            found = spent * growth ** (n - last)
        except OverflowError:
            return float("inf")
        return found if found < MOST_S else float("inf")

    def decide(self, problem: Problem, lengths: Sequence[int], limit: Limit) -> Finding:
        """One query for each length."""
        from logic.smt.comparing_network import Tabulating

        return by_queries(problem, lengths, limit, lambda: Tabulating(memory=limit.memory))


@lru_cache(maxsize=4)
def probed(problem: Problem) -> tuple[tuple[int, float], ...]:
    """Short lengths with the seconds they take, up to the first that has no answer in `PROBE_S`, which takes for ever."""
    times: list[tuple[int, float]] = []
    for m in PROBED:
        if problem.domain.admits(m):
            times.append((m, first_try(problem, m)))
            if times[-1][1] == float("inf"):
                break
    return tuple(times)


def first_try(problem: Problem, n: int) -> float:
    """The seconds that a length takes, infinite if there is no answer in `PROBE_S`."""
    started = time.monotonic()
    finding = Solved().decide(problem, [n], seconds(PROBE_S))
    return float("inf") if finding.reason else time.monotonic() - started


def by_queries(problem: Problem, lengths: Sequence[int], limit: Limit, encoding: Callable[[], Encoding]) -> Finding:
    """Ask one query for each length, until there is a difference or the time is over."""
    from logic.smt.comparing import ask

    decided: list[int] = []
    obligations: list[Obligation] = []
    nodes = 0

    def found(**others: Any) -> Finding:
        return Finding(tuple(decided), facts={"formulas": nodes}, obligations=tuple(obligations), **others)

    for n in lengths:
        if limit.left <= 0:
            return found(reason=f"out of time at n = {n}")
        limit.progress(f"asking for a word of length {n}")
        answer = ask(problem, n, encoding(), limit)
        nodes = max(nodes, answer.nodes)
        if answer.word is not None:
            if not problem.differs(answer.word[None])[0]:
                raise fail("L071", f"the solver's word of length {n} is no difference: this is a bug of fom")
            decided.append(n)
            return found(word=answer.word)
        if answer.result != "unsat":
            return found(reason=f"no answer at n = {n}: {answer.result}")
        decided.append(n)
        obligations += [answer.obligation] if answer.obligation is not None else []
    return found()
