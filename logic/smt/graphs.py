"""Two and-inverter graphs over the same inputs: can an output differ? One Boolean query."""

from __future__ import annotations

from typing import Any

import numpy as np
import z3

from circuits.aig import Aig
from circuits.diagnostics import fail
from logic.smt.lemmas import TIMEOUT_S, Answer, Countermodel, Proved, Undecided

MOST_ANDS = 200_000


def prove_equal(left: Aig, right: Aig, timeout_s: float = TIMEOUT_S) -> Answer:
    """Decide whether two graphs agree on all inputs; a countermodel names the inputs ``x0``, ``x1``, ... with their bits.

    Raises:
        FomError: the graphs are too large for a query.
    """
    n_ands = left.n_ands + right.n_ands
    if n_ands > MOST_ANDS:
        raise fail("L070", f"the graphs have {n_ands:,} ANDs; a query holds at most {MOST_ANDS:,}")
    context = z3.Context()
    inputs = [z3.Bool(f"x{number}", ctx=context) for number in range(left.n_inputs)]
    one, other = (outputs_of(aig, inputs, context) for aig in (left, right))
    solver = z3.SolverFor("QF_FD", ctx=context)
    solver.set("timeout", max(1, int(timeout_s * 1000)))
    differ = [z3.Xor(a, b) for a, b in zip(one, other, strict=True)]
    solver.add(z3.Or(*differ) if differ else z3.BoolVal(False, ctx=context))
    answer = solver.check()
    if answer == z3.unsat:
        return Proved()
    if answer != z3.sat:
        return Undecided(solver.reason_unknown())
    model = solver.model()
    values = {str(bit): int(z3.is_true(model.eval(bit, model_completion=True))) for bit in inputs}
    return Countermodel(values)


def outputs_of(aig: Aig, inputs: list[Any], context: Any) -> list[Any]:
    """The outputs of a graph as formulas over its inputs."""
    values = [z3.BoolVal(False, ctx=context), *inputs]

    def literal(number: int) -> Any:
        return z3.Not(values[number >> 1]) if number & 1 else values[number >> 1]

    for left, right in np.stack([aig.left, aig.right], axis=1).tolist():
        values.append(z3.And(literal(left), literal(right)))
    return [literal(number) for number in aig.outputs.tolist()]
