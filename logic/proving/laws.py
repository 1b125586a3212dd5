"""The law of a rounding: a rounded number is at least c if and only if a comparison that is linear in c says so.

With N = S and D = 1 for a `Round`, numerator and denominator for a `Quotient`: the code nearest to the fraction is at least c iff
``scale * N - (slope * c + const) * D >= odd * (c mod 2)``. One obligation for each shift states it for every number and *every*
integer c, so for words of any width. Saturation changes nothing: codes c of a format above the least are reached by the saturated
code iff by the nearest one. The meaning of "nearest" is stated by inequalities, independently of the comparison.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from logic.proving.linear import Unfit
from logic.proving.session import Outcome, Session
from logic.smt.lemmas import Formula, Manager, Proved, boolean, integer, real, weighted

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Law:
    """Rounding ``x * up / down``, where x is an integer S or, if it is a `ratio`, any number N / D."""

    up: int
    down: int
    ratio: bool
    scale: int
    slope: int
    const: int
    odd: int

    def line(self, codes: Integers) -> Integers:
        """``slope * c + const`` of increasing codes.

        Raises:
            Unfit: it may need more than 62 bits.
        """
        if any(abs(self.slope * int(code) + self.const) >= 1 << 62 for code in (*codes[:1], *codes[-1:])):
            raise Unfit("its thresholds need more than 62 bits")
        return self.slope * codes + self.const

    def __str__(self) -> str:
        """The comparison."""
        number, den = ("N", "*D") if self.ratio else ("S", "")
        line = (
            f"{times(self.slope, 'c')} {'-' if self.const < 0 else '+'} {abs(self.const)}"
            if self.const
            else times(self.slope, "c")
        )
        candidate = f"({line}){den}" if self.ratio or self.const else line
        return f"{times(self.scale, number)} - {candidate} >= {'c mod 2' if self.odd else '0'}"

    def statement(self) -> str:
        """What the law says."""
        given = "all integers N, D >= 1 and c" if self.ratio else "all integers S and c"
        number, den = (
            times(self.up, "N" if self.ratio else "S"),
            times(self.down, "D") if self.ratio else str(self.down),
        )
        nearest = number if den == "1" else f"{number} / ({den})" if "*" in den else f"{number} / {den}"
        return f"for {given}: the integer nearest to {nearest}, half to even, is at least c if and only if {self}"

    def prove(self, session: Session) -> str:
        """Prove the law, once for all gadgets; why it is not, or nothing."""

        def decide() -> Outcome:
            answer, lemma = session.solve(self.statement(), self.claim)
            if isinstance(answer, Proved) and lemma is not None:
                return Outcome((lemma,))
            return Outcome((), f"not decided: {self.statement()}")

        return session.once(("law", self), 0, decide).trouble

    def claim(self, manager: Manager) -> Formula:
        """The law for the solver: numbers are divided by D, so that it is linear."""
        given = real(manager, "x") if self.ratio else integer(manager, "S")

        def number(terms: list[tuple[int, Formula]], const: int = 0) -> Formula:
            total = weighted(manager, terms, const)
            return manager.ToReal(total) if self.ratio else total

        def multiple(factor: int) -> Formula:
            return manager.Times(manager.Real(factor) if self.ratio else manager.Int(factor), given)

        half, parity = integer(manager, "h"), boolean(manager, "p")
        nearest = [(2, half), (1, parity)]
        twice = [(2 * self.down * weight, term) for weight, term in nearest]
        upper, lower = number(twice, self.down), number(twice, -self.down)
        even, doubled = manager.Not(parity), multiple(2 * self.up)
        at_most = manager.Or(manager.LT(doubled, upper), manager.And(manager.Equals(doubled, upper), even))
        at_least = manager.Or(manager.GT(doubled, lower), manager.And(manager.Equals(doubled, lower), even))
        other_half, other_parity = integer(manager, "k"), boolean(manager, "q")
        code = [(2, other_half), (1, other_parity)]
        line = number([(self.slope * weight, term) for weight, term in code], self.const)
        left = multiple(self.scale)
        if self.ratio:
            strict = manager.And(other_parity, manager.Bool(self.odd == 1))
            compared = manager.Or(manager.GT(left, line), manager.And(manager.Equals(left, line), manager.Not(strict)))
        else:
            compared = manager.GE(left, manager.Plus(line, weighted(manager, [(self.odd, other_parity)])))
        reached = manager.GE(weighted(manager, nearest), weighted(manager, code))
        return manager.Implies(manager.And(at_most, at_least), manager.Iff(reached, compared))


def times(factor: int, name: str) -> str:
    """A multiple, without a factor of 1."""
    return name if factor == 1 else f"{factor}*{name}"


def rounding_law(shift: int) -> Law:
    """The law of the code nearest to ``S / 2**shift``."""
    up, down = 1 << max(-shift, 0), 1 << max(shift, 0)
    if shift <= 0:
        return Law(up, down, ratio=False, scale=up, slope=1, const=0, odd=0)
    return Law(up, down, ratio=False, scale=1, slope=down, const=-(down >> 1), odd=1)


def quotient_law(shift: int) -> Law:
    """The law of the code nearest to ``N * 2**shift / D``."""
    up, down = 1 << max(shift, 0), 1 << max(-shift, 0)
    return Law(up, down, ratio=True, scale=2 * up, slope=2 * down, const=-down, odd=1)
