"""Exact integer ranges: what every sum can reach, so that 64-bit arithmetic is known to be exact before it starts.

A word ranges over its format; an exact value over the interval that interval arithmetic gives. An accumulator over positions
has a range linear in n, so ranges are asked for at a length.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.formats import Format
from circuits.network import Affine, Network, Node, Product, Quotient, Round, Sum
from circuits.positions import Term, is_safe

Integers = np.ndarray[Any, np.dtype[np.int64]]
Range = tuple[Integers, Integers]

LIMIT_BITS = 62


def ranges(network: Network, n: int) -> dict[str, Range]:
    """Lower and upper bounds of every element of every node at length n.

    Raises:
        FomError: a bound needs more than 62 bits.
    """
    known: dict[str, Range] = {}
    for node in network.nodes:
        known[node.name] = range_of(node, known, n)
    return known


def range_of(node: Node, known: dict[str, Range], n: int) -> Range:
    """The range of one node from those of its sources.

    Raises:
        FomError: it needs more than 62 bits.
    """
    match node:
        case Affine(operands=operands, const=const, length=length, name=name):
            magnitude = np.abs(const.astype(np.float64)) + n * np.abs(length.astype(np.float64))
            lows, highs = const + n * length, const + n * length
            terms = 0
            require_bits(magnitude, name, "a constant")
            for operand in operands:
                low, high = outside_zero(known[operand.ref.node], operand.ref.at, n)
                weights = operand.matrix
                magnitude = magnitude + abs(weights).astype(np.float64) @ largest(low, high)
                terms += int(np.diff(weights.indptr).max(initial=0))
                require_bits(magnitude, name, f"{terms} terms")
                positive, negative = weights.maximum(0), weights.minimum(0)
                lows = lows + positive @ low + negative @ high
                highs = highs + positive @ high + negative @ low
            return lows, highs
        case Product(left=left, left_index=left_index, right=right, right_index=right_index, name=name):
            (a, b), (c, d) = (outside_zero(known[ref.node], ref.at, n) for ref in (left, right))
            a, b, c, d = a[left_index], b[left_index], c[right_index], d[right_index]
            require_bits(4 * largest(a, b) * largest(c, d), name, "a product of two words")
            corners = np.stack([a * c, a * d, b * c, b * d])
            low, high = corners.min(axis=0), corners.max(axis=0)
            square = (left == right) & (left_index == right_index)
            crosses = (a <= 0) & (b >= 0)
            return np.where(square, np.where(crosses, 0, np.minimum(a * a, b * b)), low), high
        case Sum(operand=operand, name=name):
            low, high = outside_zero(known[operand.node], operand.at, n)
            require_bits(n * largest(low, high), name, f"{n} positions")
            return np.minimum(low, 0) * n, np.maximum(high, 0) * n
        case Round(operand=operand, shift=shift, format=format_, size=size, name=name):
            step = 2.0 ** max(shift, 0)
            claimed = step * 2 * (max(abs(format_.lo), abs(format_.hi)) + 1)
            require_bits(2.0 ** max(-shift, 0) * largest(*known[operand.node]) + claimed, name, "rounding")
            return full_range(size, format_)
        case Quotient(num=num, den=den, shift=shift, format=format_, size=size, name=name):
            up, down = 2.0 ** max(shift, 0), 2.0 ** max(-shift, 0)
            claimed = (
                down * 2 * (max(abs(format_.lo), abs(format_.hi)) + 1) * largest(*known[den.node]).max(initial=0.0)
            )
            require_bits(2 * up * largest(*known[num.node]) + claimed, name, "a quotient")
            return full_range(size, format_)
        case _:
            return full_range(node.size, node.format)


def full_range(size: int, format_: Format) -> Range:
    """The range of `size` words of one format."""
    return np.full(size, format_.lo, dtype=np.int64), np.full(size, format_.hi, dtype=np.int64)


def largest(low: Integers, high: Integers) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The largest magnitude of each element, as a float, which cannot wrap."""
    return np.maximum(np.abs(low.astype(np.float64)), np.abs(high.astype(np.float64)))


def outside_zero(known: Range, at: tuple[Term, ...], n: int) -> Range:
    """Widen a range by 0 when the reference can fall outside the word."""
    low, high = known
    if all(is_safe(term, n) for term in at):
        return low, high
    return np.minimum(low, 0), np.maximum(high, 0)


def require_bits(magnitude: np.ndarray[Any, np.dtype[np.float64]], name: str, what: str) -> None:
    """Refuse magnitudes beyond the limit.

    Raises:
        FomError: with the bits needed.
    """
    largest = float(magnitude.max(initial=0.0))
    if largest >= 2.0**LIMIT_BITS:
        bits = int(np.ceil(np.log2(largest))) + 1
        raise fail(
            "C026",
            f"an accumulator needs {bits} bits, the limit is {LIMIT_BITS}: {what}",
            where=f"node `{name}`",
            help="lower --precision or --weight-bits",
        )


def require_ranges(network: Network, n: int) -> None:
    """Refuse a network whose sums could leave 62 bits at length n.

    Raises:
        FomError: naming the accumulator.
    """
    ranges(network, n)
