"""MatMul, Gemm, Einsum and Det as contractions of two operands at a time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circuits.positions import Term, substitute, var
from translator.axes import Key, part_shape
from translator.reading.context import Context, dims_of
from translator.reading.contraction import contract, matmul
from translator.reading.elementwise import binary
from translator.reading.loading import Operator
from translator.reading.movement import reshape, transpose
from translator.reading.positional import is_terms, of_array, term_array
from translator.reading.reduction import reduce
from translator.reading.refusing import Refusal
from translator.reading.table import Inputs, lowering, needed, optional
from translator.reading.values import Data, Part, Positional, Value

LARGEST_DETERMINANT = 16


@lowering("MatMul")
def _matmul(context: Context, operator: Operator, values: Inputs) -> Value:
    return matmul(context, needed(values, 0), needed(values, 1))


@lowering("Gemm")
def gemm(context: Context, operator: Operator, values: Inputs) -> Value:
    """``alpha * A' @ B' + beta * C``."""
    given = operator.attributes
    a, b, c = needed(values, 0), needed(values, 1), optional(values, 2)
    if given.get("transA", 0):
        a = transpose(context, a, [1, 0])
    if given.get("transB", 0):
        b = transpose(context, b, [1, 0])
    alpha, beta = float(given.get("alpha", 1.0)), float(given.get("beta", 1.0))
    if isinstance(b, np.ndarray) and alpha != 1:
        b, alpha = np.asarray(b, dtype=np.float64) * alpha, 1.0
    result = matmul(context, a, b)
    if alpha != 1:
        result = binary(context, "mul", result, np.array(alpha))
    if c is None or beta == 0:
        return result
    return binary(context, "add", result, c if beta == 1 else binary(context, "mul", c, np.array(beta)))


@lowering("Einsum")
def _einsum(context: Context, operator: Operator, values: Inputs) -> Value:
    return einsum(context, [needed(values, place) for place in range(len(values))], operator.attributes["equation"])


def einsum(context: Context, values: Sequence[Value], equation: str) -> Value:
    """Einstein summation: diagonals first, then what only one operand has, then products of two at a time."""
    operands, out = _labelled(equation, values)
    remaining = [_diagonals(context, value, labels) for value, labels in zip(values, operands, strict=True)]
    for place, (value, labels) in enumerate(remaining):
        others = {label for other, (_, rest) in enumerate(remaining) if other != place for label in rest} | set(out)
        alone = [axis for axis, label in enumerate(labels) if label not in others]
        if alone:
            value = reduce(context, "sum", value, alone, False)
            remaining[place] = (value, [label for label in labels if label in others])
    (value, labels), *rest = remaining
    for number, (other, other_labels) in enumerate(rest):
        later = {label for _, more in rest[number + 1 :] for label in more} | set(out)
        kept = [label for label in dict.fromkeys([*labels, *other_labels]) if label in later]
        value = contract(context, value, labels, other, other_labels, kept)
        labels = kept
    return value if labels == out else transpose(context, value, [labels.index(label) for label in out])


def _labelled(equation: str, values: Sequence[Value]) -> tuple[list[list[int]], list[int]]:
    """Number the labels of an equation from 0 on; axes under an ellipsis are aligned at its right end."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(values):
        raise Refusal("N046", f"Einsum `{equation}` names {len(terms)} operands, and {len(values)} are given")
    widest = 0
    result = []
    for term, value in zip(terms, values, strict=True):
        hidden = len(dims_of(value)) - len(term.replace("...", ""))
        if hidden < 0 or (hidden and "..." not in term):
            raise Refusal("N046", f"Einsum `{equation}`: `{term}` does not fit {len(dims_of(value))} axes")
        widest = max(widest, hidden)
        result.append(_numbers(term, hidden))
    if not arrow:
        every = "".join(terms).replace("...", "")
        once = sorted(letter for letter in set(every) if every.count(letter) == 1)
        right = ("..." if "..." in left else "") + "".join(once)
    number = {label: place for place, label in enumerate(dict.fromkeys(label for term in result for label in term))}
    out = _numbers(right, widest)
    if not set(out) <= set(number) or len(set(out)) < len(out):
        raise Refusal("N046", f"Einsum `{equation}`: the output repeats a label, or names one that no operand has")
    return [[number[label] for label in term] for term in result], [number[label] for label in out]


