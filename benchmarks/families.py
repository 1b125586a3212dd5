"""Exported families, all the way to proofs: ``python -m benchmarks.families [FOLDER...] [--max-length N]``.

For every ``model*.onnx`` in the folders (default: those of ``examples/families``) a fresh process translates it at
``--precision auto`` and verifies the translation: all words up to length N, and by composition every length of the domain.
A network that reads no words is measured on the folder's ``inputs.npz``. One line of a Markdown table for each file.
"""

from __future__ import annotations

import argparse
import resource
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from circuits.diagnostics import FomError
from logic.verdicts import Claim
from translator.pipeline import Translation, translate
from translator.reading import read
from translator.verification import verify

FAMILIES = Path(__file__).resolve().parent.parent / "examples" / "families"
MEASURED_LENGTH = 8
COLUMNS = (
    "network",
    "import, s",
    "lengths",
    "precision",
    "= onnxruntime",
    "certified",
    "gates",
    "definitions",
    "translate, s",
    "every input",
    "s",
    "every length",
    "s",
    "MB",
)


def row(path: Path, max_length: int) -> list[str]:
    """Translate and verify one file; a diagnostic takes the place of what it prevents."""
    cells = [f"`{path.parent.name}/{path.stem}`"]
    data = path.with_name("inputs.npz")
    try:
        started = time.perf_counter()
        words = bool(read(path, longest=64).alphabet_size)
        cells.append(f"{time.perf_counter() - started:.1f}")
        started = time.perf_counter()
        translation = translate(path, inputs=None if words else data)
        seconds = time.perf_counter() - started
        cells += described(translation, words)
        cells.append(f"{seconds:.1f}")
        report = verify(translation, max_length=max_length if words else None)
        for method in ("exhaustive", "compositional"):
            cells += verdict([claim for claim in report.claims if claim.method == method])
    except FomError as error:
        cells.append("; ".join(f"{found.code}: {found.message}" for found in error.diagnostics))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [*cells, *[""] * (len(COLUMNS) - 1 - len(cells)), f"{peak:,.0f}"]


def described(translation: Translation, words: bool) -> list[str]:
    """Lengths, precision, agreement and sizes of a translation."""
    domain, fidelity = translation.network.domain, translation.fidelity
    most = f"{domain.least} to {domain.most}" if domain.most is not None else f"from {domain.least}"
    gates = translation.sizes["gates"]
    count = "" if gates is None else f"{int(gates(MEASURED_LENGTH if words else 1)):,}"
    return [
        most if words else "",
        str(translation.precision),
        f"{fidelity.agree:,} of {fidelity.inputs:,}",
        f"{fidelity.certified:,} of {fidelity.examined:,}",
        count,
        f"{translation.measures.definitions:,}",
    ]


def verdict(claims: list[Claim]) -> list[str]:
    """What one method found on both pairs of sides, and its seconds."""
    if not claims:
        return ["", ""]
    words = {claim.word for claim in claims}
    said = (
        "holds" if words == {"holds"} else ", ".join(f"{claim.left} = {claim.right}: {claim.word}" for claim in claims)
    )
    return [f"{said}, {claims[0].scope}", f"{sum(claim.seconds for claim in claims):.1f}"]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--max-length", type=int, default=4)
    given = parser.parse_args()
    folders = given.folders or sorted(folder for folder in FAMILIES.iterdir() if folder.is_dir())
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    context = get_context("spawn")
    for path in [path for folder in folders for path in sorted(folder.glob("model*.onnx"))]:
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            print(f"| {' | '.join(pool.submit(row, path, given.max_length).result())} |", flush=True)


if __name__ == "__main__":
    main()
