"""Affine maps on bounds: the integer matrices of a node as float64, with what rounding can lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.matrices import Matrix
from circuits.network import Affine
from logic.boxes.outward import Reals, Span, floats_of, gamma, integers_within, magnitude

DENSE_CELLS = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """One matrix, dense where it is small or full, its magnitudes, and the sum of these in each row."""

    signed: Any
    absolute: Any
    sums: Reals

    @classmethod
    def of(cls, matrix: Matrix) -> Weights:
        """Convert an integer matrix; an entry beyond 2**53 is rounded, which `gamma` leaves room for."""
        cells = matrix.shape[0] * matrix.shape[1]
        given: Any = matrix.astype(np.float64)
        if cells <= DENSE_CELLS and (cells <= 4096 or matrix.nnz * 10 >= cells):
            given = given.toarray()
        absolute = abs(given)
        return cls(given, absolute, np.asarray(absolute.sum(axis=1)).reshape(-1))

    def forward(self, values: Reals, *, absolute: bool = False) -> Reals:
        """``matrix @ v`` for each row v of `values`."""
        chosen = self.absolute if absolute else self.signed
        product = values @ chosen.T if isinstance(chosen, np.ndarray) else (chosen @ values.T).T
        return np.ascontiguousarray(product)

    def backward(self, coefs: Reals, *, absolute: bool = False) -> Reals:
        """``c @ matrix`` for each row c of `coefs`."""
        chosen = self.absolute if absolute else self.signed
        product = coefs @ chosen if isinstance(chosen, np.ndarray) else (csr_array(chosen.T) @ coefs.T).T
        return np.ascontiguousarray(product)

    def rows(self, index: Any) -> Reals:
        """Some rows of the matrix."""
        chosen = self.signed[index]
        return chosen if isinstance(chosen, np.ndarray) else chosen.toarray()


@dataclass(frozen=True, slots=True, eq=False)
class AffineMap:
    """An `Affine` node at length 1, its operands by name."""

    operands: tuple[tuple[str, Weights], ...]
    const: Reals
    terms: int
    size: int

    @classmethod
    def of(cls, node: Affine) -> AffineMap:
        """Convert a node."""
        operands = tuple((operand.ref.node, Weights.of(operand.matrix)) for operand in node.operands)
        terms = sum(int(np.diff(operand.matrix.indptr).max(initial=0)) for operand in node.operands)
        return cls(operands, floats_of(node.const + node.length)[0], terms + 2, node.size)

    def forward(self, known: dict[str, Span], n_boxes: int) -> tuple[Span, Reals]:
        """Bound the node from its operands.

        Returns:
            Integers that bound every value, and for each element a bound of the sum of the magnitudes of its summands.
        """
        centre = np.repeat(self.const[None], n_boxes, axis=0)
        radius: Reals = np.zeros((n_boxes, self.size))
        summands = np.abs(centre)
        for name, weights in self.operands:
            low, high = known[name]
            middle = (low + high) / 2
            # `middle` may be rounded, so the radius is measured from what it is
            spread = np.maximum(high - middle, middle - low) * (1 + 4 * gamma(0))
            centre = centre + weights.forward(middle)
            radius = radius + weights.forward(spread, absolute=True)
            summands = summands + weights.forward(magnitude((low, high)), absolute=True)
        summands = summands * (1 + gamma(self.terms))
        slack = radius * gamma(self.terms) + summands * (4 * gamma(self.terms))
        return integers_within(centre - radius - slack, centre + radius + slack), summands
