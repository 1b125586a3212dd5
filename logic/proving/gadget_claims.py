"""Claims about gadgets, for the solver: the gates' equations imply what the word is to be, for all values of what they read.

The quantities are unbounded integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from circuits.formats import Format
from logic.proving.gadgets import Gadget
from logic.smt.lemmas import Build, Formula, Manager, boolean, integer, weighted

Integers = np.ndarray[Any, np.dtype[np.int64]]


def bit_symbols(manager: Manager, gadget: Gadget) -> list[Formula]:
    """The bits of the word, lowest first."""
    return [boolean(manager, f"b{bit}") for bit in range(len(gadget.bits))]


def gates(manager: Manager, gadget: Gadget, external: Sequence[Formula]) -> Formula:
    """The equations of all gates: each symbol is true iff its sum reaches its threshold."""
    bit_of = {place: bit for bit, place in enumerate(gadget.bits)}
    symbols: list[list[Formula]] = []
    equations = []
    for place, block in enumerate(gadget.blocks):
        named = [f"b{bit_of[place]}"] if place in bit_of else [f"g{place}_{j}" for j in range(len(block.thresholds))]
        symbols.append([boolean(manager, name) for name in named])
        wires: list[list[tuple[int, Formula]]] = [[] for _ in named]
        for row, column in zip(*np.nonzero(block.external), strict=True):
            wires[row].append((int(block.external[row, column]), external[column]))
        for source, weights in block.wires:
            for row, column, weight in zip(*weights.tocoo().coords, weights.data, strict=True):
                wires[row].append((int(weight), symbols[source][column]))
        for symbol, terms, threshold in zip(symbols[place], wires, block.thresholds, strict=True):
            equations.append(manager.Iff(symbol, manager.GE(weighted(manager, terms), manager.Int(int(threshold)))))
    return manager.And(equations)


def code_is(manager: Manager, bits: Sequence[Formula], offset: int) -> Formula:
    """The bits spell an offset."""
    return manager.And([bit if offset >> place & 1 else manager.Not(bit) for place, bit in enumerate(bits)])


def table_claim(gadget: Gadget, breaks: Integers, codes: Integers, format_: Format) -> Build:
    """The gates tabulate: for every integer S the code is ``codes[j]``, j the number of breaks that are at most S."""

    def build(manager: Manager) -> Formula:
        total, bits = integer(manager, "S"), bit_symbols(manager, gadget)
        reached = [manager.GE(total, manager.Int(int(value))) for value in breaks]
        cases = []
        for place, code in enumerate(codes):
            inside = ([reached[place - 1]] if place else []) + [
                manager.Not(above) for above in reached[place : place + 1]
            ]
            cases.append(manager.Implies(manager.And(inside), code_is(manager, bits, int(code) - format_.lo)))
        return manager.Implies(gates(manager, gadget, [total]), manager.And(cases))

    return build
