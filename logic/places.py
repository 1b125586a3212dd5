"""Pointing at text: the line, the column and a caret, and what was expected there, in words."""

from __future__ import annotations

import re

from circuits.diagnostics import FomError, fail
from logic.lalr import END, Unexpected
from logic.mistakes import recognize

_WIDTH = 90

_WORDS = {
    "SEMICOLON": "`;`", "COMMA": "`,`", "LPAR": "`(`", "RPAR": "`)`", "RSQB": "`]`", "COLON": "`:`", "__ANON_0": "`:=`",
    "NAME": "a name", "QUOTED": "a quoted letter", END: "the end",
}  # fmt: skip
_TOKEN = re.compile(r"\w+(?:\.\w+|\[\d+\])*|:=|<->|->|[<>!]=")
_OPERATORS = {"AND", "OR", "ARROW", "IFF", "COMPARISON", "PLUS", "MINUS", "TIMES"}


def point_at(text: str, name: str, offset: int) -> str:
    """Spell the place `offset` in `text` with its line and a caret."""
    line_number = text.count("\n", 0, offset) + 1
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : len(text) if end < 0 else end].replace("\t", " ")
    column = offset - start
    cut = max(0, column - _WIDTH // 2) if len(line) > _WIDTH else 0
    shown = line[cut : cut + _WIDTH]
    prefix = "..." if cut else ""
    suffix = "..." if cut + _WIDTH < len(line) else ""
    margin = " " * len(str(line_number))
    caret = " " * (len(prefix) + column - cut) + "^"
    return (f"{name or 'formula'}:{line_number}:{column + 1}\n {margin} |\n {line_number} | {prefix}{shown}{suffix}\n"
            f" {margin} | {caret}")  # fmt: skip


def unexpected(text: str, name: str, error: Unexpected) -> FomError:
    """Make the diagnostic of a syntax error."""
    mistake = recognize(text, error)
    where = point_at(text, name, error.offset if mistake.offset is None else mistake.offset)
    expected = _expected(error.accepted)
    if mistake.help.startswith("a quantifier is followed"):
        expected = "a variable and a dot after the quantifier"
    if mistake.message:
        return fail("L001", mistake.message, where=where, help=mistake.help)
    found = text[error.offset : error.offset + 1]
    if error.kind == "UNKNOWN" and found not in "#'∀∃":
        message = f"the character `{found}` does not belong to the language"
        return fail("L001", message, where=where, note=f"expected {expected}", help=mistake.help)
    what = "the end of the text" if error.kind == END else f"`{_token(text, error.offset)}`"
    return fail("L001", f"expected {expected}, found {what}", where=where, help=mistake.help)


def _token(text: str, offset: int) -> str:
    """The token at `offset`, or the word if the parser stopped inside of one."""
    found = _TOKEN.match(text, offset)
    return found[0] if found else text[offset : offset + 1]


def _expected(accepted: frozenset[str]) -> str:
    if {"INTEGER", "LPAR"} <= accepted:
        words = ["a formula", "a sum"] if "QUANTIFIER" in accepted else ["a number", "a variable", "a count", "a sum"]
        if "LET" in accepted:
            words.insert(0, "a definition")
        if "RPAR" in accepted:
            words.append("`)`")
    else:
        words = ["an operator"] if accepted & _OPERATORS else []
        words += [word for kind, word in _WORDS.items() if kind in accepted]
    return f"{', '.join(words[:-1])} or {words[-1]}" if len(words) > 1 else (words or ["nothing more"])[0]
