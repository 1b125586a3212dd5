"""Heads of attention: splitting the last axis of a packed tensor into heads, and joining them again."""

from __future__ import annotations

from circuits.positions import Term
from translator.reading.context import Context, dims_of
from translator.reading.loading import Operator
from translator.reading.movement import reshape, transpose
from translator.reading.positional import term_array
from translator.reading.refusing import Refusal
from translator.reading.values import Value


def split_heads(context: Context, value: Value, heads: int) -> Value:
    """(batch, length, heads * size) becomes (batch, heads, length, size)."""
    batch, length, width = dims_of(value)
    if width.n_coef or not heads or width.const % heads:
        raise Refusal("N031", f"an axis of length {width} does not fall into {heads} heads", help="check the heads")
    split = [batch, length, Term((), 0, heads), Term((), 0, width.const // heads)]
    return transpose(context, reshape(context, value, term_array(split), True), [0, 2, 1, 3])


def join_heads(context: Context, value: Value) -> Value:
    """(batch, heads, length, size) becomes (batch, length, heads * size)."""
    merged = transpose(context, value, [0, 2, 1, 3])
    batch, length, heads, size = dims_of(merged)
    return reshape(context, merged, term_array([batch, length, Term((), 0, heads.const * size.const)]), True)


def count_of(operator: Operator, name: str) -> int:
    """An attribute that counts heads."""
    if not operator.attributes.get(name):
        raise Refusal("N020", f"`{operator.op_type}` needs `{name}` for packed heads", help="export again")
    return int(operator.attributes[name])
