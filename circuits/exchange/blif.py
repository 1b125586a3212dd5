"""BLIF, the Berkeley logic interchange format: an and-inverter graph as one table of cubes for each AND.

Source: University of California, Berkeley, *Berkeley Logic Interchange Format (BLIF)*, 1992.
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from circuits.aig import Aig
from circuits.exchange.ports import Ports
from circuits.exchange.text import CHUNK_ROWS

Integers = np.ndarray[Any, np.dtype[np.int64]]

PER_LINE = 20
TRUE = 1


def write_blif(out: BinaryIO, aig: Aig, ports: Ports | None = None, model: str = "circuit") -> None:
    """Write a graph: one table for each AND and each output."""
    names = ports or Ports.numbered(aig.n_inputs, len(aig.outputs))
    names.require(aig.n_inputs, len(aig.outputs))
    head = [*(f"# {note}" for note in names.notes), f".model {model}"]
    for keyword, listed in ((".inputs", names.inputs), (".outputs", names.outputs)):
        rows = [" ".join(listed[at : at + PER_LINE]) for at in range(0, len(listed), PER_LINE)]
        head.append(keyword + (" " if rows else "") + " \\\n  ".join(rows))
    used = np.concatenate([aig.left, aig.right]) >> 1
    if (used == 0).any():
        head.append(".names n0")
    out.write(("\n".join(head) + "\n").encode())
    own = aig.n_inputs + 1

    def called(variables: Integers) -> list[str]:
        return [names.inputs[v - 1] if 0 < v < own else f"n{v}" for v in variables.tolist()]

    for start in range(0, aig.n_ands, CHUNK_ROWS):
        left, right = (literals[start : start + CHUNK_ROWS] for literals in (aig.left, aig.right))
        columns = (
            called(left >> 1), called(right >> 1), range(own + start, own + start + len(left)),
            (1 - (left & 1)).tolist(), (1 - (right & 1)).tolist(),
        )  # fmt: skip
        flat = [field for row in zip(*columns, strict=True) for field in row]
        out.write((".names %s %s n%d\n%d%d 1\n" * len(left) % tuple(flat)).encode())
    tail = []
    for name, source, literal in zip(names.outputs, called(aig.outputs >> 1), aig.outputs.tolist(), strict=True):
        if literal > TRUE:
            tail.append(f".names {source} {name}\n{1 - (literal & 1)} 1\n")
        else:
            tail.append(f".names {name}\n" + "1\n" * literal)
    out.write("".join([*tail, ".end\n"]).encode())
