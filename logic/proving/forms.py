"""Linear forms: what a definition says, as integer coefficients of atoms.

A sum is a form. A formula is the form that is at least 0 exactly when the formula is true: the conjunction of k atoms is
"their sum less k", ``exists y`` a count less 1, a negation the form times -1 less 1. Whatever has no such form (a connective
below an atom that is no literal) becomes an atom of its own, so that nothing is lost. Atoms, called keys:

* a `Letter` or `Call` node (0 or 1), a `SumCall` node (any integer): interned, variables named by level;
* ``("guard", g)``: a condition on positions, 0 or 1;
* ``("count", g, key)``: the sum of a key over the positions with g, None standing for 1;
* ``("gate", form)``, ``("iff", forms)``: 0 or 1; ``("product", form, key)``, ``("length",)``: integers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd
from typing import Any

from logic.proving import guards
from logic.proving.guards import Guard
from logic.syntax import Formula

Key = Any
Frozen = tuple[frozenset[tuple[Key, int]], int, int]

LENGTH = ("length",)


@dataclass(slots=True)
class Form:
    """``sum(coefficient * key) + length * n + const``; no coefficient is 0."""

    terms: dict[Key, int] = field(default_factory=dict)
    length: int = 0
    const: int = 0

    def add(self, other: Form, factor: int = 1) -> None:
        """Add a multiple of another form."""
        for key, coef in other.terms.items():
            self.add_key(key, coef * factor)
        self.length += other.length * factor
        self.const += other.const * factor

    def add_key(self, key: Key, coef: int) -> None:
        """Add a multiple of one key."""
        total = self.terms.get(key, 0) + coef
        if total:
            self.terms[key] = total
        else:
            self.terms.pop(key, None)

    def freeze(self) -> Frozen:
        """A value that can be a part of a key."""
        return frozenset(self.terms.items()), self.length, self.const


def thaw(frozen: Frozen) -> Form:
    """The form of a frozen one."""
    return Form(dict(frozen[0]), frozen[1], frozen[2])


def truth(value: bool) -> Form:
    """The form that is always, or never, at least 0."""
    return Form({}, 0, 0 if value else -1)


def negated(form: Form) -> Form:
    """The form at least 0 exactly where the given one is not: over the integers, ``-f - 1``."""
    return Form({key: -coef for key, coef in form.terms.items()}, -form.length, -form.const - 1)


def reduced(form: Form) -> Form:
    """The gate divided by the common divisor of its coefficients; without any, 0 or -1."""
    divisor = gcd(form.length, *form.terms.values())
    if not divisor:
        return truth(form.const >= 0)
    if divisor == 1:
        return form
    terms = {key: coef // divisor for key, coef in form.terms.items()}
    return Form(terms, form.length // divisor, form.const // divisor)


def is_bit(key: Key) -> bool:
    """Tell whether a key is 0 or 1."""
    return isinstance(key, Formula) or (type(key) is tuple and key[0] in ("guard", "gate", "iff"))


def is_natural(key: Key) -> bool:
    """Tell whether a key is never negative."""
    if key is None or is_bit(key) or key == LENGTH:
        return True
    return type(key) is tuple and key[0] == "count" and is_natural(key[2])


def guard_gate(guard: Guard) -> Form:
    """A condition on positions as a gate."""
    if guard in (guards.TRUE, guards.FALSE):
        return truth(guard == guards.TRUE)
    return Form({("guard", guard): 1}, 0, -1)


def value_of(gate: Form) -> Form:
    """The form that is 1 where a gate fires and 0 elsewhere; a literal is its key, anything else becomes a key."""
    gate = reduced(gate)
    if not gate.terms and not gate.length:
        return Form({}, 0, gate.const + 1)
    if len(gate.terms) == 1 and not gate.length:
        ((key, coef),) = gate.terms.items()
        if is_bit(key) and (coef, gate.const) == (1, -1):
            return Form({key: 1})
        if is_bit(key) and (coef, gate.const) == (-1, 0):
            return Form({key: -1}, 0, 1)
    return Form({("gate", gate.freeze()): 1})


def natural_of(gate: Form) -> Form:
    """A form that is never negative, and at least 1 exactly where the gate fires."""
    gate = reduced(gate)
    natural = gate.const == -1 and gate.length >= 0 and bool(gate.terms)
    if natural and all(coef > 0 and is_natural(key) for key, coef in gate.terms.items()):
        return Form(dict(gate.terms), gate.length, 0)
    return value_of(gate)


def summed(guard: Guard, form: Form) -> Form:
    """The sum of a form over the positions with a guard."""
    result = Form()
    if guard == guards.FALSE:
        return result
    for key, coef in form.terms.items():
        result.add_key(("count", guard, key), coef)
    if form.length:
        result.add_key(("count", guard, LENGTH), form.length)
    if form.const and guard == guards.TRUE:
        result.length += form.const
    elif form.const:
        result.add_key(("count", guard, None), form.const)
    return result
