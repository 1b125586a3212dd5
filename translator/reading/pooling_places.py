"""Where the maxima of MaxPool stand: its second output, the number of the input element in each window."""

from __future__ import annotations

from math import prod

import numpy as np
from scipy.sparse import csr_array

from circuits.scalar import X
from translator.reading.context import Context
from translator.reading.elementwise import binary, unary
from translator.reading.loading import Operator
from translator.reading.movement import reshape
from translator.reading.positional import term_array
from translator.reading.reduction import reduce
from translator.reading.selecting import apply_along, keep, rearranged, without
from translator.reading.table import call
from translator.reading.values import Data, Index, Value
from translator.reading.windows import Window, filled


def pool_places(context: Context, operator: Operator, data: Data) -> Value:
    """The numbers of the largest elements of the windows, the first one on ties; elements are numbered over all images."""
    without(data, "the places of maxima are asked for")
    shape = [axis.pre for axis in data.axes]
    window = Window(operator, operator.attributes["kernel_shape"], shape[2:])
    table = filled(window.table(shape[2:]))
    images = np.arange(prod(shape[:2]))[:, None, None] * prod(shape[2:])
    entries = keep(rearranged(data, images + table))
    gap = binary(context, "sub", entries, reduce(context, "max", entries, [2], True))
    reached = keep(unary(context, call("ge", X, 0.0), gap))
    taps = table.shape[1]
    # A tap counts if it reaches the maximum and no tap before it does.
    alone = np.eye(taps) - np.tril(np.ones((taps, taps)), -1)
    first = unary(context, call("gt", X, 0.0), apply_along(context, reached, 2, csr_array(alone)))
    numbers = images + _in_order(table, shape[2:], operator.attributes.get("storage_order", 0))
    found = reduce(context, "sum", binary(context, "mul", first, numbers), [2], False)
    return reshape(context, found, term_array([*shape[:2], *window.out]), True)


def _in_order(table: Index, spatial: list[int], storage_order: int) -> Index:
    """Numbers of elements in row-major order (0), or in column-major order (1)."""
    if not storage_order:
        return table
    return np.arange(prod(spatial)).reshape(spatial[::-1]).T.ravel()[table]
