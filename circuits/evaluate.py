"""The meaning of a network: exact evaluation on many inputs of one length.

`evaluate_node` reads like the definition of the nodes, and `evaluate_as_defined` applies it node by node; all its arithmetic is
in int64. `evaluate` gives the same integers through `circuits.fast_evaluate`, which is tested against it.
`circuits.ranges` refuses a network whose sums could leave 62 bits before anything is computed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, assert_never

import numpy as np

from circuits import matrices
from circuits.diagnostics import fail
from circuits.fast_evaluate import plan_of
from circuits.formats import divide_half_even, round_half_even
from circuits.functions import evaluate_function
from circuits.inputs import input_columns, input_limits, owner_of
from circuits.network import (
    Affine,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Node,
    Predicates,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
    references,
)
from circuits.positions import TRUE, Guard, Ref, grid, holds
from circuits.ranges import require_ranges

Integers = np.ndarray[Any, np.dtype[np.int64]]

CHUNK_ELEMENTS = 1 << 22


def evaluate(network: Network, inputs: Integers, wanted: Iterable[str] = ()) -> dict[str, Integers]:
    """Evaluate a network on a batch.

    Args:
        inputs: letter numbers of shape ``(B, n)``, or codes of shape ``(B, total)`` for a network of `Inputs`: those of one
            node after the other.
        wanted: names of nodes to return beside the readout's decision and scores (and its denominator); without a readout,
            by default all nodes.

    Returns:
        Integer arrays of shape ``(B, n, .., n, size)``, by node name.

    Raises:
        FomError: a length outside the domain, an unknown letter or a code outside the format, a sum beyond 62 bits, a
            denominator that is not positive, or a function that is not a number.
    """
    inputs = np.asarray(inputs)
    n, kept = admitted(network, inputs, wanted)
    plan = plan_of(network, n, kept)
    starts = range(0, max(1, len(inputs)), plan.chunk)
    if len(starts) == 1:
        parts = [plan.run(inputs, 0)]
    else:
        pool = ThreadPoolExecutor(min(len(starts), os.cpu_count() or 1))
        try:
            parts = list(pool.map(lambda start: plan.run(inputs[start : start + plan.chunk], start), starts))
        finally:
            pool.shutdown(cancel_futures=True)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def evaluate_as_defined(network: Network, inputs: Integers, wanted: Iterable[str] = ()) -> dict[str, Integers]:
    """The same as `evaluate`, by the definition of each node: the oracle, slower by far.

    Raises:
        FomError: as `evaluate` does.
    """
    inputs = np.asarray(inputs)
    n, kept = admitted(network, inputs, wanted)
    require_ranges(network, n)
    widest = max(node.size * n**node.n_positions for node in network.nodes)
    chunk = max(1, CHUNK_ELEMENTS // max(1, widest))
    starts = range(0, max(1, len(inputs)), chunk)
    parts = [evaluate_chunk(network, inputs[start : start + chunk], n, kept, start) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def admitted(network: Network, inputs: Integers, wanted: Iterable[str]) -> tuple[int, set[str]]:
    """The length of the inputs, and the nodes to return: those wanted with the readout's, or all nodes.

    Raises:
        FomError: a length outside the domain, an unknown letter or a code outside the format.
    """
    n = 1 if network.inputs else inputs.shape[1]
    if not network.inputs:
        network.domain.require(n)
    check_inputs(network, inputs)
    kept = set(wanted)
    if network.readout is not None:
        kept |= {network.readout.decision, network.readout.scores}
        kept |= {network.readout.denominator} if network.readout.denominator is not None else set()
    return n, kept or set(network.by_name)


def check_inputs(network: Network, inputs: Integers) -> None:
    """Refuse letters outside the alphabet and codes outside the input format.

    Raises:
        FomError: naming the first one found.
    """
    size = len(network.alphabet)
    if not network.inputs:
        outside = (inputs < 0) | (inputs >= size)
    else:
        low, high = input_limits(network.inputs)
        if inputs.ndim != 2 or inputs.shape[1] != len(low):
            raise fail("C023", f"the network reads {len(low)} numbers, not an array of shape {inputs.shape[1:]}")
        outside = (inputs < low) | (inputs > high)
    if outside.any():
        case, place = (int(index[0]) for index in np.nonzero(outside))
        found, where = inputs[case, place], f"input {case}, place {place + 1}"
        if network.inputs:
            source, _ = owner_of(network.inputs, place)
            raise fail("C024", f"input code {found} is outside the format ({source.format})", where=where)
        raise fail(
            "C024", f"letter number {found} is not in the alphabet of {size} letters (0..{size - 1})", where=where
        )


def evaluate_chunk(network: Network, inputs: Integers, n: int, kept: set[str], first: int) -> dict[str, Integers]:
    """Evaluate node after node, dropping arrays that nobody reads any more; `first` is the number of the first input."""
    columns = input_columns(network.inputs)
    last_use = {ref.node: place for place, node in enumerate(network.nodes) for ref, _ in references(node)}
    values: dict[str, Integers] = {}
    for place, node in enumerate(network.nodes):
        given = inputs[:, columns[node.name]] if node.name in columns else inputs
        values[node.name] = evaluate_node(node, values, given, n, first)
        for ref, _ in references(node):
            if last_use[ref.node] == place and ref.node not in kept:
                values.pop(ref.node, None)
    batch = len(inputs)
    shape = {name: (batch, *(n,) * network.by_name[name].n_positions, network.by_name[name].size) for name in kept}
    return {name: np.broadcast_to(values[name], shape[name]) for name in kept}


def evaluate_node(node: Node, values: dict[str, Integers], inputs: Integers, n: int, first: int) -> Integers:
    """The value of one node from the values of its sources; axes of length 1 broadcast. An input is given its own numbers."""
    match node:
        case Letters(size=size):
            return (inputs[:, :, None] == np.arange(size)).astype(np.int64)
        case Inputs():
            return inputs.astype(np.int64)
        case Predicates(guards=guards, n_positions=k):
            places = grid(n, k)
            columns = [np.broadcast_to(holds(guard, n, places), (n,) * k) for guard in guards]
            return np.stack(columns, axis=-1).astype(np.int64)[None]
        case Affine(operands=operands, const=const, length=length, n_positions=k):
            total: Integers = (const + n * length).reshape((1,) * (k + 1) + (-1,))
            for operand in operands:
                total = total + matrices.multiply(operand.matrix, read(operand.ref, k, values, n))
            return total
        case Product(left=left, left_index=left_index, right=right, right_index=right_index, n_positions=k):
            return read(left, k, values, n)[..., left_index] * read(right, k, values, n)[..., right_index]
        case Sum(operand=operand, guard=guard, n_positions=k):
            return sum_over(read(operand, k + 1, values, n), guard, n, k)
        case Round(operand=operand, shift=shift, format=format_, n_positions=k):
            return format_.clamp(round_half_even(read(operand, k, values, n), shift))
        case Table(operand=operand, breaks=breaks, codes=codes, n_positions=k):
            return codes[np.searchsorted(breaks, read(operand, k, values, n), side="right")]
        case Function(operand=operand, n_positions=k):
            return evaluate_function(node, read(operand, k, values, n), first)
        case Quotient(num=num, den=den, den_index=den_index, shift=shift, format=format_, n_positions=k):
            top = read(num, k, values, n) << max(shift, 0)
            bottom = read(den, k, values, n)[..., den_index] << max(-shift, 0)
            if (bottom < 1).any():
                case = first + int(np.nonzero(bottom < 1)[0][0])
                raise fail("C025", "a denominator is not positive", where=f"node `{node.name}`, input {case}")
            return format_.clamp(divide_half_even(top, bottom))
        case Maximum(operand=operand, groups=groups, guard=guard, segments=segments, format=format_, n_positions=k):
            best = None
            for ref, index in segments:
                best = largest(best, read(ref, k, values, n)[..., index].max(axis=-1))
            if guard is None:
                return largest(best, read(operand, k, values, n)[..., groups].max(axis=-1))
            candidates = read(operand, k + 1, values, n)[..., groups].max(axis=-1)
            allowed = np.broadcast_to(holds(guard, n, grid(n, k + 1)), (n,) * (k + 1))
            masked = np.where(allowed[None, ..., None], candidates, format_.lo)
            return largest(best, masked.max(axis=k + 1))
        case _:
            assert_never(node)


def largest(left: Integers | None, right: Integers) -> Integers:
    """The elementwise maximum, of one or two arrays."""
    return right if left is None else np.maximum(left, right)


def sum_over(values: Integers, guard: Guard, n: int, k: int) -> Integers:
    """Sum axis k + 1 (the bound position) over the positions that satisfy the guard."""
    if guard == TRUE:
        bound = values.shape[k + 1]
        return values.sum(axis=k + 1) * (1 if bound == n else n)
    allowed = np.broadcast_to(holds(guard, n, grid(n, k + 1)), (n,) * (k + 1))
    return (values * allowed[None, ..., None]).sum(axis=k + 1)


def read(ref: Ref, n_variables: int, values: dict[str, Integers], n: int) -> Integers:
    """The referenced value as an array over the reader's variables: ``(B, [1 or n] * n_variables, size)``.

    Positions outside 1..n read as 0.
    """
    source = values[ref.node]
    variables = [term.coefs[0][0] if len(term.coefs) == 1 and term.coefs[0][1] == 1 else -1 for term in ref.at]
    plain = all(v >= 0 and not t.n_coef and not t.const for v, t in zip(variables, ref.at, strict=True))
    if plain and len(set(variables)) == len(variables):
        order = sorted(range(len(variables)), key=lambda axis: variables[axis])
        moved = source.transpose((0, *(axis + 1 for axis in order), source.ndim - 1))
        shape = [1] * n_variables
        for axis in order:
            shape[variables[axis]] = source.shape[axis + 1]
        return moved.reshape((source.shape[0], *shape, source.shape[-1]))
    places = grid(n, n_variables)
    full = np.broadcast_to(source, (source.shape[0], *(n,) * len(ref.at), source.shape[-1]))
    indices = [np.asarray(term.evaluate(n, places)) for term in ref.at]
    shape_ = np.broadcast_shapes((1,) * n_variables, *(index.shape for index in indices))
    indices = [np.broadcast_to(index, shape_) for index in indices]
    inside = np.ones(shape_, dtype=bool)
    for index in indices:
        inside = inside & (index >= 1) & (index <= n)
    taken = full[(slice(None), *(np.clip(index, 1, n) - 1 for index in indices))]
    return taken if inside.all() else taken * inside[None, ..., None]
