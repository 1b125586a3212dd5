"""What is wrong with a file as a whole, before anything is lowered: undefined names, weights and scales that are no numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from circuits.diagnostics import Diagnostic
from translator.reading.loading import Graph, Operator, Subgraph

MOST_SCALE = 1e9

# Which inputs of a quantized operator are scales.
SCALES: dict[str, tuple[int, ...]] = {
    "QuantizeLinear": (1,), "DequantizeLinear": (1,), "QLinearMatMul": (1, 4, 6), "QLinearConv": (1, 4, 6), "QGemm": (1, 4, 7),
    "QLinearAdd": (1, 4, 6), "QLinearMul": (1, 4, 6), "QLinearSigmoid": (1, 3), "QLinearLeakyRelu": (1, 3),
    "QLinearSoftmax": (1, 3), "QLinearAveragePool": (1, 3), "QLinearGlobalAveragePool": (1, 3), "QLinearWhere": (2, 5, 7),
    "DynamicQuantizeMatMul": (2,), "MatMulIntegerToFloat": (2, 3),
}  # fmt: skip

SWITCHES = frozenset(
    ["align_corners", "ceil_mode", "count_include_pad", "exclusive", "input_forget", "keepdims", "largest", "layout",
     "linear_before_reset", "new_axis", "noop_with_empty_axes", "reverse", "select_last_index", "sorted", "transA", "transB",
     "upper", "fmod"]
)  # fmt: skip
CHOICES: dict[str, dict[str, tuple[str, ...]]] = {
    "Pad": {"mode": ("constant", "reflect", "edge", "wrap")},
    "Resize": {
        "mode": ("nearest", "linear", "cubic"),
        "nearest_mode": ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"),
        "keep_aspect_ratio_policy": ("stretch", "not_larger", "not_smaller"),
    },
    "Upsample": {"mode": ("nearest", "linear", "bilinear")},
    "DepthToSpace": {"mode": ("DCR", "CRD")},
    "Gelu": {"approximate": ("none", "tanh")},
    "BitShift": {"direction": ("LEFT", "RIGHT")},
    "LSTM": {"direction": ("forward", "reverse", "bidirectional")},
    "GRU": {"direction": ("forward", "reverse", "bidirectional")},
    "RNN": {"direction": ("forward", "reverse", "bidirectional")},
}
PADDINGS = ("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")


def check_attributes(graph: Graph, operators: Sequence[Operator]) -> Iterator[Diagnostic]:
    """Attributes that choose among few values have one of them; ONNX's checker does not look at the values."""
    stack = list(operators)
    while stack:
        operator = stack.pop()
        choices = {} if operator.domain else CHOICES.get(operator.op_type, {})
        for name, value in operator.attributes.items():
            if isinstance(value, Subgraph):
                stack += value.operators
            allowed: tuple[object, ...] = choices.get(name, ())
            if name == "auto_pad":
                allowed = PADDINGS
            elif name in SWITCHES and not operator.domain:
                allowed = (0, 1)
            if allowed and (value not in allowed if isinstance(value, int | str) else True):
                listed = ", ".join(map(str, allowed))
                message = f"the attribute `{name}` is {str(value)[:40]!r}; it is one of {listed}"
                yield Diagnostic("N006", message, graph.where(operator), "", "export the network again")


def check_names(graph: Graph, live: Sequence[Operator], outputs: Sequence[str]) -> Iterator[Diagnostic]:
    """Every tensor is defined before it is read."""
    defined = {"", *graph.constants, *(declared.name for declared in graph.inputs)}
    for operator in live:
        for name in operator.reads:
            if name not in defined:
                yield Diagnostic(
                    "N006",
                    f"the tensor `{name}` is read and defined nowhere before",
                    graph.where(operator),
                    "an ONNX graph lists its operators in an order in which they can run",
                    "export the network again",
                )
        defined |= set(operator.outputs)
    for name in outputs:
        if not name or name not in defined:
            yield Diagnostic("N006", f"the output `{name}` is defined nowhere", help="export the network again")


def check_weights(graph: Graph, live: Sequence[Operator]) -> Iterator[Diagnostic]:
    """Weights are numbers; only -inf in a mask has a meaning."""
    used = {name for operator in live for name in operator.reads}
    for name, array in graph.constants.items():
        if name not in used or array.dtype.kind != "f" or np.isfinite(array).all():
            continue
        if np.isnan(array).any() or (array == np.inf).any():
            yield Diagnostic(
                "N007",
                f"the weights `{name}` hold NaN or infinity",
                f"{Path(graph.path).name}: graph `{graph.name}`, initializer `{name}`",
                "a threshold circuit has integer weights; only -inf in a mask has a meaning",
                "train or quantize the network again; quantization of a masked graph makes infinite scales",
            )


def check_scales(graph: Graph, live: Sequence[Operator]) -> Iterator[Diagnostic]:
    """Refuse quantization scales that come from a mask: infinite, or so large that every value is one code."""
    for operator in live:
        for name in scales_of(operator):
            scale = graph.constants.get(name)
            if scale is not None and not bool((np.isfinite(scale) & (scale > 0) & (scale < MOST_SCALE)).all()):
                yield Diagnostic(
                    "N007",
                    f"the quantization scale `{name}` is {float(np.max(scale)):g}",
                    graph.where(operator),
                    "a mask was quantized together with the scores: runtimes disagree on what that means",
                    "quantize the network without its mask (nodes_to_exclude), or translate the float network",
                )


def scales_of(operator: Operator) -> list[str]:
    """The inputs of a quantized operator that are scales."""
    if operator.op_type == "QLinearConcat":
        return [operator.inputs[0], *operator.inputs[3::3]]
    places = SCALES.get(operator.op_type, ())
    return [operator.inputs[place] for place in places if place < len(operator.inputs)]
