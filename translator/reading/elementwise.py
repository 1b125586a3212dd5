"""Elementwise operators: scalar functions stay lazy, affine combinations stay affine, masks become guards.

Two scalar functions of the same elements fuse into one; a product of two variables is a `Multiply`; everything nonlinear in
one variable becomes a `Map` when it is needed. Functions of a single letter are evaluated on the alphabet and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import TRUE, Term, conjunction
from circuits.scalar import Scalar, X, const
from translator.axes import Axis, Key, keys, part_shape
from translator.lengths import Quotient, divided, least_for
from translator.reading.assembly import _diagonal, scaled
from translator.reading.combining import apply_to_view, combine, formula, operation
from translator.reading.context import Context, Switched, dims_of, joint_axes, known, part_at, plain, restrict
from translator.reading.curves import Curve, apply, curve_of
from translator.reading.curves import combine as combine_curves
from translator.reading.masking import MASK, element_guards, masked_sum
from translator.reading.positional import (
    arithmetic,
    as_positional,
    broadcast_dims,
    elementwise,
    is_terms,
    of_array,
    settle_terms,
    specialise,
    term_array,
)
from translator.reading.refusing import Refusal
from translator.reading.values import Array, Data, Part, Positional, Value, View, constant


def constant_of(value: Value) -> Array | None:
    """The numbers of a known value."""
    return value if isinstance(value, np.ndarray) and value.dtype != object else None


def unary(context: Context, function: Scalar, value: Value, dtype: str = "float") -> Value:
    """Apply a scalar function to every element."""
    if isinstance(value, Data):
        return Data(value.axes, {key: apply_function(context, part, function) for key, part in value.parts.items()})
    if is_terms(value):
        if function == Scalar("neg", (X,)):
            return np.vectorize(lambda term: -term, otypes=[object])(value)
        if function == X:
            return value
        value = of_array(np.asarray(value))
    if isinstance(value, np.ndarray):
        return np.asarray(function(np.asarray(value, dtype=np.float64)))
    if function == X:
        return Positional(value.dims, value.pieces, dtype)
    if function == Scalar("neg", (X,)) and not isinstance(value, Curve):
        return elementwise(np.negative, value, dtype=dtype, on_terms=lambda a: [(TRUE, -a)])
    if isinstance(value, Curve) or any(isinstance(piece, Term) for _, piece in value.pieces):
        curve = curve_of(context, value)
        if curve is not None:
            return apply(function, curve, dtype)
    return elementwise(lambda a: function(np.asarray(a, dtype=np.float64)), value, dtype=dtype, on_terms=lambda a: None)


def apply_function(context: Context, part: Part, function: Scalar) -> Part:
    """Apply a function to a part; masked elements follow where the result is 0 or again a mask."""
    allowed, outside = part.allowed, part.outside
    if allowed is not None:
        with np.errstate(all="ignore"):
            outside = float(function(np.array([outside]))[0])
        if outside != 0 and outside > MASK:
            part, allowed, outside = Part(plain(context, part)), None, 0.0
    return Part(apply_to_view(context, context.assembly.settle(part), function), None, allowed, outside)


def binary(context: Context, op: str, left: Value, right: Value) -> Value:
    """Apply a two-argument operation: one of `circuits.scalar`, or le, lt, and, or, xor, quotient (truncated), fmod."""
    if not isinstance(left, Data) and not isinstance(right, Data):
        return _binary_known(context, op, left, right)
    if op == "mul" and context.is_score:
        left, right = _bounded(context, left), _bounded(context, right)
    axes, (left, right) = joint_axes(context, (left, right))
    parts: dict[Key, Part] = {}
    for key in keys(axes):
        if op in ("add", "sub") and context.is_score:
            masked = masked_sum(context, op, left, right, axes, key)
            if masked is not None:
                parts[key] = masked
                continue
        first, second = part_at(context, left, axes, key), part_at(context, right, axes, key)
        chosen = switched(context, first, second) if op == "add" else None
        parts[key] = combine(context, op, first, second) if chosen is None else chosen
    return Data(axes, parts)


def switched(context: Context, first: Part, second: Part) -> Part | None:
    """A score plus a mask that depends on the input: the mask's constant replaces the score, as it does in float32.

    So a row that is masked everywhere gives the uniform average. None if neither part is such a mask.
    """
    masks = context.switches | context.switched.keys()
    score, mask = (first, second) if second.view.source in masks else (second, first)
    if mask.view.source not in masks or not mask.view.is_plain or score.allowed is not None:
        return None
    assembly, every = context.assembly, np.arange(mask.view.size)
    view = assembly.settle(score)
    if mask.view.source in context.switched:
        kept, under = context.switched[mask.view.source].seen_through(mask.view)
        view = assembly.view_of(assembly.rows(view).plus(assembly.rows(under)), assembly.named("score"))
    else:
        kept = assembly.view_of(scaled(assembly.rows(mask.view), -1 / MASK, 1.0), assembly.named("kept"))
    chosen = assembly.rows(assembly.multiply(kept, view, every, every))
    masked = assembly.view_of(chosen.plus(scaled(assembly.rows(kept), -MASK, MASK)), assembly.named("masked"))
    variables = tuple(v for term in masked.at for v, _ in term.coefs)
    if kept.variables() | view.variables() <= set(variables):
        context.switched[masked.source] = Switched(kept, view, variables)
    return Part(masked)


def zipped(context: Context, function: Callable[..., View], *values: Value) -> Data:
    """Apply a function of views to tensors, one of which depends on the input, broadcast to one shape."""
    axes, aligned = joint_axes(context, values)
    return Data(
        axes,
        {
            key: Part(function(*(plain(context, part_at(context, value, axes, key)) for value in aligned)))
            for key in keys(axes)
        },
    )


def _binary_known(context: Context, op: str, left: Value, right: Value) -> Value:
    from translator.reading.shares import share_of_length

    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        if left.dtype == object or right.dtype == object:
            return binary_terms(op, left, right)
        with np.errstate(all="ignore"):
            result = np.asarray(operation(op)(left, right))
        return result.astype(left.dtype) if op == "quotient" else result
    left, right = as_positional(left), as_positional(right)
    share = share_of_length(context, op, left, right)
    if share is not None:
        return share
    is_int = left.dtype != "float" and right.dtype != "float"
    dtype = "bool" if op in ("ge", "gt", "le", "lt", "eq", "and", "or", "xor") else "int" if is_int else "float"
    if isinstance(left, Curve) or isinstance(right, Curve):
        curve = combine_curves(context, lambda a, b: formula(op, a, b), (left, right), dtype)
        if curve is not None:
            return curve
    exact = "div" if op == "quotient" else op
    try:
        return elementwise(operation(op), left, right, dtype=dtype, on_terms=lambda a, b: arithmetic(exact, a, b))
    except Refusal as refusal:
        curve = combine_curves(context, lambda a, b: formula(op, a, b), (left, right), dtype)
        if curve is None or refusal.code != "N033":
            raise
        return curve


def _length_over(a: Term, b: Term, *, rounds: bool) -> Term:
    """A length divided by a number; with `rounds`, as whole numbers are divided."""
    if not b.n_coef and b.const and not isinstance(a, Quotient) and not a.n_coef % b.const and not a.const % b.const:
        return Term((), a.n_coef // b.const, a.const // b.const)
    if not b.n_coef and not a.n_coef and rounds and b.const:
        return Term((), 0, int(a.const / b.const))
    if b.n_coef or b.const < 1 or a.n_coef != 1 or not rounds or least_for(a, 0) > 1:
        raise Refusal("N039", f"the length {a} / {b} is no whole number, or negative, for some n")
    return divided(a, b.const)


def binary_terms(op: str, left: Array, right: Array) -> Array:
    """Compute with lengths: each result is a length again, or the same truth value for every n."""
    is_whole = not any(array.dtype.kind == "f" for array in (left, right))
    if any(array.dtype.kind == "f" and (array % 1).any() for array in (left, right)):
        raise Refusal("N039", f"`{op}` of a length and a number that is not whole")
    pairs = np.broadcast(term_array(left), term_array(right))
    result = np.empty(pairs.shape, dtype=object)
    known_bool = op in ("eq", "ge", "gt", "lt", "le")
    for index, (a, b) in zip(np.ndindex(pairs.shape), pairs, strict=True):
        if op in ("div", "quotient"):
            result[index] = _length_over(a, b, rounds=op == "quotient" and is_whole)
            continue
        cases = arithmetic(op, a, b)
        if cases is not None and len(cases) > 1:
            from translator.reading.regions import satisfiable

            cases = [case for case in cases if satisfiable(case[0])]
        if cases is None or len(cases) != 1:
            raise Refusal("N039", f"`{op}` of the lengths {a} and {b} is not the same for every n")
        result[index] = cases[0][1]
    if known_bool:
        return result.astype(bool)
    return settle_terms(
        term_array([v if isinstance(v, Term) else int(v) for v in result.ravel()]).reshape(result.shape)
    )


def where(context: Context, condition: Value, yes: Value, no: Value) -> Value:
    """Select by a condition: a positional one restricts by guards, one on data multiplies."""
    fixed = constant_of(condition)
    if fixed is not None and fixed.size and bool((fixed == fixed.ravel()[0]).all()):
        chosen = yes if fixed.ravel()[0] else no
        if isinstance(chosen, Data) or dims_of(chosen) == broadcast_dims(*map(dims_of, (condition, yes, no))):
            return chosen
    if not any(isinstance(value, Data) for value in (condition, yes, no)):
        if isinstance(condition, np.ndarray) and isinstance(yes, np.ndarray) and isinstance(no, np.ndarray):
            if is_terms(yes) or is_terms(no):
                a, b = np.broadcast_arrays(term_array(yes), term_array(no))
                flags = np.broadcast_to(condition, np.broadcast_shapes(np.shape(condition), a.shape))
                return settle_terms(np.where(flags, a, b))
            return np.where(condition, yes, no)
        c, y, z = as_positional(condition), as_positional(yes), as_positional(no)
        if any(isinstance(value, Curve) for value in (c, y, z)):
            dtype = y.dtype if y.dtype == z.dtype else "float"
            curve = combine_curves(context, lambda *args: Scalar("where", args), (c, y, z), dtype)
            if curve is not None:
                return curve
        return elementwise(np.where, c, y, z, dtype=y.dtype if y.dtype == z.dtype else "float", on_terms=_choose)
    axes, (condition, yes, no) = joint_axes(context, (condition, yes, no))
    return Data(axes, {key: _where_part(context, condition, yes, no, axes, key) for key in keys(axes)})


def _choose(condition: Any, yes: Any, no: Any) -> Any:
    if isinstance(condition, Term):
        return None
    if condition.size == 1:
        return [(TRUE, yes if condition.ravel()[0] else no)]
    return None


def _where_part(context: Context, condition: Value, yes: Value, no: Value, axes: tuple[Axis, ...], key: Key) -> Part:
    assembly = context.assembly
    size = int(np.prod(part_shape(axes, key)))
    every = np.arange(size)
    if not isinstance(condition, Data):
        pieces = specialise(as_positional(condition), axes, key)
        guards = [piece[0] for piece in pieces]
        on = [chosen & np.asarray(values).astype(bool) for _, chosen, values in pieces]
        off = [chosen & ~np.asarray(values).astype(bool) for _, chosen, values in pieces]
        is_yes = element_guards(guards, off, on, size)
        is_no = element_guards(guards, on, off, size)
        for fixed, data, allowed in ((yes, no, is_no), (no, yes, is_yes)):
            numbers = constant_of(fixed)
            if (
                isinstance(data, Data)
                and numbers is not None
                and ((numbers.max() <= MASK and context.is_score) or (numbers == -np.inf).all())
            ):
                part = part_at(context, data, axes, key)
                if part.allowed is not None:
                    allowed = tuple(conjunction(a, b) for a, b in zip(part.allowed, allowed, strict=True))
                return Part(part.view, part.denominator, allowed, min(part.outside, float(numbers.min())))
            if isinstance(data, Data) and numbers is not None and not numbers.any():
                part = part_at(context, data, axes, key)
                if part.allowed is None or part.outside == 0:
                    if part.allowed is not None:
                        allowed = tuple(conjunction(a, b) for a, b in zip(part.allowed, allowed, strict=True))
                    return Part(part.view, part.denominator, allowed, 0.0)
        first = restrict(context, plain(context, part_at(context, yes, axes, key)), is_yes)
        second = restrict(context, plain(context, part_at(context, no, axes, key)), is_no)
        return Part(assembly.view_of(assembly.rows(first).plus(assembly.rows(second))))
    if context.is_score:
        yes, no = _bounded(context, yes), _bounded(context, no)
    flag = plain(context, part_at(context, condition, axes, key))
    first, second = (plain(context, part_at(context, value, axes, key)) for value in (yes, no))
    fixed_first, fixed_second = known(context, first), known(context, second)
    if any(values is not None and not np.isfinite(values).all() for values in (fixed_first, fixed_second)):
        raise Refusal(
            "N037",
            "the input decides where an infinite constant stands",
            help="mask scores before a softmax, or use a large finite constant",
        )
    if fixed_first is not None and fixed_second is not None:
        rows = assembly.rows(flag).apply(csr_array(_diagonal(fixed_first - fixed_second)))
        chosen = assembly.view_of(rows.plus(constant(fixed_second)))
        if context.is_score and set(np.concatenate([fixed_first, fixed_second]).tolist()) == {0.0, MASK}:
            context.switches.add(chosen.source)
        return Part(chosen)
    bases = [view for view in (flag, first, second) if known(context, view) is None]
    if all(view.is_same_base(bases[0]) for view in bases) and _uniform(fixed_first) and _uniform(fixed_second):
        args = (flag.scalar, _scalar(first, fixed_first), _scalar(second, fixed_second))
        return Part(bases[0].with_function(Scalar("where", args)))
    rows = assembly.rows(second)
    difference = assembly.view_of(assembly.rows(first).plus(scaled(rows, -1.0, 0.0)), assembly.named("difference"))
    return Part(assembly.view_of(rows.plus(assembly.rows(assembly.multiply(flag, difference, every, every)))))


def _bounded(context: Context, value: Value) -> Value:
    """A mask that depends on the input stays a number: it is added with the least constant that works."""
    numbers = constant_of(value)
    if numbers is None or not (numbers <= MASK).any():
        return value
    if np.isneginf(numbers).any():
        raise Refusal(
            "N037",
            "the input decides where minus infinity stands",
            note="a row that is masked everywhere has no value then, and which rows are depends on the input",
            help="use a large finite constant, which gives the uniform average there, or fix the mask with --bind",
        )
    huge = numbers <= MASK
    context.assembly.notes.append(
        "a mask that depends on the input puts scores so far below the others that their weights vanish "
        f"(the file says {float(numbers[huge].max()):g})"
    )
    return np.where(huge, MASK, numbers)


def _uniform(values: Array | None) -> bool:
    return values is None or bool((values == values[0]).all())


def _scalar(view: View, values: Array | None) -> Scalar:
    return view.scalar if values is None else const(float(values[0]))