def _numbers(term: str, hidden: int) -> list[int]:
    """Letters become their code points; an ellipsis becomes one number for each axis that it hides, the last of them -1."""
    if "..." not in term:
        return [ord(letter) for letter in term]
    before, _, after = term.partition("...")
    unnamed = range(-hidden, 0)
    return [*(ord(letter) for letter in before), *unnamed, *(ord(letter) for letter in after)]


def _diagonals(context: Context, value: Value, labels: list[int]) -> tuple[Value, list[int]]:
    """Take the diagonal of axes of the same label."""
    for label in dict.fromkeys(labels):
        while labels.count(label) > 1:
            first = labels.index(label)
            second = labels.index(label, first + 1)
            value = diagonal(value, first, second)
            labels = [other for place, other in enumerate(labels) if place not in (first, second)] + [label]
    return value, labels


def diagonal(value: Value, first: int, second: int) -> Value:
    """The entries with equal indices on two axes, along a new last axis."""
    if isinstance(value, np.ndarray) and not is_terms(value):
        return np.asarray(np.diagonal(value, axis1=first, axis2=second))
    if isinstance(value, np.ndarray):
        value = of_array(value)
    rank = len(dims_of(value))
    rest = [axis for axis in range(rank) if axis not in (first, second)]
    at = tuple(var(rest.index(axis) if axis in rest else rank - 2) for axis in range(rank))
    if isinstance(value, Positional):
        pieces = tuple(
            (
                substitute(guard, at),
                piece.substitute(at)
                if isinstance(piece, Term)
                else np.diagonal(np.broadcast_to(piece, value.static_shape), axis1=first, axis2=second),
            )
            for guard, piece in value.pieces
        )
        return Positional((*(value.dims[axis] for axis in rest), value.dims[first]), pieces, value.dtype)
    if value.axes[first] != value.axes[second]:
        raise Refusal("N046", "a diagonal of a sequence axis and one of another length, or with slots at other ends")
    parts: dict[Key, Part] = {}
    for key, part in value.parts.items():
        if key[first] == key[second]:
            shape = part_shape(value.axes, key)
            index = np.arange(int(np.prod(shape))).reshape(shape)
            taken = np.diagonal(index, axis1=first, axis2=second).ravel()
            parts[(*(key[axis] for axis in rest), key[first])] = part.take(taken).move(at)
    return Data((*(value.axes[axis] for axis in rest), value.axes[first]), parts, value.dtype)


@lowering("Det")
def determinant(context: Context, operator: Operator, values: Inputs) -> Value:
    """The determinant without divisions (Bird 2011): M - 1 products of matrices.

    ``F_1 = A``, ``F_(k+1) = mu(F_k) A`` and ``det A = (-1)^(M-1) F_M[0, 0]``, where mu keeps what stands above the diagonal
    and puts ``-sum(X[j, j] for j > i)`` at place i of it.
    """
    matrix = needed(values, 0)
    *batch, rows, columns = dims_of(matrix)
    if rows.n_coef or columns != rows or rows.const > LARGEST_DETERMINANT:
        raise Refusal(
            "N084",
            f"the determinant of a matrix of shape ({rows}, {columns})",
            note=f"square matrices of a fixed size of at most {LARGEST_DETERMINANT} are expanded into products",
        )
    size, rank = rows.const, len(batch)
    if not size:
        raise Refusal("N084", "the determinant of an empty matrix", help="leave it out: it is 1")
    keep = np.zeros((size, size, size, size))
    for i in range(size):
        keep[i, range(i + 1, size), i, range(i + 1, size)] = 1.0
        keep[i, i, range(i + 1, size), range(i + 1, size)] = -1.0
    outer = list(range(rank))
    i, j, k, m = range(rank, rank + 4)
    power = matrix
    for _ in range(size - 1):
        upper = contract(context, keep, [i, j, k, m], power, [*outer, k, m], [*outer, i, j])
        power = contract(context, upper, [*outer, i, j], matrix, [*outer, j, k], [*outer, i, k])
    corner = np.zeros((size, size))
    corner[0, 0] = (-1.0) ** (size - 1)
    result = contract(context, corner, [i, j], power, [*outer, i, j], outer)
    return reshape(context, result, term_array(batch), True)
