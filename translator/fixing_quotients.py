"""Quotients in fixed precision: one rounding of a numerator over a positive denominator, both exact."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array, vstack

from circuits.floats import Codebook
from circuits.formats import BIT, Format
from circuits.matrices import canonical, matrix, selection
from circuits.network import Affine, Operand, Product, Quotient, Table
from circuits.positions import Ref, var
from circuits.ranges import LIMIT_BITS
from translator import real
from translator.budget import (
    CAPACITY,
    LEAST_BITS,
    affordable_quotient,
    bits_before_point,
    coarser,
    reach,
    seen_reach,
    too_large,
)
from translator.fixing_floats import put_rounded
from translator.precision import covering

if TYPE_CHECKING:
    from translator.fixing import Fixer

Integers = np.ndarray[Any, np.dtype[np.int64]]

ONE = Fraction(1)


def add_ratio(fixer: Fixer, node: real.Ratio) -> None:
    """One rounding of an exact quotient."""
    num, den = fixer.exact(node.num), fixer.exact(node.den)
    codes = fixer.precision.codes_for(*fixer.bounds[node.name])
    if isinstance(codes, Codebook):
        sides = between_steps(fixer, node, *positive(fixer, node, num, den), codes.frac, 2 * codes.hi + 1)
        put_rounded(fixer, node.name, node.n_positions, sides, codes)
        return
    if fixer.precision.is_open:
        num, den = affordable_quotient(fixer, node.name, num, den, codes, changes_sign(fixer, node.den))
    num, den, den_index = positive(fixer, node, num, den)
    shift = codes.frac + fixer.frac(den.node) - fixer.frac(num.node)
    fixer.put(Quotient(node.name, node.n_positions, node.size, num, den, den_index, shift, codes))


def positive(fixer: Fixer, node: real.Ratio, num: Ref, den: Ref) -> tuple[Ref, Ref, Integers]:
    """The same quotient over a denominator that is at least 1, with the denominator of each element; 0/0 becomes 0/1."""
    den_index = node.den_index
    if changes_sign(fixer, node.den):
        num, den = with_positive_denominator(fixer, node, num, den)
        den_index = np.arange(node.size, dtype=np.int64)
    if vanishes(fixer, node.den):
        den = without_zero(fixer, node, den)
    return num, den, den_index


def changes_sign(fixer: Fixer, den: Ref) -> bool:
    """Tell whether a denominator was seen below 0."""
    return den.node in fixer.bounds and fixer.bounds[den.node][0] < 0


def vanishes(fixer: Fixer, den: Ref) -> bool:
    """Tell whether 0 was seen as a denominator that has no other sign, or was the only one."""
    return 0.0 in fixer.bounds.get(den.node, (1.0, 1.0))


def without_zero(fixer: Fixer, node: real.Ratio, den: Ref) -> Ref:
    """The denominator, and its smallest step where it is 0."""
    given = fixer.by_name[den.node]
    k, size, frac = node.n_positions, given.size, fixer.frac(den.node)
    own, zero = tuple(var(v) for v in range(k)), np.zeros(size, dtype=np.int64)
    breaks, codes = np.array([0, 1], dtype=np.int64), np.array([0, 1, 0], dtype=np.int64)
    empty = Ref(fixer.fresh(f"{node.name}.zero"), own)
    fixer.put(Table(empty.node, k, size, den, breaks, codes, BIT))
    both = tuple(Operand(ref, selection(np.arange(size), size)) for ref in (den, empty))
    return Ref(fixer.put(Affine(fixer.fresh(f"{node.name}.step"), k, size, both, zero, zero, frac)).name, own)


def with_positive_denominator(fixer: Fixer, node: real.Ratio, num: Ref, den: Ref) -> tuple[Ref, Ref]:
    """Numerator and denominator times the sign of the denominator, element by element, exact over words for both."""
    if fixer.precision.is_open:
        num, den = (coarser(fixer, ref, fixer.frac(ref.node)) for ref in (num, den))
    else:
        num, den = fixer.word(num), fixer.word(den)
    k, index = node.n_positions, node.den_index
    own, each = tuple(var(v) for v in range(k)), np.arange(node.size, dtype=np.int64)
    den_size = fixer.by_name[den.node].size
    breaks, codes = np.array([0, 1], dtype=np.int64), np.array([-1, 0, 1], dtype=np.int64)
    sign = Ref(fixer.fresh(f"{node.name}.sign"), own)
    fixer.put(Table(sign.node, k, den_size, den, breaks, codes, Format(2, -1, 0)))
    top, bottom = fixer.fresh(f"{node.name}.num"), fixer.fresh(f"{node.name}.den")
    fixer.put(Product(top, k, num, each, sign, index, fixer.frac(num.node)))
    fixer.put(Product(bottom, k, den, index, sign, index, fixer.frac(den.node)))
    return Ref(top, own), Ref(bottom, own)


def rounded_ratio(fixer: Fixer, node: real.Ratio, format_: Format, name: str, factor: Fraction = ONE) -> None:
    """Append a quotient times a factor, rounded to whole numbers at once: rounding twice would be off at ties.

    Raises:
        FomError: the comparisons with all codes do not fit.
    """
    above, below = factor.numerator, factor.denominator
    num, den = affordable_steps(fixer, node, above, max(abs(format_.lo), abs(format_.hi)), below)
    num, den, den_index = positive(fixer, node, num, den)
    if above != 1:
        num = times(fixer, num, above, f"{name}.num")
    if below != 1:
        den = times(fixer, den, below, f"{name}.den")
    shift = fixer.frac(den.node) - fixer.frac(num.node)
    fixer.put(Quotient(name, node.n_positions, node.size, num, den, den_index, shift, format_))


def times(fixer: Fixer, ref: Ref, weight: int, name: str) -> Ref:
    """A value times a whole number, exact."""
    given = fixer.by_name[ref.node]
    k, size = given.n_positions, given.size
    own, zero = tuple(var(v) for v in range(k)), np.zeros(size, dtype=np.int64)
    operand = Operand(Ref(ref.node, own), selection(np.arange(size), size, weight))
    node = Affine(fixer.fresh(name), k, size, (operand,), zero, zero, fixer.frac(ref.node))
    return Ref(fixer.put(node).name, ref.at)


def half_steps(fixer: Fixer, node: real.Ratio) -> Ref:
    """An exact value on the same side of every multiple of 1/2 as the quotient, and on it where the quotient is."""
    low, high = fixer.bounds[node.name]
    most = 2 * max(abs(low), abs(high)) + 1
    return between_steps(fixer, node, *positive(fixer, node, *affordable_steps(fixer, node, 4, most)), 0, most)


def between_steps(
    fixer: Fixer, node: real.Ratio, num: Ref, den: Ref, den_index: Integers, frac: int, most: float
) -> Ref:
    """An exact value on the same side of every multiple of ``2**-(frac + 1)`` as the quotient, and on it where the quotient is.

    With x the quotient over that step, it is the mean of x rounded down and x rounded up, which have magnitudes up to `most`.
    For integers N and D, ``floor(N / D)`` is the nearest integer to ``(2 N - D + 1) / (2 D)``, which is never half-way.
    """
    k, size, num_frac, den_frac = node.n_positions, node.size, fixer.frac(num.node) - frac, fixer.frac(den.node)
    own, each, finest = tuple(var(v) for v in range(k)), np.arange(size), max(num_frac, den_frac)
    above = selection(each, size, 4 << finest - num_frac)
    below = selection(den_index, fixer.by_name[den.node].size, -1 << finest - den_frac)
    operands = (Operand(num, stacked(above, -above)), Operand(den, stacked(below, below)))
    one, zero = np.ones(2 * size, dtype=np.int64), np.zeros(2 * size, dtype=np.int64)
    top = fixer.put(Affine(fixer.fresh(f"{node.name}.top"), k, 2 * size, operands, one, zero, finest))
    twice = np.tile(den_index, 2)
    ends = fixer.fresh(f"{node.name}.ends")
    shift = den_frac - finest - 1
    fixer.put(Quotient(ends, k, 2 * size, Ref(top.name, own), den, twice, shift, covering(-most, most, 0)))
    mean = matrix(np.tile(each, 2), np.arange(2 * size), np.repeat([1, -1], size), (size, 2 * size))
    operand, none = Operand(Ref(ends, own), mean), zero[:size]
    middle = Affine(fixer.fresh(f"{node.name}.half"), k, size, (operand,), none, none, frac + 2)
    return Ref(fixer.put(middle).name, own)


def stacked(above: csr_array, below: csr_array) -> csr_array:
    """One matrix over another."""
    return canonical(vstack([above, below]))


def affordable_steps(fixer: Fixer, node: real.Ratio, factor: int, most: float, below: int = 1) -> tuple[Ref, Ref]:
    """Numerator and denominator of which quotients up to `most`, of `factor` times the numerator, fit. Whole ones stay.

    The denominator is going to be multiplied by `below`.

    Raises:
        FomError: they do not fit.
    """
    num, den = fixer.exact(node.num), fixer.exact(node.den)
    finest = max(fixer.frac(num.node), fixer.frac(den.node))
    signed = changes_sign(fixer, node.den)

    def excess(frac: int, magnitudes: tuple[float, float]) -> int:
        top, bottom = magnitudes
        needed = 2 * (factor * top + bottom * below) + 4 * (most + 2) * bottom * below
        return bits_before_point(needed) + max(frac, 0) + 1 + signed - LIMIT_BITS

    top, bottom = (float(reach(fixer, ref).max(initial=0.0)) for ref in (num, den))
    if excess(finest, (top, bottom)) <= 0:
        return num, den
    top, bottom = (math.ldexp(1.0, bits_before_point(seen_reach(fixer, ref) * (1 + 2.0**-18))) for ref in (num, den))
    lost = max(excess(finest, (top, bottom)), 0)
    left = min(bits_before_point(top), bits_before_point(bottom)) + finest - lost
    if lost and (finest == 0 or left < LEAST_BITS):
        what = f"a quotient of numbers up to {top:.3g} and {bottom:.3g}, rounded to a whole number"
        raise too_large(node.name, CAPACITY + lost, what)
    return coarser(fixer, num, finest - lost), coarser(fixer, den, finest - lost)
