"""Comparison: is x at least y?

With weights 2**i it is one gate. With polynomially bounded weights it takes two levels (N. Alon & J. Bruck, *Explicit
Constructions of Depth-2 Majority Circuits for Comparison and Addition*, SIAM J. Discrete Math. 7 (1994)). Theirs uses
codes; here votes modulo primes decide, as in V. Bohossian, M. Riedel & J. Bruck, *Trading Weight Size for Circuit Depth: An LT2
Circuit for Comparison* (California Institute of Technology), after M. Goldmann & M. Karpinski, *Simulating Threshold Circuits by
Majority Circuits*, SIAM J. Comput. 27 (1998).

Let ``S_l`` be the difference of x and y without their lowest l bits. At the highest bit l where they differ S_l is 1 or -1,
above it S_l is 0, below it S_l keeps its sign. For every l and every prime P of a list, the first level asks whether S_l is
congruent to 1, a vote for x, or to -1, a vote for y. S_l modulo P is a sum with weights below P, so this is a comparison with
a few integers, each by two gates. At l all k primes vote rightly; above it none votes; at a lower l a prime votes wrongly only
if it divides ``|S_l| + 1 <= 2**(n-l)``, and of the primes from p on at most ``log(2**(n-l)) / log(p)`` do. With k larger than the
sum of these bounds the votes have the sign of x - y, and no votes are left over where x = y. k and the primes are O(n**2).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.blocks.block import Block, Bound, Bounds
from circuits.blocks.wiring import Wiring, require_sizes, rows_of
from circuits.formats import BIT

Integers = np.ndarray[Any, np.dtype[np.int64]]

LEAST_PRIME = 5  # 1 and -1, and the integers after them, are apart modulo each prime


def comparison(n: int) -> Block:
    """Whether one number of n bits is at least another, by one gate.

    Raises:
        FomError: n below 1 or above 60.
    """
    require_sizes("comparison", {"n": 1}, {"n": n})
    wiring = Wiring()
    wiring.argument("x", 1, n)
    wiring.argument("y", 1, n)
    powers = 1 << np.arange(n)
    wiring.gates("out", {"x": powers[None], "y": -powers[None]}, [0])
    bounds = Bounds(Bound(1, "1"), Bound(1, "1"), Bound(2 * n, "2*n"), Bound(2 ** (n - 1), "2**(n - 1)"))
    source = "a threshold gate by definition; Siu & Bruck 1991, SIAM J. Discrete Math. 4"
    return wiring.block("comparison", "out", (1, BIT), at_least, {"n": n}, source, bounds)


def at_least(given: Sequence[int]) -> Sequence[int]:
    """1 if the first number is at least the second."""
    return [int(given[0] >= given[1])]


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """The questions of the first level: sum j has the residues ``rows[j]`` as weights, and votes count ``values`` of it.

    `of_sum[i]`, `value[i]` and `sign[i]`: vote i is `sign` if sum number `of_sum` is equal to `value`. `reach[j]` is the largest
    magnitude of sum j.
    """

    primes: tuple[int, ...]
    rows: Integers
    reach: Integers
    of_sum: Integers
    value: Integers
    sign: Integers


def primes_from(least: int) -> Iterator[int]:
    """The primes from `least` on."""
    number = max(2, least)
    while True:
        if all(number % factor for factor in range(2, int(number**0.5) + 1)):
            yield number
        number += 1


def wrong_votes(n: int, least_prime: int) -> int:
    """An upper bound on the wrong votes for numbers of n bits, when no prime is below `least_prime`."""
    total = 0
    for width in range(2, n + 1):
        count = 0
        while least_prime ** (count + 1) <= 1 << width:
            count += 1
        total += count
    return total


def votes_for(n: int) -> Votes:
    """The votes on the sign of the difference of two numbers of n bits."""
    source = primes_from(max(LEAST_PRIME, n))
    primes = [next(source)]
    wrong = wrong_votes(n, primes[0])
    primes += [next(source) for _ in range(wrong)]
    rows = np.zeros((len(primes) * n, n), dtype=np.int64)
    of_sum, value, sign = [], [], []
    for place, prime in enumerate(primes):
        residues = np.array([pow(2, e, prime) for e in range(n)])
        residues = np.where(2 * residues > prime, residues - prime, residues)
        for low in range(n):
            row = place * n + low
            rows[row, low:] = residues[: n - low]
            reach = int(np.abs(rows[row]).sum())
            for residue in (1, -1):
                found = np.arange(-((reach + residue) // prime) * prime + residue, reach + 1, prime)
                of_sum.append(np.full(len(found), row))
                value.append(found)
                sign.append(np.full(len(found), residue))
    return Votes(
        tuple(primes),
        rows,
        np.abs(rows).sum(axis=1),
        np.concatenate(of_sum),
        np.concatenate(value),
        np.concatenate(sign),
    )


def comparison_small_weights(n: int) -> Block:
    """Whether one number of n bits is at least another, in two levels with weights of O(n**2).

    Raises:
        FomError: n below 1.
    """
    require_sizes("comparison", {"n": 1}, {"n": n})
    votes = votes_for(n)
    wiring = Wiring()
    wiring.argument("x", 1, n)
    wiring.argument("y", 1, n)
    wiring.sums("residue", {"x": votes.rows, "y": -votes.rows})
    count, n_sums = len(votes.value), len(votes.rows)
    asked = rows_of(np.repeat(votes.of_sum, 2), 1, n_sums, 2 * count)
    wiring.gates("asked", {"residue": asked}, (votes.value[:, None] + np.arange(2)).ravel())
    counted = (votes.sign[:, None] * np.array([1, -1])).ravel()
    wiring.gates("out", {"asked": counted[None]}, [0])
    k, largest = len(votes.primes), votes.primes[-1]
    bounds = Bounds(
        Bound(2, "2"),
        Bound(2 * k * n * (n + 3) + 1, "2*k*n*(n + 3) + 1", exact=False),
        Bound(2 * n * 2 * k * n * (n + 3) + 2 * k * n * (n + 3), "(2*n + 1)*2*k*n*(n + 3)", exact=False),
        Bound(largest // 2, "P // 2", exact=False),
    )
    parameters = {"n": n, "k": k, "P": largest}
    source = "Alon & Bruck 1994, SIAM J. Discrete Math. 7 (depth 2, bounded weights); votes: Bohossian, Riedel & Bruck"
    return wiring.block("comparison, small weights", "out", (1, BIT), at_least, parameters, source, bounds)
