"""Formatting a file of the text form: the same tokens and comments, laid out anew.

The tokens are those of the text, so every comparison stays as it was written; spellings become those of the printer.
The rules of comments:

* a comment behind code stays behind the same token and ends the line;
* a comment on a line of its own stays before the same token, so one directly above a definition still belongs to it;
* between headers, definitions, comments and the formula, one empty line stands where there were any.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from circuits.diagnostics import fail
from logic import lalr
from logic.layout import ENDLESS, STEP, Block, Comment, Leaf, Lines, Part, Piece
from logic.places import unexpected
from logic.printer import ASCII, UNICODE, Notation

WIDTH = 120
NARROWEST = 20
SHORT = 24
"""The width up to which the operands of a connective share lines: with a longer one, each stands on a line of its own."""

_UNICODE_SIGNS = {
    "AND": "∧", "OR": "∨", "ARROW": "→", "IFF": "↔", "NOT": "¬", "TRUE": "⊤", "FALSE": "⊥", "COMPARISON": "≤≥≠",
    "QUANTIFIER": "∀∃",
}  # fmt: skip
_TO_THE_LEFT = frozenset("&∧|∨")
_CHAINS = _TO_THE_LEFT | {"->", "→", "<->", "↔"}


def format_text(text: str, name: str = "", *, notation: Notation | None = None, width: int = WIDTH) -> str:
    """Lay out the text of a file; `name` is the file's name in messages.

    Without a `notation`, a text with any Unicode sign is written in Unicode, and any other in ASCII.

    Raises:
        FomError: a syntax error (names are not checked), or a width that holds no formula.
    """
    if width < NARROWEST:
        raise fail("L004", f"lines of {width} characters are too short for formulas", help=f"give {NARROWEST} or more")
    build = _Build(text, notation or notation_of(text))
    try:
        lalr.run(lalr.tables(), text, build.actions, build.on_shift)
    except lalr.Unexpected as error:
        raise unexpected(text, name, error) from None
    return build.finish(width)


def notation_of(text: str) -> Notation:
    """The notation a text is written in."""
    for match in lalr.tables().scanner.finditer(text):
        signs = _UNICODE_SIGNS.get(match.lastgroup or "")
        if signs and match[match.lastindex or 0][0] in signs:
            return UNICODE
    return ASCII


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above a header, a definition or the formula: comments, and whether an empty line follows them."""

    comments: list[Comment]
    after_blank: bool


class _Build:
    """One text: its tokens as they come, and the pieces that its headers, definitions and formula become."""

    def __init__(self, text: str, notation: Notation) -> None:
        self.text = text
        self.end = 0
        self.last: Leaf | None = None
        self.waiting: list[Comment] = []
        self.heads: list[_Head] = []
        self.items: list[Piece] = []
        self.spellings = _spellings(notation)
        self.on_shift: dict[str, Callable[[str, int], Any]] = {
            kind: self.token(kind) for kind in lalr.tables().scanner.groupindex
        }
        self.on_shift["COMMENT"] = self.comment
        self.actions: dict[str, Callable[[list[Any]], Any]] = _ACTIONS | {
            "start": self.start, "headers": self.item, "definitions": self.item,
        }  # fmt: skip

    # Tokens and comments.

    def breaks(self, start: int, end: int) -> int:
        """Count the line breaks between the last token or comment and this one, and move on."""
        found = self.text.count("\n", self.end, start)
        self.end = end
        return found

    def comment(self, value: str, offset: int) -> None:
        """Take a comment: behind the last token, or before the next one."""
        breaks = self.breaks(offset, offset + len(value))
        said = value[3:] if value[2:3] == " " else value[2:]
        made = Comment(f"-- {said}" if said else "--", breaks > 1)
        if breaks == 0 and self.last is not None:
            self.last.behind = made
        else:
            self.waiting.append(made)

    def token(self, kind: str) -> Callable[[str, int], Leaf]:
        """Return what makes leaves of the tokens of a kind."""
        spell = self.spellings.get(kind)

        def made(value: str, offset: int) -> Leaf:
            breaks = self.breaks(offset, offset + len(value))
            leaf = Leaf(value if spell is None else spell(value))
            if self.last is None or self.last.text == ";":
                self.heads.append(_Head(self.waiting, breaks > 1))
            else:
                leaf.before = self.waiting
            self.waiting, self.last = [], leaf
            return leaf

        return made

    # Files.

    def item(self, v: list[Any]) -> None:
        """One more header or definition."""
        if v:
            self.items.append(v[1])

    def start(self, v: list[Any]) -> None:
        """The formula, with a semicolon perhaps."""
        self.items.append(_glued(v[2:]))

    def finish(self, width: int) -> str:
        """Lay out everything."""
        lines = Lines(width)
        for head, item in zip(self.heads, self.items, strict=True):
            for comment in head.comments:
                _above(lines, comment)
            if head.after_blank:
                lines.blank()
            lines.piece(item)
            lines.newline()
        for comment in self.waiting:
            _above(lines, comment)
        return "".join(lines.out)


