"""Products of two tensors summed over shared axes: MatMul, Gemm, Einsum and attention all are `contract`.

With a known matrix the result is affine; with two variables it is a `Multiply`, a `Linear` over static axes, and a `Sum` over
positions. A quotient whose denominator does not depend on the summed axis stays a quotient: softmax(..) @ v is
``Sum_y e*v / Sum_y e``, formed once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import TRUE, Guard, Term, conjunction, var
from translator.axes import PRE, RUN, Axis, Key, part_shape
from translator.reading.context import (
    Context,
    axis_of_length,
    dims_of,
    known,
    part_at,
    plain,
    realign,
    restrict,
)
from translator.reading.positional_sums import contract_known, flat_index, positional_sum
from translator.reading.refusing import Refusal
from translator.reading.values import Affine, Data, Index, Part, Positional, Value, View, constant

Labels = Sequence[int]


def matmul(context: Context, left: Value, right: Value) -> Value:
    """``left @ right`` as numpy and ONNX mean it."""
    a, b = len(dims_of(left)), len(dims_of(right))
    if a == 1 and b == 1:
        return contract(context, left, [0], right, [0], [])
    if a == 1:
        return contract(context, left, [b - 2], right, list(range(b)), [*range(b - 2), b - 1])
    if b == 1:
        return contract(context, left, list(range(a)), right, [a - 1], list(range(a - 1)))
    rank = max(a, b)
    batch = list(range(rank - 2))
    m, k, n = rank, rank + 1, rank + 2
    return contract(context, left, [*batch[rank - a :], m, k], right, [*batch[rank - b :], k, n], [*batch, m, n])


def contract(
    context: Context, left: Value, left_labels: Labels, right: Value, right_labels: Labels, out: Labels
) -> Value:
    """Sum of products over the labels that are not in `out` (Einstein summation of two operands)."""
    axes, left, right = _axes_of_labels(context, left, left_labels, right, right_labels)
    if not isinstance(left, Data) and not isinstance(right, Data):
        return contract_known(context, left, left_labels, right, right_labels, out, axes)
    summed = [label for label in axes if label not in out]
    out_axes = tuple(axes[label] for label in out)
    parts: dict[Key, list[Part]] = {}
    for choice in itertools.product(*(axes[label].segments() for label in axes)):
        segment = dict(zip(axes, choice, strict=True))
        key = tuple(segment[label] for label in out)
        found = _contract_part(context, left, left_labels, right, right_labels, out, axes, segment, summed)
        parts.setdefault(key, []).append(found)
    return Data(out_axes, {key: _add_parts(context, found) for key, found in parts.items()})


def _axes_of_labels(
    context: Context, left: Value, left_labels: Labels, right: Value, right_labels: Labels
) -> tuple[dict[int, Axis], Value, Value]:
    axes: dict[int, Axis] = {}
    operands = [left, right]
    for label in [*left_labels, *(label for label in right_labels if label not in left_labels)]:
        found: list[Axis] = []
        lengths: list[Term] = []
        for value, labels in zip(operands, (left_labels, right_labels), strict=True):
            if label in labels:
                place = list(labels).index(label)
                lengths.append(dims_of(value)[place])
                if isinstance(value, Data) and dims_of(value)[place] != Term((), 0, 1):
                    found.append(value.axes[place])
        real = [length for length in lengths if length != Term((), 0, 1)]
        if len(set(real)) > 1:
            raise Refusal("N031", f"axes of lengths {real[0]} and {real[1]} do not fit for every n")
        if len(found) == 2 and found[0] != found[1]:
            for which, labels in enumerate((left_labels, right_labels)):
                value = operands[which]
                if isinstance(value, Data):
                    operands[which] = realign(context, value, list(labels).index(label))
            found = [axis_of_length(real[0])]
        axes[label] = found[0] if found else axis_of_length(real[0]) if real else Axis(1)
    return axes, operands[0], operands[1]


def _read(
    context: Context, value: Value, labels: Labels, axes: dict[int, Axis], segment: dict[int, int]
) -> tuple[Part, tuple[int, ...]]:
    """Read an operand on its own axes; variables become labels."""
    own_axes, own_key = [], []
    for place, label in enumerate(labels):
        single = dims_of(value)[place] == Term((), 0, 1)
        own_axes.append(Axis(1) if single else axes[label])
        own_key.append(PRE if single else segment[label])
    part = part_at(context, value, tuple(own_axes), tuple(own_key))
    shape = part_shape(tuple(own_axes), tuple(own_key))
    return part.move(tuple(var(label) for label in labels)), shape


def _contract_part(
    context: Context,
    left: Value,
    left_labels: Labels,
    right: Value,
    right_labels: Labels,
    out: Labels,
    axes: dict[int, Axis],
    segment: dict[int, int],
    summed: list[int],
) -> Part:
    assembly = context.assembly
    extents = {label: axes[label].slots(segment[label]) for label in axes}
    size = int(np.prod(list(extents.values()))) if extents else 1
    points = np.unravel_index(np.arange(size), tuple(extents.values())) if extents else ()
    grid = dict(zip(extents, points, strict=True))
    out_shape = tuple(extents[label] for label in out)
    out_size = int(np.prod(out_shape))
    target = flat_index(out, out_shape, grid, size)
    running = [label for label in summed if segment[label] == RUN]
    back = _label_places(out)
    for which, (value, labels) in enumerate(((left, left_labels), (right, right_labels))):
        if isinstance(value, Positional) and len(running) == 1:
            other, other_labels = ((right, right_labels), (left, left_labels))[which]
            read, other_shape = _read(context, other, other_labels, axes, segment)
            if read.denominator is not None or read.allowed is not None:
                continue
            return positional_sum(
                context,
                value,
                labels,
                plain(context, read),
                flat_index(other_labels, other_shape, grid, size),
                axes,
                segment,
                running[0],
                grid,
                size,
                target,
                out_size,
                back,
            )
    if not size:
        return Part(assembly.view_of(constant(np.zeros(out_size)))).move(back)
    a, a_shape = _read(context, left, left_labels, axes, segment)
    b, b_shape = _read(context, right, right_labels, axes, segment)
    a_index, b_index = flat_index(left_labels, a_shape, grid, size), flat_index(right_labels, b_shape, grid, size)
    sides = [(a, a_index), (b, b_index)]
    denominator: View | None = None
    allowed: tuple[Guard, ...] | None = None
    readied: list[tuple[View, Index]] = []
    weighs = (isinstance(left, Data) and isinstance(right, Data)) or bool(running)
    for part, index in sides:
        if (
            weighs
            and part.denominator is not None
            and denominator is None
            and _is_free(part, index, summed, target, out_size)
        ):
            denominator = part.denominator.take(_first(target, index, out_size))
            part = Part(part.view, None, part.allowed, part.outside)
        if part.allowed is not None and part.outside == 0 and running and allowed is None:
            allowed = tuple(part.allowed[i] for i in index)
            part = Part(part.view, part.denominator)
        readied.append((plain(context, part), index))
    (first, first_index), (second, second_index) = readied
    for one, one_index, free, free_index in (
        (first, first_index, second, second_index),
        (second, second_index, first, first_index),
    ):
        values = known(context, one)
        if values is not None:
            matrix = csr_array((values[one_index], (target, free_index)), shape=(out_size, free.size))
            matrix.eliminate_zeros()
            if not running:
                return _finish(
                    assembly.view_of(dense_rows(context, free).apply(matrix), context.assembly.hint),
                    denominator,
                    back,
                )
    hint = assembly.hint
    if running:
        assembly.hint = assembly.named("weighted")
    elif len(summed) and size > out_size:
        assembly.hint = assembly.named("products")
    if allowed is not None and len(set(allowed)) == 1:
        guard, allowed = allowed[0], None
    else:
        guard = TRUE
    product = assembly.multiply(first, second, first_index, second_index)
    if allowed is not None:
        product = restrict(context, product, allowed)
    assembly.hint = hint
    if not running and out_size == size and (target == np.arange(size)).all():
        return _finish(product, denominator, back)
    if size > out_size or not (target == np.arange(size)).all():
        matrix = csr_array((np.ones(size), (target, np.arange(size))), shape=(out_size, size))
        role = (
            assembly.named("score" if context.is_score else "products") if not running else assembly.named("products")
        )
        product = assembly.view_of(assembly.rows(product).apply(matrix), role if context.is_score or running else hint)
    for label in running:
        inside = conjunction(guard, axes[label].guard(label))
        product = assembly.total(product, label, inside, assembly.named("num" if denominator is not None else "sum"))
        guard = TRUE
    return _finish(product, denominator, back)


def _finish(view: View, denominator: View | None, back: tuple[Term, ...]) -> Part:
    return Part(view, denominator).move(back)


def _label_places(out: Labels) -> tuple[Term, ...]:
    """Variables become axis numbers of the result."""
    places = [Term()] * (max(out, default=-1) + 64)
    for axis, label in enumerate(out):
        places[label] = var(axis)
    return tuple(places)


def _is_free(part: Part, index: Index, summed: list[int], target: Index, out_size: int) -> bool:
    """Whether the denominator does not depend on what is summed over."""
    if part.denominator is None or part.denominator.variables() & set(summed):
        return False
    chosen = part.denominator.index[index]
    return bool((chosen == chosen[_representative(target, out_size)][target]).all())


def _representative(target: Index, out_size: int) -> Index:
    result = np.zeros(out_size, dtype=np.int64)
    result[target[::-1]] = np.arange(len(target))[::-1]
    return result


def _first(target: Index, index: Index, out_size: int) -> Index:
    return np.asarray(index[_representative(target, out_size)])


def dense_rows(context: Context, view: View) -> Affine:
    """The operand of a matrix: a combination of several things becomes a node first, a rearrangement does not."""
    assembly = context.assembly
    affine = view.source.affine
    if view.function is None and affine is not None and not view.source.name:
        count = np.zeros(affine.size)
        for _, matrix in affine.operands:
            count += np.diff(matrix.indptr)
        if affine.pieces or (count > 1).any():
            assembly.emit(view.source)
    return assembly.rows(view)


def _add_parts(context: Context, parts: list[Part]) -> Part:
    """Add the contributions of the segments of a summed axis; quotients have a common denominator."""
    if len(parts) == 1:
        return parts[0]
    assembly = context.assembly
    denominators = [part.denominator for part in parts if part.denominator is not None]
    common = len(denominators) == len(parts) and all(d.is_same_base(denominators[0]) for d in denominators)
    total = constant(np.zeros(parts[0].view.size))
    for part in parts:
        total = total.plus(assembly.rows(part.view if common else plain(context, part)))
    view = assembly.view_of(total, assembly.named("num") if common else assembly.hint)
    return Part(view, denominators[0] if common else None)
