"""The text form of a family: a header, then one line for each entry (`circuits.json_lines`)."""

from __future__ import annotations

from circuits.entries import Accumulator, Gates, InputBits, PredicateBits, Wires
from circuits.family import Family
from circuits.json_lines import (
    ALPHABET,
    DOMAIN,
    FORMAT,
    GUARD,
    INPUTS,
    INTEGERS,
    MATRIX,
    NAME,
    POSITIONS,
    READOUT,
    SIZE,
    TERMS,
    Layout,
    Shape,
    optional,
    record,
    several,
    text_field,
)
from circuits.network_to_family import DEPTH_CHOICES

ENTRY = {"name": NAME, "base": NAME, "n_positions": POSITIONS}
WIRES = several(record(Shape(Wires, {"source": NAME, "at": TERMS, "matrix": MATRIX, "guard": optional(GUARD)})))

SHAPES = {
    "input": (InputBits, {**ENTRY, "size": SIZE}),
    "predicates": (PredicateBits, {**ENTRY, "guards": several(GUARD)}),
    "gates": (Gates, {**ENTRY, "wires": WIRES, "thresholds": INTEGERS}),
    "accumulator": (Accumulator, {**ENTRY, "wires": WIRES, "const": INTEGERS, "length": INTEGERS}),
}

LAYOUT = Layout(
    "family",
    "entries",
    {
        "alphabet": ALPHABET,
        "domain": DOMAIN,
        "readout": READOUT,
        "depth_choice": text_field(*DEPTH_CHOICES),
        "decision_format": FORMAT,
        "inputs": several(record(INPUTS)),
    },
    {kind: (class_, Shape(class_, fields)) for kind, (class_, fields) in SHAPES.items()},
    Family,
)


def family_to_text(family: Family) -> str:
    """Write a family."""
    return LAYOUT.write(family)


def family_of_text(text: str, where: str = "") -> Family:
    """Read and check a family; `where` names the file in diagnostics.

    Raises:
        FomError: the text is damaged, or its entries do not fit together.
    """
    family: Family = LAYOUT.read(text, where)
    return family
