"""Grounding: a sentence at one length n as a formula of linear integer arithmetic over Booleans for the letters.

Quantifiers become conjunctions, disjunctions and sums over 1..n. Every instance of a definition becomes a symbol with a
defining equation, so the result is linear in the number of instances that matter; an instance of a tiny definition (a mask,
say) is put in place and usually folds to a constant. Counting terms are sums of if-then-else terms.

Solve with the logic "LIA": z3 turns 0/1 sums under QF_LIA into pseudo-Boolean constraints and loses its arithmetic.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pysmt.environment import Environment
from pysmt.fnode import FNode
from pysmt.typing import BOOL, INT

from circuits.diagnostics import fail
from logic.semantics import deep_recursion
from logic.smt.symbols import symbol_part
from logic.syntax import (
    And,
    Bit,
    Call,
    Compare,
    Count,
    Definition,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Indicator,
    Item,
    Letter,
    Linear,
    Majority,
    Not,
    Or,
    Sentence,
    Sum,
    SumCall,
    Term,
    Truth,
)
from logic.walk import Part, postorder

_FEW = 8  # letters up to which "exactly one" is said pairwise
_TINY = 6  # nodes of a body that is put in place rather than named


@dataclass(frozen=True, slots=True)
class Grounded:
    """A sentence at one length.

    `letters` maps (letter, position) to its Boolean ``a@3``, `alphabet` says that each position has exactly one letter (nothing
    if there are no letters),
    `equations` define the instances of definitions, and `formula` is the truth of the sentence, or maps each position to
    the truth there if the sentence has a free variable.
    """

    env: Environment
    n: int
    letters: dict[tuple[str, int], FNode]
    propositions: dict[str, FNode]
    alphabet: tuple[FNode, ...]
    equations: tuple[FNode, ...]
    formula: FNode | dict[int, FNode]

    @property
    def constraints(self) -> list[FNode]:
        """Everything that is asserted whatever is asked: the alphabet and the equations."""
        return [*self.alphabet, *self.equations]


def ground(
    sentence: Sentence,
    n: int,
    letters: Sequence[str] | None = None,
    *,
    env: Environment | None = None,
    prefix: str = "",
) -> Grounded:
    """Ground a checked sentence at length `n`.

    `letters` is the alphabet of the words considered, by default the sentence's own. Letters and propositions are the same
    symbols whatever the `prefix`; instances of definitions are named after it, so that two sentences can be grounded in
    one environment `env` with different prefixes and compared. By default the environment is a fresh one.
    """
    if n < 0:
        raise fail("L030", f"a length is not negative, found {n}")
    made = Environment() if env is None else env
    alphabet = tuple(sentence.letters if letters is None else letters)
    with deep_recursion():
        return _Grounding(sentence, n, alphabet, made, prefix).run()


class _Grounding:
    def __init__(self, sentence: Sentence, n: int, alphabet: tuple[str, ...], env: Environment, prefix: str) -> None:
        self.sentence, self.n, self.env, self.prefix = sentence, n, env, prefix
        manager = env.formula_manager
        self.smt: Any = manager
        self.true, self.false, self.zero = manager.TRUE(), manager.FALSE(), manager.Int(0)
        self.definitions: dict[str, Definition] = {one.name: one for one in sentence.definitions}
        self.letters = {
            (letter, position): manager.Symbol(f"{symbol_part(letter)}@{position}", BOOL)
            for position in range(1, n + 1)
            for letter in alphabet
        }
        self.alphabet = alphabet
        self.propositions = {name: manager.Symbol(symbol_part(name), BOOL) for name in sentence.propositions}
        self.tiny = {name for name, one in self.definitions.items() if _is_tiny(one)}
        self.instances: dict[tuple[str, tuple[int, ...]], FNode] = {}
        self.waiting: deque[tuple[Definition, tuple[int, ...], FNode]] = deque()
        self.known: dict[tuple[Part, tuple[int, ...]], FNode] = {}

    def run(self) -> Grounded:
        phi, free = self.sentence.formula, self.sentence.free
        formula: FNode | dict[int, FNode]
        if free:
            formula = {position: self.formula(phi, {free[0]: position}) for position in range(1, self.n + 1)}
        else:
            formula = self.formula(phi, {})
        equations = []
        while self.waiting:
            definition, positions, symbol = self.waiting.popleft()
            values = dict(zip(definition.params, positions, strict=True))
            if isinstance(definition.body, Sum):
                terms, const = self.sum(definition.body, values, 1)
                equations.append(self.smt.Equals(symbol, self.plus(terms, const)))
            else:
                equations.append(self.smt.Iff(symbol, self.formula(definition.body, values)))
        alphabet = tuple(self.exactly_one(position) for position in range(1, self.n + 1)) if self.alphabet else ()
        return Grounded(self.env, self.n, self.letters, self.propositions, alphabet, tuple(equations), formula)

    def exactly_one(self, position: int) -> FNode:
        """Say that a position has exactly one letter: pairwise for a few letters, as a sum for many."""
        here = [self.letters[letter, position] for letter in self.alphabet]
        if len(here) <= _FEW:
            return self.smt.ExactlyOne(here)
        return self.smt.Equals(
            self.smt.Plus([self.smt.Ite(one, self.smt.Int(1), self.zero) for one in here]), self.smt.Int(1)
        )

    # Formulas, folding constants.

    def formula(self, phi: Formula, v: Mapping[str, int]) -> FNode:
        """Ground a formula under an assignment, once for each assignment of its free variables."""
        key = phi, tuple([v[name] for name in sorted(phi.free)])
        known = self.known.get(key)
        if known is None:
            known = self.known[key] = self.fresh(phi, v)
        return known

    def fresh(self, phi: Formula, v: Mapping[str, int]) -> FNode:
        match phi:
            case Truth(value):
                return self.truth(value)
            case Letter(name, t):
                return self.letters.get((name, t.evaluate(self.n, v)), self.false)
            case Call(name, args):
                return self.propositions[name] if name in self.propositions else self.relation(name, args, v)
            case Compare(op, left, right):
                a, b = left.evaluate(self.n, v), right.evaluate(self.n, v)
                return self.truth(a == b if op == "=" else a < b if op == "<" else a <= b)
            case Bit(number, index):
                a, i = number.evaluate(self.n, v), index.evaluate(self.n, v)
                return self.truth(a >= 0 and i >= 1 and a >> (i - 1) & 1 == 1)
            case Not(psi):
                return self.negation(self.formula(psi, v))
            case And(parts):
                return self.conjunction([self.formula(part, v) for part in parts])
            case Or(parts):
                return self.disjunction([self.formula(part, v) for part in parts])
            case Implies(left, right):
                return self.disjunction([self.negation(self.formula(left, v)), self.formula(right, v)])
            case Iff(left, right):
                return self.equivalence(self.formula(left, v), self.formula(right, v))
            case Forall(x, psi):
                return self.conjunction(self.everywhere(x, psi, v))
            case Exists(x, psi):
                return self.disjunction(self.everywhere(x, psi, v))
            case Majority(x, psi):
                return self.threshold(self.everywhere(x, psi, v), (self.n + 1) // 2)
            case Linear(total, bound):
                terms, const = self.sum(total, v, 1)
                if not terms:
                    return self.truth(const >= bound)
                return self.smt.GE(self.plus(terms, 0), self.smt.Int(bound - const))
            case _:
                raise TypeError(f"not a formula: {type(phi).__name__}")

    def everywhere(self, x: str, psi: Formula, v: Mapping[str, int]) -> list[FNode]:
        return [self.formula(psi, {**v, x: position}) for position in range(1, self.n + 1)]

    def truth(self, value: bool) -> FNode:
        return self.true if value else self.false

    def negation(self, phi: FNode) -> FNode:
        if phi.is_bool_constant():
            return self.truth(phi is self.false)
        return phi.arg(0) if phi.is_not() else self.smt.Not(phi)

    def conjunction(self, parts: Sequence[FNode]) -> FNode:
        kept = list(dict.fromkeys(part for part in parts if part is not self.true))
        if self.false in kept:
            return self.false
        return self.smt.And(kept) if len(kept) > 1 else kept[0] if kept else self.true

    def disjunction(self, parts: Sequence[FNode]) -> FNode:
        kept = list(dict.fromkeys(part for part in parts if part is not self.false))
        if self.true in kept:
            return self.true
        return self.smt.Or(kept) if len(kept) > 1 else kept[0] if kept else self.false

    def equivalence(self, left: FNode, right: FNode) -> FNode:
        if left.is_bool_constant():
            left, right = right, left
        if right is self.true:
            return left
        return self.negation(left) if right is self.false else self.smt.Iff(left, right)

    def threshold(self, parts: Sequence[FNode], bound: int) -> FNode:
        """Say that at least `bound` of the parts are true."""
        open_parts = [part for part in parts if not part.is_bool_constant()]
        bound -= sum(part is self.true for part in parts)
        if bound <= 0 or bound > len(open_parts):
            return self.truth(bound <= 0)
        ones = [self.smt.Ite(part, self.smt.Int(1), self.zero) for part in open_parts]
        return self.smt.GE(self.plus(ones, 0), self.smt.Int(bound))

    # Sums: lists of terms and a constant.

    def sum(self, total: Sum, v: Mapping[str, int], factor: int) -> tuple[list[FNode], int]:
        """Ground `factor` times a counting term."""
        terms: list[FNode] = []
        const = factor * (total.length * self.n + total.const)
        for coef, item in total.items:
            if coef:
                more, extra = self.item(item, v, factor * coef)
                terms += more
                const += extra
        return terms, const

    def item(self, item: Item, v: Mapping[str, int], factor: int) -> tuple[list[FNode], int]:
        match item:
            case Indicator(phi):
                return self.guarded(self.formula(phi, v), [], factor)
            case Count(y, condition, weight):
                terms: list[FNode] = []
                const = 0
                for position in range(1, self.n + 1):
                    inner = {**v, y: position}
                    holds = self.formula(condition, inner)
                    if holds is not self.false:
                        more, extra = self.guarded(holds, *self.sum(weight, inner, factor))
                        terms += more
                        const += extra
                return terms, const
            case SumCall(name, args):
                positions = self.positions(args, v)
                if positions is None:
                    return [], 0
                symbol = self.instance(name, positions)
                return [symbol if factor == 1 else self.smt.Times(self.smt.Int(factor), symbol)], 0
            case _:
                raise TypeError(f"not an item: {type(item).__name__}")

    def guarded(self, condition: FNode, terms: list[FNode], const: int) -> tuple[list[FNode], int]:
        """Return a sum if the condition holds, and 0 if not; a number is a multiple of 1, so equal counts are equal terms."""
        if condition is self.true:
            return terms, const
        if condition is self.false or (not terms and not const):
            return [], 0
        if terms:
            return [self.smt.Ite(condition, self.plus(terms, const), self.zero)], 0
        one = self.smt.Ite(condition, self.smt.Int(1), self.zero)
        return [one if const == 1 else self.smt.Times(self.smt.Int(const), one)], 0

    def plus(self, terms: list[FNode], const: int) -> FNode:
        parts = [*terms, self.smt.Int(const)] if const or not terms else terms
        return self.smt.Plus(parts) if len(parts) > 1 else parts[0]

    # Definitions.

    def positions(self, args: tuple[Term, ...], v: Mapping[str, int]) -> tuple[int, ...] | None:
        """Evaluate the arguments; None if one is not a position."""
        positions = tuple([t.evaluate(self.n, v) for t in args])
        return positions if all(1 <= position <= self.n for position in positions) else None

    def relation(self, name: str, args: tuple[Term, ...], v: Mapping[str, int]) -> FNode:
        positions = self.positions(args, v)
        if positions is None:
            return self.false
        definition = self.definitions[name]
        if name in self.tiny and isinstance(definition.body, Formula):
            return self.formula(definition.body, dict(zip(definition.params, positions, strict=True)))
        return self.instance(name, positions)

    def instance(self, name: str, positions: tuple[int, ...]) -> FNode:
        """Return the symbol of an instance; its equation is written when its turn comes."""
        symbol = self.instances.get((name, positions))
        if symbol is None:
            definition = self.definitions[name]
            kind = INT if isinstance(definition.body, Sum) else BOOL
            spelled = f"{self.prefix}{symbol_part(name)}@{'.'.join(map(str, positions))}"
            symbol = self.instances[name, positions] = self.smt.Symbol(spelled, kind)
            self.waiting.append((definition, positions, symbol))
        return symbol


def _is_tiny(definition: Definition) -> bool:
    """Tell whether a relation has a small body without quantifiers, counts and other definitions."""
    if isinstance(definition.body, Sum):
        return False
    for size, node in enumerate(postorder(definition.body), 1):
        if size > _TINY or isinstance(node, Call | SumCall | Forall | Exists | Majority | Count):
            return False
    return True
