"""Input propositions as the bits of fixed-size inputs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from circuits.formats import BIT, Format
from circuits.network import Inputs

ELEMENT = re.compile(r"(.*)\[(\d+)\](?:\.(\d+))?")

Group = tuple[Inputs, list[list[str]]]
"""An input, and for each bit the propositions of its numbers."""


def grouped(propositions: Sequence[str]) -> list[Group]:
    """Inputs for propositions: ``x[i]`` and ``x[i].b`` are bit b of number i of an input x, if none of these is missing.

    Otherwise each proposition is an input of one bit.
    """
    found: dict[str, dict[tuple[int, str | None], str]] = {}
    for name in propositions:
        parts = ELEMENT.fullmatch(name)
        base, place = (parts[1], (int(parts[2]), parts[3])) if parts else (name, (0, "0"))
        found.setdefault(base, {})[place] = name
    groups: list[Group] = []
    for base, places in found.items():
        size = 1 + max(element for element, _ in places)
        bits = [None] if (0, None) in places else [str(bit) for bit in range(len(places) // size)]
        rows = [[places.get((element, bit)) for element in range(size)] for bit in bits]
        names = [[name for name in row if name is not None] for row in rows]
        whole = len(bits) * size == len(places) == sum(map(len, names))
        if not whole or (len(bits) == 1 and bits[0] is not None):
            return [(Inputs(name, 1, BIT), [[name]]) for name in propositions]
        groups.append((Inputs(base, size, Format(len(bits), 0, 0)), names))
    return groups
