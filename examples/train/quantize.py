"""Train a wider LeNet on digits and quantize it to int8 with onnxruntime's own quantizer.

    python examples/train/quantize.py

The file has `QuantizeLinear` and `DequantizeLinear` around every operator (QDQ): int8 activations with a scale and zero point
for each tensor, int8 weights, ranges calibrated on training images. Two minutes on one core.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from export import Exporter, Oracle, export, save_cases, save_task, strip
from networks import LeNet
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from sklearn.datasets import load_digits
from torch import Tensor
from train import EXAMPLES, fit

FOLDER = EXAMPLES / "digits_int8"
CHANNELS = (8, 16)
EXPORTER = Exporter("dynamo", 20)
CALIBRATED, TESTED, CASES = 200, 360, 50


class Images(CalibrationDataReader):
    """Batches of one image each."""

    def __init__(self, images: np.ndarray[Any, Any]) -> None:
        self.rows = iter(images)

    def get_next(self) -> dict[str, Any]:
        row = next(self.rows, None)
        return {} if row is None else {"x": row[None]}


def main() -> None:
    """Train, export, quantize, and write what onnxruntime says without graph optimizations."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    digits = load_digits()
    images = (digits.images[:, None] / 16).astype(np.float32)
    order = generator.permutation(len(images))
    test, rest = order[:TESTED], order[TESTED:]

    def data() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            rows = generator.choice(rest, 128)
            yield torch.from_numpy(images[rows]), torch.from_numpy(digits.target[rows])

    network = LeNet(CHANNELS)
    fit(network, data(), steps=1500, rate=1e-2, decay=1e-2)
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "model.onnx"
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        original = Path(folder) / "model.onnx"
        export(network, {"x": torch.zeros(2, 1, 8, 8)}, {0: "batch"}, EXPORTER, original)
        quantize_static(
            original,
            path,
            Images(images[rest[:CALIBRATED]]),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QInt8,
            weight_type=QuantType.QInt8,
        )
        before = Oracle(original).logits(images[test]).argmax(-1)
    model = onnx.load(path)
    strip(model)
    onnx.save(model, path)
    oracle = Oracle(path)
    after = oracle.logits(images[test]).argmax(-1)
    save_cases(oracle, [images[test[:CASES]]], FOLDER)
    report = {
        "name": FOLDER.name,
        "task": "the digit in an 8 x 8 image (values 0 to 1 in steps of 1/16)",
        "architecture": {
            "layers": "Conv 1-8 3x3, BatchNorm (folded by the exporter), Relu, MaxPool 2, "
            "Conv 8-16 3x3, Relu, AveragePool 2, Flatten, Gemm 64-10"
        },
        "parameters": sum(p.numel() for p in network.parameters()),
        "exporter": f"torch {torch.__version__.split('+')[0]} {EXPORTER.kind}",
        "quantizer": "onnxruntime quantize_static: QDQ, int8 activations and weights, one scale for each tensor",
        "opset": EXPORTER.opset,
        "accuracy": {
            "float test": round(float((before == digits.target[test]).mean()), 4),
            "int8 test": round(float((after == digits.target[test]).mean()), 4),
        },
        "cases": f"{CASES} test images",
    }
    save_task(FOLDER, report)
    print(FOLDER.name, report["accuracy"])


if __name__ == "__main__":
    main()
