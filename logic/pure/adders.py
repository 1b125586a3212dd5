"""Adding weighted bits and numbers 0..n in columns, one for each power of two.

A total S is written as ``high * 2^width + low``: `low` has one formula for each bit, `high` is a number 0..n (`thermometers`).
If S is at most ``a + b*n`` with a < 2^width and b <= 2^width, then S < (n + 1) * 2^width, so high is at most n at every n, 0
included.

Columns are emptied from the lowest on. Two numbers u and v of a column are their mean, one column higher, and the bit of their
parity: u + v = 2 * floor((u + v) / 2) + (u + v) mod 2. A number alone is its half and its parity. Three bits are a bit and a
carry (full adder), two bits likewise. Every step takes one away from the numbers and bits that are left, so there are at most
as many steps as summands and columns.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from logic.pure import thermometers
from logic.pure.connectives import conj, disj, iff, neg, xor
from logic.pure.store import Store
from logic.pure.thermometers import Thermometer
from logic.syntax import FALSE, TRUE, Formula


@dataclass(frozen=True, slots=True)
class Number:
    """A number ``high * 2^len(bits)`` plus the bits, the lowest first; no `high` is 0."""

    bits: tuple[Formula, ...] = ()
    high: Thermometer | None = None


def digits(coef: int) -> Iterator[int]:
    """The exponents of the powers of two in a nonnegative number."""
    return (place for place in range(coef.bit_length()) if coef >> place & 1)


def signed_digits(coef: int) -> list[tuple[int, int]]:
    """The fewest signs and exponents of powers of two that add up to a number: its non-adjacent form (Reitwieser 1960)."""
    sign, rest, place = (1 if coef > 0 else -1), abs(coef), 0
    found = []
    while rest:
        if rest & 1:
            digit = 2 - (rest & 3)
            found.append((sign * digit, place))
            rest -= digit
        rest >>= 1
        place += 1
    return found


class Columns:
    """Summands with nonnegative weights, and a constant."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.bits: defaultdict[int, list[Formula]] = defaultdict(list)
        self.numbers: defaultdict[int, list[Thermometer]] = defaultdict(list)
        self.const = 0
        self.most_const = 0
        self.most_numbers = 0

    def add_bit(self, phi: Formula, place: int) -> None:
        """Add 2^place times a formula."""
        self.bits[place].append(phi)
        self.most_const += 1 << place

    def add_number(self, u: Thermometer, coef: int) -> None:
        """Add a multiple of a number."""
        for place in digits(coef):
            self.numbers[place].append(u)
        self.most_numbers += coef

    def add_const(self, const: int) -> None:
        """Add a constant."""
        self.const += const
        self.most_const += const

    @property
    def width(self) -> int:
        """The least number of bits below `high`."""
        return max(self.most_const.bit_length(), max(self.most_numbers - 1, 0).bit_length())

    def total(self, width: int) -> Number:
        """The sum, with as many bits below `high`."""
        result = []
        for place in range(width):
            self._halve(place)
            keep = place + 1 < width or bool(self.numbers[width])
            result.append(self._column(place, keep))
        numbers = self.numbers[width]
        if not numbers:
            return Number(tuple(result))
        high = numbers[0]
        for other in numbers[1:]:
            high = thermometers.added(self.store, high, other)
        for carry in self.bits[width]:
            high = thermometers.incremented(self.store, high, carry)
        return Number(tuple(result), high)

    def _halve(self, place: int) -> None:
        """Move the numbers of a column to the next one, leaving bits."""
        store, numbers = self.store, sorted(self.numbers[place], key=_dependence)
        for u, v in zip(numbers[::2], numbers[1::2], strict=False):
            self.numbers[place + 1].append(thermometers.mean(store, u, v))
            parity = xor(thermometers.odd(store, u), thermometers.odd(store, v))
            self.bits[place].append(store.named("parity", parity))
        if len(numbers) % 2:
            self.numbers[place + 1].append(thermometers.halved(store, numbers[-1]))
            self.bits[place].append(thermometers.odd(store, numbers[-1]))

    def _column(self, place: int, keep: bool) -> Formula:
        """Add the bits of a column and of the constant; without `keep` the bound excludes carries."""
        column = sorted(self.bits[place], key=_dependence)
        one = bool(self.const >> place & 1)
        while len(column) + one > 1:
            if len(column) > 2:
                a, b, c = column[:3]
                low, carry = iff(a, iff(b, c)), disj(conj(a, b), conj(c, disj(a, b)))
            elif len(column) == 2:
                a, b = column
                low, carry = (iff(a, b), disj(a, b)) if one else (xor(a, b), conj(a, b))
                one = False
            else:
                (a,) = column
                low, carry, one = neg(a), a, False
            column = [*column[3:], self.store.named("sum", low)]
            if keep:
                self.bits[place + 1].append(self.store.named("carry", carry))
        return column[0] if column else TRUE if one else FALSE


def _dependence(summand: Formula | Thermometer) -> tuple[int, list[str]]:
    """Summands of the same few variables come first and together: their sums have no more variables."""
    return len(summand.free), sorted(summand.free)


def at_least(store: Store, left: Number, right: Number) -> Formula:
    """The first number is at least the second, if both have as many bits."""
    low: Formula = TRUE
    for a, b in zip(left.bits, right.bits, strict=True):
        low = disj(conj(a, neg(b)), conj(disj(a, neg(b)), low)) if not _is_constant(b) else _over(a, b is TRUE, low)
    above = thermometers.above(store, left.high, right.high)
    return disj(above, conj(thermometers.at_least(store, left.high, right.high), low))


def _is_constant(phi: Formula) -> bool:
    return phi is TRUE or phi is FALSE


def _over(bit: Formula, one: bool, rest: Formula) -> Formula:
    return conj(bit, rest) if one else disj(bit, rest)
