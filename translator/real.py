"""The network over the real numbers: what the ONNX file says, before any rounding.

A `RealNetwork` is a list of tensor-valued nodes. A node has position variables 0..k-1, each ranging over 1..n, and a static
shape, kept flat: its value at length n is an array of shape ``(B, n, .., n, size)``. References carry position terms
(`circuits.positions.Ref`), so that transposed scores, shifts, first and last token are references, not nodes. The node kinds
are those of `circuits.network` without formats and rounding points; `translator.fixing` chooses these.

The inputs are one `Letters` (a word), or any number of `Features`; the flat features of a network of static tensors are the
concatenation of all its `Features`, in their order. `Tensor` says how a whole ONNX output is put together from nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.sparse import csr_array

from circuits.diagnostics import fail
from circuits.positions import Guard, Ref
from circuits.scalar import Scalar
from translator.axes import Axis, Key

Vector = np.ndarray[Any, np.dtype[np.float64]]
Index = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True)
class Letters:
    """The input word, one-hot: element a at position x is 1 iff letter a stands there. One position variable."""

    name: str
    size: int
    n_positions: Literal[1] = 1


@dataclass(frozen=True, slots=True)
class Features:
    """A real input, flattened in row-major order: of fixed size, or one vector for each position."""

    name: str
    size: int
    shape: tuple[int, ...]
    n_positions: Literal[0, 1] = 0
    dtype: str = "float"


@dataclass(frozen=True, slots=True)
class Predicates:
    """Conditions on positions alone: element i is 1 where ``guards[i]`` holds, else 0."""

    name: str
    n_positions: int
    guards: tuple[Guard, ...]

    @property
    def size(self) -> int:
        return len(self.guards)


@dataclass(frozen=True, slots=True)
class Operand:
    """One summand of a linear map: ``matrix @ value(ref)``; matrix of shape (size, operand size), float64."""

    ref: Ref
    matrix: csr_array


@dataclass(frozen=True, slots=True)
class Linear:
    """``sum(matrix @ operand) + const + length * n``: the affine maps over static axes. Exact."""

    name: str
    n_positions: int
    size: int
    operands: tuple[Operand, ...]
    const: Vector
    length: Vector


@dataclass(frozen=True, slots=True)
class Multiply:
    """Element t is ``left[left_index[t]] * right[right_index[t]]``, a product of two variables."""

    name: str
    n_positions: int
    left: Ref
    left_index: Index
    right: Ref
    right_index: Index

    @property
    def size(self) -> int:
        return len(self.left_index)


@dataclass(frozen=True, slots=True)
class Map:
    """A scalar function of every element."""

    name: str
    n_positions: int
    size: int
    operand: Ref
    function: Scalar


@dataclass(frozen=True, slots=True)
class Sum:
    """Sum over the positions y with the guard; y is variable number `n_positions` of operand and guard. Exact."""

    name: str
    n_positions: int
    size: int
    operand: Ref
    guard: Guard


@dataclass(frozen=True, slots=True)
class Maximum:
    """Largest of several elements: row i of `groups` (shape (size, k)) lists the operand's elements compared.

    With a `guard`, also over all positions y that satisfy it, where y is variable number `n_positions` of operand and
    guard; without one the operand has the node's own positions only. `segments` adds further candidates (slots before or
    after the positions): each a reference of the node's own positions with its own groups.
    """

    name: str
    n_positions: int
    size: int
    operand: Ref
    groups: Index
    guard: Guard | None
    segments: tuple[tuple[Ref, Index], ...] = ()


@dataclass(frozen=True, slots=True)
class Ratio:
    """Element i is ``num[i] / den[den_index[i]]``; the denominator is positive. 0/0 is 0."""

    name: str
    n_positions: int
    size: int
    num: Ref
    den: Ref
    den_index: Index


RealNode = Letters | Features | Predicates | Linear | Multiply | Map | Sum | Maximum | Ratio


@dataclass(frozen=True, slots=True)
class Domain:
    """The lengths n a network accepts: at least `least`, at most `most` (None: unbounded), and why."""

    least: int = 1
    most: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Output:
    """The first graph output as references into the network.

    kind: "classes" (C logits, decision = argmax with the lowest index on ties), "logit" (one logit, decision = logit > 0)
        or "value" (one real number per position that is no logit: decision = nearest integer).
    ref: the node read, with position terms over `n_positions` variables: 0 for one decision per input, 1 for one per position.
    applied: the operator that the file applies to it at the end and that is left out, because the decision is the same:
        "Softmax", "LogSoftmax", "ArgMax" (the file's output is the decision), "Sigmoid" (its decision is output > 0.5) or "".
    """

    name: str
    kind: Literal["classes", "logit", "value"]
    ref: Ref
    n_positions: int
    n_classes: int
    applied: str = ""


@dataclass(frozen=True, slots=True)
class Input:
    """An ONNX input and what it becomes: a word, a part of the letters of the word, or a static tensor.

    The number that stands in the ONNX tensor for letter a is ``a // stride % count``, where `count` is how many numbers this
    input may hold; `stride` and `count` are 0 for a static tensor, whose node is the `Features` called `node`.
    """

    name: str
    node: str
    dtype: str
    stride: int = 0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Tensor:
    """A whole ONNX output: for each part of its axes the node that holds it, flat in row-major order.

    A reference has one variable for each run of its key, in the order of the axes. `values` is the tensor itself if it is known.
    """

    name: str
    dtype: str
    axes: tuple[Axis, ...]
    parts: tuple[tuple[Key, Ref], ...] = ()
    values: np.ndarray[Any, Any] | None = None


@dataclass(frozen=True, slots=True)
class RealNetwork:
    """Nodes in topological order, the output, the domain of n, and what the import wants the user to know.

    `output` is the decision, None where whole tensors were asked for; these are `outputs`. `alphabet_size` is the number of
    letters, 0 for `Features`.
    """

    nodes: tuple[RealNode, ...]
    output: Output | None
    domain: Domain
    inputs: tuple[Input, ...]
    alphabet_size: int
    notes: tuple[str, ...]
    outputs: tuple[Tensor, ...] = ()

    def node(self, name: str) -> RealNode:
        """Find a node by name."""
        return next(node for node in self.nodes if node.name == name)

    @property
    def input_name(self) -> str:
        """The ONNX name of the first input."""
        return self.inputs[0].name

    @property
    def decision(self) -> Output:
        """The decision.

        Raises:
            FomError: the network was read for its tensors.
        """
        if self.output is None:
            raise fail("N013", "the network has no decision", help="read it with whole=False")
        return self.output

    @property
    def features(self) -> tuple[Features, ...]:
        """The static inputs."""
        return tuple(node for node in self.nodes if isinstance(node, Features))
