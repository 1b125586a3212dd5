"""Monitors: sentences of past form, decided while a word is read letter by letter.

A formula phi(x) is of *past form* if whether it holds depends on the letters up to x only: it reads letters and definitions at
x - c or at position 1, compares x with numbers, and counts or quantifies over positions y <= x, also y < x or a window before x.
Then its truth at the last position read is computed of registers: running counts, truths that stay once they were seen, values
some letters ago. A closed formula is of past form if what it counts is: at the end of the word it ranges over all positions.

A formula under a count may speak of x and y together as long as only Boolean connectives join what is about x with what is about
y: each valuation of the parts about x has a count of its own.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from logic.comparing.monitors_bounds import Bounds, NotPast, Place, place_of
from logic.comparing.monitors_program import Moment, Program
from logic.parts import Signed, conjuncts
from logic.semantics import Word, deep_recursion, satisfies
from logic.simplify.substitution import instantiate
from logic.syntax import (
    ONE,
    And,
    Bit,
    Call,
    Compare,
    Count,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Indicator,
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
    all_of,
)
from logic.walk import Part

Array = np.ndarray[Any, Any]
Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_ABOUT_X = 6
END = None


def not_past(sentence: Sentence, relations: tuple[str, ...]) -> str:
    """Why definitions of a sentence, or its last formula "", are not of past form; nothing if they are."""
    try:
        compiled(sentence, relations)
    except NotPast as error:
        return str(error)
    return ""


@lru_cache(maxsize=8)
def compiled(sentence: Sentence, relations: tuple[str, ...]) -> tuple[Program, list[int], list[int], list[int]]:
    """The program of a sentence; the steps for its registers, those for all, and those of the relations.

    Raises:
        NotPast: a relation is not of past form.
    """
    compiler = Compiler(sentence)
    with deep_recursion():
        roots = [compiler.relation(name) for name in relations]
    return compiler.program, *compiler.program.finish(roots), roots


class Monitor:
    """The machine of some relations of a sentence of past form; its state are registers."""

    def __init__(self, sentence: Sentence, relations: tuple[str, ...]) -> None:
        self.program, self.kept, self.all, self.roots = compiled(sentence, relations)

    def start(self) -> dict[str, Array]:
        """All registers are 0."""
        return {"registers": np.zeros((1, len(self.program.columns)), dtype=np.int64)}

    def read(
        self, state: dict[str, Array], letters: Integers, m: int, keep: bool, answer: bool
    ) -> tuple[dict[str, Array], Array | None]:
        """Read letter number m; the answer is the truth of each relation: ``(B, R)``."""
        at = Moment(m, letters, state["registers"])
        self.program.run(self.all if answer else self.kept, at)
        truth = None
        if answer:
            columns = [np.broadcast_to(np.asarray(at.values[root], dtype=bool), len(letters)) for root in self.roots]
            truth = np.stack(columns, axis=1)
        return ({"registers": self.program.after(at)} if keep else {}), truth


class Compiler:
    """A program in the making. A part is compiled for its variable, which is the last position read, or for the end."""

    def __init__(self, sentence: Sentence) -> None:
        self.definitions = {definition.name: definition for definition in sentence.definitions}
        self.formula = sentence.formula
        self.numbers = {name: number for number, name in enumerate(sentence.letters)}
        self.program = Program()
        self.known: dict[tuple[Part, str | None], int] = {}
        self.letters: dict[str, int] = {}
        self.counted: dict[tuple[Any, ...], int] = {}

    def relation(self, name: str) -> int:
        """The step of a definition at the last position or at the end, or of the last formula."""
        if not name:
            return self.value(self.formula, next(iter(self.formula.free), END))
        definition = self.definitions[name]
        return self.value(definition.body, definition.params[0] if definition.params else END)

    def value(self, part: Part, x: str | None) -> int:
        """The step of a part for its variable x, or for the end.

        Raises:
            NotPast: it is not of past form.
        """
        if (part, x) not in self.known:
            self.known[part, x] = self.compile(part, x)
        return self.known[part, x]

    def values(self, parts: tuple[Part, ...], x: str | None) -> list[int]:
        """The steps of several parts."""
        return [self.value(part, x) for part in parts]

    def step(self, reads: list[int], combine: Callable[..., Any]) -> int:
        """A step whose value is a function of those of others."""
        return self.program.add(reads, lambda at: combine(*(at.values[number] for number in reads)))

    def compile(self, part: Part, x: str | None) -> int:
        """Compile one part."""
        match part:
            case Truth(value):
                return self.constant(value)
            case Letter(name, term):
                return self.placed(self.letter(name), place_of(term, x))
            case Compare() | Bit():
                return self.condition(part, x)
            case Not(body):
                return self.step([self.value(body, x)], np.logical_not)
            case And(parts):
                return self.step(self.values(parts, x), lambda *truths: folded(np.logical_and, truths))
            case Or(parts):
                return self.step(self.values(parts, x), lambda *truths: folded(np.logical_or, truths))
            case Implies(left, right):
                return self.step(self.values((left, right), x), lambda one, other: np.logical_not(one) | other)
            case Iff(left, right):
                return self.step(self.values((left, right), x), operator.eq)
            case Call(name, args) | SumCall(name, args):
                return self.called(part, name, args, x)
            case Linear(total, bound):
                return self.step([self.value(total, x)], lambda value: value >= bound)
            case Indicator(phi):
                return self.step([self.value(phi, x)], lambda truth: np.asarray(truth).astype(np.int64))
            case Sum(items, length, const):
                return self.sum(items, length, const, x)
            case Exists(y, body):
                return self.exists(y, body, x, True)
            case Forall(y, body):
                return self.step([self.exists(y, body, x, False)], np.logical_not)
            case Majority(y, body):
                if x is not END:
                    raise NotPast(f"`{part}` counts the positions after `{x}`")
                count = self.count(y, conjuncts(body), ONE, x)
                return self.program.add([count], lambda at: 2 * at.values[count] >= at.m)
            case Count(y, condition, weight):
                return self.count(y, conjuncts(condition), weight, x)
            case _:
                raise TypeError(f"not a part of a sentence: {type(part).__name__}")

    def constant(self, value: bool) -> int:
        """A truth value."""
        return self.program.add((), lambda at: np.bool_(value))

    def letter(self, name: str) -> int:
        """Whether the last letter is a certain one."""
        if name not in self.letters:
            number = self.numbers[name]
            self.letters[name] = self.program.add((), lambda at: at.letters == number)
        return self.letters[name]

    def placed(self, step: int, place: Place) -> int:
        """The value of a step at a place; 0 outside of the word."""
        if place.outside:
            return self.constant(False)
        if place.fixed:
            return self.program.latched(step, place.fixed)
        return self.program.delayed(step, place.back)

    def condition(self, phi: Compare | Bit, x: str | None) -> int:
        """A condition on the position x alone, or on the length at the end."""
        terms = (phi.left, phi.right) if isinstance(phi, Compare) else (phi.number, phi.index)
        if x is not END and any(term.n for term in terms):
            raise NotPast(f"`{phi}` speaks of the length of the word")
        if not phi.free <= {x}:
            raise NotPast(f"`{phi}` relates several positions")

        def truth(at: Moment) -> Any:
            names = {} if x is END else {x: at.m}
            return np.bool_(satisfies(Word(("",) * at.m), phi, names))

        return self.program.add((), truth)

    def called(self, part: Part, name: str, args: tuple[Term, ...], x: str | None) -> int:
        """The value of a definition."""
        definition = self.definitions.get(name)
        if definition is None:
            raise NotPast(f"`{name}` is an input and no property of words")
        if not args:
            return self.value(definition.body, x)
        if len(args) == 1:
            place = place_of(args[0], x)
            return self.placed(self.value(definition.body, definition.params[0]), place)
        if any(arg.variable is None for arg in args):
            raise NotPast(f"`{part}` reads several positions that are not variables")
        return self.value(instantiate(definition, args), x)

    def sum(self, items: tuple[tuple[int, Any], ...], length: int, const: int, x: str | None) -> int:
        """A counting term."""
        if length and x is not END:
            raise NotPast("a sum speaks of the length of the word")
        steps = self.values(tuple(item for _, item in items), x)
        coefs = [coef for coef, _ in items]

        def total(at: Moment) -> Any:
            result: Any = np.int64(const + length * at.m)
            for coef, step in zip(coefs, steps, strict=True):
                result = result + coef * at.values[step]
            return result

        return self.program.add(steps, total)

    def exists(self, y: str, body: Formula, x: str | None, positive: bool) -> int:
        """Whether the body holds, or does not hold if not positive, at some position; two quantifiers may change places."""
        try:
            return self.some(y, conjuncts(body, positive), x)
        except NotPast:
            match body:
                case Exists(z, inner) if positive:
                    return self.some(z, conjuncts(Exists(y, inner)), x)
                case Forall(z, inner) if not positive:
                    return self.some(z, conjuncts(Forall(y, inner), False), x)
            raise

    def some(self, y: str, parts: list[Signed], x: str | None) -> int:
        """Whether all parts hold at some position y."""
        bounds, outer, inner, cases = self.split(y, parts, x)
        if bounds.window is not None:
            return self.step([self.count(y, parts, ONE, x)], lambda count: count >= 1)
        found = []
        for truths, chosen in cases:
            seen = self.accumulated(("some",), [*inner, chosen], ONE, y, np.logical_or)
            found.append(self.conjunction([*truths, self.program.delayed(seen, bounds.back)]))
        return self.conjunction([*outer, self.step(found, lambda *parts: folded(np.logical_or, parts))])

    def count(self, y: str, parts: list[Signed], weight: Sum, x: str | None) -> int:
        """The sum of a weight over the positions y at which all parts hold."""
        bounds, outer, inner, cases = self.split(y, parts, x)
        factors = list(outer)
        if not weight.free <= {y}:
            factors.append(self.value(weight, x))
            weight = ONE
        found = []
        for truths, chosen in cases:
            total = self.accumulated(("count",), [*inner, chosen], weight, y, operator.add)
            upto = self.program.delayed(total, bounds.back)
            if bounds.window is not None:
                start = self.program.delayed(total, bounds.back + bounds.window)
                upto = self.step([upto, start], operator.sub)
            found.append(self.step([upto, *truths], lambda *values: folded(np.multiply, values)))
        total = self.step(found, lambda *values: folded(np.add, values))
        return self.step([total, *factors], lambda *values: folded(np.multiply, values))

    def accumulated(
        self, kind: tuple[str], conditions: list[Formula], weight: Sum, y: str, combine: Callable[[Any, Any], Any]
    ) -> int:
        """A running count, or truth, over the positions read so far."""
        condition = all_of(conditions)
        key = (*kind, condition, weight, y)
        if key not in self.counted:
            value = self.value(condition, y)
            if weight is not ONE:
                value = self.step([value, self.value(weight, y)], np.multiply)
            self.counted[key] = self.program.accumulated(value, combine)
        return self.counted[key]

    def conjunction(self, steps: list[int]) -> int:
        """Whether all of some steps are true."""
        return self.step(steps, lambda *truths: folded(np.logical_and, truths))

    def split(
        self, y: str, parts: list[Signed], x: str | None
    ) -> tuple[Bounds, list[int], list[Formula], list[tuple[list[int], Formula]]]:
        """Split a conjunction: bounds of y, what is about x, what is about y, and the cases of what is about both."""
        bounds, outer, inner, both = Bounds(), [], [], []
        for part, sign in parts:
            if bounds.take(part, sign, y, x):
                continue
            signed = part if sign else Not(part)
            if y not in part.free:
                outer.append(self.value(signed, x))
            elif part.free <= {y}:
                inner.append(signed)
            else:
                both.append(signed)
        if x is not END and not bounds.is_bounded:
            raise NotPast(f"positions `{y}` after `{x}` are counted")
        return bounds, outer, inner, self.cases(all_of(both), y, x)

    def cases(self, phi: Formula, y: str, x: str | None) -> list[tuple[list[int], Formula]]:
        """For each valuation of what a formula says about x: the steps that are true then, and what it says about y."""
        about_x: dict[Formula, None] = {}
        separated = self.separated(phi, y, about_x)
        if len(about_x) > MOST_ABOUT_X:
            raise NotPast(f"a formula says {len(about_x)} things about `{x}` under a count of `{y}`")
        found = []
        for truths in product((False, True), repeat=len(about_x)):
            valuation = dict(zip(about_x, truths, strict=True))
            steps = [self.value(part if holds else Not(part), x) for part, holds in valuation.items()]
            found.append((steps, valued(separated, valuation)))
        return found

    def separated(self, phi: Formula, y: str, about_x: dict[Formula, None]) -> Formula:
        """A formula with calls that are about both written out; what is about x is noted."""
        if y not in phi.free:
            if not isinstance(phi, Truth):
                about_x[phi] = None
            return phi
        if phi.free <= {y}:
            return phi
        match phi:
            case Not(body):
                return Not(self.separated(body, y, about_x))
            case And(parts):
                return And(tuple([self.separated(part, y, about_x) for part in parts]))
            case Or(parts):
                return Or(tuple([self.separated(part, y, about_x) for part in parts]))
            case Implies(left, right):
                return Implies(self.separated(left, y, about_x), self.separated(right, y, about_x))
            case Iff(left, right):
                return Iff(self.separated(left, y, about_x), self.separated(right, y, about_x))
            case Call(name, args) if name in self.definitions and all(arg.variable is not None for arg in args):
                written_out = instantiate(self.definitions[name], args)
                if isinstance(written_out, Formula):
                    return self.separated(written_out, y, about_x)
        raise NotPast(f"`{phi}` relates two positions")


def valued(phi: Formula, valuation: dict[Formula, bool]) -> Formula:
    """A formula with some parts replaced by their truth."""
    if phi in valuation:
        return Truth(valuation[phi])
    match phi:
        case Not(body):
            return Not(valued(body, valuation))
        case And(parts):
            return And(tuple([valued(part, valuation) for part in parts]))
        case Or(parts):
            return Or(tuple([valued(part, valuation) for part in parts]))
        case Implies(left, right):
            return Implies(valued(left, valuation), valued(right, valuation))
        case Iff(left, right):
            return Iff(valued(left, valuation), valued(right, valuation))
        case _:
            return phi


def folded(combine: Callable[[Any, Any], Any], values: tuple[Any, ...]) -> Any:
    """Several values combined from left to right."""
    result = values[0]
    for value in values[1:]:
        result = combine(result, value)
    return result
