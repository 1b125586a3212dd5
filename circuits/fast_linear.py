"""Linear maps of values with the inputs last, by the cheapest of three methods that the weights allow."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from circuits.matrices import Matrix
from circuits.simulation_arrays import Array, column, multiply_as, take_rows

DENSE_SHARE = 4


class Linear:
    """``matrix @ values``; callers choose a type in which every partial sum is exact.

    Weights of which every row has one are a selection and a scaling; those of which a quarter is not 0 are one dense matrix
    product; others a sparse one.
    """

    def __init__(self, matrix: Matrix, kind: np.dtype[Any]) -> None:
        n_rows, n_columns = matrix.shape
        self.kind = kind
        self.index = self.scale = self.dense = self.sparse = None
        if n_rows and (np.diff(matrix.indptr) == 1).all():
            self.index = matrix.indices
            self.scale = None if (matrix.data == 1).all() else matrix.data.astype(kind)
        elif matrix.nnz * DENSE_SHARE >= n_rows * n_columns and kind.kind == "f":
            self.dense = matrix.toarray().astype(kind)
        else:
            self.sparse = matrix.astype(kind)

    def __call__(self, values: Array) -> Array:
        """The map of the first axis; the result is a new array."""
        if self.index is not None:
            taken = take_rows(values, self.index)
            if self.scale is None:
                return taken.astype(self.kind)
            return multiply_as(self.kind, taken, column(self.scale, taken.ndim - 2))
        flat = values.astype(self.kind, copy=False).reshape(len(values), math.prod(values.shape[1:]))
        result: Any = self.sparse @ flat if self.dense is None else self.dense @ flat
        return result.reshape(len(result), *values.shape[1:])
