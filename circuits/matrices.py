"""Integer matrices: sparse weights shared by every position, and their text form."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.diagnostics import fail

Matrix = csr_array
Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST = 1 << 62


def matrix(rows: Any, columns: Any, weights: Any, shape: tuple[int, int]) -> Matrix:
    """Build a canonical sparse integer matrix: sorted, duplicates added, zeros dropped."""
    weights = np.broadcast_to(np.asarray(weights, dtype=np.int64), np.shape(rows))
    built = csr_array((weights.ravel(), (np.ravel(rows), np.ravel(columns))), shape=shape, dtype=np.int64)
    return canonical(built)


def canonical(given: Any) -> Matrix:
    """Sort, add duplicates, drop zeros, and make int64."""
    result = csr_array(given, dtype=np.int64, copy=True)
    result.sum_duplicates()
    result.eliminate_zeros()
    result.sort_indices()
    index = np.int32 if max(*result.shape, result.nnz) < 1 << 31 else np.int64
    result.indices, result.indptr = result.indices.astype(index, copy=False), result.indptr.astype(index, copy=False)
    return result


def identity(size: int, weight: int = 1) -> Matrix:
    """``weight`` times the identity."""
    return matrix(np.arange(size), np.arange(size), weight, (size, size))


def selection(index: Any, n_columns: int, weight: int = 1) -> Matrix:
    """Row i reads column ``index[i]``."""
    index = np.asarray(index)
    return matrix(np.arange(len(index)), index, weight, (len(index), n_columns))


def equal(left: Matrix, right: Matrix) -> bool:
    """Tell whether two canonical matrices are the same."""
    return (
        left.shape == right.shape
        and np.array_equal(left.indptr, right.indptr)
        and np.array_equal(left.indices, right.indices)
        and np.array_equal(left.data, right.data)
    )


def multiply(weights: Matrix, values: Integers) -> Integers:
    """``weights @ v`` for the last axis of `values`; exact in int64 (callers keep sums below 2**62).

    Small dense weights go through float64 BLAS where every partial sum is an integer below 2**53, hence exact.
    """
    flat = values.reshape(-1, values.shape[-1])
    n_rows, n_columns = weights.shape
    if weights.nnz * 4 >= n_rows * n_columns:
        dense = weights.toarray()
        largest = int(np.abs(dense).sum(axis=1).max(initial=0)) * int(np.abs(flat).max(initial=0))
        if largest < 2**53:
            result = (flat.astype(np.float64) @ dense.T.astype(np.float64)).astype(np.int64)
        else:
            result = flat @ dense.T
    else:
        result = np.ascontiguousarray((weights @ np.ascontiguousarray(flat.T)).T)
    return result.reshape(*values.shape[:-1], n_rows)


def matrix_to_data(given: Matrix) -> dict[str, Any]:
    """Write a matrix for JSON, in compressed rows."""
    return {
        "shape": list(given.shape),
        "starts": given.indptr.tolist(),
        "columns": given.indices.tolist(),
        "weights": given.data.tolist(),
    }


def matrix_of_data(data: Any) -> Matrix:
    """Read what `matrix_to_data` wrote.

    Raises:
        FomError: the data is no matrix.
    """
    try:
        n_rows, n_columns = (int(number) for number in integers_of_data(data["shape"]))
        if set(data) != {"shape", "starts", "columns", "weights"} or n_columns < 0:
            raise ValueError("expected a shape, row starts, columns and weights")
        starts, columns, weights = (integers_of_data(data[key]) for key in ("starts", "columns", "weights"))
        in_order = len(starts) == n_rows + 1 and starts[0] == 0 and bool((np.diff(starts) >= 0).all())
        if not in_order or starts[-1] != len(columns) or len(columns) != len(weights):
            raise ValueError("the row starts do not fit the columns")
        if len(columns) and not (0 <= columns.min() and columns.max() < n_columns):
            raise ValueError("a column lies outside the matrix")
        return canonical(csr_array((weights, columns, starts), shape=(n_rows, n_columns)))
    except KeyError as error:
        raise fail("C011", f"not a matrix: there is no {error}", help="translate again") from None
    except (TypeError, ValueError, IndexError) as error:
        raise fail(
            "C011", f"not a matrix: {error}", help="the file was edited by hand or is damaged: translate again"
        ) from None


def integers_of_data(data: Any) -> Integers:
    """Read a list of integers as an array.

    Raises:
        ValueError: something in it is no integer, or has more than 62 bits.
    """
    if not isinstance(data, list) or not set(map(type, data)) <= {int}:
        raise ValueError("expected a list of integers")
    try:
        array = np.array(data, dtype=np.int64)
    except OverflowError:
        raise ValueError("an integer has more than 62 bits") from None
    if array.size and max(-int(array.min()), int(array.max())) >= MOST:
        raise ValueError("an integer has more than 62 bits")
    return array
