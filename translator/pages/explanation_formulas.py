"""The formulas of a compiled network's program: definitions, what is answered where, and on which words that is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from logic.printer import UNICODE, write
from translator.pages.elements import NOTHING, Markup, element, paragraph, section, table, text
from translator.pages.formulas import formula_markup, head_of
from translator.terminal import STYLES, Line, line_width, plain, rows_to_lines, unbroken, wrap

if TYPE_CHECKING:
    from logic.syntax import Definition
    from translator.explanations.stating import Stated

WORDS = "Words are those of the program, without BOS: position x is position x + 1 of the network's word, in which"
MOST_ANSWERS = 40
INDENT = "    "


def outcome(stated: Stated) -> tuple[str, str]:
    """The verdict in one word, and what it means."""
    if stated.wrong:
        return "refuted", f"the network does not answer as the formulas say on {', '.join(map(unbroken, stated.wrong))}"
    which = "all words of the compiled size" if stated.every else "the words considered"
    given = f"; at {stated.unspecified:,} of these positions the program has no answer" if stated.unspecified else ""
    return "holds", f"the network answers as the formulas say on {which}: {stated.scope}{given}"


def helpers(stated: Stated) -> list[Definition]:
    """The definitions that are no answers."""
    answers = {name for name, _ in stated.answers}
    return [one for one in stated.formulas.sentence.definitions if one.name not in answers]


def rows_of(stated: Stated) -> list[tuple[str, str, Definition]]:
    """Each answer: the name of its formula, what is answered, and the formula."""
    bodies = {one.name: one for one in stated.formulas.sentence.definitions}
    return [(name, answer, bodies[name]) for name, answer in stated.answers]


def stated_lines(stated: Stated) -> list[Line]:
    """The formulas as lines for the terminal."""
    lines = [plain(), plain("the program as formulas", "bold")]
    for one in helpers(stated):
        lines += rows_to_lines([(f"  {head_of(one)} := ", write(one.body, UNICODE))], label_width=4)
    lines.append(plain())
    shown = rows_of(stated)
    width = max((len(name) + len(answer) for name, answer, _ in shown), default=0) + 8
    for name, answer, one in shown[:MOST_ANSWERS]:
        lines += rows_to_lines([(f"  {name}: {answer}".ljust(width), write(one.body, UNICODE))], label_width=width)
    if len(shown) > MOST_ANSWERS:
        lines.append(plain(f"  {len(shown) - MOST_ANSWERS:,} more are not listed", "dim"))
    word, meaning = outcome(stated)
    first, *rest = wrap(f"{word}: {meaning}", line_width())
    lines += [plain(), [(word, STYLES.get(word, "")), (first[len(word) :], "")], *map(plain, rest)]
    return [*lines, *(plain(line, "dim") for line in wrap(f"{WORDS} {stated.letters}.", line_width()))]


def stated_section(stated: Stated | None) -> Markup:
    """The formulas as a part of a page."""
    if stated is None:
        return NOTHING
    word, meaning = outcome(stated)
    badge = element("span", text(word), class_=f"badge {'good' if word == 'holds' else 'bad'}")
    defined = [
        element("div", element("b", text(f"{head_of(one)} :=")), text(" "), formula_markup(one.body))
        for one in helpers(stated)
    ]
    rows = [
        (element("code", text(name)), text(answer), element("span", formula_markup(one.body), class_="inline"))
        for name, answer, one in rows_of(stated)
    ]
    return section(
        "The program as formulas",
        paragraph(f"{WORDS} {stated.letters}.", "faint"),
        element("div", *defined, class_="formula long") if defined else NOTHING,
        table(("formula", "answer", "holds where"), rows),
        element("p", badge, text(meaning)),
    )
