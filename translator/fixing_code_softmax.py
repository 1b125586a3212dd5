"""Quotients that end in codes of the file: their scales as ratios of small integers, and exponentials fine enough for the codes.

A softmax between two quantizers is a function of integers. Its numerators are exponentials, and how many bits these need is
decided by the step of the codes behind the quotient, not by the precision chosen: `GUARD_BITS` more than one step has.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from circuits.diagnostics import FomError
from circuits.network import Affine, Maximum, Table
from circuits.positions import Ref, var
from translator import real
from translator.breakpoints import ALL_POINTS
from translator.fixing_quotients import rounded_ratio
from translator.function_kinds import operations
from translator.precision import covering
from translator.quantizers import Quantizer, affine_of, first_quantizer
from translator.relevance import reads

if TYPE_CHECKING:
    from translator.fixing import Fixer

SCALE_BITS = (26, 18, 14)
GUARD_BITS = 14
MOST_CODE_BITS = 30


def add_quotient_codes(fixer: Fixer, node: real.Map, quantizer: Quantizer) -> bool:
    """Append a quantizer of a quotient as one rounding of the exact quotient, if there is one and it fits."""
    source, format_, line = fixer.given[node.operand.node], quantizer.format, affine_of(quantizer.inner)
    if not isinstance(source, real.Ratio) or format_ is None or line is None or line[1] != 0:
        return False
    if fixer.precision.is_open and "float32" in operations(quantizer.inner):
        return False  # a tie after that rounding need not be one of the exact quotient
    own = tuple(var(v) for v in range(source.n_positions))
    if node.operand.at != own or source.n_positions != node.n_positions:
        return False
    for bits in SCALE_BITS:
        try:
            rounded_ratio(fixer, source, format_, node.name, simple_ratio(line[0], bits))
        except FomError as error:
            if error.diagnostics[0].code != "C026":
                raise
            continue
        return True
    return False


def simple_ratio(value: float, bits: int) -> Fraction:
    """A ratio of small integers that differs from a positive number by less than ``2**-bits`` of it.

    The smaller one has usually half of the bits, or fewer: 1/65535 in float32 is 1 over 65535.
    """
    exact = Fraction(value)
    large = max(exact, 1 / exact)
    found = next(
        ratio
        for power in range(bits + 2)
        if abs((ratio := large.limit_denominator(1 << power)) - large) * (1 << bits) < large
    )
    return found if large == exact else 1 / found


def is_below_maximum(fixer: Fixer, name: str) -> bool:
    """Tell whether an exact value is a word less a maximum of it: then its exponential is at most 1.

    The format of that exponential has the largest code stand for 1, half a step too small, which the softmax's quotient
    cancels; all codes are used. Steps are never wider than 1, or the exponential of 0 would be 0.
    """
    node = fixer.by_name[name]
    if not isinstance(node, Affine):
        return False
    return any(isinstance(fixer.by_name[operand.ref.node], Maximum) for operand in node.operands)


def bits_for_codes(fixer: Fixer, node: real.Map) -> int:
    """The fractional bits that the numerator of a quotient needs for the codes behind it; 0 if there are no codes."""
    summed, bits = {node.name}, 0
    quotients: set[str] = set()
    for reader in fixer.network.nodes:
        sources = {ref.node for ref, _ in reads(reader)}
        if isinstance(reader, real.Linear) and sources & summed:
            summed.add(reader.name)
        elif isinstance(reader, real.Sum | real.Ratio) and sources & summed:
            (summed if isinstance(reader, real.Sum) else quotients).add(reader.name)
        elif isinstance(reader, real.Map) and sources & quotients:
            split = first_quantizer(reader.function)
            line = None if split is None else affine_of(split[0].inner)
            if line is not None:
                bits = max(bits, math.ceil(math.log2(max(line[0], 1.0))) + GUARD_BITS)
    return min(bits, MOST_CODE_BITS)


def add_code_exponential(fixer: Fixer, node: real.Map, ref: Ref) -> bool:
    """Append the exponential of a difference of codes that ends in a code; tell whether the function is one.

    Its table has no more steps than there are differences, however many bits its result has.
    """
    if node.function.op != "exp" or fixer.precision.is_open or fixer.frac(ref.node) != 0:
        return False
    low = int(fixer.ranges[ref.node][0].min())
    bits = bits_for_codes(fixer, node)
    if not bits or low < -ALL_POINTS + 1 or not is_below_maximum(fixer, ref.node) or not fixer.inside(ref):
        return False
    format_ = covering(0.0, 1.0, bits)
    differences = np.arange(low, 1, dtype=np.int64)
    found = format_.encode(node.function(differences.astype(np.float64)))
    steps = np.flatnonzero(np.diff(found)) + 1
    codes = np.concatenate([found[:1], found[steps]])
    fixer.put(Table(node.name, node.n_positions, node.size, ref, differences[steps], codes, format_))
    return True
