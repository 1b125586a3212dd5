"""The state of one import, and the step every lowering starts with: reading a tensor on a part of the broadcast shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import (
    FALSE,
    TRUE,
    AtLeast,
    Congruent,
    Equals,
    Guard,
    Ref,
    Term,
    conjunction,
    var,
)
from translator.axes import POST, PRE, SEQUENCE, Axis, Key, keys, part_shape
from translator.lengths import Quotient
from translator.reading.assembly import Assembly, _diagonal, scaled
from translator.reading.loading import Operator
from translator.reading.positional import broadcast_dims, is_terms, specialise
from translator.reading.refusing import Refusal
from translator.reading.values import (
    Affine,
    Array,
    Carried,
    Data,
    Part,
    Positional,
    Source,
    Value,
    Vector,
    View,
    constant,
    selection,
)


@dataclass(frozen=True, slots=True)
class Switched:
    """Scores under a mask that depends on the input: `kept` is 1 or 0 for each; `variables` are those that the whole reads."""

    kept: View
    score: View
    variables: tuple[int, ...]

    def seen_through(self, view: View) -> tuple[View, View]:
        """Both as the elements and positions that a view of the masked scores reads."""
        at = [var(v) for v in range(max(self.variables, default=-1) + 1)]
        for variable, place in zip(self.variables, view.at, strict=True):
            at[variable] = place
        return self.kept.move(tuple(at)).take(view.index), self.score.move(tuple(at)).take(view.index)


@dataclass(slots=True)
class Context:
    """What the lowerings share: the network so far, the lengths n accepted so far, and the operator being lowered.

    `switches` are masks that depend on the input: vectors of 0 (kept) and a huge negative constant (masked). `switched` are
    scores under such masks.
    """

    assembly: Assembly
    opset: int
    alphabet_size: int
    longest: int | None = None
    operator: Operator | None = None
    least: int = 1
    most: int | None = None
    reasons: list[str] = field(default_factory=list)
    toward_softmax: frozenset[str] = frozenset()
    means_of_codes: frozenset[str] = frozenset()
    switches: set[Source] = field(default_factory=set)
    switched: dict[Source, Switched] = field(default_factory=dict)
    scope: Mapping[str, Carried | None] = field(default_factory=dict)
    unrolled: int = 0

    def require_least(self, n: int, reason: str) -> None:
        """Refuse shorter words."""
        if n > self.least:
            self.least = n
            self.reasons.append(reason)

    def require_most(self, n: int | None, reason: str) -> None:
        """Refuse longer words."""
        if n is not None and (self.most is None or n < self.most):
            self.most = n
            self.reasons.append(reason)

    @property
    def is_score(self) -> bool:
        """Whether the result of this operator goes into a softmax, so that huge negative constants are masks."""
        return self.operator is not None and self.operator.outputs[0] in self.toward_softmax


def dims_of(value: Value) -> tuple[Term, ...]:
    """The symbolic shape."""
    if isinstance(value, np.ndarray):
        return tuple(Term((), 0, size) for size in value.shape)
    return value.dims


def axis_of_length(length: Term) -> Axis:
    """An axis of a given symbolic length."""
    if not length.n_coef:
        return Axis(length.const)
    if length.n_coef != 1:
        raise Refusal("N035", f"an axis of length {length} mixes several copies of the sequence")
    if isinstance(length, Quotient):
        pre = max(length.offset // length.divisor, 0)
        return Axis(pre, True, 0, length.divisor * (pre + 1) - 1 - length.offset, 0, length.divisor)
    return Axis(0, True, 0, max(-length.const, 0), max(length.const, 0))


def joint_axes(context: Context, values: Sequence[Value]) -> tuple[tuple[Axis, ...], list[Value]]:
    """The axes of the broadcast shape, and the operands with equal segments on them."""
    dims = broadcast_dims(*map(dims_of, values))
    aligned: list[Value] = list(values)
    axes: list[Axis] = []
    for number, length in enumerate(dims):
        if not length.n_coef:
            axes.append(Axis(length.const))
            continue
        found: list[Axis] = []
        for value in aligned:
            if isinstance(value, Data):
                own = number - len(dims) + len(value.axes)
                if own >= 0 and value.axes[own].run and value.axes[own] not in found:
                    found.append(value.axes[own])
        if len(found) > 1:
            for which, value in enumerate(aligned):
                own = number - len(dims) + len(value.axes) if isinstance(value, Data) else -1
                if isinstance(value, Data) and own >= 0 and value.axes[own].run:
                    aligned[which] = realign(context, value, own)
            found = [axis_of_length(length)]
        axes.append(found[0] if found else axis_of_length(length))
    return tuple(axes), aligned


def part_at(context: Context, value: Value, axes: tuple[Axis, ...], key: Key) -> Part:
    """Read a value on one part of the broadcast shape `axes`."""
    shape = part_shape(axes, key)
    if isinstance(value, Data):
        offset = len(axes) - len(value.axes)
        own_key = tuple(segment if own.run else PRE for own, segment in zip(value.axes, key[offset:], strict=True))
        part = value.parts[own_key]
        own_shape = part_shape(value.axes, own_key)
        count = int(np.prod(own_shape))
        index = np.broadcast_to(np.arange(count).reshape((1,) * offset + own_shape), shape).ravel()
        if offset:
            part = part.move(tuple(var(axis + offset) for axis in range(len(value.axes))))
        return part.take(index)
    if isinstance(value, Positional):
        return Part(
            context.assembly.view_of(affine_of_pieces(context, specialise(value, axes, key), int(np.prod(shape))))
        )
    if is_terms(value):
        terms = np.broadcast_to(value, shape).ravel()
        if any(isinstance(term, Quotient) for term in terms):
            if len(set(terms)) > 1:
                raise Refusal("N030", "several lengths are used as numbers at once")
            return Part(counted(context, terms[0]).take(np.zeros(len(terms), dtype=np.int64)))
        const = np.array([term.const for term in terms], dtype=np.float64)
        length = np.array([term.n_coef for term in terms], dtype=np.float64)
        return Part(context.assembly.view_of(Affine((), const, length)))
    return Part(context.assembly.view_of(constant(np.broadcast_to(value, shape))))


def affine_of_pieces(context: Context, pieces: list[tuple[Guard, Array, Array | Term]], size: int) -> Affine:
    """A positional part as an affine vector: predicates with constants, and position numbers where it is a term."""
    total = constant(np.zeros(size))
    for guard, chosen, values in pieces:
        if isinstance(values, Term):
            total = total.plus(_affine_of_term(context, guard, values, chosen))
            continue
        vector = np.where(chosen, np.asarray(values, dtype=np.float64), 0.0)
        if not np.isfinite(vector).all():
            raise Refusal(
                "N037",
                "infinite constants are used outside of a mask",
                help="mask scores before a softmax, nothing else",
            )
        if guard == TRUE:
            total = total.plus(constant(vector))
        elif vector.any():
            total = total.plus(Affine((), np.zeros(size), np.zeros(size), ((guard, vector),)))
    return total


def _affine_of_term(context: Context, guard: Guard, term: Term, chosen: Array) -> Affine:
    column = chosen.astype(np.float64)
    if isinstance(term, Quotient):
        counts = context.assembly.rows(counted(context, term).take(np.zeros(len(column), dtype=np.int64)))
        view = context.assembly.view_of(counts.apply(csr_array(_diagonal(column))))
        return context.assembly.rows(restrict(context, view, (guard,) * len(column)))
    counter = context.assembly.position_number() if term.coefs else None
    result = Affine((), column * term.const, column * term.n_coef)
    for variable, coef in term.coefs:
        if counter is None:
            break
        matrix = selection(np.zeros(len(column), dtype=np.int64), 1) * coef
        operand = (Ref(counter.name, (var(variable),)), matrix.multiply(column[:, None]).tocsr())
        result = result.plus(Affine((operand,), 0 * column, 0 * column))
    if guard == TRUE:
        return result
    view = context.assembly.view_of(result)
    return context.assembly.rows(restrict(context, view, (guard,) * len(column)))


def counted(context: Context, length: Quotient) -> View:
    """The number ``floor((n + offset) / divisor)``: how many positions x make ``x + offset`` a positive multiple."""
    assembly = context.assembly
    key = str(length).encode()
    if key not in assembly.lengths:
        more = max(length.offset // length.divisor, 0)
        offset = length.offset - more * length.divisor
        place = var(0) + offset
        guard = conjunction(Congruent(place, length.divisor), *([AtLeast(place - 1)] if offset < 0 else []))
        view = assembly.total_of(Ref(assembly.emit(assembly.unit())), 1, 0, guard, "length")
        assembly.lengths[key] = assembly.view_of(scaled(assembly.rows(view), 1.0, float(more)), "length").source
    return View(assembly.lengths[key], (), np.arange(1))


def restrict(context: Context, view: View, guards: tuple[Guard, ...]) -> View:
    """Make the view 0 where the guard of the element fails."""
    if all(guard == TRUE for guard in guards):
        return view
    assembly = context.assembly
    if set(guards) <= {TRUE, FALSE}:
        kept = np.flatnonzero([guard == TRUE for guard in guards])
        masked = csr_array((np.ones(len(kept)), (kept, kept)), shape=(view.size, view.size))
        return assembly.view_of(assembly.rows(view).apply(masked))
    unique = list(dict.fromkeys(guards))
    which = np.array([unique.index(guard) for guard in guards])
    rows = assembly.rows(view) if is_constant(view) else None
    if rows is not None and not rows.length.any():
        pieces = tuple((guard, np.where(which == number, rows.const, 0.0)) for number, guard in enumerate(unique))
        fixed = sum((vector for guard, vector in pieces if guard == TRUE), np.zeros(view.size))
        return assembly.view_of(Affine((), fixed, 0 * fixed, tuple(piece for piece in pieces if piece[0] != TRUE)))
    variables = tuple(sorted({v for guard in unique for v in _variables(guard)}))
    ref = assembly.predicate(variables, tuple(unique))
    zero = np.zeros(len(unique))
    condition = assembly.view_of(Affine(((ref, selection(np.arange(len(unique)), len(unique))),), zero, zero))
    condition.source.name, condition.source.affine = ref.node, None
    condition = View(condition.source, ref.at, np.arange(len(unique)))
    return assembly.multiply(condition, view, which, np.arange(view.size))


def _variables(guard: Guard) -> set[int]:
    from translator.reading.values import guard_variables

    return guard_variables(guard)


def is_constant(view: View) -> bool:
    """Whether the view is a known vector."""
    return view.source.affine is not None and view.source.affine.is_constant


def known(context: Context, view: View) -> Vector | None:
    """The vector, if it is known."""
    if view.source.affine is None or not view.source.affine.is_constant:
        return None
    return np.asarray(view.scalar(view.source.affine.const[view.index]), dtype=np.float64)


def plain(context: Context, part: Part) -> View:
    """A part as numbers: quotients are formed, what is masked out to 0 is made 0."""
    view = context.assembly.settle(part)
    if part.allowed is None:
        return view
    if part.outside != 0:
        raise Refusal(
            "N038",
            f"a score masked with {part.outside:g} is used outside of a softmax",
            help="use the mask only on attention scores",
        )
    return restrict(context, view, part.allowed)


def to_data(context: Context, value: Value, like: tuple[Axis, ...] | None = None) -> Data:
    """Any value as data, on the given axes (of its own shape) or on plain ones."""
    if isinstance(value, Data):
        return value
    axes = like if like is not None else tuple(axis_of_length(length) for length in dims_of(value))
    return Data(axes, {key: part_at(context, value, axes, key) for key in keys(axes)})


def realign(context: Context, value: Data, number: int) -> Data:
    """Bring an axis to the form that `axis_of_length` gives it: of length n, to positions alone, in one node with guards."""
    axis = value.axes[number]
    if axis == axis_of_length(axis.length):
        return value
    if axis.length != Term((), 1, 0):
        from translator.reading.striding import sampled

        return sampled(context, value, number)
    axes = tuple(SEQUENCE if other == number else own for other, own in enumerate(value.axes))
    assembly = context.assembly
    parts: dict[Key, Part] = {}
    x = var(number)
    shift = axis.lo - axis.pre
    for key in keys(axes):
        shape = part_shape(axes, key)
        size = int(np.prod(shape))
        run_view = plain(context, value.parts[key])
        moved = shifted(context, run_view, number, shift)
        if not ((axis.lo == 0 or axis.pre == 0) and (axis.hi == 0 or axis.post == 0)):
            guard = conjunction(*_inside(axis, number))
            moved = restrict(context, moved, (guard,) * size)
        total = assembly.rows(moved)
        for segment, count in ((PRE, axis.pre), (POST, axis.post)):
            for slot in range(count):
                slot_key = tuple(segment if other == number else own for other, own in enumerate(key))
                source = plain(context, value.parts[slot_key])
                own_shape = part_shape(value.axes, slot_key)
                index = np.take(np.arange(int(np.prod(own_shape))).reshape(own_shape), [slot], axis=number).ravel()
                place = x - (slot + 1) if segment == PRE else x - Term((), 1, slot + 1 - count)
                total = total.plus(assembly.rows(restrict(context, source.take(index), (Equals(place),) * size)))
        parts[key] = Part(assembly.view_of(total))
    return Data(axes, parts)


def _inside(axis: Axis, number: int) -> list[Guard]:
    guards: list[Guard] = []
    if axis.pre:
        guards.append(AtLeast(var(number) - (axis.pre + 1)))
    if axis.post:
        guards.append(AtLeast(Term((), 1, -axis.post) - var(number)))
    return guards


def shifted(context: Context, view: View, variable: int, shift: int) -> View:
    """Read at ``variable + shift``; outside the word the result is 0."""
    if not shift:
        return view
    return shifted_to(context, view, variable, var(variable) + shift)


def shifted_to(context: Context, view: View, variable: int, place: Term) -> View:
    """Read with the variable replaced by a term that may lie outside 1..n, where the result is 0."""
    assembly = context.assembly
    at = _identity(view)
    at[variable] = place
    values = known(context, view)
    if values is not None or variable not in view.variables():
        return view
    ref, index, scale = assembly.anchor(view)
    zero = np.zeros(view.size)
    moved = Affine(((ref.substitute(at), selection(index, assembly.size_of(ref.node)) * scale),), zero, zero)
    return assembly.view_of(moved)


def _identity(view: View) -> list[Term]:
    return [var(v) for v in range(64)]


def ints(value: Any) -> list[int]:
    """A known integer vector."""
    array = np.asarray(value)
    if array.dtype == object:
        raise Refusal("N039", "a constant is needed here, and a length that depends on n was found")
    return [int(entry) for entry in array.ravel()]
