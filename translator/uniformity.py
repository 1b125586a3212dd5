"""The evidence that a family is uniform, as a person reads it: ids as bit-fields, templates with their wires, and the checks."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from circuits.entries import InputBits, PredicateBits
from circuits.family import Family
from circuits.positions import TRUE, Guard, conjunction, format_term
from circuits.uniformity import Check, Description, Machine, describe, edge, report, threshold
from circuits.uniformity.checks import fan_in_of, random_node
from circuits.uniformity.description import Kind, Places
from circuits.uniformity.report import MOST_WIRES
from circuits.uniformity.walking import gate_wires
from logic.connection_check import same_language
from logic.connection_language import Language, connection_language
from logic.family_to_sentence import VARIABLES, guard_to_formula
from logic.printer import ASCII, Notation, definition_text
from translator.terminal import Line, plain, rows_to_lines, table_to_lines

MOST_KINDS = 24
MOST_FORMULAS = 8
EXAMPLE_LENGTH = 6


@dataclass(frozen=True)
class Answer:
    """One question to `edge`, its answer, and how many word operations that took."""

    source: str
    reader: str
    ids: tuple[int, int]
    weight: int
    operations: int


@dataclass(frozen=True, eq=False)
class Example:
    """One gate at one length: its id taken apart, its threshold, and some wires."""

    n: int
    gate: str
    number: int
    fields: tuple[tuple[str, int, int], ...]
    threshold: int
    answers: tuple[Answer, ...]


@dataclass(frozen=True, eq=False)
class Evidence:
    """Everything that is shown."""

    family: Family
    description: Description
    language: Language
    example: Example
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Tell whether all checks hold."""
        return all(check.holds for check in self.checks)


def evidence(
    family: Family,
    most_n: int = 16,
    most_wires: int = MOST_WIRES,
    seed: int = 0,
    progress: Callable[[str], None] = lambda message: None,
) -> Evidence:
    """Compile the programs of a family, check them (U1 to U6), and work out an example.

    Args:
        most_n: up to which length circuits and formulas are compared.
        most_wires: how many wires are written out in all; longer circuits are compared at random gates.

    Raises:
        FomError: the family has conditions on positions that no straight-line program counts.
    """
    description = describe(family)
    language = connection_language(description)
    found = report(family, description, most_n, most_wires, seed, progress)
    progress("comparing the formulas")
    lengths = [1] if family.inputs else [n for n in range(1, most_n + 1) if family.domain.admits(n)]
    formulas = same_language(language, description, lengths, seed)
    return Evidence(family, description, language, example_of(family, description), (*found.checks, formulas))


def example_of(family: Family, description: Description) -> Example:
    """A gate that reads something at another position if there is one: two of its wires, and one pair that is none."""
    n = 1 if family.inputs else max(family.domain.least, min(EXAMPLE_LENGTH, family.domain.most or EXAMPLE_LENGTH))
    rng = random.Random(0)
    gates = [number for number, kind in enumerate(description.kinds) if kind.threshold is not None]
    number = max(gates, key=lambda one: example_rank(description.kinds[one]))
    kind = description.kinds[number]
    bound = fan_in_of(kind)
    element = int(np.argmax(bound.once + bound.every * n))
    positions = tuple(min(n, 3 + place) for place in range(kind.n_positions))
    layout = description.layout
    reader = int(layout.encode(n, number, positions, element))
    entry = next(gates for gates in family.templates if gates.name == kind.name)
    walked = gate_wires(family, n, entry, positions, element)
    sources: list[int] = []
    for reading in walked.readings:
        source = description.kinds[description.number_of[reading.source]]
        for row in reading.positions[:2]:
            at = int(reading.weights.indices[0])
            sources.append(int(layout.encode(n, description.number_of[source.name], row.tolist(), at)))
    sources = list(dict.fromkeys(one for one in sources if edge(description, n, one, reader)))
    wires = sources[:1] + sources[-1:] if len(sources) > 1 else sources
    near = [random_node(description, n, rule.source, rng) for rule in kind.rules for _ in range(20)]
    none = next((one for one in near if not edge(description, n, one, reader)), 0)
    answers = tuple(answer_of(description, n, one, reader) for one in (*wires, none))
    bits = n.bit_length()
    fields = (
        ("template", layout.template_bits, number),
        *(
            (VARIABLES[place], bits, positions[place] if place < len(positions) else 0)
            for place in range(layout.n_positions)
        ),
        ("element", layout.element_bits, element),
    )
    return Example(
        n, node_text(description, n, reader), reader, fields, int(threshold(description, n, reader)), answers
    )


