"""Lemmas about the steps of an and-inverter graph: its rules for constants, its full adder, and sorters of any number of bits."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from circuits.bases.sorting import merge_exchange, parity
from circuits.bases.strash import Builder
from logic.smt.lemmas import Formula, Manager, Proved, boolean, prove, weighted


@cache
def rules_hold() -> bool:
    """Tell whether ANDs of two variables, their complements and constants mean what they say, in all 4 cases."""
    builder = Builder(2)
    given = np.arange(6)
    one, other = np.repeat(given, 6), np.tile(given, 6)
    both = builder.all_of(one, other)
    bits = (np.arange(4)[:, None] >> np.arange(2) & 1).astype(bool)
    found, left, right = (builder.graph(literals).evaluate(bits) for literals in (both, one, other))
    return bool((found == left & right).all())


@cache
def counts_adder() -> bool:
    """Tell whether the full adder counts: in all 8 cases, and by the solver."""
    builder = Builder(3)
    digit, carry = builder.full_adder(*builder.inputs()[:, None])
    bits = (np.arange(8)[:, None] >> np.arange(3) & 1).astype(bool)
    found = builder.graph(np.concatenate([digit, carry])).evaluate(bits).astype(np.int64)
    return bool((found @ [1, 2] == bits.sum(axis=1)).all()) and isinstance(prove(adder_claim), Proved)


def adder_claim(manager: Manager) -> Formula:
    """``a + b + c = sum + 2 carry``, for the solver."""
    a, b, c = (boolean(manager, name) for name in "abc")
    half = manager.And(manager.Not(manager.And(a, b)), manager.Or(a, b))
    first, second = manager.And(a, b), manager.And(half, c)
    digit = manager.And(manager.Not(second), manager.Or(half, c))
    carry = manager.Or(first, second)
    inputs = weighted(manager, [(1, a), (1, b), (1, c)])
    found = manager.Plus(
        manager.Ite(digit, manager.Int(1), manager.Int(0)), manager.Ite(carry, manager.Int(2), manager.Int(0))
    )
    return manager.Equals(inputs, found)


@cache
def sorts(count: int) -> bool:
    """Tell whether the comparators of a sorter sort, and digit and carries of a sorted row are its count.

    After each phase the bits at distance p are sorted, if those at distance 2p were: all such inputs are tried, class by
    class, since comparators stay within the bits of equal place modulo p. Each class merges two sorted sequences.
    """
    phases = merge_exchange(count)
    halves = [1 << bit for bit in reversed(range((count - 1).bit_length()))]
    if [p for p, _ in phases] != halves:
        return False
    for p, steps in phases:
        for residue in range(min(p, count)):
            places = np.arange(residue, count, p)
            cases = merges(len(places))
            bits = np.zeros((len(cases), count), dtype=bool)
            bits[:, places] = cases
            for distance, compared in steps:
                if distance % p:
                    return False
                here = compared[compared % p == residue]
                one, other = bits[:, here], bits[:, here + distance]
                bits[:, here], bits[:, here + distance] = one | other, one & other
            merged = bits[:, places]
            if (merged[:, 1:] & ~merged[:, :-1]).any() or (merged.sum(axis=1) != cases.sum(axis=1)).any():
                return False
    return counts_sorted(count)


def merges(count: int) -> Any:
    """All rows of `count` bits whose even and whose odd places are sorted, ones first."""
    even, odd = (count + 1) // 2, count // 2
    ones = np.array([(i, j) for i in range(even + 1) for j in range(odd + 1)])
    cases = np.zeros((len(ones), count), dtype=bool)
    cases[:, 0::2] = np.arange(even) < ones[:, :1]
    cases[:, 1::2] = np.arange(odd) < ones[:, 1:]
    return cases


def counts_sorted(count: int) -> bool:
    """Tell whether ``digit + 2 * carries`` is the number of ones of every sorted row."""
    builder = Builder(count)
    given = builder.inputs()[None]
    digit = builder.graph(parity(builder, given))
    bits = np.arange(count) < np.arange(count + 1)[:, None]
    found = digit.evaluate(bits)[:, 0] + 2 * bits[:, 1::2].sum(axis=1)
    return bool((found == np.arange(count + 1)).all())
