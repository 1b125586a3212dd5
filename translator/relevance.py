"""Relevance: at which positions a node's value is ever used.

Under a causal mask the scores above the diagonal are computed by nobody. The values seen there must not widen a format.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits.positions import (
    FALSE,
    TRUE,
    All,
    Any_,
    AtLeast,
    Bit,
    Congruent,
    Equals,
    Guard,
    Not,
    Ref,
    conjunction,
    disjunction,
    var,
)
from translator import real


def relevance(network: real.RealNetwork, keep: Sequence[str] = ()) -> dict[str, Guard]:
    """A guard over each node's own positions, outside of which no output depends on the node's value.

    Outputs are the decision, the tensors that were asked for, and the nodes to `keep`.
    """
    positions = {node.name: node.n_positions for node in network.nodes}
    found: dict[str, Guard] = dict.fromkeys(positions, FALSE)

    def use(ref: Ref, condition: Guard) -> None:
        plain = ref.at == tuple(var(v) for v in range(len(ref.at))) and max(variables(condition), default=-1) < len(
            ref.at
        )
        found[ref.node] = disjunction(found[ref.node], condition if plain else TRUE)

    for name in keep:
        found[name] = TRUE
    for tensor in network.outputs:
        for _, ref in tensor.parts:
            use(ref, TRUE)
    if not (keep or network.outputs) or network.output is not None:
        use(network.decision.ref, TRUE)
    for node in reversed(network.nodes):
        own = found[node.name]
        if own == FALSE:
            continue
        for ref, guard in reads(node):
            use(ref, own if guard is None else conjunction(own, guard))
    return found


def variables(guard: Guard) -> set[int]:
    """The position variables that a guard mentions."""
    match guard:
        case AtLeast(term) | Equals(term) | Congruent(term, _):
            return {variable for variable, _ in term.coefs}
        case Bit(number, place):
            return {variable for term in (number, place) for variable, _ in term.coefs}
        case Not(part):
            return variables(part)
        case All(parts) | Any_(parts):
            return set().union(*map(variables, parts))


def reads(node: real.RealNode) -> list[tuple[Ref, Guard | None]]:
    """The references of a node, each with the guard under which it is read."""
    match node:
        case real.Letters() | real.Features() | real.Predicates():
            return []
        case real.Linear(operands=operands):
            return [(operand.ref, None) for operand in operands]
        case real.Multiply(left=left, right=right):
            return [(left, None), (right, None)]
        case real.Map(operand=operand):
            return [(operand, None)]
        case real.Sum(operand=operand, guard=guard):
            return [(operand, guard)]
        case real.Maximum(operand=operand, guard=guard, segments=segments):
            return [(operand, guard), *((ref, None) for ref, _ in segments)]
        case real.Ratio(num=num, den=den):
            return [(num, None), (den, None)]
