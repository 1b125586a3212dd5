"""Arithmetic blocks: ``python -m benchmarks.blocks [--prove]``.

One line of a Markdown table for each block: what is counted on its gates, whether that is what is stated, and with ``--prove``
how many lemmas show that it computes its function for every input, and in how many seconds.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from circuits import blocks
from circuits.blocks import Block
from circuits.network_to_family import DEPTH_CHOICES

MAKERS: tuple[Callable[[], Block], ...] = (
    *(lambda n=n: blocks.comparison(n) for n in (8, 16, 32)),
    *(lambda n=n: blocks.comparison_small_weights(n) for n in (8, 16, 32)),
    *(lambda n=n: blocks.addition(n) for n in (8, 16, 32)),
    *(lambda n=n: blocks.look_ahead(n) for n in (8, 16, 32)),
    *(lambda n=n: blocks.addition_small_weights(n) for n in (8, 16)),
    *(lambda m=m: blocks.iterated_addition(m, 8) for m in (8, 32)),
    *(lambda n=n: blocks.multiplication(n) for n in (4, 8, 16)),
    *(lambda m=m: blocks.counting(m) for m in (16, 64)),
    *(lambda k=k: blocks.parity(k) for k in (16, 64)),
    lambda: blocks.majority(64),
    lambda: blocks.symmetric([s * s % 7 for s in range(17)]),
    lambda: blocks.table([x * x % 251 for x in range(256)]),
    lambda: blocks.normal_form([x * x % 251 for x in range(256)]),
    *(lambda m=m: blocks.sorting(m, 8) for m in (4, 8)),
    lambda: blocks.maximum_of_pairs(8, 8),
    *(lambda depth=depth: blocks.maximum(8, 8, depth) for depth in DEPTH_CHOICES),
    *(lambda depth=depth: blocks.rounding(16, 8, 4, depth) for depth in DEPTH_CHOICES),
    *(lambda depth=depth: blocks.quotient(16, 8, 8, depth) for depth in DEPTH_CHOICES),
)
SIZES = ("n", "m", "k", "q", "d", "p", "shift")
COLUMNS = ("block", "sizes", "depth", "gates", "wires", "largest weight", "as stated")


def row(make: Callable[[], Block], prove: bool) -> list[str]:
    """Measure one block, and prove it."""
    block = make()
    found = blocks.measure(block.family)
    chosen = [name for name in SIZES if name in block.parameters and not (name == "k" and "n" in block.parameters)]
    sizes = ", ".join(f"{name} = {block.parameters[name]}" for name in chosen)
    said = "; ".join(blocks.excesses(block)) or "yes"
    cells = [
        block.name,
        sizes,
        *(f"{count:,}" for count in (found.depth, found.gates, found.wires, found.weight)),
        said,
    ]
    if prove:
        from logic.proving.blocks import prove_block

        started = time.perf_counter()
        proof = prove_block(block)
        cells += [f"{len(proof.lemmas)}" if proof.complete else "open: " + "; ".join(proof.open[:2])]
        cells += [f"{time.perf_counter() - started:.1f}"]
    return cells


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prove", action="store_true", help="prove every block as well")
    given = parser.parse_args()
    columns = (*COLUMNS, "lemmas", "s") if given.prove else COLUMNS
    aligned = ["---", "---", *["--:"] * 4, "---", *["--:"] * (len(columns) - 7)]
    print(f"| {' | '.join(columns)} |\n|{'|'.join(aligned)}|")
    for make in MAKERS:
        print(f"| {' | '.join(row(make, given.prove))} |", flush=True)


if __name__ == "__main__":
    main()
