"""The table of laws: every law of `simplify` by name, with its statement, its rule, and cases for its test."""

from __future__ import annotations

from collections.abc import Mapping

from logic.simplify import boolean, comparisons, definitions, linear, quantifiers
from logic.simplify.rules import Law

GROUPS: Mapping[str, tuple[Law, ...]] = {
    "Propositional logic": boolean.LAWS,
    "Index terms": comparisons.LAWS,
    "Quantifiers": quantifiers.LAWS,
    "Sums": linear.ITEMS,
    "Linear atoms": linear.ATOMS,
    "Definitions": definitions.LAWS,
}

LAWS = tuple(law for laws in GROUPS.values() for law in laws)


def table() -> str:
    """The laws as tables in Markdown, by group."""
    lines = []
    for group, laws in GROUPS.items():
        rows = [(law.name, law.statement, law.condition) for law in laws]
        lines += [f"## {group}", "", "| law | statement | condition |", "|---|---|---|"]
        for name, statement, condition in rows + list(definitions.STATEMENTS if group == "Definitions" else ()):
            equations = "<br>".join(f"`{one.strip()}`" for one in statement.replace("|", "\\|").split(";  "))
            lines.append(f"| {name} | {equations} | {condition} |")
        lines.append("")
    return "\n".join(lines)
