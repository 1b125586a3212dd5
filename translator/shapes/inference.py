"""Derive the shape of every tensor of a model as an expression in the sizes of its inputs.

An abstract interpreter: the nodes are visited in order, each by the rule of its operator. What cannot be decided is left
unknown with a reason and does not stop the walk; operands that fit at no sizes are findings, reported all at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_fields
from typing import TYPE_CHECKING

import sympy

from circuits.diagnostics import Diagnostic, FomError, fail
from translator.shapes import rules
from translator.shapes.calls import Call
from translator.shapes.constraints import Constraints
from translator.shapes.expressions import Size
from translator.shapes.graph import (
    Graph,
    Node,
    dims_of_array,
    dtype_of_array,
    input_counts,
    output_types,
    read_model,
    version_of,
)
from translator.shapes.result import Shaped, Shapes, Unknown
from translator.shapes.values import (
    Array,
    Listed,
    Misfit,
    Optional,
    Tensor,
    Undecided,
    Value,
    entries_of_array,
)

FROM_SHAPES = ("Shape", "Size")
if TYPE_CHECKING:
    import onnx

NO_CONSTANTS: Mapping[str, Array] = {}


def infer(model: onnx.ModelProto, constants: Mapping[str, Array] = NO_CONSTANTS) -> Shapes:
    """Derive all shapes; `constants` binds graph inputs that are shapes, axes or lengths to their values.

    Raises:
        FomError: the file is damaged, an operator's operands fit at no sizes, or a constant binds no input.
    """
    graph, opsets = read_model(model)
    walk = Walk(opsets)
    scope: dict[str, Value] = dict(graph.inputs)
    for name, array in constants.items():
        scope[name] = walk.bound(graph, name, array)
    inputs = {name: scope[name] for name in graph.inputs}
    walk.data.update(name for name in graph.inputs if name not in constants)
    walk.run(graph, scope)
    if walk.findings:
        raise FomError(*walk.findings)
    tensors = shaped(scope)
    return Shapes(
        symbols=_symbols(inputs),
        tensors=tensors,
        inputs={name: tensors[name] for name in graph.inputs if name in tensors},
        outputs={name: tensors[name] for name in graph.outputs if name in tensors},
        constraints=walk.constraints.list(),
        unknown=tuple(walk.unknown),
    )


@dataclass(slots=True)
class Walk:
    """The state of one derivation."""

    opsets: dict[str, int]
    constraints: Constraints = field(default_factory=Constraints)
    unknown: list[Unknown] = field(default_factory=list)
    findings: list[Diagnostic] = field(default_factory=list)
    data: set[str] = field(default_factory=set)

    def bound(self, graph: Graph, name: str, array: Array) -> Tensor:
        """A graph input with its values, checked against what the file says of it."""
        help_ = f"inputs: {', '.join(graph.inputs)}"
        declared = graph.inputs.get(name)
        if not isinstance(declared, Tensor):
            raise fail("N092", f"`{name}` is no input that a constant can be bound to", help=help_)
        dims, dtype = dims_of_array(array), dtype_of_array(array)
        if declared.dtype != dtype or (declared.dims is not None and len(declared.dims) != len(dims)):
            raise fail(
                "N092",
                f"the constant for `{name}` is {dtype} with {len(dims)} axes, and the file says otherwise",
                note=str(_shaped(declared)),
                help="bind an array of the declared type and rank",
            )
        try:
            self.constraints.same_dims(dims, declared.dims or dims, f"the constant bound to `{name}`")
        except Misfit as error:
            raise fail("N092", error.message, help="bind an array of the declared shape") from error
        return Tensor(dtype, dims, entries_of_array(array))

    def run(self, graph: Graph, scope: dict[str, Value]) -> list[Value]:
        """Visit the nodes of a graph; `scope` is extended by what they define. Gives the outputs."""
        scope.update(graph.constants)
        for node in graph.nodes:
            outputs = self.visit(node, graph, scope)
            scope.update({name: value for name, value in zip(node.outputs, outputs, strict=False) if name})
        missing = [name for name in graph.outputs if name not in scope]
        if missing:
            self.findings.append(_undefined(missing[0], f"graph `{graph.name}`"))
        return [scope.get(name, Tensor("undefined", None)) for name in graph.outputs]

    def visit(self, node: Node, graph: Graph, scope: dict[str, Value]) -> list[Value]:
        """The outputs of one node."""
        where = node.label(graph.name)
        inputs = [scope.get(name) if name else None for name in node.inputs]
        for name, value in zip(node.inputs, inputs, strict=True):
            if name and value is None:
                self.findings.append(_undefined(name, where))
                scope[name] = Tensor("undefined", None)
        if node.op_type not in FROM_SHAPES and (node_has_body(node) or not self.data.isdisjoint(node.inputs)):
            self.data.update(name for name in node.outputs if name)
        version = version_of(self.opsets, node.domain)
        outer, self.constraints.place = self.constraints.place, where
        try:
            outputs = self.derive(node, inputs, version, scope)
        except Undecided as error:
            names = tuple(name for name in node.outputs if name)
            self.unknown.append(Unknown(where, names, error.reason, error.data_dependent))
            outputs = [Tensor("", None) for _ in node.outputs]
        except Misfit as error:
            self.findings.append(Diagnostic(error.code, error.message, where, "", error.help))
            outputs = [Tensor("", None) for _ in node.outputs]
        finally:
            self.constraints.place = outer
        return typed(node, inputs, version, outputs)

    def derive(
        self, node: Node, inputs: Sequence[Value | None], version: int, scope: dict[str, Value]
    ) -> list[Value | None]:
        """Apply the rule of the operator."""
        rule = rules.RULES.get((node.domain, node.op_type))
        if rule is None:
            domain = f"{node.domain}::" if node.domain else ""
            raise Undecided(f"there is no rule for `{domain}{node.op_type}`")
        least, most = input_counts(node.op_type, node.domain, version) or (0, len(inputs))
        if not least <= len(inputs) <= most:
            raise Misfit("N020", f"`{node.op_type}` has {len(inputs)} inputs", "export the network again")

        def run(graph: Graph, arguments: Sequence[Value | None]) -> list[Value]:
            inner = dict(scope)
            given = zip(graph.inputs, arguments, strict=False)
            inner.update({name: value for name, value in given if value is not None})
            self.data.update(graph.inputs)
            return self.run(graph, inner)

        def try_(graph: Graph, arguments: Sequence[Value | None]) -> list[Value]:
            constraints, n_findings = dict(self.constraints.found), len(self.findings)
            outputs = run(graph, arguments)
            self.constraints.found = constraints
            del self.findings[n_findings:]
            return outputs

        result = rule(Call(node, inputs, version, self.constraints, run, try_, self.data.__contains__))
        return [result] if isinstance(result, Tensor | Listed | Optional) else list(result)


def typed(node: Node, inputs: Sequence[Value | None], version: int, outputs: Sequence[Value | None]) -> list[Value]:
    """The outputs with the element types that the operator's schema says, where the rule did not."""
    types = output_types(node.op_type, node.domain, version)
    result: list[Value] = []
    for index, output in enumerate(outputs):
        if isinstance(output, Tensor) and not output.dtype:
            source = types[min(index, len(types) - 1)] if types else None
            if isinstance(source, int):
                operand = inputs[source] if source < len(inputs) else None
                source = operand.dtype if isinstance(operand, Tensor) else None
            output = with_fields(output, dtype=source or "undefined")
        result.append(output if output is not None else Tensor("undefined", None))
    return result


