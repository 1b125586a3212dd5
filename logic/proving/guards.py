"""Canonical guards: conditions on positions alone, brought to one form from the circuit's side and from the sentence's.

A guard is a nested tuple over index terms whose variables are named by their level: parameter i of a definition is
``level_name(i)``, a variable bound inside is the next one. Negations stand at comparisons, comparisons are divided by the
greatest common divisor of their coefficients, conjunctions and disjunctions are flat, sorted and without repetition. Equal
tuples are the same condition; unequal ones may still be equivalent, which is a question for a solver (`to_smtlib`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import gcd
from typing import Any, assert_never

from circuits import positions
from logic.syntax import And, Bit, Compare, Exists, Forall, Formula, Iff, Implies, Majority, Not, Or, Term, Truth

Guard = tuple[Any, ...]

TRUE: Guard = ("true",)
FALSE: Guard = ("false",)

_LEVELS = ("x", "y", "z", "u", "v", "w")
_OPPOSITE = {
    "=": "!=",
    "!=": "=",
    "mod": "nmod",
    "nmod": "mod",
    "bit": "nbit",
    "nbit": "bit",
    "most": "few",
    "few": "most",
}


def level_name(level: int) -> str:
    """The canonical name of the variable bound at a level, parameters first."""
    return _LEVELS[level] if level < len(_LEVELS) else f"x{level}"


def rename(term: Term, names: Mapping[str, str]) -> Term:
    """Rename the variables of an index term; different variables have different names."""
    if all(names[name] == name for name, _ in term.coefs):
        return term
    return Term.make({names[name]: coef for name, coef in term.coefs}, term.n, term.const)


def at_least_zero(term: Term) -> Guard:
    """``term >= 0``, divided by the common divisor of its coefficients."""
    divisor = gcd(term.n, *(coef for _, coef in term.coefs))
    if not divisor:
        return TRUE if term.const >= 0 else FALSE
    coefs = tuple([(name, coef // divisor) for name, coef in term.coefs])
    return (">=", Term(coefs, term.n // divisor, term.const // divisor))


def equals_zero(term: Term) -> Guard:
    """``term = 0``, divided by the common divisor, the first coefficient positive."""
    divisor = gcd(term.n, *(coef for _, coef in term.coefs))
    if not divisor or term.const % divisor:
        return FALSE if term.const else TRUE
    if (term.coefs[0][1] if term.coefs else term.n) < 0:
        divisor = -divisor
    coefs = tuple([(name, coef // divisor) for name, coef in term.coefs])
    return ("=", Term(coefs, term.n // divisor, term.const // divisor))


def divisible(term: Term, modulus: int) -> Guard:
    """``term`` is divisible by `modulus` >= 2; coefficients reduced."""
    reduced = Term.make({name: coef % modulus for name, coef in term.coefs}, term.n % modulus, term.const % modulus)
    if not reduced.coefs and not reduced.n:
        return FALSE if reduced.const else TRUE
    return ("mod", modulus, reduced)


def negation(guard: Guard) -> Guard:
    """The opposite guard, with negations at comparisons again."""
    match guard:
        case ("true",):
            return FALSE
        case ("false",):
            return TRUE
        case (">=", term):
            return at_least_zero(term * -1 + -1)
        case ("and", parts):
            return disjunction(map(negation, parts))
        case ("or", parts):
            return conjunction(map(negation, parts))
        case ("exists", variable, body):
            return ("forall", variable, negation(body))
        case ("forall", variable, body):
            return ("exists", variable, negation(body))
        case (kind, *rest):
            return (_OPPOSITE[kind], *rest)
        case _:
            raise TypeError(f"not a guard: {guard!r}")


def conjunction(parts: Iterable[Guard]) -> Guard:
    """The conjunction, flat, sorted and without repetition."""
    return _fold("and", parts, TRUE, FALSE)


def disjunction(parts: Iterable[Guard]) -> Guard:
    """The disjunction, flat, sorted and without repetition."""
    return _fold("or", parts, FALSE, TRUE)


def _fold(kind: str, parts: Iterable[Guard], neutral: Guard, final: Guard) -> Guard:
    kept = {inner for part in parts for inner in (part[1] if part[0] == kind else (part,)) if inner != neutral}
    if final in kept or any(negation(part) in kept for part in kept if part[0] in (">=", "=")):
        return final
    if len(kept) < 2:
        return kept.pop() if kept else neutral
    return (kind, tuple(sorted(kept, key=repr)))


# From the circuit.


def of_circuit(guard: positions.Guard) -> Guard:
    """The canonical form of a family's guard; variable number v becomes ``level_name(v)``."""
    match guard:
        case positions.AtLeast(term):
            return at_least_zero(of_position(term))
        case positions.Equals(term):
            return equals_zero(of_position(term))
        case positions.Congruent(term, modulus):
            return divisible(of_position(term), modulus)
        case positions.Bit(number, place):
            return ("bit", of_position(number), of_position(place))
        case positions.Not(part):
            return negation(of_circuit(part))
        case positions.All(parts):
            return conjunction(map(of_circuit, parts))
        case positions.Any_(parts):
            return disjunction(map(of_circuit, parts))
        case _:
            assert_never(guard)


