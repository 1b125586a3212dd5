"""Operators that ONNX itself defines by other operators: their bodies, with this node's attributes filled in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import onnx

from translator.reading.context import dims_of
from translator.reading.loading import Operator, operator_of
from translator.reading.types import dtype_of
from translator.reading.values import Value

# Bodies that hold control flow over data, or that lose precision; these operators have lowerings of their own or none.
UNUSABLE = frozenset(["AffineGrid", "Bernoulli", "Range"])


@dataclass(frozen=True, slots=True)
class Body:
    """The operators of one call, and the names of what goes in and out."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    operators: tuple[Operator, ...]
    opset: int


def body_of(operator: Operator, values: Sequence[Value | None] | None, opset: int) -> Body | None:
    """The body of an operator of ONNX's default domain, None if it has none.

    `values` tell the types where the body depends on them; None only asks whether there is a body.
    """
    if operator.op_type in UNUSABLE or not onnx.defs.has(operator.op_type):
        return None
    newest = onnx.defs.onnx_opset_version()
    schema: Any = onnx.defs.get_schema(operator.op_type, newest)
    if not (schema.has_function or schema.has_context_dependent_function):
        return None
    node = operator.proto
    try:
        current: Any = onnx.defs.get_schema(operator.op_type, opset)
    except onnx.defs.SchemaError:
        return None
    if current.has_function or current.has_context_dependent_function:
        schema = current
    elif current.since_version != schema.since_version and set(current.attributes) != set(schema.attributes):
        return None
    if values is None:
        return Body((), (), (), opset)
    if schema.has_context_dependent_function:
        types = [_type(value).SerializeToString() for value in values]
        versions = [
            v for v in schema.context_dependent_function_opset_versions if v <= max(opset, schema.since_version)
        ]
        version = max(versions, default=max(schema.context_dependent_function_opset_versions))
        text = schema.get_context_dependent_function_with_opset_version(version, node.SerializeToString(), types)
    else:
        versions = [v for v in schema.function_opset_versions if v <= max(opset, schema.since_version)]
        version = max(versions, default=max(schema.function_opset_versions))
        text = schema.get_function_with_opset_version(version)
    function = onnx.FunctionProto()
    if isinstance(text, bytes):
        function.ParseFromString(text)
    else:
        function = text
    defaults = {name: attribute.default_value for name, attribute in schema.attributes.items()}
    given = {attribute.name: attribute for attribute in node.attribute}
    operators = []
    for index, inner in enumerate(function.node):
        copy = onnx.NodeProto()
        copy.CopyFrom(inner)
        del copy.attribute[:]
        for attribute in inner.attribute:
            chosen = attribute
            if attribute.ref_attr_name:
                source = given.get(attribute.ref_attr_name) or defaults.get(attribute.ref_attr_name)
                if source is None or not source.name:
                    continue
                chosen = onnx.AttributeProto()
                chosen.CopyFrom(source)
                chosen.name = attribute.name
            copy.attribute.append(chosen)
        operators.append(operator_of(index, copy))
    used = max((entry.version for entry in function.opset_import if entry.domain in ("", "ai.onnx")), default=version)
    return Body(tuple(function.input), tuple(function.output), tuple(operators), used)


def _type(value: Value | None) -> onnx.TypeProto:
    if value is None:
        return onnx.TypeProto()
    number = onnx.TensorProto.DataType.Value(dtype_of(value).upper())
    shape = [None if dim.n_coef else int(dim.const) for dim in dims_of(value)]
    return onnx.helper.make_tensor_type_proto(number, shape)
