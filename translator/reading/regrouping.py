"""Shapes that a reshape asks for: what -1 stands for, and which position axis becomes which."""

from __future__ import annotations

import math
from collections.abc import Sequence

from circuits.positions import Term
from translator.lengths import Quotient
from translator.reading.refusing import Refusal


def solve(dims: tuple[Term, ...], wanted: list[Term]) -> tuple[Term, ...]:
    """Fill in -1."""
    static = 1
    positions: list[Term] = []
    for dim in dims:
        if dim.n_coef:
            positions.append(dim)
        else:
            static *= dim.const
    unknown = [axis for axis, dim in enumerate(wanted) if dim == Term((), 0, -1)]
    rest = list(positions)
    product = 1
    for axis, dim in enumerate(wanted):
        if axis in unknown:
            continue
        if dim.n_coef:
            if dim not in rest:
                raise _merged(dims, wanted)
            rest.remove(dim)
        else:
            product *= dim.const
    if not unknown:
        if rest or product != static:
            raise _merged(dims, wanted)
        return tuple(wanted)
    if len(unknown) > 1 or not product or static % product:
        raise _merged(dims, wanted, baked=bool(rest))
    left = static // product
    if len(rest) > 1 or (rest and left != 1):
        raise _merged(dims, wanted)
    result = list(wanted)
    result[unknown[0]] = rest[0] if rest else Term((), 0, left)
    return tuple(result)


def _merged(dims: Sequence[Term], wanted: Sequence[Term], *, baked: bool = False) -> Refusal:
    old, new = (", ".join(map(str, shape)) for shape in (dims, wanted))
    forced = any(dim.n_coef for dim in dims) and all(dim.n_coef == 0 and dim.const >= 0 for dim in wanted)
    length = _fitting_length(dims, wanted) if forced else None
    if forced and length is None and any(isinstance(dim, Quotient) for dim in dims):
        return Refusal(
            "N041",
            f"a tensor of shape ({old}) is reshaped to ({new}), which fits a few sequence lengths at most",
            note="the length of the example input was baked into the file although its axis is declared dynamic",
            help="export the network again, with dynamic shapes",
        )
    if forced and length is None:
        return Refusal(
            "N041",
            f"a tensor of shape ({old}) is reshaped to ({new}), which fits no sequence length",
            note="the numbers of elements differ for every n",
            help="export the network again, with dynamic shapes",
        )
    if baked or forced:
        return Refusal(
            "N041",
            f"a tensor of shape ({old}) is reshaped to ({new}), which fits one sequence length only",
            length=length,
            note="the length of the example input was baked into the file although its axis is declared dynamic",
            help="export with dynamic shapes (torch.onnx.export(..., dynamo=True), nn.MultiheadAttention's fast path off)",
        )
    return Refusal(
        "N042",
        f"a tensor of shape ({old}) is reshaped to ({new}), which mixes the sequence axis with another axis",
        help="keep the sequence on an axis of its own",
    )


def _fitting_length(dims: Sequence[Term], wanted: Sequence[Term]) -> int | None:
    """The one length n at which a shape has as many elements as the static shape `wanted`."""
    target = math.prod(dim.const for dim in wanted)
    static = math.prod(dim.const for dim in dims if not dim.n_coef)
    symbolic = [dim for dim in dims if dim.n_coef]
    if len(symbolic) != 1 or not static or target % static or isinstance(symbolic[0], Quotient):
        return None
    n, rest = divmod(target // static - symbolic[0].const, symbolic[0].n_coef)
    return n if n >= 1 and not rest else None


def match_positions(old: tuple[Term, ...], new: tuple[Term, ...]) -> dict[int, int]:
    """Match position axes, old to new, and check that what stands between them is the same."""

    def groups(dims: tuple[Term, ...]) -> tuple[list[int], list[int]]:
        found, sizes = [], [1]
        for axis, dim in enumerate(dims):
            if dim.n_coef:
                found.append(axis)
                sizes.append(1)
            else:
                sizes[-1] *= dim.const
        return found, sizes

    (here, sizes), (there, new_sizes) = groups(old), groups(new)
    if [old[axis] for axis in here] != [new[axis] for axis in there] or sizes != new_sizes:
        raise _merged(old, new)
    return dict(zip(here, there, strict=True))
