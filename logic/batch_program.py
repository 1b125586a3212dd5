"""Programs: a plan for so many words of one length, with every shape, the order of work and the memory it needs.

Small values are computed one after the other and kept until their last use. A large value that only one other reads is never
stored whole: both are computed together, in slabs over the axes of the result that fit the cache. So a region of steps has one
result, which is stored, and inner values, which live for the time of a slab. Quantified axes are never cut: a count is
finished within its slab. The memory needed is that of what is stored at a time, and of one slab, with all temporary arrays.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from logic.batch_layout import Layouts
from logic.collecting import uncollected
from logic.plan import Plan, Step
from logic.syntax import Call, Compare, Count, Exists, Forall, Letter, Majority, SumCall, Truth
from logic.walk import Part

FUSED = 1 << 18  # bytes: values up to this size are always stored
SLAB = 1 << 19  # bytes: what the largest value of a slab should have at most

Window = dict[int, slice]


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """Steps that are evaluated together, the result last, what nobody reads any more after each, and how axes are cut."""

    steps: tuple[Step, ...]
    releases: tuple[tuple[Part, ...], ...]
    done: tuple[Part, ...]
    pieces: tuple[tuple[int, int, int], ...]  # axis, extent, extent of a piece
    bytes: int

    @property
    def result(self) -> Part:
        """The value that is stored."""
        return self.steps[-1].node

    def windows(self) -> Iterator[Window]:
        """The parts of the result, one after the other."""
        cuts = [
            [(axis, slice(low, min(low + piece, extent))) for low in range(0, extent, piece)]
            for axis, extent, piece in self.pieces
        ]
        return map(dict, itertools.product(*cuts))


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """The regions in order, the memory they need, and where the largest value stands when it is needed ("": the formula)."""

    plan: Plan
    layouts: Layouts
    regions: tuple[Region, ...]
    bytes: int
    largest: str


@lru_cache(maxsize=8)
@uncollected()
def program(made: Plan, n_words: int, n: int) -> Program:
    """Lay out the evaluation of `n_words` words of length `n`, without computing anything."""
    layouts = Layouts(made, n_words, n)
    gathered = _gather(made, layouts)
    last: dict[Part, int] = {}
    for number, steps in enumerate(gathered):
        for step in steps:
            last.update(dict.fromkeys(step.reads, number))
    asked = {made.same.get(made.roots[name], made.roots[name]) for name in ("", *made.wanted)}
    regions: list[Region] = []
    letters = len({step.node.name for step in made.steps if isinstance(step.node, Letter)})
    base = n_words * (n * (8 + letters) + len(made.sentence.propositions)) + 64 * len(made.steps)
    stored, peak, at = base, base, 0
    for number, steps in enumerate(gathered):
        inside = {step.node for step in steps}
        read = {node for step in steps for node in step.reads if last[node] == number}
        region = _region(layouts, steps, tuple([node for node in read if node not in inside and node not in asked]))
        regions.append(region)
        if stored + region.bytes > peak:
            peak, at = stored + region.bytes, number
        stored += layouts.of[region.result].bytes - sum([layouts.of[node].bytes for node in region.done])
    out = sum(8 * n_words * n ** len(made.params[name]) for name in made.wanted) + n_words * n
    if stored + out > peak:
        peak, at = stored + out, len(regions) - 1
    return Program(made, layouts, tuple(regions), peak, _largest(layouts, regions, at))


def _largest(layouts: Layouts, regions: Sequence[Region], at: int) -> str:
    """The definition of the largest value that is stored, or made, when a region is evaluated."""
    stored: dict[Part, tuple[int, str]] = {}
    for region in regions[:at]:
        stored[region.result] = layouts.of[region.result].bytes, region.steps[-1].home
        for node in region.done:
            del stored[node]
    return max([(regions[at].bytes, regions[at].steps[-1].home), *stored.values()])[1]


def _gather(made: Plan, layouts: Layouts) -> list[tuple[Step, ...]]:
    """Gather each step with the only region that reads it, if it is large; steps that cost nothing, with every reader."""
    same = made.same
    asked = {same.get(made.roots[name], made.roots[name]) for name in ("", *made.wanted)}
    apart = {
        node for step in made.steps for node in step.reads
        if isinstance(step.node, Call | SumCall) and step.node.name in made.roots
    }  # fmt: skip
    readers: dict[Part, set[Part]] = {}
    members: dict[Part, list[Step]] = {}
    for step in reversed(made.steps):
        node = step.node
        results = readers.pop(node, set())
        if node in asked or node in apart or not (_is_free(made, step) or _joins(made, layouts, step, results)):
            results = {node}
        for result in results:
            members.setdefault(result, []).append(step)
        for child in step.reads:
            readers.setdefault(child, set()).update(results)
    return [tuple(reversed(members[step.node])) for step in made.steps if step.node in members]


def _joins(made: Plan, layouts: Layouts, step: Step, results: set[Part]) -> bool:
    """Tell whether a step is so large that it belongs to the regions that read it."""
    if layouts.of[step.node].bytes <= FUSED or (len(results) != 1 and not isinstance(step.node, Compare)):
        return False
    return all(_fits(made, layouts, step, result) for result in results)


def _is_free(made: Plan, step: Step) -> bool:
    """Tell whether a step only looks at what is stored."""
    match step.node:
        case Truth():
            return True
        case Letter(_, term):
            return term.variable is not None
        case Call() | SumCall():
            return made.moves[step.node] is not None
        case _:
            return False


def _fits(made: Plan, layouts: Layouts, step: Step, result: Part) -> bool:
    """Tell whether a step may be part of a region: it has the axes to be cut, and what it quantifies is not among them."""
    shape = layouts.of[step.node].shape
    if any(inner == 1 < outer for inner, outer in zip(shape, layouts.of[result].shape, strict=True)):
        return False
    if isinstance(step.node, Forall | Exists | Majority | Count):
        return layouts.of[result].shape[made.axes[step.node.variable]] == 1
    return True


def _region(layouts: Layouts, steps: tuple[Step, ...], done: tuple[Part, ...]) -> Region:
    """Cut the axes of the result until the largest inner value is small, and add up what a slab needs."""
    of, result = layouts.of, steps[-1].node
    if len(steps) == 1 and of[result].bytes <= FUSED:
        return Region(steps, ((),), done, (), of[result].bytes + layouts.scratch(result, {}))
    left: dict[Part, int] = {}
    for step in steps:
        for child in step.reads:
            left[child] = left.get(child, 0) + 1
    inside = {step.node for step in steps}
    releases: list[tuple[Part, ...]] = []
    for step in steps:
        gone: list[Part] = []
        for child in step.reads:
            left[child] -= 1
            if not left[child] and child in inside:
                gone.append(child)
        releases.append(tuple(gone))
    whole: dict[int, int] = {}
    largest = max(steps, key=lambda step: of[step.node].bytes + layouts.scratch(step.node, whole)).node
    much = of[largest].bytes + layouts.scratch(largest, whole)
    excess = -(-much // SLAB) if len(steps) > 1 or much > 8 * SLAB else 1
    pieces = []
    for axis, (extent, inner) in enumerate(zip(of[result].shape, of[largest].shape, strict=True)):
        if excess > 1 and extent > 1 and inner > 1:
            count = min(extent, excess)
            pieces.append((axis, extent, -(-extent // count)))
            excess = -(-excess // count)
    cut = {axis: piece for axis, _, piece in pieces}
    stored = of[result].bytes if pieces else 0
    live, peak = stored, stored
    for step, unread in zip(steps, releases, strict=True):
        live += layouts.part(step.node, cut)
        peak = max(peak, live + layouts.scratch(step.node, cut))
        live -= sum([layouts.part(child, cut) for child in unread])
    return Region(steps, tuple(releases), done, tuple(pieces), peak)
