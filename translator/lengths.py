"""Lengths of axes that keep every s-th position: ``floor((n + offset) / divisor)``, which is no affine expression of n.

Such a length is equal to another one exactly if both are equal for every n. It is shifted by whole numbers, divided by them, and
compared with affine terms; everything else that an affine length allows is refused, so that nobody takes it for one.
"""

from __future__ import annotations

from typing import Any

from circuits.positions import FALSE, TRUE, AtLeast, Guard, Term, conjunction, simplify


class Quotient(Term):
    """The length ``floor((n + offset) / divisor)`` with a divisor of at least 2. It depends on n, so `n_coef` is not 0."""

    __slots__ = ("divisor", "offset")
    offset: int
    divisor: int

    def __init__(self, offset: int, divisor: int) -> None:
        for name, value in (("coefs", ()), ("n_coef", 1), ("offset", offset), ("divisor", divisor)):
            object.__setattr__(self, name, value)

    @property
    def const(self) -> int:
        """Not available: this is no affine expression of n.

        Raises:
            Refusal: always.
        """
        raise self._refusal("is used as n plus a constant")

    def _refusal(self, how: str) -> Exception:
        from translator.reading.refusing import Refusal

        return Refusal(
            "N086",
            f"the length {self} {how}",
            note="the sequence has been cut to every s-th entry by strides; its length is no affine expression of n",
            help="use stride 1 along the sequence before this operator",
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quotient) and (self.offset, self.divisor) == (other.offset, other.divisor)

    def __hash__(self) -> int:
        return hash((self.offset, self.divisor))

    def __add__(self, other: Term | int) -> Term:
        if isinstance(other, Term):
            if isinstance(other, Quotient) or other.coefs or other.n_coef:
                raise self._refusal(f"is added to {other}")
            other = other.const
        return Quotient(self.offset + other * self.divisor, self.divisor)

    def __radd__(self, other: Term | int) -> Term:
        return self + other

    def __sub__(self, other: Term | int) -> Term:
        if isinstance(other, Quotient):
            times, rest = divmod(self.offset - other.offset, self.divisor)
            if other.divisor != self.divisor or rest:
                raise self._refusal(f"is compared with the length {other}")
            return Term((), 0, times)
        return self + -other

    def __rsub__(self, other: Term | int) -> Term:
        raise self._refusal(f"is subtracted from {other}")

    def __mul__(self, factor: int) -> Term:
        if factor in (0, 1):
            return self if factor else Term()
        raise self._refusal(f"is multiplied by {factor}")

    def substitute(self, at: Any) -> Term:
        """Replace variables, of which there are none."""
        return self

    def evaluate(self, n: int, values: Any) -> int:
        """The length at n."""
        return (n + self.offset) // self.divisor

    def __str__(self) -> str:
        shifted = f"n{self.offset:+d}" if self.offset else "n"
        return f"floor(({shifted})/{self.divisor})"

    __repr__ = __str__


def part_of_length(offset: int, divisor: int) -> Term:
    """``floor((n + offset) / divisor)``."""
    return Quotient(offset, divisor) if divisor > 1 else Term((), 1, offset)


def divided(length: Term, divisor: int, *, up: bool = False) -> Term:
    """A length divided by a positive number, rounded down or `up`; ``n + constant`` and what strides left of it.

    Raises:
        Refusal: the length is another one.
    """
    offset, own = (length.offset, length.divisor) if isinstance(length, Quotient) else (length.const, 1)
    if not length.n_coef:
        return Term((), 0, -(-length.const // divisor) if up else length.const // divisor)
    if length.n_coef != 1:
        from translator.reading.refusing import Refusal

        raise Refusal("N035", f"an axis of length {length} mixes several copies of the sequence")
    return part_of_length(offset + own * (divisor - 1) * up, own * divisor)


def least_for(length: Term, count: int) -> int:
    """The least n at which a length is at least `count`; the length grows with n."""
    if isinstance(length, Quotient):
        return count * length.divisor - length.offset
    return count - length.const


def most_for(length: Term, count: int) -> int:
    """The largest n at which a length is at most `count`."""
    return least_for(length, count + 1) - 1


def at_least(left: Term, right: Term) -> Guard:
    """``left >= right`` as a guard of affine terms; at most one of them may be a `Quotient`, unless their gap is constant."""
    if isinstance(left, Quotient) and isinstance(right, Quotient):
        return TRUE if (left - right).const >= 0 else FALSE
    if isinstance(left, Quotient):
        return simplify(AtLeast(Term((), 1, left.offset) - right * left.divisor))
    if isinstance(right, Quotient):
        return simplify(AtLeast(left * right.divisor - Term((), 1, right.offset) + (right.divisor - 1)))
    return simplify(AtLeast(left - right))


def equal(left: Term, right: Term) -> Guard:
    """``left = right`` as a guard of affine terms, where one of them is a `Quotient`."""
    return conjunction(at_least(left, right), at_least(right, left))
