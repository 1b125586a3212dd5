"""The linear form of a definition of a sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from logic.proving import guards
from logic.proving.forms import LENGTH, Form, guard_gate, natural_of, negated, summed, truth, value_of
from logic.proving.guards import Guard, level_name, rename
from logic.syntax import (
    And,
    Call,
    Count,
    Definition,
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
    all_of,
    any_of,
)
from logic.walk import Part, postorder


@dataclass(frozen=True, slots=True)
class Scope:
    """The variables in scope with their canonical names; `plain` if each is its own."""

    names: Mapping[str, str]
    level: int
    plain: bool

    @staticmethod
    def of(variables: tuple[str, ...]) -> Scope:
        """The scope of parameters."""
        names = {name: level_name(level) for level, name in enumerate(variables)}
        return Scope(names, len(variables), all(name == canonical for name, canonical in names.items()))

    def bind(self, variable: str) -> Scope:
        """The scope below a quantifier or a count."""
        canonical = level_name(self.level)
        names = {**self.names, variable: canonical}
        return Scope(names, self.level + 1, self.plain and variable == canonical)


class SentenceForms:
    """Reads definitions as forms. Formulas may be nested deeply: call it within `deep_recursion`."""

    def __init__(self) -> None:
        self.positional: dict[Part, bool] = {}
        self.seen: set[Part] = set()
        self.values: dict[tuple[Formula, tuple[str, ...], int], Form] = {}

    def of_definition(self, definition: Definition) -> Form:
        """The form of a sum, or of a relation as a gate, over parameters named by position."""
        scope = Scope.of(definition.params)
        body = definition.body
        return self.sum(body, scope) if isinstance(body, Sum) else self.gate(body, scope)

    def is_positional(self, phi: Formula) -> bool:
        """Tell whether a formula is a condition on positions alone."""
        known = self.positional
        if phi not in known:
            for node in postorder(phi, self.seen):
                match node:
                    case Letter() | Call() | SumCall() | Linear() | Count() | Sum() | Indicator():
                        known[node] = False
                    case And(parts) | Or(parts):
                        known[node] = all(known[part] for part in parts)
                    case Not(body) | Exists(_, body) | Forall(_, body) | Majority(_, body):
                        known[node] = known[body]
                    case Implies(left, right) | Iff(left, right):
                        known[node] = known[left] and known[right]
                    case _:
                        known[node] = True
        return known[phi]

    # Formulas.

    def gate(self, phi: Formula, scope: Scope) -> Form:
        """The form that is at least 0 exactly where `phi` is true."""
        match phi:
            case Linear(total, bound):
                form = self.sum(total, scope)
                form.const -= bound
                return form
            case Letter() | Call():
                return Form({self.atom(phi, scope): 1}, 0, -1)
            case Truth(value):
                return truth(value)
        if self.is_positional(phi):
            return guard_gate(guards.of_formula(phi, scope.names, scope.level))
        match phi:
            case Not(body):
                return negated(self.gate(body, scope))
            case And():
                parts = conjuncts(phi, self.is_positional)
                form = Form({}, 0, -len(parts))
                for part in parts:
                    form.add(self.value(part, scope))
                return form
            case Or(parts):
                form = Form({}, 0, -1)
                for part in parts:
                    form.add(natural_of(self.gate(part, scope)))
                return form
            case Implies(left, right):
                return self.gate(Or((Not(left), right)), scope)
            case Iff():
                form = Form({}, 0, -1)
                form.add(self.value(phi, scope))
                return form
            case Exists(variable, body):
                guard, rest = self.split(body, scope.bind(variable))
                form = Form({}, 0, -1)
                form.add(summed(guard, natural_of(self.gate(all_of(rest), scope.bind(variable)))))
                return form
            case Forall(variable, body):
                return negated(self.gate(Exists(variable, opposite(body)), scope))
            case Majority(variable, body):
                form = Form({}, -1, 0)
                form.add(self.count(variable, body, scope), 2)
                return form
            case _:
                raise TypeError(f"not a formula: {type(phi).__name__}")

    def value(self, phi: Formula, scope: Scope) -> Form:
        """The form that is 1 where `phi` is true and 0 elsewhere."""
        if isinstance(phi, Letter | Call):
            return Form({self.atom(phi, scope): 1})
        key = phi, tuple([scope.names[name] for name in sorted(phi.free)]), scope.level
        if key not in self.values:
            if isinstance(phi, Iff) and not self.is_positional(phi):
                sides = frozenset([self.value(part, scope).freeze() for part in (phi.left, phi.right)])
                self.values[key] = Form({("iff", sides): 1}) if len(sides) == 2 else Form({}, 0, 1)
            else:
                self.values[key] = value_of(self.gate(phi, scope))
        return self.values[key]

    def atom(self, node: Letter | Call | SumCall, scope: Scope) -> Letter | Call | SumCall:
        """The atom with its variables renamed."""
        if scope.plain:
            return node
        if isinstance(node, Letter):
            return Letter(node.name, rename(node.term, scope.names))
        return type(node)(node.name, tuple([rename(term, scope.names) for term in node.args]))

    def split(self, phi: Formula, scope: Scope) -> tuple[Guard, list[Formula]]:
        """The conjuncts of a formula: those on positions alone as a guard, and the others."""
        parts = conjuncts(phi, self.is_positional)
        rest = [part for part in parts if not self.is_positional(part)]
        where = [guards.of_formula(part, scope.names, scope.level) for part in parts if self.is_positional(part)]
        return guards.conjunction(where), rest

    # Sums.

    def sum(self, total: Sum, scope: Scope) -> Form:
        """The form of a counting term."""
        form = Form({}, total.length, total.const)
        terms = form.terms
        for coef, item in total.items:
            key: Part | None = None
            if isinstance(item, Indicator):
                phi = item.formula
                if isinstance(phi, Letter | Call):
                    key = phi if scope.plain else self.atom(phi, scope)
            elif isinstance(item, SumCall):
                key = item if scope.plain else self.atom(item, scope)
            if key is None:
                form.add(self.item(item, scope), coef)
            elif key in terms or not coef:
                form.add_key(key, coef)
            else:
                terms[key] = coef
        return form

    def item(self, item: Item, scope: Scope) -> Form:
        """The form of an indicator or a count."""
        match item:
            case Indicator(phi):
                return self.value(phi, scope)
            case Count(variable, condition, weight):
                return self.count(variable, condition, scope, weight)
            case _:
                raise TypeError(f"not an item: {type(item).__name__}")

    def count(self, variable: str, condition: Formula, scope: Scope, weight: Sum | None = None) -> Form:
        """The form of ``#variable[condition : weight]``: a weighted count distributes over its weight."""
        inner = scope.bind(variable)
        guard, rest = self.split(condition, inner)
        added = Form({}, 0, 1) if weight is None else self.sum(weight, inner)
        if not rest:
            return summed(guard, added)
        chosen = self.value(all_of(rest), inner)
        product = Form()
        product.add(chosen, added.const)
        frozen = chosen.freeze()
        for key, coef in added.terms.items():
            product.add_key(("product", frozen, key), coef)
        if added.length:
            product.add_key(("product", frozen, LENGTH), added.length)
        return summed(guard, product)


def conjuncts(phi: Formula, is_whole: Callable[[Formula], bool]) -> list[Formula]:
    """The parts of a conjunction, through conjunctions and, unless `is_whole`, negations of disjunctions and implications."""
    found: list[Formula] = []
    stack = [phi]
    while stack:
        part = stack.pop()
        match part:
            case And(parts):
                stack.extend(reversed(parts))
            case Not(Or(parts)) if not is_whole(part):
                stack.extend(Not(inner) for inner in reversed(parts))
            case Not(Implies(left, right)) if not is_whole(part):
                stack.extend((Not(right), left))
            case Not(Not(inner)):
                stack.append(inner)
            case _:
                found.append(part)
    return found


def opposite(phi: Formula) -> Formula:
    """The negation, moved inwards one step."""
    match phi:
        case Not(body):
            return body
        case Implies(left, right):
            return And((left, Not(right)))
        case Or(parts):
            return all_of([opposite(part) for part in parts])
        case And(parts):
            return any_of([opposite(part) for part in parts])
        case _:
            return Not(phi)
