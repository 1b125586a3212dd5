"""Showing a translation: an overview with an excerpt of the sentence, or one definition with what it means."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

from circuits.diagnostics import fail
from circuits.entries import Entry, Gates, InputBits, label
from circuits.family import Family
from circuits.flattening import flatten
from circuits.network import Exact, Network, Node
from logic.printer import ASCII, UNICODE, Notation, definition_text, write
from logic.syntax import Call, Definition, Letter, Sentence, SumCall
from logic.walk import postorder
from translator.explaining import explain
from translator.file_weights import FileWeights
from translator.report import family_text, input_text, precision_text, sentence_text
from translator.summands import condition_text, summand_lines
from translator.terminal import Line, line_width, plain, rows_to_lines, table_to_lines
from translator.weights_table import weights_table

if TYPE_CHECKING:
    from translator.store import Artifacts

EXCERPT = 6
MOST_ELEMENTS = 12
MOST_NAMES = 12
PIECES = 60


class Shown:
    """The contents of a folder with the indices that showing needs."""

    def __init__(self, artifacts: Artifacts, notation: str, full: bool) -> None:
        self.network: Network = artifacts.network
        self.family: Family = artifacts.family
        self.sentence: Sentence = artifacts.sentence
        self.artifacts = artifacts
        self.spelling: Notation = UNICODE if notation == "unicode" else ASCII
        self.full = full
        self.definitions = {definition.name: definition for definition in self.sentence.definitions}

    @cached_property
    def element_of(self) -> dict[str, tuple[Entry, int]]:
        """The entry and the number of every element, by its name."""
        return {label(entry, i): (entry, i) for entry in self.family.entries for i in range(entry.size)}

    @cached_property
    def readers(self) -> dict[str, list[str]]:
        """The definitions that read a name."""
        found: dict[str, list[str]] = defaultdict(list)
        for definition in self.sentence.definitions:
            for name in names_read(definition):
                found[name].append(definition.name)
        return found

    @cached_property
    def file_weights(self) -> FileWeights:
        """The tensors of the ONNX file that linear maps have their weights from."""
        return FileWeights(self.artifacts.model, self.network)

    def names(self) -> Iterable[str]:
        """Everything that can be asked for."""
        entries = chain.from_iterable((entry.name, entry.base) for entry in self.family.entries)
        return chain(
            self.network.by_name, entries, self.definitions, self.sentence.propositions, self.sentence.letters,
            self.file_weights.tensors,
        )  # fmt: skip

    def text(self, definition: Definition, limit: int | None = None) -> str:
        """A definition in the notation asked for, shortened to about `limit` pieces unless everything is asked for."""
        if self.full:
            limit = None
        bare = Definition(definition.name, definition.params, definition.body)
        notation = self.spelling
        if limit is None:
            return definition_text(bare, notation)
        head = definition_text(Definition(definition.name, definition.params, definition.body), notation)
        if len(head) <= 6 * limit:
            return head
        keyword, _, _ = head.partition(" := ")
        return f"{keyword} := {write(definition.body, notation, limit)};"


def names_read(definition: Definition) -> list[str]:
    """The names that a definition reads, each once, in order."""
    found: dict[str, None] = {}
    for node in postorder(definition.body):
        if isinstance(node, Call | SumCall | Letter):
            found[node.name] = None
    return list(found)


def overview(shown: Shown) -> list[Line]:
    """What was built: the facts, the nodes of the network with their templates, its weights, an excerpt of the sentence."""
    facts = shown.artifacts.manifest
    texts = {"input": input_text, "precision": precision_text, "family": family_text, "sentence": sentence_text}
    try:
        rows = [("model", str(facts["model"])), *((name, text(facts)) for name, text in texts.items())]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        where = str(shown.artifacts.folder / "manifest.json")
        raise fail("T053", f"the manifest is damaged: {error}", where=where, help="translate again") from None
    rows += [("note", f"{name} was edited since it was translated") for name in shown.artifacts.edited]
    maps = weights_table(shown.network)
    return [
        *rows_to_lines(rows), plain(), *node_table(shown), plain(), *maps, *([plain()] if maps else []), *excerpt(shown)
    ]  # fmt: skip


def node_table(shown: Shown) -> list[Line]:
    """One line for each node: what it is, its format, and the gates that compute it."""
    templates: dict[str, list[Gates]] = defaultdict(list)
    for entry in shown.family.templates:
        templates[entry.base].append(entry)
    rows = []
    for node in shown.network.nodes:
        own = templates.pop(node.name, [])
        levels = [shown.family.levels[gates.name] for gates in own]
        rows.append(
            (
                node.name,
                type(node).__name__,
                f"{node.size:,}" + ("" if not node.n_positions else " " + "*".join(["n"] * node.n_positions)),
                format_text(node),
                gates_text(own) if own else "",
                span_text(levels),
            )
        )
    header = ("node", "kind", "size", "bits.frac", "gates", "levels")
    return table_to_lines(header, [fit(row) for row in rows])


def fit(row: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the outer modules of a long name, so that the table fits the line."""
    name, room = row[0], max(20, line_width() - 52)
    while len(name) > room and "." in name.removeprefix("..."):
        name = f"...{name.removeprefix('...').partition('.')[2]}"
    return (name, *row[1:])


