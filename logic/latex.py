"""LaTeX: formulas and sentences as compilable mathematics (amsmath)."""

from __future__ import annotations

from logic.printer import Notation, to_text, write
from logic.syntax import Formula, Item, Sentence, Sum, Term

_ESCAPES = {
    "\\": r"\backslash ", "_": r"\_", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "{": r"\{", "}": r"\}",
    "^": r"\char94 ", "~": r"\char126 ", " ": r"\ ", "'": r"\textquotesingle ", "\n": r"\backslash n",
}  # fmt: skip


def _escape(text: str) -> str:
    return "".join(_ESCAPES.get(char, char) for char in text)


def _upright(name: str) -> str:
    return rf"\mathsf{{{_escape(name)}}}"


def _letter(name: str) -> str:
    return rf"\mathtt{{{_escape(name)}}}"


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
    times=r" \cdot ", count=r"\#", after_variable=r".\, ", brackets=(r"\left[", r"\right]"), separator=",\\,",
    such_that=r" : ", bit=r"\mathsf{bit}", name=_upright, letter=_letter, variable=_variable,
)  # fmt: skip


def to_latex(thing: Sentence | Formula | Sum | Item | Term) -> str:
    """Spell as LaTeX: mathematics without delimiters, and an ``align*`` environment for a sentence with definitions."""
    if not isinstance(thing, Sentence):
        return to_text(thing, LATEX)
    if not thing.definitions:
        return f"${write(thing.formula, LATEX)}$"
    rows = []
    for definition in thing.definitions:
        listed = LATEX.separator.join(map(_variable, definition.params))
        params = f"({listed})" if listed or isinstance(definition.body, Sum) else ""
        rows.append(rf"{_upright(definition.name)}{params} &:= {write(definition.body, LATEX)}\\")
    rows.append(f"&\\phantom{{:=}}\\ {write(thing.formula, LATEX)}")
    return "\\begin{align*}\n" + "\n".join(rows) + "\n\\end{align*}"
