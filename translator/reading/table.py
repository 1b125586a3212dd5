"""The table of operators, filled by the modules `scalar_operators`, `layout_operators` and `operators`.

An entry takes the context, the operator and its input values, and returns the output or a list of outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from circuits.scalar import Scalar, const
from translator.reading.context import Context
from translator.reading.loading import Operator
from translator.reading.refusing import Refusal
from translator.reading.values import Carried, Value

Inputs = list[Value | None]


Lowering = Callable[[Context, Operator, Inputs], "Value | list[Value]"]


OPERATORS: dict[str, Lowering] = {}

Carrying = Callable[[Context, Operator, Sequence[Carried | None]], list[Carried]]


CARRYING: dict[str, Carrying] = {}
"""Operators that hold graphs, or that read or make lists and optionals: their results have their element types already."""


def lowering(*names: str) -> Callable[[Lowering], Lowering]:
    """Enter a lowering into the table."""

    def enter(function: Lowering) -> Lowering:
        for name in names:
            OPERATORS[name] = function
        return function

    return enter


def carrying(*names: str) -> Callable[[Carrying], Carrying]:
    """Enter a lowering of control flow, lists or optionals into its table."""

    def enter(function: Carrying) -> Carrying:
        for name in names:
            CARRYING[name] = function
        return function

    return enter


def needed(values: Inputs, index: int) -> Value:
    """A required input."""
    value = values[index] if index < len(values) else None
    if value is None:
        raise Refusal("N020", f"input {index} is required and missing", help="export the network again")
    return value


def optional(values: Inputs, index: int) -> Value | None:
    """An optional input."""
    return values[index] if index < len(values) else None


def number(value: Value) -> float:
    """A known scalar."""
    if not isinstance(value, np.ndarray) or value.dtype == object or value.size != 1:
        raise Refusal("N039", "a constant number is needed here")
    return float(value.ravel()[0])


def call(op: str, *args: Scalar | float) -> Scalar:
    """Build a scalar function."""
    return Scalar(op, tuple(arg if isinstance(arg, Scalar) else const(arg) for arg in args))


def wide(value: Value) -> Any:
    """Known small integers as 64-bit ones, which do not wrap; other values as they are."""
    return value.astype(np.int64) if isinstance(value, np.ndarray) and value.dtype != object else value
