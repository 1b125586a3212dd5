"""From an ONNX file to a threshold-circuit family and an FO(M) sentence."""
