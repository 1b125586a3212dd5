"""The bridge to onnx, which no other module of this package imports: nodes, weights as `Tensor`, types of operators.

Weights are not decoded beyond the few entries that can be shape arithmetic, so that large files cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, inliner, numpy_helper

from circuits.diagnostics import fail
from translator.shapes.expressions import symbol
from translator.shapes.values import MOST_ENTRIES, Array, Dims, Listed, Optional, Tensor, Value, entries_of_array

UNNAMED = ("", "?", "None", "-1")
ZERO_MEANS_UNKNOWN = ("skl2onnx", "OnnxMLTools", "keras2onnx")


@dataclass(frozen=True, slots=True)
class Node:
    """One operator; absent optional inputs and outputs are empty strings."""

    index: int
    name: str
    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]

    def label(self, graph: str) -> str:
        """Say where the node stands, for a diagnostic."""
        name = self.name or next((name for name in self.outputs if name), "?")
        domain = f"{self.domain}::" if self.domain else ""
        return f"graph `{graph}`, node {self.index} `{name}` ({domain}{self.op_type})"


@dataclass(frozen=True, slots=True)
class Graph:
    """A graph or subgraph; `inputs` are those that no initializer sets."""

    name: str
    nodes: tuple[Node, ...]
    constants: dict[str, Tensor]
    inputs: dict[str, Value]
    outputs: tuple[str, ...]


def read_model(model: onnx.ModelProto) -> tuple[Graph, dict[str, int]]:
    """The graph, with local functions inlined, and the version of each domain."""
    if model.functions:
        model = inliner.inline_local_functions(model)
    opsets = {"" if entry.domain == "ai.onnx" else entry.domain: entry.version for entry in model.opset_import}
    zero_is_a_size = model.producer_name not in ZERO_MEANS_UNKNOWN
    return _graph(model.graph, partial(_declared, zero_is_a_size=zero_is_a_size)), opsets


def dtype_name(element: int) -> str:
    """The name of an element type, in lower case as in the reader: ``float``, ``int64``, ``bool``."""
    try:
        return str(TensorProto.DataType.Name(element)).lower()
    except ValueError as error:
        raise fail("N091", f"{element} is no element type of ONNX", help="export the network again") from error


def dtype_of_array(array: Array) -> str:
    """The name of numpy's type."""
    try:
        return dtype_name(onnx.helper.np_dtype_to_tensor_dtype(array.dtype))
    except ValueError as error:
        raise fail("N092", f"ONNX has no element type for numpy's {array.dtype}") from error


@cache
def numpy_type(dtype: str) -> np.dtype[Any]:
    """The numpy type of an element type."""
    return np.dtype(onnx.helper.tensor_dtype_to_np_dtype(TensorProto.DataType.Value(dtype.upper())))


def _graph(proto: onnx.GraphProto, declared: Callable[[onnx.ValueInfoProto], Value]) -> Graph:
    constants = {tensor.name: tensor_of_proto(tensor) for tensor in proto.initializer}
    for sparse in proto.sparse_initializer:
        constants[sparse.values.name] = Tensor(dtype_name(sparse.values.data_type), tuple(sparse.dims))
    inputs = {value.name: declared(value) for value in proto.input if value.name not in constants}
    nodes = tuple(_node(index, node, declared) for index, node in enumerate(proto.node))
    return Graph(proto.name, nodes, constants, inputs, tuple(value.name for value in proto.output))


def _node(index: int, node: onnx.NodeProto, declared: Callable[[onnx.ValueInfoProto], Value]) -> Node:
    attributes: dict[str, Any] = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        match attribute.type:
            case AttributeProto.STRING:
                value = value.decode(errors="replace")
            case AttributeProto.TENSOR:
                value = tensor_of_proto(value)
            case AttributeProto.SPARSE_TENSOR:
                value = Tensor(dtype_name(value.values.data_type), tuple(value.dims))
            case AttributeProto.GRAPH:
                value = _graph(value, declared)
            case AttributeProto.TYPE_PROTO:
                value = _value_of_type(value, "", zero_is_a_size=True)
        attributes[attribute.name] = value
    domain = "" if node.domain == "ai.onnx" else node.domain
    return Node(index, node.name, node.op_type, domain, tuple(node.input), tuple(node.output), attributes)


