"""Normal forms of definitions: integer multiples of atoms, of n and of 1, compared with 0 if the definition is a relation.

Variables are numbered by depth, parameters first, and conditions on positions are written as the circuit's guards. An atom is
``("letter", a, (t,))``, ``("bit", p, terms)``, ``("sum", s, terms)``, ``("guard", g)``, or ``("count", g, atom)``: the atom added
over the positions with g, or the number of these if the atom is None. What is not in this shape has no normal form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from math import gcd
from typing import Any, TypeAlias

from circuits import positions
from circuits.positions import FALSE, TRUE, Guard, conjunction, guard_to_data, negation
from logic import syntax as fo

Atom: TypeAlias = Any
Scope = dict[str, int]

CACHED = 1 << 14
VARIABLES = tuple(positions.var(number) for number in range(64))


class Shapeless(Exception):
    """A formula without normal form."""


@dataclass(slots=True)
class Form:
    """``sum(coef * atom) + length * n + const``; of a relation: true iff that is at least 0."""

    terms: dict[Atom, int] = field(default_factory=dict)
    length: int = 0
    const: int = 0

    def add(self, atom: Atom, coef: int) -> None:
        """Add a multiple of an atom."""
        total = self.terms.get(atom, 0) + coef
        if total:
            self.terms[atom] = total
        else:
            self.terms.pop(atom, None)

    def added(self, other: Form, factor: int = 1) -> Form:
        """Add a multiple of another form."""
        for atom, coef in other.terms.items():
            self.add(atom, coef * factor)
        self.length += factor * other.length
        self.const += factor * other.const
        return self

    def divided(self) -> Form:
        """The same comparison with 0, divided by the common divisor of its coefficients."""
        divisor = gcd(self.length, *self.terms.values())
        if not divisor:
            return Form({}, 0, 0 if self.const >= 0 else -1)
        terms = {atom: coef // divisor for atom, coef in self.terms.items()}
        return Form(terms, self.length // divisor, self.const // divisor)


@lru_cache(maxsize=CACHED)
def sorted_guard(guard: Guard) -> Guard:
    """A guard with its trivial parts decided and the parts of conjunctions and disjunctions in a fixed order."""
    match positions.substitute(guard, VARIABLES):
        case positions.All(parts):
            return positions.All(tuple(sorted(map(sorted_guard, parts), key=lambda part: repr(guard_to_data(part)))))
        case positions.Any_(parts):
            return positions.Any_(tuple(sorted(map(sorted_guard, parts), key=lambda part: repr(guard_to_data(part)))))
        case positions.Not(part):
            return negation(sorted_guard(part))
        case other:
            return other


def place(term: fo.Term, scope: Scope) -> positions.Term:
    """An index term over numbered variables."""
    return placed(term, tuple([(scope.get(name, -1), coef) for name, coef in term.coefs]))


@lru_cache(maxsize=CACHED)
def placed(term: fo.Term, coefs: tuple[tuple[int, int], ...]) -> positions.Term:
    """The index term with these multiples of numbered variables."""
    if any(number < 0 for number, _ in coefs):
        raise Shapeless
    return positions.Term(tuple(sorted(coefs)), term.n, term.const)


def guard_of(phi: fo.Formula, scope: Scope) -> Guard:
    """A condition on positions as a guard.

    Raises:
        Shapeless: it is none, or has quantifiers other than those of a congruence.
    """
    match phi:
        case fo.Truth(value):
            return TRUE if value else FALSE
        case fo.Compare(op, left, right):
            difference = place(right, scope) - place(left, scope)
            if op == "=":
                return positions.Equals(place(left, scope) - place(right, scope))
            return positions.AtLeast(difference if op == "<=" else difference - 1)
        case fo.Bit(number, index):
            return positions.Bit(place(number, scope), place(index, scope))
        case fo.Not(body):
            return positions.Not(guard_of(body, scope))
        case fo.And(parts):
            return positions.All(tuple(guard_of(part, scope) for part in parts))
        case fo.Or((fo.Compare("=", whole, fo.Term((), 0, 0)), fo.Exists(q, fo.Or(sides)))):
            return multiple_of(place(whole, scope), q, sides, scope)
        case fo.Or(parts):
            return positions.Any_(tuple(guard_of(part, scope) for part in parts))
        case _:
            raise Shapeless


def multiple_of(whole: positions.Term, q: str, sides: tuple[fo.Formula, ...], scope: Scope) -> Guard:
    """Read "t = 0, or some position q has m*q = t or -m*q = t" as a congruence, where |t| is at most m*n at all positions."""
    depth = len(scope)
    inner = {**scope, q: depth}
    moduli = set()
    for side in sides:
        match side:
            case fo.Compare("=", left, right) if place(right, inner) == whole:
                multiple = place(left, inner)
                if len(multiple.coefs) != 1 or multiple.coefs[0][0] != depth or multiple.n_coef or multiple.const:
                    raise Shapeless
                moduli.add(multiple.coefs[0][1])
            case _:
                raise Shapeless
    modulus = max(moduli)
    if moduli != {modulus, -modulus} or modulus < 2:
        raise Shapeless
    for term in (whole, -whole):
        slope = term.n_coef + sum(coef for _, coef in term.coefs if coef > 0) - modulus
        if slope > 0 or slope + term.const + sum(coef for _, coef in term.coefs if coef < 0) > 0:
            raise Shapeless
    return positions.Congruent(whole, modulus)


def try_guard(phi: fo.Formula, scope: Scope) -> Guard | None:
    """A condition on positions in normal form; None if it is none."""
    match phi:
        case fo.Letter() | fo.Call() | fo.Linear() | fo.Exists():
            return None
    return guard_in(phi, tuple(scope.items()))


@lru_cache(maxsize=CACHED)
def guard_in(phi: fo.Formula, scope: tuple[tuple[str, int], ...]) -> Guard | None:
    """A condition on positions in normal form; None if it is none."""
    try:
        return sorted_guard(guard_of(phi, dict(scope)))
    except Shapeless:
        return None


def atom_of(node: fo.Formula | fo.Item, scope: Scope) -> Atom:
    """A letter, a defined relation or a defined sum."""
    match node:
        case fo.Letter(name, term):
            return "letter", name, (place(term, scope),)
        case fo.Call(name, args):
            return "bit", name, tuple([place(arg, scope) for arg in args])
        case fo.SumCall(name, args):
            return "sum", name, tuple([place(arg, scope) for arg in args])
        case fo.Indicator(phi):
            return atom_of(phi, scope)
        case _:
            raise Shapeless


def gate(phi: fo.Formula, scope: Scope) -> Form:
    """The form that is at least 0 exactly where a formula holds.

    Raises:
        Shapeless: it has no normal form.
    """
    match phi:
        case fo.Linear(total, bound):
            return sum_of(total, scope).added(Form({}, 0, -bound))
        case fo.Letter() | fo.Call():
            return Form({atom_of(phi, scope): 1}, 0, -1)
        case fo.Exists(variable, body):
            return at_least_one([exists(variable, body, scope)])
    guard = try_guard(phi, scope)
    if guard is not None:
        return guard_gate(guard)
    match phi:
        case fo.Not(body):
            return Form().added(gate(body, scope), -1).added(Form({}, 0, -1))
        case fo.And():
            where, rest = split(phi, scope)
            form = Form({}, 0, -len(rest))
            for part in rest:
                form.add(atom_of(part, scope), 1)
            return form if where == TRUE else form.added(guard_gate(where))
        case fo.Or(parts):
            return at_least_one(
                exists(part.variable, part.body, scope)
                if isinstance(part, fo.Exists)
                else Form({atom_of(part, scope): 1})
                for part in parts
            )
        case _:
            raise Shapeless


def at_least_one(forms: Any) -> Form:
    """Some of these forms, which are never negative, is at least 1."""
    result = Form({}, 0, -1)
    for form in forms:
        result.added(form)
    return result


def guard_gate(guard: Guard) -> Form:
    """A guard as a relation."""
    if guard in (TRUE, FALSE):
        return Form({}, 0, 0 if guard == TRUE else -1)
    return Form({("guard", guard): 1}, 0, -1)


def split(phi: fo.Formula, scope: Scope) -> tuple[Guard, list[fo.Formula]]:
    """The conditions on positions in a conjunction, and the rest."""
    guards: list[Guard] = []
    rest: list[fo.Formula] = []
    stack = [phi]
    while stack:
        part = stack.pop()
        if isinstance(part, fo.And):
            stack.extend(reversed(part.parts))
            continue
        guard = try_guard(part, scope)
        if guard is None:
            rest.append(part)
        else:
            guards.append(guard)
    return sorted_guard(conjunction(*guards)), rest


def exists(variable: str, body: fo.Formula, scope: Scope) -> Form:
    """How many of the literals that a quantified formula disjoins hold, over all positions with its guard."""
    inner = {**scope, variable: len(scope)}
    guard, rest = split(body, inner)
    if len(rest) > 1:
        raise Shapeless
    parts = rest[0].parts if rest and isinstance(rest[0], fo.Or) else rest
    form = Form()
    for part in parts:
        add_count(form, guard, atom_of(part, inner), 1)
    if not rest:
        add_count(form, guard, None, 1)
    return form


def add_count(form: Form, guard: Guard, atom: Atom, coef: int) -> None:
    """Add a multiple of a count."""
    if guard == TRUE and atom is None:
        form.length += coef
    elif guard != FALSE:
        form.add(("count", guard, atom), coef)


def sum_of(total: fo.Sum, scope: Scope) -> Form:
    """The form of a counting term."""
    form = Form({}, total.length, total.const)
    for coef, item in total.items:
        if isinstance(item, fo.Count):
            form.added(count(item, scope), coef)
            continue
        guard = try_guard(item.formula, scope) if isinstance(item, fo.Indicator) else None
        if guard in (TRUE, FALSE):
            form.const += coef * (guard == TRUE)
        else:
            form.add(("guard", guard) if guard is not None else atom_of(item, scope), coef)
    return form


def count(item: fo.Count, scope: Scope) -> Form:
    """The form of a count with one literal, or with a weight that is a sum of literals and sums."""
    inner = {**scope, item.variable: len(scope)}
    guard, rest = split(item.condition, inner)
    weight = sum_of(item.weight, inner)
    form = Form()
    if rest:
        if len(rest) > 1 or weight.terms or weight.length:
            raise Shapeless
        add_count(form, guard, atom_of(rest[0], inner), weight.const)
        return form
    if weight.length or any(atom[0] in ("count", "guard") for atom in weight.terms):
        raise Shapeless
    for atom, coef in weight.terms.items():
        add_count(form, guard, atom, coef)
    add_count(form, guard, None, weight.const)
    return form