def example_rank(kind: Kind) -> tuple[bool, int, int]:
    """Prefer gates that sum over positions, have many positions, and few rules."""
    return (any(rule.places.guard is not None for rule in kind.rules), kind.n_positions, -len(kind.rules))


def answer_of(description: Description, n: int, source: int, reader: int) -> Answer:
    """Ask `edge` one question and count."""
    machine = Machine()
    weight = int(edge(description, n, source, reader, machine))
    texts = node_text(description, n, source), node_text(description, n, reader)
    return Answer(*texts, (source, reader), weight, machine.operations)


def node_text(description: Description, n: int, number: int) -> str:
    """The node of an id, e.g. ``score.r.3(2, 5)[0]``, or that there is none."""
    fields = description.layout.decode(Machine(), n, number)
    if not 0 <= fields.template < len(description.kinds):
        return "no node"
    kind = description.kinds[fields.template]
    positions = fields.positions[: kind.n_positions]
    at = f"({', '.join(map(str, positions))})" if positions else ""
    return f"{kind.name}{at}[{fields.element}]"


def render(shown: Evidence, notation: Notation = ASCII, full: bool = False) -> list[Line]:
    """The evidence as lines for the terminal; everything, or an excerpt of long lists."""
    description = shown.description
    layout = description.layout
    return [
        plain("a node is a number", "bold"),
        *field_lines(shown),
        plain(),
        *rows_to_lines(
            [
                ("template", f"{len(description.kinds)} kinds of nodes, numbered level by level"),
                ("position", "as many bits as n has, one field for each position variable; 0 where there is none"),
                ("element", f"0 to {int(description.sizes.max()) - 1} at most"),
                ("width", f"{layout.template_bits + layout.element_bits}{width_text(layout.n_positions)} bits"),
            ]
        ),
        plain(),
        plain("its wires follow from its fields", "bold"),
        *kind_lines(shown, full),
        plain(),
        *example_lines(shown.example),
        plain(),
        plain("the direct connection language in FO(M)", "bold"),
        *formula_lines(shown, notation, full),
        plain(),
        *check_lines(shown.checks),
    ]


def width_text(n_positions: int) -> str:
    """How the positions add to the width of an id."""
    return "" if not n_positions else f" + {n_positions if n_positions > 1 else ''}{'*' if n_positions > 1 else ''}|n|"


def field_lines(shown: Evidence) -> list[Line]:
    """The picture of the bit-field, with the fields of the example."""
    fields = shown.example.fields
    names = [name for name, _, _ in fields]
    widths = [f"{bits} bits" if name in ("template", "element") else f"|n| = {bits}" for name, bits, _ in fields]
    digits = [f"{value:0{bits}b}" if bits else "-" for _, bits, value in fields]
    room = [max(map(len, cells)) for cells in zip(names, widths, digits, strict=True)]
    bar = "+" + "+".join("-" * (width + 2) for width in room) + "+"

    def row(cells: list[str]) -> str:
        return "|" + "|".join(f" {cell.center(width)} " for cell, width in zip(cells, room, strict=True)) + "|"

    example = shown.example
    return [
        plain(bar),
        plain(row(names)),
        plain(row(widths)),
        plain(bar),
        plain(f"{row(digits)}  = {example.number} = {example.gate} at n = {example.n}"),
        plain(bar),
    ]


def kind_lines(shown: Evidence, full: bool) -> list[Line]:
    """One line for each kind of nodes: how many there are, and what it reads, in words."""
    description = shown.description
    kept = description.kinds if full else description.kinds[:MOST_KINDS]
    rows = [
        (str(number), kind.name, count_text(kind), str(kind.level), reads_text(description, kind, full))
        for number, kind in enumerate(kept)
    ]
    lines = table_to_lines(("no", "template", "nodes", "level", "wires"), rows, right=(0, 3))
    left = len(description.kinds) - len(kept)
    return [*lines, plain(f"... {left:,} more; --full shows all", "dim")] if left else lines


def count_text(kind: Kind) -> str:
    """How many nodes of a kind there are at length n."""
    factors = [*([f"{kind.size:,}"] if kind.size > 1 or not kind.n_positions else []), *["n"] * kind.n_positions]
    return "*".join(factors)


def reads_text(description: Description, kind: Kind, full: bool) -> str:
    """What the gates of a kind read, in words: ``h.2 at x; e.0 at every y <= x``."""
    if isinstance(kind.entry, InputBits):
        return "input"
    if isinstance(kind.entry, PredicateBits):
        return "condition on positions"
    by_places: dict[str, list[str]] = {}
    for rule in kind.rules:
        name = description.kinds[rule.source].name
        sources = by_places.setdefault(places_text(rule.places), [])
        if name not in sources:
            sources.append(name)
    parts = []
    for where, sources in by_places.items():
        names = sources if full or len(sources) <= 3 else [*sources[:2], f"{len(sources) - 2} more"]
        parts.append(f"{', '.join(names)}{where}")
    return "; ".join(parts) or "nothing"


