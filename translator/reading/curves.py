"""Functions of one position number that stay functions: relative-position buckets, computed sinusoids, rotary angles.

A chain of elementwise operators on ``i - j`` or ``i`` is kept as scalar functions of that integer, and only what comes out at its
end becomes pieces. A function that is proved constant far out, by enclosing it on a half-line, becomes order predicates, and one
that reads the integer through remainders only becomes modular predicates: both hold for every length. Anything else is a table up
to a stated length.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, lcm
from typing import Any, cast

import numpy as np

from circuits.positions import (
    TRUE,
    All,
    Any_,
    AtLeast,
    Bit,
    Congruent,
    Equals,
    Guard,
    Not,
    Term,
    conjunction,
    var,
)
from circuits.scalar import OPERATIONS, Scalar, X, const
from translator.intervals import Interval
from translator.reading.context import Context
from translator.reading.positional import broadcast_dims, join, raise_rank
from translator.reading.refusing import Refusal
from translator.reading.values import Array, Piece, Positional
from translator.scalar_intervals import enclose_scalar

FARTHEST = 4096
MOST_PERIOD = 64


class Curve(Positional):
    """A tensor of functions of one integer: entry k at an index is ``functions[k]`` of `term` there.

    The variables of the term are 0-based indices on the axes; `functions` has the static shape. It is a positional tensor whose
    pieces are written out when they are asked for.
    """

    __slots__ = ("context", "functions", "term", "written")
    context: Context
    functions: Array
    term: Term
    written: tuple[Piece, ...] | None

    def __init__(self, context: Context, dims: tuple[Term, ...], term: Term, functions: Array, dtype: str) -> None:
        for name, value in (
            ("context", context), ("dims", dims), ("term", term), ("functions", functions), ("dtype", dtype),
            ("written", None), ("stored", None),
        ):  # fmt: skip
            object.__setattr__(self, name, value)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces; see `written_out`."""
        found = self.written
        if found is None:
            found = written_out(self.context, self)
            object.__setattr__(self, "written", found)
        return found


def curve_of(context: Context, value: Positional) -> Curve | None:
    """A positional tensor as functions of one integer, if its pieces and their guards speak of one linear form only."""
    if isinstance(value, Curve):
        return value
    terms = [piece for _, piece in value.pieces if isinstance(piece, Term)]
    base = next((term for term in terms if term.coefs or term.n_coef), None)
    if base is None:
        return None
    base = Term(base.coefs, base.n_coef)
    lead = base.coefs[0][1] if base.coefs else base.n_coef
    if lead < 0:
        base = -base
    shape = np.broadcast_shapes(
        *(np.shape(p) for _, p in value.pieces if not isinstance(p, Term)), (1,) * len(value.dims)
    )
    functions = np.empty(shape, dtype=object)
    pieces: list[tuple[Scalar, Array]] = []
    for guard_, piece in value.pieces:
        condition, numbers = _condition(guard_, base), _entries(piece, base, shape)
        if condition is None or numbers is None:
            return None
        pieces.append((condition, numbers))
    for index in np.ndindex(shape):
        result: Scalar | None = None
        for guard, entries in reversed(pieces):
            own = cast(Scalar, entries[index])
            result = own if result is None else Scalar("where", (guard, own, result))
        functions[index] = result
    return Curve(context, value.dims, base, functions, value.dtype)


