"""Obligations: single queries to the solver, each in an environment of its own.

An obligation is a function that builds a *claim*, a formula that is to hold for all values of its symbols; `prove` asks z3
whether its negation has a model. Formulas are pysmt's, so that an obligation can also be written out (`smtlib`) and given to
another solver. z3 is called through ``SimpleSolver``: under QF_LIA, and by default for 0/1 sums, it would turn sums into
pseudo-Boolean constraints and lose its linear arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import StringIO
from typing import Any, TypeAlias

import z3
from pysmt.environment import Environment
from pysmt.logics import AUFLIRA, QF_LIA
from pysmt.smtlib.script import smtlibscript_from_formula
from pysmt.solvers.z3 import Z3Converter
from pysmt.typing import BOOL, INT, REAL

Manager: TypeAlias = Any  # pysmt is untyped: a FormulaManager
Formula: TypeAlias = Any  # an FNode
Build = Callable[[Manager], Formula]

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Proved:
    """The negation of the claim is unsatisfiable."""


@dataclass(frozen=True, slots=True)
class Countermodel:
    """Values of the claim's symbols for which it is false, without those of real numbers."""

    values: dict[str, int]


@dataclass(frozen=True, slots=True)
class Undecided:
    """The solver gave up, and why."""

    reason: str


Answer = Proved | Countermodel | Undecided


def prove(build: Build, timeout_s: float = TIMEOUT_S) -> Answer:
    """Decide a claim.

    Args:
        build: makes the claim with the given formula manager.
        timeout_s: after so many seconds the answer is `Undecided`.
    """
    environment = Environment()
    claim = build(environment.formula_manager)
    context = z3.Context()
    solver = z3.SimpleSolver(ctx=context)
    solver.set("timeout", max(1, int(timeout_s * 1000)))
    converter = Z3Converter(environment, context)
    solver.add(converter.convert(environment.formula_manager.Not(claim)))
    answer = solver.check()
    if answer == z3.unsat:
        return Proved()
    if answer != z3.sat:
        return Undecided(solver.reason_unknown())
    model = solver.model()
    values = {}
    for symbol in sorted(environment.fvo.get_free_variables(claim), key=str):
        if symbol.is_symbol(REAL):
            continue
        value = model.eval(converter.convert(symbol), model_completion=True)
        values[symbol.symbol_name()] = int(z3.is_true(value)) if z3.is_bool(value) else value.as_long()
    return Countermodel(values)


def smtlib(build: Build) -> str:
    """An obligation as an SMT-LIB script that is unsatisfiable if and only if the claim holds."""
    environment = Environment()
    negation = environment.formula_manager.Not(build(environment.formula_manager))
    mixed = any(symbol.is_symbol(REAL) for symbol in environment.fvo.get_free_variables(negation))
    script = smtlibscript_from_formula(negation, logic=AUFLIRA if mixed else QF_LIA)
    text = StringIO()
    script.serialize(text, daggify=True)
    return text.getvalue()


def integer(manager: Manager, name: str) -> Formula:
    """An integer symbol."""
    return manager.Symbol(name, INT)


def real(manager: Manager, name: str) -> Formula:
    """A symbol for a real number."""
    return manager.Symbol(name, REAL)


def boolean(manager: Manager, name: str) -> Formula:
    """A Boolean symbol."""
    return manager.Symbol(name, BOOL)


def weighted(manager: Manager, terms: Iterable[tuple[int, Formula]], const: int = 0) -> Formula:
    """``sum(weight * term) + const``; a Boolean term counts 1 when true."""
    summands: list[Any] = [manager.Int(const)]
    for weight, term in terms:
        if is_boolean(term):
            summands.append(manager.Ite(term, manager.Int(weight), manager.Int(0)))
        else:
            summands.append(term if weight == 1 else manager.Times(manager.Int(weight), term))
    return manager.Plus(summands) if len(summands) > 1 else summands[0]


def is_boolean(term: Formula) -> bool:
    """Tell whether a symbol or constant is Boolean."""
    return bool(term.is_bool_constant() or term.is_symbol(BOOL))
