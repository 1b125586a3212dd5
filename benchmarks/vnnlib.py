"""Properties of published networks: ``python -m benchmarks.vnnlib FOLDER... [--timeout S] [--marabou PYTHON]``.

FOLDER holds ``model.onnx``: the ACAS Xu network 1_1 of the verification competitions (five inputs; properties 1 to 6 as in
VNN-COMP and Katz et al., *Reluplex*, CAV 2017) or their small test network (one input). It is translated at each ``--precision``
for inputs of its own domain, fidelity is measured on 10,000 other random ones and on ``vectors.npz``, and every property in
``benchmarks/vnnlib_properties`` is decided and compared with the verdict that is known of the float network: for ACAS Xu 1_1 the
one that the tool alpha-beta-CROWN returned in VNN-COMP 2025 (results of the benchmark ``acasxu_2023``, properties 1 to 6: unsat),
for the small network the one of its few numbers, worked out by hand. With ``--marabou`` a Python that has
``maraboupy`` runs the same files on the float network, each in a process of its own with the same limit of time.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from circuits.diagnostics import FomError
from translator.box_properties import decide_vnnlib
from translator.pipeline import Translation, translate
from translator.sides import Sides

PROPERTIES = Path(__file__).resolve().parent / "vnnlib_properties"
KNOWN = {
    **{f"acasxu_{number}": "holds" for number in range(1, 7)},
    "small_sat": "refuted",
    "small_unsat": "holds",
}
DOMAINS = {
    5: (np.array([-0.3284228772, -0.5, -0.5, -0.5, -0.5]), np.array([0.6798577687, 0.5, 0.5, 0.5, 0.5])),
    1: (np.array([-1.0]), np.array([1.0])),
}
MARABOU = """
import sys, warnings
warnings.simplefilter("ignore")
from maraboupy import Marabou
network = Marabou.read_onnx(sys.argv[1])
options = Marabou.createOptions(verbosity=0, timeoutInSeconds=int(sys.argv[3]))
print("VERDICT", network.solve(propertyFilename=sys.argv[2], verbose=False, options=options)[0])
"""
WORDS = {"unsat": "holds", "sat": "refuted"}


def samples(size: int, count: int, seed: int) -> np.ndarray:
    """Random inputs of the network's domain in float32, after its corners."""
    low, high = DOMAINS[size]
    corners = np.array(np.meshgrid(*np.stack([low, high], axis=1))).reshape(size, -1).T
    drawn = np.random.default_rng(seed).uniform(low, high, (count - len(corners), size))
    return np.concatenate([corners, drawn]).astype(np.float32)


def translated(folder: Path, precision: str) -> tuple[Translation, int]:
    """The network at a precision whose formats fit its domain, and how many numbers it reads."""
    import onnx

    model = onnx.load(folder / "model.onnx")
    constants = {one.name for one in model.graph.initializer}
    given = next(one for one in model.graph.input if one.name not in constants)
    shape = [max(1, one.dim_value) for one in given.type.tensor_type.shape.dim]
    size = int(np.prod(shape))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "inputs.npz"
        np.savez(path, **{given.name: samples(size, 4000, 1).reshape(-1, *(shape[1:] if len(shape) > 1 else shape))})
        return translate(folder / "model.onnx", precision=precision, inputs=path), size


def fidelity(source: Translation, inputs: np.ndarray) -> str:
    """Decisions that are onnxruntime's, and the largest difference of a score."""
    sides = Sides(source)
    same = int((sides.decide("onnx", inputs) == sides.decide("network", inputs)).sum())
    off = np.abs(np.array(sides.outputs("onnx", inputs)) - np.array(sides.outputs("network", inputs))).max()
    return f"{same:,} of {len(inputs):,}, scores within {off:.2g}"


def marabou(python: str, model: Path, path: Path, timeout_s: float) -> tuple[str, float]:
    """Marabou's verdict on the float network, and its seconds with starting it."""
    started = time.perf_counter()
    command = [python, "-c", MARABOU, str(model), str(path), str(int(timeout_s))]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s + 30, check=False)
    except subprocess.TimeoutExpired:
        return "unknown", time.perf_counter() - started
    said = [line.split()[-1].lower() for line in run.stdout.splitlines() if line.startswith("VERDICT")]
    if not said:
        print((run.stderr.strip().splitlines() or ["no answer"])[-1], file=sys.stderr)
    return WORDS.get(said[0] if said else "", "unknown"), time.perf_counter() - started


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--precision", nargs="+", default=["fixed:*.20"], help="fixed:*.12 for the small network")
    parser.add_argument("--timeout", type=float, default=120.0)
    parser.add_argument("--only", nargs="*", default=sorted(KNOWN))
    parser.add_argument("--marabou", default="")
    given = parser.parse_args()
    for folder in given.folders:
        for precision in given.precision:
            try:
                source, size = translated(folder, precision)
            except FomError as error:
                print(f"{folder.name} at {precision}: {error.diagnostics[0].message}")
                continue
            tested = [fidelity(source, samples(size, 10_000, 2))]
            if (folder / "vectors.npz").exists():
                stored = np.load(folder / "vectors.npz")
                rows = [stored[name].reshape(-1, size) for name in stored.files if "_in_" in name]
                tested.append(f"{fidelity(source, np.concatenate(rows))} (vectors)")
            print(f"\n{folder.name} at {precision}: decisions of onnxruntime on {'; '.join(tested)}\n")
            names = [name for name in given.only if name.startswith("acasxu" if size == 5 else "small")]
            table(source, folder / "model.onnx", names, given.timeout, given.marabou)


def table(source: Translation, model: Path, names: list[str], timeout_s: float, python: str) -> None:
    """Print a line for each property."""
    print("| property | known of the float network | fom | s | CPU s | boxes | depth | codes | Marabou | s | CPU s |")
    print("|---|---|---|--:|--:|--:|--:|--:|---|--:|--:|")
    open_, wrong = 0, 0
    for name in names:
        path = PROPERTIES / f"{name}.vnnlib"
        before = os.times()
        decided = decide_vnnlib(source, path, timeout_s, lambda text: None)
        between = os.times()
        facts, word = decided.facts(), decided.claim.word
        open_ += word == "unknown"
        wrong += word not in ("unknown", KNOWN[name])
        other, seconds = marabou(python, model, path, timeout_s) if python else ("", 0.0)
        after = os.times()
        own = between.user + between.system - before.user - before.system
        theirs = after.children_user + after.children_system - between.children_user - between.children_system
        print(
            f"| {name} | {KNOWN[name]} | {word} | {decided.claim.seconds:.1f} | {own:.1f} | {facts['boxes']:,} "
            f"| {facts['depth']} | {facts['input_codes']:.1e} | {other} | {seconds:.1f} | {theirs:.1f} |",
            flush=True,
        )
    print(f"\n{len(names)} properties, {open_} unknown, {wrong} other than known")


if __name__ == "__main__":
    main()
