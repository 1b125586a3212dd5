"""Maximum and sorting, by comparing all pairs.

In ascending order, equal numbers in the order in which they are given, the rank of a number is the count of those before it,
a sum of comparisons. A bit of the result at rank k is that bit of the number with rank k; "rank at least k, and the bit is 1" is
one gate, and the difference of two of them is "rank k, and the bit is 1".

Source: K.-Y. Siu, J. Bruck, T. Kailath & T. Hofmeister, *Depth Efficient Neural Networks for Division and Related Problems*,
IEEE Trans. Inform. Theory 39 (1993): sorting in depth 3. `maximum` is the gadget of `circuits.network_to_family` instead: a
search with one OR over the candidates, whose size does not grow with the square of their number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from circuits.blocks.block import Block, Bound, Bounds
from circuits.blocks.digits import search
from circuits.blocks.wiring import Wiring, require_sizes, rows_of
from circuits.formats import Format
from circuits.matrices import Matrix
from circuits.network import Maximum
from circuits.positions import Ref

Integers = np.ndarray[Any, np.dtype[np.int64]]

SOURCE = "Siu, Bruck, Kailath & Hofmeister 1993, IEEE Trans. Inform. Theory 39"


def largest(given: Sequence[int]) -> Sequence[int]:
    """The largest of the numbers."""
    return [max(given)]


def compared_pairs(m: int, n: int) -> tuple[Wiring, Integers, Integers]:
    """Gates `after` for the pairs i < j of m numbers of n bits: number j is at least number i.

    Returns:
        The wiring, and the two numbers of each pair.

    Raises:
        FomError: a parameter below its least value.
    """
    require_sizes("ordering", {"m": 2, "n": 1}, {"m": m, "n": n})
    wiring = Wiring()
    wiring.argument("x", m, n)
    first, second = np.triu_indices(m, 1)
    powers, bits = 1 << np.arange(n), np.arange(n)
    columns = np.concatenate([second[:, None] * n + bits, first[:, None] * n + bits], axis=1)
    weights = np.tile(np.concatenate([powers, -powers]), len(first))
    rows = np.repeat(np.arange(len(first)), 2 * n)
    pairs = rows_of(columns.ravel(), weights, m * n, len(first), rows)
    wiring.gates("after", {"x": pairs}, np.zeros(len(first)))
    return wiring, first, second


def wins(first: Integers, second: Integers, m: int) -> Matrix:
    """For each number the pairs that it comes out of as the later one, less those that it enters as the earlier one and loses.

    With the count of numbers after it that is its rank.
    """
    pairs = np.arange(len(first))
    rows = np.concatenate([second, first])
    return rows_of(np.tile(pairs, 2), np.repeat([1, -1], len(pairs)), len(pairs), m, rows)


def maximum_of_pairs(m: int, n: int) -> Block:
    """The largest of m numbers of n bits: the last one that is at least all others.

    Raises:
        FomError: fewer than 2 numbers, or of no bits.
    """
    wiring, first, second = compared_pairs(m, n)
    number = np.arange(m)
    # At least every number before it, and above every number after it.
    beats = wins(first, second, m)
    spread = rows_of(np.repeat(number, n), 1, m, m * n)
    wiring.gates("won", {"after": spread @ beats, "x": np.eye(m * n, dtype=np.int64)}, np.repeat(number, n) + 1)
    wiring.gates("out", {"won": np.tile(np.eye(n, dtype=np.int64), m)}, np.ones(n))
    bounds = Bounds(
        Bound(3, "3"),
        Bound(m * (m - 1) // 2 + m * n + n, "m*(m - 1)//2 + m*n + n"),
        Bound(m * (m - 1) * n + m * n * m + m * n, "m*(m - 1)*n + m*m*n + m*n"),
        Bound(2 ** (n - 1), "2**(n - 1)"),
    )
    parameters = {"m": m, "n": n}
    source = f"{SOURCE}; Siu & Bruck 1991, SIAM J. Discrete Math. 4 (maximum in depth 3)"
    return wiring.block("maximum of pairs", "out", (1, Format(n, 0, 0)), largest, parameters, source, bounds)


def sorting(m: int, n: int) -> Block:
    """Put m numbers of n bits in ascending order.

    Raises:
        FomError: fewer than 2 numbers, or of no bits.
    """
    wiring, first, second = compared_pairs(m, n)
    number, rank, bit = (axis.ravel() for axis in np.indices((m, m, n)))
    wiring.sums("rank", {"after": wins(first, second, m)}, m - 1 - np.arange(m))
    count = m * m * n
    wiring.gates(
        "placed",
        {"rank": rows_of(number, 1, m, count), "x": rows_of(number * n + bit, m, m * n, count)},
        rank + m,
    )
    gate = np.arange(count)
    below = rank > 0
    collect = rows_of(
        np.concatenate([gate, gate[below]]),
        np.concatenate([np.ones(count), -np.ones(below.sum())]),
        count,
        m * n,
        np.concatenate([rank * n + bit, (rank[below] - 1) * n + bit[below]]),
    )
    wiring.gates("out", {"placed": collect}, np.ones(m * n))
    bounds = Bounds(
        Bound(3, "3"),
        Bound(m * (m - 1) // 2 + m * m * n + m * n, "m*(m - 1)//2 + m*m*n + m*n"),
        Bound(m * (m - 1) * n + m**3 * n + (2 * m - 1) * m * n, "m*(m - 1)*n + m**3*n + (2*m - 1)*m*n"),
        Bound(max(2 ** (n - 1), m), "max(2**(n - 1), m)"),
    )

    def reference(given: Sequence[int]) -> Sequence[int]:
        return sorted(given)

    parameters = {"m": m, "n": n}
    source = f"{SOURCE}, sorting in depth 3"
    return wiring.block("sorting", "out", (m, Format(n, 0, 0)), reference, parameters, source, bounds)


def maximum(m: int, n: int, depth: str = "compact") -> Block:
    """The largest of m numbers of n bits, by a search over its digits with an OR over all candidates.

    Raises:
        FomError: fewer than 1 number, or of no bits; an unknown depth choice.
    """
    require_sizes("maximum", {"m": 1, "n": 1}, {"m": m, "n": n})
    found = search(n, depth, "n")
    wiring = Wiring()
    format_ = Format(n, 0, 0)
    wiring.words("x", m, format_)
    wiring.put(Maximum("out", 0, 1, Ref("x"), np.arange(m)[None], None, (), format_))
    compared, said = found.comparisons.value, found.comparisons.formula
    bounds = Bounds(
        Bound(found.levels.value + found.digits.value, f"{found.levels.formula} + {found.digits.formula}"),
        Bound(found.gates.value + m * compared, f"{found.gates.formula} + m*{said}"),
        Bound((2 * n + 1) * m * compared + n * 2**n, f"(2*n + 1)*m*{said} + n*2**n", exact=False),
        Bound(2 ** (n - 1), "2**(n - 1)"),
    )
    parameters = {"m": m, "n": n}
    source = "one OR over comparisons: exists i, x_i >= c; digits as in Siu & Roychowdhury 1994"
    return wiring.block(f"maximum, {depth}", "out", (1, format_), largest, parameters, source, bounds, depth)
