"""Small floats in fixed precision: a rounding to a codebook, made of tables or of uniform roundings.

A word of a float format is a uniform word of which the codes lie in a codebook. Few codes are one `Table` of the exact value.
Many codes are saturating roundings, one or two for each run of equally spaced codes: the rises of all of them add up to the
rounded value, which is exact, and becomes one word again. A quotient is rounded the same way: an exact value stands for it that
lies on the same side of every step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from circuits.diagnostics import FomError
from circuits.floats import Codebook, Codes
from circuits.formats import Format
from circuits.functions import TABLE_GATES
from circuits.matrices import selection
from circuits.network import Affine, Inputs, Operand, Round, Table
from circuits.positions import Ref, var
from circuits.ranges import LIMIT_BITS
from translator import real
from translator.function_kinds import is_integer
from translator.precision import LEAST_TABLE_BITS, Precision, covering

if TYPE_CHECKING:
    from translator.fixing import Fixer

Integers = np.ndarray[Any, np.dtype[np.int64]]

T = TypeVar("T")

TABLE_BITS = 10
MOST = (1 << LIMIT_BITS) - 1


def with_largest_span(precision: Precision, attempt: Callable[[Precision], T]) -> tuple[Precision, T]:
    """Attempt something at the largest span of float words for which all accumulators fit, or once if no span is open.

    Returns:
        The precision with that span, and the result.

    Raises:
        FomError: they do not fit at any span, or the attempt fails for another reason.
    """
    spans = precision.spans
    if not spans:
        return precision, attempt(precision)
    found: tuple[Precision, T] | None = None
    fitting, refused, tried = spans[0] - 1, spans[-1] + 1, spans[-1]
    while refused - fitting > 1:
        chosen = replace(precision, span=tried)
        try:
            found, fitting = (chosen, attempt(chosen)), tried
        except FomError as error:
            if error.diagnostics[0].code != "C026":
                raise
            refused, last = tried, error
        tried = (fitting + refused) // 2
    if found is None:
        raise last
    return found


def reached(fixer: Fixer, ref: Ref, codebook: Codebook) -> Codebook:
    """The codes to which a referenced value can be rounded."""
    ends = np.ldexp(np.array(argument_range(fixer, ref), dtype=np.float64), -fixer.frac(ref.node))
    return codebook.within(float(np.nextafter(ends[0], -np.inf)), float(np.nextafter(ends[1], np.inf)))


def joint_format(fixer: Fixer, refs: Sequence[Ref], codes: Codes) -> Format:
    """The format that holds the roundings of several values to the same codes."""
    if isinstance(codes, Format):
        return codes
    found = [reached(fixer, ref, codes) for ref in refs]
    return replace(codes, lo=min(each.lo for each in found), hi=max(each.hi for each in found)).format


def holding_of(target: Codes, codes: Integers) -> Format:
    """The format of a word that has some of the codes."""
    if isinstance(target, Format):
        return target
    return replace(target, lo=min(int(codes.min()), 0), hi=max(int(codes.max()), 1)).format


def argument_range(fixer: Fixer, ref: Ref) -> tuple[int, int]:
    """The smallest and largest integer of a referenced value, and 0; all integers if they grow with the length without bound."""
    if fixer.network.domain.most is None and fixer.sums_positions(ref.node):
        return -MOST, MOST
    low, high = fixer.ranges[ref.node]
    return int(low.min(initial=0)), int(high.max(initial=0))


def put_rounded(
    fixer: Fixer, name: str, n_positions: int, ref: Ref, codebook: Codebook, format_: Format | None = None
) -> None:
    """Append the word of a value rounded to a codebook; what lies in it already is copied.

    Args:
        format_: holds the word, by default the smallest one that holds all codes to which the value can be rounded.
    """
    size, frac, found = fixer.by_name[ref.node].size, fixer.frac(ref.node), reached(fixer, ref, codebook)
    held, given = format_ or found.format, fixer.floats.get(ref.node)
    fixer.floats[name] = codebook
    if given is not None and replace(given, lo=codebook.lo) == codebook and codebook.lo <= given.lo:
        fixer.put(Round(name, n_positions, size, ref, 0, held))
        return
    if found.index(found.hi) - found.index(found.lo) < 1 << TABLE_BITS:
        breaks, codes = found.breaks(frac, *argument_range(fixer, ref))
        fixer.put(Table(name, n_positions, size, ref, breaks, codes, held))
        return

    def part(of: str, piece: Format) -> None:
        fixer.put(Round(of, n_positions, size, ref, frac - piece.frac, piece))

    total, own = fixer.fresh(f"{name}.sum"), tuple(var(v) for v in range(n_positions))
    put_sum(fixer, total, n_positions, size, found, part)
    fixer.put(Round(name, n_positions, size, Ref(total, own), 0, held))


def put_sum(
    fixer: Fixer, name: str, n_positions: int, size: int, codebook: Codebook, part: Callable[[str, Format], None]
) -> None:
    """Append the sum of the rises of uniform roundings, which `part` appends under a name: exact, and in the codebook."""
    own, constant, operands = tuple(var(v) for v in range(n_positions)), codebook.lo, []
    for number, piece in enumerate(codebook.roundings()):
        named, step = fixer.fresh(f"{name}.b{number}"), 1 << codebook.frac - piece.frac
        part(named, piece)
        constant -= step * piece.lo
        operands.append(Operand(Ref(named, own), selection(np.arange(size), size, step)))
    zero = np.zeros(size, dtype=np.int64)
    fixer.put(Affine(name, n_positions, size, tuple(operands), zero + constant, zero, codebook.frac))


def put_rectified(fixer: Fixer, node: real.Map, ref: Ref) -> None:
    """Append ``max(x, 0)``, a rounding to the codes that are not negative."""
    codes = fixer.precision.codes_for(*fixer.bounds[node.name])
    if isinstance(codes, Codebook):
        put_rounded(fixer, node.name, node.n_positions, ref, codes.above_zero())


def codes_for_table(fixer: Fixer, node: real.Map) -> Codes:
    """The codes of a function's results. A node whose tables would have too many steps gets fewer bits of mantissa."""
    low, high = fixer.bounds[node.name]
    codes = fixer.precision.for_table(node.size).codes_for(low, high)
    affordable = max(TABLE_GATES // node.size, 1 << LEAST_TABLE_BITS)
    while isinstance(codes, Codebook) and codes.mantissa_bits > 1:
        seen = codes.within(low, high)
        if seen.index(seen.hi) - seen.index(seen.lo) <= affordable:
            break
        codes = codes.coarser()
    return codes


def float_input(fixer: Fixer, node: real.Features, seen: tuple[float, float]) -> Inputs:
    """The words of an input: exact whole numbers if its type has only these, else values of the float format."""
    codes = covering(*seen, 0) if is_integer(node.dtype) else fixer.precision.codes_for(*seen)
    if isinstance(codes, Format):
        return Inputs(node.name, node.size, codes)
    fixer.floats[node.name] = codes
    return Inputs(node.name, node.size, codes.format, codebook=codes)
