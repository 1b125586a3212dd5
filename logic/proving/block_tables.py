"""Blocks that are one node of a network, or tables: what the node says is what the block is to compute."""

from __future__ import annotations

import time

import numpy as np

from circuits.blocks.block import Block
from circuits.network import Maximum, Quotient, Round, Table
from circuits.positions import Ref
from logic.proving.block_layers import layer, require, sums
from logic.proving.linear import Unfit
from logic.proving.session import Session


def prove_node(block: Block, session: Session) -> None:
    """The only node beside the arguments is the rounding, quotient or maximum that is asked for."""
    start = time.perf_counter()
    names = [argument.name for argument in block.arguments]
    others = [node for node in block.network.nodes if node.name not in names]
    require(len(others) == 1 == block.results[0], "there is more than one node")
    for argument in block.arguments:
        source = block.network.word(argument.name)
        fits = (source.format, source.size) == (argument.format, argument.numbers)
        require(fits and not argument.spread, f"`{argument.name}` has another format")
    match others[0]:
        case Round(operand=Ref("S"), shift=shift, format=format_):
            said = block.name.startswith("rounding") and shift == block.parameters["shift"]
            statement = f"`out` is S / 2**{shift}, half to even, saturating"
        case Quotient(num=Ref("N"), den=Ref("D"), shift=0, format=format_):
            said, statement = block.name.startswith("quotient"), "`out` is N / D, half to even, saturating"
        case Maximum(operand=Ref("x"), groups=groups, guard=None, segments=(), format=format_):
            said = block.name.startswith("maximum") and groups.tolist() == [list(range(block.parameters["m"]))]
            statement = f"`out` is the largest of {groups.shape[1]} numbers"
        case _:
            raise Unfit("the node is another one")
    require(said and format_ == block.results[1], "the node is another one")
    session.add(statement, "structure", 1, time.perf_counter() - start)


def prove_table(block: Block, session: Session) -> None:
    """The step function has the value that is asked for at every sum that the bits can have."""
    start = time.perf_counter()
    node = block.network.by_name.get("out")
    if not isinstance(node, Table) or node.operand != Ref("S") or node.format != block.results[1]:
        raise Unfit("`out` is no table of S")
    read = sums(block.network, "S")
    (weights,) = read.only("x")
    (argument,) = block.arguments
    bits, numbers = argument.format.bits, argument.numbers
    powers = np.tile(1 << np.arange(bits), numbers)
    require(np.array_equal(weights.toarray(), powers[None]) and not read.thresholds.any(), "S is another sum")
    for total in range(int(powers.sum()) + 1):
        given = [total] if numbers == 1 else [int(i < total) for i in range(numbers)]
        code = int(node.codes[np.searchsorted(node.breaks, total, side="right")])
        (wanted,) = block.reference(given)
        require(code == wanted, f"for S = {total} the table gives {code} instead of {wanted}")
    session.add(
        f"the table has the value of each S up to {powers.sum()}", "enumeration", 1, time.perf_counter() - start
    )


def prove_normal_form(block: Block, session: Session) -> None:
    """Each AND is one number, and each OR is over the numbers whose value has that bit."""
    start = time.perf_counter()
    k = block.parameters["k"]
    term, out = layer(block.network, "term"), layer(block.network, "out")
    (weights,) = term.only("x")
    (collected,) = out.only("term")
    dense = weights.toarray()
    ones = (dense > 0).sum(axis=1)
    require(bool((np.abs(dense) == 1).all() and (term.thresholds == ones).all()), "a term is no AND of all bits")
    numbers = ((dense > 0) << np.arange(k)).sum(axis=1)
    require(bool((collected.data == 1).all() and (out.thresholds == 1).all()), "a bit is no OR")
    values = [block.reference([number])[0] for number in range(1 << k)]
    require(max(values) >> block.results[1].bits == 0 <= min(values), "the bits are too few")
    for bit in range(len(out.thresholds)):
        read = sorted(numbers[collected.indices[collected.indptr[bit] : collected.indptr[bit + 1]]].tolist())
        wanted = [number for number, value in enumerate(values) if value >> bit & 1]
        require(read == wanted, f"bit {bit} is an OR over other numbers")
    session.add(
        f"{len(numbers)} terms are numbers, {len(out.thresholds)} bits are ORs over the right ones",
        "structure",
        len(numbers) + len(out.thresholds),
        time.perf_counter() - start,
    )


def prove_majority(block: Block, session: Session) -> None:
    """The gate says of every number of ones what is asked for."""
    start = time.perf_counter()
    k = block.parameters["k"]
    out = layer(block.network, "out")
    (weights,) = out.only("x")
    require(bool((weights.toarray() == np.ones((1, k))).all()), "it does not count ones")
    for total in range(k + 1):
        (wanted,) = block.reference([int(i < total) for i in range(k)])
        require((total >= out.thresholds[0]) == bool(wanted), f"it is wrong for {total} ones")
    session.add(f"one gate for every number of ones up to {k}", "enumeration", 1, time.perf_counter() - start)
