"""Resize and Upsample: sizes multiplied by a factor and rounded down, in the runtime's single precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy

from translator.shapes.calls import Call, rule, shaped
from translator.shapes.entries import simplest
from translator.shapes.expressions import Size, floor_div, reduced, times
from translator.shapes.rules.sizes import sizes_of
from translator.shapes.values import Dims, Tensor, Undecided, misfit


@rule("Upsample")
def upsample(call: Call) -> Tensor:
    """Each size times its factor."""
    dims = call.dims(0)
    given = call.attribute("scales", None)
    factors = [float(factor) for factor in given] if given is not None else _factors(call, 1)
    return shaped(_scaled(call, dims, list(range(len(dims))), factors))


@rule("Resize")
def resize(call: Call) -> Tensor:
    """Given sizes, or factors; both may be for some axes only."""
    dims = call.dims(0)
    axes = [call.axis(axis, len(dims)) for axis in call.attribute("axes", range(len(dims)))]
    if call.version < 11:
        return shaped(_scaled(call, dims, axes, _factors(call, 1)))
    if call.has(3) and call.tensor(3).dims != (0,):
        return shaped(_given(call, dims, axes))
    factors = _factors(call, 2)
    if call.attribute("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize":
        region = _factors(call, 1)
        if len(region) != 2 * len(axes):
            raise misfit(f"`Resize` has {len(region)} places of a region for {len(axes)} axes")
        factors = [factor * (region[index + len(axes)] - region[index]) for index, factor in enumerate(factors)]
    return shaped(_scaled(call, dims, axes, factors))


def _factors(call: Call, index: int) -> list[Any]:
    entries = call.entries(index)
    if any(entry is None for entry in entries):
        raise call.open(index)
    return entries


def _scaled(call: Call, dims: Dims, axes: list[int], factors: list[Any]) -> Dims:
    """Sizes times factors."""
    if len(factors) != len(axes):
        raise misfit(f"`{call.op}` has {len(factors)} factors for {len(axes)} axes")
    result = list(dims)
    for axis, factor in zip(axes, factors, strict=True):
        result[axis] = scaled(dims[axis], factor)
    return tuple(result)


def scaled(size: Size, factor: Any) -> Size:
    """``floor(size * factor)``, in single precision where both are numbers."""
    if isinstance(factor, sympy.Expr):
        product = sympy.expand(factor * size)
        return reduced(product) if product.is_integer else reduced(sympy.floor(product))
    if isinstance(size, int):
        return int(np.floor(np.float32(size) * np.float32(factor)))
    fraction = simplest(float(factor))
    if fraction is None:
        raise Undecided(f"the factor {factor} rounds differently for different sizes")
    return floor_div(times(size, fraction.numerator), fraction.denominator)


def _given(call: Call, dims: Dims, axes: list[int]) -> Dims:
    """Given sizes; a policy that keeps proportions takes the least or the greatest factor for all."""
    wanted = sizes_of(call, 3)
    if len(wanted) != len(axes):
        raise misfit(f"`Resize` has {len(wanted)} sizes for {len(axes)} axes")
    policy = call.attribute("keep_aspect_ratio_policy", "stretch")
    result = list(dims)
    factor: Any = None
    if policy in ("not_larger", "not_smaller"):
        ratios = [sympy.sympify(size) / dims[axis] for axis, size in zip(axes, wanted, strict=True)]
        factor = (sympy.Min if policy == "not_larger" else sympy.Max)(*ratios)
    for axis, size in zip(axes, wanted, strict=True):
        result[axis] = size
        if factor is not None:
            result[axis] = reduced(sympy.floor(factor * dims[axis] + sympy.Rational(1, 2)))
    return tuple(result)
