"""Sums and products of everything before a place: along the positions, and along static axes."""

from __future__ import annotations

from functools import partial

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import AtLeast, negation, var
from translator.axes import part_shape
from translator.reading import contraction
from translator.reading.context import Context, dims_of, plain
from translator.reading.loading import Operator
from translator.reading.reduction import product_by_logarithms
from translator.reading.table import Inputs, lowering, needed, number
from translator.reading.types import dtype_of
from translator.reading.values import Data, Part, Positional, Value, View, constant, selection
from translator.reading.whole_numbers import wrapped


@lowering("CumSum")
def _cumsum(context: Context, operator: Operator, values: Inputs) -> Value:
    x, axis, exclusive, reverse = _read(operator, values)
    return wrapped(context, cumulative_sum(context, axis, exclusive, reverse, x), dtype_of(x))


@lowering("CumProd")
def _cumprod(context: Context, operator: Operator, values: Inputs) -> Value:
    x, axis, exclusive, reverse = _read(operator, values)
    if not isinstance(x, Data) or dims_of(x)[axis].n_coef:
        return product_by_logarithms(context, x, partial(cumulative_sum, context, axis, exclusive, reverse))
    parts = {}
    for key, part in x.parts.items():
        shape = part_shape(x.axes, key)
        places = np.moveaxis(np.arange(int(np.prod(shape))).reshape(shape), axis, -1)
        if reverse:
            places = places[..., ::-1]
        view = _prefix_products(context, plain(context, part).take(places.ravel()), shape[axis], exclusive)
        back = np.empty(view.size, dtype=np.int64)
        back[places.ravel()] = np.arange(view.size)
        parts[key] = Part(view.take(back))
    return wrapped(context, Data(x.axes, parts), dtype_of(x))


def _read(operator: Operator, values: Inputs) -> tuple[Value, int, bool, bool]:
    x = needed(values, 0)
    axis = int(number(needed(values, 1))) % len(dims_of(x))
    return x, axis, bool(operator.attributes.get("exclusive", 0)), bool(operator.attributes.get("reverse", 0))


def cumulative_sum(context: Context, axis: int, exclusive: bool, reverse: bool, x: Value) -> Value:
    """Sum what stands at smaller (with `reverse`: larger) places of an axis, and at the place itself unless `exclusive`."""
    length, rank = dims_of(x)[axis], len(dims_of(x))
    gap = (var(0) - var(1)) * (-1 if reverse else 1) - int(exclusive)
    if length.n_coef:
        mask: Value = Positional(
            (length, length), ((AtLeast(gap), np.ones((1, 1))), (negation(AtLeast(gap)), np.zeros((1, 1)))), "float"
        )
    else:
        lower = np.tril(np.ones((length.const, length.const)), -1 if exclusive else 0)
        mask = lower.T if reverse else lower
    labels = list(range(rank))
    out = [rank if label == axis else label for label in labels]
    return contraction.contract(context, mask, [rank, axis], x, labels, out)


def _prefix_products(context: Context, view: View, count: int, exclusive: bool) -> View:
    """Products of the first elements of each row of `count` elements, in as many rounds as `count` has bits."""
    assembly = context.assembly
    place = np.arange(view.size) % max(count, 1)
    if exclusive:
        view = _kept(context, view.take(np.maximum(np.arange(view.size) - 1, 0)), place >= 1, 1.0)
    step = 1
    while step < count:
        late = np.flatnonzero(place >= step)
        early = np.flatnonzero(place < step)
        products = assembly.multiply(view, view, late, late - step)
        rows = assembly.rows(products).apply(csr_array(selection(late, view.size).T))
        rest = assembly.rows(view.take(early)).apply(csr_array(selection(early, view.size).T))
        view = assembly.view_of(rows.plus(rest))
        step *= 2
    return view


def _kept(context: Context, view: View, kept: np.ndarray[tuple[int], np.dtype[np.bool_]], fill: float) -> View:
    """The elements that are kept, and a constant for the others."""
    chosen = np.flatnonzero(kept)
    rows = context.assembly.rows(view.take(chosen)).apply(csr_array(selection(chosen, view.size).T))
    return context.assembly.view_of(rows.plus(constant(np.where(kept, 0.0, fill))))
