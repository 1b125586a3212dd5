"""Blocks that compare: one comparison, and ranks and maxima from the comparisons of all pairs.

Once the comparisons are known to be those of the numbers, the numbers may be any integers, and what is proved of ranks does not
depend on how many bits they have. Equal numbers are in the order in which they are given.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from circuits.blocks.block import Block
from circuits.matrices import canonical
from logic.proving.block_layers import Layer, ask, bits, fires, layer, require, spelled, sums
from logic.proving.session import Session
from logic.smt.lemmas import Formula, Manager, boolean, integer, weighted

Integers = np.ndarray[Any, np.dtype[np.int64]]


def prove_comparison(block: Block, session: Session) -> None:
    """The gate fires iff x is at least y."""
    n = block.parameters["n"]
    out = layer(block.network, "out")
    out.only("x", "y")

    def build(manager: Manager) -> Formula:
        x, y = integer(manager, "X"), integer(manager, "Y")
        low, x_bits = bits(manager, "x", n)
        high, y_bits = bits(manager, "y", n)
        known = [manager.Equals(x, spelled(manager, low)), manager.Equals(y, spelled(manager, high))]
        fired = fires(manager, out, 0, {"x": low, "y": high})
        return manager.Implies(manager.And(x_bits, y_bits, *known), manager.Iff(fired, manager.GE(x, y)))

    ask(session, f"for all X and Y of {n} bits, one gate says whether X >= Y", build)


def pairs_compared(block: Block, session: Session) -> Integers:
    """Check that gate p of `after` asks whether number j is at least number i, for every pair i < j once.

    Returns:
        For each number i the row of weights of `after` that adds up to its rank, less the count of numbers after it: the rank
        of i counts the numbers before it, and j before i is ``after`` of (j, i), or 1 less ``after`` of (i, j).

    Raises:
        Unfit: a gate asks something else, or a pair is missing.
    """
    start = time.perf_counter()
    m, n = block.parameters["m"], block.parameters["n"]
    after = layer(block.network, "after")
    (weights,) = after.only("x")
    powers = 1 << np.arange(n)
    rows = weights.toarray().reshape(-1, m, n)
    require(not after.thresholds.any(), "a comparison has another threshold than 0")
    ranks = np.zeros((m, len(rows)), dtype=np.int64)
    found = set()
    for pair, row in enumerate(rows):
        plus, minus = (np.flatnonzero((row == sign * powers).all(axis=1)).tolist() for sign in (1, -1))
        two = len(plus) == len(minus) == 1 and np.count_nonzero(row) == 2 * n
        require(two and minus[0] < plus[0], "a gate of `after` does not compare two numbers")
        found.add((minus[0], plus[0]))
        ranks[plus[0], pair] = 1
        ranks[minus[0], pair] = -1
    require(len(found) == len(rows) == m * (m - 1) // 2, "a pair is not compared")
    statement = f"{len(found)} gates compare every pair of {m} numbers of {n} bits: their weights are 2**i and -2**i"
    session.add(statement, "coefficients", len(found), time.perf_counter() - start)
    ask(session, "a number before another, by value and then by place, has fewer numbers before it", order_claim)
    return ranks


def order_claim(manager: Manager) -> Formula:
    """By value and then by place is a strict total order; in it ranks are different, and grow as the numbers do."""
    values = [integer(manager, f"v{i}") for i in range(3)]
    places = [integer(manager, f"i{i}") for i in range(3)]

    def before(i: int, j: int) -> Formula:
        same = manager.And(manager.Equals(values[i], values[j]), manager.LT(places[i], places[j]))
        return manager.Or(manager.LT(values[i], values[j]), same)

    apart = manager.Not(manager.Equals(places[0], places[1]))
    total = manager.Implies(apart, manager.Iff(before(0, 1), manager.Not(before(1, 0))))
    transitive = manager.Implies(manager.And(before(0, 1), before(1, 2)), before(0, 2))
    sorts = manager.Implies(before(0, 1), manager.LE(values[0], values[1]))
    return manager.And(total, transitive, sorts, manager.Not(before(0, 0)))


def number_read(middle: Layer, ranks: Integers, gate: int, n: int) -> tuple[int, int]:
    """The number whose bits a gate reads, and how often it adds its rank less the count of numbers after it.

    Raises:
        Unfit: it adds something else.
    """
    columns, _ = middle.row(gate)["x"]
    numbers = {column // n for column in columns}
    require(len(numbers) == 1, "a gate reads bits of several numbers, or of none")
    number = numbers.pop()
    row = middle.weights["after"][[gate]].toarray()[0]
    times = int(row @ ranks[number]) // len(ranks[number].nonzero()[0])
    require(np.array_equal(row, times * ranks[number]), "a gate adds no multiple of the rank of its number")
    return number, times


def prove_rank(block: Block, session: Session, middle: Layer, ranks: Integers, place: int, rank: int) -> None:
    """Bit `place` of the result is that bit of the number with the given rank, whatever the bits are.

    `middle` is the level between the comparisons and the result; it reads `after` and the bits.
    """
    m, n = block.parameters["m"], block.parameters["n"]
    out = layer(block.network, "out")
    (source,) = out.weights

    def build(manager: Manager) -> Formula:
        rank_of = [integer(manager, f"r{i}") for i in range(m)]
        given = [boolean(manager, f"x{i}") for i in range(m * n)]
        symbols, equations = {}, []
        for gate in out.row(place)[source][0]:
            number, times = number_read(middle, ranks, gate, n)
            columns, weights = middle.row(gate)["x"]
            terms = [(times, rank_of[number])]
            terms += [(weight, given[column]) for column, weight in zip(columns, weights, strict=True)]
            added = weighted(manager, terms, -times * (m - 1 - number))
            symbols[gate] = boolean(manager, f"g{gate}")
            fired = manager.GE(added, manager.Int(int(middle.thresholds[gate])))
            equations.append(manager.Iff(symbols[gate], fired))
        zero, most, wanted = manager.Int(0), manager.Int(m - 1), manager.Int(rank)
        inside = [manager.And(manager.GE(r, zero), manager.LE(r, most)) for r in rank_of]
        here = [manager.Equals(r, wanted) for r in rank_of]
        fired = fires(manager, out, place, {source: symbols})
        cases = []
        for number in range(m):
            others = [manager.Not(one) for i, one in enumerate(here) if i != number]
            alone = manager.And(here[number], *others)
            cases.append(manager.Implies(alone, manager.Iff(fired, given[number * n + place % n])))
        return manager.Implies(manager.And(*inside, *equations), manager.And(cases))

    ask(
        session,
        f"for all ranks from 0 to {m - 1}, if {rank} is that of one number only then bit {place % n} of it is the result's",
        build,
    )


def prove_maximum_of_pairs(block: Block, session: Session) -> None:
    """Every bit of the result is that of the number with the largest rank, which is the largest."""
    m, n = block.parameters["m"], block.parameters["n"]
    ranks = pairs_compared(block, session)
    won, out = layer(block.network, "won"), layer(block.network, "out")
    won.only("after", "x")
    out.only("won")
    require(len(out.thresholds) == n, "bits are missing")
    for place in range(n):
        prove_rank(block, session, won, ranks, place, m - 1)


def prove_sorting(block: Block, session: Session) -> None:
    """Every bit at rank k is that of the number with rank k."""
    m, n = block.parameters["m"], block.parameters["n"]
    ranks = pairs_compared(block, session)
    rank, placed, out = sums(block.network, "rank"), layer(block.network, "placed"), layer(block.network, "out")
    (counts,) = rank.only("after")
    of_rank, of_bits = placed.only("rank", "x")
    out.only("placed")
    require(len(out.thresholds) == m * n, "bits are missing")
    thresholds = placed.thresholds + of_rank @ rank.thresholds
    middle = Layer({"after": canonical(of_rank @ counts), "x": of_bits}, thresholds)
    for place in range(m * n):
        prove_rank(block, session, middle, ranks, place, place // n)
