"""Laws of definitions: calls of trivial ones are put in place, equal ones are one, unused ones go.

A defined relation is false and a defined sum 0 where an argument is not a position, whatever the body says; so a body is put in
place as it is only where the arguments are positions, or where the body is false or 0 outside by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from logic.simplify.linear import Itemwise
from logic.simplify.ranges import all_inside, inside
from logic.simplify.rules import Facts, Law
from logic.simplify.substitution import CanonicalNames, instantiate
from logic.syntax import (
    Bit,
    Call,
    Compare,
    Definition,
    Formula,
    Indicator,
    Item,
    Letter,
    Not,
    Sentence,
    Sum,
    SumCall,
    Term,
    Truth,
    all_of,
    var,
)
from logic.walk import Part, children, postorder

TRIVIAL = "trivial definition"
EQUAL = "equal definitions"
UNUSED = "unused definition"
ONCE = "definition used once"

STATEMENTS = (
    (EQUAL, "let d(x) := a(x); let e(y) := a(y); e(t) ≡ d(t)", "the bodies are equal up to the names of variables"),
    (UNUSED, "let d(x) := a(x); p ≡ p", "nothing that is left reads it"),
    (
        ONCE,
        "let d(x) := a(x) & b(x); d(x) ≡ a(x) & b(x)",
        "on demand; the only call is d(x) itself, and the body is flat",
    ),
)
"""Names, statements and conditions of the laws that speak of a sentence and not of a formula."""


def vanishes_outside(definition: Definition) -> bool:
    """Tell whether a body is false or 0 by itself where a parameter is not a position."""
    atom: Part = definition.body
    while isinstance(atom, Sum | Indicator):
        if isinstance(atom, Indicator):
            atom = atom.formula
        elif len(atom.items) == 1 and not atom.length and not atom.const:
            atom = atom.items[0][1]
        else:
            return False
    if isinstance(atom, Letter):
        variables = {atom.term.variable}
    elif isinstance(atom, Call | SumCall):
        variables = {term.variable for term in atom.args}
    else:
        return False
    return variables >= set(definition.params)


def is_trivial(definition: Definition) -> bool:
    """Tell whether a body is an atom, a negated letter or relation, a number, or a multiple of one atomic item."""
    match definition.body:
        case Truth() | Letter() | Call() | Compare() | Bit() | Not(Letter() | Call()):
            return True
        case Sum(()) | Sum(((_, SumCall() | Indicator(Letter() | Call() | Compare())),), 0, 0):
            return True
    return False


def put_relation(node: Call, facts: Facts) -> Formula | None:
    """The body of a relation in the place of its call, with the condition that the arguments are positions."""
    definition = facts.inlined.get(node.name)
    if definition is None:
        return None
    body = instantiate(definition, node.args)
    if not isinstance(body, Formula):
        raise TypeError("a relation is called as one")
    guard = [] if vanishes_outside(definition) else [part for term in node.args for part in inside(term)]
    return all_of([*guard, body])


def put_sum(item: Item, facts: Facts) -> Sum | None:
    """The body of a sum in the place of its call, where the arguments are positions or the body vanishes outside."""
    definition = facts.inlined.get(item.name) if isinstance(item, SumCall) else None
    if not isinstance(item, SumCall) or definition is None:
        return None
    if not (all_inside(item.args) or vanishes_outside(definition)):
        return None
    body = instantiate(definition, item.args)
    return body if isinstance(body, Sum) else None


class Twins:
    """Finds definitions with equal bodies; `targets` are those that others are equal to."""

    def __init__(self) -> None:
        self.first: dict[tuple[int, Part], str] = {}
        self.names = CanonicalNames()
        self.targets: set[str] = set()

    def alias(self, definition: Definition) -> Definition | None:
        """The definition as a call of an earlier one with the same body, if there is one."""
        key = len(definition.params), self.names.of(definition)
        name = self.first.setdefault(key, definition.name)
        if name == definition.name:
            return None
        self.targets.add(name)
        args: tuple[Term, ...] = tuple(map(var, definition.params))
        body = Sum(((1, SumCall(name, args)),)) if isinstance(definition.body, Sum) else Call(name, args)
        return Definition(definition.name, definition.params, body, definition.comment)


def needed(definitions: Sequence[Definition], formula: Formula, keep: Collection[str]) -> set[str]:
    """The names that the formula and the definitions in `keep` depend on."""
    by_name = {definition.name: definition for definition in definitions}
    found = {name for name in keep if name in by_name}
    seen: set[Part] = set()
    roots: list[Part] = [formula, *(by_name[name].body for name in sorted(found))]
    while roots:
        for node in postorder(roots.pop(), seen):
            if isinstance(node, Call | SumCall) and node.name in by_name and node.name not in found:
                found.add(node.name)
                roots.append(by_name[node.name].body)
    return found


def used_once(sentence: Sentence) -> set[str]:
    """The definitions that are read in one place, at their own parameters."""
    uses: Counter[Part] = Counter()
    calls: dict[str, list[Call | SumCall]] = {}
    seen: set[Part] = set()
    for root in [*(one.body for one in sentence.definitions), sentence.formula]:
        uses[root] += 1
        for node in postorder(root, seen):
            uses.update(children(node))
            if isinstance(node, Call | SumCall):
                calls.setdefault(node.name, []).append(node)
    chosen = set()
    for definition in sentence.definitions:
        found = calls.get(definition.name, [])
        args = tuple(map(var, definition.params))
        if len(found) == 1 and uses[found[0]] == 1 and found[0].args == args:
            chosen.add(definition.name)
    return chosen


LAWS = (
    Law(TRIVIAL, "let d(x) := a(x); d(t) ≡ a(t);  sum v(x) := 3; v(x) ≡ 3", (Call,), put_relation,
        (("yes(x)", "true"), ("yes(x + 1)", "x + 1 <= n & true"), ("same(x + 1)", "a(x + 1)"),
         ("never(x - 1)", "1 <= x - 1 & ~a(x - 1)")),
        "the body is an atom, a negated one, a number or a multiple of one item; where t may not be a position,"
        " 1 <= t & t <= n is added, or for a sum the law not applied"),
    Law(f"{TRIVIAL} of a sum", "sum v(x) := 3; v(x) ≡ 3;  sum w(x) := 2*s(x); w(t) ≡ 2*s(t)", (Sum,), Itemwise(put_sum),
        (("2*three(x) + [p]", "[p] + 6"), ("5*twice(x + 1)", "10*s(x + 1)"), ("three(x) + three(x + 1)", "three(x + 1) + 3")),
        "see above"),
)  # fmt: skip
