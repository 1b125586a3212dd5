"""Writes the definitions of a program, line by line, and the form of an expression at a position."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from logic.printer import letter_name
from logic.searching.programs import OUTPUT, Program, constant, is_none
from logic.searching.programs_forms import (
    Answer,
    Cases,
    Flag,
    Form,
    Linear,
    Number,
    all_texts,
    any_texts,
    compared,
    equals,
    negated,
    number_of,
    present,
    suffix,
)
from logic.searching.programs_observed import Observed
from logic.searching.programs_selectors import at_most_one, inlined, is_reflexive, keys_are_letters

Integers = np.ndarray[Any, np.dtype[np.int64]]

POSITIONS = ("x", "y", "z", "u", "v", "w")
PREDICATES = {"EQ": "=", "NEQ": "!=", "LT": "<", "LEQ": "<=", "GT": ">", "GEQ": ">="}
SIGNS = {ast.Eq: "=", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
TAKEN = frozenset(
    ["n", "bit", "let", "sum", "true", "false", "not", "and", "or", "letters", "propositions", *POSITIONS]
)
CALLED = re.compile(r"[\w.\[\]]+\(x\)")
SHORT = 40
LONGEST = 100
"""Characters of a comment."""
MOST_CASES = 400


@dataclass(frozen=True)
class Alphabet:
    """How words of a program stand in words of the logic.

    Attributes:
        letters: those of the logic.
        named: for each letter of the program, the one that stands for it.
        start: how many letters stand before the word of the program.
    """

    letters: tuple[str, ...]
    named: tuple[str, ...]
    start: int = 0

    @staticmethod
    def of(program: Program) -> Alphabet:
        """The program's own words."""
        return Alphabet(program.letters, program.letters)


