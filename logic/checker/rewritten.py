"""Definitions that are written in another way: the obligation that they are equivalent to the circuit's element.

Atoms are free: a relation is any Boolean, a defined sum any integer, a count any number up to that of the positions with its
guard. Known are the meaning of conditions on positions, and that exactly one letter stands at a position.
"""

from __future__ import annotations

from collections.abc import Sequence

from circuits import positions
from circuits.family import Family
from logic import syntax as fo
from logic.checker.linear import Atom, Form, Scope, Shapeless, atom_of, count, exists, try_guard
from logic.checker.record import Rejected
from logic.checker.statements import guard_text, number, script


class Writer:
    """Writes formulas, declaring their atoms as they occur."""

    def __init__(self) -> None:
        self.symbols: dict[Atom, str] = {}
        self.lines: list[str] = []

    def symbol(self, atom: Atom) -> str:
        """The constant of an atom."""
        if atom not in self.symbols:
            name = self.symbols[atom] = f"s{len(self.symbols)}"
            kind = "Bool" if atom[0] in ("letter", "bit") else "Int"
            self.lines.append(f"(declare-const {name} {kind})")
            if atom[0] == "count" and (atom[2] is None or atom[2][0] in ("letter", "bit")):
                most = "n" if atom[2] is None or atom[1] == positions.TRUE else self.symbol(("count", atom[1], None))
                self.lines.append(f"(assert (<= 0 {name} {most}))")
        return self.symbols[atom]

    def bit(self, atom: Atom) -> str:
        """A Boolean atom."""
        return guard_text(atom[1]) if atom[0] == "guard" else self.symbol(atom)

    def value(self, atom: Atom) -> str:
        """An atom as an integer."""
        return f"(ite {self.bit(atom)} 1 0)" if atom[0] in ("letter", "bit", "guard") else self.symbol(atom)

    def total(self, form: Form) -> str:
        """A form."""
        terms = " ".join(f"(* {number(coef)} {self.value(atom)})" for atom, coef in form.terms.items())
        return f"(+ (* {number(form.length)} n) {number(form.const)} {terms})"

    def sum(self, total: fo.Sum, scope: Scope) -> str:
        """A counting term."""
        parts = [f"(* {number(total.length)} n)", number(total.const)]
        for coef, item in total.items:
            if isinstance(item, fo.Count):
                text = self.total(count(item, scope))
            elif isinstance(item, fo.Indicator):
                text = f"(ite {self.formula(item.formula, scope)} 1 0)"
            else:
                text = self.value(atom_of(item, scope))
            parts.append(f"(* {number(coef)} {text})")
        return f"(+ {' '.join(parts)})"

    def formula(self, phi: fo.Formula, scope: Scope) -> str:
        """A formula."""
        guard = try_guard(phi, scope)
        if guard is not None:
            return guard_text(guard)
        match phi:
            case fo.Letter() | fo.Call():
                return self.bit(atom_of(phi, scope))
            case fo.Linear(total, bound):
                return f"(>= {self.sum(total, scope)} {number(bound)})"
            case fo.Not(body):
                return f"(not {self.formula(body, scope)})"
            case fo.And(parts) | fo.Or(parts):
                word = "and" if isinstance(phi, fo.And) else "or"
                return f"({word} {' '.join(self.formula(part, scope) for part in parts)})"
            case fo.Implies(left, right):
                return f"(=> {self.formula(left, scope)} {self.formula(right, scope)})"
            case fo.Iff(left, right):
                return f"(= {self.formula(left, scope)} {self.formula(right, scope)})"
            case fo.Exists(variable, body):
                return f"(>= {self.total(exists(variable, body, scope))} 1)"
            case fo.Forall(variable, body):
                return f"(not {self.formula(fo.Exists(variable, fo.Not(body)), scope)})"
            case fo.Majority(variable, body):
                twice = self.total(count(fo.Count(variable, body), scope))
                return f"(>= (* 2 {twice}) n)"
            case _:
                raise Shapeless


def differ(definition: fo.Definition, wanted: Form, family: Family, letters: Sequence[str]) -> str:
    """The script that asks whether a definition can differ from its element; unsatisfiable if it cannot.

    Raises:
        Rejected: the definition cannot be written with free atoms.
    """
    scope = {name: place for place, name in enumerate(definition.params)}
    writer = Writer()
    try:
        if isinstance(definition.body, fo.Sum):
            claim = f"(= {writer.sum(definition.body, scope)} {writer.total(wanted)})"
        else:
            claim = f"(= {writer.formula(definition.body, scope)} (>= {writer.total(wanted)} 0))"
    except Shapeless:
        raise Rejected(
            f"`{definition.name}`", "it is neither the circuit's element nor linear in what it reads"
        ) from None
    read = {atom[2] for atom in writer.symbols if atom[0] == "letter"}
    for place in sorted(read, key=str):
        inside = positions.is_safe(place[0], family.domain.least)
        known = letters if inside else [name for name in letters if ("letter", name, place) in writer.symbols]
        ones = " ".join(f"(ite {writer.symbol(('letter', name, place))} 1 0)" for name in known)
        writer.lines.append(f"(assert ({'=' if inside else '>='} 1 (+ 0 0 {ones})))")
    lines = ["(declare-const n Int)", f"(assert (>= n {family.domain.least}))"]
    if family.domain.most is not None:
        lines.append(f"(assert (<= n {family.domain.most}))")
    for variable in range(len(definition.params)):
        lines += [f"(declare-const x{variable} Int)", f"(assert (<= 1 x{variable} n))"]
    return script("QF_LIA", *lines, *writer.lines, f"(assert (not {claim}))")
