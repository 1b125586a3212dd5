"""Walking over formulas: children, and each node once in postorder, without recursion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

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


def _body(node: Any) -> tuple[Part, ...]:
    return (node.body,)


def _parts(node: Any) -> tuple[Part, ...]:
    return node.parts


def _sides(node: Any) -> tuple[Part, ...]:
    return node.left, node.right


def _none(_: Any) -> tuple[Part, ...]:
    return ()


# A table and not a `match`: evaluation and checking ask for the children of every node.
_CHILDREN: dict[type, Callable[[Any], tuple[Part, ...]]] = {
    Sum: lambda node: tuple([item for _, item in node.items]),
    Indicator: lambda node: (node.formula,),
    Count: lambda node: (node.condition, node.weight),
    Linear: lambda node: (node.sum,),
    **dict.fromkeys((Not, Forall, Exists, Majority), _body),
    **dict.fromkeys((And, Or), _parts),
    **dict.fromkeys((Implies, Iff), _sides),
    **dict.fromkeys((Letter, Call, SumCall, Compare, Bit, Truth), _none),
}


def children(node: Part) -> tuple[Part, ...]:
    """Return the nodes directly below `node`, in order; index terms are not nodes."""
    return _CHILDREN[type(node)](node)


def postorder(
    root: Part, seen: set[Part] | None = None, below: Callable[[Part], tuple[Part, ...]] = children
) -> Iterator[Part]:
    """Yield each node below and including `root` once, children first; skip and extend `seen`."""
    done: set[Part] = set() if seen is None else seen
    stack: list[Part | None] = [root]  # None: the node below it is next, its children are done
    while stack:
        node = stack.pop()
        if node is None:
            ready = stack.pop()
            if ready is not None:
                yield ready
        elif node not in done:
            done.add(node)
            parts = below(node)
            if parts:
                stack += (node, None)
                stack += [child for child in reversed(parts) if child not in done]
            else:
                yield node
