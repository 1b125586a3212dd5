"""The budget of 62 bits: which fractional bits to shed where an exact value would not fit, when words have as many as they need.

A value that may reach R takes log2(R) bits before the point, so ``CAPACITY - log2(R)`` are left behind it. Where the operands
bring more than that, bits are shed from whichever number has more of them: from an operand by one more rounding, or from the
weights. What is lost is either below the step of a word, or every number keeps `LEAST_BITS` bits; otherwise the network is
refused. Whole numbers are never shed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import csr_array

from circuits.diagnostics import FomError, fail
from circuits.formats import Format
from circuits.matrices import canonical
from circuits.network import Affine, Exact, Operand, Product
from circuits.positions import Ref
from circuits.ranges import LIMIT_BITS, largest
from translator import real
from translator.precision import MOST_WEIGHT_BITS, covering

if TYPE_CHECKING:
    from translator.fixing import Fixer

Reals = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]

CAPACITY = LIMIT_BITS - 4
LEAST_BITS = 20


@dataclass(slots=True)
class Term:
    """One operand of a linear map with its weights, and how many fractional bits each of them keeps."""

    ref: Ref
    matrix: csr_array
    weight_frac: int
    frac: int
    exact_frac: int
    weight_bits: int
    value_bits: int

    def shed(self, excess: int, least: int) -> bool:
        """Drop one bit after the other, from the number that has more of them; tell whether that succeeded.

        Whole numbers keep all bits that count, others at least as many as `least`.
        """
        whole = self.frac == 0
        for _ in range(excess):
            weights = self.weight_frac > self.exact_frac or (self.exact_frac > 0 and self.weight_bits > least)
            value = not whole and self.value_bits > least
            if weights and (self.weight_bits >= self.value_bits or not value):
                self.weight_frac, self.weight_bits = self.weight_frac - 1, self.weight_bits - 1
            elif value:
                self.frac, self.value_bits = self.frac - 1, self.value_bits - 1
            else:
                return False
        return True


def bits_before_point(magnitude: float) -> int:
    """The bits of a magnitude's whole part; negative for small magnitudes."""
    return math.frexp(magnitude)[1]


def reach(fixer: Fixer, ref: Ref) -> Reals:
    """The largest magnitude of every element of a fixed node, as real numbers."""
    return np.ldexp(largest(*fixer.ranges[ref.node]), -fixer.frac(ref.node))


def seen_reach(fixer: Fixer, ref: Ref) -> float:
    """The largest magnitude that a word for a fixed node may have: what was seen, if that is known."""
    seen = fixer.bounds.get(ref.node)
    return float(reach(fixer, ref).max(initial=0.0)) if seen is None else max(map(abs, seen))


def coarser(fixer: Fixer, ref: Ref, frac: int) -> Ref:
    """A word for the reference with no more than `frac` fractional bits: itself if it is one."""
    node = fixer.by_name[ref.node]
    kept = min(frac, fixer.frac(ref.node))
    if not isinstance(node, Exact) and node.format.frac <= kept:
        return fixer.word(ref)
    return fixer.word(ref, format_at(fixer, ref.node, kept))


def format_at(fixer: Fixer, name: str, frac: int) -> Format:
    """The format of `frac` fractional bits for a fixed node: for what was seen, else for its range."""
    if name in fixer.bounds:
        return covering(*fixer.bounds[name], frac)
    low, high = fixer.ranges[name]
    ends = np.ldexp([float(low.min()), float(high.max())], -fixer.frac(name))
    return covering(float(ends[0]), float(ends[1]), frac)


def affordable_linear(fixer: Fixer, node: real.Linear, refs: list[Ref]) -> Affine:
    """The affine map of a real one, with as many bits of its operands and weights as fit.

    Raises:
        FomError: what is whole alone does not fit.
    """
    magnitude = np.abs(node.const) + fixer.longest * np.abs(node.length)
    terms: list[Term] = []
    for operand, ref in zip(node.operands, refs, strict=True):
        if not operand.matrix.nnz or is_zero(fixer, ref):
            continue
        values = reach(fixer, ref)
        magnitude = magnitude + np.asarray(abs(operand.matrix) @ values)
        weight = float(np.abs(operand.matrix.data).max(initial=0.0))
        value = float(values.max(initial=0.0))
        count = int(np.diff(operand.matrix.indptr).max())
        frac, weight_frac = fixer.frac(ref.node), weight_bits(fixer, operand.matrix.data, value * count)
        exact, bits = dyadic_frac(operand.matrix.data), weight_frac + bits_before_point(weight)
        terms.append(Term(ref, operand.matrix, weight_frac, frac, exact, bits, frac + bits_before_point(value)))
    top = float(magnitude.max(initial=0.0))
    room = CAPACITY - bits_before_point(top)
    for term in terms:
        excess = term.weight_frac + term.frac - room
        if excess > 0 and not term.shed(excess, -CAPACITY if room >= (fixer.precision.frac or 0) else LEAST_BITS):
            raise too_large(node.name, CAPACITY + excess, f"`{term.ref.node}` beside a sum of up to {top:.3g}")
    fracs = [term.weight_frac + term.frac for term in terms]
    for given in (node.const, node.length):
        wanted = weight_bits(fixer, given, 1.0)
        if wanted > room and wanted <= 0:
            raise too_large(node.name, CAPACITY + wanted - room, "a constant")
        fracs.append(min(wanted, room))
    frac = max(fracs) if room < 0 else max(*fracs, 0)
    operands = []
    for term in terms:
        ref = term.ref if term.frac == fixer.frac(term.ref.node) else coarser(fixer, term.ref, term.frac)
        scale = frac - fixer.frac(ref.node)
        rounded = np.ldexp(np.rint(np.ldexp(term.matrix.data, term.weight_frac)), scale - term.weight_frac)
        weights = csr_array(
            (rounded.astype(np.int64), term.matrix.indices, term.matrix.indptr), shape=term.matrix.shape
        )
        operands.append(Operand(ref, canonical(weights)))
    const, length = (np.rint(np.ldexp(given, frac)).astype(np.int64) for given in (node.const, node.length))
    kept = tuple(operand for operand in operands if operand.matrix.nnz)
    return Affine(node.name, node.n_positions, node.size, kept, const, length, frac)


