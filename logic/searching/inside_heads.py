"""Attention heads of a network, and what each attends to, as a formula A(x, y).

A head is a quotient of two sums over the same positions y: values times weights, and the weights. Weights are a word of the two
positions x and y (exponentials of scores, or whatever a table makes of them), or all the same, so that the head is the mean over
a guard. A sum of values times weights that is not divided is a head, too: it sums over some positions, or reads one, as hard
attention does. Heads are found by these shapes, not by names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from circuits.evaluate import evaluate
from circuits.network import Affine, Function, Maximum, Network, Product, Quotient, Sum, Table
from circuits.positions import Guard, grid, holds, var
from logic.searching.inside_pairs import Pairs
from logic.searching.samples import Samples, Truth
from logic.syntax import TRUE, Compare, Formula, Term

HERE, THERE = (var(0), var(1)), (var(1),)


@dataclass(frozen=True)
class Head:
    """One head.

    Attributes:
        name: the node of its quotient or sum, with a number where the node holds several heads.
        layer: the number of that node among those that are heads; `number`: of the head in it.
        node, elements: what it writes.
        guard: over which y it sums.
        weights: node and element of its weights, or None if they are all the same.
        scores: node and element of what the weights increase with, if that is there.
        values: node and elements that it reads at y.
        divided: whether it is a mean, and not a sum.
    """

    name: str
    layer: int
    number: int
    node: str
    elements: tuple[int, ...]
    guard: Guard
    weights: tuple[str, int] | None
    scores: tuple[str, int] | None
    values: tuple[str, tuple[int, ...]]
    divided: bool = True


def heads(network: Network) -> list[Head]:
    """The heads of a network, in its order."""
    found: list[Head] = []
    layer = 0
    divided = {node.num.node for node in network.nodes if isinstance(node, Quotient)}
    for node in network.nodes:
        fresh: list[Head] = []
        if isinstance(node, Quotient) and node.n_positions == 1:
            fresh = heads_of(network, node, layer)
        elif isinstance(node, Sum) and node.n_positions == 1 and node.name not in divided:
            fresh = summing_heads(network, node, layer)
        found += fresh
        layer += bool(fresh)
    return found


def summing_heads(network: Network, node: Sum, layer: int) -> list[Head]:
    """The heads of a sum over y of values at y times weights of x and y, one for each weight."""
    source = network.by_name[node.operand.node]
    if not isinstance(source, Product) or node.operand.at != HERE:
        return []
    sides = ((source.left, source.left_index), (source.right, source.right_index))
    weighing = [side for side in sides if side[0].at == HERE]
    valued = [side for side in sides if side[0].at == THERE]
    if len(weighing) != 1 or len(valued) != 1 or network.word(weighing[0][0].node).format.lo < 0:
        return []
    (reference, places), (values, index) = weighing[0], valued[0]
    numbers = np.unique(places).tolist()
    found = []
    for number, place in enumerate(numbers):
        chosen = tuple(np.flatnonzero(places == place).tolist())
        name = node.name if len(numbers) == 1 else f"{node.name}.{number}"
        weights = (reference.node, int(place))
        read = (values.node, tuple(int(one) for one in index[list(chosen)]))
        scores = scores_of(network, weights)
        found.append(Head(name, layer, number, node.name, chosen, node.guard, weights, scores, read, divided=False))
    return found


def heads_of(network: Network, node: Quotient, layer: int) -> list[Head]:
    """The heads of one quotient, if it has any."""
    top, bottom = network.by_name[node.num.node], network.by_name[node.den.node]
    if not isinstance(top, Sum) or top.n_positions != 1 or node.num.at != (var(0),):
        return []
    elements = [tuple(np.flatnonzero(node.den_index == one).tolist()) for one in np.unique(node.den_index)]
    source = network.by_name[top.operand.node]
    found = []
    for number, chosen in enumerate(elements):
        name = node.name if len(elements) == 1 else f"{node.name}.{number}"
        if top.operand.at == THERE and isinstance(bottom, Affine | Sum):
            values = (top.operand.node, chosen)
            found.append(Head(name, layer, number, node.name, chosen, top.guard, None, None, values))
            continue
        if not isinstance(source, Product) or top.operand.at != HERE or not isinstance(bottom, Sum):
            return []
        if bottom.guard != top.guard or bottom.operand.at != HERE or node.den.at not in ((var(0),), ()):
            return []
        sides = ((source.left, source.left_index), (source.right, source.right_index))
        weighing = [side for side in sides if side[0] == bottom.operand]
        valued = [side for side in sides if side[0].at == THERE]
        places = {int(one) for one in weighing[0][1][list(chosen)]} if weighing else set()
        if not weighing or not valued or len(places) != 1:
            return []
        place = places.pop()
        values = (valued[0][0].node, tuple(int(one) for one in valued[0][1][list(chosen)]))
        weights = (bottom.operand.node, place)
        found.append(
            Head(name, layer, number, node.name, chosen, top.guard, weights, scores_of(network, weights), values)
        )
    return found


def scores_of(network: Network, weights: tuple[str, int]) -> tuple[str, int] | None:
    """The argument of weights that a table or function makes."""
    node = network.by_name[weights[0]]
    if isinstance(node, Table | Function) and node.operand.at == HERE:
        return node.operand.node, weights[1]
    return None


def attention(network: Network, head: Head, words: Any) -> tuple[Any, Truth]:
    """The weights of a head ``(B, n, n)``, with x first, and where it looks at all; weights are integers."""
    n = words.shape[1]
    allowed = np.broadcast_to(holds(head.guard, n, grid(n, 2)), (len(words), n, n))
    if head.weights is None:
        return allowed.astype(np.int64), allowed
    name, place = head.weights
    return evaluate(network, words, [name])[name][..., place] * allowed, allowed


def attention_matrix(network: Network, head: Head, word: Any) -> tuple[tuple[float, ...], ...]:
    """The share of each y in what position x reads, for one word ``(n,)``."""
    weights, _ = attention(network, head, np.asarray(word)[None])
    total = np.maximum(weights[0].sum(axis=1, keepdims=True), 1)
    return tuple(tuple(row) for row in (weights[0] / total).tolist())


Way = Literal[
    "averages over", "averages over the y whose score is largest:", "sums over", "reads", "attends most to",
    "gives most weight to",
]  # fmt: skip


@dataclass(frozen=True)
class Pattern:
    """What a head attends to.

    Attributes:
        way: "averages over": equal weights there and none elsewhere, and where that is how its weights are made, over "the y
            whose score is largest"; "sums over": the same, not divided; "reads": the same, and always one position; "gives most
            weight to": more than half, and always to one position; "attends most to": the largest score.
        formula: A(x, y).
        otherwise_first: where no y satisfies the formula it attends to position 1.
        wrong: pairs (x, y) of the words, of `total`, on which that is wrong.
    """

    head: Head
    way: Way
    formula: Formula
    otherwise_first: bool
    wrong: int
    total: int

    @property
    def text(self) -> str:
        """The meaning, to be read after the head's name."""
        positions = "every position y" if self.formula == TRUE else f"the positions y with {self.formula}"
        rest = "; where there is none, to position 1" if self.otherwise_first else ""
        wrong = f" (wrong on {self.wrong:,} of {self.total:,} pairs)" if self.wrong else ""
        return f"{self.way} {positions}{rest}{wrong}"


