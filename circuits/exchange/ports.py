"""What a circuit reads and answers, by names that every format allows.

A name is made of its parts, so that no two bits share one and the parts can be told from the name::

    in_a_p3          letter a at position 3
    in_x_e2_b0       bit 0 of number 2 of the input x
    out_class_e1     element 1 of the decision `class`

A character that is no ASCII letter or digit is written as ``_u`` with its code in hexadecimal and ``_``; ``_`` itself is ``__``.
The comments of every file repeat the names with the labels of the family, such as ``a(3)`` or ``class[1]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from circuits.bases.ports import input_ports, output_ports
from circuits.circuit import Circuit
from circuits.diagnostics import fail
from circuits.entries import Entry, InputBits, label


@dataclass(frozen=True, slots=True)
class Ports:
    """Names of inputs and outputs in their order, and lines that say what they stand for."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def require(self, n_inputs: int, n_outputs: int) -> None:
        """Refuse names that are not as many as what they name.

        Raises:
            FomError: with the numbers.
        """
        given, needed = (len(self.inputs), len(self.outputs)), (n_inputs, n_outputs)
        if given != needed:
            raise fail("C093", f"{given[0]} and {given[1]} names for {needed[0]} inputs and {needed[1]} outputs")

    @staticmethod
    def numbered(n_inputs: int, n_outputs: int) -> Ports:
        """The ports ``i0, i1, ..`` and ``o0, o1, ..``."""
        return Ports(tuple(f"i{k}" for k in range(n_inputs)), tuple(f"o{k}" for k in range(n_outputs)))


def ports_of(circuit: Circuit) -> Ports:
    """The ports of a circuit, in the order that its forms in other bases share."""
    by_name = circuit.family.by_name
    read = [by_name[name] for name, _ in input_ports(circuit)]
    answered = [by_name[name] for name, _ in output_ports(circuit)]
    inputs = [f"in_{name}" for entry in read for name in identifiers(circuit, entry)]
    outputs = [f"out_{name}" for entry in answered for name in identifiers(circuit, entry)]
    labels = [text for entry in (*read, *answered) for text in bit_labels(circuit, entry)]
    listed = [f"{name} = {json.dumps(text)}" for name, text in zip((*inputs, *outputs), labels, strict=True)]
    return Ports(tuple(inputs), tuple(outputs), (*meaning(circuit), *listed))


def meaning(circuit: Circuit) -> Iterator[str]:
    """What the bits of a circuit mean together, in lines."""
    family, readout = circuit.family, circuit.family.readout
    if family.inputs:
        for node in family.inputs:
            low, frac = node.format.lo, node.format.frac
            yield f"input {json.dumps(node.name)}: the bits b of each element e are those of code - ({low})"
            yield f"  the number is code * 2^-({frac})" + ("" if node.scale is None else f" * {node.scale!r}")
    else:
        yield f"length {circuit.n}: exactly one letter stands at every position p"
    where = " at every position p" if readout.n_positions else ""
    if readout.kind == "classes":
        yield f"decision{where}: the class e of which the output is 1"
    elif readout.kind == "logit":
        yield f"decision{where}: the output"
    else:
        low, frac = family.decision_format.lo, family.decision_format.frac
        yield f"decision{where}: code * 2^-({frac}), rounded to the nearest integer; outputs are the bits of code - ({low})"


def bit_labels(circuit: Circuit, entry: Entry) -> list[str]:
    """The names of all bits of an entry as a family has them, position by position."""
    if isinstance(entry, InputBits) and not circuit.family.inputs:
        stems = list(circuit.family.alphabet)
    else:
        stems = [label(entry, element) for element in range(entry.size)]
    tuples = np.ndindex(*(circuit.n,) * entry.n_positions)
    at = ["(" + ",".join(str(index + 1) for index in place) + ")" if place else "" for place in tuples]
    return [stem + place for place in at for stem in stems]


def identifiers(circuit: Circuit, entry: Entry) -> list[str]:
    """The names of all bits of an entry of letters, digits and ``_``, position by position."""
    suffix = entry.name[len(entry.base) :]
    if isinstance(entry, InputBits) and not circuit.family.inputs:
        stems = [escaped(letter) for letter in circuit.family.alphabet]
    else:
        last = f"_b{suffix[1:]}" if suffix[1:].isdecimal() else f"_s{escaped(suffix)}" if suffix else ""
        stems = [f"{escaped(entry.base)}_e{element}{last}" for element in range(entry.size)]
    tuples = np.ndindex(*(circuit.n,) * entry.n_positions)
    at = ["".join(f"_p{index + 1}" for index in place) for place in tuples]
    return [stem + place for place in at for stem in stems]


def escaped(text: str) -> str:
    """Text as ASCII letters, digits and ``_``; different texts stay different.

    >>> escaped("less_h"), escaped("<s>"), escaped("é")
    ('less__h', '_u3c_s_u3e_', '_ue9_')
    """
    return "".join(
        char if char.isascii() and char.isalnum() else "__" if char == "_" else f"_u{ord(char):x}_" for char in text
    )