def of_position(term: positions.Term) -> Term:
    """A family's index term over canonical names."""
    return Term.make({level_name(v): coef for v, coef in term.coefs}, term.n_coef, term.const)


# From the sentence.


def of_formula(phi: Formula, names: Mapping[str, str], level: int) -> Guard:
    """The canonical form of a formula without letters, definitions and counts.

    Args:
        names: canonical names of the variables in scope.
        level: the number of variables in scope.
    """
    match phi:
        case Truth(value):
            return TRUE if value else FALSE
        case Compare(op, left, right):
            difference = rename(right - left, names)
            if op == "=":
                return equals_zero(difference)
            return at_least_zero(difference if op == "<=" else difference + -1)
        case Bit(number, index):
            return ("bit", rename(number, names), rename(index, names))
        case Not(body):
            return negation(of_formula(body, names, level))
        case And(parts):
            return conjunction([of_formula(part, names, level) for part in parts])
        case Or(parts):
            multiple = multiple_of(phi, names)
            return disjunction([of_formula(part, names, level) for part in parts]) if multiple is None else multiple
        case Implies(left, right):
            return disjunction([negation(of_formula(left, names, level)), of_formula(right, names, level)])
        case Iff(left, right):
            one, other = of_formula(left, names, level), of_formula(right, names, level)
            both = conjunction([one, other])
            return disjunction([both, conjunction([negation(one), negation(other)])])
        case Exists(variable, body) | Forall(variable, body) | Majority(variable, body):
            name = level_name(level)
            inner = of_formula(body, {**names, variable: name}, level + 1)
            kind = "exists" if isinstance(phi, Exists) else "forall" if isinstance(phi, Forall) else "most"
            return inner if inner in (TRUE, FALSE) and kind != "most" else (kind, name, inner)
        case _:
            raise TypeError(f"not a condition on positions: {type(phi).__name__}")


def multiple_of(phi: Or, names: Mapping[str, str]) -> Guard | None:
    """Read ``t = 0 | exists q. (m*q = t | -m*q = t)`` as "m divides t", where the quotient is certainly a position.

    That is so if -m*n <= t <= m*n whenever all variables are positions of a word of length n >= 1.
    """
    match phi.parts:
        case (Compare("=", a, b), Exists(q, Or((Compare("=", c, d), Compare("=", e, f))))) if q not in (a - b).free:
            one, other = c - d, e - f
        case _:
            return None
    modulus = abs(dict(one.coefs).get(q, 0))
    one = one if (q, modulus) in one.coefs else one * -1
    other = other if (q, modulus) in other.coefs else other * -1
    whole, multiple = a - b, Term.make({q: modulus})
    shapes = (multiple - whole, multiple + whole)
    if modulus < 2 or (one, other) not in (shapes, shapes[::-1]):
        return None
    for term in (whole, whole * -1):
        slope = term.n + sum(coef for _, coef in term.coefs if coef > 0) - modulus
        least = term.const + sum(coef for _, coef in term.coefs if coef < 0)
        if slope > 0 or slope + least > 0:
            return None
    return divisible(rename(whole, names), modulus)


# For a solver.


def to_smtlib(guard: Guard) -> str | None:
    """An SMT-LIB formula over the integers ``n`` and ``@x`` for a variable x; None if there is none."""
    match guard:
        case ("true" | "false" as value,):
            return str(value)
        case (">=" | "=" as op, term):
            return f"({op} {term_to_smtlib(term)} 0)"
        case ("!=", term):
            return f"(not (= {term_to_smtlib(term)} 0))"
        case ("mod", modulus, term):
            return f"(= (mod {term_to_smtlib(term)} {modulus}) 0)"
        case ("bit", number, Term((), 0, index)):
            if index < 1:
                return "false"
            whole = term_to_smtlib(number)
            return f"(and (>= {whole} 0) (= (mod (div {whole} {1 << index - 1}) 2) 1))"
        case ("nmod" | "nbit", *_):
            inner = to_smtlib(negation(guard))
            return None if inner is None else f"(not {inner})"
        case ("and" | "or" as kind, parts):
            texts = [to_smtlib(part) for part in parts]
            return None if None in texts else f"({kind} {' '.join(map(str, texts))})"
        case ("exists" | "forall" as kind, variable, body):
            inner = to_smtlib(body)
            if inner is None:
                return None
            link = "and" if kind == "exists" else "=>"
            return f"({kind} ((@{variable} Int)) ({link} (<= 1 @{variable} n) {inner}))"
        case _:
            return None


def term_to_smtlib(term: Term) -> str:
    """An index term in SMT-LIB."""
    parts = [f"(* {number(coef)} @{name})" for name, coef in term.coefs]
    return f"(+ {' '.join(parts)} (* {number(term.n)} n) {number(term.const)})"


def number(value: int) -> str:
    """An integer in SMT-LIB, which has no negative literals."""
    return str(value) if value >= 0 else f"(- {-value})"


def variables(guard: Guard) -> set[str]:
    """The free variables of a guard."""
    match guard:
        case ("and" | "or", parts):
            return {name for part in parts for name in variables(part)}
        case ("exists" | "forall" | "most" | "few", variable, body):
            return variables(body) - {variable}
        case _:
            return {name for part in guard if isinstance(part, Term) for name in part.free}
