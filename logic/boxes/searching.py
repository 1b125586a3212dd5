"""Branch and bound over boxes of input codes: every question is decided, or says how far it came.

A batch of boxes is bounded (`logic.boxes.bounding`). A conjunction is excluded on a box when the lower bound of one of its
inequalities is above its limit; a box is done when all are. On the others the centre and the corners to which the linear bounds
point are evaluated exactly, and the box is cut in two. Where linear functions are followed forward, that is at the input with the
largest smear (`logic.boxes.influence`); elsewhere at the one with the largest share of the linear bound's range and of the width
that the box had in the beginning (the first alone starves inputs that matter through relaxations only). Boxes of a few codes are
evaluated code by code, so that the search ends. The stack is last in, first out, with the boxes on top that look most like a
counterexample, so that it holds a few batches for each level of depth.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from circuits.network import Network
from logic.boxes.bounding import Bounder
from logic.boxes.influence import influences
from logic.boxes.outward import Integers, Reals
from logic.boxes.questions import Question, Truths
from logic.telling import Progress

Admits = Callable[[Integers], Truths]

FEW_CODES = 64
SAMPLES, RESTARTS, STEPS = 2048, 64, 12
MOST_BOXES = 1 << 22
BATCH_NUMBERS = 1 << 22
TIE = 1e-6  # an input that seems to have no influence is cut last, but one of a single code never
WORKERS = 2
LARGEST_BATCH = 512
REPORT_S = 2.0


@dataclass(slots=True)
class Counts:
    """What a search did: boxes bounded, codes evaluated, the deepest box, boxes that were left, seconds."""

    boxes: int = 0
    codes: int = 0
    depth: int = 0
    left: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """A code at which a conjunction holds, or none; `complete` when there is none in the whole box."""

    found: Integers | None
    complete: bool
    reason: str
    counts: Counts


@dataclass(slots=True, eq=False)
class Boxes:
    """Boxes with the conjunctions that are still open on each, and their depth."""

    low: Integers
    high: Integers
    alive: Truths
    depth: Integers

    def __len__(self) -> int:
        return len(self.low)

    def take(self, index: Any) -> Boxes:
        """Some of the boxes."""
        return Boxes(self.low[index], self.high[index], self.alive[index], self.depth[index])


@dataclass(slots=True, eq=False)
class Bounded:
    """Open boxes after bounding: for each the input to cut, how far it is from excluded, and codes worth evaluating."""

    boxes: Boxes
    cut: Integers
    lead: Reals
    points: Integers


@dataclass(slots=True, eq=False)
class Search:
    """One question about one network; `admits` says which codes are inputs at all, where not every code is."""

    network: Network
    question: Question
    deadline: float
    progress: Progress
    admits: Admits | None = None
    counts: Counts = field(default_factory=Counts)

    def run(self) -> Outcome:
        """Decide the question, or stop at the deadline.

        Raises:
            FomError: the network has no value at an input that was tried.
        """
        started = time.monotonic()
        outcome = self._run()
        self.counts.seconds = time.monotonic() - started
        return outcome

    def _run(self) -> Outcome:
        question = self.question
        if (question.low > question.high).any() or not question.conjunctions:
            return self._answer(None, True, "")
        bounder = Bounder(self.network, question.nodes)
        found = self._attack(bounder)
        if found is not None:
            return self._answer(found, False, "")
        open_ = np.ones((1, len(question.conjunctions)), dtype=bool)
        stack = [Boxes(question.low[None], question.high[None], open_, np.zeros(1, dtype=np.int64))]
        waiting = 1
        batch = max(1, min(LARGEST_BATCH, BATCH_NUMBERS // (max(node.size for node in bounder.nodes) * 16)))
        workers = min(WORKERS, os.cpu_count() or 1)
        reported = time.monotonic()
        with ThreadPoolExecutor(workers) as pool:
            while stack:
                if time.monotonic() > self.deadline or waiting > MOST_BOXES:
                    self.counts.left = waiting
                    why = "the time is over" if waiting <= MOST_BOXES else f"more than {MOST_BOXES:,} boxes are open"
                    return self._answer(None, False, why)
                boxes = top(stack, batch * workers)
                waiting -= len(boxes)
                parts = [boxes.take(part) for part in np.array_split(np.arange(len(boxes)), workers) if len(part)]
                self.counts.boxes += len(boxes)
                self.counts.depth = max(self.counts.depth, int(boxes.depth.max()))
                bounded = list(pool.map(lambda part: bound(bounder, question, part), parts))
                for one in bounded:
                    found = self._evaluate(one.points)
                    if found is None:
                        one, found = self._enumerate(one)
                    if found is not None:
                        return self._answer(found, False, "")
                    if len(one.boxes):
                        stack.append(halves(one))
                        waiting += len(stack[-1])
                if time.monotonic() - reported > REPORT_S:
                    reported = time.monotonic()
                    self.progress(f"{self.counts.boxes:,} boxes, {waiting:,} open, depth {self.counts.depth}")
        return self._answer(None, True, "")

    def _answer(self, found: Integers | None, complete: bool, reason: str) -> Outcome:
        return Outcome(found, complete, reason, self.counts)

    def _evaluate(self, points: Integers) -> Integers | None:
        """Evaluate codes exactly; one at which a conjunction holds, if there is any."""
        found, _ = self._try(points)
        return found

    def _try(self, points: Integers) -> tuple[Integers | None, Reals]:
        """A code at which a conjunction holds, and for each code how far the nearest conjunction is from holding."""
        if self.admits is not None:
            points = points[self.admits(points)]
        if not len(points):
            return None, np.zeros(0)
        self.counts.codes += len(points)
        over, holds = self.question.excesses(self.network, points)
        good = holds.any(axis=1)
        return (points[int(good.argmax())] if good.any() else None), over.min(axis=1)

    def _enumerate(self, one: Bounded) -> tuple[Bounded, Integers | None]:
        """Evaluate every code of the boxes that have only a few, and keep the other boxes."""
        widths = one.boxes.high - one.boxes.low + 1
        few = np.log2(widths.astype(np.float64)).sum(axis=1) <= np.log2(FEW_CODES) + 1e-9
        if not few.any():
            return one, None
        low, shape = one.boxes.low[few], widths[few]
        strides = np.concatenate([np.ones((len(low), 1), dtype=np.int64), np.cumprod(shape, axis=1)], axis=1)
        number = np.arange(FEW_CODES)[None, :, None]
        codes = low[:, None] + number // strides[:, None, :-1] % shape[:, None]
        inside = np.arange(FEW_CODES)[None] < strides[:, -1:]
        found = self._evaluate(codes[inside])
        keep = ~few
        return Bounded(one.boxes.take(keep), one.cut[keep], one.lead[keep], one.points[:0]), found

    def _attack(self, bounder: Bounder) -> Integers | None:
        """Look for a counterexample before any proof: random codes, then corners to which bounds near the best ones point."""
        low, high = self.question.low, self.question.high
        rng = np.random.default_rng(0)
        size = max(RESTARTS, min(SAMPLES, BATCH_NUMBERS // max(node.size for node in bounder.nodes)))
        points = rng.integers(low, high, (size, len(low)), endpoint=True)
        found, over = self._try(points)
        if found is not None or self.admits is not None:
            return found
        widest = max(node.size for node in bounder.nodes)
        kept = max(1, min(RESTARTS, BATCH_NUMBERS // (16 * widest)))
        points = points[np.argsort(over)[:kept]]
        for step in range(STEPS):
            if time.monotonic() > self.deadline:
                return None
            radius = (high - low) >> (step // 2 + 2)
            near = Boxes(
                np.maximum(points - radius, low),
                np.minimum(points + radius, high),
                np.ones((len(points), len(self.question.conjunctions)), dtype=bool),
                np.zeros(len(points), dtype=np.int64),
            )
            tried = np.concatenate([points, bound(bounder, self.question, near).points])
            found, over = self._try(tried)
            if found is not None:
                return found
            points = tried[np.argsort(over)[:kept]]
        return None


def bound(bounder: Bounder, question: Question, boxes: Boxes) -> Bounded:
    """Bound boxes, drop conjunctions and boxes that are excluded, and say for the others where to cut and what to try."""
    known = bounder.bounds(boxes.low, boxes.high)
    n_boxes, n_inequalities = len(boxes), len(question.inequalities)
    wanted = np.zeros((n_boxes, n_inequalities), dtype=bool)
    for number, members in enumerate(question.members):
        wanted[:, members] |= boxes.alive[:, number, None]
    pairs, which = np.nonzero(wanted)
    coefs = {name: -given[which] for name, given in question.coefs.items()}
    above, slopes = bounder.backward.of_sums(coefs, pairs, known)
    lead = np.full((n_boxes, n_inequalities), -np.inf)
    lead[pairs, which] = -above - question.limits[which]
    gradients = np.zeros((n_boxes, n_inequalities, slopes.shape[1]))
    gradients[pairs, which] = -slopes
    alive = boxes.alive.copy()
    leads, worst = np.full(alive.shape, np.inf), np.zeros(alive.shape, dtype=np.int64)
    for number, members in enumerate(question.members):
        own = lead[:, members]
        leads[:, number], worst[:, number] = own.max(axis=1), members[own.argmax(axis=1)]
        alive[:, number] &= ~(own > 0).any(axis=1)
    leads = np.where(alive, leads, np.inf)
    keep = alive.any(axis=1)
    rows = np.nonzero(keep)[0]
    kept = boxes.take(rows)
    kept.alive = alive[rows]
    target = leads[rows].argmin(axis=1)
    chosen = worst[rows, target]
    slope = gradients[rows, chosen]
    width = kept.high - kept.low
    steep, weight = np.abs(slope), 1.0
    if bounder.forward:
        coefs = {name: given[chosen] for name, given in question.coefs.items()}
        steep, weight = influences(bounder, known, coefs, rows), TIE
    cut = (shares(steep * width) + weight * shares(width / np.maximum(question.high - question.low, 1))).argmax(axis=1)
    corner = np.where(slope > 0, kept.low, np.where(slope < 0, kept.high, (kept.low + kept.high) >> 1))
    summed = np.einsum(
        "bad->bd", gradients[rows] * (wanted[rows] & np.isin(np.arange(n_inequalities), question.members[0]))[..., None]
    )
    other = np.where(summed > 0, kept.low, kept.high)
    points = np.concatenate([(kept.low + kept.high) >> 1, corner, other])
    return Bounded(kept, cut, leads[rows, target], points)


def shares(amounts: Reals) -> Reals:
    """Each row divided by its sum."""
    return amounts / np.maximum(amounts.sum(axis=1, keepdims=True), np.finfo(np.float64).tiny)


def top(stack: list[Boxes], most: int) -> Boxes:
    """Take at most so many boxes off a stack."""
    taken: list[Boxes] = []
    room = most
    while stack and room:
        boxes = stack.pop()
        if len(boxes) > room:
            stack.append(boxes.take(slice(0, len(boxes) - room)))
            boxes = boxes.take(slice(len(boxes) - room, None))
        room -= len(boxes)
        taken.append(boxes)
    return Boxes(*(np.concatenate([getattr(one, name) for one in taken]) for name in ("low", "high", "alive", "depth")))


def halves(one: Bounded) -> Boxes:
    """Cut every box in two at its input; the boxes that look most like a counterexample come last."""
    order = np.argsort(-one.lead, kind="stable")
    boxes, cut = one.boxes.take(order), one.cut[order]
    rows = np.arange(len(boxes))
    middle = (boxes.low[rows, cut] + boxes.high[rows, cut]) >> 1
    high, low = boxes.high.copy(), boxes.low.copy()
    high[rows, cut], low[rows, cut] = middle, middle + 1
    twice = np.repeat(rows, 2)
    result = boxes.take(twice)
    result.high[0::2], result.low[1::2] = high, low
    result.depth += 1
    return result
