"""The meaning of a `RealNetwork` in exact real arithmetic, enclosed: intervals that contain the value of every node.

`translator.real_evaluate` says what the nodes mean, in float64; here each of them is evaluated on intervals that are rounded
outward, so that the exact value is inside whatever float64 does. Nodes are read as in `circuits.evaluate`: axes of positions on
which nothing depends have length 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from circuits.evaluate import read
from circuits.positions import FALSE, Guard, Ref, grid, holds
from translator import intervals
from translator.intervals import Interval, Weights, point
from translator.real import (
    Features,
    Letters,
    Linear,
    Map,
    Maximum,
    Multiply,
    Predicates,
    Ratio,
    RealNetwork,
    RealNode,
    Sum,
)
from translator.real_evaluate import split_features
from translator.relevance import reads, relevance
from translator.scalar_intervals import enclose_scalar

Array = np.ndarray[Any, Any]

CHUNK_ELEMENTS = 1 << 18


def enclose(
    network: RealNetwork, inputs: Array, wanted: Sequence[str] | None = None, rounded: Array | None = None
) -> dict[str, Interval]:
    """Enclose the nodes `wanted` (default: all that the output depends on) on a batch.

    Args:
        inputs: letters of shape ``(B, n)``, or features: flat, ``(B, total)``, or ``(B, n, size)`` for a sequence of vectors. Of
            a length and of values that the network accepts.
        rounded: which features are no exact numbers, but the float64 nearest to them. None: all are exact.

    Returns:
        Intervals of shape ``(B, n, .., n, size)``, both ends NaN where nothing is known.
    """
    inputs = np.asarray(inputs)
    n = length_of(network, inputs)
    used = relevance(network, wanted or ())
    nodes = [node for node in network.nodes if used[node.name] != FALSE]
    kept = {node.name for node in nodes} if wanted is None else set(wanted)
    widest = max(node.size * n**node.n_positions for node in nodes)
    chunk = max(1, CHUNK_ELEMENTS // max(1, widest))
    starts = range(0, max(1, len(inputs)), chunk)
    weights = {node.name: [Weights.of(o.matrix) for o in node.operands] for node in nodes if isinstance(node, Linear)}
    doubtful = np.zeros(inputs.shape, dtype=bool) if rounded is None else rounded
    parts = [
        _enclose_chunk(network, nodes, weights, inputs[own], doubtful[own], n, kept)
        for own in (slice(start, start + chunk) for start in starts)
    ]
    return {name: _joined([part[name] for part in parts]) for name in kept}


def cost(network: RealNetwork, n: int) -> int:
    """How many numbers and weights enclosing one input of length n takes, about."""
    used = relevance(network)
    total = 0
    for node in network.nodes:
        if used[node.name] != FALSE:
            weights = sum(operand.matrix.nnz for operand in node.operands) if isinstance(node, Linear) else 0
            total += (node.size + weights) * n**node.n_positions
    return total


def enclose_output(network: RealNetwork, inputs: Array) -> Interval:
    """Enclose the decision's numbers on a batch: ``(B, C)``, or ``(B, n, C)`` for one decision per position."""
    output = network.decision
    found = enclose(network, inputs, [output.ref.node])
    n = length_of(network, np.asarray(inputs))
    value = _read(output.ref, output.n_positions, found, n)
    return _broadcast(value, (len(inputs), *(n,) * output.n_positions, value.lo.shape[-1]))


def length_of(network: RealNetwork, inputs: Array) -> int:
    """The length n of a batch, 1 where nothing has positions."""
    sequence = any(
        isinstance(node, Letters) or (isinstance(node, Features) and node.n_positions) for node in network.nodes
    )
    return int(inputs.shape[1]) if sequence else 1


def _joined(parts: list[Interval]) -> Interval:
    lo = np.concatenate([part.lo for part in parts])
    return Interval(lo, lo if all(part.is_point for part in parts) else np.concatenate([part.hi for part in parts]))


def _broadcast(value: Interval, shape: tuple[int, ...]) -> Interval:
    lo = np.broadcast_to(value.lo, shape)
    return Interval(lo, lo if value.is_point else np.broadcast_to(value.hi, shape))


