"""The graph's outputs: the decision that is read off the first one, or all of them as whole tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from circuits.positions import FIRST, Ref, Term, var
from translator.axes import RUN
from translator.reading.assembly import sanitize
from translator.reading.context import Context, plain, realign, to_data
from translator.reading.loading import Declared, Graph, Operator
from translator.reading.refusing import Refusal
from translator.reading.types import dtype_of
from translator.reading.values import Absent, Carried, Data, Listed, Value
from translator.real import Output, Tensor

READOUTS = ("Softmax", "LogSoftmax", "ArgMax", "Sigmoid")


def decision_tensor(graph: Graph) -> tuple[str, str]:
    """The tensor read for the decision, and the last operator if it is dropped because the decision is the same without it."""
    producers = {name: op for op in graph.operators for name in op.outputs if name}
    output = graph.outputs[0].name
    dropped = ""
    while output in producers:
        last = producers[output]
        if last.op_type == "Identity" and not last.domain:
            output = last.inputs[0]
        elif not dropped and (scores := _scores_of_label(graph, producers, output)):
            dropped, output = "ArgMax", scores
        elif last.op_type in READOUTS and not last.domain and not dropped and _is_readout(graph, last):
            dropped = last.op_type
            output = last.inputs[0]
        else:
            break
    return output, dropped


def _scores_of_label(graph: Graph, producers: dict[str, Operator], output: str) -> str:
    """The scores of the classes 0, 1, .. of which the output is the label; empty if it is none.

    Exports of classifiers look up the place of the largest score in the list of classes, and reshape and convert the result.
    """
    looked_up = False
    while output in producers:
        last = producers[output]
        if last.op_type in ("Identity", "Cast", "Reshape", "Squeeze", "Flatten") and not last.domain:
            output = last.inputs[0]
        elif last.op_type == "ArrayFeatureExtractor" and last.domain == "ai.onnx.ml":
            classes = graph.constants.get(last.inputs[0])
            if classes is None or classes.dtype.kind not in "iuf" or (classes.ravel() != np.arange(classes.size)).any():
                return ""
            looked_up, output = True, last.inputs[1]
        else:
            first = not last.attributes.get("select_last_index", 0)
            is_best = last.op_type == "ArgMax" and not last.domain and last.attributes.get("axis", 0) in (1, -1)
            return last.inputs[0] if looked_up and is_best and first else ""
    return ""


def live_operators(graph: Graph, outputs: Sequence[str]) -> list[Operator]:
    """The operators that the outputs need, in order."""
    needed = set(outputs)
    live = []
    for operator in reversed(graph.operators):
        if any(name in needed for name in operator.outputs if name):
            live.append(operator)
            needed |= {name for name in operator.reads if name}
    return live[::-1]


def _is_readout(graph: Graph, operator: Operator) -> bool:
    """Whether dropping the operator leaves the decision as it is."""
    dims = graph.outputs[0].dims
    if operator.op_type == "Sigmoid":
        return len(dims) == 1 or (len(dims) == 2 and dims[-1] == 1)
    axis = operator.attributes.get("axis", (1 if graph.opset < 13 else -1) if operator.op_type != "ArgMax" else 0)
    if operator.op_type == "ArgMax":
        if operator.attributes.get("select_last_index", 0):
            return False
        rank = len(dims) + (0 if operator.attributes.get("keepdims", 1) else 1)
        return axis in (-1, rank - 1) and rank >= 2
    return axis in (-1, len(dims) - 1) and bool(dims)


def close_decision(context: Context, value: Carried, name: str, applied: str) -> Output:
    """Read the decision off a tensor.

    Raises:
        Refusal: it holds more than one decision per input or position.
    """
    if not isinstance(value, Data):
        raise Refusal("N010", "the output does not depend on the input", help="export the logits")
    kind, n_positions, n_classes, ref = _readout(context, value)
    return Output(sanitize(name), kind, ref, n_positions, n_classes, applied)


def close_tensors(context: Context, value: Carried, declared: Declared) -> list[Tensor]:
    """Keep a whole output: the items of a list are called ``name[0]``, ``name[1]``, ..; an empty optional is nothing.

    Raises:
        Refusal: an element of it has no finite value.
    """
    if isinstance(value, Absent):
        return []
    if isinstance(value, Listed):
        named = (replace(declared, name=f"{declared.name}[{place}]") for place in range(len(value.items)))
        return [close_tensor(context, item, own, dtype_of(item)) for item, own in zip(value.items, named, strict=True)]
    return [close_tensor(context, value, declared, dtype_of(value))]


def close_tensor(context: Context, value: Value, declared: Declared, dtype: str) -> Tensor:
    """Keep a whole tensor.

    Raises:
        Refusal: an element of it has no finite value.
    """
    if isinstance(value, np.ndarray) and value.dtype != object:
        return Tensor(declared.name, dtype, (), (), value)
    data = to_data(context, value)
    if any(axis.length == Term() for axis in data.axes):
        return Tensor(declared.name, dtype, data.axes)
    parts = []
    for key, part in data.parts.items():
        context.assembly.hint = sanitize(declared.name)
        ref = context.assembly.exact(plain(context, part))
        at = [FIRST] * len(data.axes)
        for order, axis in enumerate(axis for axis, segment in enumerate(key) if segment == RUN):
            at[axis] = var(order)
        parts.append((key, ref.substitute(at)))
    return Tensor(declared.name, dtype, data.axes, tuple(parts))


def _readout(context: Context, value: Data) -> tuple[Literal["classes", "logit", "value"], int, int, Ref]:
    axes = value.axes
    running = [axis for axis, own in enumerate(axes) if own.run]
    if len(running) > 1:
        raise Refusal(
            "N013", "the output has two sequence axes", help="fom reads one decision per input or per position"
        )
    for axis in running:
        if axes[axis].step > 1:
            raise Refusal(
                "N013",
                f"the output has {axes[axis].length} entries, one for every {axes[axis].step}th position",
                help="fom reads one decision per input or per position: pool over the sequence",
            )
        value = realign(context, value, axis)
    static = [own.pre for own in value.axes if not own.run and own.pre != 1]
    if len(static) > 1:
        raise Refusal(
            "N013",
            f"the output has the shape {tuple(own.pre for own in axes)} per input",
            help="export one vector of logits",
        )
    if 0 in static:
        raise Refusal("N013", "the output is empty", help="export the logits")
    view = plain(context, value.only)
    ref = context.assembly.exact(view)
    at = [FIRST] * len(axes)
    for axis in running:
        at[axis] = var(0)
    ref = Ref(ref.node, tuple(term.substitute(at) for term in ref.at))
    n_classes = static[0] if static else 1
    has_class_axis = len(axes) > len(running) + (1 if len(axes) > 1 or not running else 0)
    kind: Literal["classes", "logit", "value"] = "classes" if n_classes >= 2 else "logit"
    if running and not has_class_axis:
        kind = "value"
    return kind, len(running), n_classes, ref
