"""What a rule sees of one node, and the table of rules.

A rule takes a `Call` and returns the output or a list of outputs; an element type left empty is the one that the
operator's schema says. It raises `Undecided` for a shape that does not follow, and `Misfit` for operands that never fit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from translator.shapes.constraints import Constraints
from translator.shapes.expressions import Size
from translator.shapes.graph import Graph, Node
from translator.shapes.values import Dims, Entry, Misfit, Tensor, Undecided, Value, misfit

RunGraph = Callable[[Graph, Sequence[Value | None]], list[Value]]


@dataclass(frozen=True, slots=True)
class Call:
    """One node with the values of its inputs.

    `run` derives a subgraph within the node's scope; `try_` does so for one that may not be taken, and needs nothing of the
    sizes. `of_data` tells whether the entries of a named tensor depend on those of the inputs, and not on their shapes alone.
    """

    node: Node
    inputs: Sequence[Value | None]
    version: int
    constraints: Constraints
    run: RunGraph
    try_: RunGraph
    of_data: Callable[[str], bool]

    @property
    def op(self) -> str:
        """The operator."""
        return self.node.op_type

    def has(self, index: int) -> bool:
        """Tell whether an optional input is there."""
        return index < len(self.inputs) and self.inputs[index] is not None

    def value(self, index: int) -> Value:
        """A required input of any kind."""
        value = self.inputs[index] if index < len(self.inputs) else None
        if value is None:
            raise Misfit("N020", f"input {index} of `{self.op}` is required and missing", "export the network again")
        return value

    def tensor(self, index: int) -> Tensor:
        """A required tensor."""
        value = self.value(index)
        if not isinstance(value, Tensor):
            raise misfit(f"input {index} of `{self.op}` is no tensor")
        return value

    def name(self, index: int) -> str:
        """The name of an input."""
        return self.node.inputs[index] if index < len(self.node.inputs) else "?"

    def dims(self, index: int, *ranks: int) -> Dims:
        """The shape of a required tensor, of one of the given ranks if there are some."""
        dims = self.tensor(index).dims
        if dims is None:
            raise Undecided(f"the shape of `{self.name(index)}` is unknown")
        if ranks and len(dims) not in ranks:
            wanted = " or ".join(map(str, ranks))
            raise misfit(f"`{self.op}` takes `{self.name(index)}` with {wanted} axes, and it has {len(dims)}")
        return dims

    def rank_at_least(self, index: int, rank: int) -> Dims:
        """The shape of a tensor that has at least so many axes."""
        dims = self.dims(index)
        if len(dims) < rank:
            raise misfit(f"`{self.op}` takes `{self.name(index)}` with {rank} axes or more, and it has {len(dims)}")
        return dims

    def axis(self, axis: int, rank: int) -> int:
        """An axis counted from the front."""
        if not -rank <= axis < rank:
            raise misfit(f"axis {axis} of `{self.op}` is not among {rank} axes")
        return axis % rank

    def attribute(self, name: str, default: Any) -> Any:
        """An attribute, or what stands for a missing one."""
        return self.node.attributes.get(name, default)

    def required(self, name: str) -> Any:
        """An attribute that has no default."""
        if name not in self.node.attributes:
            raise Misfit("N020", f"the attribute `{name}` is required and missing", "export the network again")
        return self.node.attributes[name]

    def entries(self, index: int) -> list[Entry]:
        """The entries of a tensor, in order; those that are unknown are None."""
        tensor = self.tensor(index)
        if tensor.content is None:
            raise self.open(index)
        entries: list[Entry] = tensor.content.ravel().tolist()
        return entries

    def sizes(self, index: int) -> list[Size]:
        """The entries of a tensor of integers, all of them known or expressions."""
        result: list[Size] = []
        for entry in self.entries(index):
            if entry is None:
                raise self.open(index)
            result.append(int(entry) if isinstance(entry, int | float) else entry)
        return result

    def open(self, index: int) -> Undecided:
        """Say that the entries of an input are needed."""
        name = self.name(index)
        if self.of_data(name):
            return Undecided(f"the shape depends on `{name}`, and that on the values of the input", data_dependent=True)
        return Undecided(f"the shape depends on `{name}`, whose entries cannot be written as expressions")

    def size(self, index: int) -> Size:
        """The only entry of a tensor."""
        sizes = self.sizes(index)
        if len(sizes) != 1:
            raise misfit(f"`{self.op}` takes one number in `{self.name(index)}`, and it has {len(sizes)}")
        return sizes[0]

    def integers(self, index: int) -> list[int]:
        """The entries of a tensor of integers that no size may enter."""
        result: list[int] = []
        for size in self.sizes(index):
            if not isinstance(size, int):
                raise Undecided(f"`{self.name(index)}` of `{self.op}` is an expression: {size}")
            result.append(size)
        return result

    def listed(self, name: str, index: int) -> list[int] | None:
        """Integers given as an attribute in older opsets and as an input in newer ones."""
        if name in self.node.attributes:
            return [int(value) for value in self.node.attributes[name]]
        return self.integers(index) if self.has(index) else None


Rule = Callable[[Call], "Value | Sequence[Value | None]"]

RULES: dict[tuple[str, str], Rule] = {}


def rule(*names: str, domain: str = "") -> Callable[[Rule], Rule]:
    """Enter a rule into the table."""

    def enter(function: Rule) -> Rule:
        RULES.update({(domain, name): function for name in names})
        return function

    return enter


def shaped(dims: Sequence[Size], dtype: str = "") -> Tensor:
    """An output of data."""
    return Tensor(dtype, tuple(dims))
