"""ONNX's floating-point types of 8 bits and fewer, as codebooks.

The types whose names end in ``fn`` have no infinity; those in ``fnuz`` have no -0 either and one more exponent, because the
pattern of -0 is their NaN. Numbers here are finite and have one zero, so a type is the set of its finite numbers.
"""

from __future__ import annotations

from dataclasses import replace

from circuits.floats import Codebook, FloatFormat

E4M3, E5M2, E2M1 = (FloatFormat(*pair).codebook for pair in ((4, 3), (5, 2), (2, 1)))

SMALL_FLOATS: dict[str, Codebook] = {
    "float8e4m3fn": E4M3,
    "float8e4m3fnuz": replace(E4M3, frac=E4M3.frac + 1, lo=-240 << E4M3.frac + 1, hi=240 << E4M3.frac + 1),
    "float8e5m2": E5M2,
    "float8e5m2fnuz": replace(E5M2, frac=E5M2.frac + 1, lo=2 * E5M2.lo, hi=2 * E5M2.hi),
    "float4e2m1": E2M1,
}
"""By ONNX's name of the type: all its numbers."""


def overflow_of(name: str) -> tuple[float, bool]:
    """The magnitude from which on numbers are beyond a type, and whether it itself is: where the next number would be nearer."""
    codebook = SMALL_FLOATS[name]
    exponent = codebook.hi.bit_length() - codebook.mantissa_bits - 1
    half_way = float(2 * codebook.hi + (1 << exponent)) * 2.0 ** (-codebook.frac - 1)
    return half_way, bool(codebook.hi >> exponent & 1)
