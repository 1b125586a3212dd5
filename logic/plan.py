"""Plans for evaluation: which nodes, in which order, what each of them reads, and which axis each variable gets.

A plan depends on the sentence alone and serves every length. Nodes stand in postorder, each once, under the first
definition that needs it; a call of a definition reads the root of its body. Definitions that nothing asks for are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from circuits.diagnostics import fail
from logic.batch_counting import Counting, Quantifier, Unfold, counting_of
from logic.collecting import uncollected
from logic.syntax import Call, Count, Definition, Exists, Forall, Formula, Indicator, Majority, Sentence, SumCall, Term
from logic.walk import Part, children, postorder

_MAX_AXES = 60
_BINDING = frozenset([Forall, Exists, Majority, Count])
_CALLING = frozenset([Call, SumCall])

_Stage = list[tuple[Part, tuple[Part, ...]]]
"""The nodes under one definition in postorder, each with what it reads."""


@dataclass(frozen=True, slots=True)
class Step:
    """A node, the nodes whose values it reads, and the name of the definition in which it stands ("" for the formula)."""

    node: Part
    reads: tuple[Part, ...]
    home: str


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The steps in order, ways of counting, and where to find what.

    `same` maps a node that has the value of another one (an indicator, a call with the names of the parameters) to that one;
    `moves` has, for each other call, the permutation of axes that renames the parameters, or None if that is not enough.
    """

    sentence: Sentence
    wanted: tuple[str, ...]
    steps: tuple[Step, ...]
    counting: dict[Part, Counting]
    same: dict[Part, Part]
    moves: dict[Part, tuple[int, ...] | None]
    roots: dict[str, Part]
    params: dict[str, tuple[str, ...]]
    axes: dict[str, int]

    @property
    def ndim(self) -> int:
        """The number of axes of every value: the words, and one for each variable."""
        return 1 + max(self.axes.values(), default=0)


@lru_cache(maxsize=4)
@uncollected()
def plan(sentence: Sentence, wanted: tuple[str, ...]) -> Plan:
    """Plan the evaluation of the last formula and the `wanted` definitions of a checked sentence."""
    by_name = {definition.name: definition for definition in sentence.definitions}
    for name in wanted:
        if name not in by_name:
            raise fail("L010", f"the wanted definition `{name}` does not exist")
    calls = _calls(sentence, by_name, wanted)
    found = _Counting(by_name, {name for name, uses in calls.items() if uses == 1 and name not in wanted})
    kept = [by_name[one.name] for one in sentence.definitions if one.name in calls]
    bodies: list[tuple[str, tuple[str, ...], Part]] = [(one.name, one.params, one.body) for one in kept]
    bodies.append(("", (), sentence.formula))
    seen: set[Part] = set()
    below = found.below
    stages = [[(node, below(node)) for node in postorder(root, seen, below)] for _, _, root in bodies]
    axes = _axes([(params, root, steps) for (_, params, root), steps in zip(bodies, stages, strict=True)])
    roots: dict[str, Part] = {name: root for name, _, root in bodies}
    made = Plan(
        sentence, wanted, (), found.known, {}, {}, roots,
        {one.name: one.params for one in kept} | dict.fromkeys(sentence.propositions, ()), axes,
    )  # fmt: skip
    return _read_roots(made, [(name, steps) for (name, _, _), steps in zip(bodies, stages, strict=True)])


class _Counting:
    """How each quantifier counts, found when its children are first asked for."""

    def __init__(self, by_name: dict[str, Definition], single: set[str]) -> None:
        self.by_name, self.single = by_name, single
        self.known: dict[Part, Counting] = {}
        self.unfold: Unfold = self._unfold

    def below(self, node: Part) -> tuple[Part, ...]:
        """Return the nodes that a node reads, other than through definitions."""
        if type(node) in _BINDING:
            if node not in self.known:
                counting = counting_of(cast(Quantifier, node), self.unfold)
                if counting is None:
                    return children(node)
                self.known[node] = counting
            return self.known[node].parts
        return children(node)

    def _unfold(self, call: Call) -> Formula | None:
        if call.name not in self.single:
            return None
        definition = self.by_name[call.name]
        body = definition.body
        named = tuple([arg.variable for arg in call.args]) == definition.params
        return body if named and isinstance(body, Formula) else None


