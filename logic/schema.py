"""A sentence at every length at once: axioms of many-sorted first-order logic with linear integer arithmetic.

Positions are the integers from 1 to n. A definition is a function with an axiom that says what it is; a count is a function
of how far it has counted, c(0) = 0 and c(m) = c(m - 1) + s(m) where the condition holds at m, so that c(n) is its value; the
indicator of a formula is a function with the values 0 and 1. The axioms define all functions, so they have a model for each
word, and the sentence holds in the word if and only if the last formula is true in that model.

The axioms are neutral trees; `logic.tptp` and `logic.smt.schema_script` spell them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from logic.semantics import deep_recursion
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
from logic.walk import postorder

Operator = Literal[
    "and", "or", "not", "=>", "<=>", "forall", "exists", "=", "<=", "<", "+", "*", "mod2", "div2", "apply"
]


@dataclass(frozen=True, slots=True)
class Tree:
    """An operator and what it is applied to: trees, numbers and variables; with `names`, bound variables or a function."""

    operator: Operator
    parts: tuple[Tree | int | str, ...]
    names: tuple[str, ...] = ()


Node = Tree | int | str
"""A tree, a number, or a variable."""


@dataclass(frozen=True, slots=True)
class Function:
    """A function of integers: its name, how many arguments it takes, and whether its value is a truth value."""

    name: str
    arity: int
    is_relation: bool


@dataclass(frozen=True, slots=True)
class Axiom:
    """A formula without free variables, and what it says."""

    says: str
    formula: Node


@dataclass(frozen=True, slots=True)
class Schema:
    """The functions, their axioms, and the last formula; with a free variable, at some and at every position."""

    functions: tuple[Function, ...]
    axioms: tuple[Axiom, ...]
    somewhere: Node
    everywhere: Node


LENGTH = Function("n", 0, False)
LETTER = Function("letter at", 1, False)
BIT = Function("bit", 2, True)


def schema(sentence: Sentence) -> Schema:
    """Axioms of a checked sentence for words of every length."""
    with deep_recursion():
        return _Schema(sentence).run()


def letter_symbol(letter: str) -> str:
    """The name of the relation that a letter is: no definition has a quote in its name."""
    return f"'{letter}'"


def _apply(function: Function, *arguments: Node) -> Node:
    return Tree("apply", arguments, (function.name,))


N = _apply(LENGTH)


def _within(variable: Node) -> tuple[Node, Node]:
    """Say that a variable is a position."""
    return Tree("<=", (1, variable)), Tree("<=", (variable, N))


def _all_of(parts: Sequence[Node]) -> Node:
    return Tree("and", tuple(parts)) if len(parts) > 1 else parts[0]


def _forall(names: Sequence[str], body: Node) -> Node:
    return Tree("forall", (body,), tuple(names)) if names else body


def _plus(parts: Sequence[Node]) -> Node:
    return Tree("+", tuple(parts)) if len(parts) > 1 else parts[0] if parts else 0


def _times(factor: int, node: Node) -> Node:
    return node if factor == 1 else Tree("*", (factor, node))


class _Schema:
    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        self.functions: list[Function] = [LENGTH]
        self.axioms: list[Axiom] = [Axiom("the length", Tree("<=", (0, N)))]
        self.known: dict[tuple[Formula | Count, tuple[str, ...]], Function] = {}
        self.relations = {one.name: Function(one.name, len(one.params), not isinstance(one.body, Sum))
                          for one in sentence.definitions} | {
            name: Function(name, 0, True) for name in sentence.propositions
        }  # fmt: skip

    def run(self) -> Schema:
        sentence = self.sentence
        self.letters(sentence.letters)
        self.functions += [self.relations[name] for name in sentence.propositions]
        if any(isinstance(node, Bit) for node in self.nodes()):
            self.bits()
        for definition in sentence.definitions:
            self.definition(definition)
        somewhere = everywhere = self.formula(sentence.formula)
        for name in sentence.free:
            somewhere = Tree("exists", (_all_of([*_within(name), somewhere]),), (name,))
            everywhere = Tree("forall", (Tree("=>", (_all_of(_within(name)), everywhere)),), (name,))
        return Schema(tuple(self.functions), tuple(self.axioms), somewhere, everywhere)

    def nodes(self) -> Iterator[Formula | Sum | Item]:
        """All nodes of the sentence."""
        seen: set[Formula | Sum | Item] = set()
        for root in [*(definition.body for definition in self.sentence.definitions), self.sentence.formula]:
            yield from postorder(root, seen)

    def say(self, says: str, names: Sequence[str], body: Node) -> None:
        self.axioms.append(Axiom(says, _forall(names, body)))

    # What the words are.

    def letters(self, alphabet: tuple[str, ...]) -> None:
        """A function from positions to the numbers of letters, so that each position has exactly one."""
        if not alphabet:
            return
        at = _apply(LETTER, "x")
        self.functions.append(LETTER)
        self.say("every position has a letter", ("x",), _all_of([Tree("<=", (1, at)), Tree("<=", (at, len(alphabet)))]))
        for number, letter in enumerate(alphabet, 1):
            function = Function(letter_symbol(letter), 1, True)
            self.functions.append(function)
            holds = _all_of([*_within("x"), Tree("=", (at, number))])
            self.say(f"the letter {letter!r}", ("x",), Tree("<=>", (_apply(function, "x"), holds)))

    def bits(self) -> None:
        """Bit 1 of t is the remainder by 2, and bit i of t is bit i - 1 of the half of t."""
        self.functions.append(BIT)
        names = ("t", "i")
        holds = _apply(BIT, "t", "i")
        first = _apply(BIT, "t", 1)
        half = _apply(BIT, Tree("div2", ("t",)), Tree("+", ("i", -1)))
        outside = Tree("or", (Tree("<", ("t", 0)), Tree("<", ("i", 1))))
        self.say("bits of negative numbers and bits before bit 1", names, Tree("=>", (outside, Tree("not", (holds,)))))
        self.say(
            "bit 1",
            ("t",),
            Tree("=>", (Tree("<=", (0, "t")), Tree("<=>", (first, Tree("=", (Tree("mod2", ("t",)), 1)))))),
        )
        further = _all_of([Tree("<=", (0, "t")), Tree("<", (1, "i"))])
        self.say("further bits", names, Tree("=>", (further, Tree("<=>", (holds, half)))))

    def definition(self, one: Definition) -> None:
        """A definition is false or 0 where an argument is no position, and its body elsewhere."""
        function = self.relations[one.name]
        self.functions.append(function)
        head = _apply(function, *one.params)
        inside = [bound for name in one.params for bound in _within(name)]
        if not isinstance(one.body, Sum):
            holds = _all_of([*inside, self.formula(one.body)])
            self.say(f"let {one.name}", one.params, Tree("<=>", (head, holds)))
            return
        value: Node = Tree("=", (head, self.sum(one.body)))
        self.say(f"sum {one.name}", one.params, Tree("=>", (_all_of(inside), value)) if inside else value)
        if inside:
            outside = Tree("not", (_all_of(inside),))
            self.say(f"sum {one.name} outside", one.params, Tree("=>", (outside, Tree("=", (head, 0)))))

    # Formulas.

    def formula(self, phi: Formula) -> Node:
        match phi:
            case Truth(value):
                return Tree("=", (0, 0)) if value else Tree("=", (0, 1))
            case Letter(name, t):
                return Tree("apply", (_term(t),), (letter_symbol(name),))
            case Call(name, args):
                return _apply(self.relations[name], *map(_term, args))
            case Compare(op, left, right):
                return Tree("=" if op == "=" else "<" if op == "<" else "<=", (_term(left), _term(right)))
            case Bit(number, index):
                return _apply(BIT, _term(number), _term(index))
            case Not(psi):
                return Tree("not", (self.formula(psi),))
            case And(parts):
                return Tree("and", tuple([self.formula(part) for part in parts]))
            case Or(parts):
                return Tree("or", tuple([self.formula(part) for part in parts]))
            case Implies(left, right):
                return Tree("=>", (self.formula(left), self.formula(right)))
            case Iff(left, right):
                return Tree("<=>", (self.formula(left), self.formula(right)))
            case Forall(x, psi):
                return Tree("forall", (Tree("=>", (_all_of(_within(x)), self.formula(psi))),), (x,))
            case Exists(x, psi):
                return Tree("exists", (_all_of([*_within(x), self.formula(psi)]),), (x,))
            case Majority(x, psi):
                return Tree("<=", (N, _times(2, self.count(Count(x, psi)))))
            case Linear(total, bound):
                return Tree("<=", (bound, self.sum(total)))
            case _:
                raise TypeError(f"not a formula: {type(phi).__name__}")

    # Sums.

    def sum(self, total: Sum) -> Node:
        terms = [_times(coef, self.item(item)) for coef, item in total.items if coef]
        if total.length:
            terms.append(_times(total.length, N))
        return _plus([*terms, total.const] if total.const or not terms else terms)

    def item(self, item: Item) -> Node:
        match item:
            case Indicator(phi):
                return self.indicator(phi)
            case Count():
                return self.count(item)
            case SumCall(name, args):
                return _apply(self.relations[name], *map(_term, args))
            case _:
                raise TypeError(f"not an item: {type(item).__name__}")

    def indicator(self, phi: Formula) -> Node:
        """The value of the function that is 1 where the formula holds and 0 elsewhere."""
        names = tuple(sorted(phi.free))
        known = self.known.get((phi, names))
        if known is None:
            known = self.known[phi, names] = Function(f"[{len(self.known) + 1}]", len(names), False)
            self.functions.append(known)
            value, holds = _apply(known, *names), self.formula(phi)
            self.say("an indicator", names, Tree("=>", (holds, Tree("=", (value, 1)))))
            self.say("an indicator", names, Tree("=>", (Tree("not", (holds,)), Tree("=", (value, 0)))))
        return _apply(known, *names)

    def count(self, count: Count) -> Node:
        """The value of the function that counts, at the last position."""
        names = tuple(sorted(count.free))
        known = self.known.get((count, names))
        if known is None:
            known = self.known[count, names] = Function(f"#{len(self.known) + 1}", 1 + len(names), False)
            self.functions.append(known)
            y = count.variable
            before, after = _apply(known, Tree("+", (y, -1)), *names), _apply(known, y, *names)
            holds, weight = self.formula(count.condition), self.sum(count.weight)
            inside = _within(y)
            self.say(f"a count over {y}", names, Tree("=", (_apply(known, 0, *names), 0)))
            self.say("one position more", (y, *names),
                     Tree("=>", (_all_of([*inside, holds]), Tree("=", (after, _plus([before, weight]))))))  # fmt: skip
            self.say("one position more", (y, *names),
                     Tree("=>", (_all_of([*inside, Tree("not", (holds,))]), Tree("=", (after, before)))))  # fmt: skip
        return _apply(known, N, *names)


def _term(term: Term) -> Node:
    parts: list[Node] = [_times(coef, name) for name, coef in term.coefs]
    if term.n:
        parts.append(_times(term.n, N))
    return _plus([*parts, term.const] if term.const or not parts else parts)
