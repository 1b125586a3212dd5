"""The meaning of a `RealNetwork` in float64: the reference that every other semantics is measured against.

Each node is evaluated as its docstring in `translator.real` defines it, on whole arrays of positions, for a batch of inputs of
one length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from circuits.diagnostics import fail
from circuits.positions import Ref, grid, holds
from translator.real import (
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

Array = np.ndarray[Any, Any]


def evaluate(
    network: RealNetwork,
    words: Array | None = None,
    features: Array | Mapping[str, Array] | None = None,
    wanted: Sequence[str] | None = None,
) -> dict[str, Array]:
    """Evaluate the nodes `wanted` (default: all) on a batch.

    `words` has shape ``(B, n)``; `features` is flat, ``(B, total)``, or has an array for each `Features` node. The results have
    shape ``(B, n, .., n, size)``.

    Raises:
        FomError: the input is of the wrong kind, or of a length outside the network's domain.
    """
    n, values = _start(network, words, features)
    given = next(iter(values.values()), () if features is None or isinstance(features, Mapping) else features)
    for node in network.nodes:
        if node.name not in values:
            values[node.name] = _evaluate_node(node, n, values, max(len(given), 1))
    return values if wanted is None else {name: values[name] for name in wanted}


def outputs(
    network: RealNetwork, words: Array | None = None, features: Array | Mapping[str, Array] | None = None
) -> Array:
    """The output on a batch: ``(B, C)``, or ``(B, n, C)`` for one decision per position."""
    n, _ = _start(network, words, features)
    output = network.decision
    values = evaluate(network, words, features, [output.ref.node])
    return read_at(values[output.ref.node], output.ref, n, output.n_positions)


def _start(
    network: RealNetwork, words: Array | None, features: Array | Mapping[str, Array] | None
) -> tuple[int, dict[str, Array]]:
    source = next((node for node in network.nodes if isinstance(node, Letters)), None)
    if source is not None:
        if words is None:
            raise fail(
                "N062", f"`{network.input_name}` is a word, and none is given", help="give words=, of shape (B, n)"
            )
        words = np.asarray(words, dtype=np.int64)
        n = words.shape[1]
        require_length(network, n)
        if words.size and (words.min() < 0 or words.max() >= source.size):
            raise fail(
                "N064",
                f"a letter is outside of 0 .. {source.size - 1}",
                help="use the letters of the network's alphabet",
            )
        return n, {source.name: (words[:, :, None] == np.arange(source.size)).astype(np.float64)}
    if features is None:
        raise fail("N062", f"`{network.input_name}` is no word but numbers, and none are given", help="give features=")
    given = features if isinstance(features, Mapping) else split_features(network, features)
    values = {}
    n = 1
    for node in network.features:
        values[node.name] = np.asarray(given[node.name], dtype=np.float64)
        if node.n_positions:
            n = values[node.name].shape[1]
    if any(node.n_positions for node in network.features):
        require_length(network, n)
    return n, values


def require_length(network: RealNetwork, n: int) -> None:
    """Refuse a length outside of the network's domain.

    Raises:
        FomError: n lies outside.
    """
    most = network.domain.most
    if n < network.domain.least or (most is not None and n > most):
        raise fail(
            "N063",
            f"the length {n} is outside of {network.domain.least} .. {most if most is not None else 'infinity'}",
            note=network.domain.reason,
            help="use a word of a length that the network accepts",
        )


def split_features(network: RealNetwork, features: Array) -> dict[str, Array]:
    """The flat features of shape ``(B, total)`` as one array for each `Features` node; a sequence is ``(B, n, size)``."""
    if len(network.features) == 1 and network.features[0].n_positions:
        node = network.features[0]
        return {node.name: np.asarray(features, dtype=np.float64).reshape(len(features), -1, node.size)}
    sizes = [node.size for node in network.features]
    flat = np.asarray(features, dtype=np.float64).reshape(len(features), sum(sizes))
    parts = np.split(flat, np.cumsum([0, *sizes])[1:-1], axis=1) if sizes else []
    return {node.name: part for node, part in zip(network.features, parts, strict=True)}


def read_at(value: Array, ref: Ref, n: int, n_positions: int) -> Array:
    """Read a node at position terms over `n_positions` variables; outside the word it is 0."""
    grids = grid(n, n_positions)
    index: list[Array] = []
    inside: Array = np.asarray(True)
    for term in ref.at:
        place = np.asarray(term.evaluate(n, grids)) - 1
        inside = inside & (place >= 0) & (place < n)
        index.append(np.clip(place, 0, n - 1))
    batch = value.shape[0]
    size = value.shape[-1]
    if index:
        place_of: tuple[Any, ...] = (slice(None), *np.broadcast_arrays(*index))
        taken = value[place_of]
        taken = np.where(inside[None, ..., None], taken, 0.0)
    else:
        taken = value
    rank = taken.ndim - 2
    shape = (1,) * (n_positions - rank) + taken.shape[1:-1]
    return np.broadcast_to(taken.reshape((batch, *shape, size)), (batch, *(n,) * n_positions, size))


def _evaluate_node(node: RealNode, n: int, values: dict[str, Array], batch: int) -> Array:
    def read(ref: Ref, n_positions: int) -> Array:
        return read_at(values[ref.node], ref, n, n_positions)

    match node:
        case Predicates():
            cells = [
                np.broadcast_to(holds(g, n, grid(n, node.n_positions)), (n,) * node.n_positions) for g in node.guards
            ]
            return np.broadcast_to(
                np.stack(cells, axis=-1).astype(np.float64), (batch, *(n,) * node.n_positions, node.size)
            )
        case Linear():
            total = np.zeros((batch, *(n,) * node.n_positions, node.size))
            for operand in node.operands:
                given = read(operand.ref, node.n_positions)
                flat = given.reshape(-1, given.shape[-1])
                total += np.asarray((operand.matrix @ flat.T).T).reshape(total.shape)
            return total + (node.const + node.length * n)
        case Multiply():
            left, right = read(node.left, node.n_positions), read(node.right, node.n_positions)
            return np.asarray(left[..., node.left_index] * right[..., node.right_index])
        case Map():
            return node.function(read(node.operand, node.n_positions))
        case Sum():
            given = read(node.operand, node.n_positions + 1)
            guard = holds(node.guard, n, grid(n, node.n_positions + 1))
            guard = np.broadcast_to(guard, (n,) * (node.n_positions + 1))
            return np.where(guard[None, ..., None], given, 0.0).sum(axis=-2)
        case Maximum():
            return _maximum(node, n, values)
        case Ratio():
            num, den = read(node.num, node.n_positions), read(node.den, node.n_positions)[..., node.den_index]
            return np.where(den == 0, 0.0, num / np.where(den == 0, 1.0, den))
        case _:
            raise TypeError(f"{type(node).__name__} is an input")


def _maximum(node: Maximum, n: int, values: dict[str, Array]) -> Array:
    if node.guard is None:
        candidates = [
            read_at(values[node.operand.node], node.operand, n, node.n_positions)[..., node.groups].max(axis=-1)
        ]
    else:
        given = read_at(values[node.operand.node], node.operand, n, node.n_positions + 1)[..., node.groups].max(axis=-1)
        guard = holds(node.guard, n, grid(n, node.n_positions + 1))
        guard = np.broadcast_to(guard, (n,) * (node.n_positions + 1))
        candidates = [np.where(guard[None, ..., None], given, -np.inf).max(axis=-2)]
    for ref, groups in node.segments:
        candidates.append(read_at(values[ref.node], ref, n, node.n_positions)[..., groups].max(axis=-1))
    result = candidates[0]
    for candidate in candidates[1:]:
        result = np.maximum(result, candidate)
    return result
