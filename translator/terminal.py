"""The terminal: aligned lines on stdout, progress and diagnostics on stderr, plain text where the stream is no terminal.

A line is a list of spans, text with a style; the styles show on a terminal and vanish elsewhere, so that both read the same.
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import ROUND_UP, Context, Decimal
from fractions import Fraction
from typing import Any, TextIO

from circuits.diagnostics import Diagnostic, fail

Span = tuple[str, str]
Line = list[Span]
Row = tuple[str, str]

LABEL_WIDTH = 12
WIDEST = 110
NARROWEST = 12
NO_BREAK = "\u00a0"
ROUNDED_UP = Context(prec=3, rounding=ROUND_UP)
STYLES = {
    "holds": "bold green",
    "refuted": "bold red",
    "unknown": "bold yellow",
    "certified": "bold green",
    "open": "bold yellow",
}


class OutputClosed(Exception):
    """Whoever reads stdout stopped reading."""


def line_width() -> int:
    """Columns to fill: those of the terminal, at most `WIDEST`, and 80 without one."""
    return max(40, min(shutil.get_terminal_size((80, 24)).columns, WIDEST))


def is_terminal(stream: TextIO | None) -> bool:
    """Tell whether styles show on a stream; there is none where it was closed before the program started."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def write(text: str) -> None:
    """Write text to stdout; where its encoding lacks a character, in the notation of Python.

    Raises:
        OutputClosed: nobody reads any more.
        FomError: there is no room for it.
    """
    if sys.stdout is None:
        raise OutputClosed
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise OutputClosed from None
    except OSError as error:
        close_stdout()
        raise fail(
            "T051", f"stdout cannot be written: {error.strerror}", help="make room, or send it elsewhere"
        ) from None


def write_lines(lines: Iterable[Line]) -> None:
    """Write lines to stdout, with their styles on a terminal."""
    if not is_terminal(sys.stdout) or not is_unicode(sys.stdout):
        write("".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in lines:
        console.print(Text.assemble(*line))


def is_unicode(stream: TextIO) -> bool:
    """Tell whether a stream takes every character."""
    return (stream.encoding or "").lower().replace("-", "").startswith("utf")


def plain(text: str = "", style: str = "") -> Line:
    """A line of one span."""
    return [(text, style)]


def wrap(text: str, width: int) -> list[str]:
    """Break text into lines at blanks, never inside a word; line breaks in the text stay, and `unbroken` parts in one piece."""
    lines: list[str] = []
    for part in text.split("\n"):
        lines += textwrap.wrap(part, max(20, width), break_long_words=False, break_on_hyphens=False) or [""]
    return [line.replace(NO_BREAK, " ") for line in lines]


def unbroken(text: str) -> str:
    """Keep a text on one line when it is wrapped."""
    return text.replace(" ", NO_BREAK)


def round_up(number: float | Fraction) -> str:
    """A number that is not negative, rounded up to three digits."""
    exact = Fraction(number)
    return f"{ROUNDED_UP.divide(Decimal(exact.numerator), Decimal(exact.denominator)).normalize():g}"


def rows_to_lines(rows: Iterable[Row], width: int | None = None, label_width: int = LABEL_WIDTH) -> list[Line]:
    """Lay out labelled texts: labels in a column of their own, the texts wrapped beside it; an empty row is an empty line."""
    room = (width or line_width()) - label_width
    lines: list[Line] = []
    for label, text in rows:
        for number, part in enumerate(wrap(text, room)):
            lines.append([((label if not number else "").ljust(label_width), "bold"), (part, "")])
    return lines


def table_to_lines(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> list[Line]:
    """Align columns; those listed in `right` are right-aligned, and words that are verdicts get their colour.

    Where the table is wider than the line, the texts of its widest columns are wrapped.
    """
    widths = [max(len(row[place]) for row in (header, *rows)) for place in range(len(header))]
    narrowed = narrowed_widths(widths, right)

    def aligned(row: Sequence[str], style: str) -> list[Line]:
        cells = [
            [cell] if narrowed[place] == widths[place] else wrap_cell(cell, narrowed[place])
            for place, cell in enumerate(row)
        ]
        lines: list[Line] = []
        for number in range(max(map(len, cells))):
            line: Line = []
            for place, parts in enumerate(cells):
                part = parts[number] if number < len(parts) else ""
                text = part.rjust(narrowed[place]) if place in right else part.ljust(narrowed[place])
                line.append((text + "  ", STYLES.get(row[place], style)))
            lines.append(line)
        return lines

    return [line for number, row in enumerate((header, *rows)) for line in aligned(row, "" if number else "bold")]


def wrap_cell(text: str, width: int) -> list[str]:
    """Break a text at blanks, and a name that is too long behind one of its dots."""
    lines: list[str] = []
    for rest in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
        while len(rest) > width:
            cut = rest.rfind(".", 0, width) + 1 or width
            lines.append(rest[:cut])
            rest = rest[cut:]
        lines.append(rest)
    return [line.replace(NO_BREAK, " ") for line in lines] or [""]


def narrowed_widths(widths: Sequence[int], right: Sequence[int]) -> list[int]:
    """Widths of columns that fit the line: the widest of those that are wrapped gives way first, down to `NARROWEST`."""
    narrowed = list(widths)
    over = sum(narrowed) + 2 * (len(narrowed) - 1) - line_width()
    while over > 0:
        places = [place for place, width in enumerate(narrowed) if place not in right and width > NARROWEST]
        if not places:
            break
        place = max(places, key=narrowed.__getitem__)
        others = [narrowed[other] for other in places if other != place]
        step = min(over, narrowed[place] - NARROWEST, max(1, narrowed[place] - max(others, default=NARROWEST)))
        narrowed[place] -= step
        over -= step
    return narrowed


class Progress:
    """Tells on stderr what is going on: a spinner on a terminal, a line for each stage elsewhere."""

    def __init__(self, status: Any = None) -> None:
        self.status = status

    def __call__(self, message: str) -> None:
        if self.status is not None:
            from rich.markup import escape

            self.status.update(escape(message))
            return
        complain(message)


@contextmanager
def progress() -> Iterator[Progress]:
    """Show progress while the block runs."""
    if not is_terminal(sys.stderr):
        yield Progress()
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield Progress(status)


def complain(text: str) -> None:
    """Write a line to stderr, if anybody reads it."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # gone, closed, or never there
        return


def write_diagnostics(diagnostics: Iterable[Diagnostic]) -> None:
    """Write diagnostics to stderr, the code in red on a terminal."""
    coloured = is_terminal(sys.stderr) and not os.environ.get("NO_COLOR")
    for diagnostic in diagnostics:
        text = str(diagnostic)
        if coloured:
            head, rest = text[: len(f"error[{diagnostic.code}]")], text[len(f"error[{diagnostic.code}]") :]
            first, *others = rest.split("\n")
            text = "\n".join([f"\033[1;31m{head}\033[0m\033[1m{first}\033[0m", *others])
        complain(text)


def close_stdout() -> None:
    """Let the interpreter's last flush of a closed stdout go nowhere."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return
