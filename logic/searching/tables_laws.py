"""Laws of arithmetic in tables: the decision as a short function of the numbers that stand at some positions.

The laws are sums and polynomials of degree two modulo m, cut-off sums, the least, greatest and middle of the numbers, distances,
and comparisons. Coefficients are not tried but read off: modulo m the differences of a polynomial along its axes are known, and
the most frequent difference is taken, so that a table that is wrong in few cells still shows its law. A law counts by the cells
in which it is right; which these are is said by `Fit.wrong`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Literal

import numpy as np

from logic.searching.tables import UNSEEN, Integers

Kind = Literal["polynomial", "cut off", "ordered", "distance", "comparison"]
Monomial = tuple[tuple[int, ...], int]
"""Which of the positions are multiplied, and the coefficient."""


@dataclass(frozen=True)
class Law:
    """A function of the numbers at some positions.

    Attributes:
        kind: "polynomial": a sum of `terms` and `constant`, modulo `modulus` if there is one; "cut off": the same between `low`
            and `high`; "ordered": the number of rank `rank` among those at `places`, plus `constant`; "distance": ``|v - w|``
            plus `constant`; "comparison": `high` where the sum of `terms` is `sign` `constant`, else `low`.
        places: the positions, from 0; monomials number them from 0 in this order.
    """

    kind: Kind
    places: tuple[int, ...]
    terms: tuple[Monomial, ...] = ()
    constant: int = 0
    modulus: int = 0
    low: int = 0
    high: int = 0
    rank: int = 0
    sign: Literal[">=", "="] = ">="

    def values(self, numbers: Sequence[Integers]) -> Integers:
        """What the law says, given the numbers at each of its positions (arrays of one shape, or that broadcast)."""
        match self.kind:
            case "polynomial":
                found = self.total(numbers) + self.constant
                return found % self.modulus if self.modulus else found
            case "cut off":
                return np.clip(self.total(numbers) + self.constant, self.low, self.high)
            case "ordered":
                stacked = np.stack(np.broadcast_arrays(*numbers))
                return np.asarray(np.sort(stacked, axis=0)[self.rank] + self.constant, dtype=np.int64)
            case "distance":
                return np.abs(numbers[0] - numbers[1]) + self.constant
            case "comparison":
                total = self.total(numbers)
                holds = total >= self.constant if self.sign == ">=" else total == self.constant
                return np.where(holds, self.high, self.low)

    def total(self, numbers: Sequence[Integers]) -> Integers:
        """The sum of the terms."""
        found = np.zeros(np.broadcast_shapes(*(one.shape for one in numbers)), dtype=np.int64)
        for places, coefficient in self.terms:
            part = np.full_like(found, coefficient)
            for place in places:
                part = part * numbers[place]
            found = found + part
        return found

    @property
    def text(self) -> str:
        """The law in words, with v1 for the number at position 1."""
        return self.spelled([f"v{place + 1}" for place in self.places], False)

    def spelled(self, names: Sequence[str], program: bool) -> str:
        """The law, as an expression of programs or as mathematics."""
        plus = shifted(self.constant)
        match self.kind:
            case "polynomial":
                body = self.polynomial(names, self.constant)
                if not self.modulus:
                    return body
                plain = len(self.terms) + bool(self.constant) <= 1 and body.isidentifier()
                body = body if plain else f"({body})"
                return f"{body} % {self.modulus}" if program else f"{body} mod {self.modulus}"
            case "cut off":
                body = self.polynomial(names, self.constant)
                if program:
                    return f"-max(-{self.high}, -max({self.low}, {body}))"
                return f"{body}, but at least {self.low} and at most {self.high}"
            case "ordered":
                return self.ordered(names, program) + plus
            case "distance":
                one, other = names
                return (f"max({one} - {other}, {other} - {one})" if program else f"|{one} - {other}|") + plus
            case "comparison":
                left, right = self.sides(names)
                if program:
                    sign = "==" if self.sign == "=" else self.sign
                    return f"{{0: {self.low}, 1: {self.high}}}[{left} {sign} {right}]"
                least, most = sorted((self.low, self.high))
                opposite = {">=": "<", "=": "!="}[self.sign]
                return f"{most} where {left} {self.sign if most == self.high else opposite} {right}, else {least}"

    def ordered(self, names: Sequence[str], program: bool) -> str:
        """The number of a rank: least, greatest, or one between them."""
        last = len(names) - 1
        if not program:
            word = {0: "min", last: "max"}.get(
                self.rank, "middle" if 2 * self.rank == last else f"number {self.rank + 1} of"
            )
            return f"{word}({', '.join(names)})"
        if self.rank == last:
            return nested(list(names))
        if self.rank == 0:
            return f"-{nested([f'-{name}' for name in names])}"
        # The number of rank r is the least of the greatest of all choices of r + 1 numbers.
        choices = [f"-{nested(list(chosen))}" for chosen in combinations(names, self.rank + 1)]
        return f"-{nested(choices)}"

    def sides(self, names: Sequence[str]) -> tuple[str, str]:
        """The two sides of a comparison: what is subtracted stands on the right."""
        left = [term for term in self.terms if term[1] > 0]
        right = [(places, -coefficient) for places, coefficient in self.terms if coefficient < 0]
        onto = (0, self.constant) if self.constant >= 0 else (-self.constant, 0)
        return spelled_sum(left, onto[0], names), spelled_sum(right, onto[1], names)

    def polynomial(self, names: Sequence[str], constant: int) -> str:
        """The terms and a constant, as a sum."""
        return spelled_sum(self.terms, constant, names)

    @property
    def cost(self) -> tuple[int, int, int]:
        """How long it is: positions, terms, and the rest."""
        order = ("polynomial", "ordered", "distance", "comparison", "cut off").index(self.kind)
        degree = sum(len(places) for places, _ in self.terms)
        return len(self.places), degree + bool(self.constant) + 2 * order, self.modulus


def spelled_sum(terms: Sequence[Monomial], constant: int, names: Sequence[str]) -> str:
    """A sum with its signs."""
    text = ""
    for places, coefficient in terms:
        factors = [names[place] for place in places]
        body = "*".join(factors if abs(coefficient) == 1 else [str(abs(coefficient)), *factors])
        sign = "-" if coefficient < 0 else "+"
        text += f" {sign} {body}" if text else ("-" if coefficient < 0 else "") + body
    return text + shifted(constant) if text else str(constant)


def shifted(constant: int) -> str:
    """A summand at the end."""
    return "" if constant == 0 else f" + {constant}" if constant > 0 else f" - {-constant}"


def nested(names: list[str]) -> str:
    """The greatest of some expressions, in twos."""
    return names[0] if len(names) == 1 else f"max({names[0]}, {nested(names[1:])})"


@dataclass(frozen=True)
class Fit:
    """A law and how often it is right.

    Attributes:
        right: the cells in which it is, of `seen`.
        chance: the cells of the most frequent decision: a constant is right in as many.
    """

    law: Law
    right: int
    seen: int
    chance: int

    @property
    def exact(self) -> bool:
        """Whether it is right everywhere."""
        return self.right == self.seen

    @property
    def share(self) -> float:
        """The cells in which it is right."""
        return self.right / self.seen


def fits(decided: Integers, places: Sequence[int], values: Sequence[Integers], n_classes: int) -> Iterator[Fit]:
    """Laws of a grid of decisions with one axis for each of `places`, whose cells have the numbers `values`."""
    seen = decided != UNSEEN
    count = int(seen.sum())
    if not count:
        return
    chance = int(np.bincount(decided[seen]).max())
    for size in range(1, len(places) + 1):
        for axes in combinations(range(len(places)), size):
            numbers = [spread(values[axis], axis, len(places)) for axis in axes]
            chosen = tuple(places[axis] for axis in axes)
            for law in laws(decided, seen, axes, [values[axis] for axis in axes], chosen, numbers, n_classes):
                right = int(((law.values(numbers) == decided) & seen).sum())
                yield Fit(law, right, count, chance)


def spread(values: Integers, axis: int, ndim: int) -> Integers:
    """Numbers along one axis of a grid."""
    return values.reshape([-1 if place == axis else 1 for place in range(ndim)])


def laws(
    decided: Integers, seen: Any, axes: Sequence[int], values: Sequence[Integers], places: tuple[int, ...],
    numbers: Sequence[Integers], n_classes: int,
) -> Iterator[Law]:  # fmt: skip
    """Laws that a grid may have in some of its axes, with what is read off for each form."""
    answers = np.unique(decided[seen])
    if len(answers) < 2:
        return
    most = int(answers[-1])
    for modulus in sorted(
        {n_classes, most + 1, *(int(one.max()) + 1 for one in values), *(len(one) for one in values)}
    ):
        if most < modulus:
            for degree in (1, 2):
                yield from polynomials(decided, seen, axes, values, places, numbers, modulus, degree)
    single: list[Monomial] = [((place,), 1) for place in range(len(places))]
    sums: list[tuple[Monomial, ...]] = [tuple(single)]
    if len(places) == 2:
        sums += [(single[0], ((1,), -1)), (((0,), -1), single[1])]
        sums.append((((0, 1), 1),))
        yield Law("distance", places, constant=common(decided - np.abs(numbers[0] - numbers[1]), seen))
    for terms in sums:
        plain = Law("polynomial", places, terms)
        total = plain.values(numbers)
        yield Law("polynomial", places, terms, constant=common(decided - total, seen))
        low, high = int(answers[0]), most
        inside = seen & (decided > low) & (decided < high)
        if inside.any():
            yield Law("cut off", places, terms, common(decided - total, inside), low=low, high=high)
        if len(answers) == 2:
            yield from comparisons(decided, seen, places, terms, total)
    if len(places) > 1:
        stacked = np.sort(np.stack(np.broadcast_arrays(*numbers)), axis=0)
        for rank in range(len(places)):
            yield Law("ordered", places, constant=common(decided - stacked[rank], seen), rank=rank)


def comparisons(
    decided: Integers, seen: Any, places: tuple[int, ...], terms: tuple[Monomial, ...], total: Integers
) -> Iterator[Law]:
    """The best threshold and the best equality of a sum, for a decision between two classes."""
    low, high = (int(one) for one in np.unique(decided[seen]))
    totals = np.broadcast_to(total, decided.shape)[seen]
    least = int(totals.min())
    yes = np.bincount(totals - least, weights=decided[seen] == high).astype(np.int64)
    no = np.bincount(totals - least).astype(np.int64) - yes
    for one, other, above, below in ((yes, no, high, low), (no, yes, low, high)):
        # A sum of at least t: right are those of `one` from t on, and those of `other` before it.
        right = one[::-1].cumsum()[::-1] + np.concatenate([[0], other.cumsum()[:-1]])
        yield Law("comparison", places, terms, least + int(right.argmax()), low=below, high=above)
        equal = one - other
        yield Law("comparison", places, terms, least + int(equal.argmax()), low=below, high=above, sign="=")


def common(values: Integers, seen: Any) -> int:
    """The most frequent of some numbers."""
    found, counts = np.unique(np.broadcast_to(values, seen.shape)[seen], return_counts=True)
    return int(found[counts.argmax()])


def polynomials(
    decided: Integers, seen: Any, axes: Sequence[int], values: Sequence[Integers], places: tuple[int, ...],
    numbers: Sequence[Integers], modulus: int, degree: int,
) -> Iterator[Law]:  # fmt: skip
    """The polynomial modulo m whose differences along the axes are most frequent: linear, or of degree two."""
    terms: list[Monomial] = []
    rest, seen = decided.copy(), np.asarray(seen)
    if degree == 2:
        for one, other in combinations(range(len(axes)), 2):
            mixed = differences(differences((rest, seen), axes[one], values[one]), axes[other], values[other])
            if (coefficient := most_common(mixed, modulus)) is None:
                return
            terms.append(((one, other), coefficient))
        rest = remainder(decided, terms, numbers, modulus)
        for one in range(len(axes)):
            twice = most_common(
                differences(differences((rest, seen), axes[one], values[one]), axes[one], values[one]), modulus
            )
            if twice is None:
                return
            if modulus % 2 == 0 and twice % 2:
                return
            half = twice * pow(2, -1, modulus) % modulus if modulus % 2 else twice // 2
            terms.append(((one, one), half))
        terms = [term for term in terms if term[1]]
        if not terms:
            return
        rest = remainder(decided, terms, numbers, modulus)
    for one in range(len(axes)):
        if (coefficient := most_common(differences((rest, seen), axes[one], values[one]), modulus)) is None:
            return
        terms.append(((one,), coefficient))
    rest = remainder(decided, terms, numbers, modulus)
    kept = tuple((places_, signed(coefficient, modulus)) for places_, coefficient in terms if coefficient)
    if {place for places_, _ in kept for place in places_} == set(range(len(axes))):
        yield Law("polynomial", places, kept, common(rest % modulus, seen), modulus)


def remainder(decided: Integers, terms: Sequence[Monomial], numbers: Sequence[Integers], modulus: int) -> Integers:
    """Decisions less some terms, modulo m."""
    total = Law("polynomial", (), tuple(terms)).total(numbers)
    return np.asarray((decided - total) % modulus)


def signed(coefficient: int, modulus: int) -> int:
    """A coefficient of -1 rather than m - 1."""
    return -1 if coefficient == modulus - 1 and modulus > 2 else coefficient


Seen = tuple[Integers, Any]


def differences(table: Seen, axis: int, values: Integers) -> Seen:
    """The differences along an axis between cells whose numbers differ by one, and where both cells are seen."""
    grid, seen = table
    count = grid.shape[axis]
    steps = np.flatnonzero(np.diff(values[:count]) == 1)
    before, after = (np.take(grid, steps + shift, axis) for shift in (0, 1))
    both = np.take(seen, steps, axis) & np.take(seen, steps + 1, axis)
    return after - before, both


def most_common(table: Seen, modulus: int) -> int | None:
    """The most frequent difference modulo m, or None if there is none."""
    grid, seen = table
    if not seen.any():
        return None
    return int(np.bincount(grid[seen] % modulus, minlength=modulus).argmax())


def best(found: Sequence[Fit], enough: float) -> Fit | None:
    """The law that is right in most cells beyond chance, among those right in enough of them; the shortest of equals."""
    able = [one for one in found if one.share >= enough and one.right > one.chance]
    return min(able, key=lambda one: (one.chance - one.right, one.law.cost), default=None)
