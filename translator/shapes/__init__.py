"""Shapes of all tensors of an ONNX model, as expressions in any number of symbolic dimensions."""

from translator.shapes.constraints import Constraint
from translator.shapes.inference import infer
from translator.shapes.result import Shaped, Shapes, Unknown

__all__ = ["Constraint", "Shaped", "Shapes", "Unknown", "infer"]
