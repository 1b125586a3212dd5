"""Replacing variables of atoms by index terms."""

from __future__ import annotations

from collections.abc import Mapping

from logic.syntax import Bit, Call, Compare, Formula, Letter, Not, Term, var


def term_at(term: Term, at: Mapping[str, Term]) -> Term:
    """An index term with other terms for some of its variables."""
    result = Term((), term.n, term.const)
    for name, coef in term.coefs:
        result += at.get(name, var(name)) * coef
    return result


def atom_at(phi: Formula, at: Mapping[str, Term]) -> Formula:
    """An atom, or the negation of one, with index terms for some of its variables.

    Raises:
        TypeError: it is neither.
    """
    match phi:
        case Not(body):
            return Not(atom_at(body, at))
        case Letter(name, term):
            return Letter(name, term_at(term, at))
        case Call(name, args):
            return Call(name, tuple(term_at(arg, at) for arg in args))
        case Compare(op, left, right):
            return Compare(op, term_at(left, at), term_at(right, at))
        case Bit(number, index):
            return Bit(term_at(number, at), term_at(index, at))
        case _:
            raise TypeError(f"not an atom: {type(phi).__name__}")
