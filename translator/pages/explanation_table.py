"""A network that is a table over letters: its law and formulas, as lines for the terminal and as a section of the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from translator.pages.elements import NOTHING, Markup, element, folded, paragraph, section, table, text
from translator.pages.formulas import displayed, formula_text_lines
from translator.pages.verdicts import KINDS, Told, reasons
from translator.terminal import STYLES, Line, line_width, plain, rows_to_lines, wrap

if TYPE_CHECKING:
    from translator.explanations.tables import Tabled

INDENT = "    "
MOST_WRONG = 12
MOST_SHOWN = 40
"""Formulas on the page."""


def told_law(tabled: Tabled) -> Told:
    """What is known of the law."""
    fit, report = tabled.fit, tabled.report
    if not fit.exact:
        return Told("inexact", f"the law is right on {fit.right:,} of these {fit.seen:,} words", reasons(report))
    if report.verdict == "holds":
        return Told("holds", f"the law is right on all {fit.seen:,} of these words", reasons(report))
    return Told(
        "unknown" if report.verdict == "unknown" else "refuted", "the formulas were not proved", reasons(report)
    )


def statement(tabled: Tabled) -> str:
    """What the law below says."""
    how = {True: "exactly", False: "nearly"}[tabled.fit.exact]
    return f"On words of length {tabled.length} the network answers, {how},"


def positions(places: tuple[int, ...]) -> str:
    """Positions in words."""
    if not places:
        return "no position"
    if len(places) == 1:
        return f"position {places[0]}"
    return f"positions {', '.join(map(str, places[:-1]))} and {places[-1]}"


def remarks(tabled: Tabled) -> list[str]:
    """What the answer depends on, there and elsewhere."""
    found = [f"on these words the answer depends on {positions(tabled.reads)}"]
    reads = tabled.elsewhere.reads
    if reads is not None and tabled.elsewhere.words:
        found[0] += f", on all words of that length on {positions(reads)}"
    return [*found, tabled.elsewhere.text]


def wrong_texts(tabled: Tabled) -> list[str]:
    """The words on which the law is wrong."""
    shown = [f"{one.word} (law: {one.says}, network: {one.decides})" for one in tabled.wrong[:MOST_WRONG]]
    more = tabled.fit.seen - tabled.fit.right - len(shown)
    return [*shown, *([f"{more:,} more"] if more else [])]


def rest_text(tabled: Tabled) -> str:
    """How many formulas are not shown."""
    rest = len(tabled.formulas) - 1
    alike = " of the same kind" if tabled.fit.exact else ""
    return (
        f"and {rest:,} more formula{'s' * (rest != 1)}{alike}, one for each class: fom explain --json lists them"
        if rest
        else ""
    )


def table_lines(tabled: Tabled) -> list[Line]:
    """The law, the words that it is about, the first formula, and what is known of all this."""
    width = line_width()
    known = told_law(tabled)
    lines = [plain(statement(tabled)), plain(), plain(INDENT + tabled.fit.law.text, "bold cyan"), plain()]
    lines += rows_to_lines([("  where  ", tabled.where)] if tabled.where else [], label_width=9)
    lines += rows_to_lines([("  with   ", tabled.meaning)], label_width=9)
    style = STYLES.get(known.word, "bold red")
    first, *rest = wrap(f"{known.word}: {known.meaning}", width)
    lines += [plain(), [(known.word, style), (first[len(known.word) :], "")], *map(plain, rest)]
    for remark in remarks(tabled):
        lines += dim(remark)
    if tabled.wrong:
        lines += rows_to_lines([("  wrong on  ", ", ".join(wrong_texts(tabled)))], label_width=12)
    number, sentence = tabled.formulas[0]
    lines += [plain(), plain(f"On these words it answers class[{number}] exactly where"), plain()]
    lines += [plain(INDENT + line, "cyan") for line in formula_text_lines(sentence, width - len(INDENT))]
    lines += [plain(), *dim(rest_text(tabled))] if rest_text(tabled) else []
    for reason in known.reasons[:2]:
        lines += dim(f"formulas: {reason}")
    return lines


def dim(content: str) -> list[Line]:
    """A remark, indented."""
    return [plain(f"  {line}", "dim") for line in wrap(content, line_width() - 2)]


def table_section(tabled: Tabled) -> Markup:
    """The same as a section."""
    known = told_law(tabled)
    badge = element("span", text(known.word), class_=f"badge {KINDS[known.word]}")
    numbered = tabled.formulas[:MOST_SHOWN]
    parts = [(text(f"class[{number}]"), displayed(sentence)) for number, sentence in numbered]
    more = len(tabled.formulas) - len(numbered)
    wrong = [element("li", text(line)) for line in wrong_texts(tabled)] if tabled.wrong else []
    return section(
        "Law",
        paragraph(statement(tabled), "faint"),
        element("div", element("div", element("b", text(tabled.fit.law.text))), class_="formula"),
        paragraph(f"where {tabled.where}" if tabled.where else "on all words"),
        paragraph(tabled.meaning, "faint"),
        element("p", badge, text(known.meaning)),
        element("ul", *wrong) if wrong else NOTHING,
        element("ul", *(element("li", text(one)) for one in remarks(tabled))),
        element("h3", text("Formulas")),
        paragraph(f"Where {tabled.where}, the answer is exactly:" if tabled.where else "The answer is exactly:", "faint"),
        folded(text(f"{len(tabled.formulas):,} formulas, one for each class"), table(("class", "formula"), parts),
               paragraph(f"{more:,} more are not listed", "faint") if more > 0 else NOTHING),
        folded(text("how that is known"), element("ul", *(element("li", text(line)) for line in known.reasons))),
    )  # fmt: skip
