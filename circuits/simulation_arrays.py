"""Values of many inputs at once: arrays of shape ``(size, [1 or n] * k, B or 1)``, with the inputs on the last axis.

An axis of length 1 stands for a value that does not depend on that position, or on the input. With the inputs last every
operation runs along contiguous memory, whichever positions and elements it combines, and a linear map is one matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.positions import TRUE, Guard, Term, grid, holds

Array = np.ndarray[Any, Any]
Integers = np.ndarray[Any, np.dtype[np.int64]]


def read_at(at: tuple[Term, ...], n_variables: int, source: Array, n: int) -> Array:
    """A value read at position terms, as an array over the reader's variables. Positions outside 1..n read as 0."""
    variables = [term.coefs[0][0] if len(term.coefs) == 1 and term.coefs[0][1] == 1 else -1 for term in at]
    plain = all(v >= 0 and not t.n_coef and not t.const for v, t in zip(variables, at, strict=True))
    if plain and len(set(variables)) == len(variables):
        order = sorted(range(len(variables)), key=lambda axis: variables[axis])
        shape = [1] * n_variables
        for axis in order:
            shape[variables[axis]] = source.shape[axis + 1]
        moved = source.transpose((0, *(axis + 1 for axis in order), source.ndim - 1))
        return moved.reshape((len(source), *shape, source.shape[-1]))
    places = grid(n, n_variables)
    full = np.broadcast_to(source, (len(source), *(n,) * len(at), source.shape[-1]))
    indices = [np.asarray(term.evaluate(n, places)) for term in at]
    common = np.broadcast_shapes((1,) * n_variables, *(index.shape for index in indices))
    indices = [np.broadcast_to(index, common) for index in indices]
    inside = np.ones(common, dtype=bool)
    for index in indices:
        inside = inside & (index >= 1) & (index <= n)
    taken = full[(slice(None), *(np.clip(index, 1, n) - 1 for index in indices))]
    return taken if inside.all() else taken * inside[None, ..., None]


def allowed_at(guard: Guard, n: int, n_variables: int) -> Array:
    """Where a guard holds, as an array of Booleans that broadcasts against values of that many variables."""
    truth = np.broadcast_to(holds(guard, n, grid(n, n_variables)), (n,) * n_variables)
    return truth[None, ..., None]


def sum_over(values: Array, guard: Guard, n: int, k: int) -> Array:
    """Sum axis k + 1 (the bound position) over the positions that satisfy the guard; the type stays."""
    if guard == TRUE:
        total: Array = values.sum(axis=k + 1, dtype=values.dtype)
        return total if values.shape[k + 1] == n else total * values.dtype.type(n)
    masked = values * allowed_at(guard, n, k + 1)
    summed: Array = masked.sum(axis=k + 1, dtype=values.dtype)
    return summed


def take_rows(values: Array, index: Array) -> Array:
    """The given rows: a view where they follow one another."""
    first = int(index[0]) if len(index) else 0
    if np.array_equal(index, np.arange(first, first + len(index))):
        return values[first : first + len(index)]
    return values.take(index, axis=0)


def column(numbers: Array, n_positions: int) -> Array:
    """One number for each element, in the shape that broadcasts against values."""
    return numbers.reshape((-1,) + (1,) * (n_positions + 1))


def inputs_first(values: Array, batch: int, n: int) -> Integers:
    """The values as int64 of shape ``(B, n, .., n, size)``."""
    shape = (len(values), *(n,) * (values.ndim - 2), batch)
    return np.moveaxis(np.broadcast_to(values, shape), (-1, 0), (0, -1)).astype(np.int64)


def multiply_as(kind: np.dtype[Any], one: Array, other: Any) -> Array:
    """The product in a type that holds both factors exactly, also where it is integers and they are held in floats."""
    product: Array = np.multiply(one, other, dtype=kind, casting="unsafe")
    return product