def node_has_body(node: Node) -> bool:
    """Tell whether a node has a subgraph, which may read any tensor around it."""
    return any(isinstance(value, Graph) for value in node.attributes.values())


def shaped(scope: Mapping[str, Value]) -> dict[str, Shaped]:
    """All tensors by name; the tensors of a sequence are numbered."""
    result: dict[str, Shaped] = {}
    for name, value in scope.items():
        if isinstance(value, Optional):
            value = value.value
        if isinstance(value, Listed):
            result.update({f"{name}[{index}]": _shaped(item) for index, item in enumerate(value.items or ())})
        else:
            result[name] = _shaped(value)
    return result


def _shaped(tensor: Tensor) -> Shaped:
    dims = None if tensor.dims is None else tuple(map(_expression, tensor.dims))
    return Shaped(tensor.dtype, dims)


def _expression(size: Size) -> sympy.Expr:
    return sympy.Integer(size) if isinstance(size, int) else size


def _symbols(inputs: Mapping[str, Value]) -> tuple[str, ...]:
    """The symbols of the inputs, in order of appearance."""
    names: dict[str, None] = {}
    for value in inputs.values():
        if isinstance(value, Optional):
            value = value.value
        if isinstance(value, Tensor):
            for dim in value.dims or ():
                if isinstance(dim, sympy.Symbol):
                    names[str(dim)] = None
    return tuple(names)


def _undefined(name: str, where: str) -> Diagnostic:
    return Diagnostic("N006", f"the tensor `{name}` is defined nowhere", where, "", "export the network again")
