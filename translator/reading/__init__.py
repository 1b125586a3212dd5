"""ONNX in, real-valued network out: ``read("model.onnx")``. The only package that imports onnx."""

from translator.reading.loading import copy_model
from translator.reading.reader import read

__all__ = ["copy_model", "read"]
