"""What is in an ONNX file, before anything is translated: shapes as expressions in its symbols, operators, findings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from circuits.diagnostics import FomError
from translator.reading import read
from translator.reading.loading import load
from translator.shapes import infer
from translator.shapes.result import Shaped
from translator.terminal import Row

MOST_CONSTRAINTS = 12


def rows_of_model(path: Path, bind: Mapping[str, Any], tracks: Mapping[str, str]) -> tuple[list[Row], FomError | None]:
    """What a person wants to know of a file, and what stands in the way of translating it.

    Raises:
        FomError: the file cannot be opened.
    """
    graph = load(path)
    rows: list[Row] = [("model", str(path))]
    constants = {name: value for name, value in bind.items() if any(name == given.name for given in graph.inputs)}
    try:
        shapes = infer(graph.model, constants)
    except FomError as error:
        return [*rows, *_operators(graph)], error
    rows += [("input" if not number else "", _tensor(*item)) for number, item in enumerate(shapes.inputs.items())]
    rows += [("output" if not number else "", _tensor(*item)) for number, item in enumerate(shapes.outputs.items())]
    stated = list(dict.fromkeys(str(each) for each in shapes.constraints))
    rows += [("sizes" if not number else "", text) for number, text in enumerate(stated[:MOST_CONSTRAINTS])]
    if len(stated) > MOST_CONSTRAINTS:
        rows.append(("", f"and {len(stated) - MOST_CONSTRAINTS} more"))
    rows += [("undecided", f"{each.where}: {each.reason}") for each in shapes.unknown[:MOST_CONSTRAINTS]]
    rows += _operators(graph)
    try:
        network = read(path, bind=bind, tracks=tracks)
    except FomError as error:
        return rows, error
    domain = network.domain
    lengths = f"n >= {domain.least}" if domain.most is None else f"{domain.least} <= n <= {domain.most}"
    if network.alphabet_size:
        rows.append(("reads", f"words over {network.alphabet_size} letters, {lengths}"))
    elif any(node.n_positions for node in network.features):
        rows.append(("reads", f"a sequence of vectors, {lengths}"))
    else:
        rows.append(("reads", f"{sum(node.size for node in network.features):,} numbers"))
    decision = network.decision
    kinds = {"classes": f"one of {decision.n_classes} classes", "logit": "a logit above 0", "value": "a number"}
    rows.append(("answers", kinds[decision.kind] + (" at every position" if decision.n_positions else "")))
    rows += [("note", note) for note in network.notes]
    return rows, None


def _tensor(name: str, shaped: Shaped) -> str:
    dims = "?" if shaped.dims is None else ", ".join(map(str, shaped.dims))
    return f"{name}: {shaped.dtype}[{dims}]"


def _operators(graph: Any) -> list[Row]:
    counted = Counter(f"{op.domain}::{op.op_type}" if op.domain else op.op_type for op in graph.operators)
    text = ", ".join(f"{count} {name}" for name, count in counted.most_common())
    return [("operators", f"{sum(counted.values())} at opset {graph.opset}: {text}")]
