"""Addition of two numbers, in three ways: two levels with weights 2**i, three with weights 2, two with polynomial weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.blocks.block import Block, Bound, Bounds
from circuits.blocks.comparison import Votes, votes_for
from circuits.blocks.wiring import Wiring, require_sizes, rows_of
from circuits.formats import Format

Integers = np.ndarray[Any, np.dtype[np.int64]]


def total(given: Sequence[int]) -> Sequence[int]:
    """The sum of the numbers."""
    return [sum(given)]


def arguments(n: int) -> Wiring:
    """The two numbers that are added.

    Raises:
        FomError: n below 1.
    """
    require_sizes("addition", {"n": 1}, {"n": n})
    wiring = Wiring()
    wiring.argument("x", 1, n)
    wiring.argument("y", 1, n)
    return wiring


def addition(n: int) -> Block:
    """The carry into place k is one gate; bit k is ``x_k + y_k + c_k - 2 c_{k+1} >= 1``.

    Raises:
        FomError: n below 1 or above 60.
    """
    wiring = arguments(n)
    parts = np.tril(np.broadcast_to(1 << np.arange(n), (n, n)))
    wiring.gates("carry", {"x": parts, "y": parts}, 2 << np.arange(n))
    own = np.eye(n + 1, n, dtype=np.int64)
    carries = np.eye(n + 1, n, -1, dtype=np.int64) - 2 * own
    wiring.gates("out", {"x": own, "y": own, "carry": carries}, np.ones(n + 1))
    bounds = Bounds(
        Bound(2, "2"),
        Bound(2 * n + 1, "2*n + 1"),
        Bound(n * (n + 1) + 4 * n, "n*(n + 1) + 4*n"),
        Bound(max(2 ** (n - 1), 2), "max(2**(n - 1), 2)"),
    )
    source = "Siu & Bruck 1991, SIAM J. Discrete Math. 4: addition in depth 2 with weights 2**i"
    return wiring.block("addition", "out", (1, Format(n + 1, 0, 0)), total, {"n": n}, source, bounds)


def look_ahead(n: int) -> Block:
    """Carry look-ahead: a carry into k comes from the last place j where both bits are 1, if it passes all places between.

    Level 1 finds where a place passes (one bit is 1) or makes (both are 1) a carry, level 2 the places j that the carry into k
    comes from, of which there is at most one, level 3 adds. Levels 1 and 2 are ANDs and ORs.

    Raises:
        FomError: n below 1.
    """
    wiring = arguments(n)
    eye = np.eye(n, dtype=np.int64)
    both = np.concatenate([eye, eye])
    wiring.gates("local", {"x": both, "y": both}, np.repeat([1, 2], n))
    start, end = np.triu_indices(n + 1, 1)
    far = end > start + 1
    origin, target = start[far], end[far]
    widths = target - origin - 1
    row = np.repeat(np.arange(len(widths)), widths)
    between = np.arange(len(row)) - np.repeat(np.cumsum(widths) - widths, widths) + origin[row] + 1
    n_far = len(widths)
    passing = rows_of(
        np.concatenate([between, n + between, n + origin]),
        np.concatenate([np.ones(len(row)), -np.ones(len(row)), np.ones(n_far)]),
        2 * n,
        n_far,
        np.concatenate([row, row, np.arange(n_far)]),
    )
    own = np.eye(n + 1, n, dtype=np.int64)
    into = np.eye(n + 1, n, -1, dtype=np.int64)
    out: dict[str, Any] = {"x": own, "y": own, "local": np.concatenate([0 * own, into - 2 * own], axis=1)}
    if n_far:
        wiring.gates("passed", {"local": passing}, widths + 1)
        rows = np.concatenate([target, target - 1])
        out["passed"] = rows_of(np.tile(np.arange(n_far), 2), np.repeat([1, -2], n_far), n_far, n + 1, rows)
    wiring.gates("out", out, np.ones(n + 1))
    bounds = Bounds(
        Bound(3 if n > 1 else 2, "3 if n > 1 else 2"),
        Bound(2 * n + n * (n - 1) // 2 + n + 1, "2*n + n*(n - 1)//2 + n + 1"),
        Bound(
            sum(2 * (k - j) - 1 for j in range(n) for k in range(j + 2, n + 1)) + 8 * n + n * (n - 1),
            "sum(2*(k - j) - 1 for j in range(n) for k in range(j + 2, n + 1)) + 8*n + n*(n - 1)",
        ),
        Bound(2, "2"),
    )
    source = "Chandra, Stockmeyer & Vishkin 1984, SIAM J. Comput. 13: addition in constant depth by carry look-ahead"
    return wiring.block("addition, look-ahead", "out", (1, Format(n + 1, 0, 0)), total, {"n": n}, source, bounds)


def addition_small_weights(n: int) -> Block:
    """Two levels with polynomially bounded weights: votes on each carry, flipped where exactly one bit of the place is 1.

    The carry into k is 1 iff the low bits of x exceed the complement of those of y, so the votes of `comparison_small_weights`
    on that pair are positive, else at most 0. A vote is asked for each number e of ones at place k at once: with
    D beyond twice the reach of a sum L, ``L + D (x_k + y_k) = v + D e`` says ``L = v`` and ``x_k + y_k = e``. Votes count
    backwards where e = 1, and one more is added there, so that bit k is 1 iff they add up to at least 1.

    Raises:
        FomError: n below 1.
    """
    wiring = arguments(n)
    votes = [votes_for(place) for place in range(1, n + 1)]
    n_sums = np.cumsum([0, *(len(found.rows) for found in votes)])
    rows = np.zeros((n_sums[-1], n), dtype=np.int64)
    for place, found in enumerate(votes, 1):
        rows[n_sums[place - 1] : n_sums[place], :place] = found.rows
    # x less the complement of y is x + y less all ones, so that the residues are those of a difference.
    wiring.sums("residue", {"x": rows, "y": rows}, -rows.sum(axis=1))
    asked = [questions(place, n, None if place == 0 else votes[place - 1]) for place in range(n + 1)]
    counts = [len(found.counts) for found in asked]
    gate = np.arange(sum(counts))
    bit = np.repeat(np.arange(n + 1), counts)
    of_sum, step, level, sign = (np.concatenate([getattr(found, name) for found in asked]) for name in QUESTION)
    voting = of_sum >= 0
    read = rows_of((of_sum + n_sums[np.maximum(bit - 1, 0)])[voting], 1, n_sums[-1], len(gate), gate[voting])
    own = rows_of(np.minimum(bit, n - 1), step, n, len(gate))
    wiring.gates("asked", {"residue": read, "x": own, "y": own}, level)
    wiring.gates("out", {"asked": rows_of(gate, sign, len(gate), n + 1, bit)}, np.ones(n + 1))
    k_primes, largest = len(votes[-1].primes), int(max(step.max(), np.abs(rows).max()))
    per_place = 6 * k_primes * n * (n + 3) + 2
    bounds = Bounds(
        Bound(2, "2"),
        Bound((n + 1) * (per_place + 1), "(n + 1)*(6*k*n*(n + 3) + 3)", exact=False),
        Bound((2 * n + 1) * (n + 1) * per_place, "(2*n + 1)*(n + 1)*(6*k*n*(n + 3) + 2)", exact=False),
        Bound(largest, "D"),
    )
    parameters = {"n": n, "k": k_primes, "D": largest}
    source = "Alon & Bruck 1994, SIAM J. Discrete Math. 7 (depth 2, bounded weights); votes: Bohossian, Riedel & Bruck"
    return wiring.block("addition, small weights", "out", (1, Format(n + 1, 0, 0)), total, parameters, source, bounds)


QUESTION = ("sums", "steps", "levels", "counts")


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """Gates that a bit of the sum counts: ``residue[sums] + steps * (x_k + y_k) >= levels``, each `counts` times.

    The gates that read no residue have ``sums == -1``.
    """

    sums: Integers
    steps: Integers
    levels: Integers
    counts: Integers


def questions(place: int, n: int, votes: Votes | None) -> Questions:
    """The gates that bit `place` of a sum counts: the parity of the place, and the votes on the carry into it."""
    parity = Questions(np.full(2, -1), np.ones(2, dtype=np.int64), np.array([1, 2]), np.array([1, -1]))
    if votes is None:
        return parity
    own = place < n
    step = 2 * votes.reach[votes.of_sum] + 1 if own else np.zeros_like(votes.value)
    parts = [parity] if own else []
    for ones, flip in ((0, 1), (1, -1), (2, 1)) if own else ((0, 1),):
        parts.append(
            Questions(
                np.repeat(votes.of_sum, 2),
                np.repeat(step, 2),
                ((votes.value + ones * step)[:, None] + np.arange(2)).ravel(),
                (flip * votes.sign[:, None] * np.array([1, -1])).ravel(),
            )
        )
    return Questions(*(np.concatenate([getattr(part, name) for part in parts]) for name in QUESTION))
