"""Formulas for many truths at once: the bank of the search grows once, and every truth is looked up in it.

A truth is one at every position of the words of some samples, such as "this unit is at its maximum". All of them share one growth
of the bank (`growing`): the values of what is new are looked up by hashes of 64 bits, complements included, and a formula found
is evaluated before it counts. What is left is tried as a linear comparison of counts (`separating`), truth by truth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from logic.batch import evaluate
from logic.comparing.methods import Limit, OutOfTime
from logic.searching.bank import Bank
from logic.searching.counting import value_of
from logic.searching.grammar import DEFAULT, Grammar
from logic.searching.growing import Growth
from logic.searching.points import Packed, Points, pack
from logic.searching.samples import Integers, Samples, Truth
from logic.searching.separating import Separator
from logic.searching.spelling import Atom, Make
from logic.syntax import FALSE, TRUE, Formula, Not, Sentence

GROWN, SEPARATED = 6, 12


class Naming:
    """Formulas with at most one free variable, x, for truths at the positions of the words of samples.

    Attributes:
        samples: the words of which some position is considered.
        points: all their positions, in the order of the words; truths are arrays over them.
    """

    def __init__(self, samples: Samples, limit: Limit, grammar: Grammar = DEFAULT) -> None:
        self.samples, self.limit = relevant(samples), limit
        self.points = Points(self.samples)
        self.growth = Growth(self.points, samples.alphabet, grammar, limit)
        self.separator = Separator(self.points, self.growth.at_points, grammar, limit)
        self.mask = pack(self.points.considered[None])[0]

    def formulas(self, truths: Truth) -> list[Formula | None]:
        """The shortest formula found for each truth ``(T, N)``, right wherever truth is considered, or None."""
        wanted = pack(truths & self.points.considered)
        found: list[Formula | None] = [None] * len(truths)
        for constant, value in ((FALSE, np.zeros_like(self.mask)), (TRUE, self.mask)):
            for number in np.flatnonzero((wanted == value).all(axis=1)).tolist():
                found[number] = constant
        try:
            for cost in range(1, GROWN + 1):
                self.limit.progress(f"formulas of size {cost}")
                for bank, new in self.growth.grow(cost):
                    if bank is self.growth.open:
                        self.look_up(bank, new, wanted, found)
                if all(one is not None for one in found):
                    return found
            self.separate(truths, wanted, found)
        except OutOfTime:
            pass
        return found

    def look_up(self, bank: Bank, new: Integers, wanted: Packed, found: list[Formula | None]) -> None:
        """Give truths that are still open the formulas among the new ones that have their values, or the opposite ones."""
        open_ = [number for number, one in enumerate(found) if one is None]
        if not open_ or not len(new):
            return
        values = hashes(bank.values[new] & self.mask)
        for is_opposite, keys in ((False, hashes(wanted[open_])), (True, hashes(wanted[open_] ^ self.mask))):
            order = np.argsort(keys, kind="stable")
            place = np.minimum(np.searchsorted(keys[order], values), len(keys) - 1)
            for number in np.flatnonzero(keys[order][place] == values).tolist():
                formula = self.growth.spelling.open(int(new[number]), 0)
                for key in np.flatnonzero(keys == values[number]).tolist():
                    if found[open_[key]] is None:
                        self.keep(open_[key], opposite(formula) if is_opposite else formula, wanted, found)

    def separate(self, truths: Truth, wanted: Packed, found: list[Formula | None]) -> None:
        """Try linear comparisons of counts for what is left, small ones for all truths first."""
        for cost in range(1, SEPARATED + 1):
            for number, truth in enumerate(truths):
                if found[number] is not None:
                    continue
                for comparison in self.separator.find(truth, self.points.considered, cost, 1):
                    value = value_of(comparison.atom, comparison.rows, self.points, True)
                    bank = self.growth.open
                    pairs: list[tuple[Make | Atom, Any]] = [(comparison.atom, value)]
                    fresh = self.growth.add_atoms(bank, self.growth.spelling.open_atoms, pairs, comparison.cost)
                    if len(fresh):
                        self.keep(number, self.growth.spelling.open(int(fresh[0]), 0), wanted, found)
                    if found[number] is not None:
                        break

    def keep(self, number: int, formula: Formula, wanted: Packed, found: list[Formula | None]) -> None:
        """Keep a formula for a truth if it has its values, as the evaluator of sentences says."""
        if (pack(self.value(formula)[None] & self.points.considered)[0] == wanted[number]).all():
            found[number] = formula

    def value(self, formula: Formula) -> Truth:
        """The truth of a formula at all points."""
        sentence = Sentence(self.samples.alphabet, (), (), formula)
        parts = []
        for words in self.samples.words:
            truth = np.asarray(evaluate(sentence, words)[""], dtype=bool)
            parts.append(np.broadcast_to(truth.reshape(len(words), -1), words.shape).reshape(-1))
        return np.concatenate(parts)


def relevant(samples: Samples) -> Samples:
    """The words of which some position is considered."""
    kept = [considered.any(axis=1) for considered in samples.considered]
    batches = [place for place, rows in enumerate(kept) if rows.any()] or [0]
    return Samples(
        samples.alphabet,
        tuple(samples.words[place][kept[place]] for place in batches),
        tuple(samples.truth[place][kept[place]] for place in batches),
        tuple(samples.considered[place][kept[place]] for place in batches),
    )


def opposite(formula: Formula) -> Formula:
    """The negation of a formula."""
    return formula.body if isinstance(formula, Not) else Not(formula)


def hashes(values: Packed) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """A hash of 64 bits for each row."""
    odd = np.random.default_rng(1).integers(0, 1 << 63, values.shape[1], dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    mixed = values * odd
    mixed ^= mixed >> np.uint64(31)
    return np.asarray((mixed * odd).sum(axis=1, dtype=np.uint64))
