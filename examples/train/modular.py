"""Train transformers that add modulo a prime, with full, ternary and binary weights.

    python examples/train/modular.py

The words are ``a b =``; the answer is read at the sign. The matrices of attention and perceptron are ternary (a scale times
-1, 0 or 1, the scale being the mean magnitude: Ma et al. 2024, *The Era of 1-bit LLMs*) or binary (a scale times the sign),
with gradients passed straight through; embeddings, biases and the last map have full precision. One minute on one core.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Literal

import numpy as np
import torch
from export import Exporter, Oracle, export, save_cases, save_task
from networks import Architecture, Transformer
from torch import Tensor, nn
from torch.nn.utils import parametrize
from train import EXAMPLES, fit, margin, words_of_length

Weights = Literal["ternary", "binary", "float"]

P = 5
FOLDER = EXAMPLES / "modular_addition"
FILES: dict[Weights, str] = {"ternary": "model.onnx", "binary": "model_binary.onnx", "float": "model_float.onnx"}
ARCHITECTURE = Architecture(
    "01234=", P, width=16, heads=2, hidden=32, positions="learned", mask="trilu", readout="last", max_length=3
)
EXPORTER = Exporter("dynamo", 20)
STEPS, RATE, DECAY = 2000, 5e-3, 1e-2


class Rounded(nn.Module):
    """A matrix as its mean magnitude times ternary or binary numbers; the gradient passes as if nothing was rounded."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.weights = weights

    def forward(self, matrix: Tensor) -> Tensor:
        scale = matrix.abs().mean().clamp(min=1e-5)
        signs = torch.where(matrix >= 0, 1.0, -1.0)
        rounded = signs if self.weights == "binary" else (matrix / scale).round().clamp(-1, 1)
        return matrix + (scale * rounded - matrix).detach()


def fix_weights(network: nn.Module) -> None:
    """Write the rounded matrices down: what is added and subtracted for the gradient is no part of the network."""
    for module in network.modules():
        if parametrize.is_parametrized(module, "weight"):
            rounding = module.parametrizations.weight[0]
            matrix = module.parametrizations.weight.original.detach()
            scale = matrix.abs().mean().clamp(min=1e-5)
            signs = (rounding(matrix) / scale).round()
            parametrize.remove_parametrizations(module, "weight", leave_parametrized=False)
            module.weight.data = scale * signs


def make(weights: Weights) -> tuple[Oracle, dict[str, Any]]:
    """Train, export and measure one network."""
    torch.manual_seed(0)
    network = Transformer(ARCHITECTURE)
    if weights != "float":
        for module in network.blocks.modules():
            if isinstance(module, nn.Linear):
                parametrize.register_parametrization(module, "weight", Rounded(weights))
    pairs = words_of_length(P, 2, np.random.default_rng(0))
    words = np.concatenate([pairs, np.full((len(pairs), 1), P)], axis=1)
    labels = pairs.sum(1) % P

    def data() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield torch.from_numpy(words), torch.from_numpy(labels)

    fit(network, data(), STEPS, RATE, DECAY)
    fix_weights(network)
    path = FOLDER / FILES[weights]
    export(network, {"tokens": torch.zeros(2, 3, dtype=torch.int64)}, {0: "batch", 1: "seq"}, EXPORTER, path)
    oracle = Oracle(path)
    logits = oracle.logits(words)
    report = {
        "weights": weights,
        "accuracy": float((logits.argmax(-1) == labels).mean()),
        "least_margin": round(margin(logits), 4),
    }
    return oracle, report


def main() -> None:
    """Make the three networks; the cases are those of the ternary one, ``model.onnx``."""
    torch.set_num_threads(1)
    reports = {}
    for weights, file in FILES.items():
        oracle, reports[file] = make(weights)
        print(file, reports[file])
        if file == "model.onnx":
            generator = np.random.default_rng(0)
            cases = [words_of_length(len(ARCHITECTURE.letters), n, generator) for n in range(1, 4)]
            save_cases(oracle, cases, FOLDER)
    save_task(
        FOLDER,
        {
            "name": "modular_addition",
            "task": f"(a + b) mod {P} for words `a b =`",
            "letters": list(ARCHITECTURE.letters),
            "architecture": asdict(ARCHITECTURE),
            "exporter": f"torch {torch.__version__.split('+')[0]} {EXPORTER.kind}",
            "opset": EXPORTER.opset,
            "files": reports,
            "cases": "all words of length 1 to 3",
        },
    )


if __name__ == "__main__":
    main()
