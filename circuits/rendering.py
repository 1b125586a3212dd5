"""Families, circuits and networks as tables for notebooks: well-formed HTML of bounded length."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from circuits.formats import BIT
from circuits.network import Exact, Inputs, Letters, Predicates
from circuits.sizes import size_polynomials

if TYPE_CHECKING:
    from circuits.circuit import Circuit
    from circuits.entries import Gates
    from circuits.family import Family
    from circuits.network import Domain, Network, Node

MOST_ROWS = 40
MOST_LETTERS = 20
MOST_DRAWN_WIRES = 600
BAR = 30
"""The length of the longest bar of a histogram, in characters."""


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], left: int = 0) -> str:
    """A table of at most `MOST_ROWS` rows; all columns but the first and `left` are numbers."""
    shown = [list(row) for row in rows]
    more = len(shown) - MOST_ROWS
    styles = ["text-align:left" if k in (0, left) else "text-align:right" for k in range(len(heads))]
    lines = ["".join(f'<th style="{style}">{escape(head)}</th>' for style, head in zip(styles, heads, strict=True))]
    for row in shown[:MOST_ROWS]:
        cells = (f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in row)
        lines.append(
            "".join(f'<td style="{style}">{escape(cell)}</td>' for style, cell in zip(styles, cells, strict=True))
        )
    if more > 0:
        lines.append(f'<td colspan="{len(heads)}">… {more:,} more</td>')
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def domain_text(domain: Domain) -> str:
    """The lengths of a domain."""
    return f"every length n ≥ {domain.least}" if domain.most is None else f"lengths {domain.least} to {domain.most}"


def reads_text(alphabet: Sequence[str], inputs: Sequence[Inputs], domain: Domain) -> str:
    """What is read: a word over some letters, or numbers."""
    if inputs:
        return ", ".join(f"{given.size:,} numbers of {given.format.bits} bits ({given.name})" for given in inputs)
    letters = " ".join(alphabet[:MOST_LETTERS]) + (" …" if len(alphabet) > MOST_LETTERS else "")
    return f"words over {len(alphabet):,} letters ({letters}), {domain_text(domain)}"


def scope_text(gates: Gates) -> str:
    """How many copies of a template there are."""
    return {0: "1", 1: "n"}.get(gates.n_positions, f"n^{gates.n_positions}")


def family_html(family: Family) -> str:
    """What a family reads, its sizes, how many templates are at each level, and its templates."""
    sizes = size_polynomials(family)
    words = [f"{kind} {'no polynomial in n' if found is None else found}" for kind, found in sizes.items()]
    levels, templates = family.levels, family.templates
    at_level = Counter(levels[gates.name] for gates in templates)
    outputs = Counter[int]()
    for gates in templates:
        outputs[levels[gates.name]] += gates.size
    most = max(at_level.values(), default=1)
    histogram = [
        (level, at_level[level], outputs[level], "█" * max(1, BAR * at_level[level] // most))
        for level in sorted(at_level)
    ]
    rows = [
        (gates.name, levels[gates.name], f"{gates.size:,} · {scope_text(gates)}", len(gates.wires))
        for gates in templates
    ]
    return (
        f"<div><p>A family of threshold circuits of depth {family.depth}, the same for every n</p>"
        f"<p>{escape(reads_text(family.alphabet, family.inputs, family.domain))}; {escape(', '.join(words))}</p>"
        f"{table(('level', 'templates', 'elements', ''), histogram, left=3)}"
        f"<details><summary>{len(templates):,} templates</summary>"
        f"{table(('template', 'level', 'gates', 'bundles of wires'), rows)}</details></div>"
    )


def circuit_html(circuit: Circuit) -> str:
    """The sizes of a circuit, and its gates by level."""
    family = circuit.family
    levels = Counter[int]()
    for gates in family.templates:
        levels[family.levels[gates.name]] += gates.size * circuit.n**gates.n_positions
    return (
        f"<div><p>The threshold circuit for n = {circuit.n}: {circuit.n_gates:,} gates, {family.wires(circuit.n):,} wires, "
        f"depth {family.depth}</p>{table(('level', 'gates'), sorted(levels.items()))}</div>"
    )


def circuit_svg(circuit: Circuit) -> str | None:
    """A drawing of a circuit of at most `MOST_DRAWN_WIRES` wires; None for a larger one."""
    from circuits.drawing import data_to_svg
    from circuits.wiring import circuit_to_data

    if circuit.family.wires(circuit.n) > MOST_DRAWN_WIRES:
        return None
    return data_to_svg(circuit_to_data(circuit.family, circuit.n))


def values_text(node: Node) -> str:
    """What the values of a node are."""
    if isinstance(node, Exact):
        return "exact"
    form = node.format
    return f"{form.bits} bits, codes {form.lo:,} to {form.hi:,}" if form != BIT else "1 bit"


def network_html(network: Network) -> str:
    """What a network reads, and its nodes."""
    rounding = sum(not isinstance(node, Exact | Letters | Inputs | Predicates) for node in network.nodes)
    rows = [(node.name, type(node).__name__, node.size, node.n_positions, values_text(node)) for node in network.nodes]
    heads = ("node", "kind", "elements", "positions", "values")
    return (
        f"<div><p>A fixed-precision network of {len(network.nodes):,} nodes, {rounding} of them rounded or looked up</p>"
        f"<p>{escape(reads_text(network.alphabet, network.inputs, network.domain))}</p>"
        f"{table(heads, rows, left=4)}</div>"
    )
