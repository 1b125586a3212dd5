"""Rebuilding nodes with other children, and substituting index terms for free variables without capture.

No recursion: formulas may be nested as deeply as memory allows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from logic.family_to_sentence import variable, variable_name
from logic.syntax import (
    And,
    Bit,
    Call,
    Compare,
    Count,
    Definition,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Indicator,
    Letter,
    Linear,
    Majority,
    Not,
    Or,
    Sum,
    SumCall,
    Term,
    at_least,
    var,
)
from logic.walk import Part, children, postorder

Environment = tuple[tuple[str, Term], ...]


def rebuilt(node: Part, below: Sequence[Any]) -> Part:
    """Build `node` anew over other children, given in the order of `logic.walk.children`."""
    match node:
        case Sum(items, length, const):
            return Sum(tuple([(coef, item) for (coef, _), item in zip(items, below, strict=True)]), length, const)
        case Indicator():
            return Indicator(below[0])
        case Count(variable):
            return Count(variable, below[0], below[1])
        case Linear(_, bound):
            return at_least(below[0], bound)
        case And() | Or():
            return type(node)(tuple(below))
        case Implies() | Iff():
            return type(node)(below[0], below[1])
        case Not():
            return Not(below[0])
        case Forall(variable) | Exists(variable) | Majority(variable):
            return type(node)(variable, below[0])
        case _:
            return node


def substitute_in_term(term: Term, values: Mapping[str, Term]) -> Term:
    """Substitute terms for variables of an index term."""
    if not any(name in values for name, _ in term.coefs):
        return term
    result = Term((), term.n, term.const)
    for name, coef in term.coefs:
        result = result + values.get(name, var(name)) * coef
    return result


def substitute(root: Part, values: Mapping[str, Term]) -> Part:
    """Substitute index terms for free variables; a bound variable that would capture one is renamed."""
    done: dict[tuple[Part, Environment], Part] = {}
    first = root, _restricted(values, root.free)
    stack = [first]
    while stack:
        key = stack[-1]
        node, environment = key
        if key in done:
            stack.pop()
            continue
        if not environment:
            done[key] = node
            continue
        moved, inner = _entered(node, dict(environment))
        keys = [(child, _restricted(inner, child.free)) for child in children(node)]
        pending = [one for one in keys if one not in done]
        if pending:
            stack.extend(pending)
            continue
        done[key] = rebuilt(moved, [done[one] for one in keys]) if keys else _atom(node, inner)
    return done[first]


def instantiate(definition: Definition, args: Sequence[Term]) -> Part:
    """The body of a definition at some arguments, which are taken to be positions of the word."""
    return substitute(definition.body, dict(zip(definition.params, args, strict=True)))


def _restricted(values: Mapping[str, Term], free: frozenset[str]) -> Environment:
    """The part of an environment that speaks of free variables and changes them."""
    return tuple([(name, values[name]) for name in sorted(free) if name in values and values[name].variable != name])


def _entered(node: Part, values: dict[str, Term]) -> tuple[Part, dict[str, Term]]:
    """The environment below a node; a quantifier or a count with its variable renamed where that is needed."""
    if not isinstance(node, Forall | Exists | Majority | Count):
        return node, values
    values.pop(node.variable, None)
    taken = {name for term in values.values() for name in term.free}
    if node.variable not in taken:
        return node, values
    inside = {name for child in children(node) for name in child.free}
    number = 1
    while f"{node.variable}{number}" in taken | inside:
        number += 1
    fresh = f"{node.variable}{number}"
    values[node.variable] = var(fresh)
    if isinstance(node, Count):
        return Count(fresh, node.condition, node.weight), values
    return type(node)(fresh, node.body), values


def _atom(node: Part, values: Mapping[str, Term]) -> Part:
    match node:
        case Letter(name, term):
            return Letter(name, substitute_in_term(term, values))
        case Call(name, args) | SumCall(name, args):
            return type(node)(name, tuple([substitute_in_term(term, values) for term in args]))
        case Compare(op, left, right):
            return Compare(op, substitute_in_term(left, values), substitute_in_term(right, values))
        case Bit(number, index):
            return Bit(substitute_in_term(number, values), substitute_in_term(index, values))
        case _:
            return node


Place = tuple[Part, Environment, int]


class CanonicalNames:
    """Names parameters and bound variables by place, so that bodies equal up to names become one node.

    What was named once is remembered, and a node that binds no variable is named as it stands if its free variables are.
    """

    def __init__(self) -> None:
        self.done: dict[Place, Part] = {}
        self.seen: set[Part] = set()
        self.unbound: set[Part] = set()

    def of(self, definition: Definition) -> Part:
        """The body of a definition over such names."""
        body, unbound = definition.body, self.unbound
        for node in postorder(body, self.seen):
            if not isinstance(node, Forall | Exists | Majority | Count) and unbound.issuperset(children(node)):
                unbound.add(node)
        values = {name: variable(place) for place, name in enumerate(definition.params)}
        return self.named((body, _restricted(values, body.free), len(values)))

    def named(self, first: Place) -> Part:
        """A node in an environment, below so many variables."""
        done, stack = self.done, [first]
        while stack:
            key = stack[-1]
            node, environment, level = key
            if key in done:
                stack.pop()
                continue
            if not environment and node in self.unbound:
                done[key] = node
                continue
            inner = dict(environment)
            moved: Part = node
            if isinstance(node, Forall | Exists | Majority | Count):
                inner[node.variable] = variable(level)
                moved = rebuilt_binder(node, variable_name(level))
                level += 1
            below = children(node)
            if inner:
                keys = [(child, _restricted(inner, child.free), level) for child in below]
            else:
                keys = [(child, (), level) for child in below]
            pending = [one for one in keys if one not in done]
            if pending:
                stack.extend(pending)
                continue
            after = [done[one] for one in keys]
            if moved is node and all(new is old for new, old in zip(after, below, strict=True)):
                done[key] = _atom(node, inner) if inner and not keys else node
            else:
                done[key] = rebuilt(moved, after)
        return done[first]


def rebuilt_binder(node: Forall | Exists | Majority | Count, variable: str) -> Formula | Count:
    """The same quantifier or count with another variable; its children are to be replaced."""
    if isinstance(node, Count):
        return Count(variable, node.condition, node.weight)
    return type(node)(variable, node.body)
