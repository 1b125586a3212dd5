"""Unification of sizes: what two sizes are together, and the relation that has to hold for it.

A relation is noted where it is not true for all sizes, and refused where it is true for none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import sympy
from sympy.logic.boolalg import Boolean

from translator.shapes.expressions import (
    Size,
    at_least,
    equal,
    maximum,
    modulo,
    never_equal,
    product,
)
from translator.shapes.values import Dims, Misfit

HELP = "check the shapes; often a length baked in while exporting"


@dataclass(frozen=True, slots=True)
class Constraint:
    """A relation between the symbols that the network needs, and why."""

    relation: Boolean
    reason: str

    def __str__(self) -> str:
        return f"{stated(self.relation)} ({self.reason})"


def stated(relation: Boolean) -> str:
    """A relation as it is written: ``seq <= 64``."""
    if isinstance(relation, sympy.Eq):
        return f"{relation.lhs} == {relation.rhs}"
    if isinstance(relation, sympy.Or):
        return " or ".join(sorted(map(stated, relation.args)))
    return str(relation)


@dataclass(slots=True)
class Constraints:
    """The relations noted so far, each with the reason that was given first."""

    found: dict[Boolean, str] = field(default_factory=dict)
    place: str = ""

    def note(self, relation: Boolean, why: str) -> None:
        """Add a relation."""
        self.found.setdefault(relation, f"{self.place}: {why}" if self.place else why)

    def same(self, a: Size, b: Size, why: str) -> Size:
        """Two sizes that must be equal; the simpler one of them."""
        relation = _equality(a, b)
        if relation is False:
            raise Misfit("N090", f"{why}: {a} and {b} are equal at no sizes", HELP)
        if relation is not True:
            self.note(relation, why)
        return b if isinstance(b, int) else a

    def same_dims(self, a: Dims, b: Dims, why: str) -> Dims:
        """Two shapes that must be equal."""
        if len(a) != len(b):
            raise Misfit("N090", f"{why}: shapes with {len(a)} and {len(b)} axes", HELP)
        return tuple(self.same(left, right, why) for left, right in zip(a, b, strict=True))

    def same_count(self, a: Sequence[Size], b: Sequence[Size], why: str) -> None:
        """Two shapes that must hold equally many entries."""
        left, right = without_common(a, b)
        self.same(product(left), product(right), why)

    def at_least(self, a: Size, b: Size, why: str) -> None:
        """Require ``a >= b``."""
        if at_least(a, b):
            return
        if at_least(b, a) and never_equal(a, b):
            raise Misfit("N090", f"{why}: {a} is at no sizes as large as {b}", HELP)
        self.note(_bound(sympy.sympify(a - b)), why)

    def divides(self, divisor: Size, value: Size, why: str) -> None:
        """Require that `divisor` divides `value`."""
        rest = modulo(value, divisor)
        if isinstance(rest, int):
            if rest:
                raise Misfit("N090", f"{why}: {value} is not divisible by {divisor}", HELP)
            return
        self.note(sympy.Eq(rest, 0, evaluate=False), why)

    def broadcast(self, shapes: Sequence[Dims], why: str) -> Dims:
        """The shape of an elementwise operator on tensors of the given shapes."""
        result: Dims = ()
        for dims in shapes:
            pairs = zip_longest(reversed(result), reversed(dims), fillvalue=1)
            result = tuple(reversed([self._wider(a, b, why) for a, b in pairs]))
        return result

    def _wider(self, a: Size, b: Size, why: str) -> Size:
        """Two sizes that are equal unless one of them is 1."""
        if b == 1 or equal(a, b):
            return a
        if a == 1:
            return b
        cases = [_equality(a, b), _equality(a, 1), _equality(b, 1)]
        if all(case is False for case in cases):
            raise Misfit("N090", f"{why}: {a} and {b} neither are equal nor is one of them 1", HELP)
        self.note(_any(cases), why)
        if isinstance(a, int) or isinstance(b, int):
            return a if isinstance(a, int) else b
        return maximum(a, b)

    def list(self) -> tuple[Constraint, ...]:
        """All relations, in the order in which they were found."""
        return tuple(Constraint(relation, reason) for relation, reason in _strongest(self.found).items())


def without_common(a: Sequence[Size], b: Sequence[Size]) -> tuple[list[Size], list[Size]]:
    """Two lists of factors without those that stand in both."""
    left, right = [], list(b)
    for size in a:
        if size in right and size != 0:
            right.remove(size)
        else:
            left.append(size)
    return left, right


def _equality(a: Size, b: Size) -> Boolean | bool:
    """The relation ``a == b`` without common factors; True or False if it is one at all sizes."""
    if equal(a, b):
        return True
    if never_equal(a, b):
        return False
    left, right = sympy.sympify(a), sympy.sympify(b)
    common = sympy.gcd(left, right)
    if common != 1 and at_least(common, 1):
        left, right = sympy.expand(left / common), sympy.expand(right / common)
        if left.is_Integer and right.is_Integer:
            return bool(left == right)
    for value, bound in ((left, right), (right, left)):
        if isinstance(bound, sympy.Min) and value in bound.args:  # x == Min(x, c) says x <= c
            return sympy.Le(value, sympy.Min(*(each for each in bound.args if each != value)), evaluate=False)
    if left.is_Integer:
        left, right = right, left
    return sympy.Eq(left, right, evaluate=False)


def _bound(value: sympy.Expr) -> Boolean:
    """``value >= 0`` without minus signs: ``n <= 64``, ``n >= 3``, ``n >= k + 1``."""
    constant, rest = value.as_coeff_Add()
    gained = [term for term in sympy.Add.make_args(rest) if not term.could_extract_minus_sign()]
    lost = [-term for term in sympy.Add.make_args(rest) if term.could_extract_minus_sign()]
    if not gained:
        return sympy.Le(sympy.Add(*lost), constant, evaluate=False)
    if len(gained) == 1 and not lost:
        factor, atom = gained[0].as_coeff_Mul()
        if isinstance(atom, sympy.floor):  # floor(x) >= k says x >= k for an integer k
            inner = sympy.expand(atom.args[0] - sympy.ceiling(-constant / factor))
            return _bound(sympy.expand(inner * sympy.fraction(sympy.together(inner))[1]))
        return sympy.Ge(atom, sympy.ceiling(-constant / factor), evaluate=False)
    return sympy.Ge(sympy.Add(*gained), sympy.Add(*lost) - constant, evaluate=False)


def _strongest(found: Mapping[Boolean, str]) -> dict[Boolean, str]:
    """The relations without lower bounds of a symbol that another lower bound implies."""
    least: dict[sympy.Basic, sympy.Expr] = {}
    for relation in found:
        if isinstance(relation, sympy.Ge) and relation.rhs.is_Integer:
            least[relation.lhs] = max(relation.rhs, least.get(relation.lhs, relation.rhs))
    return {
        relation: why
        for relation, why in found.items()
        if not isinstance(relation, sympy.Ge) or relation.rhs == least.get(relation.lhs, relation.rhs)
    }


def _any(cases: Sequence[Boolean | bool]) -> Boolean:
    """One of several relations; ``Min(x, c) == 1`` is left out beside ``x <= c``, which it implies for c >= 1."""
    wanted = [case for case in cases if not isinstance(case, bool)]
    for bound in [case for case in wanted if isinstance(case, sympy.Le)]:
        wanted = [case for case in wanted if case is bound or not _implies(case, bound)]
    return sympy.Or(*wanted, evaluate=False) if len(wanted) > 1 else wanted[0]


def _implies(case: Boolean, bound: sympy.Le) -> bool:
    """Tell whether ``x == 1`` or ``Min(x, c) == 1`` implies ``x <= c``; c is no 1, or Min were 1."""
    if not isinstance(case, sympy.Eq) or case.rhs != 1:
        return False
    value, most = bound.args
    return at_least(most, 1) and (case.lhs == value or (case.lhs == sympy.Min(value, most) and at_least(most, 2)))
