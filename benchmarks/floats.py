"""Small float formats against fixed point: agreement with onnxruntime, gates and depth of the examples at each precision.

    python -m benchmarks.floats [--seconds S] [MODEL ...]

Every translation runs in a process of its own, which is given up after S seconds (default 100).
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

from circuits.diagnostics import FomError
from translator.pipeline import translate

EXAMPLES = Path(__file__).parents[1] / "examples"
MODELS = ("majority", "contains_ab", "mlp_xor", "lenet_digits")
PRECISIONS = ("fixed:8", "fixed:16", "float:e4m3", "float:e5m2", "float:e5m10", "float:e8m7")
HEADER = ("network", "precision", "span", "agrees", "inputs", "gates", "depth", "s")


def measure(model: Path, precision: str, answer: Connection) -> None:
    """Send the columns of one translation."""
    start = time.perf_counter()
    try:
        made = translate(model, precision=precision)
    except FomError as error:
        answer.send([error.diagnostics[0].code])
        return
    span = "" if made.precision.span is None else str(made.precision.span)
    gates = made.sizes["gates"]
    seconds = f"{time.perf_counter() - start:.1f}"
    counts = (f"{made.fidelity.agree:,}", f"{made.fidelity.inputs:,}")
    answer.send([span, *counts, str(gates), str(made.family.depth), seconds])


def row(model: Path, precision: str, seconds: float) -> list[str]:
    """One row of the table; a translation that was given up says so."""
    name = model.parent.name if model.name == "model.onnx" else model.stem
    receiver, sender = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.Process(target=measure, args=(model, precision, sender))
    process.start()
    found = receiver.recv() if receiver.poll(seconds) else [f"more than {seconds:.0f} s"]
    process.terminate()
    process.join()
    return [name, precision, *found, *[""] * (len(HEADER) - 2 - len(found))]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("models", nargs="*", type=Path, metavar="MODEL")
    parser.add_argument("--seconds", type=float, default=100.0, metavar="S")
    given = parser.parse_args()
    models = given.models or [EXAMPLES / name / "model.onnx" for name in MODELS]
    print("| " + " | ".join(HEADER) + " |")
    print("|" + "---|" * len(HEADER))
    for model in models:
        for precision in PRECISIONS:
            print(f"measuring {model} at {precision}", file=sys.stderr, flush=True)
            print("| " + " | ".join(row(model, precision, given.seconds)) + " |", flush=True)


if __name__ == "__main__":
    main()