def format_text(node: Node) -> str:
    """The format of a word as bits and fractional bits; exact values have fractional bits only."""
    return f"exact.{node.frac}" if isinstance(node, Exact) else f"{node.format.bits}.{node.format.frac}"


def gates_text(templates: list[Gates]) -> str:
    """The number of gates of some templates as a polynomial in n."""
    counts: dict[int, int] = defaultdict(int)
    for gates in templates:
        counts[gates.n_positions] += gates.size
    powers = ["", " n", " n^2", " n^3"]
    return " + ".join(f"{counts[k]:,}{powers[k] if k < 4 else f' n^{k}'}" for k in sorted(counts, reverse=True))


def span_text(levels: list[int]) -> str:
    """The first and last level."""
    if not levels:
        return ""
    return str(min(levels)) if min(levels) == max(levels) else f"{min(levels)}-{max(levels)}"


def excerpt(shown: Shown) -> list[Line]:
    """The first definitions, those of the readout, and the last formula; everything when asked for."""
    from logic.printer import to_text

    sentence = shown.sentence
    notation = shown.spelling
    definitions = sentence.definitions
    if shown.full or len(definitions) <= 2 * EXCERPT:
        return [plain(line) for line in to_text(sentence, notation).rstrip("\n").split("\n")]
    first, last = definitions[:EXCERPT], definitions[-EXCERPT:]
    lines: list[Line] = []
    if sentence.letters:
        lines.append(plain(f"letters {', '.join(sentence.letters)};"))
    if sentence.propositions:
        some = ", ".join(sentence.propositions[:MOST_NAMES])
        more = len(sentence.propositions) - MOST_NAMES
        lines.append(plain(f"propositions {some}{f', ... and {more:,} more' if more > 0 else ''};", ""))
    lines += [plain(shown.text(definition, PIECES)) for definition in first]
    left = len(definitions) - 2 * EXCERPT
    lines.append(plain(f"-- ... {left:,} more definitions: --full shows all, `fom show DIR NAME` one", "dim"))
    lines += [plain(shown.text(definition, PIECES)) for definition in last]
    lines.append(plain(write(sentence.formula, notation)))
    return lines


def latex(shown: Shown, name: str | None) -> str:
    """LaTeX of the excerpt, of the whole sentence, or of one name's definitions."""
    from logic.latex import definitions_to_latex, excerpt_to_latex

    sentence = shown.sentence
    if name is None:
        return excerpt_to_latex(sentence, len(sentence.definitions) if shown.full else EXCERPT) + "\n"
    found = [shown.definitions[one] for one in elements_named(shown, name) if one in shown.definitions]
    return definitions_to_latex(tuple(found if shown.full else found[:MOST_ELEMENTS])) + "\n"


