"""Formulas to be read: broken before connectives, never inside an atom."""

from __future__ import annotations

from collections.abc import Iterator

from logic.formatting import format_text
from logic.printer import UNICODE, spell, write
from logic.syntax import Definition, Formula, Sentence, Sum
from translator.pages.elements import BLANK, Markup, element, joined, text
from translator.words import parse_word

CONNECTIVES = frozenset(["∧", "∨", "→", "↔"])
LONG = 160
NARROWEST = 24


def chunks(root: Formula | Sum) -> Iterator[str]:
    """A formula in mathematical signs, cut before each connective and before the sign of each further summand."""
    chunk = ""
    for piece in spell(root, UNICODE):
        if chunk and (piece.strip() in CONNECTIVES or piece.startswith((" + ", " - "))):
            yield chunk.strip()
            chunk = ""
        chunk += piece
    yield chunk.strip()


def head_of(definition: Definition) -> str:
    """The name of a definition with its variables."""
    return definition.name + (f"({', '.join(definition.params)})" if definition.params else "")


def formula_markup(root: Formula | Sum) -> Markup:
    """A formula that may be broken between its chunks only."""
    parts: list[Markup] = []
    for chunk in chunks(root):
        parts += [BLANK, element("b", text(chunk))] if parts else [element("b", text(chunk))]
    return joined(parts)


def displayed(sentence: Sentence) -> Markup:
    """A sentence in a block of its own, with its definitions above the formula."""
    rows = [
        element("div", element("b", text(f"{head_of(definition)} :=")), BLANK, formula_markup(definition.body))
        for definition in sentence.definitions
    ]
    rows.append(element("div", formula_markup(sentence.formula)))
    long = sum(len(write(definition.body, UNICODE)) for definition in sentence.definitions)
    long += len(write(sentence.formula, UNICODE))
    return element("div", *rows, class_="formula long" if long > LONG else "formula")


def inline(sentence: Sentence) -> Markup:
    """A sentence within a line or a cell; definitions are joined by "where"."""
    parts = [formula_markup(sentence.formula)]
    for number, definition in enumerate(sentence.definitions):
        parts += [text("; " if number else " where "), element("b", text(f"{head_of(definition)} =")), BLANK]
        parts.append(formula_markup(definition.body))
    return element("span", *parts, class_="inline")


def formula_text_lines(sentence: Sentence, width: int) -> list[str]:
    """The definitions and the formula of a sentence as lines of at most `width` columns, where they can be broken."""
    rows = [f"{head_of(definition)} := {write(definition.body, UNICODE)}" for definition in sentence.definitions]
    body = format_text(write(sentence.formula, UNICODE), notation=UNICODE, width=max(NARROWEST, width))
    return [*rows, *body.rstrip("\n").split("\n")]


def letters_of(word: str, alphabet: tuple[str, ...]) -> tuple[str, ...]:
    """The letters of a word as it is written."""
    return tuple(alphabet[letter] for letter in parse_word(word, alphabet))
