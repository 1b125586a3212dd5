"""Softmax as a lazy quotient: ``exp(s - max) / sum``, over positions, over static entries, or over both.

Masked entries take part in nothing. Scores that do not depend on y at all give uniform attention, with no exponentials.
"""

from __future__ import annotations

from copy import copy

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import FALSE, TRUE, Guard, conjunction, disjunction, grid, holds, negation, var
from circuits.scalar import Scalar, X
from translator.axes import PRE, RUN, Key, part_shape
from translator.reading.assembly import scaled
from translator.reading.context import Context, is_constant, known, to_data
from translator.reading.refusing import Refusal
from translator.reading.regions import implies
from translator.reading.values import Array, Data, Index, Part, Value, View, constant, guard_variables

EXP = Scalar("exp", (X,))
TRIED_LENGTHS = 20
BELOW = 40.0  # exp(-40) is below float64's relative precision


def softmax(context: Context, value: Value, axis: int) -> Data:
    """Normalize along an axis; the result is a quotient."""
    data = to_data(context, value)
    axis %= len(data.axes)
    assembly = context.assembly
    parts: dict[Key, Part] = {}
    for rest in dict.fromkeys(tuple(PRE if a == axis else s for a, s in enumerate(key)) for key in data.parts):
        here = {key: part for key, part in data.parts.items() if _without(key, axis) == rest}
        scores = {key: _Scores(context, data, key, part, axis) for key, part in here.items()}
        _switch(context, scores, axis)
        exists = conjunction(*(data.axes[other].guard(other) for other, which in enumerate(rest) if which == RUN))
        _check_rows(context, data, axis, list(scores.values()), exists)
        weights = _uniform(context, scores, axis)
        if weights is None:
            hint = assembly.hint
            top = _maximum(context, scores, axis)
            weights = {key: score.exponential(context, top) for key, score in scores.items()}
            assembly.hint = hint
        sums = [score.total(context, weights[key]) for key, score in scores.items()]
        den = sums[0]
        if len(sums) > 1:
            total = constant(np.zeros(den.size))
            for summand in sums:
                total = total.plus(assembly.rows(summand))
            den = assembly.view_of(total, assembly.named("den"))
        for key, score in scores.items():
            allowed = None if all(g == TRUE for g in score.allowed) else score.allowed
            parts[key] = Part(weights[key], den.take(score.group), allowed, 0.0)
    return Data(data.axes, parts)


def _without(key: Key, axis: int) -> Key:
    return tuple(PRE if a == axis else s for a, s in enumerate(key))


