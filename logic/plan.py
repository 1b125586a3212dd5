"""Plans for evaluation: which nodes, in which order, how often each is read, and which axis each variable gets.

A plan depends on the sentence alone and serves every length. Nodes stand in postorder, each once, under the first
definition that needs it; definitions that nothing asks for are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from circuits.diagnostics import fail
from logic.syntax import Call, Count, Definition, Exists, Forall, Majority, Sentence, SumCall
from logic.walk import Part, children, postorder

_MAX_AXES = 60


@dataclass(frozen=True, slots=True)
class Stage:
    """The nodes that are new in one definition (or, last, in the formula), children first, each with its children."""

    definition: Definition | None
    root: Part
    nodes: tuple[tuple[Part, tuple[Part, ...]], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The stages in order, the number of readers of each node and definition, and the axis of each variable, from 1 on."""

    sentence: Sentence
    wanted: tuple[str, ...]
    stages: tuple[Stage, ...]
    uses: dict[Part, int]
    calls: dict[str, int]
    axes: dict[str, int]


@lru_cache(maxsize=4)
def plan(sentence: Sentence, wanted: tuple[str, ...]) -> Plan:
    """Plan the evaluation of the last formula and the `wanted` definitions of a checked sentence."""
    by_name = {definition.name: definition for definition in sentence.definitions}
    for name in wanted:
        if name not in by_name:
            raise fail("L010", f"the wanted definition `{name}` does not exist")
    needed = _needed(sentence, by_name, wanted)
    seen: set[Part] = set()
    uses: Counter[Part] = Counter()
    calls: Counter[str] = Counter(wanted)
    stages = []
    kept = [definition for definition in sentence.definitions if definition.name in needed]
    for definition in [*kept, None]:
        root: Part = sentence.formula if definition is None else definition.body
        nodes = tuple([(node, children(node)) for node in postorder(root, seen)])
        uses[root] += 1
        for node, below in nodes:
            if isinstance(node, Call | SumCall):
                calls[node.name] += 1
            for child in below:
                uses[child] += 1
        stages.append(Stage(definition, root, nodes))
    return Plan(sentence, wanted, tuple(stages), dict(uses), dict(calls), _axes(stages))


def _needed(sentence: Sentence, by_name: dict[str, Definition], wanted: Sequence[str]) -> set[str]:
    """Return the names of the definitions that the formula and the wanted definitions depend on."""
    seen: set[Part] = set()
    needed = set(wanted)
    roots: list[Part] = [sentence.formula, *(by_name[name].body for name in dict.fromkeys(wanted))]
    while roots:
        for node in postorder(roots.pop(), seen):
            if isinstance(node, Call | SumCall) and node.name in by_name and node.name not in needed:
                needed.add(node.name)
                roots.append(by_name[node.name].body)
    return needed


def _axes(stages: Sequence[Stage]) -> dict[str, int]:
    """Give each variable an axis; names that occur in one definition get different ones (a greedy colouring)."""
    names: dict[Part, frozenset[str]] = {}
    meets: dict[str, set[str]] = {}
    for stage in stages:
        for node, below in stage.nodes:
            inside = node.free
            for child in below:
                other = names[child]
                if other is not inside and not other <= inside:
                    inside = other if inside <= other else inside | other
            if isinstance(node, Forall | Exists | Majority | Count) and node.variable not in inside:
                inside = inside | {node.variable}
            names[node] = inside
        params = () if stage.definition is None else stage.definition.params
        together = names[stage.root].union(params)
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
