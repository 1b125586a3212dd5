"""Contractions: products of two words over pairs of positions that are summed right away, and so never stored.

The scores of attention are ``sum over elements t of weight * q[t, x] * k[t, y]``, a head is ``sum over positions y of
e[x, y] * v[t, y]``. Both are sums of products of two small arrays.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from circuits.matrices import Matrix
from circuits.network import Affine, Network, Product, Sum, references
from circuits.positions import Ref, var
from circuits.simulation_arrays import Array, column, take_rows

LETTERS = "abcdefghijklmnopqrs"
MOST_READ = 2  # how often each product may be read: beyond, a dense matrix product of stored products is faster


def inlined_products(network: Network, kept: Iterable[str]) -> dict[str, Product]:
    """The products over at least two positions that nobody reads but sums over their elements or their last position."""
    found = {
        node.name: node
        for node in network.nodes
        if isinstance(node, Product) and node.n_positions >= 2 and node.name not in set(kept)
    }
    for node in network.nodes:
        contracted: dict[Ref, int] = {}
        if isinstance(node, Affine):
            contracted = {operand.ref: operand.matrix.nnz for operand in node.operands}
        elif isinstance(node, Sum):
            contracted = {node.operand: 0}
        variables = node.n_positions + isinstance(node, Sum)
        for ref, _ in references(node):
            product = found.get(ref.node)
            if product is None:
                continue
            own = ref.at == tuple(var(v) for v in range(variables))
            if ref not in contracted or not own or contracted[ref] > MOST_READ * product.size:
                del found[ref.node]
    return found


def contract_elements(product: Product, matrix: Matrix, factors: tuple[Array, Array]) -> Array:
    """``matrix @ product``, row by row."""
    left, right = factors
    rows = []
    for first, last in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True):
        chosen, weights = matrix.indices[first:last], matrix.data[first:last]
        one = take_rows(left, product.left_index[chosen])
        other = take_rows(right, product.right_index[chosen])
        if one.size > other.size:
            one, other = other, one
        if not (weights == 1).all():
            one = one * column(weights.astype(one.dtype), one.ndim - 2)
        rows.append(np.einsum("t...,t...->...", one, other))
    return np.stack(rows)


def contract_position(product: Product, factors: tuple[Array, Array], weight: Array | None, n: int) -> Array:
    """The sum of a product over its last position, where `weight` is true.

    The factor with fewer distinct elements is the attention: one contraction for each of its elements.
    """
    (one, other), (one_index, other_index) = factors, (product.left_index, product.right_index)
    if len(np.unique(one_index)) > len(np.unique(other_index)):
        one, other, one_index, other_index = other, one, other_index, one_index
    bound = product.n_positions
    times = n if weight is None and one.shape[bound] == other.shape[bound] == 1 else 1
    result: Array | None = None
    for element in np.unique(one_index):
        members = np.flatnonzero(one_index == element)
        attention = one[element] if weight is None else one[element] * weight[0]
        read = take_rows(other, other_index[members])
        part = contract(attention, read, bound)
        if result is None:
            result = np.empty((len(one_index), *part.shape[1:]), dtype=one.dtype)
        result[members] = part
    if result is None:
        shape = np.broadcast_shapes(one.shape[1:], other.shape[1:])
        result = np.zeros((0, *shape[: bound - 1], shape[-1]), dtype=one.dtype)
    return result * result.dtype.type(times) if times != 1 else result


def contract(attention: Array, values: Array, bound: int) -> Array:
    """Sum ``attention[x.., y, b] * values[t, x.., y, b]`` over y, position number `bound` - 1; axes of length 1 broadcast."""
    shape = np.broadcast_shapes(attention.shape[:-1], values.shape[1:-1])
    names = LETTERS[: len(shape)]
    used = ["".join(name for name, size in zip(names, axes, strict=True) if size != 1)
            for axes in (attention.shape[:-1], values.shape[1:-1])]  # fmt: skip
    squeezed = [attention.squeeze(tuple(axis for axis, size in enumerate(attention.shape[:-1]) if size == 1)),
                values.squeeze(tuple(axis + 1 for axis, size in enumerate(values.shape[1:-1]) if size == 1))]  # fmt: skip
    kept = "".join(name for name, size in zip(names[: bound - 1], shape, strict=False) if size != 1)
    summed = np.einsum(f"{used[0]}...,t{used[1]}...->t{kept}...", *squeezed)
    return summed.reshape(len(values), *shape[: bound - 1], summed.shape[-1])
