"""Measuring sentences: shared size, ranks through definitions, and the size of the tree that is never built."""

from __future__ import annotations

from dataclasses import dataclass

from logic.collecting import uncollected
from logic.syntax import Call, Count, Exists, Forall, Majority, Sentence, SumCall
from logic.walk import Part, children, postorder


@dataclass(frozen=True, slots=True)
class Measures:
    """The size of a sentence.

    `nodes` counts the shared formulas, sums and items of the definitions and the last formula; `quantifier_rank` is the
    deepest nesting of quantifiers and counts, and `majority_rank` that of majority quantifiers and counts alone, both through
    definitions; `unfolded_nodes` is the exact number of nodes of the last formula with every definition unfolded.
    """

    definitions: int
    nodes: int
    quantifier_rank: int
    majority_rank: int
    unfolded_nodes: int


_LEAF = 0, 0, 1


@uncollected()
def measure(sentence: Sentence) -> Measures:
    """Measure a checked sentence, in time linear in its shared size (but for the length of `unfolded_nodes`)."""
    known: dict[Part, tuple[int, int, int]] = {}
    named: dict[str, tuple[int, int, int]] = {}
    seen: set[Part] = set()
    for name, root in [*((one.name, one.body) for one in sentence.definitions), ("", sentence.formula)]:
        for node in postorder(root, seen):
            match node:
                case Call() | SumCall():
                    known[node] = named.get(node.name, _LEAF)
                    continue
                case Forall() | Exists():
                    quantified, counted = 1, 0
                case Majority() | Count():
                    quantified, counted = 1, 1
                case _:
                    quantified, counted = 0, 0
            below = [known[child] for child in children(node)]
            if not below:
                known[node] = _LEAF
            else:
                ranks, majorities, sizes = zip(*below, strict=True)
                known[node] = max(ranks) + quantified, max(majorities) + counted, sum(sizes) + 1
        named[name] = known[root]
    rank, majority = max([one[0] for one in known.values()]), max([one[1] for one in known.values()])
    return Measures(len(sentence.definitions), len(known), rank, majority, known[sentence.formula][2])
