"""Spelling: the formula that a number of a bank stands for.

The variable of a formula is named by its depth: the outermost is x, what is bound inside of it y, then z, and so on, so that
equal parts of a sentence are spelled alike and are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from logic.searching.bank import (
    AFTER,
    AND,
    ATOM,
    BEFORE,
    EXISTS,
    FORALL,
    FUTURE,
    IFF,
    LIFT,
    MAJORITY,
    NOT,
    OR,
    PAST,
    Bank,
)
from logic.syntax import (
    ONE,
    And,
    Compare,
    Count,
    Exists,
    Forall,
    Formula,
    Iff,
    Implies,
    Item,
    Letter,
    Linear,
    Majority,
    Not,
    Or,
    Sum,
    Term,
    all_of,
    var,
)

Make = Callable[[int], Formula]
NAMES = "xyzuvw"
TOTAL, UNTIL, EARLIER, FROM, LATER, SAME, SAME_UNTIL, SAME_EARLIER, PLACE = range(9)
SAMES = (SAME, SAME_UNTIL, SAME_EARLIER)
UP_TO = {UNTIL: "<=", EARLIER: "<", SAME_UNTIL: "<=", SAME_EARLIER: "<"}
DOWN_TO = {FROM: "<=", LATER: "<"}
GUARDS = {**UP_TO, PLACE: "<=", FROM: ">=", LATER: ">"}
PASTS = {PAST: UNTIL, BEFORE: EARLIER, FUTURE: FROM, AFTER: LATER}


def name(depth: int) -> str:
    """The variable of a depth."""
    return NAMES[depth] if depth < len(NAMES) else f"x{depth}"


def joined(kind: type[And] | type[Or], left: Formula, right: Formula) -> Formula:
    """A conjunction or disjunction, flat."""
    parts: list[Formula] = []
    for part in (left, right):
        parts.extend(part.parts if isinstance(part, And | Or) and isinstance(part, kind) else (part,))
    return kind(tuple(dict.fromkeys(parts)))


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted at a point or in a word: a kind, and the formula of the open bank."""

    kind: int
    formula: int
    cost: int

    @property
    def guarded(self) -> bool:
        """Whether a conjunction joins the formula with a guard."""
        return self.kind in UP_TO or self.kind in DOWN_TO


@dataclass(frozen=True, slots=True)
class Atom:
    """``sum(coef * counted) + length * n >= bound``, or ``=``; with a modulus, ``= bound + modulus * q`` for a position q."""

    counted: tuple[tuple[int, Counted], ...]
    length: int
    bound: int
    equal: bool = False
    modulus: int = 0

    @property
    def is_index(self) -> bool:
        """Whether it compares positions and the length only, so that it is a comparison of index terms."""
        return all(counted.kind == PLACE for _, counted in self.counted)

    @property
    def cost(self) -> int:
        """The nodes it has, at most."""
        if self.is_index:
            return 1
        kinds = [counted.kind for _, counted in self.counted]
        guards = {GUARDS[kind] for kind in kinds if kind in GUARDS}
        own = 3 + len(kinds) + sum(counted.cost + counted.guarded for _, counted in self.counted)
        return own + len(guards) + 3 * self.equal + 3 * bool(self.modulus)


