"""Deciding guards: which conditions on positions contradict each other, without trying lengths.

A guard is brought into disjunctive form; each clause is a set of bounds on linear forms, and a clause is impossible when the
bounds of one form exclude each other. That is sound (what it calls impossible is), not complete.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

from circuits.positions import (
    FALSE,
    TRUE,
    All,
    Any_,
    AtLeast,
    Bit,
    Congruent,
    Equals,
    Guard,
    Not,
    Term,
    conjunction,
    disjunction,
    negation,
)

MOST_CLAUSES = 512
Literal = tuple[str, Term, int]
Form = tuple[tuple[tuple[int, int], ...], int]


def clauses(guard: Guard, positive: bool = True) -> list[list[Literal]] | None:
    """Bring the guard (or its negation) into disjunctive form; None if that is too large, or a bit of a number is asked for."""
    match guard:
        case AtLeast(term):
            return [[("ge", term if positive else -term - 1, 0)]]
        case Equals(term):
            return [[("eq" if positive else "ne", term, 0)]]
        case Congruent(term, modulus):
            return [[("mod" if positive else "nomod", term, modulus)]]
        case Bit():
            return None
        case Not(part):
            return clauses(part, not positive)
        case All(parts) | Any_(parts):
            inner = [clauses(part, positive) for part in parts]
            if isinstance(guard, All) == positive:
                result: list[list[Literal]] = [[]]
                for options in inner:
                    if options is None or len(result) * len(options) > MOST_CLAUSES:
                        return None
                    result = [[*left, *right] for left in result for right in options]
                    result = [clause for clause in result if is_possible(clause)]
                return result
            union: list[list[Literal]] = []
            for options in inner:
                if options is None:
                    return None
                union.extend(options)
            return union if len(union) <= MOST_CLAUSES else None


def is_possible(clause: Iterable[Literal]) -> bool:
    """Whether no linear form of the clause has contradictory bounds."""
    low: dict[Form, float] = {((), 1): 1}
    high: dict[Form, float] = {}
    excluded: dict[Form, set[int]] = {}
    for kind, term, _ in clause:
        if kind in ("mod", "nomod"):
            continue
        form: Form = (term.coefs, term.n_coef)
        leading = term.coefs[0][1] if term.coefs else term.n_coef
        if leading == 0:
            holds = {"ge": term.const >= 0, "eq": term.const == 0, "ne": term.const != 0}[kind]
            if not holds:
                return False
            continue
        sign = 1 if leading > 0 else -1
        if sign < 0:
            form = (tuple((v, -c) for v, c in term.coefs), -term.n_coef)
        bound = -term.const * sign
        if kind == "ne":
            excluded.setdefault(form, set()).add(bound)
        if kind == "eq" or (kind == "ge" and sign > 0):
            low[form] = max(low.get(form, -inf), bound)
        if kind == "eq" or (kind == "ge" and sign < 0):
            high[form] = min(high.get(form, inf), bound)
    for form, upper in high.items():
        lower = low.get(form, -inf)
        holes = excluded.get(form, set())
        while lower in holes:
            lower += 1
        while upper in holes:
            upper -= 1
        if lower > upper:
            return False
    return True


def satisfiable(guard: Guard) -> bool:
    """Whether the guard may hold somewhere (False is certain)."""
    if guard == FALSE:
        return False
    found = clauses(guard)
    return found is None or any(is_possible(clause) for clause in found)


def tidy(guard: Guard) -> Guard:
    """Rewrite a guard as its shortest disjunctive form, if that is short, dropping what cannot hold or is implied."""
    found = clauses(guard)
    if found is None:
        return guard
    kept = [clause for clause in found if is_possible(clause)]
    if not kept:
        return FALSE
    if len(kept) > 1:
        return guard
    return conjunction(*(_guard(literal) for literal in _needed(kept[0])))


def _needed(clause: list[Literal]) -> list[Literal]:
    unique = list(dict.fromkeys(clause))
    for literal in list(unique):
        rest = [other for other in unique if other != literal]
        opposite = clauses(negation(_guard(literal)))
        if opposite is not None and not any(is_possible([*rest, *extra]) for extra in opposite):
            unique = rest
    return unique


def _guard(literal: Literal) -> Guard:
    kind, term, modulus = literal
    match kind:
        case "ge":
            return AtLeast(term)
        case "eq":
            return Equals(term)
        case "ne":
            return Not(Equals(term))
        case "mod":
            return Congruent(term, modulus)
        case _:
            return Not(Congruent(term, modulus))


def implies(guard: Guard, other: Guard) -> bool:
    """Whether the first guard certainly implies the second."""
    return not satisfiable(conjunction(guard, negation(other)))


def unite(guards: list[Guard]) -> Guard:
    """Disjoin guards; everything if the negation of the union is impossible."""
    union = disjunction(*guards)
    return TRUE if union == TRUE or (len(guards) < 40 and not satisfiable(negation(union))) else union
