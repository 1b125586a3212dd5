"""Connectives that fold truth values, as the adders of constants need them."""

from __future__ import annotations

from collections.abc import Iterable

from logic.syntax import FALSE, TRUE, Formula, Iff, Not, Truth, all_of, any_of


def conj(*parts: Formula) -> Formula:
    """The conjunction, without what is true."""
    return FALSE if FALSE in parts else all_of(_without(TRUE, parts))


def disj(*parts: Formula) -> Formula:
    """The disjunction, without what is false."""
    return TRUE if TRUE in parts else any_of(_without(FALSE, parts))


def _without(unit: Formula, parts: Iterable[Formula]) -> list[Formula]:
    return list(dict.fromkeys(part for part in parts if part is not unit))


def neg(phi: Formula) -> Formula:
    """The negation, without double negations."""
    if isinstance(phi, Truth):
        return FALSE if phi.value else TRUE
    return phi.body if isinstance(phi, Not) else Not(phi)


def iff(phi: Formula, psi: Formula) -> Formula:
    """Whether two formulas have the same truth value."""
    if isinstance(psi, Truth):
        phi, psi = psi, phi
    if isinstance(phi, Truth):
        return psi if phi.value else neg(psi)
    return Iff(phi, psi)


def xor(phi: Formula, psi: Formula) -> Formula:
    """Whether two formulas have different truth values."""
    return neg(iff(phi, psi))
