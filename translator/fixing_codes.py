"""Codes of quantized files in fixed precision: a step function of an exact value with exactly the file's codes.

Every break is found, by bisection, whatever the precision is. A quantizer with many breaks becomes a `Round` of a multiple of its
argument where one rounding agrees with it at every integer: a few gates for each bit instead of one for each code.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.floats import Codes
from circuits.formats import BIT, Format
from circuits.matrices import selection
from circuits.network import Affine, Inputs, Letters, Operand, Predicates, Round, Table
from circuits.positions import Ref, var
from circuits.ranges import LIMIT_BITS
from circuits.scalar import X
from translator import real
from translator.fixing_code_softmax import add_quotient_codes
from translator.fixing_floats import codes_for_table, float_input, holding_of
from translator.fixing_stages import merged, put_stages, stages_of
from translator.function_kinds import is_integer, is_truth, is_whole
from translator.lines import line_of, thresholds
from translator.quantizers import CODE_BITS, Quantizer, affine_of, bounded, breaks_of, first_quantizer, quantizer_of

if TYPE_CHECKING:
    from translator.fixing import Fixer

Integers = np.ndarray[Any, np.dtype[np.int64]]

FEW = 1 << 8

CODE_FORMATS = {
    "bool": BIT,
    "int8": Format(8, -128, 0),
    "uint8": Format(8, 0, 0),
    "int16": Format(16, -32768, 0),
    "uint16": Format(16, 0, 0),
}


def input_of(fixer: Fixer, node: real.Features) -> Inputs:
    """The words of an input: codes of the quantizer that reads it, codes of its type, or what fits the values seen."""
    if node.name in fixer.integers.codes:
        format_, scale = fixer.integers.codes[node.name]
        return Inputs(node.name, node.size, format_, scale=scale)
    if node.dtype in CODE_FORMATS and not fixer.precision.is_open:
        return Inputs(node.name, node.size, CODE_FORMATS[node.dtype])
    seen = fixer.bounds.get(node.name, (0.0, 0.0))
    if fixer.precision.floats is not None:
        return float_input(fixer, node, seen)
    return Inputs(node.name, node.size, fixer.precision.format_for(*seen, 0 if is_integer(node.dtype) else None))


def reads_codes(fixer: Fixer, node: real.Linear) -> bool:
    """Tell whether a linear map reads integers that the file itself makes, so that its weights are not rounded."""
    whole = fixer.integers.whole
    if node.name in whole:
        return True
    sources = [operand.ref.node for operand in node.operands]
    letters = any(isinstance(fixer.by_name[name], Letters | Predicates) for name in sources)
    return bool(sources) and not letters and all(name in whole for name in sources)


def covering_codes(fixer: Fixer, refs: Iterable[Ref]) -> Format | None:
    """The format of all values of some exact integers of the file; None where one is none, or there are too many."""
    names = [ref.node for ref in refs]
    if fixer.precision.is_open or not all(name in fixer.integers.whole and fixer.frac(name) == 0 for name in names):
        return None
    low, high = (
        min(int(fixer.ranges[name][0].min()) for name in names),
        max(int(fixer.ranges[name][1].max()) for name in names),
    )
    bits = max(1, (high - low).bit_length())
    return Format(bits, low, 0) if bits <= CODE_BITS else None


def add_codes(fixer: Fixer, node: real.Map, ref: Ref) -> bool:
    """Append a function of a quantizer's codes, or a quantizer; tell whether the function is one."""
    split = first_quantizer(node.function)
    if split is None:
        return add_saturation(fixer, node, ref)
    quantizer, outer = split
    if outer == X and add_quotient_codes(fixer, node, quantizer):
        return True
    whole = quantizer_of(node.function)
    if whole is not None:
        quantizer, outer = whole, X
    low, high = fixer.ranges[ref.node]
    smallest, largest = int(low.min(initial=0)), int(high.max(initial=0))
    if fixer.inside(ref):
        smallest, largest = int(low.min()), int(high.max())
    breaks, codes = breaks_of(quantizer, fixer.frac(ref.node), smallest, largest)
    if outer == X:
        format_ = quantizer.format or spanning(quantizer.low, quantizer.high)
        ends = (smallest, largest)
        if len(breaks) > format_.bits and add_rounding(fixer, node, ref, quantizer, format_, ends, breaks, codes):
            return True
        pieces = stages_of(quantizer, fixer.frac(ref.node), *ends) if len(breaks) > FEW else None
        if pieces is not None and sum(piece.gates for piece in pieces) + format_.bits < len(breaks):
            put_stages(fixer, node.name, node.n_positions, node.size, ref, pieces, int(codes[0]), format_)
            return True
    else:
        values = outer(codes.astype(np.float64))
        if np.isnan(values).any():
            return False
        target = codes_of_values(fixer, node, outer, values)
        breaks, codes = merged(breaks, target.encode(values))
        format_ = holding_of(target, codes)
    fixer.put(Table(node.name, node.n_positions, node.size, ref, breaks, codes, format_))
    return True


