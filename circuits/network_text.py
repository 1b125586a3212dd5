"""The text form of a network: a header, then one line for each node (`circuits.json_lines`)."""

from __future__ import annotations

from circuits.json_lines import (
    ALPHABET,
    DOMAIN,
    EXPONENT,
    FORMAT,
    GUARD,
    INPUTS,
    INTEGERS,
    MATRIX,
    NAME,
    POSITIONS,
    READOUT,
    REF,
    ROWS,
    SEGMENT,
    SIZE,
    Field,
    Layout,
    Shape,
    integer_field,
    optional,
    record,
    several,
)
from circuits.network import (
    Affine,
    Function,
    Inputs,
    Letters,
    Maximum,
    Network,
    Operand,
    Predicates,
    Product,
    Quotient,
    Round,
    Sum,
    Table,
)
from circuits.network_checks import MOST_SHIFT
from circuits.scalar_text import scalar_of_data, scalar_to_data

PLACED = {"name": NAME, "n_positions": POSITIONS}
SIZED = {**PLACED, "size": SIZE}
SHIFT = integer_field(-MOST_SHIFT, MOST_SHIFT)
SCALAR = Field(scalar_to_data, scalar_of_data)
OPERANDS = several(record(Shape(Operand, {"ref": REF, "matrix": MATRIX})))

SHAPES = {
    "letters": (Letters, {"name": NAME, "size": SIZE}),
    "predicates": (Predicates, {**PLACED, "guards": several(GUARD)}),
    "affine": (Affine, {**SIZED, "operands": OPERANDS, "const": INTEGERS, "length": INTEGERS, "frac": EXPONENT}),
    "product": (
        Product,
        {**PLACED, "left": REF, "left_index": INTEGERS, "right": REF, "right_index": INTEGERS, "frac": EXPONENT},
    ),
    "sum": (Sum, {**SIZED, "operand": REF, "guard": GUARD, "frac": EXPONENT}),
    "round": (Round, {**SIZED, "operand": REF, "shift": SHIFT, "format": FORMAT}),
    "table": (Table, {**SIZED, "operand": REF, "breaks": INTEGERS, "codes": INTEGERS, "format": FORMAT}),
    "function": (
        Function,
        {**SIZED, "operand": REF, "function": SCALAR, "frac": EXPONENT, "format": FORMAT},
    ),
    "quotient": (
        Quotient,
        {**SIZED, "num": REF, "den": REF, "den_index": INTEGERS, "shift": SHIFT, "format": FORMAT},
    ),
    "maximum": (
        Maximum,
        {
            **SIZED,
            "operand": REF,
            "groups": ROWS,
            "guard": optional(GUARD),
            "segments": several(SEGMENT),
            "format": FORMAT,
        },
    ),
}

LAYOUT = Layout(
    "network",
    "nodes",
    {"alphabet": ALPHABET, "domain": DOMAIN, "readout": optional(READOUT)},
    {kind: (class_, Shape(class_, fields)) for kind, (class_, fields) in SHAPES.items()} | {"inputs": (Inputs, INPUTS)},
    Network,
)


def network_to_text(network: Network) -> str:
    """Write a network."""
    return LAYOUT.write(network)


def network_of_text(text: str, where: str = "") -> Network:
    """Read and check a network; `where` names the file in diagnostics.

    Raises:
        FomError: the text is damaged, or its nodes do not fit together.
    """
    network: Network = LAYOUT.read(text, where)
    return network
