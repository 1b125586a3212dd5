"""A guard that some position always satisfies: for y one of the reader's positions, the first or the last."""

from __future__ import annotations

from typing import assert_never

from circuits.network import Domain
from circuits.positions import (
    FIRST,
    LAST,
    All,
    Any_,
    AtLeast,
    Bit,
    Congruent,
    Equals,
    Guard,
    Not,
    Term,
    disjunction,
    substitute,
)
from logic.proving.linear import own_variables
from logic.proving.session import Outcome, Session
from logic.smt.lemmas import Build, Formula, Manager, Proved, integer, weighted


def somewhere(session: Session, domain: Domain, guard: Guard, k: int) -> str:
    """Why it is not shown that every k positions have a position y with the guard; empty if it is."""

    def decide() -> Outcome:
        statement = f"at every length from {domain.least} on, every x has a y that satisfies the guard: x, the first or the last"
        answer, lemma = session.solve(statement, witness_claim(domain, guard, k))
        if isinstance(answer, Proved) and lemma is not None:
            return Outcome((lemma,))
        return Outcome((), "it is not shown that some position always satisfies the guard of the maximum")

    return session.once(("somewhere", domain.least, domain.most, guard, k), 1, decide).trouble


def witness_claim(domain: Domain, guard: Guard, k: int) -> Build:
    """The guard holds for y = x, y = 1 or y = n, for all x in 1..n and all n of the domain."""

    def build(manager: Manager) -> Formula:
        n = integer(manager, "n")
        places = [integer(manager, f"x{v}") for v in range(k)]
        one = manager.Int(1)
        assumed = [manager.GE(n, manager.Int(domain.least))]
        if domain.most is not None:
            assumed.append(manager.LE(n, manager.Int(domain.most)))
        assumed += [manager.And(manager.GE(place, one), manager.LE(place, n)) for place in places]
        own = own_variables(k)
        tried = [substitute(guard, (*own, witness)) for witness in (*own, FIRST, LAST)]
        holds = formula(manager, disjunction(*tried), places, n, assumed)
        return manager.Implies(manager.And(assumed), holds)

    return build


def formula(manager: Manager, guard: Guard, places: list[Formula], n: Formula, assumed: list[Formula]) -> Formula:
    """A guard as a formula; remainders are symbols of their own, defined in `assumed`."""

    def value(term: Term) -> Formula:
        return weighted(manager, [*((coef, places[v]) for v, coef in term.coefs), (term.n_coef, n)], term.const)

    match guard:
        case AtLeast(term):
            return manager.GE(value(term), manager.Int(0))
        case Equals(term):
            return manager.Equals(value(term), manager.Int(0))
        case Congruent(term, modulus):
            count = len(assumed)
            times, rest = integer(manager, f"times{count}"), integer(manager, f"rest{count}")
            divided = weighted(manager, [(modulus, times), (1, rest)])
            assumed += [
                manager.Equals(value(term), divided),
                manager.GE(rest, manager.Int(0)),
                manager.LT(rest, manager.Int(modulus)),
            ]
            return manager.Equals(rest, manager.Int(0))
        case Bit():  # nothing is assumed of it, so what is proved holds whatever it is
            return manager.FreshSymbol()
        case Not(part):
            return manager.Not(formula(manager, part, places, n, assumed))
        case All(parts):
            return manager.And([formula(manager, part, places, n, assumed) for part in parts])
        case Any_(parts):
            return manager.Or([formula(manager, part, places, n, assumed) for part in parts])
        case _:
            assert_never(guard)
