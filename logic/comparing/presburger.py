"""Symmetric sentences as formulas of Presburger arithmetic over the number of positions of each type.

In a layout of `logic.comparing.symmetry` a formula with its free variables at given *points* (a single position; a
position of a stretch with a letter, and which of the positions named so far it is) is a statement about the counts of types: a
quantifier ranges over the points named so far and one further position of each type, a count adds up the counts of
types, and an atom is decided by classes. A variable that stands for a number, as k in ``exists k. #i[b(i)] = k & bit(k, 1)``,
becomes an integer unknown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from circuits import positions
from circuits.positions import AtLeast, Equals
from logic.comparing.cells_layouts import OUTSIDE, UNKNOWN, Layout, Linear, Needs, NotSymmetric, all_needs
from logic.comparing.cells_layouts import needs_of_guard as needs_of
from logic.comparing.cells_text import (
    FALSE,
    TRUE,
    choice,
    conjunction,
    count_name,
    disjunction,
    equivalence,
    integer,
    linear,
    negation,
    spell,
    stretch_name,
)
from logic.syntax import (
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
    Item,
    Letter,
    Majority,
    Not,
    Or,
    Sentence,
    Sum,
    SumCall,
    Term,
    Truth,
)
from logic.syntax import (
    Linear as Atom,
)
from logic.walk import postorder

MOST_CHARACTERS = 1 << 20
MOST_STEPS = 20_000


@dataclass(frozen=True, slots=True)
class Point:
    """A position: of a single class, or number `number` of the positions named of a class of a stretch and a letter."""

    place: int
    letter: int = -1
    number: int = 0


@dataclass(frozen=True, slots=True)
class Number:
    """A variable that stands for a number: an integer unknown between 1 and n."""

    name: str


Value = Point | Number
Values = Mapping[str, Value]


def needs_of_sentence(sentence: Sentence) -> Needs:
    """What the atoms of a sentence tell apart."""
    found = [Needs()]
    seen: set[Formula | Sum | Item] = set()
    for root in [*(one.body for one in sentence.definitions), sentence.formula]:
        for node in postorder(root, seen):
            match node:
                case Compare(op, left, right):
                    found.append(needs_of(comparison(op, position_term(right - left, {}))))
                case Bit(number, index):
                    found.append(needs_of(positions.Bit(position_term(number, {}), position_term(index, {}))))
                case Letter(_, term):
                    found.append(single(term))
                case Call(_, args) | SumCall(_, args):
                    found += [single(term) for term in args]
                case _:
                    pass
    total = all_needs(found)
    least = (
        min(total.prefix, 3),
        min(total.suffix, 3),
    )  # numbers, too, are compared with constants: not every one is a place
    return Needs(*least, total.period if total.period <= 4 else 1)


def single(term: Term) -> Needs:
    """The single position that a term is."""
    if term.coefs or term.n not in (0, 1):
        return Needs()
    return Needs(suffix=max(0, 1 - term.const)) if term.n else Needs(prefix=max(0, term.const))


def position_term(term: Term, numbering: Mapping[str, int]) -> positions.Term:
    """A term over numbered variables; by default numbered in the order of their names."""
    numbers = numbering or {name: number for number, (name, _) in enumerate(term.coefs)}
    return positions.Term(tuple(sorted((numbers[name], coef) for name, coef in term.coefs)), term.n, term.const)


def comparison(op: str, difference: positions.Term) -> positions.Guard:
    """``left op right`` for the difference ``right - left``."""
    return Equals(difference) if op == "=" else AtLeast(difference - (1 if op == "<" else 0))


class Presburger:
    """The formulas of a sentence in a layout.

    Raises:
        NotSymmetric: by `formula`, for what the counts of types do not determine.
    """

    def __init__(self, sentence: Sentence, layout: Layout, letters: Sequence[str]) -> None:
        self.layout, self.letters = layout, tuple(letters)
        self.definitions = {one.name: one for one in sentence.definitions}
        self.known: dict[tuple[object, ...], str] = {}
        self.sentence = sentence
        self.fresh = self.steps = 0

    def relation(self, name: str, here: int | None) -> str:
        """A definition, or the last formula (""), at the position asked for if it has a parameter."""
        point: tuple[Value, ...] = () if here is None else (Point(here),)
        if not name:
            return self.formula(self.sentence.formula, dict(zip(self.sentence.free, point, strict=False)))
        one = self.definitions[name]
        return self.body(one.name, point[: len(one.params)])

    def body(self, name: str, args: tuple[Value, ...]) -> str:
        """The body of a definition, for arguments."""
        key = name, *args
        if key not in self.known:
            one = self.definitions[name]
            values = dict(zip(one.params, args, strict=True))
            if isinstance(one.body, Sum):
                self.known[key] = self.sum(one.body, values, "1")
            else:
                self.known[key] = self.formula(one.body, values)
        return self.known[key]

    def formula(self, phi: Formula, v: Values) -> str:
        """A formula at points."""
        self.steps += 1
        found = self.shaped(phi, v) if self.steps <= MOST_STEPS else ""
        if not found or len(found) > MOST_CHARACTERS:
            raise NotSymmetric("the sentence is too large when its quantifiers are written out over types")
        return found

    def shaped(self, phi: Formula, v: Values) -> str:
        match phi:
            case Truth(value):
                return TRUE if value else FALSE
            case Letter(name, term):
                point = self.point(term, v)
                return FALSE if point is None else self.letter(name, point)
            case Call(name, args):
                if name not in self.definitions:
                    raise NotSymmetric(f"the sentence asks for the proposition `{name}`")
                points = tuple(self.argument(term, v) for term in args)
                return FALSE if None in points else self.body(name, tuple(p for p in points if p is not None))
            case Compare(op, left, right):
                return self.compare(op, right - left, v)
            case Bit(number, index):
                return self.bit(number, index, v)
            case Not(psi):
                return negation(self.formula(psi, v))
            case And(parts):
                return conjunction(self.formula(part, v) for part in parts)
            case Or(parts):
                return disjunction(self.formula(part, v) for part in parts)
            case Implies(left, right):
                return disjunction([negation(self.formula(left, v)), self.formula(right, v)])
            case Iff(left, right):
                return equivalence(self.formula(left, v), self.formula(right, v))
            case Exists(x, psi):
                return self.exists(x, psi, v, wanted=True)
            case Forall(x, psi):
                return negation(self.exists(x, psi, v, wanted=False))
            case Majority(x, psi):
                total = linear((2, part) for part in self.count(x, psi, Sum((), 0, 1), v, "1"))
                return f"(>= {total} {spell(self.layout.length)})"
            case Atom(total, bound):
                return f"(>= {self.sum(total, v, '1')} {integer(bound)})"
            case _:
                raise TypeError(f"not a formula: {type(phi).__name__}")

    # Points.

    def point(self, term: Term, v: Values) -> Point | None:
        """The point that a term is; None outside the word."""
        found = self.argument(term, v)
        if isinstance(found, Number):
            raise NotSymmetric(f"the sentence reads the letter at the number `{term}`")
        return found

    def argument(self, term: Term, v: Values) -> Value | None:
        """What a term is; None outside the word."""
        if term.variable is not None:
            return v[term.variable]
        place = self.layout.place(*self.placed(term, v))
        if place == UNKNOWN:
            raise NotSymmetric(f"the sentence reads position {term}")
        return None if place == OUTSIDE else Point(place)

    def placed(self, term: Term, v: Values) -> tuple[positions.Term, list[int]]:
        """A term over numbered variables, with the class of each."""
        names = [name for name, _ in term.coefs]
        classes: list[int] = []
        for name in names:
            value = v[name]
            if isinstance(value, Number):
                raise NotSymmetric(f"the sentence compares the number `{name}` with a position: {term}")
            classes.append(value.place)
        return position_term(term, {}), classes

    def letter(self, name: str, point: Point) -> str:
        """The letter at a point."""
        if name not in self.letters:
            return FALSE
        number = self.letters.index(name)
        if self.layout.classes[point.place].single:
            return f"(>= {count_name(point.place, number)} 1)"
        return TRUE if point.letter == number else FALSE

    def points(self, v: Values) -> tuple[list[Point], list[tuple[Point, str]]]:
        """The points named so far or of single classes, and a further one of each type with how many there are of these."""
        named = [value for value in dict.fromkeys(v.values()) if isinstance(value, Point)]
        fixed = [Point(place) for place, one in enumerate(self.layout.classes) if one.single]
        inner = [point for point in named if point not in fixed]
        others = []
        for place, one in enumerate(self.layout.classes):
            for letter in range(0 if one.single else len(self.letters)):
                used = [point.number for point in inner if (point.place, point.letter) == (place, letter)]
                number = linear([(1, count_name(place, letter))], -len(used))
                others.append((Point(place, letter, max(used, default=0) + 1), number))
        return [*fixed, *inner], others

    def exists(self, x: str, psi: Formula, v: Values, *, wanted: bool) -> str:
        """Some position at which psi is as wanted."""
        try:
            old, new = self.points(v)
            parts = [self.formula(psi, {**v, x: point}) for point in old]
            parts = [part if wanted else negation(part) for part in parts]
            for point, number in new:
                part = self.formula(psi, {**v, x: point})
                parts.append(conjunction([f"(>= {number} 1)", part if wanted else negation(part)]))
            return disjunction(parts)
        except NotSymmetric as refusal:
            self.fresh += 1
            name = f"v{self.fresh}"
            try:
                part = self.formula(psi, {**v, x: Number(name)})
            except NotSymmetric:
                raise refusal from None
            within = f"(<= 1 {name} {spell(self.layout.length)})"
            body = conjunction([within, part if wanted else negation(part)])
            return FALSE if body == FALSE else f"(exists (({name} Int)) {body})"

    # Atoms.

    def compare(self, op: str, difference: Term, v: Values) -> str:
        """``left op right`` for the difference ``right - left``."""
        if any(isinstance(v[name], Number) for name, _ in difference.coefs):
            value = self.number(difference, v)
            return f"(= {value} 0)" if op == "=" else f"({'>' if op == '<' else '>='} {value} 0)"
        points = {name: v[name] for name, _ in difference.coefs}
        if len(difference.coefs) == 2 and len(set(points.values())) == 1:
            (name, a), (_, b) = difference.coefs
            difference = Term.make({name: a + b}, difference.n, difference.const)
        term, classes = self.placed(difference, v)
        if (
            op == "="
            and len(difference.coefs) == 2
            and not (term.const or term.n_coef)
            and sum(c for _, c in term.coefs) == 0
        ):
            return FALSE  # different points of the word
        if not term.coefs:  # a condition on the length
            value = self.number(difference, v)
            found = self.layout.truth(comparison(op, term), classes)
            if found is None:
                return f"(= {value} 0)" if op == "=" else f"({'>' if op == '<' else '>='} {value} 0)"
            return TRUE if found else FALSE
        found = self.layout.truth(comparison(op, term), classes)
        if found is None:
            raise NotSymmetric(f"the sentence compares positions: {difference} {'= 0' if op == '=' else '>= 0'}")
        return TRUE if found else FALSE

    def number(self, term: Term, v: Values) -> str:
        """The value of a term whose variables are numbers or single positions known by their places."""
        total: Linear = tuple(coef * term.n for coef in self.layout.length)
        total = (total[0] + term.const, *total[1:])
        parts = []
        for name, coef in term.coefs:
            value = v[name]
            if isinstance(value, Number):
                parts.append((coef, value.name))
                continue
            one = self.layout.classes[value.place]
            if one.low != one.high:
                raise NotSymmetric(f"the sentence compares the position `{name}` with a number")
            total = tuple(a + coef * b for a, b in zip(total, one.low, strict=True))
        return linear([*parts, *((c, stretch_name(s)) for s, c in enumerate(total[1:]))], total[0])

    def bit(self, number: Term, index: Term, v: Values) -> str:
        """A bit, at a constant place."""
        if index.coefs or index.n:
            raise NotSymmetric(f"the sentence asks for bit {index} of a number")
        if index.const < 1:
            return FALSE
        if number.coefs and all(isinstance(v[name], Point) for name, _ in number.coefs):
            term, classes = self.placed(number, v)
            found = self.layout.truth(positions.Bit(term, positions.Term((), 0, index.const)), classes)
            if found is not None:
                return TRUE if found else FALSE
        value = self.number(number, v)
        return f"(and (>= {value} 0) (= (mod (div {value} {1 << (index.const - 1)}) 2) 1))"

    # Sums.

    def sum(self, total: Sum, v: Values, times: str) -> str:
        """A counting term, times a number."""
        if times == "0":
            return "0"
        if times != "1" and total.length:
            raise NotSymmetric("the sentence multiplies the length by a count")
        parts = [(coef, self.item(item, v, times)) for coef, item in total.items]
        parts += [(coef * total.length, stretch_name(s)) for s, coef in enumerate(self.layout.length[1:])]
        const = total.const if times == "1" else 0
        if times != "1":
            parts.append((total.const, times))
        return linear(parts, const + total.length * self.layout.length[0])

    def item(self, item: Item, v: Values, times: str) -> str:
        """What a sum adds up, times a number."""
        match item:
            case Indicator(phi):
                return choice(self.formula(phi, v), times)
            case Count(x, phi, weight):
                return linear((1, part) for part in self.count(x, phi, weight, v, times))
            case SumCall(name, args):
                points = tuple(self.argument(term, v) for term in args)
                if None in points:
                    return "0"
                values = dict(zip(self.definitions[name].params, points, strict=True))
                body = self.definitions[name].body
                if not isinstance(body, Sum):
                    raise TypeError(f"not a sum: {name}")
                return self.sum(body, {x: point for x, point in values.items() if point is not None}, times)
            case _:
                raise TypeError(f"not an item: {type(item).__name__}")

    def count(self, x: str, phi: Formula, weight: Sum, v: Values, times: str) -> list[str]:
        """The parts of a count: a weight for each position at which a formula holds."""
        if times != "1":
            raise NotSymmetric("the sentence multiplies counts")
        up_to = isinstance(phi, Compare) and phi.op == "<=" and phi.left.variable == x and weight == Sum((), 0, 1)
        if isinstance(phi, Compare) and up_to and isinstance(v.get(phi.right.variable or ""), Number):
            return [self.number(phi.right, v)]
        old, new = self.points(v)
        found = []
        for point, number in [*((point, "1") for point in old), *new]:
            inner = {**v, x: point}
            found.append(choice(self.formula(phi, inner), self.sum(weight, inner, number)))
        return [part for part in found if part != "0"]
