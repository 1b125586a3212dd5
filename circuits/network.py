"""The fixed-precision network: a small graph of tensor-valued nodes over the integers, with positions kept symbolic.

A node has position variables 0..k-1, each ranging over 1..n, and `size` static elements; its value at length n is an array of
integers of shape ``(B, n, .., n, size)``. Nodes are of two sorts:

* **words**: every element is a code of a `Format`: `Letters`, `Inputs`, `Predicates`, `Round`, `Table`, `Function`,
  `Quotient`, `Maximum`;
* **exact** values: integers at `frac` fractional bits, never rounded: `Affine`, `Product`, `Sum`.

Rounding therefore happens in `Round`, `Table`, `Function` and `Quotient` nodes and nowhere else. The meaning is
`circuits.evaluate`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np

from circuits.diagnostics import FomError, fail
from circuits.floats import Codebook
from circuits.formats import BIT, Format
from circuits.matrices import Matrix
from circuits.positions import Guard, Ref
from circuits.scalar import Scalar

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """The input word, one-hot: element a at position x is 1 iff letter number a stands there."""

    name: str
    size: int
    n_positions: Literal[1] = 1
    format: Format = BIT


@dataclass(frozen=True, slots=True)
class Inputs:
    """A fixed-size input without positions, one word for each number. A network may have several.

    With a `scale`, the file quantizes the input: a number is read as the code ``round(number / scale)``, in float32. With a
    `codebook`, a number is rounded to a code of it.
    """

    name: str
    size: int
    format: Format
    n_positions: Literal[0] = 0
    scale: float | None = None
    codebook: Codebook | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Predicates:
    """Conditions on positions alone: element i is 1 where ``guards[i]`` holds."""

    name: str
    n_positions: int
    guards: tuple[Guard, ...]
    format: Format = BIT

    @property
    def size(self) -> int:
        return len(self.guards)


@dataclass(frozen=True, slots=True, eq=False)
class Operand:
    """One summand of an affine map: ``matrix @ value(ref)``."""

    ref: Ref
    matrix: Matrix


@dataclass(frozen=True, slots=True, eq=False)
class Affine:
    """``sum(matrix @ operand) + const + length * n``, exact; the matrices include the alignment of fractional bits."""

    name: str
    n_positions: int
    size: int
    operands: tuple[Operand, ...]
    const: Integers
    length: Integers
    frac: int


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """Element t is ``left[left_index[t]] * right[right_index[t]]``, exact; both sides are words."""

    name: str
    n_positions: int
    left: Ref
    left_index: Integers
    right: Ref
    right_index: Integers
    frac: int

    @property
    def size(self) -> int:
        return len(self.left_index)


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """The exact sum of the operand over the positions y with the guard; y is variable number `n_positions` of both."""

    name: str
    n_positions: int
    size: int
    operand: Ref
    guard: Guard
    frac: int


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """The operand rounded to the format: half to even, saturating. `shift` is its fractional bits less the format's."""

    name: str
    n_positions: int
    size: int
    operand: Ref
    shift: int
    format: Format


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A step function of the exact operand S: ``codes[j]`` where j counts the `breaks` (sorted) that are <= S.

    One table holds a scalar function *and* the rounding of its result; the argument is not rounded.
    """

    name: str
    n_positions: int
    size: int
    operand: Ref
    breaks: Integers
    codes: Integers
    format: Format


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A table that is not written out: ``function(S / 2**frac)`` rounded to the format, for the exact operand S.

    The function is evaluated in float64 and rounded half to even; infinities saturate. Where it is not a number the network
    has no value. `circuits.functions` writes it out as a `Table`.
    """

    name: str
    n_positions: int
    size: int
    operand: Ref
    function: Scalar
    frac: int
    format: Format


@dataclass(frozen=True, slots=True, eq=False)
class Quotient:
    """``num[i] * 2**shift / den[den_index[i]]`` rounded to the format: half to even, saturating; the denominator is >= 1.

    A negative shift multiplies the denominator by ``2**-shift``.
    """

    name: str
    n_positions: int
    size: int
    num: Ref
    den: Ref
    den_index: Integers
    shift: int
    format: Format


@dataclass(frozen=True, slots=True, eq=False)
class Maximum:
    """The largest of several words: row i of each `groups` array (size, k) lists the elements of that operand compared.

    The operand with the node's guard ranges over all positions y that satisfy it, y being variable number `n_positions`;
    without guard, and for `segments`, a candidate is read at the node's own positions.
    """

    name: str
    n_positions: int
    size: int
    operand: Ref
    groups: Integers
    guard: Guard | None
    segments: tuple[tuple[Ref, Integers], ...]
    format: Format


Node = Letters | Inputs | Predicates | Affine | Product | Sum | Round | Table | Function | Quotient | Maximum
Word = Letters | Inputs | Predicates | Round | Table | Function | Quotient | Maximum
Exact = Affine | Product | Sum


