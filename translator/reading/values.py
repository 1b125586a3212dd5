"""What an ONNX tensor is during the import: known, positional, or data.

The sequence length n is a symbol, the batch is 1. A tensor is one of

* a numpy array: known;
* an object array of `Term`: integers affine in n (shapes and what is computed from them);
* a `Positional`: entries depend on indices and n only (ranges, masks, position tables);
* a `Data`: entries depend on the input; references into the network under construction.

An `Axis` of data has a run of positions, possibly with static slots before and after it (CLS, padding); the tensor is then
a set of parts, one for each choice of a segment on each axis. Inside a part the position variables are numbered like the axes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import TRUE, Guard, Ref, Term, substitute
from circuits.scalar import Scalar, X, const
from translator.axes import Axis, Key

Array = np.ndarray[Any, Any]
Vector = np.ndarray[Any, np.dtype[np.float64]]
Index = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``sum(matrix @ ref) + const + length * n + sum([guard] * vector)``, an exact affine vector."""

    operands: tuple[tuple[Ref, csr_array], ...]
    const: Vector
    length: Vector
    pieces: tuple[tuple[Guard, Vector], ...] = ()

    @property
    def size(self) -> int:
        return len(self.const)

    @property
    def is_constant(self) -> bool:
        return not self.operands and not self.pieces and not self.length.any()

    def apply(self, matrix: csr_array) -> Affine:
        """Multiply from the left."""
        operands = ((ref, csr_array(matrix @ m)) for ref, m in self.operands)
        pieces = ((guard, matrix @ vector) for guard, vector in self.pieces)
        return Affine(
            tuple((ref, m) for ref, m in operands if m.nnz),
            matrix @ self.const,
            matrix @ self.length,
            tuple((guard, vector) for guard, vector in pieces if vector.any()),
        )

    def select(self, index: Index) -> Affine:
        """Take elements."""
        if len(index) == self.size and (index == np.arange(self.size)).all():
            return self
        return self.apply(selection(index, self.size))

    def plus(self, other: Affine) -> Affine:
        """Add, merging what is read twice."""
        operands = dict(self.operands)
        for ref, matrix in other.operands:
            operands[ref] = csr_array(operands[ref] + matrix) if ref in operands else matrix
        for matrix in operands.values():
            matrix.eliminate_zeros()
        pieces = dict(self.pieces)
        for guard, vector in other.pieces:
            pieces[guard] = pieces[guard] + vector if guard in pieces else vector
        return Affine(
            tuple((ref, matrix) for ref, matrix in operands.items() if matrix.nnz),
            self.const + other.const,
            self.length + other.length,
            tuple((guard, vector) for guard, vector in pieces.items() if vector.any()),
        )

    def substitute(self, at: tuple[Term, ...]) -> Affine:
        """Move to other positions: variable v becomes ``at[v]``."""
        merged = Affine((), self.const, self.length)
        for ref, matrix in self.operands:
            merged = merged.plus(Affine(((ref.substitute(at), matrix),), 0 * self.const, 0 * self.length))
        for guard, vector in self.pieces:
            moved = substitute(guard, at)
            fixed = vector if moved == TRUE else 0 * vector
            pieces = () if moved == TRUE else ((moved, vector),)
            merged = merged.plus(Affine((), fixed, 0 * self.length, pieces))
        return merged

    def variables(self) -> set[int]:
        """The variables that occur."""
        found = {v for ref, _ in self.operands for term in ref.at for v, _ in term.coefs}
        for guard, _ in self.pieces:
            found |= guard_variables(guard)
        return found


def guard_variables(guard: Guard) -> set[int]:
    """The variables of a guard."""
    found: set[int] = set()
    stack: list[Any] = [guard]
    while stack:
        item = stack.pop()
        term = getattr(item, "term", None)
        if term is not None:
            found |= {v for v, _ in term.coefs}
        elif hasattr(item, "parts"):
            stack.extend(item.parts)
        else:
            stack.append(item.part)
    return found


def selection(index: Index, size: int) -> csr_array:
    """The matrix whose row t takes element ``index[t]`` of `size`."""
    rows = len(index)
    return csr_array((np.ones(rows), np.array(index, dtype=np.int64), np.arange(rows + 1)), shape=(rows, size))


def constant(values: Any) -> Affine:
    """A constant vector."""
    vector = np.array(values, dtype=np.float64).ravel()
    return Affine((), vector, np.zeros_like(vector))


