"""One query for a network and its rival at one length: "is there a word considered on which they differ?".

A *side* says with one formula for each place and each number what a network decides there; how it is encoded is its own affair.
Letters and the definitions of sentences are shared between the sides by their names. The solver is z3 under "LIA", as in
`logic.smt.monolithic`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any, Protocol

import numpy as np
import z3
from pysmt.fnode import FNode
from pysmt.logics import LIA
from pysmt.smtlib.script import smtlibscript_from_formula
from pysmt.solvers.z3 import Z3Converter

from circuits.network import Network
from logic.comparing.methods import Integers, Limit, Obligation
from logic.comparing.problem import Problem
from logic.comparing.specification import Specification
from logic.smt.ground import ground
from logic.smt.monolithic import OutOfTime, TimedEnvironment, run
from logic.smt.network_ground import Place
from logic.syntax import TRUE, Call, Sentence, var

MOST_OBLIGATION_NODES = 20_000
"""A query of more nodes is not written out."""


class Hopeless(Exception):
    """A part of a network is out of reach of an encoding."""


class Side(Protocol):
    """A network at one length, for the solver."""

    @property
    def constraints(self) -> list[FNode]:
        """What is asserted; complete when all questions are asked."""
        ...

    def numbers(self) -> Sequence[int]:
        """All that it can decide."""
        ...

    def decided(self, place: Place, number: int) -> FNode:
        """Whether it decides a number at a place."""
        ...


@dataclass(frozen=True, slots=True)
class Shared:
    """What the sides of a query share: the formulas' environment, the length, and the letters at the positions."""

    env: TimedEnvironment
    n: int
    letters: dict[tuple[str, int], FNode]


Encoding = Callable[[Network, Shared], Side]


@dataclass(frozen=True)
class Answer:
    """The answer to a query.

    Attributes:
        result: "sat", "unsat", or why there is none.
        word: letter numbers of a word on which the sides differ.
        nodes: distinct formulas made.
        obligation: the query, if it is unsatisfiable and small.
    """

    result: str
    word: Integers | None = None
    nodes: int = 0
    obligation: Obligation | None = None


def ask(problem: Problem, n: int, encoding: Encoding, limit: Limit) -> Answer:
    """Ask whether network and rival differ on a word of length `n`; network sides are made by `encoding`."""
    env = TimedEnvironment()
    env.formula_manager.deadline = limit.deadline
    try:
        query = Query(problem, n, encoding, env)
        return query.answer(limit)
    except OutOfTime:
        return Answer("timeout")
    except Hopeless as reason:
        return Answer(str(reason))


class Query:
    """The formulas of one query."""

    def __init__(self, problem: Problem, n: int, encoding: Encoding, env: TimedEnvironment) -> None:
        self.problem, self.n, self.env = problem, n, env
        self.smt: Any = env.formula_manager
        self.asserted: dict[FNode, None] = {}
        alphabet = problem.network.alphabet
        letters = ground(Sentence(alphabet, (), (), TRUE), n, alphabet, env=env)
        self.keep(letters.constraints)
        self.shared = Shared(env, n, letters.letters)
        places: list[Place] = [(x,) for x in range(1, n + 1)] if problem.network.decided.n_positions else [()]
        self.side = encoding(problem.network, self.shared)
        wrong = self.wrong(places, encoding)
        self.keep(self.side.constraints)
        at = self.grounded(problem.at, "at:") if problem.at is not None else None
        if at is not None:
            wrong = {place: self.smt.And(self.of_place(at, place), phi) for place, phi in wrong.items()}
        self.differ = self.smt.Or(list(wrong.values()))
        if problem.where is not None:
            self.keep([self.of_place(self.grounded(problem.where, "where:"), ())])

    def keep(self, constraints: Sequence[FNode]) -> None:
        """Assert constraints, each once."""
        self.asserted.update(dict.fromkeys(constraints))

    def grounded(self, sentence: Sentence, prefix: str) -> FNode | dict[int, FNode]:
        """Ground a sentence and assert its equations."""
        made = ground(sentence, self.n, self.problem.network.alphabet, env=self.env, prefix=prefix)
        self.keep(made.constraints)
        return made.formula

    def of_place(self, formula: FNode | dict[int, FNode], place: Place) -> FNode:
        """The formula at a place."""
        return formula[place[0]] if isinstance(formula, dict) else formula

    def wrong(self, places: Sequence[Place], encoding: Encoding) -> dict[Place, FNode]:
        """Where the sides differ."""
        rival = self.problem.rival
        if isinstance(rival, Network):
            other = encoding(rival, self.shared)
            numbers = sorted({*self.side.numbers(), *other.numbers()})
            asked = {number: {place: other.decided(place, number) for place in places} for number in numbers}
            self.keep(other.constraints)
        else:
            relations = zip(rival.classes, rival.relations, strict=True)
            asked = {number: self.specified(rival, relation, places) for number, relation in relations}
        found = {}
        for place in places:
            pairs = [(self.side.decided(place, number), asked[number][place]) for number in asked]
            found[place] = self.smt.Or([self.smt.Not(self.smt.Iff(left, right)) for left, right in pairs])
        return found

    def specified(self, rival: Specification, relation: str, places: Sequence[Place]) -> dict[Place, FNode]:
        """The formula of one class at every place."""
        sentence = rival.sentence
        if relation:
            defined = next(one for one in sentence.definitions if one.name == relation)
            args = tuple(map(var, defined.params))
            sentence = replace(sentence, formula=Call(relation, args))
        formula = self.grounded(sentence, "rival:")
        return {place: self.of_place(formula, place) for place in places}

    def answer(self, limit: Limit) -> Answer:
        """Ask z3."""
        asserted = [*self.asserted, self.differ]
        nodes = len(self.smt.formulae)
        if self.differ.is_false():
            return Answer("unsat", nodes=nodes, obligation=self.obligation(asserted))
        context = z3.Context()
        converter = Z3Converter(self.env, context)
        solver = z3.SolverFor("LIA", ctx=context)
        for constraint in asserted:
            if limit.left <= 0:
                return Answer("timeout", nodes=nodes)
            solver.add(converter.convert(constraint))
        found = run(solver, min(limit.left, _LONGEST_S))
        if found == "unsat":
            return Answer(found, nodes=nodes, obligation=self.obligation(asserted))
        if found != "sat":
            return Answer(found, nodes=nodes)
        model, alphabet = solver.model(), self.problem.network.alphabet

        def holds(letter: str, place: int) -> bool:
            truth = converter.convert(self.shared.letters[letter, place])
            return z3.is_true(model.eval(truth, model_completion=True))

        word = [next(i for i, letter in enumerate(alphabet) if holds(letter, x)) for x in range(1, self.n + 1)]
        return Answer(found, np.array(word, dtype=np.int64), nodes)

    def obligation(self, asserted: Sequence[FNode]) -> Obligation | None:
        """The query as a script, if it is small."""
        if len(self.smt.formulae) > MOST_OBLIGATION_NODES:
            return None
        script = smtlibscript_from_formula(self.smt.And(list(asserted)), logic=LIA)
        text = StringIO()
        script.serialize(text, daggify=True)
        return Obligation(f"network and rival do not differ on any word of length {self.n}", text.getvalue())


_LONGEST_S = 1e6  # beyond, a limit in milliseconds leaves z3's integers
