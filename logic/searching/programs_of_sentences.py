"""Sentences as programs: a formula in x becomes a value at each position, one in x and y a selector, a count its width.

The translation is the definition of both sides: ``#y[phi]`` is the width of the selector of phi, whose keys are y and whose
queries are x. A formula of keys alone is compared with True, and letters elsewhere than at x are read by a selector first. What
speaks about three positions at once is no selector and is refused, and so are weights of counts that count themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from circuits.diagnostics import FomError, fail
from logic.measure import measure
from logic.searching.programs import OUTPUT, Program, program
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
    any_of,
)

MOST_NODES = 2000
PYTHON = {"=": "==", "<": "<", "<=": "<="}
NAMES = {"=": "EQ", "<": "LT", "<=": "LEQ"}
TURNED = {"EQ": "EQ", "LT": "GT", "LEQ": "GEQ"}


def program_of(sentence: Sentence) -> Program:
    """The program that computes a checked sentence with at most one free variable, on words that are not empty.

    Raises:
        FomError: the sentence is too large, or says what a program cannot (L096).
    """
    size = measure(sentence).nodes
    if size > MOST_NODES or len(sentence.free) > 1 or sentence.propositions:
        raise fail("L096", "a program is made of a short sentence about a word, or about one position of it",
                   note=f"this one has {size:,} nodes (at most {MOST_NODES:,}), {len(sentence.free)} free variables and "
                        f"{len(sentence.propositions)} propositions")  # fmt: skip
    writer = Writer(sentence)
    try:
        answer = writer.value(sentence.formula, sentence.free[0] if sentence.free else None)
    except RecursionError:
        raise beyond("a formula nested so deeply") from None
    return program(sentence.letters, [*writer.lines, (OUTPUT, answer)], bool(sentence.free))


def beyond(what: str) -> FomError:
    """The error for a sentence that says what a program cannot."""
    return fail("L096", f"a program cannot say this: {what}", help="simplify the sentence")


class Writer:
    """Writes expressions, and the assignments that they need before."""

    def __init__(self, sentence: Sentence) -> None:
        self.definitions = {one.name: one for one in sentence.definitions}
        self.letters = sentence.letters
        self.lines: list[tuple[str, str]] = []
        self.named: dict[str, str] = {}
        self.taken: set[str] = set()

    def name(self, expression: str, wish: str) -> str:
        """The name of an assignment with this expression, which is new unless there is one."""
        if expression not in self.named:
            number = 1
            while (name := f"{wish}_{number}" if number > 1 or wish == "count" else wish) in self.taken:
                number += 1
            self.taken.add(name)
            self.named[expression] = name
            self.lines.append((name, expression))
        return self.named[expression]

    # Values at a position.

    def value(self, phi: Formula, x: str | None) -> str:
        """A formula whose only free variable may be x, as an expression."""
        match phi:
            case Truth(value):
                return str(value)
            case Letter(name, term):
                return f"({self.letter_at(term, x)} == {name!r})"
            case Compare(op, left, right):
                more, less = sides(left - right, x)
                return f"({more} {PYTHON[op]} {less})"
            case Bit(number, Term((), 0, place)) if place >= 1:
                text = term_text(number, x)
                return f"(({text}) >= 0 and ({text}) // {2 ** (place - 1)} % 2 == 1)"
            case Not(body):
                return f"(not {self.value(body, x)})"
            case And((Linear(total, bound), Linear(other, least))) if least == -bound and is_negative(total, other):
                return self.comparison(total, "==", bound, x)
            case And(parts):
                return "(" + " and ".join(self.value(part, x) for part in parts) + ")"
            case Or(parts):
                return "(" + " or ".join(self.value(part, x) for part in parts) + ")"
            case Implies(left, right):
                return f"(not {self.value(left, x)} or {self.value(right, x)})"
            case Iff(left, right):
                return f"({self.value(left, x)} == {self.value(right, x)})"
            case Exists(y, body):
                return f"({self.width(body, x, y)} >= 1)"
            case Forall(y, body):
                return f"({self.width(Not(body), x, y)} == 0)"
            case Majority(y, body):
                return f"(2 * {self.width(body, x, y)} >= length)"
            case Linear(total, bound):
                return self.comparison(total, ">=", bound, x)
            case Call(name, args):
                return self.call(name, args, x)
            case _:
                raise beyond(f"`{phi}`")

    def letter_at(self, term: Term, x: str | None) -> str:
        """The letters at a term in x, by a selector of their positions."""
        if x is not None and term.variable == x:
            return "tokens"
        names = {(1, 0, -1): "previous", (1, 0, 1): "next", (0, 0, 1): "first", (0, 1, 0): "last"}
        coefs = dict(term.coefs)
        wish = names.get((coefs.get(x or "", 0), term.n, term.const), "letter")
        return self.name(f"aggregate(select(indices, {term_text(term + -1, x)}, EQ), tokens)", wish + "_token")

    def call(self, name: str, args: tuple[Term, ...], x: str | None) -> str:
        """A defined relation or sum at a term in x."""
        if name not in self.definitions:
            raise beyond(f"`{name}` is not defined in the sentence")
        one = self.definitions[name]
        if len(args) > 1:
            raise beyond(f"`{name}` at {len(args)} terms")
        parameter = one.params[0] if one.params else None
        body = one.body
        expression = self.sum(body, parameter) if isinstance(body, Sum) else self.value(body, parameter)
        defined = self.name(expression, identifier(name))
        if not args or args[0].variable == x is not None:
            return defined
        selected = f"select(indices, {term_text(args[0] + -1, x)}, EQ)"
        found = self.name(f"aggregate({selected}, {defined})", defined + "_there")
        return found if isinstance(body, Sum) else f"({found} == 1)"

    def comparison(self, total: Sum, operation: str, bound: int, x: str | None) -> str:
        """A counting term compared with a number; what is subtracted goes to the other side."""
        parts, const = self.terms(total, x), total.const - bound
        more = signed([(coef, text) for coef, text in parts if coef > 0], max(const, 0))
        less = signed([(-coef, text) for coef, text in parts if coef < 0], max(-const, 0))
        return f"({more} {operation} {less})"

    def sum(self, total: Sum, x: str | None) -> str:
        """A counting term whose only free variable may be x, as an expression."""
        return signed(self.terms(total, x), total.const)

    def terms(self, total: Sum, x: str | None) -> list[tuple[int, str]]:
        """The summands of a counting term but for its constant."""
        parts: list[tuple[int, str]] = []
        for coef, item in total.items:
            match item:
                case Indicator(formula):
                    parts.append((coef, self.value(formula, x)))
                case Count(y, condition, weight):
                    parts += [(coef * by, self.width(body, x, y)) for by, body in weighted(condition, weight) if by]
                case SumCall(name, args):
                    parts.append((coef, self.call(name, args, x)))
        parts += [(total.length, "length")] if total.length else []
        return parts

    def width(self, body: Formula, x: str | None, y: str) -> str:
        """The name of the number of positions y at which a formula holds."""
        selector = self.selector(body, None if x == y else x, y)
        return self.name(f"selector_width({selector})", "count")

    # Selectors.

    def selector(self, phi: Formula, x: str | None, y: str) -> str:
        """A formula with the free variables x and y, as a selector with queries x and keys y."""
        if x is None or x not in phi.free:
            return f"select({self.value(phi, y)}, True, EQ)"
        if y not in phi.free:
            return f"select(True, {self.value(phi, x)}, EQ)"
        if self.says_same_letter(phi, x, y):
            return "select(tokens, tokens, EQ)"
        match phi:
            case Not(body):
                return f"(not {self.selector(body, x, y)})"
            case And(parts) if len(rest := self.beside_same_letter(parts, x, y)) < len(parts):
                others = [self.selector(part, x, y) for part in gathered(rest, x, y, all_of)]
                return "(" + " and ".join([*others, "select(tokens, tokens, EQ)"]) + ")"
            case And(parts):
                return "(" + " and ".join(self.selector(part, x, y) for part in gathered(parts, x, y, all_of)) + ")"
            case Or(parts):
                return "(" + " or ".join(self.selector(part, x, y) for part in gathered(parts, x, y, any_of)) + ")"
            case Implies(left, right):
                return self.selector(Or((Not(left), right)), x, y)
            case Iff(left, right):
                if left.free <= {y} and right.free <= {x}:
                    return f"select({self.value(left, y)}, {self.value(right, x)}, EQ)"
                if left.free <= {x} and right.free <= {y}:
                    return f"select({self.value(right, y)}, {self.value(left, x)}, EQ)"
                return self.selector(Or((And((left, right)), And((Not(left), Not(right))))), x, y)
            case Compare(op, left, right):
                difference = left - right
                of_y = dict(difference.coefs)[y]
                predicate = NAMES[op] if of_y > 0 else TURNED[NAMES[op]]
                keys = Term.make({y: abs(of_y)}, 0, -abs(of_y))
                queries = (difference * (-1 if of_y > 0 else 1)) + Term.make({y: abs(of_y)}, 0, -abs(of_y))
                return f"select({term_text(keys, y)}, {term_text(queries, x)}, {predicate})"
            case Linear(total, bound):
                of_x = tuple(pair for pair in total.items if y not in pair[1].free)
                of_y_items = tuple(pair for pair in total.items if y in pair[1].free)
                keys_text = self.sum(Sum(of_y_items, total.length, total.const - bound), y)
                return f"select({keys_text}, {self.sum(Sum(tuple((-c, item) for c, item in of_x)), x)}, GEQ)"
            case _:
                raise beyond(f"`{phi}` is about more than one key and one query")

    def beside_same_letter(self, parts: tuple[Formula, ...], x: str, y: str) -> tuple[Formula, ...]:
        """The other parts of a conjunction that says of all letters but at most one that they stand at x iff at y."""
        named = [same_letter_at(part, x, y) for part in parts]
        if len(self.letters) < 2 or len(set(self.letters) - set(named)) > 1:
            return parts
        return tuple(part for part, name in zip(parts, named, strict=True) if name is None)

    def says_same_letter(self, phi: Formula, x: str, y: str) -> bool:
        """Whether a formula lists all letters that may stand both at x and at y."""
        if not self.beside_same_letter((phi,), x, y):
            return True
        if not isinstance(phi, Or) or len(phi.parts) != len(self.letters):
            return False
        at_x, at_y = Term(((x, 1),)), Term(((y, 1),))
        wanted = {frozenset([Letter(name, at_x), Letter(name, at_y)]) for name in self.letters}
        return {frozenset(part.parts) for part in phi.parts if isinstance(part, And)} == wanted


def weighted(condition: Formula, weight: Sum) -> list[tuple[int, Formula]]:
    """``#y[phi : s]`` as a combination of counts of weight 1, for a sum of indicators and a number."""
    found = [(weight.const, condition)]
    for coef, item in weight.items:
        if not isinstance(item, Indicator):
            raise beyond(f"a count with the weight `{weight}`")
        found.append((coef, all_of([condition, item.formula])))
    if weight.length:
        raise beyond(f"a count with the weight `{weight}`")
    return found