def _above(lines: Lines, comment: Comment) -> None:
    """Write a comment on a line of its own."""
    if comment.after_blank:
        lines.blank()
    lines.comment(comment, 0)
    lines.newline()


def _spellings(notation: Notation) -> dict[str, Callable[[str], str]]:
    """How tokens with several spellings are written."""
    fixed = {
        "AND": notation.conjunction, "OR": notation.disjunction, "ARROW": notation.implication,
        "IFF": notation.equivalence, "NOT": notation.negation, "TRUE": notation.true, "FALSE": notation.false,
    }  # fmt: skip
    at_most = notation.comparisons["<="]
    compared = {"<=": at_most, "≤": at_most, ">=": notation.at_least, "≥": notation.at_least,
                "!=": notation.unequal, "≠": notation.unequal}  # fmt: skip
    words = {"forall": notation.forall, "∀": notation.forall, "exists": notation.exists, "∃": notation.exists,
             "M": notation.majority}  # fmt: skip

    def quantifier(value: str) -> str:
        word = value[0] if value[0] in "∀∃" else value.split(None, 1)[0]
        return f"{words[word]}{_names(value[len(word) : -1])}."

    def comparison(value: str) -> str:
        return compared.get(value, value).strip()

    def same(sign: str) -> Callable[[str], str]:
        return lambda _: sign

    return {kind: same(sign.strip()) for kind, sign in fixed.items()} | {
        "COMPARISON": comparison,
        "QUANTIFIER": quantifier,
        "COUNT": lambda value: f"#{_names(value[1:-1])}[",
    }


def _names(text: str) -> str:
    return ", ".join(name.strip() for name in text.split(","))


# The meanings of rules: `v` holds the values of their symbols.


def _glued(v: Sequence[Piece]) -> Piece:
    """Pieces without space between them."""
    return v[0] if len(v) == 1 else Block("glued", [Part(one) for one in v])


def _more(v: list[Any]) -> list[Any]:
    """One more of a list, with its comma."""
    v[0] += v[1:]
    result: list[Any] = v[0]
    return result


def _listed(v: Sequence[Piece]) -> list[Part]:
    """Pieces and the commas between them; lines end behind commas."""
    parts = [Part(v[0], indent=STEP)]
    for number in range(1, len(v), 2):
        parts += [Part(v[number], indent=STEP), Part(v[number + 1], " ", soft=True, indent=STEP)]
    return parts


def _header(v: list[Any]) -> Block:
    keyword, names, end = v
    first, *others = _listed(names)
    return Block("header", [Part(keyword), Part(first.piece, " ", indent=STEP), *others, Part(end)], ENDLESS)


