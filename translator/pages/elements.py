"""HTML and SVG as text: elements that are closed, texts that are escaped, and the frame of a page.

`Markup` is text that may stand in a page as it is. Only `element` and `text` make it, so a name that was not escaped does not
pass the type checker.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NewType

from translator.pages.style import STYLE

Markup = NewType("Markup", str)

NOTHING = Markup("")
BLANK = Markup(" ")
VOID = frozenset(["meta", "br"])
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""What a browser may load for a page: nothing but the styles in it."""


def text(content: object) -> Markup:
    """Text as it is shown; integers get separators of thousands."""
    return Markup(escape(f"{content:,}" if isinstance(content, int) else str(content)))


def element(tag: str, /, *children: Markup, **attributes: object) -> Markup:
    """One element. Attributes without value (None) are left out; ``class_`` is spelled class, ``stroke_width`` stroke-width."""
    spelled = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if tag in VOID:
        return Markup(f"<{tag}{spelled}>")
    return Markup(f"<{tag}{spelled}>{''.join(children)}</{tag}>")


def joined(parts: Iterable[Markup]) -> Markup:
    """Several elements in a row."""
    return Markup("".join(parts))


def paragraph(content: object, class_: str | None = None) -> Markup:
    """A paragraph of text."""
    return element("p", text(content), class_=class_)


def section(title: str, *children: Markup) -> Markup:
    """A part of a page, with its heading; nothing if it has no content."""
    inside = joined(children)
    return element("section", element("h2", text(title)), inside) if inside else NOTHING


def table(heads: Sequence[str], rows: Iterable[Sequence[Markup]], numbers: Sequence[int] = ()) -> Markup:
    """A table that scrolls sideways; the columns listed in `numbers` are aligned to the right."""

    def line(cell: str, content: Sequence[Markup]) -> Markup:
        kinds = ("number" if place in numbers else None for place in range(len(content)))
        return element("tr", *(element(cell, one, class_=kind) for one, kind in zip(content, kinds, strict=True)))

    head = element("thead", line("th", [text(name) for name in heads])) if heads else NOTHING
    body = element("tbody", *(line("td", row) for row in rows))
    return element("div", element("table", head, body), class_="wide")


def facts(rows: Iterable[tuple[str, str]]) -> Markup:
    """Labelled texts; line breaks in a text stay."""
    parts = [joined((element("dt", text(label)), element("dd", *lines(content)))) for label, content in rows if content]
    return element("dl", *parts) if parts else NOTHING


def lines(content: str) -> list[Markup]:
    """A text with its line breaks."""
    found: list[Markup] = []
    for line in content.split("\n"):
        found += [element("br"), text(line)] if found else [text(line)]
    return found


def code(content: str) -> Markup:
    """A block of code."""
    return element("pre", element("code", text(content.rstrip("\n"))))


def figure_of(label: str, content: Markup) -> Markup:
    """Something with a label above it."""
    return element("figure", element("figcaption", text(label)), content)


def folded(summary: Markup, *children: Markup, class_: str | None = None) -> Markup:
    """What opens when its summary is clicked."""
    return element("details", element("summary", summary), *children, class_=class_)


def svg(width: float, height: float, title: str, *children: Markup, class_: str | None = None) -> Markup:
    """A drawing that readers of the page by ear know by its title."""
    return element(
        "svg", element("title", text(title)), *children,
        width=f"{width:.0f}", height=f"{height:.0f}", viewBox=f"0 0 {width:.0f} {height:.0f}", role="img", class_=class_,
    )  # fmt: skip


def page(title: str, lead: str, *parts: Markup) -> str:
    """A whole page: it loads nothing, and follows the reader's choice of light or dark."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", text(title)),
        element("style", Markup(STYLE)),
    )
    header = element("header", element("h1", text(title)), *([paragraph(lead)] if lead else []))
    body = element("body", element("main", header, *parts))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"
