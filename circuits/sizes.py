"""Sizes as polynomials in n: exact, from a few values, and checked at more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

from circuits.family import Family

EXTRA_POINTS = 3


@dataclass(frozen=True, slots=True)
class Polynomial:
    """``sum(coefs[k] * n**k)`` with rational coefficients."""

    coefs: tuple[Fraction, ...]

    def __call__(self, n: int) -> Fraction:
        return sum((coef * n**power for power, coef in enumerate(self.coefs)), Fraction(0))

    def __str__(self) -> str:
        common = lcm(*(coef.denominator for coef in self.coefs)) if self.coefs else 1
        text = ""
        for power in reversed(range(len(self.coefs))):
            coef = int(self.coefs[power] * common)
            if coef:
                sign = (" - " if coef < 0 else " + ") if text else ("-" if coef < 0 else "")
                symbol = {0: "", 1: "n"}.get(power, f"n^{power}")
                number = str(abs(coef)) if abs(coef) != 1 or not symbol else ""
                text += sign + number + ("*" if number and symbol else "") + symbol
        text = text or "0"
        return text if common == 1 else f"({text})/{common}"


def interpolate(count: Callable[[int], int], degree: int, least: int, most: int | None) -> Polynomial | None:
    """The polynomial of at most the given degree that counts; None when the counts follow none (a guard with a window).

    Evaluates `count` at ``degree + 1`` lengths from `least` on and checks `EXTRA_POINTS` more.
    """
    last = least + degree + EXTRA_POINTS
    if most is not None:
        last = min(last, most)
    points = list(range(least, last + 1))
    values = [count(n) for n in points]
    used = min(degree + 1, len(points))
    coefs = [Fraction(0)] * used
    for place in range(used):
        basis, scale = [Fraction(1)], Fraction(1)
        for other in range(used):
            if other != place:
                basis = [
                    (basis[k - 1] if k else Fraction(0)) - points[other] * (basis[k] if k < len(basis) else Fraction(0))
                    for k in range(len(basis) + 1)
                ]
                scale *= points[place] - points[other]
        for power, coef in enumerate(basis):
            coefs[power] += coef * values[place] / scale
    while len(coefs) > 1 and not coefs[-1]:
        coefs.pop()
    found = Polynomial(tuple(coefs))
    return found if all(found(n) == value for n, value in zip(points, values, strict=True)) else None


def size_polynomials(family: Family) -> dict[str, Polynomial | None]:
    """The numbers of gates and wires as polynomials in n."""
    most_positions = max((gates.n_positions for gates in family.templates), default=0)
    domain = family.domain
    return {
        "gates": interpolate(family.gates, most_positions, domain.least, domain.most),
        "wires": interpolate(family.wires, most_positions + 1, domain.least, domain.most),
    }
