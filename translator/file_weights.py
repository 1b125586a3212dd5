"""Which tensor of the ONNX file the weights of a linear map come from, found by their values.

A map's integers times their unit are the numbers of the tensor up to rounding, unless something was folded into them: then no
tensor agrees, and none is named. Nothing is assumed from names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from circuits.network import Affine, Letters, Network

Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

MOST_NUMBERS = 4_000_000
TOLERANCE = 0.75
"""The largest difference, as a part of the step in which the integers go."""


@dataclass(frozen=True, slots=True)
class FileTensor:
    """A tensor of the file, and whether its first axis is that of the elements read."""

    name: str
    values: Array
    columns_first: bool = False

    def entry(self, row: int, column: int | None) -> tuple[int, ...]:
        """The index of the weight of a column in a row; of the constant of a row, without a column."""
        if column is None:
            return (row,)
        return (column, row) if self.columns_first else (row, column)

    def text(self, row: int, column: int | None) -> str:
        """The weight in the file: its name, its index and its number."""
        index = self.entry(row, column)
        return f"{self.name}[{', '.join(map(str, index))}] = {float(self.values[index]):.6g}"


class FileWeights:
    """The tensors of an ONNX file, and the maps of a network that have their numbers."""

    def __init__(self, model: Path, network: Network) -> None:
        self.model, self.network = model, network

    @cached_property
    def tensors(self) -> dict[str, Array]:
        """The tensors of the file that hold numbers, by name."""
        from translator.reading.loading import load

        held = load(self.model).constants
        return {
            name: array for name, array in held.items() if array.dtype.kind in "fiu" and 0 < array.size <= MOST_NUMBERS
        }

    @cached_property
    def maps(self) -> dict[tuple[str, str], FileTensor]:
        """The tensor of a map, by the node that it computes and the node that it reads; of the constants, by an empty name."""
        found: dict[tuple[str, str], FileTensor] = {}
        for node in self.network.nodes:
            if not isinstance(node, Affine):
                continue
            const = np.asarray(node.const, dtype=np.float64)
            if node.const.any() and (tensor := self.like(const[:, None], node.frac, const, vector=True)):
                found[node.name, ""] = tensor
            for operand in node.operands:
                if operand.matrix.shape[0] * operand.matrix.shape[1] > MOST_NUMBERS:
                    continue
                dense = operand.matrix.toarray().astype(np.float64)
                source = operand.ref.node
                frac = node.frac - self.network.frac(source)
                if isinstance(self.network.by_name[source], Letters):
                    dense += const[:, None]
                if tensor := self.like(dense, frac, dense):
                    found[node.name, source] = tensor
        return found

    def like(self, numbers: Array, frac: int, integers: Array, vector: bool = False) -> FileTensor | None:
        """The only tensor whose numbers are those given, within the step of the integers."""
        step = float(np.gcd.reduce(np.abs(integers).astype(np.int64).ravel()))
        if not step:
            return None
        real, near = np.ldexp(numbers, -frac), TOLERANCE * float(np.ldexp(step, -frac))
        found = []
        for name, values in self.tensors.items():
            shapes = [(real[:, 0], False)] if vector else [(real, False), (real.T, True)]
            for shaped, columns_first in shapes:
                if values.shape == shaped.shape and np.abs(shaped - values).max() <= near:
                    found.append(FileTensor(name, values, columns_first))
                    break
        return found[0] if len(found) == 1 else None
