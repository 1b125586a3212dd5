"""The circuits that are given to other programs, and inputs for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from circuits.bases.ports import input_matrix
from circuits.circuit import Circuit, instantiate
from circuits.inputs import input_limits
from translator.exchange import Written, save_circuit
from translator.pipeline import translate

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bits = np.ndarray[Any, np.dtype[np.bool_]]

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Case:
    """A network of the examples at a precision and a length."""

    example: str
    bits: int
    weight_bits: int
    n: int

    def __str__(self) -> str:
        return f"{self.example}-{self.bits}-{self.weight_bits}-n{self.n}"


CASES = (
    Case("majority", 3, 4, 3),
    Case("first_letter", 3, 4, 2),
    Case("cls_majority", 3, 4, 3),
    Case("more_a", 3, 4, 2),
    Case("contains_ab", 2, 3, 2),
    Case("mlp_xor", 3, 4, 1),
)
SMALL = (Case("mlp_xor", 2, 3, 1), Case("majority", 2, 2, 2), Case("cls_majority", 2, 2, 2))
"""Circuits that are synthesized from their weighted sums."""


@cache
def circuit_of(case: Case) -> Circuit:
    """The circuit of a case."""
    inputs = ROOT / "examples" / case.example / "inputs.npz"
    options = {"inputs": inputs} if case.example in ("mlp_xor", "more_a") else {"max_length": 4}
    translation = translate(
        ROOT / "examples" / case.example / "model.onnx",
        precision=f"fixed:{case.bits}",
        weight_bits=str(case.weight_bits),
        **options,
    )
    return instantiate(translation.family, case.n)


def file_of(case: Case, form: str, path: Path, **options: str) -> Written:
    """Write the circuit of a case."""
    circuit = circuit_of(case)
    return save_circuit(circuit.family, case.n, form, path, **options)


@cache
def inputs_of(case: Case, count: int = 200) -> Integers:
    """Random words or codes."""
    circuit, random = circuit_of(case), np.random.default_rng(case.n)
    if circuit.family.inputs:
        low, high = input_limits(circuit.family.inputs)
        return random.integers(low, high + 1, (count, len(low)))
    return random.integers(0, len(circuit.family.alphabet), (count, case.n))


def bits_of(case: Case) -> Bits:
    """The input bits of the random inputs."""
    return input_matrix(circuit_of(case), inputs_of(case))


def answers_of(case: Case, inputs: Integers) -> Integers:
    """The decision words that the circuit computes."""
    circuit = circuit_of(case)
    return circuit.simulate(inputs)[circuit.readout.decision]


def texts(rows: Bits) -> Sequence[str]:
    """Rows of bits as text, the first bit first."""
    return ["".join("01"[bit] for bit in row) for row in rows.astype(int).tolist()]
