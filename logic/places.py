"""Pointing at text: the line, the column and a caret, and what was expected there, in words."""

from __future__ import annotations

from circuits.diagnostics import FomError, fail
from logic.lalr import END, Unexpected

_WIDTH = 90

_WORDS = {
    "SEMICOLON": "`;`", "COMMA": "`,`", "LPAR": "`(`", "RPAR": "`)`", "RSQB": "`]`", "COLON": "`:`", "__ANON_0": "`:=`",
    "NAME": "a name", "QUOTED": "a quoted letter", END: "the end",
}  # fmt: skip
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
    where = point_at(text, name, error.offset)
    found = text[error.offset : error.offset + 1]
    expected, hint = _expected(error.accepted), _hint(text, error)
    if hint.startswith("a quantifier"):
        expected = "a variable and a dot after the quantifier"
    if error.kind == "UNKNOWN" and found not in "#'":
        message = f"the character `{found}` does not belong to the language"
        return fail("L001", message, where=where, note=f"expected {expected}")
    what = "the end of the text" if error.kind == END else f"`{_token(text, error.offset)}`"
    return fail("L001", f"expected {expected}, found {what}", where=where, help=hint)


def _token(text: str, offset: int) -> str:
    end = offset + 1
    if text[offset].isalnum() or text[offset] == "_":
        while end < len(text) and (text[end].isalnum() or text[end] in "_."):
            end += 1
    return text[offset:end]


def _expected(accepted: frozenset[str]) -> str:
    if {"INTEGER", "LPAR"} <= accepted:
        words = ["a formula or a sum"] if "QUANTIFIER" in accepted else ["a number, a variable, a count or a sum"]
        if "LET" in accepted:
            words.insert(0, "a definition")
        return " or ".join(words) + (" or `)`" if "RPAR" in accepted else "")
    words = ["an operator"] if accepted & _OPERATORS else []
    words += [word for kind, word in _WORDS.items() if kind in accepted]
    return " or ".join(words) or "nothing more"


def _hint(text: str, error: Unexpected) -> str:
    rest = text[error.offset :]
    before = text[: error.offset].rstrip().rsplit(None, 1)[-1:]
    if (before and before[0].lstrip("(~!¬[") in ("forall", "exists", "M")) or rest[:1] in ("∀", "∃"):
        return "a quantifier is followed by its variables and a dot: `forall x, y. phi`"
    if rest.startswith("#"):
        return "a count names its variable: `#y[phi]`"
    if rest.startswith("'"):
        return "a quoted letter ends on the same line: `'('(x)`"
    if error.kind == "COMPARISON" and "RPAR" not in error.accepted and "AND" in error.accepted:
        return "comparisons do not chain: write `s <= t & t <= u`"
    return ""
