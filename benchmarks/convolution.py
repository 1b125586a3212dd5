"""Circuits of convolutional networks: ``python -m benchmarks.convolution [FOLDER...]``.

For every folder with a ``model.onnx`` and ``inputs.npz``, by default `examples/digits_int8` and `examples/lenet_digits`: the
network is translated at ``--precision auto``, its circuit is built and simulated on all inputs, and the decisions are compared
with those of onnxruntime, graph optimizations off.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.core import peak_mb, table

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ("digits_int8", "lenet_digits")
HEADER = ("network", "precision", "gates", "wires", "depth", "built, s", "images", "simulated, s", "network = onnxruntime",
          "circuit = onnxruntime", "peak MB")  # fmt: skip


def measure(folder: Path) -> list[Any]:
    """One row of the table."""
    from circuits.circuit import instantiate
    from circuits.network_to_family import network_to_family
    from circuits.readout import decisions
    from translator.answering import cases_of_file
    from translator.fidelity import encode
    from translator.pipeline import translate
    from translator.sides import Sides

    path = folder / "inputs.npz"
    translation = translate(folder / "model.onnx", inputs=path)
    network = translation.network
    started = time.perf_counter()
    family = network_to_family(network)
    circuit = instantiate(family, 1)
    built = time.perf_counter() - started
    sides = Sides(translation)
    (images,) = cases_of_file(sides, path).groups
    codes = encode(network, images)
    started = time.perf_counter()
    words = circuit.simulate(codes)[network.decided.decision]
    simulated = time.perf_counter() - started
    original = sides.decide("onnx", images)
    found = decisions(network.decided, family.decision_format, words)
    return [
        f"`{folder.name}`",
        str(translation.precision),
        f"{circuit.n_gates:,}",
        f"{circuit.n_wires:,}",
        circuit.depth,
        f"{built:.2f}",
        len(images),
        f"{simulated:.2f}",
        f"{int((sides.decide('network', images) == original).sum())} of {len(images)}",
        f"{int((found == original).sum())} of {len(images)}",
        f"{peak_mb():,}",
    ]


def main(arguments: Sequence[str]) -> None:
    """Measure the folders named, by default two examples, and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.convolution", description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER", help="default: two of the examples")
    given = parser.parse_args(arguments)
    rows = []
    for folder in given.folders or [ROOT / "examples" / name for name in EXAMPLES]:
        print(f"measuring {folder}", file=sys.stderr, flush=True)
        rows.append(measure(folder))
    print(table(HEADER, rows))


if __name__ == "__main__":
    main(sys.argv[1:])