def tensor_of_proto(proto: TensorProto) -> Tensor:
    """A stored tensor; the entries are kept if they are few and in the file itself."""
    dtype, dims = dtype_name(proto.data_type), tuple(proto.dims)
    short = np.prod(dims, dtype=float) <= MOST_ENTRIES
    if not short or proto.data_location == TensorProto.EXTERNAL or proto.data_type == TensorProto.STRING:
        return Tensor(dtype, dims)
    try:
        return Tensor(dtype, dims, entries_of_array(numpy_helper.to_array(proto)))
    except (ValueError, TypeError, KeyError) as error:
        raise fail(
            "N006", f"the tensor `{proto.name}` cannot be decoded", note=str(error), help="export the network again"
        ) from error


def _declared(value: onnx.ValueInfoProto, *, zero_is_a_size: bool) -> Value:
    return _value_of_type(value.type, value.name, zero_is_a_size=zero_is_a_size)


def _value_of_type(proto: onnx.TypeProto, name: str, *, zero_is_a_size: bool) -> Value:
    """A graph input: each dimension is a number, the symbol of its name, or a symbol called after the input."""
    kind = proto.WhichOneof("value")
    if kind == "sequence_type":
        element = _value_of_type(proto.sequence_type.elem_type, f"{name}_item", zero_is_a_size=zero_is_a_size)
        dtype = element.dtype if isinstance(element, Tensor) else "undefined"
        return Listed(None, Tensor(dtype, None))
    if kind == "optional_type":
        inner = _value_of_type(proto.optional_type.elem_type, name, zero_is_a_size=zero_is_a_size)
        return Optional(inner if not isinstance(inner, Optional) else inner.value, None)
    if kind != "tensor_type":
        return Tensor("undefined", None)
    tensor = proto.tensor_type
    dtype = dtype_name(tensor.elem_type)
    if not tensor.HasField("shape"):
        return Tensor(dtype, None)
    dims = tuple(_size(dim, f"{name}_{axis}", zero_is_a_size) for axis, dim in enumerate(tensor.shape.dim))
    return Tensor(dtype, dims)


def _size(dim: onnx.TensorShapeProto.Dimension, name: str, zero_is_a_size: bool) -> Any:
    if dim.HasField("dim_value") and (dim.dim_value > 0 or (dim.dim_value == 0 and zero_is_a_size)):
        return dim.dim_value
    if dim.HasField("dim_param") and dim.dim_param not in UNNAMED:
        return symbol(dim.dim_param)
    return symbol(name)


@cache
def output_types(op_type: str, domain: str, version: int) -> tuple[int | str | None, ...] | None:
    """For each output: the index of the input whose element type it has, a fixed type, or None; None for a foreign operator.

    The last entry stands for all further outputs of a variadic operator.
    """
    try:
        schema = onnx.defs.get_schema(op_type, version, domain)
    except onnx.defs.SchemaError:
        return None
    constraints = {each.type_param_str: each.allowed_type_strs for each in schema.type_constraints}
    inputs = {each.type_str: index for index, each in reversed(list(enumerate(schema.inputs)))}
    result: list[int | str | None] = []
    for output in schema.outputs:
        if output.type_str in inputs:
            result.append(inputs[output.type_str])
            continue
        types = constraints.get(output.type_str, [output.type_str])
        single = len(types) == 1 and types[0].startswith("tensor(")
        result.append(types[0].removeprefix("tensor(").removesuffix(")") if single else None)
    return tuple(result)


@cache
def input_counts(op_type: str, domain: str, version: int) -> tuple[int, int] | None:
    """The least and the greatest number of inputs of an operator; None for a foreign one."""
    try:
        schema = onnx.defs.get_schema(op_type, version, domain)
    except onnx.defs.SchemaError:
        return None
    return schema.min_input, schema.max_input


def version_of(opsets: dict[str, int], domain: str) -> int:
    """The version of a domain that the model uses; the first where it does not say."""
    return opsets.get(domain, 1)


def dims_of_array(array: Array) -> Dims:
    """The shape of a numpy array as sizes."""
    return tuple(int(size) for size in array.shape)
