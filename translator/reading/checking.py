"""What is wrong with a file as a whole, before anything is lowered: undefined names, weights and scales that are no numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from circuits.diagnostics import Diagnostic
from translator.reading.loading import Graph, Operator

MOST_SCALE = 1e9


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
        if name not in defined:
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
        if operator.op_type not in ("QuantizeLinear", "DequantizeLinear") or len(operator.inputs) < 2:
            continue
        scale = graph.constants.get(operator.inputs[1])
        if scale is not None and not bool((np.isfinite(scale) & (scale > 0) & (scale < MOST_SCALE)).all()):
            yield Diagnostic(
                "N007",
                f"the quantization scale `{operator.inputs[1]}` is {float(np.max(scale)):g}",
                graph.where(operator),
                "a mask was quantized together with the scores: runtimes disagree on what that means",
                "quantize the network without its mask (nodes_to_exclude), or translate the float network",
            )
