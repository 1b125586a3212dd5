"""What ternary and binary weights save: ``python -m benchmarks.modular [MODEL.onnx...]``.

Networks that add modulo p, by default those of `examples/modular_addition`, are translated for the words ``a b =`` at
``--precision auto`` and once more at one common precision. All p * p words go through network, circuit and sentence, read back
from their files, and the network is compared with the specification that `examples/modular_addition/make_spec.py` writes.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.core import table
from circuits.weights import Weights

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "examples" / "modular_addition"
MODELS = ("model_float.onnx", "model.onnx", "model_binary.onnx")
COMMON = "fixed:8"
HEADER = ("network", "weights", "not 0", "weight bits", "precision", "gates", "wires", "depth", "definitions", "s",
          "network, circuit, sentence", "right", "= spec")  # fmt: skip


def specification(p: int, letters: list[str]) -> str:
    """The text of the specification for p."""
    spec = importlib.util.spec_from_file_location("make_spec", FOLDER / "make_spec.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(FOLDER / "make_spec.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.specification(p, letters))


def measure(model: Path, precision: str) -> list[Any]:
    """One row of the table."""
    from translator import store, verification
    from translator.pipeline import Settings, read_network, translate
    from translator.sides import Sides
    from translator.weights_table import linear_maps

    p = len(read_network(model, Settings())[1]) - 1
    letters = [*map(str, range(p)), "="]
    where = "~'='(1) & ~'='(2) & '='(3)"
    started = time.perf_counter()
    translation = translate(model, precision=precision, where=where, alphabet=" ".join(letters))
    seconds = time.perf_counter() - started
    with tempfile.TemporaryDirectory(prefix="fom.") as temporary:
        store.save(translation, Path(temporary) / "translation")
        artifacts = store.load(Path(temporary) / "translation")
        path = Path(temporary) / "spec.fom"
        path.write_text(specification(p, letters), encoding="utf-8")
        numbers = np.array([[a, b, p] for a in range(p) for b in range(p)])
        sides = Sides(artifacts)
        network, circuit, sentence = (sides.decide(side, numbers) for side in ("network", "circuit", "sentence"))
        report = verification.verify(artifacts, against=str(path), where=where, max_length=3)
    maps = [found for found in linear_maps(translation.network) if found.weights.values > 1]
    layers = [found for found in maps if found.weights.signs] or maps
    kinds = sorted({found.weights.alphabet for found in layers})
    nonzero = sum(found.weights.nonzero for found in layers) / sum(found.weights.places for found in layers)
    family = translation.family
    same = int(((network == circuit) & (network == sentence)).sum())
    right = int((network == (numbers[:, 0] + numbers[:, 1]) % p).sum())
    return [
        f"`{model.parent.name}/{model.name}`",
        "; ".join(kinds),
        f"{nonzero:.0%}",
        f"{sum(found.weights.places * bits_of(found.weights) for found in maps):,}",
        str(translation.precision),
        f"{family.gates(3):,}",
        f"{family.wires(3):,}",
        family.depth,
        f"{len(translation.sentence.definitions):,}",
        f"{seconds:.1f}",
        f"{same} of {p * p} agree",
        f"{right} of {p * p}",
        report.verdict,
    ]


def bits_of(weights: Weights) -> int:
    """Bits of one weight as it would be stored: 1 for a sign, 2 with a 0."""
    if not weights.signs:
        return weights.bits
    return 1 if weights.nonzero == weights.places else 2


def main(arguments: Sequence[str]) -> None:
    """Measure the networks named, by default those of the example, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.modular", description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL.onnx", help="default: the example's")
    parser.add_argument("--common", default=COMMON, metavar="P", help="the common precision")
    given = parser.parse_args(arguments)
    rows = []
    for precision in ("auto", given.common):
        for model in given.models or [FOLDER / name for name in MODELS]:
            print(f"measuring {model} at {precision}", file=sys.stderr, flush=True)
            rows.append(measure(model, precision))
    print(table(HEADER, rows))


if __name__ == "__main__":
    main(sys.argv[1:])
