"""Verilog of an and-inverter graph: one module of the primitives ``and``, ``or`` and ``not``.

An AND of two complements is written as the OR whose complement it is; a complement is made once, where something reads it.

Source: IEEE Std 1364-2001, 7.2 (and, or) and 7.3 (not).
"""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np

from circuits.aig import Aig
from circuits.exchange.ports import Ports
from circuits.exchange.text import CHUNK_ROWS, write_rows
from circuits.exchange.verilog import write_head

Integers = np.ndarray[Any, np.dtype[np.int64]]
Bits = np.ndarray[Any, np.dtype[np.bool_]]

PLAIN, COMPLEMENTED = ord("n"), ord("m")
UNCOMPLEMENTED = 6


def write_verilog_gates(out: BinaryIO, aig: Aig, ports: Ports | None = None, module: str = "circuit") -> None:
    """Write a graph: variable v is the wire ``nv``, its complement ``mv``."""
    names = ports or Ports.numbered(aig.n_inputs, len(aig.outputs))
    names.require(aig.n_inputs, len(aig.outputs))
    write_head(out, names, module)
    first = aig.n_inputs + 1
    is_or = (aig.left & aig.right & 1).astype(bool)
    left, right = aig.left ^ is_or, aig.right ^ is_or
    read = np.zeros(2 * (first + aig.n_ands), dtype=bool)
    for literals in (left, right, aig.outputs):
        read[literals] = True
    lines = ["  wire n0 = 1'b0;\n" * int(read[0]), "  wire m0 = 1'b1;\n" * int(read[1])]
    lines += [f"  wire n{k + 1} = {name};\n" for k, name in enumerate(names.inputs)]
    out.write("".join(lines).encode())
    negated = np.flatnonzero(read[3 : 2 * first : 2]) + 1
    write_rows(out, "  wire m%d; not (m%d, n%d);\n", np.repeat(negated[:, None], 3, axis=1))
    own = first + np.arange(aig.n_ands)
    complement = np.where(is_or, read[2 * own], read[2 * own + 1])
    write_gates(out, own, left, right, is_or, complement)
    rows = [
        f"  assign {name} = {COMPLEMENTED if literal & 1 else PLAIN:c}{literal >> 1};\n"
        for name, literal in zip(names.outputs, aig.outputs.tolist(), strict=True)
    ]
    out.write("".join([*rows, "endmodule\n"]).encode())


def write_gates(out: BinaryIO, own: Integers, left: Integers, right: Integers, is_or: Bits, complement: Bits) -> None:
    """Write a gate for each variable, and its complement where that is read."""
    patterns = []
    for kind, wire, other in (("and", "n", "m"), ("or", "m", "n")):
        gate = f"  wire {wire}%d; {kind} ({wire}%d, %c%d, %c%d);"
        patterns += [f"{gate}\n", f"{gate} wire {other}%d; not ({other}%d, {wire}%d);\n"]
    letters = [np.where(literals & 1, COMPLEMENTED, PLAIN) for literals in (left, right)]
    table = np.stack([own, own, letters[0], left >> 1, letters[1], right >> 1, own, own, own], axis=1)
    kinds = 2 * is_or + complement
    for start in range(0, len(own), CHUNK_ROWS):
        part = slice(start, start + CHUNK_ROWS)
        wanted = complement[part, None] | (np.arange(table.shape[1]) < UNCOMPLEMENTED)
        pattern = "".join([patterns[kind] for kind in kinds[part].tolist()])
        out.write((pattern % tuple(table[part][wanted].tolist())).encode())