def elements_named(shown: Shown, name: str) -> list[str]:
    """The elements that a name means: one, all of a template, or all of a node.

    Raises:
        FomError: there is no such name.
    """
    if name in shown.element_of or name in shown.definitions:
        return [name]
    found = [one for one, (entry, _) in shown.element_of.items() if entry.name == name]
    found = found or [one for one, (entry, _) in shown.element_of.items() if entry.base == name]
    if found:
        return found
    if name in shown.sentence.letters:
        entry = next(entry for entry in shown.family.entries if isinstance(entry, InputBits))
        return [label(entry, shown.sentence.letters.index(name))]
    close = difflib.get_close_matches(name, list(dict.fromkeys(shown.names())), n=3, cutoff=0.5)
    raise fail(
        "T073",
        f"nothing here is called `{name}`",
        where=str(shown.artifacts.folder),
        help=f"did you mean {' or '.join(f'`{one}`' for one in close)}?" if close else "fom show DIR lists the nodes",
    )


def details(shown: Shown, name: str) -> list[Line]:
    """Everything about a name: a node's line, then its elements."""
    if of_file := tensor_lines(shown, name):
        return of_file
    found = elements_named(shown, name)
    parts = [entry.name for entry in shown.family.entries if entry.base == name]
    if len(found) == 1 and (found == [name] or len(parts) <= 1):
        return element_lines(shown, found[0])
    lines: list[Line] = []
    node = shown.network.by_name.get(name)
    if node is not None:
        at = f" at every {'position' if node.n_positions == 1 else f'tuple of {node.n_positions} positions'}"
        shape = f"{node.size:,} element{'s' if node.size > 1 else ''}{at if node.n_positions else ''}"
        kind = f"exact, {node.frac} fractional bits" if isinstance(node, Exact) else str(node.format)
        lines += [
            *rows_to_lines([(name, f"{type(node).__name__}: {shape}; {kind}")], label_width=len(name) + 2),
            plain(),
        ]
    if len(parts) > 1:
        lines += [*entry_table(shown, parts), plain()]
    kept = found if shown.full else found[:MOST_ELEMENTS]
    for one in kept:
        if one in shown.definitions:
            entry, element = shown.element_of[one]
            meaning = explain(shown.network, shown.family, entry, element)
            if meaning:
                lines.append(plain(f"-- {meaning}", "dim"))
            lines.append(plain(shown.text(shown.definitions[one], PIECES)))
        else:
            lines.append(plain(f"{one}: {input_meaning(shown, one)}"))
    if len(found) > len(kept):
        lines.append(plain(f"... {len(found) - len(kept):,} more; --full shows all", "dim"))
    return lines


def tensor_lines(shown: Shown, name: str) -> list[Line]:
    """Where the weights of a tensor of the ONNX file stand, or one of them with its index; nothing if it is no tensor."""
    asked = re.fullmatch(r"(.+?)(?:\[(\d+(?:\s*,\s*\d+)*)\])?", name)
    if asked is None or name in shown.network.by_name or name in shown.element_of or name in shown.definitions:
        return []
    tensor = asked[1] if asked[1] in shown.file_weights.tensors else name
    if tensor not in shown.file_weights.tensors:
        return []
    values = shown.file_weights.tensors[tensor]
    index = tuple(map(int, asked[2].split(","))) if asked[2] and tensor == asked[1] else None
    if index is not None and (
        len(index) != values.ndim or any(i >= size for i, size in zip(index, values.shape, strict=True))
    ):
        raise fail("T073", f"`{tensor}` has no element {list(index)}", note=f"its shape is {list(values.shape)}")
    maps = [(at, found) for at, found in shown.file_weights.maps.items() if found.name == tensor]
    lines = [plain(f"{tensor}: a tensor of the file, {' x '.join(map(str, values.shape))}")]
    if not maps:
        return [*lines, plain("no linear map has its numbers: it was folded into others, or is not used as weights")]
    for (node, source), found in maps:
        row, column = ("i", "j")
        if index is not None:
            row = str(index[-1] if found.columns_first else index[0])
            column = str(index[0] if found.columns_first else index[-1])
        at = found.name + (
            f"[{row}]" if not source else f"[{column}, {row}]" if found.columns_first else f"[{row}, {column}]"
        )
        read = f"the weight of `{source}[{column}]`" if source else "the constant"
        lines.append(plain(f"{at} is {read} in `{node}[{row}]`, rounded"))
        if index is not None:
            lines += [plain(), *element_lines(shown, f"{node}[{row}]")]
    return lines


