"""Mistakes that people make in sentences, and what each of them should have been.

Each recognizer looks at the text around the place where the parser stopped; the first that knows the mistake explains it.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass

from logic.lalr import END, Unexpected, tables

_PAIRS = {")": "(", "]": "["}
_WORD = re.compile(r"[A-Za-z_]\w*")

_SPELLINGS = {
    "<=>": "`phi <-> psi` says that both are true or both are false",
    "==>": "`phi -> psi` is the implication",
    "=>": "`phi -> psi` is the implication; at least is `>=`",
    "=<": "at most is `<=`",
    "<>": "`s != t` says that numbers differ",
    "&&": "`phi & psi` is the conjunction",
    "∧∧": "`phi ∧ psi` is the conjunction",
    "||": "`phi | psi` is the disjunction",
    "∨∨": "`phi ∨ psi` is the disjunction",
    "==": "`s = t` compares numbers, `phi <-> psi` formulas",
    "/\\": "`phi & psi` is the conjunction",
    "\\/": "`phi | psi` is the disjunction",
    "/*": "a comment begins with `--` and ends with its line",
    "⇒": "`phi → psi` is the implication",
    "⟹": "`phi → psi` is the implication",
    "⇔": "`phi ↔ psi` says that both are true or both are false",
    "⟺": "`phi ↔ psi` says that both are true or both are false",
    "–": "the minus sign is `-`",
    "−": "the minus sign is `-`",
    "—": "a comment begins with `--`",
    "×": "a product is `2*s`",
    "·": "a product is `2*s`",
    "≔": "a definition is written with `:=`",
    '"': "a letter that is not a name is quoted with '",
    "‘": "a letter that is not a name is quoted with '",
    "’": "a letter that is not a name is quoted with '",
    "“": "a letter that is not a name is quoted with '",
    "{": "parentheses are ( ), brackets [ ]",
    "}": "parentheses are ( ), brackets [ ]",
    "%": "a remainder is not part of the language: `exists z. x = 2*z` says that x is even",
    "/": "a quotient is not part of the language: multiply both sides",
    "^": "a power is not part of the language",
    "∃!": "exactly one is `#x[phi] = 1`",
    "\\forall": "a quantifier is written `forall x. phi` or `∀x. phi`",
    "\\exists": "a quantifier is written `exists x. phi` or `∃x. phi`",
}  # fmt: skip
_LONGEST = max(map(len, _SPELLINGS))
_WORDS_BETWEEN = {
    "xor": "either ... or is `~(phi <-> psi)`", "implies": "`phi -> psi` is the implication",
    "then": "`phi -> psi` says: if phi then psi", "iff": "`phi <-> psi` says: phi if and only if psi",
    "is": "`s = t` compares numbers", "mod": _SPELLINGS["%"],
}  # fmt: skip
_WORDS_BEFORE = {
    "if": _WORDS_BETWEEN["then"], "for": "a quantifier is written `forall x. phi`",
    "some": "a quantifier is written `exists x. phi`", "every": "a quantifier is written `forall x. phi`",
    "all": "a quantifier is written `forall x. phi`", "most": "a quantifier is written `M x. phi`",
    "majority": "a quantifier is written `M x. phi`", "count": "a count is written `#x[phi]`",
    "def": "a definition is written `let p(x) := phi;`", "define": "a definition is written `let p(x) := phi;`",
}  # fmt: skip
_QUANTIFIER = "a quantifier is followed by its variables and a dot: `forall x, y. phi`"
_DEFINITION = "a definition is written `let p(x) := phi;` or `sum s(x) := 2*[phi];`"


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong at `offset`, or nothing if what was expected says it all, and what to write instead."""

    help: str
    message: str = ""
    offset: int | None = None


def recognize(text: str, error: Unexpected) -> Mistake:
    """Explain what the parser stopped at."""
    for recognizer in _RECOGNIZERS:
        found = recognizer(text, error)
        if found is not None:
            return found
    return Mistake("")


def _missing_formula(text: str, error: Unexpected) -> Mistake | None:
    if error.kind != END or "LET" not in error.accepted:
        return None
    if not _tokens(text, error.offset):
        return Mistake("a sentence is a formula, with definitions above it: `M x. a(x)`", "the text has no formula")
    return Mistake("write it below the definitions", "the last formula is missing")