def _arguments(v: list[Any]) -> Block:
    """``(t, ...)``, or ``()``."""
    inner = _listed(v[1]) if len(v) == 3 else []
    return Block("arguments", [Part(v[0]), *inner, Part(v[-1])], ENDLESS)


def _definition(v: list[Any]) -> Block:
    keyword, name, *params, becomes, body, end = v
    head = [Part(keyword), Part(name, " "), *[Part(one) for one in params], Part(becomes, " ")]
    return Block("definition", [*head, Part(body, " ", soft=True, indent=STEP), Part(end)])


def _quantified(v: list[Any]) -> Block:
    """A quantifier and its body, on lines of their own; a quantifier behind a quantifier stays on its line."""
    head, body = v
    stays = isinstance(body, Block) and body.kind == "quantified"
    return Block("quantified", [Part(head), Part(body, " ", soft=not stays, indent=0 if stays else STEP)])


def _negated(v: list[Any]) -> Block:
    """A sign before its operand; two minus signs would begin a comment."""
    sign, operand = v
    apart = " " if sign.text == "-" and _begins(operand) == "-" else ""
    return Block("negation", [Part(sign), Part(operand, apart)])


def _begins(piece: Piece) -> str:
    """The first token of a piece."""
    while isinstance(piece, Block):
        piece = piece.parts[0].piece
    return piece.text


def _compared(v: list[Any]) -> Block:
    left, operator, right = v
    return Block("comparison", [Part(left), Part(operator, " ", soft=True, indent=STEP), Part(right, " ", indent=STEP)])


def _enclosed(v: list[Any]) -> Block:
    """A piece in parentheses or brackets."""
    return Block("group", [Part(v[0]), Part(v[1], indent=STEP), Part(v[2])])


def _weighted(v: list[Any]) -> Block:
    opening, condition, colon, weight, closing = v
    return Block("group", [Part(opening), Part(condition, indent=STEP), Part(colon, " ", soft=True, indent=STEP),
                           Part(weight, " ", indent=STEP), Part(closing)])  # fmt: skip


def _chained(v: list[Any]) -> Block:
    """Operands of one connective, below each other if they are long; chains inside a chain stand further in."""
    left, operator, right = v
    kind = operator.text
    block = left if _is(left, kind) and kind in _TO_THE_LEFT else Block(kind, [_operand(left)], SHORT)
    block.extend([Part(operator, " ", soft=True)])
    if _is(right, kind):
        first, *others = right.parts
        block.extend([Part(first.piece, " ", indent=first.indent), *others])
    else:
        block.extend([_operand(right, " ")])
    return block


def _is(piece: Piece, kind: str) -> bool:
    return isinstance(piece, Block) and piece.kind == kind


def _operand(piece: Piece, separator: str = "") -> Part:
    return Part(piece, separator, indent=STEP if isinstance(piece, Block) and piece.kind in _CHAINS else 0)


def _summed(v: list[Any]) -> Block:
    """Terms of a sum, as many on a line as fit."""
    left, operator, right = v
    block = left if _is(left, "sum") else Block("sum", [Part(left)], ENDLESS)
    block.extend([Part(operator, " ", soft=True, indent=STEP), Part(right, " ", indent=STEP)])
    return block


_ACTIONS: dict[str, Callable[[list[Any]], Any]] = {
    **dict.fromkeys(("iff_", "implies_", "or_", "and_"), _chained),
    **dict.fromkeys(("letters", "propositions"), _header),
    "first": list,
    "more": _more,
    "params": _arguments,
    **dict.fromkeys(("let", "let_sum"), _definition),
    **dict.fromkeys(("not_", "negate"), _negated),
    "quantified": _quantified,
    "compare": _compared,
    **dict.fromkeys(("add", "subtract"), _summed),
    **dict.fromkeys(("multiply", "call_none", "letter"), _glued),
    "call": lambda v: _glued([v[0], _arguments(v[1:])]),
    **dict.fromkeys(("group", "indicator", "count"), _enclosed),
    "weighted": _weighted,
}