@dataclass(frozen=True, slots=True)
class Readout:
    """What the network answers.

    kind: "classes": `decision` is a node of one bit for each class, exactly one of them 1; "logit": of one bit; "value": of one
        word, whose nearest integer is the decision. `scores` is the exact node of logits, over the positive denominator
        `denominator` when there is one. `n_positions` is 1 when every position has its own answer.
    """

    kind: Literal["classes", "logit", "value"]
    decision: str
    scores: str
    denominator: str | None
    n_classes: int
    n_positions: int

    def defects(self, known: dict[str, Node]) -> list[str]:
        """What does not fit the nodes of a network."""
        missing = [
            name for name in (self.decision, self.scores, self.denominator) if name is not None and name not in known
        ]
        if missing:
            return [f"`{name}` is no node" for name in missing]
        found = []
        decision = known[self.decision]
        if isinstance(decision, Exact):
            found.append(f"the decision `{self.decision}` is not a word")
        elif self.kind != "value" and decision.format != BIT:
            found.append(f"the decision `{self.decision}` is not a bit")
        if decision.n_positions != self.n_positions or self.n_positions > 1:
            found.append(f"the decision `{self.decision}` has {decision.n_positions} positions, not {self.n_positions}")
        if self.kind == "classes" and decision.size != self.n_classes:
            found.append(f"the decision `{self.decision}` has {decision.size} elements for {self.n_classes} classes")
        return found


@dataclass(frozen=True, slots=True)
class Domain:
    """The lengths a network accepts and why; ``most`` is None when there is no bound."""

    least: int = 1
    most: int | None = None
    reason: str = ""

    def admits(self, n: int) -> bool:
        """Tell whether words of length n are in the domain."""
        return self.least <= n and (self.most is None or n <= self.most)

    def require(self, n: int) -> None:
        """Refuse a length outside the domain.

        Raises:
            FomError: n lies outside.
        """
        if not self.admits(n):
            bound = f"at least {self.least}" if n < self.least else f"at most {self.most}"
            raise fail(
                "C020",
                f"a word of length {n} is outside the network's domain: the length must be {bound}",
                note=self.reason,
                help="choose a word, or a length, that the network accepts",
            )


@dataclass(frozen=True)
class Network:
    """Nodes in topological order with a readout, over an alphabet (empty for networks of `Inputs`).

    A network without readout decides nothing: its answer is the values of its nodes.
    """

    nodes: tuple[Node, ...]
    readout: Readout | None
    domain: Domain
    alphabet: tuple[str, ...]
    by_name: dict[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_name", {node.name: node for node in self.nodes})

    @cached_property
    def inputs(self) -> tuple[Inputs, ...]:
        """The fixed-size inputs, whose numbers stand one after the other in an input; none if the network reads a word."""
        return tuple(node for node in self.nodes if isinstance(node, Inputs))

    @property
    def decided(self) -> Readout:
        """The readout.

        Raises:
            FomError: the network has none.
        """
        if self.readout is None:
            raise fail(
                "C027",
                "the network decides nothing: its outputs are whole tensors, and a circuit decides one thing",
                help="choose the output that is decided, and translate the network with that one",
            )
        return self.readout

    def word(self, name: str) -> Word:
        """The node `name`, which must be a word.

        Raises:
            FomError: it is an exact value.
        """
        node = self.by_name[name]
        if isinstance(node, Exact):
            raise fail("C021", f"`{name}` is an exact value where a word is needed")
        return node

    def frac(self, name: str) -> int:
        """Fractional bits of a node's integers."""
        node = self.by_name[name]
        return node.frac if isinstance(node, Exact) else node.format.frac

    def _repr_html_(self) -> str:
        from circuits.rendering import network_html

        return network_html(self)

    def check(self) -> None:
        """Verify that the parts fit together.

        Raises:
            FomError: with every defect found.
        """
        from circuits.network_checks import defects

        if found := defects(self):
            raise FomError(*found)


def guards_of(node: Node) -> list[tuple[Guard, int]]:
    """The guards of a node, each with the number of bound position variables it may use."""
    match node:
        case Predicates(guards=guards):
            return [(guard, 0) for guard in guards]
        case Sum(guard=guard):
            return [(guard, 1)]
        case Maximum(guard=guard) if guard is not None:
            return [(guard, 1)]
        case _:
            return []


def references(node: Node) -> list[tuple[Ref, int]]:
    """The references of a node, each with the number of bound position variables it may use."""
    match node:
        case Letters() | Inputs() | Predicates():
            return []
        case Affine(operands=operands):
            return [(operand.ref, 0) for operand in operands]
        case Product(left=left, right=right):
            return [(left, 0), (right, 0)]
        case Sum(operand=operand):
            return [(operand, 1)]
        case Round(operand=operand) | Table(operand=operand) | Function(operand=operand):
            return [(operand, 0)]
        case Quotient(num=num, den=den):
            return [(num, 0), (den, 0)]
        case Maximum(operand=operand, guard=guard, segments=segments):
            return [(operand, 0 if guard is None else 1), *((ref, 0) for ref, _ in segments)]
