"""Laying out text: pieces that stand on one line where it is long enough, and break at marked places where it is not.

After Oppen, "Prettyprinting" (1980), with the width of every piece known when it is made, so that one pass with an explicit
stack decides everything. A comment ends its line, so a piece that contains one always breaks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

STEP = 2
ENDLESS = 1 << 60
"""The width of what cannot stand on one line."""


@dataclass(slots=True)
class Comment:
    """The text of a comment, with its sign, and whether an empty line stands before it."""

    text: str
    after_blank: bool


@dataclass(slots=True)
class Leaf:
    """A token, the comments on lines of their own before it, and the one behind it on its line."""

    text: str
    before: list[Comment] = field(default_factory=list)
    behind: Comment | None = None

    @property
    def width(self) -> int:
        """The characters on the line, without the comment behind."""
        return ENDLESS if self.before else len(self.text)

    @property
    def ends_line(self) -> bool:
        """Tell whether a comment stands behind it."""
        return self.behind is not None


@dataclass(frozen=True, slots=True)
class Part:
    """A piece inside a block: what stands before it on the same line, whether a line may end there, how far it is indented."""

    piece: Leaf | Block
    separator: str = ""
    soft: bool = False
    indent: int = 0


class Block:
    """Parts in a row. If they do not fit on the line, it ends at every soft part, or, if no part is wider than `short`,
    at as few of them as possible.
    """

    __slots__ = ("ends_line", "kind", "parts", "short", "width")

    def __init__(self, kind: str, parts: Iterable[Part], short: int = 0) -> None:
        self.kind, self.short = kind, short
        self.parts: list[Part] = []
        self.width, self.ends_line = 0, False
        self.extend(parts)

    def extend(self, parts: Iterable[Part]) -> None:
        """Add parts at the end."""
        for part in parts:
            self.parts.append(part)
            more = ENDLESS if self.ends_line else len(part.separator) + part.piece.width
            self.width = min(ENDLESS, self.width + more)
            self.ends_line = part.piece.ends_line

    @property
    def fills(self) -> bool:
        """Tell whether several parts may share a line of many."""
        return all(part.piece.width <= self.short for part in self.parts)


Piece = Leaf | Block


@dataclass(frozen=True, slots=True)
class _Gap:
    """A place where a line may end: it does if what comes next, `width` characters wide, does not fit."""

    separator: str
    width: int


class Lines:
    """Text under construction, with lines of at most `limit` characters where possible."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.out: list[str] = []
        self.column = 0
        self.fresh = True  # nothing but indentation stands on the line
        self.ended = False  # a comment ended the line: whatever comes is on a new one

    def write(self, text: str, indent: int) -> None:
        """Add text, on a new line if this one is ended."""
        if self.ended:
            self.newline()
        if self.fresh:
            text = text.lstrip(" ")
            if not text:
                return
            shown = min(indent, self.limit // 2)
            self.out.append(" " * shown)
            self.column, self.fresh = shown, False
        self.out.append(text)
        self.column += len(text)

    def newline(self) -> None:
        """End the line."""
        self.out.append("\n")
        self.column, self.fresh, self.ended = 0, True, False

    def blank(self) -> None:
        """Leave an empty line, except at the top."""
        if self.out:
            self.out.append("\n")

    def comment(self, comment: Comment, indent: int) -> None:
        """Add a comment; it ends the line."""
        self.write(comment.text, indent)
        self.ended = True

    def leaf(self, leaf: Leaf, indent: int) -> None:
        """Add a token with its comments."""
        for comment in leaf.before:
            if not self.fresh:
                self.newline()
            self.comment(comment, indent)
        self.write(leaf.text, indent)
        if leaf.behind:
            self.write(" ", indent)
            self.comment(leaf.behind, indent)

    def piece(self, root: Piece) -> None:
        """Add a piece, broken where it must be."""
        stack: list[tuple[Piece | _Gap | str, int, int, bool]] = [(root, 0, 0, False)]
        while stack:
            node, indent, tail, flat = stack.pop()
            if isinstance(node, str):
                self.write(node, indent)
            elif isinstance(node, _Gap):
                if self.column + len(node.separator) + node.width > self.limit:
                    if not self.fresh:
                        self.newline()
                else:
                    self.write(node.separator, indent)
            elif isinstance(node, Leaf):
                self.leaf(node, indent)
            else:
                start = min(indent, self.limit // 2) if self.fresh or self.ended else self.column
                flat = flat or start + node.width + tail <= self.limit
                stack.extend(reversed(_spread(node, indent, tail, flat)))


def _spread(block: Block, indent: int, tail: int, flat: bool) -> list[tuple[Piece | _Gap | str, int, int, bool]]:
    """The parts of a block as entries of the stack; `tail` is the width of what must follow the block on its line."""
    entries: list[tuple[Piece | _Gap | str, int, int, bool]] = []
    fills = not flat and block.fills
    stuck, unit = tail, tail  # the widths of the tokens, and of all parts, that follow up to the next place to break
    for part in reversed(block.parts):
        inner, piece = indent + part.indent, part.piece
        entries.append((piece, inner, stuck, flat))
        unit += piece.width
        if part.soft and not flat:
            entries.append((_Gap(part.separator, unit if fills else ENDLESS), inner, 0, flat))
            stuck = unit = 0
            continue
        if isinstance(piece, Leaf) and not piece.before:
            stuck = len(piece.text) + len(part.separator) + (0 if piece.behind else stuck)
        else:
            stuck = 0
        if part.separator:
            unit += len(part.separator)
            entries.append((part.separator, inner, 0, flat))
    entries.reverse()
    return entries