class Spelling:
    """The formulas of two banks: those with one free variable, and closed ones.

    Two letters that occur are the same if they agree on the letters of `told_apart`: all that occur but one.
    """

    def __init__(self, told_apart: Sequence[str], open_: Bank, closed: Bank) -> None:
        self.told_apart = tuple(told_apart)
        self.open_bank, self.closed_bank = open_, closed
        self.open_atoms: list[Make | Atom] = []
        self.closed_atoms: list[Make | Atom] = []

    def open(self, number: int, depth: int) -> Formula:
        """A formula of the open bank whose free variable is the one of the depth."""
        operation, left, right = self.open_bank.origin[number].tolist()
        if operation == ATOM:
            return self._atom(self.open_atoms[left], depth, depth + 1)
        if operation == LIFT:
            return self.closed(left, depth + 1)
        if operation in PASTS:
            return Exists(name(depth + 1), self._guarded(PASTS[operation], left, depth, depth + 1))
        return self._connective(operation, left, right, self.open, depth)

    def closed(self, number: int, depth: int) -> Formula:
        """A formula of the closed bank where the variables less deep are in use."""
        operation, left, right = self.closed_bank.origin[number].tolist()
        if operation == ATOM:
            return self._atom(self.closed_atoms[left], depth, depth)
        quantifier = {FORALL: Forall, EXISTS: Exists, MAJORITY: Majority}.get(operation)
        if quantifier is not None:
            return quantifier(name(depth), self.open(left, depth))
        return self._connective(operation, left, right, self.closed, depth)

    @staticmethod
    def _connective(operation: int, left: int, right: int, spell: Callable[[int, int], Formula], depth: int) -> Formula:
        if operation == NOT:
            return Not(spell(left, depth))
        first, second = spell(left, depth), spell(right, depth)
        if operation in (AND, OR):
            return joined(And if operation == AND else Or, first, second)
        return Iff(first, second) if operation == IFF else Implies(first, second)

    def _atom(self, atom: Make | Atom, depth: int, inner: int) -> Formula:
        """An atom in the variable of `depth`, if it has one, that binds the one of `inner`."""
        if not isinstance(atom, Atom):
            return atom(depth)
        if atom.is_index:
            return _index_comparison(atom, name(depth))
        counting = inner + 1 if atom.modulus else inner
        items = tuple([(coef, self._item(counted, depth, counting)) for coef, counted in atom.counted])
        if atom.modulus:
            below = Compare("<=", var(name(counting)), var(name(inner)))
            items = (*items, (-atom.modulus, Count(name(counting), below, ONE)))
        at_least = Linear(Sum(items, atom.length, 0), atom.bound)
        if not atom.equal:
            return at_least
        at_most = Linear(Sum(tuple([(-coef, item) for coef, item in items]), -atom.length, 0), -atom.bound)
        both = And((at_least, at_most))
        return Exists(name(inner), both) if atom.modulus else both

    def _item(self, counted: Counted, depth: int, inner: int) -> Item:
        if counted.kind == PLACE:
            return Count(name(inner), Compare("<=", var(name(inner)), var(name(depth))), ONE)
        return Count(name(inner), self._guarded(counted.kind, counted.formula, depth, inner), ONE)

    def _guarded(self, kind: int, number: int, depth: int, inner: int) -> Formula:
        """The formula counted, of the variable of `inner`, where the kind lets it count."""
        bound, free = var(name(inner)), var(name(depth))
        parts: list[Formula] = []
        if kind in UP_TO:
            parts.append(Compare(UP_TO[kind], bound, free))
        elif kind in DOWN_TO:
            parts.append(Compare(DOWN_TO[kind], free, bound))
        if kind in SAMES:
            parts.extend([Iff(Letter(letter, free), Letter(letter, bound)) for letter in self.told_apart])
        else:
            formula = self.open(number, inner)
            parts.extend(formula.parts if isinstance(formula, And) else (formula,))
        return all_of(dict.fromkeys(parts))


def _index_comparison(atom: Atom, variable: str) -> Formula:
    """An atom that counts nothing but places, without minus signs."""
    place = sum(coef for coef, _ in atom.counted)
    left = Term.make({variable: max(-place, 0)}, max(-atom.length, 0), max(atom.bound, 0))
    right = Term.make({variable: max(place, 0)}, max(atom.length, 0), max(-atom.bound, 0))
    if not atom.equal:
        return Compare("<=", left, right)
    return Compare("=", right, left) if atom.bound >= 0 else Compare("=", left, right)
