"""ONNX in, real-valued network out: ``read("model.onnx")``. The only package of fom that imports onnx."""

from translator.reading.reader import read

__all__ = ["read"]
