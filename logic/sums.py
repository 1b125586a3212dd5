"""Arithmetic while parsing: index terms and counting terms are one thing until a comparison decides which.

``x + 1 <= n`` compares index terms; as soon as a count, an indicator or a defined sum takes part, the comparison is
linear counting, and a bare position variable x stands for its number, ``#y[y <= x]``.
"""

from __future__ import annotations

from typing import Any

from logic.lalr import Rejected
from logic.printer import IDENTIFIER
from logic.syntax import (
    ONE,
    Call,
    Compare,
    Count,
    Formula,
    Item,
    Letter,
    Linear,
    Not,
    Sum,
    Term,
    all_of,
    var,
)

Product = tuple[int, Item]
"""A coefficient and an item."""


class Mixed:
    """A linear combination of items, variables, n and 1, still growing."""

    __slots__ = ("const", "items", "length", "variables")

    def __init__(self) -> None:
        self.items: list[Product] = []
        self.variables: dict[str, int] = {}
        self.length = 0
        self.const = 0

    def add(self, value: Any, factor: int) -> None:
        """Add `factor` times the value of a rule."""
        if isinstance(value, tuple):
            self.items.append(value if factor == 1 else (factor * value[0], value[1]))
        elif isinstance(value, Item):
            self.items.append((factor, value))
        elif isinstance(value, int):
            self.const += factor * value
        elif isinstance(value, str):
            if value == "n":
                self.length += factor
            elif IDENTIFIER.fullmatch(value):
                self.variables[value] = self.variables.get(value, 0) + factor
            else:
                raise Rejected(f"`{value}` stands where a number is expected",
                               f"a variable is a simple identifier; a defined sum is `{value}()`")  # fmt: skip
        elif isinstance(value, Mixed):
            self.items += value.items if factor == 1 else [(factor * coef, item) for coef, item in value.items]
            for name, coef in value.variables.items():
                self.variables[name] = self.variables.get(name, 0) + factor * coef
            self.length += factor * value.length
            self.const += factor * value.const
        elif isinstance(value, Letter | Call):
            raise Rejected(f"the formula `{value}` stands where a number is expected",
                           f"write [{value}] for its 0 or 1, or define `{value.name}` with `sum` above")  # fmt: skip
        else:
            raise Rejected("a formula stands where a number is expected", "write it in brackets, [phi], for its 0 or 1")

    def is_constant(self) -> bool:
        """Tell whether this is an integer."""
        return not self.items and not self.length and not any(self.variables.values())


def to_mixed(value: Any) -> Mixed:
    """Make the value of a rule a `Mixed`; one that is a `Mixed` already is returned itself and may be extended."""
    if isinstance(value, Mixed):
        return value
    made = Mixed()
    made.add(value, 1)
    return made


def to_term(value: Any) -> Term:
    """Make the value of a rule an index term."""
    if isinstance(value, str) and value != "n" and IDENTIFIER.fullmatch(value):
        return var(value)
    mixed = to_mixed(value)
    if mixed.items:
        raise Rejected("a count stands where an index term is expected",
                       "an index term has only variables, n and integers")  # fmt: skip
    return Term.make(mixed.variables, mixed.length, mixed.const)


def as_sum(mixed: Mixed) -> Sum:
    """Make a counting term of `mixed`: variables become counts, after the items."""
    items = list(mixed.items)
    for name, coef in mixed.variables.items():
        if coef:
            fresh = "y" if name != "y" else "z"
            items.append((coef, Count(fresh, Compare("<=", var(fresh), var(name)), ONE)))
    return Sum(tuple(items), mixed.length, mixed.const)


def subtract(left: Any, right: Any) -> Mixed:
    """Subtract in place."""
    total = to_mixed(left)
    total.add(right, -1)
    return total


def multiply(left: Any, right: Any) -> int | Product | Mixed:
    """Multiply the values of two rules, one of which is an integer."""
    if not isinstance(left, int):
        if not isinstance(right, int):
            return _multiply_mixed(to_mixed(left), to_mixed(right))
        left, right = right, left
    if isinstance(right, int):
        product: int = left * right
        return product
    if isinstance(right, Item):
        return left, right
    if isinstance(right, tuple):
        return left * right[0], right[1]
    total = Mixed()
    total.add(right, left)
    return total


def _multiply_mixed(left: Mixed, right: Mixed) -> Mixed:
    if not left.is_constant():
        left, right = right, left
    if not left.is_constant():
        raise Rejected("two terms are multiplied, and neither is an integer",
                       "FO(M) has no products of counts or positions")  # fmt: skip
    total = Mixed()
    total.add(right, left.const)
    return total


_SWAPPED = {">=": "<=", ">": "<", "≥": "<=", "≤": "<=", "≠": "!="}


def compare(left: Any, op: str, right: Any) -> Formula:
    """Compare two sums, or two index terms if neither side counts."""
    if not _counts(left) and not _counts(right):
        first, second = to_term(left), to_term(right)
        if op in (">=", ">", "≥"):
            first, second = second, first
        op = _SWAPPED.get(op, op)
        return Not(Compare("=", first, second)) if op == "!=" else Compare(op, first, second)
    op = {"≥": ">=", "≤": "<=", "≠": "!="}.get(op, op)
    if op == ">=" and isinstance(right, int):
        return Linear(as_sum(to_mixed(left)), right)
    if op in ("<=", "<"):
        left, right = right, left
    difference = as_sum(subtract(left, right))
    items, length, bound = difference.items, difference.length, -difference.const
    if op in ("<", ">"):
        bound += 1
    above = Linear(Sum(items, length, 0), bound)
    if op in (">=", "<=", "<", ">"):
        return above
    below = Linear(Sum(tuple((-coef, item) for coef, item in items), -length, 0), -bound)
    equal = all_of([above, below])
    return Not(equal) if op == "!=" else equal


def _counts(value: Any) -> bool:
    return isinstance(value, tuple | Item) or (isinstance(value, Mixed) and bool(value.items))
