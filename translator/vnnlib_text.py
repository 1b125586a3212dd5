"""The text of VNN-LIB files: parenthesized expressions with the places where they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from circuits.diagnostics import FomError, fail

TOKEN = re.compile(
    r";[^\n]*|\s+|(?P<open>\()|(?P<close>\))|(?P<quoted>\|[^|]*\||\"(?:[^\"]|\"\")*\")|(?P<atom>[^\s();|\"]+)|(?P<bad>.)"
)
DEEPEST = 200


@dataclass(frozen=True, slots=True)
class Node:
    """A word of the text and where it begins."""

    text: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Expression:
    """Something in parentheses and where it begins."""

    items: tuple[Node | Expression, ...]
    line: int
    column: int

    @property
    def head(self) -> str:
        """Its first word."""
        first = self.items[0] if self.items else None
        return first.text if isinstance(first, Node) else "()"


def refused(code: str, message: str, at: Node | Expression, source: str, help: str = "") -> FomError:
    """A diagnostic with line and column."""
    return fail(code, message, where=f"{source}: line {at.line}, column {at.column}", help=help)


def read_expressions(text: str, source: str) -> Iterator[Expression]:
    """Read the expressions of a file one by one.

    Raises:
        FomError: parentheses that do not match, text outside of them, or too many of them inside each other.
    """
    open_: list[tuple[list[Node | Expression], Node]] = []
    line, start = 1, 0
    for token in TOKEN.finditer(text):
        kind, found = token.lastgroup, token.group()
        here = Node(found, line, token.start() - start + 1)
        if newlines := found.count("\n"):
            line, start = line + newlines, token.start() + found.rindex("\n") + 1
        if kind is None:
            continue
        if kind == "open":
            open_.append(([], here))
            if len(open_) > DEEPEST:
                raise refused("T111", f"more than {DEEPEST} parentheses inside each other", here, source)
        elif not open_ or kind == "bad":
            raise refused("T111", f"`{found}` is not expected here", here, source)
        elif kind == "close":
            items, began = open_.pop()
            made = Expression(tuple(items), began.line, began.column)
            if open_:
                open_[-1][0].append(made)
            else:
                yield made
        else:
            open_[-1][0].append(here)
    if open_:
        raise refused("T111", "this parenthesis is not closed", open_[-1][1], source)
