"""HTML: a sentence for notebooks, its definitions folded away in groups."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from logic.printer import UNICODE, definition_text, write
from logic.syntax import Definition, Sentence

SHORT = 12
"""A sentence with at most so many definitions needs no folding: it is shown as mathematics."""
MOST_SHOWN = 200
PIECES = 400


def sentence_to_html(sentence: Sentence) -> str:
    """Spell a sentence: its size, a group of definitions for each comment that opens one, and the formula."""
    count = len(sentence.definitions)
    parts = [f"<p>A sentence of FO(M) with {count:,} definition{'' if count == 1 else 's'}</p>"]
    letters = ", ".join(map(UNICODE.letter, sentence.letters[:40])) + (", …" if len(sentence.letters) > 40 else "")
    if letters:
        parts.append(f"<p>letters <code>{escape(letters)}</code></p>")
    for title, group in _groups(sentence.definitions):
        lines = [_line(definition) for definition in group[:MOST_SHOWN]]
        if len(group) > MOST_SHOWN:
            lines.append(f"… {len(group) - MOST_SHOWN:,} more")
        text = escape("\n".join(lines))
        parts.append(f"<details><summary>{escape(title)}</summary><pre>{text}</pre></details>")
    parts.append(f"<pre>{escape(write(sentence.formula, UNICODE, PIECES))}</pre>")
    return f"<div>{''.join(parts)}</div>"


def _groups(definitions: tuple[Definition, ...]) -> Iterator[tuple[str, list[Definition]]]:
    """Definitions from one with a comment up to the next, with a title."""
    group: list[Definition] = []
    for definition in definitions:
        if definition.comment and group:
            yield _title(group), group
            group = []
        group.append(definition)
    if group:
        yield _title(group), group


def _title(group: list[Definition]) -> str:
    first = group[0]
    return first.comment.split("\n")[0] or f"{first.name}{' …' if len(group) > 1 else ''}"


def _line(definition: Definition) -> str:
    """One definition, shortened if it is very long."""
    bare = Definition(definition.name, definition.params, definition.body)
    shortened = write(definition.body, UNICODE, PIECES)
    return f"{definition.name} := {shortened}" if shortened.endswith("...") else definition_text(bare, UNICODE)