def patterns(network: Network, samples: Samples) -> list[Pattern]:
    """What each head attends to, on the words of samples."""
    found = heads(network)
    if not found:
        return []
    pairs = Pairs(samples)
    return [pattern(network, head, pairs) for head in found]


def pattern(network: Network, head: Head, pairs: Pairs) -> Pattern:
    """What one head attends to."""
    samples = pairs.samples
    parts = [attention(network, head, words) for words in samples.words]
    weights = [part for part, _ in parts]
    supports = [part > 0 for part in weights]
    uniform = all(
        bool((part == part.max(axis=2, keepdims=True))[support & considered[:, :, None]].all())
        for part, support, considered in zip(weights, supports, samples.considered, strict=True)
    )
    tried: list[tuple[Way, list[Truth]]] = [(way_of(network, head, parts, samples), supports)] if uniform else []
    halves = [2 * part > part.sum(axis=2, keepdims=True) for part in weights]
    if not uniform and all(
        bool(part.any(axis=2)[ok].all()) for part, ok in zip(halves, samples.considered, strict=True)
    ):
        tried.append(("gives most weight to", halves))
    if not uniform:
        tried.append(("attends most to", highest(network, head, parts, samples)))
    closest: list[Pattern] = []
    for way, truths in tried:
        truth = pairs.flat(truths)
        everywhere = np.ones_like(truth)
        if truth.all():
            return Pattern(head, way, TRUE, False, 0, len(truth))
        formula = pairs.formula(truth, everywhere)
        if formula is not None:
            return Pattern(head, way, formula, False, 0, len(truth))
        if (formula := beside_first(truths, pairs)) is not None:
            return Pattern(head, way, formula, True, 0, len(truth))
        nearest, wrong = pairs.nearest(truth, everywhere)
        closest.append(Pattern(head, way, nearest, False, wrong, len(truth)))
    return min(closest, key=lambda one: one.wrong)


