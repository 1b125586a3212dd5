"""Group the gadgets of a node by their numbers, without an object for each gate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from circuits.matrices import matrix
from logic.proving.gadgets import Block, Gadget, Template

Integers = np.ndarray[Any, np.dtype[np.int64]]


class Sorted:
    """The gates and local wires of one template, sorted by the element that they belong to."""

    def __init__(self, template: Template, size: int, rank: dict[str, Integers], names: Sequence[str]) -> None:
        owner = template.owner
        rows = np.argsort(owner, kind="stable")
        rows = rows[owner[rows] >= 0]
        self.starts = np.searchsorted(owner[rows], np.arange(size + 1))
        rank[template.name] = np.full(len(owner), -1, dtype=np.int64)
        rank[template.name][rows] = np.arange(len(rows)) - self.starts[owner[rows]]
        self.gates = np.column_stack([template.external[rows], template.thresholds[rows]])
        parts = [np.zeros((5, 0), dtype=np.int64)]
        for source, weights in template.local.items():
            coo = weights.tocoo()
            readers, read = coo.coords
            number = np.full(len(readers), names.index(source))
            parts.append(np.stack([owner[readers], rank[template.name][readers], number, rank[source][read], coo.data]))
        wires = np.concatenate(parts, axis=1).astype(np.int64)
        wires = wires[:, wires[0] >= 0]
        wires = wires[:, np.lexsort(wires[3::-1])]
        self.wire_starts = np.searchsorted(wires[0], np.arange(size + 1))
        self.wires = np.ascontiguousarray(wires[1:].T)

    def of(self, element: int) -> tuple[Integers, Integers]:
        """The gates (external weights, threshold) and wires (gate, source, its gate, weight) of one element."""
        gates = self.gates[self.starts[element] : self.starts[element + 1]]
        return gates, self.wires[self.wire_starts[element] : self.wire_starts[element + 1]]


def patterns(
    templates: Sequence[Template], bits: Sequence[str], size: int, skipped: set[int]
) -> list[tuple[Gadget, list[int]]]:
    """The different gadgets of a node's elements, each with the elements that have it."""
    names = [template.name for template in templates]
    rank: dict[str, Integers] = {}
    tables = [Sorted(template, size, rank, names) for template in templates]
    places = tuple(names.index(name) for name in bits)
    groups: dict[bytes, list[int]] = {}
    for element in range(size):
        if element in skipped:
            continue
        parts = [np.array(places).tobytes()]
        for table in tables:
            gates, wires = table.of(element)
            parts += [np.array([*gates.shape, len(wires)]).tobytes(), gates.tobytes(), wires.tobytes()]
        groups.setdefault(b"".join(parts), []).append(element)
    result = []
    for key, elements in groups.items():
        blocks: list[Block] = []
        for table in tables:
            gates, wires = table.of(elements[0])
            joined = []
            for source in np.unique(wires[:, 1]):
                rows, _, columns, weights = wires[wires[:, 1] == source].T
                shape = (len(gates), len(blocks[source].thresholds))
                joined.append((int(source), matrix(rows, columns, weights, shape)))
            blocks.append(Block(gates[:, :-1], tuple(joined), gates[:, -1]))
        result.append((Gadget(tuple(blocks), places, key), elements))
    return result
