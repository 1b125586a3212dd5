"""Measuring sentences: shared size, ranks through definitions, and the size of the tree that is never built."""

from __future__ import annotations

from dataclasses import dataclass

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


def measure(sentence: Sentence) -> Measures:
    """Measure a checked sentence, in time linear in its shared size (but for the length of `unfolded_nodes`)."""
    known: dict[Part, tuple[int, int, int]] = {}
    named: dict[str, tuple[int, int, int]] = {}
    seen: set[Part] = set()
    for name, root in [*((one.name, one.body) for one in sentence.definitions), ("", sentence.formula)]:
        for node in postorder(root, seen):
            rank, majority, size = 0, 0, 1
            if isinstance(node, Call | SumCall):
                rank, majority, size = named.get(node.name, (0, 0, 1))
            for child in children(node):
                child_rank, child_majority, child_size = known[child]
                rank, majority, size = max(rank, child_rank), max(majority, child_majority), size + child_size
            if isinstance(node, Forall | Exists | Majority | Count):
                rank += 1
            if isinstance(node, Majority | Count):
                majority += 1
            known[node] = rank, majority, size
        named[name] = known[root]
    ranks = list(known.values())
    rank, majority = max(one[0] for one in ranks), max(one[1] for one in ranks)
    return Measures(len(sentence.definitions), len(known), rank, majority, known[sentence.formula][2])
