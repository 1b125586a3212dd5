"""Elementwise operators: scalar functions stay lazy, affine combinations stay affine, masks become guards.

Two scalar functions of the same elements fuse into one; a product of two variables is a `Multiply`; everything nonlinear in
one variable becomes a `Map` when it is needed. Functions of a single letter are evaluated on the alphabet and cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from circuits.positions import FALSE, TRUE, Guard, Term, conjunction, disjunction, negation
from circuits.scalar import OPERATIONS, Scalar, X, const
from translator.axes import Axis, Key, keys, part_shape
from translator.reading.assembly import _diagonal, scaled
from translator.reading.context import (
    Context,
    affine_of_pieces,
    dims_of,
    joint_axes,
    known,
    part_at,
    plain,
    restrict,
)
from translator.reading.positional import (
    arithmetic,
    as_positional,
    elementwise,
    is_terms,
    of_array,
    settle_terms,
    specialise,
    term_array,
)
from translator.reading.refusing import Refusal
from translator.reading.regions import tidy
from translator.reading.values import Array, Data, Part, Positional, Value, View, constant

MASK = -1e4
Inputs = list[Value | None]


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
    if function == Scalar("neg", (X,)):
        on_terms: Callable[..., Any] = lambda a: [(TRUE, -a)]  # noqa: E731
    else:
        on_terms = lambda a: expand_term(context, a, function)  # noqa: E731
    return elementwise(lambda a: function(np.asarray(a, dtype=np.float64)), value, dtype=dtype, on_terms=on_terms)


def expand_term(context: Context, term: Term, function: Scalar) -> Any:
    """Tabulate a function of a position number, up to the longest word the user asked for."""
    from circuits.positions import Equals

    if context.longest is None:
        raise Refusal(
            "N033",
            f"a nonlinear function of the position number {term} is computed for every length",
            note="rotary and sinusoidal positions computed from Range are no table",
            help="give a bound with longest=, so that it becomes a table, or export the positions as a stored table",
        )
    n = context.longest
    context.require_most(n, "positions are tabulated up to the given bound")
    reach = sum(abs(c) for _, c in term.coefs) * (n + 1) + abs(term.n_coef) * n + abs(term.const) + 1
    values = function(np.arange(-reach, reach + 1, dtype=np.float64))
    return [(Equals(term - k), np.array(values[k + reach])) for k in range(-reach, reach + 1)]


def apply_function(context: Context, part: Part, function: Scalar) -> Part:
    """Apply a function to a part; masked elements follow where the result is 0 or again a mask."""
    allowed, outside = part.allowed, part.outside
    if allowed is not None:
        with np.errstate(all="ignore"):
            outside = float(function(np.array([outside]))[0])
        if outside != 0 and outside > MASK:
            part, allowed, outside = Part(plain(context, part)), None, 0.0
    view = context.assembly.settle(part)
    composed = view.with_function(view.scalar.then(function))
    affine = as_affine(function)
    if affine is not None:
        scale, shift, divisor = affine
        composed = View(
            view.source,
            view.at,
            view.index,
            view.function,
            view.scale * scale,
            view.shift * scale / divisor + shift,
            view.divisor * divisor,
        )
    values = known(context, view)
    if values is not None:
        composed = context.assembly.view_of(constant(function(values)))
    return Part(composed, None, allowed, outside)


def as_affine(function: Scalar) -> tuple[float, float, float] | None:
    """Recognize ``scale * x / divisor + shift``."""
    match function:
        case Scalar("x"):
            return 1.0, 0.0, 1.0
        case Scalar("neg", (Scalar("x"),)):
            return -1.0, 0.0, 1.0
        case Scalar("mul", (Scalar("const", (), value), Scalar("x"))) | Scalar(
            "mul", (Scalar("x"), Scalar("const", (), value))
        ):
            return value, 0.0, 1.0
        case Scalar("add", (Scalar("x"), Scalar("const", (), value))) | Scalar(
            "add", (Scalar("const", (), value), Scalar("x"))
        ):
            return 1.0, value, 1.0
        case Scalar("sub", (Scalar("x"), Scalar("const", (), value))):
            return 1.0, -value, 1.0
        case Scalar("sub", (Scalar("const", (), value), Scalar("x"))):
            return -1.0, value, 1.0
        case Scalar("div", (Scalar("x"), Scalar("const", (), value))) if value:
            return 1.0, 0.0, value
        case _:
            return None


def binary(context: Context, op: str, left: Value, right: Value) -> Value:
    """Apply one of the two-argument operations of `circuits.scalar`."""
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
        parts[key] = combine(context, op, part_at(context, left, axes, key), part_at(context, right, axes, key))
    return Data(axes, parts)


def _binary_known(context: Context, op: str, left: Value, right: Value) -> Value:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        if left.dtype == object or right.dtype == object:
            return _binary_terms(op, left, right)
        return np.asarray(OPERATIONS[op](left, right))
    left, right = as_positional(left), as_positional(right)
    is_int = left.dtype != "float" and right.dtype != "float"
    dtype = "bool" if op in ("ge", "gt", "le", "lt", "eq", "and", "or") else "int" if is_int else "float"
    return elementwise(_operation(op), left, right, dtype=dtype, on_terms=lambda a, b: _terms(context, op, a, b))


def _operation(op: str) -> Callable[..., Any]:
    extra: dict[str, Callable[..., Any]] = {
        "le": np.less_equal,
        "lt": np.less,
        "and": np.logical_and,
        "or": np.logical_or,
        "xor": np.logical_xor,
    }
    return extra.get(op) or OPERATIONS[op]


def _terms(context: Context, op: str, a: Array | Term, b: Array | Term) -> Any:
    found = arithmetic(op, a, b)
    if found is not None:
        return found
    for term, other, make in (
        (a, b, _right_argument(op)),
        (b, a, _left_argument(op)),
    ):
        if isinstance(term, Term) and not isinstance(other, Term):
            if other.size == 1:
                return expand_term(context, term, make(float(other.ravel()[0])))
            columns = [expand_term(context, term, make(float(value))) for value in other.ravel()]
            return [
                (cells[0][0], np.array([value for _, value in cells]).reshape(other.shape))
                for cells in zip(*columns, strict=True)
            ]
    return None


def _right_argument(op: str) -> Callable[[float], Scalar]:
    return lambda value: Scalar(op, (X, const(value)))


def _left_argument(op: str) -> Callable[[float], Scalar]:
    return lambda value: Scalar(op, (const(value), X))


def _binary_terms(op: str, left: Array, right: Array) -> Array:
    pairs = np.broadcast(term_array(left), term_array(right))
    result = np.empty(pairs.shape, dtype=object)
    known_bool = op in ("eq", "ge", "gt", "lt", "le")
    for index, (a, b) in zip(np.ndindex(pairs.shape), pairs, strict=True):
        if op == "div":
            if b.n_coef or not b.const or a.n_coef % b.const or (a.n_coef and a.const % b.const):
                raise Refusal("N039", f"the length {a} / {b} is no affine expression of n")
            result[index] = Term((), a.n_coef // b.const, a.const // b.const)
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


def masked_sum(context: Context, op: str, left: Value, right: Value, axes: tuple[Axis, ...], key: Key) -> Part | None:
    """Add a mask: elements with a huge negative constant are excluded by a guard. None if there is no such constant."""
    sign = 1.0
    if isinstance(left, Data):
        score: Value = left
        mask: Value = right
        sign = -1.0 if op == "sub" else 1.0
    else:
        score, mask = right, left
        if op == "sub":
            return None
    if isinstance(mask, Data) or is_terms(mask) or not isinstance(score, Data):
        return None
    size = int(np.prod(part_shape(axes, key)))
    cut = cut_mask(mask, axes, key, sign)
    if cut is None:
        return None
    allowed, outside, rest = cut
    part = part_at(context, score, axes, key)
    bias = affine_of_pieces(context, rest, size)
    view = context.assembly.settle(part)
    if not (bias.is_constant and not bias.const.any()):
        view = context.assembly.view_of(context.assembly.rows(view).plus(bias))
    if part.allowed is not None:
        allowed = tuple(conjunction(a, b) for a, b in zip(part.allowed, allowed, strict=True))
    return Part(view, None, allowed, min(outside, part.outside))


def cut_mask(mask: Value, axes: tuple[Axis, ...], key: Key, sign: float) -> tuple[tuple[Guard, ...], float, Any] | None:
    """Split a mask into guards (one for each element), the least constant, and what is left to add."""
    size = int(np.prod(part_shape(axes, key)))
    pieces = specialise(as_positional(mask), axes, key)
    if any(isinstance(values, Term) for _, _, values in pieces):
        return None
    rest, banned, open_ = [], [], []
    outside = 0.0
    for guard, chosen, values in pieces:
        numbers = sign * np.asarray(values, dtype=np.float64)
        huge = chosen & (numbers <= MASK)
        banned.append(huge)
        open_.append(chosen & ~huge)
        if huge.any():
            outside = min(outside, float(numbers[huge].min()))
        rest.append((guard, chosen, np.where(huge, 0.0, numbers)))
    if not any(huge.any() for huge in banned):
        return None
    return element_guards([piece[0] for piece in pieces], banned, open_, size), outside, rest


def element_guards(guards: list[Guard], banned: list[Array], allowed: list[Array], size: int) -> tuple[Guard, ...]:
    """For each element, the guard under which it is allowed."""
    memo: dict[tuple[bytes, bytes], Guard] = {}
    result = []
    for element in range(size):
        no = np.array([chosen[element] for chosen in banned])
        yes = np.array([chosen[element] for chosen in allowed])
        signature = (no.tobytes(), yes.tobytes())
        if signature not in memo:
            if not no.any():
                memo[signature] = TRUE
            elif not yes.any():
                memo[signature] = FALSE
            elif yes.sum() <= no.sum():
                memo[signature] = disjunction(*(guard for guard, on in zip(guards, yes, strict=True) if on))
            else:
                memo[signature] = tidy(
                    conjunction(*(negation(guard) for guard, on in zip(guards, no, strict=True) if on))
                )
        result.append(memo[signature])
    return tuple(result)


def combine(context: Context, op: str, left: Part, right: Part) -> Part:
    """Combine two parts of equal size."""
    allowed, outside = None, 0.0
    if left.allowed is not None or right.allowed is not None:
        result = _combine_masked(context, op, left, right)
        if result is not None:
            return result
        left, right = Part(plain(context, left)), Part(plain(context, right))
    if op == "div":
        quotient = _quotient(context, left, right)
        if quotient is not None:
            return quotient
    a, b = context.assembly.settle(left), context.assembly.settle(right)
    return Part(combine_views(context, op, a, b), None, allowed, outside)


def _combine_masked(context: Context, op: str, left: Part, right: Part) -> Part | None:
    """Keep the guard of a masked operand where the operation allows it."""
    for mine, other, is_left in ((left, right, True), (right, left, False)):
        if mine.allowed is None or (other.allowed is not None and other.allowed != mine.allowed):
            continue
        values = known(context, other.view) if other.denominator is None else None
        bare = Part(mine.view, mine.denominator)
        free = Part(other.view, other.denominator)
        pair = (bare, free) if is_left else (free, bare)
        if mine.outside == 0 and (op == "mul" or (op == "div" and is_left)):
            inner = combine(context, op, *pair)
            return Part(inner.view, inner.denominator, mine.allowed, 0.0)
        if mine.outside < 0:
            keeps = op == "add" or (op == "sub" and is_left)
            keeps = keeps or (op in ("mul", "div") and is_left and values is not None and bool((values > 0).all()))
            keeps = keeps or (op == "mul" and values is not None and bool((values > 0).all()))
            if keeps and other.allowed is None:
                inner = combine(context, op, *pair)
                return Part(inner.view, inner.denominator, mine.allowed, mine.outside)
    return None


def _quotient(context: Context, left: Part, right: Part) -> Part | None:
    """Keep a division by something positive as a quotient, if it is no function of one variable."""
    assembly = context.assembly
    if right.denominator is not None or left.denominator is not None or known(context, right.view) is not None:
        return None
    if left.view.is_same_base(right.view):
        return None
    den = right.view
    if den.function is not None:
        return None
    affine = den.source.affine
    is_length = affine is not None and not affine.operands and not affine.pieces and bool(affine.length.any())
    if not is_length and not (den.source.positive and den.scale / den.divisor > 0 and den.shift >= 0):
        return None
    if not is_length and known(context, left.view) is not None:
        return None
    if is_length:
        rows = assembly.rows(den)
        unique = rows.select(np.zeros(1, dtype=np.int64))
        if (rows.length == rows.length[0]).all() and (rows.const == rows.const[0]).all():
            return Part(left.view, assembly.length_view(unique).take(np.zeros(rows.size, dtype=np.int64)))
    if den.shift or den.scale != den.divisor:
        den = assembly.view_of(assembly.rows(den), assembly.named("den"))
    return Part(left.view, den)


def combine_views(context: Context, op: str, a: View, b: View) -> View:
    """Combine two views of equal size."""
    assembly = context.assembly
    left, right = known(context, a), known(context, b)
    if left is not None and right is not None:
        with np.errstate(all="ignore"):
            return assembly.view_of(constant(_operation(op)(left, right)))
    if op == "le":
        return combine_views(context, "ge", b, a)
    if op == "lt":
        return combine_views(context, "gt", b, a)
    if op in ("and", "or", "xor"):
        return _logical(context, op, a, b)
    uniform_b = right is not None and bool((right == right[0]).all())
    uniform_a = left is not None and bool((left == left[0]).all())
    if right is not None and uniform_b:
        return _with_constant(context, Scalar(op, (X, const(right[0]))), a)
    if left is not None and uniform_a:
        return _with_constant(context, Scalar(op, (const(left[0]), X)), b)
    if a.is_same_base(b) and (op not in ("add", "sub") or a.function is not None or b.function is not None):
        return a.with_function(Scalar(op, (a.scalar, b.scalar)))
    if op in ("add", "sub"):
        return assembly.view_of(assembly.rows(a).plus(scaled(assembly.rows(b), 1.0 if op == "add" else -1.0, 0.0)))
    if op not in ("mul",):
        letters = assembly.letter_table(a, b, _operation(op))
        if letters is not None:
            return letters
    every = np.arange(a.size)
    if op == "mul":
        return assembly.multiply(a, b, every, every)
    if op == "div":
        if right is not None:
            return assembly.view_of(assembly.rows(a).apply(csr_array(_diagonal(1.0 / right))))
        inverse = b.with_function(Scalar("div", (const(1.0), b.scalar)))
        return assembly.multiply(a, inverse, every, every)
    difference = assembly.view_of(
        assembly.rows(a).plus(scaled(assembly.rows(b), -1.0, 0.0)), assembly.named("difference")
    )
    match op:
        case "ge" | "gt" | "eq":
            return difference.with_function(Scalar(op, (X, const(0.0))))
        case "max":
            excess = difference.with_function(Scalar("max", (X, const(0.0))))
            return assembly.view_of(assembly.rows(b).plus(assembly.rows(excess)))
        case "min":
            excess = difference.with_function(Scalar("max", (X, const(0.0))))
            return assembly.view_of(assembly.rows(a).plus(scaled(assembly.rows(excess), -1.0, 0.0)))
        case _:
            raise Refusal("N040", f"`{op}` of two variables is not supported", help="one operand has to be a constant")


def _with_constant(context: Context, function: Scalar, view: View) -> View:
    if function.op == "pow" and function.args[0] == X and function.args[1] == const(2.0):
        function = Scalar("mul", (X, X))
    if function.op == "pow" and function.args[0] == X and function.args[1] == const(1.0):
        return view
    return apply_function(context, Part(view), function).view


def _logical(context: Context, op: str, a: View, b: View) -> View:
    assembly = context.assembly
    both = combine_views(context, "mul", a, b)
    if op == "and":
        return both
    weight = -1.0 if op == "or" else -2.0
    total = assembly.rows(a).plus(assembly.rows(b)).plus(scaled(assembly.rows(both), weight, 0.0))
    return assembly.view_of(total)


def where(context: Context, condition: Value, yes: Value, no: Value) -> Value:
    """Select by a condition: a positional one restricts by guards, one on data multiplies."""
    fixed = constant_of(condition)
    if fixed is not None and fixed.size and bool((fixed == fixed.ravel()[0]).all()):
        chosen = yes if fixed.ravel()[0] else no
        if isinstance(chosen, Data) or dims_of(chosen) == _joint(condition, yes, no):
            return chosen
    if not any(isinstance(value, Data) for value in (condition, yes, no)):
        if isinstance(condition, np.ndarray) and isinstance(yes, np.ndarray) and isinstance(no, np.ndarray):
            if is_terms(yes) or is_terms(no):
                a, b = np.broadcast_arrays(term_array(yes), term_array(no))
                flags = np.broadcast_to(condition, np.broadcast_shapes(np.shape(condition), a.shape))
                return settle_terms(np.where(flags, a, b))
            return np.where(condition, yes, no)
        c, y, z = as_positional(condition), as_positional(yes), as_positional(no)
        return elementwise(np.where, c, y, z, dtype=y.dtype if y.dtype == z.dtype else "float", on_terms=_choose)
    axes, (condition, yes, no) = joint_axes(context, (condition, yes, no))
    return Data(axes, {key: _where_part(context, condition, yes, no, axes, key) for key in keys(axes)})


def _joint(*values: Value) -> tuple[Term, ...]:
    from translator.reading.positional import broadcast_dims

    return broadcast_dims(*map(dims_of, values))


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
    if fixed_first is not None and fixed_second is not None:
        rows = assembly.rows(flag).apply(csr_array(_diagonal(fixed_first - fixed_second)))
        return Part(assembly.view_of(rows.plus(constant(fixed_second))))
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
    if numbers is None or not (numbers <= MASK).all():
        return value
    context.assembly.notes.append(
        f"a mask that depends on the input is applied as the number {MASK:g} (the file says {float(numbers.max()):g})"
    )
    return np.full(numbers.shape, MASK)


def _uniform(values: Array | None) -> bool:
    return values is None or bool((values == values[0]).all())


def _scalar(view: View, values: Array | None) -> Scalar:
    return view.scalar if values is None else const(float(values[0]))
