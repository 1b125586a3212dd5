"""Largest values over positions: what a maximum ranges over, and where the largest values stand.

The maximum of scores that a softmax subtracts is no part of what is computed, and is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.evaluate import evaluate
from circuits.network import Affine, Maximum, Network
from circuits.positions import TRUE as EVERY
from circuits.positions import Guard, format_term, grid, holds, substitute, var
from logic.family_to_sentence import guard_to_formula
from logic.searching.inside_pairs import Pairs
from logic.searching.samples import Truth
from logic.syntax import TRUE, Formula

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_ELEMENTS = 64


@dataclass(frozen=True)
class Largest:
    """What a maximum computes.

    Attributes:
        name: its node, or elements of it.
        text: the meaning, to be read after the name.
    """

    name: str
    text: str


def maxima(network: Network) -> list[Maximum]:
    """The maxima over positions, or over neighbours, whose values are used for themselves."""
    return [
        node for node in network.nodes
        if isinstance(node, Maximum) and node.n_positions <= 1 and not is_subtracted(network, node)
        and (is_over_positions(node) or len(neighbours(node)) > 1)
    ]  # fmt: skip


def is_over_positions(node: Maximum) -> bool:
    """Tell whether it ranges over y, and what it compares depends on y alone."""
    return node.guard is not None and node.operand.at == (var(node.n_positions),)


def guard_of(node: Maximum) -> Guard:
    """Over which y a maximum ranges."""
    return EVERY if node.guard is None else node.guard


def neighbours(node: Maximum) -> list[str]:
    """The fixed distances at which a maximum without bound variable reads, if it compares several."""
    if node.guard is not None or node.n_positions != 1:
        return []
    refs = [*(ref for ref, _ in node.segments), node.operand]
    return list(dict.fromkeys(format_term(ref.at[0], ("x",)) for ref in refs if len(ref.at) == 1))


def is_subtracted(network: Network, node: Maximum) -> bool:
    """Tell whether it is only subtracted from what it is the largest of."""
    readers = [
        other for other in network.nodes
        if isinstance(other, Affine) and any(one.ref.node == node.name for one in other.operands)
    ]  # fmt: skip
    sources = {node.operand.node}
    return bool(readers) and all(sources & {one.ref.node for one in other.operands} for other in readers)


def largest_values(network: Network, pairs: Pairs) -> list[Largest]:
    """What the maxima of a network compute, on the words of the pairs."""
    found: list[Largest] = []
    for node in maxima(network):
        if not is_over_positions(node):
            at = neighbours(node)
            found.append(Largest(node.name, f"takes the largest value at {', '.join(at[:-1])} and {at[-1]}"))
            continue
        allowed = guard_to_formula(substitute(guard_of(node), (var(0), var(1))[1 - node.n_positions :]))
        found.append(Largest(node.name, f"takes the largest value of {node.operand.node} over {positions(allowed)}"))
        found += standing(network, node, pairs)
    return found


def positions(formula: Formula) -> str:
    """The positions y with a formula, in words."""
    return "every position y" if formula == TRUE else f"the positions y with {formula}"


def standing(network: Network, node: Maximum, pairs: Pairs) -> list[Largest]:
    """Where the largest value of each element stands, wherever not all values are equal, if a short formula says it."""
    by_formula: dict[Formula, list[int]] = {}
    truths = [places(network, node, words) for words in pairs.samples.words]
    for element in range(min(node.size, MOST_ELEMENTS)):
        attained = pairs.flat([truth[..., element] for truth, _ in truths])
        seen = pairs.flat([differ[..., element] for _, differ in truths])
        if seen.any() and (formula := pairs.formula(attained, seen)) is not None:
            by_formula.setdefault(formula, []).append(element)
    return [
        Largest(
            node.name + ", ".join(f"[{element}]" for element in elements),
            f"has its largest value at {positions(formula)}, wherever the values differ",
        )
        for formula, elements in by_formula.items()
    ]


def places(network: Network, node: Maximum, words: Integers) -> tuple[Truth, Truth]:
    """Where the largest values stand ``(B, n, n, size)``, with x first, and for which x the values compared are not all equal."""
    n = words.shape[1]
    values = evaluate(network, words, [node.operand.node])[node.operand.node]
    compared = values[..., node.groups].max(axis=-1)[:, None]
    allowed = np.broadcast_to(holds(guard_of(node), n, grid(n, node.n_positions + 1)), (n,) * (node.n_positions + 1))
    allowed = np.broadcast_to(allowed.reshape((1, -1, n, 1)), (1, n, n, 1))
    hidden = np.where(allowed, compared, np.iinfo(np.int64).min)
    attained = allowed & (hidden == hidden.max(axis=2, keepdims=True))
    differ = (attained != allowed).any(axis=2, keepdims=True)
    shape = (len(words), n, n, node.size)
    return np.broadcast_to(attained, shape), np.broadcast_to(differ & allowed, shape)
