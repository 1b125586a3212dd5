"""Laws of index terms: comparisons, bits, and letters and relations that are read outside the word.

The normal form of ``s <= t`` has no negative coefficients, no common divisor, and a constant on one side at most.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd

from logic.simplify.boolean import absorbing, joined
from logic.simplify.ranges import is_outside, least_length, range_of_term
from logic.simplify.rules import Facts, Law, opposite
from logic.syntax import FALSE, TRUE, And, Bit, Call, Compare, Formula, Letter, Not, Or, Term, Truth


def sides(difference: Term) -> tuple[Term, Term]:
    """A term as the difference of two without negative coefficients: first what is taken away."""
    high = Term.make({v: c for v, c in difference.coefs if c > 0}, max(difference.n, 0), max(difference.const, 0))
    return high - difference, high


def divisor(term: Term) -> int:
    """The greatest common divisor of the coefficients; 0 if there are none."""
    return gcd(term.n, *(coef for _, coef in term.coefs))


def divided(term: Term, by: int) -> Term:
    """A term divided by a divisor of its coefficients, the constant rounded down."""
    return Term(tuple([(name, coef // by) for name, coef in term.coefs]), term.n // by, term.const // by)


def at_least_zero(term: Term) -> Formula:
    """``term >= 0`` in normal form."""
    by = divisor(term)
    if not by:
        return Truth(term.const >= 0)
    low, high = sides(divided(term, by))
    if low.const == 1 and (low.coefs or low.n):
        return Compare("<", low - 1, high)
    return Compare("<=", low, high)


def equals_zero(term: Term) -> Formula:
    """``term = 0`` in normal form: the first variable, or else n, is on the left."""
    by = divisor(term)
    if not by or term.const % by:
        return Truth(not by and not term.const)
    leading = term.coefs[0][1] if term.coefs else term.n
    right, left = sides(divided(term, by) if leading > 0 else divided(term * -1, by))
    return Compare("=", left, right)


def excess(node: Compare) -> Term:
    """The term that is at least 0 (or 0, for an equality) exactly where the comparison holds."""
    difference = node.right - node.left
    return difference - 1 if node.op == "<" else difference


def normal_comparison(node: Compare, _: Facts) -> Formula | None:
    normal = equals_zero(excess(node)) if node.op == "=" else at_least_zero(excess(node))
    return None if normal is node or isinstance(normal, Truth) else normal


def constant_comparison(node: Compare, _: Facts) -> Formula | None:
    normal = equals_zero(excess(node)) if node.op == "=" else at_least_zero(excess(node))
    return normal if isinstance(normal, Truth) else None


def decided_comparison(node: Compare, _: Facts) -> Formula | None:
    least, within = least_length(node.free), range_of_term(excess(node))
    if within.never_at_least(0, least):
        return FALSE
    if node.op == "=":
        return FALSE if (within * -1).never_at_least(0, least) else None
    return TRUE if within.always_at_least(0, least) else None


def constant_bit(node: Bit, _: Facts) -> Formula | None:
    number, index = range_of_term(node.number), range_of_term(node.index)
    least = least_length(node.free)
    if number.never_at_least(0, least) or index.never_at_least(1, least):
        return FALSE
    if node.free or node.number.n or node.index.n:
        return None
    return Truth(node.number.const >> (node.index.const - 1) & 1 == 1)


def letter_outside(node: Letter, _: Facts) -> Formula | None:
    return FALSE if is_outside(node.term) else None


def relation_outside(node: Call, _: Facts) -> Formula | None:
    return FALSE if any(map(is_outside, node.args)) else None


# Several comparisons of the same terms.


@dataclass(slots=True)
class Interval:
    """The values between two bounds but for some."""

    low: int | None = None
    high: int | None = None
    without: set[int] = field(default_factory=set)
    members: int = 0

    def tighten(self) -> None:
        """Move the bounds past values that are left out, and forget those outside of the bounds."""
        while self.low is not None and self.low in self.without:
            self.low += 1
        while self.high is not None and self.high in self.without:
            self.high -= 1
        low, high = self.low, self.high
        self.without = {v for v in self.without if (low is None or low < v) and (high is None or v < high)}

    @property
    def empty(self) -> bool:
        return self.low is not None and self.high is not None and self.low > self.high

    def comparisons(self, subject: Term) -> list[Formula]:
        """The comparisons that together say that the subject has such a value."""
        if self.low is not None and self.low == self.high:
            return [equals_zero(subject - self.low)]
        parts = []
        if self.low is not None:
            parts.append(at_least_zero(subject - self.low))
        if self.high is not None:
            parts.append(at_least_zero(subject * -1 + self.high))
        return parts + [Not(equals_zero(subject - value)) for value in sorted(self.without)]


def subject_of(phi: Formula) -> tuple[Term, Compare, bool] | None:
    """What a comparison is about: its terms without the constant, with a positive leading coefficient; and its sign."""
    node, positive = (phi.body, False) if isinstance(phi, Not) else (phi, True)
    if not isinstance(node, Compare) or not (positive or node.op == "="):
        return None
    term = excess(node)
    subject = Term(term.coefs, term.n, 0)
    if not divisor(subject):
        return None
    leading = subject.coefs[0][1] if subject.coefs else subject.n
    return (subject if leading > 0 else subject * -1), node, positive


def narrow(interval: Interval, subject: Term, node: Compare, positive: bool) -> None:
    """Intersect an interval with the values that a comparison allows."""
    term = excess(node)
    upward = (term.coefs, term.n) == (subject.coefs, subject.n)
    value = -term.const if upward else term.const
    interval.members += 1
    if not positive:
        interval.without.add(value)
        return
    if node.op == "=" or upward:
        interval.low = value if interval.low is None else max(interval.low, value)
    if node.op == "=" or not upward:
        interval.high = value if interval.high is None else min(interval.high, value)


def negated_comparison(part: Formula) -> Formula:
    """The negation of a comparison in normal form."""
    result = opposite(part)
    return at_least_zero(excess(result)) if isinstance(result, Compare) and result.op != "=" else result


def merged_comparisons(node: And | Or, _: Facts) -> Formula | None:
    """Intersect the comparisons of the same terms; in a disjunction, those of the negations."""
    positive = isinstance(node, And)
    intervals: dict[Term, Interval] = {}
    places: list[Term | None] = []
    for part in node.parts:
        found = subject_of(part if positive else opposite(part))
        places.append(None if found is None else found[0])
        if found is not None:
            narrow(intervals.setdefault(found[0], Interval()), *found)
    written: dict[Term, list[Formula]] = {}
    for subject, interval in intervals.items():
        if interval.members > 1:
            interval.tighten()
            if interval.empty:
                return absorbing(node)
            parts = interval.comparisons(subject)
            if len(parts) < interval.members:
                written[subject] = parts if positive else [negated_comparison(part) for part in parts]
    if not written:
        return None
    kept: list[Formula] = []
    for part, place in zip(node.parts, places, strict=True):
        if place is None or place not in written:
            kept.append(part)
        else:
            kept.extend(written[place])
            written[place] = []
    return joined(type(node), kept)


LAWS = (
    Law("constant comparison", "2 <= 3 ≡ true;  x = x ≡ true;  2*x = 2*y + 1 ≡ false", (Compare,), constant_comparison,
        (("2 <= 3", "true"), ("x < x", "false"), ("x + 1 = 1 + x", "true"), ("2*x = 2*y + 1", "false"))),
    Law("decided comparison", "1 <= x ≡ true;  x <= n ≡ true;  x < 1 ≡ false;  0 <= n ≡ true", (Compare,),
        decided_comparison,
        (("1 <= x", "true"), ("x <= n", "true"), ("x = 0", "false"), ("n < x", "false"), ("x + y = 1", "false")),
        "every length and all positions give the same answer"),
    Law("normal comparison", "x + 2 <= y + 1 ≡ x < y;  2*x <= 2*y + 1 ≡ x <= y;  2*x = 2*y ≡ x = y", (Compare,),
        normal_comparison,
        (("x + 2 <= y + 1", "x < y"), ("2*x <= 2*y + 1", "x <= y"), ("2*y = 2*x", "x = y"), ("n - x < 2", "n <= x + 1"))),
    Law("bit of constants", "bit(5, 1) ≡ true;  bit(t, 0) ≡ false;  bit(0 - 1, i) ≡ false", (Bit,), constant_bit,
        (("bit(5, 1)", "true"), ("bit(5, 2)", "false"), ("bit(x, 0)", "false"), ("bit(0 - x, y)", "false"))),
    Law("letter outside", "a(0) ≡ false;  a(n + 1) ≡ false", (Letter,), letter_outside,
        (("a(0)", "false"), ("a(n + x)", "false")), "the term is never in 1..n"),
    Law("relation outside", "d(0, x) ≡ false;  d(x, n + 1) ≡ false", (Call,), relation_outside,
        (("d(0, x)", "false"), ("d(x, n + y)", "false")), "a term is never in 1..n"),
    Law("implied comparison",
        "x <= 3 & x <= 5 ≡ x <= 3;  x <= y & y <= x ≡ x = y;  x <= 3 | 4 <= x ≡ true;  x <= 3 & x != 3 ≡ x <= 2",
        (And, Or), merged_comparisons,
        (("x <= 3 & p & x <= 5", "x <= 3 & p"), ("x <= y & y <= x", "x = y"), ("x <= 3 | 4 <= x", "true"),
         ("x <= 3 & ~(x = 3)", "x <= 2"), ("x < y & y < x + 1", "false"), ("x = 4 | p | x <= 5", "x <= 5 | p"),
         ("x = 2 & x = 3", "false")), "comparisons of the same terms up to a constant"),
)  # fmt: skip
