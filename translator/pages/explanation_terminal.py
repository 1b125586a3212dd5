"""What a network learned, as lines for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator.pages.attention_drawing import shaded
from translator.pages.explanation_formulas import stated_lines
from translator.pages.explanation_page import completeness, short_path, statement
from translator.pages.explanation_table import table_lines
from translator.pages.formulas import chunks, formula_text_lines, head_of, letters_of
from translator.pages.front_chart import percent
from translator.pages.verdicts import common_scope, told
from translator.report import letters_text, time_text
from translator.terminal import STYLES, Line, line_width, plain, rows_to_lines, unbroken, wrap

if TYPE_CHECKING:
    from logic.syntax import Sentence
    from translator.explanations.explanation import Explained, Explanation

INDENT = "    "
MOST_REASONS = 2
MOST_LETTERS = 24
MOST_INSIDE = 24
NUMBERS = 24
"""Columns of the table of candidates before the formula."""


def explanation_lines(explanation: Explanation) -> list[Line]:
    """The formulas with what is proved of them, the candidates, attention, what is inside, and the first program."""
    read = f"{explanation.precision}, words over {letters_text(list(explanation.alphabet))}; {explanation.domain}"
    lines = [plain(short_path(explanation.model), "bold"), *map(plain, wrap(read, line_width()))]
    if explanation.table is not None:
        lines += [plain(), *table_lines(explanation.table)]
    for one in explanation.explained:
        lines += [plain(), *answer(one)]
    if explanation.stated is not None:
        lines += stated_lines(explanation.stated)
    lines += attention(explanation)
    if explanation.inside:
        common = common_scope(explanation)
        lines += [plain(), [("inside the network", "bold"), (f", on {common}" if common else "", "")]]
        for name, formula, scope in explanation.inside[:MOST_INSIDE]:
            found = formula if common else f"{formula} ({scope})"
            lines += entry_lines(name, found)
        if len(explanation.inside) > MOST_INSIDE:
            lines += dim(f"{len(explanation.inside) - MOST_INSIDE:,} more are not listed")
    program = explanation.rasp or explanation.python
    if program:
        lines += [plain(), plain("as a program", "bold")]
        lines += [plain(f"  {line}") for line in program.rstrip("\n").split("\n")]
    if explanation.hint:
        lines += [plain(), *dim(explanation.hint)]
    if explanation.seconds:
        lines += [plain(), *rows_to_lines([("time", time_text(explanation.seconds))], label_width=6)]
    return lines


def entry_lines(name: str, text: str) -> list[Line]:
    """A name with what is said of it, below it if the name is long."""
    if 2 * len(name) <= line_width():
        return rows_to_lines([(f"  {name}  ", text)], label_width=len(name) + 4)
    return [plain(f"  {line}", "bold") for line in wrap(name, line_width() - 2)] + rows_to_lines(
        [(INDENT, text)], label_width=len(INDENT)
    )


def answer(explained: Explained) -> list[Line]:
    """One class: its formula, the verdict, the words it is wrong on, and the candidates."""
    known = told(explained)
    width = line_width()
    lines = [plain(statement(explained)), plain()]
    lines += [
        plain(INDENT + line, "bold cyan") for line in formula_text_lines(explained.chosen.sentence, width - len(INDENT))
    ]
    style = STYLES.get(
        known.word, {"bad": "bold red", "open": "bold yellow"}[known.kind] if known.kind != "good" else ""
    )
    first, *rest = wrap(f"{known.word}: {known.meaning}", width)
    lines += [plain(), [(known.word, style), (first[len(known.word) :], "")], *map(plain, rest)]
    for reason in known.reasons[:MOST_REASONS]:
        lines += dim(reason)
    if explained.wrong:
        more = ", ..." if explained.chosen.wrong > len(explained.wrong) else ""
        lines += rows_to_lines([("  wrong on", ", ".join(map(unbroken, explained.wrong)) + more)])
    lines = [*lines, plain(), *candidates(explained)]
    if explained.further is not None:
        lines += [plain(), *further(explained.further)]
    return lines


def further(explained: Explained) -> list[Line]:
    """The formula that is right on longer words than the one above."""
    known = told(explained)
    first, *rest = wrap(f"on longer words, too: {known.word}: {known.meaning}", line_width())
    lines = [plain(first), *map(plain, rest), plain()]
    return lines + [
        plain(INDENT + line) for line in formula_text_lines(explained.chosen.sentence, line_width() - len(INDENT))
    ]


def candidates(explained: Explained) -> list[Line]:
    """The front as a table, the chosen one with a star; long formulas go on below."""
    lines = [plain("  nodes    wrong  right  formula", "bold")]
    for one in explained.front:
        chosen = one == explained.chosen
        first, *rest = cell_lines(one.sentence, line_width() - NUMBERS)
        numbers = f"{'*' if chosen else ' '} {one.size:>5,} {one.wrong:>8,} {percent(one):>6}  "
        style = "bold" if chosen else ""
        lines += [[(numbers, style), (first, style)], *(plain(" " * NUMBERS + line, style) for line in rest)]
    rounds = explained.rounds
    refined = f", {rounds:,} time{'s' * (rounds != 1)} refined by a counterexample" if rounds else ""
    return [
        *lines,
        *dim(f"searched: {explained.searched}{refined}, {explained.seconds:.1f} s"),
        *dim(completeness(explained)),
    ]


def dim(content: str) -> list[Line]:
    """A remark, indented."""
    return [plain(f"  {line}", "dim") for line in wrap(content, line_width() - 2)]


def cell_lines(sentence: Sentence, width: int) -> list[str]:
    """A formula with its definitions, filled into lines that are broken between chunks only."""
    parts = list(chunks(sentence.formula))
    for number, definition in enumerate(sentence.definitions):
        parts[-1] += ";" if number else ""
        parts += [f"{'' if number else 'where '}{head_of(definition)} =", *chunks(definition.body)]
    lines = [parts[0]]
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return lines


def attention(explanation: Explanation) -> list[Line]:
    """The heads on one word, side by side as far as the line goes."""
    if not explanation.attention:
        return []
    letters = letters_of(explanation.word, explanation.alphabet)
    lines = [plain(), [("attention", "bold"), (f" on {explanation.word}", "")]]
    if len(letters) > MOST_LETTERS:
        return [*lines, *dim(f"{len(letters):,} letters are too many for the terminal")]
    row: list[list[str]] = []
    room = line_width() - len(INDENT)
    for name, weights in explanation.attention:
        drawn = shaded(letters, weights)
        width = max(map(len, [name, *drawn]))
        block = [part.ljust(width) for part in (name, *drawn)]
        if row and sum(len(other[0]) + 3 for other in row) + width > room:
            lines += beside(row)
            row = []
        row.append(block)
    return [*lines, *beside(row)]


def beside(blocks: list[list[str]]) -> list[Line]:
    """Blocks of lines, one beside the other."""
    height = max(map(len, blocks))
    filled = [block + [" " * len(block[0])] * (height - len(block)) for block in blocks]
    return [plain(INDENT + "   ".join(parts).rstrip()) for parts in zip(*filled, strict=True)]