def _affine(term: Term, base: Term) -> Scalar | None:
    """``term`` as a function of ``base``."""
    pairs = dict(base.coefs)
    factor: int | None = None
    for variable, coef in (*term.coefs, (-1, term.n_coef)):
        unit = base.n_coef if variable == -1 else pairs.get(variable, 0)
        if not coef and not unit:
            continue
        if not unit or coef % unit or (factor is not None and factor != coef // unit):
            return None
        factor = coef // unit
    if factor is None or set(pairs) - {variable for variable, _ in term.coefs}:
        return const(term.const) if factor is None and not term.coefs and not term.n_coef else None
    line = X if factor == 1 else Scalar("mul", (const(factor), X))
    return Scalar("add", (line, const(term.const))) if term.const else line


def _entries(piece: Array | Term, base: Term, shape: tuple[int, ...]) -> Array | None:
    entries = np.empty(shape, dtype=object)
    if isinstance(piece, Term):
        line = _affine(piece, base)
        if line is None:
            return None
        for index in np.ndindex(shape):
            entries[index] = line
        return entries
    numbers = np.broadcast_to(np.asarray(piece, dtype=np.float64), shape)
    for index in np.ndindex(shape):
        entries[index] = const(float(numbers[index]))
    return entries


def _condition(guard: Guard, base: Term) -> Scalar | None:
    match guard:
        case AtLeast(term):
            line = _affine(term, base)
            return None if line is None else Scalar("ge", (line, const(0)))
        case Equals(term):
            line = _affine(term, base)
            return None if line is None else Scalar("eq", (line, const(0)))
        case Congruent(term, modulus):
            line = _affine(term, base)
            return None if line is None else Scalar("eq", (Scalar("mod", (line, const(modulus))), const(0)))
        case Bit():
            return None
        case Not(part):
            inner = _condition(part, base)
            return None if inner is None else Scalar("sub", (const(1), inner))
        case All(parts) | Any_(parts):
            result = const(1 if isinstance(guard, All) else 0)
            for part in parts:
                inner = _condition(part, base)
                if inner is None:
                    return None
                result = Scalar("min" if isinstance(guard, All) else "max", (result, inner))
            return result


def apply(function: Scalar, value: Curve, dtype: str) -> Curve:
    """A scalar function of every entry."""
    functions = _each(lambda entry: entry.then(function), value.functions)
    return Curve(value.context, value.dims, value.term, functions, dtype)


def combine(
    context: Context, operation: Callable[..., Scalar], values: Sequence[Positional], dtype: str
) -> Curve | None:
    """Apply a scalar operation to functions of one integer and known numbers; None if the tensors depend on more than that."""
    tables: list[Array] = []
    term: Term | None = None
    dims = broadcast_dims(*(value.dims for value in values))
    for value in [raised(value, len(dims)) for value in values]:
        if not isinstance(value, Curve) and len(value.pieces) == 1 and not isinstance(value.pieces[0][1], Term):
            tables.append(_constants(value.pieces[0][1]))
            continue
        curve = curve_of(context, value)
        if curve is None or (term is not None and curve.term != term):
            return None
        term = curve.term
        tables.append(curve.functions)
    if term is None:
        return None
    return Curve(context, dims, term, _each(operation, *tables), dtype)


def raised(value: Positional, rank: int) -> Positional:
    """Add leading axes of length 1."""
    extra = rank - len(value.dims)
    if not isinstance(value, Curve) or not extra:
        return raise_rank(value, rank)
    term = value.term.substitute([var(axis + extra) for axis in range(len(value.dims))])
    functions = value.functions.reshape((1,) * extra + value.functions.shape)
    return Curve(value.context, (Term((), 0, 1),) * extra + value.dims, term, functions, value.dtype)


def _constants(values: Array) -> Array:
    return _each(lambda number: const(float(number)), np.asarray(values, dtype=np.float64))


def _each(function: Any, *tables: Array) -> Array:
    pairs = np.broadcast(*tables)
    result = np.empty(pairs.shape, dtype=object)
    for index, row in zip(np.ndindex(pairs.shape), pairs, strict=True):
        result[index] = function(*row)
    return result


def written_out(context: Context, value: Curve) -> tuple[Piece, ...]:
    """The functions as disjoint, complete pieces.

    Raises:
        Refusal: they have no finite description for every length, and no bound on the length is given.
    """
    functions = list(value.functions.ravel())
    distinct = list(dict.fromkeys(functions))
    period = _period(distinct)
    if period is not None:
        places = np.arange(period)
        guards: list[Guard] = [Congruent(value.term - r, period) if period > 1 else TRUE for r in range(period)]
        return _pieces(value, functions, places, guards)
    two_sided = value.term.n_coef < 0 or any(coef < 0 for _, coef in value.term.coefs)
    reach = 8
    while reach <= FARTHEST:
        if all(
            _is_flat(f, float(reach), inf) and (not two_sided or _is_flat(f, -inf, -float(reach))) for f in distinct
        ):
            least = -reach if two_sided else 0
            places = np.arange(least, reach + 1)
            guards = [Equals(value.term - int(t)) for t in places]
            guards[-1] = AtLeast(value.term - reach)
            if two_sided:
                guards[0] = AtLeast(-value.term - reach)
            return _pieces(value, functions, places, guards)
        reach *= 2
    return _tabulate(context, value, functions)


def _tabulate(context: Context, value: Curve, functions: list[Scalar]) -> tuple[Piece, ...]:
    term = value.term
    if context.longest is None:
        raise Refusal(
            "N033",
            f"a nonlinear function of the position number {term} is computed for every length",
            note="rotary and sinusoidal positions computed from Range are no table",
            help="give a bound with longest=, so that it becomes a table, or export the positions as a stored table",
        )
    n = context.longest
    context.require_most(n, "positions are tabulated up to the given bound")
    low = sum(min(c, 0) for _, c in term.coefs) * n + min(term.n_coef, 0) * n
    high = sum(max(c, 0) for _, c in term.coefs) * n + max(term.n_coef, 0) * n
    places = np.arange(low, high + 1)
    return _pieces(value, functions, places, [Equals(term - int(t)) for t in places])


def _pieces(value: Curve, functions: list[Scalar], places: Array, guards: list[Guard]) -> tuple[Piece, ...]:
    """Evaluate at the places; neighbours of equal value become one interval."""
    memo: dict[Scalar, Array] = {f: in_single(f, places) for f in dict.fromkeys(functions)}
    table = np.stack([memo[f] for f in functions], axis=-1).reshape(len(places), *value.functions.shape)
    if value.dtype == "bool":
        table = table != 0
    elif value.dtype == "int":
        table = np.where(np.isfinite(table), table, 0).astype(np.int64)
    pieces: list[Piece] = []
    start = 0
    ordered = all(isinstance(guard, Equals | AtLeast) for guard in guards)
    for stop in range(1, len(places) + 1):
        if ordered and stop < len(places) and np.array_equal(table[stop], table[start]):
            continue
        if not ordered or stop == start + 1:
            pieces += list(zip(guards[start:stop], table[start:stop], strict=True))
        else:
            ends = []
            if not isinstance(guards[start], AtLeast):
                ends.append(AtLeast(value.term - int(places[start])))
            if not isinstance(guards[stop - 1], AtLeast):
                ends.append(AtLeast(-value.term + int(places[stop - 1])))
            pieces.append((conjunction(*ends), table[start]))
        start = stop
    return join(pieces)


def in_single(function: Scalar, places: Array) -> Array:
    """A function of whole numbers as the runtime computes it: every step rounded to float32, whole numbers kept.

    What depends on positions only is a constant of the network, and a bucket such as ``floor(log(x / 8) / log(16) * 8)`` falls
    on ties that are exact in float32 and not in the real numbers. Whole numbers are the runtime's 64-bit integers.
    """

    def visit(term: Scalar, args: tuple[Array, ...]) -> Array:
        if term.op == "x":
            return places.astype(np.float64)
        wide = np.full(places.shape, term.value) if term.op == "const" else np.asarray(OPERATIONS[term.op](*args))
        wide = wide.astype(np.float64)
        return np.where(wide == np.rint(wide), wide, wide.astype(np.float32))

    with np.errstate(all="ignore"):
        return function.fold(visit)


def _is_flat(function: Scalar, low: float, high: float) -> bool:
    """Whether a function is certainly constant on an interval."""
    with np.errstate(all="ignore"):
        found = enclose_scalar(function, Interval(np.array([low]), np.array([high])))
    if not np.isfinite(found.lo[0]) or found.lo[0] != found.hi[0]:
        return False
    end = low if np.isfinite(low) else high
    return bool(in_single(function, np.array([end]))[0] == found.lo[0])


def _period(functions: list[Scalar]) -> int | None:
    """The common period, if all functions read the integer through remainders by constants only."""
    found = 1
    stack = list(functions)
    while stack:
        term = stack.pop()
        match term:
            case Scalar("x"):
                return None
            case Scalar("mod", (line, Scalar("const", (), modulus))) if (
                modulus.is_integer() and modulus >= 1 and _is_line(line)
            ):
                found = lcm(found, int(modulus))
            case _:
                stack.extend(term.args)
    return found if found <= MOST_PERIOD else None


def _is_line(term: Scalar) -> bool:
    """Whether a function is affine with whole coefficients."""
    match term:
        case Scalar("x"):
            return True
        case Scalar("const", (), value):
            return value.is_integer()
        case Scalar("add" | "sub", (left, right)):
            return _is_line(left) and _is_line(right)
        case Scalar("mul", (Scalar("const", (), value), other)) | Scalar("mul", (other, Scalar("const", (), value))):
            return value.is_integer() and _is_line(other)
        case Scalar("neg", (other,)):
            return _is_line(other)
        case _:
            return False
