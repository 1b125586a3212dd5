"""The grammar of a search: which formulas it may try."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grammar:
    """What formulas are made of.

    Attributes:
        neighbours: the offsets of letters: ``a(x + offset)``.
        ends: whether the letters at both ends, ``a(1)`` and ``a(n)``, and ``x = 1``, ``x = n`` are atoms.
    """

    neighbours: tuple[int, ...] = (0, -1, 1)
    ends: bool = True


DEFAULT = Grammar()
