"""Independent parts of a proof in several processes.

Processes are forked: they see the network, the family and the sentence of the parent without a copy, and send back what they
found. Results come in any order; whoever collects them puts them in that of the tasks, so a proof does not depend on the number
of processes.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

_WORK: list[Callable[[Any], Any]] = []


def processors() -> int:
    """How many processes can run at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run(
    work: Callable[[Task], Result], tasks: Sequence[Task], jobs: int, weights: Sequence[float]
) -> Iterator[tuple[int, Result]]:
    """Yield the number and the result of each task, as they end; with one process, in their order.

    Args:
        work: what to do with a task; must not rely on changing anything but its result.
        weights: how much work each task is, about: the largest start first.
    """
    jobs = min(jobs, len(tasks))
    if jobs < 2 or "fork" not in multiprocessing.get_all_start_methods():
        for number, task in enumerate(tasks):
            yield number, work(task)
        return
    order = sorted(range(len(tasks)), key=lambda number: -weights[number])
    _WORK.append(lambda number: (number, work(tasks[number])))
    try:
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            yield from pool.imap_unordered(_perform, order)
    finally:
        _WORK.pop()


def _perform(number: int) -> Any:
    """Do one task, in a process of its own."""
    return _WORK[-1](number)
