"""Open an ONNX file: the protobuf becomes plain Python objects, and everything that is no network is refused here.

This is the only module of fom, with `folding`, that imports onnx. Local functions are inlined; nothing else is rewritten.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from onnx import inliner, numpy_helper

from circuits.diagnostics import FomError, fail
from translator.reading.refusing import Refusal

Array = np.ndarray[Any, Any]


# What onnx raises for a tensor whose bytes do not fit its type and shape.
DECODING_ERRORS = (ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError, AttributeError)


class Attributes(dict[str, Any]):
    """The attributes of a node; a missing one that has no default is a finding about the file."""

    def __missing__(self, name: str) -> Any:
        raise Refusal("N020", f"the attribute `{name}` is required and missing", help="export the network again")


@dataclass(frozen=True, slots=True)
class Declared:
    """A graph input or output: a dimension is a number, a symbol, or None where the file says nothing.

    `dtype` is ONNX's name of the element type; of lists and optionals it is "seq(float)", "optional(seq(int64))" and so on.
    `ranked` tells whether the file says how many dimensions there are.
    """

    name: str
    dtype: str
    dims: tuple[int | str | None, ...]
    ranked: bool = True


@dataclass(frozen=True, slots=True)
class Subgraph:
    """The body of an operator of control flow: it reads its own inputs and tensors of the graph around it."""

    inputs: tuple[Declared, ...]
    outputs: tuple[Declared, ...]
    operators: tuple[Operator, ...]
    constants: dict[str, Array]

    @property
    def captured(self) -> tuple[str, ...]:
        """The tensors read from the graph around."""
        own = {"", *self.constants, *(declared.name for declared in self.inputs)}
        outer: dict[str, None] = {}
        for operator in self.operators:
            outer |= {name: None for name in operator.reads if name not in own}
            own |= set(operator.outputs)
        wanted = (declared.name for declared in self.outputs)
        return (*outer, *(name for name in wanted if name not in own and name not in outer))


@dataclass(frozen=True, slots=True)
class Operator:
    """One ONNX node. Absent optional inputs are empty strings; `proto` serves constant folding only."""

    index: int
    name: str
    op_type: str
    domain: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    proto: Any = field(repr=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """The tensors read, also by subgraphs."""
        bodies = (value for value in self.attributes.values() if isinstance(value, Subgraph))
        return (*self.inputs, *(name for body in bodies for name in body.captured))


@dataclass(frozen=True, slots=True)
class Graph:
    """What the file says, with weights as numpy arrays."""

    path: str
    name: str
    opset: int
    operators: tuple[Operator, ...]
    constants: dict[str, Array]
    inputs: tuple[Declared, ...]
    outputs: tuple[Declared, ...]
    model: Any = field(repr=False)

    def where(self, operator: Operator) -> str:
        """Say where an operator stands, for a diagnostic."""
        label = operator.name or (operator.outputs[0] if operator.outputs else "?")
        domain = f"{operator.domain}::" if operator.domain else ""
        return (
            f"{Path(self.path).name}: graph `{self.name}`, node {operator.index} `{label}` ({domain}{operator.op_type})"
        )


def load(path: str | Path) -> Graph:
    """Read the file at `path`.

    Raises:
        FomError: there is no file, it is not ONNX, its external data are missing, or it declares no output.
    """
    file = Path(path)
    return graph_of(_open(file), str(file))


def graph_of(model: onnx.ModelProto, path: str) -> Graph:
    """Read a model in memory; `path` is what diagnostics call it.

    Raises:
        FomError: the weights cannot be decoded, or it declares no output.
    """
    inlined = inliner.inline_local_functions(model) if model.functions else model
    return replace(_graph_of_model(inlined, path), model=model)


def copy_model(source: str | Path, target: str | Path) -> None:
    """Write one self-contained file of the same network: weights inside, exporters' traces and paths left out.

    Raises:
        FomError: `source` cannot be read.
    """
    model = _open(Path(source))
    del model.metadata_props[:]
    for graph in [model.graph, *model.functions]:
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
    onnx.save(model, str(target))


def _open(file: Path) -> onnx.ModelProto:
    if not file.exists():
        raise fail("N001", f"no such file: {file}", help="give the path of an .onnx file")
    if file.is_dir():
        raise fail("N002", f"{file} is a directory", help="give the path of the .onnx file in it")
    if not file.is_file():
        raise fail("N002", f"{file} is no regular file", help="save the network to a file: it is read more than once")
    try:
        model = onnx.load(str(file), load_external_data=False)
    except DecodeError as error:
        raise fail(
            "N003",
            "this file is not an ONNX model: its bytes are no ModelProto",
            where=str(file),
            note=str(error),
            help="export the network again; a file that was cut off while copying looks like this too",
        ) from error
    if not model.graph.node and not model.graph.output:
        raise fail(
            "N003",
            "this file is not an ONNX model: it holds no graph",
            where=str(file),
            help="export the network again",
        )
    _load_external(model, file)
    return model


def inconsistency(model: onnx.ModelProto) -> str | None:
    """What ONNX's own checks say against the types and shapes of a model; None if they are consistent."""
    try:
        onnx.checker.check_model(model)
        onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return str(error).strip()
    return None


