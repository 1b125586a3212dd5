"""Aiming: what is found for one truth, without growing it, beside what the banks hold.

For the truth to be explained three things are found directly: linear comparisons of counts (`separating`), the same where another
formula leaves the truth open, and conjunctions or disjunctions (`joining`). Where letters may be exchanged, a truth is also
divided along the lines where it changes (`bordering`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from logic.batch import evaluate
from logic.comparing.methods import Limit
from logic.measure import measure
from logic.searching.bank import AND, OR, Bank, combine
from logic.searching.bordering import LARGEST, Borders, Line
from logic.searching.counting import value_of
from logic.searching.grammar import Grammar
from logic.searching.growing import Growth
from logic.searching.joining import Joiner
from logic.searching.points import Points, Tallies, ones, pack, unpack
from logic.searching.samples import Integers, Samples
from logic.searching.separating import Found, Separator
from logic.syntax import FALSE, TRUE, Formula, Sentence

MOST_PARTNERS = 10  # formulas beside which comparisons are looked for, for each connective
MOST_BESIDE = 400  # sets of counts tried beside each
BORDERS_FROM = 4  # the cost from which on borders are looked for
BORDERS_ALL = 9  # the cost at which all formulas found by them are taken, of any size
MOST_PAIRS = 16  # vectors of counts between which a line is asked for

Between = Callable[[Sequence[tuple[Integers, Integers]]], Sequence[Line]]


@dataclass(frozen=True)
class Candidate:
    """A sentence, its size as `logic.measure` counts it, and on how many of the samples considered it is wrong."""

    sentence: Sentence
    size: int
    wrong: int
    total: int


def count_wrong(sentence: Sentence, samples: Samples) -> int:
    """On how many of the samples considered a sentence is wrong."""
    total = 0
    for words, truth, considered in zip(samples.words, samples.truth, samples.considered, strict=True):
        found = np.asarray(evaluate(sentence, words)[""], dtype=bool)
        if samples.at_positions and not sentence.free:
            found = found[:, None]
        total += int(np.count_nonzero((found != truth) & considered))
    return total


class Aim:
    """One truth to be explained.

    Attributes:
        bank: of the formulas that explain it.
        best: on how many samples the best candidate so far is wrong.
    """

    def __init__(
        self,
        samples: Samples,
        points: Points,
        growth: Growth,
        grammar: Grammar,
        limit: Limit,
        between: Between | None = None,
    ) -> None:
        self.samples, self.points, self.growth, self.limit, self.between = samples, points, growth, limit, between
        at = samples.at_positions
        self.bank: Bank = growth.open if at else growth.closed
        self.atoms = growth.spelling.open_atoms if at else growth.spelling.closed_atoms
        self.separator = Separator(points, growth.at_points if at else growth.at_words, grammar, limit)
        self.truth = points.of_truths(samples)
        self.target = pack((self.truth & points.considered)[None])[0]
        self.considered = pack(points.considered[None])[0]
        self.joiner = Joiner(self.bank, self.target, self.considered, limit)
        self.best = samples.total + 1
        self.waiting: dict[int, list[Found]] = {}
        self.bordered: list[tuple[int, Formula]] | None = None

    @property
    def tried(self) -> int:
        """How many formulas were tried for this truth alone."""
        return self.joiner.tried + self.separator.tried

    def constants(self) -> Iterator[Candidate]:
        """False and true."""
        for constant in (FALSE, TRUE):
            yield from self.candidate(constant)

    def level(self, cost: int) -> Iterator[Candidate]:
        """Everything of one cost, after the banks have grown."""
        yield from self.divided(cost)
        for found in [*self.separated(cost), *self.waiting.pop(cost, ())]:
            yield from self.consider(self.keep(found, cost))
        self.joiner.measure()
        yield from self.beside_partners(cost)
        if not self.growth.connecting[id(self.bank)] and self.best:
            self.joiner.measure()
            for operation, left, right, _ in self.joiner.pairs(cost, self.best):
                yield from self.consider(self.join(operation, left, right, cost))
            if self.best:
                yield from self.covers(cost)

    def divided(self, cost: int) -> Iterator[Candidate]:
        """Formulas of lines along which the truth changes: those of at most so many nodes, and all of them in the end."""
        if self.bordered is None:
            self.bordered = self.borders() if cost >= BORDERS_FROM else None
        for size, formula in self.bordered or ():
            if size <= cost or cost >= BORDERS_ALL:
                yield from self.candidate(formula)

    def borders(self) -> list[tuple[int, Formula]]:
        """Formulas that divide the vectors of counts, smallest first."""
        points = self.points
        if not isinstance(points, Tallies) or self.samples.at_positions:
            return []
        vectors, kept = np.unique(points.vectors[points.considered], axis=0, return_index=True)
        if vectors.shape[1] > max(LARGEST):
            return []
        truth = self.truth[points.considered][kept]
        known: Sequence[Line] = ()
        if self.between is not None:
            known = self.between(Borders(vectors, truth, self.limit).pairs(MOST_PAIRS))
        return Borders(vectors, truth, self.limit, known).formulas(self.samples.alphabet)

    def separated(self, cost: int) -> Iterator[Found]:
        """Comparisons for the truth itself; equalities wait for their cost."""
        for found in self.separator.find(self.truth, self.points.considered, cost, self.best):
            if found.cost == cost:
                yield found
            else:
                self.waiting.setdefault(found.cost, []).append(found)

    def left_over(self) -> Iterator[Candidate]:
        """What was found and still waits for its cost."""
        for cost in sorted(self.waiting):
            for found in self.waiting[cost]:
                yield from self.consider(self.keep(found, cost))
        for _, formula in self.bordered or ():
            yield from self.candidate(formula)

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
                for found in self.separator.find(self.truth, where, rest, below, MOST_BESIDE):
                    if found.wrong + int(flaws[partner]) < self.best and found.cost == rest:
                        number = self.number(found)
                        if number is not None:
                            yield from self.consider(self.join(operation, partner, number, cost))
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

    def number(self, found: Found) -> int | None:
        """The number of a comparison in the bank, new or not; None if the bank is full."""
        fresh = self.keep(found, found.cost)
        if len(fresh):
            return int(fresh[0])
        value = pack(value_of(found.atom, found.rows, self.points, self.samples.at_positions)[None])[0]
        same = np.flatnonzero((self.bank.values[: self.bank.size] == value).all(axis=1))
        return int(same[0]) if len(same) else None

    def join(self, operation: int, left: int, right: int, cost: int) -> Integers:
        """Add a conjunction or disjunction to the bank."""
        value = combine(operation, self.bank.values[left], self.bank.values[right], self.bank.full)
        return self.bank.add(value[None], np.array([[operation, left, right]]), cost)

    def consider(self, numbers: Integers) -> Iterator[Candidate]:
        """Yield those formulas of the bank that are better than all before."""
        wrong = ones((self.bank.values[numbers] & self.considered) ^ self.target)
        for place in np.flatnonzero(wrong < self.best).tolist():
            if wrong[place] < self.best:
                spelling = self.growth.spelling
                spell = spelling.open if self.samples.at_positions else spelling.closed
                yield from self.candidate(spell(int(numbers[place]), 0))

    def candidate(self, formula: Formula) -> Iterator[Candidate]:
        """Evaluate a formula on all samples and yield it if it is better than all before."""
        sentence = Sentence(self.samples.alphabet, (), (), formula)
        wrong = count_wrong(sentence, self.samples)
        if wrong < self.best:
            self.best = wrong
            yield Candidate(sentence, measure(sentence).nodes, wrong, self.samples.total)
