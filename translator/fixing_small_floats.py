"""Roundings to floating-point types of 8 and 4 bits in fixed precision: codes of the file, exact at every precision.

A word holds the numbers of the type as integers of one step. The rounding of an increasing function has one break for each number
that is reached, and bisection finds every one; other functions are tabulated as any function is, with these codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.floats import Codebook
from circuits.network import Table
from circuits.positions import Ref
from circuits.scalar import Scalar
from circuits.small_floats import SMALL_FLOATS
from translator import real
from translator.breakpoints import breakpoints
from translator.quantizers import is_increasing

if TYPE_CHECKING:
    from translator.fixing import Fixer

Integers = np.ndarray[Any, np.dtype[np.int64]]


def rounding_in(function: Scalar) -> Scalar | None:
    """The rounding to a small float that a function is, also one that overflows; None if it is none."""
    inner = function.args[2] if function.op == "where" else function
    return inner if inner.op in SMALL_FLOATS else None


def add_small_float(fixer: Fixer, node: real.Map, ref: Ref) -> bool:
    """Append a rounding to a small float; tell whether the function is one."""
    rounding = rounding_in(node.function)
    if rounding is None:
        return False
    ranges, frac = fixer.ranges[ref.node], fixer.frac(ref.node)
    low, high = int(ranges[0].min()), int(ranges[1].max())
    if not fixer.inside(ref):
        low, high = min(low, 0), max(high, 0)
    codebook = SMALL_FLOATS[rounding.op]
    if is_increasing(rounding.args[0]) and rounding == node.function:
        breaks, codes = small_float_breaks(rounding, codebook, frac, low, high)
        ends = np.ldexp(codes[[0, -1]].astype(np.float64), -codebook.frac)
        format_ = codebook.within(float(ends[0]), float(ends[1])).format
    else:
        format_ = codebook.format
        focus = fixer.bounds.get(node.operand.node, (-1.0, 1.0))
        breaks, codes = breakpoints(node.function, frac, low, high, focus, format_)
    fixer.put(Table(node.name, node.n_positions, node.size, ref, breaks, codes, format_))
    return True


def small_float_breaks(
    function: Scalar, codebook: Codebook, frac: int, low: int, high: int
) -> tuple[Integers, Integers]:
    """The steps of an increasing function of ``S * 2**-frac`` with values in a codebook, for integers S from `low` to `high`.

    Returns:
        Increasing breaks, and the codes below, between and above them (one more than breaks).
    """

    def number(sums: Integers) -> Integers:
        values = function(np.ldexp(sums.astype(np.float64), -frac))
        return codebook.indices(np.ldexp(values, codebook.frac).astype(np.int64))

    first, last = (int(found) for found in number(np.array([low, high], dtype=np.int64)))
    wanted = np.arange(first + 1, last + 1, dtype=np.int64)
    below, above = np.full(len(wanted), low, dtype=np.int64), np.full(len(wanted), high, dtype=np.int64)
    while (above - below > 1).any():
        middle = below + (above - below) // 2
        reached = number(middle) >= wanted
        above, below = np.where(reached, middle, above), np.where(reached, below, middle)
    breaks = np.unique(above)
    return breaks, codebook.codes_at(np.concatenate([np.array([first], dtype=np.int64), number(breaks)]))
