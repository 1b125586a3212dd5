"""Quantized networks bit for bit: ``python -m benchmarks.quantized FOLDER... [--models REGEX] [--inputs N] [--circuits]``.

Every ``.onnx`` file in the folders is translated to its fixed-precision network at ``--precision auto`` and compared with
onnxruntime, graph optimizations off: the decision of every input, and the integer codes of the outputs where these are codes
times a scale, on the stored vectors, on random numbers, or on all words up to a length. Where codes differ, the runtime is asked
again with the terms of its sums in other orders (`benchmarks.permuting`): a code that it changes itself is a tie within float32's
error. With ``--circuits`` circuit and sentence decide a sample of the same inputs.
"""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.models import vectors_of
from benchmarks.permuting import answers_in_other_orders
from circuits.diagnostics import FomError
from circuits.evaluate import evaluate
from circuits.network import Affine, Network
from circuits.readout import decisions, scores
from translator.feeding import feeding_of
from translator.fidelity import InputSet, consult, encode, observe, words_up_to
from translator.inputs import random_features
from translator.oracle import Oracle
from translator.pipeline import Settings, choose, integer_network, read_network, translate
from translator.real import RealNetwork
from translator.sides import Sides

Array = np.ndarray[Any, Any]

SAMPLE = 40
HEADER = (
    "| network | precision | inputs | wrong decisions | codes compared | unequal codes | of these ties "
    "| codes that the runtime moves | largest distance | s |"
)


@dataclass(frozen=True, slots=True)
class Row:
    """What was found of one file.

    Attributes:
        precision: the one that was found.
        inputs: how many were compared.
        wrong: decisions that differ.
        outputs: codes that were compared.
        unequal: codes that differ.
        ties: the unequal codes that differ by one and that the runtime changes itself in another order of its sums.
        moved: all codes that the runtime changes itself.
        distance: the largest difference of outputs.
        seconds: from file to result.
    """

    precision: str
    inputs: int
    wrong: int
    outputs: int
    unequal: int
    ties: int
    moved: int
    distance: float
    seconds: float


def inputs_of(path: Path, network: RealNetwork, most: int) -> InputSet:
    """The stored vectors of a file and further inputs: random numbers, or words up to a length."""
    groups = [] if network.alphabet_size and len(network.inputs) > 1 else list(stored(path, network))
    further = words_up_to(network, None) if network.alphabet_size else random_features(network)
    sample = further.sample(most)
    groups += [group[:most] for group in sample.groups]
    return InputSet(tuple(groups), "vectors and further inputs", None)


def stored(path: Path, network: RealNetwork) -> list[Array]:
    """The stored inputs as fom reads them."""
    found = []
    for vectors in vectors_of(path.parent):
        if not all(given.name in vectors.inputs for given in network.inputs):
            continue
        arrays = [vectors.inputs[given.name] for given in network.inputs]
        rows = np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)
        n = rows.shape[1]
        admitted = not network.alphabet_size or (
            network.domain.least <= n <= (network.domain.most or n) and rows.max() < network.alphabet_size
        )
        sizes = sum(node.size for node in network.features)
        if admitted and (network.alphabet_size or n == sizes):
            found.append(rows)
    return found


def scale_of_codes(fixed: Network) -> float | None:
    """The scale of scores that are integer codes times one scale, or None."""
    node = fixed.by_name[fixed.decided.scores]
    if fixed.decided.denominator is not None or not isinstance(node, Affine) or len(node.operands) != 1:
        return None
    (operand,) = node.operands
    weights = np.unique(operand.matrix.data)
    diagonal = operand.matrix.nnz == node.size == operand.matrix.shape[1]
    whole = not isinstance(fixed.by_name[operand.ref.node], Affine) and fixed.frac(operand.ref.node) == 0
    return float(np.ldexp(float(weights[0]), -node.frac)) if diagonal and whole and len(weights) == 1 else None


