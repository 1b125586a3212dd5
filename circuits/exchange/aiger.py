"""AIGER, the exchange format of and-inverter graphs, as text (``.aag``) and in binary (``.aig``).

A file is a header, the inputs and outputs, one AND a line or two differences of seven-bit groups, a table of names, and comments.
The header of version 1.9 is read; latches and properties are refused, since a circuit of fixed depth has none. What is
written is in AIGER's order, so that both forms hold the same arrays and read back to them.

Source: A. Biere, K. Heljanko, S. Wieringa, *AIGER 1.9 and beyond* (2011).
"""

from __future__ import annotations

import re
from typing import Any, BinaryIO

import numpy as np

from circuits.aig import Aig
from circuits.exchange.ordering import order_gates
from circuits.exchange.ports import Ports
from circuits.exchange.text import Lines, write_rows

Integers = np.ndarray[Any, np.dtype[np.int64]]

GROUP_BITS = 7
MOST_GROUPS = 9
HEADER = re.compile(r"(aag|aig)((?: (?:0|[1-9]\d{0,17})){5,9})")
SYMBOL = re.compile(r"([iolbcjf])(0|[1-9]\d{0,17}) (.+)")


def write_aiger(out: BinaryIO, aig: Aig, ports: Ports | None = None, *, text: bool = False) -> None:
    """Write a graph in AIGER's binary form, or as text."""
    names = ports or Ports.numbered(aig.n_inputs, len(aig.outputs))
    names.require(aig.n_inputs, len(aig.outputs))
    n_gates = aig.n_ands
    first = 2 * (aig.n_inputs + 1)
    own = first + 2 * np.arange(n_gates, dtype=np.int64)
    header = f"{aig.n_inputs + n_gates} {aig.n_inputs} 0 {len(aig.outputs)} {n_gates}\n"
    out.write((("aag " if text else "aig ") + header).encode())
    if text:
        write_rows(out, "%d\n", np.arange(2, first, 2)[:, None])
    write_rows(out, "%d\n", aig.outputs[:, None])
    if text:
        write_rows(out, "%d %d %d\n", np.stack([own, aig.left, aig.right], axis=1))
    else:
        out.write(groups_of(np.stack([own - aig.left, aig.left - aig.right], axis=1).ravel()))
    symbols = [f"i{k} {name}\n" for k, name in enumerate(names.inputs)]
    symbols += [f"o{k} {name}\n" for k, name in enumerate(names.outputs)]
    comments = ["c\n", *(f"{note}\n" for note in names.notes)] if names.notes else []
    out.write("".join([*symbols, *comments]).encode())


def groups_of(numbers: Integers) -> bytes:
    """Natural numbers as groups of seven bits, lowest first; the high bit of a byte says that more follow."""
    lengths = np.ones(len(numbers), dtype=np.int64)
    for groups in range(1, MOST_GROUPS):
        lengths += numbers >> GROUP_BITS * groups > 0
    ends = np.cumsum(lengths)
    result = np.zeros(int(ends[-1]) if len(ends) else 0, dtype=np.uint8)
    for group in range(int(lengths.max(initial=0))):
        present = lengths > group
        digits = numbers[present] >> GROUP_BITS * group & 127
        more = lengths[present] > group + 1
        result[(ends - lengths)[present] + group] = digits | more << GROUP_BITS
    return result.tobytes()


def read_aiger(data: bytes, source: str = "") -> tuple[Aig, Ports]:
    """Read a combinational graph, as text or in binary, with its names.

    Bits without a name are called ``i0`` and ``o0`` as in `Ports.numbered`; comments become the notes of the ports.

    Raises:
        FomError: the file is malformed, or has latches or properties.
    """
    lines = Lines(data, source, "AIGER")
    header = lines.next("the header")
    found = HEADER.fullmatch(header)
    if found is None:
        raise lines.error(f"the header is `aag` or `aig` with 5 to 9 natural numbers, not `{header[:60]}`", 1)
    counts = [int(number) for number in found[2].split()]
    most, n_inputs, n_latches, n_outputs, n_gates = counts[:5]
    if n_latches or any(counts[5:]):
        raise lines.error("latches and properties have no place in a circuit", 1, code="C091")
    if (most != n_inputs + n_gates) if found[1] == "aig" else (most < n_inputs + n_gates):
        raise lines.error(f"{n_inputs} inputs and {n_gates} gates do not make {most} variables", 1)
    if found[1] == "aag":
        inputs = lines.table(n_inputs, 1, "an input")[:, 0]
        outputs = lines.table(n_outputs, 1, "an output")[:, 0]
        start = lines.line
        gates = lines.table(n_gates, 3, "a gate")
        check_literals(lines, most, inputs, outputs, gates, start)
        aig = order_gates(
            inputs >> 1, gates[:, 0] >> 1, gates[:, 1], gates[:, 2], outputs,
            lambda variable: f"literal {2 * variable}", lambda why: lines.error(why, start),
        )  # fmt: skip
    else:
        outputs = lines.table(n_outputs, 1, "an output")[:, 0]
        beyond = np.flatnonzero(outputs > 2 * most + 1)
        if len(beyond):
            raise lines.error(f"the literal {outputs[beyond[0]]} is beyond {2 * most + 1}", 2 + int(beyond[0]))
        own = 2 * (n_inputs + 1 + np.arange(min(n_gates, len(data)), dtype=np.int64))
        differences = read_groups(lines, n_gates).reshape(-1, 2)
        left = own - differences[:, 0]
        right = left - differences[:, 1]
        wrong = np.flatnonzero((differences[:, 0] == 0) | (right < 0))
        if len(wrong):
            raise lines.error(f"gate {wrong[0]} reads a literal that is not below its own")
        aig = Aig(n_inputs, left, right, outputs)
    return aig, read_names(lines, n_inputs, n_outputs)


