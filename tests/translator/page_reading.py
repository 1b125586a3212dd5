"""Reading pages as a browser does, and insisting that they are sound and load nothing."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from translator.pages.elements import VOID


class Balanced(HTMLParser):
    """Reads a page as a browser does, and insists that every element is closed in its turn."""

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.shown: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.stack
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.stack or self.stack[-1] != "style":
            self.shown.append(data)


def read(page: str) -> Balanced:
    """Parse a page; it loads nothing and runs nothing."""
    parser = Balanced()
    parser.feed(page)
    parser.close()
    assert not parser.stack
    assert not re.search(r"https?:|url\(|@import|javascript:", page)
    for tag, attributes in parser.tags:
        assert tag not in {"script", "link", "img", "iframe", "object", "base"}
        assert not {"src", "href", "srcset"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
    return parser


def shown(page: str) -> str:
    """The text of a page with single blanks."""
    return " ".join("".join(read(page).shown).split())
