"""Walking over formulas: children, and each node once in postorder, without recursion."""

from __future__ import annotations

from collections.abc import Iterator

from logic.syntax import (
    And,
    Bit,
    Call,
    Compare,
    Count,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Indicator,
    Item,
    Letter,
    Linear,
    Majority,
    Not,
    Or,
    Sum,
    SumCall,
    Truth,
)

Part = Formula | Sum | Item


def children(node: Part) -> tuple[Part, ...]:
    """Return the nodes directly below `node`, in order; index terms are not nodes."""
    match node:
        case Sum():
            return tuple([item for _, item in node.items])
        case Indicator():
            return (node.formula,)
        case Not() | Forall() | Exists() | Majority():
            return (node.body,)
        case And() | Or():
            return node.parts
        case Linear():
            return (node.sum,)
        case Count():
            return node.condition, node.weight
        case Implies() | Iff():
            return node.left, node.right
        case Letter() | Call() | SumCall() | Compare() | Bit() | Truth():
            return ()
        case _:
            raise TypeError(f"not a node of a formula: {type(node).__name__}")


def postorder(root: Part, seen: set[Part] | None = None) -> Iterator[Part]:
    """Yield each node below and including `root` once, children first; skip and extend `seen`."""
    done: set[Part] = set() if seen is None else seen
    stack: list[tuple[Part, bool]] = [(root, False)]
    while stack:
        node, ready = stack.pop()
        if ready:
            yield node
        elif node not in done:
            done.add(node)
            below = children(node)
            if below:
                stack.append((node, True))
                stack.extend([(child, False) for child in reversed(below) if child not in done])
            else:
                yield node
