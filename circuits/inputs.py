"""The numbers of a network's fixed-size inputs: they stand one after the other, those of one input after those of another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from circuits.network import Inputs

Integers = np.ndarray[Any, np.dtype[np.int64]]


def input_columns(inputs: Sequence[Inputs]) -> dict[str, slice]:
    """Where the numbers of each input stand, by its name."""
    ends = np.cumsum([node.size for node in inputs]).tolist()
    return {node.name: slice(end - node.size, end) for node, end in zip(inputs, ends, strict=True)}


def input_limits(inputs: Sequence[Inputs]) -> tuple[Integers, Integers]:
    """The smallest and the largest code of every number."""
    sizes = [node.size for node in inputs]
    low = np.repeat(np.array([node.format.lo for node in inputs], dtype=np.int64), sizes)
    return low, np.repeat(np.array([node.format.hi for node in inputs], dtype=np.int64), sizes)


def owner_of(inputs: Sequence[Inputs], place: int) -> tuple[Inputs, int]:
    """The input to which a number belongs, and its element there."""
    for node in inputs:
        if place < node.size:
            return node, place
        place -= node.size
    raise IndexError("no input has that many numbers")


def encode_inputs(inputs: Sequence[Inputs], values: Any) -> Integers:
    """Round the numbers of shape ``(B, total)`` to the formats of the inputs; whole numbers are exact in whole formats."""
    given = np.asarray(values)
    columns = input_columns(inputs)
    return np.concatenate([encode_numbers(node, given[:, columns[node.name]]) for node in inputs], axis=1)


def encode_numbers(node: Inputs, given: Any) -> Integers:
    """Round the numbers of one input to its codes; one with a scale divides by it in float32 first, as QuantizeLinear does."""
    if node.codebook is not None:
        return node.codebook.encode(given)
    if node.scale is None:
        return node.format.encode(given)
    return node.format.encode(np.asarray(given, dtype=np.float32) / np.float32(node.scale))


def decode_inputs(inputs: Sequence[Inputs], codes: Integers) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The numbers that codes of shape ``(B, total)`` stand for."""
    sizes = [node.size for node in inputs]
    fracs = np.repeat(np.array([node.format.frac for node in inputs], dtype=np.int64), sizes)
    scales = np.repeat(np.array([1.0 if node.scale is None else node.scale for node in inputs]), sizes)
    return np.ldexp(codes.astype(np.float64), -fracs) * scales