def _calls(sentence: Sentence, by_name: dict[str, Definition], wanted: Sequence[str]) -> Counter[str]:
    """Count the calls of each definition that the formula and the wanted definitions depend on."""
    seen: set[Part] = set()
    calls: Counter[str] = Counter(dict.fromkeys(wanted, 0))
    roots: list[Part] = [sentence.formula, *(by_name[name].body for name in dict.fromkeys(wanted))]
    while roots:
        node = roots.pop()
        if node in seen:
            continue
        seen.add(node)
        if type(node) in _CALLING:
            name = cast(Call | SumCall, node).name
            if name in by_name:
                if name not in calls:
                    roots.append(by_name[name].body)
                calls[name] += 1
        else:
            roots += children(node)
    return calls


def _axes(stages: Sequence[tuple[tuple[str, ...], Part, _Stage]]) -> dict[str, int]:
    """Give each variable an axis; names that occur in one definition get different ones (a greedy colouring)."""
    names: dict[Part, frozenset[str]] = {}
    meets: dict[str, set[str]] = {}
    for params, root, steps in stages:
        for node, reads in steps:
            inside = node.free
            for child in reads:
                other = names[child]
                if other is not inside and not other <= inside:
                    inside = other if inside <= other else inside | other
            if type(node) in _BINDING and (variable := cast(Quantifier, node).variable) not in inside:
                inside = inside | {variable}
            names[node] = inside
        together = names[root].union(params)
        for name in together:
            meets.setdefault(name, set()).update(together)
    axes: dict[str, int] = {}
    for name in sorted(meets):
        taken = {axes[other] for other in meets[name] if other in axes}
        axes[name] = next(axis for axis in range(1, len(taken) + 2) if axis not in taken)
    if max(axes.values(), default=0) > _MAX_AXES:
        raise fail("L021", f"a definition has {max(axes.values())} variables, the limit is {_MAX_AXES}",
                   note="every variable is an axis of a numpy array", help="use names of variables again")  # fmt: skip
    return axes


def _read_roots(made: Plan, stages: Sequence[tuple[str, _Stage]]) -> Plan:
    """Let calls read the bodies of their definitions, drop the nodes that only pass a value on, and what nobody reads."""
    same, moves, read = made.same, made.moves, list[tuple[Part, tuple[Part, ...], str]]()
    known: dict[tuple[tuple[str, ...], tuple[Term, ...]], tuple[int, ...] | None] = {}
    for home, steps in stages:
        for node, reads in steps:
            kind = type(node)
            if kind is Indicator:
                same[node] = same.get(reads[0], reads[0])
                continue
            if kind in _CALLING:
                call = cast(Call | SumCall, node)
                renamed = made.params[call.name], call.args
                if renamed not in known:
                    known[renamed] = _move(made, call)
                moves[node] = move = known[renamed]
                if call.name in made.roots:
                    root = made.roots[call.name]
                    root = same.get(root, root)
                    if move == ():
                        same[node] = root
                        continue
                    reads = (root,)
            read.append((node, tuple([same.get(child, child) for child in reads]), home))
    asked = {same.get(root, root) for name in ("", *made.wanted) for root in (made.roots[name],)}
    kept = []
    for node, reads, home in reversed(read):
        if node in asked:
            asked.update(reads)
            kept.append(Step(node, reads, home))
    return Plan(
        made.sentence,
        made.wanted,
        tuple(reversed(kept)),
        made.counting,
        same,
        moves,
        made.roots,
        made.params,
        made.axes,
    )


def _move(made: Plan, call: Call | SumCall) -> tuple[int, ...] | None:
    """Return the permutation of axes that renames the parameters, () for none, None if that is not enough."""
    variables = [arg.variable for arg in call.args]
    if None in variables or len(set(variables)) < len(variables):
        return None
    source = [made.axes[name] for name in made.params[call.name]]
    target = [made.axes[name] for name in variables if name is not None]
    if source == target:
        return ()
    others = iter([axis for axis in range(1, made.ndim) if axis not in source])
    place = dict(zip(target, source, strict=True))
    return (0, *(place[axis] if axis in place else next(others) for axis in range(1, made.ndim)))
