"""Mutated ONNX files through the reader: every one must give a diagnostic, or a network that agrees with onnxruntime.

    python -m benchmarks.fuzz [--count 2000] [--seed 0] [--keep FOLDER]

Files that crash the reader, hang, or are read as another network than onnxruntime runs are printed, and kept with --keep.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections import Counter
from pathlib import Path

import numpy as np

from tests.translator.fuzzing import check, mutate, seeds


def main() -> None:
    """Mutate and check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="start at this file")
    parser.add_argument("--keep", type=Path, help="write the files that fail here")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    models, counted = seeds(), Counter[str]()
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.first, options.first + options.count):
            rng = np.random.default_rng([options.seed, number])
            content = mutate(models[number % len(models)], rng)
            outcome = check(content, Path(folder) / "model.onnx")
            counted[outcome.kind] += 1
            if outcome.kind in ("wrong", "crashed", "hung"):
                print(f"{number}: {outcome.kind}: {outcome.detail}", flush=True)
                if options.keep is not None:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{options.seed}_{number}.onnx").write_bytes(content)
    print(", ".join(f"{count} {kind}" for kind, count in sorted(counted.items())))


if __name__ == "__main__":
    main()
