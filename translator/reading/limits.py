"""How large a tensor may become: absurd sizes in a file are a finding, and take no memory first."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from translator.reading.context import dims_of
from translator.reading.loading import Operator
from translator.reading.refusing import Refusal
from translator.reading.values import Array, Value

MOST_ELEMENTS = 2**26
MOST_EXTENT = 2**20

# Operands that are the shape of the result, or factors of it.
SHAPES = {"ConstantOfShape": 0, "Expand": 1, "Reshape": 1, "CenterCropPad": 1, "Col2Im": 1}
COUNTS = {"HannWindow": 0, "HammingWindow": 0, "BlackmanWindow": 0, "OneHot": 1, "DFT": 1}
# Operators whose axis counts a new one, or means nothing where the scale is a scalar.
BEYOND = frozenset(["OneHot", "QuantizeLinear", "DequantizeLinear"])
EXTENTS = frozenset(["dilations", "kernel_shape", "output_padding", "output_shape", "pads", "strides", "size", "group"])


def check_size(operator: Operator, values: Sequence[Value | None]) -> None:
    """Refuse an operator whose operands ask for a result that no memory holds.

    Raises:
        Refusal: it has more than `MOST_ELEMENTS` elements, or windows wider than `MOST_EXTENT`.
    """
    for name in EXTENTS & operator.attributes.keys():
        given = operator.attributes[name]
        largest = max((abs(entry) for entry in np.atleast_1d(given).tolist() if isinstance(entry, int)), default=0)
        if largest > MOST_EXTENT:
            raise _too_large(f"the attribute `{name}` is {largest}, {MOST_EXTENT} at most are read")
    if operator.domain:
        return
    elements = _elements(operator.op_type, values)
    if elements > MOST_ELEMENTS:
        raise _too_large(f"`{operator.op_type}` makes {elements:.3g} elements, {MOST_ELEMENTS} at most are read")


def check_axis(operator: Operator, values: Sequence[Value | None]) -> None:
    """Refuse an `axis` that the first operand does not have.

    Raises:
        Refusal: it is not between minus the number of axes and that number.
    """
    axis = operator.attributes.get("axis")
    if operator.domain or operator.op_type in BEYOND or not isinstance(axis, int) or not values or values[0] is None:
        return
    rank = len(dims_of(values[0]))
    if rank and not -rank <= axis < rank + (operator.op_type == "Flatten"):
        raise Refusal("N006", f"`axis` is {axis} for a tensor of {rank} axes", help="export the network again")


def _too_large(message: str) -> Refusal:
    return Refusal("N069", message, help="export the network again; sizes like this are mostly damage")


def _elements(name: str, values: Sequence[Value | None]) -> float:
    """How many elements the result has at least; 0 where the operands do not tell."""
    dims = dims_of(values[0]) if values and values[0] is not None else ()
    lengths = [int(dim.evaluate(1, ())) for dim in dims]  # for the shortest word
    size = math.prod(max(length, 1) for length in lengths)
    if name in SHAPES:
        return math.prod(max(entry, 1) for entry in _ints(values, SHAPES[name]))
    if name == "Tile":
        return size * math.prod(max(entry, 1) for entry in _ints(values, 1))
    if name == "Pad" and dims:
        pads = _ints(values, 1)
        half = len(pads) // 2
        axes = _ints(values, 3) or range(half)
        grown = {axis: pads[at] + pads[at + half] for at, axis in zip(range(half), axes, strict=False)}
        rank = max(len(dims), 1)
        extents = {axis % rank: extra for axis, extra in grown.items()}
        return math.prod(max(length + extents.get(axis, 0), 1) for axis, length in enumerate(lengths))
    if name == "Range":
        ends = [_numbers(values, place) for place in range(3)]
        if all(len(end) == 1 for end in ends) and ends[2][0]:
            return max((ends[1][0] - ends[0][0]) / ends[2][0], 0.0)
        return 0
    if name == "Resize":
        return math.prod(max(entry, 1) for entry in _numbers(values, 3)) or size * math.prod(_numbers(values, 2))
    if name == "Upsample":
        return size * math.prod(_numbers(values, 1))
    return size * max(_ints(values, COUNTS[name]), default=0) if name in COUNTS else 0


def _known(values: Sequence[Value | None], place: int) -> Array | None:
    value = values[place] if place < len(values) else None
    return value.ravel() if isinstance(value, np.ndarray) and value.dtype.kind in "iuf" else None


def _ints(values: Sequence[Value | None], place: int) -> list[int]:
    array = _known(values, place)
    return [] if array is None or array.dtype.kind == "f" else [int(entry) for entry in array]


def _numbers(values: Sequence[Value | None], place: int) -> list[float]:
    array = _known(values, place)
    return [] if array is None else [float(entry) for entry in array if np.isfinite(entry)]
