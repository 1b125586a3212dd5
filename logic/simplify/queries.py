"""Obligations in SMT-LIB: two formulas, or two sums, are the same at every length, whatever they read.

Letters, propositions, defined relations and sums are uninterpreted; positions are integers from 1 to n. Every node becomes a
function of its free variables, so that the text is as long as the shared graph. A quantifier or a count is, in this order of
effort:

* an uninterpreted function, the same for the same node (`Effort.ATOMS`);
* a quantifier over integers; a count is between 0 and n, positive iff there is a witness, n iff all are witnesses; two counts
  of equivalent conditions are equal, of opposite ones add up to n (`Effort.COUNTS`);
* and defined sums lie in their ranges (`Effort.RANGES`), which the caller has to prove.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Any

from logic.simplify.ranges import Bound, Range, all_inside
from logic.simplify.substitution import instantiate
from logic.syntax import (
    FALSE,
    TRUE,
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
    Sum,
    SumCall,
    Term,
    Truth,
)
from logic.walk import Part, postorder

MOST_PAIRS = 60


class Effort(IntEnum):
    """How much of the meaning of quantifiers and counts a query states."""

    ATOMS = 1
    COUNTS = 2
    RANGES = 3


def number(value: int) -> str:
    """An integer in SMT-LIB."""
    return str(value) if value >= 0 else f"(- {-value})"


def plus(parts: list[str]) -> str:
    """A sum in SMT-LIB."""
    return f"(+ {' '.join(parts)} 0)" if parts else "0"


def joined(operator: str, parts: list[str]) -> str:
    """A conjunction or disjunction of at least one part."""
    return f"({operator} {' '.join(parts)})" if len(parts) > 1 else parts[0]


def in_word(terms: list[str]) -> list[str]:
    """The conditions that terms are positions."""
    return [condition for term in terms for condition in (f"(<= 1 {term})", f"(<= {term} n)")]


class Query:
    """One query. `unfolded` are definitions that are read as their bodies, `ranges` those of defined sums."""

    def __init__(
        self, params: tuple[str, ...], unfolded: Mapping[str, Definition], ranges: Mapping[str, Range], effort: Effort
    ) -> None:
        self.params, self.unfolded, self.ranges, self.effort = params, unfolded, ranges, effort
        self.lines: list[str] = []
        self.symbols: dict[object, str] = {}
        self.macros: dict[Part, str] = {}
        self.bodies: dict[str, str] = {}
        self.counts: list[tuple[str, str, Formula]] = []
        self.weighted: list[tuple[str, str, Formula, Item]] = []
        self.sums: set[str] = set()

    def differ(self, left: Part, right: Part) -> str:
        """The query whether two formulas, or two sums, can differ."""
        return self.script(f"(not (= {self.value(left)} {self.value(right)}))")

    def leaves(self, total: Sum, bounds: Range) -> str:
        """The query whether a sum can leave a range."""
        value = self.value(total)
        return self.script(f"(not {joined('and', within(value, bounds))})")

    def script(self, claim: str) -> str:
        """The whole query."""
        if self.effort > Effort.ATOMS:
            self.facts()
        if self.effort >= Effort.RANGES:
            self.range_facts()
        header = ["(declare-const n Int)", "(assert (>= n 0))"]
        for name in self.params:
            header += [f"(declare-const v_{name} Int)", f"(assert {joined('and', in_word([f'v_{name}']))})"]
        return "\n".join([*header, *self.lines, f"(assert {claim})"])

    # Nodes as functions of their free variables.

    def value(self, root: Part) -> str:
        """A node in terms of the variables in scope."""
        for node in postorder(root):
            if node not in self.macros:
                text = self.text(node)
                name = self.macros[node] = f"f{len(self.macros)}"
                kind = "Bool" if isinstance(node, Formula) else "Int"
                self.lines.append(f"(define-fun {name} ({declared(node.free)}) {kind} {text})")
        return applied(self.macros[root], node_variables(root))

    def text(self, node: Any) -> str:
        value = self.value
        match node:
            case Truth(truth):
                return "true" if truth else "false"
            case Letter(name, term):
                return self.read(("letter", name), "Bool", [self.term(term)])
            case Call(name, args):
                return self.read(("relation", name), "Bool", [self.term(arg) for arg in args])
            case SumCall(name, args):
                self.sums.add(name)
                return self.read(("sum", name), "Int", [self.term(arg) for arg in args])
            case Compare(op, left, right):
                return f"({op} {self.term(left)} {self.term(right)})"
            case Bit(of, index):
                return self.bit(of, index)
            case Not(body):
                return f"(not {value(body)})"
            case And(parts):
                return joined("and", [value(part) for part in parts])
            case Or(parts):
                return joined("or", [value(part) for part in parts])
            case Implies(left, right):
                return f"(=> {value(left)} {value(right)})"
            case Iff(left, right):
                return f"(= {value(left)} {value(right)})"
            case Forall() | Exists() | Majority():
                return self.quantifier(node)
            case Indicator(phi):
                return f"(ite {value(phi)} 1 0)"
            case Count():
                return self.count(node)
            case Sum(items, length, const):
                products = [f"(* {number(coef)} {value(item)})" for coef, item in items]
                return plus([*products, f"(* {number(length)} n)", number(const)])
            case Linear(total, bound):
                return f"(>= {value(total)} {number(bound)})"
            case _:
                raise TypeError(f"not a node: {type(node).__name__}")

    @staticmethod
    def term(term: Term) -> str:
        return plus([f"(* {number(c)} v_{v})" for v, c in term.coefs] + [f"(* {number(term.n)} n)", number(term.const)])

    def read(self, key: tuple[str, str], kind: str, terms: list[str]) -> str:
        """A letter or definition at some terms: false or 0 outside of the word."""
        body = self.bodies.get(key[1]) if key[0] != "letter" else None
        if body is None and key[0] != "letter" and key[1] in self.unfolded:
            definition = self.unfolded[key[1]]
            inner = self.value(definition.body)
            body = self.bodies[key[1]] = f"d{len(self.bodies)}"
            params = " ".join(f"(v_{name} Int)" for name in definition.params)
            self.lines.append(f"(define-fun {body} ({params}) {kind} {inner})")
        name = body or self.symbol(key, len(terms), kind)
        if not terms:
            return name
        there = f"({name} {' '.join(terms)})"
        inside = joined("and", in_word(terms))
        return f"(and {inside} {there})" if kind == "Bool" else f"(ite {inside} {there} 0)"

    def symbol(self, key: object, arity: int, kind: str) -> str:
        """The uninterpreted function that stands for something."""
        if key not in self.symbols:
            name = self.symbols[key] = f"s{len(self.symbols)}"
            self.lines.append(f"(declare-fun {name} ({' '.join(['Int'] * arity)}) {kind})")
        return self.symbols[key]

    def bit(self, of: Term, index: Term) -> str:
        if not (of.coefs or of.n or index.coefs or index.n):
            holds = of.const >= 0 and index.const >= 1 and of.const >> (index.const - 1) & 1 == 1
            return "true" if holds else "false"
        number_, place = self.term(of), self.term(index)
        return f"(and (>= {number_} 0) (>= {place} 1) ({self.symbol('bit', 2, 'Bool')} {number_} {place}))"

    # Quantifiers and counts.

    def quantifier(self, node: Forall | Exists | Majority) -> str:
        if self.effort == Effort.ATOMS:
            return self.opaque(node, "Bool")
        if isinstance(node, Majority):
            return f"(>= (* 2 {self.counted(node.variable, node.body)}) n)"
        body, where = self.value(node.body), joined("and", in_word([f"v_{node.variable}"]))
        if isinstance(node, Exists):
            return f"(exists ((v_{node.variable} Int)) (and {where} {body}))"
        return f"(forall ((v_{node.variable} Int)) (=> {where} {body}))"

    def opaque(self, node: Part, kind: str) -> str:
        """A node as an uninterpreted function of its free variables."""
        variables = node_variables(node)
        return applied(self.symbol(node, len(variables), kind), variables)

    def count(self, item: Count) -> str:
        """A count: a combination of counts of conditions and of sums of single items."""
        if self.effort == Effort.ATOMS:
            return self.opaque(item, "Int")
        x, condition, weight = item.variable, item.condition, self.spelled(item.weight)
        parts = []
        if weight.const:
            parts.append(f"(* {number(weight.const)} {self.counted(x, condition)})")
        if weight.length:
            parts.append(f"(* {number(weight.length)} n {self.counted(x, condition)})")
        for coef, inner in weight.items:
            if isinstance(inner, Indicator):
                both = inner.formula if condition is TRUE else And((condition, inner.formula))
                parts.append(f"(* {number(coef)} {self.counted(x, both)})")
            else:
                parts.append(f"(* {number(coef)} {self.added(x, condition, inner)})")
        return plus(parts)

    def spelled(self, weight: Sum) -> Sum:
        """A weight with the bodies of unfolded sums in the places of their calls, where their arguments are positions."""
        items, length, const = list(reversed(weight.items)), weight.length, weight.const
        kept: list[tuple[int, Item]] = []
        while items:
            coef, item = items.pop()
            definition = self.unfolded.get(item.name) if isinstance(item, SumCall) else None
            if isinstance(item, SumCall) and definition is not None and all_inside(item.args):
                body = instantiate(definition, item.args)
                if isinstance(body, Sum):
                    items.extend((coef * inner, one) for inner, one in reversed(body.items))
                    length, const = length + coef * body.length, const + coef * body.const
                    continue
            kept.append((coef, item))
        return Sum(tuple(kept), length, const)

    def counted(self, x: str, condition: Formula) -> str:
        """The number of positions x with a condition."""
        if condition is TRUE or condition is FALSE:
            return "n" if condition is TRUE else "0"
        self.value(condition)
        free = condition.free - {x}
        fresh = (x, condition) not in self.symbols
        name = self.symbol((x, condition), len(free), "Int")
        if fresh:
            self.counts.append((name, x, condition))
        return applied(name, variables_of(free))

    def added(self, x: str, condition: Formula, item: Item) -> str:
        """The sum of an item over the positions x with a condition."""
        self.value(condition)
        self.value(item)
        free = (condition.free | item.free) - {x}
        fresh = (x, condition, item) not in self.symbols
        name = self.symbol((x, condition, item), len(free), "Int")
        if fresh:
            self.weighted.append((name, x, condition, item))
        return applied(name, variables_of(free))

    # Facts.

    def facts(self) -> None:
        """State what is known of counts."""
        for name, x, condition in self.counts:
            free = condition.free - {x}
            here, value = self.value(condition), applied(name, variables_of(free))
            some, every = self.exists(x, here), self.forall(x, here)
            bounds = f"(and (<= 0 {value}) (<= {value} n))"
            self.fact(free, f"(and {bounds} (= (>= {value} 1) {some}) (= (>= {value} n) {every}))")
        pairs = [(one, other) for k, one in enumerate(self.counts) for other in self.counts[k + 1 :]]
        for (name, x, condition), (other, y, second) in pairs[:MOST_PAIRS]:
            if condition.free - {x} == second.free - {y}:
                free = condition.free - {x}
                mine, theirs = applied(name, variables_of(free)), applied(other, variables_of(free))
                here, there = self.value(condition), self.renamed(second, y, x)
                same, opposed = self.forall(x, f"(= {here} {there})"), self.forall(x, f"(= {here} (not {there}))")
                self.fact(free, f"(and (=> {same} (= {mine} {theirs})) (=> {opposed} (= (+ {mine} {theirs}) n)))")
        for k, (name, x, condition, item) in enumerate(self.weighted[:MOST_PAIRS]):
            for other, y, second, inner in self.weighted[k + 1 : MOST_PAIRS]:
                free = (condition.free | item.free) - {x}
                if free == (second.free | inner.free) - {y}:
                    here = f"(ite {self.value(condition)} {self.value(item)} 0)"
                    there = f"(ite {self.renamed(second, y, x)} {self.renamed(inner, y, x)} 0)"
                    mine, theirs = applied(name, variables_of(free)), applied(other, variables_of(free))
                    self.fact(free, f"(=> {self.forall(x, f'(= {here} {there})')} (= {mine} {theirs}))")

    def renamed(self, node: Part, y: str, x: str) -> str:
        """A node with another variable for one of its own."""
        self.value(node)
        return applied(self.macros[node], [f"v_{x}" if name == y else f"v_{name}" for name in sorted(node.free)])

    @staticmethod
    def exists(x: str, body: str) -> str:
        return f"(exists ((v_{x} Int)) (and {joined('and', in_word([f'v_{x}']))} {body}))"

    @staticmethod
    def forall(x: str, body: str) -> str:
        return f"(forall ((v_{x} Int)) (=> {joined('and', in_word([f'v_{x}']))} {body}))"

    def fact(self, free: frozenset[str], text: str) -> None:
        """State something for all positions, or for the parameters if it is about these."""
        if free <= set(self.params):
            self.lines.append(f"(assert {text})")
        else:
            where = joined("and", in_word([f"v_{name}" for name in sorted(free)]))
            self.lines.append(f"(assert (forall ({declared(free)}) (=> {where} {text})))")

    def range_facts(self) -> None:
        """State the ranges of the defined sums that occur."""
        for name in sorted(self.sums & self.ranges.keys()):
            key = ("sum", name)
            bounds = self.ranges[name]
            if key not in self.symbols:
                continue
            declaration = next(line for line in self.lines if line.startswith(f"(declare-fun {self.symbols[key]} "))
            arity = declaration.count("Int") - 1
            if arity:
                places = [f"v{k}" for k in range(arity)]
                value = f"({self.symbols[key]} {' '.join(places)})"
                scope = " ".join(f"({place} Int)" for place in places)
                body = joined("and", ["true", *within(value, bounds)])
                self.lines.append(f"(assert (forall ({scope}) (=> {joined('and', in_word(places))} {body})))")
            else:
                self.lines.append(f"(assert {joined('and', ['true', *within(self.symbols[key], bounds)])})")


def within(value: str, bounds: Range) -> list[str]:
    """The conditions that a value lies in a range."""

    def limit(bound: Bound) -> str:
        return f"(+ {number(bound[0])} (* {number(bound[1])} n))"

    found = ["true"]
    if bounds.low is not None:
        found.append(f"(<= {limit(bounds.low)} {value})")
    if bounds.high is not None:
        found.append(f"(<= {value} {limit(bounds.high)})")
    return found


def variables_of(free: frozenset[str]) -> list[str]:
    """The SMT-LIB names of variables, sorted."""
    return [f"v_{name}" for name in sorted(free)]


def node_variables(node: Part) -> list[str]:
    """The SMT-LIB names of the free variables of a node."""
    return variables_of(node.free)


def declared(free: frozenset[str]) -> str:
    """The declarations of variables as arguments."""
    return " ".join(f"({name} Int)" for name in variables_of(free))


def applied(function: str, arguments: list[str]) -> str:
    """A function of some arguments."""
    return f"({function} {' '.join(arguments)})" if arguments else function
