"""Every length at once: the counts of types divided into cells on which the network decides the same.

A network that is symmetric (`logic.comparing.symmetry`) is a function of the counts of types. Starting from one vector of counts,
`logic.comparing.cells_trace` finds linear inequalities under which the network decides as it does there: a cell. A solver
for linear integer arithmetic gives a vector outside all cells found so far, until there is none; then the cells cover all
words of all lengths. On each cell the decision is one class, and whether a symmetric specification says something else
somewhere in it is again a question of Presburger arithmetic.

That a property of counts is decidable by arithmetic is due to Presburger (1929); that transformers of fixed precision without
positions are formulas of this kind, to Chiang, Cholak & Pillay (2023, *Tighter bounds on the expressivity of
transformer encoders*).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.network import Network
from logic.comparing.cells_layouts import NotSymmetric
from logic.comparing.cells_text import FALSE, conjunction, count_name, disjunction, linear, negation
from logic.comparing.cells_trace import Undecided, trace
from logic.comparing.counts import Counts, vectors
from logic.comparing.counts_cases import Case, Cases, cases_of
from logic.comparing.exhaustive import Exhaustive
from logic.comparing.methods import Finding, Limit, Obligation, OutOfTime
from logic.comparing.problem import Problem
from logic.smt.linear_integers import Integers as Solver
from logic.smt.linear_integers import Unanswered

Integers = np.ndarray[Any, np.dtype[np.int64]]

SLACKS: tuple[int | None, ...] = (None, 64, 16, 4, 2, 1, 0)
ENUMERATED = 1000
AFFORDABLE = 100_000
FIRST_BOUND = 16
LAST_BOUND = 1 << 16
MOST_EVALUATED = 1500
PROGRESS_SECONDS = 0.5

THEOREM = (
    "every word of the network depends on how many positions there are of each type only, and every rounding, table "
    "and quotient compares linear functions of these numbers: the cells found cover all of them, and on each the network "
    "decides one class (Presburger arithmetic; Chiang, Cholak & Pillay 2023)"
)


@dataclass(frozen=True, slots=True)
class Cell:
    """Counts on which the network, and a rival network, decide the same: the cell around some counts of types, with a slack."""

    formula: str
    decided: Any
    rival: Any
    types: tuple[int, ...]
    counts: tuple[int, ...]
    slack: int | None


@dataclass
class Region:
    """A case, its solver, the cells found in it, and what they do not cover yet."""

    case: Case
    solver: Solver
    cells: list[Cell] = field(default_factory=list)
    pieces: list[tuple[str, ...]] = field(default_factory=lambda: [()])
    slack: int = 0


class Cells:
    """Decides all lengths of networks that depend on the counts of types only."""

    name = "cells"

    def obstacle(self, problem: Problem) -> str:
        """What depends on more than counts."""
        try:
            cases_of(problem)
        except NotSymmetric as refusal:
            return str(refusal)
        return ""

    def decide_all(self, problem: Problem, limit: Limit) -> Finding:
        """Decide short words by enumeration, then cover the counts of all lengths by cells."""
        try:
            cases = cases_of(problem)
        except NotSymmetric as refusal:
            return Finding((), reason=str(refusal))
        return _Search(problem, cases, limit).run()


def covering(problem: Problem, limit: Limit) -> list[Region] | None:
    """The cells of every case of a problem without differences; None if they were not found.

    Raises:
        NotSymmetric: the network depends on more than counts.
    """
    search = _Search(problem, cases_of(problem), limit)
    return search.regions if search.run().everywhere else None


class _Search:
    def __init__(self, problem: Problem, cases: Cases, limit: Limit) -> None:
        self.problem, self.cases, self.limit = problem, cases, limit
        self.least, self.most = problem.domain.least, problem.domain.most
        self.regions = [self.region(case) for case in cases.cases]
        self.best: tuple[int, Integers] | None = None
        self.decided: tuple[int, ...] = ()
        self.told = 0.0

    def region(self, case: Case) -> Region:
        solver = Solver(case.names, self.limit.deadline)
        for formula in case.known:
            solver.add(formula)
        return Region(case, solver)

    def run(self) -> Finding:
        short = self.enumerate()
        if short.word is not None or short.reason or self.all_decided(short.decided):
            return short
        bound = max(FIRST_BOUND, 2 * len(short.decided))
        self.decided = short.decided
        try:
            while True:
                below = bound if bound < LAST_BOUND else None
                for region in self.regions:
                    self.cover(region, below)
                    if self.affordable():
                        break
                if self.best is not None:
                    return self.shortest(short)
                if below is None:
                    break
                last = below if self.most is None else min(below, self.most)
                self.decided = tuple(range(self.least, last + 1))
                bound *= 4
        except (OutOfTime, Unanswered) as stopped:
            why = "out of time" if isinstance(stopped, OutOfTime) or self.limit.left <= 0 else str(stopped)
            if self.best is not None:
                why += f"; a difference at n = {self.best[0]} may not be a shortest one"
                word = self.best[1]
                return Finding((*self.decided, len(word)), word, reason=why, facts=self.facts(short))
            return Finding(self.decided, reason=f"{why} with {self.n_cells:,} cells", facts=self.facts(short))
        return Finding(self.decided, None, True, THEOREM, facts=self.facts(short), obligations=self.obligations())

    def affordable(self) -> bool:
        """Whether words shorter than the difference known, of lengths not decided yet, are few enough to enumerate."""
        if self.best is None:
            return False
        lengths = range(self.least + len(self.decided), self.best[0])
        return sum(vectors(self.cases, n) for n in lengths[:AFFORDABLE]) <= AFFORDABLE

    def shortest(self, short: Finding) -> Finding:
        """The shortest difference, now that some difference is known and all shorter words are decided or few."""
        n, word = self.best if self.best is not None else (0, np.zeros(0, dtype=np.int64))
        lengths = range(self.least, n + 1)
        if self.affordable():
            found = Counts().decide(self.problem, lengths[len(self.decided) :], self.limit)
            if found.reason:
                why = f"{found.reason}; a difference at n = {n} may not be a shortest one"
                return Finding((*self.decided, *found.decided), reason=why, facts=self.facts(short))
            word = word if found.word is None else found.word
        return Finding(tuple(lengths[: len(word) - self.least + 1]), word, facts=self.facts(short))

    @property
    def n_cells(self) -> int:
        """How many cells there are so far."""
        return sum(len(region.cells) for region in self.regions)

    def facts(self, short: Finding) -> dict[str, Any]:
        """Figures for the reader."""
        return {**short.facts, "cells": self.n_cells, "layouts": len(self.regions)}

    def all_decided(self, decided: tuple[int, ...]) -> bool:
        """Whether nothing is left of a bounded domain."""
        return self.most is not None and len(decided) == self.most - self.least + 1

    def enumerate(self) -> Finding:
        """Decide the shortest lengths by enumerating words: those too short for the layouts, and some more."""
        total, last = 0, self.cases.shortest - 1
        while total <= ENUMERATED and (self.most is None or last < self.most):
            last += 1
            total += vectors(self.cases, last)
        short = range(self.least, self.cases.shortest)
        found = Exhaustive().decide(self.problem, short, self.limit)
        if found.word is not None or found.reason:
            return found
        rest = Counts().decide(self.problem, range(max(self.least, self.cases.shortest), last + 1), self.limit)
        facts = {**rest.facts, "words": rest.facts.get("words", 0) + found.facts.get("words", 0)}
        return Finding(found.decided + rest.decided, rest.word, reason=rest.reason, facts=facts)

    def cover(self, region: Region, below: int | None) -> None:
        """Find cells until they cover all words considered of the region, up to a length.

        What is not covered yet is kept as conjunctions of inequalities: those of the inequalities of a cell that fail
        first, one after the other. So the solver is asked about conjunctions only.

        Raises:
            OutOfTime, Unanswered: the time is over.
        """
        length = region.case.length
        longer: list[tuple[str, ...]] = []
        while region.pieces:
            self.limit.check()
            self.tell(below)
            piece = region.pieces[-1]
            asked = [f"(<= {length} {below})"] if below is not None else []
            if self.best is not None:
                asked.append(f"(< {length} {self.best[0]})")
            model = region.solver.solve(*piece, *asked)
            if model is None:
                longer.append(region.pieces.pop())
                continue
            cell, rows = self.cell(region, model)
            self.look(region, cell)
            if self.affordable():
                return
            kept: list[str] = []
            rest: list[tuple[str, ...]] = []
            for row in rows:
                outside = (*piece, *kept, negation(row))
                if region.solver.solve(*outside) is not None:
                    rest.append(outside)
                    kept.append(row)
            region.cells.append(cell)
            region.pieces.pop()
            region.pieces += rest
        region.pieces = longer

    def tell(self, below: int | None) -> None:
        """Report how far the search is, now and then."""
        if time.monotonic() > self.told + PROGRESS_SECONDS:
            self.told = time.monotonic()
            self.limit.progress(f"{self.n_cells:,} cells" + (f" to n = {below:,}" if below else " for every length"))

    def cell(self, region: Region, model: dict[str, int]) -> tuple[Cell, list[str]]:
        """The largest cell found around a vector of counts, and its inequalities."""
        case = region.case
        present, counts = case.counts(model)
        region.slack = max(0, region.slack - 1)
        while True:
            slack = SLACKS[region.slack]
            try:
                own = trace(self.problem.network, case.network, present, counts, slack)
                traces = [own]
                if isinstance(self.problem.rival, Network) and case.rival is not None:
                    traces.append(trace(self.problem.rival, case.rival, present, counts, slack))
                break
            except Undecided:
                if slack == 0:
                    self.problem.differs(case.word(present, counts)[None])  # a denominator of 0 is a diagnostic
                    raise Unanswered("a word of the network is not determined by linear inequalities") from None
                region.slack += 1
        names = [count_name(*divmod(number, case.letters)) for number in range(len(case.layout.classes) * case.letters)]
        parts = [f"({'>=' if number in present else '<='} {names[number]} {int(number in present)})"
                 for number in range(len(names))]  # fmt: skip
        for row in np.concatenate([one.rows for one in traces]).tolist():
            const, *coefs = row
            parts.append(f"(>= {linear(zip(coefs, (names[number] for number in present), strict=True), const)} 0)")
        around = tuple(present.tolist()), tuple(counts.tolist()), slack
        return Cell(conjunction(parts), own.decision, traces[-1].decision, *around), list(dict.fromkeys(parts))

    def look(self, region: Region, cell: Cell) -> None:
        """Look for a shorter difference in a cell."""
        case = region.case
        wrong = case.wrong(cell.decided, cell.rival)
        if wrong == FALSE:
            return
        solver = Solver(case.names, self.limit.deadline)
        for formula in (*case.known, cell.formula, wrong):
            solver.add(formula)
        least = self.least
        while True:
            most = None if self.best is None else self.best[0] - 1
            if most is not None and least > most:
                return
            middle = None if most is None else (least + most) // 2
            model = solver.solve(*([] if middle is None else [f"(<= {case.length} {middle})"]))
            if model is not None:
                word = case.word(*case.counts(model))
                if len(word) <= MOST_EVALUATED and not self.problem.differs(word[None])[0]:
                    raise RuntimeError("a difference found by cells is none: the network and its trace disagree")
                self.best = len(word), word
            elif middle is None:
                return
            else:
                least = middle + 1

    def obligations(self) -> tuple[Obligation, ...]:
        """Scripts that another solver can decide: the cells cover everything, and no cell has a difference."""
        found = []
        for number, region in enumerate(self.regions, 1):
            case = region.case
            plain = Solver(case.names)
            plain.asserted = case.known
            cover = [negation(cell.formula) for cell in region.cells]
            found.append(Obligation(f"layout {number}: every word lies in a cell", plain.script(*cover)))
            for decided in {str((cell.decided, cell.rival)): cell for cell in region.cells}.values():
                same = [c.formula for c in region.cells if (c.decided, c.rival) == (decided.decided, decided.rival)]
                wrong = case.wrong(decided.decided, decided.rival)
                what = f"layout {number}: no difference in {len(same)} cells of decision {decided.decided}"
                found.append(Obligation(what, plain.script(disjunction(same), wrong)))
        return tuple(found)