class Writer:
    """Writes the definitions of a program, and the forms of its expressions at a position."""

    def __init__(self, program: Program, words: Sequence[Integers], alphabet: Alphabet) -> None:
        self.program, self.alphabet = program, alphabet
        self.observed = Observed(program, words)
        self.known: dict[str, Callable[[str], Form]] = {}
        self.assignments = inlined(program.lines)
        self.definitions: list[str] = []
        self.named: dict[str, str] = {}
        self.taken = set(alphabet.letters) | TAKEN
        self.depth = 0

    @property
    def text(self) -> str:
        """The sentence so far."""
        letters = ", ".join(letter_name(letter) for letter in self.alphabet.letters)
        return f"letters {letters};\n\n" + "\n".join([*self.definitions, "true"])

    def values(self) -> list[Answer]:
        """The answers that occur."""
        return [value for (value,) in self.observed.joint([ast.Name(OUTPUT)]) if value is not None]

    # Definitions.

    def lines(self) -> Form:
        """Define all variables but the last, which is returned at x."""
        for name, value in self.assignments[:-1]:
            form = self.value(value, "x")
            if is_short(form):
                self.known[name] = lambda at, value=value: self.value(value, at)  # type: ignore[misc]
            else:
                self.known[name] = self.defined(self.fresh(name), form, f"{name} = {ast.unparse(value)}")
        return self.value(self.assignments[-1][1], "x")

    def fresh(self, name: str) -> str:
        """A name for the definition of a variable."""
        while name in self.taken:
            name += "_"
        self.taken.add(name)
        return name

    def define(self, name: str, body: str, comment: str, kind: str = "let") -> str:
        """Add a definition with the parameter x."""
        shortened = comment if len(comment) <= LONGEST else f"{comment[:LONGEST]} .."
        self.definitions.append(f"-- {shortened}\n{kind} {name}(x) := {body};\n")
        return name

    def shared(self, name: str, body: str, comment: str) -> str:
        """The name of a sum, which is new unless one has the same body."""
        if CALLED.fullmatch(body):
            return body.removesuffix("(x)")
        if body not in self.named:
            self.named[body] = self.define(name, body, comment, "sum")
        return self.named[body]

    def defined(self, name: str, form: Form, comment: str) -> Callable[[str], Form]:
        """Define a variable, whose form at any position is then a matter of names."""
        match form:
            case Flag(text):
                self.define(name, text, comment)
                return lambda at: Flag(f"{name}({at})")
            case Number(top, None):
                total = self.shared(name, top.text, comment)
                return lambda at: Number(Linear.of(f"{total}({at})"))
            case Number(top, bottom, positive) if bottom is not None:
                total = self.shared(f"{name}.total", top.text, f"{comment}: the sum")
                if not bottom.atoms:
                    return lambda at: Number(Linear.of(f"{total}({at})"), bottom, positive)
                count = self.shared(f"{name}.count", bottom.text, f"{comment}: of how many")
                return lambda at: Number(Linear.of(f"{total}({at})"), Linear.of(f"{count}({at})"), positive)
            case Cases(cases, letters, is_total):
                names = [(value, name + suffix(value, self.program.letters)) for value, _ in cases]
                for (_, text), (value, one) in zip(cases, names, strict=True):
                    self.define(one, text, f"where {name} is {value}; {comment}")
                return lambda at: Cases(tuple((value, f"{one}({at})") for value, one in names), letters, is_total)
        raise TypeError(form)

    # Expressions at a position.

    def value(self, node: ast.expr, at: str) -> Form:
        """The form of an expression at a position."""
        match node:
            case ast.Name("tokens"):
                pairs = zip(self.program.letters, self.alphabet.named, strict=True)
                return Cases(tuple((one, f"{letter_name(name)}({at})") for one, name in pairs), True, True)
            case ast.Name("indices"):
                return Number(Linear.of(at, -1 - self.alphabet.start))
            case ast.Name("length"):
                return Number(Linear.of("n", -self.alphabet.start))
            case ast.Name(name):
                return self.known[name](at)
            case ast.Constant(str(letter)):
                return Cases(((letter, "true"),), True, True)
            case ast.Constant():
                return Number(Linear({}, int(constant(node))))
            case ast.BoolOp(operator, parts):
                join = all_texts if isinstance(operator, ast.And) else any_texts
                return Flag(join([self.truth(part, at) for part in parts]))
            case ast.UnaryOp(ast.Not(), part):
                return Flag(negated(self.truth(part, at)))
            case ast.UnaryOp(ast.USub(), part):
                return self.number(part, at).times(-1)
            case ast.BinOp(left, operation, right):
                return self.arithmetic(left, operation, right, node, at)
            case ast.Compare(left, [operation], [right]):
                return Flag(self.comparison(left, SIGNS[type(operation)], right, at, at))
            case ast.Call(ast.Name("selector_width"), [selector]):
                return Number(self.count(selector, at))
            case ast.Call(ast.Name("aggregate"), [selector, values, *default]):
                return self.aggregate(selector, values, bool(default), at)
            case ast.Call(ast.Name("max"), operands):
                return self.tabulated(node, operands, at)
            case ast.Subscript(ast.Dict(keys, values), index):
                return self.table(keys, values, index.elts if isinstance(index, ast.Tuple) else [index], at)
            case _:
                raise fail("L097", "this is not part of the language of programs", note=f"found `{ast.unparse(node)}`")

    def truth(self, node: ast.expr, at: str) -> str:
        """That an expression is not 0."""
        found = self.value(node, at)
        return found.text if isinstance(found, Flag) else negated(equals(found, Fraction(0)))

    def number(self, node: ast.expr, at: str) -> Number:
        """An expression as a linear combination over a denominator."""
        return number_of(self.value(node, at))

    def arithmetic(self, left: ast.expr, operation: ast.operator, right: ast.expr, node: ast.expr, at: str) -> Form:
        """A sum, difference or product, where it is linear; else by the values that occur."""
        if isinstance(operation, ast.FloorDiv | ast.Mod):
            return self.tabulated(node, [left, right], at)
        first, second = self.value(left, at), self.value(right, at)
        if isinstance(operation, ast.Mult):
            for one, other in ((first, second), (second, first)):
                if isinstance(one, Number) and one.bottom is None and not one.top.atoms:
                    factor = one.top.const
                    return other if factor == 1 and isinstance(other, Flag) else number_of(other).times(factor)
            return self.tabulated(node, [left, right], at)
        total = number_of(first).plus(number_of(second).times(1 if isinstance(operation, ast.Add) else -1))
        return self.tabulated(node, [left, right], at) if total is None else total

    def comparison(self, left: ast.expr, sign: str, right: ast.expr, at: str, there: str) -> str:
        """The comparison of one expression at a position with another at a position."""
        found = compared(self.value(left, at), sign, self.value(right, there))
        if found is not None:
            return found
        by_cases = [
            all_texts(
                [
                    equals(self.value(left, at), value),
                    compared(constant_form(value), sign, self.value(right, there)) or "false",
                ]
            )
            for (value,) in self.observed.joint([left])
            if isinstance(value, Fraction)
        ]
        return any_texts(by_cases)

    def tabulated(self, node: ast.expr, operands: Sequence[ast.expr], at: str) -> Form:
        """An expression by the values of its operands that occur together."""
        forms = [self.value(operand, at) for operand in operands]
        groups: dict[Answer | None, dict[Answer | None, list[str]]] = {}
        found = self.observed.joint([*operands, node])
        if len(found) > MOST_CASES:
            raise fail("L097", f"the operands of `{ast.unparse(node)}` have {len(found):,} values together on these words",
                       note=f"a formula by cases has at most {MOST_CASES}")  # fmt: skip
        for first, *rest, result in found:
            others = all_texts([equals(form, value) for form, value in zip(forms[1:], rest, strict=True)])
            groups.setdefault(result, {}).setdefault(first, []).append(others)
        cases = tuple(
            (
                result,
                any_texts([all_texts([equals(forms[0], first), any_texts(rest)]) for first, rest in by_first.items()]),
            )
            for result, by_first in groups.items()
            if result is not None
        )
        return Cases(cases, any(isinstance(value, str) for value, _ in cases), None not in groups)

    def table(
        self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr], columns: Sequence[ast.expr], at: str
    ) -> Form:
        """A table by its cases."""
        forms = [self.value(column, at) for column in columns]
        groups: dict[Answer | None, list[str]] = {}
        for key, value in zip(keys, values, strict=True):
            entries = key.elts if isinstance(key, ast.Tuple) else [key]
            texts = [equals(form, entry_value(entry)) for form, entry in zip(forms, entries, strict=True)]
            groups.setdefault(entry_value(value), []).append(all_texts(texts))
        cases = tuple((value, any_texts(texts)) for value, texts in groups.items() if value is not None)
        return Cases(cases, any(isinstance(value, str) for value, _ in cases), None not in groups)

    # Attention.

    def bound(self) -> str:
        """A variable for keys, other than those in use."""
        if self.depth + 1 >= len(POSITIONS):
            raise fail("L097", "the selectors of the program are nested too deeply to be formulas",
                       help="give the values inside names of their own")  # fmt: skip
        return POSITIONS[self.depth + 1]

    def over(self, selector: ast.expr, at: str, weigh: Callable[[str, str], str]) -> str:
        """What is made of a variable for the keys and the formula of those selected."""
        y = self.bound()
        self.depth += 1
        try:
            start = self.alphabet.start
            inside = [] if not start or keys_are_letters(selector) else [f"{start} < {y}"]
            return weigh(y, all_texts([*inside, self.selector(selector, at, y)]))
        finally:
            self.depth -= 1

    def selector(self, node: ast.expr, x: str, y: str) -> str:
        """A selector as a formula: x attends to y."""
        match node:
            case ast.Call(ast.Name("select"), [keys, queries, ast.Name(predicate)]):
                ends = [present(self.value(part, at)) for part, at in ((keys, y), (queries, x)) if predicate != "EQ"]
                return all_texts([*ends, self.comparison(keys, PREDICATES[predicate], queries, y, x)])
            case ast.BoolOp(operator, parts):
                join = all_texts if isinstance(operator, ast.And) else any_texts
                return join([self.selector(part, x, y) for part in parts])
            case ast.UnaryOp(ast.Not(), part):
                return negated(self.selector(part, x, y))
            case other:
                raise fail("L097", "this is no selector", note=f"found `{ast.unparse(other)}`")

    def count(self, selector: ast.expr, at: str) -> Linear:
        """How many keys are selected."""
        start = self.alphabet.start
        text = self.over(selector, at, lambda y, chosen: f"#{y}[{chosen}]" if "(" in chosen or y in chosen else chosen)
        everywhere = ("true", f"#{self.bound()}[{start} < {self.bound()}]")
        return Linear.of("n", -start) if text in everywhere else Linear.of(text)

    def aggregate(self, selector: ast.expr, values: ast.expr, categorical: bool, at: str) -> Form:
        """The mean of the values selected, or the value that all of them are."""
        y = self.bound()
        self.depth += 1
        try:
            form = self.value(values, y)
        finally:
            self.depth -= 1
        single = at_most_one(selector)
        if categorical or (isinstance(form, Cases) and form.letters):
            return self.common(selector, values, form, single, at)
        if not isinstance(form, Number) or (form.bottom is not None and form.bottom.atoms):
            form = self.weighable(values, form)
        weight, scale = (form.top, form.bottom.const if form.bottom is not None else 1)
        top = self.over(selector, at, lambda key, chosen: weighted(key, chosen, weight))
        total = Linear.of(top) if weight != Linear() else weight
        if single:
            return Number(total, Linear({}, scale) if scale != 1 else None)
        return Number(total, self.count(selector, at).times(scale), is_reflexive(selector))

    def weighable(self, values: ast.expr, form: Form) -> Number:
        """Values with a constant denominator: means by the values that occur."""
        if isinstance(form, Number):
            occurring = [value for (value,) in self.observed.joint([values]) if isinstance(value, Fraction)]
            if len(occurring) > MOST_CASES:
                raise fail("L097", f"`{ast.unparse(values)}` has {len(occurring):,} values on these words",
                           note=f"a formula by cases has at most {MOST_CASES}")  # fmt: skip
            form = Cases(tuple((value, equals(form, value)) for value in occurring), False, True)
        return number_of(form)

    def common(self, selector: ast.expr, values: ast.expr, form: Form, single: bool, at: str) -> Form:
        """The value that all selected keys have."""
        if not isinstance(form, Cases):
            occurring = [value for (value,) in self.observed.joint([values]) if value is not None]
            form = Cases(tuple((value, equals(form, value)) for value in occurring), False, True)
        cases = []
        for value, text in form.cases:
            some = self.over(selector, at, lambda y, chosen, text=text: f"(exists {y}. {all_texts([chosen, text])})")  # type: ignore[misc]
            every = self.over(selector, at, lambda y, chosen, text=text: f"(forall {y}. ({chosen} -> {text}))")  # type: ignore[misc]
            cases.append((value, some if single else all_texts([some, every])))
        return Cases(tuple(cases), form.letters, False)