def add_saturation(fixer: Fixer, node: real.Map, ref: Ref) -> bool:
    """Append a clip of integers to codes, which is a rounding that saturates; tell whether the function is one."""
    clipped, low, high = bounded(node.function)
    if clipped != X or node.operand.node not in fixer.integers.whole or fixer.frac(ref.node) != 0:
        return False
    if not (math.isfinite(low) and math.isfinite(high) and low.is_integer() and high.is_integer()):
        return False
    format_ = spanning(int(low), int(high))
    if high > low and format_.hi == high:
        fixer.put(Round(node.name, node.n_positions, node.size, ref, 0, format_))
        return True
    return False


def spanning(low: int, high: int) -> Format:
    """The smallest format of whole codes from `low` that reaches `high`."""
    return Format(max(1, (high - low).bit_length()), low, 0)


def codes_of_values(fixer: Fixer, node: real.Map, outer: Any, values: Any) -> Codes:
    """The codes of a function of codes: a bit, all codes if they are whole, else what fits the values seen."""
    if is_truth(outer):
        return BIT
    if is_whole(outer, True) and bool((np.abs(values) < 1 << 31).all()):
        again = quantizer_of(outer)
        if again is not None:
            return again.format or spanning(again.low, again.high)
        return spanning(int(values.min()), int(values.max()))
    return codes_for_table(fixer, node)


def add_rounding(
    fixer: Fixer,
    node: real.Map,
    ref: Ref,
    quantizer: Quantizer,
    format_: Format,
    ends: tuple[int, int],
    breaks: Integers,
    codes: Integers,
) -> bool:
    """Append a quantizer as the rounding of ``factor * S + shift``, if one has the same code at every integer S."""
    if quantizer.format is None:
        return False
    found = rounding_of(affine_of(quantizer.inner), fixer.frac(ref.node), format_, ends, breaks, codes)
    if found is None:
        return False
    factor, constant, shift = found
    k, size = node.n_positions, node.size
    if factor == 1 and constant == 0:
        fixer.put(Round(node.name, k, size, ref, shift, format_))
        return True
    zero = np.zeros(size, dtype=np.int64)
    scaled = Operand(ref, selection(np.arange(size), size, factor))
    name = fixer.fresh(f"{node.name}.scaled")
    fixer.put(Affine(name, k, size, (scaled,), zero + constant, zero, shift))
    fixer.put(Round(node.name, k, size, Ref(name, tuple(var(v) for v in range(k))), shift, format_))
    return True


def rounding_of(
    line: tuple[float, float] | None,
    frac: int,
    format_: Format,
    ends: tuple[int, int],
    breaks: Integers,
    codes: Integers,
) -> tuple[int, int, int] | None:
    """Factor, constant and shift with ``round((factor * S + constant) / 2**shift)`` equal to a step function; None if not found.

    The sum at a break has to reach its code, and the sum before it must not reach the next one.
    """
    reaching, own_codes = [breaks], [codes[1:]]
    if codes[0] > format_.lo:
        reaching, own_codes = [*reaching, np.array(ends[:1])], [*own_codes, codes[:1]]
    rising, least_codes = np.concatenate(reaching), np.concatenate(own_codes)
    staying, own_codes = [breaks - 1], [codes[:-1]]
    if codes[-1] < format_.hi:
        staying, own_codes = [*staying, np.array(ends[1:])], [*own_codes, codes[-1:]]
    falling, next_codes = np.concatenate(staying), np.concatenate(own_codes) + 1

    code_bits = max(abs(format_.lo), abs(format_.hi), 1).bit_length()
    mantissa, exponent = math.frexp(math.ldexp(line[0], -frac)) if line is not None and line[1] == 0 else (0.0, 0)
    if mantissa == 0.5 and 0 <= 1 - exponent < LIMIT_BITS - code_bits - 2:
        reached, missed = thresholds(least_codes, 1 - exponent), thresholds(next_codes, 1 - exponent)
        if (reached <= rising).all() and (missed > falling).all():
            return 1, 0, 1 - exponent
    found = line_of(rising, least_codes, falling, next_codes, max(abs(ends[0]), abs(ends[1]), 1))
    return None if found is None else (found.factor, found.constant, found.shift)
