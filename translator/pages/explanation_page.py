"""What a network learned, as a page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from translator.pages.attention_drawing import attention_drawings
from translator.pages.elements import (
    NOTHING,
    Markup,
    code,
    element,
    figure_of,
    folded,
    joined,
    page,
    paragraph,
    section,
    table,
    text,
)
from translator.pages.example_words import Marked, examples_of
from translator.pages.explanation_formulas import stated_section
from translator.pages.explanation_table import table_section
from translator.pages.formulas import displayed, inline, letters_of
from translator.pages.front_chart import front_chart, percent
from translator.pages.verdicts import common_scope, told
from translator.report import letters_text, time_text

if TYPE_CHECKING:
    from translator.explanations.explanation import Explained, Explanation

MOST_INSIDE = 400


def explanation_html(explanation: Explanation) -> str:
    """The page: formulas with what is proved of them, the search for them, what is inside, and programs."""
    parts = [answer(one, explanation.alphabet) for one in explanation.explained]
    return page(
        short_path(explanation.model),
        f"{explanation.precision} · words over {letters_text(list(explanation.alphabet))} · {explanation.domain}",
        table_section(explanation.table) if explanation.table is not None else NOTHING,
        *parts,
        stated_section(explanation.stated),
        attention(explanation),
        inside(explanation),
        programs(explanation),
        paragraph(explanation.hint, "faint") if explanation.hint else NOTHING,
        paragraph(f"Time: {time_text(explanation.seconds)}", "faint") if explanation.seconds else NOTHING,
    )


def short_path(model: str) -> str:
    """The file's name with its folder's, since many files are called model.onnx."""
    return "/".join(Path(model).parts[-2:])


def statement(explained: Explained) -> str:
    """What the formula below says."""
    at = " at position x" if any(one.sentence.free for one in explained.front) else ""
    how = {"holds": "exactly", "inexact": "nearly", "refuted": "nearly"}.get(told(explained).word, "as far as is known")
    return f"The network answers {explained.name}{at} {how} where"


def completeness(explained: Explained) -> str:
    """How far the search is complete."""
    if explained.chosen.size == 1:
        return "no formula is shorter"
    if not explained.complete:
        return "shorter formulas were not all tried"
    nodes = f"{explained.complete} node{'s' * (explained.complete != 1)}"
    return f"no formula of the grammar with up to {nodes} (shared ones counted each time) is right on all of them"


def answer(explained: Explained, alphabet: tuple[str, ...]) -> Markup:
    """One class: its formula, the verdict, the front, and words."""
    known = told(explained)
    badge = element("span", text(known.word), class_=f"badge {known.kind}")
    reasons = [element("li", text(line)) for line in known.reasons]
    return section(
        explained.name,
        paragraph(statement(explained), "faint"),
        displayed(explained.chosen.sentence),
        element("p", badge, text(known.meaning)),
        folded(text("how that is known"), element("ul", *reasons)) if reasons else NOTHING,
        words(explained, alphabet),
        front(explained),
        further(explained.further) if explained.further is not None else NOTHING,
    )


def further(explained: Explained) -> Markup:
    """The formula that is right on longer words than the one shown first."""
    known = told(explained)
    badge = element("span", text(known.word), class_=f"badge {known.kind}")
    reasons = [element("li", text(line)) for line in known.reasons]
    return joined(
        (
            element("h3", text("On longer words, too")),
            displayed(explained.chosen.sentence),
            element("p", badge, text(known.meaning)),
            folded(text("how that is known"), element("ul", *reasons)) if reasons else NOTHING,
        )
    )


def words(explained: Explained, alphabet: tuple[str, ...]) -> Markup:
    """Words on which the formula is wrong, and short ones on which it holds and does not hold."""
    found = examples_of(explained.chosen.sentence, alphabet)
    wrong = set(explained.wrong)
    open_ = bool(explained.chosen.sentence.free)
    rows = []
    if wrong:
        more = explained.chosen.wrong > len(wrong)
        listed = [element("span", text(word), class_="word bad") for word in explained.wrong]
        rows.append(("the formula is wrong on" + (", first" if more else ""), listed))
    rows.append(("it holds at the letters marked" if open_ else "it holds on", [chip(one, wrong) for one in found.yes]))
    rows.append(("it holds nowhere in" if open_ else "it does not hold on", [chip(one, wrong) for one in found.no]))
    parts = [joined((element("dt", text(name)), element("dd", *listed))) for name, listed in rows if listed]
    return element("dl", *parts) if parts else NOTHING


def chip(word: Marked, wrong: set[str]) -> Markup:
    """A word, with its marked letters underlined, and red if the formula is known to be wrong on it."""
    letters: list[Markup] = []
    for letter, marked in word:
        letters += [*([text(" ")] if letters else []), element("u", text(letter)) if marked else text(letter)]
    known = " ".join(letter for letter, _ in word) in wrong
    return element("span", *letters, class_="word bad" if known else "word")


def front(explained: Explained) -> Markup:
    """The candidates of the search: a chart and a table."""
    rounds = explained.rounds
    refined = f", {rounds:,} time{'s' * (rounds != 1)} refined by a counterexample" if rounds else ""
    rows = [
        (
            text(number),
            text(one.size),
            text(one.wrong),
            text(percent(one)),
            element("strong", inline(one.sentence)) if one == explained.chosen else inline(one.sentence),
        )
        for number, one in enumerate(explained.front, 1)
    ]
    listed = table(("", "nodes", "wrong", "right", "formula"), rows, numbers=(0, 1, 2, 3))
    return joined(
        (
            element("h3", text("Short against right")),
            paragraph(
                f"Searched on {explained.searched}{refined}, in {explained.seconds:.1f} s; {completeness(explained)}.",
                "faint",
            ),
            element("div", front_chart(explained), listed, class_="pair"),
        )
    )


def attention(explanation: Explanation) -> Markup:
    """Heat maps of all heads on one word."""
    if not explanation.attention:
        return NOTHING
    letters = letters_of(explanation.word, explanation.alphabet)
    return section(
        "Attention",
        element(
            "p", text("on the word "), element("span", text(explanation.word), class_="word"),
            text("a row for each position that attends, a column for each that it reads"), class_="faint",
        ),
        attention_drawings(letters, explanation.attention),
    )  # fmt: skip


def inside(explanation: Explanation) -> Markup:
    """The words and heads that compute something short."""
    if not explanation.inside:
        return NOTHING
    common = common_scope(explanation)
    columns = 2 if common else 3
    rows = [
        (element("code", text(name)), element("span", text(formula), class_="inline"), text(scope))[:columns]
        for name, formula, scope in explanation.inside[:MOST_INSIDE]
    ]
    header = ("name", "what it computes", "on")[:columns]
    about = paragraph(f"on {common}", "faint") if common else NOTHING
    more = len(explanation.inside) - MOST_INSIDE
    left = paragraph(f"{more:,} more are not listed", "faint") if more > 0 else NOTHING
    return section("Inside the network", about, table(header, rows), left)


def programs(explanation: Explanation) -> Markup:
    """The first explanation as programs."""
    named = [("RASP", explanation.rasp), ("Python", explanation.python)]
    shown = [figure_of(name, code(program)) for name, program in named if program]
    title = "As a program" if len(explanation.explained) <= 1 else f"{explanation.explained[0].name} as a program"
    return section(title, element("div", *shown, class_="programs")) if shown else NOTHING