def is_zero(fixer: Fixer, ref: Ref) -> bool:
    """Tell whether a word was only seen as 0, which is where it then saturates, or a product has such a factor."""
    node = fixer.by_name[ref.node]
    if isinstance(node, Product):
        return is_zero(fixer, node.left) or is_zero(fixer, node.right)
    return not isinstance(node, Exact) and fixer.bounds.get(ref.node) == (0.0, 0.0)


def weight_bits(fixer: Fixer, given: Reals, value: float) -> int:
    """The fractional bits of weights before any is shed: all, or so many that rounding them moves `value` by less than a step."""
    used = given[given != 0]
    if not used.size:
        return -1100
    exact, chosen = dyadic_frac(used), fixer.precision.weight_bits
    if chosen is None:
        return exact
    rounded = chosen - bits_before_point(float(np.abs(used).max()))
    if chosen >= MOST_WEIGHT_BITS:
        rounded = max(rounded, (fixer.precision.frac or 0) + bits_before_point(value) + 1)
    return min(exact, rounded) if exact > 0 else exact


def dyadic_frac(given: Reals) -> int:
    """The fractional bits at which every float other than 0 is an integer."""
    mantissas, exponents = np.frexp(given)
    integers = np.abs(np.ldexp(mantissas, 53).astype(np.int64))
    _, trailing = np.frexp((integers & -integers).astype(np.float64))
    return int((53 - exponents - (trailing - 1)).max())


def affordable_factors(fixer: Fixer, left: Ref, right: Ref) -> tuple[Ref, Ref]:
    """Words for the factors of a product, coarser ones where the product of their ranges would not fit. Whole ones stay."""
    refs = [left, right]
    fracs = [fixer.frac(ref.node) for ref in refs]
    bits = [
        bits_before_point(float(reach(fixer, ref).max(initial=0.0))) + frac
        for ref, frac in zip(refs, fracs, strict=True)
    ]
    while sum(bits) > CAPACITY:
        candidates = [side for side in (0, 1) if fixer.frac(refs[side].node) != 0]
        if not candidates:
            break
        side = max(candidates, key=lambda place: bits[place])
        fracs[side], bits[side] = fracs[side] - 1, bits[side] - 1
    if left.node == right.node:
        fracs = [min(fracs)] * 2
    return coarser(fixer, left, fracs[0]), coarser(fixer, right, fracs[1])


def affordable_sum(fixer: Fixer, name: str, ref: Ref) -> Ref:
    """An operand of a sum over positions of which the longest sum fits.

    Raises:
        FomError: it is a whole number, and does not fit.
    """
    frac = fixer.frac(ref.node)
    magnitude = float(reach(fixer, ref).max(initial=0.0)) * fixer.longest
    excess = bits_before_point(magnitude) + frac - CAPACITY
    if excess <= 0:
        return ref
    if frac == 0:
        raise too_large(name, CAPACITY + excess, f"{fixer.longest} positions")
    return coarser(fixer, ref, frac - excess)


def affordable_quotient(fixer: Fixer, name: str, num: Ref, den: Ref, format_: Format, signed: bool) -> tuple[Ref, Ref]:
    """Numerator and denominator of which the comparisons with every code fit; if `signed` also twice as large ones.

    Raises:
        FomError: too little would be left of one of them.
    """
    ratio = math.ldexp(max(abs(format_.lo), abs(format_.hi)) + 1, -format_.frac)

    def room(top: float, bottom: float) -> int:
        return LIMIT_BITS - 1 - signed - bits_before_point(top + ratio * bottom)

    top, bottom = (float(reach(fixer, ref).max(initial=0.0)) for ref in (num, den))
    limit = room(top, bottom)
    if fixer.frac(num.node) <= limit and fixer.frac(den.node) + format_.frac <= limit:
        return num, den
    top, bottom = (math.ldexp(1.0, bits_before_point(seen_reach(fixer, ref) * (1 + 2.0**-18))) for ref in (num, den))
    limit = room(top, bottom)
    kept = min(limit + bits_before_point(top), limit - format_.frac + bits_before_point(bottom))
    if kept < LEAST_BITS:
        raise too_large(name, CAPACITY + LEAST_BITS - kept, f"a quotient of numbers up to {top:.3g} and {bottom:.3g}")
    return coarser(fixer, num, limit), coarser(fixer, den, limit - format_.frac)


def too_large(name: str, bits: int, what: str) -> FomError:
    """The diagnostic for what does not fit."""
    return fail(
        "C026",
        f"an accumulator needs {bits} bits, the limit is {CAPACITY}: {what}",
        where=f"node `{name}`",
        help="lower --precision, or scale the network's numbers",
    )
