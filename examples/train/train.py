"""Train the example networks, export them, and write what onnxruntime answers.

    python examples/train/train.py [NAME ...]

Without names, all of them (about three minutes on one core). Seeds are fixed; another version of torch may still end
with other weights.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from export import Exporter, Oracle, export, save_cases, save_task
from networks import Architecture, LeNet, Perceptron, Transformer
from torch import Tensor, nn
from torch.nn import functional

Array = np.ndarray[Any, Any]
EXAMPLES = Path(__file__).resolve().parent.parent
MEASURED_LENGTHS = range(1, 17)
ALL_WORDS = 2100  # up to so many words of one length are all taken, beyond that a sample


@dataclass(frozen=True)
class WordTask:
    """A language or a tagging of words. `label` maps letter codes ``(B, n)`` to classes ``(B,)`` or ``(B, n)``."""

    name: str
    says: str
    label: Callable[[Array], Array]
    architecture: Architecture
    exporter: Exporter
    trained_to: int
    cases_to: int
    steps: int = 3000
    rate: float = 5e-3
    decay: float = 1e-2
    seed: int = 0


def half_are_b(words: Array) -> Array:
    return 2 * (words == 1).sum(1) >= words.shape[1]


def contains_ab(words: Array) -> Array:
    return ((words[:, :-1] == 0) & (words[:, 1:] == 1)).any(1)


def balanced(words: Array) -> Array:
    height = np.cumsum(np.where(words == 0, 1, -1), axis=1)
    return (height[:, -1] == 0) & (height >= 0).all(1)


def more_a_so_far(words: Array) -> Array:
    return np.cumsum(np.where(words == 0, 1, -1), axis=1) > 0


WORD_TASKS = [
    WordTask(
        "majority",
        "1 iff at least half of the letters are b (a tie counts)",
        half_are_b,
        Architecture("ab"),
        Exporter("dynamo", 20),
        trained_to=10,
        cases_to=8,
        decay=0.3,
    ),
    WordTask(
        "first_letter",
        "the first letter",
        lambda words: words[:, 0],
        Architecture("abc", 3, positions="learned", mask="tril", readout="last"),
        Exporter("torchscript", 17),
        trained_to=16,
        cases_to=5,
    ),
    WordTask(
        "contains_ab",
        "1 iff a stands immediately before b somewhere",
        contains_ab,
        Architecture(
            "ab",
            width=12,
            heads=2,
            activation="gelu",
            norm="layer_post",
            positions="learned",
            readout="max",
            max_length=10,
        ),
        Exporter("torchscript", 17),
        trained_to=10,
        cases_to=7,
    ),
    WordTask(
        "dyck1",
        "1 iff the word is balanced, a opening and b closing",
        balanced,
        Architecture(
            "ab", width=12, heads=2, layers=2, norm="rms_pre", positions="sinusoidal", mask="trilu", readout="last"
        ),
        Exporter("dynamo", 20),
        trained_to=10,
        cases_to=8,
        steps=6000,
    ),
    WordTask(
        "more_a",
        "at each position, 1 iff there have been more a than b up to and including it",
        more_a_so_far,
        Architecture("ab", activation="silu", mask="trilu", readout="each"),
        Exporter("dynamo", 23),
        trained_to=10,
        cases_to=7,
    ),
    WordTask(
        "cls_majority",
        "1 iff at least half of the letters are b (a tie counts), letters a, b, c",
        half_are_b,
        Architecture("abc", readout="cls"),
        Exporter("dynamo", 18),
        trained_to=10,
        cases_to=5,
    ),
]


def words_of_length(n_letters: int, n: int, generator: np.random.Generator) -> Array:
    """All words of length n in lexicographic order, or a sample where there are too many: ``(B, n)``."""
    if n_letters**n <= ALL_WORDS:
        return np.array(list(itertools.product(range(n_letters), repeat=n)), dtype=np.int64)
    return generator.integers(0, n_letters, (ALL_WORDS, n))


def batches(
    n_letters: int, label_of: Callable[[Array], Array], longest: int, generator: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Training batches of one length each; half of a batch keeps a rarer class from being drowned."""
    pools = {n: words_of_length(n_letters, n, generator) for n in range(1, longest + 1)}
    labels = {n: label_of(words).astype(np.int64) for n, words in pools.items()}
    lengths = np.arange(1, longest + 1)
    while True:
        n = int(generator.choice(lengths, p=lengths / lengths.sum()))
        words, label = pools[n], labels[n]
        by_class = (
            [np.flatnonzero(label == c) for c in np.unique(label)] if label.ndim == 1 else [np.arange(len(words))]
        )
        chosen = np.concatenate([generator.choice(rows, 192 // len(by_class)) for rows in by_class])
        yield torch.from_numpy(words[chosen]), torch.from_numpy(label[chosen])


def fit(network: nn.Module, data: Iterator[tuple[Tensor, Tensor]], steps: int, rate: float, decay: float) -> None:
    """AdamW on the cross-entropy, the rate rising over the first tenth and falling to zero."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=steps, pct_start=0.1)
    network.train()
    for _, (inputs, labels) in zip(range(steps), data, strict=False):
        loss = functional.cross_entropy(network(inputs).flatten(0, -2), labels.flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()


def margin(logits: Array) -> float:
    """The least distance between the best and the second best logit."""
    best = np.sort(logits, axis=-1)
    return float((best[..., -1] - best[..., -2]).min())


def make_word_network(task: WordTask) -> dict[str, Any]:
    """Train, export and measure the network of one word task."""
    torch.manual_seed(task.seed)
    generator = np.random.default_rng(task.seed)
    of = task.architecture
    network = Transformer(of)
    fit(network, batches(len(of.letters), task.label, task.trained_to, generator), task.steps, task.rate, task.decay)

    folder = EXAMPLES / task.name
    dims = {0: "batch", 1: "seq"}
    export(network, {"tokens": torch.zeros(2, 5, dtype=torch.int64)}, dims, task.exporter, folder / "model.onnx")
    oracle = Oracle(folder / "model.onnx")
    positional = of.positions != "none" or of.mask == "tril"
    accuracy, margins = {}, {}
    for n in MEASURED_LENGTHS:
        if positional and n > of.max_length:
            break
        words = words_of_length(len(of.letters), n, generator)
        logits = oracle.logits(words)
        accuracy[n] = round(float((logits.argmax(-1) == task.label(words)).mean()), 4)
        margins[n] = round(margin(logits), 4)
    cases = [words_of_length(len(of.letters), n, generator) for n in range(1, task.cases_to + 1)]
    save_cases(oracle, cases, folder, per_position=of.readout == "each")
    report = {
        "name": task.name,
        "task": task.says,
        "letters": list(of.letters),
        "architecture": asdict(of),
        "parameters": sum(p.numel() for p in network.parameters()),
        "exporter": f"torch {torch.__version__.split('+')[0]} {task.exporter.kind}",
        "opset": task.exporter.opset,
        "trained_lengths": [1, task.trained_to],
        "max_length": of.max_length if positional else None,
        "accuracy_by_length": accuracy,
        "least_margin_by_length": margins,
        "cases": f"all words of length 1 to {task.cases_to}",
    }
    save_task(folder, report)
    return report


def make_xor() -> dict[str, Any]:
    """Parity of four real numbers read as bits, trained on noisy bits."""
    torch.manual_seed(0)
    generator = np.random.default_rng(0)

    def draw(count: int) -> tuple[Array, Array]:
        bits = generator.integers(0, 2, (count, 4))
        noisy = bits + generator.uniform(-0.25, 0.25, bits.shape)
        return noisy.astype(np.float32), bits.sum(1) % 2

    def data() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            x, label = draw(256)
            yield torch.from_numpy(x), torch.from_numpy(label)

    network = Perceptron()
    fit(network, data(), steps=6000, rate=1e-2, decay=1e-3)
    folder = EXAMPLES / "mlp_xor"
    exporter = Exporter("torchscript", 17)
    export(network, {"x": torch.zeros(2, 4)}, {0: "batch"}, exporter, folder / "model.onnx")
    oracle = Oracle(folder / "model.onnx")
    corners = np.array(list(itertools.product((0, 1), repeat=4)), dtype=np.float32)
    x, label = draw(4000)
    logits, at_corners = oracle.logits(x), oracle.logits(corners)
    save_cases(oracle, [corners, x[:84]], folder)
    report = {
        "name": "mlp_xor",
        "task": "1 iff an odd number of the four inputs, 0 or 1 with noise up to 0.25, are 1",
        "architecture": {"layers": "Gemm 4-12, Relu, Gemm 12-2"},
        "parameters": sum(p.numel() for p in network.parameters()),
        "exporter": f"torch {torch.__version__.split('+')[0]} {exporter.kind}",
        "opset": exporter.opset,
        "accuracy": {
            "corners": float((at_corners.argmax(-1) == corners.sum(1) % 2).mean()),
            "noisy": float((logits.argmax(-1) == label).mean()),
        },
        "least_margin": round(margin(at_corners), 4),
        "cases": "the 16 corners, then 84 noisy inputs",
    }
    save_task(folder, report)
    return report


def make_digits() -> dict[str, Any]:
    """Handwritten digits, 8 x 8 pixels between 0 and 1 (UCI optical recognition of handwritten digits)."""
    from sklearn.datasets import load_digits

    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    digits = load_digits()
    images = (digits.images[:, None] / 16).astype(np.float32)
    order = generator.permutation(len(images))
    test, rest = order[:360], order[360:]

    def data() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            rows = generator.choice(rest, 128)
            yield torch.from_numpy(images[rows]), torch.from_numpy(digits.target[rows])

    network = LeNet()
    fit(network, data(), steps=4000, rate=1e-2, decay=1e-2)
    folder = EXAMPLES / "lenet_digits"
    exporter = Exporter("dynamo", 20)
    export(network, {"x": torch.zeros(2, 1, 8, 8)}, {0: "batch"}, exporter, folder / "model.onnx")
    oracle = Oracle(folder / "model.onnx")
    logits = oracle.logits(images)
    right = logits.argmax(-1) == digits.target
    save_cases(oracle, [images[test[:50]]], folder)
    report = {
        "name": "lenet_digits",
        "task": "the digit in an 8 x 8 image (values 0 to 1 in steps of 1/16)",
        "architecture": {
            "layers": "Conv 1-4 3x3, BatchNorm (folded by the exporter), Relu, MaxPool 2, "
            "Conv 4-6 3x3, Relu, AveragePool 2, Flatten, Gemm 24-10"
        },
        "parameters": sum(p.numel() for p in network.parameters()),
        "exporter": f"torch {torch.__version__.split('+')[0]} {exporter.kind}",
        "opset": exporter.opset,
        "accuracy": {"train": round(float(right[rest].mean()), 4), "test": round(float(right[test].mean()), 4)},
        "least_margin": round(margin(logits[test]), 4),
        "cases": "50 test images",
    }
    save_task(folder, report)
    return report


def main() -> None:
    """Make the networks named on the command line, or all."""
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        task.name: lambda task=task: make_word_network(task) for task in WORD_TASKS
    }
    makers |= {"mlp_xor": make_xor, "lenet_digits": make_digits}
    names = sys.argv[1:] or list(makers)
    if unknown := [name for name in names if name not in makers]:
        sys.exit(f"no such example: {', '.join(unknown)}; known: {', '.join(makers)}")
    torch.set_num_threads(1)
    for name in names:
        report = makers[name]()
        print(name, report.get("accuracy_by_length", report.get("accuracy")))
        print(" " * len(name), report.get("least_margin_by_length", report.get("least_margin")))


if __name__ == "__main__":
    main()
