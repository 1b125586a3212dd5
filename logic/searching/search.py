"""The search for short sentences that agree with samples.

Formulas grow from the smallest (`growing`), one for each value on the samples (`bank`). For the truth to be explained itself
three things are found without growing them: linear comparisons of counts (`separating`), the same where another formula
leaves the truth open, and conjunctions or disjunctions (`joining`). The way through the costs does not depend on a clock:
limits of work are numbers of formulas and samples, and time only ends it.

Observational equivalence: Udupa et al., TRANSIT (PLDI 2013). Counting operators: C-RASP (Yang, Chiang 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from logic.batch import evaluate
from logic.comparing.methods import Limit, OutOfTime
from logic.measure import measure
from logic.searching.bank import AND, OR, Bank, combine
from logic.searching.counting import value_of
from logic.searching.grammar import DEFAULT, Grammar
from logic.searching.growing import Growth
from logic.searching.joining import Joiner
from logic.searching.points import Points, ones, pack, unpack
from logic.searching.samples import Integers, Samples
from logic.searching.separating import Found, Separator
from logic.syntax import FALSE, TRUE, Formula, Sentence

MOST_PARTNERS = 10  # formulas beside which comparisons are looked for, for each connective
MOST_BESIDE = 400  # sets of counts tried beside each


@dataclass(frozen=True)
class Candidate:
    """A sentence, its size as `logic.measure` counts it, and on how many of the samples considered it is wrong."""

    sentence: Sentence
    size: int
    wrong: int
    total: int


def search(
    samples: Samples, limit: Limit, grammar: Grammar = DEFAULT, tell: Callable[[int], None] | None = None
) -> Iterator[Candidate]:
    """Yield candidates as they are found, smallest first, each wrong on fewer samples than all before; an exact one is the last.

    Where the samples have a truth for each word the sentences are closed; where they have one for each position they have at
    most one free variable. The search ends with an exact candidate, at the largest cost of the grammar or at the deadline.
    `tell` is told the number of formulas tried, once for each cost.
    """
    return _Search(samples, limit, grammar, tell).run()


def count_wrong(sentence: Sentence, samples: Samples) -> int:
    """On how many of the samples considered a sentence is wrong."""
    total = 0
    for words, truth, considered in zip(samples.words, samples.truth, samples.considered, strict=True):
        found = np.asarray(evaluate(sentence, words)[""], dtype=bool)
        if samples.at_positions and not sentence.free:
            found = found[:, None]
        total += int(np.count_nonzero((found != truth) & considered))
    return total


def front(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Those candidates that no other beats in size without being wrong more often, smallest first."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda one: (one.size, one.wrong)):
        if not kept or candidate.wrong < kept[-1].wrong:
            kept.append(candidate)
    return kept


class _Search:
    """One search."""

    def __init__(self, samples: Samples, limit: Limit, grammar: Grammar, tell: Callable[[int], None] | None) -> None:
        self.samples, self.limit, self.grammar, self.tell = samples, limit, grammar, tell
        self.points = points = Points(samples)
        self.growth = Growth(points, samples.alphabet, grammar, limit)
        at = samples.at_positions
        self.bank: Bank = self.growth.open if at else self.growth.closed
        self.atoms = self.growth.spelling.open_atoms if at else self.growth.spelling.closed_atoms
        self.table = self.growth.at_points if at else self.growth.at_words
        self.separator = Separator(points, self.table, grammar, limit)
        self.target = pack((points.target & points.considered)[None])[0]
        self.considered = pack(points.considered[None])[0]
        self.joiner = Joiner(self.bank, self.target, self.considered, limit)
        self.best = samples.total + 1
        self.waiting: dict[int, list[Found]] = {}

    def run(self) -> Iterator[Candidate]:
        """Yield candidates, cost after cost."""
        held: list[Candidate] = [one for constant in (FALSE, TRUE) for one in self.candidate(constant)]
        for cost in range(1, self.grammar.cost + 1):
            self.limit.progress(f"sentences of size {cost}")
            late = False
            try:
                for candidate in self.level(cost):
                    held.append(candidate)
                    if not candidate.wrong:
                        break
            except OutOfTime:
                late = True
                held.extend(self.left_over())
            if self.tell is not None:
                self.tell(self.growth.tried + self.joiner.tried + self.separator.tried)
            yield from front(held)
            held = []
            if late or not self.best:
                return

    def level(self, cost: int) -> Iterator[Candidate]:
        """Everything of one cost."""
        for bank, new in self.growth.grow(cost):
            if bank is self.bank:
                yield from self.consider(new)
        if not self.best:
            return
        for found in [*self.separated(cost), *self.waiting.pop(cost, ())]:
            yield from self.consider(self.keep(found, cost))
        self.joiner.measure()
        yield from self.beside_partners(cost)
        if not self.growth.complete[id(self.bank)] and self.best:
            self.joiner.measure()
            for operation, left, right, _ in self.joiner.pairs(cost, self.best):
                yield from self.consider(self.join(operation, left, right, cost))
            if self.best:
                yield from self.covers(cost)

    def separated(self, cost: int) -> Iterator[Found]:
        """Comparisons for the truth itself; equalities wait for their cost."""
        for found in self.separator.find(self.points.target, self.points.considered, cost, self.best):
            if found.cost == cost:
                yield found
            else:
                self.waiting.setdefault(found.cost, []).append(found)

    def left_over(self) -> Iterator[Candidate]:
        """Comparisons that were found and still wait for their cost."""
        for cost in sorted(self.waiting):
            for found in self.waiting[cost]:
                yield from self.consider(self.keep(found, cost))

    def beside_partners(self, cost: int) -> Iterator[Candidate]:
        """Comparisons that complete a formula of the bank: where it is true if they are joined by "and", false if by "or"."""
        points = self.points
        wrong = self.joiner.missed + self.joiner.passed
        for operation, flaws in ((AND, self.joiner.missed), (OR, self.joiner.passed)):
            useful = np.flatnonzero((flaws < self.best) & (wrong < self.samples.total - wrong.min(initial=0)))
            useful = useful[self.bank.cost[useful] <= cost - 6]
            useful = useful[np.lexsort((useful, wrong[useful] * self.bank.cost[useful]))]
            for partner in useful[:MOST_PARTNERS].tolist():
                rest = cost - 1 - int(self.bank.cost[partner])
                value = unpack(self.bank.values[partner][None], self.bank.width)[0]
                where = points.considered & (value if operation == AND else ~value)
                below = self.best - int(flaws[partner])
                for found in self.separator.find(points.target, where, rest, below, MOST_BESIDE):
                    if found.wrong + int(flaws[partner]) < self.best and found.cost == rest:
                        yield from self.consider(self.join(operation, partner, self.number(found), cost))
                        if not self.best:
                            return

    def covers(self, cost: int) -> Iterator[Candidate]:
        """Exact conjunctions and disjunctions of several formulas."""
        for operation, parts in self.joiner.cover(cost):
            number = parts[0]
            for part in parts[1:]:
                fresh = self.join(operation, number, part, cost)
                if not len(fresh):
                    break
                number = int(fresh[0])
            yield from self.consider(np.array([number]))

    # Keeping.

    def keep(self, found: Found, cost: int) -> Integers:
        """Add a comparison to the bank."""
        value = value_of(found.atom, found.rows, self.points, self.samples.at_positions)
        return self.growth.add_atoms(self.bank, self.atoms, [(found.atom, value)], cost)

    def number(self, found: Found) -> int:
        """The number of a comparison in the bank, new or not."""
        fresh = self.keep(found, found.cost)
        if len(fresh):
            return int(fresh[0])
        value = pack(value_of(found.atom, found.rows, self.points, self.samples.at_positions)[None])[0]
        same = np.flatnonzero((self.bank.values[: self.bank.size] == value).all(axis=1))
        return int(same[0])

    def join(self, operation: int, left: int, right: int, cost: int) -> Integers:
        """Add a conjunction or disjunction to the bank."""
        value = combine(operation, self.bank.values[left], self.bank.values[right], self.bank.full)
        return self.bank.add(value[None], np.array([[operation, left, right]]), cost)

    def consider(self, numbers: Integers) -> Iterator[Candidate]:
        """Yield those formulas of the bank that are better than all before."""
        wrong = ones((self.bank.values[numbers] & self.considered) ^ self.target)
        for number, found in zip(numbers.tolist(), wrong.tolist(), strict=True):
            if found < self.best:
                spelling = self.growth.spelling
                spell = spelling.open if self.samples.at_positions else spelling.closed
                yield from self.candidate(spell(number, 0))

    def candidate(self, formula: Formula) -> Iterator[Candidate]:
        """Evaluate a formula on all samples and yield it if it is better than all before."""
        sentence = Sentence(self.samples.alphabet, (), (), formula)
        wrong = count_wrong(sentence, self.samples)
        if wrong < self.best:
            self.best = wrong
            yield Candidate(sentence, measure(sentence).nodes, wrong, self.samples.total)
