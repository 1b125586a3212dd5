"""Gadgets: the gates that find one element of a word, cut out of the family and compared with those of other elements.

A node's word is found by *local* gates: its bits, and the helpers that they read at the same positions (thermometers). The
elements of a node do not read each other's gates, so each has a gadget of its own; gadgets with the same numbers are one
pattern, and a lemma about the pattern covers them all. What a gadget reads from outside is a weighted sum of a few
quantities (the rounded sum S; numerator and denominator; the bits of a maximum), checked here to be exactly those.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from circuits.entries import Accumulator, Gates
from circuits.matrices import Matrix, matrix
from logic.proving.linear import ONE, Form, Key, Reader, Unfit, own_variables
from logic.proving.session import Session

Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, slots=True, eq=False)
class Quantity:
    """Something a gadget may read: the values `form`, of which element i of the node reads element ``index[i]``.

    `key` is an atom that every element of the form has once: its multiple in a gate is the multiple of the quantity.
    """

    form: Form
    key: Key
    index: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The local gates of one entry: gate j fires iff ``external[j] @ quantities + local wires >= thresholds[j]``."""

    name: str
    external: Integers
    local: dict[str, Matrix]
    thresholds: Integers
    owner: Integers


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The gates of one entry in one gadget; `wires` lead from earlier blocks, by their number."""

    external: Integers
    wires: tuple[tuple[int, Matrix], ...]
    thresholds: Integers

    def require_small(self, largest: Any) -> None:
        """Require sums below 2**61, given the largest magnitude of each quantity.

        Raises:
            Unfit: one may be larger.
        """
        bound = (np.abs(self.external.astype(np.float64)) @ largest).max(initial=0.0)
        bound += sum(np.abs(wires.data.astype(np.float64)).sum() for _, wires in self.wires)
        if bound >= 2.0**61:
            raise Unfit("its sums need more than 62 bits")


@dataclass(frozen=True, slots=True, eq=False)
class Gadget:
    """The gates of one element; ``bits[k]`` is the block whose only gate is bit k. Equal keys: equal gadgets."""

    blocks: tuple[Block, ...]
    bits: tuple[int, ...]
    key: bytes

    @property
    def n_gates(self) -> int:
        return sum(len(block.thresholds) for block in self.blocks)

    @property
    def levels(self) -> int:
        """Length of the longest path of local gates."""
        levels: list[int] = []
        for block in self.blocks:
            levels.append(1 + max((levels[source] for source, _ in block.wires), default=0))
        return max(levels)

    def fire(self, values: Integers) -> Integers:
        """The offset ``sum 2**k bit_k`` for each column of quantities, shape (n_quantities, P).

        Raises:
            Unfit: a sum may need more than 62 bits.
        """
        fired: list[Integers] = []
        largest = np.abs(values.astype(np.float64)).max(axis=1, initial=0.0)
        for block in self.blocks:
            block.require_small(largest)
            total = block.external @ values
            for source, wires in block.wires:
                total = total + wires @ fired[source]
            fired.append((total >= block.thresholds[:, None]).astype(np.int64))
        return sum((fired[place][0] << bit for bit, place in enumerate(self.bits)), start=np.zeros_like(values[0]))


def local_entries(reader: Reader, bits: Sequence[str]) -> list[str]:
    """The bits of a word with the helper gates that they read, directly or not, sources first."""
    seen = set(bits)
    stack = list(bits)
    while stack:
        for source, _, _ in reader.form(stack.pop()).parts:
            if (
                source != ONE
                and source not in seen
                and reader.is_local(source)
                and isinstance(reader.entry(source), Gates)
            ):
                seen.add(source)
                stack.append(source)
    return sorted(seen, key=reader.places.__getitem__)


def local_accumulators(reader: Reader, entries: Sequence[str]) -> list[str]:
    """The helper accumulators that gates read."""
    found = {source: None for name in entries for source, _, _ in reader.form(name).parts if source != ONE}
    return [name for name in found if reader.is_local(name) and isinstance(reader.entry(name), Accumulator)]


def owners(
    reader: Reader, session: Session, bits: Sequence[str], entries: Sequence[str], accepts: Callable[[Key], bool]
) -> dict[str, Integers]:
    """The element that every local gate belongs to: bit gates to their own, helpers to that of their readers, else -1.

    A helper that two elements read is reported and belongs to -2, so that both readers are refused.
    """
    found = {name: np.full(reader.entry(name).size, -1, dtype=np.int64) for name in entries}
    for name in bits:
        found[name] = np.arange(reader.entry(name).size)
    for name in reversed(entries):
        for key, weights in reader.form(name).parts.items():
            source = key[0]
            if source not in found or source in bits or not accepts(key):
                continue
            rows, columns = weights.tocoo().coords
            claimed = found[name][rows]
            rows, columns, claimed = rows[claimed >= 0], columns[claimed >= 0], claimed[claimed >= 0]
            known = found[source].copy()
            known[columns] = np.where(known[columns] == -1, claimed, known[columns])
            clash = columns[known[columns] != claimed]
            known[clash] = -2
            found[source] = known
            for element in np.unique(clash)[:1]:
                session.trouble_at(source, int(element), "two elements of the word read it")
    return found


def templates(
    reader: Reader, session: Session, bits: Sequence[str], quantities: Sequence[Quantity]
) -> tuple[list[Template], set[int]]:
    """The local gates of a node over its quantities, and the elements that read anything else, which are reported."""
    entries = local_entries(reader, bits)
    own = own_variables(reader.entry(bits[0]).n_positions)
    owner = owners(reader, session, bits, entries, lambda key: key[1:] == (own, None))
    result, wrong = [], set[int]()
    for name in entries:
        entry = reader.entry(name)
        if not isinstance(entry, Gates):
            raise Unfit(f"`{name}` is no gate")
        form, belongs = reader.form(name), owner[name]
        used = np.flatnonzero(belongs >= 0)
        external = np.zeros((entry.size, len(quantities)), dtype=np.int64)
        rest = form
        for place, quantity in enumerate(quantities):
            multiples = form.parts.get(quantity.key)
            if multiples is None:
                continue
            places = quantity.index[belongs[used]]
            external[used, place] = looked_up(multiples, used, places)
            taken = matrix(used, places, -external[used, place], (entry.size, quantity.form.size))
            reduced = Form(entry.size)
            reduced.parts = dict(rest.parts)
            reduced.add_form(quantity.form, taken)
            rest = reduced
        local = {}
        for key, weights in rest.parts.items():
            rows, columns = weights.tocoo().coords
            if key == (ONE, (), None):
                continue
            if key[0] in owner and key[1:] == (own, None):
                local[key[0]] = weights
                bad = (belongs[rows] >= 0) & (owner[key[0]][columns] != belongs[rows])
                message = "reads the gates of another element, {}"
            else:
                bad = belongs[rows] >= 0
                message = "reads {} with a weight that does not fit its operand"
            wrong.update(belongs[rows[bad]].tolist())
            for row, element in list(zip(rows[bad], columns[bad], strict=True))[:1]:
                session.trouble_at(name, int(row), message.format(reader.describe(key, int(element))))
        result.append(Template(name, external, local, shifted(entry.thresholds, rest.constants()), belongs))
    return result, wrong


def looked_up(weights: Matrix, rows: Integers, columns: Integers) -> Integers:
    """The entries of a canonical matrix at some places."""
    width = weights.shape[1]
    present = np.repeat(np.arange(weights.shape[0]), np.diff(weights.indptr)) * width + weights.indices
    wanted = rows * width + columns
    places = np.minimum(np.searchsorted(present, wanted), len(present) - 1)
    return np.where(present[places] == wanted, weights.data[places], 0)


def shifted(thresholds: Integers, constants: Integers) -> Integers:
    """Thresholds less the constants on the other side.

    Raises:
        Unfit: one may need more than 62 bits.
    """
    largest = np.abs(thresholds.astype(np.float64)).max(initial=0.0) + np.abs(constants.astype(np.float64)).max(
        initial=0.0
    )
    if largest >= 2.0**62:
        raise Unfit("its thresholds need more than 62 bits")
    return thresholds - constants
