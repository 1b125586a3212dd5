"""The order of inputs and outputs that a circuit and its forms in other bases share.

Inputs are the objects of the circuit's input entries, entry after entry, position after position, element after element. Outputs
are the bits of the decision word: entry after entry, the lowest bit first; with one bit to a word that is the decision entry.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from circuits.circuit import Circuit, check_codes, input_bits
from circuits.diagnostics import fail
from circuits.entries import InputBits
from circuits.network_to_family import bit_name
from circuits.readout import decisions

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bits = np.ndarray[Any, np.dtype[np.bool_]]


def input_ports(circuit: Circuit) -> list[tuple[str, int]]:
    """The input entries with their numbers of objects, in the order of the inputs."""
    return [(block.entry.name, block.count) for block in circuit.blocks if isinstance(block.entry, InputBits)]


def output_ports(circuit: Circuit) -> list[tuple[str, int]]:
    """The entries of the decision with their numbers of objects, in the order of the outputs."""
    counts = {block.entry.name: block.count for block in circuit.blocks}
    format_, decision = circuit.family.decision_format, circuit.readout.decision
    names = [bit_name(decision, bit, format_) for bit in range(format_.bits)]
    return [(name, counts[name]) for name in names]


def input_matrix(circuit: Circuit, inputs: Integers) -> Bits:
    """The input bits, ``(B, n_inputs)``, of letters ``(B, n)`` or codes ``(B, total)`` as `Circuit.simulate` takes them.

    Raises:
        FomError: inputs of another length, or that are no letters or codes of the input.
    """
    inputs = np.asarray(inputs)
    if not circuit.family.inputs and inputs.shape[1:] != (circuit.n,):
        raise fail("C040", f"the circuit reads words of length {circuit.n}, not {inputs.shape[1:]}")
    check_codes(circuit.family, inputs)
    entries = [block.entry for block in circuit.blocks if isinstance(block.entry, InputBits)]
    return np.concatenate([input_bits(circuit.family, entry, inputs) for entry in entries]).astype(bool).T


def decision_words(circuit: Circuit, outputs: Bits) -> Integers:
    """The decision words, ``(B, size)`` or ``(B, n, size)``, that outputs ``(B, n_outputs)`` spell."""
    format_, readout = circuit.family.decision_format, circuit.readout
    size = circuit.family.by_name[readout.decision].size
    bits = np.asarray(outputs).astype(np.int64).reshape(len(outputs), format_.bits, -1)
    words = (bits << np.arange(format_.bits)[:, None]).sum(axis=1) + format_.lo
    return words.reshape(len(outputs), *(circuit.n,) * readout.n_positions, size)


def decisions_of(circuit: Circuit, outputs: Bits) -> Integers:
    """The decisions that outputs ``(B, n_outputs)`` stand for: class numbers, bits or nearest integers."""
    return decisions(circuit.readout, circuit.family.decision_format, decision_words(circuit, outputs))
