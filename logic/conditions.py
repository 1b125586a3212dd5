"""Formulas about positions alone as guards, over numbered variables."""

from __future__ import annotations

from collections.abc import Iterable

from circuits import positions
from circuits.diagnostics import fail
from circuits.positions import LAST, Guard, conjunction, guard_terms, is_safe
from logic.counting_forms import FREE
from logic.syntax import Bit, Compare, Term

MOST_COMPARISONS = 64
MOST_DEEP = 12


class Variables:
    """Numbers for the variables of a sentence, from `FREE` on."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a variable."""
        return self.numbers.setdefault(name, FREE + len(self.numbers))

    def term(self, t: Term) -> positions.Term:
        """An index term.

        Raises:
            FomError: a number in it is too large.
        """
        if max(abs(t.n), abs(t.const), *(abs(coef) for _, coef in t.coefs), 0) >= positions.MOST:
            raise fail("L062", f"the index term `{t}` has a number of more than 31 bits", help="use smaller numbers")
        coefs = sorted((self.number(name), coef) for name, coef in t.coefs)
        return positions.Term(tuple(coefs), t.n, t.const)

    def condition(self, phi: Compare | Bit) -> Guard:
        """A comparison of index terms, or a bit of one."""
        if isinstance(phi, Bit):
            return positions.simplify(positions.Bit(self.term(phi.number), self.term(phi.index)))
        difference = self.term(phi.right) - self.term(phi.left)
        if phi.op == "=":
            return positions.simplify(positions.Equals(difference))
        return positions.simplify(positions.AtLeast(difference if phi.op == "<=" else difference - 1))


def inside(args: Iterable[positions.Term]) -> Guard:
    """The condition that terms are positions of the word."""
    unsafe = [term for term in args if not is_safe(term)]
    return conjunction(*(positions.AtLeast(end) for term in unsafe for end in (term - 1, LAST - term)))


def is_long(guard: Guard) -> bool:
    """Tell whether a condition is too long, or nested too deep, to be written wherever it is used."""
    return len(guard_terms(guard)) > MOST_COMPARISONS or depth(guard) > MOST_DEEP


def depth(guard: Guard) -> int:
    """How deep a condition is nested."""
    match guard:
        case positions.Not(part):
            return 1 + depth(part)
        case positions.All(parts) | positions.Any_(parts):
            return 1 + max(map(depth, parts), default=0)
        case _:
            return 0
