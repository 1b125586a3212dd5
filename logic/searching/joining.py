"""Joining: conjunctions and disjunctions of formulas of a bank that agree with a truth.

A part of a conjunction that is right everywhere is true wherever the truth is; what it is for are the samples it excludes. The
cheapest conjunction is a cheapest set of parts that together exclude all that is false: a weighted set cover, found by branching
on a sample that the fewest parts exclude. A disjunction is the same for the negations.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from logic.comparing.methods import Limit
from logic.searching.bank import AND, OR, Bank, combine
from logic.searching.points import Packed, ones
from logic.searching.samples import Integers

MOST_PARTS = 3_000
MOST_BRANCHES = 4_000
MOST_WORK = 200_000_000  # bytes of values of pairs, for one cost


class Joiner:
    """Conjunctions and disjunctions for a truth over the bits of a bank, where it is considered."""

    def __init__(self, bank: Bank, target: Packed, considered: Packed, limit: Limit) -> None:
        self.bank, self.target, self.considered, self.limit = bank, target & considered, considered, limit
        self.tried = 0
        self.missed: Integers = np.zeros(0, dtype=np.int64)
        self.passed: Integers = np.zeros(0, dtype=np.int64)

    def measure(self) -> None:
        """Count for all new formulas of the bank where they are wrongly false, and wrongly true."""
        start = len(self.missed)
        missed, passed = [self.missed], [self.passed]
        for low in range(start, self.bank.size, 4096):
            values = self.bank.values[low : min(low + 4096, self.bank.size)] & self.considered
            missed.append(ones(self.target & ~values).astype(np.int64))
            passed.append(ones(values & ~self.target).astype(np.int64))
        self.missed, self.passed = np.concatenate(missed), np.concatenate(passed)

    def pairs(self, cost: int, below: int) -> Iterator[tuple[int, int, int, int]]:
        """Pairs of a cost that are wrong on fewer than `below` samples: operation, both numbers, wrong; better and better."""
        size = int(np.sqrt(MOST_WORK / (8 * self.bank.blocks) / max(cost - 2, 1)))
        for operation, flaws in ((AND, self.missed), (OR, self.passed)):
            wrong = self.missed + self.passed
            useful = np.flatnonzero(flaws < below)
            useful = useful[np.lexsort((useful, wrong[useful]))]
            costs = self.bank.cost[useful]
            for first in range(1, (cost - 1) // 2 + 1):
                left, right = useful[costs == first][:size], useful[costs == cost - 1 - first][:size]
                for number in left.tolist():
                    if not len(right):
                        break
                    self.limit.check()
                    values = combine(operation, self.bank.values[number], self.bank.values[right], self.bank.full)
                    found = ones((values & self.considered) ^ self.target)
                    self.tried += len(right)
                    best = int(np.argmin(found))
                    if found[best] < below:
                        below = int(found[best])
                        yield operation, number, int(right[best]), below

    def cover(self, cost: int) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Exact conjunctions, and disjunctions, of several formulas whose cost is at most `cost`: operation and parts."""
        for operation, flaws, gains in ((AND, self.missed, self.passed), (OR, self.passed, self.missed)):
            parts = np.flatnonzero(flaws == 0)
            parts = parts[(self.bank.cost[parts] < cost - 1)]
            parts = parts[np.lexsort((parts, gains[parts], self.bank.cost[parts]))][:MOST_PARTS]
            if not len(parts):
                continue
            open_ = self.considered & (~self.target if operation == AND else self.target)
            values = self.bank.values[parts]
            removed = (~values if operation == AND else values) & open_
            chosen = _Cover(removed, self.bank.cost[parts], self.limit).search(open_, cost - 1)
            if chosen is not None and len(chosen) > 1:
                yield operation, tuple(int(parts[one]) for one in chosen)


class _Cover:
    """The cheapest rows whose union is a set: each row a packed set with a cost."""

    def __init__(self, rows: Packed, costs: Integers, limit: Limit) -> None:
        unique, first = np.unique(rows, axis=0, return_index=True)
        order = np.sort(first)
        self.rows, self.costs, self.number, self.limit = rows[order], costs[order], order, limit
        self.branches = MOST_BRANCHES
        self.best: tuple[int, ...] | None = None
        del unique

    def search(self, open_: Packed, budget: int) -> tuple[int, ...] | None:
        """Rows of a cost of at most `budget` that cover the set, or None if there are none, or too many branches."""
        if np.any(np.bitwise_or.reduce(self.rows, axis=0) & open_ != open_):
            return None
        self._branch(open_, (), budget)
        return None if self.best is None else tuple(int(self.number[one]) for one in self.best)

    def _branch(self, open_: Packed, chosen: tuple[int, ...], budget: int) -> int:
        """Search below a partial cover; return the budget that is left to beat."""
        if not open_.any():
            self.best = chosen
            return sum(int(self.costs[one]) for one in chosen) - 1
        self.branches -= 1
        spent = sum(int(self.costs[one]) for one in chosen)
        affordable = np.flatnonzero(self.costs <= budget - spent)
        if self.branches < 0 or not len(affordable) or len(chosen) > 5:
            return budget
        self.limit.check()
        gains = ones(self.rows[affordable] & open_)
        helpful = affordable[gains > 0]
        left = int(ones(open_))
        if not len(helpful) or int(gains.max()) * ((budget - spent) // int(self.costs[helpful].min())) < left:
            return budget
        bit = self._rarest(open_, helpful)
        block, mask = bit
        covering = helpful[(self.rows[helpful, block] & mask) != 0]
        gained = ones(self.rows[covering] & open_)
        for one in covering[np.lexsort((covering, -gained))].tolist():
            budget = self._branch(open_ & ~self.rows[one], (*chosen, one), budget)
        return budget

    def _rarest(self, open_: Packed, helpful: Integers) -> tuple[int, Any]:
        """The element of the set that the fewest rows have, of the first of each block."""
        blocks = np.flatnonzero(open_)[:32]
        masks = open_[blocks] & (~open_[blocks] + np.uint64(1))
        counts = ((self.rows[helpful][:, blocks] & masks) != 0).sum(axis=0)
        best = int(np.argmin(counts))
        return int(blocks[best]), masks[best]
