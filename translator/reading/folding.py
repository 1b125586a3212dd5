"""Constant folding: an operator whose inputs are all known is evaluated by ONNX's own reference implementation."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

from translator.reading.loading import Operator

Array = np.ndarray[Any, Any]

# What onnx's reference evaluator raises for a constant expression that it cannot compute.
FOLDING_ERRORS = (ValueError, TypeError, IndexError, KeyError, RuntimeError, NotImplementedError, AttributeError)

# Operators of other domains that mean what ONNX's own ones of this name mean.
STANDARD = frozenset(["com.microsoft::QuantizeLinear", "com.microsoft::DequantizeLinear"])

LEAST_OPSET = {"DequantizeLinear": 19, "QuantizeLinear": 19, "BatchNormalization": 15}


def fold(operator: Operator, inputs: list[Array | None], opset: int) -> list[Array]:
    """Evaluate `operator` on known inputs; the results are arrays with ONNX's dtypes."""
    version = max(opset, LEAST_OPSET.get(operator.op_type, 1))
    node = operator.proto
    if operator.domain:
        node, version = onnx.NodeProto(), max(version, 21)
        node.CopyFrom(operator.proto)
        node.domain = ""
    evaluator = ReferenceEvaluator(node, opsets={"": version})
    feeds = {name: value for name, value in zip(operator.inputs, inputs, strict=True) if name and value is not None}
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return [np.asarray(value) for value in evaluator.run(None, feeds)]