def weighted(y: str, chosen: str, weight: Linear) -> str:
    """The sum of weights over the keys selected."""
    atoms = list(weight.atoms)
    if not weight.const and len(atoms) == 1 and atoms[0].startswith("[") and weight.atoms[atoms[0]] == 1:
        return f"#{y}[{all_texts([chosen, atoms[0][1:-1]])}]"
    return f"#{y}[{chosen} : {weight.text}]" if weight != Linear({}, 1) else f"#{y}[{chosen}]"


def entry_value(node: ast.expr | None) -> Answer | None:
    """An entry of a table: a letter, a number, or None."""
    if node is None or is_none(node):
        return None
    found = constant(node)
    return found if isinstance(found, str) else Fraction(int(found))


def constant_form(value: Fraction) -> Number:
    """A fraction."""
    return Number(Linear({}, value.numerator), Linear({}, value.denominator) if value.denominator != 1 else None)


def is_short(form: Form) -> bool:
    """Whether a form needs no definition: it says little, and counts nothing."""
    texts = {
        Flag: lambda one: [one.text],
        Number: lambda one: [one.top.text, *([one.bottom.text] if one.bottom is not None else [])],
        Cases: lambda one: [text for _, text in one.cases],
    }[type(form)](form)
    return all(len(text) <= SHORT and not any(mark in text for mark in "#.[") for text in texts)
