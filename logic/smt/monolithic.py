"""The monolithic query: network and sentence at one length, grounded side by side, "can a decision differ?".

The honest baseline. Nothing is cut, nothing is shared between the sides but the letters, so it grows with everything at once
and is out of reach soon; what it does answer rests on two groundings and z3 and on no lemma of ours.

The solver is z3 under "LIA", which keeps 0/1 sums in its arithmetic (under QF_LIA they would become pseudo-Boolean constraints)
and answers these queries two to three times faster than `SimpleSolver` (heads of 3 and 4 bits, n up to 12).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import z3
from pysmt.environment import Environment
from pysmt.fnode import FNode
from pysmt.formula import FormulaManager
from pysmt.solvers.z3 import Z3Converter
from pysmt.typing import BOOL

from circuits.diagnostics import fail
from circuits.formats import BIT
from circuits.network import Network
from logic.smt.ground import ground
from logic.smt.network_ground import NetworkGrounding, Place, bit_labels
from logic.syntax import Call, Formula, Sentence, var
from logic.verdicts import Counterexample, Holds, Refuted, Unknown, Verdict

_CHECK_EVERY = 512  # nodes between two looks at the clock
_GRACE_S = 1.0  # what z3 gets beyond its own limit before it is interrupted


class OutOfTime(Exception):
    """The time limit passed while formulas were built."""


class TimedManager(FormulaManager):  # type: ignore[misc]
    """Makes nodes until a deadline, on the monotonic clock."""

    deadline = float("inf")

    def create_node(self, node_type: int, args: Any, payload: Any = None) -> FNode:
        """Make a node.

        Raises:
            OutOfTime: the deadline has passed.
        """
        if not self._next_free_id % _CHECK_EVERY and time.monotonic() > self.deadline:
            raise OutOfTime
        return super().create_node(node_type, args, payload)


class TimedEnvironment(Environment):  # type: ignore[misc]
    """An environment of its own, whose formulas have a deadline."""

    FormulaManagerClass = TimedManager


def decide_monolithic(network: Network, sentence: Sentence, n: int, timeout_s: float) -> Verdict:
    """Decide in one query whether network and sentence agree on all words of length `n`.

    Compared are all decision bits whose relations the sentence defines, with as many parameters as the decision has
    positions, and the last formula: if it is not one of these relations, it is compared with the default bit (class 1, the
    sign of a logit, the highest bit of a word). A network of fixed-size inputs is a word of one position with a proposition for
    each bit. Words for which a denominator is not positive have no decision and are left out.

    Returns:
        `Holds`; `Refuted` with the word, letters separated by blanks (or the codes of a fixed-size input), and both sides'
        decision bits; `Unknown` with the reason and the time spent.

    Raises:
        FomError: a length outside the domain, a sentence that is not well formed, or one that decides something at each
            position where the network answers once for each word.
    """
    if network.inputs:
        n = 1
    network.domain.require(n)
    sentence.check()
    if len(sentence.free) > network.decided.n_positions:
        raise fail("L031", "the sentence decides something at each position, the network once for each word")
    query = MonolithicQuery(network, sentence, n, timeout_s)
    try:
        return query.answer()
    except OutOfTime:
        return Unknown(f"n = {n}: {query.stage} took longer than the limit of {timeout_s:g} s")


class MonolithicQuery:
    """One query, with its own environment, z3 context and deadline."""

    def __init__(self, network: Network, sentence: Sentence, n: int, timeout_s: float) -> None:
        self.network, self.sentence, self.n = network, sentence, n
        self.started = time.monotonic()
        self.deadline = self.started + timeout_s
        self.stage = "grounding the sentence"
        self.env = TimedEnvironment()
        self.smt: Any = self.env.formula_manager
        self.smt.deadline = self.deadline
        self.context = z3.Context()
        self.converter = Z3Converter(self.env, self.context)
        self.letters: dict[tuple[str, int], FNode] = {}
        self.propositions: dict[str, FNode] = {}
        self.pairs: list[tuple[Place, int, FNode, FNode]] = []

    def answer(self) -> Verdict:
        """Ground, solve, and read the answer."""
        constraints = self.constraints()
        differ = self.smt.Or([self.smt.Not(self.smt.Iff(left, right)) for _, _, left, right in self.pairs])
        self.stage = "handing over to z3"
        solver = z3.SolverFor("LIA", ctx=self.context)
        for constraint in [*constraints, differ]:
            if time.monotonic() > self.deadline:
                raise OutOfTime
            solver.add(self.converter.convert(constraint))
        built = time.monotonic() - self.started
        found = run(solver, self.deadline - time.monotonic())
        if found == "unsat":
            return Holds()
        if found == "sat":
            return Refuted(self.counterexample(solver.model()))
        spent = time.monotonic() - self.started
        nodes = len(self.smt.formulae)
        return Unknown(
            f"n = {self.n}: z3 gave no answer in {spent:.1f} s ({found}; {nodes:,} nodes, grounded in {built:.1f} s)"
        )

    def constraints(self) -> list[FNode]:
        """Both sides' constraints; sets `letters` and `pairs`, the bits to compare."""
        network, sentence, n = self.network, self.sentence, self.n
        n_positions = network.decided.n_positions
        labels = self.labels()
        args = tuple([var("x") for _ in range(n_positions)])
        defined = {
            one.name for one in sentence.definitions if isinstance(one.body, Formula) and len(one.params) == n_positions
        }
        asked: list[tuple[int, Formula]] = [
            (place, Call(label, args)) for place, label in enumerate(labels) if label in defined
        ]
        named = {Call(label, tuple(map(var, sentence.free))) for label in labels if label in defined}
        if len(sentence.free) != n_positions or sentence.formula not in named:
            default = min(1, len(labels) - 1) if network.decided.kind == "classes" else len(labels) - 1
            asked.append((default, sentence.formula))
        constraints: dict[FNode, None] = {}
        theirs: list[tuple[int, FNode | dict[int, FNode]]] = []
        for bit, formula in asked:
            grounded = ground(replace(sentence, formula=formula), n, network.alphabet, env=self.env, prefix="sentence:")
            constraints.update(dict.fromkeys(grounded.constraints))
            self.letters, self.propositions = grounded.letters, dict(grounded.propositions)
            theirs.append((bit, grounded.formula))
        self.stage = "grounding the network"
        ours = NetworkGrounding(network, n, self.env, self.letters, self.proposition)
        for position, elements in ours.decision().items():
            bits = [bit for element in elements for bit in element.bits]
            for place, formulas in theirs:
                right = formulas[position[0]] if isinstance(formulas, dict) else formulas
                self.pairs.append((position, place, bits[place], right))
        return [*constraints, *ours.constraints]

    def proposition(self, name: str) -> FNode:
        """The Boolean of an input proposition; a fresh one if the sentence has none of that name."""
        if name not in self.propositions:
            self.propositions[name] = self.smt.new_fresh_symbol(BOOL, "input!%d")
        return self.propositions[name]

    def labels(self) -> list[str]:
        """The names of the decision bits: ``class[1]``, or ``out[0].3`` for bit 3 of a word."""
        decision = self.network.word(self.network.decided.decision)
        names = [f"{decision.name}[{element}]" for element in range(decision.size)]
        if decision.format == BIT:
            return names
        return [f"{name}.{bit}" for name in names for bit in range(decision.format.bits)]

    def counterexample(self, model: Any) -> Counterexample:
        """The word of a model, and the bits that both sides have there."""

        def holds(formula: FNode) -> bool:
            return z3.is_true(model.eval(self.converter.convert(formula), model_completion=True))

        if self.network.inputs:
            word = []
            for given in self.network.inputs:
                for index in range(given.size):
                    bits = [holds(self.proposition(name)) for name in bit_labels(given, index)]
                    word.append(str(sum(truth << bit for bit, truth in enumerate(bits)) + given.format.lo))
        else:
            places = range(1, self.n + 1)
            word = [next(a for a in self.network.alphabet if holds(self.letters[a, place])) for place in places]
        sides: Sequence[tuple[str, list[int]]] = (
            ("network", [int(holds(left)) for _, _, left, _ in self.pairs]),
            ("sentence", [int(holds(right)) for _, _, _, right in self.pairs]),
        )
        return Counterexample(" ".join(word), dict(sides))


def run(solver: Any, timeout_s: float) -> str:
    """Check satisfiability within a time limit: "sat", "unsat", or the reason for no answer."""
    if timeout_s <= 0:
        return "timeout"
    solver.set("timeout", max(1, int(1000 * timeout_s)))
    guard = threading.Timer(timeout_s + _GRACE_S, solver.ctx.interrupt)
    guard.daemon = True
    guard.start()
    try:
        answer = str(solver.check())
    finally:
        guard.cancel()
    return answer if answer != "unknown" else str(solver.reason_unknown())


def solve(script: str, timeout_s: float) -> str:
    """Answer a query in SMT-LIB: "sat", "unsat", or the reason for no answer."""
    solver = z3.SimpleSolver(ctx=z3.Context())
    solver.from_string(script)
    return run(solver, timeout_s)