def _quantifier(text: str, error: Unexpected) -> Mistake | None:
    before = text[: error.offset]
    if re.search(r"(?<![\w.\]])(?:(?:forall|exists|M)\s*(?:\([^()]*\)\s*)?|[∀∃]\s*)$", before) or (
        error.kind == "UNKNOWN" and text[error.offset] in "∀∃" and text[error.offset + 1 : error.offset + 2] != "!"
    ):
        return Mistake(_QUANTIFIER)
    return None


def _spelling(text: str, error: Unexpected) -> Mistake | None:
    """A sign of other languages around the place."""
    for length in range(_LONGEST, 0, -1):
        for start in range(max(0, error.offset - length + 1), error.offset + 1):
            sign = text[start : start + length]
            if sign in _SPELLINGS and (error.kind == "UNKNOWN" or len(sign) > 1):
                return Mistake(_SPELLINGS[sign], f"`{sign}` does not belong to the language", start)
    return None


def _decimal(text: str, error: Unexpected) -> Mistake | None:
    if text[error.offset : error.offset + 1] == "." and text[error.offset - 1 : error.offset].isdigit():
        return Mistake("numbers are integers: multiply both sides", "a number has a decimal point")
    return None


def _invisible(text: str, error: Unexpected) -> Mistake | None:
    char = text[error.offset : error.offset + 1]
    if error.kind != "UNKNOWN" or (char.isprintable() and char.isascii()):
        return None
    plain = unicodedata.normalize("NFKC", char)
    known = unicodedata.name(char, "")
    title = f"U+{ord(char):04X}" + (f" {known}" if known else "")
    shown = f"`{char}` ({title})" if char.isprintable() else title
    return Mistake(f"did you mean `{plain}`?" if plain != char and plain.isascii() and plain.strip() else "",
                   f"the character {shown} does not belong to the language")  # fmt: skip


def _count(text: str, error: Unexpected) -> Mistake | None:
    if text[error.offset : error.offset + 1] != "#":
        return None
    if re.match(r"#+ +\w+\s+\w|#!|##|# *$", text[error.offset :], re.MULTILINE):
        return Mistake("a comment begins with `--`; a count names its variable: `#y[phi]`")
    return Mistake("a count names its variable: `#y[phi]`")


def _quote(text: str, error: Unexpected) -> Mistake | None:
    if text[error.offset : error.offset + 1] == "'":
        return Mistake("a quoted letter ends on the same line: `'('(x)`")
    return None


def _brackets(text: str, error: Unexpected) -> Mistake | None:
    """Brackets that are not closed, or closed and not open."""
    open_ones: list[tuple[str, int]] = []
    for token, offset in _tokens(text, error.offset):
        if token[-1] in "([" and not token.startswith("'"):
            open_ones.append((token, offset))
        elif token in _PAIRS and open_ones:
            open_ones.pop()
    found = text[error.offset : error.offset + 1]
    if found in _PAIRS and not open_ones:
        return Mistake("take it away, or open it before", f"`{found}` closes nothing")
    if open_ones and (found in _PAIRS or found in ("", ";")) and {"RPAR", "RSQB"} & error.accepted:
        token, offset = open_ones[-1]
        if found not in _PAIRS or token[-1] != _PAIRS[found]:
            return Mistake(f"the `{token}` at {_place(text, offset)} is not closed")
    return None


def _chain(_: str, error: Unexpected) -> Mistake | None:
    if error.kind == "COMPARISON" and "RPAR" not in error.accepted and "AND" in error.accepted:
        return Mistake("comparisons do not chain: write `s <= t & t <= u`")
    return None


def _definition(text: str, error: Unexpected) -> Mistake | None:
    if "__ANON_0" in error.accepted or re.match(r":=", text[error.offset :]):
        return Mistake(_DEFINITION)
    if error.kind in ("LET", "SUM", "LETTERS", "PROPOSITIONS") and "NAME" in error.accepted:
        word = _WORD.match(text, error.offset)
        if word is not None and "QUANTIFIER" not in error.accepted:
            return Mistake(f"`{word[0]}` is a word of the language and cannot be a name")
    return None


