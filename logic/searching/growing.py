"""Growing the two banks, one cost after the other: formulas with a free variable, and closed ones.

The cost of a formula is its number of nodes, without what its parts share. All formulas of a cost are made of those of smaller
costs: connectives, quantifiers, "before" and "behind", and linear comparisons of one count or of two. Connectives of all pairs
end at the cost where they would be too many; what else is made goes on. Wherever something is left out, the cost is noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np

from logic.comparing.methods import Limit
from logic.searching.bank import (
    AFTER,
    AND,
    ATOM,
    BEFORE,
    BINARY,
    EXISTS,
    FORALL,
    FUTURE,
    IMPLIES,
    LIFT,
    MAJORITY,
    NOT,
    OR,
    PAST,
    Bank,
    combine,
)
from logic.searching.counting import Table, place, value_of
from logic.searching.grammar import Grammar
from logic.searching.points import Packed, Points, pack, unpack
from logic.searching.samples import Integers
from logic.searching.spelling import SAMES, TOTAL, UNTIL, Atom, Make, Spelling, name
from logic.syntax import Bit, Compare, Exists, Formula, Letter, Term, var

MOST_WORK = 600_000_000  # bytes that the connectives of one cost may make, in each bank
MOST_ATOMS = 10_000  # linear comparisons of one cost tried as parts, in each bank
CHEAP = 1  # the largest cost of a formula counted there
MOST_LIFTED = 40_000  # closed formulas of one cost taken as formulas with a free variable
MOST_COUNTED = 400_000_000  # points of the formulas of one cost that are quantified; a part of it up to each point
CHUNK = 1 << 22  # bytes of values made at once


class Growth:
    """The banks of formulas over some points.

    Attributes:
        open, closed: formulas with one free variable, and without.
        connecting: for each bank whether connectives of all pairs are made.
        tried: how many formulas were made.
    """

    def __init__(self, points: Points, alphabet: tuple[str, ...], grammar: Grammar, limit: Limit) -> None:
        self.points, self.alphabet, self.grammar, self.limit = points, alphabet, grammar, limit
        self.open, self.closed = Bank(points.size, limit.memory // 3), Bank(points.words, limit.memory // 6)
        occurring = [alphabet[number] for number in np.unique(points.letter).tolist()]
        self.spelling = Spelling(occurring[:-1], self.open, self.closed)
        self.at_words = Table(points, self.open, False, 300)
        self.at_points = Table(points, self.open, True, 300)
        self.at_points.add_same(len(self.spelling.told_apart) + 1 if grammar.same else 0)
        self.connecting = {id(self.open): True, id(self.closed): True}
        self._left_out: dict[int, int] = {}
        self.grown = self.tried = 0

    def complete(self, bank: Bank) -> int:
        """Up to which cost every formula of the grammar has its value in a bank."""
        open_, closed = (self._left_out.get(id(one), self.grown + 1) for one in (self.open, self.closed))
        return min(self.grown, closed - 1, open_ if bank is self.closed else open_ - 1)

    def leave_out(self, bank: Bank, cost: int) -> None:
        """Note that formulas of a cost are missing in a bank."""
        self._left_out.setdefault(id(bank), cost)

    def grow(self, cost: int) -> Iterator[tuple[Bank, Integers]]:
        """Add all formulas of a cost, those of smaller costs being there; yield what is new."""
        yield from self._grow(cost)
        for bank, table in ((self.open, self.at_points), (self.closed, self.at_words)):
            if bank.is_full or (table.is_full and cost <= CHEAP):
                self.leave_out(bank, cost)
        self.grown = cost

    def _grow(self, cost: int) -> Iterator[tuple[Bank, Integers]]:
        if cost == 1:
            yield self.closed, self._atoms(self.closed, self.spelling.closed_atoms, self._closed_atoms(), 1)
            yield self.open, self._atoms(self.open, self.spelling.open_atoms, self._open_atoms(), 1)
        if cost == 2 and any(modulus > 2 for modulus in self.grammar.moduli):
            yield self.closed, self._atoms(self.closed, self.spelling.closed_atoms, self._remainders(False), 2)
            yield self.open, self._atoms(self.open, self.spelling.open_atoms, self._remainders(True), 2)
        for bank in (self.closed, self.open):
            yield from ((bank, new) for new in self._connectives(bank, cost))
        yield from ((self.closed, new) for new in self._quantifiers(cost))
        yield from ((self.open, new) for new in self._orders(cost))
        yield from ((self.closed, new) for new in self._linear(self.closed, cost))
        yield from ((self.open, new) for new in self._linear(self.open, cost))
        yield from ((self.open, new) for new in self._lifted(cost))
        numbers = self.open.of_cost(cost)
        numbers = numbers[self.open.origin[numbers, 0] != LIFT]
        self.at_words.add(numbers, cost)
        self.at_points.add(numbers, cost)

    # Atoms.

    def _atoms(self, bank: Bank, atoms: list[Make | Atom], made: Iterator[tuple[Make, Any]], cost: int) -> Integers:
        pairs = list(made)
        if not pairs:
            return np.zeros(0, dtype=np.int64)
        first = len(atoms)
        atoms.extend(make for make, _ in pairs)
        return self._add(
            bank, pack(np.stack([value for _, value in pairs])), ATOM, np.arange(first, len(atoms)), None, cost
        )

    def _closed_atoms(self) -> Iterator[tuple[Make, Any]]:
        points = self.points
        if self.grammar.ends and points.ordered:
            for number, letter in enumerate(self.alphabet):
                for at in (Term((), 0, 1), Term((), 1, 0), Term((), 0, 2), Term((), 1, -1)):
                    value = points.read(points.letter == number, at.n * points.n + at.const)
                    yield partial(_letter_at, letter, at), value[points.start]
        if 2 in self.grammar.moduli:
            yield (lambda _: Bit(Term((), 1, 0), Term((), 0, 1))), points.length % 2 == 1

    def _open_atoms(self) -> Iterator[tuple[Make, Any]]:
        points = self.points
        for offset in self.grammar.neighbours if points.ordered else (0,):
            for number, letter in enumerate(self.alphabet):
                value = points.letter == number
                yield partial(_letter, letter, offset), points.read(value, points.place + offset) if offset else value
        if not points.ordered:
            return
        if self.grammar.ends:
            yield (lambda depth: Compare("=", var(name(depth)), Term((), 0, 1))), points.place == 1
            yield (lambda depth: Compare("=", var(name(depth)), Term((), 1, 0))), points.place == points.n
        if 2 in self.grammar.moduli:
            yield (lambda depth: Bit(var(name(depth)), Term((), 0, 1))), points.place % 2 == 1

    def _remainders(self, at_points: bool) -> Iterator[tuple[Make, Any]]:
        number = self.points.place if at_points else self.points.length
        for modulus in self.grammar.moduli if self.points.ordered or not at_points else ():
            for rest in range(modulus) if modulus > 2 else ():
                yield partial(_remainder, at_points, modulus, rest), (number + rest) % modulus == 0

    def _lifted(self, cost: int) -> Iterator[Integers]:
        """Closed formulas, as formulas with a free variable that they do not depend on."""
        numbers = self._few(self.open, self.closed.of_cost(cost), MOST_LIFTED, cost)
        for chosen in self._chunks(numbers):
            values = unpack(self.closed.values[chosen], self.points.words)[:, self.points.word]
            yield self._add(self.open, pack(values), LIFT, chosen, None, cost)

    # Connectives.

    def _connectives(self, bank: Bank, cost: int) -> Iterator[Integers]:
        if not self.connecting[id(bank)]:
            return
        jobs = list(_pairs(bank, cost))
        work = sum(len(left) * len(right) for _, left, right in jobs) * (bank.blocks * 8 + 200)
        if work > MOST_WORK or bank.is_full:
            self.connecting[id(bank)] = False
            self.leave_out(bank, cost)
            return
        numbers = bank.of_cost(cost - 1)
        yield self._add(bank, bank.values[numbers] ^ bank.full, NOT, numbers, None, cost)
        for operation, left, right in jobs:
            yield from self._combined(bank, operation, left, right, cost)

    def _combined(self, bank: Bank, operation: int, left: Integers, right: Integers, cost: int) -> Iterator[Integers]:
        rows = max(1, CHUNK // (8 * bank.blocks * max(len(right), 1)))
        for low in range(0, len(left), rows):
            self.limit.check()
            chosen = left[low : low + rows]
            values = combine(operation, bank.values[chosen][:, None], bank.values[right][None], bank.full)
            yield self._add(bank, values.reshape(-1, bank.blocks), operation,
                            np.repeat(chosen, len(right)), np.tile(right, len(chosen)), cost)  # fmt: skip

    # Quantifiers.

    def _quantifiers(self, cost: int) -> Iterator[Integers]:
        numbers = self.open.of_cost(cost - 1)
        numbers = numbers[self.open.origin[numbers, 0] != LIFT]
        numbers = self._few(self.closed, numbers, MOST_COUNTED // self.points.size, cost)
        lengths = self.points.length
        for chosen in self._chunks(numbers):
            totals = self.points.totals(unpack(self.open.values[chosen], self.points.size))
            for operation, value in (
                (EXISTS, totals >= 1),
                (FORALL, totals == lengths),
                (MAJORITY, 2 * totals >= lengths),
            ):
                yield self._add(self.closed, pack(value), operation, chosen, None, cost)

    def _orders(self, cost: int) -> Iterator[Integers]:
        """Somewhere before or behind: an existential quantifier, a conjunction and a comparison."""
        if not self.points.ordered:
            return
        numbers = self.open.of_cost(cost - 3)
        numbers = numbers[self.open.origin[numbers, 0] != LIFT]
        numbers = self._few(self.open, numbers, MOST_COUNTED // (32 * self.points.size), cost)
        for chosen in self._chunks(numbers):
            values = unpack(self.open.values[chosen], self.points.size)
            until, totals = self.points.until(values), self.points.totals(values)[:, self.points.word]
            for operation, counts in ((PAST, until), (BEFORE, until - values), (FUTURE, totals - until + values),
                                      (AFTER, totals - until)):  # fmt: skip
                yield self._add(self.open, pack(counts >= 1), operation, chosen, None, cost)

    def _chunks(self, numbers: Integers) -> Iterator[Integers]:
        rows = max(1, CHUNK // (4 * self.points.size))
        for low in range(0, len(numbers), rows):
            self.limit.check()
            yield numbers[low : low + rows]

    def _few(self, bank: Bank, numbers: Integers, most: int, cost: int) -> Integers:
        """The first of the formulas from which formulas of a cost are made for a bank."""
        if len(numbers) > most:
            self.leave_out(bank, cost)
        return numbers[:most]

    # Linear comparisons.

    def _linear(self, bank: Bank, cost: int) -> Iterator[Integers]:
        table, atoms = (
            (self.at_points, self.spelling.open_atoms)
            if bank is self.open
            else (self.at_words, self.spelling.closed_atoms)
        )
        batch: list[tuple[Make | Atom, Any]] = []
        for number, (atom, rows) in enumerate(self._comparisons(table, cost)):
            if number == MOST_ATOMS:
                self.leave_out(bank, cost)
                break
            batch.append((atom, value_of(atom, rows, self.points, table.at_points)))
            if len(batch) == 64:
                self.limit.check()
                yield self.add_atoms(bank, atoms, batch, cost)
                batch = []
        if batch:
            yield self.add_atoms(bank, atoms, batch, cost)

    def add_atoms(
        self, bank: Bank, atoms: list[Make | Atom], batch: list[tuple[Make | Atom, Any]], cost: int
    ) -> Integers:
        """Add atoms with their values; return what is new."""
        first = len(atoms)
        atoms.extend(atom for atom, _ in batch)
        values = pack(np.stack([value for _, value in batch]))
        return self._add(bank, values, ATOM, np.arange(first, len(atoms)), None, cost)

    def _comparisons(self, table: Table, cost: int) -> Iterator[tuple[Atom, list[Any]]]:
        """Comparisons of one count with a number or with half of the places, and of two counts of one kind."""
        most = self.grammar.threshold
        bounds = sorted(range(-most, most + 1), key=abs)
        for number, one in enumerate(table.counted):
            if one.cost > CHEAP and one.kind not in SAMES:
                continue
            rows, least = [table.values[number]], Atom(((1, one),), 0, 1).cost
            if least == cost:
                yield from ((Atom(((1, one),), 0, bound), rows) for bound in range(1, most + 1))
            if least + 3 == cost:
                yield from ((Atom(((1, one),), 0, bound, True), rows) for bound in range(1, most + 1))
            if (
                least + (2 if one.kind == TOTAL and one.cost == 1 else 6) == cost
            ):  # of a letter sooner than its size has it
                for modulus in self.grammar.moduli:
                    yield from ((Atom(((1, one),), 0, -rest, True, modulus), rows) for rest in range(modulus))
            if one.kind == UNTIL and least + 1 == cost:
                for bound in (0, 1):
                    yield Atom(((2, one), (-1, place())), 0, bound), [*rows, self.points.place]
        for left, right in self._pairs_of_counts(table, cost):
            one, other = table.counted[left], table.counted[right]
            rows = [table.values[left], table.values[right]]
            if Atom(((1, one), (-1, other)), 0, 0).cost == cost:
                yield from ((Atom(((1, one), (-1, other)), 0, bound), rows) for bound in bounds)
            elif left < right:
                yield Atom(((1, one), (-1, other)), 0, 0, True), rows

    @staticmethod
    def _pairs_of_counts(table: Table, cost: int) -> Iterator[tuple[int, int]]:
        """Pairs of different counts of one kind whose comparison, or equation, has the cost."""
        groups: dict[tuple[int, int], list[int]] = {}
        for number, one in enumerate(table.counted):
            if one.cost <= CHEAP and (one.kind != TOTAL or not table.at_points):
                groups.setdefault((one.kind, one.cost), []).append(number)
        for (kind, _), lefts in groups.items():
            for (other, _), rights in groups.items():
                if kind == other:
                    least = Atom(((1, table.counted[lefts[0]]), (-1, table.counted[rights[0]])), 0, 0).cost
                    if cost in (least, least + 3):
                        yield from ((left, right) for left in lefts for right in rights if left != right)

    def _add(
        self, bank: Bank, values: Packed, operation: int, left: Integers, right: Integers | None, cost: int
    ) -> Integers:
        origins = np.zeros((len(left), 3), dtype=np.int64)
        origins[:, 0], origins[:, 1] = operation, left
        if right is not None:
            origins[:, 2] = right
        self.tried += len(left)
        return bank.add(values, origins, cost)


def _pairs(bank: Bank, cost: int) -> Iterator[tuple[int, Integers, Integers]]:
    """Operands of connectives whose cost is `cost`: parts of a conjunction in a conjunction cost one node less."""
    operations = bank.origin[:, 0]
    for first in range(1, cost):
        left = bank.of_cost(first)
        right = bank.of_cost(cost - 1 - first)
        for operation in BINARY:
            if len(left) and len(right) and (operation == IMPLIES or first <= cost - 1 - first):
                yield operation, left, right
        flat = bank.of_cost(cost - first)
        for operation in (AND, OR):
            nested = flat[operations[flat] == operation]
            if len(left) and len(nested):
                yield operation, nested, left


def _letter_at(letter: str, at: Term, depth: int) -> Formula:
    return Letter(letter, at)


def _letter(letter: str, offset: int, depth: int) -> Formula:
    return Letter(letter, var(name(depth)) + offset)


def _remainder(at_points: bool, modulus: int, rest: int, depth: int) -> Formula:
    """``exists q. m * q = x + rest``, or with n in the place of x."""
    inner = name(depth + 1 if at_points else depth)
    number = var(name(depth)) if at_points else Term((), 1, 0)
    return Exists(inner, Compare("=", Term.make({inner: modulus}), number + rest))
