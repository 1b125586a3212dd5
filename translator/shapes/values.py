"""What is known of a value while shapes are derived: a tensor's type, its shape and, of shape arithmetic, its entries.

Three kinds of tensor, told apart by what is known: of *shape arithmetic* the entries are known (`content`), of *data* the shape
only, and of an undecided tensor nothing but the type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import sympy

from translator.shapes.expressions import Size

Array = np.ndarray[Any, Any]
Entry: TypeAlias = "int | bool | float | sympy.Expr | None"
Dims = tuple[Size, ...]

MOST_ENTRIES = 4096


@dataclass(frozen=True, slots=True)
class Tensor:
    """A tensor: `dtype` as ONNX spells it ("" where the operator's schema says it), `dims` or None if undecided.

    `content` is an object array of the tensor's shape; its entries are numbers, expressions, or None where unknown.
    `span` are the least and the greatest entry of a tensor of positions, both of which occur.
    """

    dtype: str
    dims: Dims | None
    content: Array | None = None
    span: tuple[Size, Size] | None = None


@dataclass(frozen=True, slots=True)
class Listed:
    """A sequence of tensors; `items` is None if their number depends on the input, and then `element` is any of them."""

    items: tuple[Tensor, ...] | None
    element: Tensor


@dataclass(frozen=True, slots=True)
class Optional:
    """An optional value that is there, or is not; `present` is None if that depends on the input."""

    value: Tensor | Listed
    present: bool | None


Value = Tensor | Listed | Optional


class Undecided(Exception):
    """A shape that does not follow from the shapes of the inputs."""

    def __init__(self, reason: str, *, data_dependent: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.data_dependent = data_dependent


class Misfit(Exception):
    """An operator whose operands fit at no sizes: code, what rule is broken, and how to mend it."""

    def __init__(self, code: str, message: str, help: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


def misfit(message: str) -> Misfit:
    """Operands or attributes that no sizes can mend."""
    return Misfit("N091", message, "export the network again; onnx.checker says more about the file")


def known(dtype: str, array: Array | list[Any]) -> Tensor:
    """A tensor of known entries; those of a long one are forgotten."""
    content = np.asarray(array, dtype=object)
    return Tensor(dtype, content.shape, content if content.size <= MOST_ENTRIES else None)


def entries_of_array(array: Array) -> Array | None:
    """Known entries as Python numbers; None for a long array or one that holds no numbers."""
    if array.size > MOST_ENTRIES:
        return None
    if array.dtype.name.startswith(("bfloat", "float")):
        array = array.astype(np.float64)
    elif array.dtype.name.startswith(("int", "uint")):
        array = array.astype(np.uint64 if array.dtype == np.uint64 else np.int64)
    elif array.dtype != np.bool_:
        return None
    result = np.empty(array.shape, dtype=object)
    result.ravel()[...] = np.array(array.ravel().tolist(), dtype=object)
    return result