def _enclose_chunk(
    network: RealNetwork,
    nodes: list[RealNode],
    weights: dict[str, list[Weights]],
    inputs: Array,
    rounded: Array,
    n: int,
    kept: set[str],
) -> dict[str, Interval]:
    """Enclose node after node, dropping intervals that nobody reads any more."""
    last_use = {ref.node: place for place, node in enumerate(nodes) for ref, _ in reads(node)}
    values: dict[str, Interval] = {}
    if network.features:
        values.update({name: point(part) for name, part in split_features(network, inputs).items()})
        if rounded.any():
            lower, upper = (np.where(rounded, np.nextafter(inputs, end), inputs) for end in (-np.inf, np.inf))
            below, above = split_features(network, lower), split_features(network, upper)
            values.update({name: Interval(below[name], above[name]) for name in below})
    for node in network.nodes:
        if isinstance(node, Letters):
            values[node.name] = point(inputs[:, :, None] == np.arange(node.size))
    with np.errstate(all="ignore"):
        for place, node in enumerate(nodes):
            if not isinstance(node, Letters | Features):
                values[node.name] = _enclose_node(node, n, values, weights.get(node.name, []))
            for ref, _ in reads(node):
                if last_use[ref.node] == place and ref.node not in kept:
                    values.pop(ref.node, None)
    sizes = {node.name: (len(inputs), *(n,) * node.n_positions, node.size) for node in nodes}
    return {name: _broadcast(values[name], sizes[name]) for name in kept}


def _read(ref: Ref, n_variables: int, values: dict[str, Interval], n: int) -> Interval:
    source = values[ref.node]
    lo = read(ref, n_variables, {ref.node: source.lo}, n)
    return Interval(lo, lo if source.is_point else read(ref, n_variables, {ref.node: source.hi}, n))


def _allowed(guard: Guard, n: int, n_positions: int) -> Array:
    """Where a guard holds, with axes for the batch and the elements."""
    found = np.broadcast_to(holds(guard, n, grid(n, n_positions)), (n,) * n_positions)
    return found[None, ..., None]


def _masked(value: Interval, allowed: Array, otherwise: float) -> Interval:
    lo = np.where(allowed, value.lo, otherwise)
    return Interval(lo, lo if value.is_point else np.where(allowed, value.hi, otherwise))


def _enclose_node(node: RealNode, n: int, values: dict[str, Interval], weights: list[Weights]) -> Interval:
    k = node.n_positions
    match node:
        case Predicates(guards=guards):
            return point(np.concatenate([_allowed(guard, n, k) for guard in guards], axis=-1))
        case Linear(operands=operands, const=const, length=length):
            row = (1,) * (k + 1) + (-1,)
            given = [_read(operand.ref, k, values, n) for operand in operands]
            return intervals.affine(
                list(zip(weights, given, strict=True)), [const.reshape(row), (length * n).reshape(row)]
            )
        case Multiply(left=left, left_index=left_index, right=right, right_index=right_index):
            first = _read(left, k, values, n)[..., left_index]
            if left == right and np.array_equal(left_index, right_index):
                return intervals.multiply(first, first)
            return intervals.multiply(first, _read(right, k, values, n)[..., right_index])
        case Map(operand=operand, function=function):
            return enclose_scalar(function, _read(operand, k, values, n))
        case Sum(operand=operand, guard=guard):
            return intervals.total(_masked(_read(operand, k + 1, values, n), _allowed(guard, n, k + 1), 0.0), k + 1)
        case Maximum():
            return _enclose_maximum(node, n, values)
        case Ratio(num=num, den=den, den_index=den_index):
            top, bottom = _read(num, k, values, n), _read(den, k, values, n)[..., den_index]
            found = intervals.divide(top, bottom)
            nothing = (top.lo == 0) & (top.hi == 0) & (bottom.lo == 0) & (bottom.hi == 0)
            return _masked(found, ~nothing, 0.0) if nothing.any() else found
        case _:
            raise TypeError(f"{type(node).__name__} is an input")


def _enclose_maximum(node: Maximum, n: int, values: dict[str, Interval]) -> Interval:
    k = node.n_positions
    if node.guard is None:
        candidates = [_largest(_read(node.operand, k, values, n)[..., node.groups], -1)]
    else:
        given = _largest(_read(node.operand, k + 1, values, n)[..., node.groups], -1)
        candidates = [_largest(_masked(given, _allowed(node.guard, n, k + 1), -np.inf), k + 1)]
    candidates += [_largest(_read(ref, k, values, n)[..., groups], -1) for ref, groups in node.segments]
    found = candidates[0]
    for other in candidates[1:]:
        lo = np.maximum(found.lo, other.lo)
        found = Interval(lo, lo if found.is_point and other.is_point else np.maximum(found.hi, other.hi))
    return found


def _largest(given: Interval, axis: int) -> Interval:
    lo = given.lo.max(axis=axis)
    return Interval(lo, lo if given.is_point else given.hi.max(axis=axis))
