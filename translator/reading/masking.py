"""Masks: a huge negative constant that is added to scores becomes a guard on positions."""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.positions import FALSE, TRUE, Guard, Term, conjunction, disjunction, negation
from translator.axes import Axis, Key, part_shape
from translator.reading.context import Context, affine_of_pieces, part_at
from translator.reading.positional import as_positional, is_terms, specialise
from translator.reading.regions import tidy
from translator.reading.values import Array, Data, Part, Value

MASK = -1e4


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
