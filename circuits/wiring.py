"""A circuit gate by gate: every gate of one length with its wires and threshold, as JSON or as a drawing in Graphviz' language.

`drawing` makes SVG of the same data. Shared sums are written out: a gate's wires lead to inputs, constants and gates only, and
what sums add as a constant has been taken off the threshold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scipy.sparse import csr_array

from circuits.circuit import Circuit, instantiate
from circuits.diagnostics import fail
from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits
from circuits.exchange.ports import bit_labels
from circuits.family import Family
from circuits.sizes import Polynomial
from circuits.written_sums import written_sums

MOST_WIRES = 200_000
MOST_DRAWN = 5_000


def require_small(family: Family, n: int, wires: Polynomial | None, most: int, what: str) -> None:
    """Refuse to write out a circuit of too many wires, before it is built.

    Raises:
        FomError: with the numbers.
    """
    family.domain.require(n)
    count = int(wires(n)) if wires is not None else family.wires(n)
    if count > most:
        static = bool(family.inputs)
        shape = f", which is {wires}" if wires is not None and not static else ""
        shorter = "" if static else "choose a shorter --length, or "
        raise fail(
            "T072",
            f"the circuit for n = {n} has {count:,} wires{shape}; {what} holds at most {most:,}",
            help=f"{shorter}translate with a lower --precision",
        )


def circuit_to_data(family: Family, n: int) -> dict[str, Any]:
    """The circuit for length n: inputs, constants, levels of gates, and the gates that are the decision.

    Objects are numbered in the order of the family; a gate fires iff its weighted wires add up to its threshold.
    """
    circuit = instantiate(family, n)
    names, first = number_objects(circuit)
    inputs: list[dict[str, Any]] = []
    constants: list[dict[str, Any]] = []
    levels: list[list[dict[str, Any]]] = [[] for _ in range(circuit.depth)]
    written = {found.entry.name: found for found in written_sums(circuit.blocks)}
    for block in circuit.blocks:
        entry = block.entry
        if isinstance(entry, InputBits):
            inputs += [{"id": first[entry.name] + i, "name": names[entry.name][i]} for i in range(block.count)]
            continue
        if isinstance(entry, PredicateBits):
            constants += [
                {"id": first[entry.name] + i, "name": names[entry.name][i], "value": int(block.const[i])}
                for i in range(block.count)
            ]
            continue
        if block.thresholds is not None:
            found = written[entry.name]
            thresholds = (block.thresholds - found.const).tolist()
            wires = list(wires_of(found.weights, first, block.count))
            for i in range(block.count):
                gate = {"id": first[entry.name] + i, "name": names[entry.name][i], "threshold": thresholds[i]}
                levels[block.level - 1].append({**gate, "wires": wires[i]})
    readout = family.readout
    decision = decision_ids(family, first, circuit)
    return {
        "schema": 1,
        "n": n,
        "depth": circuit.depth,
        "gates": circuit.n_gates,
        "wires": sum(len(gate["wires"]) for level in levels for gate in level),
        "readout": {"kind": readout.kind, "decision": decision},
        "inputs": inputs,
        "constants": constants,
        "levels": levels,
    }


def number_objects(circuit: Circuit) -> tuple[dict[str, list[str]], dict[str, int]]:
    """The names of all bits of a circuit, and the number of the first one of every entry."""
    names: dict[str, list[str]] = {}
    first: dict[str, int] = {}
    total = 0
    for block in circuit.blocks:
        entry = block.entry
        if isinstance(entry, Accumulator):
            continue
        names[entry.name] = bit_labels(circuit, entry)
        first[entry.name] = total
        total += block.count
    return names, first


def wires_of(sums: dict[str, csr_array], first: dict[str, int], count: int) -> Iterator[list[list[int]]]:
    """The wires of every object of a block: pairs of an object's number and a weight other than 0."""
    parts = []
    for source, weights in sums.items():
        parts.append((first[source], weights.indptr, weights.indices, weights.data))
    for row in range(count):
        wires: list[list[int]] = []
        for offset, starts, columns, data in parts:
            start, stop = starts[row], starts[row + 1]
            wires += [
                [offset + int(column), int(weight)]
                for column, weight in zip(columns[start:stop], data[start:stop], strict=True)
            ]
        yield sorted(wires)


def decision_ids(family: Family, first: dict[str, int], circuit: Circuit) -> list[int]:
    """The numbers of the gates that are the decision, position by position."""
    decision = family.by_name[family.readout.decision]
    places: list[tuple[Entry, int]]
    if isinstance(decision, Gates):
        places = [(decision, element) for element in range(decision.size)]
    else:
        bits = [family.by_name[f"{decision.name}.{bit}"] for bit in range(family.decision_format.bits)]
        places = [(bit, element) for element in range(decision.size) for bit in bits]
    return [
        first[entry.name] + position * entry.size + element
        for position in range(circuit.n**family.readout.n_positions)
        for entry, element in places
    ]


def data_to_json(data: dict[str, Any]) -> str:
    """One gate a line, so that the text can be read and compared."""
    head = {key: value for key, value in data.items() if key not in ("inputs", "constants", "levels")}
    lines = [json.dumps(head)[:-1] + ","]
    for key in ("inputs", "constants"):
        lines.append(f' "{key}": [' + ("" if data[key] else "],"))
        if data[key]:
            lines.append(",\n".join("  " + json.dumps(item) for item in data[key]) + "],")
    levels = [" [\n" + ",\n".join("  " + json.dumps(gate) for gate in level) + "\n ]" for level in data["levels"]]
    lines.append(' "levels": [\n' + ",\n".join(levels) + "]}")
    return "\n".join(lines) + "\n"


def data_to_dot(data: dict[str, Any]) -> str:
    """A drawing, inputs at the left; a weight other than 1 stands at its wire, a threshold in its gate."""
    lines = ["digraph circuit {", "  rankdir=LR;", '  node [shape=box, fontname="monospace", fontsize=10];']
    lines.append('  edge [fontsize=8, color="#555555"];')
    lines += [f"  {given['id']} [shape=plaintext, label={quoted(given['name'])}];" for given in data["inputs"]]
    for given in data["constants"]:
        shown = quoted(f"{given['name']} = {given['value']}")
        lines.append(f"  {given['id']} [shape=plaintext, label={shown}];")
    decision = set(data["readout"]["decision"])
    for level in data["levels"]:
        lines.append("  { rank=same; " + " ".join(f"{gate['id']};" for gate in level) + " }")
        for gate in level:
            shape = ", peripheries=2" if gate["id"] in decision else ""
            shown = quoted(f"{gate['name']} >= {gate['threshold']}")
            lines.append(f"  {gate['id']} [label={shown}{shape}];")
            for source, weight in gate["wires"]:
                weighted = "" if weight == 1 else f' [label="{weight}"]'
                lines.append(f"  {source} -> {gate['id']}{weighted};")
    return "\n".join([*lines, "}"]) + "\n"


def quoted(text: str) -> str:
    """A string of Graphviz' language."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
