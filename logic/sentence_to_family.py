"""From a sentence of FO(M) to a uniform family of threshold circuits: every subformula becomes one template.

A formula with k free variables is a template of n^k gates. `exists`, `forall`, `M` and a linear counting atom are one gate each,
wired to all positions of what they bind; connectives are gates of weights 1 and -1, negation is a weight. Conditions on
positions cost no gates: they are guards of wires (``#y[y <= x & e(x, y)]`` reads e where y <= x), or constant bits. A
defined relation is the template of its body, read at the terms of a call, and false outside the word like every bit; a defined
sum is a shared sum. The depth is at most the nesting of the sentence, whatever n is (Barrington, Immerman & Straubing 1990).

The families begin at length 1: the empty word has no positions, so that a guard never speaks of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from circuits import positions
from circuits.diagnostics import fail
from circuits.entries import InputBits
from circuits.family import Family
from circuits.formats import BIT
from circuits.network import Domain, Inputs, Readout
from circuits.positions import FALSE, TRUE, Guard, conjunction, disjunction, is_safe, negation, var
from logic.conditions import Variables, inside, is_long
from logic.counting_forms import Form, Literal, Read, Renaming, complement
from logic.parts import conjuncts, disjuncts
from logic.propositions import Group, grouped
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
    Truth,
)
from logic.templates import Template, Templates

ANSWER = "answer"

Meaning = Guard | Literal


def sentence_to_family(sentence: Sentence) -> Family:
    """Write a checked sentence as a family with one answer, or one for each position if it has a free variable.

    The letters of the sentence are the alphabet; a sentence of propositions reads their bits and no word.

    Raises:
        FomError: neither letters nor propositions, or both; more than one free variable; numbers too large for gates; or a
            count of pairs of positions.
    """
    if len(sentence.free) > 1:
        raise fail("L014", f"{len(sentence.free)} variables are not bound: {', '.join(sentence.free)}",
                   help="a family answers once, or at each position: quantify all but one of them")  # fmt: skip
    if bool(sentence.letters) == bool(sentence.propositions):
        have = "letters and propositions" if sentence.letters else "neither letters nor propositions"
        raise fail("L064", f"the sentence has {have}, and a family reads a word or propositions",
                   help="declare the alphabet: letters a, b;" if not sentence.letters else "use one of them")  # fmt: skip
    with deep_recursion():
        return _Writer(sentence).run()


class _Writer:
    """The meanings of the formulas of one sentence: a condition on positions, or a bit."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        self.templates = Templates()
        self.propositions: dict[str, Read] = {}
        self.letters = {letter: element for element, letter in enumerate(sentence.letters)}
        self.variables = Variables()
        self.known: dict[Formula, Meaning] = {}
        self.relations: dict[str, tuple[tuple[int, ...], Meaning]] = {}
        self.sums: dict[str, int] = {}
        self.forms: dict[int, tuple[tuple[int, ...], Form]] = {}
        self.scope, self.made = "", 0

    def run(self) -> Family:
        """Write the inputs, the definitions in order, and the answer."""
        self.word = self.templates.input(InputBits("word", "word", 1, len(self.letters))) if self.letters else -1
        inputs = tuple(map(self.input, grouped(self.sentence.propositions)))
        for definition in self.sentence.definitions:
            self.define(definition)
        self.scope, self.made = ANSWER, 0
        own = [self.variables.number(name) for name in self.sentence.free]
        decision = self.decision(self.meaning(self.sentence.formula), own)
        self.templates.rename(decision, ANSWER, ANSWER)
        taken = (*self.sentence.letters, *self.sentence.propositions)
        entries, names = self.templates.entries([decision], taken)
        readout = Readout("logit", names[decision], names[decision], None, 1, len(own))
        domain = Domain(1, None, "the family of a sentence begins at length 1")
        return Family(entries, readout, BIT, domain, self.sentence.letters, inputs, "compact")

    def define(self, definition: Definition) -> None:
        """Write one definition."""
        self.scope, self.made = definition.name, 0
        own = tuple(self.variables.number(name) for name in definition.params)
        if isinstance(definition.body, Sum):
            form = self.total(definition.body)
            number = self.templates.sum(form, definition.name, own)
            self.forms.setdefault(number, (own, form))
            self.sums[definition.name] = number
            return
        meaning = self.meaning(definition.body)
        if isinstance(meaning, Literal):
            self.templates.rename(meaning.read.source, definition.name, self.scope)
        self.relations[definition.name] = own, meaning

    def decision(self, meaning: Meaning, own: Sequence[int]) -> int:
        """The gates that answer, at the free variable if there is one."""
        if isinstance(meaning, Literal) and meaning.read.at == tuple(map(var, own)):
            source = meaning.read.source
            node = self.templates.nodes[source]
            if isinstance(node, Template):
                return source if meaning.positive else self.templates.opposite(source, ANSWER)
        form = Form({}, 0, -1)
        form.add(self.value_of(meaning))
        return self.templates.gate(form, ANSWER, own).source

    # Formulas.

    def meaning(self, phi: Formula) -> Meaning:
        """What a formula means, written once."""
        known = self.known.get(phi)
        if known is None:
            known = self.known[phi] = self.compact(self.fresh(phi))
        return known

    def fresh(self, phi: Formula) -> Meaning:
        """Write a formula."""
        match phi:
            case Truth(value):
                return TRUE if value else FALSE
            case Letter(name, t):
                return Literal(Read(self.word, self.letters[name], (self.variables.term(t),)))
            case Call(name, args):
                return self.call(name, [self.variables.term(t) for t in args])
            case Compare() | Bit():
                return self.variables.condition(phi)
            case Not(psi):
                return opposite(self.meaning(psi))
            case And():
                return self.connect(*self.conjuncts(phi, True), every=True)
            case Or() | Implies():
                guard, literals = self.conjuncts(phi, False)
                return self.connect(negation(guard), [~literal for literal in literals], every=False)
            case Iff(left, right):
                return self.iff(self.meaning(left), self.meaning(right))
            case Exists(x, psi) | Forall(x, psi) | Majority(x, psi):
                return self.quantified(phi) if x in psi.free else self.meaning(psi)
            case Linear(total, bound):
                form = self.total(total)
                form.const -= bound
                return self.fires(form)
            case _:
                raise TypeError(f"not a formula: {type(phi).__name__}")

    def quantified(self, phi: Exists | Forall | Majority) -> Meaning:
        """One gate over all positions."""
        x, form = self.variables.number(phi.variable), Form()
        match phi:
            case Exists(_, psi) | Forall(_, psi) if (parts := self.apart(x, psi, isinstance(phi, Exists))) is not None:
                return parts if isinstance(phi, Exists) else opposite(parts)
            case Exists(_, psi):
                form.const = -1
                form.add(self.some(psi, True).bind(x))
            case Forall(_, psi):
                form.add(self.some(psi, False).bind(x), -1)
            case Majority(_, psi):
                form.length = -1
                form.add(self.value(psi).bind(x), 2)
            case _:
                assert_never(phi)
        return self.fires(form)

    def apart(self, x: int, psi: Formula, positive: bool) -> Meaning | None:
        """Whether x exists with a conjunction some of whose literals do not speak of x; None for anything else.

        ``exists x. p(y) & q(x)`` is ``p(y) & exists x. q(x)``: no gate reads both, for every x and y.
        """
        if len(conjuncts(psi, positive)) < 2:
            return None
        guard, literals = self.conjuncts(psi, positive)
        outside = [literal for literal in literals if x not in literal.variables]
        if not outside:
            return None
        inside = self.connect(TRUE, [literal for literal in literals if x in literal.variables], every=True)
        form = self.value_of(inside).where(guard).bind(x)
        form.const -= 1
        found = self.fires(form)
        if isinstance(found, Literal):
            return self.connect(TRUE, [*outside, found], every=True)
        return self.connect(found, outside, every=True)

    def fires(self, form: Form) -> Meaning:
        """Whether a form is at least 0: a condition on n, a literal, or a gate."""
        if not form.terms:
            return positions.simplify(positions.AtLeast(positions.Term((), form.length, form.const)))
        (bound, guard, read), coef = next(iter(form.terms.items()))
        alone = len(form.terms) == 1 and not form.length and not bound and guard == TRUE
        if alone and read is not None and read.source not in self.forms:
            low, high = sorted((form.const, form.const + coef))
            return TRUE if low >= 0 else FALSE if high < 0 else Literal(read, coef > 0)
        return Literal(self.templates.gate(form, self.name()))

    def conjuncts(self, phi: Formula, positive: bool) -> tuple[Guard, list[Literal]]:
        """A formula, or its negation, as a conjunction of a condition on positions and literals."""
        guards: list[Guard] = []
        literals: dict[Literal, None] = {}
        for part, sign in conjuncts(phi, positive):
            meaning = self.meaning(part) if sign else opposite(self.meaning(part))
            if isinstance(meaning, Literal):
                literals[meaning] = None
            else:
                guards.append(meaning)
        if any(~literal in literals for literal in literals):
            return FALSE, []
        return conjunction(*guards), list(literals)

    def connect(self, guard: Guard, literals: list[Literal], *, every: bool) -> Meaning:
        """The conjunction, or the disjunction, of a condition on positions and literals."""
        neutral, final = (TRUE, FALSE) if every else (FALSE, TRUE)
        if not literals or guard == final:
            return guard
        if guard != neutral:
            literals = [self.templates.condition(guard, self.name()), *literals]
        if len(literals) == 1:
            return literals[0]
        form = Form({}, 0, -len(literals) if every else -1)
        for literal in literals:
            form.add_literal(literal)
        return self.fires(form)

    def iff(self, left: Meaning, right: Meaning) -> Meaning:
        """Equivalence: ``2*[p & q] >= p + q``."""
        for one, other in ((left, right), (right, left)):
            if one in (TRUE, FALSE):
                return other if one == TRUE else opposite(other)
        if not isinstance(left, Literal) and not isinstance(right, Literal):
            both = conjunction(left, right), conjunction(negation(left), negation(right))
            return disjunction(*both)
        form = self.iff_value(left, right)
        form.const -= 1
        return self.fires(form)

    def iff_value(self, left: Meaning, right: Meaning) -> Form:
        """The 0 or 1 of an equivalence: ``1 - p - q + 2*[p & q]``."""
        p, q = self.literal(left), self.literal(right)
        form = Form({}, 0, 1)
        form.add_literal(p, -1)
        form.add_literal(q, -1)
        form.add(self.value_of(self.connect(TRUE, [p, q], every=True)), 2)
        return form

    def call(self, name: str, args: Sequence[positions.Term]) -> Meaning:
        """A defined relation at terms, false outside the word; or a proposition."""
        if name in self.propositions:
            return Literal(self.propositions[name])
        own, meaning = self.relations[name]
        at = Renaming(zip(own, args, strict=True))
        if not isinstance(meaning, Literal):
            return conjunction(inside(args), positions.substitute(meaning, at))
        outside = {variable for variable, term in at.items() if not is_safe(term)}
        if outside and not (meaning.positive and outside <= {v for v in own if var(v) in meaning.read.at}):
            form = self.value_of(meaning)
            form.const -= 1
            meaning = Literal(self.templates.gate(form, name, own))
            self.relations[name] = own, meaning
        return Literal(meaning.read.substitute(at), meaning.positive)

    def literal(self, meaning: Meaning) -> Literal:
        """A meaning as a literal."""
        return meaning if isinstance(meaning, Literal) else self.templates.condition(meaning, self.name())

    def compact(self, meaning: Meaning) -> Meaning:
        """A condition on positions that is long becomes a constant bit."""
        return meaning if isinstance(meaning, Literal) or not is_long(meaning) else self.literal(meaning)

    # Sums.

    def total(self, total: Sum) -> Form:
        """A counting term."""
        form = Form({}, total.length, total.const)
        for coef, item in total.items:
            form.add(self.item(item), coef)
        return form

    def item(self, item: Item) -> Form:
        """What a sum adds up."""
        match item:
            case Indicator(phi):
                return self.value(phi)
            case Count(y, condition, Sum((), 0, 1)):
                return self.value(condition).bind(self.variables.number(y))
            case Count(y, condition, weight):
                guard, literals = self.conjuncts(condition, True)
                form = self.flat(self.total(weight).where(guard), everything=bool(literals))
                return self.chosen(form, literals).bind(self.variables.number(y))
            case SumCall(name, args):
                return self.sum_call(self.sums[name], tuple(self.variables.term(t) for t in args))
            case _:
                raise TypeError(f"not an item: {type(item).__name__}")

    def sum_call(self, number: int, args: tuple[positions.Term, ...]) -> Form:
        """A defined sum at terms, 0 outside the word."""
        read = Form({(0, TRUE, Read(number, 0, args)): 1})
        return read if all(map(is_safe, args)) else self.flat(read, everything=True).where(inside(args))

    def flat(self, form: Form, *, everything: bool) -> Form:
        """A form without the shared sums that count positions, or without any."""
        return form.expand(
            {number: self.forms[number] for number in (self.forms if everything else self.templates.summing)}
        )

    def chosen(self, form: Form, literals: list[Literal]) -> Form:
        """The form if all literals hold, else 0."""
        if not literals:
            return form
        result = Form()
        for (bound, guard, read), coef in form.parts():
            every = literals if read is None else [Literal(read), *literals]
            for (_, _, bit), sign in self.value_of(self.connect(TRUE, every, every=True)).parts():
                result.add_term((bound, guard, bit), coef * sign)
        return result

    def some(self, phi: Formula, positive: bool) -> Form:
        """A sum that is at least 1 where a formula, or its negation, holds, and 0 elsewhere."""
        form = Form()
        for part, sign in disjuncts(phi, positive):
            form.add(self.value(part, sign))
        return form

    def value(self, phi: Formula, positive: bool = True) -> Form:
        """The 0 or 1 of a formula, or of its negation."""
        match phi:
            case Not(body):
                return self.value(body, not positive)
            case And() | Or() | Implies():
                conjunctive = isinstance(phi, And)
                guard, literals = self.conjuncts(phi, conjunctive)
                form = self.value_of(self.connect(TRUE, literals, every=True)).where(guard)
                return form if conjunctive == positive else complement(form)
            case Iff(left, right):
                sides = self.meaning(left), self.meaning(right)
                if all(isinstance(side, Literal) for side in sides):
                    form = self.iff_value(*sides)
                    return form if positive else complement(form)
        form = self.value_of(self.meaning(phi))
        return form if positive else complement(form)

    def value_of(self, meaning: Meaning) -> Form:
        """The 0 or 1 of a meaning."""
        if not isinstance(meaning, Literal):
            return Form({}, 0, 1).where(meaning)
        form = Form()
        form.add_literal(meaning)
        return form

    # Names and numbers.

    def name(self) -> str:
        """A name for the next template."""
        self.made += 1
        return f"{self.scope}.{self.made}"

    def input(self, group: Group) -> Inputs:
        """Add the bits of an input, and note which proposition is which."""
        node, names = group
        for bit, row in enumerate(names):
            suffix = "" if node.format == BIT else f".{bit}"
            number = self.templates.input(InputBits(node.name + suffix, node.name, 0, node.size))
            self.propositions |= {name: Read(number, element, ()) for element, name in enumerate(row)}
        return node


def opposite(meaning: Meaning) -> Meaning:
    """The negation."""
    return ~meaning if isinstance(meaning, Literal) else negation(meaning)
