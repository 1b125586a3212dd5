"""Iterated addition, multiplication and counting: the bits of a sum of weighted bits, by thermometers.

Bit t of a sum is bit t of the part of it with weights up to 2**t, since what is left out is a multiple of 2**(t+1). That
part is less than a small multiple of 2**t, so a few gates ``[part >= k 2**t]`` tell which multiple it reaches, and their
alternating sum is the bit. Two levels, whatever is added.

Sources: K.-Y. Siu & V. Roychowdhury, *On Optimal Depth Threshold Circuits for Multiplication and Related Problems*, SIAM J.
Discrete Math. 7 (1994), iterated addition in depth 2, multiplication in depth 3. Weights of the first level are up to 2**(n-1); a
sum of such gates with weights of 1 can be had with polynomially bounded weights in depth 2 as well (M. Goldmann, J. Håstad & A.
Razborov, *Majority gates vs. general weighted threshold gates*, Comput. Complexity 2 (1992)), which is not done here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from circuits.blocks.block import Block, Bound, Bounds
from circuits.blocks.wiring import Wiring, require_sizes, rows_of
from circuits.diagnostics import fail
from circuits.formats import Format
from circuits.ranges import LIMIT_BITS

Integers = np.ndarray[Any, np.dtype[np.int64]]

SOURCE = "Siu & Roychowdhury 1994, SIAM J. Discrete Math. 7"


def put_sum_bits(wiring: Wiring, exponents: Mapping[str, Integers]) -> tuple[str, int, int]:
    """Append the gates for all bits of ``sum 2**exponent * bit``, lowest first.

    Args:
        exponents: for each source its exponents, one for each element.

    Returns:
        The node of the bits, how many they are, and the number of comparisons of the first level.

    Raises:
        FomError: the sum needs more than 62 bits.
    """
    counts = np.bincount(np.concatenate(list(exponents.values())))
    reached = [sum(int(count) << e for e, count in enumerate(counts[: t + 1])) for t in range(len(counts))]
    if reached[-1] >= 1 << LIMIT_BITS:
        raise fail("C026", f"a sum needs {reached[-1].bit_length()} bits, the limit is {LIMIT_BITS}")
    top = len(counts) - 1
    parts = {}
    for source, exponent in exponents.items():
        rows = [np.full(int((exponent <= t).sum()), t) for t in range(top + 1)]
        columns = [np.flatnonzero(exponent <= t) for t in range(top + 1)]
        read = np.concatenate(columns)
        parts[source] = rows_of(read, 1 << exponent[read], len(exponent), top + 1, np.concatenate(rows))
    wiring.sums("part", parts)
    steps = np.array([total >> t for t, total in enumerate(reached)])
    starts = np.cumsum([0, *steps])
    which = np.repeat(np.arange(top + 1), steps)
    multiple = np.arange(len(which)) - starts[which] + 1
    wiring.gates("reached", {"part": rows_of(which, 1, top + 1, len(which))}, multiple << which)
    n_bits = reached[-1].bit_length()
    rows, columns, signs = [], [], []
    for bit in range(n_bits):
        place = min(bit, top)
        taken = np.arange(1 << bit - place, steps[place] + 1, 1 << bit - place)
        rows.append(np.full(len(taken), bit))
        columns.append(starts[place] + taken - 1)
        signs.append(np.where((taken >> bit - place) % 2 == 1, 1, -1))
    alternating = rows_of(np.concatenate(columns), np.concatenate(signs), len(which), n_bits, np.concatenate(rows))
    return wiring.gates("out", {"reached": alternating}, np.ones(n_bits)), n_bits, len(which)


def iterated_addition(m: int, n: int) -> Block:
    """The sum of m numbers of n bits.

    Raises:
        FomError: a parameter below 1, or a sum of more than 62 bits.
    """
    require_sizes("iterated addition", {"m": 1, "n": 1}, {"m": m, "n": n})
    wiring = Wiring()
    wiring.argument("x", m, n)
    out, n_bits, comparisons = put_sum_bits(wiring, {"x": np.tile(np.arange(n), m)})
    bounds = Bounds(
        Bound(2, "2"),
        Bound(comparisons + n_bits, "sum(m*(2**(t + 1) - 1) >> t for t in range(n)) + bits(m*(2**n - 1))"),
        Bound(2 * (m * n) ** 2 + 2 * m * n_bits, "2*(m*n)**2 + 2*m*bits(m*(2**n - 1))", exact=False),
        Bound(2 ** (n - 1), "2**(n - 1)"),
    )

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [sum(given)]

    return wiring.block(
        "iterated addition",
        out,
        (1, Format(n_bits, 0, 0)),
        reference,
        {"m": m, "n": n},
        f"{SOURCE}, iterated addition in depth 2",
        bounds,
    )


def counting(m: int) -> Block:
    """How many of m bits are 1, in binary.

    Raises:
        FomError: m below 1.
    """
    require_sizes("counting", {"m": 1}, {"m": m})
    wiring = Wiring()
    wiring.argument("x", m, 1)
    out, n_bits, _ = put_sum_bits(wiring, {"x": np.zeros(m, dtype=np.int64)})
    bounds = Bounds(
        Bound(2, "2"),
        Bound(m + n_bits, "m + bits(m)"),
        Bound(m * m + sum(m >> t for t in range(n_bits)), "m*m + sum(m >> t for t in range(bits(m)))"),
        Bound(1, "1"),
    )

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [sum(given)]

    source = (
        "Muroga 1971, Threshold Logic and Its Applications: symmetric functions in two levels; each bit is symmetric"
    )
    return wiring.block("counting", out, (1, Format(n_bits, 0, 0)), reference, {"m": m}, source, bounds)


def multiplication(n: int) -> Block:
    """The product of two numbers of n bits: all ANDs of pairs of bits, then the bits of their weighted sum.

    Raises:
        FomError: n below 1, or a product of more than 62 bits.
    """
    require_sizes("multiplication", {"n": 1}, {"n": n})
    wiring = Wiring()
    wiring.argument("x", 1, n)
    wiring.argument("y", 1, n)
    left, right = (axis.ravel() for axis in np.indices((n, n)))
    wiring.conjunctions("xy", "x", left, "y", right)
    out, n_bits, comparisons = put_sum_bits(wiring, {"xy": left + right})
    part = "sum(min(s + 1, 2*n - 1 - s) << s for s in range(t + 1))"
    bounds = Bounds(
        Bound(3, "3"),
        Bound(n * n + comparisons + n_bits, f"n*n + sum({part} >> t for t in range(2*n - 1)) + bits((2**n - 1)**2)"),
        Bound(4 * n**4 + 6 * n * n, "4*n**4 + 6*n*n", exact=False),
        Bound(4 ** (n - 1), "4**(n - 1)"),
    )

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [given[0] * given[1]]

    return wiring.block(
        "multiplication",
        out,
        (1, Format(n_bits, 0, 0)),
        reference,
        {"n": n},
        f"{SOURCE}, multiplication in depth 3",
        bounds,
    )
