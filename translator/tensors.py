"""Whole ONNX tensors: node values put together as the file declares an output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from translator.axes import RUN, part_shape
from translator.real import Tensor
from translator.real_evaluate import read_at

Array = np.ndarray[Any, Any]


def assemble(tensor: Tensor, n: int, values: Mapping[str, Array], batch: int) -> Array:
    """The tensor at length n for a batch: shape ``(batch, *shape)``, with the number type of the node values.

    `values` are node values of shape ``(batch, n, .., n, size)``, from any evaluator.
    """
    if tensor.values is not None:
        return np.broadcast_to(tensor.values, (batch, *tensor.values.shape))
    shape = tuple(axis.length.evaluate(n, ()) for axis in tensor.axes)
    kind = values[tensor.parts[0][1].node].dtype if tensor.parts else np.dtype(np.float64)
    result = np.zeros((batch, *shape), dtype=kind)
    for key, ref in tensor.parts:
        running = [axis for axis, segment in enumerate(key) if segment == RUN]
        found = read_at(values[ref.node], ref, n, len(running))
        cells = found.reshape(batch, *(n,) * len(running), *part_shape(tensor.axes, key))
        for order, axis in enumerate(running):
            # The position axis comes to the place of the axis of size 1 that stands for it.
            place = len(running) - order + axis
            cells = np.moveaxis(cells, 1, place)
            cells = cells.reshape(*cells.shape[: place + 1], *cells.shape[place + 2 :])
        own = tuple(axis.place(segment, n) for axis, segment in zip(tensor.axes, key, strict=True))
        cut = tuple(
            axis.cut(n) if segment == RUN else slice(None) for axis, segment in zip(tensor.axes, key, strict=True)
        )
        result[(slice(None), *own)] = cells[(slice(None), *cut)]
    return result
