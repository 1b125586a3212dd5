"""Derived quantifiers and arithmetic: each form as a formula of M, the quantifiers, < and bit.

Variables range over 1..n, and a term outside of 1..n is no index. So a count of 0 has no position that names it, and n = 1 has no
position n // 2; every form here is right in these cases too, at every n >= 0. `phi` and `psi` are formulas in which `x` is the
counted variable; k and the other indices are terms. The variables bound here are j, k, i, p, q, r, b, c, d or k0, k1, ...

Counting by majority is in Barrington, Immerman & Straubing 1990 and M&S 2023, App. A; the halves are proved right below. Two
forms of M&S 2023 are wrong as printed:

* Prop. 2, conditional majority, asks for k' with 2k' = k where k is the number of phi. An odd k has none, and k = 0 is no index,
  so the formula is false whenever phi holds an odd number of times or never. `conditional_majority` takes k' = ceil(k / 2), and
  holds if phi never does.
* Example 4, 1-Dyck, says that opening and closing brackets are equally many before each position by naming their numbers. At the
  first position there are 0 closing ones, which no position names, so it accepts the empty word only. `equal_counts` and
  `at_least_as_many` compare without naming.
"""

from __future__ import annotations

from itertools import chain, count

from logic.pure.connectives import conj, disj, neg
from logic.syntax import Bit, Compare, Exists, Forall, Formula, Iff, Implies, Majority, Term, var

N = Term((), 1)
_VARIABLES = ("j", "k", "i", "p", "q", "r")


def lower_half(k: Term, x: str, phi: Formula) -> Formula:
    """At least k of the positions x <= n/2 satisfy phi, for k >= 1.

    With l = floor(n/2) and k <= l, the padding ``l < x <= n - k`` has n - l - k members. So the positions in M are c + n - l - k
    if c of the lower half satisfy phi: at least n/2 iff c >= k, for even n (n - l = n/2) as for odd n (n - l = (n+1)/2, and
    a number is at least n/2 iff it is at least (n+1)/2).
    """
    is_lower, padding = _is_lower(x), Compare("<=", var(x) + k, N)
    return conj(Compare("<=", k * 2, N), Majority(x, disj(conj(is_lower, phi), conj(neg(is_lower), padding))))


def upper_half(k: Term, x: str, phi: Formula) -> Formula:
    """At least k of the positions x > n/2 satisfy phi, for k >= 1.

    With h = n - floor(n/2) and 1 <= k <= h, the padding ``x <= h - k`` has h - k members, all in the lower half. The positions
    in M are c + h - k: at least n/2 iff c >= k, as above.
    """
    padding = Compare("<=", (var(x) + k) * 2, N + 1)
    return conj(Compare("<=", k * 2, N + 1), Majority(x, disj(conj(neg(_is_lower(x)), phi), padding)))


def _is_lower(x: str) -> Formula:
    return Compare("<=", var(x) * 2, N)


def at_least(k: Term, x: str, phi: Formula) -> Formula:
    """At least k positions satisfy phi, for k >= 1 (E^{>=k} of Barrington, Immerman & Straubing)."""
    j = var(_fresh(phi, k, x))
    both = conj(lower_half(j, x, phi), upper_half(k - j, x, phi), Compare("<", j, k))
    return disj(lower_half(k, x, phi), upper_half(k, x, phi), Exists(j.coefs[0][0], both))


def exactly(k: Term, x: str, phi: Formula) -> Formula:
    """Exactly k positions satisfy phi, for k >= 1; for none write ``~exists x. phi``."""
    return conj(at_least(k, x, phi), neg(at_least(k + 1, x, phi)))


def strict_majority(x: str, phi: Formula) -> Formula:
    """More than half of the positions satisfy phi; false at n = 0."""
    return neg(Majority(x, neg(phi)))


def at_least_as_many(x: str, phi: Formula, psi: Formula) -> Formula:
    """At least as many positions satisfy phi as psi (Rescher 1962)."""
    k = _fresh(conj(phi, psi), Term(), x)
    return Forall(k, Implies(at_least(var(k), x, psi), at_least(var(k), x, phi)))


def equal_counts(x: str, phi: Formula, psi: Formula) -> Formula:
    """As many positions satisfy phi as psi (Haertig 1965)."""
    k = _fresh(conj(phi, psi), Term(), x)
    return Forall(k, Iff(at_least(var(k), x, psi), at_least(var(k), x, phi)))


def conditional_majority(x: str, phi: Formula, psi: Formula) -> Formula:
    """At least half of the positions with phi satisfy psi (M&S 2023, Prop. 2, corrected)."""
    k = _fresh(conj(phi, psi), Term(), x)
    h = _fresh(conj(phi, psi), var(k), x)
    is_half = disj(Compare("=", var(h) * 2, var(k)), Compare("=", var(h) * 2, var(k) + 1))
    named = conj(is_half, exactly(var(k), x, phi), at_least(var(h), x, conj(phi, psi)))
    return disj(neg(Exists(x, phi)), Exists(k, Exists(h, named)))


def congruent(remainder: int, modulus: int, x: str, phi: Formula) -> Formula:
    """The number of positions with phi is `remainder` modulo `modulus`, for 0 <= remainder < modulus."""
    k = _fresh(phi, Term(), x)
    q = _fresh(phi, var(k), x)
    small = Compare("=", var(k), Term((), 0, remainder))
    multiple = Exists(q, Compare("=", var(k), var(q) * modulus + remainder))
    found = Exists(k, conj(exactly(var(k), x, phi), disj(small, multiple)))
    return disj(neg(Exists(x, phi)), found) if remainder == 0 else found


def carries(x: Term, y: Term, place: Term, bound: tuple[str, str] = ("c", "d")) -> Formula:
    """Adding x and y in binary carries into a bit (carry look-ahead; Immerman 1999, Prop. 1.9).

    There is a carry if some lower bit is 1 in both and every bit between is 1 in one of them; `bound` are the names of the two.
    """
    c, d = bound
    generates = conj(Bit(x, var(c)), Bit(y, var(c)))
    is_between = conj(Compare("<", var(c), var(d)), Compare("<", var(d), place))
    passes = Forall(d, Implies(is_between, disj(Bit(x, var(d)), Bit(y, var(d)))))
    return Exists(c, conj(Compare("<", var(c), place), generates, passes))


def plus(x: Term, y: Term, z: Term, carry: Formula | None = None, place: str = "b") -> Formula:
    """Addition of positions, x + y = z, from < and bit; `carry` may name `carries` at the variable `place`.

    Bits are compared at the places 1..n. For n >= 3 that is all of them, as x + y <= 2n < 2^n; 1 + 1 at n = 1 and 2 + 2 at n = 2
    have low bits 0, which no position has.
    """
    b = var(place)
    into = carries(x, y, b) if carry is None else carry
    return Forall(place, Iff(Bit(z, b), Iff(Bit(x, b), Iff(Bit(y, b), into))))


def _fresh(phi: Formula, k: Term, x: str) -> str:
    avoid = phi.free | k.free | {x}
    return next(name for name in chain(_VARIABLES, (f"k{number}" for number in count())) if name not in avoid)
