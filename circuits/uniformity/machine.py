"""A word machine: the few operations in which the uniformity programs are written, each counted when it is executed.

A word is a Python integer, or an array of integers that the same program treats all at once. No operation branches on a value,
so the number of operations depends on the program alone. A truth value is the word 0 or 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Word = Any
"""An integer, or a numpy array of integers (of Python integers where 64 bits are too few)."""

ARITHMETIC, SHIFT, BITWISE, COMPARE, CHOOSE, TABLE, DIVISION, MULTIPLY = (
    "additions and subtractions",
    "shifts",
    "masks and connectives",
    "comparisons",
    "choices",
    "table lookups",
    "divisions by a constant",
    "multiplications of two words",
)


class Machine:
    """Executes word operations and counts them by kind."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self._seen = 0

    @property
    def operations(self) -> int:
        """How many word operations were executed."""
        return sum(self.counts.values())

    @property
    def widest(self) -> int:
        """The bits of the widest word so far, without its sign; arrays are not looked at."""
        return self._seen.bit_length()

    def done(self, kind: str, result: Word) -> Word:
        """Count one operation and pass its result on."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if type(result) is int:
            self._seen |= result if result >= 0 else ~result
        return result

    def add(self, left: Word, right: Word) -> Word:
        """``left + right``."""
        return self.done(ARITHMETIC, left + right)

    def subtract(self, left: Word, right: Word) -> Word:
        """``left - right``."""
        return self.done(ARITHMETIC, left - right)

    def shift_left(self, word: Word, places: int) -> Word:
        """``word * 2**places``; `places` is a constant or the width of a position field."""
        return self.done(SHIFT, word << places)

    def shift_right(self, word: Word, places: int) -> Word:
        """``floor(word / 2**places)``."""
        return self.done(SHIFT, word >> places)

    def bit(self, word: Word, place: Word) -> Word:
        """Bit number `place` of a word that is not negative, place 0 the lowest: a shift and a mask."""
        return self.both(self.done(SHIFT, word >> place), 1)

    def both(self, left: Word, right: Word) -> Word:
        """The bits that both words have: a mask, or a conjunction."""
        return self.done(BITWISE, left & right)

    def either(self, left: Word, right: Word) -> Word:
        """The bits that one of two words has: a disjunction."""
        return self.done(BITWISE, left | right)

    def negation(self, truth: Word) -> Word:
        """1 for 0 and 0 for 1."""
        return self.done(BITWISE, truth ^ 1)

    def equal(self, left: Word, right: Word) -> Word:
        """1 if two words are equal."""
        return self.done(COMPARE, 0 + (left == right))

    def at_most(self, left: Word, right: Word) -> Word:
        """1 if ``left <= right``."""
        return self.done(COMPARE, 0 + (left <= right))

    def choose(self, truth: Word, then: Word, otherwise: Word) -> Word:
        """`then` where the truth value is 1, `otherwise` where it is 0."""
        return self.done(CHOOSE, (then & -truth) | (otherwise & ~-truth))

    def length(self, n: int) -> Word:
        """The number of binary digits of n."""
        return self.done(SHIFT, n.bit_length())

    def look_up(self, table: np.ndarray[Any, Any], index: Word) -> Word:
        """An entry of a table whose size does not depend on n."""
        found = table[index.astype(np.int64)] if isinstance(index, np.ndarray) else int(table[index])
        return self.done(TABLE, found)

    def product_of_entries(self, left: Word, right: Word) -> Word:
        """The product of two entries of constant tables, which is an entry of a constant table."""
        return self.done(TABLE, left * right)

    def remainder(self, word: Word, modulus: int) -> Word:
        """The remainder from 0 to ``modulus - 1``: one pass of a finite automaton over the bits of the word."""
        return self.done(DIVISION, word % modulus)

    def quotient(self, word: Word, divisor: int) -> Word:
        """``floor(word / divisor)`` for a positive constant: one pass of a finite automaton over the bits of the word."""
        return self.done(DIVISION, word // divisor) if divisor > 1 else word

    def times(self, word: Word, factor: int) -> Word:
        """A word times a constant, by shifts and additions, one of each for every binary digit 1 of the constant."""
        digits = [place for place in range(abs(factor).bit_length()) if abs(factor) >> place & 1]
        total: Word = 0 if not digits else self.shift_left(word, digits[0]) if digits[0] else word
        for place in digits[1:]:
            total = self.add(total, self.shift_left(word, place))
        return self.subtract(0, total) if factor < 0 else total

    def multiply(self, left: Word, right: Word) -> Word:
        """The product of two words; only a threshold that sums multiples of n over positions needs it."""
        return self.done(MULTIPLY, left * right)

    def product(self, word: Word, entry: Word, bits: int) -> Word:
        """A word times an entry of a table whose entries have at most `bits` bits, by shifts and choices."""
        negative = self.at_most(entry, -1)
        size = self.choose(negative, self.subtract(0, entry), entry)
        total: Word = 0
        for place in range(bits):
            digit = self.both(self.shift_right(size, place), 1)
            total = self.add(total, self.choose(digit, self.shift_left(word, place), 0))
        return self.choose(negative, self.subtract(0, total), total)
