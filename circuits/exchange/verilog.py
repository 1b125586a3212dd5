"""Verilog of threshold gates: one module of wires, where a gate compares a weighted sum of wires with its threshold.

Bits are signed wires of two bits, so that an expression of bits, sums and sized decimal constants is signed throughout. The width
of a row holds the least and the greatest value of its sum, its threshold and all of its weights; intermediate results may wrap,
which does not change a sum modulo 2**width. Long sums are written in nested groups, so that no parser has to go deep.

Source: IEEE Std 1364-2001, 4.5 (signed expressions) and 3.5.1 (sized constants).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, BinaryIO

import numpy as np
from scipy.sparse import csr_array, hstack

from circuits.bases.majority import MajorityCircuit
from circuits.bases.ports import output_ports
from circuits.circuit import Circuit
from circuits.diagnostics import fail
from circuits.entries import InputBits, PredicateBits
from circuits.exchange.ports import Ports, ports_of
from circuits.matrices import MOST, canonical

Integers = np.ndarray[Any, np.dtype[np.int64]]

CHUNK_TERMS = 1 << 17
GROUP = 64
INPUT, COMPLEMENT, GATE, SUM = (ord(char) for char in "xygs")
PLUS, MINUS = ord("+"), ord("-")


@dataclass(frozen=True, slots=True, eq=False)
class Wires:
    """Objects as wires, with a letter and a number, between `low` and `high`; a constant has no letter, and ``low = high``."""

    letter: Integers
    number: Integers
    low: Integers
    high: Integers

    @staticmethod
    def bits(letter: int, first: int, count: int) -> Wires:
        """Consecutive bits."""
        zero = np.zeros(count, dtype=np.int64)
        return Wires(zero + letter, first + np.arange(count), zero, zero + 1)

    @staticmethod
    def constants(values: Integers) -> Wires:
        """Constants."""
        zero = np.zeros(len(values), dtype=np.int64)
        return Wires(zero, zero, values, values)

    @staticmethod
    def side_by_side(parts: Sequence[Wires]) -> Wires:
        """The wires of several entries."""
        empty = np.zeros(0, dtype=np.int64)
        columns = [[getattr(part, name) for part in parts] for name in ("letter", "number", "low", "high")]
        return Wires(*(np.concatenate([empty, *column]) for column in columns))


def write_verilog(out: BinaryIO, circuit: Circuit, module: str = "circuit") -> None:
    """Write a circuit with its shared sums.

    Raises:
        FomError: a sum needs more than 62 bits.
    """
    ports = ports_of(circuit)
    write_head(out, ports, module)
    out.write(input_lines(ports, INPUT, ""))
    known: dict[str, Wires] = {}
    n_inputs = n_gates = n_sums = 0
    for block in circuit.blocks:
        entry = block.entry
        if isinstance(entry, InputBits):
            known[entry.name] = Wires.bits(INPUT, n_inputs, block.count)
            n_inputs += block.count
        elif isinstance(entry, PredicateBits):
            known[entry.name] = Wires.constants(block.const)
        else:
            bundles = block.weights
            sources = Wires.side_by_side([known[source] for source, _ in bundles])
            nothing = csr_array((block.count, 0), dtype=np.int64)
            joined = hstack([nothing, *(weights for _, weights in bundles)], format="csr")
            weights, const = without_constants(canonical(joined), block.const, sources)
            low, high = reach(weights, const, sources, entry.name)
            if block.thresholds is None:
                known[entry.name] = Wires(np.full(block.count, SUM), n_sums + np.arange(block.count), low, high)
                n_sums += block.count
                write_sums(out, known[entry.name], weights, const, sources)
            else:
                known[entry.name] = Wires.bits(GATE, n_gates, block.count)
                n_gates += block.count
                out.write(f"  // gates g{n_gates - block.count} to g{n_gates - 1}, level {block.level}\n".encode())
                write_gates(
                    out, known[entry.name].number, weights, block.thresholds - const, sources, low - const, high - const
                )
    answered = Wires.side_by_side([known[name] for name, _ in output_ports(circuit)])
    write_end(out, ports, answered)


def write_majority(out: BinaryIO, circuit: MajorityCircuit, ports: Ports, module: str = "circuit") -> None:
    """Write a circuit of majority gates: at least half of the wires of every gate are 1, a wire k times repeated has weight k."""
    ports.require(circuit.n_inputs, len(circuit.outputs))
    write_head(out, ports, module)
    out.write(input_lines(ports, INPUT, "") + input_lines(ports, COMPLEMENT, "~"))
    given = [Wires.bits(letter, 0, circuit.n_inputs) for letter in (INPUT, COMPLEMENT)]
    signals = Wires.side_by_side([Wires.constants(np.arange(2)), *given, Wires.bits(GATE, 0, circuit.n_gates)])
    first = 0
    for level, wires in enumerate(circuit.levels):
        repeated = csr_array((wires.data, wires.indices, wires.indptr), shape=(wires.shape[0], len(signals.number)))
        all_wires = repeated @ np.ones(len(signals.number), dtype=np.int64)
        weights, const = without_constants(canonical(repeated), np.zeros(len(all_wires), dtype=np.int64), signals)
        low, high = reach(weights, const, signals, f"level {level + 1}")
        own = first + np.arange(len(all_wires))
        first += len(all_wires)
        write_gates(out, own, weights, (all_wires + 1) // 2 - const, signals, low - const, high - const)
    chosen = [getattr(signals, name)[circuit.outputs] for name in ("letter", "number", "low", "high")]
    write_end(out, ports, Wires(*chosen))


def write_head(out: BinaryIO, ports: Ports, module: str) -> None:
    """Write comments and the ports of the module."""
    listed = [*(f"  input wire {name}" for name in ports.inputs), *(f"  output wire {name}" for name in ports.outputs)]
    notes = "".join(f"// {note}\n" for note in ports.notes)
    out.write((f"{notes}module {module} (\n" + ",\n".join(listed) + "\n);\n").encode())


def input_lines(ports: Ports, letter: int, operator: str) -> bytes:
    """Inputs, or their complements, as signed wires."""
    rows = [f"  wire signed [1:0] {letter:c}{k} = {{1'b0, {operator}{name}}};\n" for k, name in enumerate(ports.inputs)]
    return "".join(rows).encode()


def write_end(out: BinaryIO, ports: Ports, answered: Wires) -> None:
    """Write the outputs and close the module."""
    rows = []
    columns = (answered.letter.tolist(), answered.number.tolist(), answered.low.tolist())
    for name, letter, number, value in zip(ports.outputs, *columns, strict=True):
        rows.append(f"  assign {name} = " + (f"{letter:c}{number}[0];\n" if letter else f"1'b{value};\n"))
    out.write("".join([*rows, "endmodule\n"]).encode())


def without_constants(weights: csr_array, const: Integers, sources: Wires) -> tuple[csr_array, Integers]:
    """Weights of wires alone; what constants add goes to the constant of the row."""
    fixed = sources.letter == 0
    if not fixed.any():
        return weights, const
    kept = csr_array(weights)
    kept.data = weights.data * ~fixed[weights.indices]
    return canonical(kept), const + weights @ np.where(fixed, sources.low, 0)


def reach(weights: csr_array, const: Integers, sources: Wires, where: str) -> tuple[Integers, Integers]:
    """The least and the greatest value of every row.

    Raises:
        FomError: they may need more than 62 bits.
    """
    largest = np.maximum(np.abs(sources.low.astype(np.float64)), np.abs(sources.high.astype(np.float64)))
    if (abs(weights).astype(np.float64) @ largest + np.abs(const)).max(initial=0.0) >= float(MOST):
        raise fail("C026", "a sum needs more than 62 bits", where=f"entry `{where}`")
    up, down = weights.maximum(0), weights.minimum(0)
    return const + up @ sources.low + down @ sources.high, const + up @ sources.high + down @ sources.low


def signed_widths(*rows: Integers) -> Integers:
    """How many bits hold the numbers of each row, as signed numbers."""
    largest = np.maximum.reduce([np.where(row < 0, ~row, row) for row in rows])
    widths = np.ones(len(largest), dtype=np.int64)
    for bit in range(63):
        widths += largest >> bit > 0
    return widths


def largest_weights(weights: csr_array) -> Integers:
    """The largest absolute weight of every row; 0 where there is none."""
    result = np.zeros(weights.shape[0], dtype=np.int64)
    np.maximum.at(result, np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr)), np.abs(weights.data))
    return result


def write_sums(out: BinaryIO, own: Wires, weights: csr_array, const: Integers, sources: Wires) -> None:
    """Write shared sums: a wire as wide as its values need."""
    widths = signed_widths(own.low, own.high, np.abs(const), largest_weights(weights))
    heads = np.stack([widths - 1, own.number], axis=1)
    tails = np.stack([np.where(const < 0, MINUS, PLUS), widths, np.abs(const)], axis=1)
    write_rows(out, "  wire signed [%d:0] s%d =", heads, weights, widths, sources, " %c %d'sd%d;\n", tails)


def write_gates(
    out: BinaryIO,
    numbers: Integers,
    weights: csr_array,
    thresholds: Integers,
    sources: Wires,
    low: Integers,
    high: Integers,
) -> None:
    """Write gates: their sums, which lie between `low` and `high`, are compared with thresholds."""
    widths = signed_widths(low, high, np.abs(thresholds), largest_weights(weights))
    tails = np.stack([np.where(thresholds < 0, MINUS, PLUS), widths, np.abs(thresholds)], axis=1)
    heads = numbers[:, None]
    write_rows(out, "  wire signed [1:0] g%d = {1'b0,", heads, weights, widths, sources, " >= %c%d'sd%d};\n", tails)


def write_rows(
    out: BinaryIO,
    head: str,
    heads: Integers,
    weights: csr_array,
    widths: Integers,
    sources: Wires,
    tail: str,
    tails: Integers,
) -> None:
    """Write one line for each row: head, weighted terms, tail."""
    lengths = np.diff(weights.indptr).astype(np.int64)
    units = largest_weights(weights) <= 1
    for first, last in pieces(lengths):
        part = slice(weights.indptr[first], weights.indptr[last])
        data, columns = weights.data[part], weights.indices[part]
        count = lengths[first:last]
        unit = units[first:last]
        columns_of_term = [
            np.where(data < 0, MINUS, PLUS), np.repeat(widths[first:last], count), np.abs(data),
            sources.letter[columns], sources.number[columns],
        ]  # fmt: skip
        of_unit = np.repeat(unit, count)[:, None] & np.array([False, True, True, False, False])
        middle = np.stack(columns_of_term, axis=1)[~of_unit]
        values = ragged(heads[first:last], middle, count * np.where(unit, 3, 5), tails[first:last])
        patterns = [head + terms(*row) + tail for row in zip(count.tolist(), unit.tolist(), strict=True)]
        out.write(("".join(patterns) % tuple(values.tolist())).encode())


def pieces(lengths: Integers) -> Iterator[tuple[int, int]]:
    """Consecutive rows that have about `CHUNK_TERMS` terms together."""
    ends = np.cumsum(lengths + 1)
    first = 0
    while first < len(lengths):
        done = int(ends[first - 1]) if first else 0
        last = max(first + 1, int(np.searchsorted(ends, done + CHUNK_TERMS, side="right")))
        yield first, last
        first = last


def ragged(heads: Integers, middle: Integers, lengths: Integers, tails: Integers) -> Integers:
    """The numbers of all rows, one row after the other: its head, its `lengths` numbers of `middle`, its tail."""
    total = heads.shape[1] + lengths + tails.shape[1]
    ends = np.cumsum(total)
    result = np.zeros(int(ends[-1]) if len(ends) else 0, dtype=np.int64)
    inside = np.ones(len(result), dtype=bool)
    for column in range(heads.shape[1]):
        result[ends - total + column] = heads[:, column]
        inside[ends - total + column] = False
    for column in range(tails.shape[1]):
        result[ends - tails.shape[1] + column] = tails[:, column]
        inside[ends - tails.shape[1] + column] = False
    result[inside] = middle
    return result


@cache
def terms(length: int, unit: bool) -> str:
    """The pattern of a sum of so many terms, in groups within groups; a weight of 1 is not written."""
    term = " %c %c%d" if unit else " %c %d'sd%d*%c%d"
    if length == 0:
        return " 1'sd0"
    if length <= GROUP:
        return term * length
    group = GROUP
    while group * GROUP < length:
        group *= GROUP
    whole, rest = divmod(length, group)
    return f" + ({terms(group, unit)})" * whole + (f" + ({terms(rest, unit)})" if rest else "")
