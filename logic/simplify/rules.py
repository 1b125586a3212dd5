"""The shape of a law, and what a rule may know beside the formula it is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from logic.simplify.ranges import Range
from logic.syntax import Compare, Definition, Formula, Not, Truth

Rule = Callable[[Any, "Facts"], Any]
"""From a node, whose children are simplified, to a node that means the same, or None where the law says nothing."""


@dataclass(slots=True)
class Facts:
    """What is known of the definitions above the formula at hand.

    Attributes:
        inlined: definitions to be put in the place of their calls.
        ranges: of defined sums.
    """

    inlined: dict[str, Definition] = field(default_factory=dict)
    ranges: dict[str, Range] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Law:
    """One law.

    Attributes:
        name: what it is called in reports.
        statement: the equation, from left to right, in the language of sentences (``...`` for more of the same).
        kinds: the kinds of nodes it can change.
        rule: applies it at the root of a node.
        cases: pairs of a left side and what the rule makes of it, in the text form; propositions p, q, r, letters a, b, c
            and the defined sums s(x), t(x) and u() stand for anything of their kind.
        condition: when it holds, if not always.
    """

    name: str
    statement: str
    kinds: tuple[type, ...]
    rule: Rule
    cases: tuple[tuple[str, str], ...]
    condition: str = ""


def opposite(phi: Formula) -> Formula:
    """The negation of a formula, without a double negation and with orders turned round."""
    match phi:
        case Not(body):
            return body
        case Truth(value):
            return Truth(not value)
        case Compare("<", left, right):
            return Compare("<=", right, left)
        case Compare("<=", left, right):
            return Compare("<", right, left)
        case _:
            return Not(phi)
