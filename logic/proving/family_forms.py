"""The linear form of every element of a family that the decision needs, read from its arrays.

The keys are the atoms of `logic.proving.forms`: wires from a source at some places are the source's name at these index terms,
with a guard a count of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from circuits.entries import Accumulator, Entry, Gates, InputBits, PredicateBits, Wires, label
from circuits.family import Family
from circuits.formats import BIT
from circuits.matrices import canonical
from logic.proving import guards
from logic.proving.forms import Form, Key, guard_gate
from logic.syntax import Call, Formula, Letter, SumCall, Term

Mask = np.ndarray[Any, np.dtype[np.bool_]]


def decision_bits(family: Family) -> list[tuple[Entry, int]]:
    """The elements that together are the decision: one for each class, or the bits of each output word from bit 0 up."""
    decision = family.by_name[family.readout.decision]
    if family.decision_format == BIT:
        return [(decision, element) for element in range(decision.size)]
    bits = [family.by_name[f"{decision.name}.{bit}"] for bit in range(family.decision_format.bits)]
    return [(bit, element) for element in range(decision.size) for bit in bits]


def needed_elements(family: Family) -> dict[str, Mask]:
    """Which elements of every entry the decision reads, directly or through others."""
    needed = {entry.name: np.zeros(entry.size, dtype=bool) for entry in family.entries}
    for entry, element in decision_bits(family):
        needed[entry.name][element] = True
    for entry in reversed(family.entries):
        rows = needed[entry.name]
        if isinstance(entry, Gates | Accumulator) and rows.any():
            for wires in entry.wires:
                read = wires.matrix[np.flatnonzero(rows)].indices
                needed[wires.source][read] = True
    return needed


class FamilyForms:
    """Reads the elements of entries as forms."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.read: dict[Any, list[Key]] = {}

    def of_entry(self, entry: Entry, elements: list[int]) -> Iterator[Form]:
        """The form of each element, a gate's with its threshold subtracted."""
        if isinstance(entry, InputBits):
            return
        if isinstance(entry, PredicateBits):
            for element in elements:
                yield guard_gate(guards.of_circuit(entry.guards[element]))
            return
        bundles = []
        for wires in entry.wires:
            if wires.guard is None or guards.of_circuit(wires.guard) != guards.FALSE:
                matrix = canonical(wires.matrix)
                arrays = matrix.indptr.tolist(), matrix.indices.tolist(), matrix.data.tolist()
                bundles.append((self.keys(wires), *arrays))
        const = -entry.thresholds if isinstance(entry, Gates) else entry.const
        length = np.zeros_like(const) if isinstance(entry, Gates) else entry.length
        for element in elements:
            form = Form({}, int(length[element]), int(const[element]))
            terms = form.terms
            for keys, starts, columns, weights in bundles:
                row = slice(starts[element], starts[element + 1])
                added = {keys[column]: weight for column, weight in zip(columns[row], weights[row], strict=True)}
                if terms.keys().isdisjoint(added):
                    terms.update(added)
                else:
                    form.add(Form(added))
            yield form

    def keys(self, wires: Wires) -> list[Key]:
        """The keys that a bundle of wires reads, one for each element of its source."""
        name = wires.source, wires.at, wires.guard
        if name not in self.read:
            source = self.family.by_name[wires.source]
            args = tuple([guards.of_position(term) for term in wires.at])
            found: list[Key] = [self.atom(source, element, args) for element in range(source.size)]
            if wires.guard is not None:
                guard = guards.of_circuit(wires.guard)
                found = [("count", guard, key) for key in found]
            self.read[name] = found
        return self.read[name]

    def atom(self, source: Entry, element: int, args: tuple[Term, ...]) -> Formula | SumCall:
        """The atom that one element of a source is."""
        if isinstance(source, Accumulator):
            return SumCall(label(source, element), args)
        if isinstance(source, InputBits) and not self.family.inputs:
            return Letter(self.family.alphabet[element], args[0])
        return Call(label(source, element), args)
