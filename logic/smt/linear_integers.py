"""Questions about integers: conjunctions of SMT-LIB formulas over integer unknowns, asked one after the other.

Formulas are text, so that each question can be written out for another solver as it is asked here. z3 is called through
``SimpleSolver`` (see `logic.smt.lemmas`); a formula with quantifiers is first replaced by an equivalent one without, by
elimination for linear integer arithmetic.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import z3

MOST_MILLISECONDS = 1 << 30


class Unanswered(Exception):
    """The solver gave up, or its time was over."""


class Integers:
    """Unknown integers and what is known of them."""

    def __init__(self, names: Sequence[str], deadline: float = float("inf")) -> None:
        self.names = tuple(names)
        self.deadline = deadline
        self.asserted: list[str] = []
        self.declared = "".join(f"(declare-const {name} Int)\n" for name in self.names)
        self.context = z3.Context()
        self.solver = z3.SimpleSolver(ctx=self.context)
        self.unknowns = [z3.Int(name, ctx=self.context) for name in self.names]
        self.known: dict[str, z3.BoolRef] = {}

    def read(self, formula: str) -> z3.BoolRef:
        """A formula of the solver, without quantifiers.

        Raises:
            Unanswered: the time is over.
        """
        if formula in self.known:
            return self.known[formula]
        parsed = z3.parse_smt2_string(f"{self.declared}(assert {formula})", ctx=self.context)[0]
        if "(exists (" in formula:
            parsed = self.eliminated(parsed)
        self.known[formula] = parsed
        return parsed

    def eliminated(self, parsed: z3.BoolRef) -> z3.BoolRef:
        """The same formula without quantifiers.

        Raises:
            Unanswered: the time is over.
        """
        goal = z3.Goal(ctx=self.context)
        goal.add(parsed)
        tactic = z3.TryFor(
            z3.Then("simplify", "qe", "simplify", ctx=self.context), self.milliseconds(), ctx=self.context
        )
        try:
            return tactic(goal).as_expr()
        except z3.Z3Exception:
            raise Unanswered("a quantifier was not eliminated") from None

    def add(self, formula: str) -> None:
        """Assert a formula."""
        self.asserted.append(formula)
        self.solver.add(self.read(formula))

    def solve(self, *formulas: str) -> dict[str, int] | None:
        """Values of the unknowns under which everything asserted and the given formulas hold; None if there are none.

        Raises:
            Unanswered: the solver does not know, or its time is over.
        """
        self.solver.push()
        try:
            for formula in formulas:
                self.solver.add(self.read(formula))
            self.solver.set("timeout", self.milliseconds())
            answer = self.solver.check()
            if answer == z3.unsat:
                return None
            if answer != z3.sat:
                raise Unanswered(self.solver.reason_unknown())
            model = self.solver.model()
            values = [model.eval(unknown, model_completion=True) for unknown in self.unknowns]
            return {name: value.as_long() for name, value in zip(self.names, values, strict=True)}
        finally:
            self.solver.pop()

    def milliseconds(self) -> int:
        """What is left of the time."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise Unanswered("out of time")
        return int(min(left * 1000 + 1, MOST_MILLISECONDS))

    def script(self, *formulas: str) -> str:
        """The question whether everything asserted and the given formulas can hold, in SMT-LIB."""
        asserted = "".join(f"(assert {formula})\n" for formula in (*self.asserted, *formulas))
        return f"(set-logic LIA)\n{self.declared}{asserted}(check-sat)\n"