def gathered(parts: Iterable[Formula], x: str, y: str, join: Callable[[Iterable[Formula]], Formula]) -> list[Formula]:
    """The parts of a conjunction or disjunction, those that speak of keys alone, or of queries alone, as one."""
    groups: dict[tuple[bool, int], list[Formula]] = {}
    for place, part in enumerate(parts):
        both = part.free >= {x, y}
        groups.setdefault((x in part.free, place if both else -1), []).append(part)
    return [join(group) for group in groups.values()]


def same_letter_at(phi: Formula, x: str, y: str) -> str | None:
    """The letter of which a formula says that it stands at both positions or at neither, if it says that."""
    match phi:
        case Iff(Letter(name, left), Letter(other, right)) if name == other:
            return name if {left.variable, right.variable} == {x, y} else None
        case _:
            return None


def is_negative(total: Sum, other: Sum) -> bool:
    """Whether one counting term is the other one's negative, term by term."""
    return (other.length, other.const) == (-total.length, -total.const) and list(other.items) == [
        (-coef, item) for coef, item in total.items
    ]


def identifier(name: str) -> str:
    """A name of a program for the name of a definition."""
    return "d_" + "".join(char if char.isalnum() and char.isascii() else "_" for char in name)


def signed(parts: list[tuple[int, str]], const: int) -> str:
    """A linear combination."""
    text = ""
    for coef, part in sorted(parts, key=lambda pair: pair[0] < 0):
        if coef:
            sign = "- " if coef < 0 else "+ " if text else ""
            text += f"{sign}{abs(coef)} * {part} " if abs(coef) > 1 else f"{sign}{part} "
    if const or not text:
        text += f"{'-' if const < 0 else '+' if text else ''} {abs(const)}"
    return text.strip()


def term_text(term: Term, x: str | None) -> str:
    """An index term in x, counted from 1, as an expression of `indices`, counted from 0."""
    coefs = dict(term.coefs)
    factor = coefs.pop(x, 0) if x is not None else 0
    if coefs:
        raise beyond(f"the term `{term}` speaks of another position")
    return signed([(factor, "indices"), (term.n, "length")], term.const + factor)


def sides(difference: Term, x: str | None) -> tuple[str, str]:
    """A difference of terms as two expressions, one on each side of a comparison."""
    coefs = dict(difference.coefs)
    factor = coefs.pop(x, 0) if x is not None else 0
    if coefs:
        raise beyond(f"the term `{difference}` speaks of another position")
    parts = [(factor, "indices"), (difference.n, "length")]
    const = difference.const + factor
    more = signed([(coef, text) for coef, text in parts if coef > 0], max(const, 0))
    return more, signed([(-coef, text) for coef, text in parts if coef < 0], max(-const, 0))
