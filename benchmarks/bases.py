"""The same circuits in three gate bases: ``python -m benchmarks.bases [FOLDER...] [--length N] [--prove]``.

For every folder with a ``model.onnx`` (default: small ones of ``examples``) the network is translated at ``--precision auto`` and
its circuit for length N is written with general weights, with majorities of unit-weight wires, with majorities after large
weights were cut, and with ANDs of two inputs and negation (sums by full adders, and by sorting networks). With ``--prove`` the
conversions are proved equal. One line of a Markdown table for each.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from circuits.bases.flat import circuit_to_flat
from circuits.bases.majority import flat_to_majority
from circuits.bases.splitting import split_weights
from circuits.bases.to_aig import Thresholds, expand
from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import FomError
from logic.proving.bases import prove_majority
from logic.proving.graph_of_circuit import prove_graph
from logic.verdicts import Proof
from translator.pipeline import translate

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
NAMES = ("mlp_xor", "majority", "first_letter", "cls_majority", "dyck1", "contains_ab")
COLUMNS = ("network", "n", "basis", "gates", "wires", "depth", "s", "proof", "s")
ROUNDS = 2
METHODS: tuple[Thresholds, ...] = ("adder", "sorter")


def measured(make: Callable[[], Any]) -> tuple[Any, str]:
    """What was made, and in how many seconds."""
    started = time.perf_counter()
    made = make()
    return made, f"{time.perf_counter() - started:.1f}"


def rows(circuit: Circuit, prove: bool) -> Iterator[list[str]]:
    """One row for each basis."""
    yield ["as translated", *numbers(circuit.n_gates, circuit.n_wires, circuit.depth), "", "", ""]
    flat, seconds = measured(partial(circuit_to_flat, circuit))
    yield ["weights", *numbers(flat.n_gates, flat.n_wires, flat.depth), seconds, "", ""]
    majority, seconds = measured(partial(flat_to_majority, flat))
    sizes = numbers(majority.n_gates, majority.n_wires, majority.depth)
    yield ["majority", *sizes, seconds, *verdict(prove, partial(prove_majority, flat, majority))]
    split = flat
    for _ in range(ROUNDS):
        split, seconds = measured(partial(split_weights, split))
    cut = flat_to_majority(split)
    sizes = numbers(cut.n_gates, cut.n_wires, cut.depth)
    proof = verdict(prove, partial(prove_majority, split, cut))
    yield [f"majority, weights cut {ROUNDS} times", *sizes, seconds, *proof]
    for method in METHODS:
        built, seconds = measured(partial(expand, circuit, method))
        sizes = numbers(built.aig.n_ands, 2 * built.aig.n_ands, built.aig.depth)
        yield [f"ANDs, {method}", *sizes, seconds, *verdict(prove, partial(prove_graph, circuit, built))]


def numbers(*given: int) -> list[str]:
    """Numbers with their thousands apart."""
    return [f"{number:,}" for number in given]


def verdict(prove: bool, decide: Callable[[], Proof]) -> list[str]:
    """Whether a conversion is proved, and in how many seconds."""
    if not prove:
        return ["", ""]
    proof, seconds = measured(decide)
    return [f"{len(proof.lemmas)} lemmas" if proof.complete else f"open: {proof.open[0]}", seconds]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--length", type=int, default=4)
    parser.add_argument("--prove", action="store_true")
    given = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}")
    for folder in given.folders or [EXAMPLES / name for name in NAMES]:
        try:
            family = translate(folder / "model.onnx").family
            length = 1 if family.inputs else given.length
            for cells in rows(instantiate(family, length), given.prove):
                print(f"| {' | '.join([folder.name, str(length), *cells])} |", flush=True)
        except FomError as error:
            print(f"| {folder.name} | | {'; '.join(f'{found.code}: {found.message}' for found in error.diagnostics)} |")


if __name__ == "__main__":
    main()