class _Scores:
    """The scores of one part: elements are grouped by what is left when the axis is removed."""

    __slots__ = ("allowed", "axis", "group", "inside", "kept", "n_groups", "outside", "running", "view", "width")

    def __init__(self, context: Context, data: Data, key: Key, part: Part, axis: int) -> None:
        shape = part_shape(data.axes, key)
        self.axis = axis
        self.running = key[axis] == RUN
        self.width = 1 if self.running else shape[axis]
        outer = tuple(1 if a == axis else size for a, size in enumerate(shape))
        self.n_groups = int(np.prod(outer))
        self.group: Index = np.broadcast_to(np.arange(self.n_groups).reshape(outer), shape).ravel()
        self.view = context.assembly.settle(Part(part.view, part.denominator))
        self.kept: View | None = None
        under = context.switched.get(self.view.source)
        if under is not None and self.view.is_plain:
            self.kept, self.view = under.seen_through(self.view)
        if not is_constant(self.view):
            self.view = context.assembly.pinned(self.view)
        self.inside = data.axes[axis].guard(axis) if self.running else TRUE
        self.allowed = tuple(conjunction(self.inside, g) for g in part.allowed or (TRUE,) * self.view.size)
        self.outside = part.outside if part.allowed is not None else 0.0

    def open(self, where: Guard, members: Index) -> None:
        """Exclude none of the elements where the guard holds."""
        opened = {i: disjunction(self.allowed[i], conjunction(self.inside, where)) for i in members.tolist()}
        self.allowed = tuple(opened.get(i, guard) for i, guard in enumerate(self.allowed))

    def seen_as(self, view: View) -> _Scores:
        """The same entries with other numbers."""
        other = copy(self)
        other.view = view
        return other

    def members(self, group: int) -> Index:
        """The elements of a group that are not excluded everywhere."""
        found = np.flatnonzero(self.group == group)
        return np.array([i for i in found if self.allowed[i] != FALSE], dtype=np.int64)

    def exponential(self, context: Context, top: View) -> View:
        """``exp(s - max)``."""
        assembly = context.assembly
        rows = assembly.rows(self.view).plus(scaled(assembly.rows(top.take(self.group)), -1.0, 0.0))
        view = assembly.view_of(rows, assembly.named("shifted"))
        return assembly.tabulate(view.with_function(EXP))

    def total(self, context: Context, weights: View) -> View:
        """The sum of the weights of each group, over the axis."""
        from translator.reading.context import restrict

        assembly = context.assembly
        if not self.running:
            kept = restrict(context, weights, self.allowed)
            matrix = csr_array(
                (np.ones(weights.size), (self.group, np.arange(weights.size))), shape=(self.n_groups, weights.size)
            )
            alive = np.array([guard != FALSE for guard in self.allowed])
            if not alive.all():
                matrix = csr_array(matrix.multiply(alive[None, :]))
                matrix.eliminate_zeros()
            return assembly.view_of(assembly.rows(kept).apply(matrix))
        result = constant(np.zeros(self.n_groups))
        for guard in dict.fromkeys(self.allowed):
            index = np.array([i for i, g in enumerate(self.allowed) if g == guard])
            chosen = weights if len(index) == weights.size else weights.take(index)
            summed = assembly.total(chosen, self.axis, guard, assembly.named("den"))
            matrix = csr_array(
                (np.ones(len(index)), (self.group[index], np.arange(len(index)))), shape=(self.n_groups, len(index))
            )
            if len(index) == weights.size and len(index) == self.n_groups:
                return summed
            result = result.plus(assembly.rows(summed).apply(matrix))
        return assembly.view_of(result, assembly.named("den"))


def _switch(context: Context, scores: dict[Key, _Scores], axis: int) -> None:
    """Put scores that the input masks below all others of their row, by so much that their weights vanish.

    They stay numbers of the size of the others, so that words spend no bits on the constant of the file; where a whole row is
    masked, all its scores are equal.
    """
    if all(score.kept is None for score in scores.values()):
        return
    assembly = context.assembly
    negated = {
        key: score.seen_as(assembly.view_of(scaled(assembly.rows(score.view), -1.0, 0.0), assembly.named("negated")))
        for key, score in scores.items()
    }
    least = scaled(assembly.rows(_maximum(context, negated, axis)), -1.0, -BELOW)
    floor = assembly.view_of(least, assembly.named("floor"))
    for score in scores.values():
        if score.kept is None:
            continue
        every = np.arange(score.view.size)
        low = assembly.rows(floor.take(score.group))
        height = assembly.view_of(assembly.rows(score.view).plus(scaled(low, -1.0, 0.0)), assembly.named("height"))
        raised = assembly.multiply(score.kept, height, every, every)
        score.view = assembly.pinned(assembly.view_of(assembly.rows(raised).plus(low), assembly.named("masked")))


def _uniform(context: Context, scores: dict[Key, _Scores], axis: int) -> dict[Key, View] | None:
    """Weights 1 where no score depends on the axis."""
    only = list(scores.values())
    if len(only) == 1 and only[0].running and axis not in only[0].view.variables():
        return {key: context.assembly.view_of(constant(np.ones(score.view.size))) for key, score in scores.items()}
    if all(is_constant(score.view) for score in only):
        values = [known(context, score.view) for score in only]
        flat = np.concatenate([v for v in values if v is not None])
        if (flat == flat[0]).all():
            return {key: context.assembly.view_of(constant(np.ones(score.view.size))) for key, score in scores.items()}
    return None