def places_text(places: Places) -> str:
    """Where a rule reads, in words."""
    names = VARIABLES[: places.n_positions + 1]
    terms = ", ".join(format_term(term, names) for term in places.at)
    at = f" at {terms}" if len(places.at) == 1 else f" at ({terms})" if places.at else ""
    if places.guard is None:
        return at
    bound = names[places.n_positions]
    condition = guard_text(places.guard)
    where = "" if not condition else f" with {condition}"
    if terms == bound:
        return f" at every {bound}{where}"
    return f"{at} for every {bound}{where}{', counted' if places.counted else ''}"


def guard_text(guard: Guard) -> str:
    """A guard as a formula; empty if it is always true."""
    kept = conjunction(guard)
    return "" if kept == TRUE else str(guard_to_formula(kept))


def example_lines(example: Example) -> list[Line]:
    """Three questions to `edge`, with the counted operations."""
    rows = [
        (
            f"edge({example.n}, {one.ids[0]}, {one.ids[1]})",
            f"= {one.weight}",
            f"{one.source} to {one.reader}" if one.weight else f"no wire from {one.source}",
            f"{one.operations}",
        )
        for one in example.answers
    ]
    rows.append((f"threshold({example.n}, {example.number})", f"= {example.threshold}", example.gate, ""))
    return table_to_lines(("asked", "answer", "", "word operations"), rows, right=(3,))


def formula_lines(shown: Evidence, notation: Notation, full: bool) -> list[Line]:
    """One definition of every different body (or all), and how many there are."""
    definitions = [one for one in shown.language.sentence.definitions if not one.name.startswith("node.")]
    if not full:
        different = {(one.params, one.body): one for one in reversed(definitions)}
        definitions = list(reversed(different.values()))
    kept = definitions if full else definitions[:MOST_FORMULAS]
    total = len(shown.language.edges)
    note = f"{total:,} formulas of wires, {shown.language.shapes} of them different, and a table of weights beside each"
    return [*(plain(definition_text(one, notation)) for one in kept), plain(note, "dim")]


def check_lines(checks: tuple[Check, ...]) -> list[Line]:
    """The checks: the verdict, the claim, the figures, what was looked at, and a counterexample."""
    lines: list[Line] = []
    for check in checks:
        verdict = "holds" if check.holds else "refuted"
        styles = {"holds": "bold green", "refuted": "bold red"}
        lines.append([(f"{check.name}  ", "bold"), (verdict.ljust(9), styles[verdict]), (check.claim, "")])
        figures = "; ".join(f"{name} {figure_text(value)}" for name, value in check.figures.items())
        rows = [("", figures), ("", check.scope)]
        rows += [("", f"counterexample: {check.counterexample}")] if check.counterexample else []
        lines += rows_to_lines(rows)
    return lines


def figure_text(value: int | str) -> str:
    """A figure with separated thousands."""
    return f"{value:,}" if isinstance(value, int) else value


def evidence_facts(shown: Evidence) -> dict[str, Any]:
    """The evidence for JSON: layout, kinds, rules, example, checks and formulas."""
    description = shown.description
    layout = description.layout
    edges = {one.name: one for one in shown.language.edges}
    return {
        "holds": shown.holds,
        "layout": {
            "template_bits": layout.template_bits,
            "positions": layout.n_positions,
            "position_bits": "bits of n",
            "element_bits": layout.element_bits,
        },
        "kinds": [kind_to_data(description, number) for number in range(len(description.kinds))],
        "example": asdict(shown.example),
        "checks": [asdict(check) for check in shown.checks],
        "formulas": [
            {"name": one.name, "text": definition_text(one)}
            | ({"weights": int(edges[one.name].rule.table.row_sizes.sum())} if one.name in edges else {})
            for one in shown.language.sentence.definitions
        ],
    }


def kind_to_data(description: Description, number: int) -> dict[str, Any]:
    """One kind of nodes for JSON."""
    kind = description.kinds[number]
    data: dict[str, Any] = {
        "number": number,
        "name": kind.name,
        "sort": {InputBits: "input", PredicateBits: "constant"}.get(type(kind.entry), "gate"),
        "positions": kind.n_positions,
        "size": kind.size,
        "level": kind.level,
    }
    if kind.threshold is not None:
        bound = fan_in_of(kind)
        data["fan_in"] = {"once": int(bound.once.max()), "every": int(bound.every.max())}
        data["reads"] = [
            {"source": description.kinds[rule.source].name, "where": places_text(rule.places).strip()}
            for rule in kind.rules
        ]
    return data
