"""What an expression of a program is at a position, in the text of FO(M): a truth value, a quotient of linear sums, or cases.

Texts are conjunctions of parts without outer brackets only where that is said; everything else binds as tightly as an atom.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from logic.searching.programs_of_sentences import signed

Answer = Fraction | str

SUFFIX = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|\d+")
HOLDS = {
    "=": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
TURNED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Linear:
    """A combination of counts, positions and n, by their texts, with whole coefficients."""

    atoms: Mapping[str, int] = field(default_factory=dict)
    const: int = 0

    @staticmethod
    def of(atom: str, const: int = 0) -> Linear:
        """One atom and a number."""
        return Linear({atom: 1}, const)

    def plus(self, other: Linear) -> Linear:
        """The sum."""
        total = {atom: self.atoms.get(atom, 0) + other.atoms.get(atom, 0) for atom in {**self.atoms, **other.atoms}}
        return Linear({atom: coef for atom, coef in total.items() if coef}, self.const + other.const)

    def times(self, factor: int) -> Linear:
        """A multiple."""
        return Linear({atom: coef * factor for atom, coef in self.atoms.items() if factor}, self.const * factor)

    @property
    def text(self) -> str:
        """The sum as text."""
        return signed([(coef, atom) for atom, coef in self.atoms.items()], self.const)


@dataclass(frozen=True)
class Flag:
    """A truth value."""

    text: str


@dataclass(frozen=True)
class Number:
    """A linear sum over a denominator that is not negative, and 0 where that is 0; `positive`: it never is."""

    top: Linear
    bottom: Linear | None = None
    positive: bool = False

    def times(self, factor: int) -> Number:
        """A multiple."""
        return Number(self.top.times(factor), self.bottom, self.positive)

    def plus(self, other: Number) -> Number | None:
        """The sum, if the denominators are equal, or constant, or one summand is a multiple of the other's."""
        if self.bottom == other.bottom:
            return Number(self.top.plus(other.top), self.bottom, self.positive or other.positive)
        below, under = constant_of(self.bottom), constant_of(other.bottom)
        if below is not None and under is not None:
            common = math.lcm(below, under)
            top = self.top.times(common // below).plus(other.top.times(common // under))
            return Number(top, Linear({}, common))
        for one, two in ((self, other), (other, self)):
            whole = one.bottom is None and not one.top.atoms
            if whole and two.bottom is not None and two.positive:
                return Number(two.top.plus(two.bottom.times(one.top.const)), two.bottom, True)
        return None


@dataclass(frozen=True)
class Cases:
    """Values, each with the formula that says where it is taken; `total`: one always is, else the value is None."""

    cases: tuple[tuple[Answer, str], ...]
    letters: bool
    total: bool


Form = Flag | Number | Cases


def constant_of(linear: Linear | None) -> int | None:
    """A denominator, if it is a number."""
    if linear is None:
        return 1
    return None if linear.atoms else linear.const


def all_texts(parts: Sequence[str]) -> str:
    """A conjunction, in brackets if there are several parts."""
    kept = list(dict.fromkeys(part for part in parts if part != "true"))
    if "false" in kept:
        return "false"
    return f"({' & '.join(kept)})" if len(kept) > 1 else kept[0] if kept else "true"


def any_texts(parts: Sequence[str]) -> str:
    """A disjunction, in brackets if there are several parts."""
    kept = list(dict.fromkeys(part for part in parts if part != "false"))
    if "true" in kept:
        return "true"
    return f"({' | '.join(kept)})" if len(kept) > 1 else kept[0] if kept else "false"


def negated(text: str) -> str:
    """The negation."""
    return {"true": "false", "false": "true"}.get(text, f"~{text}" if text.startswith("(") else f"~({text})")


def number_of(form: Form) -> Number:
    """A form as a quotient of sums; None counts as 0."""
    match form:
        case Number():
            return form
        case Flag(text):
            return Number(Linear.of(f"[{text}]"))
        case Cases(cases):
            numbers = [(Fraction(value), text) for value, text in cases]
            scale = math.lcm(*(value.denominator for value, _ in numbers)) if numbers else 1
            top = Linear()
            for value, text in numbers:
                weight = int(value * scale)
                top = top.plus(Linear({}, weight) if text == "true" else Linear.of(f"[{text}]").times(weight))
            return Number(top, Linear({}, scale) if scale != 1 else None)


def present(form: Form) -> str:
    """That a form is not None."""
    if not isinstance(form, Cases) or form.total:
        return "true"
    return any_texts([text for _, text in form.cases])


def equals(form: Form, value: Answer | None) -> str:
    """That a form has a value."""
    match form:
        case _ if value is None:
            return negated(present(form))
        case Cases(cases):
            return any_texts([text for one, text in cases if one == value])
        case Flag(text) if value in (0, 1):
            return text if value == 1 else negated(text)
        case Number() if isinstance(value, Fraction):
            bottom = Linear({}, value.denominator) if value.denominator != 1 else None
            return linear_comparison(form, "=", Number(Linear({}, value.numerator), bottom)) or "false"
        case _:
            return "false"


def compared(left: Form, sign: str, right: Form) -> str | None:
    """The comparison of two forms, None being equal to nothing; None if it is not linear."""
    if sign == "!=":
        same = compared(left, "=", right)
        return None if same is None else negated(same)
    for one, other in ((left, right), (right, left)):
        constant = value_of(other)
        if sign == "=" and constant is not None:
            return equals(one, constant)
    if (
        isinstance(left, Cases)
        and isinstance(right, Cases)
        and (sign == "=" or len(left.cases) * len(right.cases) <= 64)
    ):
        return any_texts([
            all_texts([text, any_texts([other for two, other in right.cases if HOLDS[sign](value, two)])])
            for value, text in left.cases
        ])  # fmt: skip
    for one, other, turned in ((left, right, sign), (right, left, TURNED[sign])):
        constant = value_of(other)
        if isinstance(one, Cases) and isinstance(constant, Fraction):
            return any_texts([text for value, text in one.cases if HOLDS[turned](value, constant)])
    if sign == "=" and isinstance(left, Flag) and isinstance(right, Flag):
        return f"({left.text} <-> {right.text})"
    found = linear_comparison(number_of(left), sign, number_of(right))
    return None if found is None else all_texts([present(left), present(right), found])


def value_of(form: Form) -> Answer | None:
    """The constant that a form is."""
    match form:
        case Cases(((value, "true"),)):
            return value
        case Number(Linear(atoms, const), bottom) if not atoms and (below := constant_of(bottom)):
            return Fraction(const, below)
        case _:
            return None


def linear_comparison(left: Number, sign: str, right: Number) -> str | None:
    """The comparison of two quotients, if one has a constant denominator and the other one is constant or has that too."""
    if left.bottom == right.bottom:
        return sides(left.top, sign, right.top)
    below, under = constant_of(left.bottom), constant_of(right.bottom)
    if below is not None and under is not None:
        return sides(left.top.times(under), sign, right.top.times(below))
    if below is not None:
        return linear_comparison(right, TURNED[sign], left)
    constant = value_of(right)
    if not isinstance(constant, Fraction) or left.bottom is None:
        return None
    found = sides(left.top.times(constant.denominator), sign, left.bottom.times(constant.numerator))
    wanted, at_zero = HOLDS[sign](0, constant), HOLDS[sign](0, 0)
    if left.positive or wanted == at_zero:
        return found
    if wanted:
        return any_texts([found, sides(left.bottom, "=", Linear())])
    return all_texts([sides(left.bottom, ">=", Linear({}, 1)), found])


def sides(left: Linear, sign: str, right: Linear) -> str:
    """The comparison of two sums, as plain as it can be: no term on both sides, nothing negative, no common factor."""
    difference = left.plus(right.times(-1))
    if not difference.atoms:
        return "true" if HOLDS[sign](difference.const, 0) else "false"
    factor = math.gcd(*difference.atoms.values(), difference.const)
    above = Linear(
        {atom: coef // factor for atom, coef in difference.atoms.items() if coef > 0},
        max(difference.const, 0) // factor,
    )
    below = Linear(
        {atom: -coef // factor for atom, coef in difference.atoms.items() if coef < 0},
        max(-difference.const, 0) // factor,
    )
    if not above.atoms:
        above, below, sign = below, above, TURNED[sign]
    return f"{above.text} {sign} {below.text}"


def suffix(value: Answer, letters: Sequence[str] = ()) -> str:
    """The end of a name for a value: ``.a``, ``.3``, ``.minus[1][2]``, or ``.letter[3]``."""
    if isinstance(value, str):
        if SUFFIX.fullmatch(value):
            return f".{value}"
        return f".letter[{letters.index(value)}]" if value in letters else ".letter"
    sign = ".minus" if value < 0 else ""
    over = f"[{value.denominator}]" if value.denominator != 1 else ""
    return f"{sign}[{abs(value.numerator)}]{over}"
