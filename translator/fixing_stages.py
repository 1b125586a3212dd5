"""Quantizers of many codes as sums of saturating roundings: a few hundred gates in place of one for each code.

``clip(round(float32(float32(S * scale) / step)))`` has one break for each code. No single rounding of ``a * S + b`` has the
same breaks: the inner number is a multiple of one step between two powers of two only, and a tie of the outer one goes to the
even code, so that odd codes begin a little later than even ones. Both are undone here. The rounding to float32 between two
powers of two is one saturating rounding W of a multiple of S. As a function of W the even codes lie on one line, and so do the
odd ones; where one line has both, one is taken. What the pieces rise adds up to the code. Small arguments, which float32 does
not disturb, need no W.

Every sum of pieces is compared with the step function at all breaks, which decides for all arguments: both never decrease.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from circuits.formats import Format, round_half_even
from circuits.matrices import selection
from circuits.network import Affine, Operand, Round
from circuits.positions import Ref, var
from circuits.ranges import LIMIT_BITS
from circuits.scalar import Scalar, X
from translator.fixing_singles import MANTISSA, linear_of
from translator.lines import Line, line_of
from translator.quantizers import Quantizer, breaks_of

if TYPE_CHECKING:
    from translator.fixing import Fixer

Integers = np.ndarray[Any, np.dtype[np.int64]]
Steps = tuple[Integers, Integers]

MOST_PIECES = 64
FULL, HALF = 1 << MANTISSA, 1 << MANTISSA - 1


@dataclass(frozen=True, slots=True)
class Piece:
    """Codes that rise with W, the rounding of ``multiple * S + constant`` over ``2**shift`` that stays above `low`.

    Attributes:
        low: where none has risen yet.
        high: where all have; from here on nothing rises.
        lines: for each group of codes the line, and the formats that saturate at its last code.
        bottoms: the codes of the lines at `low`.
    """

    multiple: int
    constant: int
    shift: int
    low: int
    high: int
    lines: tuple[tuple[Line, Format], ...]
    bottoms: tuple[int, ...]

    @property
    def bits(self) -> int:
        """The bits of W."""
        return (self.high - self.low).bit_length()

    @property
    def gates(self) -> int:
        """Gates of its roundings, one for each bit."""
        return self.bits + sum(format_.bits for _, format_ in self.lines)

    def rise(self, sums: Integers) -> Integers:
        """How many codes have risen at given arguments."""
        scaled = round_half_even(self.multiple * sums + self.constant, self.shift)
        word = np.clip(scaled, self.low, self.low + (1 << self.bits) - 1)
        total = np.zeros(len(sums), dtype=np.int64)
        for (line, format_), bottom in zip(self.lines, self.bottoms, strict=True):
            total += format_.clamp(line.values(word)) - bottom
        return total


def lines_of(steps: Steps) -> tuple[tuple[tuple[Line, Format], ...], tuple[int, ...]] | None:
    """One line that has all codes of a step function, or two that have the even and the odd ones; and their first codes."""
    breaks, codes = steps
    for parts in ((codes,), (codes >> 1, codes + 1 >> 1)):
        found = []
        for part in parts:
            own_breaks, own = merged(breaks, part)
            if not len(own_breaks):
                continue
            line = line_of(
                np.append(own_breaks, breaks[0] - 1),
                np.append(own[1:], own[0]),
                own_breaks - 1,
                own[:-1] + 1,
                2 * int(max(abs(breaks[0] - 1), abs(breaks[-1]))),
            )
            if line is None:
                break
            bits = int(own[-1] - own[0]).bit_length()
            found.append((line, Format(bits, int(own[-1]) - (1 << bits) + 1, 0), int(own[0])))
        else:
            return tuple((line, format_) for line, format_, _ in found), tuple(bottom for *_, bottom in found)
    return None


def merged(breaks: Integers, codes: Integers) -> Steps:
    """A step function without the breaks at which it does not change."""
    keep = np.flatnonzero(np.diff(codes))
    return breaks[keep], np.concatenate([codes[:1], codes[1:][keep]])


def clipped(steps: Steps, low: int, high: int) -> Steps:
    """A step function between two codes."""
    return merged(steps[0], np.clip(steps[1], low, high))


def pieces_of(steps: Steps, multiple: int, constant: int, shift: int) -> Iterator[Piece]:
    """The pieces of a step function of W, each as long as possible."""
    breaks, codes = steps
    start = 0
    while start < len(breaks):
        fitting, failing = start, len(breaks) + 1
        found, tried = None, len(breaks)
        while failing - fitting > 1:
            lines = lines_of((breaks[start:tried], codes[start : tried + 1]))
            if lines is None:
                failing = tried
            else:
                found, fitting = lines, tried
            tried = (fitting + failing) // 2
        if found is None:
            return
        yield Piece(multiple, constant, shift, int(breaks[start]) - 1, int(breaks[fitting - 1]), *found)
        start = fitting


def first_single(quantizer: Quantizer, frac: int, ends: tuple[int, int]) -> tuple[Quantizer, int, int, int] | None:
    """The first rounding to float32 that changes anything: the quantizer behind it, and its argument ``(m * S + c) * 2**-f``.

    Returns:
        The quantizer of the rounded number, m, c and f; None if there is none, or its argument is no multiple of S.
    """
    while True:
        singles = [term for term in chain(quantizer.inner) if term.op == "float32"]
        line = linear_of(singles[-1].args[0]) if singles else None
        if line is None or any(part.denominator & (part.denominator - 1) for part in line):
            return None
        factor = line[0] / Fraction(2) ** frac
        own = max(part.denominator.bit_length() - 1 for part in (factor, line[1]))
        weight, const = int(factor * (1 << own)), int(line[1] * (1 << own))
        largest = max(abs(weight * end + const) for end in ends)
        exact = largest <= FULL
        kept = singles[-1].args[0] if exact else X
        quantizer = replaced(quantizer, singles[-1], kept)
        if not exact:
            return (quantizer, weight, const, own) if 0 < weight and 8 * largest < 1 << LIMIT_BITS else None


def chain(function: Scalar) -> Iterator[Scalar]:
    """The terms of an increasing function from the outermost to the variable."""
    while function.op != "x":
        yield function
        function = next((arg for arg in function.args if arg.op != "const"), X)


def replaced(quantizer: Quantizer, term: Scalar, other: Scalar) -> Quantizer:
    """A quantizer with another term in place of one."""

    def visit(given: Scalar, args: tuple[Scalar, ...]) -> Scalar:
        return other if given == term else Scalar(given.op, args, given.value)

    return replace(quantizer, function=quantizer.function.fold(visit), inner=quantizer.inner.fold(visit))


@lru_cache(maxsize=64)
def stages_of(quantizer: Quantizer, frac: int, low: int, high: int) -> tuple[Piece, ...] | None:
    """The pieces of a quantizer of ``S * 2**-frac`` for S from `low` to `high`; None if there are too many of them."""
    steps = breaks_of(quantizer, frac, low, high)
    given = first_single(quantizer, frac, (low, high))
    if given is None:
        few = tuple(islice(pieces_of(steps, 1, 0, 0), MOST_PIECES + 1))
        return few if len(few) <= MOST_PIECES and rises(few, steps, low, high) else None
    behind, weight, const, own = given
    least, most = weight * low + const, weight * high + const
    top = max(max(-least, most).bit_length() - MANTISSA, 0)

    def reached(exponent: int) -> tuple[int, int]:
        """The codes at plus and minus the largest float32 below a power of two."""
        ends = np.array([max(-FULL << exponent, least), min(FULL << exponent, most)], dtype=np.float64)
        codes = behind.function(np.ldexp(ends, -own))
        first, last = steps[1][[0, -1]]
        return int(np.clip(codes[0], first, last)), int(np.clip(codes[1], first, last))

    pieces: list[Piece] = []
    middle_exponent = -1
    for exponent in range(top + 1):
        part = clipped(steps, *reached(exponent))
        lines = lines_of(part) if len(part[0]) else ((), ())
        if lines is None:
            break
        middle_exponent = exponent
        pieces = [Piece(1, 0, 0, int(part[0][0]) - 1, int(part[0][-1]), *lines)] if len(part[0]) else []
    if middle_exponent < 0:
        return None
    for exponent in range(middle_exponent + 1, top + 1):
        (outer_low, outer_high), (inner_low, inner_high) = reached(exponent), reached(exponent - 1)
        for codes, words in (
            ((outer_low, inner_low), (-FULL, -HALF)),
            ((inner_high, outer_high), (HALF, FULL)),
        ):
            if codes[0] == codes[1]:
                continue
            part = clipped(breaks_of(behind, own - exponent, *words), *codes)
            for piece in pieces_of(part, weight, const, exponent):
                pieces.append(piece)
                if len(pieces) > MOST_PIECES:
                    return None
    return tuple(pieces) if rises(pieces, steps, low, high) else None


def rises(pieces: Iterable[Piece], steps: Steps, low: int, high: int) -> bool:
    """Tell whether pieces rise as a step function does."""
    sums = np.unique(np.concatenate([steps[0], steps[0] - 1, [low, high]]))
    risen = sum((piece.rise(sums) for piece in pieces), np.zeros(len(sums), dtype=np.int64))
    return bool((steps[1][0] + risen == steps[1][np.searchsorted(steps[0], sums, side="right")]).all())


def put_stages(
    fixer: Fixer,
    name: str,
    n_positions: int,
    size: int,
    ref: Ref,
    pieces: tuple[Piece, ...],
    first: int,
    format_: Format,
) -> None:
    """Append the word of a code: the first code, plus what the pieces rise."""
    own, zero, each = tuple(var(v) for v in range(n_positions)), np.zeros(size, dtype=np.int64), np.arange(size)
    scaled: dict[tuple[int, int], Ref] = {(1, 0): ref}
    frac, constant, operands = fixer.frac(ref.node), first, []
    for number, piece in enumerate(pieces):
        key = piece.multiple, piece.constant
        if key not in scaled:
            scaled[key] = Ref(fixer.fresh(f"{name}.scaled"), own)
            multiple = Operand(ref, selection(each, size, piece.multiple))
            fixer.put(Affine(scaled[key].node, n_positions, size, (multiple,), zero + piece.constant, zero, frac))
        word = fixer.fresh(f"{name}.w{number}")
        held = Format(piece.bits, piece.low, frac - piece.shift)
        fixer.put(Round(word, n_positions, size, scaled[key], piece.shift, held))
        for part, ((line, codes), bottom) in enumerate(zip(piece.lines, piece.bottoms, strict=True)):
            sloped, risen = fixer.fresh(f"{name}.w{number}.line{part}"), fixer.fresh(f"{name}.w{number}.codes{part}")
            multiple = Operand(Ref(word, own), selection(each, size, line.factor))
            fixer.put(Affine(sloped, n_positions, size, (multiple,), zero + line.constant, zero, line.shift))
            fixer.put(Round(risen, n_positions, size, Ref(sloped, own), line.shift, codes))
            operands.append(Operand(Ref(risen, own), selection(each, size, 1)))
            constant -= bottom
    total = fixer.fresh(f"{name}.sum")
    fixer.put(Affine(total, n_positions, size, tuple(operands), zero + constant, zero, 0))
    fixer.put(Round(name, n_positions, size, Ref(total, own), 0, format_))
