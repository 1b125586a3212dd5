"""A translation as a card for notebooks: self-contained HTML, readable on light and dark pages."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from logic.printer import UNICODE, write
from logic.syntax import Definition, Sentence
from translator.report import (
    certified_text,
    domain_text,
    facts_of,
    fidelity_text,
    input_text,
    magnitude,
    network_text,
    precision_text,
)
from translator.terminal import Row

if TYPE_CHECKING:
    from translator.pipeline import Translation

FIRST, LAST = 4, 2
PIECES = 40

CARD = "border:1px solid #8886;border-radius:8px;padding:12px 16px;max-width:780px;font:13px/1.5 system-ui,sans-serif"
TITLE = "font-size:15px;font-weight:600;margin-bottom:8px"
BADGE = "display:inline-block;border-radius:9px;padding:0 8px;margin-left:8px;font-size:12px;font-weight:500"
GOOD, PARTIAL = "background:#2e7d3222;color:#2e7d32", "background:#b2600022;color:#b26000"
KEY = "text-align:left;vertical-align:top;padding:1px 14px 1px 0;font-weight:600;border:0;background:none;white-space:nowrap"
VALUE = "text-align:left;padding:1px 0;border:0;background:none"
NUMBER = "text-align:right;padding:1px 0 1px 18px;border:0;background:none;font-variant-numeric:tabular-nums"
CODE = (
    "margin:10px 0 0;padding:8px 10px;border-radius:6px;background:#8881;font:12px/1.6 ui-monospace,monospace;"
    "overflow-x:auto;white-space:pre"
)


def card(translation: Translation) -> str:
    """The card: what was read, how precisely, how large the results are, and how the sentence begins and ends."""
    facts = facts_of(translation)
    fidelity = facts["fidelity"]
    complete = fidelity["agree"] == fidelity["inputs"]
    agreement = f"{fidelity['agree']:,} / {fidelity['inputs']:,} decisions as onnxruntime"
    badge = f'<span style="{BADGE};{GOOD if complete else PARTIAL}">{agreement}</span>'
    rows: list[Row] = [("input", input_text(facts))]
    if facts["input"]["kind"] == "word":
        rows.append(("lengths", domain_text(facts["domain"])))
    rows += [
        ("precision", precision_text(facts).split("\n")[0]),
        ("fidelity", fidelity_text(fidelity)),
        ("certified", certified_text(fidelity)),
        ("network", network_text(facts["network"])),
        ("sentence", sentence_line(facts)),
    ]
    rows += [("note", note) for note in facts["notes"]]
    return "".join(
        [
            f'<div style="{CARD}">',
            f'<div style="{TITLE}">{escape(title(translation))}{badge}</div>',
            table([[(KEY, label), (VALUE, text)] for label, text in rows]),
            sizes(facts),
            f'<div style="{CODE}">{escape(excerpt(translation.sentence))}</div>',
            "</div>",
        ]
    )


def title(translation: Translation) -> str:
    """The file's name with its folder's, since many files are called model.onnx."""
    return "/".join(translation.model.absolute().parts[-2:])


def sentence_line(facts: dict[str, Any]) -> str:
    """The sentence's sizes in one line."""
    sentence = facts["sentence"]
    return (
        f"{sentence['definitions']:,} definitions, {sentence['nodes']:,} nodes, {sentence['unfolded_nodes']} unfolded; "
        f"quantifier rank {sentence['quantifier_rank']}, majority rank {sentence['majority_rank']}"
    )


def sizes(facts: dict[str, Any]) -> str:
    """The family's sizes as a small table: polynomials and values."""
    family = facts["family"]
    lengths = list(family["gates"]["at"])
    static = facts["input"]["kind"] == "numbers"
    head = f"family: {family['templates']:,} templates, depth {family['depth']}{'' if static else ' for every n'}"
    rows = [
        [
            (KEY, head),
            *([] if static else [(NUMBER, "in n")]),
            *((NUMBER, "" if static else f"n = {n}") for n in lengths),
        ]
    ]
    for kind in ("gates", "wires"):
        size = family[kind]
        values = [(NUMBER, magnitude(size["at"][n])) for n in lengths]
        formula = [] if static else [(NUMBER, superscripts(size["polynomial"] or "no polynomial"))]
        rows.append([(KEY.replace("600", "400"), kind), *formula, *values])
    return f'<div style="margin-top:8px">{table(rows)}</div>'


def superscripts(polynomial: str) -> str:
    """Write ``3*n^2`` as 3n²."""
    for power, sign in (("^2", "²"), ("^3", "³"), ("^4", "⁴")):
        polynomial = polynomial.replace(power, sign)
    return polynomial.replace("*", "").replace("-", "−")


def table(rows: list[list[tuple[str, str]]]) -> str:
    """A table of cells, each a style and a text."""
    lines = (
        '<tr style="background:none">'
        + "".join(f'<td style="{style}">{escape(text).replace(chr(10), "<br>")}</td>' for style, text in row)
        + "</tr>"
        for row in rows
    )
    return f'<table style="border-collapse:collapse;border:0;margin:0;font:inherit">{"".join(lines)}</table>'


def excerpt(sentence: Sentence) -> str:
    """The first and last definitions, shortened, and the last formula."""
    definitions = sentence.definitions
    if len(definitions) <= FIRST + LAST:
        lines = [shortened(definition) for definition in definitions]
    else:
        left = len(definitions) - FIRST - LAST
        lines = [
            *map(shortened, definitions[:FIRST]),
            f"⋮ {left:,} more",
            *map(shortened, definitions[-LAST:]),
        ]
    return "\n".join([*lines, write(sentence.formula, UNICODE, PIECES)])


def shortened(definition: Definition) -> str:
    """A definition in mathematical signs, cut after some pieces."""
    params = f"({', '.join(definition.params)})" if definition.params else ""
    return f"{definition.name}{params} := {write(definition.body, UNICODE, PIECES)}"
