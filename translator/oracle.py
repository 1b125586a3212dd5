"""The float network: onnxruntime, with graph optimizations off because they move logits."""

from __future__ import annotations

import mmap
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from circuits.diagnostics import Diagnostic, FomError, fail
from circuits.readout import score_decisions
from translator.feeding import Feeding

Reals = np.ndarray[Any, np.dtype[np.float64]]
Integers = np.ndarray[Any, np.dtype[np.int64]]


class FomRuntimeError(FomError):
    """onnxruntime failed on an input."""


class Oracle:
    """An onnxruntime session for one model: `feeding` says what its inputs get, the answer is its first output.

    `applied` names the operator at the end of the file that the network leaves out: "ArgMax" gives decisions instead of logits,
    "Softmax", "LogSoftmax" and "Sigmoid" give other numbers with the same decisions.

    Raises:
        FomError: onnxruntime refuses the model.
    """

    def __init__(
        self, path: Path, kind: str, n_positions: int, applied: str = "", feeding: Feeding | None = None
    ) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.kind = kind
        self.feeding = feeding or Feeding()
        self.n_positions = n_positions
        self.applied = applied
        try:
            self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise fail(
                "T040", f"onnxruntime refuses the model: {first_line(error)}", where=str(path),
                note="onnxruntime says what the file computes: fidelity is the agreement with it",
                help="check the file with `onnx.checker`; export with float32 weights and an opset that onnxruntime knows",
            ) from None  # fmt: skip
        self.path = path
        without_batch = any(len(node.shape) == 1 for node in self.session.get_inputs())
        self.batched = not without_batch and not mixes_rows(path)

    def logits(self, inputs: Any) -> Reals:
        """Run words ``(B, n)`` or features ``(B, size)``; returns ``(B, C)``, or ``(B, n, C)`` for an answer at every position.

        Raises:
            FomError: onnxruntime fails on the input.
        """
        array: Any = np.asarray(inputs)
        if self.batched:
            with suppress(FomRuntimeError):
                outputs = self.run(array)
                rows_of_each = array.shape[1] if self.n_positions else 1
                if np.shape(outputs)[:1] in ((len(array),), (len(array) * rows_of_each,)):
                    return self.shaped(outputs, len(array), array)
            self.batched = False  # the file does not keep the rows of a batch apart
        rows = [self.run(array[index : index + 1]) for index in range(len(array))]
        return self.shaped(np.concatenate([np.reshape(row, (1, -1)) for row in rows]), len(array), array)

    def run(self, array: Any) -> Any:
        """Feed one array."""
        feeds = self.feeding.inputs(self.session.get_inputs(), array)
        try:
            return self.session.run(None, feeds)[0]
        except Exception as error:
            message = f"onnxruntime fails on an input of shape {array.shape}: {first_line(error)}"
            help_ = "it may be valid for some inputs only: bound the lengths with --max-length, or give --inputs"
            raise FomRuntimeError(Diagnostic("T041", message, where=str(self.path), help=help_)) from None

    def shaped(self, outputs: Any, n_cases: int, inputs: Any) -> Reals:
        """The first output as float64 of shape ``(B, C)`` or ``(B, n, C)``."""
        outputs = np.asarray(outputs, dtype=np.float64)
        if self.n_positions:
            return outputs.reshape(n_cases, inputs.shape[1], -1)
        return outputs.reshape(n_cases, -1)

    def decisions(self, inputs: Any) -> Integers:
        """The float network's decisions, of shape ``(B,)`` or ``(B, n)``."""
        return self.decide(self.logits(inputs))

    def decide(self, outputs: Reals) -> Integers:
        """The decisions that outputs of shape ``(B, C)`` or ``(B, n, C)`` stand for."""
        if self.applied == "ArgMax":
            return outputs[..., 0].astype(np.int64)
        return score_decisions(self.kind, outputs - 0.5 if self.applied == "Sigmoid" else outputs)


def mixes_rows(path: Path) -> bool:
    """Tell whether a file quantizes with one range for the whole batch: then its rows are run one by one."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        return data.find(b"DynamicQuantize") >= 0


def first_line(error: Exception) -> str:
    """The first line of a foreign message, shortened."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
