"""A translation as a page: what was read, how precisely, what was built, and how to check it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from circuits.entries import Gates
from circuits.family import Family
from circuits.network import Network
from logic.printer import UNICODE, write
from logic.syntax import Sentence
from translator.html import superscripts
from translator.pages.depth_chart import depth_chart
from translator.pages.elements import (
    NOTHING,
    Markup,
    code,
    element,
    facts,
    folded,
    joined,
    page,
    paragraph,
    section,
    table,
    text,
)
from translator.pages.explanation_page import short_path
from translator.pages.formulas import head_of
from translator.pages.network_drawing import network_drawing
from translator.report import (
    certified_text,
    domain_text,
    fidelity_text,
    input_text,
    network_text,
    precision_text,
    pure_text,
    sentence_text,
    simplified_text,
    time_text,
)
from translator.showing import format_text, gates_text, span_text

MOST_DEFINITIONS, MOST_NODES, PIECES = 200, 400, 250
COMMANDS = (
    ("fom verify DIR", "network = circuit = sentence: a proof by composition, and every short input"),
    ("fom verify DIR --certificate OUT", "the same, written down; fom check OUT re-checks it with other programs"),
    ("fom show DIR NAME", "one node, gate or definition, and what it reads"),
)


def report_html(manifest: dict[str, Any], network: Network, family: Family, sentence: Sentence) -> str:
    """The page of a translation; what its `manifest` does not know, such as hashes before the files exist, is left out."""
    readable = manifest["input"]["kind"] == "word"
    overview = [
        ("input", input_text(manifest)),
        ("lengths", domain_text(manifest["domain"]) if readable else ""),
        ("precision", precision_text(manifest)),
        ("fidelity", fidelity_text(manifest["fidelity"])),
        ("certified", certified_text(manifest["fidelity"])),
        *(("note", note) for note in manifest["notes"]),
    ]
    return page(
        short_path(manifest["model"]),
        "a family of threshold circuits and a sentence of FO(M)",
        facts(overview),
        network_part(network, manifest),
        family_part(network, family, manifest),
        sentence_part(sentence, manifest),
        proof_part(manifest),
        origin_part(manifest),
    )


def network_part(network: Network, manifest: dict[str, Any]) -> Markup:
    """The data flow."""
    said = f"{network_text(manifest['network'])}. A dot is a rounding point; everything between two of them is exact."
    return section("Network", paragraph(said, "faint"), element("div", network_drawing(network), class_="wide"))


def family_part(network: Network, family: Family, manifest: dict[str, Any]) -> Markup:
    """Sizes, gates by level, and templates by node."""
    found = manifest["family"]
    lengths = list(found["gates"]["at"])
    reads_word = manifest["input"]["kind"] == "word"
    heads = ["", *(["in n"] if reads_word else []), *(f"n = {n}" if reads_word else "number" for n in lengths)]
    rows = []
    for kind in ("gates", "wires"):
        size = found[kind]
        formula = [text(superscripts(size["polynomial"] or "no polynomial"))] if reads_word else []
        rows.append([text(kind), *formula, *(text(size["at"][n]) for n in lengths)])
    n = int(lengths[-1])
    same = ", the same for every n" if reads_word else ""
    said = f"{found['templates']:,} templates, depth {found['depth']:,}{same}; rounding gadgets: {found['choice']}"
    listed = (
        [element("p", text(f"… {len(network.nodes) - MOST_NODES:,} more"))] if len(network.nodes) > MOST_NODES else []
    )
    return section(
        "Family",
        paragraph(said, "faint"),
        table(heads, rows, numbers=range(1, len(heads))),
        element("h3", text(f"Gates at each level, for n = {n}" if reads_word else "Gates at each level")),
        depth_chart(family, n),
        folded(
            text("templates by node of the network"),
            table(("node", "kind", "size", "bits.frac", "gates", "levels"), node_rows(network, family), numbers=(2, 3)),
            *listed,
        ),
    )


def node_rows(network: Network, family: Family) -> Iterator[list[Markup]]:
    """A row for each node, with the gates that compute it."""
    templates: dict[str, list[Gates]] = defaultdict(list)
    for entry in family.templates:
        templates[entry.base].append(entry)
    for node in network.nodes[:MOST_NODES]:
        own = templates[node.name]
        levels = span_text([family.levels[gates.name] for gates in own])
        gates = superscripts(gates_text(own)) if own else ""
        cells = (type(node).__name__, node.size, format_text(node), gates, levels)
        yield [element("code", text(node.name)), *map(text, cells)]


def sentence_part(sentence: Sentence, manifest: dict[str, Any]) -> Markup:
    """Sizes, the last formula, and the first definitions."""
    count = len(sentence.definitions)
    more = count - MOST_DEFINITIONS
    last = [paragraph(f"… {more:,} more in sentence.fom", "faint")] if more > 0 else []
    rows = [
        ("sizes", sentence_text(manifest)),
        ("simplified", simplified_text(manifest["simplified"]) if manifest["simplified"] else ""),
        ("pure FO(M)", pure_text(manifest["pure"]) if manifest["pure"] else ""),
    ]
    definitions = folded(
        text(f"{min(count, MOST_DEFINITIONS):,} of {count:,} definitions"),
        *(folded(*definition) for definition in definition_parts(sentence)),
        *last,
    )
    return section(
        "Sentence", facts(rows), code(write(sentence.formula, UNICODE, PIECES)), definitions if count else NOTHING
    )


def definition_parts(sentence: Sentence) -> Iterator[tuple[Markup, Markup]]:
    """The name of each definition shown, with the first line of its comment, and its body."""
    for definition in sentence.definitions[:MOST_DEFINITIONS]:
        comment = definition.comment.split("\n")[0]
        said = element("span", text(f"  {comment}"), class_="faint") if comment else NOTHING
        body = element("pre", text(write(definition.body, UNICODE, PIECES)))
        yield joined((text(head_of(definition)), said)), body


def proof_part(manifest: dict[str, Any]) -> Markup:
    """What is known without further work, and how to know more."""
    fidelity = manifest["fidelity"]
    known = (
        "The family and the sentence are built from the network by construction; translating proves nothing beyond the "
        f"certified decisions: {fidelity['certified']:,} of {fidelity['examined']:,} examined."
    )
    return section(
        "Checking", paragraph(known), table((), [(element("code", text(name)), text(said)) for name, said in COMMANDS])
    )


def origin_part(manifest: dict[str, Any]) -> Markup:
    """Settings, versions, times and hashes."""
    settings = {key: value for key, value in manifest.get("settings", {}).items() if value not in (None, {}, "False")}
    hashes = [[element("code", text(name)), element("code", text(value))] for name, value in
              manifest.get("hashes", {}).items()]  # fmt: skip
    rows = [
        ("settings", ", ".join(f"{key} {value}" for key, value in settings.items())),
        ("versions", ", ".join(f"{name} {number}" for name, number in manifest.get("versions", {}).items())),
        ("time", time_text(manifest["seconds"])),
    ]
    return section("Origin", facts(rows), table(("file", "SHA-256"), hashes) if hashes else NOTHING)
