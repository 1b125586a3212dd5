"""Drop nodes that the output does not need."""

from __future__ import annotations

from collections.abc import Iterator

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


def prune(nodes: tuple[RealNode, ...], output: str) -> tuple[RealNode, ...]:
    """Keep the input and what `output` needs, in the same order."""
    needed = {output}
    for node in reversed(nodes):
        if node.name in needed:
            needed.update(operands_of(node))
    return tuple(node for node in nodes if node.name in needed or isinstance(node, Letters | Features))
