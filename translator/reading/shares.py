"""Position numbers over the length, such as i / n: a quotient for every n, and no table."""

from __future__ import annotations

from circuits.positions import TRUE, Term
from circuits.scalar import Scalar, X, const
from translator.lengths import Quotient
from translator.reading.combining import as_affine
from translator.reading.context import Context, to_data
from translator.reading.curves import Curve
from translator.reading.elementwise import binary, unary
from translator.reading.values import Positional, Value

ONE = Term((), 0, 1)


def share_of_length(context: Context, op: str, left: Positional, right: Positional) -> Value | None:
    """A position number divided by a length, or times a factor over a length; None if this is something else."""
    if op == "div":
        length = length_of(right)
        return None if length is None else share(context, left, length, 1.0)
    if op == "mul":
        for number, other in ((left, right), (right, left)):
            over = reciprocal_of(other)
            if over is not None:
                return share(context, number, *over)
    return None


def share(context: Context, number: Positional, length: Term, factor: float) -> Value | None:
    """``factor * number / length``, if the number is one that grows with the position."""
    line = X
    if isinstance(number, Curve):
        if number.functions.size > 1 or not number.term.coefs or as_affine(number.functions.ravel()[0]) is None:
            return None
        line = number.functions.ravel()[0]
        number = Positional(number.dims, ((TRUE, number.term),), "float")
    elif number.dtype == "bool" or not any(isinstance(piece, Term) and piece.coefs for _, piece in number.pieces):
        return None
    least = -((length.const - 1) // length.n_coef)
    context.require_least(least, f"position numbers are divided by {length}")
    top = unary(context, Scalar("mul", (const(factor), X)), unary(context, line, to_data(context, number)))
    return binary(context, "div", top, Positional((ONE,) * len(number.dims), ((TRUE, length),), "float"))


def length_of(value: Positional) -> Term | None:
    """The length that a tensor of one element is, if it grows with n."""
    if isinstance(value, Curve) or len(value.pieces) > 1 or any(dim != ONE for dim in value.dims):
        return None
    piece = value.pieces[0][1]
    if not isinstance(piece, Term) or isinstance(piece, Quotient) or piece.coefs or piece.n_coef < 1:
        return None
    return piece


def reciprocal_of(value: Positional) -> tuple[Term, float] | None:
    """The length and the factor, of a tensor of one element that is a factor over a length."""
    if not isinstance(value, Curve) or value.functions.size > 1 or value.term.coefs or value.term.n_coef < 1:
        return None
    match value.functions.ravel()[0]:
        case Scalar("div", (Scalar("const", (), factor), Scalar("x"))):
            return value.term, factor
        case _:
            return None