def way_of(network: Network, head: Head, parts: Sequence[tuple[Any, Truth]], samples: Samples) -> Way:
    """How a head with equal weights, or none, uses them."""
    supports = [weights > 0 for weights, _ in parts]
    if not head.divided:
        single = all(
            bool((support.sum(axis=2) == 1)[considered].all())
            for support, considered in zip(supports, samples.considered, strict=True)
        )
        return "reads" if single else "sums over"
    if head.scores is None or not less_maximum(network, head.scores[0]):
        return "averages over"
    same = all(
        bool((support == hard)[considered].all())
        for support, hard, considered in zip(
            supports, highest(network, head, parts, samples), samples.considered, strict=True
        )
    )
    return "averages over the y whose score is largest:" if same else "averages over"


def less_maximum(network: Network, name: str) -> bool:
    """Tell whether scores have their largest one over y subtracted."""
    node = network.by_name[name]
    sources = [network.by_name[one.ref.node] for one in node.operands] if isinstance(node, Affine) else []
    return any(isinstance(source, Maximum) and source.guard is not None for source in sources)


def beside_first(truths: Sequence[Truth], pairs: Pairs) -> Formula | None:
    """The formula of a head that attends to position 1 where nothing satisfies the formula."""
    resting = [part[:, :, 0] & (part.sum(axis=2) == 1) for part in truths]
    rest, truth = pairs.rows(resting), pairs.flat(truths)
    if not rest.any() or rest.all():
        return None
    wanted = truth & ~rest
    formula = pairs.formula(wanted, np.ones_like(wanted))
    if formula is None:
        first = pairs.of_formulas([Compare("=", Term((("y", 1),)), Term((), 0, 1))])[0]
        formula = pairs.formula(wanted, ~(rest & first))
    return formula


def highest(network: Network, head: Head, parts: Sequence[tuple[Any, Truth]], samples: Samples) -> list[Truth]:
    """Where a head's score is the largest, among the positions that it looks at."""
    found = []
    for (weights, allowed), words in zip(parts, samples.words, strict=True):
        scores = weights
        if head.scores is not None:
            name, place = head.scores
            scores = evaluate(network, words, [name])[name][..., place]
        hidden = np.where(allowed, scores, np.iinfo(np.int64).min)
        found.append(allowed & (hidden == hidden.max(axis=2, keepdims=True)))
    return found
