"""Writing at given places: Scatter, ScatterElements, ScatterND, TensorScatter, MaxUnpool.

Known places are data movement. Places that depend on the input are compared with every place of the tensor written to; where
several writes meet, the last one counts, unless they are reduced.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import Term
from circuits.scalar import X
from translator.reading.context import Context, dims_of, plain, to_data
from translator.reading.contraction import Labels, contract
from translator.reading.elementwise import binary, unary
from translator.reading.joining import concat, pad
from translator.reading.loading import Operator
from translator.reading.movement import known_ints, reshape, slice_axis, take_static, unsqueeze
from translator.reading.positional import is_terms, term_array
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.selecting import apply_along, hot, keep, numbers, rearranged, spread, without
from translator.reading.table import Inputs, call, lowering, needed, optional
from translator.reading.values import Array, Data, Part, Value

ONE = np.array(1.0)
ZERO = np.array(0.0)


def _is_fixed(value: Value) -> bool:
    return not any(dim.n_coef for dim in dims_of(value)) and not is_terms(value)


def _shape(value: Value) -> list[int]:
    return [dim.const for dim in dims_of(value)]


def _stored(context: Context, value: Value) -> Data:
    """A tensor of static axes as data of one axis."""
    data = to_data(context, numbers(value))
    return to_data(context, reshape(context, data, term_array([int(np.prod(_shape(data)))]), True))


def scatter_at(context: Context, data: Value, targets: Array, updates: Value, reduction: str) -> Value:
    """Write updates at known targets: row-major numbers of elements of `data`, one for each element of `updates`."""
    shape = _shape(data)
    current, new = _stored(context, data), _stored(context, updates)
    targets = targets.ravel()
    size, count = int(np.prod(shape)), len(targets)
    if reduction == "add":
        assembly = context.assembly
        matrix = csr_array((np.ones(count), (targets, np.arange(count))), shape=(size, count))
        written = assembly.rows(plain(context, new.only)).apply(matrix)
        total = assembly.rows(plain(context, current.only)).plus(written)
        current = Data(current.axes, {(0,): Part(assembly.view_of(total))})
    else:
        for chosen in [np.arange(count)] if reduction == "none" else _rounds(targets):
            value: Value = rearranged(new, chosen)
            if reduction != "none":
                value = binary(context, reduction, rearranged(current, targets[chosen]), value)
            source = np.arange(size)
            source[targets[chosen]] = size + np.arange(len(chosen))
            current = to_data(context, rearranged(concat(context, [current, value], 0), source))
    return reshape(context, current, term_array(shape), True)


def _rounds(targets: Array) -> list[Array]:
    """Groups of writes that meet nowhere, in order."""
    order = np.argsort(targets, kind="stable")
    first = np.searchsorted(targets[order], targets[order])
    turn = np.empty(len(targets), dtype=np.int64)
    turn[order] = np.arange(len(targets)) - first
    return [np.flatnonzero(turn == number) for number in range(int(turn.max(initial=-1)) + 1)]


def scatter(
    context: Context,
    data: Value,
    labels: Labels,
    chosen: Value,
    chosen_labels: Labels,
    write: int,
    updates: Value,
    update_labels: Labels,
    reduction: str,
) -> Value:
    """Write updates where `chosen` is 1; the label `write` numbers the writes, in order."""
    data, updates = keep(numbers(data)), keep(numbers(updates))
    axis = list(chosen_labels).index(write)
    if reduction == "none":
        count = dims_of(chosen)[axis].const
        if count > 1:
            chosen = _last(context, chosen, axis, count)
        rest = [label for label in chosen_labels if label != write]
        written = reduce(context, "sum", chosen, [axis], False)
        free = spread(context, binary(context, "sub", ONE, written), rest, labels)
        data = binary(context, "mul", data, free)
    if reduction in ("none", "add"):
        added = contract(context, chosen, chosen_labels, updates, update_labels, labels)
        return binary(context, "add", data, added)
    wide = [*labels, write]
    if reduction == "mul":
        excess = binary(context, "sub", updates, ONE)
        factors = binary(context, "add", contract(context, chosen, chosen_labels, excess, update_labels, wide), ONE)
        return binary(context, "mul", data, product(context, factors, len(labels)))
    held = unsqueeze(context, data, [-1])
    gap = binary(context, "sub", spread(context, updates, update_labels, wide), held)
    moved = binary(context, "mul", spread(context, chosen, chosen_labels, wide), gap)
    candidates = concat(context, [held, binary(context, "add", held, moved)], len(labels))
    return reduce(context, reduction, candidates, [len(labels)], False)


def _last(context: Context, chosen: Value, axis: int, count: int) -> Value:
    """Keep the last write to each place."""
    chosen = keep(chosen)
    later = apply_along(context, chosen, axis, csr_array(np.triu(np.ones((count, count)), 1)))
    return numbers(binary(context, "gt", binary(context, "sub", chosen, later), ZERO))


def product(context: Context, value: Value, axis: int) -> Value:
    """Multiply all entries of a static axis, as a balanced tree; the axis disappears."""
    count = dims_of(value)[axis].const
    while count > 1:
        half = count // 2
        first = take_static(context, value, axis, np.arange(half))
        second = take_static(context, value, axis, np.arange(half, 2 * half))
        rest = take_static(context, value, axis, np.arange(2 * half, count))
        both = binary(context, "mul", first, second)
        value = concat(context, [both, rest], axis) if count % 2 else both
        count = half + count % 2
    return take_static(context, value, axis, np.array(0))


@lowering("Scatter", "ScatterElements")
def scatter_elements(context: Context, operator: Operator, values: Inputs) -> Value:
    """Each update has its own index along the axis; on the other axes it stays where it is."""
    data, index, updates = (needed(values, place) for place in range(3))
    rank = len(dims_of(data))
    axis = operator.attributes.get("axis", 0) % rank
    reduction = operator.attributes.get("reduction", "none")
    if isinstance(index, np.ndarray) and not is_terms(index) and _is_fixed(data) and _is_fixed(updates):
        shape = _shape(data)
        grid: list[Array] = list(np.indices(index.shape))
        grid[axis] = np.where(index < 0, index + shape[axis], index)
        return scatter_at(context, data, np.ravel_multi_index(grid, shape), updates, reduction)
    count = dims_of(index)[axis]
    if count.n_coef:
        raise Refusal("N051", f"`{operator.op_type}` writes {count} updates at indices along the sequence")
    chosen = hot(context, index, dims_of(data)[axis])
    for other in range(rank):
        missing = dims_of(data)[other] - dims_of(index)[other]
        if other == axis or missing == Term():
            continue
        if missing.n_coef:
            raise Refusal("N051", f"`{operator.op_type}` writes to a part of the sequence")
        chosen = pad(context, chosen, [0] * (rank + 1), _at(rank + 1, other, missing.const), ZERO)
        updates = pad(context, numbers(updates), [0] * rank, _at(rank, other, missing.const), ZERO)
    labels = list(range(rank))
    narrow = [rank if label == axis else label for label in labels]
    return scatter(context, data, labels, chosen, [*narrow, axis], rank, updates, narrow, reduction)


def _at(rank: int, place: int, count: int) -> list[int]:
    return [count if other == place else 0 for other in range(rank)]


@lowering("ScatterND")
def scatter_nd(context: Context, operator: Operator, values: Inputs) -> Value:
    """The last axis of the indices names the leading axes of the tensor written to."""
    data, index, updates = (needed(values, place) for place in range(3))
    reduction = operator.attributes.get("reduction", "none")
    depth = dims_of(index)[-1].const
    lead, rest = dims_of(data)[:depth], dims_of(data)[depth:]
    if any(dim.n_coef for dim in (*lead, *dims_of(index))):
        raise Refusal("N051", "ScatterND writes at places along the sequence", help="use Where with a mask instead")
    sizes = [dim.const for dim in lead]
    if isinstance(index, np.ndarray) and _is_fixed(data):
        columns = [np.where(index[..., c] < 0, index[..., c] + sizes[c], index[..., c]) for c in range(depth)]
        first = np.zeros(index.shape[:-1], dtype=np.int64)
        for column, size in zip(columns, sizes, strict=True):
            first = first * size + column
        inner = int(np.prod([dim.const for dim in rest]))
        return scatter_at(context, data, first[..., None] * inner + np.arange(inner), updates, reduction)
    count = int(np.prod(_shape(index)[:-1]))
    place: Value = np.zeros(count)
    table = reshape(context, index, term_array([count, depth]), True)
    for component, size in enumerate(sizes):
        entries = take_static(context, table, 1, np.array(component))
        wrapped = call("where", call("ge", X, 0.0), X, call("add", X, float(size)))
        scaled = binary(context, "mul", place, np.array(float(size)))
        place = binary(context, "add", scaled, unary(context, wrapped, entries))
    total = int(np.prod(sizes))
    chosen = hot(context, place, Term((), 0, total), wraps=False)
    flat = reshape(context, data, term_array([total, *rest]), True)
    new = reshape(context, updates, term_array([count, *rest]), True)
    inner_labels = list(range(2, 2 + len(rest)))
    result = scatter(context, flat, [1, *inner_labels], chosen, [0, 1], 0, new, [0, *inner_labels], reduction)
    return reshape(context, result, term_array(list(dims_of(data))), True)


@lowering("TensorScatter")
def tensor_scatter(context: Context, operator: Operator, values: Inputs) -> Value:
    """Write a run of entries into a cache, from an index of its own for each batch entry."""
    cache, update, start = needed(values, 0), needed(values, 1), optional(values, 2)
    rank = len(dims_of(cache))
    axis = operator.attributes.get("axis", -2) % rank
    length, count = dims_of(cache)[axis], dims_of(update)[axis]
    if length.n_coef or count.n_coef:
        raise Refusal("N051", "TensorScatter writes along the sequence", help="export without a cache")
    if start is None:
        start = np.zeros(_shape(cache)[:1], dtype=np.int64)
    places = binary(context, "add", unsqueeze(context, start, [1]), np.arange(count.const))
    chosen = hot(context, places, length, wraps=False)
    if operator.attributes.get("mode", "linear") == "circular":
        beyond = binary(context, "sub", places, np.array(length.const))
        chosen = binary(context, "add", chosen, hot(context, beyond, length, wraps=False))
    labels = list(range(rank))
    narrow = [rank if label == axis else label for label in labels]
    return scatter(context, cache, labels, chosen, [0, rank, axis], rank, update, narrow, "none")


@lowering("MaxUnpool")
def max_unpool(context: Context, operator: Operator, values: Inputs) -> Value:
    """Put the maxima back where they were; everything else is 0."""
    x, index = needed(values, 0), needed(values, 1)
    if not (_is_fixed(x) and _is_fixed(index)):
        without(x, "MaxUnpool writes")
    shape = _shape(x)
    kernel = operator.attributes["kernel_shape"]
    rank = len(kernel)
    strides = operator.attributes.get("strides") or [1] * rank
    pads = operator.attributes.get("pads") or [0] * 2 * rank
    sizes = [
        (size - 1) * stride + width - front - back
        for size, stride, width, front, back in zip(shape[2:], strides, kernel, pads[:rank], pads[rank:], strict=True)
    ]
    inferred = [*shape[:2], *sizes]
    empty = np.zeros(inferred)
    result: Value
    if isinstance(index, np.ndarray):
        result = scatter_at(context, empty, index.astype(np.int64), x, "none")
    else:
        flat = reshape(context, x, term_array([int(np.prod(shape))]), True)
        place = reshape(context, index, term_array([int(np.prod(shape))]), True)
        chosen = hot(context, place, Term((), 0, empty.size), wraps=False)
        written = scatter(context, empty.ravel(), [1], chosen, [0, 1], 0, flat, [0], "none")
        result = reshape(context, written, term_array(inferred), True)
    wanted = known_ints(optional(values, 2))
    if wanted is None:
        return result
    for axis, (have, want) in enumerate(zip(inferred, wanted, strict=True)):
        if want < have:
            result = slice_axis(context, result, axis, Term(), Term((), 0, want), 1)
    grown = [max(want - have, 0) for have, want in zip(inferred, wanted, strict=True)]
    return pad(context, result, [0] * len(grown), grown, ZERO)
