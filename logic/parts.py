"""The parts of which a formula, or its negation, is the conjunction or the disjunction; negations move inwards on the way."""

from __future__ import annotations

from logic.syntax import And, Formula, Implies, Not, Or

Signed = tuple[Formula, bool]
"""A formula, or its negation where the sign is false."""


def conjuncts(phi: Formula, positive: bool = True) -> list[Signed]:
    """The parts of a conjunction in order; the formula itself if it is none."""
    found: list[Signed] = []
    stack = [(phi, positive)]
    while stack:
        match stack.pop():
            case Not(body), sign:
                stack.append((body, not sign))
            case And(parts), True:
                stack.extend((part, True) for part in reversed(parts))
            case Or(parts), False:
                stack.extend((part, False) for part in reversed(parts))
            case Implies(left, right), False:
                stack += [(right, False), (left, True)]
            case part:
                found.append(part)
    return found


def disjuncts(phi: Formula, positive: bool = True) -> list[Signed]:
    """The parts of a disjunction in order; the formula itself if it is none."""
    return [(part, not sign) for part, sign in conjuncts(phi, not positive)]
