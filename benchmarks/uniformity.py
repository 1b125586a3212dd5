"""The checks of uniformity over many translations: ``python -m benchmarks.uniformity [FOLDER...] [--max-length N] [--wires W]``.

Each folder holds a translation (``fom translate MODEL.onnx -o FOLDER``), or a ``model.onnx``, which is translated with
`--precision` first. One line of a Markdown table for each: the kinds of nodes, rules and formulas, the largest numbers of word
operations, up to which length every wire was compared, and the checks that do not hold.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from circuits.diagnostics import FomError
from circuits.family import Family
from circuits.uniformity.report import MOST_WIRES
from translator.uniformity import evidence

COLUMNS = (
    "network",
    "kinds",
    "rules",
    "formulas",
    "id bits",
    "node",
    "edge",
    "threshold",
    "depth",
    "wires compared",
    "pairs asked",
    "scope of U5",
    "checks",
    "CPU s",
)


def family_of(folder: Path, precision: str) -> Family:
    """The family of a translation, or of a model that is translated now."""
    from translator import store
    from translator.pipeline import translate

    if (folder / store.MANIFEST).is_file():
        return store.load(folder).family
    data = folder / "inputs.npz"
    from translator.reading import read

    words = bool(read(folder / "model.onnx", longest=64).alphabet_size)
    translation = translate(folder / "model.onnx", inputs=None if words else data, precision=precision)
    return translation.family


def row(folder: Path, precision: str, most_n: int, most_wires: int) -> list[str]:
    """Check one family; a diagnostic takes the place of what it prevents."""
    try:
        family = family_of(folder, precision)
        started = time.process_time()
        shown = evidence(family, most_n, most_wires)
    except FomError as error:
        return [folder.name, "; ".join(f"{one.code}: {one.message}" for one in error.diagnostics)]
    seconds = time.process_time() - started
    checks = {check.name: check for check in shown.checks}
    layout = shown.description.layout
    operations, same = checks["U1"].figures, checks["U5"].figures
    failed = [f"{check.name} refuted: {check.counterexample}" for check in shown.checks if not check.holds]
    return [
        folder.name,
        f"{len(shown.description.kinds):,}",
        f"{len(shown.language.edges):,}",
        f"{shown.language.shapes}",
        f"{layout.template_bits + layout.element_bits} + {layout.n_positions}*bits of n",
        str(operations["node at most"]),
        str(operations["edge at most"]),
        str(operations["threshold at most"]),
        str(checks["U3"].figures["depth"]),
        f"{same['wires compared']:,}",
        f"{same['pairs asked']:,}",
        checks["U5"].scope,
        "; ".join(failed) or "U1 to U6 hold",
        f"{seconds:.1f}",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, line by line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.uniformity", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--max-length", type=int, default=16)
    parser.add_argument("--wires", type=int, default=MOST_WIRES)
    options = parser.parse_args(arguments)
    print("| " + " | ".join(COLUMNS) + " |")
    print("|" + "---|" * len(COLUMNS))
    for folder in options.folders:
        cells = row(folder, options.precision, options.max_length, options.wires)
        print("| " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
