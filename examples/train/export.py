"""Writing a trained network as ONNX, and what onnxruntime says about it, as files beside it."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Exporter:
    """Which of torch's two exporters, and the opset asked of it."""

    kind: Literal["dynamo", "torchscript"]
    opset: int


def export(network: nn.Module, inputs: Mapping[str, Tensor], dims: Mapping[int, str], by: Exporter, path: Path) -> None:
    """Write `network` to `path`; `dims` names the symbolic axes of its inputs, which share them.

    The exporters record the stack trace of every node, with paths of the machine they ran on: that is taken out again.
    """
    network.eval()
    path.parent.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if by.kind == "dynamo":
            axes = {axis: torch.export.Dim(dim) for axis, dim in dims.items()}
            shapes = tuple(axes for _ in inputs)
            options: dict[str, Any] = {"dynamo": True, "dynamic_shapes": shapes, "external_data": False}
        else:
            kept = range(network(*inputs.values()).ndim - 1)  # the last axis of the logits are the classes
            named = {name: dict(dims) for name in inputs}
            named["logits"] = {axis: dim for axis, dim in dims.items() if axis in kept}
            options = {"dynamo": False, "dynamic_axes": named}
        torch.onnx.export(
            network,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=["logits"],
            opset_version=by.opset,
            verbose=False,
            **options,
        )
    model = onnx.load(path)
    strip(model)
    onnx.checker.check_model(model, full_check=True)
    opset = next(entry.version for entry in model.opset_import if entry.domain == "")
    if opset != by.opset:
        raise ValueError(f"{path}: asked for opset {by.opset}, got {opset}")
    onnx.save(model, path)


SCOPES = "pkg.torch.onnx.name_scopes"


def strip(model: onnx.ModelProto) -> None:
    """Drop what says where and how the file was made: documentation strings and metadata, on every level.

    What stays is the module that a node comes from, as the names of weights say it too.
    """
    graph = model.graph
    if model.functions:
        raise ValueError("the exporter left model-local functions; strip those too")
    for item in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info, *graph.initializer):
        item.ClearField("doc_string")
        kept = [entry for entry in item.metadata_props if entry.key == SCOPES]
        item.ClearField("metadata_props")
        item.metadata_props.extend(kept)


class Oracle:
    """onnxruntime without graph optimizations, which would change logits."""

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.name, *self.masks = (given.name for given in self.session.get_inputs())

    def logits(self, batch: Array) -> Array:
        """The logits of inputs of one shape, first axis = cases; masks are all 1."""
        masks = {name: np.ones(batch.shape, dtype=np.int64) for name in self.masks}
        return np.asarray(self.session.run(None, {self.name: batch} | masks)[0])


def pad(rows: list[Array], fill: float) -> Array:
    """Stack arrays that differ in their first axis, short ones filled up with `fill`."""
    length = max(len(row) for row in rows)
    out = np.full((len(rows), length, *rows[0].shape[1:]), fill, dtype=rows[0].dtype)
    for line, row in zip(out, rows, strict=True):
        line[: len(row)] = row
    return out


def save_cases(oracle: Oracle, batches: list[Array], folder: Path, *, per_position: bool = False) -> None:
    """Write `inputs.npz` and `expected.npz`, with shorter cases padded: by -1, and logits per position by nan."""
    logits = [oracle.logits(batch) for batch in batches]
    decisions = [answer.argmax(-1) for answer in logits]
    if batches[0].dtype == np.int64:
        inputs = pad([word for batch in batches for word in batch], -1)
    else:
        inputs = np.concatenate(batches)
    if per_position:
        expected = pad([case for answer in logits for case in answer], np.nan)
        decision = pad([case for answer in decisions for case in answer], -1)
    else:
        expected, decision = np.concatenate(logits), np.concatenate(decisions)
    np.savez_compressed(folder / "inputs.npz", **{oracle.name: inputs})
    np.savez_compressed(folder / "expected.npz", logits=expected, decision=decision)


def save_task(folder: Path, task: Mapping[str, Any]) -> None:
    """Write `task.json`: what the network was trained for, and how well it does it."""
    (folder / "task.json").write_text(json.dumps(task, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
