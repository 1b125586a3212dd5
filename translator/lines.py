"""Lines of integers that a rounding cuts at given places: the factor, the constant and the shift of a requantization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.formats import round_half_even

Integers = np.ndarray[Any, np.dtype[np.int64]]

CAPACITY = 57
FIRST = 64


@dataclass(frozen=True, slots=True)
class Line:
    """``round((factor * S + constant) / 2**shift)``, half to even."""

    factor: int
    constant: int
    shift: int

    def values(self, sums: Integers) -> Integers:
        """The rounded values at given integers S."""
        return round_half_even(self.factor * sums + self.constant, self.shift)


def line_of(rising: Integers, least: Integers, falling: Integers, missed: Integers, magnitude: int) -> Line | None:
    """The line of the smallest shift that has at least the codes `least` at `rising`, and not the codes `missed` at `falling`.

    What one shift can do, the next one can.

    Args:
        magnitude: the largest magnitude of an argument; its products with the factor have at most `CAPACITY` bits.

    Returns:
        The line, with the constant 0 where that is possible; None if there is none.
    """
    code_bits = int(max(np.abs(least).max(), np.abs(missed).max(), 1)).bit_length()

    def constraints(shift: int) -> Constraints:
        return Constraints(rising, thresholds(least, shift), falling, thresholds(missed, shift) - 1)

    fitting, failing = CAPACITY - code_bits - 1, -1
    fitting -= max((constraints(fitting).factors[1] * magnitude).bit_length() - CAPACITY, 0)
    found = constraints(fitting).solution() if fitting >= 0 else None
    if found is None:
        return None
    while fitting - failing > 1:
        tried = (fitting + failing) // 2
        smaller = constraints(tried).solution()
        if smaller is None:
            failing = tried
        else:
            found, fitting = smaller, tried
    return Line(*found, fitting)


@dataclass(frozen=True, slots=True)
class Constraints:
    """``factor * rising + constant >= reached`` and ``factor * falling + constant <= stayed``."""

    rising: Integers
    reached: Integers
    falling: Integers
    stayed: Integers

    @property
    def factors(self) -> tuple[int, int]:
        """Bounds on the factor, from the outermost arguments."""
        last, first = int(self.rising.argmax()), int(self.falling.argmin())
        width = int(self.rising[last] - self.falling[first])
        height = int(self.reached[last] - self.stayed[first])
        low = max(-(-height // width), 1) if width > 0 else 1
        last, first = int(self.falling.argmax()), int(self.rising.argmin())
        width = int(self.falling[last] - self.rising[first])
        height = int(self.stayed[last] - self.reached[first])
        return low, height // width if width > 0 else max(low, int(self.stayed.max() - self.reached.min()) + 1)

    def constants(self, factor: int) -> tuple[int, int]:
        """Bounds on the constant; their distance is a concave function of the factor."""
        return int((self.reached - factor * self.rising).max()), int((self.stayed - factor * self.falling).min())

    def solution(self) -> tuple[int, int] | None:
        """A factor and a constant, or None: found for some of the conditions, to which those are added that it violates."""
        up, down = (np.unique(np.linspace(0, len(of) - 1, FIRST).astype(int)) for of in (self.rising, self.falling))
        low, high = self.factors
        while True:
            some = Constraints(self.rising[up], self.reached[up], self.falling[down], self.stayed[down])
            factor = some.factor(low, high)
            if factor is None:
                return None
            least, most = self.constants(factor)
            if least <= most:
                return factor, 0 if least <= 0 <= most else (least + most) // 2
            up = np.append(up, (self.reached - factor * self.rising).argmax())
            down = np.append(down, (self.stayed - factor * self.falling).argmin())

    def factor(self, low: int, high: int) -> int | None:
        """A factor between bounds for which there is a constant, or None."""
        while low <= high:
            factor = (low + high) // 2
            lengths = []
            for tried in (factor, factor + 1):
                least, most = self.constants(tried)
                if least <= most:
                    return tried
                lengths.append(most - least)
            if lengths[0] == lengths[1]:
                return None
            low, high = (factor + 2, high) if lengths[1] > lengths[0] else (low, factor - 1)
        return None


def thresholds(codes: Integers, shift: int) -> Integers:
    """The least integer that is rounded to each code, or above, by `shift` bits: `circuits.formats.threshold` of many codes."""
    return codes if shift == 0 else (2 * codes - 1) * (1 << shift - 1) + codes % 2