def _maximum(context: Context, scores: dict[Key, _Scores], axis: int) -> View:
    """The largest allowed score of each group."""
    assembly = context.assembly
    running = [score for score in scores.values() if score.running]
    static = [score for score in scores.values() if not score.running]
    n_groups = next(iter(scores.values())).n_groups
    if running and not static and len(set(running[0].allowed)) == 1 and n_groups == running[0].view.size:
        return assembly.maximum(running[0].view, np.arange(n_groups)[:, None], axis, running[0].allowed[0], [])
    segments = []
    for score in static:
        members = [score.members(group) for group in range(n_groups)]
        if all(len(found) for found in members):
            width = max(map(len, members))
            groups = np.stack([np.resize(found, width) for found in members])
            if not running and len(static) == 1:
                return assembly.maximum(score.view, groups, None, TRUE, [])
            segments.append((score.view, groups))
        elif not running:
            raise Refusal("N047", "a softmax has rows in which every entry is masked")
    if not running:
        (view, groups), *others = segments
        return assembly.maximum(view, groups, None, TRUE, others)
    guards = dict.fromkeys(running[0].allowed)
    score = running[0]
    if len(guards) == 1 and n_groups == score.view.size:
        return assembly.maximum(score.view, np.arange(n_groups)[:, None], axis, next(iter(guards)), segments)
    union = disjunction(*guards)
    groups = np.stack([np.flatnonzero(score.group == g) for g in range(n_groups)])
    if segments or union not in guards:
        return assembly.maximum(score.view, groups, axis, union, segments)
    result = constant(np.zeros(n_groups))
    for guard in guards:
        index = np.array([i for i, g in enumerate(score.allowed) if g == guard])
        top = assembly.maximum(score.view.take(index), np.arange(len(index))[:, None], axis, guard, [])
        matrix = csr_array(
            (np.ones(len(index)), (score.group[index], np.arange(len(index)))), shape=(n_groups, len(index))
        )
        result = result.plus(assembly.rows(top).apply(matrix))
    return assembly.view_of(result, assembly.named("max"))


def _check_rows(context: Context, data: Data, axis: int, scores: list[_Scores], exists: Guard) -> None:
    """Find rows in which everything is masked, and treat them as the file does.

    At positions where no row `exists`, nothing is masked if everything would be: what comes out does not matter, but is a number.
    """
    if all(guard == TRUE for score in scores for guard in score.allowed):
        return
    if any(guard == TRUE for score in scores for guard in score.allowed):
        return
    outside = min(score.outside for score in scores)
    for score in scores:
        free = [
            guard
            for guard in dict.fromkeys(score.allowed)
            if axis not in guard_variables(guard) and guard not in (TRUE, FALSE)
        ]
        if free and outside > -np.inf and len(scores) == 1:
            score.allowed = tuple(TRUE if guard in free else guard for guard in score.allowed)
            return
    rank = len(data.axes)
    for group in range(scores[0].n_groups):
        union: Guard = disjunction(*(score.allowed[i] for score in scores for i in score.members(group)))
        if union == TRUE or _has_diagonal(union, axis, rank):
            continue
        opens = False
        for n in range(context.least, min(context.most or TRIED_LENGTHS, TRIED_LENGTHS) + 1 if rank <= 4 else 0):
            places = list(grid(n, rank))
            empty = ~np.broadcast_to(holds(union, n, places), (n,) * rank).any(axis=axis, keepdims=True)
            rows: Array = empty & holds(exists, n, [0 if v == axis else place for v, place in enumerate(places)])
            if rows.any():
                raise Refusal(
                    "N047",
                    f"at length {n} the softmax has a row in which every position is masked "
                    f"(position {int(np.argwhere(rows)[0].max()) + 1}), with the constant {outside:g}",
                    note="with -inf the result is undefined; with a finite constant it would be a uniform average",
                    help="let every position attend at least to itself",
                )
            opens = opens or bool(empty.any())
        if opens:
            for score in scores:
                score.open(negation(exists), score.members(group))


def _has_diagonal(guard: Guard, axis: int, rank: int) -> bool:
    """Whether some position is allowed for sure: y = x for another variable x, the first, or the last."""
    from circuits.positions import FIRST, LAST, substitute

    for place in [*(var(other) for other in range(rank) if other != axis), FIRST, LAST]:
        at = [var(v) for v in range(rank)]
        at[axis] = place
        if implies(TRUE, substitute(guard, at)):
            return True
    return False
