"""Blocks with polynomially bounded weights: what their votes modulo primes add up to.

Let L be the sum of a question with modulus P. By enumeration of all values of L, the gates that ask about it add up to a vote: 1
where L is congruent to 1, -1 where it is congruent to -1, else 0. By their coefficients, L is congruent to the difference S_l
of the numbers without their lowest l bits. The primes are those of `circuits.blocks.comparison.votes_for`, a certificate that is
checked. So the votes are those that `circuits.blocks.comparison` counts, and there are enough
primes: the product of the smallest c + 1 of them exceeds ``2**(n-l)`` for the c that is allowed to be wrong at l.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.blocks.block import Block
from circuits.blocks.comparison import votes_for
from circuits.matrices import Matrix
from logic.proving.block_layers import layer, require, sums
from logic.proving.session import Session

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Gates ``L[sums] + steps * ones >= levels``, each counted `counts` times; `ones` is the number of ones at one place."""

    sums: Integers
    steps: Integers
    levels: Integers
    counts: Integers


def prove_comparison_votes(block: Block, session: Session) -> None:
    """The votes add up to at least 0 iff x is at least y."""
    residue, asked, out = sums(block.network, "residue"), layer(block.network, "asked"), layer(block.network, "out")
    x, y = residue.only("x", "y")
    (read,) = asked.only("residue")
    (counted,) = out.only("asked")
    require(not residue.thresholds.any() and not (x + y).count_nonzero(), "a sum is no difference of x and y")
    require(out.thresholds.tolist() == [0], "the votes are compared with another number than 0")
    require(reads_one(read), "a gate does not read one sum once")
    none = np.zeros(len(asked.thresholds), dtype=np.int64)
    gates = Asked(read.indices.astype(np.int64), none, asked.thresholds, counted.toarray()[0])
    prove_votes(session, x.toarray(), gates, "x - y")


def prove_addition_votes(block: Block, session: Session) -> None:
    """The votes on the carry into place k, flipped where one bit of the place is 1, say whether bit k is 1.

    x and y are weighed alike, and a sum is less all its weights: it is that of x and the complement of y.
    """
    n = block.parameters["n"]
    residue, asked, out = sums(block.network, "residue"), layer(block.network, "asked"), layer(block.network, "out")
    x, y = (given.toarray() for given in residue.only("x", "y"))
    require(np.array_equal(x, y) and np.array_equal(residue.thresholds, x.sum(axis=1)), "a sum is no difference")
    (counted,) = out.only("asked")
    require(
        bool((out.thresholds == 1).all()) and len(out.thresholds) == n + 1, "votes are compared with another number"
    )
    asked.only("residue", "x", "y")
    read = asked.weights["residue"]
    steps = asked.weights["x"].toarray()
    require(np.array_equal(steps, asked.weights["y"].toarray()), "x and y are not weighed alike")
    for place in range(n + 1):
        used = counted.indices[counted.indptr[place] : counted.indptr[place + 1]]
        signs = counted.data[counted.indptr[place] : counted.indptr[place + 1]]
        own = steps[used, place] if place < n else np.zeros(len(used), dtype=np.int64)
        require(np.count_nonzero(steps[used]) == np.count_nonzero(own), f"bit {place} reads other places")
        voting = np.diff(read.indptr)[used] > 0
        prove_parity(session, place, n, own[~voting], asked.thresholds[used][~voting], signs[~voting])
        if place:
            gates, chosen = used[voting], read[used[voting]]
            require(reads_one(chosen), "a gate does not read one sum once")
            found, number = np.unique(chosen.indices, return_inverse=True)
            require(not x[found, place:].any(), f"a question on the carry into {place} reads higher places")
            questions = Asked(number, own[voting], asked.thresholds[gates], signs[voting])
            prove_votes(session, x[found, :place], questions, f"x + y - 2**{place} + 1")


def reads_one(weights: Matrix) -> bool:
    """Tell whether every row has a single weight, of 1."""
    return bool((weights.data == 1).all() and (np.diff(weights.indptr) == 1).all())


def prove_parity(session: Session, place: int, n: int, own: Integers, levels: Integers, signs: Integers) -> None:
    """The gates that read the bits of a place alone add up to 1 iff one of the two is 1; at place n there are none."""
    start = time.perf_counter()
    found = [int((signs * (own * ones >= levels)).sum()) for ones in range(3)]
    require(found == ([0, 1, 0] if place < n else [0, 0, 0]), f"bit {place} does not count the parity of its place")
    session.add(f"parity of the bits at place {place}", "enumeration", len(own), time.perf_counter() - start)


def prove_votes(session: Session, rows: Integers, asked: Asked, what: str) -> None:
    """Gates on sums L, row by row, add up to votes on the sign of a difference of n bits, and enough votes are right.

    A question that reads a number of ones as well is one for each of 0, 1, 2, with the vote flipped for 1.

    Raises:
        Unfit: they do not, or too few are certain.
    """
    start = time.perf_counter()
    n = rows.shape[1]
    primes = votes_for(n).primes
    require(len(rows) == n * len(primes), f"{what}: a question is missing")
    for number, row in enumerate(rows):
        modulus, low = primes[number // n], number % n
        powers = np.array([pow(2, place - low, modulus) if place >= low else 0 for place in range(n)])
        require(not ((row - powers) % modulus).any() and not row[:low].any(), f"{what}: a sum is none modulo {modulus}")
        mine = asked.sums == number
        reach = int(np.abs(row).sum())
        values = np.arange(-reach, reach + 1)
        wanted = np.where(values % modulus == 1, 1, np.where(values % modulus == modulus - 1, -1, 0))
        for ones, flip in ((0, 1), (1, -1), (2, 1)) if asked.steps[mine].any() else ((0, 1),):
            level = asked.levels[mine] - asked.steps[mine] * ones
            votes = (asked.counts[mine] * (values[:, None] >= level)).sum(axis=1)
            require(np.array_equal(votes, flip * wanted), f"{what}: the votes are not those modulo {modulus}")
    prime = all(p > 2 and all(p % factor for factor in range(2, p)) for p in primes) and len(set(primes)) == len(primes)
    wrong = sum(most_divisors(sorted(primes), 1 << width) for width in range(2, n + 1))
    require(prime and len(primes) > wrong, f"{what}: {len(primes)} primes, and {wrong} votes may be wrong")
    session.add(
        f"{len(asked.counts)} gates vote on the sign of {what}: {len(primes)} primes, at most {wrong} wrong votes",
        "enumeration",
        len(asked.counts),
        time.perf_counter() - start,
    )


def most_divisors(primes: list[int], limit: int) -> int:
    """How many of the primes can divide one positive number up to a limit."""
    product, count = 1, 0
    for prime in primes:
        product *= prime
        if product > limit:
            break
        count += 1
    return count
