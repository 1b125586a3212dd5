"""The syntax of FO(M): index terms, formulas, counting terms, definitions and sentences.

Index terms and atoms follow M&S 2023, Def. 3 and 4; `Linear` is the linear counting atom, conservative sugar that keeps
weighted thresholds readable; a `Definition` names a relation or a sum so that a sentence is a shared graph instead of a
tree. Every node is interned (see `logic.interning`): equality is identity.

Notation: `x y z` position variables, `phi psi` formulas, `t` index terms, `n` the length of the word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from circuits.diagnostics import fail
from logic.interning import Node, union

if TYPE_CHECKING:
    from logic.simplify.engine import Simplified

COMPARISONS = ("=", "<", "<=")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Term(Node):
    """The index term ``sum(coef * variable) + n * length + const``, evaluated in Z; `coefs` are sorted, none is 0."""

    coefs: tuple[tuple[str, int], ...] = ()
    n: int = 0
    const: int = 0

    def __post_init__(self) -> None:
        names = [name for name, _ in self.coefs]
        if any(not coef for _, coef in self.coefs) or names != sorted(set(names)):
            raise fail("L018", "the coefficients of an index term are sorted by variable and none is 0",
                       note=f"found {self.coefs!r}", help="build it with Term.make")  # fmt: skip

    @staticmethod
    def make(coefs: Mapping[str, int], n: int = 0, const: int = 0) -> Term:
        """Build the term of a mapping from variables to coefficients."""
        return Term(tuple(sorted((name, coef) for name, coef in coefs.items() if coef)), n, const)

    @property
    def variable(self) -> str | None:
        """The variable this term consists of, or None if it is anything else."""
        if self.n or self.const or len(self.coefs) != 1 or self.coefs[0][1] != 1:
            return None
        return self.coefs[0][0]

    def evaluate(self, n: int, values: Mapping[str, int]) -> int:
        """Evaluate at length `n`, in Z."""
        total = self.n * n + self.const
        for name, coef in self.coefs:
            total += coef * values[name]
        return total

    def __add__(self, other: Term | int) -> Term:
        if isinstance(other, int):
            return Term(self.coefs, self.n, self.const + other)
        merged = dict(self.coefs)
        for name, coef in other.coefs:
            merged[name] = merged.get(name, 0) + coef
        return Term.make(merged, self.n + other.n, self.const + other.const)

    def __sub__(self, other: Term | int) -> Term:
        return self + (-other if isinstance(other, int) else other * -1)

    def __mul__(self, factor: int) -> Term:
        return Term.make({name: coef * factor for name, coef in self.coefs}, self.n * factor, self.const * factor)

    def _free(self) -> frozenset[str]:
        return frozenset([name for name, _ in self.coefs])

    def __str__(self) -> str:
        from logic.printer import to_ascii

        return to_ascii(self)

    def __repr__(self) -> str:
        return f"Term('{self}')"


class _Printable(Node):
    """Nodes with a text form."""

    __slots__ = ()

    def __str__(self) -> str:
        from logic.printer import to_ascii

        return to_ascii(self)  # type: ignore[arg-type]

    def __repr__(self) -> str:
        from logic.printer import shortened

        return f"{type(self).__name__}({shortened(self)!r})"  # type: ignore[arg-type]

    def _repr_latex_(self) -> str:
        from logic.latex import to_latex

        return f"${to_latex(self)}$"  # type: ignore[arg-type]


class Formula(_Printable):
    """A formula: true or false in a word, under an assignment of positions to its free variables."""

    __slots__ = ()

    def __and__(self, other: Formula) -> Formula:
        return And((self, other))

    def __or__(self, other: Formula) -> Formula:
        return Or((self, other))

    def __invert__(self) -> Formula:
        return Not(self)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Letter(Formula):
    """``a(t)``: the letter at position t is a; false if t is not in 1..n."""

    name: str
    term: Term

    def _free(self) -> frozenset[str]:
        return self.term.free


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Call(Formula):
    """``p(t, ...)``: a defined relation, false if a position is not in 1..n; without arguments also an input proposition."""

    name: str
    args: tuple[Term, ...] = ()

    def _free(self) -> frozenset[str]:
        return union([arg.free for arg in self.args])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compare(Formula):
    """``s = t``, ``s < t`` or ``s <= t`` between index terms, in Z."""

    op: str
    left: Term
    right: Term

    def __post_init__(self) -> None:
        if self.op not in COMPARISONS:
            raise fail("L018", f"`{self.op}` is not one of the comparisons = < <=")

    def _free(self) -> frozenset[str]:
        return union([self.left.free, self.right.free])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Bit(Formula):
    """``bit(t, i)``: bit i of t in binary, bit 1 the least significant; false if i < 1 or t < 0."""

    number: Term
    index: Term

    def _free(self) -> frozenset[str]:
        return union([self.number.free, self.index.free])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Truth(Formula):
    """``true`` or ``false``."""

    value: bool


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Not(Formula):
    """``~phi``."""

    body: Formula

    def _free(self) -> frozenset[str]:
        return self.body.free


class _Connective(Formula):
    """A conjunction or disjunction of two or more parts."""

    __slots__ = ()
    parts: tuple[Formula, ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise fail("L018", f"{type(self).__name__} needs two parts, found {len(self.parts)}",
                       help="build it with all_of or any_of")  # fmt: skip

    def _free(self) -> frozenset[str]:
        return union([part.free for part in self.parts])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class And(_Connective):
    """``phi & psi & ...``, two parts or more."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Or(_Connective):
    """``phi | psi | ...``, two parts or more."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Implies(Formula):
    """``phi -> psi``."""

    left: Formula
    right: Formula

    def _free(self) -> frozenset[str]:
        return union([self.left.free, self.right.free])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Iff(Formula):
    """``phi <-> psi``."""

    left: Formula
    right: Formula

    def _free(self) -> frozenset[str]:
        return union([self.left.free, self.right.free])


class _Quantifier(Formula):
    """A quantifier over the positions 1..n."""

    __slots__ = ()
    variable: str
    body: Formula

    def _free(self) -> frozenset[str]:
        free = self.body.free
        return free - {self.variable} if self.variable in free else free


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Forall(_Quantifier):
    """``forall x. phi``: for every position; true at n = 0."""

    variable: str
    body: Formula


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Exists(_Quantifier):
    """``exists x. phi``: for some position; false at n = 0."""

    variable: str
    body: Formula


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Majority(_Quantifier):
    """``M x. phi``: for at least half of the positions (M&S 2023, Def. 4, where ties count as true); true at n = 0."""

    variable: str
    body: Formula


class Item(_Printable):
    """What a sum adds up: an indicator, a count, or a defined sum."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Indicator(Item):
    """``[phi]``: 1 if phi holds, else 0."""

    formula: Formula

    def _free(self) -> frozenset[str]:
        return self.formula.free


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sum(_Printable):
    """The counting term ``sum(coef * item) + length * n + const``; order and repetition of items are kept as given."""

    items: tuple[tuple[int, Item], ...] = ()
    length: int = 0
    const: int = 0

    def _free(self) -> frozenset[str]:
        return union([item.free for _, item in self.items])