class Source:
    """A vector that can be read: a node of the network, or an affine vector that becomes a `Linear` when one is needed.

    `shared` says that several operators read it, so that it becomes a node rather than being repeated. `positive` is
    known positivity of all elements.
    """

    __slots__ = ("affine", "hint", "n_positions", "name", "positive", "shared", "size")

    def __init__(self, size: int, n_positions: int, hint: str, affine: Affine | None = None, name: str = "") -> None:
        self.size = size
        self.n_positions = n_positions
        self.hint = hint
        self.affine = affine
        self.name = name
        self.shared = False
        self.positive = False


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Elements of a source at positions that exist, through ``scale * function(source[index]) / divisor + shift``.

    Division by a constant stays one, so that what cancels, cancels: ties of quantization are exact.
    """

    source: Source
    at: tuple[Term, ...]
    index: Index
    function: Scalar | None = None
    scale: float = 1.0
    shift: float = 0.0
    divisor: float = 1.0

    @property
    def size(self) -> int:
        return len(self.index)

    @property
    def is_plain(self) -> bool:
        return self.function is None and (self.scale, self.shift, self.divisor) == (1, 0, 1)

    @property
    def scalar(self) -> Scalar:
        """The function including scale and shift."""
        result = X if self.function is None else self.function
        if self.scale != 1:
            result = Scalar("mul", (const(self.scale), result))
        if self.divisor != 1:
            result = Scalar("div", (result, const(self.divisor)))
        return Scalar("add", (result, const(self.shift))) if self.shift else result

    def take(self, index: Index) -> View:
        """Take elements."""
        return View(self.source, self.at, self.index[index], self.function, self.scale, self.shift, self.divisor)

    def move(self, at: tuple[Term, ...]) -> View:
        """Rename or fix the position variables."""
        moved = tuple(term.substitute(at) for term in self.at)
        return View(self.source, moved, self.index, self.function, self.scale, self.shift, self.divisor)

    def is_same_base(self, other: View) -> bool:
        """Whether both are functions of the same elements."""
        return self.source is other.source and self.at == other.at and np.array_equal(self.index, other.index)

    def with_function(self, function: Scalar) -> View:
        """Replace the whole function."""
        return View(self.source, self.at, self.index, function)

    def variables(self) -> set[int]:
        return {v for term in self.at for v, _ in term.coefs}


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One part of a data tensor: a view, over a denominator if given, and `outside` where its guard fails.

    `allowed` has one guard for each element; `outside` is 0 (weights after a softmax) or a mask constant (scores).
    """

    view: View
    denominator: View | None = None
    allowed: tuple[Guard, ...] | None = None
    outside: float = 0.0

    def take(self, index: Index) -> Part:
        """Take elements."""
        return Part(
            self.view.take(index),
            self.denominator and self.denominator.take(index),
            self.allowed and tuple(self.allowed[i] for i in index),
            self.outside,
        )

    def move(self, at: tuple[Term, ...]) -> Part:
        """Rename or fix the position variables."""
        moved: dict[Guard, Guard] = {guard: substitute(guard, at) for guard in set(self.allowed or ())}
        return Part(
            self.view.move(at),
            self.denominator and self.denominator.move(at),
            self.allowed and tuple(moved[guard] for guard in self.allowed),
            self.outside,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """A tensor that depends on the input; `dtype` is its ONNX element type."""

    axes: tuple[Axis, ...]
    parts: dict[Key, Part] = field(repr=False)
    dtype: str = "float"

    @property
    def dims(self) -> tuple[Term, ...]:
        return tuple(axis.length for axis in self.axes)

    @property
    def only(self) -> Part:
        """The part of a tensor that has one."""
        (part,) = self.parts.values()
        return part


Piece = tuple[Guard, "Array | Term"]


@dataclass(frozen=True, slots=True, eq=False)
class Positional:
    """A tensor of indices and n alone: disjoint, complete pieces.

    Variable a is the 0-based index on axis a, where the length of that axis depends on n. The value of a piece is an array of
    the static shape (1 on the other axes), or an integer term. `stored` is the table this was cut from, and the axes cut.
    """

    dims: tuple[Term, ...]
    pieces: tuple[Piece, ...]
    dtype: str = "float"
    stored: tuple[Array, tuple[int, ...]] | None = field(default=None, repr=False)

    @property
    def static_shape(self) -> tuple[int, ...]:
        return tuple(1 if dim.n_coef else dim.const for dim in self.dims)


Value = np.ndarray | Positional | Data


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """An ONNX sequence: a list of a known number of tensors; `dtype` is their ONNX element type, "" if nobody said."""

    items: tuple[Value, ...]
    dtype: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """An ONNX optional that holds nothing; one that holds something is what it holds."""

    dtype: str = ""


Carried = Value | Listed | Absent
