"""Ids: a node is the number whose bit-fields are its template, one position for each variable, and its element.

``[template | x | y | ... | element]``, the template in the highest bits. The widths of the template and the element are
constants of the family; a position has as many bits as n. Templates are numbered level by level, so a wire always leads from
a smaller id to a larger one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circuits.uniformity.machine import Machine, Word

MACHINE_BITS = 62


@dataclass(frozen=True, slots=True)
class Layout:
    """The widths of the fields: constants, but for the positions."""

    template_bits: int
    n_positions: int
    element_bits: int

    def width(self, n: int) -> int:
        """The bits of an id at length n."""
        return self.template_bits + self.n_positions * n.bit_length() + self.element_bits

    def fits_machine(self, n: int) -> bool:
        """Tell whether ids at length n, and sums of a few of them, fit a 64-bit array."""
        return self.width(n) + 1 < MACHINE_BITS

    def encode(self, n: int, template: Word, positions: Sequence[Word], element: Word) -> Word:
        """The id of a node, or an array of ids; positions that the template does not have are 0."""
        number = template
        for place in range(self.n_positions):
            number = (number << n.bit_length()) + (positions[place] if place < len(positions) else 0)
        return (number << self.element_bits) + element

    def decode(self, machine: Machine, n: int, number: Word) -> Fields:
        """Take an id apart: masks and shifts."""
        width = machine.length(n)
        mask = machine.subtract(machine.shift_left(1, width), 1)
        element = machine.both(number, (1 << self.element_bits) - 1)
        rest = machine.shift_right(number, self.element_bits)
        positions: list[Word] = []
        for _ in range(self.n_positions):
            positions.append(machine.both(rest, mask))
            rest = machine.shift_right(rest, width)
        return Fields(rest, tuple(reversed(positions)), element)


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of an id."""

    template: Word
    positions: tuple[Word, ...]
    element: Word