ONE = Sum((), 0, 1)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Count(Item):
    """``#y[phi : s]``: the sum of s(y) over the positions y with phi(y); ``#y[phi]`` has the weight 1."""

    variable: str
    condition: Formula
    weight: Sum = ONE

    def _free(self) -> frozenset[str]:
        free = union([self.condition.free, self.weight.free])
        return free - {self.variable} if self.variable in free else free


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SumCall(Item):
    """``s(t, ...)``: a defined sum; 0 if a position is not in 1..n."""

    name: str
    args: tuple[Term, ...] = ()

    def _free(self) -> frozenset[str]:
        return union([arg.free for arg in self.args])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Linear(Formula):
    """``s >= bound`` for a counting term s with at least one item."""

    sum: Sum
    bound: int

    def __post_init__(self) -> None:
        if not self.sum.items:
            raise fail("L018", "a linear counting atom needs at least one count, indicator or defined sum",
                       help="build it with at_least, which makes a comparison of index terms of it")  # fmt: skip

    def _free(self) -> frozenset[str]:
        return self.sum.free


TRUE, FALSE = Truth(True), Truth(False)


def all_of(parts: Iterable[Formula]) -> Formula:
    """Build the conjunction of any number of formulas."""
    kept = tuple(parts)
    return And(kept) if len(kept) > 1 else kept[0] if kept else TRUE


def any_of(parts: Iterable[Formula]) -> Formula:
    """Build the disjunction of any number of formulas."""
    kept = tuple(parts)
    return Or(kept) if len(kept) > 1 else kept[0] if kept else FALSE


def at_least(total: Sum, bound: int) -> Formula:
    """Build ``total >= bound``; without items that is a comparison of index terms, or a truth value."""
    if total.items:
        return Linear(total, bound)
    if total.length:
        return Compare("<=", Term((), 0, bound), Term((), total.length, total.const))
    return TRUE if total.const >= bound else FALSE


def var(name: str) -> Term:
    """Build the index term that is one variable."""
    return Term(((name, 1),), 0, 0)


@dataclass(frozen=True, slots=True)
class Definition:
    """``let name(params) := body`` for a relation, ``sum name(params) := body`` for a sum."""

    name: str
    params: tuple[str, ...]
    body: Formula | Sum
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A list of definitions and a last formula, over the letters of an alphabet and input propositions.

    The formula has no free variable, or one if the sentence decides something at each position (a tagger).
    """

    letters: tuple[str, ...]
    propositions: tuple[str, ...]
    definitions: tuple[Definition, ...]
    formula: Formula

    def __hash__(self) -> int:
        return hash((self.letters, self.propositions, len(self.definitions), self.formula))

    @property
    def free(self) -> tuple[str, ...]:
        """The free variables of the formula, sorted."""
        return tuple(sorted(self.formula.free))

    def check(self, where: str = "") -> None:
        """Raise `FomError` with everything that is wrong: names, arities, kinds, order, variables."""
        from logic.check import check

        check(self, where)

    def simplified(self, keep: Collection[str] = ()) -> Simplified:
        """An equivalent sentence in `.sentence`, with the laws that were applied; `keep` names definitions that stay.

        `logic.simplify.equality.prove_simplified` proves that it is equivalent.
        """
        from logic.simplify import simplify

        return simplify(self, keep=keep, inline_once=True)

    def __str__(self) -> str:
        from logic.printer import to_ascii

        return to_ascii(self)

    def _repr_latex_(self) -> str | None:
        from logic.html import SHORT
        from logic.latex import to_latex

        return to_latex(self) if len(self.definitions) <= SHORT else None

    def _repr_html_(self) -> str | None:
        from logic.html import SHORT, sentence_to_html

        return sentence_to_html(self) if len(self.definitions) > SHORT else None
