"""Sums over positions whose weights depend on positions alone: shifts, windows, prefix sums.

A guard that fixes the position summed over is a shifted read; any other guard is a `Sum` with that guard.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import All, AtLeast, Equals, Guard, Term, conjunction, substitute, var
from translator.axes import PRE, Axis, part_shape
from translator.reading.context import Context, dims_of, restrict, shifted_to
from translator.reading.positional import as_positional, join, specialise
from translator.reading.refusing import Refusal
from translator.reading.regions import implies, satisfiable
from translator.reading.values import Array, Index, Part, Positional, Value, View, constant

Labels = Sequence[int]


def flat_index(labels: Labels, shape: tuple[int, ...], grid: dict[int, Array], size: int) -> Index:
    """The flat index into an operand for each point of the joint grid."""
    index = np.zeros(size, dtype=np.int64)
    for label, extent in zip(labels, shape, strict=True):
        index = index * extent + (grid[label] if extent > 1 else 0)
    return index


def positional_sum(
    context: Context,
    weights: Positional,
    weight_labels: Labels,
    view: View,
    view_index: Index,
    axes: dict[int, Axis],
    segment: dict[int, int],
    label: int,
    grid: dict[int, Array],
    size: int,
    target: Index,
    out_size: int,
    back: tuple[Term, ...],
) -> Part:
    """Sum data over a position with weights that depend on positions: a guard that fixes y is a shift, others are sums."""
    assembly = context.assembly
    own_axes = tuple(Axis(1) if dims_of(weights)[p] == Term((), 0, 1) else axes[x] for p, x in enumerate(weight_labels))
    own_key = tuple(PRE if axis == Axis(1) else segment[x] for axis, x in zip(own_axes, weight_labels, strict=True))
    pieces = specialise(weights, own_axes, own_key)
    index = flat_index(weight_labels, part_shape(own_axes, own_key), grid, size)
    total = constant(np.zeros(out_size))
    rename = tuple(var(x) for x in weight_labels)
    for guard, chosen, values in pieces:
        if isinstance(values, Term):
            raise Refusal("N033", "a sum over positions is weighted with position numbers")
        weight = np.where(chosen, np.asarray(values, dtype=np.float64), 0.0)[index]
        if not weight.any():
            continue
        matrix = csr_array((weight, (target, view_index)), shape=(out_size, view.size))
        matrix.eliminate_zeros()
        moved = conjunction(substitute(guard, rename), axes[label].guard(label))
        fixed, rest = _solve_for(moved, label)
        if fixed is not None:
            at_place = shifted_to(context, view, label, fixed)
            if label not in view.variables():
                at_place = restrict(context, view, (_inside(fixed),) * view.size)
            rest = conjunction(*(part for part in _conjuncts(rest) if not implies(_inside(fixed), part)))
            at_place = restrict(context, at_place, (rest,) * view.size)
            total = total.plus(assembly.rows(at_place).apply(matrix))
        else:
            combined = assembly.view_of(assembly.rows(view).apply(matrix))
            summed = assembly.total(combined, label, moved, assembly.named("sum"))
            total = total.plus(assembly.rows(summed))
    return Part(assembly.view_of(total)).move(back)


def contract_known(
    context: Context,
    left: Value,
    left_labels: Labels,
    right: Value,
    right_labels: Labels,
    out: Labels,
    axes: dict[int, Axis],
) -> Value:
    """Neither operand depends on the input."""
    first, second = as_positional(left), as_positional(right)
    if any(axes[label].run for label in axes if label not in out):
        raise Refusal("N045", "two tensors of positions are multiplied and summed over the sequence")
    letters = {label: chr(97 + i) for i, label in enumerate(axes)}
    equation = (
        f"{''.join(letters[x] for x in left_labels)},{''.join(letters[x] for x in right_labels)}"
        f"->{''.join(letters[x] for x in out)}"
    )
    rename1 = [var(list(out).index(x) if x in out else 0) for x in left_labels]
    rename2 = [var(list(out).index(x) if x in out else 0) for x in right_labels]
    pieces = []
    for guard1, value1 in first.pieces:
        for guard2, value2 in second.pieces:
            both = conjunction(substitute(guard1, rename1), substitute(guard2, rename2))
            if isinstance(value1, Term) or isinstance(value2, Term):
                raise Refusal("N033", "position numbers are multiplied by a matrix")
            if satisfiable(both):
                pieces.append(
                    (
                        both,
                        np.einsum(
                            equation,
                            _one(value1, value2, left_labels, right_labels),
                            _one(value2, value1, right_labels, left_labels),
                        ),
                    )
                )
    dims = tuple(axes[label].length for label in out)
    if not any(dim.n_coef for dim in dims):
        return np.asarray(pieces[0][1])
    return Positional(dims, join(pieces))


def _one(value: Array, other: Array, labels: Labels, other_labels: Labels) -> Array:
    """Spread axes of length 1, as einsum does not."""
    shape = list(value.shape)
    for axis, label in enumerate(labels):
        if label in other_labels and shape[axis] == 1:
            shape[axis] = other.shape[list(other_labels).index(label)]
    return np.broadcast_to(value, shape)


def _inside(place: Term) -> Guard:
    return conjunction(AtLeast(place - 1), AtLeast(Term((), 1, 0) - place))


def _conjuncts(guard: Guard) -> tuple[Guard, ...]:
    return guard.parts if isinstance(guard, All) else (guard,)


def _solve_for(guard: Guard, variable: int) -> tuple[Term | None, Guard]:
    """Find an equation that fixes the variable: its value, and the rest of the guard there."""
    for part in _conjuncts(guard):
        if isinstance(part, Equals):
            coef = dict(part.term.coefs).get(variable, 0)
            if coef in (1, -1):
                place = (part.term - var(variable) * coef) * -coef
                at = [var(v) for v in range(128)]
                at[variable] = place
                rest = conjunction(*(substitute(other, at) for other in _conjuncts(guard) if other != part))
                return place, rest
    return None, guard