def _load_external(model: onnx.ModelProto, file: Path) -> None:
    """Fetch weights that are stored beside the file."""
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL:
            place = next((entry.value for entry in tensor.external_data if entry.key == "location"), "?")
            if not (file.parent / place).is_file():
                raise fail(
                    "N004",
                    f"the weights `{tensor.name}` are stored in `{place}`, which is not beside the model",
                    where=str(file),
                    help="copy the external data file into the same folder, or export with the weights inside",
                )
    try:
        onnx.load_external_data_for_model(model, str(file.parent))
    except (OSError, ValueError, onnx.checker.ValidationError) as error:
        raise fail(
            "N004",
            "the external data of the weights cannot be read",
            where=str(file),
            note=str(error),
            help="export the network again",
        ) from error


def _graph_of_model(model: onnx.ModelProto, path: str) -> Graph:
    graph = model.graph
    if not graph.output:
        raise fail(
            "N005", "the graph has no output", where=path, help="export the network with the logits as an output"
        )
    _check_text(graph.name, *(tensor.name for tensor in graph.initializer))
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=1)
    constants: dict[str, Array] = {}
    findings = []
    for tensor in graph.initializer:
        try:
            constants[tensor.name] = numpy_helper.to_array(tensor)
        except DECODING_ERRORS as error:
            findings.append(
                fail("N006", f"the weights `{tensor.name}` cannot be decoded", where=path, note=str(error)).diagnostics[
                    0
                ]
            )
    if graph.sparse_initializer:
        findings.append(
            fail("N006", "sparse initializers are not read", where=path, help="export with dense weights").diagnostics[
                0
            ]
        )
    if findings:
        raise FomError(*findings)
    operators = tuple(operator_of(index, node) for index, node in enumerate(graph.node))
    inputs = tuple(_declared(value) for value in graph.input if value.name not in constants)
    return Graph(path, graph.name, opset, operators, constants, inputs, tuple(map(_declared, graph.output)), model)


def operator_of(index: int, node: onnx.NodeProto) -> Operator:
    """Read one node, with its attributes as Python values."""
    _check_text(node.name, node.op_type, node.domain, *node.input, *node.output, *(a.name for a in node.attribute))
    attributes = Attributes()
    for attribute in node.attribute:
        try:
            value = onnx.helper.get_attribute_value(attribute)
        except (ValueError, TypeError, KeyError) as error:
            raise _damaged(f"the attribute `{attribute.name}` of `{node.name or node.op_type}`", error) from error
        expected = _attribute_type(node, attribute.name)
        if expected is not None and expected != attribute.type:
            kinds = [onnx.AttributeProto.AttributeType.Name(kind) for kind in (attribute.type, expected)]
            message = f"the attribute `{attribute.name}` of `{node.name or node.op_type}` is {kinds[0]}, not {kinds[1]}"
            raise fail("N006", message, help="export the network again")
        if isinstance(value, bytes):
            value = value.decode(errors="replace")
        elif isinstance(value, onnx.TensorProto):
            value = _array(value, f"the attribute `{attribute.name}` of `{node.name or node.op_type}`")
        elif isinstance(value, onnx.GraphProto):
            value = _subgraph(value)
        attributes[attribute.name] = value
    domain = "" if node.domain == "ai.onnx" else node.domain
    return Operator(index, node.name, node.op_type, domain, tuple(node.input), tuple(node.output), attributes, node)


def _attribute_type(node: onnx.NodeProto, name: str) -> int | None:
    """The type that ONNX gives an attribute; None where it knows none."""
    if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type):
        return None
    attribute = onnx.defs.get_schema(node.op_type).attributes.get(name)
    kind: Any = None if attribute is None else attribute.type
    return None if kind is None else int(kind.value)


def _subgraph(graph: onnx.GraphProto) -> Subgraph:
    return Subgraph(
        tuple(map(_declared, graph.input)),
        tuple(map(_declared, graph.output)),
        tuple(operator_of(index, node) for index, node in enumerate(graph.node)),
        {tensor.name: _array(tensor, f"the weights `{tensor.name}`") for tensor in graph.initializer},
    )


def _array(tensor: onnx.TensorProto, what: str) -> Array:
    _check_text(tensor.name)
    try:
        return numpy_helper.to_array(tensor)
    except DECODING_ERRORS as error:
        raise _damaged(what, error) from error


def _damaged(what: str, error: Exception) -> FomError:
    return fail("N006", f"{what} cannot be decoded", note=str(error)[:200], help="export the network again")


def _check_text(*texts: Any) -> None:
    """The protobuf gives bytes where a text is not UTF-8."""
    if any(not isinstance(text, str) for text in texts):
        raise fail("N003", "a name in this file is no text: its bytes are not UTF-8", help="export the network again")


def _declared(value: onnx.ValueInfoProto) -> Declared:
    _check_text(value.name, *(dim.dim_param for dim in value.type.tensor_type.shape.dim))
    held, around = value.type, "{}"
    while held.WhichOneof("value") in ("sequence_type", "optional_type"):
        around = around.format("seq({})" if held.HasField("sequence_type") else "optional({})")
        held = held.sequence_type.elem_type if held.HasField("sequence_type") else held.optional_type.elem_type
    kind = held.WhichOneof("value")
    if kind != "tensor_type":
        return Declared(value.name, around.format(str(kind).removesuffix("_type")), ())
    tensor = held.tensor_type
    dims = tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param or None for dim in tensor.shape.dim)
    try:
        dtype = onnx.TensorProto.DataType.Name(tensor.elem_type).lower()
    except ValueError:
        dtype = f"type {tensor.elem_type}"
    return Declared(value.name, around.format(dtype), dims, tensor.HasField("shape"))
