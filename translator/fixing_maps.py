"""Scalar functions in fixed precision: a rounding that saturates, a table, or the function itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from circuits.floats import Codebook, Codes
from circuits.formats import BIT, Format
from circuits.functions import EXACT, TABLE_GATES
from circuits.matrices import selection
from circuits.network import Affine, Function, Maximum, Operand, Round, Table
from circuits.positions import Ref, var
from circuits.ranges import LIMIT_BITS
from circuits.scalar import Scalar, X
from translator import real
from translator.breakpoints import ALL_POINTS, breakpoints, sample_points
from translator.budget import bits_before_point, reach
from translator.fixing_code_softmax import add_code_exponential, is_below_maximum
from translator.fixing_codes import add_codes
from translator.fixing_floats import codes_for_table, holding_of, joint_format, put_rectified, put_rounded
from translator.fixing_quotients import rounded_ratio
from translator.fixing_singles import add_single
from translator.fixing_small_floats import add_small_float
from translator.function_kinds import is_rectifier, is_smooth, is_stepped, is_threshold, is_truth, is_whole, whole_part
from translator.precision import LEAST_TABLE_BITS, covering

if TYPE_CHECKING:
    from translator.fixing import Fixer

ABSOLUTE = Scalar("abs", (X,))


def add_map(fixer: Fixer, node: real.Map) -> None:
    """Tabulate the function over the exact range of its argument; a clipped identity is a rounding that saturates."""
    ref = fixer.exact(node.operand)
    if node.function == ABSOLUTE and fixer.by_name[ref.node].n_positions == node.n_positions:
        add_absolute(fixer, node, ref)
        return
    if any(add(fixer, node, ref) for add in (add_small_float, add_codes, add_single, add_code_exponential)):
        return
    if fixer.precision.floats is not None and is_rectifier(node.function):
        put_rectified(fixer, node, ref)
        return
    clip = clipped_identity(fixer, node)
    if fixer.precision.is_open and is_stepped(node.function):
        source = fixer.given[node.operand.node]
        if isinstance(source, real.Ratio):
            own = tuple(var(v) for v in range(source.n_positions))
            if node.function == Scalar("round", (X,)):
                clip = covering(*fixer.bounds[node.name], 0)
            if clip is not None and node.operand.at == own and source.n_positions == node.n_positions:
                rounded_ratio(fixer, source, clip, node.name)
                return
            ref = fixer.exact(Ref(fixer.halved(source), node.operand.at))
    if clip is not None:
        shift = fixer.frac(ref.node) - clip.frac
        fixer.put(Round(node.name, node.n_positions, node.size, ref, shift, clip))
        return
    bits = fixer.precision.bits
    if bits is None:
        add_open_map(fixer, node, ref)
        return
    low, high = fixer.ranges[ref.node]
    smallest, largest = int(low.min(initial=0)), int(high.max(initial=0))
    if not fixer.inside(ref):
        smallest, largest = min(smallest, 0), max(largest, 0)
    frac = fixer.frac(ref.node)
    target = target_of(fixer, node, bits, smallest, largest, frac)
    if isinstance(target, Format) and node.function == Scalar("exp", (X,)) and is_below_maximum(fixer, ref.node):
        target = Format(bits, 0, bits if fixer.precision.frac is None else max(fixer.precision.frac, 0))
    focus = fixer.bounds.get(node.operand.node, (-1.0, 1.0))
    breaks, codes = breakpoints(node.function, frac, smallest, largest, focus, target)
    fixer.put(Table(node.name, node.n_positions, node.size, ref, breaks, codes, holding_of(target, codes)))


def add_open_map(fixer: Fixer, node: real.Map, ref: Ref) -> None:
    """Append a function whose words have as many bits as they need: a table, or the function itself.

    A table is written out if it has few steps and they are found for certain: all arguments can be tried, there is one
    threshold, or the function is smooth; and if it is a number at all arguments that are tried.
    """
    function, frac = node.function, fixer.frac(ref.node)
    if add_whole_part(fixer, node, ref):
        return
    low, high = fixer.ranges[ref.node]
    smallest, largest_ = min(int(low.min()), 0), max(int(high.max()), 0)
    if is_truth(function):
        format_ = BIT
    elif is_whole(function, frac <= 0):
        format_ = fixer.precision.format_for(*fixer.bounds[node.name], 0)
    else:
        format_ = fixer.precision.finer(fixer.finer_bits(node)).format_for(*fixer.bounds[node.name])
    focus = fixer.bounds.get(node.operand.node, (-1.0, 1.0))
    few = (node.size << format_.bits) <= max(TABLE_GATES, node.size << LEAST_TABLE_BITS)
    certain = largest_ - smallest < ALL_POINTS or is_threshold(function) or is_smooth(function)
    if few and certain and max(-smallest, largest_) < EXACT:
        points = sample_points(frac, smallest, largest_, focus)
        if not np.isnan(function(np.ldexp(points.astype(np.float64), -frac))).any():
            breaks, codes = breakpoints(function, frac, smallest, largest_, focus, format_)
            fixer.put(Table(node.name, node.n_positions, node.size, ref, breaks, codes, format_))
            return
    fixer.put(Function(node.name, node.n_positions, node.size, ref, function, frac, format_))


def add_whole_part(fixer: Fixer, node: real.Map, ref: Ref) -> bool:
    """Round an exact value, over a power of two, down, up or to the nearest whole number; tell whether that fits.

    S / D is rounded down by rounding (2 S - D + 1) / (2 D), which is never half-way between two whole numbers, and up likewise.
    """
    kind = whole_part(node.function)
    if kind is None:
        return False
    direction, divisor = kind
    shift, k, size = fixer.frac(ref.node) + divisor, node.n_positions, node.size
    largest = float(reach(fixer, ref).max(initial=0.0))
    if max(bits_before_point(largest) + fixer.frac(ref.node), shift) + 3 > LIMIT_BITS or shift < -divisor:
        return False
    format_ = covering(*fixer.bounds[node.name], 0)
    if direction != "round" and shift > 0:
        add = 1 - (1 << shift) if direction == "floor" else (1 << shift) - 1
        twice = Operand(ref, selection(np.arange(size), size, 2))
        zero = np.zeros(size, dtype=np.int64)
        name = fixer.fresh(f"{node.name}.twice")
        fixer.put(Affine(name, k, size, (twice,), zero + add, zero, fixer.frac(ref.node) + 1))
        ref, shift = Ref(name, tuple(var(v) for v in range(k))), shift + 1
    fixer.put(Round(node.name, k, size, ref, shift, format_))
    return True


def clipped_identity(fixer: Fixer, node: real.Map) -> Format | None:
    """The format of which rounding and saturation are the whole function: ``max(x, 0)``, or a clip of ``round(x)``."""
    function = node.function
    if is_rectifier(function):
        finest = fixer.frac(fixer.exact(node.operand).node)
        format_ = fixer.precision.format_for(0.0, fixer.bounds[node.name][1], finest)
        return format_ if format_.lo == 0 else None
    limits: dict[str, float] = {}
    while function.op in ("min", "max"):
        constants = [arg.value for arg in function.args if arg.op == "const"]
        inner = [arg for arg in function.args if arg.op != "const"]
        if len(constants) != 1 or len(inner) != 1 or function.op in limits or not constants[0].is_integer():
            return None
        limits[function.op] = constants[0]
        function = inner[0]
    if function != Scalar("round", (X,)) or len(limits) != 2:
        return None
    low, codes = int(limits["max"]), int(limits["min"] - limits["max"]) + 1
    return Format(codes.bit_length() - 1, low, 0) if codes >= 2 and codes & (codes - 1) == 0 else None


def add_absolute(fixer: Fixer, node: real.Map, ref: Ref) -> None:
    """``|x|`` is the larger of x and -x, both rounded to a format without sign: three searches instead of a table."""
    k, size, frac = node.n_positions, node.size, fixer.frac(ref.node)
    own, zero = tuple(var(v) for v in range(k)), np.zeros(node.size, dtype=np.int64)
    negated = Operand(ref, selection(np.arange(size), size, -1))
    fixer.put(Affine(f"{node.name}.negated", k, size, (negated,), zero, zero, frac))
    sides = ((f"{node.name}.plus", ref), (f"{node.name}.minus", Ref(f"{node.name}.negated", own)))
    codes = fixer.precision.codes_for(0.0, fixer.bounds[node.name][1], frac)
    if isinstance(codes, Codebook):
        codes = codes.above_zero()
        format_ = joint_format(fixer, [side for _, side in sides], codes)
        for name, side in sides:
            put_rounded(fixer, name, k, side, codes, format_)
    else:
        format_ = Format(codes.bits, 0, codes.frac) if codes.lo else codes
        for name, side in sides:
            fixer.put(Round(name, k, size, side, frac - format_.frac, format_))
    each = np.arange(size, dtype=np.int64)[:, None]
    others = ((Ref(f"{node.name}.minus", own), each),)
    fixer.put(Maximum(node.name, k, size, Ref(f"{node.name}.plus", own), each, None, others, format_))


def target_of(fixer: Fixer, node: real.Map, bits: int, smallest: int, largest: int, frac: int) -> Codes:
    """The codes of a function's result: a bit, small whole numbers exactly, else what fits the values seen."""
    function = node.function
    if is_truth(function):
        return BIT
    if is_whole(function):
        ends = np.linspace(smallest, largest, 4097)
        values = function(np.ldexp(ends, -frac))
        low, high = int(np.nanmin(values)), int(np.nanmax(values))
        needed_bits = max(1, (high - low).bit_length())
        if needed_bits <= max(bits, 8):
            return Format(needed_bits, low, 0)
    return codes_for_table(fixer, node)
