"""Methods: ways to find the shortest word on which network and rival differ, or to show that there is none.

A method says first whether it applies to a problem, and why not. It decides one length after the other, shortest first, so that
the first difference it finds is on a shortest word; what it has decided when its time is over remains decided. Some methods
also decide all lengths at once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from logic.comparing.problem import Problem
from logic.telling import Progress, silent

Integers = np.ndarray[Any, np.dtype[np.int64]]


class OutOfTime(Exception):
    """The deadline has passed."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a method may use.

    Attributes:
        deadline: when to stop, on the clock of `time.monotonic`.
        memory: bytes.
        progress: told what is being done, now and then.
    """

    deadline: float = float("inf")
    memory: int = 4 << 30
    progress: Progress = silent

    @property
    def left(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()

    def check(self) -> None:
        """Stop a method whose time is over.

        Raises:
            OutOfTime: the deadline has passed.
        """
        if self.left <= 0:
            raise OutOfTime


def seconds(limit: float, **others: Any) -> Limit:
    """A limit so many seconds from now."""
    return Limit(time.monotonic() + limit, **others)


@dataclass(frozen=True, slots=True)
class Obligation:
    """A question to a solver that stands behind a finding: an SMT-LIB script that is unsatisfiable if `statement` holds."""

    statement: str
    script: str


@dataclass(frozen=True)
class Finding:
    """What a method found.

    Attributes:
        decided: the lengths of which it knows whether network and rival differ on a word: no difference on all of them but the
            last, if `word` is given, else on all.
        word: letter numbers ``(n,)`` of a shortest word on which they differ, among the lengths asked for; None if none was
            found.
        everywhere: whether it shows that there is no difference at any length of the domain; then `theorem` says why.
        reason: why it stopped before it decided all lengths asked for, or nothing.
        facts: figures for the reader, in the order printed, such as ``{"words": 131070}``.
        obligations: what another solver can decide again, for methods that ask a solver.
    """

    decided: tuple[int, ...]
    word: Integers | None = None
    everywhere: bool = False
    theorem: str = ""
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    obligations: tuple[Obligation, ...] = ()


class Method(Protocol):
    """A way to decide lengths."""

    name: str

    def obstacle(self, problem: Problem) -> str:
        """Why the method does not apply, for a reader; nothing if it does."""
        ...

    def forecast(self, problem: Problem, n: int) -> float:
        """A rough forecast of the seconds that length n takes; infinite where it should not be tried."""
        ...

    def decide(self, problem: Problem, lengths: Sequence[int], limit: Limit) -> Finding:
        """Decide lengths, given in increasing order; stop at the first difference, or when the time is over."""
        ...


class Unbounded(Protocol):
    """A way to decide every length of the domain at once."""

    name: str

    def obstacle(self, problem: Problem) -> str:
        """Why the method does not apply, for a reader; nothing if it does."""
        ...

    def decide_all(self, problem: Problem, limit: Limit) -> Finding:
        """Decide every length of the domain; a shortest difference is found if there is one."""
        ...
