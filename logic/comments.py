"""Where the comments of a text belong: to the text, to a definition, to the formula, or to something inside.

The rule of the parser decides for definitions: the lines directly above one, without an empty line between.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from logic import lalr


@dataclass(frozen=True, slots=True)
class TextComment:
    """One comment without its sign, and the line it stands on."""

    text: str
    line: int

    def __str__(self) -> str:
        return f"-- {self.text}" if self.text else "--"


@dataclass(slots=True)
class Comments:
    """The comments of a text.

    Attributes:
        top: before everything else.
        of_definitions: directly above definitions, by name.
        of_formula: below the last definition.
        elsewhere: beside headers and inside of definitions.
    """

    top: list[TextComment] = field(default_factory=list)
    of_definitions: dict[str, list[TextComment]] = field(default_factory=dict)
    of_formula: list[TextComment] = field(default_factory=list)
    elsewhere: list[TextComment] = field(default_factory=list)


def comments_of(text: str) -> Comments:
    """Find the comments of a text that parses."""
    found = Comments()
    waiting: list[TextComment] = []
    begun, named, last_code, line, last = False, True, 0, 1, 0
    for match in lalr.tables().scanner.finditer(text):
        kind, group = match.lastgroup or "", match.lastindex or 0
        if kind == "SPACE":
            continue
        line, last = line + text.count("\n", last, match.start(group)), match.start(group)
        if kind == "COMMENT":
            waiting.append(TextComment(match[group][2:].removeprefix(" "), line))
            continue
        if kind in ("LET", "SUM"):
            above = directly_above(waiting, line, last_code)
            (found.elsewhere if begun else found.top).extend(waiting[: len(waiting) - len(above)])
            waiting, named = above, False
        elif kind == "NAME" and not named:
            found.of_definitions[match[group]], waiting, named = waiting, [], True
        elif waiting and not begun:
            found.top, waiting = waiting, []
        elif kind == "SEMICOLON":
            found.elsewhere, waiting = found.elsewhere + waiting, []
        begun, last_code = True, line
    found.of_formula = waiting
    return found


def directly_above(comments: list[TextComment], line: int, last_code: int) -> list[TextComment]:
    """The last comments that stand on lines of their own, one above the other and above this line."""
    first = len(comments)
    while first and comments[first - 1].line == line - 1 != last_code:
        first, line = first - 1, line - 1
    return comments[first:]
