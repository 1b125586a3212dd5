"""The network under construction: lazy vectors become nodes here, with names a reader recognizes.

`Assembly` owns the list of nodes. Everything else works on `Affine` and `View` and asks for a node only where a node kind
needs one (a product, a table, a sum over positions ...), so that chains of scalar operators and data movement cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import FIRST, TRUE, AtLeast, Guard, Ref, Term, substitute, var
from circuits.scalar import Scalar, X, const
from translator.reading.values import (
    Affine,
    Index,
    Part,
    Source,
    Vector,
    View,
    constant,
    guard_variables,
    selection,
)
from translator.real import Letters, Linear, Map, Maximum, Multiply, Operand, Predicates, Ratio, RealNode, Sum

SQUARE = Scalar("mul", (X, X))


class Assembly:
    """Nodes so far, and the naming state: `scope` is the module (layer0.attention), `hint` the name proposed next."""

    def __init__(self) -> None:
        self.nodes: list[RealNode] = []
        self.names: set[str] = set()
        self.scope = ""
        self.hint = "node"
        self.letters = ""
        self.notes: list[str] = []
        self.predicates: dict[tuple[int, tuple[Guard, ...]], str] = {}
        self.maps: dict[tuple[str, Scalar], Source] = {}
        self.products: dict[tuple[Ref, bytes, Ref, bytes], Source] = {}
        self.picks: dict[tuple[Source, tuple[Term, ...], bytes], View] = {}
        self.lengths: dict[bytes, Source] = {}
        self.counter: Source | None = None
        self.one: Source | None = None

    def fresh(self, hint: str) -> str:
        """Make a unique name."""
        base = hint or "node"
        name, number = base, 1
        while name in self.names:
            number += 1
            name = f"{base}_{number}"
        self.names.add(name)
        return name

    def named(self, role: str) -> str:
        """Propose a name for an intermediate node of the current module."""
        return f"{self.scope}.{role}" if self.scope else role

    def add(self, node: RealNode, *, positive: bool = False) -> Source:
        """Append a node and make it readable."""
        self.nodes.append(node)
        source = Source(node.size, node.n_positions, node.name, name=node.name)
        source.positive = positive
        return source

    def view_of(self, affine: Affine, hint: str = "") -> View:
        """Make a lazy vector readable; it becomes a node later, if at all."""
        used = sorted(affine.variables())
        rename = [Term()] * (max(used, default=-1) + 1)
        for position, variable in enumerate(used):
            rename[variable] = var(position)
        moved = affine if used == list(range(len(used))) else affine.substitute(tuple(rename))
        source = Source(affine.size, len(used), hint or self.hint, moved)
        source.positive = self.is_positive(moved)
        return View(source, tuple(var(v) for v in used), np.arange(affine.size))

    def is_positive(self, affine: Affine) -> bool:
        """Whether every element is positive for sure."""
        if (affine.const < 0).any() or (affine.length < 0).any() or any((v < 0).any() for _, v in affine.pieces):
            return False
        total = affine.const + affine.length
        for ref, matrix in affine.operands:
            if (matrix.data < 0).any() or ref.node not in self.positive_names:
                return False
            total = total + matrix.sum(axis=1)
        return bool((total > 0).all())

    @property
    def positive_names(self) -> set[str]:
        """The nodes known to be positive."""
        return self._positive

    _positive: set[str]

    def emit(self, source: Source) -> str:
        """Make the source a node, once."""
        if not source.name:
            if source.affine is None:
                raise AssertionError("a source is a node or affine")
            source.name = self._linear(source.affine, source.n_positions, source.hint)
            if source.positive:
                self._positive.add(source.name)
        return source.name

    def _linear(self, affine: Affine, n_positions: int, hint: str) -> str:
        operands = [Operand(ref, matrix) for ref, matrix in affine.operands]
        for ref, matrix in self._predicate_operands(affine):
            operands.append(Operand(ref, matrix))
        name = self.fresh(hint)
        self.nodes.append(Linear(name, n_positions, affine.size, tuple(operands), affine.const, affine.length))
        return name

    def _predicate_operands(self, affine: Affine) -> list[tuple[Ref, csr_array]]:
        groups: dict[tuple[int, ...], list[tuple[Guard, Vector]]] = {}
        for guard, vector in affine.pieces:
            groups.setdefault(tuple(sorted(guard_variables(guard))), []).append((guard, vector))
        operands = []
        for variables, pieces in groups.items():
            ref = self.predicate(variables, tuple(guard for guard, _ in pieces))
            operands.append((ref, csr_array(np.stack([vector for _, vector in pieces], axis=1))))
        return operands

    def predicate(self, variables: tuple[int, ...], guards: tuple[Guard, ...]) -> Ref:
        """Read the conditions `guards` over the given variables."""
        rename = [Term()] * (max(variables, default=-1) + 1)
        for position, variable in enumerate(variables):
            rename[variable] = var(position)
        moved = tuple(substitute(guard, rename) for guard in guards)
        key = (len(variables), moved)
        if key not in self.predicates:
            name = self.fresh("positions" if len(variables) == 1 else "relation" if variables else "condition")
            self.nodes.append(Predicates(name, len(variables), moved))
            self.predicates[key] = name
        return Ref(self.predicates[key], tuple(var(v) for v in variables))

    def rows(self, view: View) -> Affine:
        """Expand a view to an affine vector, without a node where it is affine already and nobody else reads it."""
        if view.function is not None:
            view = self.tabulate(view)
        source = view.source
        if source.affine is not None and (source.affine.is_constant or not (source.name or source.shared)):
            base = source.affine.select(view.index).substitute(view.at)
        else:
            ref = Ref(self.emit(source), view.at)
            zero = np.zeros(view.size)
            base = Affine(((ref, selection(view.index, source.size)),), zero, zero)
        return scaled(base, view.scale / view.divisor, view.shift)

    def tabulate(self, view: View) -> View:
        """Turn the scalar function of a view into a node: a square is a product, anything else a `Map`."""
        if view.function is None:
            return view
        function = view.function
        table = self.letter_table(view)
        if table is not None:
            return table
        source, index = view.source, view.index
        if len(np.unique(index)) < source.size:
            unique, index = np.unique(index, return_inverse=True)
            key_ = (source, view.at, unique.tobytes())
            if key_ not in self.picks:
                self.picks[key_] = self.view_of(self.rows(View(source, view.at, unique)), self.named("part"))
            picked = self.picks[key_]
            return self.tabulate(View(picked.source, picked.at, index, function, view.scale, view.shift, view.divisor))
        name = self.emit(source)
        key = (name, function)
        if key not in self.maps:
            at = tuple(var(v) for v in range(source.n_positions))
            ref, size = Ref(name, at), source.size
            if function in (SQUARE, Scalar("pow", (X, const(2)))):
                every = np.arange(size)
                node: RealNode = Multiply(self.fresh(self.named("square")), source.n_positions, ref, every, ref, every)
            else:
                node = Map(self.fresh(self.named(describe(function))), source.n_positions, size, ref, function)
            self.maps[key] = self.add(node)
            if is_positive_function(function, source.positive):
                self.mark_positive(self.maps[key])
        return View(self.maps[key], view.at, index, None, view.scale, view.shift, view.divisor)

    def mark_positive(self, source: Source) -> None:
        """Note that all elements are positive."""
        source.positive = True
        self._positive.add(source.name)

    def letter_table(
        self, view: View, other: View | None = None, combine: Callable[..., Vector] | None = None
    ) -> View | None:
        """Evaluate a function of one letter on every letter: the result is affine in the one-hot word, so nothing is rounded.

        With `other` and `combine`, the function of both views. None if an element depends on more than one letter.
        """
        first = self._letter_function(view)
        second = self._letter_function(other) if other is not None else None
        if first is None or (other is not None and second is None):
            return None
        refs, values, outside = first
        if second is not None and combine is not None:
            refs2, values2, outside2 = second
            merged = []
            for mine, his in zip(refs, refs2, strict=True):
                if mine is not None and his is not None and mine != his:
                    return None
                merged.append(mine if mine is not None else his)
            refs, values, outside = merged, combine(values, values2), combine(outside, outside2)
        return self.view_of(letters_to_affine(refs, values, outside), self.hint)

    def _letter_function(self, view: View) -> tuple[list[Ref | None], Vector, Vector] | None:
        """Find, for each element, the letter it depends on, its value for each letter, and outside the word."""
        affine = view.source.affine
        if affine is None or affine.pieces or affine.length.any():
            return None
        if not affine.operands and not affine.is_constant:
            return None
        if any(ref.node != self.letters for ref, _ in affine.operands):
            return None
        chosen = affine.select(view.index).substitute(view.at)
        size = chosen.operands[0][1].shape[1] if chosen.operands else 1
        refs: list[Ref | None] = [None] * view.size
        values = np.repeat(chosen.const[:, None], size, axis=1)
        for ref, matrix in chosen.operands:
            for row in np.unique(matrix.nonzero()[0]):
                if refs[row] is not None:
                    return None
                refs[row] = ref
            values = values + matrix.toarray()
        function = view.scalar
        return refs, function(values), function(chosen.const)

    def anchor(self, view: View) -> tuple[Ref, Index, float]:
        """Make the view ``scale * node[index]``."""
        view = self.tabulate(view)
        if view.shift or (view.source.affine is not None and view.source.affine.is_constant):
            plain = self.view_of(self.rows(view))
            return Ref(self.emit(plain.source), plain.at), plain.index, 1.0
        return Ref(self.emit(view.source), view.at), view.index, view.scale / view.divisor

    def exact(self, view: View) -> Ref:
        """Make a node whose elements are those of the view, in order."""
        view = self.tabulate(view)
        if not (view.source.name or view.source.shared) and view.source.affine is not None:
            whole = view.is_plain and len(view.index) == view.source.size
            if not (whole and (view.index == np.arange(view.size)).all()):
                view = self.view_of(self.rows(view))
        ref, index, scale = self.anchor(view)
        if scale == 1 and len(index) == view.source.size and (index == np.arange(len(index))).all():
            return ref
        zero = np.zeros(view.size)
        plain = self.view_of(scaled(Affine(((ref, selection(index, self.size_of(ref.node))),), zero, zero), scale, 0.0))
        return Ref(self.emit(plain.source), plain.at)

    def pinned(self, view: View) -> View:
        """The same elements as a node of their own, so that every reader reads the same (rounded) numbers."""
        hint, self.hint = self.hint, self.named("score")
        ref = self.exact(view)
        self.hint = hint
        node = next(node for node in reversed(self.nodes) if node.name == ref.node)
        return View(Source(node.size, node.n_positions, node.name, name=node.name), ref.at, np.arange(node.size))

    def size_of(self, name: str) -> int:
        """The size of a node."""
        return next(node.size for node in reversed(self.nodes) if node.name == name)

    def multiply(self, left: View, right: View, left_index: Index, right_index: Index) -> View:
        """Make the products ``left[left_index] * right[right_index]``."""
        left, right = left.take(left_index), right.take(right_index)
        for a, b in ((left, right), (right, left)):
            if a.function is None and a.source.affine is not None and a.source.affine.is_constant:
                values = self.rows(a).const
                if (values == 1).all():
                    return b
                return self.view_of(self.rows(b).apply(csr_array(_diagonal(values))))
        table = self.letter_table(left, right, np.multiply)
        if table is not None:
            return table
        ref1, index1, scale1 = self.anchor(left)
        ref2, index2, scale2 = self.anchor(right)
        used = sorted({v for ref in (ref1, ref2) for term in ref.at for v, _ in term.coefs})
        rename = [Term()] * (max(used, default=-1) + 1)
        for position, variable in enumerate(used):
            rename[variable] = var(position)
        pairs, where = np.unique(np.stack([index1, index2]), axis=1, return_inverse=True)
        where = where.ravel()
        if len(where) == pairs.shape[1]:
            pairs, where = np.stack([index1, index2]), np.arange(len(where))
        node = Multiply(
            self.fresh(self.hint), len(used), ref1.substitute(rename), pairs[0], ref2.substitute(rename), pairs[1]
        )
        source = self.add(node)
        return View(source, tuple(var(v) for v in used), where, None, scale1 * scale2)

    def total(self, view: View, variable: int, guard: Guard, hint: str) -> View:
        """Sum over the positions of `variable` that satisfy the guard."""
        if view.function is None and view.source.affine is not None and view.source.affine.is_constant:
            values = self.rows(view).const
            if guard == TRUE:
                return self.view_of(Affine((), 0 * values, values), hint)
            counted = self.total_of(Ref(self.emit(self.unit()), ()), 1, variable, guard, hint)
            if (values == values[0]).all():
                return View(counted.source, counted.at, np.zeros(view.size, dtype=np.int64), None, float(values[0]))
            zero = np.zeros(view.size)
            rows = self.rows(counted)
            return self.view_of(rows.apply(csr_array(values[:, None])).plus(Affine((), zero, zero)))
        ref, index, scale = self.anchor(view)
        whole = self.total_of(ref, self.size_of(ref.node), variable, guard, hint)
        return View(whole.source, whole.at, index, None, scale)

    def total_of(self, ref: Ref, size: int, variable: int, guard: Guard, hint: str) -> View:
        """Make the `Sum` of a node over a variable."""
        at, used = close(ref, guard, variable)
        node = Sum(self.fresh(hint), len(used), size, ref.substitute(at), substitute(guard, at))
        positive = ref.node in self._positive
        source = self.add(node)
        if positive:
            self.mark_positive(source)
        return View(source, tuple(var(v) for v in used), np.arange(size))

    def unit(self) -> Source:
        """The constant 1, as a node without positions."""
        if self.one is None:
            self.one = self.view_of(constant([1.0]), "one").source
        return self.one

    def length_view(self, affine: Affine) -> View:
        """Read the length n (and multiples of it) from one node."""
        key = affine.length.tobytes() + affine.const.tobytes()
        if key not in self.lengths:
            self.lengths[key] = self.view_of(affine, "length").source
        return View(self.lengths[key], (), np.arange(affine.size))

    def position_number(self) -> Source:
        """The number x of position x, counted as the positions up to it."""
        if self.counter is None:
            guard = AtLeast(var(0) - var(1))
            self.counter = self.add(Sum(self.fresh("position"), 1, 1, Ref(self.emit(self.unit()), ()), guard))
        return self.counter

    def maximum(
        self, view: View, groups: Index, variable: int | None, guard: Guard, segments: list[tuple[View, Index]]
    ) -> View:
        """Take maxima of groups of elements, also over the positions of `variable` that satisfy the guard."""
        ref = self.exact(view)
        others = [(self.exact(other), index) for other, index in segments]
        at, used = close(ref, guard, variable, [other for other, _ in others])
        node = Maximum(
            self.fresh(self.named("max")),
            len(used),
            len(groups),
            ref.substitute(at),
            groups,
            None if variable is None else substitute(guard, at),
            tuple((other.substitute(at), index) for other, index in others),
        )
        return View(self.add(node), tuple(var(v) for v in used), np.arange(len(groups)))

    def settle(self, part: Part) -> View:
        """Make a part a plain view: quotients become `Ratio` nodes."""
        if part.denominator is None:
            return part.view
        view, denominator = part.view, part.denominator
        num, index, scale = self.anchor(view)
        den, den_index, den_scale = self.anchor(denominator)
        unique, inverse = np.unique(np.stack([index, den_index]), axis=1, return_inverse=True)
        inverse = inverse.ravel()
        if not np.array_equal(unique[0], np.arange(self.size_of(num.node))):
            zero = np.zeros(view.size)
            picked = self.view_of(
                Affine(((num, selection(index, self.size_of(num.node))),), zero, zero), self.named("num")
            )
            num, unique, inverse = (
                Ref(self.emit(picked.source), picked.at),
                np.stack([index, den_index]),
                np.arange(view.size),
            )
        used = sorted({v for ref in (num, den) for term in ref.at for v, _ in term.coefs})
        rename = [Term()] * (max(used, default=-1) + 1)
        for position, variable in enumerate(used):
            rename[variable] = var(position)
        node = Ratio(
            self.fresh(self.named("head" if "num" in num.node.split(".")[-1] else "mean")),
            len(used),
            unique.shape[1],
            num.substitute(rename),
            den.substitute(rename),
            unique[1],
        )
        return View(self.add(node), tuple(var(v) for v in used), inverse, None, scale / den_scale)

    def start(self, letters: Letters | None) -> None:
        """Begin with the input."""
        self._positive = set()
        if letters is not None:
            self.letters = letters.name
            self.names.add(letters.name)
            self.nodes.append(letters)


def close(
    ref: Ref, guard: Guard, variable: int | None, others: list[Ref] | None = None
) -> tuple[list[Term], list[int]]:
    """Renumber the free variables 0, 1, ..; the bound one comes last."""
    found = {v for read in (ref, *(others or [])) for term in read.at for v, _ in term.coefs} | guard_variables(guard)
    used = sorted(found - {variable})
    rename = [FIRST] * (max([*used, variable if variable is not None else -1], default=-1) + 1)
    for position, free in enumerate(used):
        rename[free] = var(position)
    if variable is not None:
        rename[variable] = var(len(used))
    return rename, used


def scaled(affine: Affine, scale: float, shift: float) -> Affine:
    """``scale * affine + shift``."""
    if scale != 1:
        affine = Affine(
            tuple((ref, csr_array(matrix * scale)) for ref, matrix in affine.operands) if scale else (),
            affine.const * scale,
            affine.length * scale,
            tuple((guard, vector * scale) for guard, vector in affine.pieces) if scale else (),
        )
    return Affine(affine.operands, affine.const + shift, affine.length, affine.pieces) if shift else affine


def letters_to_affine(refs: list[Ref | None], values: Vector, outside: Vector) -> Affine:
    """The inverse of reading a function of letters: row t is ``values[t, letter at refs[t]]``."""
    size = len(refs)
    zero = np.zeros(size)
    constants = np.array([values[t, 0] if ref is None else outside[t] for t, ref in enumerate(refs)])
    result = Affine((), constants, zero)
    for ref in dict.fromkeys(ref for ref in refs if ref is not None):
        mine = np.array([other == ref for other in refs])
        matrix = csr_array(np.where(mine[:, None], values - outside[:, None], 0.0))
        result = result.plus(Affine(((ref, matrix),), zero, zero))
    return result


def _diagonal(values: Vector) -> csr_array:
    size = len(values)
    matrix = csr_array((np.array(values), np.arange(size), np.arange(size + 1)), shape=(size, size))
    matrix.eliminate_zeros()
    return matrix


def describe(function: Scalar) -> str:
    """Name a table after what it computes."""
    ops = set()
    stack = [function]
    while stack:
        term = stack.pop()
        ops.add(term.op)
        stack.extend(term.args)
    if "erf" in ops or ("tanh" in ops and "pow" in ops):
        return "gelu"
    if "sqrt" in ops:
        return "rsqrt" if ops & {"reciprocal", "div"} else "sqrt"
    for op in ("exp", "sigmoid", "tanh", "softplus", "log", "sin", "cos", "round", "floor", "abs"):
        if op in ops:
            return op
    if "max" in ops:
        return "clip" if "min" in ops else "relu"
    for op in ("reciprocal", "ge", "gt", "eq", "sign"):
        if op in ops:
            return op
    return "table"


def is_positive_function(function: Scalar, positive: bool) -> bool:
    """Whether the function is positive (or a condition, used as a weight) on all numbers, or on positive ones."""
    match function:
        case Scalar("exp" | "sigmoid" | "softplus" | "ge" | "gt" | "eq"):
            return True
        case Scalar("x"):
            return positive
        case Scalar("const", _, value):
            return value > 0
        case Scalar("max", (left, right)):
            return is_positive_function(left, positive) or is_positive_function(right, positive)
        case Scalar("add" | "mul" | "div" | "min" | "reciprocal" | "sqrt", args):
            return all(is_positive_function(arg, positive) for arg in args)
        case _:
            return False


def sanitize(name: str) -> str:
    """Make dotted identifiers of an ONNX name: ``blocks.0.a.q.bias`` becomes ``blocks0.a.q.bias``."""
    pieces: list[str] = []
    for piece in re.split(r"[^A-Za-z0-9_]+", name):
        if not piece:
            continue
        if piece[0].isdigit():
            if pieces:
                pieces[-1] += piece
                continue
            piece = f"n{piece}"
        pieces.append(piece)
    return ".".join(pieces) or "node"
