"""Functions given by a table: of the number of ones, of a number, and of single bits; two levels each.

A function of a sum is a step function: the first level compares the sum with every argument where the value changes, and a bit
of the value is an alternating sum of these comparisons. For the number of ones all weights are 1 (symmetric functions, with
parity and majority among them); for the number that k bits spell the weights are 2**i, and every function of k bits is one.
The normal form has weights of 1 and one AND for each argument where the value is not 0.

Source: S. Muroga, *Threshold Logic and Its Applications* (1971); R. Minnick, *Linear-Input Logic*, IRE Trans. Electron. Comput.
10 (1961).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.blocks.block import Block, Bound, Bounds
from circuits.blocks.wiring import Wiring, require_sizes, rows_of
from circuits.diagnostics import fail
from circuits.formats import BIT, Format

SOURCE = "Minnick 1961, IRE Trans. Electron. Comput. 10; Muroga 1971, Threshold Logic and Its Applications"
MOST_BITS = 20


def format_of(values: Sequence[int]) -> Format:
    """The shortest format from 0 on that has all values.

    Raises:
        FomError: a value below 0.
    """
    if min(values) < 0:
        raise fail("C038", f"a table has values from 0 on, not {min(values)}")
    return Format(max(1, max(values).bit_length()), 0, 0)


def tabulated(wiring: Wiring, values: Sequence[int], weights: Sequence[int]) -> tuple[str, Format, dict[str, int]]:
    """Append ``values[S]`` of the sum S of weighted bits; the node, its format, and the counts that bounds speak of.

    The counts are `steps`, the arguments where the value changes, `b`, the bits of the values, and `flips`, the changes of
    single bits. A single step from 0 to 1 is one gate.
    """
    format_ = format_of(values)
    codes = np.asarray(values, dtype=np.int64)
    breaks = np.flatnonzero(np.diff(codes)) + 1
    wiring.sums("S", {"x": np.asarray(weights, dtype=np.int64)[None]})
    taken = codes[np.concatenate([[0], breaks])]
    wiring.steps("out", "S", breaks, taken, format_)
    flips = int(sum(((taken[1:] ^ taken[:-1]) >> bit & 1).sum() for bit in range(format_.bits)))
    return "out", format_, {"steps": len(breaks), "b": format_.bits, "flips": flips}


def bounds_of(counts: dict[str, int], k: int, weight: Bound, alone: bool) -> Bounds:
    """The bounds of a table of k bits; `alone`: it is a single gate."""
    steps, bits, flips = counts["steps"], counts["b"], counts["flips"]
    if alone:
        return Bounds(Bound(1, "1"), Bound(1, "1"), Bound(k, "k"), weight)
    return Bounds(
        Bound(2 if steps else 1, "2 if steps else 1"),
        Bound(steps + bits, "steps + b"),
        Bound(k * steps + flips, "k*steps + flips"),
        weight if steps else Bound(0, "0"),
    )


def symmetric(values: Sequence[int]) -> Block:
    """``values[s]``, s the number of ones among ``len(values) - 1`` bits.

    Raises:
        FomError: fewer than two values, or one below 0.
    """
    k = len(values) - 1
    require_sizes("a symmetric function", {"k": 1}, {"k": k})
    wiring = Wiring()
    wiring.argument("x", k, 1)
    out, format_, counts = tabulated(wiring, values, [1] * k)
    bounds = bounds_of(counts, k, Bound(1, "1"), counts["steps"] == 1 and list(values)[::k] == [0, 1])

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [values[sum(given)]]

    return wiring.block("symmetric function", out, (1, format_), reference, {"k": k, **counts}, SOURCE, bounds)


def parity(k: int) -> Block:
    """Whether an odd number of k bits is 1; ``k + 1`` gates.

    Raises:
        FomError: k below 1.
    """
    require_sizes("parity", {"k": 1}, {"k": k})
    wiring = Wiring()
    wiring.argument("x", k, 1)
    values = [s % 2 for s in range(k + 1)]
    out, format_, counts = tabulated(wiring, values, [1] * k)
    bounds = Bounds(
        Bound(2 if k > 1 else 1, "2 if k > 1 else 1"),
        Bound(k + 1 if k > 1 else 1, "k + 1 if k > 1 else 1"),
        Bound(k * k + k if k > 1 else 1, "k*k + k if k > 1 else 1"),
        Bound(1, "1"),
    )

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [sum(given) % 2]

    return wiring.block("parity", out, (1, format_), reference, {"k": k, **counts}, SOURCE, bounds)


def table(values: Sequence[int]) -> Block:
    """``values[x]``, x a number of k bits, for ``2**k`` values: comparisons of x, with weights 2**i.

    Raises:
        FomError: a number of values that is no power of two from 2 on, or a value below 0.
    """
    k = bits_of_table(values)
    wiring = Wiring()
    wiring.argument("x", 1, k)
    out, format_, counts = tabulated(wiring, values, [1 << i for i in range(k)])
    alone = counts["steps"] == 1 and [values[0], values[-1]] == [0, 1]
    bounds = bounds_of(counts, k, Bound(2 ** (k - 1), "2**(k - 1)"), alone)

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [values[given[0]]]

    return wiring.block("table", out, (1, format_), reference, {"k": k, **counts}, SOURCE, bounds)


def normal_form(values: Sequence[int]) -> Block:
    """``values[x]``, x a number of k bits, for ``2**k`` values: one AND for each x whose value is not 0, an OR for each bit.

    Raises:
        FomError: a number of values that is no power of two from 2 on, or a value below 0; all values are 0.
    """
    k = bits_of_table(values)
    format_ = format_of(values)
    codes = np.asarray(values, dtype=np.int64)
    (terms,) = np.nonzero(codes)
    if not len(terms):
        raise fail("C038", "a normal form needs a value other than 0")
    wiring = Wiring()
    wiring.argument("x", 1, k)
    ones = terms[:, None] >> np.arange(k) & 1
    wiring.gates("term", {"x": 2 * ones - 1}, ones.sum(axis=1))
    has = codes[terms][None] >> np.arange(format_.bits)[:, None] & 1
    rows, columns = np.nonzero(has)
    wiring.gates("out", {"term": rows_of(columns, 1, len(terms), format_.bits, rows)}, np.ones(format_.bits))
    set_bits = int(has.sum())
    bounds = Bounds(
        Bound(2, "2"),
        Bound(len(terms) + format_.bits, "terms + b"),
        Bound(k * len(terms) + set_bits, "k*terms + ones"),
        Bound(1, "1"),
    )

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [values[given[0]]]

    parameters = {"k": k, "terms": len(terms), "b": format_.bits, "ones": set_bits}
    return wiring.block("normal form", "out", (1, format_), reference, parameters, SOURCE, bounds)


def majority(k: int) -> Block:
    """Whether at least half of k bits are 1: one gate.

    Raises:
        FomError: k below 1.
    """
    require_sizes("majority", {"k": 1}, {"k": k})
    wiring = Wiring()
    wiring.argument("x", k, 1)
    wiring.gates("out", {"x": np.ones((1, k), dtype=np.int64)}, [(k + 1) // 2])
    bounds = Bounds(Bound(1, "1"), Bound(1, "1"), Bound(k, "k"), Bound(1, "1"))

    def reference(given: Sequence[int]) -> Sequence[int]:
        return [int(2 * sum(given) >= k)]

    return wiring.block("majority", "out", (1, BIT), reference, {"k": k}, "a threshold gate by definition", bounds)


def bits_of_table(values: Sequence[int]) -> int:
    """The k of a table of ``2**k`` values.

    Raises:
        FomError: there is none, or more than a limit.
    """
    k = len(values).bit_length() - 1
    if k < 1 or len(values) != 1 << k or k > MOST_BITS:
        raise fail("C038", f"a table has 2, 4, 8, ... 2**{MOST_BITS} values, not {len(values)}")
    return k
