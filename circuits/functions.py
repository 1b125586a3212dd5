"""Scalar functions of exact values: their codes, and the tables that they are.

A `Function` is a table that nobody wrote out. A circuit needs the table, one gate for each of its steps, and finds it by
trying every integer that the argument can be: what comes out is the function, and not an approximation of it.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.network import Exact, Function, Network, Table
from circuits.positions import is_safe
from circuits.ranges import ranges

Integers = np.ndarray[Any, np.dtype[np.int64]]
Truths = np.ndarray[Any, np.dtype[np.bool_]]

TABLE_GATES = 1 << 16
MOST_ARGUMENTS = 1 << 24
CHUNK = 1 << 20
EXACT = 1 << 53


def codes_of(node: Function, sums: Integers) -> tuple[Integers, Truths]:
    """The codes of a function at exact arguments, and where it has none because it is not a number there."""
    values = node.function(np.ldexp(sums.astype(np.float64), -node.frac))
    undefined = np.isnan(values)
    return node.format.encode(np.where(undefined, 0.0, values)), undefined


def evaluate_function(node: Function, sums: Integers, first: int) -> Integers:
    """The codes of a function.

    Args:
        first: the number of the first input of the batch, for diagnostics.

    Raises:
        FomError: the function is not a number at an argument, or a whole argument is not a float64.
    """
    if node.frac == 0 and sums.size and max(-int(sums.min()), int(sums.max())) > EXACT:
        raise fail(
            "C028",
            "a function of a whole number beyond 2**53, which float64 does not hold exactly",
            where=f"node `{node.name}`",
            help="keep whole numbers below 2**53 where they go into a function",
        )
    codes, undefined = codes_of(node, sums)
    if undefined.any():
        place = tuple(int(axis[0]) for axis in np.nonzero(undefined))
        argument = float(np.ldexp(float(sums[place]), -node.frac))
        raise fail(
            "C029",
            f"the function is not a number at {argument:g}",
            where=f"node `{node.name}`, input {first + place[0]}, element {place[-1]}",
            help="leave that input out, or keep the argument where the function is defined",
        )
    return codes


def written_out(network: Network) -> Network:
    """The same network with every `Function` written out as a `Table`.

    Where a function is not a number its network has no value; the table has the code nearest to 0 there.

    Raises:
        FomError: a table has too many steps, or an argument too many values, to be written out.
    """
    if not any(isinstance(node, Function) for node in network.nodes):
        return network
    nodes = tuple(table_of(network, node) if isinstance(node, Function) else node for node in network.nodes)
    return replace(network, nodes=nodes)


def table_of(network: Network, node: Function) -> Table:
    """The table of a function over all values of its argument.

    Raises:
        FomError: it has too many steps, or its argument too many values.
    """
    low, high = argument_range(network, node)
    if high - low >= MOST_ARGUMENTS:
        why = f"its argument has {high - low + 1:,} values, and at most {MOST_ARGUMENTS:,} are tried"
        raise too_wide(network, node, why, (high - low + 1) / MOST_ARGUMENTS)
    breaks: list[Integers] = []
    codes: list[Integers] = []
    before: int | None = None
    steps = 0
    for start in range(low, high + 1, CHUNK):
        sums = np.arange(start, min(start + CHUNK, high + 1), dtype=np.int64)
        found, _ = codes_of(node, sums)
        changed = np.concatenate([[before is None or int(found[0]) != before], np.diff(found) != 0])
        breaks.append(sums[changed])
        codes.append(found[changed])
        before = int(found[-1])
        steps += int(changed.sum())
    if steps - 1 > TABLE_GATES:
        why = f"its table has {steps - 1:,} steps, and a circuit has at most {TABLE_GATES:,} for one function"
        raise too_wide(network, node, why, (steps - 1) / TABLE_GATES)
    all_breaks, all_codes = np.concatenate(breaks)[1:], np.concatenate(codes)
    return Table(node.name, node.n_positions, node.size, node.operand, all_breaks, all_codes, node.format)


def argument_range(network: Network, node: Function) -> tuple[int, int]:
    """The smallest and the largest value of the argument, at every length of the domain.

    Raises:
        FomError: it grows with the length.
    """
    domain = network.domain
    longest = domain.most if domain.most is not None else domain.least + 1
    low, high = ranges(network, longest)[node.operand.node]
    if domain.most is None:
        shortest = ranges(network, domain.least)[node.operand.node]
        if not (np.array_equal(low, shortest[0]) and np.array_equal(high, shortest[1])):
            raise too_wide(network, node, "its argument grows with the length of the word", 1.0)
    smallest, largest = int(low.min()), int(high.max())
    if not all(is_safe(term, domain.least) for term in node.operand.at):
        smallest, largest = min(smallest, 0), max(largest, 0)
    return smallest, largest


def too_wide(network: Network, node: Function, why: str, excess: float) -> FomError:
    """The diagnostic for a function that no circuit tabulates; `excess` is how many times too wide it is."""
    fewer = node.format.frac - math.ceil(math.log2(excess))
    fitting = f"--precision fixed:*.{fewer} or fixed:8" if excess > 1 and fewer > 0 else "--precision fixed:8"
    source = network.by_name[node.operand.node]
    kind = "an exact value" if isinstance(source, Exact) else f"a word of {source.format.bits} bits"
    return fail(
        "C030",
        f"the function cannot be written out as a table: {why}",
        where=f"node `{node.name}`",
        note=f"the argument is {kind} with {node.frac} fractional bits, the result has {node.format.frac}",
        help=f"translate with fewer bits: {fitting}",
    )
