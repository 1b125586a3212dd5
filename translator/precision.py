"""Precision: how many bits a word has, how weights are rounded, and which format fits a range of reals."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.floats import Codes, FloatFormat
from circuits.formats import Format
from circuits.functions import TABLE_GATES

Reals = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_BITS = 20
MOST_OPEN_BITS = 56
MOST_FRACTIONAL = 40
MOST_WEIGHT_BITS = 24
MOST_SPAN = 40
MOST_MANTISSA_BITS = 10
LEAST_TABLE_BITS = 8


@dataclass(frozen=True, slots=True)
class Precision:
    """Words of `bits` bits; `frac` fractional bits for all of them, or None to choose per tensor; weights of `weight_bits`.

    ``bits`` None gives a word as many bits as the values seen need, at `frac` fractional bits. ``weight_bits`` None keeps weights
    exactly: a float32 is a dyadic rational; 0 rounds them to the float format.

    With `floats` words are values of that float format, and `bits` are its bits. A word is held by at most `span` bits and a
    sign; None leaves open how many fit.
    """

    bits: int | None
    frac: int | None
    weight_bits: int | None
    floats: FloatFormat | None = None
    span: int | None = None

    def __post_init__(self) -> None:
        if self.bits is None and self.frac is None:
            raise fail("T020", "words of any number of bits need a number of fractional bits", help="e.g. fixed:*.16")

    def __str__(self) -> str:
        if self.floats is not None:
            return f"float:{self.floats}"
        return f"fixed:{'*' if self.bits is None else self.bits}" + ("" if self.frac is None else f".{self.frac}")

    @property
    def is_open(self) -> bool:
        """Tell whether words have as many bits as they need."""
        return self.bits is None

    @property
    def weights_text(self) -> int | str:
        """How weights are rounded: a number of bits, the name of the float format, or ``exact``."""
        if self.weight_bits is None:
            return "exact"
        return self.weight_bits or str(self.floats)

    @property
    def spans(self) -> range:
        """The spans to choose from, so that accumulators fit; one only, if it is not open."""
        if self.floats is None or self.span is not None:
            return range(0)
        most = min(self.floats.codebook.hi.bit_length(), MOST_SPAN)
        return range(self.floats.mantissa_bits + 2, most + 1)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the result's notes say about the window of a float format."""
        if self.floats is None or self.span is None or self.span >= self.floats.codebook.hi.bit_length():
            return ()
        text = (
            f"{self}: a word holds {self.span} bits and a sign, of the {self.floats.codebook.hi.bit_length()} bits that the "
            f"format spans; each tensor has a window of {self.span} bits that reaches the largest number seen of it"
        )
        return (text,)

    def codes_for(self, low: float, high: float, finest: int | None = None) -> Codes:
        """The codes for numbers seen from `low` to `high`: of a float format, or those of `format_for`."""
        if self.floats is None:
            return self.format_for(low, high, finest)
        return self.floats.window(max(abs(low), abs(high)), self.span or MOST_SPAN)

    def for_table(self, size: int) -> Precision:
        """The precision of a table's results: a step function has a gate for each step, so wide tables get fewer bits.

        No node has more than about `TABLE_GATES` of them, unless words have no more than `LEAST_TABLE_BITS` bits anyway.
        """
        affordable = max(LEAST_TABLE_BITS, int(math.log2(TABLE_GATES / max(1, size))))
        if self.frac is not None or self.bits is None or self.bits <= affordable:
            return self
        return replace(self, bits=affordable)

    def finer(self, bits: int) -> Precision:
        """The precision with more fractional bits, up to `MOST_FRACTIONAL`."""
        if self.frac is None or bits <= 0:
            return self
        return replace(self, frac=min(self.frac + bits, max(self.frac, MOST_FRACTIONAL)))

    def format_for(self, low: float, high: float, finest: int | None = None) -> Format:
        """The format with the finest step that still reaches from `low` to `high`.

        Codes start at 0 for values that are never negative, unless leaving 0 out gives a finer step. A word of any number of
        bits has no more than `finest` fractional bits: a whole number needs none.
        """
        if self.bits is None:
            frac = (self.frac or 0) if finest is None else min(self.frac or 0, finest)
            before = math.frexp(max(abs(low), abs(high)))[1]
            return covering(low, high, min(frac, MOST_OPEN_BITS - before) if frac > 0 else frac)
        if self.frac is not None:
            return Format(self.bits, 0 if low >= 0 else -(1 << (self.bits - 1)), self.frac)
        low, high = float(low), float(high)
        best = self.reaching(min(low, 0.0), max(high, 0.0))
        tight = self.reaching(low, high)
        return tight if tight.frac > best.frac else best

    def reaching(self, low: float, high: float) -> Format:
        """The finest format of which the codes cover [low, high]; spare codes are split between both ends."""
        bits = self.bits or 1
        codes = (1 << bits) - 1
        widest = max(high - low, abs(low) * 2.0**-bits, abs(high) * 2.0**-bits)
        if widest == 0:
            return Format(bits, 0, 0)
        frac = math.ceil(math.log2((codes + 1) / widest))
        while np.rint(math.ldexp(high, frac)) - np.rint(math.ldexp(low, frac)) > codes:
            frac -= 1
        first, last = int(np.rint(math.ldexp(low, frac))), int(np.rint(math.ldexp(high, frac)))
        spare = codes - (last - first)
        return Format(bits, first if low >= 0 else first - spare // 2, frac)

    def weights(self, given: Reals) -> tuple[Integers, int]:
        """Round weights to integers at a common number of fractional bits, the fewest that lose nothing more.

        Returns:
            The integers, and the fractional bits.
        """
        largest = float(np.abs(given).max(initial=0.0))
        if largest == 0:
            return np.zeros(given.shape, dtype=np.int64), 0
        if self.floats is not None and self.weight_bits == 0:
            codebook = self.floats.window(largest, self.span or MOST_SPAN)
            given, frac = codebook.round(given), codebook.frac
        elif self.weight_bits is None:
            frac = dyadic_bits(given)
        else:
            frac = self.weight_bits - 1 - math.ceil(math.log2(largest)) if largest else 0
            if np.rint(math.ldexp(largest, frac)) > (1 << (self.weight_bits - 1)):
                frac -= 1
        codes = np.rint(np.ldexp(given, frac)).astype(np.int64)
        used = codes[codes != 0]
        if used.size == 0:
            return codes, 0
        trailing = min(int(code & -code).bit_length() - 1 for code in np.unique(np.abs(used)).tolist())
        drop = min(trailing, frac) if frac > 0 else 0
        return codes >> drop, frac - drop


def covering(low: float, high: float, frac: int) -> Format:
    """The smallest format of `frac` fractional bits that covers [low, high] and 0: two's complement, or without sign.

    Raises:
        FomError: it has more than 62 bits.
    """
    first, last = (int(np.rint(math.ldexp(end, frac))) for end in (min(low, 0.0), max(high, 0.0)))
    if first == 0:
        return Format(max(1, last.bit_length()), 0, frac)
    bits = 1 + max(last.bit_length(), (-first - 1).bit_length())
    return Format(bits, -(1 << bits - 1), frac)


def dyadic_bits(given: Reals) -> int:
    """The fractional bits at which every float is an integer.

    Raises:
        FomError: the weights span more bits than 62.
    """
    mantissas, exponents = np.frexp(given[given != 0])
    lowest = int((exponents - 53).min())
    integers = np.ldexp(mantissas, 53).astype(np.int64)
    trailing = min(
        int(m & -m).bit_length() - 1 + int(e) - 53
        for m, e in zip(np.abs(integers).tolist(), exponents.tolist(), strict=True)
    )
    frac = max(-trailing, 0)
    if int(exponents.max()) + frac > 61 or lowest < -2000:
        raise fail(
            "T021",
            f"exact weights need {int(exponents.max()) + frac} bits, the limit is 61",
            help="round weights with --weight-bits 16 (or fewer)",
        )
    return frac


def parse_precision(text: str, weight_bits: str) -> Precision | None:
    """Read ``fixed:P[.F]``, ``fixed:*.F`` or ``float:eEmM``; None means ``auto``.

    Raises:
        FomError: the text is neither, or a number is out of range.
    """
    weights = parse_weight_bits(weight_bits)
    if text == "auto":
        return None
    if found := re.fullmatch(r"fixed:\*\.(\d+)", text):
        if int(found[1]) > MOST_FRACTIONAL:
            raise fail("T020", f"{found[1]} fractional bits", help=f"choose between 0 and {MOST_FRACTIONAL}")
        return Precision(None, int(found[1]), MOST_WEIGHT_BITS if weights == 0 else weights)
    if text.startswith("float:"):
        floats = FloatFormat.parse(text.removeprefix("float:"))
        if floats.mantissa_bits > MOST_MANTISSA_BITS:
            raise fail(
                "T020",
                f"words of {floats.mantissa_bits} mantissa bits",
                help=f"choose at most {MOST_MANTISSA_BITS}, e.g. float:e5m10, or fixed:*.F",
            )
        return Precision(floats.bits, None, weights, floats)
    found = re.fullmatch(r"fixed:(\d+)(?:\.(-?\d+))?", text)
    if not found:
        raise fail(
            "T020",
            f"unknown precision `{text}`",
            help="write auto, fixed:P, fixed:P.F, fixed:*.F or float:eEmM, e.g. fixed:8 or float:e4m3",
        )
    bits, frac = int(found[1]), int(found[2]) if found[2] is not None else None
    if not 2 <= bits <= MOST_BITS:
        raise fail("T020", f"words of {bits} bits", help=f"choose between 2 and {MOST_BITS} bits")
    return Precision(bits, frac, default_weight_bits(bits) if weights == 0 else weights)


def parse_weight_bits(text: str) -> int | None:
    """Read ``--weight-bits``: a number, ``exact`` (None), or ``auto`` (0).

    Raises:
        FomError: it is none of these.
    """
    if text == "exact":
        return None
    if text == "auto":
        return 0
    if text.isdigit() and 2 <= int(text) <= MOST_WEIGHT_BITS:
        return int(text)
    raise fail(
        "T020",
        f"unknown weight precision `{text}`",
        help=f"write a number from 2 to {MOST_WEIGHT_BITS}, exact, or auto",
    )


def default_weight_bits(bits: int) -> int:
    """Weights cost no gates, so they get at least 8 bits, and four more than the words."""
    return max(8, bits + 4)
