"""Train small networks of the families that people export, with the library that people export them from.

    python examples/train/export_families.py [NAME ...]

BERT, GPT-2, Llama, the encoder of T5 and ViT as `transformers` builds them, and a convolution over embedded letters. Each is
written by both of torch's exporters where both can: ``model.onnx`` and ``model_torchscript.onnx`` are one network. Without
names, all of them (about six minutes on one core).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from export import Exporter, Oracle, export, save_cases, save_task
from torch import Tensor, nn
from torch.nn import functional
from train import EXAMPLES, batches, fit, margin, words_of_length

Array = np.ndarray[Any, Any]
FAMILIES = EXAMPLES / "families"
MEASURED_LENGTHS = range(1, 11)


class Logits(nn.Module):
    """A network of `transformers`, of which only the logits are kept."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return self.network(input_ids=input_ids, attention_mask=attention_mask).logits


class Images(nn.Module):
    """A network of `transformers` that reads pixels."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixel_values: Tensor) -> Tensor:
        return self.network(pixel_values=pixel_values).logits


class EncoderTagger(nn.Module):
    """An encoder and a linear map: logits for each position."""

    def __init__(self, encoder: nn.Module, width: int, n_classes: int) -> None:
        super().__init__()
        self.encoder, self.head = encoder, nn.Linear(width, n_classes)

    def forward(self, input_ids: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        return self.head(self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state)


class Motifs(nn.Module):
    """A convolution of width 3 over embedded letters, its largest response over all positions, a linear map."""

    def __init__(self, letters: int, width: int, channels: int, n_classes: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(letters, width)
        self.convolution = nn.Conv1d(width, channels, 3, padding=1)
        self.head = nn.Linear(channels, n_classes)

    def forward(self, input_ids: Tensor) -> Tensor:
        x = functional.relu(self.convolution(self.embedding(input_ids).transpose(1, 2)))
        return self.head(x.amax(2))


def bert() -> nn.Module:
    config = transformers.BertConfig(
        vocab_size=3,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        num_labels=2,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=None,
        initializer_range=0.3,
    )
    return Logits(transformers.BertForSequenceClassification(config))


def gpt2() -> nn.Module:
    config = transformers.GPT2Config(
        vocab_size=3,
        n_positions=16,
        n_embd=8,
        n_layer=2,
        n_head=2,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        use_cache=False,
        bos_token_id=None,
        eos_token_id=None,
        initializer_range=0.2,
    )
    return Logits(transformers.GPT2LMHeadModel(config))


def llama() -> nn.Module:
    config = transformers.LlamaConfig(
        vocab_size=3,
        hidden_size=8,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=64,
        use_cache=False,
        bos_token_id=None,
        eos_token_id=None,
        pad_token_id=None,
        initializer_range=0.3,
    )
    return Logits(transformers.LlamaForCausalLM(config))


def t5_encoder() -> nn.Module:
    config = transformers.T5Config(
        vocab_size=3,
        d_model=8,
        d_kv=4,
        d_ff=16,
        num_layers=2,
        num_heads=2,
        relative_attention_num_buckets=8,
        relative_attention_max_distance=20,
        dropout_rate=0.0,
        pad_token_id=0,
        use_cache=False,
    )
    return EncoderTagger(transformers.T5EncoderModel(config), 8, 2)


def vit() -> nn.Module:
    config = transformers.ViTConfig(
        image_size=8,
        patch_size=4,
        num_channels=1,
        hidden_size=12,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=24,
        num_labels=10,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.2,
    )
    return Images(transformers.ViTForImageClassification(config))


def conv1d() -> nn.Module:
    return Motifs(letters=3, width=8, channels=8, n_classes=2)


def first_letter_again(words: Array) -> Array:
    return (words[:, :1] == words[:, 1:]).any(1)


def letter_before(words: Array) -> Array:
    """At each position the letter before it, at the first one that letter itself: how a word of period two goes on."""
    return np.concatenate([words[:, :1], words[:, :-1]], axis=1)


def as_its_neighbours(words: Array) -> Array:
    """At each position, whether no neighbour is another letter."""
    same = words[:, :-1] == words[:, 1:]
    none = np.ones((len(words), 1), dtype=bool)
    return np.concatenate([none, same], axis=1) & np.concatenate([same, none], axis=1)


def contains_aba(words: Array) -> Array:
    return ((words[:, :-2] == 0) & (words[:, 1:-1] == 1) & (words[:, 2:] == 0)).any(1)


@dataclass(frozen=True)
class WordFamily:
    """A family of networks that read words, and what one of them is trained for; masks are all 1."""

    name: str
    says: str
    label: Callable[[Array], Array]
    make: Callable[[], nn.Module]
    letters: str
    exporters: tuple[Exporter, ...]
    masked: bool = True
    trained_to: int = 10
    max_length: int | None = None
    per_position: bool = False
    cases_to: int = 5
    steps: int = 2000
    rate: float = 1e-2
    decay: float = 1e-2
    seed: int = 0


WORD_FAMILIES = [
    WordFamily(
        "bert",
        "1 iff the first letter occurs again",
        first_letter_again,
        bert,
        "abc",
        (Exporter("dynamo", 20), Exporter("torchscript", 17)),
        max_length=16,
    ),
    WordFamily(
        "gpt2",
        "at each position the letter before it (at the first, itself): the next letter of a word of period two",
        letter_before,
        gpt2,
        "abc",
        (Exporter("dynamo", 20), Exporter("torchscript", 17)),
        max_length=16,
        per_position=True,
    ),
    WordFamily(
        "llama",
        "at each position the letter before it (at the first, itself): the next letter of a word of period two",
        letter_before,
        llama,
        "abc",
        (Exporter("dynamo", 20), Exporter("torchscript", 17)),
        steps=4000,
        per_position=True,
    ),
    WordFamily(
        "t5_encoder",
        "at each position, 1 iff the letters beside it are the same letter",
        as_its_neighbours,
        t5_encoder,
        "abc",
        (Exporter("torchscript", 17),),
        per_position=True,
    ),
    WordFamily(
        "conv1d",
        "1 iff the word contains a b a",
        contains_aba,
        conv1d,
        "abc",
        (Exporter("dynamo", 18), Exporter("torchscript", 17)),
        masked=False,
    ),
]


def export_all(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    dims: Mapping[int, str],
    exporters: Sequence[Exporter],
    folder: Path,
) -> Oracle:
    """Write one network by each exporter, and open the first file, ``model.onnx``; a second one says its exporter."""
    paths = [folder / name for name in file_names(exporters)]
    for exporter, path in zip(exporters, paths, strict=True):
        export(network, inputs, dims, exporter, path)
    return Oracle(paths[0])


def file_names(exporters: Sequence[Exporter]) -> list[str]:
    return ["model.onnx", *(f"model_{exporter.kind}.onnx" for exporter in exporters[1:])]


def described(network: nn.Module, exporters: Sequence[Exporter]) -> dict[str, Any]:
    """What `task.json` says of the network and its files."""
    inner = getattr(network, "network", getattr(network, "encoder", None))
    release = torch.__version__.split("+")[0]
    return {
        "library": f"transformers {transformers.__version__} {type(inner).__name__}" if inner is not None else "torch",
        "parameters": sum(p.numel() for p in network.parameters()),
        "exporters": {
            name: {"exporter": f"torch {release} {by.kind}", "opset": by.opset}
            for name, by in zip(file_names(exporters), exporters, strict=True)
        },
    }


def make_words(family: WordFamily) -> dict[str, Any]:
    """Train, export and measure a network that reads words."""
    torch.manual_seed(family.seed)
    generator = np.random.default_rng(family.seed)
    network, letters = family.make(), len(family.letters)
    data = batches(letters, family.label, family.trained_to, generator)
    fit(network, data, family.steps, family.rate, family.decay)
    given = {"input_ids": torch.ones(2, 5, dtype=torch.int64)}
    if family.masked:  # two tensors: the exporter takes one passed twice for one input
        given["attention_mask"] = torch.ones(2, 5, dtype=torch.int64)
    folder = FAMILIES / family.name
    oracle = export_all(network, given, {0: "batch", 1: "sequence"}, family.exporters, folder)
    accuracy, margins = {}, {}
    for n in MEASURED_LENGTHS:
        words = words_of_length(letters, n, generator)
        logits = oracle.logits(words)
        accuracy[n] = round(float((logits.argmax(-1) == family.label(words)).mean()), 4)
        margins[n] = round(margin(logits), 4)
    cases = [words_of_length(letters, n, generator) for n in range(1, family.cases_to + 1)]
    save_cases(oracle, cases, folder, per_position=family.per_position)
    report = {
        "name": family.name,
        "task": family.says,
        "letters": list(family.letters),
        **described(network, family.exporters),
        "trained_lengths": [1, family.trained_to],
        "max_length": family.max_length,
        "accuracy_by_length": accuracy,
        "least_margin_by_length": margins,
        "cases": f"all words of length 1 to {family.cases_to}",
    }
    save_task(folder, report)
    return report


def make_vit() -> dict[str, Any]:
    """Handwritten digits for a ViT of four patches and CLS."""
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

    network = vit()
    fit(network, data(), steps=4000, rate=1e-2, decay=1e-2)
    exporters = (Exporter("dynamo", 20), Exporter("torchscript", 17))
    folder = FAMILIES / "vit"
    oracle = export_all(network, {"pixel_values": torch.zeros(2, 1, 8, 8)}, {0: "batch"}, exporters, folder)
    logits = oracle.logits(images)
    right = logits.argmax(-1) == digits.target
    save_cases(oracle, [images[test[:50]]], folder)
    report = {
        "name": "vit",
        "task": "the digit in an 8 x 8 image (values 0 to 1 in steps of 1/16)",
        **described(network, exporters),
        "accuracy": {"train": round(float(right[rest].mean()), 4), "test": round(float(right[test].mean()), 4)},
        "least_margin": round(margin(logits[test]), 4),
        "cases": "50 test images",
    }
    save_task(folder, report)
    return report


def main() -> None:
    """Make the families named on the command line, or all."""
    makers: dict[str, Callable[[], dict[str, Any]]] = {
        family.name: lambda family=family: make_words(family) for family in WORD_FAMILIES
    }
    makers["vit"] = make_vit
    names = sys.argv[1:] or list(makers)
    if unknown := [name for name in names if name not in makers]:
        sys.exit(f"no such family: {', '.join(unknown)}; known: {', '.join(makers)}")
    torch.set_num_threads(1)
    for name in names:
        report = makers[name]()
        print(name, report.get("accuracy_by_length", report.get("accuracy")))
        print(" " * len(name), report.get("least_margin_by_length", report.get("least_margin")))


if __name__ == "__main__":
    main()
