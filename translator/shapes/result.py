"""What is found out about the shapes of a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import sympy

from circuits.diagnostics import fail
from translator.shapes.constraints import Constraint
from translator.shapes.expressions import symbol

Dims = tuple[sympy.Expr, ...]


@dataclass(frozen=True, slots=True)
class Shaped:
    """The element type of a tensor, as ONNX spells it, and its shape; `dims` is None if it could not be decided."""

    dtype: str
    dims: Dims | None

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.dims))}]" if self.dims is not None else f"{self.dtype}[?]"


@dataclass(frozen=True, slots=True)
class Unknown:
    """An operator whose output shape could not be decided; `data_dependent` if it depends on the values of the input."""

    where: str
    outputs: tuple[str, ...]
    reason: str
    data_dependent: bool


@dataclass(frozen=True)
class Shapes:
    """Shapes as expressions in the symbols of a model.

    `symbols` are in the order of the graph's inputs. `tensors` holds every tensor by name; a sequence ``s`` appears as
    ``s[0]``, ``s[1]`` and so on. The shapes hold for all sizes of at least 1 that satisfy the `constraints`.
    """

    symbols: tuple[str, ...]
    tensors: dict[str, Shaped]
    inputs: dict[str, Shaped]
    outputs: dict[str, Shaped]
    constraints: tuple[Constraint, ...]
    unknown: tuple[Unknown, ...]

    def evaluate(self, name: str, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """The shape of a tensor at the given sizes.

        Raises:
            FomError: there is no such tensor, its shape is unknown, or a size is missing.
        """
        if name not in self.tensors:
            raise fail("N093", f"there is no tensor `{name}`", help="`tensors` lists the names")
        dims = self.tensors[name].dims
        if dims is None:
            raise fail("N094", f"the shape of `{name}` is not known", help="`unknown` says why")
        values = self._values(sizes)
        missing = sorted(str(each) for dim in dims for each in dim.free_symbols if each not in values)
        if missing:
            raise fail("N093", f"the shape of `{name}` needs the size of `{missing[0]}`", help="give all sizes")
        return tuple(int(dim if dim.is_Integer else dim.xreplace(values)) for dim in dims)

    def admits(self, sizes: Mapping[str, int]) -> list[Constraint]:
        """The constraints that the given sizes violate; those with other symbols are left open.

        Raises:
            FomError: a size is given for a symbol that the model does not have, or is no integer of at least 1.
        """
        values = self._values(sizes)
        return [each for each in self.constraints if each.relation.xreplace(values) == sympy.false]

    def _values(self, sizes: Mapping[str, int]) -> dict[sympy.Basic, sympy.Basic]:
        for name, size in sizes.items():
            if name not in self._symbols:
                raise fail("N093", f"`{name}` is no size of this model", help=f"its sizes: {', '.join(self.symbols)}")
            if size < 0:
                raise fail("N093", f"the size of `{name}` is {size}", help="sizes are integers of at least 1")
        return {self._symbols[name]: sympy.Integer(size) for name, size in sizes.items()}

    @cached_property
    def _symbols(self) -> dict[str, sympy.Symbol]:
        return {name: symbol(name) for name in self.symbols}
