"""What a pure sentence may contain: the full pure dialect, and the minimal one over <, = and bit."""

from __future__ import annotations

from collections.abc import Iterator

from logic.syntax import Bit, Call, Compare, Count, Formula, Indicator, Letter, Linear, Sentence, Sum, SumCall, Term
from logic.walk import postorder


def violations(sentence: Sentence, minimal: bool = False) -> Iterator[str]:
    """Say what keeps a sentence from being pure; nothing if it is.

    A pure sentence has no counting atoms, counts, indicators and sums. In the minimal dialect every index term is a variable, and
    comparisons are ``x = y`` and ``x < y``.
    """
    seen: set[Formula] = set()
    for name, root in [
        *((one.name, one.body) for one in sentence.definitions),
        ("the final formula", sentence.formula),
    ]:
        for node in postorder(root, seen):  # type: ignore[arg-type]
            if isinstance(node, Linear | Sum | Count | Indicator | SumCall):
                yield f"{name}: a {type(node).__name__}"
            elif minimal and any(term.variable is None for term in terms_of(node)):
                yield f"{name}: a term in `{node}`"
            elif minimal and isinstance(node, Compare) and node.op == "<=":
                yield f"{name}: <= in `{node}`"


def terms_of(node: object) -> tuple[Term, ...]:
    """The index terms of an atom; none for other nodes."""
    match node:
        case Letter(_, term):
            return (term,)
        case Call(_, args):
            return args
        case Compare(_, left, right):
            return left, right
        case Bit(number, index):
            return number, index
        case _:
            return ()