def measure(path: Path, most: int) -> Row:
    """Translate one file to its network and compare."""
    started = time.perf_counter()
    network, alphabet = read_network(path, Settings())
    decision = network.decision
    feeding = feeding_of(network, {})
    oracle = Oracle(path, decision.kind, decision.n_positions, decision.applied, feeding)
    inputs = inputs_of(path, network, most)
    reference, bounds = consult(oracle, inputs), observe(network, inputs)
    fixed = integer_network(network, bounds, alphabet)
    name = "integers"
    if fixed is None:
        precision, fixed, _ = choose(network, Settings(), alphabet, oracle, reference, bounds, [], lambda _: None)
        name = str(precision)
    scale = scale_of_codes(fixed)
    wrong = outputs = unequal = ties = moved = 0
    distance = 0.0
    groups = reference.inputs.groups
    others = (
        answers_in_other_orders(path, network, groups)
        if scale is not None and reference.has_logits
        else [[]] * len(groups)
    )
    for group, expected, decided, orders in zip(groups, reference.logits, reference.decisions, others, strict=True):
        found, values = answers(fixed, group)
        wrong += int((found != decided).reshape(len(group), -1).any(axis=1).sum())
        if reference.has_logits:
            distance = max(distance, float(np.abs(values - expected).max(initial=0.0)))
            if scale is not None:
                outputs += expected.size
                steps = np.rint(values / scale) - np.rint(expected / scale)
                changed = np.any([np.rint(other / scale) != np.rint(expected / scale) for other in orders], axis=0)
                unequal, moved = unequal + int((steps != 0).sum()), moved + int(changed.sum())
                ties += int(((np.abs(steps) == 1) & changed).sum())
    return Row(
        name, reference.inputs.count, wrong, outputs, unequal, ties, moved, distance, time.perf_counter() - started
    )


def answers(fixed: Network, group: Array) -> tuple[Array, Array]:
    """Decisions and scores of the fixed network."""
    values = evaluate(fixed, encode(fixed, group))
    readout = fixed.decided
    return decisions(readout, fixed.word(readout.decision).format, values[readout.decision]), scores(fixed, values)


def circuits_of(path: Path, most: int) -> str:
    """Circuit and sentence against the network on a sample: how many inputs agree, and what the circuit has."""
    started = time.perf_counter()
    made = translate(path, max_length=3)
    sides = Sides(made)
    inputs = inputs_of(path, read_network(path, Settings())[0], most)
    total = same = 0
    for group in inputs.sample(SAMPLE).groups:
        part = group[: max(1, SAMPLE // len(inputs.groups))]
        if not made.network.inputs and part.shape[1] > 3:
            continue
        decided = [sides.decide(side, part) for side in ("network", "circuit", "sentence")]
        total, same = total + len(part), same + int(sum(np.all(np.stack(decided) == decided[0], axis=0).ravel()))
    gates = made.family.gates(1 if made.network.inputs else 3)
    return f"network = circuit = sentence {same}/{total}, {gates:,} gates, {time.perf_counter() - started:.1f} s"


def main() -> None:
    """Print one line for each file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--models", default="__q_|int8|int_cast|int_dq|matmulinteger|slovorez")
    parser.add_argument("--inputs", type=int, default=300)
    parser.add_argument("--circuits", action="store_true")
    given = parser.parse_args()
    print(HEADER)
    print("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for folder in given.folders:
        for path in sorted(folder.glob("*/*.onnx")):
            name = f"{path.parent.name}/{path.stem}"
            if not re.search(given.models, name):
                continue
            try:
                row = measure(path, given.inputs)
            except FomError as error:
                first = error.diagnostics[0]
                print(f"| `{name}` | {first.code}: {first.message} | | | | | | | | |", flush=True)
                continue
            codes = (
                f"{row.outputs:,} | {row.unequal:,} | {row.ties:,} | {row.moved:,}" if row.outputs else "none | | | "
            )
            counted = f"{row.precision} | {row.inputs:,} | {row.wrong:,} | {codes}"
            print(f"| `{name}` | {counted} | {row.distance:.2g} | {row.seconds:.1f} |", flush=True)
            if given.circuits:
                print(f"<!-- {circuits_of(path, given.inputs)} -->", flush=True)


if __name__ == "__main__":
    main()
