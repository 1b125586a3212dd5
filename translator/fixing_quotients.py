"""Quotients in fixed precision: one rounding of a numerator over a positive denominator, both exact."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from circuits.formats import Format
from circuits.network import Product, Quotient, Table
from circuits.positions import Ref, var
from translator import real
from translator.budget import affordable_quotient, coarser

if TYPE_CHECKING:
    from translator.fixing import Fixer


def add_ratio(fixer: Fixer, node: real.Ratio) -> None:
    """One rounding of an exact quotient."""
    num, den, den_index = fixer.exact(node.num), fixer.exact(node.den), node.den_index
    format_ = fixer.precision.format_for(*fixer.bounds[node.name])
    if fixer.precision.is_open:
        num, den = affordable_quotient(fixer, node.name, num, den, format_, changes_sign(fixer, node.den))
    if changes_sign(fixer, node.den):
        num, den = with_positive_denominator(fixer, node, num, den)
        den_index = np.arange(node.size, dtype=np.int64)
    shift = format_.frac + fixer.frac(den.node) - fixer.frac(num.node)
    fixer.put(Quotient(node.name, node.n_positions, node.size, num, den, den_index, shift, format_))


def changes_sign(fixer: Fixer, den: Ref) -> bool:
    """Tell whether a denominator was seen below 0."""
    return den.node in fixer.bounds and fixer.bounds[den.node][0] < 0


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