def check_literals(lines: Lines, most: int, inputs: Integers, outputs: Integers, gates: Integers, start: int) -> None:
    """Refuse literals beyond the header's largest variable, and negated or constant literals where one is defined.

    Raises:
        FomError: naming the line.
    """
    parts = ((inputs[:, None], 2), (outputs[:, None], 2 + len(inputs)), (gates, start))
    for table, line in parts:
        beyond = np.flatnonzero((table > 2 * most + 1).any(axis=1))
        if len(beyond):
            row = int(beyond[0])
            raise lines.error(f"the literal {table[row].max()} is beyond {2 * most + 1}", line + row)
    for defined, line in ((inputs, 2), (gates[:, 0], start)):
        odd = np.flatnonzero((defined & 1 == 1) | (defined == 0))
        if len(odd):
            raise lines.error(f"the literal {defined[odd[0]]} cannot be defined", line + int(odd[0]))


def read_groups(lines: Lines, n_gates: int) -> Integers:
    """The two differences of every gate.

    Raises:
        FomError: the file ends within them, or a number has too many bits.
    """
    body = np.frombuffer(lines.data, dtype=np.uint8, offset=lines.at)
    wanted = 2 * n_gates
    ends = np.flatnonzero(body < 128)[:wanted] if wanted else np.zeros(0, dtype=np.int64)
    if len(ends) < wanted:
        raise lines.error(f"the file ends within gate {len(ends) // 2} of {n_gates}")
    lengths = np.diff(ends, prepend=-1)
    if lengths.max(initial=0) > MOST_GROUPS:
        raise lines.error(f"gate {int(np.argmax(lengths > MOST_GROUPS)) // 2} has a difference beyond 63 bits")
    numbers = np.zeros(wanted, dtype=np.int64)
    for group in range(int(lengths.max(initial=0))):
        present = lengths > group
        digits = body[(ends - lengths + 1)[present] + group].astype(np.int64) & 127
        numbers[present] |= digits << GROUP_BITS * group
    lines.at += int(ends[-1]) + 1 if wanted else 0
    return numbers


def read_names(lines: Lines, n_inputs: int, n_outputs: int) -> Ports:
    """The table of names and the comments, up to the end of the file.

    Raises:
        FomError: a line is neither, or names what does not exist.
    """
    inputs, outputs = ([f"{kind}{k}" for k in range(count)] for kind, count in (("i", n_inputs), ("o", n_outputs)))
    seen: set[str] = set()
    notes: list[str] = []
    while not lines.at_end:
        line = lines.next("a name")
        if line == "c":
            notes = lines.data[lines.at :].decode("utf-8", "replace").splitlines()
            break
        found = SYMBOL.fullmatch(line)
        if found is None:
            raise lines.error(
                f"a name is `i`, `o` with a number, a blank and a text, not `{line[:60]}`", lines.line - 1
            )
        kind, place = found[1], int(found[2])
        if kind not in "io" or place >= (n_inputs if kind == "i" else n_outputs):
            raise lines.error(f"there is no {kind}{place} to be named", lines.line - 1)
        if f"{kind}{place}" in seen:
            raise lines.error(f"{kind}{place} is named twice", lines.line - 1)
        seen.add(f"{kind}{place}")
        (inputs if kind == "i" else outputs)[place] = found[3]
    return Ports(tuple(inputs), tuple(outputs), tuple(notes))
