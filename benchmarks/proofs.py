"""The compositional proof at scale: time, memory, obligations and lemmas.

    python -m benchmarks.proofs FOLDER...
    python -m benchmarks.proofs --growth

Each folder is a translation. Every run has a process of its own: with one process and with all processors, then a second time
with the ledger of the first. Times are processor seconds, those of all processes together, and seconds of the clock; memory is
the largest resident set of the parent. ``--growth`` builds networks of several widths and depths and fits
``time = fixed + c * wires`` to the larger half of them.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from circuits.formats import BIT, Format
from circuits.matrices import matrix
from circuits.network import Affine, Domain, Letters, Network, Node, Operand, Readout, Round, Table
from circuits.network_to_family import network_to_family
from circuits.positions import LAST, Ref, var
from logic.family_to_sentence import family_to_sentence
from logic.printer import to_ascii
from logic.proving.ledger import Ledger
from logic.proving.network_circuit import prove_network_circuit
from logic.proving.parallel import processors
from logic.proving.streaming import prove_circuit_file
from logic.verdicts import Proof


def spent() -> float:
    """Processor seconds of this process and of those that it waited for."""
    return sum(
        found.ru_utime + found.ru_stime
        for found in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


def measured(folder: Path, jobs: int, ledger: Path) -> dict[str, Any]:
    """Prove a translation: figures of reading it, and of both proofs."""
    from translator.store import SENTENCE, load

    started, used = time.perf_counter(), spent()
    artifacts = load(folder)
    result: dict[str, Any] = {"load": spent() - used}
    book = Ledger(ledger)
    proofs: list[Proof] = []
    for name in ("network", "sentence"):
        began = spent()
        if name == "network":
            proofs.append(prove_network_circuit(artifacts.network, artifacts.family, jobs=jobs, ledger=book))
        else:
            proofs.append(prove_circuit_file(artifacts.family, folder / SENTENCE, jobs=jobs, ledger=book))
        result[name] = spent() - began
    methods = sum((Counter(proof.by_method()) for proof in proofs), Counter())
    result |= {
        "clock": time.perf_counter() - started,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "asked": book.asked,
        "reused": book.reused,
        "lemmas": dict(sorted(methods.items())),
        "open": [message for proof in proofs for message in proof.open],
    }
    return result


def apart(folder: Path, jobs: int, ledger: Path) -> dict[str, Any]:
    """Measure in a process of its own."""
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(
        target=lambda: os.write(writing, json.dumps(measured(folder, jobs, ledger)).encode())
    )
    process.start()
    process.join()
    os.close(writing)
    with os.fdopen(reading, "rb") as file:
        text = file.read()
    return dict(json.loads(text)) if text else {}


def folders(paths: list[Path]) -> None:
    """Print a row for each folder and run."""
    print(
        "| network | processes | run | load s | network s | sentence s | clock s | MB | obligations | lemmas | open |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    for path in paths:
        for jobs in sorted({1, processors()}):
            with tempfile.TemporaryDirectory() as temporary:
                for run in ("first", "second"):
                    found = apart(path, jobs, Path(temporary) / "ledger.jsonl")
                    if not found:
                        print(f"| {path.name} | {jobs} | {run} | did not end |", flush=True)
                        continue
                    times = " | ".join(f"{found[key]:.1f}" for key in ("load", "network", "sentence", "clock"))
                    lemmas = ", ".join(f"{count} {method}" for method, count in found["lemmas"].items())
                    obligations = f"{found['asked']} ({found['reused']} known)"
                    row = f"{times} | {found['memory']} | {obligations} | {lemmas} | {len(found['open'])}"
                    print(f"| {path.name} | {jobs} | {run} | {row} |", flush=True)


def layered(width: int, depth: int) -> Network:
    """Dense layers of random weights at every position, each rounded to 4 bits; two classes at the last position."""
    random = np.random.default_rng(0)
    at = (var(0),)
    nodes: list[Node] = [Letters("x", 2)]
    source, size = Ref("x", at), 2
    for layer in range(depth):
        nodes.append(dense(f"a{layer}", 1, source, size, width, random))
        nodes.append(Round(f"h{layer}", 1, width, Ref(f"a{layer}", at), 3, Format(4, -8, 1)))
        source, size = Ref(f"h{layer}", at), width
    nodes.append(dense("logit", 0, Ref(source.node, (LAST,)), size, 2, random))
    nodes.append(Table("class", 0, 2, Ref("logit"), np.array([0]), np.array([0, 1]), BIT))
    network = Network(tuple(nodes), Readout("classes", "class", "logit", None, 2, 0), Domain(), ("a", "b"))
    network.check()
    return network


def dense(name: str, n_positions: int, source: Ref, size: int, width: int, random: np.random.Generator) -> Affine:
    """A dense map of random weights."""
    rows, columns = np.indices((width, size))
    weights = matrix(rows, columns, random.integers(-7, 8, (width, size)), (width, size))
    zeros = np.zeros(width, dtype=np.int64)
    return Affine(name, n_positions, width, (Operand(source, weights),), zeros, zeros, 2)


def growth() -> None:
    """Print how time and obligations grow with width and with depth; what a process does once is done before."""
    grown(layered(1, 1))
    for what, sizes in (("width", (16, 32, 64, 128, 256, 512)), ("depth", (1, 2, 4, 8, 16, 32))):
        print(f"| {what} | wires | network s | sentence s | obligations |\n|---|---|---|---|---|")
        rows = []
        for size in sizes:
            took, wires, asked = grown(layered(size, 2) if what == "width" else layered(32, size))
            rows.append((wires, sum(took)))
            print(f"| {size} | {wires} | {took[0]:.2f} | {took[1]:.2f} | {asked} |", flush=True)
        larger = np.array(rows[len(rows) // 2 :])
        slope, fixed = np.polyfit(larger[:, 0], larger[:, 1], 1)
        worst = np.abs((fixed + slope * larger[:, 0]) / larger[:, 1] - 1).max()
        print(f"\nlarger half: {fixed:.2f} s + {slope * 1e6:.1f} microseconds a wire, within {worst:.0%}\n", flush=True)


def grown(network: Network) -> tuple[tuple[float, float], int, int]:
    """Processor seconds of both proofs of a network, the wires of its family, and the obligations."""
    family = network_to_family(network)
    book = Ledger()
    used = spent()
    first = prove_network_circuit(network, family, ledger=book)
    between = spent()
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary) / "sentence.fom"
        path.write_text(to_ascii(family_to_sentence(family)), encoding="utf-8")
        written = spent()
        second = prove_circuit_file(family, path, ledger=book)
    took = (between - used, spent() - written)
    if not (first.complete and second.complete):
        raise SystemExit((first.open + second.open)[0])
    return took, sum(wires.matrix.nnz for entry in family.entries for wires in getattr(entry, "wires", ())), book.asked


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--growth", action="store_true")
    given = parser.parse_args()
    if given.growth:
        growth()
    if given.folders:
        folders(given.folders)


if __name__ == "__main__":
    main()
