"""Blocks that add: bits of a sum by thermometers, carries, carry look-ahead."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from circuits.blocks.block import Block
from circuits.network import Product
from logic.proving.block_layers import ask, bits, fires, layer, require, sums
from logic.proving.session import Session
from logic.smt.lemmas import Build, Formula, Manager, boolean, integer, weighted

Integers = np.ndarray[Any, np.dtype[np.int64]]


def prove_iterated_addition(block: Block, session: Session) -> None:
    """Every bit of the result is that of the sum of all numbers."""
    (argument,) = block.arguments
    prove_sum_bits(block, session, "x", np.tile(np.arange(argument.format.bits), argument.numbers))


def prove_multiplication(block: Block, session: Session) -> None:
    """The product is the sum of ``2**(i + j) x_i y_j``; every bit of the result is that of this sum."""
    start = time.perf_counter()
    node = block.network.by_name.get("xy")
    require(isinstance(node, Product), "`xy` is no product")
    if isinstance(node, Product):
        n = block.parameters["n"]
        pairs = set(zip(node.left_index.tolist(), node.right_index.tolist(), strict=True))
        right = (node.left.node, node.right.node) == ("x", "y") and len(pairs) == node.size == n * n
        require(right, "`xy` is not every pair of a bit of x and a bit of y, once")
        session.add(f"`xy` is every pair of bits x_i y_j, i, j < {n}", "structure", 1, time.perf_counter() - start)
        prove_sum_bits(block, session, "xy", node.left_index + node.right_index)


def prove_sum_bits(block: Block, session: Session, source: str, exponents: Integers) -> None:
    """Bit b of ``S = sum 2**exponent * bit`` is bit b of a part that differs by a multiple of ``2**(b+1)``."""
    network = block.network
    parts = sums(network, "part")
    (weights,) = parts.only(source)
    require(not parts.thresholds.any() and bool((weights.data > 0).all()), "a part adds a constant or subtracts")
    reached, out = layer(network, "reached"), layer(network, "out")
    (asked,) = reached.only("part")
    out.only("reached")
    require(bool((asked.data == 1).all() and (np.diff(asked.indptr) == 1).all()), "a gate does not read one part once")
    full = 1 << exponents.astype(np.int64)
    most = int(full.sum())
    n_bits = len(out.thresholds)
    require(block.results[1].bits == n_bits == most.bit_length(), f"the sum is up to {most}, not of {n_bits} bits")
    dense = weights.toarray()
    for bit in range(n_bits):
        columns = out.row(bit)["reached"][0]
        (part,) = {int(asked.indices[column]) for column in columns} or {-1}
        require(part >= 0 and not ((full - dense[part]) % (2 << bit)).any(), f"bit {bit} reads a part that is not S")
        largest = int(dense[part].sum())

        def build(manager: Manager, bit: int = bit, largest: int = largest) -> Formula:
            total = integer(manager, "S")
            inside = manager.And(manager.GE(total, manager.Int(0)), manager.LE(total, manager.Int(largest)))
            symbols = {column: boolean(manager, f"g{column}") for column in out.row(bit)["reached"][0]}
            equations = [
                manager.Iff(symbol, manager.GE(total, manager.Int(int(reached.thresholds[column]))))
                for column, symbol in symbols.items()
            ]
            fired = fires(manager, out, bit, {"reached": symbols})
            return manager.Implies(manager.And(inside, *equations), bit_is(manager, total, bit, fired))

        ask(
            session,
            f"for every integer S from 0 to {largest}, {len(columns)} comparisons and one gate give bit {bit} of S",
            build,
        )


def bit_is(manager: Manager, total: Formula, bit: int, fired: Formula) -> Formula:
    """A formula is bit number `bit` of a number from 0 on, which is ``2**(bit+1) q + 2**bit v + r`` for integers q, v, r.

    Stated for all q, v, r that are so: they exist and are unique.
    """
    q, v, r = integer(manager, "q"), boolean(manager, "v"), integer(manager, "r")
    split = manager.Equals(total, weighted(manager, [(2 << bit, q), (1 << bit, v), (1, r)]))
    inside = manager.And(manager.GE(r, manager.Int(0)), manager.LT(r, manager.Int(1 << bit)))
    return manager.Implies(manager.And(split, inside), manager.Iff(fired, v))


def prove_addition(block: Block, session: Session) -> None:
    """Every bit of the result is that of x + y: bit k is that of the sum of their bits up to k."""
    n = block.parameters["n"]
    carry, out = layer(block.network, "carry"), layer(block.network, "out")
    carry.only("x", "y")
    out.only("x", "y", "carry")
    require(len(out.thresholds) == n + 1 == block.results[1].bits, f"the result has not {n + 1} bits")

    def claim(place: int) -> Build:
        def build(manager: Manager) -> Formula:
            x, x_bits = bits(manager, "x", n)
            y, y_bits = bits(manager, "y", n)
            given = {"x": x, "y": y}
            last = min(place, n - 1) + 1
            low = [(1 << i, given[name][i]) for name in given for i in range(last)]
            total = integer(manager, "S")
            carries = {column: boolean(manager, f"c{column}") for column in out.row(place)["carry"][0]}
            equations = [
                manager.Iff(symbol, fires(manager, carry, column, given)) for column, symbol in carries.items()
            ]
            fired = fires(manager, out, place, {**given, "carry": carries})
            known = manager.And(x_bits, y_bits, manager.Equals(total, weighted(manager, low)), *equations)
            return manager.Implies(known, bit_is(manager, total, place, fired))

        return build

    for place in range(n + 1):
        ask(session, f"bit {place} of x + y, for all x and y of {n} bits", claim(place))


def prove_look_ahead(block: Block, session: Session) -> None:
    """By induction on the place k: what comes in from places j < k is one carry or none, and it is the carry of x + y.

    The gate of (j, k + 1) asks what that of (j, k) asks and one place more, so that it is their conjunction.
    """
    n = block.parameters["n"]
    start = time.perf_counter()
    local, out = layer(block.network, "local"), layer(block.network, "out")
    eye = np.eye(n, dtype=np.int64)
    for given in local.only("x", "y"):
        require(np.array_equal(given.toarray(), np.concatenate([eye, eye])), "`local` reads other bits")
    require(local.thresholds.tolist() == [1] * n + [2] * n, "`local` is no OR and AND of each place")
    origin, known = carries_of(block)
    dense = {source: weights.toarray() for source, weights in out.weights.items()}
    own = np.eye(n + 1, n, dtype=np.int64)
    require(all(np.array_equal(dense[name], own) for name in ("x", "y")), "a bit of the result reads other bits")
    require(bool((out.thresholds == 1).all()), "a bit of the result has another threshold")
    for place in range(n + 1):
        near = np.zeros(2 * n, dtype=np.int64)
        far = np.zeros(len(origin), dtype=np.int64)
        for target, weight in ((place, 1), (place + 1, -2)):
            if 1 <= target <= n:
                near[n + target - 1] += weight
                far[[row for (_, end), row in known.items() if end == target]] += weight
        fits = np.array_equal(dense["local"][place], near) and (
            not known or np.array_equal(dense["passed"][place], far)
        )
        require(fits, f"bit {place} does not add the carries into it, less twice those out of it")
    statement = (
        f"{len(known)} gates of carries over several places each ask one place more than another; {n + 1} sums of them"
    )
    session.add(statement, "structure", len(known) + 3 * n + 1, time.perf_counter() - start)

    def longer(manager: Manager) -> Formula:
        u, level = integer(manager, "u"), integer(manager, "t")
        either, both = boolean(manager, "o"), boolean(manager, "a")
        more = manager.GE(weighted(manager, [(1, u), (1, either), (-1, both)]), manager.Plus(level, manager.Int(1)))
        passes = manager.And(either, manager.Not(both))
        known = manager.And(manager.LE(u, level), manager.Implies(both, either))
        return manager.Implies(known, manager.Iff(more, manager.And(manager.GE(u, level), passes)))

    def carried(manager: Manager) -> Formula:
        x, y, carry = boolean(manager, "x"), boolean(manager, "y"), boolean(manager, "c")
        incoming, passed = integer(manager, "C"), integer(manager, "P")
        passes = manager.Not(manager.Iff(x, y))
        after = manager.Plus(passed, manager.Ite(manager.And(x, y), manager.Int(1), manager.Int(0)))
        known = manager.And(
            manager.Equals(incoming, manager.Ite(carry, manager.Int(1), manager.Int(0))),
            manager.Equals(passed, manager.Ite(passes, incoming, manager.Int(0))),
        )
        here = weighted(manager, [(1, x), (1, y), (1, carry)])
        two = manager.GE(here, manager.Int(2))
        bit = manager.GE(manager.Minus(here, manager.Times(manager.Int(2), after)), manager.Int(1))
        right = manager.Equals(
            here,
            manager.Plus(manager.Times(manager.Int(2), after), manager.Ite(bit, manager.Int(1), manager.Int(0))),
        )
        one = manager.Equals(after, manager.Ite(two, manager.Int(1), manager.Int(0)))
        return manager.Implies(known, manager.And(one, right))

    ask(session, "a gate that asks one place more fires iff the shorter one does and the place passes a carry", longer)
    ask(
        session,
        "with a carry of 0 or 1 into a place, what comes out is 0 or 1, and twice that and the bit add up",
        carried,
    )


def carries_of(block: Block) -> tuple[list[int], dict[tuple[int, int], int]]:
    """The place j where each gate of `passed` begins, and the gates by (j, k), checked to grow place by place."""
    n = block.parameters["n"]
    if "passed" not in block.network.by_name:
        require(n == 1, "there are no carries over several places")
        return [], {}
    passed = layer(block.network, "passed")
    (weights,) = passed.only("local")
    dense = weights.toarray()
    known: dict[tuple[int, int], int] = {}
    origin = []
    for row, level in enumerate(passed.thresholds.tolist()):
        first = [int(place) for place in np.flatnonzero(dense[row, n:] == 1)]
        require(len(first) == 1, "a carry begins at no place or at several")
        target = first[0] + level
        wanted = np.zeros(2 * n, dtype=np.int64)
        wanted[n + first[0]] = 1
        wanted[first[0] + 1 : target] = 1
        wanted[n + first[0] + 1 : n + target] = -1
        require(first[0] + 2 <= target <= n and np.array_equal(dense[row], wanted), "a carry asks other places")
        known[first[0], target] = row
        origin.append(first[0])
    require(len(known) == n * (n - 1) // 2 == len(origin), "carries are missing")
    return origin, known