def entry_table(shown: Shown, entries: list[str]) -> list[Line]:
    """The entries of a node: what they are, how many, and at which level."""
    kinds = {"Gates": "gates", "Accumulator": "sums", "InputBits": "input bits", "PredicateBits": "conditions"}
    rows = []
    for name in entries:
        entry = shown.family.by_name[name]
        at = "*".join(["n"] * entry.n_positions)
        kind = kinds[type(entry).__name__]
        rows.append((name, kind, f"{entry.size:,}{f' {at}' if at else ''}", str(shown.family.levels[name])))
    return table_to_lines(("part", "kind", "count", "level"), rows)


def input_meaning(shown: Shown, name: str) -> str:
    """What an element that has no definition is: a bit of the input."""
    entry, element = shown.element_of[name]
    return explain(shown.network, shown.family, entry, element) or "a bit of the input"


def element_lines(shown: Shown, name: str) -> list[Line]:
    """One element: its definition, what it means, its level and wires, what it reads and what reads it."""
    rows: list[tuple[str, str]] = []
    definition = shown.definitions.get(name)
    lines: list[Line] = []
    if definition is not None:
        lines = [plain(shown.text(definition)), plain()]
    if name in shown.element_of:
        entry, element = shown.element_of[name]
        meaning = explain(shown.network, shown.family, entry, element)
        if meaning:
            rows.append(("meaning", meaning))
        condition = condition_text(shown, entry, definition) if definition is not None else ""
        if condition:
            rows.append(("true iff", condition))
        rows += [("template", template_text(shown, entry, element)), ("level", level_text(shown, entry, element))]
        asked = element_name_in_sentence(shown, entry, element)
    else:
        rows.append(("note", "the family has no such element: the sentence was edited"))
        asked = name
    if definition is not None:
        rows.append(("reads", names_text(names_read(definition), shown.full)))
    readers = shown.readers.get(asked, [])
    last = [f"the last formula, `{shown.sentence.formula}`"] if reads_formula(shown.sentence, asked) else []
    rows.append(("read by", names_text([*readers, *last], shown.full)))
    lines += rows_to_lines(rows)
    if definition is not None and name in shown.element_of:
        terms = summand_lines(shown, *shown.element_of[name], definition)
        lines += [plain(), *terms] if terms else []
    return lines


def element_name_in_sentence(shown: Shown, entry: Entry, element: int) -> str:
    """The name under which the sentence reads an element: letters go by their own names."""
    if isinstance(entry, InputBits) and not shown.family.inputs:
        return shown.family.alphabet[element]
    return label(entry, element)


def reads_formula(sentence: Sentence, name: str) -> bool:
    """Tell whether the last formula reads a name."""
    return any(isinstance(node, Call | SumCall | Letter) and node.name == name for node in postorder(sentence.formula))


def template_text(shown: Shown, entry: Entry, element: int) -> str:
    """Which element of which template, at which positions."""
    kinds = {
        "Gates": "template",
        "Accumulator": "shared sums",
        "InputBits": "input bits",
        "PredicateBits": "conditions on positions",
    }
    at = {0: "", 1: ", one at every position x", 2: ", one at every pair of positions x, y"}.get(
        entry.n_positions, f", one at every tuple of {entry.n_positions} positions"
    )
    return f"element {element} of {entry.size:,} of the {kinds[type(entry).__name__]} `{entry.name}`{at}"


def level_text(shown: Shown, entry: Entry, element: int) -> str:
    """The level, and for a gate its fan-in down to bits."""
    level = shown.family.levels[entry.name]
    text = f"{level} of {shown.family.depth}"
    if not isinstance(entry, Gates):
        return text
    once = every = 0
    for wires in flatten(shown.family.by_name, entry, {}):
        count = int(wires.matrix[[element]].nnz)
        if wires.guard is None:
            once += count
        else:
            every += count
    parts = [f"{once:,} wires"] if once or not every else []
    parts += [f"{every:,} for each position y that its guard admits"] if every else []
    return f"{text}, fan-in {' and '.join(parts)}, threshold {int(entry.thresholds[element]):,}"


def names_text(names: list[str], full: bool) -> str:
    """Names in a row, the first ones of many."""
    if not names:
        return "nothing"
    shown = names if full else names[:MOST_NAMES]
    return ", ".join(shown) + (f", ... {len(names) - len(shown):,} more" if len(names) > len(shown) else "")
