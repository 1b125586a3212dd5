"""LaTeX: formulas and sentences as compilable mathematics (amsmath), with long formulas broken over lines.

What is written is also what MathJax knows, so that notebooks show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from logic.printer import IDENTIFIER, Notation, spell, to_text, write
from logic.syntax import Definition, Formula, Item, Sentence, Sum, Term

LINE = 72
"""How many characters of a formula fit on a line of a page."""
NARROW = 20
"""Definitions are aligned at their signs if no name with its parameters is wider."""

_ESCAPES = {
    "\\": r"\backslash ", "_": r"\_", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "{": r"\{", "}": r"\}",
    "^": r"{\wedge}", "~": r"{\sim}", " ": r"\ ", "'": r"{\prime}", "\n": r"\backslash n", "-": "{-}", "*": "{*}",
    "+": "{+}", "<": "{<}", ">": "{>}", "=": "{=}", ":": "{:}", ",": "{,}", ";": "{;}", "|": "{|}", '"': r"\text{\char34}",
}  # fmt: skip


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(char, char if char.isascii() else rf"\text{{{char}}}") for char in text)


def _upright(name: str) -> str:
    return rf"\mathsf{{{_escape(name)}}}"


def _letter(name: str) -> str:
    """Spell a letter; one that is not a name is underlined."""
    shown = rf"\mathtt{{{_escape(name)}}}"
    return shown if IDENTIFIER.match(name) else rf"\underline{{{shown}}}"


def _variable(name: str) -> str:
    """Spell a variable: one letter italic, with its digits as an index; anything longer as one word."""
    head, digits = name[:1], name[1:].lstrip("_")
    if len(name) == 1 and name != "_":
        return name
    if head.isalpha() and digits.isdigit():
        return f"{head}_{{{digits}}}"
    return rf"\mathit{{{_escape(name)}}}"


LATEX = Notation(
    r"\top", r"\bot", r"\neg ", r" \land ", r" \lor ", r" \to ", r" \leftrightarrow ", r"\forall ", r"\exists ",
    r"\mathsf{M} ", r" \ge ", {"=": " = ", "<": " < ", "<=": r" \le "}, r" \ne ",
    times=r" \cdot ", count=r"\#", after_variable=r".\, ", brackets=("[", "]"), separator=",\\,",
    such_that=r" : ", bit=r"\mathsf{bit}", name=_upright, letter=_letter, variable=_variable,
)  # fmt: skip

_BREAKS = (LATEX.equivalence, LATEX.implication, LATEX.disjunction, LATEX.conjunction, LATEX.at_least, " + ", " - ")
"""Where lines end: before these operators, weak ones first."""
_SIGN = _BREAKS.index(" + ")
_FONT = re.compile(r"\\(?:math(?:sf|tt|it)|text|underline) ?")
_COMMAND = re.compile(r"\\(?:[A-Za-z]+ ?|.)")


def to_latex(thing: Sentence | Formula | Sum | Item | Term) -> str:
    """Spell as LaTeX: mathematics without delimiters, and an ``align*`` environment for a sentence with definitions.

    A formula too long for a line stands in an ``aligned`` environment.
    """
    if isinstance(thing, Sentence):
        return _sentence(thing)
    if isinstance(thing, Term):
        return to_text(thing, LATEX)
    rows = broken(thing, LINE)
    if len(rows) == 1:
        return rows[0]
    return "\\begin{aligned}\n& " + "\\\\\n& ".join(rows) + "\n\\end{aligned}"


def definitions_to_latex(definitions: tuple[Definition, ...]) -> str:
    """Spell definitions alone, in an ``align*`` environment."""
    return _aligned(list(_rows(definitions, _is_narrow(definitions))))


def broken(thing: Formula | Sum | Item, room: int) -> list[str]:
    """Spell in lines of about `room` characters, which end before the outermost operators of their second halves."""
    chunks = _chunks(thing)
    lines: list[str] = []
    start, width, steps = 0, 0, 0
    while True:
        ends: list[tuple[int, int]] = []  # the rank of each place where the line can end, negative numbers of chunks
        for number in range(start, len(chunks)):
            if number > start and width > room // 2:
                ends.append((chunks[number].rank, -number))
            width += chunks[number].width
            if width > room and number > start:
                break
        else:
            return [*lines, _line(chunks[start:], steps)]
        end = -min(ends)[1] if ends else number
        lines.append(_line(chunks[start:end], steps))
        start, steps = end, chunks[end].rank // len(_BREAKS) + 1
        width = 2 * steps


class _Chunk(NamedTuple):
    """An operator and what follows it up to the next one: its rank is low for outer and weak operators."""

    text: str
    width: int
    rank: int


def _chunks(thing: Formula | Sum | Item) -> list[_Chunk]:
    chunks: list[_Chunk] = []
    text, rank, depth = "", 0, 0
    for piece in spell(thing, LATEX):
        operator = next((number for number, sign in enumerate(_BREAKS) if piece.startswith(sign)), None)
        if operator is not None and text:
            chunks.append(_Chunk(text, visible_width(text), rank))
            text, rank = "", depth * len(_BREAKS) + min(operator, _SIGN)
        text += piece
        depth += _opened(piece)
    return [*chunks, _Chunk(text, visible_width(text), rank)]


def _line(chunks: Sequence[_Chunk], steps: int) -> str:
    """One line; a sign at its beginning stands before a term, and not between two."""
    text = "".join(chunk.text for chunk in chunks)
    if text.startswith("-"):
        text = "{-}" + text[1:]
    return r"\quad " * min(steps, 8) + text.lstrip(" ")


def _opened(piece: str) -> int:
    """How many brackets a piece opens more than it closes."""
    bare = _COMMAND.sub("", piece)
    return bare.count("(") + bare.count("[") - bare.count(")") - bare.count("]")


def visible_width(text: str) -> int:
    """About how many characters wide LaTeX is on paper."""
    return len(_COMMAND.sub("x", _FONT.sub("", text)).replace("{", "").replace("}", ""))


def _head(definition: Definition) -> str:
    """The left side of a definition."""
    listed = LATEX.separator.join(map(_variable, definition.params))
    params = f"({listed})" if listed or isinstance(definition.body, Sum) else ""
    return _upright(definition.name) + params


def _is_narrow(definitions: tuple[Definition, ...]) -> bool:
    return all(visible_width(_head(definition)) <= NARROW for definition in definitions)


def _rows(definitions: tuple[Definition, ...], narrow: bool) -> Iterator[str]:
    """Rows of definitions, aligned at their signs if names are narrow, and at the left otherwise."""
    for definition in definitions:
        head = _head(definition)
        if narrow:
            first, *others = broken(definition.body, LINE - NARROW)
            yield f"{head} &:= {first}"
            yield from [rf"&\phantom{{{{}}:={{}}}}{line}" for line in others]
            continue
        first, *others = broken(definition.body, LINE)
        if others or visible_width(head) + visible_width(first) + 4 > LINE:
            yield rf"& {head} :="
            yield from [rf"& \quad {line}" for line in (first, *others)]
        else:
            yield rf"& {head} := {first}"


def _aligned(rows: list[str]) -> str:
    return "\\begin{align*}\n" + "\\\\\n".join(rows) + "\n\\end{align*}"


def _sentence(sentence: Sentence) -> str:
    if not sentence.definitions:
        rows = broken(sentence.formula, LINE)
        return f"${write(sentence.formula, LATEX)}$" if len(rows) == 1 else _aligned([f"& {row}" for row in rows])
    return excerpt_to_latex(sentence, len(sentence.definitions))


def excerpt_to_latex(sentence: Sentence, most: int) -> str:
    """Spell the first and the last definitions, at most `most` each, and the formula, in an ``align*`` environment."""
    definitions = sentence.definitions
    first, last = definitions[:most], definitions[max(most, len(definitions) - most) :]
    left = len(definitions) - len(first) - len(last)
    narrow = _is_narrow((*first, *last))
    rows = list(_rows(first, narrow))
    if left:
        rows.append(rf"& \vdots \quad \text{{{left} more definitions}}")
    rows += _rows(last, narrow)
    lead = r"&\phantom{{}:={}}" if narrow else "& "
    rows += [lead + row for row in broken(sentence.formula, LINE - NARROW if narrow else LINE)]
    return _aligned(rows)
