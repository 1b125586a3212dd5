"""Claims about gadgets, for the solver: the gates' equations imply what the word is to be, for all values of the quantities.

The specifications are stated by inequalities, independently of how a gadget is built. `c` stands for the code, linear in the
bits; the quantities are unbounded integers.
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


def nearest(
    manager: Manager,
    bits: Sequence[Formula],
    format_: Format,
    up: Formula,
    down: Sequence[tuple[int, Formula]],
    one: Formula,
) -> Formula:
    """The code c is the nearest to a fraction: `up` is twice the numerator, `one` the denominator d, `down` adds up to ``2cd``.

    ``c = hi or up < 2cd + d or (up = 2cd + d and c even)``, and symmetrically below.
    """
    doubled = weighted(manager, down)
    upper, lower = manager.Plus(doubled, one), manager.Minus(doubled, one)
    even = bits[0] if format_.lo % 2 else manager.Not(bits[0])
    at_most = manager.Or(manager.And(bits), manager.LT(up, upper), manager.And(manager.Equals(up, upper), even))
    at_least = manager.Or(
        manager.And([manager.Not(bit) for bit in bits]),
        manager.GT(up, lower),
        manager.And(manager.Equals(up, lower), even),
    )
    return manager.And(at_most, at_least)


def rounding_claim(gadget: Gadget, shift: int, format_: Format) -> Build:
    """The gates round: for every integer S the code is the nearest to ``S / 2**shift``, ties to even, saturating."""

    def build(manager: Manager) -> Formula:
        total, bits = integer(manager, "S"), bit_symbols(manager, gadget)
        scale, step = 1 << max(-shift, 0), 1 << max(shift, 0)
        doubled = [(2 * step << bit, symbol) for bit, symbol in enumerate(bits)]
        doubled.append((2 * step * format_.lo, manager.TRUE()))
        up = weighted(manager, [(2 * scale, total)])
        spec = nearest(manager, bits, format_, up, doubled, manager.Int(step))
        return manager.Implies(gates(manager, gadget, [total]), spec)

    return build


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


def quotient_claim(gadget: Gadget, claimed: Sequence[int], shift: int, format_: Format) -> Build:
    """The gates divide: for all integers N and D >= 1 the code is the nearest to ``N * 2**shift / D``.

    The quantities are N, D and, for each bit in `claimed`, that bit times D.
    """

    def build(manager: Manager) -> Formula:
        num, den, bits = integer(manager, "N"), integer(manager, "D"), bit_symbols(manager, gadget)
        up, down = 1 << max(shift, 0), 1 << max(-shift, 0)
        products = [manager.Ite(bit, den, manager.Int(0)) for bit in bits]
        doubled = [(2 * down << bit, product) for bit, product in enumerate(products)]
        doubled.append((2 * down * format_.lo, den))
        twice, one = weighted(manager, [(2 * up, num)]), weighted(manager, [(down, den)])
        spec = nearest(manager, bits, format_, twice, doubled, one)
        equations = gates(manager, gadget, [num, den, *(products[bit] for bit in claimed)])
        return manager.Implies(manager.And(manager.GE(den, manager.Int(1)), equations), spec)

    return build


def maximum_claim(gadget: Gadget) -> Build:
    """The gates find the word M from its bits m0, m1, ...: every bit of the result is that of M."""

    def build(manager: Manager) -> Formula:
        bits = bit_symbols(manager, gadget)
        given = [boolean(manager, f"m{bit}") for bit in range(len(bits))]
        same = [manager.Iff(bit, other) for bit, other in zip(bits, given, strict=True)]
        return manager.Implies(gates(manager, gadget, given), manager.And(same))

    return build


def monotone_claim(weights: Sequence[int]) -> Build:
    """``sum weights[k] * bit k`` does not decrease when the word with these bits grows."""

    def build(manager: Manager) -> Formula:
        low = [boolean(manager, f"v{bit}") for bit in range(len(weights))]
        high = [boolean(manager, f"w{bit}") for bit in range(len(weights))]
        powers = [1 << bit for bit in range(len(weights))]

        def total(factors: Sequence[int], bits: Sequence[Formula]) -> Formula:
            return weighted(manager, list(zip(factors, bits, strict=True)))

        below = manager.LE(total(powers, low), total(powers, high))
        return manager.Implies(below, manager.LE(total(weights, low), total(weights, high)))

    return build
