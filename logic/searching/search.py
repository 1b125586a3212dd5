"""The search for short sentences that agree with samples.

Formulas grow from the smallest (`growing`), one for each value on the samples (`bank`). They do not depend on the truth to be
explained, so several truths on the same words are looked for in one growth, each by its own aim (`aiming`), which also finds
what need not be grown. The way through the costs does not depend on a clock: limits of work are numbers of formulas and
samples, and time only ends it.

Observational equivalence: Udupa et al., TRANSIT (PLDI 2013). Counting operators: C-RASP (Yang, Chiang 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from circuits.diagnostics import fail
from logic.comparing.methods import Limit, OutOfTime
from logic.searching.aiming import Aim, Candidate
from logic.searching.bordering import Line
from logic.searching.grammar import DEFAULT, Grammar
from logic.searching.growing import Growth
from logic.searching.points import points_of
from logic.searching.samples import Integers, Samples

Tell = Callable[[int], None]
Between = Callable[[int, Sequence[tuple[Integers, Integers]]], Sequence[Line]]


def search(samples: Samples, limit: Limit, grammar: Grammar = DEFAULT, tell: Tell | None = None) -> Iterator[Candidate]:
    """Yield candidates as they are found, smallest first, each wrong on fewer samples than all before; an exact one is the last.

    Where the samples have a truth for each word the sentences are closed; where they have one for each position they have at
    most one free variable. The search ends with an exact candidate, at the largest cost of the grammar or at the deadline.
    `tell` is told the number of formulas tried, once for each cost.
    """
    for _, candidate in Searching([samples], limit, grammar, tell).run():
        yield candidate


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those candidates that no other beats in size without being wrong more often, smallest first."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: (one.size, one.wrong)):
        if not kept or candidate.wrong < kept[-1].wrong:
            kept.append(candidate)
    return kept


class Searching:
    """A search for one truth or more on the same words.

    Attributes:
        complete: for each truth up to how many nodes, those that are shared counted each time, no formula of the grammar that
            was not found to be exact is exact; known when `run` has ended.

    Raises:
        FomError: no truths, or different words (L095).
    """

    def __init__(
        self,
        samples: Sequence[Samples],
        limit: Limit,
        grammar: Grammar = DEFAULT,
        tell: Tell | None = None,
        between: Between | None = None,
    ) -> None:
        """`between` knows the lines at which a truth, given by its number, changes between vectors of counts."""
        if not samples or any(one.words is not samples[0].words for one in samples):
            raise fail("L095", "a search is for one truth or more on the same words", help="Samples.of(truth)")
        self.limit, self.grammar, self.tell = limit, grammar, tell
        points = points_of(samples[0])
        self.growth = Growth(points, samples[0].alphabet, grammar, limit)
        self.aims = [
            Aim(one, points, self.growth, grammar, limit, partial(between, number) if between else None)
            for number, one in enumerate(samples)
        ]
        self.complete = [0] * len(samples)

    def run(self) -> Iterator[tuple[int, Candidate]]:
        """Yield the number of a truth and a candidate for it, cost after cost, as `search` does for one truth."""
        held: list[list[Candidate]] = [list(aim.constants()) for aim in self.aims]
        for cost in range(1, self.grammar.cost + 1):
            self.limit.progress(f"sentences of size {cost}")
            late = False
            missing = [number for number, aim in enumerate(self.aims) if aim.best]
            try:
                for number, candidate in self.level(cost):
                    held[number].append(candidate)
            except OutOfTime:
                late = True
                for number, aim in enumerate(self.aims):
                    held[number].extend(aim.left_over())
            if self.tell is not None:
                self.tell(self.growth.tried + sum(aim.tried for aim in self.aims))
            for number in missing:
                aim = self.aims[number]
                known = self.growth.complete(aim.bank)
                self.complete[number] = known if aim.best else min(known, cost - 1)
            for number, found in enumerate(held):
                yield from ((number, candidate) for candidate in front(found))
                found.clear()
            if late or not any(aim.best for aim in self.aims):
                return

    def level(self, cost: int) -> Iterator[tuple[int, Candidate]]:
        """Everything of one cost."""
        missing = [number for number, aim in enumerate(self.aims) if aim.best]
        for bank, new in self.growth.grow(cost):
            for number in missing:
                aim = self.aims[number]
                if bank is aim.bank and aim.best:
                    yield from ((number, one) for one in aim.consider(new))
            if not any(self.aims[number].best for number in missing):
                return
        for number in missing:
            aim = self.aims[number]
            if aim.best:
                yield from ((number, one) for one in aim.level(cost))
