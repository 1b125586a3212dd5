"""The grammar of a search: which formulas it may try."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grammar:
    """What formulas are made of.

    Attributes:
        neighbours: the offsets of letters: ``a(x + offset)``.
        ends: whether the letters at both ends, ``a(1)``, ``a(2)``, ``a(n - 1)`` and ``a(n)``, and ``x = 1``, ``x = n`` are atoms.
        moduli: for which m the remainders of positions, lengths and counts by m are atoms.
        weight: the largest weight of a count, of n and of x in a linear comparison found for the truth itself.
        threshold: the largest constant of the comparisons that parts of a sentence are made of.
        same: whether letters that are the same as at x are counted.
        cost: the largest cost of a sentence, where the search ends: about its size.
    """

    neighbours: tuple[int, ...] = (0, -1, 1)
    ends: bool = True
    moduli: tuple[int, ...] = (2, 3)
    weight: int = 3
    threshold: int = 3
    same: bool = True
    cost: int = 40


DEFAULT = Grammar()