def _product(text: str, error: Unexpected) -> Mistake | None:
    """A number directly before what it should multiply."""
    tokens = _tokens(text, error.offset)
    if not tokens or not tokens[-1][0].isdigit() or "TIMES" not in error.accepted:
        return None
    if error.kind == "LPAR":
        return Mistake(
            f"a product is `{tokens[-1][0]}*s`; a letter that is not a name is quoted: `'{tokens[-1][0]}'(x)`"
        )
    if error.kind in ("NAME", "QUOTED", "COUNT", "LSQB"):
        return Mistake(f"a product is written with a star: `{tokens[-1][0]}*...`")
    return None


def _position(text: str, error: Unexpected) -> Mistake | None:
    if error.kind == "LSQB" and "LPAR" in error.accepted:
        return Mistake("positions stand in parentheses: `a(x)`")
    if error.kind == "INTEGER" and "QUOTED" in error.accepted and "INTEGER" not in error.accepted:
        digits = re.match(r"\d+", text[error.offset :])
        return Mistake(f"a letter that is not a name is quoted: `'{digits[0] if digits else ''}'`")
    return None


def _word(text: str, error: Unexpected) -> Mistake | None:
    """A word that is none of the language, at the place or before it."""
    here = _WORD.match(text, error.offset)
    if here is not None and "AND" in error.accepted:
        word = here[0]
        if help := _WORDS_BETWEEN.get(word.lower()):
            return Mistake(help)
        after_line = "\n" in text[_end_of_last(text, error.offset) : error.offset]
        if not after_line and (close := _close(word, ("and", "or"))):
            return Mistake(f"did you mean `{close}`?")
    before = re.search(r"(?<![\w.\]])([A-Za-z]+)\s+(?:all\s+)?$", text[: error.offset])
    if before is None or error.kind not in ("NAME", "UNKNOWN", "QUOTED", "LPAR"):
        return None
    word = before[1]
    if word not in _RESERVED and (help := _WORDS_BEFORE.get(word.lower())):
        return Mistake(help)
    close = _close(word, ("forall", "exists", "not", "let", "sum", "letters", "propositions"))
    return Mistake(f"did you mean `{close}` for `{word}`?") if close and close != word else None


def _separator(text: str, error: Unexpected) -> Mistake | None:
    """A missing semicolon, or one too many."""
    if "SEMICOLON" in error.accepted and END not in error.accepted:
        end = _end_of_last(text, error.offset)
        if "COMMA" in error.accepted:
            return Mistake("letters are separated by commas, and a header ends with `;`")
        if error.kind == END or "\n" in text[end : error.offset] or error.kind in ("LET", "SUM"):
            return Mistake(f"a definition ends with `;`: put one at {_place(text, end)}")
        return None
    if error.kind == "SEMICOLON" and "LET" in error.accepted:
        return Mistake("take it away: one `;` ends a definition")
    if END not in error.accepted:
        return None
    if error.kind in ("LET", "SUM", "LETTERS", "PROPOSITIONS"):
        return Mistake("headers and definitions stand above the formula")
    if error.kind == "COMMA" or "AND" not in error.accepted:
        return Mistake("a sentence has one formula: join several with `&`")
    return None


_RECOGNIZERS = (_missing_formula, _quantifier, _spelling, _decimal, _count, _quote, _definition, _brackets, _chain, _product,
                _position, _word, _separator, _invisible)  # fmt: skip
_RESERVED = frozenset(["forall", "exists", "not", "and", "or", "let", "sum", "letters", "propositions"])


def _tokens(text: str, end: int) -> list[tuple[str, int]]:
    """The tokens before `end` and where they start, without space and comments."""
    matches = tables().scanner.finditer(text, 0, end)
    groups = [(match, match.lastindex or 0) for match in matches if match.lastgroup not in ("SPACE", "COMMENT")]
    return [(match[group], match.start(group)) for match, group in groups]


def _end_of_last(text: str, offset: int) -> int:
    """Where the last token before `offset` ends."""
    tokens = _tokens(text, offset)
    return tokens[-1][1] + len(tokens[-1][0]) if tokens else 0


def _place(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset) + 1
    return f"line {line}, column {offset - text.rfind(chr(10), 0, offset)}"


def _close(word: str, known: tuple[str, ...]) -> str:
    """The word of the language that a word is nearest to: other letters, other case, or two letters swapped."""
    swapped = [one for one in known if sorted(one) == sorted(word.lower())]
    found = swapped or difflib.get_close_matches(word.lower(), known, n=1, cutoff=0.7)
    return found[0] if found else ""
