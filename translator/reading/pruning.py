"""Drop nodes that the output does not need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from translator.real import Features, Letters, Linear, Map, Maximum, Multiply, Predicates, Ratio, RealNode, Sum


def operands_of(node: RealNode) -> Iterator[str]:
    """The names of the nodes that a node reads."""
    match node:
        case Letters() | Features() | Predicates():
            return
        case Linear(operands=operands):
            for operand in operands:
                yield operand.ref.node
        case Multiply(left=left, right=right):
            yield left.node
            yield right.node
        case Map(operand=ref) | Sum(operand=ref):
            yield ref.node
        case Maximum(operand=ref, segments=segments):
            yield ref.node
            for segment, _ in segments:
                yield segment.node
        case Ratio(num=num, den=den):
            yield num.node
            yield den.node


def prune(nodes: tuple[RealNode, ...], outputs: Iterable[str]) -> tuple[RealNode, ...]:
    """Keep the inputs and what `outputs` need, in the same order."""
    needed = set(outputs)
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(operands_of(node))
    return tuple(node for node in nodes if node.name in needed or isinstance(node, Letters | Features))
