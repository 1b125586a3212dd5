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

from circuits.diagnostics import Diagnostic, FomError, fail
from circuits.formats import BIT, Format
from circuits.matrices import Matrix
from circuits.positions import Guard, Ref, guard_terms, is_safe, variables_of
from circuits.scalar import Scalar

Integers = np.ndarray[Any, np.dtype[np.int64]]

MOST_SHIFT = 61


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """The input word, one-hot: element a at position x is 1 iff letter number a stands there."""

    name: str
    size: int
    n_positions: Literal[1] = 1
    format: Format = BIT


@dataclass(frozen=True, slots=True)
class Inputs:
    """A fixed-size input without positions, one word for each number. A network may have several."""

    name: str
    size: int
    format: Format
    n_positions: Literal[0] = 0


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

    def check(self) -> None:
        """Verify that the parts fit together.

        Raises:
            FomError: with every defect found.
        """
        found: list[Diagnostic] = []

        def require(condition: bool, name: str, message: str) -> None:
            if not condition:
                found.append(Diagnostic("C022", message, where=f"node `{name}`"))

        known: dict[str, Node] = {}
        for node in self.nodes:
            before = len(found)
            require(node.name not in known, node.name, "the name is used twice")
            require(node.size >= 1, node.name, "a node has at least one element")
            require(node.n_positions >= 0, node.name, "a node has no fewer than 0 positions")
            for guard, extra in guards_of(node):
                bound = variables_of(guard_terms(guard))
                require(
                    all(0 <= v < node.n_positions + extra for v in bound), node.name, "a guard has an unbound position"
                )
            for ref, extra in references(node):
                source = known.get(ref.node)
                require(source is not None, node.name, f"`{ref.node}` is not an earlier node")
                if source is None:
                    continue
                require(
                    len(ref.at) == source.n_positions, node.name, f"`{ref.node}` needs {source.n_positions} positions"
                )
                limit = node.n_positions + extra
                bound = variables_of(ref.at)
                require(all(0 <= v < limit for v in bound), node.name, f"`{ref.node}` is read at an unbound position")
            if len(found) == before:
                check_shapes(node, known, self.domain.least, require)
            known[node.name] = node
        letters = [node for node in self.nodes if isinstance(node, Letters)]
        if len(letters) > 1 or bool(letters) == bool(self.inputs):
            message = f"this one reads {len(letters)} words and {len(self.inputs)} fixed-size inputs"
            found.append(Diagnostic("C022", f"a network reads one word or fixed-size inputs, {message}"))
        elif len(self.alphabet) != sum(node.size for node in letters):
            found.append(Diagnostic("C022", f"the alphabet of {len(self.alphabet)} letters does not fit the input"))
        if len(set(self.alphabet)) < len(self.alphabet):
            found.append(Diagnostic("C022", "a letter stands twice in the alphabet"))
        if self.domain.least < 1 or (self.domain.most is not None and self.domain.most < self.domain.least):
            found.append(Diagnostic("C022", "the least length is at least 1 and at most the largest", where="domain"))
        if self.readout is not None:
            found.extend(Diagnostic("C022", message, where="readout") for message in self.readout.defects(known))
        if found:
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


def check_shapes(node: Node, known: dict[str, Node], least: int, require: Any) -> None:
    """Check sizes, indices and formats of one node against its sources."""

    def within(index: Integers, ref: Ref) -> bool:
        return not index.size or bool(0 <= index.min() and index.max() < known[ref.node].size)

    name = node.name
    match node:
        case Affine(operands=operands, size=size, const=const, length=length):
            require(len(const) == size and len(length) == size, name, "constants do not fit the size")
            for operand in operands:
                fits = operand.matrix.shape == (size, known[operand.ref.node].size)
                require(fits, name, f"the weights of `{operand.ref.node}` do not fit")
        case Product(left=left, left_index=left_index, right=right, right_index=right_index):
            require(len(left_index) == len(right_index), name, "the index lists differ in length")
            require(within(left_index, left) and within(right_index, right), name, "an index is out of range")
            for ref in (left, right):
                require(not isinstance(known[ref.node], Exact), name, f"`{ref.node}` is not a word")
        case Sum(operand=operand, size=size) | Round(operand=operand, size=size):
            require(known[operand.node].size == size, name, f"`{operand.node}` has another size")
            if isinstance(node, Round):
                require(abs(node.shift) <= MOST_SHIFT, name, f"a shift has at most {MOST_SHIFT} bits")
        case Table(operand=operand, size=size, breaks=breaks, codes=codes, format=format_):
            require(known[operand.node].size == size, name, f"`{operand.node}` has another size")
            require(len(codes) == len(breaks) + 1, name, "a table has one code more than breaks")
            require(bool((np.diff(breaks) > 0).all()), name, "the breaks are not increasing")
            inside = len(codes) > 0 and format_.lo <= codes.min() and codes.max() <= format_.hi
            require(bool(inside), name, "a code lies outside the format")
        case Function(operand=operand, size=size, frac=frac):
            source = known[operand.node]
            require(source.size == size, name, f"`{operand.node}` has another size")
            given = source.frac if isinstance(source, Exact) else source.format.frac
            require(given == frac, name, f"`{operand.node}` has {given} fractional bits, not {frac}")
        case Quotient(num=num, den=den, den_index=den_index, size=size, shift=shift):
            require(abs(shift) <= MOST_SHIFT, name, f"a shift has at most {MOST_SHIFT} bits")
            require(known[num.node].size == size and len(den_index) == size, name, "sizes differ")
            require(within(den_index, den), name, "an index is out of range")
        case Maximum(operand=operand, groups=groups, segments=segments, size=size, format=format_):
            for ref, index in ((operand, groups), *segments):
                fits = index.ndim == 2 and index.shape[0] == size and index.shape[1] > 0
                require(fits, name, "groups do not fit the size")
                inside = all(is_safe(term, least) for term in ref.at) or format_.lo <= 0 <= format_.hi
                require(inside, name, f"`{ref.node}` is read outside the word, and 0 is no code of its format")
                require(within(index, ref), name, "an index is out of range")
                source = known[ref.node]
                same = not isinstance(source, Exact) and source.format == format_
                require(same, name, f"`{ref.node}` is not a word of the same format")
        case _:
            pass
